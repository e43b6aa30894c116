//! RSS, Atom and JSON Feed: the entries of a feed, and the news among them.
//!
//! A truncated feed is refused, because the parser would accept it. Entities declared in a document (`<!ENTITY`) are never
//! expanded, and charset declarations are ignored, since the text is decoded already.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use feed_rs::model::{Entry, Feed, MediaObject};
use url::Url;

use super::collect_error::{CollectError, Missed};
use super::dates;
use super::fetch::{Fetcher, Page};
use super::html_to_text::{first_image, is_cut, one_line, paragraphs_of, summary, tidy, titled, web_address};
use super::language;
use super::remarks::{Harvest, Remark};
use super::title::plain_title;
use crate::domain::{
    Timestamp, characters,
    news::{NewsItem, Picture},
};

/// What the feed at `url` published after `since` up to `now`, newest first; in the language `lang`, or in any.
pub async fn news(
    url: &Url,
    lang: Option<&str>,
    fetcher: &Fetcher,
    since: Timestamp,
    now: Timestamp,
) -> Result<Harvest<NewsItem>, CollectError> {
    let page = fetcher.page(url).await?;
    let found = items(&page, lang).map_err(|source| CollectError::unreadable(&page.url, source))?;
    Ok(published_within(found, since, now))
}

/// Those published after `since` up to `now`, newest first, each once.
pub fn published_within(found: Harvest<NewsItem>, since: Timestamp, now: Timestamp) -> Harvest<NewsItem> {
    let Harvest { mut items, remarks } = found;
    items.retain(|item| item.published > since && item.published <= now);
    items.sort_by(|a, b| b.published.cmp(&a.published).then_with(|| a.id.cmp(&b.id)));
    let mut seen = std::collections::HashSet::new();
    items.retain(|item| seen.insert(item.id.clone()));
    Harvest::new(items, remarks)
}

/// All entries of the feed on `page`, or those in a language. An entry without a date cannot be news, and is reported.
pub fn items(page: &Page, lang: Option<&str>) -> Result<Harvest<NewsItem>, Missed> {
    let feed = parse(page)?;
    let host = || page.url.host_str().unwrap_or_default().to_owned();
    let name = feed.title.as_ref().map(|title| plain_title(&title.content)).filter(|title| !title.is_empty());
    let name = name.unwrap_or_else(host);
    let mut ids: HashMap<String, usize> = HashMap::new();
    feed.entries.iter().for_each(|entry| *ids.entry(entry.id.clone()).or_default() += 1);
    let is_unique = |id: &str| !id.is_empty() && ids.get(id) == Some(&1);
    let mut found = Harvest::default();
    for entry in feed.entries {
        let is_wanted = lang.is_none_or(|lang| {
            language::is_in(lang, entry.language.as_deref(), link_of(&entry, &base_of(&entry, page)).as_deref())
        });
        if !is_wanted {
            continue;
        }
        let unique = is_unique(&entry.id);
        match item(entry, page, &name, unique) {
            Ok(item) => found.items.push(item),
            Err((title, why)) => found.remarks.add(&title, why),
        }
    }
    match found.items.is_empty() && found.remarks.gone() > 0 {
        true => Err(Missed::NothingReadable(found.remarks)),
        false => Ok(found),
    }
}

