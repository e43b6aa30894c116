//! What is to come and what did not come: schedules, decisions, announcements, by week.

use super::decide::{Choice, choices};
use super::month::{self, Grid};
use super::{Label, Reading, Tone, When, issue_href, label_of, week_of};
use crate::actions::may::Subject;
use crate::domain::{
    Timestamp,
    issue::{IssueKey, IssueSummary},
};
use crate::notices::wording::skipped_by;
use crate::store::{IssuesFilter, Occurrence, OccurrenceState, StoreError};
use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;

/// Most rows of one list.
const MOST: usize = 200;
/// So many past occurrences are looked at.
const PAST: u32 = 100;

/// One row: when, what, to whom, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coming {
    pub at: When,
    #[serde(skip)]
    pub instant: Timestamp,
    pub title: String,
    pub key: Option<IssueKey>,
    /// The issue's page, where there is something to see.
    pub href: Option<String>,
    pub label: Label,
    /// Who acted, what is missing, why it did not leave: in French; empty for nothing.
    pub reason: String,
    /// As of now.
    pub recipients: Option<u64>,
    /// What can be decided before there is an issue; after that the issue's page says it.
    pub choices: Vec<Choice>,
}

/// Rows of one week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub week: String,
    pub rows: Vec<Coming>,
}

/// What leaves within `ahead`, and what was decided about the hours within `back`; by hour. With the audience of today.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read(it: &Reading<'_>, back: TimeDelta, ahead: TimeDelta) -> Result<Vec<Coming>, StoreError> {
    let mut rows = all(it, back, ahead).await?;
    rows.truncate(MOST);
    Ok(rows)
}

/// The list of that time, and the month of the calendar, which also has what left in it.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn with_month(
    it: &Reading<'_>,
    back: TimeDelta,
    ahead: TimeDelta,
    month: NaiveDate,
) -> Result<(Vec<Coming>, Grid), StoreError> {
    let zone = it.config.zone;
    let (from, to) = month::bounds(month, zone);
    let rows = all(it, back.max(it.now - from), ahead.max(to - it.now)).await?;
    let mut of_month: Vec<Coming> =
        rows.iter().filter(|row| row.instant >= from && row.instant < to).cloned().collect();
    let shown: HashSet<_> = of_month.iter().filter_map(|row| row.key.clone()).collect();
    let before = IssuesFilter { before: Some((to, IssueKey::new("", ""))), limit: PAST, ..IssuesFilter::default() };
    let left = it.store.issues_page(&before).await?.into_iter();
    let left = left.filter(|issue| issue.scheduled_for >= from && !shown.contains(&issue.key));
    of_month.extend(left.map(|issue| of_issue(it, &issue)));
    of_month.sort_by(|a, b| (a.instant, &a.title).cmp(&(b.instant, &b.title)));
    let listed = rows.into_iter().filter(|row| row.instant >= it.now - back && row.instant <= it.now + ahead);
    Ok((listed.take(MOST).collect(), Grid::new(month, &of_month, it.now, zone)))
}

