//! Postgres: any number of daemons, kept apart by row locks.
//! Must never hold a lock longer than its own statements: each transaction is short, or declared `at_length`.

use super::{
    Access, Probed, Result, StoreError,
    backend::{Backend, NextEntry, Row, Value},
    migrations, pooler,
    rollback_guard::LastWrite,
    settle::{Batches, Moved, POSTGRES_BESIDE_NO_OPT_OUT, POSTGRES_SETTLE, postgres_call},
    sql::{self, Statements, lock_of_opt_outs},
};
use crate::clock::Clock;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres as Db, Row as _,
    pool::PoolConnection,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow},
    query::Query,
};
use std::{
    collections::HashSet,
    io,
    path::Path,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

const CONNECTIONS: u32 = 8;
/// One writer settles at a time, on a connection that is kept, because a server process with warm caches is a sixth faster.
/// The other connection is for unusual cases, which take several statements.
const SETTLING: u32 = 2;
/// A daemon claims in one loop; a second loop in this process waits for the first.
const CLAIMING: u32 = 1;
/// A cached plan made for an empty table would scan a million rows: plan for the actual values.
/// What every session of a daemon or a command works with.
const SETTINGS: [(&str, &str); 5] = [
    // The marker of T5 must survive a power failure (K12), whatever the server's default.
    ("synchronous_commit", "on"),
    // It is better to end and retry a hanging statement; an open transaction would keep its rows locked.
    ("statement_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "60s"),
    // JIT compilation takes longer than any of our queries: 30 ms for a page of the log.
    ("jit", "off"),
    // `at_once` quotes values within a statement for this setting.
    ("standard_conforming_strings", "on"),
];
const PLANS_AS_IT_IS: [(&str, &str); 1] = [("plan_cache_mode", "force_custom_plan")];
/// Planning costs more than a small batch. Plans may be cached if they never scan a table, however empty it was when they
/// were made, and never sort a queue to find its first row.
const PLANS_BY_INDEX: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_sort", "off"),
];
/// In one round trip: any number of these run concurrently, but never with an opt-out.
const BEGIN_BESIDE_NO_OPT_OUT: &str =
    concat!("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ", lock_of_opt_outs!("_shared"));
/// A connection used this recently is not checked before it is used again.
const FRESH: Duration = Duration::from_secs(1);
/// Timeout for getting a connection, including opening one.
const PATIENCE: Duration = Duration::from_secs(10);
/// A server that is silent for this long is gone, or the connection is: its own limits end a statement earlier. Without
/// this limit a lost reply would be waited for until the process ends (D07).
const SILENCE: Duration = if cfg!(feature = "failpoints") { Duration::from_secs(4) } else { Duration::from_secs(45) };
/// For a transaction that is `at_length`.
const LONG_SILENCE: Duration = Duration::from_mins(16);

#[derive(Clone)]
pub(super) struct Postgres {
    pool: PgPool,
    /// For `settle` only; caches its plans.
    settling: PgPool,
    kept: Arc<Kept>,
    /// For claims only; caches its plans too.
    claiming: PgPool,
    entry: NextEntry,
}

/// The settling connection between two uses. The pool checks each connection that is returned to it, which costs a round
/// trip, as much as the work on a row.
#[derive(Default)]
struct Kept(Mutex<Option<(PoolConnection<Db>, Instant)>>);

impl Kept {
    /// A second loop in this process waits for the first. A connection is closed after a failure.
    async fn run<T>(
        &self,
        pool: &PgPool,
        work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let mut kept = self.0.lock().await;
        if let Some((connection, used)) = &mut *kept
            && Clock::monotonic() - *used >= FRESH
            && within(PATIENCE, connection.ping()).await.is_err()
        {
            connection.close_on_drop();
            *kept = None;
        }
        let mut connection = match kept.take() {
            Some((connection, _)) => connection,
            None => pool.acquire().await?,
        };
        let done = work(&mut connection).await;
        match done {
            Ok(_) => *kept = Some((connection, Clock::monotonic())),
            Err(_) => connection.close_on_drop(),
        }
        done
    }
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let options = options(url)?.application_name(NAME);
        // Set when connected, not asked for by the connection: a pooler drops that.
        let pool = |connections, plans: &[(&str, &str)], more: &'static str| {
            let settings = pooler::setting(&[&SETTINGS, plans]) + more;
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .after_connect(move |connection, _| Box::pin(pooler::set(connection, settings.clone())))
        };
        let failed = |error| cannot_open(&options, &error);
        let mut first = connected(&options).await.map_err(failed)?;
        let work = asking_if_idle(pool(CONNECTIONS, &PLANS_AS_IT_IS, ""));
        let work = work.connect_with(options.clone()).await.map_err(failed)?;
        if pooler::is_shared(&mut first, &mut *work.acquire().await.map_err(failed)?).await.map_err(failed)? {
            return Err(StoreError::Open { url: place(&options), why: pooler::REFUSED.to_owned() });
        }
        migrate(first).await?;
        // Opened by the first use: most commands only read.
        let settling = pool(SETTLING, &PLANS_BY_INDEX, POSTGRES_SETTLE).connect_lazy_with(options.clone());
        let claiming = pool(CLAIMING, &PLANS_BY_INDEX, "").connect_lazy_with(options.clone());
        Ok(Self { pool: work, settling, kept: Arc::default(), claiming, entry: NextEntry::default() })
    }
}

