//! F1: a backup is everything that is needed, and what is put back forgets nobody's objection and sends nothing twice.

use crate::support::house::{AT, BOTH, House, ISSUE, MONDAY, NEXT_AT, NEXT_MONDAY, On, Relay, article, until};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::str::FromStr;

const OUT: &str = "parti@gite.example";
const KEYS: &str = "0123456789abcdef\nsecret\n";

/// Where the secret is: made by the program on SQLite, in a file on Postgres.
fn machine(on: On, relay: &Relay) -> House {
    let house = House::on(on).relay(relay).without("secret").set("link_keys_file", "keys");
    match on {
        On::Sqlite => house,
        On::Postgres => house.set("secret_file", "secret"),
    }
}

/// Three partners, one of whom left, and an issue that is on its way to the others.
fn office(on: On, relay: &Relay) -> House {
    let house = machine(on, relay);
    house.write("keys", KEYS);
    if on == On::Postgres {
        house.write("secret", "the secret of the office\n");
    }
    house.import(&[OUT, "un@gite.example", "deux@gite.example"]);
    house.semainier(&["partners", "suppress", OUT]).expect(0);
    let nowhere = house.set("relay", Relay::nowhere());
    nowhere.run().expect(1);
    nowhere
}

fn path(house: &House, name: &str) -> String {
    house.path(name).display().to_string()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn trial_f1_a_restored_backup_keeps_every_opt_out_and_sends_nothing_twice_on_another_machine() {
    for on in BOTH {
        let relay = Relay::start();
        let old = office(on, &relay);
        old.semainier(&["backup", "b"]).expect(0).expect_said(&["3 contacts, 1 suppressions, 1 issues, 3 deliveries"]);
        // What the backup shows as waiting leaves after it was taken.
        let old = old.relay(&relay);
        old.run().expect(0);
        assert_eq!(relay.to_partners(), 2);

        let new = machine(on, &relay);
        let from = path(&old, "b");
        let said = new.semainier(&["restore", &from]).expect(4);
        said.expect_said(&["; its secret matches", "agenda/2027-W28: paused"]);
        assert_eq!(new.issue()["state"], "paused");
        let reason = new.issue()["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("a été restaurée d’une sauvegarde le"), "{reason}");
        assert_eq!(new.number("SELECT count(*) FROM properties WHERE name = 'restored'"), 0, "it is done");
        new.serve_until("staff are told", || !relay.told_staff().is_empty());
        assert_eq!(relay.to_partners(), 2, "{on:?}: nobody twice");

        new.write("again.csv", format!("email\n{OUT}\nun@gite.example\n"));
        new.semainier(&["partners", "import", "again.csv"]).expect(0).expect_said(&["1 stay opted out"]);
        new.semainier(&["issues", "cancel", ISSUE]).expect(0);
        new.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
        assert_eq!(relay.to_partners(), 4, "{on:?}: the two others, and not {OUT}");
        assert_eq!(std::fs::read_to_string(new.path("keys")).unwrap(), KEYS);
        for file in ["keys", if on == On::Sqlite { "semainier.secret" } else { "secret" }] {
            assert_eq!(mode(&new.path(file)), 0o600, "{file}");
        }
    }
}

/// The process ends between putting the ledger in place and looking at it: whoever is started next looks.
#[test]
fn trial_f1_a_manually_restored_ledger_is_detected_on_another_machine() {
    let relay = Relay::start();
    let old = office(On::Postgres, &relay);
    old.semainier(&["backup", "b"]).expect(0);
    let old = old.relay(&relay);
    old.run().expect(0);
    // By the database's own tools, in a database of another server, with no file of ours beside it.
    let new = machine(On::Postgres, &relay);
    for file in ["secret", "keys"] {
        std::fs::copy(old.path(file), new.path(file)).unwrap();
    }
    let to = PgConnectOptions::from_str(&new.database_url()).unwrap();
    let host = to.get_socket().map_or(to.get_host().to_owned(), |socket| socket.display().to_string());
    let mut restore = std::process::Command::new("pg_restore");
    restore.args(["--single-transaction", "--schema=public", "--no-owner"]);
    restore.args(["-h", &host, "-p", &to.get_port().to_string(), "-U", to.get_username()]);
    restore.args(["-d", to.get_database().unwrap(), &path(&old, "b/ledger.dump")]);
    assert!(restore.status().unwrap().success());
    new.serve_until("it is paused", || new.number("SELECT count(*) FROM issues WHERE state = 'paused'") == 1);
    assert_eq!(relay.to_partners(), 2);
    // Trusted from then on.
    new.semainier(&["issues", "cancel", ISSUE]).expect(0);
    new.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    assert_eq!(relay.to_partners(), 4);
}

#[test]
fn trial_f1_a_backup_is_private_whatever_the_umask() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        let program = env!("CARGO_BIN_EXE_semainier");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("umask 000; exec {program} backup deep/b")]).current_dir(house.path(""));
        assert!(shell.env("USER", "nadine").status().unwrap().success());
        let dir = house.path("deep/b");
        assert_eq!(mode(&dir), 0o700, "{on:?}");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
            names.push(entry.file_name().into_string().unwrap());
        }
        names.sort();
        let ledger = if on == On::Sqlite { "ledger.db" } else { "ledger.dump" };
        assert_eq!(names, [ledger, "link-keys", "manifest.json", "secret"]);
        let manifest = manifest(&dir);
        assert_eq!(manifest["rows"]["deliveries"], 3);
        assert_eq!(manifest["files"].as_array().unwrap().len(), 3);
        assert!(manifest["schema"].as_i64().unwrap() >= 22);
        // Not a word of the secret itself, nor of a person.
        let text = manifest.to_string();
        let secret = std::fs::read_to_string(dir.join("secret")).unwrap();
        assert!(!text.contains(secret.trim()) && !text.contains("gite.example"), "{text}");
    }
}

