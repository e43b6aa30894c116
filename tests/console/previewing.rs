//! The preview: every side of a version, for whoever looks at it, and nothing in it that acts.

use super::{Desk, EVIL, millis, viewer};
use crate::support::house::{BOTH, House, ISSUE, On, Relay, article};
use semainier::accounts::Language;

const FRIDAY: &str = "2027-07-09T16:00:00Z";

/// An office whose agenda is rehearsed on Friday, with poster and booklet, for three partners.
fn office(on: On) -> Desk {
    let relay = Relay::start();
    let house = House::on(on).relay(&relay).with_the_shipped_mailing();
    house.import_many(3);
    house.write("article.html", article(crate::support::house::MONDAY));
    house.run().expect(0);
    Desk::open(house, relay, Some(viewer(Language::French)), FRIDAY)
}

fn hash(desk: &Desk) -> String {
    desk.house.text(&format!("SELECT content_hash FROM issues WHERE key = '{ISSUE}'"))
}

#[test]
fn every_side_of_a_version_is_a_link_away_and_its_head_says_what_it_is() {
    for on in BOTH {
        let desk = office(on);
        let hash = hash(&desk);
        let base = format!("/envois/{ISSUE}/apercu/{hash}");
        let page = desk.get(&base).expect(
            200,
            &[
                "Objet Que faire à Auch cette semaine",
                "rendez-vous à afficher",
                "partenaires@ot.test",
                &hash[..12],
                "ko",
            ],
        );
        let html = page.text().replace("&#x2f;", "/");
        for view in ["telephone", "texte", "affiche", "livret", "brut"] {
            assert!(html.contains(&format!("{base}?vue={view}")), "{view}");
        }
        assert!(html.contains("<iframe class=\"preview ordinateur\" sandbox title="), "{html}");
        assert!(html.contains(&format!("src=\"{base}/mail.html\"")), "{html}");
        assert!(desk.get(&format!("{base}?vue=telephone")).text().contains("preview telephone"));
        desk.get(&format!("{base}?vue=texte")).expect(200, &["LUNDI 12 JUILLET"]);
        desk.get(&format!("{base}?vue=brut"))
            .expect(200, &["List-Unsubscribe:", "Seul le début", "Enregistrer le message"]);
        let bare = desk.get(&format!("{base}?images=non")).text().replace("&#x2f;", "/");
        assert!(bare.contains("mail.html?images=non") && bare.contains("Voir avec les images"), "{bare}");
        // Without pictures the browser is told so.
        let policy = |path: &str| desk.get(&format!("{base}/{path}")).header("content-security-policy").to_owned();
        assert!(policy("mail.html").contains("img-src data:") && policy("mail.html").contains("; sandbox"));
        assert!(
            !policy("mail.html?images=non").contains("img-src") && policy("mail.html?images=non").contains("sandbox")
        );
        let saved = desk.get(&format!("{base}/message.eml"));
        assert_eq!(saved.header("content-disposition").split(';').next(), Some("attachment"));
        assert_eq!(desk.get(&format!("/envois/{ISSUE}/apercu/c0ffee")).status, 404);
        assert_eq!(desk.get("/envois/agenda/2031-W01/apercu/c0ffee").status, 404);
    }
}

#[test]
fn a_mail_is_shown_as_a_recipient_gets_it_with_links_that_do_nothing() {
    for on in BOTH {
        let desk = office(on);
        let base = format!("/envois/{ISSUE}/apercu/{}", hash(&desk));
        let id = desk.house.text("SELECT min(id) FROM contacts");
        let name =
            desk.house.text("SELECT p.name FROM contacts c JOIN partners p ON p.id = c.partner ORDER BY c.id LIMIT 1");
        let html = desk.get(&format!("{base}?comme={id}")).text().replace("&#x2f;", "/");
        assert!(html.contains(&format!("<option value=\"{id}\" selected>{name}")), "{html}");
        assert!(html.contains(&format!("mail.html?comme={id}")), "{html}");
        let mail = |query: &str| desk.get(&format!("{base}/mail.html{query}")).text().replace("&#x2f;", "/");
        assert!(mail(&format!("?comme={id}")).contains(&name), "the establishment is named");
        assert!(!mail("").contains(&name));
        for text in [mail(""), mail(&format!("?comme={id}"))] {
            assert!(!text.contains("<a href") && text.contains("<a title="), "{text}");
            assert!(text.contains("title=\"https://partenaires.ot.test/u/essai\""), "{text}");
        }
        let message = desk.get(&format!("{base}/message.eml?comme={id}")).text();
        assert!(message.contains("To: ") && message.contains("@gite.example"), "{message}");
        assert!(message.contains("<https://partenaires.ot.test/u/essai>"));
        // Somebody who is no recipient is nobody, whoever asks.
        for like in ["nobody", "%00", "&comme=", EVIL] {
            let like: String = url::form_urlencoded::byte_serialize(like.as_bytes()).collect();
            let page = desk.get(&format!("{base}?comme={like}"));
            assert!(page.status == 200 && !page.text().contains("selected"), "{like}");
        }
        desk.house.sql("UPDATE subscriptions SET ended_at = 1");
        assert!(!mail(&format!("?comme={id}")).contains(&name));
    }
}

