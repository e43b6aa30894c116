//! Announcing an edition: stores the announcement with its time; the daemon processes it like any other occurrence.

use super::{Actor, Refusal, Result, editions, on};
use crate::app::{App, Engine};
use crate::domain::{
    Timestamp,
    edition::{Announcement, EditionFile, EditionStock},
    email::EmailAddress,
    issue::{Content, IssueKey},
    segment::Segment,
};
use crate::issue::{
    Due,
    edition::{self, mailing, narrowed},
};
use crate::jobs::{Approval, Mailing};
use crate::notices::wording;
use crate::store::{Occurrence, OccurrenceState};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use tracing::info;

/// Occurrences searched for the one of an announcement, the newest first.
const KNOWN: u32 = 50;

/// A validated announcement.
#[derive(Debug)]
pub struct Plan<'a> {
    pub key: IssueKey,
    pub stocked: EditionStock,
    /// Restricted to the contacts it is announced to.
    pub mailing: Cow<'a, Mailing>,
    pub at: Timestamp,
    segment: Option<String>,
    /// It was announced for now before, and that run did not reach the freeze.
    before: bool,
}

impl Plan<'_> {
    pub fn due(&self) -> Due<'_> {
        let expires_at = self.mailing.schedule.deadline_of(self.at);
        Due { period: Some(self.key.period()), ..Due::scheduled(&self.mailing, self.at, expires_at) }
    }
}

/// Checks whether an edition can be announced. `at`: `None` for now. Changes nothing.
///
/// # Errors
/// A refusal; or a ledger that cannot be read.
pub async fn plan<'a>(
    engine: &'a Engine,
    slug: &str,
    segment: Option<&Segment>,
    at: Option<Timestamp>,
) -> Result<Plan<'a>> {
    let (app, store, now) = (&engine.app, &engine.store, engine.app.clock.now());
    let mailing = mailing(app).map_err(|why| Refusal::NoEditionMailing(why.to_string()))?;
    let stocked = editions::known(engine, slug).await?;
    if at.is_some_and(|at| at < now) {
        return Err(Refusal::HourIsOver.into());
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
    let has_cover = store.edition_file_sizes(slug).await?.iter().any(|(file, _)| *file == EditionFile::Cover);
    let plan = Plan { key, stocked, mailing: narrowed(mailing, segment), at, segment: text, before };
    match edition::check(app, &plan.stocked.edition, has_cover, plan.due()) {
        Ok(()) => Ok(plan),
        Err(why) => Err(Refusal::CannotBeAnnounced { slug: slug.to_owned(), why: why.into() }.into()),
    }
}

/// An announcement for now with the same segment is continued; anything else is refused.
async fn refuse_twice(
    app: &App,
    key: &IssueKey,
    known: &Announcement,
    at: Option<Timestamp>,
    segment: Option<&str>,
    engine: &Engine,
) -> Result<()> {
    let slug = known.edition.clone();
    if let Some(issue) = engine.store.issue(key).await?.filter(|it| it.frozen().is_some() || it.state().is_given_up()) {
        let (issue, state, counts) = (key.clone(), issue.state(), issue.counts.into());
        return Err(Refusal::AnnouncedBefore { slug, issue, state, counts }.into());
    }
    if at.is_some() || known.leaves_at > app.clock.now() || segment != known.segment.as_deref() {
        return Err(Refusal::AnnouncedFor { slug, at: known.leaves_at, zone: app.zone_of(key.mailing()) }.into());
    }
    Ok(())
}

/// The mail of an edition as it would be announced now, whatever was announced before. Changes nothing.
///
/// # Errors
/// A refusal; or a ledger that cannot be read.
pub async fn rehearse(engine: &Engine, slug: &str) -> Result<(IssueKey, Content)> {
    let (app, store, now) = (&engine.app, &engine.store, engine.app.clock.now());
    let mailing = mailing(app).map_err(|why| Refusal::NoEditionMailing(why.to_string()))?;
    let stocked = editions::known(engine, slug).await?;
    let has_cover = store.edition_file_sizes(slug).await?.iter().any(|(file, _)| *file == EditionFile::Cover);
    let expires_at = mailing.schedule.deadline_of(now);
    let due = || Due { period: Some(slug), ..Due::scheduled(mailing, now, expires_at) };
    edition::check(app, &stocked.edition, has_cover, due())
        .map_err(|why| Refusal::CannotBeAnnounced { slug: slug.to_owned(), why: why.into() })?;
    let content = edition::compose(app, &**store, due(), &stocked.edition).await?;
    Ok((IssueKey::new(&mailing.id, slug), content))
}

/// Stores the announcement. Returns the time it is sent at.
///
/// # Errors
/// A refusal; or a ledger that cannot be read or written.
pub async fn announce(engine: &Engine, actor: &Actor, plan: &Plan<'_>) -> Result<Timestamp> {
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
        by: actor.name().to_owned(),
    };
    // An issue that needs approval is composed at once.
    let first_try = if mailing.approval == Approval::Required { now } else { plan.at };
    let written = format!("{} {}", schedule.cron(), schedule.zone.name());
    store.cursor(&mailing.id, &written, now).await?;
    let recording = actor.recording(engine, "edition.announce", on(&plan.key), &json!({}));
    match recording.announce(&announcement, first_try, schedule.zone, now).await? {
        Some(at) => {
            info!(issue = %plan.key, door = %actor.door, "{} is announced", plan.key);
            Ok(at)
        }
        None => Err(Refusal::AnnouncedMeanwhile(plan.key.clone()).into()),
    }
}

/// Cancels an announcement of which nothing was sent.
///
/// # Errors
/// A refusal; or a ledger that cannot be read or written.
pub async fn take_back(engine: &Engine, actor: &Actor, slug: &str) -> Result<()> {
    let mailing = mailing(&engine.app).map_err(|why| Refusal::NoEditionMailing(why.to_string()))?;
    let key = IssueKey::new(&mailing.id, slug);
    let recording = actor.recording(engine, "edition.take_back", on(&key), &json!({}));
    if recording.take_back(&key, wording::TAKEN_BACK).await? {
        info!(issue = %key, door = %actor.door, "the announcement of {key} was cancelled");
        return Ok(());
    }
    match engine.store.issue(&key).await? {
        Some(issue) => Err(Refusal::LeavingAlready { issue: key, state: issue.state() }.into()),
        None => Err(Refusal::NotAnnounced(slug.to_owned()).into()),
    }
}

/// Settles the occurrence of a frozen announcement, so that no daemon processes it again.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn settle(engine: &Engine, plan: &Plan<'_>) -> Result<()> {
    if engine.store.issue(&plan.key).await?.is_none_or(|issue| issue.frozen().is_none()) {
        return Ok(());
    }
    let all = engine.store.occurrences(Some(plan.key.mailing()), KNOWN).await?;
    for it in all.into_iter().filter(|it| it.issue.as_ref() == Some(&plan.key)) {
        engine.store.settle_occurrence(&Occurrence { state: OccurrenceState::Done, ..it }).await?;
    }
    Ok(())
}

/// The number of these addresses in each lane, the largest first.
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