async fn all(it: &Reading<'_>, back: TimeDelta, ahead: TimeDelta) -> Result<Vec<Coming>, StoreError> {
    let open = it.store.open_issues().await?;
    let skips = it.store.skips().await?;
    let mut rows = Vec::new();
    let mut shown: HashSet<IssueKey> = HashSet::new();
    for mailing in it.mailings {
        let hours = mailing.schedule.ahead(it.now, ahead).take(MOST).map(|at| (at, mailing.issue_key(at)));
        let hours: Vec<_> = hours.filter(|(_, key)| shown.insert(key.clone())).collect();
        if hours.is_empty() {
            continue;
        }
        let recipients = it.audience_size(mailing).await?;
        let keys: Vec<_> = hours.iter().map(|(_, key)| key.clone()).collect();
        let mut issues = it.store.issues_by_key(&keys).await?;
        for (at, key) in hours {
            let issue = issues.iter().position(|issue| issue.key == key).map(|found| issues.swap_remove(found));
            let skip = skips.iter().find(|skip| skip.issue == key);
            let left = issue.as_ref().and_then(IssueSummary::frozen).is_some();
            let (label, reason) = match (skip.filter(|_| !left), &issue) {
                (Some(skip), _) => (Label { key: "coming_skipped", tone: Tone::Past }, skipped_by(&skip.by, &skip.why)),
                (None, Some(issue)) => (label_of(issue), note(issue)),
                (None, None) => (Label { key: "coming_planned", tone: Tone::Calm }, String::new()),
            };
            let subject = Subject {
                mailing: Some(Cow::Borrowed(mailing)),
                issue: issue.clone(),
                skip: skip.cloned(),
                occurrence: Some(at),
                now: it.now,
                key: key.clone(),
            };
            rows.push(Coming {
                at: When::new(at, it.now, mailing.schedule.zone),
                instant: at,
                title: mailing.title.clone(),
                choices: if issue.is_some() { Vec::new() } else { choices(&subject) },
                href: issue.as_ref().map(|issue| issue_href(&issue.key)),
                key: Some(key),
                label,
                reason,
                recipients: match &issue {
                    Some(issue) if left => Some(issue.counts.total()),
                    Some(issue) if issue.state().is_given_up() => None,
                    _ if skip.is_some() => None,
                    _ => Some(recipients),
                },
            });
        }
    }
    let others = open.iter().filter(|issue| within(issue, it.now, back, ahead) && shown.insert(issue.key.clone()));
    rows.extend(others.map(|issue| of_issue(it, issue)));
    for (edition, announcement, _) in it.store.announced().await? {
        let soon = announcement.leaves_at >= it.now && announcement.leaves_at - it.now <= ahead;
        if soon && shown.insert(announcement.issue.clone()) {
            rows.push(Coming {
                at: it.when(announcement.leaves_at),
                instant: announcement.leaves_at,
                title: edition.edition.title.clone(),
                key: Some(announcement.issue),
                href: None,
                label: Label { key: "coming_announced", tone: Tone::Calm },
                reason: String::new(),
                recipients: None,
                choices: Vec::new(),
            });
        }
    }
    let past = it.store.occurrences(None, PAST).await?;
    rows.extend(past.iter().filter(|past| it.now - past.scheduled_for <= back).filter_map(|past| {
        let fresh = past.issue.as_ref().is_none_or(|key| !shown.contains(key));
        fresh.then(|| decided(it, past)).flatten()
    }));
    rows.sort_by(|a, b| (a.instant, &a.title).cmp(&(b.instant, &b.title)));
    Ok(rows)
}

fn of_issue(it: &Reading<'_>, issue: &IssueSummary) -> Coming {
    Coming {
        at: When::new(issue.scheduled_for, it.now, it.zone_of(&issue.mailing)),
        instant: issue.scheduled_for,
        title: issue.subject.clone().unwrap_or_else(|| it.title(&issue.mailing).to_owned()),
        key: Some(issue.key.clone()),
        href: Some(issue_href(&issue.key)),
        label: label_of(issue),
        reason: note(issue),
        recipients: issue.frozen_at().map(|_| issue.counts.total()),
        choices: Vec::new(),
    }
}

/// The rows under their weeks.
pub fn by_week(rows: Vec<Coming>, zone: chrono_tz::Tz) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let week = week_of(row.instant, zone);
        match groups.last_mut().filter(|group| group.week == week) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { week, rows: vec![row] }),
        }
    }
    groups
}

fn within(issue: &IssueSummary, now: Timestamp, back: TimeDelta, ahead: TimeDelta) -> bool {
    issue.scheduled_for >= now - back && issue.scheduled_for <= now + ahead
}

/// Who acted last, or what is missing.
fn note(issue: &IssueSummary) -> String {
    if let Some(by) = &issue.half_approved_by {
        return crate::notices::wording::half_approved(by);
    }
    match (issue.reason(), issue.approved_by()) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(by)) => crate::notices::wording::approved_and_waiting(by),
        (None, None) => String::new(),
    }
}

/// An hour that is over: what left is under the issues.
fn decided(it: &Reading<'_>, past: &Occurrence) -> Option<Coming> {
    let (key, tone) = match past.state {
        OccurrenceState::Done => return None,
        OccurrenceState::Pending => ("coming_pending", Tone::Look),
        OccurrenceState::Missed => ("coming_missed", Tone::Bad),
        OccurrenceState::Coalesced => ("coming_coalesced", Tone::Past),
        OccurrenceState::Skipped => ("coming_skipped", Tone::Past),
    };
    Some(Coming {
        at: When::new(past.scheduled_for, it.now, it.zone_of(&past.mailing)),
        instant: past.scheduled_for,
        title: it.title(&past.mailing).to_owned(),
        href: past.issue.as_ref().map(issue_href),
        key: past.issue.clone(),
        label: Label { key, tone },
        reason: past.reason.clone().unwrap_or_default(),
        recipients: None,
        choices: Vec::new(),
    })
}
