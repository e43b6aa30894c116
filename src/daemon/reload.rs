//! SIGHUP: configuration, mailings and templates are read anew, all or nothing.
//!
//! Everything is read and checked as at a start before anything changes; what is wrong is logged with its file and line, and
//! the daemon works on with what it has. The exchange happens between two looks at the schedules, and each pass works with one
//! [`crate::app::Engine`] from its beginning to its end: no issue is composed half with the old and half with the new files. What is frozen
//! is sent as it was frozen.

use super::{Daemon, chain, mind_a_restored_ledger, schedule};
use crate::app::App;
use crate::config::Config;
use crate::issue::newsletter;
use crate::jobs::Kind;
use crate::keys::Problems;
use crate::web::{Limits, Pages, console::Console};
use anyhow::Context;
use sd_notify::NotifyState;
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Where a reload comes from.
pub struct Reload {
    /// Rung by SIGHUP.
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
    /// Until `stop`.
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

    /// Reads everything anew and works with it from now on. The keys that were changed and need a restart.
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
        let (app, restart) = app.await.context("reading the files broke down")??;
        let warnings = app.config.warnings();
        self.adopt(app, shown, stop).await?;
        let engine = self.engine();
        info!(
            mailings = engine.app.mailings.len(),
            "configuration, mailings and templates were read anew: {} mailings, the next is {}",
            engine.app.mailings.len(),
            self.next_occurrence().as_deref().unwrap_or("none"),
        );
        for warning in warnings {
            warn!("{warning}");
        }
        for key in &restart {
            warn!(key, "needs a restart: {key}; until then the old value counts");
        }
        Ok(restart)
    }

    /// From now on this is what the daemon works with. What is due by the old schedules is recorded first: a schedule that was
    /// changed loses no hour that had struck, and fires none back (S6).
    ///
    /// # Errors
    /// When the pages cannot be made of the new templates, or the database is away; then nothing has changed.
    async fn adopt(&self, app: App, shown: &Shown, stop: &CancellationToken) -> anyhow::Result<()> {
        let _between_looks = self.looking.lock().await;
        let old = self.engine();
        let new = Arc::new(old.with_app(app));
        let site = match &shown.pages {
            Some(pages) => Some((pages, self.site(&new).await?)),
            None => None,
        };
        let console = match &shown.console {
            Some((pages, bound)) => Some((pages, Arc::new(Console::new(&new, stop.clone())?.bound(*bound)))),
            None => None,
        };
        let now = self.now();
        mind_a_restored_ledger(&old).await?;
        for mailing in &old.app.mailings {
            schedule::look_at(&old, mailing, now).await?;
        }
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        if let Some((pages, site)) = site {
            pages.show(site, Limits::default());
        }
        if let Some((pages, console)) = console {
            pages.show_console(console, Limits::default());
        }
        // A new mailing counts from here on. Should the database be away just now, the next look says so.
        if let Err(failure) = self.know_the_mailings(now).await {
            warn!(error = chain(&failure), "the ledger was not told of the new schedules; the next look tells it");
        }
        self.bells.schedule.notify_one();
        Ok(())
    }

    /// The same, for tests that read no files.
    #[doc(hidden)]
    pub async fn adopt_app(&self, app: App) -> anyhow::Result<()> {
        self.adopt(app, &Shown::default(), &CancellationToken::new()).await
    }
}

/// As `semainier check` does: the lists of appointments that newsletters name.
fn check_lists(app: &App) -> anyhow::Result<()> {
    for mailing in &app.mailings {
        if let Kind::Newsletter(publishes) = &mailing.kind {
            newsletter::check_lists(&publishes.sections)?;
        }
    }
    Ok(())
}

/// Says all that is wrong, a line each; what systemd shows of it.
fn refused(failure: &anyhow::Error) -> String {
    let lines: Vec<String> = match failure.downcast_ref::<Problems>() {
        Some(Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
        None => vec![format!("{failure:#}")],
    };
    for line in &lines {
        error!("not reloaded: {line}");
    }
    let n = lines.len();
    error!(problems = n, "nothing was reloaded: {n} problems; the daemon works on with what it had");
    format!("reload refused, {n} problems, the old files count: {}", lines.first().map_or("", |line| line))
}

/// `new` with what cannot change while the daemon runs, as it is in `running`; and the keys that differ in it.
fn keeping(new: Config, running: &Config) -> (Config, Vec<&'static str>) {
    let relay = |config: &Config| config.relay.as_ref().map(|relay| relay.expose_secret().to_owned());
    let differ = [
        ("database", new.database.expose_secret() != running.database.expose_secret()),
        ("relay", relay(&new) != relay(running)),
        ("relay_password", new.relay_password != running.relay_password),
        ("relay_ca_file", new.relay_ca != running.relay_ca),
        ("secret", new.secret != running.secret),
        ("link_keys_file", new.link_keys_file != running.link_keys_file),
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
    kept.alert = running.alert.clone();
    kept.metrics.bind = running.metrics.bind;
    kept.delivery = running.delivery.clone();
    kept.lanes = running.lanes.clone();
    kept.web.bind = running.web.bind;
    kept.console.bind = running.console.bind;
    kept.log = running.log.clone();
    (kept, differ.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect())
}
