//! Converts an editorial's Markdown for mails. The only module that uses `pulldown_cmark`.
//!
//! Paragraphs, headings, lists, emphasis and links; everything else becomes its text. HTML in it is shown as text, so
//! that no markup can be injected into a mail.

use crate::domain::french;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

/// Both forms of a mail's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formatted {
    /// Escaped, with the styles mail programs need.
    pub html: String,
    /// Paragraphs separated by an empty line; a link's address follows its text.
    pub text: String,
}

/// Maximum depth of lists; deeper ones are flattened, because HTML readers are recursive.
const DEEPEST: usize = 8;

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
    /// The numbers of the open lists; `None` for a bullet list.
    lists: Vec<Option<u64>>,
    /// Addresses of the open links; `None` for one that is not allowed.
    links: Vec<Option<String>>,
    /// The depth of open emphasis and strong elements.
    emphasis: usize,
    strong: usize,
    /// The text between the start and the end of a picture is its description, and is kept.
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
            // One within another says no more.
            Tag::Emphasis => {
                self.emphasis += 1;
                self.html.push_str(if self.emphasis == 1 { "<em>" } else { "" });
            }
            Tag::Strong => {
                self.strong += 1;
                self.html.push_str(if self.strong == 1 { "<strong>" } else { "" });
            }
            Tag::List(first) if self.lists.len() >= DEEPEST => self.lists.push(first),
            Tag::List(first) => {
                self.lists.push(first);
                let (list, style) = (if first.is_some() { "ol" } else { "ul" }, "margin:0 0 12px;padding-left:22px;");
                self.html.push_str(&format!("<{list} style=\"{style}\" class=\"ink\">"));
            }
            Tag::Item => {
                self.in_item = true;
                self.html.push_str(if self.lists.len() > DEEPEST { "<br />" } else { "<li>" });
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
            TagEnd::Emphasis => {
                self.html.push_str(if self.emphasis == 1 { "</em>" } else { "" });
                self.emphasis = self.emphasis.saturating_sub(1);
            }
            TagEnd::Strong => {
                self.html.push_str(if self.strong == 1 { "</strong>" } else { "" });
                self.strong = self.strong.saturating_sub(1);
            }
            TagEnd::List(ordered) => {
                if self.lists.len() <= DEEPEST {
                    self.html.push_str(if ordered { "</ol>" } else { "</ul>" });
                }
                self.lists.pop();
                self.in_item = !self.lists.is_empty();
                self.text.push('\n');
            }
            TagEnd::Item => {
                self.in_item = false;
                self.html.push_str(if self.lists.len() > DEEPEST { "" } else { "</li>" });
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
    fn html_and_text_have_the_same_content() {
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
    fn h2_lists_and_emphasis_are_never_deeper_than_people_write_them() {
        for deep in [
            "- ".repeat(5_000) + "x",
            "1. ".repeat(3_000) + "x",
            "*".repeat(6_000) + "x" + &"*".repeat(6_000),
            "> ".repeat(5_000) + "x",
        ] {
            let Formatted { html, text } = formatted(&deep);
            assert!(html.contains('x') && text.contains('x'));
            let (mut depth, mut deepest) = (0_i32, 0);
            for tag in html.split('<').skip(1).filter(|tag| !tag.starts_with("br")) {
                depth += if tag.starts_with('/') { -1 } else { 1 };
                deepest = deepest.max(depth);
            }
            assert_eq!(depth, 0, "every tag is closed");
            assert!(deepest <= 2 * i32::try_from(DEEPEST).unwrap() + 3, "{deepest}");
        }
    }

    #[test]
    fn markup_and_scripts_are_escaped() {
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
