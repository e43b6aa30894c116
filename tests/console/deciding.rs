//! Decisions about an issue, as staff make them: the sheet first, then the decision; one that is out of date decides nothing.

use super::{Desk, EVIL, Reply, busy, millis, viewer};
use crate::support::house::{BOTH, House, ISSUE, On, Relay};
use semainier::accounts::{Language, Permission, Roles, Viewer};
use std::io::{Read, Write};
use std::net::TcpStream;

const FRIDAY: &str = "2027-07-09T16:00:00Z";

pub(super) fn everything() -> Viewer {
    Viewer {
        name: "Claire".to_owned(),
        form_token: "le jeton".to_owned(),
        roles: Roles::of(Permission::ALL),
        ..viewer(Language::French)
    }
}

/// A form as a browser sends it.
pub(super) fn post(desk: &Desk, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("jeton", &everything().form_token);
    let body = body.extend_pairs(fields).finish();
    let mut stream = TcpStream::connect(&desk.host).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_mins(1))).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        desk.host,
        body.len()
    )
    .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    super::parsed(&all)
}

/// What the sheet's form carries.
fn seen(desk: &Desk, path: &str) -> String {
    let page = desk.get(path);
    assert_eq!(page.status, 200, "{path}: {}", page.words());
    let html = scraper::Html::parse_document(&page.text());
    let field = scraper::Selector::parse("input[name='vu_alors']").unwrap();
    html.select(&field).next().unwrap().value().attr("value").unwrap().to_owned()
}

/// Reads the sheet and decides.
pub(super) fn decide(desk: &Desk, path: &str, fields: &[(&str, &str)]) -> Reply {
    let seen = seen(desk, path);
    let mut all = vec![("vu_alors", seen.as_str())];
    all.extend(fields);
    post(desk, path, &all)
}

/// An office whose agenda is rehearsed on Friday, with the content of the week before, and that has three partners.
fn rehearsed(on: On) -> Desk {
    let relay = Relay::start();
    let house = House::on(on).relay(&relay);
    house.import_many(3);
    house.run_at("2027-07-03T08:00", &crate::support::house::article("2027-07-05")).expect(0);
    let (at, before) = (millis("2027-07-10T06:00:00Z"), "agenda/2027-W27");
    house.sql(&format!(
        "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, composed_at, subject, content_hash)
            SELECT '{ISSUE}', mailing, 'rehearsed', {at}, {}, {at}, {at}, subject, content_hash FROM issues WHERE key = '{before}';
        INSERT INTO issue_content (issue, html, text, data, envelope)
            SELECT '{ISSUE}', html, text, data, envelope FROM issue_content WHERE issue = '{before}';
        INSERT INTO attachments (issue, n, name, media_type, bytes)
            SELECT '{ISSUE}', n, name, media_type, bytes FROM attachments WHERE issue = '{before}';",
        at + 12 * 3_600_000
    ));
    Desk::open(house, relay, Some(everything()), FRIDAY)
}

fn state(desk: &Desk) -> String {
    desk.house.text(&format!("SELECT state FROM issues WHERE key = '{ISSUE}'"))
}

#[test]
fn a_coming_issue_is_skipped_with_a_reason_and_that_is_taken_back() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(3);
        let desk = Desk::open(house, relay, Some(everything()), FRIDAY);
        let skip = format!("/envois/{ISSUE}/ne-pas-envoyer");
        let coming = desk.get("/a-venir").expect(200, &["Ne pas envoyer cette fois", "Répéter maintenant"]);
        assert!(coming.text().replace("&#x2f;", "/").contains(&skip));
        desk.get(&skip).expect(200, &["demain à 8 h", "Destinataires, d’après la liste d’aujourd’hui 3", "Motif"]);
        // Without a reason nothing is done, with status and words.
        decide(&desk, &skip, &[("pourquoi", "  ")]).expect(422, &["Dites pourquoi"]);
        assert_eq!(desk.house.number("SELECT count(*) FROM skips"), 0);
        let done = decide(&desk, &skip, &[("pourquoi", "Fête annulée")]);
        assert_eq!((done.status, done.header("location")), (303, "/a-venir?fait=skip"));
        desk.get("/a-venir?fait=skip")
            .expect(200, &["Ce numéro ne partira pas.", "Claire", "Fête annulée", "Envoyer quand même"]);
        assert_eq!(desk.house.text("SELECT why FROM skips"), "Fête annulée");
        desk.get("/").expect(200, &["c’est voulu", "Fête annulée"]);
        desk.get(&skip).expect(409, &["Ce n’est pas possible en ce moment"]);
        let unskip = format!("/envois/{ISSUE}/envoyer-quand-meme");
        assert_eq!(decide(&desk, &unskip, &[]).status, 303);
        assert_eq!(desk.house.number("SELECT count(*) FROM skips"), 0);
    }
}

