//! Issues that await approval: what is stored, what an approval refers to, and what it allows to be sent (I6).

use crate::support::ledger::{HOUR, Ledger, at, content, hash, new_issue};
use semainier::{
    domain::{
        issue::{Inline, IssueState, NewIssue},
        newsletter::Newcomer,
        partner::SuppressionReason,
        segment::Segment,
    },
    store::{Frozen, OccurrenceState},
};

/// With a picture in it, as composed a while before it is due.
fn issue(word: &str) -> NewIssue {
    let mut issue = new_issue("2026-W28");
    issue.content.text = word.to_owned();
    issue.content.inline = vec![Inline {
        content_id: "image-1@x".to_owned(),
        media_type: "image/jpeg".to_owned(),
        bytes: vec![9, 0, 255],
    }];
    issue.content_hash = format!("hash of {word}");
    issue.composed_at = at(-HOUR);
    issue
}

async fn what_is_kept_is_read_back_and_only_the_named_content_is_replaced(db: Ledger) {
    let (first, second) = (issue("un"), issue("deux"));
    let (store, key) = (&db.store, &first.key);
    assert!(store.present_issue(&first, None, at(0)).await.unwrap());
    assert_eq!(store.content(key).await.unwrap().as_ref(), Some(&first.content));
    let kept = store.issue(key).await.unwrap().unwrap();
    assert_eq!((kept.state(), kept.frozen_at(), kept.approved_by()), (IssueState::AwaitingApproval, None, None));
    assert!(kept.is_presented() && store.open_issues().await.unwrap().len() == 1);

    // Somebody who has not seen the first one does not replace it.
    assert!(!store.present_issue(&second, None, at(1)).await.unwrap());
    assert!(!store.present_issue(&second, Some("another"), at(1)).await.unwrap());
    assert_eq!(store.content(key).await.unwrap().unwrap().text, "un");
    assert!(store.present_issue(&second, Some(&first.content_hash), at(1)).await.unwrap());
    assert_eq!(store.content(key).await.unwrap().as_ref(), Some(&second.content));
}

async fn an_approval_is_of_one_content_and_freezes_no_other(db: Ledger) {
    db.partners(3).await;
    let (first, second) = (issue("un"), issue("deux"));
    let (store, key) = (&db.store, &first.key);
    store.present_issue(&first, None, at(0)).await.unwrap();
    assert_eq!(store.freeze_approved(&first, at(1)).await.unwrap(), Frozen::Before, "nobody approved it");
    assert!(!store.approve_issue(key, "hash of deux", "Claire", at(2)).await.unwrap(), "that is not what is there");
    assert!(store.approve_issue(key, &first.content_hash, "Claire", at(3)).await.unwrap());
    assert!(store.approve_issue(key, &first.content_hash, "Claire", at(9)).await.unwrap(), "twice is once");
    assert_eq!(store.issue(key).await.unwrap().unwrap().approved_by(), Some("Claire"));

    store.present_issue(&second, Some(&first.content_hash), at(10)).await.unwrap();
    assert_eq!(store.issue(key).await.unwrap().unwrap().approved_by(), None);
    for it in [&first, &second] {
        assert_eq!(store.freeze_approved(it, at(11)).await.unwrap(), Frozen::Before, "approved was something else");
    }
    assert!(store.approve_issue(key, &second.content_hash, "Paul", at(12)).await.unwrap());
    let mut leaving = issue("deux");
    leaving.content.envelope.date_ms = 42;
    leaving.content.html = "never written".to_owned();
    assert_eq!(store.freeze_approved(&leaving, at(13)).await.unwrap(), Frozen::Now { recipients: 3 });
    assert_eq!(store.freeze_approved(&leaving, at(14)).await.unwrap(), Frozen::Before);
    let frozen = store.issue(key).await.unwrap().unwrap();
    assert_eq!((frozen.state(), frozen.frozen_at(), frozen.counts.queued), (IssueState::Sending, Some(at(13)), 3));
    let kept = store.content(key).await.unwrap().unwrap();
    assert_eq!((kept.html, kept.envelope.date_ms), (second.content.html.clone(), 42), "the hour alone is new");

    assert!(!store.approve_issue(key, &second.content_hash, "Paul", at(15)).await.unwrap(), "it is gone");
    assert!(!store.present_issue(&first, Some(&second.content_hash), at(15)).await.unwrap());
    let approvals = store.approvals(key).await.unwrap();
    let said: Vec<_> = approvals.iter().map(|it| (it.by.as_str(), it.content_hash.as_str(), it.at)).collect();
    assert_eq!(said, [("Claire", "hash of un", at(3)), ("Paul", "hash of deux", at(12))]);
    assert_eq!(db.claim(9, at(16)).await.len(), 3, "and is sent like any other");
}

async fn two_daemons_that_freeze_an_approved_issue_freeze_it_once(db: Ledger) {
    db.partners(200).await;
    let issue = issue("un");
    db.store.present_issue(&issue, None, at(0)).await.unwrap();
    db.store.approve_issue(&issue.key, &issue.content_hash, "Claire", at(1)).await.unwrap();
    let other = db.another().await;
    let (one, two) = tokio::join!(db.store.freeze_approved(&issue, at(2)), other.freeze_approved(&issue, at(2)));
    let (one, two) = (one.unwrap(), two.unwrap());
    let pair = [(&one, &two), (&two, &one)];
    assert!(pair.contains(&(&Frozen::Now { recipients: 200 }, &Frozen::Before)), "{one:?} {two:?}");
    assert_eq!(db.store.issue(&issue.key).await.unwrap().unwrap().counts.total(), 200);
}

