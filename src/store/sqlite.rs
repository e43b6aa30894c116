//! SQLite: one file, one daemon, several readers.
//! Opens the file and its lock; two writers must never meet inside a transaction.

use super::{
    Access, Probed, Result, StoreError,
    backend::{Backend, NextEntry, Row, Value},
    migrations,
    rollback_guard::LastWrite,
    settle::{Batches, Moved, NOT_AS_ASKED, SQLITE_SETTLE, SQLITE_SETTLING, json},
    sql::{self, Statements},
};
use crate::private;
use sqlx::{
    ConnectOptions, Connection, Sqlite as Db, SqliteConnection, SqlitePool,
    migrate::Migrator,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tracing::warn;

/// Timeout for the write lock: a command may wait for the daemon's freeze of a large issue, or the daemon for an import.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Polling interval for the file lock while another process migrates.
const LOCK_POLL: Duration = Duration::from_millis(50);
const LOCK_POLLS: u32 = 100;

/// Files up to this size are checked completely before anything is sent: about half a second.
const CHECKED_WHOLE: u64 = 256 << 20;

#[derive(Clone)]
pub(super) struct Sqlite {
    /// A single connection: writers queue here instead of failing with "database is locked".
    writer: SqlitePool,
    readers: SqlitePool,
    /// Held as long as the store exists; the system releases it when the process dies.
    _lock: Option<Arc<File>>,
    entry: NextEntry,
}

impl Sqlite {
    pub(super) async fn open(url: &str, access: Access) -> Result<Self> {
        let path = path_of(url)?;
        create_private(&path)?;
        let lock_path = PathBuf::from(format!("{}.lock", path.display()));
        let mut lock = match access {
            Access::Exclusive => Some(try_lock(&lock_path)?.ok_or_else(|| locked(&path))?),
            Access::Shared => None,
        };

        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            // The marker of T5 must survive a power failure (K12), not only a crash.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            // 2 MB suffice: writes are not scattered (docs/store.md).
            .pragma("cache_size", "-2048")
            // Truncate the WAL after a large issue.
            .pragma("journal_size_limit", "67108864");
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .idle_timeout(None)
                .max_lifetime(None)
                // A connection to a file cannot go stale.
                .test_before_acquire(false)
                // But after a full disk SQLite itself has rolled back, and the driver's own rollback fails: it would
                // consider the connection to be in that transaction forever (D01, D02).
                .after_release(|connection, _| Box::pin(is_free(connection)))
        };
        let writer = opened(async || {
            let pool = pool(1).after_connect(|connection, _| Box::pin(prepare(connection)));
            pool.connect_with(options.clone()).await
        })
        .await;
        let writer = match writer {
            Err(error) if access == Access::Shared && is_disk_full(&error) => {
                return Self::open_for_reading(&path, options, pool(1), error).await;
            }
            opened => opened.map_err(|e| cannot_open(&path, e))?,
        };
        if access == Access::Exclusive {
            refuse_damage(&path, &writer).await?;
        }

        // Under the lock, so that a command never migrates under a running daemon.
        let migrator = migrations::sqlite();
        if migrations::pending(&migrator, &applied_migrations(&writer).await) {
            let held = match lock.take() {
                Some(lock) => lock,
                None => wait_for_lock(&lock_path).await?.ok_or_else(|| locked(&path))?,
            };
            migrate(&migrator, &options, &path).await?;
            lock = (access == Access::Exclusive).then_some(held);
        } else {
            migrations::run(&migrator, &writer).await?;
        }

        let readers = pool(4).connect_with(options.pragma("query_only", "ON")).await;
        let readers = readers.map_err(|e| cannot_open(&path, e))?;
        Ok(Self { writer, readers, _lock: lock.map(Arc::new), entry: NextEntry::default() })
    }

    /// On a full disk there is no room for the `-shm` file by which connections know of each other. Without it a single
    /// connection can still read, and locks the file while it does. A write fails.
    async fn open_for_reading(
        path: &Path,
        options: SqliteConnectOptions,
        pool: SqlitePoolOptions,
        full: sqlx::Error,
    ) -> Result<Self> {
        let options = options.locking_mode(SqliteLockingMode::Exclusive).pragma("query_only", "ON");
        let opened = pool.connect_with(options).await;
        let readers = opened.map_err(|e| cannot_open(path, e))?;
        if migrations::pending(&migrations::sqlite(), &applied_migrations(&readers).await) {
            return Err(cannot_open(path, full));
        }
        warn!("{}: the disk is full; the database can be read, but not written", path.display());
        Ok(Self { writer: readers.clone(), readers, _lock: None, entry: NextEntry::default() })
    }
}

