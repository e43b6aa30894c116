//! One run: the connections side by side, what they share, and when it is over.
//!
//! Owns the number of connections and the reasons to stop; [`super::claims`] has what waits in memory. Opens one connection first and
//! the next ones only as each succeeds, so that a relay in trouble is asked once, not by a storm.

use super::{
    DeliverError, Deliverer, Paused, RelayTrouble, Summary,
    claims::{Ahead, Claims},
    classify::{Class, classify},
    lanes::{self, Permit},
    ledger::{Ledger, ledger},
    refusals::{Refusal, Refusals, Refuses},
    session::Session,
    smtp::Closed,
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
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{error, info, warn};

/// Connections lost in a row before the relay itself is taken to be ill.
const LOST_IN_A_ROW: u32 = 10;
/// Refusals of the content before its lane, or the issue, pauses.
const CONTENT_REFUSALS: u32 = 3;
/// Issues in a row that found a person's mailbox full before nothing more is written to it.
const FULL_IN_A_ROW: usize = 5;

/// How often our own code failed at a delivery.
#[derive(Default)]
pub(super) struct Stumbles(Mutex<HashMap<DeliveryId, u32>>);

impl Stumbles {
    /// `true` at the second time.
    pub fn again(&self, id: &DeliveryId) -> bool {
        let mut stumbles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = stumbles.entry(id.clone()).or_default();
        *count += 1;
        *count > 1
    }
}

/// What the workers of one run share.
pub(super) struct Run {
    pub it: Deliverer,
    pub only: Option<IssueKey>,
    /// Claim nothing more; before the marker, let go.
    pub halt: CancellationToken,
    pub ledger: Ledger,
    pub claims: tokio::sync::Mutex<Claims>,
    pub ahead: Ahead,
    /// For what it has done beside the workers.
    pub me: Weak<Run>,
    /// Held while a connection is opened.
    opening: tokio::sync::Mutex<()>,
    open: Arc<AtomicUsize>,
    most_open: AtomicUsize,
    lost_in_a_row: AtomicU32,
    pub refusals: Refusals,
    tally: Arc<Mutex<Tally>>,
}

#[derive(Default)]
struct Tally {
    summary: Summary,
    store_error: Option<StoreError>,
    stopped: HashSet<IssueKey>,
}

/// An open session, counted while it lives.
pub(super) struct Seat {
    pub session: Session,
    open: Arc<AtomicUsize>,
    /// Messages of each lane that has a limit of its own.
    carried: HashMap<Arc<str>, u32>,
}

impl Seat {
    /// Whether the connection serves one more, of the most it is to serve, and the lane has some of its share of it left.
    pub fn may_carry(&self, permit: &Permit, most: u32) -> bool {
        let share = permit.messages_per_connection;
        self.session.messages() < most && self.carried.get(permit.lane()).is_none_or(|carried| *carried < share)
    }

    pub fn carry(&mut self, permit: &Permit) {
        *self.carried.entry(Arc::clone(permit.lane())).or_default() += 1;
    }
}

impl Drop for Seat {
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
    let (ledger, writer) = ledger();
    it.limiter.learn(&*it.store).await.map_err(DeliverError::Store)?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let halt = stop.child_token();
    let run = Arc::new_cyclic(|me| Run {
        it: it.clone(),
        only: only.cloned(),
        halt: halt.clone(),
        ledger,
        claims: tokio::sync::Mutex::new(Claims::new(&it.settings)),
        ahead: Ahead::default(),
        me: me.clone(),
        opening: tokio::sync::Mutex::new(()),
        open: Arc::default(),
        most_open: AtomicUsize::new(it.settings.connections.max(1)),
        lost_in_a_row: AtomicU32::new(0),
        refusals: Refusals::default(),
        tally: Arc::clone(&tally),
    });
    let trouble = {
        let (tally, halt) = (Arc::clone(&tally), halt);
        move |store_error| note_store_error(&tally, &halt, store_error)
    };
    let (tell, mut told) = mpsc::unbounded_channel();
    let written = {
        let tally = Arc::clone(&tally);
        move |results: Vec<(Finished, bool)>| {
            let mut tally = lock(&tally);
            results.iter().for_each(|(finished, moved)| tally.count(finished, *moved));
            // Whoever asked for the run may be gone; the results are written.
            let _ = tell.send(results);
        }
    };
    // A task of its own, beside the workers that wait for it. It ends when the last of them, and with it the last way to the
    // ledger, is gone; and with it what it tells.
    let writing =
        AbortOnDropHandle::new(tokio::spawn(writer.write(Arc::clone(&it.store), it.clock.clone(), trouble, written)));
    let telling = async {
        while let Some(results) = told.recv().await {
            results.iter().for_each(|(finished, _)| progress(finished));
        }
    };
    tokio::join!(work_side_by_side(run), telling);
    if let Err(panic) = writing.await {
        error!(%panic, "the writer ended before its time; what it held ends with its lease");
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
                error!(%panic, "a sending task ended before its time; its claims end with their lease");
            }
        }
        // A worker that retired may have given back a claim after the others had found nothing to do.
        if run.halt.is_cancelled() || !run.has_claims().await {
            break;
        }
    }
    run.release_all().await;
}

