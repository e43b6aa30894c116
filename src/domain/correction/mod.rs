//! Corrections of an agenda: what a person says of one line of the article, applied again at each reading.
//!
//! A correction is an overlay. It is anchored to the article's own words, and lands on no other line: if the article changed around
//! them it still applies, if the line itself changed it is in conflict and a person decides, if the line is gone a warning says
//! so. Applying is pure: the same reading and the same corrections always give the same agenda.

mod apply;
mod locate;
#[cfg(test)]
mod tests;

pub use apply::{Corrected, Overlay, Standing, patched};
pub use locate::{Line, anchor_of, lines, name_at, named};

use super::Timestamp;
use super::agenda::{Agenda, Event, Status, Week};
use super::characters;
use super::french::capitalized;
use super::issue::IssueKey;
use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A change of one line of an agenda, for one issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    pub id: String,
    pub issue: IssueKey,
    pub anchor: Anchor,
    pub patch: Patch,
    /// Why; empty if no reason was given.
    pub why: String,
    pub by: String,
    pub at: Timestamp,
}

/// What was last read for an issue, before any correction: it can be corrected and composed again without the web site.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptReading {
    pub issue: IssueKey,
    pub read_at: Timestamp,
    /// Title of the article.
    pub title: String,
    pub url: Option<String>,
    /// With the listings of structured sources.
    pub agenda: Agenda,
    /// Optional sources that failed, each with the reason in French.
    pub missing: Vec<String>,
    /// [`InForce::of_reading`](super::exception::InForce::of_reading) of the exceptions it was read with.
    pub exceptions: u64,
}

/// A line that a person said is no event: left out of every issue of the mailing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissal {
    pub mailing: String,
    /// The article's words, as written.
    pub line: String,
    pub why: String,
    pub by: String,
    pub at: Timestamp,
}

/// The part of the agenda that holds a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    Day(NaiveDate),
    /// Several days of the week.
    Daily,
    Exhibitions,
    Unplaced,
}

/// A text that names no section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2027-07-14, daily, exhibitions or unplaced, got {0:?}")]
pub struct InvalidSection(String);

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Section::Day(date) => write!(f, "{date}"),
            Section::Daily => f.write_str("daily"),
            Section::Exhibitions => f.write_str("exhibitions"),
            Section::Unplaced => f.write_str("unplaced"),
        }
    }
}

impl FromStr for Section {
    type Err = InvalidSection;

    fn from_str(text: &str) -> Result<Self, InvalidSection> {
        match text {
            "daily" => Ok(Section::Daily),
            "exhibitions" => Ok(Section::Exhibitions),
            "unplaced" => Ok(Section::Unplaced),
            date => date.parse().map(Section::Day).map_err(|_| InvalidSection(date.to_owned())),
        }
    }
}

impl Serialize for Section {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a correction is about: a line by its words, and one of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub section: Section,
    /// The article's words as written; compared folded.
    pub line: String,
    /// Its place among lines of the section with the same words, from 0, and how many of them there were.
    pub nth: usize,
    pub of: usize,
    /// How many lines of other sections had the same words.
    pub elsewhere: usize,
    /// Lines that resembled it and were other announcements, folded: what it is never taken for.
    pub similar: Vec<String>,
    /// Which event of the line, from 0.
    pub event: usize,
    /// How many there were; 0: the line was not understood.
    pub events: usize,
}

impl Anchor {
    /// Its name in addresses and on the command line: the section, eight digits of a hash of the words, the place among equals,
    /// the event. Two anchors with one name are about the same event.
    pub fn name(&self) -> String {
        locate::name_of(self.section, &super::french::folded(&self.line), self.nth, self.event)
    }
}

/// Where a corrected event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    Day(NaiveDate),
    EveryDay,
    Exhibition,
    /// Not printed. The reading and the correction keep it.
    Hidden,
}

impl Placement {
    fn section(self) -> Option<Section> {
        match self {
            Placement::Day(day) => Some(Section::Day(day)),
            Placement::EveryDay => Some(Section::Daily),
            Placement::Exhibition => Some(Section::Exhibitions),
            Placement::Hidden => None,
        }
    }
}

/// A new value of a field that may also be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Set<T> {
    To(T),
    Nothing,
}

impl<T: Clone> Set<T> {
    fn value(&self) -> Option<T> {
        match self {
            Set::To(value) => Some(value.clone()),
            Set::Nothing => None,
        }
    }
}

