//! A consistent copy of the ledger in one file, and restoring the ledger from it.

use super::{
    super::{
        StoreError,
        backend::Backend,
        postgres::{self, Postgres},
        properties, sqlite,
    },
    KeepError, Result, database_error, file_error, pg_tools,
    tables::{OF_ITS_OWN, TABLES},
};
use crate::domain::Timestamp;
use crate::private;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The kind of database a copy was made from and can be restored into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub fn kind_of(url: &str) -> Kind {
    if url.starts_with("postgres") { Kind::Postgres } else { Kind::Sqlite }
}

/// Describes a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Number of rows of each table in the copy.
    pub rows: BTreeMap<String, u64>,
    /// The Postgres schema it was made from.
    pub schema: Option<String>,
}

/// Copies a consistent snapshot of the ledger into a new file while it is in use. The file is on disk when this returns.
///
/// # Errors
/// When the ledger cannot be read, the file cannot be written, or `pg_dump` is missing or fails.
pub async fn copy_to(url: &str, file: &Path) -> Result<Copied> {
    let unfinished = private::beside(file, ".part");
    private::create(&unfinished).map_err(file_error("cannot create", &unfinished))?;
    let copied = match kind_of(url) {
        Kind::Sqlite => copy_sqlite(&sqlite::path_of(url)?, &unfinished).await,
        Kind::Postgres => copy_postgres(url, &unfinished).await,
    };
    if copied.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    let copied = copied?;
    let finish = || {
        File::open(&unfinished)?.sync_all()?;
        private::rename_durably(&unfinished, file)
    };
    finish().map_err(file_error("cannot write", file))?;
    Ok(copied)
}

async fn copy_sqlite(from: &Path, to: &Path) -> Result<Copied> {
    let options = SqliteConnectOptions::new().filename(from).busy_timeout(sqlite::PATIENCE);
    let failed = |error| KeepError::Store(sqlite::cannot_open(from, error));
    let mut source = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let into =
        to.to_str().ok_or_else(|| file_error("cannot write", to)(std::io::Error::other("its name is not UTF-8")))?;
    sqlx::query("VACUUM INTO $1").bind(into).execute(&mut source).await.map_err(failed)?;
    source.close().await.map_err(failed)?;
    // Check the copy itself, which nobody changes any more.
    let options = SqliteConnectOptions::new().filename(to).immutable(true).read_only(true);
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(database_error("opening the copy"))?;
    let found = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)").fetch_one(&mut copy).await;
    match found.map_err(database_error("checking the copy"))? {
        found if found == "ok" => {}
        why => return Err(KeepError::DamagedCopy { path: to.display().to_string(), why }),
    }
    let mut rows = BTreeMap::new();
    for table in &TABLES {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {}", table.name));
        let n: i64 =
            sqlx::query_scalar(count).fetch_one(&mut copy).await.map_err(database_error("counting the copy"))?;
        rows.insert(table.name.to_owned(), n.unsigned_abs());
    }
    copy.close().await.map_err(database_error("closing the copy"))?;
    Ok(Copied { rows, schema: None })
}

async fn copy_postgres(url: &str, to: &Path) -> Result<Copied> {
    let failed = database_error("reading the ledger to copy it");
    let mut connection = postgres::connect(url).await?;
    // pg_dump reads the snapshot that was counted, which is held until it ends.
    let mut tx = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(&failed)?;
    tx.execute(Postgres::SQL.unhurried).await.map_err(&failed)?;
    let snapshot: String =
        sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut *tx).await.map_err(&failed)?;
    let schema = schema_of(&mut tx).await?;
    let mut rows = BTreeMap::new();
    for table in &TABLES {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {}", table.name));
        let n: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.map_err(&failed)?;
        rows.insert(table.name.to_owned(), n.unsigned_abs());
    }
    pg_tools::dump(url, &schema, &snapshot, to).await?;
    Ok(Copied { rows, schema: Some(schema) })
}

async fn schema_of(connection: &mut PgConnection) -> Result<String> {
    let schema = "SELECT CAST(coalesce(current_schema(), 'public') AS TEXT)";
    sqlx::query_scalar(schema).fetch_one(connection).await.map_err(database_error("reading the name of the schema"))
}

/// What exists at the place a ledger is restored to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// No ledger at all.
    Nothing,
    /// An empty ledger.
    Empty,
    /// A ledger with data, or one that cannot be read.
    Ledger,
}

/// The place a ledger is restored to, locked against other processes.
pub struct Target {
    pub holds: Holds,
    place: Place,
}

enum Place {
    Sqlite {
        path: PathBuf,
        /// The same lock a daemon takes.
        _lock: File,
    },
    Postgres {
        url: String,
        connection: PgConnection,
        schema: String,
    },
}

