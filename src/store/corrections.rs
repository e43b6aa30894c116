//! What was read for an issue, and what persons corrected in it.

use super::Ledger;
use super::{
    Result,
    approvals::try_now,
    backend::{Backend, Transaction, values},
    rows::Reader,
    sql::{changes, unapproved},
};
use crate::domain::{
    Timestamp,
    correction::{Anchor, Correction, Dismissal, KeptReading},
    french::folded,
    issue::IssueKey,
};
use async_trait::async_trait;
use serde_json::json;

/// What became of a correction that was to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    Done,
    /// Another correction of the event is in force, or the one to be withdrawn no longer is.
    Other,
    /// The issue is frozen or over: its content cannot change any more.
    Frozen,
}

/// Readings, corrections, and lines that are no event.
#[async_trait]
pub trait Corrections: Send + Sync {
    /// Replaces what was read for the issue before. What was read with other exceptions than are in force now is kept, but is not
    /// the reading of the issue.
    async fn keep_reading(&self, reading: &KeptReading) -> Result<()>;

    async fn reading(&self, key: &IssueKey) -> Result<Option<KeptReading>>;

    /// Rises with each change of a correction or an exception of the issue.
    async fn revision(&self, key: &IssueKey) -> Result<u64>;

    /// Those in force, oldest first.
    async fn corrections(&self, key: &IssueKey) -> Result<Vec<Correction>>;

    /// Saves a correction and withdraws those it replaces, each of which must be in force. An approval of the issue is taken
    /// back: what was approved is no longer what would be sent. `automatic`: the issue leaves without an approval.
    async fn correct(&self, correction: &Correction, replaces: &[String], automatic: bool) -> Result<Saved>;

    /// Takes a correction back, and an approval with it.
    async fn withdraw_correction(
        &self,
        key: &IssueKey,
        id: &str,
        by: &str,
        automatic: bool,
        now: Timestamp,
    ) -> Result<Saved>;

    /// By line.
    async fn dismissals(&self, mailing: &str) -> Result<Vec<Dismissal>>;

    /// From now on the line is left out. `key`: the issue in which it was found; an approval of it is taken back.
    async fn dismiss(&self, key: &IssueKey, dismissal: &Dismissal, automatic: bool) -> Result<Saved>;

    /// Takes [`Corrections::dismiss`] back, and an approval of the issue with it. [`Saved::Other`]: it was not left out.
    async fn readmit(&self, key: &IssueKey, line: &str, by: &str, automatic: bool, now: Timestamp) -> Result<Saved>;
}

#[async_trait]
impl<B: Backend> Corrections for Ledger<B> {
    async fn keep_reading(&self, it: &KeptReading) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping what was read").await?;
        // A first reading begins with the revision that was true before there was one.
        tx.execute(B::SQL.lock_exceptions, values![]).await?;
        let upsert = concat!(
            "INSERT INTO readings (issue, read_at, title, url, agenda, missing, exceptions, revision)
            VALUES ($1, $2, $3, $4, $5, $6, $7, ",
            changes!("$1"),
            ") ON CONFLICT (issue) DO UPDATE SET read_at = excluded.read_at, title = excluded.title, url = excluded.url,
                agenda = excluded.agenda, missing = excluded.missing, exceptions = excluded.exceptions
            WHERE NOT EXISTS (SELECT 1 FROM issues i WHERE i.key = readings.issue AND i.frozen_at IS NOT NULL)"
        );
        let values = values![
            &it.issue,
            it.read_at,
            it.title.as_str(),
            it.url.as_deref(),
            json!(it.agenda),
            json!(it.missing),
            i64::try_from(it.exceptions).unwrap_or(i64::MAX)
        ];
        tx.execute(upsert, values).await?;
        tx.commit().await
    }

    async fn reading(&self, key: &IssueKey) -> Result<Option<KeptReading>> {
        let mut tx = Transaction::read(&self.0, "reading what was read").await?;
        let select = concat!(
            "SELECT issue, read_at, title, url, agenda, missing, exceptions FROM readings
            WHERE issue = $1 AND exceptions = ",
            changes!("$1", " AND e.kind IN ('source', 'article')")
        );
        let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
        let row = Reader::new(&row, "readings", "issue");
        Ok(Some(KeptReading {
            issue: key.clone(),
            read_at: row.instant("read_at")?,
            title: row.text("title")?,
            url: row.optional_text("url")?,
            agenda: row.json("agenda")?,
            missing: row.json("missing")?,
            exceptions: row.number("exceptions")?,
        }))
    }

