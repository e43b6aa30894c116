//! One delivery run: its concurrent connections, their shared state, and the conditions that end it.
//!
//! Owns the number of connections and the reasons to stop; [`super::claims`] owns the deliveries that wait in memory. Opens one
//! connection first and each further one only after the previous one succeeded, so that a failing relay is not flooded.

use super::{
    DeliverError, Deliverer, Paused, RelayTrouble, Summary,
    claims::{Claims, Prefetch},
    group_commit::{GroupCommit, group_commit},
    lanes::{self, Permit},
    refusals::{Refusal, Refusals, Refuses},
    session::Session,
    smtp::ConnectError,
    worker,
};
use crate::domain::pause::{Doubt, PauseReason, SenderFault};
use crate::notices::wording;
use crate::{
    domain::{
        delivery::{Claim, DeliveryId, Finished, Outcome, Phase, Reply, State},
        issue::{IssueKey, IssueState},
        lane::{LaneTrouble, Pace},
    },
    store::{LogFilter, LoggedDelivery, StoreError},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{error, info, warn};

/// Consecutive lost connections after which the relay itself is considered down.
const LOST_IN_A_ROW: u32 = 10;
/// Refusals of the content after which the lane, or the issue, pauses.
const CONTENT_REFUSALS: u32 = 3;

/// Counts internal failures by delivery.
#[derive(Default)]
pub(super) struct InternalFailures(Mutex<HashMap<DeliveryId, u32>>);

impl InternalFailures {
    /// `true` from the second failure on.
    pub fn again(&self, id: &DeliveryId) -> bool {
        let mut internal_failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = internal_failures.entry(id.clone()).or_default();
        *count += 1;
        *count > 1
    }
}

/// State shared by the workers of one run.
pub(super) struct Run {
    pub it: Deliverer,
    pub only: Option<IssueKey>,
    /// Cancelled: claim nothing more, and release what is not marked yet.
    pub halt: CancellationToken,
    pub commits: GroupCommit,
    pub claims: tokio::sync::Mutex<Claims>,
    pub prefetch: Prefetch,
    /// For background tasks started by the workers.
    pub me: Weak<Run>,
    /// Held while a connection is opened.
    opening: tokio::sync::Mutex<()>,
    open: Arc<AtomicUsize>,
    most_open: AtomicUsize,
    lost_in_a_row: AtomicU32,
    pub refusals: Refusals,
    /// First messages of an issue were claimed since the connections last began.
    pub canary_claimed: AtomicBool,
    tally: Arc<Mutex<Tally>>,
}

#[derive(Default)]
struct Tally {
    summary: Summary,
    store_error: Option<StoreError>,
    stopped: HashSet<IssueKey>,
}

/// An open session, counted while it lives.
pub(super) struct PooledConnection {
    pub session: Session,
    open: Arc<AtomicUsize>,
    /// Messages sent on this connection, by lane.
    carried: HashMap<Arc<str>, u32>,
}

impl PooledConnection {
    /// Whether the connection may carry one more message: fewer than `most` so far, and the lane's share of it is not used up.
    pub fn may_carry(&self, permit: &Permit, most: u32) -> bool {
        let share = permit.messages_per_connection;
        self.session.messages() < most && self.carried.get(permit.lane()).is_none_or(|carried| *carried < share)
    }

    pub fn carry(&mut self, permit: &Permit) {
        *self.carried.entry(Arc::clone(permit.lane())).or_default() += 1;
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) async fn deliver(
    it: &Deliverer,
    only: Option<&IssueKey>,
    stop: &CancellationToken,
    progress: &(dyn Fn(&Finished) + Send + Sync),
) -> Result<Summary, DeliverError> {
    let (commits, writer) = group_commit();
    it.limiter.learn(&*it.store).await.map_err(DeliverError::Store)?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let halt = stop.child_token();
    let run = Arc::new_cyclic(|me| Run {
        it: it.clone(),
        only: only.cloned(),
        halt: halt.clone(),
        commits,
        claims: tokio::sync::Mutex::new(Claims::new(&it.settings)),
        prefetch: Prefetch::default(),
        me: me.clone(),
        opening: tokio::sync::Mutex::new(()),
        open: Arc::default(),
        most_open: AtomicUsize::new(it.settings.connections.max(1)),
        lost_in_a_row: AtomicU32::new(0),
        refusals: Refusals::default(),
        canary_claimed: AtomicBool::new(false),
        tally: Arc::clone(&tally),
    });
    let trouble = {
        let (tally, halt) = (Arc::clone(&tally), halt);
        move |store_error| note_store_error(&tally, &halt, store_error)
    };
    let (tell, mut written_results) = mpsc::unbounded_channel();
    let written = {
        let tally = Arc::clone(&tally);
        move |results: Vec<(Finished, bool)>| {
            let mut tally = lock(&tally);
            results.iter().for_each(|(finished, moved)| tally.count(finished, *moved));
            // The caller may be gone; the results are written all the same.
            let _ = tell.send(results);
        }
    };
    // A task of its own, because the workers wait for it. It ends when the last worker, and with it the last `GroupCommit` handle, is
    // dropped.
    let writing =
        AbortOnDropHandle::new(tokio::spawn(writer.write(Arc::clone(&it.store), it.clock.clone(), trouble, written)));
    let telling = async {
        while let Some(results) = written_results.recv().await {
            results.iter().for_each(|(finished, _)| progress(finished));
        }
    };
    tokio::join!(work_side_by_side(run), telling);
    if let Err(panic) = writing.await {
        error!(%panic, "the writer task panicked; its deliveries are recovered when their lease expires");
    }
    let mut tally = lock(&tally);
    match tally.store_error.take() {
        Some(source) => Err(DeliverError::Store(source)),
        None => Ok(std::mem::take(&mut tally.summary)),
    }
}

async fn work_side_by_side(run: Arc<Run>) {
    loop {
        let mut workers = JoinSet::new();
        for _ in 0..run.most_open.load(Ordering::SeqCst) {
            workers.spawn(worker::work(Arc::clone(&run)));
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(panic) = ended {
                error!(%panic, "a sending task panicked; its claims are recovered when their lease expires");
            }
        }
        // A worker that ended may have put back a claim after the others had found nothing to do; and the rest of an issue may
        // leave once its first messages are answered, on as many connections as before.
        let were_first = run.canary_claimed.swap(false, Ordering::SeqCst);
        if run.halt.is_cancelled() || !(were_first || run.has_claims().await) {
            break;
        }
    }
    run.release_all().await;
}

impl Run {
    /// Opens a connection; `None` if the limit is reached or the relay refuses it.
    pub async fn open(&self) -> Option<PooledConnection> {
        let _one_at_a_time = self.halt.run_until_cancelled(self.opening.lock()).await?;
        if self.open.load(Ordering::SeqCst) >= self.most_open.load(Ordering::SeqCst) {
            return None;
        }
        let opened = Session::open(&self.it.relay, &self.it.tls, &self.it.settings.timeouts);
        match self.halt.run_until_cancelled(opened).await? {
            Ok(session) => {
                self.open.fetch_add(1, Ordering::SeqCst);
                Some(PooledConnection { session, open: Arc::clone(&self.open), carried: HashMap::new() })
            }
            Err(closed) => {
                self.connection_refused(closed);
                None
            }
        }
    }

    /// The relay refused a connection. If others are open, it only accepts fewer of them; if none is, it is down.
    pub fn connection_refused(&self, closed: ConnectError) {
        match self.open.load(Ordering::SeqCst) {
            0 => self.relay_trouble(closed),
            open => {
                info!(connections = open, reply = %closed.reply.text, "the relay accepts no further connections");
                self.most_open.fetch_min(open, Ordering::SeqCst);
            }
        }
    }

    fn relay_trouble(&self, closed: ConnectError) {
        let ConnectError { phase, reply } = closed;
        warn!(phase = phase.as_str(), code = reply.code, reply = %reply.text, "the relay is unavailable; sending is interrupted");
        lock(&self.tally).summary.breaker.get_or_insert(RelayTrouble { phase, reply });
        self.halt.cancel();
    }

    pub fn is_over_connection_limit(&self) -> bool {
        self.open.load(Ordering::SeqCst) > self.most_open.load(Ordering::SeqCst)
    }

    /// Records whether a transaction completed or its connection was lost: broken, or closed with a 421. Many lost in a row mean
    /// that the relay is down, not that the recipients are at fault.
    pub fn conversation(&self, phase: Phase, lost: Option<&Reply>) {
        match lost {
            None => self.lost_in_a_row.store(0, Ordering::SeqCst),
            Some(reply) => {
                if self.lost_in_a_row.fetch_add(1, Ordering::SeqCst) + 1 >= LOST_IN_A_ROW {
                    self.relay_trouble(ConnectError { phase, reply: reply.clone() });
                }
            }
        }
    }

    pub fn is_stopped(&self, issue: &IssueKey) -> bool {
        lock(&self.tally).stopped.contains(issue)
    }

    /// Pauses the issue in the ledger, where the T5 of every daemon sees it; for the claims that wait here; and for the caller.
    pub async fn pause(&self, issue: &IssueKey, reason: PauseReason) {
        let (now, reason) = (self.it.clock.now(), reason.to_string());
        match self.it.store.set_issue_state(issue, &[IssueState::Sending], IssueState::Paused, Some(&reason), now).await
        {
            Ok(newly) => self.is_paused(issue, reason, newly),
            Err(store_error) => self.store_error(store_error),
        }
    }

    /// The ledger has it paused by now: released earlier, the claims that wait here would be claimed again at once.
    pub fn is_paused(&self, issue: &IssueKey, reason: String, newly: bool) {
        let mut tally = lock(&self.tally);
        tally.stopped.insert(issue.clone());
        if newly {
            warn!(%issue, %reason, "issue paused");
            tally.summary.paused.push(Paused { issue: issue.clone(), reason });
        }
    }

    /// Slows or stops the lane for every daemon and across restarts. Staff are notified if it stops.
    pub async fn throttle_lane(&self, trouble: LaneTrouble) {
        match self.it.limiter.react(&*self.it.store, &trouble).await {
            Ok(true) => {
                let LaneTrouble { lane, pace, why, until, issue, .. } = &trouble;
                warn!(lane, pace = pace.as_str(), reply = %why, ?until, %issue, "lane {lane} is {}", pace.as_str());
                if *pace == Pace::Slow {
                    return;
                }
                let notice = lanes::notice(&trouble, &self.it.settings.lanes);
                if let Err(store_error) = self.it.store.queue_notice(issue, &notice, self.it.clock.now()).await {
                    self.store_error(store_error);
                }
            }
            Ok(false) => {}
            Err(store_error) => self.store_error(store_error),
        }
    }

    /// Removes the trouble of a lane in which a message was accepted after its end.
    pub async fn lane_recovered(&self, lane: &str) {
        if let Err(store_error) = self.it.limiter.forget(&*self.it.store, lane, self.it.clock.now()).await {
            self.store_error(store_error);
        }
    }

    /// Counts a refusal of the content; `true` at the limit of this lane. `""`: all domains without a family together.
    pub async fn content_refused(&self, issue: &IssueKey, lane: &str) -> bool {
        match self.it.store.content_refused(issue, lane).await {
            Ok(refusals) => refusals >= CONTENT_REFUSALS,
            Err(store_error) => {
                self.store_error(store_error);
                false
            }
        }
    }

    /// Whether the mailbox was full for [`super::Settings::soft_limit`] issues in a row, with no delivery in between that may have arrived. What
    /// bounced later counts as well.
    pub async fn is_always_full(&self, claim: &Claim) -> bool {
        let filter = LogFilter { address_key: Some(claim.recipient.address.key()), ..LogFilter::default() };
        let log = match self.it.store.log(&filter).await {
            Ok(log) => log,
            Err(store_error) => {
                self.store_error(store_error);
                return false;
            }
        };
        // Deliveries that were stopped or are still under way tell nothing about the mailbox.
        let tried = |it: &&LoggedDelivery| {
            it.issue != claim.issue && matches!(it.state, State::Sent | State::Unknown | State::Failed)
        };
        let limit = self.it.settings.soft_limit;
        let before = log.iter().rev().filter(tried).take(limit.saturating_sub(1));
        let never = before.filter(|it| it.was_softly_refused()).count() + 1 >= limit;
        if never {
            info!(delivery = %claim.id, "mailbox full for {limit} issues in a row: the address is suppressed");
        }
        never
    }

    /// Handles a recorded refusal. If consecutive recipients are refused with the same reply, the issue or the lane pauses
    /// and the failed deliveries are queued again.
    pub async fn handle_refusal(&self, issue: &IssueKey, refusal: &Refusal) {
        let Some(refuses) = self.refusals.refused(issue, refusal) else {
            if let Err(store_error) = self.follow_other_daemon(issue, refusal).await {
                self.store_error(store_error);
            }
            return;
        };
        let said = refusal.text.clone();
        match &refuses {
            // The person who resumed it has seen that many addresses are dead.
            Refuses::Relay if refusal.names_the_person && self.was_resumed(issue).await => return,
            Refuses::Relay => self.pause(issue, PauseReason::EveryoneRefused { said }).await,
            Refuses::Family(lane) => {
                let why = wording::lane_refuses(SenderFault::RelayRefuses, &said);
                self.throttle_lane(lanes::paused(lane, why, issue, false, self.it.clock.now())).await;
            }
        }
        if let Err(store_error) = self.requeue_failed(issue, refusal, &refuses).await {
            self.store_error(store_error);
        }
    }

    /// Another daemon may have paused the issue, or the lane, for this very refusal while this delivery was in flight: then it
    /// is queued again like the others.
    async fn follow_other_daemon(&self, issue: &IssueKey, refusal: &Refusal) -> Result<(), StoreError> {
        let store = &self.it.store;
        let Some(summary) = store.issue(issue).await? else { return Ok(()) };
        let refuses = match refusal.family() {
            _ if summary.state() == IssueState::Paused => Refuses::Relay,
            Some(lane) if store.lanes().await?.iter().any(|it| it.lane == **lane && it.pace == Pace::Paused) => {
                Refuses::Family(Arc::clone(lane))
            }
            _ => return Ok(()),
        };
        if refusal.names_the_person && (refuses != Refuses::Relay || summary.resumed.is_some()) {
            return Ok(());
        }
        let concerned = self.concerned(&refuses);
        let faults = store.sender_faults(issue).await?;
        if faults.iter().any(|(to, phase, reply)| concerned(to.domain()) && refusal.is_like(*phase, reply)) {
            self.requeue_failed(issue, refusal, &refuses).await?;
        }
        Ok(())
    }

    /// Whether a domain's recipients are on the side that refuses.
    fn concerned<'a>(&'a self, refuses: &'a Refuses) -> impl Fn(&str) -> bool + 'a {
        move |domain| match refuses {
            Refuses::Relay => true,
            Refuses::Family(lane) => *self.it.limiter.lane_of(domain) == **lane,
        }
    }

    /// Twice, where the first pass found any: what another daemon recorded meanwhile is found by the second one, and what it
    /// records later, it queues again itself, because by then it finds the first ones ([`Run::follow_other_daemon`]).
    async fn requeue_failed(&self, issue: &IssueKey, refusal: &Refusal, refuses: &Refuses) -> Result<(), StoreError> {
        let mut given_back = self.requeue_alike(issue, refusal, refuses).await?;
        if given_back > 0 {
            given_back += self.requeue_alike(issue, refusal, refuses).await?;
        }
        warn!(%issue, given_back, "all recipients are refused with the same reply: {given_back} failed deliveries queued again");
        Ok(())
    }

    async fn requeue_alike(&self, issue: &IssueKey, refusal: &Refusal, refuses: &Refuses) -> Result<u64, StoreError> {
        let filter = LogFilter { issue: Some(issue.clone()), state: Some(State::Failed), ..LogFilter::default() };
        let concerned = self.concerned(refuses);
        let alike = |it: &LoggedDelivery| {
            concerned(it.address.rsplit('@').next().unwrap_or_default())
                && it.last_refusal().is_some_and(|(phase, reply)| refusal.is_like(phase, &reply))
        };
        let failed = self.it.store.log(&filter).await?;
        let ids: Vec<_> = failed.iter().filter(|it| alike(it)).map(|it| it.id.clone()).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        self.it.store.requeue_failed(&ids, self.it.clock.now()).await
    }

    /// Whether a person resumed the issue, and so knows why it was paused.
    async fn was_resumed(&self, issue: &IssueKey) -> bool {
        match self.it.store.issue(issue).await {
            Ok(issue) => issue.is_some_and(|issue| issue.resumed.is_some()),
            Err(store_error) => {
                self.store_error(store_error);
                true
            }
        }
    }

    pub async fn pause_when_too_many_unknown(&self, issue: &IssueKey) {
        match self.it.store.issue(issue).await {
            Ok(Some(summary)) if summary.too_many_unknown() => {
                let (unknown, because) = (summary.counts.unknown, Doubt::RelayWasSilent);
                let reason = PauseReason::InDoubt { unknown, because };
                self.pause(issue, reason).await;
            }
            Ok(_) => {}
            Err(store_error) => self.store_error(store_error),
        }
    }

    pub fn suppressed(&self) {
        lock(&self.tally).summary.suppressed += 1;
    }

    pub fn store_error(&self, store_error: StoreError) {
        note_store_error(&self.tally, &self.halt, store_error);
    }
}

impl Tally {
    fn count(&mut self, finished: &Finished, moved: bool) {
        let summary = &mut self.summary;
        match finished.outcome {
            Outcome::Accepted => summary.sent += 1,
            Outcome::Refused { .. } => summary.failed += 1,
            Outcome::Deferred { .. } | Outcome::SenderFault { .. } => summary.deferred += 1,
            Outcome::Unknown => summary.unknown += 1,
        }
        if !moved {
            // Already written by a transaction whose confirmation was lost, or settled by a person meanwhile.
            warn!(delivery = %finished.claim.id, outcome = finished.outcome.as_str(), "result ignored: the delivery is already settled");
        }
    }
}

fn note_store_error(tally: &Mutex<Tally>, halt: &CancellationToken, store_error: StoreError) {
    let error = &store_error as &dyn std::error::Error;
    error!(error, "database unavailable; nothing more is claimed");
    halt.cancel();
    lock(tally).store_error.get_or_insert(store_error);
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
