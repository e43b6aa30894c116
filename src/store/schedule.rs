//! Up to when each schedule was evaluated, and what was decided about each due instant.

use super::Ledger;
use super::{
    Cursor, Occurrence, Result, Skip,
    backend::{Backend, Transaction, values},
    rows,
};
use crate::domain::{Timestamp, issue::IssueKey};
use async_trait::async_trait;

/// Cursors and occurrences (S1 to S10).
#[async_trait]
pub trait Schedule: Send + Sync {
    /// The mailing's cursor; set to `now` if it is new. A changed schedule is stored and moves the cursor to `now`
    /// (S6: an edit never fires for the past).
    async fn cursor(&self, mailing: &str, schedule: &str, now: Timestamp) -> Result<Cursor>;

    /// S4: inserts missing rows and moves the cursor forward, in one transaction. S5: never backward.
    async fn record_occurrences(&self, mailing: &str, occurrences: &[Occurrence], cursor: Timestamp) -> Result<()>;

    /// Pending occurrences whose `next_try` has come, oldest first.
    async fn due_occurrences(&self, now: Timestamp) -> Result<Vec<Occurrence>>;

    /// Stores the outcome; only a `pending` one changes. `next_try` matters for `Pending`.
    async fn settle_occurrence(&self, occurrence: &Occurrence) -> Result<bool>;

    /// A coming issue is not to leave. `false`: somebody said so before.
    async fn skip(&self, skip: &Skip) -> Result<bool>;

    /// It may leave after all. `false`: nobody had said otherwise.
    async fn unskip(&self, issue: &IssueKey) -> Result<bool>;

    async fn skips(&self) -> Result<Vec<Skip>>;

    /// Newest first.
    async fn occurrences(&self, mailing: Option<&str>, limit: u32) -> Result<Vec<Occurrence>>;
}

#[async_trait]
impl<B: Backend> Schedule for Ledger<B> {
    async fn cursor(&self, mailing: &str, schedule: &str, now: Timestamp) -> Result<Cursor> {
        let mut tx = Transaction::write(&self.0, "reading a mailing's cursor").await?;
        // S6: an edited schedule counts from the edit. S5: never backward, whatever the clock says.
        let upsert = "INSERT INTO mailings (mailing, schedule, cursor) VALUES ($1, $2, $3)
            ON CONFLICT (mailing) DO UPDATE SET schedule = excluded.schedule,
                cursor = CASE WHEN mailings.cursor < excluded.cursor THEN excluded.cursor ELSE mailings.cursor END
            WHERE mailings.schedule <> excluded.schedule";
        tx.execute(upsert, values![mailing, schedule, now]).await?;
        let select = "SELECT mailing, schedule, cursor FROM mailings WHERE mailing = $1";
        let row = tx.row(select, values![mailing]).await?;
        tx.commit().await?;
        match row {
            Some(row) => rows::cursor(&row),
            // Impossible: it was written earlier in this transaction.
            None => Err(super::StoreError::Row {
                table: "mailings",
                column: "mailing",
                row: mailing.to_owned(),
                why: "gone".to_owned(),
            }),
        }
    }

    async fn record_occurrences(&self, mailing: &str, occurrences: &[Occurrence], cursor: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "recording occurrences").await?;
        let insert = "INSERT INTO occurrences (mailing, scheduled_for, local, state, reason, issue, next_try)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mailing, scheduled_for) DO NOTHING";
        for it in occurrences {
            let values = values![
                mailing,
                it.scheduled_for,
                it.local.as_str(),
                it.state.as_str(),
                it.reason.as_deref(),
                it.issue.as_ref(),
                it.next_try
            ];
            tx.execute(insert, values).await?;
        }
        // S5: a clock that is set back fires nothing again.
        let forward = "UPDATE mailings SET cursor = $2 WHERE mailing = $1 AND cursor < $2";
        tx.execute(forward, values![mailing, cursor]).await?;
        tx.commit().await
    }

    async fn due_occurrences(&self, now: Timestamp) -> Result<Vec<Occurrence>> {
        let mut tx = Transaction::read(&self.0, "reading due occurrences").await?;
        let select = "SELECT mailing, scheduled_for, local, state, reason, issue, next_try FROM occurrences
            WHERE state = 'pending' AND next_try <= $1 ORDER BY scheduled_for, mailing";
        tx.rows(select, values![now]).await?.iter().map(rows::occurrence).collect()
    }

    async fn settle_occurrence(&self, occurrence: &Occurrence) -> Result<bool> {
        settle(&self.0, occurrence).await
    }

    async fn skip(&self, skip: &Skip) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "skipping an issue").await?;
        let insert = "INSERT INTO skips (issue, why, skipped_by, skipped_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (issue) DO NOTHING";
        let values = values![&skip.issue, skip.why.as_str(), skip.by.as_str(), skip.at];
        if tx.execute(insert, values).await? == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn unskip(&self, issue: &IssueKey) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "taking a skip back").await?;
        if tx.execute("DELETE FROM skips WHERE issue = $1", values![issue]).await? == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn skips(&self) -> Result<Vec<Skip>> {
        let mut tx = Transaction::read(&self.0, "reading skipped issues").await?;
        let select = "SELECT issue, why, skipped_by, skipped_at FROM skips ORDER BY skipped_at, issue";
        let skip = |row| {
            let row = rows::Reader::new(row, "skips", "issue");
            let (why, by) = (row.text("why")?, row.text("skipped_by")?);
            Ok(Skip { issue: row.issue_key("issue")?, why, by, at: row.instant("skipped_at")? })
        };
        tx.rows(select, values![]).await?.iter().map(skip).collect()
    }

    async fn occurrences(&self, mailing: Option<&str>, limit: u32) -> Result<Vec<Occurrence>> {
        let mut tx = Transaction::read(&self.0, "reading occurrences").await?;
        let select = "SELECT mailing, scheduled_for, local, state, reason, issue, next_try FROM occurrences
            WHERE $1 IS NULL OR mailing = $1 ORDER BY scheduled_for DESC, mailing LIMIT $2";
        tx.rows(select, values![mailing, limit]).await?.iter().map(rows::occurrence).collect()
    }
}

pub(super) async fn settle<B: Backend>(db: &B, it: &Occurrence) -> Result<bool> {
    let mut tx = Transaction::write(db, "settling an occurrence").await?;
    let update = "UPDATE occurrences SET state = $3, reason = $4, issue = $5, next_try = $6
        WHERE mailing = $1 AND scheduled_for = $2 AND state = 'pending'";
    let values = values![
        it.mailing.as_str(),
        it.scheduled_for,
        it.state.as_str(),
        it.reason.as_deref(),
        it.issue.as_ref(),
        it.next_try
    ];
    let settled = tx.execute(update, values).await? == 1;
    tx.commit().await?;
    Ok(settled)
}
