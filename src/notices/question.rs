//! The mails that show staff what would leave, under a banner: to be approved, or rehearsed.

use super::eve;
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
use crate::issue::{approval::short, audience, edition};
use crate::jobs::{Kind, Mailing};
use anyhow::Context;

/// Why staff are shown an issue. `short_hash`: of the content that was kept then.
pub(super) enum Shown<'a> {
    ToApprove {
        short_hash: &'a str,
        changed: bool,
    },
    Rehearsed {
        short_hash: &'a str,
        missing: &'a [String],
        /// Why the relay takes no mail.
        relay: Option<&'a str>,
    },
}

impl Shown<'_> {
    fn short_hash(&self) -> &str {
        match self {
            Self::ToApprove { short_hash, .. } | Self::Rehearsed { short_hash, .. } => short_hash,
        }
    }
}

/// The kept mail, under a banner that says what it is and what to do. `None` when that was done, or the content has changed
/// since.
///
/// # Errors
/// When the ledger cannot be read, or a template does not render.
pub(super) async fn mail(engine: &Engine, key: &IssueKey, shown: &Shown<'_>) -> anyhow::Result<Option<Mime>> {
    let (Ok(mailing), Some(issue)) = (engine.app.mailing(key.mailing()), engine.store.issue(key).await?) else {
        return Ok(None);
    };
    let Some(mailing) = edition::mailing_for(engine, mailing, Some(key)).await? else { return Ok(None) };
    let mailing = &*mailing;
    let Some(hash) = issue.content_hash().filter(|hash| short(hash) == shown.short_hash()) else { return Ok(None) };
    let still = match shown {
        Shown::ToApprove { .. } => issue.needs_approval(),
        Shown::Rehearsed { .. } => issue.is_rehearsed(),
    };
    if !still {
        return Ok(None);
    }
    let content = engine.store.content(key).await?.context("the content to be approved is gone")?;
    let recipients = audience::size(&*engine.store, mailing, key).await?;
    let mut about = about(&engine.app, mailing, &issue, &content, hash, recipients, shown);
    about.url = super::issue_url(engine, key);
    if let Shown::Rehearsed { .. } = shown {
        about.verdict = Some(eve::verdict(engine, engine.app.clock.now()).await?);
    }
    let mail = engine.app.templates.mail(&about)?;
    let banner = engine.app.templates.fragment(BANNER, &about)?;
    let public_url =
        content.envelope.public_url.parse().context("the public address stored with the issue is invalid")?;
    let mut review = Content {
        subject: mail.subject,
        html: under(&banner, &content.html),
        text: format!("{}\n\n{}\n\n{}", mail.text.trim_end(), "-".repeat(72), content.text),
        ..content
    };
    // Fill in the real address: the placeholder must not be visible (F8).
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
    shown: &Shown<'_>,
) -> ApprovalMail {
    let letter = content.letter().ok();
    let zone = app.zone_of(&mailing.id);
    let erratum = issue.key.corrected().is_some();
    let kilobytes = |bytes: usize| bytes.div_ceil(1000);
    ApprovalMail {
        title: mailing.title.clone(),
        issue: issue.key.to_string(),
        subject: content.subject.clone(),
        contents: letter.as_ref().map(Letter::contents).unwrap_or_default(),
        missing: match shown {
            Shown::Rehearsed { missing, .. } => missing.to_vec(),
            Shown::ToApprove { .. } => letter.map(|letter| letter.missing).unwrap_or_default(),
        },
        attachments: content
            .attachments
            .iter()
            .map(|it| format!("{} ({}{NBSP}ko)", it.name, kilobytes(it.bytes.len())))
            .collect(),
        recipients,
        leaves_at: match erratum {
            true => "dès l’approbation".to_owned(),
            false => date_and_hour(issue.scheduled_for, zone),
        },
        deadline: date_and_hour(issue.expires_at, zone),
        hash: hash.to_owned(),
        short_hash: short(hash).to_owned(),
        changed: matches!(shown, Shown::ToApprove { changed: true, .. }),
        has_editorial: matches!(mailing.kind, Kind::Newsletter(_)) && !erratum,
        rehearsed: matches!(shown, Shown::Rehearsed { .. }),
        relay: match shown {
            Shown::Rehearsed { relay, .. } => relay.map(str::to_owned),
            Shown::ToApprove { .. } => None,
        },
        erratum,
        verdict: None,
        url: None,
    }
}

/// Inserts the banner at the beginning of the body.
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
    // Staff have no personal unsubscribe link.
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
