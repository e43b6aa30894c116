//! Lists that were uploaded to the console: kept until they are imported, given up, or expire.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Row, Transaction, values},
    rows::Reader,
};
use crate::accounts::UserId;
use crate::domain::Timestamp;
use async_trait::async_trait;
use chrono::TimeDelta;

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// It is being compared with the contacts.
    Reading,
    /// Its difference can be looked at.
    Draft,
    Running,
    Done,
    /// It could not be compared or imported; nothing was changed.
    Failed,
}

impl UploadState {
    pub const ALL: [UploadState; 5] =
        [UploadState::Reading, UploadState::Draft, UploadState::Running, UploadState::Done, UploadState::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            UploadState::Reading => "reading",
            UploadState::Draft => "draft",
            UploadState::Running => "running",
            UploadState::Done => "done",
            UploadState::Failed => "failed",
        }
    }
}

/// A list that was uploaded, without its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedList {
    pub id: String,
    pub by: UserId,
    pub at: Timestamp,
    pub expires_at: Timestamp,
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_hash: String,
    /// JSON, as the use case writes it.
    pub options: String,
    pub state: UploadState,
    /// JSON, as the use case writes it: the difference of a draft, the numbers of what is done.
    pub difference: Option<String>,
    /// [`super::ImportReport::digest`] of the difference.
    pub digest: Option<String>,
    pub ended_at: Option<Timestamp>,
}

/// How long the numbers of an import are shown.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// Lists that were uploaded to the console. Each belongs to the account that uploaded it.
#[async_trait]
pub trait UploadedLists: Send + Sync {
    async fn add_upload(&self, upload: &UploadedList, file: &[u8]) -> Result<()>;

    /// `None`: there is none of this account, or it expired.
    async fn uploaded_list(&self, id: &str, by: &UserId, now: Timestamp) -> Result<Option<UploadedList>>;

    /// Those of the account, newest first, at most `limit`.
    async fn uploaded_lists_of(&self, by: &UserId, limit: u32, now: Timestamp) -> Result<Vec<UploadedList>>;

    /// The file; `None` once it is imported.
    async fn uploaded_file(&self, id: &str) -> Result<Option<Vec<u8>>>;

    /// It is to be compared with these options (again): from now on no import of it can end. `false`: it is done, or not there.
    async fn compare_upload(&self, id: &str, options: &str) -> Result<bool>;

    /// The result of a comparison. `false`: it was not being compared.
    async fn upload_compared(&self, id: &str, difference: &str, digest: &str) -> Result<bool>;

    /// It is being imported, as it was shown. `false`: it is not a draft with this difference (any more).
    async fn start_upload(&self, id: &str, digest: &str) -> Result<bool>;

    /// Its comparison or import failed.
    async fn upload_failed(&self, id: &str) -> Result<()>;

    /// Deletes one that is not imported; from now on no import of it can end. `false`: there is no such one of this account.
    async fn drop_upload(&self, id: &str, by: &UserId) -> Result<bool>;

    /// Deletes those that have expired; returns their number.
    async fn expire_uploads(&self, now: Timestamp) -> Result<u64>;
}

const COLUMNS: &str =
    "id, made_by, made_at, expires_at, file_name, file_hash, options, state, difference, digest, ended_at";

fn read(row: &Row) -> Result<UploadedList> {
    let row = Reader::new(row, "imports", "id");
    Ok(UploadedList {
        id: row.text("id")?,
        by: UserId(row.text("made_by")?),
        at: row.instant("made_at")?,
        expires_at: row.instant("expires_at")?,
        file_name: row.text("file_name")?,
        file_hash: row.text("file_hash")?,
        options: row.text("options")?,
        state: row.word("state", &UploadState::ALL, UploadState::as_str)?,
        difference: row.optional_text("difference")?,
        digest: row.optional_text("digest")?,
        ended_at: row.optional_instant("ended_at")?,
    })
}

