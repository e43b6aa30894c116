//! T1 to T11: the transitions of deliveries, each guarded by its start state.
//! Batches take one statement and one commit; results are returned in the given order.

use super::settle;
use super::{
    CLAIM_LEASE, Recovered, Resolved, Result, StoreError,
    backend::{Backend, Row, Transaction, Value, values},
    canary::{self, CanaryStep, Claimed, Wanted},
    notices, partners, rows,
    rows::Reader,
    sql::{state, unclaimed},
};
use super::{Ledger, Settled};
use crate::domain::delivery::{Finished, Marked};
use crate::domain::{
    Timestamp,
    delivery::{Claim, DeliveryId, Phase, Reply, Resolution, State},
    email::EmailAddress,
    issue::IssueKey,
};
use async_trait::async_trait;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// Deliveries and their transitions (T1 to T11).
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// With exclusive access at start: every `claimed` delivery is released, every `in_data` one becomes unknown. If several
    /// daemons share the database: only those whose lease has expired.
    async fn recover(&self, exclusive: bool, now: Timestamp) -> Result<Recovered>;

    /// M5, where several daemons share the database: markers made before `unseen_since` by owners that were not seen since then.
    /// Their leases run for minutes more, but nobody will answer for them.
    async fn abandoned_markers(&self, unseen_since: Timestamp) -> Result<Vec<(IssueKey, u64)>>;

    /// T2 for the unmarked claims of an owner that is dead: queued again before their lease is over. Safe even if it lives, since
    /// its markers are guarded by the claim.
    async fn release_claims_of(&self, owner: &str, now: Timestamp) -> Result<u64>;

    /// T1. Up to `limit` deliveries of issues that are `sending` and not past their deadline, the longest waiting first.
    /// Opted-out ones found on the way become `suppressed`. Of an issue whose first messages are not answered yet only these are
    /// claimed, and of one whose first messages are to be chosen none.
    async fn claim(&self, wanted: &Wanted<'_>, now: Timestamp) -> Result<Claimed>;

    /// The same without first messages. `issue`: only deliveries of that one.
    async fn claim_deliveries(
        &self,
        issue: Option<&IssueKey>,
        owner: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Claim>> {
        Ok(self.claim(&Wanted { issue, owner, limit, canary: 0 }, now).await?.claims)
    }

    /// T2, by the owner: back to `queued`, due now, not counted as a failure.
    async fn release(&self, claims: &[Claim], now: Timestamp) -> Result<u64>;

    /// T2 as well, but each due at its own instant, when its lane has capacity.
    async fn postpone(&self, claims: &[(Claim, Timestamp)], now: Timestamp) -> Result<u64>;

    /// T3, T4, T6, T7, T8 for what is `finished`, and T5 for the `claims`, in one commit: durable when it returns,
    /// results in the given order.
    ///
    /// T5 is guarded by owner, attempt, lease, the issue's state and deadline, and suppressions. A row that is `InData`
    /// shows an attempt with phase `data`.
    ///
    /// The others: `true` if the row moved. A late reply also settles `unknown`; after a person's decision it moves
    /// nothing, but is stored with the attempt. A refusal with `suppress` suppresses the address for all mailings, in the
    /// same transaction.
    async fn settle(&self, finished: &[Finished], claims: &[Claim], now: Timestamp) -> Result<Settled>;

    /// Only results.
    async fn finish_attempts(&self, finished: &[Finished]) -> Result<Vec<bool>> {
        let Some(last) = finished.iter().map(|it| it.at).max() else { return Ok(Vec::new()) };
        Ok(self.settle(finished, &[], last).await?.moved)
    }

    /// Unmarked deliveries of issues past their deadline become `expired`. Returns how many.
    async fn expire_deliveries(&self, now: Timestamp) -> Result<u64>;

    /// When the next queued delivery of a sending issue is due; while its first messages are not answered, the next one of these.
    async fn next_due(&self, issue: Option<&IssueKey>) -> Result<Option<Timestamp>>;

    /// T11: refusals that turned out to be about us. Those of `ids` that are `failed` are queued again, due now; their last
    /// attempt is `ours`, in the relay's words; an address that was suppressed for this refusal is suppressed no more.
    /// Returns how many.
    async fn requeue_failed(&self, ids: &[DeliveryId], now: Timestamp) -> Result<u64>;

    /// What queued deliveries of the issue were last refused with, where the refusal was found to be the sender's fault: the
    /// recipient's address and the relay's reply.
    async fn sender_faults(&self, issue: &IssueKey) -> Result<Vec<(EmailAddress, Phase, Reply)>>;

    /// T9, T10: a person's decision, written as an attempt of its own with outcome `resolved`.
    /// A resend reopens the issue (`done` -> `sending`), extends nothing else: same Message-ID, same bytes.
    async fn resolve_unknown(
        &self,
        id: &DeliveryId,
        resolution: Resolution,
        by: &str,
        now: Timestamp,
    ) -> Result<Resolved>;
}

#[async_trait]
impl<B: Backend> Deliveries for Ledger<B> {
    async fn recover(&self, exclusive: bool, now: Timestamp) -> Result<Recovered> {
        // With exclusive access, every lease belongs to a dead daemon.
        let ended_by = if exclusive { i64::MAX } else { now.timestamp_millis() };
        let mut tx = Transaction::write(&self.0, "recovering deliveries").await?;
        let (mut back, mut doubtful) = (Vec::new(), Vec::new());
        for row in tx.rows(B::SQL.end_leases, values![ended_by]).await? {
            let row = Reader::new(&row, "claims", "id");
            let (id, attempt): (_, u32) = (row.text("id")?, row.number("attempt")?);
            match row.optional_instant("marked_at")? {
                None => back.push(json!({ "id": id, "attempt": attempt, "next_at": now.timestamp_millis() })),
                Some(at) => doubtful.push(json!({ "id": id, "attempt": attempt, "at": at.timestamp_millis() })),
            }
        }
        if exclusive {
            notices::free_all_of(&mut tx, None).await?;
        }
        let recovered = Recovered { released: back.len() as u64, unknown: doubtful.len() as u64 };
        if recovered.released > 0 {
            tx.execute(B::SQL.queue_again, values![json!(back), now]).await?;
        }
        let why = "no answer was recorded: the daemon stopped after the marker, or its lease ran out";
        if recovered.unknown > 0 {
            let doubtful = json!(doubtful).to_string();
            tx.execute(B::SQL.doubt, values![doubtful.as_str(), now]).await?;
            tx.execute(B::SQL.note_doubts, values![doubtful, why]).await?;
        }
        tx.commit().await?;
        Ok(recovered)
    }

    async fn abandoned_markers(&self, unseen_since: Timestamp) -> Result<Vec<(IssueKey, u64)>> {
        let mut tx = Transaction::read(&self.0, "looking for abandoned markers").await?;
        let select = "SELECT c.issue, count(*) AS n FROM claims c
            WHERE c.marked_at <= $1 AND NOT EXISTS (SELECT 1 FROM daemons d WHERE d.owner = c.owner AND d.seen_at > $1)
            GROUP BY c.issue ORDER BY c.issue";
        let read = |row| {
            let row = Reader::new(row, "claims", "issue");
            Ok((row.issue_key("issue")?, row.number("n")?))
        };
        tx.rows(select, values![unseen_since]).await?.iter().map(read).collect()
    }

    async fn release_claims_of(&self, owner: &str, now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "releasing the claims of a dead daemon").await?;
        let end = "DELETE FROM claims WHERE owner = $1 AND marked_at IS NULL RETURNING delivery AS id, attempt";
        let mut back = Vec::new();
        for row in tx.rows(end, values![owner]).await? {
            let row = Reader::new(&row, "claims", "id");
            let (id, attempt): (_, u32) = (row.text("id")?, row.number("attempt")?);
            back.push(json!({ "id": id, "attempt": attempt, "next_at": now.timestamp_millis() }));
        }
        if !back.is_empty() {
            tx.execute(<B as Backend>::SQL.queue_again, values![json!(back), now]).await?;
        }
        notices::free_all_of(&mut tx, Some(owner)).await?;
        tx.commit().await?;
        Ok(back.len() as u64)
    }

    async fn claim(&self, wanted: &Wanted<'_>, now: Timestamp) -> Result<Claimed> {
        let (mut found, lease_until) = (Claimed::default(), now + CLAIM_LEASE);
        let Wanted { issue, owner, limit, canary } = *wanted;
        let mut tx = Transaction::claim(&self.0, "claiming deliveries").await?;
        for due in issues_with_due(&mut tx, issue, canary, now).await? {
            let (pick, before) = match due.canary {
                canary::Phase::Wanted => {
                    found.canaries.push((due.issue_key()?, CanaryStep::ToChoose));
                    continue;
                }
                canary::Phase::Open => (B::SQL.pick_canary, found.claims.len()),
                canary::Phase::Over => (B::SQL.pick, 0),
            };
            // Repeat while a round finds only opted-out deliveries and those of other owners: others may be behind them.
            loop {
                let wanted = limit.saturating_sub(u32::try_from(found.claims.len()).unwrap_or(u32::MAX));
                let values = values![due.issue.as_str(), due.mailing.as_str(), now, wanted, owner, lease_until];
                let picked = tx.rows(pick, values).await?;
                found.claims.extend(take(&mut tx, &due, &picked, owner, now, lease_until).await?);
                if picked.is_empty() || found.claims.len() >= limit as usize {
                    break;
                }
            }
            if due.canary == canary::Phase::Open {
                let step = match found.claims.len() > before {
                    true => CanaryStep::Claimed,
                    false if canary::is_awaited(&mut tx, &due.issue, now).await? => CanaryStep::UnderWay,
                    false => CanaryStep::Answered,
                };
                found.canaries.push((due.issue_key()?, step));
            }
        }
        tx.commit().await?;
        Ok(found)
    }

    async fn release(&self, claims: &[Claim], now: Timestamp) -> Result<u64> {
        back_to_the_queue(&self.0, claims.iter().map(|claim| (claim, now)), now).await
    }

    async fn postpone(&self, claims: &[(Claim, Timestamp)], now: Timestamp) -> Result<u64> {
        postpone(&self.0, claims, now).await
    }

    async fn settle(&self, finished: &[Finished], claims: &[Claim], now: Timestamp) -> Result<Settled> {
        let settled = settle::settle(&self.0, finished, claims, now).await?;
        let moved = finished.iter().zip(&settled.moved).filter(|(_, moved)| **moved).map(|(it, _)| it.at);
        let marked = settled.marked.contains(&Marked::InData).then_some(now);
        if let Some(last) = moved.chain(marked).max() {
            self.1.note(last.timestamp_millis());
        }
        Ok(settled)
    }

    async fn expire_deliveries(&self, now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "expiring deliveries").await?;
        let expired = stop_waiting(&mut tx, ("i.expires_at <= $1", values![now]), State::Expired, now).await?;
        tx.commit().await?;
        Ok(expired)
    }

    async fn next_due(&self, issue: Option<&IssueKey>) -> Result<Option<Timestamp>> {
        let mut tx = Transaction::read(&self.0, "reading the next due delivery").await?;
        // One index lookup per sending issue.
        let select = concat!(
            "SELECT min(due) AS due FROM (
                SELECT CASE WHEN i.canary_size IS NULL OR i.canary_over_at IS NOT NULL THEN
                    (SELECT d.next_at FROM deliveries d WHERE d.issue = i.key AND d.state = 'queued' AND ",
            unclaimed!(),
            " ORDER BY d.next_at, d.id LIMIT 1)
                ELSE (SELECT min(d.next_at) FROM canaries k JOIN deliveries d ON d.id = k.delivery
                    WHERE k.issue = i.key AND d.state = 'queued' AND d.deferrals = 0 AND ",
            unclaimed!(),
            ") END AS due
                FROM issues i WHERE i.state = 'sending' AND ($1 IS NULL OR i.key = $1)
            ) AS waiting"
        );
        match tx.row(select, values![issue]).await? {
            Some(row) => Reader::new(&row, "deliveries", "due").optional_instant("due"),
            None => Ok(None),
        }
    }

    async fn requeue_failed(&self, ids: &[DeliveryId], now: Timestamp) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "taking refusals back").await?;
        let given_back = take_back(&mut tx, ids, now).await?;
        tx.commit().await?;
        Ok(given_back)
    }

    async fn sender_faults(&self, issue: &IssueKey) -> Result<Vec<(EmailAddress, Phase, Reply)>> {
        let mut tx = Transaction::read(&self.0, "reading refusals of the sender").await?;
        let select = "SELECT d.id, d.address, a.phase, a.code, a.enhanced, a.text FROM deliveries d
            JOIN attempts a ON a.delivery = d.id AND a.source = 'relay' AND a.outcome = 'sender_fault'
            WHERE d.issue = $1 AND d.state = 'queued' AND d.attempt > 0
                AND NOT EXISTS (SELECT 1 FROM attempts later WHERE later.delivery = d.id AND later.n > a.n)";
        let read = |row| {
            let row = Reader::new(row, "attempts", "id");
            let reply = Reply {
                code: row.optional_number("code")?,
                enhanced: row.optional_text("enhanced")?,
                text: row.optional_text("text")?.unwrap_or_default(),
            };
            Ok((row.address("address")?, row.word("phase", &Phase::ALL, Phase::as_str)?, reply))
        };
        tx.rows(select, values![issue]).await?.iter().map(read).collect()
    }

    async fn resolve_unknown(
        &self,
        id: &DeliveryId,
        resolution: Resolution,
        by: &str,
        now: Timestamp,
    ) -> Result<Resolved> {
        let (to, next_at, resends, said) = match resolution {
            Resolution::Sent => (State::Sent, None, 0_u32, "it arrived"),
            Resolution::Failed => (State::Failed, None, 0, "it did not arrive"),
            Resolution::Resend => (State::Queued, Some(now), 1, "send it again"),
        };
        let mut tx = Transaction::write(&self.0, "resolving an unknown delivery").await?;
        let update = "UPDATE deliveries SET state = $2, next_at = $3, resends = resends + $4, changed_at = $5
            WHERE id = $1 AND state = 'unknown' RETURNING attempt, issue";
        let Some(row) = tx.row(update, values![id, to.as_str(), next_at, resends, now]).await? else {
            let select = concat!(
                "SELECT d.id, ",
                state!(),
                " AS state FROM deliveries d LEFT JOIN claims c ON c.delivery = d.id WHERE d.id = $1"
            );
            let row = tx.row(select, values![id]).await?;
            return row
                .map_or(Ok(Resolved::NoSuchDelivery), |row| rows::delivery_state(&row).map(Resolved::NotUnknown));
        };
        let row = Reader::new(&row, "deliveries", "issue");
        let (attempt, issue): (u32, _) = (row.number("attempt")?, row.issue_key("issue")?);
        let insert = "INSERT INTO attempts (delivery, n, source, at, phase, text, outcome)
            VALUES ($1, $2, 'person', $3, $4, $5, 'resolved')";
        tx.execute(insert, values![id, attempt, now, Phase::Dot.as_str(), format!("{by}: {said}")]).await?;
        changed_late(&mut tx, &id.0, now).await?;
        if resolution == Resolution::Resend {
            let reopen = "UPDATE issues SET state = 'sending', closed_at = NULL WHERE key = $1 AND state = 'done'";
            tx.execute(reopen, values![&issue]).await?;
        }
        tx.commit().await?;
        Ok(Resolved::Done)
    }
}

