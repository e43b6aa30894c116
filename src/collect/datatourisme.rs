//! DATAtourisme: its API v1, and the objects of the older flux: a folder, a JSON-LD file, or their archive.
//!
//! The two use one vocabulary in two notations; [`lenient_json`] reads both. Only French texts are read: the others are machine
//! translations.

use std::collections::HashSet;
use std::io::{self, Read as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::charset;
use super::collect_error::{CollectError, Missed};
use super::fetch::Fetcher;
use super::html_to_text::{summary, web_address};
use super::lenient_json::{self, MOST_PAGES, Read, Tray, at, each, line, prose, raw, walk};
use super::periods::{Hours, collapsed, unrolled};
use super::remarks::{Harvest, Remark};
use super::sessions::title_and_status;
use super::title::folded;
use super::wordpress_api::json;
use crate::domain::{french, listing::Listing, news::Picture};

const NAME: &str = "DATAtourisme";
/// Objects of one folder or archive.
const MOST_FILES: usize = 100_000;
/// All files of an archive together, unpacked.
const MOST_UNPACKED: u64 = 2 << 30;

#[derive(Deserialize)]
struct Answer {
    objects: Vec<Value>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    next: Option<String>,
}

/// `filters` beside the days, as the API writes them.
pub async fn listings(
    api: &Url,
    filters: &str,
    key_file: &Path,
    fetcher: &Fetcher,
    days: &RangeInclusive<NaiveDate>,
) -> Result<Harvest<Listing>, CollectError> {
    let key = lenient_json::key(key_file).await?;
    let mut url = api.clone();
    url.set_path("/v1/entertainmentAndEvent");
    let (from, to) = (days.start(), days.end());
    let week = format!("takesPlaceAt.endDate[gte]={from} and takesPlaceAt.startDate[lte]={to} and {filters}");
    url.query_pairs_mut().append_pair("page_size", "250").append_pair("lang", "fr").append_pair("filters", &week);
    let mut tray = Tray::default();
    for _ in 0..MOST_PAGES {
        let page = fetcher.page_with_key(&url, Some(("x-api-key", &key))).await?;
        let answer: Answer =
            json(&page).map_err(|source| CollectError::unreadable(&page.url, source.without_text()))?;
        for object in &answer.objects {
            tray.put(listing(object, days, api));
        }
        let Some(next) = answer.meta.next.filter(|next| !next.is_empty()) else {
            return tray.within(&url, days).map(each_once);
        };
        let next = following(&url, &next).ok_or_else(|| CollectError::unreadable(api, Missed::NoLastPage))?;
        if next == url {
            break;
        }
        url = next;
    }
    Err(CollectError::unreadable(api, Missed::NoLastPage))
}

/// The next page, on the same site and without the key that the answer can carry.
fn following(url: &Url, next: &str) -> Option<Url> {
    let next = url.join(next).ok().filter(|next| next.origin() == url.origin())?;
    let kept: Vec<_> = next.query_pairs().into_owned().filter(|(name, _)| name != "api_key").collect();
    let mut clean = next.clone();
    clean.query_pairs_mut().clear().extend_pairs(kept);
    Some(clean)
}

/// The objects of a flux: the archive as it is handed out, or unpacked, a file or all files `.json` below a folder.
pub async fn of_flux(
    path: &Path,
    limit: usize,
    days: &RangeInclusive<NaiveDate>,
) -> Result<Harvest<Listing>, CollectError> {
    let base =
        Url::parse("https://data.datatourisme.fr/").map_err(|_| CollectError::NoText { place: NAME.to_owned() })?;
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
        let (path, days) = (path.to_owned(), days.clone());
        let of = path.clone();
        let unpacked = tokio::task::spawn_blocking(move || of_archive(&path, limit, &days, &base)).await;
        return unpacked.map_err(|why| CollectError::File { path: of, source: io::Error::other(why) })?;
    }
    let mut tray = Tray::default();
    for file in files(path).await? {
        let unreadable = |source| CollectError::File { path: file.clone(), source };
        if tokio::fs::metadata(&file).await.map_err(unreadable)?.len() > limit as u64 {
            return Err(CollectError::FileTooLarge { path: file.clone(), limit });
        }
        let bytes = tokio::fs::read(&file).await.map_err(unreadable)?;
        put_file(&mut tray, &file.to_string_lossy(), &bytes, days, &base);
    }
    tray.within(&base, days).map(each_once)
}

