//! Venues are learnt: what a sent agenda says of a venue is used when a later article names the venue alone.

use crate::support::house::{AT, BOTH, House, MONDAY, NEXT_AT, NEXT_MONDAY, Relay, article_of_days};
use serde_json::Value;

fn with(monday: &str, first: &str) -> String {
    article_of_days(monday, |n| {
        let line = if n == 0 { first } else { "à 10h, visite guidée à Auch" };
        format!("<ul><li>{line}</li></ul>")
    })
}

/// Place of the first event of the second week, as the frozen content has it.
fn place_of(house: &House, issue: &str) -> Value {
    let data = house.text(&format!("SELECT data FROM issue_content WHERE issue = '{issue}'"));
    let agenda: Value = serde_json::from_str(&data).unwrap();
    agenda["days"][0]["items"][0]["events"][0]["place"].clone()
}

fn known(house: &House) -> Vec<(String, String, String, bool)> {
    let rows = house.semainier(&["venues", "list", "--json"]).expect(0).json();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |it: &Value| (text(it, "name"), text(it, "commune"), text(it, "origin"), it["used"] == true);
    rows.as_array().unwrap().iter().map(row).collect()
}

fn learnt(name: &str, commune: &str, origin: &str, used: bool) -> (String, String, String, bool) {
    (name.to_owned(), commune.to_owned(), origin.to_owned(), used)
}

#[test]
fn a_venue_of_one_week_has_its_town_in_the_next_on_both_databases() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(1);
        house.run_at(AT, &with(MONDAY, "à 21h, concert à la Fenière, à Pavie")).expect(0);
        assert_eq!(place_of(&house, "agenda/2027-W28"), "Pavie, la Fenière");
        assert_eq!(known(&house), [learnt("la Fenière", "Pavie", "article", true)], "{on:?}");
        house.run_at(NEXT_AT, &with(NEXT_MONDAY, "à 15h, bal à la Fenière")).expect(0);
        assert_eq!(place_of(&house, "agenda/2027-W29"), "Pavie, la Fenière");
        // What was completed is no statement of the article.
        assert_eq!(known(&house).len(), 1, "{on:?}");
    }
}

#[test]
fn two_towns_of_a_venue_are_none_until_a_person_says_which_one() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import_many(1);
    let both = "à 21h, concert à la Fenière, à Pavie</li><li>à 15h, loto à la Fenière, à Jegun";
    house.run_at(AT, &with(MONDAY, both)).expect(0);
    let [first, second] = known(&house).try_into().unwrap();
    assert_eq!(first, learnt("la Fenière", "Jegun", "article", false));
    assert_eq!(second, learnt("la Fenière", "Pavie", "article", false));
    house.write("next.html", with(NEXT_MONDAY, "à 15h, bal à la Fenière"));
    let place = || {
        let args = ["preview", "agenda", "--at", NEXT_AT, "--article", "next.html", "--out", "out"];
        house.semainier(&args).expect(0);
        let agenda: Value = serde_json::from_slice(&std::fs::read(house.path("out/agenda.json")).unwrap()).unwrap();
        agenda["days"][0]["items"][0]["events"][0]["place"].clone()
    };
    assert_eq!(place(), "la Fenière");
    house.semainier(&["venues", "set", "LA FENIERE", "Duran"]).expect(0).expect_said(&["Duran"]);
    assert_eq!(place(), "Duran, la Fenière");
    house.semainier(&["venues", "set", "la Fenière", "Pavie"]).expect(0);
    assert_eq!(place(), "Pavie, la Fenière");
    assert_eq!(known(&house).iter().filter(|it| it.2 == "person").count(), 1, "the last word counts");
    house.semainier(&["venues", "forget", "la Fenière"]).expect(0);
    assert_eq!((place(), known(&house)), ("la Fenière".into(), vec![]));
    house.semainier(&["venues", "forget", "la Fenière"]).expect(1).expect_said(&["venues list"]);
    let audit = "SELECT count(*) FROM audit WHERE actor = 'nadine' AND object = 'venue:feniere'";
    assert_eq!(house.number(audit), 3);
}

#[test]
fn the_article_and_the_configuration_come_before_what_was_learnt() {
    let relay = Relay::start();
    let house =
        House::new().relay(&relay).set("office.commune", "Auch").set("office.venues", serde_json::json!(["Mouzon"]));
    house.import_many(1);
    for name in ["la Fenière", "salle du Mouzon"] {
        house.semainier(&["venues", "set", name, "Pavie"]).expect(0);
    }
    let line = "à 15h, bal à la Fenière, à Duran</li><li>à 16h, loto à la salle du Mouzon";
    house.run_at(AT, &with(MONDAY, line)).expect(0);
    assert_eq!(place_of(&house, "agenda/2027-W28"), "Duran, la Fenière");
    let data = house.text("SELECT data FROM issue_content");
    assert!(data.contains("Auch, salle du Mouzon"), "{data}");
}

#[test]
fn names_that_other_towns_use_are_neither_learnt_nor_accepted() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import_many(1);
    house.run_at(AT, &with(MONDAY, "à 21h, concert à la salle des fêtes, à Pavie")).expect(0);
    assert_eq!(known(&house), []);
    house.semainier(&["venues", "set", "salle des fêtes", "Pavie"]).expect(1).expect_said(&["own name"]);
    house.semainier(&["venues", "set", "la Fenière", "Nulleville-sur-Rien"]).expect(1).expect_said(&["communes"]);
    assert_eq!(known(&house), []);
}

#[test]
fn extract_preview_and_rehearsal_teach_nothing() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import_many(1);
    house.write("article.html", with(MONDAY, "à 21h, concert à la Fenière, à Pavie"));
    house.semainier(&["extract", "article.html", "--published", "2027-07-09"]).expect(0);
    let args = ["preview", "agenda", "--at", AT, "--article", "article.html", "--out", "out"];
    house.semainier(&args).expect(0);
    assert_eq!(known(&house), []);
}
