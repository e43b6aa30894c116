//! The daemon: independent loops, each of one step that is idempotent and needs no leader, and a ticker that wakes them.
//!
//! - [`schedule`]: turns due occurrences into frozen or held issues;
//! - [`sender`]: sends the queue through the relay;
//! - [`crate::notices`]: sends pending notices to staff;
//! - [`crate::web`]: serves the public pages and the console, each if an address is configured;
//! - [`alerting`]: alerts people by a second channel, if one is configured;
//! - [`telling`]: delivers events to webhooks;
//! - [`inbox`]: reads the mailboxes of bounces, if some are configured;
//! - [`heartbeat`]: writes heartbeats for the ledger and systemd.
//!
//! The loops do not wait for each other: a slow site delays no message, and a long delivery no schedule. The [`ticker`] fires
//! every minute and decides nothing.
//! Must never keep state in memory that the ledger does not have: a daemon may be killed at any instant, and another one may
//! do the same work concurrently.

mod alerting;
mod heartbeat;
mod inbox;
mod orphaned;
mod reload;
mod restored;
mod schedule;
mod sender;
mod signals;
mod telling;
mod ticker;

pub use reload::Reload;
pub use restored::pause_after_restore;
pub use signals::{Signals, cancel_on_signal};

use crate::alerts::Alerter;
use crate::app::Engine;
use crate::deliver::{Breaker, Deliverer};
use crate::domain::{Timestamp, schedule::label};
use crate::issue::sending;
use crate::notices;
use crate::store;
use crate::views::metrics::Metrics;
use crate::web::{self, Limits, Pages, Site, console::Console};
use anyhow::Context;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// No loop sleeps longer, whatever the ticker does: it is silent while a clock that was set back catches up, and timers
/// do not advance while the machine sleeps (S8).
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Everything the loops share.
pub struct Daemon {
    /// Replaced by a reload. A pass reads it once and uses it to its end.
    engine: RwLock<Arc<Engine>>,
    /// Held during a schedule pass, and while the engine is replaced.
    schedule_lock: tokio::sync::Mutex<()>,
    deliverer: Deliverer,
    relay: sender::Health,
    /// Separate for mails to staff: a failure must not stop the sending to partners, and is not retried every minute.
    letters: Mutex<Breaker>,
    sent_notices: notices::SentNotices,
    heartbeat: heartbeat::Heartbeat,
    wakers: Wakers,
}

