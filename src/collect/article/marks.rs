//! Finds hours, prices, telephone numbers, states and dates in an item's words, in one pass.
//!
//! Defines marks; `parts` and `events` interpret them together. Nothing inside quotation marks is marked: a title such as
//! « 24 heures à Auch » contains no hour.

use std::rc::Rc;

use chrono::NaiveTime;

use super::clock::clock;
use super::days::{self, Found, Recurrence, Spec};
use super::hours::{self, Slot, Times};
use super::money;
use super::names::name_at;
use super::text::{Kind, Token, Words};
use super::words::is_event_noun;
use crate::domain::agenda::Status;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Times(Times),
    Price,
    Phone(String),
    Status(Said),
    Until(Until),
    Dates(Spec),
    Recurs(Recurrence),
    /// A duration, a web address, prize money: kept for the note, and never split.
    Opaque,
}

/// `COMPLET à 15 h`, `reporté au vendredi 16`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) status: Status,
    pub(super) at: Option<NaiveTime>,
    pub(super) to_day: Option<Spec>,
    /// The words say more than the status (`inscriptions closes`): they stay in the note.
    pub(super) kept: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Until {
    Day(Spec),
    /// `fin juillet`: the last day of the month is meant.
    EndOf(u32),
    /// `mi-septembre`, `début janvier`, `tout l'été`: no day is meant.
    Vague,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) meaning: Meaning,
}

/// The marks of an item in order; they do not overlap.
pub(super) fn marks(words: &Words<'_>) -> Rc<[Mark]> {
    Rc::clone(words.marks.get_or_init(|| find(words).into()))
}

fn find(words: &Words<'_>) -> Vec<Mark> {
    let tokens = &words.tokens;
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(to) = quotation(tokens, at) {
            at = to;
            continue;
        }
        match mark(words, at).or_else(|| same_hour_as_before(words, at, &out)) {
            Some(Found { what, to }) => {
                out.push(Mark { from: at, to, meaning: what });
                at = to;
            }
            None => at += 1,
        }
    }
    out
}

/// `bal à 21 h à Pavie ; à la même heure, loto à Auch`: the hour said before, where there is one and no other.
fn same_hour_as_before(words: &Words<'_>, at: usize, before: &[Mark]) -> Option<Found<Meaning>> {
    let (to, hours) = same_hour(words, at)?;
    let said = before.iter().rev().find_map(|mark| match &mark.meaning {
        Meaning::Times(times) if !times.slots.is_empty() => Some(times),
        _ => None,
    })?;
    let times = match said.slots.as_slice() {
        [only] if !hours => Times { slots: vec![Slot { end: None, ..*only }], end: None, ..said.clone() },
        _ if hours => said.clone(),
        _ => return None,
    };
    Some(Found { what: Meaning::Times(times), to })
}

/// Where `à la même heure` at token `at` ends, and whether it is `aux mêmes heures`: the end too.
pub(super) fn same_hour(words: &Words<'_>, at: usize) -> Option<(usize, bool)> {
    const FORMS: [(&[&str], bool); 5] = [
        (&["a", "la", "meme", "heure"], false),
        (&["a", "cette", "meme", "heure"], false),
        (&["aux", "memes", "heures"], true),
        (&["aux", "memes", "horaires"], true),
        (&["memes", "horaires"], true),
    ];
    // Most words begin none.
    if !words.is(at, &["a", "aux", "memes"]) {
        return None;
    }
    let found = FORMS.iter().find(|(form, _)| form.iter().enumerate().all(|(i, word)| words.is(at + i, &[word])));
    // `à la même heure que le feu` is another thing's hour.
    found.map(|(form, hours)| (at + form.len(), *hours)).filter(|(to, _)| !words.is(*to, &["que", "qu'"]))
}

