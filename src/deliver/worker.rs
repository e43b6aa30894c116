//! The work of one connection: message after message, each by the same steps.
//!
//! The order must not change (T1, T5, T6): marker durable before DATA or BDAT, result durable before the DATA of the next
//! message (docs/adr/0007). The envelope of the next message is pipelined behind the end of the last one, which saves a
//! round trip (docs/adr/0008); nothing of the message itself is. Whatever happens to one delivery, even a panic in our
//! code, puts that delivery in the right state and affects no other.

use super::{
    MessageError, OutgoingMessage,
    lanes::{self, Permit},
    refusals::Refusal,
    reply::no_reply,
    run::{PooledConnection, Run},
    smtp::{ConnectError, SmtpError},
};
use crate::domain::pause::PauseReason;
use crate::domain::pause::SenderFault;
use crate::notices::wording;
use crate::{
    domain::{
        classify::{Class, Classification, PauseScope, classify},
        delivery::{Claim, Finished, Marked, Outcome, Phase, Reply},
        lane::LaneTrouble,
        message::Message,
    },
    failpoint,
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc};
use tracing::{Instrument, Span, debug, info, info_span};

/// A claimed delivery with its message, and its place in its lane.
struct Item {
    claim: Claim,
    message: Message,
    permit: Permit,
}

impl Item {
    /// Releases its place in the lane.
    fn over(self) -> Claim {
        self.claim
    }

    fn outgoing(&self) -> OutgoingMessage<'_> {
        OutgoingMessage { id: &self.claim.id.0, to: &self.claim.recipient.address, message: &self.message }
    }
}

/// The result of working on one delivery.
enum Ended {
    /// A result for the ledger.
    With(Box<(Finished, Consequence)>),
    /// Suppressed, or claimed by another daemon: the ledger knows.
    Elsewhere,
    /// Released before the marker (T2).
    Released,
    /// No connection for it: left to others, or to a later run.
    NoConnection,
}

/// Consequences of a reply beyond its own delivery.
#[derive(Default)]
struct Consequence {
    /// Slows or stops the lane.
    lane: Option<LaneTrouble>,
    /// The lane whose trouble is over.
    lane_recovered: Option<Arc<str>>,
    /// The lane in which a refusal of the content is counted; empty for all domains of no family.
    content_refused: Option<String>,
    /// What the tables say of a refusal.
    class: Option<Class>,
    /// The mailbox is full; it may be so at every issue.
    soft: bool,
    /// Why the issue pauses.
    pause: Option<PauseReason>,
}

/// A delivery that reached its marker, or ended before.
struct Ready {
    item: Item,
    span: Span,
    /// The connection on which its envelope was pipelined.
    marked: Result<PooledConnection, Ended>,
    /// The delivery to pipeline behind it.
    following: Option<Item>,
}

pub(super) async fn work(run: Arc<Run>) {
    let mut connection = None;
    let mut next = ready(&run, &mut connection, None).await;
    while let Some(Ready { item, span, marked, following }) = next.take() {
        let ended = match marked {
            Ok(here) => {
                transfer_guarded(&run, &mut connection, here, &item, following.as_ref()).instrument(span.clone()).await
            }
            Err(ended) => ended,
        };
        let family = item.permit.is_family.then(|| Arc::clone(item.permit.lane()));
        // The conversation is over: its lane has capacity again, perhaps for this worker's next message.
        let claim = item.over();
        match ended {
            Ended::With(end) => {
                let (finished, consequence) = *end;
                let accepted = finished.outcome == Outcome::Accepted;
                let concluded = conclude(&run, finished, consequence, family).instrument(span);
                if accepted {
                    // The next envelope is sent while this result is written, so that its marker, which is written after
                    // the result, usually shares the write. `biased`, so that the result is handed over first.
                    next = tokio::join!(biased; concluded, ready(&run, &mut connection, following)).1;
                    continue;
                }
                concluded.await;
            }
            Ended::Elsewhere => {}
            Ended::Released => run.release(&[claim]).await,
            Ended::NoConnection => {
                put_back(&run, following).await;
                run.put_back(claim).await;
                break;
            }
        }
        // The reason may apply to the others too.
        put_back(&run, following).await;
        next = ready(&run, &mut connection, None).await;
    }
    if let Some(connection) = connection {
        leave(connection).await;
    }
}

async fn leave(mut connection: PooledConnection) {
    connection.session.quit().await;
}

async fn put_back(run: &Run, item: Option<Item>) {
    if let Some(item) = item {
        run.put_back(item.over()).await;
    }
}

