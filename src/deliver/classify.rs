//! A reply becomes a verdict: is it this person, this content, us, or simply later? Data first, then the order in which
//! it is read: the provider's own code, its words, the enhanced status, the basic code.
//!
//! Never decides that a person is gone on the strength of a 5xx alone: half of them speak of us.

use crate::domain::delivery::{Phase, Reply};
use crate::domain::pause::SenderFault;
use chrono::TimeDelta;

/// Whom a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The address is dead: failed, and never written to again.
    Hard,
    /// This person, this time (mailbox full): failed for this issue, the next one tries again.
    Soft,
    /// What we wrote was taken for spam: failed, but not the person's fault; three of them pause the issue.
    Content,
    /// We are refused, whoever the person is: queued again, the issue pauses at once, staff are told.
    Ours,
    /// Queued again, later.
    Defer,
}

/// What a "later" asks of the family of recipients it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// One connection for so many minutes, and no more messages a minute than this.
    Slow { minutes: u16, per_minute: Option<u32> },
    /// Nothing for `first` minutes; twice as long each time it is still so afterwards, up to `most`.
    Suspend { first: u16, most: u16 },
}

/// What stops where a refusal speaks of us to one family of recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stops {
    /// Everything to that family.
    Lane,
    /// This issue to that family; the next one may pass.
    IssueInLane,
}

/// What is to be done about a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub class: Class,
    /// The next try is not before this.
    pub at_least: TimeDelta,
    /// Too many connections, or too fast: the family slows down, or waits.
    pub brake: Option<Brake>,
    /// It speaks of us to one family of recipients: where there is such a lane this stops, and nothing else.
    pub stops: Option<Stops>,
    /// This connection has had its share; a new one may go on at once, and it counts against nobody.
    pub per_connection: bool,
    /// What is wrong on our side, where sending stops.
    pub fault: Option<SenderFault>,
}

const NOBODY_SAYS: Option<SenderFault> = Some(SenderFault::RelayRefuses);
const LISTED: Option<SenderFault> = Some(SenderFault::Blocklisted);
const NAMED_WRONG: Option<SenderFault> = Some(SenderFault::NameNotRecognised);
const UNSIGNED: Option<SenderFault> = Some(SenderFault::NotAuthenticated);
const SENDER: Option<SenderFault> = Some(SenderFault::SenderRefused);
const TOO_BIG: Option<SenderFault> = Some(SenderFault::MessageTooBig);
const LOGIN: Option<SenderFault> = Some(SenderFault::LoginWanted);
const ACCOUNT: Option<SenderFault> = Some(SenderFault::AccountBlocked);
const SPAM: Option<SenderFault> = Some(SenderFault::TakenForSpam);
const COMMAND: Option<SenderFault> = Some(SenderFault::CommandRefused);
const NONE: Option<SenderFault> = None;