/// Inspects the file, which must exist and be writable.
pub(super) async fn probe(url: &str) -> Result<Probed> {
    let path = path_of(url)?;
    let unwritable = |why: io::Error| StoreError::Unwritable { doing: "looking", why: why.to_string() };
    OpenOptions::new().write(true).open(&path).map_err(unwritable)?;
    // In WAL mode even a reader creates files beside it; they get its owner, and the last connection removes them.
    let options = SqliteConnectOptions::new().filename(&path).busy_timeout(PATIENCE).pragma("query_only", "ON");
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
    let pool = pool.connect_with(options).await.map_err(|e| cannot_open(&path, e))?;
    refuse_damage(&path, &pool).await?;
    let probed = migrations::probed(&migrations::sqlite(), &applied_migrations(&pool).await);
    pool.close().await;
    probed
}

/// For statements that Postgres needs and SQLite, with its single writer, does not.
const NOTHING: &str = "SELECT 1";

/// Waits for a rollback in progress.
async fn is_free(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Nothing is sent from a damaged ledger (D05). Only for files that are checked in a moment; in a larger file a damaged
/// page is found when it is read.
async fn refuse_damage(path: &Path, pool: &SqlitePool) -> Result<()> {
    if path.metadata().is_ok_and(|file| file.len() > CHECKED_WHOLE) {
        return Ok(());
    }
    match sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)").fetch_one(pool).await {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(StoreError::Damaged { doing: "opening", why: found }),
        Err(error) => Err(cannot_open(path, error)),
    }
}

impl Backend for Sqlite {
    const KIND: &'static str = "sqlite";
    const EXPLAIN: &'static str = "EXPLAIN QUERY PLAN ";
    const EXPLAINED: &'static str = "detail";
    const SQL: Statements = sql::statements! {
        // The binary form is parsed once, not again for each field.
        batch: "jsonb_each($1) AS batch",
        batch_2: "jsonb_each($2) AS batch_2",
        id_at_2: "(printf('%012x', $2) || lower(hex(randomblob(10))))",
        rising_id: "printf('%012x%08x%012x', $2, row_number() OVER (ORDER BY c.email_key), $4)",
        before_pick: "",
        behind_pick: "",
        claim: Some(
            "INSERT INTO claims (delivery, issue, address_hash, attempt, owner, since, lease_until)
            SELECT batch.value->>'id', $2, batch.value->>'hash', batch.value->>'attempt', $3, $4, $5 FROM jsonb_each($1) AS batch",
        ),
        // With a single writer there is nobody to skip or wait for, and no timeout to lift.
        skip_locked: "",
        shared: "",
        held: "",
        each_label: "json_each(p.labels) AS label",
        opting_out: "SELECT 1",
        at_length: "SELECT 1",
        lock_editorials: "SELECT 1",
        lock_exceptions: "SELECT 1",
        after_many: "SELECT 1",
        unhurried: "SELECT 1",
        // A copy of a file is the file: `semainier restore` writes its mark.
        place: "SELECT NULL AS place",
        tables: "SELECT name FROM sqlite_master
            WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'",
        columns: "SELECT name, CASE type WHEN 'INTEGER' THEN 'int' WHEN 'BLOB' THEN 'bytes' ELSE lower(type) END AS kind, pk
            FROM pragma_table_info($1)",
    };

    type Transaction = sqlx::Transaction<'static, Db>;

    fn entry(&self) -> &NextEntry {
        &self.entry
    }

    fn with_entry(&self, entry: NextEntry) -> Self {
        Self { entry, ..self.clone() }
    }

