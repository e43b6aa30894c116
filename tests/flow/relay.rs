//! The relay refuses, drops connections, disappears; and the decisions that only a person can take.

use crate::support::{
    house::{AT, BOTH, House, ISSUE, MONDAY, NEXT_AT, NEXT_MONDAY, Relay, article, finish, until},
    smtp::Options,
};
use std::time::Duration;

#[test]
fn an_unreachable_relay_fails_no_delivery() {
    for on in BOTH {
        let house = House::on(on).set("relay", Relay::nowhere());
        house.import_many(5);
        let done = house.run().expect(1);
        for part in ["the relay accepted no mail; 5 deliveries stay queued", "connect"] {
            assert!(done.stderr.contains(part), "{part:?} is not in\n{}", done.said());
        }
        for delivery in house.log() {
            assert_eq!((delivery.state.as_str(), delivery.attempts.len()), ("queued", 0), "{delivery:#?}");
        }
        assert_eq!(house.issue()["state"], "sending");
        let again = house.run().expect(1).said();
        assert!(!again.contains("was sent already"), "{again}");

        let relay = Relay::start();
        let house = house.relay(&relay);
        house.run().expect(0).expect_said(&["5 = 5 sent"]);
        house.judge_at_rest(&relay, 5);
        house.assert_states(&[("sent", 5)]);
    }
}

#[test]
fn a_relay_that_defers_everyone_fails_no_delivery() {
    let busy = Relay::with(Options { greeting: Some("421 4.3.2 shutting down".to_owned()), ..Options::default() });
    let house = House::new().relay(&busy);
    house.import_many(3);
    house.run().expect(1).expect_said(&["421", "shutting down", "3 deliveries stay queued"]);
    house.assert_states(&[("queued", 3)]);
    assert!(house.log().iter().all(|it| it.attempts.is_empty()));
}

/// The relay's word about us, said of each recipient.
#[test]
fn field_report_1_a_relay_that_refuses_our_name_at_rcpt_fails_no_delivery() {
    for on in BOTH {
        let line = "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname";
        let relay = Relay::with(Options { refuses_everyone: Some(line.to_owned()), ..Options::default() });
        let house = House::on(on).relay(&relay);
        house.import_many(80);
        house.run().expect(4).expect_said(&["le nom de notre serveur (PTR, HELO) n’est pas reconnu"]);
        house.assert_states(&[("queued", 80)]);
        assert_eq!(house.issue()["state"], "paused");
        house.semainier(&["status"]).expect(4).expect_said(&["Helo command rejected"]);
    }
}

#[test]
fn field_report_1_an_issue_that_reached_nobody_is_never_done() {
    for on in BOTH {
        let line = "550 5.1.0 <{to}>: rien pour vous aujourd'hui";
        let relay = Relay::with(Options { refuses_everyone: Some(line.to_owned()), ..Options::default() });
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example", "b@hotel.example", "c@mairie.example"]);
        house.run().expect(4).expect_said(&["les 3 destinataires ont tous été refusés"]);
        house.assert_states(&[("queued", 3)]);
        assert_eq!(house.issue()["state"], "paused");
        // The relay is mended, and a person resumes.
        let relay = Relay::start();
        let house = house.relay(&relay);
        house.semainier(&["issues", "resume", ISSUE]).expect(0);
        house.run().expect(0);
        house.assert_states(&[("sent", 3)]);
        assert_eq!(house.issue()["state"], "done");
    }
}

#[test]
fn a_dead_address_stops_no_other_and_is_suppressed_the_next_week() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example", "f550@gite.example", "b@gite.example"]);
        house.run().expect(0).expect_said(&["3 = 2 sent + 1 failed"]);
        house.judge_at_rest(&relay, 3);
        let refused = house.delivery("f550@gite.example");
        let [attempt] = refused.attempts.as_slice() else { panic!("{refused:#?}") };
        assert_eq!((attempt.phase.as_str(), attempt.code), ("rcpt", Some(550)));
        assert_eq!((attempt.enhanced.as_deref(), attempt.outcome.as_str()), (Some("5.1.1"), "refused"));
        assert!(attempt.text.as_deref().unwrap().contains("user unknown"), "the relay's own words: {attempt:?}");
        assert_eq!(house.issue()["state"], "done");

        house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0).expect_said(&["3 = 2 sent + 1 suppressed"]);
        house.judge_at_rest(&relay, 3);
    }
}

