//! SIGHUP: reloads configuration, mailings and templates, all or nothing.
//!
//! Everything is read and checked as at a start before anything changes. Problems are logged with file and line, and the daemon
//! keeps the old files. The engine is swapped between two schedule passes, and each pass uses one [`crate::app::Engine`] from
//! beginning to end, so no issue is composed from a mix of old and new files. Frozen issues are sent as they were frozen.

use super::{Daemon, chain, pause_after_restore, schedule};
use crate::app::App;
use crate::config::Config;
use crate::issue::newsletter;
use crate::jobs::Kind;
use crate::toml_reader::Problems;
use crate::web::{Limits, Pages, console::Console};
use anyhow::Context;
use sd_notify::NotifyState;
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// The trigger of a reload, and how to read the configuration.
pub struct Reload {
    /// Notified by SIGHUP.
    pub asked: Arc<Notify>,
    /// Reads the configuration as at the start: the same file, the same environment.
    pub read: Arc<dyn Fn() -> Result<Config, Problems> + Send + Sync>,
}

/// What is served, and shows the new files after a reload.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) pages: Option<Arc<Pages>>,
    /// With the address it listens on.
    pub(super) console: Option<(Arc<Pages>, SocketAddr)>,
}

impl Daemon {
    /// Runs until `stop`.
    pub(super) async fn keep_reloading(self: Arc<Self>, reload: Reload, shown: Shown, stop: CancellationToken) {
        while stop.run_until_cancelled(reload.asked.notified()).await.is_some() {
            let monotonic = NotifyState::monotonic_usec_now();
            let _ = sd_notify::notify(
                &[Some(NotifyState::Reloading), monotonic.ok()].into_iter().flatten().collect::<Vec<_>>(),
            );
            let status = match stop.run_until_cancelled(self.reload(&reload, &shown, &stop)).await {
                None => break,
                Some(Ok(restart)) if restart.is_empty() => "reloaded".to_owned(),
                Some(Ok(restart)) => format!("reloaded; needs a restart: {}", restart.join(", ")),
                Some(Err(failure)) => refused(&failure),
            };
            let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
        }
    }

    /// Reads and adopts the files. Returns the changed keys that need a restart.
    async fn reload(
        &self,
        reload: &Reload,
        shown: &Shown,
        stop: &CancellationToken,
    ) -> anyhow::Result<Vec<&'static str>> {
        let (read, engine) = (Arc::clone(&reload.read), self.engine());
        let app = tokio::task::spawn_blocking(move || {
            let (config, restart) = keeping(read()?, &engine.app.config);
            let app = App::new(config, engine.app.clock.clone())?;
            check_lists(&app)?;
            anyhow::Ok((app, restart))
        });
        let (app, restart) = app.await.context("reading the files panicked")??;
        let warnings = app.config.warnings();
        self.adopt(app, shown, stop).await?;
        let engine = self.engine();
        info!(
            mailings = engine.app.mailings.len(),
            "configuration, mailings and templates reloaded: {} mailings, next: {}",
            engine.app.mailings.len(),
            self.next_occurrence().as_deref().unwrap_or("none"),
        );
        for warning in warnings {
            warn!("{warning}");
        }
        for key in &restart {
            warn!(key, "needs a restart: {key}; the old value applies until then");
        }
        Ok(restart)
    }

    /// Swaps the engine. Occurrences that are due by the old schedules are recorded first, so that a changed schedule neither
    /// loses a past occurrence nor fires one retroactively (S6).
    ///
    /// # Errors
    /// When the pages cannot be built from the new templates, or the database is unavailable; then nothing has changed.
    async fn adopt(&self, app: App, shown: &Shown, stop: &CancellationToken) -> anyhow::Result<()> {
        let _lock = self.schedule_lock.lock().await;
        let old = self.engine();
        let new = Arc::new(old.with_app(app));
        let site = match &shown.pages {
            Some(pages) => Some((pages, self.site(&new).await?)),
            None => None,
        };
        let console = match &shown.console {
            Some((pages, bound)) => Some((
                pages,
                Arc::new(Console::new(&new, Arc::clone(&self.wakers.sender), stop.clone())?.bound(*bound)),
            )),
            None => None,
        };
        let now = self.now();
        pause_after_restore(&old).await?;
        for mailing in &old.app.mailings {
            schedule::record_due(&old, mailing, now).await?;
        }
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        if let Some((pages, site)) = site {
            pages.show(site, Limits::default());
        }
        if let Some((pages, console)) = console {
            pages.show_console(console, Limits::default());
        }
        // A new mailing counts from now on. If this fails, the next schedule pass retries.
        if let Err(failure) = self.register_mailings(now).await {
            warn!(error = chain(&failure), "could not record the new schedules; the next schedule pass retries");
        }
        self.wakers.schedule.notify_one();
        Ok(())
    }

    /// Like a reload, for tests without files.
    #[doc(hidden)]
    pub async fn adopt_app(&self, app: App) -> anyhow::Result<()> {
        self.adopt(app, &Shown::default(), &CancellationToken::new()).await
    }
}

