//! One person of the list, as the office works on it: a change that knows what it was made from, a suppression with its reason, and
//! the numbers that are stated before something is done.

use super::{
    Ledger, Result,
    backend::{Backend, Transaction, Value, values},
    edits,
    import::{Effective, Told, known, put},
    partners::{drop_empty_partners, matching, suppress_within},
    rows::Reader,
    segment,
    sql::placeholders,
};
use crate::domain::{
    Timestamp,
    partner::{Barred, Basis, Field, Fields, NewContact, SuppressionReason},
    segment::Segment,
};
use async_trait::async_trait;
use serde_json::json;
use std::collections::HashMap;

/// One person of the list, and numbers about several.
#[async_trait]
pub trait Persons: Send + Sync {
    /// Sets the given fields of the contact with this key and hash, and of its establishment, at one instant: two persons who
    /// change the same contact or establishment come one after the other. `seen`: what the fields were when the change was made;
    /// if they are different now, nothing is changed. What changes is kept with `by` whom: lists do not undo it.
    async fn edit_contact(
        &self,
        contact: (&str, &str),
        seen: Option<&Fields>,
        fields: &Fields,
        by: &str,
        now: Timestamp,
    ) -> Result<ContactEdit>;

    /// Adds a contact that is not known yet, with its subscriptions. A known establishment keeps what it says already.
    async fn add_contact(
        &self,
        contact: &NewContact,
        mailings: &[String],
        source: &str,
        now: Timestamp,
    ) -> Result<ContactAdded>;

    /// [`Partners::suppress`](super::Partners::suppress) by the office, with its reason.
    async fn suppress_because(
        &self,
        address_hash: &str,
        mailing: Option<&str>,
        why: &str,
        now: Timestamp,
    ) -> Result<()>;

    /// The suppressions of an address, whether somebody has it or not.
    async fn suppressions_of(&self, address_hash: &str) -> Result<Vec<Barred>>;

    /// The id of the contact with this key.
    async fn contact_id(&self, key: &str) -> Result<Option<String>>;

    /// What depends on the contact with this id; `None`: there is none.
    async fn reach(&self, id: &str) -> Result<Option<Reach>>;

    /// Ids of the contacts of the segment.
    async fn ids_of(&self, segment: &Segment) -> Result<Vec<String>>;

    /// How many match the segment.
    async fn count_of(&self, segment: &Segment) -> Result<SegmentCount>;

    /// The last sign of life of these contacts, at most a few hundred; those without any are left out.
    async fn last_signs(&self, ids: &[String]) -> Result<HashMap<String, LastSign>>;
}

/// The result of [`Persons::edit_contact`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactEdit {
    /// Each changed field with its old and new value.
    Done(Vec<(&'static str, String, String)>),
    NotKnown,
    /// Somebody changed it meanwhile.
    Stale,
}

/// The result of [`Persons::add_contact`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactAdded {
    Done {
        /// The address is suppressed, for one of the mailings or for all, and stays so.
        is_barred: bool,
        /// Names of the given fields that its establishment keeps otherwise.
        kept: Vec<&'static str>,
    },
    /// Somebody has this address already: nothing was changed.
    Known,
}

/// What depends on one contact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Messages that wait, by mailing.
    pub waiting: Vec<(String, u64)>,
    /// Rows of the ledger that name the person, also by former addresses.
    pub deliveries: u64,
    pub open_orders: u64,
    /// Other contacts of its establishment.
    pub colleagues: u64,
}

/// How many contacts match a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SegmentCount {
    pub contacts: u64,
    /// Their main establishments.
    pub partners: u64,
    /// Those of the contacts that receive nothing at all.
    pub barred: u64,
}

/// The last that was heard of a contact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastSign {
    /// The relay took a message for the address.
    pub accepted: Option<Timestamp>,
    pub ordered: Option<Timestamp>,
}

