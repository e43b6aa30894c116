//! Partners, their contacts and subscriptions, and suppressed addresses.

use super::Ledger;
use super::{
    Erased, ImportReport, Result, api,
    backend::{Backend, Transaction, values},
    import, orders,
    persons::suppressions_of,
    rows::{self, Reader},
    segment,
    sql::{outranked, unclaimed},
};
use crate::domain::{
    Timestamp,
    newsletter::Newcomer,
    partner::{Barred, Contact, Dossier, Import, Partner, SuppressionReason},
    segment::Segment,
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// Partners, their contacts and subscriptions, and suppressed addresses.
#[async_trait]
pub trait Partners: Send + Sync {
    /// All or nothing. A known address (by [`crate::domain::email::EmailAddress::key`]) is updated in the fields that are
    /// given; subscriptions are only added, never reopened once ended. Of two lines with the same address the last
    /// counts. Added, changed and unchanged add up; `suppressed` is the number of them that are suppressed. What was changed by
    /// hand stays, until a list says the same. `progress` is called with the number of lines done; `dry_run` rolls back at the
    /// end, and so do differences that are not the expected ones.
    async fn import(
        &self,
        import: &Import<'_>,
        progress: &(dyn Fn(usize) + Send + Sync),
        now: Timestamp,
    ) -> Result<ImportReport>;

    /// A page of the contacts of the segment, or of all, by [`crate::domain::email::EmailAddress::key`]: those after this
    /// key, `limit` at the most. Each page is read separately, so memory does not grow with the list.
    async fn contacts_page(&self, segment: Option<&Segment>, after: Option<&str>, limit: u32) -> Result<Vec<Contact>>;

    /// All of the segment, or all, by address: for tests, and where the number is known to be small.
    async fn contacts_of(&self, segment: Option<&Segment>) -> Result<Vec<Contact>> {
        self.contacts_page(segment, None, i32::MAX.unsigned_abs()).await
    }

    /// All of them, by address.
    async fn contacts(&self) -> Result<Vec<Contact>> {
        self.contacts_of(None).await
    }

    /// Everything stored about the address with this key and hash, except its deliveries (see
    /// [`DeliveryLog::log`](crate::store::DeliveryLog::log)).
    async fn dossier(&self, key: &str, hash: &str) -> Result<Dossier>;

    /// Deletes the person: contact, subscriptions, history, and the name and address on every delivery and order. Their rows
    /// stay for the totals (I1, and delivered copies); open orders are cancelled. The hash is suppressed, so that no import
    /// brings the person back.
    async fn erase(&self, key: &str, hash: &str, now: Timestamp) -> Result<Erased>;

    /// Establishments that were unknown at `since`, by name.
    async fn newcomers(&self, since: Timestamp) -> Result<Vec<Newcomer>>;

    /// Nothing is accepted for this address after this has committed (I5). `mailing`: `None` for all of them. Deliveries
    /// that are still `queued` become `suppressed` in the same transaction. Idempotent: the first reason is kept, except
    /// that the person's own opt-out replaces one of the office.
    async fn suppress(
        &self,
        address_hash: &str,
        mailing: Option<&str>,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<()>;
}

#[async_trait]
impl<B: Backend> Partners for Ledger<B> {
    async fn import(
        &self,
        import: &Import<'_>,
        progress: &(dyn Fn(usize) + Send + Sync),
        now: Timestamp,
    ) -> Result<ImportReport> {
        import::import(&self.0, import, progress, now).await
    }

    async fn contacts_page(&self, segment: Option<&Segment>, after: Option<&str>, limit: u32) -> Result<Vec<Contact>> {
        let mut tx = Transaction::read(&self.0, "reading contacts").await?;
        let mut values = values![after.unwrap_or_default(), limit];
        let condition = match segment {
            None => "true".to_owned(),
            Some(segment) => {
                let segment = segment::resolved(&mut tx, segment).await?;
                let (condition, more) = segment::condition::<B>(&segment, values.len() + 1);
                values.extend(more);
                condition
            }
        };
        matching(&mut tx, &format!("c.email_key > $1 AND ({condition}) ORDER BY c.email_key LIMIT $2"), values).await
    }

    async fn dossier(&self, key: &str, hash: &str) -> Result<Dossier> {
        let mut tx = Transaction::read(&self.0, "reading what is known of a person").await?;
        let contact = matching(&mut tx, "c.email_key = $1", values![key]).await?.pop();
        let select = "SELECT mailing, at, change, basis, source FROM subscription_changes WHERE address_hash = $1
            ORDER BY at, mailing, change";
        let history =
            tx.rows(select, values![hash]).await?.iter().map(rows::subscription_change).collect::<Result<_>>()?;
        let suppressions = suppressions_of(&mut tx, hash).await?;
        let orders = orders::of_person(&mut tx, key).await?;
        let mut former = Vec::new();
        for Former { contact, key, .. } in former_addresses(&mut tx, key).await? {
            let select = "SELECT id FROM deliveries
                WHERE issue IN (SELECT key FROM issues) AND recipient_key = $1 AND contact_id = $2";
            let rows = tx.rows(select, values![key.as_str(), contact.as_str()]).await?;
            let ids = rows.iter().map(|row| Reader::new(row, "deliveries", "id").text("id"));
            former.push((key, ids.collect::<Result<_>>()?));
        }
        Ok(Dossier { contact, history, suppressions, orders, former })
    }

    async fn erase(&self, key: &str, hash: &str, now: Timestamp) -> Result<Erased> {
        let mut tx = Transaction::write(&self.0, "erasing a person").await?;
        tx.execute(B::SQL.at_length, values![]).await?;
        tx.execute(B::SQL.opting_out, values![]).await?;
        // End queued deliveries first, and suppress the hash so that no import brings the person back.
        // It counts as the person's own opt-out: the office cannot lift it.
        suppress_within(&mut tx, hash, None, (SuppressionReason::OptOut, ""), now).await?;
        // By issue, to use the index of recipients.
        let flying = "SELECT d.id FROM deliveries d JOIN claims c ON c.delivery = d.id
            WHERE d.issue IN (SELECT key FROM issues) AND d.recipient_key = $1 LIMIT 1";
        if tx.row(flying, values![key]).await?.is_some() {
            return Ok(Erased::UnderWay);
        }
        let mut deliveries = erase_deliveries(&mut tx, key, None).await?;
        // The office's own words may name the person.
        let forget = "UPDATE suppressions SET why = '' WHERE address_hash = $1";
        tx.execute(forget, values![hash]).await?;
        for former in former_addresses(&mut tx, key).await? {
            // If the address belongs to another contact now, only that contact's own choices count.
            if tx.row("SELECT id FROM contacts WHERE email_key = $1", values![former.key.as_str()]).await?.is_none() {
                suppress_within(&mut tx, &former.hash, None, (SuppressionReason::OptOut, ""), now).await?;
                tx.execute(forget, values![former.hash.as_str()]).await?;
            }
            deliveries += erase_deliveries(&mut tx, &former.key, Some(&former.contact)).await?;
        }
        orders::erase(&mut tx, key, now).await?;
        api::erase(&mut tx).await?;
        tx.execute("DELETE FROM subscription_changes WHERE address_hash = $1", values![hash]).await?;
        let batch = json!([{ "key": key }]);
        tx.execute(B::SQL.drop_subscriptions, values![batch.clone()]).await?;
        tx.execute(B::SQL.drop_affiliations, values![batch.clone()]).await?;
        let known = tx.execute(B::SQL.drop_contacts, values![batch]).await? > 0;
        drop_empty_partners(&mut tx).await?;
        tx.commit().await?;
        Ok(if known || deliveries > 0 { Erased::Done { deliveries } } else { Erased::NotKnown })
    }

    async fn newcomers(&self, since: Timestamp) -> Result<Vec<Newcomer>> {
        let mut tx = Transaction::read(&self.0, "looking for new partners").await?;
        let select = "SELECT p.name AS establishment, MIN(p.commune) AS commune
            FROM contacts c JOIN partners p ON p.id = c.partner WHERE p.name <> ''
            GROUP BY p.name HAVING MIN(c.since) > $1 ORDER BY p.name";
        tx.rows(select, values![since]).await?.iter().map(rows::newcomer).collect()
    }

    async fn suppress(
        &self,
        address_hash: &str,
        mailing: Option<&str>,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "suppressing an address").await?;
        tx.execute(B::SQL.opting_out, values![]).await?;
        suppress_within(&mut tx, address_hash, mailing, (reason, ""), now).await?;
        tx.commit().await
    }
}

pub(super) async fn drop_empty_partners<B: Backend>(tx: &mut Transaction<B>) -> Result<u64> {
    let empty = "DELETE FROM partners WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.partner = partners.id)
        AND NOT EXISTS (SELECT 1 FROM affiliations a WHERE a.partner = partners.id)";
    tx.execute(empty, values![]).await
}

/// Columns of a contact `c` and its partner `p`.
pub(super) const CONTACTS: &str =
    "SELECT c.id, c.address, c.name, c.function, c.language, c.since, p.name AS establishment,
    p.category, p.commune, p.insee, p.street, p.labels, p.stars, p.website, p.phone, p.postcode, p.position
    FROM contacts c JOIN partners p ON p.id = c.partner WHERE ";

/// `condition` is constant text; user input is in `values`. Reads nothing of other contacts.
pub(super) async fn matching<B: Backend>(
    tx: &mut Transaction<B>,
    condition: &str,
    values: Vec<super::backend::Value>,
) -> Result<Vec<Contact>> {
    let select = sqlx::AssertSqlSafe(format!("{CONTACTS} {condition}"));
    let mut contacts = tx.rows(select, values).await?.iter().map(rows::contact).collect::<Result<Vec<Contact>>>()?;
    for chunk in contacts.chunks_mut(import::CHUNK) {
        complete(tx, chunk).await?;
    }
    Ok(contacts)
}

/// Adds subscriptions, suppressions and further establishments.
async fn complete<B: Backend>(tx: &mut Transaction<B>, contacts: &mut [Contact]) -> Result<()> {
    let batch: Json = contacts.iter().map(|contact| json!({ "id": contact.id })).collect();
    let mut by_contact: HashMap<String, Vec<String>> = HashMap::new();
    for row in &tx.rows(B::SQL.subscriptions_of, values![batch.clone()]).await? {
        let row = Reader::new(row, "subscriptions", "contact");
        by_contact.entry(row.text("contact")?).or_default().push(row.text("mailing")?);
    }
    let mut against: HashMap<String, Vec<Barred>> = HashMap::new();
    for row in &tx.rows(B::SQL.barred_of, values![batch.clone()]).await? {
        let (contact, barred) = rows::barred(row)?;
        against.entry(contact).or_default().push(barred);
    }
    let mut others: HashMap<String, Vec<Partner>> = HashMap::new();
    for row in &tx.rows(B::SQL.others_of, values![batch]).await? {
        let (contact, partner) = rows::affiliation(row)?;
        others.entry(contact).or_default().push(partner);
    }
    for contact in contacts {
        contact.barred = against.remove(&contact.id).unwrap_or_default();
        contact.others = others.remove(&contact.id).unwrap_or_default();
        // F2: a contact receives a mailing if it is subscribed and not suppressed.
        let mut receives = by_contact.remove(&contact.id).unwrap_or_default();
        receives.retain(|mailing| !contact.barred.iter().any(|it| it.scope == *mailing || it.scope == "*"));
        contact.subscriptions = receives;
    }
    Ok(())
}

/// The rows stay, so totals stay true. An unknown delivery keeps its hash, so that a resend meets the suppression.
/// `contact`: only rows of this contact, if the address may belong to another one now.
async fn erase_deliveries<B: Backend>(tx: &mut Transaction<B>, key: &str, contact: Option<&str>) -> Result<u64> {
    let words = "UPDATE attempts SET text = NULL
        WHERE delivery IN (SELECT id FROM deliveries
            WHERE issue IN (SELECT key FROM issues) AND recipient_key = $1 AND ($2 IS NULL OR contact_id = $2))";
    tx.execute(words, values![key, contact]).await?;
    let returned = "UPDATE feedback SET text = '', address_hash = '', alike = '', domain = ''
        WHERE delivery IN (SELECT id FROM deliveries
            WHERE issue IN (SELECT key FROM issues) AND recipient_key = $1 AND ($2 IS NULL OR contact_id = $2))";
    tx.execute(returned, values![key, contact]).await?;
    let deliveries = "UPDATE deliveries SET contact_id = '', recipient_key = 'erased:' || id,
            address = 'erased@erased.invalid', address_hash = CASE WHEN state = 'unknown' THEN address_hash ELSE '' END,
            name = '', establishment = '', commune = ''
        WHERE issue IN (SELECT key FROM issues) AND recipient_key = $1 AND ($2 IS NULL OR contact_id = $2)";
    tx.execute(deliveries, values![key, contact]).await
}

/// An address a contact had before it moved.
struct Former {
    contact: String,
    key: String,
    hash: String,
}

/// Former addresses of the contact whose current address is `key`.
async fn former_addresses<B: Backend>(tx: &mut Transaction<B>, key: &str) -> Result<Vec<Former>> {
    let select = "SELECT f.contact, f.email_key, f.address_hash FROM former_addresses f
        JOIN contacts c ON c.id = f.contact WHERE c.email_key = $1 ORDER BY f.email_key";
    let rows = tx.rows(select, values![key]).await?;
    let former = |row| {
        let row = Reader::new(row, "former_addresses", "email_key");
        Ok(Former { contact: row.text("contact")?, key: row.text("email_key")?, hash: row.text("address_hash")? })
    };
    rows.iter().map(former).collect()
}

/// Ends the person's queued deliveries in issues that may still send. Concurrent ones are caught by the claim (T1) and the
/// marker (T5), which check again. `$1` hash, `$2` mailing or `*`, `$3` now. SQLite executes a CROSS JOIN in the written
/// order: the person, the issues, one lookup each.
pub(super) const STOP_QUEUED: &str = concat!(
    "UPDATE deliveries AS d SET state = 'suppressed', next_at = NULL, changed_at = $3
    WHERE d.state = 'queued' AND d.address_hash = $1 AND ",
    unclaimed!(),
    " AND d.id IN (
        SELECT d.id FROM contacts c CROSS JOIN issues i CROSS JOIN deliveries d
        WHERE c.address_hash = $1 AND i.state IN ('sending', 'paused') AND ($2 = '*' OR i.mailing = $2)
            AND d.issue = i.key AND d.recipient_key = c.email_key)"
);

