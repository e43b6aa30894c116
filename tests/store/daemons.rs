//! Daemons and unfinished issues, as `status` shows them.

use crate::support::ledger::{HOUR, Ledger, at, new_issue};
use semainier::domain::notice::Notice;
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        Timestamp,
        delivery::Outcome,
        issue::{IssueKey, IssueState},
        lane::{LaneTrouble, Pace},
    },
    store::{Daemon, RelayLeftAlone},
};

pub fn daemon(owner: &str, seen_at: Timestamp) -> Daemon {
    Daemon {
        owner: owner.to_owned(),
        host: "bureau".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
        started_at: at(0),
        seen_at,
        relay: None,
    }
}

async fn a_daemon_is_seen_until_it_leaves_or_is_forgotten(db: Ledger) {
    let troubled = Daemon {
        relay: Some(RelayLeftAlone { trouble: "connection refused".to_owned(), since: at(10), until: at(90) }),
        ..daemon("b", at(60))
    };
    db.store.beat(&daemon("a", at(0)), at(-HOUR)).await.unwrap();
    db.store.beat(&daemon("b", at(30)), at(-HOUR)).await.unwrap();
    db.store.beat(&troubled, at(-HOUR)).await.unwrap();
    assert_eq!(db.store.daemons().await.unwrap(), [troubled.clone(), daemon("a", at(0))]);
    let well_again = daemon("b", at(120));
    db.store.beat(&well_again, at(1)).await.unwrap();
    assert_eq!(db.store.daemons().await.unwrap(), [well_again]);
    db.store.leave("b").await.unwrap();
    assert_eq!(db.store.daemons().await.unwrap(), []);
}

async fn a_lane_s_trouble_is_kept_until_a_graver_one_or_a_person(db: Ledger) {
    let issue = IssueKey::new("agenda", "2026-W28");
    let trouble = |pace, since, until: Option<i64>| LaneTrouble {
        lane: "orange".to_owned(),
        pace,
        why: format!("{pace:?}"),
        since: at(since),
        until: until.map(at),
        issue: issue.clone(),
        only_issue: false,
        step: 0,
        per_minute: None,
    };
    let (slow, suspended) = (trouble(Pace::Slow, 0, Some(60)), trouble(Pace::Suspended, 1, Some(90)));
    let (sooner, paused) = (trouble(Pace::Slow, 2, Some(70)), trouble(Pace::Paused, 3, None));
    let later = trouble(Pace::Suspended, 4, Some(HOUR));
    for (it, kept) in [(&slow, true), (&suspended, true), (&sooner, false), (&paused, true), (&later, false)] {
        assert_eq!(db.store.note_lane(it).await.unwrap(), kept, "{it:?}");
    }
    assert_eq!(db.store.lanes().await.unwrap(), [paused]);
    let refused = async |lane| db.store.content_refused(&issue, lane).await.unwrap();
    assert_eq!((refused("orange").await, refused("orange").await, refused("").await), (1, 2, 1));
    assert!(db.store.reopen_lane("orange").await.unwrap());
    assert_eq!((refused("orange").await, refused("").await), (1, 2));
    assert_eq!(db.store.lanes().await.unwrap(), []);
    // What is over gives way to anything new.
    db.store.note_lane(&slow).await.unwrap();
    assert!(db.store.note_lane(&trouble(Pace::Slow, 61, Some(62))).await.unwrap());
}

async fn a_lane_keeps_its_step_until_something_is_accepted_after_its_time(db: Ledger) {
    let trouble = LaneTrouble {
        lane: "free".to_owned(),
        pace: Pace::Suspended,
        why: "trop".to_owned(),
        since: at(0),
        until: Some(at(60)),
        issue: IssueKey::new("agenda", "2026-W28"),
        only_issue: false,
        step: 3,
        per_minute: Some(7),
    };
    db.store.note_lane(&trouble).await.unwrap();
    assert_eq!(db.store.lanes().await.unwrap(), std::slice::from_ref(&trouble));
    assert!(!db.store.forget_past_trouble("free", at(59)).await.unwrap(), "it still holds");
    assert!(!db.store.forget_past_trouble("orange", at(60)).await.unwrap());
    assert!(db.store.forget_past_trouble("free", at(60)).await.unwrap());
    assert_eq!(db.store.lanes().await.unwrap(), []);
    // A person's word is needed, whatever is accepted.
    db.store.note_lane(&LaneTrouble { pace: Pace::Paused, until: None, ..trouble }).await.unwrap();
    assert!(!db.store.forget_past_trouble("free", at(HOUR)).await.unwrap());
}

