//! Bringing content in: from a source to domain types.

mod address;
pub mod article;
mod charset;
mod collect_error;
pub mod fetch;
mod fetch_error;
mod page;
pub mod source;
mod title;
mod wordpress;
