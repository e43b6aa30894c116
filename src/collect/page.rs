//! An HTML page: finds its article, publication date and links.
//!
//! Finds the text without parsing its meaning. Never narrows to less than the whole article: the article parser ignores
//! extra text, but missing text is lost (invariant I3).

use std::sync::LazyLock;

use chrono::{DateTime, Days, Utc};
use regex::Regex;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;
use url::Url;

use super::dates;
use super::fetch::Page;
use super::html;
use crate::domain::article::Article;

/// Where themes put the text of an article, the most exact first.
const CONTAINERS: [&str; 7] = [
    "[itemprop~=articleBody]",
    ".entry-content, .wp-block-post-content",
    ".elementor-widget-theme-post-content",
    ".post-content, .article-content",
    "article",
    "main, [role=main]",
    "body",
];

/// What is in those and belongs to the site, not to the article.
const FURNITURE: &str =
    "script, style, noscript, template, iframe, svg, nav, form, button, footer, #comments, .comments-area";

/// What can be read off a page. Dates are `None` where the page does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPage {
    pub title: String,
    pub html: String,
    pub published: Option<DateTime<Utc>>,
    pub modified: Option<DateTime<Utc>>,
}

/// The article of a fetched page, `None` where it holds no text. A page that tells no date was published at
/// its `Last-Modified`, or else `now`.
pub fn article_of(page: &Page, now: DateTime<Utc>) -> Option<Article> {
    let read = read(&page.text, now)?;
    let last_modified = page.validators.last_modified.as_deref().and_then(parse_http_date);
    Some(Article {
        title: read.title,
        url: Some(page.url.to_string()),
        published: read.published.or(last_modified).unwrap_or(now),
        modified: read.modified,
        html: read.html,
    })
}

/// Reads an HTML document. A date after `now` is not a publication date but that of an event.
pub fn read(text: &str, now: DateTime<Utc>) -> Option<ReadPage> {
    let mut document = html::parse(text)?;
    let title = title(&document);
    let json_ld = json_ld(&document);
    let tomorrow = now + Days::new(1);
    let is_past = |date: &DateTime<Utc>| *date <= tomorrow;
    let published = attributes(&document, "meta[property='article:published_time']", "content")
        .chain(attributes(&document, "time.published, time[itemprop~=datePublished]", "datetime"))
        .chain(attributes(&document, "meta[itemprop~=datePublished]", "content"))
        .chain(found_in(&json_ld, "datePublished"))
        .chain(attributes(&document, "time[datetime]", "datetime"))
        .filter_map(|date| dates::instant(&date))
        .find(is_past);
    let modified = attributes(&document, "meta[property='article:modified_time']", "content")
        .chain(found_in(&json_ld, "dateModified"))
        .filter_map(|date| dates::instant(&date))
        .find(is_past);
    remove_furniture(&mut document);
    let html = CONTAINERS.iter().find_map(|container| longest(&document, container))?;
    Some(ReadPage { title, html, published, modified })
}

/// Where the links of a page lead, with the words they are on.
pub fn links(page: &Page) -> Vec<(Url, String)> {
    let Some(document) = html::parse(&page.text) else { return Vec::new() };
    let link = |a: ElementRef<'_>| {
        let mut url = page.url.join(a.attr("href")?).ok()?;
        url.set_fragment(None);
        Some((url, one_line(&a.text().collect::<String>())))
    };
    document.select(&css("a[href]")).filter_map(link).collect()
}

/// Whether a text is HTML, be it a fragment.
pub fn is_html(text: &str) -> bool {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by the tests of this file")]
    static TAG: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)<(!doctype|html|body|article|main|section|div|p|br|ul|ol|li|dl|table|pre|h[1-6])\b")
            .expect("valid")
    });
    TAG.is_match(text)
}

/// Plain text as HTML, a paragraph a line.
pub fn paragraphs(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("<p>{line}</p>\n")).collect()
}

/// The selectors of this file are constants.
#[expect(clippy::expect_used, reason = "every constant of this file is compiled by its tests")]
fn css(selector: &str) -> Selector {
    Selector::parse(selector).expect("a valid selector")
}

