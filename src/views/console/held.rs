//! Why an issue is held: what was seen, what it takes, when it is tried again, what a person can do.

use super::{Reading, When, correct, editorial, exceptions};
use crate::accounts::Permission;
use crate::domain::{
    agenda::Agenda,
    exception::{HeldFor, Rule, SeenArticle},
    french,
    hold::Hold,
    issue::{IssueState, IssueSummary},
};
use crate::store::{OccurrenceState, StoreError};
use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;

/// Occurrences among which that of the issue is looked for.
const OCCURRENCES: u32 = 200;
/// Lines that are shown under a day.
const MOST_LINES: usize = 30;

/// The four blocks of an issue that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// [`Hold::kind`]; `other`: only the reason is known.
    pub kind: &'static str,
    /// In French.
    pub reason: String,
    pub held_at: Option<When>,
    /// When the sources were last looked at.
    pub seen_at: Option<When>,
    pub articles: Vec<Seen>,
    /// The days of the article that was read, with the lines under each.
    pub days: Vec<Day>,
    pub retry: Retry,
    pub acts: Vec<Act>,
}

/// An article that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub title: String,
    pub url: Option<String>,
    pub published: When,
    /// Days found in it, from the first to the last, in French; empty for none.
    pub days: String,
    /// Lines under them.
    pub lines: usize,
    /// Why it was not taken, in French; empty if it is the one that was read.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// In French.
    pub name: String,
    /// It is empty, or of another week: why the issue is held.
    pub wrong: bool,
    pub lines: Vec<String>,
    pub more: usize,
}

/// When the sources are read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retry {
    pub next: Option<When>,
    /// Minutes between two tries.
    pub every: i64,
    pub until: When,
    /// What is left until then: as numbers of days, hours and minutes.
    pub days: i64,
    pub hours: i64,
    pub minutes: i64,
    /// Only a person can go on: nothing is read again.
    pub by_person: bool,
}

/// Something that a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Of its text: `held_act_KEY`.
    pub key: &'static str,
    pub href: String,
    /// What it is about: a number or a name; empty for nothing.
    pub about: String,
    /// A role's word.
    pub permission: &'static str,
}

/// `None`: it is not held.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read(it: &Reading<'_>, issue: &IssueSummary) -> Result<Option<Held>, StoreError> {
    if issue.state() != IssueState::Held {
        return Ok(None);
    }
    let (key, zone) = (&issue.key, it.zone_of(&issue.mailing));
    let when = |at| When::new(at, it.now, zone);
    let held = it.store.held_for(key).await?;
    let hold = held.as_ref().map(|held| &held.hold);
    // It waits for an approval; that has texts of its own.
    if matches!(hold, Some(Hold::Unapproved)) {
        return Ok(None);
    }
    let sighting = it.store.sighting(key).await?;
    let reading = it.store.reading(key).await?;
    let mailing = it.mailings.iter().find(|mailing| mailing.id == issue.mailing);
    let is_agenda = mailing.is_some_and(|mailing| mailing.agenda().is_some());
    let pending = it.store.occurrences(Some(&issue.mailing), OCCURRENCES).await?;
    let pending = pending.into_iter().find(|it| it.issue.as_ref() == Some(key) && it.state == OccurrenceState::Pending);
    let left = (issue.expires_at - it.now).max(TimeDelta::zero());
    let by_person = issue.needs_approval();
    let days = match (hold, &reading) {
        (Some(Hold::StrayDays { days, .. } | Hold::EmptyDays(days)), Some(read)) => days_of(&read.agenda, days),
        (Some(Hold::TooFewEvents { .. }), Some(read)) => days_of(&read.agenda, &[]),
        _ => Vec::new(),
    };
    Ok(Some(Held {
        kind: hold.and_then(Hold::kind).unwrap_or("other"),
        reason: issue.reason().unwrap_or_default().to_owned(),
        held_at: held.as_ref().map(|held| when(held.at)),
        seen_at: sighting.as_ref().map(|seen| when(seen.seen_at)),
        articles: sighting.iter().flat_map(|seen| &seen.articles).map(|article| seen(article, &when)).collect(),
        days,
        retry: Retry {
            next: pending.map(|occurrence| when(occurrence.next_try.max(it.now))),
            every: mailing.map_or(0, |mailing| mailing.retry.num_minutes()),
            until: when(issue.expires_at),
            days: left.num_days(),
            hours: left.num_hours() % 24,
            minutes: left.num_minutes() % 60,
            by_person,
        },
        acts: acts(issue, held.as_ref(), is_agenda && reading.is_some(), it),
    }))
}

