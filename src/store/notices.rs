//! Notices to staff.

use super::Ledger;
use super::{
    PendingNotice, Result,
    backend::{Backend, Transaction, values},
    rows,
};
use crate::domain::{Timestamp, issue::IssueKey, notice::Notice};
use async_trait::async_trait;

/// Notices to staff.
#[async_trait]
pub trait Notices: Send + Sync {
    /// `false` if this issue already has one of this kind.
    async fn queue_notice(&self, issue: &IssueKey, notice: &Notice, now: Timestamp) -> Result<bool>;

    /// Owes one notice for each pause of each paused issue, whatever paused it. Returns the number of new ones.
    async fn queue_notices_of_paused(&self, now: Timestamp) -> Result<u64>;

    async fn pending_notices(&self) -> Result<Vec<PendingNotice>>;

    /// When the last notice of this kind ([`Notice::kind`]) was sent.
    async fn last_notice_sent(&self, kind: &str) -> Result<Option<Timestamp>>;

    /// The notices with these ids were sent, in one mail.
    async fn notices_sent(&self, ids: &[&str], now: Timestamp) -> Result<()>;
}

#[async_trait]
impl<B: Backend> Notices for Ledger<B> {
    async fn queue_notice(&self, issue: &IssueKey, notice: &Notice, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "queueing a notice").await?;
        let insert = "INSERT INTO notices (id, issue, kind, text, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING";
        let (kind, text) = (notice.kind(), notice.text());
        let pending = tx.execute(insert, values![format!("{kind}:{issue}"), issue, kind, text, now]).await? == 1;
        tx.commit().await?;
        Ok(pending)
    }

    async fn queue_notices_of_paused(&self, now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "queueing notices of paused issues").await?;
        // `WHERE` before `ON`: otherwise SQLite parses the conflict clause as part of a join.
        let insert = "INSERT INTO notices (id, issue, kind, text, created_at)
            SELECT 'paused:' || key, key, 'paused', COALESCE(reason, ''), $1 FROM issues WHERE state = 'paused'
            ON CONFLICT DO NOTHING";
        let pending = tx.execute(insert, values![now]).await?;
        tx.commit().await?;
        Ok(pending)
    }

    async fn pending_notices(&self) -> Result<Vec<PendingNotice>> {
        let mut tx = Transaction::read(&self.0, "reading pending notices").await?;
        let select =
            "SELECT id, issue, kind, text, created_at FROM notices WHERE sent_at IS NULL ORDER BY created_at, id";
        tx.rows(select, values![]).await?.iter().map(rows::notice).collect()
    }

    async fn last_notice_sent(&self, kind: &str) -> Result<Option<Timestamp>> {
        let mut tx = Transaction::read(&self.0, "reading the last notice").await?;
        let select = "SELECT MAX(sent_at) AS sent_at FROM notices WHERE kind = $1";
        let row = tx.row(select, values![kind]).await?;
        row.map_or(Ok(None), |row| rows::Reader::new(&row, "notices", "sent_at").optional_instant("sent_at"))
    }

    async fn notices_sent(&self, ids: &[&str], now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "recording a sent notice").await?;
        for id in ids {
            tx.execute("UPDATE notices SET sent_at = $2 WHERE id = $1 AND sent_at IS NULL", values![*id, now]).await?;
        }
        tx.commit().await
    }
}
