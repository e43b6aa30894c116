//! Markers and results (T3 to T8): executed twice per message, so the only place where each database has its own statements
//! for the same step (docs/adr/0007, 0010).
//!
//! The usual case is one short statement: claims are marked, or end with their delivery moved and its attempt stored.
//! Unusual cases, which may cost more, are handled afterwards: a late reply to a delivery that was given up, a claim that
//! meets an opt-out. The same tests prove both texts.

use super::{
    DATA_LEASE, Result, Settled, StoreError,
    backend::{Backend, Transaction, values},
    deliveries::{self, ids},
    partners,
    rows::Reader,
    sql::{lock_of_opt_outs, suppressed},
};
use crate::domain::{
    Timestamp,
    delivery::{Claim, Finished, Marked, Outcome, Phase},
    partner::SuppressionReason,
};
use serde::Serialize;
use std::{collections::HashSet, fmt::Write};

macro_rules! not_as_asked {
    () => {
        " SELECT RAISE(ABORT, 'not as was asked') WHERE changes() <> 1;
        "
    };
}

// T3 and T4 start from a claim, by its owner; T6, T7 and T8 from a claim with a marker, from any reporter: there the
// attempt number is the fence. T5 checks everything: a zombie fails on owner, attempt or lease, a stopped issue on its
// state.

