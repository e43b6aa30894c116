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
    assert_eq!(keys, ["email", "name", "establishment", "commune", "subscriptions"]);
}
