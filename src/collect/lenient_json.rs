//! Shared by the tourism databases: lenient reading of JSON values, times and keys, and records that cannot be
//! read.
//!
//! A malformed event does not affect the others, and is never skipped silently: [`Tray`] keeps its title. A key is read
//! when it is used and never shown.

use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveTime};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::collect_error::{CollectError, KeyFault, Missed};
use super::dates::{self, Numbers};
use super::html_to_text::{one_line, paragraphs_of, tidy};
use super::remarks::{Harvest, Remark, Remarks};
use super::sessions::within;
use super::title::plain_title;
use crate::domain::listing::Listing;

/// No feed of a week has more pages; one that has never ends.
pub const MOST_PAGES: usize = 100;

/// A member of an object, whether its key has a prefix or not: `label`, `rdfs:label`. Of a list, of its first object.
pub fn at<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members
            .get(key)
            .or_else(|| members.iter().find(|(name, _)| name.rsplit(':').next() == Some(key)).map(|(_, v)| v)),
        Value::Array(values) => values.iter().find_map(|value| at(value, key)),
        _ => None,
    }
    .filter(|value| !value.is_null())
}

/// [`at`], key after key: `localisation.adresse.commune`.
pub fn walk<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, at)
}

/// The one, or each of the list.
pub fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Some(Value::Array(values)) => (values.as_slice(), None),
        other => (&[][..], other),
    };
    list.iter().chain(one)
}

/// The French text of a value: a text, a number, the first of a list, `{"@fr"}`, `{"fr": […]}`, `{"libelleFr"}`. Never
/// another language: those are machine translations.
pub fn raw(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => values.iter().find_map(raw),
        Value::Object(members) => {
            ["@fr", "fr", "libelleFr", "@value"].iter().find_map(|language| raw(members.get(*language)?))
        }
        Value::Bool(_) | Value::Null => None,
    }
}

/// One line of plain words.
pub fn line(value: Option<&Value>) -> Option<String> {
    Some(one_line(&plain_title(&raw(value?)?))).filter(|text| !text.is_empty())
}

/// Plain paragraphs, of HTML or of text with any ends of lines.
pub fn prose(value: Option<&Value>) -> Option<String> {
    let text = raw(value?)?;
    let text = if text.contains('<') { paragraphs_of(&text) } else { tidy(&text.replace("\r\n", "\n")) };
    Some(text).filter(|text| !text.is_empty())
}

/// `21:00`, `21:00:00`, `21h30`, or the hour within a date.
pub fn time(text: &str) -> Option<NaiveTime> {
    dates::time(text)
}

/// `2027-07-13`, `2027-07-13T00:00:00`, `13/07/2027`: these data bases are French.
pub fn date(text: &str) -> Option<NaiveDate> {
    dates::read(text, Numbers::DayFirst).map(|read| read.day)
}

/// `05 62 00 00 00` of `0562000000`, `+33 5 62 00 00 00`, `05.62.00.00.00`; any other number as written.
pub fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let national = digits.strip_prefix("+33").or_else(|| digits.strip_prefix("0033"));
    let number = national.map_or(digits.clone(), |rest| format!("0{}", rest.strip_prefix('0').unwrap_or(rest)));
    if number.len() != 10 || !number.starts_with('0') {
        return one_line(text);
    }
    (0..5).map(|pair| &number[2 * pair..2 * pair + 2]).collect::<Vec<_>>().join(" ")
}

/// Whether a text is an instant: a wall clock's hour has no offset.
pub fn moment(text: &str) -> Option<DateTime<chrono::Utc>> {
    dates::instant(text)
}

