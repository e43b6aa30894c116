//! A Maildir: everything once, in bounded memory, whoever dies and whoever else reads.

use super::{About, GONE, WELL, feedback, suppressions};
use crate::support::house::{BOTH, House, On, Relay, finish, signal, until};
use std::fs;

/// With a mailbox, and an issue that so many partners got.
fn with_mailbox(on: On, relay: &Relay, partners: usize) -> House {
    let house = House::on(on).relay(relay).set("inbound.maildir", "boite");
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir_all(house.path("boite").join(folder)).unwrap();
    }
    house.import_many(partners);
    house.run().expect(0);
    house
}

/// Files in a folder of the mailbox.
fn files(house: &House, folder: &str) -> usize {
    fs::read_dir(house.path("boite").join(folder)).map_or(0, Iterator::count)
}

/// So many different bounces of full mailboxes about each delivery.
fn fill(house: &House, each: usize) -> usize {
    let mut n = 0;
    for delivery in house.log() {
        let about = About::new(&delivery);
        for _ in 0..each {
            let folder = if n % 3 == 0 { "cur" } else { "new" };
            let flags = if n % 3 == 0 { ":2," } else { "" };
            house.write(&format!("boite/{folder}/17984.{n}.mx{flags}"), about.sample("orange_full.eml", n));
            n += 1;
        }
    }
    n
}

#[test]
fn s31_ten_thousand_bounces_are_read_once_and_in_bounded_memory() {
    let relay = Relay::start();
    let house = with_mailbox(On::Sqlite, &relay, 500);
    assert_eq!(fill(&house, 20), 10_000);
    let one = house.path("boite/new/17984.1.mx");
    // A mail bomb may also be large.
    let large = format!("{}\n{}", fs::read_to_string(one).unwrap().replace(".full@", ".large@"), "x".repeat(30 << 20));
    house.write("boite/new/large", large);
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
    finish(child, &["inbound", "drain"]).expect(0).expect_said(&["10000 recorded, 1 recorded before, 0 ignored"]);
    println!("peak: {} kB", peak.get());
    assert!((10_000..120_000).contains(&peak.get()), "{} kB", peak.get());
    assert_eq!((feedback(&house), suppressions(&house)), (10_000, 0));
    assert_eq!((files(&house, "new"), files(&house, "cur")), (0, 0));
    assert_eq!(files(&house, ".semainier-done/cur"), 10_001, "none is lost");
}

#[cfg(feature = "failpoints")]
#[test]
fn s31_a_reader_that_dies_before_it_moves_what_it_read_counts_nothing_twice() {
    for on in BOTH {
        let relay = Relay::start();
        let house = with_mailbox(on, &relay, 30);
        assert_eq!(fill(&house, 3), 90);
        let house = house.env("SEMAINIER_FAILPOINT", "after_feedback_recorded");
        let died = house.semainier(&["inbound", "drain"]);
        assert_eq!(died.signal, Some(6), "{}", died.said());
        let recorded = feedback(&house);
        assert!(recorded > 0 && recorded < 90, "{recorded}");
        assert_eq!(files(&house, "new") + files(&house, "cur"), 90, "nothing was moved");
        let house = house.env("SEMAINIER_FAILPOINT", "");
        let said = format!("{} recorded, {recorded} recorded before", 90 - recorded);
        house.semainier(&["inbound", "drain"]).expect(0).expect_said(&[&said]);
        assert_eq!((feedback(&house), files(&house, ".semainier-done/cur")), (90, 90));
    }
}

#[test]
fn s31_two_readers_of_one_mailbox_record_everything_once() {
    for on in BOTH {
        let relay = Relay::start();
        let house = with_mailbox(on, &relay, 60);
        assert_eq!(fill(&house, 10), 600);
        let readers = [(); 2].map(|()| house.start(&["inbound", "drain"]));
        let recorded: i64 = readers
            .map(|child| {
                let done = finish(child, &["inbound", "drain"]).expect(0);
                done.stdout.split(' ').next().unwrap().parse::<i64>().unwrap()
            })
            .iter()
            .sum();
        assert_eq!((recorded, feedback(&house)), (600, 600), "{on:?}");
        assert_eq!((files(&house, "new"), files(&house, "cur"), files(&house, ".semainier-done/cur")), (0, 0, 600));
    }
}

#[test]
fn the_daemon_reads_its_mailbox_and_leaves_what_is_no_bounce_to_people() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("inbound.maildir", "boite");
        house.import(&[GONE, WELL]);
        house.run().expect(0);
        let (gone, well) = (About::new(&house.delivery(GONE)), About::new(&house.delivery(WELL)));
        house.write("boite/new/1.mx", gone.sample("qmail.eml", 1));
        house.write("boite/cur/2.mx:2,S", well.sample("vacation_fr.eml", 1));
        house.write("boite/cur/3.mx:2,S", "From: a@b.example\nSubject: Une question\n\nBonjour !\n");
        house.write("boite/new/.hidden", "x");
        house.serve_until("all is read", || files(&house, ".semainier-other/cur") == 1 && files(&house, "new") == 1);
        assert_eq!((feedback(&house), suppressions(&house)), (1, 1));
        assert_eq!(files(&house, ".semainier-done/cur"), 2);
        let other = fs::read_to_string(house.path("boite/.semainier-other/cur/3.mx:2,")).unwrap();
        assert!(other.contains("Une question"));
        assert_eq!(house.number("SELECT count(*) FROM mailboxes WHERE name = 'maildir' AND read_at > 0"), 1);
    }
}

#[test]
fn a_mailbox_that_cannot_be_read_for_a_day_is_reported() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("inbound.maildir", "nulle-part");
    house.import(&[WELL]);
    let daemon = house.start(&["serve"]);
    until("it is noted", || house.number("SELECT count(*) FROM mailboxes WHERE trouble LIKE '%nulle-part/new%'") == 1);
    signal(daemon.id(), "TERM");
    finish(daemon, &["serve"]).expect(0);
    let waits = || house.semainier(&["status", "--json"]).json()["waiting"].to_string();
    assert!(!waits().contains("mailbox_unread"), "not yet");
    house.sql("UPDATE mailboxes SET failing_since = failing_since - 90000000");
    assert!(waits().contains("mailbox_unread"), "{}", waits());
    house.semainier(&["check", "--offline"]).expect_said(&["inbound.maildir", "nulle-part"]);
}
