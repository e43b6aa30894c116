//! The log: every delivery with its attempts and the relay's replies.

use super::instant;
use crate::domain::{classify::Class, delivery::State, feedback::Feedback, issue::IssueKey};
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
    /// What came back by mail, oldest first.
    pub feedback: Vec<FeedbackView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FeedbackView {
    /// When the message was written, as it says.
    pub at: String,
    /// See [`crate::domain::feedback::FeedbackKind`].
    pub kind: &'static str,
    /// Of a bounce: `hard`, `soft`, `content` or `sender`.
    pub class: Option<&'static str>,
    pub code: Option<u16>,
    pub enhanced: Option<String>,
    pub text: String,
    /// `return_path` or `message_id`: what it was recognised by.
    pub proof: &'static str,
    pub recorded_at: String,
}

impl FeedbackView {
    fn new(it: &Feedback, zone: Tz) -> Self {
        Self {
            at: instant(it.received_at, zone),
            kind: it.kind.as_str(),
            class: it.class.map(Class::as_str),
            code: it.said.code,
            enhanced: it.said.enhanced.clone(),
            text: it.said.text.clone(),
            proof: it.proof.as_str(),
            recorded_at: instant(it.recorded_at, zone),
        }
    }

    /// `bounce, hard`
    pub fn in_words(&self) -> String {
        self.class.map_or_else(|| self.kind.to_owned(), |class| format!("{}, {class}", self.kind))
    }
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
            feedback: it.feedback.iter().map(|it| FeedbackView::new(it, zone)).collect(),
        }
    }
}

pub fn page(log: &[LoggedDelivery], zone: Tz) -> Vec<DeliveryView> {
    log.iter().map(|delivery| DeliveryView::new(delivery, zone)).collect()
}
