//! Managing contacts: import, add, change, move, erase, suppress, lift.

use super::{Actor, Refusal, Result};
use crate::app::Engine;
use crate::domain::{
    email::EmailAddress,
    partner::{Basis, Contact, Field, Fields, Import, NewContact, NewContacts},
};
use crate::partners::import::{ImportErrors, Line, Parsed};
use crate::store::{ContactAdded, ContactEdit, Erased, ImportReport, Lifted, Moved};
use crate::tokens::Tokens;
use serde_json::json;
use std::fmt;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tracing::info;

/// A list to be imported.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// The parsed file, from [`crate::partners::import::parse_with`].
    pub parsed: &'a Parsed,
    /// Where the addresses come from, stored with each subscription (GDPR art. 14).
    pub source: &'a str,
    /// Ids; empty: all mailings.
    pub mailings: &'a [String],
    pub basis: Basis,
    /// The file is the whole list: contacts that are not in it are removed.
    pub replace: bool,
    /// Invalid lines are left out and do not prevent the import of the others.
    pub skip_invalid: bool,
    /// Report what would change, without changing anything.
    pub dry_run: bool,
    /// The removal of many contacts was confirmed.
    pub remove_many: bool,
    /// The list also counts where staff changed something by hand.
    pub overwrite_edits: bool,
}

/// The result of an import, or of a dry run.
#[derive(Debug)]
pub struct Imported {
    pub contacts: usize,
    pub report: ImportReport,
    /// Invalid lines; only in a dry run, since otherwise nothing is imported.
    pub problems: Option<ImportErrors>,
}

/// Imports a list: all or nothing, unless invalid lines may be left out. `progress` is called with the number of lines done.
///
/// # Errors
/// A refusal; invalid lines; or a database that cannot be read or written.
pub async fn import(
    engine: &Engine,
    actor: &Actor,
    list: List<'_>,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Imported> {
    all_or(engine, list.mailings)?;
    let problems = list.parsed.sound().err().filter(|_| !list.skip_invalid);
    if let Some(problems) = problems.as_ref().filter(|_| !list.dry_run) {
        return Err(anyhow::Error::from(problems.clone()).into());
    }
    // A truncated list must not empty the database (I08).
    if list.replace && !list.dry_run && !list.remove_many {
        let list = List { dry_run: true, ..list };
        let would = list_of(engine, None, list, (None, None), &json!({}), &|_| {}).await?;
        let (gone, known) = (would.summary.gone, would.known);
        if gone * 5 > known {
            return Err(Refusal::RemovesMany { gone, known }.into());
        }
    }
    let contacts = list.parsed.lines.len();
    let report = list_of(engine, Some(actor), list, (None, None), &json!({"contacts": contacts}), progress).await?;
    if !list.dry_run {
        info!(contacts, door = %actor.door, "a list of {contacts} contacts was imported");
    }
    Ok(Imported { contacts, report, problems })
}

/// How far an import is, for those who wait for it.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Progress {
    pub fn total(&self, lines: usize) {
        self.total.store(lines, Ordering::Relaxed);
    }

    pub fn add(&self, lines: usize) {
        self.done.fetch_add(lines, Ordering::Relaxed);
    }

    /// Lines done, of how many.
    pub fn so_far(&self) -> (usize, usize) {
        let total = self.total.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(total), total)
    }
}

/// Imports the lines of a list, recorded with its numbers; without an actor nothing may change. `expected`: the digest of the
/// differences that were shown, and the upload that ends with it.
pub(super) async fn list_of(
    engine: &Engine,
    actor: Option<&Actor>,
    list: List<'_>,
    (expected, upload): (Option<&str>, Option<&str>),
    detail: &serde_json::Value,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<ImportReport> {
    let (mailings, source) = (all_or(engine, list.mailings)?, one_line(list.source));
    let contacts = Lines { lines: &list.parsed.lines, tokens: engine.tokens().await? };
    let import = Import {
        basis: list.basis,
        replace: list.replace,
        dry_run: list.dry_run || actor.is_none(),
        overwrite_edits: list.overwrite_edits,
        expected,
        upload,
        ..Import::new(&contacts, &mailings, &source)
    };
    let store = match actor {
        Some(actor) => actor.recording(engine, "partners.import", "partners".to_owned(), detail),
        None => Arc::clone(&engine.store),
    };
    Ok(store.import(&import, progress, engine.app.clock.now()).await?)
}

/// The lines of a list, with the hash of each address.
struct Lines<'a> {
    lines: &'a [Line],
    tokens: &'a Tokens,
}

