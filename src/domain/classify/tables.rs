//! The tables of replies: providers' own codes, wording, and enhanced status codes, each with its class and consequences.

use super::{Class, Throttle};
use crate::domain::pause::SenderFault;

pub(super) const UNSPECIFIED: Option<SenderFault> = Some(SenderFault::RelayRefuses);
pub(super) const LISTED: Option<SenderFault> = Some(SenderFault::Blocklisted);
pub(super) const WRONG_NAME: Option<SenderFault> = Some(SenderFault::NameNotRecognised);
pub(super) const UNSIGNED: Option<SenderFault> = Some(SenderFault::NotAuthenticated);
pub(super) const SENDER: Option<SenderFault> = Some(SenderFault::SenderRefused);
pub(super) const TOO_BIG: Option<SenderFault> = Some(SenderFault::MessageTooBig);
pub(super) const LOGIN: Option<SenderFault> = Some(SenderFault::LoginWanted);
pub(super) const ACCOUNT: Option<SenderFault> = Some(SenderFault::AccountBlocked);
pub(super) const SPAM: Option<SenderFault> = Some(SenderFault::TakenForSpam);
pub(super) const COMMAND: Option<SenderFault> = Some(SenderFault::CommandRefused);
pub(super) const NONE: Option<SenderFault> = None;

/// One row of a table: the class, the consequences beyond this delivery, and the fault on the sender's side.
#[derive(Clone, Copy)]
pub(super) struct Row(pub(super) Class, pub(super) Note, pub(super) Option<SenderFault>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Plain,
    /// Only this delivery waits, for this many minutes.
    Wait(u16),
    Throttles(Throttle),
    PerConnection,
    StopsLane,
    StopsIssueInLane,
}
use Class::{Content, Defer, Hard, Sender, Soft};
use Note::{PerConnection, Plain, StopsIssueInLane, StopsLane, Throttles, Wait};

/// One connection for this many minutes.
const fn slow(minutes: u16) -> Note {
    Throttles(Throttle::Slow { minutes, per_minute: None })
}

/// One connection with a limited rate.
const fn slow_at(per_minute: u32, minutes: u16) -> Note {
    Throttles(Throttle::Slow { minutes, per_minute: Some(per_minute) })
}

/// A suspension of constant length.
const fn suspend(minutes: u16) -> Note {
    Throttles(Throttle::Suspend { first: minutes, most: minutes })
}

/// A suspension that doubles each time, from `first` up to `most` minutes.
const fn suspend_up_to(first: u16, most: u16) -> Note {
    Throttles(Throttle::Suspend { first, most })
}

pub(super) const HOUR: u16 = 60;
/// Account limits are per hour or per day.
const ACCOUNT_LIMIT: Note = suspend_up_to(HOUR, 6 * HOUR);
/// A block announced with a 4xx is lifted automatically: KumoMTA waits two hours.
pub(super) const BLOCKED_FOR_NOW: Throttle = Throttle::Suspend { first: 2 * HOUR, most: 2 * HOUR };

