//! A restored backup: it shows deliveries as waiting that were sent since, and lacks everything that came
//! after it.

use crate::support::house::{AT, House, ISSUE, MONDAY, NEXT_AT, NEXT_MONDAY, On, Relay, article, block_on, until};
use sqlx::{Connection, Executor, PgConnection};

/// Frozen for three, a backup taken, then sent; and the backup restored.
fn restored(relay: &Relay) -> House {
    let house = House::new().set("relay", Relay::nowhere());
    house.import_many(3);
    house.run().expect(1);
    let backup = house.path("backup.db");
    house.sql(&format!("VACUUM INTO '{}'", backup.display()));
    let house = house.relay(relay);
    house.run().expect(0);
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    assert_eq!(relay.to_partners(), 6);
    for side in ["semainier.db-wal", "semainier.db-shm"] {
        let _ = std::fs::remove_file(house.path(side));
    }
    std::fs::rename(&backup, house.path("semainier.db")).unwrap();
    house
}

#[test]
fn d10_a_restored_backup_sends_nothing_until_a_person_resumes_it() {
    let relay = Relay::start();
    let house = restored(&relay);
    house.assert_states(&[("queued", 3)]);
    house.serve_until("staff are told", || relay.told_staff().len() == 1);
    assert_eq!(house.issue()["state"], "paused");
    let reason = house.issue()["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("elle semble restaurée d’une sauvegarde"), "{reason}");
    assert_eq!(relay.to_partners(), 6, "nobody twice");
    // Whoever resumes has looked: from then on the ledger is what it is.
    house.semainier(&["issues", "cancel", ISSUE]).expect(0);
    house.run_at("2027-07-24T08:00", &article("2027-07-26")).expect(0);
    assert_eq!(relay.to_partners(), 9);
}

#[test]
fn d10_a_manual_run_on_a_restored_backup_is_refused_first() {
    let relay = Relay::start();
    let house = restored(&relay);
    house.write("article.html", article(MONDAY));
    let run = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
    house.semainier(&run).expect(1).expect_said(&["it appears to be restored from a backup", "issues resume"]);
    house.semainier(&run).expect(4).expect_said(&["paused"]);
    assert_eq!(relay.to_partners(), 6);
}

#[test]
fn d10_what_became_due_since_the_backup_is_missed_and_not_published_again() {
    let relay = Relay::start();
    let house = restored(&relay);
    // The backup knew the mailing two weeks ago; since then it was due on every day.
    let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
    house.write("jobs/agenda.toml", job.replace("0 8 * 7,8 SAT", "0 8 * * *"));
    house.sql("INSERT INTO mailings VALUES ('agenda', '0 8 * * * Europe/Paris', (SELECT max(changed_at) - 1000000000 FROM deliveries))");
    house
        .serve_until("it has looked", || house.number("SELECT count(*) FROM occurrences WHERE state = 'missed'") >= 11);
    assert_eq!(house.number("SELECT count(*) FROM occurrences WHERE state <> 'missed'"), 0);
    assert_eq!(relay.to_partners(), 6);
}

/// The daemon lives through the restoring: what it did is in its memory.
#[test]
fn d10_a_postgres_restored_while_a_daemon_runs_is_paused() {
    let relay = Relay::start();
    let house = House::on(On::Postgres).relay(&relay).set("delivery.connections", 1);
    house.import_many(3);
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    let daemon_sends = |n: usize| until("they have it", || relay.to_partners() == n);
    house.sql("UPDATE deliveries SET state = 'queued', next_at = 1 WHERE address = 'partenaire1@gite.example'");
    house.sql("UPDATE issues SET state = 'sending', closed_at = NULL");
    let daemon = house.serve();
    daemon_sends(4);
    // Closed, so that no lane is in the middle of a pass: what it then commits would belong to the ledger before the restore.
    until("it is closed", || house.number("SELECT count(*) FROM issues WHERE state = 'done'") == 1);
    block_on(async {
        let mut restore = PgConnection::connect(&house.database_url()).await.unwrap();
        let older = "UPDATE deliveries SET changed_at = 1, state = 'queued', next_at = 1;
            UPDATE issues SET state = 'sending', closed_at = NULL";
        restore.execute(older).await.unwrap();
    });
    until("it is paused", || house.number("SELECT count(*) FROM issues WHERE state = 'paused'") == 1);
    assert_eq!(daemon.stop().code, Some(0));
    assert_eq!(relay.to_partners(), 4);
}
