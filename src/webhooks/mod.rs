//! Webhooks: tells receivers outside what happened, at least once and in order of each issue. Standard Webhooks 1.0.
//!
//! Events are queued by triggers of the database, in the transaction of what happened ([`crate::store::webhooks`]). [`pass`] delivers
//! what is due: an attempt that no answer confirms is repeated with the same id and the same bytes, also after the process died.
//! The rules of [`crate::collect::fetch`] decide where one may go; redirects are not followed.

mod payload;
mod sign;

pub use sign::{new_secret, sign};

use crate::app::Engine;
use crate::domain::{email::mask_addresses, webhook::next_try};
use crate::store::{
    StoreError,
    webhooks::{AttemptResult, DisabledWhy, Endpoint, OwedEvent, WebhookAttempt},
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::{info, warn};
use url::Url;

/// For one attempt, from the name to the status of the answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an event is reserved for an attempt: longer than it can take.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Characters of an answer that are kept.
const LONGEST_SAID: usize = 500;
/// The secret before stays valid for so long.
pub const ROTATION: TimeDelta = TimeDelta::days(1);

/// Delivers what is due, and what becomes due by that. `false`: there is no receiver.
///
/// # Errors
/// If the ledger cannot be read or written. What was being delivered is delivered again.
pub async fn pass(engine: &Engine) -> Result<bool, StoreError> {
    let store = &*engine.store;
    if !store.tells_somebody().await? {
        return Ok(false);
    }
    loop {
        let now = engine.app.clock.now();
        let owed = store.claim_events(now + LEASE, now).await?;
        if owed.is_empty() {
            return Ok(true);
        }
        let endpoints: BTreeMap<_, _> = store.endpoints().await?.into_iter().map(|it| (it.id.clone(), it)).collect();
        let tried = join_all(owed.iter().map(async |event| match endpoints.get(&event.endpoint) {
            Some(endpoint) => deliver(engine, endpoint, event).await,
            // Removed a moment ago, and the event with it.
            None => Ok(()),
        }));
        for result in tried.await {
            result?;
        }
    }
}

async fn deliver(engine: &Engine, endpoint: &Endpoint, event: &OwedEvent) -> Result<(), StoreError> {
    let store = &*engine.store;
    let payload = match &event.payload {
        Some(payload) => payload.clone(),
        None => {
            let payload = payload::of(engine, event).await?;
            store.keep_payload(&event.id, &payload).await?;
            payload
        }
    };
    let id = format!("msg_{}", event.id);
    let attempt = WebhookAttempt {
        message: Some(event.id.clone()),
        event: event.event.clone(),
        subject: event.subject.clone(),
        ..post(engine, endpoint, &id, payload).await
    };
    let now = engine.app.clock.now();
    let result = match attempt.status {
        _ if attempt.is_delivered() => AttemptResult::Delivered,
        Some(410) => AttemptResult::Disabled(DisabledWhy::Gone),
        _ => match next_try(event.tries.saturating_add(1), event.first_at, now) {
            Some(next) => AttemptResult::Again(next),
            None => AttemptResult::Disabled(DisabledWhy::Failing),
        },
    };
    crate::failpoint::reach("webhook_answered");
    if !store.settle_event(event, &attempt, result, now).await? {
        warn!(endpoint = endpoint.id, event = event.event, "the answer came after the lease; the event is tried again");
        return Ok(());
    }
    let (endpoint, event, status) = (&endpoint.id, &event.event, attempt.status);
    match result {
        AttemptResult::Delivered => info!(endpoint, event, "event delivered: {event}"),
        AttemptResult::Again(next) => warn!(endpoint, event, status, "event not delivered; next attempt at {next}"),
        AttemptResult::Disabled(why) => {
            warn!(endpoint, event, status, why = why.as_str(), "event not delivered; the webhook is disabled");
        }
    }
    Ok(())
}

/// Sends a test event, without the queue, and keeps the answer.
///
/// # Errors
/// If the ledger cannot be written.
pub async fn test(engine: &Engine, endpoint: &Endpoint) -> Result<WebhookAttempt, StoreError> {
    let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
    let attempt = post(engine, endpoint, &id, payload::test(engine)).await;
    engine.store.record_test(&endpoint.id, &attempt).await?;
    Ok(attempt)
}

/// One attempt; without a status there was no answer.
async fn post(engine: &Engine, endpoint: &Endpoint, id: &str, body: String) -> WebhookAttempt {
    let at = engine.app.clock.now();
    let started = crate::clock::Clock::monotonic();
    let timestamp = at.timestamp().to_string();
    let signatures: Vec<_> =
        endpoint.secrets(at).filter_map(|secret| sign::with_secret(secret, id, &timestamp, &body)).collect();
    let headers =
        [("webhook-id", id.to_owned()), ("webhook-timestamp", timestamp), ("webhook-signature", signatures.join(" "))];
    let answer = match Url::parse(&endpoint.url) {
        Ok(url) => engine.app.fetcher.post(&url, &headers, body, PATIENCE).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let (status, said) = match answer {
        Ok(posted) => (Some(posted.status), posted.said),
        Err(why) => (None, why),
    };
    let said = mask_addresses(&said).chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_SAID).collect();
    WebhookAttempt {
        id: uuid::Uuid::now_v7().to_string(),
        message: None,
        event: payload::TEST.to_owned(),
        subject: String::new(),
        at,
        ms: u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX),
        status,
        said,
    }
}
