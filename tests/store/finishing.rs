//! T3, T4, T6 to T10: the relay's replies, and decisions by a person if there was none.

use crate::support::ledger::{HOUR, Ledger, address, at, finished, hash, new_issue};
use semainier::store::testing::Shortcuts;
use semainier::{
    domain::{
        delivery::{
            Claim, DeliveryId,
            Marked::{InData, Lost, Suppressed},
            Outcome, Phase, Resolution, State,
        },
        partner::SuppressionReason,
    },
    store::{LogFilter, LoggedDelivery, Resolved},
};

async fn only(db: &Ledger) -> LoggedDelivery {
    let mut log = db.store.log(&LogFilter::default()).await.unwrap();
    assert_eq!(log.len(), 1);
    log.remove(0)
}

async fn answers_after_the_marker_lead_where_they_say(db: Ledger) {
    let key = db.frozen(5).await;
    let claims = db.claim(5, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    let outcomes = [
        Outcome::Unknown,
        Outcome::Accepted,
        Outcome::Deferred { next_at: at(300) },
        Outcome::Refused { suppress: false },
        Outcome::SenderFault { next_at: at(600) },
    ];
    let batch: Vec<_> = claims.iter().zip(outcomes).map(|(claim, it)| finished(claim, it, at(3))).collect();
    assert_eq!(db.store.finish_attempts(&batch).await.unwrap(), [true; 5]);
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.unknown, counts.sent, counts.failed, counts.queued), (1, 1, 1, 2));
    assert_eq!(db.store.finish_attempts(&batch[1..]).await.unwrap(), [false; 4], "an answer counts once");
    assert_eq!(db.store.next_due(None).await.unwrap(), Some(at(300)));
    let again = db.claim(5, at(600)).await;
    let deferrals = claims.iter().filter_map(|it| again.iter().find(|a| a.id == it.id)).map(|a| a.deferrals);
    assert_eq!(deferrals.collect::<Vec<_>>(), [1, 0], "what is our fault does not count against the person");
}

