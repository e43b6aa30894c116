//! Corrections of an agenda by persons: read before each composing, and composed at once with what was last read.

use super::{
    Due,
    agenda::{self, Knowledge},
    approval,
    content::NotComposed,
    freeze, venues,
};
use crate::app::{App, Engine};
use crate::domain::{
    correction::Overlay,
    exception::InForce,
    issue::{Basis, IssueKey, NewIssue},
};
use crate::store::{self, Access, Probed, Store};
use secrecy::ExposeSecret;
use tracing::{info, warn};

/// The corrections of an issue, and the lines its mailing leaves out.
///
/// # Errors
/// When the database cannot be read.
pub async fn overlay(store: &dyn Store, key: &IssueKey) -> store::Result<Overlay> {
    let (corrections, dismissals) = (store.corrections(key).await?, store.dismissals(key.mailing()).await?);
    Ok(Overlay { corrections, dismissals })
}

/// What is known for an issue beside its sources.
///
/// # Errors
/// When the database cannot be read.
pub async fn knowledge(store: &dyn Store, key: &IssueKey) -> store::Result<Knowledge> {
    // First, so that a correction that is saved meanwhile makes what is composed outdated.
    let revision = store.revision(key).await?;
    let exceptions = InForce::of(store.exceptions(key).await?);
    Ok(Knowledge { venues: venues::known(store).await?, overlay: overlay(store, key).await?, exceptions, revision })
}

/// The same for commands that also work without a ledger: empty if there is no ledger yet, or if it needs a migration.
pub async fn knowledge_without_writing(app: &App, key: &IssueKey) -> Knowledge {
    let url = app.config.database.expose_secret();
    if !matches!(store::probe(url).await, Ok(Probed::Current)) {
        return Knowledge::default();
    }
    let read = async { knowledge(&*store::open(url, Access::Shared).await?, key).await };
    read.await.unwrap_or_else(|error| {
        warn!(error = &error as &dyn std::error::Error, "venues and corrections could not be read");
        Knowledge::default()
    })
}

/// What a correction or an exception led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recomposed {
    /// The content with this hash is kept.
    Kept { hash: String },
    /// A gate is closed, or the issue moved on; the reason is in the ledger.
    Held,
    /// Nothing was read yet, or it counts no more: the correction waits for the next reading.
    NothingRead,
}

/// Composes the issue again from what was last read, with the corrections as they are now. `author`: who changed them.
///
/// # Errors
/// A template that does not render, or a database that cannot be read or written.
pub async fn recompose(engine: &Engine, due: Due<'_>, author: &str) -> anyhow::Result<Recomposed> {
    let (key, store) = (due.key(), &engine.store);
    loop {
        let revision = store.revision(&key).await?;
        let done = recompose_once(engine, due, author, revision).await?;
        // Somebody else corrected another line meanwhile: nothing was kept.
        if store.revision(&key).await? == revision {
            return Ok(done);
        }
    }
}

async fn recompose_once(engine: &Engine, due: Due<'_>, author: &str, revision: u64) -> anyhow::Result<Recomposed> {
    let (key, store, mailing) = (due.key(), &engine.store, due.mailing);
    let before = store.issue(&key).await?;
    let (Some(read), Some(publishes)) = (store.reading(&key).await?, mailing.agenda()) else {
        return Ok(Recomposed::NothingRead);
    };
    let knowledge = knowledge(&**store, &key).await?;
    let week = publishes.week(mailing.day(due.at));
    let made = match agenda::corrected(&read, week, publishes.gates, &knowledge) {
        Ok(found) => match agenda::compose(&engine.app, due, publishes, &found).await {
            Ok(content) => freeze::new_issue(due, content, read.read_at).await,
            Err(why) => Err(why),
        },
        Err(hold) => Err(NotComposed::Held(hold)),
    };
    let made = match made {
        Ok(issue) => issue,
        Err(NotComposed::Failed(error)) => return Err(error),
        Err(NotComposed::Held(hold)) => {
            freeze::hold(engine, due, &hold).await?;
            return Ok(Recomposed::Held);
        }
    };
    let issue = NewIssue { author: Some(author.to_owned()), basis: Basis::Corrections(revision), ..made };
    let replacing = before.as_ref().and_then(|issue| issue.content_hash());
    if !approval::keep(engine, mailing, &issue, replacing).await? {
        return Ok(Recomposed::Held);
    }
    let hash = issue.content_hash;
    info!(issue = %key, hash = approval::short(&hash), "issue {key} was composed with its corrections");
    Ok(Recomposed::Kept { hash })
}
