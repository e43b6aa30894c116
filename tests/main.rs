//! All integration tests as one binary: linked once, with one temporary Postgres.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

#[macro_use]
mod support;

mod architecture;
mod article;
#[cfg(feature = "failpoints")]
mod console;
mod crash;
mod daemon;
mod deliver;
mod deploy;
mod editions;
mod faults;
mod fetch;
mod flow;
mod inbound;
mod keep;
mod model;
mod newsletter;
mod outside;
mod print;
mod schedule;
mod signing;
mod store;
mod summer;
mod watch;
mod web;
