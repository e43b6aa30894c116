//! A backup was restored in place of the ledger, or a ledger that was moved elsewhere is served again (D10). Deliveries it shows as
//! waiting may have been sent since, and issues it does not know may have been published. So nothing is sent until a person
//! has looked.

use crate::app::Engine;
use crate::domain::{Timestamp, issue::IssueState, notice::Notice};
use crate::editions;
use crate::notices::wording;
use crate::store::{Distrust, Occurrence, OccurrenceState};
use tracing::error;

/// Pauses what is being sent, withdraws approvals, and records as missed what became due since. `true`: the ledger was
/// restored. It is trusted from then on: a person who resumes or approves an issue has looked.
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
        // It may have been sent since the backup: it is sent again only after a new approval.
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
    // Reminders and confirmations may have been sent: the reminder is recorded as missed, the order stays as it is.
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
