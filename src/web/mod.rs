//! The pages partners reach: the agenda of the week with its documents, what was sent, the page one leaves by, and the one
//! by which an edition is ordered.
//!
//! GET never changes anything; only a button does (POST), or a mail program's one-click (RFC 8058). No page needs
//! JavaScript, sets a cookie or fetches anything from elsewhere. A token is looked at before the database is, and is never
//! logged: a request is known by its route.

mod answer;
mod calendar;
mod leave;
mod order;
mod public;
mod server;
mod shelf;

pub use server::serve;

use crate::app::Engine;
use crate::clock::Clock;
use crate::compose::page::PageSite;
use crate::config::Config;
use crate::store::Store;
use crate::templates::Templates;
use crate::tokens::Tokens;
use axum::{
    Router,
    routing::{get, post},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::Notify;

/// The largest body a form of ours has, with room.
const LARGEST_FORM: usize = 16 * 1024;

/// Everything a request may need.
pub struct Site {
    store: Arc<dyn Store>,
    tokens: Tokens,
    clock: Clock,
    config: Config,
    templates: Arc<Templates>,
    /// Id and title of every mailing, as configured.
    mailings: Vec<(String, String)>,
    /// Titles, addresses and style that every page shows.
    frame: PageSite,
    style: answer::Kept,
    shelf: shelf::Shelf,
    /// Rung when somebody ordered something, which is to be confirmed.
    ordered: Arc<Notify>,
}

impl Site {
    /// `ordered`: rung when somebody ordered something.
    ///
    /// # Errors
    /// When the templates lack the style sheet.
    pub fn new(engine: &Engine, ordered: Arc<Notify>) -> anyhow::Result<Self> {
        let app = &engine.app;
        let style = app.templates.file("web/style.css")?;
        let hash: String = Sha256::digest(&style).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let frame = PageSite { office: app.config.office.clone(), style: format!("/static/style-{hash}.css") };
        Ok(Self {
            store: Arc::clone(&engine.store),
            tokens: engine.tokens.clone(),
            clock: app.clock.clone(),
            config: app.config.clone(),
            templates: Arc::clone(&app.templates),
            mailings: app.mailings.iter().map(|m| (m.id.clone(), m.title.clone())).collect(),
            frame,
            style: answer::Kept::new("text/css; charset=utf-8", style.into_bytes()),
            shelf: shelf::Shelf::default(),
            ordered,
        })
    }

    /// What people call it; its id where it is not configured any more.
    fn title<'a>(&'a self, mailing: &'a str) -> &'a str {
        self.mailings.iter().find(|(id, _)| id == mailing).map_or(mailing, |(_, title)| title)
    }
}

/// Every page there is. Whoever adds one adds it here.
fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(public::home))
        .route("/agenda", get(public::agenda))
        .route("/agenda/{week}", get(public::agenda_of))
        .route("/agenda/{week}/{document}", get(public::document))
        .route("/agenda.ics", get(public::calendar))
        .route("/agenda.json", get(public::feed))
        .route("/archives", get(public::archive))
        .route("/accessibilite", get(public::accessibility))
        .route("/v/{token}", get(public::view))
        .route("/u/{token}", get(leave::show))
        .route("/u/{token}", post(leave::act))
        .route("/o/{token}", get(order::show))
        .route("/o/{token}", post(order::act))
        .route("/editions/{file}", get(order::file))
        .route("/static/{name}", get(public::style))
        .route("/favicon.ico", get(public::icon))
        .route("/robots.txt", get(public::robots))
        .route("/healthz", get(public::healthy))
        .route("/readyz", get(public::ready))
        .fallback(public::nowhere)
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_FORM))
        .with_state(site)
}
