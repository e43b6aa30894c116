//! Encoded-words of headers (RFC 2047), and the text of a part.

use base64::{Engine, prelude::BASE64_STANDARD};

/// An encoded-word as it stands in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EncodedWord {
    pub length: usize,
    /// `None`: it cannot be decoded by itself.
    pub text: Option<String>,
}

/// The header's text with its encoded-words decoded, and these.
pub(super) fn decode(value: &str) -> (String, Vec<EncodedWord>) {
    let (mut out, mut words, mut rest) = (String::new(), Vec::new(), value);
    while let Some(at) = rest.find("=?") {
        let Some((length, text)) = encoded_word(&rest[at..]) else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        // White space between two of them is not part of the text.
        let between = &rest[..at];
        if !(between.trim().is_empty() && !words.is_empty() && !between.is_empty()) {
            out.push_str(between);
        }
        out.push_str(text.as_deref().unwrap_or("\u{fffd}"));
        words.push(EncodedWord { length, text });
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    (out, words)
}

/// `=?charset?encoding?text?=` at the beginning: its length, and its text.
fn encoded_word(text: &str) -> Option<(usize, Option<String>)> {
    let inside = text.strip_prefix("=?")?;
    let (charset, after) = inside.split_once('?')?;
    let (encoding, after) = after.split_once('?')?;
    let (content, _) = after.split_once("?=")?;
    let is_word = |it: &str| !it.is_empty() && !it.contains(char::is_whitespace);
    if !is_word(charset) || !matches!(encoding, "b" | "B" | "q" | "Q") || content.contains(char::is_whitespace) {
        return None;
    }
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + content.len() + 2;
    let bytes = match encoding {
        "b" | "B" => BASE64_STANDARD.decode(content).ok(),
        _ => quoted(content.replace('_', " ").as_bytes()),
    };
    // RFC 2231 5: a language may follow the charset.
    let charset = charset.split('*').next().unwrap_or(charset);
    Some((length, bytes.and_then(|bytes| in_charset(charset, &bytes))))
}

/// Quoted-printable; `None`: it is damaged.
pub(super) fn quoted(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'=' {
            out.push(*first);
            rest = after;
            continue;
        }
        let soft = [&b"\r\n"[..], b"\n"].into_iter().find_map(|end| after.strip_prefix(end));
        if let Some(after) = soft {
            rest = after;
            continue;
        }
        let (code, after) = after.split_at_checked(2)?;
        out.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
        rest = after;
    }
    Some(out)
}

/// Base64 in lines; `None`: it is damaged.
pub(super) fn base64(bytes: &[u8]) -> Option<Vec<u8>> {
    let joined: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    BASE64_STANDARD.decode(joined).ok()
}

/// `None`: the bytes are not of this charset, or nobody knows it.
pub(super) fn in_charset(charset: &str, bytes: &[u8]) -> Option<String> {
    if charset.eq_ignore_ascii_case("us-ascii") {
        return bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).into_owned());
    }
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())?;
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(|text| text.into_owned())
}
