//! Totals for metrics, from tallies and issues. Never scans the deliveries, of which there may be millions.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::{Timestamp, delivery::State, issue::IssueState};
use async_trait::async_trait;

/// Totals of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// By mailing and state, without zeros.
    pub deliveries: Vec<(String, State, u64)>,
    pub issues: Vec<(String, IssueState, u64)>,
    /// When the last issue with a sent delivery was closed, by mailing.
    pub last_success: Vec<(String, Timestamp)>,
    /// The hour of the last missed occurrence, by mailing.
    pub last_missed: Vec<(String, Timestamp)>,
    /// When the oldest issue with queued deliveries was frozen.
    pub oldest_queued: Option<Timestamp>,
}

/// Totals of the ledger.
#[async_trait]
pub trait FigureSource: Send + Sync {
    /// All totals, in one transaction.
    async fn figures(&self) -> Result<Figures>;
}

/// Claimed deliveries are stored as queued; they are counted as claimed or in_data.
const DELIVERIES: &str = "SELECT mailing, state, CAST(sum(n) AS BIGINT) AS n FROM (
        SELECT i.mailing, t.state, t.n FROM tallies t JOIN issues i ON i.key = t.issue
        UNION ALL
        SELECT i.mailing, 'queued', -1 FROM claims c JOIN issues i ON i.key = c.issue
        UNION ALL
        SELECT i.mailing, CASE WHEN c.marked_at IS NULL THEN 'claimed' ELSE 'in_data' END, 1
        FROM claims c JOIN issues i ON i.key = c.issue
    ) AS moves GROUP BY mailing, state ORDER BY mailing, state";

const ISSUES: &str = "SELECT mailing, state, count(*) AS n FROM issues GROUP BY mailing, state ORDER BY mailing, state";

const LAST_SUCCESS: &str = "SELECT mailing, max(closed_at) AS at FROM issues
    WHERE closed_at IS NOT NULL
        AND (SELECT sum(t.n) FROM tallies t WHERE t.issue = issues.key AND t.state = 'sent') > 0
    GROUP BY mailing ORDER BY mailing";

const LAST_MISSED: &str = "SELECT mailing, max(scheduled_for) AS at FROM occurrences WHERE state = 'missed'
    GROUP BY mailing ORDER BY mailing";

const OLDEST_QUEUED: &str = "SELECT min(frozen_at) AS at FROM issues
    WHERE state = 'sending' AND (SELECT sum(t.n) FROM tallies t WHERE t.issue = issues.key AND t.state = 'queued') > 0";

#[async_trait]
impl<B: Backend> FigureSource for Ledger<B> {
    async fn figures(&self) -> Result<Figures> {
        let mut tx = Transaction::read(&self.0, "summing up for metrics").await?;
        let mut figures = Figures::default();
        for row in tx.rows(DELIVERIES, values![]).await? {
            let row = Reader::new(&row, "tallies", "mailing");
            let n: i64 = row.number("n")?;
            let state = row.word("state", &State::ALL, State::as_str)?;
            figures.deliveries.push((row.text("mailing")?, state, u64::try_from(n).unwrap_or_default()));
        }
        for row in tx.rows(ISSUES, values![]).await? {
            let row = Reader::new(&row, "issues", "mailing");
            let state = row.word("state", &IssueState::ALL, IssueState::as_str)?;
            figures.issues.push((row.text("mailing")?, state, row.number("n")?));
        }
        let instants = |rows: Vec<super::backend::Row>| {
            let read = |row| {
                let row = Reader::new(row, "issues", "mailing");
                Ok((row.text("mailing")?, row.instant("at")?))
            };
            rows.iter().map(read).collect::<Result<Vec<_>>>()
        };
        figures.last_success = instants(tx.rows(LAST_SUCCESS, values![]).await?)?;
        figures.last_missed = instants(tx.rows(LAST_MISSED, values![]).await?)?;
        if let Some(row) = tx.row(OLDEST_QUEUED, values![]).await? {
            figures.oldest_queued = Reader::new(&row, "issues", "at").optional_instant("at")?;
        }
        Ok(figures)
    }
}