async fn one_issue_stopped_in_a_lane_is_no_concern_once_it_is_over(db: Ledger) {
    let issue = db.frozen(1).await;
    let trouble = |pace, until: Option<i64>, only_issue| LaneTrouble {
        lane: "orange".to_owned(),
        pace,
        why: "trop lourd".to_owned(),
        since: at(0),
        until: until.map(at),
        issue: issue.clone(),
        only_issue,
        step: 0,
        per_minute: None,
    };
    let (stopped, slow) = (trouble(Pace::Paused, None, true), trouble(Pace::Slow, Some(60), false));
    assert!(db.store.note_lane(&stopped).await.unwrap() && db.store.note_lane(&slow).await.unwrap());
    assert_eq!(db.store.lanes().await.unwrap(), [slow.clone(), stopped]);
    let from = [IssueState::Sending];
    db.store.set_issue_state(&issue, &from, IssueState::Cancelled, None, at(1)).await.unwrap();
    assert_eq!(db.store.lanes().await.unwrap(), [slow]);
    assert!(db.store.reopen_lane("orange").await.unwrap());
    assert_eq!(db.store.lanes().await.unwrap(), []);
}

async fn an_issue_is_open_until_nothing_of_it_waits_for_anybody(db: Ledger) {
    let open = async || db.store.open_issues().await.unwrap().into_iter().map(|i| i.key).collect::<Vec<_>>();
    let key = db.frozen(2).await;
    let next = IssueKey::new("agenda", "2026-W29");
    assert_eq!(open().await, std::slice::from_ref(&key));
    assert_eq!(db.store.open_issues().await.unwrap()[0].counts.queued, 2);
    assert_eq!(db.store.other_sending_issue("agenda", &next).await.unwrap(), Some(key.clone()));
    assert_eq!(db.store.other_sending_issue("agenda", &key).await.unwrap(), None);
    assert_eq!(db.store.other_sending_issue("newsletter", &next).await.unwrap(), None);

    let claims = db.claim(2, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    let outcomes = [Outcome::Accepted, Outcome::Unknown];
    let finished = claims.iter().zip(outcomes).map(|(claim, it)| crate::support::ledger::finished(claim, it, at(3)));
    db.store.finish_attempts(&finished.collect::<Vec<_>>()).await.unwrap();
    db.store.close_finished_issues(at(4)).await.unwrap();
    assert_eq!(open().await, std::slice::from_ref(&key), "done, but one is unknown");
    assert_eq!(db.store.other_sending_issue("agenda", &next).await.unwrap(), None);

    let unknown = &db.store.log(&Default::default()).await.unwrap();
    let unknown = unknown.iter().find(|d| d.state == semainier::domain::delivery::State::Unknown).unwrap();
    db.store.resolve_unknown(&unknown.id, semainier::domain::delivery::Resolution::Sent, "a", at(5)).await.unwrap();
    assert_eq!(open().await, []);

    let held = new_issue("2026-W30");
    db.store.hold_issue(&held.key, "agenda", at(0), at(HOUR), "rien", at(0)).await.unwrap();
    assert_eq!(open().await, [held.key]);
}

async fn each_pause_queues_one_notice_however_often_it_is_evaluated(db: Ledger) {
    let key = db.frozen(1).await;
    let reason = "le relais refuse notre domaine";
    assert_eq!(db.store.queue_notices_of_paused(at(1)).await.unwrap(), 0);
    db.store.set_issue_state(&key, &[IssueState::Sending], IssueState::Paused, Some(reason), at(2)).await.unwrap();
    assert_eq!(db.store.queue_notices_of_paused(at(3)).await.unwrap(), 1);
    assert_eq!(db.store.queue_notices_of_paused(at(4)).await.unwrap(), 0);
    let pending = db.store.pending_notices().await.unwrap();
    let paused = |reason: &str| Notice::Paused { reason: reason.to_owned() };
    assert_eq!((&pending[0].issue, &pending[0].notice), (&key, &paused(reason)));

    // A person who resumes knows of it; the next pause is news.
    db.store.notices_sent(&[&pending[0].id], at(5)).await.unwrap();
    db.store.set_issue_state(&key, &[IssueState::Paused], IssueState::Sending, None, at(6)).await.unwrap();
    assert_eq!(db.store.queue_notices_of_paused(at(7)).await.unwrap(), 0);
    db.store.set_issue_state(&key, &[IssueState::Sending], IssueState::Paused, Some("encore"), at(8)).await.unwrap();
    assert_eq!(db.store.queue_notices_of_paused(at(9)).await.unwrap(), 1);
    let pending = db.store.pending_notices().await.unwrap();
    assert_eq!((pending.len(), &pending[0].notice, pending[0].created_at), (1, &paused("encore"), at(9)));
}

on_both_databases! {
    a_lane_s_trouble_is_kept_until_a_graver_one_or_a_person
    a_lane_keeps_its_step_until_something_is_accepted_after_its_time
    one_issue_stopped_in_a_lane_is_no_concern_once_it_is_over
    each_pause_queues_one_notice_however_often_it_is_evaluated
    a_daemon_is_seen_until_it_leaves_or_is_forgotten
    an_issue_is_open_until_nothing_of_it_waits_for_anybody
}
