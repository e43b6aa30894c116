//! Sending, against a relay that misbehaves. The judge is the join of two ledgers: what the relay wrote down before it
//! said 250, and ours. After each fault: nobody lost, nobody twice, `sent` was accepted, `failed` was not.

mod support;

use async_trait::async_trait;
use chrono::TimeDelta;
use semainier::{
    clock::Clock,
    deliver::{Deliverer, MessageError, Outbox, Relay, Settings, Summary, Timeouts},
    domain::{
        Timestamp,
        delivery::{Claim, Outcome, Phase, State},
        email::EmailAddress,
        issue::{IssueKey, IssueState},
        message::Message,
    },
    store::Store,
};
use std::{sync::Arc, time::Duration};
use support::{
    ledger::MemoryLedger,
    smtp::{Options, SmtpRelay},
};
use tokio_util::sync::CancellationToken;

/// Writes a small message whose bytes depend on nothing but the delivery.
struct Letters {
    body: Vec<u8>,
}

#[async_trait]
impl Outbox for Letters {
    async fn message(&self, claim: &Claim) -> Result<Message, MessageError> {
        let address = claim.recipient.address.to_string();
        if address.starts_with("panic") {
            panic!("asked to");
        }
        if address.starts_with("nocompose") {
            return Err(MessageError::Compose("asked to".into()));
        }
        let head = format!("Message-ID: <{}>\r\nTo: {address}\r\nSubject: agenda\r\n\r\n", claim.message_id);
        Ok(Message {
            sender: EmailAddress::parse("bounce@office.example").unwrap(),
            head: head.into_bytes(),
            tail: self.body.as_slice().into(),
        })
    }
}

fn july() -> Timestamp {
    "2026-07-04T06:00:00Z".parse().unwrap()
}

fn agenda() -> IssueKey {
    IssueKey::parse("agenda/2026-W28").unwrap()
}

/// Long enough for a busy machine, short enough for a test.
fn impatient() -> Timeouts {
    let second = Duration::from_secs(1);
    Timeouts {
        connect: second,
        greeting: second,
        command: second,
        data: second,
        block: second,
        dot: second,
        farewell: second / 4,
    }
}

struct Office {
    relay: SmtpRelay,
    ledger: Arc<MemoryLedger>,
    clock: Clock,
    settings: Settings,
    url: String,
    body: Vec<u8>,
}

impl Office {
    async fn writing_to(addresses: &[&str], options: Options) -> Self {
        let relay = SmtpRelay::start(options).await;
        let clock = Clock::manual(july());
        let ledger = Arc::new(MemoryLedger::new(&agenda(), addresses, clock.now()));
        let settings = Settings { connections: 1, timeouts: impatient(), ..Settings::default() };
        let url = relay.url();
        Self { relay, ledger, clock, settings, url, body: b"Bonjour,\r\n.. un point.\r\n.\r\nfin\r\n".repeat(4) }
    }

    fn deliverer(&self) -> Deliverer {
        let store: Arc<dyn Store> = self.ledger.clone();
        let outbox = Arc::new(Letters { body: self.body.clone() });
        let relay: Relay = self.url.parse().unwrap();
        Deliverer::new(store, outbox, relay, self.clock.clone(), self.settings.clone(), "this daemon".into()).unwrap()
    }

    /// One run, then the oracles.
    async fn send(&self) -> Summary {
        let summary = self.deliverer().deliver(None, &CancellationToken::new(), &|_| {}).await.unwrap();
        self.check();
        summary
    }

