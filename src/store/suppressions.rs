//! Who is not written to, and who has not been heard of for long: lists for the office.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::{Timestamp, partner::SuppressionReason};
use async_trait::async_trait;

/// Lists of suppressions, and of contacts without a sign of life.
#[async_trait]
pub trait Suppressions: Send + Sync {
    /// At most `limit`, in the order of hash and scope, after that of the previous page.
    async fn suppressions(&self, after: Option<&Suppressed>, limit: u32) -> Result<Vec<Suppressed>>;

    /// Contacts that were known before `since`, and from whom nothing came after it: no order, no choice of mailings. What we
    /// sent does not count, nor what the relay accepted. In the order of address, after that of the previous page.
    async fn silent_contacts(&self, since: Timestamp, after: Option<&Silent>, limit: u32) -> Result<Vec<Silent>>;
}

/// An address that receives a mailing, or anything, no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// [`crate::tokens::Tokens::address_hash`]; all that is left of a person who was erased.
    pub address_hash: String,
    /// A mailing, or `*` for all of them.
    pub scope: String,
    pub reason: SuppressionReason,
    pub since: Timestamp,
    /// The office's words; may be empty.
    pub why: String,
    /// As written, if a contact has it.
    pub address: Option<String>,
    pub establishment: Option<String>,
}

/// A contact of whom nothing was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// [`crate::domain::email::EmailAddress::key`]
    pub key: String,
    pub address: String,
    pub name: String,
    pub establishment: String,
    /// When the office first had the contact.
    pub since: Timestamp,
    /// The last order or choice of mailings, if there ever was one.
    pub heard: Option<Timestamp>,
}

#[async_trait]
impl<B: Backend> Suppressions for Ledger<B> {
    async fn suppressions(&self, after: Option<&Suppressed>, limit: u32) -> Result<Vec<Suppressed>> {
        let mut tx = Transaction::read(&self.0, "reading the suppressions").await?;
        let select = "SELECT s.address_hash, s.scope, s.reason, s.since, s.why, c.address,
                (SELECT p.name FROM partners p WHERE p.id = c.partner) AS establishment
            FROM suppressions s LEFT JOIN contacts c ON c.address_hash = s.address_hash
            WHERE (s.address_hash, s.scope) > ($1, $2) ORDER BY s.address_hash, s.scope LIMIT $3";
        let (hash, scope) = after.map_or(("", ""), |it| (it.address_hash.as_str(), it.scope.as_str()));
        let read = |row| {
            let row = Reader::new(row, "suppressions", "address_hash");
            Ok(Suppressed {
                address_hash: row.text("address_hash")?,
                scope: row.text("scope")?,
                reason: row.word("reason", &SuppressionReason::ALL, SuppressionReason::as_str)?,
                since: row.instant("since")?,
                why: row.text("why")?,
                address: row.optional_text("address")?,
                establishment: row.optional_text("establishment")?,
            })
        };
        tx.rows(select, values![hash, scope, limit]).await?.iter().map(read).collect()
    }

    async fn silent_contacts(&self, since: Timestamp, after: Option<&Silent>, limit: u32) -> Result<Vec<Silent>> {
        let mut tx = Transaction::read(&self.0, "reading the silent contacts").await?;
        let select = "SELECT * FROM (
                SELECT c.email_key, c.address, c.name, c.since,
                    (SELECT p.name FROM partners p WHERE p.id = c.partner) AS establishment,
                    (SELECT MAX(o.ordered_at) FROM orders o WHERE o.recipient_key = c.email_key) AS ordered,
                    (SELECT MAX(h.at) FROM subscription_changes h
                        WHERE h.address_hash = c.address_hash AND h.source IN ('opt_in', 'opt_out')) AS chosen
                FROM contacts c WHERE c.since < $1 AND c.email_key > $2
            ) AS known
            WHERE COALESCE(ordered, 0) < $1 AND COALESCE(chosen, 0) < $1 ORDER BY email_key LIMIT $3";
        let read = |row| {
            let row = Reader::new(row, "contacts", "email_key");
            Ok(Silent {
                key: row.text("email_key")?,
                address: row.text("address")?,
                name: row.text("name")?,
                establishment: row.optional_text("establishment")?.unwrap_or_default(),
                since: row.instant("since")?,
                heard: row.optional_instant("ordered")?.max(row.optional_instant("chosen")?),
            })
        };
        let key = after.map_or("", |it| it.key.as_str());
        tx.rows(select, values![since, key, limit]).await?.iter().map(read).collect()
    }
}
