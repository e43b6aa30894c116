//! Passwords that are tried first: the usual ones of twelve characters or more, patterns, and the person's own names.

use std::collections::BTreeSet;

/// Stems of common passwords, folded as [`fold`] does: what is added to them (digits, signs) is ignored. From the public lists
/// of leaked passwords, French and English; shorter ones cannot be chosen but with an addition, so their stems are here too.
const STEMS: &str = include_str!("refused.txt");

/// Fewer different characters than that are a pattern.
const FEWEST_DIFFERENT: usize = 5;
/// Neighbours on the keyboard or in the alphabet.
const ROWS: [&str; 10] = [
    "abcdefghijklmnopqrstuvwxyz",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "1234567890",
    "0987654321",
];

/// In the list, or a pattern.
pub(super) fn is_common(password: &str) -> bool {
    let text = fold(password);
    let stem = stem(&text);
    let different: BTreeSet<char> = text.chars().collect();
    different.len() < FEWEST_DIFFERENT
        || STEMS.lines().any(|line| line == stem || line == text)
        || repeats(&text)
        || (stem.is_empty() && text.chars().all(|c| c.is_ascii_digit()))
        || is_walk(&text)
}

/// Whether it is made of these words and digits alone.
pub(super) fn is_made_of(password: &str, words: &[&str]) -> bool {
    let text = fold(password);
    let stem = stem(&text);
    words.iter().any(|word| {
        let (whole, address) = (fold(word), word.contains('@'));
        let local = if address { word.split('@').next().map(fold).unwrap_or_default() } else { String::new() };
        [whole, local].iter().any(|word| !word.is_empty() && (stem == *word || text == *word))
    })
}

/// Lower case letters and digits alone, without accents; `@` is a, `$` is s, and so on.
fn fold(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let plain = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    let plain = plain.flat_map(char::to_lowercase).map(|c| match c {
        '@' => 'a',
        '$' => 's',
        '€' => 'e',
        c => c,
    });
    plain.filter(|c| c.is_alphanumeric()).collect()
}

/// Without digits before and after.
fn stem(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_digit())
}

/// One piece several times: `abcabcabcabc`.
fn repeats(text: &str) -> bool {
    let all: Vec<char> = text.chars().collect();
    (1..=all.len() / 2).any(|n| all.len().is_multiple_of(n) && all.chunks(n).all(|piece| piece == &all[..n]))
}

/// Made of runs of at least four neighbours, forward or backward.
fn is_walk(text: &str) -> bool {
    let all: Vec<char> = text.chars().collect();
    let neighbours = |a: char, b: char| {
        ROWS.iter().any(|row| row.chars().zip(row.chars().skip(1)).any(|(c, d)| (a, b) == (c, d) || (a, b) == (d, c)))
    };
    let breaks = all.windows(2).filter(|pair| !neighbours(pair[0], pair[1])).count();
    !all.is_empty() && (breaks + 1) * 4 <= all.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_folded_and_has_no_line_twice() {
        let mut seen = BTreeSet::new();
        for line in STEMS.lines() {
            assert_eq!((fold(line).as_str(), stem(line)), (line, line), "as it is compared");
            assert!(seen.insert(line), "{line} is there twice");
        }
        assert!(seen.len() > 150, "{}", seen.len());
    }

    #[test]
    fn a_pattern_is_seen_and_a_sentence_is_none() {
        for pattern in
            ["abcdefghijkl", "lkjhgfdsqpoiuytreza", "azerty123456", "qwertyuiop12", "9876543210987", "ababababababab"]
        {
            assert!(is_common(pattern), "{pattern}");
        }
        for sentence in ["quatre chevaux blancs", "le marché du samedi", "vendredi poisson grillé"] {
            assert!(!is_common(sentence), "{sentence}");
        }
    }
}
