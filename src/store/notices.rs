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

    /// Queues one notice for each pause of each paused issue, whatever paused it. Returns the number of new ones.
    async fn queue_notices_of_paused(&self, now: Timestamp) -> Result<u64>;

    async fn pending_notices(&self) -> Result<Vec<PendingNotice>>;

    /// Claims pending notices for `owner` until `until`: of two daemons one sends it. What `owner` has taken before stays its own;
    /// what another process took is free again after its time.
    async fn claim_notices(&self, owner: &str, until: Timestamp, now: Timestamp) -> Result<Vec<PendingNotice>>;

    /// Anybody may take these at once. `ids`: `None` for everything that `owner` has taken.
    async fn release_notices(&self, owner: &str, ids: Option<&[&str]>) -> Result<()>;

    /// When a notice of this kind ([`Notice::kind`]) was queued for the issue, and was sent; `None`: it never was queued.
    async fn notice_of(&self, issue: &IssueKey, kind: &str) -> Result<Option<NoticeTimes>>;

    /// When the last notice of this kind ([`Notice::kind`]) was sent.
    async fn last_notice_sent(&self, kind: &str) -> Result<Option<Timestamp>>;

    /// The notices with these ids were sent, in one mail.
    async fn notices_sent(&self, ids: &[&str], now: Timestamp) -> Result<()>;
}

/// When a notice was queued, and when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeTimes {
    pub created_at: Timestamp,
    /// `None`: it is still pending.
    pub sent_at: Option<Timestamp>,
}

#[async_trait]
impl<B: Backend> Notices for Ledger<B> {
    async fn queue_notice(&self, issue: &IssueKey, notice: &Notice, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "queueing a notice").await?;
        let insert = "INSERT INTO notices (id, issue, kind, text, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING";
        let (kind, text) = (notice.kind(), notice.text());
        let inserted = tx.execute(insert, values![format!("{kind}:{issue}"), issue, kind, text, now]).await? == 1;
        tx.commit().await?;
        Ok(inserted)
    }

    async fn queue_notices_of_paused(&self, now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "queueing notices of paused issues").await?;
        // `WHERE` before `ON`: otherwise SQLite parses the conflict clause as part of a join.
        let insert = "INSERT INTO notices (id, issue, kind, text, created_at)
            SELECT 'paused:' || key, key, 'paused', COALESCE(reason, ''), $1 FROM issues WHERE state = 'paused'
            ON CONFLICT DO NOTHING";
        let inserted = tx.execute(insert, values![now]).await?;
        tx.commit().await?;
        Ok(inserted)
    }

    async fn pending_notices(&self) -> Result<Vec<PendingNotice>> {
        let mut tx = Transaction::read(&self.0, "reading pending notices").await?;
        let select =
            "SELECT id, issue, kind, text, created_at FROM notices WHERE sent_at IS NULL ORDER BY created_at, id";
        tx.rows(select, values![]).await?.iter().map(rows::notice).collect()
    }

    async fn claim_notices(&self, owner: &str, until: Timestamp, now: Timestamp) -> Result<Vec<PendingNotice>> {
        // An idle daemon writes nothing.
        if self.pending_notices().await?.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = Transaction::write(&self.0, "taking up notices").await?;
        let claim = "UPDATE notices SET claimed_by = $1, claimed_until = $2
            WHERE sent_at IS NULL AND (claimed_by IS NULL OR claimed_by = $1 OR claimed_until <= $3)
            RETURNING id, issue, kind, text, created_at";
        let rows = tx.rows(claim, values![owner, until, now]).await?;
        let mut claimed = rows.iter().map(rows::notice).collect::<Result<Vec<_>>>()?;
        tx.commit().await?;
        claimed.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(claimed)
    }

    async fn release_notices(&self, owner: &str, ids: Option<&[&str]>) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "leaving notices to others").await?;
        match ids {
            None => free_all_of(&mut tx, Some(owner)).await?,
            Some(ids) => {
                let one = "UPDATE notices SET claimed_by = NULL, claimed_until = NULL
                    WHERE claimed_by = $1 AND sent_at IS NULL AND id = $2";
                for id in ids {
                    tx.execute(one, values![owner, *id]).await?;
                }
            }
        }
        tx.commit().await
    }

    async fn notice_of(&self, issue: &IssueKey, kind: &str) -> Result<Option<NoticeTimes>> {
        let mut tx = Transaction::read(&self.0, "reading a notice").await?;
        let select = "SELECT id, created_at, sent_at FROM notices WHERE issue = $1 AND kind = $2";
        let Some(row) = tx.row(select, values![issue, kind]).await? else { return Ok(None) };
        let row = rows::Reader::new(&row, "notices", "id");
        let (created_at, sent_at) = (row.instant("created_at")?, row.optional_instant("sent_at")?);
        Ok(Some(NoticeTimes { created_at, sent_at }))
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

/// What this process, or any, has taken and not sent.
pub(super) async fn free_all_of<B: Backend>(tx: &mut Transaction<B>, owner: Option<&str>) -> Result<()> {
    let free = "UPDATE notices SET claimed_by = NULL, claimed_until = NULL
        WHERE sent_at IS NULL AND claimed_by IS NOT NULL AND ($1 IS NULL OR claimed_by = $1)";
    tx.execute(free, values![owner]).await?;
    Ok(())
}
