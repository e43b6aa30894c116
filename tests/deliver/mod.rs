//! Sending to a misbehaving relay. The results are judged by joining two ledgers: what the relay recorded before it said
//! 250, and ours. Each fault has its id from the fault list, on both databases.

mod canary;
mod chunking;
mod connections;
mod database;
#[cfg(feature = "failpoints")]
mod kills;
mod lanes;
mod refusals;
mod replies;
