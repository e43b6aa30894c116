//! An agenda beside its article: every line of what was last read, what is printed of it, and what persons corrected.

use super::doubts::Doubt;
use crate::app::Engine;
use crate::compose::rows::{Row, daily_rows, rows};
use crate::domain::{
    Timestamp,
    agenda::{Corrections, DailyItem, Item, Status},
    characters::squeezed,
    correction::{
        Corrected, Correction, Dismissal, KeptReading, Line, Patch, Placement, Section, Set, Standing, lines, name_at,
        named, patched,
    },
    french::folded,
    issue::IssueKey,
};
use crate::issue::corrections::overlay;
use crate::store;
use chrono::NaiveTime;
use serde::Serialize;

/// Everything there is to see and to correct.
#[derive(Debug, Clone)]
pub struct Reading {
    pub title: String,
    pub url: Option<String>,
    pub read_at: Timestamp,
    /// What is to be checked first, then by section in the order of the reading.
    pub lines: Vec<LineView>,
    /// Corrections that change nothing now: their line changed, is gone, or says so itself.
    pub idle: Vec<Idle>,
    pub dismissals: Vec<Dismissal>,
    /// Events that are printed.
    pub printed: usize,
    pub corrections: Corrections,
}

/// A line of the article.
#[derive(Debug, Clone)]
pub struct LineView {
    /// Its place in the reading, from 1.
    pub number: usize,
    pub section: Section,
    pub text: String,
    pub doubt: Option<Doubt>,
    /// It is left out of every issue.
    pub dismissed: bool,
    /// The structured source it came from.
    pub source: Option<String>,
    /// One for each event; one for a line that was not understood.
    pub events: Vec<EventView>,
}

/// An event of a line.
#[derive(Debug, Clone)]
pub struct EventView {
    /// Names it for a correction.
    pub target: String,
    /// What is printed of it, with its correction.
    pub row: Row,
    pub correction: Option<Correction>,
}

/// A correction without a line.
#[derive(Debug, Clone)]
pub struct Idle {
    pub correction: Correction,
    pub standing: Standing,
    /// Of a conflict: the event that the line is now.
    pub target: Option<String>,
}

/// `None`: nothing was read for the issue yet.
///
/// # Errors
/// When the database cannot be read.
pub async fn read(engine: &Engine, key: &IssueKey) -> store::Result<Option<Reading>> {
    let Some(read) = engine.store.reading(key).await? else { return Ok(None) };
    let overlay = overlay(&*engine.store, key).await?;
    let Corrected { agenda, standings } = overlay.apply(&read.agenda);
    let all = lines(&read.agenda);
    let applied = |it: &&Correction| {
        let at = overlay.corrections.iter().position(|other| other.id == it.id);
        at.is_some_and(|at| standings[at] == Standing::Applied)
    };
    let corrections: Vec<&Correction> = overlay.corrections.iter().filter(applied).collect();
    let dismissed: Vec<String> = overlay.dismissals.iter().map(|it| folded(&it.line)).collect();
    let mut views: Vec<LineView> = (0..all.len()).map(|at| line_view(&all, at, &corrections, &dismissed)).collect();
    views.sort_by_key(|line| {
        let open = line.doubt.filter(|_| !line.is_settled());
        (open.is_none(), open)
    });
    let idle = overlay.corrections.iter().zip(standings).filter(|(_, standing)| *standing != Standing::Applied);
    let idle = idle.map(|(correction, standing)| {
        let now = match &standing {
            Standing::InConflict { now, section } => {
                let at = all.iter().position(|line| line.section == *section && line.item.text == *now);
                at.map(|at| name_at(&all, at, correction.anchor.event.min(last_event(all[at].item))))
            }
            _ => None,
        };
        Idle { correction: correction.clone(), target: now, standing }
    });
    let idle = idle.collect();
    let (printed, corrections) = (agenda.event_count(), agenda.corrections);
    let KeptReading { title, url, read_at, .. } = read.clone();
    Ok(Some(Reading { title, url, read_at, lines: views, idle, dismissals: overlay.dismissals, printed, corrections }))
}

impl Reading {
    /// Events that are printed as they were read.
    pub fn as_read(&self) -> usize {
        self.printed - self.corrections.changed
    }
}

impl LineView {
    /// A person has dealt with it.
    pub fn is_settled(&self) -> bool {
        self.dismissed || self.events.iter().any(|event| event.correction.is_some())
    }
}

fn doubt(line: &Line<'_>) -> Option<Doubt> {
    match line.section {
        Section::Unplaced => Some(Doubt::of_unplaced(line.item)),
        _ => Doubt::of(line.item),
    }
}

