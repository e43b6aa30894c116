//! Hearing back: bounces, delays and complaints that arrive by mail, each recorded with the delivery it is about.
//!
//! [`Message::read`] reads a message: pure, total, bounded. [`Inbox::take`] finds the delivery ([`rules`]), decides what follows, and
//! has it recorded. [`maildir`] reads a folder, [`imap`] a mailbox of a provider; the
//! command line reads standard input and files.
//!
//! Rules:
//! - nothing is believed that does not prove that it knows our message: see [`rules`] for what counts as a proof;
//! - the state of a delivery never changes: the relay did accept it, and of an `unknown` one a person decides;
//! - a refusal of *us* is held against nobody;
//! - nothing is ever answered, and no message is deleted;
//! - a message is moved away only after what it says is committed; one that is read twice counts once;
//! - addresses are never logged.

mod complaint;
mod fields;
pub mod imap;
pub mod maildir;
mod message;
mod plain;
mod report;
pub mod rules;
mod settings;
mod tokens_in;

pub use message::{Action, Complaint, Content, MOST_BYTES, Message, RecipientReport};
pub use rules::{Drained, Ignored, Inbox, Outcome};
pub use settings::{IMAP, MAILDIR, Settings};
