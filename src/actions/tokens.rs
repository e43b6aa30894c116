//! Tokens of the API: made once, shown once, revoked at once. Letting one in is counted like a login.

use super::{Actor, ApiRefusal, Refusal, Result, accounts::login::Client};
use crate::accounts::{Scopes, code, throttle::FREE_FOR_NETWORK};
use crate::domain::Timestamp;
use crate::store::{ActorKind, Counter, Store, StoreError, api::Token};
use chrono::TimeDelta;
use serde_json::json;
use tracing::{info, warn};

/// The longest life of a token, in days.
pub const MOST_DAYS: u32 = 365;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// A token that was made: `secret` is shown once.
#[derive(Clone)]
pub struct NewToken {
    pub token: Token,
    /// `sem_…`
    pub secret: String,
}

/// Makes a token with these scopes.
///
/// # Errors
/// A refusal: no name, no scope, or a life that is too long; or a database that cannot be written.
pub async fn add(
    store: &dyn Store,
    actor: &Actor,
    name: &str,
    scopes: Scopes,
    days: u32,
    now: Timestamp,
) -> Result<NewToken> {
    let name = name.trim();
    if name.is_empty() || name.contains(char::is_control) || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::Api(ApiRefusal::NoTokenName).into());
    }
    if scopes.is_empty() {
        return Err(Refusal::Api(ApiRefusal::NoScope).into());
    }
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Refusal::Api(ApiRefusal::ExpiryOutOfRange { most_days: MOST_DAYS }).into());
    }
    let token = Token {
        id: uuid::Uuid::now_v7().to_string(),
        name: name.to_owned(),
        scopes,
        created_at: now,
        created_by: actor.name().to_owned(),
        expires_at: now + TimeDelta::days(days.into()),
        used_at: None,
        revoked_at: None,
    };
    let secret = code::api_token();
    let detail = json!({ "scopes": scopes.to_string(), "days": days });
    let entry = actor.entry("token.add", object(&token), &detail, now);
    store.add_token(&token, &code::hash(&secret), &entry).await?;
    info!(event = "token.added", token = token.id, %scopes, door = %actor.door, "a token of the API was made");
    Ok(NewToken { token, secret })
}

/// A token by its id, or by a name that one token alone has.
///
/// # Errors
/// A refusal when there is none or several; or a database that cannot be read.
pub async fn find(store: &dyn Store, given: &str) -> Result<Token> {
    let all = store.tokens().await?;
    let by_id = all.iter().find(|it| it.id == given.trim());
    let mut named = all.iter().filter(|it| it.name == given.trim() && it.revoked_at.is_none());
    let found = by_id.or_else(|| named.next().filter(|_| named.next().is_none()));
    found.cloned().ok_or_else(|| Refusal::Api(ApiRefusal::NoSuchToken(given.to_owned())).into())
}

/// From now on nobody gets in with it.
///
/// # Errors
/// A refusal when it was revoked before; or a database that cannot be written.
pub async fn revoke(store: &dyn Store, actor: &Actor, token: &Token, now: Timestamp) -> Result<()> {
    let entry = actor.entry("token.revoke", object(token), &json!({}), now);
    if !store.revoke_token(&token.id, &entry, now).await? {
        return Err(Refusal::Api(ApiRefusal::TokenNotOpen(token.name.clone())).into());
    }
    info!(event = "token.revoked", token = token.id, door = %actor.door, "a token of the API was revoked");
    Ok(())
}

fn object(token: &Token) -> String {
    format!("token:{}", token.id)
}

/// Whether a request gets in.
#[derive(Debug)]
pub enum Entry {
    In(Token),
    /// Unknown, expired or revoked: the same to whoever asks.
    Wrong,
    /// Too many unknown ones came from this network; the next try is looked at then.
    Later(Timestamp),
}

/// Looks a token up. Failures are counted for the network they come from; a valid token is never delayed by them.
///
/// # Errors
/// A database that cannot be read or written.
pub async fn enter(store: &dyn Store, given: &str, client: &Client, now: Timestamp) -> Result<Entry, StoreError> {
    let is_one = given.strip_prefix(code::API_TOKEN).is_some_and(|rest| rest.len() == 43);
    let found = if is_one { store.token(&code::hash(given)).await? } else { None };
    if let Some(token) = found.as_ref().filter(|it| it.is_valid(now)) {
        let first = Actor::of_token(token, client.request_id.clone(), &client.network);
        let first = first.entry("token.first_use", object(token), &json!({}), now);
        debug_assert_eq!(first.kind, ActorKind::Token);
        match store.token_used(token, &first, now).await {
            // The first use must be recorded in the audit.
            Err(failure) if token.used_at.is_none() => return Err(failure),
            Err(failure) => {
                warn!(error = &failure as &dyn std::error::Error, token = token.id, "the use of a token was not noted");
            }
            Ok(()) => {}
        }
        return Ok(Entry::In(token.clone()));
    }
    let counter = Counter { key: code::hash(&format!("token {}", client.network)), free: FREE_FOR_NETWORK };
    if let Some(later) = store.count_try(&[counter], now).await? {
        warn!(event = "token.throttled", network = client.network, "a token was not looked at");
        return Ok(Entry::Later(later));
    }
    warn!(event = "token.failed", network = client.network, known = found.is_some(), "a token was refused");
    Ok(Entry::Wrong)
}
