//! Bringing content in: from a source to domain types.

pub mod article;
