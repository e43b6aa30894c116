//! The whole process on one page: collect and compose, check the gates, wait for approval, freeze, deliver.
//!
//! A frozen issue is never composed again: a second run continues its deliveries.

use super::{
    Due, agenda,
    approval::{self, FreezeOutcome},
    content::{Composed, NotComposed},
    edition, freeze, newsletter,
    progress::{Step, Watch},
    rehearsal, sending,
};
use crate::app::Engine;
use crate::deliver::{self, Deliverer};
use crate::domain::{
    Timestamp,
    article::Article,
    issue::{IssueKey, IssueState, IssueSummary, NewIssue},
    notice::Notice,
};
use crate::jobs::{Approval, Kind};
use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// The outcome of preparing an issue.
#[derive(Debug)]
pub enum Prepared {
    /// A gate holds it, or nothing could be read. Nothing was frozen.
    Held { reason: String },
    /// Composed and stored, waiting for approval.
    Awaiting,
    /// Frozen now, or `before` by an earlier run.
    Frozen { before: bool },
}

/// The outcome of publishing an issue.
#[derive(Debug)]
pub enum Published {
    Held {
        key: IssueKey,
        reason: String,
    },
    /// Not sent until it is approved.
    Awaiting {
        key: IssueKey,
    },
    /// Frozen, now or earlier, and delivered as far as possible at this time.
    Delivered(Box<Delivered>),
}

#[derive(Debug)]
pub struct Delivered {
    pub issue: IssueSummary,
    /// An earlier run had frozen it.
    pub before: bool,
    pub delivery: deliver::Summary,
}

/// Publishes one occurrence of a mailing, from its sources to the relay. `article`: used instead of the mailing's sources.
///
/// # Errors
/// Failures that a retry does not cure: a template that does not render, a database that cannot be written.
pub async fn publish(
    engine: &Engine,
    deliverer: &Deliverer,
    due: Due<'_>,
    article: Option<Article>,
    stop: &CancellationToken,
    watch: Watch<'_>,
) -> anyhow::Result<Published> {
    let key = due.key();
    let before = match prepare(engine, due, article, watch).await? {
        Prepared::Held { reason } => return Ok(Published::Held { key, reason }),
        Prepared::Awaiting => return Ok(Published::Awaiting { key }),
        Prepared::Frozen { before } => before,
    };
    let delivery = sending::deliver(engine, deliverer, Some(&key), stop, watch).await?;
    let issue = engine.store.issue(&key).await?.context("the issue that was just frozen is gone")?;
    Ok(Published::Delivered(Box::new(Delivered { issue, before, delivery })))
}

/// From the sources to the frozen issue, or to one that awaits approval. Neither what is frozen nor what is kept for
/// approval is collected again; what was rehearsed is, unless somebody approved it.
///
/// # Errors
/// Failures that a retry does not cure: a template that does not render, a database that cannot be written.
pub async fn prepare(
    engine: &Engine,
    due: Due<'_>,
    article: Option<Article>,
    watch: Watch<'_>,
) -> anyhow::Result<Prepared> {
    let mut rehearsed = None;
    if let Some(issue) = engine.store.issue(&due.key()).await? {
        if issue.frozen().is_some() || issue.state().is_given_up() {
            return Ok(continue_frozen(&issue, watch));
        }
        if issue.is_approved() || issue.is_presented() && due.mailing.approval == Approval::Required {
            return freeze_if_approved(engine, due, &issue, watch).await;
        }
        if issue.content_hash().is_some() {
            rehearsed = engine.store.content(&issue.key).await?;
        }
    }
    watch(Step::Collecting);
    let composed_at = engine.app.clock.now();
    let (issue, missing) = match make(engine, due, article.clone(), watch, composed_at).await {
        Ok(made) => made,
        Err(NotComposed::Held(hold)) => {
            return Ok(Prepared::Held { reason: freeze::hold(engine, due, &hold).await? });
        }
        Err(NotComposed::Failed(error)) => return Err(error),
    };
    watch(Step::Composed { content: &issue.content });
    match due.mailing.approval {
        Approval::Automatic => {
            let changes = rehearsed.map(|before| rehearsal::changes(&before, &issue.content)).unwrap_or_default();
            if !freeze::freeze(engine, due, issue, watch).await? {
                return Box::pin(prepare(engine, due, article, watch)).await;
            }
            if !changes.is_empty() {
                engine.store.queue_notice(&due.key(), &Notice::Changed { lines: changes }, composed_at).await?;
            }
            if !missing.is_empty() {
                engine.store.queue_notice(&due.key(), &Notice::Incomplete { missing }, composed_at).await?;
            }
            Ok(Prepared::Frozen { before: false })
        }
        Approval::Required => {
            if !approval::present(engine, &issue, None).await? && freeze::is_outdated(engine, &issue).await? {
                return Box::pin(prepare(engine, due, article, watch)).await;
            }
            Ok(Prepared::Awaiting)
        }
    }
}

