//! A disk that is full or broken under an SQLite ledger, a file that is locked, read-only or damaged, a log that cannot be
//! written.

use crate::support::{
    disk::{Disk, Fault},
    house::{AT, House, MONDAY, Relay, article, finish, until},
    ledger::Ledger,
    office::Office,
    smtp::Options,
};
use std::{fs::File, os::unix::fs::FileExt, time::Duration};
use tokio_util::sync::CancellationToken;

const RUN: [&str; 7] = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];

/// Frozen for these, on a disk that can be ill; nobody was written to yet.
fn frozen(addresses: &[&str], relay: &Relay) -> (House, Disk) {
    let (house, disk) = Disk::under(House::new().set("relay", Relay::nowhere()).set("delivery.connections", 1));
    house.import(addresses);
    house.run().expect(1);
    (house.relay(relay), disk)
}

#[test]
fn d01_a_full_disk_freezes_nothing_and_is_reported() {
    let relay = Relay::start();
    let (house, disk) = Disk::under(House::new().relay(&relay));
    house.import(&["a@gite.example", "b@gite.example"]);
    house.write("article.html", article(MONDAY));
    disk.fails(Fault::Full);
    house.semainier(&RUN).expect(1).expect_said(&["the database cannot be written"]);
    disk.is_well();
    assert!(house.issues().is_empty());
    house.semainier(&RUN).expect(0);
    house.judge_at_rest(&relay, 2);
    house.assert_states(&[("sent", 2)]);
}

/// Trial F20: what somebody who comes to a full disk needs first can be read, whether or not the daemon still runs.
#[test]
fn trial_f20_on_a_full_disk_everything_can_still_be_read() {
    let relay = Relay::start();
    let (house, disk) = frozen(&["a@gite.example", "f550@gite.example"], &relay);
    house.semainier(&RUN).expect(0);
    let reading: [&[&str]; 6] =
        [&["issues"], &["log"], &["log", "--json"], &["partners", "list"], &["status"], &["orders"]];
    let read = || reading.map(|args| house.semainier(args));
    let before = read();
    let mut daemon = house.serve();
    daemon.hear("semainier started");
    disk.fails(Fault::Full);
    let beside = read();
    disk.is_well();
    assert_eq!(daemon.stop().code, Some(0));
    disk.fails(Fault::Full);
    let alone = read();
    // What would be written is refused, and why is said in the first line.
    for args in [&["partners", "suppress", "a@gite.example"][..], &["serve"], &RUN] {
        finish(house.start(args), args).expect(1).expect_said(&["the database cannot be written", "disk is full"]);
    }
    disk.is_well();
    for ((args, before), (beside, alone)) in reading.iter().zip(before).zip(beside.into_iter().zip(alone)) {
        for now in [&beside, &alone] {
            // The daemon is part of the status.
            if *args == ["status"] {
                assert!(matches!(now.code, Some(0 | 4)), "{}", now.said());
            } else {
                assert_eq!((now.code, &now.stdout), (before.code, &before.stdout), "{args:?}: {}", now.said());
            }
        }
    }
    house.assert_states(&[("failed", 1), ("sent", 1)]);
    assert_eq!(house.text("PRAGMA integrity_check"), "ok");
}

#[test]
fn d01_a_full_disk_before_the_marker_sends_nothing_until_there_is_room() {
    full_or_broken_before_the_marker(Fault::Full, "disk is full");
}

#[test]
fn d02_without_a_durable_marker_nothing_is_sent() {
    full_or_broken_before_the_marker(Fault::Broken, "disk I/O error");
}

fn full_or_broken_before_the_marker(fault: Fault, says: &str) {
    let relay = Relay::with(Options { round_trip: Duration::from_millis(50), ..Options::default() });
    let addresses: Vec<_> = (0..10).map(|n| format!("a{n}@gite.example")).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let (house, disk) = frozen(&addresses, &relay);
    let mut daemon = house.serve();
    until("it is at it", || relay.numbers().mail_commands > 1);
    disk.fails(fault);
    let said = daemon.hear("database unavailable; nothing more is claimed");
    assert!(said.contains(says) && said.contains("cannot be written"), "{said}");
    let marked = house.number("SELECT (SELECT count(*) FROM claims WHERE marked_at IS NOT NULL) + (SELECT count(*) FROM deliveries WHERE state = 'sent')");
    assert!(relay.numbers().data_commands <= usize::try_from(marked).unwrap(), "no DATA without a marker");
    assert!(relay.to_partners() < addresses.len());
    disk.is_well();
    // A claim that could not be given back is free when its lease is over, or when the daemon starts again.
    assert_eq!(daemon.stop().code, Some(0));
    let daemon = house.serve();
    until("everybody has it", || relay.to_partners() == addresses.len());
    assert_eq!(daemon.stop().code, Some(0));
    house.judge_at_rest(&relay, addresses.len());
    house.assert_states(&[("sent", addresses.len())]);
}

