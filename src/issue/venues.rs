//! What a frozen agenda says of venues is remembered, and used when a later article names the venue without a town.
//!
//! Only content that was frozen is learnt from, so that extract, preview and rehearsal change nothing, and an issue never
//! changes by what it taught itself.

use crate::app::Engine;
use crate::collect::article::{listed_commune, venue_key};
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Confidence, Event, Item},
    issue::{Content, IssueKey},
    venue::{KnownVenues, Origin, VenueStatement, agreed},
};
use crate::store::{self, Store};
use tracing::warn;

/// The venues whose commune is certain.
///
/// # Errors
/// When the database cannot be read.
pub async fn known(store: &dyn Store) -> store::Result<KnownVenues> {
    Ok(agreed(&store.venues().await?))
}

/// Remembers the venues of a frozen agenda. A failure is logged: the issue leaves with or without it.
pub(super) async fn learn(engine: &Engine, issue: &IssueKey, content: &Content, now: Timestamp) {
    // The data of other kinds of mailings is no agenda.
    let Ok(agenda) = content.agenda() else { return };
    let said = statements(&agenda, issue, now);
    if said.is_empty() {
        return;
    }
    if let Err(error) = engine.store.learn_venues(&said).await {
        warn!(issue = %issue, error = &error as &dyn std::error::Error, "the venues of {issue} were not remembered");
    }
}

/// What the agenda says in full: venue and commune in the words of one item, or in the fields of a structured source.
fn statements(agenda: &Agenda, issue: &IssueKey, now: Timestamp) -> Vec<VenueStatement> {
    let days = agenda.days.iter().flat_map(|day| &day.items);
    let items = days.chain(agenda.daily.iter().map(|daily| &daily.item)).chain(&agenda.exhibitions);
    let said = |item: &Item, event: &Event| {
        // What a person corrected is remembered when that person says so.
        if item.corrected {
            return None;
        }
        let origin = match &item.provenance {
            Some(source) if !source.completes => Origin::Listing,
            _ => Origin::Article,
        };
        // A town of a heading, or one that was learnt itself, is not the item's own word.
        let certain = event.evidence.place.is_some_and(|trace| trace.confidence == Confidence::Certain);
        if origin == Origin::Article && !certain {
            return None;
        }
        let (commune, name) = event.place.as_deref()?.split_once(", ")?;
        let (commune, venue) = (listed_commune(commune)?, venue_key(name)?);
        let (name, said_in) = (name.to_owned(), issue.to_string());
        Some(VenueStatement { venue, name, commune, origin, said_in, said_at: now })
    };
    let mut all: Vec<VenueStatement> =
        items.flat_map(|item| item.events.iter().filter_map(move |event| said(item, event))).collect();
    let key = |it: &VenueStatement| (it.venue.clone(), it.commune.clone(), it.origin);
    all.sort_by_key(key);
    all.dedup_by_key(|it| key(it));
    all
}
