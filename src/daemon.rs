//! The daemon: a bell each minute, and one pass that does whatever is due. Every pass is idempotent and needs no leader.
//!
//! The bell is `tokio-cron-scheduler`, in UTC and every minute; it decides nothing (docs/adr/0002). What is due comes
//! from the mailings' own schedules and the cursors of the ledger.

use crate::app::Engine;
use crate::deliver::{Breaker, Deliverer};
use crate::domain::{
    Timestamp, french,
    issue::{IssueKey, IssueState},
    schedule::Decision,
};
use crate::failpoint;
use crate::jobs::Mailing;
use crate::notices;
use crate::pipeline::{self, Due, Published, Step};
use crate::store::{Occurrence, OccurrenceState};
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// A pass at least so often, whatever the bell does: timers stand still while a machine sleeps (S8).
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Works until `stop`: passes at start, at each bell, and when a retry is due.
///
/// # Errors
/// When the daemon cannot start. Once it runs, an error is logged and the next pass tries again.
pub async fn serve(engine: Engine, stop: CancellationToken) -> anyhow::Result<()> {
    let recovered = engine.store.recover(engine.is_exclusive(), engine.app.clock.now()).await?;
    info!(
        mailings = engine.app.mailings.len(),
        database = engine.store.kind(),
        released = recovered.released,
        unknown = recovered.unknown,
        "semainier {} is up with {} mailings; {} deliveries taken up again, {} wait for a person",
        env!("CARGO_PKG_VERSION"),
        engine.app.mailings.len(),
        recovered.released,
        recovered.unknown
    );
    let deliverer = engine.deliverer()?;
    let bell = Arc::new(Notify::new());
    let mut scheduler = doorbell(Arc::clone(&bell)).await?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let mut breaker = Breaker::default();
    while !stop.is_cancelled() {
        if let Err(failure) = pass(&engine, &deliverer, &mut breaker, &stop).await {
            error!(error = format!("{failure:#}"), "this pass failed; the next one tries again");
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        let pause = pause(&engine).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    scheduler.shutdown().await?;
    info!("semainier is down; nothing is in flight");
    Ok(())
}

async fn doorbell(bell: Arc<Notify>) -> anyhow::Result<JobScheduler> {
    let scheduler = JobScheduler::new().await?;
    let ring = Job::new_async("0 * * * * *", move |_, _| {
        let bell = Arc::clone(&bell);
        Box::pin(async move { bell.notify_one() })
    })?;
    scheduler.add(ring).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// Until the next retry, at most [`LONGEST_PAUSE`].
async fn pause(engine: &Engine) -> Duration {
    let now = engine.app.clock.now();
    let next = engine.store.next_due(None).await.ok().flatten();
    let until = next.map_or(LONGEST_PAUSE, |at| (at - now).to_std().unwrap_or(Duration::ZERO));
    until.clamp(Duration::from_secs(1), LONGEST_PAUSE)
}

/// Everything that is due now: occurrences, then deliveries, then words to staff.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn pass(
    engine: &Engine,
    deliverer: &Deliverer,
    breaker: &mut Breaker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let now = engine.app.clock.now();
    for mailing in &engine.app.mailings {
        look_at_schedule(engine, mailing, now).await?;
    }
    engine.store.recover(false, now).await?;
    if breaker.open_until(now).is_none() {
        for occurrence in engine.store.due_occurrences(now).await? {
            if stop.is_cancelled() {
                return Ok(());
            }
            take_up(engine, deliverer, &occurrence, breaker, stop).await?;
        }
        let delivery = pipeline::deliver(engine, deliverer, None, stop, &silent).await?;
        mind(breaker, delivery.breaker.as_ref(), engine.app.clock.now());
    } else {
        engine.store.expire_deliveries(now).await?;
        engine.store.close_finished_issues(now).await?;
    }
    if breaker.open_until(engine.app.clock.now()).is_none() {
        notices::send(engine, deliverer).await;
    }
    Ok(())
}

fn silent(_: Step<'_>) {}

/// The relay's state of health after it was asked.
fn mind(breaker: &mut Breaker, trouble: Option<&crate::deliver::RelayTrouble>, now: Timestamp) {
    match trouble {
        None => breaker.close(),
        Some(trouble) => {
            let until = breaker.trip(now);
            warn!(phase = trouble.phase.as_str(), code = trouble.reply.code, %until, "the relay takes no mail; left alone until {until}");
        }
    }
}

/// S1 to S6: what became due since the last look is recorded, each instant once, and none in silence.
async fn look_at_schedule(engine: &Engine, mailing: &Mailing, now: Timestamp) -> anyhow::Result<()> {
    let schedule = &mailing.schedule;
    let written = format!("{} {}", schedule.cron(), schedule.zone.name());
    let cursor = engine.store.cursor(&mailing.id, &written, now).await?.cursor;
    let decided: Vec<_> = schedule
        .decide(cursor, now)
        .into_iter()
        .map(|(at, decision)| {
            let (state, reason) = match decision {
                Decision::Run => (OccurrenceState::Pending, None),
                Decision::Coalesced => {
                    (OccurrenceState::Coalesced, Some("une occurrence plus récente part à sa place".to_owned()))
                }
                Decision::Missed(late) => (OccurrenceState::Missed, Some(missed(late))),
            };
            let (mailing_id, local) = (mailing.id.clone(), schedule.label(at));
            let issue = Some(mailing.issue_key(at));
            Occurrence { mailing: mailing_id, scheduled_for: at, local, state, reason, issue, next_try: at }
        })
        .collect();
    for occurrence in decided.iter().filter(|o| o.state == OccurrenceState::Missed) {
        warn!(mailing = mailing.id, occurrence = occurrence.local, "occurrence {} was missed", occurrence.local);
    }
    if now > cursor {
        failpoint::reach("before_occurrences");
        engine.store.record_occurrences(&mailing.id, &decided, now).await?;
        failpoint::reach("after_occurrences");
    }
    for occurrence in decided.iter().filter(|o| o.state == OccurrenceState::Missed) {
        if let (Some(key), Some(reason)) = (&occurrence.issue, &occurrence.reason) {
            engine.store.owe_notice(key, "missed", reason, now).await?;
        }
    }
    Ok(())
}

fn missed(late: TimeDelta) -> String {
    format!("le service n’a pu s’en occuper que {} h après l’heure prévue", late.num_hours())
}

/// One due occurrence: published, or held until its deadline.
async fn take_up(
    engine: &Engine,
    deliverer: &Deliverer,
    occurrence: &Occurrence,
    breaker: &mut Breaker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Ok(mailing) = engine.app.mailing(&occurrence.mailing) else {
        return settle(engine, occurrence, OccurrenceState::Missed, Some("l’envoi n’est plus configuré")).await;
    };
    let (at, now) = (occurrence.scheduled_for, engine.app.clock.now());
    let deadline = mailing.schedule.deadline_of(at);
    let due = Due { mailing, at, expires_at: deadline };
    let key = due.key();
    if now >= deadline {
        return give_up(engine, occurrence, &key, now).await;
    }
    match pipeline::publish(engine, deliverer, due, None, stop, &silent).await {
        Ok(Published::Delivered(delivered)) => {
            mind(breaker, delivered.delivery.breaker.as_ref(), engine.app.clock.now());
            settle(engine, occurrence, OccurrenceState::Done, None).await
        }
        Ok(Published::Held { reason, .. }) => {
            let next_try = (now + mailing.retry).min(deadline);
            let again = Occurrence { next_try, reason: Some(reason), ..occurrence.clone() };
            engine.store.settle_occurrence(&again).await?;
            Ok(())
        }
        // Neither the article nor the relay is to blame: someone must look, and the next try may find it mended.
        Err(failure) => {
            error!(mailing = mailing.id, issue = %key, error = format!("{failure:#}"), "issue {key} cannot be made");
            let again = Occurrence { next_try: (now + mailing.retry).min(deadline), ..occurrence.clone() };
            engine.store.settle_occurrence(&again).await?;
            engine.store.owe_notice(&key, "held", &format!("une erreur technique l’empêche ({failure})"), now).await?;
            Ok(())
        }
    }
}

/// The deadline passed while the issue was held: it will not leave any more, and staff are told.
async fn give_up(engine: &Engine, occurrence: &Occurrence, key: &IssueKey, now: Timestamp) -> anyhow::Result<()> {
    let reason = occurrence.reason.as_deref().unwrap_or("l’heure limite est passée");
    engine.store.set_issue_state(key, &[IssueState::Held], IssueState::Expired, Some(reason), now).await?;
    engine.store.owe_notice(key, "expired", reason, now).await?;
    settle(engine, occurrence, OccurrenceState::Missed, Some(reason)).await
}

async fn settle(
    engine: &Engine,
    occurrence: &Occurrence,
    state: OccurrenceState,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    let reason = reason.map(str::to_owned).or_else(|| occurrence.reason.clone());
    engine.store.settle_occurrence(&Occurrence { state, reason, ..occurrence.clone() }).await?;
    Ok(())
}

/// Cancels `stop` at the first SIGTERM or SIGINT. A second one, or `patience` at its end, ends the process at once: what is
/// then past its marker becomes `unknown` at the next start.
pub async fn cancel_on_signal(stop: CancellationToken, patience: TimeDelta) {
    let heard = |error: std::io::Result<()>| error.inspect_err(|why| error!(%why, "signals cannot be heard")).is_ok();
    if !heard(any_signal().await) {
        return;
    }
    info!("asked to stop: nothing more is claimed, what is in flight is finished; ask again to stop now");
    stop.cancel();
    tokio::select! {
        again = any_signal() => { heard(again); }
        () = tokio::time::sleep(patience.to_std().unwrap_or_default()) => {}
    }
    warn!("stopped with messages in flight; they are unknown until a person decides");
    std::process::exit(1);
}

async fn any_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// `samedi 4 juillet 2026 à 20 h`
pub(crate) fn in_words(at: Timestamp, zone: chrono_tz::Tz) -> String {
    let local = at.with_timezone(&zone);
    format!("{} à {}", french::full_day(local.date_naive()), french::hour(local.time()))
}