/// How long an unused connection is taken to be alive. A page asks for many small things one after the other; a question to the
/// server before each would take a quarter of its time.
const ALIVE: Duration = Duration::from_secs(1);

/// Asks the server whether a connection is alive, unless it was just used.
fn asking_if_idle(pool: PgPoolOptions) -> PgPoolOptions {
    pool.test_before_acquire(false).before_acquire(|connection, past| {
        Box::pin(async move {
            match past.idle_for < ALIVE {
                true => Ok(true),
                false => connection.ping().await.map(|()| true),
            }
        })
    })
}

/// What this program is called among the sessions of the server.
const NAME: &str = "semainier";

pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Open {
        url: "postgres".to_owned(),
        why: "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned(),
    })?;
    // A pooler refuses to connect with it, and we store no such numbers.
    Ok(options.extra_float_digits(None))
}

async fn connected(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    tokio::time::timeout(PATIENCE, options.connect()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// A connection beside the store, under another name than its own.
pub(super) async fn connect(url: &str) -> Result<PgConnection> {
    let options = options(url)?.application_name("semainier, keeping");
    connected(&options).await.map_err(|e| cannot_open(&options, &e))
}

/// How many connections daemons and commands hold to this database: a daemon always holds one. One that is just being closed
/// is waited for.
pub(super) async fn sessions(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
    let mut open = 0;
    for _ in 0..20 {
        open = sqlx::query_scalar(count).bind(NAME).fetch_one(&mut *connection).await?;
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(open)
}

/// Inspects the database; if tables are still to be created, also whether the role may create them.
pub(super) async fn probe(url: &str) -> Result<Probed> {
    let mut connection = connect(url).await?;
    let failed = |source| StoreError::Database { doing: "looking at its tables", source };
    let mut other = connect(url).await?;
    if pooler::is_shared(&mut connection, &mut other).await.map_err(failed)? {
        return Err(StoreError::Open { url: place(&options(url)?), why: pooler::REFUSED.to_owned() });
    }
    let _ = other.close().await;
    let is_there = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let is_there: bool = sqlx::query_scalar(is_there).fetch_one(&mut connection).await.map_err(failed)?;
    let applied = match is_there {
        true => {
            let applied = "SELECT version FROM _sqlx_migrations WHERE success";
            sqlx::query_scalar(applied).fetch_all(&mut connection).await.map_err(failed)?
        }
        false => Vec::new(),
    };
    let probed = migrations::probed(&migrations::postgres(), &applied)?;
    let may = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
    let may: bool = sqlx::query_scalar(may).fetch_one(&mut connection).await.map_err(failed)?;
    let _ = connection.close().await;
    match probed {
        Probed::Empty | Probed::Behind(_) if !may => {
            let why = "the role may make no tables in this database; ALTER DATABASE NAME OWNER TO ROLE, or GRANT CREATE ON \
                       SCHEMA public TO ROLE";
            Err(StoreError::Unwritable { doing: "looking at its tables", why: why.to_owned() })
        }
        probed => Ok(probed),
    }
}

/// In the state directory that systemd created (the first, if there are several).
pub(super) fn last_write(access: Access) -> LastWrite {
    let directories = std::env::var("STATE_DIRECTORY").unwrap_or_default();
    match (access, directories.split(':').next()) {
        (Access::Exclusive, Some(directory)) if !directory.is_empty() => {
            LastWrite::kept_in(&Path::new(directory).join("ledger.last"))
        }
        _ => LastWrite::default(),
    }
}

/// On a connection of its own without timeouts, since an index on a large table takes its time. Daemons that start
/// concurrently wait for each other with sqlx's advisory lock.
async fn migrate(mut connection: PgConnection) -> Result<()> {
    migrations::run(&migrations::postgres(), &mut connection).await?;
    // A failure to close does not matter.
    let _ = connection.close().await;
    Ok(())
}

/// One message to the server, executed as one transaction, concurrently with others but not with an opt-out
/// ([`Backend::begin_settling`]). Its second statement sees what was committed before it began, including what it waited
/// for. A round trip costs as much as the work on some rows.
fn at_once(batches: &Batches<'_>) -> String {
    format!("{POSTGRES_BESIDE_NO_OPT_OUT}; {}", postgres_call(batches))
}

fn moved(rows: &[PgRow]) -> sqlx::Result<Moved> {
    let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
    let ids = |step| -> sqlx::Result<HashSet<String>> {
        let ids = row.try_get::<Option<&str>, _>(step)?.unwrap_or_default();
        Ok(ids.split_ascii_whitespace().map(str::to_owned).collect())
    };
    Ok(Moved { ended: ids("ended")?, marked: ids("marked")? })
}

/// A transaction, and the time limit of each of its statements.
pub(super) struct Conversation {
    transaction: sqlx::Transaction<'static, Db>,
    patience: Duration,
}

impl Conversation {
    async fn begin(pool: &PgPool, statement: &'static str) -> sqlx::Result<Self> {
        let transaction = within(SILENCE, pool.begin_with(statement)).await?;
        Ok(Self { transaction, patience: SILENCE })
    }
}

async fn within<T>(patience: Duration, answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(patience, answer).await.unwrap_or_else(|_| {
        let why = format!("the server said nothing for {} s", patience.as_secs());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}

impl Backend for Postgres {
    const KIND: &'static str = "postgres";
    const EXPLAIN: &'static str = "EXPLAIN ";
    const EXPLAINED: &'static str = "QUERY PLAN";
    const SQL: Statements = sql::statements! {
        batch: "jsonb_array_elements(CAST($1 AS jsonb)) AS batch(value)",
        batch_2: "jsonb_array_elements(CAST($2 AS jsonb)) AS batch_2(value)",
        id_at_2: "(lpad(to_hex($2), 12, '0') || substr(replace(CAST(gen_random_uuid() AS TEXT), '-', ''), 13))",
        rising_id: "lpad(to_hex($2), 12, '0') || lpad(to_hex(row_number() OVER (ORDER BY c.email_key)), 8, '0')
            || lpad(to_hex($4), 12, '0')",
        before_pick: "WITH picked AS MATERIALIZED (",
        // A row that was claimed between reading and locking belongs to another daemon.
        behind_pick: "
            ), taken AS (
                INSERT INTO claims (delivery, issue, address_hash, attempt, owner, since, lease_until)
                SELECT id, issue, address_hash, attempt, $5, $3, $6 FROM picked WHERE stop = 'no'
                ON CONFLICT (delivery) DO NOTHING RETURNING delivery
            )
            SELECT picked.*, CASE WHEN id IN (SELECT delivery FROM taken) THEN 'yes' ELSE 'no' END AS taken FROM picked",
        claim: None,
        skip_locked: " FOR UPDATE SKIP LOCKED",
        shared: " FOR SHARE OF i SKIP LOCKED",
        held: " FOR UPDATE OF i",
        each_label: "jsonb_array_elements_text(CAST(p.labels AS jsonb)) AS label(value)",
        opting_out: concat!("SELECT ", lock_of_opt_outs!("")),
        at_length: "SET LOCAL statement_timeout = '15min'",
        lock_editorials: "LOCK TABLE editorials IN SHARE ROW EXCLUSIVE MODE",
        lock_exceptions: "LOCK TABLE exceptions IN SHARE ROW EXCLUSIVE MODE",
        // Statistics for a million new rows.
        after_many: "ANALYZE deliveries",
        unhurried: "SET LOCAL idle_in_transaction_session_timeout = 0",
        place: "SELECT CAST(CAST(CAST('properties' AS regclass) AS oid) AS TEXT) AS place",
        tables: "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
            WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> '_sqlx_migrations'",
        columns: "SELECT CAST(c.column_name AS TEXT) AS name,
                CASE c.data_type WHEN 'bigint' THEN 'int' WHEN 'bytea' THEN 'bytes' ELSE CAST(c.data_type AS TEXT) END AS kind,
                CAST(coalesce(k.ordinal_position, 0) AS BIGINT) AS pk
            FROM information_schema.columns c
            LEFT JOIN information_schema.table_constraints t
                ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
            LEFT JOIN information_schema.key_column_usage k
                ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name
                AND k.table_name = t.table_name AND k.column_name = c.column_name
            WHERE c.table_schema = current_schema() AND c.table_name = $1",
    };

    type Transaction = Conversation;

    fn entry(&self) -> &NextEntry {
        &self.entry
    }

    fn with_entry(&self, entry: NextEntry) -> Self {
        Self { entry, ..self.clone() }
    }

    async fn begin_read(&self) -> sqlx::Result<Conversation> {
        Conversation::begin(&self.pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// READ COMMITTED: a statement that waited for a row sees its new version, and its guard is evaluated again.
    async fn begin_write(&self) -> sqlx::Result<Conversation> {
        Conversation::begin(&self.pool, "BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    async fn begin_claiming(&self) -> sqlx::Result<Conversation> {
        Conversation::begin(&self.claiming, BEGIN_BESIDE_NO_OPT_OUT).await
    }

    /// Any number of markers concurrently, or one opt-out.
    async fn begin_settling(&self, bounces: bool) -> sqlx::Result<Conversation> {
        let begin = match bounces {
            true => concat!("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ", lock_of_opt_outs!("")),
            false => BEGIN_BESIDE_NO_OPT_OUT,
        };
        Conversation::begin(&self.settling, begin).await
    }

    async fn fetch(tx: &mut Conversation, sql: sqlx::SqlStr, values: Vec<Value>) -> sqlx::Result<Vec<Row>> {
        let rows = bound(sql, values).fetch_all(&mut *tx.transaction);
        Ok(within(tx.patience, rows).await?.into_iter().map(Row::Postgres).collect())
    }

    async fn settle(tx: &mut Conversation, batches: &Batches<'_>) -> sqlx::Result<Moved> {
        let rows = sqlx::raw_sql(AssertSqlSafe(postgres_call(batches))).fetch_all(&mut *tx.transaction);
        moved(&within(tx.patience, rows).await?)
    }

    async fn settle_at_once(&self, batches: &Batches<'_>) -> sqlx::Result<Option<Moved>> {
        let settle = sqlx::raw_sql(AssertSqlSafe(at_once(batches)));
        let work = async |connection: &mut PgConnection| within(SILENCE, settle.fetch_all(connection)).await;
        moved(&self.kept.run(&self.settling, work).await?).map(Some)
    }

    async fn execute(tx: &mut Conversation, sql: sqlx::SqlStr, values: Vec<Value>) -> sqlx::Result<u64> {
        if sql.as_str() == Self::SQL.at_length {
            tx.patience = LONG_SILENCE;
        }
        Ok(within(tx.patience, bound(sql, values).execute(&mut *tx.transaction)).await?.rows_affected())
    }

    async fn commit(tx: Conversation) -> sqlx::Result<()> {
        within(tx.patience, tx.transaction.commit()).await
    }

    fn is_unwritable(error: &dyn sqlx::error::DatabaseError) -> bool {
        // disk_full, read_only_sql_transaction
        matches!(error.code().as_deref(), Some("53100" | "25006"))
    }

    fn is_damaged(error: &dyn sqlx::error::DatabaseError) -> bool {
        // data_corrupted, index_corrupted
        matches!(error.code().as_deref(), Some("XX001" | "XX002"))
    }
}

fn bound(sql: sqlx::SqlStr, values: Vec<Value>) -> Query<'static, Db, PgArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Int(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    })
}

/// Named without user or password.
fn cannot_open(options: &PgConnectOptions, error: &sqlx::Error) -> StoreError {
    let why = match error {
        sqlx::Error::PoolTimedOut => format!("no answer within {} s", PATIENCE.as_secs()),
        sqlx::Error::Database(e) => e.message().to_owned(),
        other => other.to_string(),
    };
    StoreError::Open { url: place(options), why }
}

/// The database without user and password.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or("postgres");
    format!("postgres://{}:{}/{database}", options.get_host(), options.get_port())
}
