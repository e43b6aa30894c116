//! What one line of the article is: the heading of a day, a section, a town, the footer, or words.
//!
//! Judges a line alone, without what stands around it; `outline` does that.

use super::communes;
use super::days::{self, Mention, Recurrence, Spec, Weekdays};
use super::hours;
use super::html::{Line, Shape};
use super::marks::{Meaning, Until, marks};
use super::money;
use super::text::{Kind, Token, Words, folded, is_bullet, is_space, tokens};
use super::words::{AUXILIARY, DETAILS, GENRES, THEMES, is_event_noun, is_function, is_venue};

/// A line that says which day it is about, at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DayLine {
    pub(super) spec: Spec,
    pub(super) form: Form,
    /// Byte where the words after the date begin.
    pub(super) rest: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `Lundi 12 juillet`, also with a label: `Mercredi 14 juillet – Fête nationale :`
    Heading,
    /// `Mardi 18 juillet : visite…`
    RunIn,
    /// `Samedi 24 juin à 9 h 30, randonnée`: the date of this item only.
    Inside,
}

/// A line longer than any paragraph of an agenda is kept as it is: reading it closely would take more than linear time.
pub(super) const LONGEST_LINE: usize = 6000;

/// The day the line begins with, if it does.
pub(super) fn day_line(line: &Line) -> Option<DayLine> {
    if line.text.len() > LONGEST_LINE {
        return long_day_line(line);
    }
    let words = Words::of(&line.text);
    let tokens = &words.tokens;
    let first = tokens.iter().position(|token| token.kind != Kind::Sign)?;
    if first > 3 {
        return None;
    }
    let date = days::date(tokens, first)?;
    let numbered = has_number(&date.what);
    let rest = tokens.get(date.to).map_or(line.text.len(), |token| token.start);
    let of = |form| Some(DayLine { spec: date.what.clone(), form, rest });
    let Some(next) = tokens.get(date.to) else { return of(Form::Heading) };
    let rest_tokens = &tokens[date.to..];
    let no_words = rest_tokens.iter().all(|token| !matches!(token.kind, Kind::Word | Kind::Number));
    if no_words {
        return of(Form::Heading);
    }
    let timed = says_time(rest_tokens);
    let separated = next.is_any(&[":", "-", ".", "(", "\n", "|", "/", ";", "!", "•", ">", "→"]);
    // `Lundi, on range les tongs` as a heading
    if next.is(",") && line.shape.heading > 0 && !timed_heading(rest_tokens) {
        return of(Form::Heading);
    }
    let label = rest_tokens.iter().filter(|token| token.kind == Kind::Word).count() <= 8 && !timed && separated;
    let ends_as_label = tokens.last().is_some_and(|last| last.is(":"))
        || (next.is("(") && tokens.last().is_some_and(|last| last.is(")")));
    if label && (line.shape.stands_out() || ends_as_label) {
        return of(Form::Heading);
    }
    if line.shape.heading > 0 && numbered && !timed {
        return of(Form::Heading);
    }
    // `Me. 15 nov. > 10 h – Figeac`: the day of what stands above.
    if next.is_any(&[">", "→"]) && says_time(&rest_tokens[..rest_tokens.len().min(8)]) {
        return of(Form::Inside);
    }
    if separated && next.is_any(&[":", "-", ".", "\n", "|", "•", ">", "→"]) {
        // `Samedi. Il fait beau` is prose; `Samedi : marché` and a table row are not.
        let firm = numbered || next.is_any(&[":", "\n", "|"]) || (next.is("-") && tokens[first].capital);
        return if firm { of(Form::RunIn) } else { None };
    }
    let hour_follows = says_time(&tokens[date.to..tokens.len().min(date.to + 6)]);
    (hour_follows || (numbered && (line.bullet || line.in_list || next.is(","))) || (numbered && timed))
        .then_some(())?;
    of(Form::Inside)
}

