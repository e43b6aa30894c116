//! Checks whether a run of words is acceptable as the title of an event.
//!
//! A title must name something one attends (a noun for events, a quotation, a proper name that is not a place) and must
//! not be a fragment: no finite verb, no connector or preposition at its edges, not just a venue, town, label or part of
//! the day.

use super::clock::clock;
use super::communes;
use super::days::{month, weekday};
use super::marks::quotation;
use super::money;
use super::text::{Kind, Token, Words};
use super::verbs::is_finite;
use super::words::{AUXILIARY, DETAILS, is_event_noun, is_function, is_venue};

/// Words a title never begins with: connectors, prepositions, adverbs.
#[rustfmt::skip]
pub(super) const NEVER_FIRST: &[&str] = &[
    "quant", "dommage", "ailleurs", "cependant", "pourtant", "sinon", "celle", "celui", "ceux", "celles", "ca",
    "cela", "double", "jeun", "poursuit", "et", "puis", "ensuite", "egalement", "aussi", "enfin", "toujours", "avec",
    "suivi", "suivie", "suivis", "suivies", "en", "dans", "sur", "sous", "chez", "par", "pour", "jusqu'", "jusque",
    "inclus", "compris", "seul", "seule", "seuls", "comme", "mais", "ou", "que", "qu'", "qui", "dont", "ne", "n'",
    "se", "s'", "y", "autour", "vers", "apres", "avant", "entre", "depuis", "lors", "ainsi", "donc", "car", "si",
    "plus", "au", "aux", "a", "de", "du", "d'", "ce", "cet", "cette", "ces", "meme", "memes", "rdv", "rv", "bien",
    "sans", "durant", "pendant", "afin", "voici", "des", "il", "elle", "on", "ils", "elles", "nous", "vous", "je",
    "j'", "c'", "ca", "idem", "ici", "la-bas", "non", "oui", "encore", "deja", "tres", "trop", "environ", "gratuit",
    "gratuite", "complet", "annule", "annulee", "reporte", "reportee", "maintenu", "maintenue", "ouvert", "ouverte",
    "ouverts", "ferme", "fermee", "rendez-vous", "place", "places", "possibilite", "prevoir", "attention", "tout",
    "tous", "toute", "toutes", "notre", "nos", "votre", "vos", "leur", "leurs", "son", "sa", "ses", "mon", "ma",
    "mes", "quand", "lorsque", "lorsqu'", "alors", "contre", "hors", "parmi", "selon", "grace", "malgre", "envie",
    "face", "pres", "loin", "aupres", "choix", "suite", "fin", "debut", "premier", "derniere", "dernier", "coup",
    "coups", "juste", "seulement", "uniquement", "avis", "objectif", "question", "direction", "cap", "changement",
    "retour", "cote", "aujourd'hui", "demain", "hier", "merci", "bonne", "bonnes", "anime", "animee", "animes",
    "animees", "organise", "organisee", "propose", "proposee", "presente", "presentee", "joue", "jouee",
];

/// Words a title never ends with.
#[rustfmt::skip]
const NEVER_LAST: &[&str] = &[
    "de", "du", "des", "le", "la", "les", "l'", "un", "une", "et", "ou", "a", "au", "aux", "en", "avec", "par",
    "pour", "sur", "sous", "dans", "que", "qu'", "qui", "d'", "chez", "ne", "se", "s'", "entre", "vers", "des",
    "dont", "ce", "cette", "son", "sa", "ses", "leur", "puis", "mais", "est", "sont", "suivi", "suivie", "suivis",
    "ainsi", "jusqu'",
];

/// Words that only occur in sentences.
#[rustfmt::skip]
const NEVER_WITHIN: &[&str] = &[
    "vous", "nous", "on", "je", "il", "ils", "elle", "elles", "venez", "tarif", "tarifs", "inscription",
    "inscriptions", "reservation", "reservations", "qui", "lesquels", "laquelle", "lequel", "c'", "ne", "n'", "s'",
];

