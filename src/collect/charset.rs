//! Decodes bytes to text: declared charsets are checked against the bytes, because both can be wrong.
//!
//! Never returns mojibake: a text is decoded correctly, or it is an error. `Ã©` is not French.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CharsetError {
    #[error("the bytes are not text")]
    NotText,
    #[error("the text mixes UTF-8 with bytes of another charset")]
    Mixed,
    #[error("the bytes are not valid in the declared charset {0}")]
    Malformed(&'static str),
}

impl CharsetError {
    pub fn in_french(&self) -> String {
        match self {
            Self::NotText => "ce n’est pas du texte".to_owned(),
            Self::Mixed => "le texte mélange deux encodages : ses accents sont illisibles".to_owned(),
            Self::Malformed(name) => format!("le texte n’est pas dans l’encodage annoncé ({name})"),
        }
    }
}

/// Decodes `bytes`. Priority: a byte order mark, then the HTTP header (`http_label`), then the document's own declaration;
/// and valid UTF-8 is always read as UTF-8.
pub fn decode(bytes: &[u8], http_label: Option<&str>) -> Result<String, CharsetError> {
    decode_named(bytes, http_label).map(|(text, _)| text)
}

/// Like [`decode`], with the name of the charset.
pub fn decode_named(bytes: &[u8], http_label: Option<&str>) -> Result<(String, &'static str), CharsetError> {
    let (bytes, declared) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (&bytes[length..], Some(encoding)),
        None => (
            bytes,
            http_label.and_then(|label| Encoding::for_label(label.as_bytes())).or_else(|| declared_within(bytes)),
        ),
    };
    let (text, name) = match declared {
        Some(encoding) if encoding != UTF_8 && !(encoding.is_single_byte() && is_utf8_beyond_ascii(bytes)) => {
            (strictly(encoding, bytes)?, encoding.name())
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), UTF_8.name()),
            Err(_) => (without_a_true_label(bytes)?, WINDOWS_1252.name()),
        },
    };
    if text.contains('\0') {
        return Err(CharsetError::NotText);
    }
    Ok((undo_double_encoding(&text).into_owned(), name))
}

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, CharsetError> {
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        // In these the C1 controls are bytes that mean nothing: no text of a person has them.
        Some(text) if encoding.is_single_byte() && text.contains(is_c1) => {
            Err(CharsetError::Malformed(encoding.name()))
        }
        Some(text) => Ok(text.into_owned()),
        None => Err(CharsetError::Malformed(encoding.name())),
    }
}

/// Bytes declared as UTF-8, or not declared, that are not valid UTF-8.
fn without_a_true_label(bytes: &[u8]) -> Result<String, CharsetError> {
    if bytes.contains(&0) {
        return Err(CharsetError::NotText);
    }
    // One real UTF-8 character beside a broken one: any single charset would spoil one of the two.
    if bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) {
        return Err(CharsetError::Mixed);
    }
    // Left is the charset of old French pages and files. What a Mac or DOS wrote reads as text too, but as nonsense.
    let text = strictly(WINDOWS_1252, bytes)?;
    if looks_french(&text) { Ok(text) } else { Err(CharsetError::NotText) }
}

/// Whether most of the characters beyond ASCII are plausible here: French, neighbouring languages, typography.
fn looks_french(text: &str) -> bool {
    const USUAL: &str = "àâäáãçéèêëíîïìñóôöòõúùûüÿœæÀÂÄÁÃÇÉÈÊËÍÎÏÌÑÓÔÖÒÕÚÙÛÜŸŒÆß«»‹›’‘“”–—…•·€£°²³¼½¾×©®\u{a0}\u{ad}";
    let (usual, strange): (Vec<char>, Vec<char>) =
        text.chars().filter(|c| !c.is_ascii()).partition(|c| USUAL.contains(*c));
    usual.len() >= strange.len()
}

fn is_utf8_beyond_ascii(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

fn is_c1(c: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&c)
}

