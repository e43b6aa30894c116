//! The composition root: the parts put together once, at start.

use crate::clock::Clock;
use crate::collect::fetch::{AllowedHosts, FetchLimits, Fetcher, Page, Shelf, Validators};
use crate::compose::{context, page};
use crate::config::Config;
use crate::deliver::{Deliverer, Relay, Settings, Timeouts};
use crate::jobs::{self, Mailing};
use crate::outbox::FrozenOutbox;
use crate::store::{self, Access, KeptPage, Store};
use crate::templates::Templates;
use crate::tokens::Tokens;
use anyhow::{Context, anyhow};
use chrono_tz::Tz;
use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// What reads and composes; touches no ledger and sends nothing.
#[derive(Debug, Clone)]
pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub mailings: Vec<Mailing>,
    pub templates: Arc<Templates>,
    pub fetcher: Fetcher,
}

/// An [`App`] with a ledger: what can freeze, send and show.
#[derive(Clone)]
pub struct Engine {
    pub app: App,
    pub store: Arc<dyn Store>,
    pub tokens: Tokens,
    /// Identifies this process in claims and in `status`; new at every start.
    pub owner: String,
}

impl App {
    /// Reads mailings and templates, and renders every template with its samples: a typo is found now, not by readers.
    ///
    /// # Errors
    /// All that is wrong in the mailings; or the first template that does not render.
    pub fn new(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let mailings = jobs::load(&config, clock.now())?;
        let templates = Templates::load(config.templates.as_deref())?;
        context::check_all(&templates)?;
        page::check_all(&templates)?;
        let timeout = config.fetch.timeout.to_std().unwrap_or_default();
        let limits = FetchLimits {
            total: timeout,
            max_bytes: usize::try_from(config.fetch.max_bytes).unwrap_or(usize::MAX),
            ..FetchLimits::default()
        };
        let allowed = AllowedHosts::try_from(config.fetch.allow.clone())?;
        let fetcher = Fetcher::new(limits, allowed, concat!("semainier/", env!("CARGO_PKG_VERSION")))?;
        Ok(Self { config, clock, mailings, templates: Arc::new(templates), fetcher })
    }

    /// # Errors
    /// When there is no such mailing; the message names those there are.
    pub fn mailing(&self, id: &str) -> anyhow::Result<&Mailing> {
        self.mailings.iter().find(|mailing| mailing.id == id).ok_or_else(|| {
            let known: Vec<_> = self.mailings.iter().map(|m| m.id.as_str()).collect();
            anyhow!("there is no mailing {id:?}; expected one of {}", known.join(", "))
        })
    }

    /// The mailing's, or the office's where the mailing is not configured any more.
    pub fn zone_of(&self, mailing: &str) -> Tz {
        self.mailing(mailing).map_or(self.config.zone, |mailing| mailing.schedule.zone)
    }

    /// # Errors
    /// When none is configured.
    pub fn relay(&self) -> anyhow::Result<Relay> {
        let text = self.config.relay.as_ref().context(
            "no relay is configured, so nothing can be sent; write relay = \"smtp://host:port\" (or \"capture:outbox\" to \
             write the mails into a folder) in semainier.toml, or set SEMAINIER__RELAY",
        )?;
        Ok(Relay::parse(text.expose_secret(), self.config.relay_password.as_ref())?)
    }

    /// Whether there is a ledger to be opened; a server is always thought to have one.
    pub fn has_ledger(&self) -> bool {
        let path = self.config.database.expose_secret().strip_prefix("sqlite://");
        path.is_none_or(|path| Path::new(path.split('?').next().unwrap_or(path)).exists())
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// When the database cannot be opened, or another daemon has it and `access` is exclusive.
    pub async fn open(self, access: Access) -> anyhow::Result<Engine> {
        let url = self.config.database.expose_secret();
        let store = store::open(url, access).await?;
        let tokens = match (&self.config.secret, url.strip_prefix("sqlite://")) {
            (Some(secret), _) => Tokens::new(secret.clone()),
            (None, Some(path)) => Tokens::beside(Path::new(path))?,
            (None, None) => return Err(crate::tokens::SecretError::Missing.into()),
        }
        .with_link_keys(self.config.link_keys.clone());
        let app = self.with_shelf(&store);
        Ok(Engine { app, store, tokens, owner: uuid::Uuid::now_v7().to_string() })
    }

    /// Pages that were fetched are kept in this ledger.
    fn with_shelf(mut self, store: &Arc<dyn Store>) -> Self {
        self.fetcher.set_shelf(Arc::new(LedgerShelf { store: Arc::clone(store), clock: self.clock.clone() }));
        self
    }
}

/// Pages kept in the ledger, beside everything else that must survive a restart.
struct LedgerShelf {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl std::fmt::Debug for LedgerShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LedgerShelf({})", self.store.kind())
    }
}

#[async_trait::async_trait]
impl Shelf for LedgerShelf {
    async fn kept(&self, url: &Url) -> Option<Page> {
        let kept = self.store.kept_page(url.as_str()).await.inspect_err(not_kept).ok().flatten()?;
        let validators = Validators { etag: kept.etag, last_modified: kept.last_modified };
        Some(Page { url: url.clone(), text: kept.text, content_type: Some(kept.content_type), validators })
    }

    async fn keep(&self, page: &Page) {
        let kept = KeptPage {
            etag: page.validators.etag.clone(),
            last_modified: page.validators.last_modified.clone(),
            content_type: page.content_type.clone().unwrap_or_default(),
            text: page.text.clone(),
        };
        let _ = self.store.keep_page(page.url.as_str(), &kept, self.clock.now()).await.inspect_err(not_kept);
    }
}

fn not_kept(error: &store::StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "a fetched page could not be kept or read");
}

impl Engine {
    /// The same ledger, keys and owner under an [`App`] that was read anew.
    #[must_use]
    pub fn with_app(&self, app: App) -> Self {
        Self { app: app.with_shelf(&self.store), ..self.clone() }
    }

    /// What sends: one for as long as the process lives, so that what it learns is kept.
    ///
    /// # Errors
    /// When no relay is configured, or the system's trusted certificates cannot be read.
    pub fn deliverer(&self) -> anyhow::Result<Deliverer> {
        let delivery = &self.app.config.delivery;
        let default = Settings::default();
        let settings = Settings {
            connections: delivery.connections,
            messages_per_connection: delivery.messages_per_connection,
            lanes: self.app.config.lanes.clone(),
            timeouts: Timeouts {
                dot: delivery.dot_timeout.to_std().unwrap_or(default.timeouts.dot),
                ..default.timeouts
            },
            ..default
        };
        let outbox = Arc::new(FrozenOutbox::new(Arc::clone(&self.store), self.tokens.clone()));
        let (store, clock, owner) = (Arc::clone(&self.store), self.app.clock.clone(), self.owner.clone());
        Ok(Deliverer::new(store, outbox, self.app.relay()?, clock, settings, owner)?)
    }

    /// Whether nobody else may work on this database: then what is in flight at start is known to be nobody's.
    pub fn is_exclusive(&self) -> bool {
        self.store.kind() == "sqlite"
    }
}
