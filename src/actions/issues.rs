//! Decisions about an issue: approve, change, pause, resume, cancel.

use super::{
    Actor, Refusal, Result,
    may::{Act, CANCELLABLE, Subject, may},
    on,
};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    exception::InForce,
    hold::Hold,
    issue::{Basis, ContentRefusal, IssueKey, IssueState, IssueSummary, NewIssue, RefusalKind},
    newsletter::{Editorial, Letter, Month, Section, check},
    notice::Notice,
};
use crate::issue::{
    Due,
    approval::{self, present, short},
    content::{NotComposed, content_hash},
    freeze::{self, new_issue},
    newsletter,
    publish::{self, Prepared},
};
use crate::jobs::{Approval, Kind, Mailing, Newsletter};
use crate::notices::wording;
use crate::store::Skip;
use anyhow::{Context, anyhow};
use serde_json::json;
use tracing::{info, warn};

/// An approved issue.
#[derive(Debug, Clone)]
pub struct Approved {
    pub issue: IssueSummary,
    /// The hash of the approved content.
    pub hash: String,
    /// It does not leave yet: a second person has to approve it, too.
    pub needs_second: bool,
    /// Its hour has passed: the next pass of the daemon sends it.
    pub leaves_now: bool,
}

/// Approves the stored content of this issue. Where the mailing requires a second person, it leaves only once two persons stand
/// for it, and one of those who approved it has not written it. `seen`: the beginning of the hash that the actor reviewed.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn approve(engine: &Engine, actor: &Actor, key: &IssueKey, seen: Option<&str>) -> Result<Approved> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let subject = Subject::read(engine, key).await?;
    match may(Act::Approve, &subject) {
        // Approving it twice is approving it once.
        Ok(()) | Err(Refusal::ApprovedAlready { .. }) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let second_person = subject.mailing.as_ref().is_some_and(|mailing| mailing.second_person);
    let current = subject.issue.as_ref().and_then(|issue| issue.content_hash()).unwrap_or_default().to_owned();
    if let Some(seen) = seen.filter(|seen| !current.starts_with(&seen.to_ascii_lowercase())) {
        let (seen, now) = (seen.to_owned(), short(&current).to_owned());
        return Err(Refusal::HasChanged { issue: key.clone(), seen, now }.into());
    }
    // Hash the content itself; do not rely on the recorded hash.
    let content = store.content(key).await?.context("the content to be approved is gone")?;
    if content_hash(&content) != current {
        return Err(anyhow!(
            "the stored content of {key} does not match its hash; compose it again: semainier issues recompose {key}"
        )
        .into());
    }
    let recording = actor.recording(engine, "issue.approve", on(key), &json!({"hash": short(&current)}));
    if !recording.approve_issue(key, &current, actor.name(), second_person, now).await? {
        return Err(Refusal::ChangedMeanwhile(key.clone()).into());
    }
    info!(issue = %key, hash = short(&current), door = %actor.door, "issue {key} was approved");
    let issue = store.issue(key).await?.context("the issue that was just approved is gone")?;
    let needs_second = issue.half_approved_by.is_some();
    Ok(Approved { leaves_now: !needs_second && issue.scheduled_for <= now, needs_second, issue, hash: current })
}

/// Refuses the stored content, with a reason that staff are notified of: it is not sent unless somebody approves it after all.
/// `seen`: the beginning of the hash that the actor reviewed.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn refuse(engine: &Engine, actor: &Actor, key: &IssueKey, seen: Option<&str>, why: &str) -> Result<()> {
    let why = why.trim();
    if why.is_empty() {
        return Err(Refusal::NoReason.into());
    }
    object(engine, actor, key, seen, RefusalKind::Refused, why).await
}

/// Takes the approval of the stored content back: until it is approved again it is not sent, or, if it leaves without an
/// approval, it is read again at its hour.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn withdraw(engine: &Engine, actor: &Actor, key: &IssueKey, seen: Option<&str>, why: &str) -> Result<()> {
    object(engine, actor, key, seen, RefusalKind::Withdrawn, why.trim()).await
}

