//! Saying in which commune a venue is, and taking it back.

use super::{Actor, Refusal, Result};
use crate::app::Engine;
use crate::collect::article::{listed_commune, venue_key};
use crate::domain::venue::{Origin, VenueStatement};
use serde_json::json;
use tracing::info;

/// Says in which commune a venue is. It counts whatever articles and structured sources say.
///
/// # Errors
/// A refusal: the name is one that other towns have too, or the commune is not listed; or a database that cannot be written.
pub async fn set(engine: &Engine, actor: &Actor, name: &str, commune: &str) -> Result<VenueStatement> {
    let venue = venue_key(name).ok_or_else(|| Refusal::NotAVenueOfItsOwn(name.to_owned()))?;
    let commune = listed_commune(commune).ok_or_else(|| Refusal::NotACommune(commune.to_owned()))?;
    let said_at = engine.app.clock.now();
    let (name, said_in) = (name.trim().to_owned(), String::new());
    let statement = VenueStatement { venue, name, commune, origin: Origin::Person, said_in, said_at };
    let detail = json!({"commune": statement.commune});
    let recording = actor.recording(engine, "venue.set", format!("venue:{}", statement.venue), &detail);
    recording.set_venue(&statement).await?;
    info!(venue = statement.venue, commune = statement.commune, "a person said where a venue is");
    Ok(statement)
}

/// Removes everything that is known of a venue. Returns how many statements there were.
///
/// # Errors
/// A refusal: nothing is known of it; or a database that cannot be written.
pub async fn forget(engine: &Engine, actor: &Actor, name: &str) -> Result<u64> {
    let unknown = || Refusal::NoSuchVenue(name.to_owned());
    let venue = venue_key(name).ok_or_else(unknown)?;
    let gone = engine.store.forget_venue(&venue).await?;
    if gone == 0 {
        return Err(unknown().into());
    }
    actor.audit(engine, "venue.forget", format!("venue:{venue}"), json!({"statements": gone})).await;
    info!(venue, "what was known of a venue was forgotten");
    Ok(gone)
}
