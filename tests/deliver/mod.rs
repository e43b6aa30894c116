//! Sending, against a relay that misbehaves. The judge is the join of two ledgers: what the relay wrote down before it
//! said 250, and ours. Each fault by its name in the list of faults, on both databases.

mod chunking;
mod connections;
mod database;
#[cfg(feature = "failpoints")]
mod kills;
mod lanes;
mod refusals;
mod replies;