fn last_event(item: &Item) -> usize {
    item.events.len().saturating_sub(1)
}

fn line_view(all: &[Line<'_>], at: usize, corrections: &[&Correction], dismissed: &[String]) -> LineView {
    let line = &all[at];
    let events = (0..line.item.events.len().max(1)).map(|event| {
        let target = name_at(all, at, event);
        let correction = corrections.iter().find(|it| it.anchor.name() == target).copied();
        EventView { row: printed(line, event, correction.map(|it| &it.patch)), correction: correction.cloned(), target }
    });
    LineView {
        number: at + 1,
        section: line.section,
        text: line.item.text.clone(),
        doubt: doubt(line),
        dismissed: dismissed.contains(&folded(&line.item.text)),
        source: line.item.provenance.as_ref().map(|it| it.source.clone()),
        events: events.collect(),
    }
}

/// What is printed of an event of a line, with a patch.
fn printed(line: &Line<'_>, event: usize, patch: Option<&Patch>) -> Row {
    let item = patch.map_or_else(|| line.item.clone(), |patch| patched(line.item, &[(event, patch)]));
    let mut all = match line.section {
        Section::Daily => daily_rows(&DailyItem { item, days: line.days.to_vec() }),
        _ => rows(&item),
    };
    if event < all.len() { all.swap_remove(event) } else { Row::default() }
}

/// The fields of an event as a person fills them in: empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fields {
    /// [`placement_value`]
    pub day: String,
    /// `18:30`
    pub start: String,
    pub end: String,
    pub title: String,
    pub place: String,
    pub price: String,
    pub phone: String,
    pub link: String,
    pub note: String,
    /// `scheduled`, `cancelled`, `postponed`, `sold_out`
    pub status: String,
}

/// A field with a value it cannot have, by its name in [`Fields`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField(pub &'static str);

/// An event that is to be corrected.
#[derive(Debug, Clone)]
pub struct Form {
    pub line: String,
    pub section: Section,
    pub doubt: Option<Doubt>,
    /// As it was read.
    pub read: Fields,
    /// See [`Patch::remainder`].
    remainder: Option<String>,
    /// With the correction in force, or the one that is adapted.
    pub now: Fields,
    pub correction: Option<Correction>,
    /// A correction whose line has changed into this one.
    pub adapted: Option<Correction>,
}

/// What a form for this event shows. `adapts`: the id of a correction that is in conflict. `None`: what was last read has no such
/// event.
///
/// # Errors
/// When the database cannot be read.
pub async fn form(engine: &Engine, key: &IssueKey, target: &str, adapts: Option<&str>) -> store::Result<Option<Form>> {
    let Some(read) = engine.store.reading(key).await? else { return Ok(None) };
    let all = lines(&read.agenda);
    let Some((at, event)) = named(&all, target) else { return Ok(None) };
    let corrections = engine.store.corrections(key).await?;
    let correction = corrections.iter().find(|it| it.anchor.name() == target).cloned();
    let adapted = corrections.into_iter().find(|it| Some(&*it.id) == adapts && it.anchor.name() != target);
    let line = &all[at];
    let (before, remainder) = fields(line, event);
    let patch = adapted.as_ref().or(correction.as_ref()).map(|it| &it.patch);
    Ok(Some(Form {
        line: line.item.text.clone(),
        section: line.section,
        doubt: doubt(line),
        now: patch.map_or_else(|| before.clone(), |patch| before.patched(patch)),
        read: before,
        remainder,
        correction,
        adapted,
    }))
}

