//! Tokens of the API and receivers of events, without any secret.

use super::instant;
use crate::accounts::Scope;
use crate::domain::{Timestamp, webhook::Event};
use crate::store::{
    Result, Store,
    api::Token,
    webhooks::{DisabledWhy, Endpoint, WebhookAttempt},
};
use chrono_tz::Tz;
use serde::Serialize;

/// An element of `tokens list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    pub scopes: Vec<&'static str>,
    /// `valid`, `expired` or `revoked`.
    pub state: &'static str,
    pub created_at: String,
    pub created_by: String,
    pub expires_at: String,
    /// To the minute.
    pub used_at: Option<String>,
    pub revoked_at: Option<String>,
}

impl TokenView {
    pub fn new(it: &Token, zone: Tz, now: Timestamp) -> Self {
        Self {
            id: it.id.clone(),
            name: it.name.clone(),
            scopes: it.scopes.iter().map(Scope::as_str).collect(),
            state: match it.revoked_at {
                Some(_) => "revoked",
                None if it.is_valid(now) => "valid",
                None => "expired",
            },
            created_at: instant(it.created_at, zone),
            created_by: it.created_by.clone(),
            expires_at: instant(it.expires_at, zone),
            used_at: it.used_at.map(|at| instant(at, zone)),
            revoked_at: it.revoked_at.map(|at| instant(at, zone)),
        }
    }
}

/// The newest first.
///
/// # Errors
/// A database that cannot be read.
pub async fn tokens(store: &dyn Store, zone: Tz, now: Timestamp) -> Result<Vec<TokenView>> {
    Ok(store.tokens().await?.iter().map(|it| TokenView::new(it, zone, now)).collect())
}

/// An element of `webhooks list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookView {
    pub id: String,
    pub url: String,
    pub events: Vec<&'static str>,
    /// `active`, `failing` (it will be tried again) or `disabled`.
    pub state: &'static str,
    /// `failing`, `gone` or `person`; why it is disabled.
    pub why: Option<&'static str>,
    pub since: Option<String>,
    /// Events that are not delivered yet.
    pub pending: u64,
    /// Until then the secret before is signed with too.
    pub former_until: Option<String>,
    pub created_at: String,
    pub created_by: String,
}

impl WebhookView {
    pub fn new(it: &Endpoint, zone: Tz, now: Timestamp) -> Self {
        let (state, why) = match (it.disabled, it.failing_since) {
            (Some((_, why)), _) => ("disabled", Some(DisabledWhy::as_str(why))),
            (None, Some(_)) => ("failing", None),
            (None, None) => ("active", None),
        };
        Self {
            id: it.id.clone(),
            url: it.url.clone(),
            events: it.events.iter().map(Event::as_str).collect(),
            state,
            why,
            since: it.since().map(|at| instant(at, zone)),
            pending: it.pending,
            former_until: it.former_until(now).map(|at| instant(at, zone)),
            created_at: instant(it.created_at, zone),
            created_by: it.created_by.clone(),
        }
    }
}

/// The oldest first.
///
/// # Errors
/// A database that cannot be read.
pub async fn webhooks(store: &dyn Store, zone: Tz, now: Timestamp) -> Result<Vec<WebhookView>> {
    Ok(store.endpoints().await?.iter().map(|it| WebhookView::new(it, zone, now)).collect())
}

/// An element of `webhooks log --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptView {
    pub id: String,
    pub event: String,
    /// An issue's key, `order:ID` or `contact:ID`; empty for a test.
    pub subject: String,
    pub at: String,
    pub ms: u32,
    /// HTTP; `None` without an answer.
    pub status: Option<u16>,
    pub said: String,
    pub delivered: bool,
}

impl AttemptView {
    pub fn new(it: &WebhookAttempt, zone: Tz) -> Self {
        Self {
            id: it.id.clone(),
            event: it.event.clone(),
            subject: it.subject.clone(),
            at: instant(it.at, zone),
            ms: it.ms,
            status: it.status,
            said: it.said.clone(),
            delivered: it.is_delivered(),
        }
    }
}

/// The last answers of a receiver, the newest first.
///
/// # Errors
/// A database that cannot be read.
pub async fn attempts(store: &dyn Store, endpoint: &str, zone: Tz) -> Result<Vec<AttemptView>> {
    Ok(store.webhook_attempts(endpoint).await?.iter().map(|it| AttemptView::new(it, zone)).collect())
}
