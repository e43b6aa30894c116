//! Sending a frozen issue through the relay, and closing it when all its deliveries have ended.

use super::progress::{Step, Watch};
use crate::app::Engine;
use crate::deliver::{self, Deliverer};
use crate::domain::{
    delivery::{Finished, State},
    edition::ORDERS,
    issue::{Counts, IssueKey, IssueState, IssueSummary},
    notice::Notice,
    pause::{Doubt, PauseReason},
};
use crate::notices::wording;
use crate::store::{LogFilter, Recovered};
use chrono::TimeDelta;
use std::collections::HashMap;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// A daemon that was not seen for so long is dead: it says that it lives every minute.
const UNSEEN: TimeDelta = TimeDelta::minutes(2);

/// Settles the deliveries that a dead process had in flight: queued again, or unknown. Unknown deliveries found here
/// count like any other: an issue with too many is paused before more of it is sent. `alone`: no other process can be
/// using this database, so leases need not have expired.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn recover(engine: &Engine, alone: bool) -> anyhow::Result<Recovered> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let recovered = store.recover(alone, now).await?;
    let abandoned: HashMap<_, _> = store.abandoned_markers(now - UNSEEN).await?.into_iter().collect();
    if recovered.unknown > 0 || !abandoned.is_empty() {
        for issue in store.open_issues().await? {
            let more = abandoned.get(&issue.key).copied().unwrap_or_default();
            if !issue.too_many_in_doubt(more) {
                continue;
            }
            let reason =
                PauseReason::InDoubt { unknown: issue.counts.unknown + more, because: Doubt::ProcessDied }.to_string();
            let from = [IssueState::Sending];
            if store.set_issue_state(&issue.key, &from, IssueState::Paused, Some(&reason), now).await? {
                warn!(issue = %issue.key, %reason, "issue paused");
            }
        }
    }
    Ok(recovered)
}

/// Sends the due deliveries of one issue, or of all, until none is due.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn deliver(
    engine: &Engine,
    deliverer: &Deliverer,
    only: Option<&IssueKey>,
    stop: &CancellationToken,
    watch: Watch<'_>,
) -> anyhow::Result<deliver::Summary> {
    let progress = |finished: &Finished| watch(Step::Attempted(finished));
    engine.store.expire_deliveries(engine.app.clock.now()).await?;
    let summary = deliverer.deliver(only, stop, &progress).await?;
    close_finished(engine).await?;
    Ok(summary)
}

/// Closes the issues whose deliveries have all ended, and logs their totals. An issue that reached nobody is never just `done`:
/// past its deadline it expires, before that it is paused with its refused deliveries queued again.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn close_finished(engine: &Engine) -> anyhow::Result<()> {
    for issue in engine.store.open_issues().await? {
        if issue.state() == IssueState::Sending && issue.mailing != ORDERS && issue.counts.reached_nobody() {
            close_unreached(engine, &issue).await?;
        }
    }
    for key in engine.store.close_finished_issues(engine.app.clock.now()).await? {
        let counts = engine.store.issue(&key).await?.map(|issue| issue.counts).unwrap_or_default();
        info!(issue = %key, "issue {key} is done: {counts}");
    }
    Ok(())
}

async fn close_unreached(engine: &Engine, issue: &IssueSummary) -> anyhow::Result<()> {
    let (store, key, now) = (&engine.store, &issue.key, engine.app.clock.now());
    let from = [IssueState::Sending];
    let Counts { failed, expired, .. } = issue.counts;
    if issue.expires_at <= now && expired + failed > 0 {
        let reason = wording::NOBODY_BEFORE_THE_DEADLINE;
        if store.set_issue_state(key, &from, IssueState::Expired, Some(reason), now).await? {
            warn!(issue = %key, "issue {key} expired and reached nobody: {}", issue.counts);
            store.queue_notice(key, &Notice::Expired { reason: reason.to_owned() }, now).await?;
        }
    } else if failed > 0 {
        let reason = PauseReason::NobodyReached { refused: failed }.to_string();
        if store.set_issue_state(key, &from, IssueState::Paused, Some(&reason), now).await? {
            warn!(issue = %key, "issue {key} reached nobody and is paused: {}", issue.counts);
            let filter = LogFilter { issue: Some(key.clone()), state: Some(State::Failed), ..LogFilter::default() };
            let refused: Vec<_> = store.log(&filter).await?.into_iter().map(|it| it.id).collect();
            store.requeue_failed(&refused, now).await?;
        }
    }
    Ok(())
}
