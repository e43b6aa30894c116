//! Accounts of the console and their sessions.

use super::instant;
use crate::accounts::{Permission, UserId};
use crate::domain::Timestamp;
use crate::store::{Result, Store};
use chrono_tz::Tz;
use serde::Serialize;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserView {
    pub id: String,
    pub name: String,
    pub address: String,
    /// Names of roles.
    pub roles: Vec<&'static str>,
    /// `active`, `invited` (no password yet) or `disabled`.
    pub state: &'static str,
    pub second_factor: bool,
    /// Not used yet.
    pub recovery_codes: u32,
    /// Open now.
    pub sessions: u32,
    pub seen_at: Option<String>,
    pub created_at: String,
    pub created_by: String,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    pub id: String,
    /// `Firefox, Linux`
    pub device: String,
    /// `192.0.2.0/24`
    pub network: String,
    pub created_at: String,
    pub seen_at: String,
    pub expires_at: String,
}

/// All accounts, by name.
///
/// # Errors
/// A database that cannot be read.
pub async fn users(store: &dyn Store, zone: Tz, now: Timestamp) -> Result<Vec<UserView>> {
    let users = store.users(now).await?.into_iter().map(|user| UserView {
        id: user.id.0,
        name: user.name,
        address: user.address.to_string(),
        roles: user.roles.iter().map(Permission::as_str).collect(),
        state: match (user.disabled_at, user.has_password) {
            (Some(_), _) => "disabled",
            (None, false) => "invited",
            (None, true) => "active",
        },
        second_factor: user.has_second_factor,
        recovery_codes: user.recovery_codes,
        sessions: user.sessions,
        seen_at: user.seen_at.map(|at| instant(at, zone)),
        created_at: instant(user.created_at, zone),
        created_by: user.created_by,
    });
    Ok(users.collect())
}

/// Open sessions of an account, the one used last first.
///
/// # Errors
/// A database that cannot be read.
pub async fn sessions(store: &dyn Store, user: &UserId, zone: Tz, now: Timestamp) -> Result<Vec<SessionView>> {
    let sessions = store.sessions_of(user, now).await?.into_iter().map(|it| SessionView {
        id: it.id,
        device: it.label,
        network: it.network,
        created_at: instant(it.created_at, zone),
        seen_at: instant(it.seen_at, zone),
        expires_at: instant(it.expires_at, zone),
    });
    Ok(sessions.collect())
}
