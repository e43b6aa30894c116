//! Throttling per family of recipients: the lanes of all connections of this process, and what the ledger knows about them.
//!
//! A claim whose lane has no free connection waits in memory, while others pass it. A claim whose lane is suspended or
//! over its rate goes back to the queue for later, without counting an attempt (docs/adr/0006). Repeated suspensions of a
//! lane get longer; their number is stored in the ledger.

use crate::domain::notice::Notice;
use crate::notices::wording;
use crate::{
    clock::Clock,
    domain::{
        Timestamp,
        classify::{Classification, Throttle},
        issue::IssueKey,
        lane::{Lane, LaneTrouble, Lanes, Pace},
    },
    store::{self, Store},
};
use chrono::TimeDelta;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Polling interval for a lane that needs a decision.
const PAUSED_LOOK: TimeDelta = TimeDelta::minutes(15);
/// After this time a new suspension starts at the first step again: providers reset their limits within a day or two.
const FORGOTTEN: TimeDelta = TimeDelta::days(2);

/// The answer to a claim that asks for its lane.
pub(super) enum Room {
    Free(Permit),
    /// All connections of the lane are in use.
    Full,
    NotBefore(Timestamp),
}

#[derive(Debug, Default)]
pub(super) struct Limiter {
    lanes: Lanes,
    /// Maximum age of the state read from the ledger.
    look: Duration,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    busy: HashMap<Arc<str>, usize>,
    troubles: HashMap<String, LaneTrouble>,
    /// A single issue that is stopped in this lane.
    stopped: HashSet<(String, IssueKey)>,
    buckets: HashMap<Arc<str>, Bucket>,
    looked_at: Option<Instant>,
    /// Incremented with each trouble noted here, before and after it is in the ledger.
    noted: u64,
    /// Our own troubles that are being written to the ledger.
    writing: usize,
}

impl State {
    /// Whether only this issue is stopped in this lane.
    fn is_stopped(&self, name: &str, issue: &IssueKey) -> bool {
        !self.stopped.is_empty() && self.stopped.contains(&(name.to_owned(), issue.clone()))
    }

    /// The number of the lane's connections in use.
    fn taken(&self, name: &str) -> (Arc<str>, usize) {
        match self.busy.get_key_value(name) {
            Some((lane, busy)) => (Arc::clone(lane), *busy),
            None => (Arc::from(name), 0),
        }
    }

    fn keep(&mut self, trouble: LaneTrouble) {
        if trouble.only_issue {
            self.stopped.insert((trouble.lane, trouble.issue));
        } else if self.troubles.get(&trouble.lane).is_none_or(|known| known.gives_way_to(&trouble)) {
            self.troubles.insert(trouble.lane.clone(), trouble);
        }
    }
}

/// A message of a lane in flight. Dropped when its conversation ends.
#[derive(Debug)]
pub(super) struct Permit {
    place: Arc<Place>,
    pub messages_per_connection: u32,
    pub is_family: bool,
}

impl Permit {
    pub fn lane(&self) -> &Arc<str> {
        &self.place.lane
    }
}

/// A connection of a lane in use. A message and the one pipelined behind it share it.
#[derive(Debug)]
struct Place {
    limiter: Arc<Limiter>,
    lane: Arc<str>,
}

impl Drop for Place {
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
    pub fn new(lanes: Lanes, look: Duration) -> Self {
        Self { lanes, look, ..Self::default() }
    }

