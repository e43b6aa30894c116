//! The content of an issue: what all kinds of mailings share when they compose it.

use super::Due;
use crate::apart::{PATIENCE, apart};
use crate::app::App;
use crate::domain::{
    hold::Hold,
    issue::{Basis, Content, Envelope},
};
use crate::templates::{self, Rendered};
use anyhow::Context;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tracing::warn;

/// Gmail clips the HTML of a mail at 102 kB.
pub(crate) const HTML_LIMIT: usize = 100_000;

/// A composed issue.
#[derive(Debug)]
pub struct Composed {
    pub content: Content,
    /// Optional sources that failed, each with the reason in French.
    pub missing: Vec<String>,
    pub basis: Basis,
}

/// Why there is no content.
#[derive(Debug)]
pub enum NotComposed {
    /// A gate holds the issue: it is retried later, and staff are notified.
    Held(Hold),
    Failed(anyhow::Error),
}

impl From<Hold> for NotComposed {
    fn from(hold: Hold) -> Self {
        Self::Held(hold)
    }
}

impl From<anyhow::Error> for NotComposed {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<crate::store::StoreError> for NotComposed {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs CPU-bound work outside the async worker threads, with a time limit and a large stack.
///
/// # Errors
/// When it panicked or timed out.
pub(crate) async fn on_a_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    apart(PATIENCE, work).await.context("composing failed")
}

/// Renders a mail on a blocking thread, since rendering MJML is slow.
pub(crate) async fn render<C: templates::Context + Send + 'static>(app: &App, mail: C) -> anyhow::Result<Rendered> {
    let templates = Arc::clone(&app.templates);
    Ok(on_a_blocking_thread(move || templates.mail(&mail)).await??)
}

/// Whether mails can be read online too.
pub(crate) fn is_online(app: &App) -> bool {
    app.config.web.bind.is_some()
}

pub(crate) fn warn_of_a_long_mail(due: &Due<'_>, html: &str) {
    if html.len() > HTML_LIMIT {
        warn!(issue = %due.key(), bytes = html.len(), "long mail: Gmail will clip it and show a link to the rest");
    }
}

/// The header values shared by all messages of the issue. The date is that of the occurrence; the freeze replaces it with
/// the time of sending.
pub(crate) fn envelope(app: &App, due: &Due<'_>) -> Envelope {
    let (mailing, key, sender) = (due.mailing, due.key(), &app.config.sender);
    let from = mailing.sender_address.as_ref().unwrap_or(&sender.address);
    // Gmail and Orange ask that the last field of Feedback-ID has five to fifteen characters and never changes.
    let sender_id: String = format!("{:-<5}", from.domain().replace('.', "-")).chars().take(15).collect();
    Envelope {
        from_name: mailing.sender_name.clone().unwrap_or_else(|| sender.name.clone()),
        from_address: from.to_string(),
        reply_to: sender.reply_to.as_ref().map(ToString::to_string),
        return_path: sender.return_path_of(from).to_string(),
        domain: from.domain().to_owned(),
        list_id: format!("{}.lettre.{}", mailing.id, from.domain()),
        list_name: mailing.title.clone(),
        feedback_id: format!("{}:{}:semainier:{sender_id}", mailing.id, key.slug()),
        date_ms: due.at.timestamp_millis(),
        public_url: app.config.public_url.to_string(),
        edition: None,
        article_url: None,
        marks: String::new(),
        dkim: app.config.dkim.for_sender(from.domain()),
    }
}

/// SHA-256 over everything recipients read: sender, subject, texts, pictures, attachments. An approval refers to it (I6).
/// `Date`, which is set by the freeze, and what differs per recipient are not part of it.
pub fn content_hash(content: &Content) -> String {
    let mut hash = Sha256::new();
    let mut feed = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    let Envelope { from_name, from_address, reply_to, .. } = &content.envelope;
    let reply_to = reply_to.as_deref().unwrap_or_default();
    for text in [from_name, from_address, reply_to, &content.subject, &content.html, &content.text] {
        feed(text.as_bytes());
    }
    feed(&content.inline.len().to_be_bytes());
    for picture in &content.inline {
        feed(picture.content_id.as_bytes());
        feed(&picture.bytes);
    }
    for attachment in &content.attachments {
        feed(attachment.name.as_bytes());
        feed(&attachment.bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