#[test]
fn an_issue_that_is_sent_is_paused_resumed_and_stopped_by_its_numbers() {
    for on in BOTH {
        let (house, relay) = busy(on);
        let desk = Desk::open(house, relay, Some(everything()), super::NOW);
        let key = "agenda/2027-W26";
        let state = || desk.house.text(&format!("SELECT state FROM issues WHERE key = '{key}'"));
        let path = |last: &str| format!("/envois/{key}/{last}");
        desk.get(&format!("/envois/{key}")).expect(200, &["Mettre en pause", "Arrêter pour de bon"]);
        let paused = decide(&desk, &path("pause"), &[]);
        assert_eq!((paused.status, state().as_str()), (303, "paused"));
        desk.get(paused.header("location")).expect(200, &["L’envoi est en pause.", "Arrêter pour de bon"]);
        desk.get(&path("pause")).expect(409, &["En pause"]);
        // Its deadline has passed: it cannot be resumed, only stopped.
        desk.get(&path("reprendre")).expect(409, &["C’est parti", "L’heure limite est passée", "En pause"]);
        desk.house
            .sql(&format!("UPDATE issues SET expires_at = {} WHERE key = '{key}'", millis("2027-07-10T18:00:00Z")));
        // What was read is compared: another number, and nothing is decided.
        let read = seen(&desk, &path("reprendre"));
        desk.house.sql(&format!(
            "UPDATE deliveries SET issue = '{key}', state = 'queued', next_at = 1 WHERE issue = '{ISSUE}' AND state = 'failed'"
        ));
        post(&desk, &path("reprendre"), &[("vu_alors", &read)])
            .expect(409, &["la situation a changé", "En attente : 0 → 1"]);
        assert_eq!(state(), "paused");
        assert_eq!(decide(&desk, &path("reprendre"), &[]).status, 303);
        assert_eq!(state(), "sending");
        assert_eq!(decide(&desk, &path("arreter"), &[]).status, 303);
        assert_eq!(state(), "cancelled");
        desk.get(&path("arreter")).expect(409, &["Annulé"]);
    }
}

#[test]
fn a_version_is_approved_as_it_was_read_and_the_approval_is_taken_back() {
    for on in BOTH {
        let desk = rehearsed(on);
        let (approve, withdraw) = (format!("/envois/{ISSUE}/approuver"), format!("/envois/{ISSUE}/retirer-accord"));
        desk.get(&approve).expect(200, &["Figer maintenant (3 destinataires)", "demain à 8 h"]);
        // Somebody leaves the list: the number that was read is not the number any more.
        let read = seen(&desk, &approve);
        desk.house.sql("UPDATE subscriptions SET ended_at = 1 WHERE contact IN (SELECT min(id) FROM contacts)");
        let moved = post(&desk, &approve, &[("vu_alors", &read), ("vu", "oui")]);
        moved.expect(409, &["Rien n’a été décidé", "3 → 2"]);
        assert_eq!(state(&desk), "rehearsed");
        // A forged or empty memory of what was read is no memory.
        post(&desk, &approve, &[("vu", "oui")]).expect(409, &["la situation a changé"]);
        // Nobody approves what they have not looked at.
        decide(&desk, &approve, &[]).expect(422, &["Regardez le message et les documents"]);
        let done = decide(&desk, &approve, &[("vu", "oui")]);
        assert_eq!((done.status, state(&desk).as_str()), (303, "approved"));
        desk.get(done.header("location"))
            .expect(200, &["C’est figé", "exactement cette version partira", "Retirer l’accord"]);
        desk.get(&approve).expect(409, &["Cette version est déjà approuvée par Claire."]);
        assert_eq!(desk.house.text("SELECT action FROM audit ORDER BY at DESC LIMIT 1"), "issue.approve");
        let done = decide(&desk, &withdraw, &[("pourquoi", "<b>erreur</b>")]);
        assert_eq!((done.status, state(&desk).as_str()), (303, "rehearsed"));
        // What was taken back is no correction that somebody asked for.
        assert!(!desk.get(&approve).text().contains("Une correction a été demandée"));
        let history = desk.get(&format!("/envois/{ISSUE}/histoire"));
        history.expect(200, &["Accord retiré par", "Claire, <b>erreur</b>"]);
    }
}

