//! kill -9 at every critical point, then a restart: nobody lost, nobody twice, on both databases.
//!
//! With the feature `failpoints` the program aborts at named points; without it only signals are tested.

mod killed;
#[cfg(feature = "failpoints")]
mod points;
