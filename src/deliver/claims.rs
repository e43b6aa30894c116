//! The claimed deliveries of a run that are not begun yet: which may be sent now, and when to claim more.

use super::{
    Settings,
    lanes::{Permit, Room},
    run::Run,
};
use crate::{
    clock::Clock,
    domain::{Timestamp, delivery::Claim},
    failpoint,
    store::{Claimed, Wanted},
};
use chrono::TimeDelta;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use tracing::debug;

/// A claim with less of its lease left is released: the marker would come too late.
const LEAST_LEASE: TimeDelta = TimeDelta::seconds(10);
/// A batch that took longer was too large.
const BATCH_LASTS: Duration = Duration::from_secs(10);
/// Maximum number of claims in memory that wait for their lanes; beyond it no more are claimed.
const WAITING_FOR_LANES: usize = 1000;
/// Rounds of a claim: an issue takes two, to choose its first messages and to judge them.
const CANARY_ROUNDS: usize = 8;
/// Polling interval for lanes, since a lane's time passes without a notification.
const LOOK_AGAIN: Duration = Duration::from_secs(4);

pub(super) struct Claims {
    ready: VecDeque<Claim>,
    /// The last query found no more.
    dry: bool,
    batch: u32,
    claimed_at: Instant,
}

impl Claims {
    pub fn new(settings: &Settings) -> Self {
        Self { ready: VecDeque::new(), dry: false, batch: smallest(settings), claimed_at: Clock::monotonic() }
    }

    /// `false`: there were none.
    fn add(&mut self, found: Vec<Claim>) -> bool {
        self.dry = found.is_empty();
        self.ready.extend(found);
        !self.dry
    }
}

/// One delivery per connection.
fn smallest(settings: &Settings) -> u32 {
    u32::try_from(settings.connections).unwrap_or(1).clamp(1, settings.claim_batch.max(1))
}

/// Claims being read from the ledger, while the previous ones are sent.
#[derive(Default)]
pub(super) struct Prefetch {
    asked: AtomicBool,
    answered: Notify,
}

impl Prefetch {
    /// Waits until nothing is being read.
    async fn over(&self) {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            if !self.asked.load(Ordering::SeqCst) {
                return;
            }
            answered.await;
        }
    }
}

/// Notifies the waiters however it ends.
struct Asked(Arc<Run>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.prefetch.asked.store(false, Ordering::SeqCst);
        self.0.prefetch.answered.notify_waiters();
    }
}

impl Run {
    /// The next delivery to send (T1), with its place in its lane; `None`: nothing is due, or sending stops.
    pub async fn next(&self) -> Option<(Claim, Permit)> {
        loop {
            // Register before looking, so that a place that becomes free meanwhile is noticed.
            let freed = self.it.limiter.freed();
            tokio::pin!(freed);
            freed.as_mut().enable();
            self.keep_up().await;
            let mut claims = self.claims.lock().await;
            let found = self.choose(&mut claims).await;
            if found.is_some() || self.halt.is_cancelled() {
                self.ask_ahead(&mut claims);
                return found;
            }
            if self.prefetch.asked.load(Ordering::SeqCst) {
                drop(claims);
                self.prefetch.over().await;
                continue;
            }
            // Everything in memory waits for its lane, but other queued deliveries may not.
            if claims.ready.len() < WAITING_FOR_LANES && self.claim_more(&mut claims).await {
                continue;
            }
            if claims.ready.is_empty() {
                return None;
            }
            drop(claims);
            let _ = self.halt.run_until_cancelled(tokio::time::timeout(LOOK_AGAIN, freed)).await?;
        }
    }

    /// Refreshes the lanes from the ledger, however long the run takes.
    async fn keep_up(&self) {
        if let Err(store_error) = self.it.limiter.keep_up(&*self.it.store).await {
            self.store_error(store_error);
        }
    }

    /// The first claim whose lane has capacity; the others wait here, or go back to the queue.
    async fn choose(&self, claims: &mut Claims) -> Option<(Claim, Permit)> {
        let now = self.it.clock.now();
        let (mut unfit, mut postponed, mut chosen, mut at) = (Vec::new(), Vec::new(), None, 0);
        while let Some(claim) = claims.ready.get(at).filter(|_| !self.halt.is_cancelled()) {
            let room = self
                .is_fit(claim, now)
                .then(|| self.it.limiter.enter(claim.recipient.address.domain(), &claim.issue, now));
            match room {
                Some(Room::Full) => at += 1,
                Some(Room::Free(permit)) => {
                    chosen = claims.ready.remove(at).map(|claim| (claim, permit));
                    break;
                }
                Some(Room::NotBefore(slot)) => postponed.extend(claims.ready.remove(at).map(|claim| (claim, slot))),
                None => unfit.extend(claims.ready.remove(at)),
            }
        }
        self.release(&unfit).await;
        if !postponed.is_empty()
            && let Err(store_error) = self.it.store.postpone(&postponed, now).await
        {
            self.store_error(store_error);
        }
        chosen
    }