    async fn begin_read(&self) -> sqlx::Result<Self::Transaction> {
        self.readers.begin().await
    }

    /// IMMEDIATE, because a transaction that reads first and writes later fails if another one wrote in between,
    /// whatever the busy timeout.
    async fn begin_write(&self) -> sqlx::Result<Self::Transaction> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// There is a single writer, whose transactions never overlap.
    async fn begin_claiming(&self) -> sqlx::Result<Self::Transaction> {
        self.begin_write().await
    }

    async fn begin_settling(&self, _bounces: bool) -> sqlx::Result<Self::Transaction> {
        self.begin_write().await
    }

    async fn fetch(tx: &mut Self::Transaction, sql: sqlx::SqlStr, values: Vec<Value>) -> sqlx::Result<Vec<Row>> {
        Ok(bound(sql, values).fetch_all(&mut **tx).await?.into_iter().map(Row::Sqlite).collect())
    }

    async fn settle(tx: &mut Self::Transaction, batches: &Batches<'_>) -> sqlx::Result<Moved> {
        let mut moved = Moved::default();
        for it in &batches.ends {
            if is_done(tx, [&json(&[it])?, NO_ROWS]).await? {
                moved.ended.insert(it.id.to_owned());
            }
        }
        for it in &batches.marks {
            if is_done(tx, [NO_ROWS, &json(&[it])?]).await? {
                moved.marked.insert(it.id.to_owned());
            }
        }
        Ok(moved)
    }

    /// Only if not all rows moved, they are processed one by one to find out which.
    async fn settle_at_once(&self, batches: &Batches<'_>) -> sqlx::Result<Option<Moved>> {
        let done = is_done(&mut *self.writer.acquire().await?, [&json(&batches.ends)?, &json(&batches.marks)?]).await?;
        if done {
            return Ok(None);
        }
        let mut tx = self.begin_write().await?;
        let moved = Self::settle(&mut tx, batches).await?;
        tx.commit().await?;
        Ok(Some(moved))
    }

    async fn execute(tx: &mut Self::Transaction, sql: sqlx::SqlStr, values: Vec<Value>) -> sqlx::Result<u64> {
        // Skipped entirely: a message costs a few statements, and each is a round trip to the database's thread.
        if sql.as_str() == NOTHING {
            return Ok(0);
        }
        Ok(bound(sql, values).execute(&mut **tx).await?.rows_affected())
    }

    async fn commit(tx: Self::Transaction) -> sqlx::Result<()> {
        tx.commit().await
    }

    fn is_unwritable(error: &dyn sqlx::error::DatabaseError) -> bool {
        // READONLY, IOERR, FULL, CANTOPEN; the low byte of an extended code is the code.
        let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default();
        matches!(code & 0xff, 8 | 10 | 13 | 14)
    }

    fn is_damaged(error: &dyn sqlx::error::DatabaseError) -> bool {
        // CORRUPT, NOTADB
        let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default();
        matches!(code & 0xff, 11 | 26)
    }
}

const NO_ROWS: &str = "[]";

/// All of these, or nothing if a row was not in the expected state.
async fn is_done(connection: &mut SqliteConnection, [ends, marks]: [&str; 2]) -> sqlx::Result<bool> {
    match sqlx::query(SQLITE_SETTLE).bind(ends.to_owned()).bind(marks.to_owned()).execute(connection).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.message() == NOT_AS_ASKED => Ok(false),
        Err(error) => Err(error),
    }
}

async fn prepare(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    for create in SQLITE_SETTLING {
        sqlx::raw_sql(create).execute(&mut *connection).await?;
    }
    Ok(())
}

fn bound(sql: sqlx::SqlStr, values: Vec<Value>) -> Query<'static, Db, SqliteArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Int(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    })
}

/// `sqlite://semainier.db` is relative, `sqlite:///var/lib/semainier/semainier.db` absolute.
pub(super) fn path_of(url: &str) -> Result<PathBuf> {
    let refuse = |why: &str| StoreError::Open { url: url.to_owned(), why: why.to_owned() };
    let path = url.strip_prefix("sqlite:").ok_or_else(|| refuse("expected sqlite://PATH"))?;
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        "" | ":memory:" => Err(refuse("expected sqlite://PATH: the ledger must outlive the process")),
        path if path.contains('?') => Err(refuse("options after ? are not supported")),
        path => Ok(PathBuf::from(path)),
    }
}

