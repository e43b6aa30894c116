//! Creates and migrates the tables when the store opens. Each migration is one transaction: if it is interrupted it leaves
//! nothing, and runs again. Both lists have the same numbers and the same meaning.

use super::{Probed, Result, StoreError};
use sqlx::{
    Acquire, SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};
use std::{borrow::Cow, ops::Deref};

pub(super) fn sqlite() -> Migrator {
    migrator([
        (1, "ledger", include_str!("../../migrations/sqlite/0001_ledger.sql")),
        (2, "daemons", include_str!("../../migrations/sqlite/0002_daemons.sql")),
        (3, "lanes", include_str!("../../migrations/sqlite/0003_lanes.sql")),
        (4, "partners", include_str!("../../migrations/sqlite/0004_partners.sql")),
        (5, "approvals", include_str!("../../migrations/sqlite/0005_approvals.sql")),
        (6, "big ledger", include_str!("../../migrations/sqlite/0006_big_ledger.sql")),
        (7, "editions", include_str!("../../migrations/sqlite/0007_editions.sql")),
        (8, "lane steps", include_str!("../../migrations/sqlite/0008_lane_steps.sql")),
        (9, "lighter queue", include_str!("../../migrations/sqlite/0009_lighter_queue.sql")),
        (10, "attempts follow", include_str!("../../migrations/sqlite/0010_attempts_follow.sql")),
        (11, "marked at", include_str!("../../migrations/sqlite/0011_marked_at.sql")),
        (12, "claims", include_str!("../../migrations/sqlite/0012_claims.sql")),
        (13, "approved", include_str!("../../migrations/sqlite/0013_approved.sql")),
        (20, "establishments", include_str!("../../migrations/sqlite/0020_establishments.sql")),
        (21, "former_addresses", include_str!("../../migrations/sqlite/0021_former_addresses.sql")),
        (22, "properties", include_str!("../../migrations/sqlite/0022_properties.sql")),
        (23, "alerts", include_str!("../../migrations/sqlite/0023_alerts.sql")),
        (24, "resumed", include_str!("../../migrations/sqlite/0024_resumed.sql")),
        (25, "rehearsals", include_str!("../../migrations/sqlite/0025_rehearsals.sql")),
        (26, "accounts", include_str!("../../migrations/sqlite/0026_accounts.sql")),
        (28, "refusals", include_str!("../../migrations/sqlite/0028_refusals.sql")),
        (29, "staff", include_str!("../../migrations/sqlite/0029_staff.sql")),
        (30, "past content", include_str!("../../migrations/sqlite/0030_past_content.sql")),
        (31, "venues", include_str!("../../migrations/sqlite/0031_venues.sql")),
        (32, "sender_fault", include_str!("../../migrations/sqlite/0032_sender_fault.sql")),
        (33, "large pages", include_str!("../../migrations/sqlite/0033_large_pages.sql")),
        (34, "corrections", include_str!("../../migrations/sqlite/0034_corrections.sql")),
        (35, "edition forms", include_str!("../../migrations/sqlite/0035_edition_forms.sql")),
        (36, "suppression why", include_str!("../../migrations/sqlite/0036_suppression_why.sql")),
        (37, "imports", include_str!("../../migrations/sqlite/0037_imports.sql")),
        (38, "api", include_str!("../../migrations/sqlite/0038_api.sql")),
        (39, "webhooks", include_str!("../../migrations/sqlite/0039_webhooks.sql")),
        (40, "feedback", include_str!("../../migrations/sqlite/0040_feedback.sql")),
        (41, "exceptions", include_str!("../../migrations/sqlite/0041_exceptions.sql")),
        (42, "whole issue safety", include_str!("../../migrations/sqlite/0042_whole_issue_safety.sql")),
        (43, "late changes", include_str!("../../migrations/sqlite/0043_late_changes.sql")),
    ])
}