#[async_trait]
impl<B: Backend> UploadedLists for Ledger<B> {
    async fn add_upload(&self, it: &UploadedList, file: &[u8]) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping an uploaded list").await?;
        let insert =
            "INSERT INTO imports (id, made_by, made_at, expires_at, file_name, file_hash, file, options, state)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = values![
            it.id.as_str(),
            it.by.as_str(),
            it.at,
            it.expires_at,
            it.file_name.as_str(),
            it.file_hash.as_str(),
            file,
            it.options.as_str(),
            it.state.as_str()
        ];
        tx.execute(insert, values).await?;
        tx.commit().await
    }

    async fn uploaded_list(&self, id: &str, by: &UserId, now: Timestamp) -> Result<Option<UploadedList>> {
        let mut tx = Transaction::read(&self.0, "reading an uploaded list").await?;
        let select = format!("SELECT {COLUMNS} FROM imports WHERE id = $1 AND made_by = $2 AND expires_at > $3");
        let row = tx.row(sqlx::AssertSqlSafe(select), values![id, by.as_str(), now]).await?;
        row.as_ref().map(read).transpose()
    }

    async fn uploaded_lists_of(&self, by: &UserId, limit: u32, now: Timestamp) -> Result<Vec<UploadedList>> {
        let mut tx = Transaction::read(&self.0, "reading uploaded lists").await?;
        let select = format!(
            "SELECT {COLUMNS} FROM imports WHERE made_by = $1 AND expires_at > $2 ORDER BY made_at DESC, id DESC LIMIT $3"
        );
        let rows = tx.rows(sqlx::AssertSqlSafe(select), values![by.as_str(), now, limit]).await?;
        rows.iter().map(read).collect()
    }

    async fn uploaded_file(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let mut tx = Transaction::read(&self.0, "reading an uploaded file").await?;
        let row = tx.row("SELECT id, file FROM imports WHERE id = $1 AND file IS NOT NULL", values![id]).await?;
        row.as_ref().map(|row| Reader::new(row, "imports", "id").bytes("file")).transpose()
    }

    async fn compare_upload(&self, id: &str, options: &str) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "comparing an uploaded list").await?;
        let update =
            "UPDATE imports SET state = 'reading', options = $2, digest = NULL WHERE id = $1 AND state <> 'done'";
        let is_open = tx.execute(update, values![id, options]).await? > 0;
        tx.commit().await?;
        Ok(is_open)
    }

    async fn upload_compared(&self, id: &str, difference: &str, digest: &str) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "keeping a difference").await?;
        let update = "UPDATE imports SET state = 'draft', difference = $2, digest = $3
            WHERE id = $1 AND state IN ('reading', 'running')";
        let is_kept = tx.execute(update, values![id, difference, digest]).await? > 0;
        tx.commit().await?;
        Ok(is_kept)
    }

    async fn start_upload(&self, id: &str, digest: &str) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "starting an import").await?;
        let update = "UPDATE imports SET state = 'running' WHERE id = $1 AND digest = $2 AND state = 'draft'";
        let is_started = tx.execute(update, values![id, digest]).await? > 0;
        tx.commit().await?;
        Ok(is_started)
    }

    async fn upload_failed(&self, id: &str) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "noting a failed import").await?;
        let update = "UPDATE imports SET state = 'failed' WHERE id = $1 AND state IN ('reading', 'running')";
        tx.execute(update, values![id]).await?;
        tx.commit().await
    }

    async fn drop_upload(&self, id: &str, by: &UserId) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "deleting an uploaded list").await?;
        let delete = "DELETE FROM imports WHERE id = $1 AND made_by = $2 AND state <> 'done'";
        let is_gone = tx.execute(delete, values![id, by.as_str()]).await? > 0;
        tx.commit().await?;
        Ok(is_gone)
    }

    async fn expire_uploads(&self, now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "deleting expired lists").await?;
        let gone = tx.execute("DELETE FROM imports WHERE expires_at <= $1", values![now]).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// In the transaction of its import: the file is not needed any more. `numbers`: JSON. `false`: it is not being imported (any
/// more), so nothing of it may be written.
pub(super) async fn finish<B: Backend>(
    tx: &mut Transaction<B>,
    id: &str,
    numbers: &serde_json::Value,
    now: Timestamp,
) -> Result<bool> {
    let update =
        "UPDATE imports SET state = 'done', file = NULL, difference = $2, digest = NULL, ended_at = $3, expires_at = $4
        WHERE id = $1 AND state = 'running'";
    Ok(tx.execute(update, values![id, numbers.clone(), now, now + REMEMBERED]).await? > 0)
}
