//! From the frozen issue to the relay, and what is left once nothing of it moves by itself.

use super::progress::{Step, Watch};
use crate::app::Engine;
use crate::deliver::{self, Deliverer};
use crate::domain::{
    delivery::Finished,
    issue::{IssueKey, IssueState},
    pause::{Doubt, PauseReason},
};
use crate::store::Recovered;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Settles what a process that died had in flight: queued again, or unknown. Doubts found now count like those of a
/// conversation: an issue with too many of them pauses before more of it leaves. `alone`: no other process can be alive on
/// this database, so leases need not have expired.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn recover(engine: &Engine, alone: bool) -> anyhow::Result<Recovered> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let recovered = store.recover(alone, now).await?;
    if recovered.unknown > 0 {
        for issue in store.open_issues().await?.iter().filter(|it| it.counts.too_many_unknown()) {
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

/// Sends what is due of one issue, or of all, until nothing is due.
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

/// Closes the issues of which nothing moves by itself any more, and logs their sums.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn close_finished(engine: &Engine) -> anyhow::Result<()> {
    for key in engine.store.close_finished_issues(engine.app.clock.now()).await? {
        let counts = engine.store.issue(&key).await?.map(|issue| issue.counts).unwrap_or_default();
        info!(issue = %key, "issue {key} is done: {counts}");
    }
    Ok(())
}
