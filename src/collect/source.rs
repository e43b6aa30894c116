//! The kinds of sources: a closed list, as written in a mailing's file.
//!
//! A kind provides one thing: the article, news or listings ([`Source::provides`]). A kind that a mailing cannot use is
//! refused when its file is read, and returns nothing here.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::address::check_url;
use super::apidae;
use super::charset;
use super::datatourisme;
use super::events_calendar;
use super::feed;
use super::fetch::{Fetcher, Place};
use super::folder;
use super::ical;
use super::json_ld;
use super::openagenda;
use super::page;
use super::posts;
use super::remarks::Harvest;
use super::title::Phrase;
use super::tourinsoft;
use super::wordpress::Wordpress;
use crate::apart::{Apart, apart_async};
use crate::domain::{Timestamp, article::Article, listing::Listing, news::NewsItem};

pub use super::collect_error::{CollectError, FileFault, KeyFault, Missed, Rung, Tally, Tried};

/// Time limit of one source, fetching and parsing its pages.
const READING: Duration = Duration::from_secs(600);
/// Maximum events of one source in the requested days: more than a region has in a week.
const MOST_LISTINGS: usize = 10_000;

/// One source of a mailing: `{ kind = "wordpress", url = "https://…", search = "Que faire à Auch cette semaine" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// The posts of a WordPress site whose title holds the words of `search`.
    Wordpress {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        #[serde(deserialize_with = "some_words")]
        search: String,
    },
    /// One HTML page, always at the same address.
    Page {
        #[serde(deserialize_with = "web_address")]
        url: Url,
    },
    /// A local HTML or text file.
    File {
        path: PathBuf,
        /// Without it: what the document says, else when the file was last written.
        #[serde(default)]
        published: Option<DateTime<Utc>>,
    },
    /// RSS, Atom or JSON Feed: news.
    Feed {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        /// Only content in this language, ISO 639-1; `None`: all.
        #[serde(default)]
        lang: Option<String>,
    },
    /// The posts of a WordPress site as news: of these categories, by slug or name, or of all.
    Posts {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        #[serde(default)]
        categories: Vec<String>,
        /// As for a feed.
        #[serde(default)]
        lang: Option<String>,
    },
    /// A folder of Markdown files, a piece of news each.
    Folder { path: PathBuf },
    /// An iCalendar file, recurring events unrolled: listings.
    Ical {
        #[serde(deserialize_with = "web_address")]
        url: Url,
    },
    /// The site of a WordPress with The Events Calendar, asked by its REST API: listings.
    EventsCalendar {
        #[serde(deserialize_with = "web_address")]
        url: Url,
    },
    /// A page with schema.org events in JSON-LD: listings.
    JsonLd {
        #[serde(deserialize_with = "web_address")]
        url: Url,
    },
    /// An agenda of OpenAgenda, by its number: listings. The key is read from its file when it is used, here and below.
    Openagenda {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        agenda: u64,
        key_file: PathBuf,
    },
    /// The API of DATAtourisme, narrowed by filters as it writes them: listings.
    Datatourisme {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        filters: String,
        key_file: PathBuf,
    },
    /// An unpacked flux of DATAtourisme, a folder or a file: listings.
    DatatourismeFlux { path: PathBuf },
    /// Selections of an Apidae project: listings.
    Apidae {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        project: u64,
        selections: Vec<u64>,
        key_file: PathBuf,
    },
    /// A Tourinsoft syndication of version 2; `{key}` in its address is put in from the file: listings.
    Tourinsoft {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        #[serde(default)]
        key_file: Option<PathBuf>,
    },
    /// The same of version 3, whose fields are named by each client: listings.
    TourinsoftV3 {
        #[serde(deserialize_with = "web_address")]
        url: Url,
        #[serde(default)]
        key_file: Option<PathBuf>,
        #[serde(default)]
        fields: Box<tourinsoft::Fields>,
    },
}

/// What a kind of source provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provides {
    /// The week, written by a person.
    Article,
    /// What was published, for a newsletter.
    News,
    /// Events with their hours.
    Listings,
}

impl Source {
    pub fn provides(&self) -> Provides {
        match self {
            Self::Wordpress { .. } | Self::Page { .. } | Self::File { .. } => Provides::Article,
            Self::Feed { .. } | Self::Posts { .. } | Self::Folder { .. } => Provides::News,
            Self::Ical { .. } | Self::EventsCalendar { .. } | Self::JsonLd { .. } => Provides::Listings,
            Self::Openagenda { .. } | Self::Datatourisme { .. } | Self::DatatourismeFlux { .. } => Provides::Listings,
            Self::Apidae { .. } | Self::Tourinsoft { .. } | Self::TourinsoftV3 { .. } => Provides::Listings,
        }
    }

