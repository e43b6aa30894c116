//! « M'envoyer un essai »: what partners would get, to oneself, and nowhere else.

use super::entering::{Browser, CLAIRE, Office};
use crate::support::{
    house::{BOTH, House, ISSUE, On, Relay, STAFF},
    smtp::{Accepted, Options},
};
use mail_parser::{Message, MessageParser};

const MARIE: &str = "marie@gite.example";

/// An office whose agenda has left to one partner, with a console and a relay.
fn office(on: On, relay: &Relay) -> Office {
    let house = House::on(on).relay(relay).set("console.bind", "127.0.0.1:0");
    house.import(&[MARIE]);
    house.run().expect(0);
    Office::open(house)
}

fn parsed(it: &Accepted) -> Message<'_> {
    MessageParser::default().parse(&it.bytes).unwrap()
}

/// The texts with the personal links of this message taken out.
fn texts(it: &Accepted) -> [String; 2] {
    let mail = parsed(it);
    let link = mail.header_raw("List-Unsubscribe").unwrap().trim().trim_matches(['<', '>']).to_owned();
    let without = |text: &str| text.replace(&link, "LINK").replace(&link.replace('/', "&#x2f;"), "LINK");
    [mail.body_html(0).unwrap(), mail.body_text(0).unwrap()].map(|text| {
        let text = without(&text);
        assert!(text.contains("LINK"), "{text}");
        text.replace(" (Gîte n° 0)", "")
    })
}

#[test]
fn a_test_is_what_partners_get_and_goes_to_the_account_alone() {
    for on in BOTH {
        let relay = Relay::start();
        let office = office(on, &relay);
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let (page, path) = (format!("/envois/{ISSUE}"), format!("/envois/{ISSUE}/essai"));
        browser.get(&page).expect(200, &["M’envoyer un essai", "Dix par jour au plus"]);
        // An address in the form is no address: there is no such field.
        let done = browser.post(&path, &[("a", "somebody@else.example"), ("adresse", "somebody@else.example")]);
        assert_eq!((done.status, done.header("location")), (303, format!("{page}?fait=essai#essai").as_str()));
        let shown = browser.get(&format!("{page}?fait=essai")).expect(200, &["Remis au relais aujourd’hui à"]);
        assert!(shown.text().contains("<p role=\"status\" class=\"notice\">Remis au relais"), "{}", shown.text());
        browser.get(&page).expect(200, &["Remis au relais aujourd’hui à"]);

        let seen = relay.seen().accepted.clone();
        let of = |whom: &str| seen.iter().filter(|it| it.recipient == whom).collect::<Vec<_>>();
        assert_eq!((of(CLAIRE).len(), of("somebody@else.example").len()), (1, 0));
        let (test, left) = (of(CLAIRE)[0], of(MARIE)[0]);
        let (mail, original) = (parsed(test), parsed(left));
        assert_eq!(mail.subject().unwrap(), format!("[Essai] {}", original.subject().unwrap()));
        assert_eq!(texts(test), texts(left), "the same texts");
        let to = mail.to().unwrap().first().unwrap();
        assert_eq!((to.address().unwrap(), to.name().unwrap()), (CLAIRE, "Claire"));
        for header in ["List-Id", "List-Unsubscribe-Post", "Feedback-ID", "Reply-To"] {
            assert_eq!(mail.header_raw(header), original.header_raw(header), "{header}");
        }
        assert_eq!(mail.header_raw("List-Unsubscribe").unwrap().trim(), "<https://partenaires.ot.test/u/essai>");

        // No delivery, no person in the audit.
        assert_eq!(office.house.number("SELECT count(*) FROM deliveries"), 1);
        assert_eq!(office.house.number("SELECT count(*) FROM attempts"), 1);
        let audit = office.house.everything().remove("audit").unwrap();
        assert!(audit.contains("issue.test.accepted") && audit.contains(&office.user(CLAIRE).id.0), "{audit}");
        assert!(!audit.contains("@"), "{audit}");
        assert_eq!(
            office.house.number("SELECT count(*) FROM audit WHERE object = 'issue:agenda/2027-W28' AND kind = 'user'"),
            2
        );
    }
}

#[test]
fn a_test_needs_the_permission_its_token_and_something_to_test() {
    let relay = Relay::start();
    let office = office(On::Sqlite, &relay);
    let reader = office.member("lecture@ot.test", "lecture,validation");
    let mut browser = Browser::of(&office, &reader);
    let path = format!("/envois/{ISSUE}/essai");
    assert!(!browser.get(&format!("/envois/{ISSUE}")).text().contains("essai"));
    assert_eq!(browser.post(&path, &[]).status, 403);
    let claire = office.member(CLAIRE, "redaction");
    let mut browser = Browser::of(&office, &claire);
    assert_eq!(browser.get(&path).status, 405, "looking sends nothing");
    assert_eq!(browser.send("POST", &path, &[], super::entering::OURS).status, 403, "no token");
    let token = browser.token();
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(browser.send("POST", &path, &[("jeton", &token)], &foreign).status, 403);
    assert_eq!(browser.post("/envois/agenda/2031-W01/essai", &[]).status, 404);
    assert_eq!(browser.post("/envois/agenda/a%2Fb/essai", &[]).status, 404);
    // An issue that was never composed has nothing to show.
    office.house.sql(
        "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at)
            VALUES ('agenda/2027-W29', 'agenda', 'held', 1, 2, 1)",
    );
    browser.post("/envois/agenda/2027-W29/essai", &[]).expect(409, &["L’essai n’est pas parti", "pas encore composé"]);
    assert_eq!(relay.accepted(CLAIRE), 0);
    assert_eq!(office.house.number("SELECT count(*) FROM audit WHERE action LIKE 'issue.test%'"), 0);
}