#[async_trait]
impl<B: Backend> Persons for Ledger<B> {
    async fn edit_contact(
        &self,
        (key, hash): (&str, &str),
        seen: Option<&Fields>,
        fields: &Fields,
        by: &str,
        now: Timestamp,
    ) -> Result<ContactEdit> {
        let mut tx = Transaction::write(&self.0, "changing a contact").await?;
        // Locks both rows, in the order of an import: of two changes the second sees the first.
        let partner = "UPDATE partners SET name = name WHERE id = (SELECT partner FROM contacts WHERE email_key = $1)";
        tx.execute(partner, values![key]).await?;
        tx.execute("UPDATE contacts SET name = name WHERE email_key = $1", values![key]).await?;
        let Some(contact) = matching(&mut tx, "c.email_key = $1", values![key]).await?.pop() else {
            return Ok(ContactEdit::NotKnown);
        };
        if seen.is_some_and(|seen| *seen != contact.fields()) {
            return Ok(ContactEdit::Stale);
        }
        let address = contact.address.clone();
        let wanted = NewContact { address, address_hash: hash.to_owned(), fields: fields.clone(), also: Vec::new() };
        let wanted = [(key.to_owned(), wanted)];
        let mut told = Told::default();
        let before = known(&mut tx, &wanted, &[], &mut told.report).await?;
        let fresh = put(&mut tx, &wanted, before, &mut told, now).await?;
        edits::record(&mut tx, fresh.iter().map(Effective::changed), by, now).await?;
        // The establishment that it has now is not one of its further ones.
        let twice = "DELETE FROM affiliations WHERE contact = $1
            AND partner = (SELECT partner FROM contacts WHERE id = $1)";
        tx.execute(twice, values![contact.id.as_str()]).await?;
        if fields.name_an_establishment() {
            drop_empty_partners(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(ContactEdit::Done(fresh.into_iter().flat_map(|it| it.changes).collect()))
    }

    async fn add_contact(
        &self,
        contact: &NewContact,
        mailings: &[String],
        source: &str,
        now: Timestamp,
    ) -> Result<ContactAdded> {
        let mut tx = Transaction::write(&self.0, "adding a contact").await?;
        // Of two at once the second sees the first.
        tx.execute(B::SQL.opting_out, values![]).await?;
        let key = contact.address.key();
        if tx.row("SELECT id FROM contacts WHERE email_key = $1", values![key.as_str()]).await?.is_some() {
            return Ok(ContactAdded::Known);
        }
        let mut contact = contact.clone();
        let mut kept = Vec::new();
        let select =
            "SELECT name AS establishment, category, commune, insee, street, labels, CAST(stars AS TEXT) AS stars,
            website, phone, postcode, position FROM partners WHERE partner_key = $1";
        if let Some(row) = tx.row(select, values![contact.partner_key()]).await? {
            let row = Reader::new(&row, "partners", "establishment");
            for field in Field::ALL.into_iter().filter(|field| field.is_of_partner()) {
                let is = row.text(field.as_str())?;
                match contact.fields.get(field) {
                    Some(given) if !field.is_unknown(&is) && given != is => {
                        // The writing of the name is no other name.
                        if !field.names_an_establishment() {
                            kept.push(field.as_str());
                        }
                        contact.fields.set(field, is);
                    }
                    _ => {}
                }
            }
        }
        let chunk = [(key.clone(), contact)];
        let mut told = Told::default();
        let before = known(&mut tx, &chunk, mailings, &mut told.report).await?;
        put(&mut tx, &chunk, before, &mut told, now).await?;
        let all = json!([{ "key": key }]);
        for mailing in mailings {
            let values = values![all.clone(), now, mailing.as_str(), source, Basis::default().as_str()];
            tx.execute(B::SQL.subscribe, values).await?;
        }
        tx.execute(B::SQL.note_subscriptions, values![all]).await?;
        tx.commit().await?;
        Ok(ContactAdded::Done { is_barred: told.report.summary.suppressed > 0, kept })
    }

    async fn suppress_because(
        &self,
        address_hash: &str,
        mailing: Option<&str>,
        why: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "suppressing an address").await?;
        tx.execute(B::SQL.opting_out, values![]).await?;
        suppress_within(&mut tx, address_hash, mailing, (SuppressionReason::Manual, why), now).await?;
        tx.commit().await
    }

    async fn suppressions_of(&self, address_hash: &str) -> Result<Vec<Barred>> {
        let mut tx = Transaction::read(&self.0, "reading the suppressions of an address").await?;
        suppressions_of(&mut tx, address_hash).await
    }

    async fn contact_id(&self, key: &str) -> Result<Option<String>> {
        let mut tx = Transaction::read(&self.0, "looking for a contact").await?;
        let row = tx.row("SELECT id FROM contacts WHERE email_key = $1", values![key]).await?;
        row.map(|row| Reader::new(&row, "contacts", "id").text("id")).transpose()
    }

    async fn reach(&self, id: &str) -> Result<Option<Reach>> {
        let mut tx = Transaction::read(&self.0, "counting what depends on a contact").await?;
        let Some(row) = tx.row("SELECT email_key, partner FROM contacts WHERE id = $1", values![id]).await? else {
            return Ok(None);
        };
        let row = Reader::new(&row, "contacts", "email_key");
        let (key, partner) = (row.text("email_key")?, row.text("partner")?);
        // SQLite executes a CROSS JOIN in the written order: few issues, and one lookup in each.
        let select = "SELECT i.mailing, COUNT(*) AS n FROM issues i CROSS JOIN deliveries d
            WHERE i.state IN ('sending', 'paused') AND d.issue = i.key AND d.recipient_key = $1 AND d.state = 'queued'
            GROUP BY i.mailing ORDER BY i.mailing";
        let mut waiting = Vec::new();
        for row in &tx.rows(select, values![key.as_str()]).await? {
            let row = Reader::new(row, "issues", "mailing");
            waiting.push((row.text("mailing")?, row.number("n")?));
        }
        let mut count = async |select: &'static str, values| {
            let row = tx.row(select, values).await?;
            row.map_or(Ok(0), |row| Reader::new(&row, "deliveries", "n").number("n"))
        };
        // One index lookup per issue, except for confirmations of orders, which have an index of their own (store/log.rs).
        let own = "SELECT (SELECT COUNT(*) FROM issues i CROSS JOIN deliveries d
                WHERE i.mailing <> 'orders' AND d.issue = i.key AND d.recipient_key = $1)
            + (SELECT COUNT(*) FROM deliveries
                WHERE recipient_key = $1 AND issue >= 'orders/' AND issue < 'orders0') AS n";
        let former = "SELECT COUNT(*) AS n FROM former_addresses f CROSS JOIN issues i CROSS JOIN deliveries d
            WHERE f.contact = $1 AND d.issue = i.key AND d.recipient_key = f.email_key AND d.contact_id = $1";
        let deliveries: u64 = count(own, values![key.as_str()]).await?;
        let before: u64 = count(former, values![id]).await?;
        let orders = "SELECT COUNT(*) AS n FROM orders WHERE recipient_key = $1 AND state = 'open'";
        let open_orders = count(orders, values![key.as_str()]).await?;
        let others = "SELECT COUNT(*) AS n FROM contacts WHERE partner = $1 AND id <> $2";
        let colleagues = count(others, values![partner.as_str(), id]).await?;
        Ok(Some(Reach { waiting, deliveries: deliveries + before, open_orders, colleagues }))
    }

    async fn ids_of(&self, segment: &Segment) -> Result<Vec<String>> {
        let mut tx = Transaction::read(&self.0, "looking for the contacts of a segment").await?;
        let segment = segment::resolved(&mut tx, segment).await?;
        let (condition, values) = segment::condition::<B>(&segment, 1);
        let select = format!("SELECT c.id FROM contacts c WHERE {condition}");
        let rows = tx.rows(sqlx::AssertSqlSafe(select), values).await?;
        rows.iter().map(|row| Reader::new(row, "contacts", "id").text("id")).collect()
    }

    async fn count_of(&self, segment: &Segment) -> Result<SegmentCount> {
        let mut tx = Transaction::read(&self.0, "counting the contacts of a segment").await?;
        let segment = segment::resolved(&mut tx, segment).await?;
        let (condition, values) = segment::condition::<B>(&segment, 1);
        let select = format!(
            "SELECT COUNT(*) AS contacts, COUNT(DISTINCT c.partner) AS partners,
                COUNT(*) - COUNT(CASE WHEN EXISTS (SELECT 1 FROM subscriptions v
                    WHERE v.contact = c.id AND v.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM suppressions s
                        WHERE s.address_hash = c.address_hash AND s.scope IN ('*', v.mailing))) THEN 1 END) AS barred
            FROM contacts c WHERE {condition}"
        );
        let Some(row) = tx.row(sqlx::AssertSqlSafe(select), values).await? else { return Ok(SegmentCount::default()) };
        let row = Reader::new(&row, "contacts", "contacts");
        Ok(SegmentCount {
            contacts: row.number("contacts")?,
            partners: row.number("partners")?,
            barred: row.number("barred")?,
        })
    }

    async fn last_signs(&self, ids: &[String]) -> Result<HashMap<String, LastSign>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut tx = Transaction::read(&self.0, "reading the last signs of life").await?;
        // From one issue back to the one before, until one was accepted: a few lookups for each contact. The confirmations of orders,
        // an issue each, are in the orders.
        let select = format!(
            "SELECT c.id,
                (SELECT d.changed_at FROM issues i CROSS JOIN deliveries d
                    WHERE i.mailing <> 'orders' AND d.issue = i.key AND d.recipient_key = c.email_key AND d.state = 'sent'
                    ORDER BY i.scheduled_for DESC, i.key DESC LIMIT 1) AS accepted,
                (SELECT MAX(o.ordered_at) FROM orders o WHERE o.recipient_key = c.email_key) AS ordered
            FROM contacts c WHERE c.id IN ({})",
            placeholders(ids.len())
        );
        let values = ids.iter().map(|id| Value::from(id.as_str())).collect();
        let rows = tx.rows(sqlx::AssertSqlSafe(select), values).await?;
        let sign = |row| {
            let row = Reader::new(row, "contacts", "id");
            let sign =
                LastSign { accepted: row.optional_instant("accepted")?, ordered: row.optional_instant("ordered")? };
            Ok((row.text("id")?, sign))
        };
        let signs: Result<HashMap<_, _>> = rows.iter().map(sign).collect();
        Ok(signs?.into_iter().filter(|(_, sign)| *sign != LastSign::default()).collect())
    }
}

/// By instant and scope.
pub(super) async fn suppressions_of<B: Backend>(tx: &mut Transaction<B>, address_hash: &str) -> Result<Vec<Barred>> {
    let select = "SELECT address_hash AS contact, scope, reason, since, why FROM suppressions WHERE address_hash = $1
        ORDER BY since, scope";
    let rows = tx.rows(select, values![address_hash]).await?;
    rows.iter().map(|row| super::rows::barred(row).map(|(_, barred)| barred)).collect()
}
