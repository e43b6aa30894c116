//! Holding, freezing and closing an issue: nobody lost (I1), nobody twice (I2).

use crate::support::ledger::{HOUR, Ledger, at, content, finished, new_issue};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::{Outcome, Resolution, State},
        issue::{IssueKey, IssueState},
    },
    store::{Frozen, LogFilter, Resolved},
};
use std::collections::HashSet;

async fn an_issue_is_frozen_once_for_every_subscriber(db: Ledger) {
    db.partners(40).await;
    let issue = new_issue("2026-W28");
    assert_eq!(db.store.freeze_issue(&issue, at(5)).await.unwrap(), Frozen::Now { recipients: 40 });
    let mut later = new_issue("2026-W28");
    later.content.subject = "Autre chose".to_owned();
    later.content_hash = "other".to_owned();
    assert_eq!(db.store.freeze_issue(&later, at(6)).await.unwrap(), Frozen::Before);

    let summary = db.store.issue(&issue.key).await.unwrap().unwrap();
    assert_eq!(summary.state(), IssueState::Sending);
    assert_eq!(summary.frozen_at(), Some(at(5)));
    assert_eq!(summary.content_hash(), Some("c0ffee"));
    assert_eq!((summary.counts.queued, summary.counts.total()), (40, 40));
    assert_eq!(db.store.content(&issue.key).await.unwrap(), Some(content()));
}

async fn every_message_has_an_id_of_its_own(db: Ledger) {
    db.frozen(40).await;
    let log = db.store.log(&LogFilter::default()).await.unwrap();
    let ids: HashSet<_> = log.iter().map(|it| &it.id).collect();
    assert_eq!(ids.len(), 40);
    for delivery in &log {
        assert_eq!(delivery.message_id, format!("agenda-2026-w28.{}@office.example", delivery.id));
    }
}

async fn two_daemons_that_freeze_together_freeze_once(db: Ledger) {
    db.partners(300).await;
    let issue = new_issue("2026-W28");
    let other = db.another().await;
    let (one, two) = tokio::join!(db.store.freeze_issue(&issue, at(0)), other.freeze_issue(&issue, at(0)));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(
        [(&one, &two), (&two, &one)].contains(&(&Frozen::Now { recipients: 300 }, &Frozen::Before)),
        "{one:?} {two:?}"
    );
    assert_eq!(db.store.issue(&issue.key).await.unwrap().unwrap().counts.total(), 300);
}

async fn a_held_issue_is_taken_over_by_its_freezing(db: Ledger) {
    db.partners(1).await;
    let issue = new_issue("2026-W28");
    let hold = |reason| db.store.hold_issue(&issue.key, "agenda", at(0), at(HOUR), reason, at(0));
    assert!(hold("l’article n’est pas paru").await.unwrap());
    assert!(hold("mardi est vide").await.unwrap());
    let held = db.store.issue(&issue.key).await.unwrap().unwrap();
    assert_eq!((held.state(), held.reason()), (IssueState::Held, Some("mardi est vide")));
    assert_eq!((held.frozen_at(), held.counts.total()), (None, 0));
    assert_eq!(db.store.content(&issue.key).await.unwrap(), None);

    assert_eq!(db.store.freeze_issue(&issue, at(1)).await.unwrap(), Frozen::Now { recipients: 1 });
    assert!(!hold("trop tard").await.unwrap());
    let sending = db.store.issue(&issue.key).await.unwrap().unwrap();
    assert_eq!((sending.state(), sending.reason()), (IssueState::Sending, None));
    assert_eq!(sending.expires_at, at(12 * HOUR));
}

async fn a_stopped_issue_is_not_frozen_afterwards(db: Ledger) {
    db.partners(1).await;
    let issue = new_issue("2026-W28");
    db.store.hold_issue(&issue.key, "agenda", at(0), at(HOUR), "vide", at(0)).await.unwrap();
    let stop = db.store.set_issue_state(&issue.key, &[IssueState::Held], IssueState::Expired, None, at(1));
    assert!(stop.await.unwrap());
    assert_eq!(db.store.freeze_issue(&issue, at(2)).await.unwrap(), Frozen::Before);
    assert_eq!(db.store.issue(&issue.key).await.unwrap().unwrap().counts.total(), 0);
}

async fn an_issue_for_nobody_can_be_closed_at_once(db: Ledger) {
    let issue = new_issue("2026-W28");
    assert_eq!(db.store.freeze_issue(&issue, at(0)).await.unwrap(), Frozen::Now { recipients: 0 });
    assert_eq!(db.store.close_finished_issues(at(1)).await.unwrap(), std::slice::from_ref(&issue.key));
    assert_eq!(db.store.close_finished_issues(at(2)).await.unwrap(), []);
    assert_eq!(db.store.issue(&issue.key).await.unwrap().unwrap().closed_at(), Some(at(1)));
}

