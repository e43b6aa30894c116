//! Recipients: imports of lists as offices keep them, opt-outs, and files that are refused as a whole.

use crate::support::house::{BOTH, House, NEXT_AT, NEXT_MONDAY, Relay, article};
use encoding_rs::WINDOWS_1252;

fn import(house: &House, csv: impl AsRef<[u8]>, code: i32) -> String {
    house.write("in.csv", csv);
    house.semainier(&["partners", "import", "in.csv"]).expect(code).said()
}

fn contacts(house: &House) -> Vec<serde_json::Value> {
    house.semainier(&["partners", "list", "--json"]).expect(0).json().as_array().unwrap().clone()
}

#[test]
fn i04_a_contact_who_opted_out_before_the_run_gets_nothing() {
    for on in crate::support::house::BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example", "partie@gite.example"]);
        house.semainier(&["partners", "suppress", "Partie@Gite.example"]).expect(0);
        house.run().expect(0).expect_said(&["2 = 1 sent + 1 suppressed"]);
        house.judge_at_rest(&relay, 2);
        assert_eq!(relay.accepted("partie@gite.example"), 0);
        // I04: an import does not bring anybody back.
        house.import(&["partie@gite.example"]);
        house.run_at("2027-07-17T08:00", &crate::support::house::article("2027-07-19")).expect(0);
        assert_eq!(relay.accepted("partie@gite.example"), 0);
        house.judge_at_rest(&relay, 2);
    }
}

#[test]
fn an_opt_out_while_the_relay_is_down_is_respected() {
    let house = House::new().set("relay", Relay::nowhere());
    house.import(&["a@gite.example", "partie@gite.example"]);
    house.run().expect(1);
    house.semainier(&["partners", "suppress", "partie@gite.example", "--mailing", "agenda"]).expect(0);
    house.assert_states(&[("queued", 1), ("suppressed", 1)]);
    let relay = Relay::start();
    let house = house.relay(&relay);
    house.run().expect(0);
    house.judge_at_rest(&relay, 2);
    house.semainier(&["partners", "suppress", "a@gite.example", "--mailing", "lettre"]).expect(1);
}

#[test]
fn i01_a_file_of_excel_keeps_its_accents() {
    let house = House::new();
    let csv = "Courriel;Nom;Établissement;Ville\r\ncontact@hotel.example;Éloïse Cœur;« Hôtel » de l’Aïeul;Montaut-les-Créneaux\r\n";
    let (windows, _, _) = WINDOWS_1252.encode(csv);
    let said = import(&house, &windows, 0);
    assert!(said.contains("windows-1252") && said.contains("1 added"), "{said}");
    assert_eq!(contacts(&house)[0]["establishment"], "« Hôtel » de l’Aïeul");
    let said = import(&house, format!("\u{feff}{csv}"), 0);
    assert!(said.contains("1 unchanged"), "the same contact in UTF-8 with a BOM: {said}");
}

#[test]
fn i03_a_duplicate_address_is_imported_once_and_reported() {
    let house = House::new();
    let said = import(&house, "email;nom\na@gite.example;Un\n A@GITE.example ;Deux\na+b@gite.example;Trois\n", 0);
    assert!(said.contains("line 3: the address stands in line 2 already"), "{said}");
    assert_eq!(contacts(&house).len(), 2);
}

#[test]
fn i05_unusual_names_cannot_inject_headers_or_formulas() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    let csv = "email;nom;etablissement;commune\n\
               a@gite.example;=cmd|' /C calc'!A0;<script>alert(1)</script>;Auch\n\
               b@gite.example;+33 5 62;@SUM(A1);Auch\n\
               c@gite.example;\u{202e}Zoé 🍷;\"Gîte \"\"du\"\" Pré\";Auch\n";
    import(&house, csv, 0);
    house.run().expect(0);
    house.judge_at_rest(&relay, 3);
    for accepted in &relay.seen().accepted {
        let mail = mail_parser::MessageParser::default().parse(&accepted.bytes).unwrap();
        assert!(mail.header_raw("Bcc").is_none());
        assert!(!mail.body_html(0).unwrap().contains("<script"), "{}", accepted.recipient);
    }
    let csv = house.semainier(&["log", "--csv"]).expect(0).stdout;
    assert_eq!(csv.lines().count(), 4);
    for line in csv.lines() {
        for cell in line.split(';').map(|cell| cell.trim_start_matches('"')) {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "a formula: {cell}");
        }
    }
    for (name, line) in [("Bob\r\nBcc: x@y.example", "2"), (&"x".repeat(10_000), "2")] {
        let said = import(&house, format!("email;nom\nd@gite.example;\"{name}\"\n"), 1);
        assert!(said.contains(&format!("line {line}: ")), "{said}");
    }
    assert_eq!(contacts(&house).len(), 3);
}

