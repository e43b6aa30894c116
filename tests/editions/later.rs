//! What leaves at an hour to come: an announcement, and the reminder to those who did not order.

use super::{ANNE, MARIE, Open, PAUL, add, mails, office, way_to_order};
use crate::support::{
    house::{BOTH, House, On, Relay, until},
    sky::Sky,
};
use semainier::domain::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn under_a_sky(on: On, relay: &Relay) -> (House, Sky) {
    let house = office(on, relay);
    std::fs::remove_file(house.path("jobs/agenda.toml")).unwrap();
    let sky = Sky::at(&house.path(""), at("2027-04-01T08:00:00Z"));
    let house = sky.environment().into_iter().fold(house, |house, (name, value)| house.env(name, value));
    (house, sky)
}

#[test]
fn a_scheduled_announcement_is_sent_at_its_hour_or_cancelled() {
    let relay = Relay::start();
    let (house, sky) = under_a_sky(On::Sqlite, &relay);
    add(&house, 1000, "valid_until = \"2027-12-31\"").expect(0);
    let later = |at: &str| house.semainier(&["announce", "carte-2027", "--at", at]);
    later("2027-03-31T09:00").expect(1).expect_said(&["--at is in the past"]);
    later("2028-01-01T09:00").expect(1).expect_said(&["n’est plus valable"]);
    later("2027-04-02T09:00").expect(0).expect_said(&["leaves at 2027-04-02T09:00:00+02:00"]);
    later("2027-04-03T09:00").expect(1).expect_said(&["is announced already, for 2027-04-02T09:00:00+02:00"]);
    house.semainier(&["announce", "carte-2027"]).expect(1).expect_said(&["is announced already"]);
    house
        .semainier(&["announce", "carte-2027", "--cancel"])
        .expect(0)
        .expect_said(&["the announcement of carte-2027 is cancelled"]);
    later("2027-04-02T10:00").expect(0);
    // F12: what is announced is among what comes next.
    let next = house.semainier(&["next"]).expect(0).expect_said(&["editions, announced:", "issue editions/carte-2027"]);
    assert!(next.stdout.contains("Fri 2027-04-02T10:00"), "{}", next.stdout);
    let all = house.semainier(&["next", "editions", "--json"]).expect(0).json();
    assert_eq!(
        (&all[0]["issue"], &all[0]["local"]),
        (&"editions/carte-2027".into(), &"2027-04-02T10:00:00+02:00".into())
    );
    let status = house.semainier(&["status", "--json"]).json();
    assert!(status["next"].as_array().unwrap().iter().any(|it| it["issue"] == "editions/carte-2027"), "{status}");

    // Whatever wakes it, it leaves at its hour.
    house.sql("UPDATE occurrences SET next_try = 1 WHERE state = 'pending'");
    let open = Open::at(&house);
    sky.set(at("2027-04-02T07:30:00Z"));
    let passed = "SELECT COUNT(*) FROM occurrences WHERE state = 'missed'";
    until("the first hour passed", || house.number(passed) == 1);
    assert_eq!(relay.to_partners(), 0);
    sky.set(at("2027-04-02T08:00:10Z"));
    until("it leaves", || relay.to_partners() == 3);
    until("it is done", || house.issue()["state"] == "done");
    open.serve.stop();
    house.judge_at_rest(&relay, 3);
}

#[test]
fn only_partners_without_an_order_are_reminded_once() {
    for on in BOTH {
        let relay = Relay::start();
        let (house, sky) = under_a_sky(on, &relay);
        add(&house, 1000, "reminder_after_days = 10").expect(0);
        house.semainier(&["announce", "carte-2027"]).expect(0);
        let open = Open::at(&house);
        open.post(&way_to_order(&relay, MARIE), "action=order&packs=1&handover=pick_up").expect(200, "C’est fait");
        let paul = way_to_order(&relay, PAUL);
        open.post(&paul, "action=order&packs=1&handover=pick_up").expect(200, "C’est fait");
        until("both are confirmed", || mails(&relay, PAUL).len() == 2 && mails(&relay, MARIE).len() == 2);
        open.post(&paul, "action=cancel").expect(200, "annulée");
        until("the end is confirmed", || mails(&relay, PAUL).len() == 3);

        sky.set(at("2027-04-11T07:59:00Z"));
        until("a day before is looked at", || {
            house.text("SELECT CAST(MAX(seen_at) AS TEXT) FROM daemons").parse::<i64>().unwrap()
                >= at("2027-04-11T07:58:00Z").timestamp_millis()
        });
        assert_eq!(mails(&relay, ANNE).len(), 1, "not before its day");
        sky.set(at("2027-04-11T08:01:10Z"));
        until("she is reminded", || mails(&relay, ANNE).len() == 2);
        let reminder = mails(&relay, ANNE).pop().unwrap();
        assert!(reminder.subject().unwrap().starts_with("Rappel\u{a0}: Carte touristique"), "{:?}", reminder.subject());
        sky.set(at("2027-04-30T08:00:10Z"));
        open.post(&way_to_order(&relay, ANNE), "action=order&packs=1&handover=pick_up").expect(200, "C’est fait");
        until("her order is confirmed", || mails(&relay, ANNE).len() == 3);
        open.serve.stop();
        assert_eq!((mails(&relay, MARIE).len(), mails(&relay, PAUL).len()), (2, 3), "they answered");
        let reminded = house.log().into_iter().filter(|it| it.issue == "editions/carte-2027-rappel");
        assert_eq!(reminded.map(|it| it.address).collect::<Vec<_>>(), [ANNE]);
    }
}

