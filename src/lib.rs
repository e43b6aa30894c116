//! semainier mails a tourist office's partners by itself, and proves per person what happened to every send.
//!
//! # The map, in reading order
//!
//! ```text
//! schedule -> collect -> compose -> (gates, approval) -> freeze -> deliver -> report
//!                     the ledger (store) is the floor under every step
//! ```
//!
//! - [`issue::publish`] is the product on one page; the other files of [`issue`] are its steps.
//! - [`domain`] holds the words: agenda, issue, delivery, schedule, gates. Pure: no async, no I/O, no clock.
//! - [`collect`] brings content in: [`collect::fetch`] is the one HTTP client, [`collect::source`] the kinds of sources (of
//!   the article, of news, of listings), [`collect::article`] the grammar that turns a French article into days and events.
//!   [`domain::merge`] joins listings to the article's agenda: the article wins.
//! - [`compose`] makes what people get: [`compose::context`], [`compose::newsletter`] and [`templates`] the mail's texts,
//!   [`compose::picture`] its pictures, [`compose::mime`] its bytes, [`compose::print`] the poster and the booklet.
//! - [`editions`] adds the office's brochures, announces them, and confirms what partners order.
//! - [`outbox`] makes the message of each recipient from what was frozen.
//! - [`deliver`] hands messages to the relay, one recipient a transaction, and knows how far each conversation came.
//! - [`store`] is the ledger, on SQLite or Postgres; all SQL of the house is there. `docs/store.md` has its layout and figures.
//! - [`actions`] is everything a person may do, [`views`] everything a person may look at, whatever the door.
//! - [`daemon`] does whatever is due at each pass, and nothing where the ledger forgot; [`notices`] tells staff.
//! - [`apart`] runs what reads text from outside, within a time and on a stack of its own.
//! - [`web`] serves the pages partners reach, from what was frozen; [`mod@bench`] measures the way of a message.
//! - [`config`], [`jobs`], [`look`] and [`keys`] read files, every problem at once; [`app`] puts the parts together; [`cli`] is the
//!   command line; [`clock`] the only clock; [`tokens`] the keyed hashes, [`secret`] where their key is; [`private`] files for their
//!   owner alone; [`partners`] reads and writes lists of partners; [`domain::segment`] says who of them is meant.
//!
//! # Invariants
//!
//! Tests assert each of them; a feature that would bend one is wrong.
//!
//! - **I1 nobody lost**: every frozen recipient ends in exactly one of sent, failed, suppressed, expired, cancelled,
//!   unknown, and the counts add up.
//! - **I2 nobody twice**: one delivery per (issue, recipient); the relay accepts at most once unless a person asked to
//!   resend an `unknown`, with the same Message-ID and the same bytes.
//! - **I3 content is conserved**: every item of the article is in the mail and on the page, under its day; what the grammar
//!   does not understand is printed as written.
//! - **I4 never the wrong week**: an agenda that is of another week, empty, or half there is held, and staff are told.
//! - **I5 after the opt-out, silence**: nothing is accepted for an address after its opt-out has committed.
//! - **I6 approval is of bytes**: an issue has one hash over all that people get; what needs approval leaves only if
//!   somebody approved that hash, and is not collected again on the way.
//! - **I7 no person in the logs**: addresses are masked, tokens never written.
//! - **I8 time is an argument**: no `now()` outside [`clock`]; instants are stored in UTC.
//!
//! # Walls
//!
//! `collect`, `compose` and `deliver` never import each other; they meet in [`issue`], in the types of [`domain`]. Each
//! library is named only in its room. `tests/architecture/` holds both by reading the source.

pub mod actions;
pub mod apart;
pub mod app;
pub mod bench;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod compose;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod domain;
pub mod editions;
pub mod failpoint;
pub mod issue;
pub mod jobs;
pub mod keys;
pub mod look;
pub mod notices;
pub mod outbox;
pub mod partners;
pub mod private;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod templates;
pub mod tokens;
pub mod views;
pub mod web;
