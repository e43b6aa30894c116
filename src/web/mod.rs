//! The web server. [`public`] has the pages that partners reach: no cookie, no script. Pages for staff would stand beside it,
//! with a router and a policy of their own.
//!
//! A request is logged by its route: a token in its path is never logged.

mod answer;
mod connections;
mod public;
mod server;

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

/// Everything a request may need.
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
    /// Titles, addresses and style that every page shows.
    frame: PageSite,
    style: answer::Kept,
    cache: public::PageCache,
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
            weekly: app.mailings.iter().filter(|m| m.agenda().is_some()).map(|m| m.id.clone()).collect(),
            frame,
            style: answer::Kept::new("text/css; charset=utf-8", style.into_bytes()),
            cache: public::PageCache::default(),
            ordered,
        })
    }

    /// What people call it; its id where it is not configured any more.
    fn title<'a>(&'a self, mailing: &'a str) -> &'a str {
        self.mailings.iter().find(|(id, _)| id == mailing).map_or(mailing, |(_, title)| title)
    }
}
