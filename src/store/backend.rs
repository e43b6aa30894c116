//! What the ledger needs from a database: transactions, rows, and the few statements in which the two differ.
//! Knows nothing about deliveries or partners; values are integers, texts and bytes.

use super::{
    Result, StoreError,
    audit::{self, AuditEntry},
    settle::{Batches, Moved},
};
use crate::domain::{Timestamp, delivery::DeliveryId, issue::IssueKey};
use sqlx::{Postgres, Sqlite, postgres::PgRow, sqlite::SqliteRow};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// One of the two databases.
pub(super) trait Backend: Send + Sync + 'static {
    const KIND: &'static str;
    /// The statements that differ between the databases; see [`super::sql`].
    const SQL: super::sql::Statements;
    /// The prefix of a statement that returns its plan, and the column of the plan.
    const EXPLAIN: &'static str;
    const EXPLAINED: &'static str;

    type Transaction: Send;

    /// What the next change carries, see [`super::AuditLog::recording`].
    fn entry(&self) -> &NextEntry;

    /// The same database, whose next change carries this entry.
    fn with_entry(&self, entry: NextEntry) -> Self;

    /// A read-only transaction with a consistent snapshot.
    fn begin_read(&self) -> impl Future<Output = sqlx::Result<Self::Transaction>> + Send;

    fn begin_write(&self) -> impl Future<Output = sqlx::Result<Self::Transaction>> + Send;

    /// For claims, whose statements are prepared. Never overlaps with an opt-out.
    fn begin_claiming(&self) -> impl Future<Output = sqlx::Result<Self::Transaction>> + Send;

    /// For markers and results, whose statements are prepared. Never overlaps with an opt-out; if it suppresses addresses
    /// itself (`bounces`), it counts as an opt-out.
    fn begin_settling(&self, bounces: bool) -> impl Future<Output = sqlx::Result<Self::Transaction>> + Send;

    fn fetch(
        transaction: &mut Self::Transaction,
        sql: sqlx::SqlStr,
        values: Vec<Value>,
    ) -> impl Future<Output = sqlx::Result<Vec<Row>>> + Send;

    /// Writes results and markers.
    fn settle(
        transaction: &mut Self::Transaction,
        batches: &Batches<'_>,
    ) -> impl Future<Output = sqlx::Result<Moved>> + Send;

    /// The same as a whole transaction, with as few round trips as possible. Durable when it returns. `None`: every row
    /// moved.
    fn settle_at_once(&self, batches: &Batches<'_>) -> impl Future<Output = sqlx::Result<Option<Moved>>> + Send;

    fn execute(
        transaction: &mut Self::Transaction,
        sql: sqlx::SqlStr,
        values: Vec<Value>,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send;

    /// Durable when it returns.
    fn commit(transaction: Self::Transaction) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Whether nothing can be written: full disk, read-only file.
    fn is_unwritable(error: &dyn sqlx::error::DatabaseError) -> bool;

    /// Whether stored data can no longer be read.
    fn is_damaged(error: &dyn sqlx::error::DatabaseError) -> bool;
}

/// An entry of the audit that is written in the transaction of the next change, once.
#[derive(Clone, Default)]
pub(super) struct NextEntry(Option<Arc<Mutex<Option<AuditEntry>>>>);

impl NextEntry {
    pub(super) fn of(entry: &AuditEntry) -> Self {
        Self(Some(Arc::new(Mutex::new(Some(entry.clone())))))
    }

    /// Adds these to its detail, if it is not written yet.
    fn describe(&self, numbers: &serde_json::Value) {
        let Some(entry) = &self.0 else { return };
        let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entry.as_mut() else { return };
        let mut detail: serde_json::Map<_, _> = serde_json::from_str(&entry.detail).unwrap_or_default();
        detail.extend(numbers.as_object().cloned().unwrap_or_default());
        entry.detail = serde_json::Value::Object(detail).to_string();
    }

    fn take(&self) -> Option<AuditEntry> {
        self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A transaction and its purpose, which its errors name. Rolled back when it is dropped.
pub(super) struct Transaction<B: Backend> {
    inner: B::Transaction,
    doing: &'static str,
    entry: NextEntry,
}

impl<B: Backend> Transaction<B> {
    pub(super) async fn read(backend: &B, doing: &'static str) -> Result<Self> {
        let inner = backend.begin_read().await.map_err(|e| failed::<B>(doing, e))?;
        Ok(Self { inner, doing, entry: NextEntry::default() })
    }

    pub(super) async fn write(backend: &B, doing: &'static str) -> Result<Self> {
        let inner = backend.begin_write().await.map_err(|e| failed::<B>(doing, e))?;
        Ok(Self { inner, doing, entry: backend.entry().clone() })
    }

    pub(super) async fn claim(backend: &B, doing: &'static str) -> Result<Self> {
        let inner = backend.begin_claiming().await.map_err(|e| failed::<B>(doing, e))?;
        Ok(Self { inner, doing, entry: NextEntry::default() })
    }

    pub(super) async fn settle(backend: &B, doing: &'static str, bounces: bool) -> Result<Self> {
        let inner = backend.begin_settling(bounces).await.map_err(|e| failed::<B>(doing, e))?;
        Ok(Self { inner, doing, entry: NextEntry::default() })
    }

    /// A whole transaction.
    pub(super) async fn settle_at_once(
        backend: &B,
        doing: &'static str,
        batches: &Batches<'_>,
    ) -> Result<Option<Moved>> {
        backend.settle_at_once(batches).await.map_err(|e| failed::<B>(doing, e))
    }

    pub(super) async fn rows(&mut self, sql: impl sqlx::SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>> {
        B::fetch(&mut self.inner, sql.into_sql_str(), values).await.map_err(|e| failed::<B>(self.doing, e))
    }

    pub(super) async fn settled(&mut self, batches: &Batches<'_>) -> Result<Moved> {
        B::settle(&mut self.inner, batches).await.map_err(|e| failed::<B>(self.doing, e))
    }

    pub(super) async fn row(&mut self, sql: impl sqlx::SqlSafeStr, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Returns the number of changed rows.
    pub(super) async fn execute(&mut self, sql: impl sqlx::SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        B::execute(&mut self.inner, sql.into_sql_str(), values).await.map_err(|e| failed::<B>(self.doing, e))
    }

    /// Adds numbers to the detail of the entry that is written with the commit.
    pub(super) fn describe(&self, numbers: &serde_json::Value) {
        self.entry.describe(numbers);
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        let doing = self.doing;
        if let Some(entry) = self.entry.take() {
            audit::add(&mut self, &entry).await?;
        }
        B::commit(self.inner).await.map_err(|e| failed::<B>(doing, e))
    }
}

fn failed<B: Backend>(doing: &'static str, source: sqlx::Error) -> StoreError {
    match source.as_database_error() {
        Some(error) if B::is_unwritable(error) => StoreError::Unwritable { doing, why: error.message().to_owned() },
        Some(error) if B::is_damaged(error) => StoreError::Damaged { doing, why: error.message().to_owned() },
        _ => StoreError::Database { doing, source },
    }
}

/// A value bound to a statement. The type matters: Postgres needs the type of a NULL too.
#[derive(Clone)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// `values![key, now]`: the values of `$1`, `$2`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::backend::Value::from($value)),*] };
}
pub(super) use values;

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(Some(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Value::Int(Some(value.into()))
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Value::Int(Some(value.timestamp_millis()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Self {
        Value::Int(value.map(|it| it.timestamp_millis()))
    }
}

impl From<Option<u32>> for Value {
    fn from(value: Option<u32>) -> Self {
        Value::Int(value.map(i64::from))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(Some(value))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Value::Text(value.map(str::to_owned))
    }
}

impl From<&IssueKey> for Value {
    fn from(value: &IssueKey) -> Self {
        value.as_str().into()
    }
}

impl From<Option<&IssueKey>> for Value {
    fn from(value: Option<&IssueKey>) -> Self {
        value.map(IssueKey::as_str).into()
    }
}

impl From<&DeliveryId> for Value {
    fn from(value: &DeliveryId) -> Self {
        value.0.as_str().into()
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Value::Bytes(Some(value.to_vec()))
    }
}

/// A batch is sent as one JSON text, an array of objects: one statement, with the same text for both databases.
impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        Value::Text(Some(value.to_string()))
    }
}

/// A row of either database.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(super) fn get<T>(&self, column: &str) -> sqlx::Result<T>
    where
        T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
        T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        match self {
            Row::Sqlite(row) => sqlx::Row::try_get(row, column),
            Row::Postgres(row) => sqlx::Row::try_get(row, column),
        }
    }
}
