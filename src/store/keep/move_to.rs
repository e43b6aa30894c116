//! Moves a whole ledger to another database: every row of every table in one transaction, with checksums compared.

use super::{
    super::{
        Access, StoreError,
        backend::{Backend, Transaction, values},
        postgres::{self, Postgres},
        properties,
        sqlite::Sqlite,
    },
    KeepError, Result, database_error,
    tables::{self, OF_ITS_OWN, Shape, TABLES},
};
use crate::domain::Timestamp;

/// A table that was copied completely: the same rows on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    pub name: &'static str,
    pub rows: u64,
    /// 32 hexadecimal digits over all rows, independent of their order; equal on both sides.
    pub checksum: String,
}

/// A database opened exclusively.
enum Opened {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

async fn opened(url: &str) -> Result<Opened> {
    if url.starts_with("postgres") {
        let mut connection = postgres::connect(url).await?;
        let n = postgres::sessions(&mut connection).await.map_err(database_error("looking who works here"))?;
        if n > 0 {
            return Err(KeepError::InUse { n });
        }
        return Ok(Opened::Postgres(Postgres::open(url).await?));
    }
    Ok(Opened::Sqlite(Sqlite::open(url, Access::Exclusive).await?))
}

/// Copies the ledger at `from` into the empty database at `to`, and compares every table before committing. `from` is then
/// marked as moved: a daemon that is started on it pauses its unfinished issues. Both are upgraded to the newest schema.
///
/// # Errors
/// When one of them cannot be opened or is in use, when `to` is not empty, or when the copy differs from the source: then it was
/// rolled back.
pub async fn move_all(from: &str, to: &str, now: Timestamp) -> Result<Vec<MovedTable>> {
    // The source first: if it does not exist, no target is created.
    if let Some(path) = from.strip_prefix("sqlite://").map(std::path::Path::new).filter(|path| !path.exists()) {
        let why = "there is no such file".to_owned();
        return Err(StoreError::Open { url: path.display().to_string(), why }.into());
    }
    let source = opened(from).await?;
    match (source, opened(to).await?) {
        (Opened::Sqlite(a), Opened::Sqlite(b)) => copy(&a, &b, to, now).await,
        (Opened::Sqlite(a), Opened::Postgres(b)) => copy(&a, &b, to, now).await,
        (Opened::Postgres(a), Opened::Sqlite(b)) => copy(&a, &b, to, now).await,
        (Opened::Postgres(a), Opened::Postgres(b)) => copy(&a, &b, to, now).await,
    }
}

async fn copy<A: Backend, B: Backend>(from: &A, to: &B, to_url: &str, now: Timestamp) -> Result<Vec<MovedTable>> {
    // Held until the end: a daemon that is started meanwhile claims nothing.
    let mut held = Transaction::write(from, "holding the ledger that is moved").await?;
    held.execute(A::SQL.unhurried, values![]).await?;
    held.execute(A::SQL.opting_out, values![]).await?;
    let mut reading = Transaction::read(from, "reading the ledger that is moved").await?;
    reading.execute(A::SQL.unhurried, values![]).await?;
    let mut writing = Transaction::write(to, "writing the ledger that is moved").await?;
    writing.execute(B::SQL.unhurried, values![]).await?;
    writing.execute(B::SQL.at_length, values![]).await?;

    let known = |name: &String| TABLES.iter().any(|table| table.name == name);
    if let Some(unknown) = tables::names(&mut reading).await?.into_iter().find(|name| !known(name)) {
        return Err(KeepError::UnknownTable(unknown));
    }
    refuse_rows(&mut writing, to_url).await?;

    let mut sent = Vec::new();
    for table in &TABLES {
        let shape = Shape::read(&mut reading, table).await?;
        let target = Shape::read(&mut writing, table).await?;
        shape.expect_same(&target)?;
        let (mut sum, mut after) = (tables::Sum::default(), None);
        loop {
            let rows = shape.page(&mut reading, after.as_ref()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.clone());
            rows.iter().for_each(|row| shape.add(&mut sum, row));
            target.insert(&mut writing, rows).await?;
        }
        sent.push((target, sum));
    }
    drop(reading);
    #[cfg(feature = "failpoints")]
    spoil(&mut writing).await?;

    let (mut moved, mut different) = (Vec::new(), Vec::new());
    for (target, sent) in sent {
        let (name, arrived) = (target.table.name, target.sum(&mut writing).await?);
        if arrived != sent {
            different.push(format!("{name}: {} rows ({sent}) left, {} ({arrived}) arrived", sent.rows, arrived.rows));
        }
        moved.push(MovedTable { name, rows: sent.rows, checksum: sent.to_string() });
    }
    if !different.is_empty() {
        return Err(KeepError::NotEqual(different));
    }
    writing.commit().await?;
    // From here on the target is the ledger.
    properties::set(&mut held, properties::MOVED, &properties::mark(now)).await?;
    held.commit().await?;
    Ok(moved)
}

/// Refuses a target with rows, except for those that a daemon writes into an empty ledger on its own, which are deleted.
async fn refuse_rows<B: Backend>(writing: &mut Transaction<B>, url: &str) -> Result<()> {
    let counts = tables::counts(writing).await?;
    if let Some((table, rows)) = counts.iter().find(|(name, rows)| *rows > 0 && !OF_ITS_OWN.contains(name)) {
        // Not the whole URL: it may contain a password.
        let url = if url.starts_with("postgres") { "the Postgres database" } else { url };
        return Err(KeepError::NotEmpty { url: url.to_owned(), table, rows: *rows });
    }
    writing.execute("DELETE FROM properties WHERE name <> 'place'", values![]).await?;
    for clear in ["DELETE FROM mailings", "DELETE FROM daemons", "DELETE FROM pages", "DELETE FROM mailboxes"] {
        writing.execute(clear, values![]).await?;
    }
    Ok(())
}

/// Executes the statement in `SEMAINIER_SPOIL_MOVE`, for the test that a corrupt copy is detected.
#[cfg(feature = "failpoints")]
async fn spoil<B: Backend>(writing: &mut Transaction<B>) -> Result<()> {
    if let Ok(statement) = std::env::var("SEMAINIER_SPOIL_MOVE") {
        writing.execute(sqlx::AssertSqlSafe(statement), values![]).await?;
    }
    Ok(())
}
