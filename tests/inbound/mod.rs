//! Bounces and complaints, as a mail server hands them to the program: by a pipe, as files, in a Maildir, and by IMAP.

mod dovecot;
mod imap;
mod maildir;
mod mass;

use crate::support::house::{AT, BOTH, Done, House, MONDAY, NEXT_AT, NEXT_MONDAY, Relay, article, finish};
use semainier::{domain::delivery::DeliveryId, tokens::Tokens};
use serde_json::{Value, json};
use std::{io::Write, path::Path, process::Stdio};

const GONE: &str = "gone@partenaire.example";
const FULL: &str = "full@orange.example";
const SLOW: &str = "slow@partenaire.example";
const STRICT: &str = "strict@laposte.example";
const WELL: &str = "well@partenaire.example";

/// A message of `tests/samples/inbound` about a delivery: its return path with the token, its Message-ID, its recipient.
struct About {
    token: String,
    message_id: String,
    address: String,
}

impl About {
    fn new(delivery: &crate::support::house::Delivery) -> Self {
        let message_id = delivery.message_id.trim_matches(['<', '>']).to_owned();
        Self { token: token(&delivery.id), message_id, address: delivery.address.clone() }
    }

    fn sample(&self, name: &str, n: usize) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/inbound").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.replace("{{TOKEN}}", &self.token).replace("{{MESSAGE_ID}}", &self.message_id);
        text.replace("{{ADDRESS}}", &self.address).replace("{{N}}", &n.to_string())
    }
}

/// With the secret of a [`House`].
fn token(id: &str) -> String {
    Tokens::new("a secret for tests".to_owned().into()).return_token(&DeliveryId(id.to_owned()))
}

/// As Postfix pipes it.
fn pipe(house: &House, message: &str) -> Done {
    let args = ["inbound", "read", "-"];
    let mut child = house.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    finish(child, &args)
}

fn feedback(house: &House) -> i64 {
    house.number("SELECT count(*) FROM feedback")
}

fn suppressions(house: &House) -> i64 {
    house.number("SELECT count(*) FROM suppressions")
}

fn of(house: &House, address: &str) -> Value {
    let log = house.semainier(&["log", "--json", "--address", address]).expect(0).json();
    log[0]["feedback"].clone()
}

#[test]
fn s26_s27_what_comes_back_is_recorded_and_only_a_dead_address_is_suppressed() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&[GONE, FULL, SLOW, STRICT, WELL]);
        house.run().expect(0);
        let about = |address: &str| About::new(&house.delivery(address));
        // Of its date only the past is believed.
        let dated = |text: String| text.replace("Sat, 10 Jul 2027", "Fri, 10 Jul 2026");
        let gone = dated(about(GONE).sample("exchange.eml", 1));
        pipe(&house, &gone).expect(0).expect_said(&["bounce, hard; the address is"]);
        pipe(&house, &about(FULL).sample("orange_full.eml", 1)).expect(0).expect_said(&["bounce, soft"]);
        pipe(&house, &about(SLOW).sample("delayed.eml", 1)).expect(0).expect_said(&[": delayed"]);
        pipe(&house, &about(STRICT).sample("laposte_dmarc.eml", 1)).expect(0).expect_said(&["bounce, sender"]);
        // The relay did accept them.
        house.assert_states(&[("sent", 5)]);
        house.judge_at_rest(&relay, 5);
        let said = of(&house, GONE);
        assert_eq!(said[0]["class"], "hard", "{said}");
        assert_eq!((&said[0]["code"], &said[0]["enhanced"]), (&json!(550), &json!("5.1.10")));
        assert_eq!((&said[0]["proof"], &said[0]["at"]), (&json!("return_path"), &json!("2026-07-10T08:05:11+02:00")));
        assert!(said[0]["text"].as_str().unwrap().contains("g***@p***.example"), "{said}");
        let full = of(&house, FULL);
        assert_eq!(full[0]["at"], full[0]["recorded_at"], "an instant to come");
        assert_eq!(of(&house, WELL), json!([]));
        assert_eq!(house.text("SELECT reason FROM suppressions"), "bounce");
        // The same again, by another way, counts once.
        house.write("again.eml", format!("X-Original-To: x@y.example\n{gone}"));
        house.semainier(&["inbound", "read", "again.eml"]).expect(0).expect_said(&["recorded before"]);
        assert_eq!((feedback(&house), suppressions(&house)), (4, 1));
        let table = house.semainier(&["log"]).expect(0).stdout;
        assert!(table.contains("bounce, hard: 550 5.1.10") && table.contains("returned"), "{table}");
        let csv = house.semainier(&["log", "--csv"]).expect(0).stdout;
        let line = csv.lines().find(|line| line.contains("bounce, soft")).unwrap();
        assert!(line.contains(";returned;552;5.1.1;") && line.contains("OFR_417"), "{line}");
        // The next issue goes to all but the dead one.
        house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
        house.assert_states(&[("sent", 9), ("suppressed", 1)]);
        assert_eq!(house.log_where(&["--state", "suppressed"])[0].address, GONE);
    }
}

