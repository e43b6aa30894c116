//! Editions with their stock.

use super::instant;
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    edition::{EditionKind, EditionStock},
    issue::IssueKey,
};
use crate::jobs::Mailing;
use crate::store::{OccurrenceState, StoreError};
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

/// An element of `editions --json`.
#[derive(Debug, Clone, Serialize)]
pub struct EditionView {
    pub slug: String,
    pub title: String,
    pub kind: EditionKind,
    /// Copies; `None` if it is not printed.
    pub printed: Option<u32>,
    pub pack: Option<u32>,
    pub packs: u32,
    pub ordered: u32,
    pub left: u32,
    pub valid_until: Option<NaiveDate>,
    pub announced_for: Option<String>,
}

impl EditionView {
    pub fn new(it: &EditionStock, zone: Tz) -> Self {
        let edition = &it.edition;
        Self {
            slug: edition.slug.clone(),
            title: edition.title.clone(),
            kind: edition.kind,
            printed: edition.printed.map(|printed| printed.copies),
            pack: edition.printed.map(|printed| printed.pack),
            packs: it.packs(),
            ordered: it.ordered,
            left: it.left(),
            valid_until: edition.valid_until,
            announced_for: it.announced_for.map(|at| instant(at, zone)),
        }
    }
}

/// Occurrences looked through for announcements that are still to leave, the newest first.
const KNOWN: u32 = 50;

/// The announcements that wait for their hour, the earliest first.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn announced(engine: &Engine) -> Result<Vec<(&Mailing, IssueKey, Timestamp)>, StoreError> {
    let (mut announced, now) = (Vec::new(), engine.app.clock.now());
    for mailing in engine.app.mailings.iter().filter(|mailing| mailing.is_of_editions()) {
        for it in engine.store.occurrences(Some(&mailing.id), KNOWN).await? {
            if let (OccurrenceState::Pending, true, Some(key)) = (it.state, it.scheduled_for > now, it.issue) {
                announced.push((mailing, key, it.scheduled_for));
            }
        }
    }
    announced.sort_by_key(|(_, _, at)| *at);
    Ok(announced)
}