#[test]
fn i07_invalid_files_are_refused_with_every_line_and_not_imported() {
    let house = House::new();
    for (csv, parts) in [
        (
            "email;nom\na@gite.example;x\nnobody;y\nb@gite.example;z;\"w\"\n",
            &["line 3: ", "line 4: ", "nothing was imported"][..],
        ),
        ("email;nom\na@gite.example;\"x\n", &["line 2: a quotation mark"]),
        ("email;nom\na@gite.example;x\0\n", &["line 2: a NUL"]),
        ("nom;ville\nx;y\n", &["line 1: no column for the address"]),
        ("", &["line 1: the file is empty"]),
        ("email;nom\né@gite.example;x\n", &["line 2: "]),
    ] {
        let said = import(&house, csv, 1);
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
        assert!(said.contains("in.csv"), "which file: {said}");
    }
    assert!(contacts(&house).is_empty());
    house.semainier(&["partners", "import", "none.csv"]).expect(1).expect_said(&["cannot read none.csv"]);
}

#[test]
fn a_dry_run_changes_nothing() {
    let house = House::new();
    house.write("in.csv", "email;nom\na@gite.example;x\n");
    let args = ["partners", "import", "in.csv", "--dry-run"];
    house.semainier(&args).expect(0).expect_said(&["1 would be added"]);
    assert!(contacts(&house).is_empty());
}

#[test]
fn partners_are_listed_for_people_and_for_programs() {
    let house = House::new();
    house.import(&["a@gite.example"]);
    house.semainier(&["partners", "list"]).expect(0).expect_said(&["a@gite.example", "Gîte n° 0", "1 contacts"]);
    let keys: Vec<_> = contacts(&house)[0].as_object().unwrap().keys().cloned().collect();
    let before = ["email", "name", "function", "establishment", "category", "commune", "labels"];
    let since = ["postcode", "phone", "other_establishments", "subscriptions", "barred"];
    assert_eq!(keys, [&before[..], &since[..]].concat());
}

/// The list of 400 partners kept in `tests/partners/`, by both roads: written by the example, read by the import.
#[test]
fn a_sheet_of_400_partners_is_imported_queried_and_exported() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        let sheet = std::fs::read("tests/partners/partners.xlsx").unwrap();
        house.write("liste.xlsx", &sheet);
        let said = house.semainier(&["partners", "import", "liste.xlsx", "--dry-run"]).expect(0).said();
        assert!(said.contains("400 would be added") && said.contains("+ contact@partenaire-001.example"), "{said}");
        house.semainier(&["partners", "import", "liste.xlsx"]).expect(0).expect_said(&["Adhérents 2026", "400 added"]);
        house.semainier(&["partners", "import", "liste.xlsx"]).expect(0).expect_said(&["400 unchanged"]);

        let segment =
            "category in (\"hébergement\",\"restauration\") and label = \"Accueil Vélo\" and commune != \"Auch\"";
        let list = house.semainier(&["partners", "list", "--json", "--where", segment]).expect(0).json();
        let list = list.as_array().unwrap();
        assert!((10..390).contains(&list.len()), "{}", list.len());
        for one in list {
            assert!(one["labels"].as_array().unwrap().iter().any(|label| label == "Accueil Vélo"), "{one}");
            assert_ne!(one["commune"], "Auch");
        }
        let wrong = house.semainier(&["partners", "list", "--where", "commune = Auch"]).expect(1).said();
        assert!(wrong.contains("column 11") && wrong.contains("\n            ^"), "{wrong}");

        // Written and read again, it is the same list.
        for out in ["liste-2.xlsx", "liste-2.csv"] {
            house.semainier(&["partners", "export", "--out", out]).expect(0).expect_said(&["400 contacts"]);
            house.semainier(&["partners", "import", out]).expect(0).expect_said(&["400 unchanged"]);
        }
    }
}

