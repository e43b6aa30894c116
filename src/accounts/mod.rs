//! Accounts of staff: passwords, the second factor, recovery codes, and what each role may do. The only module that uses
//! `argon2` and `totp_rs`; nothing here reads a clock or the database.

pub mod code;
pub mod password;
mod refused;
pub mod roles;
pub mod session;
pub mod throttle;
pub mod totp;

pub use roles::{Language, Permission, Roles, UserId, Viewer};
