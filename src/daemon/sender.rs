//! Sends the queue through the relay, and tracks the relay's health.
//!
//! There is one deliverer, which remembers the relay's limits. If the relay as a whole fails, the circuit opens
//! for a while; staff are notified once for each waiting issue, not at every try.

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

/// The last known health of the relay.
#[derive(Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    breaker: Breaker,
    trouble: Option<RelayLeftAlone>,
}

impl Health {
    /// Set while the circuit is open.
    pub(super) fn open_circuit(&self, now: Timestamp) -> Option<RelayLeftAlone> {
        let state = lock(&self.0);
        state.breaker.open_until(now).and(state.trouble.clone())
    }

    /// Set from the first failure until the relay works again, also between two attempts.
    pub(super) fn trouble(&self) -> Option<RelayLeftAlone> {
        lock(&self.0).trouble.clone()
    }

    /// The relay as a whole failed.
    fn failed(&self, trouble: &RelayTrouble, now: Timestamp) {
        let mut state = lock(&self.0);
        let until = state.breaker.trip(now);
        warn!(
            phase = trouble.phase.as_str(),
            code = trouble.reply.code,
            tries = state.breaker.trips(),
            %until,
            "relay unavailable ({trouble}); circuit open until {until}"
        );
        state.note(trouble.to_string(), until, now);
    }

    /// The relay as a whole failed for a mail to staff. The queue may try it all the same.
    pub(super) fn failed_staff(&self, trouble: String, until: Timestamp, now: Timestamp) {
        lock(&self.0).note(trouble, until, now);
    }

    /// The relay worked.
    pub(super) fn served(&self, now: Timestamp) {
        let before = std::mem::take(&mut *lock(&self.0));
        if let Some(trouble) = before.trouble {
            let minutes = (now - trouble.since).num_minutes();
            info!(minutes, "relay available again after {minutes} min");
        }
    }
}

impl State {
    fn note(&mut self, trouble: String, until: Timestamp, now: Timestamp) {
        let since = self.trouble.as_ref().map_or(now, |before| before.since);
        self.trouble = Some(RelayLeftAlone { trouble, since, until });
    }
}

impl Daemon {
    /// Sends until nothing is due, and closes finished issues.
    pub async fn send_pass(&self, stop: &CancellationToken) {
        if let Err(failure) = self.send(stop).instrument(info_span!("send")).await {
            error!(error = format!("{failure:#}"), "delivery pass failed; the next pass tries again");
        }
    }

    async fn send(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let (engine, now) = (self.engine(), self.now());
        let store = &engine.store;
        if self.relay.open_circuit(now).is_some() {
            store.expire_deliveries(now).await?;
            return Ok(());
        }
        super::pause_after_restore(&engine).await?;
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
                "delivery pass: {sent} sent, {failed} failed, {deferred} deferred, {unknown} unknown"
            );
        }
        match &summary.breaker {
            Some(trouble) => {
                self.relay.failed(trouble, now);
                // So that `status` shows it at once, not a minute later.
                self.wakers.heartbeat.notify_one();
                self.notify_staff(trouble, now).await?;
            }
            None if summary.tried() > 0 => self.relay.served(now),
            // All queued deliveries have expired, so only a greeting shows whether the relay is back.
            None if self.relay.trouble().is_some() => self.check_relay(now).await,
            None => {}
        }
        Ok(())
    }

    async fn check_relay(&self, now: Timestamp) {
        match self.deliverer.greet().await {
            Ok(()) => self.relay.served(now),
            Err(trouble) => self.relay.failed(&trouble, now),
        }
        self.wakers.heartbeat.notify_one();
    }

    /// Recovers expired leases of a dead daemon: queued again, or unknown. `true`: there is something to send. Our own
    /// leases are kept alive and never expire while this process lives.
    pub(super) async fn recover_expired_leases(&self) -> bool {
        match sending::recover(&self.engine(), false).await {
            Ok(Recovered { released: 0, unknown: 0 }) => false,
            Ok(Recovered { released, unknown }) => {
                warn!(released, unknown, "leases expired: {released} deliveries queued again, {unknown} unknown");
                true
            }
            Err(failure) => {
                error!(error = format!("{failure:#}"), "could not look for expired leases");
                false
            }
        }
    }

    /// Notifies staff once for each waiting issue. The mail can only be sent once the relay is back, so it explains the
    /// delay.
    async fn notify_staff(&self, trouble: &RelayTrouble, now: Timestamp) -> anyhow::Result<()> {
        let engine = self.engine();
        for issue in engine.store.open_issues().await? {
            if issue.state() == IssueState::Sending && issue.counts.queued > 0 {
                let zone = engine.app.zone_of(&issue.mailing);
                let RelayTrouble { phase, reply } = trouble;
                let what = wording::relay_failed(now, zone, *phase, reply.code, &reply.text);
                engine.store.queue_notice(&issue.key, &Notice::Relay { what }, now).await?;
            }
        }
        Ok(())
    }

    /// Until the next delivery is due, or the circuit closes.
    pub(super) async fn until_next_delivery(&self) -> Duration {
        let now = self.now();
        let next = match self.engine().store.next_due(None).await {
            Ok(next) => next,
            Err(failure) => {
                error!(error = chain(&failure), "the next due delivery cannot be read");
                None
            }
        };
        let Some(next) = next else { return LONGEST_PAUSE };
        let next = self.relay.open_circuit(now).map_or(next, |alone| next.max(alone.until));
        (next - now).to_std().unwrap_or_default().max(Duration::from_secs(1))
    }
}