#[test]
fn a_dry_run_shows_field_by_field_what_would_change() {
    let house = House::new();
    import(&house, "email;nom;structure;ville\na@gite.example;Un;Gîte;Auch\nb@gite.example;Deux;Gîte;Auch\n", 0);
    let csv = "email;nom;structure;ville\na@gite.example;Un;Gîte;Pavie\nc@gite.example;;Hôtel;Auch\n";
    house.write("in.csv", csv);
    let said = house.semainier(&["partners", "import", "in.csv", "--dry-run", "--replace"]).expect(0).said();
    for part in [
        "- b@gite.example",
        "~ a@gite.example",
        "    commune: \"Auch\" becomes \"Pavie\"",
        "+ c@gite.example",
        "1 would be added, 1 would be changed, 0 unchanged, 1 would be removed",
    ] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    assert_eq!(contacts(&house).len(), 2);
}

#[test]
fn a_windows_1252_file_with_errors_is_reported_by_line_and_not_imported() {
    let house = House::new();
    let csv = std::fs::read("tests/partners/windows-1252.csv").unwrap();
    house.write("in.csv", csv);
    for dry_run in [false, true] {
        let mut args = vec!["partners", "import", "in.csv"];
        args.extend(dry_run.then_some("--dry-run"));
        let said = house.semainier(&args).expect(1).said();
        for part in [
            "line 3: \"jean.noel(at)gite.example\" is no e-mail address",
            "line 5: stars \"sept étoiles\": expected 1 to 5 stars",
            "line 6: insee \"Lavardens\": expected five digits",
            "line 7: the address stands in line 2 already; kept once",
            "line 8: no address; not taken",
            "nothing was imported",
        ] {
            assert!(said.contains(part), "{part} not in {said}");
        }
        assert_eq!(said.contains("+ accueil@hotel-aieul.example"), dry_run, "what is right is shown: {said}");
    }
    assert!(contacts(&house).is_empty());
}

#[test]
fn i08_a_whole_list_that_would_remove_more_than_a_fifth_asks_first() {
    let house = House::new();
    house.import_many(10);
    let all = house.semainier(&["partners", "export"]).expect(0).stdout;
    let but = |n: usize| all.lines().take(1 + 10 - n).map(|line| format!("{line}\n")).collect::<String>();
    house.write("in.csv", but(3));
    let refused = house.semainier(&["partners", "import", "in.csv", "--replace"]).expect(1).said();
    assert!(refused.contains("removes 3 of 10 contacts (30 %)") && refused.contains("--yes"), "{refused}");
    assert_eq!(contacts(&house).len(), 10);
    house.write("in.csv", but(2));
    house.semainier(&["partners", "import", "in.csv", "--replace"]).expect(0).expect_said(&["2 removed"]);
    house.write("in.csv", but(9));
    house.semainier(&["partners", "import", "in.csv", "--replace", "--yes"]).expect(0).expect_said(&["7 removed"]);
    assert_eq!(contacts(&house).len(), 1);
}

#[test]
fn all_data_of_a_person_are_shown_and_erased_and_totals_stay_correct() {
    for on in crate::support::house::BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example", "partie@gite.example"]);
        house.run().expect(0);
        let all = house.semainier(&["partners", "export", "--contact", "Partie@gite.example"]).expect(0).json();
        assert_eq!(all["contact"]["partner"]["commune"], "Auch");
        assert_eq!(all["history"][0]["change"], "subscribed");
        assert_eq!(all["history"][0]["basis"], "legitimate_interest");
        assert_eq!(all["deliveries"][0]["state"], "sent");

        house.semainier(&["partners", "erase", "partie@gite.example"]).expect(0).expect_said(&["1 deliveries keep"]);
        house.assert_states(&[("sent", 2)]);
        let log = house.semainier(&["log", "--json"]).expect(0).stdout;
        let list = house.semainier(&["partners", "list", "--json"]).expect(0).stdout;
        assert!(!log.contains("partie") && !list.contains("partie"), "{log}");
        let after = house.semainier(&["partners", "export", "--contact", "partie@gite.example"]).expect(0).json();
        assert!(after["contact"].is_null() && after["deliveries"].as_array().unwrap().is_empty(), "{after}");
        assert_eq!(after["suppressions"][0]["scope"], "*");

        // I04: nor does the next list bring mail to the person.
        house.import(&["partie@gite.example"]);
        house.run_at("2027-07-17T08:00", &crate::support::house::article("2027-07-19")).expect(0);
        assert_eq!(relay.accepted("partie@gite.example"), 1);
    }
}

