//! « Article et agenda »: the article's lines beside what is printed of them, and the form that corrects one.

use super::{Reading, When, issue_href};
use crate::compose::rows::{Row, status_word};
use crate::domain::{
    Timestamp,
    agenda::Week,
    correction::{Correction, Dismissal, Patch, Placement, Section, Set, Standing},
    french,
    issue::{IssueKey, IssueSummary},
};
use crate::views::corrections::{self as all, Fields, Form, placement_value};
use chrono::NaiveTime;
use serde::Serialize;

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    pub path: String,
    pub back: String,
    pub article: String,
    pub url: Option<String>,
    pub read_at: When,
    pub printed: usize,
    pub as_read: usize,
    pub changed: usize,
    pub withdrawn: Vec<Left>,
    /// Corrections that a person has to decide about again.
    pub conflicts: Vec<Conflict>,
    /// Corrections that change nothing any more.
    pub idle: Vec<Done>,
    /// Lines to be checked.
    pub open: Vec<Line>,
    /// All others, by section.
    pub sections: Vec<(String, Vec<Line>)>,
    pub dismissed: Vec<Left>,
    /// Who approved the content: a correction takes that back.
    pub approved_by: Option<String>,
    /// Why the issue is held, in French.
    pub held: Option<String>,
    /// The preview of what is kept.
    pub preview: Option<String>,
    /// It may still be changed.
    pub changeable: bool,
}

/// A line that a person left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub line: String,
    pub by: String,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub number: usize,
    pub under: String,
    pub text: String,
    /// Key of the reason to check it; empty for none.
    pub doubt: &'static str,
    pub dismissed: bool,
    pub source: Option<String>,
    pub events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub href: String,
    /// `10 h 30`; empty for none.
    pub time: String,
    pub title: String,
    /// Place, price, telephone, note.
    pub more: Vec<String>,
    pub correction: Option<Done>,
}

/// A correction, as a line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    pub id: String,
    pub line: String,
    pub by: String,
    pub at: When,
    pub why: String,
    /// Key of what became of it; empty if it applies.
    pub standing: &'static str,
    pub changes: Vec<(&'static str, String)>,
}

/// A correction whose line has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    pub now: String,
    pub done: Done,
    /// The form that adapts it; `None` if the line it became is not there any more.
    pub adapt: Option<String>,
}

/// `/envois/agenda/2027-W28/corriger`
pub fn href(key: &IssueKey) -> String {
    format!("{}/corriger", issue_href(key))
}

impl Sheet {
    pub fn new(it: &Reading<'_>, key: &IssueKey, issue: Option<&IssueSummary>, read: all::Reading) -> Self {
        let zone = it.zone_of(key.mailing());
        let when = |at| When::new(at, it.now, zone);
        let left = |line: &str, by: &str, why: &str| Left { line: line.into(), by: by.into(), why: why.into() };
        let (mut conflicts, mut idle) = (Vec::new(), Vec::new());
        for all::Idle { correction, standing, target } in &read.idle {
            let (now, key_of_standing) = match standing {
                Standing::InConflict { now, .. } => (Some(now.clone()), "standing_conflict"),
                Standing::Absorbed => (None, "standing_absorbed"),
                Standing::Orphaned => (None, "standing_orphaned"),
                Standing::Applied => (None, ""),
            };
            let done = done(correction, key_of_standing, &when);
            match now {
                Some(now) => {
                    let adapt = target.as_ref().map(|to| format!("{}/{to}?adapter={}", href(key), correction.id));
                    conflicts.push(Conflict { now, done, adapt });
                }
                None => idle.push(done),
            }
        }
        let (mut open, mut sections) = (Vec::new(), Vec::<(Section, Vec<Line>)>::new());
        for line in &read.lines {
            let shown = shown(line, key, &when);
            match line.doubt.is_some() && !line.is_settled() {
                true => open.push(shown),
                false => match sections.iter_mut().find(|(section, _)| *section == line.section) {
                    Some((_, lines)) => lines.push(shown),
                    None => sections.push((line.section, vec![shown])),
                },
            }
        }
        sections.sort_by_key(|(section, _)| *section);
        let as_read = read.as_read();
        Self {
            path: key.to_string(),
            back: issue_href(key),
            article: read.title,
            url: read.url,
            read_at: when(read.read_at),
            printed: read.printed,
            as_read,
            changed: read.corrections.changed,
            withdrawn: read.corrections.left_out.iter().map(|it| left(&it.line, &it.by, &it.why)).collect(),
            conflicts,
            idle,
            open,
            sections: sections.into_iter().map(|(section, lines)| (under(section), lines)).collect(),
            dismissed: read.dismissals.iter().map(|Dismissal { line, by, why, .. }| left(line, by, why)).collect(),
            approved_by: approved_by(issue),
            held: issue.and_then(|issue| issue.reason()).map(str::to_owned),
            preview: issue.and_then(|it| it.content_hash()).map(|hash| super::preview::base(key, hash)),
            changeable: issue.is_none_or(|issue| issue.frozen().is_none() && !issue.state().is_given_up()),
        }
    }
}

