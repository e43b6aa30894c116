//! What the tests of several areas share: a relay that misbehaves on request, and a ledger in memory.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod ledger;
pub mod smtp;
