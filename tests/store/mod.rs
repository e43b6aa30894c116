//! The contract of the store: one suite, run on both databases.

mod accounts;
mod approvals;
mod claiming;
mod corrections;
mod daemons;
mod editions;
mod edits;
mod exceptions;
mod finishing;
mod freezing;
mod large;
mod log;
mod opening;
mod partners;
mod pooler;
mod schedule;
mod segments;
mod transitions;
mod venues;
