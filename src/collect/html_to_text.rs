//! Converts HTML to the plain texts of news and listings: paragraphs, a short summary, the first image.
//!
//! Entities are decoded once, by the HTML parser. Never keeps markup, never truncates within a word.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use scraper::{ElementRef, Selector};
use url::Url;

use super::html;
use crate::domain::{characters, news::Picture};

/// Of a summary, in characters: three or four sentences.
pub const LONGEST_SUMMARY: usize = 480;

/// What is in a text and does not belong to its words.
const SILENT: [&str; 9] = ["script", "style", "noscript", "template", "iframe", "svg", "figcaption", "form", "button"];
const BLOCKS: [&str; 26] = [
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "table",
    "tr",
    "section",
    "article",
    "figure",
    "header",
    "footer",
    "main",
    "hr",
    "pre",
    "body",
];

/// The text of a piece of HTML, its paragraphs parted by an empty line. Nothing of one that cannot be parsed.
pub fn paragraphs_of(html: &str) -> String {
    let Some(document) = html::parse(&without_shortcodes(html)) else { return String::new() };
    let mut text = String::new();
    write(document.root_element(), &mut text);
    tidy(&text)
}

/// Without the shortcodes of page builders that a site left in its text: `[et_pb_section fb_built="1"]`, `[/vc_row]`, and any
/// other that has attributes or an end of its own. Words in brackets that a person wrote stay: `[ANNULÉ]`, `[…]`.
pub fn without_shortcodes(text: &str) -> Cow<'_, str> {
    #[expect(clippy::expect_used, reason = "constant patterns, compiled by the tests of this file")]
    static CODES: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        let prefixes = "et_pb|et_|vc|fusion|av|ux|mk|tm|elementor|wpb|kc|cs|fl|ult|dt|wpv|wpforms|contact-form|rev|su|gravityform|ninja|wp_|ez|toc|caption|gallery|embed|audio|video|playlist|smartslider";
        let attributes =
            r#"(?:\s+[A-Za-z_][\w-]*\s*=\s*(?:"[^"\]]*"|'[^'\]]*'|”[^”\]]*”|«[^»\]]*»|″[^″\]]*″|&[^\]]*|[^\s\]]+))"#;
        [
            Regex::new(&format!(r"\[/?(?:{prefixes})[a-z0-9_-]*(?:\s[^\]]*)?/?\]")).expect("valid"),
            Regex::new(&format!(r"\[/[a-z][a-z0-9_-]*\]|\[[a-z][a-z0-9_-]*{attributes}+\s*/?\]")).expect("valid"),
        ]
    });
    if !text.contains('[') {
        return Cow::Borrowed(text);
    }
    CODES.iter().fold(Cow::Borrowed(text), |text, codes| match codes.replace_all(&text, "") {
        Cow::Borrowed(_) => text,
        Cow::Owned(text) => Cow::Owned(text),
    })
}

/// A title, or else the first words of the text; `None` if both are empty.
pub fn titled(title: &str, texts: &[&str]) -> Option<String> {
    const LONGEST: usize = 90;
    let title = one_line(title);
    if !title.is_empty() {
        return Some(title);
    }
    let text = texts.iter().find_map(|text| text.split("\n\n").map(one_line).find(|text| !text.is_empty()))?;
    let first = sentence_ends(&text).next().map_or(text.as_str(), |end| text[..end].trim_end());
    if first.chars().count() <= LONGEST {
        return Some(first.trim_end_matches('.').to_owned());
    }
    let limit = first.char_indices().nth(LONGEST).map_or(first.len(), |(at, _)| at);
    let end = first[..limit].rfind(' ').unwrap_or(limit);
    Some(format!("{}…", first[..end].trim_end_matches(|c: char| c.is_whitespace() || ",;:–-".contains(c))))
}