/// Sixty lines as an office keeps them: a title, two columns of addresses, an owner of two houses, holes and a sum.
fn as_an_office_keeps_it() -> String {
    let mut csv = String::from(
        "LISTE DES PARTENAIRES 2027;;;;;;;;\n\nRaison sociale;Filière;Contact;Adresse mail 1;Adresse mail 2;Tél.;Code postal;Ville;Observations\n",
    );
    for n in 0..60 {
        let (mail, second) = match n {
            3 => ("mailto:m3@gite.example".to_owned(), ""),
            4 => ("Marie Dupont <m4@gite.example>".to_owned(), ""),
            5 => ("\"m5@gite.example ; m5b@gite.example\"".to_owned(), ""),
            6 => ("m6@gite.example / m6b@gite.example".to_owned(), ""),
            7 => ("m7@gite.example".to_owned(), "m7b@gite.example"),
            8 | 9 => ("deux@gite.example".to_owned(), ""),
            10 => (String::new(), ""),
            11 => ("néant".to_owned(), ""),
            n => (format!("m{n}@gite.example"), ""),
        };
        csv.push_str(&format!(
            "Gîte n° {n};Hébergements;Nom {n};{mail};{second};56200{n:04};{};Auch",
            if n == 1 { "1000" } else { "32000" }
        ));
        csv.push_str(if n > 20 { "\n" } else { ";NPAI\n" });
    }
    csv.push_str("TOTAL;60;;;;;;;\n");
    csv
}