/// Lifts the suppression that [`suppress_within`] wrote for one refused delivery at that instant.
pub(super) async fn lift_bounce<B: Backend>(
    tx: &mut Transaction<B>,
    address_hash: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let lift = "DELETE FROM suppressions WHERE address_hash = $1 AND scope = '*' AND reason = 'bounce' AND since = $2";
    if tx.execute(lift, values![address_hash, since]).await? > 0 {
        let note = "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
            VALUES ($1, '*', $2, 'subscribed', '', 'lifted: everyone was refused')
            ON CONFLICT (address_hash, mailing, at, change) DO NOTHING";
        tx.execute(note, values![address_hash, now]).await?;
    }
    Ok(())
}

/// In a transaction that began with `opting_out`. The reason comes with the words of the office, or none.
pub(super) async fn suppress_within<B: Backend>(
    tx: &mut Transaction<B>,
    address_hash: &str,
    mailing: Option<&str>,
    (reason, why): (SuppressionReason, &str),
    now: Timestamp,
) -> Result<()> {
    let scope = mailing.unwrap_or("*");
    let insert = concat!(
        "INSERT INTO suppressions (address_hash, scope, reason, since, why) VALUES ($1, $2, $3, $4, $5) ",
        outranked!()
    );
    if tx.execute(insert, values![address_hash, scope, reason.as_str(), now, why]).await? > 0 {
        let source = if why.is_empty() { reason.as_str().to_owned() } else { format!("{}: {why}", reason.as_str()) };
        let note = "INSERT INTO subscription_changes (address_hash, mailing, at, change, basis, source)
            VALUES ($1, $2, $4, 'ended', '', $3) ON CONFLICT (address_hash, mailing, at, change) DO NOTHING";
        tx.execute(note, values![address_hash, scope, source, now]).await?;
    }
    tx.execute(STOP_QUEUED, values![address_hash, scope, now]).await?;
    Ok(())
}
