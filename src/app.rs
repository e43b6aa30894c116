//! The composition root: wires the parts together at start.

use crate::clock::Clock;
use crate::collect::fetch::{AllowedHosts, FetchLimits, Fetcher, Page, PageCache, Validators};
use crate::compose::{context, page};
use crate::config::Config;
use crate::deliver::{Deliverer, Relay, Settings, Timeouts};
use crate::inbound::Inbox;
use crate::jobs::{self, Mailing};
use crate::outbox::FrozenOutbox;
use crate::secret::{SecretError, SecretPlace, absolute, read_link_keys};
use crate::store::{self, Access, KeptPage, Store};
use crate::templates::Templates;
use crate::tokens::Tokens;
use anyhow::Context;
use chrono_tz::Tz;
use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::OnceCell;
use url::Url;

/// So many contacts are looked at, the newest, where a ledger has no check value of its secret yet.
const SAMPLE: u32 = 1000;

/// No mailing has this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no mailing {id:?}; expected one of {}", known.join(", "))]
pub struct NoSuchMailing {
    pub id: String,
    /// Ids of the existing ones.
    pub known: Vec<String>,
}

/// Everything for collecting and composing, without a ledger.
#[derive(Debug, Clone)]
pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub mailings: Vec<Mailing>,
    pub templates: Arc<Templates>,
    pub fetcher: Fetcher,
}

/// An [`App`] with a ledger: can freeze, send and show.
#[derive(Clone)]
pub struct Engine {
    pub app: App,
    pub store: Arc<dyn Store>,
    /// Met at the first use; see [`Self::tokens`].
    tokens: Arc<OnceCell<Tokens>>,
    /// Identifies this process in claims and in `status`; new at every start.
    pub owner: String,
}

impl App {
    /// Reads mailings and templates, and renders every template with its samples, so that errors are found at start.
    ///
    /// # Errors
    /// All problems of the mailings; or the first template that does not render.
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
    /// If there is no such mailing; the message lists the existing ones.
    pub fn mailing(&self, id: &str) -> Result<&Mailing, NoSuchMailing> {
        let known = || self.mailings.iter().map(|mailing| mailing.id.clone()).collect();
        let found = self.mailings.iter().find(|mailing| mailing.id == id);
        found.ok_or_else(|| NoSuchMailing { id: id.to_owned(), known: known() })
    }

    /// The zone of the mailing, or of the office if the mailing is no longer configured.
    pub fn zone_of(&self, mailing: &str) -> Tz {
        self.mailing(mailing).map_or(self.config.zone, |mailing| mailing.schedule.zone)
    }

    /// # Errors
    /// If none is configured.
    pub fn relay(&self) -> anyhow::Result<Relay> {
        let text = self.config.relay.as_ref().context(
            "no relay is configured, so nothing can be sent; write relay = \"smtp://host:port\" (or \"capture:outbox\" to \
             write the mails into a folder) in semainier.toml, or set SEMAINIER__RELAY",
        )?;
        let password = self.config.read_relay_password().context("relay_password_file")?;
        let mut relay = Relay::parse(text.expose_secret(), password.as_ref())?;
        if let Relay::Smtp(relay) = &mut relay {
            relay.hello.clone_from(&self.config.delivery.hello);
        }
        Ok(relay)
    }

    /// Whether a ledger exists; a database server is assumed to have one.
    pub fn has_ledger(&self) -> bool {
        self.config.database_file().is_none_or(Path::exists)
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// If the database cannot be opened, or another daemon holds it and `access` is exclusive.
    pub async fn open(self, access: Access) -> anyhow::Result<Engine> {
        let url = self.config.database.expose_secret();
        let store = store::open(url, access).await?;
        let app = self.with_page_cache(&store);
        Ok(Engine { app, store, tokens: Arc::default(), owner: uuid::Uuid::now_v7().to_string() })
    }

    /// Stores fetched pages in this ledger.
    fn with_page_cache(mut self, store: &Arc<dyn Store>) -> Self {
        self.fetcher.set_page_cache(Arc::new(LedgerPageCache { store: Arc::clone(store), clock: self.clock.clone() }));
        self
    }
}

/// The cache of fetched pages in the ledger.
struct LedgerPageCache {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl std::fmt::Debug for LedgerPageCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LedgerPageCache({})", self.store.kind())
    }
}

