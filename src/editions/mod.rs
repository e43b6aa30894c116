//! Editions: reading their files, the rules for what an edition is ([`checks`], also for the form of the console), confirming orders, and one reminder for those who did not order. A person announces
//! them with [`crate::actions::announce`]. Every mail is sent through [`crate::issue`].
//!
//! Opening the order page is not recorded: a GET changes nothing, and tracking a person needs consent (CNIL). A reminder
//! depends only on the order itself.

pub mod checks;
mod confirm;
mod file;
pub mod form;
mod remind;

pub use confirm::confirm_orders;
pub use file::{Added, parse, read};
pub use remind::announce_reminders;
