//! The editorial, and composing an issue again, in the console: nobody's text is lost or replaced unseen, and what was approved is
//! asked for again.

use super::deciding::{decide, everything, post};
use super::{Desk, EVIL, Reply};
use crate::newsletter::room;
use crate::support::{
    house::{BOTH, House, ISSUE, MONDAY, On, Relay, article_of_days},
    process::until,
    web::{Reply as Answer, Web},
};
use std::time::Duration;

/// Three days before the newsletter leaves.
const SATURDAY: &str = "2027-07-03T10:00:00Z";
const LETTER: &str = "newsletter/2027-07";
const WORD: &str = "Chers partenaires,\n\nl’été **commence** : merci.";

/// An office with a newsletter that needs an approval, and news for it.
fn office(on: On) -> (Desk, Web) {
    office_of(on, str::to_owned)
}

/// With another job file.
fn office_of(on: On, job: impl Fn(&str) -> String) -> (Desk, Web) {
    let (web, relay) = (Web::start(), Relay::start());
    room::feed(&web, &[("nocturnes", "Les visites nocturnes reprennent", "2027-06-30T08:00:00Z")]);
    let house = House::on(on).site(&web).relay(&relay);
    house.write("jobs/newsletter.toml", job(&room::job(&room::source(&web))));
    house.import_many(3);
    (Desk::open(house, relay, Some(everything()), SATURDAY), web)
}

fn form(key: &str) -> String {
    format!("/envois/{key}/edito")
}

/// A field of the form.
fn field(page: &Reply, selector: &str) -> String {
    let html = scraper::Html::parse_document(&page.text());
    let it = html.select(&scraper::Selector::parse(selector).unwrap()).next().unwrap();
    it.value().attr("value").map_or_else(|| it.text().collect(), str::to_owned)
}

fn version(desk: &Desk) -> String {
    field(&desk.get(&form(LETTER)), "input[name='vu_alors']")
}

/// As a browser sends it.
fn save(desk: &Desk, version: &str, text: &str) -> Reply {
    post(desk, &form(LETTER), &[("vu_alors", version), ("texte", &text.replace('\n', "\r\n"))])
}

fn recompose(desk: &Desk, key: &str) -> Reply {
    decide(desk, &format!("/envois/{key}/recomposer"), &[])
}

fn issue(desk: &Desk, key: &str, column: &str) -> String {
    desk.house.text(&format!("SELECT {column} FROM issues WHERE key = '{key}'"))
}

fn letter(desk: &Desk) -> String {
    desk.house.text(&format!("SELECT text FROM issue_content WHERE issue = '{LETTER}'"))
}

#[test]
fn an_editorial_is_written_before_and_after_the_letter_is_composed() {
    for on in BOTH {
        let (desk, _web) = office(on);
        desk.get("/a-venir").expect(200, &["Écrire l’édito", "Relire et recomposer"]);
        let empty = desk.get(&form(LETTER)).expect(200, &["Texte de l’édito"]);
        assert_eq!(field(&empty, "textarea"), "");
        let done = save(&desk, &version(&desk), WORD);
        assert_eq!((done.status, done.header("location")), (303, "/a-venir?fait=edit"));
        desk.get("/a-venir?fait=edit").expect(200, &["L’édito est enregistré."]);
        assert_eq!(desk.house.text("SELECT text FROM editorials"), WORD, "{on:?}: with the line ends of the ledger");

        let done = recompose(&desk, LETTER);
        assert_eq!((done.status, done.header("location")), (303, &*format!("/envois/{LETTER}?fait=recompose")));
        assert!(letter(&desk).contains("l’été commence"), "{}", letter(&desk));
        let page = desk.get(&format!("/envois/{LETTER}?fait=recompose"));
        page.expect(200, &["Relu et recomposé", "Écrire l’édito", "À approuver"]);
        let page = desk.get(&form(LETTER)).expect(200, &["Écrit par Claire", "une nouvelle version, à approuver"]);
        assert_eq!(field(&page, "textarea"), WORD);

        // An approval is for the version that was seen.
        assert_eq!(decide(&desk, &format!("/envois/{LETTER}/approuver"), &[("vu", "oui")]).status, 303);
        desk.get(&form(LETTER)).expect(200, &["Claire a approuvé la version actuelle"]);
        let before = issue(&desk, LETTER, "content_hash");
        let done = save(&desk, &version(&desk), "Autre chose.");
        assert_eq!((done.status, done.header("location")), (303, &*format!("/envois/{LETTER}?fait=edit")));
        assert_ne!(issue(&desk, LETTER, "content_hash"), before);
        assert_eq!(issue(&desk, LETTER, "state"), "awaiting_approval");
        assert!(letter(&desk).contains("Autre chose."));
        // Saved once more it is the same.
        let before = issue(&desk, LETTER, "content_hash");
        assert_eq!(save(&desk, &version(&desk), "Autre chose.").status, 303);
        assert_eq!(issue(&desk, LETTER, "content_hash"), before);
        let audit = "SELECT count(*) FROM audit WHERE action = 'issue.edit'";
        assert_eq!(desk.house.number(audit), 2, "{on:?}: one entry for each text");
    }
}

