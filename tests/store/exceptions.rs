//! Exceptions: made only for what was seen, never beside a freeze unseen, and what was read with them counts only as long as they do.

use crate::support::ledger::{HOUR, Ledger, at, new_issue};
use semainier::domain::{
    agenda::Agenda,
    correction::KeptReading,
    exception::{Exception, HeldFor, InForce, Rule, SeenArticle, Sighting, Withdrawn},
    hold::{Hold, Unread},
    issue::{Basis, IssueState, NewIssue},
};
use semainier::store::{Allowed, Frozen, Saved};

const REASON: &str = "4 événements seulement";

fn few() -> Rule {
    Rule::TooFew { found: 4, least: 5 }
}

fn source() -> Rule {
    Rule::Source { source: "Apidae".to_owned() }
}

fn exception(issue: &NewIssue, id: &str, rule: Rule) -> Exception {
    Exception {
        id: id.to_owned(),
        issue: issue.key.clone(),
        rule,
        why: "fête annulée".to_owned(),
        by: "Claire".to_owned(),
        at: at(1),
        withdrawn: None,
    }
}

fn reading(issue: &NewIssue, exceptions: u64) -> KeptReading {
    KeptReading {
        issue: issue.key.clone(),
        read_at: at(0),
        title: "Que faire".to_owned(),
        url: None,
        agenda: Agenda::default(),
        missing: vec![],
        exceptions,
    }
}

async fn hold(db: &Ledger, issue: &NewIssue, reason: &str) {
    assert!(db.store.hold_issue(&issue.key, "agenda", at(0), at(HOUR), reason, at(0)).await.unwrap());
}

