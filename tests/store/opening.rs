//! Opening a ledger: locks, creation, migration, refusals.

use crate::support::{
    ledger::{Ledger, at, hash},
    postgres::Database,
};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::delivery::Marked,
    store::{self, Access, LogFilter, StoreError},
};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use std::{os::unix::fs::PermissionsExt, path::Path};

/// `unwrap_err` without a `Debug` of the store.
async fn refused(url: &str, access: Access) -> StoreError {
    match store::open(url, access).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

async fn an_opened_ledger_opens_again_with_what_it_held(db: Ledger) {
    db.frozen(2).await;
    let other = db.another().await;
    assert_eq!(other.kind(), db.store.kind());
    assert_eq!(other.issues().await.unwrap()[0].counts.total(), 2);
}

async fn d09_an_older_program_refuses_a_newer_schema(db: Ledger) {
    db.sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'tomorrow', true, '', 0)",
    )
    .await;
    let error = refused(&db.url, Access::Shared).await;
    assert!(matches!(error, StoreError::NewerSchema { found: 9999, known: 6.. }), "{error:?}");
}

on_both_databases! {
    an_opened_ledger_opens_again_with_what_it_held
    d09_an_older_program_refuses_a_newer_schema
}

/// The first migration with its power cut at the end: whatever it made must be gone when it runs again.
fn cut_short(sql: &'static str) -> Migrator {
    let sql = AssertSqlSafe(format!("{sql}; SELECT no_such_column FROM contacts;")).into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "ledger".into(), MigrationType::Simple, sql, false)])
}

#[tokio::test]
async fn d09_a_migration_killed_half_way_runs_again_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("semainier.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let migrator = cut_short(include_str!("../../migrations/sqlite/0001_ledger.sql"));
    migrator.run(&mut connection).await.unwrap_err();
    connection.close().await.unwrap();
    store::open(&format!("sqlite://{}", path.display()), Access::Exclusive).await.unwrap();
}

#[tokio::test]
async fn d09_a_migration_killed_half_way_runs_again_on_postgres() {
    let database = Database::create().await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let migrator = cut_short(include_str!("../../migrations/postgres/0001_ledger.sql"));
    migrator.run(&mut connection).await.unwrap_err();
    connection.close().await.unwrap();
    store::open(&database.url, Access::Exclusive).await.unwrap();
}

/// What migration 0032 changes on a ledger of the version before; that of SQLite has its test beside the migrations.
#[tokio::test]
async fn an_outcome_of_schema_28_has_its_new_word_on_postgres() {
    let db = Ledger::postgres().await;
    db.frozen(1).await;
    db.sql(
        "ALTER TABLE attempts DROP CONSTRAINT attempts_outcome_check;
        ALTER TABLE attempts
            ADD CHECK (outcome IN ('accepted', 'refused', 'deferred', 'ours', 'unknown', 'resolved'));
        INSERT INTO attempts (delivery, n, source, at, phase, code, text, outcome)
            SELECT id, 1, 'relay', 5, 'rcpt', 550, 'no', 'ours' FROM deliveries;
        DELETE FROM _sqlx_migrations WHERE version = 32",
    )
    .await;
    let again = db.another().await;
    let log = again.log(&LogFilter::default()).await.unwrap();
    assert_eq!(log[0].attempts.iter().map(|it| it.outcome.as_str()).collect::<Vec<_>>(), ["sender_fault"]);
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    let old = connection.execute("UPDATE attempts SET outcome = 'ours'").await.unwrap_err().to_string();
    assert!(old.contains("attempts_outcome_check"), "{old}");
}

#[tokio::test]
async fn two_daemons_may_start_together_on_an_empty_postgres() {
    let database = Database::create().await;
    let open = || store::open(&database.url, Access::Exclusive);
    let (one, two) = tokio::join!(open(), open());
    assert!(one.is_ok() && two.is_ok());
}

#[tokio::test]
async fn sqlite_has_one_daemon_and_any_number_of_commands() {
    let db = Ledger::sqlite().await;
    let error = refused(&db.url, Access::Exclusive).await;
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    let command = db.another().await;
    command.suppress(&hash(1), None, semainier::domain::partner::SuppressionReason::Manual, at(0)).await.unwrap();
    let Ledger { store, url, _place, .. } = db;
    drop((store, command));
    store::open(&url, Access::Exclusive).await.unwrap();
}

#[tokio::test]
async fn a_command_does_not_migrate_under_a_daemon_that_is_starting() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("semainier.db");
    let url = format!("sqlite://{}", path.display());
    let (daemon, command) = tokio::join!(store::open(&url, Access::Exclusive), store::open(&url, Access::Shared));
    let daemon = daemon.map(|_| ());
    let command = command.map(|_| ());
    // The command either waited and found the tables made, or was told to come back; never both at the tables at once.
    assert!(matches!((&daemon, &command), (Ok(()), Ok(()) | Err(StoreError::Locked { .. }))), "{daemon:?} {command:?}");
}

#[tokio::test]
async fn a_new_file_and_its_directory_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("var/lib/semainier.db");
    let store = store::open(&format!("sqlite://{}", path.display()), Access::Exclusive).await.unwrap();
    store
        .queue_notice(
            &semainier::domain::issue::IssueKey::new("agenda", "2026-W28"),
            &semainier::domain::notice::Notice::Unapproved,
            at(0),
        )
        .await
        .unwrap();
    for file in ["semainier.db", "semainier.db-wal", "semainier.db-shm", "semainier.db.lock"] {
        let mode = path.with_file_name(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn an_unwritable_database_is_reported() {
    let db = Ledger::sqlite().await;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    db.sql(&format!("VACUUM INTO '{}'", copy.display())).await;
    make_read_only(&copy);
    let error = refused(&format!("sqlite://{}", copy.display()), Access::Shared).await;
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
}

/// By the file's own format: its "write version" is one that no SQLite knows. Permissions would not stop root.
fn make_read_only(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[18] = 9;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn an_invalid_url_is_refused_without_showing_its_password() {
    for url in ["mysql://root:secret@db/x", "sqlite://", "sqlite::memory:", "postgres://u:secret@127.0.0.1:1/x", ""] {
        let error = refused(url, Access::Shared).await.to_string();
        assert!(error.contains("cannot open the database"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_waits_for_an_opt_out_that_is_being_committed_on_postgres() {
    let db = Ledger::postgres().await;
    db.frozen(1).await;
    let claims = db.claim(1, at(1)).await;

    let mut opting_out = PgConnection::connect(&db.url).await.unwrap();
    let begun = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(7305801); INSERT INTO suppressions (address_hash, scope, reason, since) VALUES ('{}', '*', 'opt_out', 1)",
        hash(1)
    );
    sqlx::raw_sql(AssertSqlSafe(begun)).execute(&mut opting_out).await.unwrap();
    let store = db.store.clone();
    let marking = tokio::spawn(async move { store.mark_in_data(&claims, at(2)).await.unwrap() });
    let mut watcher = PgConnection::connect(&db.url).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watcher).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    opting_out.execute("COMMIT").await.unwrap();
    assert_eq!(marking.await.unwrap(), [Marked::Suppressed]);
}
