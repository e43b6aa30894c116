//! A piece of news as it was collected: what a newsletter is made of.

use super::{Timestamp, characters, link};

/// One piece of news, whatever kind of source it came from. Texts are plain: no markup is left in them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewsItem {
    /// The same each time the source is read: a feed's guid, a post's id, a file's name, else the address.
    pub id: String,
    pub title: String,
    pub url: Option<String>,
    pub published: Timestamp,
    pub modified: Option<Timestamp>,
    /// What it says, a few sentences, paragraphs parted by an empty line. Empty when the source gives none.
    pub summary: String,
    pub image: Option<Picture>,
    /// As the source names them: « Agenda », « Patrimoine ».
    pub categories: Vec<String>,
    /// Where it takes place, when the source says so.
    pub commune: Option<String>,
    /// The source it came from, in words for people: a site's name, else its host.
    pub source: String,
}

impl NewsItem {
    /// Nothing in its texts that no mail can hold, and no link but to a page.
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
    /// What is seen on it, for those who do not see it; empty when the source says nothing.
    pub alt: String,
}