/// Nouns for events only together with another word.
#[rustfmt::skip]
pub(super) const WEAK_NOUNS: &[&str] = &[
    "grand", "grande", "grands", "grandes", "petit", "petite", "petits", "groupe", "cine", "cinema", "theatre",
    "tour", "creation", "decouverte", "photos", "photo", "portes", "heure", "feu", "feux", "musique", "the", "thes",
    "ecoute", "enquete", "orgue", "film", "coupe", "pot", "vin", "tir", "cours", "classe", "stage",
];

/// Why a run of words is not a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    Empty,
    Edge,
    Sentence,
    NothingToAttend,
    Long,
    Fragment,
}

/// The flaw of `title`; `None` if it is acceptable.
pub(super) fn flaw(title: &str) -> Option<Flaw> {
    const MOST_WORDS: usize = 18;
    let words = Words::of(title);
    let tokens = &words.tokens;
    let content: Vec<usize> =
        (0..tokens.len()).filter(|at| matches!(tokens[*at].kind, Kind::Word | Kind::Number)).collect();
    let (Some(&first), Some(&last)) = (content.first(), content.last()) else { return Some(Flaw::Empty) };
    let mut quoted = vec![false; tokens.len()];
    let mut at = 0;
    while at < tokens.len() {
        match quotation(tokens, at) {
            Some(to) => {
                quoted[at..to].fill(true);
                at = to;
            }
            None => at += 1,
        }
    }
    let opens_quoted = quoted[first];
    let idiom = words.is(first, &["en", "sur", "de", "apres", "a"]) && is_idiom(&words, first);
    if !opens_quoted && !idiom && words.is(first, NEVER_FIRST) && !ordinal_event(&words, first) {
        return Some(Flaw::Edge);
    }
    if !quoted[last] && words.is(last, NEVER_LAST) && !tokens[last].capital {
        return Some(Flaw::Edge);
    }
    if content.len() > MOST_WORDS {
        return Some(Flaw::Long);
    }
    let signs = |sign: &str| tokens.iter().filter(|token| token.is(sign)).count();
    const STAGE_WORDS: [&[&str]; 8] = [
        &["lever", "de", "rideau"],
        &["coup", "d'", "envoi"],
        &["top", "depart"],
        &["rideau"],
        &["premier", "jet"],
        &["buvette"],
        &["restauration"],
        &["petite", "restauration"],
    ];
    if STAGE_WORDS.iter().any(|list| list.iter().enumerate().all(|(i, word)| words.is(first + i, &[word])))
        && content.len() <= 4
    {
        return Some(Flaw::NothingToAttend);
    }
    let unpaired = signs("(") != signs(")") || signs("«") != signs("»") || !signs("\"").is_multiple_of(2);
    let coded = title.contains(['[', ']', '=', '©', '€', '{', '}', '<', '>', '@', '|', '☎', '📞'])
        || title.chars().any(is_pictogram);
    let marked = (0..tokens.len()).any(|at| {
        !quoted[at] && (clock(tokens, at).is_some() && !counted_hours(&words, at) || money::phone(tokens, at).is_some())
    });
    if unpaired || coded || marked {
        return Some(Flaw::Fragment);
    }
    let dated = content.iter().any(|at| {
        !quoted[*at]
            && (weekday(&tokens[*at]).is_some() && !tokens[*at].fold.ends_with("dis")
                || tokens[*at].is_any(&["aujourd'hui", "demain"]))
            && !(*at > 0 && words.is(*at - 1, &["du", "des", "de", "d'", "les", "premier", "dernier"]))
    });
    if dated {
        return Some(Flaw::Fragment);
    }
    // A word no list knows before an article: `l'amicale aligne une centaine`, `l'atelier soigne vos grille-pain`.
    let governs = content.windows(2).any(|pair| {
        let (at, next) = (pair[0], pair[1]);
        !quoted[at]
            && next == at + 1
            && tokens[at].kind == Kind::Word
            && !tokens[at].capital
            && !is_function(&tokens[at])
            && !is_event_noun(&tokens[at])
            && words.is(
                next,
                &[
                    "le", "la", "les", "l'", "un", "une", "son", "sa", "ses", "leur", "leurs", "vos", "nos", "votre",
                    "notre", "ce", "cet", "cette",
                ],
            )
            && tokens.get(next + 1).is_none_or(|after| after.kind != Kind::Number)
            && !words.is(
                at,
                &[
                    "toute", "tout", "toutes", "tous", "comme", "contre", "sauf", "selon", "malgre", "apres", "avant",
                    "pendant", "durant", "entre", "sans", "derriere", "devant", "tirage",
                ],
            )
            && at > first
    });
    if governs {
        return Some(Flaw::Sentence);
    }
    let sentence = content.iter().any(|at| !quoted[*at] && (words.is(*at, NEVER_WITHIN) || is_finite(&words, *at)));
    if sentence {
        return Some(Flaw::Sentence);
    }
    (!names_something(&words, &quoted, &content)).then_some(Flaw::NothingToAttend)
}

