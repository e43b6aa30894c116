//! "The article is out": the sources of a mailing are read again before their next turn.

use super::{Actor, ApiRefusal, Refusal, Result};
use crate::app::Engine;
use serde_json::json;
use tracing::info;

/// Makes whatever waits for the sources of this mailing due now: an issue that is held, or one that was rehearsed and leaves later. What
/// somebody approved, and what waits for an approval, is not collected again (I6). At most once a minute.
///
/// # Errors
/// A refusal: no such mailing, one without sources, or asked a moment ago; or a database that cannot be written.
pub async fn reread(engine: &Engine, actor: &Actor, mailing: &str) -> Result<()> {
    if engine.app.mailing(mailing)?.is_of_editions() {
        return Err(Refusal::Api(ApiRefusal::NotCollected(mailing.to_owned())).into());
    }
    let recording = actor.recording(engine, "mailing.reread", format!("mailing:{mailing}"), &json!({}));
    if let Some(next) = recording.ask_reread(mailing, engine.app.clock.now()).await? {
        return Err(Refusal::Api(ApiRefusal::RereadTooOften { next }).into());
    }
    info!(mailing, door = %actor.door, "the sources of {mailing} are to be read again");
    Ok(())
}
