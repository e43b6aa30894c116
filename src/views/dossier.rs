//! All data about one person, as JSON (GDPR art. 15 and 20).

use super::{log, orders::OrderView};
use crate::app::Engine;
use crate::domain::email::EmailAddress;
use crate::partners::export;
use crate::store::LogFilter;
use serde_json::Value;

/// Contact, history, suppressions with their reasons, deliveries with their attempts, orders.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn person(engine: &Engine, address: &EmailAddress) -> anyhow::Result<Value> {
    let dossier = engine.store.dossier(&address.key(), &engine.tokens().await?.address_hash(address)).await?;
    let sent_to = |key: String| LogFilter { address_key: Some(key), ..Default::default() };
    let mut log = engine.store.log(&sent_to(address.key())).await?;
    for (key, deliveries) in &dossier.former {
        let of_others = engine.store.log(&sent_to(key.clone())).await?;
        log.extend(of_others.into_iter().filter(|delivery| deliveries.contains(&delivery.id.0)));
    }
    let zone = engine.app.config.zone;
    let editions = engine.store.editions().await?;
    let orders: Vec<_> = dossier.orders.iter().map(|order| OrderView::new(order, &editions, zone)).collect();
    let (deliveries, orders) = (serde_json::to_value(log::page(&log, zone))?, serde_json::to_value(orders)?);
    Ok(export::person(&address.to_string(), &dossier, &deliveries, &orders))
}
