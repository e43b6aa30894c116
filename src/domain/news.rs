//! A news item for a newsletter, as collected.

use super::{Timestamp, characters, link};

/// One news item from any kind of source. Texts are plain, without markup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewsItem {
    /// Stable across readings of the source: a feed's guid, a post's id, a file's name, else the URL.
    pub id: String,
    pub title: String,
    pub url: Option<String>,
    pub published: Timestamp,
    pub modified: Option<Timestamp>,
    /// A few sentences, paragraphs separated by an empty line. Empty if the source gives none.
    pub summary: String,
    pub image: Option<Picture>,
    /// As named by the source: « Agenda », « Patrimoine ».
    pub categories: Vec<String>,
    /// Where it takes place, if the source says so.
    pub commune: Option<String>,
    /// A readable name of its source: a site's name, else its host.
    pub source: String,
}

impl NewsItem {
    /// Removes characters that are invalid in mails from its texts, and links that are not http(s).
    pub fn clean(&mut self) {
        self.url.take_if(|url| !link::is_web(url.trim()));
        let Self { title, url, summary, image, categories, commune, source, .. } = self;
        let image = image.iter_mut().flat_map(|image| [&mut image.url, &mut image.alt]);
        let texts = [title, summary, source].into_iter().chain([url, commune].into_iter().flatten());
        texts.chain(image).chain(categories).for_each(characters::clean_up);
    }
}

/// An image of an item, not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Picture {
    pub url: String,
    /// Alternative text; empty if the source gives none.
    pub alt: String,
}
