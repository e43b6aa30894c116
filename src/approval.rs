//! A person's word on an issue (I6): its content is kept and shown to staff, an approval names the hash of that content, and
//! what is approved is what leaves, byte for byte. Nothing is collected again on the way; whatever changes asks again.

use crate::app::{App, Engine};
use crate::compose::{
    context::{self, BANNER},
    mime::{Mime, To},
    newsletter::ApprovalMail,
};
use crate::daemon::in_words;
use crate::domain::{
    Timestamp,
    email::EmailAddress,
    french::NBSP,
    issue::{Content, IssueKey, IssueState, IssueSummary, NewIssue},
    message::Message,
    newsletter::Letter,
};
use crate::editions;
use crate::jobs::{Kind, Mailing};
use crate::newsletter;
use crate::pipeline::{Due, content_hash};
use crate::store::{Frozen, Notice};
use anyhow::{Context, bail};
use tracing::{info, warn};

/// Begins the kind of the notice that asks; the content's hash follows.
const ASKING: &str = "approval-";
/// Enough of a hash to tell two contents apart.
pub const SHORT: usize = 12;
/// Marks a notice about a content that another one was shown before.
const CHANGED: &str = "changed";

pub fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

/// Keeps the content of an occurrence and asks staff. `replacing`: the hash of the content that is there now. `false` when
/// somebody else was first.
///
/// # Errors
/// When the database cannot be written.
pub async fn present(
    engine: &Engine,
    due: Due<'_>,
    content: Content,
    composed_at: Timestamp,
    replacing: Option<&str>,
) -> anyhow::Result<bool> {
    let issue = new_issue(due, content, composed_at);
    let (key, hash, now) = (&issue.key, &issue.content_hash, engine.app.clock.now());
    if !engine.store.present_issue(&issue, replacing, now).await? {
        return Ok(false);
    }
    info!(mailing = issue.mailing, issue = %key, hash = short(hash), "issue {key} is composed and awaits approval");
    ask(engine, key, hash, replacing.is_some_and(|before| before != hash)).await?;
    Ok(true)
}

/// Staff are owed one mail for each content; asked again it changes nothing.
async fn ask(engine: &Engine, key: &IssueKey, hash: &str, changed: bool) -> anyhow::Result<()> {
    let text = if changed { CHANGED } else { "" };
    let kind = format!("{ASKING}{}", short(hash));
    engine.store.owe_notice(key, &kind, text, engine.app.clock.now()).await?;
    Ok(())
}

fn new_issue(due: Due<'_>, content: Content, composed_at: Timestamp) -> NewIssue {
    NewIssue {
        key: due.key(),
        mailing: due.mailing.id.clone(),
        audience: due.mailing.audience.clone(),
        segment: due.mailing.segment.clone(),
        whom: due.whom(),
        scheduled_for: due.at,
        expires_at: due.expires_at,
        content_hash: content_hash(&content),
        content,
        composed_at,
    }
}

/// What became of an issue whose content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Nobody approved this content yet.
    Awaited,
    /// Approved, and frozen now for so many.
    Frozen { recipients: u64 },
    /// Somebody else froze it, or changed it, in the same moment.
    Elsewhere,
}

/// Freezes what is kept, if it is approved.
///
/// # Errors
/// When the content in the ledger is not what its hash says, or the database cannot be written.
pub async fn freeze(engine: &Engine, due: Due<'_>, issue: &IssueSummary) -> anyhow::Result<Word> {
    let (key, now) = (&issue.key, engine.app.clock.now());
    let hash = issue.content_hash.as_deref().context("an issue without content cannot be approved")?;
    if !issue.is_approved() {
        // Again, in case the first asking died between its two writes.
        ask(engine, key, hash, false).await?;
        return Ok(Word::Awaited);
    }
    let content = engine.store.content(key).await?.context("the content of an approved issue is gone")?;
    let found = content_hash(&content);
    if found != hash {
        bail!("the kept content of {key} is not what was approved: its hash is {}, not {}", short(&found), short(hash));
    }
    let was_held = issue.state == IssueState::Held;
    let mut frozen = NewIssue { content_hash: hash.to_owned(), ..new_issue(due, content, now) };
    frozen.content.envelope.date_ms = now.timestamp_millis();
    match engine.store.freeze_approved(&frozen, now).await? {
        Frozen::Before => Ok(Word::Elsewhere),
        Frozen::Now { recipients } => {
            info!(mailing = issue.mailing, issue = %key, recipients, hash = short(hash),
                "issue {key} was approved and is frozen for {recipients} recipients");
            if was_held {
                engine.store.owe_notice(key, "resolved", "Une personne a donné son accord", now).await?;
            }
            Ok(Word::Frozen { recipients })
        }
    }
}

/// Its hour has come, and nobody approved it: held, and told. It may still be approved until its deadline.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold_unapproved(engine: &Engine, key: &IssueKey) -> anyhow::Result<()> {
    let (reason, now) = (UNAPPROVED, engine.app.clock.now());
    engine.store.owe_notice(key, "unapproved", reason, now).await?;
    if engine.store.set_issue_state(key, &[IssueState::AwaitingApproval], IssueState::Held, Some(reason), now).await? {
        warn!(issue = %key, "issue {key} is held: nobody approved it before its hour");
    }
    Ok(())
}

pub const UNAPPROVED: &str = "personne n’a donné son accord avant l’heure prévue";

/// What a person's `approve` came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approved {
    Done {
        hash: String,
    },
    /// There is nothing to approve: why, in English.
    No {
        why: String,
    },
}

