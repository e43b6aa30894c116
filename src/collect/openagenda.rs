//! OpenAgenda, by its API v2.
//!
//! `detailed` is always asked, or there are no timings; an event comes with all of them, and the days are chosen here.
//! Paged by `after[]`, never by `from`.

use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::dates::to_instant;
use super::fetch::Fetcher;
use super::html_to_text::{summary, web_address};
use super::lenient_json::{self, MOST_PAGES, Read, Tray, at, each, line, prose, raw, walk};
use super::periods::collapsed;
use super::remarks::Harvest;
use super::sessions::{Moment, session, title_and_status};
use super::wordpress_api::json;
use crate::domain::{agenda::Status, french, listing::Listing, news::Picture};

#[derive(Deserialize)]
struct Answer {
    events: Vec<Value>,
    #[serde(default)]
    after: Option<Vec<Value>>,
}

pub async fn listings(
    api: &Url,
    agenda: u64,
    key_file: &Path,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
    zone: Tz,
) -> Result<Harvest<Listing>, CollectError> {
    let key = lenient_json::key(key_file).await?;
    let mut first = api.clone();
    first.set_path(&format!("/v2/agendas/{agenda}/events"));
    let midnight = |day: NaiveDate| to_instant(day.and_time(NaiveTime::MIN), zone).unwrap_or_default();
    let until = days.end().succ_opt().map_or_else(|| midnight(*days.end()), midnight) - chrono::TimeDelta::seconds(1);
    first
        .query_pairs_mut()
        .append_pair("detailed", "1")
        .append_pair("monolingual", "fr")
        .append_pair("size", "300")
        .append_pair("timings[gte]", &midnight(*days.start()).format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .append_pair("timings[lte]", &until.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let mut tray = Tray::default();
    let mut url = first.clone();
    let mut last = None;
    for _ in 0..MOST_PAGES {
        let page = fetcher.page_with_key(&url, Some(("key", &key))).await?;
        let answer: Answer =
            json(&page).map_err(|source| CollectError::unreadable(&page.url, source.without_text()))?;
        for event in &answer.events {
            tray.put(listing(event, zone, &first));
        }
        let Some(after) = answer.after.filter(|after| !after.is_empty()) else {
            return tray.within(&first, days);
        };
        if last.as_ref() == Some(&after) {
            break;
        }
        url = first.clone();
        let texts = after.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        url.query_pairs_mut().extend_pairs(texts.map(|text| ("after[]", text)));
        last = Some(after);
    }
    Err(CollectError::unreadable(&first, Missed::NoLastPage))
}

fn listing(event: &Value, zone: Tz, base: &Url) -> Read {
    // 2 is published; without it, the API gave what anyone may see.
    if at(event, "state").and_then(Value::as_i64).is_some_and(|state| state != 2) {
        return Read::NotForUs;
    }
    let read = || {
        let (title, marked) = title_and_status(&line(at(event, "title"))?);
        let hour = |timing: &Value, key| {
            let at = lenient_json::moment(at(timing, key)?.as_str()?)?;
            Some(Moment::Hour(at.with_timezone(&zone).naive_local()))
        };
        let timings =
            each(at(event, "timings")).map(|timing| Some(session(hour(timing, "begin")?, hour(timing, "end"))));
        let sessions = timings.collect::<Option<Vec<_>>>().filter(|sessions| !sessions.is_empty())?;
        let status = match at(event, "status").and_then(Value::as_i64) {
            Some(4) => Status::Postponed,
            Some(5) => Status::SoldOut,
            Some(6) => Status::Cancelled,
            // Programmed, at another time (which is the one given), online.
            _ => marked,
        };
        let registered = |kind: &str| {
            let found =
                each(at(event, "registration")).find(|way| at(way, "type").and_then(Value::as_str) == Some(kind));
            raw(at(found?, "value")?)
        };
        let link = registered("link").or_else(|| raw(at(event, "onlineAccessLink")?));
        let phone = registered("phone").or_else(|| raw(walk(event, "location.phone")?));
        Some(Listing {
            id: format!("openagenda:{}", raw(at(event, "uid")?)?),
            title,
            description: prose(at(event, "description")).map(|text| summary(&text)).unwrap_or_default(),
            sessions: collapsed(sessions),
            venue: line(walk(event, "location.name")),
            commune: line(walk(event, "location.city")).map(|name| french::commune(&name)),
            price: line(at(event, "conditions")),
            phone: phone.map(|number| lenient_json::phone(&number)),
            url: link.and_then(|link| web_address(&link, base)),
            image: at(event, "image").and_then(image),
            status,
            categories: each(at(event, "keywords")).flat_map(keywords).collect(),
            source: "OpenAgenda".to_owned(),
        })
    };
    Read::of(at(event, "title"), read())
}

/// `base` and a file's name, the largest variant.
fn image(image: &Value) -> Option<Picture> {
    let full = each(at(image, "variants")).find(|variant| at(variant, "type").and_then(Value::as_str) == Some("full"));
    let name = full.and_then(|full| at(full, "filename")).or_else(|| at(image, "filename"))?.as_str()?;
    let base: Url = at(image, "base")?.as_str()?.parse().ok()?;
    Some(Picture { url: web_address(name, &base)?, alt: String::new() })
}

fn keywords(value: &Value) -> Vec<String> {
    let list = if value.is_object() { at(value, "fr") } else { Some(value) };
    each(list).filter_map(|word| line(Some(word))).collect()
}
