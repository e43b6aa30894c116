//! The step from the queue to the relay, and what is known of the relay's health.
//!
//! One deliverer at a time: what it learns of the relay is kept. A relay that fails as a whole is left alone for a while;
//! staff are told once for each issue that waits, not at every try.

use super::{Daemon, LONGEST_PAUSE, chain, lock};
use crate::deliver::{Breaker, RelayTrouble};
use crate::domain::{Timestamp, issue::IssueState, notice::Notice};
use crate::editions;
use crate::issue::sending;
use crate::notices::wording;
use crate::store::{Recovered, RelayLeftAlone};
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

/// The relay as it last showed itself.
#[derive(Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    breaker: Breaker,
    trouble: Option<RelayLeftAlone>,
    since: Option<Timestamp>,
}

impl Health {
    /// Set while it is to be left alone.
    pub(super) fn left_alone(&self, now: Timestamp) -> Option<RelayLeftAlone> {
        let state = lock(&self.0);
        state.breaker.open_until(now).and(state.trouble.clone())
    }

    /// It failed as a whole.
    fn failed(&self, trouble: &RelayTrouble, now: Timestamp) {
        let mut state = lock(&self.0);
        let until = state.breaker.trip(now);
        state.since.get_or_insert(now);
        warn!(
            phase = trouble.phase.as_str(),
            code = trouble.reply.code,
            tries = state.breaker.trips(),
            %until,
            "the relay takes no mail ({trouble}); it is left alone until {until}"
        );
        state.trouble = Some(RelayLeftAlone { trouble: trouble.to_string(), until });
    }

    /// It was asked, and served.
    fn served(&self, now: Timestamp) {
        let before = std::mem::take(&mut *lock(&self.0));
        if let Some(since) = before.since {
            let minutes = (now - since).num_minutes();
            info!(minutes, "the relay takes mail again, after {minutes} min");
        }
    }
}

impl Daemon {
    /// Sends what is due, until nothing is, and closes what is out.
    pub async fn post_pass(&self, stop: &CancellationToken) {
        if let Err(failure) = self.post(stop).instrument(info_span!("post")).await {
            error!(error = format!("{failure:#}"), "the post was broken off; the next pass tries again");
        }
    }

    async fn post(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let (engine, now) = (self.engine(), self.now());
        let store = &engine.store;
        if self.relay.left_alone(now).is_some() {
            store.expire_deliveries(now).await?;
            return Ok(());
        }
        super::mind_a_restored_ledger(&engine).await?;
        editions::confirm_orders(&engine).await?;
        let summary = sending::deliver(&engine, &self.deliverer, None, stop, &|_| {}).await?;
        let now = self.now();
        if summary.tried() > 0 {
            let (sent, failed, deferred, unknown) = (summary.sent, summary.failed, summary.deferred, summary.unknown);
            info!(
                sent,
                failed,
                deferred,
                unknown,
                "the post took {sent}; {failed} failed, {deferred} for later, {unknown} unknown"
            );
        }
        match &summary.breaker {
            Some(trouble) => {
                self.relay.failed(trouble, now);
                self.tell_of(trouble, now).await?;
            }
            None if summary.tried() > 0 => self.relay.served(now),
            None => {}
        }
        Ok(())
    }

    /// What a daemon that died had in flight, once its leases are over: queued again, or unknown. `true`: there is something
    /// for the post. Nothing of ours is touched while we are alive to keep our leases.
    pub(super) async fn take_up_the_dead(&self) -> bool {
        match sending::recover(&self.engine(), false).await {
            Ok(Recovered { released: 0, unknown: 0 }) => false,
            Ok(Recovered { released, unknown }) => {
                warn!(released, unknown, "leases were over: {released} deliveries queued again, {unknown} unknown");
                true
            }
            Err(failure) => {
                error!(error = format!("{failure:#}"), "leases that are over cannot be looked for");
                false
            }
        }
    }

    /// Once for each issue that waits. The mail leaves when the relay is back: it is read as what happened, and why late.
    async fn tell_of(&self, trouble: &RelayTrouble, now: Timestamp) -> anyhow::Result<()> {
        let engine = self.engine();
        for issue in engine.store.open_issues().await? {
            if issue.state() == IssueState::Sending && issue.counts.queued > 0 {
                let zone = engine.app.zone_of(&issue.mailing);
                let RelayTrouble { phase, reply } = trouble;
                let what = wording::relay_failed(now, zone, *phase, reply.code, &reply.text);
                engine.store.owe_notice(&issue.key, &Notice::Relay { what }, now).await?;
            }
        }
        Ok(())
    }

    /// Until the next delivery is due, or the relay may be asked again.
    pub(super) async fn pause_of_the_post(&self) -> Duration {
        let now = self.now();
        let next = match self.engine().store.next_due(None).await {
            Ok(next) => next,
            Err(failure) => {
                error!(error = chain(&failure), "the next due delivery cannot be read");
                None
            }
        };
        let Some(next) = next else { return LONGEST_PAUSE };
        let next = self.relay.left_alone(now).map_or(next, |alone| next.max(alone.until));
        (next - now).to_std().unwrap_or_default().max(Duration::from_secs(1))
    }
}
