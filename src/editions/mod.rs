//! Editions beside their issues: added from the office's file, announced, ordered, confirmed, and those who did not order
//! reminded once. Everything that is mailed goes through [`crate::issue`].
//!
//! Whether somebody opened the page of an order is not recorded: a GET changes nothing, and tracking a person needs consent
//! (CNIL). A reminder depends only on the order itself.

mod announce;
mod confirm;
mod file;
mod remind;

pub use announce::{Plan, announce, by_lane, plan, settle};
pub use confirm::confirm_orders;
pub use file::{Added, parse, read};
pub use remind::announce_reminders;