/// One row of a table: the class, what follows beyond this delivery, and what is wrong on our side.
#[derive(Clone, Copy)]
struct Row(Class, Note, Option<SenderFault>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Note {
    Plain,
    /// This person's delivery waits so many minutes; nobody else's does.
    Wait(u16),
    Brakes(Brake),
    PerConnection,
    StopsLane,
    StopsIssueInLane,
}
use Class::{Content, Defer, Hard, Ours, Soft};
use Note::{Brakes, PerConnection, Plain, StopsIssueInLane, StopsLane, Wait};

/// One connection for so many minutes.
const fn slow(minutes: u16) -> Note {
    Brakes(Brake::Slow { minutes, per_minute: None })
}

/// One connection, and so many messages a minute.
const fn slow_at(per_minute: u32, minutes: u16) -> Note {
    Brakes(Brake::Slow { minutes, per_minute: Some(per_minute) })
}

/// Nothing for so many minutes, however often.
const fn suspend(minutes: u16) -> Note {
    Brakes(Brake::Suspend { first: minutes, most: minutes })
}

/// Nothing for so many minutes, twice as long each time, up to so many.
const fn suspend_up_to(first: u16, most: u16) -> Note {
    Brakes(Brake::Suspend { first, most })
}

const HOUR: u16 = 60;
/// Limits of an account are by the hour or by the day.
const ACCOUNT_LIMIT: Note = suspend_up_to(HOUR, 6 * HOUR);
/// A block that is said in a 4xx lifts by itself: KumoMTA waits two hours.
const BLOCKED_FOR_NOW: Brake = Brake::Suspend { first: 2 * HOUR, most: 2 * HOUR };

/// Orange, Wanadoo and La Poste: `OFRnnn_ccc`, `LPNnnn_ccc`, `OUK_ccc`; the last three digits carry the meaning.
const ORANGE_AND_LA_POSTE: &[(u16, u16, Row)] = &[
    (100, 103, Row(Ours, StopsLane, LISTED)),
    (104, 104, Row(Defer, slow(HOUR), NONE)),
    (105, 105, Row(Defer, suspend(HOUR), NONE)),
    (107, 107, Row(Ours, StopsLane, NAMED_WRONG)),
    (108, 108, Row(Defer, suspend(HOUR), NONE)),
    (109, 109, Row(Defer, PerConnection, NONE)),
    (200, 209, Row(Ours, StopsLane, NAMED_WRONG)),
    (390, 399, Row(Ours, Plain, UNSIGNED)),
    (401, 401, Row(Ours, Plain, UNSIGNED)),
    (403, 403, Row(Ours, Plain, SENDER)),
    (405, 405, Row(Ours, Plain, SENDER)),
    (415, 415, Row(Ours, Plain, SENDER)),
    (416, 416, Row(Hard, Plain, NONE)),
    // 5xx with 5.1.1, yet only a full mailbox.
    (417, 417, Row(Soft, Plain, NONE)),
    (420, 420, Row(Hard, Plain, NONE)),
    (421, 421, Row(Ours, Plain, SENDER)),
    (426, 426, Row(Hard, Plain, NONE)),
    // La Poste's "slow down".
    (503, 503, Row(Defer, slow(HOUR), NONE)),
    (505, 505, Row(Defer, suspend(HOUR), NONE)),
    (506, 506, Row(Content, Plain, SPAM)),
    (510, 510, Row(Content, Plain, SPAM)),
    (513, 513, Row(Content, Plain, SPAM)),
    (514, 514, Row(Ours, StopsIssueInLane, TOO_BIG)),
    (515, 515, Row(Ours, Plain, UNSIGNED)),
    (517, 517, Row(Ours, Plain, UNSIGNED)),
    (519, 519, Row(Ours, Plain, UNSIGNED)),
    (535, 535, Row(Ours, Plain, UNSIGNED)),
    (536, 536, Row(Content, Plain, SPAM)),
    // Our reputation: what is refused now is taken hours later.
    (988, 999, Row(Defer, suspend_up_to(HOUR, 4 * HOUR), NONE)),
];

/// Where the words say more than the code. In lower case; the first that is found counts.
const WORDS: &[(&str, Row)] = &[
    // Each SFR code blocks our address for two hours.
    ("sfr_in_", Row(Defer, suspend(2 * HOUR), NONE)),
    ("gu_eib_", Row(Defer, suspend(2 * HOUR), NONE)),
    ("too many errors", Row(Defer, suspend(2 * HOUR), NONE)),
    // Yahoo's codes say more than the words around them.
    ("[ts03]", Row(Defer, slow_at(10, 30), NONE)),
    ("[ts04]", Row(Defer, suspend(2 * HOUR), NONE)),
    ("[tss04]", Row(Defer, suspend(2 * HOUR), NONE)),
    ("[ts05]", Row(Defer, suspend(4 * HOUR), NONE)),
    ("[tss05]", Row(Defer, suspend(4 * HOUR), NONE)),
    ("5.7.1 [bl", Row(Ours, StopsLane, LISTED)),
    // Free's block lasts a day at the most, and lifts by itself.
    ("too many spams from your ip", Row(Defer, suspend_up_to(HOUR, 24 * HOUR), LISTED)),
    ("server busy, too many connections", Row(Defer, suspend_up_to(HOUR, 24 * HOUR), NONE)),
    // Outlook.
    ("(s3115)", Row(Defer, slow(HOUR), NONE)),
    ("exceeded the maximum number of connections", Row(Defer, slow(HOUR), NONE)),
    ("rate limited due to ip reputation", Row(Defer, suspend(30), NONE)),
    // Whoever says it.
    ("temporarily deferred", Row(Defer, slow_at(1, 90), NONE)),
    ("server busy", Row(Defer, slow_at(1, 90), NONE)),
    ("service refuse. veuillez", Row(Defer, suspend(HOUR), NONE)),
    ("trop de connexions", Row(Defer, slow(HOUR), NONE)),
    ("too many connections", Row(Defer, slow(HOUR), NONE)),
    ("too many messages for this session", Row(Defer, PerConnection, NONE)),
    ("too many messages in this", Row(Defer, PerConnection, NONE)),
    ("messages per connection", Row(Defer, PerConnection, NONE)),
    ("too many recipients", Row(Defer, PerConnection, NONE)),
    // A limit of our account at the relay, whoever the recipient: it lifts by itself. Before the mailboxes' quotas.
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
    // Our account itself; "the account that you tried to reach is disabled" is the recipient's.
    ("your account", Row(Ours, Plain, ACCOUNT)),
    ("votre compte", Row(Ours, Plain, ACCOUNT)),
    ("sender account", Row(Ours, Plain, ACCOUNT)),
    ("sending account", Row(Ours, Plain, ACCOUNT)),
    ("insufficient credit", Row(Ours, Plain, ACCOUNT)),
    ("not enough credit", Row(Ours, Plain, ACCOUNT)),
    ("out of credit", Row(Ours, Plain, ACCOUNT)),
    ("no more credit", Row(Ours, Plain, ACCOUNT)),
    ("account balance", Row(Ours, Plain, ACCOUNT)),
    ("subscription expired", Row(Ours, Plain, ACCOUNT)),
    ("subscription has expired", Row(Ours, Plain, ACCOUNT)),
    ("spam detected", Row(Content, Plain, SPAM)),
    ("mailbox full", Row(Soft, Plain, NONE)),
    ("mailbox is full", Row(Soft, Plain, NONE)),
    ("over quota", Row(Soft, Plain, NONE)),
    ("overquota", Row(Soft, Plain, NONE)),
    ("quota exceeded", Row(Soft, Plain, NONE)),
    // The name we said hello with: Postfix says so at RCPT.
    ("helo", Row(Ours, Plain, NAMED_WRONG)),
    ("ehlo", Row(Ours, Plain, NAMED_WRONG)),
    ("fully-qualified hostname", Row(Ours, Plain, NAMED_WRONG)),
    ("reverse dns", Row(Ours, Plain, NAMED_WRONG)),
    ("reverse hostname", Row(Ours, Plain, NAMED_WRONG)),
    ("no ptr", Row(Ours, Plain, NAMED_WRONG)),
    ("relay access denied", Row(Ours, Plain, LOGIN)),
    ("relaying denied", Row(Ours, Plain, LOGIN)),
    ("relay not permitted", Row(Ours, Plain, LOGIN)),
    ("relaying not allowed", Row(Ours, Plain, LOGIN)),
    ("unable to relay", Row(Ours, Plain, LOGIN)),
    ("do not relay", Row(Ours, Plain, LOGIN)),
    ("must authenticate", Row(Ours, Plain, LOGIN)),
    ("not authenticated", Row(Ours, Plain, LOGIN)),
    ("authentication required", Row(Ours, Plain, LOGIN)),
    ("spamhaus", Row(Ours, StopsLane, LISTED)),
    ("cloudmark", Row(Ours, StopsLane, LISTED)),
    ("client host blocked", Row(Ours, StopsLane, LISTED)),
    ("dmarc", Row(Ours, Plain, UNSIGNED)),
    ("spf check", Row(Ours, Plain, UNSIGNED)),
    ("sender address rejected", Row(Ours, Plain, SENDER)),
    ("invalid sender", Row(Ours, Plain, SENDER)),
    ("sender rejected", Row(Ours, Plain, SENDER)),
    ("sender denied", Row(Ours, Plain, SENDER)),
    ("sender not allowed", Row(Ours, Plain, SENDER)),
    ("sender is not allowed", Row(Ours, Plain, SENDER)),
    ("sender not authorized", Row(Ours, Plain, SENDER)),
    ("sender verify failed", Row(Ours, Plain, SENDER)),
    ("sender verification", Row(Ours, Plain, SENDER)),
    ("sender domain", Row(Ours, Plain, SENDER)),
    ("domain of sender", Row(Ours, Plain, SENDER)),
    ("unverified sender", Row(Ours, Plain, SENDER)),
    ("sender is not verified", Row(Ours, Plain, SENDER)),
    ("not owned by user", Row(Ours, Plain, SENDER)),
    ("not allowed to send", Row(Ours, Plain, SENDER)),
    ("not permitted to send", Row(Ours, Plain, SENDER)),
    ("not authorized to send", Row(Ours, Plain, SENDER)),
    ("from address", Row(Ours, Plain, SENDER)),
    ("expediteur", Row(Ours, Plain, SENDER)),
];

/// `4.subject.detail`, whatever it answers: what it asks of the pace.
const ENHANCED_LATER: &[(u16, Option<u16>, Row)] = &[
    // Gmail: one mailbox gets too much, from whomever.
    (2, Some(1), Row(Defer, Wait(HOUR), NONE)),
    // Gmail: too much from our address.
    (7, Some(28), Row(Defer, slow(HOUR), NONE)),
];

/// Words of relays that give no enhanced status, for an answer to RCPT.
const NO_SUCH_PERSON: &[&str] = &[
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
const ENHANCED_AT_RCPT: &[(u16, Option<u16>, Row)] = &[
    (1, Some(1), Row(Hard, Plain, NONE)),
    (1, Some(2), Row(Hard, Plain, NONE)),
    (1, Some(7), Row(Ours, Plain, SENDER)),
    (1, Some(8), Row(Ours, Plain, SENDER)),
    (1, Some(10), Row(Hard, Plain, NONE)),
    (1, None, Row(Soft, Plain, NONE)),
    (2, None, Row(Soft, Plain, NONE)),
    (3, Some(4), Row(Ours, Plain, TOO_BIG)),
    (3, None, Row(Soft, Plain, NONE)),
    // Gmail's relay: the day's limit of the account.
    (4, Some(5), Row(Defer, ACCOUNT_LIMIT, NONE)),
    (4, None, Row(Soft, Plain, NONE)),
    // RFC 3463: what the protocol says of our command, not of the person.
    (5, Some(1), Row(Ours, Plain, COMMAND)),
    (5, Some(2), Row(Ours, Plain, COMMAND)),
    (5, Some(3), Row(Defer, PerConnection, NONE)),
    (5, Some(4), Row(Ours, Plain, COMMAND)),
    (5, None, Row(Soft, Plain, NONE)),
    (6, None, Row(Content, Plain, SPAM)),
    (7, Some(25), Row(Ours, StopsLane, NAMED_WRONG)),
    (7, None, Row(Ours, Plain, NOBODY_SAYS)),
];

/// The same once the relay has seen, or was about to see, what we write.
const ENHANCED_AT_DATA: &[(u16, Option<u16>, Row)] = &[
    (1, Some(1), Row(Hard, Plain, NONE)),
    (1, Some(2), Row(Hard, Plain, NONE)),
    (1, Some(7), Row(Ours, Plain, SENDER)),
    (1, Some(8), Row(Ours, Plain, SENDER)),
    (1, Some(10), Row(Hard, Plain, NONE)),
    (1, None, Row(Soft, Plain, NONE)),
    (2, None, Row(Soft, Plain, NONE)),
    (3, Some(4), Row(Ours, Plain, TOO_BIG)),
    (4, Some(5), Row(Defer, ACCOUNT_LIMIT, NONE)),
    (5, Some(1), Row(Ours, Plain, COMMAND)),
    (5, Some(2), Row(Ours, Plain, COMMAND)),
    (5, Some(4), Row(Ours, Plain, COMMAND)),
    // "Delivery not authorized" after the dot is what filters say of the text; its neighbours speak of us.
    (7, Some(0), Row(Content, Plain, SPAM)),
    (7, Some(1), Row(Content, Plain, SPAM)),
    (7, Some(25), Row(Ours, StopsLane, NAMED_WRONG)),
    (7, None, Row(Ours, Plain, UNSIGNED)),
];

/// What a reply of 4xx or 5xx means at this point of the conversation.
pub fn classify(phase: Phase, reply: &Reply) -> Verdict {
    let code = reply.code.unwrap_or(0);
    // With the apostrophe and the letters that the tables have.
    let text = reply.text.to_lowercase().replace('\u{2019}', "'").replace('\u{e9}', "e");
    let row = provider_row(&text)
        .or_else(|| WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, row)| *row))
        .or_else(|| reply.enhanced.as_deref().filter(|_| code < 500).and_then(|it| row_of(ENHANCED_LATER, it)))
        .unwrap_or_else(|| standard_row(phase, code, reply.enhanced.as_deref(), &text));
    let Row(class, note, fault) = row;
    let brake = match note {
        Brakes(brake) => Some(brake),
        StopsLane => Some(BLOCKED_FOR_NOW),
        _ => None,
    };
    let minutes = match (note, brake) {
        (Wait(minutes), _) | (_, Some(Brake::Suspend { first: minutes, .. })) => minutes,
        _ => 0,
    };
    Verdict {
        // A 4xx is "later" by definition, whatever its words.
        class: if code < 500 { Defer } else { class },
        at_least: TimeDelta::minutes(i64::from(minutes)),
        brake,
        per_connection: note == PerConnection,
        stops: match note {
            StopsLane => Some(Stops::Lane),
            StopsIssueInLane => Some(Stops::IssueInLane),
            _ => None,
        },
        fault,
    }
}

