//! How a title is shown: without the article and the capital that are only due to the sentence.

use super::text::{Kind, Words, tidy, trimmed};
use super::words::{BANDS, JOINTS, TRAILING, is_event_noun, is_function};

pub(super) struct Shown {
    pub(super) text: String,
    /// A word of the article that another word now stands for: it is kept in the note.
    pub(super) replaced: Option<String>,
}

/// `et la chorale Les Voix d'Ici` → `chorale Les Voix d'Ici`; `le groupe 2020 Selecta` → `concert 2020 Selecta`.
pub(super) fn shown(written: &str) -> Shown {
    let text = trimmed(written);
    let words = Words::of(text);
    let count = words.tokens.len();
    let mut from = 0;
    let mut to = count;
    while from < count && words.is(from, JOINTS) && count - from > 1 && !words.is(from + 1, &["si"]) {
        from += 1;
        while words.is(from, &["de", "d'", "par"]) {
            from += 1;
        }
    }
    let article = from;
    while words.is(from, &["le", "la", "l'", "un", "une", "du", "de", "des", "les"]) && from < article + 2 {
        from += 1;
    }
    let noun = words.tokens.get(from).is_some_and(|token| is_event_noun(token) && !token.capital);
    let named_article = words.tokens.get(from).is_none_or(|token| token.capital || token.kind != Kind::Word);
    // `les 32 km` and `La Traviata` keep theirs; so does a word no list knows.
    if !noun || named_article {
        from = article;
    }
    while to > from + 1 && words.is(to - 1, TRAILING) && !words.tokens[to - 1].capital {
        to -= 1;
    }
    // `Balade botanique – Départ`, before the place it leaves from
    if to > from + 2 && words.is(to - 1, &["depart", "rdv", "rv", "rendez-vous"]) && words.is(to - 2, &["-", ","]) {
        to -= 2;
    }
    let plays = words.is(from, BANDS)
        && words
            .tokens
            .get(from + 1)
            .is_some_and(|next| next.capital || next.kind == Kind::Number || next.is_any(&["«", "\""]));
    if plays {
        let band = words.slice(from, from + 1).to_owned();
        return Shown { text: format!("concert {}", tidy(trimmed(words.slice(from + 1, to)))), replaced: Some(band) };
    }
    let text = tidy(trimmed(words.slice(from, to)));
    let sentence_capital = words.tokens.get(from).is_some_and(|first| first.capital && is_event_noun(first))
        && !words.shouts(from)
        // `Chorale Mélisse` is a name.
        && words.tokens.get(from + 1).is_none_or(|next| next.kind != Kind::Word || !next.capital);
    Shown { text: if sentence_capital { lower_first(&text) } else { text }, replaced: None }
}

/// A name as a title: `Loto` is a `loto`, `Loto Quine` and `La Nuit des feux` stay as they are.
pub(super) fn calm(name: &str) -> String {
    let text = tidy(name);
    let words = Words::of(&text);
    let noun = words.tokens.first().is_some_and(|first| first.capital && is_event_noun(first)) && !words.shouts(0);
    let named = words.tokens.get(1).is_some_and(|next| next.kind != Kind::Word || next.capital);
    if noun && (words.tokens.len() == 1 || !named) { lower_first(&text) } else { text }
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// `petits marchés de producteurs` in two towns is one `petit marché de producteurs` in each.
pub(super) fn singular(title: &str) -> String {
    const SAME: [&str; 14] = [
        "repas",
        "concours",
        "parcours",
        "cours",
        "puces",
        "vide-greniers",
        "jus",
        "bas",
        "dans",
        "sous",
        "gros",
        "trois",
        "discours",
        "temps",
    ];
    let words = Words::of(title);
    let mut out = String::with_capacity(title.len());
    let mut at = 0;
    for token in words.tokens.iter() {
        let plural = token.kind == Kind::Word
            && token.fold.ends_with('s')
            && token.fold.len() > 3
            && !token.is_any(&SAME)
            && !is_function(token);
        if !plural || token.capital {
            break;
        }
        out += &title[at..token.end - 1];
        at = token.end;
    }
    out + &title[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_loses_only_its_leading_article_and_capital() {
        for (written, expected) in [
            (", et la chorale Les Voix d’Ici ", "chorale Les Voix d'Ici"),
            ("le groupe 2020 Selecta", "concert 2020 Selecta"),
            ("suivi d’un bal", "bal"),
            ("les 32 km du 32, randonnée", "les 32 km du 32, randonnée"),
            ("Photographies de voyage", "photographies de voyage"),
            ("La Traviata", "La Traviata"),
            ("VIDE-GRENIER", "VIDE-GRENIER"),
            ("« Terres cuites »", "« Terres cuites »"),
            ("visite guidée de", "visite guidée"),
        ] {
            assert_eq!(shown(written).text, expected, "{written}");
        }
    }

    #[test]
    fn a_plural_title_for_two_towns_becomes_singular() {
        assert_eq!(singular("petits marchés de producteurs"), "petit marché de producteurs");
        assert_eq!(singular("vide-greniers"), "vide-greniers");
        assert_eq!(singular("concert"), "concert");
    }
}
