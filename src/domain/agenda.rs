//! The agenda: a week of days, and what a visitor can attend on each of them.
//!
//! Understanding only ever *adds* to an [`Item`]: its `text` is the article's own words and is kept whole,
//! whatever the grammar made of it (invariant I3).

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Monday to Sunday. The ISO week is its name: `2026-W28`.
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

/// What one article says of one week. The field order is the JSON contract of `extract --json`; other tools may write
/// the same, and leave out what they do not know.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agenda {
    /// `None` where the article names no day at all.
    pub week: Option<Week>,
    /// Days that have a heading or an item, in date order. A day may be here with no item: the gates look at that.
    pub days: Vec<Day>,
    pub daily: Vec<DailyItem>,
    pub exhibitions: Vec<Item>,
    /// Items that could be put under no day, each with the reason; those that announce something have a warning.
    pub unplaced: Vec<Item>,
    /// For a person, in French.
    pub warnings: Vec<String>,
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
    /// The article's own words: white space folded, bullet sign removed, nothing else changed.
    pub text: String,
    /// The words of `text` that tell of this day, where it tells of several: the title and this day's date and hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// What was understood; empty where nothing was, and then `text` is what is shown.
    pub events: Vec<Event>,
    /// Where it came from, when not from the article alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Why it stands under no day; only in [`Agenda::unplaced`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unplaced: Option<Unplaced>,
}

/// Why a line with an hour or a date was put under no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unplaced {
    /// Nothing says which day it is of.
    NoDay,
    /// Its words name another day than the heading it stands under.
    TwoReadings,
    /// It stands before the first day of the article.
    BeforeTheDays,
    /// Its days are not of the article's week.
    OtherWeek,
    /// Opening hours of the office, a call for announcements, a credit: kept for a person to see, never printed.
    NotAnEvent,
}

/// The structured source an item came from, or that completed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// In words for people: the calendar's name, else its host.
    pub source: String,
    /// The item is the article's own; the source only gave what it lacked: a link, a telephone, a price.
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
    /// Commune first where it is known: `Pavie, la Fenière`.
    pub place: Option<String>,
    pub price: Option<String>,
    pub phone: Option<String>,
    pub link: Option<String>,
    pub status: Status,
    /// Words of the item that are none of the above, as written: `durant 1h15 ou un peu plus…`.
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
    /// `dès 18 h 30`, `à partir de 9 h`: the hour from which, with no end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from: bool,
    /// The day it ends, when that is not the day it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_day: Option<NaiveDate>,
    /// Last day of an exhibition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The end as written where it is vague: `fin juillet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_text: Option<String>,
    /// Where the fields were read; empty for what another tool or a calendar wrote.
    #[serde(skip_serializing_if = "Evidence::is_empty")]
    pub evidence: Evidence,
}

/// Where each field of an event was read in the text of its item, and how sure that is. `None` for a field that the
/// event does not have.
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
    /// First character and the one after the last, counted in Unicode scalar values of [`Item::text`]; `None` where the
    /// words of the field are not consecutive there. Of a place, the part that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<[u32; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// All its words stand in the item.
    Certain,
    /// Some do not: a heading, the line above or the configuration gave them, or they were put together from several.
    Inherited,
    /// Nothing shorter was certain: the field is the sentence as the article has it.
    AsWritten,
}

impl Event {
    /// Where the event stands in the order of its day, in minutes; `None` where nothing says so. What lasts all day comes
    /// first, and an hour before 5 in the morning belongs to the night before.
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
    /// Certain where the words were found, else inherited.
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
    /// Every item that is printed, with the day it stands under; daily things, exhibitions and the items to place have
    /// none.
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

    /// The unplaced items that announce something: a person is to put them under a day. The opening hours of the office
    /// or a call for announcements are kept in [`Agenda::unplaced`] and are not among them.
    pub fn to_place(&self) -> impl Iterator<Item = &Item> {
        self.unplaced.iter().filter(|item| item.unplaced != Some(Unplaced::NotAnEvent))
    }

    /// How many things there are to attend; an item that was not understood counts as one.
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
        };
        let json = serde_json::to_string(&agenda).unwrap();
        assert_eq!(serde_json::from_str::<Agenda>(&json).unwrap(), agenda);
    }

    #[test]
    fn other_tools_may_leave_out_what_they_do_not_know_but_not_misspell() {
        let read = |json: &str| serde_json::from_str::<Agenda>(json).map_err(|error| error.to_string());
        let little =
            r#"{"days": [{"date": "2026-07-06", "items": [{"events": [{"title": "bal", "start": "21:00"}]}]}]}"#;
        assert_eq!(read(little).unwrap().event_count(), 1);
        assert!(read(&little.replace("21:00", "21h")).unwrap_err().contains("expected a time such as \"18:30\""));
        assert!(read(&little.replace("title", "titel")).unwrap_err().contains("unknown field `titel`"));
        assert!(read(r#"{"week": ["2026-07-07", "2026-07-13"]}"#).unwrap_err().contains("a Monday and its Sunday"));
    }
}