#[test]
fn ten_tests_a_day_and_one_more_tomorrow() {
    for on in BOTH {
        let relay = Relay::start();
        let office = office(on, &relay);
        // Before the clock is set: an invitation ends after a day.
        let (claire, other) = (office.member(CLAIRE, "redaction"), office.member("marc@ot.test", "redaction"));
        // Noon, so that no midnight comes by.
        let tomorrow = office.clock.now().date_naive() + chrono::Days::new(1);
        office.clock.advance(tomorrow.and_hms_opt(12, 0, 0).unwrap().and_utc() - office.clock.now());
        let mut browser = Browser::of(&office, &claire);
        let path = format!("/envois/{ISSUE}/essai");
        for _ in 0..10 {
            assert_eq!(browser.post(&path, &[]).status, 303);
        }
        browser
            .post(&path, &[])
            .expect(409, &["vous avez demandé 10 essais aujourd’hui : le prochain sera possible demain"]);
        assert_eq!(relay.accepted(CLAIRE), 10);
        // Each for themselves.
        let mut marc = Browser::of(&office, &other);
        assert_eq!(marc.post(&path, &[]).status, 303);
        office.tick(12 * 3600);
        let mut browser = Browser::of(&office, &claire);
        assert!(!browser.get(&format!("/envois/{ISSUE}")).words().contains("Remis au relais"), "of yesterday");
        assert_eq!(browser.post(&path, &[]).status, 303);
        assert_eq!((relay.accepted(CLAIRE), relay.accepted("marc@ot.test")), (11, 1));
    }
}

#[test]
fn a_relay_that_does_not_take_it_is_told_in_french_and_nothing_of_the_address_is_kept() {
    let everyone =
        |reply: &str| Relay::with(Options { refuses_everyone: Some(reply.to_owned()), ..Options::default() });
    let refusing = everyone("550 5.1.1 <{to}> no such user");
    for (relay, words) in
        [(refusing.url(), "l’adresse de ce compte est refusée (550)"), (Relay::nowhere(), "le relais n’a pas répondu")]
    {
        let taking = Relay::start();
        let house = House::on(On::Sqlite).relay(&taking).set("console.bind", "127.0.0.1:0");
        house.import(&[MARIE]);
        house.run().expect(0);
        let office = Office::open(house.set("relay", relay));
        let claire = office.member(CLAIRE, "redaction");
        let mut browser = Browser::of(&office, &claire);
        let done = browser.post(&format!("/envois/{ISSUE}/essai"), &[]);
        assert_eq!(done.status, 303, "{}", done.text());
        let page = browser.get(&format!("/envois/{ISSUE}?fait=essai"));
        page.expect(200, &["L’essai n’est pas parti ( aujourd’hui à", words]);
        let audit = office.house.everything().remove("audit").unwrap();
        assert!(audit.contains("issue.test.refused") && !audit.contains('@'), "{audit}");
    }
}

#[test]
fn the_command_line_tests_to_staff_with_the_same_words() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&[MARIE]);
        house.run().expect(0);
        let done = house.semainier(&["issues", "test", ISSUE, "--to", STAFF]).expect(0);
        assert!(done.stdout.contains("a test of agenda/2027-W28 was accepted by the relay at"), "{}", done.stdout);
        let refused = house.semainier(&["issues", "test", ISSUE, "--to", MARIE]).expect(1);
        assert!(refused.stderr.contains("a test is sent to staff only"), "{}", refused.stderr);
        house.semainier(&["issues", "test", "agenda/2031-W01", "--to", STAFF]).expect(1);
        let is_test = |subject: &&String| subject.starts_with("[Essai] ");
        assert_eq!(relay.told_staff().iter().filter(is_test).count(), 1);
        assert_eq!(relay.accepted(MARIE), 1);
        assert_eq!(
            house.text(
                "SELECT min(action) || ' ' || max(action) || ' ' || min(actor) FROM audit WHERE object LIKE 'issue:%'"
            ),
            "issue.test issue.test.accepted nadine"
        );
        assert!(!house.everything()["audit"].contains('@'));
        for _ in 0..9 {
            house.semainier(&["issues", "test", ISSUE, "--to", STAFF]).expect(0);
        }
        let more = house.semainier(&["issues", "test", ISSUE, "--to", STAFF]).expect(1);
        assert!(more.stderr.contains("10 tests were sent today"), "{}", more.stderr);
    }
}

#[test]
fn an_erratum_is_tested_from_its_preview_before_anything_of_it_is_sent() {
    for on in BOTH {
        let relay = Relay::start();
        let office = office(on, &relay);
        let claire = office.member(CLAIRE, "validation");
        let mut browser = Browser::of(&office, &claire);
        let (path, words) = (format!("/envois/{ISSUE}/rectificatif"), "Le concert commence à 21 h.");
        browser.post(&path, &[("texte", words)]).expect(200, &["M’envoyer un essai"]);
        let tested = browser.post(&path, &[("texte", words), ("etape", "essai")]);
        tested.expect(200, &["L’essai est remis au relais", "Le concert commence à 21 h", "Envoyer le rectificatif"]);
        let seen = relay.seen().accepted.clone();
        let [test] = &seen.iter().filter(|it| it.recipient == CLAIRE).collect::<Vec<_>>()[..] else {
            panic!("no test")
        };
        assert!(parsed(test).subject().unwrap().starts_with("[Essai] Rectificatif"), "{on:?}");
        assert_eq!(office.house.number("SELECT count(*) FROM issues"), 1, "nothing is sent by testing");
        browser.get("/trace").expect(200, &["rectificatif"]);
    }
}
