//! Collects content: from sources to domain types.
//!
//! `source` is the entry point. Articles come from `wordpress` and `page`; news from `feed`, `posts` and `folder`;
//! listings from `ical` (with `content_lines`), `events_calendar` and `json_ld`, which share `listed`. `fetch` is the
//! only access to the network; `address`, `charset` and `html` guard against hostile responses; `plain` and `dates`
//! convert values to texts and instants.

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
mod html_to_text;
mod ical;
mod json_ld;
mod language;
mod lenient_json;
mod openagenda;
mod page;
mod periods;
mod posts;
mod recurrence;
pub mod remarks;
mod sessions;
pub mod source;
mod title;
pub mod tourinsoft;
mod wordpress;
mod wordpress_api;
mod zones;
