//! The Events Calendar, a WordPress plugin, by its REST API (`tribe/events/v1`).
//!
//! Start and end are always sent: without a start the API begins now. Cancelled events cannot be recognised: the API drops
//! them or has no field for it; only the title may say so.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde_json::Value;
use url::Url;

use super::collect_error::{CollectError, Missed, Rung, Tried};
use super::dates::{self, Numbers, to_instant};
use super::fetch::{FetchError, Fetcher};
use super::html_to_text::{paragraphs_of, summary, web_address};
use super::lenient_json::{Read, Tray, each, line, raw};
use super::remarks::Harvest;
use super::sessions::{Moment, session, title_and_status};
use super::wordpress_api::{Door, Site, json};
use crate::domain::{listing::Listing, news::Picture};

/// The most the API gives at once.
const PER_PAGE: &str = "50";
/// Limit of pages: two thousand events in a week are not an agenda.
const MOST_PAGES: usize = 40;

pub async fn listings(
    url: &Url,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Harvest<Listing>, CollectError> {
    let site = Site::new(url);
    let mut tried = Tried::default();
    for (rung, door) in [(Rung::Rest, Door::Path), (Rung::RestRoute, Door::RestRoute)] {
        match by_door(&site, door, fetcher, days, zone).await {
            Ok(tray) => return tray.within(&site.at(""), days),
            Err(Missed::Fetch(source)) if source.is_temporary() => return Err(CollectError::Fetch { tried, source }),
            Err(missed) => tried.0.push((rung, missed)),
        }
    }
    Err(CollectError::NoEvents { site: site.host().to_owned(), tried })
}

/// All the pages, each record by itself.
async fn by_door(
    site: &Site,
    door: Door,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Tray, Missed> {
    let (from, to) = (format!("{} 00:00:00", days.start()), format!("{} 23:59:59", days.end()));
    let mut tray = Tray::default();
    for number in 1..=MOST_PAGES {
        let number_text = number.to_string();
        let query = [("start_date", from.as_str()), ("end_date", &to), ("per_page", PER_PAGE), ("page", &number_text)];
        let page = match fetcher.page(&site.api(door, "tribe/events/v1/events", &query)).await {
            // Past the last page; the events may have become fewer meanwhile.
            Err(FetchError::Status { code: 404, .. }) if number > 1 => break,
            page => page?,
        };
        let answer: Value = json(&page)?;
        let events = answer.get("events").and_then(Value::as_array).ok_or(Missed::NotRecords)?;
        for event in events {
            tray.put(Read::of(event.get("title"), listing(event, site, &page.url, zone)));
        }
        let pages = answer.get("total_pages").and_then(|pages| raw(pages)?.parse().ok()).unwrap_or(0);
        if number >= pages {
            break;
        }
    }
    Ok(tray)
}

/// `None` if its dates are invalid. What PHP writes as an object is an empty list, or `false`, if it is missing.
fn listing(event: &Value, site: &Site, base: &Url, zone: Tz) -> Option<Listing> {
    let all_day = event.get("all_day").is_some_and(|it| it.as_bool() == Some(true) || raw(it).as_deref() == Some("1"));
    let event_zone = event.get("timezone").and_then(raw);
    let moment = |key: &str| {
        let text = raw(event.get(key)?)?;
        let wall = wall(&text, event_zone.as_deref(), zone)?;
        let written = dates::read(&text, Numbers::Unknown)?;
        Some(if all_day || written.time.is_none() { Moment::Day(written.day) } else { Moment::Hour(wall) })
    };
    let session = session(moment("start_date")?, moment("end_date"));
    let (title, status) = title_and_status(&raw(event.get("title")?)?);
    let venue = first(event.get("venue"));
    let text = |value: Option<&Value>, key: &str| line(value?.get(key));
    let image = event.get("image").and_then(|image| image.get("url")).and_then(Value::as_str);
    let image = image.and_then(|url| web_address(url, base));
    let url = event.get("url").and_then(raw).and_then(|url| web_address(&url, base));
    let id = event.get("id").and_then(raw).or_else(|| url.clone())?;
    Some(Listing {
        id: format!("{}?p={id}", site.at("")),
        title,
        description: summary(&paragraphs_of(&event.get("description").and_then(raw).unwrap_or_default())),
        sessions: vec![session],
        venue: text(venue, "venue"),
        commune: text(venue, "city"),
        price: line(event.get("cost")),
        phone: text(first(event.get("organizer")), "phone").or_else(|| text(venue, "phone")),
        url,
        image: image.map(|url| Picture { url, alt: String::new() }),
        status,
        categories: each(event.get("categories")).filter_map(|category| text(Some(category), "name")).collect(),
        source: site.host().trim_start_matches("www.").to_owned(),
    })
}

/// One object, the first of a list, or none.
fn first(value: Option<&Value>) -> Option<&Value> {
    each(value).find(|value| value.is_object())
}

/// `2027-07-13 21:00:00`, on the wall of the event's zone. A site set to `UTC+2` means the hour here.
fn wall(text: &str, event_zone: Option<&str>, zone: Tz) -> Option<NaiveDateTime> {
    let read = dates::read(text, Numbers::Unknown)?;
    let here = |at: DateTime<chrono::Utc>| at.with_timezone(&zone).naive_local();
    let written = read.day.and_time(read.time.unwrap_or_default());
    if read.offset.is_some() {
        return read.instant(zone).map(here);
    }
    match event_zone.filter(|name| !name.starts_with("UTC")).and_then(|name| name.parse::<Tz>().ok()) {
        Some(theirs) => to_instant(written, theirs).map(here),
        None => Some(written),
    }
}