fn provider_row(text: &str) -> Option<Row> {
    let code = ["ofr", "lpn", "ouk"].into_iter().find_map(|family| provider_code(text, family))?;
    ORANGE_AND_LA_POSTE.iter().find(|(from, to, _)| (*from..=*to).contains(&code)).map(|(_, _, row)| *row)
}

/// The `104` of `OFR005_104`, `OFR_104`, `LPNAAA_104`, `LPN104`.
fn provider_code(text: &str, family: &str) -> Option<u16> {
    text.match_indices(family).find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let rest = &text[at + family.len()..];
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        let digits = word.split_once('_').map_or(word, |(_, digits)| digits);
        let starts_a_word = !before.is_some_and(|c| c.is_alphanumeric());
        (starts_a_word && digits.len() == 3).then(|| digits.parse().ok()).flatten()
    })
}

fn standard_row(phase: Phase, code: u16, enhanced: Option<&str>, text: &str) -> Row {
    let table = match phase {
        Phase::Rcpt => ENHANCED_AT_RCPT,
        Phase::Data | Phase::Body | Phase::Dot => ENHANCED_AT_DATA,
        // No person has been named yet.
        _ => return Row(Ours, Plain, if phase == Phase::Mail { SENDER } else { NOBODY_SAYS }),
    };
    // Out of step: nothing was decided about anybody.
    if code == 503 {
        return Row(Defer, PerConnection, NONE);
    }
    enhanced.and_then(|enhanced| row_of(table, enhanced)).unwrap_or_else(|| match (phase, code) {
        (_, 530..=538) => Row(Ours, Plain, LOGIN),
        // An address may be one that the relay cannot parse.
        (Phase::Rcpt, 501) if ["address", "adresse", "recipient"].iter().any(|word| text.contains(word)) => {
            Row(Soft, Plain, NONE)
        }
        // RFC 5321 4.2.2: these codes speak of the command.
        (_, 500..=504) => Row(Ours, Plain, COMMAND),
        (Phase::Rcpt, 550..=554) if NO_SUCH_PERSON.iter().any(|words| text.contains(words)) => Row(Hard, Plain, NONE),
        (Phase::Rcpt, _) | (_, 552) => Row(Soft, Plain, NONE),
        _ => Row(Content, Plain, SPAM),
    })
}

