//! Who is written to: imports as offices have them, opt-outs, and files that are refused as a whole.

use crate::support::house::{House, Relay};
use encoding_rs::WINDOWS_1252;

fn import(house: &House, csv: impl AsRef<[u8]>, code: i32) -> String {
    house.write("in.csv", csv);
    house.semainier(&["partners", "import", "in.csv"]).expect(code).said()
}

fn contacts(house: &House) -> Vec<serde_json::Value> {
    house.semainier(&["partners", "list", "--json"]).expect(0).json().as_array().unwrap().clone()
}

#[test]
fn i04_whoever_left_before_the_run_gets_nothing() {
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
fn whoever_leaves_while_the_relay_is_down_gets_nothing() {
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
fn i03_an_address_that_stands_twice_is_kept_once_and_said() {
    let house = House::new();
    let said = import(&house, "email;nom\na@gite.example;Un\n A@GITE.example ;Deux\na+b@gite.example;Trois\n", 0);
    assert!(said.contains("line 3: the address stands in line 2 already"), "{said}");
    assert_eq!(contacts(&house).len(), 2);
}

#[test]
fn i05_odd_names_reach_no_header_and_no_formula() {
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
fn i07_broken_files_are_refused_with_every_line_and_nothing_of_them_is_taken() {
    let house = House::new();
    for (csv, parts) in [
        (
            "email;nom\na@gite.example;x\nnobody;y\nb@gite.example\n",
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
    assert_eq!(keys, ["email", "name", "function", "establishment", "category", "commune", "labels", "subscriptions"]);
}

/// The list of 400 partners kept in `tests/partners/`, by both roads: written by the example, read by the import.
#[test]
fn a_sheet_of_400_partners_is_imported_asked_and_written_again() {
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
fn a_windows_1252_file_with_mistakes_is_told_line_by_line_and_nothing_of_it_is_taken() {
    let house = House::new();
    let csv = std::fs::read("tests/partners/windows-1252.csv").unwrap();
    house.write("in.csv", csv);
    for dry_run in [false, true] {
        let mut args = vec!["partners", "import", "in.csv"];
        args.extend(dry_run.then_some("--dry-run"));
        let said = house.semainier(&args).expect(1).said();
        for part in [
            "line 3: \"jean.noel(at)gite.example\" is no e-mail address",
            "line 4: 5 cells, the header has 8",
            "line 5: stars \"sept étoiles\": expected 1 to 5 stars",
            "line 6: insee \"Lavardens\": expected five digits",
            "line 7: the address stands in line 2 already; kept once",
            "line 8: \"\" is no e-mail address: no address",
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
fn a_person_is_shown_whole_and_erased_and_the_sums_stay_true() {
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
