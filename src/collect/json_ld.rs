//! A page with schema.org events in JSON-LD (`<script type="application/ld+json">`).
//!
//! A script that is broken must not hide the others; a page without a single event is an error, because a new theme that
//! forgot them must not pass for a week without events. Never reads microdata.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::{Map, Value};
use tracing::debug;
use url::Url;

use super::collect_error::CollectError;
use super::dates;
use super::fetch::{Fetcher, Page, Place};
use super::html;
use super::listed::{Moment, commune_in, session, title_and_status, within};
use super::page::scripts;
use super::plain::{one_line, paragraphs_of, summary, web_address};
use super::title::plain_title;
use crate::domain::{
    agenda::Status,
    listing::{Listing, Session},
    news::Picture,
};

type Object = Map<String, Value>;

pub async fn listings(
    url: &Url,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Vec<Listing>, CollectError> {
    let page = fetcher.page(url).await?;
    let all = read(&page, days, zone);
    if all.is_empty() {
        return Err(CollectError::NoListing { place: Place::of(&page.url) });
    }
    Ok(within(all, days))
}

/// All the events of a page; those of a schedule with their sessions on `days` only.
pub fn read(page: &Page, days: &RangeInclusive<NaiveDate>, zone: Tz) -> Vec<Listing> {
    let Some(document) = html::parse(&page.text) else { return Vec::new() };
    let scripts: Vec<Value> = scripts(&document).iter().filter_map(|text| lenient(text)).collect();
    let mut events = Vec::new();
    for script in &scripts {
        gather(script, &mut events);
    }
    let reader = Reader { days, zone, base: &page.url };
    events.into_iter().filter_map(|event| reader.listing(event)).collect()
}

/// JSON as people and plugins write it: with a comma too many, and line breaks within texts.
fn lenient(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut mended = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for c in text.trim().trim_end_matches(';').chars() {
        match c {
            '"' if !escaped => inside = !inside,
            '}' | ']' if !inside => {
                let kept = mended.trim_end().trim_end_matches(',').len();
                mended.truncate(kept);
            }
            c if inside && c.is_control() => {
                mended.push(' ');
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        mended.push(c);
    }
    serde_json::from_str(&mended).inspect_err(|_| debug!("a script of JSON-LD is no JSON")).ok()
}

/// The events of a script: alone, in a list, in `@graph`, in an `ItemList`. The depth is bounded by the JSON reader.
fn gather<'a>(value: &'a Value, events: &mut Vec<&'a Object>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| gather(value, events)),
        Value::Object(object) if is_event(object) => {
            // A festival is told by its parts where it has some.
            let before = events.len();
            object.get("subEvent").into_iter().for_each(|parts| gather(parts, events));
            if events.len() == before {
                events.push(object);
            }
        }
        Value::Object(object) => {
            for key in ["@graph", "itemListElement", "item", "mainEntity", "event", "events"] {
                object.get(key).into_iter().for_each(|value| gather(value, events));
            }
        }
        _ => {}
    }
}

fn is_event(object: &Object) -> bool {
    each(object.get("@type")).filter_map(Value::as_str).any(|kind| {
        let kind = kind.rsplit(['/', ':', '#']).next().unwrap_or(kind);
        kind.ends_with("Event") || matches!(kind, "Festival" | "EventSeries" | "Hackathon")
    })
}

/// A value or the values of a list.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        Some(Value::Array(values)) => values.iter(),
        Some(value) => std::slice::from_ref(value).iter(),
        None => [].iter(),
    }
}

