//! Renders an agenda or a letter: the texts of the mail, the bytes of messages, the printed pages.
//!
//! Composing never touches the network, the database or a clock: the same input gives the same bytes.

pub mod context;
pub mod edition;
pub mod erratum;
pub mod markdown;
pub mod mime;
pub mod newsletter;
pub mod orders;
pub mod page;
pub mod picture;
pub mod print;
mod quoted;
pub mod rows;
pub mod staff;