/// `les 4 heures de pétanque`, `24 heures de palet`: the name of a contest.
fn counted_hours(words: &Words<'_>, at: usize) -> bool {
    words.is(at + 1, &["heures", "h"]) && words.is(at + 2, &["de", "du", "d'"])
}

/// `premier marché`, `grand prix`: an ordinal before a noun of events.
fn ordinal_event(words: &Words<'_>, at: usize) -> bool {
    words.is(at, &["premier", "dernier", "derniere", "retour", "tout", "tous", "place", "fin"])
        && words.tokens.get(at + 1).is_some_and(|token| is_event_noun(token) && !token.is_any(WEAK_NOUNS))
}

/// `Sur les pas de…`, `En avant la musique`, `De la terre à la lune`.
fn is_idiom(words: &Words<'_>, at: usize) -> bool {
    let next = |list: &[&str]| list.iter().enumerate().all(|(i, word)| words.is(at + 1 + i, &[word]));
    match words.tokens[at].fold.as_str() {
        "sur" => next(&["les", "pas"]),
        "en" => next(&["avant"]) || next(&["attendant"]) || next(&["passant"]),
        "de" => next(&["l'"]) && words.tokens[at].capital,
        _ => false,
    }
}

/// Pictograms mark fields: a title with one consists of parts of several fields.
pub(super) fn is_pictogram(c: char) -> bool {
    matches!(u32::from(c), 0x1F300..=0x1FAFF | 0x2600..=0x27BF | 0x2300..=0x23FF | 0x2B00..=0x2BFF | 0x1F000..=0x1F2FF)
}

