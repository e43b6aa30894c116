//! What several tests share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod ledger;
pub mod office;
pub mod postgres;
pub mod serve;
pub mod sky;
pub mod smtp;
pub mod town;
pub mod web;
