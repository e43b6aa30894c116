//! From any text to one the fonts can print: composed, printable, with French spacing held together.
//!
//! It changes spaces and what no font can show, never a letter that can be shown.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const NBSP: char = '\u{a0}';
/// Thinner, before ; ! ?
const NARROW_NBSP: char = '\u{202f}';

/// A text fit to print, and the characters that had to be left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Legible {
    pub text: String,
    pub dropped: Vec<char>,
}

/// `covered` says whether the font has a glyph.
pub fn legible(raw: &str, covered: impl Fn(char) -> bool) -> Legible {
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
                // Letters in fancy clothes (mathematical bold, full width, circled) have a plain form.
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
    // A mark with nothing to stand on would hang in the margin.
    let text = text.trim_start_matches(is_combining_mark);
    Legible { text: hold_together(&fold_spaces(text)), dropped }
}

/// Marks of direction, joiners, variation selectors, soft hyphens: they say how to show, and are not shown.
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

/// Makes unbreakable the spaces at which a French line must not break.
fn hold_together(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut held = String::with_capacity(text.len() + 8);
    for (at, word) in words.iter().enumerate() {
        held.push_str(word);
        if let Some(next) = words.get(at + 1) {
            held.push(joint(word, next));
        }
    }
    held
}

/// The space between two words.
fn joint(word: &str, next: &str) -> char {
    let digits_end = word.ends_with(|c: char| c.is_ascii_digit());
    let digits_begin = next.starts_with(|c: char| c.is_ascii_digit());
    let hour_or_minutes = |word: &str| word == "h" || word.ends_with("\u{a0}h");
    match next.chars().next() {
        Some(';' | '!' | '?') => NARROW_NBSP,
        Some(':' | '»' | '€' | '%' | '·' | '–' | '—') => NBSP,
        _ if word.ends_with('«') => NBSP,
        _ if digits_end && digits_begin => NBSP,
        _ if hour_or_minutes(word) && digits_begin => NBSP,
        _ if (digits_end || word == "1er") && is_unit(next) => NBSP,
        _ if matches!(word, "n°" | "N°" | "no" | "M." | "Mme" | "Dr" | "St" | "Ste" | "&") => NBSP,
        _ => ' ',
    }
}

/// What belongs to the number before it.
fn is_unit(word: &str) -> bool {
    const UNITS: &str = "h heure heures min mn minutes km m cm ha kg g l cl an ans jour jours place places pers \
        personnes euro euros bis ter rue place avenue allée allées boulevard bd quai chemin route impasse er e \
        janvier février mars avril mai juin juillet août septembre octobre novembre décembre";
    let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    UNITS.split_whitespace().any(|unit| unit == bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expect: &str) {
        let shown = legible(raw, |c| c.is_ascii() || "àèéÉœ€«»’–·".contains(c)).text;
        assert_eq!(shown.replace(NBSP, "_").replace(NARROW_NBSP, "^"), expect);
    }

    #[test]
    fn french_spacing_never_breaks_where_it_must_not() {
        check("« Élan » : danse !", "«_Élan_»_: danse^!");
        check("de 9 € à 12 €", "de 9_€ à 12_€");
        check("05 62 05 22 89", "05_62_05_22_89");
        check("à 20 h 30 le 1er juillet", "à 20_h_30 le 1er_juillet");
        check("3 rue Dessoles, dès 8 ans", "3_rue Dessoles, dès 8_ans");
        check("bal – concert", "bal_– concert");
    }

    #[test]
    fn decomposed_and_fancy_letters_become_the_letters_they_are() {
        check("e\u{301}te\u{301}", "été");
        check("\u{1d401}\u{1d42e}\u{1d42b} ﬁn", "Bur fin");
        check("a\u{2028}b\tc\u{200f}d\u{ad}e", "a b cde");
    }

    #[test]
    fn what_no_font_has_is_reported() {
        let shown = legible("Bal 🎉 au jardin", |c| c.is_ascii());
        assert_eq!((shown.text.as_str(), shown.dropped), ("Bal au jardin", vec!['🎉']));
    }
}