#[test]
fn a_correction_is_asked_for_in_writing_and_what_was_typed_is_not_lost() {
    for on in BOTH {
        let (house, relay) = busy(on);
        house.write("jobs/agenda.toml", {
            let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
            job.replace("approval   = \"automatic\"", "approval   = \"required\"")
        });
        let desk = Desk::open(house, relay, Some(everything()), super::NOW);
        let path = "/envois/agenda/2027-W30/refuser";
        let read = seen(&desk, path);
        desk.house.sql("UPDATE issues SET content_hash = 'facade' WHERE key = 'agenda/2027-W30'");
        let stale = post(&desk, path, &[("vu_alors", &read), ("pourquoi", EVIL)]);
        assert!(stale.text().contains("&lt;script&gt;") && !stale.text().contains("<script>alert"));
        stale.expect(409, &["Version : c0ffee → facade", "alert(1)"]);
        assert_eq!(decide(&desk, path, &[("pourquoi", EVIL)]).status, 303);
        let kept = desk.house.text("SELECT why FROM refusals WHERE content_hash = 'facade'");
        assert_eq!(kept, EVIL);
        let notices = "SELECT count(*) FROM notices WHERE kind LIKE 'refused-%'";
        assert_eq!(desk.house.number(notices), 1, "staff are told");
        // Whoever looks at the issue reads it there, until there is another version.
        let shown = desk.get("/envois/agenda/2027-W30").expect(200, &["a demandé une correction", "alert(1)"]);
        assert!(!shown.text().contains("<script>alert"));
        desk.house.sql("UPDATE issues SET content_hash = 'other' WHERE key = 'agenda/2027-W30'");
        assert!(!desk.get("/envois/agenda/2027-W30").text().contains("a demandé une correction"));
    }
}

#[test]
fn an_uncertain_delivery_is_decided_for_one_person_or_for_all_and_never_by_an_old_number() {
    for on in BOTH {
        let (house, relay) = busy(on);
        let desk = Desk::open(house, relay, Some(everything()), super::NOW);
        let path = format!("/envois/{ISSUE}/incertains");
        desk.get(&format!("/envois/{ISSUE}")).expect(200, &["Envois incertains (1)"]);
        desk.get(&path)
            .expect(200, &["1 envoi incertain", super::ANNE, "coupé après la fin", "Renvoyer le même message"]);
        let sheet = desk.get(&format!("{path}?que=renvoyer"));
        sheet.expect(200, &["Certains le recevront peut-être deux fois", "Renvoyer (1)"]);
        let decide = |what: &str, seen: &str| post(&desk, &path, &[("que", what), ("id", ""), ("vu_alors", seen)]);
        decide("renvoyer", "2").expect(409, &["n’est plus celui que vous avez lu"]);
        assert_eq!(decide("tout", "1").status, 404);
        let state = || {
            desk.house.text(&format!(
                "SELECT state FROM deliveries WHERE recipient_key = '{}' AND issue = '{ISSUE}'",
                super::ANNE
            ))
        };
        assert_eq!(state(), "unknown");
        let done = decide("remis", "1");
        assert_eq!((done.status, state().as_str()), (303, "sent"));
        desk.get(done.header("location"))
            .expect(200, &["C’est décidé : 1.", "Aucun envoi de ce numéro n’est incertain."]);
        desk.get("/trace").expect(200, &["a tranché un envoi incertain", "considéré comme remis."]);
        decide("remis", "1").expect(409, &["n’est plus celui"]);
        let audit = "SELECT detail FROM audit WHERE action = 'delivery.resolve'";
        assert!(desk.house.text(audit).contains("sent"));
        assert_eq!(desk.get("/envois/agenda/1999-W01/incertains").status, 404);
    }
}

#[test]
fn a_paused_lane_is_reopened_after_its_reason_was_read() {
    for on in BOTH {
        let (house, relay) = busy(on);
        let desk = Desk::open(house, relay, Some(everything()), super::NOW);
        assert!(desk.get("/voies").text().replace("&#x2f;", "/").contains("/voies/orange/rouvrir"));
        desk.get("/voies/orange/rouvrir").expect(200, &["Rouvrir la voie", "orange", EVIL.split('&').next().unwrap()]);
        let done = post(&desk, "/voies/orange/rouvrir", &[]);
        assert_eq!((done.status, done.header("location")), (303, "/voies?fait=reopen"));
        assert_eq!(desk.house.number("SELECT count(*) FROM lanes WHERE lane = 'orange' AND pace = 'paused'"), 0);
        desk.get("/voies?fait=reopen").expect(200, &["La voie est rouverte."]);
        post(&desk, "/voies/orange/rouvrir", &[]).expect(409, &["Rien n’a été décidé"]);
        assert_eq!(desk.get("/voies/personne/rouvrir").status, 404);
    }
}