/// As [`day_line`] of a line that is too long to be looked at whole: its first words decide.
fn long_day_line(line: &Line) -> Option<DayLine> {
    let end = (0..=200).rev().find(|at| line.text.is_char_boundary(*at))?;
    let tokens = tokens(&line.text[..end]);
    let first = tokens.iter().position(|token| token.kind != Kind::Sign).filter(|first| *first <= 3)?;
    let date = days::date(&tokens, first).filter(|date| has_number(&date.what))?;
    let rest = tokens.get(date.to)?.start;
    Some(DayLine { spec: date.what, form: Form::RunIn, rest })
}

fn timed_heading(tokens: &[Token]) -> bool {
    says_time(tokens) || (0..tokens.len()).any(|at| days::date(tokens, at).is_some_and(|date| has_number(&date.what)))
}

fn says_time(tokens: &[Token]) -> bool {
    (0..tokens.len()).any(|at| hours::duration(tokens, at).is_none() && hours::time(tokens, at).is_some())
}

pub(super) fn has_number(spec: &Spec) -> bool {
    let numbered = |mention: &Mention| mention.day.is_some();
    match spec {
        Spec::List(mentions) => mentions.iter().all(numbered),
        Spec::Range(a, b) => numbered(a) && numbered(b),
    }
}

/// A heading that is no day.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Section {
    Exhibitions,
    Daily(Weekdays),
    Town(String),
    Theme,
}

pub(super) fn section(line: &Line) -> Option<Section> {
    const LONGEST_HEADING: usize = 80;
    if line.text.len() > LONGEST_HEADING || line.text.contains('\n') {
        return None;
    }
    let words = Words::of(&line.text);
    let tokens = &words.tokens;
    let first = tokens.iter().position(|token| token.kind != Kind::Sign)?;
    let content: Vec<&Token> =
        tokens.iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Number) && !is_function(token)).collect();
    let ends_with_colon = tokens.last().is_some_and(|last| last.is(":"));
    let stands_out = line.shape.stands_out()
        || ends_with_colon
        || (first..tokens.len()).filter(|at| tokens[*at].kind == Kind::Word).all(|at| words.shouts(at));
    let ends = |to: usize| tokens[to..].iter().all(|token| token.kind == Kind::Sign);
    if let Some(found) = days::recurrence(tokens, first)
        && let Recurrence::On(days) = found.what
        && ends(found.to)
    {
        return Some(Section::Daily(days));
    }
    let whole_week = [
        "toute la semaine",
        "tout au long de la semaine",
        "en continu",
        "et toute la semaine",
        "toute la semaine egalement",
    ];
    let plain = folded(line.text.trim_matches(|c: char| !c.is_alphanumeric()));
    if whole_week.contains(&plain.as_str()) {
        return Some(Section::Daily(Weekdays::ALL));
    }
    // Commas, hours and quotes belong to items, not to headings.
    let heading_like = !tokens.iter().any(|token| token.is_any(&[",", "«", "\"", "€"])) && !says_time(tokens);
    if !heading_like {
        return None;
    }
    let exhibitions = content.iter().take(3).any(|token| token.is_any(&["expositions", "expos"]))
        || (content.len() <= 2 && content.first().is_some_and(|token| token.is_any(&["exposition", "expo"])));
    if exhibitions
        && content.len() <= 6
        && (stands_out || content.len() <= 3)
        && !words.tokens.iter().any(|token| token.is("jusqu'"))
    {
        return Some(Section::Exhibitions);
    }
    let named = first + usize::from(tokens[first].is("a"));
    if let Some((name, to)) = communes::written(&words, named).filter(|(_, to)| ends(*to))
        && !(to == named + 1 && is_listed_word(&tokens[named]))
    {
        return Some(Section::Town(name));
    }
    let theme = !content.is_empty() && content.iter().all(|token| token.is_any(THEMES));
    (stands_out && theme && !line.bullet).then_some(Section::Theme)
}

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

/// A word of the language at the head of a line, whatever its capital: `Danse`, `Animations`, `Exposition`.
fn is_common_word(token: &Token) -> bool {
    is_listed_word(token) || has_common_ending(token)
}

