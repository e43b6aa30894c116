//! The article: what a source hands to the reader of agendas, before anything of it is understood.

use super::{characters, link};
use chrono::{DateTime, Utc};

/// One published text, as the site has it. Nothing is read out of `html` here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Plain text: the site's HTML entities are decoded.
    pub title: String,
    /// Where a person reads it; relative links in `html` are relative to this.
    pub url: Option<String>,
    /// Fixes the year of a day written without one.
    pub published: DateTime<Utc>,
    /// Later than `published` where somebody corrected the article since.
    pub modified: Option<DateTime<Utc>>,
    /// The text itself, markup of the site included: to be read, never to be sent on as it is.
    pub html: String,
}

impl Article {
    /// Nothing in its title that no mail can hold, and no address but that of a page.
    pub fn clean(&mut self) {
        characters::clean_up(&mut self.title);
        self.url.take_if(|url| !link::is_web(url));
    }
}