#[test]
fn two_persons_write_one_editorial_and_neither_text_is_lost() {
    for on in BOTH {
        let (desk, _web) = office(on);
        let seen = version(&desk);
        assert_eq!(save(&desk, &seen, "Le mot de Marc.").status, 303);
        let late = save(&desk, &seen, "Le mot de Zoé.");
        let late = late.expect(409, &["Une autre personne a enregistré un édito", "Le mot de Marc.", "Claire"]);
        assert_eq!(field(&late, "textarea"), "Le mot de Zoé.", "what was typed");
        assert_eq!(desk.house.text("SELECT text FROM editorials"), "Le mot de Marc.");
        // Having seen it she may replace it.
        assert_eq!(save(&desk, &field(&late, "input[name='vu_alors']"), "Les deux mots.").status, 303);
        assert_eq!(desk.house.text("SELECT text FROM editorials"), "Les deux mots.");
        // Text of any kind is text.
        assert_eq!(save(&desk, &version(&desk), EVIL).status, 303);
        let page = desk.get(&form(LETTER));
        assert_eq!(field(&page, "textarea"), EVIL);
        assert!(!page.text().contains("<script>alert"));
        let long = "é".repeat(20_001);
        let page = save(&desk, &version(&desk), &long).expect(422, &["trop long"]);
        assert_eq!(field(&page, "textarea"), long);
        assert_eq!(desk.house.text("SELECT text FROM editorials"), EVIL);
    }
}

#[test]
fn only_a_letter_that_has_not_left_has_an_editorial() {
    let (desk, _web) = office(On::Sqlite);
    for path in [form(ISSUE), form("newsletter/2019-01"), form("rien/2027-07"), "/envois/newsletter//edito".to_owned()]
    {
        assert_eq!(desk.get(&path).status, 404, "{path}");
    }
    let seen = version(&desk);
    assert_eq!(recompose(&desk, LETTER).status, 303);
    desk.house.sql(&format!("UPDATE issues SET state = 'sending', frozen_at = created_at WHERE key = '{LETTER}'"));
    desk.get(&form(LETTER)).expect(409, &["Ce n’est pas possible en ce moment"]);
    let late = save(&desk, &seen, "Trop tard, mais pas perdu.").expect(409, &["Trop tard, mais pas perdu."]);
    assert!(!late.text().contains("textarea"));
    assert!(!letter(&desk).contains("Trop tard"));
}

#[test]
fn what_is_composed_again_replaces_only_what_the_person_saw_and_a_gate_keeps_it() {
    for on in BOTH {
        let (desk, web) = office(on);
        let sheet = format!("/envois/{LETTER}/recomposer");
        assert_eq!(recompose(&desk, LETTER).status, 303);
        let page = desk.get(&sheet).expect(200, &["Les sources sont lues de nouveau", "Rien n’est envoyé"]);
        let seen = field(&page, "input[name='vu_alors']");
        assert_eq!(save(&desk, &version(&desk), WORD).status, 303);
        let hash = issue(&desk, LETTER, "content_hash");
        post(&desk, &sheet, &[("vu_alors", &seen)]).expect(409, &["Version"]);
        assert_eq!(issue(&desk, LETTER, "content_hash"), hash);
        // A site that does not answer changes nothing, and is said.
        web.route("/feed/", Answer::status(500));
        recompose(&desk, LETTER).expect(409, &["Rien n’a été décidé", "500"]);
        assert_eq!(issue(&desk, LETTER, "content_hash"), hash, "{on:?}");
        room::feed(&web, &[("marches", "Les marchés de nuit", "2027-07-01T08:00:00Z")]);
        assert_eq!(recompose(&desk, LETTER).status, 303);
        assert!(letter(&desk).contains("Les marchés de nuit") && letter(&desk).contains("l’été commence"));
    }
}

