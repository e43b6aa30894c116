//! The mail that asks staff to approve an issue: what would leave, under a banner that says how to approve it.

use crate::app::{App, Engine};
use crate::compose::{
    context::{self, BANNER},
    mime::{Mime, To},
    newsletter::ApprovalMail,
};
use crate::domain::{
    email::EmailAddress,
    french::{NBSP, date_and_hour},
    issue::{Content, IssueKey, IssueSummary},
    message::Message,
    newsletter::Letter,
};
use crate::issue::{approval::short, edition};
use crate::jobs::{Kind, Mailing};
use anyhow::Context;

/// `asked`: the short hash of the content in question. The mail itself, under a banner that says what it is and how to approve it. `None` when the question was answered, or the
/// content has changed since.
///
/// # Errors
/// When the ledger cannot be read, or a template does not render.
pub(super) async fn question(
    engine: &Engine,
    key: &IssueKey,
    asked: &str,
    changed: bool,
) -> anyhow::Result<Option<Mime>> {
    let (Ok(mailing), Some(issue)) = (engine.app.mailing(key.mailing()), engine.store.issue(key).await?) else {
        return Ok(None);
    };
    let Some(mailing) = edition::mailing_for(engine, mailing, Some(key)).await? else { return Ok(None) };
    let mailing = &*mailing;
    let Some(hash) = issue.content_hash().filter(|hash| short(hash) == asked) else { return Ok(None) };
    if !issue.needs_approval() {
        return Ok(None);
    }
    let content = engine.store.content(key).await?.context("the content to be approved is gone")?;
    let recipients = engine.store.audience_size(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await?;
    let about = about(&engine.app, mailing, &issue, &content, hash, recipients, changed);
    let mail = engine.app.templates.mail(&about)?;
    let banner = engine.app.templates.fragment(BANNER, &about)?;
    let public_url = content.envelope.public_url.parse().context("the kept public address is none")?;
    let mut review = Content {
        subject: mail.subject,
        html: under(&banner, &content.html),
        text: format!("{}\n\n{}\n\n{}", mail.text.trim_end(), "-".repeat(72), content.text),
        ..content
    };
    // Where partners will read it: nobody is shown the mark that stands for it (F8).
    context::fill_view(&mut review, &engine.tokens().await?.view_url(&public_url, key));
    Ok(Some(Mime::new(review)?))
}

fn about(
    app: &App,
    mailing: &Mailing,
    issue: &IssueSummary,
    content: &Content,
    hash: &str,
    recipients: u64,
    changed: bool,
) -> ApprovalMail {
    let letter: Option<Letter> = serde_json::from_str(&content.data).ok();
    let zone = app.zone_of(&mailing.id);
    let kilobytes = |bytes: usize| bytes.div_ceil(1000);
    ApprovalMail {
        title: mailing.title.clone(),
        issue: issue.key.to_string(),
        subject: content.subject.clone(),
        contents: letter.as_ref().map(Letter::contents).unwrap_or_default(),
        missing: letter.map(|letter| letter.missing).unwrap_or_default(),
        attachments: content
            .attachments
            .iter()
            .map(|it| format!("{} ({}{NBSP}ko)", it.name, kilobytes(it.bytes.len())))
            .collect(),
        recipients,
        leaves_at: date_and_hour(issue.scheduled_for, zone),
        deadline: date_and_hour(issue.expires_at, zone),
        hash: hash.to_owned(),
        short_hash: short(hash).to_owned(),
        changed,
        has_editorial: matches!(mailing.kind, Kind::Newsletter(_)),
    }
}

/// The banner as the first thing in the body.
fn under(banner: &str, html: &str) -> String {
    let body = html.find("<body").and_then(|at| Some(at + html[at..].find('>')? + 1)).unwrap_or(0);
    format!("{}{banner}{}", &html[..body], &html[body..])
}

/// The question, addressed to one member of staff.
///
/// # Errors
/// When an address is not valid in a header.
pub(super) fn letter(engine: &Engine, question: &Mime, to: &EmailAddress, message_id: &str) -> anyhow::Result<Message> {
    let sender = &engine.app.config.sender.address;
    // In place of a partner's own link; staff have none.
    let unsubscribe_url = engine.app.config.public_url.as_str();
    let to = To { address: to, name: "", establishment: "", message_id, unsubscribe_url, order_url: unsubscribe_url };
    Ok(question.review(to, "semainier", sender, engine.app.clock.now())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_stands_first_in_the_body_whatever_is_before_it() {
        assert_eq!(under("[!]", "<html><body style=\"a>b\">x</body></html>").matches("[!]").count(), 1);
        assert_eq!(
            under("[!]", "<html><body class=\"page\">x</body></html>"),
            "<html><body class=\"page\">[!]x</body></html>"
        );
        assert_eq!(under("[!]", "x"), "[!]x");
    }
}
