//! An erratum: those whom an issue has reached, and nobody else, are told what was wrong, once.

use super::deciding::{decide, everything, post};
use super::{Desk, EVIL, Reply};
use crate::support::house::{BOTH, House, On, Relay, article};

const LEFT: &str = "agenda/2027-W27";
const WORDS: &str = "Le concert commence à **21 h**, et non à 20 h.";

/// An office whose agenda has reached three partners of five, one of them perhaps; another one has unsubscribed since.
fn office(on: On) -> Desk {
    let relay = Relay::start();
    let house = House::on(on).relay(&relay);
    house.import_many(5);
    house.run_at("2027-07-03T08:00", &article("2027-07-05")).expect(0);
    let (of, nth) = (
        format!("issue = '{LEFT}' AND recipient_key"),
        "(SELECT email_key FROM contacts ORDER BY email_key LIMIT 1 OFFSET",
    );
    house.sql(&format!("UPDATE deliveries SET state = 'failed' WHERE {of} = {nth} 0)"));
    house.sql(&format!("UPDATE deliveries SET state = 'unknown' WHERE {of} = {nth} 1)"));
    house.sql(&format!("UPDATE deliveries SET state = 'cancelled' WHERE {of} = {nth} 2)"));
    house.sql(&format!(
        "INSERT INTO suppressions (address_hash, scope, reason, since)
            SELECT address_hash, 'agenda', 'opt_out', 0 FROM contacts WHERE email_key = {nth} 3)"
    ));
    Desk::open(house, relay, Some(everything()), "2027-07-03T10:00:00Z")
}

fn path(key: &str) -> String {
    format!("/envois/{key}/rectificatif")
}

fn seen(page: &Reply) -> String {
    let html = scraper::Html::parse_document(&page.text());
    let field = scraper::Selector::parse("input[name='vu_alors']").unwrap();
    html.select(&field).next().unwrap().value().attr("value").unwrap().to_owned()
}

fn send(desk: &Desk, seen: &str, words: &str) -> Reply {
    post(desk, &path(LEFT), &[("texte", words), ("vu_alors", seen), ("etape", "envoyer")])
}

#[test]
fn an_erratum_goes_once_to_those_whom_the_issue_has_reached() {
    for on in BOTH {
        let desk = office(on);
        desk.get(&format!("/envois/{LEFT}")).expect(200, &["Envoyer un rectificatif"]);
        desk.get(&path(LEFT)).expect(200, &["Un court message dit ce qui change", "2 destinataires"]);
        post(&desk, &path(LEFT), &[("texte", " \r\n ")]).expect(422, &["Écrivez ce qui change."]);
        post(&desk, &path(LEFT), &[("texte", &"é".repeat(5_001))]).expect(422, &["trop long"]);
        let page = post(&desk, &path(LEFT), &[("texte", WORDS)]);
        page.expect(
            200,
            &["Rectificatif : ", "Le concert commence à 21 h", "Envoyer le rectificatif à 2 destinataires"],
        );
        let page = post(&desk, &path(LEFT), &[("texte", WORDS)]);
        assert!(!page.text().contains("SEMAINIER-"), "as a recipient reads it: {}", page.text());
        assert_eq!(desk.house.number("SELECT count(*) FROM issues"), 1, "nothing is sent by looking");
        let again = post(&desk, &path(LEFT), &[("texte", WORDS), ("etape", "modifier")]);
        assert!(again.text().contains("<textarea") && again.text().contains("21 h"));

        // Something else than was seen is not sent.
        send(&desk, &seen(&page), "Autre chose.").expect(409, &["Rien n’a été envoyé", "Autre chose."]);
        desk.house.sql(&format!("UPDATE deliveries SET state = 'failed' WHERE issue = '{LEFT}' AND state = 'unknown'"));
        let moved = send(&desk, &seen(&page), WORDS).expect(409, &["Envoyer le rectificatif à 1 destinataire"]);
        assert_eq!(desk.house.number("SELECT count(*) FROM issues"), 1);

        let key = format!("{LEFT}-rectificatif");
        for _ in 0..2 {
            let done = send(&desk, &seen(&moved), WORDS);
            assert_eq!(
                (done.status, done.header("location")),
                (303, &*format!("/envois/{key}?fait=erratum")),
                "{on:?}"
            );
        }
        let page = desk.get(&format!("/envois/{key}?fait=erratum"));
        page.expect(200, &["Le rectificatif part.", "Rectificatif : "]);
        let states = format!("SELECT count(*) FROM deliveries WHERE issue = '{key}' AND state = ");
        assert_eq!(desk.house.number(&format!("{states} 'queued'")), 1, "{on:?}");
        assert_eq!(desk.house.number(&format!("{states} 'suppressed'")), 1, "{on:?}: the sum says why");
        assert_eq!(desk.house.number("SELECT count(*) FROM audit WHERE action = 'issue.erratum'"), 1);
        desk.get("/trace").expect(200, &["a écrit le rectificatif"]);
        let text = desk.house.text(&format!("SELECT text FROM issue_content WHERE issue = '{key}'"));
        assert!(text.contains("Voici ce qui change") && text.contains("21 h"), "{text}");

        // A second one, also from the page of the first.
        let page = post(&desk, &path(&key), &[("texte", EVIL)]);
        assert!(!page.text().contains("<script>alert"), "{}", page.text());
        let done = post(&desk, &path(&key), &[("texte", EVIL), ("vu_alors", &seen(&page)), ("etape", "envoyer")]);
        assert_eq!(done.header("location"), format!("/envois/{key}-2?fait=erratum"));
        let html = desk.house.text(&format!("SELECT html FROM issue_content WHERE issue = '{key}-2'"));
        assert!(!html.contains("<script>alert"));
        assert_eq!(desk.house.number("SELECT count(*) FROM issues WHERE mailing = 'agenda'"), 3);
    }
}

