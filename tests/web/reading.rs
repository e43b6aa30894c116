//! The public pages.

use super::Open;
use crate::support::house::{AT, BOTH, House, ISSUE, MONDAY, On, Relay, article_of_days};
use serde_json::Value;
use std::io::Read;

const MARIE: &str = "marie@gite.example";

#[test]
fn the_week_is_available_as_page_pdf_and_calendar() {
    for on in BOTH {
        let open = Open::with(on, &[MARIE], true);
        let page = open.get("/agenda");
        assert_eq!(page.status, 200, "{}", page.text());
        let words = page.words();
        for expected in ["Du lundi 12 au dimanche 18 juillet 2027", "Lundi 12 juillet", "Dimanche 18 juillet"] {
            assert!(words.contains(expected), "{expected} not in {words}");
        }
        // Every event, under its day, and the same in the calendar.
        assert_eq!(words.matches("isite guidée n°").count(), 7, "{words}");
        let calendar = open.get("/agenda.ics");
        assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
        assert_eq!(calendar.text().matches("BEGIN:VEVENT").count(), 14, "{}", calendar.text());
        assert_eq!(open.get("/agenda/2027-W28/agenda.ics").text().matches("BEGIN:VEVENT").count(), 14);
        for document in ["affiche.pdf", "livret.pdf"] {
            assert!(page.text().contains(&format!("/agenda/2027-W28/{document}")));
            let pdf = open.get(&format!("/agenda/2027-W28/{document}"));
            assert_eq!(pdf.header("content-type"), "application/pdf");
            assert!(pdf.body.starts_with(b"%PDF-") && pdf.body.len() > 10_000);
            assert!(
                pdf.header("content-disposition").contains("filename*=UTF-8''Agenda%20du%20lundi"),
                "{:?}",
                pdf.headers
            );
        }
        let feed: Value = serde_json::from_slice(&open.get("/agenda.json").body).unwrap();
        assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
        assert_eq!(feed["items"][0]["url"], "https://partenaires.ot.test/agenda/2027-W28");
        assert!(feed["items"][0]["content_text"].as_str().unwrap().contains("Concert n° 6"));
        for nowhere in ["/agenda/2027-W29", "/agenda/2027-W99", "/agenda/2027-W28/secret.pdf", "/agenda/x/affiche.pdf"]
        {
            assert_eq!(open.get(nowhere).status, 404, "{nowhere}");
        }
    }
}

#[test]
fn an_issue_is_shown_online_without_personal_data() {
    let open = Open::with(On::Sqlite, &[MARIE], false);
    let archive = open.get("/archives");
    let link =
        archive.text().split("https://partenaires.ot.test").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(link.starts_with("/v/agenda.2027-W28."), "{link}");
    let online = open.get(&link);
    assert_eq!(online.status, 200);
    assert!(online.words().contains("isite guidée n° 6"), "{}", online.words());
    for own in ["SEMAINIER-", "/u/", "Éloïse", "Gîte n°"] {
        assert!(!online.text().contains(own), "{own}");
    }
    assert!(online.header("content-security-policy").contains("sandbox"));
    // From memory from here on: neither the issue nor its documents are read again.
    open.house.sql("ALTER TABLE issue_content RENAME TO issue_content_elsewhere");
    let again = open.ask("GET", &link, &[("Accept-Encoding", "gzip")], b"");
    assert_eq!((again.status, again.header("content-encoding")), (200, "gzip"));
    assert_eq!((again.header("x-robots-tag"), again.header("etag")), ("noindex", online.header("etag")));
    assert!(again.header("content-security-policy").contains("sandbox"));
    assert_eq!(open.ask("HEAD", &link, &[("If-None-Match", online.header("etag"))], b"").status, 304);
    // What was called off is not read any more.
    open.house.sql("UPDATE issues SET state = 'cancelled'");
    crate::support::house::until("the list is asked for again", || open.get(&link).status == 404);
}

