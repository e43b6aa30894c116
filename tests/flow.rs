//! The product tried from outside, as a user runs it: due, article, mails, ledger. Names are sentences; what is asserted
//! is what the ledger and the relay say.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

#[path = "support/outside.rs"]
mod support;

#[path = "flow/commands.rs"]
mod commands;
#[path = "flow/demo.rs"]
mod demo;
#[path = "flow/files.rs"]
mod files;
#[path = "flow/held.rs"]
mod held;
#[path = "flow/partners.rs"]
mod partners;
#[path = "flow/publishing.rs"]
mod publishing;
#[path = "flow/relay.rs"]
mod relay;
#[path = "flow/serving.rs"]
mod serving;
