//! The import of a list: compared with what is stored, a thousand lines at a time, and written in one transaction.

use super::{
    Result,
    backend::{Backend, Transaction, values},
    edits::{self, Moved},
    partners::drop_empty_partners,
    rows::Reader,
    uploaded_lists,
};
use crate::domain::{
    Timestamp,
    partner::{Difference, Field, Fields, Import, ImportSummary, NewContact},
};
use crate::failpoint;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// Lines of an import per statement.
pub(super) const CHUNK: usize = 1_000;
/// Maximum number of differences of each kind that are returned for display; the totals count all.
const DIFFERENCES: usize = 1_000;

/// The result of an import, or of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub summary: ImportSummary,
    /// Contacts known before; counted only if the file is the whole list.
    pub known: usize,
    /// The first thousand of each kind, removals first.
    pub differences: Vec<Difference>,
    /// SHA-256 of all differences, in hexadecimal digits: the same list and the same contacts have the same.
    pub digest: String,
    /// Nothing was imported: the differences are not the expected ones, or the upload was imported already.
    pub is_stale: bool,
}

/// What is known of the differences so far.
#[derive(Default)]
pub(super) struct Told {
    pub(super) report: ImportReport,
    /// By kind.
    told: [usize; 4],
    digest: Sha256,
}

impl Told {
    pub(super) fn tell(&mut self, difference: Difference) {
        let kind = match &difference {
            Difference::Added(_) => 0,
            Difference::Changed(..) => 1,
            Difference::Gone(_) => 2,
            Difference::Protected(..) => 3,
        };
        let text = |text: &str| {
            let mut part = text.len().to_be_bytes().to_vec();
            part.extend(text.as_bytes());
            part
        };
        let digest = &mut self.digest;
        digest.update([kind]);
        match &difference {
            Difference::Added(address) | Difference::Gone(address) => digest.update(text(&address.to_string())),
            Difference::Changed(address, changes) => {
                digest.update(text(&address.to_string()));
                changes.iter().flat_map(|(field, was, is)| [*field, was, is]).for_each(|it| digest.update(text(it)));
            }
            Difference::Protected(address, fields) => {
                digest.update(text(&address.to_string()));
                let parts = fields.iter().flat_map(|it| [it.field, &it.value, &it.listed, &it.by]);
                parts.for_each(|it| digest.update(text(it)));
            }
        }
        let told = &mut self.told[usize::from(kind)];
        if *told < DIFFERENCES {
            *told += 1;
            self.report.differences.push(difference);
        }
    }

    fn finish(mut self) -> ImportReport {
        let summary = &self.report.summary;
        for n in [summary.added, summary.changed, summary.gone, summary.protected] {
            self.digest.update(n.to_be_bytes());
        }
        self.report.digest = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        self.report
    }
}

/// A contact as stored.
pub(super) struct Known {
    address: String,
    hash: String,
    pub(super) partner_key: String,
    pub(super) fields: Fields,
}

/// A contact after the import: the given fields over the stored ones.
pub(super) struct Effective<'a> {
    key: &'a str,
    contact: NewContact,
    /// The fields given in the file, for the partner.
    said: &'a Fields,
    /// Its establishment before, if it belongs to another one now.
    moved_from: Option<String>,
    /// What changes, where it is known already: field, old and new value.
    pub(super) changes: Vec<(&'static str, String, String)>,
}

