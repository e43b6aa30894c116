//! How many deliveries of an issue are in each state. The sums are maintained by triggers in the transaction that moves the
//! deliveries. Only the claims are counted, since they are few. This file initialises, reads and checks the sums against the
//! rows (I1).

use super::{
    Miscounted, Result,
    backend::{Backend, Transaction, values},
    rows,
};
use crate::domain::{
    Timestamp,
    issue::{Counts, IssueKey},
};
use std::collections::{BTreeMap, HashMap};

/// A row per issue, with a column for each stored state, and its claims, with and without a marker. The casts are for
/// Postgres, whose sums of BIGINT are NUMERIC.
macro_rules! sums {
    ($n:literal, $from:literal) => {
        sums!(@ $n, $from, "queued" "sent" "failed" "unknown" "suppressed" "expired" "cancelled")
    };
    (@ $n:literal, $from:literal, $($state:literal)*) => {
        concat!(
            "SELECT t.*, coalesce(u.claimed, 0) AS claimed, coalesce(u.in_data, 0) AS in_data FROM (
                SELECT issue",
            $(", CAST(coalesce(sum(", $n, ") FILTER (WHERE state = '", $state, "'), 0) AS BIGINT) AS ", $state,)*
            " FROM ", $from, " GROUP BY issue
            ) AS t LEFT JOIN (
                SELECT issue, count(*) AS claimed, count(marked_at) AS in_data FROM claims GROUP BY issue
            ) AS u ON u.issue = t.issue"
        )
    };
}

/// Once, when the issue is frozen: its rows are counted, and from then on triggers maintain the sums.
pub(super) async fn keep<B: Backend>(tx: &mut Transaction<B>, issue: &IssueKey, now: Timestamp) -> Result<()> {
    let count = "INSERT INTO tallies (issue, keeper, state, n)
        SELECT issue, 0, state, count(*) FROM deliveries
        WHERE issue = $1 AND state IN ('queued', 'suppressed') AND changed_at = $2 GROUP BY issue, state";
    tx.execute(count, values![issue, now]).await?;
    Ok(())
}

pub(super) async fn of<B: Backend>(tx: &mut Transaction<B>, issue: &IssueKey) -> Result<Counts> {
    let row = tx.row(sums!("n", "tallies WHERE issue = $1"), values![issue]).await?;
    row.map_or(Ok(Counts::default()), |row| Ok(rows::counts(&row)?.1))
}

pub(super) async fn all<B: Backend>(tx: &mut Transaction<B>) -> Result<HashMap<IssueKey, Counts>> {
    tx.rows(sums!("n", "tallies"), values![]).await?.iter().map(rows::counts).collect()
}

pub(super) async fn miscounted<B: Backend>(db: &B) -> Result<Vec<Miscounted>> {
    let mut tx = Transaction::read(db, "counting all deliveries").await?;
    let mut kept = all(&mut tx).await?;
    let rows = tx.rows(sums!("1", "deliveries"), values![]).await?;
    let mut counted = rows.iter().map(rows::counts).collect::<Result<BTreeMap<_, _>>>()?;
    for issue in kept.keys() {
        counted.entry(issue.clone()).or_default();
    }
    let both = counted.into_iter().map(|(issue, counted)| {
        let kept = kept.remove(&issue).unwrap_or_default();
        Miscounted { issue, kept, counted }
    });
    Ok(both.filter(|it| it.kept != it.counted).collect())
}