/// The charset in an XML declaration or a `<meta>`, looked for where the HTML standard and common sense put it.
fn declared_within(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).to_ascii_lowercase();
    let is_xml = head.trim_start().starts_with("<?xml");
    let label = if is_xml {
        let declaration = head.split("?>").next()?;
        value_after(declaration, "encoding")
    } else {
        head.split("<meta").skip(1).find_map(|rest| value_after(rest.split('>').next()?, "charset"))
    };
    let encoding = Encoding::for_label(label?.as_bytes())?;
    // These words were read as ASCII, so they cannot be true of UTF-16 (the HTML standard says the same).
    Some(if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding })
}

/// `utf-8` out of `charset="utf-8"`, `charset=utf-8"` or `encoding = 'utf-8'`.
fn value_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(key)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '/' | '>' | '?'));
    Some(&value[..end.unwrap_or(value.len())]).filter(|label| !label.is_empty())
}

/// Repairs UTF-8 that was read as Windows-1252 and encoded again: `Ã©tÃ©` to `été`.
///
/// Only the pairs that no French text holds are touched (`é »` looks like three bytes of UTF-8 too), and only
/// in a text that has an unmistakable one.
fn undo_double_encoding(text: &str) -> Cow<'_, str> {
    let unmistakable =
        |(a, b): (char, char)| (a == 'Ã' && is_continuation(b)) || (a == 'â' && matches!(b, '€' | '\u{80}'));
    if !text.chars().zip(text.chars().skip(1)).any(unmistakable) {
        return Cow::Borrowed(text);
    }
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            'Ã' | 'Â' | 'Å' => 2,
            'â' => 3,
            _ => 0,
        };
        match one_encoded_twice(rest, length) {
            Some((real, after)) => {
                mended.push(real);
                rest = after;
            }
            None => {
                mended.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    Cow::Owned(mended)
}

fn is_continuation(c: char) -> bool {
    byte_in_windows_1252(c).is_some_and(|byte| (0x80..0xc0).contains(&byte))
}

/// The character whose `length` UTF-8 bytes are at the head of `text` as `length` characters.
fn one_encoded_twice(text: &str, length: usize) -> Option<(char, &str)> {
    let (end, last) = text.char_indices().take(length).last()?;
    let after = &text[end + last.len_utf8()..];
    let bytes = text.chars().take(length).map(byte_in_windows_1252).collect::<Option<Vec<u8>>>()?;
    let mut real = std::str::from_utf8(&bytes).ok()?.chars();
    match (real.next(), real.next()) {
        (Some(c), None) => Some((c, after)),
        _ => None,
    }
}

/// The byte this character was, had it been read as Windows-1252; its five holes are read as Latin-1.
fn byte_in_windows_1252(c: char) -> Option<u8> {
    if ('\u{80}'..='\u{ff}').contains(&c) {
        return u8::try_from(u32::from(c)).ok();
    }
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
    match bytes.as_ref() {
        [byte] if !unmappable && *byte >= 0x80 => Some(*byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRENCH: &str = "L’été à Auch : « fête » dès 18 h 30, cœur de ville, 5 € — Ça commence…";

    fn in_windows_1252(text: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = WINDOWS_1252.encode(text);
        assert!(!unmappable);
        bytes.into_owned()
    }

    #[test]
    fn utf_8_needs_no_label() {
        assert_eq!(decode(FRENCH.as_bytes(), None).unwrap(), FRENCH);
        assert_eq!(decode(b"plain", None).unwrap(), "plain");
        assert_eq!(decode(b"", Some("utf-8")).unwrap(), "");
    }

    #[test]
    fn a_byte_order_mark_determines_the_charset_and_is_removed() {
        let with_bom = [b"\xef\xbb\xbf", FRENCH.as_bytes()].concat();
        assert_eq!(decode(&with_bom, Some("iso-8859-1")).unwrap(), FRENCH);
        let utf_16: Vec<u8> = [0xfeff].into_iter().chain(FRENCH.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf_16, Some("utf-8")).unwrap(), FRENCH);
    }

    #[test]
    fn the_charset_is_taken_from_the_header_then_the_document() {
        let bytes = in_windows_1252(FRENCH);
        assert_eq!(decode(&bytes, Some("windows-1252")).unwrap(), FRENCH);
        assert_eq!(decode(&bytes, Some("iso-8859-1")).unwrap(), FRENCH);
        for head in [
            "<meta charset=windows-1252>",
            "<META http-equiv='Content-Type' content='text/html; charset=ISO-8859-1'/>",
            "<?xml version='1.0' encoding='windows-1252'?>",
        ] {
            let document = format!("{head}{FRENCH}");
            assert_eq!(decode(&in_windows_1252(&document), None).unwrap(), document);
        }
    }

    #[test]
    fn windows_1252_declared_as_utf_8_is_read_as_windows_1252() {
        assert_eq!(decode(&in_windows_1252(FRENCH), Some("utf-8")).unwrap(), FRENCH);
        assert_eq!(decode(&in_windows_1252("Fête"), Some("utf-8")).unwrap(), "Fête");
        let document = format!("<meta charset=\"utf-8\">{FRENCH}");
        assert_eq!(decode(&in_windows_1252(&document), None).unwrap(), document);
    }

    #[test]
    fn utf_8_declared_as_latin_1_is_read_as_utf_8() {
        assert_eq!(decode(FRENCH.as_bytes(), Some("iso-8859-1")).unwrap(), FRENCH);
    }

    #[test]
    fn two_charsets_in_one_text_are_an_error() {
        let mixed = ["été".as_bytes(), &in_windows_1252("été")].concat();
        assert_eq!(decode(&mixed, Some("utf-8")), Err(CharsetError::Mixed));
        assert_eq!(decode(&mixed, None), Err(CharsetError::Mixed));
    }

    #[test]
    fn binary_data_is_an_error() {
        assert_eq!(decode(b"%PDF-1.7\n\xe2\xe3\xcf\xd3\0\0", None), Err(CharsetError::NotText));
        assert_eq!(decode(b"PK\0", None), Err(CharsetError::NotText));
        assert!(decode(b"\xff\xfe\x00\xd8", None).is_err(), "half a UTF-16 pair");
    }

    #[test]
    fn mac_roman_and_dos_charsets_are_not_read_as_windows_1252() {
        assert_eq!(decode(b"\x82t\x82 \x85 la f\x88te", None), Err(CharsetError::NotText), "DOS");
        assert_eq!(decode(b"\x8et\x8e \x88 la plage", None), Err(CharsetError::NotText), "Mac");
    }

    #[test]
    fn a_text_encoded_twice_is_decoded() {
        let (twice, _) = WINDOWS_1252.decode_without_bom_handling(FRENCH.as_bytes());
        assert!(twice.contains("Ã©"));
        assert_eq!(decode(twice.as_bytes(), Some("utf-8")).unwrap(), FRENCH);
    }

    #[test]
    fn french_that_only_looks_encoded_twice_is_unchanged() {
        for text in
            ["« l’année »", "ÉTÉ À LA PLAGE", "« théâtre »", "Là-haut, à 5 °C", "PÂQUES « Â »", "São Paulo, PÃO"]
        {
            assert_eq!(undo_double_encoding(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>, label in proptest::option::of("[a-z0-9-]{0,12}")) {
            let _ = decode(&bytes, label.as_deref());
        }

        // Typography follows a plain letter here: `é–»` is three letters of Windows-1252 and one of UTF-8.
        #[test]
        fn text_in_windows_1252_is_restored_whatever_the_declared_charset(text in "([a-zéèêëàâçîïôùûÉÀÇ]{1,9}x?[«»’–€œ]? ){1,9}") {
            proptest::prop_assume!(in_windows_1252(&text).utf8_chunks().all(|chunk| chunk.valid().is_ascii()));
            for label in [None, Some("utf-8"), Some("windows-1252")] {
                proptest::prop_assert_eq!(decode(&in_windows_1252(&text), label), Ok(text.clone()));
            }
        }
    }
}
