//! A mailbox by IMAP: everything once, in bounded memory, whatever the server can do, whoever dies and whoever else reads.

use super::{About, FULL, GONE, WELL, feedback, suppressions};
use crate::support::{
    house::{BOTH, House, On, Relay, finish, signal, until},
    imap::{ALL, Fault, PASSWORD, Server, Tls, USER},
};
use std::{collections::BTreeSet, fs};

/// The configuration of this server, in clear on this machine.
fn with_server(house: House, server: &Server) -> House {
    house.write("imap-password", format!("{PASSWORD}\n"));
    house
        .set("inbound.imap.host", "127.0.0.1")
        .set("inbound.imap.port", server.address.port())
        .set("inbound.imap.tls", "none")
        .set("inbound.imap.user", USER)
        .set("inbound.imap.password_file", "imap-password")
}

/// And an issue that these partners got.
fn sent_to(on: On, relay: &Relay, server: &Server, people: &[&str]) -> House {
    let house = with_server(House::on(on).relay(relay), server);
    house.import(people);
    house.run().expect(0);
    house
}

fn with_many(on: On, relay: &Relay, server: &Server, partners: usize) -> House {
    let house = with_server(House::on(on).relay(relay), server);
    house.import_many(partners);
    house.run().expect(0);
    house
}

/// So many different bounces of full mailboxes about each delivery.
fn fill(house: &House, server: &Server, each: usize) -> usize {
    let mut n = 0;
    for delivery in house.log() {
        let about = About::new(&delivery);
        for _ in 0..each {
            server.put(about.sample("orange_full.eml", n));
            n += 1;
        }
    }
    n
}

const DONE: &str = "semainier-done";
const OTHER: &str = "semainier-other";

/// Drains the mailbox, and returns the most memory that it took, in kilobytes.
fn drained(house: &House, said: &str) -> u64 {
    let child = house.start(&["inbound", "drain"]);
    let (id, peak) = (child.id(), std::cell::Cell::new(0));
    until("it has ended", || {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let value =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        let kilobytes = value("VmHWM:").trim_end_matches(" kB").parse().unwrap_or(0);
        peak.set(peak.get().max(kilobytes));
        status.is_empty() || value("State:").starts_with('Z')
    });
    finish(child, &["inbound", "drain"]).expect(0).expect_said(&[said]);
    println!("peak: {} kB", peak.get());
    peak.get()
}

#[test]
fn s31_ten_thousand_bounces_by_imap_are_read_once_and_in_bounded_memory() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = with_many(On::Sqlite, &relay, &server, 500);
    assert_eq!(fill(&house, &server, 20), 10_000);
    let peak = drained(&house, "10000 recorded, 0 recorded before, 0 ignored");
    assert!((10_000..100_000).contains(&peak), "{peak} kB");
    assert_eq!((feedback(&house), suppressions(&house)), (10_000, 0));
    assert_eq!((server.count("INBOX"), server.count(DONE), server.count(OTHER)), (0, 10_000, 0), "none is lost");
    server.judge();
}

#[test]
fn s31_a_batch_of_large_messages_by_imap_is_not_kept_in_memory() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = with_many(On::Sqlite, &relay, &server, 3);
    // What is cut off is a copy of ours. One batch, of 64 MiB as far as it is read.
    for (n, delivery) in (0..20).flat_map(|_| house.log()).chain(house.log()).enumerate() {
        let about = About::new(&delivery);
        server.put(format!("{}\n{}", about.sample("orange_full.eml", n), "x".repeat(2 << 20)));
    }
    // Of one delivery no more than 20 are recorded.
    let peak = drained(&house, "60 recorded, 3 recorded before, 0 ignored");
    assert!((10_000..80_000).contains(&peak), "{peak} kB");
    assert_eq!((feedback(&house), server.count(DONE)), (60, 63));
    server.judge();
}

