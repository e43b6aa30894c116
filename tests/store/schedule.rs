//! Cursors and occurrences: S4 to S6.

use crate::support::ledger::{HOUR, Ledger, at};
use semainier::{
    domain::{Timestamp, issue::IssueKey},
    store::{Occurrence, OccurrenceState},
};

fn occurrence(scheduled_for: Timestamp, state: OccurrenceState) -> Occurrence {
    Occurrence {
        mailing: "agenda".to_owned(),
        scheduled_for,
        local: scheduled_for.to_rfc3339(),
        state,
        reason: None,
        issue: None,
        next_try: scheduled_for,
    }
}

async fn a_new_mailing_begins_now_and_an_edit_never_back_fires(db: Ledger) {
    let cursor = |schedule, now| db.store.cursor("agenda", schedule, now);
    assert_eq!(cursor("0 8 * 7,8 SAT", at(0)).await.unwrap().cursor, at(0));
    assert_eq!(cursor("0 8 * 7,8 SAT", at(HOUR)).await.unwrap().cursor, at(0));
    let edited = cursor("0 9 * 7,8 SAT", at(2 * HOUR)).await.unwrap();
    assert_eq!((edited.schedule.as_str(), edited.cursor), ("0 9 * 7,8 SAT", at(2 * HOUR)));
    // The clock went back, and somebody edits again.
    assert_eq!(cursor("0 8 * 7,8 SAT", at(HOUR)).await.unwrap().cursor, at(2 * HOUR));
}

async fn an_occurrence_is_recorded_once_and_the_cursor_never_goes_back(db: Ledger) {
    db.store.cursor("agenda", "cron", at(0)).await.unwrap();
    let pending = occurrence(at(60), OccurrenceState::Pending);
    db.store.record_occurrences("agenda", std::slice::from_ref(&pending), at(100)).await.unwrap();
    let mut again = occurrence(at(60), OccurrenceState::Missed);
    again.reason = Some("trop tard".to_owned());
    db.store.record_occurrences("agenda", &[again], at(50)).await.unwrap();
    assert_eq!(db.store.occurrences(None, 10).await.unwrap(), [pending]);
    assert_eq!(db.store.cursor("agenda", "cron", at(0)).await.unwrap().cursor, at(100));
}

async fn two_daemons_record_one_occurrence(db: Ledger) {
    db.store.cursor("agenda", "cron", at(0)).await.unwrap();
    let other = db.another().await;
    let due = [occurrence(at(60), OccurrenceState::Pending), occurrence(at(120), OccurrenceState::Pending)];
    let (one, two) = tokio::join!(
        db.store.record_occurrences("agenda", &due, at(130)),
        other.record_occurrences("agenda", &due, at(130))
    );
    one.unwrap();
    two.unwrap();
    assert_eq!(db.store.occurrences(Some("agenda"), 10).await.unwrap().len(), 2);
}

async fn a_pending_occurrence_is_tried_until_it_is_settled(db: Ledger) {
    db.store.cursor("agenda", "cron", at(0)).await.unwrap();
    let recorded = [occurrence(at(120), OccurrenceState::Pending), occurrence(at(60), OccurrenceState::Pending)];
    db.store.record_occurrences("agenda", &recorded, at(130)).await.unwrap();
    let due = db.store.due_occurrences(at(130)).await.unwrap();
    assert_eq!(due.iter().map(|it| it.scheduled_for).collect::<Vec<_>>(), [at(60), at(120)]);

    let mut held = due[0].clone();
    held.reason = Some("mardi est vide".to_owned());
    held.issue = Some(IssueKey::new("agenda", "2026-W28"));
    held.next_try = at(430);
    assert!(db.store.settle_occurrence(&held).await.unwrap());
    assert_eq!(db.store.due_occurrences(at(131)).await.unwrap(), due[1..]);
    assert_eq!(db.store.due_occurrences(at(430)).await.unwrap()[0], held);

    let done = Occurrence { state: OccurrenceState::Done, ..held.clone() };
    assert!(db.store.settle_occurrence(&done).await.unwrap());
    assert!(!db.store.settle_occurrence(&held).await.unwrap(), "what is settled stays settled");
    let newest = db.store.occurrences(Some("agenda"), 1).await.unwrap();
    assert_eq!(newest[0].scheduled_for, at(120));
    assert_eq!(db.store.occurrences(Some("newsletter"), 9).await.unwrap(), []);
}

on_both_databases! {
    a_new_mailing_begins_now_and_an_edit_never_back_fires
    an_occurrence_is_recorded_once_and_the_cursor_never_goes_back
    two_daemons_record_one_occurrence
    a_pending_occurrence_is_tried_until_it_is_settled
}
