//! Approval of an issue (I6): its content is kept and shown to staff, an approval names the hash of that content, and what
//! was approved leaves byte for byte. Nothing is collected again in between; any change asks again.

use super::{Due, freeze::new_issue};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    hold::Hold,
    issue::{Content, IssueKey, IssueState, IssueSummary, Stage},
    notice::{Cure, Notice},
};
use crate::store::Frozen;
use anyhow::{Context, bail};
use tracing::{info, warn};

/// Enough of a hash to tell two contents apart.
pub const SHORT: usize = 12;

pub fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

/// Keeps the content of an occurrence and asks staff. `replacing`: the hash of the content that is there now. `false` when
/// somebody else was first.
///
/// # Errors
/// When the database cannot be written.
pub async fn present(
    engine: &Engine,
    due: Due<'_>,
    content: Content,
    composed_at: Timestamp,
    replacing: Option<&str>,
) -> anyhow::Result<bool> {
    let issue = new_issue(due, content, composed_at);
    let (key, hash, now) = (&issue.key, &issue.content_hash, engine.app.clock.now());
    if !engine.store.present_issue(&issue, replacing, now).await? {
        return Ok(false);
    }
    info!(mailing = issue.mailing, issue = %key, hash = short(hash), "issue {key} is composed and awaits approval");
    ask(engine, key, hash, replacing.is_some_and(|before| before != hash)).await?;
    Ok(true)
}

/// Staff are owed one mail for each content; asked again it changes nothing.
async fn ask(engine: &Engine, key: &IssueKey, hash: &str, changed: bool) -> anyhow::Result<()> {
    let notice = Notice::ApprovalAsked { short_hash: short(hash).to_owned(), changed };
    engine.store.owe_notice(key, &notice, engine.app.clock.now()).await?;
    Ok(())
}

/// What became of an issue whose content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezeOutcome {
    /// Nobody has approved this content yet.
    NotApproved,
    Frozen {
        recipients: u64,
    },
    /// Another process froze or changed it at the same moment.
    LostRace,
}

/// Freezes the kept content, if it is approved.
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
        // Repeated, in case an earlier process died between its two writes.
        ask(engine, key, hash, false).await?;
        return Ok(FreezeOutcome::NotApproved);
    };
    let content = engine.store.content(key).await?.context("the content of an approved issue is gone")?;
    let mut frozen = new_issue(due, content, now);
    if frozen.content_hash != *hash {
        bail!(
            "the kept content of {key} is not what was approved: its hash is {}, not {}",
            short(&frozen.content_hash),
            short(hash)
        );
    }
    frozen.content.envelope.date_ms = now.timestamp_millis();
    // Its links must open, and its opt-outs be known (F1).
    engine.tokens().await?;
    match engine.store.freeze_approved(&frozen, now).await? {
        Frozen::Before => Ok(FreezeOutcome::LostRace),
        Frozen::Now { recipients } => {
            info!(mailing = issue.mailing, issue = %key, recipients, hash = short(hash),
                "issue {key} was approved and is frozen for {recipients} recipients");
            if held_for.is_some() {
                engine.store.owe_notice(key, &Notice::Resolved(Cure::Approved), now).await?;
            }
            Ok(FreezeOutcome::Frozen { recipients })
        }
    }
}

/// The hour has come and nobody approved it: held, and staff are told. It may still be approved until its deadline.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold_unapproved(engine: &Engine, key: &IssueKey) -> anyhow::Result<()> {
    let (reason, now) = (Hold::Unapproved.to_string(), engine.app.clock.now());
    engine.store.owe_notice(key, &Notice::Unapproved, now).await?;
    if engine.store.set_issue_state(key, &[IssueState::AwaitingApproval], IssueState::Held, Some(&reason), now).await? {
        warn!(issue = %key, "issue {key} is held: nobody approved it before its hour");
    }
    Ok(())
}
