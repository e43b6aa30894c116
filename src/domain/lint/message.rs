//! The structure of a message: its header fields, and the tree of its parts. Lenient: what is damaged is a finding, not an end.

use super::{Audience, Finding, Place, Rule, words};

/// Parts within parts; real messages have four.
const DEEPEST: usize = 12;
/// Parts of one multipart.
const MOST_PARTS: usize = 500;

/// A header field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    /// Unfolded and trimmed, not decoded.
    pub value: String,
}

impl Field {
    /// With its encoded-words decoded.
    pub fn text(&self) -> String {
        words::decode(&self.value).0
    }
}

/// The header fields of a message or a part.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub Vec<Field>);

impl Fields {
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// The first of this name, unfolded.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().map(|field| &*field.value)
    }
}

/// `Content-Type` or `Content-Disposition`: a word and its parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Parametric {
    /// In lower case: `text/html`, `attachment`.
    pub word: String,
    /// Names in lower case, values decoded (RFC 2231).
    pub parameters: Vec<(String, String)>,
}

impl Parametric {
    fn parse(value: &str) -> Self {
        let mut pieces = split_outside_quotes(value, ';').into_iter();
        let word = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut parameters: Vec<(String, String)> = Vec::new();
        for piece in pieces {
            let Some((name, value)) = piece.split_once('=') else { continue };
            let name = name.trim().to_ascii_lowercase();
            let value = unquoted(value.trim());
            let is_extended = name.ends_with('*');
            let base = name.split('*').next().unwrap_or_default().to_owned();
            let value = if is_extended { percent_decoded(&value) } else { words::decode(&value).0 };
            // A value in sections, in order (RFC 2231 3).
            match parameters.iter_mut().find(|(known, _)| *known == base) {
                Some((_, before)) if name.contains('*') => before.push_str(&value),
                Some(_) => {}
                None => parameters.push((base, value)),
            }
        }
        Self { word, parameters }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// A part of the message, or the whole of it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub fields: Fields,
    pub kind: Parametric,
    pub disposition: Parametric,
    body: &'a [u8],
    pub parts: Vec<Part<'a>>,
}

impl<'a> Part<'a> {
    fn of(fields: Fields, body: &'a [u8], depth: usize, faults: &mut Vec<Finding>) -> Self {
        let kind = fields
            .get("Content-Type")
            .map_or_else(|| Parametric { word: "text/plain".to_owned(), ..Parametric::default() }, Parametric::parse);
        let disposition = fields.get("Content-Disposition").map(Parametric::parse).unwrap_or_default();
        let mut part = Part { fields, kind, disposition, body, parts: Vec::new() };
        if part.kind.word.starts_with("multipart/") {
            match part.kind.get("boundary").filter(|it| !it.is_empty() && it.len() <= 70).map(str::to_owned) {
                Some(boundary) if depth < DEEPEST => part.divide(&boundary, depth, faults),
                _ => faults.push(part.fault(Rule::Multipart, "boundary")),
            }
        }
        part
    }

    fn divide(&mut self, boundary: &str, depth: usize, faults: &mut Vec<Finding>) {
        let (mut begin, mut is_closed, mut at) = (None, false, 0);
        let delimiter = format!("--{boundary}");
        for line in self.body.split_inclusive(|byte| *byte == b'\n') {
            let here = at;
            at += line.len();
            let Some(after) = line.strip_prefix(delimiter.as_bytes()) else { continue };
            let ends = match after.trim_ascii() {
                b"" => false,
                b"--" => true,
                _ => continue,
            };
            if let Some(begin) = begin
                && self.parts.len() < MOST_PARTS
            {
                // The line break before a delimiter belongs to it.
                let content = &self.body[begin..here];
                let content = content.strip_suffix(b"\n").map_or(content, |it| it.strip_suffix(b"\r").unwrap_or(it));
                let (fields, length) = head(content, faults);
                self.parts.push(Part::of(fields, &content[length..], depth + 1, faults));
            }
            begin = Some(at);
            if ends {
                is_closed = true;
                break;
            }
        }
        if !is_closed || self.parts.is_empty() {
            faults.push(self.fault(Rule::Multipart, boundary));
        }
    }

    /// This part and those in it, outermost first.
    pub fn walk(&self) -> Vec<&Part<'a>> {
        let mut all = vec![self];
        self.parts.iter().for_each(|part| all.extend(part.walk()));
        all
    }

