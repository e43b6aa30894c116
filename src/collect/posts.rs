//! The posts of a WordPress site as news: by the REST API, by its other door, by the feed.
//!
//! A password-protected post is not news: its text is for those who have the password.

use serde::Deserialize;
use url::Url;

use super::collect_error::{CollectError, Missed, Rung, Tried};
use super::feed::{self, best_summary, published_within};
use super::fetch::Fetcher;
use super::plain::{first_image, one_line, paragraphs_of, web_address};
use super::title::{folded, plain_title};
use super::wordpress_api::{Door, Site, json, utc};
use crate::domain::{
    Timestamp,
    news::{NewsItem, Picture},
};

const PER_PAGE: usize = 50;
/// A site that publishes more in a month is not read to its end.
const MOST_PAGES: usize = 10;
const FIELDS: &str = "id,date_gmt,modified_gmt,link,title,content,excerpt,featured_media,_links,_embedded";

#[derive(Deserialize)]
struct Post {
    id: u64,
    date_gmt: Option<String>,
    modified_gmt: Option<String>,
    link: Option<String>,
    title: Rendered,
    content: Rendered,
    excerpt: Option<Rendered>,
    #[serde(default, rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Deserialize)]
struct Rendered {
    rendered: String,
    #[serde(default)]
    protected: bool,
}

#[derive(Deserialize, Default)]
struct Embedded {
    /// An error object where the media is gone or not public.
    #[serde(default, rename = "wp:featuredmedia")]
    media: Vec<serde_json::Value>,
    /// Categories, tags and what else the site sorts by.
    #[serde(default, rename = "wp:term")]
    terms: Vec<Vec<Term>>,
}

#[derive(Deserialize)]
struct Term {
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    taxonomy: String,
}

/// What was published after `since` up to `now` in one of `categories` (slugs or names; in any where there is none).
pub async fn news(
    url: &Url,
    categories: &[String],
    fetcher: &Fetcher,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<NewsItem>, CollectError> {
    let site = Site::new(url);
    let wanted: Vec<String> = categories.iter().map(|category| folded(category)).collect();
    let mut tried = Tried::default();
    for rung in [Rung::Rest, Rung::RestRoute, Rung::Feed] {
        let found = match rung {
            Rung::Rest => by_api(&site, Door::Path, &wanted, fetcher, since).await,
            Rung::RestRoute => by_api(&site, Door::RestRoute, &wanted, fetcher, since).await,
            Rung::Feed | Rung::Pages => by_feed(&site, &wanted, fetcher).await,
        };
        match found {
            Ok(items) => return Ok(published_within(items, since, now)),
            Err(Missed::Fetch(source)) if source.is_temporary() => return Err(CollectError::Fetch { tried, source }),
            Err(missed) => tried.0.push((rung, missed)),
        }
    }
    Err(CollectError::NoNews { site: site.host().to_owned(), tried })
}

async fn by_api(
    site: &Site,
    door: Door,
    wanted: &[String],
    fetcher: &Fetcher,
    since: Timestamp,
) -> Result<Vec<NewsItem>, Missed> {
    // The API compares with the clock of the site, whatever zone that is in: a day more is asked for, and left out later.
    let after = (since - chrono::TimeDelta::days(1)).format("%Y-%m-%dT%H:%M:%S").to_string();
    let per_page = PER_PAGE.to_string();
    let mut items = Vec::new();
    for page in 1..=MOST_PAGES {
        let number = page.to_string();
        let mut query = vec![("after", after.as_str()), ("per_page", &per_page), ("page", &number)];
        query.extend([("_fields", FIELDS), ("_embed", "wp:featuredmedia,wp:term")]);
        let answer = fetcher.page(&site.api(door, "wp/v2/posts", &query)).await;
        let answer = match answer {
            // Past its last page the API answers 400: the posts are exactly so many pages.
            Err(super::fetch::FetchError::Status { code: 400, .. }) if page > 1 => break,
            answer => answer?,
        };
        let posts: Vec<Post> = json(&answer)?;
        let count = posts.len();
        items.extend(posts.into_iter().filter_map(|post| item(post, site, wanted, &answer.url)));
        if count < PER_PAGE {
            break;
        }
    }
    Ok(items)
}

async fn by_feed(site: &Site, wanted: &[String], fetcher: &Fetcher) -> Result<Vec<NewsItem>, Missed> {
    let mut items = feed::items(&fetcher.page(&site.at("feed/")).await?)?;
    items.retain(|item| wanted.is_empty() || item.categories.iter().any(|name| wanted.contains(&folded(name))));
    Ok(items)
}

fn item(post: Post, site: &Site, wanted: &[String], base: &Url) -> Option<NewsItem> {
    let categories: Vec<Term> =
        post.embedded.terms.into_iter().flatten().filter(|term| term.taxonomy == "category").collect();
    let is_wanted = |term: &Term| wanted.contains(&folded(&term.slug)) || wanted.contains(&folded(&term.name));
    if post.content.protected || !(wanted.is_empty() || categories.iter().any(is_wanted)) {
        return None;
    }
    let published = post.date_gmt.as_deref().and_then(utc)?;
    let excerpt = post.excerpt.map(|excerpt| paragraphs_of(&excerpt.rendered)).unwrap_or_default();
    let image = post.embedded.media.first().and_then(|media| picture(media, base));
    Some(NewsItem {
        id: format!("{}?p={}", site.at(""), post.id),
        title: one_line(&plain_title(&post.title.rendered)),
        url: post.link.and_then(|link| web_address(&link, base)),
        published,
        modified: post.modified_gmt.as_deref().and_then(utc).filter(|modified| *modified != published),
        summary: best_summary(&excerpt, &paragraphs_of(&post.content.rendered)),
        image: image.or_else(|| first_image(&post.content.rendered, base)),
        categories: categories.into_iter().map(|term| one_line(&plain_title(&term.name))).collect(),
        commune: None,
        source: site.host().trim_start_matches("www.").to_owned(),
    })
}

fn picture(media: &serde_json::Value, base: &Url) -> Option<Picture> {
    let alt = media.get("alt_text").and_then(|alt| alt.as_str()).unwrap_or_default();
    let url = web_address(media.get("source_url")?.as_str()?, base)?;
    Some(Picture { url, alt: one_line(&plain_title(alt)) })
}