    /// The lane of a recipient's domain.
    pub fn lane_of<'a>(&'a self, domain: &'a str) -> &'a str {
        self.lanes.of(domain).name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state in the ledger, which other daemons and persons change too.
    pub async fn learn(&self, store: &dyn Store) -> store::Result<()> {
        let noted = {
            let mut state = self.state();
            state.looked_at = Some(Clock::monotonic());
            state.noted
        };
        let troubles = store.lanes().await?;
        let mut state = self.state();
        // A trouble noted at this moment may be missing in what was read.
        if state.writing > 0 || state.noted != noted {
            state.looked_at = None;
            return Ok(());
        }
        (state.troubles, state.stopped) = Default::default();
        troubles.into_iter().for_each(|trouble| state.keep(trouble));
        Ok(())
    }

    /// Reads the ledger again if the state is too old.
    pub async fn keep_up(&self, store: &dyn Store) -> store::Result<()> {
        let looked_at = self.state().looked_at;
        match looked_at {
            Some(at) if Clock::monotonic() - at < self.look => Ok(()),
            _ => self.learn(store).await,
        }
    }

    /// Slows or stops the lane: here at once, then for every daemon and across restarts. `false`: the ledger has a more
    /// severe trouble.
    pub async fn react(&self, store: &dyn Store, trouble: &LaneTrouble) -> store::Result<bool> {
        {
            let mut state = self.state();
            state.noted += 1;
            state.writing += 1;
            state.keep(trouble.clone());
        }
        let kept = store.note_lane(trouble).await;
        let mut state = self.state();
        state.noted += 1;
        state.writing -= 1;
        kept
    }

    /// Something was accepted in this lane. `true` if its trouble is over and must be removed.
    pub fn has_past_trouble(&self, lane: &str, now: Timestamp) -> bool {
        self.state().troubles.get(lane).is_some_and(|trouble| !trouble.holds(now))
    }

    /// The next trouble of this lane starts at the first step again.
    pub async fn forget(&self, store: &dyn Store, lane: &str, now: Timestamp) -> store::Result<()> {
        if store.forget_past_trouble(lane, now).await? {
            let mut state = self.state();
            if state.troubles.get(lane).is_some_and(|trouble| !trouble.holds(now)) {
                state.troubles.remove(lane);
            }
        }
        Ok(())
    }

    /// Notifies when a message leaves its lane.
    pub fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.freed.notified()
    }

    pub fn enter(self: &Arc<Self>, domain: &str, issue: &IssueKey, now: Timestamp) -> Room {
        let Lane { name, limits, is_family } = self.lanes.of(domain);
        let state = &mut *self.state();
        if state.is_stopped(name, issue) {
            return Room::NotBefore(look_again(now));
        }
        let trouble = state.troubles.get(name);
        let slow = trouble.filter(|it| it.pace == Pace::Slow && it.holds(now));
        let most = match trouble.map(|it| (it.pace, it.holds(now), it.until)) {
            None | Some((Pace::Slow | Pace::Paused, false, _)) => limits.connections,
            Some((Pace::Slow, true, _)) => 1,
            // After the suspension a single message probes: the others wait until one is accepted.
            Some((Pace::Suspended, false, _)) => 1,
            Some((Pace::Suspended | Pace::Paused, true, until)) => {
                return Room::NotBefore(until.unwrap_or_else(|| look_again(now)));
            }
        };
        let (lane, busy) = state.taken(name);
        if busy >= most.max(1) {
            return Room::Full;
        }
        let rates = [limits.per_minute, slow.and_then(|it| it.per_minute)];
        // When a slow lane is free again, deliveries that were postponed become due as well.
        let latest = slow.filter(|it| it.per_minute.is_some()).and_then(|it| it.until);
        if let Some(per_minute) = rates.into_iter().flatten().min()
            && let Err(slot) = state.buckets.entry(Arc::clone(&lane)).or_default().take(per_minute, latest, now)
        {
            return Room::NotBefore(slot);
        }
        let place = self.take(state, lane, busy);
        Room::Free(Permit { place, messages_per_connection: limits.messages_per_connection, is_family })
    }

