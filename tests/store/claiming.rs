//! T1, T2 and T5: claims, and who may write the marker.

use crate::support::ledger::{Audit, HOUR, Ledger, at, finished, hash, new_issue};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        Timestamp,
        delivery::{Claim, Marked, Outcome, State},
        issue::{Counts, IssueKey, IssueState},
        partner::SuppressionReason,
    },
    store::{LogFilter, Recovered},
};
use sqlx::{Connection, PgConnection};
use std::{collections::HashSet, time::Duration};
use tokio::task::JoinHandle;

async fn concurrent_claimers_never_share_a_delivery(db: Ledger) {
    db.frozen(400).await;
    let claimers = (0..8).map(|n| {
        let store = db.store.clone();
        tokio::spawn(async move {
            let owner = format!("daemon-{n}");
            let mut all: Vec<Claim> = Vec::new();
            loop {
                let claims = store.claim_deliveries(None, &owner, 7, at(1)).await.unwrap();
                if claims.is_empty() {
                    return all;
                }
                all.extend(claims);
            }
        })
    });
    let mut ids = HashSet::new();
    for claimer in claimers.collect::<Vec<_>>() {
        for claim in claimer.await.unwrap() {
            assert_eq!(claim.attempt, 1);
            assert!(ids.insert(claim.id), "claimed twice");
        }
    }
    // One that passed by the rows others were at may have stopped early; together they leave nothing.
    ids.extend(db.claim(400, at(1)).await.into_iter().map(|it| it.id));
    assert_eq!(ids.len(), 400);
}

async fn a_claim_that_crosses_an_opt_out_or_a_cancellation_holds_nothing_that_ended(db: Ledger) {
    const PEOPLE: usize = 300;
    let key = db.frozen(PEOPLE).await;
    let claimers = (0..4).map(|n| {
        let store = db.store.clone();
        tokio::spawn(async move {
            for _ in 0..60 {
                let claims = store.claim_deliveries(None, &format!("daemon-{n}"), 3, at(1)).await.unwrap();
                store.mark_in_data(&claims[..claims.len() / 3], at(2)).await.unwrap();
                store.release(&claims[claims.len() / 2..], at(1)).await.unwrap();
            }
        })
    });
    let claimers: Vec<_> = claimers.collect();
    for n in 1..=40 {
        db.store.suppress(&hash(n), None, SuppressionReason::OptOut, at(1)).await.unwrap();
    }
    db.store.set_issue_state(&key, &[IssueState::Sending], IssueState::Cancelled, None, at(2)).await.unwrap();
    for claimer in claimers {
        claimer.await.unwrap();
    }
    // What others were at is cancelled by the next look.
    db.store.close_finished_issues(at(3)).await.unwrap();
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.queued, counts.claimed, counts.total()), (0, 0, PEOPLE as u64), "{counts:?}");
    assert_eq!(db.store.recover(true, at(4)).await.unwrap(), Recovered { released: 0, unknown: counts.in_data });
}

async fn a_claim_carries_the_recipient_as_it_was_frozen(db: Ledger) {
    db.frozen(1).await;
    db.sql("UPDATE contacts SET name = 'Autre', address = 'autre@gite.example'").await;
    let claims = db.claim(10, at(1)).await;
    let claim = &claims[0];
    assert_eq!(claim.recipient.name, "Personne 1");
    assert_eq!(claim.recipient.address.to_string(), "Partenaire000001@gite.example");
    assert_eq!((claim.attempt, claim.deferrals, claim.owner.as_str()), (1, 0, "here"));
    assert_eq!(claim.lease_until, at(61));
}

async fn only_what_is_due_in_an_issue_that_sends_is_claimed(db: Ledger) {
    let key = db.frozen(3).await;
    let other = new_issue("2026-W29");
    db.store.freeze_issue(&other, at(10)).await.unwrap();
    let claim = |issue, now| db.store.claim_deliveries(issue, "here", 2, now);
    assert!(claim(None, at(-1)).await.unwrap().is_empty());
    // The longest waiting first, and only the issue asked for.
    assert!(claim(None, at(20)).await.unwrap().iter().all(|it| it.issue == key));
    assert!(claim(Some(&other.key), at(20)).await.unwrap().iter().all(|it| it.issue == other.key));
    db.store.set_issue_state(&key, &[IssueState::Sending], IssueState::Paused, None, at(21)).await.unwrap();
    assert!(claim(Some(&key), at(22)).await.unwrap().is_empty());
    assert_eq!(db.store.next_due(Some(&key)).await.unwrap(), None);
    assert_eq!(db.store.next_due(None).await.unwrap(), Some(at(10)));
    assert!(claim(None, at(12 * HOUR)).await.unwrap().is_empty(), "past the deadline");
}

