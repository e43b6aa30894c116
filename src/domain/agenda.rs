//! The agenda: a week of days, and what a visitor can attend on each of them.
//!
//! Parsing only ever *adds* to an [`Item`]: its `text` is the article's own words and is always kept in full
//! (invariant I3).

use super::exception::Granted;
use chrono::{Datelike, Days, NaiveDate, NaiveTime, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Monday to Sunday, identified by the ISO week: `2026-W28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week {
    monday: NaiveDate,
}

/// Why a text such as `2027-W60` names no week.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected an ISO week such as 2026-W28, got {0:?}")]
pub struct InvalidWeek(String);

impl Week {
    /// The week that holds `day`.
    pub fn of(day: NaiveDate) -> Self {
        let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        Self { monday }
    }

    /// The Monday-to-Sunday week after the one that holds `day`: what a Saturday mailing announces.
    pub fn after(day: NaiveDate) -> Self {
        Self::of(day).next()
    }

    pub fn next(self) -> Self {
        Self { monday: self.monday + Days::new(7) }
    }

    pub fn monday(self) -> NaiveDate {
        self.monday
    }

    pub fn sunday(self) -> NaiveDate {
        self.monday + Days::new(6)
    }

    pub fn contains(self, day: NaiveDate) -> bool {
        (self.monday()..=self.sunday()).contains(&day)
    }

    /// The seven days, Monday first.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        (0..7).map(move |n| self.monday + Days::new(n))
    }
}

impl std::fmt::Display for Week {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.monday.format("%G-W%V"))
    }
}

impl std::str::FromStr for Week {
    type Err = InvalidWeek;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || InvalidWeek(text.to_owned());
        let (year, week) = text.split_once("-W").ok_or_else(bad)?;
        let (year, week) = (year.parse().map_err(|_| bad())?, week.parse().map_err(|_| bad())?);
        let monday = NaiveDate::from_isoywd_opt(year, week, chrono::Weekday::Mon).ok_or_else(bad)?;
        Ok(Self { monday })
    }
}

impl Serialize for Week {
    /// As the pair of its first and last day, the contract of `extract --json`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.monday(), self.sunday()].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Week {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = <[NaiveDate; 2]>::deserialize(deserializer)?;
        let week = Self::of(days[0]);
        match days == [week.monday(), week.sunday()] {
            true => Ok(week),
            false => {
                Err(D::Error::custom(format!("expected a Monday and its Sunday, got {} and {}", days[0], days[1])))
            }
        }
    }
}

/// The contents of one article for one week. The field order is the JSON contract of `extract --json`; other tools may write
/// the same format and leave out unknown fields.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agenda {
    /// `None` if the article names no day at all.
    pub week: Option<Week>,
    /// Days that have a heading or an item, in date order. A day may be here without items, which the gates check.
    pub days: Vec<Day>,
    pub daily: Vec<DailyItem>,
    pub exhibitions: Vec<Item>,
    /// Items without a day, each with the reason; those that announce something also have a warning.
    pub unplaced: Vec<Item>,
    /// For staff, in French.
    pub warnings: Vec<String>,
    /// What persons changed in it; nothing in what was only read.
    #[serde(skip_serializing_if = "Corrections::is_empty")]
    pub corrections: Corrections,
    /// By whose exceptions it is as it is; nothing where the rules of its mailing hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Granted>,
}

/// What persons changed in an agenda. With it the sum is complete: events as read = events printed − changed, and every other event
/// that was read was left out by somebody (I3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Corrections {
    /// Events that are printed otherwise than they were read.
    pub changed: usize,
    /// Who changed them, by name.
    pub by: Vec<String>,
    pub left_out: Vec<LeftOut>,
}

/// An event that a person left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The article's words.
    pub line: String,
    pub by: String,
    /// Empty if no reason was given.
    pub why: String,
}

impl Corrections {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    pub date: NaiveDate,
    #[serde(default)]
    pub items: Vec<Item>,
}

/// One bullet of the article.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Item {
    /// The article's own words: white space normalised, bullet removed, otherwise unchanged.
    pub text: String,
    /// If the line covers several days, the words about this one: the title and this day's date and hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// The events that were recognised; if empty, `text` is shown.
    pub events: Vec<Event>,
    /// The source, if it is not the article alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// A person corrected it: what its events say is printed, and nothing more of the text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
    /// Why it has no day; only in [`Agenda::unplaced`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unplaced: Option<Unplaced>,
}

/// Why a line with an hour or a date has no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unplaced {
    /// Nothing says on which day it takes place.
    NoDay,
    /// Its words and its heading name different days.
    TwoReadings,
    /// It comes before the first day of the article.
    BeforeTheDays,
    /// Its days are not in the article's week.
    OtherWeek,
    /// It announces nothing to attend: office hours, a call for announcements, a credit, booking. Kept for review, never
    /// printed.
    NotAnEvent,
}

/// The structured source that an item came from, or that completed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// A readable name: the calendar's name, else its host.
    pub source: String,
    /// The item is from the article; the source only added what it lacked: a link, a telephone number, a price.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub completes: bool,
}

/// Something that takes place on several days of the week at the same hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DailyItem {
    #[serde(flatten)]
    pub item: Item,
    /// The days of the week on which it takes place, in order.
    #[serde(default)]
    pub days: Vec<NaiveDate>,
}

/// One thing a visitor can attend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Event {
    #[serde(serialize_with = "clock_time", deserialize_with = "optional_clock_time")]
    pub start: Option<NaiveTime>,
    /// Before `start` when it ends after midnight; `end_day` says so too.
    #[serde(serialize_with = "clock_time", deserialize_with = "optional_clock_time")]
    pub end: Option<NaiveTime>,
    pub part_of_day: Option<PartOfDay>,
    pub title: String,
    /// With the commune first if it is known: `Pavie, la Fenière`.
    pub place: Option<String>,
    pub price: Option<String>,
    pub phone: Option<String>,
    pub link: Option<String>,
    pub status: Status,
    /// The remaining words of the item, as written: `durant 1h15 ou un peu plus…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Opening hours in several pieces; empty unless there are two or more.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "slots", deserialize_with = "read_slots")]
    pub slots: Vec<(NaiveTime, NaiveTime)>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all_day: bool,
    /// `autour de midi`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub approx: bool,
    /// `dès 18 h 30`, `à partir de 9 h`: a start without an end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from: bool,
    /// The day it ends, if it is not the day it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_day: Option<NaiveDate>,
    /// Last day of an exhibition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The end as written if it is vague: `fin juillet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_text: Option<String>,
    /// Where the fields were read; empty for events of other tools or of calendars.
    #[serde(skip_serializing_if = "Evidence::is_empty")]
    pub evidence: Evidence,
}