#[test]
fn a_busy_mailbox_is_retried_later_and_others_continue() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["f450@gite.example", "b@gite.example"]);
    house.run().expect(0).expect_said(&["2 = 1 queued + 1 sent", "deliveries are retried from"]);
    let waiting = house.delivery("f450@gite.example");
    assert_eq!((waiting.state.as_str(), waiting.attempts.len()), ("queued", 1));
    assert!(waiting.next_at.is_some(), "{waiting:#?}");
    assert_eq!(waiting.attempts[0].outcome, "deferred");
    house.run().expect(0);
    assert_eq!(house.delivery("f450@gite.example").attempts.len(), 1, "not before its time");
    house.judge_at_rest(&relay, 2);
}

#[test]
fn an_unknown_delivery_is_settled_by_a_person() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example", "dropafter@gite.example", "b@gite.example"]);
        let done = house.run().expect(4);
        assert!(done.stdout.contains("deliveries have an unknown outcome"), "{}", done.said());
        house.assert_states(&[("sent", 2), ("unknown", 1)]);
        house.run().expect(4);
        house.judge_at_rest(&relay, 3);
        assert_eq!(relay.accepted("dropafter@gite.example"), 1, "not sent again by itself");

        let unknown = house.delivery("dropafter@gite.example");
        house.semainier(&["log"]).expect(0).expect_said(&[&format!("deliveries resolve {}", unknown.id)]);
        house.semainier(&["deliveries", "resolve", &unknown.id, "--as", "sent"]).expect(0);
        let resolved = house.delivery("dropafter@gite.example");
        assert_eq!(resolved.state, "sent");
        let last = resolved.attempts.last().unwrap();
        assert_eq!(last.outcome, "resolved");
        assert!(last.text.as_deref().unwrap().contains("nadine"), "who decided it: {last:?}");
        house.run().expect(0);
        house.judge_at_rest(&relay, 3);
        house.semainier(&["deliveries", "resolve", &unknown.id, "--as", "resend"]).expect(1).expect_said(&["is sent"]);
    }
}

#[test]
fn a_resent_message_is_byte_identical() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["dropafter@gite.example", "b@gite.example"]);
        house.run().expect(4);
        let unknown = house.delivery("dropafter@gite.example");
        house.semainier(&["deliveries", "resolve", &unknown.id, "--as", "resend"]).expect(0).expect_said(&["queued"]);
        house.run().expect(4);
        let again = house.delivery("dropafter@gite.example");
        assert_eq!((again.state.as_str(), again.resends), ("unknown", 1));
        assert_eq!(again.message_id, unknown.message_id);
        {
            let seen = relay.seen();
            let both: Vec<_> = seen.accepted.iter().filter(|it| it.recipient.starts_with("dropafter")).collect();
            assert_eq!(both.len(), 2);
            assert_eq!(both[0].message_id, both[1].message_id);
            assert!(both[0].bytes == both[1].bytes, "the bytes differ");
        }
        house.judge_at_rest(&relay, 2);
    }
}

#[test]
fn an_unknown_delivery_can_be_settled_as_failed() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["dropdot@gite.example"]);
    house.run().expect(4);
    let unknown = house.delivery("dropdot@gite.example");
    house.semainier(&["deliveries", "resolve", &unknown.id, "--as", "failed"]).expect(0);
    house.assert_states(&[("failed", 1)]);
    assert_eq!(house.issue()["state"], "done");
    house.run().expect(0);
    house.judge_at_rest(&relay, 1);
}

#[test]
fn settling_a_nonexistent_delivery_says_what_was_expected() {
    let house = House::new();
    let nobody = house.semainier(&["deliveries", "resolve", "x", "--as", "sent"]).expect(1);
    assert!(nobody.stderr.contains("there is no delivery x"), "{}", nobody.said());
    house.semainier(&["deliveries", "resolve", "x", "--as", "perhaps"]).expect(2).expect_said(&["resend"]);
    house.semainier(&["issues", "resume", ISSUE]).expect(1).expect_said(&["there is no issue agenda/2027-W28"]);
    house.semainier(&["issues", "resume", "agenda"]).expect(1).expect_said(&["agenda/2026-W28"]);
}

#[test]
fn a_message_refused_as_spam_fails_and_suppresses_nobody() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["t-ofr506@gite.example", "b@gite.example"]);
    house.run().expect(0).expect_said(&["2 = 1 sent + 1 failed"]);
    assert_eq!(house.delivery("t-ofr506@gite.example").attempts[0].phase, "dot");
    house.judge_at_rest(&relay, 2);
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0).expect_said(&["2 = 1 sent + 1 failed"]);
}

#[test]
fn a_refusal_after_the_dot_affects_no_other_delivery() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["e554@gite.example", "b@gite.example"]);
    let done = house.run();
    assert!(matches!(done.code, Some(0 | 4)), "{}", done.said());
    house.judge_at_rest(&relay, 2);
    let refused = house.delivery("e554@gite.example");
    assert_eq!((refused.attempts[0].phase.as_str(), refused.attempts[0].code), ("dot", Some(554)));
    assert_ne!(refused.state, "sent");
}

