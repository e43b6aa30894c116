//! Who may go now: the lanes of all connections of this process, and what the ledger knows of their troubles.
//!
//! A claim whose lane has no connection free waits here, in memory, while others pass it. A claim whose lane has no time
//! (suspended, or too fast) goes back to the queue for later, and counts against nobody (docs/adr/0006).

use crate::{
    deliver::classify::Verdict,
    domain::{
        Timestamp,
        issue::IssueKey,
        lane::{Lane, LaneTrouble, Lanes, Pace},
    },
};
use chrono::TimeDelta;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How long a lane goes slowly after "too many connections" (Orange's own rule, and KumoMTA's).
const SLOW: TimeDelta = TimeDelta::hours(1);
/// A lane that waits for a person is looked at again so often.
const PAUSED_LOOK: TimeDelta = TimeDelta::minutes(15);

/// Answer to a claim that asks for its lane.
pub(super) enum Room {
    Free(Permit),
    /// All connections of the lane are taken; one comes free.
    Full,
    NotBefore(Timestamp),
}

#[derive(Debug, Default)]
pub(super) struct Limiter {
    lanes: Lanes,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    busy: HashMap<Arc<str>, usize>,
    troubles: HashMap<String, LaneTrouble>,
    buckets: HashMap<Arc<str>, Bucket>,
}

/// One message of a lane on its way. Dropped when its conversation is over.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    lane: Arc<str>,
    pub messages_per_connection: u32,
    pub is_family: bool,
}

impl Permit {
    pub fn lane(&self) -> &Arc<str> {
        &self.lane
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if let Some(busy) = state.busy.get_mut(&self.lane) {
            *busy -= 1;
            if *busy == 0 {
                state.busy.remove(&self.lane);
            }
        }
        drop(state);
        self.limiter.freed.notify_waiters();
    }
}