async fn object(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    seen: Option<&str>,
    kind: RefusalKind,
    why: &str,
) -> Result<()> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let subject = Subject::read(engine, key).await?;
    let act = match kind {
        RefusalKind::Refused => Act::Refuse,
        RefusalKind::Withdrawn => Act::Withdraw,
    };
    may(act, &subject)?;
    let current = subject.issue.as_ref().and_then(|issue| issue.content_hash()).unwrap_or_default().to_owned();
    if let Some(seen) = seen.filter(|seen| !current.starts_with(&seen.to_ascii_lowercase())) {
        let (seen, now) = (seen.to_owned(), short(&current).to_owned());
        return Err(Refusal::HasChanged { issue: key.clone(), seen, now }.into());
    }
    let (by, why) = (actor.name().to_owned(), why.to_owned());
    let reason = match kind {
        RefusalKind::Refused => wording::refused_by(&by, &why),
        RefusalKind::Withdrawn => wording::withdrawn_by(&by, &why),
    };
    let automatic = engine.app.mailing(key.mailing())?.approval == Approval::Automatic;
    let refusal = ContentRefusal { content_hash: current.clone(), kind, by, at: now, why };
    let action = match kind {
        RefusalKind::Refused => "issue.refuse",
        RefusalKind::Withdrawn => "issue.withdraw",
    };
    let detail = json!({"hash": short(&current), "why": refusal.why});
    if !actor.recording(engine, action, on(key), &detail).refuse_issue(key, &refusal, automatic).await? {
        // The freeze may have come first.
        return Err(match store.issue(key).await? {
            Some(issue) if issue.frozen().is_some() => {
                Refusal::LeavingAlready { issue: key.clone(), state: issue.state() }.into()
            }
            _ => Refusal::ChangedMeanwhile(key.clone()).into(),
        });
    }
    if !automatic {
        let notice = Notice::Refused { at_ms: now.timestamp_millis(), reason };
        store.queue_notice(key, &notice, now).await?;
    }
    info!(issue = %key, hash = short(&current), kind = kind.as_str(), door = %actor.door, "the content of {key} was refused");
    Ok(())
}

/// The current editorial: of the composed letter, else as saved for later, else of the office's file.
///
/// # Errors
/// When the database cannot be read.
pub async fn editorial(engine: &Engine, key: &IssueKey) -> Result<String> {
    let content = engine.store.content(key).await?;
    let letter: Option<Letter> = content.and_then(|content| content.letter().ok());
    if let Some(letter) = letter {
        return Ok(letter.editorial().unwrap_or_default().to_owned());
    }
    if let Some(saved) = engine.store.editorial(key).await? {
        return Ok(saved.text);
    }
    let subject = Subject::read(engine, key).await?;
    let (Some(mailing), Some(at)) = (subject.mailing.as_deref(), subject.at()) else { return Ok(String::new()) };
    let Kind::Newsletter(Newsletter { sections, .. }) = &mailing.kind else { return Ok(String::new()) };
    let file = newsletter::editorial_file(sections, Month::of(mailing.day(at))).await;
    Ok(file
        .unwrap_or_else(|hold| {
            // The issue will be held for the same reason.
            warn!(issue = %key, "the editorial's file cannot be read: {hold}");
            None
        })
        .unwrap_or_default())
}

/// The result of editing an editorial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// The issue was composed again, and staff are asked to approve it.
    Presented,
    /// The issue was composed again, and leaves at its hour.
    Rehearsed,
    /// Saved until the issue is composed.
    Kept,
}

