//! News from the posts of a WordPress site: by the REST API, its alternative URL, or the feed.
//!
//! Password-protected posts are skipped.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::collect_error::{CollectError, Missed, Rung, Tried};
use super::feed::{self, best_summary, published_within};
use super::fetch::Fetcher;
use super::html_to_text::{first_image, one_line, paragraphs_of, titled, web_address, without_shortcodes};
use super::language;
use super::lenient_json::{each, raw};
use super::remarks::{Harvest, Remark};
use super::title::{folded, plain_title};
use super::wordpress_api::{Door, Site, published, records, utc};
use crate::domain::{
    Timestamp,
    news::{NewsItem, Picture},
};

const PER_PAGE: usize = 50;
/// A site that publishes more in a month is not read to its end.
const MOST_PAGES: usize = 10;
const FIELDS: &str =
    "id,date,date_gmt,modified_gmt,link,lang,wpml_current_locale,title,content,excerpt,featured_media,_links,_embedded";

#[derive(Deserialize)]
struct Post {
    id: u64,
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    date_gmt: Option<String>,
    #[serde(default)]
    modified_gmt: Option<String>,
    /// Read in whichever shape it comes.
    #[serde(default)]
    link: Value,
    /// Of Polylang.
    #[serde(default)]
    lang: Value,
    #[serde(default)]
    wpml_current_locale: Value,
    title: Value,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    excerpt: Value,
    /// An error object where the media is gone or not public; categories, tags and what else the site sorts by.
    #[serde(default, rename = "_embedded")]
    embedded: Value,
}

/// `{"rendered": "…"}`, or the text itself.
fn rendered(value: &Value) -> String {
    value
        .get("rendered")
        .or(Some(value))
        .and_then(raw)
        .map(|html| without_shortcodes(&html).into_owned())
        .unwrap_or_default()
}

/// Which of a site's posts are wanted.
pub struct Wanted<'a> {
    /// Slugs or names, folded; empty: any.
    categories: Vec<String>,
    /// Empty: any.
    lang: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// `categories`: slugs or names.
    pub fn new(categories: &[String], lang: Option<&'a str>) -> Self {
        Self { categories: categories.iter().map(|category| folded(category)).collect(), lang }
    }

    fn has_category(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.categories.contains(&folded(name)))
    }
}

/// What was published after `since` up to `now`, as far as it is wanted.
pub async fn news(
    url: &Url,
    wanted: &Wanted<'_>,
    fetcher: &Fetcher,
    since: Timestamp,
    now: Timestamp,
) -> Result<Harvest<NewsItem>, CollectError> {
    let site = Site::new(url);
    let mut tried = Tried::default();
    for rung in [Rung::Rest, Rung::RestRoute, Rung::Feed] {
        let found = match rung {
            Rung::Rest => by_api(&site, Door::Path, wanted, fetcher, since).await,
            Rung::RestRoute => by_api(&site, Door::RestRoute, wanted, fetcher, since).await,
            Rung::Feed | Rung::Pages => by_feed(&site, wanted, fetcher).await,
        };
        match found {
            Ok(found) => return Ok(published_within(found, since, now)),
            Err(Missed::Fetch(source)) if source.is_temporary() => return Err(CollectError::Fetch { tried, source }),
            Err(missed) => tried.0.push((rung, missed)),
        }
    }
    Err(CollectError::NoNews { site: site.host().to_owned(), tried })
}

