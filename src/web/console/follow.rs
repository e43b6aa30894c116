//! Live progress: one task for each issue that somebody watches reads its tallies once a second, however many watch. From the
//! ledger, not from memory: another daemon may be sending.

use super::Console;
use crate::domain::issue::{Counts, IssueKey, IssueState};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(1);

/// A progress event: the numbers by state, as the page shows them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Progress {
    /// Milliseconds: a reconnect finds the same.
    #[serde(skip)]
    pub at: i64,
    pub state: IssueState,
    #[serde(flatten)]
    pub counts: Counts,
    pub total: u64,
    pub ended: u64,
    /// The first messages were answered, and the rest is leaving.
    pub rest: bool,
    /// Nothing of it moves by itself any more.
    pub over: bool,
}

#[derive(Default)]
pub(super) struct Watchers(Mutex<HashMap<IssueKey, watch::Sender<Option<Progress>>>>);

impl Watchers {
    fn kept(&self) -> MutexGuard<'_, HashMap<IssueKey, watch::Sender<Option<Progress>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Console {
    /// Follows an issue. The channel closes when it is over, unreadable, or the console stops.
    pub(super) fn follow(self: &Arc<Self>, key: &IssueKey) -> watch::Receiver<Option<Progress>> {
        let mut kept = self.watchers.kept();
        if let Some(sender) = kept.get(key) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        kept.insert(key.clone(), sender);
        tokio::spawn(Arc::clone(self).read_again(key.clone()));
        receiver
    }

    async fn read_again(self: Arc<Self>, key: IssueKey) {
        loop {
            let progress = match self.store().issue(&key).await {
                Ok(Some(issue)) => Some(Progress {
                    at: self.now().timestamp_millis(),
                    state: issue.state(),
                    counts: issue.counts,
                    total: issue.counts.total(),
                    ended: issue.counts.ended(),
                    rest: issue.frozen().is_some() && issue.awaits_first().is_none(),
                    // What has not left may do so while somebody looks.
                    over: !issue.may_still_leave()
                        && !matches!(issue.state(), IssueState::Sending | IssueState::Paused),
                }),
                Ok(None) | Err(_) => None,
            };
            let over = progress.as_ref().is_none_or(|it| it.over);
            {
                let mut kept = self.watchers.kept();
                let Some(sender) = kept.get(&key) else { return };
                sender.send_if_modified(|known| {
                    let same = known.as_ref().zip(progress.as_ref()).is_some_and(|(known, new)| {
                        (known.state, known.counts, known.rest) == (new.state, new.counts, new.rest)
                    });
                    if !same {
                        known.clone_from(&progress);
                    }
                    !same
                });
                if over || sender.receiver_count() == 0 || self.stop.is_cancelled() {
                    kept.remove(&key);
                    return;
                }
            }
            let _ = self.stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
        }
    }
}