#[test]
fn trial_f1_a_backup_is_taken_while_the_daemon_runs() {
    for on in BOTH {
        let relay = Relay::start();
        let house = machine(on, &relay).set("delivery.connections", 1);
        house.write("keys", KEYS);
        house.write("secret", "the secret of the office\n");
        house.import(&["slow1500@gite.example", "deux@gite.example", "trois@gite.example"]);
        house.write("article.html", article(MONDAY));
        let args = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
        let sending = house.start(&args);
        until("the relay is at it", || relay.numbers().data_commands > 0);
        house.semainier(&["backup", "b"]).expect(0);
        crate::support::house::finish(sending, &args).expect(0);
        house.judge_at_rest(&relay, 3);
        assert_eq!(manifest(&house.path("b"))["rows"]["deliveries"], 3);
        let mut daemon = house.serve();
        daemon.hear("semainier started");
        house.semainier(&["backup", "b2"]).expect(0);
        let in_use = if on == On::Sqlite { "another semainier already works on" } else { "stop its daemons" };
        house.semainier(&["restore", "b2", "--replace"]).expect(1).expect_said(&[in_use]);
        daemon.stop();
        house.semainier(&["restore", "b2", "--replace"]).expect(0);
        house.assert_states(&[("sent", 3)]);
    }
}

#[test]
fn trial_f1_a_restore_overwrites_and_loses_nothing() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        house.semainier(&["backup", "b"]).expect(0);
        house.semainier(&["backup", "b"]).expect(1).expect_said(&["is not empty"]);
        house.semainier(&["issues", "cancel", ISSUE]).expect(0);
        house.import(&["nouveau@gite.example"]);
        house.semainier(&["restore", "b"]).expect(1).expect_said(&["--replace"]);
        assert_eq!(house.number("SELECT count(*) FROM contacts"), 4, "nothing was changed");
        let said = house
            .semainier(&["restore", "b", "--replace"])
            .expect(4)
            .expect_said(&["previous version kept as "])
            .stdout;
        assert_eq!(house.number("SELECT count(*) FROM contacts"), 3);
        assert_eq!(house.issue()["state"], "paused");
        let kept = said.lines().find_map(|line| line.strip_prefix("previous version kept as ")).unwrap();
        match on {
            On::Sqlite => {
                let house = house.set("database", format!("sqlite://{kept}"));
                let house = house.set("secret_file", "semainier.secret");
                let list = house.semainier(&["partners", "list"]).expect(0);
                list.expect_said(&["nouveau@gite.example"]);
            }
            On::Postgres => {
                let schema = kept.strip_prefix("the schema ").unwrap();
                assert_eq!(house.number(&format!("SELECT count(*) FROM {schema}.contacts")), 4);
                // And the next backup is of the ledger alone.
                house.semainier(&["backup", "b2"]).expect(0);
                house.semainier(&["restore", "b2", "--replace"]).expect(4);
            }
        }
    }
}

/// A daemon was started before the restore: its ledger is empty, and its functions and triggers are there.
#[test]
fn trial_f1_a_backup_is_restored_into_an_empty_ledger_and_goes_on_telling_webhooks() {
    for on in BOTH {
        let relay = Relay::start();
        let old = office(on, &relay);
        old.sql(
            "INSERT INTO webhook_endpoints (id, url, events, secret, created_at, created_by)
            VALUES ('e', 'https://hooks.example/', 'issue.paused', 'whsec_', 1, 'Claire')",
        );
        old.semainier(&["backup", "b"]).expect(0);
        let (from, new) = (path(&old, "b"), machine(on, &relay));
        new.semainier(&["issues"]).expect(0);
        for args in [&["restore", &from][..], &["restore", &from, "--replace"]] {
            new.semainier(args).expect(4).expect_said(&["agenda/2027-W28: paused"]);
            let told = "SELECT count(*) FROM webhook_messages WHERE event = 'issue.paused'";
            assert_eq!(new.number(told), 1, "{on:?} {args:?}");
        }
    }
}