async fn by_api(
    site: &Site,
    door: Door,
    wanted: &Wanted<'_>,
    fetcher: &Fetcher,
    since: Timestamp,
) -> Result<Harvest<NewsItem>, Missed> {
    // The API compares with the clock of the site, whatever zone that is in: a day more is asked for, and left out later.
    let after = (since - chrono::TimeDelta::days(1)).format("%Y-%m-%dT%H:%M:%S").to_string();
    let per_page = PER_PAGE.to_string();
    let mut found = Harvest::default();
    for page in 1..=MOST_PAGES {
        let number = page.to_string();
        let mut query = vec![("after", after.as_str()), ("per_page", &per_page), ("page", &number)];
        query.extend([("_fields", FIELDS), ("_embed", "wp:featuredmedia,wp:term")]);
        query.extend(wanted.lang.map(|lang| ("lang", lang)));
        let answer = fetcher.page(&site.api(door, "wp/v2/posts", &query)).await;
        let answer = match answer {
            // Past its last page the API answers 400: the posts filled the previous page exactly.
            Err(super::fetch::FetchError::Status { code: 400, .. }) if page > 1 => break,
            answer => answer?,
        };
        let posts = records::<Post>(&answer)?;
        let count = posts.len();
        for post in posts {
            let title = |value: &Value| one_line(&plain_title(&rendered(value)));
            match post {
                Ok(post) => match item(&post, site, wanted, &answer.url) {
                    Ok(item) => found.items.extend(item),
                    Err(why) => found.remarks.add(&title(&post.title), why),
                },
                Err(odd) => found.remarks.add(&odd.get("title").map(title).unwrap_or_default(), Remark::Unreadable),
            }
        }
        if count < PER_PAGE {
            break;
        }
    }
    match found.items.is_empty() && found.remarks.gone() > 0 {
        true => Err(Missed::NothingReadable(found.remarks)),
        false => Ok(found),
    }
}

async fn by_feed(site: &Site, wanted: &Wanted<'_>, fetcher: &Fetcher) -> Result<Harvest<NewsItem>, Missed> {
    let mut feed = site.at("feed/");
    if let Some(lang) = wanted.lang {
        feed.query_pairs_mut().append_pair("lang", lang);
    }
    let mut found = feed::items(&fetcher.page(&feed).await?, wanted.lang)?;
    found.items.retain(|item| {
        wanted.categories.is_empty() || item.categories.iter().any(|name| wanted.has_category(&[name.as_str()]))
    });
    Ok(found)
}

/// `None` of a post that is protected, or of no category or language that is wanted.
///
/// # Errors
/// What it lacks.
fn item(post: &Post, site: &Site, wanted: &Wanted<'_>, base: &Url) -> Result<Option<NewsItem>, Remark> {
    let terms = each(post.embedded.get("wp:term")).flat_map(|terms| each(Some(terms)));
    let word = |term: &Value, key: &str| term.get(key).and_then(raw).unwrap_or_default();
    let categories: Vec<&Value> = terms.filter(|term| word(term, "taxonomy") == "category").collect();
    let is_wanted = |term: &&Value| wanted.has_category(&[&word(term, "slug"), &word(term, "name")]);
    let protected = post.content.get("protected").and_then(Value::as_bool) == Some(true);
    if protected || !(wanted.categories.is_empty() || categories.iter().any(is_wanted)) {
        return Ok(None);
    }
    let said = raw(&post.lang).or_else(|| raw(&post.wpml_current_locale));
    let link = raw(&post.link).and_then(|link| web_address(&link, base));
    if wanted.lang.is_some_and(|lang| !language::is_in(lang, said.as_deref(), link.as_deref())) {
        return Ok(None);
    }
    let published = published(post.date_gmt.as_deref(), post.date.as_deref()).ok_or(Remark::BadDate)?;
    let content = rendered(&post.content);
    let text = paragraphs_of(&content);
    let excerpt = paragraphs_of(&rendered(&post.excerpt));
    let image = each(post.embedded.get("wp:featuredmedia")).next().and_then(|media| picture(media, base));
    let title = titled(&plain_title(&rendered(&post.title)), &[&excerpt, &text]).ok_or(Remark::NoTitle)?;
    Ok(Some(NewsItem {
        id: format!("{}?p={}", site.at(""), post.id),
        title,
        url: raw(&post.link).and_then(|link| web_address(&link, base)),
        published,
        modified: post.modified_gmt.as_deref().and_then(utc).filter(|modified| *modified != published),
        summary: best_summary(&excerpt, &text),
        image: image.or_else(|| first_image(&content, base)),
        categories: categories.into_iter().map(|term| one_line(&plain_title(&word(term, "name")))).collect(),
        commune: None,
        source: site.host().trim_start_matches("www.").to_owned(),
    }))
}

fn picture(media: &serde_json::Value, base: &Url) -> Option<Picture> {
    let alt = media.get("alt_text").and_then(|alt| alt.as_str()).unwrap_or_default();
    let url = web_address(media.get("source_url")?.as_str()?, base)?;
    Some(Picture { url, alt: one_line(&plain_title(alt)) })
}
