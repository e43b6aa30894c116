//! Corrections: which is in force, what they take back, and content that was composed without them.

use crate::support::ledger::{Ledger, at, new_issue};
use semainier::domain::{
    agenda::{Agenda, Day, Item},
    correction::{Correction, Dismissal, KeptReading, Patch, anchor_of, lines},
    issue::{Basis, IssueState, NewIssue},
};
use semainier::store::{Frozen, Saved};

fn reading(issue: &NewIssue) -> KeptReading {
    let item = |text: &str| Item { text: text.to_owned(), ..Item::default() };
    let items = ["Bal, 21 h", "Marché, 9 h"].map(item).to_vec();
    let days = vec![Day { date: "2026-07-06".parse().unwrap(), items }];
    KeptReading {
        issue: issue.key.clone(),
        read_at: at(0),
        title: "Que faire".to_owned(),
        url: Some("https://office.example/a".to_owned()),
        agenda: Agenda { days, ..Agenda::default() },
        missing: vec!["le calendrier".to_owned()],
        exceptions: 0,
    }
}

fn correction(issue: &NewIssue, id: &str, line: usize, by: &str) -> Correction {
    let read = reading(issue);
    Correction {
        id: id.to_owned(),
        issue: issue.key.clone(),
        anchor: anchor_of(&lines(&read.agenda), line, 0),
        patch: Patch { title: Some(format!("de {by}")), ..Patch::default() },
        why: "faute".to_owned(),
        by: by.to_owned(),
        at: at(1),
    }
}

async fn what_was_read_and_corrected_is_read_back(db: Ledger) {
    let (store, issue) = (&db.store, new_issue("2026-W28"));
    assert_eq!(store.reading(&issue.key).await.unwrap(), None);
    store.keep_reading(&reading(&issue)).await.unwrap();
    assert_eq!(store.reading(&issue.key).await.unwrap(), Some(reading(&issue)));
    let [first, second] = [correction(&issue, "a", 0, "Claire"), correction(&issue, "b", 1, "Marc")];
    for it in [&first, &second] {
        assert_eq!(store.correct(it, &[], true).await.unwrap(), Saved::Done);
    }
    assert_eq!(store.corrections(&issue.key).await.unwrap(), [first.clone(), second.clone()]);
    // Of an event one correction is in force; what replaces it must know it.
    let third = correction(&issue, "c", 0, "Zoé");
    assert_eq!(store.correct(&third, &[], true).await.unwrap(), Saved::Other);
    assert_eq!(store.correct(&third, &["b".to_owned(), "x".to_owned()], true).await.unwrap(), Saved::Other);
    assert_eq!(store.corrections(&issue.key).await.unwrap(), [first, second.clone()], "nothing was withdrawn");
    assert_eq!(store.correct(&third, &["a".to_owned()], true).await.unwrap(), Saved::Done);
    assert_eq!(store.withdraw_correction(&issue.key, "a", "Zoé", true, at(2)).await.unwrap(), Saved::Other);
    assert_eq!(store.withdraw_correction(&issue.key, "c", "Zoé", true, at(2)).await.unwrap(), Saved::Done);
    assert_eq!(store.corrections(&issue.key).await.unwrap(), [second]);
    // A new reading keeps the corrections and their revision.
    let revision = store.revision(&issue.key).await.unwrap();
    store.keep_reading(&KeptReading { title: "Encore".to_owned(), ..reading(&issue) }).await.unwrap();
    assert_eq!((store.revision(&issue.key).await.unwrap(), revision), (revision, 4));
}