    /// The name of the attached file.
    pub fn file_name(&self) -> Option<&str> {
        self.disposition.get("filename").or_else(|| self.kind.get("name"))
    }

    pub fn is_attachment(&self) -> bool {
        self.disposition.word == "attachment"
    }

    /// A text to be read, not an attached file.
    pub fn is_text(&self, kind: &str) -> bool {
        self.kind.word == kind && !self.is_attachment()
    }

    pub fn place(&self) -> Place {
        match &*self.kind.word {
            _ if self.file_name().is_some() => Place::Part(self.file_name().unwrap_or_default().to_owned()),
            "text/plain" => Place::Text,
            "text/html" => Place::Html,
            other => Place::Part(other.to_owned()),
        }
    }

    pub fn fault(&self, rule: Rule, detail: &str) -> Finding {
        Finding::new(rule, self.place(), detail)
    }

    /// In lower case; `7bit` if nothing is said.
    pub fn encoding(&self) -> String {
        self.fields.get("Content-Transfer-Encoding").unwrap_or("7bit").to_ascii_lowercase()
    }

    /// As sent.
    pub fn raw(&self) -> &'a [u8] {
        self.body
    }

    /// Without its transfer encoding; `None`: it is damaged.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match &*self.encoding() {
            "quoted-printable" => words::quoted(self.body),
            "base64" => words::base64(self.body),
            _ => Some(self.body.to_vec()),
        }
    }

    /// As read; `None`: it cannot be decoded.
    pub fn text(&self) -> Option<String> {
        words::in_charset(self.kind.get("charset").unwrap_or("us-ascii"), &self.bytes()?)
    }
}

/// A message taken apart.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub whole: Part<'a>,
    /// Bytes of the header, without the empty line.
    pub head_length: usize,
    /// Faults of the structure.
    pub faults: Vec<Finding>,
}

impl<'a> Parsed<'a> {
    pub fn of(message: &'a [u8]) -> Self {
        let mut faults = Vec::new();
        let (fields, head_length) = head(message, &mut faults);
        let whole = Part::of(fields, &message[head_length..], 0, &mut faults);
        Self { whole, head_length, faults }
    }

    /// As far as it says so itself.
    pub fn audience(&self) -> Audience {
        let fields = &self.whole.fields;
        let has = |name: &str| fields.get(name).is_some();
        let is_bulk = fields.get("Precedence").is_some_and(|it| matches!(it, "list" | "bulk"));
        match is_bulk || ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"].into_iter().any(has) {
            true => Audience::List,
            false => Audience::Person,
        }
    }
}

/// The header fields, and the length with the empty line.
fn head(bytes: &[u8], faults: &mut Vec<Finding>) -> (Fields, usize) {
    let (mut fields, mut length): (Vec<Field>, usize) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        length += line.len();
        if text.is_empty() {
            break;
        }
        if text.starts_with([' ', '\t']) {
            match fields.last_mut() {
                // Unfolding removes the line break alone.
                Some(field) => field.value.push_str(text),
                None => faults.push(Finding::new(Rule::MalformedHeader, Place::Line(1), text)),
            }
            continue;
        }
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        match text.split_once(':').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => fields.push(Field { name: name.to_owned(), value: value.to_owned() }),
            None => faults.push(Finding::new(Rule::MalformedHeader, Place::Message, text)),
        }
    }
    fields.iter_mut().for_each(|field| field.value = field.value.trim().to_owned());
    (Fields(fields), length)
}

/// Pieces between separators that are not in a quoted-string.
pub(super) fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut begin, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if c == separator && !is_quoted => {
                pieces.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&text[begin..]);
    pieces
}

fn unquoted(text: &str) -> String {
    let Some(inside) = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else { return text.to_owned() };
    let (mut out, mut is_escaped) = (String::new(), false);
    for c in inside.chars() {
        match c {
            '\\' if !is_escaped => is_escaped = true,
            _ => {
                is_escaped = false;
                out.push(c);
            }
        }
    }
    out
}

/// `utf-8''%C3%A9t%C3%A9`, or a later section without the charset.
fn percent_decoded(value: &str) -> String {
    let text = value.splitn(3, '\'').last().unwrap_or_default();
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
