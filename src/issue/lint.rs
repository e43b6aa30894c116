//! The gate of the message: what a recipient would get is made once per issue and judged by [`lint`](crate::domain::lint). An
//! error holds the issue; warnings do not. Every issue passes it, because [`new_issue`](super::freeze::new_issue) is the only
//! way to one.

use super::{
    content::{NotComposed, on_a_blocking_thread},
    sample::{self, Links},
};
use crate::domain::{
    hold::Hold,
    issue::{Content, IssueKey},
    lint::{Audience, Expected, Finding, Severity, lint},
};
use anyhow::Context;
use tracing::debug;

/// What is wrong with the message of this content, errors first.
///
/// # Errors
/// When no message can be made of it.
pub fn findings(key: &IssueKey, content: &Content) -> anyhow::Result<Vec<Finding>> {
    let envelope = &content.envelope;
    let public_url = envelope.public_url.parse().context("the public address of the issue")?;
    let message = sample::message(content, key, &Links::new(&public_url, key))?;
    let audience = if envelope.is_of_a_list() { Audience::List } else { Audience::Person };
    let expected = Expected {
        audience: Some(audience),
        return_path_domain: envelope.return_path.rsplit_once('@').map(|(_, domain)| domain.to_owned()),
        placeholder: Some(&envelope.marks).filter(|it| !it.is_empty()).map(|marks| format!("SEMAINIER-{marks}-")),
    };
    Ok(lint(&message.to_bytes(), &expected))
}

/// Returns the content if its message has no error.
///
/// # Errors
/// [`Hold::MessageFaulty`]; or a content of which no message can be made.
pub async fn pass(key: &IssueKey, content: Content) -> Result<Content, NotComposed> {
    let (of, issue) = (key.clone(), key);
    let (content, found) = on_a_blocking_thread(move || {
        let found = findings(&of, &content);
        (content, found)
    })
    .await?;
    let (faults, rest): (Vec<_>, Vec<_>) = found?.into_iter().partition(|it| it.severity == Severity::Error);
    rest.iter().for_each(|finding| debug!(%issue, "the message of {issue}: {finding}"));
    match faults.is_empty() {
        true => Ok(content),
        false => Err(Hold::MessageFaulty { faults }.into()),
    }
}
