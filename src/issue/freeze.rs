//! The two outcomes of preparing an issue: frozen for its recipients, or held with a reason.

use super::{
    Due,
    content::{Composed, NotComposed, content_hash},
    lint,
    progress::{Step, Watch},
    venues,
};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    exception::{HeldFor, InForce},
    hold::Hold,
    issue::{Basis, Content, IssueState, NewIssue, RecipientScope},
    notice::{Cure, Notice},
};
use crate::failpoint;
use crate::store::Frozen;
use tracing::{info, warn};

/// The issue of an occurrence, composed at `composed_at`, if its message passes the gate.
///
/// # Errors
/// A hold; or a content of which no message can be made.
pub(crate) async fn new_issue(due: Due<'_>, content: Content, composed_at: Timestamp) -> Result<NewIssue, NotComposed> {
    let key = due.key();
    let content = lint::pass(&key, content).await?;
    let whom = due.whom();
    Ok(NewIssue {
        key,
        mailing: due.mailing.id.clone(),
        audience: due.mailing.audience.clone(),
        // Whom an issue has reached does not depend on who would get it now.
        segment: due.mailing.segment.clone().filter(|_| !matches!(whom, RecipientScope::Reached(_))),
        whom,
        scheduled_for: due.at,
        expires_at: due.expires_at,
        content_hash: content_hash(&content),
        content,
        composed_at,
        second_person: due.mailing.second_person,
        author: None,
        basis: Basis::Sources,
    })
}

/// The issue of what was just composed.
///
/// # Errors
/// As of [`new_issue`].
pub(crate) async fn issue_of(
    due: Due<'_>,
    composed: Composed,
    composed_at: Timestamp,
) -> Result<NewIssue, NotComposed> {
    Ok(NewIssue { basis: composed.basis, ..new_issue(due, composed.content, composed_at).await? })
}

/// Whether a person has corrected it, made or withdrawn an exception, or written another editorial, since it was composed.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn is_outdated(engine: &Engine, issue: &NewIssue) -> anyhow::Result<bool> {
    Ok(match &issue.basis {
        Basis::Sources => false,
        Basis::Corrections(revision) => engine.store.revision(&issue.key).await? != *revision,
        Basis::Editorial { text, exceptions } => {
            let saved = engine.store.editorial(&issue.key).await?.map(|saved| saved.text);
            saved != *text || InForce::of(engine.store.exceptions(&issue.key).await?).changes != *exceptions
        }
    })
}

/// Freezes content that needs no approval. `false`: it is outdated, and has to be composed again.
///
/// # Errors
/// When the secret is not the ledger's, or the database cannot be written.
pub(super) async fn freeze(
    engine: &Engine,
    due: Due<'_>,
    mut issue: NewIssue,
    watch: Watch<'_>,
) -> anyhow::Result<bool> {
    // Its links must open, and its opt-outs be known (F1).
    engine.tokens().await?;
    let (mailing, now) = (due.mailing, engine.app.clock.now());
    issue.content.envelope.date_ms = now.timestamp_millis();
    let key = &issue.key;
    let was_held = engine.store.issue(key).await?.is_some_and(|issue| issue.state() == IssueState::Held);
    failpoint::reach("before_freeze");
    let frozen = engine.store.freeze_issue(&issue, now).await?;
    failpoint::reach("after_freeze");
    match frozen {
        Frozen::Now { recipients } => {
            info!(mailing = mailing.id, issue = %key, recipients, "issue {key} is frozen for {recipients} recipients");
            watch(Step::Frozen { recipients });
            venues::learn(engine, key, &issue.content, now).await;
        }
        Frozen::Before => watch(Step::Resumed),
        Frozen::Outdated => return Ok(false),
    }
    if was_held {
        let cure = if mailing.is_of_editions() { Cure::EditionReady } else { Cure::ArticleComplete };
        engine.store.queue_notice(key, &Notice::Resolved(cure), now).await?;
    }
    Ok(true)
}

/// Holds the issue: records it in the ledger and notifies staff once. Returns the reason in French.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold(engine: &Engine, due: Due<'_>, hold: &Hold) -> anyhow::Result<String> {
    let (key, now, reason) = (due.key(), engine.app.clock.now(), hold.to_string());
    let held = HeldFor { hold: hold.clone(), reason: reason.clone(), at: now };
    engine.store.keep_hold(&key, &held).await?;
    engine.store.hold_issue(&key, &due.mailing.id, due.at, due.expires_at, &reason, now).await?;
    engine.store.queue_notice(&key, &Notice::Held { reason: reason.clone() }, now).await?;
    warn!(mailing = due.mailing.id, issue = %key, "issue {key} is held: {reason}");
    Ok(reason)
}
