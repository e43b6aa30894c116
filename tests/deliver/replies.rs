//! What the relay says, or does not say, to one message.

use crate::support::{ledger::Ledger, office::Office, smtp::Options};
use chrono::TimeDelta;
use semainier::{
    deliver::Summary,
    domain::{
        delivery::{Phase, State},
        issue::IssueState,
    },
};
use std::time::Duration;

on_both_databases! {
    a_message_arrives_byte_for_byte_and_is_sent
    s04_a_450_defers_that_delivery_and_the_connection_continues
    s05_greylisting_is_retried_after_five_minutes_and_sent_once
    s05_the_waits_grow_with_each_deferral
    s06_a_452_at_data_is_queued_although_it_is_marked
    s07_a_dead_address_is_failed_and_suppressed
    s08_a_full_mailbox_is_failed_for_this_issue_and_not_suppressed
    s08_a_mailbox_full_for_five_issues_in_a_row_is_suppressed
    s09_content_refused_three_times_pauses_the_issue
    s10_a_refusal_of_the_sender_fails_no_delivery_and_pauses_the_issue
    s11_a_drop_at_data_is_queued_not_unknown
    s12_a_drop_in_the_body_is_queued_unless_the_dot_was_handed_over
    s13_s14_a_drop_after_the_dot_is_unknown_and_never_repeated
    s15_a_slow_reply_to_the_dot_is_waited_for
    s16_no_reply_to_the_dot_is_unknown_and_holds_up_no_other_connection
    s18_a_421_at_rcpt_defers_that_delivery_and_a_new_connection_continues
    s19_a_malformed_reply_is_queued_before_the_body_and_unknown_after_the_dot
    a_surplus_reply_is_never_taken_for_the_next_one
    more_than_five_unknown_deliveries_pause_the_issue
}

async fn a_message_arrives_byte_for_byte_and_is_sent(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["a@x.example", "b@x.example", "c@x.example"], Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, office.counts().await.sent), (3, 3));
    assert_eq!(office.relay.numbers().connections, 1);
    assert_eq!(office.last("a@x.example").await, (Phase::Dot, Some(250), "accepted".into()));
}

async fn s04_a_450_defers_that_delivery_and_the_connection_continues(ledger: Ledger) {
    let addresses = ["a@x.example", "f450@x.example", "b@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred), (2, 1));
    let row = office.row("f450@x.example").await;
    assert_eq!((row.state, row.attempts[0].phase, row.attempts[0].code), (State::Queued, Phase::Rcpt, Some(450)));
    let words = row.attempts[0].text.as_deref().unwrap();
    assert!(words.contains("f***@x***.example") && !words.contains("f450@"), "{words}");
    assert_eq!(office.relay.numbers().connections, 1);
}

async fn s05_greylisting_is_retried_after_five_minutes_and_sent_once(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["grey1@x.example"], Options::default()).await;
    assert_eq!(office.send().await.deferred, 1);
    office.clock.advance(TimeDelta::minutes(5));
    assert_eq!(office.send().await, Summary::default(), "not before five minutes and a tenth");
    office.clock.advance(TimeDelta::minutes(1));
    assert_eq!(office.send().await.sent, 1);
    assert_eq!(office.row("grey1@x.example").await.attempts.len(), 2);
}

async fn s05_the_waits_grow_with_each_deferral(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["f450@x.example"], Options::default()).await;
    for minutes in [5, 30, 120, 180, 180] {
        office.send().await;
        let wait = office.wait("f450@x.example").await;
        let step = TimeDelta::minutes(minutes);
        assert!(wait >= step * 11 / 10 && wait <= step * 12 / 10, "{wait} for {minutes} min");
        office.clock.advance(wait);
    }
}

async fn s06_a_452_at_data_is_queued_although_it_is_marked(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["d452@x.example", "a@x.example"], Options::default()).await;
    office.send().await;
    assert_eq!(office.last("d452@x.example").await, (Phase::Data, Some(452), "deferred".into()));
    assert_eq!(office.state("d452@x.example").await, State::Queued);
    assert_eq!(office.state("a@x.example").await, State::Sent);
    assert_eq!(office.relay.numbers().connections, 1);
}

