//! The second channel: a real receiver on loopback, a real program, and a ledger that forgets no alert.

use crate::support::{
    house::{AT, BOTH, House, ISSUE, NEXT_MONDAY, On, Relay, article, until},
    process::Done,
    web::{Reply, Seen, Web},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::os::unix::fs::PermissionsExt;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Whose receiver is this one.
fn office(on: On, receiver: &Web, relay: &Relay) -> House {
    let house = House::on(on).relay(relay).set("alert.webhook", receiver.url("/hook").to_string());
    house.set("alert.webhook_secret", SECRET)
}

/// What the receiver got, checked as a receiver checks it.
fn received(receiver: &Web) -> Vec<(String, Value)> {
    receiver.requests().iter().map(verified).collect()
}

fn verified(seen: &Seen) -> (String, Value) {
    let header = |name: &str| seen.headers.get(name).unwrap_or_else(|| panic!("no {name} in {seen:?}")).clone();
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/hook"));
    assert_eq!(header("content-type"), "application/json");
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let key = BASE64_STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&seen.body);
    assert_eq!(header("webhook-signature"), format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())));
    (id, serde_json::from_slice(&seen.body).unwrap())
}

/// An agenda of the wrong week: held, at the hour of a person's run.
fn hold(house: &House) -> Done {
    house.import(&["marie@gite.example"]);
    house.run_at(AT, &article(NEXT_MONDAY)).expect(3)
}

/// Trial F5: staff were told by mail, through the relay that was broken.
#[test]
fn trial_f05_required_actions_are_alerted_by_webhook_and_so_is_their_end() {
    for on in BOTH {
        let (receiver, relay) = (Web::start(), Relay::start());
        receiver.route("/hook", Reply::status(204));
        let house = office(on, &receiver, &relay);
        hold(&house);
        let daemon = house.serve();
        let taken = || house.number("SELECT count(*) FROM alerts WHERE closed_at IS NOT NULL");
        until("the alert is received", || taken() == 1);
        daemon.stop();
        let [(_, raised)] = &received(&receiver)[..] else { panic!("{:?}", receiver.requests()) };
        assert_eq!(raised["type"], "semainier.finding.raised");
        assert_eq!((&raised["data"]["kind"], &raised["data"]["issue"]), (&json!("held"), &json!(ISSUE)), "{raised}");
        assert!(raised["data"]["summary_fr"].as_str().unwrap().contains("est retenu jusqu’au"), "{raised}");
        assert!(!raised.to_string().contains("marie"), "no partner's address: {raised}");

        // Said once, over restarts too, and then that it is over.
        house.sql("UPDATE issues SET state = 'cancelled', closed_at = 1");
        let daemon = house.serve();
        until("the end is received", || receiver.requests().len() > 1);
        daemon.stop();
        let all = received(&receiver);
        assert_eq!((all.len(), &all[1].1["type"]), (2, &json!("semainier.finding.ended")));
        assert_eq!(all[0].1["data"]["key"], all[1].1["data"]["key"]);
        assert_ne!(all[0].0, all[1].0, "an alert of its own");
        assert_eq!(house.number("SELECT count(*) FROM findings"), 0);
    }
}

#[test]
fn an_undelivered_alert_is_retried_after_a_restart_with_the_same_id() {
    for on in BOTH {
        let (receiver, elsewhere, relay) = (Web::start(), Web::start(), Relay::start());
        // A redirect is no answer, and is not followed.
        receiver.routes(
            "/hook",
            [Reply::status(500), Reply::redirect(elsewhere.url("/hook").as_str()), Reply::status(200)],
        );
        let house = office(on, &receiver, &relay);
        hold(&house);
        for tries in 1..=3 {
            let daemon = house.serve();
            until("it is tried", || receiver.requests().len() == tries);
            until("the try is recorded", || {
                let tried = format!("SELECT count(*) FROM alerts WHERE tries = {tries}");
                house.number(&tried) == 1
            });
            daemon.stop();
            let due = house.number("SELECT min(next_at - created_at) FROM alerts");
            assert!(tries == 3 || due >= 30_000, "not at once: {due} ms");
            house.sql("UPDATE alerts SET next_at = 0");
        }
        assert_eq!(house.number("SELECT count(*) FROM alerts WHERE closed_at IS NOT NULL AND error IS NULL"), 1);
        let ids: Vec<_> = received(&receiver).into_iter().map(|(id, _)| id).collect();
        assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert!(elsewhere.requests().is_empty());
    }
}