#[test]
fn d01_a_full_disk_at_the_result_keeps_it_in_memory_until_there_is_room() {
    full_or_broken_at_the_result(Fault::Full);
}

#[test]
fn d02_a_failed_flush_of_the_result_is_retried_until_it_succeeds() {
    full_or_broken_at_the_result(Fault::Broken);
}

fn full_or_broken_at_the_result(fault: Fault) {
    let relay = Relay::start();
    let (house, disk) = frozen(&["slow1000@gite.example", "slow1000+2@gite.example"], &relay);
    let mut daemon = house.serve();
    until("the relay thinks", || relay.numbers().data_commands == 1);
    disk.fails(fault);
    daemon.hear("database unavailable; nothing more is claimed");
    assert_eq!((relay.to_partners(), relay.numbers().data_commands), (1, 1));
    assert_eq!(house.number("SELECT count(*) FROM claims WHERE marked_at IS NOT NULL"), 1);
    disk.is_well();
    until("both have it", || relay.to_partners() == 2);
    assert_eq!(daemon.stop().code, Some(0));
    house.judge_at_rest(&relay, 2);
    house.assert_states(&[("sent", 2)]);
}

/// K12, as far as a process can feel it: the machine stops while the result is on its way to the disk.
#[test]
fn d02_a_daemon_killed_with_a_result_in_memory_leaves_it_sent_or_unknown() {
    let relay = Relay::start();
    // Long enough to break the disk meanwhile, however busy the machine.
    let (house, disk) = frozen(&["slow2000@gite.example", "slow2000+2@gite.example"], &relay);
    let mut daemon = house.serve();
    until("the relay thinks", || relay.numbers().data_commands == 1);
    disk.fails(Fault::Broken);
    daemon.hear("database unavailable; nothing more is claimed");
    // It may have been the minute's beat that was not written.
    until("the relay has the message", || relay.to_partners() == 1);
    daemon.signal("KILL");
    daemon.end();
    disk.is_well();
    let daemon = house.serve();
    until("the other has it", || relay.to_partners() == 2);
    assert_eq!(daemon.stop().code, Some(0));
    // What could not be flushed may have been written all the same: then it is the relay's word, and true.
    let states = house.judge_at_rest(&relay, 2);
    assert_eq!(states.values().sum::<usize>(), 2);
    assert!(states.keys().all(|state| state == "sent" || state == "unknown"), "{states:?}");
}

/// The nth-call loop over every write and flush of the first start, of an import and of a freeze.
#[test]
fn d09_f07_f08_a_kill_at_any_disk_write_is_all_or_nothing() {
    let migrated = ["partners", "list"];
    let import = ["partners", "import", "partners.csv"];
    let mut kills = Vec::new();
    for (args, step) in [(&migrated[..], 5), (&import[..], 3), (&RUN[..], 5)] {
        let mut nth = 1;
        loop {
            let relay = Relay::start();
            let (house, disk) = Disk::under(House::new().relay(&relay).set("delivery.connections", 1));
            house.write("article.html", article(MONDAY));
            if args != migrated {
                house.write("partners.csv", "email\n");
                house.semainier(&migrated).expect(0);
            }
            if args == RUN {
                house.import(&["a@gite.example", "b@gite.example"]);
            }
            house.write("partners.csv", "email;nom\na@gite.example;A\nb@gite.example;B\n");
            disk.fails(Fault::Kills(nth));
            let done = house.semainier(args);
            disk.is_well();
            let contacts =
                || house.semainier(&["partners", "list", "--json"]).expect(0).json().as_array().unwrap().len();
            let integrity = house.text("PRAGMA integrity_check");
            assert_eq!(integrity, "ok", "O13: {args:?}, {nth}");
            if args == import {
                assert!([0, 2].contains(&contacts()), "{args:?}, {nth}");
            } else if args == RUN {
                let issues = house.issues();
                assert!(issues.is_empty() || issues[0]["recipients"] == 2, "{args:?}, {nth}: {issues:?}");
            }
            // Whatever it was, it can be done again.
            assert!(matches!(house.semainier(args).code, Some(0 | 4)), "{args:?}, {nth}");
            if args == RUN {
                house.judge_at_rest(&relay, 2);
            } else {
                assert_eq!(contacts(), if args == import { 2 } else { 0 }, "{args:?}, {nth}");
            }
            if done.signal.is_none() {
                break;
            }
            kills.push(nth);
            nth += step;
        }
    }
    assert!(kills.len() > 10, "{kills:?}");
}

