//! The daemon: loops side by side, each of one step that is idempotent and needs no leader, and a bell that wakes them.
//!
//! - [`schedule`]: what is due becomes a frozen issue, or a held one;
//! - [`post`]: what is queued goes to the relay, by one deliverer;
//! - [`crate::notices`]: what staff are owed is told;
//! - [`crate::web`]: the pages partners reach are answered, where an address is configured;
//! - [`pulse`]: the ledger and systemd hear that we live.
//!
//! None waits for another: a slow article holds up no message, and a long post no schedule. The [`bell`] rings every minute
//! and decides nothing.
//! Must never keep anything in memory that the ledger does not know: a daemon may be killed at any instant, and another
//! one may do the same work beside it.

mod bell;
mod by_hand;
mod post;
mod pulse;
mod reload;
mod restored;
mod schedule;
mod signals;

pub use reload::Reload;
pub use restored::mind_a_restored_ledger;
pub use signals::{Signals, cancel_on_signal};

use crate::app::Engine;
use crate::deliver::{Breaker, Deliverer};
use crate::domain::{Timestamp, schedule::label};
use crate::issue::sending;
use crate::notices;
use crate::web::{self, Limits, Pages, Site};
use anyhow::Context;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// No loop sleeps longer, whatever the bell does: it is silent while a clock that was set back catches up, and the timers
/// of a machine that slept know nothing of the hour it is (S8).
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Everything the loops share.
pub struct Daemon {
    /// Exchanged by a reload. A pass takes it once, and works with it to its end.
    engine: RwLock<Arc<Engine>>,
    /// Held by a look at the schedules, and while the engine is exchanged.
    looking: tokio::sync::Mutex<()>,
    deliverer: Deliverer,
    relay: post::Health,
    /// For letters to staff alone: one that cannot be sent is no reason to stop the post, nor to try every minute.
    letters: Mutex<Breaker>,
    sent_notices: notices::SentNotices,
    pulse: pulse::Pulse,
    bells: Bells,
}

