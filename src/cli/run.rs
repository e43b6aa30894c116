//! `semainier run`: publishes one occurrence now.

use super::{Context, Ended, parse_instant, show};
use crate::actions::Refusal;
use crate::app::{App, Engine};
use crate::collect::source::Source;
use crate::domain::{Timestamp, article::Article, issue::IssueState};
use crate::issue::{
    Due,
    progress::Step,
    publish::{self, Delivered, Published},
    sending,
};
use crate::jobs::Mailing;
use crate::store::Access;
use crate::views::{instant, issues::IssueView};
use crate::{daemon, notices};
use anyhow::{Context as _, anyhow};
use chrono::TimeDelta;
use chrono_tz::Tz;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    mailing: String,
    /// The occurrence to send [default: the one that is due, or else the next one]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Use this file instead of fetching the article
    #[arg(long, value_name = "FILE")]
    article: Option<PathBuf>,
    /// Send it even if it is more than eight days away, without asking for confirmation
    #[arg(long)]
    yes: bool,
}

/// Occurrences within this time are sent without a question: the next one of a weekly mailing is at most a week away.
const NEAR: TimeDelta = TimeDelta::days(8);

/// An issue sent manually after its deadline expires after this time.
const BY_HAND: TimeDelta = TimeDelta::hours(12);

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Exclusive).await?;
    for warning in engine.app.config.warnings() {
        tracing::warn!("{warning}");
    }
    let mailing = engine.app.mailing(&args.mailing)?;
    if mailing.is_of_editions() {
        return Err(anyhow!("{} has no schedule; announce an edition with `semainier announce SLUG`", mailing.id));
    }
    let occurrence = occurrence(&engine.app, mailing, args.at.as_deref())?;
    if args.article.is_some() && mailing.agenda().is_none() {
        return Err(anyhow!("--article is for an agenda; {} has its own sources", mailing.id));
    }
    if !args.yes {
        confirm_date(&engine, mailing, occurrence).await?;
    }
    let article = article(&engine.app, args.article, occurrence).await?;
    publish(&engine, mailing, occurrence, article).await
}

/// Asks for confirmation before an issue far from its date is sent: it would be frozen and sent now. An issue that is frozen
/// already just continues.
///
/// # Errors
/// When it was not confirmed.
async fn confirm_date(engine: &Engine, mailing: &Mailing, occurrence: Timestamp) -> anyhow::Result<()> {
    let (now, zone) = (engine.app.clock.now(), mailing.schedule.zone);
    if (occurrence - now).abs() <= NEAR {
        return Ok(());
    }
    let key = mailing.issue_key(occurrence);
    if engine.store.issue(&key).await?.is_some_and(|issue| issue.frozen().is_some()) {
        return Ok(());
    }
    let days = (occurrence - now).num_days();
    let when = match days {
        0.. => format!("{days} days from now"),
        _ => format!("{} days ago", -days),
    };
    let date = occurrence.with_timezone(&zone).format("%A %-d %B %Y, %H:%M");
    let question = format!("{key} is the issue of {date}, {when}, and would be sent now");
    if show::confirmed(&question)? {
        return Ok(());
    }
    let other = "name another one with --at (`semainier next` lists them), or add --yes to send this one";
    Err(anyhow!("{question}; nothing was sent. If this is not intended, {other}"))
}

/// Publishes an occurrence of the mailing's own schedule.
pub(super) async fn publish(
    engine: &Engine,
    mailing: &Mailing,
    occurrence: Timestamp,
    article: Option<Article>,
) -> anyhow::Result<Ended> {
    let deadline = mailing.schedule.deadline_of(occurrence);
    let expires_at = deadline.max(engine.app.clock.now() + BY_HAND);
    send(engine, Due::scheduled(mailing, occurrence, expires_at), article).await
}