#[test]
fn trial_f09_a_typical_office_list_is_imported_in_one_step_with_a_report() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        let said = import(&house, as_an_office_keeps_it(), 0);
        for part in [
            "ignored columns: Observations",
            "line 9: 2 addresses",
            "line 13: the address stands in line 12 already: one contact of two establishments",
            "line 14: no address; not taken",
            "line 15: no address; not taken",
            "line 64: a sum, no contact",
            "60 contacts",
            "60 added",
        ] {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
        let all = contacts(&house);
        let of = |address: &str| all.iter().find(|it| it["email"] == address).unwrap_or_else(|| panic!("{address}"));
        assert_eq!(of("m4@gite.example")["name"], "Nom 4");
        assert_eq!(
            (of("m1@gite.example")["postcode"].as_str(), of("m1@gite.example")["phone"].as_str()),
            (Some("01000"), Some("05 62 00 00 01"))
        );
        assert_eq!(of("deux@gite.example")["other_establishments"], serde_json::json!(["Gîte n° 9"]));
        assert_eq!(
            house.number("SELECT COUNT(*) FROM partners WHERE website = ''"),
            58,
            "both houses, and nothing of one in the other"
        );
        // Both of its houses find it; the same list again changes nothing, and so does what is exported.
        for house_name in ["Gîte n° 8", "GITE N° 9"] {
            let found = house.semainier(&[
                "partners",
                "list",
                "--where",
                &format!("establishment = \"{house_name}\""),
                "--json",
            ]);
            assert_eq!(found.expect(0).json()[0]["email"], "deux@gite.example");
        }
        assert!(import(&house, as_an_office_keeps_it(), 0).contains("60 unchanged"));
        house.semainier(&["partners", "export", "--out", "out.csv"]).expect(0);
        let again = house.semainier(&["partners", "import", "out.csv"]).expect(0).said();
        assert!(again.contains("60 unchanged"), "{again}");
        // Only one of the two houses is in a later list: it is the other one's no more.
        let less: String = as_an_office_keeps_it()
            .lines()
            .filter(|line| !line.starts_with("Gîte n° 9;"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(import(&house, less, 0).contains("1 changed"));
        assert_eq!(house.number("SELECT COUNT(*) FROM affiliations"), 0);
        assert_eq!(house.number("SELECT COUNT(*) FROM partners"), 57);
    }
}

#[test]
fn trial_f09_rejected_lines_are_written_to_a_file_for_correction() {
    let house = House::new();
    let csv = "Nom;Adresse mail;Étoiles\nA;a@gite.example;3\nB;hôtel@gite.example;3\nC;c@gite.example;douze\nD;;2\nTotal;4;\n";
    let said = import(&house, csv, 1);
    assert!(said.contains("nothing was imported") && said.contains("line 3") && said.contains("line 4"), "{said}");
    house.write("in.csv", csv);
    let said = house.semainier(&["partners", "import", "in.csv", "--skip-invalid"]).expect(0).said();
    assert!(said.contains("1 added") && said.contains("3 lines are in"), "{said}");
    let rest = std::fs::read_to_string(house.path("in-reste.csv")).unwrap();
    assert!(rest.starts_with("\u{feff}Nom;Adresse mail;Étoiles;Motif du refus\nB;hôtel@gite.example;3;"), "{rest}");
    assert!(rest.contains("C;c@gite.example;douze;") && rest.contains("D;;2;adresse mail absente"), "{rest}");
    house.write("in-reste.csv", rest.replace("hôtel@", "hotel@").replace("douze", "2"));
    let said = house.semainier(&["partners", "import", "in-reste.csv"]).expect(0).said();
    assert!(said.contains("2 added") && !said.contains("ignored"), "{said}");
}

#[test]
fn trial_f09_a_dry_run_writes_nothing_not_even_a_database() {
    let house = House::new();
    let there = || {
        let mut names: Vec<_> = std::fs::read_dir(house.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    };
    house.write("in.csv", "email;nom;Remarque\na@gite.example;x;y\n");
    let before = there();
    let said = house.semainier(&["partners", "import", "in.csv", "--dry-run"]).expect(0).said();
    assert!(
        said.contains("+ a@gite.example")
            && said.contains("1 would be added")
            && said.contains("ignored columns: Remarque"),
        "{said}"
    );
    assert_eq!(there(), before);
}

#[test]
fn trial_f09_a_segment_ignores_case_and_accents_and_an_empty_one_lists_known_values() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        import(
            &house,
            "email;categorie;ville;labels\na@b.example;Hôtels;L'Isle-Jourdain;Accueil Vélo\nc@b.example;Chambre d'hôtes;Auch;\n",
            0,
        );
        for segment in [
            "category = \"hôtel\"",
            "category = 'HOTEL' and label = 'accueil velo'",
            "commune = \"l’isle jourdain\"",
            "category != \"chambres d’hôte\"",
        ] {
            let found = house.semainier(&["partners", "list", "--where", segment, "--json"]).expect(0).json();
            assert_eq!(
                (found.as_array().unwrap().len(), found[0]["email"].as_str()),
                (1, Some("a@b.example")),
                "{segment}"
            );
        }
        let said = house.semainier(&["partners", "list", "--where", "category = \"camping\""]).expect(0).said();
        assert!(
            said.contains("no contact matches category = \"camping\"") && said.contains("\"hôtels\" (1)"),
            "{said}"
        );
    }
}

#[test]
fn trial_f02_opt_outs_are_listed_and_exported_as_such() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        house.import(&["a@gite.example", "b@gite.example"]);
        house.semainier(&["partners", "suppress", "a@gite.example", "--mailing", "agenda"]).expect(0);
        house.semainier(&["partners", "suppress", "b@gite.example"]).expect(0);
        let all = contacts(&house);
        assert!(!all[0]["subscriptions"].as_array().unwrap().contains(&"agenda".into()), "{all:?}");
        assert_eq!(all[1]["subscriptions"], serde_json::json!([]));
        assert_eq!(
            (all[0]["barred"][0]["scope"].as_str(), all[0]["barred"][0]["reason"].as_str()),
            (Some("agenda"), Some("manual"))
        );
        house.semainier(&["partners", "list"]).expect(0).expect_said(&["not agenda (manual, "]);
        let csv = house.semainier(&["partners", "export"]).expect(0).said();
        assert!(csv.contains("agenda (le ") && csv.contains(", par l’office)") && csv.contains("tout (le "), "{csv}");
        let subscribed = ["partners", "list", "--where", "subscribed = \"agenda\"", "--json"];
        assert_eq!(house.semainier(&subscribed).expect(0).json(), serde_json::json!([]));
    }
}

