//! The meaning of tags: line break, bold, or part of the page around the article.

use html5ever::tokenizer::{Tag, TokenSinkResult, states};
use html5ever::{LocalName, local_name};

/// Classes and ids of what stands around an article, in the usual themes.
#[rustfmt::skip]
pub(super) const FURNITURE: &[&str] = &[
    "comments", "comment-list", "comments-area", "commentlist", "comment-respond", "respond", "sharedaddy",
    "sharing", "share", "share-buttons", "social-share", "post-share", "jp-relatedposts", "related",
    "related-posts", "related-articles", "yarpp-related", "breadcrumb", "breadcrumbs", "sidebar", "newsletter",
    "cookie-banner", "cookies", "pagination", "post-navigation", "nav-links", "screen-reader-text", "sr-only",
    "visually-hidden", "author-box", "publicite", "wp-caption-text", "wp-caption-dd", "gallery-caption", "blocks-gallery-caption",
    "cookie-notice", "cookie-law-info-bar", "tarteaucitron",
];

/// Classes of the element that holds an article's text, in the usual themes.
#[rustfmt::skip]
const CONTENT: &[&str] = &[
    "entry-content", "post-content", "article-content", "td-post-content", "post__content", "article__content",
    "article-body", "post-body", "single-content", "elementor-widget-theme-post-content",
];

pub(super) fn scope_rank(tag: &Tag) -> Option<u8> {
    let content = attribute(tag, "class")
        .is_some_and(|class| class.split_ascii_whitespace().any(|word| CONTENT.contains(&word)))
        || attribute(tag, "itemprop") == Some("articleBody");
    match &*tag.name {
        _ if content => Some(3),
        "article" => Some(2),
        "main" => Some(1),
        _ => None,
    }
}

pub(super) fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attr| &*attr.name.local == name).map(|attr| &*attr.value)
}

pub(super) fn heading_level(name: &LocalName) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

pub(super) fn is_strong(tag: &Tag) -> bool {
    if matches!(&*tag.name, "strong" | "b") {
        return true;
    }
    attribute(tag, "style").is_some_and(|style| {
        style.to_ascii_lowercase().split(';').any(|rule| {
            rule.split_once(':').is_some_and(|(key, value)| {
                key.trim() == "font-weight"
                    && (value.trim().starts_with("bold") || matches!(value.trim(), "600" | "700" | "800" | "900"))
            })
        })
    })
}

pub(super) fn is_void(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("hr")
            | local_name!("img")
            | local_name!("input")
            | local_name!("meta")
            | local_name!("link")
            | local_name!("area")
            | local_name!("base")
            | local_name!("col")
            | local_name!("embed")
            | local_name!("source")
            | local_name!("track")
            | local_name!("wbr")
            | local_name!("param")
    )
}

/// `<path/>` closes itself; `<div/>` does not.
pub(super) fn is_foreign(name: &LocalName) -> bool {
    matches!(&**name, "svg" | "path" | "circle" | "rect" | "line" | "polygon" | "use" | "g" | "o:p")
}

pub(super) fn is_block(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("p")
            | local_name!("li")
            | local_name!("ul")
            | local_name!("ol")
            | local_name!("h1")
            | local_name!("h2")
            | local_name!("h3")
            | local_name!("h4")
            | local_name!("h5")
            | local_name!("h6")
            | local_name!("div")
            | local_name!("section")
            | local_name!("article")
            | local_name!("main")
            | local_name!("header")
            | local_name!("footer")
            | local_name!("aside")
            | local_name!("nav")
            | local_name!("dl")
            | local_name!("dt")
            | local_name!("dd")
            | local_name!("table")
            | local_name!("thead")
            | local_name!("tbody")
            | local_name!("tfoot")
            | local_name!("tr")
            | local_name!("td")
            | local_name!("th")
            | local_name!("caption")
            | local_name!("blockquote")
            | local_name!("figure")
            | local_name!("figcaption")
            | local_name!("pre")
            | local_name!("address")
            | local_name!("details")
            | local_name!("summary")
            | local_name!("form")
            | local_name!("fieldset")
            | local_name!("legend")
            | local_name!("center")
            | local_name!("body")
            | local_name!("html")
            | local_name!("head")
            | local_name!("title")
            | local_name!("option")
    )
}

pub(super) fn raw_text(name: &LocalName) -> TokenSinkResult<()> {
    match &**name {
        "script" => TokenSinkResult::RawData(states::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" | "xmp" => TokenSinkResult::RawData(states::Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(states::Rcdata),
        _ => TokenSinkResult::Continue,
    }
}
