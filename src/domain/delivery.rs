//! A delivery: one issue to one recipient. Its states and transitions.

use super::{
    Timestamp, characters,
    email::{EmailAddress, mask_addresses},
    issue::IssueKey,
};
use serde::Serialize;
use std::fmt;

/// The state of a delivery. The names are those of the database and of `log --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits until it is due (`next_at`).
    Queued,
    /// Leased by a daemon; nothing of the message was sent.
    Claimed,
    /// The marker is committed: from here the relay may have the message.
    InData,
    /// The relay accepted it.
    Sent,
    /// The relay refused it permanently.
    Failed,
    /// The relay may or may not have it. A person decides; never resent automatically.
    Unknown,
    /// The person had opted out, or the address was suppressed, before anything was sent.
    Suppressed,
    /// The deadline of the issue passed before it was sent.
    Expired,
    /// The issue was cancelled.
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

    /// Whether the state is final. `Unknown` is not: a person decides.
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

/// A text that is not a state.
#[derive(Debug, thiserror::Error)]
#[error("expected one of queued, claimed, in_data, sent, failed, unknown, suppressed, expired, cancelled; got {0:?}")]
pub struct InvalidState(String);

impl std::str::FromStr for State {
    type Err = InvalidState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| InvalidState(text.to_owned()))
    }
}

/// The whole state machine: T1 to T10, and the transitions without the relay.
/// Tests check the store's guarded updates against this table.
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

/// 32 hexadecimal digits: 12 of the time of freezing in milliseconds, 8 that rise with the address, 12 random.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct DeliveryId(pub String);

impl DeliveryId {
    /// The Message-ID of this delivery, without angle brackets. It is computed each time and identifies a resend (I2), so
    /// the formula must never change.
    pub fn message_id(&self, issue: &IssueKey, domain: &str) -> String {
        format!("{}.{self}@{domain}", issue.slug())
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A recipient of an issue, as copied when it was frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    pub address: EmailAddress,
    /// The person's name; may be empty.
    pub name: String,
    pub establishment: String,
    pub commune: String,
    pub contact_id: String,
}

/// A delivery leased by this daemon: the key for every later write. A write with another owner or attempt changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub id: DeliveryId,
    pub issue: IssueKey,
    /// 1 for the first.
    pub attempt: u32,
    /// Identifies the daemon; new at every start.
    pub owner: String,
    pub lease_until: Timestamp,
    pub recipient: Recipient,
    /// Without angle brackets. Fixed when the issue was frozen.
    pub message_id: String,
    /// When the delivery was first deferred, which determines the backoff: 0 for never.
    pub deferrals: u32,
}

/// The progress of an SMTP conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Connect,
    Tls,
    Auth,
    Ehlo,
    Mail,
    Rcpt,
    /// The DATA command, before any byte of the message; or BDAT, if the relay does not support it.
    Data,
    /// Bytes of the message were sent, its end (the final dot, or the last byte of BDAT) certainly was not.
    Body,
    /// The whole message may have been sent.
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

/// The relay's reply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// `None` if there was no readable reply.
    pub code: Option<u16>,
    /// `5.1.1`
    pub enhanced: Option<String>,
    /// The relay's words, or our own if there was no reply; addresses masked, at most 1,000 characters.
    pub text: String,
}

/// Maximum characters of a reply stored in the ledger.
const KEPT: usize = 1000;

/// RFC 2034: the text begins with `x.y.z`, of the same class as the code.
pub fn enhanced_status(code: u16, line: &str) -> Option<String> {
    let word = line.split_ascii_whitespace().next()?;
    let mut parts = word.split('.');
    let mut number = || parts.next().filter(|p| (1..=3).contains(&p.len()))?.parse::<u16>().ok();
    let (class, subject, detail) = (number()?, number()?, number()?);
    (parts.next().is_none() && class == code / 100).then(|| format!("{class}.{subject}.{detail}"))
}

/// Masks addresses, replaces control characters (a NUL is invalid in a Postgres text) by spaces, removes characters that change the
/// direction of writing, and truncates.
pub fn keep(text: &str) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    mask_addresses(characters::clean(&shown).trim()).chars().take(KEPT).collect()
}

impl Reply {
    /// From its code and its words, whose first may be the enhanced status.
    pub fn new(code: u16, text: &str) -> Self {
        Self { code: Some(code), enhanced: enhanced_status(code, text), text: keep(text) }
    }

    /// Code and text in one line.
    pub fn said(&self) -> String {
        let code = self.code.map(|code| format!("{code} ")).unwrap_or_default();
        format!("{code}{}", self.text)
    }
}

/// The outcome of an attempt. An expected outcome is a value, never an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// T6
    Accepted,
    /// T3, T7: permanent refusal of this recipient. `suppress`: never send to the address again (5.1.1 and similar).
    Refused { suppress: bool },
    /// T4, T7: later. Counts as a deferral of this recipient.
    Deferred { next_at: Timestamp },
    /// T4, T7: the relay refuses the sender, or could not be reached; not the recipient's fault.
    SenderFault { next_at: Timestamp },
    /// T8
    Unknown,
}

impl Outcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Refused { .. } => "refused",
            Outcome::Deferred { .. } => "deferred",
            Outcome::SenderFault { .. } => "sender_fault",
            Outcome::Unknown => "unknown",
        }
    }

    /// The resulting state.
    pub fn state(&self) -> State {
        match self {
            Outcome::Accepted => State::Sent,
            Outcome::Refused { .. } => State::Failed,
            Outcome::Deferred { .. } | Outcome::SenderFault { .. } => State::Queued,
            Outcome::Unknown => State::Unknown,
        }
    }
}

/// A finished attempt, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub claim: Claim,
    pub phase: Phase,
    pub reply: Reply,
    pub outcome: Outcome,
    pub at: Timestamp,
}

/// The result of writing a marker (T5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// Committed: the message may be sent.
    InData,
    /// Another daemon has it, the lease has expired, or the issue was stopped: send nothing.
    Lost,
    /// The person opted out meanwhile; the delivery is `suppressed`.
    Suppressed,
}

/// A person's decision about an `unknown` delivery (T9, T10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    Sent,
    Resend,
    Failed,
}