    /// Whether enough of the lease is left to reach the marker.
    fn is_fit(&self, claim: &Claim, now: Timestamp) -> bool {
        claim.lease_until > now + LEAST_LEASE && !self.is_stopped(&claim.issue)
    }

    /// A delivery in memory that can be pipelined behind the one that has `before`. `None`: there is none, or another
    /// connection is choosing right now; never waits.
    pub async fn following(&self, before: &Permit) -> Option<(Claim, Permit)> {
        self.keep_up().await;
        let mut claims = self.claims.try_lock().ok()?;
        let now = self.it.clock.now();
        let (at, permit) = claims.ready.iter().enumerate().find_map(|(at, claim)| {
            let domain = claim.recipient.address.domain();
            let fit = self.is_fit(claim, now);
            fit.then(|| self.it.limiter.follow(before, domain, &claim.issue)).flatten().map(|permit| (at, permit))
        })?;
        let found = claims.ready.remove(at).map(|claim| (claim, permit));
        self.ask_ahead(&mut claims);
        found
    }

    /// Starts reading before the last claims are used, so that no connection waits for the ledger; unless the last query
    /// found none.
    fn ask_ahead(&self, claims: &mut Claims) {
        let few = claims.ready.len() <= claims.batch as usize / 2;
        if !few || claims.dry || self.halt.is_cancelled() || self.prefetch.asked.load(Ordering::SeqCst) {
            return;
        }
        let Some(run) = self.me.upgrade() else { return };
        self.prefetch.asked.store(true, Ordering::SeqCst);
        let batch = self.next_batch(claims);
        let asked = Asked(run);
        tokio::spawn(async move {
            let run = &asked.0;
            let found = run.claim(batch).await;
            run.claims.lock().await.add(found);
        });
    }

    /// `false`: there were none, even if claims wait here; querying again at once would be a busy loop.
    async fn claim_more(&self, claims: &mut Claims) -> bool {
        let batch = self.next_batch(claims);
        claims.add(self.claim(batch).await)
    }

    /// As many as the relay accepts well within a lease: the batch doubles while batches finish fast.
    fn next_batch(&self, claims: &mut Claims) -> u32 {
        let (least, most) = (smallest(&self.it.settings), self.it.settings.claim_batch);
        let lasted = Clock::monotonic() - claims.claimed_at;
        claims.batch = if lasted < BATCH_LASTS { claims.batch * 2 } else { claims.batch / 2 };
        claims.batch = claims.batch.clamp(least, most.max(least));
        claims.claimed_at = Clock::monotonic();
        claims.batch
    }

    async fn claim(&self, batch: u32) -> Vec<Claim> {
        // Each round chooses or judges the first messages of an issue, and then asks for what may be claimed by then.
        for _ in 0..CANARY_ROUNDS {
            failpoint::reach("before_claim");
            let (settings, now) = (&self.it.settings, self.it.clock.now());
            let wanted =
                Wanted { issue: self.only.as_ref(), owner: &self.it.owner, limit: batch, canary: settings.canary };
            let Claimed { claims, canaries } = match self.it.store.claim(&wanted, now).await {
                Ok(claimed) => claimed,
                Err(store_error) => {
                    self.store_error(store_error);
                    return Vec::new();
                }
            };
            failpoint::reach("after_claim");
            debug!(found = claims.len(), "claimed");
            let changed = self.take_steps(canaries).await;
            if !changed || !claims.is_empty() || self.halt.is_cancelled() {
                return claims;
            }
        }
        Vec::new()
    }

    /// Released for another connection, or a later run.
    pub async fn put_back(&self, claim: Claim) {
        self.claims.lock().await.ready.push_front(claim);
    }

    /// T2. A claim that cannot be released now is recovered when its lease expires.
    pub async fn release(&self, claims: &[Claim]) {
        if !claims.is_empty()
            && let Err(store_error) = self.it.store.release(claims, self.it.clock.now()).await
        {
            self.store_error(store_error);
        }
    }

    /// Whether something waits, once nothing is being read any more.
    pub async fn has_claims(&self) -> bool {
        self.prefetch.over().await;
        !self.claims.lock().await.ready.is_empty()
    }

    /// For a later run, or another daemon.
    pub async fn release_all(&self) {
        self.prefetch.over().await;
        let left: Vec<Claim> = self.claims.lock().await.ready.drain(..).collect();
        self.release(&left).await;
    }
}