/// Where in the text of its item each field of an event was read, and how certain it is. `None` for a field that the event
/// does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Trace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Trace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Trace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Trace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Trace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Trace>,
}

/// Where one field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    pub confidence: Confidence,
    /// First character and the one after the last, counted in Unicode scalar values of [`Item::text`]; `None` if the
    /// words of the field are not consecutive there. For a place, the part that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<[u32; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// All its words are in the item.
    Certain,
    /// Some are not: they come from a heading, the line above or the configuration, or the field was combined from
    /// several parts.
    Inherited,
    /// No shorter title was certain: the title is the sentence as written.
    AsWritten,
}

impl Event {
    /// Sort key within a day, in minutes; `None` if the time is unknown. All-day events come first, and an hour before 5
    /// in the morning belongs to the previous night.
    pub fn minute_of_day(&self) -> Option<u32> {
        const NIGHT_ENDS: u32 = 5 * 60;
        let minute = |time: NaiveTime| time.hour() * 60 + time.minute();
        if let Some(start) = self.start.or(self.slots.first().map(|slot| slot.0)).map(minute) {
            return Some(if start < NIGHT_ENDS { start + 24 * 60 } else { start });
        }
        let hour = match self.part_of_day {
            _ if self.all_day => 0,
            Some(PartOfDay::Morning) => 8,
            Some(PartOfDay::Noon) => 12,
            Some(PartOfDay::Afternoon) => 14,
            Some(PartOfDay::Evening) => 19,
            Some(PartOfDay::Night) => 22,
            None => return None,
        };
        Some(hour * 60)
    }
}

