//! Pauses everything after a backup was restored in place of the ledger, or when a ledger that was moved elsewhere is used again
//! (D10). Deliveries it shows as queued may have been sent since, and issues it does not know may have been published. So nothing
//! is sent until a person has checked.

use crate::app::Engine;
use crate::domain::{Timestamp, issue::IssueState, notice::Notice};
use crate::editions;
use crate::notices::wording;
use crate::store::{Distrust, Occurrence, OccurrenceState};
use tracing::error;

/// Pauses issues being sent, withdraws approvals, and records what became due since as missed. `true`: the ledger was
/// restored. It is trusted from then on: a person who resumes or approves an issue has checked.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn pause_after_restore(engine: &Engine) -> anyhow::Result<bool> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let Some(why) = store.distrust().await? else { return Ok(false) };
    let zone = engine.app.config.zone;
    let reason = match why {
        Distrust::Behind { last } => {
            error!(%last, "the ledger is older than the last delivery recorded on this machine: restored from a backup? Nothing is sent until a person resumes it");
            wording::behind(last, zone)
        }
        Distrust::Restored { at } => {
            error!("the ledger was restored from a backup: nothing is sent until a person resumes it");
            wording::restored(at, zone)
        }
        Distrust::Moved { at } => {
            error!(%at, "the ledger was moved to another database, which replaces it: is `database` the right one? Nothing is sent until a person resumes it");
            wording::moved(at, zone)
        }
    };
    for issue in store.open_issues().await? {
        store.set_issue_state(&issue.key, &[IssueState::Sending], IssueState::Paused, Some(&reason), now).await?;
        // It may have been sent since the backup: it is sent again only after a new approval.
        let withdrawn = [IssueState::Approved];
        if store.set_issue_state(&issue.key, &withdrawn, IssueState::Held, Some(&reason), now).await? {
            store.queue_notice(&issue.key, &Notice::Missed { reason: reason.clone() }, now).await?;
        }
    }
    for mailing in &engine.app.mailings {
        let cursor = super::schedule::cursor(engine, mailing, now).await?;
        let due = mailing.schedule.decide(cursor, now);
        let missed: Vec<_> = due
            .iter()
            .map(|(at, _)| Occurrence {
                mailing: mailing.id.clone(),
                scheduled_for: *at,
                local: mailing.schedule.label(*at),
                state: OccurrenceState::Missed,
                reason: Some(reason.clone()),
                issue: Some(mailing.issue_key(*at)),
                next_try: *at,
            })
            .collect();
        notify(engine, &missed, &reason, now).await?;
        store.record_occurrences(&mailing.id, &missed, now).await?;
    }
    // Reminders and confirmations may have been sent: reminders are recorded as missed, orders as confirmed.
    editions::announce_reminders(engine).await?;
    for order in store.unconfirmed_orders().await? {
        store.order_confirmed(&order).await?;
    }
    let pending = store.due_occurrences(Timestamp::MAX_UTC).await?;
    notify(engine, &pending, &reason, now).await?;
    for occurrence in pending {
        let state = OccurrenceState::Missed;
        store.settle_occurrence(&Occurrence { state, reason: Some(reason.clone()), ..occurrence }).await?;
    }
    store.trust_the_ledger().await?;
    Ok(true)
}

async fn notify(engine: &Engine, missed: &[Occurrence], reason: &str, now: Timestamp) -> anyhow::Result<()> {
    for key in missed.iter().filter_map(|it| it.issue.as_ref()) {
        engine.store.queue_notice(key, &Notice::Missed { reason: reason.to_owned() }, now).await?;
    }
    Ok(())
}