pub(super) async fn import<B: Backend>(
    db: &B,
    import: &Import<'_>,
    progress: &(dyn Fn(usize) + Send + Sync),
    now: Timestamp,
) -> Result<ImportReport> {
    let mut tx = Transaction::write(db, "importing contacts").await?;
    tx.execute(B::SQL.at_length, values![]).await?;
    let protects = edits::any(&mut tx).await?;
    // Also where the list counts instead: a former address is nobody who may be written to again.
    let moved = if protects { edits::moved(&mut tx).await? } else { HashMap::new() };
    let keys = keys(import, &moved);
    let mut told = Told::default();
    if import.replace {
        remove_others(&mut tx, &keys, import.source, &mut told, now).await?;
    }
    let mut described = Described::default();
    let mut may_leave_partners_empty = told.report.summary.gone > 0;
    for chunk in keys.chunks(CHUNK) {
        let mut chunk: Vec<_> = chunk.iter().map(|(key, n)| (key.clone(), import.contacts.contact(*n))).collect();
        let known = known(&mut tx, &chunk, import.mailings, &mut told.report).await?;
        if protects {
            edits::protect(&mut tx, &mut chunk, (&known, &moved), import.overwrite_edits, &mut told).await?;
        }
        described.first_counts(&mut chunk, &known);
        let chunk = chunk.as_slice();
        let added = told.report.summary.added;
        let fresh = put(&mut tx, chunk, known, &mut told, now).await?;
        may_leave_partners_empty |= fresh.len() > told.report.summary.added - added;
        may_leave_partners_empty |= affiliate(&mut tx, chunk, &fresh, &mut told, now).await?;
        let all: Json = chunk.iter().map(|(key, _)| json!({ "key": key })).collect();
        for mailing in import.mailings {
            let values = values![all.clone(), now, mailing.as_str(), import.source, import.basis.as_str()];
            tx.execute(B::SQL.subscribe, values).await?;
        }
        tx.execute(B::SQL.note_subscriptions, values![all]).await?;
        progress(chunk.len());
    }
    // Reads all partners, so only if contacts were removed or moved.
    if may_leave_partners_empty {
        drop_empty_partners(&mut tx).await?;
    }
    failpoint::reach("mid_import");
    let mut report = told.finish();
    report.is_stale = import.expected.is_some_and(|expected| expected != report.digest);
    if import.dry_run || report.is_stale {
        return Ok(report);
    }
    let ImportSummary { added, changed, unchanged, suppressed, gone, protected } = report.summary;
    let mut numbers = json!({
        "added": added, "changed": changed, "unchanged": unchanged, "removed": gone, "protected": protected,
    });
    tx.describe(&numbers);
    numbers["suppressed"] = json!(suppressed);
    if let Some(id) = import.upload
        && !uploaded_lists::finish(&mut tx, id, &numbers, now).await?
    {
        report.is_stale = true;
        return Ok(report);
    }
    tx.commit().await?;
    Ok(report)
}

impl Effective<'_> {
    /// Its key, the key of its establishment, and what changes.
    pub(super) fn changed(&self) -> (&str, String, &[(&'static str, String, String)]) {
        (self.key, self.contact.partner_key(), &self.changes)
    }

    fn carried(&self) -> Option<Json> {
        self.moved_from.as_ref().map(|was| json!({ "was": was, "partner": self.contact.partner_key() }))
    }
}

/// The contacts of the list by key, with the number of their line. Of a key the last line counts, because one statement must not
/// change a row twice. A line with the former address of a contact that was moved by hand is a line of that contact, unless its
/// present address is in the list too.
fn keys(import: &Import<'_>, moved: &HashMap<String, Moved>) -> Vec<(String, usize)> {
    let mut keys = BTreeMap::new();
    let mut former = Vec::new();
    for n in 0..import.contacts.count() {
        let key = import.contacts.key(n);
        match moved.get(&key) {
            Some(moved) => former.push((moved.key.clone(), n)),
            None => drop(keys.insert(key, n)),
        }
    }
    for (key, n) in former {
        keys.entry(key).or_insert(n);
    }
    keys.into_iter().collect()
}

/// The stored contacts of the chunk by key; counts those that are suppressed.
pub(super) async fn known<B: Backend>(
    tx: &mut Transaction<B>,
    chunk: &[(String, NewContact)],
    mailings: &[String],
    report: &mut ImportReport,
) -> Result<HashMap<String, Known>> {
    let batch: Json = chunk.iter().map(|(key, c)| json!({ "key": key, "hash": c.address_hash })).collect();
    let mailings: Json = mailings.iter().map(|mailing| json!({ "mailing": mailing })).collect();
    let mut known = HashMap::with_capacity(chunk.len());
    for row in &tx.rows(B::SQL.known_contacts, values![batch, mailings]).await? {
        let row = Reader::new(row, "contacts", "suppressed");
        report.summary.suppressed += usize::from(row.text("suppressed")? == "yes");
        if let Some(address) = row.optional_text("address")? {
            let mut fields = Fields::default();
            for field in Field::ALL {
                fields.set(field, row.text(field.as_str())?);
            }
            let (hash, partner_key) = (row.text("address_hash")?, row.text("partner_key")?);
            known.insert(row.text("email_key")?, Known { address, hash, partner_key, fields });
        }
    }
    Ok(known)
}

/// Writes what is new or different in the chunk; what was changed by hand in an establishment goes with a contact that belongs to
/// another one from now on. Returns the new and changed contacts.
pub(super) async fn put<'a, B: Backend>(
    tx: &mut Transaction<B>,
    chunk: &'a [(String, NewContact)],
    known: HashMap<String, Known>,
    told: &mut Told,
    now: Timestamp,
) -> Result<Vec<Effective<'a>>> {
    let fresh = compare(chunk, known, told);
    write(tx, &fresh, now).await?;
    let carried: Json = fresh.iter().filter_map(Effective::carried).collect();
    if carried != json!([]) {
        tx.execute(B::SQL.carry_partner_edits, values![carried]).await?;
    }
    Ok(fresh)
}