/// Whether the editorial of an issue may still change. What its content looks like is not part of it.
///
/// # Errors
/// Why not.
pub fn may_edit(subject: &Subject<'_>) -> Result<(), Refusal> {
    subject.no_erratum()?;
    let mailing = subject.mailing.as_deref().ok_or_else(|| Refusal::NoSuchIssue(subject.key.clone()))?;
    let Kind::Newsletter(newsletter) = &mailing.kind else {
        return Err(Refusal::NotANewsletter { mailing: mailing.id.clone() });
    };
    if !newsletter.sections.iter().any(|section| matches!(section, Section::Editorial { .. })) {
        return Err(Refusal::NoEditorialSection { mailing: mailing.id.clone() });
    }
    subject.changeable()?;
    // Exactly that version leaves; no other one is composed at its hour.
    let approved = subject.issue.as_ref().filter(|it| it.is_approved() && mailing.approval == Approval::Automatic);
    if let Some(by) = approved.and_then(IssueSummary::approved_by) {
        return Err(Refusal::ApprovedAlready { issue: subject.key.clone(), by: by.to_owned() });
    }
    // Without an hour nothing of this name will ever leave.
    subject.at().map(drop).ok_or_else(|| Refusal::NoOccurrence { issue: subject.key.clone() })
}

/// Replaces the editorial of a newsletter, and composes the issue with it if it is composed. `seen`: the text that the actor saw;
/// `None`: whatever is there is replaced.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn edit(engine: &Engine, actor: &Actor, key: &IssueKey, text: &str, seen: Option<&str>) -> Result<Edited> {
    let mailing = engine.app.mailing(key.mailing()).map_err(|_| Refusal::NoSuchIssue(key.clone()))?;
    let before = engine.store.editorial(key).await?.map(|it| it.text);
    if let Some(seen) = seen
        && editorial(engine, key).await? != seen
    {
        return Err(Refusal::ChangedMeanwhile(key.clone()).into());
    }
    let mut saved = false;
    loop {
        let subject = Subject::read(engine, key).await?;
        may_edit(&subject)?;
        // Composed first: what does not render, or would be held, is not saved.
        let composed = match subject.issue.as_ref().filter(|issue| issue.is_presented()) {
            Some(issue) => Some((issue, with_editorial(engine, actor, mailing, issue, text).await?)),
            None => None,
        };
        if !saved {
            let after = Editorial { text: text.to_owned(), by: actor.name().to_owned(), at: engine.app.clock.now() };
            let detail = json!({"characters": text.chars().count()});
            let recording = actor.recording(engine, "issue.edit", on(key), &detail);
            if !recording.write_editorial(key, before.as_deref(), &after).await? {
                return Err(Refusal::ChangedMeanwhile(key.clone()).into());
            }
            saved = true;
            info!(issue = %key, door = %actor.door, "the editorial of {key} was edited");
        }
        match composed {
            Some((issue, made)) => {
                if approval::keep(engine, mailing, &made, issue.content_hash()).await? {
                    return Ok(match mailing.approval {
                        Approval::Required => Edited::Presented,
                        Approval::Automatic => Edited::Rehearsed,
                    });
                }
                if freeze::is_outdated(engine, &made).await? {
                    return Err(Refusal::ChangedMeanwhile(key.clone()).into());
                }
            }
            // It may have been composed with the editorial before, since it was looked at.
            None if engine.store.issue(key).await?.is_none_or(|issue| !issue.is_presented()) => {
                return Ok(Edited::Kept);
            }
            None => {}
        }
    }
}

/// The composed issue with another editorial.
///
/// # Errors
/// A refusal: nothing would be left to send; or a template that does not render.
async fn with_editorial(
    engine: &Engine,
    actor: &Actor,
    mailing: &Mailing,
    issue: &IssueSummary,
    text: &str,
) -> Result<NewIssue> {
    // First: an exception that is withdrawn meanwhile makes this outdated.
    let exceptions = InForce::of(engine.store.exceptions(&issue.key).await?).changes;
    let content = engine.store.content(&issue.key).await?.context("the content of the issue is gone")?;
    let mut letter = content.letter().context("cannot read the stored newsletter")?;
    if !letter.set_editorial(Some(text).filter(|text| !text.trim().is_empty())) {
        return Err(Refusal::NoEditorialSection { mailing: mailing.id.clone() }.into());
    }
    if let Err(why) = check(&letter, mailing.schedule.zone) {
        return Err(Refusal::WouldBeHeld { issue: issue.key.clone(), why: why.into() }.into());
    }
    let due = Due::scheduled(mailing, issue.scheduled_for, issue.expires_at);
    let content = newsletter::compose(&engine.app, due, &letter, content.inline).await?;
    let basis = Basis::Editorial { text: Some(text.to_owned()), exceptions };
    let made = match new_issue(due, content, letter.until).await {
        Ok(made) => made,
        Err(NotComposed::Held(why)) => {
            return Err(Refusal::WouldBeHeld { issue: issue.key.clone(), why: why.into() }.into());
        }
        Err(NotComposed::Failed(error)) => return Err(error.into()),
    };
    Ok(NewIssue { author: Some(actor.name().to_owned()), basis, ..made })
}