async fn a_claim_passes_over_the_opted_out(db: Ledger) {
    db.frozen(5).await;
    // As a freeze that crossed the opt-out leaves it: suppressed, and still queued.
    for n in [1, 2, 4] {
        db.sql(&format!(
            "INSERT INTO suppressions (address_hash, scope, reason, since) VALUES ('{}', 'agenda', 'opt_out', 1)",
            hash(n)
        ))
        .await;
    }
    let claims = db.claim(2, at(1)).await;
    assert_eq!(claims.len(), 2);
    let states = db.states().await;
    assert_eq!([states[2], states[4]], [State::Claimed; 2]);
    db.claim(5, at(2)).await;
    assert_eq!(db.states().await[3], State::Suppressed);
}

async fn a_released_claim_is_due_again_under_another_number(db: Ledger) {
    db.frozen(2).await;
    let claims = db.claim(2, at(1)).await;
    db.store.mark_in_data(&claims[..1], at(2)).await.unwrap();
    assert_eq!(db.store.release(&claims, at(3)).await.unwrap(), 1);
    assert_eq!(db.store.next_due(None).await.unwrap(), Some(at(3)));
    let again = db.claim(2, at(4)).await;
    assert_eq!((again.len(), again[0].attempt, again[0].deferrals), (1, 2, 0));
    assert_eq!(db.store.release(&claims, at(5)).await.unwrap(), 0, "an old claim releases nothing");
}

async fn a_marker_needs_owner_attempt_and_lease(db: Ledger) {
    db.frozen(4).await;
    let claims = db.claim(4, at(1)).await;
    let mut stranger = claims[0].clone();
    stranger.owner = "elsewhere".to_owned();
    let mut older = claims[1].clone();
    older.attempt = 0;
    let marked = db.store.mark_in_data(&[stranger, older, claims[2].clone()], at(60)).await.unwrap();
    assert_eq!(marked, [Marked::Lost, Marked::Lost, Marked::InData], "in the order given");
    let again = db.store.mark_in_data(&claims[2..3], at(60)).await.unwrap();
    assert_eq!(again, [Marked::Lost], "a marker is made once");
    assert_eq!(db.store.mark_in_data(&claims[3..], at(61)).await.unwrap(), [Marked::Lost], "the lease is over");
}

async fn a_marker_needs_an_issue_that_sends_in_time(db: Ledger) {
    let key = db.frozen(2).await;
    let claims = db.claim(2, at(12 * HOUR - 10)).await;
    db.store.set_issue_state(&key, &[IssueState::Sending], IssueState::Paused, None, at(21)).await.unwrap();
    assert_eq!(db.store.mark_in_data(&claims[..1], at(12 * HOUR - 9)).await.unwrap(), [Marked::Lost]);
    db.store.set_issue_state(&key, &[IssueState::Paused], IssueState::Sending, None, at(22)).await.unwrap();
    assert_eq!(db.store.mark_in_data(&claims[..1], at(12 * HOUR - 8)).await.unwrap(), [Marked::InData]);
    assert_eq!(db.store.mark_in_data(&claims[1..], at(12 * HOUR)).await.unwrap(), [Marked::Lost]);
}

async fn a_marker_meets_the_opt_out_that_was_committed_meanwhile(db: Ledger) {
    db.frozen(3).await;
    let claims = db.claim(3, at(1)).await;
    db.store.suppress(&hash(1), Some("agenda"), SuppressionReason::OptOut, at(2)).await.unwrap();
    db.store.suppress(&hash(2), Some("newsletter"), SuppressionReason::OptOut, at(2)).await.unwrap();
    db.store.suppress(&hash(3), None, SuppressionReason::Bounce, at(2)).await.unwrap();
    let mut marked = db.store.mark_in_data(&claims, at(3)).await.unwrap();
    marked.sort_by_key(|it| format!("{it:?}"));
    assert_eq!(marked, [Marked::InData, Marked::Suppressed, Marked::Suppressed]);
    assert_eq!(db.states().await, [State::Suppressed, State::InData, State::Suppressed]);
}

