//! Deliveries found unknown after a crash: too many pause the issue, and staff are notified of each pause.

use crate::support::house::{BOTH, House, ISSUE, On, Relay, until};

/// A daemon died with so many past the marker. Frozen for twenty, nobody written to.
fn with_in_data(on: On, relay: &Relay, n: usize) -> House {
    let house = House::on(on).set("relay", Relay::nowhere());
    house.import_many(20);
    house.run().expect(1);
    mark(&house, n);
    house.relay(relay)
}

/// So many of the queue are in the hands of a daemon that is dead.
fn mark(house: &House, n: usize) {
    house.sql(&format!(
        "INSERT INTO claims SELECT id, issue, address_hash, attempt + 1, 'a dead one', 1, 1, 1
        FROM deliveries WHERE state = 'queued' ORDER BY id LIMIT {n}"
    ));
}

#[test]
fn many_unknown_deliveries_at_a_restart_pause_the_issue_before_it_continues() {
    for on in BOTH {
        let relay = Relay::start();
        let house = with_in_data(on, &relay, 6);
        house.serve_until("staff are told", || relay.told_staff().len() == 1);
        assert_eq!((house.issue()["state"].as_str(), relay.to_partners()), (Some("paused"), 0), "{on:?}");
        let reason = house.issue()["reason"].to_string();
        assert!(reason.contains("6 envois sont incertains"), "{reason}");

        // A person resumes; as many again are too many again, and staff are told again.
        house.semainier(&["issues", "resume", ISSUE]).expect(0);
        mark(&house, 6);
        house.serve_until("staff are told again", || relay.told_staff().len() == 2);
        assert_eq!(relay.to_partners(), 0);
        house.semainier(&["issues", "resume", ISSUE]).expect(0);
        house.serve_until("the others have it", || relay.to_partners() == 8);
        house.assert_states(&[("sent", 8), ("unknown", 12)]);
        house.judge_at_rest(&relay, 20);
    }
}

#[test]
fn a_few_unknown_deliveries_at_a_restart_do_not_pause_the_issue() {
    for on in BOTH {
        let relay = Relay::start();
        let house = with_in_data(on, &relay, 5);
        house.serve_until("the others have it", || relay.to_partners() == 15);
        house.assert_states(&[("sent", 15), ("unknown", 5)]);
        until("nobody of the staff was written to", || relay.told_staff().is_empty());
    }
}