pub(super) fn postgres() -> Migrator {
    migrator([
        (1, "ledger", include_str!("../../migrations/postgres/0001_ledger.sql")),
        (2, "daemons", include_str!("../../migrations/postgres/0002_daemons.sql")),
        (3, "lanes", include_str!("../../migrations/postgres/0003_lanes.sql")),
        (4, "partners", include_str!("../../migrations/postgres/0004_partners.sql")),
        (5, "approvals", include_str!("../../migrations/postgres/0005_approvals.sql")),
        (6, "big ledger", include_str!("../../migrations/postgres/0006_big_ledger.sql")),
        (7, "editions", include_str!("../../migrations/postgres/0007_editions.sql")),
        (8, "lane steps", include_str!("../../migrations/postgres/0008_lane_steps.sql")),
        (9, "lighter queue", include_str!("../../migrations/postgres/0009_lighter_queue.sql")),
        (10, "attempts follow", include_str!("../../migrations/postgres/0010_attempts_follow.sql")),
        (11, "marked at", include_str!("../../migrations/postgres/0011_marked_at.sql")),
        (12, "claims", include_str!("../../migrations/postgres/0012_claims.sql")),
        (13, "approved", include_str!("../../migrations/postgres/0013_approved.sql")),
        (20, "establishments", include_str!("../../migrations/postgres/0020_establishments.sql")),
        (21, "former_addresses", include_str!("../../migrations/postgres/0021_former_addresses.sql")),
        (22, "properties", include_str!("../../migrations/postgres/0022_properties.sql")),
        (23, "alerts", include_str!("../../migrations/postgres/0023_alerts.sql")),
        (24, "resumed", include_str!("../../migrations/postgres/0024_resumed.sql")),
        (25, "rehearsals", include_str!("../../migrations/postgres/0025_rehearsals.sql")),
        (26, "accounts", include_str!("../../migrations/postgres/0026_accounts.sql")),
        (28, "refusals", include_str!("../../migrations/postgres/0028_refusals.sql")),
        (29, "staff", include_str!("../../migrations/postgres/0029_staff.sql")),
        (30, "past content", include_str!("../../migrations/postgres/0030_past_content.sql")),
        (31, "venues", include_str!("../../migrations/postgres/0031_venues.sql")),
        (32, "sender_fault", include_str!("../../migrations/postgres/0032_sender_fault.sql")),
        (33, "large pages", include_str!("../../migrations/postgres/0033_large_pages.sql")),
        (34, "corrections", include_str!("../../migrations/postgres/0034_corrections.sql")),
        (35, "edition forms", include_str!("../../migrations/postgres/0035_edition_forms.sql")),
        (36, "suppression why", include_str!("../../migrations/postgres/0036_suppression_why.sql")),
        (37, "imports", include_str!("../../migrations/postgres/0037_imports.sql")),
        (38, "api", include_str!("../../migrations/postgres/0038_api.sql")),
        (39, "webhooks", include_str!("../../migrations/postgres/0039_webhooks.sql")),
        (40, "feedback", include_str!("../../migrations/postgres/0040_feedback.sql")),
        (41, "exceptions", include_str!("../../migrations/postgres/0041_exceptions.sql")),
        (42, "whole issue safety", include_str!("../../migrations/postgres/0042_whole_issue_safety.sql")),
        (43, "late changes", include_str!("../../migrations/postgres/0043_late_changes.sql")),
    ])
}

fn migrator<const N: usize>(migrations: [(i64, &'static str, &'static str); N]) -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.into_iter().map(migration).collect())
}

/// Whether migrations are missing in a database in which `applied` have run. Not decided by the highest number: one added
/// later may have a lower number.
pub(super) fn pending(migrator: &Migrator, applied: &[i64]) -> bool {
    migrator.iter().any(|migration| !applied.contains(&migration.version))
}

