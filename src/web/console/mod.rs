//! The pages for staff: what leaves tonight, issues, the journal, persons, what is to come, lanes, editions, orders, settings.
//!
//! Every page is whole without a script; `console.js` only makes it live. Filters are the address, every number leads to its
//! rows. GET changes nothing. Nothing here answers on `public_url`.

mod again;
mod cached;
mod cookies;
mod follow;
mod gate;
mod integrations;
mod login;
mod me;
mod pages;
mod upload;
mod users;

pub use again::Keeps;
pub use gate::Asks;
pub(in crate::web) use gate::client;

use self::{cached::Caches, follow::Watchers, gate::Route};
use crate::accounts::{Language, Permission, Viewer, password::Passwords};
use crate::actions::{ActionError, Actor, accounts::login::Client};
use crate::app::Engine;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::jobs::Mailing;
use crate::store::{Store, StoreError};
use crate::views::console::{Reading, When};
use crate::web::answer::{self, Answer, Keep, Kept};
use crate::web::api;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    routing::{any, get},
};
use pages::preview::Printed;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::error;

/// The state shared by all handlers.
pub struct Console {
    engine: Engine,
    /// Wakes the daemon's sender.
    wake: Arc<Notify>,
    style: (String, Kept),
    script: (String, Kept),
    caches: Caches,
    printed: Printed,
    watchers: Watchers,
    /// Forms with files that are in memory at the same time.
    uploads: Arc<Semaphore>,
    passwords: Passwords,
    /// Scheme, host and port that people reach it by; `None` in tests of the pages alone.
    origin: Option<String>,
    /// Begin of the present second, and the logins in it.
    logins: Mutex<Option<(Instant, u32)>>,
    most_logins: u32,
    /// The routes that keep what was typed when the session is over.
    kept: Vec<(&'static str, Keeps)>,
    /// Streams end when it is cancelled.
    stop: CancellationToken,
}

/// Logins looked at within a second, of all clients together: each takes 19 MiB and a processor for a while.
const MOST_LOGINS: u32 = 20;
/// Forms with files in memory at once; each holds at most 28 MB of them.
const MOST_UPLOADS: usize = 2;

/// Common to all pages.
#[derive(Debug, Serialize)]
struct Site<'a> {
    office: &'a str,
    /// The name of the viewer; `None` without a session.
    viewer: Option<&'a str>,
    /// Of every form.
    form_token: &'a str,
    /// When the session ends unless it is used.
    ends: Option<Ends>,
    /// The roles of the viewer.
    may: Vec<&'static str>,
    /// Whether the viewer administers accounts.
    administers: bool,
    /// A message without a session: it links to the login.
    to_login: bool,
    style: &'a str,
    script: &'a str,
    nav: Vec<NavItem>,
}

/// The end of a session.
#[derive(Debug, Serialize)]
struct Ends {
    seconds: i64,
    at: When,
}

#[derive(Debug, Serialize)]
struct NavItem {
    href: &'static str,
    /// Of its text.
    key: &'static str,
    current: bool,
}

/// The sections, as the navigation shows them.
const SECTIONS: [(&str, &str); 9] = [
    ("/", "nav_tonight"),
    ("/envois", "nav_issues"),
    ("/a-venir", "nav_coming"),
    ("/journal", "nav_journal"),
    ("/partenaires", "nav_partners"),
    ("/editions", "nav_editions"),
    ("/commandes", "nav_orders"),
    ("/voies", "nav_lanes"),
    ("/trace", "nav_trace"),
];

impl Console {
    /// # Errors
    /// If the style sheet or the script is missing from the templates.
    pub fn new(engine: &Engine, wake: Arc<Notify>, stop: CancellationToken) -> anyhow::Result<Self> {
        let app = &engine.app;
        let file = |name: &str, extension: &str, media_type| -> anyhow::Result<_> {
            let text = app.templates.file(name)?;
            let hash: String = Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            Ok((format!("/static/console-{hash}.{extension}"), Kept::new(media_type, text.into_bytes())))
        };
        Ok(Self {
            engine: engine.clone(),
            wake,
            style: file("console/style.css", "css", "text/css; charset=utf-8")?,
            script: file("console/console.js", "js", "text/javascript; charset=utf-8")?,
            caches: Caches::default(),
            printed: Printed::default(),
            watchers: Watchers::default(),
            uploads: Arc::new(Semaphore::new(MOST_UPLOADS)),
            passwords: Passwords::default(),
            origin: app.config.console.url.as_ref().map(|_| app.config.console.origin(None)),
            logins: Mutex::default(),
            most_logins: MOST_LOGINS,
            kept: kept_fields(),
            stop,
        })
    }

