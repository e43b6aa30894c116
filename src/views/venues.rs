//! Which venue is known to be in which commune.

use super::instant;
use crate::app::Engine;
use crate::domain::venue::{Origin, VenueStatement, agreed};
use crate::store;
use serde::Serialize;

/// A statement about a venue, and whether its commune is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VenueView {
    /// Equal for all spellings of the name.
    pub venue: String,
    /// As written.
    pub name: String,
    pub commune: String,
    pub origin: Origin,
    /// The key of the issue; empty for a person.
    pub said_in: String,
    pub said_at: String,
    /// `false` where another commune was named as well, or a person named another one.
    pub used: bool,
}

/// All statements, by venue and commune.
///
/// # Errors
/// When the database cannot be read.
pub async fn read(engine: &Engine) -> store::Result<Vec<VenueView>> {
    let (all, zone) = (engine.store.venues().await?, engine.app.config.zone);
    let known = agreed(&all);
    let view = |it: VenueStatement| VenueView {
        used: known.get(&it.venue) == Some(&it.commune),
        said_at: instant(it.said_at, zone),
        venue: it.venue,
        name: it.name,
        commune: it.commune,
        origin: it.origin,
        said_in: it.said_in,
    };
    Ok(all.into_iter().map(view).collect())
}
