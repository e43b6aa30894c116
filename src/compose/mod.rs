//! From an agenda or a letter to what people get: the mail's texts, the message's bytes, the printed page.
//!
//! Composing never touches the network, the database or a clock: the same input gives the same bytes.

pub mod context;
pub mod edition;
pub mod markdown;
pub mod mime;
pub mod newsletter;
pub mod page;
pub mod picture;
pub mod print;
mod quoted;
pub mod rows;