/// Works until `stop`, and reads its files anew when `reload` asks for it.
///
/// # Errors
/// When the daemon cannot start, or one of its loops broke down. What goes wrong within a step is logged, and the next one
/// tries again.
pub async fn serve(engine: Engine, reload: Reload, stop: CancellationToken) -> anyhow::Result<()> {
    let daemon = Arc::new(Daemon::new(engine)?);
    daemon.take_over().await?;
    let woken = Arc::clone(&daemon);
    let mut bell = bell::every_minute(move || woken.bells.every_minute()).await?;
    let (mut loops, mut pages) = (JoinSet::new(), None);
    let bind = daemon.engine().app.config.web.bind;
    if let Some(address) = bind {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("pages cannot be served on {address}; set web.bind to a free address"))?;
        let served = Arc::new(Pages::new(daemon.site(&daemon.engine())?, Limits::default()));
        pages = Some(Arc::clone(&served));
        loops.spawn(web::serve(served, listener, Limits::default(), stop.clone()));
    }
    loops.spawn(Arc::clone(&daemon).keep_schedule(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_posting(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_telling(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_alive(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_reloading(reload, pages, stop.clone()));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    let mut broken = None;
    while let Some(ended) = loops.join_next().await {
        if let Err(panic) = ended {
            error!(%panic, "a part of the daemon broke down; the others end their work");
            broken.get_or_insert(panic);
            stop.cancel();
        }
    }
    bell.shutdown().await?;
    daemon.take_leave().await;
    broken.map_or(Ok(()), |panic| Err(panic.into()))
}

/// One for each loop. What rang while a loop was busy is heard afterwards.
#[derive(Default)]
struct Bells {
    schedule: Notify,
    /// Also when something was frozen, came back to the queue, or was ordered.
    post: Arc<Notify>,
    /// After each step that may owe staff a word.
    staff: Notify,
    pulse: Notify,
}

impl Bells {
    fn every_minute(&self) {
        for bell in [&self.schedule, &*self.post, &self.pulse] {
            bell.notify_one();
        }
    }
}

/// `false` when only the time was over.
async fn rung(bell: &Notify, at_most: Duration) -> bool {
    tokio::time::timeout(pause(at_most), bell.notified()).await.is_ok()
}

fn pause(at_most: Duration) -> Duration {
    at_most.min(LONGEST_PAUSE)
}

impl Daemon {
    /// # Errors
    /// When no relay is configured, or the system's trusted certificates cannot be read.
    pub fn new(engine: Engine) -> anyhow::Result<Self> {
        let deliverer = engine.deliverer()?;
        let pulse = pulse::Pulse::new(engine.app.clock.now());
        Ok(Self {
            engine: RwLock::new(Arc::new(engine)),
            looking: tokio::sync::Mutex::default(),
            deliverer,
            relay: post::Health::default(),
            letters: Mutex::default(),
            sent_notices: notices::SentNotices::default(),
            pulse,
            bells: Bells::default(),
        })
    }

    /// What the daemon works with now.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pages of this engine.
    fn site(&self, engine: &Engine) -> anyhow::Result<Site> {
        Site::new(engine, Arc::clone(&self.bells.post))
    }

    /// Everything once, one after the other: what the loops do side by side. For tests with a clock that stands still.
    pub async fn pass(&self, stop: &CancellationToken) {
        self.take_up_the_dead().await;
        self.schedule_pass(stop).await;
        self.post_pass(stop).await;
        self.staff_pass().await;
    }

    /// What an earlier daemon left in flight is taken up, or held where nobody knows.
    async fn take_over(&self) -> anyhow::Result<()> {
        let engine = self.engine();
        let Engine { app, store, .. } = &*engine;
        let now = app.clock.now();
        mind_a_restored_ledger(&engine).await?;
        let recovered = sending::recover(&engine, engine.is_exclusive()).await?;
        self.know_the_mailings(now).await?;
        // Now, and not only in its loop: a daemon that is stopped at once must not leave a dead one's name standing.
        self.beat().await;
        let next = self.next_occurrence();
        info!(
            version = env!("CARGO_PKG_VERSION"),
            mailings = app.mailings.len(),
            database = store.kind(),
            next,
            released = recovered.released,
            unknown = recovered.unknown,
            "semainier is up: {} mailings, the next is {}; {} deliveries taken up again, {} newly unknown wait for a person",
            app.mailings.len(),
            next.as_deref().unwrap_or("none"),
            recovered.released,
            recovered.unknown
        );
        Ok(())
    }

    /// `agenda/2027-W28 at 2027-07-10T08:00…`
    fn next_occurrence(&self) -> Option<String> {
        let (engine, now) = (self.engine(), self.now());
        let mailings = engine.app.mailings.iter();
        let next = mailings.filter_map(|m| Some((m.schedule.next_after(now)?, m))).min_by_key(|(at, _)| *at);
        next.map(|(at, m)| format!("{} at {}", m.issue_key(at), label(at, m.schedule.zone)))
    }

    async fn take_leave(&self) {
        let engine = self.engine();
        let store = &engine.store;
        let waiting = match store.open_issues().await {
            Ok(open) => open.iter().map(|issue| issue.counts.queued).sum::<u64>(),
            Err(error) => return error!(error = chain(&error), "semainier is down; the ledger does not answer"),
        };
        if let Err(error) = store.leave(&engine.owner).await {
            error!(error = chain(&error), "the ledger was not told that this daemon stops");
        }
        let minutes = self.pulse.age().as_secs() / 60;
        info!(
            waiting,
            minutes, "semainier is down after {minutes} min: nothing is in flight, {waiting} deliveries wait"
        );
    }

    async fn keep_schedule(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if self.schedule_pass(&stop).await {
                self.bells.post.notify_one();
            }
            self.bells.staff.notify_one();
            self.pulse.felt();
            stop.run_until_cancelled(rung(&self.bells.schedule, LONGEST_PAUSE)).await;
        }
    }

    async fn keep_posting(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.post_pass(&stop).await;
            self.bells.staff.notify_one();
            let pause = self.pause_of_the_post().await;
            stop.run_until_cancelled(rung(&self.bells.post, pause)).await;
        }
    }

    async fn keep_telling(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let told_and_waited = async {
                rung(&self.bells.staff, LONGEST_PAUSE).await;
                self.staff_pass().await;
            };
            stop.run_until_cancelled(told_and_waited).await;
        }
    }

    /// What staff are owed. At least once: a letter is broken off when the daemon stops, and written again.
    pub async fn staff_pass(&self) {
        let now = self.now();
        if self.relay.left_alone(now).is_some() || lock(&self.letters).open_until(now).is_some() {
            return;
        }
        match notices::send(&self.engine(), &self.deliverer, &self.sent_notices).await {
            notices::NoticeResult::AllSent => lock(&self.letters).close(),
            notices::NoticeResult::Owed => {
                lock(&self.letters).trip(self.now());
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.engine().app.clock.now()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its causes, for a log line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s8_no_loop_sleeps_longer_than_half_a_minute_however_far_the_next_thing_is() {
        let seconds = [1, 29, 30, 31, 61, 86_400].map(|it| pause(Duration::from_secs(it)).as_secs());
        assert_eq!(seconds, [1, 29, 30, 30, 30, 30]);
    }
}
