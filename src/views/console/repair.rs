//! « Adresses à réparer »: contacts whose address takes nothing, by establishment, so that somebody asks for another by telephone.

use super::{Reading, When, person_href};
use crate::notices::replies::{bounce_in_french, meaning_of};
use crate::store::{LogFilter, StoreError, ToRepair};
use crate::views::suppressions::{SILENT_YEARS, silent_since};
use chrono::TimeDelta;
use serde::Serialize;

/// Addresses that are shown.
const MOST: u32 = 200;
/// How long a mailbox that was full once is shown.
const SOFTLY: TimeDelta = TimeDelta::days(31);

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// By name.
    pub places: Vec<Place>,
    pub count: usize,
    /// There may be more than is shown.
    pub cut: bool,
    /// Contacts that gave no sign of life for [`SILENT_YEARS`]; at most [`MOST`].
    pub silent: Vec<SilentRow>,
    pub silent_cut: bool,
}

/// A contact of whom nothing was heard for years.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SilentRow {
    /// The establishment, else the name, else the address.
    pub who: String,
    pub address: String,
    /// The last order or choice of mailings.
    pub heard: Option<When>,
    /// Since when the office has the contact.
    pub since: When,
}

/// An establishment with addresses to repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Empty where no establishment is known.
    pub name: String,
    pub commune: String,
    pub phone: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub href: String,
    pub name: String,
    pub address: String,
    /// Nothing is sent there since then; `None`: the next issue tries again.
    pub since: Option<When>,
    /// When the server said so.
    pub at: Option<When>,
    /// What it said, in French; empty where nothing is known any more.
    pub said: String,
    /// As it came.
    pub raw: String,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn repairs(it: &Reading<'_>) -> Result<Repairs, StoreError> {
    let found = it.store.to_repair(it.now - SOFTLY, MOST).await?;
    let (count, cut) = (found.len(), found.len() >= MOST as usize);
    let mut places: Vec<Place> = Vec::new();
    for one in found {
        let row = row(it, &one).await?;
        let ToRepair { establishment: name, commune, phone, .. } = one;
        match places.last_mut().filter(|it| !name.is_empty() && (&it.name, &it.commune) == (&name, &commune)) {
            Some(place) => place.rows.push(row),
            None => places.push(Place { name, commune, phone, rows: vec![row] }),
        }
    }
    let long_ago = silent_since(it.now, SILENT_YEARS);
    let silent = it.store.silent_contacts(long_ago, None, MOST).await?;
    let silent_cut = silent.len() >= MOST as usize;
    let silent = silent.into_iter().map(|one| SilentRow {
        who: [&one.establishment, &one.name, &one.address]
            .into_iter()
            .find(|it| !it.is_empty())
            .cloned()
            .unwrap_or_default(),
        heard: one.heard.map(|at| it.when(at)),
        since: it.when(one.since),
        address: one.address.clone(),
    });
    Ok(Repairs { places, count, cut, silent: silent.collect(), silent_cut })
}

async fn row(it: &Reading<'_>, one: &ToRepair) -> Result<Row, StoreError> {
    let (at, said, raw) = match &one.bounce {
        Some(bounce) => (Some(bounce.received_at), bounce_in_french(bounce), bounce.said.said()),
        None => refused_at_once(it, &one.address_key).await?,
    };
    Ok(Row {
        href: person_href(&one.contact_id).unwrap_or_default(),
        name: one.name.clone(),
        address: one.address.clone(),
        since: one.suppressed_since.map(|at| it.when(at)),
        at: at.map(|at| it.when(at)),
        said,
        raw,
    })
}

type Refused = (Option<crate::domain::Timestamp>, String, String);

/// What the server said when the relay asked it.
async fn refused_at_once(it: &Reading<'_>, address_key: &str) -> Result<Refused, StoreError> {
    let filter = LogFilter { address_key: Some(address_key.to_owned()), newest_first: true, ..LogFilter::default() };
    let log = it.store.log(&filter).await?;
    let refused = log.iter().find_map(|delivery| Some((delivery, delivery.last_refusal()?)));
    Ok(refused.map_or_else(Refused::default, |(delivery, (phase, reply))| {
        let said = meaning_of(phase, reply.code, reply.enhanced.as_deref(), &reply.text).in_french();
        (Some(delivery.changed_at), said, reply.said())
    }))
}
