//! Heartbeats: to the ledger, for `status`, and to systemd, for its watchdog. Also notices dead daemons and clock jumps.

use super::{Daemon, LONGEST_PAUSE, chain, lock, wait_for};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store;
use chrono::TimeDelta;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Evaluating the schedules takes a few site time-outs at most; beyond this it hangs, and the watchdog may restart us.
const LONGEST_EVALUATION: Duration = Duration::from_mins(15);
/// A daemon that has been silent for this long is removed from the list.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// Interval between heartbeats to the ledger.
const BEAT: Duration = Duration::from_secs(55);

pub(super) struct Heartbeat {
    started_at: Timestamp,
    started: Instant,
    /// When the schedules were last evaluated.
    evaluated: Mutex<Instant>,
    /// The wall clock at the last pass.
    last_pass: Mutex<Timestamp>,
}

impl Heartbeat {
    pub(super) fn new(now: Timestamp) -> Self {
        let started = Clock::monotonic();
        Self { started_at: now, started, evaluated: Mutex::new(started), last_pass: Mutex::new(now) }
    }

    pub(super) fn age(&self) -> Duration {
        Clock::monotonic() - self.started
    }

    pub(super) fn touch(&self) {
        *lock(&self.evaluated) = Clock::monotonic();
    }

    fn is_recent(&self) -> bool {
        Clock::monotonic() - *lock(&self.evaluated) < LONGEST_EVALUATION
    }

    /// S5: clock jumps are logged but never acted upon. Catch-up and cursors work as always.
    pub(super) fn check_clock(&self, now: Timestamp) {
        let before = std::mem::replace(&mut *lock(&self.last_pass), now);
        match jump(before, now) {
            Some(Jump::Forward(by)) => {
                let hours = by.num_hours();
                warn!(
                    hours,
                    "the clock went forward by {hours} h since the last pass, or the machine slept; occurrences past their deadline are recorded as missed"
                );
            }
            Some(Jump::Back(by)) => {
                let minutes = by.num_minutes();
                warn!(minutes, "the clock was set back by {minutes} min; past decisions are not repeated");
            }
            None => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Jump {
    Forward(TimeDelta),
    Back(TimeDelta),
}

/// Compares two passes, which are at most half a minute apart.
fn jump(before: Timestamp, now: Timestamp) -> Option<Jump> {
    let by = now - before;
    if by > TimeDelta::hours(24) {
        Some(Jump::Forward(by))
    } else if by < TimeDelta::minutes(-1) {
        Some(Jump::Back(-by))
    } else {
        None
    }
}

impl Daemon {
    /// Runs until `stop`.
    pub(super) async fn keep_alive(self: Arc<Self>, stop: CancellationToken) {
        // Half of the watchdog interval, as sd_watchdog_enabled(3) recommends.
        let ping = sd_notify::watchdog_enabled().map_or(LONGEST_PAUSE, |interval| interval / 2);
        let mut last_sent: Option<Instant> = None;
        while !stop.is_cancelled() {
            if last_sent.is_none_or(|at| Clock::monotonic() - at >= BEAT) {
                last_sent = Some(Clock::monotonic());
                self.beat().await;
                if self.recover_expired_leases().await {
                    self.wakers.sender.notify_one();
                }
            }
            if self.heartbeat.is_recent() {
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
            if stop.run_until_cancelled(wait_for(&self.wakers.heartbeat, ping)).await == Some(true) {
                last_sent = None;
            }
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    }

    /// Writes the heartbeat to the ledger. Only `status` uses it.
    pub async fn beat(&self) {
        let engine = self.engine();
        let now = engine.app.clock.now();
        // With exclusive access any other daemon in the list must be dead.
        let forget = if engine.is_exclusive() { now } else { now - REMEMBERED };
        let daemon = store::Daemon {
            owner: engine.owner.clone(),
            host: hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.heartbeat.started_at,
            seen_at: now,
            relay: self.relay.trouble(),
        };
        if let Err(failure) = engine.store.beat(&daemon, forget).await {
            warn!(error = chain(&failure), "could not write the heartbeat");
        }
        // Uploaded lists are lists of persons: they are not kept longer than was said.
        match engine.store.expire_uploads(now).await {
            Ok(0) => {}
            Ok(n) => info!(n, "{n} uploaded lists have expired and are deleted"),
            Err(failure) => warn!(error = chain(&failure), "could not delete expired lists"),
        }
        // And so are answers of the API.
        if let Err(failure) = engine.store.expire_answers(now).await {
            warn!(error = chain(&failure), "could not forget old answers of the API");
        }
        match engine.store.expire_edition_uploads(now).await {
            Ok(0) => {}
            Ok(n) => info!(n, "{n} files that were received with unsaved forms have expired and are deleted"),
            Err(failure) => warn!(error = chain(&failure), "could not delete expired files"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_more_than_a_day_forward_or_a_minute_back() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |by: TimeDelta| jump(now, now + by);
        assert_eq!(after(TimeDelta::hours(24)), None);
        assert_eq!(after(TimeDelta::hours(49)), Some(Jump::Forward(TimeDelta::hours(49))));
        assert_eq!(after(TimeDelta::seconds(-60)), None);
        assert_eq!(after(TimeDelta::hours(-2)), Some(Jump::Back(TimeDelta::hours(2))));
    }
}
