//! Markers and results (T3 to T8): what every message costs, twice, so the one place where each database has its own words
//! for the same step (docs/adr/0007, 0009).
//!
//! What is usual is one short text: claims become marked, what was marked ends, and its attempt is written. What is not, and
//! may cost more, is looked for afterwards: a late answer to what was given up, a claim that meets an opt-out.
//! What either text means is proved by the same tests.

use super::{
    DATA_LEASE, Result, Settled, StoreError,
    backend::{Backend, Transaction, values},
    partners,
    rows::Reader,
    sql::suppressed,
};
use crate::domain::{
    Timestamp,
    delivery::{Claim, Finished, Marked, Outcome, Phase},
    partner::SuppressionReason,
};
use serde::Serialize;
use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

// T3 and T4 go from a claim, by its owner; T6, T7 and T8 from a claim with a marker, whoever says it: there the attempt number
// is the fence. T5's guard is the whole fence: a zombie fails on owner, attempt or lease, a stopped issue on its state.

/// The guard of an end.
macro_rules! sqlite_ends {
    ($d:literal) => {
        concat!(
            $d,
            "attempt = batch.value->>'attempt' AND ",
            $d,
            "state = 'claimed' AND (",
            $d,
            "marked_at IS NOT NULL OR ",
            $d,
            "owner = batch.value->>'owner' AND batch.value->>'state' IN ('failed', 'queued'))"
        )
    };
}

/// `?` batch of [`End`]: the attempts of what will move, while it can be seen that it will.
pub(super) const SQLITE_NOTE: &str = concat!(
    "INSERT INTO attempts (delivery, n, source, at, phase, code, enhanced, text, outcome)
    SELECT d.id, d.attempt, 'relay', batch.value->>'at', batch.value->>'phase', batch.value->>'code',
        batch.value->>'enhanced', batch.value->>'text', batch.value->>'outcome'
    FROM jsonb_each(?) AS batch CROSS JOIN deliveries d WHERE d.id = batch.value->>'id' AND ",
    sqlite_ends!("d.")
);

/// `?` batch of [`End`]
pub(super) const SQLITE_END: &str = concat!(
    "UPDATE deliveries SET
        state = batch.value->>'state', next_at = batch.value->>'next_at', owner = NULL, lease_until = NULL,
        marked_at = NULL, deferrals = deferrals + (batch.value->>'deferred'), changed_at = batch.value->>'at'
    FROM jsonb_each(?) AS batch WHERE deliveries.id = batch.value->>'id' AND ",
    sqlite_ends!("")
);