/// `Animation`, `Randonnée`: no list of words is complete.
fn has_common_ending(token: &Token) -> bool {
    const ENDS: [&str; 9] = ["tion", "tions", "isme", "ment", "erie", "eries", "age", "ance", "iers"];
    token.fold.len() > 6 && ENDS.iter().any(|end| token.fold.ends_with(end))
}

fn is_listed_word(token: &Token) -> bool {
    is_event_noun(token)
        || is_venue(token)
        || is_function(token)
        || days::weekday(token).is_some()
        || days::month(token).is_some()
        || token.is_any(THEMES)
        || token.is_any(GENRES)
        || token.is_any(DETAILS)
        || token.is_any(AUXILIARY)
        || token.is_any(&[
            "aussi",
            "attention",
            "nouveau",
            "nouveaute",
            "toute",
            "tous",
            "toutes",
            "tout",
            "programme",
            "agenda",
            "gratuit",
            "annule",
            "annulee",
            "reporte",
            "reportee",
            "complet",
            "matin",
            "soir",
            "midi",
            "minuit",
            "apres-midi",
            "soiree",
            "journee",
            "matinee",
            "nuit",
            "bonus",
            "coup",
            "idee",
            "idees",
            "envie",
            "note",
            "pour",
            "avec",
            "chez",
            "dans",
            "sur",
            "football",
            "foot",
            "senior",
            "seniors",
            "feminines",
            "masculins",
            "jeunes",
            "petits",
            "grands",
            "bon",
            "bonne",
            "info",
            "infos",
            "suite",
            "fin",
            "buvette",
            "restauration",
            "vf",
            "vo",
            "vost",
            "film",
            "films",
            "petanque",
            "belote",
            "rugby",
            "handball",
            "basket",
            "cyclisme",
            "natation",
            "judo",
            "tennis",
            "gratuite",
        ])
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

/// The town that a line begins with. `unlisted`: a capitalised name that no list knows may be one.
pub(super) fn town_run_in(text: &str, unlisted: bool) -> Option<TownRunIn> {
    const LONGEST_RUN_IN: usize = 60;
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
        if let Some((name, to)) = communes::known(&named.tokens, 0).filter(|(_, to)| *to == named.tokens.len()) {
            let _ = to;
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

/// Whether there is a figure, or one of the two hours that are words: no hour and no dated line is without.
fn has_figures(text: &str) -> bool {
    let hours = ["idi", "inuit", "IDI", "INUIT", "heure"];
    text.bytes().any(|byte| byte.is_ascii_digit()) || hours.iter().any(|hour| text.contains(hour))
}

/// Whether the line says a date with its number or its month.
pub(super) fn says_date(text: &str) -> bool {
    if text.len() > LONGEST_LINE || !has_figures(text) {
        return false;
    }
    marks(&Words::of(text)).iter().any(|mark| matches!(&mark.meaning, Meaning::Dates(spec) if has_number(spec)))
}

/// Beside the date of a heading: only a price, a number of the week, an exclamation. No item.
pub(super) fn is_label(text: &str) -> bool {
    let words = Words::of(text);
    let known = marks(&words);
    words.tokens.iter().enumerate().all(|(at, token)| {
        token.kind != Kind::Word
            || is_function(token)
            || known.iter().any(|mark| (mark.from..mark.to).contains(&at) && mark.meaning == Meaning::Price)
    })
}

/// `Rendez-vous à 10 h à la Maison du Lin`, `À 14 h et 16 h, base de loisirs. 20 €`: when and where, nothing else.
pub(super) fn is_practical(text: &str) -> bool {
    if text.len() > LONGEST_LINE || !has_figures(text) {
        return false;
    }
    let words = Words::of(text);
    let tokens = &words.tokens;
    let Some(first) = tokens.iter().position(|token| token.kind != Kind::Sign) else { return false };
    let first = behind_label_and_date(&words, first);
    let known = marks(&words);
    let times = known.iter().find(|mark| matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty()));
    let Some(times) = times else { return false };
    #[rustfmt::skip]
    const STARTS: [&str; 14] = [
        "rendez-vous", "rdv", "rv", "depart", "departs", "visite", "visites", "ouverture", "seances", "horaires",
        "horaire", "concert", "accueil", "lieu",
    ];
    if words.is(first, &STARTS[..7]) && times.from <= first + 4
        || words.is(first, &STARTS[7..]) && times.from <= first + 3
    {
        return true;
    }
    if times.from > first + 2 {
        return false;
    }
    // After the hour only where, for whom and how much.
    let mut at = times.to;
    let end = super::sentences::sentences(&words).first().map_or(tokens.len(), |(_, to)| *to).max(at);
    while at < end {
        if let Some(mark) = known.iter().find(|mark| mark.from <= at && at < mark.to) {
            at = mark.to;
            continue;
        }
        let reader = super::places::Reader { words: &words, end, titled: true, after_mark: true, in_commune: false };
        if let Some(place) = reader.place(at).filter(|place| place.to > at) {
            at = place.to;
            continue;
        }
        let token = &tokens[at];
        if token.kind == Kind::Word && !is_function(token) && !token.is_any(AUXILIARY) && !token.is_any(DETAILS) {
            return false;
        }
        at += 1;
    }
    true
}

/// Where the words begin behind `Infos pratiques :` and behind the dates a practical line begins with.
fn behind_label_and_date(words: &Words<'_>, first: usize) -> usize {
    const LABELS: [&[&str]; 8] = [
        &["infos", "pratiques"],
        &["informations", "pratiques"],
        &["quand"],
        &["date"],
        &["dates"],
        &["ou", "et", "quand"],
        &["infos"],
        &["pratique"],
    ];
    let tokens = &words.tokens;
    let mut at = first;
    if let Some(label) = LABELS.iter().find(|label| label.iter().enumerate().all(|(i, word)| words.is(at + i, &[word])))
        && words.is(at + label.len(), &[":", "?", "-"])
    {
        at += label.len() + 1;
    }
    loop {
        let date =
            days::date(tokens, at).map(|date| date.to).or_else(|| days::recurrence(tokens, at).map(|found| found.to));
        let Some(to) = date else { return at };
        at = to;
        while words.is(at, &[",", ":", "-", ">", "et", "|", "a", "."]) && !words.is(at, &["a"]) {
            at += 1;
        }
    }
}

/// A line that says on which day, when and where, of the thing named above it: `Samedi 29 janvier, 13 h 30, salle
/// Ouessant`.
pub(super) fn is_dated_practical(text: &str) -> bool {
    if text.len() > LONGEST_LINE || !has_figures(text) {
        return false;
    }
    let last = text.split('\n').next_back().unwrap_or(text);
    let words = Words::of(last);
    let Some(first) = words.tokens.iter().position(|token| token.kind != Kind::Sign) else { return false };
    let behind = behind_label_and_date(&words, first);
    let known = marks(&words);
    let hour_at_once = known.iter().any(|mark| {
        matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty())
            && mark.from <= behind + 5
            && mark.from >= behind
    });
    let tells = words.tokens.iter().enumerate().any(|(at, token)| {
        is_event_noun(token)
            && !is_venue(token)
            && !token.is_any(&["fetes", "fete", "seance", "seances", "sport", "sports", "jeunesse", "spectacles"])
            || token.is_any(&["«", "\""])
            || super::verbs::is_finite(&words, at)
    });
    let loose = hour_at_once && !tells && words.tokens.len() - behind <= 40 && place_follows(&words, &known, behind);
    behind > first
        && (days::date(&words.tokens, first).is_some()
            || days::recurrence(&words.tokens, first).is_some()
            || has_label(&words, first))
        && (loose || is_practical(last))
}

/// Whether what stands behind the hours is where, or nothing: `salle Ouessant`, `Figeac, coin presse`, `(7 €)`.
fn place_follows(words: &Words<'_>, known: &[super::marks::Mark], behind: usize) -> bool {
    let tokens = &words.tokens;
    let mut at = behind;
    loop {
        if let Some(mark) = known.iter().find(|mark| mark.from <= at && at < mark.to) {
            at = mark.to;
            continue;
        }
        match tokens.get(at) {
            Some(token) if token.kind == Kind::Sign || token.kind == Kind::Break || token.is_any(&["et", "puis"]) => {
                at += 1
            }
            None => return true,
            Some(token) => {
                // `promenade du Bastion` is where, `promenade à poney` is what.
                let venue = is_venue(token) && (!is_event_noun(token) || words.is(at + 1, &["de", "du", "des", "d'"]));
                return venue
                    || token.capital && !is_event_noun(token)
                    || token.kind == Kind::Number
                    || token.is_any(&["a", "au", "aux", "chez", "dans", "sur", "devant", "sous", "en", "face"]);
            }
        }
    }
}

fn has_label(words: &Words<'_>, first: usize) -> bool {
    words.is(first, &["infos", "informations", "quand", "date", "dates"])
}

/// An exhibition wherever it stands: it says until when, or names itself and its whole duration.
pub(super) fn is_exhibition(text: &str) -> bool {
    let until = ["usqu", "USQU", "tout l", "Tout l", "TOUT L"];
    if text.len() > LONGEST_LINE || !until.iter().any(|part| text.contains(part)) {
        return false;
    }
    let words = Words::of(text);
    let known = marks(&words);
    let lasts = known.iter().any(|mark| matches!(mark.meaning, Meaning::Until(_)));
    let until_inclusive = words.tokens.iter().any(|token| token.is_any(&["inclus", "compris"]));
    let shown = words.tokens.iter().take(14).any(|token| {
        token.is_any(&[
            "exposition",
            "expo",
            "expositions",
            "expos",
            "installation",
            "photographies",
            "peintures",
            "aquarelles",
            "sculptures",
            "gravures",
            "tapisseries",
            "dessins",
            "toiles",
            "affiches",
            "ceramiques",
            "collages",
            "estampes",
        ])
    });
    let opens = words.tokens.iter().any(|token| token.is_any(&["vernissage", "inauguration", "finissage"]));
    let clocked = known.iter().any(
        |mark| matches!(&mark.meaning, Meaning::Times(times) if times.slots.iter().any(|slot| slot.end.is_none())),
    );
    let event = words.tokens.iter().take(8).any(|token| is_event_noun(token) && !token.is_any(&["exposition", "expo"]));
    let far = known.iter().any(|mark| {
        matches!(mark.meaning, Meaning::Until(Until::Day(ref spec)) if has_number(spec))
            || matches!(mark.meaning, Meaning::Until(Until::EndOf(_) | Until::Vague))
    });
    let lasts_only = far && !event && !clocked;
    lasts && (shown || lasts_only) && !opens && !until_inclusive
}

/// The look of a heading line, to find others of its kind.
pub(super) fn look(line: &Line) -> (Shape, bool) {
    (line.shape, !line.text.chars().any(char::is_lowercase))
}

/// What does not belong to the agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Footer {
    /// One line between two items: an advertisement.
    Stray,
    /// The agenda is over, unless a later day of its week still comes.
    Close,
    /// Comments: nothing after counts.
    End,
}