/// The result of composing an issue again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recomposed {
    /// Staff are asked to approve it.
    Presented,
    /// The sources give the same content as before, and its approvals stay.
    Unchanged,
    /// A gate is closed: nothing can be composed now, and the issue waits for that.
    Held(Hold),
    /// A gate is closed: the content that was presented before stays.
    Kept(Hold),
}

/// Collects the sources of an issue that needs an approval again, and replaces the stored content. `seen`: the hash of the content
/// that the actor saw; `None`: whatever is stored is replaced.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn recompose(engine: &Engine, actor: &Actor, key: &IssueKey, seen: Option<&str>) -> Result<Recomposed> {
    loop {
        let subject = Subject::read(engine, key).await?;
        may(Act::Recompose, &subject)?;
        let mailing = engine.app.mailing(key.mailing())?;
        let at = subject.at().ok_or_else(|| Refusal::NoOccurrence { issue: key.clone() })?;
        let issue = subject.issue.as_ref();
        let expires_at = issue.map_or_else(|| mailing.schedule.deadline_of(at), |issue| issue.expires_at);
        let due = Due::scheduled(mailing, at, expires_at);
        let replacing = issue.and_then(IssueSummary::content_hash);
        if seen.is_some() && seen != replacing {
            return Err(Refusal::ChangedMeanwhile(key.clone()).into());
        }
        let composed_at = engine.app.clock.now();
        let made = match publish::make(engine, due, None, &|_| {}, composed_at).await {
            Ok((made, _)) => made,
            Err(NotComposed::Failed(error)) => return Err(error.into()),
            Err(NotComposed::Held(hold)) if replacing.is_some() => return Ok(Recomposed::Kept(hold)),
            Err(NotComposed::Held(hold)) => {
                freeze::hold(engine, due, &hold).await?;
                return Ok(Recomposed::Held(hold));
            }
        };
        let made = NewIssue { author: Some(actor.name().to_owned()), ..made };
        if !present(engine, &made, replacing).await? {
            match freeze::is_outdated(engine, &made).await? {
                true => continue,
                false => return Err(Refusal::ChangedMeanwhile(key.clone()).into()),
            }
        }
        actor.audit(engine, "issue.recompose", on(key), json!({})).await;
        info!(issue = %key, door = %actor.door, "issue {key} was composed again");
        return Ok(match replacing == Some(&*made.content_hash) {
            true => Recomposed::Unchanged,
            false => Recomposed::Presented,
        });
    }
}

/// Composes an issue that leaves without approval now, keeps it, and shows it to staff, as at its rehearsal.
///
/// # Errors
/// A refusal; a template that does not render; or a database that cannot be read or written.
pub async fn rehearse(engine: &Engine, actor: &Actor, key: &IssueKey) -> Result<Rehearsed> {
    let subject = Subject::read(engine, key).await?;
    may(Act::Rehearse, &subject)?;
    let mailing = engine.app.mailing(key.mailing())?;
    let at = subject.occurrence.ok_or_else(|| Refusal::NoOccurrence { issue: key.clone() })?;
    let due = Due::scheduled(mailing, at, mailing.schedule.deadline_of(at));
    let prepared = publish::rehearse(engine, due).await?;
    actor.audit(engine, "issue.rehearse", on(key), json!({})).await;
    info!(issue = %key, door = %actor.door, "issue {key} was rehearsed by a person");
    let hash = engine.store.issue(key).await?.and_then(|issue| issue.content_hash().map(str::to_owned));
    Ok(match (prepared, hash) {
        (Prepared::Held { reason }, _) => Rehearsed::Held { reason },
        (_, hash) => Rehearsed::Kept { hash: hash.unwrap_or_default(), leaves_at: at },
    })
}

