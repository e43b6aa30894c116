//! Sends messages through the relay, and records the outcome of each.
//!
//! The life of one delivery, in [`worker`]: claim (T1), MAIL and RCPT, marker committed (T5), message by DATA or BDAT,
//! reply committed (T6, T7, T8). Only then comes the next message on that connection, whose MAIL and RCPT were pipelined
//! behind the end of the last one. Several connections work concurrently; [`group_commit`] writes their markers and results
//! together, so that they share a disk flush.
//!
//! Rules:
//! - nothing of a message is sent before its marker is durable, and a message that may have arrived is never repeated;
//! - a refusal of *us* fails no delivery: it is queued again and the issue pauses;
//! - a provider that throttles slows only its own family of recipients ([`lanes`]);
//! - an unreachable relay counts no attempts: claims are released, and the caller is notified once;
//! - the first messages of an issue are answered before any other is claimed ([`canary`], docs/adr/0016);
//! - addresses are never logged.

mod canary;
mod capture;
mod claims;
mod group_commit;
mod lanes;
mod pace;
mod probe;
mod refusals;
mod relay;
mod reply;
mod run;
mod session;
mod smtp;
mod wire;
mod worker;

pub use pace::{Breaker, Pace};
pub use probe::{Probe, probe};
pub use relay::{InvalidRelay, Login, Relay, SmtpRelay, Tls};
pub use smtp::hello;

pub use crate::domain::classify::{Class, Classification, PauseScope, Throttle, classify};

use self::{
    session::Session,
    smtp::{ConnectError, SmtpError},
};
use crate::{
    clock::Clock,
    domain::{
        delivery::{Claim, Finished, Phase, Reply},
        email::EmailAddress,
        issue::IssueKey,
        lane::Lanes,
        message::Message,
    },
    store::{Store, StoreError},
    trust::{self, Authorities},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio_rustls::{TlsConnector, rustls};
use tokio_util::sync::CancellationToken;

/// Builds the bytes of a delivery from frozen content: the same bytes each time. Implemented in `outbox.rs`.
#[async_trait]
pub trait Outbox: Send + Sync {
    async fn message(&self, claim: &Claim) -> Result<Message, MessageError>;
}

#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The frozen content could not be read now: not the fault of one delivery, so sending stops.
    #[error("cannot read the frozen issue")]
    Store(#[source] StoreError),
    /// This message cannot be built; after the second try the delivery fails.
    #[error("cannot make the message: {0}")]
    Compose(String),
}

/// Timeout of each step. RFC 5321 4.5.3.2 with Postfix's values; tests shorten them.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Connecting to one address of the relay.
    pub connect: Duration,
    /// The greeting, and the TLS handshake.
    pub greeting: Duration,
    /// EHLO, AUTH, MAIL, RCPT, RSET.
    pub command: Duration,
    pub data: Duration,
    /// One write of the message.
    pub block: Duration,
    /// The reply to the message, after its last byte. A shorter timeout makes unknown deliveries out of slow replies.
    pub dot: Duration,
    /// QUIT, and reading the reason when the relay closes the connection.
    pub farewell: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(60),
            command: Duration::from_secs(60),
            data: Duration::from_secs(120),
            block: Duration::from_secs(180),
            dot: Duration::from_secs(600),
            farewell: Duration::from_secs(2),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// Maximum concurrent connections; the relay may allow fewer.
    pub connections: usize,
    /// How many messages of an issue are sent and answered before the rest (docs/adr/0016); 0: none, and an issue of no more
    /// recipients has none.
    pub canary: u32,
    /// Maximum claims at once: more than the relay accepts within a lease would only be released again.
    pub claim_batch: u32,
    /// Messages per connection. 100 is what Orange and La Poste allow.
    pub messages_per_connection: u32,
    pub timeouts: Timeouts,
    pub pace: Pace,
    /// Families of recipients and their limits.
    pub lanes: Lanes,
    /// Consecutive issues that a full mailbox did not take, after which the address is suppressed.
    pub soft_limit: usize,
    /// Interval at which a run reads changes of the lanes by other daemons or a person.
    pub look_at_lanes: Duration,
    /// Trusted beside the system's certificates.
    pub authorities: Authorities,
    /// Instead of both, for tests.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 4,
            canary: 0,
            claim_batch: 256,
            messages_per_connection: 100,
            timeouts: Timeouts::default(),
            pace: Pace::default(),
            lanes: Lanes::default(),
            soft_limit: 5,
            look_at_lanes: Duration::from_secs(5),
            authorities: Authorities::default(),
            tls: None,
        }
    }
}

/// The result of one call of [`Deliverer::deliver`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub sent: u64,
    pub failed: u64,
    /// Queued again for later.
    pub deferred: u64,
    pub unknown: u64,
    /// Opted out between the claim and the marker.
    pub suppressed: u64,
    /// Issues that were paused, and why, in French.
    pub paused: Vec<Paused>,
    /// The relay as a whole failed: claims are queued again without counting an attempt. Notify staff once; a [`Breaker`]
    /// decides when to call again.
    pub breaker: Option<RelayTrouble>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub issue: IssueKey,
    pub reason: String,
}

/// Why the circuit to the relay opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTrouble {
    pub phase: Phase,
    pub reply: Reply,
}

impl Summary {
    /// Deliveries that were tried, whatever their outcome.
    pub fn tried(&self) -> u64 {
        self.sent + self.failed + self.deferred + self.unknown + self.suppressed
    }
}

