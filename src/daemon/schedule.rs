//! From the schedules to frozen issues (S1 to S10). Every due instant becomes a row, and every row ends with a readable
//! reason. Nothing is sent here.

use super::{Daemon, chain};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    hold::Hold,
    issue::{IssueKey, IssueState, IssueSummary},
    notice::Notice,
    schedule::Decision,
};
use crate::editions;
use crate::failpoint;
use crate::issue::{
    Due, approval, edition, freeze,
    progress::Step,
    publish::{self, Prepared},
    sending,
};
use crate::jobs::{Approval, Mailing};
use crate::notices::wording;
use crate::store::{self, Occurrence, OccurrenceState};
use chrono::TimeDelta;
use futures_util::{FutureExt, future::join_all};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

/// Retry interval of an occurrence that waits for the previous issue (S9).
const OVERLAP_RETRY: TimeDelta = TimeDelta::minutes(1);

/// For a mailing that is composed before its hour: how many of its last rows to read to see what was decided already.
pub(super) const KNOWN: u32 = 50;

impl Daemon {
    /// Registers the mailings: a schedule that is new or was edited counts from now on and never fires for the past (S6).
    pub(super) async fn register_mailings(&self, now: Timestamp) -> store::Result<()> {
        let engine = self.engine();
        for mailing in &engine.app.mailings {
            cursor(&engine, mailing, now).await?;
        }
        Ok(())
    }

    /// Turns due occurrences into frozen or held issues. `true`: there is something new to send.
    ///
    /// Mailings are independent: a failure or panic of one is logged with its name and does not stop the others.
    pub async fn schedule_pass(&self, stop: &CancellationToken) -> bool {
        let _looking = self.schedule_lock.lock().await;
        let (engine, now) = (&*self.engine(), self.now());
        self.heartbeat.check_clock(now);
        if let Err(failure) = super::pause_after_restore(engine).await {
            error!(error = format!("{failure:#}"), "database unavailable; skipping this pass");
            return false;
        }
        // Also here, not only after sending: a long delivery of another mailing must not delay an occurrence (S9).
        if let Err(failure) = sending::close_finished(engine).await {
            error!(error = format!("{failure:#}"), "could not close finished issues");
        }
        for mailing in &engine.app.mailings {
            if let Err(failure) = record_due(engine, mailing, now).await {
                error!(
                    mailing = mailing.id,
                    error = chain(&failure),
                    "could not evaluate the schedule of {}",
                    mailing.id
                );
            }
        }
        if let Err(failure) = editions::announce_reminders(engine).await {
            error!(error = format!("{failure:#}"), "could not look for editions to remind of");
        }
        let due = match engine.store.due_occurrences(now).await {
            Ok(due) => due,
            Err(failure) => {
                error!(error = chain(&failure), "could not read due occurrences; the next pass tries again");
                return false;
            }
        };
        // Concurrently, because one may wait minutes for a site; in order within a mailing, the oldest first.
        let groups = by_mailing(&due);
        let frozen = join_all(groups.iter().map(|group| process_in_order(engine, group, stop))).await.contains(&true);
        match super::orphaned::process(engine).await {
            Ok(frozen_by_hand) => frozen | frozen_by_hand,
            Err(failure) => {
                error!(error = format!("{failure:#}"), "could not process manually created issues");
                frozen
            }
        }
    }
}

fn by_mailing(due: &[Occurrence]) -> Vec<Vec<&Occurrence>> {
    let mut groups = BTreeMap::<&str, Vec<&Occurrence>>::new();
    for occurrence in due {
        groups.entry(&occurrence.mailing).or_default().push(occurrence);
    }
    groups.into_values().collect()
}

/// Everything up to this instant was decided.
pub(super) async fn cursor(engine: &Engine, mailing: &Mailing, now: Timestamp) -> store::Result<Timestamp> {
    let written = format!("{} {}", mailing.schedule.cron(), mailing.schedule.zone.name());
    Ok(engine.store.cursor(&mailing.id, &written, now).await?.cursor)
}

