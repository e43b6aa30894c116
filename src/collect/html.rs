//! Parses HTML to a tree; the only such parser in `collect`.
//!
//! Always with limits: a few hundred kilobytes of hostile nesting keep the parser busy for minutes or fill the memory, and
//! parsing cannot be interrupted.

use html5ever::driver::{self, ParseOpts};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{Html, HtmlTreeSink};

/// Browsers stop at 512; pages that people read stay far below.
const DEEPEST: usize = 512;
/// A page of the size limit has fewer, unless each byte of it is a tag.
const MOST_NODES: usize = 400_000;
/// Looked at after as many bytes: few enough for little to go wrong in between.
const PIECE: usize = 1024;

/// The document, or `None` where it is nested or multiplied beyond anything a person would publish.
/// A fragment is a document too: its root and body are added.
pub fn parse(text: &str) -> Option<Html> {
    let mut parser = driver::parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    for piece in pieces(text) {
        parser.process(StrTendril::from(piece));
        let tree = &parser.tokenizer.sink.sink.0.borrow().tree;
        let newest = tree.nodes().next_back();
        let depth = newest.map_or(0, |node| node.ancestors().take(DEEPEST + 1).count());
        if depth > DEEPEST || tree.values().len() > MOST_NODES {
            return None;
        }
    }
    Some(parser.finish())
}

/// The text of a piece of HTML, all tags gone; nothing of one that cannot be parsed.
pub fn text_of(html: &str) -> String {
    parse(html).map(|document| document.root_element().text().collect()).unwrap_or_default()
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_parses_the_same_in_pieces_as_whole() {
        let text = "<h3>Été &agrave; Auch</h3><ul><li>« fête »<br/>à 5 €</ul><table><td>é</table>".repeat(100);
        assert!(text.len() > 5 * PIECE);
        assert_eq!(parse(&text).unwrap().html(), Html::parse_document(&text).html());
        assert_eq!(pieces(&text).collect::<String>(), text);
    }

    #[test]
    fn text_is_the_document_without_its_tags() {
        assert_eq!(text_of("<p>Vins &amp; <em>fromages</em></p>"), "Vins & fromages");
        assert_eq!(text_of(""), "");
    }

    #[test]
    fn a_long_page_of_unclosed_paragraphs_is_read() {
        let text = "<p>marché<li>pain<br>".repeat(10_000);
        assert!(parse(&text).is_some());
        assert!(parse(&("<div>".repeat(400) + "x")).is_some());
    }

    #[test]
    fn a_page_that_would_take_too_long_to_parse_is_rejected() {
        let fonts: String = (0..400).map(|n| format!("<font size={n}>")).collect();
        for page in [
            "<div>".repeat(200_000),
            "<svg>".repeat(200_000),
            "<b>".repeat(200_000),
            "<table><tr><td>".repeat(60_000),
            // Each paragraph would hold all the fonts once more.
            format!("<p>{fonts}") + &"<p>x".repeat(100_000),
            // Deep only between two looks.
            ("<i>".repeat(300) + &"</i>".repeat(20)).repeat(200),
        ] {
            assert!(parse(&page).is_none(), "{}", &page[..40]);
        }
    }
}
