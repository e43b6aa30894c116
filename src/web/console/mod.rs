//! The pages for staff: what leaves tonight, issues, the journal, persons, what is to come, lanes, editions, orders, settings.
//!
//! Every page is whole without a script; `console.js` only makes it live. Filters are the address, every number leads to its
//! rows. GET changes nothing. Nothing here answers on `public_url`.

mod follow;
mod gate;
mod pages;

use self::follow::Watchers;
use crate::accounts::{Language, Viewer};
use crate::app::Engine;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::jobs::Mailing;
use crate::store::{Store, StoreError};
use crate::templates::Templates;
use crate::views::console::Reading;
use crate::web::answer::{self, Answer, Keep, Kept};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use pages::people::Names;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// The state shared by all handlers.
pub struct Console {
    store: Arc<dyn Store>,
    config: Config,
    mailings: Vec<Mailing>,
    templates: Arc<Templates>,
    clock: Clock,
    style: (String, Kept),
    script: (String, Kept),
    names: Names,
    watchers: Watchers,
    /// Streams end when it is cancelled.
    stop: CancellationToken,
}

/// Common to all pages.
#[derive(Debug, Serialize)]
struct Site<'a> {
    office: &'a str,
    /// The name of the viewer; `None` where nobody is known.
    viewer: Option<&'a str>,
    style: &'a str,
    script: &'a str,
    nav: Vec<NavItem>,
}

#[derive(Debug, Serialize)]
struct NavItem {
    href: &'static str,
    /// Of its text.
    key: &'static str,
    current: bool,
}

/// The sections, as the navigation shows them.
const SECTIONS: [(&str, &str); 8] = [
    ("/", "nav_tonight"),
    ("/envois", "nav_issues"),
    ("/a-venir", "nav_coming"),
    ("/journal", "nav_journal"),
    ("/partenaires", "nav_partners"),
    ("/editions", "nav_editions"),
    ("/commandes", "nav_orders"),
    ("/voies", "nav_lanes"),
];

impl Console {
    /// # Errors
    /// If the style sheet or the script is missing from the templates.
    pub fn new(engine: &Engine, stop: CancellationToken) -> anyhow::Result<Self> {
        let app = &engine.app;
        let file = |name: &str, extension: &str, media_type| -> anyhow::Result<_> {
            let text = app.templates.file(name)?;
            let hash: String = Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            Ok((format!("/static/console-{hash}.{extension}"), Kept::new(media_type, text.into_bytes())))
        };
        Ok(Self {
            store: Arc::clone(&engine.store),
            config: app.config.clone(),
            mailings: app.mailings.clone(),
            templates: Arc::clone(&app.templates),
            clock: app.clock.clone(),
            style: file("console/style.css", "css", "text/css; charset=utf-8")?,
            script: file("console/console.js", "js", "text/javascript; charset=utf-8")?,
            names: Names::default(),
            watchers: Watchers::default(),
            stop,
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn reading(&self) -> Reading<'_> {
        Reading { store: &*self.store, config: &self.config, mailings: &self.mailings, now: self.now() }
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
        let nav = SECTIONS.map(|(href, key)| NavItem { href, key, current: href == section });
        let site = Site {
            office: &self.config.office.name,
            viewer: viewer.map(|viewer| viewer.name.as_str()),
            style: &self.style.0,
            script: &self.script.0,
            nav: if viewer.is_some() { nav.into() } else { Vec::new() },
        };
        let language = viewer.map_or(Language::French, |viewer| viewer.language);
        match self.templates.console(name, language.as_str(), &site, page) {
            Ok(html) => answer::console(status, html),
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "a page of the console cannot be rendered");
                answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Cette page ne peut pas être affichée.\n")
            }
        }
    }

    /// A title and a sentence: `message_KEY_title`, `message_KEY`.
    fn message(&self, viewer: &Viewer, status: StatusCode, key: &str) -> Answer {
        self.shown(status, Some(viewer), "", "message", &Message::new(key))
    }

    fn nowhere(&self, viewer: &Viewer) -> Answer {
        self.message(viewer, StatusCode::NOT_FOUND, "nowhere")
    }

    /// The database failed: the page is served all the same, and says what did not happen.
    fn broken(&self, viewer: &Viewer, error: &StoreError) -> Answer {
        error!(error = error as &dyn std::error::Error, "a page of the console cannot be answered");
        self.message(viewer, StatusCode::SERVICE_UNAVAILABLE, "broken")
    }

    /// Nobody can log in yet.
    fn closed(&self) -> Answer {
        self.shown(StatusCode::UNAUTHORIZED, None, "", "message", &Message::new("closed"))
    }
}

#[derive(Debug, Serialize)]
struct Message {
    title: String,
    text: String,
}

impl Message {
    fn new(key: &str) -> Self {
        Self { title: format!("message_{key}_title"), text: format!("message_{key}") }
    }
}

/// Every route. Without an account nobody is a viewer, so each page is closed.
pub fn routes(console: Arc<Console>) -> Router {
    gate::guarded(pages::routes(), &console).route("/static/{name}", get(statics)).fallback(nowhere).with_state(console)
}

async fn statics(State(console): State<Arc<Console>>, Path(name): Path<String>, asked: HeaderMap) -> Answer {
    let kept = [&console.style, &console.script];
    match kept.into_iter().find(|(path, _)| path.strip_prefix("/static/") == Some(&name)) {
        Some((_, kept)) => kept.answer(&asked, Keep::Forever),
        None => answer::text(StatusCode::NOT_FOUND, "\n"),
    }
}

async fn nowhere(State(console): State<Arc<Console>>, viewer: Option<axum::Extension<Viewer>>) -> Answer {
    match viewer {
        Some(axum::Extension(viewer)) => console.nowhere(&viewer),
        None => console.closed(),
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