pub(super) fn footer(line: &Line) -> Option<Footer> {
    #[rustfmt::skip]
    const STRAY: &[&str] = &[
        "publicite", "advertisement", "annonce", "facebook", "twitter", "instagram", "imprimer", "lire aussi",
        "credit photo",
    ];
    #[rustfmt::skip]
    const CLOSE: &[&str] = &[
        "suggestion d'article", "suggestions d'article", "articles similaires", "article similaire", "a lire aussi",
        "a lire egalement", "sur le meme sujet", "vous aimerez aussi", "vous aimerez peut-etre",
        "dans la meme rubrique", "partager", "partagez", "article precedent", "article suivant",
        "navigation de l'article", "etiquettes", "mots-cles", "tous droits reserves", "mentions legales", "©",
        "infos pratiques", "informations pratiques", "cas d'urgence", "office de tourisme", "l'office de tourisme",
        "ou nous trouver", "nous contacter", "en cas d'urgence", "numeros utiles", "a votre service",
        "horaires d'ouverture", "bon a savoir", "bonne semaine", "bon week-end", "belle semaine", "a bientot",
        "a la semaine prochaine", "inscrivez-vous a la newsletter", "inscrivez-vous a notre newsletter",
    ];
    const END: &[&str] = &[
        "commentaires",
        "laisser un commentaire",
        "laissez un commentaire",
        "poster un commentaire",
        "ajouter un commentaire",
    ];
    const LONGEST: usize = 300;
    if line.text.len() > LONGEST {
        return None;
    }
    let text = folded(line.text.trim_start_matches(|c: char| is_bullet(c) || is_space(c) || c == '>' || c == '↓'));
    let begins = |list: &[&str]| {
        list.iter().any(|start| {
            text.strip_prefix(start)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()) || start.ends_with("article"))
        })
    };
    let counted = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    if (begins(END) && text.len() < 80)
        || (counted.len() < text.len() && ["commentaire", "commentaires"].contains(&counted))
    {
        return Some(Footer::End);
    }
    if begins(STRAY) && text.len() < 80 && !says_time(&tokens(&line.text)) {
        return Some(Footer::Stray);
    }
    let whole_agenda = ["retrouvez", "consultez", "decouvrez", "voir", "tout", "toute", "pour", "plus", "l'agenda"]
        .iter()
        .any(|start| text.starts_with(start))
        && (text.contains("agenda")
            || text.contains("programme complet")
            || text.contains("toutes les manifestations")
            || text.contains("toutes les animations"))
        && !text.starts_with("pour les");
    // « Retrouvez Les Zicos à 21 h » is an event, whatever its verb.
    // « Office de tourisme » closes as a line of its own, « Office de tourisme : visite à 10 h » does not.
    let office =
        text.contains("office de tourisme") && text.trim_end_matches([':', ' ']).len() > "l'office de tourisme".len();
    ((begins(CLOSE) && !office || whole_agenda) && !says_time(&tokens(&line.text))).then_some(Footer::Close)
}

