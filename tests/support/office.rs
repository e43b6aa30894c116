//! An office that sends an agenda through the misbehaving relay, and the oracles for its results.

use super::{
    ledger::{self, Ledger},
    smtp::{Options, SmtpRelay},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use semainier::store::testing::Shortcuts;
use semainier::{
    clock::Clock,
    deliver::{DeliverError, Deliverer, MessageError, Outbox, Relay, Settings, Summary, Timeouts},
    domain::{
        Timestamp,
        delivery::{Claim, Finished, Phase, State},
        email::EmailAddress,
        issue::{Counts, IssueKey, IssueState, IssueSummary},
        message::{Message, Shared},
        partner::{NewContact, SuppressionReason},
    },
    store::{LogFilter, LoggedDelivery, Store},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Makes small messages whose bytes depend on nothing but the delivery. The local part of the recipient asks for what may
/// happen meanwhile: `panic`, `nocompose`, `optsout`, `late` (the lease runs out), `paused`.
pub struct Letters {
    pub body: Arc<Shared>,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
}

#[async_trait]
impl Outbox for Letters {
    async fn message(&self, claim: &Claim) -> Result<Message, MessageError> {
        let address = claim.recipient.address.to_string();
        let now = self.clock.now();
        match address.split(['@', '+']).next() {
            Some("panic") => panic!("asked to"),
            Some("nocompose") => return Err(MessageError::Compose("asked to".into())),
            Some("optsout") => {
                let hash = hash_of(&address);
                self.store.suppress(&hash, Some("agenda"), SuppressionReason::OptOut, now).await.unwrap();
            }
            Some("late") if claim.attempt == 1 => self.clock.advance(TimeDelta::minutes(2)),
            Some("paused") => {
                let from = [IssueState::Sending];
                self.store.set_issue_state(&claim.issue, &from, IssueState::Paused, None, now).await.unwrap();
            }
            _ => {}
        }
        let head = format!("Message-ID: <{}>\r\nTo: {address}\r\nSubject: agenda\r\n\r\n", claim.message_id);
        let sender = EmailAddress::parse("bounce@office.example").unwrap();
        Ok(Message::woven(sender, &self.body, |_, out| out.extend_from_slice(head.as_bytes())))
    }
}

/// Long enough for a busy machine, short enough for a test.
pub fn impatient() -> Timeouts {
    let limit = Duration::from_millis(1500);
    Timeouts {
        connect: limit,
        greeting: limit,
        command: limit,
        data: limit,
        block: limit,
        dot: limit,
        farewell: limit / 5,
    }
}

pub fn hash_of(address: &str) -> String {
    format!("hash of {}", address.to_ascii_lowercase())
}

pub struct Office {
    pub relay: SmtpRelay,
    pub ledger: Ledger,
    pub issue: IssueKey,
    pub clock: Clock,
    pub settings: Settings,
    pub url: String,
    pub body: Arc<[u8]>,
    recipients: usize,
    /// More than the first.
    issues: usize,
}

impl Office {
    pub async fn writing_to(ledger: Ledger, addresses: &[&str], options: Options) -> Self {
        let relay = SmtpRelay::start(options).await;
        let clock = Clock::manual(ledger::at(0));
        let contacts: Vec<NewContact> = addresses.iter().map(|address| contact(address)).collect();
        ledger.store.import_contacts(&contacts, &["agenda".into()], "test", false, clock.now()).await.unwrap();
        let issue = ledger::new_issue("2026-W28");
        ledger.store.freeze_issue(&issue, clock.now()).await.unwrap();
        let settings = Settings { connections: 1, timeouts: impatient(), ..Settings::default() };
        let url = relay.url();
        let body = b"Bonjour,\r\n.. un point.\r\n.\r\nfin\r\n".repeat(4).into();
        Self { relay, ledger, issue: issue.key, clock, settings, url, body, recipients: addresses.len(), issues: 0 }
    }

    /// The next week's agenda, frozen for the same partners.
    pub async fn another_issue(&mut self) {
        self.issues += 1;
        let issue = ledger::new_issue(&format!("2026-W{}", 28 + self.issues));
        self.ledger.store.freeze_issue(&issue, self.clock.now()).await.unwrap();
        self.issue = issue.key;
    }

    /// One run, then the oracles.
    pub async fn send(&self) -> Summary {
        let summary = self.try_send(&CancellationToken::new(), &|_| {}).await.unwrap();
        self.check().await;
        summary
    }

    pub async fn try_send(
        &self,
        stop: &CancellationToken,
        progress: &(dyn Fn(&Finished) + Send + Sync),
    ) -> Result<Summary, DeliverError> {
        let deliverer =
            deliverer(&self.ledger.store, &self.url, &self.clock, &self.settings, &self.body, "this daemon");
        deliverer.deliver(None, stop, progress).await
    }

    /// The oracles O1 to O4 and O6: nobody lost, nobody twice, `sent` was accepted and nothing else was, no row is left
    /// in somebody's hands, every accepted message is ours and whole, and only its own recipient's.
    pub async fn check(&self) {
        let log = self.log().await;
        assert_eq!(log.len(), self.recipients * (1 + self.issues));
        assert_eq!(self.counts().await.total(), self.recipients as u64);
        let seen = self.relay.seen();
        for delivery in &log {
            let LoggedDelivery { address, state, resends, message_id, .. } = delivery;
            let id = format!("<{message_id}>");
            let accepted: Vec<_> = seen.accepted.iter().filter(|it| it.message_id == id).collect();
            assert!(accepted.len() <= 1 + *resends as usize, "{address} was accepted {} times", accepted.len());
            match state {
                State::Sent => assert!(!accepted.is_empty(), "{address} is sent, the relay has nothing"),
                State::Unknown => {}
                State::Claimed | State::InData => panic!("{address} was left {state}"),
                _ => assert!(accepted.is_empty(), "{address} is {state}, the relay accepted it"),
            }
            for it in accepted {
                assert_eq!(it.recipient, *address);
                assert!(it.bytes.ends_with(&self.body), "{address}: other bytes than were written");
                assert_eq!(it.bytes.windows(4).filter(|w| w == b"To: ").count(), 1);
                assert!(it.bytes.windows(address.len()).any(|w| w == address.as_bytes()), "{address}: another's");
            }
        }
        let ours = |id: &str| log.iter().any(|delivery| format!("<{}>", delivery.message_id) == id);
        assert!(seen.accepted.iter().all(|it| ours(&it.message_id)));
    }

    pub async fn log(&self) -> Vec<LoggedDelivery> {
        self.ledger.store.log(&LogFilter::default()).await.unwrap()
    }

    pub async fn row(&self, address: &str) -> LoggedDelivery {
        self.log().await.into_iter().find(|it| it.address == address).unwrap()
    }

    pub async fn state(&self, address: &str) -> State {
        self.row(address).await.state
    }

    pub async fn issue(&self) -> IssueSummary {
        self.ledger.store.issue(&self.issue).await.unwrap().unwrap()
    }

    pub async fn counts(&self) -> Counts {
        self.issue().await.counts
    }

    /// Phase, code and outcome of the last attempt.
    pub async fn last(&self, address: &str) -> (Phase, Option<u16>, String) {
        let attempt = self.row(address).await.attempts.pop().unwrap();
        (attempt.phase, attempt.code, attempt.outcome)
    }

    pub async fn suppressed(&self, address: &str) -> bool {
        let store = &self.ledger.store;
        let contacts = [contact(address)];
        store.import_contacts(&contacts, &[], "test", true, self.clock.now()).await.unwrap().suppressed == 1
    }

    /// How long a queued delivery still waits.
    pub async fn wait(&self, address: &str) -> TimeDelta {
        let next_at: Timestamp = self.row(address).await.next_at.unwrap();
        next_at - self.clock.now()
    }
}

pub fn deliverer(
    store: &Arc<dyn Store>,
    relay: &str,
    clock: &Clock,
    settings: &Settings,
    body: &Arc<[u8]>,
    owner: &str,
) -> Deliverer {
    let outbox =
        Letters { body: Arc::new(Shared::new(vec![body[..].into()])), store: Arc::clone(store), clock: clock.clone() };
    let relay: Relay = relay.parse().unwrap();
    Deliverer::new(Arc::clone(store), Arc::new(outbox), relay, clock.clone(), settings.clone(), owner.into()).unwrap()
}

fn contact(address: &str) -> NewContact {
    NewContact::new(EmailAddress::parse(address).unwrap(), hash_of(address), "", "", "")
}