#[cfg(feature = "failpoints")]
#[test]
fn s31_a_reader_by_imap_that_dies_before_it_moves_what_it_read_counts_nothing_twice() {
    for on in BOTH {
        for capabilities in [ALL, &["IMAP4rev1", "AUTH=PLAIN", "UIDPLUS"], &["IMAP4rev1", "AUTH=PLAIN"]] {
            let (relay, server) = (Relay::start(), Server::with(Tls::None, capabilities));
            let house = with_many(on, &relay, &server, 30);
            assert_eq!(fill(&house, &server, 3), 90);
            let house = house.env("SEMAINIER_FAILPOINT", "after_feedback_recorded");
            let died = house.semainier(&["inbound", "drain"]);
            assert_eq!(died.signal, Some(6), "{}", died.said());
            let recorded = feedback(&house);
            assert!(recorded > 0 && recorded < 90, "{recorded}");
            assert!(server.flags("INBOX").iter().all(|(_, flags)| flags.is_empty()), "nothing was moved or marked");
            assert_eq!(server.count("INBOX"), 90);
            let house = house.env("SEMAINIER_FAILPOINT", "");
            let said = format!("{} recorded, {recorded} recorded before", 90 - recorded);
            house.semainier(&["inbound", "drain"]).expect(0).expect_said(&[&said]);
            assert_eq!((feedback(&house), server.count("INBOX") + server.count(DONE)), (90, 90), "{on:?}");
            house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["0 recorded, 0 recorded before, 0 ignored"]);
            server.judge();
        }
    }
}

#[test]
fn s31_two_readers_of_one_mailbox_by_imap_record_everything_once() {
    for on in BOTH {
        let (relay, server) = (Relay::start(), Server::start());
        let house = with_many(on, &relay, &server, 60);
        assert_eq!(fill(&house, &server, 10), 600);
        let readers = [(); 2].map(|()| house.start(&["inbound", "drain"]));
        let recorded: i64 = readers
            .map(|child| {
                let done = finish(child, &["inbound", "drain"]).expect(0);
                done.stdout.split(' ').next().unwrap().parse::<i64>().unwrap()
            })
            .iter()
            .sum();
        assert_eq!((recorded, feedback(&house)), (600, 600), "{on:?}");
        assert_eq!((server.count("INBOX"), server.count(DONE)), (0, 600));
        server.judge();
    }
}

