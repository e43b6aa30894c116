//! Tourinsoft: syndications of version 2 (packed texts, in JSON or Atom) and of version 3 (fields named by each client).
//!
//! There is no key: the identifier in the URL is the secret. If the mailing's file has `{key}` instead, it is replaced by
//! the content of a key file, and masked in all messages.

use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{NaiveDate, Weekday};
use quick_xml::events::Event as Xml;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::fetch::{Fetcher, Page};
use super::html_to_text::{paragraphs_of, summary, web_address};
use super::lenient_json::{self, MOST_PAGES, Read, Tray, at, each, line, prose, raw, walk};
use super::periods::{Hours, collapsed, unrolled};
use super::remarks::Harvest;
use super::sessions::title_and_status;
use super::wordpress_api::json;
use crate::domain::{french, listing::Listing, listing::Session, news::Picture};

const NAME: &str = "Tourinsoft";
const PER_PAGE: usize = 1000;
const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];

/// Where version 3 keeps what, as paths of names: `ADRESSEs.Commune`. The names below `dates` are of one of its records.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    pub title: String,
    pub description: String,
    pub dates: String,
    pub start: String,
    pub end: String,
    /// Opening and closing hours, a pair for each time of a day; `{day}` is replaced by `lundi`, `mardi`, …
    pub opens: Vec<String>,
    pub closes: Vec<String>,
    pub closed_on: String,
    pub venue: String,
    pub commune: String,
    pub price: String,
    pub contacts: String,
    pub contact_kind: String,
    pub contact_value: String,
    pub image: String,
    pub categories: String,
}

impl Default for Fields {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            title: text("SyndicObjectName"),
            description: text("DESCRIPTIFSs.Descriptioncommerciale"),
            dates: text("DATESs"),
            start: text("Datededebut"),
            end: text("Datedefin"),
            opens: vec![text("Heuredouverture1"), text("Heuredouverture2")],
            closes: vec![text("Heuredefermeture1"), text("Heuredefermeture2")],
            closed_on: text("Joursdefermeture"),
            venue: text("ADRESSEs.Adresse1"),
            commune: text("ADRESSEs.Commune"),
            price: text("TARIFSs.Tarif"),
            contacts: text("MOYENSCOMs"),
            contact_kind: text("TypedaccesTelecom.ThesLibelle"),
            contact_value: text("CoordonneesTelecom"),
            image: text("PHOTOSs.Photo.Url"),
            categories: text("TYPEs.Typedemanifestation"),
        }
    }
}

/// The address with its secret, and the one to be shown.
async fn address(url: &Url, key_file: Option<&Path>) -> Result<(Url, Option<SecretString>), CollectError> {
    let Some(path) = key_file else { return Ok((url.clone(), None)) };
    let key = lenient_json::key(path).await?;
    let mut whole = url.clone();
    whole.set_path(&url.path().replace("%7Bkey%7D", key.expose_secret()).replace("{key}", key.expose_secret()));
    Ok((whole, Some(key)))
}

async fn page(url: &Url, key: Option<&SecretString>, fetcher: &Fetcher) -> Result<Page, CollectError> {
    let page = fetcher.page_with_key(url, None).await;
    page.map_err(|error| match key {
        Some(key) => error.hiding(key.expose_secret()).into(),
        None => error.into(),
    })
}

/// Version 2.
pub async fn listings_v2(
    url: &Url,
    key_file: Option<&Path>,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
) -> Result<Harvest<Listing>, CollectError> {
    let (whole, key) = address(url, key_file).await?;
    let mut tray = Tray::default();
    let mut read = 0;
    for _ in 0..MOST_PAGES {
        let mut asked = whole.clone();
        let rest = [("$format", "json".to_owned()), ("$inlinecount", "allpages".to_owned())];
        let part = [("$top", PER_PAGE.to_string()), ("$skip", read.to_string())];
        asked.query_pairs_mut().extend_pairs(rest.into_iter().chain(part));
        let page = page(&asked, key.as_ref(), fetcher).await?;
        let (records, count) = records(&page).map_err(|source| CollectError::unreadable(url, source))?;
        for record in &records {
            tray.put(packed(record, days, url));
        }
        read += records.len();
        if count.map_or(records.len() < PER_PAGE, |count| read >= count) {
            return tray.within(url, days);
        }
        if records.is_empty() {
            return Err(CollectError::unreadable(url, Missed::CutJson));
        }
    }
    Err(CollectError::unreadable(url, Missed::NoLastPage))
}

