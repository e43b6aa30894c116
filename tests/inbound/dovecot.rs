//! The mailbox of a real server.

use super::{About, FULL, feedback};
use crate::support::{
    dovecot::{Dovecot, PASSWORD},
    house::{House, On, Relay, finish, signal, until},
};

/// How the connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Clear,
    Starttls,
    Tls,
}

fn with_dovecot(on: On, relay: &Relay, server: &Dovecot, by: By) -> House {
    let house = House::on(on).relay(relay);
    house.write("imap-password", PASSWORD);
    house.write("imap.pem", &server.certificate);
    let (port, word) = match by {
        By::Clear => (server.port, "none"),
        By::Starttls => (server.port, "starttls"),
        By::Tls => (server.tls_port, "implicit"),
    };
    house
        .set("inbound.imap.host", "localhost")
        .set("inbound.imap.port", port)
        .set("inbound.imap.tls", word)
        .set("inbound.imap.user", "retours@lettre.ot.test")
        .set("inbound.imap.password_file", "imap-password")
        .set("inbound.imap.ca_file", "imap.pem")
        .set("inbound.imap.done_folder", "Lus & été")
}

/// Its name in a Maildir.
const DONE: &str = ".Lus &- &AOk-t&AOk-";
const OTHER: &str = ".semainier-other";

#[test]
fn dovecot_is_read_by_tls_and_by_starttls_whatever_it_can_do() {
    for (on, by, capabilities) in [
        (On::Sqlite, By::Tls, None),
        (On::Postgres, By::Starttls, None),
        // No MOVE; neither MOVE nor UIDPLUS.
        (On::Sqlite, By::Starttls, Some("IMAP4rev1 UIDPLUS IDLE")),
        (On::Postgres, By::Clear, Some("IMAP4rev1")),
    ] {
        let (relay, server) = (Relay::start(), Dovecot::start(capabilities));
        let house = with_dovecot(on, &relay, &server, by);
        house.import_many(20);
        house.run().expect(0);
        let mut n = 0;
        for delivery in house.log() {
            for _ in 0..10 {
                server.put(&format!("17984.{n}.mx"), &About::new(&delivery).sample("orange_full.eml", n));
                n += 1;
            }
        }
        // More than is read of one.
        let large = About::new(&house.log()[0]).sample("orange_full.eml", 1_000);
        server.put("17984.large.mx", &format!("{large}\n{}", "x\n".repeat(1 << 20)));
        server.put("17984.question.mx", "From: a@b.example\nSubject: Une question\n\nBonjour !\n");
        let done = house.semainier(&["inbound", "drain"]);
        assert_eq!(done.code, Some(0), "{by:?} {capabilities:?}: {}\n{}", done.said(), server.log());
        done.expect_said(&["201 recorded, 0 recorded before, 1 ignored"]);
        assert_eq!(feedback(&house), 201);
        let seen = |names: Vec<String>| names.iter().filter(|it| it.contains(":2,") && it.contains('S')).count();
        if capabilities == Some("IMAP4rev1") {
            assert_eq!((server.files("").len(), seen(server.files(""))), (202, 201));
        } else {
            assert_eq!(server.files(""), [""; 0]);
            assert_eq!((seen(server.files(DONE)), server.files(OTHER).len(), seen(server.files(OTHER))), (201, 1, 0));
        }
        house.semainier(&["inbound", "drain"]).expect(0).expect_said(&["0 recorded, 0 recorded before, 0 ignored"]);
    }
}

#[test]
fn two_readers_of_one_dovecot_record_everything_once() {
    for capabilities in [None, Some("IMAP4rev1 UIDPLUS IDLE")] {
        let (relay, server) = (Relay::start(), Dovecot::start(capabilities));
        let house = with_dovecot(On::Sqlite, &relay, &server, By::Clear);
        house.import_many(30);
        house.run().expect(0);
        for (n, delivery) in (0..20).flat_map(|_| house.log()).enumerate() {
            server.put(&format!("17984.{n}.mx"), &About::new(&delivery).sample("orange_full.eml", n));
        }
        let readers = [(); 2].map(|()| house.start(&["inbound", "drain"]));
        let ended = readers.map(|child| finish(child, &["inbound", "drain"]));
        assert!(ended.iter().all(|it| it.code == Some(0)), "{}{}", ended[0].said(), ended[1].said());
        assert_eq!((feedback(&house), server.files("").len()), (600, 0));
        // On a Maildir it copies even for MOVE: two may do so with the same message, and none is lost.
        let kept = server.files(DONE).len();
        assert!(kept >= 600, "{kept}");
    }
}

#[test]
fn dovecot_tells_the_daemon_of_new_messages_and_refuses_a_wrong_password() {
    let (relay, server) = (Relay::start(), Dovecot::start(None));
    let house = with_dovecot(On::Sqlite, &relay, &server, By::Tls);
    house.import(&[FULL]);
    house.run().expect(0);
    let about = About::new(&house.delivery(FULL));
    let daemon = house.start(&["serve"]);
    until("it is read", || house.number("SELECT count(*) FROM mailboxes WHERE name = 'imap' AND read_at > 0") == 1);
    for n in 1..=3 {
        server.put(&format!("17984.{n}.mx"), &about.sample("orange_full.eml", n));
        until("it is read", || server.files(DONE).len() == n && feedback(&house) == i64::try_from(n).unwrap());
    }
    assert_eq!(server.log().matches("Login: user=").count(), 1, "{}", server.log());
    signal(daemon.id(), "TERM");
    finish(daemon, &["serve"]).expect(0);
    house.write("imap-password", "wrong");
    house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["the login is refused", "AUTHENTICATIONFAILED"]);
    let house = house.set("inbound.imap.folder", "Nowhere");
    house.write("imap-password", PASSWORD);
    house.semainier(&["inbound", "drain"]).expect(1).expect_said(&["opening the folder of bounces was refused"]);
}
