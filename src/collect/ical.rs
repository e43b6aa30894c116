//! iCalendar files: events with their recurrences expanded, hours in the mailing's zone.
//!
//! Expansion is always limited: a rule of a few bytes can mean billions of dates. An unknown zone is read as local time,
//! because a French office's calendar means French hours. An event that cannot be read is reported, and does not affect
//! the others.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use tracing::debug;
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::content_lines::{self, Component, ContentLine, ZoneLines};
use super::dates::{self, Numbers};
use super::fetch::{Fetcher, Page};
use super::html_to_text::{one_line, paragraphs_of, summary, tidy, web_address};
use super::page::is_html;
use super::recurrence::Rule;
use super::remarks::{Harvest, Remark, Remarks};
use super::sessions::{Moment, commune_in, session, title_and_status, within};
use super::title::plain_title;
use super::zones::{self, OwnZone, Zone};
use crate::domain::{
    agenda::Status,
    listing::{Listing, Session},
    news::Picture,
};

/// Steps of counting for the rules of one event: a daily one of ten years takes 3,650.
const STEPS_OF_EVENT: u64 = 200_000;
/// And for all those of a file.
const STEPS_OF_FILE: u64 = 20_000_000;
/// Nothing lasts longer.
const LONGEST: TimeDelta = TimeDelta::days(3_700);
/// Maximum duration of one occurrence of a recurring event: about a year.
const LONGEST_AGAIN: TimeDelta = TimeDelta::days(400);

pub async fn listings(
    url: &Url,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Harvest<Listing>, CollectError> {
    let page = fetcher.page(url).await?;
    read(&page, days, zone).map_err(|source| CollectError::unreadable(&page.url, source))
}

/// # Errors
/// When it is not a complete calendar.
pub fn read(page: &Page, days: &RangeInclusive<NaiveDate>, zone: Tz) -> Result<Harvest<Listing>, Missed> {
    let calendar = content_lines::read(&page.text)?;
    let line = |name: &str| calendar.lines.iter().find(|line| line.name == name);
    let own_zones = own_zones(&calendar.zones);
    let floating = line("X-WR-TIMEZONE").and_then(|line| zone_named(&line.value, &own_zones));
    let name = line("X-WR-CALNAME").map(|line| one_line(&line.text())).filter(|name| !name.is_empty());
    let source = name.unwrap_or_else(|| page.url.host_str().unwrap_or_default().to_owned());
    let mut reader = Reader {
        days,
        zone,
        floating: floating.unwrap_or(Zone::Known(zone)),
        own_zones,
        base: &page.url,
        source: &source,
        steps: STEPS_OF_FILE,
        remarks: Remarks::default(),
    };
    let events: Vec<Event> = calendar.events.iter().map(|lines| Event { lines }).collect();
    let overrides = Overrides::of(&events, &reader);
    let mut listings = Vec::new();
    for (n, event) in events.iter().enumerate() {
        if overrides.superseded.contains(&n) {
            continue;
        }
        reader.listings(event, &overrides, &mut listings);
    }
    let mut remarks = reader.remarks;
    let items = within(listings, days, &mut remarks);
    Ok(Harvest::new(items, remarks))
}

fn own_zones(zones: &[ZoneLines]) -> HashMap<String, Zone> {
    let known = |zone: &ZoneLines| {
        let name = zone.lines.iter().find(|line| line.name == "TZID")?.value.trim().to_owned();
        let named = zones::named(&name).or_else(|| zones::of_lines(&zone.lines)).map(Zone::Known);
        let own = || OwnZone::of(&zone.parts).map(|own| Zone::Own(Rc::new(own)));
        Some((name, named.or_else(own)?))
    };
    zones.iter().filter_map(known).collect()
}

fn zone_named(name: &str, own: &HashMap<String, Zone>) -> Option<Zone> {
    let name = name.trim();
    own.get(name).cloned().or_else(|| zones::named(name).map(Zone::Known))
}

struct Event<'a> {
    lines: &'a Component,
}

impl<'a> Event<'a> {
    fn line(&self, name: &str) -> Option<&'a ContentLine> {
        self.lines.iter().find(|line| line.name == name)
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a ContentLine> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// The text of a property, as one text with its lines.
    fn text(&self, name: &str) -> String {
        self.line(name).map(ContentLine::text).unwrap_or_default()
    }

