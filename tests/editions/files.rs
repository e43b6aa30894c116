//! The file of an edition: all that is wrong in it at once, and what a second `add` changes.

use super::{add, edition, office};
use crate::support::house::{House, On, Relay};

#[test]
fn all_problems_of_a_file_are_reported_at_once_and_nothing_is_stored() {
    let house = House::new();
    house.write("cover.gif", "GIF89a");
    house.write("plan.pdf", "no PDF");
    house.write(
        "Carte 2027.toml",
        "titel = 'x'\nsummary = ' '\nkind = 'flyer'\nlanguages = ['fr', 'xx']\ncover = 'cover.gif'\nonline = 'ftp://x'\n\
         pdf = 'plan.pdf'\nprinted = 20\npack = 0\nvalid_until = 'soon'\npages = 0\nreminder_after_days = 400\nwords = 3\n",
    );
    let done = house.semainier(&["editions", "add", "Carte 2027.toml"]).expect(1);
    for part in [
        "Carte 2027.toml: slug: expected small letters, digits and -",
        "Carte 2027.toml: title: missing; write for example title = ",
        "Carte 2027.toml:1: titel: unknown key; did you mean title?",
        "Carte 2027.toml:2: summary: expected some words",
        "Carte 2027.toml:3: kind: expected \"map\" or \"guide\"",
        "Carte 2027.toml:4: languages: expected fr, en",
        "found \"xx\"",
        "Carte 2027.toml:5: cover: cover.gif: not a JPEG, PNG or WebP file",
        "Carte 2027.toml:6: online: expected an address such as",
        "Carte 2027.toml:7: pdf: plan.pdf: expected a PDF",
        "Carte 2027.toml:7: pdf: given beside online",
        "Carte 2027.toml:9: pack: expected 1 to",
        "Carte 2027.toml:10: valid_until: expected a day such as",
        "Carte 2027.toml:11: pages: expected 1 to 2000, found 0",
        "Carte 2027.toml:12: reminder_after_days: expected 1 to 365, found 400",
        "Carte 2027.toml:13: words: expected text in quotes, found integer",
    ] {
        assert!(done.stderr.contains(part), "{part:?} is not in\n{}", done.stderr);
    }
    house.semainier(&["editions"]).expect(0).expect_said(&["no edition yet"]);

    house.write("edition.toml", "printed = 20\npack = 50\n");
    let done = house.semainier(&["editions", "add", "edition.toml"]).expect(1);
    for part in [
        "the file's name says nothing",
        "online: missing",
        "cover: missing",
        "expected at most what is printed, 20; found 50",
    ] {
        assert!(done.stderr.contains(part), "{part:?} is not in\n{}", done.stderr);
    }
}

#[test]
fn l4_a_title_invalid_in_a_header_is_refused_with_its_line() {
    let house = House::new();
    edition(&house, 1000, "post = \"a\\u0007b\"\n");
    let text = std::fs::read_to_string(house.path("carte-2027.toml")).unwrap();
    for (written, said) in [
        ("Carte\\r\\nBcc: x@y.example", "carte-2027.toml:1: title: expected text on one line"),
        ("Carte\\u0000", "carte-2027.toml:1: title: found the character U+0000"),
        ("Carte \\u202Eetrac", "carte-2027.toml:1: title: found the character U+202E"),
    ] {
        house.write("carte-2027.toml", text.replace("Carte touristique 2027", written));
        let done = house.semainier(&["editions", "add", "carte-2027.toml"]).expect(1);
        assert!(done.stderr.contains(said), "{said} is not in\n{}", done.stderr);
        assert!(done.stderr.contains("post: found the character U+0007"), "{}", done.stderr);
    }
}

#[test]
fn an_edition_is_added_listed_with_its_stock_and_updated() {
    let relay = Relay::start();
    let house = office(On::Sqlite, &relay);
    add(&house, 1040, "").expect(0).expect_said(&["carte-2027 is added"]);
    add(&house, 1040, "").expect(0).expect_said(&["nothing changed"]);
    add(&house, 2000, "valid_until = '2028-03-31'")
        .expect(0)
        .expect_said(&["valid_until: null -> \"2028-03-31\"", "printed: {\"copies\":1040,\"pack\":50} -> "]);
    house.write("cover.png", include_bytes!("../print/logo.png"));
    house.semainier(&["editions", "add", "carte-2027.toml"]).expect(0).expect_said(&["cover: another file"]);
    let listed = house.semainier(&["editions", "--json"]).expect(0).json();
    assert_eq!((listed[0]["packs"].as_u64(), listed[0]["left"].as_u64()), (Some(40), Some(40)), "{listed}");
    assert_eq!(listed[0]["announced_for"], serde_json::Value::Null);
    house.semainier(&["editions"]).expect(0).expect_said(&["Carte touristique 2027", "2028-03-31"]);

    // A PDF is read at our own address, which somebody must serve.
    edition(&house, 100, "");
    let text = std::fs::read_to_string(house.path("carte-2027.toml")).unwrap();
    house.write("plan.pdf", "%PDF-1.7 …");
    house.write("plan.toml", text.replace("online = \"https://ot.test/carte-2027\"", "pdf = \"plan.pdf\""));
    let house = house.set("web.bind", "127.0.0.1:0");
    house.semainier(&["editions", "add", "plan.toml"]).expect(0);
    house.semainier(&["announce", "plan", "--dry-run"]).expect(0);
    let text = std::fs::read_to_string(house.path("announce-plan/body.txt")).unwrap();
    assert!(text.contains("https://partenaires.ot.test/editions/plan.pdf"), "{text}");
}

#[test]
fn the_shipped_example_is_a_valid_edition() {
    let house = House::new();
    house.write("carte-2027.toml", include_str!("../../deploy/carte-2027.toml"));
    house.write("couverture.jpg", include_bytes!("../print/logo.jpg"));
    house.semainier(&["editions", "add", "carte-2027.toml"]).expect(0).expect_said(&["carte-2027 is added"]);
}
