//! The mailings a contact chose to receive: the store behind the unsubscribe page.
//!
//! An opt-out is a suppression by hash, so that it outlives the contact; it does not change subscriptions.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    partners::suppress_within,
    rows::Reader,
};
use crate::domain::{
    Timestamp,
    email::EmailAddress,
    partner::{Choice, Choices, SuppressionReason},
};
use async_trait::async_trait;

/// A contact's own choices.
#[async_trait]
pub trait ContactChoices: Send + Sync {
    /// What a contact receives; `None` when there is no such contact (any more).
    async fn choices(&self, contact: &str) -> Result<Option<Choices>>;

    /// The person opts out of a mailing, as [`Partners::suppress`](crate::store::Partners::suppress) (I5). `false` if
    /// there is no such contact.
    async fn opt_out(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool>;

    /// The person opts in again: lifts their own opt-out from this mailing, and nothing else. Returns whether there was one.
    async fn opt_in(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool>;
}

#[async_trait]
impl<B: Backend> ContactChoices for Ledger<B> {
    async fn choices(&self, contact: &str) -> Result<Option<Choices>> {
        let mut tx = Transaction::read(&self.0, "reading a contact's choices").await?;
        let found = "SELECT id, address, address_hash FROM contacts WHERE id = $1";
        let Some(row) = tx.row(found, values![contact]).await? else { return Ok(None) };
        let row = Reader::new(&row, "contacts", "id");
        let (address, hash): (EmailAddress, String) = (row.address("address")?, row.text("address_hash")?);

        let suppressed = "SELECT scope, reason FROM suppressions WHERE address_hash = $1";
        let mut refused = Vec::new();
        for row in tx.rows(suppressed, values![hash.as_str()]).await? {
            let row = Reader::new(&row, "suppressions", "scope");
            refused.push((row.text("scope")?, row.text("reason")? == SuppressionReason::OptOut.as_str()));
        }
        let subscribed = "SELECT mailing FROM subscriptions WHERE contact = $1 AND ended_at IS NULL ORDER BY mailing";
        let mut mailings = Vec::new();
        for row in tx.rows(subscribed, values![contact]).await? {
            let mailing = Reader::new(&row, "subscriptions", "mailing").text("mailing")?;
            let against = refused.iter().filter(|(scope, _)| *scope == mailing || scope == "*");
            mailings.push(Choice {
                receives: against.clone().count() == 0,
                // An opt-out from all mailings is not taken back by the button of a single one.
                may_return: against.clone().all(|(scope, asked)| *asked && scope != "*"),
                mailing,
            });
        }
        Ok(Some(Choices { address, mailings }))
    }

    async fn opt_out(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "taking an objection").await?;
        tx.execute(B::SQL.opting_out, values![]).await?;
        let Some(hash) = hash_of(&mut tx, contact).await? else { return Ok(false) };
        suppress_within(&mut tx, &hash, Some(mailing), (SuppressionReason::OptOut, ""), now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn opt_in(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "taking an objection back").await?;
        let Some(hash) = hash_of(&mut tx, contact).await? else { return Ok(false) };
        // Only the person's own opt-out: a dead address stays suppressed.
        let lift = "DELETE FROM suppressions WHERE address_hash = $1 AND scope = $2 AND reason = 'opt_out'";
        let lifted = tx.execute(lift, values![hash.as_str(), mailing]).await?;
        if lifted > 0 {
            let note = "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
                VALUES ($1, $2, $3, 'subscribed', '', 'opt_in') ON CONFLICT (address_hash, mailing, at, change) DO NOTHING";
            tx.execute(note, values![hash.as_str(), mailing, now]).await?;
        }
        tx.commit().await?;
        Ok(lifted > 0)
    }
}

async fn hash_of<B: Backend>(tx: &mut Transaction<B>, contact: &str) -> Result<Option<String>> {
    let row = tx.row("SELECT id, address_hash FROM contacts WHERE id = $1", values![contact]).await?;
    row.map(|row| Reader::new(&row, "contacts", "id").text("address_hash")).transpose()
}