impl Target {
    /// # Errors
    /// When it cannot be reached, is in use by a daemon, or contains foreign tables.
    pub async fn claim(url: &str) -> Result<Self> {
        match kind_of(url) {
            Kind::Sqlite => {
                let path = sqlite::path_of(url)?;
                if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
                    private::create_folder(folder).map_err(file_error("cannot create", folder))?;
                }
                let lock = sqlite::try_lock(&private::beside(&path, ".lock"))?;
                let lock = lock.ok_or_else(|| sqlite::locked(&path))?;
                Ok(Self { holds: held_by_sqlite(&path).await, place: Place::Sqlite { path, _lock: lock } })
            }
            Kind::Postgres => {
                let mut connection = postgres::connect(url).await?;
                let n = postgres::sessions(&mut connection)
                    .await
                    .map_err(database_error("counting the sessions of other programs"))?;
                if n > 0 {
                    return Err(KeepError::InUse { n });
                }
                let holds = held_by_postgres(&mut connection).await?;
                let schema = schema_of(&mut connection).await?;
                Ok(Self { holds, place: Place::Postgres { url: url.to_owned(), connection, schema } })
            }
        }
    }

    /// Puts the copy in place, marked as restored at `now`: a daemon on any machine pauses its unfinished issues. The previous
    /// ledger is kept under a name with `suffix`, which is returned; an empty one is removed.
    ///
    /// # Errors
    /// When the copy is invalid or cannot be put in place; then the previous ledger is unchanged.
    pub async fn put(
        &mut self,
        copy: &Path,
        schema: Option<&str>,
        suffix: &str,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let (holds, copy) = (self.holds, copy.to_owned());
        match &mut self.place {
            Place::Sqlite { path, .. } => put_sqlite(path, &copy, (holds, suffix), now).await,
            Place::Postgres { url, connection, schema: here } => {
                let from = schema.unwrap_or("public");
                if from != here {
                    let why = format!("the backup is of the schema {from}, this database's is {here}");
                    return Err(StoreError::Open { url: "postgres".to_owned(), why }.into());
                }
                put_postgres(url, connection, (here, &copy), (holds, suffix), now).await
            }
        }
    }
}

/// Whether there is more than a daemon writes into an empty ledger on its own. A file that cannot be read counts as a ledger.
async fn held_by_sqlite(path: &Path) -> Holds {
    if !path.exists() {
        return Holds::Nothing;
    }
    let look = async || -> sqlx::Result<Holds> {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(sqlite::PATIENCE);
        let mut db = SqliteConnection::connect_with(&options).await?;
        let select = "SELECT name FROM sqlite_master WHERE type = 'table'";
        let there: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut db).await?;
        for table in kept(&there) {
            let any = AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {table})"));
            if sqlx::query_scalar::<_, bool>(any).fetch_one(&mut db).await? {
                return Ok(Holds::Ledger);
            }
        }
        db.close().await?;
        Ok(Holds::Empty)
    };
    look().await.unwrap_or(Holds::Ledger)
}

fn kept(there: &[String]) -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|it| it.name).filter(|it| there.iter().any(|name| name == it) && !OF_ITS_OWN.contains(it))
}

async fn held_by_postgres(connection: &mut PgConnection) -> Result<Holds> {
    let failed = database_error("reading the tables of the database");
    let there: Vec<String> =
        sqlx::query_scalar(Postgres::SQL.tables).fetch_all(&mut *connection).await.map_err(&failed)?;
    let ours = |name: &String| TABLES.iter().any(|table| table.name == name);
    let foreign: Vec<String> = there.iter().filter(|name| !ours(name)).cloned().collect();
    if !foreign.is_empty() {
        return Err(KeepError::ForeignTables(foreign));
    }
    for table in kept(&there) {
        let any = AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {table})"));
        if sqlx::query_scalar::<_, bool>(any).fetch_one(&mut *connection).await.map_err(&failed)? {
            return Ok(Holds::Ledger);
        }
    }
    Ok(if there.is_empty() { Holds::Nothing } else { Holds::Empty })
}

/// Suffixes of the database file and of its side files, which belong to it.
const SIDES: [&str; 3] = ["", "-wal", "-shm"];