/// `?` batch of [`Mark`]
pub(super) const SQLITE_MARK: &str = concat!(
    "UPDATE deliveries SET marked_at = batch.value->>'now', lease_until = batch.value->>'lease'
    FROM jsonb_each(?) AS batch
    WHERE deliveries.id = batch.value->>'id' AND attempt = batch.value->>'attempt' AND state = 'claimed'
        AND marked_at IS NULL AND owner = batch.value->>'owner' AND lease_until > batch.value->>'now'
        AND EXISTS (SELECT 1 FROM issues i WHERE i.key = deliveries.issue AND i.state = 'sending'
            AND i.expires_at > batch.value->>'now' AND NOT ",
    suppressed!("deliveries.address_hash", "i.mailing"),
    ")"
);

/// Behind [`SQLITE_END`] and [`SQLITE_MARK`]: what moved. Only a marker leaves a delivery with one.
pub(super) const SQLITE_MOVED: &str =
    " RETURNING CASE WHEN marked_at IS NULL THEN 'end' ELSE 'marker' END AS step, deliveries.id, address_hash";

/// The arguments are those of [`postgres_call`]. Its plan is kept, whatever the tables were when it was made: each row is looked
/// up by its key, and the state is hidden from the indexes that know it too. A row that another transaction holds is waited for,
/// and its guard asked again.
pub(super) const POSTGRES_SETTLE: &str = concat!(
    "PREPARE settle (text[], bigint[], text[], text[], bigint[], bigint[], bigint[], text[], bigint[], text[], text[], text[],
        text[], bigint[], text[], bigint, bigint) AS
    WITH ended AS (
        UPDATE deliveries d SET state = it.to_state, next_at = it.next_at, owner = NULL, lease_until = NULL,
            marked_at = NULL, deferrals = d.deferrals + it.deferred, changed_at = it.at
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS it (id, attempt, owner, to_state, next_at, deferred,
            at, phase, code, enhanced, text, outcome)
        WHERE d.id = it.id AND d.attempt = it.attempt AND (d.state || '') = 'claimed'
            AND (d.marked_at IS NOT NULL OR d.owner = it.owner AND it.to_state IN ('failed', 'queued'))
        RETURNING d.id, d.address_hash, it.attempt, it.at, it.phase, it.code, it.enhanced, it.text, it.outcome
    ), noted AS (
        INSERT INTO attempts (delivery, n, source, at, phase, code, enhanced, text, outcome)
        SELECT id, attempt, 'relay', at, phase, code, enhanced, text, outcome FROM ended
    ), marked AS (
        UPDATE deliveries d SET marked_at = $16, lease_until = $17
        FROM unnest($13, $14, $15) AS it (id, attempt, owner)
        WHERE d.id = it.id AND d.attempt = it.attempt AND (d.state || '') = 'claimed' AND d.marked_at IS NULL
            AND d.owner = it.owner AND d.lease_until > $16
            AND (SELECT i.state = 'sending' AND i.expires_at > $16 AND NOT ",
    suppressed!("d.address_hash", "i.mailing"),
    " FROM issues i WHERE i.key = d.issue)
        RETURNING d.id
    )
    SELECT 'end' AS step, id, address_hash FROM ended UNION ALL SELECT 'marker', id, '' FROM marked"
);

/// What [`POSTGRES_SETTLE`] prepared, for these: a column an array. The values are quoted, twice: for the array and for the text
/// it stands in.
pub(super) fn postgres_call(batches: &Batches<'_>) -> String {
    let Batches { ends, marks, now, lease } = batches;
    let mut call = "EXECUTE settle(".to_owned();
    texts(&mut call, ends, |it| Some(it.id));
    numbers(&mut call, ends, |it| Some(it.attempt.into()));
    texts(&mut call, ends, |it| Some(it.owner));
    texts(&mut call, ends, |it| Some(it.state));
    numbers(&mut call, ends, |it| it.next_at);
    numbers(&mut call, ends, |it| Some(it.deferred.into()));
    numbers(&mut call, ends, |it| Some(it.at));
    texts(&mut call, ends, |it| Some(it.phase.as_str()));
    numbers(&mut call, ends, |it| it.code.map(i64::from));
    texts(&mut call, ends, |it| it.enhanced);
    texts(&mut call, ends, |it| Some(it.text));
    texts(&mut call, ends, |it| Some(it.outcome));
    texts(&mut call, marks, |it| Some(it.id));
    numbers(&mut call, marks, |it| Some(it.attempt.into()));
    texts(&mut call, marks, |it| Some(it.owner));
    // Writing into a String does not fail.
    let _ = write!(call, "{now}, {lease})");
    call
}

fn texts<T>(call: &mut String, rows: &[T], column: impl Fn(&T) -> Option<&str>) {
    array(call, rows, |call, row| match column(row) {
        None => call.push_str("NULL"),
        Some(text) => {
            call.push('"');
            for c in text.chars() {
                match c {
                    '"' | '\\' => call.extend(['\\', c]),
                    '\'' => call.push_str("''"),
                    c => call.push(c),
                }
            }
            call.push('"');
        }
    });
}

fn numbers<T>(call: &mut String, rows: &[T], column: impl Fn(&T) -> Option<i64>) {
    array(call, rows, |call, row| match column(row) {
        None => call.push_str("NULL"),
        Some(number) => drop(write!(call, "{number}")),
    });
}

fn array<T>(call: &mut String, rows: &[T], mut value: impl FnMut(&mut String, &T)) {
    call.push_str("'{");
    for (n, row) in rows.iter().enumerate() {
        if n > 0 {
            call.push(',');
        }
        value(call, row);
    }
    call.push_str("}', ");
}

const DOING: &str = "settling deliveries";

/// T5 for the claims and the end of what is finished, in one transaction; what is unusual in it in one more.
pub(super) async fn settle<B: Backend>(
    db: &B,
    finished: &[Finished],
    claims: &[Claim],
    now: Timestamp,
) -> Result<Settled> {
    if finished.is_empty() && claims.is_empty() {
        return Ok(Settled::default());
    }
    let batches = Batches::of(finished, claims, now);
    let bounces = finished.iter().any(suppresses);
    let (rows, tx) = if bounces {
        let mut tx = Transaction::settle(db, DOING, true).await?;
        (Some(tx.settled(&batches).await?), Some(tx))
    } else {
        (Transaction::settle_at_once(db, DOING, &batches).await?, None)
    };
    let Some(rows) = rows else {
        return Ok(Settled { moved: vec![true; finished.len()], marked: vec![Marked::InData; claims.len()] });
    };
    let mut seen = Seen::default();
    for row in rows {
        let row = Reader::new(&row, "deliveries", "id");
        let id = row.text("id")?;
        match row.text("step")?.as_str() {
            "end" => drop(seen.moved.insert(id, row.text("address_hash")?)),
            _ => drop(seen.marked.insert(id)),
        }
    }
    let complete = seen.moved.len() == finished.len() && seen.marked.len() == claims.len();
    let mut tx = match tx {
        None if !complete => Some(Transaction::settle(db, DOING, false).await?),
        tx => tx,
    };
    if let Some(tx) = &mut tx
        && !complete
    {
        look_again(tx, &batches, &mut seen, now).await?;
    }
    if let Some(mut tx) = tx {
        for it in finished.iter().filter(|it| suppresses(it)) {
            if let Some(hash) = seen.moved.get(&it.claim.id.0) {
                partners::suppress_within(&mut tx, hash, None, SuppressionReason::Bounce, it.at).await?;
            }
        }
        tx.commit().await?;
    }
    let marked = |claim: &Claim| match (seen.marked.contains(&claim.id.0), seen.suppressed.contains(&claim.id.0)) {
        (true, _) => Marked::InData,
        (false, true) => Marked::Suppressed,
        (false, false) => Marked::Lost,
    };
    Ok(Settled {
        moved: finished.iter().map(|it| seen.moved.contains_key(&it.claim.id.0)).collect(),
        marked: claims.iter().map(marked).collect(),
    })
}

fn suppresses(it: &Finished) -> bool {
    matches!(it.outcome, Outcome::Refused { suppress: true })
}

/// What was done, by id.
#[derive(Default)]
struct Seen {
    /// With the hash of its address.
    moved: HashMap<String, String>,
    marked: HashSet<String>,
    suppressed: HashSet<String>,
}

/// What the usual statements left as it was.
async fn look_again<B: Backend>(
    tx: &mut Transaction<B>,
    batches: &Batches<'_>,
    seen: &mut Seen,
    now: Timestamp,
) -> Result<()> {
    let failed = |source| StoreError::Database { doing: DOING, source };
    let late: Vec<_> = batches.ends.iter().filter(|it| !seen.moved.contains_key(it.id)).collect();
    if let Some(late) = json(&late).map_err(failed)? {
        for row in tx.rows(B::SQL.finish_late, values![late.as_str()]).await? {
            let row = Reader::new(&row, "deliveries", "id");
            seen.moved.insert(row.text("id")?, row.text("address_hash")?);
        }
        tx.execute(B::SQL.note_late, values![late]).await?;
    }
    let lost: Vec<_> = batches.marks.iter().filter(|it| !seen.marked.contains(it.id)).collect();
    if let Some(lost) = json(&lost).map_err(failed)? {
        for row in tx.rows(B::SQL.suppress_claims, values![lost, now]).await? {
            seen.suppressed.insert(Reader::new(&row, "deliveries", "id").text("id")?);
        }
    }
    Ok(())
}

/// A batch as a value of a statement; `None` of nothing.
pub(super) fn json(rows: &[impl Serialize]) -> sqlx::Result<Option<String>> {
    (!rows.is_empty()).then(|| serde_json::to_string(rows)).transpose().map_err(|e| sqlx::Error::Encode(e.into()))
}

/// What a settling transaction writes.
pub(super) struct Batches<'a> {
    pub(super) ends: Vec<End<'a>>,
    pub(super) marks: Vec<Mark<'a>>,
    now: i64,
    /// End of the lease of what is marked.
    lease: i64,
}

