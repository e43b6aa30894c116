//! A delivery: the duty "this issue to this recipient". Its states, and the only ways between them.

use super::{Timestamp, email::EmailAddress, issue::IssueKey};
use serde::Serialize;
use std::fmt;

/// Where a delivery is. The names are those of the database and of `log --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its hour (`next_at`).
    Queued,
    /// A daemon holds it under a lease, and has sent nothing that counts.
    Claimed,
    /// The marker is committed: from here the relay may have the message.
    InData,
    /// The relay accepted it.
    Sent,
    /// The relay refused it for good.
    Failed,
    /// The relay may or may not have it. Held for a person, never resent alone.
    Unknown,
    /// The person had opted out, or the address is known dead, before anything was sent.
    Suppressed,
    /// The mailing's deadline passed first.
    Expired,
    /// A person stopped the issue.
    Cancelled,
}

impl State {
    pub const ALL: [State; 9] = [
        State::Queued,
        State::Claimed,
        State::InData,
        State::Sent,
        State::Failed,
        State::Unknown,
        State::Suppressed,
        State::Expired,
        State::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Claimed => "claimed",
            State::InData => "in_data",
            State::Sent => "sent",
            State::Failed => "failed",
            State::Unknown => "unknown",
            State::Suppressed => "suppressed",
            State::Expired => "expired",
            State::Cancelled => "cancelled",
        }
    }

    /// Nothing will move it any more. `Unknown` is not: a person decides.
    pub fn is_terminal(self) -> bool {
        use State::*;
        matches!(self, Sent | Failed | Suppressed | Expired | Cancelled)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no state.
#[derive(Debug, thiserror::Error)]
#[error("expected one of queued, claimed, in_data, sent, failed, unknown, suppressed, expired, cancelled; got {0:?}")]
pub struct InvalidState(String);

impl std::str::FromStr for State {
    type Err = InvalidState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| InvalidState(text.to_owned()))
    }
}

/// The whole state machine: T1 to T10 of the delivery semantics, and the ways out that no relay has a part in.
/// The store's guarded updates are checked against this table by the tests.
pub const TRANSITIONS: [(&str, State, State); 21] = {
    use State::*;
    [
        ("T1 claim", Queued, Claimed),
        ("T2 lease over or released", Claimed, Queued),
        ("T3 refused before the body", Claimed, Failed),
        ("T4 deferred before the body", Claimed, Queued),
        ("T5 marker", Claimed, InData),
        ("T5 opted out meanwhile", Claimed, Suppressed),
        ("T6 accepted", InData, Sent),
        ("T6 accepted, late", Unknown, Sent),
        ("T7 refused", InData, Failed),
        ("T7 refused, late", Unknown, Failed),
        ("T7 deferred, or certainly not sent", InData, Queued),
        ("T7 deferred, late", Unknown, Queued),
        ("T8 no reply, or lease over", InData, Unknown),
        ("T9 a person says it arrived", Unknown, Sent),
        ("T9 a person says it did not", Unknown, Failed),
        ("T10 a person says resend", Unknown, Queued),
        ("opted out before the claim", Queued, Suppressed),
        ("deadline passed", Queued, Expired),
        ("deadline passed", Claimed, Expired),
        ("issue stopped", Queued, Cancelled),
        ("issue stopped", Claimed, Cancelled),
    ]
};

/// 32 hexadecimal digits: 12 of the instant of freezing in milliseconds, 8 that rise with the address, 12 by chance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct DeliveryId(pub String);

impl DeliveryId {
    /// The Message-ID of this delivery, without angle brackets. It is made anew each time, so this may never change: a
    /// resend is known by it (I2).
    pub fn message_id(&self, issue: &IssueKey, domain: &str) -> String {
        format!("{}.{self}@{domain}", issue.slug())
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom an issue goes to, as copied when it was frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    pub address: EmailAddress,
    /// The person's name; may be empty.
    pub name: String,
    pub establishment: String,
    pub commune: String,
    pub contact_id: String,
}

/// A delivery this daemon holds: the key to every later write. A write with another owner or attempt changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub id: DeliveryId,
    pub issue: IssueKey,
    /// 1 for the first.
    pub attempt: u32,
    /// Which daemon; new at every start.
    pub owner: String,
    pub lease_until: Timestamp,
    pub recipient: Recipient,
    /// Without angle brackets. Fixed when the issue was frozen.
    pub message_id: String,
    /// When the delivery first failed softly, so that the pace of retries is known: 0 for none yet.
    pub deferrals: u32,
}

/// How far an SMTP conversation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Connect,
    Tls,
    Auth,
    Ehlo,
    Mail,
    Rcpt,
    /// The DATA command, before any byte of the message; or BDAT, to a relay that does not know it.
    Data,
    /// Bytes of the message went out, its end (the final dot, or the last byte of BDAT) certainly did not.
    Body,
    /// All of the message may have gone out.
    Dot,
}

impl Phase {
    pub const ALL: [Phase; 9] = [
        Phase::Connect,
        Phase::Tls,
        Phase::Auth,
        Phase::Ehlo,
        Phase::Mail,
        Phase::Rcpt,
        Phase::Data,
        Phase::Body,
        Phase::Dot,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Auth => "auth",
            Phase::Ehlo => "ehlo",
            Phase::Mail => "mail",
            Phase::Rcpt => "rcpt",
            Phase::Data => "data",
            Phase::Body => "body",
            Phase::Dot => "dot",
        }
    }
}

/// What the relay said, as it said it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// `None` where there was no reply that could be read.
    pub code: Option<u16>,
    /// `5.1.1`
    pub enhanced: Option<String>,
    /// The relay's words, or ours where it said none; addresses masked, at most 1,000 characters.
    pub text: String,
}

impl Reply {
    /// Code and words, as one line.
    pub fn said(&self) -> String {
        let code = self.code.map(|code| format!("{code} ")).unwrap_or_default();
        format!("{code}{}", self.text)
    }
}

/// What an attempt came to. An expected answer is a value, never an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// T6
    Accepted,
    /// T3, T7: this person's address is refused for good. `suppress`: never write to it again (5.1.1 and its like).
    Refused { suppress: bool },
    /// T4, T7: later. Counts as a deferral of this person.
    Deferred { next_at: Timestamp },
    /// T4, T7: the relay refuses *us*, or could not be reached; the person has no part in it.
    Ours { next_at: Timestamp },
    /// T8
    Unknown,
}

impl Outcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Refused { .. } => "refused",
            Outcome::Deferred { .. } => "deferred",
            Outcome::Ours { .. } => "ours",
            Outcome::Unknown => "unknown",
        }
    }

    /// The state it leads to.
    pub fn state(&self) -> State {
        match self {
            Outcome::Accepted => State::Sent,
            Outcome::Refused { .. } => State::Failed,
            Outcome::Deferred { .. } | Outcome::Ours { .. } => State::Queued,
            Outcome::Unknown => State::Unknown,
        }
    }
}

/// One ended attempt, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub claim: Claim,
    pub phase: Phase,
    pub reply: Reply,
    pub outcome: Outcome,
    pub at: Timestamp,
}

/// What became of a marker (T5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// Committed: the message may be sent.
    InData,
    /// Another daemon has it, the lease is over, or the issue stopped: send nothing.
    Lost,
    /// The person opted out meanwhile; the delivery is `suppressed`.
    Suppressed,
}

/// What a person decides of an `unknown` delivery (T9, T10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    Sent,
    Resend,
    Failed,
}
