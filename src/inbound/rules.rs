//! Which delivery a message is about, and what follows from it.
//!
//! **What counts as a proof.** Anybody can write to a return path, so a message must know something of ours that is not public:
//!
//! 1. *The token of a return path*: the id of the delivery and 80 bits of HMAC. Only who handled our message knows it. It is enough for
//!    everything, whatever recipient the report names: a partner that forwards its mail bounces with another address.
//! 2. *A quoted Message-ID*: the same id, with 48 random bits. Our mails show it to their recipient and to nobody else, and no page of
//!    ours does. It is enough for a complaint that names no recipient, since providers leave out the recipient and rewrite the return
//!    path; and for a report about exactly the address that the delivery went to, or about none. It must be the Message-ID of exactly
//!    one delivery, letter by letter.
//!
//! Both are known to the recipient, and to whom the recipient forwards the whole message: such a person can suppress that one address,
//! as with the unsubscribe link that is in the same message. Nobody else can change anything; what proves nothing is logged, without
//! addresses, and forgotten.
//!
//! **What follows.** A hard bounce suppresses the address, as the same refusal at SMTP does. A soft one does after several issues in a
//! row. Neither does where the same comes back for very many recipients of one issue ([`crate::domain::mass_bounce`]): then the relay or
//! a provider is at fault, and what is still being sent pauses. A refusal of us suppresses nothing: [`crate::views::readiness`] tells the office. A complaint suppresses at once, for all
//! mailings, and the office cannot lift it. A delay and a receipt are only recorded.
//!
//! The state of the delivery stays, `unknown` too: T6 and T7 are the relay's own replies, and a bounce shows only that *some* attempt
//! reached it; T9 is a person's decision, who sees the bounce beside the delivery.

use super::message::{Action, Complaint, Content, Message, RecipientReport};
use crate::{
    domain::{
        Timestamp,
        alike::Said,
        classify::Class,
        delivery::{DeliveryId, Phase, Reply, State},
        email::EmailAddress,
        feedback::{Feedback, FeedbackKind, Proof, class_of_bounce},
        issue::IssueState,
        lane::{LaneTrouble, Lanes, Pace},
        mass_bounce::MassBounce,
        notice::Notice,
        partner::SuppressionReason,
        pause::PauseReason,
    },
    notices::wording,
    store::{BounceOf, LogFilter, LoggedDelivery, NewFeedback, Store, StoreError, Taken},
    tokens::Tokens,
};
use std::collections::HashSet;
use tracing::{info, warn};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Digits at the beginning of a delivery's id that are the same for its whole issue.
const FROZEN_AT: usize = 12;
/// Quoted Message-IDs that are looked up in the ledger.
const MOST_LOOKUPS: usize = 5;

/// Takes messages in.
#[derive(Clone, Copy)]
pub struct Inbox<'a> {
    pub store: &'a dyn Store,
    pub tokens: &'a Tokens,
    /// See [`super::Settings::soft_limit`].
    pub soft_limit: usize,
    /// The families of recipients, for bounces that one provider returns for all.
    pub lanes: &'a Lanes,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Recorded {
        delivery: DeliveryId,
        kind: FeedbackKind,
        class: Option<Class>,
        /// The address is suppressed for this reason, if it was not before.
        suppress: Option<SuppressionReason>,
        /// It would be, if the same had not come back for very many others.
        withheld: bool,
    },
    /// It was recorded before.
    Before,
    Ignored(Ignored),
}

impl Outcome {
    /// Whether the message concerns us; what does not is left to a person. An automatic reply does: nobody needs to see it.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Ignored(why) if *why != Ignored::AutoReply)
    }
}

/// What a pass over a mailbox did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Messages that were recorded.
    pub recorded: u64,
    /// Recorded before.
    pub before: u64,
    /// Without consequence.
    pub ignored: u64,
}

impl Drained {
    /// Counts one message.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Recorded { .. } => self.recorded += 1,
            Outcome::Before => self.before += 1,
            Outcome::Ignored(_) => self.ignored += 1,
        }
    }
}