    /// A place for a message that is pipelined behind the one that has `before`: in the same lane they share a place.
    /// Only if it may be sent at once; a message that must wait is handled like the others.
    pub fn follow(self: &Arc<Self>, before: &Permit, domain: &str, issue: &IssueKey) -> Option<Permit> {
        let Lane { name, limits, is_family } = self.lanes.of(domain);
        let state = &mut *self.state();
        let waits = limits.per_minute.is_some() || state.troubles.contains_key(name) || state.is_stopped(name, issue);
        if waits {
            return None;
        }
        let place = if **before.lane() == *name {
            Arc::clone(&before.place)
        } else {
            let (lane, busy) = state.taken(name);
            (busy < limits.connections.max(1)).then(|| self.take(state, lane, busy))?
        };
        Some(Permit { place, messages_per_connection: limits.messages_per_connection, is_family })
    }

    fn take(self: &Arc<Self>, state: &mut State, lane: Arc<str>, busy: usize) -> Arc<Place> {
        state.busy.insert(Arc::clone(&lane), busy + 1);
        Arc::new(Place { limiter: Arc::clone(self), lane })
    }

    /// The consequence of a deferral for the lane it came from. `None`: nothing, or nothing new.
    pub fn reaction(
        &self,
        verdict: &Classification,
        lane: &str,
        why: String,
        issue: &IssueKey,
        now: Timestamp,
    ) -> Option<LaneTrouble> {
        let trouble = |pace, minutes: u32, step, per_minute| LaneTrouble {
            lane: lane.to_owned(),
            pace,
            why,
            since: now,
            until: Some(now + TimeDelta::minutes(minutes.into())),
            issue: issue.clone(),
            only_issue: false,
            step,
            per_minute,
        };
        match verdict.throttle? {
            Throttle::Slow { minutes, per_minute } => Some(trouble(Pace::Slow, minutes.into(), 0, per_minute)),
            Throttle::Suspend { first, most } => {
                let state = self.state();
                let before = state.troubles.get(lane).filter(|it| it.pace == Pace::Suspended);
                let before = before.and_then(|it| Some((it, it.until?)));
                let step = match before {
                    // It was in flight when the lane was suspended: the same refusal, not another step.
                    Some((it, until)) if now < until => it.step,
                    Some((it, until)) if now < until + FORGOTTEN => it.step.saturating_add(1),
                    _ => 0,
                };
                let minutes = suspension(first, most, step);
                let known = before
                    .is_some_and(|(it, until)| now < until && TimeDelta::minutes(minutes.into()) <= until - it.since);
                (!known).then(|| trouble(Pace::Suspended, minutes, step, None))
            }
        }
    }
}

/// In minutes; doubled at each step.
fn suspension(first: u16, most: u16, step: u32) -> u32 {
    let doubled = u32::from(first).checked_shl(step.min(16)).unwrap_or(u32::MAX);
    doubled.min(most.into())
}

/// A rate limit: at most a second's worth at once, then evenly. A new limiter starts with one message: messages sent just
/// before a restart are not known.
#[derive(Debug, Default)]
struct Bucket {
    /// When the last message would have been sent at an even rate.
    level: Option<Timestamp>,
    /// Up to when slots were given to waiting messages.
    reserved: Option<Timestamp>,
}

impl Bucket {
    /// A message may be sent; or when it may, `latest` at the latest.
    fn take(&mut self, per_minute: u32, latest: Option<Timestamp>, now: Timestamp) -> Result<(), Timestamp> {
        let interval = TimeDelta::minutes(1) / i32::try_from(per_minute.max(1)).unwrap_or(i32::MAX);
        let at_once = TimeDelta::seconds(1).max(interval);
        let level = self.level.unwrap_or(now - interval).max(now - at_once);
        let next = level + interval;
        if next <= now {
            self.level = Some(next);
            return Ok(());
        }
        self.level = Some(level);
        // At consecutive slots, so that they do not all come back together.
        let slot = self.reserved.map_or(next, |last| next.max(last + interval));
        let slot = latest.map_or(slot, |latest| slot.min(latest));
        self.reserved = Some(slot);
        Err(slot)
    }
}

