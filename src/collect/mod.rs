//! Bringing content in: from a source to domain types.
//!
//! `source` is the way in; `wordpress` and `page` know the shapes of sites; `fetch` is the only way out to the
//! network, and `address`, `charset` and `html` are what protects us from what comes back.

mod address;
mod apidae;
pub mod article;
mod charset;
mod collect_error;
mod content_lines;
mod datatourisme;
mod dates;
mod events_calendar;
mod feed;
pub mod fetch;
mod fetch_error;
mod folder;
pub mod html;
mod ical;
mod json_ld;
mod listed;
mod loose;
mod openagenda;
mod page;
mod periods;
mod plain;
mod posts;
pub mod source;
mod title;
pub mod tourinsoft;
mod wordpress;
mod wordpress_api;