/// Checks the appointment lists of newsletters, as `semainier check` does.
fn check_lists(app: &App) -> anyhow::Result<()> {
    for mailing in &app.mailings {
        if let Kind::Newsletter(publishes) = &mailing.kind {
            newsletter::check_lists(&publishes.sections)?;
        }
    }
    Ok(())
}

/// Logs each problem on a line of its own, and returns the status line for systemd.
fn refused(failure: &anyhow::Error) -> String {
    let lines: Vec<String> = match failure.downcast_ref::<Problems>() {
        Some(Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
        None => vec![format!("{failure:#}")],
    };
    for line in &lines {
        error!("reload rejected: {line}");
    }
    let n = lines.len();
    error!(problems = n, "reload rejected with {n} problems; the previous files stay in use");
    format!("reload rejected, {n} problems, previous files in use: {}", lines.first().map_or("", |line| line))
}

/// `new` with the values of `running` for keys that cannot change while the daemon runs, and the keys of these that differ.
fn keeping(new: Config, running: &Config) -> (Config, Vec<&'static str>) {
    let relay = |config: &Config| config.relay.as_ref().map(|relay| relay.expose_secret().to_owned());
    let differ = [
        ("database", new.database.expose_secret() != running.database.expose_secret()),
        ("relay", relay(&new) != relay(running)),
        ("relay_password", new.relay_password != running.relay_password),
        ("relay_ca_file", new.relay_ca != running.relay_ca),
        ("secret", new.secret != running.secret),
        ("link_keys_file", new.link_keys_file != running.link_keys_file),
        ("inbound.soft_limit", new.inbound.soft_limit != running.inbound.soft_limit),
        ("dkim", new.dkim != running.dkim),
        ("delivery", new.delivery != running.delivery),
        ("lane", new.lanes != running.lanes),
        ("web.bind", new.web.bind != running.web.bind),
        ("console.bind", new.console.bind != running.console.bind),
        ("alert", new.alert != running.alert),
        ("metrics.bind", new.metrics.bind != running.metrics.bind),
        ("log", new.log != running.log),
    ];
    let mut kept = new;
    kept.database = running.database.clone();
    kept.relay = running.relay.clone();
    kept.relay_password = running.relay_password.clone();
    kept.secret = running.secret.clone();
    kept.relay_ca = running.relay_ca.clone();
    kept.link_keys_file = running.link_keys_file.clone();
    kept.inbound.soft_limit = running.inbound.soft_limit;
    kept.dkim = running.dkim.clone();
    kept.alert = running.alert.clone();
    kept.metrics.bind = running.metrics.bind;
    kept.delivery = running.delivery.clone();
    kept.lanes = running.lanes.clone();
    kept.web.bind = running.web.bind;
    kept.console.bind = running.console.bind;
    kept.log = running.log.clone();
    (kept, differ.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect())
}