#[test]
fn an_agenda_that_needs_an_approval_is_read_again_on_demand() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(3);
        let shipped = include_str!("../../jobs/agenda.toml");
        let (head, tail) = shipped.split_once("[[source]]").unwrap();
        let (_, tail) = tail.split_once("[gates]").unwrap();
        let head: String = head
            .lines()
            .filter(|line| {
                !line.starts_with("attach") && !line.starts_with("rehearse") && !line.starts_with("approval")
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let site = house.path("site.html");
        let head = head.replacen("\n[", "\napproval = \"required\"\n[", 1);
        house.write("jobs/agenda.toml", format!("{head}[[source]]\nkind = \"file\"\npath = {site:?}\n[gates]{tail}"));
        let article =
            |what: &str| article_of_days(MONDAY, |n| format!("<ul><li>à 1{n}h, {what} n° {n} à Auch</li></ul>"));
        house.write("site.html", article("visite guidée"));
        let desk = Desk::open(house, relay, Some(everything()), "2027-07-09T16:00:00Z");
        desk.get(&format!("/envois/{ISSUE}/repeter")).expect(409, &[]);
        assert_eq!(recompose(&desk, ISSUE).status, 303, "{on:?}");
        assert_eq!(issue(&desk, ISSUE, "state"), "awaiting_approval");
        let hash = issue(&desk, ISSUE, "content_hash");
        desk.house.write("site.html", article("concert"));
        assert_eq!(recompose(&desk, ISSUE).status, 303);
        assert_ne!(issue(&desk, ISSUE, "content_hash"), hash);
        // Another week's article closes a gate: what was presented stays.
        let hash = issue(&desk, ISSUE, "content_hash");
        desk.house.write("site.html", article_of_days("2027-08-02", |_| "<p>à 10h, bal à Pavie</p>".to_owned()));
        recompose(&desk, ISSUE).expect(409, &["Rien n’a été décidé"]);
        assert_eq!(
            (issue(&desk, ISSUE, "content_hash"), issue(&desk, ISSUE, "state")),
            (hash, "awaiting_approval".to_owned())
        );
    }
}

#[test]
fn the_editorial_of_a_letter_that_leaves_by_itself_waits_for_no_approval() {
    for on in BOTH {
        let (desk, _web) = office_of(on, |job| {
            let lines =
                job.lines().filter(|line| !line.starts_with("approval ") && !line.starts_with("compose_before"));
            lines.collect::<Vec<_>>().join("\n")
        });
        assert_eq!(decide(&desk, &format!("/envois/{LETTER}/repeter"), &[]).status, 303);
        assert_eq!(issue(&desk, LETTER, "state"), "rehearsed");
        desk.get(&form(LETTER)).expect(200, &["qui partira à son heure"]);
        assert_eq!(save(&desk, &version(&desk), WORD).status, 303);
        assert_eq!(issue(&desk, LETTER, "state"), "rehearsed", "{on:?}");
        assert!(letter(&desk).contains("l’été commence"));
        // Exactly the version that somebody approved leaves: the approval is withdrawn first.
        let seen = version(&desk);
        assert_eq!(decide(&desk, &format!("/envois/{LETTER}/approuver"), &[("vu", "oui")]).status, 303);
        desk.get(&form(LETTER)).expect(409, &["déjà approuvée par Claire"]);
        save(&desk, &seen, "Un dernier mot.").expect(409, &["déjà approuvée par Claire", "Un dernier mot."]);
        assert!(!letter(&desk).contains("dernier mot"));
        assert_eq!(decide(&desk, &format!("/envois/{LETTER}/retirer-accord"), &[]).status, 303);
        assert_eq!(save(&desk, &version(&desk), "Un dernier mot.").status, 303);
        assert_eq!(issue(&desk, LETTER, "state"), "rehearsed", "{on:?}");
        assert!(letter(&desk).contains("dernier mot"));
    }
}

#[test]
fn a_letter_of_nothing_but_its_editorial_keeps_it() {
    for on in BOTH {
        let (desk, web) = office(on);
        room::feed(&web, &[]);
        let held = recompose(&desk, LETTER);
        assert_eq!(held.header("location"), format!("/envois/{LETTER}?fait=held"));
        desk.get(held.header("location")).expect(200, &["ce numéro est retenu", "rien de nouveau"]);
        assert_eq!(save(&desk, &version(&desk), WORD).status, 303);
        assert_eq!(recompose(&desk, LETTER).status, 303);
        let refused = save(&desk, &version(&desk), " ").expect(409, &["ne pourrait pas partir", "rien de nouveau"]);
        assert_eq!(field(&refused, "textarea"), " ");
        assert_eq!(desk.house.text("SELECT text FROM editorials"), WORD, "{on:?}: nothing is saved");
        assert!(letter(&desk).contains("l’été commence"));
    }
}