/// The records of a page, and how many there are on all.
fn records(page: &Page) -> Result<(Vec<Value>, Option<usize>), Missed> {
    if page.text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        return atom(&page.text);
    }
    let value: Value = json(page)?;
    let body = at(&value, "d").unwrap_or(&value);
    let list = at(body, "results").or_else(|| at(body, "value")).unwrap_or(body).as_array().cloned();
    let count = ["__count", "odata.count", "@odata.count"].iter().find_map(|key| raw(body.get(*key)?)?.parse().ok());
    Ok((list.ok_or(Missed::NotRecords)?, count))
}

/// The properties of each entry, and the count, of an Atom feed. Every element must be closed: a truncated feed is an error.
fn atom(text: &str) -> Result<(Vec<Value>, Option<usize>), Missed> {
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut records, mut count, mut words) = (Vec::new(), None, String::new());
    let (mut record, mut depth, mut is_feed): (Option<Map<String, Value>>, usize, bool) = (None, 0, false);
    loop {
        match reader.read_event().map_err(|_| Missed::CutFeed)? {
            Xml::DocType(_) => return Err(Missed::FeedWithEntities),
            Xml::Start(element) => {
                is_feed |= depth == 0 && element.local_name().as_ref() == "feed";
                if !is_feed {
                    return Err(Missed::NotJson);
                }
                depth += 1;
                words.clear();
                if element.local_name().as_ref() == "properties" {
                    record = Some(Map::new());
                }
            }
            Xml::Text(piece) => words.push_str(&piece),
            Xml::CData(piece) => words.push_str(&piece),
            Xml::GeneralRef(name) => match (name.resolve_char_ref(), &*name) {
                (Ok(Some(c)), _) => words.push(c),
                (_, "amp") => words.push('&'),
                (_, "lt") => words.push('<'),
                (_, "gt") => words.push('>'),
                (_, "quot") => words.push('"'),
                (_, "apos") => words.push('\''),
                _ => return Err(Missed::FeedWithEntities),
            },
            Xml::End(element) => {
                depth = depth.saturating_sub(1);
                let name = element.local_name().as_ref().to_owned();
                match name.as_str() {
                    "properties" => records.extend(record.take().map(Value::Object)),
                    "count" => count = words.trim().parse().ok(),
                    _ => {
                        if let Some(record) = &mut record {
                            record.insert(name, Value::String(std::mem::take(&mut words)));
                        }
                    }
                }
            }
            Xml::Eof if depth == 0 && is_feed => return Ok((records, count)),
            Xml::Eof => return Err(if is_feed { Missed::CutFeed } else { Missed::NotJson }),
            _ => {}
        }
    }
}

/// `a|b#c|d`: records of fields. A `#` can be part of a link, and then what follows has no field of its own.
fn unpacked(text: &str) -> Vec<Vec<String>> {
    let mut records: Vec<String> = Vec::new();
    for piece in text.split('#') {
        match records.last_mut() {
            Some(last) if !piece.contains('|') => *last = format!("{last}#{piece}"),
            _ => records.push(piece.to_owned()),
        }
    }
    records.iter().map(|record| record.split('|').map(|field| field.trim().to_owned()).collect()).collect()
}