/// Whether the words name something to attend, and not only where, when or for whom.
fn names_something(words: &Words<'_>, quoted: &[bool], content: &[usize]) -> bool {
    let tokens = &words.tokens;
    // `24 heures de palet`: a number of hours is the name of the event.
    if quoted.iter().any(|quoted| *quoted) || content.first().is_some_and(|at| counted_hours(words, *at)) {
        return true;
    }
    let meaning: Vec<usize> = content.iter().copied().filter(|at| !is_function(&tokens[*at])).collect();
    let Some(&head) = meaning.first() else { return false };
    let adjective = |at: usize| {
        words.is(
            at,
            &[
                "grand",
                "grande",
                "grands",
                "grandes",
                "petit",
                "petite",
                "petits",
                "super",
                "traditionnel",
                "traditionnelle",
                "belle",
                "nouvelle",
                "nouveau",
                "premier",
                "premiere",
                "second",
                "dernier",
                "derniere",
                "joyeux",
                "double",
            ],
        )
    };
    let head = if adjective(head) { meaning.get(1).copied().unwrap_or(head) } else { head };
    let event = |at: usize| is_event_noun(&tokens[at]) && !(words.is(at, WEAK_NOUNS) && meaning.len() < 2);
    if event(head) {
        return true;
    }
    if words.is(head, AUXILIARY) || words.is(head, DETAILS) {
        // `ouverture du musée`, `remise des prix`: the complement says of what.
        let opens = words.is(head, &["ouverture", "ouvertures", "accueil"])
            && meaning.iter().skip(1).any(|at| is_venue(&tokens[*at]));
        return opens || meaning.iter().skip(1).any(|at| event(*at)) && meaning.len() >= 3;
    }
    // `Foyer de Ternoux`, `place du Puits`: a place, not an event. `Village des artisans` may be both: the sentence decides.
    if is_venue(&tokens[head]) {
        return meaning.iter().skip(1).any(|at| {
            event(*at)
                && !words
                    .is(*at, &["fetes", "fete", "sport", "spectacle", "spectacles", "concert", "marche", "musique"])
        });
    }
    if let Some((_, to)) = communes::known(tokens, head)
        && meaning.iter().all(|at| *at < to)
    {
        return false;
    }
    let when = |at: usize| {
        let token = &tokens[at];
        weekday(token).is_some()
            || month(token).is_some()
            || token.is_any(&[
                "matin",
                "matinee",
                "midi",
                "apres-midi",
                "journee",
                "soir",
                "soiree",
                "nuit",
                "jour",
                "jours",
                "semaine",
                "week-end",
                "minuit",
                "heures",
                "heure",
                "minutes",
                "ans",
                "km",
            ])
            || token.kind == Kind::Number
    };
    if meaning.iter().all(|at| when(*at)) {
        return false;
    }
    if meaning.iter().any(|at| event(*at)) {
        return true;
    }
    // A proper name: capitals that the beginning of the sentence does not explain.
    let name = |at: usize| tokens[at].kind == Kind::Word && tokens[at].capital && !when(at);
    if meaning.iter().skip(1).any(|at| name(*at)) || name(head) && head > 0 {
        return true;
    }
    // A noun no list knows, with what it is of or for: `collecte de sang`, `sieste musicale`.
    let letters: usize = meaning.iter().map(|at| tokens[*at].fold.len()).sum();
    meaning.len() >= 2 && letters >= 10 && !is_adverb(&tokens[head]) && !when(head)
}

pub(super) fn is_adverb(token: &Token) -> bool {
    token.fold.ends_with("ment") && token.fold.len() > 7
        || token.is_any(&[
            "seul", "seuls", "ensemble", "partout", "dehors", "dedans", "tard", "tot", "vite", "ouvert", "ouverte",
            "reserve", "reservee", "limite", "limitee", "limitees", "offert", "offerte", "assure", "assuree",
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_something_to_attend() {
        for title in [
            "visite guidée des venelles médiévales",
            "« La Moisson »",
            "concert du trio Cascabel",
            "collecte de sang",
            "Ronde des Osiers",
            "Mini-golf",
            "24 heures de palet",
            "grand marché de Noël",
            "Sur les pas de d'Artagnan",
        ] {
            assert_eq!(flaw(title), None, "{title}");
        }
    }

    #[test]
    fn fragments_are_not_titles() {
        for title in [
            "comme",
            "on part",
            "place",
            "inclus",
            "seul",
            "premier jet",
            "dernier palet",
            "Toujours mardi",
            "après une semaine de chaleur",
            "le foyer de Ternoux",
            "L'église de Ternoux accueille",
            "poussez la porte de l'atelier",
            "c'est soirée karaoké",
            "fête commence",
            "coup d'envoi",
            "Matin",
            "halle",
            "Auch",
            "avec une fanfare",
            "dans le cadre du salon",
            "le dragon est de retour",
            "ne ferme qu'",
            "concert de",
        ] {
            assert!(flaw(title).is_some(), "{title}");
        }
    }
}
