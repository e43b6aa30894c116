//! The same refusal for one recipient after another is about us, whatever the tables say of it.

use crate::support::{
    ledger::Ledger,
    office::{Office, deliverer},
    smtp::{Options, SmtpRelay},
};
use chrono::TimeDelta;
use semainier::{
    deliver::Timeouts,
    domain::{
        delivery::{Finished, State},
        issue::IssueState,
        lane::Pace,
    },
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

on_both_databases! {
    field_report_1_identical_refusals_for_everyone_fail_no_delivery
    field_report_1_identical_refusals_after_the_dot_fail_no_delivery
    if_all_addresses_are_refused_as_dead_a_person_decides_and_none_stays_suppressed
    a_family_that_refuses_everyone_is_paused_alone
    refusals_between_acceptances_stop_nothing
    consecutive_dead_addresses_at_one_domain_stop_nothing
    m6_a_resumed_issue_pauses_only_for_new_unknown_deliveries
}

/// Recipients at several domains.
fn people(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("p{i}@{}.example", ["hotel", "gite", "mairie"][i % 3])).collect()
}

async fn office(ledger: Ledger, addresses: &[String], options: Options) -> Office {
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    Office::writing_to(ledger, &addresses, options).await
}

fn refusing(line: &str) -> Options {
    Options { refuses_everyone: Some(line.to_owned()), ..Options::default() }
}

impl Office {
    async fn resume(&self) {
        let from = [IssueState::Paused];
        let now = self.clock.now();
        let store = &self.ledger.store;
        assert!(store.set_issue_state(&self.issue, &from, IssueState::Sending, None, now).await.unwrap());
    }
}

/// Words that no table knows, with what is each recipient's own in them.
async fn field_report_1_identical_refusals_for_everyone_fail_no_delivery(ledger: Ledger) {
    let line = "550 5.1.0 <{to}>: nous ne prenons rien aujourd'hui (ref {n}F3A)";
    let mut office = office(ledger, &people(80), refusing(line)).await;
    let summary = office.send().await;
    assert_eq!((summary.paused.len(), summary.breaker.is_none()), (1, true), "{summary:?}");
    let reason = summary.paused[0].reason.clone();
    assert!(reason.contains("tous les destinataires") && reason.contains("nous ne prenons rien"), "{reason}");
    assert!(!reason.contains("p0@"), "{reason}");
    let issue = office.issue().await;
    assert_eq!((issue.state(), issue.counts.queued, issue.counts.total()), (IssueState::Paused, 80, 80));
    let tried: Vec<_> = office.log().await.into_iter().flat_map(|it| it.attempts).collect();
    assert_eq!(tried.len(), 5);
    assert!(
        tried.iter().all(|it| it.outcome == "sender_fault" && it.text.as_deref().unwrap().contains("rien")),
        "{tried:?}"
    );

    // Still so when a person resumes it.
    office.clock.advance(TimeDelta::minutes(1));
    office.resume().await;
    assert_eq!(office.send().await.paused.len(), 1);
    assert_eq!(office.counts().await.queued, 80);

    // The relay is mended.
    office.relay = SmtpRelay::start(Options::default()).await;
    office.url = office.relay.url();
    office.clock.advance(TimeDelta::minutes(1));
    office.resume().await;
    office.send().await;
    assert_eq!(office.counts().await.sent, 80);
}

async fn field_report_1_identical_refusals_after_the_dot_fail_no_delivery(ledger: Ledger) {
    let people: Vec<_> = (0..40).map(|i| format!("e554+{i}@{}.example", ["hotel", "gite", "mairie"][i % 3])).collect();
    let mut office = office(ledger, &people, Options::default()).await;
    office.settings.connections = 4;
    office.send().await;
    let issue = office.issue().await;
    assert_eq!(issue.state(), IssueState::Paused, "{issue:?}");
    assert!(issue.counts.failed <= 6, "content that is refused fails no more than it did: {}", issue.counts);
}

/// "User unknown in local recipient table": what a relay says that takes our partners' domains for its own.
async fn if_all_addresses_are_refused_as_dead_a_person_decides_and_none_stays_suppressed(ledger: Ledger) {
    let line = "550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient table";
    let people = people(20);
    let office = office(ledger, &people, refusing(line)).await;
    assert_eq!(office.send().await.paused.len(), 1);
    assert_eq!(office.counts().await.queued, 20);
    for address in &people {
        assert!(!office.suppressed(address).await, "{address}");
    }
    // Whoever resumes it says that they are dead.
    office.clock.advance(TimeDelta::minutes(1));
    office.resume().await;
    assert_eq!(office.send().await.paused.len(), 0);
    assert_eq!(office.counts().await.failed, 20);
    assert!(office.suppressed(&people[3]).await);
}

async fn a_family_that_refuses_everyone_is_paused_alone(ledger: Ledger) {
    let mut people: Vec<_> = (0..8).map(|i| format!("f556+{i}@orange.fr")).collect();
    people.extend((0..8).map(|i| format!("a{i}@gite.example")));
    let office = office(ledger, &people, Options::default()).await;
    let summary = office.send().await;
    assert!(summary.paused.is_empty(), "{summary:?}");
    let counts = office.counts().await;
    assert_eq!((counts.sent, counts.failed, counts.queued), (8, 0, 8), "{counts}");
    let lanes = office.ledger.store.lanes().await.unwrap();
    assert_eq!(lanes.len(), 1, "{lanes:?}");
    assert!(lanes[0].why.contains("fault at RCPT"), "{lanes:?}");
}

