//! Parses HTML to a tree; the only such parser in `collect`.
//!
//! Always with limits: a few hundred kilobytes of hostile nesting keep the parser busy for minutes or fill the memory, and
//! parsing cannot be interrupted.

use html5ever::QualName;
use html5ever::driver::{self, ParseOpts};
use html5ever::serialize::{AttrRef, HtmlSerializer, Serialize, SerializeOpts, Serializer, TraversalScope};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink};
use std::io;

/// Browsers stop at 512; pages that people read stay far below.
const DEEPEST: usize = 512;
/// Maximum number of nodes; a page of the maximum size has fewer, unless every byte is a tag.
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

/// The HTML inside an element.
pub fn inner(element: &ElementRef<'_>) -> String {
    let scope = TraversalScope::ChildrenOnly(None);
    let options = SerializeOpts { traversal_scope: scope.clone(), ..SerializeOpts::default() };
    let mut html = Vec::new();
    let written = Serialize::serialize(element, &mut InPieces(HtmlSerializer::new(&mut html, options)), scope);
    match written {
        Ok(()) => String::from_utf8_lossy(&html).into_owned(),
        Err(_) => String::new(),
    }
}

/// Passes texts on in pieces. In one text the library takes quadratic time for `«`, whose first byte is that of a
/// non-breaking space (L1).
struct InPieces<S>(S);

impl<S: Serializer> Serializer for InPieces<S> {
    fn start_elem<'a, A: Iterator<Item = AttrRef<'a>>>(&mut self, name: QualName, attributes: A) -> io::Result<()> {
        self.0.start_elem(name, attributes)
    }

    fn end_elem(&mut self, name: QualName) -> io::Result<()> {
        self.0.end_elem(name)
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        pieces(text).try_for_each(|piece| self.0.write_text(piece))
    }

    fn write_comment(&mut self, text: &str) -> io::Result<()> {
        self.0.write_comment(text)
    }

    fn write_doctype(&mut self, name: &str) -> io::Result<()> {
        self.0.write_doctype(name)
    }

    fn write_processing_instruction(&mut self, target: &str, data: &str) -> io::Result<()> {
        self.0.write_processing_instruction(target, data)
    }
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
    fn l1_a_text_is_written_in_pieces_and_reads_as_before() {
        /// The longest text it was given.
        #[derive(Default)]
        struct Longest(usize);

        impl Serializer for Longest {
            fn start_elem<'a, A: Iterator<Item = AttrRef<'a>>>(&mut self, _: QualName, _: A) -> io::Result<()> {
                Ok(())
            }
            fn end_elem(&mut self, _: QualName) -> io::Result<()> {
                Ok(())
            }
            fn write_text(&mut self, text: &str) -> io::Result<()> {
                self.0 = self.0.max(text.len());
                Ok(())
            }
            fn write_comment(&mut self, _: &str) -> io::Result<()> {
                Ok(())
            }
            fn write_doctype(&mut self, _: &str) -> io::Result<()> {
                Ok(())
            }
            fn write_processing_instruction(&mut self, _: &str, _: &str) -> io::Result<()> {
                Ok(())
            }
        }
        let text = format!("<p title='a\"b'>{}</p><!-- x --><ul><li>a\u{a0}&lt;b&amp;c</ul>", "« (".repeat(4_000));
        let document = parse(&text).unwrap();
        let root = document.root_element();
        assert_eq!(inner(&root), root.inner_html());
        let mut longest = InPieces(Longest::default());
        Serialize::serialize(&root, &mut longest, TraversalScope::ChildrenOnly(None)).unwrap();
        assert!((1..=PIECE).contains(&longest.0.0), "{}", longest.0.0);
    }

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
