//! The ledger as a whole: copied to a file, put back, moved to the other database.
//! Must never leave a ledger half there: a copy has its name when it is whole, and a move is one transaction.

mod backup;
mod move_to;
mod pg_tools;
mod tables;

pub use backup::{Copied, Holds, Kind, Target, copy_to, kind_of};
pub use move_to::{MovedTable, move_all};

use super::StoreError;
use std::io;
use std::path::Path;

/// The newest schema this program knows; it brings older ones up to date and refuses newer ones.
pub fn schema_version() -> i64 {
    super::migrations::newest_known()
}

#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{doing} {path}: {why}")]
    File { doing: &'static str, path: String, why: io::Error },
    #[error("the copy {path} is damaged: {why}")]
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
    #[error("{table} has other columns in the one database than in the other: {columns}")]
    Columns { table: &'static str, columns: String },
    #[error("the table {0} is not known to this command: nothing was moved; please report it")]
    UnknownTable(String),
    #[error("what arrived is not what left, and nothing was kept: {}", .0.join("; "))]
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
