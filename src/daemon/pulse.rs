//! That the daemon lives: to the ledger, for `status`; to systemd, for its watchdog. Whether others died, and whether the
//! clock is sane.

use super::{Daemon, LONGEST_PAUSE, chain, lock, rung};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store;
use chrono::TimeDelta;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// A look at the schedules takes a few site time-outs at the most; one that lasts longer hangs, and systemd may know.
const LONGEST_LOOK: Duration = Duration::from_mins(15);
/// A daemon that was not seen for so long is of no interest to anybody.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// The ledger is told this often.
const BEAT: Duration = Duration::from_secs(55);

pub(super) struct Pulse {
    started_at: Timestamp,
    started: Instant,
    /// End of the last look at the schedules.
    felt: Mutex<Instant>,
    /// What the clock said at the last look.
    looked: Mutex<Timestamp>,
}

impl Pulse {
    pub(super) fn new(now: Timestamp) -> Self {
        let started = Clock::monotonic();
        Self { started_at: now, started, felt: Mutex::new(started), looked: Mutex::new(now) }
    }

    pub(super) fn age(&self) -> Duration {
        Clock::monotonic() - self.started
    }

    pub(super) fn felt(&self) {
        *lock(&self.felt) = Clock::monotonic();
    }

    fn is_felt(&self) -> bool {
        Clock::monotonic() - *lock(&self.felt) < LONGEST_LOOK
    }

    /// S5: said, never acted upon. Catch-up and cursors decide as always.
    pub(super) fn mind_the_clock(&self, now: Timestamp) {
        let before = std::mem::replace(&mut *lock(&self.looked), now);
        match jump(before, now) {
            Some(Jump::Forward(by)) => {
                let hours = by.num_hours();
                warn!(
                    hours,
                    "the clock went forward by {hours} h since the last look, or the machine slept; what is too late now is recorded as missed"
                );
            }
            Some(Jump::Back(by)) => {
                let minutes = by.num_minutes();
                warn!(minutes, "the clock was set back by {minutes} min; nothing that was decided is decided again");
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

/// Between two looks, which are half a minute apart at the most.
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
    /// Until `stop`.
    pub(super) async fn keep_alive(self: Arc<Self>, stop: CancellationToken) {
        // Half the interval that systemd allows, as sd_watchdog_enabled(3) asks.
        let ping = sd_notify::watchdog_enabled().map_or(LONGEST_PAUSE, |interval| interval / 2);
        let mut told: Option<Instant> = None;
        while !stop.is_cancelled() {
            if told.is_none_or(|at| Clock::monotonic() - at >= BEAT) {
                told = Some(Clock::monotonic());
                self.beat().await;
                if self.take_up_the_dead().await {
                    self.bells.post.notify_one();
                }
            }
            if self.pulse.is_felt() {
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
            if stop.run_until_cancelled(rung(&self.bells.pulse, ping)).await == Some(true) {
                told = None;
            }
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    }

    /// To the ledger, for those who look. Nothing depends on it.
    pub async fn beat(&self) {
        let engine = self.engine();
        let now = engine.app.clock.now();
        // Where there can be only one, whoever else is written there died.
        let forget = if engine.is_exclusive() { now } else { now - REMEMBERED };
        let daemon = store::Daemon {
            owner: engine.owner.clone(),
            host: hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.pulse.started_at,
            seen_at: now,
            relay: self.relay.left_alone(now),
        };
        if let Err(failure) = engine.store.beat(&daemon, forget).await {
            warn!(error = chain(&failure), "the ledger was not told that this daemon is alive");
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
