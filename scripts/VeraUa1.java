import java.io.File;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;
import org.verapdf.pdfa.validation.profiles.Profiles;
import org.verapdf.pdfa.validation.profiles.RuleId;
import org.verapdf.pdfa.validation.profiles.ValidationProfile;

/** Validates PDF files against PDF/UA-1. One line per file; exit status 0 only if all of them conform. */
public final class VeraUa1 {
    private static final String PROFILE = "/org/verapdf/pdfa/validation/PDFUA-1.xml";

    public static void main(String[] files) throws Exception {
        LogManager.getLogManager().reset();
        VeraGreenfieldFoundryProvider.initialise();
        ValidationProfile profile;
        try (InputStream xml = VeraUa1.class.getResourceAsStream(PROFILE)) {
            profile = Profiles.profileFromXml(xml);
        }
        List<String> bad = new ArrayList<>();
        for (String file : files) {
            if (!validate(new File(file), profile)) {
                bad.add(file);
            }
        }
        System.out.printf("%d of %d files conform to PDF/UA-1%n", files.length - bad.size(), files.length);
        System.exit(bad.isEmpty() && files.length > 0 ? 0 : 1);
    }

    private static boolean validate(File file, ValidationProfile profile) throws Exception {
        try (PDFAParser parser = Foundries.defaultInstance().createParser(file, PDFAFlavour.PDFUA_1);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(profile, false)) {
            ValidationResult result = validator.validate(parser);
            Map<RuleId, String> failures = new LinkedHashMap<>();
            for (TestAssertion assertion : result.getTestAssertions()) {
                if (assertion.getStatus() == TestAssertion.Status.FAILED) {
                    failures.putIfAbsent(assertion.getRuleId(), assertion.getMessage() + " at " + assertion.getLocation().getContext());
                }
            }
            System.out.printf("%s: %d checks, %d rules fail%n", file.getName(), result.getTotalAssertions(), failures.size());
            failures.forEach((rule, why) -> System.out.printf("  %s-%d: %s%n", rule.getClause(), rule.getTestNumber(), why));
            return result.isCompliant();
        }
    }
}
