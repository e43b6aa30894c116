//! What several tests share.

pub mod ledger;
pub mod postgres;
pub mod smtp;
pub mod web;
