//! kill -9 at every point that matters, then again: nobody lost, nobody twice, on both databases.
//!
//! With the feature `failpoints` the program aborts where it is told to; without it only the signals are tried.

mod killed;
#[cfg(feature = "failpoints")]
mod points;
