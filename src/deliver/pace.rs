//! Backoff of a delivery, or of the whole relay, after a deferral. Pure arithmetic: no clock, no randomness.

use crate::domain::{Timestamp, delivery::DeliveryId};
use chrono::TimeDelta;

/// The waits between tries of one delivery: RFC 5321 4.5.4.1 asks for two tries in the first hour, then every 2-3 h.
/// Giving up is not decided here: the store applies the deadline.
#[derive(Debug, Clone)]
pub struct Pace {
    /// After the first, second, … deferral; the last one repeats.
    pub steps: Vec<TimeDelta>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { steps: vec![TimeDelta::minutes(5), TimeDelta::minutes(30), TimeDelta::hours(2), TimeDelta::hours(3)] }
    }
}

impl Pace {
    /// When to try again after the `deferrals`-th earlier deferral (0: this is the first), and not before `at_least`.
    ///
    /// 10 to 20 % more than the step, so that a thousand greylisted deliveries do not come back in the same second. The
    /// jitter is derived from the delivery's id, so that it is reproducible.
    pub fn next_try(&self, id: &DeliveryId, deferrals: u32, at_least: TimeDelta, now: Timestamp) -> Timestamp {
        let step = usize::try_from(deferrals).unwrap_or(usize::MAX).min(self.steps.len().saturating_sub(1));
        let step = self.steps.get(step).copied().unwrap_or(TimeDelta::minutes(5)).max(at_least);
        let thousandths = 100 + i64::from(fnv1a(id.0.as_bytes(), deferrals) % 101);
        now + step + TimeDelta::milliseconds(step.num_milliseconds() * thousandths / 1000)
    }
}

/// A small hash that spreads ids; not for secrets.
fn fnv1a(bytes: &[u8], salt: u32) -> u32 {
    let bytes = bytes.iter().copied().chain(salt.to_le_bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A circuit breaker for a relay that cannot be reached or refuses us as a whole. Owned by the caller of `deliver`; lives
/// as long as the daemon.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    trips: u32,
    until: Option<Timestamp>,
}

impl Breaker {
    const FIRST: TimeDelta = TimeDelta::seconds(30);
    const LONGEST: TimeDelta = TimeDelta::minutes(15);

    /// The relay failed again: 30 s, doubling to 15 min. Returns when to try next.
    pub fn trip(&mut self, now: Timestamp) -> Timestamp {
        let wait = (Self::FIRST * 2_i32.pow(self.trips.min(5))).min(Self::LONGEST);
        self.trips = self.trips.saturating_add(1);
        *self.until.insert(now + wait)
    }

    /// The relay answered.
    pub fn close(&mut self) {
        *self = Self::default();
    }

    /// Number of failures in a row: staff are notified at the first.
    pub fn trips(&self) -> u32 {
        self.trips
    }

    /// Until when the circuit is open, if it is.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_waits_grow_to_three_hours_with_ten_to_twenty_per_cent_more() {
        let pace = Pace::default();
        for (deferrals, minutes) in [(0, 5), (1, 30), (2, 120), (3, 180), (40, 180)] {
            for n in 0..200 {
                let id = DeliveryId(format!("delivery-{n}"));
                let wait = pace.next_try(&id, deferrals, TimeDelta::zero(), NOW) - NOW;
                let step = TimeDelta::minutes(minutes);
                assert!(wait >= step * 11 / 10 && wait <= step * 12 / 10, "{deferrals}: {wait}");
            }
        }
    }

    #[test]
    fn retries_of_two_deliveries_are_spread() {
        let at = |id: &str| Pace::default().next_try(&DeliveryId(id.into()), 0, TimeDelta::zero(), NOW);
        let all: std::collections::HashSet<_> = (0..100).map(|n| at(&format!("{n}"))).collect();
        assert!(all.len() > 50, "{}", all.len());
        assert_eq!(at("a"), at("a"));
    }

    #[test]
    fn a_provider_may_ask_for_a_longer_wait() {
        let next = Pace::default().next_try(&DeliveryId("a".into()), 0, TimeDelta::hours(2), NOW);
        assert!(next >= NOW + TimeDelta::hours(2));
    }

    #[test]
    fn the_breaker_doubles_from_thirty_seconds_to_fifteen_minutes_and_closes() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.open_until(NOW), None);
        let waits: Vec<i64> = (0..8).map(|_| (breaker.trip(NOW) - NOW).num_seconds()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(breaker.open_until(NOW + TimeDelta::minutes(15)), None);
        breaker.close();
        assert_eq!((breaker.trip(NOW) - NOW).num_seconds(), 30);
    }
}