#[test]
fn messages_are_moved_or_copied_or_marked_and_never_deleted_for_good() {
    for (capabilities, stays) in [
        (&["IMAP4rev1", "AUTH=PLAIN", "MOVE"][..], false),
        (&["IMAP4rev1", "AUTH=PLAIN", "SASL-IR", "UIDPLUS"], false),
        (&["IMAP4rev1", "AUTH=PLAIN"], true),
    ] {
        let (relay, server) = (Relay::start(), Server::with(Tls::None, capabilities));
        let house = sent_to(On::Sqlite, &relay, &server, &[GONE, WELL]);
        let (gone, well) = (About::new(&house.delivery(GONE)), About::new(&house.delivery(WELL)));
        server.put(gone.sample("qmail.eml", 1));
        server.put(well.sample("vacation_fr.eml", 1));
        let question = server.put("From: a@b.example\nSubject: Une question\n\nBonjour !\n");
        server.put("");
        let done = house.semainier(&["inbound", "drain"]).expect(0);
        done.expect_said(&["1 recorded, 0 recorded before, 3 ignored"]);
        assert_eq!((feedback(&house), suppressions(&house)), (1, 1));
        let (inbox, seen) = (server.flags("INBOX"), |flags: &str| flags.contains("\\Seen"));
        if stays {
            let marked = |wanted: &str| inbox.iter().filter(|(_, flags)| flags.contains(wanted)).count();
            assert_eq!((marked("$SemainierDone"), marked("$SemainierOther"), inbox.len()), (2, 2, 4), "{inbox:?}");
            assert!(inbox.iter().all(|(uid, flags)| seen(flags) == (*uid < question)), "{inbox:?}");
            assert_eq!(server.count(DONE), 0);
        } else {
            assert_eq!(inbox, [], "{capabilities:?}");
            assert!(server.flags(DONE).iter().all(|(_, flags)| seen(flags)), "{:?}", server.flags(DONE));
            assert!(server.flags(OTHER).iter().all(|(_, flags)| !seen(flags)), "unread, for a person");
            assert_eq!((server.count(DONE), server.count(OTHER)), (2, 2));
        }
        // What a person marked as deleted is theirs.
        let deleted = BTreeSet::from(["\\Deleted".to_owned()]);
        server.put(gone.sample("qmail.eml", 2));
        server.state().folders.get_mut("INBOX").unwrap().last_mut().unwrap().flags = deleted;
        house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["0 recorded, 0 recorded before, 0 ignored"]);
        server.judge();
    }
}

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
fn folders_are_made_below_inbox_where_the_server_wants_it_and_may_have_any_name() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = sent_to(On::Sqlite, &relay, &server, &[FULL]);
    let about = About::new(&house.delivery(FULL));
    server.put(about.sample("orange_full.eml", 1));
    server.state().answers.push(("CREATE \"semainier", "TAG NO [CANNOT] only below INBOX"));
    house.semainier(&["inbound", "drain"]).expect(0);
    assert_eq!((server.count("INBOX"), server.count("INBOX.semainier-done")), (0, 1));
    // In modified UTF-7; and one that somebody named is not replaced by another.
    server.put(about.sample("orange_full.eml", 2));
    let house = house.set("inbound.imap.done_folder", "Lus & été").set("inbound.imap.other_folder", "À \"voir\"");
    house.semainier(&["inbound", "drain"]).expect(0);
    assert_eq!(server.count("Lus &- &AOk-t&AOk-"), 1);
    assert_eq!(server.heard("CREATE \"&AMA- \\\"voir\\\"\""), 1, "{:?}", server.state().heard);
    server.put(about.sample("orange_full.eml", 3));
    server.state().answers.push(("CREATE \"ailleurs", "TAG NO [NOPERM] not you, retours@lettre.ot.test"));
    let house = house.set("inbound.imap.done_folder", "ailleurs");
    let done = house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["making a folder was refused", "NOPERM"]);
    assert!(!done.said().contains(USER), "{}", done.said());
    assert_eq!((feedback(&house), server.count("INBOX")), (2, 1), "nothing is read that cannot be put away");
    // Where bounces arrive may be called so, too.
    let house = house.set("inbound.imap.folder", "Lus & été").set("inbound.imap.done_folder", "plus loin");
    house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["0 recorded, 1 recorded before, 0 ignored"]);
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
fn the_daemon_is_told_of_new_messages_and_keeps_one_connection() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = sent_to(On::Sqlite, &relay, &server, &[GONE, WELL]);
    let (gone, well) = (About::new(&house.delivery(GONE)), About::new(&house.delivery(WELL)));
    let daemon = house.start(&["serve"]);
    until("it waits", || server.state().idling == 1);
    assert_eq!(house.number("SELECT count(*) FROM mailboxes WHERE name = 'imap' AND read_at > 0"), 1);
    server.put(gone.sample("qmail.eml", 1));
    until("it was read", || server.count(DONE) == 1 && server.state().idling == 1);
    server.put("From: a@b.example\nSubject: Une question\n\nBonjour !\n");
    until("it was read", || server.count(OTHER) == 1 && server.state().idling == 1);
    server.put(well.sample("orange_full.eml", 1));
    until("it was read", || server.count(DONE) == 2 && server.state().idling == 1);
    assert_eq!((feedback(&house), server.logins()), (2, 1));
    assert!(server.heard("UID FETCH") == 3 && server.heard("DONE") == 3, "{:?}", server.state().heard);
    // Stopping does not wait for the server.
    signal(daemon.id(), "TERM");
    finish(daemon, &["serve"]).expect(0);
    until("it has said goodbye", || server.heard("LOGOUT") == 1);
    server.judge();
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

/// The doctor's lines about the mailbox, without its DNS.
fn doctor(house: &House) -> String {
    let dns = crate::support::dns::DnsServer::start(crate::support::dns::Zone::default());
    let done = house.semainier(&["doctor", "--nameserver", &dns.address.to_string(), "--json"]);
    let report = done.json();
    let checks = report["checks"].as_array().unwrap();
    let of: Vec<_> = checks.iter().filter(|it| it["topic"] == "mailbox").map(ToString::to_string).collect();
    of.join("\n")
}

