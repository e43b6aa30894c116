//! The monthly newsletter as an office lives with it: composed before its hour, shown to staff, approved or not, and sent as
//! approved or not at all.

mod approval;
mod letter;
mod months;
pub mod room;
