//! kill -9 at every point that matters, then again: nobody lost, nobody twice, on both databases.
//!
//! With the feature `failpoints` the program aborts where it is told to; without it only the signals are tried.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

#[path = "support/outside.rs"]
mod support;

#[path = "crash/killed.rs"]
mod killed;
#[cfg(feature = "failpoints")]
#[path = "crash/points.rs"]
mod points;
