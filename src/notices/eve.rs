//! The mail of the evening before: one for everything that leaves by itself the next day. Where the rehearsal is on that
//! evening, its mail is this one, with the same verdict, and nothing is said twice.

use crate::app::Engine;
use crate::compose::staff::{EveIssue, EveMail, EveStop, Verdict};
use crate::domain::{
    Timestamp, french,
    issue::{IssueKey, IssueState, IssueSummary},
    notice::Notice,
    tonight::Level,
};
use crate::issue::approval::short;
use crate::jobs::{Eve, Mailing};
use crate::store::{NoticeTimes, PendingNotice, StoreError};
use crate::views::console::{Reading, tonight};
use chrono::TimeDelta;

/// A rehearsal reads the site, which may take a while: its mail is waited for.
const REHEARSING: TimeDelta = TimeDelta::minutes(15);

/// Queues the mail for each issue whose evening before has come. It is stored once, whichever daemon comes first.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(super) async fn queue(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    for mailing in &engine.app.mailings {
        let Some((at, eve)) = coming(mailing, now).filter(|(_, eve)| eve.due <= now) else { continue };
        let key = mailing.issue_key(at);
        // Read first: a daemon with nothing to say writes nothing.
        if engine.store.notice_of(&key, Notice::Eve.name()).await?.is_some() {
            continue;
        }
        let issue = engine.store.issue(&key).await?;
        if issue.as_ref().is_some_and(IssueSummary::is_over) {
            continue;
        }
        let skipped = async || Ok::<_, StoreError>(engine.store.skips().await?.iter().any(|skip| skip.issue == key));
        if eve.is_rehearsal && issue.is_none() && now - eve.due < REHEARSING && !skipped().await? {
            continue;
        }
        engine.store.queue_notice(&key, &Notice::Eve, now).await?;
    }
    Ok(())
}

/// The next occurrence with a mail on the evening before.
fn coming(mailing: &Mailing, now: Timestamp) -> Option<(Timestamp, Eve)> {
    let at = mailing.schedule.next_after(now)?;
    Some((at, mailing.eve_of(at)?))
}

/// What is to be done about a pending mail of the evening before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Send,
    /// The rehearsal's mail, or that it is held, was sent instead; or the issue has left, or is over.
    Done,
    /// The mail that stands for it is still pending.
    Wait,
}

/// # Errors
/// When the ledger cannot be read.
pub(super) async fn next(engine: &Engine, key: &IssueKey, now: Timestamp) -> Result<Next, StoreError> {
    let Ok(mailing) = engine.app.mailing(key.mailing()) else { return Ok(Next::Done) };
    let Some((at, eve)) = coming(mailing, now).filter(|(at, _)| mailing.issue_key(*at) == *key) else {
        return Ok(Next::Done);
    };
    let Some(issue) = engine.store.issue(key).await? else { return Ok(Next::Send) };
    if issue.is_over() {
        return Ok(Next::Done);
    }
    let instead = match (&issue.state(), issue.content_hash()) {
        (IssueState::Rehearsed, Some(hash)) => {
            Notice::Rehearsed { short_hash: short(hash).to_owned(), missing: vec![], relay: None }.kind()
        }
        (IssueState::Held, None) => Notice::Held { reason: String::new() }.kind(),
        _ => return Ok(Next::Send),
    };
    let is_of_the_evening = |times: &NoticeTimes| eve.is_rehearsal && (eve.due..at).contains(&times.created_at);
    Ok(match engine.store.notice_of(key, &instead).await?.filter(is_of_the_evening) {
        Some(NoticeTimes { sent_at: Some(_), .. }) => Next::Done,
        Some(_) => Next::Wait,
        None => Next::Send,
    })
}

/// # Errors
/// When the ledger cannot be read.
pub(super) async fn mail(engine: &Engine, pending: &[&PendingNotice], now: Timestamp) -> Result<EveMail, StoreError> {
    let skips = engine.store.skips().await?;
    let mut issues = Vec::new();
    for notice in pending {
        let key = &notice.issue;
        let Ok(mailing) = engine.app.mailing(key.mailing()) else { continue };
        let Some((at, _)) = coming(mailing, now) else { continue };
        let issue = engine.store.issue(key).await?;
        issues.push(EveIssue {
            title: mailing.title.clone(),
            key: key.to_string(),
            leaves: french::near(at, now, mailing.schedule.zone),
            composed: issue.as_ref().is_some_and(|issue| issue.content_hash().is_some()),
            stop: match issue.is_some_and(|issue| issue.state() == IssueState::Cancelled) {
                true => EveStop::Cancelled,
                false if skips.iter().any(|skip| skip.issue == *key) => EveStop::Skipped,
                false => EveStop::No,
            },
        });
    }
    Ok(EveMail { verdict: verdict(engine, now).await?, issues })
}

/// The verdict of « Ce soir », as of now.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn verdict(engine: &Engine, now: Timestamp) -> Result<Verdict, StoreError> {
    let (app, store) = (&engine.app, &*engine.store);
    let it = Reading { store, config: &app.config, mailings: &app.mailings, now, sizes: None };
    let said = tonight::for_a_mail(&it).await?;
    let reason = said.reason.map(|reason| reason.sentence);
    let others = || said.checks.iter().filter(|check| Some(&check.sentence) != reason.as_ref());
    let of =
        |good: bool| others().filter(move |check| (check.level == Level::Good) == good).map(|it| it.sentence.clone());
    Ok(Verdict {
        answer: said.answer,
        departures: said.departures,
        look: of(false).collect(),
        fine: of(true).collect(),
        url: super::console_url(engine, "/"),
        reason,
    })
}
