//! Accounts of staff: adding and changing them, from the command line or by an administrator. [`login`] lets people in,
//! [`own`] is what each person changes of their own account.

pub mod login;
pub mod own;

use super::{Actor, Refusal, Result};
use crate::accounts::{Language, Roles, UserId, code, session};
use crate::domain::{Timestamp, email::EmailAddress};
use crate::store::{AuditEntry, Changed, NewInvitation, NewUser, Purpose, Store, User};
use serde_json::json;
use tracing::info;

/// A link to set a password, to be handed to the person: possession gives access to the account.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub user: UserId,
    /// Behind `invitation/` in the address of the console.
    pub path: String,
    pub expires_at: Timestamp,
}

/// An account by its address or its id.
///
/// # Errors
/// A refusal when there is none; or a database that cannot be read.
pub async fn find(store: &dyn Store, given: &str, now: Timestamp) -> Result<User> {
    let by_address = match EmailAddress::parse(given.trim()) {
        Ok(address) => store.credentials_by_address(&address.key(), now).await?,
        Err(_) => store.credentials(&UserId(given.trim().to_owned()), now).await?,
    };
    by_address.map(|it| it.user).ok_or_else(|| Refusal::NoSuchAccount(given.to_owned()).into())
}

/// Adds an account that nobody can use before its invitation was accepted.
///
/// # Errors
/// A refusal when the address has an account or the name is empty; or a database that cannot be written.
pub async fn add(
    store: &dyn Store,
    actor: &Actor,
    address: EmailAddress,
    name: &str,
    roles: Roles,
    now: Timestamp,
) -> Result<Invitation> {
    let name = name.trim();
    if name.is_empty() || name.contains(char::is_control) {
        return Err(Refusal::NoName.into());
    }
    let user = NewUser {
        id: UserId(uuid::Uuid::now_v7().to_string()),
        name: name.to_owned(),
        address: address.clone(),
        roles,
        language: Language::French,
        created_by: actor.name().to_owned(),
    };
    let (invitation, kept) = invitation(&user.id, Purpose::New, now);
    let entry = entry(actor, "user.add", &user.id, &json!({ "roles": roles.to_string() }), now);
    if !store.add_user(&user, &kept, &entry, now).await? {
        return Err(Refusal::AccountKnown(address).into());
    }
    info!(user = user.id.as_str(), %roles, door = %actor.door, "an account was added");
    Ok(invitation)
}

/// Takes password, second factor and sessions away, and makes a link to set new ones.
///
/// # Errors
/// A refusal when there is no such account or it is disabled; or a database that cannot be written.
pub async fn reset(store: &dyn Store, actor: &Actor, user: &User, now: Timestamp) -> Result<Invitation> {
    let purpose = if user.has_password { Purpose::Reset } else { Purpose::New };
    let (invitation, kept) = invitation(&user.id, purpose, now);
    let entry = entry(actor, "user.reset", &user.id, &json!({}), now);
    if let Some(refusal) = refused(user, store.reset_user(&user.id, &kept, &entry, now).await?) {
        return Err(refusal.into());
    }
    info!(user = user.id.as_str(), door = %actor.door, "an account was reset; its sessions ended");
    Ok(invitation)
}

/// Gives these roles instead of the present ones, and ends the sessions. `false`: they were the same.
///
/// # Errors
/// A refusal when nobody could administer any more; or a database that cannot be written.
pub async fn set_roles(store: &dyn Store, actor: &Actor, user: &User, roles: Roles, now: Timestamp) -> Result<bool> {
    let detail = json!({ "before": user.roles.to_string(), "after": roles.to_string() });
    let entry = entry(actor, "user.roles", &user.id, &detail, now);
    let changed = store.set_roles(&user.id, roles, &entry).await?;
    if let Some(refusal) = refused(user, changed) {
        return Err(refusal.into());
    }
    let done = changed == Changed::Done;
    if done {
        info!(user = user.id.as_str(), %roles, door = %actor.door, "roles were changed; the sessions ended");
    }
    Ok(done)
}

/// Nobody logs in with it any more, and its sessions end. `false`: it was disabled before.
///
/// # Errors
/// A refusal when nobody could administer any more; or a database that cannot be written.
pub async fn disable(store: &dyn Store, actor: &Actor, user: &User, now: Timestamp) -> Result<bool> {
    let entry = entry(actor, "user.disable", &user.id, &json!({}), now);
    let changed = store.disable_user(&user.id, &entry, now).await?;
    if let Some(refusal) = refused(user, changed) {
        return Err(refusal.into());
    }
    let done = changed == Changed::Done;
    if done {
        info!(user = user.id.as_str(), door = %actor.door, "an account was disabled; its sessions ended");
    }
    Ok(done)
}

/// `false`: it was not disabled.
///
/// # Errors
/// A database that cannot be written.
pub async fn enable(store: &dyn Store, actor: &Actor, user: &User, now: Timestamp) -> Result<bool> {
    let entry = entry(actor, "user.enable", &user.id, &json!({}), now);
    let changed = store.enable_user(&user.id, &entry).await?;
    if let Some(refusal) = refused(user, changed) {
        return Err(refusal.into());
    }
    let done = changed == Changed::Done;
    if done {
        info!(user = user.id.as_str(), door = %actor.door, "an account was enabled");
    }
    Ok(done)
}

/// Ends all sessions of the account, or the one of this id. Returns how many there were.
///
/// # Errors
/// A database that cannot be written.
pub async fn end_sessions(
    store: &dyn Store,
    actor: &Actor,
    user: &UserId,
    id: Option<&str>,
    now: Timestamp,
) -> Result<u64> {
    let entry = entry(actor, "session.end", user, &json!({ "session": id }), now);
    let ended = store.end_sessions(user, id, &entry).await?;
    if ended > 0 {
        info!(user = user.as_str(), ended, door = %actor.door, "sessions were ended");
    }
    Ok(ended)
}

/// Why nothing was changed, unless it was so before.
fn refused(user: &User, changed: Changed) -> Option<Refusal> {
    match changed {
        Changed::Done | Changed::Same => None,
        Changed::NotKnown => Some(Refusal::NoSuchAccount(user.id.0.clone())),
        Changed::LastAdministrator => Some(Refusal::LastAdministrator),
        Changed::Disabled => Some(Refusal::AccountDisabled(user.address.to_string())),
    }
}

fn invitation(user: &UserId, purpose: Purpose, now: Timestamp) -> (Invitation, NewInvitation) {
    let (token, expires_at) = (code::token(), now + session::INVITATION);
    let kept = NewInvitation { token_hash: code::hash(&token), purpose, expires_at };
    (Invitation { user: user.clone(), path: format!("invitation/{token}"), expires_at }, kept)
}

pub(super) fn entry(
    actor: &Actor,
    action: &str,
    user: &UserId,
    detail: &serde_json::Value,
    now: Timestamp,
) -> AuditEntry {
    actor.entry(action, format!("user:{}", user.as_str()), detail, now)
}
