//! Approval of an issue (I6): its content is stored and shown to staff, an approval names the hash of that content, and the
//! approved content is sent byte for byte. Nothing is collected again in between; any change needs a new approval.

use super::{Due, content::NotComposed, freeze::new_issue, venues};
use crate::app::Engine;
use crate::domain::{
    exception::HeldFor,
    hold::Hold,
    issue::{IssueKey, IssueState, IssueSummary, NewIssue, Stage},
    notice::{Cure, Notice},
};
use crate::jobs::{self, Mailing};
use crate::store::Frozen;
use anyhow::{Context, bail};
use tracing::{info, warn};

/// Enough characters of a hash to distinguish contents.
pub const SHORT: usize = 12;

pub fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

/// Stores the content of an occurrence and asks staff. `replacing`: the hash of the content stored now. `false` if somebody else
/// changed it first.
///
/// # Errors
/// When the database cannot be written.
pub async fn present(engine: &Engine, issue: &NewIssue, replacing: Option<&str>) -> anyhow::Result<bool> {
    let (key, hash, now) = (&issue.key, &issue.content_hash, engine.app.clock.now());
    if !engine.store.present_issue(issue, replacing, now).await? {
        return Ok(false);
    }
    info!(mailing = issue.mailing, issue = %key, hash = short(hash), "issue {key} is composed and awaits approval");
    ask(engine, key, hash, replacing.is_some_and(|before| before != hash)).await?;
    Ok(true)
}

/// Keeps content that a person changed, as the mailing has it: until it is approved, or until its hour. `replacing`, `false`: as of
/// [`present`]; of a mailing that needs no approval the latest change is kept.
///
/// # Errors
/// When the database cannot be read or written.
pub(crate) async fn keep(
    engine: &Engine,
    mailing: &Mailing,
    issue: &NewIssue,
    replacing: Option<&str>,
) -> anyhow::Result<bool> {
    match mailing.approval {
        jobs::Approval::Automatic => Ok(engine.store.rehearse_issue(issue, engine.app.clock.now()).await?),
        jobs::Approval::Required => present(engine, issue, replacing).await,
    }
}

/// Owes staff one mail per content; asking again changes nothing.
///
/// # Errors
/// When the database cannot be written.
pub(crate) async fn ask(engine: &Engine, key: &IssueKey, hash: &str, changed: bool) -> anyhow::Result<()> {
    let notice = Notice::ApprovalAsked { short_hash: short(hash).to_owned(), changed };
    engine.store.queue_notice(key, &notice, engine.app.clock.now()).await?;
    Ok(())
}

/// The outcome for an issue whose content is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreezeOutcome {
    /// This content is not approved yet.
    NotApproved,
    /// Its message breaks a rule that did not exist, or was not broken, when it was presented.
    Faulty(Hold),
    Frozen {
        recipients: u64,
    },
    /// Another process froze or changed it concurrently.
    LostRace,
}

/// Freezes the stored content if it is approved.
///
/// # Errors
/// When the content in the ledger does not match its hash, the secret is not the ledger's, or the database cannot be written.
pub(super) async fn freeze_if_approved(
    engine: &Engine,
    due: Due<'_>,
    issue: &IssueSummary,
) -> anyhow::Result<FreezeOutcome> {
    let (key, now) = (&issue.key, engine.app.clock.now());
    let Stage::Approved { content_hash: hash, held_for, .. } = &issue.stage else {
        let hash = issue.content_hash().context("an issue without content cannot be approved")?;
        // Again, in case an earlier process died between its two writes.
        ask(engine, key, hash, false).await?;
        return Ok(FreezeOutcome::NotApproved);
    };
    let content = engine.store.content(key).await?.context("the content of an approved issue is gone")?;
    let mut frozen = match new_issue(due, content, now).await {
        Ok(issue) => issue,
        Err(NotComposed::Held(hold)) => return Ok(FreezeOutcome::Faulty(hold)),
        Err(NotComposed::Failed(error)) => return Err(error),
    };
    if frozen.content_hash != *hash {
        bail!(
            "the stored content of {key} is not what was approved: its hash is {}, not {}",
            short(&frozen.content_hash),
            short(hash)
        );
    }
    frozen.content.envelope.date_ms = now.timestamp_millis();
    // Its links must open, and its opt-outs be known (F1).
    engine.tokens().await?;
    match engine.store.freeze_approved(&frozen, now).await? {
        Frozen::Before | Frozen::Outdated => Ok(FreezeOutcome::LostRace),
        Frozen::Now { recipients } => {
            info!(mailing = issue.mailing, issue = %key, recipients, hash = short(hash),
                "issue {key} was approved and is frozen for {recipients} recipients");
            venues::learn(engine, key, &frozen.content, now).await;
            if held_for.is_some() {
                engine.store.queue_notice(key, &Notice::Resolved(Cure::Approved), now).await?;
            }
            Ok(FreezeOutcome::Frozen { recipients })
        }
    }
}

/// Holds an issue that was not approved by its hour, and notifies staff. It can still be approved until its deadline.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold_unapproved(engine: &Engine, key: &IssueKey) -> anyhow::Result<()> {
    let (reason, now) = (Hold::Unapproved.to_string(), engine.app.clock.now());
    let held = HeldFor { hold: Hold::Unapproved, reason: reason.clone(), at: now };
    engine.store.keep_hold(key, &held).await?;
    engine.store.queue_notice(key, &Notice::Unapproved, now).await?;
    if engine.store.set_issue_state(key, &[IssueState::AwaitingApproval], IssueState::Held, Some(&reason), now).await? {
        warn!(issue = %key, "issue {key} is held: not approved before its hour");
    }
    Ok(())
}