/// Where the quotation that opens at token `at` ends. An unclosed one is only a stray sign.
pub(super) fn quotation(tokens: &[Token], at: usize) -> Option<usize> {
    const LONGEST: usize = 30;
    if let Some(to) = name_at(tokens, at) {
        return Some(to);
    }
    let close = match tokens[at].fold.as_str() {
        "«" => "»",
        "\"" => "\"",
        _ => return None,
    };
    // `« Fabrique ta citrouille«`: the closing sign typed as an opening one, glued to its word.
    if close == "»" {
        let wrong = (at + 2..tokens.len().min(at + LONGEST))
            .take_while(|i| !tokens[*i].is("»") && tokens[*i].kind != Kind::Break)
            .find(|i| tokens[*i].is("«") && tokens[i - 1].end == tokens[*i].start);
        if let Some(wrong) = wrong {
            return Some(wrong + 1);
        }
    }
    let ahead = tokens.iter().enumerate().skip(at + 1).take(LONGEST);
    ahead
        .take_while(|(_, token)| !token.is("«") && token.kind != Kind::Break)
        .find(|(_, token)| token.is(close))
        .map(|(i, _)| i + 1)
}

fn mark(words: &Words<'_>, at: usize) -> Option<Found<Meaning>> {
    let tokens = &words.tokens;
    if let Some(to) = web_address(words, at) {
        return Some(Found { what: Meaning::Opaque, to });
    }
    if let Some(phone) = money::phone(tokens, at) {
        return Some(Found { what: Meaning::Phone(phone.what), to: phone.to });
    }
    if let Some(said) = hour_with_status(words, at).or_else(|| status(words, at)) {
        return Some(Found { what: Meaning::Status(said.what), to: said.to });
    }
    if let Some(until) = until(tokens, at) {
        return Some(Found { what: Meaning::Until(until.what), to: until.to });
    }
    if let Some(to) = hours::duration(tokens, at) {
        return Some(Found { what: Meaning::Opaque, to });
    }
    if let Some(times) = hours::time(tokens, at) {
        let what = if is_of_the_sea(words, at) || is_a_limit(words, at) {
            Meaning::Opaque
        } else {
            Meaning::Times(times.what)
        };
        return Some(Found { what, to: times.to });
    }
    if let Some(to) = money::price(tokens, at) {
        return Some(Found { what: Meaning::Price, to });
    }
    if let Some(recurs) = days::recurrence(tokens, at) {
        return Some(Found { what: Meaning::Recurs(recurs.what), to: recurs.to });
    }
    // `Mardi gras des enfants`
    if words.is(at, &["mardi"]) && words.is(at + 1, &["gras"]) {
        return None;
    }
    days::date(tokens, at).map(|date| Found { what: Meaning::Dates(date.what), to: date.to })
}

/// `basse mer 13 h 42`, `marée haute : 9 h`, `coucher du soleil vers 21 h`: an hour of the sea or the sky.
fn is_of_the_sea(words: &Words<'_>, at: usize) -> bool {
    let lead = (0..at).rev().take(2).take_while(|i| words.is(*i, &[":", "a", "vers", "("])).count();
    let end = at - lead;
    let said = |list: &[&[&str]]| {
        list.iter().enumerate().all(|(i, word)| end >= list.len() && words.is(end - list.len() + i, word))
    };
    said(&[&["basse", "basses", "pleine", "pleines", "haute"], &["mer", "mers"]])
        || said(&[&["maree", "marees"], &["basse", "haute", "basses", "hautes"]])
        || said(&[&["coucher", "lever"], &["du", "de"], &["soleil"]])
}

/// `avant le 30 octobre midi`, `avant mercredi 12 h`: the hour of a limit, behind its day.
fn is_a_limit(words: &Words<'_>, at: usize) -> bool {
    const LONGEST_DATE: usize = 6;
    let end = at - usize::from(at > 0 && words.is(at - 1, &["a", ","]));
    let before = (0..end).rev().take(LONGEST_DATE).find(|i| words.is(*i, &["avant"]));
    before.is_some_and(|before| {
        let day = before + 1 + usize::from(words.is(before + 1, &["le", "ce"]));
        days::date(&words.tokens, day).is_some_and(|date| date.to == end)
    })
}