impl Evidence {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Trace {
    /// Certain if the words were found, else inherited.
    pub(crate) fn of(span: Option<[u32; 2]>) -> Self {
        let confidence = if span.is_some() { Confidence::Certain } else { Confidence::Inherited };
        Self { confidence, span }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartOfDay {
    #[serde(rename = "matin")]
    Morning,
    #[serde(rename = "midi")]
    Noon,
    #[serde(rename = "après-midi")]
    Afternoon,
    #[serde(rename = "soir")]
    Evening,
    #[serde(rename = "nuit")]
    Night,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Scheduled,
    Cancelled,
    Postponed,
    SoldOut,
}

impl Agenda {
    /// Every printed item with its day; daily items, exhibitions and unplaced items have none.
    pub fn items(&self) -> impl Iterator<Item = (Option<NaiveDate>, &Item)> {
        let dated = self.days.iter().flat_map(|day| day.items.iter().map(|item| (Some(day.date), item)));
        let daily = self.daily.iter().map(|daily| (None, &daily.item));
        dated.chain(daily).chain(self.exhibitions.iter().chain(self.to_place()).map(|item| (None, item)))
    }

    /// Every event, wherever it stands.
    pub fn events_mut(&mut self) -> impl Iterator<Item = &mut Event> {
        let dated = self.days.iter_mut().flat_map(|day| &mut day.items);
        let daily = self.daily.iter_mut().map(|daily| &mut daily.item);
        let others = self.exhibitions.iter_mut().chain(&mut self.unplaced);
        dated.chain(daily).chain(others).flat_map(|item| &mut item.events)
    }

    /// The unplaced items that announce something: a person should assign them to a day. Items that are not events stay in
    /// [`Agenda::unplaced`] only.
    pub fn to_place(&self) -> impl Iterator<Item = &Item> {
        self.unplaced.iter().filter(|item| item.unplaced != Some(Unplaced::NotAnEvent))
    }

    /// The number of events; an item that was not understood counts as one.
    pub fn event_count(&self) -> usize {
        self.items().map(|(_, item)| item.events.len().max(1)).sum()
    }
}

fn clock_time<S: Serializer>(time: &Option<NaiveTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&time.format("%H:%M")),
        None => serializer.serialize_none(),
    }
}

fn slots<S: Serializer>(slots: &[(NaiveTime, NaiveTime)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(slots.iter().map(|(a, b)| [a.format("%H:%M").to_string(), b.format("%H:%M").to_string()]))
}

fn parse_time<E: Error>(text: &str) -> Result<NaiveTime, E> {
    let bad = || E::custom(format!("expected a time such as \"18:30\", got {text:?}"));
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| bad())
}

fn optional_clock_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveTime>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| parse_time(&text)).transpose()
}

fn read_slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(NaiveTime, NaiveTime)>, D::Error> {
    let texts: Vec<[String; 2]> = Vec::deserialize(deserializer)?;
    texts.iter().map(|[start, end]| Ok((parse_time(start)?, parse_time(end)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agenda_is_read_back_as_it_was_written() {
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        let date = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
        let event = Event {
            start: Some(time(18, 30)),
            end: Some(time(2, 0)),
            part_of_day: Some(PartOfDay::Evening),
            title: "bal".into(),
            slots: vec![(time(10, 0), time(12, 0)), (time(14, 0), time(18, 0))],
            status: Status::SoldOut,
            from: true,
            until: Some(date),
            ..Event::default()
        };
        let provenance = Some(Provenance { source: "Le calendrier".into(), completes: true });
        let item = Item { text: "un bal".into(), events: vec![event, Event::default()], provenance, ..Item::default() };
        let agenda = Agenda {
            week: Some(Week::of(date)),
            days: vec![Day { date, items: vec![item.clone()] }],
            daily: vec![DailyItem { item: item.clone(), days: vec![date] }],
            exhibitions: vec![item],
            unplaced: vec![],
            warnings: vec!["prudence".into()],
            corrections: Corrections {
                changed: 1,
                by: vec!["Claire".into()],
                left_out: vec![LeftOut { line: "un bal".into(), by: "Marc".into(), why: "doublon".into() }],
            },
            exceptions: vec![Granted {
                rule: super::super::exception::Rule::TooFew { found: 4, least: 5 },
                by: "Claire".into(),
                why: "fête annulée".into(),
            }],
        };
        let json = serde_json::to_string(&agenda).unwrap();
        assert_eq!(serde_json::from_str::<Agenda>(&json).unwrap(), agenda);
    }

    #[test]
    fn fields_may_be_omitted_but_unknown_fields_are_refused() {
        let read = |json: &str| serde_json::from_str::<Agenda>(json).map_err(|error| error.to_string());
        let little =
            r#"{"days": [{"date": "2026-07-06", "items": [{"events": [{"title": "bal", "start": "21:00"}]}]}]}"#;
        assert_eq!(read(little).unwrap().event_count(), 1);
        assert!(read(&little.replace("21:00", "21h")).unwrap_err().contains("expected a time such as \"18:30\""));
        assert!(read(&little.replace("title", "titel")).unwrap_err().contains("unknown field `titel`"));
        assert!(read(r#"{"week": ["2026-07-07", "2026-07-13"]}"#).unwrap_err().contains("a Monday and its Sunday"));
    }
}
