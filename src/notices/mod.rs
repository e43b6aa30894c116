//! Notices to staff: one mail when an issue is held, one when that ends, one an hour at the most about orders, one on the evening
//! before an issue leaves by itself, one on the morning after. Delivered at least once, unlike mail to partners: while a member
//! of staff cannot be reached the notice stays pending, and this process does not notify the others again. Of several processes one
//! sends it: pending notices are claimed first.

mod eve;
mod orders;
mod question;
pub mod replies;
mod silent;
mod summary;
pub mod tonight;
pub mod wording;

use crate::app::Engine;
use crate::compose::context::NoticeMail;
use crate::compose::mime;
use crate::deliver::{Deliverer, NotHandedOver, OutgoingMessage};
use crate::domain::{
    Timestamp, delivery::Phase, email::EmailAddress, french::date_and_hour, issue::IssueKey, notice::Notice,
};
use crate::issue::content::render;
use crate::jobs::Approval;
use crate::store::{PendingNotice, StoreError};
use crate::templates::Rendered;
use crate::views::console::issue_href;
use chrono::TimeDelta;
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
    NothingPending,
    /// Nothing is pending any more.
    AllSent,
    /// Something stays pending: retry, but not immediately.
    Pending,
    /// The same, because the relay takes no mail at all, with its words.
    RelayAway(String),
}

/// How long a notice is claimed: longer than the longest wait before the next attempt, which claims it anew.
const CLAIM: TimeDelta = TimeDelta::minutes(20);

/// Queues the mails that are due by the clock: of the evening before, and of the morning after. Each is stored once, whatever
/// number of daemons look.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn queue_due(engine: &Engine) -> Result<(), StoreError> {
    if engine.app.config.staff.is_empty() {
        return Ok(());
    }
    let now = engine.app.clock.now();
    eve::queue(engine, now).await?;
    silent::queue(engine, now).await?;
    summary::queue(engine, now).await
}

/// Sends pending notices, including those of paused issues; what cannot be sent now stays pending. `sent`: what this process
/// has sent already.
pub async fn send(engine: &Engine, deliverer: &Deliverer, sent: &SentNotices) -> NoticeResult {
    if engine.app.config.staff.is_empty() {
        return NoticeResult::NothingPending;
    }
    let pending = async {
        let now = engine.app.clock.now();
        engine.store.queue_notices_of_paused(now).await?;
        engine.store.claim_notices(&engine.owner, now + CLAIM, now).await
    };
    let pending = match pending.await {
        Ok(pending) => pending,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "notices to staff cannot be read");
            return NoticeResult::Pending;
        }
    };
    let mails = match mails(engine, pending).await {
        Ok(mails) => mails,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "the last notice of orders cannot be read");
            return NoticeResult::Pending;
        }
    };
    let mut result = if mails.is_empty() { NoticeResult::NothingPending } else { NoticeResult::AllSent };
    for notices in mails {
        let Some(first) = notices.first() else { continue };
        let (issue, kind) = (&first.issue, first.notice.name());
        match send_one(engine, deliverer, sent, &notices, first).await {
            Ok(Outcome::Sent) => match first.notice {
                Notice::Ordered => {
                    info!(orders = notices.len(), "staff were notified of {} changes of orders", notices.len());
                }
                Notice::Eve => info!(%issue, kind, "staff were notified of what leaves next"),
                Notice::Summary => info!(%issue, kind, "staff were sent a summary of what left"),
                _ => info!(%issue, kind, "staff were notified that {issue} is {kind}"),
            },
            Ok(Outcome::NothingToSay) => {}
            Err(NotSent { why, some }) => {
                result = NoticeResult::Pending;
                warn!(%issue, kind, error = format!("{why:#}"), "could not notify staff");
                // Somebody has it: another process would notify them again.
                if !some {
                    let ids: Vec<_> = notices.iter().map(|it| it.id.as_str()).collect();
                    if let Err(error) = engine.store.release_notices(&engine.owner, Some(&ids)).await {
                        warn!(error = &error as &dyn std::error::Error, "notices to staff stay claimed for a while");
                    }
                }
                if let Some(away) = why.downcast_ref::<NotHandedOver>().filter(|it| relay_is_away(it)) {
                    return NoticeResult::RelayAway(away.trouble());
                }
            }
        }
    }
    result
}

/// The address of a page of the console, where people reach it; `path` with a slash before it.
fn console_url(engine: &Engine, path: &str) -> Option<String> {
    let console = &engine.app.config.console;
    (console.bind.is_some() && console.url.is_some()).then(|| console.address(path.trim_start_matches('/')))
}

/// The page of an issue.
fn issue_url(engine: &Engine, key: &IssueKey) -> Option<String> {
    console_url(engine, &issue_href(key))
}

/// What became of one mail.
enum Outcome {
    Sent,
    /// There is nothing to say any more, or not yet.
    NothingToSay,
}

/// A mail that is still to be sent.
struct NotSent {
    why: anyhow::Error,
    /// Some members of staff have it.
    some: bool,
}

impl<E: Into<anyhow::Error>> From<E> for NotSent {
    fn from(why: E) -> Self {
        Self { why: why.into(), some: false }
    }
}