async fn content_without_a_correction_is_neither_kept_nor_approved_nor_frozen(db: Ledger) {
    db.partners(3).await;
    let store = &db.store;
    let issue = NewIssue { content_hash: "h".to_owned(), basis: Basis::Corrections(0), ..new_issue("2026-W28") };
    store.keep_reading(&reading(&issue)).await.unwrap();
    assert!(store.rehearse_issue(&issue, at(0)).await.unwrap());
    assert!(store.approve_issue(&issue.key, "h", "Claire", false, at(1)).await.unwrap());
    // A correction while the content is composed again: the approval is gone, and what was composed without it is refused.
    assert_eq!(store.correct(&correction(&issue, "a", 0, "Marc"), &[], true).await.unwrap(), Saved::Done);
    assert_eq!(store.issue(&issue.key).await.unwrap().unwrap().state(), IssueState::Rehearsed);
    assert!(!store.approve_issue(&issue.key, "h", "Claire", false, at(2)).await.unwrap(), "it is outdated");
    assert!(!store.rehearse_issue(&issue, at(2)).await.unwrap());
    assert_eq!(store.freeze_issue(&issue, at(2)).await.unwrap(), Frozen::Outdated);
    assert_eq!(store.issue(&issue.key).await.unwrap().unwrap().counts.total(), 0);
    let corrected = NewIssue { content_hash: "h2".to_owned(), basis: Basis::Corrections(1), ..issue.clone() };
    assert!(store.rehearse_issue(&corrected, at(3)).await.unwrap());
    assert!(store.approve_issue(&issue.key, "h2", "Claire", false, at(3)).await.unwrap());
    assert_eq!(store.freeze_approved(&corrected, at(4)).await.unwrap(), Frozen::Now { recipients: 3 });
    // Frozen: nothing is corrected any more, and what was read stays.
    let late = correction(&issue, "b", 1, "Marc");
    assert_eq!(store.correct(&late, &[], true).await.unwrap(), Saved::Frozen);
    assert_eq!(store.withdraw_correction(&issue.key, "a", "Marc", true, at(5)).await.unwrap(), Saved::Frozen);
    store.keep_reading(&KeptReading { title: "Un autre".to_owned(), ..reading(&issue) }).await.unwrap();
    assert_eq!(store.reading(&issue.key).await.unwrap(), Some(reading(&issue)));
}

async fn a_correction_and_a_freeze_at_once_never_both_succeed_unseen(db: Ledger) {
    db.partners(3).await;
    for n in 0..20 {
        let issue = NewIssue { basis: Basis::Corrections(0), ..new_issue(&format!("2026-W{}", 10 + n)) };
        db.store.keep_reading(&reading(&issue)).await.unwrap();
        let (other, it) = (db.another().await, correction(&issue, &format!("c{n}"), 0, "Marc"));
        let (saved, frozen) = tokio::join!(other.correct(&it, &[], true), db.store.freeze_issue(&issue, at(2)));
        match (saved.unwrap(), frozen.unwrap()) {
            (Saved::Done, Frozen::Outdated) => {}
            (Saved::Frozen, Frozen::Now { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn a_line_left_out_takes_its_corrections_back_and_comes_back(db: Ledger) {
    let (store, issue) = (&db.store, new_issue("2026-W28"));
    store.keep_reading(&reading(&issue)).await.unwrap();
    let other = correction(&issue, "b", 1, "Marc");
    for it in [&correction(&issue, "a", 0, "Claire"), &other] {
        assert_eq!(store.correct(it, &[], true).await.unwrap(), Saved::Done);
    }
    let dismissal = Dismissal {
        mailing: "agenda".to_owned(),
        line: "BAL : 21 h".to_owned(),
        why: "rappel".to_owned(),
        by: "Marc".to_owned(),
        at: at(3),
    };
    assert_eq!(store.dismiss(&issue.key, &dismissal, true).await.unwrap(), Saved::Done);
    assert_eq!(store.dismiss(&issue.key, &dismissal, true).await.unwrap(), Saved::Other);
    assert_eq!(store.corrections(&issue.key).await.unwrap(), [other]);
    assert_eq!(store.dismissals("agenda").await.unwrap(), [dismissal]);
    assert_eq!(store.dismissals("newsletter").await.unwrap(), []);
    assert_eq!(store.readmit(&issue.key, "bal 21 h", "Marc", true, at(4)).await.unwrap(), Saved::Done);
    assert_eq!(store.readmit(&issue.key, "bal 21 h", "Marc", true, at(4)).await.unwrap(), Saved::Other);
    assert_eq!(store.dismissals("agenda").await.unwrap(), []);
}

on_both_databases! {
    what_was_read_and_corrected_is_read_back
    content_without_a_correction_is_neither_kept_nor_approved_nor_frozen
    a_correction_and_a_freeze_at_once_never_both_succeed_unseen
    a_line_left_out_takes_its_corrections_back_and_comes_back
}
