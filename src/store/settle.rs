//! Markers and results (T3 to T8): what every message costs, twice, so the one place where each database has its own words
//! for the same step (docs/adr/0007).
//!
//! SQLite is asked for one change after the other, in one text. Postgres is given one statement that changes the deliveries
//! of both kinds at once: each visit to a row, each batch that is read and each firing of the tallies' trigger costs as much
//! as the change itself. What either means is proved by the same tests.

use super::{
    DATA_LEASE, Result, Settled, StoreError,
    backend::{Backend, Batches, Transaction, values},
    partners, rows,
    rows::Reader,
    sql::suppressed,
};
use crate::domain::{
    Timestamp,
    delivery::{Claim, Finished, Marked, Outcome, Phase, State},
    partner::SuppressionReason,
};
use serde::Serialize;
use std::collections::HashMap;

// T3 and T4 go from `claimed`, by its owner; T6, T7 and T8 from `in_data`; what comes late, from `unknown`, which nobody
// owns: there the attempt number alone is the fence. T5's guard is the whole fence: a zombie fails on owner, attempt or
// lease, a stopped issue on its state.

/// The ends, with one value each time: batch of [`End`]. The deliveries, then the relay's words; these also where the
/// delivery did not move: they are kept, whoever decided first.
pub(super) const SQLITE_FINISH: [&str; 2] = [
    "WITH picked AS MATERIALIZED (
        SELECT d.id AS picked_id, batch.value->>'state' AS to_state, batch.value->>'next_at' AS to_next_at,
            batch.value->>'deferred' AS deferred, batch.value->>'at' AS finished_at
        FROM jsonb_each(?) AS batch
        JOIN deliveries d ON d.id = batch.value->>'id'
        WHERE d.attempt = batch.value->>'attempt'
            AND (
                (d.state = 'claimed' AND d.owner = batch.value->>'owner' AND batch.value->>'state' IN ('failed', 'queued'))
                OR d.state = 'in_data'
                OR (d.state = 'unknown' AND batch.value->>'state' <> 'unknown')
            )
    )
    UPDATE deliveries SET
        state = to_state, next_at = to_next_at, owner = NULL, lease_until = NULL,
        deferrals = deferrals + deferred, changed_at = finished_at
    FROM picked WHERE id = picked_id
    RETURNING 'end' AS step, id, state, address_hash",
    "UPDATE attempts SET
        at = batch.value->>'at', phase = batch.value->>'phase', code = batch.value->>'code',
        enhanced = batch.value->>'enhanced', text = batch.value->>'text', outcome = batch.value->>'outcome'
    FROM jsonb_each(?) AS batch
    WHERE delivery = batch.value->>'id' AND n = batch.value->>'attempt' AND source = 'relay'
        AND outcome IN ('in_flight', 'unknown')",
];

/// The markers, with one value each time: batch of [`Mark`]. The deliveries, then the attempts of what is marked now, by this
/// very attempt; one that was marked before has its attempt since then.
pub(super) const SQLITE_MARK: [&str; 2] = [
    concat!(
        "WITH picked AS MATERIALIZED (
            SELECT d.id AS picked_id, batch.value->>'now' AS marked_at, batch.value->>'lease' AS leased_until, ",
        suppressed!("d.address_hash", "i.mailing"),
        " AS stop
            FROM jsonb_each(?) AS batch
            JOIN deliveries d ON d.id = batch.value->>'id'
            JOIN issues i ON i.key = d.issue
            WHERE d.state = 'claimed' AND d.owner = batch.value->>'owner' AND d.attempt = batch.value->>'attempt'
                AND d.lease_until > batch.value->>'now' AND i.state = 'sending' AND i.expires_at > batch.value->>'now'
        )
        UPDATE deliveries SET
            state = CASE WHEN stop THEN 'suppressed' ELSE 'in_data' END,
            owner = CASE WHEN stop THEN NULL ELSE owner END,
            lease_until = CASE WHEN stop THEN NULL ELSE leased_until END,
            changed_at = marked_at
        FROM picked WHERE id = picked_id
        RETURNING 'marker' AS step, id, state, address_hash"
    ),
    "INSERT INTO attempts (delivery, n, source, at, phase, outcome)
    SELECT d.id, d.attempt, 'relay', d.changed_at, 'data', 'in_flight'
    FROM jsonb_each(?) AS batch JOIN deliveries d ON d.id = batch.value->>'id'
        AND d.owner = batch.value->>'owner' AND d.attempt = batch.value->>'attempt'
    WHERE d.state = 'in_data'
    ON CONFLICT (delivery, n, source) DO NOTHING",
];

