//! Issues without an occurrence of the daemon: made by `semainier run` before a daemon knew their mailing. Approved ones are
//! sent, and those not approved expire at their deadline like any other.

use super::schedule::{KNOWN, OPEN, cursor};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    hold::Hold,
    issue::{IssueKey, IssueState, IssueSummary},
    notice::Notice,
};
use crate::issue::{
    Due, edition,
    publish::{self, Prepared},
};
use crate::jobs::Mailing;
use crate::notices::wording;
use crate::store::{Occurrence, OccurrenceState};
use tracing::{error, warn};

/// `true` if one of them was frozen.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn process(engine: &Engine) -> anyhow::Result<bool> {
    let mut frozen = false;
    for issue in engine.store.open_issues().await?.iter().filter(|it| OPEN.contains(&it.state())) {
        match process_one(engine, issue).await {
            Ok(now_frozen) => frozen |= now_frozen,
            Err(failure) => error!(error = format!("{failure:#}"), "could not process issue {}", issue.key),
        }
    }
    Ok(frozen)
}

async fn process_one(engine: &Engine, issue: &IssueSummary) -> anyhow::Result<bool> {
    let now = engine.app.clock.now();
    let is_over = now >= issue.expires_at;
    let may_leave = issue.is_approved() && now >= issue.scheduled_for;
    if !is_over && !may_leave || is_awaited(engine, &issue.key).await? {
        return Ok(false);
    }
    let mailing = engine.app.mailing(&issue.mailing).ok();
    match mailing {
        _ if is_over => expire(engine, issue, mailing, now).await.map(|()| false),
        Some(mailing) if engine.store.other_sending_issue(&mailing.id, &issue.key).await?.is_none() => {
            // An edition goes only to those it was announced to, and to nobody once the announcement was cancelled.
            let Some(mailing) = edition::mailing_for(engine, mailing, Some(&issue.key)).await? else {
                return Ok(false);
            };
            let mailing = &*mailing;
            let due = Due {
                period: Some(issue.key.period()),
                ..Due::scheduled(mailing, issue.scheduled_for, issue.expires_at)
            };
            let prepared = publish::prepare(engine, due, None, &|_| {}).await?;
            Ok(matches!(prepared, Prepared::Frozen { before: false }))
        }
        _ => Ok(false),
    }
}

/// Whether an occurrence will settle it.
async fn is_awaited(engine: &Engine, key: &IssueKey) -> anyhow::Result<bool> {
    let known = engine.store.occurrences(Some(key.mailing()), KNOWN).await?;
    Ok(known.iter().any(|it| it.state == OccurrenceState::Pending && it.issue.as_ref() == Some(key)))
}

/// Expires it: notifies staff and records the occurrence as missed. The issue changes last, so that a crash in between only
/// repeats writes that are idempotent.
async fn expire(
    engine: &Engine,
    issue: &IssueSummary,
    mailing: Option<&Mailing>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let IssueSummary { key, scheduled_for, .. } = issue;
    let reason = match (issue.reason(), issue.approved_by()) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(by)) => wording::expired_though_approved(by),
        (None, None) => Hold::Unapproved.to_string(),
    };
    warn!("{key} expired: {reason}");
    engine.store.queue_notice(key, &Notice::Expired { reason: reason.clone() }, now).await?;
    if let Some(mailing) = mailing {
        let missed = Occurrence {
            mailing: mailing.id.clone(),
            scheduled_for: *scheduled_for,
            local: mailing.schedule.label(*scheduled_for),
            state: OccurrenceState::Missed,
            reason: Some(reason.clone()),
            issue: Some(key.clone()),
            next_try: *scheduled_for,
        };
        let upto = cursor(engine, mailing, now).await?;
        engine.store.record_occurrences(&mailing.id, &[missed], upto).await?;
    }
    engine.store.set_issue_state(key, &OPEN, IssueState::Expired, Some(&reason), now).await?;
    Ok(())
}