    async fn revision(&self, key: &IssueKey) -> Result<u64> {
        let mut tx = Transaction::read(&self.0, "reading the revision of corrections").await?;
        let select = concat!(
            "SELECT COALESCE((SELECT r.revision FROM readings r WHERE r.issue = $1), ",
            changes!("$1"),
            ") AS revision"
        );
        let row = tx.row(select, values![key]).await?;
        row.map_or(Ok(0), |row| Reader::new(&row, "readings", "revision").number("revision"))
    }

    async fn corrections(&self, key: &IssueKey) -> Result<Vec<Correction>> {
        let mut tx = Transaction::read(&self.0, "reading corrections").await?;
        let select = "SELECT id, anchor, patch, why, made_by, made_at FROM corrections
            WHERE issue = $1 AND withdrawn_at IS NULL ORDER BY made_at, id";
        let read = |row| {
            let row = Reader::new(row, "corrections", "id");
            Ok(Correction {
                id: row.text("id")?,
                issue: key.clone(),
                anchor: row.json("anchor")?,
                patch: row.json("patch")?,
                why: row.text("why")?,
                by: row.text("made_by")?,
                at: row.instant("made_at")?,
            })
        };
        tx.rows(select, values![key]).await?.iter().map(read).collect()
    }

    async fn correct(&self, it: &Correction, replaces: &[String], automatic: bool) -> Result<Saved> {
        let mut tx = Transaction::write(&self.0, "saving a correction").await?;
        if !open(&mut tx, &it.issue).await? {
            return Ok(Saved::Frozen);
        }
        for id in replaces {
            if withdraw(&mut tx, &it.issue, id, &it.by, it.at).await? == 0 {
                return Ok(Saved::Other);
            }
        }
        let insert = "INSERT INTO corrections (id, issue, target, anchor, patch, why, made_by, made_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (issue, target) WHERE withdrawn_at IS NULL DO NOTHING";
        let values = values![
            it.id.as_str(),
            &it.issue,
            it.anchor.name(),
            json!(it.anchor),
            json!(it.patch),
            it.why.as_str(),
            it.by.as_str(),
            it.at
        ];
        if tx.execute(insert, values).await? == 0 {
            return Ok(Saved::Other);
        }
        reconsider(&mut tx, &it.issue, automatic, (&it.by, CORRECTION), it.at).await?;
        tx.commit().await?;
        Ok(Saved::Done)
    }

    async fn withdraw_correction(
        &self,
        key: &IssueKey,
        id: &str,
        by: &str,
        automatic: bool,
        now: Timestamp,
    ) -> Result<Saved> {
        let mut tx = Transaction::write(&self.0, "withdrawing a correction").await?;
        if !open(&mut tx, key).await? {
            return Ok(Saved::Frozen);
        }
        if withdraw(&mut tx, key, id, by, now).await? == 0 {
            return Ok(Saved::Other);
        }
        reconsider(&mut tx, key, automatic, (by, CORRECTION), now).await?;
        tx.commit().await?;
        Ok(Saved::Done)
    }

    async fn dismissals(&self, mailing: &str) -> Result<Vec<Dismissal>> {
        let mut tx = Transaction::read(&self.0, "reading lines that are no event").await?;
        let select = "SELECT words, line, why, made_by, made_at FROM dismissals WHERE mailing = $1 ORDER BY words";
        let read = |row| {
            let row = Reader::new(row, "dismissals", "words");
            Ok(Dismissal {
                mailing: mailing.to_owned(),
                line: row.text("line")?,
                why: row.text("why")?,
                by: row.text("made_by")?,
                at: row.instant("made_at")?,
            })
        };
        tx.rows(select, values![mailing]).await?.iter().map(read).collect()
    }

