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
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Settles the deliveries that a dead process had in flight: queued again, or unknown. Unknown deliveries found here
/// count like any other: an issue with too many is paused before more of it is sent. `alone`: no other process can be
/// using this database, so leases need not have expired.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn recover(engine: &Engine, alone: bool) -> anyhow::Result<Recovered> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let recovered = store.recover(alone, now).await?;
    if recovered.unknown > 0 {
        for issue in store.open_issues().await?.iter().filter(|it| it.too_many_unknown()) {
            let (unknown, because) = (issue.counts.unknown, Doubt::ProcessDied);
            let reason = PauseReason::InDoubt { unknown, because }.to_string();
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
            store.owe_notice(key, &Notice::Expired { reason: reason.to_owned() }, now).await?;
        }
    } else if failed > 0 {
        let reason = PauseReason::NobodyReached { refused: failed }.to_string();
        if store.set_issue_state(key, &from, IssueState::Paused, Some(&reason), now).await? {
            warn!(issue = %key, "issue {key} reached nobody and is paused: {}", issue.counts);
            let filter = LogFilter { issue: Some(key.clone()), state: Some(State::Failed), ..LogFilter::default() };
            let refused: Vec<_> = store.log(&filter).await?.into_iter().map(|it| it.id).collect();
            store.give_back(&refused, now).await?;
        }
    }
    Ok(())
}
