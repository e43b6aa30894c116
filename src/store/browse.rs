//! Reads for pages that people look at: each costs what it shows, however large the ledger is. The one exception says so.

use super::Ledger;
use super::{
    AudienceMember, ContactName, ContentSummary, IssuesFilter, OrdersFilter, Person, Result,
    backend::{Backend, Transaction, Value, values},
    editions, issues, orders,
    partners::CONTACTS,
    rows::{self, Reader},
    sql::placeholders,
};
use crate::domain::{
    edition::Order,
    issue::{IssueKey, IssueSummary},
    partner::{Barred, Contact, Partner},
    segment::Segment,
};
use async_trait::async_trait;
use std::collections::HashMap;

/// Pages of lists, and what is known of one person.
#[async_trait]
pub trait Browse: Send + Sync {
    /// Newest first, with their counts. Without confirmations of orders, which are an issue each.
    async fn issues_page(&self, filter: &IssuesFilter) -> Result<Vec<IssueSummary>>;

    /// Those of these keys that exist, in no order.
    async fn issues_by_key(&self, keys: &[IssueKey]) -> Result<Vec<IssueSummary>>;

    /// What an issue consists of; `None` if there is no content yet.
    async fn content_summary(&self, key: &IssueKey) -> Result<Option<ContentSummary>>;

    /// Oldest first.
    async fn orders_page(&self, filter: &OrdersFilter) -> Result<Vec<Order>>;

    /// Every contact, by what it is looked for: reads the whole list, so a caller keeps the result for a while.
    async fn contact_names(&self) -> Result<Vec<ContactName>>;

    /// The contacts with these ids, at most a few hundred, in the given order; unknown ids are left out.
    async fn contacts_by_id(&self, ids: &[String]) -> Result<Vec<Contact>>;

    /// Some of the present recipients of a mailing, at most a few hundred, by establishment and name.
    async fn audience_sample(
        &self,
        mailing: &str,
        audience: &str,
        segment: Option<&Segment>,
        most: u32,
    ) -> Result<Vec<AudienceMember>>;

    /// `None`: there is no such contact.
    async fn person(&self, id: &str) -> Result<Option<Person>>;
}

#[async_trait]
impl<B: Backend> Browse for Ledger<B> {
    async fn issues_page(&self, filter: &IssuesFilter) -> Result<Vec<IssueSummary>> {
        issues::page(&self.0, filter).await
    }

    async fn issues_by_key(&self, keys: &[IssueKey]) -> Result<Vec<IssueSummary>> {
        issues::by_key(&self.0, keys).await
    }

    async fn content_summary(&self, key: &IssueKey) -> Result<Option<ContentSummary>> {
        issues::content_summary(&self.0, key).await
    }

    async fn orders_page(&self, filter: &OrdersFilter) -> Result<Vec<Order>> {
        orders::page(&self.0, filter).await
    }

    async fn contact_names(&self) -> Result<Vec<ContactName>> {
        let mut tx = Transaction::read(&self.0, "reading the names of contacts").await?;
        let select = "SELECT a.contact, p.name AS establishment, p.commune
            FROM affiliations a JOIN partners p ON p.id = a.partner ORDER BY a.contact, p.name, p.id";
        let mut others: HashMap<String, String> = HashMap::new();
        for row in &tx.rows(select, values![]).await? {
            let row = Reader::new(row, "affiliations", "contact");
            let text = others.entry(row.text("contact")?).or_default();
            *text += &format!("{} {} ", row.text("establishment")?, row.text("commune")?);
        }
        let select = "SELECT c.id, c.email_key, c.name, p.name AS establishment, p.commune, p.phone
            FROM contacts c JOIN partners p ON p.id = c.partner";
        let name = |row| {
            let row = Reader::new(row, "contacts", "id");
            let id = row.text("id")?;
            Ok(ContactName {
                address_key: row.text("email_key")?,
                name: row.text("name")?,
                establishment: row.text("establishment")?,
                commune: row.text("commune")?,
                phone: row.text("phone")?,
                others: others.remove(&id).unwrap_or_default(),
                id,
            })
        };
        tx.rows(select, values![]).await?.iter().map(name).collect()
    }