/// File by file: an archive of a whole region is never in memory at once, and what it says of its sizes is not believed.
fn of_archive(
    path: &Path,
    limit: usize,
    days: &RangeInclusive<NaiveDate>,
    base: &Url,
) -> Result<Harvest<Listing>, CollectError> {
    let unreadable = |source| CollectError::File { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut archive = zip::ZipArchive::new(file).map_err(|why| unreadable(io::Error::other(why)))?;
    if archive.len() > MOST_FILES {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "too many files")));
    }
    let (mut tray, mut left) = (Tray::default(), MOST_UNPACKED);
    for n in 0..archive.len() {
        let entry = archive.by_index(n).map_err(|why| unreadable(io::Error::other(why)))?;
        let Ok(name) = entry.name().map(|name| name.to_string()) else { continue };
        if !entry.is_file() || !is_of_flux(&name) {
            continue;
        }
        let most = left.min(limit as u64);
        let mut bytes = Vec::new();
        entry.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        left = left
            .checked_sub(bytes.len() as u64)
            .filter(|_| bytes.len() as u64 <= most)
            .ok_or_else(|| CollectError::FileTooLarge { path: path.to_owned(), limit })?;
        put_file(&mut tray, &name, &bytes, days, base);
    }
    tray.within(base, days).map(each_once)
}

/// Not what a Mac puts beside each file of an archive, nor the list of all.
fn is_of_flux(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.ends_with(".json") && !name.starts_with("__MACOSX") && !file.starts_with("._") && file != "index.json"
}

/// A file that cannot be read is reported by its name, and does not affect the others.
fn put_file(tray: &mut Tray, name: &str, bytes: &[u8], days: &RangeInclusive<NaiveDate>, base: &Url) {
    let read = charset::decode(bytes, Some("utf-8")).ok().and_then(|text| serde_json::from_str(&text).ok());
    match read {
        Some(value) => put_objects(tray, &value, days, base),
        None => tray.remarks.add(name.rsplit('/').next().unwrap_or(name), Remark::Unreadable),
    }
}

/// The index of a flux is a list of names and files, no object.
fn put_objects(tray: &mut Tray, value: &Value, days: &RangeInclusive<NaiveDate>, base: &Url) {
    let objects = at(value, "@graph").or(Some(value));
    for object in each(objects).filter(|object| at(object, "takesPlaceAt").is_some()) {
        tray.put(listing(object, days, base));
    }
}

async fn files(path: &Path) -> Result<Vec<PathBuf>, CollectError> {
    let unreadable = |source| CollectError::File { path: path.to_owned(), source };
    if !tokio::fs::metadata(path).await.map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut folders, mut files) = (vec![path.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        let mut entries = tokio::fs::read_dir(&folder).await.map_err(unreadable)?;
        while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
            // The kind of the entry itself, so that a link cannot lead in circles.
            let kind = entry.file_type().await.map_err(unreadable)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && is_of_flux(&entry.path().to_string_lossy()) {
                files.push(entry.path());
            }
        }
        if files.len() > MOST_FILES {
            return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "too many files")));
        }
    }
    files.sort();
    Ok(files)
}

