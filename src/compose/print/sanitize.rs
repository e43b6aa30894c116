//! Converts a text to one the fonts can print: composed characters, French spacing with non-breaking spaces.
//!
//! It changes spaces and characters without a glyph, never a letter that can be printed.

use crate::domain::french;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const NBSP: char = '\u{a0}';
/// Thinner, before ; ! ?
const NARROW_NBSP: char = '\u{202f}';

/// A text fit to print, and the characters that had to be left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Sanitized {
    pub text: String,
    pub dropped: Vec<char>,
}

/// `covered` says whether the font has a glyph.
pub fn sanitized(raw: &str, covered: impl Fn(char) -> bool) -> Sanitized {
    let mut dropped = Vec::new();
    let mut text = String::with_capacity(raw.len());
    for c in raw.nfc() {
        match c {
            // Hyphens share one glyph, and the line breaker treats none of them as a good place to break.
            '\u{2010}' | '\u{2011}' => text.push('-'),
            NBSP | '\u{2007}' => text.push(NBSP),
            NARROW_NBSP => text.push(NARROW_NBSP),
            c if c.is_whitespace() => text.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            // The font makes its own ligatures, and they are copied as letters.
            '\u{fb00}'..='\u{fb06}' => text.extend(std::iter::once(c).nfkc()),
            c if covered(c) => text.push(c),
            c => {
                // Styled letters (mathematical bold, full width, circled) have a plain form.
                let plain: Vec<char> = std::iter::once(c).nfkc().collect();
                let shown = plain.iter().all(|&c| covered(c));
                if shown {
                    text.extend(plain);
                } else {
                    dropped.push(c);
                }
            }
        }
    }
    // A combining mark without a base character would hang in the margin.
    let text = text.trim_start_matches(is_combining_mark);
    Sanitized { text: french::held_together(&fold_spaces(text)), dropped }
}

/// Directional marks, joiners, variation selectors, soft hyphens: invisible formatting characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}'
        | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | NBSP | NARROW_NBSP)
}

fn fold_spaces(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.trim_matches(is_space).chars() {
        match folded.chars().last() {
            Some(before) if is_space(before) && is_space(c) => {}
            _ => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expect: &str) {
        let shown = sanitized(raw, |c| c.is_ascii() || "àèéÉœ€«»’–·".contains(c)).text;
        assert_eq!(shown.replace(NBSP, "_").replace(NARROW_NBSP, "^"), expect);
    }

    #[test]
    fn french_spacing_is_non_breaking() {
        check("« Élan » : danse !", "«_Élan_»_: danse^!");
        check("de 9 € à 12 €", "de 9_€ à 12_€");
        check("05 62 05 22 89", "05_62_05_22_89");
        check("à 20 h 30 le 1er juillet", "à 20_h_30 le 1er_juillet");
        check("3 rue Dessoles, dès 8 ans", "3_rue Dessoles, dès 8_ans");
        check("bal – concert", "bal_– concert");
    }

    #[test]
    fn decomposed_and_styled_letters_become_plain_letters() {
        check("e\u{301}te\u{301}", "été");
        check("\u{1d401}\u{1d42e}\u{1d42b} ﬁn", "Bur fin");
        check("a\u{2028}b\tc\u{200f}d\u{ad}e", "a b cde");
    }

    #[test]
    fn characters_without_a_glyph_are_reported() {
        let shown = sanitized("Bal 🎉 au jardin", |c| c.is_ascii());
        assert_eq!((shown.text.as_str(), shown.dropped), ("Bal au jardin", vec!['🎉']));
    }
}
