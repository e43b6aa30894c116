//! Every rule, broken alone in a message that keeps to all others.

use super::*;

/// A message of a list that keeps to every rule.
const GOOD: &str = "From: =?utf-8?q?Office_de_tourisme_d=27Auch?= <agenda@auch.example>
To: Anne <anne@gite.example>
Subject: Que faire =?utf-8?q?=C3=A0?= Auch
Date: Sat, 10 Jul 2027 08:00:00 +0200
Message-ID: <x7f3@auch.example>
MIME-Version: 1.0
List-Id: Agenda <agenda.lettre.auch.example>
List-Unsubscribe: <https://partenaires.auch.example/d/opaque>,
 <mailto:stop@auch.example>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Auto-Submitted: auto-generated
Feedback-ID: agenda:agenda-2027-w28:semainier:auch-example
Content-Type: multipart/mixed; boundary=\"out\"

--out
Content-Type: multipart/alternative; boundary=\"in\"

--in
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

=C3=80 lire sur https://auch.example/semaine.
Se d=C3=A9sinscrire : https://partenaires.auch.example/d/opaque
--in
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html lang=\"fr\"><head><title>x</title></head><body>
<p>À lire <a href=\"https://auch.example/semaine\">ici</a></p>
<img src=\"cid:logo@auch.example\" alt=\"\" width=\"80\">
<a href=\"https://partenaires.auch.example/d/opaque\">Se désinscrire</a>
</body></html>
--in--
--out
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-ID: <logo@auch.example>
Content-Disposition: inline

aGVsbG8=
--out
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''Agenda%20%C3%A9t%C3%A9.pdf