impl Run {
    /// A connection of one's own, or `None`: there is no room for it, or the relay does not let us in.
    pub async fn open(&self) -> Option<Seat> {
        let _one_at_a_time = self.halt.run_until_cancelled(self.opening.lock()).await?;
        if self.open.load(Ordering::SeqCst) >= self.most_open.load(Ordering::SeqCst) {
            return None;
        }
        let opened = Session::open(&self.it.relay, &self.it.tls, &self.it.settings.timeouts);
        match self.halt.run_until_cancelled(opened).await? {
            Ok(session) => {
                self.open.fetch_add(1, Ordering::SeqCst);
                Some(Seat { session, open: Arc::clone(&self.open), carried: HashMap::new() })
            }
            Err(closed) => {
                self.turned_away(closed);
                None
            }
        }
    }

    /// The relay refused a connection. While others work it only allows fewer; when none does, it is in trouble.
    pub fn turned_away(&self, closed: Closed) {
        match self.open.load(Ordering::SeqCst) {
            0 => self.relay_trouble(closed),
            open => {
                info!(connections = open, reply = %closed.reply.text, "the relay takes no more connections");
                self.most_open.fetch_min(open, Ordering::SeqCst);
            }
        }
    }

    fn relay_trouble(&self, closed: Closed) {
        let Closed { phase, reply } = closed;
        warn!(phase = phase.as_str(), code = reply.code, reply = %reply.text, "the relay is in trouble; sending stops for a while");
        lock(&self.tally).summary.breaker.get_or_insert(RelayTrouble { phase, reply });
        self.halt.cancel();
    }