#[test]
fn an_erratum_is_read_online_and_is_no_agenda() {
    for on in BOTH {
        let open = Open::with(on, &[MARIE], false);
        open.house.write("mot.md", "Le bal commence à 22 h.");
        open.house.semainier(&["issues", "erratum", ISSUE, "--file", "mot.md", "--yes"]).expect(0);
        let linked = |path: &str| open.get(path).text().contains("/v/agenda.2027-W28-rectificatif.");
        crate::support::house::until("the list is asked for again", || linked("/archives"));
        let archive = open.get("/archives").text();
        let link = archive.split("https://partenaires.ot.test").find(|it| it.contains("-rectificatif.")).unwrap();
        let online = open.get(link.split('"').next().unwrap());
        assert_eq!(online.status, 200);
        assert!(online.words().contains("Le bal commence à 22 h."), "{}", online.words());
        assert!(open.get("/agenda").words().contains("isite guidée n° 6"), "the week itself is shown as before");
        assert_eq!(open.get("/agenda/2027-W28-rectificatif").status, 404);
    }
}

#[test]
fn unchanged_pages_are_not_sent_again_and_text_is_compressed() {
    let open = Open::with(On::Sqlite, &[MARIE], false);
    let whole = open.get("/agenda");
    let etag = whole.header("etag").to_owned();
    let again = open.ask("GET", "/agenda", &[("If-None-Match", &format!("\"other\", W/{etag}"))], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let packed = open.ask("GET", "/agenda", &[("Accept-Encoding", "br, gzip")], b"");
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == whole.body && packed.body.len() < whole.body.len());
    let style = whole.text().split("href=\"/static/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let style = open.get(&format!("/static/{style}"));
    assert_eq!((style.status, style.header("cache-control")), (200, "public, max-age=31536000, immutable"));
    assert_eq!(open.get("/static/style-0.css").status, 404);
}

#[test]
fn health_endpoints_report_process_and_ledger() {
    for on in BOTH {
        let open = Open::with(on, &[MARIE], false);
        assert_eq!((open.get("/healthz").status, open.get("/readyz").status), (200, 200));
        open.house.sql("ALTER TABLE issues RENAME TO issues_elsewhere");
        assert_eq!((open.get("/healthz").status, open.get("/readyz").status), (200, 503));
    }
}

#[test]
fn every_page_exists_before_the_first_issue() {
    let relay = crate::support::house::Relay::start();
    let house = crate::support::house::House::new().relay(&relay).set("web.bind", "127.0.0.1:0");
    let open = Open::house(house, relay);
    assert_eq!(open.get("/").header("location"), "/agenda");
    for path in ["/agenda", "/archives", "/accessibilite", "/agenda.ics", "/agenda.json", "/robots.txt"] {
        assert_eq!(open.get(path).status, 200, "{path}");
    }
    assert!(open.get("/agenda").words().contains("Pas encore d’agenda"));
}

#[test]
fn a_second_weekly_mailing_has_pages_of_its_own() {
    let relay = Relay::start();
    let house = House::on(On::Sqlite).relay(&relay).set("web.bind", "127.0.0.1:0");
    let agenda = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
    house.write("jobs/nocturnes.toml", agenda.replace("Que faire à Auch cette semaine", "Les nocturnes d’Auch"));
    house.import(&[MARIE]);
    house.run().expect(0);
    let other = article_of_days(MONDAY, |n| format!("<ul><li>à 22h, nocturne n° {n} à Auch</li></ul>"));
    house.write("nocturnes.html", other);
    house.semainier(&["run", "nocturnes", "--at", AT, "--article", "nocturnes.html", "--yes"]).expect(0);
    let open = Open::house(house, relay);
    for (mailing, own, others) in
        [("agenda", "isite guidée n° 1", "octurne n° 1"), ("nocturnes", "octurne n° 1", "isite guidée")]
    {
        for path in [
            format!("/{mailing}"),
            format!("/{mailing}/2027-W28"),
            format!("/{mailing}.ics"),
            format!("/{mailing}.json"),
        ] {
            let page = open.get(&path);
            assert_eq!(page.status, 200, "{path}");
            let words = page.words();
            assert!(words.contains(own) && !words.contains(others), "{path}: {words}");
        }
        let page = open.get(&format!("/{mailing}"));
        assert!(page.text().contains(&format!("/{mailing}/2027-W28/agenda.ics")), "{}", page.text());
        assert_eq!(open.get(&format!("/{mailing}/2027-W28/agenda.ics")).status, 200);
    }
    for nowhere in ["/newsletter", "/nocturnes.xml", "/nocturnes/2027-W29", "/rien"] {
        assert_eq!(open.get(nowhere).status, 404, "{nowhere}");
    }
    let home = open.get("/");
    assert_eq!((home.status, home.header("location")), (302, "/agenda"));
}
