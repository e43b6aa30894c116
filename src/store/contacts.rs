//! Changes to one contact by the office: lifting a suppression, changing the address.

use super::Ledger;
use super::{
    Lifted, Moved, Result,
    backend::{Backend, Transaction, values},
    edits,
    rows::Reader,
    segment,
    sql::{outranked, unclaimed},
};
use crate::domain::{Timestamp, email::EmailAddress, partner::SuppressionReason, segment::Field};
use async_trait::async_trait;
use serde_json::json;

/// Changes to one contact by the office.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Lifts suppressions by the office or after a refusal by the relay: for a mailing (or `*`), or all of them. The
    /// person's own opt-outs stay.
    async fn lift(&self, address_hash: &str, mailing: Option<&str>, why: &str, now: Timestamp) -> Result<Lifted>;

    /// Changes the address of a contact: subscriptions, history, opt-outs and queued deliveries move with it. The old
    /// address is not suppressed; a list that still has it means this contact. `from`: its key and its hash.
    async fn move_contact(
        &self,
        from: (&str, &str),
        to: &EmailAddress,
        to_hash: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Moved>;

    /// The values of a field with their number of contacts, most frequent first.
    async fn values_of(&self, field: Field) -> Result<Vec<(String, u64)>>;
}

#[async_trait]
impl<B: Backend> Contacts for Ledger<B> {
    async fn lift(&self, address_hash: &str, mailing: Option<&str>, why: &str, now: Timestamp) -> Result<Lifted> {
        self::lift(&self.0, address_hash, mailing, why, now).await
    }

    async fn move_contact(
        &self,
        from: (&str, &str),
        to: &EmailAddress,
        to_hash: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Moved> {
        move_to(&self.0, from, (to, to_hash), by, now).await
    }

    async fn values_of(&self, field: Field) -> Result<Vec<(String, u64)>> {
        self::values_of(&self.0, field).await
    }
}

/// Lifts the suppressions that are not the person's own.
async fn lift<B: Backend>(db: &B, hash: &str, mailing: Option<&str>, why: &str, now: Timestamp) -> Result<Lifted> {
    let mut tx = Transaction::write(db, "lifting a suppression").await?;
    let select = "SELECT scope, reason FROM suppressions WHERE address_hash = $1 AND ($2 IS NULL OR scope = $2)
        ORDER BY scope";
    let (mut ours, mut theirs) = (Vec::new(), 0);
    for row in &tx.rows(select, values![hash, mailing]).await? {
        let row = Reader::new(row, "suppressions", "scope");
        let reason = row.word("reason", &SuppressionReason::ALL, SuppressionReason::as_str)?;
        match reason.is_ours() {
            true => ours.push(row.text("scope")?),
            false => theirs += 1,
        }
    }
    for scope in &ours {
        let lift = "DELETE FROM suppressions WHERE address_hash = $1 AND scope = $2";
        tx.execute(lift, values![hash, scope.as_str()]).await?;
        let note = "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
            VALUES ($1, $2, $3, 'subscribed', '', $4) ON CONFLICT (address_hash, mailing, at, change) DO NOTHING";
        tx.execute(note, values![hash, scope.as_str(), now, format!("lifted: {why}")]).await?;
    }
    match (ours.is_empty(), theirs) {
        (true, 0) => return Ok(Lifted::Nothing),
        (true, _) => return Ok(Lifted::PersonsOwn),
        (false, _) => {}
    }
    tx.commit().await?;
    Ok(Lifted::Done { scopes: ours, kept: theirs })
}

/// Changes the address of a contact: its subscriptions, history and opt-outs move with it. The old address is not
/// suppressed.
async fn move_to<B: Backend>(
    db: &B,
    (from, from_hash): (&str, &str),
    (to, to_hash): (&EmailAddress, &str),
    by: &str,
    now: Timestamp,
) -> Result<Moved> {
    let mut tx = Transaction::write(db, "moving a contact").await?;
    tx.execute(B::SQL.opting_out, values![]).await?;
    let (key, address) = (to.key(), to.to_string());
    let known = "SELECT id FROM contacts WHERE email_key = $1";
    let Some(_) = tx.row(known, values![from]).await? else { return Ok(Moved::NotKnown) };
    if key != from && tx.row(known, values![key.as_str()]).await?.is_some() {
        return Ok(Moved::Taken);
    }
    let flying = "SELECT d.id FROM deliveries d JOIN claims c ON c.delivery = d.id
        WHERE d.issue IN (SELECT key FROM issues) AND d.recipient_key = $1 LIMIT 1";
    if tx.row(flying, values![from]).await?.is_some() {
        return Ok(Moved::UnderWay);
    }
    // A suppression after a refusal belongs to the old address and does not move. Copied while the new address is nobody's: it is
    // no new opt-out, and webhooks are not told of it.
    let said = concat!(
        "INSERT INTO suppressions (address_hash, scope, reason, since, why)
        SELECT $2, scope, reason, since, why FROM suppressions WHERE address_hash = $1 AND reason <> 'bounce' ",
        outranked!()
    );
    tx.execute(said, values![from_hash, to_hash]).await?;
    let contact = "UPDATE contacts SET email_key = $2, address = $3, address_hash = $4 WHERE email_key = $1";
    tx.execute(contact, values![from, key.as_str(), address.as_str(), to_hash]).await?;
    let former = "INSERT INTO former_addresses (contact, email_key, address_hash)
        SELECT id, $1, $2 FROM contacts WHERE email_key = $3 ON CONFLICT (contact, email_key) DO NOTHING";
    if key != from {
        tx.execute(former, values![from, from_hash, key.as_str()]).await?;
        let edit = json!([{ "key": key, "field": edits::ADDRESS, "value": address }]);
        tx.execute(B::SQL.put_contact_edits, values![edit, by, now]).await?;
    }
    let back = "DELETE FROM former_addresses WHERE email_key = $1
        AND contact = (SELECT id FROM contacts WHERE email_key = $1)";
    tx.execute(back, values![key.as_str()]).await?;
    let history = "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
        SELECT $2, mailing, at, change, basis, source FROM subscription_changes WHERE address_hash = $1
        ON CONFLICT (address_hash, mailing, at, change) DO NOTHING";
    tx.execute(history, values![from_hash, to_hash]).await?;
    tx.execute("DELETE FROM subscription_changes WHERE address_hash = $1 AND $1 <> $2", values![from_hash, to_hash])
        .await?;
    // Queued deliveries go to the new address, unless it has opted out.
    let waiting = concat!(
        "UPDATE deliveries AS d SET recipient_key = $2, address = $3, address_hash = $4, changed_at = $5
        WHERE d.issue IN (SELECT key FROM issues WHERE state IN ('sending', 'paused')) AND d.recipient_key = $1
            AND d.state = 'queued' AND ",
        unclaimed!(),
        " AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.issue = d.issue AND o.recipient_key = $2)"
    );
    tx.execute(waiting, values![from, key.as_str(), address.as_str(), to_hash, now]).await?;
    let orders = "UPDATE orders SET recipient_key = $2, address = $3 WHERE recipient_key = $1";
    tx.execute(orders, values![from, key.as_str(), address.as_str()]).await?;
    tx.commit().await?;
    Ok(Moved::Done)
}

async fn values_of<B: Backend>(db: &B, field: Field) -> Result<Vec<(String, u64)>> {
    let mut tx = Transaction::read(db, "reading what a field holds").await?;
    segment::values_of(&mut tx, field).await
}
