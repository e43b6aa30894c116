//! Servers that misbehave, refuse, or are somebody else; and how that is told.

use super::{ALL, DONE, Fault, OTHER, PASSWORD, Server, Tls, USER, fill, sent_to, with_many, with_server};
use crate::inbound::{About, FULL, GONE, WELL, feedback};
use crate::support::house::{BOTH, House, On, Relay, finish, signal, until};

#[test]
fn a_server_that_can_neither_move_nor_mark_is_left_alone() {
    let (relay, server) = (Relay::start(), Server::with(Tls::None, &["IMAP4rev1", "AUTH=PLAIN"]));
    let house = sent_to(On::Sqlite, &relay, &server, &[FULL]);
    server.state().keywords = false;
    server.put(About::new(&house.delivery(FULL)).sample("orange_full.eml", 1));
    house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["neither be moved nor marked"]);
    assert_eq!((feedback(&house), server.heard("UID FETCH")), (0, 0), "it would be read again and again");
}

#[test]
fn a_message_that_cannot_be_read_is_left_and_the_others_are_read() {
    for fault in [
        Fault::Drops,
        Fault::Refused,
        Fault::Bad,
        Fault::Huge,
        Fault::TooMuch,
        Fault::Garbage,
        Fault::Panics,
        Fault::Omitted,
    ] {
        let (relay, server) = (Relay::start(), Server::start());
        let house = with_many(On::Sqlite, &relay, &server, 5);
        assert_eq!(fill(&house, &server, 3), 15);
        server.state().faults.insert(8, fault);
        let done = house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["1 messages were left"]);
        assert!(!done.said().contains("privat.example"), "{}", done.said());
        assert_eq!((feedback(&house), server.count(DONE)), (14, 14), "{fault:?}: {}", done.said());
        assert_eq!(server.flags("INBOX"), [(8, String::new())], "{fault:?}");
        // Once it can be read, it is.
        server.state().faults.clear();
        house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["1 recorded"]);
        assert_eq!((feedback(&house), server.count("INBOX")), (15, 0), "{fault:?}");
        server.judge();
    }
}

#[test]
fn an_empty_message_and_a_connection_that_breaks_once_stop_nothing() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = with_many(On::Sqlite, &relay, &server, 5);
    assert_eq!(fill(&house, &server, 3), 15);
    server.state().drops_once = true;
    server.state().faults.insert(8, Fault::Nil);
    house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["14 recorded, 0 recorded before, 1 ignored"]);
    assert_eq!((server.count("INBOX"), server.count(DONE), server.count(OTHER)), (0, 14, 1));
    assert_eq!(server.logins(), 2);
    server.judge();
}

#[test]
fn a_server_that_breaks_at_every_message_is_given_up_before_long() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = with_many(On::Sqlite, &relay, &server, 20);
    assert_eq!(fill(&house, &server, 1), 20);
    server.state().faults.extend((1..=20).map(|uid| (uid, Fault::Drops)));
    house.semainier(&["inbound", "drain"]).expect(1);
    assert_eq!(feedback(&house), 0);
    assert!(server.logins() <= 12, "{} logins", server.logins());
}

#[test]
fn a_move_that_moves_nothing_does_not_read_forever() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = with_many(On::Sqlite, &relay, &server, 5);
    assert_eq!(fill(&house, &server, 1), 5);
    server.state().pretends = true;
    house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["5 messages were left", "still there"]);
    assert_eq!((feedback(&house), server.heard("UID FETCH")), (5, 1));
}

#[test]
fn messages_that_another_reader_moves_in_the_meantime_stop_nothing() {
    for capabilities in [ALL, &["IMAP4rev1", "AUTH=PLAIN", "UIDPLUS"]] {
        let (relay, server) = (Relay::start(), Server::with(Tls::None, capabilities));
        let house = with_many(On::Sqlite, &relay, &server, 20);
        assert_eq!(fill(&house, &server, 5), 100);
        server.state().contended = 5;
        house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["100 recorded"]);
        assert_eq!((feedback(&house), server.count("INBOX"), server.count(DONE)), (100, 0, 100));
        server.judge();
    }
}

#[test]
fn new_uids_in_the_middle_of_a_pass_lose_nothing_and_count_nothing_twice() {
    for on in BOTH {
        let (relay, server) = (Relay::start(), Server::start());
        let house = with_many(on, &relay, &server, 50);
        assert_eq!(fill(&house, &server, 4), 200);
        server.state().renumbers_after = Some(1);
        let done = house.semainier(&["inbound", "drain"]);
        // The UIDs of the same connection may have become those of others, or of none: what is left is read by the next pass.
        assert!(matches!(done.code, Some(0 | 1)), "{}", done.said());
        house.semainier(&["inbound", "drain"]).expect(0);
        assert_eq!((feedback(&house), server.count("INBOX"), server.count(DONE)), (200, 0, 200), "{on:?}");
        server.judge();
    }
}

