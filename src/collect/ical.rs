//! iCalendar files: events with their recurrences unrolled, hours in the mailing's zone.
//!
//! Never unrolls without a bound: a rule of a few bytes can mean billions of dates. A zone that is not known, or only an
//! offset, is the clock on the wall: a French office's calendar means French hours.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::RRuleSet;
use tracing::debug;
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::content_lines::{self, Component, ContentLine};
use super::dates::to_instant;
use super::fetch::{Fetcher, Page};
use super::listed::{Moment, commune_in, session, title_and_status, within};
use super::page::is_html;
use super::plain::{one_line, paragraphs_of, summary, tidy, web_address};
use super::title::plain_title;
use crate::domain::{
    agenda::Status,
    listing::{Listing, Session},
    news::Picture,
};

/// Dates unrolled for all the rules of a file: a daily event of ten years takes 3,650.
const MOST_DATES: usize = 200_000;

pub async fn listings(
    url: &Url,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Vec<Listing>, CollectError> {
    let page = fetcher.page(url).await?;
    read(&page, days, zone).map_err(|source| CollectError::unreadable(&page.url, source))
}

/// # Errors
/// When it is no whole calendar, or one with too many recurrences.
pub fn read(page: &Page, days: &RangeInclusive<NaiveDate>, zone: Tz) -> Result<Vec<Listing>, Missed> {
    let calendar = content_lines::read(&page.text)?;
    let line = |name: &str| calendar.lines.iter().find(|line| line.name == name);
    let floating = line("X-WR-TIMEZONE").and_then(|line| named_zone(line.value.trim())).unwrap_or(zone);
    let name = line("X-WR-CALNAME").map(|line| one_line(&line.text())).filter(|name| !name.is_empty());
    let source = name.unwrap_or_else(|| page.url.host_str().unwrap_or_default().to_owned());
    let mut reader = Reader { days, zone, floating, base: &page.url, source: &source, dates_left: MOST_DATES };
    let events: Vec<Event> = calendar.events.iter().map(|lines| Event { lines }).collect();
    // The occurrences that stand on their own, by the event they belong to.
    let mut moved: HashMap<&str, Vec<Point>> = HashMap::new();
    for event in &events {
        if let (Some(uid), Some(from)) = (event.line("UID"), event.line("RECURRENCE-ID")) {
            moved.entry(&uid.value).or_default().extend(reader.point(from));
        }
    }
    let mut listings = Vec::new();
    for event in &events {
        listings.extend(reader.listing(event, &moved)?);
    }
    Ok(within(listings, days))
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
}

/// A date of the calendar, in the zone it was written in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Point {
    Day(NaiveDate),
    At(DateTime<Tz>),
}

impl Point {
    /// Whether an exception names this occurrence: by its instant, or by its day.
    fn is_named_by(self, exception: Point) -> bool {
        match (self, exception) {
            (Self::At(a), Self::At(b)) => a == b,
            (a, b) => a.day() == b.day(),
        }
    }

    fn day(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::At(at) => at.date_naive(),
        }
    }
}

struct Reader<'a> {
    days: &'a RangeInclusive<NaiveDate>,
    /// The mailing's.
    zone: Tz,
    /// Of hours without a zone.
    floating: Tz,
    base: &'a Url,
    source: &'a str,
    dates_left: usize,
}