/// S1 to S6: records each instant that became due since the last pass, exactly once.
pub(super) async fn record_due(engine: &Engine, mailing: &Mailing, now: Timestamp) -> store::Result<()> {
    let schedule = &mailing.schedule;
    let mut decided = schedule.decide(cursor(engine, mailing, now).await?, now);
    let cut_off = schedule.is_cut_off(&decided);
    if mailing.compose_before > TimeDelta::zero() || mailing.rehearse.is_some() {
        decided.extend(schedule.ahead(now, mailing.compose_before).map(|at| (at, Decision::Run)));
        let to_rehearse = mailing.rehearse.and_then(|rehearsal| schedule.to_rehearse(now, rehearsal));
        decided.extend(to_rehearse.map(|at| (at, Decision::Run)));
        let known = engine.store.occurrences(Some(&mailing.id), KNOWN).await?;
        decided.retain(|(at, _)| !known.iter().any(|it| it.scheduled_for == *at));
    }
    // The cursor is not moved if nothing was due, so that an idle daemon writes nothing.
    if decided.is_empty() {
        return Ok(());
    }
    let runs: Vec<_> = decided.iter().filter(|d| d.1 == Decision::Run).map(|d| mailing.issue_key(d.0)).collect();
    let mut occurrences = Vec::with_capacity(decided.len());
    for (at, decision) in &decided {
        let occurrence = decide(engine, mailing, *at, *decision, &runs, now).await?;
        occurrences.push(occurrence);
    }
    // S7: if the cap cut the list off, the next pass continues from there.
    let upto = if cut_off { decided.last().map_or(now, |last| last.0) } else { now };
    failpoint::reach("before_occurrences");
    engine.store.record_occurrences(&mailing.id, &occurrences, upto).await?;
    failpoint::reach("after_occurrences");
    Ok(())
}

/// The row of one due instant. If no other run covers it, staff are notified before the row is written: a crash in between
/// repeats the notice, which is stored only once.
async fn decide(
    engine: &Engine,
    mailing: &Mailing,
    at: Timestamp,
    decision: Decision,
    runs: &[IssueKey],
    now: Timestamp,
) -> store::Result<Occurrence> {
    let (key, local) = (mailing.issue_key(at), mailing.schedule.label(at));
    let (state, reason) = match decision {
        Decision::Run => (OccurrenceState::Pending, None),
        // After an edit of the schedule, or a manual run: this issue is sent, or about to be.
        _ if is_frozen(engine, &key).await? => (OccurrenceState::Done, Some(wording::ALREADY_FROZEN.to_owned())),
        _ if runs.contains(&key) => (OccurrenceState::Coalesced, Some(wording::SAME_ISSUE_LATER.to_owned())),
        Decision::Coalesced => (OccurrenceState::Coalesced, Some(wording::NEWER_INSTEAD.to_owned())),
        Decision::Missed(late) => (OccurrenceState::Missed, Some(wording::noticed_late(late))),
    };
    if let (OccurrenceState::Missed | OccurrenceState::Coalesced, Some(reason)) = (state, &reason)
        && !runs.contains(&key)
    {
        warn!(mailing = mailing.id, issue = %key, "{key}, due at {local}, is not sent: {reason}");
        engine.store.queue_notice(&key, &Notice::Missed { reason: reason.clone() }, now).await?;
    }
    Ok(Occurrence {
        mailing: mailing.id.clone(),
        scheduled_for: at,
        local,
        state,
        reason,
        issue: Some(key),
        // A mailing that is composed before its hour starts now.
        next_try: at.min(now),
    })
}

async fn is_frozen(engine: &Engine, key: &IssueKey) -> store::Result<bool> {
    Ok(engine.store.issue(key).await?.is_some_and(|issue| issue.frozen().is_some()))
}

/// `true` if one of them was frozen.
async fn process_in_order(engine: &Engine, occurrences: &[&Occurrence], stop: &CancellationToken) -> bool {
    let mut frozen = false;
    for occurrence in occurrences {
        let issue = occurrence.issue.as_ref().map(tracing::field::display);
        let span = info_span!("occurrence", mailing = occurrence.mailing, issue, local = occurrence.local);
        let taken = AssertUnwindSafe(process(engine, occurrence, stop)).catch_unwind();
        match taken.instrument(span.clone()).await {
            Ok(Ok(ended)) => frozen |= ended == Ended::Frozen,
            Ok(Err(failure)) => {
                let _in = span.enter();
                error!(
                    error = format!("{failure:#}"),
                    "could not process {}; the next pass tries again", occurrence.local
                );
            }
            Err(_) => {
                let held = hold_after_failure(engine, occurrence, "panic").instrument(span.clone()).await;
                if let Err(failure) = held {
                    let _in = span.enter();
                    error!(error = format!("{failure:#}"), "could not hold {} either", occurrence.local);
                }
            }
        }
        if stop.is_cancelled() {
            break;
        }
    }
    frozen
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Frozen,
    /// Settled in another way, or to be retried.
    NotNow,
}