/// The next delivery, up to its durable marker: the pipelined one, if there is one. `None`: there is none, or this
/// connection is over the connection limit.
async fn ready(run: &Run, connection: &mut Option<PooledConnection>, at_hand: Option<Item>) -> Option<Ready> {
    if run.is_over_connection_limit() || run.halt.is_cancelled() {
        put_back(run, at_hand).await;
        return None;
    }
    let item = match at_hand {
        Some(item) => item,
        None => next_item(run).await?,
    };
    let Claim { issue, id, attempt, .. } = &item.claim;
    let span = info_span!("delivery", %issue, %id, attempt);
    let mut following = None;
    let announced = announce_and_mark(run, connection, &item, &mut following);
    let announced = AssertUnwindSafe(announced).catch_unwind().instrument(span.clone());
    let marked = announced.await.unwrap_or_else(|_| {
        let finished = internal_failure(run, &item.claim, false, "panic before the message was sent");
        Err(Ended::With(Box::new((finished, Consequence::default()))))
    });
    Some(Ready { item, span, marked, following })
}

/// Claims deliveries and builds messages until one can be sent.
async fn next_item(run: &Run) -> Option<Item> {
    loop {
        let (claim, permit) = run.next().await?;
        if let Some(item) = made(run, claim, permit).await {
            return Some(item);
        }
    }
}

/// Builds the message of a claim. `None`: it could not be built, which is recorded.
async fn made(run: &Run, claim: Claim, permit: Permit) -> Option<Item> {
    let made = AssertUnwindSafe(run.it.outbox.message(&claim)).catch_unwind().await;
    let why = match made {
        Ok(Ok(message)) => return Some(Item { claim, message, permit }),
        Ok(Err(MessageError::Store(store_error))) => {
            // Sending stops.
            run.store_error(store_error);
            run.release(&[claim]).await;
            return None;
        }
        Ok(Err(error @ MessageError::Compose(_))) => error.to_string(),
        Err(_) => "panic while the message was made".to_owned(),
    };
    let finished = internal_failure(run, &claim, false, &why);
    conclude(run, finished, Consequence::default(), None).await;
    None
}

/// Writes the result and applies its consequences. If we are refused, the issue is paused first: its delivery is queued
/// again, and must not be claimed before.
async fn conclude(run: &Run, mut finished: Finished, consequence: Consequence, family: Option<Arc<str>>) {
    let issue = finished.claim.issue.clone();
    let unknown = finished.outcome == Outcome::Unknown;
    let accepted = finished.outcome == Outcome::Accepted;
    if let Some(trouble) = consequence.lane {
        run.throttle_lane(trouble).await;
    }
    if let Some(reason) = consequence.pause {
        run.pause(&issue, reason).await;
    }
    if consequence.soft && run.is_always_full(&finished.claim).await {
        finished.outcome = Outcome::Refused { suppress: true };
    }
    let refusal = Refusal::of(&finished, consequence.class, family.clone());
    log(&finished);
    run.commits.finish(finished).await;
    failpoint::reach("after_finish");
    if accepted {
        run.refusals.accepted(&issue, family.as_ref());
    }
    if let Some(refusal) = refusal {
        run.handle_refusal(&issue, &refusal).await;
    }
    if let Some(lane) = consequence.lane_recovered {
        run.lane_recovered(&lane).await;
    }
    if let Some(lane) = consequence.content_refused
        && run.content_refused(&issue, &lane).await
    {
        match lane.is_empty() {
            true => run.pause(&issue, PauseReason::TakenForSpam).await,
            false => {
                let why = wording::lane_takes_it_for_spam();
                run.throttle_lane(lanes::paused(&lane, why, &issue, false, run.it.clock.now())).await;
            }
        }
    }
    if unknown {
        run.pause_when_too_many_unknown(&issue).await;
    }
}

async fn transfer_guarded(
    run: &Run,
    connection: &mut Option<PooledConnection>,
    here: PooledConnection,
    item: &Item,
    following: Option<&Item>,
) -> Ended {
    // On a panic the connection is dropped: it is in use only inside.
    AssertUnwindSafe(transfer(run, connection, here, item, following)).catch_unwind().await.unwrap_or_else(|_| {
        let finished = internal_failure(run, &item.claim, true, "panic while the message was sent");
        Ended::With(Box::new((finished, Consequence::default())))
    })
}

/// F11: our own code failed at this delivery. Queued again once, then failed; after the marker it becomes unknown.
fn internal_failure(run: &Run, claim: &Claim, marked: bool, why: &str) -> Finished {
    let now = run.it.clock.now();
    let (phase, outcome) = match (marked, run.it.internal_failures.again(&claim.id)) {
        (true, _) => (Phase::Dot, Outcome::Unknown),
        (false, false) => (Phase::Connect, Outcome::SenderFault { next_at: now }),
        (false, true) => (Phase::Connect, Outcome::Refused { suppress: false }),
    };
    Finished { claim: claim.clone(), phase, reply: no_reply(&format!("internal: {why}")), outcome, at: now }
}

