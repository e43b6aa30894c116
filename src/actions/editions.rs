//! Adding editions, and marking orders as delivered.

use super::{Actor, Refusal, Result};
use crate::app::Engine;
use crate::domain::{edition::OrderState, issue::IssueKey};
use crate::editions::Added;
use crate::issue::edition::mailing;
use crate::store::Kept;
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

/// Marks orders as delivered. Returns the previous state of each, in the given order; only open ones change.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn hand_over(engine: &Engine, actor: &Actor, ids: &[String]) -> Result<Vec<OrderState>> {
    let before = engine.store.close_orders(ids, engine.app.clock.now()).await?;
    let unknown: Vec<_> = ids.iter().zip(&before).filter(|(_, it)| it.is_none()).map(|(id, _)| id.clone()).collect();
    if !unknown.is_empty() {
        return Err(Refusal::NoSuchOrders(unknown).into());
    }
    actor.audit(engine, "orders.hand_over", "orders".to_owned(), json!({"orders": ids})).await;
    info!(orders = ids.len(), door = %actor.door, "{} orders were marked as delivered", ids.len());
    Ok(before.into_iter().flatten().collect())
}