/// `by` approves what is kept of this issue now. `hash`: the beginning of the hash of what they saw.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn approve(engine: &Engine, key: &IssueKey, by: &str, hash: Option<&str>) -> anyhow::Result<Approved> {
    let no = |why: String| Ok(Approved::No { why });
    let now = engine.app.clock.now();
    let Some(issue) = engine.store.issue(key).await? else {
        return no(format!(
            "there is no issue {key} yet; it is composed before its hour, or now: semainier issues recompose {key}"
        ));
    };
    let current = match &issue.content_hash {
        Some(current) if issue.is_presented() => current,
        _ => {
            let reason = issue.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            return no(format!("issue {key} is {}{reason}; there is nothing to approve", issue.state.as_str()));
        }
    };
    if now >= issue.expires_at {
        return no(format!("the deadline of issue {key} is over; it does not leave any more"));
    }
    if let Some(seen) = hash.filter(|seen| !current.starts_with(&seen.to_ascii_lowercase())) {
        return no(format!(
            "issue {key} has changed: what you saw was {seen}, now it is {}; look at it again: semainier issues show {key}",
            short(current)
        ));
    }
    // The content itself, not only what is written about it.
    let content = engine.store.content(key).await?.context("the content to be approved is gone")?;
    if content_hash(&content) != *current {
        bail!(
            "the kept content of {key} is not what its hash says; compose it again: semainier issues recompose {key}"
        );
    }
    if !engine.store.approve_issue(key, current, by, now).await? {
        return no(format!("issue {key} changed in this moment; look at it again: semainier issues show {key}"));
    }
    info!(issue = %key, hash = short(current), "issue {key} was approved");
    Ok(Approved::Done { hash: current.clone() })
}

/// Another editorial, in what is kept of this issue if it is composed already, else for when it will be.
/// `true`: composed, and staff are asked again.
///
/// # Errors
/// When the issue is frozen or over, its mailing has no place for an editorial, or the database cannot be written.
pub async fn write_editorial(engine: &Engine, key: &IssueKey, text: &str, by: &str) -> anyhow::Result<bool> {
    let mailing = engine.app.mailing(key.mailing())?;
    let Kind::Newsletter(_) = &mailing.kind else { bail!("{} has no editorial: it is no newsletter", mailing.id) };
    let issue = engine.store.issue(key).await?;
    if let Some(issue) = issue.as_ref().filter(|issue| issue.frozen_at.is_some() || issue.state.is_given_up()) {
        bail!("issue {key} is {}; it cannot be changed any more", issue.state.as_str());
    }
    let presented = match issue.filter(IssueSummary::is_presented) {
        Some(issue) => {
            let content = engine.store.content(key).await?.context("the content of the issue is gone")?;
            let mut letter: Letter = serde_json::from_str(&content.data).context("the kept letter cannot be read")?;
            if !letter.set_editorial(Some(text).filter(|text| !text.trim().is_empty())) {
                bail!("the mailing {} has no section of kind \"editorial\"", mailing.id);
            }
            Some((issue, letter, content.inline))
        }
        None => None,
    };
    engine.store.write_editorial(key, text, by, engine.app.clock.now()).await?;
    let Some((issue, letter, pictures)) = presented else { return Ok(false) };
    let due = Due::scheduled(mailing, issue.scheduled_for, issue.expires_at);
    let content = newsletter::compose(&engine.app, due, &letter, pictures)?;
    if !present(engine, due, content, letter.until, issue.content_hash.as_deref()).await? {
        bail!("issue {key} changed in the same moment; look at it, and write again: semainier issues show {key}");
    }
    Ok(true)
}

/// The notice asks for a word on an issue.
pub fn asks(notice: &Notice) -> bool {
    notice.kind.starts_with(ASKING)
}

/// The mail itself under a banner that says what it is and how to approve it. `None` when it is no longer the question.
///
/// # Errors
/// When the ledger cannot be read, or a template does not render.
pub async fn question(engine: &Engine, notice: &Notice) -> anyhow::Result<Option<Mime>> {
    let key = &notice.issue;
    let (Ok(mailing), Some(issue)) = (engine.app.mailing(key.mailing()), engine.store.issue(key).await?) else {
        return Ok(None);
    };
    let Some(mailing) = editions::mailing_for(engine, mailing, Some(key)).await? else { return Ok(None) };
    let mailing = &*mailing;
    let asked = notice.kind.strip_prefix(ASKING).unwrap_or_default();
    let Some(hash) = issue.content_hash.as_deref().filter(|hash| short(hash) == asked) else { return Ok(None) };
    if !issue.is_presented() || issue.is_approved() {
        return Ok(None);
    }
    let content = engine.store.content(key).await?.context("the content to be approved is gone")?;
    let recipients = engine.store.audience_size(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await?;
    let about = about(&engine.app, mailing, &issue, &content, hash, recipients, notice.text == CHANGED);
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
    context::fill_view(&mut review, &engine.tokens.view_url(&public_url, key));
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
        leaves_at: in_words(issue.scheduled_for, zone),
        deadline: in_words(issue.expires_at, zone),
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

/// The question to one person of staff.
///
/// # Errors
/// When an address cannot stand in a header.
pub fn letter(engine: &Engine, question: &Mime, to: &EmailAddress, message_id: &str) -> anyhow::Result<Message> {
    let sender = &engine.app.config.sender.address;
    // Where a partner's own link would lead; staff have none.
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