/// The fields of an event as it was read, and the note of the last event where printing adds words to it that no field holds.
fn fields(line: &Line<'_>, n: usize) -> (Fields, Option<String>) {
    let row = printed(line, n, None);
    let event = line.item.events.get(n).cloned().unwrap_or_default();
    let time = |time: Option<NaiveTime>| time.map(|time| time.format("%H:%M").to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let note = row.note.unwrap_or_default();
    let last = line.item.events.last().and_then(|event| event.note.clone());
    let remainder = rows(line.item).pop().and_then(|row| row.note).filter(|note| Some(note) != last.as_ref());
    let fields = Fields {
        day: section_value(line.section),
        start: time(event.start.or(event.slots.first().map(|slot| slot.0))),
        end: time(event.end.or(event.slots.last().map(|slot| slot.1))),
        title: if event.title.trim().is_empty() { row.title } else { event.title },
        place: text(&event.place),
        price: text(&event.price),
        phone: text(&event.phone),
        link: text(&event.link),
        note,
        status: status_value(event.status).to_owned(),
    };
    (fields, remainder)
}

impl Fields {
    /// With what a patch changes.
    fn patched(&self, patch: &Patch) -> Self {
        let set = |set: &Option<Set<String>>, before: &str| match set {
            None => before.to_owned(),
            Some(Set::To(text)) => text.clone(),
            Some(Set::Nothing) => String::new(),
        };
        let time = |set: &Option<Set<NaiveTime>>, before: &str| match set {
            None => before.to_owned(),
            Some(Set::To(time)) => time.format("%H:%M").to_string(),
            Some(Set::Nothing) => String::new(),
        };
        Self {
            day: patch.placement.map_or_else(|| self.day.clone(), placement_value),
            start: time(&patch.start, &self.start),
            end: time(&patch.end, &self.end),
            title: patch.title.clone().unwrap_or_else(|| self.title.clone()),
            place: set(&patch.place, &self.place),
            price: set(&patch.price, &self.price),
            phone: set(&patch.phone, &self.phone),
            link: set(&patch.link, &self.link),
            note: set(&patch.note, &self.note),
            status: patch.status.map_or_else(|| self.status.clone(), |it| status_value(it).to_owned()),
        }
    }
}

impl Form {
    /// The difference between what was read and what a person wants.
    ///
    /// # Errors
    /// The first field with a value it cannot have.
    pub fn patch(&self, wanted: &Fields) -> Result<Patch, InvalidField> {
        // White space in a form is no difference.
        let changed = |before: &str, now: &str| squeezed(before) != squeezed(now);
        let text = |before: &str, now: &str| {
            changed(before, now).then(|| Set::from(Some(now.trim().to_owned()).filter(|text| !text.is_empty())))
        };
        let time = |name, before: &str, now: &str| {
            let now = now.trim();
            match (changed(before, now), now.is_empty()) {
                (false, _) => Ok(None),
                (true, true) => Ok(Some(Set::Nothing)),
                (true, false) => NaiveTime::parse_from_str(now, "%H:%M")
                    .or_else(|_| NaiveTime::parse_from_str(now, "%H:%M:%S"))
                    .map(|time| Some(Set::To(time)))
                    .map_err(|_| InvalidField(name)),
            }
        };
        let read = &self.read;
        Ok(Patch {
            placement: match changed(&read.day, &wanted.day) {
                true => Some(placement(&wanted.day).ok_or(InvalidField("day"))?),
                false => None,
            },
            start: time("start", &read.start, &wanted.start)?,
            end: time("end", &read.end, &wanted.end)?,
            title: changed(&read.title, &wanted.title).then(|| wanted.title.trim().to_owned()),
            place: text(&read.place, &wanted.place),
            price: text(&read.price, &wanted.price),
            phone: text(&read.phone, &wanted.phone),
            link: text(&read.link, &wanted.link),
            note: text(&read.note, &wanted.note),
            status: match read.status == wanted.status {
                true => None,
                false => Some(status(&wanted.status).ok_or(InvalidField("status"))?),
            },
            remainder: self.remainder.clone(),
        })
    }
}

/// `2027-07-14`, `every_day`, `exhibition`, `hidden`
pub fn placement_value(placement: Placement) -> String {
    match placement {
        Placement::Day(day) => day.to_string(),
        Placement::EveryDay => "every_day".to_owned(),
        Placement::Exhibition => "exhibition".to_owned(),
        Placement::Hidden => "hidden".to_owned(),
    }
}

/// The inverse of [`placement_value`].
fn placement(text: &str) -> Option<Placement> {
    match text.trim() {
        "every_day" => Some(Placement::EveryDay),
        "exhibition" => Some(Placement::Exhibition),
        "hidden" => Some(Placement::Hidden),
        day => day.parse().ok().map(Placement::Day),
    }
}

/// Where a line stands, as in [`placement_value`]; empty: on no day.
fn section_value(section: Section) -> String {
    match section {
        Section::Day(day) => day.to_string(),
        Section::Daily => "every_day".to_owned(),
        Section::Exhibitions => "exhibition".to_owned(),
        Section::Unplaced => String::new(),
    }
}

const STATUSES: [Status; 4] = [Status::Scheduled, Status::Cancelled, Status::Postponed, Status::SoldOut];

fn status_value(status: Status) -> &'static str {
    match status {
        Status::Scheduled => "scheduled",
        Status::Cancelled => "cancelled",
        Status::Postponed => "postponed",
        Status::SoldOut => "sold_out",
    }
}

fn status(text: &str) -> Option<Status> {
    STATUSES.into_iter().find(|status| status_value(*status) == text)
}
