//! Taking data out as a file: of one person, or the list. What is taken is recorded before it is handed out.

use super::{Actor, Result};
use crate::app::Engine;
use crate::domain::email::EmailAddress;
use crate::partners::export;
use crate::views::dossier;
use serde_json::{Value, json};

/// Contacts that are in memory at once.
const PAGE: usize = 200;

/// The formats of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
}

impl Format {
    /// Also the end of the file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// All data about one person, as [`dossier::person`].
///
/// # Errors
/// When the ledger cannot be read, or the record cannot be written.
pub async fn person(engine: &Engine, actor: &Actor, address: &EmailAddress) -> Result<Value> {
    let data = dossier::person(engine, address).await?;
    let object = format!("address:{}", engine.tokens().await?.address_hash(address));
    engine.store.record(&actor.entry("contact.data", object, &json!({}), engine.app.clock.now())).await?;
    Ok(data)
}

/// The contacts with these ids as a file that the import reads again. No cell is a formula ([`export::harmless`]).
///
/// # Errors
/// When the ledger cannot be read, or the record cannot be written.
pub async fn list(engine: &Engine, actor: &Actor, ids: &[String], format: Format) -> Result<Vec<u8>> {
    let (mut csv, mut workbook) = (Vec::new(), export::Xlsx::new().map_err(anyhow::Error::from)?);
    // A page even of nobody, which has the header.
    let pages = ids.chunks(PAGE).chain(ids.is_empty().then_some(ids));
    for (n, page) in pages.enumerate() {
        let contacts = engine.store.contacts_by_id(page).await?;
        match format {
            Format::Csv => csv.extend(export::csv(&contacts, n == 0).map_err(anyhow::Error::from)?),
            Format::Xlsx => workbook.add(&contacts).map_err(anyhow::Error::from)?,
        }
    }
    let bytes = match format {
        Format::Csv => csv,
        Format::Xlsx => workbook.bytes().map_err(anyhow::Error::from)?,
    };
    let detail = json!({ "contacts": ids.len(), "as": format.as_str() });
    let entry = actor.entry("partners.export", "partners".to_owned(), &detail, engine.app.clock.now());
    engine.store.record(&entry).await?;
    Ok(bytes)
}