    pub fn too_many_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) > self.most_open.load(Ordering::SeqCst)
    }

    /// A conversation was held to the end, or the connection was lost with it: broken off, or closed by a 421. Many of
    /// these in a row are not the recipients' doing.
    pub fn conversation(&self, phase: Phase, lost: Option<&Reply>) {
        match lost {
            None => self.lost_in_a_row.store(0, Ordering::SeqCst),
            Some(reply) => {
                if self.lost_in_a_row.fetch_add(1, Ordering::SeqCst) + 1 >= LOST_IN_A_ROW {
                    self.relay_trouble(Closed { phase, reply: reply.clone() });
                }
            }
        }
    }

    pub fn is_stopped(&self, issue: &IssueKey) -> bool {
        lock(&self.tally).stopped.contains(issue)
    }

    /// In the ledger, where the T5 of every daemon sees it; for the claims that wait here; and for the caller.
    pub async fn pause(&self, issue: &IssueKey, reason: PauseReason) {
        let (now, reason) = (self.it.clock.now(), reason.to_string());
        match self.it.store.set_issue_state(issue, &[IssueState::Sending], IssueState::Paused, Some(&reason), now).await
        {
            Ok(newly) => {
                let mut tally = lock(&self.tally);
                // Only now: while the ledger still hands out its deliveries, giving them back would go round in circles.
                tally.stopped.insert(issue.clone());
                if newly {
                    warn!(%issue, %reason, "issue paused");
                    tally.summary.paused.push(Paused { issue: issue.clone(), reason });
                }
            }
            Err(store_error) => self.store_error(store_error),
        }
    }

    /// The lane goes slowly, or not at all: for every daemon, and after a restart. Staff are told when it stops.
    pub async fn lane_reacts(&self, trouble: LaneTrouble) {
        match self.it.limiter.react(&*self.it.store, &trouble).await {
            Ok(true) => {
                let LaneTrouble { lane, pace, why, until, issue, .. } = &trouble;
                warn!(lane, pace = pace.as_str(), reply = %why, ?until, %issue, "lane {lane} is {}", pace.as_str());
                if *pace == Pace::Slow {
                    return;
                }
                let notice = lanes::notice(&trouble, &self.it.settings.lanes);
                if let Err(store_error) = self.it.store.owe_notice(issue, &notice, self.it.clock.now()).await {
                    self.store_error(store_error);
                }
            }
            Ok(false) => {}
            Err(store_error) => self.store_error(store_error),
        }
    }

    /// Something was accepted in a lane whose trouble is past.
    pub async fn lane_goes(&self, lane: &str) {
        if let Err(store_error) = self.it.limiter.forget(&*self.it.store, lane, self.it.clock.now()).await {
            self.store_error(store_error);
        }
    }

    /// `true` when it is one too many for this lane; `""`: for all domains of no family together.
    pub async fn content_refused(&self, issue: &IssueKey, lane: &str) -> bool {
        match self.it.store.content_refused(issue, lane).await {
            Ok(refusals) => refusals >= CONTENT_REFUSALS,
            Err(store_error) => {
                self.store_error(store_error);
                false
            }
        }
    }

    /// Whether this issue is one too many that finds the person's mailbox full, with none before it that may have arrived.
    pub async fn never_gets_in(&self, claim: &Claim) -> bool {
        let filter = LogFilter { address_key: Some(claim.recipient.address.key()), ..LogFilter::default() };
        let log = match self.it.store.log(&filter).await {
            Ok(log) => log,
            Err(store_error) => {
                self.store_error(store_error);
                return false;
            }
        };
        // What was stopped, or is under way elsewhere, says nothing of the mailbox.
        let tried = |it: &&LoggedDelivery| {
            it.issue != claim.issue && matches!(it.state, State::Sent | State::Unknown | State::Failed)
        };
        let before = log.iter().rev().filter(tried).take(FULL_IN_A_ROW - 1);
        let never = before.filter(|it| was_full(it)).count() == FULL_IN_A_ROW - 1;
        if never {
            info!(delivery = %claim.id, "full at {FULL_IN_A_ROW} issues in a row: nothing more is written to this address");
        }
        never
    }

    /// A refusal is written. Where one recipient after another is refused alike, the issue pauses, or the lane, and those who
    /// failed by it are queued again.
    pub async fn mind_refusal(&self, issue: &IssueKey, refusal: &Refusal) {
        let Some(refuses) = self.refusals.refused(issue, refusal) else { return };
        let said = refusal.text.clone();
        match &refuses {
            // Whoever resumed it has seen that so many addresses are dead.
            Refuses::Relay if refusal.names_the_person && self.was_resumed(issue).await => return,
            Refuses::Relay => self.pause(issue, PauseReason::EveryoneRefused { said }).await,
            Refuses::Family(lane) => {
                let why = wording::lane_refuses(SenderFault::RelayRefuses, &said);
                self.lane_reacts(lanes::paused(lane, why, issue, false, self.it.clock.now())).await;
            }
        }
        if let Err(store_error) = self.give_back(issue, refusal, &refuses).await {
            self.store_error(store_error);
        }
    }

    async fn give_back(&self, issue: &IssueKey, refusal: &Refusal, refuses: &Refuses) -> Result<(), StoreError> {
        let filter = LogFilter { issue: Some(issue.clone()), state: Some(State::Failed), ..LogFilter::default() };
        let concerned = |it: &LoggedDelivery| match refuses {
            Refuses::Relay => true,
            Refuses::Family(lane) => {
                let domain = it.address.rsplit('@').next().unwrap_or_default();
                *self.it.limiter.lane_of(domain) == **lane
            }
        };
        let alike = |it: &LoggedDelivery| last_refusal(it).is_some_and(|(phase, reply)| refusal.is_like(phase, &reply));
        let failed = self.it.store.log(&filter).await?;
        let ids: Vec<_> = failed.iter().filter(|it| concerned(it) && alike(it)).map(|it| it.id.clone()).collect();
        let given_back = self.it.store.give_back(&ids, self.it.clock.now()).await?;
        warn!(%issue, given_back, "everyone is refused alike: {given_back} failed deliveries are queued again");
        Ok(())
    }

    /// A person resumed it, and so saw what it was paused for.
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

fn was_full(it: &LoggedDelivery) -> bool {
    it.state == State::Failed
        && last_refusal(it).is_some_and(|(phase, reply)| classify(phase, &reply).class == Class::Soft)
}

/// The relay's last refusal.
fn last_refusal(it: &LoggedDelivery) -> Option<(Phase, Reply)> {
    let last = it.attempts.last().filter(|last| last.outcome == "refused")?;
    let text = last.text.clone().unwrap_or_default();
    Some((last.phase, Reply { code: last.code, enhanced: last.enhanced.clone(), text }))
}

impl Tally {
    fn count(&mut self, finished: &Finished, moved: bool) {
        let summary = &mut self.summary;
        match finished.outcome {
            Outcome::Accepted => summary.sent += 1,
            Outcome::Refused { .. } => summary.failed += 1,
            Outcome::Deferred { .. } | Outcome::Ours { .. } => summary.deferred += 1,
            Outcome::Unknown => summary.unknown += 1,
        }
        if !moved {
            // Written before by a write whose answer was lost, or settled by a person meanwhile.
            warn!(delivery = %finished.claim.id, outcome = finished.outcome.as_str(), "the row had already moved");
        }
    }
}

fn note_store_error(tally: &Mutex<Tally>, halt: &CancellationToken, store_error: StoreError) {
    let error = &store_error as &dyn std::error::Error;
    error!(error, "the ledger does not answer; nothing more is claimed");
    halt.cancel();
    lock(tally).store_error.get_or_insert(store_error);
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