#[test]
fn s26_bounces_of_exchange_and_qmail_without_a_report_count_as_well() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&[GONE, WELL]);
    house.run().expect(0);
    // No token in it: only the Message-ID, and the address that the delivery went to.
    pipe(&house, &About::new(&house.delivery(GONE)).sample("exchange_fr.eml", 1)).expect_said(&["bounce, hard"]);
    assert_eq!(of(&house, GONE)[0]["proof"], "message_id");
    pipe(&house, &About::new(&house.delivery(WELL)).sample("qmail.eml", 1)).expect_said(&["bounce, hard"]);
    assert_eq!(suppressions(&house), 2);
}

#[test]
fn s26_a_forwarded_mail_bounces_with_another_recipient_and_is_found_by_its_return_path() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&[GONE]);
    house.run().expect(0);
    let about = About { address: "forwarded@elsewhere.example".to_owned(), ..About::new(&house.delivery(GONE)) };
    pipe(&house, &about.sample("orange_gone.eml", 1)).expect(0).expect_said(&["bounce, hard"]);
    assert_eq!(suppressions(&house), 1);
}

#[test]
fn s28_a_forged_bounce_changes_nothing_and_settles_no_unknown_delivery() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&[GONE, WELL]);
        house.run().expect(0);
        house.sql(&format!("UPDATE deliveries SET state = 'unknown' WHERE address = '{GONE}'"));
        let (gone, well) = (house.delivery(GONE), house.delivery(WELL));
        let before = house.everything();
        let other = Tokens::new("another secret".to_owned().into()).return_token(&DeliveryId(gone.id.clone()));
        let mut swapped = token(&gone.id)[..26].to_owned();
        swapped.push_str(&token(&well.id)[26..]);
        let id = About::new(&gone).message_id;
        let guessed = id.replace(&gone.id[20..], "000000000000");
        let foreign = "agenda.1@elsewhere.example".to_owned();
        for (token, message_id, address) in [
            // A token of another key, and one made of two; each with a Message-ID that nobody has.
            (other, guessed.clone(), GONE),
            (swapped, guessed.clone(), GONE),
            // No token; a Message-ID with the right time and the wrong random bits, or of another domain.
            (String::new(), guessed, GONE),
            (String::new(), id.replace("ot.test", "ot2.test"), GONE),
            (String::new(), foreign, GONE),
            // The right one, and a report about somebody else.
            (String::new(), id, WELL),
        ] {
            let about = About { token, message_id, address: address.to_owned() };
            for sample in ["orange_gone.eml", "exchange_fr.eml"] {
                let done = pipe(&house, &about.sample(sample, 1)).expect(0).expect_said(&["ignored: it"]);
                assert!(!done.said().contains("partenaire.example"), "{}", done.said());
            }
        }
        assert_eq!(house.everything(), before, "{on:?}");
        // A genuine one is shown beside the delivery; a person decides.
        pipe(&house, &About::new(&gone).sample("orange_gone.eml", 1)).expect_said(&["bounce, hard"]);
        assert_eq!((house.delivery(GONE).state.as_str(), feedback(&house)), ("unknown", 1));
    }
}

#[test]
fn s29_an_automatic_reply_changes_nothing_and_is_not_answered() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&[WELL]);
    house.run().expect(0);
    let (before, sent) = (house.everything(), relay.seen().accepted.len());
    pipe(&house, &About::new(&house.delivery(WELL)).sample("vacation_fr.eml", 1))
        .expect(0)
        .expect_said(&["an automatic reply"]);
    let real = include_str!("../samples/dsn/autoreply_eloise.eml");
    pipe(&house, real).expect(0).expect_said(&["an automatic reply"]);
    pipe(&house, "From: x@y.example\n\nBonjour, merci !\n").expect(0).expect_said(&["not a bounce"]);
    pipe(&house, "").expect(0).expect_said(&["not a bounce"]);
    assert_eq!((house.everything() == before, relay.seen().accepted.len()), (true, sent));
}