#[test]
fn what_the_server_says_is_told_without_addresses_and_nothing_is_lost() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = sent_to(On::Sqlite, &relay, &server, &[FULL]);
    server.put(About::new(&house.delivery(FULL)).sample("orange_full.eml", 1));
    for (begin, answer, said) in [
        ("SELECT", "TAG BAD retours@lettre.ot.test is not well", "opening the folder of bounces was refused"),
        ("SELECT", "* BYE going down for retours@lettre.ot.test", "the server ends the connection: going down"),
        ("SELECT", "TAG OK [READ-ONLY] selected", "can only be read"),
        ("UID SEARCH", "TAG NO not now", "looking for messages was refused: not now"),
        ("UID MOVE", "TAG NO [OVERQUOTA] full", "moving messages was refused: [OVERQUOTA] full"),
        ("CAPABILITY", "no imap at all", "cannot be read"),
        ("AUTHENTICATE", "TAG NO [UNAVAILABLE] later", "does not let us in now"),
    ] {
        server.state().answers = vec![(begin, answer)];
        let done = house.semainier(&["inbound", "drain"]);
        if answer.contains("READ-ONLY") {
            // Without EXISTS the folder is empty; it is refused all the same.
            done.expect(1).expect_said(&[said]);
            continue;
        }
        let done = done.expect(1).expect_said(&[said]);
        assert!(!done.said().contains(USER) && !done.said().contains("geheim"), "{}", done.said());
        assert_eq!(server.count("INBOX"), 1, "{answer}");
    }
    server.state().answers.clear();
    server.state().greeting = "* BYE too many connections of retours@lettre.ot.test".to_owned();
    let done = house.semainier(&["inbound", "drain"]).expect(1);
    done.expect_said(&["does not let us in now", "too many connections"]);
    server.state().greeting = "SSH-2.0-OpenSSH".to_owned();
    house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["the greeting", "cannot be read"]);
    server.state().greeting = "* OK ready".to_owned();
    house.semainier(&["inbound", "drain"]).expect(0);
    assert_eq!((feedback(&house), server.count("INBOX")), (1, 0));
    server.judge();
}

#[test]
fn the_connection_is_encrypted_and_the_server_is_who_it_should_be() {
    for tls in [Tls::Implicit, Tls::Starttls] {
        let (relay, server) = (Relay::start(), Server::with(tls, ALL));
        let word = if tls == Tls::Implicit { "implicit" } else { "starttls" };
        let house = sent_to(On::Sqlite, &relay, &server, &[FULL]);
        let house = house.set("inbound.imap.tls", word).set("inbound.imap.host", "localhost");
        server.put(About::new(&house.delivery(FULL)).sample("orange_full.eml", 1));
        let words = ["nobody this system trusts has signed", "inbound.imap.ca_file"];
        house.semainier(&["inbound", "drain"]).expect(1).expect_said(&words);
        assert_eq!(server.logins(), 0, "no password for a stranger");
        house.write("imap.pem", &server.certificate);
        let house = house.set("inbound.imap.ca_file", "imap.pem");
        // What somebody on the way says before TLS counts for nothing.
        server.state().injects = Some("* CAPABILITY IMAP4rev1\r\n* PREAUTH hello\r\n");
        house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["1 recorded"]);
        assert_eq!((server.heard("UID MOVE"), server.logins()), (1, 1));
        server.judge();
        if tls == Tls::Starttls {
            for (greeting, answers) in [
                ("* PREAUTH you are in", vec![]),
                ("* OK ready", vec![("STARTTLS", "TAG BAD no TLS here")]),
                ("* OK ready", vec![("STARTTLS", "TAG NO no TLS here")]),
            ] {
                server.state().greeting = greeting.to_owned();
                server.state().answers = answers;
                house.semainier(&["inbound", "drain"]).expect(1);
            }
            assert_eq!(server.logins(), 1);
        }
    }
}