/// Composes an occurrence before its hour, keeps it as a rehearsal, and shows it to staff.
///
/// # Errors
/// What no retry of the same input would cure: a template that does not render, a database that cannot be written.
pub async fn rehearse(engine: &Engine, due: Due<'_>) -> anyhow::Result<Prepared> {
    let composed_at = engine.app.clock.now();
    match make(engine, due, None, &|_| {}, composed_at).await {
        Ok((issue, missing)) => {
            if !rehearsal::keep(engine, &issue, missing).await? && freeze::is_outdated(engine, &issue).await? {
                return Box::pin(rehearse(engine, due)).await;
            }
            Ok(Prepared::Awaiting)
        }
        Err(NotComposed::Held(hold)) => Ok(Prepared::Held { reason: freeze::hold(engine, due, &hold).await? }),
        Err(NotComposed::Failed(error)) => Err(error),
    }
}

/// Collects, composes and judges the message; stores nothing but the reading that persons may correct. Also returns the optional
/// sources that failed, each with the reason in French.
pub(crate) async fn make(
    engine: &Engine,
    due: Due<'_>,
    article: Option<Article>,
    watch: Watch<'_>,
    composed_at: Timestamp,
) -> Result<(NewIssue, Vec<String>), NotComposed> {
    let composed = compose(engine, due, article, watch).await?;
    let missing = composed.missing.clone();
    Ok((freeze::issue_of(due, composed, composed_at).await?, missing))
}

async fn compose(
    engine: &Engine,
    due: Due<'_>,
    article: Option<Article>,
    watch: Watch<'_>,
) -> Result<Composed, NotComposed> {
    match &due.mailing.kind {
        Kind::Agenda(agenda) => agenda::make(engine, due, agenda, article, watch).await,
        Kind::Newsletter(newsletter) => newsletter::make(&engine.app, &*engine.store, due, newsletter, watch).await,
        Kind::Edition => edition::make(&engine.app, &*engine.store, due).await,
    }
}

fn continue_frozen(issue: &IssueSummary, watch: Watch<'_>) -> Prepared {
    if issue.state().is_given_up() {
        info!(mailing = issue.mailing, issue = %issue.key, "no more deliveries of issue {} are sent", issue.key);
    } else {
        watch(Step::Resumed);
    }
    Prepared::Frozen { before: true }
}

async fn freeze_if_approved(
    engine: &Engine,
    due: Due<'_>,
    issue: &IssueSummary,
    watch: Watch<'_>,
) -> anyhow::Result<Prepared> {
    match approval::freeze_if_approved(engine, due, issue).await? {
        FreezeOutcome::NotApproved => Ok(Prepared::Awaiting),
        FreezeOutcome::Faulty(hold) => {
            let reason = freeze::hold(engine, due, &hold).await?;
            // It is shown as held, and as approved by whom. What leaves without an approval would be composed anew, so that it
            // stays approved: nothing else than what a person has seen is sent.
            if due.mailing.approval == Approval::Required {
                let now = engine.app.clock.now();
                let (key, approved) = (&issue.key, [IssueState::Approved]);
                engine.store.set_issue_state(key, &approved, IssueState::Held, Some(&reason), now).await?;
            }
            Ok(Prepared::Held { reason })
        }
        FreezeOutcome::Frozen { recipients } => {
            watch(Step::Frozen { recipients });
            Ok(Prepared::Frozen { before: false })
        }
        // Another process froze or changed it; the next try sees the change.
        FreezeOutcome::LostRace => match engine.store.issue(&issue.key).await? {
            Some(issue) if issue.frozen().is_some() => Ok(Prepared::Frozen { before: true }),
            _ => Ok(Prepared::Awaiting),
        },
    }
}
