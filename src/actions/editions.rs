//! Adding editions; orders that a partner gives by telephone, and that are delivered.

use super::{Actor, Door, Refusal, Result};
use crate::app::Engine;
use crate::domain::{
    edition::{EditionStock, Order, OrderState, Wish},
    email::EmailAddress,
    issue::IssueKey,
};
use crate::editions::Added;
use crate::issue::edition::mailing;
use crate::store::{Cancelled, EditionForm, EditionSaved, Kept, Ordered, Reopened};
use serde_json::json;
use tracing::info;

/// The result of adding an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditionAdded {
    New,
    Unchanged,
    /// The differences, one line each.
    Updated {
        changes: Vec<String>,
        /// Its mail was sent before, and does not change.
        was_sent: bool,
    },
}

/// Adds an edition, or updates the one with the same slug.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn add(engine: &Engine, actor: &Actor, added: &Added) -> Result<EditionAdded> {
    let (edition, slug, store) = (&added.edition, &added.edition.slug, &engine.store);
    let result = match store.keep_edition(edition, &added.files, engine.app.clock.now()).await? {
        Kept::Refused { ordered } => return Err(Refusal::PacksAreOrdered { slug: slug.clone(), ordered }.into()),
        Kept::Added => EditionAdded::New,
        Kept::Before { edition: before, changed_files } => {
            let mut changes = edition.changes_from(&before);
            changes.extend(changed_files.iter().map(|file| format!("{}: another file", file.as_str())));
            if changes.is_empty() {
                return Ok(EditionAdded::Unchanged);
            }
            let was_sent = match mailing(&engine.app) {
                Ok(mailing) => {
                    store.issue(&IssueKey::new(&mailing.id, slug)).await?.is_some_and(|it| it.frozen().is_some())
                }
                Err(_) => false,
            };
            EditionAdded::Updated { changes, was_sent }
        }
    };
    actor.audit(engine, "edition.put", format!("edition:{slug}"), json!({})).await;
    info!(edition = slug, door = %actor.door, "edition {slug} was added or updated");
    Ok(result)
}

/// Adds or changes an edition as a form says; what it lacks may follow until it is announced.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn save(engine: &Engine, actor: &Actor, form: &EditionForm<'_>) -> Result<EditionSaved> {
    let slug = &form.edition.slug;
    let recording = actor.recording(engine, "edition.put", format!("edition:{slug}"), &json!({}));
    let saved = recording.save_edition(form, engine.app.clock.now()).await?;
    if saved == EditionSaved::Done {
        info!(edition = slug, door = %actor.door, "edition {slug} was added or updated");
    }
    Ok(saved)
}

/// The edition with this slug, or the refusal that names those there are.
pub(super) async fn known(engine: &Engine, slug: &str) -> Result<EditionStock> {
    if let Some(stocked) = engine.store.edition(slug).await? {
        return Ok(stocked);
    }
    let known = engine.store.editions().await?.into_iter().map(|it| it.edition.slug).collect();
    Err(Refusal::NoSuchEdition { slug: slug.to_owned(), known }.into())
}

/// The result of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderPlaced {
    New(Order),
    /// It replaced the contact's earlier order.
    Changed(Order),
    /// The same order existed.
    Unchanged(Order),
}

/// Orders an edition for a contact, like the contact by the page, and confirmed in the same way.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn order(
    engine: &Engine,
    actor: &Actor,
    slug: &str,
    address: &EmailAddress,
    wish: &Wish,
) -> Result<OrderPlaced> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let stocked = known(engine, slug).await?;
    if !stocked.edition.is_orderable(now.with_timezone(&engine.app.config.zone).date_naive()) {
        return Err(Refusal::NotOrderable(slug.to_owned()).into());
    }
    let contact = super::partners::known(engine, address).await?;
    let Some(contact) = contact else { return Err(Refusal::ContactNotKnown(address.clone()).into()) };
    let recording = actor.recording(engine, "order.place", format!("edition:{slug}"), &json!({"packs": wish.packs}));
    // The command line knows a login of the server, which says nothing to a partner.
    let taken_by = match actor.door {
        Door::Console => actor.name(),
        Door::CommandLine | Door::Api => &engine.app.config.office.name,
    };
    let done = match recording.take_order(slug, &contact.id, wish, Some(taken_by), now).await? {
        Ordered::New => OrderPlaced::New,
        Ordered::Changed => OrderPlaced::Changed,
        Ordered::Before => OrderPlaced::Unchanged,
        Ordered::TooMany { left } => return Err(Refusal::TooFewPacks { slug: slug.to_owned(), left }.into()),
        Ordered::OverLimit { most } => return Err(Refusal::OverOrderLimit { slug: slug.to_owned(), most }.into()),
        Ordered::TooOften => return Err(Refusal::OrderedTooOften(address.clone()).into()),
        Ordered::NotKnown => return Err(Refusal::ContactNotKnown(address.clone()).into()),
    };
    info!(edition = slug, packs = wish.packs, door = %actor.door, "{slug} was ordered for a partner");
    let open = store.look_at_order(slug, &contact.id).await?.and_then(|(_, _, open)| open);
    open.map(done).ok_or_else(|| Refusal::NoSuchOrders(vec![address.to_string()]).into())
}

