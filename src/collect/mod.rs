//! Bringing content in: from a source to domain types.

mod address;
mod charset;
mod collect_error;
pub mod fetch;
mod fetch_error;
pub mod html;
mod page;
pub mod source;
mod title;
mod wordpress;