async fn the_state_of_an_issue_changes_only_from_the_states_named(db: Ledger) {
    let key = db.frozen(2).await;
    let set = |from: &'static [IssueState], to| db.store.set_issue_state(&key, from, to, Some("test"), at(1));
    assert!(!set(&[IssueState::Paused, IssueState::Held], IssueState::Sending).await.unwrap());
    assert!(set(&[IssueState::Done, IssueState::Sending], IssueState::Paused).await.unwrap());
    assert!(set(&[IssueState::Paused], IssueState::Sending).await.unwrap());
    let unknown = IssueKey::new("agenda", "2026-W99");
    let set = db.store.set_issue_state(&unknown, &IssueState::ALL, IssueState::Paused, None, at(1));
    assert!(!set.await.unwrap());
}

async fn a_cancelled_issue_cancels_what_waits_even_what_comes_back_later(db: Ledger) {
    let key = db.frozen(3).await;
    let claims = db.claim(2, at(1)).await;
    db.store.mark_in_data(&claims[..1], at(2)).await.unwrap();
    let cancel = db.store.set_issue_state(&key, &[IssueState::Sending], IssueState::Cancelled, None, at(3));
    assert!(cancel.await.unwrap());
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.cancelled, counts.in_data), (2, 1));

    let deferred = finished(&claims[0], Outcome::Deferred { next_at: at(60) }, at(4));
    assert_eq!(db.store.finish_attempts(&[deferred]).await.unwrap(), [true]);
    assert_eq!(db.store.close_finished_issues(at(5)).await.unwrap(), []);
    let issue = db.store.issue(&key).await.unwrap().unwrap();
    assert_eq!((issue.state(), issue.closed_at(), issue.counts.cancelled), (IssueState::Cancelled, Some(at(3)), 3));
}

async fn an_issue_closes_when_nothing_moves_by_itself_and_a_resend_opens_it_again(db: Ledger) {
    let key = db.frozen(2).await;
    let claims = db.claim(2, at(1)).await;
    assert_eq!(db.store.close_finished_issues(at(1)).await.unwrap(), []);
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    assert_eq!(db.store.close_finished_issues(at(2)).await.unwrap(), []);
    let ends = [finished(&claims[0], Outcome::Accepted, at(3)), finished(&claims[1], Outcome::Unknown, at(3))];
    db.store.finish_attempts(&ends).await.unwrap();
    assert_eq!(db.store.close_finished_issues(at(4)).await.unwrap(), std::slice::from_ref(&key));
    assert_eq!(db.issue_state(&key).await, IssueState::Done);

    let resend = db.store.resolve_unknown(&claims[1].id, Resolution::Resend, "Ève", at(5));
    assert_eq!(resend.await.unwrap(), Resolved::Done);
    let issue = db.store.issue(&key).await.unwrap().unwrap();
    assert_eq!((issue.state(), issue.closed_at(), issue.counts.queued), (IssueState::Sending, None, 1));
    let again = db.claim(5, at(6)).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].attempt, &again[0].message_id), (2, &claims[1].message_id));
}

async fn a_late_deferral_opens_a_closed_issue_again(db: Ledger) {
    let key = db.frozen(1).await;
    let claims = db.claim(1, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    db.store.finish_attempts(&[finished(&claims[0], Outcome::Unknown, at(3))]).await.unwrap();
    db.store.close_finished_issues(at(4)).await.unwrap();
    let late = finished(&claims[0], Outcome::Deferred { next_at: at(60) }, at(5));
    assert_eq!(db.store.finish_attempts(&[late]).await.unwrap(), [true]);
    db.store.close_finished_issues(at(6)).await.unwrap();
    assert_eq!(db.issue_state(&key).await, IssueState::Sending);
    assert_eq!(db.claim(1, at(60)).await.len(), 1);
}

async fn the_newest_issue_comes_first_with_its_own_counts(db: Ledger) {
    db.frozen(2).await;
    let mut next = new_issue("2026-W29");
    next.scheduled_for = at(7 * 24 * HOUR);
    db.partners(3).await;
    db.store.freeze_issue(&next, at(1)).await.unwrap();
    let issues = db.store.issues().await.unwrap();
    let seen: Vec<_> = issues.iter().map(|it| (it.key.as_str(), it.counts.total())).collect();
    assert_eq!(seen, [("agenda/2026-W29", 3), ("agenda/2026-W28", 2)]);
    assert_eq!(db.states().await.iter().filter(|it| **it == State::Queued).count(), 5);
}

on_both_databases! {
    an_issue_is_frozen_once_for_every_subscriber
    every_message_has_an_id_of_its_own
    two_daemons_that_freeze_together_freeze_once
    a_held_issue_is_taken_over_by_its_freezing
    a_stopped_issue_is_not_frozen_afterwards
    an_issue_for_nobody_can_be_closed_at_once
    the_state_of_an_issue_changes_only_from_the_states_named
    a_cancelled_issue_cancels_what_waits_even_what_comes_back_later
    an_issue_closes_when_nothing_moves_by_itself_and_a_resend_opens_it_again
    a_late_deferral_opens_a_closed_issue_again
    the_newest_issue_comes_first_with_its_own_counts
}