fn text_in(object: &Object, key: &str) -> Option<String> {
    let text = match object.get(key)? {
        Value::String(text) => one_line(&plain_title(text)),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

struct Reader<'a> {
    days: &'a RangeInclusive<NaiveDate>,
    zone: Tz,
    base: &'a Url,
}

impl Reader<'_> {
    /// `None` where it has no name or no date.
    fn listing(&self, event: &Object) -> Option<Listing> {
        let (title, marked) = title_and_status(event.get("name")?.as_str()?);
        let start = event.get("startDate").and_then(Value::as_str);
        let own = start.and_then(|start| self.moment(start)).map(|start| {
            let end = event.get("endDate").and_then(Value::as_str).and_then(|end| self.moment(end));
            session(start, end)
        });
        let scheduled = each(event.get("eventSchedule")).filter_map(Value::as_object);
        let mut sessions: Vec<Session> = scheduled.flat_map(|schedule| self.scheduled(schedule)).collect();
        if sessions.is_empty() && event.get("eventSchedule").is_none() {
            sessions.extend(own);
        } else if sessions.is_empty() {
            // A schedule with no date on our days.
            sessions.extend(own.filter(|own| !own.touches(self.days)));
        }
        if title.is_empty() || (sessions.is_empty() && event.get("eventSchedule").is_none()) {
            return None;
        }
        let url = event.get("url").or_else(|| event.get("@id")).and_then(Value::as_str);
        let url = url.and_then(|url| web_address(url, self.base)).unwrap_or_else(|| self.base.to_string());
        let id = event.get("@id").and_then(Value::as_str).map(str::to_owned);
        let (venue, commune, venue_phone) = place(event);
        let description = event.get("description").and_then(Value::as_str).unwrap_or_default();
        Some(Listing {
            id: id.unwrap_or_else(|| format!("{url}#{title}#{}", start.unwrap_or_default())),
            title,
            description: summary(&paragraphs_of(description)),
            sessions,
            venue,
            commune,
            price: price(event),
            phone: each(event.get("organizer"))
                .filter_map(Value::as_object)
                .find_map(|organizer| text_in(organizer, "telephone"))
                .or(venue_phone),
            image: self.image(event),
            status: status(event, start).unwrap_or(marked),
            categories: each(event.get("keywords"))
                .filter_map(Value::as_str)
                .map(|word| one_line(&plain_title(word)))
                .collect(),
            source: self.base.host_str().unwrap_or_default().trim_start_matches("www.").to_owned(),
            url: Some(url),
        })
    }

    /// With an offset it is an instant; without, the clock on our wall; without an hour, a day.
    fn moment(&self, text: &str) -> Option<Moment> {
        let text = text.trim();
        if let Ok(day) = text.parse() {
            return Some(Moment::Day(day));
        }
        let wall = dates::written(text);
        let here = || dates::instant(text).map(|at: DateTime<_>| at.with_timezone(&self.zone).naive_local());
        wall.or_else(here).map(Moment::Hour)
    }

    /// The sessions of a `Schedule` on our days: every day, or the named days of every so many weeks.
    fn scheduled(&self, schedule: &Object) -> Vec<Session> {
        let day = |key: &str| text_in(schedule, key).and_then(|text| text.get(..10)?.parse::<NaiveDate>().ok());
        let time = |key: &str| {
            let text = text_in(schedule, key)?;
            ["%H:%M:%S", "%H:%M"]
                .iter()
                .find_map(|format| NaiveTime::parse_from_str(text.get(..text.len().min(8))?, format).ok())
        };
        let first = day("startDate").unwrap_or(*self.days.start());
        let last = day("endDate").unwrap_or(*self.days.end()).min(*self.days.end());
        let named: Vec<u32> = each(schedule.get("byDay")).filter_map(Value::as_str).filter_map(weekday).collect();
        let frequency = text_in(schedule, "repeatFrequency").unwrap_or_default().to_ascii_uppercase();
        let weeks = match frequency.as_str() {
            "P1D" | "DAILY" => None,
            "" if !named.is_empty() => Some(1),
            "P7D" | "WEEKLY" => Some(1),
            other => match other.strip_prefix('P').and_then(|rest| rest.strip_suffix('W')).and_then(|n| n.parse().ok())
            {
                Some(weeks) if weeks > 0 => Some(weeks),
                _ => {
                    debug!(frequency, "a schedule that is not by days or weeks is left out");
                    return Vec::new();
                }
            },
        };
        let but: Vec<NaiveDate> =
            each(schedule.get("exceptDate")).filter_map(|day| day.as_str()?.get(..10)?.parse().ok()).collect();
        let monday = |day: NaiveDate| day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        let takes_place = |day: &NaiveDate| {
            let weekday = day.weekday().num_days_from_monday();
            let on_weekday = match weeks {
                _ if !named.is_empty() => named.contains(&weekday),
                Some(_) => weekday == first.weekday().num_days_from_monday(),
                None => true,
            };
            let in_week = weeks.is_none_or(|weeks: i64| (monday(*day) - monday(first)).num_weeks() % weeks == 0);
            on_weekday && in_week && *day >= first && !but.contains(day)
        };
        let days = self.days.start().iter_days().take_while(|day| *day <= last).filter(takes_place);
        let (start, end) = (time("startTime"), time("endTime"));
        days.map(|day| Session { day, start, end: end.filter(|end| Some(*end) != start), end_day: None }).collect()
    }

    fn image(&self, event: &Object) -> Option<Picture> {
        each(event.get("image")).find_map(|image| {
            let (url, alt) = match image {
                Value::String(url) => (url.as_str(), None),
                Value::Object(image) => {
                    let url = image.get("url").or_else(|| image.get("contentUrl"))?.as_str()?;
                    (url, text_in(image, "caption"))
                }
                _ => return None,
            };
            Some(Picture { url: web_address(url, self.base)?, alt: alt.unwrap_or_default() })
        })
    }
}

