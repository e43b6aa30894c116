//! Contacts, their subscriptions, and the addresses we must not write to.

use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::{self, Reader},
};
use crate::domain::{
    Timestamp,
    newsletter::Newcomer,
    partner::{Contact, ImportSummary, NewContact, SuppressionReason},
};
use crate::failpoint;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// Lines of an import that go over in one statement.
const CHUNK: usize = 1_000;

pub(super) async fn import<B: Backend>(
    db: &B,
    contacts: &[NewContact],
    mailings: &[String],
    source: &str,
    dry_run: bool,
    now: Timestamp,
) -> Result<ImportSummary> {
    // By key, and the last line of a key wins: one statement may not touch a row twice.
    let contacts: BTreeMap<String, &NewContact> = contacts.iter().map(|c| (c.address.key(), c)).collect();
    let contacts: Vec<(String, &NewContact)> = contacts.into_iter().collect();
    let mut summary = ImportSummary::default();

    let mut tx = Transaction::write(db, "importing contacts").await?;
    tx.execute(B::SQL.at_length, values![]).await?;
    for chunk in contacts.chunks(CHUNK) {
        let fresh = compare(&mut tx, chunk, mailings, &mut summary).await?;
        tx.execute(B::SQL.upsert_contacts, values![batch_of(&fresh), now]).await?;
        let all = batch_of(chunk);
        for mailing in mailings {
            tx.execute(B::SQL.subscribe, values![all.clone(), now, mailing.as_str(), source]).await?;
        }
    }
    failpoint::reach("mid_import");
    if !dry_run {
        tx.commit().await?;
    }
    Ok(summary)
}

/// Counts what the chunk would do; returns its new and changed contacts.
async fn compare<'a, B: Backend>(
    tx: &mut Transaction<B>,
    chunk: &[(String, &'a NewContact)],
    mailings: &[String],
    summary: &mut ImportSummary,
) -> Result<Vec<(String, &'a NewContact)>> {
    let mailings: Vec<_> = mailings.iter().map(|mailing| json!({ "mailing": mailing })).collect();
    let rows = tx.rows(B::SQL.known_contacts, values![batch_of(chunk), json!(mailings)]).await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in &rows {
        let row = Reader::new(row, "contacts", "suppressed");
        summary.suppressed += usize::from(row.text("suppressed")? == "yes");
        if let Some(address) = row.optional_text("address")? {
            let fields = [
                address,
                row.text("address_hash")?,
                row.text("name")?,
                row.text("establishment")?,
                row.text("commune")?,
            ];
            known.insert(row.text("email_key")?, fields);
        }
    }
    let mut fresh = Vec::new();
    for (key, contact) in chunk {
        let address = contact.address.to_string();
        let fields = [&address, &contact.address_hash, &contact.name, &contact.establishment, &contact.commune];
        match known.get(key) {
            Some(before) if before.iter().eq(fields) => {
                summary.unchanged += 1;
                continue;
            }
            Some(_) => summary.changed += 1,
            None => summary.added += 1,
        }
        fresh.push((key.clone(), *contact));
    }
    Ok(fresh)
}

fn batch_of(contacts: &[(String, &NewContact)]) -> serde_json::Value {
    contacts
        .iter()
        .map(|(key, contact)| {
            json!({
                "key": key,
                "address": contact.address.to_string(),
                "hash": contact.address_hash,
                "name": contact.name,
                "establishment": contact.establishment,
                "commune": contact.commune,
            })
        })
        .collect()
}

pub(super) async fn contacts<B: Backend>(db: &B) -> Result<Vec<Contact>> {
    let mut tx = Transaction::read(db, "reading contacts").await?;
    let contacts = "SELECT id, address, name, establishment, commune, since FROM contacts ORDER BY email_key";
    let mut contacts =
        tx.rows(contacts, values![]).await?.iter().map(rows::contact).collect::<Result<Vec<Contact>>>()?;

    let subscriptions = "SELECT contact, mailing FROM subscriptions WHERE ended_at IS NULL ORDER BY contact, mailing";
    let mut by_contact: HashMap<String, Vec<String>> = HashMap::new();
    for row in tx.rows(subscriptions, values![]).await? {
        let row = Reader::new(&row, "subscriptions", "contact");
        by_contact.entry(row.text("contact")?).or_default().push(row.text("mailing")?);
    }
    for contact in &mut contacts {
        contact.subscriptions = by_contact.remove(&contact.id).unwrap_or_default();
    }
    Ok(contacts)
}

/// Names that nobody of whom was known at `since`, by name.
pub(super) async fn newcomers<B: Backend>(db: &B, since: Timestamp) -> Result<Vec<Newcomer>> {
    let mut tx = Transaction::read(db, "looking for new partners").await?;
    let select = "SELECT establishment, MIN(commune) AS commune FROM contacts WHERE establishment <> ''
        GROUP BY establishment HAVING MIN(since) > $1 ORDER BY establishment";
    tx.rows(select, values![since]).await?.iter().map(rows::newcomer).collect()
}

pub(super) async fn suppress<B: Backend>(
    db: &B,
    address_hash: &str,
    mailing: Option<&str>,
    reason: SuppressionReason,
    now: Timestamp,
) -> Result<()> {
    let mut tx = Transaction::write(db, "suppressing an address").await?;
    tx.execute(B::SQL.opting_out, values![]).await?;
    suppress_within(&mut tx, address_hash, mailing, reason, now).await?;
    tx.commit().await
}

/// Within a transaction that began with `opting_out`.
pub(super) async fn suppress_within<B: Backend>(
    tx: &mut Transaction<B>,
    address_hash: &str,
    mailing: Option<&str>,
    reason: SuppressionReason,
    now: Timestamp,
) -> Result<()> {
    let scope = mailing.unwrap_or("*");
    let insert = "INSERT INTO suppressions (address_hash, scope, reason, since) VALUES ($1, $2, $3, $4)
        ON CONFLICT (address_hash, scope) DO NOTHING";
    tx.execute(insert, values![address_hash, scope, reason.as_str(), now]).await?;
    // What is claimed is left to its marker, which looks again (T5).
    let queued = "UPDATE deliveries SET state = 'suppressed', next_at = NULL, changed_at = $3
        WHERE state = 'queued' AND substr(address_hash, 1, 12) = substr($1, 1, 12) AND address_hash = $1
            AND ($2 = '*' OR issue IN (SELECT key FROM issues WHERE mailing = $2))";
    tx.execute(queued, values![address_hash, scope, now]).await?;
    Ok(())
}