/// The earliest time of the next try of the delivery that was deferred.
pub(super) fn wait(trouble: Option<&LaneTrouble>, at_least: TimeDelta, now: Timestamp) -> TimeDelta {
    let suspended = trouble.filter(|it| it.pace == Pace::Suspended).and_then(|it| it.until);
    suspended.map_or(at_least, |until| at_least.max(until - now))
}

/// A lane that needs a decision; `only_issue`: for this issue only.
pub(super) fn paused(lane: &str, why: String, issue: &IssueKey, only_issue: bool, now: Timestamp) -> LaneTrouble {
    LaneTrouble {
        lane: lane.to_owned(),
        pace: Pace::Paused,
        why,
        since: now,
        until: None,
        issue: issue.clone(),
        only_issue,
        step: 0,
        per_minute: None,
    }
}

/// When deliveries stopped by their lane are looked at again.
pub(super) fn look_again(now: Timestamp) -> Timestamp {
    now + PAUSED_LOOK
}

/// Staff get one notice per family and issue, and one for all domains of no family together, of which there may be
/// hundreds that reopen by themselves.
pub(super) fn notice(trouble: &LaneTrouble, lanes: &Lanes) -> Notice {
    let LaneTrouble { lane, why, pace, .. } = trouble;
    let is_family = lanes.is_family(lane);
    Notice::Lane {
        pace: *pace,
        family: is_family.then(|| lane.clone()),
        what: wording::lane_stopped(lane, *pace, why, is_family),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        deliver::reply::Answer,
        domain::{
            classify::classify,
            delivery::Phase,
            lane::{Family, Limits},
        },
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn limiter(per_minute: Option<u32>) -> Arc<Limiter> {
        let limits = Limits { connections: 2, messages_per_connection: 100, per_minute };
        let family = Family { name: "f".to_owned(), domains: vec!["a.fr".to_owned(), "b.fr".to_owned()], limits };
        Arc::new(Limiter::new(Lanes::new(vec![family], Limits::DEFAULT), Duration::ZERO))
    }

    fn week(n: u32) -> IssueKey {
        IssueKey::new("agenda", format!("2026-W{n}"))
    }

    fn enter(limiter: &Arc<Limiter>, domain: &str, now: Timestamp) -> Room {
        limiter.enter(domain, &week(28), now)
    }

    fn free(room: Room) -> Permit {
        match room {
            Room::Free(permit) => permit,
            Room::Full => panic!("full"),
            Room::NotBefore(at) => panic!("not before {at}"),
        }
    }

    fn gone_of(limiter: &Arc<Limiter>, tries: usize, now: Timestamp) -> usize {
        (0..tries).filter(|_| matches!(enter(limiter, "a.fr", now), Room::Free(_))).count()
    }

    fn minutes(n: i64) -> Timestamp {
        NOW + TimeDelta::minutes(n)
    }

    fn trouble(pace: Pace, until: Option<Timestamp>) -> LaneTrouble {
        LaneTrouble { pace, until, ..paused("f", String::new(), &week(28), false, NOW) }
    }

    /// The reaction to a reply, kept as `react` keeps it. How long from now, and the step.
    fn refused(limiter: &Limiter, line: &str, now: Timestamp) -> Option<(i64, u32)> {
        let mut answer = Answer::default();
        answer.push_line(line.as_bytes()).unwrap();
        let verdict = classify(Phase::Rcpt, &answer.reply());
        let trouble = limiter.reaction(&verdict, "f", "later".to_owned(), &week(28), now)?;
        limiter.state().keep(trouble.clone());
        Some(((trouble.until? - now).num_minutes(), trouble.step))
    }

    #[test]
    fn a_family_is_limited_to_its_connections_and_others_are_not_delayed() {
        let limiter = limiter(None);
        let first = free(enter(&limiter, "a.fr", NOW));
        let _second = free(enter(&limiter, "b.fr", NOW));
        assert!(matches!(enter(&limiter, "a.fr", NOW), Room::Full));
        let _other = free(enter(&limiter, "c.fr", NOW));
        drop(first);
        let _third = free(enter(&limiter, "a.fr", NOW));
    }

    #[test]
    fn a_trouble_applies_to_its_lane_until_it_ends() {
        let limiter = limiter(None);
        let until = minutes(60);
        limiter.state().keep(trouble(Pace::Slow, Some(until)));
        let one = free(enter(&limiter, "a.fr", NOW));
        assert!(matches!(enter(&limiter, "b.fr", NOW), Room::Full));
        drop(one);
        limiter.state().keep(trouble(Pace::Suspended, Some(minutes(30))));
        assert!(matches!(enter(&limiter, "a.fr", NOW), Room::NotBefore(at) if at == minutes(30)));
        drop(free(enter(&limiter, "c.fr", NOW)));
        limiter.state().keep(trouble(Pace::Paused, None));
        assert!(matches!(enter(&limiter, "a.fr", until + TimeDelta::days(30)), Room::NotBefore(_)));
        limiter.state().keep(trouble(Pace::Slow, Some(until)));
        assert!(matches!(enter(&limiter, "a.fr", NOW), Room::NotBefore(_)), "a milder word does not lift it");
    }

    #[test]
    fn after_a_suspension_one_message_probes_the_lane() {
        let limiter = limiter(None);
        limiter.state().keep(trouble(Pace::Suspended, Some(minutes(60))));
        assert!(!limiter.has_past_trouble("f", minutes(59)) && limiter.has_past_trouble("f", minutes(60)));
        let _ahead = free(enter(&limiter, "a.fr", minutes(60)));
        assert!(matches!(enter(&limiter, "b.fr", minutes(60)), Room::Full));
        limiter.state().troubles.clear();
        let _another = free(enter(&limiter, "b.fr", minutes(60)));
    }

    #[test]
    fn an_issue_too_large_for_a_lane_is_stopped_in_that_lane_only() {
        let limiter = limiter(None);
        limiter.state().keep(paused("f", "trop lourd".to_owned(), &week(28), true, NOW));
        assert!(matches!(limiter.enter("a.fr", &week(28), NOW), Room::NotBefore(_)));
        let _next_issue = free(limiter.enter("a.fr", &week(29), NOW));
        let _other_lane = free(limiter.enter("c.fr", &week(28), NOW));
    }

    #[test]
    fn a_repeated_suspension_doubles_up_to_its_maximum() {
        const ORANGE: &str = "421 ME Service refuse. OFR_999 [999]";
        const FREE: &str = "421 Too many spams from your IP (192.0.2.10)";
        const SFR: &str = "450 4.7.1 SFR_IN_101";
        for (line, hours) in [(ORANGE, [1, 2, 4, 4, 4, 4]), (FREE, [1, 2, 4, 8, 16, 24]), (SFR, [2, 2, 2, 2, 2, 2])] {
            let (limiter, mut now) = (limiter(None), NOW);
            for (step, hours) in (0..).zip(hours) {
                assert_eq!(refused(&limiter, line, now), Some((hours * 60, step)), "{line}");
                // What was on its way to it meanwhile is no other step.
                assert_eq!(refused(&limiter, line, now + TimeDelta::minutes(1)), None);
                now += TimeDelta::hours(hours);
            }
            // Days later nobody remembers; and after a success neither.
            assert_eq!(refused(&limiter, line, now + FORGOTTEN), Some((hours[0] * 60, 0)));
            limiter.state().troubles.clear();
            assert_eq!(refused(&limiter, line, now), Some((hours[0] * 60, 0)));
        }
        assert_eq!(suspension(60, 1440, 40), 1440);
    }

    #[test]
    fn a_longer_suspension_replaces_a_shorter_one() {
        let limiter = limiter(None);
        assert_eq!(refused(&limiter, "451 temporarily rate limited due to IP reputation", NOW), Some((30, 0)));
        assert_eq!(refused(&limiter, "421 4.7.0 [TSS05]", minutes(1)), Some((240, 0)));
        assert_eq!(refused(&limiter, "451 temporarily rate limited due to IP reputation", minutes(2)), None);
        let tss05 =
            limiter.reaction(&classify(Phase::Rcpt, &Answer::default().reply()), "f", String::new(), &week(28), NOW);
        assert_eq!(tss05, None, "no throttle, no reaction");
    }

    #[test]
    fn the_deferred_delivery_waits_as_long_as_its_lane() {
        let hour = TimeDelta::hours(1);
        assert_eq!(wait(Some(&trouble(Pace::Suspended, Some(minutes(240)))), hour, NOW), TimeDelta::hours(4));
        assert_eq!(wait(Some(&trouble(Pace::Slow, Some(minutes(240)))), TimeDelta::zero(), NOW), TimeDelta::zero());
        assert_eq!(wait(None, hour, NOW), hour);
    }

    #[test]
    fn a_rate_limit_spaces_messages_evenly_and_gives_each_its_own_slot() {
        let limiter = limiter(Some(10));
        drop(free(enter(&limiter, "a.fr", NOW)));
        let slots: Vec<i64> = (0..3)
            .map(|_| match enter(&limiter, "a.fr", NOW) {
                Room::NotBefore(at) => (at - NOW).num_seconds(),
                _ => panic!("too fast"),
            })
            .collect();
        assert_eq!(slots, [6, 12, 18]);
        for slot in slots {
            drop(free(enter(&limiter, "b.fr", NOW + TimeDelta::seconds(slot))));
        }
        // An hour in which nothing went saves nothing up.
        assert_eq!(gone_of(&limiter, 100, minutes(60)), 1);
    }

    #[test]
    fn a_high_rate_is_counted_per_second_and_starts_with_one_message() {
        let limiter = limiter(Some(6000));
        assert_eq!(gone_of(&limiter, 500, NOW), 1, "a second's worth may have gone just before a restart");
        assert_eq!(gone_of(&limiter, 500, NOW + TimeDelta::seconds(1)), 100);
        assert_eq!(gone_of(&limiter, 500, minutes(60)), 100);
    }

    #[test]
    fn a_slow_lane_keeps_its_rate_for_the_given_time() {
        let limiter = limiter(None);
        assert_eq!(refused(&limiter, "421 4.7.0 [TS03] temporarily deferred", NOW), Some((30, 0)));
        assert_eq!(gone_of(&limiter, 10, NOW), 1);
        assert_eq!(gone_of(&limiter, 10, NOW + TimeDelta::seconds(5)), 0);
        assert_eq!(gone_of(&limiter, 10, NOW + TimeDelta::seconds(6)), 1, "ten a minute");
        let last = (0..1000).map(|_| enter(&limiter, "a.fr", NOW)).filter_map(|room| match room {
            Room::NotBefore(at) => Some(at),
            _ => None,
        });
        assert_eq!(last.max(), Some(minutes(30)), "nobody waits longer than the lane is slow");
        assert_eq!(gone_of(&limiter, 10, minutes(30)), 10);
    }

    #[test]
    fn staff_get_one_notice_per_family_and_one_for_all_other_domains() {
        let lanes = limiter(None).lanes.clone();
        let notice_of = |lane: &str, pace| {
            let trouble = LaneTrouble { lane: lane.to_owned(), why: "450 non".to_owned(), ..trouble(pace, None) };
            notice(&trouble, &lanes)
        };
        assert_eq!(notice_of("f", Pace::Suspended).kind(), "lane-suspended-f");
        assert_eq!(notice_of("f", Pace::Paused).kind(), "lane-paused-f");
        assert_eq!(notice_of("x.example", Pace::Suspended).kind(), notice_of("y.example", Pace::Suspended).kind());
        assert!(notice_of("x.example", Pace::Suspended).text().contains("ne vous seront plus annoncés"));
    }
}