#[test]
fn poster_and_booklet_are_seen_page_by_page_as_they_were_printed() {
    let desk = office(On::Sqlite);
    let base = format!("/envois/{ISSUE}/apercu/{}", hash(&desk));
    let poster = desk.get(&format!("{base}?vue=affiche"));
    let html = poster.text().replace("&#x2f;", "/");
    poster.expect(200, &["Ouvrir « Agenda du lundi 12 au dimanche 18 juillet 2027 – affiche.pdf » (PDF, 1 page,"]);
    assert!(html.contains(&format!("src=\"{base}/document-1-page-1.svg\"")), "{html}");
    assert!(html.contains("alt=\"Affiche, page 1 sur 1\u{a0}: Lundi 12 juillet"), "{html}");
    let booklet = desk.get(&format!("{base}?vue=livret")).text();
    assert!(booklet.matches("<img class=\"sheet\"").count() >= 2, "{booklet}");
    let picture = desk.get(&format!("{base}/document-1-page-1.svg"));
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
    assert!(picture.text().starts_with("<svg "));
    let policy = picture.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'none'") && policy.ends_with("sandbox"), "{policy}");
    for nothing in [
        "document-1-page-2.svg",
        "document-1-page-0.svg",
        "document-9-page-1.svg",
        "document-x-page-1.svg",
        "document-0",
        "x",
    ] {
        assert_eq!(desk.get(&format!("{base}/{nothing}")).status, 404, "{nothing}");
    }
    // Other bytes than those that printing gives: no picture passes for them.
    let desk = office(On::Sqlite);
    let base = format!("/envois/{ISSUE}/apercu/{}", hash(&desk));
    desk.house.sql("UPDATE attachments SET bytes = CAST('%PDF' AS BLOB) WHERE n = 1");
    let page = desk.get(&format!("{base}?vue=affiche"));
    assert!(!page.text().contains("<img"));
    page.expect(200, &["Pas d’image de ce document", "Le PDF, lui, n’a pas changé"]);
    assert_eq!(desk.get(&format!("{base}/document-1-page-1.svg")).status, 404);
}

#[test]
fn what_was_approved_stays_visible_when_it_is_replaced_and_says_that_it_is_old() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("web.bind", "127.0.0.1:0");
        house.import_many(3);
        house.run_at("2027-07-03T08:00", &article("2027-07-05")).expect(0);
        let (at, before) = (millis("2027-07-10T06:00:00Z"), "agenda/2027-W27");
        // The content of the week before was approved for this one, and the approval taken back: the issue is read again.
        house.sql(&format!(
            "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, composed_at, subject, content_hash)
                SELECT '{ISSUE}', mailing, 'rehearsed', {at}, {}, {at}, {at}, subject, content_hash FROM issues
                    WHERE key = '{before}';
            INSERT INTO issue_content (issue, html, text, data, envelope)
                SELECT '{ISSUE}', html, text, data, envelope FROM issue_content WHERE issue = '{before}';
            INSERT INTO attachments (issue, n, name, media_type, bytes)
                VALUES ('{ISSUE}', 1, 'plan.pdf', 'application/pdf', (SELECT bytes FROM (SELECT CAST('x' AS {}) AS bytes) b));
            INSERT INTO approvals (issue, content_hash, approved_by, approved_at, withdrawn_at)
                SELECT key, content_hash, 'Claire', {at}, {at} FROM issues WHERE key = '{ISSUE}';",
            at + 12 * 3_600_000,
            if on == On::Sqlite { "BLOB" } else { "BYTEA" },
        ));
        let old = house.text(&format!("SELECT content_hash FROM issues WHERE key = '{ISSUE}'"));
        house.run().expect(0);
        let new = house.text(&format!("SELECT content_hash FROM issues WHERE key = '{ISSUE}'"));
        assert_ne!(old, new);
        let desk = Desk::open(house, relay, Some(viewer(Language::French)), super::NOW);
        let base = format!("/envois/{ISSUE}/apercu/{old}");
        let page = desk
            .get(&base)
            .expect(200, &["Ce n’est plus la version actuelle.", "Ce qui a changé depuis", "LUNDI 12 JUILLET"]);
        assert!(page.text().replace("&#x2f;", "/").contains(&format!("/apercu/{new}\"")));
        let texts =
            [desk.get(&format!("{base}/texte.txt")), desk.get(&format!("/envois/{ISSUE}/apercu/{new}/texte.txt"))];
        assert!(texts[0].text().contains("LUNDI 5 JUILLET") && texts[1].text().contains("LUNDI 12 JUILLET"));
        assert_eq!(desk.get(&format!("{base}/document-1")).body, b"x");
        assert!(!desk.get(&format!("/envois/{ISSUE}/apercu/{new}")).words().contains("plus la version actuelle"));
        let history = desk.get(&format!("/envois/{ISSUE}/histoire"));
        assert!(history.text().replace("&#x2f;", "/").contains(&format!("href=\"{base}\"")), "{}", history.text());
    }
}
