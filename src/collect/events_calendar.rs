//! The Events Calendar, a WordPress plugin, by its REST API (`tribe/events/v1`).
//!
//! Both ends of the days are always sent: without a start the API begins now. A cancelled event is invisible here: the
//! API drops it or says nothing of it, and only the title may.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::dates::{instant, to_instant};
use super::fetch::{FetchError, Fetcher};
use super::listed::{Moment, session, title_and_status, within};
use super::plain::{one_line, paragraphs_of, summary, web_address};
use super::title::plain_title;
use super::wordpress_api::{Door, Site, json};
use crate::domain::{listing::Listing, news::Picture};

/// The most the API gives at once.
const PER_PAGE: &str = "50";
/// Two thousand events in a week are no agenda.
const MOST_PAGES: usize = 40;

#[derive(Deserialize)]
struct Answer {
    events: Vec<Event>,
    #[serde(default)]
    total_pages: usize,
}

/// What PHP writes as an object is an empty list, or `false`, where there is none: hence `Value`.
#[derive(Deserialize)]
struct Event {
    id: u64,
    title: String,
    start_date: String,
    #[serde(default)]
    end_date: Option<String>,
    #[serde(default)]
    all_day: bool,
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    cost: Value,
    #[serde(default)]
    image: Value,
    #[serde(default)]
    venue: Value,
    #[serde(default)]
    organizer: Value,
    #[serde(default)]
    categories: Vec<Value>,
}

pub async fn listings(
    url: &Url,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Vec<Listing>, CollectError> {
    let site = Site::new(url);
    let (from, to) = (format!("{} 00:00:00", days.start()), format!("{} 23:59:59", days.end()));
    let mut listings = Vec::new();
    for number in 1..=MOST_PAGES {
        let number_text = number.to_string();
        let query = [("start_date", from.as_str()), ("end_date", &to), ("per_page", PER_PAGE), ("page", &number_text)];
        let page = match fetcher.page(&site.api(Door::Path, "tribe/events/v1/events", &query)).await {
            // Past the last page; the events may have become fewer meanwhile.
            Err(FetchError::Status { code: 404, .. }) if number > 1 => break,
            page => page?,
        };
        let answer: Answer = json(&page).map_err(|source| CollectError::unreadable(&page.url, source))?;
        for event in answer.events {
            let bad = || CollectError::unreadable(&page.url, Missed::BadListing);
            listings.push(listing(event, &site, &page.url, zone).ok_or_else(bad)?);
        }
        if number >= answer.total_pages {
            break;
        }
    }
    Ok(within(listings, days))
}

/// `None` where its dates are none.
fn listing(event: Event, site: &Site, base: &Url, zone: Tz) -> Option<Listing> {
    let moment = |text: &str| {
        let wall = wall(text, event.timezone.as_deref(), zone)?;
        Some(if event.all_day { Moment::Day(text.get(..10)?.parse().ok()?) } else { Moment::Hour(wall) })
    };
    let session = session(moment(&event.start_date)?, event.end_date.as_deref().and_then(moment));
    let (title, status) = title_and_status(&event.title);
    let venue = first(&event.venue);
    let told = |value: Option<&Value>, key: &str| {
        let text = one_line(&plain_title(value?.get(key)?.as_str()?));
        (!text.is_empty()).then_some(text)
    };
    let price = event.cost.as_str().map(|cost| one_line(&plain_title(cost))).filter(|cost| !cost.is_empty());
    let image = event.image.get("url").and_then(Value::as_str).and_then(|url| web_address(url, base));
    Some(Listing {
        id: format!("{}?p={}", site.at(""), event.id),
        title,
        description: summary(&paragraphs_of(event.description.as_deref().unwrap_or_default())),
        sessions: vec![session],
        venue: told(venue, "venue"),
        commune: told(venue, "city"),
        price,
        phone: told(first(&event.organizer), "phone").or_else(|| told(venue, "phone")),
        url: event.url.and_then(|url| web_address(&url, base)),
        image: image.map(|url| Picture { url, alt: String::new() }),
        status,
        categories: event.categories.iter().filter_map(|category| told(Some(category), "name")).collect(),
        source: site.host().trim_start_matches("www.").to_owned(),
    })
}

/// One object, the first of a list, or none.
fn first(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(values) => values.first(),
        Value::Object(_) => Some(value),
        _ => None,
    }
}

/// `2027-07-13 21:00:00`, on the wall of the event's zone. A site set to `UTC+2` means the hour here.
fn wall(text: &str, event_zone: Option<&str>, zone: Tz) -> Option<NaiveDateTime> {
    let written = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok();
    let here = |at: DateTime<chrono::Utc>| at.with_timezone(&zone).naive_local();
    match (written, event_zone.filter(|name| !name.starts_with("UTC")).and_then(|name| name.parse::<Tz>().ok())) {
        (Some(written), Some(theirs)) => to_instant(written, theirs).map(here),
        (Some(written), None) => Some(written),
        (None, _) => instant(text).map(here),
    }
}
