//! Reopening a lane.

use super::{Actor, Refusal, Result};
use crate::app::Engine;
use crate::domain::Timestamp;
use serde_json::json;
use tracing::info;

/// A reopened lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reopened {
    /// When the deferred deliveries are retried at the latest, if known.
    pub by: Option<Timestamp>,
}

/// Reopens a lane once the reason for the refusals has been fixed.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn reopen(engine: &Engine, actor: &Actor, name: &str) -> Result<Reopened> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let known = store.lanes().await?.into_iter().find(|it| it.lane == name && it.holds(now));
    if !actor.recording(engine, "lane.reopen", format!("lane:{name}"), &json!({})).reopen_lane(name).await? {
        return Err(Refusal::LaneIsOpen(name.to_owned()).into());
    }
    info!(lane = name, door = %actor.door, "lane {name} was reopened");
    Ok(Reopened { by: known.and_then(|it| it.until) })
}