/// Counts the changes of the chunk; returns its new and changed contacts.
fn compare<'a>(
    chunk: &'a [(String, NewContact)],
    mut known: HashMap<String, Known>,
    told: &mut Told,
) -> Vec<Effective<'a>> {
    let mut fresh = Vec::new();
    for (key, contact) in chunk {
        let before = known.remove(key);
        let mut effective = contact.clone();
        let (said, mut moved_from, mut changes) = (&contact.fields, None, Vec::new());
        let Some(before) = before else {
            told.report.summary.added += 1;
            told.tell(Difference::Added(contact.address.clone()));
            fresh.push(Effective { key, contact: effective, said, moved_from, changes });
            continue;
        };
        let address = contact.address.to_string();
        if before.address != address {
            changes.push(("address", before.address, address));
        }
        for field in Field::ALL {
            let was = before.fields.get(field).unwrap_or_default();
            match effective.fields.get(field) {
                None => effective.fields.set(field, was),
                Some(is) if is != was => changes.push((field.as_str(), was.to_owned(), is.to_owned())),
                Some(_) => {}
            }
        }
        // Not reported if only the folding of the partner's name or the hash key differs.
        let same = before.hash == contact.address_hash && before.partner_key == effective.partner_key();
        match changes.is_empty() {
            true => told.report.summary.unchanged += 1,
            false => {
                told.report.summary.changed += 1;
                told.tell(Difference::Changed(contact.address.clone(), changes.clone()));
            }
        }
        if before.partner_key != effective.partner_key() {
            moved_from = Some(before.partner_key);
        }
        if !same || !changes.is_empty() {
            fresh.push(Effective { key, contact: effective, said, moved_from, changes });
        }
    }
    fresh
}