/// `www.x.fr`, `https://…`, `a@b.fr`: the tokens up to the next blank.
fn web_address(words: &Words<'_>, at: usize) -> Option<usize> {
    let token = words.tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let address = token.is_any(&["www", "http", "https"]) || {
        // `contact@…`: look only a few tokens ahead.
        (at + 1..at + 6)
            .take_while(|i| words.tokens.get(*i).is_some_and(|t| t.start == words.tokens[i - 1].end))
            .any(|i| words.tokens[i].is("@"))
    };
    if !address {
        return None;
    }
    let mut to = at + 1;
    while words.tokens.get(to).is_some_and(|t| t.start == words.tokens[to - 1].end && !t.is_any(&[",", ";", ")", "\n"]))
    {
        to += 1;
    }
    // The dot that ends the sentence is not the address's.
    let dot = words.tokens[to - 1].is(".");
    Some(to - usize::from(dot && to > at + 1))
}

/// A status. In lower case only as a statement: a `repas complet` does not mean sold out.
fn status(words: &Words<'_>, at: usize) -> Option<Found<Said>> {
    let tokens = &words.tokens;
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let plain = |status, to| Some(Found { what: Said { status, at: None, to_day: None, kept: false }, to });
    let root = token.fold.trim_end_matches('s');
    let root = root.strip_suffix("ee").map_or(root.to_owned(), |stem| format!("{stem}e"));
    // `le loto prévu dimanche n'aura pas lieu`
    if token.is("n'")
        && words.is(at + 1, &["aura", "auront", "a", "ont"])
        && words.is(at + 2, &["pas"])
        && words.is(at + 3, &["lieu"])
        && !is_conditional(words, at)
    {
        return plain(Status::Cancelled, at + 4);
    }
    match root.as_str() {
        "annule" | "annulation" if states(words, at) => {
            // `annulée et reportée au samedi 5`
            if words.is(at + 1, &["et"])
                && let Some(Found { what, to }) = postponed(words, at + 2)
            {
                return Some(Found { what, to });
            }
            let said =
                Said { status: Status::Cancelled, at: hour_before_bracket(words, at), to_day: None, kept: false };
            Some(Found { what: said, to: at + 1 })
        }
        "reporte" | "report" if states(words, at) => postponed(words, at),
        // `complet côté exposants`: not for the public.
        "complet" | "complete"
            if words.is(at + 1, &["cote"])
                || words.is(at + 1, &["pour"])
                    && (at + 2..at + 4).any(|at| words.is(at, &["exposants", "exposant", "stands"])) =>
        {
            None
        }
        // `COMPLET pour le goûter`: of a part of it.
        "complet" | "complete"
            if words.is(at + 1, &["pour"])
                && words.is(at + 2, &["le", "la", "les", "l'"])
                && !words.is(at + 3, &["seance", "visite", "representation", "concert", "spectacle"])
                && days::date(tokens, at + 3).is_none() =>
        {
            None
        }
        "complet" | "complete" if states(words, at) => {
            let lead = at + 1 + usize::from(words.is(at + 1, &["a", "pour", "le"]));
            let hour = clock(tokens, lead).filter(|_| lead > at + 1);
            let (at_hour, to) =
                hour.map_or((hour_before_bracket(words, at), at + 1), |clock| (Some(clock.what), clock.to));
            Some(Found { what: Said { status: Status::SoldOut, at: at_hour, to_day: None, kept: false }, to })
        }
        // `remis à une date ultérieure`, `reportée à plus tard`
        "remi" | "remise" | "repousse" | "repoussee" | "decale" | "decalee" if later(words, at + 1).is_some() => {
            plain(Status::Postponed, later(words, at + 1)?)
        }
        "remi" | "remise" | "repousse" | "repoussee" | "decale" | "decalee" if words.is(at + 1, &["au", "a"]) => {
            let day = days::date(tokens, at + 2)?;
            let said = Said { status: Status::Postponed, at: None, to_day: Some(day.what), kept: false };
            Some(Found { what: said, to: day.to })
        }
        "inscription" | "reservation" if words.is(at + 1, &["closes", "close", "terminees", "completes"]) => {
            Some(Found { what: Said { status: Status::SoldOut, at: None, to_day: None, kept: true }, to: at + 2 })
        }
        _ => None,
    }
}