    fn uid(&self) -> &'a str {
        self.line("UID").map(|line| line.value.trim()).unwrap_or_default()
    }
}

/// A date of the calendar, on the clock it was written for.
#[derive(Debug, Clone)]
enum Point {
    Day(NaiveDate),
    At(At),
}

#[derive(Debug, Clone)]
struct At {
    instant: DateTime<Utc>,
    wall: NaiveDateTime,
    zone: Zone,
}

impl Point {
    fn day(&self) -> NaiveDate {
        match self {
            Self::Day(day) => *day,
            Self::At(at) => at.wall.date(),
        }
    }

    /// The hour, on its own clock; midnight of a day.
    fn wall(&self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN),
            Self::At(at) => at.wall,
        }
    }
}

/// What is taken out of a series, however it was written: by instant, by day, or by the midnight of a day.
#[derive(Debug, Default)]
struct Exceptions {
    /// The days that are meant where the series is one of days.
    days_of_days: HashSet<NaiveDate>,
    instants: HashSet<DateTime<Utc>>,
    /// Named as days.
    days: HashSet<NaiveDate>,
    /// Named by their midnight: these days, unless the series itself begins at midnight.
    midnights: HashSet<NaiveDate>,
}

impl Exceptions {
    /// `here`: where the mailing's clock hangs.
    fn add(&mut self, point: &Point, here: Tz) {
        match point {
            Point::Day(day) => {
                self.days_of_days.insert(*day);
                self.days.insert(*day);
            }
            Point::At(at) => {
                let local = at.instant.with_timezone(&here).naive_local();
                let is_utc = matches!(&at.zone, Zone::Known(Tz::UTC));
                self.days_of_days.insert(if is_utc { local.date() } else { at.wall.date() });
                self.instants.insert(at.instant);
                for wall in [at.wall, local] {
                    if wall.time() == NaiveTime::MIN {
                        self.midnights.insert(wall.date());
                    }
                }
            }
        }
    }

    fn name(&self, start: &Point) -> bool {
        match start {
            Point::Day(day) => self.days_of_days.contains(day),
            Point::At(at) => {
                let day = at.wall.date();
                self.instants.contains(&at.instant)
                    || self.days.contains(&day)
                    || (at.wall.time() != NaiveTime::MIN && self.midnights.contains(&day))
            }
        }
    }
}

/// Overridden occurrences (RECURRENCE-ID), by the event they belong to.
#[derive(Default)]
struct Overrides<'a> {
    moved: HashMap<&'a str, Exceptions>,
    /// From this occurrence on the series is this one (`RANGE=THISANDFUTURE`).
    from_then_on: HashMap<&'a str, (Point, usize)>,
    /// Older versions of the same occurrence, by their place in the file.
    superseded: HashSet<usize>,
    events: &'a [Event<'a>],
}

impl<'a> Overrides<'a> {
    fn of(events: &'a [Event<'a>], reader: &Reader) -> Self {
        let mut overrides = Self { events, ..Self::default() };
        let mut newest: HashMap<(&str, NaiveDateTime), (i64, usize)> = HashMap::new();
        for (n, event) in events.iter().enumerate() {
            let Some(line) = event.line("RECURRENCE-ID") else { continue };
            let Some(point) = reader.point(line) else { continue };
            let sequence = event.line("SEQUENCE").and_then(|line| line.value.trim().parse().ok()).unwrap_or(0_i64);
            let key = (event.uid(), point.wall());
            match newest.get(&key) {
                Some((other, _)) if *other > sequence => {
                    overrides.superseded.insert(n);
                    continue;
                }
                Some((_, older)) => {
                    overrides.superseded.insert(*older);
                }
                None => {}
            }
            newest.insert(key, (sequence, n));
            overrides.moved.entry(event.uid()).or_default().add(&point, reader.zone);
            if line.param("RANGE").is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE")) {
                overrides.from_then_on.insert(event.uid(), (point, n));
            }
        }
        overrides
    }
}