/// Without the persons.
impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines", self.lines.len())
    }
}

impl NewContacts for Lines<'_> {
    fn count(&self) -> usize {
        self.lines.len()
    }

    fn key(&self, index: usize) -> String {
        self.lines[index].address.key()
    }

    fn contact(&self, index: usize) -> NewContact {
        let line = &self.lines[index];
        NewContact {
            address_hash: self.tokens.address_hash(&line.address),
            address: line.address.clone(),
            fields: line.fields.clone(),
            also: line.also.clone(),
        }
    }
}

/// The result of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// The number of deliveries that keep their state without personal data.
    Done { deliveries: u64 },
    /// The address was not known; it is suppressed nevertheless.
    NotKnown,
}

/// Deletes a person (GDPR art. 17); a keyed hash of the address stays, so that it is never mailed again.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn erase(engine: &Engine, actor: &Actor, address: &EmailAddress) -> Result<Erasure> {
    let hash = engine.tokens().await?.address_hash(address);
    let recording = actor.recording(engine, "contact.erase", person(&hash), &json!({}));
    let erasure = match recording.erase(&address.key(), &hash, engine.app.clock.now()).await? {
        Erased::Done { deliveries } => Erasure::Done { deliveries },
        Erased::NotKnown => Erasure::NotKnown,
        Erased::UnderWay => return Err(Refusal::BeingSent(address.clone()).into()),
    };
    info!(address = address.masked(), door = %actor.door, "a person was erased");
    Ok(erasure)
}

/// Suppresses an address for this mailing, or for all. `why`: the office's reason, kept with the suppression and in the contact's
/// history until an erasure; may be empty. `false`: no contact has the address; it is suppressed nevertheless.
///
/// # Errors
/// When there is no such mailing, or the database cannot be written.
pub async fn suppress(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    mailing: Option<&str>,
    why: &str,
) -> Result<bool> {
    if let Some(id) = mailing {
        engine.app.mailing(id)?;
    }
    let is_known = known(engine, address).await?.is_some();
    let (hash, now) = (engine.tokens().await?.address_hash(address), engine.app.clock.now());
    let recording = actor.recording(engine, "contact.suppress", person(&hash), &json!({"mailing": mailing}));
    recording.suppress_because(&hash, mailing, &one_line(why), now).await?;
    info!(address = address.masked(), mailing, door = %actor.door, "an address was suppressed manually");
    Ok(is_known)
}

/// The lifted suppressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopened {
    /// Mailings, or `*`.
    pub scopes: Vec<String>,
    /// The number of suppressions by the person that stay.
    pub kept: usize,
}

/// Lifts the suppressions by the office or after refusals by the relay: for a mailing, or all of them.
///
/// # Errors
/// A refusal; or when there is no such mailing, or the database cannot be written.
pub async fn lift(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    mailing: Option<&str>,
    why: &str,
) -> Result<Reopened> {
    if let Some(id) = mailing {
        engine.app.mailing(id)?;
    }
    if why.trim().is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let (hash, now) = (engine.tokens().await?.address_hash(address), engine.app.clock.now());
    let recording = actor.recording(engine, "contact.lift", person(&hash), &json!({"mailing": mailing}));
    let reopened = match recording.lift(&hash, mailing, &one_line(why), now).await? {
        Lifted::Done { scopes, kept } => Reopened { scopes, kept },
        Lifted::Nothing => return Err(Refusal::NotSuppressed(address.clone()).into()),
        Lifted::PersonsOwn => return Err(Refusal::PersonsOwnWord(address.clone()).into()),
    };
    info!(address = address.masked(), mailing, door = %actor.door, "a suppression was lifted manually");
    Ok(reopened)
}

/// A contact that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The mailings it is subscribed to.
    pub mailings: Vec<String>,
    /// The address is suppressed, and stays so.
    pub is_barred: bool,
    /// Names of the given fields that its establishment, which was known, keeps otherwise.
    pub kept: Vec<&'static str>,
}

