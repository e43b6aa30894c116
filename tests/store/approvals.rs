//! Issues that await approval: what is stored, what an approval refers to, and what it allows to be sent (I6).

use crate::support::ledger::{HOUR, Ledger, at, content, hash, new_issue};
use semainier::{
    domain::{
        issue::{Basis, ContentRefusal, Inline, IssueState, NewIssue, RefusalKind},
        newsletter::{Editorial, Newcomer},
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

async fn content_composed_with_an_older_editorial_is_not_kept(db: Ledger) {
    let store = &db.store;
    let based_on = |word: &str, text: Option<&str>| NewIssue {
        basis: Basis::Editorial { text: text.map(str::to_owned), exceptions: 0 },
        ..issue(word)
    };
    let write = async |before: Option<&str>, text: &str| {
        let after = Editorial { text: text.to_owned(), by: "Claire".to_owned(), at: at(1) };
        assert!(store.write_editorial(&issue("un").key, before, &after).await.unwrap());
    };
    let first = based_on("un", None);
    assert!(!store.present_issue(&based_on("un", Some("gone")), None, at(0)).await.unwrap());
    write(None, "Le mot de Claire").await;
    assert!(!store.present_issue(&first, None, at(1)).await.unwrap());
    assert!(!store.rehearse_issue(&first, at(1)).await.unwrap());
    assert_eq!(store.freeze_issue(&first, at(1)).await.unwrap(), Frozen::Outdated);
    assert!(store.issue(&first.key).await.unwrap().is_none(), "nothing of it is stored");

    let second = based_on("deux", Some("Le mot de Claire"));
    assert!(store.present_issue(&second, None, at(2)).await.unwrap());
    write(Some("Le mot de Claire"), "").await;
    let third = based_on("trois", Some("Le mot de Claire"));
    assert!(!store.present_issue(&third, Some(&second.content_hash), at(3)).await.unwrap());
    let third = based_on("trois", Some(""));
    assert!(store.present_issue(&third, Some(&second.content_hash), at(3)).await.unwrap());
}

async fn an_approval_is_of_one_content_and_freezes_no_other(db: Ledger) {
    db.partners(3).await;
    let (first, second) = (issue("un"), issue("deux"));
    let (store, key) = (&db.store, &first.key);
    store.present_issue(&first, None, at(0)).await.unwrap();
    assert_eq!(store.freeze_approved(&first, at(1)).await.unwrap(), Frozen::Before, "nobody approved it");
    assert!(
        !store.approve_issue(key, "hash of deux", "Claire", false, at(2)).await.unwrap(),
        "that is not what is there"
    );
    assert!(store.approve_issue(key, &first.content_hash, "Claire", false, at(3)).await.unwrap());
    assert!(store.approve_issue(key, &first.content_hash, "Claire", false, at(9)).await.unwrap(), "twice is once");
    assert_eq!(store.issue(key).await.unwrap().unwrap().approved_by(), Some("Claire"));

    store.present_issue(&second, Some(&first.content_hash), at(10)).await.unwrap();
    assert_eq!(store.issue(key).await.unwrap().unwrap().approved_by(), None);
    for it in [&first, &second] {
        assert_eq!(store.freeze_approved(it, at(11)).await.unwrap(), Frozen::Before, "approved was something else");
    }
    assert!(store.approve_issue(key, &second.content_hash, "Paul", false, at(12)).await.unwrap());
    let mut leaving = issue("deux");
    leaving.content.envelope.date_ms = 42;
    leaving.content.html = "never written".to_owned();
    assert_eq!(store.freeze_approved(&leaving, at(13)).await.unwrap(), Frozen::Now { recipients: 3 });
    assert_eq!(store.freeze_approved(&leaving, at(14)).await.unwrap(), Frozen::Before);
    let frozen = store.issue(key).await.unwrap().unwrap();
    assert_eq!((frozen.state(), frozen.frozen_at(), frozen.counts.queued), (IssueState::Sending, Some(at(13)), 3));
    let kept = store.content(key).await.unwrap().unwrap();
    assert_eq!((kept.html, kept.envelope.date_ms), (second.content.html.clone(), 42), "the hour alone is new");

    assert!(!store.approve_issue(key, &second.content_hash, "Paul", false, at(15)).await.unwrap(), "it is gone");
    assert!(!store.present_issue(&first, Some(&second.content_hash), at(15)).await.unwrap());
    let approvals = store.approvals(key).await.unwrap();
    let said: Vec<_> = approvals.iter().map(|it| (it.by.as_str(), it.content_hash.as_str(), it.at)).collect();
    assert_eq!(said, [("Claire", "hash of un", at(3)), ("Paul", "hash of deux", at(12))]);
    assert_eq!(db.claim(9, at(16)).await.len(), 3, "and is sent like any other");
}

/// Webhooks would tell of content that waits for nobody.
async fn approved_content_that_is_kept_again_is_approved_all_along(db: Ledger) {
    let issue = issue("un");
    let (store, hash) = (&db.store, issue.content_hash.as_str());
    db.sql(
        "INSERT INTO webhook_endpoints (id, url, events, secret, created_at, created_by)
            VALUES ('e', 'https://hooks.example/', 'issue.awaiting_approval', 'whsec_', 1, 'Claire')",
    )
    .await;
    let told = async || store.endpoints().await.unwrap()[0].pending;
    store.present_issue(&issue, None, at(0)).await.unwrap();
    assert_eq!(told().await, 1);
    store.approve_issue(&issue.key, hash, "Claire", false, at(1)).await.unwrap();
    assert!(store.present_issue(&issue, Some(hash), at(2)).await.unwrap());
    assert_eq!((db.issue_state(&issue.key).await, told().await), (IssueState::Approved, 1));
    // By its only author it is not approved again.
    let strict = NewIssue { second_person: true, author: Some("Claire".to_owned()), ..issue.clone() };
    let other = self::issue("deux");
    assert!(store.present_issue(&other, Some(hash), at(3)).await.unwrap());
    assert!(store.present_issue(&strict, Some(&other.content_hash), at(4)).await.unwrap());
    assert_eq!((db.issue_state(&issue.key).await, told().await), (IssueState::AwaitingApproval, 3));
}

async fn two_daemons_that_freeze_an_approved_issue_freeze_it_once(db: Ledger) {
    db.partners(200).await;
    let issue = issue("un");
    db.store.present_issue(&issue, None, at(0)).await.unwrap();
    db.store.approve_issue(&issue.key, &issue.content_hash, "Claire", false, at(1)).await.unwrap();
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
    assert!(store.approve_issue(key, &issue.content_hash, "Claire", false, at(2)).await.unwrap());
    assert_eq!(store.issue(key).await.unwrap().unwrap().state(), IssueState::Approved);
    assert!(to(IssueState::Approved, IssueState::Expired).await);
    assert!(!store.approve_issue(key, &issue.content_hash, "Paul", false, at(3)).await.unwrap());
    assert_eq!(store.freeze_approved(&issue, at(4)).await.unwrap(), Frozen::Before);
}

/// What a person says of the content `of`.
fn refusal(of: &NewIssue, kind: RefusalKind, by: &str, seconds: i64) -> ContentRefusal {
    ContentRefusal {
        content_hash: of.content_hash.clone(),
        kind,
        by: by.to_owned(),
        at: at(seconds),
        why: "le bal est à 22 h".to_owned(),
    }
}

async fn a_withdrawn_approval_freezes_nothing_and_may_be_given_again(db: Ledger) {
    db.partners(2).await;
    let (issue, second) = (issue("un"), issue("deux"));
    let (store, key) = (&db.store, &issue.key);
    let withdrawn = |seconds| refusal(&issue, RefusalKind::Withdrawn, "Marc", seconds);
    store.present_issue(&issue, None, at(0)).await.unwrap();
    assert!(!store.refuse_issue(key, &withdrawn(1), false).await.unwrap(), "nobody approved it");
    store.approve_issue(key, &issue.content_hash, "Claire", false, at(2)).await.unwrap();
    let other = refusal(&second, RefusalKind::Withdrawn, "Marc", 3);
    assert!(!store.refuse_issue(key, &other, false).await.unwrap(), "that is not what is there");
    assert!(store.refuse_issue(key, &withdrawn(3), false).await.unwrap());
    let now = store.issue(key).await.unwrap().unwrap();
    assert_eq!((now.state(), now.approved_by()), (IssueState::AwaitingApproval, None));
    assert_eq!(store.freeze_approved(&issue, at(4)).await.unwrap(), Frozen::Before);
    // The same content, presented again, is not approved by what was taken back.
    assert!(store.present_issue(&issue, Some(&issue.content_hash), at(5)).await.unwrap());
    assert_eq!(store.issue(key).await.unwrap().unwrap().state(), IssueState::AwaitingApproval);

    assert!(store.approve_issue(key, &issue.content_hash, "Claire", false, at(6)).await.unwrap());
    let approvals = store.approvals(key).await.unwrap();
    assert_eq!((approvals.len(), approvals[0].at, approvals[0].withdrawn_at), (1, at(6), None));
    assert_eq!(store.freeze_approved(&issue, at(7)).await.unwrap(), Frozen::Now { recipients: 2 });
    assert!(!store.refuse_issue(key, &withdrawn(8), false).await.unwrap(), "too late");
    let refusals = store.refusals(key).await.unwrap();
    assert_eq!(refusals, [withdrawn(3)]);
}

async fn a_refusal_ends_the_approvals_of_its_content_and_another_person_may_approve_it(db: Ledger) {
    db.partners(2).await;
    let issue = issue("un");
    let (store, key) = (&db.store, &issue.key);
    let refused = |by: &str, seconds| refusal(&issue, RefusalKind::Refused, by, seconds);
    store.present_issue(&issue, None, at(0)).await.unwrap();
    assert!(store.refuse_issue(key, &refused("Marc", 1), false).await.unwrap(), "not approved yet");
    for by in ["Claire", "Paul"] {
        store.approve_issue(key, &issue.content_hash, by, false, at(2)).await.unwrap();
    }
    assert!(store.refuse_issue(key, &refused("Marc", 3), false).await.unwrap());
    assert_eq!(store.issue(key).await.unwrap().unwrap().state(), IssueState::AwaitingApproval);
    assert!(store.approvals(key).await.unwrap().iter().all(|it| it.withdrawn_at == Some(at(3))));
    assert!(store.approve_issue(key, &issue.content_hash, "Zoé", false, at(4)).await.unwrap());
    let approved = store.issue(key).await.unwrap().unwrap();
    assert_eq!((approved.state(), approved.approved_by()), (IssueState::Approved, Some("Zoé")));
    assert_eq!(store.refusals(key).await.unwrap(), [refused("Marc", 1), refused("Marc", 3)]);

    // What was held at its hour is held again; what leaves without an approval is as it was rehearsed.
    let to = |from: IssueState, to: IssueState, why: Option<&'static str>| async move {
        assert!(store.set_issue_state(key, &[from], to, why, at(5)).await.unwrap());
    };
    to(IssueState::Approved, IssueState::Held, Some("pas d’accord")).await;
    store.approve_issue(key, &issue.content_hash, "Zoé", false, at(6)).await.unwrap();
    assert!(store.refuse_issue(key, &refused("Marc", 7), true).await.unwrap());
    assert_eq!(store.issue(key).await.unwrap().unwrap().state(), IssueState::Held);
}

async fn content_that_leaves_without_an_approval_is_rehearsed_again_when_it_is_taken_back(db: Ledger) {
    let issue = issue("un");
    let (store, key) = (&db.store, &issue.key);
    assert!(store.rehearse_issue(&issue, at(0)).await.unwrap());
    store.approve_issue(key, &issue.content_hash, "Claire", false, at(1)).await.unwrap();
    let withdrawn = refusal(&issue, RefusalKind::Withdrawn, "Claire", 2);
    assert!(store.refuse_issue(key, &withdrawn, true).await.unwrap());
    assert_eq!(store.issue(key).await.unwrap().unwrap().state(), IssueState::Rehearsed);
}

async fn a_withdrawal_and_a_freeze_at_once_never_both_succeed(db: Ledger) {
    db.partners(50).await;
    let (mut frozen, mut withdrawn) = (0, 0);
    for n in 0..20 {
        let mut issue = new_issue(&format!("2026-W{}", 10 + n));
        issue.content_hash = "h".to_owned();
        db.store.present_issue(&issue, None, at(0)).await.unwrap();
        db.store.approve_issue(&issue.key, "h", "Claire", false, at(1)).await.unwrap();
        let other = db.another().await;
        let refusal = refusal(&issue, RefusalKind::Withdrawn, "Marc", 2);
        let (freeze, refuse) =
            tokio::join!(db.store.freeze_approved(&issue, at(2)), other.refuse_issue(&issue.key, &refusal, false));
        match (freeze.unwrap(), refuse.unwrap()) {
            (Frozen::Now { .. }, false) => frozen += 1,
            (Frozen::Before, true) => withdrawn += 1,
            both => panic!("{both:?}"),
        }
    }
    assert_eq!(frozen + withdrawn, 20);
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
    db.store.approve_issue(&issue.key, &issue.content_hash, "Claire", false, at(60)).await.unwrap();
    assert_eq!(db.store.due_occurrences(at(60)).await.unwrap().len(), 1);
}

async fn an_editorial_is_kept_before_there_is_an_issue_and_the_last_one_counts(db: Ledger) {
    let key = issue("un").key;
    assert_eq!(db.store.editorial(&key).await.unwrap(), None);
    let mut before = None;
    for text in ["Un mot.", "Un autre."] {
        let editorial = Editorial { text: text.to_owned(), by: "Claire".to_owned(), at: at(0) };
        assert!(db.store.write_editorial(&key, before, &editorial).await.unwrap());
        assert_eq!(db.store.editorial(&key).await.unwrap(), Some(editorial));
        before = Some(text);
    }
    // Nobody replaces what they have not seen.
    let late = Editorial { text: "Le mien.".to_owned(), by: "Marc".to_owned(), at: at(1) };
    for seen in [None, Some("Un mot.")] {
        assert!(!db.store.write_editorial(&key, seen, &late).await.unwrap(), "{seen:?}");
        assert_eq!(db.store.editorial(&key).await.unwrap().unwrap().text, "Un autre.");
    }
}

async fn the_next_issue_begins_where_the_last_one_that_left_was_composed(db: Ledger) {
    let (first, other) = (issue("un"), new_issue("2026-W29"));
    assert_eq!(db.store.last_composed("agenda", &other.key).await.unwrap(), None);
    db.store.present_issue(&first, None, at(0)).await.unwrap();
    assert_eq!(db.store.last_composed("agenda", &other.key).await.unwrap(), None, "it has not left");
    db.store.approve_issue(&first.key, &first.content_hash, "Claire", false, at(1)).await.unwrap();
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

/// I6: with a second person required an issue leaves only once two persons stand for exactly this content, and one who approved it
/// has not written it, whatever the order of what they do.
async fn i6_an_issue_that_needs_a_second_person_leaves_only_with_two(db: Ledger) {
    db.partners(2).await;
    let store = &db.store;
    let strict = |word: &str, author: Option<&str>| NewIssue {
        second_person: true,
        author: author.map(str::to_owned),
        ..issue(word)
    };
    let (mut seed, mut left, mut n) = (7_u64, 0, 0);
    let mut pick = |of: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % of
    };
    const PEOPLE: [&str; 3] = ["Claire", "Marc", "zoé"];
    for round in 0..40 {
        let key = semainier::domain::issue::IssueKey::new("agenda", format!("2027-W{round:02}"));
        let of_round = |it: NewIssue| NewIssue { key: key.clone(), ..it };
        let (mut current, mut authors, mut approvers) = (None::<NewIssue>, vec![], vec![]);
        for _ in 0..8 {
            n += 1;
            let person = PEOPLE[pick(3) as usize];
            match (pick(6), &current) {
                (0, _) | (_, None) => {
                    let author = (pick(2) == 0).then_some(person);
                    let next = of_round(strict(&format!("{round} {n}"), author));
                    let replacing = current.as_ref().map(|it| it.content_hash.clone());
                    assert!(store.present_issue(&next, replacing.as_deref(), at(n)).await.unwrap());
                    (authors, approvers) = (author.into_iter().collect::<Vec<_>>(), vec![]);
                    current = Some(next);
                }
                (1, Some(it)) => {
                    let no = ContentRefusal {
                        content_hash: it.content_hash.clone(),
                        ..refusal(it, RefusalKind::Withdrawn, person, n)
                    };
                    let withdrawn = store.refuse_issue(&key, &no, false).await.unwrap();
                    assert_eq!(withdrawn, !approvers.is_empty(), "half an approval can be taken back, too");
                    approvers.clear();
                }
                (_, Some(it)) => {
                    assert!(store.approve_issue(&key, &it.content_hash, person, true, at(n)).await.unwrap());
                    if !approvers.contains(&person) {
                        approvers.push(person);
                    }
                }
            }
            let known = store.issue(&key).await.unwrap().unwrap();
            let another = approvers.iter().any(|it| !authors.contains(it));
            let two = approvers.iter().chain(&authors).collect::<std::collections::BTreeSet<_>>().len() > 1;
            assert_eq!(known.is_approved(), another && two, "{approvers:?} approved what {authors:?} wrote");
            let half = (!known.is_approved()).then(|| approvers.first().copied()).flatten();
            assert_eq!(known.half_approved_by.as_deref(), half);
        }
        let last = current.unwrap();
        let may = store.issue(&key).await.unwrap().unwrap().is_approved();
        let frozen = store.freeze_approved(&last, at(n)).await.unwrap();
        assert_eq!(frozen != Frozen::Before, may, "{approvers:?} approved what {authors:?} wrote");
        left += i32::from(may);
    }
    assert!((5..35).contains(&left), "{left} of 40 left: both happen");
}

async fn i6_what_one_person_approved_before_the_rule_does_not_leave_under_it(db: Ledger) {
    db.partners(1).await;
    let (store, issue) = (&db.store, issue("un"));
    store.present_issue(&issue, None, at(0)).await.unwrap();
    store.approve_issue(&issue.key, &issue.content_hash, "Claire", false, at(1)).await.unwrap();
    let strict = NewIssue { second_person: true, ..issue.clone() };
    assert_eq!(store.freeze_approved(&strict, at(2)).await.unwrap(), Frozen::Before);
    let kept = store.issue(&issue.key).await.unwrap().unwrap();
    assert_eq!((kept.state(), kept.half_approved_by.as_deref()), (IssueState::AwaitingApproval, Some("Claire")));
    // The author of an editorial wrote it, too, also before there was an issue.
    let editorial = Editorial { text: "Bel été".to_owned(), by: "Marc".to_owned(), at: at(3) };
    assert!(store.write_editorial(&issue.key, None, &editorial).await.unwrap());
    assert!(store.approve_issue(&issue.key, &issue.content_hash, "claire ", true, at(4)).await.unwrap());
    assert!(
        matches!(store.freeze_approved(&strict, at(5)).await.unwrap(), Frozen::Now { .. }),
        "Marc wrote, Claire approved"
    );
}

on_both_databases! {
    content_composed_with_an_older_editorial_is_not_kept
    what_is_kept_is_read_back_and_only_the_named_content_is_replaced
    an_approval_is_of_one_content_and_freezes_no_other
    approved_content_that_is_kept_again_is_approved_all_along
    two_daemons_that_freeze_an_approved_issue_freeze_it_once
    an_issue_held_at_its_hour_may_still_be_approved_and_one_that_is_over_may_not
    a_withdrawn_approval_freezes_nothing_and_may_be_given_again
    a_refusal_ends_the_approvals_of_its_content_and_another_person_may_approve_it
    content_that_leaves_without_an_approval_is_rehearsed_again_when_it_is_taken_back
    a_withdrawal_and_a_freeze_at_once_never_both_succeed
    a_word_wakes_the_occurrence_that_waits_for_it
    an_editorial_is_kept_before_there_is_an_issue_and_the_last_one_counts
    the_next_issue_begins_where_the_last_one_that_left_was_composed
    newcomers_and_the_audience_are_counted_as_a_freeze_would
    i6_an_issue_that_needs_a_second_person_leaves_only_with_two
    i6_what_one_person_approved_before_the_rule_does_not_leave_under_it
}