fn title(document: &Html) -> String {
    let words = |selector| -> Vec<String> {
        let selector = css(selector);
        document.select(&selector).map(|element| one_line(&element.text().collect::<String>())).collect()
    };
    let titles = words("h1").into_iter().chain(attributes(document, "meta[property='og:title']", "content"));
    titles.chain(words("title")).find(|title| !title.is_empty()).unwrap_or_default()
}

fn attributes(document: &Html, selector: &str, name: &str) -> impl Iterator<Item = String> {
    let values: Vec<String> =
        document.select(&css(selector)).filter_map(|element| element.attr(name)).map(str::to_owned).collect();
    values.into_iter()
}

fn json_ld(document: &Html) -> Vec<Value> {
    // One broken script must not hide the others, nor the page.
    scripts(document).iter().filter_map(|script| serde_json::from_str(script).ok()).collect()
}

/// The scripts of JSON-LD, as they are written.
pub fn scripts(document: &Html) -> Vec<String> {
    let scripts = css("script[type='application/ld+json']");
    document.select(&scripts).map(|script| script.text().collect()).collect()
}

fn found_in(values: &[Value], key: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut waiting: Vec<&Value> = values.iter().rev().collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get(key).and_then(Value::as_str).map(str::to_owned));
                waiting.extend(fields.values().rev());
            }
            Value::Array(values) => waiting.extend(values.iter().rev()),
            _ => {}
        }
    }
    found.into_iter()
}

fn remove_furniture(document: &mut Html) {
    let furniture: Vec<_> = document.select(&css(FURNITURE)).map(|element| element.id()).collect();
    for id in furniture {
        if let Some(mut node) = document.tree.get_mut(id) {
            node.detach();
        }
    }
}

/// How many times longer than any other an `<article>` must be to be the page's own: the others are teasers then.
const FAR_LONGER: usize = 3;