/// What became of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rehearsed {
    Kept {
        hash: String,
        leaves_at: Timestamp,
    },
    /// A gate is closed.
    Held {
        reason: String,
    },
}

/// A coming issue does not leave. Until its hour this can be taken back.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn skip(engine: &Engine, actor: &Actor, key: &IssueKey, why: &str) -> Result<()> {
    let now = engine.app.clock.now();
    may(Act::Skip, &Subject::read(engine, key).await?)?;
    let skip = Skip { issue: key.clone(), why: why.trim().to_owned(), by: actor.name().to_owned(), at: now };
    if !actor.recording(engine, "issue.skip", on(key), &json!({"why": skip.why})).skip(&skip).await? {
        let by = skip_of(engine, key).await?.map(|skip| skip.by).unwrap_or_default();
        return Err(Refusal::Skipped { issue: key.clone(), by }.into());
    }
    info!(issue = %key, door = %actor.door, "issue {key} is skipped");
    Ok(())
}

/// Takes [`skip`] back.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn unskip(engine: &Engine, actor: &Actor, key: &IssueKey) -> Result<()> {
    may(Act::Unskip, &Subject::read(engine, key).await?)?;
    if !actor.recording(engine, "issue.unskip", on(key), &json!({})).unskip(key).await? {
        return Err(Refusal::NotSkipped(key.clone()).into());
    }
    info!(issue = %key, door = %actor.door, "issue {key} leaves after all");
    Ok(())
}

async fn skip_of(engine: &Engine, key: &IssueKey) -> Result<Option<Skip>> {
    Ok(engine.store.skips().await?.into_iter().find(|skip| skip.issue == *key))
}

/// Pauses sending of an issue until it is resumed.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn pause(engine: &Engine, actor: &Actor, key: &IssueKey) -> Result<()> {
    let reason = crate::notices::wording::paused_by(actor.name());
    move_to(engine, actor, key, &[IssueState::Sending], IssueState::Paused, Some(&reason)).await
}

/// Resumes a paused issue.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn resume(engine: &Engine, actor: &Actor, key: &IssueKey) -> Result<()> {
    move_to(engine, actor, key, &[IssueState::Paused], IssueState::Sending, None).await
}

/// Cancels an issue for good: sent deliveries stay sent, the others are cancelled. A coming issue is skipped.
///
/// # Errors
/// A refusal; or a database that cannot be read or written.
pub async fn cancel(engine: &Engine, actor: &Actor, key: &IssueKey) -> Result<()> {
    if engine.store.issue(key).await?.is_none()
        && engine
            .app
            .mailing(key.mailing())
            .is_ok_and(|mailing| mailing.occurrence_of(key, engine.app.clock.now()).is_some())
    {
        return skip(engine, actor, key, "").await;
    }
    move_to(engine, actor, key, &CANCELLABLE, IssueState::Cancelled, None).await
}

async fn move_to(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    from: &[IssueState],
    to: IssueState,
    reason: Option<&str>,
) -> Result<()> {
    let act = match to {
        IssueState::Paused => Act::Pause,
        IssueState::Sending => Act::Resume,
        _ => Act::Stop,
    };
    may(act, &Subject::read(engine, key).await?)?;
    let (store, now) = (&engine.store, engine.app.clock.now());
    let action = match to {
        IssueState::Paused => "issue.pause",
        IssueState::Sending => "issue.resume",
        _ => "issue.cancel",
    };
    if !actor.recording(engine, action, on(key), &json!({})).set_issue_state(key, from, to, reason, now).await? {
        // It moved in between.
        may(act, &Subject::read(engine, key).await?)?;
        return Err(Refusal::ChangedMeanwhile(key.clone()).into());
    }
    store.expire_deliveries(now).await?;
    info!(issue = %key, state = to.as_str(), door = %actor.door, "issue {key} is {}", to.as_str());
    Ok(())
}
