//! Towns that structure an article: a name alone on a line, or at its beginning.

use super::communes;
use super::days;
use super::html::Line;
use super::text::{Kind, Token, Words};
use super::words::{AUXILIARY, DETAILS, GENRES, THEMES, is_event_noun, is_function, is_venue};

/// Ordinary words at the head of a line, of no other list.
#[rustfmt::skip]
const ORDINARY: &[&str] = &[
    "aussi", "attention", "nouveau", "nouveaute", "toute", "tous", "toutes", "tout", "programme", "agenda",
    "gratuit", "annule", "annulee", "reporte", "reportee", "complet", "matin", "soir", "midi", "minuit", "apres-midi", "soiree", "journee", "matinee", "nuit", "bonus", "coup", "idee", "idees", "envie", "note", "pour",
    "avec", "chez", "dans", "sur", "football", "foot", "senior", "seniors", "feminines", "masculins", "jeunes",
    "petits", "grands", "bon", "bonne", "info", "infos", "suite", "fin", "buvette", "restauration", "vf", "vo",
    "vost", "film", "films", "petanque", "belote", "rugby", "handball", "basket", "cyclisme", "natation",
    "judo", "tennis", "gratuite",
];

/// A name alone on a line, which may be a town no list knows.
pub(super) fn lone_name(line: &Line) -> Option<String> {
    const LONGEST_NAME: usize = 40;
    if line.text.len() > LONGEST_NAME || line.text.contains('\n') {
        return None;
    }
    let words = Words::of(&line.text);
    let text = line.text.trim_matches(|c: char| !c.is_alphanumeric());
    let tokens: Vec<&Token> = words.tokens.iter().filter(|token| token.kind == Kind::Word).collect();
    let first = words.tokens.iter().position(|token| token.kind == Kind::Word)?;
    if let Some((name, to)) = communes::written(&words, first)
        && words.tokens[to..].iter().all(|token| token.kind == Kind::Sign)
        && !(to == first + 1 && is_listed_word(&words.tokens[first]))
    {
        return Some(name);
    }
    let all_names = !tokens.is_empty()
        && tokens.len() <= 3
        && words.tokens.iter().all(|token| token.kind != Kind::Number)
        && !words.tokens.iter().any(|token| token.is_any(&[",", "«", "!", "?", "+", "&", "/", ";"]))
        && tokens.iter().all(|token| token.capital && !is_common_word(token));
    // A poster does not shout its towns.
    let calm = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_string() + &chars.as_str().to_lowercase())
    };
    let shouts = !text.chars().any(char::is_lowercase);
    (all_names && words.tokens.iter().all(|token| token.kind != Kind::Break))
        .then(|| if shouts { text.split_inclusive([' ', '-', '\'']).map(calm).collect() } else { text.to_owned() })
}

/// `Aulnay-de-Saintonge`, `Aulnay de Saintonge`: a commune with more of a name than the list has.
pub(super) fn long_name(text: &str) -> Option<String> {
    const JOINTS: [&str; 11] = ["sur", "sous", "en", "de", "du", "des", "d'", "la", "le", "les", "lès"];
    const LONGEST_NAME: usize = 60;
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    if text.len() > LONGEST_NAME {
        return None;
    }
    let parts: Vec<&str> = text.split([' ', '-']).collect();
    let plain = |part: &&str| part.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’'));
    let named = |part: &str| part.starts_with(char::is_uppercase);
    let elided = |part: &str| part.starts_with(['d', 'l']) && part.contains(['\'', '’']);
    let joint = |part: &str| JOINTS.contains(&part) || elided(part);
    let all_names = parts.iter().all(|part| plain(part) && (named(part) || joint(part)));
    let known = |to: usize| joint(parts[to]) && !communes::departments(&parts[..to].join("-")).is_empty();
    let more = parts.last().is_some_and(|last| named(last) || elided(last));
    (all_names && more && (1..parts.len()).any(known)).then(|| text.to_owned())
}

/// A word of the language at the head of a line, whatever its capital: `Danse`, `Animations`, `Exposition`.
fn is_common_word(token: &Token) -> bool {
    is_listed_word(token) || has_common_ending(token)
}

/// `Animation`, `Randonnée`: no list of words is complete.
fn has_common_ending(token: &Token) -> bool {
    const ENDS: [&str; 9] = ["tion", "tions", "isme", "ment", "erie", "eries", "age", "ance", "iers"];
    token.fold.len() > 6 && ENDS.iter().any(|end| token.fold.ends_with(end))
}

pub(super) fn is_listed_word(token: &Token) -> bool {
    is_event_noun(token)
        || is_venue(token)
        || is_function(token)
        || days::weekday(token).is_some()
        || days::month(token).is_some()
        || token.is_any(THEMES)
        || token.is_any(GENRES)
        || token.is_any(DETAILS)
        || token.is_any(AUXILIARY)
        || token.is_any(ORDINARY)
}