#[test]
fn the_doctor_says_whether_the_mailbox_can_be_opened_and_what_to_ask() {
    let (relay, server) = (Relay::start(), Server::start());
    let house = with_server(House::new().relay(&relay), &server);
    house.import(&[WELL]);
    server.put("From: a@b.example\n\nBonjour !\n");
    let said = doctor(&house);
    assert!(said.contains("there are 1 messages in it") && said.contains("MOVE") && said.contains("IDLE"), "{said}");
    assert!(!said.contains(r#""verdict":"bad""#) && !said.contains(r#""verdict":"warning""#), "{said}");
    assert_eq!((server.count("INBOX"), server.heard("UID"), server.heard("CREATE")), (1, 0, 0), "it only looks");
    server.state().capabilities = vec!["IMAP4rev1", "AUTH=PLAIN"];
    let said = doctor(&house);
    assert!(said.contains(r#""verdict":"warning""#) && said.contains("RFC 6851"), "{said}");
    server.state().login_says = Some("[AUTHENTICATIONFAILED] no".to_owned());
    let said = doctor(&house);
    assert!(
        said.contains("the login is refused") && said.contains("ask the provider whether IMAP is allowed"),
        "{said}"
    );
    let house = house.set("inbound.imap.folder", "Ailleurs");
    server.state().login_says = None;
    assert!(doctor(&house).contains("NONEXISTENT"));
    std::fs::remove_file(house.path("imap-password")).unwrap();
    assert!(doctor(&house).contains("the password cannot be read"));
    server.judge();
}

mod waiting {
    //! Through the library, since a test waits no nine minutes.

    use super::*;
    use crate::support::{house::block_on, ledger::Ledger};
    use semainier::{
        clock::Clock,
        inbound::{
            Inbox,
            imap::{self, Mailbox, Timing},
        },
        secret::Credential,
        tokens::Tokens,
        trust::Authorities,
    };
    use std::time::Duration;
    use tokio_util::sync::CancellationToken;

    fn timing() -> Timing {
        let short = Duration::from_millis(200);
        Timing { connect: Duration::from_secs(5), answer: Duration::from_secs(5), idle: short, poll: short }
    }

    fn settings(server: &Server) -> imap::Settings {
        imap::Settings {
            host: "127.0.0.1".to_owned(),
            port: server.address.port(),
            tls: imap::Tls::None,
            user: USER.to_owned(),
            password: Credential::Given { value: PASSWORD.to_owned().into(), place: "test".to_owned() },
            authorities: Authorities::default(),
            folder: "INBOX".to_owned(),
            done: None,
            other: None,
        }
    }

    #[test]
    fn idle_is_begun_again_in_time_and_without_it_the_folder_is_looked_into() {
        for (capabilities, idles) in [(ALL, 3), (&["IMAP4rev1", "AUTH=PLAIN", "MOVE"], 0)] {
            let server = Server::with(Tls::None, capabilities);
            block_on(async {
                let ledger = Ledger::sqlite().await;
                let tokens = Tokens::new("a secret for tests".to_owned().into());
                let inbox = Inbox { store: &*ledger.store, tokens: &tokens, soft_limit: 5 };
                let (clock, stop) = (Clock::System, CancellationToken::new());
                let mut mailbox = Mailbox::new(settings(&server), timing());
                for _ in 0..3 {
                    mailbox.drain(inbox, &clock, &stop).await.unwrap();
                    mailbox.wait(&clock, &stop, || false).await.unwrap();
                }
                assert_eq!((server.heard("IDLE"), server.heard("DONE")), (idles, idles));
                assert_eq!((server.heard("SELECT"), server.logins()), (3, 1), "one connection");
                // It ends when it should, not when it is time.
                let mut mailbox =
                    Mailbox::new(settings(&server), Timing { idle: Duration::from_secs(600), ..timing() });
                mailbox.drain(inbox, &clock, &stop).await.unwrap();
                let stopped = stop.clone();
                let (waited, ()) = tokio::join!(mailbox.wait(&clock, &stop, || false), async {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    stopped.cancel();
                });
                waited.unwrap();
            });
            server.judge();
        }
    }

    #[test]
    fn a_connection_that_ends_while_waiting_is_an_error_and_the_next_pass_opens_another() {
        let server = Server::start();
        block_on(async {
            let ledger = Ledger::sqlite().await;
            let tokens = Tokens::new("a secret for tests".to_owned().into());
            let inbox = Inbox { store: &*ledger.store, tokens: &tokens, soft_limit: 5 };
            let (clock, stop) = (Clock::System, CancellationToken::new());
            let mut mailbox = Mailbox::new(settings(&server), Timing { idle: Duration::from_secs(600), ..timing() });
            mailbox.drain(inbox, &clock, &stop).await.unwrap();
            server.state().closes = true;
            mailbox.wait(&clock, &stop, || false).await.unwrap_err();
            server.state().closes = false;
            server.put("From: a@b.example\n\nBonjour !\n");
            assert_eq!(mailbox.drain(inbox, &clock, &stop).await.unwrap().ignored, 1);
            assert_eq!((server.logins(), server.count(OTHER)), (2, 1));
        });
    }

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for_long() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start();
        let settings = imap::Settings { port: listener.local_addr().unwrap().port(), ..settings(&server) };
        let timing = Timing { answer: Duration::from_millis(300), ..timing() };
        let failed = block_on(imap::probe(&settings, &timing)).unwrap_err();
        assert!(failed.to_string().contains("no answer within"), "{failed}");
        drop(listener);
    }
}
