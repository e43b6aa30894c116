//! The web server. [`public`] has the pages for partners: no cookies, no scripts. [`console`] has the pages for staff, with
//! their own router and policy, for a listener of their own; [`api`] is for programs, on the same listener. [`metrics`] answers Prometheus on a listener of its own.
//!
//! Requests are logged by route: a token in a path is never logged.

mod answer;
pub mod api;
mod connections;
pub mod console;
mod metrics;
mod public;
mod server;

pub use metrics::serve_metrics;
pub use server::{Limits, Pages, serve};

use crate::app::Engine;
use crate::clock::Clock;
use crate::compose::page::PageSite;
use crate::config::Config;
use crate::store::Store;
use crate::templates::Templates;
use crate::tokens::Tokens;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::Notify;

/// The state shared by all handlers.
pub struct Site {
    store: Arc<dyn Store>,
    tokens: Tokens,
    clock: Clock,
    config: Config,
    templates: Arc<Templates>,
    /// Id and title of every mailing, as configured.
    mailings: Vec<(String, String)>,
    /// Ids of the mailings that publish weeks.
    weekly: Vec<String>,
    /// Titles, links and style common to all pages.
    frame: PageSite,
    style: answer::Kept,
    cache: public::PageCache,
    /// Notified when an order needs a confirmation.
    ordered: Arc<Notify>,
}

impl Site {
    /// `ordered`: notified when an order needs a confirmation.
    ///
    /// # Errors
    /// When the style sheet is missing from the templates, or the secret is not the ledger's.
    pub async fn new(engine: &Engine, ordered: Arc<Notify>) -> anyhow::Result<Self> {
        let app = &engine.app;
        let style = app.templates.file("web/style.css")?;
        let hash: String = Sha256::digest(&style).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let frame = PageSite { office: app.config.office.clone(), style: format!("/static/style-{hash}.css") };
        Ok(Self {
            store: Arc::clone(&engine.store),
            tokens: engine.tokens().await?.clone(),
            clock: app.clock.clone(),
            config: app.config.clone(),
            templates: Arc::clone(&app.templates),
            mailings: app.mailings.iter().map(|m| (m.id.clone(), m.title.clone())).collect(),
            weekly: app.mailings.iter().filter(|m| m.agenda().is_some()).map(|m| m.id.clone()).collect(),
            frame,
            style: answer::Kept::new("text/css; charset=utf-8", style.into_bytes()),
            cache: public::PageCache::default(),
            ordered,
        })
    }

    /// The title of a mailing; its id if it is no longer configured.
    fn title<'a>(&'a self, mailing: &'a str) -> &'a str {
        self.mailings.iter().find(|(id, _)| id == mailing).map_or(mailing, |(_, title)| title)
    }
}
