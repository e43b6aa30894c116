//! Names and texts as IMAP4rev1 writes them.

use data_encoding::BASE64_NOPAD;

/// The name of a folder in modified UTF-7 (RFC 3501 5.1.3), which every server understands: « Retours lus/été » is `Retours lus/&AOk-t&AOk-`.
pub(super) fn encoded(name: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(name.len()), name);
    while let Some(c) = rest.chars().next() {
        if c == '&' {
            out.push_str("&-");
            rest = &rest[1..];
        } else if is_plain(c) {
            out.push(c);
            rest = &rest[1..];
        } else {
            let end = rest.find(is_plain).unwrap_or(rest.len());
            let units: Vec<u8> = rest[..end].encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&BASE64_NOPAD.encode(&units).replace('/', ","));
            out.push('-');
            rest = &rest[end..];
        }
    }
    out
}

fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~')
}

/// A quoted string (RFC 3501 4.3); `None` where only a literal can carry the text.
pub(super) fn quoted(text: &str) -> Option<String> {
    let fits = text.chars().all(is_plain);
    fits.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A set of UIDs or numbers, with ranges where they follow each other: `3:5,9`.
pub(super) fn set(numbers: &[u32]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for n in sorted {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => ranges.push((n, n)),
        }
    }
    let written = ranges.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}:{b}") });
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_written_in_modified_utf_7() {
        for (name, written) in [
            ("INBOX", "INBOX"),
            ("Retours & plaintes", "Retours &- plaintes"),
            ("été/lus", "&AOk-t&AOk-/lus"),
            // The example of RFC 3501.
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("🦆", "&2D7dhg-"),
        ] {
            assert_eq!(encoded(name), written);
        }
    }

    #[test]
    fn texts_are_quoted_or_not_written_at_all() {
        assert_eq!(quoted(r#"a "b" \c"#).as_deref(), Some(r#""a \"b\" \\c""#));
        assert_eq!((quoted("é"), quoted("a\r\nb"), quoted("a\0")), (None, None, None));
    }

    #[test]
    fn sets_are_written_as_ranges() {
        assert_eq!(set(&[9, 3, 4, 5, 4]), "3:5,9");
        assert_eq!(set(&[u32::MAX, u32::MAX - 1]), "4294967294:4294967295");
    }
}
