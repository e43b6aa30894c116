//! Notices to staff: one mail when an issue is held, one when that ends, and one an hour at the most about orders. Delivered at least once, unlike mail to partners:
//! while a member of staff cannot be reached the notice stays pending, and this process does not notify the others again.

mod orders;
mod question;
pub mod replies;
pub mod tonight;
pub mod wording;

use crate::app::Engine;
use crate::compose::context::NoticeMail;
use crate::compose::mime;
use crate::deliver::{Deliverer, NotHandedOver, OutgoingMessage};
use crate::domain::{Timestamp, delivery::Phase, email::EmailAddress, french::date_and_hour, notice::Notice};
use crate::jobs::Approval;
use crate::store::{PendingNotice, StoreError};
use crate::templates::Rendered;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use tracing::{info, warn};

/// Message-IDs of notices that need no retry: accepted by the relay, or rejected for good.
#[derive(Debug, Default)]
pub struct SentNotices(Mutex<HashSet<String>>);

impl SentNotices {
    fn has(&self, message_id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(message_id)
    }

    fn add(&self, message_id: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(message_id);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeResult {
    /// Nothing was pending, or no staff are configured.
    NothingOwed,
    /// Nothing is pending any more.
    AllSent,
    /// Something stays pending: retry, but not immediately.
    Owed,
    /// The same, because the relay takes no mail at all, with its words.
    RelayAway(String),
}

/// Sends pending notices, including notices of paused issues; what cannot be sent now stays pending. `sent`: what this process
/// has sent already.
pub async fn send(engine: &Engine, deliverer: &Deliverer, sent: &SentNotices) -> NoticeResult {
    if engine.app.config.staff.is_empty() {
        return NoticeResult::NothingOwed;
    }
    let pending = async {
        engine.store.queue_notices_of_paused(engine.app.clock.now()).await?;
        engine.store.pending_notices().await
    };
    let pending = match pending.await {
        Ok(pending) => pending,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "notices to staff cannot be read");
            return NoticeResult::Owed;
        }
    };
    let mails = match mails(engine, pending).await {
        Ok(mails) => mails,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "the last notice of orders cannot be read");
            return NoticeResult::Owed;
        }
    };
    let mut result = if mails.is_empty() { NoticeResult::NothingOwed } else { NoticeResult::AllSent };
    for notices in mails {
        let Some(first) = notices.first() else { continue };
        let (issue, kind) = (&first.issue, first.notice.name());
        match send_one(engine, deliverer, sent, &notices, first).await {
            Ok(()) if first.notice == Notice::Ordered => {
                info!(orders = notices.len(), "staff were notified of {} changes of orders", notices.len())
            }
            Ok(()) => info!(%issue, kind, "staff were notified that {issue} is {kind}"),
            Err(error) => {
                result = NoticeResult::Owed;
                warn!(%issue, kind, error = format!("{error:#}"), "could not notify staff");
                if let Some(away) = error.downcast_ref::<NotHandedOver>().filter(|it| relay_is_away(it)) {
                    return NoticeResult::RelayAway(away.trouble());
                }
            }
        }
    }
    result
}