impl Reader<'_> {
    /// `None` of an event that is private, has no start, or does not take place on our days.
    fn listing(&mut self, event: &Event, moved: &HashMap<&str, Vec<Point>>) -> Result<Option<Listing>, Missed> {
        let is_private = event.line("CLASS").is_some_and(|line| !line.value.trim().eq_ignore_ascii_case("PUBLIC"));
        let start = event.line("DTSTART").and_then(|line| self.point(line));
        let Some(start) = start.filter(|_| !is_private) else {
            debug!(private = is_private, "an event of the calendar is left out");
            return Ok(None);
        };
        let uid = event.line("UID").map(|line| line.value.trim()).unwrap_or_default();
        let own_date = event.line("RECURRENCE-ID");
        let length = self.length(event, start);
        let starts = match own_date {
            Some(_) => vec![start],
            None => {
                let mut exceptions: Vec<Point> = moved.get(uid).cloned().unwrap_or_default();
                exceptions.extend(event.all("EXDATE").flat_map(|line| self.points(line)));
                let mut starts = self.occurrences(event, start, length)?;
                starts.retain(|start| !exceptions.iter().any(|exception| start.is_named_by(*exception)));
                starts
            }
        };
        let sessions: Vec<Session> = starts.into_iter().map(|start| self.session(start, length)).collect();
        let (title, marked) = title_and_status(&event.text("SUMMARY"));
        let cancelled = event.line("STATUS").is_some_and(|line| line.value.trim().eq_ignore_ascii_case("CANCELLED"));
        let location = tidy(&event.text("LOCATION"));
        let description = event.text("DESCRIPTION");
        let description = if is_html(&description) { paragraphs_of(&description) } else { tidy(&description) };
        let image = event.all("ATTACH").chain(event.all("IMAGE")).find(|line| {
            let kind = line.param("FMTTYPE").unwrap_or_default();
            kind.starts_with("image/") || line.name == "IMAGE"
        });
        Ok(Some(Listing {
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
        }))
    }

    fn session(&self, start: Point, length: Option<TimeDelta>) -> Session {
        let wall = |at: DateTime<Tz>| at.with_timezone(&self.zone).naive_local();
        match start {
            Point::At(at) => session(
                Moment::Hour(wall(at)),
                length.and_then(|length| at.checked_add_signed(length)).map(|end| Moment::Hour(wall(end))),
            ),
            Point::Day(day) => {
                // DTEND is the day after the last.
                let last = length.and_then(|length| day.checked_add_signed(length - TimeDelta::days(1)));
                session(Moment::Day(day), last.map(Moment::Day))
            }
        }
    }

    /// How long it lasts, by its end or its duration.
    fn length(&self, event: &Event, start: Point) -> Option<TimeDelta> {
        let end = event.line("DTEND").and_then(|line| self.point(line));
        match (start, end) {
            (Point::At(start), Some(Point::At(end))) => Some(end.signed_duration_since(start)),
            (Point::Day(start), Some(end)) => Some(end.day() - start),
            _ => duration(event.line("DURATION")?.value.trim()),
        }
    }

    /// All the times it begins that may touch our days.
    fn occurrences(&mut self, event: &Event, start: Point, length: Option<TimeDelta>) -> Result<Vec<Point>, Missed> {
        let mut starts = vec![start];
        starts.extend(event.all("RDATE").flat_map(|line| self.points(line)));
        for rule in event.all("RRULE").take(4) {
            let Some(set) = self.rule(start, rule.value.trim()) else {
                debug!(rule = rule.value, "a rule of the calendar could not be read: the event takes place once");
                continue;
            };
            let before = self.days.end().succ_opt().unwrap_or(NaiveDate::MAX);
            let earliest = self.days.start().checked_sub_signed(length.unwrap_or_default() + TimeDelta::days(1));
            let mut dates = set.into_iter();
            loop {
                if self.dates_left == 0 {
                    return Err(Missed::HeavyCalendar);
                }
                self.dates_left -= 1;
                let Some(date) = dates.next().filter(|date| date.date_naive() <= before) else { break };
                if earliest.is_some_and(|earliest| date.date_naive() < earliest) {
                    continue;
                }
                starts.extend(match start {
                    Point::Day(_) => Some(Point::Day(date.date_naive())),
                    Point::At(at) => at.timezone().from_local_datetime(&date.naive_local()).earliest().map(Point::At),
                });
            }
        }
        Ok(starts)
    }

    /// `None` where the rule is none, or is more than a rule of an event's days.
    fn rule(&self, start: Point, rule: &str) -> Option<RRuleSet> {
        let zone = match start {
            Point::At(at) => at.timezone(),
            Point::Day(_) => self.zone,
        };
        let first = match start {
            Point::At(at) => at,
            Point::Day(day) => to_instant(day.and_hms_opt(0, 0, 0)?, zone)?.with_timezone(&zone),
        };
        let mut parts = Vec::new();
        for part in rule.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            match key.to_ascii_uppercase().as_str() {
                "FREQ" if !matches!(value.to_ascii_uppercase().as_str(), "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY") => {
                    return None;
                }
                // Several hours a day multiply; an event of people has one.
                "BYHOUR" | "BYMINUTE" | "BYSECOND" if value.contains(',') => return None,
                "UNTIL" => parts.push(format!("UNTIL={}", self.until(value, zone)?.format("%Y%m%dT%H%M%SZ"))),
                _ => parts.push(part.to_owned()),
            }
        }
        let first = first.with_timezone(&rrule::Tz::from(zone));
        let set = RRuleSet::new(first).set_from_string(&format!("RRULE:{}", parts.join(";"))).ok()?;
        Some(set.limit())
    }

    /// The last instant of a rule. The standard wants it in UTC; many write a day or a local hour.
    fn until(&self, text: &str, zone: Tz) -> Option<DateTime<Utc>> {
        match value_of(text)? {
            Value::Day(day) => to_instant(day.and_hms_opt(23, 59, 59)?, zone),
            Value::Wall(wall) => to_instant(wall, zone),
            Value::Utc(at) => Some(at),
        }
    }

    fn point(&self, line: &ContentLine) -> Option<Point> {
        self.point_of(line.value.trim(), line)
    }

    fn points(&self, line: &ContentLine) -> Vec<Point> {
        line.value.split(',').filter_map(|value| self.point_of(value.trim(), line)).collect()
    }

    fn point_of(&self, value: &str, line: &ContentLine) -> Option<Point> {
        // `RDATE;VALUE=PERIOD:start/end`; and an offset as zone, unquoted, hides the beginning: `TZID=+02:00:2027…`.
        match value_of(value.split('/').next()?.rsplit(':').next()?)? {
            Value::Day(day) => Some(Point::Day(day)),
            Value::Utc(at) => Some(Point::At(at.with_timezone(&Tz::UTC))),
            Value::Wall(wall) => {
                let zone = line.param("TZID").and_then(named_zone).unwrap_or(self.floating);
                Some(Point::At(to_instant(wall, zone)?.with_timezone(&zone)))
            }
        }
    }
}