/// S16, with a patience that a test has.
#[test]
fn a_relay_that_never_answers_the_dot_leaves_one_unknown_and_delays_no_other() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("delivery.dot_timeout", "1s");
    house.import(&["hang@gite.example", "b@gite.example", "c@gite.example"]);
    house.run().expect(4).expect_said(&["3 = 2 sent + 1 unknown"]);
    house.judge_at_rest(&relay, 3);
}

/// W04: an opt-out that commits while the issue is on its way.
#[test]
fn an_opt_out_while_sending_applies_unless_the_message_is_in_flight() {
    for on in BOTH {
        let relay = Relay::with(Options { round_trip: Duration::from_millis(20), ..Options::default() });
        let house = House::on(on).relay(&relay).set("delivery.connections", 2);
        // Enough that some still wait when the log has been read, on a busy machine too.
        house.import_many(160);
        house.write("article.html", article(MONDAY));
        let args = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
        let run = house.start(&args);
        until("some are sent", || relay.to_partners() > 3);
        let waiting: Vec<_> = house.log_where(&["--state", "queued"]).into_iter().map(|it| it.address).collect();
        let leaving = waiting.last().expect("somebody waits");
        house.semainier(&["partners", "suppress", leaving]).expect(0);
        finish(run, &args).expect(0);
        house.judge_at_rest(&relay, 160);
        house.assert_states(&[("sent", 159), ("suppressed", 1)]);
        assert_eq!(relay.accepted(leaving), 0, "{on:?}");
    }
}

#[test]
fn a_refusal_of_the_sender_pauses_the_issue_until_it_is_resumed() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("delivery.connections", 1);
        house.import(&["t-gmail26@gite.example", "b@gite.example", "c@gite.example"]);
        house.run().expect(4).expect_said(&["paused", "C’est notre configuration qui est en cause"]);
        let refused = house.delivery("t-gmail26@gite.example");
        assert_eq!((refused.state.as_str(), refused.attempts.len()), ("queued", 1), "nobody fails for our sake");
        assert_eq!(house.issue()["state"], "paused");
        assert!(house.issue()["reason"].as_str().unwrap().contains("5.7.26"));
        house.judge_at_rest(&relay, 3);
        let before = relay.to_partners();
        let told = relay.told_staff();
        assert_eq!(told.len(), 1, "{told:?}");
        house.run().expect(4);
        assert_eq!(relay.to_partners(), before, "a paused issue stays where it is");

        // The administrator has mended it: here, by another relay.
        let house = house.env("SEMAINIER__RELAY", "capture:outbox");
        house.semainier(&["issues", "resume", ISSUE]).expect(0).expect_said(&["resumed; `semainier serve`"]);
        house.run().expect(0).expect_said(&["3 = 3 sent"]);
        let captured = std::fs::read_dir(house.path("outbox")).unwrap().count();
        assert_eq!(captured + before, 3);
        assert_eq!(house.issue()["state"], "done");
    }
}

#[test]
fn a_cancelled_issue_sends_nothing_more() {
    let house = House::new().set("relay", Relay::nowhere());
    house.import_many(3);
    house.run().expect(1);
    house.semainier(&["issues", "cancel", ISSUE]).expect(0);
    house.assert_states(&[("cancelled", 3)]);
    let relay = Relay::start();
    let house = house.relay(&relay);
    house.run().expect(1).expect_said(&["is cancelled: no more of it is sent"]);
    house.judge_at_rest(&relay, 3);
    assert_eq!(relay.to_partners(), 0);
    house.semainier(&["issues", "resume", ISSUE]).expect(1).expect_said(&["is cancelled"]);
}

#[test]
fn a_relay_that_allows_two_connections_gets_two() {
    let relay = Relay::with(Options { max_connections: 2, ..Options::default() });
    let house = House::new().relay(&relay).set("delivery.connections", 5);
    house.import_many(40);
    house.run().expect(0).expect_said(&["40 = 40 sent"]);
    house.judge_at_rest(&relay, 40);
    assert!(relay.numbers().peak <= 2);
}

#[test]
fn the_same_issue_again_with_a_new_partner_sends_nothing() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["a@gite.example"]);
    house.run_at("2027-07-10T08:00", &article(MONDAY)).expect(0);
    house.import(&["b@gite.example"]);
    // The recipients are those of the freeze; another hour of the same week is the same issue.
    house.run_at("2027-07-10T09:30", &article(MONDAY)).expect(0).expect_said(&["nothing was sent twice"]);
    house.judge_at_rest(&relay, 1);
}
