//! Classifies a line of the article: heading of a day, section, town, footer, or words.
//!
//! Judges each line on its own; `outline` considers its context.

use chrono::Weekday;

use super::communes;
use super::days::{self, Found, Mention, Recurrence, Spec, Weekdays};
use super::flaw::is_pictogram;
use super::hours;
use super::html::{Line, Shape};
use super::marks::{Meaning, Until, marks};
use super::names;
use super::text::{Kind, Token, Words, folded, is_bullet, is_space, tokens};
use super::towns::is_listed_word;
use super::words::{PARTS_OF_DAY, THEMES, is_event_noun, is_function};

/// A line that says which day it is about, at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DayLine {
    pub(super) spec: Spec,
    pub(super) form: Form,
    /// Byte where the words after the date begin.
    pub(super) rest: usize,
    /// Where the theme ends that stands before the date: `Les cérémonies du mardi 11 novembre`.
    pub(super) theme: usize,
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

/// `LOTOS. — Vendredi : Manciet…`: a theme in capitals at the head of a line. Where it ends, and where the words after it begin.
pub(super) fn theme_run_in(text: &str) -> Option<(usize, usize)> {
    const LONGEST: usize = 60;
    let end = (0..=text.len().min(LONGEST)).rev().find(|at| text.is_char_boundary(*at))?;
    let words = Words::of(&text[..end]);
    let to = words.tokens.iter().position(|token| token.kind != Kind::Word).filter(|to| *to > 0)?;
    let theme = words.slice(0, to);
    let what = words.tokens[..to].iter().any(|token| is_event_noun(token) || token.is_any(THEMES));
    let dash = to + usize::from(words.is(to, &["."]));
    (dash > to && words.is(dash, &["-"]) && what && !theme.chars().any(char::is_lowercase)).then_some(())?;
    Some((words.tokens[to - 1].end, words.tokens.get(dash + 1)?.start))
}

/// Longer lines are kept without parsing them closely, which would take more than linear time.
pub(super) const LONGEST_LINE: usize = 6000;

