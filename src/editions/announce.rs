//! A person announces an edition: the wish is kept, with its hour, and taken up like every other occurrence.

use crate::app::{App, Engine};
use crate::domain::{
    Timestamp,
    edition::{Announcement, Stocked},
    email::EmailAddress,
    issue::IssueKey,
    segment::Segment,
};
use crate::issue::{
    Due,
    edition::{self, mailing, narrowed},
};
use crate::jobs::{Approval, Mailing};
use crate::report;
use crate::store::{Occurrence, OccurrenceState};
use anyhow::bail;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Occurrences among which one's own is looked for, the newest first.
const KNOWN: u32 = 50;

/// An announcement against which nothing stands.
#[derive(Debug)]
pub struct Plan<'a> {
    pub key: IssueKey,
    pub stocked: Stocked,
    /// For those of its audience who are meant.
    pub mailing: Cow<'a, Mailing>,
    pub at: Timestamp,
    segment: Option<String>,
    /// It was announced for now already, and did not get so far as to be frozen.
    before: bool,
}

impl Plan<'_> {
    pub fn due(&self) -> Due<'_> {
        let expires_at = self.mailing.schedule.deadline_of(self.at);
        Due { period: Some(self.key.period()), ..Due::scheduled(&self.mailing, self.at, expires_at) }
    }
}

/// Looks whether it can be announced. `at`: `None` for now. Changes nothing.
///
/// # Errors
/// Why it cannot, in English; or a ledger that cannot be read.
pub async fn plan<'a>(
    engine: &'a Engine,
    slug: &str,
    segment: Option<&Segment>,
    at: Option<Timestamp>,
) -> anyhow::Result<Plan<'a>> {
    let (app, store, now) = (&engine.app, &engine.store, engine.app.clock.now());
    let mailing = mailing(app)?;
    let Some(stocked) = store.edition(slug).await? else {
        let known: Vec<_> = store.editions().await?.into_iter().map(|it| it.edition.slug).collect();
        let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
        bail!("there is no edition {slug:?} ({known}); add it first: semainier editions add FILE");
    };
    if at.is_some_and(|at| at < now) {
        bail!("--at is over; give an hour to come, or leave it out to announce now");
    }
    let key = IssueKey::new(&mailing.id, slug);
    let text = segment.map(ToString::to_string);
    let known = store.announcement(&key).await?;
    let before = match &known {
        Some(known) => {
            refuse_twice(app, &key, known, at, text.as_deref(), engine).await?;
            true
        }
        None => false,
    };
    let at = known.map_or(at.unwrap_or(now), |known| known.leaves_at);
    let plan = Plan { key, stocked, mailing: narrowed(mailing, segment), at, segment: text, before };
    if let Err(why) = edition::check(app, &plan.stocked.edition, plan.due()) {
        bail!("{slug} cannot be announced: {why}");
    }
    Ok(plan)
}

/// What was begun for now, with the same words, is gone on with; anything else is said.
async fn refuse_twice(
    app: &App,
    key: &IssueKey,
    known: &Announcement,
    at: Option<Timestamp>,
    segment: Option<&str>,
    engine: &Engine,
) -> anyhow::Result<()> {
    let slug = &known.edition;
    if let Some(issue) = engine.store.issue(key).await?.filter(|it| it.frozen_at.is_some() || it.state.is_given_up()) {
        bail!(
            "{slug} was announced already: issue {key} is {} ({}); an edition is announced once. \
             For another printing, add it under another slug",
            issue.state.as_str(),
            issue.counts
        );
    }
    let when = report::instant(known.leaves_at, app.zone_of(key.mailing()));
    if at.is_some() || known.leaves_at > app.clock.now() || segment != known.segment.as_deref() {
        bail!("{slug} is announced already, for {when}; to take that back: semainier announce {slug} --cancel");
    }
    Ok(())
}

/// Keeps the wish; the hour it leaves at.
///
/// # Errors
/// When somebody else announced it in the same moment, or the ledger cannot be written.
pub async fn announce(engine: &Engine, plan: &Plan<'_>) -> anyhow::Result<Timestamp> {
    if plan.before {
        return Ok(plan.at);
    }
    let (store, now) = (&engine.store, engine.app.clock.now());
    let (mailing, schedule) = (&plan.mailing, &plan.mailing.schedule);
    let announcement = Announcement {
        issue: plan.key.clone(),
        edition: plan.stocked.edition.slug.clone(),
        segment: plan.segment.clone(),
        leaves_at: plan.at,
    };
    // What is approved first is composed first.
    let first_try = if mailing.approval == Approval::Required { now } else { plan.at };
    let written = format!("{} {}", schedule.cron(), schedule.zone.name());
    store.cursor(&mailing.id, &written, now).await?;
    match store.announce(&announcement, first_try, schedule.zone, now).await? {
        Some(at) => Ok(at),
        None => bail!("{} was announced in this moment by somebody else: semainier issues", plan.key),
    }
}

/// Once its issue is frozen, its occurrence is over: no daemon has to take it up any more.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn settle(engine: &Engine, plan: &Plan<'_>) -> anyhow::Result<()> {
    if engine.store.issue(&plan.key).await?.is_none_or(|issue| issue.frozen_at.is_none()) {
        return Ok(());
    }
    let all = engine.store.occurrences(Some(plan.key.mailing()), KNOWN).await?;
    for it in all.into_iter().filter(|it| it.issue.as_ref() == Some(&plan.key)) {
        engine.store.settle_occurrence(&Occurrence { state: OccurrenceState::Done, ..it }).await?;
    }
    Ok(())
}

/// So many of these addresses are in each lane, the largest first.
pub fn by_lane(app: &App, addresses: &[EmailAddress]) -> Vec<(String, usize)> {
    let mut lanes = BTreeMap::<String, usize>::new();
    for address in addresses {
        let lane = app.config.lanes.of(address.domain());
        *lanes.entry(if lane.is_family { lane.name } else { "others" }.to_owned()).or_default() += 1;
    }
    let mut lanes: Vec<_> = lanes.into_iter().collect();
    lanes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    lanes
}
