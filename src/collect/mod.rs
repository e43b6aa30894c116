//! Bringing content in: from a source to domain types.
//!
//! `source` is the way in. The article comes by `wordpress` and `page`; news by `feed`, `posts` and `folder`; listings by
//! `ical` (over `content_lines`), `events_calendar` and `json_ld`, which share `listed`. `fetch` is the only way out to the
//! network, and `address`, `charset` and `html` are what protects us from what comes back; `plain` and `dates` make it
//! words and instants.

mod address;
mod apidae;
pub mod article;
pub(crate) mod charset;
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
mod recurrence;
pub mod remarks;
pub mod source;
mod title;
pub mod tourinsoft;
mod wordpress;
mod wordpress_api;
mod zones;