/// A backup, an import: whoever has the file locks us out for a while, and loses us nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d03_a_file_locked_by_a_backup_is_waited_for() {
    let addresses = ["slow300@x.example", "slow300+2@x.example"];
    let office = Office::writing_to(Ledger::sqlite().await, &addresses, Options::default()).await;
    let backup = async {
        while office.relay.numbers().data_commands == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        office.ledger.sql("BEGIN EXCLUSIVE").await;
        while office.relay.seen().accepted.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Its result is in memory; readers see the row as it is.
        assert_eq!((office.counts().await.in_data, office.relay.numbers().data_commands), (1, 1));
        office.ledger.sql("COMMIT").await;
    };
    let stop = CancellationToken::new();
    let (summary, ()) = tokio::join!(office.try_send(&stop, &|_| {}), backup);
    office.check().await;
    assert_eq!(summary.unwrap().sent, 2);
}

#[test]
fn d04_a_read_only_ledger_is_reported_and_nothing_is_sent() {
    let relay = Relay::start();
    let (house, _disk) = frozen(&["a@gite.example"], &relay);
    let copy = house.path("copy.db");
    house.sql(&format!("VACUUM INTO '{}'", copy.display()));
    for side in ["semainier.db-wal", "semainier.db-shm"] {
        let _ = std::fs::remove_file(house.path(side));
    }
    std::fs::rename(copy, house.path("semainier.db")).unwrap();
    // Permissions would not stop root: by the file's own format, a "write version" that no SQLite knows.
    let file = File::options().write(true).open(house.path("semainier.db")).unwrap();
    file.write_all_at(&[9], 18).unwrap();
    for args in [&RUN[..], &["serve"]] {
        finish(house.start(args), args).expect(1).expect_said(&["the database cannot be written"]);
    }
    file.write_all_at(&[1], 18).unwrap();
    assert_eq!(relay.numbers().connections, 0);
    house.assert_states(&[("queued", 1)]);
}

#[test]
fn d05_a_corrupt_file_sends_nothing_and_refers_to_the_backup() {
    let relay = Relay::start();
    let (house, _disk) = frozen(&["a@gite.example", "b@gite.example"], &relay);
    let good = house.path("good.db");
    house.sql(&format!("VACUUM INTO '{}'", good.display()));
    // Every page in turn, the header but for its first words included.
    let pages = good.metadata().unwrap().len() / 4096;
    for page in (0..pages).step_by(3) {
        for side in ["semainier.db-wal", "semainier.db-shm"] {
            let _ = std::fs::remove_file(house.path(side));
        }
        std::fs::copy(&good, house.path("semainier.db")).unwrap();
        let file = File::options().write(true).open(house.path("semainier.db")).unwrap();
        let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let at = if page == 0 { 100 } else { 0 };
        file.write_all_at(&noise[at..], page * 4096 + at as u64).unwrap();
        for args in [&RUN[..], &["serve"]] {
            let done = finish(house.start(args), args).expect(1);
            assert!(
                done.said().contains("is damaged") && done.said().contains("backup"),
                "page {page}: {}",
                done.said()
            );
        }
        assert_eq!(relay.numbers().connections, 0, "page {page}");
    }
    std::fs::copy(&good, house.path("semainier.db")).unwrap();
    house.semainier(&RUN).expect(0);
    house.judge_at_rest(&relay, 2);
}

/// Whatever becomes of the log, the post goes on.
#[test]
fn d11_a_log_that_cannot_be_written_stops_nothing() {
    for format in ["text", "json"] {
        let relay = Relay::start();
        let (house, _disk) = frozen(&["a@gite.example", "f550@gite.example"], &relay);
        let mut serve = house.command(&["serve", "--log-format", format]);
        serve.stderr(File::options().write(true).open("/dev/full").unwrap());
        let mut daemon = serve.spawn().unwrap();
        until("the other has it", || relay.to_partners() == 1);
        until("it is recorded", || {
            house.number("SELECT count(*) FROM deliveries WHERE state IN ('sent', 'failed')") == 2
        });
        assert!(daemon.try_wait().unwrap().is_none(), "it lives");
        crate::support::process::signal(daemon.id(), "TERM");
        assert_eq!(daemon.wait().unwrap().code(), Some(0));
        house.judge_at_rest(&relay, 2);
    }
}
