//! An erratum: what has left cannot be called back, but those whom it reached can be told what was wrong.

use super::{Actor, Refusal, Result, on};
use crate::app::Engine;
use crate::compose::erratum::ErratumMail;
use crate::domain::{
    characters,
    issue::{Content, Envelope, IssueKey, NewIssue},
};
use crate::issue::{
    Due,
    approval::{ask, short},
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
    /// It leaves only once somebody else has approved it.
    pub second_person: bool,
    pub known: Known,
}

/// What the ledger has under the key of an erratum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Nothing,
    /// Other words, with this hash, that have not left: they are replaced.
    Waiting(String),
    /// Exactly this: sent, or waiting for somebody else.
    Same,
}

/// What was sent or waits, and for how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub key: IssueKey,
    pub recipients: u64,
    /// Nothing leaves before somebody else has approved it.
    pub awaits_approval: bool,
}

/// Whether an erratum to this issue can be sent, and to how many.
///
/// # Errors
/// A refusal: it has reached nobody, or is a mail to one person; or a database that cannot be read.
pub async fn may_correct(engine: &Engine, of: &IssueKey) -> Result<u64> {
    let issue = engine.store.issue(of).await?.ok_or_else(|| Refusal::NoSuchIssue(of.clone()))?;
    mailing_of(engine, of)?;
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
    // The first number that is free, has exactly this content, or content that has not left.
    for n in 1..=MOST {
        let key = of.erratum(n);
        let known = match engine.store.issue(&key).await? {
            None => Known::Nothing,
            // One that was stopped, or came too late, may be sent again under the next number.
            Some(issue) if issue.state().is_given_up() => continue,
            Some(issue) if issue.content_hash() == Some(&*hash) => Known::Same,
            Some(issue) if issue.frozen().is_some() => continue,
            Some(issue) => Known::Waiting(issue.content_hash().unwrap_or_default().to_owned()),
        };
        let due = Due { period: Some(key.period()), ..Due::scheduled(mailing, now, now + USEFUL) };
        content.envelope.feedback_id = envelope(app, &due).feedback_id;
        let content = lint::pass(&key, content).await.map_err(|why| not_composed(&key, why))?;
        return Ok(Erratum { key, content, hash, recipients, second_person: mailing.second_person, known });
    }
    Err(Refusal::TooManyErrata { issue: of.clone(), most: MOST }.into())
}

fn not_composed(key: &IssueKey, why: NotComposed) -> super::ActionError {
    match why {
        NotComposed::Held(why) => Refusal::WouldBeHeld { issue: key.clone(), why: why.into() }.into(),
        NotComposed::Failed(error) => error.into(),
    }
}

/// Sends it to those whom the issue has reached and who have not unsubscribed since; where the mailing requires a second person, it
/// waits for that person's approval first. Sending the same words twice is sending them once. `seen`: the hash and the number of
/// recipients that the actor saw.
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
    let Erratum { key, content, hash, recipients, second_person, known } = compose(engine, of, words).await?;
    let replacing = match known {
        Known::Nothing => None,
        Known::Waiting(hash) => Some(hash),
        Known::Same => {
            let issue = engine.store.issue(&key).await?;
            let awaits_approval = issue.is_some_and(|issue| issue.frozen().is_none());
            if awaits_approval {
                // The process may have died between storing it and asking.
                ask(engine, &key, &hash, false).await?;
            }
            return Ok(Sent { key, recipients, awaits_approval });
        }
    };
    if seen.is_some_and(|(seen, n)| !hash.starts_with(seen) || n != recipients) {
        return Err(Refusal::ChangedMeanwhile(of.clone()).into());
    }
    // Its links must open, and its opt-outs be known (F1).
    engine.tokens().await?;
    let (mailing, now) = (mailing_of(engine, of)?, engine.app.clock.now());
    let due = Due { period: Some(key.period()), ..Due::scheduled(mailing, now, now + USEFUL) };
    let made = new_issue(due, content, now).await.map_err(|why| not_composed(&key, why))?;
    let issue = NewIssue { author: Some(actor.name().to_owned()), ..made };
    let detail = json!({"hash": short(&issue.content_hash), "recipients": recipients});
    let recording = actor.recording(engine, "issue.erratum", on(&key), &detail);
    if second_person {
        if !recording.present_issue(&issue, replacing.as_deref(), now).await? {
            return Err(Refusal::ChangedMeanwhile(of.clone()).into());
        }
        ask(engine, &key, &issue.content_hash, replacing.is_some()).await?;
        info!(issue = %key, recipients, door = %actor.door, "an erratum waits for the approval of a second person");
        return Ok(Sent { key, recipients, awaits_approval: true });
    }
    match recording.freeze_issue(&issue, now).await? {
        // The ledger counts those who have unsubscribed, too; they get nothing.
        Frozen::Now { .. } => {
            info!(issue = %key, recipients, door = %actor.door, "an erratum is sent to {recipients} recipients");
            Ok(Sent { key, recipients, awaits_approval: false })
        }
        // Somebody sent another one at the same moment.
        Frozen::Before | Frozen::Outdated => Err(Refusal::ChangedMeanwhile(of.clone()).into()),
    }
}
