//! Classifies a reply of the relay: does it concern the recipient, the content, the sender, or is it temporary? The tables come
//! first, then the order in which they are consulted: the provider's own code, its wording, the enhanced status, the basic code.
//!
//! Must never conclude from a 5xx code alone that an address is dead: half of these codes concern the sender.

use super::delivery::{Phase, Reply};
use super::pause::SenderFault;
use chrono::TimeDelta;

mod tables;

use Class::{Content, Defer, Hard, Sender, Soft};
use tables::Note::{PerConnection, Plain, StopsIssueInLane, StopsLane, Throttles, Wait};
use tables::{
    BLOCKED_FOR_NOW, COMMAND, ENHANCED_AT_DATA, ENHANCED_AT_RCPT, ENHANCED_LATER, LOGIN, NO_SUCH_PERSON, NONE,
    ORANGE_AND_LA_POSTE, Row, SENDER, SPAM, UNSPECIFIED, WORDS,
};

/// What a refusal concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The address is dead: the delivery fails, and the address is never mailed again.
    Hard,
    /// This recipient, this time (mailbox full): the delivery fails, the next issue tries again.
    Soft,
    /// The content was classified as spam: the delivery fails, the address stays valid; three of them pause the issue.
    Content,
    /// The sender is refused, whatever the recipient: the delivery is queued again, the issue pauses at once, staff are notified.
    Sender,
    /// Temporary: the delivery is queued again.
    Defer,
}

impl Class {
    pub const ALL: [Class; 5] = [Class::Hard, Class::Soft, Class::Content, Class::Sender, Class::Defer];

    /// The word of the ledger and of `log --json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Hard => "hard",
            Class::Soft => "soft",
            Class::Content => "content",
            Class::Sender => "sender",
            Class::Defer => "defer",
        }
    }
}

/// How a temporary refusal throttles the family of recipients it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// One connection, and at most `per_minute` messages a minute, for this many minutes.
    Slow { minutes: u16, per_minute: Option<u32> },
    /// Nothing for `first` minutes; doubled each time the refusal is repeated afterwards, up to `most`.
    Suspend { first: u16, most: u16 },
}

/// What is stopped when one family of recipients refuses the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseScope {
    /// Everything to that family.
    Lane,
    /// Only this issue to that family; the next one may be accepted.
    IssueInLane,
}

/// The consequences of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classification {
    pub class: Class,
    /// Minimum wait until the next attempt.
    pub at_least: TimeDelta,
    /// Set for too many connections or too high a rate: the family is slowed down or suspended.
    pub throttle: Option<Throttle>,
    /// Set if one family of recipients refuses the sender: if it has a lane, only that lane is stopped.
    pub stops: Option<PauseScope>,
    /// A limit per connection was reached: a new connection may continue at once, and the delivery is not charged with it.
    pub per_connection: bool,
    /// The fault on the sender's side, if sending stops.
    pub fault: Option<SenderFault>,
}