    async fn dismiss(&self, key: &IssueKey, it: &Dismissal, automatic: bool) -> Result<Saved> {
        let mut tx = Transaction::write(&self.0, "leaving a line out").await?;
        if !open(&mut tx, key).await? {
            return Ok(Saved::Frozen);
        }
        let insert =
            "INSERT INTO dismissals (mailing, words, line, why, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (mailing, words) DO NOTHING";
        let values =
            values![it.mailing.as_str(), folded(&it.line), it.line.as_str(), it.why.as_str(), it.by.as_str(), it.at];
        if tx.execute(insert, values).await? == 0 {
            return Ok(Saved::Other);
        }
        // What was corrected in the line is not printed either way.
        let select = "SELECT id, anchor FROM corrections WHERE issue = $1 AND withdrawn_at IS NULL";
        for row in tx.rows(select, values![key]).await? {
            let row = Reader::new(&row, "corrections", "id");
            let anchor: Anchor = row.json("anchor")?;
            if folded(&anchor.line) == folded(&it.line) {
                withdraw(&mut tx, key, &row.text("id")?, &it.by, it.at).await?;
            }
        }
        reconsider(&mut tx, key, automatic, (&it.by, CORRECTION), it.at).await?;
        tx.commit().await?;
        Ok(Saved::Done)
    }

    async fn readmit(&self, key: &IssueKey, line: &str, by: &str, automatic: bool, now: Timestamp) -> Result<Saved> {
        let mut tx = Transaction::write(&self.0, "admitting a line again").await?;
        if !open(&mut tx, key).await? {
            return Ok(Saved::Frozen);
        }
        let delete = "DELETE FROM dismissals WHERE mailing = $1 AND words = $2";
        if tx.execute(delete, values![key.mailing(), folded(line)]).await? == 0 {
            return Ok(Saved::Other);
        }
        reconsider(&mut tx, key, automatic, (by, CORRECTION), now).await?;
        tx.commit().await?;
        Ok(Saved::Done)
    }
}

/// Makes content that was composed before outdated, and locks the reading and the issue, in this order everywhere: the freeze comes
/// before or after. `false`: the issue is frozen or over. An issue that does not exist yet is open.
pub(super) async fn open<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey) -> Result<bool> {
    tx.execute("UPDATE readings SET revision = revision + 1 WHERE issue = $1", values![key]).await?;
    tx.execute("UPDATE issues SET state = state WHERE key = $1", values![key]).await?;
    let select = "SELECT key FROM issues WHERE key = $1
        AND (frozen_at IS NOT NULL OR state IN ('done', 'expired', 'cancelled'))";
    Ok(tx.row(select, values![key]).await?.is_none())
}

async fn withdraw<B: Backend>(
    tx: &mut Transaction<B>,
    key: &IssueKey,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<u64> {
    let update = "UPDATE corrections SET withdrawn_by = $3, withdrawn_at = $4
        WHERE issue = $1 AND id = $2 AND withdrawn_at IS NULL";
    tx.execute(update, values![key, id, by, now]).await
}

/// Whether content was composed with the corrections as they are, and notes that it is kept. Locks the reading; comes before
/// anything that locks the issue.
pub(super) async fn is_latest<B: Backend>(tx: &mut Transaction<B>, issue: &IssueKey, revision: u64) -> Result<bool> {
    let revision = i64::try_from(revision).unwrap_or(i64::MAX);
    let update = "UPDATE readings SET composed = revision WHERE issue = $1 AND revision = $2";
    if tx.execute(update, values![issue, revision]).await? > 0 {
        return Ok(true);
    }
    let read = tx.row("SELECT issue FROM readings WHERE issue = $1", values![issue]).await?;
    Ok(read.is_none())
}

/// Why an approval is taken back: in the history of the issue.
const CORRECTION: &str = "correction";

/// Approvals are taken back, and a held issue is tried again now.
pub(super) async fn reconsider<B: Backend>(
    tx: &mut Transaction<B>,
    key: &IssueKey,
    automatic: bool,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    let history = "INSERT INTO refusals (issue, content_hash, kind, refused_by, refused_at, why)
        SELECT i.key, i.content_hash, 'withdrawn', $2, $3, $4 FROM issues i
        WHERE i.key = $1 AND EXISTS (SELECT 1 FROM approvals a WHERE a.issue = i.key AND a.content_hash = i.content_hash
            AND a.withdrawn_at IS NULL)
        ON CONFLICT DO NOTHING";
    tx.execute(history, values![key, by, now, why]).await?;
    let withdraw = "UPDATE approvals SET withdrawn_at = $2 WHERE issue = $1 AND withdrawn_at IS NULL";
    tx.execute(withdraw, values![key, now]).await?;
    let state = concat!("UPDATE issues SET state = CASE ", unapproved!("$2"), " WHERE key = $1 AND state = 'approved'");
    tx.execute(state, values![key, i64::from(automatic)]).await?;
    try_now(tx, key, now).await
}