#[test]
fn an_order_placed_before_a_kill_is_confirmed_once_after_the_restart() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        add(&house, 1000, "").expect(0);
        house.semainier(&["announce", "carte-2027"]).expect(0);
        let way = way_to_order(&relay, MARIE);
        // The relay is away: what is ordered is kept, and not confirmed yet.
        let house = house.set("relay", Relay::nowhere());
        let open = Open::at(&house);
        open.post(&way, "action=order&packs=1&handover=pick_up").expect(200, "C’est fait");
        open.serve.signal("KILL");
        open.serve.end();
        let house = house.relay(&relay);
        house.sql("UPDATE deliveries SET next_at = 0 WHERE next_at IS NOT NULL");
        let confirmed = || mails(&relay, MARIE).len() == 2;
        house.serve_until("it is confirmed", confirmed);
        // A second start finds nothing more to say.
        Open::at(&house).serve.stop();
        assert!(confirmed(), "once");
        assert_eq!(house.number("SELECT COUNT(*) FROM orders WHERE confirmed = 1 AND revision = 1"), 1);
    }
}

#[test]
fn a_restored_ledger_repeats_no_confirmation_and_no_announcement() {
    let relay = Relay::start();
    let house = office(On::Sqlite, &relay).set("relay", Relay::nowhere());
    add(&house, 1000, "").expect(0);
    house.semainier(&["announce", "carte-2027"]).expect(1);
    let ids = "(SELECT MIN(id) FROM contacts WHERE address LIKE 'marie@%')";
    house.sql(&format!(
        "INSERT INTO orders SELECT 'abcdefgh', 'carte-2027', id, email_key, address, name, 'Gîte', 'Pavie', '', 1,
         'pick_up', '', 'open', 1, 0, 0, 0, '' FROM contacts WHERE id = {ids}; UPDATE editions SET ordered = 1"
    ));
    let backup = house.path("backup.db");
    house.sql(&format!("VACUUM INTO '{}'", backup.display()));
    let house = house.relay(&relay);
    house.sql("UPDATE deliveries SET next_at = 0 WHERE next_at IS NOT NULL");
    house.serve_until("all is out", || relay.to_partners() == 4);
    for side in ["semainier.db-wal", "semainier.db-shm"] {
        let _ = std::fs::remove_file(house.path(side));
    }
    std::fs::rename(&backup, house.path("semainier.db")).unwrap();
    let is_paused = || relay.told_staff().iter().any(|subject| subject.starts_with("En pause"));
    house.serve_until("staff are told of the pause", is_paused);
    assert_eq!(relay.to_partners(), 4, "nobody twice");
    assert_eq!(
        house.number("SELECT COUNT(*) FROM orders WHERE confirmed = revision AND state = 'open'"),
        1,
        "and it stays ordered"
    );
}

#[test]
fn an_announcement_cancelled_while_it_is_processed_is_sent_to_nobody() {
    let relay = Relay::start();
    let (house, sky) = under_a_sky(On::Sqlite, &relay);
    add(&house, 1000, "").expect(0);
    let meant = ["announce", "carte-2027", "--at", "2027-04-02T10:00", "--segment", "commune = \"Auch\""];
    house.semainier(&meant).expect(0);
    // As the daemon finds it that read the occurrence a moment before: the wish is gone, and with it who was meant.
    house.sql("DELETE FROM announcements");
    sky.set(at("2027-04-02T08:00:10Z"));
    let open = Open::at(&house);
    let missed = "SELECT COUNT(*) FROM occurrences WHERE state = 'missed' AND reason LIKE '%repris%'";
    until("it is settled", || house.number(missed) == 1);
    open.serve.stop();
    assert_eq!((relay.to_partners(), house.issues().len()), (0, 0));
}
