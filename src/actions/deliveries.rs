//! Settling deliveries whose outcome is unknown.

use super::{ActionError, Actor, Refusal, Result};
use crate::app::Engine;
use crate::domain::delivery::{DeliveryId, Resolution};
use crate::store::Resolved;
use serde_json::json;
use tracing::info;

/// What became of several decisions at once.
#[derive(Debug, Default)]
pub struct Settled {
    pub decided: usize,
    /// Why the others were not settled: somebody was faster.
    pub refused: Vec<Refusal>,
}

/// Settles these unknown deliveries, one after the other: a refusal of one does not stop the others.
///
/// # Errors
/// A database that cannot be read or written; those before are settled.
pub async fn resolve_all(
    engine: &Engine,
    actor: &Actor,
    ids: &[DeliveryId],
    resolution: Resolution,
) -> Result<Settled> {
    let mut settled = Settled::default();
    for id in ids {
        match resolve(engine, actor, id, resolution).await {
            Ok(()) => settled.decided += 1,
            Err(ActionError::Refused(refusal)) => settled.refused.push(refusal),
            Err(failed) => return Err(failed),
        }
    }
    Ok(settled)
}

/// Settles an unknown delivery.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn resolve(engine: &Engine, actor: &Actor, id: &DeliveryId, resolution: Resolution) -> Result<()> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let detail = json!({"as": format!("{resolution:?}").to_lowercase()});
    let recording = actor.recording(engine, "delivery.resolve", format!("delivery:{id}"), &detail);
    match recording.resolve_unknown(id, resolution, actor.name(), now).await? {
        Resolved::Done => {}
        Resolved::NoSuchDelivery => return Err(Refusal::NoSuchDelivery(id.to_string()).into()),
        Resolved::NotUnknown(state) => {
            return Err(Refusal::NotUnknown { delivery: id.to_string(), state }.into());
        }
    }
    store.close_finished_issues(now).await?;
    info!(delivery = %id, door = %actor.door, "an unknown delivery was settled manually");
    Ok(())
}