#[test]
fn trial_f13_an_unknown_address_is_reported_and_an_office_suppression_can_be_lifted() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        house.import(&["a@gite.example", "partie@gite.example"]);
        let said = house.semainier(&["partners", "suppress", "tipo@gite.example"]).expect(0).said();
        assert!(said.contains("tipo@gite.example is not a known contact"), "{said}");
        house.semainier(&["partners", "lift", "tipo@gite.example", "--why", "faute de frappe"]).expect(0);
        house
            .semainier(&["partners", "lift", "tipo@gite.example", "--why", "encore"])
            .expect(1)
            .expect_said(&["is not suppressed"]);
        house.semainier(&["partners", "suppress", "a@gite.example", "--mailing", "agenda"]).expect(0);
        house.semainier(&["partners", "lift", "a@gite.example"]).expect(2);
        house.semainier(&["partners", "lift", "a@gite.example", "--why", "elle a rappelé"]).expect(0);
        assert!(contacts(&house)[0]["subscriptions"].as_array().unwrap().contains(&"agenda".into()));
        let history = house.semainier(&["partners", "export", "--contact", "a@gite.example"]).expect(0).said();
        assert!(history.contains("lifted: elle a rappelé"), "{history}");
        // The person's own word stays, and an erasure is one.
        house.sql("INSERT INTO suppressions (address_hash, scope, reason, since) SELECT address_hash, 'agenda', 'opt_out', 1 FROM contacts WHERE email_key = 'partie@gite.example'");
        house
            .semainier(&["partners", "lift", "partie@gite.example", "--why", "x"])
            .expect(1)
            .expect_said(&["only the person"]);
        house.semainier(&["partners", "erase", "a@gite.example"]).expect(0);
        house
            .semainier(&["partners", "lift", "a@gite.example", "--why", "x"])
            .expect(1)
            .expect_said(&["only the person"]);
        // Also where the office had said so first.
        house.import(&["c@gite.example"]);
        house.semainier(&["partners", "suppress", "c@gite.example"]).expect(0);
        house.semainier(&["partners", "erase", "c@gite.example"]).expect(0);
        house
            .semainier(&["partners", "lift", "c@gite.example", "--why", "x"])
            .expect(1)
            .expect_said(&["only the person"]);
    }
}

#[test]
fn trial_f14_erasure_and_export_include_previous_addresses() {
    for on in crate::support::house::BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example", "autre@gite.example"]);
        house.run().expect(0);
        let moved = |from: &str, to: &str| house.semainier(&["partners", "move", from, to]).expect(0).said();
        moved("a@gite.example", "b@gite.example");
        moved("b@gite.example", "c@gite.example");
        // The first address is another person's now, and that person's mail is not this one's.
        house.semainier(&["partners", "add", "a@gite.example", "--why", "appel"]).expect(0);
        house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
        let dossier = house.semainier(&["partners", "export", "--contact", "c@gite.example"]).expect(0).json();
        let deliveries = dossier["deliveries"].as_array().unwrap();
        let to: Vec<_> = deliveries.iter().map(|it| it["address"].as_str().unwrap()).collect();
        assert_eq!(to, ["c@gite.example", "a@gite.example"], "{dossier}");
        house.semainier(&["partners", "erase", "c@gite.example"]).expect(0);
        let count =
            |address: &str| house.number(&format!("SELECT count(*) FROM deliveries WHERE recipient_key = '{address}'"));
        assert_eq!((count("a@gite.example"), count("c@gite.example"), count("autre@gite.example")), (1, 0, 2));
        assert_eq!(house.number("SELECT count(*) FROM deliveries WHERE address = 'erased@erased.invalid'"), 2);
    }
}