/// A line of nothing but a bullet sign: its words are on the next.
pub(super) fn is_lone_bullet(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_bullet(c) || is_space(c))
}

/// The line without the bullet sign it begins with; and whether there was one.
pub(super) fn without_bullet(text: &str) -> (usize, bool) {
    let rest = text.trim_start_matches(|c: char| is_bullet(c) || is_space(c));
    let cut = text.len() - rest.len();
    (cut, cut > 0)
}

/// Details of the item before it: `Tarif : 5 €`, `Réservation au 05…`, a price alone.
pub(super) fn is_detail(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    let Some(first) = words.tokens.iter().position(|token| token.kind != Kind::Sign) else { return true };
    if words.is(first, &["rdv", "rv", "rendez-vous"]) {
        return words.is(first + 1, &["a", "au", "aux", "devant", ":", "sur", "place", "salle", "dans"]);
    }
    if words.is(first, DETAILS) {
        // `Info jeunes : forum` would be an event; a detail has its sign, figure or preposition at once.
        return words.tokens.get(first + 1).is_none_or(|next| {
            next.kind != Kind::Word
                || is_function(next)
                || next.is_any(&[
                    "libre",
                    "gratuite",
                    "gratuit",
                    "obligatoire",
                    "conseillee",
                    "unique",
                    "reduit",
                    "souhaitee",
                ])
        }) || money::price(&words.tokens, first).is_some();
    }
    let marks = marks(&words);
    let told = |at: usize| {
        marks.iter().any(|mark| {
            (mark.from..mark.to).contains(&at)
                && matches!(mark.meaning, Meaning::Price | Meaning::Phone(_) | Meaning::Opaque)
        })
    };
    (0..words.tokens.len())
        .all(|at| words.tokens[at].kind != Kind::Word && words.tokens[at].kind != Kind::Number || told(at))
}

