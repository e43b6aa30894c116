//! Accounts of staff: passwords, the second factor, recovery codes, what each role may do, and the scopes of tokens. The only module that uses
//! `argon2` and `totp_rs`; nothing here reads a clock or the database.

pub mod code;
pub mod password;
mod refused;
pub mod roles;
pub mod scope;
pub mod session;
pub mod throttle;
pub mod totp;

pub use roles::{Language, Permission, Roles, UserId, Viewer};
pub use scope::{Scope, Scopes};
