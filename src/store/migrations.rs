//! The tables, made and brought up to date when the store opens. Each migration is one transaction: killed half-way it
//! leaves nothing, and runs again. Both lists have the same numbers and the same meaning.

use super::{Result, StoreError};
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
    ])
}

pub(super) fn postgres() -> Migrator {
    migrator([
        (1, "ledger", include_str!("../../migrations/postgres/0001_ledger.sql")),
        (2, "daemons", include_str!("../../migrations/postgres/0002_daemons.sql")),
        (3, "lanes", include_str!("../../migrations/postgres/0003_lanes.sql")),
        (4, "partners", include_str!("../../migrations/postgres/0004_partners.sql")),
    ])
}

fn migrator<const N: usize>(migrations: [(i64, &'static str, &'static str); N]) -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.into_iter().map(migration).collect())
}

/// Whether a database that was brought up to `applied` has some of these still before it.
pub(super) fn pending(migrator: &Migrator, applied: Option<i64>) -> bool {
    newest(migrator) > applied.unwrap_or_default()
}

/// Runs what is missing. A database that knows more than this program is left alone.
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

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_databases_have_the_same_migrations() {
        let names =
            |m: sqlx::migrate::Migrator| m.iter().map(|m| (m.version, m.description.clone())).collect::<Vec<_>>();
        assert_eq!(names(super::sqlite()), names(super::postgres()));
    }
}