fn seen(article: &SeenArticle, when: &dyn Fn(crate::domain::Timestamp) -> When) -> Seen {
    let days = match (article.days.first(), article.days.last()) {
        (Some((first, _)), Some((last, _))) if first == last => french::day(*first),
        (Some((first, _)), Some((last, _))) => format!("{} – {}", french::day(*first), french::day(*last)),
        _ => String::new(),
    };
    Seen {
        title: article.title.clone(),
        url: article.url.clone(),
        published: when(article.published),
        days,
        lines: article.days.iter().map(|(_, lines)| lines).sum(),
        why: article.hold.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn days_of(agenda: &Agenda, wrong: &[NaiveDate]) -> Vec<Day> {
    let day = |day: &crate::domain::agenda::Day| Day {
        name: french::capitalized(&french::day(day.date)),
        wrong: wrong.contains(&day.date),
        lines: day.items.iter().take(MOST_LINES).map(|item| item.text.clone()).collect(),
        more: day.items.len().saturating_sub(MOST_LINES),
    };
    agenda.days.iter().map(day).collect()
}

/// What this hold in particular can be answered with. What can be decided about any issue is not among it.
fn acts(issue: &IssueSummary, held: Option<&HeldFor>, was_read: bool, it: &Reading<'_>) -> Vec<Act> {
    let key = &issue.key;
    let mut acts = Vec::new();
    let mut add = |name, href, about: String, permission: Permission| {
        acts.push(Act { key: name, href, about, permission: permission.as_str() });
    };
    let Some(held) = held else { return acts };
    let waiver = Rule::of(&held.hold);
    match (&held.hold, &waiver) {
        // First, because it is the better way.
        (Hold::TooManyUnplaced { .. }, _) if was_read => {
            add("place", correct::href(key), String::new(), Permission::See);
        }
        (Hold::CorrectionsInConflict { .. }, _) => add("decide", correct::href(key), String::new(), Permission::See),
        (Hold::EditionIncomplete { .. } | Hold::EditionOutOfDate { .. }, _) => {
            let slug = crate::domain::edition::Edition::slug_of(key);
            add("edition", format!("/editions/{}", super::escaped(slug)), String::new(), Permission::See);
        }
        (Hold::NothingNew { .. } | Hold::EditorialUnreadable { .. }, _) => {
            add("editorial", editorial::href(key), String::new(), Permission::Write);
        }
        _ => {}
    }
    if let Some(rule) = &waiver {
        let about = match rule {
            Rule::Source { source } => source.clone(),
            other => other.number().map(|n| n.to_string()).unwrap_or_default(),
        };
        let name = match rule {
            Rule::Source { .. } => "source",
            Rule::TooFew { found: 1, .. } => "too_few_one",
            Rule::TooFew { .. } => "too_few",
            Rule::TooManyUnplaced { .. } | Rule::Article { .. } => "too_many_unplaced",
        };
        add(name, exceptions::href(key), about, Permission::Approve);
    }
    let has_site = |mailing: &crate::jobs::Mailing| {
        mailing.agenda().is_some() && mailing.sources.iter().any(|rule| rule.source.site().is_some())
    };
    if held.hold.lacks_an_article() && it.mailings.iter().any(|it| it.id == issue.mailing && has_site(it)) {
        add("article", exceptions::article_href(key), String::new(), Permission::Write);
    }
    if was_read && matches!(held.hold, Hold::TooFewEvents { .. } | Hold::StrayDays { .. } | Hold::EmptyDays(_)) {
        add("look", correct::href(key), String::new(), Permission::See);
    }
    acts
}
