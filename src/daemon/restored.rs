//! A ledger that forgot (D10): a backup was put in its place, or it was moved and is served again. What it shows as waiting may have been sent since, and what it
//! never heard of may have been published. So nothing moves by itself until a person has looked.

use crate::app::Engine;
use crate::domain::{Timestamp, issue::IssueState, notice::Notice};
use crate::editions;
use crate::notices::wording;
use crate::store::{Distrust, Occurrence, OccurrenceState};
use tracing::error;

/// Pauses what is on its way, withdraws what was approved, and records as missed what became due since. `true`: the ledger was
/// restored. It is trusted again from then on: whoever resumes or approves an issue has looked.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn mind_a_restored_ledger(engine: &Engine) -> anyhow::Result<bool> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let Some(why) = store.distrust().await? else { return Ok(false) };
    let zone = engine.app.config.zone;
    let reason = match why {
        Distrust::Behind { last } => {
            error!(%last, "the ledger is older than the last post of this machine: restored from a backup? Nothing leaves by itself until a person resumes");
            wording::behind(last, zone)
        }
        Distrust::Restored { at } => {
            error!("the ledger was restored from a backup: nothing leaves by itself until a person resumes");
            wording::restored(at, zone)
        }
        Distrust::Moved { at } => {
            error!(%at, "the ledger was moved to another database, which sends in its place: is `database` the right one? Nothing leaves by itself until a person resumes");
            wording::moved(at, zone)
        }
    };
    for issue in store.open_issues().await? {
        store.set_issue_state(&issue.key, &[IssueState::Sending], IssueState::Paused, Some(&reason), now).await?;
        // What was approved may have left since: it leaves again only if a person approves it again.
        let withdrawn = [IssueState::Approved];
        if store.set_issue_state(&issue.key, &withdrawn, IssueState::Held, Some(&reason), now).await? {
            store.owe_notice(&issue.key, &Notice::Missed { reason: reason.clone() }, now).await?;
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
        tell(engine, &missed, &reason, now).await?;
        store.record_occurrences(&mailing.id, &missed, now).await?;
    }
    // What would be reminded of, or confirmed, may have been: the reminder is shown as missed, the order stays as it is.
    editions::announce_reminders(engine).await?;
    for order in store.unconfirmed_orders().await? {
        store.order_confirmed(&order).await?;
    }
    let pending = store.due_occurrences(Timestamp::MAX_UTC).await?;
    tell(engine, &pending, &reason, now).await?;
    for occurrence in pending {
        let state = OccurrenceState::Missed;
        store.settle_occurrence(&Occurrence { state, reason: Some(reason.clone()), ..occurrence }).await?;
    }
    store.trust_the_ledger().await?;
    Ok(true)
}

async fn tell(engine: &Engine, missed: &[Occurrence], reason: &str, now: Timestamp) -> anyhow::Result<()> {
    for key in missed.iter().filter_map(|it| it.issue.as_ref()) {
        engine.store.owe_notice(key, &Notice::Missed { reason: reason.to_owned() }, now).await?;
    }
    Ok(())
}
