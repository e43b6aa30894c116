//! How many deliveries of an issue are in each state. The sums are kept, not counted: a trigger of the database moves them
//! in the transaction that moves the deliveries, so nobody can forget to. Only how many of the claims are past their marker
//! is counted: they are few. Here the sums are begun, read, and held against the rows (I1).

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

/// A column for each state as it is stored, an issue a row, and how many of the claims have a marker. The casts are for
/// Postgres, whose sums of BIGINT are NUMERIC.
macro_rules! sums {
    ($n:literal, $from:literal) => {
        sums!(@ $n, $from, "queued" "claimed" "sent" "failed" "unknown" "suppressed" "expired" "cancelled")
    };
    (@ $n:literal, $from:literal, $($state:literal)*) => {
        concat!(
            "SELECT issue",
            $(", CAST(coalesce(sum(", $n, ") FILTER (WHERE state = '", $state, "'), 0) AS BIGINT) AS ", $state,)*
            ", (SELECT count(*) FROM deliveries d
                WHERE d.issue = t.issue AND d.state = 'claimed' AND d.marked_at IS NOT NULL) AS in_data
            FROM ", $from, " GROUP BY issue"
        )
    };
}

/// Once, when the issue is frozen: its rows are counted, and from here on the sums follow their moves.
pub(super) async fn keep<B: Backend>(tx: &mut Transaction<B>, issue: &IssueKey, now: Timestamp) -> Result<()> {
    let count = "INSERT INTO tallies (issue, keeper, state, n)
        SELECT issue, 0, state, count(*) FROM deliveries
        WHERE issue = $1 AND state IN ('queued', 'suppressed') AND changed_at = $2 GROUP BY issue, state";
    tx.execute(count, values![issue, now]).await?;
    Ok(())
}

pub(super) async fn of<B: Backend>(tx: &mut Transaction<B>, issue: &IssueKey) -> Result<Counts> {
    let row = tx.row(sums!("n", "tallies t WHERE issue = $1"), values![issue]).await?;
    row.map_or(Ok(Counts::default()), |row| Ok(rows::counts(&row)?.1))
}

pub(super) async fn all<B: Backend>(tx: &mut Transaction<B>) -> Result<HashMap<IssueKey, Counts>> {
    tx.rows(sums!("n", "tallies t"), values![]).await?.iter().map(rows::counts).collect()
}

pub(super) async fn miscounted<B: Backend>(db: &B) -> Result<Vec<Miscounted>> {
    let mut tx = Transaction::read(db, "counting all deliveries").await?;
    let mut kept = all(&mut tx).await?;
    let rows = tx.rows(sums!("1", "deliveries t"), values![]).await?;
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