async fn a_marker_writes_its_attempt(db: Ledger) {
    db.frozen(1).await;
    let claims = db.claim(1, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    let log = db.store.log(&LogFilter::default()).await.unwrap();
    let attempt = &log[0].attempts[0];
    assert_eq!((attempt.n, attempt.at, attempt.outcome.as_str()), (1, at(2), "in_flight"));
    assert_eq!(attempt.phase.as_str(), "data");
}

async fn a_lone_daemon_recovers_everything_at_once(db: Ledger) {
    db.frozen(3).await;
    let claims = db.claim(2, at(1)).await;
    db.store.mark_in_data(&claims[..1], at(2)).await.unwrap();
    assert_eq!(db.store.recover(true, at(3)).await.unwrap(), Recovered { released: 1, unknown: 1 });
    assert_eq!(db.store.recover(true, at(4)).await.unwrap(), Recovered::default());
    let log = db.store.log(&LogFilter { state: Some(State::Unknown), ..Default::default() }).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].attempts[0].outcome, "unknown");
    assert_eq!(db.claim(5, at(3)).await.len(), 2);
}

/// A daemon that dies again and again must not go unnoticed until its leases are over.
async fn m5_markers_of_a_daemon_that_is_not_seen_count_before_their_lease_is_over(db: Ledger) {
    let issue = db.frozen(4).await;
    let claims = db.claim(3, at(0)).await;
    db.store.settle(&[], &claims[..2], at(1)).await.unwrap();
    assert_eq!(db.store.abandoned_markers(at(0)).await.unwrap(), [], "made since");
    assert_eq!(db.store.abandoned_markers(at(1)).await.unwrap(), [(issue.clone(), 2)]);
    // Seen since, it lives.
    let daemon = crate::store::daemons::daemon(&claims[0].owner, at(60));
    db.store.beat(&daemon, at(-60)).await.unwrap();
    assert_eq!(db.store.abandoned_markers(at(30)).await.unwrap(), []);
    assert_eq!(db.store.abandoned_markers(at(60)).await.unwrap(), [(issue, 2)]);
}

async fn m5_the_claims_of_a_dead_daemon_are_free_before_their_lease_is_over(db: Ledger) {
    db.frozen(4).await;
    let claims = db.claim(3, at(0)).await;
    db.store.settle(&[], &claims[..1], at(1)).await.unwrap();
    assert_eq!(db.store.release_claims_of("another", at(2)).await.unwrap(), 0);
    assert_eq!(db.store.release_claims_of(&claims[0].owner, at(2)).await.unwrap(), 2);
    assert_eq!(db.claim(9, at(3)).await.len(), 3, "all but the marked one");
    // Should it live, its markers find their claims gone.
    let settled = db.store.settle(&[], &claims[1..], at(4)).await.unwrap();
    assert_eq!(settled.marked, [Marked::Lost, Marked::Lost]);
}

async fn daemons_that_share_recover_only_ended_leases(db: Ledger) {
    db.frozen(3).await;
    let claims = db.claim(2, at(0)).await;
    db.store.mark_in_data(&claims[..1], at(1)).await.unwrap();
    let recover = |now| db.store.recover(false, now);
    assert_eq!(recover(at(59)).await.unwrap(), Recovered::default());
    assert_eq!(recover(at(60)).await.unwrap(), Recovered { released: 1, unknown: 0 });
    assert_eq!(recover(at(900)).await.unwrap(), Recovered::default());
    assert_eq!(recover(at(901)).await.unwrap(), Recovered { released: 0, unknown: 1 });
    // The zombie wakes: it may not mark, and its late answer still lands.
    assert_eq!(db.store.mark_in_data(&claims[1..], at(902)).await.unwrap(), [Marked::Lost]);
    let late = finished(&claims[0], Outcome::Accepted, at(903));
    assert_eq!(db.store.finish_attempts(&[late]).await.unwrap(), [true]);
}

async fn past_the_deadline_what_was_never_marked_expires(db: Ledger) {
    let key = db.frozen(3).await;
    let late = at(12 * HOUR);
    let claims = db.claim(2, at(12 * HOUR - 1)).await;
    db.store.mark_in_data(&claims[..1], at(12 * HOUR - 1)).await.unwrap();
    assert_eq!(db.store.expire_deliveries(at(12 * HOUR - 1)).await.unwrap(), 0);
    assert_eq!(db.store.expire_deliveries(late).await.unwrap(), 2);
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.expired, counts.in_data, counts.total()), (2, 1, 3));
}