/// The notices of each mail that is to be sent now: one each, and together all orders, all of the evening before, which another
/// of these mails may stand for, and all of the morning after.
async fn mails(engine: &Engine, pending: Vec<PendingNotice>) -> Result<Vec<Vec<PendingNotice>>, StoreError> {
    let of = |notice: Notice| move |it: &PendingNotice| it.notice == notice;
    let (orders, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(of(Notice::Ordered));
    let (eves, others): (Vec<_>, Vec<_>) = others.into_iter().partition(of(Notice::Eve));
    let (summaries, others): (Vec<_>, Vec<_>) = others.into_iter().partition(of(Notice::Summary));
    let mut mails: Vec<_> = others.into_iter().map(|it| vec![it]).collect();
    mails.extend([eves, summaries].into_iter().filter(|it| !it.is_empty()));
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
) -> Result<Outcome, NotSent> {
    let (app, now) = (&engine.app, engine.app.clock.now());
    let mut about: Vec<&PendingNotice> = notices.iter().collect();
    let words = match notice.notice {
        Notice::Ordered => match orders::mail(engine, notices).await? {
            Some(mail) => Some(Words::Plain(app.templates.mail(&mail)?)),
            None => None,
        },
        Notice::Summary => match summary::mail(engine, notices, now).await? {
            Some(mail) => Some(Words::Plain(render(app, mail).await?)),
            None => None,
        },
        Notice::Eve => {
            about = due_tonight(engine, notices, now).await?;
            match about.is_empty() {
                true => return Ok(Outcome::NothingToSay),
                false => Some(Words::Plain(render(app, eve::mail(engine, &about, now).await?).await?)),
            }
        }
        _ => words(engine, notice).await?,
    };
    let Some(words) = words else {
        // The question was answered, or has been replaced by another; or the orders are of persons who were erased.
        mark_sent(engine, &about, now).await?;
        return Ok(Outcome::NothingToSay);
    };
    let sender = app.config.sender.address.clone();
    let (mut failed, mut some) = (None, false);
    for person in &app.config.staff {
        let message_id = message_id(&about, person, &sender);
        if sent.has(&message_id) {
            some = true;
            continue;
        }
        let message = match &words {
            Words::Plain(mail) => mime::to_staff(&mime::ToStaff {
                from_name: "semainier",
                from: &sender,
                to: person,
                message_id: &message_id,
                date: now,
                subject: &mail.subject,
                text: &mail.text,
                html: mail.html.as_deref(),
            })?,
            Words::Question(mail) => question::letter(engine, mail, person, &message_id)?,
        };
        let message = app.config.dkim.sign(message, &app.config.dkim.for_sender(sender.domain()))?;
        let id = about.first().map(|it| format!("{}-{}", it.issue.slug(), slug(&it.notice.kind()))).unwrap_or_default();
        match deliverer.hand_over(&OutgoingMessage { id: &id, to: person, message: &message }).await {
            Ok(()) => {
                some = true;
                sent.add(message_id);
            }
            Err(error) if relay_is_away(&error) => return Err(NotSent { why: error.into(), some }),
            Err(error) if error.code.is_some_and(|code| code >= 500) => {
                warn!(staff = person.masked(), %error, "the relay refuses this staff address; check it in the configuration");
                sent.add(message_id);
            }
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = failed {
        return Err(NotSent { why: error.into(), some });
    }
    mark_sent(engine, &about, now).await.map_err(|why| NotSent { why, some })?;
    Ok(Outcome::Sent)
}

/// Those of the evening before that need a mail of their own. The others are marked as sent, or wait.
async fn due_tonight<'a>(
    engine: &Engine,
    notices: &'a [PendingNotice],
    now: Timestamp,
) -> anyhow::Result<Vec<&'a PendingNotice>> {
    let mut due = Vec::new();
    for notice in notices {
        match eve::next(engine, &notice.issue, now).await? {
            eve::Next::Send => due.push(notice),
            eve::Next::Done => mark_sent(engine, &[notice], now).await?,
            eve::Next::Wait => {}
        }
    }
    Ok(due)
}

async fn mark_sent(engine: &Engine, notices: &[&PendingNotice], now: Timestamp) -> anyhow::Result<()> {
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
        reason: match notice.notice {
            Notice::Silent => match silent::words(engine).await? {
                Some(words) => words,
                None => return Ok(None),
            },
            _ => wording::of_notice(&notice.notice),
        },
        deadline: issue.map(|i| date_and_hour(i.expires_at, app.zone_of(notice.issue.mailing()))),
        lines: match &notice.notice {
            Notice::Changed { lines } => lines.clone(),
            Notice::Silent => console_url(engine, "/partenaires/a-reparer#silence").into_iter().collect(),
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
fn message_id(notices: &[&PendingNotice], person: &EmailAddress, sender: &EmailAddress) -> String {
    let staff: String = person.key().chars().filter(char::is_ascii_alphanumeric).collect();
    let owed_at = notices.iter().map(|it| it.created_at).max().unwrap_or_default().timestamp_millis();
    let about =
        notices.first().map(|it| format!("{}.{}", it.issue.slug(), slug(&it.notice.kind()))).unwrap_or_default();
    format!("{about}.{staff}.{owed_at}@{}", sender.domain())
}

/// For file names and Message-IDs: lane names are chosen by the operator and may contain any characters.
fn slug(kind: &str) -> String {
    kind.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
