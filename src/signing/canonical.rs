//! The *relaxed* canonical forms of headers and body (RFC 6376 3.4.2 and 3.4.4).

use ring::digest::{Context, Digest, SHA256};

/// The header fields of a message, unfolded.
pub(super) struct Headers<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Headers<'a> {
    /// `text`: header lines, each with its line end, without the empty line.
    pub(super) fn parse(text: &'a str) -> Self {
        let mut fields = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (field, after) = rest.split_at(end_of_field(rest));
            fields.push((field.split_once(':').map_or(field, |(name, _)| name.trim_end()), field));
            rest = after;
        }
        Self(fields)
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).count()
    }

    /// Writes the field of this name with `skipped` others of it after it, and a line end; nothing if there is none.
    pub(super) fn relaxed_from_the_end(&self, name: &str, skipped: usize, out: &mut Vec<u8>) {
        let mut of_name = self.0.iter().rev().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        if let Some((_, field)) = of_name.nth(skipped) {
            relaxed_header(field, out);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Where the first field ends: after a line end that no white space follows.
fn end_of_field(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find("\r\n") {
        at += found + 2;
        if !text[at..].starts_with([' ', '\t']) {
            return at;
        }
    }
    text.len()
}

/// The name in lower case, unfolded, white space reduced, without a line end.
pub(super) fn relaxed_header(field: &str, out: &mut Vec<u8>) {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    out.extend(name.trim_end().bytes().map(|b| b.to_ascii_lowercase()));
    out.push(b':');
    let words = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    for (n, word) in words.enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word.as_bytes());
    }
}

/// Hashes a body in its relaxed form, piece by piece.
pub(super) struct RelaxedBody {
    hash: Context,
    /// Line ends not hashed yet: those at the end of the body do not count.
    line_ends: usize,
    /// White space not hashed yet: that at the end of a line does not count.
    space: bool,
    /// A carriage return whose line feed may be in the next piece.
    carriage_return: bool,
    is_empty: bool,
}

impl RelaxedBody {
    pub(super) fn new() -> Self {
        Self { hash: Context::new(&SHA256), line_ends: 0, space: false, carriage_return: false, is_empty: true }
    }

    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        while let [first, rest @ ..] = piece {
            if std::mem::take(&mut self.carriage_return) {
                if *first == b'\n' {
                    self.space = false;
                    self.line_ends += 1;
                    piece = rest;
                    continue;
                }
                self.words(b"\r");
            }
            match first {
                b' ' | b'\t' => self.space = true,
                b'\r' => self.carriage_return = true,
                _ => {
                    let end = memchr::memchr3(b' ', b'\t', b'\r', piece).unwrap_or(piece.len());
                    self.words(&piece[..end]);
                    piece = &piece[end..];
                    continue;
                }
            }
            piece = rest;
        }
    }

    fn words(&mut self, words: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.hash.update(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.hash.update(b" ");
        }
        self.hash.update(words);
        self.is_empty = false;
    }

    pub(super) fn finish(mut self) -> Digest {
        if self.carriage_return {
            self.words(b"\r");
        }
        if !self.is_empty {
            self.hash.update(b"\r\n");
        }
        self.hash.finish()
    }
}