/// # Errors
/// What it is called, and what it lacks.
fn item(entry: Entry, page: &Page, source: &str, unique: bool) -> Result<NewsItem, (String, Remark)> {
    // Atom asks for `updated` only; an entry that was never changed was published then.
    let published = entry.published.or(entry.updated);
    let base = base_of(&entry, page);
    let url = link_of(&entry, &base);
    let content = entry.content.as_ref().and_then(|content| Some((content.body.as_deref()?, &content.content_type)));
    let content_html = content.filter(|(_, kind)| kind.subty() != "plain").map(|(body, _)| body).unwrap_or_default();
    let content = match content {
        Some((body, kind)) if kind.subty() == "plain" => tidy(body),
        Some((body, _)) => paragraphs_of(body),
        None => String::new(),
    };
    let description = entry.summary.as_ref().map(|text| text.content.as_str()).unwrap_or_default();
    let image = image_in(&entry.media, &base)
        .or_else(|| enclosed_image(&entry, &base))
        .or_else(|| first_image(content_html, &base))
        .or_else(|| first_image(description, &base));
    let description = paragraphs_of(description);
    let given = one_line(&entry.title.map(|title| plain_title(&title.content)).unwrap_or_default());
    let Some(title) = titled(&given, &[&description, &content]) else {
        return Err((url.unwrap_or_default(), Remark::NoTitle));
    };
    let Some(published) = published else { return Err((title, Remark::BadDate)) };
    Ok(NewsItem {
        // An id that several entries share, or none, names nothing: the link and the title together do.
        id: match (unique, &url) {
            (true, _) => entry.id,
            (false, url) => format!("{}#{}#{}", entry.id, url.as_deref().unwrap_or_default(), given),
        },
        title,
        url,
        published,
        modified: entry.updated.filter(|updated| *updated != published),
        summary: best_summary(&description, &content),
        image,
        categories: entry
            .categories
            .into_iter()
            .map(|category| one_line(&plain_title(&category.label.unwrap_or(category.term))))
            .filter(|category| !category.is_empty())
            .collect(),
        commune: None,
        source: source.to_owned(),
    })
}

/// What the author wrote as a summary, unless a machine cut it: then the beginning of the text says more.
pub fn best_summary(description: &str, content: &str) -> String {
    if is_cut(description) && !content.trim().is_empty() { summary(content) } else { summary(description) }
}

fn base_of(entry: &Entry, page: &Page) -> Url {
    entry.base.as_deref().and_then(|base| page.url.join(base).ok()).unwrap_or_else(|| page.url.clone())
}

fn link_of(entry: &Entry, base: &Url) -> Option<String> {
    let alternate = entry.links.iter().filter(|link| matches!(link.rel.as_deref(), None | Some("alternate")));
    // Attachments of a JSON Feed are links with a media type.
    let pages = alternate.filter(|link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html")));
    pages.filter_map(|link| web_address(&link.href, base)).next()
}

/// `media:content`, then `media:thumbnail`; the parser gives RSS enclosures as media too.
fn image_in(media: &[MediaObject], base: &Url) -> Option<Picture> {
    let is_image = |url: &str| {
        let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"].iter().any(|end| path.ends_with(end))
    };
    let contents = media.iter().flat_map(|media| {
        media.content.iter().filter_map(move |content| {
            let url = content.url.as_ref()?.as_str();
            let known = content.content_type.as_ref().map(|kind| kind.ty() == "image");
            known.unwrap_or_else(|| is_image(url)).then_some((url, media))
        })
    });
    let thumbnails =
        media.iter().flat_map(|media| media.thumbnails.iter().map(move |it| (it.image.uri.as_str(), media)));
    contents.chain(thumbnails).find_map(|(url, media)| {
        let alt = media.description.as_ref().or(media.title.as_ref()).map(|text| plain_title(&text.content));
        Some(Picture { url: web_address(url, base)?, alt: one_line(&alt.unwrap_or_default()) })
    })
}

/// Atom's `<link rel="enclosure">` and the attachments of a JSON Feed.
fn enclosed_image(entry: &Entry, base: &Url) -> Option<Picture> {
    let images =
        entry.links.iter().filter(|link| link.media_type.as_deref().is_some_and(|kind| kind.starts_with("image/")));
    images.filter_map(|link| web_address(&link.href, base)).map(|url| Picture { url, alt: String::new() }).next()
}

/// The feed on a page.
pub fn parse(page: &Page) -> Result<Feed, Missed> {
    // A blog's feed declares no entities; the parser would not expand them anyway.
    if page.text.contains("<!ENTITY") {
        return Err(Missed::FeedWithEntities);
    }
    // The parser would believe the declaration of a charset and decode once more.
    let text = match page.text.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, feed)) => feed,
        None => &page.text,
    };
    // The parser drops a single thumbnail, which is how many sites give their featured image.
    let text = match text.contains("<media:thumbnail") && !text.contains("<media:content") {
        true => &text.replace("media:thumbnail", "media:content"),
        false => text,
    };
    let text = &characters::clean(text);
    let base = page.url.as_str();
    let is_xml = text.trim_start().starts_with('<');
    let whole = whole_feed(text).filter(|_| is_xml);
    // A parser reads once.
    let parser = || feed_rs::parser::Builder::new().base_uri(Some(base)).timestamp_parser(timestamp).build();
    let read = |text: &str| parser().parse(text.as_bytes());
    // A raw `&` is what a title of two partners looks like: mended, where it is what keeps a feed from being read.
    let feed = read(whole.unwrap_or(text)).or_else(|error| match with_ampersands(whole.unwrap_or(text)) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(mended) => read(&mended),
    });
    let feed = feed.map_err(|error| Missed::BadFeed(error.into()))?;
    if is_xml && whole.is_none() { Err(Missed::CutFeed) } else { Ok(feed) }
}