/// `18 h et 20 h – 20 h complet`, `(16 h complet)`, `séance de 11 h complète`: an hour that was said before, with its state.
fn hour_with_status(words: &Words<'_>, at: usize) -> Option<Found<Said>> {
    const FAR: usize = 60;
    let tokens = &words.tokens;
    // Most words begin no such phrase.
    let led = words.is(at, &["seance", "visite", "representation", "celle"]) && words.is(at + 1, &["de", "a"]);
    let hour = at + if led { 2 } else { 0 };
    if tokens.get(hour)?.kind != Kind::Number {
        return None;
    }
    let said = clock(tokens, hour)?;
    let state = said.to + usize::from(words.is(said.to, &["est", "deja", ":", "-"]));
    let found = status(words, state).filter(|found| found.what.to_day.is_none() && found.what.at.is_none())?;
    let before = |at: &usize| clock(tokens, *at).is_some_and(|earlier| earlier.what == said.what);
    let repeated = (at.saturating_sub(FAR)..at).any(|at| before(&at));
    repeated.then_some(Found { what: Said { at: Some(said.what), ..found.what }, to: found.to })
}

/// The hour of `14 h, 16 h (complet) et 18 h`: of several hours that one alone.
fn hour_before_bracket(words: &Words<'_>, at: usize) -> Option<chrono::NaiveTime> {
    const NEAR: usize = 8;
    let open = at.checked_sub(1).filter(|open| words.is(*open, &["("]) && words.is(at + 1, &[")"]))?;
    let begins = |first: &usize| clock(&words.tokens, *first).is_some_and(|hour| hour.to == open);
    let number = (open.saturating_sub(3)..open).find(begins)?;
    let ranged = number > 1 && words.is(number - 1, &["a", "-"]) && words.tokens[number - 2].kind != Kind::Word
        || number > 1 && words.is(number - 1, &["a", "-"]) && words.is(number - 2, &["h", "heures"]);
    let other = |first: usize| clock(&words.tokens, first).is_some_and(|hour| hour.to <= number || first > at);
    let near = (number.saturating_sub(NEAR)..number).chain(at + 2..at + 2 + NEAR);
    (!ranged && near.into_iter().any(other)).then(|| clock(&words.tokens, number))?.map(|hour| hour.what)
}

/// Whether an hour, and not the end of a range, ends before token `at`.
fn behind_an_hour(words: &Words<'_>, at: usize) -> bool {
    let unit = at > 0 && words.is(at - 1, &["h", "heures", "heure"]);
    let minutes = at > 2 && words.tokens[at - 1].kind == Kind::Number && words.is(at - 2, &["h", ":"]);
    let number = if unit { at.checked_sub(2) } else { at.checked_sub(3).filter(|_| minutes) };
    number.is_some_and(|number| words.tokens[number].kind == Kind::Number)
}

/// Where `à une date ultérieure`, `à plus tard`, `sine die` ends.
fn later(words: &Words<'_>, at: usize) -> Option<usize> {
    const FORMS: [&[&str]; 5] = [
        &["a", "une", "date", "ulterieure"],
        &["a", "une", "autre", "date"],
        &["a", "plus", "tard"],
        &["sine", "die"],
        &["a", "une", "date"],
    ];
    let found = FORMS.iter().find(|form| form.iter().enumerate().all(|(i, word)| words.is(at + i, &[word])));
    found.map(|form| at + form.len())
}

fn postponed(words: &Words<'_>, at: usize) -> Option<Found<Said>> {
    if !words.is(at, &["reporte", "reportee", "reportes", "reportees", "report"]) {
        return None;
    }
    // `reportée du 12 novembre`: it takes place now.
    if words.is(at + 1, &["du", "de"]) {
        return None;
    }
    let lead = at + 1 + usize::from(words.is(at + 1, &["au", "a", "pour"]));
    let day = days::date(&words.tokens, lead);
    let to = day.as_ref().map_or(at + 1, |day| day.to);
    Some(Found { what: Said { status: Status::Postponed, at: None, to_day: day.map(|day| day.what), kept: false }, to })
}

