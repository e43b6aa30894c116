//! An event as a structured source gives it: an iCalendar file, OpenAgenda, DATAtourisme, …
//!
//! Nothing is guessed here: hours are hours because the source said so. How listings join an agenda that was read from an
//! article is for the agenda to say.

use super::{agenda::Status, characters, link, news::Picture};
use chrono::{NaiveDate, NaiveTime};
use std::ops::RangeInclusive;

/// One event with the times it takes place within the days that were asked for. Texts are plain: no markup is left.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Listing {
    /// The same each time the source is read.
    pub id: String,
    pub title: String,
    /// A few sentences, or empty.
    pub description: String,
    /// In the mailing's zone, in order of time; never empty in what a source returns.
    pub sessions: Vec<Session>,
    /// The name of the place: « Salle des Cordeliers ».
    pub venue: Option<String>,
    pub commune: Option<String>,
    /// As the source words it: « 5 €, gratuit pour les moins de 12 ans ».
    pub price: Option<String>,
    pub phone: Option<String>,
    pub url: Option<String>,
    pub image: Option<Picture>,
    pub status: Status,
    pub categories: Vec<String>,
    /// The source it came from, in words for people.
    pub source: String,
}

impl Listing {
    /// Nothing in its texts that no mail can hold, and no link but to a page.
    pub fn clean(&mut self) {
        self.url.take_if(|url| !link::is_web(url.trim()));
        let Self { title, description, venue, commune, price, phone, url, image, categories, source, .. } = self;
        let one = [title, description, source].into_iter();
        let maybe = [venue, commune, price, phone, url].into_iter().flatten();
        let image = image.iter_mut().flat_map(|image| [&mut image.url, &mut image.alt]);
        one.chain(maybe).chain(image).chain(categories).for_each(characters::clean_up);
    }
}

/// One time the event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Session {
    pub day: NaiveDate,
    /// `None`: all day long, or the source gives no hour.
    pub start: Option<NaiveTime>,
    pub end: Option<NaiveTime>,
    /// Where it lasts beyond its first day; the last day is included.
    pub end_day: Option<NaiveDate>,
}

impl Session {
    /// The last day a visitor would call one of its days: an end after midnight belongs to the evening before.
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