/// The queue goes by address. Both batches are refused in the same words, and somebody between them is not.
async fn refusals_between_acceptances_stop_nothing(ledger: Ledger) {
    let batch = |fault: &str| (0..4).map(|i| format!("{fault}+{i}@d{i}.example")).collect::<Vec<_>>();
    let people = [batch("f552"), vec!["g@gite.example".to_owned()], batch("t-ofr417")].concat();
    let office = office(ledger, &people, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.paused.len(), summary.failed, summary.sent), (0, 8, 1), "{summary:?}");
}

async fn consecutive_dead_addresses_at_one_domain_stop_nothing(ledger: Ledger) {
    let mut people: Vec<_> = (0..9).map(|i| format!("f550+{i}@ferme.example")).collect();
    people.push("z@gite.example".to_owned());
    let office = office(ledger, &people, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.paused.len(), summary.failed, summary.sent), (0, 9, 1), "{summary:?}");
}

async fn m6_a_resumed_issue_pauses_only_for_new_unknown_deliveries(ledger: Ledger) {
    let people: Vec<_> = (0..20).map(|i| format!("dropdot+{i:02}@d{i}.example")).collect();
    let office = office(ledger, &people, Options::default()).await;
    for unknown in [6, 12, 18] {
        office.send().await;
        assert_eq!((office.issue().await.state(), office.counts().await.unknown), (IssueState::Paused, unknown));
        office.clock.advance(TimeDelta::minutes(1));
        office.resume().await;
    }
    assert_eq!(office.state("dropdot+19@d19.example").await, State::Queued);
}

impl Office {
    /// Another daemon on the same ledger has at most four deliveries in hand, which are refused only after this one
    /// has sent all it can. How many the other one recorded as failed.
    async fn send_beside_a_slow_daemon(&self, line: &str) -> u64 {
        let slow = Options { round_trip: Duration::from_secs(1), ..refusing(line) };
        let relay = SmtpRelay::start(slow).await;
        let (other, clock, body) = (self.ledger.another().await, self.clock.clone(), self.body.clone());
        let mut settings = self.settings.clone();
        (settings.connections, settings.claim_batch, settings.timeouts) = (2, 2, Timeouts::default());
        let second = deliverer(&other, &relay.url(), &clock, &settings, &body, "another daemon");
        let stop = CancellationToken::new();
        let heard = AtomicU64::new(0);
        let count = |_: &Finished| {
            heard.fetch_add(1, Ordering::SeqCst);
        };
        let second = second.deliver(None, &stop, &count);
        let first = async {
            while relay.numbers().mail_commands < 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let summary = self.try_send(&CancellationToken::new(), &|_| {}).await.unwrap();
            assert_eq!(heard.load(Ordering::SeqCst), 0, "the other one has heard nothing yet");
            summary
        };
        let (first, second) = tokio::join!(first, second);
        let second = second.unwrap();
        assert!(first.failed >= 5 && (1..5).contains(&second.failed), "{first:?} {second:?}");
        self.check().await;
        second.failed
    }
}

/// One daemon finds that everybody is refused; another one has too few to find out, and gives back what it had in flight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_in_flight_at_another_daemon_are_queued_again_when_one_pauses_the_issue() {
    for (line, dead) in [
        ("550 5.1.0 <{to}>: nous ne prenons rien aujourd'hui (ref {n}F3A)", false),
        ("550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient table", true),
    ] {
        let office = office(Ledger::postgres().await, &people(20), refusing(line)).await;
        office.send_beside_a_slow_daemon(line).await;
        let issue = office.issue().await;
        let counts = issue.counts;
        assert_eq!((issue.state(), counts.failed, counts.queued), (IssueState::Paused, 0, 20), "{counts}");
        for address in people(20) {
            assert!(!office.suppressed(&address).await, "{address}");
        }
        // A person who resumes it because the addresses are dead is believed by both.
        office.clock.advance(TimeDelta::minutes(1));
        office.resume().await;
        if dead {
            let stop = CancellationToken::new();
            office.try_send(&stop, &|_| {}).await.unwrap();
            assert_eq!(office.counts().await.failed, 20);
        }
    }
}

/// A refusal that is the recipient's own stays one, also while the issue is paused for another reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_in_other_words_stays_failed_when_another_daemon_pauses_the_issue() {
    let line = "550 5.1.0 <{to}>: nous ne prenons rien aujourd'hui";
    let office = office(Ledger::postgres().await, &people(20), refusing(line)).await;
    let failed = office.send_beside_a_slow_daemon("550 5.1.1 <{to}>: no such user here").await;
    let counts = office.counts().await;
    assert_eq!((counts.failed, counts.queued), (failed, 20 - failed), "{counts}");
}

/// The same for the lane of a family.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_in_flight_at_another_daemon_are_queued_again_when_one_pauses_the_lane() {
    let people: Vec<_> = (0..14).map(|i| format!("p{i}@orange.fr")).collect();
    let line = "556 5.0.0 <{to}>: fault at RCPT";
    let office = office(Ledger::postgres().await, &people, refusing(line)).await;
    office.send_beside_a_slow_daemon(line).await;
    let issue = office.issue().await;
    let counts = issue.counts;
    assert_eq!((issue.state(), counts.failed, counts.queued), (IssueState::Sending, 0, 14), "{counts}");
    let lanes = office.ledger.store.lanes().await.unwrap();
    assert_eq!(lanes.iter().map(|it| it.pace).collect::<Vec<_>>(), [Pace::Paused], "{lanes:?}");
}