/// The key in this file, read now.
///
/// # Errors
/// When the file cannot be read, is empty, or is not one line of ASCII.
pub async fn key(path: &Path) -> Result<SecretString, CollectError> {
    let fault = |why| CollectError::Key { path: path.to_owned(), why };
    let text = tokio::fs::read_to_string(path).await.map_err(|why| fault(KeyFault::Unreadable(why)))?;
    match text.trim() {
        "" => Err(fault(KeyFault::Empty)),
        key if key.chars().all(|c| c.is_ascii_graphic()) => Ok(key.to_owned().into()),
        _ => Err(fault(KeyFault::NotAKey)),
    }
}

/// The events of a source as they are read: those that could be, and the remarks on the others.
#[derive(Default)]
pub struct Tray {
    listings: Vec<Listing>,
    pub remarks: Remarks,
}

impl Tray {
    pub fn put(&mut self, read: Read) {
        match read {
            Read::Event(listing) => self.listings.push(*listing),
            Read::NotForUs => {}
            Read::LeftOut(title, why) => self.remarks.add(&title, why),
        }
    }

    /// Those of `days`.
    ///
    /// # Errors
    /// When nothing at all could be read, though there was something.
    pub fn within(mut self, url: &Url, days: &RangeInclusive<NaiveDate>) -> Result<Harvest<Listing>, CollectError> {
        match self.listings.is_empty() && self.remarks.gone() > 0 {
            true => Err(CollectError::unreadable(url, Missed::NothingReadable(self.remarks))),
            false => {
                let items = within(self.listings, days, &mut self.remarks);
                Ok(Harvest::new(items, self.remarks))
            }
        }
    }
}

/// What became of one event of a feed.
pub enum Read {
    Event(Box<Listing>),
    /// Deleted, or not published.
    NotForUs,
    /// Its title, as far as it has one, and why.
    LeftOut(String, Remark),
}

impl Read {
    /// `title`: the member that holds it. What has a title and cannot be read has no date that can be understood.
    pub fn of(title: Option<&Value>, listing: Option<Listing>) -> Self {
        match (listing, line(title)) {
            (Some(listing), _) => Self::Event(Box::new(listing)),
            (None, Some(title)) => Self::LeftOut(title, Remark::BadDate),
            (None, None) => match title.and_then(in_any_language) {
                Some(title) => Self::LeftOut(title, Remark::NoFrenchTitle),
                None => Self::LeftOut(String::new(), Remark::NoTitle),
            },
        }
    }
}

/// Some words of a value, to name a thing by.
fn in_any_language(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) => {
            members.values().find_map(|value| line(Some(value)).or_else(|| in_any_language(value)))
        }
        Value::Array(values) => values.iter().find_map(in_any_language),
        other => line(Some(other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_read_in_each_json_shape() {
        for value in [json!("été"), json!(["été"]), json!({"@fr": "été"}), json!({"fr": ["été"], "en": ["summer"]})]
        {
            assert_eq!(line(Some(&value)).as_deref(), Some("été"), "{value}");
        }
        for value in [json!(null), json!([]), json!({"en": "summer"}), json!(""), json!(true)] {
            assert_eq!(line(Some(&value)), None, "{value}");
        }
        assert_eq!(line(at(&json!([{"rdfs:label": "été"}]), "label")).as_deref(), Some("été"));
        assert_eq!(prose(Some(&json!("Un.\r\nDeux.\r\n\r\n<b>Trois</b>"))).as_deref(), Some("Un. Deux. Trois"));
    }

    #[test]
    fn dates_hours_and_phones_are_parsed_in_common_notations() {
        assert_eq!(date("13/07/2027"), date("2027-07-13T00:00:00"));
        assert_eq!((date("demain"), date("é3/07/20277"), date("03/07/2027")), (None, None, date("2027-07-03")));
        assert_eq!((time("21:00:00"), time("1899-12-30T21:00:00")), (time("21:00"), time("21:00")));
        for text in ["0562000000", "+33 5 62 00 00 00", "+33 (0)5 62 00 00 00", "05.62.00.00.00"] {
            assert_eq!(phone(text), "05 62 00 00 00", "{text}");
        }
        assert_eq!(phone("3631"), "3631");
    }
}