struct Reader<'a> {
    days: &'a RangeInclusive<NaiveDate>,
    /// The mailing's.
    zone: Tz,
    /// Of hours without a zone.
    floating: Zone,
    own_zones: HashMap<String, Zone>,
    base: &'a Url,
    source: &'a str,
    /// Left for the rules of the whole file.
    steps: u64,
    remarks: Remarks,
}

impl Reader<'_> {
    /// Nothing for a private event; one without a start, or whose recurrence cannot be expanded, is reported.
    fn listings(&mut self, event: &Event, overrides: &Overrides, listings: &mut Vec<Listing>) {
        if event.line("CLASS").is_some_and(|line| !line.value.trim().eq_ignore_ascii_case("PUBLIC")) {
            debug!("a private event of the calendar is left out");
            return;
        }
        let title = || title_and_status(&event.text("SUMMARY")).0;
        let Some(line) = event.line("DTSTART") else { return self.remarks.add(&title(), Remark::NoDate) };
        let Some(start) = self.point(line) else { return self.remarks.add(&title(), Remark::BadDate) };
        let length = self.length(event, &start);
        if event.line("RECURRENCE-ID").is_some() {
            self.put(event, &[start], length, &[], listings);
            return;
        }
        let mut doubts = Vec::new();
        if !self.knows_zone(line) {
            doubts.push(Remark::UnknownZone);
        }
        let later = overrides.from_then_on.get(event.uid()).filter(|_| event.line("RRULE").is_some());
        let Ok(starts) = self.occurrences(event, &start, length, later.is_some(), &mut doubts) else {
            return self.remarks.add(&title(), Remark::TooManyDates);
        };
        let mut own = Exceptions::default();
        event.all("EXDATE").flat_map(|line| self.points(line)).for_each(|point| own.add(&point, self.zone));
        let moved = overrides.moved.get(event.uid());
        let takes_place = |start: &Point| !own.name(start) && moved.is_none_or(|moved| !moved.name(start));
        let (before, after): (Vec<Point>, Vec<Point>) = starts
            .into_iter()
            .filter(takes_place)
            .partition(|start| later.is_none_or(|(from, _)| start.wall() < from.wall()));
        self.put(event, &before, length, &doubts, listings);
        if let Some((from, n)) = later
            && let Some(other) = overrides.events.get(*n)
            && let Some(other_start) = other.line("DTSTART").and_then(|line| self.point(line))
        {
            let shift = other_start.wall() - from.wall();
            let moved: Vec<Point> = after.iter().filter_map(|start| self.shifted(start, shift)).collect();
            let length = self.length(other, &other_start).or(length);
            self.put(other, &moved, length, &[], listings);
        }
    }

    fn shifted(&self, start: &Point, by: TimeDelta) -> Option<Point> {
        match start {
            Point::Day(day) => day.checked_add_signed(by).map(Point::Day),
            Point::At(at) => self.at(at.wall.checked_add_signed(by)?, &at.zone),
        }
    }

    fn put(
        &mut self,
        event: &Event,
        starts: &[Point],
        length: Option<TimeDelta>,
        doubts: &[Remark],
        listings: &mut Vec<Listing>,
    ) {
        let sessions = starts.iter().map(|start| self.session(start, length));
        let sessions: Vec<Session> = sessions.filter(|session| session.touches(self.days)).collect();
        if sessions.is_empty() {
            return;
        }
        let listing = self.listing(event, sessions);
        doubts.iter().for_each(|doubt| self.remarks.add(&listing.title, *doubt));
        listings.push(listing);
    }

    fn listing(&self, event: &Event, sessions: Vec<Session>) -> Listing {
        let (title, marked) = title_and_status(&event.text("SUMMARY"));
        let cancelled = event.line("STATUS").is_some_and(|line| line.value.trim().eq_ignore_ascii_case("CANCELLED"));
        let location = tidy(&event.text("LOCATION"));
        let description = event.text("DESCRIPTION");
        let description = if is_html(&description) { paragraphs_of(&description) } else { tidy(&description) };
        let image = event.all("ATTACH").chain(event.all("IMAGE")).find(|line| {
            let kind = line.param("FMTTYPE").unwrap_or_default();
            kind.starts_with("image/") || line.name == "IMAGE"
        });
        let uid = event.uid();
        let own_date = event.line("RECURRENCE-ID");
        Listing {
            id: own_date.map_or(uid.to_owned(), |date| format!("{uid}#{}", date.value.trim())),
            title,
            description: summary(&description),
            sessions,
            venue: location.split(',').next().map(one_line).filter(|venue| !venue.is_empty()),
            commune: commune_in(&location),
            price: None,
            phone: None,
            url: event.line("URL").and_then(|line| web_address(&line.value, self.base)),
            image: image
                .and_then(|line| web_address(&line.value, self.base))
                .map(|url| Picture { url, alt: String::new() }),
            status: if cancelled { Status::Cancelled } else { marked },
            categories: event
                .all("CATEGORIES")
                .flat_map(ContentLine::texts)
                .map(|name| one_line(&plain_title(&name)))
                .filter(|name| !name.is_empty())
                .collect(),
            source: self.source.to_owned(),
        }
    }

    fn session(&self, start: &Point, length: Option<TimeDelta>) -> Session {
        let wall = |at: DateTime<Utc>| at.with_timezone(&self.zone).naive_local();
        match start {
            Point::At(At { instant, .. }) => session(
                Moment::Hour(wall(*instant)),
                length.and_then(|length| instant.checked_add_signed(length)).map(|end| Moment::Hour(wall(end))),
            ),
            Point::Day(day) => {
                // DTEND is the day after the last.
                let last = length.and_then(|length| day.checked_add_signed(length.checked_sub(&TimeDelta::days(1))?));
                session(Moment::Day(*day), last.map(Moment::Day))
            }
        }
    }

    /// How long it lasts, by its end or its duration.
    fn length(&self, event: &Event, start: &Point) -> Option<TimeDelta> {
        let end = event.line("DTEND").and_then(|line| self.point(line));
        let length = match (start, end) {
            (Point::At(start), Some(Point::At(end))) => Some(end.instant.signed_duration_since(start.instant)),
            (Point::Day(start), Some(end)) => Some(end.day().signed_duration_since(*start)),
            _ => event.line("DURATION").and_then(|line| duration(line.value.trim())),
        };
        length.map(|length| length.min(LONGEST))
    }

    /// All the times it begins that may touch our days. `is_moved`: some of them are put elsewhere later.
    fn occurrences(
        &mut self,
        event: &Event,
        start: &Point,
        length: Option<TimeDelta>,
        is_moved: bool,
        doubts: &mut Vec<Remark>,
    ) -> Result<Vec<Point>, super::recurrence::Heavy> {
        let around = Days::new(if is_moved { 40 } else { 1 });
        let to = self.days.end().checked_add_days(around).unwrap_or(NaiveDate::MAX);
        let reach = length.unwrap_or_default().clamp(TimeDelta::zero(), LONGEST_AGAIN);
        let from = self.days.start().checked_sub_days(around).and_then(|day| day.checked_sub_signed(reach));
        let from = from.unwrap_or(NaiveDate::MIN);
        let mut starts = vec![start.clone()];
        starts.extend(
            event.all("RDATE").flat_map(|line| self.points(line)).filter(|point| (from..=to).contains(&point.day())),
        );
        let mut steps = self.steps.min(STEPS_OF_EVENT);
        let given = steps;
        let mut unrolled = |name: &'static str, doubts: &mut Vec<Remark>| {
            let mut found = Vec::new();
            for line in event.all(name).take(4) {
                let Some(rule) = Rule::parse(&line.value) else {
                    debug!(rule = line.value, "a rule of the calendar could not be read: the event takes place once");
                    doubts.push(Remark::BadRule);
                    continue;
                };
                let zone = match start {
                    Point::At(at) => at.zone.clone(),
                    Point::Day(_) => Zone::Known(self.zone),
                };
                found.extend(rule.between(start.wall(), Some(&zone), name == "RRULE", (from, to), &mut steps)?);
            }
            Ok(found)
        };
        let ruled = unrolled("RRULE", doubts);
        let but = unrolled("EXRULE", doubts);
        self.steps -= given - steps;
        let but: HashSet<NaiveDateTime> = but?.into_iter().collect();
        let point = |wall: NaiveDateTime| match start {
            Point::Day(_) => Some(Point::Day(wall.date())),
            Point::At(at) => self.at(wall, &at.zone),
        };
        starts.extend(ruled?.into_iter().filter(|wall| *wall != start.wall()).filter_map(point));
        starts.retain(|start| !but.contains(&start.wall()));
        Ok(starts)
    }

    fn at(&self, wall: NaiveDateTime, zone: &Zone) -> Option<Point> {
        Some(Point::At(At { instant: zone.instant(wall)?, wall, zone: zone.clone() }))
    }

    fn point(&self, line: &ContentLine) -> Option<Point> {
        self.point_of(line.value.trim(), line)
    }

    fn points(&self, line: &ContentLine) -> Vec<Point> {
        line.value.split(',').filter_map(|value| self.point_of(value.trim(), line)).collect()
    }

    fn point_of(&self, value: &str, line: &ContentLine) -> Option<Point> {
        let value = match line.param("VALUE") {
            // `RDATE;VALUE=PERIOD:start/end`
            Some(kind) if kind.eq_ignore_ascii_case("PERIOD") => value.split('/').next()?,
            _ => value,
        };
        match value_of(value)? {
            Value::Day(day) => Some(Point::Day(day)),
            Value::Utc(instant) => {
                Some(Point::At(At { instant, wall: instant.naive_utc(), zone: Zone::Known(Tz::UTC) }))
            }
            Value::Wall(wall) => {
                let zone = line.param("TZID").and_then(|name| zone_named(name, &self.own_zones));
                self.at(wall, &zone.unwrap_or_else(|| self.floating.clone()))
            }
        }
    }

    /// An offset as a zone is what sites write that have none: the hour is the one on the wall.
    fn knows_zone(&self, line: &ContentLine) -> bool {
        let Some(name) = line.param("TZID").map(str::trim).filter(|name| !name.is_empty()) else { return true };
        let is_offset = name.trim_start_matches("UTC").starts_with(['+', '-']);
        is_offset
            || matches!(value_of(&line.value), Some(Value::Utc(_) | Value::Day(_)))
            || zone_named(name, &self.own_zones).is_some()
    }
}

