//! A page with schema.org events in JSON-LD (`<script type="application/ld+json">`).
//!
//! A broken script does not affect the others; a page without any event is an error, because a redesign that lost them must
//! not count as a week without events. Microdata is not read.

use std::ops::RangeInclusive;

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use serde_json::{Map, Value};
use tracing::debug;
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::dates::{self, Numbers};
use super::fetch::{Fetcher, Page, Place};
use super::html;
use super::html_to_text::{one_line, paragraphs_of, summary, web_address};
use super::lenient_json::{each, line, raw};
use super::page::scripts;
use super::remarks::{Harvest, Remark};
use super::sessions::{Moment, commune_in, session, title_and_status, within};
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
) -> Result<Harvest<Listing>, CollectError> {
    let page = fetcher.page(url).await?;
    let Harvest { items, mut remarks } = read(&page, days, zone);
    if items.is_empty() {
        return Err(match remarks.is_empty() {
            true => CollectError::NoListing { place: Place::of(&page.url) },
            false => CollectError::unreadable(&page.url, Missed::NothingReadable(remarks)),
        });
    }
    let items = within(items, days, &mut remarks);
    Ok(Harvest::new(items, remarks))
}

/// All the events of a page; those of a schedule with their sessions on `days` only.
pub fn read(page: &Page, days: &RangeInclusive<NaiveDate>, zone: Tz) -> Harvest<Listing> {
    let Some(document) = html::parse(&page.text) else { return Harvest::default() };
    let scripts: Vec<Value> = scripts(&document).iter().filter_map(|text| lenient(text)).collect();
    let mut events = Vec::new();
    for script in &scripts {
        gather(script, &mut events);
    }
    let reader = Reader { days, zone, base: &page.url };
    let mut found = Harvest::default();
    for event in events {
        match reader.listing(event) {
            Ok(listing) => found.items.push(listing),
            Err(why) => found.remarks.add(&text_in(event, "name").unwrap_or_default(), why),
        }
    }
    found
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
            // A festival is described by its parts if it has any.
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

/// In whichever shape it comes: a text, a number, a list, `{"@value"}`, `{"fr"}`.
fn text_in(object: &Object, key: &str) -> Option<String> {
    line(object.get(key))
}

/// The text of a value that is not prose: a date, an address, a term of schema.org (`{"@id"}`).
fn word_in(object: &Object, key: &str) -> Option<String> {
    words(object.get(key)).next()
}

/// All of them, where it is a list.
fn words(value: Option<&Value>) -> impl Iterator<Item = String> {
    each(value).filter_map(|value| raw(value).or_else(|| raw(value.get("@id").or_else(|| value.get("url"))?)))
}

struct Reader<'a> {
    days: &'a RangeInclusive<NaiveDate>,
    zone: Tz,
    base: &'a Url,
}