fn packed(record: &Value, days: &RangeInclusive<NaiveDate>, base: &Url) -> Read {
    let read = || {
        let fields = |key: &str| at(record, key).and_then(raw).map(|text| unpacked(&text)).unwrap_or_default();
        let (title, status) = title_and_status(&line(at(record, "SyndicObjectName"))?);
        let mut sessions = Vec::new();
        for period in fields("PeriodeOuverture") {
            let field = |n: usize| period.get(n).map(String::as_str).unwrap_or_default();
            let first = lenient_json::date(field(0))?;
            let last = lenient_json::date(field(1)).unwrap_or(first);
            let (open, closed) = (weekdays(field(6)), weekdays(field(7)));
            let pairs = [(2, 3), (4, 5)]
                .map(|(from, to)| Hours::new(lenient_json::time(field(from)), lenient_json::time(field(to))));
            sessions.extend(sessions_of(first, last, &pairs, days, |day| {
                (open.is_empty() || open.contains(&day)) && !closed.contains(&day)
            }));
        }
        if sessions.is_empty() && fields("PeriodeOuverture").is_empty() {
            return None;
        }
        let address = fields("AdresseComplete").into_iter().next().unwrap_or_default();
        let contact = |words: &[&str]| {
            let found = fields("MoyenDeCom").into_iter().find(|way| is_kind(&way[0], words))?;
            found.get(1).filter(|value| !value.is_empty()).cloned()
        };
        let photo = fields("Photos").into_iter().find(|photo| !photo[0].is_empty());
        let picture = photo.and_then(|photo| {
            Some(Picture { url: web_address(&photo[0], base)?, alt: photo.get(1).cloned().unwrap_or_default() })
        });
        let prices: Vec<String> = fields("Tarifs").iter().filter_map(|fields| price(fields)).collect();
        Some(Listing {
            id: format!("tourinsoft:{}", raw(at(record, "SyndicObjectID")?)?),
            title,
            description: prose(at(record, "DescriptionCommerciale")).map(|text| summary(&text)).unwrap_or_default(),
            sessions: collapsed(sessions),
            venue: address.first().filter(|line| !line.is_empty()).cloned(),
            commune: address.get(4).filter(|name| !name.is_empty()).map(|name| french::commune(name)),
            price: (!prices.is_empty()).then(|| prices.join(", ")),
            phone: contact(&["téléphone", "tél"]).map(|number| lenient_json::phone(&number)),
            url: contact(&["site web", "url"]).and_then(|link| web_address(&link, base)),
            image: picture,
            status,
            categories: ["Classification", "Classification2", "Classification3"]
                .iter()
                .filter_map(|key| line(at(record, key)))
                .collect(),
            source: NAME.to_owned(),
        })
    };
    Read::of(at(record, "SyndicObjectName"), read())
}

/// Several times a day, on the days that are open.
fn sessions_of(
    first: NaiveDate,
    last: NaiveDate,
    pairs: &[Hours],
    days: &RangeInclusive<NaiveDate>,
    is_open: impl Fn(Weekday) -> bool,
) -> Vec<Session> {
    let mut given: Vec<Hours> = pairs.iter().copied().filter(|hours| *hours != Hours::default()).collect();
    if given.is_empty() {
        given.push(Hours::default());
    }
    let open = unrolled(first, last, days).filter(|day| is_open(chrono::Datelike::weekday(day)));
    open.flat_map(|day| given.iter().map(move |hours| hours.on(day)).collect::<Vec<_>>()).collect()
}

/// `Lundi$Mardi`
fn weekdays(text: &str) -> Vec<Weekday> {
    let all = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    let named =
        |name: &str| WEEKDAYS.iter().position(|known| name.trim().to_lowercase().starts_with(known)).map(|n| all[n]);
    text.split(['$', ',', ';']).filter_map(named).collect()
}

fn is_kind(kind: &str, words: &[&str]) -> bool {
    let kind = kind.to_lowercase();
    words.iter().any(|word| kind.starts_with(word))
}

/// `libellé|précision|min|max`
fn price(fields: &[String]) -> Option<String> {
    let field = |n: usize| fields.get(n).map(String::as_str).unwrap_or_default();
    let amount = |n: usize| field(n).replace(',', ".").parse::<f64>().ok().filter(|amount| amount.is_finite());
    let range = match (amount(2), amount(3)) {
        (Some(least), Some(most)) => Some(french::price_range(least, most.max(least))),
        (one, other) => one.or(other).map(|amount| french::price_range(amount, amount)),
    };
    let detail = Some(field(1)).filter(|text| !text.is_empty()).map(|text| format!(" ({text})")).unwrap_or_default();
    match (field(0), range) {
        ("", range) => range,
        (label, Some(range)) => Some(format!("{label}{detail}\u{a0}: {range}")),
        (label, None) => Some(format!("{label}{detail}")),
    }
}

/// Version 3: the whole feed at once.
pub async fn listings_v3(
    url: &Url,
    key_file: Option<&Path>,
    fields: &Fields,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
) -> Result<Harvest<Listing>, CollectError> {
    let (mut whole, key) = address(url, key_file).await?;
    whole.query_pairs_mut().append_pair("format", "json");
    let page = page(&whole, key.as_ref(), fetcher).await?;
    let value: Value = json(&page).map_err(|source| CollectError::unreadable(url, source))?;
    let records = value.get("value").and_then(Value::as_array);
    let mut tray = Tray::default();
    for record in records.ok_or_else(|| CollectError::unreadable(url, Missed::NotRecords))? {
        tray.put(mapped(record, fields, days, url));
    }
    tray.within(url, days)
}