    async fn contacts_by_id(&self, ids: &[String]) -> Result<Vec<Contact>> {
        let mut tx = Transaction::read(&self.0, "reading some contacts").await?;
        some(&mut tx, ids).await
    }

    async fn audience_sample(
        &self,
        mailing: &str,
        audience: &str,
        segment: Option<&Segment>,
        most: u32,
    ) -> Result<Vec<AudienceMember>> {
        let mut tx = Transaction::read(&self.0, "reading some recipients").await?;
        editions::audience_sample(&mut tx, mailing, audience, segment, most).await
    }

    async fn person(&self, id: &str) -> Result<Option<Person>> {
        let mut tx = Transaction::read(&self.0, "reading what is shown of a person").await?;
        let Some(contact) = some(&mut tx, &[id.to_owned()]).await?.pop() else { return Ok(None) };
        let select = "SELECT email_key, address_hash, id FROM contacts WHERE id = $1";
        let Some(row) = tx.row(select, values![id]).await? else { return Ok(None) };
        let row = Reader::new(&row, "contacts", "id");
        let (address_key, hash) = (row.text("email_key")?, row.text("address_hash")?);
        let select = "SELECT mailing, at, change, basis, source FROM subscription_changes WHERE address_hash = $1
            ORDER BY at, mailing, change";
        let history = tx
            .rows(select, values![hash.as_str()])
            .await?
            .iter()
            .map(rows::subscription_change)
            .collect::<Result<_>>()?;
        let select = "SELECT contact, email_key FROM former_addresses WHERE contact = $1 ORDER BY email_key";
        let former = tx.rows(select, values![id]).await?;
        let former = former.iter().map(|row| Reader::new(row, "former_addresses", "contact").text("email_key"));
        let former = former.collect::<Result<_>>()?;
        let orders = orders::of_person(&mut tx, &address_key).await?;
        Ok(Some(Person { contact, address_key, address_hash: hash, former, history, orders }))
    }
}

async fn some<B: Backend>(tx: &mut Transaction<B>, ids: &[String]) -> Result<Vec<Contact>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (these, values) =
        (placeholders(ids.len()), || ids.iter().map(|id| Value::from(id.as_str())).collect::<Vec<_>>());
    let select = sqlx::AssertSqlSafe(format!("{CONTACTS} c.id IN ({these})"));
    let found = tx.rows(select, values()).await?.iter().map(rows::contact).collect::<Result<Vec<Contact>>>()?;
    let mut found: HashMap<String, Contact> = found.into_iter().map(|it| (it.id.clone(), it)).collect();

    let select = format!(
        "SELECT c.id AS contact, s.scope, s.reason, s.since, s.why FROM contacts c
            JOIN suppressions s ON s.address_hash = c.address_hash WHERE c.id IN ({these}) ORDER BY c.id, s.scope"
    );
    for row in &tx.rows(sqlx::AssertSqlSafe(select), values()).await? {
        let (contact, barred): (String, Barred) = rows::barred(row)?;
        found.entry(contact).and_modify(|it| it.barred.push(barred));
    }
    let select = format!(
        "SELECT contact, mailing FROM subscriptions WHERE contact IN ({these}) AND ended_at IS NULL
            ORDER BY contact, mailing"
    );
    for row in &tx.rows(sqlx::AssertSqlSafe(select), values()).await? {
        let row = Reader::new(row, "subscriptions", "contact");
        let mailing = row.text("mailing")?;
        // F2: a contact receives a mailing if it is subscribed and not suppressed.
        found.entry(row.text("contact")?).and_modify(|it| {
            if !it.barred.iter().any(|barred| barred.scope == mailing || barred.scope == "*") {
                it.subscriptions.push(mailing);
            }
        });
    }
    let select = format!(
        "SELECT a.contact, p.name AS establishment, p.category, p.commune, p.insee, p.street, p.labels, p.stars,
                p.website, p.phone, p.postcode, p.position
            FROM affiliations a JOIN partners p ON p.id = a.partner WHERE a.contact IN ({these})
            ORDER BY a.contact, p.name, p.id"
    );
    for row in &tx.rows(sqlx::AssertSqlSafe(select), values()).await? {
        let (contact, partner): (String, Partner) = rows::affiliation(row)?;
        found.entry(contact).and_modify(|it| it.others.push(partner));
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}
