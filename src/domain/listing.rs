//! An event from a structured source: an iCalendar file, OpenAgenda, DATAtourisme, …
//!
//! Nothing is guessed here: the source gave the hours. [`super::merge`] merges listings into the agenda of an article.

use super::{agenda::Status, characters, link, news::Picture};
use chrono::{NaiveDate, NaiveTime};
use std::ops::RangeInclusive;

/// One event with its sessions within the requested days. Texts are plain, without markup.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Listing {
    /// Stable across readings of the source.
    pub id: String,
    pub title: String,
    /// A few sentences, or empty.
    pub description: String,
    /// In the mailing's zone, in order; a source never returns an empty list.
    pub sessions: Vec<Session>,
    /// The name of the place: « Salle des Cordeliers ».
    pub venue: Option<String>,
    pub commune: Option<String>,
    /// As written in the source: « 5 €, gratuit pour les moins de 12 ans ».
    pub price: Option<String>,
    pub phone: Option<String>,
    pub url: Option<String>,
    pub image: Option<Picture>,
    pub status: Status,
    pub categories: Vec<String>,
    /// A readable name of its source.
    pub source: String,
}

impl Listing {
    /// Removes characters that are invalid in mails from its texts, and links that are not http(s).
    pub fn clean(&mut self) {
        self.url.take_if(|url| !link::is_web(url.trim()));
        let Self { title, description, venue, commune, price, phone, url, image, categories, source, .. } = self;
        let one = [title, description, source].into_iter();
        let maybe = [venue, commune, price, phone, url].into_iter().flatten();
        let image = image.iter_mut().flat_map(|image| [&mut image.url, &mut image.alt]);
        one.chain(maybe).chain(image).chain(categories).for_each(characters::clean_up);
    }
}

/// One session of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Session {
    pub day: NaiveDate,
    /// `None`: all day, or the source gives no hour.
    pub start: Option<NaiveTime>,
    pub end: Option<NaiveTime>,
    /// If it lasts beyond its first day; the last day is included.
    pub end_day: Option<NaiveDate>,
}

impl Session {
    /// The last day from a visitor's point of view: an end after midnight belongs to the evening before.
    pub fn last_day(&self) -> NaiveDate {
        let next = self.day.succ_opt();
        match (self.end_day, self.start, self.end) {
            (Some(last), Some(start), Some(end)) if end <= start && next == Some(last) => self.day,
            (Some(last), ..) => last.max(self.day),
            (None, ..) => self.day,
        }
    }

    /// Whether it takes place on one of these days.
    pub fn touches(&self, days: &RangeInclusive<NaiveDate>) -> bool {
        self.day <= *days.end() && self.last_day() >= *days.start()
    }
}