/// Why nothing follows from a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// An automatic reply, such as one of a person who is away.
    AutoReply,
    /// It reports nothing: somebody wrote.
    NoReport,
    /// It proves no knowledge of any message of ours: forged, or about one of somebody else.
    Unproven,
    /// It quotes the Message-ID of a delivery, but reports on another recipient.
    OtherRecipient,
    /// It names several deliveries.
    Ambiguous,
}

impl Ignored {
    /// A clause for operators.
    pub fn in_english(self) -> &'static str {
        match self {
            Ignored::AutoReply => "an automatic reply",
            Ignored::NoReport => "not a bounce or a complaint",
            Ignored::Unproven => "it is not about a message of ours, or forged",
            Ignored::OtherRecipient => "it quotes a message of ours, but reports on another recipient",
            Ignored::Ambiguous => "it names several deliveries",
        }
    }
}

impl Inbox<'_> {
    /// Records what the messages say, and what follows, in one transaction. The results are in the given order.
    ///
    /// # Errors
    /// When the ledger cannot be read or written: then nothing was recorded, and the messages have to be taken again.
    pub async fn take(&self, messages: &[Message], now: Timestamp) -> Result<Vec<Outcome>> {
        let (mut decided, mut pending) = (Vec::new(), Vec::<NewFeedback>::new());
        for message in messages {
            match self.decide(message, &pending, now).await? {
                Ok(feedback) => {
                    decided.push(Ok(pending.len()));
                    pending.push(feedback);
                }
                Err(why) => {
                    let from = message.from.as_ref().map(EmailAddress::masked).unwrap_or_default();
                    info!(from, "an incoming message was ignored: {}", why.in_english());
                    decided.push(Err(why));
                }
            }
        }
        let taken = match pending.is_empty() {
            true => Vec::new(),
            false => self.store.record_feedback(&pending, self.lanes, now).await?,
        };
        self.act_on_mass_bounces(now).await?;
        let outcome = |it: Result<usize, Ignored>| match it {
            Err(why) => Outcome::Ignored(why),
            Ok(n) if taken[n] == Taken::Before => Outcome::Before,
            Ok(n) => {
                let NewFeedback { delivery, feedback, suppress, .. } = &pending[n];
                let withheld = taken[n] == Taken::Withheld;
                let suppress = suppress.filter(|_| !withheld);
                info!(%delivery, kind = %feedback.kind, class = feedback.class.map(Class::as_str), suppressed = suppress.is_some(),
                    "a message came back");
                Outcome::Recorded {
                    delivery: delivery.clone(),
                    kind: feedback.kind,
                    class: feedback.class,
                    suppress,
                    withheld,
                }
            }
        };
        Ok(decided.into_iter().map(outcome).collect())
    }

    /// What is to be recorded. `pending`: what is recorded together with it.
    async fn decide(
        &self,
        message: &Message,
        pending: &[NewFeedback],
        now: Timestamp,
    ) -> Result<Result<NewFeedback, Ignored>> {
        match message.content {
            Content::AutoReply => return Ok(Err(Ignored::AutoReply)),
            Content::Other => return Ok(Err(Ignored::NoReport)),
            Content::Report(_) | Content::Complaint { .. } => {}
        }
        let (delivery, proof) = match self.find(message).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let (kind, class, said) = match &message.content {
            Content::Report(recipients) => {
                let Some(report) = report_about(recipients, &delivery, proof) else {
                    return Ok(Err(Ignored::OtherRecipient));
                };
                match report.action {
                    Action::Failed => (FeedbackKind::Bounce, Some(class_of_bounce(&report.said)), report.said.clone()),
                    Action::Delayed => (FeedbackKind::Delayed, None, report.said.clone()),
                    Action::Delivered => (FeedbackKind::Delivered, None, report.said.clone()),
                }
            }
            Content::Complaint { feedback, recipients } => {
                let names_it = recipients.is_empty() || recipients.iter().any(|it| is_its(it, &delivery));
                if proof == Proof::MessageId && !names_it {
                    return Ok(Err(Ignored::OtherRecipient));
                }
                let kind = match feedback {
                    Complaint::Abuse => FeedbackKind::Complaint,
                    Complaint::OptOut => FeedbackKind::OptOut,
                    Complaint::NotSpam => FeedbackKind::NotSpam,
                };
                (kind, None, Reply::default())
            }
            Content::AutoReply | Content::Other => return Ok(Err(Ignored::NoReport)),
        };
        let suppress = match (kind, class) {
            (FeedbackKind::Complaint, _) => Some(SuppressionReason::Complaint),
            (FeedbackKind::OptOut, _) => Some(SuppressionReason::OptOut),
            (FeedbackKind::Bounce, Some(Class::Hard)) => Some(SuppressionReason::Bounce),
            (FeedbackKind::Bounce, Some(Class::Soft)) if self.is_soft_again(&delivery, pending).await? => {
                Some(SuppressionReason::Bounce)
            }
            _ => None,
        };
        let received_at = message.sent_at.filter(|at| *at <= now).unwrap_or(now);
        let bounce = match class {
            Some(Class::Hard | Class::Soft) => bounce_of(&delivery, &said),
            _ => None,
        };
        let feedback = Feedback { kind, class, said, proof, received_at, recorded_at: now };
        Ok(Ok(NewFeedback { hash: message.hash.clone(), delivery: delivery.id, feedback, suppress, bounce }))
    }

    /// Pauses what is still being sent, and notifies staff, where bounces are found to be about us (docs/adr/0017). Once for each,
    /// and again after a crash in between.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn act_on_mass_bounces(&self, now: Timestamp) -> Result<()> {
        for found in self.store.new_mass_bounces().await? {
            let MassBounce { issue, family, said, recipients, .. } = &found;
            let is_sending = self.store.issue(issue).await?.is_some_and(|issue| issue.state() == IssueState::Sending);
            match family {
                None if is_sending => {
                    let reason = PauseReason::MassBounced { recipients: *recipients, said: said.clone() }.to_string();
                    self.store
                        .set_issue_state(issue, &[IssueState::Sending], IssueState::Paused, Some(&reason), now)
                        .await?;
                }
                Some(family) if is_sending => {
                    let why = wording::lane_returns(*recipients, said);
                    let what = wording::lane_stopped(family, Pace::Paused, &why, true);
                    let trouble = LaneTrouble {
                        lane: family.clone(),
                        pace: Pace::Paused,
                        why,
                        since: now,
                        until: None,
                        issue: issue.clone(),
                        only_issue: false,
                        step: 0,
                        per_minute: None,
                    };
                    self.store.note_lane(&trouble).await?;
                    let notice = Notice::Lane { pace: Pace::Paused, family: Some(family.clone()), what };
                    self.store.queue_notice(issue, &notice, now).await?;
                }
                // It has left. A pause has a notice of its own.
                _ => {
                    let what = wording::mass_bounced(*recipients, said, family.as_deref());
                    let notice = Notice::Returned { family: family.clone(), what };
                    self.store.queue_notice(issue, &notice, now).await?;
                }
            }
            warn!(%issue, family, recipients, "bounces that are alike are about us: they suppress nobody");
            self.store.mass_bounce_acted(&found, now).await?;
        }
        Ok(())
    }

    /// The delivery that the message proves to know.
    async fn find(&self, message: &Message) -> Result<Result<(LoggedDelivery, Proof), Ignored>> {
        let ours: HashSet<DeliveryId> = message.tokens.iter().filter_map(|it| self.tokens.check_return(it)).collect();
        if ours.len() > 1 {
            return Ok(Err(Ignored::Ambiguous));
        }
        if let Some(id) = ours.into_iter().next() {
            let found = self.store.delivery(&id).await?;
            return Ok(found.map(|it| (it, Proof::ReturnPath)).ok_or(Ignored::Unproven));
        }
        let mut found: Option<LoggedDelivery> = None;
        for (quoted, id) in message.quoted.iter().filter_map(|it| Some((it, id_in(it)?))).take(MOST_LOOKUPS) {
            let delivery = self.store.delivery(&id).await?.filter(|it| it.message_id == *quoted);
            match (&found, delivery) {
                (Some(before), Some(other)) if before.id != other.id => return Ok(Err(Ignored::Ambiguous)),
                (None, Some(delivery)) => found = Some(delivery),
                _ => {}
            }
        }
        Ok(found.map(|it| (it, Proof::MessageId)).ok_or(Ignored::Unproven))
    }

    /// Whether the mailbox took nothing for so many issues in a row, this one included. Counted over what was tried, whether refused at
    /// once or bounced, and in whatever order the bounces come: between the first and the last of these issues none may have arrived.
    async fn is_soft_again(&self, delivery: &LoggedDelivery, pending: &[NewFeedback]) -> Result<bool> {
        let Ok(address) = EmailAddress::parse(&delivery.address) else { return Ok(false) };
        let filter = LogFilter { address_key: Some(address.key()), ..LogFilter::default() };
        let log = self.store.log(&filter).await?;
        let is_pending =
            |id: &DeliveryId| pending.iter().any(|it| it.delivery == *id && it.feedback.class == Some(Class::Soft));
        let is_soft = |it: &LoggedDelivery| it.id == delivery.id || it.was_softly_refused() || is_pending(&it.id);
        let tried: Vec<_> =
            log.iter().filter(|it| matches!(it.state, State::Sent | State::Unknown | State::Failed)).collect();
        let Some(last) = tried.iter().rposition(|it| is_soft(it)) else { return Ok(false) };
        let row = tried[..=last].iter().rev().take(self.soft_limit).take_while(|it| is_soft(it));
        let row: Vec<_> = row.collect();
        if row.len() < self.soft_limit {
            return Ok(false);
        }
        // What was before the office lifted the suppression counts no more.
        let hash = self.tokens.address_hash(&address);
        let history = self.store.dossier(&address.key(), &hash).await?.history;
        let lifted = history.iter().filter(|it| it.mailing == "*" && it.change == "subscribed").map(|it| it.at).max();
        Ok(lifted.is_none_or(|lifted| row.iter().all(|it| it.changed_at > lifted)))
    }
}

