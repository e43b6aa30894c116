//! Accounts of staff: what each role may do.

pub mod roles;

pub use roles::{Language, Permission, Roles, UserId, Viewer};