/// Processes one due occurrence: freezes it, or retries until its deadline.
async fn process(engine: &Engine, occurrence: &Occurrence, stop: &CancellationToken) -> anyhow::Result<Ended> {
    let Ok(mailing) = engine.app.mailing(&occurrence.mailing) else {
        return settle(engine, occurrence, OccurrenceState::Missed, Some(wording::NOT_CONFIGURED)).await;
    };
    let (at, now) = (occurrence.scheduled_for, engine.app.clock.now());
    let Some(mailing) = edition::mailing_for(engine, mailing, occurrence.issue.as_ref()).await? else {
        return settle(engine, occurrence, OccurrenceState::Missed, Some(wording::TAKEN_BACK)).await;
    };
    let mailing = &*mailing;
    let due = due_of(mailing, occurrence);
    let key = due.key();
    match engine.store.issue(&key).await? {
        // By a manual run, another daemon, or this one before a crash.
        Some(issue) if issue.frozen().is_some() => {
            return settle(engine, occurrence, OccurrenceState::Done, None).await;
        }
        Some(issue) if issue.state() == IssueState::Cancelled => {
            let reason = Some(wording::CANCELLED);
            return settle(engine, occurrence, OccurrenceState::Missed, reason).await;
        }
        Some(issue) if issue.state() == IssueState::Expired => {
            let reason = Some(wording::DEADLINE_OF_ISSUE_PASSED);
            return settle(engine, occurrence, OccurrenceState::Missed, reason).await;
        }
        _ => {}
    }
    let skip = engine.store.skips().await?.into_iter().find(|skip| skip.issue == key);
    if let Some(skip) = skip {
        let reason = wording::skipped_by(&skip.by, &skip.why);
        // Until its hour the skip can be undone.
        if now < at {
            return try_again(engine, due, occurrence, &reason, at).await;
        }
        engine.store.set_issue_state(&key, &OPEN, IssueState::Cancelled, Some(&reason), now).await?;
        return settle(engine, occurrence, OccurrenceState::Skipped, Some(&reason)).await;
    }
    if now >= due.expires_at {
        return expire(engine, occurrence, &key, now).await;
    }
    if now < at && !mailing.schedule.is_due_at(at) {
        let reason = Some(wording::RESCHEDULED);
        return settle(engine, occurrence, OccurrenceState::Missed, reason).await;
    }
    let known = engine.store.issue(&key).await?.filter(IssueSummary::is_presented);
    if let Some(by) = known.as_ref().and_then(|issue| issue.approved_by()).filter(|_| now < at) {
        return try_again(engine, due, occurrence, &wording::approved_and_waiting(by), at).await;
    }
    // Whatever woke it: what needs neither approval nor rehearsal is made at its hour.
    if now < at && mailing.approval == Approval::Automatic && mailing.rehearse.is_none() {
        engine.store.settle_occurrence(&Occurrence { next_try: at, ..occurrence.clone() }).await?;
        return Ok(Ended::NotNow);
    }
    // A request to read again made it due before its hour.
    let is_kept = now < at && known.as_ref().is_some_and(IssueSummary::is_rehearsed);
    if is_kept && !engine.store.wants_reread(&key, None).await? {
        return try_again(engine, due, occurrence, wording::REHEARSED, at).await;
    }
    if now >= at
        && let Some(before) = engine.store.other_sending_issue(&mailing.id, &key).await?
    {
        return wait_for(engine, due, occurrence, &before).await;
    }
    // Stopping here is safe: only the freeze is durable, and it is one transaction.
    let prepare = async {
        match mailing.rehearse.is_some() && now < at {
            true => publish::rehearse(engine, due).await,
            false => publish::prepare(engine, due, None, &ignore_step).await,
        }
    };
    match stop.run_until_cancelled(prepare).await {
        None => Ok(Ended::NotNow),
        Some(Ok(Prepared::Frozen { .. })) => {
            settle(engine, occurrence, OccurrenceState::Done, None).await?;
            Ok(Ended::Frozen)
        }
        Some(Ok(Prepared::Awaiting)) if mailing.rehearse.is_some() => {
            // Asked for while its sources were read.
            let again = if engine.store.wants_reread(&key, None).await? { now } else { at.max(now) };
            try_again(engine, due, occurrence, wording::REHEARSED, again).await
        }
        Some(Ok(Prepared::Awaiting)) => await_approval(engine, due, occurrence, known.is_some()).await,
        Some(Ok(Prepared::Held { reason })) => {
            let is_asked_since = engine.store.wants_reread(&key, Some(now)).await?;
            let again = if is_asked_since { now } else { engine.app.clock.now() + mailing.retry };
            try_again(engine, due, occurrence, &reason, again).await
        }
        Some(Err(failure)) => {
            error!(error = format!("{failure:#}"), "could not make {key}");
            hold_after_failure(engine, occurrence, &failure.to_string()).await
        }
    }
}