async fn s07_a_dead_address_is_failed_and_suppressed(ledger: Ledger) {
    let dead = ["f550@x.example", "t-ofr416@x.example", "t-lpn420@x.example", "latin1@x.example"];
    let office = Office::writing_to(ledger, &dead, Options::default()).await;
    assert_eq!(office.send().await.failed, 4);
    for address in dead {
        assert_eq!(office.state(address).await, State::Failed, "{address}");
        assert!(office.suppressed(address).await, "{address}");
    }
}

async fn s08_a_full_mailbox_is_failed_for_this_issue_and_not_suppressed(ledger: Ledger) {
    let full = ["f552@x.example", "t-ofr417@x.example"];
    let office = Office::writing_to(ledger, &full, Options::default()).await;
    assert_eq!(office.send().await.failed, 2);
    for address in full {
        assert_eq!(office.state(address).await, State::Failed, "{address}");
        assert!(!office.suppressed(address).await, "{address}");
    }
}

async fn s08_a_mailbox_full_for_five_issues_in_a_row_is_suppressed(ledger: Ledger) {
    let (full, in_doubt_once) = ("t-ofr417@x.example", "f552@x.example");
    let mut office = Office::writing_to(ledger, &[full, in_doubt_once], Options::default()).await;
    for week in 1..=5 {
        assert!(!office.suppressed(full).await, "{week}");
        assert_eq!(office.send().await.failed, 2);
        if week == 3 {
            let unknown = format!(
                "UPDATE deliveries SET state = 'unknown' WHERE issue = '{}' AND address = '{in_doubt_once}'",
                office.issue
            );
            office.ledger.sql(&unknown).await;
        }
        office.another_issue().await;
    }
    assert!(office.suppressed(full).await);
    assert_eq!(office.counts().await.suppressed, 1, "the next issue knows");
    for _ in 6..=7 {
        assert_eq!(office.send().await.failed, 1);
        assert!(!office.suppressed(in_doubt_once).await, "it may have arrived in between");
        office.another_issue().await;
    }
    assert_eq!(office.send().await.failed, 1);
    assert!(office.suppressed(in_doubt_once).await, "five since");
}

async fn s09_content_refused_three_times_pauses_the_issue(ledger: Ledger) {
    let spam = ["e554@x.example", "t-ofr506@x.example", "e554+2@x.example"];
    let office = Office::writing_to(ledger, &spam, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.failed, summary.paused.len()), (3, 1));
    assert_eq!(office.issue().await.state(), IssueState::Paused);
    for address in spam {
        assert!(!office.suppressed(address).await, "{address}");
    }
}

async fn s10_a_refusal_of_the_sender_fails_no_delivery_and_pauses_the_issue(ledger: Ledger) {
    let addresses =
        ["t-out515", "t-gmail26", "t-lpn517", "t-ofr102", "t-ofr405"].map(|name| format!("{name}@x.example"));
    let addresses = addresses.each_ref().map(String::as_str);
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    for refusals in 1..=addresses.len() {
        let summary = office.send().await;
        assert_eq!((summary.failed, summary.deferred, summary.paused.len(), summary.breaker), (0, 1, 1, None));
        assert!(summary.paused[0].reason.contains("notre configuration"), "{}", summary.paused[0].reason);
        let issue = office.issue().await;
        assert_eq!((issue.state(), issue.counts.queued), (IssueState::Paused, 5));
        assert_eq!(issue.reason(), Some(&*summary.paused[0].reason));
        let tried = office.log().await.iter().map(|it| it.attempts.len()).sum::<usize>();
        assert_eq!(tried, refusals, "nobody else was tried");
        // A person resumes; the next one in line is refused as well.
        office.clock.advance(TimeDelta::minutes(1));
        let from = [IssueState::Paused];
        office
            .ledger
            .store
            .set_issue_state(&office.issue, &from, IssueState::Sending, None, office.clock.now())
            .await
            .unwrap();
    }
    for address in addresses {
        assert!(!office.suppressed(address).await, "{address}");
    }
}

async fn s11_a_drop_at_data_is_queued_not_unknown(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["dropdata@x.example", "a@x.example"], Options::default()).await;
    office.send().await;
    assert_eq!(office.last("dropdata@x.example").await, (Phase::Data, None, "deferred".into()));
    assert_eq!(office.state("dropdata@x.example").await, State::Queued);
    assert_eq!(office.state("a@x.example").await, State::Sent);
}

