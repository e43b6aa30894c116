//! An erratum: what has left cannot be called back, but those whom it reached can be told what was wrong.

use super::{Actor, Refusal, Result, on};
use crate::app::Engine;
use crate::compose::erratum::ErratumMail;
use crate::domain::{
    characters,
    issue::{Content, Envelope, IssueKey, NewIssue, RecipientScope},
};
use crate::issue::{
    Due,
    approval::short,
    content::{NotComposed, content_hash, envelope, is_online, render},
    freeze::new_issue,
    lint,
};
use crate::jobs::Mailing;
use crate::store::Frozen;
use chrono::TimeDelta;
use serde_json::json;
use tracing::info;

/// A later correction would only confuse.
const USEFUL: TimeDelta = TimeDelta::days(2);
/// Errata to one issue.
const MOST: u32 = 9;
/// The longest text, in characters.
pub const LONGEST: usize = 5_000;

/// An erratum as it would be sent now.
#[derive(Debug, Clone)]
pub struct Erratum {
    pub key: IssueKey,
    pub content: Content,
    /// Of the content.
    pub hash: String,
    /// Those it goes to.
    pub recipients: u64,
    /// Exactly this was sent before.
    pub sent: bool,
}

/// What was sent, and to how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub key: IssueKey,
    pub recipients: u64,
}

/// Whether an erratum to this issue can be sent, and to how many.
///
/// # Errors
/// A refusal: it has reached nobody, is a mail to one person, or its mailing asks two persons; or a database that cannot be read.
pub async fn may_correct(engine: &Engine, of: &IssueKey) -> Result<u64> {
    let issue = engine.store.issue(of).await?.ok_or_else(|| Refusal::NoSuchIssue(of.clone()))?;
    let mailing = mailing_of(engine, of)?;
    if mailing.second_person {
        return Err(Refusal::NeedsTwoPersons { mailing: mailing.id.clone() }.into());
    }
    match engine.store.reached(of).await? {
        0 => Err(Refusal::ReachedNobody(issue.key).into()),
        recipients => Ok(recipients),
    }
}

fn mailing_of<'a>(engine: &'a Engine, of: &IssueKey) -> Result<&'a Mailing, Refusal> {
    engine.app.mailing(of.mailing()).map_err(|_| Refusal::NotOfAList(of.clone()))
}

/// The erratum to an issue with these words, in Markdown. Changes nothing. `of`: an erratum stands for the issue it corrects.
///
/// # Errors
/// As of [`may_correct`]; no words, or too many, or a message that receivers would refuse; or a template that does not render.
pub async fn compose(engine: &Engine, of: &IssueKey, words: &str) -> Result<Erratum> {
    let of = &of.corrected().unwrap_or_else(|| of.clone());
    let words = characters::clean(words.trim());
    if words.trim().is_empty() {
        return Err(Refusal::NoWords.into());
    }
    if words.chars().count() > LONGEST {
        return Err(Refusal::TooManyWords { most: LONGEST }.into());
    }
    let recipients = may_correct(engine, of).await?;
    let (app, mailing) = (&engine.app, mailing_of(engine, of)?);
    let wrong = engine.store.content(of).await?.ok_or_else(|| Refusal::NoSuchIssue(of.clone()))?;
    let page_url = wrong.envelope.article_url.as_deref();
    let mail = ErratumMail::new(&wrong.subject, &words, page_url, &app.config.office, is_online(app));
    let marks = mail.marks.issue.clone();
    let rendered = render(app, mail).await?;
    let now = app.clock.now();
    let mut content = Content {
        subject: rendered.subject,
        html: rendered.html.unwrap_or_default(),
        text: rendered.text,
        attachments: Vec::new(),
        inline: Vec::new(),
        data: String::new(),
        envelope: Envelope {
            marks,
            article_url: None,
            date_ms: now.timestamp_millis(),
            dkim: app.config.dkim.for_sender(&wrong.envelope.domain),
            ..wrong.envelope
        },
    };
    let hash = content_hash(&content);
    // The first number that is free, or has exactly this content.
    for n in 1..=MOST {
        let key = of.erratum(n);
        let known = engine.store.issue(&key).await?;
        // One that was stopped, or came too late, may be sent again under the next number.
        let sent =
            known.as_ref().is_some_and(|known| known.content_hash() == Some(&*hash) && !known.state().is_given_up());
        if known.is_some() && !sent {
            continue;
        }
        let due = Due { period: Some(key.period()), ..Due::scheduled(mailing, now, now + USEFUL) };
        content.envelope.feedback_id = envelope(app, &due).feedback_id;
        let content = lint::pass(&key, content).await.map_err(|why| not_composed(&key, why))?;
        return Ok(Erratum { key, content, hash, recipients, sent });
    }
    Err(Refusal::TooManyErrata { issue: of.clone(), most: MOST }.into())
}

fn not_composed(key: &IssueKey, why: NotComposed) -> super::ActionError {
    match why {
        NotComposed::Held(why) => Refusal::WouldBeHeld { issue: key.clone(), why: why.into() }.into(),
        NotComposed::Failed(error) => error.into(),
    }
}

/// Sends it to those whom the issue has reached and who have not unsubscribed since. Sending the same words twice is sending them once.
/// `seen`: the hash and the number of recipients that the actor saw.
///
/// # Errors
/// As of [`compose`]; something of what was seen has changed; or a database that cannot be written.
pub async fn send(
    engine: &Engine,
    actor: &Actor,
    of: &IssueKey,
    words: &str,
    seen: Option<(&str, u64)>,
) -> Result<Sent> {
    let Erratum { key, content, hash, recipients, sent } = compose(engine, of, words).await?;
    if sent {
        return Ok(Sent { key, recipients });
    }
    if seen.is_some_and(|(seen, n)| !hash.starts_with(seen) || n != recipients) {
        return Err(Refusal::ChangedMeanwhile(of.clone()).into());
    }
    // Its links must open, and its opt-outs be known (F1).
    engine.tokens().await?;
    let (mailing, now) = (mailing_of(engine, of)?, engine.app.clock.now());
    let due = Due { period: Some(key.period()), ..Due::scheduled(mailing, now, now + USEFUL) };
    let made = new_issue(due, content, now).await.map_err(|why| not_composed(&key, why))?;
    let issue = NewIssue {
        segment: None,
        whom: RecipientScope::Reached(of.corrected().unwrap_or_else(|| of.clone())),
        author: Some(actor.name().to_owned()),
        ..made
    };
    let detail = json!({"hash": short(&issue.content_hash), "recipients": recipients});
    match actor.recording(engine, "issue.erratum", on(&key), &detail).freeze_issue(&issue, now).await? {
        // The ledger counts those who have unsubscribed, too; they get nothing.
        Frozen::Now { .. } => {
            info!(issue = %key, recipients, door = %actor.door, "an erratum is sent to {recipients} recipients");
            Ok(Sent { key, recipients })
        }
        // Somebody sent another one at the same moment.
        Frozen::Before | Frozen::Outdated => Err(Refusal::ChangedMeanwhile(of.clone()).into()),
    }
}
