//! The ledger as a whole: backed up to a file, restored, migrated to another database.
//! Must never leave an incomplete ledger: a copy gets its final name once it is complete, and a migration is one transaction.

mod backup;
mod move_to;
mod pg_tools;
mod tables;

pub use backup::{Copied, Holds, Kind, Target, copy_to, kind_of};
pub use move_to::{MovedTable, move_all};

use super::StoreError;
use std::io;
use std::path::Path;

/// The newest schema this program knows; it upgrades older ones and refuses newer ones.
pub fn schema_version() -> i64 {
    super::migrations::newest_known()
}

#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{doing} {path}: {why}")]
    File { doing: &'static str, path: String, why: io::Error },
    #[error("the copy {path} is corrupt: {why}")]
    DamagedCopy { path: String, why: String },
    #[error("{n} connections of semainier are open to this database: stop its daemons and commands first")]
    InUse { n: i64 },
    #[error(
        "{program} cannot be started: {why}; install the client programs of your server's version (Debian: apt install postgresql-client)"
    )]
    NoTool { program: &'static str, why: io::Error },
    #[error("{program} failed ({status}): {why}")]
    Tool { program: &'static str, status: String, why: String },
    #[error("the database holds tables that are not semainier's ({}): use one of its own", .0.join(", "))]
    ForeignTables(Vec<String>),
    #[error("{url} is not empty: {table} has {rows} rows. A ledger is moved to an empty database only")]
    NotEmpty { url: String, table: &'static str, rows: u64 },
    #[error("the columns of {table} differ between the two databases: {columns}")]
    Columns { table: &'static str, columns: String },
    #[error("unknown table {0}: nothing was moved; please report it")]
    UnknownTable(String),
    #[error("the copy differs from the source, and was rolled back: {}", .0.join("; "))]
    NotEqual(Vec<String>),
    #[error("cannot move {table}: {why}")]
    Row { table: &'static str, why: StoreError },
}

pub type Result<T> = std::result::Result<T, KeepError>;

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.display().to_string();
    move |why| KeepError::File { doing, path, why }
}

fn database_error(doing: &'static str) -> impl Fn(sqlx::Error) -> KeepError {
    move |source| KeepError::Store(StoreError::Database { doing, source })
}