fn due_of<'a>(mailing: &'a Mailing, occurrence: &'a Occurrence) -> Due<'a> {
    let at = occurrence.scheduled_for;
    // The occurrence of an edition names its issue; others derive it from the time.
    let period = occurrence.issue.as_ref().filter(|_| mailing.is_of_editions()).map(IssueKey::period);
    Due { period, ..Due::scheduled(mailing, at, mailing.schedule.deadline_of(at)) }
}

fn ignore_step(_: Step<'_>) {}

/// An issue awaits approval until its hour; then it is held and can still be approved until its deadline. `asked_before`: an
/// issue that was composed late, only now, is not reported as late at once.
async fn await_approval(
    engine: &Engine,
    due: Due<'_>,
    occurrence: &Occurrence,
    asked_before: bool,
) -> anyhow::Result<Ended> {
    let (now, retry) = (engine.app.clock.now(), due.mailing.retry);
    if now < due.at {
        let again = due.at.min(now + retry);
        return try_again(engine, due, occurrence, wording::AWAITS_APPROVAL, again).await;
    }
    if asked_before {
        approval::hold_unapproved(engine, &due.key()).await?;
    }
    try_again(engine, due, occurrence, &Hold::Unapproved.to_string(), now + retry).await
}

/// An unexpected failure, neither of the article nor of the relay. The issue is held like one without an article: it is
/// visible, staff are notified, and it is retried.
async fn hold_after_failure(engine: &Engine, occurrence: &Occurrence, failure: &str) -> anyhow::Result<Ended> {
    let mailing = engine.app.mailing(&occurrence.mailing)?;
    let due = due_of(mailing, occurrence);
    let reason = freeze::hold(engine, due, &Hold::Broken(failure.to_owned())).await?;
    try_again(engine, due, occurrence, &reason, engine.app.clock.now() + mailing.retry).await
}

/// S9: a mailing never sends two issues at the same time. The wait is limited like any lateness.
async fn wait_for(engine: &Engine, due: Due<'_>, occurrence: &Occurrence, before: &IssueKey) -> anyhow::Result<Ended> {
    let (key, now) = (due.key(), engine.app.clock.now());
    let reason = wording::waits_for(before);
    if now - due.at <= due.mailing.schedule.catch_up {
        return try_again(engine, due, occurrence, &reason, now + OVERLAP_RETRY).await;
    }
    warn!("{key} is not sent: {before} is still being sent");
    engine.store.queue_notice(&key, &Notice::Missed { reason: reason.clone() }, now).await?;
    // Staff were notified that it expired, so an approved one must not be sent later.
    engine.store.set_issue_state(&key, &OPEN, IssueState::Expired, Some(&reason), now).await?;
    settle(engine, occurrence, OccurrenceState::Missed, Some(&reason)).await
}

/// Not before this instant. An absolute time, because a wait computed from a second look at the clock could skip a due time
/// between the two.
async fn try_again(
    engine: &Engine,
    due: Due<'_>,
    occurrence: &Occurrence,
    reason: &str,
    next_try: Timestamp,
) -> anyhow::Result<Ended> {
    let next_try = next_try.min(due.expires_at);
    let again = Occurrence { next_try, reason: Some(reason.to_owned()), ..occurrence.clone() };
    engine.store.settle_occurrence(&again).await?;
    Ok(Ended::NotNow)
}

/// Not frozen, but may still be.
pub(super) const OPEN: [IssueState; 4] =
    [IssueState::Held, IssueState::AwaitingApproval, IssueState::Rehearsed, IssueState::Approved];

/// S10: the deadline passed while the issue was held. It expires, and staff are notified.
async fn expire(engine: &Engine, occurrence: &Occurrence, key: &IssueKey, now: Timestamp) -> anyhow::Result<Ended> {
    let reason = occurrence.reason.as_deref().unwrap_or(wording::DEADLINE_PASSED);
    warn!("{key} expired: {reason}");
    engine.store.queue_notice(key, &Notice::Expired { reason: reason.to_owned() }, now).await?;
    engine.store.set_issue_state(key, &OPEN, IssueState::Expired, Some(reason), now).await?;
    settle(engine, occurrence, OccurrenceState::Missed, Some(reason)).await
}

async fn settle(
    engine: &Engine,
    occurrence: &Occurrence,
    state: OccurrenceState,
    reason: Option<&str>,
) -> anyhow::Result<Ended> {
    let reason = reason.map(str::to_owned);
    engine.store.settle_occurrence(&Occurrence { state, reason, ..occurrence.clone() }).await?;
    info!(state = state.as_str(), "occurrence {}: {}", occurrence.local, state.as_str());
    Ok(Ended::NotNow)
}