/// Classifies a 4xx or 5xx reply received in this phase.
pub fn classify(phase: Phase, reply: &Reply) -> Classification {
    let code = reply.code.unwrap_or(0);
    // Normalised to the apostrophe and the letters of the tables.
    let text = reply.text.to_lowercase().replace('\u{2019}', "'").replace('\u{e9}', "e");
    let row = provider_row(&text)
        .or_else(|| WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, row)| *row))
        .or_else(|| reply.enhanced.as_deref().filter(|_| code < 500).and_then(|it| row_of(ENHANCED_LATER, it)))
        .unwrap_or_else(|| standard_row(phase, code, reply.enhanced.as_deref(), &text));
    let Row(class, note, fault) = row;
    let throttle = match note {
        Throttles(throttle) => Some(throttle),
        StopsLane => Some(BLOCKED_FOR_NOW),
        _ => None,
    };
    let minutes = match (note, throttle) {
        (Wait(minutes), _) | (_, Some(Throttle::Suspend { first: minutes, .. })) => minutes,
        _ => 0,
    };
    Classification {
        // A 4xx is temporary by definition, whatever its text says.
        class: if code < 500 { Defer } else { class },
        at_least: TimeDelta::minutes(i64::from(minutes)),
        throttle,
        per_connection: note == PerConnection,
        stops: match note {
            StopsLane => Some(PauseScope::Lane),
            StopsIssueInLane => Some(PauseScope::IssueInLane),
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
        // No recipient has been named yet.
        _ => return Row(Sender, Plain, if phase == Phase::Mail { SENDER } else { UNSPECIFIED }),
    };
    // Bad sequence of commands: says nothing about the recipient.
    if code == 503 {
        return Row(Defer, PerConnection, NONE);
    }
    enhanced.and_then(|enhanced| row_of(table, enhanced)).unwrap_or_else(|| match (phase, code) {
        (_, 530..=538) => Row(Sender, Plain, LOGIN),
        // The relay may be unable to parse the address.
        (Phase::Rcpt, 501) if ["address", "adresse", "recipient"].iter().any(|word| text.contains(word)) => {
            Row(Soft, Plain, NONE)
        }
        // RFC 5321 4.2.2: these codes are about the command.
        (_, 500..=504) => Row(Sender, Plain, COMMAND),
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
    use super::tables::{HOUR, LISTED, TOO_BIG, UNSIGNED, WRONG_NAME};
    use super::*;

    fn classification(phase: Phase, line: &str) -> Classification {
        let code = line[..3].parse().unwrap();
        classify(phase, &Reply::new(code, line[3..].trim_start_matches([' ', '-'])))
    }

    #[test]
    fn each_provider_reply_has_its_class() {
        use Phase::{Data, Dot, Mail, Rcpt};
        for (phase, line, class) in [
            (Rcpt, "421 mwinf5c79 ME Trop de connexions. Too many connections, slow down. OFR005_104 [104]", Defer),
            (Rcpt, "421 Veuillez essayer plus tard. LPN003_109", Defer),
            (Rcpt, "421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. OFR_999 [999]", Defer),
            (Rcpt, "550 mwinf5c11 ME Client host blocked for spamming issues. OFR006_102 [102]", Sender),
            (Rcpt, "550 5.5.0 LPN006_107", Sender),
            (Dot, "571 5.7.1 Message refused, DMARC verification Failed LPN007_517", Sender),
            (Rcpt, "501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]", Sender),
            (Rcpt, "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", Hard),
            (Rcpt, "550 5.1.1 LPN416", Hard),
            (Rcpt, "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]", Soft),
            (Rcpt, "550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420", Hard),
            (Dot, "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", Content),
            (Dot, "552 5.3.4 Taille limite du message atteinte LPN007_514", Sender),
            (Rcpt, "450 4.7.1 SFR_IN_101", Defer),
            (Rcpt, "421 Too many spams from your IP (192.0.2.10), please visit http://postmaster.example/", Defer),
            (Dot, "550 spam detected", Content),
            (Dot, "550 5.7.26 This mail has been blocked because the sender is unauthenticated", Sender),
            (Dot, "550 5.7.515 Access denied, sending domain example-ot.fr does not meet the level", Sender),
            (Rcpt, "451 4.7.652 The mail server has exceeded the maximum number of connections (S3115)", Defer),
            (Rcpt, "553 5.7.1 [BL21] Connections will not be accepted", Sender),
            (Rcpt, "550 5.1.1 user unknown", Hard),
            (Rcpt, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Hard),
            (Rcpt, "550 5.1.3 bad syntax", Soft),
            (Rcpt, "550 5.2.1 disabled", Soft),
            (Rcpt, "550 5.2.1 The email account that you tried to reach is disabled", Soft),
            (Rcpt, "550 user unknown", Hard),
            (Rcpt, "550 go away", Soft),
            (Rcpt, "552 too many recipients", Defer),
            (Rcpt, "554 5.7.1 Relay access denied", Sender),
            (Rcpt, "530 log in first", Sender),
            (Rcpt, "503 out of step", Defer),
            (Mail, "550 no", Sender),
            (Mail, "552 5.3.4 too big", Sender),
            (Data, "554 no", Content),
            (Dot, "554 5.7.1 fault after the dot", Content),
            (Dot, "550 5.1.1 no such person after all", Hard),
            (Dot, "452 4.2.2 full", Defer),
            (Dot, "451 4.7.1 DMARC: temporary", Defer),
        ] {
            assert_eq!(classification(phase, line).class, class, "{line}");
        }
    }

    /// Field report 1 and similar cases: replies to RCPT about the sender, the command, the account or a quota.
    #[test]
    fn field_report_1_a_refusal_of_the_sender_the_command_the_account_or_a_quota_fails_no_delivery() {
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
                let class = classification(phase, line).class;
                assert!(matches!(class, Sender | Defer), "{phase:?} {line}: {class:?}");
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
            assert!(matches!(classification(Phase::Rcpt, line).class, Soft | Hard), "{line}");
        }
    }

    #[test]
    fn a_4xx_never_fails_a_delivery() {
        for phase in Phase::ALL {
            for text in ["5.1.1 user unknown", "OFR_416", "LPN007_517 DMARC", "spam detected", ""] {
                assert_eq!(classification(phase, &format!("450 {text}")).class, Defer);
            }
        }
    }

    #[test]
    fn a_refusal_of_the_sender_never_fails_a_delivery() {
        for detail in [8, 20, 23, 26, 27, 30, 32, 40, 509, 515] {
            for phase in [Phase::Mail, Phase::Rcpt, Phase::Dot] {
                assert_eq!(
                    classification(phase, &format!("550 5.7.{detail} no")).class,
                    Sender,
                    "{phase:?} 5.7.{detail}"
                );
            }
        }
    }

    #[test]
    fn each_provider_reply_throttles_its_lane_as_the_tables_specify() {
        let (hour, day) = (HOUR, 24 * HOUR);
        let slow = |minutes, per_minute| Some(Throttle::Slow { minutes, per_minute });
        let suspend = |first, most| Some(Throttle::Suspend { first, most });
        for (line, throttle) in [
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
            assert_eq!(classification(Phase::Rcpt, line).throttle, throttle, "{line}");
        }
    }

    #[test]
    fn the_scope_of_a_pause_comes_from_the_tables() {
        for (line, stops, fault) in [
            ("550 Adresse IP source bloquee. OFR006_100", Some(PauseScope::Lane), LISTED),
            ("550 Client host blocked for spamming issues. OFR006_103", Some(PauseScope::Lane), LISTED),
            ("550 LPNAAA_101 Spamhaus", Some(PauseScope::Lane), LISTED),
            ("550 LPN006_107", Some(PauseScope::Lane), WRONG_NAME),
            ("550 OFR004_201", Some(PauseScope::Lane), WRONG_NAME),
            ("553 5.7.1 [BL21] Connections will not be accepted", Some(PauseScope::Lane), LISTED),
            ("552 5.3.4 Taille limite du message atteinte LPN007_514", Some(PauseScope::IssueInLane), TOO_BIG),
            ("550 Invalid Sender. SPF check failed OFR004_391", None, UNSIGNED),
            ("501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]", None, SENDER),
            ("550 5.1.1 nobody [bl21.example]", None, NONE),
        ] {
            let classification = classification(Phase::Rcpt, line);
            assert_eq!((classification.stops, classification.fault), (stops, fault), "{line}");
        }
    }

    #[test]
    fn a_deferred_delivery_waits_as_long_as_its_lane_or_mailbox() {
        assert_eq!(classification(Phase::Rcpt, "450 4.7.1 SFR_IN_105").at_least, TimeDelta::hours(2));
        assert_eq!(classification(Phase::Rcpt, "450 4.2.1 too quickly").at_least, TimeDelta::hours(1));
        assert_eq!(classification(Phase::Rcpt, "421 slow down OFR005_104").at_least, TimeDelta::zero());
        assert!(classification(Phase::Mail, "421 4.7.0 Too many messages for this session").per_connection);
        assert!(!classification(Phase::Rcpt, "421 4.7.0 try again later").per_connection);
    }

    #[test]
    fn a_word_that_looks_like_a_code_is_not_a_code() {
        for text in ["profr_416", "ofr", "ofr_", "ofr_41", "ofr_4160", "lpnabc"] {
            let found = ["ofr", "lpn"].into_iter().find_map(|family| provider_code(text, family));
            assert_eq!(found, None, "{text}");
        }
        assert_eq!(provider_code("x ofr_9 ofr004_104 [104]", "ofr"), Some(104));
    }
}