/// `$1` batch of [`End`], `$2` batch of [`Mark`]. Its plan is kept, whatever the tables were when it was made: the arrays of
/// ids are there to have each row looked up by its key. A row that another transaction holds is waited for, and its guard
/// asked again. OFFSET 0: the suppressions are looked at once, not for each column.
pub(super) const POSTGRES_SETTLE: &str = concat!(
    "WITH ending AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS it (id TEXT, attempt BIGINT, owner TEXT, state TEXT,
            next_at BIGINT, deferred BIGINT, at BIGINT, phase TEXT, code BIGINT, enhanced TEXT, text TEXT, outcome TEXT)
    ), marking AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST($2 AS jsonb)) AS it (id TEXT, attempt BIGINT, owner TEXT, now BIGINT,
            lease BIGINT)
    ), step AS (
        SELECT 'end' AS kind, id, attempt, owner, state AS to_state, next_at, deferred, at, CAST(NULL AS BIGINT) AS lease
        FROM ending
        UNION ALL SELECT 'marker', id, attempt, owner, 'in_data', NULL, 0, now, lease FROM marking
    ), changed AS (
        UPDATE deliveries d SET
            (state, owner, lease_until) = (
                SELECT CASE WHEN stop THEN 'suppressed' ELSE step.to_state END,
                    CASE WHEN step.kind = 'marker' AND NOT stop THEN d.owner END, CASE WHEN NOT stop THEN step.lease END
                FROM (SELECT step.kind = 'marker' AND EXISTS (SELECT 1 FROM issues i WHERE i.key = d.issue AND ",
    suppressed!("d.address_hash", "i.mailing"),
    ") AS stop OFFSET 0) AS it
            ),
            next_at = step.next_at, deferrals = d.deferrals + step.deferred, changed_at = step.at
        FROM step
        WHERE d.id = ANY (ARRAY(SELECT id FROM ending UNION ALL SELECT id FROM marking))
            AND d.id = step.id AND d.attempt = step.attempt
            AND CASE step.kind
                WHEN 'end' THEN d.state = 'in_data'
                    OR (d.state = 'claimed' AND d.owner = step.owner AND step.to_state IN ('failed', 'queued'))
                    OR (d.state = 'unknown' AND step.to_state <> 'unknown')
                ELSE d.state = 'claimed' AND d.owner = step.owner AND d.lease_until > step.at
                    AND EXISTS (SELECT 1 FROM issues i
                        WHERE i.key = d.issue AND i.state = 'sending' AND i.expires_at > step.at)
                END
        RETURNING step.kind AS step, d.id, d.state, d.address_hash, d.attempt, d.changed_at
    ), marked AS (
        INSERT INTO attempts (delivery, n, source, at, phase, outcome)
        SELECT id, attempt, 'relay', changed_at, 'data', 'in_flight' FROM changed
        WHERE step = 'marker' AND state = 'in_data'
        ON CONFLICT (delivery, n, source) DO NOTHING
    ), ended AS (
        UPDATE attempts a SET at = ending.at, phase = ending.phase, code = ending.code, enhanced = ending.enhanced,
            text = ending.text, outcome = ending.outcome
        FROM ending
        WHERE a.delivery = ANY (ARRAY(SELECT id FROM ending)) AND a.delivery = ending.id AND a.n = ending.attempt
            AND a.source = 'relay' AND a.outcome IN ('in_flight', 'unknown')
    )
    SELECT step, id, state, address_hash FROM changed"
);

const DOING: &str = "settling deliveries";

/// T5 for the claims and the end of what is finished, in one transaction.
pub(super) async fn settle<B: Backend>(
    db: &B,
    finished: &[Finished],
    claims: &[Claim],
    now: Timestamp,
) -> Result<Settled> {
    if finished.is_empty() && claims.is_empty() {
        return Ok(Settled::default());
    }
    let suppresses = |it: &&Finished| matches!(it.outcome, Outcome::Refused { suppress: true });
    // What ended after its marker has its attempt since then.
    let early = |it: &&Finished| it.phase < Phase::Data;
    let batches = Batches {
        ends: batch(finished.iter().map(End::of))?,
        marks: batch(claims.iter().map(|claim| Mark::of(claim, now)))?,
    };
    let bounces = finished.iter().any(|it| suppresses(&it));
    let (rows, more) = if bounces || finished.iter().any(|it| early(&it)) {
        let mut tx = Transaction::settle(db, DOING, bounces).await?;
        (tx.settled(batches).await?, Some(tx))
    } else {
        (Transaction::settle_at_once(db, DOING, batches).await?, None)
    };
    let mut moved = HashMap::with_capacity(finished.len());
    let mut became = HashMap::with_capacity(claims.len());
    for row in rows {
        let state = rows::delivery_state(&row)?;
        let row = Reader::new(&row, "deliveries", "id");
        match row.text("step")?.as_str() {
            "end" => drop(moved.insert(row.text("id")?, row.text("address_hash")?)),
            _ => drop(became.insert(row.text("id")?, state)),
        }
    }
    if let Some(mut tx) = more {
        let early = finished.iter().filter(early).filter(|it| moved.contains_key(&it.claim.id.0));
        if let Some(early) = batch(early.map(End::of))? {
            tx.execute(B::SQL.add_attempts, values![early]).await?;
        }
        for it in finished.iter().filter(suppresses) {
            if let Some(hash) = moved.get(&it.claim.id.0) {
                partners::suppress_within(&mut tx, hash, None, SuppressionReason::Bounce, it.at).await?;
            }
        }
        tx.commit().await?;
    }
    let marked = |claim: &Claim| match became.get(&claim.id.0) {
        Some(State::InData) => Marked::InData,
        Some(_) => Marked::Suppressed,
        None => Marked::Lost,
    };
    Ok(Settled {
        moved: finished.iter().map(|it| moved.contains_key(&it.claim.id.0)).collect(),
        marked: claims.iter().map(marked).collect(),
    })
}

fn batch(rows: impl Iterator<Item = impl Serialize>) -> Result<Option<String>> {
    let rows: Vec<_> = rows.collect();
    let failed = |e: serde_json::Error| StoreError::Database { doing: DOING, source: sqlx::Error::Encode(e.into()) };
    (!rows.is_empty()).then(|| serde_json::to_string(&rows).map_err(failed)).transpose()
}

/// A marker's row of a batch.
#[derive(Serialize)]
struct Mark<'a> {
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
struct End<'a> {
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
