//! What persons decided about one issue against the rules of its mailing, and what they looked at: why it is held, what was seen.

use super::Ledger;
use super::{
    Result, Saved,
    backend::{Backend, Transaction, values},
    corrections::{open, reconsider},
    issues,
    rows::Reader,
};
use crate::domain::{
    Timestamp,
    exception::{Exception, HeldFor, Kind, Sighting, Withdrawn},
    hold::Hold,
    issue::IssueKey,
};
use async_trait::async_trait;
use serde_json::json;

/// Why an approval is taken back: in the history of the issue.
const EXCEPTION: &str = "exception";

/// What became of an exception that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    Done,
    /// The issue is not held for that reason any more.
    Moved,
    /// The issue is frozen or over: its content cannot change any more.
    Frozen,
}

/// Exceptions, holds and sightings.
#[async_trait]
pub trait Exceptions: Send + Sync {
    /// All exceptions of the issue, with those that were withdrawn, oldest first.
    async fn exceptions(&self, key: &IssueKey) -> Result<Vec<Exception>>;

    /// Makes an exception, in the place of one of the same kind and target, if the issue is held for exactly this reason. An approval is
    /// taken back, and what was composed or read without the exception counts no more; an issue that waits is tried now.
    /// `automatic`: the issue leaves without an approval.
    async fn allow(&self, exception: &Exception, reason: &str, automatic: bool) -> Result<Allowed>;

    /// Takes an exception back, with the same consequences; content of an agenda or a newsletter that was read with it is dropped, and
    /// its issue is held for `reason` until it is read again. [`Saved::Other`]: it is not in force.
    async fn disallow(
        &self,
        key: &IssueKey,
        id: &str,
        by: &str,
        (automatic, reason): (bool, &str),
        now: Timestamp,
    ) -> Result<Saved>;

    /// Notes why an issue is held with this reason.
    async fn keep_hold(&self, key: &IssueKey, held: &HeldFor) -> Result<()>;

    /// `None`: it is not held, or nothing but the reason is known.
    async fn held_for(&self, key: &IssueKey) -> Result<Option<HeldFor>>;

    /// Replaces what was seen before; a frozen issue keeps what it was made from.
    async fn keep_sighting(&self, key: &IssueKey, seen: &Sighting) -> Result<()>;

    async fn sighting(&self, key: &IssueKey) -> Result<Option<Sighting>>;
}

#[async_trait]
impl<B: Backend> Exceptions for Ledger<B> {
    async fn exceptions(&self, key: &IssueKey) -> Result<Vec<Exception>> {
        let mut tx = Transaction::read(&self.0, "reading exceptions").await?;
        let select = "SELECT id, rule, why, made_by, made_at, withdrawn_by, withdrawn_at FROM exceptions
            WHERE issue = $1 ORDER BY made_at, id";
        let read = |row| {
            let row = Reader::new(row, "exceptions", "id");
            let withdrawn = match (row.optional_text("withdrawn_by")?, row.optional_instant("withdrawn_at")?) {
                (Some(by), Some(at)) => Some(Withdrawn { by, at }),
                _ => None,
            };
            Ok(Exception {
                id: row.text("id")?,
                issue: key.clone(),
                rule: row.json("rule")?,
                why: row.text("why")?,
                by: row.text("made_by")?,
                at: row.instant("made_at")?,
                withdrawn,
            })
        };
        tx.rows(select, values![key]).await?.iter().map(read).collect()
    }

