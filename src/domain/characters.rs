//! Removes characters that cannot be put into a mail, page or PDF from text of external sources.
//!
//! XML forbids most control characters and noncharacters even escaped, and a mail's body is XML before it is HTML: a
//! single vertical tab pasted from Word into a title would stop a whole issue. Bidirectional control characters would
//! show the reader something else than what is written. Everything else is kept.

use std::borrow::Cow;

/// The text without them. Separators become a space; only line ends stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| kept(c) != Some(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(kept).collect())
}

/// Words with single spaces between them.
pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a person typed, on one line, of at most `longest` characters: [`clean`], words with single spaces between them, no-break spaces
/// as they were.
pub fn on_one_line(text: &str, longest: usize) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() && c != '\u{a0}').filter(|it| !it.is_empty()).collect();
    clean(&words.join(" ")).chars().take(longest).collect()
}

/// [`clean`], in place.
pub fn clean_up(text: &mut String) {
    if let Cow::Owned(cleaned) = clean(text) {
        *text = cleaned;
    }
}

/// `None`: removed.
fn kept(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' => Some(c),
        // Vertical tab, form feed, the separators of old databases, next line, line and paragraph separators.
        '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        _ if c.is_control() || is_noncharacter(c) => None,
        // A byte order mark within a text; embeddings, overrides and isolates; annotations.
        '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}' => None,
        _ => Some(c),
    }
}

/// The first character that a text of the office's own must not have: one that [`clean`] would take out or change; on a
/// single line (a name, a title: what becomes a mail's header) also the end of a line and a tab.
pub fn unfit(text: &str, single_line: bool) -> Option<char> {
    text.chars().find(|&c| kept(c) != Some(c) || single_line && c.is_control())
}

fn is_noncharacter(c: char) -> bool {
    ('\u{fdd0}'..='\u{fdef}').contains(&c) || u32::from(c) & 0xfffe == 0xfffe
}

/// Normalises every character that is used as an apostrophe to ’; other characters are unchanged.
pub fn one_apostrophe(c: char) -> char {
    match c {
        '\'' | '`' | '´' | '\u{2018}' | '\u{201b}' | '\u{2bc}' | '\u{2bb}' | '\u{2bd}' | '\u{2b9}' | '\u{2c8}'
        | '\u{2032}' | '\u{ff07}' | '\u{a78c}' | '\u{55a}' => '’',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fr09_characters_invalid_in_xml_become_a_space_or_nothing() {
        assert_eq!(clean("Atelier\u{b}poterie"), "Atelier poterie");
        assert_eq!(clean("a\u{1}b\u{1b}c\u{fffe}d\u{ffff}e\u{fdd0}f\u{1fffe}g\u{feff}h\u{80}i"), "abcdefghi");
        assert_eq!(clean("a\u{2028}b\u{85}c\u{c}d"), "a b c d");
        assert_eq!(clean("gauche \u{202e}droite\u{2066}"), "gauche droite");
    }

    #[test]
    fn l4_forbidden_characters_in_office_texts_are_found() {
        for bad in ["a\0b", "a\u{1b}[1m", "a\u{85}b", "a\u{9b}b", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b"] {
            assert!(unfit(bad, false).is_some() && unfit(bad, true).is_some(), "{bad:?}");
        }
        for line in ["a\r\nBcc: x@y.example", "a\nb", "a\tb"] {
            assert_eq!(unfit(line, false), None, "{line:?}");
            assert!(unfit(line, true).is_some(), "{line:?}");
        }
        assert_eq!(unfit("Office de tourisme d’Auch\u{a0}: l’été 👩‍👩‍👧", true), None);
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        let text = "L’été à Auch\u{a0}: « fête »\r\n\t日本 👩‍👩‍👧 e\u{301} \u{ad} عربي \u{200f}";
        assert!(matches!(clean(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn fr52_apostrophes_are_normalised() {
        let folded = |text: &str| text.chars().map(one_apostrophe).collect::<String>();
        for text in ["cʼhoari", "c'hoari", "c‘hoari", "c`hoari", "c′hoari", "c´hoari"] {
            assert_eq!(folded(text), "c’hoari");
        }
    }
}