impl<T> From<Option<T>> for Set<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Set::Nothing, Set::To)
    }
}

/// What changes; `None` leaves what was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Set<NaiveTime>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Set<NaiveTime>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Set<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Set<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Set<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Set<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Set<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The printed note of the line's last event, where words that no field holds were added to it: a correction of something else
    /// loses none of them. They are the article's, and change nothing by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remainder: Option<String>,
}

impl Patch {
    pub fn is_empty(&self) -> bool {
        Self { remainder: None, ..self.clone() } == Self::default()
    }

    /// Whether the reason is required: what disappears, or does not take place, has one.
    pub fn needs_a_reason(&self) -> bool {
        self.placement == Some(Placement::Hidden) || self.status == Some(Status::Cancelled)
    }

    /// Whether its day is one of the week; a correction never opens the gate of the wrong week (I4).
    pub fn fits(&self, week: Week) -> bool {
        !matches!(self.placement, Some(Placement::Day(day)) if !week.contains(day))
    }

    /// Changes the fields of an event. The placement is applied by [`Overlay::apply`].
    fn change(&self, event: &mut Event) {
        if self.start.is_some() || self.end.is_some() {
            self.change_times(event);
        }
        if let Some(title) = &self.title {
            event.title.clone_from(title);
            event.evidence.title = None;
        }
        let mut texts = [
            (&self.place, &mut event.place),
            (&self.price, &mut event.price),
            (&self.phone, &mut event.phone),
            (&self.link, &mut event.link),
            (&self.note, &mut event.note),
        ];
        for (set, field) in &mut texts {
            if let Some(set) = set {
                **field = set.value();
            }
        }
        if self.place.is_some() {
            event.evidence.place = None;
        }
        if self.price.is_some() {
            event.evidence.price = None;
        }
        if self.phone.is_some() {
            event.evidence.phone = None;
        }
        if let Some(status) = self.status {
            event.status = status;
            event.evidence.status = None;
        }
    }

    fn change_times(&self, event: &mut Event) {
        let ends = event.slots.first().map(|slot| slot.0).zip(event.slots.last().map(|slot| slot.1));
        let (first, last) = ends.unzip();
        let start = self.start.as_ref().map_or(event.start.or(first), Set::value);
        let end = self.end.as_ref().map_or(event.end.or(last), Set::value);
        // Opening hours in several pieces stay in pieces as long as they have both ends.
        match (&mut event.slots[..], start, end) {
            ([], ..) | (_, None, _) | (_, _, None) => event.slots.clear(),
            (slots, Some(start), Some(end)) => {
                let n = slots.len();
                slots[0].0 = start;
                slots[n - 1].1 = end;
            }
        }
        (event.start, event.end) = if event.slots.is_empty() { (start, end) } else { (event.start, event.end) };
        // What the article said of the time in other words no longer holds.
        (event.part_of_day, event.all_day, event.approx, event.from) = (None, false, false, false);
        event.end_day = event.end_day.filter(|_| self.end.is_none());
        event.evidence.time = None;
    }

    /// Whether an event of this section already says what the correction says.
    fn is_said_by(&self, section: Section, event: &Event) -> bool {
        let placed = self.placement.is_none_or(|placement| placement.section() == Some(section));
        let text = |set: &Option<Set<String>>, field: &Option<String>| {
            set.as_ref().is_none_or(|set| same(set.value().as_deref(), field.as_deref()))
        };
        placed
            && self.start.as_ref().is_none_or(|set| set.value() == event.start)
            && self.end.as_ref().is_none_or(|set| set.value() == event.end)
            && self
                .title
                .as_deref()
                .is_none_or(|title| same(Some(&capitalized(title)), Some(&capitalized(&event.title))))
            && text(&self.place, &event.place)
            && text(&self.price, &event.price)
            && text(&self.phone, &event.phone)
            && text(&self.link, &event.link)
            && text(&self.note, &event.note)
            && self.status.is_none_or(|status| status == event.status)
    }
}

/// White space is no difference; case, accents and signs are what may be corrected.
fn same(a: Option<&str>, b: Option<&str>) -> bool {
    let squeezed = |text: Option<&str>| text.map(characters::squeezed).unwrap_or_default();
    squeezed(a) == squeezed(b)
}