#[test]
fn the_form_begins_with_the_file_of_the_office() {
    let (desk, _web) = office_of(On::Sqlite, |job| {
        job.replace("# file = \"editorial/{period}.md\"", "file = \"editorial/{period}.md\"")
    });
    desk.house.write("editorial/2027-07.md", "Le mot du *fichier*.");
    assert_eq!(field(&desk.get(&form(LETTER)), "textarea"), "Le mot du *fichier*.");
    assert_eq!(save(&desk, &version(&desk), WORD).status, 303);
    assert_eq!(field(&desk.get(&form(LETTER)), "textarea"), WORD);
}

#[test]
fn sources_that_take_their_time_are_read_to_the_end() {
    let (desk, web) = office(On::Sqlite);
    assert_eq!(recompose(&desk, LETTER).status, 303);
    let again = recompose(&desk, LETTER);
    assert_eq!(again.header("location"), format!("/envois/{LETTER}?fait=unchanged"));
    desk.get(again.header("location")).expect(200, &["Relu : rien n’a changé."]);
    room::feed(&web, &[("marches", "Les marchés de nuit", "2027-07-01T08:00:00Z")]);
    web.route("/marches.png", Answer::new(200, "image/png", room::picture()).after(Duration::from_secs(8)));
    let slow = recompose(&desk, LETTER);
    assert_eq!(slow.header("location"), format!("/envois/{LETTER}?fait=running"));
    assert!(!letter(&desk).contains("Les marchés de nuit"));
    desk.get(slow.header("location")).expect(200, &["La lecture est en cours"]);
    until("it is composed", || letter(&desk).contains("Les marchés de nuit"));
}

#[test]
fn a_letter_whose_required_source_fails_leaves_without_it_by_a_name_and_is_held_again_when_that_is_taken_back() {
    for on in BOTH {
        let (desk, web) = office_of(on, |job| {
            let (head, rest) = job.split_once("\n# The parts,").unwrap();
            let host = head.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
            let broken = format!("[[source]]\nkind = \"feed\"\nurl = \"http://{host}/presse/\"\nrequired = true");
            format!("{head}\n\n{broken}\n\n# The parts,{rest}")
        });
        web.route("/presse/", Answer::status(503));
        recompose(&desk, LETTER);
        assert_eq!(issue(&desk, LETTER, "state"), "held", "{on:?}");
        let page = || desk.get(&format!("/envois/{LETTER}"));
        page().expect(200, &["a répondu 503", "Partir sans cette source : 127.0.0.1 (2)"]);
        let path = format!("/envois/{LETTER}/exception");
        decide(&desk, &path, &[("pourquoi", " ")]).expect(422, &["Écrivez le motif."]);
        let done = decide(&desk, &path, &[("pourquoi", "en panne jusqu’à lundi")]);
        assert_eq!(done.status, 303, "{}", done.words());
        recompose(&desk, LETTER);
        assert_eq!(issue(&desk, LETTER, "state"), "awaiting_approval", "{on:?}");
        let by_name = "sans la source 127.0.0.1 (2), accepté par Claire (en panne jusqu’à lundi)";
        page().expect(200, &[by_name]);
        desk.get(&format!("/envois/{LETTER}/approuver")).expect(200, &[by_name]);
        assert!(letter(&desk).contains("nocturnes"), "{}", letter(&desk));

        // Even what is approved does not leave without that name.
        decide(&desk, &format!("/envois/{LETTER}/approuver"), &[("vu", "oui")]).expect(303, &[]);
        assert_eq!(issue(&desk, LETTER, "state"), "approved");
        let id = desk.house.text("SELECT id FROM exceptions WHERE withdrawn_at IS NULL");
        post(&desk, &format!("/envois/{LETTER}/exceptions/{id}/retirer"), &[]).expect(303, &[]);
        assert_eq!(issue(&desk, LETTER, "state"), "held", "{on:?}");
        assert_eq!(desk.house.number("SELECT count(*) FROM approvals WHERE withdrawn_at IS NULL"), 0);
        recompose(&desk, LETTER);
        page().expect(200, &["a répondu 503"]);
    }
}