async fn an_exception_is_made_for_what_was_seen_and_read_back_with_who_withdrew_it(db: Ledger) {
    let (store, issue) = (&db.store, new_issue("2026-W28"));
    let first = exception(&issue, "a", few());
    assert_eq!(store.allow(&first, REASON, true).await.unwrap(), Allowed::Moved, "it is not held");
    hold(&db, &issue, "aucun article").await;
    assert_eq!(store.allow(&first, REASON, true).await.unwrap(), Allowed::Moved, "it is held for another reason");
    assert_eq!(store.exceptions(&issue.key).await.unwrap(), []);
    assert_eq!(store.revision(&issue.key).await.unwrap(), 0, "nothing was changed");
    hold(&db, &issue, REASON).await;
    assert_eq!(store.allow(&first, REASON, true).await.unwrap(), Allowed::Done);
    assert_eq!(store.exceptions(&issue.key).await.unwrap(), std::slice::from_ref(&first));
    // One of a kind is in force; others stand beside it.
    let three = exception(&issue, "b", Rule::TooFew { found: 3, least: 5 });
    for it in [&three, &exception(&issue, "c", source())] {
        assert_eq!(store.allow(it, REASON, true).await.unwrap(), Allowed::Done);
    }
    let all = store.exceptions(&issue.key).await.unwrap();
    assert_eq!(all[0].withdrawn, Some(Withdrawn { by: "Claire".to_owned(), at: at(1) }));
    let in_force = InForce::of(all);
    assert_eq!(in_force.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!((in_force.changes, in_force.of_reading), (4, 1));
    let withdraw = |id: &'static str| store.disallow(&issue.key, id, "Marc", (true, "à relire"), at(2));
    assert_eq!(withdraw("a").await.unwrap(), Saved::Other);
    assert_eq!(withdraw("x").await.unwrap(), Saved::Other);
    assert_eq!(withdraw("b").await.unwrap(), Saved::Done);
    assert_eq!(withdraw("b").await.unwrap(), Saved::Other);
    let [_, b, _] = store.exceptions(&issue.key).await.unwrap().try_into().unwrap();
    assert_eq!(b.withdrawn, Some(Withdrawn { by: "Marc".to_owned(), at: at(2) }));
}

async fn content_composed_under_another_exception_is_neither_kept_nor_approved_nor_frozen(db: Ledger) {
    db.partners(3).await;
    let (store, plain) = (&db.store, new_issue("2026-W28"));
    let with = |hash: &str, revision| NewIssue {
        content_hash: hash.to_owned(),
        basis: Basis::Corrections(revision),
        ..plain.clone()
    };
    hold(&db, &plain, REASON).await;
    // Composing began before the exception was made, and the first reading is kept after it.
    assert_eq!(store.allow(&exception(&plain, "a", few()), REASON, true).await.unwrap(), Allowed::Done);
    store.keep_reading(&reading(&plain, 0)).await.unwrap();
    assert_eq!(store.revision(&plain.key).await.unwrap(), 1);
    assert!(!store.rehearse_issue(&with("h", 0), at(2)).await.unwrap());
    assert_eq!(store.freeze_issue(&with("h", 0), at(2)).await.unwrap(), Frozen::Outdated);
    assert!(store.rehearse_issue(&with("h", 1), at(2)).await.unwrap());
    assert!(store.approve_issue(&plain.key, "h", "Claire", false, at(3)).await.unwrap());
    assert_eq!(store.issue(&plain.key).await.unwrap().unwrap().state(), IssueState::Approved);
    // Withdrawn: the approval goes with it, and what was composed by it does not leave.
    let withdrawn = store.disallow(&plain.key, "a", "Marc", (true, "à relire"), at(4)).await.unwrap();
    assert_eq!(withdrawn, Saved::Done);
    let issue = store.issue(&plain.key).await.unwrap().unwrap();
    assert_eq!((issue.state(), issue.content_hash()), (IssueState::Rehearsed, Some("h")));
    assert!(!store.approve_issue(&plain.key, "h", "Claire", false, at(5)).await.unwrap());
    assert_eq!(store.freeze_issue(&with("h", 1), at(5)).await.unwrap(), Frozen::Outdated);
    assert_eq!(store.refusals(&plain.key).await.unwrap()[0].why, "exception");
    assert_eq!(store.freeze_issue(&with("h", 2), at(6)).await.unwrap(), Frozen::Now { recipients: 3 });
    let late = store.disallow(&plain.key, "a", "Marc", (true, ""), at(7)).await.unwrap();
    assert_eq!(late, Saved::Frozen);
    assert_eq!(store.allow(&exception(&plain, "b", few()), REASON, true).await.unwrap(), Allowed::Frozen);
}

async fn what_was_read_without_a_source_is_dropped_with_its_exception(db: Ledger) {
    let (store, plain) = (&db.store, new_issue("2026-W28"));
    store.keep_reading(&reading(&plain, 0)).await.unwrap();
    hold(&db, &plain, REASON).await;
    assert_eq!(store.allow(&exception(&plain, "a", source()), REASON, true).await.unwrap(), Allowed::Done);
    assert_eq!(store.reading(&plain.key).await.unwrap(), None, "it was read when the source was still required");
    store.keep_reading(&reading(&plain, 1)).await.unwrap();
    assert_eq!(store.reading(&plain.key).await.unwrap(), Some(reading(&plain, 1)));
    let revision = store.revision(&plain.key).await.unwrap();
    let composed = NewIssue { basis: Basis::Corrections(revision), content_hash: "h".to_owned(), ..plain.clone() };
    assert!(store.rehearse_issue(&composed, at(2)).await.unwrap());
    assert!(store.approve_issue(&plain.key, "h", "Claire", false, at(2)).await.unwrap());
    let withdrawn = store.disallow(&plain.key, "a", "Marc", (true, "à relire"), at(3)).await.unwrap();
    assert_eq!(withdrawn, Saved::Done);
    let issue = store.issue(&plain.key).await.unwrap().unwrap();
    assert_eq!((issue.state(), issue.content_hash(), issue.reason()), (IssueState::Held, None, Some("à relire")));
    assert_eq!(store.reading(&plain.key).await.unwrap(), None, "no correction may bring it back");
    assert_eq!(store.content(&plain.key).await.unwrap(), None);
    // What somebody approved stays readable.
    assert!(store.past_content(&plain.key, "h").await.unwrap().is_some());
    // A reading that began before the withdrawal ends after it.
    store.keep_reading(&reading(&plain, 1)).await.unwrap();
    assert_eq!(store.reading(&plain.key).await.unwrap(), None);
    assert!(!store.rehearse_issue(&composed, at(4)).await.unwrap());
    assert!(!store.approve_issue(&plain.key, "h", "Claire", false, at(4)).await.unwrap());
}

async fn a_newsletter_composed_under_another_exception_is_not_presented(db: Ledger) {
    let (store, plain) = (&db.store, new_issue("2026-07"));
    let with = |exceptions| NewIssue { basis: Basis::Editorial { text: None, exceptions }, ..plain.clone() };
    hold(&db, &plain, REASON).await;
    assert_eq!(store.allow(&exception(&plain, "a", source()), REASON, false).await.unwrap(), Allowed::Done);
    assert!(!store.present_issue(&with(0), None, at(2)).await.unwrap());
    assert!(store.present_issue(&with(1), None, at(2)).await.unwrap());
    assert!(store.approve_issue(&plain.key, "c0ffee", "Claire", false, at(3)).await.unwrap());
    let withdrawn = store.disallow(&plain.key, "a", "Marc", (false, "à relire"), at(4)).await.unwrap();
    assert_eq!(withdrawn, Saved::Done);
    let issue = store.issue(&plain.key).await.unwrap().unwrap();
    assert_eq!((issue.state(), issue.content_hash()), (IssueState::Held, None));
    assert!(!store.present_issue(&with(1), None, at(5)).await.unwrap());
    assert!(!store.approve_issue(&plain.key, "c0ffee", "Claire", false, at(5)).await.unwrap());
    assert!(store.present_issue(&with(2), None, at(5)).await.unwrap());
}

async fn who_makes_an_exception_cannot_be_its_only_approver(db: Ledger) {
    let (store, plain) = (&db.store, new_issue("2026-W28"));
    hold(&db, &plain, REASON).await;
    assert_eq!(store.allow(&exception(&plain, "a", few()), REASON, false).await.unwrap(), Allowed::Done);
    let issue = NewIssue { second_person: true, ..plain };
    assert!(store.present_issue(&issue, None, at(2)).await.unwrap());
    assert!(store.approve_issue(&issue.key, "c0ffee", "Claire", true, at(3)).await.unwrap());
    assert_eq!(store.issue(&issue.key).await.unwrap().unwrap().state(), IssueState::AwaitingApproval);
    assert!(store.approve_issue(&issue.key, "c0ffee", "Marc", true, at(4)).await.unwrap());
    assert_eq!(store.issue(&issue.key).await.unwrap().unwrap().state(), IssueState::Approved);
}

async fn an_exception_and_a_freeze_at_once_never_both_succeed_unseen(db: Ledger) {
    db.partners(3).await;
    for n in 0..20 {
        let issue = NewIssue { basis: Basis::Corrections(1), ..new_issue(&format!("2026-W{}", 10 + n)) };
        hold(&db, &issue, REASON).await;
        assert_eq!(
            db.store.allow(&exception(&issue, &format!("e{n}"), few()), REASON, true).await.unwrap(),
            Allowed::Done
        );
        let (id, other) = (format!("e{n}"), db.another().await);
        let keep_and_freeze = async {
            db.store.keep_reading(&reading(&issue, 0)).await.unwrap();
            db.store.freeze_issue(&issue, at(2)).await.unwrap()
        };
        let (withdrawn, frozen) =
            tokio::join!(other.disallow(&issue.key, &id, "Marc", (true, ""), at(2)), keep_and_freeze);
        match (withdrawn.unwrap(), frozen) {
            (Saved::Done, Frozen::Outdated) | (Saved::Frozen, Frozen::Now { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn why_an_issue_is_held_is_known_while_it_is_held_for_that(db: Ledger) {
    let (store, issue) = (&db.store, new_issue("2026-W28"));
    let unread = Unread { source: Some("Apidae".to_owned()), why: "en panne".to_owned() };
    let held = HeldFor { hold: Hold::ListingsUnreachable(unread), reason: REASON.to_owned(), at: at(1) };
    store.keep_hold(&issue.key, &held).await.unwrap();
    assert_eq!(store.held_for(&issue.key).await.unwrap(), None, "it is not held");
    hold(&db, &issue, REASON).await;
    assert_eq!(store.held_for(&issue.key).await.unwrap(), Some(held));
    hold(&db, &issue, "autre chose").await;
    assert_eq!(store.held_for(&issue.key).await.unwrap(), None);
    assert_eq!(store.sighting(&issue.key).await.unwrap(), None);
    let article = SeenArticle {
        title: "Que faire".to_owned(),
        url: Some("https://office.example/a".to_owned()),
        published: at(0),
        days: vec![("2026-07-06".parse().unwrap(), 4)],
        hold: Some(Hold::DoesNotFit),
    };
    for n in 1..3 {
        let seen = Sighting { seen_at: at(n), articles: vec![article.clone(); usize::try_from(n).unwrap()] };
        store.keep_sighting(&issue.key, &seen).await.unwrap();
        assert_eq!(store.sighting(&issue.key).await.unwrap(), Some(seen));
    }
}

on_both_databases! {
    an_exception_is_made_for_what_was_seen_and_read_back_with_who_withdrew_it
    content_composed_under_another_exception_is_neither_kept_nor_approved_nor_frozen
    what_was_read_without_a_source_is_dropped_with_its_exception
    a_newsletter_composed_under_another_exception_is_not_presented
    who_makes_an_exception_cannot_be_its_only_approver
    an_exception_and_a_freeze_at_once_never_both_succeed_unseen
    why_an_issue_is_held_is_known_while_it_is_held_for_that
}