    /// Where it listens: its address, unless another one is configured.
    #[must_use]
    pub fn bound(mut self, address: SocketAddr) -> Self {
        self.origin = Some(self.config().console.origin(Some(address)));
        self
    }

    /// Logins looked at within a second, instead of 20: for tests.
    #[must_use]
    pub fn most_logins(self, most_logins: u32) -> Self {
        Self { most_logins, ..self }
    }

    pub(super) fn trusted_proxies(&self) -> Vec<std::net::IpAddr> {
        self.config().web.trusted_proxies.clone()
    }

    /// How often a password was hashed: for tests.
    pub fn password_runs(&self) -> u64 {
        self.passwords.runs()
    }

    fn session_cookie(&self) -> &'static str {
        cookies::SESSION[usize::from(self.is_https())]
    }

    fn device_cookie(&self) -> &'static str {
        cookies::DEVICE[usize::from(self.is_https())]
    }

    fn is_https(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.starts_with("https:"))
    }

    /// Whether the request names our host: another name for our address would be another site to browsers.
    fn is_addressed(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = &self.origin else { return true };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        origin.split_once("://").is_some_and(|(_, known)| known.eq_ignore_ascii_case(host))
    }

    /// Whether one more login is looked at in this second.
    fn has_room(&self) -> bool {
        let now = Clock::monotonic();
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *logins {
            Some((since, n)) if now - *since < Duration::from_secs(1) => {
                *n += 1;
                *n <= self.most_logins
            }
            other => {
                *other = Some((now, 1));
                true
            }
        }
    }

    fn actor(&self, viewer: &Viewer, client: &Client) -> Actor {
        Actor::of_user(&viewer.user, &viewer.name, client.request_id.clone(), &client.network)
    }

    fn store(&self) -> &dyn Store {
        &*self.engine.store
    }

    fn config(&self) -> &Config {
        &self.engine.app.config
    }

    fn mailings(&self) -> &[Mailing] {
        &self.engine.app.mailings
    }

    fn now(&self) -> Timestamp {
        self.engine.app.clock.now()
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            store: self.store(),
            config: self.config(),
            mailings: self.mailings(),
            now: self.now(),
            sizes: Some(self.caches.sizes()),
        }
    }

    /// `section`: the address of the navigation's entry that the page belongs to.
    fn page(&self, viewer: &Viewer, section: &str, name: &str, page: &impl Serialize) -> Answer {
        self.shown(StatusCode::OK, Some(viewer), section, name, page)
    }

    fn shown(
        &self,
        status: StatusCode,
        viewer: Option<&Viewer>,
        section: &str,
        name: &str,
        page: &impl Serialize,
    ) -> Answer {
        let language = viewer.map_or(Language::French, |viewer| viewer.language);
        self.rendered(status, viewer, language, section, name, page)
    }

    /// For somebody who is not logged in, and whose language is known all the same.
    fn shown_in(&self, status: StatusCode, language: Language, name: &str, page: &impl Serialize) -> Answer {
        self.rendered(status, None, language, "", name, page)
    }

    fn rendered(
        &self,
        status: StatusCode,
        viewer: Option<&Viewer>,
        language: Language,
        section: &str,
        name: &str,
        page: &impl Serialize,
    ) -> Answer {
        let nav = SECTIONS.map(|(href, key)| NavItem { href, key, current: href == section });
        let site = Site {
            office: &self.config().office.name,
            viewer: viewer.map(|viewer| viewer.name.as_str()),
            form_token: viewer.map_or("", |viewer| viewer.form_token.as_str()),
            ends: viewer.and_then(|viewer| viewer.ends).map(|at| self.ends(at)),
            may: viewer.map(|viewer| viewer.roles.iter().map(Permission::as_str).collect()).unwrap_or_default(),
            administers: viewer.is_some_and(|viewer| viewer.roles.may(Permission::Administer)),
            to_login: viewer.is_none() && name == "message",
            style: &self.style.0,
            script: &self.script.0,
            nav: if viewer.is_some() { nav.into() } else { Vec::new() },
        };
        match self.engine.app.templates.console(name, language.as_str(), &site, page) {
            Ok(html) => answer::console(status, html),
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "a page of the console cannot be rendered");
                answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Cette page ne peut pas être affichée.\n")
            }
        }
    }

    fn ends(&self, at: Timestamp) -> Ends {
        let now = self.now();
        Ends { seconds: (at - now).num_seconds().max(0), at: When::new(at, now, self.config().zone) }
    }

    /// A title and a sentence: `message_KEY_title`, `message_KEY`.
    fn message(&self, viewer: &Viewer, status: StatusCode, key: &str) -> Answer {
        self.tell(Some(viewer), status, key)
    }

    /// The same, also to somebody who is not logged in.
    fn tell(&self, viewer: Option<&Viewer>, status: StatusCode, key: &str) -> Answer {
        self.shown(status, viewer, "", "message", &Message::new(key))
    }

    fn nowhere(&self, viewer: &Viewer) -> Answer {
        self.message(viewer, StatusCode::NOT_FOUND, "nowhere")
    }

    /// The database failed: the page is served all the same, and says what did not happen.
    fn broken(&self, viewer: &Viewer, error: &StoreError) -> Answer {
        self.unavailable(Some(viewer), error)
    }

    /// The same, also to somebody who is not logged in.
    fn unavailable(&self, viewer: Option<&Viewer>, error: &StoreError) -> Answer {
        error!(error = error as &dyn std::error::Error, "a page of the console cannot be answered");
        self.tell(viewer, StatusCode::SERVICE_UNAVAILABLE, "broken")
    }

    /// An action failed, or was refused where its page shows no refusal.
    fn not_done(&self, viewer: &Viewer, error: ActionError) -> Answer {
        if let ActionError::Refused(refusal) = &error {
            let message = Message { refused: Some(refusal.in_french()), ..Message::new("refused") };
            return self.shown(StatusCode::CONFLICT, Some(viewer), "", "message", &message);
        }
        let error = anyhow::Error::from(error);
        error!(error = format!("{error:#}"), "an action of the console was not done");
        self.message(viewer, StatusCode::SERVICE_UNAVAILABLE, "broken")
    }

    /// Nobody can log in yet.
    fn closed(&self) -> Answer {
        self.tell(None, StatusCode::UNAUTHORIZED, "closed")
    }
}