impl Limiter {
    pub fn new(lanes: Lanes) -> Self {
        Self { lanes, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the ledger knows, which other daemons and a person write to as well.
    pub fn learn(&self, troubles: Vec<LaneTrouble>) {
        self.state().troubles = troubles.into_iter().map(|trouble| (trouble.lane.clone(), trouble)).collect();
    }

    pub fn note(&self, trouble: LaneTrouble) {
        self.state().troubles.insert(trouble.lane.clone(), trouble);
    }

    /// Rings when a message is off its lane.
    pub fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.freed.notified()
    }

    pub fn enter(self: &Arc<Self>, domain: &str, now: Timestamp) -> Room {
        let Lane { name, limits, is_family } = self.lanes.of(domain);
        let state = &mut *self.state();
        let trouble = state.troubles.get(name).filter(|trouble| trouble.holds(now));
        let most = match trouble.map(|trouble| (trouble.pace, trouble.until)) {
            None => limits.connections,
            Some((Pace::Slow, _)) => 1,
            Some((Pace::Suspended | Pace::Paused, until)) => {
                return Room::NotBefore(until.unwrap_or(now + PAUSED_LOOK));
            }
        };
        let (lane, busy) = match state.busy.get_key_value(name) {
            Some((lane, busy)) => (Arc::clone(lane), *busy),
            None => (Arc::from(name), 0),
        };
        if busy >= most.max(1) {
            return Room::Full;
        }
        if let Some(per_minute) = limits.per_minute
            && let Err(slot) = state.buckets.entry(Arc::clone(&lane)).or_default().take(per_minute, now)
        {
            return Room::NotBefore(slot);
        }
        state.busy.insert(Arc::clone(&lane), busy + 1);
        let messages_per_connection = limits.messages_per_connection;
        Room::Free(Permit { limiter: Arc::clone(self), lane, messages_per_connection, is_family })
    }
}

/// A rate: a second's worth at once at the most, then evenly.
#[derive(Debug, Default)]
struct Bucket {
    /// When the last one would have gone, had all gone evenly.
    level: Option<Timestamp>,
    /// Up to where slots were handed out to those who wait.
    reserved: Option<Timestamp>,
}

impl Bucket {
    /// A message may go; or when it may.
    fn take(&mut self, per_minute: u32, now: Timestamp) -> Result<(), Timestamp> {
        let interval = TimeDelta::minutes(1) / i32::try_from(per_minute.max(1)).unwrap_or(i32::MAX);
        let at_once = TimeDelta::seconds(1).max(interval);
        let level = self.level.unwrap_or(now - at_once).max(now - at_once);
        let next = level + interval;
        if next <= now {
            self.level = Some(next);
            return Ok(());
        }
        self.level = Some(level);
        // One behind the other, so that they do not all come back together.
        let slot = self.reserved.map_or(next, |last| next.max(last + interval));
        self.reserved = Some(slot);
        Err(slot)
    }
}

/// What a "later" means for the lane it came from.
pub(super) fn reaction(
    verdict: &Verdict,
    lane: &str,
    why: String,
    issue: &IssueKey,
    now: Timestamp,
) -> Option<LaneTrouble> {
    if !verdict.slow_down {
        return None;
    }
    let (pace, until) = match verdict.at_least {
        none if none.is_zero() => (Pace::Slow, now + SLOW),
        wait => (Pace::Suspended, now + wait),
    };
    Some(LaneTrouble { lane: lane.to_owned(), pace, why, since: now, until: Some(until), issue: issue.clone() })
}

/// A lane that waits for a person.
pub(super) fn paused(lane: &str, why: String, issue: &IssueKey, now: Timestamp) -> LaneTrouble {
    LaneTrouble { lane: lane.to_owned(), pace: Pace::Paused, why, since: now, until: None, issue: issue.clone() }
}

/// When what its lane refused may be looked at again.
pub(super) fn look_again(now: Timestamp) -> Timestamp {
    now + PAUSED_LOOK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::{Family, Limits};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn limiter(per_minute: Option<u32>) -> Arc<Limiter> {
        let limits = Limits { connections: 2, messages_per_connection: 100, per_minute };
        let family = Family { name: "f".to_owned(), domains: vec!["a.fr".to_owned(), "b.fr".to_owned()], limits };
        Arc::new(Limiter::new(Lanes::new(vec![family], Limits::DEFAULT)))
    }

    fn free(room: Room) -> Permit {
        match room {
            Room::Free(permit) => permit,
            Room::Full => panic!("full"),
            Room::NotBefore(at) => panic!("not before {at}"),
        }
    }

    #[test]
    fn a_family_has_its_connections_and_the_others_go_on() {
        let limiter = limiter(None);
        let first = free(limiter.enter("a.fr", NOW));
        let _second = free(limiter.enter("b.fr", NOW));
        assert!(matches!(limiter.enter("a.fr", NOW), Room::Full));
        let _other = free(limiter.enter("c.fr", NOW));
        drop(first);
        let _third = free(limiter.enter("a.fr", NOW));
    }

    #[test]
    fn a_trouble_holds_for_its_time_and_for_its_lane() {
        let limiter = limiter(None);
        let issue = IssueKey::new("agenda", "2026-W28");
        let until = NOW + TimeDelta::hours(1);
        let trouble = |pace, until| LaneTrouble {
            lane: "f".to_owned(),
            pace,
            why: String::new(),
            since: NOW,
            until,
            issue: issue.clone(),
        };
        limiter.note(trouble(Pace::Suspended, Some(until)));
        assert!(matches!(limiter.enter("a.fr", NOW), Room::NotBefore(at) if at == until));
        drop(free(limiter.enter("c.fr", NOW)));
        drop(free(limiter.enter("a.fr", until)));
        limiter.note(trouble(Pace::Slow, Some(until)));
        let _one = free(limiter.enter("a.fr", NOW));
        assert!(matches!(limiter.enter("b.fr", NOW), Room::Full));
        limiter.note(trouble(Pace::Paused, None));
        assert!(matches!(limiter.enter("a.fr", until + TimeDelta::days(30)), Room::NotBefore(_)));
        limiter.learn(Vec::new());
        let _two = free(limiter.enter("a.fr", NOW));
    }

    #[test]
    fn a_rate_lets_them_go_evenly_and_gives_each_its_own_time() {
        let limiter = limiter(Some(10));
        drop(free(limiter.enter("a.fr", NOW)));
        let slots: Vec<i64> = (0..3)
            .map(|_| match limiter.enter("a.fr", NOW) {
                Room::NotBefore(at) => (at - NOW).num_seconds(),
                _ => panic!("too fast"),
            })
            .collect();
        assert_eq!(slots, [6, 12, 18]);
        for slot in slots {
            drop(free(limiter.enter("b.fr", NOW + TimeDelta::seconds(slot))));
        }
        // An hour in which nothing went saves nothing up.
        let later = NOW + TimeDelta::hours(1);
        let gone = (0..100).filter(|_| matches!(limiter.enter("a.fr", later), Room::Free(_))).count();
        assert_eq!(gone, 1);
    }

    #[test]
    fn a_fast_rate_goes_by_the_second() {
        let limiter = limiter(Some(6000));
        let gone = (0..500).filter(|_| matches!(limiter.enter("a.fr", NOW), Room::Free(_))).count();
        assert_eq!(gone, 100);
    }
}
