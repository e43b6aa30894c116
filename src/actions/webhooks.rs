//! Receivers of events: adding, changing and trying them.

use super::{Actor, ApiRefusal, Refusal, Result};
use crate::app::Engine;
use crate::collect::fetch::{self, FetchError};
use crate::domain::webhook::Events;
use crate::store::webhooks::{Endpoint, WebhookAttempt};
use crate::webhooks::{self, ROTATION, new_secret};
use serde_json::json;
use tracing::info;
use url::Url;

/// Receivers at the most.
pub const MOST: usize = 20;
/// The longest address, in bytes.
const LONGEST_URL: usize = 2000;

/// Adds a receiver. Its secret is in the result, to be shown once.
///
/// # Errors
/// A refusal: the address may not be asked, no event, too many; or a database that cannot be written.
pub async fn add(engine: &Engine, actor: &Actor, url: &str, events: Events) -> Result<Endpoint> {
    let not_one = || Refusal::Api(ApiRefusal::NotAWebAddress(url.trim().chars().take(200).collect()));
    let parsed = Url::parse(url.trim()).ok().filter(|_| url.len() <= LONGEST_URL).ok_or_else(not_one)?;
    match engine.app.fetcher.may_post(&parsed) {
        Ok(()) => {}
        Err(FetchError::Refused { why: fetch::Refusal::NotEncrypted, .. }) => {
            return Err(Refusal::Api(ApiRefusal::NotHttps).into());
        }
        Err(FetchError::Refused { why: fetch::Refusal::NotPublic, .. }) => {
            return Err(Refusal::Api(ApiRefusal::NotPublic).into());
        }
        Err(_) => return Err(not_one().into()),
    }
    if events.is_empty() {
        return Err(Refusal::Api(ApiRefusal::NoEvent).into());
    }
    if engine.store.endpoints().await?.len() >= MOST {
        return Err(Refusal::Api(ApiRefusal::TooManyWebhooks { most: MOST }).into());
    }
    let now = engine.app.clock.now();
    let endpoint = Endpoint {
        id: uuid::Uuid::now_v7().to_string(),
        url: parsed.to_string(),
        events,
        secret: new_secret(),
        former: Vec::new(),
        former_until: None,
        created_at: now,
        created_by: actor.name().to_owned(),
        failing_since: None,
        disabled: None,
        pending: 0,
    };
    // The path may hold a key of the receiver: the audit has the host alone.
    let detail = json!({ "host": parsed.host_str(), "events": events.to_string() });
    engine.store.add_endpoint(&endpoint, &actor.entry("webhook.add", object(&endpoint), &detail, now)).await?;
    info!(webhook = endpoint.id, %events, door = %actor.door, "a webhook was added");
    Ok(endpoint)
}

/// # Errors
/// A refusal when there is none with this id; or a database that cannot be read.
pub async fn find(engine: &Engine, id: &str) -> Result<Endpoint> {
    let found = engine.store.endpoints().await?.into_iter().find(|it| it.id == id.trim());
    found.ok_or_else(|| Refusal::Api(ApiRefusal::NoSuchWebhook(id.to_owned())).into())
}

/// A new secret, in the result, to be shown once. The present one stays valid for a day, and so do those before it that still are.
///
/// # Errors
/// A refusal when it is gone; or a database that cannot be written.
pub async fn rotate(engine: &Engine, actor: &Actor, endpoint: &Endpoint) -> Result<String> {
    let (secret, now) = (new_secret(), engine.app.clock.now());
    let entry = actor.entry("webhook.rotate", object(endpoint), &json!({}), now);
    if !engine.store.rotate_secret(&endpoint.id, &secret, (now, now + ROTATION), &entry).await? {
        return Err(gone(endpoint));
    }
    info!(webhook = endpoint.id, door = %actor.door, "a webhook has a new secret");
    Ok(secret)
}

/// Tells it nothing until it is enabled again.
///
/// # Errors
/// A refusal when it is disabled; or a database that cannot be written.
pub async fn disable(engine: &Engine, actor: &Actor, endpoint: &Endpoint) -> Result<()> {
    let now = engine.app.clock.now();
    let entry = actor.entry("webhook.disable", object(endpoint), &json!({}), now);
    if !engine.store.disable_endpoint(&endpoint.id, &entry, now).await? {
        return Err(Refusal::Api(ApiRefusal::WebhookDisabled(endpoint.id.clone())).into());
    }
    Ok(())
}

/// Tells it again, beginning with what is owed to it.
///
/// # Errors
/// A refusal when it is not disabled; or a database that cannot be written.
pub async fn enable(engine: &Engine, actor: &Actor, endpoint: &Endpoint) -> Result<()> {
    let now = engine.app.clock.now();
    let entry = actor.entry("webhook.enable", object(endpoint), &json!({}), now);
    if !engine.store.enable_endpoint(&endpoint.id, &entry, now).await? {
        return Err(Refusal::Api(ApiRefusal::WebhookNotDisabled(endpoint.id.clone())).into());
    }
    Ok(())
}

/// Removes it with what is owed to it.
///
/// # Errors
/// A refusal when it is gone; or a database that cannot be written.
pub async fn remove(engine: &Engine, actor: &Actor, endpoint: &Endpoint) -> Result<()> {
    let entry = actor.entry("webhook.remove", object(endpoint), &json!({}), engine.app.clock.now());
    if !engine.store.remove_endpoint(&endpoint.id, &entry).await? {
        return Err(gone(endpoint));
    }
    info!(webhook = endpoint.id, door = %actor.door, "a webhook was removed");
    Ok(())
}

/// Sends a test event now, and returns the answer.
///
/// # Errors
/// A database that cannot be written.
pub async fn test(engine: &Engine, actor: &Actor, endpoint: &Endpoint) -> Result<WebhookAttempt> {
    let attempt = webhooks::test(engine, endpoint).await?;
    actor.audit(engine, "webhook.test", object(endpoint), json!({ "status": attempt.status })).await;
    Ok(attempt)
}

/// The event of an attempt is sent again, with the same id.
///
/// # Errors
/// A refusal when it is disabled, or the event is not known or still owed; or a database that cannot be written.
pub async fn send_again(engine: &Engine, actor: &Actor, endpoint: &Endpoint, attempt: &str) -> Result<()> {
    if endpoint.disabled.is_some() {
        return Err(Refusal::Api(ApiRefusal::WebhookDisabled(endpoint.id.clone())).into());
    }
    let now = engine.app.clock.now();
    let entry = actor.entry("webhook.resend", object(endpoint), &json!({ "attempt": attempt }), now);
    if !engine.store.send_again(&endpoint.id, attempt.trim(), &entry, now).await? {
        return Err(Refusal::Api(ApiRefusal::NothingToSendAgain).into());
    }
    Ok(())
}

fn gone(endpoint: &Endpoint) -> super::ActionError {
    Refusal::Api(ApiRefusal::NoSuchWebhook(endpoint.id.clone())).into()
}

fn object(endpoint: &Endpoint) -> String {
    format!("webhook:{}", endpoint.id)
}
