//! semainier mails newsletters and weekly agendas to a tourist office's partners, and records the outcome of every send.
//!
//! # The map, in reading order
//!
//! ```text
//! schedule -> collect -> compose -> (gates, approval) -> freeze -> deliver -> report
//!                 every step reads and writes the ledger (store)
//! ```
//!
//! - [`issue::publish`] is the whole process on one page; the other files of [`issue`] are its steps.
//! - [`domain`] has the types: agenda, issue, delivery, schedule, gates. Pure: no async, no I/O, no clock.
//! - [`collect`] fetches content: [`collect::fetch`] is the only HTTP client, [`collect::source`] the kinds of sources (of
//!   the article, of news, of listings), [`collect::article`] the grammar that turns a French article into days and events.
//!   [`domain::merge`] merges listings into the article's agenda; on conflict the article wins.
//! - [`compose`] renders: [`compose::context`], [`compose::newsletter`] and [`templates`] the text of mails,
//!   [`compose::picture`] their pictures, [`compose::mime`] their bytes, [`compose::print`] the poster and the booklet, also as
//!   pictures of their pages.
//! - [`editions`] has the rules for the office's brochures, reads their files and forms, confirms orders and reminds partners.
//! - [`outbox`] builds the message of each recipient from the frozen content.
//! - [`signing`] signs messages with DKIM, unless that is left to the relay.
//! - [`deliver`] hands messages to the relay, one recipient per transaction, and tracks how far each SMTP conversation got. The first
//!   messages of an issue go before the rest ([`domain::canary`]).
//! - [`inbound`] takes in bounces and complaints that come back by mail, each for the delivery it proves to be about; [`inbound::imap`] reads
//!   them from a provider's mailbox. What comes back alike for very many is about us ([`domain::mass_bounce`]).
//! - [`domain::lint`] judges a complete message by the rules that receivers enforce; [`issue::lint`] is the gate that every issue
//!   passes. [`views::doctor`] looks at the office's DNS and relay; [`dns`] asks the questions.
//! - [`store`] is the ledger, on SQLite or Postgres; all SQL is there. `docs/store.md` has its layout and figures.
//! - [`actions`] are the use cases that change something ([`actions::may`]: what can be decided about an issue now), [`views`] the data to show. Command line and console share them.
//! - [`daemon`] runs the loops of `semainier serve`; after a restore from a backup it pauses. [`notices`] mails staff:
//!   when something happens, on the evening before an issue leaves, and on the morning after.
//! - [`apart`] runs the parsing of untrusted text on a separate thread, with a time limit and its own stack.
//! - [`web`] serves the public pages from frozen content, and on a listener of its own the console for staff ([`web::console`]); `bench` (a feature) measures sending.
//! - [`views::readiness`] is the verdict of what is wrong; [`alerts`] sends it by webhook or command.
//! - [`web::api`] answers programs that have a token; [`webhooks`] tells them what happens, from a queue that triggers of the database
//!   write in the transaction of what happened. `docs/api.md` describes both.
//! - [`accounts`] has passwords, second factors and roles of staff; [`actions::accounts`] lets them in.
//! - [`config`], [`jobs`], [`look`], [`watch`], [`listen`] and [`toml_reader`] read the settings and report all problems at once; [`app`] wires the parts
//!   together; [`cli`] is the command line; [`clock`] the only clock; [`tokens`] the keyed hashes, [`secret`] reads their key; [`trust`] judges servers' certificates;
//!   [`private`] writes files readable by their owner only; [`partners`] reads and writes partner lists; [`domain::segment`]
//!   filters partners; [`domain::correction`] applies what people corrected in an agenda to every new reading;
//!   [`domain::exception`] what they decided about one issue against the rules of its mailing.
//!
//! # Invariants
//!
//! Tests assert each of them; a feature that would break one is wrong.
//!
//! - **I1 nobody lost**: every frozen recipient ends in exactly one of sent, failed, suppressed, expired, cancelled,
//!   unknown, and the counts add up.
//! - **I2 nobody twice**: one delivery per (issue, recipient); the relay accepts it at most once unless a person asks to
//!   resend an `unknown` delivery, with the same Message-ID and the same bytes.
//! - **I3 content is conserved**: every line of the article that announces something is in the mail and on the page: under its
//!   day, among the daily events and exhibitions, or under « À noter aussi ». What the grammar does not understand is printed
//!   as written. Only a named person can correct a line or leave it out ([`domain::correction`]), and the sum says so.
//! - **I4 never the wrong week**: an agenda that is for another week, empty, or incomplete is held, and staff get a mail. A named
//!   person may accept fewer events, lines without a day or a missing source for one issue ([`domain::exception`]); never the week.
//! - **I5 opt-out is final**: nothing is accepted for an address after its opt-out has been committed.
//! - **I6 approval is of bytes**: one hash covers everything recipients get; an issue that needs approval leaves only if
//!   somebody approved that hash, and it is not collected again in between.
//! - **I7 no personal data in logs**: addresses are masked, tokens never written.
//! - **I8 time is an argument**: no `now()` outside [`clock`]; instants are stored in UTC.
//!
//! # Walls
//!
//! `collect`, `compose` and `deliver` never import each other; [`issue`] connects them through the types of [`domain`]. Each
//! library is used only in the module it belongs to. `tests/architecture/` asserts both by reading the source.

pub mod accounts;
pub mod actions;
pub mod alerts;
pub mod apart;
pub mod app;
#[cfg(feature = "bench")]
pub mod bench;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod compose;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod dns;
pub mod domain;
pub mod editions;
pub mod failpoint;
pub mod inbound;
pub mod issue;
pub mod jobs;
pub mod listen;
pub mod look;
pub mod notices;
pub mod outbox;
pub mod partners;
pub mod private;
pub mod secret;
pub mod signing;
pub mod store;
pub mod telemetry;
pub mod templates;
pub mod tokens;
pub mod toml_reader;
pub mod trust;
pub mod views;
pub mod watch;
pub mod web;
pub mod webhooks;