#[test]
fn trial_f14_a_partner_who_telephones_is_added_changed_and_moved() {
    for on in crate::support::house::BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        let add = [
            "partners",
            "add",
            "a@gite.example",
            "--establishment",
            "Gîte du Pré",
            "--commune",
            "Auch",
            "--name",
            "Marie",
            "--why",
            "appel",
        ];
        let without_a_reason = [&add[..add.len() - 1], &[" "]].concat();
        house.semainier(&without_a_reason).expect(1).expect_said(&["--why: expected the reason"]);
        house.semainier(&add).expect(0).expect_said(&["a@gite.example is added, subscribed to"]);
        house.semainier(&add).expect(1).expect_said(&["known already"]);
        house
            .semainier(&["partners", "edit", "a@gite.example", "--phone", "0562000000", "--category", "Gîte"])
            .expect(0)
            .expect_said(&["phone: \"\" becomes \"05 62 00 00 00\""]);
        house.semainier(&["partners", "edit", "x@gite.example", "--name", "x"]).expect(1);
        house
            .semainier(&["partners", "edit", "a@gite.example", "--stars", "douze"])
            .expect(1)
            .expect_said(&["--stars", "1 to 5 stars"]);
        house.semainier(&["partners", "suppress", "a@gite.example", "--mailing", "agenda"]).expect(0);
        house.semainier(&["partners", "move", "a@gite.example", "b@gite.example"]).expect(0);
        let all = contacts(&house);
        assert_eq!(
            (all.len(), all[0]["email"].as_str(), all[0]["phone"].as_str(), all[0]["establishment"].as_str()),
            (1, Some("b@gite.example"), Some("05 62 00 00 00"), Some("Gîte du Pré"))
        );
        assert_eq!(all[0]["barred"][0]["scope"], "agenda", "what was said goes with it");
        house.semainier(&["partners", "lift", "b@gite.example", "--why", "elle veut bien"]).expect(0);
        house.run().expect(0);
        house.judge_at_rest(&relay, 1);
        assert_eq!((relay.accepted("a@gite.example"), relay.accepted("b@gite.example")), (0, 1));
        // A list of persons is for nobody else, also over a file that was open to all.
        house.write("liste.csv", "");
        house.semainier(&["partners", "export", "--out", "liste.csv"]).expect(0);
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(house.path("liste.csv")).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        // The old address is nobody's, and free.
        house.semainier(&["partners", "add", "a@gite.example", "--why", "un autre"]).expect(0);
        house
            .semainier(&["partners", "move", "a@gite.example", "b@gite.example"])
            .expect(1)
            .expect_said(&["another contact"]);
    }
}

/// A mailing may go to the subscribers of another one: that is what its contacts are subscribed to.
#[test]
fn who_is_imported_for_a_named_mailing_is_among_its_recipients() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        let agenda = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
        house.write("jobs/extra.toml", agenda);
        house.write("in.csv", "email\na@gite.example\n");
        house.semainier(&["partners", "import", "in.csv", "--mailing", "extra"]).expect(0);
        house.semainier(&["partners", "add", "b@gite.example", "--mailing", "extra", "--why", "appel"]).expect(0);
        assert_eq!(house.number("SELECT count(*) FROM subscriptions WHERE mailing = 'agenda'"), 2, "{on:?}");
        assert_eq!(house.number("SELECT count(*) FROM subscriptions"), 2);
    }
}

#[test]
fn m20_what_was_changed_by_hand_survives_the_next_list_unless_it_is_given_up() {
    for on in crate::support::house::BOTH {
        let house = House::on(on);
        let csv = "email;nom;structure;ville;tel\na@gite.example;Marie;Gîte;Auch;05 62 00 00 01\n";
        import(&house, csv, 0);
        let edit = ["partners", "edit", "a@gite.example", "--phone", "0562000002"];
        house.semainier(&edit).expect(0);
        let dry = ["partners", "import", "in.csv", "--dry-run"];
        let kept = "phone: \"05 62 00 00 02\" stays, changed by ";
        house.semainier(&dry).expect(0).expect_said(&["= a@gite.example", kept, "the list has \"05 62 00 00 01\""]);
        // An import says so too, and changes nothing of it.
        let said = import(&house, csv, 0);
        assert!(
            said.contains(kept) && said.contains("1 unchanged") && said.contains("1 change by hand kept"),
            "{said}"
        );
        assert_eq!(contacts(&house)[0]["phone"], "05 62 00 00 02");
        house.semainier(&["partners", "move", "a@gite.example", "b@gite.example"]).expect(0);
        let said = import(&house, csv, 0);
        assert!(said.contains("address: \"b@gite.example\" stays"), "{said}");
        assert_eq!(contacts(&house).len(), 1);
        let audit = "SELECT count(*) FROM audit WHERE action = 'partners.import' AND detail LIKE '%\"protected\":2%'";
        assert_eq!(house.number(audit), 1, "the record has the numbers");
        // Given up for one import.
        let list = csv.replace("a@gite", "b@gite");
        house.write("in.csv", list);
        house
            .semainier(&["partners", "import", "in.csv", "--overwrite-edits"])
            .expect(0)
            .expect_said(&["1 changed, 0 unchanged"]);
        assert_eq!(contacts(&house)[0]["phone"], "05 62 00 00 01");
        house.semainier(&["partners", "edit", "b@gite.example", "--name", "Anne", "--phone", "0562000003"]).expect(0);
        let edits = "SELECT (SELECT count(*) FROM contact_edits) + (SELECT count(*) FROM partner_edits)";
        assert_eq!(house.number(edits), 2);
        house.semainier(&["partners", "erase", "b@gite.example"]).expect(0);
        assert_eq!(house.number(edits), 0, "an erasure leaves nothing of it");
    }
}