fn mapped(record: &Value, fields: &Fields, days: &RangeInclusive<NaiveDate>, base: &Url) -> Read {
    let read = || {
        let text = |path: &str| line(walk(record, path));
        let (title, status) = title_and_status(&text(&fields.title)?);
        let mut sessions = Vec::new();
        for period in each(walk(record, &fields.dates)) {
            let day = |key: &str| lenient_json::date(&raw(walk(period, key)?)?);
            let first = day(&fields.start)?;
            let last = day(&fields.end).unwrap_or(first);
            let closed: Vec<Weekday> = each(walk(period, &fields.closed_on))
                .filter_map(|day| raw(day).or_else(|| raw(at(day, "ThesLibelle")?)))
                .flat_map(|text| weekdays(&text))
                .collect();
            sessions.extend(mapped_sessions(period, fields, (first, last), &closed, days));
        }
        each(walk(record, &fields.dates)).next()?;
        let contact = |words: &[&str]| {
            let is_of =
                |way: &&Value| walk(way, &fields.contact_kind).and_then(raw).is_some_and(|kind| is_kind(&kind, words));
            raw(walk(each(walk(record, &fields.contacts)).find(is_of)?, &fields.contact_value)?)
        };
        let named = |value: &Value| line(at(value, "ThesLibelle").or(Some(value)));
        Some(Listing {
            id: format!("tourinsoft:{}", raw(at(record, "SyndicObjectID")?)?),
            title,
            description: prose(walk(record, &fields.description)).map(|text| summary(&text)).unwrap_or_default(),
            sessions: collapsed(sessions),
            venue: text(&fields.venue),
            commune: text(&fields.commune).map(|name| french::commune(&name)),
            price: text(&fields.price).map(|text| paragraphs_of(&text)),
            phone: contact(&["téléphone", "tél"]).map(|number| lenient_json::phone(&number)),
            url: contact(&["site web", "url"]).and_then(|link| web_address(&link, base)),
            image: walk(record, &fields.image).and_then(raw).and_then(|text| picture(&text, base)),
            status,
            categories: each(walk(record, &fields.categories)).filter_map(named).collect(),
            source: NAME.to_owned(),
        })
    };
    Read::of(walk(record, &fields.title), read())
}

/// A link, or HTML that holds an image.
fn picture(text: &str, base: &Url) -> Option<Picture> {
    match text.contains('<') {
        true => super::html_to_text::first_image(text, base),
        false => Some(Picture { url: web_address(text, base)?, alt: String::new() }),
    }
}

/// Hours of all days, or of each weekday where the names of the fields hold `{day}`: then a day without any is closed.
fn mapped_sessions(
    period: &Value,
    fields: &Fields,
    (first, last): (NaiveDate, NaiveDate),
    closed: &[Weekday],
    days: &RangeInclusive<NaiveDate>,
) -> Vec<Session> {
    let by_weekday = fields.opens.iter().any(|name| name.contains("{day}"));
    let hours = |weekday: Weekday| {
        let name = |pattern: &str| pattern.replace("{day}", WEEKDAYS[weekday.num_days_from_monday() as usize]);
        let time = |pattern: &String| lenient_json::time(&raw(walk(period, &name(pattern))?)?);
        let closes = fields.closes.iter().map(Some).chain(std::iter::repeat(None));
        let pairs = fields.opens.iter().zip(closes).map(|(open, close)| Hours::new(time(open), close.and_then(time)));
        pairs.filter(|hours| *hours != Hours::default()).collect::<Vec<_>>()
    };
    let week: Vec<Vec<Hours>> = (0..7u8).filter_map(|n| Weekday::try_from(n).ok()).map(hours).collect();
    let no_hours = week.iter().all(Vec::is_empty);
    let of = |day: NaiveDate| &week[chrono::Datelike::weekday(&day).num_days_from_monday() as usize];
    let is_open = |day: &NaiveDate| {
        !closed.contains(&chrono::Datelike::weekday(day)) && (!by_weekday || no_hours || !of(*day).is_empty())
    };
    let on = |day: NaiveDate| match of(day).as_slice() {
        [] => vec![Hours::default().on(day)],
        pairs => pairs.iter().map(|hours| hours.on(day)).collect(),
    };
    unrolled(first, last, days).filter(is_open).flat_map(on).collect()
}