/// Where the notices of other towns begin in a line: `PAVIE. 20 h 30 : réunion. – MIRANDE. 18 h : cinéma`.
pub(super) fn notices(line: &Line) -> Vec<usize> {
    if !line.cells.is_empty() || line.text.len() > super::lines::LONGEST_LINE {
        return Vec::new();
    }
    let words = Words::of(&line.text);
    let heads = |at: usize| {
        communes::written(&words, at).is_some_and(|(_, to)| {
            let ordinary = to == at + 1 && is_listed_word(&words.tokens[at]);
            (at..to).all(|at| words.shouts(at)) && words.is(to, &[".", ":"]) && !ordinary
        })
    };
    if !heads(0) {
        return Vec::new();
    }
    let begins = |at: &usize| words.is(at - 1, &["-", ".", ";", "•", "|"]) && heads(*at);
    (1..words.tokens.len()).filter(begins).map(|at| words.tokens[at].start).collect()
}

/// A town at the head of a line: `Cahors. Concert…`, `Le Houga : repas…`, `Flaran (Valence-sur-Baïse).`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TownRunIn {
    pub(super) town: String,
    /// Byte where the words after it begin.
    pub(super) rest: usize,
    /// It is on the list of communes.
    pub(super) known: bool,
}

/// `Bourg : loto`: a commune whose name is an ordinary noun of places. Only what stands around the line can tell.
pub(super) fn ordinary_town_run_in(text: &str) -> Option<TownRunIn> {
    const LONGEST_NAME: usize = 20;
    let head: String = text.chars().take(LONGEST_NAME).collect();
    let words = Words::of(&head);
    let (name, to) = communes::written(&words, 0)?;
    let first = &words.tokens[0];
    let rest = words.tokens.get(to + 1)?.start;
    (to == 1 && words.is(to, &[":"]) && is_venue(first) && !is_event_noun(first)).then_some(TownRunIn {
        town: name,
        rest,
        known: true,
    })
}

/// The town that a line begins with. `unlisted`: a capitalised name that no list knows may be one.
pub(super) fn town_run_in(text: &str, unlisted: bool) -> Option<TownRunIn> {
    const LONGEST_RUN_IN: usize = 60;
    if text.starts_with(super::names::OPEN) {
        return None;
    }
    let head: String = text.chars().take(LONGEST_RUN_IN).collect();
    let words = Words::of(&head);
    let tokens = &words.tokens;
    let first = tokens.iter().position(|token| token.kind == Kind::Word)?;
    if first > 1 {
        return None;
    }
    let ends = |at: usize| -> Option<usize> {
        let token = tokens.get(at)?;
        let next = tokens.get(at + 1)?;
        let separated = token.is_any(&[".", ":", ">", "|", "»", "›", "→"])
            || token.is("-") && token.start > tokens[at - 1].end && next.start > token.end;
        (separated && !(token.is(":") && next.kind == Kind::Number && next.start == token.end)).then_some(next.start)
    };
    // `auch > Concert.`
    if let Some(mark) = (first + 1..tokens.len().min(first + 5)).find(|at| words.is(*at, &[">", "›"])) {
        let raised: String = {
            let name = words.slice(first, mark);
            let mut chars = name.chars();
            chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
        };
        let named = Words::of(&raised);
        if let Some((name, _)) = communes::known(&named.tokens, 0).filter(|(_, to)| *to == named.tokens.len()) {
            let rest = tokens.get(mark + 1).map_or(text.len(), |token| token.start);
            return Some(TownRunIn { town: name.to_owned(), rest, known: true });
        }
    }
    if let Some((name, to)) = communes::written(&words, first) {
        // `Flaran (Valence-sur-Baïse).`, `Auch (32).`
        if words.is(to, &["("])
            && let Some(close) = (to..tokens.len().min(to + 7)).find(|at| words.is(*at, &[")"]))
        {
            let inner = communes::written(&words, to + 1).filter(|(_, end)| *end == close);
            let town = inner.map_or(name, |(name, _)| name);
            let rest = ends(close + 1)?;
            return Some(TownRunIn { town, rest, known: true });
        }
        let ordinary = is_listed_word(&tokens[first]) && to == first + 1;
        if !ordinary && let Some(rest) = ends(to) {
            return Some(TownRunIn { town: name, rest, known: true });
        }
    }
    let name_ends = (first..tokens.len().min(first + 3))
        .take_while(|at| tokens[*at].kind == Kind::Word && tokens[*at].capital && !is_common_word(&tokens[*at]))
        .count()
        + first;
    if name_ends == first {
        return None;
    }
    if words.is(name_ends, &["("])
        && let Some((name, close)) = communes::known(tokens, name_ends + 1)
        && words.is(close, &[")"])
        && let Some(rest) = ends(close + 1)
    {
        return Some(TownRunIn { town: name.to_owned(), rest, known: true });
    }
    if !unlisted || name_ends > first + 1 || !words.is(name_ends, &["."]) || tokens[first].fold.len() < 4 {
        return None;
    }
    let rest = ends(name_ends)?;
    let next = &tokens[name_ends + 1];
    (next.kind == Kind::Number || next.capital || next.is("a")).then(|| TownRunIn {
        town: words.slice(first, name_ends).to_owned(),
        rest,
        known: false,
    })
}