/// Number of the section with exactly this address.
fn page_of(path: &str) -> Option<usize> {
    SECTIONS.iter().position(|(href, _)| *href == path)
}

/// Its address; « Ce soir » for any other number. A login leads to pages of this list alone, never to an address in a request.
fn page_at(number: usize) -> &'static str {
    SECTIONS.get(number).map_or("/", |(href, _)| href)
}

#[derive(Debug, Serialize)]
struct Message {
    title: String,
    text: String,
    /// Why an action was refused, in French.
    refused: Option<String>,
}

impl Message {
    fn new(key: &str) -> Self {
        Self { title: format!("message_{key}_title"), text: format!("message_{key}"), refused: None }
    }
}

/// Every route with what it asks for.
fn all_routes() -> Vec<Route> {
    use gate::{GET, POST, open, route};
    let (see, administer) = (Permission::See, Permission::Administer);
    let mut all = pages::routes();
    all.extend([
        open(GET, "/connexion", Asks::Nothing, login::show),
        open(POST, "/connexion", Asks::Nothing, login::act),
        open(GET, "/connexion/code", Asks::HalfALogin, login::show_code),
        open(POST, "/connexion/code", Asks::HalfALogin, login::act_code),
        open(GET, "/invitation/{token}", Asks::Nothing, login::invitation),
        open(POST, "/invitation/{token}", Asks::Nothing, login::accept),
        route(POST, "/deconnexion", see, login::leave),
        route(GET, "/moi", see, me::show),
        route(POST, "/moi/mot-de-passe", see, me::password),
        route(POST, "/moi/langue", see, me::language),
        route(POST, "/moi/sessions", see, me::close),
        route(GET, "/moi/session", see, me::session),
        route(GET, "/moi/second-facteur", see, me::show_factor).proven("factor"),
        route(POST, "/moi/second-facteur", see, me::factor).proven("factor"),
        route(POST, "/moi/codes", see, me::new_codes).proven("codes"),
        route(GET, "/moi/confirmer", see, me::show_confirm),
        route(POST, "/moi/confirmer", see, me::confirm),
        route(GET, "/utilisateurs", administer, users::show),
        route(POST, "/utilisateurs", administer, users::act).keeps(users::KEEPS).proven("users"),
        route(GET, "/jetons", administer, integrations::show_tokens),
        route(POST, "/jetons", administer, integrations::act_tokens).keeps(integrations::TOKEN_KEEPS).proven("tokens"),
        route(GET, "/webhooks", administer, integrations::show_webhooks),
        route(POST, "/webhooks", administer, integrations::act_webhooks)
            .keeps(integrations::WEBHOOK_KEEPS)
            .proven("webhooks"),
        route(GET, "/webhooks/{id}", administer, integrations::show_webhook),
    ]);
    all
}

