//! The people we write to, and the files they come from.

pub mod import;
