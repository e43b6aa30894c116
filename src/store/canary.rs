//! The first messages of an issue (docs/adr/0016): chosen once, claimed before the rest, and over once each has its answer. Whether
//! they are answered is read from their deliveries, so that every daemon sees the same, also after a restart.

use super::{
    Ledger, Result,
    backend::{Backend, Transaction, values},
    deliveries,
    rows::Reader,
};
use crate::domain::{
    Timestamp,
    canary::Answer,
    delivery::{Claim, DeliveryId, Phase as SmtpPhase, Reply, State},
    email::EmailAddress,
    issue::IssueKey,
};
use async_trait::async_trait;
use chrono::TimeDelta;

/// A first message that is due within this time is waited for; one that has to wait longer, because its lane is stopped, is not: the
/// others cannot wait for a person who reopens that lane.
const PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// What is to be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Only deliveries of that one.
    pub issue: Option<&'a IssueKey>,
    /// Identifies the daemon.
    pub owner: &'a str,
    pub limit: u32,
    /// How many messages of an issue are sent first; 0: none.
    pub canary: u32,
}

/// What was claimed, and what has to be done first.
#[derive(Debug, Default)]
pub struct Claimed {
    pub claims: Vec<Claim>,
    /// Issues that are not sent as a whole yet.
    pub canaries: Vec<(IssueKey, CanaryStep)>,
}

/// How far the first messages of an issue are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanaryStep {
    /// [`Canaries::begin_canary`] is next.
    ToChoose,
    /// Some of them are among the claims.
    Claimed,
    /// All of them are claimed, here or by another daemon, or due in a moment.
    UnderWay,
    /// Each has its answer: [`Canaries::end_canary`] is next.
    Answered,
}

/// What follows from the answers.
#[derive(Debug, Clone, Copy)]
pub enum CanaryEnd<'a> {
    /// The rest may leave.
    GoOn,
    /// The issue pauses, for this reason in French. Once a person resumes it, the rest may leave.
    Pause(&'a str),
    /// The issue pauses, and these refusals are taken back (T11). Once a person resumes it, they are sent first again.
    TakeBack(&'a str, &'a [DeliveryId]),
}

/// The first messages of issues.
#[async_trait]
pub trait Canaries: Send + Sync {
    /// The first `limit` deliveries of an issue that wait, with the domain of each, in the order of their ids.
    async fn canary_candidates(&self, issue: &IssueKey, limit: u32) -> Result<Vec<(DeliveryId, String)>>;

    /// These are sent first. `false`: another daemon has chosen, or the issue is not being sent.
    async fn begin_canary(&self, issue: &IssueKey, first: &[DeliveryId]) -> Result<bool>;

    /// What became of them.
    async fn canary_answers(&self, issue: &IssueKey) -> Result<Vec<Answer>>;

    /// Their answers were judged. `false`: another daemon did, or the issue is not being sent.
    async fn end_canary(&self, issue: &IssueKey, end: CanaryEnd<'_>, now: Timestamp) -> Result<bool>;
}

/// Whether the first messages of an issue that is due were chosen and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// To be chosen: it has more recipients, and none has answered.
    Wanted,
    Open,
    /// Answered; or it has none.
    Over,
}

impl Phase {
    pub(super) const ALL: [Phase; 3] = [Phase::Wanted, Phase::Open, Phase::Over];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Phase::Wanted => "wanted",
            Phase::Open => "open",
            Phase::Over => "over",
        }
    }
}

/// Whether one of them is still to be sent, in flight, or due in a moment. A deferral is an answer.
pub(super) async fn is_awaited<B: Backend>(tx: &mut Transaction<B>, issue: &str, now: Timestamp) -> Result<bool> {
    let select = "SELECT d.id FROM canaries k CROSS JOIN deliveries d
        WHERE k.issue = $1 AND d.id = k.delivery AND d.state = 'queued' AND d.deferrals = 0
            AND (d.next_at <= $2 OR (SELECT true FROM claims c WHERE c.delivery = d.id) IS TRUE) LIMIT 1";
    Ok(tx.row(select, values![issue, now + PATIENCE]).await?.is_some())
}