/// Creates the file and its directory if they are missing, readable by their owner only: it contains addresses.
/// SQLite gives its side files the same mode.
fn create_private(path: &Path) -> Result<()> {
    if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        private::create_folder(directory).map_err(|e| cannot_create(directory, &e))?;
    }
    match private_file().create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(cannot_create(path, &e)),
    }
}

/// Beside the file, if opened to deliver.
pub(super) fn last_write(url: &str, access: Access) -> LastWrite {
    match (access, path_of(url)) {
        (Access::Exclusive, Ok(path)) => LastWrite::kept_in(Path::new(&format!("{}.last", path.display()))),
        _ => LastWrite::default(),
    }
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// `None` if another process holds it.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = private_file().create(true).truncate(false).open(path).map_err(|e| cannot_create(path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(cannot_create(path, &e)),
    }
}

/// Waits a moment, for two commands that open a new file concurrently.
async fn wait_for_lock(path: &Path) -> Result<Option<File>> {
    for _ in 0..LOCK_POLLS {
        if let Some(lock) = try_lock(path)? {
            return Ok(Some(lock));
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
    Ok(None)
}

/// Empty if no migration ever ran: their table does not exist.
async fn applied_migrations(pool: &SqlitePool) -> Vec<i64> {
    let applied = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(pool).await;
    applied.unwrap_or_default()
}

/// On a separate connection without foreign keys: SQLite changes a referenced table by rebuilding it.
async fn migrate(migrator: &Migrator, options: &SqliteConnectOptions, path: &Path) -> Result<()> {
    let connecting = options.clone().foreign_keys(false).connect().await;
    let mut connection = connecting.map_err(|e| cannot_open(path, e))?;
    migrations::run(migrator, &mut connection).await?;
    connection.close().await.map_err(|e| cannot_open(path, e))
}

pub(super) fn locked(path: &Path) -> StoreError {
    StoreError::Locked { path: path.display().to_string() }
}

pub(super) fn cannot_create(path: &Path, error: &io::Error) -> StoreError {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied => "; use sudo, or the account of the service",
        io::ErrorKind::StorageFull => "; free some space",
        _ => "",
    };
    let why = format!("{}: {error}{help}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull => {
            StoreError::Unwritable { doing: "opening", why }
        }
        _ => StoreError::Open { url: path.display().to_string(), why: error.to_string() },
    }
}

/// Two processes that open a new file concurrently both switch it to WAL, which fails without waiting.
async fn opened<T>(open: impl AsyncFn() -> sqlx::Result<T>) -> sqlx::Result<T> {
    for _ in 0..LOCK_POLLS {
        match open().await {
            Err(error) if error.as_database_error().is_some_and(is_busy) => tokio::time::sleep(LOCK_POLL).await,
            done => return done,
        }
    }
    open().await
}

/// SQLITE_BUSY, including extended codes.
fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
}

/// No room, also for the `-shm` file: FULL, IOERR_SHMSIZE.
fn is_disk_full(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 13 || code == 10 | 19 << 8)
}

