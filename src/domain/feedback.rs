//! What comes back after a message was sent: bounces, delays, complaints. Each is about one delivery.

use super::{
    Timestamp,
    classify::{Class, classify},
    delivery::{Phase, Reply},
};
use std::fmt;

/// What an incoming message says of a delivery. The names are those of the database and of `log --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedbackKind {
    /// It could not be delivered, and nobody tries again (RFC 3464 `failed`).
    Bounce,
    /// It is still being tried (`delayed`): nothing is concluded from it.
    Delayed,
    /// It arrived, or went on to where nothing is reported from (`delivered`, `relayed`, `expanded`).
    Delivered,
    /// Its recipient reported it as unwanted (RFC 5965 `abuse`, `fraud`).
    Complaint,
    /// Its recipient unsubscribed at the provider (`opt-out`).
    OptOut,
    /// Its recipient took it out of the spam folder (RFC 6430 `not-spam`).
    NotSpam,
}

impl FeedbackKind {
    pub const ALL: [FeedbackKind; 6] = [
        FeedbackKind::Bounce,
        FeedbackKind::Delayed,
        FeedbackKind::Delivered,
        FeedbackKind::Complaint,
        FeedbackKind::OptOut,
        FeedbackKind::NotSpam,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            FeedbackKind::Bounce => "bounce",
            FeedbackKind::Delayed => "delayed",
            FeedbackKind::Delivered => "delivered",
            FeedbackKind::Complaint => "complaint",
            FeedbackKind::OptOut => "opt_out",
            FeedbackKind::NotSpam => "not_spam",
        }
    }
}

impl fmt::Display for FeedbackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an incoming message is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The token in the return path of the message: see [`crate::tokens::Tokens::check_return`].
    ReturnPath,
    /// The Message-ID of the message it quotes.
    MessageId,
}

impl Proof {
    pub const ALL: [Proof; 2] = [Proof::ReturnPath, Proof::MessageId];

    pub fn as_str(self) -> &'static str {
        match self {
            Proof::ReturnPath => "return_path",
            Proof::MessageId => "message_id",
        }
    }
}

/// What came back about a delivery, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    pub kind: FeedbackKind,
    /// Of a bounce; never [`Class::Defer`].
    pub class: Option<Class>,
    /// The code, the enhanced status and the words of the server that refused it; addresses masked, at most 1,000 characters.
    pub said: Reply,
    pub proof: Proof,
    /// When the message says it was written; `recorded_at` where it says nothing, or an instant to come.
    pub received_at: Timestamp,
    pub recorded_at: Timestamp,
}

/// The class of a bounce. The tables are those of a refusal at SMTP ([`classify`]); what differs is that nobody tries again, so that
/// [`Class::Defer`] is none: a temporary refusal that lasted until the server gave up is the sender's fault where the tables say so or
/// its status is of the subject 7 (security and policy, RFC 3463 3.8), and otherwise concerns this recipient this time.
///
/// A status of subject 7 never makes an address dead, whatever the words beside it.
pub fn class_of_bounce(said: &Reply) -> Class {
    let verdict = classify(Phase::Rcpt, said);
    let policy = said.enhanced.as_deref().and_then(|it| it.split('.').nth(1)) == Some("7");
    let about_us = verdict.fault.is_some() || verdict.throttle.is_some() || verdict.per_connection;
    match verdict.class {
        Class::Hard | Class::Soft | Class::Defer if policy || about_us => Class::Sender,
        Class::Defer => Class::Soft,
        class => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounce_has_the_class_of_the_refusal_and_never_waits() {
        for (code, text, class) in [
            (550, "5.1.1 user unknown", Class::Hard),
            (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; not found", Class::Hard),
            (550, "user unknown", Class::Hard),
            (552, "5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]", Class::Soft),
            (550, "5.5.0 Boite du destinataire archivee. LPN007_420", Class::Hard),
            (552, "5.2.2 mailbox full", Class::Soft),
            (452, "4.2.2 mailbox full", Class::Soft),
            (450, "4.4.1 connection timed out", Class::Soft),
            (550, "5.4.4 host not found", Class::Soft),
            (550, "5.7.1 user unknown", Class::Sender),
            (550, "5.7.26 unauthenticated", Class::Sender),
            (450, "4.7.1 try again", Class::Sender),
            (421, "Service refuse. OFR_999 [999]", Class::Sender),
            (421, "Too many spams from your IP", Class::Sender),
            (550, "Client host blocked for spamming issues. OFR006_102", Class::Sender),
            (571, "5.7.1 DMARC verification Failed LPN007_517", Class::Sender),
            (550, "5.2.0 Mail rejete. ofr_506 [506]", Class::Content),
        ] {
            assert_eq!(class_of_bounce(&Reply::new(code, text)), class, "{code} {text}");
        }
    }

    #[test]
    fn no_status_of_policy_is_held_against_a_person() {
        for class in [4, 5] {
            for detail in 0..60 {
                for words in ["user unknown", "mailbox full", "no such user", "", "OFR_416", "LPN007_420"] {
                    let said = Reply::new(class * 100 + 50, &format!("{class}.7.{detail} {words}"));
                    let found = class_of_bounce(&said);
                    assert!(matches!(found, Class::Sender | Class::Content), "{said:?}: {found:?}");
                }
            }
        }
    }
}
