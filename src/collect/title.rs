//! Titles: converts HTML to plain text, and compares it with the title we look for.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::html::text_of;
use crate::domain::characters::one_apostrophe;

/// A title as a person reads it: entities decoded, markup gone, ends trimmed.
///
/// Some sites encode their entities twice (`L&amp;rsquo;été`), and then what is left of the first decoding is
/// decoded once more.
pub fn plain_title(html: &str) -> String {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test of this file")]
    static ENTITY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});").expect("valid"));
    let once = text_of(html);
    let title = if ENTITY.is_match(&once) { text_of(&once) } else { once };
    title.trim().to_owned()
}

/// The words a title must have, ignoring accents, case and punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    words: Vec<String>,
}

impl Phrase {
    pub fn of(text: &str) -> Self {
        Self { words: words(text) }
    }

    /// True where nothing is left to look for: such a phrase would match every title.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn is_in(&self, title: &str) -> bool {
        let title = words(title);
        !self.is_empty() && self.words.iter().all(|word| title.contains(word))
    }
}

/// Words alone, ignoring accents, case and punctuation: « Arts & Spectacles » and `arts-spectacles` are alike.
pub fn folded(text: &str) -> String {
    words(text).join(" ")
}

fn words(text: &str) -> Vec<String> {
    let folded: String = text
        .chars()
        .map(one_apostrophe)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .flat_map(|c| match c {
            'œ' => ['o', 'e'].into_iter().take(2),
            'æ' => ['a', 'e'].into_iter().take(2),
            other => [other, other].into_iter().take(1),
        })
        .collect();
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_decoded_once() {
        let title = "Que faire &agrave; Auch cette semaine&nbsp;? L&rsquo;agenda du 12 au 18&nbsp;juillet &#8211; &laquo;&nbsp;ici&nbsp;&raquo;";
        assert_eq!(
            plain_title(title),
            "Que faire à Auch cette semaine\u{a0}? L’agenda du 12 au 18\u{a0}juillet – «\u{a0}ici\u{a0}»"
        );
        assert_eq!(plain_title(" <em>Pavie</em> &amp; Auch \n"), "Pavie & Auch");
    }

    #[test]
    fn a_title_encoded_twice_is_read_too() {
        assert_eq!(plain_title("L&amp;rsquo;agenda &amp;#8211; f&amp;ecirc;te"), "L’agenda – fête");
        assert_eq!(plain_title("Vins &amp; fromages; et pain"), "Vins & fromages; et pain");
    }

    #[test]
    fn the_words_are_found_whatever_their_accents_case_and_punctuation() {
        let phrase = Phrase::of("Que faire à Auch cette semaine");
        for title in [
            "Que faire à Auch cette semaine ? L’agenda du 12 au 18 juillet",
            "QUE FAIRE A AUCH, CETTE SEMAINE",
            "Que faire a\u{300} Auch et dans le Gers cette semaine",
        ] {
            assert!(phrase.is_in(title), "{title}");
        }
        for title in ["Que faire à Auch ce week-end", "Que faire à Auchan cette semaine", ""] {
            assert!(!phrase.is_in(title), "{title}");
        }
        assert!(Phrase::of("cœur de l'été").is_in("Au COEUR de l’Été"));
        assert!(Phrase::of("c’hoari").is_in("Fest-noz cʼhoari"), "FR52");
    }

    #[test]
    fn an_empty_phrase_matches_no_title() {
        assert!(Phrase::of(" ?! ").is_empty());
        assert!(!Phrase::of("").is_in("Que faire"));
    }
}
