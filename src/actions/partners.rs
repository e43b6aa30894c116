//! The people the mailings go to: imported, erased, suppressed.

use super::{Actor, Refusal, Result};
use crate::app::Engine;
use crate::domain::{
    email::EmailAddress,
    partner::{Basis, Import, NewContact, SuppressionReason},
};
use crate::partners::import::{ImportErrors, Line, Parsed};
use crate::store::{Erased, ImportReport};
use tracing::info;

/// A list to be imported.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// What [`crate::partners::import::parse`] made of the file.
    pub parsed: &'a Parsed,
    /// Where the addresses come from, kept with each subscription (GDPR art. 14).
    pub source: &'a str,
    /// Empty: all mailings.
    pub mailings: &'a [String],
    pub basis: Basis,
    /// The file is the whole list: contacts that are not in it are removed.
    pub replace: bool,
    /// Report what would change, and change nothing.
    pub dry_run: bool,
    /// The person confirmed that many contacts are removed.
    pub remove_many: bool,
}

/// What an import did, or would do.
#[derive(Debug)]
pub struct Imported {
    pub contacts: usize,
    pub report: ImportReport,
    /// Lines that are wrong; only in a dry run, since otherwise nothing is imported.
    pub problems: Option<ImportErrors>,
}

/// Imports a list: all of it or nothing. `progress` is called with the number of lines done.
///
/// # Errors
/// A refusal; wrong lines; or a database that cannot be read or written.
pub async fn import(
    engine: &Engine,
    actor: &Actor,
    list: List<'_>,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Imported> {
    for id in list.mailings {
        engine.app.mailing(id)?;
    }
    let problems = list.parsed.sound().err();
    if let Some(problems) = problems.as_ref().filter(|_| !list.dry_run) {
        return Err(anyhow::Error::from(problems.clone()).into());
    }
    let mailings = match list.mailings {
        [] => engine.app.mailings.iter().map(|m| m.audience.clone()).collect(),
        some => some.to_vec(),
    };
    let contact = |line: &Line| NewContact {
        address_hash: engine.tokens.address_hash(&line.address),
        address: line.address.clone(),
        fields: line.fields.clone(),
    };
    let contacts: Vec<_> = list.parsed.lines.iter().map(contact).collect();
    let import = Import {
        contacts: &contacts,
        mailings: &mailings,
        source: list.source,
        basis: list.basis,
        replace: list.replace,
        dry_run: list.dry_run,
    };
    let now = engine.app.clock.now();
    // A list that was cut short must not empty the ledger (I08).
    if list.replace && !list.dry_run && !list.remove_many {
        let would = engine.store.import(&Import { dry_run: true, ..import.clone() }, &|_| {}, now).await?;
        let (gone, known) = (would.summary.gone, would.known);
        if gone * 5 > known {
            return Err(Refusal::RemovesMany { gone, known }.into());
        }
    }
    let report = engine.store.import(&import, progress, now).await?;
    if !list.dry_run {
        info!(contacts = contacts.len(), door = %actor.door, "a list of {} contacts was imported", contacts.len());
    }
    Ok(Imported { contacts: contacts.len(), report, problems })
}

/// What an erasure found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// So many deliveries keep their state and lost their person.
    Done { deliveries: u64 },
    /// The address was not known; it is suppressed all the same.
    NotKnown,
}

/// Deletes a person (GDPR art. 17); a fingerprint stays, so that nobody writes there again.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn erase(engine: &Engine, actor: &Actor, address: &EmailAddress) -> Result<Erasure> {
    let hash = engine.tokens.address_hash(address);
    let erasure = match engine.store.erase(&address.key(), &hash, engine.app.clock.now()).await? {
        Erased::Done { deliveries } => Erasure::Done { deliveries },
        Erased::NotKnown => Erasure::NotKnown,
        Erased::UnderWay => return Err(Refusal::BeingSent(address.clone()).into()),
    };
    info!(address = address.masked(), door = %actor.door, "a person was erased");
    Ok(erasure)
}

/// Writes to this address no more: from this mailing, or from all.
///
/// # Errors
/// When there is no such mailing, or the database cannot be written.
pub async fn suppress(engine: &Engine, actor: &Actor, address: &EmailAddress, mailing: Option<&str>) -> Result<()> {
    if let Some(id) = mailing {
        engine.app.mailing(id)?;
    }
    let (hash, now) = (engine.tokens.address_hash(address), engine.app.clock.now());
    engine.store.suppress(&hash, mailing, SuppressionReason::Manual, now).await?;
    info!(address = address.masked(), mailing, door = %actor.door, "an address was suppressed by a person");
    Ok(())
}