#[test]
fn the_login_takes_what_the_server_offers() {
    for (capabilities, password, code) in [
        (&["IMAP4rev1", "AUTH=PLAIN", "SASL-IR", "MOVE"][..], PASSWORD, 0),
        (&["IMAP4rev1", "AUTH=PLAIN", "MOVE"], PASSWORD, 0),
        (&["IMAP4rev1", "AUTH=PLAIN", "LOGINDISABLED", "MOVE"], PASSWORD, 0),
        (&["IMAP4rev1", "MOVE"], r#"ge"heim\ 7"#, 0),
        // LOGIN cannot carry it.
        (&["IMAP4rev1", "MOVE"], PASSWORD, 1),
        (&["IMAP4rev1", "LOGINDISABLED", "AUTH=XOAUTH2", "MOVE"], PASSWORD, 1),
    ] {
        let server = Server::with(Tls::None, capabilities);
        let house = with_server(House::new(), &server);
        house.import(&[WELL]);
        server.state().password = password.to_owned();
        house.write("imap-password", password);
        let done = house.semainier(&["inbound", "drain"]);
        assert_eq!(done.code, Some(code), "{capabilities:?}: {}", done.said());
        assert_eq!(server.logins(), usize::from(code == 0), "{capabilities:?}");
        server.judge();
    }
}

#[test]
fn a_refused_password_is_told_at_once_and_not_tried_again_before_it_is_another_one() {
    for on in BOTH {
        let (relay, server) = (Relay::start(), Server::start());
        let house = sent_to(on, &relay, &server, &[FULL]);
        server.put(About::new(&house.delivery(FULL)).sample("orange_full.eml", 1));
        house.write("imap-password", "wrong");
        // Whatever a person asks of the log: no password, no message, no address.
        let house =
            house.set("log.level", "trace,async_imap=trace,async_imap::imap_stream=trace,sqlx=warn,h2=warn,hyper=warn");
        let daemon = house.start(&["serve"]);
        let trouble = "SELECT count(*) FROM mailboxes WHERE name = 'imap' AND trouble LIKE '%login is refused%'";
        until("it is noted", || house.number(trouble) == 1);
        let waits = house.semainier(&["status", "--json"]).json()["waiting"].to_string();
        assert!(waits.contains("mailbox_unread") && waits.contains("password_file"), "{waits}");
        assert!(!house.text("SELECT trouble FROM mailboxes").contains(USER));
        std::thread::sleep(std::time::Duration::from_secs(3));
        assert_eq!(server.logins(), 1, "no hammering");
        house.write("imap-password", PASSWORD);
        until("it is read", || feedback(&house) == 1);
        until("it is noted", || house.number("SELECT count(*) FROM mailboxes WHERE failing_since IS NULL") == 1);
        assert_eq!((server.logins(), server.count(DONE)), (2, 1));
        signal(daemon.id(), "TERM");
        let done = finish(daemon, &["serve"]).expect(0);
        for secret in [USER, "geheim", "wrong", "OFR_417", FULL, &base64_of_login()] {
            assert!(!done.said().contains(secret), "{secret} is in the log:\n{}", done.said());
        }
        server.judge();
    }
}

fn base64_of_login() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(format!("\0{USER}\0"))[..20].to_owned()
}

#[test]
fn a_mailbox_by_imap_that_cannot_be_read_for_a_day_is_reported() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&[WELL]);
    let server = Server::start();
    let house = with_server(house, &server);
    server.state().greeting = "* BYE under maintenance".to_owned();
    let daemon = house.start(&["serve"]);
    until("it is noted", || house.number("SELECT count(*) FROM mailboxes WHERE trouble LIKE '%maintenance%'") == 1);
    signal(daemon.id(), "TERM");
    finish(daemon, &["serve"]).expect(0);
    let waits = |house: &House| house.semainier(&["status", "--json"]).json()["waiting"].to_string();
    assert!(!waits(&house).contains("mailbox_unread"), "not yet");
    house.sql("UPDATE mailboxes SET failing_since = failing_since - 90000000");
    assert!(waits(&house).contains("mailbox_unread"), "{}", waits(&house));
    house.semainier(&["check"]).expect_said(&["inbound.imap", "under maintenance"]);
    // What is no longer configured is not missed.
    let house = house
        .without("inbound.imap.host")
        .without("inbound.imap.port")
        .without("inbound.imap.tls")
        .without("inbound.imap.user")
        .without("inbound.imap.password_file")
        .set("inbound.maildir", "boite");
    assert!(!waits(&house).contains("mailbox_unread"), "{}", waits(&house));
}

#[test]
fn both_mailboxes_are_read_even_if_one_cannot_be() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = sent_to(On::Sqlite, &relay, &server, &[GONE, WELL]).set("inbound.maildir", "missing");
    server.put(About::new(&house.delivery(GONE)).sample("qmail.eml", 1));
    let done = house.semainier(&["inbound", "drain"]).expect(1);
    done.expect_said(&["missing/new", "1 recorded, 0 recorded before, 0 ignored"]);
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_is_silent() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = sent_to(On::Sqlite, &relay, &server, &[WELL]);
    server.put("From: a@b.example\n\nBonjour !\n");
    server.state().answers = vec![("UID SEARCH", "* OK later")];
    let daemon = house.start(&["serve"]);
    until("it has asked", || server.heard("UID SEARCH") == 1);
    signal(daemon.id(), "TERM");
    finish(daemon, &["serve"]).expect(0);
}