fn listing(object: &Value, days: &RangeInclusive<NaiveDate>, base: &Url) -> Read {
    if at(object, "isObsolete").is_some_and(is_true) {
        return Read::NotForUs;
    }
    let read = || {
        let (title, status) = title_and_status(&line(at(object, "label"))?);
        let (mut sessions, mut readable) = (Vec::new(), false);
        for period in each(at(object, "takesPlaceAt")) {
            let day = |key| lenient_json::date(&raw(at(period, key)?)?);
            let hour = |key| lenient_json::time(&raw(at(period, key)?)?);
            // A period without a beginning is skipped.
            let Some(first) = day("startDate").or_else(|| day("endDate")) else { continue };
            let last = day("endDate").unwrap_or(first);
            let (first, last) = (first.min(last), first.max(last));
            let hours = Hours::new(hour("startTime"), hour("endTime"));
            let open = weekdays(at(period, "appliesOnDay"));
            let days = unrolled(first, last, days).filter(|day| open.is_empty() || open.contains(&day.weekday()));
            sessions.extend(days.map(|day| hours.on(day)));
            readable = true;
        }
        readable.then_some(())?;
        let address = walk(object, "isLocatedAt.address");
        let city = address.and_then(|address| line(walk(address, "hasAddressCity.label")));
        let city = city.or_else(|| line(at(address?, "addressLocality")));
        let text = walk(object, "hasDescription.shortDescription").or_else(|| at(object, "comment"));
        let text = text.or_else(|| walk(object, "hasDescription.description"));
        let link = walk(object, "hasBookingContact.homepage").or_else(|| walk(object, "hasContact.homepage"));
        let image = walk(object, "hasMainRepresentation.hasRelatedResource.locator");
        let id = at(object, "identifier").or_else(|| at(object, "uuid")).or_else(|| at(object, "@id"));
        Some(Listing {
            id: format!("datatourisme:{}", raw(id?)?),
            title,
            description: prose(text).map(|text| summary(&text)).unwrap_or_default(),
            sessions: collapsed(sessions),
            venue: address.and_then(|address| venue(at(address, "streetAddress"))),
            commune: city.map(|name| french::commune(&name)),
            price: price(at(object, "offers")),
            phone: walk(object, "hasContact.telephone").and_then(raw).map(|number| lenient_json::phone(&number)),
            url: link.and_then(raw).and_then(|link| web_address(&link, base)),
            image: image
                .and_then(raw)
                .and_then(|link| web_address(&link, base))
                .map(|url| Picture { url, alt: String::new() }),
            status,
            categories: each(at(object, "hasTheme")).filter_map(|theme| line(at(theme, "label"))).collect(),
            source: NAME.to_owned(),
        })
    };
    Read::of(at(object, "label"), read())
}

/// The days of the week a period means; none where it says none.
fn weekdays(value: Option<&Value>) -> Vec<Weekday> {
    let named = |day: &Value| {
        let name = at(day, "@id").and_then(raw).or_else(|| raw(day)).or_else(|| line(at(day, "label")))?;
        let name = name.rsplit([':', '#', '/']).next()?.to_lowercase();
        let known = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let french = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
        let at = known.iter().zip(french).position(|(english, french)| name == *english || name == french)?;
        Weekday::try_from(u8::try_from(at).ok()?).ok()
    };
    each(value).filter_map(named).collect()
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(is_true),
        other => other.as_bool() == Some(true) || other.as_str() == Some("true"),
    }
}

/// The first line of an address, where it names no street and has no number.
fn venue(street: Option<&Value>) -> Option<String> {
    const STREETS: [&str; 14] = [
        "rue",
        "avenue",
        "av",
        "boulevard",
        "bd",
        "place",
        "chemin",
        "route",
        "impasse",
        "allée",
        "allées",
        "quai",
        "lieu-dit",
        "cours",
    ];
    let first = line(street)?;
    let is_street = first.split_whitespace().next().is_some_and(|word| {
        let word = word.trim_end_matches(['.', ',']).to_lowercase();
        STREETS.contains(&word.as_str()) || word.starts_with(|c: char| c.is_ascii_digit())
    });
    (!is_street).then_some(first)
}

/// In the source's own words, else from the least to the most: the two lists of amounts are not paired.
fn price(offers: Option<&Value>) -> Option<String> {
    if let Some(text) = each(offers).find_map(|offer| line(at(offer, "textPriceSpecification"))) {
        return Some(text);
    }
    let mut amounts: Vec<f64> = Vec::new();
    for specification in each(offers).flat_map(|offer| each(at(offer, "priceSpecification"))) {
        for key in ["minPrice", "maxPrice", "price"] {
            amounts.extend(each(at(specification, key)).filter_map(|amount| raw(amount)?.parse::<f64>().ok()));
        }
    }
    amounts.retain(|amount| amount.is_finite() && *amount >= 0.0);
    let least = amounts.iter().copied().min_by(f64::total_cmp)?;
    let most = amounts.iter().copied().max_by(f64::total_cmp)?;
    Some(french::price_range(least, most))
}

/// Two offices can announce one event: the same words in the same commune at the same times.
fn each_once(mut harvest: Harvest<Listing>) -> Harvest<Listing> {
    let mut seen = HashSet::new();
    harvest
        .items
        .retain(|listing| seen.insert((listing.sessions.clone(), listing.commune.clone(), folded(&listing.title))));
    harvest
}
