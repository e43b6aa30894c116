//! Reminds contacts who did not order, after the number of days in the edition's file. Whether they opened anything is not
//! known.

use crate::app::Engine;
use crate::domain::{
    edition::{Announcement, REMINDER},
    issue::IssueKey,
};
use crate::issue::edition::mailing;
use chrono::TimeDelta;
use tracing::info;

/// Announces the due reminder of every edition; returns how many. A reminder is processed like the first announcement.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn announce_reminders(engine: &Engine) -> anyhow::Result<usize> {
    let Ok(mailing) = mailing(&engine.app) else { return Ok(0) };
    let (store, now, mut new) = (&engine.store, engine.app.clock.now(), 0);
    for (stocked, first, frozen_at) in store.announced().await? {
        let period = first.issue.period();
        let edition = &stocked.edition;
        let Some(days) = edition.reminder_after_days.filter(|_| !period.ends_with(REMINDER)) else { continue };
        let due_at = frozen_at + TimeDelta::days(i64::from(days));
        let useful = stocked.left() > 0 && edition.is_current(mailing.day(now));
        // Never long after its day, for example after an edit of the file or a long stop.
        let in_time = now >= due_at && now < mailing.schedule.deadline_of(due_at);
        if first.issue.mailing() != mailing.id || !useful || !in_time {
            continue;
        }
        let issue = IssueKey::new(&mailing.id, format_args!("{period}{REMINDER}"));
        let reminder = Announcement { issue: issue.clone(), leaves_at: due_at, ..first };
        if store.announce(&reminder, due_at, mailing.schedule.zone, now).await?.is_some() {
            info!(issue = %issue, days, "{issue} reminds those who did not order");
            new += 1;
        }
    }
    Ok(new)
}