    /// O1 to O4, O6 of the faults page.
    fn check(&self) {
        let rows = self.ledger.rows();
        let seen = self.relay.seen();
        for row in &rows.rows {
            let address = row.claim.recipient.address.to_string();
            let accepted: Vec<_> = seen.accepted.iter().filter(|a| a.recipient == address).collect();
            assert!(accepted.len() <= 1, "{address} was accepted {} times", accepted.len());
            match row.state {
                State::Sent => assert_eq!(accepted.len(), 1, "{address} is sent, the relay has nothing"),
                State::Unknown => {}
                State::Claimed | State::InData => panic!("{address} was left {}", row.state),
                _ => assert_eq!(accepted.len(), 0, "{address} is {}, the relay accepted it", row.state),
            }
            for one in accepted {
                assert_eq!(one.message_id, format!("<{}>", row.claim.message_id));
                assert!(one.bytes.ends_with(&self.body), "{address}: other bytes than were written");
                let other = rows.rows.iter().find(|other| {
                    let other = other.claim.recipient.address.to_string();
                    other != address && one.bytes.windows(other.len()).any(|w| w == other.as_bytes())
                });
                assert!(other.is_none(), "{address} received another's message");
            }
        }
        for one in &seen.accepted {
            assert!(rows.rows.iter().any(|r| format!("<{}>", r.claim.message_id) == one.message_id));
        }
    }

    fn state(&self, address: &str) -> State {
        self.ledger.row(address).state
    }

    /// Phase, code and outcome of the last attempt.
    fn last(&self, address: &str) -> (Phase, Option<u16>, &'static str) {
        let row = self.ledger.row(address);
        let attempt = row.attempts.last().unwrap();
        (attempt.phase, attempt.reply.code, attempt.outcome.as_str())
    }

    fn suppressed(&self, address: &str) -> bool {
        self.ledger.rows().suppressed.contains(address)
    }
}

#[tokio::test]
async fn a_message_arrives_byte_for_byte_and_is_sent() {
    let office = Office::writing_to(&["a@x.example", "b@x.example", "c@x.example"], Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, office.ledger.counts().sent), (3, 3));
    assert_eq!(office.relay.seen().connections, 1);
}

#[tokio::test]
async fn without_pipelining_too() {
    let options = Options { pipelining: false, ..Options::default() };
    let office = Office::writing_to(&["a@x.example", "f550@x.example", "b@x.example"], options).await;
    assert_eq!((office.send().await.sent, office.relay.seen().connections), (2, 1));
}

#[tokio::test]
async fn nothing_due_opens_no_connection() {
    let office = Office::writing_to(&[], Options::default()).await;
    assert_eq!(office.send().await, Summary::default());
    assert_eq!(office.relay.seen().connections, 0);
}

#[tokio::test]
async fn s01_connection_refused_leaves_all_queued_and_counts_against_nobody() {
    let mut office = Office::writing_to(&["a@x.example", "b@x.example"], Options::default()).await;
    office.url = "smtp://127.0.0.1:1?tls=none".into();
    let summary = office.send().await;
    let trouble = summary.breaker.unwrap();
    assert_eq!(trouble.phase, Phase::Connect);
    assert!(trouble.in_french.contains("injoignable"), "{}", trouble.in_french);
    assert_eq!(office.ledger.counts().queued, 2);
    assert!(office.ledger.rows().rows.iter().all(|row| row.attempts.is_empty() && row.claim.deferrals == 0));
}

#[tokio::test]
async fn s02_a_421_greeting_opens_the_breaker_after_one_connection() {
    let options = Options { greeting: Some("421 4.3.2 shutting down".into()), ..Options::default() };
    let mut office = Office::writing_to(&["a@x.example", "b@x.example", "c@x.example"], options).await;
    office.settings.connections = 4;
    let summary = office.send().await;
    assert_eq!(summary.breaker.unwrap().reply.code, Some(421));
    assert_eq!((office.ledger.counts().queued, office.relay.seen().connections), (3, 1));
}

#[tokio::test]
async fn s03_a_relay_of_two_connections_gets_two_and_all_are_sent() {
    let addresses: Vec<String> = (0..60).map(|n| format!("slow5+{n}@x.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut office = Office::writing_to(&addresses, Options { max_connections: 2, ..Options::default() }).await;
    office.settings.connections = 5;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.breaker), (60, None));
    let seen = office.relay.seen();
    assert_eq!((seen.peak, seen.turned_away), (2, 1), "asked once more, then never again");
}

#[tokio::test]
async fn s04_a_450_defers_that_one_and_the_connection_goes_on() {
    let office = Office::writing_to(&["a@x.example", "f450@x.example", "b@x.example"], Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred), (2, 1));
    assert_eq!(office.last("f450@x.example"), (Phase::Rcpt, Some(450), "deferred"));
    let row = office.ledger.row("f450@x.example");
    assert_eq!((row.state, row.claim.deferrals), (State::Queued, 1));
    assert!(!row.attempts[0].reply.text.contains("f450@"), "{}", row.attempts[0].reply.text);
    assert_eq!(office.relay.seen().connections, 1);
}