/// Publishes, shows progress and totals, and says what is still pending.
pub(super) async fn send(engine: &Engine, due: Due<'_>, article: Option<Article>) -> anyhow::Result<Ended> {
    let zone = due.mailing.schedule.zone;
    if daemon::pause_after_restore(engine).await? {
        return Err(anyhow!(
            "the ledger is older than this machine's last delivery: it appears to be restored from a backup, and what was sent since \
             could be sent again. Issues that were being sent are paused, and approvals are withdrawn: check the relay's log, then \
             `semainier issues resume KEY` or `approve KEY`, or run this command again"
        ));
    }
    sending::recover(engine, engine.is_exclusive()).await?;
    let deliverer = engine.deliverer().await?;
    let stop = CancellationToken::new();
    let signals = tokio::spawn(daemon::cancel_on_signal(stop.clone(), engine.app.config.delivery.shutdown));
    let progress = show::Progress::new();
    let watch = |step: Step<'_>| progress.step(step);
    let published = publish::publish(engine, &deliverer, due, article, &stop, &watch).await;
    progress.finish();
    signals.abort();
    let published = published?;
    let next_due = engine.store.next_due(Some(&due.key())).await?.map(|at| instant(at, zone));
    let ended = summarise(&published, next_due, zone);
    notices::send(engine, &deliverer, &notices::SentNotices::default()).await;
    engine.store.release_notices(&engine.owner, None).await?;
    ended
}

fn summarise(published: &Published, next_due: Option<String>, zone: Tz) -> anyhow::Result<Ended> {
    let Delivered { issue, before, delivery } = match published {
        Published::Held { key, reason } => {
            show::line(format!("{key}: held, nothing was sent: {reason}"));
            return Ok(Ended::Held);
        }
        Published::Awaiting { key } => {
            show::line(format!("{key}: composed, nothing was sent; it is sent once somebody approves it"));
            show::line(format!(
                "  review it: semainier issues show {key} --out DIR; then: semainier issues approve {key} --by NAME"
            ));
            return Ok(Ended::WaitsForAPerson);
        }
        Published::Delivered(delivered) => &**delivered,
    };
    if *before && delivery.tried() == 0 && issue.state() == IssueState::Done {
        show::line(format!("{} was sent already; nothing was sent twice", issue.key));
    }
    show::issue(&IssueView::new(issue, zone));
    if issue.state().is_given_up() {
        return Err(Refusal::GivenUp { issue: Box::new(issue.clone()), zone }.into());
    }
    if let Some(trouble) = &delivery.breaker {
        return Err(anyhow!("{trouble}").context(format!(
            "the relay accepted no mail; {} deliveries stay queued: run again, or leave it to `semainier serve`",
            issue.counts.queued
        )));
    }
    if issue.counts.unknown > 0 {
        show::line(format!(
            "{} deliveries have an unknown outcome: see `semainier log --state unknown`, then settle them with \
             `semainier deliveries resolve`",
            issue.counts.unknown
        ));
        return Ok(Ended::WaitsForAPerson);
    }
    if issue.state() == IssueState::Paused {
        return Ok(Ended::WaitsForAPerson);
    }
    let elsewhere = issue.counts.claimed + issue.counts.in_data;
    if elsewhere > 0 {
        show::line(format!(
            "{elsewhere} deliveries are claimed by another semainier; if that process died, they are retried when their lease \
             expires, in a minute at the earliest: by `semainier serve`, or by running this command again"
        ));
    }
    if let (1.., Some(at)) = (issue.counts.queued, next_due) {
        show::line(format!(
            "{} deliveries are retried from {at}: by `semainier serve`, or by running this command again then",
            issue.counts.queued
        ));
    }
    Ok(Ended::Done)
}

/// The given occurrence; else the last due one if its deadline has not passed; else the next one.
pub(super) fn occurrence(app: &App, mailing: &Mailing, at: Option<&str>) -> anyhow::Result<Timestamp> {
    if let Some(text) = at {
        return parse_instant(text, mailing.schedule.zone);
    }
    let now = app.clock.now();
    let due = mailing.schedule.last_until(now).filter(|at| mailing.schedule.deadline_of(*at) > now);
    due.or_else(|| mailing.schedule.next_after(now)).context("the schedule has no further occurrence")
}

/// The article in a file; its publication date defaults to the occurrence.
pub(super) async fn article(app: &App, file: Option<PathBuf>, at: Timestamp) -> anyhow::Result<Option<Article>> {
    let Some(path) = file else { return Ok(None) };
    let source = Source::File { path, published: Some(at) };
    Ok(source.articles(&app.fetcher, app.clock.now()).await?.into_iter().next())
}