/// By what it is counted among the bounces of its issue; `None` for a person who was erased.
fn bounce_of(delivery: &LoggedDelivery, said: &Reply) -> Option<BounceOf> {
    let address = EmailAddress::parse(&delivery.address).ok().filter(|_| !delivery.contact_id.is_empty())?;
    // The time of freezing, which all deliveries of the issue share.
    let frozen_at = delivery.id.0.get(..FROZEN_AT)?;
    Some(BounceOf {
        issue: delivery.issue.clone(),
        ids: (frozen_at.to_owned(), format!("{frozen_at}~")),
        alike: Said::of(Phase::Rcpt, said).key(),
        domain: address.domain().to_owned(),
    })
}

/// The report on the delivery's own recipient, or with the token in the return path on any: the worst one.
fn report_about<'r>(
    recipients: &'r [RecipientReport],
    delivery: &LoggedDelivery,
    proof: Proof,
) -> Option<&'r RecipientReport> {
    let worst = |those: &mut dyn Iterator<Item = &'r RecipientReport>| those.max_by_key(|it| it.action);
    let its_own = worst(&mut recipients.iter().filter(|it| it.addresses.iter().any(|it| is_its(it, delivery))));
    its_own.or_else(|| match proof {
        Proof::ReturnPath => worst(&mut recipients.iter()),
        Proof::MessageId => worst(&mut recipients.iter().filter(|it| it.addresses.is_empty())),
    })
}

fn is_its(address: &EmailAddress, delivery: &LoggedDelivery) -> bool {
    EmailAddress::parse(&delivery.address).is_ok_and(|its| its == *address)
}

/// The id in a Message-ID of ours: see [`DeliveryId::message_id`].
fn id_in(message_id: &str) -> Option<DeliveryId> {
    let (_, id) = message_id.rsplit_once('@')?.0.rsplit_once('.')?;
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then(|| DeliveryId(id.to_owned()))
}