/// Orange, Wanadoo and La Poste: `OFRnnn_ccc`, `LPNnnn_ccc`, `OUK_ccc`; the last three digits carry the meaning.
pub(super) const ORANGE_AND_LA_POSTE: &[(u16, u16, Row)] = &[
    (100, 103, Row(Sender, StopsLane, LISTED)),
    (104, 104, Row(Defer, slow(HOUR), NONE)),
    (105, 105, Row(Defer, suspend(HOUR), NONE)),
    (107, 107, Row(Sender, StopsLane, WRONG_NAME)),
    (108, 108, Row(Defer, suspend(HOUR), NONE)),
    (109, 109, Row(Defer, PerConnection, NONE)),
    (200, 209, Row(Sender, StopsLane, WRONG_NAME)),
    (390, 399, Row(Sender, Plain, UNSIGNED)),
    (401, 401, Row(Sender, Plain, UNSIGNED)),
    (403, 403, Row(Sender, Plain, SENDER)),
    (405, 405, Row(Sender, Plain, SENDER)),
    (415, 415, Row(Sender, Plain, SENDER)),
    (416, 416, Row(Hard, Plain, NONE)),
    // Sent as 5xx with 5.1.1, although only the mailbox is full.
    (417, 417, Row(Soft, Plain, NONE)),
    (420, 420, Row(Hard, Plain, NONE)),
    (421, 421, Row(Sender, Plain, SENDER)),
    (426, 426, Row(Hard, Plain, NONE)),
    // La Poste's "slow down".
    (503, 503, Row(Defer, slow(HOUR), NONE)),
    (505, 505, Row(Defer, suspend(HOUR), NONE)),
    (506, 506, Row(Content, Plain, SPAM)),
    (510, 510, Row(Content, Plain, SPAM)),
    (513, 513, Row(Content, Plain, SPAM)),
    (514, 514, Row(Sender, StopsIssueInLane, TOO_BIG)),
    (515, 515, Row(Sender, Plain, UNSIGNED)),
    (517, 517, Row(Sender, Plain, UNSIGNED)),
    (519, 519, Row(Sender, Plain, UNSIGNED)),
    (535, 535, Row(Sender, Plain, UNSIGNED)),
    (536, 536, Row(Content, Plain, SPAM)),
    // Reputation of the sending address: accepted again hours later.
    (988, 999, Row(Defer, suspend_up_to(HOUR, 4 * HOUR), NONE)),
];