impl<'a> Batches<'a> {
    fn of(finished: &'a [Finished], claims: &'a [Claim], now: Timestamp) -> Self {
        Self {
            ends: finished.iter().map(End::of).collect(),
            marks: claims.iter().map(|claim| Mark::of(claim, now)).collect(),
            now: now.timestamp_millis(),
            lease: (now + DATA_LEASE).timestamp_millis(),
        }
    }
}

/// A marker's row of a batch.
#[derive(Serialize)]
pub(super) struct Mark<'a> {
    id: &'a str,
    attempt: u32,
    owner: &'a str,
    now: i64,
    lease: i64,
}

impl<'a> Mark<'a> {
    fn of(claim: &'a Claim, now: Timestamp) -> Self {
        let lease = (now + DATA_LEASE).timestamp_millis();
        Self { id: &claim.id.0, attempt: claim.attempt, owner: &claim.owner, now: now.timestamp_millis(), lease }
    }
}

/// A result's row of a batch: what becomes of the delivery, and of its attempt.
#[derive(Serialize)]
pub(super) struct End<'a> {
    id: &'a str,
    attempt: u32,
    owner: &'a str,
    state: &'static str,
    next_at: Option<i64>,
    deferred: u8,
    at: i64,
    phase: Phase,
    code: Option<u16>,
    enhanced: Option<&'a str>,
    text: &'a str,
    outcome: &'static str,
}

impl<'a> End<'a> {
    fn of(finished: &'a Finished) -> Self {
        let Finished { claim, phase, reply, outcome, at } = finished;
        let next_at = match outcome {
            Outcome::Deferred { next_at } | Outcome::Ours { next_at } => Some(next_at.timestamp_millis()),
            Outcome::Accepted | Outcome::Refused { .. } | Outcome::Unknown => None,
        };
        Self {
            id: &claim.id.0,
            attempt: claim.attempt,
            owner: &claim.owner,
            state: outcome.state().as_str(),
            next_at,
            deferred: u8::from(matches!(outcome, Outcome::Deferred { .. })),
            at: at.timestamp_millis(),
            phase: *phase,
            code: reply.code,
            enhanced: reply.enhanced.as_deref(),
            text: &reply.text,
            outcome: outcome.as_str(),
        }
    }
}