impl Reader<'_> {
    /// # Errors
    /// Where it has no name or no date.
    fn listing(&self, event: &Object) -> Result<Listing, Remark> {
        let name = text_in(event, "name").or_else(|| text_in(event, "headline"));
        let (title, marked) = title_and_status(&name.unwrap_or_default());
        let start = word_in(event, "startDate");
        let own = start.as_deref().and_then(|start| self.moment(start)).map(|start| {
            let end = word_in(event, "endDate").and_then(|end| self.moment(&end));
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
        if title.is_empty() {
            return Err(match event.get("name") {
                Some(Value::Object(_) | Value::Array(_)) => Remark::NoFrenchTitle,
                _ => Remark::NoTitle,
            });
        }
        if sessions.is_empty() && event.get("eventSchedule").is_none() {
            return Err(if start.is_some() { Remark::BadDate } else { Remark::NoDate });
        }
        let url = word_in(event, "url").or_else(|| word_in(event, "@id"));
        let url = url.and_then(|url| web_address(&url, self.base)).unwrap_or_else(|| self.base.to_string());
        let id = word_in(event, "@id");
        let (venue, commune, venue_phone) = place(event);
        let description = event.get("description").and_then(raw).unwrap_or_default();
        Ok(Listing {
            id: id.unwrap_or_else(|| format!("{url}#{title}#{}", start.as_deref().unwrap_or_default())),
            title,
            description: summary(&paragraphs_of(&description)),
            sessions,
            venue,
            commune,
            price: price(event),
            phone: each(event.get("organizer"))
                .filter_map(Value::as_object)
                .find_map(|organizer| text_in(organizer, "telephone"))
                .or(venue_phone),
            image: self.image(event),
            status: status(event, start.as_deref()).unwrap_or(marked),
            categories: each(event.get("keywords")).filter_map(|word| line(Some(word))).collect(),
            source: self.base.host_str().unwrap_or_default().trim_start_matches("www.").to_owned(),
            url: Some(url),
        })
    }

    /// With an offset it is an instant; without, the clock on our wall; without an hour, a day.
    fn moment(&self, text: &str) -> Option<Moment> {
        let read = dates::read(text, Numbers::Unknown)?;
        match (read.time, read.offset) {
            (None, _) => Some(Moment::Day(read.day)),
            (Some(time), None) => Some(Moment::Hour(read.day.and_time(time))),
            (Some(_), Some(_)) => Some(Moment::Hour(read.instant(self.zone)?.with_timezone(&self.zone).naive_local())),
        }
    }

    /// The sessions of a `Schedule` on our days: every day, or the named days of every nth week.
    fn scheduled(&self, schedule: &Object) -> Vec<Session> {
        let read_day = |text: &str| dates::read(text, Numbers::Unknown).map(|read| read.day);
        let day = |key: &str| word_in(schedule, key).and_then(|text| read_day(&text));
        let time = |key: &str| dates::time(&word_in(schedule, key)?);
        let first = day("startDate").unwrap_or(*self.days.start());
        let last = day("endDate").unwrap_or(*self.days.end()).min(*self.days.end());
        let named: Vec<u32> = words(schedule.get("byDay")).filter_map(|day| weekday(&day)).collect();
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
        let but: Vec<NaiveDate> = words(schedule.get("exceptDate")).filter_map(|day| read_day(&day)).collect();
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
                Value::String(url) => (url.clone(), None),
                Value::Object(image) => {
                    let url = ["url", "contentUrl", "@id"].iter().find_map(|key| word_in(image, key))?;
                    (url, text_in(image, "caption"))
                }
                _ => return None,
            };
            Some(Picture { url: web_address(&url, self.base)?, alt: alt.unwrap_or_default() })
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
            Value::Object(place) if !words(place.get("@type")).any(|kind| kind.ends_with("VirtualLocation")) => {
                let commune = each(place.get("address")).find_map(|address| match address {
                    Value::Object(address) => text_in(address, "addressLocality"),
                    Value::String(address) => commune_in(&plain_title(address)),
                    _ => None,
                });
                return (text_in(place, "name"), commune, text_in(place, "telephone"));
            }
            _ => {}
        }
    }
    (None, None, None)
}

/// `None` where nothing is said. Of several the one that tells a reader not to come counts.
fn status(event: &Object, start: Option<&str>) -> Option<Status> {
    let said: Vec<String> = words(event.get("eventStatus")).collect();
    let says = |word: &str| {
        said.iter().any(|it| it.trim().rsplit(['/', ':', '#']).next().is_some_and(|it| it.eq_ignore_ascii_case(word)))
    };
    // It was put off, and the date is already the new one: on that day it takes place.
    let moved = words(event.get("previousStartDate")).any(|before| Some(before.as_str()) != start);
    if says("EventCancelled") || says("EventCanceled") || says("Cancelled") {
        return Some(Status::Cancelled);
    }
    if says("EventPostponed") && !moved {
        return Some(Status::Postponed);
    }
    let offers: Vec<_> = each(event.get("offers")).filter_map(Value::as_object).collect();
    let gone = |offer: &&Object| {
        words(offer.get("availability")).any(|it| it.trim().rsplit(['/', ':', '#']).next() == Some("SoldOut"))
    };
    (!offers.is_empty() && offers.iter().all(gone)).then_some(Status::SoldOut)
}

/// In words: « gratuit », « 5 € », « de 5 à 8 € ». A price in another currency is ignored: plugins write dollars by default.
fn price(event: &Object) -> Option<String> {
    let is_true = |value: &Value| {
        let word = || raw(value).and_then(|it| it.rsplit('/').next().map(str::to_owned));
        value.as_bool() == Some(true) || word().is_some_and(|it| it.eq_ignore_ascii_case("true"))
    };
    if each(event.get("isAccessibleForFree")).any(is_true) {
        return Some("gratuit".to_owned());
    }
    let mut prices: Vec<f64> = Vec::new();
    for offer in each(event.get("offers")).filter_map(Value::as_object) {
        if word_in(offer, "priceCurrency").is_some_and(|currency| currency.trim() != "EUR") {
            continue;
        }
        let number = |key: &str| {
            text_in(offer, key)?.replace(',', ".").trim_end_matches(['€', ' ', '\u{a0}']).parse::<f64>().ok()
        };
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
