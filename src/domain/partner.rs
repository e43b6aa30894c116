//! Partners and the people we write to there.

use super::{Timestamp, email::EmailAddress};

/// A person of an establishment, with an address. Later work gives the establishment a table of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: String,
    pub address: EmailAddress,
    pub name: String,
    pub establishment: String,
    pub commune: String,
    /// Mailings the contact receives, sorted.
    pub subscriptions: Vec<String>,
    pub since: Timestamp,
}

/// A line of an import file.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContact {
    pub address: EmailAddress,
    /// Keyed hash of the normalised address: what suppressions are kept by, so that they outlive the contact.
    pub address_hash: String,
    pub name: String,
    pub establishment: String,
    pub commune: String,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportSummary {
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Known and suppressed: kept, and still not written to.
    pub suppressed: usize,
}

/// Why we must not write to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionReason {
    /// The person asked.
    OptOut,
    /// The relay says the address is dead.
    Bounce,
    Complaint,
    /// A person at the office did it.
    Manual,
}

impl SuppressionReason {
    pub fn as_str(self) -> &'static str {
        match self {
            SuppressionReason::OptOut => "opt_out",
            SuppressionReason::Bounce => "bounce",
            SuppressionReason::Complaint => "complaint",
            SuppressionReason::Manual => "manual",
        }
    }
}

/// What a contact receives, and what of it the person may change alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    pub address: EmailAddress,
    /// Of each mailing the contact is subscribed to.
    pub mailings: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub mailing: String,
    pub receives: bool,
    /// Nothing but the person's own word stands against it.
    pub may_return: bool,
}