on_both_databases! {
    concurrent_claimers_never_share_a_delivery
    a_claim_that_crosses_an_opt_out_or_a_cancellation_holds_nothing_that_ended
    a_claim_carries_the_recipient_as_it_was_frozen
    only_what_is_due_in_an_issue_that_sends_is_claimed
    a_claim_passes_over_the_opted_out
    a_released_claim_is_due_again_under_another_number
    a_marker_needs_owner_attempt_and_lease
    a_marker_needs_an_issue_that_sends_in_time
    a_marker_meets_the_opt_out_that_was_committed_meanwhile
    a_marker_writes_its_attempt
    a_lone_daemon_recovers_everything_at_once
    daemons_that_share_recover_only_ended_leases
    m5_markers_of_a_daemon_that_is_not_seen_count_before_their_lease_is_over
    m5_the_claims_of_a_dead_daemon_are_free_before_their_lease_is_over
    past_the_deadline_what_was_never_marked_expires
}

/// So many of the database's sessions wait for another.
async fn waiting(back: &mut PgConnection, sessions: i64) {
    let select =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..500 {
        if sqlx::query_scalar::<_, i64>(select).fetch_one(&mut *back).await.unwrap() == sessions {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits");
}

/// Claims of both deliveries of a ledger that are being made: they wait for another, of the first, that is not committed.
struct InTheMaking {
    db: Ledger,
    audit: Audit,
    key: IssueKey,
    other: PgConnection,
    watch: PgConnection,
    claiming: JoinHandle<Vec<Claim>>,
}

impl InTheMaking {
    async fn begun(now: Timestamp) -> Self {
        let (db, audit) = Ledger::postgres().await.audited();
        let key = db.frozen(2).await;
        let mut other = PgConnection::connect(&db.url).await.unwrap();
        let mut watch = PgConnection::connect(&db.url).await.unwrap();
        let claim =
            "BEGIN; INSERT INTO claims SELECT id, issue, address_hash, 1, 'elsewhere', 1, 1, NULL FROM deliveries
            ORDER BY id LIMIT 1";
        sqlx::raw_sql(claim).execute(&mut other).await.unwrap();
        let store = db.store.clone();
        let claiming = tokio::spawn(async move { store.claim_deliveries(None, "here", 2, now).await.unwrap() });
        waiting(&mut watch, 1).await;
        Self { db, audit, key, other, watch, claiming }
    }

    /// Once somebody else waits for them too, they are made.
    async fn made(&mut self) -> Vec<Claim> {
        waiting(&mut self.watch, 2).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut self.other).await.unwrap();
        (&mut self.claiming).await.unwrap()
    }

    async fn counts(&self) -> Counts {
        self.db.store.issue(&self.key).await.unwrap().unwrap().counts
    }
}

/// Otherwise it would not see the claim, and what it ends would still be claimed.
#[tokio::test]
async fn an_opt_out_waits_for_claims_that_are_being_made_on_postgres() {
    let mut it = InTheMaking::begun(at(1)).await;
    let store = it.db.store.clone();
    let leaving = tokio::spawn(async move {
        store.suppress(&hash(2), None, SuppressionReason::OptOut, at(1)).await.unwrap();
    });
    let claims = it.made().await;
    leaving.await.unwrap();
    let counts = it.counts().await;
    assert_eq!((claims.len(), counts.claimed, counts.total()), (2, 2, 2), "{counts:?}");
    let marked = it.db.store.mark_in_data(&claims, at(2)).await.unwrap();
    assert_eq!(marked, [Marked::InData, Marked::Suppressed]);
    it.audit.finds_nothing_wrong().await;
}

/// Otherwise what is claimed in that moment would be passed over, and stand until its lease is over.
#[tokio::test]
async fn an_expiry_waits_for_claims_that_are_being_made_on_postgres() {
    let mut it = InTheMaking::begun(at(12 * HOUR - 1)).await;
    let store = it.db.store.clone();
    let expiring = tokio::spawn(async move { store.expire_deliveries(at(12 * HOUR)).await.unwrap() });
    let claims = it.made().await;
    assert_eq!((claims.len(), expiring.await.unwrap()), (2, 2));
    let counts = it.counts().await;
    assert_eq!((counts.expired, counts.claimed, counts.total()), (2, 0, 2), "{counts:?}");
    it.audit.finds_nothing_wrong().await;
}
