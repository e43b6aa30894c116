//! The contract of the store, held by both databases: one suite, run on each.

mod approvals;
mod claiming;
mod daemons;
mod editions;
mod finishing;
mod freezing;
mod large;
mod log;
mod opening;
mod partners;
mod schedule;
mod segments;
mod transitions;
