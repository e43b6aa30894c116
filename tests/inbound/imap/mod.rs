//! A mailbox by IMAP: everything once, in bounded memory, whatever the server can do, whoever dies and whoever else reads.

mod trouble;
mod waiting;

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
    let (id, mut peak) = (child.id(), 0);
    // Without optimisation it takes most of a minute; longer than `until` waits on a busy machine.
    for _ in 0..36_000 {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let value =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        peak = peak.max(value("VmHWM:").trim_end_matches(" kB").parse().unwrap_or(0));
        if status.is_empty() || value("State:").starts_with('Z') {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    finish(child, &["inbound", "drain"]).expect(0).expect_said(&[said]);
    peak
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
    assert!((10_000..100_000).contains(&peak), "{peak} kB");
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