/// The day the line begins with, if it does.
pub(super) fn day_line(line: &Line) -> Option<DayLine> {
    if line.text.len() > LONGEST_LINE {
        return long_day_line(line);
    }
    // A name that the markup sets apart is no day, whatever its words.
    if line.text.starts_with(names::OPEN) {
        return None;
    }
    let words = Words::of(&line.text);
    let tokens = &words.tokens;
    let first = tokens.iter().position(|token| token.kind != Kind::Sign)?;
    if first > 3 {
        return None;
    }
    if let Some(spec) = numbered_day(line, tokens) {
        return Some(DayLine { spec, form: Form::Heading, rest: line.text.len(), theme: 0 });
    }
    if let Some(spec) = figures_alone(tokens) {
        return Some(DayLine { spec, form: Form::Heading, rest: line.text.len(), theme: 0 });
    }
    let date = days::date(tokens, first)?;
    let numbered = has_number(&date.what);
    let rest = tokens.get(date.to).map_or(line.text.len(), |token| token.start);
    let of = |form| Some(DayLine { spec: date.what.clone(), form, rest, theme: 0 });
    let Some(next) = tokens.get(date.to) else { return of(Form::Heading) };
    let rest_tokens = &tokens[date.to..];
    let no_words = rest_tokens.iter().all(|token| !matches!(token.kind, Kind::Word | Kind::Number));
    if no_words {
        return of(Form::Heading);
    }
    let timed = says_time(rest_tokens);
    let pictured = line.text[next.start..].chars().next().is_some_and(is_pictogram);
    let separated = next.is_any(&[":", "-", ".", "(", "\n", "|", "/", ";", "!", "•", ">", "→"]) || pictured;
    // `Lundi, on range les tongs` as a heading
    if next.is(",") && line.shape.heading > 0 && !timed_heading(rest_tokens) {
        return of(Form::Heading);
    }
    let label = rest_tokens.iter().filter(|token| token.kind == Kind::Word).count() <= 8 && !timed && separated;
    let ends_as_label = tokens.last().is_some_and(|last| last.is(":"))
        || (next.is("(") && tokens.last().is_some_and(|last| last.is(")")));
    // `MERCREDI 17 FÉVRIER ❄ On bouge`: a picture parts the day from its motto.
    if label && (line.shape.stands_out() || ends_as_label || pictured && numbered) {
        return of(Form::Heading);
    }
    if line.shape.heading > 0 && numbered && !timed {
        return of(Form::Heading);
    }
    // `LE VENDREDI 14 AOÛT À PARTIR DE 19 HEURES :`: the hour of the first thing below.
    // `<h4>Mercredi 15 septembre à 10 h 30</h4>` has that of the one thing below.
    let heads = tokens.last().is_some_and(|last| last.is(":")) || line.shape.heading > 0;
    if numbered && timed && heads && timing(&line.text[rest..]).only {
        return of(Form::RunIn);
    }
    // `Me. 15 nov. > 10 h – Figeac`: the day of the line above.
    if next.is_any(&[">", "→"]) && says_time(&rest_tokens[..rest_tokens.len().min(8)]) {
        return of(Form::Inside);
    }
    // `Mardi 14 (La Croix glorieuse) : messe`: the name of the day stands between.
    let named = next.is("(") && {
        const LONGEST_NAME: usize = 10;
        let close = rest_tokens.iter().take(LONGEST_NAME).position(|token| token.is(")"));
        close.is_some_and(|close| {
            rest_tokens.get(close + 1).is_some_and(|token| token.is_any(&[":", "-"]) || token.kind == Kind::Break)
                && !says_time(&rest_tokens[..close])
        })
    };
    if named && numbered {
        // `Jeu. 6 mai (Ascension)` in a cell of its own
        let close = rest_tokens.iter().position(|token| token.is(")")).map_or(0, |close| close + 1);
        let cell = rest_tokens.get(close).filter(|token| token.kind == Kind::Break);
        let rest = cell.map_or(rest, |token| token.start);
        return Some(DayLine { spec: date.what.clone(), form: Form::RunIn, rest, theme: 0 });
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

/// `17.07` alone on its line: a day and its month.
fn figures_alone(tokens: &[Token]) -> Option<Spec> {
    let [day, sign, month] = tokens else { return None };
    let padded = day.fold.len() == 2 && month.fold.len() == 2 && sign.is_any(&[".", "/"]) && day.end == sign.start;
    let (day, month) = (day.number()?, month.number()?);
    let sound = padded && (1..=31).contains(&day) && (1..=12).contains(&month);
    sound.then(|| Spec::List(vec![Mention { day: Some(day), month: Some(month), ..Mention::default() }]))
}

/// `Les cérémonies du mardi 11 novembre` above lines with hours and no days: a heading whose theme stands before its day.
pub(super) fn themed_day(line: &Line, below: &[Line]) -> Option<DayLine> {
    const LONGEST: usize = 90;
    /// Lines below it that have to say only hours.
    const LEAST: usize = 2;
    let stands_out = line.shape.stands_out() && !line.bullet && line.text.len() <= LONGEST;
    if !stands_out || line.text.contains('\n') || below.len() < LEAST {
        return None;
    }
    let undated = |line: &Line| timing(&line.text).says && !says_date(&line.text) && line.shape.heading == 0;
    if !below[..LEAST].iter().all(undated) {
        return None;
    }
    let words = Words::of(&line.text);
    let known = marks(&words);
    let [mark] = &*known else { return None };
    let Meaning::Dates(spec @ Spec::List(mentions)) = &mark.meaning else { return None };
    let ends = words.tokens[mark.to..].iter().all(|token| token.kind == Kind::Sign);
    let whole = matches!(mentions.as_slice(), [only] if only.day.is_some() && only.month.is_some());
    let lead = (0..mark.from).rev().find(|at| !words.is(*at, &["du", "le", "de", "-", ",", ":", "(", "ce"]))?;
    let theme = words.tokens[lead].end;
    (ends && whole).then(|| DayLine { spec: spec.clone(), form: Form::Heading, rest: line.text.len(), theme })
}

/// `2e jour – samedi 8 mai`, as a heading: the days of a festival are counted before they are named.
fn numbered_day(line: &Line, tokens: &[Token]) -> Option<Spec> {
    if line.shape.heading == 0 || !says_number_of_day(tokens) {
        return None;
    }
    let sign = tokens.iter().position(|token| token.is_any(&["-", ":", ",", "|", "("]))?;
    let date = days::date(tokens, sign + 1).filter(|date| has_number(&date.what))?;
    let ends = tokens[date.to..].iter().all(|token| token.kind == Kind::Sign);
    ends.then_some(date.what)
}

/// `1er jour`, `Jour 2`, `3e et dernier jour`
fn says_number_of_day(tokens: &[Token]) -> bool {
    const LONGEST: usize = 6;
    let head = tokens.iter().take_while(|token| token.kind != Kind::Sign).take(LONGEST);
    let counts = |token: &Token| {
        token.kind == Kind::Number
            || token.is_any(&["premier", "premiere", "deuxieme", "troisieme", "dernier", "second"])
    };
    let (mut day, mut number) = (false, false);
    for token in head {
        day |= token.is_any(&["jour", "journee", "soiree", "soir"]);
        number |= counts(token);
    }
    day && number
}

/// Puts a date whose parts stand one below the other in the first cell of a row on one line: `LUN`, `21`, `AOÛT`.
pub(super) fn unstack(line: &mut Line) {
    const LONGEST: usize = 40;
    let to = line.cells.get(1).map_or(0, |cell| cell.from.saturating_sub(1));
    let Some(cell) = line.text.get(..to) else { return };
    if to > LONGEST || !cell.contains('\n') {
        return;
    }
    let joined = cell.replace('\n', " ");
    let words = Words::of(&joined);
    let dated = days::date(&words.tokens, 0).filter(|date| has_number(&date.what)).map(|date| date.to);
    let until = marks(&words)
        .first()
        .filter(|mark| mark.from == 0 && matches!(mark.meaning, Meaning::Until(_)))
        .map(|mark| mark.to);
    let ends = |to: usize| words.tokens[to..].iter().all(|token| token.kind == Kind::Sign);
    if dated.or(until).is_some_and(ends) {
        line.text.replace_range(..to, &joined);
    }
}

/// Whether the second line is the month of the day in the first, or a part of it: `SAM. 18`, then `OCTOBRE`.
pub(super) fn completes_a_date(line: &Line, next: &Line) -> bool {
    const LONGEST: usize = 30;
    // The heading of a month stands above the days.
    let below = next.shape.heading == 0 || next.shape.heading >= line.shape.heading;
    if line.text.len() + next.text.len() > LONGEST || line.text.contains('\n') || !below {
        return false;
    }
    let joined = format!("{} {}", line.text, next.text);
    let words = Words::of(&joined);
    let first = words.tokens.iter().take_while(|token| token.start < line.text.len()).count();
    let (head, tail) = words.tokens.split_at(first);
    let named = head.first().is_some_and(|token| days::weekday(token).is_some() || days::is_short_weekday(token));
    let of_date = tail.iter().all(|token| {
        token.kind == Kind::Sign || token.kind == Kind::Number || days::month(token).is_some() || token.is("er")
    });
    let last = match days::date(&words.tokens, 0).filter(|date| has_number(&date.what)) {
        Some(Found { what: Spec::List(mentions), to }) => mentions.last().map(|last| (*last, to)),
        Some(Found { what: Spec::Range(_, last), to }) => Some((last, to)),
        None => None,
    };
    // The month is in the second line; a number alone may have its month in a third.
    let grows = last.is_some_and(|(last, to)| {
        let month = tail.iter().any(|token| days::month(token).is_some());
        let signs = words.tokens[to..].iter().all(|token| token.kind == Kind::Sign);
        to > first && last.month.is_some() == month && signs
    });
    named && of_date && grows
}

/// Like [`day_line`] for a line that is too long to be parsed as a whole: its first words decide.
fn long_day_line(line: &Line) -> Option<DayLine> {
    let end = (0..=200).rev().find(|at| line.text.is_char_boundary(*at))?;
    let tokens = tokens(&line.text[..end]);
    let first = tokens.iter().position(|token| token.kind != Kind::Sign).filter(|first| *first <= 3)?;
    let date = days::date(&tokens, first).filter(|date| has_number(&date.what))?;
    let rest = tokens.get(date.to)?.start;
    Some(DayLine { spec: date.what, form: Form::RunIn, rest, theme: 0 })
}

fn timed_heading(tokens: &[Token]) -> bool {
    says_time(tokens) || (0..tokens.len()).any(|at| days::date(tokens, at).is_some_and(|date| has_number(&date.what)))
}

/// Whether the line contains an hour; a duration is not one.
pub(super) fn says_time(tokens: &[Token]) -> bool {
    (0..tokens.len()).any(|at| hours::duration(tokens, at).is_none() && hours::time(tokens, at).is_some())
}

pub(super) fn has_number(spec: &Spec) -> bool {
    let numbered = |mention: &Mention| mention.day.is_some();
    match spec {
        Spec::List(mentions) => mentions.iter().all(numbered),
        Spec::Range(a, b) => numbered(a) && numbered(b),
    }
}

/// A heading that is not a day.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Section {
    Exhibitions,
    Daily(Weekdays),
    Town(String),
    Theme,
    /// `En soirée`, `L'après-midi`: within its day.
    PartOfDay,
}

pub(super) fn section(line: &Line) -> Option<Section> {
    const LONGEST_HEADING: usize = 80;
    if line.text.len() > LONGEST_HEADING || line.text.contains('\n') || line.text.starts_with(names::OPEN) {
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
    // `TOUTE LA SEMAINE – ASTE OSOAN`: also in another language
    let first_half = plain.split(['–', '—', '/', '|']).next().unwrap_or_default().trim();
    if whole_week.contains(&plain.as_str()) || stands_out && whole_week.contains(&first_half) {
        return Some(Section::Daily(Weekdays::ALL));
    }
    if line.shape.heading > 1 && !content.is_empty() && content.iter().all(|token| token.is_any(PARTS_OF_DAY)) {
        return Some(Section::PartOfDay);
    }
    let weekend = ["tout le week-end", "tout le weekend", "samedi et dimanche", "les deux jours"];
    if stands_out && weekend.contains(&plain.as_str()) {
        return Some(Section::Daily(Weekdays::between(Weekday::Sat, Weekday::Sun)));
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

/// Whether there is a digit, `midi` or `minuit`: every hour and every dated line has one.
pub(super) fn has_figures(text: &str) -> bool {
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

/// Whether the words beside the date of a heading are only a price, a week number or an exclamation, and not an item.
pub(super) fn is_label(text: &str) -> bool {
    let words = Words::of(text);
    let known = marks(&words);
    words.tokens.iter().enumerate().all(|(at, token)| {
        token.kind != Kind::Word
            || is_function(token)
            || known.iter().any(|mark| (mark.from..mark.to).contains(&at) && mark.meaning == Meaning::Price)
    })
}

/// Whether it is an exhibition under any heading: it has an end date, or says « exposition » and its whole duration.
pub(super) fn is_exhibition(text: &str) -> bool {
    #[rustfmt::skip]
    const SHOWN: &[&str] = &[
        "exposition", "expo", "expositions", "expos", "installation", "photographies", "peintures",
        "aquarelles", "sculptures", "gravures", "tapisseries", "dessins", "toiles", "affiches", "ceramiques",
        "collages", "estampes",
    ];
    let until = ["usqu", "USQU", "tout l", "Tout l", "TOUT L"];
    if text.len() > LONGEST_LINE {
        return false;
    }
    if !until.iter().any(|part| text.contains(part)) {
        return shows_for_weeks(text);
    }
    let words = Words::of(text);
    let known = marks(&words);
    let lasts = known.iter().any(|mark| matches!(mark.meaning, Meaning::Until(_)));
    let until_inclusive = words.tokens.iter().any(|token| token.is_any(&["inclus", "compris"]));
    let shown = words.tokens.iter().take(14).any(|token| token.is_any(SHOWN));
    let opens = words.tokens.iter().any(|token| token.is_any(&["vernissage", "inauguration", "finissage"]));
    let clocked = known.iter().any(
        |mark| matches!(&mark.meaning, Meaning::Times(times) if times.slots.iter().any(|slot| slot.end.is_none())),
    );
    let event = words.tokens.iter().take(8).any(|token| is_event_noun(token) && !token.is_any(&["exposition", "expo"]));
    let far = known.iter().any(|mark| {
        matches!(mark.meaning, Meaning::Until(Until::Day(ref spec)) if has_number(spec))
            || matches!(mark.meaning, Meaning::Until(Until::EndOf(_) | Until::Vague))
    });
    // `Noël au naturel, tous les jours de 14 h à 18 h, jusqu'au 23 décembre`
    let recurs = known.iter().any(|mark| matches!(mark.meaning, Meaning::Recurs(Recurrence::On(_))))
        && known.iter().any(|mark| matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty()))
        && !words.tokens.iter().any(|token| token.is_any(&["«", "\""]));
    let lasts_only = far && !event && !clocked && !recurs;
    lasts && (shown || lasts_only) && !opens && !until_inclusive
}

/// `Exposition « Marbres », du 5 février au 10 mars à la bibliothèque`: it says so itself, and that it lasts for weeks.
fn shows_for_weeks(text: &str) -> bool {
    const FAR: usize = 3;
    const WEEKS: u32 = 14;
    let words = Words::of(text);
    if !words.tokens.iter().take(FAR).any(|token| token.is_any(&["exposition", "expo"])) {
        return false;
    }
    let known = marks(&words);
    let long = |spec: &Spec| match spec {
        Spec::Range(first, last) => {
            let days = first.day.zip(last.day);
            let other_month = first.month.is_some() && last.month.is_some() && first.month != last.month;
            days.is_some_and(
                |(first, last)| if other_month { last + 31 >= first + WEEKS } else { last >= first + WEEKS },
            )
        }
        Spec::List(_) => false,
    };
    let clocked = known.iter().any(
        |mark| matches!(&mark.meaning, Meaning::Times(times) if times.slots.iter().any(|slot| slot.end.is_none())),
    );
    let lasts = known.iter().any(|mark| matches!(&mark.meaning, Meaning::Dates(spec) if long(spec)));
    lasts && !clocked && !words.tokens.iter().any(|token| token.is_any(&["vernissage", "inauguration", "finissage"]))
}

/// The style of a heading line, to find others of the same kind.
pub(super) fn look(line: &Line) -> (Shape, bool) {
    (line.shape, !line.text.chars().any(char::is_lowercase))
}

/// Lines that do not belong to the agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Footer {
    /// One line between two items: an advertisement.
    Stray,
    /// The agenda is over, unless a later day of its week still comes.
    Close,
    /// Comments: everything after it is ignored.
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
    // Alone on a line: « Belle journée du patrimoine » is no farewell.
    #[rustfmt::skip]
    const PARTING: [&str; 7] = [
        "cordialement", "bien cordialement", "bien a vous", "amicalement", "bien amicalement", "belle journee", "bonne journee",
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
    // `#Marciac #sortir #gers`
    let tags = || text.split(' ').filter(|word| word.starts_with('#')).count();
    let tagged = text.starts_with('#') && tags() >= 2 && tags() * 2 > text.split(' ').count();
    // `1,2 K204 commentaires · 89 partages`
    let counted = text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(['e', 's']);
    let shared = counted && text.len() < 60 && [" commentaire", " partage"].iter().any(|what| text.contains(what));
    if shared && !says_time(&Words::of(&line.text).tokens) {
        return Some(Footer::Stray);
    }
    if (tagged || begins(STRAY)) && text.len() < 80 && !says_time(&Words::of(&line.text).tokens) {
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
    let office = text.contains("office de tourisme")
        && text.trim_end_matches([':', ' ']).len() > "l'office de tourisme".len()
        && !is_name_of_the_office(&line.text);
    let parting = PARTING.contains(&text.trim_end_matches([',', '.', '!', ' ']));
    ((begins(CLOSE) && !office || whole_agenda || parting) && !says_time(&Words::of(&line.text).tokens))
        .then_some(Footer::Close)
}

/// `Office de Tourisme Aubusson-Felletin`, `Office de tourisme du Pays de Luxeuil`: its name, and nothing else.
fn is_name_of_the_office(text: &str) -> bool {
    const NAME: [&str; 3] = ["office", "de", "tourisme"];
    let words = Words::of(text);
    let first = usize::from(words.is(0, &["l'"]));
    let named = NAME.iter().enumerate().all(|(i, word)| words.is(first + i, &[word]));
    let own = |token: &Token| {
        let of = is_function(token) || token.is_any(&["intercommunal", "communautaire", "municipal"]);
        token.kind == Kind::Word && (token.capital || of) && !is_event_noun(token) || token.is_any(&["-", "&"])
    };
    named && words.tokens[first + NAME.len()..].iter().all(own)
}

/// A line with only a bullet sign: its words are on the next line.
pub(super) fn is_lone_bullet(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_bullet(c) || is_space(c))
}

/// The line without the bullet sign it begins with; and whether there was one.
pub(super) fn without_bullet(text: &str) -> (usize, bool) {
    let rest = text.trim_start_matches(|c: char| is_bullet(c) || is_space(c));
    let cut = text.len() - rest.len();
    (cut, cut > 0)
}

/// How the line is related to hours, for joining lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Timing {
    pub(super) says: bool,
    pub(super) starts: bool,
    /// Nothing but hours.
    pub(super) only: bool,
}

pub(super) fn timing(text: &str) -> Timing {
    if text.len() > LONGEST_LINE {
        // Anything else.
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
            ("Mardi 14 (La Croix glorieuse) : messe à 18 h", Some(Form::RunIn)),
            ("32 km du 32, randonnée", None),
        ] {
            assert_eq!(day_line(&plain(text)).map(|line| line.form), expected, "{text}");
        }
    }

    #[test]
    fn a_line_may_complete_the_date_above_it() {
        for (line, next) in [
            ("SAM. 18", "OCTOBRE"),
            ("SAMEDI", "18"),
            ("SAMEDI 18", "oct. 2027"),
            ("SAM.", "18 OCTOBRE"),
            ("Ven 1er", "mai"),
        ] {
            assert!(completes_a_date(&plain(line), &plain(next)), "{line} / {next}");
        }
        for (line, next) in [
            ("SAM. 18 SEPTEMBRE", "OCTOBRE"),
            ("SAM. 18", "Bal"),
            ("SAM. 18", "20 h"),
            ("SAM. 18", "20"),
            ("Bal", "OCTOBRE"),
            ("18", "OCTOBRE"),
            ("Samedi 18 : bal", "OCTOBRE"),
        ] {
            assert!(!completes_a_date(&plain(line), &plain(next)), "{line} / {next}");
        }
        let month = Line { shape: Shape { heading: 2, strong: false }, ..plain("OCTOBRE") };
        let day = Line { shape: Shape { heading: 3, strong: false }, ..plain("SAM. 18") };
        assert!(!completes_a_date(&day, &month), "it heads the days below");
    }

    #[test]
    fn headings_that_are_not_days_are_recognised() {
        let strong = |text: &str| Line { shape: Shape { heading: 4, strong: false }, ..plain(text) };
        assert_eq!(section(&plain("Expositions")), Some(Section::Exhibitions));
        assert_eq!(section(&plain("Tous les jours :")), Some(Section::Daily(Weekdays::ALL)));
        assert_eq!(section(&plain("• AIGNAN")), Some(Section::Town("Aignan".to_owned())));
        assert_eq!(section(&strong("Marchés")), Some(Section::Theme));
        assert_eq!(section(&plain("exposition de peintures à Pavie, de 10h à 12h")), None);
        assert_eq!(section(&strong("Concert de gospel")), None);
    }

    #[test]
    fn the_footer_is_not_an_event() {
        assert_eq!(footer(&plain("Retrouvez tout l’agenda de l’Office ici.")), Some(Footer::Close));
        assert_eq!(footer(&plain("Publicité")), Some(Footer::Stray));
        assert_eq!(footer(&plain("3 commentaires")), Some(Footer::End));
        assert_eq!(footer(&plain("#Ternoux #sortir #gers32")), Some(Footer::Stray));
        assert_eq!(footer(&plain("Bien cordialement,")), Some(Footer::Close));
        assert_eq!(footer(&plain("Retrouvez Les Zicos en concert à 21h")), None);
    }
}