impl std::fmt::Display for RelayTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.reply.code.map(|c| format!("{c} ")).unwrap_or_default();
        write!(f, "{}: {code}{}", self.phase.as_str(), self.reply.text)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// All results of the relay were written before this is returned; nothing more was claimed.
    #[error("the ledger could not be read or written")]
    Store(#[source] StoreError),
    #[error("cannot prepare TLS")]
    Tls(#[source] rustls::Error),
}

/// Everything needed to send, for the lifetime of the daemon.
#[derive(Clone)]
pub struct Deliverer {
    store: Arc<dyn Store>,
    outbox: Arc<dyn Outbox>,
    relay: Arc<Relay>,
    clock: Clock,
    settings: Arc<Settings>,
    tls: TlsConnector,
    /// Identifies this daemon: new at every start.
    owner: String,
    /// Deliveries at which our own code failed; they fail at the second time.
    internal_failures: Arc<run::InternalFailures>,
    /// The lanes, shared by its connections.
    limiter: Arc<lanes::Limiter>,
}

impl Deliverer {
    /// # Errors
    /// When the system's trusted certificates cannot be read.
    pub fn new(
        store: Arc<dyn Store>,
        outbox: Arc<dyn Outbox>,
        relay: Relay,
        clock: Clock,
        settings: Settings,
        owner: String,
    ) -> Result<Self, DeliverError> {
        let tls = match &settings.tls {
            Some(config) => Arc::clone(config),
            None => Arc::new(trust::client(&settings.authorities).map_err(DeliverError::Tls)?),
        };
        let limiter = Arc::new(lanes::Limiter::new(settings.lanes.clone(), settings.look_at_lanes));
        let (relay, settings) = (Arc::new(relay), Arc::new(settings));
        let (internal_failures, tls) = (Arc::default(), TlsConnector::from(tls));
        Ok(Self { store, outbox, relay, clock, settings, tls, owner, internal_failures, limiter })
    }

    /// Sends due deliveries until nothing is due, the relay fails as a whole, or `stop` is cancelled: then nothing more is
    /// claimed, deliveries past their marker are finished, the others released (T2). `only`: of that issue.
    ///
    /// `progress` is called with each attempt once its result is durable.
    ///
    /// # Errors
    /// When the database could not be read or written.
    pub async fn deliver(
        &self,
        only: Option<&IssueKey>,
        stop: &CancellationToken,
        progress: &(dyn Fn(&Finished) + Send + Sync),
    ) -> Result<Summary, DeliverError> {
        run::deliver(self, only, stop, progress).await
    }
}

impl Deliverer {
    /// Greets the relay as for a message, logs in, and leaves: whether it would take mail now. Opens the folder of `capture:`.
    ///
    /// # Errors
    /// What the relay said, or where it was lost.
    pub async fn greet(&self) -> Result<(), RelayTrouble> {
        greet_with(&self.relay, &self.tls, &self.settings.timeouts).await
    }

    /// Sends one message that is not a delivery: a mail to staff. No marker, no ledger; the caller may repeat it.
    ///
    /// # Errors
    /// The relay's reply, or where the connection was lost.
    pub async fn hand_over(&self, outgoing: &OutgoingMessage<'_>) -> Result<(), NotHandedOver> {
        let failed = |phase: Phase, reply: Reply| NotHandedOver { phase, code: reply.code, text: reply.text };
        let mut session = Session::open(&self.relay, &self.tls, &self.settings.timeouts)
            .await
            .map_err(|closed| failed(closed.phase, closed.reply))?;
        let lost = |interrupted: SmtpError| failed(interrupted.phase(), interrupted.reply());
        session.envelope(outgoing).await.map_err(lost)?;
        let answer = session.transfer(outgoing, None).await.map_err(lost)?;
        session.quit().await;
        if answer.is_positive() { Ok(()) } else { Err(failed(Phase::Dot, answer.reply())) }
    }
}

/// As [`Deliverer::greet`], without a ledger and with shorter time limits, for a person who waits.
///
/// # Errors
/// The relay's reply, or where the connection was lost.
pub async fn greet(relay: &Relay, authorities: &Authorities) -> Result<(), RelayTrouble> {
    let at_tls = |why: rustls::Error| RelayTrouble { phase: Phase::Tls, reply: reply::no_reply(&why.to_string()) };
    let tls = TlsConnector::from(Arc::new(trust::client(authorities).map_err(at_tls)?));
    let limit = Duration::from_secs(15);
    let timeouts = Timeouts { connect: limit, greeting: limit, command: limit, ..Timeouts::default() };
    greet_with(relay, &tls, &timeouts).await
}

async fn greet_with(relay: &Relay, tls: &TlsConnector, timeouts: &Timeouts) -> Result<(), RelayTrouble> {
    let opened = Session::open(relay, tls, timeouts).await;
    let mut session = opened.map_err(|ConnectError { phase, reply }| RelayTrouble { phase, reply })?;
    let answered = session.noop().await;
    session.quit().await;
    answered.map_err(|reply| RelayTrouble { phase: Phase::Ehlo, reply })
}

/// A message to one address. `id` names it for a person who reads a captured file.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingMessage<'a> {
    pub id: &'a str,
    pub to: &'a EmailAddress,
    pub message: &'a Message,
}

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
#[error("the relay did not take it ({}): {}{text}", phase.as_str(), code.map(|c| format!("{c} ")).unwrap_or_default())]
pub struct NotHandedOver {
    pub phase: Phase,
    pub code: Option<u16>,
    pub text: String,
}

impl NotHandedOver {
    /// As [`RelayTrouble`] words it.
    pub fn trouble(&self) -> String {
        let reply = Reply { code: self.code, enhanced: None, text: self.text.clone() };
        RelayTrouble { phase: self.phase, reply }.to_string()
    }
}