aGVsbG8=
--out--
";

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn rules(message: &[u8], expected: &Expected) -> Vec<Rule> {
    lint(message, expected).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_message_that_keeps_to_the_rules_has_no_finding() {
    assert_eq!(lint(&crlf(GOOD), &Expected::default()), []);
    let expected = Expected {
        audience: Some(Audience::List),
        return_path_domain: Some("rebonds.auch.example".to_owned()),
        placeholder: Some("SEMAINIER-0A-".to_owned()),
    };
    assert_eq!(lint(&crlf(GOOD), &expected), []);
}

/// What replaces what, and the only rules that this breaks.
#[test]
fn each_rule_is_found_when_it_alone_is_broken() {
    use Rule::*;
    let long_word = format!("=?utf-8?b?{}?=", "YWFh".repeat(17));
    let long_line = format!("X-Long: {}", "a".repeat(1_000));
    let foldable = format!("X-Note: {}", "mot ".repeat(25));
    let long_base64 = "aGVs".repeat(20);
    let cases: &[(&str, &str, &[Rule])] = &[
        ("MIME-Version: 1.0", &long_line, &[LongLine, HeaderMissing]),
        ("<p>", "\0<p>", &[Nul]),
        ("To: Anne", &format!("{foldable}\nTo: Anne"), &[LongHeaderLine]),
        ("To: Anne", "To: Élise", &[EightBitHeader]),
        ("To: Anne", "hello\nTo: Anne", &[MalformedHeader]),
        ("Subject: Que", "X-Subject: Que", &[HeaderMissing]),
        ("Message-ID: <x7f3@auch.example>", "X-No: 1", &[HeaderMissing]),
        ("Subject: Que", "Subject: 2\nSubject: Que", &[HeaderRepeated]),
        ("To: Anne", "Bcc: <b@c.example>\nTo: Anne", &[BccHeader]),
        ("List-Id: Agenda", "X-List-Id: Agenda", &[ListHeaderMissing]),
        ("List-Unsubscribe-Post:", "X-Post:", &[ListHeaderMissing]),
        ("Auto-Submitted: auto-generated", "X-No: 1", &[AutoSubmittedMissing]),
        ("Auto-Submitted: auto-generated", "Auto-Submitted: no", &[AutoSubmittedForm]),
        ("Subject: Que", &format!("Subject:\n {long_word}\n Que"), &[EncodedWordLong]),
        // The é is split between two words.
        ("Subject: Que", "Subject: =?utf-8?q?=C3?= =?utf-8?q?=A9?= Que", &[EncodedWordBroken, EncodedWordBroken]),
        ("Subject: Que", "Subject: =?utf-8?q?a=0D=0ABcc=3A_x?= Que", &[HeaderControl]),
        ("Date: Sat, 10 Jul 2027 08:00:00 +0200", "Date: Sat, 10 Jul 2027 08:00:00 GMT", &[DateZone]),
        ("Date: Sat, 10 Jul 2027 08:00:00 +0200", "Date: 2027-07-10 08:00 +0200", &[DateForm]),
        ("<x7f3@auch.example>", "x7f3@auch.example", &[MessageIdForm]),
        ("<agenda@auch.example>", "<agenda@auch.example>,\n <b@auch.example>", &[FromForm]),
        ("<anne@gite.example>", "<anne>", &[ToForm]),
        ("<anne@gite.example>", "<anne@gite.example>, b@gite.example", &[SeveralRecipients]),
        ("<anne@gite.example>", "<anne@=?utf-8?q?g=C3=AEte?=.example>", &[DomainNotAscii]),
        ("<agenda.lettre.auch.example>", "agenda", &[ListIdForm]),
        ("<agenda.lettre.auch.example>", "<agenda.other.test>", &[ListIdDomain]),
        ("<https://partenaires.auch.example/d/opaque>,\n <mailto", "<mailto", &[UnsubscribeForm]),
        (
            "<https://partenaires.auch.example/d/opaque>,\n <mailto",
            "<http://partenaires.auch.example/d/opaque>,\n <mailto",
            &[UnsubscribeForm],
        ),
        ("mailto:stop@", "mailto:stop?subject=anne%40gite.example@", &[UnsubscribeAddress]),
        (
            "<https://partenaires.auch.example/d/opaque>",
            "<https://partenaires.auch.example/d?email=x>",
            &[UnsubscribeAddress],
        ),
        ("=One-Click", "=Two-Clicks", &[UnsubscribePost]),
        ("Feedback-ID: agenda", "X-Feedback: agenda", &[FeedbackIdMissing]),
        (":auch-example", ":auch", &[FeedbackIdForm]),
        (":semainier:auch", ":x7f3:auch", &[FeedbackIdPersonal]),
        ("Feedback-ID:", "Return-Path: <b@other.test>\nFeedback-ID:", &[ReturnPathAlignment]),
        ("MIME-Version: 1.0", "MIME-Version: 2.0", &[MimeVersion]),
        ("--out--\n", "", &[Multipart]),
        ("lire sur", "lire é sur", &[Encoding]),
        ("aGVsbG8=\n--out\n", &format!("{long_base64}\n--out\n"), &[Encoding]),
        ("aGVsbG8=\n--out\n", "aGVs*G8=\n--out\n", &[Encoding]),
        ("=C3=80 lire sur", "=C3 lire sur", &[Charset]),
        ("Content-Type: text/plain", "Content-Type: text/enriched", &[NoText]),
        ("Content-Type: text/html", "Content-Type: text/enriched", &[NoHtml]),
        (
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
            &[NoText, NoUnsubscribeLink, NoLang],
        ),
        ("https://auch.example/semaine.", "", &[LinkOnlyInHtml]),
        ("Se d=C3=A9sinscrire : https://partenaires.auch.example/d/opaque", "", &[NoUnsubscribeLink, LinkOnlyInHtml]),
        (" alt=\"\"", "", &[NoAlt]),
        ("cid:logo@auch.example", "cid:other@auch.example", &[BrokenPicture]),
        ("cid:logo@auch.example", "https://auch.example/logo.png", &[RemoteImage]),
        ("<p>", "<p><img src='https://t.example/p.gif' alt='' width=1>", &[TrackingPixel]),
        ("<p>", "<p><img src='https://t.example/p' alt='' style='display:none'>", &[TrackingPixel]),
        ("<p>", "<script>x()</script><p>", &[ActiveContent]),
        ("<p>", "<p onclick='x()'>", &[ActiveContent]),
        ("<p>", "<FORM action='https://auch.example/semaine'><p>", &[ActiveContent]),
        ("https://auch.example/semaine\"", "http://auch.example/semaine\"", &[HttpLink]),
        (
            "https://auch.example/semaine.\n",
            "https://auch.example/semaine\nhttp://=C3=A9t=C3=A9.example\n",
            &[HttpLink, LinkNotAscii],
        ),
        (
            "https://auch.example/semaine.\n",
            "https://auch.example/semaine\nhttps://x.example/?a=3DANNE%40gite.example\n",
            &[AddressInLink],
        ),
        ("lire sur", "lire SEMAINIER-0A0B-COMMANDE", &[PlaceholderLeft]),
        ("lire sur", "lire {{ title }}", &[PlaceholderLike]),
        (" lang=\"fr\"", "", &[NoLang]),
        ("%A9.pdf", "%A9.exe", &[AttachmentName]),
        ("; filename*=utf-8''Agenda%20%C3%A9t%C3%A9.pdf", "", &[AttachmentName]),
        ("''Agenda", "''..%2FAgenda", &[AttachmentName]),
    ];
    let mut wrong: Vec<String> = Vec::new();
    let mut seen: std::collections::BTreeSet<Rule> = std::collections::BTreeSet::new();
    for (from, to, wanted) in cases {
        assert!(GOOD.contains(from), "{from}");
        let found = lint(&crlf(&GOOD.replacen(from, to, 1)), &Expected::default());
        let (mut rules, mut wanted) = (found.iter().map(|it| it.rule).collect::<Vec<_>>(), wanted.to_vec());
        rules.sort();
        wanted.sort();
        // Two places may break the same rule in the same words.
        rules.dedup();
        wanted.dedup();
        if rules != wanted {
            wrong.push(format!("{to}: {wanted:?}, and not {found:#?}"));
        }
        seen.extend(rules);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Those that no replacement can break, in the tests below.
    seen.extend([BareLineBreak, TooBig, HtmlTooLong, EmptyPart, AlternativeOrder]);
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !seen.contains(rule)).collect();
    assert!(missing.is_empty(), "no case breaks {missing:?}");
}

#[test]
fn line_ends_are_judged_where_they_are() {
    let bare = String::from_utf8(crlf(GOOD)).unwrap().replacen("\r\n", "\n", 1);
    let found = lint(bare.as_bytes(), &Expected::default());
    assert_eq!(
        found.iter().map(|it| (it.rule, it.place.clone())).collect::<Vec<_>>(),
        [(Rule::BareLineBreak, Place::Line(1))]
    );
    let bare = String::from_utf8(crlf(GOOD)).unwrap().replacen("lire", "li\rre", 1);
    assert_eq!(rules(bare.as_bytes(), &Expected::default()), [Rule::BareLineBreak]);
    // A thousand faults of a kind are reported as a few.
    let found = rules(GOOD.as_bytes(), &Expected::default());
    assert_eq!(found.iter().filter(|rule| **rule == Rule::BareLineBreak).count(), MOST_OF_A_RULE);
}

#[test]
fn sizes_are_limits_of_receivers() {
    let pad = |line: &str, n: usize| GOOD.replacen("<p>", &format!("{}<p>", format!("{line}\n").repeat(n)), 1);
    let line = "x".repeat(70);
    assert_eq!(rules(&crlf(&pad(&line, 1_400)), &Expected::default()), []);
    assert_eq!(rules(&crlf(&pad(&line, 1_500)), &Expected::default()), [Rule::HtmlTooLong]);
    assert_eq!(rules(&crlf(&pad(&line, 150_000)), &Expected::default()), [Rule::TooBig, Rule::HtmlTooLong]);
}

#[test]
fn the_alternatives_have_an_order_and_something_to_read() {
    let parts: Vec<_> = GOOD.split("--in\n").collect();
    let [head, text, html] = parts[..] else { panic!("{parts:?}") };
    let (html, tail) = html.split_once("--in--").unwrap();
    let reversed = format!("{head}--in\n{html}--in\n{text}--in--{tail}");
    assert_eq!(rules(&crlf(&reversed), &Expected::default()), [Rule::AlternativeOrder]);
    let empty = format!("{head}--in\nContent-Type: text/plain; charset=utf-8\n\n \n--in\n{html}--in--{tail}");
    let found = rules(&crlf(&empty), &Expected::default());
    assert!(found.contains(&Rule::EmptyPart), "{found:?}");
    let nothing = "From: a@b.example\nTo: c@d.example\nSubject: x\nDate: Sat, 10 Jul 2027 08:00:00 +0200\nMessage-ID: <a@b.example>
MIME-Version: 1.0\nAuto-Submitted: auto-generated\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n";
    assert_eq!(rules(&crlf(nothing), &Expected::default()), [Rule::EmptyPart]);
}

#[test]
fn a_mail_to_one_person_needs_no_headers_of_a_list() {
    let personal: String = GOOD
        .replace(",\n <mailto", ", <mailto")
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("List-") && !line.starts_with("Feedback-"))
        .collect();
    assert_eq!(lint(&crlf(&personal), &Expected::default()), []);
    let as_list = Expected { audience: Some(Audience::List), ..Expected::default() };
    assert_eq!(
        rules(&crlf(&personal), &as_list),
        [Rule::ListHeaderMissing, Rule::ListHeaderMissing, Rule::ListHeaderMissing, Rule::FeedbackIdMissing]
    );
    let without = personal.replace("Auto-Submitted: auto-generated\n", "");
    let found = lint(&crlf(&without), &Expected::default());
    assert_eq!(
        found.iter().map(|it| (it.rule, it.severity)).collect::<Vec<_>>(),
        [(Rule::AutoSubmittedMissing, Severity::Warning)]
    );
}