/// What is said after an exception was made or withdrawn: the ends of the keys of texts.
#[cfg(test)]
pub fn done_of_exceptions() -> impl Iterator<Item = &'static str> {
    pages::exceptions::DONE.into_iter()
}

/// Path, whether it is a POST, and what it asks for: of every route.
pub fn declared() -> Vec<(&'static str, bool, Asks)> {
    all_routes().iter().map(|it| (it.path, it.changes(), it.asks)).collect()
}

/// What forms show again after a login: path, and the names of the fields.
pub fn kept_fields() -> Vec<(&'static str, Keeps)> {
    let all = all_routes();
    all.iter().filter(|it| !it.keeps.texts.is_empty()).map(|it| (it.path, it.keeps)).collect()
}

/// The console. As long as there is no account it is closed.
pub fn routes(console: Arc<Console>) -> Router {
    let guarded = gate::guarded(all_routes(), &console).fallback(nowhere);
    // By which a page is shown instead of an answer: see [`again`].
    let pages: Router = guarded.clone().with_state(Arc::clone(&console));
    let entered = axum::middleware::from_fn_with_state((Arc::clone(&console), pages), gate::enter);
    guarded
        .layer(entered)
        .route("/static/{name}", get(statics))
        // Behind its own gate: a session opens nothing there, and a token nothing here.
        .nest("/api/v1", api::routes(&console.engine))
        .route("/api", any(api::nowhere))
        .route("/api/{*path}", any(api::nowhere))
        // Every browser asks for it, and it does not exist.
        .route("/favicon.ico", get(async || answer::nothing(Keep::Minutes)))
        .with_state(console)
}

async fn statics(State(console): State<Arc<Console>>, Path(name): Path<String>, asked: HeaderMap) -> Answer {
    let kept = [&console.style, &console.script];
    match kept.into_iter().find(|(path, _)| path.strip_prefix("/static/") == Some(&name)) {
        Some((_, kept)) => kept.answer(&asked, Keep::Forever),
        None => answer::text(StatusCode::NOT_FOUND, "\n"),
    }
}

async fn nowhere(
    State(console): State<Arc<Console>>,
    viewer: Option<axum::Extension<Viewer>>,
    method: Method,
    uri: Uri,
) -> Answer {
    match viewer {
        Some(axum::Extension(viewer)) => console.nowhere(&viewer),
        None => console.unknown(&method, uri.path(), None).await,
    }
}

/// Serves the console as one viewer sees it, without a login: for tests of the pages.
#[cfg(feature = "failpoints")]
pub async fn serve_as(
    console: Arc<Console>,
    viewer: Option<Viewer>,
    listener: tokio::net::TcpListener,
) -> std::io::Result<()> {
    let stop = console.stop.clone();
    let routes = match viewer {
        Some(viewer) => routes(console).layer(axum::Extension(viewer)),
        None => routes(console),
    };
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}