/// A page lists other articles beside its own: its own is far longer than each of them, and than all of them together. `None`
/// where none is: then the page is made of cards, each an `<article>`, and its own text is all of them.
fn longest(document: &Html, container: &str) -> Option<String> {
    let text_length = |element: &ElementRef<'_>| element.text().map(|text| text.trim().len()).sum::<usize>();
    let mut found: Vec<(usize, ElementRef<'_>)> =
        document.select(&css(container)).map(|element| (text_length(&element), element)).collect();
    found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    let ((length, longest), others) = found.split_first()?;
    let second = others.first().map_or(0, |(length, _)| *length);
    let together: usize = others.iter().map(|(length, _)| length).sum();
    (*length > 0 && *length >= FAR_LONGER * second && *length > together).then(|| html::inner(longest))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn now() -> DateTime<Utc> {
        utc("2027-07-10T06:00:00Z")
    }

    fn published(head: &str) -> Option<DateTime<Utc>> {
        read(&format!("<html><head>{head}</head><body><p>x</p></body></html>"), now()).unwrap().published
    }

    fn page(text: &str) -> Page {
        Page {
            url: "https://office.example/blog/une-page/".parse().unwrap(),
            text: text.to_owned(),
            content_type: None,
            validators: Default::default(),
        }
    }

    #[test]
    fn the_date_is_found_in_every_usual_place() {
        let expected = Some(utc("2027-07-09T15:12:08Z"));
        for head in [
            "<meta property='article:published_time' content='2027-07-09T15:12:08+00:00'>",
            "<time class='entry-date published' datetime='2027-07-09T17:12:08+0200'>",
            "<time datetime='2027-07-09 17:12:08'>",
            "<script type='application/ld+json'>{\"@graph\":[{\"@type\":\"WebPage\"},{\"datePublished\":\"2027-07-09T17:12:08\"}]}</script>",
            "<script type='application/ld+json'>{broken,}</script><time datetime='2027-07-09T15:12:08Z'>",
        ] {
            assert_eq!(published(head), expected, "{head}");
        }
        assert_eq!(published("<time datetime='2027-07-09'>"), Some(utc("2027-07-08T22:00:00Z")));
        assert_eq!(published("<time datetime='vendredi'>"), None);
    }

    #[test]
    fn the_date_of_an_event_to_come_is_not_the_publication() {
        assert_eq!(published("<time datetime='2027-07-14T21:00'>"), None);
        let both = "<time datetime='2027-07-14T21:00'><time datetime='2027-07-09'>";
        assert_eq!(published(both), Some(utc("2027-07-08T22:00:00Z")));
    }

    #[test]
    fn a_page_without_a_date_has_its_last_modification_or_now() {
        let mut page = page("<h1>Titre</h1><p>Texte</p>");
        assert_eq!(article_of(&page, now()).unwrap().published, now());
        page.validators.last_modified = Some("Fri, 09 Jul 2027 15:12:08 GMT".to_owned());
        assert_eq!(article_of(&page, now()).unwrap().published, utc("2027-07-09T15:12:08Z"));
    }

    #[test]
    fn the_article_is_separated_from_the_page_around_it() {
        let read = read(
            "<title>Titre - Office</title><body><nav>Menu</nav><main><h1>Titre\n <em>vrai</em></h1>
             <div class=entry-content><p>Lundi 12 <script>track()</script></p><ul><li>marché</li></ul></div>
             <div class=entry-content><p>autre</p></div></main><footer>Mentions</footer>",
            now(),
        )
        .unwrap();
        assert_eq!(read.title, "Titre vrai");
        assert_eq!(read.html, "<p>Lundi 12 </p><ul><li>marché</li></ul>");
    }

    #[test]
    fn a_page_of_cards_is_read_whole_and_teasers_beside_an_article_are_not() {
        let card = |day: &str| format!("<h2>{day}</h2><article><h3>Visite</h3><p>à 10 h, halle</p></article>");
        let cards = read(&format!("<body><main>{}{}</main></body>", card("Lundi 12"), card("Mardi 13")), now());
        let html = cards.unwrap().html;
        assert!(html.contains("Lundi 12") && html.contains("Mardi 13"), "{html}");
        // One day has more to offer than the other.
        let long = card("Mardi 13").replace("halle", "halle aux grains, avec un guide");
        let cards = read(&format!("<body><main>{}{long}</main></body>", card("Lundi 12")), now());
        assert!(cards.unwrap().html.contains("Lundi 12"), "the shorter day is not lost");
        let teaser = "<article><h3>Autre</h3></article>";
        let own = "<article><p>Lundi 12, une longue visite de la halle à 10 h</p></article>";
        let html = read(&format!("<body><main>{teaser}{own}{teaser}</main></body>"), now()).unwrap().html;
        assert_eq!(html, "<p>Lundi 12, une longue visite de la halle à 10 h</p>");
    }

    #[test]
    fn a_fragment_is_accepted_as_an_article() {
        assert_eq!(
            read("<h3>Lundi</h3><ul><li>marché</li></ul>", now()).unwrap().html,
            "<h3>Lundi</h3><ul><li>marché</li></ul>"
        );
        assert_eq!(read("<body><nav>Menu</nav><script>x</script> </body>", now()), None);
    }

    #[test]
    fn links_are_absolute_and_keep_their_text() {
        let page = page("<a href='../ici/#haut'>Que  faire\n<b>ici</b></a><a href='http://['>x</a><a>y</a>");
        let expected: Url = "https://office.example/blog/ici/".parse().unwrap();
        assert_eq!(links(&page), [(expected, "Que faire ici".to_owned())]);
    }

    #[test]
    fn plain_text_becomes_paragraphs() {
        assert!(!is_html("Lundi 12 : entrée < 5 € & goûter <3"));
        for text in ["Lundi<BR/>marché", "<table><tr><td>Lundi</table>", "<pre>Lundi</pre>"] {
            assert!(is_html(text), "{text}");
        }
        assert_eq!(
            paragraphs("Lundi 12\r\n\n - marché & <fête>\n"),
            "<p>Lundi 12</p>\n<p>- marché &amp; &lt;fête&gt;</p>\n"
        );
    }
}