/// Adds one contact. `mailings`: if empty, all of them. `why`: where the address comes from, kept with each subscription.
///
/// # Errors
/// A refusal; or when there is no such mailing, or the database cannot be written.
pub async fn add(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    fields: Fields,
    mailings: &[String],
    why: &str,
) -> Result<Added> {
    if why.trim().is_empty() {
        return Err(Refusal::NoReason.into());
    }
    let (mailings, address_hash) = (all_or(engine, mailings)?, engine.tokens().await?.address_hash(address));
    let recording = actor.recording(engine, "contact.add", person(&address_hash), &json!({}));
    let contact = NewContact { address: address.clone(), address_hash, fields, also: Vec::new() };
    match recording.add_contact(&contact, &mailings, &one_line(why), engine.app.clock.now()).await? {
        ContactAdded::Known => Err(Refusal::ContactKnown(address.clone()).into()),
        ContactAdded::Done { is_barred, kept } => {
            info!(address = address.masked(), door = %actor.door, "a contact was added manually");
            Ok(Added { mailings, is_barred, kept })
        }
    }
}

/// What became of a change to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Each changed field with its old and new value.
    Done(Vec<(&'static str, String, String)>),
    /// It is no longer what it was when the change was made, and nothing was changed.
    Stale,
}

/// Changes fields of a contact or its establishment; lists do not undo it. `seen`: all its fields as they were shown; `None`:
/// whatever they are.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn edit(
    engine: &Engine,
    actor: &Actor,
    address: &EmailAddress,
    seen: Option<&Fields>,
    fields: &Fields,
) -> Result<Edited> {
    if Field::ALL.iter().all(|field| fields.get(*field).is_none()) {
        return Err(Refusal::NothingSaid.into());
    }
    let (hash, now) = (engine.tokens().await?.address_hash(address), engine.app.clock.now());
    let recording = actor.recording(engine, "contact.edit", person(&hash), &json!({}));
    match recording.edit_contact((&address.key(), &hash), seen, fields, actor.name(), now).await? {
        ContactEdit::NotKnown => Err(Refusal::ContactNotKnown(address.clone()).into()),
        ContactEdit::Stale => Ok(Edited::Stale),
        ContactEdit::Done(changes) => {
            info!(address = address.masked(), door = %actor.door, "a contact was changed manually");
            Ok(Edited::Done(changes))
        }
    }
}

/// Changes the address of a contact, which keeps its subscriptions, history and opt-outs.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn move_to(engine: &Engine, actor: &Actor, from: &EmailAddress, to: &EmailAddress) -> Result<()> {
    let tokens = engine.tokens().await?;
    let (key, hash, to_hash) = (from.key(), tokens.address_hash(from), tokens.address_hash(to));
    let recording = actor.recording(engine, "contact.move", person(&to_hash), &json!({}));
    match recording.move_contact((&key, &hash), to, &to_hash, actor.name(), engine.app.clock.now()).await? {
        Moved::Done => {
            info!(from = from.masked(), to = to.masked(), door = %actor.door, "the address of a contact was changed");
            Ok(())
        }
        Moved::NotKnown => Err(Refusal::ContactNotKnown(from.clone()).into()),
        Moved::Taken => Err(Refusal::AddressTaken(to.clone()).into()),
        Moved::UnderWay => Err(Refusal::BeingSent(from.clone()).into()),
    }
}

/// The contact with this address, if it is known.
pub(super) async fn known(engine: &Engine, address: &EmailAddress) -> Result<Option<Contact>> {
    Ok(engine.store.dossier(&address.key(), &engine.tokens().await?.address_hash(address)).await?.contact)
}

/// What people are subscribed to for the given mailings: their audiences. All if none is given.
fn all_or(engine: &Engine, mailings: &[String]) -> anyhow::Result<Vec<String>> {
    let mut audiences: Vec<String> = match mailings {
        [] => engine.app.mailings.iter().map(|mailing| mailing.audience.clone()).collect(),
        some => {
            let named =
                some.iter().map(|id| -> anyhow::Result<String> { Ok(engine.app.mailing(id)?.audience.clone()) });
            named.collect::<anyhow::Result<_>>()?
        }
    };
    audiences.sort_unstable();
    audiences.dedup();
    Ok(audiences)
}

/// What somebody typed as a reason, on one line and at most 500 characters of it.
fn one_line(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

/// The object of an entry in the audit: the keyed hash of the address, which outlives the contact and names nobody.
fn person(address_hash: &str) -> String {
    format!("address:{address_hash}")
}
