//! What staff changed by hand: a list that says otherwise does not undo it, and once it says the same, it is forgotten.

use super::{
    Result,
    backend::{Backend, Row, Transaction, values},
    import::{Known, Told},
    rows::Reader,
};
use crate::domain::{
    Timestamp,
    email::EmailAddress,
    french,
    partner::{Difference, Field, Fields, NewContact, ProtectedField},
};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// The field of an address that was changed by hand; the others are those of [`Field`].
pub(super) const ADDRESS: &str = "address";

/// A value that was entered by hand.
pub(super) struct Edit {
    value: String,
    by: String,
    at: Timestamp,
}

impl Edit {
    fn read(row: &Reader<'_>) -> Result<Self> {
        Ok(Self { value: row.text("value")?, by: row.text("made_by")?, at: row.instant("made_at")? })
    }

    fn protected(&self, field: &'static str, listed: String) -> ProtectedField {
        ProtectedField { field, value: self.value.clone(), listed, by: self.by.clone(), at: self.at }
    }
}

/// A contact whose address was changed by hand.
pub(super) struct Moved {
    pub(super) key: String,
    address: EmailAddress,
    hash: String,
    edit: Edit,
}

/// Edits by the key of their contact or partner, and field.
type Edits = HashMap<(String, String), Edit>;

/// Whether anything was changed by hand: as a rule nothing was.
pub(super) async fn any<B: Backend>(tx: &mut Transaction<B>) -> Result<bool> {
    let select = "SELECT field FROM contact_edits UNION ALL SELECT field FROM partner_edits LIMIT 1";
    Ok(tx.row(select, values![]).await?.is_some())
}

/// Contacts that moved, by the key of their former address, where no contact has that address now. If several had it: the one
/// that moved last.
pub(super) async fn moved<B: Backend>(tx: &mut Transaction<B>) -> Result<HashMap<String, Moved>> {
    let select = "SELECT f.email_key AS former, c.email_key, c.address, c.address_hash, e.value, e.made_by, e.made_at
        FROM contact_edits e JOIN contacts c ON c.id = e.contact JOIN former_addresses f ON f.contact = c.id
        WHERE e.field = 'address' AND e.value = c.address
            AND NOT EXISTS (SELECT 1 FROM contacts o WHERE o.email_key = f.email_key)
        ORDER BY e.made_at, c.email_key";
    let read = |row: &Row| {
        let row = Reader::new(row, "contact_edits", "former");
        let (key, address) = (row.text("email_key")?, row.address("address")?);
        let moved = Moved { key, address, hash: row.text("address_hash")?, edit: Edit::read(&row)? };
        Ok((row.text("former")?, moved))
    };
    tx.rows(select, values![]).await?.iter().map(read).collect()
}

async fn edits<B: Backend>(tx: &mut Transaction<B>, select: &'static str, batch: Json) -> Result<Edits> {
    let read = |row: &Row| {
        let row = Reader::new(row, "edits", "subject");
        Ok(((row.text("subject")?, row.text("field")?), Edit::read(&row)?))
    };
    tx.rows(select, values![batch]).await?.iter().map(read).collect()
}

/// Edits that are over: the list says the same, or it counts.
#[derive(Default)]
struct Over {
    contacts: Vec<Json>,
    partners: Vec<Json>,
}

