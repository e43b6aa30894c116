//! From an agenda to what people get: the mail's texts, the message's bytes, the printed page.
//!
//! Composing never touches the network, the database or a clock: the same input gives the same bytes.

pub mod context;
pub mod mime;
pub mod page;
pub mod print;
pub mod rows;
