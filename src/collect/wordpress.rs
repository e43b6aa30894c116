//! Reads articles from a WordPress site by several methods: its API, the API's alternative URL, its feed, its pages.
//!
//! A site may block any of them; the first that returns the article is enough. If a method is blocked or returns
//! nonsense the next one is tried; if the site is in trouble, no more requests are made.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tracing::debug;
use url::Url;

use super::collect_error::{CollectError, Missed, Rung, Tally, Tried};
use super::feed;
use super::fetch::{Fetcher, Page};
use super::html::text_of;
use super::html_to_text::without_shortcodes;
use super::page;
use super::title::{Phrase, plain_title};
use super::wordpress_api::{Door, Site, published, records, utc};
use crate::domain::article::Article;

const LADDER: [Rung; 4] = [Rung::Rest, Rung::RestRoute, Rung::Feed, Rung::Pages];
/// The weekly column, a few of its older issues: more would only cost the site.
const AT_MOST: usize = 5;
const FIELDS: &str = "id,date,date_gmt,modified_gmt,slug,link,title,content,featured_media";

pub(super) struct Wordpress<'a> {
    site: Site,
    search: &'a str,
    phrase: Phrase,
}

/// What the API says of a post, as far as we use it.
#[derive(Deserialize)]
struct Post {
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    date_gmt: Option<String>,
    #[serde(default)]
    modified_gmt: Option<String>,
    #[serde(default)]
    link: Option<String>,
    title: Title,
    content: Content,
}

#[derive(Deserialize)]
struct Title {
    rendered: String,
}

#[derive(Deserialize)]
struct Content {
    rendered: String,
    #[serde(default)]
    protected: bool,
}

impl<'a> Wordpress<'a> {
    pub fn new(site: &Url, search: &'a str) -> Self {
        Self { site: Site::new(site), search, phrase: Phrase::of(search) }
    }

