//! How long a session lasts is said, and it can last longer (WCAG 2.2.1).

use super::entering::{Browser, CLAIRE, Office, PASSWORD};
use crate::support::{browser::visit, house::On};
use semainier::domain::french;

#[test]
fn a_form_says_how_long_the_session_lasts_and_asking_makes_it_last_longer() {
    let office = Office::on(On::Sqlite);
    let claire = office.member(CLAIRE, "validation");
    let mut browser = Browser::of(&office, &claire);
    let ends = |office: &Office| {
        let now = office.clock.now();
        let near = french::near(now + chrono::TimeDelta::hours(8), now, chrono_tz::Tz::Europe__Paris);
        format!("votre session se termine {}", near.replace('\u{a0}', " "))
    };
    let left = |browser: &mut Browser| -> i64 {
        let reply = browser.send("GET", "/moi/session", &[], &[("Accept", "text/plain")]);
        assert_eq!((reply.status, reply.header("content-type")), (200, "text/plain; charset=utf-8"));
        reply.text().trim().parse().unwrap()
    };
    assert_eq!(left(&mut browser), 8 * 3600);
    // Without a script, where somebody types.
    let sheet = browser.get("/envois/agenda/2027-W28/ne-pas-envoyer");
    sheet.expect(200, &[&ends(&office), "il vous est rendu après la connexion"]);
    office.tick(7 * 3600);
    browser.get("/moi/session").expect(200, &[&ends(&office)]);
    office.tick(7 * 3600);
    assert_eq!(left(&mut browser), 8 * 3600, "it would be over without the request before");
    // Not beyond seven days, and then the page says when.
    for _ in 0..21 {
        office.tick(7 * 3600);
        assert!(browser.is_in());
    }
    let rest = left(&mut browser);
    assert!((0..8 * 3600).contains(&rest), "{rest}");
    office.tick(rest + 1);
    assert!(!browser.is_in());
    // Over: no seconds, but the way to the login, which a script takes for the end.
    let over = browser.send("GET", "/moi/session", &[], &[("Accept", "text/plain")]);
    assert_eq!((over.status, over.header("location")), (303, "/connexion"));
}

#[test]
fn the_page_warns_two_minutes_before_and_a_button_makes_the_session_last_longer() {
    let office = Office::on(On::Sqlite);
    let path = office.add(CLAIRE, "validation");
    let now = office.clock.now().timestamp_millis().to_string();
    let said = visit("stay", &office.host, &[&path, CLAIRE, PASSWORD, &now]);
    let expected = "before: \nsoon: Votre session se termine dans moins de deux minutes.\nkept: Votre session est prolongée.\n\
                    over: Votre session est terminée. Ce que vous avez saisi vous sera rendu après la connexion.";
    assert_eq!(said.trim(), expected);
}

#[test]
fn our_script_is_small() {
    let script = include_str!("../../templates/console/console.js");
    assert!(script.len() < 5 * 1024, "{} bytes", script.len());
}
