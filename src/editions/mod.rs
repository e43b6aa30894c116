//! Editions beside their issues: the office's file, the confirmation of orders, and one reminder for those who did not order.
//! A person announces them by [`crate::actions::announce`]. Everything that is mailed goes through [`crate::issue`].
//!
//! Whether somebody opened the page of an order is not recorded: a GET changes nothing, and tracking a person needs consent
//! (CNIL). A reminder depends only on the order itself.

mod confirm;
mod file;
mod remind;

pub use confirm::confirm_orders;
pub use file::{Added, parse, read};
pub use remind::announce_reminders;
