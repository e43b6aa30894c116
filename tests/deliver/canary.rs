//! The first messages of an issue are answered before any other is claimed (docs/adr/0016).

use crate::support::{
    ledger::{Ledger, at},
    office::{Office, deliverer},
    smtp::{Numbers, Options, SmtpRelay},
};
use chrono::TimeDelta;
use semainier::{
    deliver::Settings,
    domain::{
        delivery::State,
        issue::IssueState,
        lane::{LaneTrouble, Pace},
    },
    store::{CanaryStep, Claimed, Wanted},
};
use std::{sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration};
use tokio_util::sync::CancellationToken;

on_both_databases! {
    nothing_else_leaves_before_the_first_ones_are_answered
    two_daemons_send_the_same_first_ones
    a_fault_of_ours_meets_the_first_ones_only_and_they_are_the_first_again
    if_all_of_the_first_are_refused_the_issue_pauses_and_nobody_is_dead
    content_that_several_providers_refuse_stops_the_issue
    no_first_message_is_waited_for_in_vain
    first_ones_that_a_dead_daemon_had_are_waited_for_and_sent_again
    a_small_issue_and_one_that_is_under_way_have_no_first_ones
    an_issue_that_waits_does_not_stop_another
}

const FIRST: u32 = 4;

fn people(fault: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{fault}{i}@{}.example", ["hotel", "gite", "mairie"][i % 3])).collect()
}

async fn office(ledger: Ledger, addresses: &[String], options: Options) -> Office {
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let mut office = Office::writing_to(ledger, &addresses, options).await;
    office.settings = Settings { connections: 4, canary: FIRST, ..office.settings };
    office
}