/// Notes the change of a delivery whose issue may be over: the log does not look for recent changes in what is over.
pub(super) async fn changed_late<B: Backend>(tx: &mut Transaction<B>, delivery: &str, now: Timestamp) -> Result<()> {
    let note = "UPDATE issues SET late_at = $2
        WHERE state = 'done' AND key = (SELECT d.issue FROM deliveries d WHERE d.id = $1)";
    tx.execute(note, values![delivery, now]).await?;
    Ok(())
}

/// Claims what was picked; those who opted out meanwhile are suppressed instead.
async fn take<B: Backend>(
    tx: &mut Transaction<B>,
    due: &Due,
    picked: &[Row],
    owner: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Claim>> {
    let (mut opted_out, mut wanted, mut claims) = (Vec::new(), Vec::new(), Vec::new());
    for row in picked {
        let columns = Reader::new(row, "deliveries", "id");
        if columns.text("stop")? == "yes" {
            opted_out.push(json!({ "id": columns.text("id")? }));
            continue;
        }
        let claim = rows::claim(row, &due.message_domain, owner, lease_until)?;
        if B::SQL.claim.is_some() {
            let hash = columns.text("address_hash")?;
            wanted.push(json!({ "id": claim.id.0, "attempt": claim.attempt, "hash": hash }));
        } else if columns.text("taken")? == "no" {
            continue;
        }
        claims.push(claim);
    }
    if !opted_out.is_empty() {
        tx.execute(B::SQL.suppress, values![json!(opted_out), now]).await?;
    }
    if let Some(claim) = B::SQL.claim.filter(|_| !wanted.is_empty()) {
        tx.execute(claim, values![json!(wanted), due.issue.as_str(), owner, now, lease_until]).await?;
    }
    Ok(claims)
}

/// T11.
pub(super) async fn take_back<B: Backend>(tx: &mut Transaction<B>, ids: &[DeliveryId], now: Timestamp) -> Result<u64> {
    let mut given_back = 0;
    for id in ids {
        let queue = "UPDATE deliveries SET state = 'queued', next_at = $2, changed_at = $2
            WHERE id = $1 AND state = 'failed' RETURNING attempt, address_hash";
        let Some(row) = tx.row(queue, values![id, now]).await? else { continue };
        let row = Reader::new(&row, "deliveries", "address_hash");
        let (attempt, hash): (u32, _) = (row.number("attempt")?, row.text("address_hash")?);
        let update = "UPDATE attempts SET outcome = 'sender_fault'
            WHERE delivery = $1 AND n = $2 AND source = 'relay' AND outcome = 'refused' RETURNING at";
        if let Some(row) = tx.row(update, values![id, attempt]).await? {
            let at = Reader::new(&row, "attempts", "at").instant("at")?;
            partners::lift_bounce(tx, &hash, at, now).await?;
        }
        given_back += 1;
    }
    Ok(given_back)
}

/// Which rows, of those asked for.
pub(super) fn ids(rows: &[Row]) -> Result<HashSet<String>> {
    rows.iter().map(|row| Reader::new(row, "deliveries", "id").text("id")).collect()
}

struct Due {
    issue: String,
    mailing: String,
    message_domain: String,
    canary: canary::Phase,
}

impl Due {
    fn issue_key(&self) -> Result<IssueKey> {
        let unreadable = |why: crate::domain::issue::InvalidKey| StoreError::Row {
            table: "issues",
            column: "key",
            row: self.issue.clone(),
            why: why.to_string(),
        };
        IssueKey::parse(&self.issue).map_err(unreadable)
    }
}

async fn issues_with_due<B: Backend>(
    tx: &mut Transaction<B>,
    issue: Option<&IssueKey>,
    canary: u32,
    now: Timestamp,
) -> Result<Vec<Due>> {
    let rows = tx.rows(B::SQL.due, values![issue, now, canary]).await?;
    let read = |row| {
        let row = Reader::new(row, "issues", "key");
        let (issue, mailing) = (row.text("key")?, row.text("mailing")?);
        let canary = match canary {
            // Switched off, perhaps while some waited for their answers.
            0 => canary::Phase::Over,
            _ => row.word("canary", &canary::Phase::ALL, canary::Phase::as_str)?,
        };
        Ok(Due { issue, mailing, message_domain: row.text("message_domain")?, canary })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn postpone<B: Backend>(db: &B, claims: &[(Claim, Timestamp)], now: Timestamp) -> Result<u64> {
    back_to_the_queue(db, claims.iter().map(|(claim, next_at)| (claim, *next_at)), now).await
}

async fn back_to_the_queue<B: Backend>(
    db: &B,
    claims: impl Iterator<Item = (&Claim, Timestamp)>,
    now: Timestamp,
) -> Result<u64> {
    let mut back: Vec<_> = claims
        .map(|(claim, next_at)| {
            json!({
                "id": claim.id.0,
                "attempt": claim.attempt,
                "owner": claim.owner,
                "next_at": next_at.timestamp_millis(),
            })
        })
        .collect();
    let mut tx = Transaction::write(db, "releasing claims").await?;
    let ended = ids(&tx.rows(B::SQL.end_claims, values![json!(back)]).await?)?;
    back.retain(|it| it["id"].as_str().is_some_and(|id| ended.contains(id)));
    if !back.is_empty() {
        tx.execute(B::SQL.queue_again, values![json!(back), now]).await?;
    }
    tx.commit().await?;
    Ok(ended.len() as u64)
}

/// Ends the unmarked deliveries of the issues (`i`) that match the condition. One index lookup per issue: a join would read
/// the queues of all issues.
pub(super) async fn stop_waiting<B: Backend>(
    tx: &mut Transaction<B>,
    (condition, given): (&'static str, Vec<Value>),
    to: State,
    now: Timestamp,
) -> Result<u64> {
    let select = format!(
        "SELECT i.key FROM issues i WHERE {condition}
            AND (SELECT min(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'queued') IS NOT NULL
        ORDER BY i.key{}",
        B::SQL.held
    );
    let issues = tx.rows(AssertSqlSafe(select), given).await?;
    if issues.is_empty() {
        return Ok(0);
    }
    tx.execute(B::SQL.at_length, values![]).await?;
    let mut stopped = 0;
    for row in &issues {
        let issue = Reader::new(row, "issues", "key").text("key")?;
        tx.execute(B::SQL.end_unmarked, values![issue.as_str()]).await?;
        stopped += tx.execute(B::SQL.stop, values![issue, now, to.as_str()]).await?;
    }
    Ok(stopped)
}
