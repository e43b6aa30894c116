//! The links in a real browser, as used by mail scanners and people.

use super::Open;
use crate::support::{
    browser::visit,
    house::{BOTH, NEXT_AT, NEXT_MONDAY, On, article},
    process::until,
};
use mail_parser::MessageParser;
use std::{collections::BTreeSet, time::Duration};

const MARIE: &str = "marie@gite.example";
const PAUL: &str = "paul@gite.example";
const BASE: &str = "https://partenaires.ot.test";

/// Every address of ours in a mail as it was received, headers and texts, as a path.
fn links(open: &Open, address: &str) -> BTreeSet<String> {
    let seen = open.relay.seen();
    let mail = seen.accepted.iter().rfind(|it| it.recipient == address).unwrap();
    let mail = MessageParser::default().parse(&mail.bytes).unwrap();
    let texts = [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()];
    let header = mail.header_raw("List-Unsubscribe").unwrap();
    let all = texts.iter().map(AsRef::as_ref).chain([header]).collect::<Vec<_>>().join("\n").replace("&#x2f;", "/");
    let end = |c: char| c.is_whitespace() || "<>\"')".contains(c);
    all.split(BASE).skip(1).map(|rest| rest.split(end).next().unwrap().to_owned()).collect()
}

#[test]
fn w01_a_link_scanner_with_a_browser_changes_no_table() {
    for on in BOTH {
        let open = Open::with(on, &[MARIE, PAUL], true);
        let way_out = open.way_out(MARIE);
        let links = links(&open, MARIE);
        assert!(links.contains(&way_out), "{links:?}");
        // The week, what is printed of it, and the mail itself are to be found online.
        for page in ["/agenda/2027-W28", "/agenda/2027-W28/affiche.pdf", "/agenda/2027-W28/livret.pdf"] {
            assert!(links.contains(page), "{page} is not in {links:?}");
        }
        assert!(links.iter().any(|path| path.starts_with("/v/agenda.2027-W28.")), "{links:?}");
        // The daemon's own work is not what is looked for: at the end of a month it holds a newsletter, and tells staff.
        until("every table is at rest", || {
            let before = open.house.everything();
            std::thread::sleep(Duration::from_millis(500));
            open.house.everything() == before
        });
        let before = open.house.everything();
        assert!(before["subscriptions"].contains("agenda") && before["deliveries"].contains("sent"), "{before:?}");

        let paths: Vec<&str> = links.iter().map(String::as_str).collect();
        let opened = visit("scan", &open.host, &paths);
        for path in &links {
            assert!(opened.lines().any(|line| line == format!("200 {path}")), "{path} was not opened: {opened}");
            for method in ["HEAD", "GET"] {
                assert_eq!(open.ask(method, path, &[], b"").status, 200, "{method} {path}");
            }
        }
        // One level down: what the page of the link leads to.
        for path in ["/archives", "/accessibilite", "/agenda"] {
            assert!(opened.lines().any(|line| line == format!("200 {path}")), "{path} was not opened: {opened}");
        }
        // The home leads on to the week of the first weekly mailing.
        assert!(opened.lines().all(|line| line.starts_with("200 ") || line == "302 /"), "{opened}");

        let after = open.house.everything();
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        for (table, rows) in &before {
            assert!(after[table] == *rows, "{table} was changed:\n{rows}\n{}", after[table]);
        }
    }
}

#[test]
fn w02_the_unsubscribe_button_works_without_scripts() {
    let open = Open::with(On::Sqlite, &[MARIE, PAUL], false);
    let way_out = open.way_out(MARIE);
    let before = open.house.everything();
    let button = "Ne plus recevoir « Que faire à Auch cette semaine »";
    let shown = visit("press", &open.host, &[&way_out, button]);
    assert!(shown.contains("vous ne recevrez plus « Que faire à Auch cette semaine »"), "{shown}");
    assert!(shown.contains("Recevoir de nouveau"), "{shown}");
    assert_ne!(open.house.everything()["suppressions"], before["suppressions"], "and the ledger can tell");
    let (house, relay) = open.close();
    let before = relay.seen().accepted.len();
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    let seen = relay.seen();
    assert_eq!(seen.accepted[before..].iter().map(|it| it.recipient.as_str()).collect::<Vec<_>>(), [PAUL]);
}