#[async_trait]
impl<B: Backend> Canaries for Ledger<B> {
    async fn canary_candidates(&self, issue: &IssueKey, limit: u32) -> Result<Vec<(DeliveryId, String)>> {
        let mut tx = Transaction::read(&self.0, "looking for the first messages").await?;
        let select = "SELECT d.id, d.address FROM deliveries d WHERE d.issue = $1 AND d.state = 'queued'
            ORDER BY d.next_at, d.id LIMIT $2";
        let read = |row| {
            let row = Reader::new(row, "deliveries", "id");
            let domain = row.address("address").map(|it: EmailAddress| it.domain().to_owned())?;
            Ok((DeliveryId(row.text("id")?), domain))
        };
        tx.rows(select, values![issue, limit]).await?.iter().map(read).collect()
    }

    async fn begin_canary(&self, issue: &IssueKey, first: &[DeliveryId]) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "choosing the first messages").await?;
        let size = i64::try_from(first.len()).unwrap_or(i64::MAX);
        // The row is the lock: a second daemon waits here, and then finds them chosen.
        let begin = "UPDATE issues SET canary_size = $2 WHERE key = $1 AND canary_size IS NULL AND state = 'sending'";
        if tx.execute(begin, values![issue, size]).await? == 0 {
            return Ok(false);
        }
        for id in first {
            tx.execute("INSERT INTO canaries (issue, delivery) VALUES ($1, $2)", values![issue, id]).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn canary_answers(&self, issue: &IssueKey) -> Result<Vec<Answer>> {
        let mut tx = Transaction::read(&self.0, "reading the answers to the first messages").await?;
        // The attempts of one delivery are numbered; a refusal is the last one of a delivery that failed.
        let select = "SELECT d.id, d.state, a.phase, a.code, a.enhanced, a.text
            FROM canaries k CROSS JOIN deliveries d
            LEFT JOIN attempts a ON a.delivery = d.id AND a.n = d.attempt AND a.source = 'relay' AND a.outcome = 'refused'
            WHERE k.issue = $1 AND d.id = k.delivery ORDER BY d.id";
        let read = |row| {
            let row = Reader::new(row, "deliveries", "id");
            let refusal = match row.optional_text("phase")? {
                None => None,
                Some(_) => {
                    let text = row.optional_text("text")?.unwrap_or_default();
                    let reply =
                        Reply { code: row.optional_number("code")?, enhanced: row.optional_text("enhanced")?, text };
                    Some((row.word("phase", &SmtpPhase::ALL, SmtpPhase::as_str)?, reply))
                }
            };
            Ok(Answer {
                id: DeliveryId(row.text("id")?),
                state: row.word("state", &State::ALL, State::as_str)?,
                refusal,
            })
        };
        tx.rows(select, values![issue]).await?.iter().map(read).collect()
    }

    async fn end_canary(&self, issue: &IssueKey, end: CanaryEnd<'_>, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "judging the first messages").await?;
        let (update, values) = match end {
            CanaryEnd::GoOn => {
                let over = "UPDATE issues SET canary_over_at = $2
                    WHERE key = $1 AND canary_size IS NOT NULL AND canary_over_at IS NULL AND state = 'sending'";
                (over, values![issue, now])
            }
            CanaryEnd::Pause(reason) => {
                let pause = "UPDATE issues SET canary_over_at = $2, state = 'paused', reason = $3
                    WHERE key = $1 AND canary_size IS NOT NULL AND canary_over_at IS NULL AND state = 'sending'";
                (pause, values![issue, now, reason])
            }
            CanaryEnd::TakeBack(reason, _) => {
                let pause = "UPDATE issues SET state = 'paused', reason = $2
                    WHERE key = $1 AND canary_size IS NOT NULL AND canary_over_at IS NULL AND state = 'sending'";
                (pause, values![issue, reason])
            }
        };
        if tx.execute(update, values).await? == 0 {
            return Ok(false);
        }
        if let CanaryEnd::TakeBack(_, refused) = end {
            deliveries::take_back(&mut tx, refused, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