/// The steps of one delivery before anything of the message is sent. `connection` keeps the connection between two messages, not
/// during one. While the ledger writes, the message to be pipelined is built. `Err`: the delivery ended here.
async fn announce_and_mark(
    run: &Run,
    connection: &mut Option<PooledConnection>,
    item: &Item,
    following: &mut Option<Item>,
) -> Result<PooledConnection, Ended> {
    let claim = &item.claim;
    // Built in advance, while the message before it paused the issue.
    if run.is_stopped(&claim.issue) {
        return Err(Ended::Released);
    }
    let here = announce(run, connection, item).await?;
    failpoint::reach("after_rcpt");
    let can_follow = here.session.announces_ahead();
    let make_following = async {
        if can_follow && let Some((claim, permit)) = run.following(&item.permit).await {
            *following = made(run, claim, permit).await;
        }
    };
    match tokio::join!(biased; run.commits.mark(claim), make_following).0 {
        Some(Marked::InData) => Ok(here),
        Some(Marked::Lost) => {
            keep_after_reset(connection, here).await;
            Err(Ended::Released)
        }
        Some(Marked::Suppressed) => {
            run.suppressed();
            keep_after_reset(connection, here).await;
            Err(Ended::Elsewhere)
        }
        // The row may or may not be marked, but nothing was sent, and this process knows that (D08).
        None => {
            let reply = no_reply("the marker could not be written; nothing was sent");
            let outcome = Outcome::SenderFault { next_at: run.it.clock.now() };
            Err(finished(run, claim, Phase::Rcpt, reply, outcome, Consequence::default()))
        }
    }
}

/// Sends the message; its marker is durable.
async fn transfer(
    run: &Run,
    connection: &mut Option<PooledConnection>,
    mut here: PooledConnection,
    item: &Item,
    following: Option<&Item>,
) -> Ended {
    failpoint::reach("after_mark_in_data");
    let most = run.it.settings.messages_per_connection;
    let following = following.filter(|it| here.may_carry(&it.permit, most)).map(Item::outgoing);
    let handed = here.session.transfer(&item.outgoing(), following.as_ref()).await;
    failpoint::reach("after_reply");
    match handed {
        Ok(answer) => {
            run.conversation(Phase::Dot, None);
            *connection = Some(here);
            let lane = item.permit.lane();
            let past = run.it.limiter.has_past_trouble(lane, run.it.clock.now());
            let consequence = Consequence { lane_recovered: past.then(|| Arc::clone(lane)), ..Consequence::default() };
            finished(run, &item.claim, Phase::Dot, answer.reply(), Outcome::Accepted, consequence)
        }
        Err(interrupted) => conclude_interrupted(run, connection, here, item, interrupted).await,
    }
}

/// MAIL and RCPT, on the existing connection or a new one. `Err`: the delivery ended here.
async fn announce(
    run: &Run,
    connection: &mut Option<PooledConnection>,
    item: &Item,
) -> Result<PooledConnection, Ended> {
    loop {
        let most = run.it.settings.messages_per_connection;
        let mut here = match connection.take() {
            Some(here) if here.session.has_announced(&item.claim.id.0) || here.may_carry(&item.permit, most) => here,
            worn => {
                if let Some(worn) = worn {
                    leave(worn).await;
                }
                run.open().await.ok_or(Ended::NoConnection)?
            }
        };
        here.carry(&item.permit);
        let used = here.session.messages() > 0;
        let Some(said) = run.halt.run_until_cancelled(here.session.envelope(&item.outgoing())).await else {
            return Err(Ended::Released);
        };
        let interrupted = match said {
            Ok(()) => return Ok(here),
            Err(interrupted) => interrupted,
        };
        if used && is_connection_limit(&interrupted) {
            debug!(reply = %interrupted.reply().text, "the relay ended a used connection; a new one goes on");
            continue;
        }
        if is_before_recipient(&interrupted) {
            let (phase, reply) = (interrupted.phase(), interrupted.reply());
            drop(here);
            run.connection_refused(ConnectError { phase, reply });
            return Err(Ended::NoConnection);
        }
        return Err(conclude_interrupted(run, connection, here, item, interrupted).await);
    }
}

/// The relay closed a connection that had been used: a limit per connection, or a timeout. Not the delivery's fault.
fn is_connection_limit(interrupted: &SmtpError) -> bool {
    match interrupted {
        SmtpError::Lost { phase, .. } => *phase == Phase::Mail,
        SmtpError::Refused { phase, answer } => {
            answer.code == 421 && (*phase == Phase::Mail || classify(*phase, &answer.reply()).per_connection)
        }
        SmtpError::Unsupported(_) => false,
    }
}

