//! Chooses the first messages of an issue, and judges their answers before the rest is claimed. The ledger has who they are and
//! what became of them; nothing is remembered here.

use super::run::Run;
use crate::domain::{
    canary::{self, Verdict},
    issue::IssueKey,
    pause::PauseReason,
};
use crate::{
    failpoint,
    store::{self, CanaryEnd, CanaryStep},
};
use std::sync::atomic::Ordering;
use tracing::info;

/// Deliveries of an issue among which the first ones are chosen. Ids rise with the address, whose beginning says nothing of its
/// domain, so that these are a fair sample of a larger issue.
const CANDIDATES: u32 = 2000;

impl Run {
    /// `true`: something changed, and more may be claimed by now.
    pub async fn take_steps(&self, steps: Vec<(IssueKey, CanaryStep)>) -> bool {
        let mut changed = false;
        for (issue, step) in steps {
            let done = match step {
                CanaryStep::ToChoose => self.choose_first(&issue).await,
                CanaryStep::Answered => self.judge_first(&issue).await,
                CanaryStep::Claimed => {
                    self.canary_claimed.store(true, Ordering::SeqCst);
                    continue;
                }
                CanaryStep::UnderWay => continue,
            };
            match done {
                Ok(()) => changed = true,
                Err(store_error) => self.store_error(store_error),
            }
        }
        changed
    }

    async fn choose_first(&self, issue: &IssueKey) -> store::Result<()> {
        let (store, settings) = (&self.it.store, &self.it.settings);
        let candidates = store.canary_candidates(issue, CANDIDATES.max(settings.canary)).await?;
        let first = canary::choose(&candidates, settings.canary as usize, &settings.lanes);
        let first: Vec<_> = first.into_iter().cloned().collect();
        failpoint::reach("before_canary");
        if store.begin_canary(issue, &first).await? {
            info!(%issue, first = first.len(), "the first {} messages of {issue} are sent before the rest", first.len());
        }
        failpoint::reach("after_canary");
        Ok(())
    }

    async fn judge_first(&self, issue: &IssueKey) -> store::Result<()> {
        let (store, now) = (&self.it.store, self.it.clock.now());
        let resumed = store.issue(issue).await?.is_some_and(|issue| issue.resumed.is_some());
        let verdict = canary::verdict(&store.canary_answers(issue).await?, resumed);
        failpoint::reach("before_canary_end");
        let (reason, ended) = match &verdict {
            Verdict::GoOn => (None, store.end_canary(issue, CanaryEnd::GoOn, now).await?),
            Verdict::TakenForSpam => {
                let reason = PauseReason::TakenForSpam.to_string();
                let ended = store.end_canary(issue, CanaryEnd::Pause(&reason), now).await?;
                (Some(reason), ended)
            }
            Verdict::AllRefused(refused) => {
                let reason = PauseReason::FirstRefused { refused: refused.len() as u64 }.to_string();
                let ended = store.end_canary(issue, CanaryEnd::TakeBack(&reason, refused), now).await?;
                (Some(reason), ended)
            }
        };
        failpoint::reach("after_canary_end");
        match reason {
            Some(reason) if ended => self.is_paused(issue, reason, true),
            None if ended => info!(%issue, "the first messages of {issue} are answered; the rest leaves"),
            // Another daemon judged them.
            _ => {}
        }
        Ok(())
    }
}