    async fn allow(&self, it: &Exception, reason: &str, automatic: bool) -> Result<Allowed> {
        let mut tx = Transaction::write(&self.0, "making an exception").await?;
        tx.execute(B::SQL.lock_exceptions, values![]).await?;
        if !open(&mut tx, &it.issue).await? {
            return Ok(Allowed::Frozen);
        }
        let held = "SELECT key FROM issues WHERE key = $1 AND state = 'held' AND reason = $2";
        if tx.row(held, values![&it.issue, reason]).await?.is_none() {
            return Ok(Allowed::Moved);
        }
        let (kind, target) = (it.rule.kind(), it.rule.target());
        let replace = "UPDATE exceptions SET withdrawn_by = $4, withdrawn_at = $5
            WHERE issue = $1 AND kind = $2 AND target = $3 AND withdrawn_at IS NULL";
        tx.execute(replace, values![&it.issue, kind.as_str(), target, it.by.as_str(), it.at]).await?;
        let insert = "INSERT INTO exceptions (id, issue, kind, target, rule, why, made_by, made_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = values![
            it.id.as_str(),
            &it.issue,
            kind.as_str(),
            target,
            json!(it.rule),
            it.why.as_str(),
            it.by.as_str(),
            it.at
        ];
        tx.execute(insert, values).await?;
        changed(&mut tx, &it.issue, kind, (automatic, reason), &it.by, it.at).await?;
        tx.commit().await?;
        Ok(Allowed::Done)
    }

    async fn disallow(
        &self,
        key: &IssueKey,
        id: &str,
        by: &str,
        (automatic, reason): (bool, &str),
        now: Timestamp,
    ) -> Result<Saved> {
        let mut tx = Transaction::write(&self.0, "withdrawing an exception").await?;
        tx.execute(B::SQL.lock_exceptions, values![]).await?;
        if !open(&mut tx, key).await? {
            return Ok(Saved::Frozen);
        }
        let select = "SELECT id, kind FROM exceptions WHERE issue = $1 AND id = $2 AND withdrawn_at IS NULL";
        let Some(row) = tx.row(select, values![key, id]).await? else { return Ok(Saved::Other) };
        let kind = Reader::new(&row, "exceptions", "id").word("kind", &Kind::ALL, Kind::as_str)?;
        let update = "UPDATE exceptions SET withdrawn_by = $2, withdrawn_at = $3 WHERE id = $1";
        tx.execute(update, values![id, by, now]).await?;
        changed(&mut tx, key, kind, (automatic, reason), by, now).await?;
        tx.commit().await?;
        Ok(Saved::Done)
    }

    async fn keep_hold(&self, key: &IssueKey, held: &HeldFor) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "noting why an issue is held").await?;
        let upsert = "INSERT INTO holds (issue, reason, hold, held_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (issue) DO UPDATE SET reason = excluded.reason, hold = excluded.hold, held_at = excluded.held_at";
        tx.execute(upsert, values![key, held.reason.as_str(), json!(held.hold), held.at]).await?;
        tx.commit().await
    }

    async fn held_for(&self, key: &IssueKey) -> Result<Option<HeldFor>> {
        let mut tx = Transaction::read(&self.0, "reading why an issue is held").await?;
        let select = "SELECT h.issue, h.reason, h.hold, h.held_at FROM holds h
            JOIN issues i ON i.key = h.issue AND i.state = 'held' AND i.reason = h.reason WHERE h.issue = $1";
        let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
        let row = Reader::new(&row, "holds", "issue");
        // Written by another version, it is as if only the reason were known.
        let Ok(hold) = serde_json::from_str::<Hold>(&row.text("hold")?) else { return Ok(None) };
        Ok(Some(HeldFor { hold, reason: row.text("reason")?, at: row.instant("held_at")? }))
    }

    async fn keep_sighting(&self, key: &IssueKey, seen: &Sighting) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "noting what was seen").await?;
        let upsert = "INSERT INTO sightings (issue, seen_at, articles) VALUES ($1, $2, $3)
            ON CONFLICT (issue) DO UPDATE SET seen_at = excluded.seen_at, articles = excluded.articles
            WHERE NOT EXISTS (SELECT 1 FROM issues i WHERE i.key = sightings.issue AND i.frozen_at IS NOT NULL)";
        tx.execute(upsert, values![key, seen.seen_at, json!(seen.articles)]).await?;
        tx.commit().await
    }

    async fn sighting(&self, key: &IssueKey) -> Result<Option<Sighting>> {
        let mut tx = Transaction::read(&self.0, "reading what was seen").await?;
        let select = "SELECT issue, seen_at, articles FROM sightings WHERE issue = $1";
        let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
        let row = Reader::new(&row, "sightings", "issue");
        let articles = serde_json::from_str(&row.text("articles")?).unwrap_or_default();
        Ok(Some(Sighting { seen_at: row.instant("seen_at")?, articles }))
    }
}

/// Approvals are taken back and the issue is tried now. Where the exception decides what is read, content that was made before is
/// dropped: no correction may bring it back without another reading.
async fn changed<B: Backend>(
    tx: &mut Transaction<B>,
    key: &IssueKey,
    kind: Kind,
    (automatic, reason): (bool, &str),
    by: &str,
    now: Timestamp,
) -> Result<()> {
    reconsider(tx, key, automatic, (by, EXCEPTION), now).await?;
    if kind.is_of_reading() {
        issues::drop_content(tx, key, reason).await?;
    }
    Ok(())
}