/// A deferral or a lost connection at MAIL: no recipient had been named.
fn is_before_recipient(interrupted: &SmtpError) -> bool {
    match interrupted {
        SmtpError::Lost { phase, .. } => *phase == Phase::Mail,
        SmtpError::Refused { phase, answer } => *phase == Phase::Mail && answer.code < 500,
        SmtpError::Unsupported(_) => false,
    }
}

/// Classifies the failure of a message, and keeps the connection if possible.
async fn conclude_interrupted(
    run: &Run,
    connection: &mut Option<PooledConnection>,
    here: PooledConnection,
    item: &Item,
    interrupted: SmtpError,
) -> Ended {
    let (claim, phase) = (&item.claim, interrupted.phase());
    let (outcome, consequence) = judge(run, item, &interrupted);
    let reply = interrupted.reply();
    run.conversation(phase, interrupted.ends_connection().then_some(&reply));
    match &interrupted {
        lost if lost.ends_connection() => drop(here),
        SmtpError::Unsupported(_) => *connection = Some(here),
        _ => keep_after_reset(connection, here).await,
    }
    finished(run, claim, phase, reply, outcome, consequence)
}

async fn keep_after_reset(connection: &mut Option<PooledConnection>, mut here: PooledConnection) {
    if here.session.reset().await {
        *connection = Some(here);
    }
}

fn judge(run: &Run, item: &Item, interrupted: &SmtpError) -> (Outcome, Consequence) {
    let (claim, lane, now) = (&item.claim, &item.permit, run.it.clock.now());
    let later = |at_least| {
        let next_at = run.it.settings.pace.next_try(&claim.id, claim.deferrals, at_least, now);
        Outcome::Deferred { next_at }
    };
    let paused = |reason: PauseReason| Consequence { pause: Some(reason), ..Consequence::default() };
    match interrupted {
        SmtpError::Lost { phase: Phase::Dot, .. } => (Outcome::Unknown, Consequence::default()),
        SmtpError::Lost { .. } => (later(chrono::TimeDelta::zero()), Consequence::default()),
        SmtpError::Unsupported(unsupported) => (Outcome::SenderFault { next_at: now }, paused(unsupported.pause())),
        SmtpError::Refused { phase, answer } => {
            let reply = answer.reply();
            let classification = classify(*phase, &reply);
            let Classification { class, at_least, fault, stops, .. } = classification;
            let fault = || fault.unwrap_or(SenderFault::RelayRefuses);
            let (outcome, consequence) = match class {
                Class::Hard => (Outcome::Refused { suppress: true }, Consequence::default()),
                Class::Soft => {
                    (Outcome::Refused { suppress: false }, Consequence { soft: true, ..Consequence::default() })
                }
                Class::Content => {
                    let counted = if lane.is_family { lane.lane().to_string() } else { String::new() };
                    let consequence = Consequence { content_refused: Some(counted), ..Consequence::default() };
                    (Outcome::Refused { suppress: false }, consequence)
                }
                Class::Sender if stops.is_some() && lane.is_family => {
                    let why = wording::lane_refuses(fault(), &reply.said());
                    let only_issue = stops == Some(PauseScope::IssueInLane);
                    let trouble = lanes::paused(lane.lane(), why, &claim.issue, only_issue, now);
                    let consequence = Consequence { lane: Some(trouble), ..Consequence::default() };
                    (Outcome::SenderFault { next_at: lanes::look_again(now) }, consequence)
                }
                Class::Sender => (
                    Outcome::SenderFault { next_at: now },
                    paused(PauseReason::SenderFault { fault: fault(), said: reply.said() }),
                ),
                Class::Defer => {
                    let trouble =
                        run.it.limiter.reaction(&classification, lane.lane(), reply.said(), &claim.issue, now);
                    let wait = lanes::wait(trouble.as_ref(), at_least, now);
                    (later(wait), Consequence { lane: trouble, ..Consequence::default() })
                }
            };
            (outcome, Consequence { class: Some(class), ..consequence })
        }
    }
}

fn finished(run: &Run, claim: &Claim, phase: Phase, reply: Reply, outcome: Outcome, consequence: Consequence) -> Ended {
    let finished = Finished { claim: claim.clone(), phase, reply, outcome, at: run.it.clock.now() };
    Ended::With(Box::new((finished, consequence)))
}

fn log(finished: &Finished) {
    let Finished { claim, phase, reply, outcome, .. } = finished;
    if *outcome == Outcome::Accepted {
        debug!(delivery = %claim.id, attempt = claim.attempt, "relay accepted {} for {}", claim.issue, claim.recipient.address.masked());
    } else {
        info!(
            delivery = %claim.id,
            attempt = claim.attempt,
            phase = phase.as_str(),
            code = reply.code,
            reply = %reply.text,
            "{} of {} for {}",
            outcome.as_str(),
            claim.issue,
            claim.recipient.address.masked()
        );
    }
}
