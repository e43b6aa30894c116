//! Editions with their stock.

use super::instant;
use crate::domain::edition::{EditionKind, Stocked};
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
    pub fn new(it: &Stocked, zone: Tz) -> Self {
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
