//! The pages for partners: the week of each weekly mailing with its documents, the archive, the page to unsubscribe, and the
//! page to order an edition.
//!
//! GET never changes anything; a button (POST) does, or a mail program's one-click (RFC 8058). No page needs JavaScript,
//! sets a cookie or loads anything from other hosts. A token is verified before the database is accessed.

mod agenda;
mod cache;
mod calendar;
mod leave;
mod order;

pub(super) use agenda::filled;
pub(super) use cache::PageCache;

use super::Site;
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;

/// Larger than any body of our forms.
const LARGEST_FORM: usize = 16 * 1024;

/// Every public page. Add new pages here.
pub(super) fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(agenda::home))
        // The id of a weekly mailing, or its calendar (.ics) or feed (.json).
        .route("/{name}", get(agenda::weekly))
        .route("/{mailing}/{week}", get(agenda::agenda_of))
        .route("/{mailing}/{week}/{document}", get(agenda::document))
        .route("/archives", get(agenda::archive))
        .route("/accessibilite", get(agenda::accessibility))
        .route("/v/{token}", get(agenda::view))
        // The personal links of a test; RFC 8058 posts to the first.
        .route("/u/essai", get(agenda::of_a_test).post(agenda::of_a_test))
        .route("/o/essai", get(agenda::of_a_test).post(agenda::of_a_test))
        .route("/u/{token}", get(leave::show))
        .route("/u/{token}", post(leave::act))
        .route("/o/{token}", get(order::show))
        .route("/o/{token}", post(order::act))
        .route("/editions/{file}", get(order::file))
        .route("/static/{name}", get(agenda::style))
        .route("/favicon.ico", get(agenda::icon))
        .route("/robots.txt", get(agenda::robots))
        .route("/healthz", get(agenda::healthy))
        .route("/readyz", get(agenda::ready))
        .fallback(agenda::nowhere)
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_FORM))
        .with_state(site)
}