/// 0 for Monday, out of `https://schema.org/Tuesday`, `Tuesday` or `TU`.
fn weekday(text: &str) -> Option<u32> {
    let name = text.rsplit(['/', ':']).next()?.to_ascii_lowercase();
    let days = ["mo", "tu", "we", "th", "fr", "sa", "su"];
    let at = days.iter().position(|day| name.starts_with(day))?;
    u32::try_from(at).ok()
}

/// Name, commune and telephone of the first place that is one.
fn place(event: &Object) -> (Option<String>, Option<String>, Option<String>) {
    for location in each(event.get("location")) {
        match location {
            Value::String(text) if !text.starts_with("http") => {
                let text = one_line(&plain_title(text));
                let venue = text.split(',').next().map(str::trim).filter(|venue| !venue.is_empty());
                return (venue.map(str::to_owned), commune_in(&text), None);
            }
            Value::Object(place) if place.get("@type").and_then(Value::as_str) != Some("VirtualLocation") => {
                let commune = match place.get("address") {
                    Some(Value::Object(address)) => text_in(address, "addressLocality"),
                    Some(Value::String(address)) => commune_in(&plain_title(address)),
                    _ => None,
                };
                return (text_in(place, "name"), commune, text_in(place, "telephone"));
            }
            _ => {}
        }
    }
    (None, None, None)
}

/// `None` where nothing is said.
fn status(event: &Object, start: Option<&str>) -> Option<Status> {
    let said = event.get("eventStatus").and_then(Value::as_str).unwrap_or_default();
    // It was put off, and the date is already the new one: on that day it takes place.
    let moved = event.get("previousStartDate").and_then(Value::as_str).is_some_and(|before| Some(before) != start);
    match said.rsplit(['/', ':']).next()? {
        "EventCancelled" => Some(Status::Cancelled),
        "EventPostponed" if !moved => Some(Status::Postponed),
        _ => {
            let offers: Vec<_> = each(event.get("offers")).filter_map(Value::as_object).collect();
            let gone = |offer: &&Object| {
                offer.get("availability").and_then(Value::as_str).is_some_and(|it| it.ends_with("SoldOut"))
            };
            (!offers.is_empty() && offers.iter().all(gone)).then_some(Status::SoldOut)
        }
    }
}

/// In words: « gratuit », « 5 € », « de 5 à 8 € ». A price in another currency is none: plugins say dollars by default.
fn price(event: &Object) -> Option<String> {
    let is_true = |value: &Value| {
        value.as_bool() == Some(true) || value.as_str().is_some_and(|it| it.eq_ignore_ascii_case("true"))
    };
    if event.get("isAccessibleForFree").is_some_and(is_true) {
        return Some("gratuit".to_owned());
    }
    let mut prices: Vec<f64> = Vec::new();
    for offer in each(event.get("offers")).filter_map(Value::as_object) {
        if offer.get("priceCurrency").and_then(Value::as_str).is_some_and(|currency| currency != "EUR") {
            continue;
        }
        let number = |key: &str| text_in(offer, key)?.replace(',', ".").parse::<f64>().ok();
        prices.extend(["price", "lowPrice", "highPrice"].into_iter().filter_map(number));
    }
    prices.retain(|price| price.is_finite() && (0.0..100_000.0).contains(price));
    let low = prices.iter().copied().reduce(f64::min)?;
    let high = prices.iter().copied().reduce(f64::max)?;
    Some(match (low == high, low == 0.0) {
        (true, true) => "gratuit".to_owned(),
        (true, false) => format!("{}\u{a0}€", euros(low)),
        (false, true) => format!("jusqu’à {}\u{a0}€", euros(high)),
        (false, false) => format!("de {} à {}\u{a0}€", euros(low), euros(high)),
    })
}

fn euros(amount: f64) -> String {
    if amount.fract() == 0.0 { format!("{amount:.0}") } else { format!("{amount:.2}").replace('.', ",") }
}

#[cfg(test)]
#[path = "json_ld_tests.rs"]
mod tests;