/// The largest number of messages that were begun while fewer than the first ones were accepted.
async fn most_begun(relay: &SmtpRelay, over: &AtomicBool) -> usize {
    let mut most = 0;
    while !over.load(Ordering::SeqCst) {
        let Numbers { accepted, mail_commands, .. } = relay.numbers();
        if accepted < u64::from(FIRST) {
            most = most.max(mail_commands);
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    most
}

async fn observed(office: &Office, sending: impl Future<Output = ()>) -> usize {
    let over = AtomicBool::new(false);
    let sending = async {
        sending.await;
        over.store(true, Ordering::SeqCst);
    };
    tokio::join!(most_begun(&office.relay, &over), sending).0
}

impl Office {
    async fn goes_on(&self) {
        let (store, from) = (&self.ledger.store, [IssueState::Paused]);
        self.clock.advance(TimeDelta::minutes(1));
        assert!(store.set_issue_state(&self.issue, &from, IssueState::Sending, None, self.clock.now()).await.unwrap());
    }

    async fn is_over(&self) -> bool {
        self.issue().await.canary.unwrap().over_at.is_some()
    }
}

async fn nothing_else_leaves_before_the_first_ones_are_answered(ledger: Ledger) {
    let office = office(ledger, &people("slow60+", 24), Options::default()).await;
    assert_eq!(office.issue().await.canary, None);
    let begun = observed(&office, async { drop(office.send().await) }).await;
    assert_eq!(begun, FIRST as usize);
    let issue = office.issue().await;
    assert_eq!((issue.counts.sent, issue.canary.unwrap().size), (24, u64::from(FIRST)));
    assert!(office.is_over().await && issue.awaits_first().is_none());
    assert!(office.relay.numbers().peak > 1, "the rest went over several connections");
}

async fn two_daemons_send_the_same_first_ones(ledger: Ledger) {
    let office = office(ledger, &people("slow60+", 24), Options::default()).await;
    let other = office.ledger.another().await;
    let other = deliverer(&other, &office.url, &office.clock, &office.settings, &office.body, "the other daemon");
    let both = async {
        let stop = CancellationToken::new();
        let (one, two) = tokio::join!(office.try_send(&stop, &|_| {}), other.deliver(None, &stop, &|_| {}));
        assert!(one.is_ok() && two.is_ok());
        // Whichever waited for the first ones of the other has ended by now, and is called again by its loop.
        office.send().await;
    };
    assert_eq!(observed(&office, both).await, FIRST as usize);
    assert_eq!(office.counts().await.sent, 24);
}

async fn a_fault_of_ours_meets_the_first_ones_only_and_they_are_the_first_again(ledger: Ledger) {
    let line = "550 5.7.26 This mail has been blocked because the sender is unauthenticated (DMARC)".to_owned();
    let refusing = Options { refuses_everyone: Some(line), ..Options::default() };
    let mut office = office(ledger, &people("slow60+", 24), refusing).await;
    let summary = office.send().await;
    assert_eq!(summary.paused.len(), 1, "{summary:?}");
    assert!(office.relay.numbers().refused <= FIRST as usize);
    assert_eq!((office.counts().await.queued, office.is_over().await), (24, false));
    assert_eq!(office.issue().await.awaits_first(), Some(u64::from(FIRST)));
    let first = || async { office.log().await.into_iter().filter(|it| !it.attempts.is_empty()) };
    let before: Vec<_> = first().await.map(|it| it.address).collect();

    // SPF is mended, and a person says so: that it is mended shows at the first ones, before all others try it.
    office.relay = SmtpRelay::start(Options::default()).await;
    office.url = office.relay.url();
    office.goes_on().await;
    let begun = observed(&office, async { drop(office.send().await) }).await;
    assert_eq!((begun, office.counts().await.sent), (FIRST as usize, 24));
    let accepted = office.relay.seen().accepted.clone();
    let again = accepted.iter().take(FIRST as usize).map(|it| &it.recipient);
    assert!(before.iter().all(|it| again.clone().any(|to| to == it)), "{before:?}");
}

/// Fewer than make an issue pause one after another.
async fn if_all_of_the_first_are_refused_the_issue_pauses_and_nobody_is_dead(ledger: Ledger) {
    let line = "550 5.1.1 <{to}>: user unknown".to_owned();
    let options = Options { refuses_everyone: Some(line), ..Options::default() };
    let people = people("p", 24);
    let mut office = office(ledger, &people, options).await;
    let summary = office.send().await;
    assert_eq!(summary.paused.len(), 1, "{summary:?}");
    assert!(summary.paused[0].reason.contains("les 4 premiers destinataires"), "{summary:?}");
    let issue = office.issue().await;
    assert_eq!((issue.state(), issue.counts.queued, issue.counts.failed), (IssueState::Paused, 24, 0));
    for address in &people {
        assert!(!office.suppressed(address).await, "{address}");
    }
    office.relay = SmtpRelay::start(Options::default()).await;
    office.url = office.relay.url();
    office.goes_on().await;
    office.send().await;
    assert_eq!((office.counts().await.sent, office.is_over().await), (24, true));
}

/// One refusal in each lane pauses none of them.
async fn content_that_several_providers_refuse_stops_the_issue(ledger: Ledger) {
    let mut people: Vec<_> = (0..20).map(|i| format!("p{i}@hotel.example")).collect();
    people.extend(["orange.fr", "laposte.net", "free.fr"].map(|domain| format!("t-ofr506+@{domain}")));
    let office = office(ledger, &people, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.paused.len(), summary.sent, summary.failed), (1, 1, 3), "{summary:?}");
    assert_eq!(office.counts().await.queued, 19);
    // A person who resumes it has decided.
    office.goes_on().await;
    assert_eq!(office.send().await.sent, 19);
}

/// Deferred, greylisted, doubtful, opted out, without a message, dead, and in a lane that is stopped.
async fn no_first_message_is_waited_for_in_vain(ledger: Ledger) {
    let first = [
        "grey9@orange.fr",
        "dropdot@laposte.net",
        "d452@free.fr",
        "optsout@sfr.fr",
        "nocompose@yahoo.fr",
        "t-ofr416@gmx.fr",
        "p@gmail.com",
        "panic@icloud.com",
    ];
    let mut people: Vec<_> = (0..20).map(|i| format!("p{i}@hotel.example")).collect();
    people.extend(first.map(str::to_owned));
    let mut office = office(ledger, &people, Options::default()).await;
    office.settings.canary = 9;
    let stopped = LaneTrouble {
        lane: "gmail".to_owned(),
        pace: Pace::Paused,
        why: "a person decides".to_owned(),
        since: at(0),
        until: None,
        issue: office.issue.clone(),
        only_issue: false,
        step: 0,
        per_minute: None,
    };
    assert!(office.ledger.store.note_lane(&stopped).await.unwrap());
    office.send().await;
    assert!(office.is_over().await);
    for n in 0..20 {
        assert_eq!(office.state(&format!("p{n}@hotel.example")).await, State::Sent);
    }
    let states = [State::Queued, State::Unknown, State::Queued, State::Suppressed, State::Failed, State::Failed];
    for (address, state) in first.iter().zip(states) {
        assert_eq!(office.state(address).await, state, "{address}");
    }
    assert_eq!((office.state("p@gmail.com").await, office.counts().await.total()), (State::Queued, 28));
}

async fn first_ones_that_a_dead_daemon_had_are_waited_for_and_sent_again(ledger: Ledger) {
    let office = office(ledger, &people("p", 24), Options::default()).await;
    let store = &office.ledger.store;
    let wanted = |owner| Wanted { issue: None, owner, limit: 100, canary: FIRST };
    let Claimed { claims, canaries } = store.claim(&wanted("dead"), at(0)).await.unwrap();
    assert!(claims.is_empty());
    assert_eq!(canaries, [(office.issue.clone(), CanaryStep::ToChoose)]);
    let candidates = store.canary_candidates(&office.issue, 2).await.unwrap();
    let ids: Vec<_> = candidates.into_iter().map(|(id, _)| id).collect();
    assert!(store.begin_canary(&office.issue, &ids).await.unwrap());
    assert!(!store.begin_canary(&office.issue, &ids).await.unwrap(), "once");
    assert_eq!(store.claim(&wanted("dead"), at(0)).await.unwrap().claims.len(), 2);
    // It is killed now. Nobody else sends anything while they may be on their way.
    assert_eq!(office.send_with_claims().await.sent, 0);
    assert_eq!(store.next_due(None).await.unwrap(), None, "nothing to wake up for");
    office.clock.advance(TimeDelta::minutes(2));
    store.recover(false, office.clock.now()).await.unwrap();
    assert_eq!(office.send().await.sent, 24);
}

impl Office {
    /// As [`Office::send`], while a claim of another daemon holds.
    async fn send_with_claims(&self) -> semainier::deliver::Summary {
        self.try_send(&CancellationToken::new(), &|_| {}).await.unwrap()
    }
}

async fn a_small_issue_and_one_that_is_under_way_have_no_first_ones(ledger: Ledger) {
    let mut office = office(ledger, &people("p", 6), Options::default()).await;
    office.settings.canary = 6;
    assert_eq!(office.send().await.sent, 6);
    assert_eq!(office.issue().await.canary, None);
    office.another_issue().await;
    office.settings.canary = 0;
    let claims = office.ledger.store.claim_deliveries(None, "before", 1, office.clock.now()).await.unwrap();
    let accepted = semainier::domain::delivery::Outcome::Accepted;
    let sent = crate::support::ledger::finished(&claims[0], accepted, office.clock.now());
    office.ledger.store.settle(&[], &claims, office.clock.now()).await.unwrap();
    office.ledger.store.finish_attempts(&[sent]).await.unwrap();
    office.settings.canary = 2;
    assert_eq!(office.send_with_claims().await.sent, 5);
    assert_eq!(office.issue().await.canary, None, "one was answered before");
}

async fn an_issue_that_waits_does_not_stop_another(ledger: Ledger) {
    let mut office = office(ledger, &people("p", 12), Options::default()).await;
    let store = std::sync::Arc::clone(&office.ledger.store);
    let first: Vec<_> = store.canary_candidates(&office.issue, 1).await.unwrap().into_iter().map(|it| it.0).collect();
    assert!(store.begin_canary(&office.issue, &first).await.unwrap());
    let wanted = Wanted { issue: None, owner: "another", limit: 1, canary: FIRST };
    let held = store.claim(&wanted, at(0)).await.unwrap().claims;
    assert_eq!(held.len(), 1);
    office.another_issue().await;
    assert_eq!(office.send_with_claims().await.sent, 12);
    store.release(&held, at(0)).await.unwrap();
    assert_eq!(office.send_with_claims().await.sent, 12);
}