/// Whether a word of status is a statement about the event: in capitals, or alone between signs, or after « est ».
fn states(words: &Words<'_>, at: usize) -> bool {
    if is_conditional(words, at) {
        return false;
    }
    let before = |words_before: &[&str]| at > 0 && words.is(at - 1, words_before);
    if before(&["pas", "non", "plus", "jamais"]) {
        return false;
    }
    let opens = at == 0 || before(&["(", "[", "-", ".", ",", ";", ":", "!", "\n", "*", "/", "|", "→"]);
    let closes = words
        .tokens
        .get(at + 1)
        .is_none_or(|t| t.is_sentence_end() || t.is_any(&[")", "]", "-", ",", ":", "et", "au", "a", "*", "/", "("]));
    // `la rando du Foyer annulée`: at the end of its clause, behind its noun.
    let ends = words.tokens.get(at + 1).is_none_or(|t| t.is_sentence_end() || t.is_any(&[")", ",", ":", "-", "("]));
    let behind_noun = at > 0
        && words.tokens[at - 1].kind == Kind::Word
        && words.is(at, &["annule", "annulee", "annules", "annulees"])
        && !words.is(at - 1, &["ete", "etre", "si", "ou", "et", "spectacles", "evenements"]);
    // `le fest-deiz annulé à Brennilis`
    let clause =
        || (at + 1..words.tokens.len()).take_while(|at| !words.tokens[*at].is_sentence_end() && !words.is(*at, &[","]));
    let somewhere = behind_noun
        && is_event_noun(&words.tokens[at - 1])
        && words.is(at + 1, &["a", "au", "aux"])
        && !clause().any(|at| super::verbs::is_finite(words, at) || words.is(at, &["reprogramme", "reprogrammee"]));
    let hour = closes && behind_an_hour(words, at);
    // `Annulé en raison de la crue`, `annulée, faute de bateaux`
    let reasoned = words.is(at + 1, &["en"]) && words.is(at + 2, &["raison"])
        || words.is(at + 1, &["pour", "a"]) && words.is(at + 2, &["cause", "raison"])
        || words.is(at + 1, &["faute"])
        || words.is(at + 1, &["suite"]) && words.is(at + 2, &["a", "au", "aux"]);
    // `Sortie reportée au samedi 6 novembre`, `Soirée annulée faute de lots`: a sentence that begins with what it is about.
    let of_noun = at > 0
        && is_event_noun(&words.tokens[at - 1])
        && (at == 1 || !matches!(words.tokens[at - 2].kind, Kind::Word | Kind::Number))
        && words.is(at, &["annule", "annulee", "reporte", "reportee"]);
    words.shouts(at)
        || (opens || of_noun) && reasoned
        || of_noun && closes
        || hour
        || (opens && closes)
        || (ends && behind_noun)
        || somewhere
        || before(&["est", "sont", "ete", "affiche", "deja"])
}

/// `reporté au 29 août en cas de pluie`, `s'il pleut, la sortie est reportée`: it depends on the weather.
fn is_conditional(words: &Words<'_>, at: usize) -> bool {
    const FAR: usize = 12;
    let ends = |at: &usize| {
        let token = &words.tokens[*at];
        token.is_sentence_end() || token.is_any(&["(", ")"])
    };
    let doubts = |at: usize| {
        words.is(at, &["si"])
            || words.is(at, &["s'"]) && words.is(at + 1, &["il"])
            || words.is(at, &["en"]) && words.is(at + 1, &["cas"])
            || words.is(at, &["selon"]) && words.is(at + 1, &["la", "le"])
    };
    let before = (at.saturating_sub(FAR)..at).rev().take_while(|at| !ends(at));
    let apart = |at: &usize| ends(at) || words.tokens[*at].is_any(&[",", "-", ":"]);
    let behind = (at + 1..words.tokens.len().min(at + FAR)).take_while(|at| !apart(at));
    before.into_iter().any(doubts) || behind.into_iter().any(doubts) || words.is(at + 1, &["possible", "eventuelle"])
}

