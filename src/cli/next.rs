//! `semainier next`: shows when mailings are due.

use super::{Context, Ended, parse_instant, show};
use crate::app::{App, Engine};
use crate::domain::{Timestamp, issue::IssueKey, schedule::label};
use crate::jobs::Mailing;
use crate::store::Access;
use crate::views::{editions, instant};
use chrono_tz::UTC;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One mailing [default: all of them]
    mailing: Option<String>,
    /// Number of occurrences of each mailing
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Occurrences after this instant [default: now]
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// An array of {"mailing","issue","local","zone","utc","deadline"}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Next<'a> {
    mailing: &'a str,
    issue: String,
    local: String,
    zone: &'a str,
    utc: String,
    deadline: String,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let mailings: Vec<&Mailing> = match &args.mailing {
        Some(id) => vec![app.mailing(id)?],
        None => app.mailings.iter().collect(),
    };
    let is_meant = |mailing: &Mailing| args.mailing.as_ref().is_none_or(|id| *id == mailing.id);
    let from = |mailing: &Mailing| -> anyhow::Result<Timestamp> {
        let given = args.from.as_deref().map(|text| parse_instant(text, mailing.schedule.zone)).transpose()?;
        Ok(given.unwrap_or_else(|| app.clock.now()))
    };
    if args.json {
        let mut all = Vec::new();
        for mailing in mailings {
            let occurrences = mailing.schedule.after(from(mailing)?).take(args.count.into());
            all.extend(occurrences.map(|at| next(mailing, mailing.issue_key(at), at)));
        }
        let engine = ledger(&app).await;
        for (mailing, key, at) in announced(engine.as_ref()).await?.into_iter().filter(|it| is_meant(it.0)) {
            all.push(next(mailing, key, at));
        }
        show::json(&all)?;
        return Ok(Ended::Done);
    }
    for mailing in mailings {
        show_next(&app, mailing, from(mailing)?, args.count.into());
    }
    let engine = ledger(&app).await;
    for (mailing, key, at) in announced(engine.as_ref()).await?.into_iter().filter(|it| is_meant(it.0)) {
        let zone = mailing.schedule.zone;
        let weekday = at.with_timezone(&zone).format("%a");
        show::line(format!("{}, announced:", mailing.id));
        show::line(format!("  {weekday} {}  = {}  issue {key}", label(at, zone), instant(at, UTC)));
    }
    Ok(Ended::Done)
}

/// Opens the ledger for announcements, if there is one. The other occurrences do not need it, so a ledger that cannot be read is
/// only reported.
async fn ledger(app: &App) -> Option<Engine> {
    if !app.has_ledger() || !app.mailings.iter().any(Mailing::is_of_editions) {
        return None;
    }
    let opened = app.clone().open(Access::Shared).await;
    opened.inspect_err(|why| show::aside(format!("announcements are not shown: {why:#}"))).ok()
}

async fn announced(engine: Option<&Engine>) -> anyhow::Result<Vec<(&Mailing, IssueKey, Timestamp)>> {
    match engine {
        Some(engine) => Ok(editions::announced(engine).await?),
        None => Ok(Vec::new()),
    }
}

fn next(mailing: &Mailing, issue: IssueKey, at: Timestamp) -> Next<'_> {
    let zone = mailing.schedule.zone;
    Next {
        mailing: &mailing.id,
        issue: issue.to_string(),
        local: instant(at, zone),
        zone: zone.name(),
        utc: instant(at, UTC),
        deadline: instant(mailing.schedule.deadline_of(at), zone),
    }
}

/// Prints the next occurrences of a mailing; also used by `check`.
pub(super) fn show_next(app: &App, mailing: &Mailing, from: Timestamp, count: usize) {
    let before = match mailing.compose_before {
        none if none.is_zero() => String::new(),
        before => format!(", composed {} h before for approval", before.num_hours()),
    };
    show::line(format!("{} ({}){before}:", mailing.id, mailing.title));
    if mailing.is_of_editions() {
        show::line("  when an edition is announced: semainier announce SLUG");
    }
    for at in mailing.schedule.after(from).take(count) {
        let zone = mailing.schedule.zone;
        let weekday = at.with_timezone(&zone).format("%a");
        let far = at - app.clock.now() > chrono::TimeDelta::days(366);
        let year = if far { "  (more than a year from now)" } else { "" };
        show::line(format!(
            "  {weekday} {}  = {}  issue {}{year}",
            label(at, zone),
            instant(at, UTC),
            mailing.issue_key(at)
        ));
    }
}
