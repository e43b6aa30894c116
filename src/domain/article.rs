//! The article as a source returns it, before parsing.

use super::{characters, link};
use chrono::{DateTime, Utc};

/// One published text, as on the site. `html` is not parsed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Plain text: the site's HTML entities are decoded.
    pub title: String,
    /// Its page; relative links in `html` are relative to this.
    pub url: Option<String>,
    /// Determines the year of days written without one.
    pub published: DateTime<Utc>,
    /// Later than `published` if the article was corrected since.
    pub modified: Option<DateTime<Utc>>,
    /// The raw HTML of the site: to be parsed, never to be sent.
    pub html: String,
}

impl Article {
    /// Nothing in its title that no mail can hold, and no address but that of a page.
    pub fn clean(&mut self) {
        characters::clean_up(&mut self.title);
        self.url.take_if(|url| !link::is_web(url));
    }
}