/// Whose approval a correction takes back.
fn approved_by(issue: Option<&IssueSummary>) -> Option<String> {
    let issue = issue?;
    let by = issue.approved_by().filter(|_| issue.is_approved());
    by.or(issue.half_approved_by.as_deref()).map(str::to_owned)
}

fn under(section: Section) -> String {
    match section {
        Section::Day(day) => french::capitalized(&french::day(day)),
        Section::Daily => "Plusieurs jours".to_owned(),
        Section::Exhibitions => "Expositions".to_owned(),
        Section::Unplaced => "Sans jour".to_owned(),
    }
}

fn shown(line: &all::LineView, key: &IssueKey, when: &dyn Fn(Timestamp) -> When) -> Line {
    let events = line.events.iter().map(|event| {
        let Row { time, title, days, place, price, phone, link, status, until, note, .. } = event.row.clone();
        let status = status_word(status).map(str::to_owned);
        Event {
            href: format!("{}/{}", href(key), event.target),
            time,
            title,
            more: [status, days, place, price, phone, until, note, link].into_iter().flatten().collect(),
            correction: event.correction.as_ref().map(|it| done(it, "", when)),
        }
    });
    Line {
        number: line.number,
        under: under(line.section),
        text: line.text.clone(),
        doubt: line.doubt.filter(|_| !line.is_settled()).map(|doubt| doubt.key()).unwrap_or_default(),
        dismissed: line.dismissed,
        source: line.source.clone(),
        events: events.collect(),
    }
}

fn done(it: &Correction, standing: &'static str, when: &dyn Fn(Timestamp) -> When) -> Done {
    Done {
        id: it.id.clone(),
        line: it.anchor.line.clone(),
        by: it.by.clone(),
        at: when(it.at),
        why: it.why.clone(),
        standing,
        changes: changes(&it.patch),
    }
}

/// What a patch sets: key of the field, and its value in French.
fn changes(patch: &Patch) -> Vec<(&'static str, String)> {
    const NOTHING: &str = "–";
    let text = |set: &Option<Set<String>>| {
        set.as_ref().map(|set| match set {
            Set::To(text) => text.clone(),
            Set::Nothing => NOTHING.to_owned(),
        })
    };
    let time = |set: &Option<Set<NaiveTime>>| {
        set.as_ref().map(|set| match set {
            Set::To(time) => french::hour(*time),
            Set::Nothing => NOTHING.to_owned(),
        })
    };
    let day = |to: Placement| match to {
        Placement::Day(day) => french::day(day),
        Placement::EveryDay => "tous les jours".to_owned(),
        Placement::Exhibition => "exposition".to_owned(),
        Placement::Hidden => "non affichée".to_owned(),
    };
    let title = patch.title.clone().map(|title| if title.is_empty() { NOTHING.to_owned() } else { title });
    let all = [
        ("day", patch.placement.map(day)),
        ("start", time(&patch.start)),
        ("end", time(&patch.end)),
        ("title", title),
        ("place", text(&patch.place)),
        ("price", text(&patch.price)),
        ("phone", text(&patch.phone)),
        ("link", text(&patch.link)),
        ("note", text(&patch.note)),
        ("status", patch.status.map(|status| status_word(status).unwrap_or("Prévu").to_owned())),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// The form that corrects an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormView {
    pub path: String,
    pub back: String,
    pub action: String,
    /// Where the correction in force is taken back.
    pub withdraw: Option<String>,
    pub line: String,
    pub under: String,
    /// Key of the reason to check it; empty for none.
    pub doubt: &'static str,
    /// As it was read.
    pub read: Fields,
    pub days: Vec<(String, String)>,
    /// The correction in force: what is saved replaces it.
    pub correction: Option<Done>,
    /// A correction of the line as it was before: what is saved takes its place.
    pub adapted: Option<Done>,
    pub approved_by: Option<String>,
    /// It stands under no day.
    pub is_unplaced: bool,
}

impl FormView {
    pub fn new(
        it: &Reading<'_>,
        key: &IssueKey,
        issue: Option<&IssueSummary>,
        target: &str,
        week: Week,
        form: &Form,
    ) -> Self {
        let zone = it.zone_of(key.mailing());
        let when = |at| When::new(at, it.now, zone);
        let days =
            week.days().map(|day| (placement_value(Placement::Day(day)), french::capitalized(&french::day(day))));
        Self {
            path: key.to_string(),
            back: href(key),
            action: format!("{}/{target}", href(key)),
            withdraw: form.correction.as_ref().map(|it| format!("{}/corrections/{}/retirer", issue_href(key), it.id)),
            line: form.line.clone(),
            under: under(form.section),
            doubt: form.doubt.map(|doubt| doubt.key()).unwrap_or_default(),
            read: form.read.clone(),
            days: days.collect(),
            correction: form.correction.as_ref().map(|it| done(it, "", &when)),
            adapted: form.adapted.as_ref().map(|it| done(it, "standing_conflict", &when)),
            approved_by: approved_by(issue),
            is_unplaced: form.section == Section::Unplaced,
        }
    }
}