enum Value {
    Day(NaiveDate),
    Wall(NaiveDateTime),
    Utc(DateTime<Utc>),
}

/// As the standard writes it, and in any other form a date has.
fn value_of(text: &str) -> Option<Value> {
    let text = text.trim();
    let wall = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    let standard = match text.strip_suffix('Z') {
        Some(text) => wall(text).map(|at| Value::Utc(at.and_utc())),
        None if text.contains('T') => wall(text).map(Value::Wall),
        None => None,
    };
    if standard.is_some() {
        return standard;
    }
    // An offset as zone, unquoted, hides the beginning: `TZID=+02:00:20270713T210000`.
    let behind = text.match_indices(':').map(|(at, _)| &text[at + 1..]).take(4);
    let read = std::iter::once(text).chain(behind).find_map(|text| dates::read(text, Numbers::DayFirst))?;
    match (read.time, read.offset) {
        (None, _) => Some(Value::Day(read.day)),
        (Some(time), None) => Some(Value::Wall(read.day.and_time(time))),
        (Some(_), Some(_)) => read.instant(Tz::UTC).map(Value::Utc),
    }
}

/// `PT3H`, `P1DT2H30M`, `P2W`
fn duration(text: &str) -> Option<TimeDelta> {
    let mut total = TimeDelta::zero();
    let mut number = String::new();
    for c in text.trim_start_matches('+').strip_prefix('P')?.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        if c == 'T' {
            continue;
        }
        let n: i64 = std::mem::take(&mut number).parse().ok().filter(|n| *n < 1_000_000)?;
        let part = match c {
            'W' => TimeDelta::weeks(n),
            'D' => TimeDelta::days(n),
            'H' => TimeDelta::hours(n),
            'M' => TimeDelta::minutes(n),
            'S' => TimeDelta::seconds(n),
            _ => return None,
        };
        total = total.checked_add(&part).filter(|total| *total <= LONGEST)?;
    }
    Some(total).filter(|_| number.is_empty())
}

#[cfg(test)]
#[path = "ical_tests.rs"]
mod tests;