#[tokio::test]
async fn s05_greylisting_is_asked_again_after_five_minutes_and_sent_once() {
    let office = Office::writing_to(&["grey1@x.example"], Options::default()).await;
    assert_eq!(office.send().await.deferred, 1);
    office.clock.advance(TimeDelta::minutes(5));
    assert_eq!(office.send().await, Summary::default(), "not before five minutes and a tenth");
    office.clock.advance(TimeDelta::minutes(1));
    assert_eq!(office.send().await.sent, 1);
    assert_eq!(office.ledger.row("grey1@x.example").claim.attempt, 2);
}

#[tokio::test]
async fn s05_the_waits_grow_with_each_deferral() {
    let office = Office::writing_to(&["f450@x.example"], Options::default()).await;
    for minutes in [5, 30, 120, 180, 180] {
        office.send().await;
        let wait = office.ledger.row("f450@x.example").next_at - office.clock.now();
        let step = TimeDelta::minutes(minutes);
        assert!(wait >= step * 11 / 10 && wait <= step * 12 / 10, "{wait} for {minutes} min");
        office.clock.advance(wait);
    }
}

#[tokio::test]
async fn s06_a_452_at_data_is_queued_although_it_is_marked() {
    let office = Office::writing_to(&["d452@x.example", "a@x.example"], Options::default()).await;
    office.send().await;
    assert_eq!(office.last("d452@x.example"), (Phase::Data, Some(452), "deferred"));
    assert_eq!((office.state("a@x.example"), office.relay.seen().connections), (State::Sent, 1));
}

#[tokio::test]
async fn s07_a_dead_address_is_failed_and_suppressed() {
    let dead = ["f550@x.example", "t-ofr416@x.example", "t-lpn420@x.example", "latin1@x.example"];
    let office = Office::writing_to(&dead, Options::default()).await;
    assert_eq!(office.send().await.failed, 4);
    for address in dead {
        assert!(office.state(address) == State::Failed && office.suppressed(address), "{address}");
    }
}

#[tokio::test]
async fn s08_a_full_mailbox_is_failed_for_this_issue_and_not_suppressed() {
    let full = ["f552@x.example", "t-ofr417@x.example"];
    let office = Office::writing_to(&full, Options::default()).await;
    assert_eq!(office.send().await.failed, 2);
    for address in full {
        assert!(office.state(address) == State::Failed && !office.suppressed(address), "{address}");
    }
}

#[tokio::test]
async fn s09_content_refused_three_times_pauses_the_issue() {
    let addresses =
        ["a@x.example", "e554@x.example", "t-ofr506@x.example", "e554+2@x.example", "y@x.example", "z@x.example"];
    let office = Office::writing_to(&addresses, Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.failed, summary.paused.len()), (3, 1));
    assert!(office.ledger.rows().suppressed.is_empty());
    assert_eq!(office.ledger.issue_state(&agenda()).0, IssueState::Paused);
    assert_eq!(office.state("z@x.example"), State::Queued);
}

#[tokio::test]
async fn s10_a_refusal_of_us_fails_nobody_and_pauses_the_issue() {
    for address in ["t-out515", "t-gmail26", "t-lpn517", "t-ofr102", "t-ofr405"] {
        let address = format!("{address}@x.example");
        let office = Office::writing_to(&["a@x.example", &address, "z@x.example"], Options::default()).await;
        let summary = office.send().await;
        assert_eq!((summary.failed, summary.paused.len(), summary.breaker), (0, 1, None), "{address}");
        assert!(summary.paused[0].reason.contains("notre configuration"), "{}", summary.paused[0].reason);
        assert_eq!(office.state(&address), State::Queued);
        assert_eq!(office.ledger.row(&address).claim.deferrals, 0);
        assert_eq!(office.state("z@x.example"), State::Queued);
        assert!(office.ledger.rows().suppressed.is_empty());
    }
}