/// Cancels an open order; its packs return to the stock. `seen`: its revision as it was shown; `None`: whatever it is.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn cancel_order(engine: &Engine, actor: &Actor, id: &str, seen: Option<u32>) -> Result<Order> {
    let recording = actor.recording(engine, "order.cancel", format!("order:{id}"), &json!({}));
    match recording.cancel_order_by_id(id, seen, engine.app.clock.now()).await? {
        Cancelled::Done(order) => {
            info!(order = id, door = %actor.door, "order {id} was cancelled");
            Ok(*order)
        }
        Cancelled::Stale => Err(Refusal::OrderChanged(id.to_owned()).into()),
        Cancelled::NotOpen(state) => Err(Refusal::OrderNotOpen { order: id.to_owned(), state }.into()),
        Cancelled::NotKnown => Err(Refusal::NoSuchOrders(vec![id.to_owned()]).into()),
    }
}

/// Marks orders as delivered. Returns the previous state of each, in the given order; only open ones change.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn hand_over(engine: &Engine, actor: &Actor, ids: &[String]) -> Result<Vec<OrderState>> {
    let recording = actor.recording(engine, "orders.hand_over", "orders".to_owned(), &json!({"orders": ids}));
    let before = recording.close_orders(ids, engine.app.clock.now()).await?;
    let unknown: Vec<_> = ids.iter().zip(&before).filter(|(_, it)| it.is_none()).map(|(id, _)| id.clone()).collect();
    if !unknown.is_empty() {
        return Err(Refusal::NoSuchOrders(unknown).into());
    }
    info!(orders = ids.len(), door = %actor.door, "{} orders were marked as delivered", ids.len());
    Ok(before.into_iter().flatten().collect())
}

/// Records that a list of orders was downloaded: it holds names and addresses. `n`: its rows.
pub async fn exported(engine: &Engine, actor: &Actor, n: usize) {
    actor.audit(engine, "orders.export", "orders".to_owned(), json!({"contacts": n})).await;
    info!(orders = n, door = %actor.door, "a list of {n} orders was downloaded");
}

/// Marks delivered orders as open again. Returns for each, in the given order, whether it changed; the others were open.
/// All of them, or none. The partner gets no mail.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn reopen_orders(engine: &Engine, actor: &Actor, ids: &[String]) -> Result<Vec<bool>> {
    let results = engine.store.reopen_orders(ids, engine.app.clock.now()).await?;
    let unknown = ids.iter().zip(&results).filter(|(_, it)| **it == Reopened::NotKnown).map(|(id, _)| id.clone());
    let unknown: Vec<_> = unknown.collect();
    if !unknown.is_empty() {
        return Err(Refusal::NoSuchOrders(unknown).into());
    }
    let mut changed = Vec::with_capacity(ids.len());
    for (id, result) in ids.iter().zip(results) {
        let order = || id.clone();
        match result {
            Reopened::Done => changed.push(true),
            Reopened::Before => changed.push(false),
            Reopened::Cancelled => {
                return Err(Refusal::OrderNotOpen { order: order(), state: OrderState::Cancelled }.into());
            }
            Reopened::Erased => return Err(Refusal::OrderOfNobody(order()).into()),
            Reopened::OtherIsOpen(other) => return Err(Refusal::OtherOrderOpen { order: order(), other }.into()),
            Reopened::NotKnown => return Err(Refusal::NoSuchOrders(vec![order()]).into()),
        }
    }
    let reopened: Vec<_> = ids.iter().zip(&changed).filter(|(_, changed)| **changed).map(|(id, _)| id).collect();
    if !reopened.is_empty() {
        actor.audit(engine, "orders.reopen", "orders".to_owned(), json!({"orders": reopened})).await;
        info!(orders = reopened.len(), door = %actor.door, "{} orders were marked as open again", reopened.len());
    }
    Ok(changed)
}