/// Replies whose wording is more precise than their code. In lower case; the first match counts.
pub(super) const WORDS: &[(&str, Row)] = &[
    // Each SFR code blocks the sending address for two hours.
    ("sfr_in_", Row(Defer, suspend(2 * HOUR), NONE)),
    ("gu_eib_", Row(Defer, suspend(2 * HOUR), NONE)),
    ("too many errors", Row(Defer, suspend(2 * HOUR), NONE)),
    // Yahoo's codes are more precise than the text around them.
    ("[ts03]", Row(Defer, slow_at(10, 30), NONE)),
    ("[ts04]", Row(Defer, suspend(2 * HOUR), NONE)),
    ("[tss04]", Row(Defer, suspend(2 * HOUR), NONE)),
    ("[ts05]", Row(Defer, suspend(4 * HOUR), NONE)),
    ("[tss05]", Row(Defer, suspend(4 * HOUR), NONE)),
    ("5.7.1 [bl", Row(Sender, StopsLane, LISTED)),
    // Free's block lasts a day at most and is lifted automatically.
    ("too many spams from your ip", Row(Defer, suspend_up_to(HOUR, 24 * HOUR), LISTED)),
    ("server busy, too many connections", Row(Defer, suspend_up_to(HOUR, 24 * HOUR), NONE)),
    // Outlook.
    ("(s3115)", Row(Defer, slow(HOUR), NONE)),
    ("exceeded the maximum number of connections", Row(Defer, slow(HOUR), NONE)),
    ("rate limited due to ip reputation", Row(Defer, suspend(30), NONE)),
    // Any provider.
    ("temporarily deferred", Row(Defer, slow_at(1, 90), NONE)),
    ("server busy", Row(Defer, slow_at(1, 90), NONE)),
    ("service refuse. veuillez", Row(Defer, suspend(HOUR), NONE)),
    ("trop de connexions", Row(Defer, slow(HOUR), NONE)),
    ("too many connections", Row(Defer, slow(HOUR), NONE)),
    ("too many messages for this session", Row(Defer, PerConnection, NONE)),
    ("too many messages in this", Row(Defer, PerConnection, NONE)),
    ("messages per connection", Row(Defer, PerConnection, NONE)),
    ("too many recipients", Row(Defer, PerConnection, NONE)),
    // A limit of the account at the relay, independent of the recipient; it ends by itself. Must precede the mailbox quotas.
    ("sending limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("sending quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("send quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("submission quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("message limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("message quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("recipient limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("rate limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("daily limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("daily quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("hourly limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("hourly quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("monthly limit", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("monthly quota", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("emails per hour", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("messages per hour", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("emails per day", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("messages per day", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("quota d'envoi", Row(Defer, ACCOUNT_LIMIT, NONE)),
    ("limite d'envoi", Row(Defer, ACCOUNT_LIMIT, NONE)),
    // The sender's account; "the account that you tried to reach is disabled" is about the recipient's.
    ("your account", Row(Sender, Plain, ACCOUNT)),
    ("votre compte", Row(Sender, Plain, ACCOUNT)),
    ("sender account", Row(Sender, Plain, ACCOUNT)),
    ("sending account", Row(Sender, Plain, ACCOUNT)),
    ("insufficient credit", Row(Sender, Plain, ACCOUNT)),
    ("not enough credit", Row(Sender, Plain, ACCOUNT)),
    ("out of credit", Row(Sender, Plain, ACCOUNT)),
    ("no more credit", Row(Sender, Plain, ACCOUNT)),
    ("account balance", Row(Sender, Plain, ACCOUNT)),
    ("subscription expired", Row(Sender, Plain, ACCOUNT)),
    ("subscription has expired", Row(Sender, Plain, ACCOUNT)),
    ("spam detected", Row(Content, Plain, SPAM)),
    ("mailbox full", Row(Soft, Plain, NONE)),
    ("mailbox is full", Row(Soft, Plain, NONE)),
    ("over quota", Row(Soft, Plain, NONE)),
    ("overquota", Row(Soft, Plain, NONE)),
    ("quota exceeded", Row(Soft, Plain, NONE)),
    // The name in our EHLO: Postfix rejects it only at RCPT.
    ("helo", Row(Sender, Plain, WRONG_NAME)),
    ("ehlo", Row(Sender, Plain, WRONG_NAME)),
    ("fully-qualified hostname", Row(Sender, Plain, WRONG_NAME)),
    ("reverse dns", Row(Sender, Plain, WRONG_NAME)),
    ("reverse hostname", Row(Sender, Plain, WRONG_NAME)),
    ("no ptr", Row(Sender, Plain, WRONG_NAME)),
    ("relay access denied", Row(Sender, Plain, LOGIN)),
    ("relaying denied", Row(Sender, Plain, LOGIN)),
    ("relay not permitted", Row(Sender, Plain, LOGIN)),
    ("relaying not allowed", Row(Sender, Plain, LOGIN)),
    ("unable to relay", Row(Sender, Plain, LOGIN)),
    ("do not relay", Row(Sender, Plain, LOGIN)),
    ("must authenticate", Row(Sender, Plain, LOGIN)),
    ("not authenticated", Row(Sender, Plain, LOGIN)),
    ("authentication required", Row(Sender, Plain, LOGIN)),
    ("spamhaus", Row(Sender, StopsLane, LISTED)),
    ("cloudmark", Row(Sender, StopsLane, LISTED)),
    ("client host blocked", Row(Sender, StopsLane, LISTED)),
    ("dmarc", Row(Sender, Plain, UNSIGNED)),
    ("spf check", Row(Sender, Plain, UNSIGNED)),
    ("sender address rejected", Row(Sender, Plain, SENDER)),
    ("invalid sender", Row(Sender, Plain, SENDER)),
    ("sender rejected", Row(Sender, Plain, SENDER)),
    ("sender denied", Row(Sender, Plain, SENDER)),
    ("sender not allowed", Row(Sender, Plain, SENDER)),
    ("sender is not allowed", Row(Sender, Plain, SENDER)),
    ("sender not authorized", Row(Sender, Plain, SENDER)),
    ("sender verify failed", Row(Sender, Plain, SENDER)),
    ("sender verification", Row(Sender, Plain, SENDER)),
    ("sender domain", Row(Sender, Plain, SENDER)),
    ("domain of sender", Row(Sender, Plain, SENDER)),
    ("unverified sender", Row(Sender, Plain, SENDER)),
    ("sender is not verified", Row(Sender, Plain, SENDER)),
    ("not owned by user", Row(Sender, Plain, SENDER)),
    ("not allowed to send", Row(Sender, Plain, SENDER)),
    ("not permitted to send", Row(Sender, Plain, SENDER)),
    ("not authorized to send", Row(Sender, Plain, SENDER)),
    ("from address", Row(Sender, Plain, SENDER)),
    ("expediteur", Row(Sender, Plain, SENDER)),
];

/// `4.subject.detail` in any phase: how it throttles.
pub(super) const ENHANCED_LATER: &[(u16, Option<u16>, Row)] = &[
    // Gmail: one mailbox receives too much, from all senders together.
    (2, Some(1), Row(Defer, Wait(HOUR), NONE)),
    // Gmail: too much from the sending address.
    (7, Some(28), Row(Defer, slow(HOUR), NONE)),
];

/// Wording of relays that send no enhanced status, in answer to RCPT.
pub(super) const NO_SUCH_PERSON: &[&str] = &[
    "user unknown",
    "unknown user",
    "no such user",
    "unknown recipient",
    "recipient unknown",
    "mailbox unavailable or does not exist",
    "invalid recipient",
    "utilisateur inconnu",
    "destinataire inconnu",
];

/// `5.subject.detail` in answer to RCPT; detail `None` is any other.
pub(super) const ENHANCED_AT_RCPT: &[(u16, Option<u16>, Row)] = &[
    (1, Some(1), Row(Hard, Plain, NONE)),
    (1, Some(2), Row(Hard, Plain, NONE)),
    (1, Some(7), Row(Sender, Plain, SENDER)),
    (1, Some(8), Row(Sender, Plain, SENDER)),
    (1, Some(10), Row(Hard, Plain, NONE)),
    (1, None, Row(Soft, Plain, NONE)),
    (2, None, Row(Soft, Plain, NONE)),
    (3, Some(4), Row(Sender, Plain, TOO_BIG)),
    (3, None, Row(Soft, Plain, NONE)),
    // Gmail's relay: the day's limit of the account.
    (4, Some(5), Row(Defer, ACCOUNT_LIMIT, NONE)),
    (4, None, Row(Soft, Plain, NONE)),
    // RFC 3463: protocol errors about the command, not the recipient.
    (5, Some(1), Row(Sender, Plain, COMMAND)),
    (5, Some(2), Row(Sender, Plain, COMMAND)),
    (5, Some(3), Row(Defer, PerConnection, NONE)),
    (5, Some(4), Row(Sender, Plain, COMMAND)),
    (5, None, Row(Soft, Plain, NONE)),
    (6, None, Row(Content, Plain, SPAM)),
    (7, Some(25), Row(Sender, StopsLane, WRONG_NAME)),
    (7, None, Row(Sender, Plain, UNSPECIFIED)),
];

/// The same once the relay has seen the content, or was about to.
pub(super) const ENHANCED_AT_DATA: &[(u16, Option<u16>, Row)] = &[
    (1, Some(1), Row(Hard, Plain, NONE)),
    (1, Some(2), Row(Hard, Plain, NONE)),
    (1, Some(7), Row(Sender, Plain, SENDER)),
    (1, Some(8), Row(Sender, Plain, SENDER)),
    (1, Some(10), Row(Hard, Plain, NONE)),
    (1, None, Row(Soft, Plain, NONE)),
    (2, None, Row(Soft, Plain, NONE)),
    (3, Some(4), Row(Sender, Plain, TOO_BIG)),
    (4, Some(5), Row(Defer, ACCOUNT_LIMIT, NONE)),
    (5, Some(1), Row(Sender, Plain, COMMAND)),
    (5, Some(2), Row(Sender, Plain, COMMAND)),
    (5, Some(4), Row(Sender, Plain, COMMAND)),
    // "Delivery not authorized" after the final dot comes from content filters; the neighbouring codes concern the sender.
    (7, Some(0), Row(Content, Plain, SPAM)),
    (7, Some(1), Row(Content, Plain, SPAM)),
    (7, Some(25), Row(Sender, StopsLane, WRONG_NAME)),
    (7, None, Row(Sender, Plain, UNSIGNED)),
];