#[test]
fn what_has_reached_nobody_has_no_erratum() {
    let desk = office(On::Sqlite);
    for path in [path("agenda/2027-W40"), path("rien/2027-W27"), "/envois/agenda//rectificatif".to_owned()] {
        assert_eq!(desk.get(&path).status, 404, "{path}");
    }
    desk.house.sql(&format!("UPDATE deliveries SET state = 'failed' WHERE issue = '{LEFT}'"));
    desk.get(&path(LEFT)).expect(409, &["n’a atteint personne"]);
    post(&desk, &path(LEFT), &[("texte", WORDS)]).expect(409, &["n’a atteint personne"]);
}

#[test]
fn the_command_shows_the_mail_and_asks() {
    let desk = office(On::Sqlite);
    desk.house.write("mot.md", WORDS);
    let args = ["issues", "erratum", LEFT, "--file", "mot.md", "--by", "Claire"];
    assert!(!desk.house.semainier(&args).said().contains("SEMAINIER-"));
    desk.house.semainier(&args).expect(1).expect_said(&[
        "Voici ce qui change",
        "the 2 contacts",
        "nothing was sent. Add --yes",
    ]);
    let sure: Vec<_> = args.into_iter().chain(["--yes"]).collect();
    desk.house.semainier(&sure).expect(0).expect_said(&["agenda/2027-W27-rectificatif is sent to"]);
    desk.house.semainier(&sure).expect(0).expect_said(&["exactly this was sent before"]);
    desk.house.semainier(&["issues", "show", "agenda/2027-W27-rectificatif"]).expect(0);
}

/// In a mailing that requires two persons nothing leaves by the word of the author, whatever is approved first.
#[test]
fn an_erratum_waits_for_the_second_person_where_the_mailing_requires_one() {
    for on in BOTH {
        let desk = office(on);
        let job = std::fs::read_to_string(desk.house.path("jobs/agenda.toml")).unwrap();
        let strict = job.replace("approval   = \"automatic\"", "approval   = \"required\"\nsecond_person = true");
        assert_ne!(job, strict);
        desk.house.write("jobs/agenda.toml", strict);
        let desk = desk.again(everything(), "2027-07-03T10:00:00Z");
        let key = format!("{LEFT}-rectificatif");
        let hash = || desk.house.text(&format!("SELECT content_hash FROM issues WHERE key = '{key}'"));
        let state = || desk.house.text(&format!("SELECT state FROM issues WHERE key = '{key}'"));

        let write = |words: &str| {
            let page = post(&desk, &path(LEFT), &[("texte", words)]);
            let page =
                page.expect(200, &["si une autre personne l’approuve", "Demander l’approbation, pour 2 destinataires"]);
            let done = send(&desk, &seen(&page), words);
            assert_eq!(done.header("location"), format!("/envois/{key}?fait=erratum_asked"), "{on:?}");
        };
        write("Le concert commence à 20 h 30.");
        let first = hash();
        // Other words replace what has not left; the same words change nothing.
        write(WORDS);
        write(WORDS);
        assert_ne!(first, hash());
        assert_eq!((desk.house.number("SELECT count(*) FROM issues"), state().as_str()), (2, "awaiting_approval"));
        let page = desk.get(&format!("/envois/{key}?fait=erratum_asked"));
        page.expect(200, &["Le rectificatif attend qu’une autre personne l’approuve."]);

        // It has no sources, no editorial and no hour.
        let sheet = format!("/envois/{key}/approuver");
        desk.get(&sheet)
            .expect(200, &["Départ Dès qu’il est approuvé", "Destinataires, d’après la liste d’aujourd’hui 2"]);
        desk.get(&format!("/envois/{key}/recomposer")).expect(409, &["Ce n’est pas possible en ce moment"]);
        desk.house
            .semainier(&["issues", "recompose", &key])
            .expect(1)
            .expect_said(&["is an erratum", "issues erratum"]);

        // Claire has written it: her approval is not enough.
        decide(&desk, &sheet, &[("vu", "oui")]).expect(303, &[]);
        assert_eq!(state(), "awaiting_approval", "{on:?}");
        let marc = ["issues", "approve", &key, "--by", "Marc"];
        desk.house.semainier(&marc).expect(0);
        assert_eq!(state(), "approved", "{on:?}");

        // The daemon lives now, and the office above in another year.
        desk.house.sql(&format!("UPDATE issues SET scheduled_for = 1 WHERE key = '{key}'"));
        let before = desk._relay.to_partners();
        let relay = &desk._relay;
        desk.house.serve_until("it is sent", || state() == "done");
        assert_eq!(
            relay.to_partners() - before,
            2,
            "{on:?}: one for certain, one perhaps, and not who has unsubscribed"
        );
        let states = format!("SELECT count(*) FROM deliveries WHERE issue = '{key}' AND state = ");
        assert_eq!(desk.house.number(&format!("{states} 'sent'")), 2);
        assert_eq!(desk.house.number(&format!("{states} 'suppressed'")), 1);
    }
}