#[tokio::test]
async fn s11_a_drop_at_data_is_queued_not_unknown() {
    let office = Office::writing_to(&["dropdata@x.example", "a@x.example"], Options::default()).await;
    office.send().await;
    assert_eq!(office.last("dropdata@x.example"), (Phase::Data, None, "deferred"));
    assert_eq!(office.state("a@x.example"), State::Sent);
}

/// The attempt's own note of how far it came decides; with a large message the dot is never handed over.
#[tokio::test]
async fn s12_a_drop_in_the_body_is_queued_unless_the_dot_was_handed_over() {
    for size in [2_000, 8_000_000] {
        let mut office = Office::writing_to(&["dropmid@x.example", "a@x.example"], Options::default()).await;
        office.body = b"une ligne de texte\r\n".repeat(size / 20);
        office.send().await;
        match office.last("dropmid@x.example") {
            (Phase::Body, _, outcome) => assert_eq!(outcome, "deferred"),
            (Phase::Dot, _, outcome) => assert!(outcome == "unknown" && size == 2_000, "{size}: {outcome}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(office.state("a@x.example"), State::Sent);
    }
}

#[tokio::test]
async fn s13_s14_a_drop_after_the_dot_is_unknown_and_never_repeated() {
    let office = Office::writing_to(&["dropdot@x.example", "dropafter@x.example"], Options::default()).await;
    assert_eq!(office.send().await.unknown, 2);
    assert_eq!((office.relay.accepted("dropdot@x.example"), office.relay.accepted("dropafter@x.example")), (0, 1));
    office.clock.advance(TimeDelta::days(1));
    assert_eq!(office.send().await, Summary::default());
}

#[tokio::test]
async fn s15_a_slow_reply_to_the_dot_is_waited_for() {
    let mut office = Office::writing_to(&["slow1500@x.example"], Options::default()).await;
    office.settings.timeouts.dot = Duration::from_secs(20);
    assert_eq!(office.send().await.sent, 1);
}

#[tokio::test]
async fn s16_no_reply_to_the_dot_is_unknown_and_holds_up_no_other_connection() {
    let mut office = Office::writing_to(&["hang@x.example", "a@x.example", "b@x.example"], Options::default()).await;
    office.settings.connections = 2;
    let summary = office.send().await;
    assert_eq!((summary.unknown, summary.sent), (1, 2));
    assert_eq!(office.last("hang@x.example"), (Phase::Dot, None, "unknown"));
}

#[tokio::test]
async fn s17_a_slow_banner_opens_the_breaker() {
    let options = Options { banner_delay: Duration::from_secs(30), ..Options::default() };
    let office = Office::writing_to(&["a@x.example"], options).await;
    assert_eq!(office.send().await.breaker.unwrap().phase, Phase::Connect);
    assert_eq!(office.state("a@x.example"), State::Queued);
}

#[tokio::test]
async fn s18_a_421_at_rcpt_defers_that_one_and_a_new_connection_goes_on() {
    let office = Office::writing_to(&["multi421@x.example", "f421@x.example", "a@x.example"], Options::default()).await;
    let summary = office.send().await;
    assert_eq!((summary.sent, summary.deferred, summary.breaker), (1, 2, None));
    assert_eq!(office.last("multi421@x.example"), (Phase::Rcpt, Some(421), "deferred"));
    assert_eq!(office.ledger.row("multi421@x.example").attempts[0].reply.text, "4.7.0 slow down 4.7.0 closing");
}

#[tokio::test]
async fn s19_what_is_no_reply_is_queued_before_the_body_and_unknown_after_the_dot() {
    let addresses = ["garbage@x.example", "long@x.example", "badreply@x.example", "a@x.example"];
    let office = Office::writing_to(&addresses, Options::default()).await;
    office.send().await;
    assert_eq!(office.last("garbage@x.example"), (Phase::Rcpt, None, "deferred"));
    assert_eq!(office.last("long@x.example"), (Phase::Rcpt, None, "deferred"));
    assert_eq!(office.last("badreply@x.example"), (Phase::Dot, None, "unknown"));
    assert_eq!(office.state("a@x.example"), State::Sent);
}