/// The feed up to the end of its root; text after it is ignored. `None` if the root is not closed.
fn whole_feed(text: &str) -> Option<&str> {
    let start = text.find(['<'])?;
    let root = text[start..].split('<').find_map(|piece| {
        let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '_' | '-')).collect();
        (!name.is_empty()).then_some(name)
    })?;
    let end = text.rfind(&format!("</{root}"))?;
    Some(&text[..end + text[end..].find('>')? + 1])
}

/// Each `&` that begins no entity, written as one; not within CDATA, where it is itself.
fn with_ampersands(text: &str) -> Cow<'_, str> {
    let is_entity = |rest: &str| {
        let name = rest.split(';').next().unwrap_or_default();
        let inner = name.strip_prefix('#').unwrap_or(name);
        rest.len() > name.len()
            && !inner.is_empty()
            && name.len() <= 32
            && inner.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let mut mended = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = text[at..].find(['&', '<']) {
        at += found;
        if text[at..].starts_with("<![CDATA[") {
            at = text[at..].find("]]>").map_or(text.len(), |end| at + end + 3);
        } else if text[at..].starts_with('&') && !is_entity(&text[at + 1..]) {
            mended.push_str(&text[kept..at]);
            mended.push_str("&amp;");
            at += 1;
            kept = at;
        } else {
            at += 1;
        }
    }
    if mended.is_empty() {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[kept..]);
    Cow::Owned(mended)
}

fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    dates::instant(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(page: &Page) -> Result<Harvest<NewsItem>, Missed> {
        super::items(page, None)
    }

    fn page(text: &str) -> Page {
        Page {
            url: "https://office.example/feed/".parse().unwrap(),
            text: text.to_owned(),
            content_type: None,
            validators: Default::default(),
        }
    }

    fn rss(item: &str) -> Page {
        page(&format!(
            "<?xml version='1.0'?><rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' \
             xmlns:media='http://search.yahoo.com/mrss/'><channel><title>Office</title>\
             <item><pubDate>Fri, 09 Jul 2027 15:12:08 +0000</pubDate>{item}</item></channel></rss>"
        ))
    }

    fn only(page: &Page) -> NewsItem {
        let mut items = items(page).unwrap().items;
        assert_eq!(items.len(), 1, "{items:?}");
        items.remove(0)
    }

    fn image(item: &str) -> Option<String> {
        only(&rss(&format!("<title>t</title>{item}"))).image.map(|picture| picture.url)
    }

    #[test]
    fn the_image_is_found_in_every_usual_element_of_a_feed() {
        let halle = Some("https://office.example/halle.jpg".to_owned());
        for item in [
            "<enclosure url='https://office.example/halle.jpg' type='image/jpeg' length='1'/>",
            "<media:content url='https://office.example/halle.jpg' medium='image'/>",
            "<media:thumbnail url='https://office.example/halle.jpg'/>",
            "<content:encoded><![CDATA[<p>a</p><img src='/halle.jpg'>]]></content:encoded>",
            "<description><![CDATA[<img src='../halle.jpg'> b]]></description>",
        ] {
            assert_eq!(image(item), halle, "{item}");
        }
        let podcast = "<enclosure url='https://office.example/son.mp3' type='audio/mpeg' length='1'/>";
        assert_eq!(image(podcast), None);
    }

    #[test]
    fn a_truncated_summary_is_replaced_by_the_text() {
        let with = |description: &str, content: &str| {
            only(&rss(&format!(
                "<description><![CDATA[{description}]]></description><content:encoded><![CDATA[{content}]]></content:encoded>"
            )))
            .summary
        };
        assert_eq!(with("<p>Début [&#8230;]</p>", "<p>Début et fin.</p><p>Suite.</p>"), "Début et fin.\n\nSuite.");
        assert_eq!(with("Résumé écrit à la main.", "<p>Texte.</p>"), "Résumé écrit à la main.");
        assert_eq!(with("Début [...]", ""), "Début…");
    }

    #[test]
    fn an_entry_without_a_date_is_no_news_and_one_without_a_zone_is_french() {
        let undated = page("<rss version='2.0'><channel><title>x</title><item><title>a</title></item></channel></rss>");
        let error = items(&undated).unwrap_err();
        assert!(error.to_string().contains("not one record"), "{error}");
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title><id>x</id><updated>2027-07-09</updated>\
                    <entry><id>a</id><title>a</title><updated>2027-07-09T17:12:08</updated></entry></feed>";
        let item = only(&page(atom));
        assert_eq!(item.published, "2027-07-09T15:12:08Z".parse::<Timestamp>().unwrap());
        assert_eq!(item.modified, None);
    }

    #[test]
    fn fr22_entries_with_any_date_notation_are_news_and_invalid_dates_are_reported() {
        let entry = |title: &str, date: &str| {
            format!(
                "<item><title>{title}</title><link>https://o.example/{title}</link><pubDate>{date}</pubDate></item>"
            )
        };
        let all = [
            ("a", "ven, 20 nov. 2026 17:12:08 +0100"),
            ("b", "Fri, 20 Nov 2026 05:12 PM"),
            ("c", "Fri, 20 November 2026 17:12:08 +0200"),
            ("d", "Nov 20, 2026"),
            ("e", "20/11/2026 17:12"),
            ("f", "hier"),
        ];
        let all: String = all.iter().map(|(title, date)| entry(title, date)).collect();
        let found =
            items(&page(&format!("<rss version='2.0'><channel><title>x</title>{all}</channel></rss>"))).unwrap();
        assert_eq!(found.items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
        assert_eq!(found.remarks.in_french("x"), ["x, laissé de côté\u{a0}: «\u{a0}f\u{a0}» (date illisible)."]);
    }

    #[test]
    fn fr24_an_entry_without_a_title_has_its_first_words() {
        let item = only(&rss("<link>https://o.example/x</link><description>Sans titre. Suite.</description>"));
        assert_eq!(item.title, "Sans titre");
        let bare = rss("<link>https://o.example/x</link>");
        assert!(matches!(items(&bare), Err(Missed::NothingReadable(_))));
    }

    #[test]
    fn fr25_a_raw_ampersand_and_text_after_the_feed_are_tolerated() {
        let item = only(&rss("<title>Esperluette & Cie &amp; fils</title><link>https://o.example/a?b=1&c=2</link>"));
        assert_eq!(
            (item.title.as_str(), item.url.as_deref()),
            ("Esperluette & Cie & fils", Some("https://o.example/a?b=1&c=2"))
        );
        let behind = format!("{}\n<script>console.log('x')</script>", rss("<title>a</title>").text);
        assert_eq!(only(&page(&behind)).title, "a");
        let text = only(&rss("<title>a</title><description><![CDATA[<p>Vins & fromages</p>]]></description>")).summary;
        assert_eq!(text, "Vins & fromages");
    }

    #[test]
    fn fr09_characters_invalid_in_xml_are_removed_from_a_feed() {
        assert_eq!(only(&rss("<title>Atelier\u{b}poterie\u{1}</title>")).title, "Atelier poterie");
    }

    #[test]
    fn fr24_an_id_shared_by_several_entries_is_ignored() {
        let entry = |title: &str| {
            format!(
                "<item><guid>1</guid><title>{title}</title><link>https://o.example/</link><pubDate>Fri, 09 Jul 2027 15:12:08 +0000</pubDate></item>"
            )
        };
        let found = items(&page(&format!(
            "<rss version='2.0'><channel><title>x</title>{}{}</channel></rss>",
            entry("a"),
            entry("b")
        )))
        .unwrap();
        let (since, now) = ("2027-07-01T00:00:00Z".parse().unwrap(), "2027-08-01T00:00:00Z".parse().unwrap());
        assert_eq!(published_within(found, since, now).items.len(), 2);
    }

    #[test]
    fn a_json_feed_is_a_feed() {
        let json = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "Office", "items": [{"id": "7",
            "url": "https://office.example/a/", "title": "Fête &amp; marché", "content_html": "<p>Venez.</p>",
            "date_published": "2027-07-09T17:12:08+02:00", "tags": ["Agenda"],
            "attachments": [{"url": "https://office.example/a.jpg", "mime_type": "image/jpeg"}]}]}"#;
        let item = only(&page(json));
        assert_eq!((item.id.as_str(), item.title.as_str(), item.summary.as_str()), ("7", "Fête & marché", "Venez."));
        assert_eq!(item.url.as_deref(), Some("https://office.example/a/"));
        assert_eq!(item.image.unwrap().url, "https://office.example/a.jpg");
        assert_eq!(item.categories, ["Agenda"]);
        assert!(matches!(items(&page(&json[..200])), Err(Missed::BadFeed(_))));
    }

    #[test]
    fn e07_a_truncated_feed_is_rejected() {
        let whole = rss("<title>a</title>").text;
        assert!(items(&page(&format!("{whole}\n<!-- cached -->\n"))).is_ok());
        for end in ["</rss>", "</channel></rss>", "</item></channel></rss>"] {
            let cut = whole.strip_suffix(end).unwrap();
            assert!(matches!(items(&page(cut)), Err(Missed::CutFeed | Missed::BadFeed(_))), "{cut}");
        }
        for text in ["", "<!DOCTYPE html><title>Connexion</title>", "[]", "{}"] {
            assert!(matches!(items(&page(text)), Err(Missed::BadFeed(_))), "{text}");
        }
    }

    #[test]
    fn e09_entities_of_the_document_are_refused() {
        let bomb = "<!DOCTYPE rss [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><rss version='2.0'><channel><title>&b;</title></channel></rss>";
        let outside = "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss version='2.0'><channel><title>&x;</title></channel></rss>";
        for text in [bomb, outside] {
            assert!(matches!(items(&page(text)), Err(Missed::FeedWithEntities)));
        }
    }

    #[test]
    fn entries_are_sorted_and_deduplicated() {
        let at = |hour: u32| format!("2027-07-09T{hour:02}:00:00Z").parse::<Timestamp>().unwrap();
        let item =
            |id: &str, hour| NewsItem { id: id.to_owned(), published: at(hour), ..only(&rss("<title>a</title>")) };
        let all = vec![item("a", 8), item("b", 9), item("b", 9), item("c", 12), item("d", 13)];
        let found = published_within(Harvest { items: all, ..Harvest::default() }, at(8), at(12));
        assert_eq!(found.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    }
}