/// How a database in which `applied` have run compares with this program.
///
/// # Errors
/// If it is newer than this program.
pub(super) fn probed(migrator: &Migrator, applied: &[i64]) -> Result<Probed> {
    let known: Vec<_> = migrator.iter().map(|migration| migration.version).collect();
    if let Some(found) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::NewerSchema { found: *found, known: newest(migrator) });
    }
    Ok(match known.iter().filter(|version| !applied.contains(version)).count() {
        _ if applied.is_empty() => Probed::Empty,
        0 => Probed::Current,
        n => Probed::Behind(n),
    })
}

/// Runs the missing migrations. A database that is newer than this program is refused unchanged.
pub(super) async fn run<'a, A>(migrator: &Migrator, database: A) -> Result<()>
where
    A: Acquire<'a>,
    <A::Connection as Deref>::Target: Migrate,
{
    migrator.run(database).await.map_err(|e| match e {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema { found, known: newest(migrator) },
        other => StoreError::Migration(other),
    })
}

/// The number of the newest migration this program knows.
pub(super) fn newest_known() -> i64 {
    newest(&sqlite())
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

    /// The table of issues is rebuilt on SQLite: nothing in an existing ledger may be lost.
    #[tokio::test]
    async fn a_ledger_of_schema_2_keeps_its_issues_and_their_data() {
        let options = SqliteConnectOptions::new().filename(":memory:").foreign_keys(true);
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let whole = super::sqlite();
        let before = super::Migrator::with_migrations(whole.iter().filter(|it| it.version <= 2).cloned().collect());
        super::run(&before, &mut db).await.unwrap();
        let rows = "INSERT INTO issues VALUES ('agenda/2026-W28', 'agenda', 'done', NULL, 1, 2, 3, 4, 5, 'Objet', 'c0ffee');
            INSERT INTO issues VALUES ('agenda/2026-W29', 'agenda', 'held', 'rien', 1, 2, 3, NULL, NULL, NULL, NULL);
            INSERT INTO issue_content VALUES ('agenda/2026-W28', 'h', 't', '{}', '{}');
            INSERT INTO attachments VALUES ('agenda/2026-W28', 1, 'a.pdf', 'application/pdf', x'00');
            INSERT INTO deliveries VALUES ('d1', 'agenda/2026-W28', 'c', 'k', 'a@b.fr', 'h', '', '', '', 'm', 'sent', NULL,
                NULL, 1, NULL, 0, 0, 6)";
        sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
        super::run(&whole, &mut db).await.unwrap();
        let kept = "SELECT count(*) FROM issues i LEFT JOIN deliveries d ON d.issue = i.key
            WHERE (i.subject = 'Objet' AND i.frozen_at = 4 AND d.id = 'd1') OR (i.state = 'held' AND i.reason = 'rien')";
        assert_eq!(sqlx::query_scalar::<_, i64>(kept).fetch_one(&mut db).await.unwrap(), 2);
        let orphan = "INSERT INTO issue_content VALUES ('agenda/2030-W01', 'h', 't', '{}', '{}')";
        let refused = sqlx::raw_sql(orphan).execute(&mut db).await.unwrap_err().to_string();
        assert!(refused.contains("FOREIGN KEY"), "{refused}");
    }

    #[tokio::test]
    async fn an_approval_before_schema_13_becomes_the_state_approved() {
        let options = SqliteConnectOptions::new().filename(":memory:").foreign_keys(true);
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let whole = super::sqlite();
        let before = super::Migrator::with_migrations(whole.iter().filter(|it| it.version <= 12).cloned().collect());
        super::run(&before, &mut db).await.unwrap();
        let rows = "INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, content_hash) VALUES
                ('n/2026-07', 'n', 'awaiting_approval', NULL, 1, 2, 3, 'a'),
                ('n/2026-08', 'n', 'held', 'personne', 1, 2, 3, 'b'),
                ('n/2026-09', 'n', 'awaiting_approval', NULL, 1, 2, 3, 'c');
            INSERT INTO approvals VALUES ('n/2026-07', 'a', 'Claire', 4), ('n/2026-08', 'b', 'Claire', 4),
                ('n/2026-09', 'another', 'Claire', 4);
            INSERT INTO notices (id, issue, kind, text, created_at)
                VALUES ('r', 'n/2026-08', 'resolved', 'Une personne a donné son accord', 5)";
        sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
        super::run(&whole, &mut db).await.unwrap();
        let states = "SELECT state || coalesce(':' || reason, '') FROM issues ORDER BY key";
        let states: Vec<String> = sqlx::query_scalar(states).fetch_all(&mut db).await.unwrap();
        assert_eq!(states, ["approved", "approved:personne", "awaiting_approval"]);
        let text: String = sqlx::query_scalar("SELECT text FROM notices").fetch_one(&mut db).await.unwrap();
        assert_eq!(text, "approved");
    }

    /// The table of attempts is changed in place: its text, not its rows.
    #[tokio::test]
    async fn an_outcome_of_schema_28_has_its_new_word_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(dir.path().join("old.db")).create_if_missing(true);
        let options = options.foreign_keys(true).journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let whole = super::sqlite();
        let before = super::Migrator::with_migrations(whole.iter().filter(|it| it.version <= 28).cloned().collect());
        super::run(&before, &mut db).await.unwrap();
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        let deliveries = "PRAGMA foreign_keys = OFF;
            INSERT INTO attempts (delivery, n, source, at, phase, outcome) VALUES
                ('d1', 1, 'relay', 5, 'rcpt', 'ours'), ('d1', 2, 'relay', 6, 'dot', 'accepted'),
                ('d2', 1, 'relay', 7, 'rcpt', 'refused'), ('d3', 1, 'relay', 8, 'connect', 'ours')";
        sqlx::raw_sql(deliveries).execute(&mut db).await.unwrap();
        let outcomes = "SELECT delivery || n || ':' || outcome FROM attempts ORDER BY delivery, n";
        let read = async |db: &mut SqliteConnection| -> Vec<String> {
            sqlx::query_scalar(outcomes).fetch_all(db).await.unwrap()
        };
        assert_eq!(read(&mut other).await, ["d11:ours", "d12:accepted", "d21:refused", "d31:ours"]);
        super::run(&whole, &mut db).await.unwrap();
        sqlx::raw_sql("PRAGMA foreign_keys = OFF").execute(&mut other).await.unwrap();
        for db in [&mut db, &mut other] {
            assert_eq!(read(db).await, ["d11:sender_fault", "d12:accepted", "d21:refused", "d31:sender_fault"]);
            let add = |outcome: &str| {
                format!(
                    "INSERT INTO attempts (delivery, n, source, at, phase, outcome)
                    VALUES ('d9', 1, 'relay', 5, 'rcpt', '{outcome}'); DELETE FROM attempts WHERE delivery = 'd9'"
                )
            };
            let old = sqlx::raw_sql(sqlx::AssertSqlSafe(add("ours"))).execute(&mut *db).await;
            assert!(old.unwrap_err().to_string().contains("CHECK"));
            sqlx::raw_sql(sqlx::AssertSqlSafe(add("sender_fault"))).execute(&mut *db).await.unwrap();
            let integrity: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *db).await.unwrap();
            assert_eq!(integrity, "ok");
        }
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        let names =
            |m: sqlx::migrate::Migrator| m.iter().map(|m| (m.version, m.description.clone())).collect::<Vec<_>>();
        assert_eq!(names(super::sqlite()), names(super::postgres()));
    }

    #[test]
    fn a_late_migration_is_pending_below_the_newest() {
        let all: Vec<_> = super::sqlite().iter().map(|m| m.version).collect();
        assert!(!super::pending(&super::sqlite(), &all));
        assert!(super::pending(&super::sqlite(), &all[1..]));
        assert!(super::pending(&super::sqlite(), &[]));
    }
}
