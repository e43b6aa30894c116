//! From a due occurrence to sent mails: [`publish`] is the whole process on one page, every other file is one of its steps.
//!
//! ```text
//! due -> agenda | newsletter | edition -> lint -> (rehearsal, approval) -> freeze -> sending
//! ```
//!
//! The steps never import `publish`; they share the types of [`due`], [`content`] and [`progress`].

pub mod agenda;
pub mod approval;
pub mod audience;
pub mod content;
pub mod corrections;
pub mod due;
pub mod edition;
pub mod freeze;
pub mod lint;
pub mod newsletter;
pub mod progress;
pub mod publish;
pub(crate) mod rehearsal;
pub mod sample;
pub mod sending;
pub mod venues;

pub use due::Due;
