//! Sending with BDAT (RFC 3030): one round trip instead of two, and equally safe.

use crate::support::{
    ledger::Ledger,
    office::{Office, deliverer},
    smtp::{Chunking, Options},
};
use chrono::TimeDelta;
use semainier::{
    deliver::Summary,
    domain::delivery::{Phase, State},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

on_both_databases! {
    each_message_arrives_unchanged_in_one_round_trip
    a_refusal_affects_only_that_recipient_and_the_connection_continues
    a_message_interrupted_after_its_last_byte_is_unknown_and_never_repeated
    a_message_interrupted_before_its_last_byte_is_queued
    a_surplus_reply_is_never_taken_for_the_result_of_a_message
    a_relay_that_accepts_a_message_with_the_code_of_rcpt_leaves_one_unknown
    a_relay_that_announces_but_does_not_support_bdat_gets_data_from_then_on
    without_enhanced_codes_at_rcpt_data_is_used
    bdat_can_be_disabled_in_the_relay_url
}

fn chunking() -> Options {
    Options { chunking: Chunking::Yes, ..Options::default() }
}

async fn each_message_arrives_unchanged_in_one_round_trip(ledger: Ledger) {
    let addresses = (0..20).map(|n| format!("a{n}@x.example")).collect::<Vec<_>>();
    let addresses = addresses.iter().map(String::as_str).collect::<Vec<_>>();
    let office = Office::writing_to(ledger, &addresses, chunking()).await;
    assert_eq!(office.send().await.sent, 20);
    let numbers = office.relay.numbers();
    assert_eq!((numbers.bdat_commands, numbers.data_commands, numbers.connections), (20, 0, 1));
    let (hello, first, goodbye, claims) = (2, 1, 1, 5);
    assert!(numbers.flights <= hello + first + 20 + goodbye + claims, "{}", numbers.flights);
    // Lines that are a dot, or begin with one, among them.
    assert!(office.relay.seen().accepted.iter().all(|it| it.bytes.ends_with(&office.body)));
    assert_eq!(office.last("a7@x.example").await, (Phase::Dot, Some(250), "accepted".into()));
}

async fn a_refusal_affects_only_that_recipient_and_the_connection_continues(ledger: Ledger) {
    let addresses = ["a@x.example", "e554@x.example", "b@x.example", "d452@x.example", "f550@x.example", "c@x.example"];
    let office = Office::writing_to(ledger, &addresses, chunking()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.failed, summary.deferred), (3, 2, 1));
    assert_eq!(office.last("e554@x.example").await, (Phase::Dot, Some(554), "refused".into()));
    assert_eq!(office.last("d452@x.example").await, (Phase::Dot, Some(452), "deferred".into()));
    assert_eq!(office.relay.numbers().connections, 1);
}

async fn a_message_interrupted_after_its_last_byte_is_unknown_and_never_repeated(ledger: Ledger) {
    // Of "dropdata" the relay reads nothing; but it was handed over, and nobody here can know.
    let addresses = ["dropdata", "dropdot", "dropafter", "badreply", "hang"].map(|it| format!("{it}@x.example"));
    let office = Office::writing_to(ledger, &addresses.each_ref().map(String::as_str), chunking()).await;
    assert_eq!(office.send().await.unknown, 5);
    for (address, accepted) in addresses.iter().zip([0, 0, 1, 1, 0]) {
        assert_eq!(office.relay.accepted(address), accepted, "{address}");
        assert_eq!(office.last(address).await, (Phase::Dot, None, "unknown".into()), "{address}");
    }
    office.clock.advance(TimeDelta::hours(11));
    assert_eq!(office.send().await, Summary::default());
}

async fn a_message_interrupted_before_its_last_byte_is_queued(ledger: Ledger) {
    let mut office = Office::writing_to(ledger, &["dropmid@x.example"], chunking()).await;
    office.body = b"une ligne de texte\r\n".repeat(400_000).into();
    office.send().await;
    assert_eq!(office.last("dropmid@x.example").await, (Phase::Body, None, "deferred".into()));
    assert_eq!(office.state("dropmid@x.example").await, State::Queued);
}

/// The off-by-one that records a refused message as sent. From far away the answer to RCPT comes late: only its code shows that
/// it is not the word on the message.
async fn a_surplus_reply_is_never_taken_for_the_result_of_a_message(ledger: Ledger) {
    let addresses = ["again@x.example", "e554@x.example", "e554+2@x.example", "ok@x.example"];
    let options = Options { round_trip: Duration::from_millis(30), ..chunking() };
    let office = Office::writing_to(ledger, &addresses, options).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, office.relay.accepted("again@x.example")), (2, 1));
    for refused in ["e554@x.example", "e554+2@x.example"] {
        assert_ne!(office.state(refused).await, State::Sent, "{refused}");
    }
}

async fn a_relay_that_accepts_a_message_with_the_code_of_rcpt_leaves_one_unknown(ledger: Ledger) {
    let addresses = (0..9).map(|n| format!("odd+{n}@x.example")).collect::<Vec<_>>();
    let office =
        Office::writing_to(ledger, &addresses.iter().map(String::as_str).collect::<Vec<_>>(), chunking()).await;
    let summary = office.send().await;
    assert_eq!((summary.unknown, summary.sent, summary.paused.len()), (1, 8, 0));
}

async fn a_relay_that_announces_but_does_not_support_bdat_gets_data_from_then_on(ledger: Ledger) {
    let addresses = ["a@x.example", "b@x.example", "c@x.example"];
    let options = Options { chunking: Chunking::OnlySaid, ..Options::default() };
    let office = Office::writing_to(ledger, &addresses, options).await;
    let deliverer = deliverer(
        &office.ledger.store,
        &office.url,
        &office.clock,
        &office.settings,
        &office.body,
        "one daemon, all day",
    );
    let never = CancellationToken::new();
    let first = deliverer.deliver(None, &never, &|_| {}).await.unwrap();
    assert_eq!((first.sent, first.deferred), (2, 1), "the first one found out");
    office.check().await;
    assert_eq!(office.last("a@x.example").await, (Phase::Data, None, "deferred".into()));
    office.clock.advance(TimeDelta::minutes(6));
    assert_eq!(deliverer.deliver(None, &never, &|_| {}).await.unwrap().sent, 1);
    office.check().await;
    assert_eq!(office.relay.numbers().data_commands, 3);
}

async fn without_enhanced_codes_at_rcpt_data_is_used(ledger: Ledger) {
    let office = Office::writing_to(ledger, &["plain@x.example", "a@x.example"], chunking()).await;
    assert_eq!(office.send().await.sent, 2);
    let numbers = office.relay.numbers();
    assert_eq!((numbers.data_commands, numbers.bdat_commands), (1, 1));
}

async fn bdat_can_be_disabled_in_the_relay_url(ledger: Ledger) {
    let mut office = Office::writing_to(ledger, &["a@x.example", "b@x.example"], chunking()).await;
    office.url.push_str("&chunking=no");
    assert_eq!(office.send().await.sent, 2);
    let numbers = office.relay.numbers();
    assert_eq!((numbers.data_commands, numbers.bdat_commands), (2, 0));
}