#[test]
fn a_finding_that_ended_before_its_alert_is_not_alerted() {
    let (receiver, relay) = (Web::start(), Relay::start());
    receiver.route("/hook", Reply::status(503));
    let house = office(On::Sqlite, &receiver, &relay);
    hold(&house);
    let daemon = house.serve();
    until("it is tried", || house.number("SELECT count(*) FROM alerts WHERE tries = 1") == 1);
    daemon.stop();
    house.sql("UPDATE issues SET state = 'cancelled', closed_at = 1");
    let daemon = house.serve();
    until("nothing is owed", || house.number("SELECT count(*) FROM alerts") == 0);
    daemon.stop();
    assert_eq!(receiver.requests().len(), 1);
}

/// A program that keeps what it is handed, and its environment, in the folder of the house.
fn program(house: &House, does: &str) -> String {
    let out = house.path("told");
    let script = format!("#!/bin/sh\ncat >> '{0}'\nenv > '{0}.env'\n{does}\n", out.display());
    let path = house.write("page", script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn a_command_receives_the_alert_and_no_secret() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    let page = program(&house, "printf '%s' \"$1\" > told.argument");
    let house =
        house.set("alert.command", json!([page, "$(id); rm -rf /"])).env("SEMAINIER__SECRET", "a secret for tests");
    hold(&house);
    let daemon = house.serve();
    until("it is told", || house.number("SELECT count(*) FROM alerts WHERE closed_at IS NOT NULL") == 1);
    daemon.stop();
    let told: Value = serde_json::from_slice(&std::fs::read(house.path("told")).unwrap()).unwrap();
    assert_eq!((&told["data"]["kind"], &told["data"]["severity"]), (&json!("held"), &json!("warning")));
    assert_eq!(std::fs::read_to_string(house.path("told.argument")).unwrap(), "$(id); rm -rf /", "no shell");
    assert!(!std::fs::read_to_string(house.path("told.env")).unwrap().contains("SEMAINIER"));
}

#[test]
fn alert_test_tries_every_channel_and_needs_no_ledger() {
    let (receiver, relay) = (Web::start(), Relay::start());
    receiver.routes("/hook", [Reply::status(200), Reply::status(410)]);
    let house = office(On::Sqlite, &receiver, &relay);
    let page = program(&house, "");
    let house = house.set("alert.command", json!([page]));
    house.semainier(&["alert", "test"]).expect(0).expect_said(&["webhook: delivered", "command: delivered"]);
    assert_eq!(received(&receiver)[0].1["type"], "semainier.test");
    assert!(std::fs::read_to_string(house.path("told")).unwrap().contains("semainier.test"));
    assert!(!house.path("semainier.db").exists());

    let page = program(&house, "echo 'no pager for marie@gite.example' >&2; exit 3");
    let done = house.semainier(&["alert", "test"]).expect(1);
    let done = done.expect_said(&[
        "error: alert.webhook: the receiver answered 410",
        "error: alert.command: ",
        "no pager for",
    ]);
    assert!(!done.said().contains("marie"), "{}", done.said());
    let house = house.set("alert.command", json!([page])).set("alert.timeout", "1s").without("alert.webhook");
    program(&house, "exec sleep 60");
    house.semainier(&["alert", "test"]).expect(1).expect_said(&["did not end within 1 s"]);
    let house = house.without("alert.command");
    house.semainier(&["alert", "test"]).expect(1).expect_said(&["no alert is configured"]);
}
