//! From an issue to bytes: mail and printed page.
pub mod print;
pub mod rows;