#[test]
fn suppressions_are_listed_added_and_removed_with_their_reason() {
    for on in BOTH {
        let house = House::on(on);
        house.import(&["a@gite.example", "b@gite.example"]);
        let list = |house: &House| house.semainier(&["suppressions", "list", "--json"]).expect(0).json();
        assert_eq!(list(&house), serde_json::json!([]));
        house.semainier(&["suppressions", "add", "a@gite.example"]).expect(2);
        house
            .semainier(&["suppressions", "add", "a@gite.example", "--mailing", "agenda", "--why", "a téléphoné"])
            .expect(0);
        house.semainier(&["suppressions", "add", "ancien@gite.example", "--why", "parti"]).expect(0);
        let mut found: Vec<_> = list(&house).as_array().unwrap().clone();
        found.sort_by_key(|it| it["why"].as_str().unwrap().to_owned());
        assert_eq!(found.len(), 2);
        for (it, address, scope, why) in
            [(&found[0], Some("a@gite.example"), "agenda", "a téléphoné"), (&found[1], None, "*", "parti")]
        {
            assert_eq!(
                (it["address"].as_str(), it["scope"].as_str(), it["reason"].as_str(), it["why"].as_str()),
                (address, Some(scope), Some("manual"), Some(why))
            );
        }
        house.semainier(&["suppressions", "list"]).expect(0).expect_said(&[
            "Gîte n° 0",
            "no contact; hash",
            "2 suppression(s)",
        ]);
        house.semainier(&["suppressions", "remove", "a@gite.example", "--why", "a rappelé"]).expect(0);
        assert_eq!(list(&house).as_array().unwrap().len(), 1);
        // What the person chose is theirs.
        house.sql("UPDATE suppressions SET reason = 'opt_out'");
        house
            .semainier(&["suppressions", "remove", "ancien@gite.example", "--why", "x"])
            .expect(1)
            .expect_said(&["person"]);
        assert_eq!(list(&house).as_array().unwrap().len(), 1);
    }
}

#[test]
fn contacts_without_a_sign_of_life_are_listed_and_what_was_sent_is_none() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["muet@gite.example", "revenu@gite.example", "parti@gite.example", "neuf@gite.example"]);
        house.run().expect(0);
        assert_eq!(relay.to_partners(), 4);
        let silent = || {
            let found = house.semainier(&["partners", "silent", "--json"]).expect(0).json();
            found.as_array().unwrap().iter().map(|it| it["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(silent(), [""; 0], "all were added today");
        let years =
            |n: i64| (semainier::clock::Clock::System.now() - chrono::TimeDelta::days(365 * n)).timestamp_millis();
        house.sql(&format!("UPDATE contacts SET since = {} WHERE address <> 'neuf@gite.example'", years(4)));
        house.sql(&format!(
            "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
             SELECT address_hash, 'agenda', {}, 'subscribed', '', 'opt_in' FROM contacts WHERE address = 'revenu@gite.example'",
            years(1)
        ));
        house.sql(&format!(
            "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
             SELECT address_hash, 'agenda', {}, 'ended', '', 'opt_out' FROM contacts WHERE address = 'parti@gite.example'",
            years(4)
        ));
        assert_eq!(silent(), ["muet@gite.example", "parti@gite.example"]);
        let said = house.semainier(&["partners", "silent", "--years", "5"]).expect(0);
        said.expect_said(&["0 contact(s) without a sign of life for 5 year(s)"]);
    }
}
