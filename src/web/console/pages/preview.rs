//! The kept content of an issue: the mail, its text, its documents, the message as it is sent. The address holds the hash, so
//! that what somebody looks at is what they think it is.

use crate::accounts::Viewer;
use crate::compose::mime::{Mime, To};
use crate::domain::{
    email::EmailAddress,
    issue::{Content, IssueKey},
};
use crate::web::{
    answer::{self, Answer},
    console::Console,
    public::for_everyone,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use std::sync::Arc;
use tracing::error;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((mailing, period, hash, file)): Path<(String, String, String, String)>,
) -> Answer {
    let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return console.nowhere(&viewer) };
    let read = async {
        let issue = console.store().issue(&key).await?;
        // Only the kept content is there: an address of before says so.
        if issue.is_none_or(|issue| issue.content_hash() != Some(&hash)) {
            return Ok(None);
        }
        console.store().content(&key).await
    };
    let content = match read.await {
        Ok(Some(content)) => content,
        Ok(None) => return console.message(&viewer, StatusCode::NOT_FOUND, "outdated"),
        Err(error) => return console.broken(&viewer, &error),
    };
    match file.as_str() {
        "mail.html" => {
            let html = for_everyone(&content, console.config().office.email.as_deref());
            answer::preview(answer::HTML, html.into_bytes(), None)
        }
        "texte.txt" => answer::preview("text/plain; charset=utf-8", content.text.into_bytes(), None),
        "message.eml" => match message(content, &console.config().sender.address) {
            Ok(bytes) => answer::preview("message/rfc822", bytes, Some(&format!("{}.eml", key.slug()))),
            Err(error) => {
                error!(error = error.as_ref() as &dyn std::error::Error, issue = %key, "a message cannot be shown");
                console.message(&viewer, StatusCode::INTERNAL_SERVER_ERROR, "broken")
            }
        },
        document => {
            let n: Option<usize> = document.strip_prefix("document-").and_then(|n| n.parse().ok());
            let found = n.and_then(|n| n.checked_sub(1)).and_then(|n| content.attachments.into_iter().nth(n));
            match found {
                // Only what a browser shows without running anything; anything else is saved.
                Some(it) if it.media_type == "application/pdf" => {
                    answer::preview("application/pdf", it.bytes, Some(&it.name))
                }
                Some(it) => answer::preview("application/octet-stream", it.bytes, Some(&it.name)),
                None => console.nowhere(&viewer),
            }
        }
    }
}

/// As it goes to a recipient without name; its links are those of nobody.
fn message(content: Content, to: &EmailAddress) -> anyhow::Result<Vec<u8>> {
    let mime = Mime::new(content)?;
    let nowhere = mime.public_url()?.to_string();
    let to = To {
        address: to,
        name: "",
        establishment: "",
        message_id: "apercu@semainier.invalid",
        unsubscribe_url: &nowhere,
        order_url: &nowhere,
    };
    Ok(mime.message(to)?.to_bytes())
}