async fn an_issue_held_at_its_hour_may_still_be_approved_and_one_that_is_over_may_not(db: Ledger) {
    db.partners(1).await;
    let issue = issue("un");
    let (store, key) = (&db.store, &issue.key);
    store.present_issue(&issue, None, at(0)).await.unwrap();
    let to = |from: IssueState, to: IssueState| async move {
        store.set_issue_state(key, &[from], to, Some("pas d’accord"), at(1)).await.unwrap()
    };
    assert!(to(IssueState::AwaitingApproval, IssueState::Held).await);
    assert!(store.approve_issue(key, &issue.content_hash, "Claire", at(2)).await.unwrap());
    assert_eq!(store.issue(key).await.unwrap().unwrap().state(), IssueState::Approved);
    assert!(to(IssueState::Approved, IssueState::Expired).await);
    assert!(!store.approve_issue(key, &issue.content_hash, "Paul", at(3)).await.unwrap());
    assert_eq!(store.freeze_approved(&issue, at(4)).await.unwrap(), Frozen::Before);
}

async fn a_word_wakes_the_occurrence_that_waits_for_it(db: Ledger) {
    let issue = issue("un");
    db.store.cursor("agenda", "0 8 * * *", at(0)).await.unwrap();
    let occurrence = semainier::store::Occurrence {
        mailing: "agenda".to_owned(),
        scheduled_for: at(0),
        local: "2026-07-04T08:00+02:00[Europe/Paris]".to_owned(),
        state: OccurrenceState::Pending,
        reason: None,
        issue: Some(issue.key.clone()),
        next_try: at(900),
    };
    db.store.record_occurrences("agenda", &[occurrence], at(0)).await.unwrap();
    db.store.present_issue(&issue, None, at(0)).await.unwrap();
    assert!(db.store.due_occurrences(at(60)).await.unwrap().is_empty());
    db.store.approve_issue(&issue.key, &issue.content_hash, "Claire", at(60)).await.unwrap();
    assert_eq!(db.store.due_occurrences(at(60)).await.unwrap().len(), 1);
}

async fn an_editorial_is_kept_before_there_is_an_issue_and_the_last_one_counts(db: Ledger) {
    let key = issue("un").key;
    assert_eq!(db.store.editorial(&key).await.unwrap(), None);
    for text in ["Un mot.", "Un autre."] {
        db.store.write_editorial(&key, text, "Claire", at(0)).await.unwrap();
        assert_eq!(db.store.editorial(&key).await.unwrap().as_deref(), Some(text));
    }
}

async fn the_next_issue_begins_where_the_last_one_that_left_was_composed(db: Ledger) {
    let (first, other) = (issue("un"), new_issue("2026-W29"));
    assert_eq!(db.store.last_composed("agenda", &other.key).await.unwrap(), None);
    db.store.present_issue(&first, None, at(0)).await.unwrap();
    assert_eq!(db.store.last_composed("agenda", &other.key).await.unwrap(), None, "it has not left");
    db.store.approve_issue(&first.key, &first.content_hash, "Claire", at(1)).await.unwrap();
    db.store.freeze_approved(&first, at(2)).await.unwrap();
    assert_eq!(db.store.last_composed("agenda", &other.key).await.unwrap(), Some(at(-HOUR)));
    assert_eq!(db.store.last_composed("agenda", &first.key).await.unwrap(), None, "itself is not before itself");
    assert_eq!(db.store.last_composed("lettre", &other.key).await.unwrap(), None);
}

async fn newcomers_and_the_audience_are_counted_as_a_freeze_would(db: Ledger) {
    db.partners(4).await;
    assert_eq!(db.store.newcomers(at(0)).await.unwrap(), []);
    let names: Vec<_> = db.store.newcomers(at(-1)).await.unwrap();
    assert_eq!(
        (names.len(), &names[0]),
        (4, &Newcomer { establishment: "Gîte n° 1".to_owned(), commune: "Auch".to_owned() })
    );
    db.store.suppress(&hash(2), None, SuppressionReason::OptOut, at(1)).await.unwrap();
    db.store.suppress(&hash(3), Some("agenda"), SuppressionReason::OptOut, at(1)).await.unwrap();
    db.store.suppress(&hash(4), Some("another"), SuppressionReason::OptOut, at(1)).await.unwrap();
    assert_eq!(db.store.audience_size("agenda", "agenda", None).await.unwrap(), 2);
    assert_eq!(db.store.audience_size("agenda", "nobody", None).await.unwrap(), 0);
    let elsewhere = Segment::parse("commune = \"Nulle-Part\"").unwrap();
    assert_eq!(db.store.audience_size("agenda", "agenda", Some(&elsewhere)).await.unwrap(), 0);
    assert_eq!(content().inline, []);
}

on_both_databases! {
    what_is_kept_is_read_back_and_only_the_named_content_is_replaced
    an_approval_is_of_one_content_and_freezes_no_other
    two_daemons_that_freeze_an_approved_issue_freeze_it_once
    an_issue_held_at_its_hour_may_still_be_approved_and_one_that_is_over_may_not
    a_word_wakes_the_occurrence_that_waits_for_it
    an_editorial_is_kept_before_there_is_an_issue_and_the_last_one_counts
    the_next_issue_begins_where_the_last_one_that_left_was_composed
    newcomers_and_the_audience_are_counted_as_a_freeze_would
}