/// What a line says about hours, for joining lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Timing {
    pub(super) says: bool,
    pub(super) starts: bool,
    /// Nothing but hours.
    pub(super) only: bool,
}

pub(super) fn timing(text: &str) -> Timing {
    if text.len() > LONGEST_LINE {
        // It may say anything.
        return Timing { says: true, ..Timing::default() };
    }
    let words = Words::of(text);
    let tokens = &words.tokens;
    let says = says_time(tokens);
    if !says {
        return Timing::default();
    }
    let start = tokens
        .iter()
        .position(|token| token.kind != Kind::Sign && !token.is_any(&["et", "puis", "egalement"]))
        .unwrap_or(0);
    let first = hours::time(tokens, start);
    let only = first.as_ref().is_some_and(|time| tokens[time.to..].iter().all(|token| token.kind == Kind::Sign));
    Timing { says, starts: first.is_some(), only }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Line {
        Line { text: text.to_owned(), ..Line::default() }
    }

    #[test]
    fn a_day_at_the_beginning_of_a_line_is_a_heading_a_run_in_or_a_date() {
        for (text, expected) in [
            ("Lundi 12 juillet", Some(Form::Heading)),
            ("Mercredi 14 juillet – Fête nationale :", Some(Form::Heading)),
            ("VENDREDI", Some(Form::Heading)),
            ("14 JUILLET:", Some(Form::Heading)),
            ("Mardi 23 juillet. 19 heures, marché", Some(Form::RunIn)),
            ("Mardi 18 juillet : visite de la ferme", Some(Form::RunIn)),
            ("Samedi 24 juin à 9 h 30, randonnée", Some(Form::Inside)),
            ("Samedi 7 octobre, à 20h", Some(Form::Inside)),
            ("Mercredi, le feu d’artifice illumine", None),
            ("Samedi. Il fait beau", None),
            ("32 km du 32, randonnée", None),
        ] {
            assert_eq!(day_line(&plain(text)).map(|line| line.form), expected, "{text}");
        }
    }

    #[test]
    fn headings_that_are_no_days_are_known() {
        let strong = |text: &str| Line { shape: Shape { heading: 4, strong: false }, ..plain(text) };
        assert_eq!(section(&plain("Expositions")), Some(Section::Exhibitions));
        assert_eq!(section(&plain("Tous les jours :")), Some(Section::Daily(Weekdays::ALL)));
        assert_eq!(section(&plain("• AIGNAN")), Some(Section::Town("Aignan".to_owned())));
        assert_eq!(section(&strong("Marchés")), Some(Section::Theme));
        assert_eq!(section(&plain("exposition de peintures à Pavie, de 10h à 12h")), None);
        assert_eq!(section(&strong("Concert de gospel")), None);
    }

    #[test]
    fn the_footer_is_no_event() {
        assert_eq!(footer(&plain("Retrouvez tout l’agenda de l’Office ici.")), Some(Footer::Close));
        assert_eq!(footer(&plain("Publicité")), Some(Footer::Stray));
        assert_eq!(footer(&plain("3 commentaires")), Some(Footer::End));
        assert_eq!(footer(&plain("Retrouvez Les Zicos en concert à 21h")), None);
    }

    #[test]
    fn details_belong_to_the_item_before() {
        for text in
            ["Tarif : 5 €", "Réservation au 05 62 00 00 00", "RDV devant la mairie", "5 € / 3 €", "Entrée libre."]
        {
            assert!(is_detail(text), "{text}");
        }
        for text in ["Rendez-vous littéraire à 18h", "concert à Pavie", "à 10h, visite"] {
            assert!(!is_detail(text), "{text}");
        }
    }
}
