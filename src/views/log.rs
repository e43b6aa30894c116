//! The log: every delivery with its attempts and the relay's replies.

use super::instant;
use crate::domain::{delivery::State, issue::IssueKey};
use crate::store::{LoggedAttempt, LoggedDelivery};
use chrono_tz::Tz;
use serde::Serialize;

/// An element of `log --json`.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryView {
    pub issue: IssueKey,
    pub address: String,
    pub state: State,
    pub message_id: String,
    pub attempts: Vec<AttemptView>,
    pub id: String,
    pub name: String,
    pub establishment: String,
    pub next_at: Option<String>,
    pub changed_at: String,
    pub resends: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct AttemptView {
    pub n: u32,
    pub at: String,
    pub phase: &'static str,
    pub code: Option<u16>,
    pub enhanced: Option<String>,
    pub text: Option<String>,
    pub outcome: String,
}

impl DeliveryView {
    pub fn new(it: &LoggedDelivery, zone: Tz) -> Self {
        let attempt = |it: &LoggedAttempt| AttemptView {
            n: it.n,
            at: instant(it.at, zone),
            phase: it.phase.as_str(),
            code: it.code,
            enhanced: it.enhanced.clone(),
            text: it.text.clone(),
            outcome: it.outcome.clone(),
        };
        Self {
            issue: it.issue.clone(),
            address: it.address.clone(),
            state: it.state,
            message_id: it.message_id.clone(),
            attempts: it.attempts.iter().map(attempt).collect(),
            id: it.id.to_string(),
            name: it.name.clone(),
            establishment: it.establishment.clone(),
            next_at: it.next_at.map(|at| instant(at, zone)),
            changed_at: instant(it.changed_at, zone),
            resends: it.resends,
        }
    }
}

pub fn page(log: &[LoggedDelivery], zone: Tz) -> Vec<DeliveryView> {
    log.iter().map(|delivery| DeliveryView::new(delivery, zone)).collect()
}
