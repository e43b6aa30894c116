//! Lines that tell of nothing to attend: farewells, signatures, headings of practical lines or of a period.

use super::super::lines::{LONGEST_LINE, says_date, timing};
use super::super::text::{Kind, Token, Words, folded};
use super::super::words::{is_event_noun, is_function, is_venue};
use super::{Entry, Under};

/// `Double tap si tu viens !` at the very end: it calls its readers, and tells neither what nor when nor where.
pub(super) fn is_parting_word(entry: &Entry) -> bool {
    matches!(entry.under, Under::Days(_))
        && !entry.placed_by_words
        && (is_call(&entry.text) || is_signature(&entry.text))
}

pub(super) fn is_call(text: &str) -> bool {
    #[rustfmt::skip]
    const READERS: [&str; 20] = [
        "tu", "toi", "te", "t'", "ton", "ta", "tes", "vous", "votre", "vos", "merci", "partagez", "partage",
        "abonnez-vous", "abonne-toi", "bonne", "bonnes", "bon", "belle", "bienvenue",
    ];
    let said = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    if text.len() > LONGEST_LINE || text.contains('\n') || !text[said.len()..].contains(['!', '?', '…']) {
        return false;
    }
    let words = Words::of(text);
    let tells = words.tokens.iter().enumerate().any(|(at, token)| {
        // A name: `Les Zicos vous attendent !`
        let named = token.capital && at > 0 && !words.tokens[at - 1].is_sentence_end();
        named || is_event_noun(token) || is_venue(token) || token.is_any(&["«", "\""])
    });
    words.tokens.iter().any(|token| token.is_any(&READERS)) && !tells && !timing(text).says && !says_date(text)
}

/// `L'équipe de l'office`, `Votre office de tourisme` at the very end: who wrote it.
fn is_signature(text: &str) -> bool {
    const MOST_WORDS: usize = 9;
    const SIGNS: [&str; 8] =
        ["equipe", "office", "redaction", "comite", "secretariat", "mairie", "municipalite", "commission"];
    if text.split(' ').count() > MOST_WORDS || text.contains('\n') || timing(text).says || says_date(text) {
        return false;
    }
    let words = Words::of(text);
    let first = (0..words.tokens.len())
        .find(|at| !words.is(*at, &["l'", "la", "le", "toute", "votre", "vos", "notre", "de", "signe", "-"]));
    let tells = words.tokens.iter().any(|token| is_event_noun(token) || token.is_any(&["«", "\""]));
    first.is_some_and(|at| words.is(at, &SIGNS)) && !tells
}

/// `Et aussi cette semaine`, `À ne pas manquer ce mois-ci`: a heading of nothing but a period.
pub(super) fn names_a_period(text: &str) -> bool {
    says_more(text) && Words::of(text).tokens.iter().any(|token| token.is_any(&PERIODS))
}

/// `À voir aussi`, `Et aussi` above lines with days of their own.
pub(super) fn names_more(text: &str) -> bool {
    says_more(text)
}

const PERIODS: [&str; 6] = ["semaine", "week-end", "mois", "mois-ci", "saison", "vacances"];

/// Nothing but words that lead to more of the same.
fn says_more(text: &str) -> bool {
    const LONGEST: usize = 60;
    #[rustfmt::skip]
    const LEADS: [&str; 17] = [
        "et", "aussi", "egalement", "encore", "toujours", "voir", "faire", "ne", "pas", "manquer", "autres", "rendez-vous", "suite",
        "sorties", "retrouver", "cette", "decouvrir",
    ];
    if text.len() > LONGEST || timing(text).says || says_date(text) {
        return false;
    }
    let words = Words::of(text);
    let said = |token: &Token| token.is_any(&["aussi", "egalement", "encore", "autres", "manquer"]);
    let known = |token: &Token| {
        token.kind != Kind::Word || is_function(token) || token.is_any(&LEADS) || token.is_any(&PERIODS)
    };
    words.tokens.iter().any(said) && words.tokens.iter().all(known)
}

/// `Horaires utiles`, `Tarifs`, `Renseignements`: a heading of what is no event.
pub(super) fn heads_practical_lines(text: &str) -> bool {
    const MOST_WORDS: usize = 5;
    #[rustfmt::skip]
    const HEADS: [&str; 14] = [
        "horaires", "tarif", "tarifs", "renseignements", "inscriptions", "inscription", "reservations", "reservation",
        "adresses", "contacts", "contact", "services", "permanences", "numeros",
    ];
    let words = Words::of(text);
    let first = words.tokens.iter().position(|token| token.kind == Kind::Word);
    let tells = words.tokens.iter().any(is_event_noun);
    text.split(' ').count() <= MOST_WORDS
        && first.is_some_and(|at| words.is(at, &HEADS))
        && !tells
        && !timing(text).says
        && !says_date(text)
}

/// `À noter`, `RAPPEL`, `Dernière minute`: a heading that says nothing of the lines below it.
pub(super) fn heads_notes(text: &str) -> bool {
    const LONGEST: usize = 40;
    const HEADS: [&str; 11] = [
        "a noter",
        "a noter aussi",
        "rappel",
        "rappels",
        "derniere minute",
        "dernieres minutes",
        "et aussi",
        "ailleurs",
        "bon a savoir",
        "en bref",
        "attention",
    ];
    if text.len() > LONGEST {
        return false;
    }
    let plain = folded(text.trim_matches(|c: char| !c.is_alphanumeric()));
    HEADS.contains(&plain.as_str())
}
