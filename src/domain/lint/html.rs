//! The tags of an HTML text. Not a parser of documents: enough to judge what we and others write in mails.

/// An opening tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// In lower case.
    pub name: String,
    /// Names in lower case, values with their character references decoded.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// An HTML text, taken apart.
#[derive(Debug, Default)]
pub(super) struct Html {
    pub tags: Vec<Tag>,
    /// What is read, without comments, styles, scripts and titles.
    pub text: String,
}

impl Html {
    pub fn of(source: &str) -> Self {
        let (mut html, mut rest) = (Self::default(), source);
        while let Some(at) = rest.find('<') {
            html.text.push_str(&decoded(&rest[..at]));
            rest = &rest[at..];
            rest = if let Some(comment) = rest.strip_prefix("<!--") {
                comment.find("-->").map_or("", |end| &comment[end + 3..])
            } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
                html.open(&rest[1..])
            } else if rest[1..].starts_with(['/', '!', '?']) {
                html.text.push(' ');
                rest.find('>').map_or("", |end| &rest[end + 1..])
            } else {
                html.text.push('<');
                &rest[1..]
            };
        }
        html.text.push_str(&decoded(rest));
        html
    }

    /// Reads a tag behind its `<`; returns what follows it.
    fn open<'a>(&mut self, source: &'a str) -> &'a str {
        let end = source.find(|c: char| c.is_whitespace() || "/>".contains(c)).unwrap_or(source.len());
        let mut tag = Tag { name: source[..end].to_ascii_lowercase(), attributes: Vec::new() };
        let mut rest = &source[end..];
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            if rest.is_empty() {
                break;
            }
            let end = rest.find(|c: char| c.is_whitespace() || "=/>".contains(c)).unwrap_or(rest.len()).max(1);
            let end = rest.ceil_char_boundary(end);
            let name = rest[..end].to_ascii_lowercase();
            rest = rest[end..].trim_start();
            let value = match rest.strip_prefix('=').map(str::trim_start) {
                None => String::new(),
                Some(after) => {
                    let quote = after.chars().next().filter(|c| "\"'".contains(*c));
                    let (value, behind) = match quote {
                        Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                        None => {
                            let end = after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len());
                            after.split_at(end)
                        }
                    };
                    rest = behind;
                    decoded(value)
                }
            };
            tag.attributes.push((name, value));
        }
        self.text.push(' ');
        // What is in these is not read.
        let hidden = ["style", "script", "title"].into_iter().find(|name| *name == tag.name);
        self.tags.push(tag);
        match hidden {
            None => rest,
            Some(name) => {
                let lower = rest.to_ascii_lowercase();
                lower.find(&format!("</{name}")).map_or("", |at| &rest[at..])
            }
        }
    }
}

/// Character references decoded: the numeric ones, and those that attributes need.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let reference = &rest[at + 1..];
        let found = reference.split_once(';').filter(|(name, _)| name.len() <= 8).and_then(|(name, after)| {
            let number = |text: &str, radix| u32::from_str_radix(text, radix).ok().and_then(char::from_u32);
            let c = match (name, name.strip_prefix('#')) {
                ("amp", _) => Some('&'),
                ("lt", _) => Some('<'),
                ("gt", _) => Some('>'),
                ("quot", _) => Some('"'),
                ("apos", _) => Some('\''),
                ("nbsp", _) => Some('\u{a0}'),
                (_, Some(digits)) => match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => number(hex, 16),
                    None => number(digits, 10),
                },
                _ => None,
            };
            c.map(|c| (c, after))
        });
        match found {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = reference;
            }
        }
    }
    out.push_str(rest);
    out
}