fn row_of(table: &[(u16, Option<u16>, Row)], enhanced: &str) -> Option<Row> {
    let (subject, detail) = subject_and_detail(enhanced)?;
    let row = table.iter().find(|(s, d, _)| *s == subject && d.is_none_or(|d| d == detail));
    row.map(|(_, _, row)| *row)
}

/// `(1, 10)` of `5.1.10`
fn subject_and_detail(enhanced: &str) -> Option<(u16, u16)> {
    let (subject, detail) = enhanced.split_once('.')?.1.split_once('.')?;
    Some((subject.parse().ok()?, detail.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::reply::Answer;

    fn verdict(phase: Phase, line: &str) -> Verdict {
        let mut answer = Answer::default();
        answer.push_line(line.as_bytes()).unwrap();
        classify(phase, &answer.reply())
    }

    #[test]
    fn each_provider_reply_has_its_class() {
        use Phase::{Data, Dot, Mail, Rcpt};
        for (phase, line, class) in [
            (Rcpt, "421 mwinf5c79 ME Trop de connexions. Too many connections, slow down. OFR005_104 [104]", Defer),
            (Rcpt, "421 Veuillez essayer plus tard. LPN003_109", Defer),
            (Rcpt, "421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. OFR_999 [999]", Defer),
            (Rcpt, "550 mwinf5c11 ME Client host blocked for spamming issues. OFR006_102 [102]", Ours),
            (Rcpt, "550 5.5.0 LPN006_107", Ours),
            (Dot, "571 5.7.1 Message refused, DMARC verification Failed LPN007_517", Ours),
            (Rcpt, "501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]", Ours),
            (Rcpt, "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", Hard),
            (Rcpt, "550 5.1.1 LPN416", Hard),
            (Rcpt, "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]", Soft),
            (Rcpt, "550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420", Hard),
            (Dot, "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", Content),
            (Dot, "552 5.3.4 Taille limite du message atteinte LPN007_514", Ours),
            (Rcpt, "450 4.7.1 SFR_IN_101", Defer),
            (Rcpt, "421 Too many spams from your IP (192.0.2.10), please visit http://postmaster.example/", Defer),
            (Dot, "550 spam detected", Content),
            (Dot, "550 5.7.26 This mail has been blocked because the sender is unauthenticated", Ours),
            (Dot, "550 5.7.515 Access denied, sending domain example-ot.fr does not meet the level", Ours),
            (Rcpt, "451 4.7.652 The mail server has exceeded the maximum number of connections (S3115)", Defer),
            (Rcpt, "553 5.7.1 [BL21] Connections will not be accepted", Ours),
            (Rcpt, "550 5.1.1 user unknown", Hard),
            (Rcpt, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Hard),
            (Rcpt, "550 5.1.3 bad syntax", Soft),
            (Rcpt, "550 5.2.1 disabled", Soft),
            (Rcpt, "550 5.2.1 The email account that you tried to reach is disabled", Soft),
            (Rcpt, "550 user unknown", Hard),
            (Rcpt, "550 go away", Soft),
            (Rcpt, "552 too many recipients", Defer),
            (Rcpt, "554 5.7.1 Relay access denied", Ours),
            (Rcpt, "530 log in first", Ours),
            (Rcpt, "503 out of step", Defer),
            (Mail, "550 no", Ours),
            (Mail, "552 5.3.4 too big", Ours),
            (Data, "554 no", Content),
            (Dot, "554 5.7.1 fault after the dot", Content),
            (Dot, "550 5.1.1 no such person after all", Hard),
            (Dot, "452 4.2.2 full", Defer),
            (Dot, "451 4.7.1 DMARC: temporary", Defer),
        ] {
            assert_eq!(verdict(phase, line).class, class, "{line}");
        }
    }

    /// Field report 1 and its kind: what relays say of the sender, the command, the account or a quota, in answer to RCPT.
    #[test]
    fn field_report_1_a_refusal_of_the_sender_the_command_the_account_or_a_quota_fails_nobody() {
        for line in [
            "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname",
            "450 4.7.1 <vm>: Helo command rejected: Host not found",
            "550 5.7.1 <vm>: Helo command rejected: Host not found",
            "504 <vm>: Helo command rejected: need fully-qualified hostname",
            "501 5.5.4 Invalid domain name",
            "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
            "500 5.5.2 Error: bad syntax",
            "502 5.5.1 Command not implemented",
            "503 5.5.1 Bad sequence of commands",
            "503 5.5.1 Error: need MAIL command",
            "504 5.5.4 unsupported parameter",
            "501 Syntax error in parameters or arguments",
            "550 5.4.5 Daily user sending limit exceeded",
            "550 5.4.5 Daily sending quota exceeded",
            "552 5.2.2 Sending quota exceeded for this user",
            "550 Domain office.example has exceeded the max emails per hour (250/250 (100%)) allowed",
            "554 5.7.0 Your account has been suspended",
            "550 5.1.0 Sender domain not verified",
            "550 5.1.0 Address rejected: sender not authorized",
            "553 5.7.1 <office@office.example>: Sender address rejected: not owned by user x",
            "550 Quota d'envoi atteint",
            "550 Quota d\u{2019}envoi atteint",
            "550 Exp\u{e9}diteur refus\u{e9}",
            "550 The from address does not match a verified Sender Identity",
            "550 Relay not permitted",
            "550 5.7.25 no PTR record",
            "550 Insufficient credits",
        ] {
            for phase in [Phase::Rcpt, Phase::Data, Phase::Dot] {
                let class = verdict(phase, line).class;
                assert!(matches!(class, Ours | Defer), "{phase:?} {line}: {class:?}");
            }
        }
        for line in [
            "501 5.1.3 Bad recipient address syntax",
            "501 <a..b@x.example>: malformed address",
            "552 5.2.2 Mailbox full",
            "552 5.2.2 user is over quota",
            "550 5.1.1 no such user",
            "550 5.2.1 The email account that you tried to reach is disabled",
        ] {
            assert!(matches!(verdict(Phase::Rcpt, line).class, Soft | Hard), "{line}");
        }
    }

    #[test]
    fn a_4xx_fails_nobody_whatever_it_says() {
        for phase in Phase::ALL {
            for text in ["5.1.1 user unknown", "OFR_416", "LPN007_517 DMARC", "spam detected", ""] {
                assert_eq!(verdict(phase, &format!("450 {text}")).class, Defer);
            }
        }
    }

    #[test]
    fn a_refusal_of_us_never_fails_a_person() {
        for detail in [8, 20, 23, 26, 27, 30, 32, 40, 509, 515] {
            for phase in [Phase::Mail, Phase::Rcpt, Phase::Dot] {
                assert_eq!(verdict(phase, &format!("550 5.7.{detail} no")).class, Ours, "{phase:?} 5.7.{detail}");
            }
        }
    }

    #[test]
    fn each_provider_reply_brakes_its_lane_as_the_tables_say() {
        let (hour, day) = (HOUR, 24 * HOUR);
        let slow = |minutes, per_minute| Some(Brake::Slow { minutes, per_minute });
        let suspend = |first, most| Some(Brake::Suspend { first, most });
        for (line, brake) in [
            ("421 ME Trop de connexions. Too many connections, slow down. OFR005_104 [104]", slow(hour, None)),
            ("421 Too many connections, slow down. LPN105_104", slow(hour, None)),
            ("421 Veuillez essayer plus tard. LPN003_109", None),
            ("421 Service refuse. OFR005_105 [105]", suspend(hour, hour)),
            ("421 Service refuse. OFR005_108 [108]", suspend(hour, hour)),
            ("421 Service refuse. Veuillez essayer plus tard. OFR005_505 [505]", suspend(hour, hour)),
            ("421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard.", suspend(hour, hour)),
            ("421 ME Service refuse. Veuillez essayer plus tard. OFR_988 [988]", suspend(hour, 4 * hour)),
            ("421 ME Service refuse. Veuillez essayer plus tard. OFR_990 [990]", suspend(hour, 4 * hour)),
            ("421 ME Service refuse. Veuillez essayer plus tard. OFR_993 [993]", suspend(hour, 4 * hour)),
            ("421 ME Service refuse. Veuillez essayer plus tard. OFR_999 [999]", suspend(hour, 4 * hour)),
            ("451 4.7.1 Ralentissez. LPN027_503", slow(hour, None)),
            ("421 Client host blocked. OFR006_102 Ref http://csi.cloudmark.example", suspend(2 * hour, 2 * hour)),
            ("450 4.7.1 listed by Spamhaus", suspend(2 * hour, 2 * hour)),
            ("450 4.7.1 SFR_IN_101", suspend(2 * hour, 2 * hour)),
            ("450 4.7.1 SFR_IN_105", suspend(2 * hour, 2 * hour)),
            ("450 4.7.1 GU_EIB_04", suspend(2 * hour, 2 * hour)),
            ("421 4.7.0 smtp-in Error: too many errors", suspend(2 * hour, 2 * hour)),
            ("421 Too many spams from your IP (192.0.2.10), please visit http://x.example/", suspend(hour, day)),
            ("421 Server busy, too many connections from your IP", suspend(hour, day)),
            ("421-4.7.28 Our system has detected an unusual rate of unsolicited mail", slow(hour, None)),
            ("450 4.2.1 The user you are trying to contact is receiving mail too quickly", None),
            ("452 4.2.2 The recipient's inbox is out of storage space", None),
            ("451 4.7.652 has exceeded the maximum number of connections.", slow(hour, None)),
            ("451 4.7.652 Please try again later (S3115)", slow(hour, None)),
            ("451 4.7.650 has been temporarily rate limited due to IP reputation", suspend(30, 30)),
            ("421 4.7.0 [TS03] All messages will be temporarily deferred", slow(30, Some(10))),
            ("421 4.7.0 [TS04] Messages temporarily deferred", suspend(2 * hour, 2 * hour)),
            ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", suspend(2 * hour, 2 * hour)),
            ("421 4.7.0 [TS05] Messages temporarily deferred", suspend(4 * hour, 4 * hour)),
            ("421 4.7.0 [TSS05] Messages temporarily deferred", suspend(4 * hour, 4 * hour)),
            ("421 4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred", slow(90, Some(1))),
            ("451 Server busy. Please try again later from 192.0.2.1", slow(90, Some(1))),
        ] {
            assert_eq!(verdict(Phase::Rcpt, line).brake, brake, "{line}");
        }
    }

    #[test]
    fn what_stops_and_for_whom_comes_from_the_tables() {
        for (line, stops, fault) in [
            ("550 Adresse IP source bloquee. OFR006_100", Some(Stops::Lane), LISTED),
            ("550 Client host blocked for spamming issues. OFR006_103", Some(Stops::Lane), LISTED),
            ("550 LPNAAA_101 Spamhaus", Some(Stops::Lane), LISTED),
            ("550 LPN006_107", Some(Stops::Lane), NAMED_WRONG),
            ("550 OFR004_201", Some(Stops::Lane), NAMED_WRONG),
            ("553 5.7.1 [BL21] Connections will not be accepted", Some(Stops::Lane), LISTED),
            ("552 5.3.4 Taille limite du message atteinte LPN007_514", Some(Stops::IssueInLane), TOO_BIG),
            ("550 Invalid Sender. SPF check failed OFR004_391", None, UNSIGNED),
            ("501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]", None, SENDER),
            ("550 5.1.1 nobody [bl21.example]", None, NONE),
        ] {
            let verdict = verdict(Phase::Rcpt, line);
            assert_eq!((verdict.stops, verdict.fault), (stops, fault), "{line}");
        }
    }

    #[test]
    fn the_wait_of_the_delivery_itself_is_that_of_its_lane_or_its_mailbox() {
        assert_eq!(verdict(Phase::Rcpt, "450 4.7.1 SFR_IN_105").at_least, TimeDelta::hours(2));
        assert_eq!(verdict(Phase::Rcpt, "450 4.2.1 too quickly").at_least, TimeDelta::hours(1));
        assert_eq!(verdict(Phase::Rcpt, "421 slow down OFR005_104").at_least, TimeDelta::zero());
        assert!(verdict(Phase::Mail, "421 4.7.0 Too many messages for this session").per_connection);
        assert!(!verdict(Phase::Rcpt, "421 4.7.0 try again later").per_connection);
    }

    #[test]
    fn a_word_that_only_looks_like_a_code_is_none() {
        for text in ["profr_416", "ofr", "ofr_", "ofr_41", "ofr_4160", "lpnabc"] {
            let found = ["ofr", "lpn"].into_iter().find_map(|family| provider_code(text, family));
            assert_eq!(found, None, "{text}");
        }
        assert_eq!(provider_code("x ofr_9 ofr004_104 [104]", "ofr"), Some(104));
    }
}