/// Plain text with its white space folded: lines of a paragraph joined, paragraphs parted by an empty line.
pub fn tidy(text: &str) -> String {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in text.lines().map(one_line) {
        match paragraphs.last_mut() {
            _ if line.is_empty() => paragraphs.push(String::new()),
            Some(paragraph) if !paragraph.is_empty() => *paragraph = format!("{paragraph} {line}"),
            Some(paragraph) => *paragraph = line,
            None => {}
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// One line, its ordinary spaces folded; those that never end a line are kept. What no mail can hold is gone.
pub fn one_line(text: &str) -> String {
    let text = characters::clean(text);
    text.split(|c: char| c.is_ascii_whitespace()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The tree is at most as deep as [`html::parse`] lets it be, so that this may recurse.
fn write(element: ElementRef<'_>, text: &mut String) {
    let name = element.value().name();
    if SILENT.contains(&name) {
        return;
    }
    let is_block = BLOCKS.contains(&name);
    if is_block {
        text.push_str("\n\n");
    }
    for child in element.children() {
        if let Some(words) = child.value().as_text() {
            // A line's end in the source is a space for the reader.
            text.extend(words.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
        } else if let Some(element) = ElementRef::wrap(child) {
            match element.value().name() {
                "br" => text.push('\n'),
                // Cells of a row must not be glued.
                "td" | "th" => {
                    text.push(' ');
                    write(element, text);
                }
                _ => write(element, text),
            }
        }
    }
    if is_block {
        text.push_str("\n\n");
    }
}

/// A few sentences of a text: all of a short one, else the whole sentences that fit, else as many words and « … ».
pub fn summary(text: &str) -> String {
    let text = without_trailer(text);
    let (text, was_cut) = match text.strip_suffix("[…]").or_else(|| text.strip_suffix("[...]")) {
        Some(rest) => (rest.trim_end().trim_end_matches(['…', '.', ',', ' ']), true),
        None => (text, false),
    };
    if text.chars().count() <= LONGEST_SUMMARY {
        return if was_cut && !text.is_empty() { format!("{text}…") } else { text.to_owned() };
    }
    let limit = text.char_indices().nth(LONGEST_SUMMARY).map_or(text.len(), |(at, _)| at);
    match sentence_ends(text).take_while(|end| *end <= limit).last() {
        // A summary of two words would say less than half a sentence.
        Some(end) if end * 4 >= limit => text[..end].trim_end().to_owned(),
        _ => {
            let end = text[..limit].rfind(|c: char| c.is_ascii_whitespace()).unwrap_or(limit);
            format!("{}…", text[..end].trim_end_matches(|c: char| c.is_whitespace() || ",;:–-".contains(c)))
        }
    }
}

/// Whether a summary was cut by who wrote it: WordPress ends it with `[…]`.
pub fn is_cut(text: &str) -> bool {
    let text = without_trailer(text);
    text.is_empty() || text.ends_with("[…]") || text.ends_with("[...]")
}

/// Leaves out what WordPress adds to each entry of its feed: « L’article … est apparu en premier sur … ».
fn without_trailer(text: &str) -> &str {
    let text = text.trim();
    let trailer =
        |paragraph: &str| paragraph.contains("est apparu en premier sur") || paragraph.contains(" appeared first on ");
    match text.rsplit_once("\n\n") {
        Some((rest, last)) if trailer(last) => rest.trim_end(),
        None if trailer(text) => "",
        _ => text,
    }
}

/// Where sentences and paragraphs end, as byte offsets behind their last sign.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let closes = |c: char| matches!(c, '»' | '”' | '"' | ')' | '\u{a0}' | '\u{202f}');
    text.char_indices().filter_map(move |(at, c)| {
        if c == '\n' {
            return Some(at);
        }
        if !matches!(c, '.' | '!' | '?' | '…') {
            return None;
        }
        let after = &text[at + c.len_utf8()..];
        let tail: usize = after.chars().take_while(|c| closes(*c)).map(char::len_utf8).sum();
        let rest = &after[tail..];
        // `M. Dupont`, `av. de l’Yser`: a dot behind one or two letters ends no sentence.
        let word = text[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_short =
            c == '.' && word.chars().count() < 3 && word.chars().all(char::is_alphabetic) && !word.is_empty();
        let ends = !is_short && (rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace()));
        ends.then_some(at + c.len_utf8() + tail)
    })
}

/// The first image of a piece of HTML that is part of its content: no smiley, no counting pixel.
pub fn first_image(html: &str, base: &Url) -> Option<Picture> {
    // Most entries have none, and parsing costs.
    if !html.contains("<img") && !html.contains("<IMG") {
        return None;
    }
    let document = html::parse(html)?;
    let images = Selector::parse("img").ok()?;
    document.select(&images).find_map(|image| {
        let tiny = |side| image.attr(side).and_then(|n| n.trim().parse::<u32>().ok()).is_some_and(|n| n < 32);
        if tiny("width") || tiny("height") || image.attr("class").is_some_and(|class| class.contains("smiley")) {
            return None;
        }
        // A site that loads its images late has a placeholder in `src`.
        let sources = ["data-src", "data-lazy-src", "src"].into_iter().filter_map(|name| image.attr(name));
        let url = sources.filter_map(|source| web_address(source, base)).next()?;
        let alt = one_line(image.attr("alt").unwrap_or_default());
        Some(Picture { url, alt })
    })
}

/// A link resolved against its page; `None` unless it is http(s).
pub fn web_address(link: &str, base: &Url) -> Option<String> {
    let link = link.trim();
    let url = (!link.is_empty()).then(|| base.join(link).ok()).flatten()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://office.example/blog/".parse().unwrap()
    }

    #[test]
    fn words_are_never_joined_and_paragraphs_are_kept() {
        let html = "<p>Marché à<br>Pavie\n et <b>Auch</b>&nbsp;!</p><script>x()</script><ul><li>un</li><li>deux</li></ul>\
                    <table><tr><td>10 h</td><td>visite</td></tr></table>";
        assert_eq!(paragraphs_of(html), "Marché à Pavie et Auch\u{a0}!\n\nun\n\ndeux\n\n10 h visite");
        assert_eq!(paragraphs_of("a<br><br>b"), "a\n\nb");
        assert_eq!(paragraphs_of(&"<div>".repeat(10_000)), "");
    }

    #[test]
    fn fr28_shortcodes_of_page_builders_are_removed() {
        for (text, plain) in [
            (
                "[et_pb_section fb_built=\"1\"][et_pb_row][et_pb_text]Vrai texte ici.[/et_pb_text][/et_pb_row][/et_pb_section]",
                "Vrai texte ici.",
            ),
            ("[vc_row][vc_column width=&#8221;1/2&#8243;]Texte[/vc_column][/vc_row]", "Texte"),
            ("[fusion_builder_container hundred_percent=”no”]a[/fusion_builder_container]", "a"),
            ("[av_one_full first]b[/av_one_full]", "b"),
            ("[mystere a=1 b='2']c[/mystere]", "c"),
            ("[ANNULÉ] Concert [complet] […] [...] [1] [sic]", "[ANNULÉ] Concert [complet] […] [...] [1] [sic]"),
        ] {
            assert_eq!(paragraphs_of(&format!("<p>{text}</p>")), plain, "{text}");
        }
    }

    #[test]
    fn fr24_an_item_without_a_title_gets_its_first_words() {
        assert_eq!(titled(" ", &["", "Sans titre.\n\nSuite."]).as_deref(), Some("Sans titre"));
        assert_eq!(titled("a", &["b"]).as_deref(), Some("a"));
        assert_eq!(titled("", &["", " "]), None);
        let long = titled("", &[&"patrimoine, ".repeat(20)]).unwrap();
        assert!(long.ends_with("patrimoine…") && long.chars().count() <= 91, "{long}");
    }

    #[test]
    fn entities_are_decoded_once() {
        assert_eq!(paragraphs_of("<p>Vins &amp;amp; fromages, 3 &lt; 5</p>"), "Vins &amp; fromages, 3 < 5");
    }

    #[test]
    fn a_short_text_is_its_own_summary() {
        assert_eq!(summary("Une fête. Venez\u{a0}!"), "Une fête. Venez\u{a0}!");
        assert_eq!(summary("C’est l’été ! Voici votre agenda [...]"), "C’est l’été ! Voici votre agenda…");
        assert_eq!(summary("[…]"), "");
        assert_eq!(summary("Un mot.\n\nL’article Un mot est apparu en premier sur Office."), "Un mot.");
    }

    #[test]
    fn a_long_text_ends_with_a_sentence() {
        let sentence = "Le musée de M. Dupont rouvre ses portes à 10 h\u{a0}! ";
        let summary = summary(&sentence.repeat(40));
        assert!(summary.ends_with("à 10 h\u{a0}!"), "{summary}");
        assert!(summary.chars().count() <= LONGEST_SUMMARY && summary.chars().count() > LONGEST_SUMMARY / 2);
    }

    #[test]
    fn a_long_sentence_ends_with_a_word() {
        let summary = summary(&"patrimoine, ".repeat(80));
        assert!(summary.ends_with("patrimoine…") && summary.chars().count() <= LONGEST_SUMMARY + 1, "{summary}");
        let one_word = "é".repeat(2 * LONGEST_SUMMARY);
        assert_eq!(super::summary(&one_word).chars().count(), LONGEST_SUMMARY + 1);
    }

    #[test]
    fn the_first_valid_image_is_found_and_made_absolute() {
        let html = "<img src='/pixel.gif' width=1 height=1><img class='wp-smiley' src='x.png'><img src='data:image/gif;base64,R0'>\
                    <img src='data:x' data-src='../photos/halle.jpg' alt=' La  halle '><img src='autre.jpg'>";
        let found = first_image(html, &base()).unwrap();
        assert_eq!((found.url.as_str(), found.alt.as_str()), ("https://office.example/photos/halle.jpg", "La halle"));
        assert_eq!(first_image("<p>rien</p>", &base()), None);
    }

    #[test]
    fn a_link_that_is_not_http_is_dropped() {
        assert_eq!(web_address("/a?b=1", &base()).as_deref(), Some("https://office.example/a?b=1"));
        for link in ["", "javascript:alert(1)", "mailto:a@b.example", "file:///etc/passwd", "http://["] {
            assert_eq!(web_address(link, &base()), None, "{link}");
        }
    }
}
