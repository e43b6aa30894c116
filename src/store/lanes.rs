//! Lanes that are not open, and how often an issue's content was refused in each.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::{
    Timestamp,
    issue::IssueKey,
    lane::{LaneTrouble, Pace},
};
use async_trait::async_trait;

/// Lanes that are not open.
#[async_trait]
pub trait Lanes: Send + Sync {
    /// Lanes that are not open; also those whose time has passed, until something is accepted in them.
    async fn lanes(&self) -> Result<Vec<LaneTrouble>>;

    /// Stores it, unless a more severe one is known and still valid (stricter pace, longer time): then `false`.
    async fn note_lane(&self, trouble: &LaneTrouble) -> Result<bool>;

    /// Something was accepted in a lane whose time had passed: it starts fresh. `false` if its time has not passed, or it
    /// was removed already.
    async fn forget_past_trouble(&self, lane: &str, now: Timestamp) -> Result<bool>;

    /// Opens the lane and clears its refusals. `false` if it was not closed.
    async fn reopen_lane(&self, lane: &str) -> Result<bool>;

    /// Counts another refusal of the issue's content in this lane (`""`: a domain of no family) and returns the total.
    /// Cleared when the issue is resumed.
    async fn content_refused(&self, issue: &IssueKey, lane: &str) -> Result<u32>;
}

#[async_trait]
impl<B: Backend> Lanes for Ledger<B> {
    async fn lanes(&self) -> Result<Vec<LaneTrouble>> {
        let mut tx = Transaction::read(&self.0, "reading lanes").await?;
        let read = |row| {
            let row = Reader::new(row, "lanes", "lane");
            Ok(LaneTrouble {
                lane: row.text("lane")?,
                pace: row.word("pace", &Pace::ALL, Pace::as_str)?,
                why: row.text("why")?,
                since: row.instant("since")?,
                until: row.optional_instant("until_at")?,
                issue: row.issue_key("issue")?,
                only_issue: !row.text("only_issue")?.is_empty(),
                step: row.number("step")?,
                per_minute: row.optional_number("per_minute")?,
            })
        };
        // Troubles that only concern an issue are ignored once that issue is finished.
        let select = "SELECT lane, only_issue, pace, why, since, until_at, issue, step, per_minute FROM lanes
            WHERE only_issue = ''
                OR EXISTS (SELECT 1 FROM issues i WHERE i.key = only_issue AND i.state IN ('sending', 'paused'))
            ORDER BY lane, only_issue";
        tx.rows(select, values![]).await?.iter().map(read).collect()
    }

    async fn note_lane(&self, trouble: &LaneTrouble) -> Result<bool> {
        note(&self.0, trouble).await
    }

    async fn forget_past_trouble(&self, lane: &str, now: Timestamp) -> Result<bool> {
        // Not a trouble that was noted concurrently.
        let mut tx = Transaction::write(&self.0, "forgetting a lane's past trouble").await?;
        let delete = "DELETE FROM lanes WHERE lane = $1 AND only_issue = '' AND until_at <= $2";
        let forgotten = tx.execute(delete, values![lane, now]).await? == 1;
        tx.commit().await?;
        Ok(forgotten)
    }

    async fn reopen_lane(&self, lane: &str) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "reopening a lane").await?;
        if tx.execute("DELETE FROM lanes WHERE lane = $1", values![lane]).await? == 0 {
            return Ok(false);
        }
        tx.execute("DELETE FROM content_refusals WHERE lane = $1", values![lane]).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn content_refused(&self, issue: &IssueKey, lane: &str) -> Result<u32> {
        let mut tx = Transaction::write(&self.0, "counting a refusal of the content").await?;
        let count = "INSERT INTO content_refusals (issue, lane, refusals) VALUES ($1, $2, 1)
            ON CONFLICT (issue, lane) DO UPDATE SET refusals = content_refusals.refusals + 1 RETURNING issue, refusals";
        let row = tx.row(count, values![issue, lane]).await?;
        let refusals = row.map(|row| Reader::new(&row, "content_refusals", "issue").number("refusals")).transpose()?;
        tx.commit().await?;
        Ok(refusals.unwrap_or_default())
    }
}

/// The condition is [`LaneTrouble::gives_way_to`], against concurrent writes.
pub(super) async fn note<B: Backend>(db: &B, it: &LaneTrouble) -> Result<bool> {
    let mut tx = Transaction::write(db, "noting a lane's trouble").await?;
    let upsert = "INSERT INTO lanes (lane, only_issue, pace, why, since, until_at, issue, step, per_minute)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (lane, only_issue) DO UPDATE SET pace = excluded.pace, why = excluded.why, since = excluded.since,
            until_at = excluded.until_at, issue = excluded.issue, step = excluded.step, per_minute = excluded.per_minute
        WHERE lanes.until_at <= excluded.since OR excluded.pace = 'paused' AND lanes.pace <> 'paused'
            OR excluded.pace = 'suspended' AND lanes.pace = 'slow'
            OR excluded.pace = lanes.pace AND excluded.until_at > lanes.until_at";
    let only_issue = if it.only_issue { it.issue.as_str() } else { "" };
    let (lane, pace, why) = (it.lane.as_str(), it.pace.as_str(), it.why.as_str());
    let values = values![lane, only_issue, pace, why, it.since, it.until, &it.issue, it.step, it.per_minute];
    let noted = tx.execute(upsert, values).await? == 1;
    tx.commit().await?;
    Ok(noted)
}
