//! What several tests share.

pub mod ledger;
pub mod postgres;