async fn put_sqlite(
    path: &Path,
    copy: &Path,
    (holds, suffix): (Holds, &str),
    now: Timestamp,
) -> Result<Option<String>> {
    let unfinished = private::beside(path, ".restoring");
    let mut to = private::create(&unfinished).map_err(file_error("cannot create", &unfinished))?;
    let mut from = File::open(copy).map_err(file_error("cannot read", copy))?;
    std::io::copy(&mut from, &mut to).map_err(file_error("cannot write", &unfinished))?;
    drop(to);
    mark_sqlite(&unfinished, now).await.map_err(database_error("marking the ledger as restored"))?;
    let synced = File::open(&unfinished).and_then(|file| file.sync_all());
    synced.map_err(file_error("cannot write", &unfinished))?;

    let aside = private::beside(path, suffix);
    for side in SIDES {
        let old = private::beside(path, side);
        match holds {
            Holds::Nothing => {}
            Holds::Empty if old.exists() => std::fs::remove_file(&old).map_err(file_error("cannot remove", &old))?,
            Holds::Ledger if old.exists() => {
                std::fs::rename(&old, private::beside(&aside, side)).map_err(file_error("cannot rename", &old))?;
            }
            Holds::Empty | Holds::Ledger => {}
        }
    }
    private::rename_durably(&unfinished, path).map_err(file_error("cannot put in place", path))?;
    Ok((holds == Holds::Ledger).then(|| aside.display().to_string()))
}

/// What was ended since the backup does not come back: sessions, invitations that were used or replaced.
const END_SESSIONS: &str = "DELETE FROM sessions; DELETE FROM known_devices; DELETE FROM invitations";

async fn mark_sqlite(path: &Path, now: Timestamp) -> sqlx::Result<()> {
    // No write-ahead log: the database must be a single file, since it is renamed afterwards.
    let options = SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Delete);
    let mut db = SqliteConnection::connect_with(&options).await?;
    let mark = "INSERT INTO properties (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(mark).bind(properties::RESTORED).bind(properties::mark(now)).execute(&mut db).await?;
    // Daemons listed in the backup are no longer running.
    sqlx::query("DELETE FROM daemons").execute(&mut db).await?;
    // A backup of an earlier schema has no accounts yet.
    if sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetch_optional(&mut db).await?.is_some() {
        sqlx::raw_sql(END_SESSIONS).execute(&mut db).await?;
    }
    db.close().await
}

/// Every function of the schema but those of extensions: like its tables, they are the ledger's.
const DROP_FUNCTIONS: &str = "DO $$
    DECLARE ours regprocedure;
    BEGIN
        FOR ours IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
            AND NOT EXISTS (SELECT 1 FROM pg_depend d
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        LOOP
            EXECUTE 'DROP ROUTINE IF EXISTS ' || ours || ' CASCADE';
        END LOOP;
    END $$;";

async fn put_postgres(
    url: &str,
    connection: &mut PgConnection,
    (schema, copy): (&str, &Path),
    (holds, suffix): (Holds, &str),
    now: Timestamp,
) -> Result<Option<String>> {
    let failed = database_error("restoring the ledger");
    let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let aside = format!("{schema}{}", suffix.replace(['.', '-'], "_").to_lowercase());
    let (here, there) = (name(schema), name(&aside));
    match holds {
        // An empty ledger is that of a daemon that was started too early. Its functions are not dropped with its tables.
        Holds::Nothing | Holds::Empty => {
            let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
            let clear =
                format!("BEGIN; DROP TABLE IF EXISTS {tables}, _sqlx_migrations CASCADE; {DROP_FUNCTIONS} COMMIT");
            sqlx::raw_sql(AssertSqlSafe(clear)).execute(&mut *connection).await.map_err(&failed)?;
        }
        Holds::Ledger => {
            let set_aside = format!("BEGIN; ALTER SCHEMA {here} RENAME TO {there}; CREATE SCHEMA {here}; COMMIT");
            sqlx::raw_sql(AssertSqlSafe(set_aside)).execute(&mut *connection).await.map_err(&failed)?;
        }
    }
    if let Err(error) = pg_tools::restore(url, schema, copy).await {
        if holds == Holds::Ledger {
            let back = format!("BEGIN; DROP SCHEMA {here} CASCADE; ALTER SCHEMA {there} RENAME TO {here}; COMMIT");
            sqlx::raw_sql(AssertSqlSafe(back)).execute(&mut *connection).await.map_err(&failed)?;
        }
        return Err(error);
    }
    // The restore itself is already detected by the changed table (`PLACE`); this mark adds the instant.
    let mark = "INSERT INTO properties (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let mark = sqlx::query(mark).bind(properties::RESTORED).bind(properties::mark(now));
    mark.execute(&mut *connection).await.map_err(&failed)?;
    sqlx::query("DELETE FROM daemons").execute(&mut *connection).await.map_err(&failed)?;
    let accounts = sqlx::query("SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'sessions'").bind(schema);
    if accounts.fetch_optional(&mut *connection).await.map_err(&failed)?.is_some() {
        sqlx::raw_sql(END_SESSIONS).execute(&mut *connection).await.map_err(&failed)?;
    }
    Ok((holds == Holds::Ledger).then(|| format!("the schema {aside}")))
}