pub(super) fn cannot_open(path: &Path, error: sqlx::Error) -> StoreError {
    let path = path.display().to_string();
    if is_disk_full(&error) {
        return StoreError::Unwritable { doing: "opening", why: format!("{path}: the disk is full") };
    }
    match error.as_database_error() {
        Some(e) if Sqlite::is_unwritable(e) => {
            StoreError::Unwritable { doing: "opening", why: format!("{path}: {}", e.message()) }
        }
        Some(e) if Sqlite::is_damaged(e) => {
            StoreError::Damaged { doing: "opening", why: format!("{path}: {}", e.message()) }
        }
        Some(e) => StoreError::Open { url: path, why: e.message().to_owned() },
        None => StoreError::Open { url: path, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::{super::backend::Transaction, *};
    use std::collections::{HashMap, HashSet};

    /// For Postgres `examples/big_ledger.rs` shows that the same statements are fast: its planner scans small tables,
    /// whatever the indexes.
    #[tokio::test]
    async fn no_statement_reads_all_deliveries_or_all_attempts() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("semainier.db").display());
        let sqlite = Sqlite::open(&url, Access::Exclusive).await.unwrap();
        let mut tx = Transaction::write(&sqlite, "explaining").await.unwrap();
        let Statements {
            due,
            pick,
            pick_canary,
            claim,
            suppress,
            finish_late,
            note_late,
            end_opted_out,
            end_claims,
            end_leases,
            end_unmarked,
            queue_again,
            doubt,
            note_doubts,
            stop,
            attempts_of,
            ..
        } = Sqlite::SQL;
        for sql in [
            due,
            pick,
            pick_canary,
            claim.unwrap(),
            suppress,
            finish_late,
            note_late,
            end_opted_out,
            end_claims,
            end_leases,
            end_unmarked,
            queue_again,
            doubt,
            note_doubts,
            stop,
            attempts_of,
            super::super::rollback_guard::NEWEST,
            super::super::rollback_guard::REACHES,
            super::super::partners::STOP_QUEUED,
        ] {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            for row in tx.rows(explain, vec![]).await.unwrap() {
                let step: String = row.get("detail").unwrap();
                let whole = ["SCAN d", "SCAN deliveries", "SCAN a", "SCAN attempts"];
                let read = step.split(" USING").next().unwrap_or_default();
                assert!(!whole.contains(&read), "{step}\n{sql}");
            }
        }
    }

    /// A query plan does not include triggers: their programs are read, which EXPLAIN lists one after the other.
    #[tokio::test]
    async fn settling_looks_up_each_row_by_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("semainier.db").display());
        let sqlite = Sqlite::open(&url, Access::Exclusive).await.unwrap();
        let mut tx = Transaction::write(&sqlite, "explaining").await.unwrap();
        let roots = "SELECT rootpage FROM sqlite_schema WHERE tbl_name IN ('claims', 'deliveries', 'attempts') AND rootpage > 0";
        let roots = tx.rows(roots, vec![]).await.unwrap();
        let large: HashSet<i64> = roots.iter().map(|row| row.get("rootpage").unwrap()).collect();
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN {SQLITE_SETTLE}"));
        let (mut opened, mut sought) = (HashMap::new(), 0);
        for row in tx.rows(explain, vec![]).await.unwrap() {
            let number = |column| row.get::<i64>(column).unwrap();
            if number("addr") == 0 {
                opened.clear();
            }
            let is_large = |opened: &HashMap<i64, i64>| opened.get(&number("p1")).is_some_and(|it| large.contains(it));
            match row.get::<String>("opcode").unwrap().as_str() {
                "OpenRead" | "OpenWrite" => drop(opened.insert(number("p1"), number("p2"))),
                "Rewind" | "Last" => assert!(!is_large(&opened), "read from end to end"),
                "SeekGE" | "SeekGT" | "SeekLE" | "SeekLT" | "NotFound" => sought += usize::from(is_large(&opened)),
                _ => {}
            }
        }
        assert!(sought >= 3, "a claim and its delivery at the end, a claim at the marker");
    }

    /// The queue of an issue may be a million rows, of which the person has one.
    #[tokio::test]
    async fn an_opt_out_reads_only_the_rows_of_that_person() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("semainier.db").display());
        let sqlite = Sqlite::open(&url, Access::Exclusive).await.unwrap();
        let mut tx = Transaction::write(&sqlite, "explaining").await.unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {}", super::super::partners::STOP_QUEUED);
        let rows = tx.rows(sqlx::AssertSqlSafe(explain), vec![]).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail").unwrap()).collect();
        let reads = steps.iter().filter(|step| step.contains(" d ") || step.contains("deliveries"));
        let by_person = ["USING INDEX deliveries_once (issue=? AND recipient_key=?)", "(id=?)"];
        let all = reads.clone().all(|step| by_person.iter().any(|it| step.ends_with(it)));
        assert!(reads.count() == 2 && all, "{steps:#?}");
    }
}