#[async_trait::async_trait]
impl PageCache for LedgerPageCache {
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
        Self { app: app.with_page_cache(&self.store), ..self.clone() }
    }

    /// The hashes and links of this ledger. Read and compared with the ledger's check value at the first use, so that commands
    /// that only look need no secret.
    ///
    /// A ledger that has met none takes the first for its own; where it has contacts, only one by which they are known. A secret
    /// is made only beside a new SQLite file, never where the ledger has a check value or anything kept by hash.
    ///
    /// # Errors
    /// [`SecretError`] when there is none, or another than the ledger's; or a database that cannot be read or written.
    pub async fn tokens(&self) -> anyhow::Result<&Tokens> {
        self.tokens.get_or_try_init(|| self.meet_the_secret()).await
    }

    async fn meet_the_secret(&self) -> anyhow::Result<Tokens> {
        let place = self.app.config.secret_place();
        let known = self.store.secret_check().await?;
        let secret = match place.read()? {
            Some(secret) => secret,
            None if known.is_some() || self.store.holds_hashes().await? => {
                return Err(SecretError::Lost { path: place.file() }.into());
            }
            None => place.make()?,
        };
        let tokens = Tokens::new(secret);
        let known = match known {
            Some(known) => known,
            None if self.knows_its_contacts_by(&tokens).await? => {
                tracing::info!("the ledger keeps a check value of its secret from now on");
                self.store.keep_secret_check(&tokens.check_value()).await?
            }
            None => String::new(),
        };
        if known != tokens.check_value() {
            let (hint, place) = (self.hint_of_the_right_one(&place, &known).await?, place);
            return Err(SecretError::NotTheOne { place: place.place(), file: place.file(), hint }.into());
        }
        let keys = self.app.config.link_keys_file.as_deref().map(read_link_keys).transpose()?;
        Ok(tokens.with_link_keys(keys.unwrap_or_default()))
    }

    /// A ledger of before there was a check value: whether its contacts, if it has any, were hashed with this secret.
    async fn knows_its_contacts_by(&self, tokens: &Tokens) -> anyhow::Result<bool> {
        let sample = self.store.hashed_addresses(SAMPLE).await?;
        Ok(sample.is_empty() || sample.iter().any(|(address, hash)| tokens.address_hash(address) == *hash))
    }

    /// The secret that was made with an SQLite file is often still beside it when another one is configured.
    async fn hint_of_the_right_one(&self, place: &SecretPlace, known: &str) -> anyhow::Result<String> {
        let beside = self.app.config.database_file().map(|file| file.with_extension("secret"));
        let Some(beside) = beside.filter(|_| !matches!(place, SecretPlace::Beside(_))) else {
            return Ok(String::new());
        };
        let Ok(secret) = crate::secret::read(&beside) else { return Ok(String::new()) };
        let tokens = Tokens::new(secret);
        let is_it = match known {
            "" => self.knows_its_contacts_by(&tokens).await?,
            known => tokens.check_value() == known,
        };
        let hint = format!(" (the right one is {}: copy it there)", absolute(&beside));
        Ok(if is_it { hint } else { String::new() })
    }

    /// What takes in messages that come back.
    ///
    /// # Errors
    /// As [`Self::tokens`].
    pub async fn inbox(&self) -> anyhow::Result<Inbox<'_>> {
        let soft_limit = self.app.config.inbound.soft_limit;
        let lanes = &self.app.config.lanes;
        Ok(Inbox { store: &*self.store, tokens: self.tokens().await?, soft_limit, lanes })
    }

    /// Creates the deliverer: one for the lifetime of the process, so that it keeps what it learns.
    ///
    /// # Errors
    /// If no relay is configured, the secret is not the ledger's ([`Self::tokens`]), a DKIM key cannot be used, or the system's
    /// trusted certificates cannot be read.
    pub async fn deliverer(&self) -> anyhow::Result<Deliverer> {
        let delivery = &self.app.config.delivery;
        let default = Settings::default();
        let settings = Settings {
            connections: delivery.connections,
            canary: delivery.canary,
            messages_per_connection: delivery.messages_per_connection,
            lanes: self.app.config.lanes.clone(),
            authorities: self.app.config.relay_ca.clone(),
            soft_limit: self.app.config.inbound.soft_limit,
            timeouts: Timeouts {
                dot: delivery.dot_timeout.to_std().unwrap_or(default.timeouts.dot),
                ..default.timeouts
            },
            ..default
        };
        self.app.config.dkim.load()?;
        let outbox = Arc::new(FrozenOutbox::new(
            Arc::clone(&self.store),
            self.tokens().await?.clone(),
            self.app.config.dkim.clone(),
        ));
        let (store, clock, owner) = (Arc::clone(&self.store), self.app.clock.clone(), self.owner.clone());
        Ok(Deliverer::new(store, outbox, self.app.relay()?, clock, settings, owner)?)
    }

    /// Whether no other process can use this database: then deliveries in flight at start belong to a dead process.
    pub fn is_exclusive(&self) -> bool {
        self.store.kind() == "sqlite"
    }
}
