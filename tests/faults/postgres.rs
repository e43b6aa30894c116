//! Failures of Postgres while an issue is sent: restarts, cut connections, terminated sessions, lost replies.
//!
//! A daemon that survives them knows what it sent: no delivery may be unknown afterwards.

use crate::support::{
    house::{AT, House, On, Relay, block_on, finish, signal, until},
    ledger::{Ledger, Place},
    office::Office,
    postgres::Cluster,
    smtp::Options,
    wire::Wire,
};
use chrono::TimeDelta;
use semainier::store::{self, Access};
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

const PEOPLE: usize = 300;

/// A relay so far away that the post is still at it when something happens.
fn far_relay() -> Relay {
    Relay::with(Options { round_trip: Duration::from_millis(5), digest_only: true, ..Options::default() })
}

/// An issue frozen for [`PEOPLE`] on a server of one's own, and everything ready to send it.
fn frozen_on(cluster: &Cluster, relay: &Relay) -> House {
    let house = House::with_database(Some(block_on(cluster.database()))).set("relay", Relay::nowhere());
    house.import_many(PEOPLE);
    house.run().expect(1);
    house.relay(relay)
}

fn assert_all_sent_once(house: &House, relay: &Relay) {
    house.judge_at_rest(relay, PEOPLE);
    house.assert_states(&[("sent", PEOPLE)]);
    assert_eq!(relay.to_partners(), PEOPLE);
}

fn until_all_have_it(relay: &Relay) {
    until("everybody has it", || relay.to_partners() >= PEOPLE);
}

#[test]
fn d06_a_postgres_restart_while_sending_leaves_nothing_unknown() {
    let (cluster, relay) = (Cluster::start(), far_relay());
    let house = frozen_on(&cluster, &relay);
    let mut daemon = house.serve();
    for sent in [30, 120] {
        until("some are sent", || relay.to_partners() > sent);
        cluster.stop();
        daemon.hear("database unavailable; nothing more is claimed");
        cluster.start_again();
        // Claims that could not be given back are so when their lease is over.
        house.sql("UPDATE claims SET lease_until = 0 WHERE marked_at IS NULL");
    }
    daemon.hear("delivery pass:");
    house.sql("UPDATE claims SET lease_until = 0 WHERE marked_at IS NULL");
    until_all_have_it(&relay);
    assert_eq!(daemon.stop().code, Some(0));
    assert_all_sent_once(&house, &relay);
}

#[test]
fn d06_terminated_sessions_leave_nothing_unknown() {
    let relay = far_relay();
    let cluster = Cluster::start();
    let house = frozen_on(&cluster, &relay);
    let daemon = house.serve();
    for sent in [20, 60, 100, 140, 180] {
        until("some are sent", || relay.to_partners() > sent);
        house.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        house.sql("UPDATE claims SET lease_until = 0 WHERE marked_at IS NULL");
    }
    until_all_have_it(&relay);
    assert_eq!(daemon.stop().code, Some(0));
    assert_all_sent_once(&house, &relay);
}

#[test]
fn d07_a_dead_connection_to_postgres_sends_nothing_more_and_loses_no_result() {
    let (cluster, relay) = (Cluster::start(), far_relay());
    let house = frozen_on(&cluster, &relay);
    let wire = Wire::to(cluster.dir.clone());
    let database = house.database_url();
    let house = house.set("database", wire.url(&database));
    let mut daemon = house.serve();
    until("some are sent", || relay.to_partners() > 30);
    wire.cut();
    // Whoever has a marker may still send; nobody gets a new one.
    let silence = "database unavailable; nothing more is claimed";
    (0..2).for_each(|_| drop(daemon.hear(silence)));
    let begun = relay.numbers().data_commands;
    daemon.hear(silence);
    assert_eq!(relay.numbers().data_commands, begun, "nothing leaves without a marker");
    assert!(relay.to_partners() < PEOPLE);
    wire.mend();
    daemon.hear("delivery pass:");
    house.sql("UPDATE claims SET lease_until = 0 WHERE marked_at IS NULL");
    until_all_have_it(&relay);
    assert_eq!(daemon.stop().code, Some(0));
    assert_all_sent_once(&house, &relay);
}

/// The nth-call loop: the first, second, … commit reaches Postgres, and its answer never comes back.
#[test]
fn d08_a_lost_answer_to_any_commit_causes_no_loss_and_no_duplicate() {
    let cluster = Cluster::start();
    let wire = Wire::to(cluster.dir.clone());
    let losses = (1..).take_while(|nth| block_on(all_are_sent_without_the_answer_to_commit(*nth, &cluster, &wire)));
    let losses = losses.count();
    assert!(losses >= 6, "the loop went through claims, markers and results: {losses}");
}

/// `false`: there were fewer commits.
async fn all_are_sent_without_the_answer_to_commit(nth: u32, cluster: &Cluster, wire: &Wire) -> bool {
    let database = cluster.database().await;
    let url = wire.url(&database.url);
    let store = store::open(&url, Access::Exclusive).await.unwrap();
    let ledger = Ledger { store, url, back_door: OnceCell::new(), _place: Place::Database { _database: database } };
    let addresses = ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example", "f@x.example"];
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.connections = 2;
    wire.lose_the_answer_to_commit(nth);
    while office.try_send(&CancellationToken::new(), &|_| {}).await.is_err() {
        // A claim of which nobody heard is free when its lease is over.
        office.clock.advance(TimeDelta::seconds(61));
        office.ledger.store.recover(false, office.clock.now()).await.unwrap();
    }
    office.check().await;
    let counts = office.counts().await;
    assert_eq!((counts.sent, counts.unknown), (6, 0), "commit {nth}");
    wire.has_lost_an_answer()
}

/// A real kill while a migration has made half of its tables: another transaction holds up the one it makes next.
#[test]
fn d09_a_process_killed_during_a_migration_leaves_nothing_and_the_next_one_runs_it() {
    let house = House::on(On::Postgres);
    let args = ["partners", "list"];
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let program = block_on(async {
        let mut blocker = PgConnection::connect(&house.database_url()).await.unwrap();
        let mut watcher = PgConnection::connect(&house.database_url()).await.unwrap();
        blocker.execute("BEGIN; CREATE TABLE notices (id TEXT)").await.unwrap();
        let program = house.start(&args);
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut watcher).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        signal(program.id(), "KILL");
        blocker.execute("ROLLBACK").await.unwrap();
        program
    });
    assert_eq!(finish(program, &args).signal, Some(9));
    house.semainier(&args).expect(0);
    assert_eq!(house.number("SELECT count(*) FROM notices"), 0);
}

#[test]
fn d05_a_corrupt_table_sends_nothing_and_refers_to_the_backup() {
    let (cluster, relay) = (Cluster::start(), far_relay());
    let house = frozen_on(&cluster, &relay);
    house.sql("CHECKPOINT");
    let file = cluster.dir.join("data").join(house.text("SELECT pg_relation_filepath('issue_content')"));
    let good = std::fs::read(&file).unwrap();
    cluster.stop();
    std::fs::write(&file, vec![0x5a; good.len()]).unwrap();
    cluster.start_again();
    let args = ["run", "agenda", "--at", AT, "--yes"];
    house.semainier(&args).expect(1).expect_said(&["the database is damaged", "restore its last backup"]);
    assert_eq!(relay.numbers().data_commands, 0);
    cluster.stop();
    std::fs::write(&file, good).unwrap();
    cluster.start_again();
    house.sql("UPDATE claims SET lease_until = 0 WHERE marked_at IS NULL");
    house.semainier(&args).expect(0);
    assert_all_sent_once(&house, &relay);
}