/// Puts what was changed by hand in the place of what the list says, so that it makes no difference. `overwrite`: the list counts,
/// and what was changed by hand is forgotten, except an address.
pub(super) async fn protect<B: Backend>(
    tx: &mut Transaction<B>,
    chunk: &mut [(String, NewContact)],
    (known, moved): (&HashMap<String, Known>, &HashMap<String, Moved>),
    overwrite: bool,
    told: &mut Told,
) -> Result<()> {
    let keys: Json = chunk.iter().map(|(key, _)| json!({ "key": key })).collect();
    let of_contacts = edits(tx, B::SQL.contact_edits_of, keys).await?;
    let mut over = Over::default();
    let mut kept: HashMap<&str, Vec<ProtectedField>> = HashMap::new();
    let mut chunk: Vec<(&str, &mut NewContact)> = chunk.iter_mut().map(|(key, it)| (key.as_str(), it)).collect();
    for (key, contact) in &mut chunk {
        let kept = kept.entry(key).or_default();
        let over = &mut over.contacts;
        if let Some(moved) = moved.get(&contact.address.key()) {
            kept.push(moved.edit.protected(ADDRESS, contact.address.to_string()));
            contact.address = moved.address.clone();
            contact.address_hash.clone_from(&moved.hash);
        } else if of_contacts.contains_key(&((*key).to_owned(), ADDRESS.to_owned())) {
            over.push(json!({ "key": key, "field": ADDRESS }));
        }
        let Some(known) = known.get(*key) else { continue };
        for field in Field::ALL {
            let Some(edit) = of_contacts.get(&((*key).to_owned(), field.as_str().to_owned())) else { continue };
            let (was, Some(is)) = (known.fields.get(field).unwrap_or_default(), contact.fields.get(field)) else {
                continue;
            };
            // Which establishment it is: the spelling of its name is a matter of the establishment.
            let same = |a: &str, b: &str| a == b || field.is_of_partner() && french::folded(a) == french::folded(b);
            if overwrite || same(is, &edit.value) {
                over.push(json!({ "key": key, "field": field.as_str() }));
            } else if same(was, &edit.value) {
                kept.push(edit.protected(field.as_str(), is.to_owned()));
                contact.fields.set(field, was);
            }
        }
    }
    let partner_keys = chunk.iter().flat_map(|(key, contact)| {
        let also = contact.also.iter().map(|it| contact.key_of(it));
        also.chain([partner_of(contact, known.get(*key))]).chain(known.get(*key).map(|it| it.partner_key.clone()))
    });
    let partner_keys: Json = partner_keys.map(|partner| json!({ "partner": partner })).collect();
    let of_partners = edits(tx, B::SQL.partner_edits_of, partner_keys).await?;
    if !of_partners.is_empty() {
        for (key, contact) in &mut chunk {
            let kept = kept.entry(key).or_default();
            let mut keys = vec![partner_of(contact, known.get(*key))];
            keys.extend(known.get(*key).map(|it| it.partner_key.clone()).filter(|it| *it != keys[0]));
            keep_partner(&of_partners, &keys, &mut contact.fields, overwrite, &mut over.partners, kept);
            let mut also = std::mem::take(&mut contact.also);
            for fields in &mut also {
                let key = [contact.key_of(fields)];
                keep_partner(&of_partners, &key, fields, overwrite, &mut over.partners, kept);
            }
            contact.also = also;
        }
    }
    for (key, contact) in &chunk {
        if let Some(fields) = kept.remove(*key).filter(|fields| !fields.is_empty()) {
            told.report.summary.protected += fields.len();
            told.tell(Difference::Protected(contact.address.clone(), fields));
        }
    }
    if !over.contacts.is_empty() {
        tx.execute(B::SQL.drop_contact_edits, values![Json::from(over.contacts)]).await?;
    }
    if !over.partners.is_empty() {
        tx.execute(B::SQL.drop_partner_edits, values![Json::from(over.partners)]).await?;
    }
    Ok(())
}

/// The establishment the contact belongs to after the import.
pub(super) fn partner_of(contact: &NewContact, known: Option<&Known>) -> String {
    let mut named = Fields::default();
    for field in [Field::Establishment, Field::Commune] {
        let was = known.and_then(|known| known.fields.get(field));
        named.set(field, contact.fields.get(field).or(was).unwrap_or_default());
    }
    contact.key_of(&named)
}

/// The fields of an establishment. `keys`: it, and the one from which its fields come.
fn keep_partner(
    edits: &Edits,
    keys: &[String],
    fields: &mut Fields,
    overwrite: bool,
    over: &mut Vec<Json>,
    kept: &mut Vec<ProtectedField>,
) {
    for field in Field::ALL.into_iter().filter(|field| field.is_of_partner()) {
        for (n, key) in keys.iter().enumerate() {
            let names = field.names_an_establishment();
            let Some(edit) = edits.get(&(key.clone(), field.as_str().to_owned())).filter(|_| n == 0 || !names) else {
                continue;
            };
            let Some(is) = fields.get(field) else { break };
            // It says what stays, not what the list says.
            if names && kept.iter().any(|it| it.field == field.as_str()) {
                break;
            }
            if overwrite || is == edit.value {
                over.push(json!({ "partner": key, "field": field.as_str() }));
            } else {
                kept.push(edit.protected(field.as_str(), is.to_owned()));
                fields.set(field, edit.value.as_str());
            }
            break;
        }
    }
}

/// Remembers what was changed by hand: by contact its key, its establishment's key, and what changed.
pub(super) async fn record<'a, B: Backend>(
    tx: &mut Transaction<B>,
    changes: impl Iterator<Item = (&'a str, String, &'a [(&'static str, String, String)])>,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    let (mut contacts, mut partners) = (Vec::new(), Vec::new());
    for (key, partner, changes) in changes {
        for (field, _, value) in changes {
            let Some(known) = Field::ALL.into_iter().find(|it| it.as_str() == *field) else { continue };
            if known.is_of_partner() {
                partners.push(json!({ "partner": partner, "field": field, "value": value }));
            }
            if !known.is_of_partner() || known.names_an_establishment() {
                contacts.push(json!({ "key": key, "field": field, "value": value }));
            }
        }
    }
    if !contacts.is_empty() {
        tx.execute(B::SQL.put_contact_edits, values![Json::from(contacts), by, now]).await?;
    }
    if !partners.is_empty() {
        tx.execute(B::SQL.put_partner_edits, values![Json::from(partners), by, now]).await?;
    }
    Ok(())
}