    /// The items published after `since` up to `now`, newest first. Texts are plain. Empty for a kind that provides no news.
    ///
    /// # Errors
    /// If the source cannot be fetched or parsed as a whole.
    pub async fn news(
        &self,
        fetcher: &Fetcher,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Harvest<NewsItem>, CollectError> {
        let (source, fetcher) = (self.clone(), fetcher.clone());
        let read = move || async move { source.news_here(&fetcher, since, now).await };
        apart_async(READING, read).await.unwrap_or_else(|why| Err(self.broken(why)))
    }

    fn broken(&self, why: Apart) -> CollectError {
        CollectError::Broken { source_name: self.name(), why }
    }

    async fn news_here(
        &self,
        fetcher: &Fetcher,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Harvest<NewsItem>, CollectError> {
        let mut found = match self {
            Self::Feed { url, lang } => feed::news(url, lang.as_deref(), fetcher, since, now).await?,
            Self::Posts { url, categories, lang } => {
                let wanted = posts::Wanted::new(categories, lang.as_deref());
                posts::news(url, &wanted, fetcher, since, now).await?
            }
            Self::Folder { path } => folder::news(path, fetcher.limits().max_bytes, since, now).await?,
            _ => Harvest::default(),
        };
        found.items.iter_mut().for_each(NewsItem::clean);
        Ok(found)
    }

    /// A readable name.
    pub fn name(&self) -> String {
        match self {
            Self::Wordpress { url, .. } | Self::Page { url } | Self::Feed { url, .. } | Self::Posts { url, .. } => {
                host(url)
            }
            Self::Ical { url } | Self::EventsCalendar { url } | Self::JsonLd { url } => host(url),
            Self::File { path, .. } | Self::Folder { path } => path.display().to_string(),
            Self::Openagenda { .. } => "OpenAgenda".to_owned(),
            Self::Datatourisme { .. } | Self::DatatourismeFlux { .. } => "DATAtourisme".to_owned(),
            Self::Apidae { .. } => "Apidae".to_owned(),
            Self::Tourinsoft { .. } | Self::TourinsoftV3 { .. } => "Tourinsoft".to_owned(),
        }
    }

    /// The events that take place on one of `days`, hours in `zone`, earliest first; sessions on other days are left
    /// out. Empty for a kind that provides no listings.
    ///
    /// # Errors
    /// If the source cannot be fetched or parsed as a whole.
    pub async fn listings(
        &self,
        fetcher: &Fetcher,
        days: RangeInclusive<NaiveDate>,
        zone: Tz,
        _now: Timestamp,
    ) -> Result<Harvest<Listing>, CollectError> {
        let (source, fetcher) = (self.clone(), fetcher.clone());
        let read = move || async move { source.listings_here(&fetcher, days, zone).await };
        apart_async(READING, read).await.unwrap_or_else(|why| Err(self.broken(why)))
    }

    async fn listings_here(
        &self,
        fetcher: &Fetcher,
        days: RangeInclusive<NaiveDate>,
        zone: Tz,
    ) -> Result<Harvest<Listing>, CollectError> {
        let mut found = match self {
            Self::Ical { url } => ical::listings(url, fetcher, &days, zone).await,
            Self::EventsCalendar { url } => events_calendar::listings(url, fetcher, &days, zone).await,
            Self::JsonLd { url } => json_ld::listings(url, fetcher, &days, zone).await,
            Self::Openagenda { url, agenda, key_file } => {
                openagenda::listings(url, *agenda, key_file, fetcher, &days, zone).await
            }
            Self::Datatourisme { url, filters, key_file } => {
                datatourisme::listings(url, filters, key_file, fetcher, &days).await
            }
            Self::DatatourismeFlux { path } => datatourisme::of_flux(path, fetcher.limits().max_bytes, &days).await,
            Self::Apidae { url, project, selections, key_file } => {
                apidae::listings(url, *project, selections, key_file, fetcher, &days).await
            }
            Self::Tourinsoft { url, key_file } => {
                tourinsoft::listings_v2(url, key_file.as_deref(), fetcher, &days).await
            }
            Self::TourinsoftV3 { url, key_file, fields } => {
                tourinsoft::listings_v3(url, key_file.as_deref(), fields, fetcher, &days).await
            }
            _ => Ok(Harvest::default()),
        }?;
        found.limit(MOST_LISTINGS, |listing| listing.title.as_str());
        found.items.iter_mut().for_each(Listing::clean);
        Ok(found)
    }

    /// The articles found, newest first; never empty for a kind that provides them. The caller parses them to see which is
    /// for the coming week.
    pub async fn articles(&self, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Vec<Article>, CollectError> {
        let (source, fetcher) = (self.clone(), fetcher.clone());
        let read = move || async move { source.articles_here(&fetcher, now).await };
        apart_async(READING, read).await.unwrap_or_else(|why| Err(self.broken(why)))
    }

    async fn articles_here(&self, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Vec<Article>, CollectError> {
        let mut found = match self {
            Self::Wordpress { url, search } => Wordpress::new(url, search).articles(fetcher, now).await?,
            Self::Page { url } => vec![article_of_page(url, fetcher, now).await?],
            Self::File { path, published } => {
                let limit = fetcher.limits().max_bytes;
                vec![article_of_file(path, *published, limit, now).await?]
            }
            _ => Vec::new(),
        };
        found.iter_mut().for_each(Article::clean);
        Ok(found)
    }
}

impl Source {
    /// The site that its articles are on.
    pub fn site(&self) -> Option<&Url> {
        match self {
            Self::Wordpress { url, .. } | Self::Page { url } => Some(url),
            _ => None,
        }
    }

    /// Whether a piece of news from `other` is the weekly article that this source is searched for: it has a mailing of its
    /// own.
    pub fn has_as_article(&self, other: &Source, title: &str) -> bool {
        let (Self::Wordpress { url, search }, Self::Feed { url: theirs, .. } | Self::Posts { url: theirs, .. }) =
            (self, other)
        else {
            return false;
        };
        host(url) == host(theirs) && Phrase::of(search).is_in(title)
    }
}

/// The article at an address of the site of one of these sources, whatever it is called there. The guards of the fetcher hold.
///
/// # Errors
/// If it is of another site, or leads to one; if it cannot be fetched or has no text.
pub async fn article_at(
    sources: &[Source],
    address: &str,
    fetcher: &Fetcher,
    now: DateTime<Utc>,
) -> Result<Article, CollectError> {
    let elsewhere = |place: &str| CollectError::OtherSite { place: place.to_owned(), sites: sites(sources) };
    let url = Url::parse(address).ok().filter(|url| check_url(url).is_ok()).ok_or_else(|| elsewhere(address))?;
    let is_ours = |url: &Url| sources.iter().filter_map(Source::site).any(|site| is_same_site(site, url));
    if !is_ours(&url) {
        return Err(elsewhere(&host(&url)));
    }
    let found = Source::Page { url }.articles(fetcher, now).await?.into_iter().next();
    let article = found.ok_or_else(|| CollectError::NoText { place: address.to_owned() })?;
    // Where redirects have led.
    match article.url.as_deref().map(Url::parse) {
        Some(Ok(url)) if is_ours(&url) => Ok(article),
        led => Err(elsewhere(&led.and_then(Result::ok).map(|url| host(&url)).unwrap_or_default())),
    }
}

/// The names of the sites that articles come from.
fn sites(sources: &[Source]) -> Vec<String> {
    let mut names: Vec<_> = sources.iter().filter_map(Source::site).map(host).collect();
    names.dedup();
    names
}

/// With or without `www.` and encryption.
fn is_same_site(a: &Url, b: &Url) -> bool {
    host(a) == host(b) && a.port() == b.port()
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned()
}

async fn article_of_page(url: &Url, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Article, CollectError> {
    let page = fetcher.page(url).await.map_err(CollectError::from)?;
    page::article_of(&page, now).ok_or_else(|| CollectError::NoText { place: Place::of(&page.url).to_string() })
}

async fn article_of_file(
    path: &Path,
    published: Option<DateTime<Utc>>,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Article, CollectError> {
    let unreadable = |source| CollectError::File { path: path.to_owned(), source };
    let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
    // A directory is an error anyway; a pipe or a device would be read for ever.
    if !metadata.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if metadata.len() > limit as u64 {
        return Err(CollectError::FileTooLarge { path: path.to_owned(), limit });
    }
    let written = metadata.modified().map(DateTime::<Utc>::from).map_err(unreadable)?;
    let bytes = tokio::fs::read(path).await.map_err(unreadable)?;
    let text =
        charset::decode(&bytes, None).map_err(|source| CollectError::FileCharset { path: path.to_owned(), source })?;
    let read = if page::is_html(&text) { page::read(&text, now) } else { page::read(&page::paragraphs(&text), now) };
    let read = read.ok_or_else(|| CollectError::NoText { place: path.display().to_string() })?;
    let title = if read.title.is_empty() { name_of(path) } else { read.title };
    Ok(Article {
        title,
        url: None,
        published: published.or(read.published).unwrap_or(written),
        modified: read.modified,
        html: read.html,
    })
}

/// A file that names itself nowhere is called as a person sees it in the folder.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn web_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url = Url::deserialize(deserializer)?;
    match check_url(&url) {
        Ok(()) => Ok(url),
        Err(why) => Err(serde::de::Error::custom(format!("expected the address of a site, but {why}"))),
    }
}

fn some_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if Phrase::of(&text).is_empty() {
        return Err(serde::de::Error::custom("expected words of the article's title"));
    }
    Ok(text)
}