/// The notices of each mail that is to be sent now: one each, and all orders together.
async fn mails(engine: &Engine, pending: Vec<PendingNotice>) -> Result<Vec<Vec<PendingNotice>>, StoreError> {
    let (orders, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(|it| it.notice == Notice::Ordered);
    let mut mails: Vec<_> = others.into_iter().map(|it| vec![it]).collect();
    if !orders.is_empty() && !orders::are_collected(engine, engine.app.clock.now()).await? {
        mails.push(orders);
    }
    Ok(mails)
}

/// Sends one mail to each member of staff. `notice`: the first of the `notices` that it is about.
async fn send_one(
    engine: &Engine,
    deliverer: &Deliverer,
    sent: &SentNotices,
    notices: &[PendingNotice],
    notice: &PendingNotice,
) -> anyhow::Result<()> {
    let (app, now) = (&engine.app, engine.app.clock.now());
    let words = match notice.notice {
        Notice::Ordered => match orders::mail(engine, notices).await? {
            Some(mail) => Some(Words::Plain(app.templates.mail(&mail)?)),
            None => None,
        },
        _ => words(engine, notice).await?,
    };
    let Some(words) = words else {
        // The question was answered, or has been replaced by another; or the orders are of persons who were erased.
        return mark_sent(engine, notices, now).await;
    };
    let sender = app.config.sender.address.clone();
    let mut untold = None;
    for person in &app.config.staff {
        let message_id = message_id(notices, notice, person, &sender);
        if sent.has(&message_id) {
            continue;
        }
        let message = match &words {
            Words::Plain(mail) => mime::plain(&mime::Plain {
                from_name: "semainier",
                from: &sender,
                to: person,
                message_id: &message_id,
                date: now,
                subject: &mail.subject,
                text: &mail.text,
            })?,
            Words::Question(mail) => question::letter(engine, mail, person, &message_id)?,
        };
        let id = format!("{}-{}", notice.issue.slug(), slug(&notice.notice.kind()));
        match deliverer.hand_over(&OutgoingMessage { id: &id, to: person, message: &message }).await {
            Ok(()) => sent.add(message_id),
            Err(error) if relay_is_away(&error) => return Err(error.into()),
            Err(error) if error.code.is_some_and(|code| code >= 500) => {
                warn!(staff = person.masked(), %error, "the relay refuses this staff address; check it in the configuration");
                sent.add(message_id);
            }
            Err(error) => untold = Some(error),
        }
    }
    if let Some(error) = untold {
        return Err(error.into());
    }
    mark_sent(engine, notices, now).await
}

async fn mark_sent(engine: &Engine, notices: &[PendingNotice], now: Timestamp) -> anyhow::Result<()> {
    let ids: Vec<_> = notices.iter().map(|notice| notice.id.as_str()).collect();
    Ok(engine.store.notices_sent(&ids, now).await?)
}

enum Words {
    Plain(Rendered),
    /// A mail to be approved, or rehearsed.
    Question(Box<mime::Mime>),
}

/// `None` if there is nothing to say any more.
async fn words(engine: &Engine, notice: &PendingNotice) -> anyhow::Result<Option<Words>> {
    let shown = match &notice.notice {
        Notice::ApprovalAsked { short_hash, changed } => {
            Some(question::Shown::ToApprove { short_hash, changed: *changed })
        }
        Notice::Rehearsed { short_hash, missing, relay } => {
            Some(question::Shown::Rehearsed { short_hash, missing, relay: relay.as_deref() })
        }
        _ => None,
    };
    if let Some(shown) = shown {
        let mail = question::mail(engine, &notice.issue, &shown).await?;
        return Ok(mail.map(|mime| Words::Question(Box::new(mime))));
    }
    let app = &engine.app;
    let mailing = app.mailing(notice.issue.mailing()).ok();
    let issue = engine.store.issue(&notice.issue).await?;
    let mail = app.templates.mail(&NoticeMail {
        kind: notice.notice.name(),
        title: mailing.map_or_else(|| notice.issue.mailing().to_owned(), |m| m.title.clone()),
        issue: notice.issue.to_string(),
        reason: wording::of_notice(&notice.notice),
        deadline: issue.map(|i| date_and_hour(i.expires_at, app.zone_of(notice.issue.mailing()))),
        lines: match &notice.notice {
            Notice::Changed { lines } => lines.clone(),
            _ => Vec::new(),
        },
        retry: mailing.map(|m| format!("toutes les {} minutes", m.retry.num_minutes())),
        approval: mailing.is_some_and(|m| m.approval == Approval::Required),
    })?;
    Ok(Some(Words::Plain(mail)))
}

/// The failure is not about one recipient, so trying the next one is pointless.
fn relay_is_away(error: &NotHandedOver) -> bool {
    matches!(error.phase, Phase::Connect | Phase::Tls | Phase::Auth | Phase::Ehlo)
}

/// Constant across retries, so that a mail program shows a repeated notice once; different for the issue's next pause, and
/// for a mail about more orders than before.
fn message_id(
    notices: &[PendingNotice],
    notice: &PendingNotice,
    person: &EmailAddress,
    sender: &EmailAddress,
) -> String {
    let staff: String = person.key().chars().filter(char::is_ascii_alphanumeric).collect();
    let pending_since = notices.iter().map(|it| it.created_at).max().unwrap_or(notice.created_at).timestamp_millis();
    format!("{}.{}.{staff}.{pending_since}@{}", notice.issue.slug(), slug(&notice.notice.kind()), sender.domain())
}

/// For file names and Message-IDs: lane names are chosen by the operator and may contain any characters.
fn slug(kind: &str) -> String {
    kind.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