/// `jusqu'au 31 août`, `jusqu'à fin juillet`, `tout l'été`
fn until(tokens: &[Token], at: usize) -> Option<Found<Until>> {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is_any(words));
    if is(at, &["tout"]) && is(at + 1, &["l'"]) && is(at + 2, &["ete"]) {
        return Some(Found { what: Until::Vague, to: at + 3 });
    }
    if !is(at, &["jusqu'"]) || !is(at + 1, &["au", "a"]) {
        return None;
    }
    let mut first = at + 2;
    first += usize::from(is(first, &["la", "le"]));
    if let Some(edge) = tokens.get(first) {
        let glued = edge.fold.strip_prefix("mi-").or_else(|| edge.fold.strip_prefix("fin-"));
        if let Some(name) = glued {
            let named = Token { fold: name.to_owned(), ..edge.clone() };
            return days::month(&named).map(|_| Found { what: Until::Vague, to: first + 1 });
        }
        if edge.is_any(&["fin", "mi", "debut"]) {
            let name =
                first + 1 + usize::from(is(first + 1, &["-", "du", "de"])) + usize::from(is(first + 2, &["mois"]));
            let month = tokens.get(name).and_then(days::month)?;
            let what = if edge.is("fin") { Until::EndOf(month) } else { Until::Vague };
            return Some(Found { what, to: name + 1 });
        }
    }
    // `jusqu'au 3/11`
    if let Some((day, month, year, to)) = days::numeric_date(tokens, first) {
        let day = days::Mention { day: Some(day), month: Some(month), year, ..days::Mention::default() };
        return Some(Found { what: Until::Day(Spec::List(vec![day])), to });
    }
    let date = days::date(tokens, first)?;
    Some(Found { what: Until::Day(date.what), to: date.to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(text: &str) -> Vec<Status> {
        let found = marks(&Words::of(text));
        found
            .iter()
            .filter_map(|mark| if let Meaning::Status(said) = &mark.meaning { Some(said.status) } else { None })
            .collect()
    }

    #[test]
    fn a_status_is_a_statement_not_a_word() {
        for (text, expected) in [
            ("ANNULÉ – à 19h, balade", &[Status::Cancelled][..]),
            ("balade (annulée)", &[Status::Cancelled]),
            ("la balade est annulée", &[Status::Cancelled]),
            ("le concert n’est pas annulé", &[]),
            ("annulée et reportée au samedi 5 septembre", &[Status::Postponed]),
            ("Reporté au vendredi 16 : ciné", &[Status::Postponed]),
            ("reporter l’ensemble des festivités", &[]),
            ("le programme reste inchangé", &[]),
            ("atelier, complet", &[Status::SoldOut]),
            ("⚠ Sortie reportée au samedi 6 novembre", &[Status::Postponed]),
            ("Soirée annulée faute de lots", &[Status::Cancelled]),
            ("Sortie reportée au lendemain en cas de pluie", &[]),
            ("COMPLET à 15 h", &[Status::SoldOut]),
            ("petit-déjeuner complet servi", &[]),
            ("(Inscriptions closes)", &[Status::SoldOut]),
            ("Riscle – Nogaro (remis au 12 décembre)", &[Status::Postponed]),
            ("chèque remis au vainqueur", &[]),
            ("20 h 15 | 24 € | Annulé : eaux trop basses", &[Status::Cancelled]),
            ("vendredi à 18h30 et 20h – 20h complet", &[Status::SoldOut]),
            ("visite à 11h et 16h (16h complet)", &[Status::SoldOut]),
            ("loto à 21h complet", &[Status::SoldOut]),
            ("à 12h complet aveyronnais", &[]),
        ] {
            assert_eq!(statuses(text), expected, "{text}");
        }
    }

    #[test]
    fn a_state_behind_an_hour_said_before_is_of_that_hour() {
        let found = marks(&Words::of("plume, à 11h et 16h. Séance de 11h complète"));
        let said =
            found.iter().filter_map(|mark| if let Meaning::Status(said) = &mark.meaning { said.at } else { None });
        assert_eq!(said.map(|at| at.to_string()).collect::<Vec<_>>(), ["11:00:00"]);
        assert_eq!(found.iter().filter(|mark| matches!(mark.meaning, Meaning::Times(_))).count(), 1);
    }

    #[test]
    fn nothing_in_a_quotation_is_marked() {
        assert!(marks(&Words::of("« 24 h à 5 € jusqu'au 3 juillet »")).is_empty());
        assert_eq!(marks(&Words::of("« polars et histoires de police« , 5 €")).len(), 1);
    }
}