/// Whatever a relay says is kept as it said it, and is never part of a statement.
async fn the_relays_words_are_kept_letter_by_letter(db: Ledger) {
    const WORDS: [&str; 4] = [
        "l'adresse n'existe plus''; DROP TABLE attempts; --",
        r"\'; ROLLBACK; SELECT '\",
        "$1 $$ {\"a\":\"b\"} \u{1f4ee} é\tà",
        "'",
    ];
    db.frozen(4).await;
    let claims = db.claim(4, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    let said = |(claim, words): (&_, &str)| {
        let mut finished = finished(claim, Outcome::Refused { suppress: false }, at(3));
        (finished.phase, finished.reply.text) = (Phase::Dot, words.to_owned());
        finished
    };
    let batch: Vec<_> = claims.iter().zip(WORDS).map(said).collect();
    assert_eq!(db.store.finish_attempts(&batch).await.unwrap(), [true; 4]);
    for delivery in db.store.log(&LogFilter::default()).await.unwrap() {
        let n = claims.iter().position(|it| it.id == delivery.id).unwrap();
        assert_eq!(delivery.attempts[0].text.as_deref(), Some(WORDS[n]));
    }
}

async fn answers_before_the_marker_are_written_with_the_relays_words(db: Ledger) {
    db.frozen(1).await;
    let claims = db.claim(1, at(1)).await;
    let accepted = finished(&claims[0], Outcome::Accepted, at(2));
    let unknown = finished(&claims[0], Outcome::Unknown, at(2));
    assert_eq!(db.store.finish_attempts(&[accepted]).await.unwrap(), [false], "nothing was sent yet");
    assert_eq!(db.store.finish_attempts(&[unknown]).await.unwrap(), [false], "nothing was sent yet");
    let deferred = finished(&claims[0], Outcome::Deferred { next_at: at(300) }, at(2));
    assert_eq!(db.store.finish_attempts(&[deferred]).await.unwrap(), [true]);
    let claims = db.claim(1, at(300)).await;
    let refused = finished(&claims[0], Outcome::Refused { suppress: false }, at(301));
    assert_eq!(db.store.finish_attempts(&[refused]).await.unwrap(), [true]);

    let delivery = only(&db).await;
    assert_eq!((delivery.state, delivery.changed_at, delivery.next_at), (State::Failed, at(301), None));
    let attempts: Vec<_> =
        delivery.attempts.iter().map(|it| (it.n, it.phase, it.code, it.outcome.as_str(), it.at)).collect();
    assert_eq!(
        attempts,
        [(1, Phase::Rcpt, Some(450), "deferred", at(2)), (2, Phase::Rcpt, Some(550), "refused", at(301))]
    );
    assert_eq!(delivery.attempts[1].enhanced.as_deref(), Some("5.1.1"));
    assert_eq!(delivery.attempts[1].text.as_deref(), Some("no such user"));
}

async fn an_answer_of_another_attempt_or_owner_changes_nothing(db: Ledger) {
    db.frozen(1).await;
    let first = db.claim(1, at(1)).await;
    db.store.recover(false, at(61)).await.unwrap();
    let second = db.store.claim_deliveries(None, "elsewhere", 1, at(62)).await.unwrap();
    let refused = finished(&first[0], Outcome::Refused { suppress: true }, at(63));
    assert_eq!(db.store.finish_attempts(&[refused]).await.unwrap(), [false]);
    let mut impostor = second[0].clone();
    impostor.owner = "here".to_owned();
    let deferred = finished(&impostor, Outcome::Deferred { next_at: at(70) }, at(64));
    assert_eq!(db.store.finish_attempts(&[deferred]).await.unwrap(), [false]);
    let delivery = only(&db).await;
    assert_eq!((delivery.state, delivery.attempts.len()), (State::Claimed, 0));
}

async fn a_late_answer_lands_on_unknown(db: Ledger) {
    db.frozen(4).await;
    let claims = db.claim(4, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    db.store.recover(true, at(3)).await.unwrap();
    let late = [
        finished(&claims[0], Outcome::Accepted, at(4)),
        finished(&claims[1], Outcome::Refused { suppress: false }, at(4)),
        finished(&claims[2], Outcome::SenderFault { next_at: at(9) }, at(4)),
        finished(&claims[3], Outcome::Unknown, at(4)),
    ];
    assert_eq!(db.store.finish_attempts(&late).await.unwrap(), [true, true, true, false]);
    let log = db.store.log(&LogFilter::default()).await.unwrap();
    let of = |n: usize| log.iter().find(|it| it.id == claims[n].id).unwrap();
    let ended: Vec<_> = (0..4).map(|n| (of(n).state, of(n).attempts[0].outcome.as_str())).collect();
    assert_eq!(
        ended,
        [
            (State::Sent, "accepted"),
            (State::Failed, "refused"),
            (State::Queued, "sender_fault"),
            (State::Unknown, "unknown")
        ]
    );
}

/// What is usual is one statement for all; what is not shows in it, and does not keep the others from moving.
async fn in_a_batch_each_row_is_answered_for_itself(db: Ledger) {
    let key = db.frozen(7).await;
    let claims = db.claim(7, at(1)).await;
    db.store.mark_in_data(&claims[..3], at(2)).await.unwrap();
    db.store.finish_attempts(&[finished(&claims[2], Outcome::Unknown, at(3))]).await.unwrap();
    let of_another = |n: usize| Claim { attempt: 7, owner: "elsewhere".to_owned(), ..claims[n].clone() };
    let opted_out = (1..=7).find(|n| address(*n) == claims[5].recipient.address).unwrap();
    db.store.suppress(&hash(opted_out), Some("agenda"), SuppressionReason::OptOut, at(3)).await.unwrap();
    let ends = [
        finished(&claims[0], Outcome::Accepted, at(4)),
        finished(&of_another(1), Outcome::Accepted, at(4)),
        finished(&claims[2], Outcome::Accepted, at(4)),
        finished(&claims[3], Outcome::Refused { suppress: true }, at(4)),
    ];
    let marks = [claims[4].clone(), claims[5].clone(), of_another(6)];
    let settled = db.store.settle(&ends[..3], &marks[..2], at(4)).await.unwrap();
    assert_eq!((settled.moved, settled.marked), (vec![true, false, true], vec![InData, Suppressed]));
    // A batch that suppresses an address goes another way.
    let settled = db.store.settle(&ends[3..], &marks[2..], at(4)).await.unwrap();
    assert_eq!((settled.moved, settled.marked), (vec![true], vec![Lost]));
    let counts = db.store.issue(&key).await.unwrap().unwrap().counts;
    assert_eq!((counts.sent, counts.in_data, counts.failed, counts.suppressed, counts.claimed), (2, 2, 1, 1, 1));
    let log = db.store.log(&LogFilter::default()).await.unwrap();
    let outcomes = |n: usize| {
        let delivery = log.iter().find(|it| it.id == claims[n].id).unwrap();
        delivery.attempts.iter().map(|it| it.outcome.as_str()).collect::<Vec<_>>()
    };
    assert_eq!((outcomes(0), outcomes(1), outcomes(2)), (vec!["accepted"], vec!["in_flight"], vec!["accepted"]));
    assert_eq!((outcomes(3), outcomes(4), outcomes(6)), (vec!["refused"], vec!["in_flight"], vec![]));
}

async fn a_dead_address_is_suppressed_everywhere_at_once(db: Ledger) {
    db.frozen(2).await;
    let next = new_issue("2026-W29");
    db.store.freeze_issue(&next, at(1)).await.unwrap();
    let claims = db.claim(2, at(2)).await;
    let batch: Vec<_> =
        claims.iter().map(|claim| finished(claim, Outcome::Refused { suppress: true }, at(3))).collect();
    assert_eq!(db.store.finish_attempts(&batch).await.unwrap(), [true, true]);
    let counts = db.store.issue(&next.key).await.unwrap().unwrap().counts;
    assert_eq!((counts.suppressed, counts.queued), (2, 0));
    // Fails unless both hashes are there, as bounces.
    db.sql(&format!(
        "UPDATE suppressions SET scope = scope WHERE 1 / (SELECT count(*) - 1 FROM suppressions
        WHERE reason = 'bounce' AND address_hash IN ('{}', '{}')) = 1",
        hash(1),
        hash(2)
    ))
    .await;
}

async fn a_person_decides_what_is_unknown_and_nothing_else(db: Ledger) {
    db.frozen(4).await;
    let claims = db.claim(4, at(1)).await;
    db.store.mark_in_data(&claims[..3], at(2)).await.unwrap();
    db.store.recover(true, at(3)).await.unwrap();
    let resolve = |n: usize, it| db.store.resolve_unknown(&claims[n].id, it, "Ève", at(4));
    assert_eq!(resolve(0, Resolution::Sent).await.unwrap(), Resolved::Done);
    assert_eq!(resolve(1, Resolution::Failed).await.unwrap(), Resolved::Done);
    assert_eq!(resolve(2, Resolution::Resend).await.unwrap(), Resolved::Done);
    assert_eq!(resolve(0, Resolution::Resend).await.unwrap(), Resolved::NotUnknown(State::Sent));
    assert_eq!(resolve(3, Resolution::Sent).await.unwrap(), Resolved::NotUnknown(State::Queued));
    let nobody = DeliveryId("0".repeat(32));
    let nobody = db.store.resolve_unknown(&nobody, Resolution::Sent, "Ève", at(4));
    assert_eq!(nobody.await.unwrap(), Resolved::NoSuchDelivery);

    let log = db.store.log(&LogFilter::default()).await.unwrap();
    let of = |n: usize| log.iter().find(|it| it.id == claims[n].id).unwrap();
    assert_eq!([of(0).state, of(1).state, of(2).state], [State::Sent, State::Failed, State::Queued]);
    assert_eq!([of(0).resends, of(2).resends], [0, 1]);
    let said: Vec<_> = of(2).attempts.iter().map(|it| (it.n, it.outcome.as_str(), it.text.clone())).collect();
    assert_eq!((said[0].0, said[0].1), (1, "unknown"));
    assert_eq!(said[1], (1, "resolved", Some("Ève: send it again".to_owned())));
}

async fn a_late_answer_is_kept_beside_a_persons_decision(db: Ledger) {
    db.frozen(1).await;
    let claims = db.claim(1, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    db.store.finish_attempts(&[finished(&claims[0], Outcome::Unknown, at(3))]).await.unwrap();
    db.store.resolve_unknown(&claims[0].id, Resolution::Failed, "Ève", at(4)).await.unwrap();
    let late = finished(&claims[0], Outcome::Accepted, at(5));
    assert_eq!(db.store.finish_attempts(&[late]).await.unwrap(), [false]);
    let delivery = only(&db).await;
    assert_eq!(delivery.state, State::Failed, "the person's word stands");
    let outcomes: Vec<_> = delivery.attempts.iter().map(|it| it.outcome.as_str()).collect();
    assert_eq!(outcomes, ["resolved", "accepted"], "and the relay's is to be seen");
}

async fn a_resend_past_the_deadline_expires(db: Ledger) {
    db.frozen(1).await;
    let claims = db.claim(1, at(1)).await;
    db.store.mark_in_data(&claims, at(2)).await.unwrap();
    db.store.finish_attempts(&[finished(&claims[0], Outcome::Unknown, at(3))]).await.unwrap();
    let late = at(13 * HOUR);
    db.store.resolve_unknown(&claims[0].id, Resolution::Resend, "Ève", late).await.unwrap();
    assert!(db.claim(1, late).await.is_empty());
    assert_eq!(db.store.expire_deliveries(late).await.unwrap(), 1);
}

on_both_databases! {
    answers_after_the_marker_lead_where_they_say
    the_relays_words_are_kept_letter_by_letter
    answers_before_the_marker_are_written_with_the_relays_words
    an_answer_of_another_attempt_or_owner_changes_nothing
    a_late_answer_lands_on_unknown
    in_a_batch_each_row_is_answered_for_itself
    a_dead_address_is_suppressed_everywhere_at_once
    a_person_decides_what_is_unknown_and_nothing_else
    a_late_answer_is_kept_beside_a_persons_decision
    a_resend_past_the_deadline_expires
}
