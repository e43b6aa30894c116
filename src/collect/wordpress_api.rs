//! The REST API of WordPress: its URLs, and its JSON, which is read completely or not at all.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, error::Category};
use url::Url;

use super::collect_error::Missed;
use super::dates;
use super::fetch::Page;

/// The site's own address, ending with a slash: a blog may live in a folder.
#[derive(Debug, Clone)]
pub struct Site(Url);

/// How the API is asked: by its own path, or by a parameter on a site without pretty permalinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Path,
    RestRoute,
}

impl Site {
    pub fn new(url: &Url) -> Self {
        let mut site = url.clone();
        site.set_query(None);
        site.set_fragment(None);
        // Otherwise `join` would put the API beside a blog that lives in a folder, not inside.
        if !site.path().ends_with('/') {
            site.set_path(&format!("{}/", site.path()));
        }
        Self(site)
    }

    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path()));
        url
    }

    /// The address of a resource of the API such as `wp/v2/posts`.
    pub fn api(&self, door: Door, resource: &str, query: &[(&str, &str)]) -> Url {
        let mut url = match door {
            Door::Path => self.at(&format!("wp-json/{resource}")),
            Door::RestRoute => self.at(""),
        };
        let mut pairs = url.query_pairs_mut();
        if door == Door::RestRoute {
            pairs.append_pair("rest_route", &format!("/{resource}"));
        }
        pairs.extend_pairs(query);
        drop(pairs);
        url
    }
}

/// What the API answered, whole: the entry that is missing may be the one we want.
pub fn json<T: DeserializeOwned>(page: &Page) -> Result<T, Missed> {
    if page.text.trim_start().starts_with('<') {
        return Err(Missed::NotJson);
    }
    serde_json::from_str(&page.text).map_err(|error| match error.classify() {
        Category::Eof => Missed::CutJson,
        _ => Missed::BadJson(error),
    })
}

/// Each record of a list that the API answered, read by itself: one that is odd costs the others nothing.
pub fn records<T: DeserializeOwned>(page: &Page) -> Result<Vec<Result<T, Value>>, Missed> {
    // What was odd keeps what it held, so that it can be named.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Record<T> {
        Sound(T),
        Odd(Value),
    }
    let records: Vec<Record<T>> = json(page)?;
    let result = |record| match record {
        Record::Sound(sound) => Ok(sound),
        Record::Odd(odd) => Err(odd),
    };
    Ok(records.into_iter().map(result).collect())
}

/// The instant of a post, by its date in UTC; if that is invalid, by its local date, in the office's time zone.
pub fn published(gmt: Option<&str>, local: Option<&str>) -> Option<DateTime<Utc>> {
    // An import of WordPress leaves `-0001-11-30T00:00:00` or `0000-00-00…`.
    let sound = |date: &DateTime<Utc>| date.timestamp() >= 0;
    gmt.and_then(utc).filter(sound).or_else(|| local.and_then(dates::instant).filter(sound))
}

/// `2027-07-09T15:12:08`, which the API writes without the Z it means; `0000-00-00…` is a draft's.
pub fn utc(text: &str) -> Option<DateTime<Utc>> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(date) => Some(date.to_utc()),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok().map(|date| date.and_utc()),
    }
}