/// Whoever writes an event that we print must not be able to hold the issue.
#[test]
fn only_the_placeholders_of_the_issue_itself_are_errors() {
    let expected = Expected { placeholder: Some("SEMAINIER-0A0B-".to_owned()), ..Expected::default() };
    let with = |text: &str| lint(&crlf(&GOOD.replacen("lire sur", text, 1)), &expected);
    let foreign = with("lire SEMAINIER-FFFF-COMMANDE");
    assert_eq!((foreign.len(), foreign[0].severity), (1, Severity::Warning));
    let own = with("lire SEMAINIER-0A0B-COMMANDE");
    assert_eq!((own.len(), own[0].severity, own[0].rule), (1, Severity::Error, Rule::PlaceholderLeft));
}

#[test]
fn damaged_messages_are_judged_without_failing() {
    let whole = crlf(GOOD);
    for end in 0..whole.len() {
        lint(&whole[..end], &Expected::default());
    }
    for byte in [0, b'=', b'<', b'"', b'\r', b'\n', 0xff, b'-', b'&', b'?'] {
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            lint(&damaged, &Expected::default());
        }
    }
}

#[test]
fn alignment_is_of_one_registered_domain() {
    for (one, other, aligned) in [
        ("auch.fr", "auch.fr", true),
        ("rebonds.Auch.fr", "auch.fr", true),
        ("a.auch.fr", "b.auch.fr", true),
        ("auch.fr", "condom.fr", false),
        ("mairie-auch.gouv.fr", "mairie-condom.gouv.fr", false),
        ("x.mairie-auch.gouv.fr", "mairie-auch.gouv.fr", true),
        ("auch.fr", "auch.com", false),
    ] {
        assert_eq!(may_be_aligned(one, other), aligned, "{one} {other}");
    }
}

