//! Use cases that change something: one function each, with a typed result and an [`Actor`], shared by the command line and
//! the console. Nothing here prints or reads a terminal; data to show is in [`crate::views`].
//!
//! An action that cannot be done returns a [`Refusal`], which has texts in French and English. Any other failure is an
//! error.

pub mod accounts;
pub mod announce;
mod api_refusal;
pub mod corrections;
pub mod deliveries;
pub mod editions;
pub mod erratum;
mod exception_refusal;
pub mod exceptions;
pub mod issues;
pub mod keep;
pub mod lanes;
pub mod may;
pub mod partners;
mod refusal;
pub mod reread;
pub mod taking;
pub mod test_mail;
pub mod tokens;
pub mod uploads;
pub mod venues;
pub mod webhooks;

pub use api_refusal::ApiRefusal;
pub use exception_refusal::ExceptionRefusal;
pub use refusal::Refusal;

use crate::accounts::UserId;
use crate::app::{Engine, NoSuchMailing};
use crate::domain::{Timestamp, email::mask_addresses, issue::IssueKey};
use crate::store::{ActorKind, AuditEntry, Store, api::Token};
use std::fmt;
use std::sync::Arc;
use tracing::warn;

/// Who acts, and through which interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    name: String,
    pub door: Door,
    /// The account of a logged-in user.
    user: Option<UserId>,
    /// The id of the token that a program came with.
    token: Option<String>,
    request_id: Option<String>,
    network: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    CommandLine,
    Console,
    Api,
}

impl Actor {
    /// # Errors
    /// When the name is empty or contains control characters: it is stored with the action.
    pub fn new(name: &str, door: Door) -> Result<Self, Refusal> {
        match name.trim() {
            "" => Err(Refusal::NoName),
            name if name.contains(char::is_control) => Err(Refusal::NoName),
            name => Ok(Self { name: name.to_owned(), door, user: None, token: None, request_id: None, network: None }),
        }
    }

    /// Somebody who is logged in to the console. `network`: where the request came from.
    pub fn of_user(user: &UserId, name: &str, request_id: Option<String>, network: &str) -> Self {
        let (user, network) = (Some(user.clone()), Some(network.to_owned()));
        Self { name: name.to_owned(), door: Door::Console, user, token: None, request_id, network }
    }

    /// A program with a token of the API. `network`: where the request came from.
    pub fn of_token(token: &Token, request_id: Option<String>, network: &str) -> Self {
        let (id, network) = (Some(token.id.clone()), Some(network.to_owned()));
        Self { name: token.name.clone(), door: Door::Api, user: None, token: id, request_id, network }
    }

    /// An entry of the audit. `object`: `user:ID`; `detail`: ids, numbers and reasons; addresses in them are masked (I7).
    pub fn entry(&self, action: &str, object: String, detail: &serde_json::Value, at: Timestamp) -> AuditEntry {
        let (kind, actor) = match (&self.user, &self.token) {
            (Some(user), _) => (ActorKind::User, user.0.clone()),
            (None, Some(token)) => (ActorKind::Token, token.clone()),
            (None, None) => (ActorKind::Cli, self.name.clone()),
        };
        AuditEntry {
            at,
            kind,
            actor,
            action: action.to_owned(),
            object,
            detail: mask_addresses(&detail.to_string()),
            request_id: self.request_id.clone(),
            network: self.network.clone(),
        }
    }

    /// The ledger, whose first change from here on is committed together with the record of this action. `object`, `detail`: as
    /// of [`Self::audit`].
    pub(crate) fn recording(
        &self,
        engine: &Engine,
        action: &str,
        object: String,
        detail: &serde_json::Value,
    ) -> Arc<dyn Store> {
        engine.store.recording(&self.entry(action, object, detail, engine.app.clock.now()))
    }

    /// Records what this actor has just done, where that takes several transactions or the record depends on the outcome. The action
    /// is in the ledger already, so a failure here is logged and undoes nothing. `object`: `issue:agenda/2026-W28`; `detail`: ids,
    /// numbers and reasons, never addresses (I7).
    pub(crate) async fn audit(&self, engine: &Engine, action: &str, object: String, detail: serde_json::Value) {
        let entry = self.entry(action, object, &detail, engine.app.clock.now());
        if let Err(error) = engine.store.record(&entry).await {
            warn!(error = &error as &dyn std::error::Error, action, "an action was not recorded in the audit");
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Door::CommandLine => "command line",
            Door::Console => "console",
            Door::Api => "API",
        })
    }
}

/// The object of an audit entry about an issue.
fn on(key: &IssueKey) -> String {
    format!("issue:{key}")
}

/// Why an action was not done.
#[derive(Debug)]
pub enum ActionError {
    /// Nothing was changed; the reason can be shown to the person.
    Refused(Refusal),
    Failed(anyhow::Error),
}

pub type Result<T, E = ActionError> = std::result::Result<T, E>;

impl From<Refusal> for ActionError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NoSuchMailing> for ActionError {
    fn from(unknown: NoSuchMailing) -> Self {
        Self::Refused(Refusal::NoSuchMailing(unknown))
    }
}

impl From<anyhow::Error> for ActionError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<crate::store::StoreError> for ActionError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// For the command line: a refusal in English.
impl From<ActionError> for anyhow::Error {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Refused(refusal) => anyhow::Error::msg(refusal.in_english()),
            ActionError::Failed(error) => error,
        }
    }
}

impl From<Refusal> for anyhow::Error {
    fn from(refusal: Refusal) -> Self {
        ActionError::Refused(refusal).into()
    }
}
