//! An editorial's Markdown as a mail shows it. The only part that knows `pulldown_cmark`.
//!
//! Paragraphs, headings, lists, emphasis and links; what else there may be comes out as the words it holds. HTML within it
//! is text: nobody writes markup into a mail this way.

use crate::domain::french;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// Both forms of a mail's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formatted {
    /// Escaped, with the styles mail programs need.
    pub html: String,
    /// Paragraphs parted by an empty line; an address stands behind its words.
    pub text: String,
}

const PARAGRAPH: &str = "<p style=\"margin:0 0 12px;\" class=\"ink\">";
const HEADING: &str = "<h3 style=\"margin:16px 0 6px;font-size:18px;line-height:24px;color:#004573;\" class=\"ink\">";

pub fn formatted(markdown: &str) -> Formatted {
    let mut out = Writer::default();
    for event in Parser::new_ext(markdown, Options::empty()) {
        out.take(event);
    }
    Formatted { html: out.html, text: out.text.trim().to_owned() }
}

#[derive(Default)]
struct Writer {
    html: String,
    text: String,
    /// The numbers of the lists one is in; `None` for one of dots.
    lists: Vec<Option<u64>>,
    /// Addresses of the links one is in; `None` for one that is not to be followed.
    links: Vec<Option<String>>,
    /// What is between the opening and the closing of a picture is its description, and stays.
    in_item: bool,
}

impl Writer {
    fn take(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => self.words(&text),
            Event::SoftBreak => self.words(" "),
            Event::HardBreak => {
                self.html.push_str("<br />");
                self.text.push('\n');
            }
            Event::Rule => self.words("* * *"),
            _ => {}
        }
    }

    fn words(&mut self, words: &str) {
        let held = french::held_together(words);
        self.html.push_str(&escaped(&held));
        self.text.push_str(&held);
    }

    fn open(&mut self, tag: Tag) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock | Tag::CodeBlock(_) if !self.in_item => self.html.push_str(PARAGRAPH),
            Tag::Heading { .. } => self.html.push_str(HEADING),
            Tag::Emphasis => self.html.push_str("<em>"),
            Tag::Strong => self.html.push_str("<strong>"),
            Tag::List(first) => {
                self.lists.push(first);
                let (list, style) = (if first.is_some() { "ol" } else { "ul" }, "margin:0 0 12px;padding-left:22px;");
                self.html.push_str(&format!("<{list} style=\"{style}\" class=\"ink\">"));
            }
            Tag::Item => {
                self.in_item = true;
                self.html.push_str("<li>");
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.text.push_str(&mark);
            }
            Tag::Link { link_type, dest_url, .. } => {
                let known =
                    ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| dest_url.starts_with(scheme));
                let url = match link_type {
                    LinkType::Email => Some(format!("mailto:{dest_url}")),
                    _ => known.then(|| dest_url.to_string()),
                };
                if let Some(url) = &url {
                    let style = "color:#005a96;";
                    self.html.push_str(&format!("<a href=\"{}\" style=\"{style}\" class=\"link\">", escaped(url)));
                }
                self.links.push(url);
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::CodeBlock => {
                if !self.in_item {
                    self.html.push_str("</p>");
                }
                self.text.push_str(if self.in_item { "\n" } else { "\n\n" });
            }
            TagEnd::Heading(_) => {
                self.html.push_str("</h3>");
                self.text.push_str("\n\n");
            }
            TagEnd::Emphasis => self.html.push_str("</em>"),
            TagEnd::Strong => self.html.push_str("</strong>"),
            TagEnd::List(ordered) => {
                self.lists.pop();
                self.in_item = !self.lists.is_empty();
                self.html.push_str(if ordered { "</ol>" } else { "</ul>" });
                self.text.push('\n');
            }
            TagEnd::Item => {
                self.in_item = false;
                self.html.push_str("</li>");
                if !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
            }
            TagEnd::Link => {
                if let Some(Some(url)) = self.links.pop() {
                    self.html.push_str("</a>");
                    let address = url.strip_prefix("mailto:").unwrap_or(&url);
                    if !self.text.ends_with(address) {
                        self.text.push_str(&format!(" <{address}>"));
                    }
                }
            }
            _ => {}
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let markdown = "# Chers partenaires\n\nL’été arrive : **trois** nouveautés,\nà lire [ici](https://office.example/?a=1&b=2) !\n\n\
                        1. un\n2. deux\n\n- point\n\n<contact@office.example>\n";
        let Formatted { html, text } = formatted(markdown);
        for part in [
            "<h3",
            "Chers partenaires</h3>",
            "arrive\u{a0}: <strong>trois</strong> nouveautés, à lire <a href=\"https://office.example/?a=1&amp;b=2\"",
            "<ol",
            "<li>un</li><li>deux</li></ol>",
            "<ul",
            "href=\"mailto:contact@office.example\"",
        ] {
            assert!(html.contains(part), "{part}\nnot in\n{html}");
        }
        assert_eq!(
            text,
            "Chers partenaires\n\nL’été arrive\u{a0}: trois nouveautés, à lire ici <https://office.example/?a=1&b=2>\u{202f}!\n\n\
             1. un\n2. deux\n\n- point\n\ncontact@office.example"
        );
    }

    #[test]
    fn nobody_writes_markup_or_scripts_into_a_mail() {
        let markdown = "<script>alert(1)</script>\n\n<b onclick=x>gras</b> [clic](javascript:alert(1)) ![vue](https://x.example/p.gif) \"&\"";
        let html = formatted(markdown).html;
        for forbidden in ["<script", "<b ", "javascript", "<img", "p.gif"] {
            assert!(!html.contains(forbidden), "{forbidden}\nin\n{html}");
        }
        for kept in ["&lt;script&gt;", "gras", "clic", "vue", "&quot;&amp;&quot;"] {
            assert!(html.contains(kept), "{kept}\nnot in\n{html}");
        }
    }
}