    pub async fn articles(&self, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Vec<Article>, CollectError> {
        let mut tried = Tried::default();
        for rung in LADDER {
            match self.climb(rung, fetcher, now).await {
                Ok(mut articles) => {
                    articles.sort_by_key(|article| std::cmp::Reverse(article.published));
                    debug!(site = self.site.host(), %rung, count = articles.len(), "articles found");
                    return Ok(articles);
                }
                Err(Missed::Fetch(source)) if source.is_temporary() => {
                    return Err(CollectError::Fetch { tried, source });
                }
                Err(missed) => {
                    debug!(site = self.site.host(), %rung, %missed, "this way gave no article");
                    tried.0.push((rung, missed));
                }
            }
        }
        let site = self.site.host().to_owned();
        Err(CollectError::NoArticle { site, search: self.search.to_owned(), tried })
    }

    /// At least one article, or why no article was found.
    async fn climb(&self, rung: Rung, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Vec<Article>, Missed> {
        match rung {
            Rung::Rest => self.posts(&fetcher.page(&self.api(Door::Path)).await?),
            Rung::RestRoute => self.posts(&fetcher.page(&self.api(Door::RestRoute)).await?),
            Rung::Feed => self.feed(fetcher, now).await,
            Rung::Pages => self.pages(fetcher, now).await,
        }
    }

    fn api(&self, door: Door) -> Url {
        let (search, count) = (self.search, AT_MOST.to_string());
        self.site.api(door, "wp/v2/posts", &[("search", search), ("per_page", &count), ("_fields", FIELDS)])
    }

    /// Reads the API's answer, each post by itself: the odd one need not be the one we want. What is of another week is for
    /// the gates to see.
    fn posts(&self, page: &Page) -> Result<Vec<Article>, Missed> {
        let posts = records::<Post>(page)?;
        let mut tally = Tally { seen: posts.len(), ..Tally::default() };
        tally.unreadable = posts.iter().filter(|post| post.is_err()).count();
        let articles = posts.into_iter().flatten().filter_map(|post| self.post(post, &mut tally)).collect();
        some(articles, tally)
    }

    fn post(&self, post: Post, tally: &mut Tally) -> Option<Article> {
        let title = plain_title(&post.title.rendered);
        if !self.phrase.is_in(&title) {
            tally.other_title += 1;
        } else if post.content.protected {
            tally.protected += 1;
        } else if has_no_text(&post.content.rendered) {
            tally.empty += 1;
        } else if let Some(published) = published(post.date_gmt.as_deref(), post.date.as_deref()) {
            let modified = post.modified_gmt.as_deref().and_then(utc);
            let url = post.link.filter(|link| is_web_address(link));
            return Some(Article {
                title,
                url,
                published,
                modified,
                html: without_shortcodes(&post.content.rendered).into_owned(),
            });
        } else {
            tally.undated += 1;
        }
        None
    }

    async fn feed(&self, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Vec<Article>, Missed> {
        let page = fetcher.page(&self.site.at("feed/")).await?;
        let entries = entries(&page)?;
        let mut tally = Tally { seen: entries.len(), ..Tally::default() };
        let mut articles = Vec::new();
        for entry in entries {
            if !self.phrase.is_in(&entry.title) {
                tally.other_title += 1;
            } else if articles.len() == AT_MOST {
                break;
            } else if let Some(article) = self.entry(entry, fetcher, now, &mut tally).await? {
                articles.push(article);
            }
        }
        some(articles, tally)
    }

    /// The article of a feed's entry; where the feed gives a summary only, that of the page it leads to.
    async fn entry(
        &self,
        entry: Entry,
        fetcher: &Fetcher,
        now: DateTime<Utc>,
        tally: &mut Tally,
    ) -> Result<Option<Article>, Missed> {
        let Entry { title, link, published, modified, html } = entry;
        if let (Some(html), Some(published)) = (html, published) {
            let url = link.map(|link| link.to_string());
            return Ok(Some(Article { title, url, published, modified, html }));
        }
        let Some(link) = link else {
            tally.empty += 1;
            return Ok(None);
        };
        let article = self.article_at(&link, fetcher, now, tally).await?;
        // The feed is the better witness of title and date: pages are made for eyes.
        Ok(article.map(|article| Article { title, published: published.unwrap_or(article.published), ..article }))
    }

    /// Searches the site as a visitor would, then looks at its front page.
    async fn pages(&self, fetcher: &Fetcher, now: DateTime<Utc>) -> Result<Vec<Article>, Missed> {
        let mut search = self.site.at("");
        search.query_pairs_mut().append_pair("s", self.search);
        let mut tally = Tally::default();
        let mut articles = Vec::new();
        for list in [search, self.site.at("")] {
            let list = match fetcher.page(&list).await {
                Ok(list) => list,
                Err(error) if error.is_temporary() => return Err(error.into()),
                Err(_) => {
                    tally.seen += 1;
                    tally.unreadable += 1;
                    continue;
                }
            };
            for link in self.links_to_articles(&list) {
                tally.seen += 1;
                if let Some(article) = self.article_at(&link, fetcher, now, &mut tally).await? {
                    if self.phrase.is_in(&article.title) {
                        articles.push(article);
                    } else {
                        tally.other_title += 1;
                    }
                }
            }
            if !articles.is_empty() {
                break;
            }
        }
        some(articles, tally)
    }

    /// Links of the site to itself whose words are those of the title, each once.
    fn links_to_articles(&self, list: &Page) -> Vec<Url> {
        let mut found = Vec::new();
        for (url, words) in page::links(list) {
            let is_a_list = url == list.url || url.query_pairs().any(|(key, _)| key == "s");
            if same_site(&url, &list.url) && !is_a_list && self.phrase.is_in(&words) && !found.contains(&url) {
                found.push(url);
            }
        }
        found.truncate(AT_MOST);
        found
    }

    async fn article_at(
        &self,
        url: &Url,
        fetcher: &Fetcher,
        now: DateTime<Utc>,
        tally: &mut Tally,
    ) -> Result<Option<Article>, Missed> {
        match fetcher.page(url).await {
            Ok(page) => {
                let article = page::article_of(&page, now);
                tally.empty += usize::from(article.is_none());
                Ok(article)
            }
            Err(error) if error.is_temporary() => Err(error.into()),
            Err(_) => {
                tally.unreadable += 1;
                Ok(None)
            }
        }
    }
}

/// One entry of a feed. `html` only where the feed gives the whole text.
struct Entry {
    title: String,
    link: Option<Url>,
    published: Option<DateTime<Utc>>,
    modified: Option<DateTime<Utc>>,
    html: Option<String>,
}

fn entries(page: &Page) -> Result<Vec<Entry>, Missed> {
    let entry = |entry: feed_rs::model::Entry| Entry {
        title: entry.title.map(|title| plain_title(&title.content)).unwrap_or_default(),
        link: entry.links.iter().find_map(|link| page.url.join(&link.href).ok()),
        published: entry.published,
        modified: entry.updated.filter(|updated| Some(*updated) != entry.published),
        html: entry.content.and_then(|content| content.body).filter(|html| is_whole(html)),
    };
    Ok(feed::parse(page)?.entries.into_iter().map(entry).collect())
}

/// False for nothing at all, and for a summary, which WordPress ends with `[…]`.
fn is_whole(html: &str) -> bool {
    let text = text_of(html);
    let text = text.trim_end();
    !text.is_empty() && !text.ends_with("[…]") && !text.ends_with("[...]")
}

fn has_no_text(html: &str) -> bool {
    text_of(html).trim().is_empty()
}

fn some(articles: Vec<Article>, tally: Tally) -> Result<Vec<Article>, Missed> {
    if articles.is_empty() { Err(Missed::Nothing(tally)) } else { Ok(articles) }
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn same_site(a: &Url, b: &Url) -> bool {
    let name = |url: &Url| url.host_str().map(|host| host.trim_start_matches("www.").to_owned());
    name(a) == name(b)
}