/// The attempt's own note of how far it came decides; of a large message the dot is never handed over.
async fn s12_a_drop_in_the_body_is_queued_unless_the_dot_was_handed_over(ledger: Ledger) {
    let mut office =
        Office::writing_to(ledger, &["dropmid@x.example", "dropmid+2@x.example"], Options::default()).await;
    office.settings.claim_batch = 1;
    for size in [8_000_000, 2_000] {
        office.body = b"une ligne de texte\r\n".repeat(size / 20).into();
        office.send().await;
        for row in office.log().await {
            let Some(attempt) = row.attempts.last() else { continue };
            match (attempt.phase, row.state) {
                (Phase::Body, State::Queued) => {}
                (Phase::Dot, State::Unknown) if size == 2_000 => {}
                other => panic!("{size} bytes: {other:?}"),
            }
        }
        office.clock.advance(TimeDelta::minutes(6));
    }
}

async fn s13_s14_a_drop_after_the_dot_is_unknown_and_never_repeated(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["dropdot@x.example", "dropafter@x.example"], Options::default()).await;
    assert_eq!(office.send().await.unknown, 2);
    assert_eq!((office.relay.accepted("dropdot@x.example"), office.relay.accepted("dropafter@x.example")), (0, 1));
    office.clock.advance(TimeDelta::hours(11));
    assert_eq!(office.send().await, Summary::default());
}

async fn s15_a_slow_reply_to_the_dot_is_waited_for(ledger: Ledger) {
    let mut office = Office::writing_to(ledger, &["slow2000@x.example"], Options::default()).await;
    office.settings.timeouts.dot = Duration::from_secs(30);
    assert_eq!(office.send().await.sent, 1);
}

async fn s16_no_reply_to_the_dot_is_unknown_and_holds_up_no_other_connection(ledger: Ledger) {
    let addresses = ["hang@x.example", "a@x.example", "b@x.example"];
    let mut office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.settings.connections = 2;
    let summary = office.send().await;
    assert_eq!((summary.unknown, summary.sent), (1, 2));
    assert_eq!(office.last("hang@x.example").await, (Phase::Dot, None, "unknown".into()));
}

async fn s18_a_421_at_rcpt_defers_that_delivery_and_a_new_connection_continues(ledger: Ledger) {
    let addresses = ["multi421@x.example", "f421@x.example", "a@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred, summary.breaker), (1, 2, None));
    let attempt = office.row("multi421@x.example").await.attempts.remove(0);
    assert_eq!((attempt.phase, attempt.code), (Phase::Rcpt, Some(421)));
    assert_eq!(attempt.text.as_deref(), Some("4.7.0 slow down 4.7.0 closing"));
}

async fn s19_a_malformed_reply_is_queued_before_the_body_and_unknown_after_the_dot(ledger: Ledger) {
    let addresses = ["garbage@x.example", "long@x.example", "badreply@x.example", "a@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    office.send().await;
    assert_eq!(office.last("garbage@x.example").await, (Phase::Rcpt, None, "deferred".into()));
    assert_eq!(office.last("long@x.example").await, (Phase::Rcpt, None, "deferred".into()));
    assert_eq!(office.last("badreply@x.example").await, (Phase::Dot, None, "unknown".into()));
    assert_eq!(office.state("a@x.example").await, State::Sent);
}

/// The off-by-one that records a refused message as sent.
async fn a_surplus_reply_is_never_taken_for_the_next_one(ledger: Ledger) {
    let addresses = ["again@x.example", "e554@x.example", "f550@x.example", "ok@x.example"];
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    // Announced with the end of the first, the second has one reply too many before its own: what stands in the place of the
    // answer to DATA is none, and it is asked for again later, if it was not noticed before.
    assert_eq!((summary.sent, summary.failed + summary.deferred, office.relay.numbers().connections), (2, 2, 2));
    for (address, accepted) in addresses.into_iter().zip([1, 0, 0, 1]) {
        assert_eq!(office.relay.accepted(address), accepted, "{address}");
    }
}

async fn more_than_five_unknown_deliveries_pause_the_issue(ledger: Ledger) {
    let addresses = (0..9).map(|n| format!("dropafter+{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.unknown, summary.paused.len()), (6, 1));
    assert_eq!(office.counts().await.queued, 3);
}