enum Value {
    Day(NaiveDate),
    Wall(NaiveDateTime),
    Utc(DateTime<Utc>),
}

fn value_of(text: &str) -> Option<Value> {
    let wall = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    match text.strip_suffix('Z') {
        Some(text) => wall(text).map(|at| Value::Utc(at.and_utc())),
        None if text.contains('T') => wall(text).map(Value::Wall),
        None => NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(Value::Day),
    }
}

/// A zone by its name, also behind a prefix (`/example.org/Europe/Paris`), or by the name Windows has for ours.
fn named_zone(name: &str) -> Option<Tz> {
    const OURS: [&str; 4] = [
        "Romance Standard Time",
        "W. Europe Standard Time",
        "Central Europe Standard Time",
        "Central European Standard Time",
    ];
    if OURS.contains(&name) {
        return Some(Tz::Europe__Paris);
    }
    let behind = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
    std::iter::once(name).chain(behind).find_map(|name| name.parse().ok())
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
        total += match c {
            'W' => TimeDelta::weeks(n),
            'D' => TimeDelta::days(n),
            'H' => TimeDelta::hours(n),
            'M' => TimeDelta::minutes(n),
            'S' => TimeDelta::seconds(n),
            _ => return None,
        };
    }
    Some(total).filter(|_| number.is_empty())
}

#[cfg(test)]
#[path = "ical_tests.rs"]
mod tests;