#[test]
fn s30_a_complaint_without_the_address_suppresses_at_once_and_for_good() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&[GONE, WELL]);
        house.run().expect(0);
        let complaint = About::new(&house.delivery(WELL)).sample("arf_redacted.eml", 1);
        // It names somebody else than whom the delivery went to.
        let of_another = complaint.replace("Version: 1", &format!("Version: 1\nOriginal-Rcpt-To: <{GONE}>"));
        pipe(&house, &of_another).expect(0).expect_said(&["ignored: it quotes"]);
        assert_eq!(suppressions(&house), 0);
        pipe(&house, &complaint).expect(0).expect_said(&["complaint; the address is suppressed"]);
        let row = "SELECT reason || ' ' || scope FROM suppressions";
        assert_eq!(house.text(row), "complaint *", "{on:?}");
        assert_eq!(of(&house, WELL)[0]["kind"], "complaint");
        let log = house.semainier(&["log", "--address", WELL]).expect(0);
        log.expect_said(&[
            "returned",
            " complaint",
            &format!("{WELL} gets nothing of all mailings since "),
            ": complaint",
        ]);
        // The office cannot lift it.
        let done = house.semainier(&["partners", "lift", WELL, "--why", "essai"]);
        assert_ne!(done.code, Some(0), "{}", done.said());
        house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
        assert_eq!(house.log_where(&["--state", "suppressed"])[0].address, WELL);
    }
}

#[test]
fn s08_a_mailbox_that_bounces_as_full_so_many_issues_in_a_row_is_suppressed() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("inbound.soft_limit", 3);
    house.import(&[FULL]);
    let weeks = [
        (AT, MONDAY),
        (NEXT_AT, NEXT_MONDAY),
        ("2027-07-24T08:00", "2027-07-26"),
        ("2027-07-31T08:00", "2027-08-02"),
        ("2027-08-07T08:00", "2027-08-09"),
    ];
    for (at, monday) in weeks {
        house.run_at(at, &article(monday)).expect(0);
    }
    let mut log = house.log();
    log.sort_by(|a, b| a.id.cmp(&b.id));
    let bounces = |n: usize| {
        pipe(&house, &About::new(&log[n]).sample("orange_full.eml", n)).expect(0);
        suppressions(&house) == 1
    };
    // Weeks 1 and 2, then 4 and 5 in the wrong order: in week 3 it arrived, or so it seems.
    assert_eq!([bounces(0), bounces(1), bounces(4), bounces(3)], [false; 4]);
    // A second message about the same issue is not another issue.
    pipe(&house, &About::new(&log[4]).sample("orange_full.eml", 44)).expect(0);
    assert_eq!((suppressions(&house), feedback(&house)), (0, 5));
    assert!(bounces(2), "it did not");
    assert_eq!(house.text("SELECT reason FROM suppressions"), "bounce");
    // Once the office lifted it, it takes as many issues again.
    house.semainier(&["partners", "lift", FULL, "--why", "la boîte est vidée"]).expect(0);
    house.run_at("2027-08-14T08:00", &article("2027-08-16")).expect(0);
    let newest = house.log().into_iter().max_by_key(|it| it.id.clone()).unwrap();
    pipe(&house, &About::new(&newest).sample("orange_full.eml", 6)).expect(0).expect_said(&["bounce, soft"]);
    assert_eq!(suppressions(&house), 0);
}

#[test]
fn a_refusal_of_us_is_held_against_nobody_and_staff_see_it() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import_many(3);
    house.run().expect(0);
    for delivery in house.log() {
        pipe(&house, &About::new(&delivery).sample("laposte_dmarc.eml", 1)).expect(0).expect_said(&["bounce, sender"]);
    }
    assert_eq!(suppressions(&house), 0);
    let status = house.semainier(&["status", "--json"]);
    let status = status.json();
    let waits = status["waiting"].to_string();
    assert!(waits.contains("refused_us") && waits.contains("3 bounces"), "{status:#}");
}

#[test]
fn nothing_is_bounced_while_the_ledger_cannot_be_written() {
    let house = House::new();
    house.import_many(1);
    let message = "From: x@y.example\n\nx\n";
    let broken = House::new().set("database", "sqlite://occupied/semainier.db");
    broken.write("occupied", "a file, not a folder");
    pipe(&broken, message).expect(75);
    let wrong = House::new().set("inbound.soft_limit", "many");
    pipe(&wrong, message).expect(75);
    house.semainier(&["inbound", "read", "missing.eml"]).expect(75);
    pipe(&house, message).expect(0);
}

#[test]
fn what_came_back_about_a_person_is_exported_and_erased_with_them() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&[FULL, WELL]);
        house.run().expect(0);
        let about = About::new(&house.delivery(FULL));
        pipe(&house, &about.sample("orange_full.eml", 1)).expect(0);
        house.semainier(&["partners", "export", "--contact", FULL]).expect(0).expect_said(&["OFR_417"]);
        house.semainier(&["partners", "erase", FULL]).expect(0);
        let left = "SELECT count(*) FROM feedback WHERE text <> '' OR address_hash <> ''";
        assert_eq!((feedback(&house), house.number(left)), (1, 0), "{on:?}");
        // What comes after that has no words either.
        pipe(&house, &about.sample("orange_gone.eml", 2)).expect(0);
        assert_eq!((feedback(&house), house.number(left)), (2, 0), "{on:?}");
    }
}
