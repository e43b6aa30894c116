//! Tries every method of the store on a delivery in every state; the observed transitions must be exactly those of
//! `TRANSITIONS`.

use crate::support::ledger::{HOUR, Ledger, at, finished, hash};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::{Claim, DeliveryId, Outcome, Resolution, State, TRANSITIONS},
        issue::{IssueKey, IssueState},
        partner::SuppressionReason,
    },
    store::LogFilter,
};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Try {
    Claim,
    Release,
    Mark,
    Finish(Outcome),
    FinishAsStranger(Outcome),
    Recover,
    Expire,
    Suppress,
    Cancel,
    Close,
    Resolve(Resolution),
}

fn tries() -> Vec<Try> {
    let outcomes = [
        Outcome::Accepted,
        Outcome::Refused { suppress: false },
        Outcome::Refused { suppress: true },
        Outcome::Deferred { next_at: at(300) },
        Outcome::SenderFault { next_at: at(300) },
        Outcome::Unknown,
    ];
    let mut tries = vec![
        Try::Claim,
        Try::Release,
        Try::Mark,
        Try::Recover,
        Try::Expire,
        Try::Suppress,
        Try::Cancel,
        Try::Close,
        Try::Resolve(Resolution::Sent),
        Try::Resolve(Resolution::Failed),
        Try::Resolve(Resolution::Resend),
    ];
    tries.extend(outcomes.iter().cloned().map(Try::Finish));
    tries.extend(outcomes.into_iter().map(Try::FinishAsStranger));
    tries
}

async fn attempt(db: &Ledger, it: &Try, key: &IssueKey, claim: &Claim) {
    let store = &db.store;
    match it {
        Try::Claim => drop(store.claim_deliveries(None, "here", 1, at(2)).await.unwrap()),
        Try::Release => drop(store.release(std::slice::from_ref(claim), at(2)).await.unwrap()),
        Try::Mark => drop(store.mark_in_data(std::slice::from_ref(claim), at(2)).await.unwrap()),
        Try::Finish(outcome) => {
            store.finish_attempts(&[finished(claim, outcome.clone(), at(2))]).await.unwrap();
        }
        Try::FinishAsStranger(outcome) => {
            let stranger = Claim { owner: "elsewhere".to_owned(), attempt: 7, ..claim.clone() };
            store.finish_attempts(&[finished(&stranger, outcome.clone(), at(2))]).await.unwrap();
        }
        Try::Recover => drop(store.recover(true, at(2)).await.unwrap()),
        Try::Expire => drop(store.expire_deliveries(at(13 * HOUR)).await.unwrap()),
        Try::Suppress => store.suppress(&hash(1), None, SuppressionReason::OptOut, at(2)).await.unwrap(),
        Try::Cancel => {
            store.set_issue_state(key, &[IssueState::Sending], IssueState::Cancelled, None, at(2)).await.unwrap();
        }
        Try::Close => drop(store.close_finished_issues(at(2)).await.unwrap()),
        Try::Resolve(resolution) => {
            store.resolve_unknown(&claim.id, *resolution, "Ève", at(2)).await.unwrap();
        }
    }
}

/// The delivery in this state, as the first attempt would have left it; `opted_out` behind its back.
async fn reset(db: &Ledger, id: &DeliveryId, state: State, opted_out: bool) {
    let now = at(0).timestamp_millis();
    let (stored, next_at) = match state {
        State::Queued | State::Claimed | State::InData => (State::Queued, now.to_string()),
        state => (state, "NULL".to_owned()),
    };
    let claim = match state {
        State::Claimed | State::InData => {
            let marked_at = if state == State::InData { now.to_string() } else { "NULL".to_owned() };
            format!(
                "INSERT INTO claims SELECT id, issue, address_hash, 1, 'here', {now}, {now} + 60000, {marked_at}
                FROM deliveries WHERE id = '{id}';"
            )
        }
        _ => String::new(),
    };
    let attempt = match state {
        State::Unknown => {
            format!(
                "INSERT INTO attempts (delivery, n, source, at, phase, outcome)
                VALUES ('{id}', 1, 'relay', {now}, 'data', 'unknown');"
            )
        }
        _ => String::new(),
    };
    let opt_out = if opted_out {
        format!(
            "INSERT INTO suppressions (address_hash, scope, reason, since) VALUES ('{}', 'agenda', 'opt_out', {now});",
            hash(1)
        )
    } else {
        String::new()
    };
    db.sql(&format!(
        "DELETE FROM suppressions; DELETE FROM attempts; DELETE FROM claims;
        UPDATE issues SET state = 'sending', closed_at = NULL;
        UPDATE deliveries SET state = '{stored}', next_at = {next_at}, attempt = 1 WHERE id = '{id}';
        {claim} {attempt} {opt_out}"
    ))
    .await;
}

async fn the_moves_of_the_store_are_the_transitions_of_the_law(db: Ledger) {
    let key = db.frozen(1).await;
    let claim = db.claim(1, at(0)).await.remove(0);
    let law: BTreeSet<_> = TRANSITIONS.iter().map(|(_, from, to)| (from.as_str(), to.as_str())).collect();
    let mut seen = BTreeSet::new();
    for from in State::ALL {
        for opted_out in [false, true] {
            for it in tries() {
                reset(&db, &claim.id, from, opted_out).await;
                attempt(&db, &it, &key, &claim).await;
                let log = db.store.log(&LogFilter::default()).await.unwrap();
                let to = log[0].state;
                if to != from {
                    let step = (from.as_str(), to.as_str());
                    assert!(law.contains(&step), "{it:?} moved {from} to {to} (opted out: {opted_out})");
                    seen.insert(step);
                }
            }
        }
    }
    assert_eq!(seen, law);
}

on_both_databases! {
    the_moves_of_the_store_are_the_transitions_of_the_law
}