#[test]
fn trial_f1_a_corrupt_or_foreign_backup_is_refused_before_any_change() {
    for on in BOTH {
        let relay = Relay::start();
        let old = office(on, &relay);
        old.semainier(&["backup", "b"]).expect(0);
        let from = path(&old, "b");
        let new = machine(on, &relay);
        let refused = |said: &[&str]| {
            new.semainier(&["restore", &from]).expect(1).expect_said(said);
            assert!(!new.path("semainier.db").exists() && !new.path("keys").exists());
        };
        let ledger = old.path(if on == On::Sqlite { "b/ledger.db" } else { "b/ledger.dump" });
        let whole = std::fs::read(&ledger).unwrap();
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        std::fs::write(&ledger, &damaged).unwrap();
        refused(&["is damaged", "SHA-256"]);
        std::fs::write(&ledger, &whole[..whole.len() - 1]).unwrap();
        refused(&["is damaged"]);
        std::fs::write(&ledger, &whole).unwrap();
        let manifest = std::fs::read_to_string(old.path("b/manifest.json")).unwrap();
        let with = |a: &str, b: &str| {
            assert!(manifest.contains(a), "{a}");
            old.write("b/manifest.json", manifest.replace(a, b));
        };
        with("\"format\": 1", "\"format\": 2");
        refused(&["a newer semainier"]);
        with("\"name\": \"secret\"", "\"name\": \"../secret\"");
        refused(&["secret is not in the manifest"]);
        std::fs::remove_file(old.path("b/manifest.json")).unwrap();
        refused(&["is not a complete backup"]);
        old.write("b/manifest.json", &manifest);
        // Not where the configuration has another place or another kind of database.
        let other = House::on(if on == On::Sqlite { On::Postgres } else { On::Sqlite });
        other.semainier(&["restore", &from]).expect(1).expect_said(&["semainier migrate"]);
        let given = machine(on, &relay).without("secret_file").set("secret", "another");
        given.semainier(&["restore", &from]).expect(1).expect_said(&["is not the secret of the backup"]);
        let without_keys = machine(on, &relay).without("link_keys_file");
        without_keys.semainier(&["restore", &from]).expect(1).expect_said(&["link_keys_file is not set"]);
        new.semainier(&["restore", &from]).expect(4);
    }
}

#[test]
fn trial_f1_a_backup_with_another_secret_is_refused() {
    let relay = Relay::start();
    let house = office(On::Sqlite, &relay);
    house.write("semainier.secret", "another");
    house.semainier(&["backup", "b"]).expect(1).expect_said(&["restore "]);
    assert!(!house.path("b").exists());
}

#[test]
fn trial_f1_a_missing_pg_dump_is_named_with_what_to_install() {
    let relay = Relay::start();
    let house = office(On::Postgres, &relay).env("PATH", "/nowhere");
    house.semainier(&["backup", "b"]).expect(1).expect_said(&["pg_dump cannot be started", "postgresql-client"]);
    assert!(!house.path("b/manifest.json").exists());
}

/// An approved issue may have left since the backup: it needs another word.
#[test]
fn trial_f1_approvals_in_a_backup_are_withdrawn() {
    for on in BOTH {
        let relay = Relay::start();
        let house = office(on, &relay);
        house.sql(
            "UPDATE issues SET state = 'approved', frozen_at = NULL;
            INSERT INTO approvals SELECT key, content_hash, 'Claire', 1, NULL FROM issues;
            UPDATE deliveries SET state = 'cancelled', next_at = NULL",
        );
        house.semainier(&["backup", "b"]).expect(0);
        house.semainier(&["restore", "b", "--replace"]).expect(4).expect_said(&["agenda/2027-W28: held"]);
    }
}

#[test]
fn l5_previews_and_captured_mails_are_private() {
    let house = House::new().set("relay", "capture:outbox");
    house.import(&["a@gite.example"]);
    house.run().expect(0);
    house.semainier(&["preview", "agenda", "--at", AT, "--article", "article.html", "--out", "p"]).expect(0);
    for dir in ["outbox", "p"] {
        assert_eq!(mode(&house.path(dir)), 0o700, "{dir}");
        let mut files = 0;
        for entry in std::fs::read_dir(house.path(dir)).unwrap() {
            files += 1;
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{path:?}");
        }
        assert!(files > 0);
    }
}