/// On the writing connection, a step of a delivery is a row inserted into a view. Such a statement is a transaction of
/// its own, so it takes one round trip to the database's thread, and each row is found by its key. If a row is not in the
/// expected state (the guard), the statement fails with [`NOT_AS_ASKED`], and nothing of it is done.
pub(super) const SQLITE_SETTLING: [&str; 3] = [
    "CREATE TEMP VIEW settling AS SELECT NULL AS step, NULL AS it WHERE false",
    concat!(
        "CREATE TEMP TRIGGER settle_end INSTEAD OF INSERT ON settling WHEN NEW.step = 'end'
        BEGIN
            DELETE FROM claims
            WHERE delivery = NEW.it->>'id' AND attempt = NEW.it->>'attempt' AND (marked_at IS NOT NULL
                OR owner = NEW.it->>'owner' AND NEW.it->>'state' IN ('failed', 'queued'));",
        not_as_asked!(),
        "   UPDATE deliveries SET
                state = NEW.it->>'state', next_at = NEW.it->>'next_at', attempt = NEW.it->>'attempt',
                deferrals = deferrals + (NEW.it->>'deferred'), changed_at = NEW.it->>'at'
            WHERE id = NEW.it->>'id';
            INSERT INTO attempts (delivery, n, source, at, phase, code, enhanced, text, outcome)
            VALUES (NEW.it->>'id', NEW.it->>'attempt', 'relay', NEW.it->>'at', NEW.it->>'phase', NEW.it->>'code',
                NEW.it->>'enhanced', NEW.it->>'text', NEW.it->>'outcome');
        END"
    ),
    concat!(
        "CREATE TEMP TRIGGER settle_marker INSTEAD OF INSERT ON settling WHEN NEW.step = 'marker'
        BEGIN
            UPDATE claims SET marked_at = NEW.it->>'now', lease_until = NEW.it->>'lease'
            WHERE delivery = NEW.it->>'id' AND attempt = NEW.it->>'attempt' AND marked_at IS NULL
                AND owner = NEW.it->>'owner' AND lease_until > NEW.it->>'now'
                AND EXISTS (SELECT 1 FROM issues i WHERE i.key = claims.issue AND i.state = 'sending'
                    AND i.expires_at > NEW.it->>'now' AND NOT ",
        suppressed!("claims.address_hash", "i.mailing"),
        ");",
        not_as_asked!(),
        "END"
    ),
];

/// The error of a statement that was aborted because a row was not in the expected state.
pub(super) const NOT_AS_ASKED: &str = "not as was asked";

/// Batch of [`End`], batch of [`Mark`]
pub(super) const SQLITE_SETTLE: &str =
    "INSERT INTO settling SELECT 'end', value FROM jsonb_each(?) UNION ALL SELECT 'marker', value FROM jsonb_each(?)";

/// Prepared on the settling connection. Its arguments are those of [`postgres_call`]. The plan is cached, whatever the
/// tables were when it was made: each row is looked up by its key. A row locked by another transaction is waited for, and
/// its guard evaluated again.
pub(super) const POSTGRES_SETTLE: &str = concat!(
    "PREPARE beside_no_opt_out AS SELECT 1 WHERE ",
    lock_of_opt_outs!("_shared"),
    " IS NULL;
    PREPARE settle (text[], bigint[], text[], text[], bigint[], bigint[], bigint[], text[], bigint[], text[], text[], text[],
        text[], bigint[], text[], bigint, bigint) AS
    WITH ended AS (
        DELETE FROM claims c
        USING unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS it (id, attempt, owner, to_state, next_at, deferred,
            at, phase, code, enhanced, text, outcome)
        WHERE c.delivery = it.id AND c.attempt = it.attempt
            AND (c.marked_at IS NOT NULL OR c.owner = it.owner AND it.to_state IN ('failed', 'queued'))
        RETURNING it.*
    ), moved AS (
        UPDATE deliveries d SET state = it.to_state, next_at = it.next_at, attempt = it.attempt,
            deferrals = d.deferrals + it.deferred, changed_at = it.at
        FROM ended it WHERE d.id = it.id
    ), noted AS (
        INSERT INTO attempts (delivery, n, source, at, phase, code, enhanced, text, outcome)
        SELECT id, attempt, 'relay', at, phase, code, enhanced, text, outcome FROM ended
    ), marked AS (
        UPDATE claims c SET marked_at = $16, lease_until = $17
        FROM unnest($13, $14, $15) AS it (id, attempt, owner)
        WHERE c.delivery = it.id AND c.attempt = it.attempt AND c.marked_at IS NULL
            AND c.owner = it.owner AND c.lease_until > $16
            AND (SELECT i.state = 'sending' AND i.expires_at > $16 AND NOT ",
    suppressed!("c.address_hash", "i.mailing"),
    " FROM issues i WHERE i.key = c.issue)
        RETURNING c.delivery
    )
    SELECT (SELECT string_agg(id, ' ') FROM ended) AS ended, (SELECT string_agg(delivery, ' ') FROM marked) AS marked"
);

/// First statement of a settling transaction: any number of them run concurrently, but never with an opt-out.
pub(super) const POSTGRES_BESIDE_NO_OPT_OUT: &str = "EXECUTE beside_no_opt_out";

/// The call of [`POSTGRES_SETTLE`] for these batches: an array per column. Values are quoted twice: for the array and for
/// the text that contains it.
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

/// T5 for the claims and the results of what is finished, in one transaction; unusual cases in a second one.
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
    let (moved, mut tx) = if bounces {
        let mut tx = Transaction::settle(db, DOING, true).await?;
        (Some(tx.settled(&batches).await?), Some(tx))
    } else {
        (Transaction::settle_at_once(db, DOING, &batches).await?, None)
    };
    let Some(mut moved) = moved else {
        return Ok(Settled { moved: vec![true; finished.len()], marked: vec![Marked::InData; claims.len()] });
    };
    let mut suppressed = HashSet::new();
    if moved.ended.len() < finished.len() || moved.marked.len() < claims.len() {
        let tx = match &mut tx {
            Some(tx) => tx,
            none => none.insert(Transaction::settle(db, DOING, false).await?),
        };
        suppressed = look_again(tx, &batches, &mut moved, now).await?;
    }
    if let Some(mut tx) = tx {
        for it in finished.iter().filter(|it| suppresses(it) && moved.ended.contains(&it.claim.id.0)) {
            let select = "SELECT id, address_hash FROM deliveries WHERE id = $1";
            if let Some(row) = tx.row(select, values![&it.claim.id]).await? {
                let hash = Reader::new(&row, "deliveries", "id").text("address_hash")?;
                partners::suppress_within(&mut tx, &hash, None, (SuppressionReason::Bounce, ""), it.at).await?;
            }
        }
        tx.commit().await?;
    }
    let marked = |claim: &Claim| match (moved.marked.contains(&claim.id.0), suppressed.contains(&claim.id.0)) {
        (true, _) => Marked::InData,
        (false, true) => Marked::Suppressed,
        (false, false) => Marked::Lost,
    };
    Ok(Settled {
        moved: finished.iter().map(|it| moved.ended.contains(&it.claim.id.0)).collect(),
        marked: claims.iter().map(marked).collect(),
    })
}

fn suppresses(it: &Finished) -> bool {
    matches!(it.outcome, Outcome::Refused { suppress: true })
}

/// Handles the rows that the usual statement did not change. Returns the claims that are suppressed, by id.
async fn look_again<B: Backend>(
    tx: &mut Transaction<B>,
    batches: &Batches<'_>,
    moved: &mut Moved,
    now: Timestamp,
) -> Result<HashSet<String>> {
    let batch = |json: sqlx::Result<String>| json.map_err(|source| StoreError::Database { doing: DOING, source });
    let late: Vec<_> = batches.ends.iter().filter(|it| !moved.ended.contains(it.id)).collect();
    if !late.is_empty() {
        let late = batch(json(&late))?;
        let rows = tx.rows(B::SQL.finish_late, values![late.as_str()]).await?;
        for id in ids(&rows)? {
            deliveries::changed_late(tx, &id, now).await?;
            moved.ended.insert(id);
        }
        tx.execute(B::SQL.note_late, values![late]).await?;
    }
    let mut lost: Vec<_> = batches.marks.iter().filter(|it| !moved.marked.contains(it.id)).collect();
    if lost.is_empty() {
        return Ok(HashSet::new());
    }
    let suppressed = ids(&tx.rows(B::SQL.end_opted_out, values![batch(json(&lost))?, now]).await?)?;
    lost.retain(|it| suppressed.contains(it.id));
    if !lost.is_empty() {
        tx.execute(B::SQL.suppress, values![batch(json(&lost))?, now]).await?;
    }
    Ok(suppressed)
}

/// A batch, or a row of one, as a JSON value.
pub(super) fn json(it: &(impl Serialize + ?Sized)) -> sqlx::Result<String> {
    serde_json::to_string(it).map_err(|e| sqlx::Error::Encode(e.into()))
}

/// The rows of a batch that moved, by id.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) ended: HashSet<String>,
    pub(super) marked: HashSet<String>,
}

/// What a settling transaction writes.
pub(super) struct Batches<'a> {
    pub(super) ends: Vec<End<'a>>,
    pub(super) marks: Vec<Mark<'a>>,
    now: i64,
    /// End of the lease of marked deliveries.
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

/// A marker in a batch.
#[derive(Serialize)]
pub(super) struct Mark<'a> {
    pub(super) id: &'a str,
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

/// A result in a batch: the new state of the delivery and its attempt.
#[derive(Serialize)]
pub(super) struct End<'a> {
    pub(super) id: &'a str,
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
            Outcome::Deferred { next_at } | Outcome::SenderFault { next_at } => Some(next_at.timestamp_millis()),
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