#[test]
fn findings_say_what_where_and_why_in_both_languages() {
    let message = crlf(&GOOD.replacen(":auch-example", ":auch", 1));
    let found = lint(&message, &Expected::default());
    assert_eq!(
        found[0].to_string(),
        "Feedback-ID: not four fields of which the last has 5 to 15 characters (agenda:agenda-2027-w28:semainier:auch); \
         Gmail: a:b:c:SenderId, SenderId of 5 to 15 characters"
    );
    assert_eq!(
        found[0].in_french(),
        "en-tête Feedback-ID\u{a0}: l’en-tête des plaintes est mal formé (agenda:agenda-2027-w28:semainier:auch)"
    );
    // The address of a person stands in no finding.
    let shown = GOOD.replacen("d/opaque>,", "d?email=anne@gite.example>,", 1).replacen(
        "https://auch.example/semaine.",
        "https://x.example/anne@gite.example",
        1,
    );
    for finding in lint(&crlf(&shown), &Expected::default()) {
        let said = format!("{finding} {}", finding.in_french());
        assert!(!said.contains("anne"), "{said}");
    }
    for rule in Rule::ALL {
        let french = rule.in_french();
        let first = french.chars().next().unwrap();
        assert!(first.is_lowercase() && !french.ends_with('.') && !french.contains('\''), "{french}");
        assert!(!french.contains(" :") && !french.contains(" ;"), "{french}");
    }
}