/// Runs until `stop`, and reads its files again when `reload` asks for it.
///
/// # Errors
/// When the daemon cannot start, or a loop panicked. Failures within a step are logged, and the next step retries.
pub async fn serve(engine: Engine, reload: Reload, stop: CancellationToken) -> anyhow::Result<()> {
    let daemon = Arc::new(Daemon::new(engine).await?);
    daemon.recover().await?;
    let waker = Arc::clone(&daemon);
    let mut ticker = ticker::every_minute(move || waker.wakers.every_minute()).await?;
    let (mut loops, mut served) = (JoinSet::new(), reload::Shown::default());
    let bind = daemon.engine().app.config.web.bind;
    if let Some(address) = bind {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("pages cannot be served on {address}; set web.bind to a free address"))?;
        let pages = Arc::new(Pages::new(daemon.site(&daemon.engine()).await?, Limits::default()));
        served.pages = Some(Arc::clone(&pages));
        loops.spawn(web::serve(pages, listener, Limits::default(), stop.clone()));
    }
    let bind = daemon.engine().app.config.console.bind;
    if let Some(address) = bind {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("the console cannot be served on {address}; set console.bind to a free address")
        })?;
        let bound = listener.local_addr()?;
        let console =
            Arc::new(Console::new(&daemon.engine(), Arc::clone(&daemon.wakers.sender), stop.clone())?.bound(bound));
        let pages = Arc::new(Pages::of_console(console, Limits::default()));
        served.console = Some((Arc::clone(&pages), bound));
        loops.spawn(web::serve(pages, listener, Limits::default(), stop.clone()));
    }
    loops.spawn(Arc::clone(&daemon).keep_schedule(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_sending(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_notifying(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_telling(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_reading(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_reading_imap(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_alive(stop.clone()));
    loops.spawn(Arc::clone(&daemon).keep_reloading(reload, served, stop.clone()));
    let engine = daemon.engine();
    if let Some(address) = engine.app.config.metrics.bind {
        let (app, store) = (&engine.app, Arc::clone(&engine.store));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("metrics cannot be served on {address}; set metrics.bind to a free address"))?;
        loops.spawn(web::serve_metrics(Metrics::new(app, store), app.clock.clone(), listener, stop.clone()));
    }
    if engine.app.config.alert.is_on() {
        let alerter = Alerter::new(&engine.app.config.alert)?;
        loops.spawn(Arc::clone(&daemon).keep_alerting(alerter, stop.clone()));
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    let mut broken = None;
    while let Some(ended) = loops.join_next().await {
        if let Err(panic) = ended {
            error!(%panic, "a loop of the daemon panicked; stopping the others");
            broken.get_or_insert(panic);
            stop.cancel();
        }
    }
    ticker.shutdown().await?;
    daemon.sign_off().await;
    broken.map_or(Ok(()), |panic| Err(panic.into()))
}

/// One per loop. A wake-up that comes while a loop is busy is handled afterwards.
#[derive(Default)]
struct Wakers {
    schedule: Notify,
    /// Also woken when something was frozen, queued again, or ordered.
    sender: Arc<Notify>,
    /// Woken after each step that may have created a notice for staff.
    staff: Notify,
    heartbeat: Notify,
}

impl Wakers {
    fn every_minute(&self) {
        for waker in [&self.schedule, &*self.sender, &self.heartbeat] {
            waker.notify_one();
        }
    }
}

/// `false` if it timed out.
async fn wait_for(waker: &Notify, at_most: Duration) -> bool {
    tokio::time::timeout(pause(at_most), waker.notified()).await.is_ok()
}

/// No process has this id. Only implemented for Linux; elsewhere no daemon is considered dead.
fn is_gone(pid: u32) -> bool {
    let processes = Path::new("/proc");
    processes.join("self").exists() && !processes.join(pid.to_string()).exists()
}

fn pause(at_most: Duration) -> Duration {
    at_most.min(LONGEST_PAUSE)
}

impl Daemon {
    /// # Errors
    /// When no relay is configured, the secret is not the ledger's, or the system's trusted certificates cannot be read.
    pub async fn new(engine: Engine) -> anyhow::Result<Self> {
        let deliverer = engine.deliverer().await?;
        let heartbeat = heartbeat::Heartbeat::new(engine.app.clock.now());
        Ok(Self {
            engine: RwLock::new(Arc::new(engine)),
            schedule_lock: tokio::sync::Mutex::default(),
            deliverer,
            relay: sender::Health::default(),
            letters: Mutex::default(),
            sent_notices: notices::SentNotices::default(),
            heartbeat,
            wakers: Wakers::default(),
        })
    }

    /// The engine currently in use.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The public pages for this engine.
    async fn site(&self, engine: &Engine) -> anyhow::Result<Site> {
        Site::new(engine, Arc::clone(&self.wakers.sender)).await
    }

    /// Runs every step once, in sequence. For tests with a manual clock.
    pub async fn pass(&self, stop: &CancellationToken) {
        self.recover_expired_leases().await;
        self.schedule_pass(stop).await;
        self.send_pass(stop).await;
        self.staff_pass().await;
    }

    /// Releases claims of dead daemons on this machine at once: their process is gone. Otherwise, if several daemons share the
    /// database, a lease must expire before another one takes over its claim.
    async fn free_claims_of_dead_daemons(&self, now: Timestamp) -> store::Result<u64> {
        let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut freed = 0;
        let engine = self.engine();
        for daemon in engine.store.daemons().await? {
            if daemon.host == host && is_gone(daemon.pid) {
                freed += engine.store.release_claims_of(&daemon.owner, now).await?;
            }
        }
        Ok(freed)
    }

    /// Recovers what an earlier daemon left in flight.
    async fn recover(&self) -> anyhow::Result<()> {
        let engine = self.engine();
        let Engine { app, store, .. } = &*engine;
        let now = app.clock.now();
        pause_after_restore(&engine).await?;
        let recovered = sending::recover(&engine, engine.is_exclusive()).await?;
        let freed = self.free_claims_of_dead_daemons(now).await?;
        if freed > 0 {
            info!(freed, "{freed} deliveries claimed by a daemon of this machine that died are queued again");
        }
        self.register_mailings(now).await?;
        // Now, not only in its loop: a daemon that is stopped at once must still replace the entry of a dead one.
        self.beat().await;
        let next = self.next_occurrence();
        info!(
            version = env!("CARGO_PKG_VERSION"),
            mailings = app.mailings.len(),
            database = store.kind(),
            next,
            released = recovered.released,
            unknown = recovered.unknown,
            "semainier started: {} mailings, next: {}; {} deliveries queued again, {} newly unknown",
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

    async fn sign_off(&self) {
        let engine = self.engine();
        let store = &engine.store;
        let waiting = match store.open_issues().await {
            Ok(open) => open.iter().map(|issue| issue.counts.queued).sum::<u64>(),
            Err(error) => return error!(error = chain(&error), "semainier stopped; the database is unavailable"),
        };
        if let Err(error) = store.release_notices(&engine.owner, None).await {
            error!(error = chain(&error), "notices to staff stay claimed for a while");
        }
        if let Err(error) = store.leave(&engine.owner).await {
            error!(error = chain(&error), "could not record that this daemon stops");
        }
        let minutes = self.heartbeat.age().as_secs() / 60;
        info!(
            waiting,
            minutes, "semainier stopped after {minutes} min: nothing in flight, {waiting} deliveries queued"
        );
    }

    async fn keep_schedule(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if self.schedule_pass(&stop).await {
                self.wakers.sender.notify_one();
            }
            self.wakers.staff.notify_one();
            self.heartbeat.touch();
            stop.run_until_cancelled(wait_for(&self.wakers.schedule, LONGEST_PAUSE)).await;
        }
    }

    async fn keep_sending(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.send_pass(&stop).await;
            self.wakers.staff.notify_one();
            let pause = self.until_next_delivery().await;
            stop.run_until_cancelled(wait_for(&self.wakers.sender, pause)).await;
        }
    }

    async fn keep_notifying(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let told_and_waited = async {
                wait_for(&self.wakers.staff, LONGEST_PAUSE).await;
                self.staff_pass().await;
            };
            stop.run_until_cancelled(told_and_waited).await;
        }
    }

    /// Sends pending notices, at least once: a mail interrupted by a stop is sent again.
    pub async fn staff_pass(&self) {
        // Also while the relay is away: what is queued and not sent is seen by others.
        if let Err(failure) = notices::queue_due(&self.engine()).await {
            error!(error = chain(&failure), "could not look for mails to staff that are due");
        }
        let now = self.now();
        if self.relay.open_circuit(now).is_some() || lock(&self.letters).open_until(now).is_some() {
            return;
        }
        match notices::send(&self.engine(), &self.deliverer, &self.sent_notices).await {
            notices::NoticeResult::NothingPending => lock(&self.letters).close(),
            notices::NoticeResult::AllSent => {
                lock(&self.letters).close();
                self.relay.served(self.now());
            }
            notices::NoticeResult::Pending => {
                lock(&self.letters).trip(self.now());
            }
            notices::NoticeResult::RelayAway(trouble) => {
                let now = self.now();
                let until = lock(&self.letters).trip(now);
                self.relay.failed_staff(trouble, until, now);
                self.wakers.heartbeat.notify_one();
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
    fn s8_no_loop_sleeps_longer_than_half_a_minute() {
        let seconds = [1, 29, 30, 31, 61, 86_400].map(|it| pause(Duration::from_secs(it)).as_secs());
        assert_eq!(seconds, [1, 29, 30, 30, 30, 30]);
    }
}
