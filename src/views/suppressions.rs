//! Who is not written to and why, and from whom nothing has been heard for years.

use super::instant;
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    email::EmailAddress,
    partner::{Barred, SuppressionReason},
};
use crate::store;
use chrono::Months;
use serde::Serialize;

/// Rows read at a time.
const PAGE: u32 = 1000;

/// One address that receives a mailing, or anything, no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuppressionView {
    /// `null`: no contact has it; its hash is all that is kept.
    pub address: Option<String>,
    pub address_hash: String,
    pub establishment: Option<String>,
    /// A mailing, or `*` for all of them.
    pub scope: String,
    pub reason: SuppressionReason,
    pub since: String,
    /// The office's words; may be empty.
    pub why: String,
    /// Whether the office may lift it.
    pub is_ours: bool,
}

/// All suppressions.
///
/// # Errors
/// When the database cannot be read.
pub async fn all(engine: &Engine) -> store::Result<Vec<SuppressionView>> {
    let (zone, mut views, mut after) = (engine.app.config.zone, Vec::new(), None);
    loop {
        let page = engine.store.suppressions(after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        after = page.last().cloned().or(after);
        views.extend(page.into_iter().map(|it| SuppressionView {
            address: it.address,
            address_hash: it.address_hash,
            establishment: it.establishment,
            scope: it.scope,
            reason: it.reason,
            since: instant(it.since, zone),
            why: it.why,
            is_ours: it.reason.is_ours(),
        }));
        if is_last {
            return Ok(views);
        }
    }
}

/// Why the contact with this address receives a mailing, or anything, no more; none where no contact has it. It is looked for by the
/// contact and not by its hash, so that reading needs no secret.
///
/// # Errors
/// When the database cannot be read.
pub async fn of(engine: &Engine, address: &EmailAddress) -> store::Result<Vec<Barred>> {
    let Some(id) = engine.store.contact_id(&address.key()).await? else { return Ok(Vec::new()) };
    Ok(engine.store.contacts_by_id(&[id]).await?.into_iter().flat_map(|contact| contact.barred).collect())
}

/// A contact of whom nothing was heard for some years.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SilentView {
    pub address: String,
    pub name: String,
    pub establishment: String,
    pub since: String,
    /// The last order or choice of mailings; `null`: there never was one.
    pub heard: Option<String>,
}

/// After so many years without a sign of life the office decides whether to keep a contact: the CNIL's reference for the management of
/// commercial activities says three years after the last contact from the person (`docs/privacy.md`).
pub const SILENT_YEARS: u32 = 3;

/// A contact without a sign of life since this instant has been silent for `years`.
pub fn silent_since(now: Timestamp, years: u32) -> Timestamp {
    now.checked_sub_months(Months::new(years.saturating_mul(12))).unwrap_or_default()
}

/// Contacts from whom nothing came for this number of years: no order, no choice of mailings, and not added since. What the relay
/// accepted is no sign of a person (CNIL: the last contact is one *from* the person).
///
/// # Errors
/// When the database cannot be read.
pub async fn silent(engine: &Engine, years: u32) -> store::Result<Vec<SilentView>> {
    let now = engine.app.clock.now();
    let since = silent_since(now, years);
    let (zone, mut views, mut after) = (engine.app.config.zone, Vec::new(), None);
    loop {
        let page = engine.store.silent_contacts(since, after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        after = page.last().cloned().or(after);
        views.extend(page.into_iter().map(|it| SilentView {
            address: it.address,
            name: it.name,
            establishment: it.establishment,
            since: instant(it.since, zone),
            heard: it.heard.map(|at| instant(at, zone)),
        }));
        if is_last {
            return Ok(views);
        }
    }
}
