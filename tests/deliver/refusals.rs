//! The same refusal for one recipient after another is about us, whatever the tables say of it.

use crate::support::{ledger::Ledger, office::Office, smtp::Options, smtp::SmtpRelay};
use chrono::TimeDelta;
use semainier::domain::{delivery::State, issue::IssueState};

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
    assert!(tried.iter().all(|it| it.outcome == "ours" && it.text.as_deref().unwrap().contains("rien")), "{tried:?}");

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
