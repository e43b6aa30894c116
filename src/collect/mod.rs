//! Bringing content in: from a source to domain types.

pub mod address;
pub mod charset;
pub mod fetch;
pub mod fetch_error;