/// Sets the further establishments of the contacts for which the file names one. `true`: some of them changed.
async fn affiliate<B: Backend>(
    tx: &mut Transaction<B>,
    chunk: &[(String, NewContact)],
    fresh: &[Effective<'_>],
    told: &mut Told,
    now: Timestamp,
) -> Result<bool> {
    let named = |(_, contact): &&(String, NewContact)| contact.fields.get(Field::Establishment).is_some();
    let batch: Json = chunk.iter().filter(named).map(|(key, _)| json!({ "key": key })).collect();
    let mut known: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for row in &tx.rows(B::SQL.affiliations_of, values![batch]).await? {
        let row = Reader::new(row, "affiliations", "email_key");
        known.entry(row.text("email_key")?).or_default().push((row.text("partner_key")?, row.text("establishment")?));
    }
    let (mut partners, mut changed, mut rows) = (PartnerFields::new(), Vec::new(), Vec::new());
    for (key, contact) in chunk.iter().filter(named) {
        let mut also: BTreeMap<String, &Fields> = contact.also.iter().map(|it| (contact.key_of(it), it)).collect();
        also.remove(&contact.partner_key());
        also.iter().for_each(|(partner, fields)| describe(&mut partners, partner, fields));
        let before = known.remove(key).unwrap_or_default();
        if before.iter().map(|(partner, _)| partner).eq(also.keys()) {
            continue;
        }
        changed.push(json!({ "key": key }));
        rows.extend(also.keys().map(|partner| json!({ "key": key, "partner": partner })));
        // New or changed contacts are counted already.
        if !fresh.iter().any(|it| it.key == key) {
            told.report.summary.unchanged -= 1;
            told.report.summary.changed += 1;
            let was = before.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(", ");
            let is = also.values().filter_map(|it| it.get(Field::Establishment)).collect::<Vec<_>>().join(", ");
            told.tell(Difference::Changed(contact.address.clone(), vec![("other establishments", was, is)]));
        }
    }
    if !partners.is_empty() {
        let batch: Json = partners.into_values().map(Json::Object).collect();
        tx.execute(B::SQL.add_partners, values![batch.clone(), now]).await?;
        tx.execute(B::SQL.change_partners, values![batch]).await?;
    }
    if !changed.is_empty() {
        tx.execute(B::SQL.drop_affiliations, values![Json::from(changed.clone())]).await?;
        tx.execute(B::SQL.put_affiliations, values![Json::from(rows)]).await?;
    }
    Ok(!changed.is_empty())
}

async fn write<B: Backend>(tx: &mut Transaction<B>, fresh: &[Effective<'_>], now: Timestamp) -> Result<()> {
    let (mut partners, mut said, mut contacts) = (PartnerFields::new(), PartnerFields::new(), Vec::new());
    for it in fresh {
        let partner = it.contact.partner_key();
        describe(&mut partners, &partner, &it.contact.fields);
        describe(&mut said, &partner, it.said);
        contacts.push(json!({
            "key": it.key,
            "partner": partner,
            "address": it.contact.address.to_string(),
            "hash": it.contact.address_hash,
            "name": it.contact.fields.get(Field::Name),
            "function": it.contact.fields.get(Field::Function),
            "language": it.contact.fields.get(Field::Language),
        }));
    }
    tx.execute(B::SQL.add_partners, values![partners.into_values().map(Json::Object).collect::<Json>(), now]).await?;
    tx.execute(B::SQL.change_partners, values![said.into_values().map(Json::Object).collect::<Json>()]).await?;
    tx.execute(B::SQL.upsert_contacts, values![Json::from(contacts), now]).await?;
    Ok(())
}

/// What the list says of establishments, as hashes: if several contacts describe the same one differently, the first who knows
/// something counts, in whichever thousand.
#[derive(Default)]
struct Described {
    /// The first value by establishment and field.
    first: HashMap<u64, u64>,
    hasher: RandomState,
}

impl Described {
    /// Takes the other values out of the chunk, so that they make no difference either.
    fn first_counts(&mut self, chunk: &mut [(String, NewContact)], known: &HashMap<String, Known>) {
        let partners: Vec<_> = chunk.iter().map(|(key, it)| edits::partner_of(it, known.get(key))).collect();
        let fields = || Field::ALL.into_iter().filter(|it| it.is_of_partner() && !it.names_an_establishment());
        for ((_, contact), partner) in chunk.iter().zip(&partners) {
            for field in fields() {
                if let Some(text) = contact.fields.get(field).filter(|text| !field.is_unknown(text)) {
                    let value = self.hasher.hash_one(text);
                    self.first.entry(self.hasher.hash_one((partner, field))).or_insert(value);
                }
            }
        }
        for ((_, contact), partner) in chunk.iter_mut().zip(&partners) {
            for field in fields() {
                let first = self.first.get(&self.hasher.hash_one((partner, field)));
                if let (Some(text), Some(first)) = (contact.fields.get(field), first)
                    && self.hasher.hash_one(text) != *first
                {
                    contact.fields.unset(field);
                }
            }
        }
    }
}

/// Objects of a batch by the partner's key.
type PartnerFields = BTreeMap<String, Map<String, Json>>;

/// If several contacts describe the same partner, the first value counts.
fn describe(partners: &mut PartnerFields, key: &str, fields: &Fields) {
    let batch = partners.entry(key.to_owned()).or_default();
    batch.insert("partner".to_owned(), json!(key));
    for field in Field::ALL.into_iter().filter(|field| field.is_of_partner()) {
        if let Some(text) = fields.get(field) {
            batch.entry(field.as_str()).or_insert_with(|| json!(text));
        }
    }
}

/// Removes contacts that are not in the whole list; their deliveries stay in the ledger, and suppressions by hash.
async fn remove_others<B: Backend>(
    tx: &mut Transaction<B>,
    keys: &[(String, usize)],
    source: &str,
    told: &mut Told,
    now: Timestamp,
) -> Result<()> {
    let listed: HashSet<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
    let mut gone = Vec::new();
    for row in &tx.rows("SELECT id, email_key, address FROM contacts ORDER BY email_key", values![]).await? {
        let row = Reader::new(row, "contacts", "id");
        told.report.known += 1;
        let key = row.text("email_key")?;
        if !listed.contains(key.as_str()) {
            told.tell(Difference::Gone(row.address("address")?));
            gone.push(json!({ "key": key }));
        }
    }
    told.report.summary.gone = gone.len();
    for chunk in gone.chunks(CHUNK) {
        remove(tx, &Json::from(chunk.to_vec()), source, now).await?;
    }
    Ok(())
}

/// Removes contacts, a batch of {key}, and records that their subscriptions ended.
async fn remove<B: Backend>(tx: &mut Transaction<B>, batch: &Json, source: &str, now: Timestamp) -> Result<u64> {
    tx.execute(B::SQL.note_endings, values![batch.clone(), now, source]).await?;
    tx.execute(B::SQL.drop_subscriptions, values![batch.clone()]).await?;
    tx.execute(B::SQL.drop_affiliations, values![batch.clone()]).await?;
    tx.execute(B::SQL.drop_contacts, values![batch.clone()]).await
}
