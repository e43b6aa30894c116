//! The JSON of an event: what happened to what, and where to ask for more. No address and no name of a partner; documented in
//! `docs/api.md`.

use crate::app::Engine;
use crate::domain::{
    Timestamp,
    email::mask_addresses,
    issue::{Counts, IssueKey},
    webhook::Event,
};
use crate::store::{StoreError, webhooks::OwedEvent};
use serde::Serialize;

pub(super) const TEST: &str = "semainier.test";

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'a str,
    /// When the event was taken up, a moment after it happened.
    timestamp: String,
    data: Data<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "snake_case")]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mailing: Option<&'a str>,
    /// In French, with addresses masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of an issue that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a str>,
    /// Of an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a str>,
    /// Of an opt-out: a mailing, or `*` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    /// The page of the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// # Errors
/// If the ledger cannot be read.
pub(super) async fn of(engine: &Engine, event: &OwedEvent) -> Result<String, StoreError> {
    let console = |path: String| Some(engine.app.config.console.address(&path));
    let detail = event.detail.as_deref();
    let known = Event::ALL.into_iter().find(|it| it.as_str() == event.event);
    let data = match known {
        Some(Event::OrderChanged) => Data {
            order: event.subject.strip_prefix("order:"),
            state: detail,
            url: console("commandes".to_owned()),
            ..Data::default()
        },
        Some(Event::ContactOptedOut) => {
            let contact = event.subject.strip_prefix("contact:");
            let url = contact.and_then(|id| console(format!("partenaires/contacts/{id}")));
            Data { contact, scope: detail, url, ..Data::default() }
        }
        _ => {
            let key = IssueKey::parse(&event.subject).ok();
            let done = known == Some(Event::IssueDone);
            let issue = match &key {
                Some(key) if done => engine.store.issue(key).await?,
                _ => None,
            };
            Data {
                issue: Some(&event.subject),
                mailing: event.subject.split('/').next(),
                reason: detail.filter(|_| !done).map(|reason| mask_addresses(reason).to_string()),
                counts: issue.as_ref().map(|it| it.counts),
                recipients: issue.as_ref().map(|it| it.counts.total()),
                url: console(format!("envois/{}", event.subject)),
                ..Data::default()
            }
        }
    };
    Ok(text(engine, &event.event, event.first_at, data))
}

pub(super) fn test(engine: &Engine) -> String {
    let url = Some(engine.app.config.console.address(""));
    text(engine, TEST, engine.app.clock.now(), Data { url, ..Data::default() })
}

fn text(engine: &Engine, event: &str, at: Timestamp, data: Data<'_>) -> String {
    let timestamp = at.with_timezone(&engine.app.config.zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    serde_json::to_string(&Payload { r#type: event, timestamp, data }).unwrap_or_default()
}
