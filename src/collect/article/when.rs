//! Splits a line by the days that its words belong to.
//!
//! A day counts if it is the date of an event: at the beginning of a sentence, or beside an hour. `marché du samedi`,
//! `avant vendredi`, `reporté au jeudi` mention a day without being on it.

use chrono::{Datelike, NaiveDate};

use super::also::also;
use super::calendar::Calendar;
use super::days::{self, Recurrence, Spec, Weekdays};
use super::hours;
use super::lines::says_time;
use super::marks::{Meaning, marks, quotation};
use super::places;
use super::relative::{apposed, relation};
use super::sentences::{Role, role, sentences};
use super::text::{Kind, Words};
use super::verbs::takes_place;
use super::weekdays::{PRONOUNS, counts, weekday_among, weekdays_alone};
use super::words::{is_event_noun, is_function};

/// The day of a piece of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum When {
    /// None said: that of the heading, or of the piece before.
    Inherited,
    Days(Vec<NaiveDate>),
    Weekly(Weekdays),
    /// The words name another day than the heading: a person has to decide.
    TwoReadings,
}

/// A stretch of a line with one day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) when: When,
    /// Bytes of the line that are shown.
    pub(super) shown: (usize, usize),
    /// Bytes that tell of this day, when the line's words are shared by several days: a title, then its dates.
    pub(super) told: Vec<(usize, usize)>,
    /// It has neither a day nor an hour, and stands under no day: it may lead to the next.
    leads: bool,
}

impl Piece {
    /// All of a line of `length` bytes.
    pub(super) fn whole(when: When, length: usize) -> Self {
        Self { when, shown: (0, length), told: Vec::new(), leads: false }
    }
}

/// A day written in a sentence.
struct Mention {
    /// Tokens of the date.
    from: usize,
    to: usize,
    when: When,
    relative: bool, // to another day: `le lendemain`
    warnings: Vec<String>,
}

impl Mention {
    fn of(from: usize, to: usize, when: When) -> Self {
        Self { from, to, when, relative: false, warnings: Vec::new() }
    }
}

/// What is known of days where a line stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around<'a> {
    /// The days it stands under.
    pub(super) under: Option<&'a [NaiveDate]>,
    /// The first and the last day of the whole article, where it is of a few days.
    pub(super) span: Option<(NaiveDate, NaiveDate)>,
    /// The day of the line before: `le lendemain` counts from it.
    pub(super) before: Option<&'a When>,
    /// The article is about more than a week: a weekday without a number recurs in it.
    pub(super) recurs: bool,
    /// It is the line of a card that says when and where: `Tous les jours de 16 h à 22 h` is no opening of an office there.
    pub(super) of_a_card: bool,
}

/// Cuts a line by its days.
pub(super) fn pieces(text: &str, calendar: &Calendar, around: Around<'_>) -> (Vec<Piece>, Vec<String>) {
    let under = around.under;
    if text.len() > super::lines::LONGEST_LINE {
        let whole = Piece::whole(When::Inherited, text.len());
        return (vec![whole], Vec::new());
    }
    let words = Words::of(text);
    if let (Some([day]), Some(also)) = (under, also(&words)) {
        let piece = |when, told| Piece { when, shown: (0, text.len()), told, leads: false };
        let others: Vec<_> = also.others.into_iter().map(|(spec, told)| (calendar.dates(&spec), told)).collect();
        if others.iter().all(|(dates, _)| !dates.days.is_empty() && !dates.days.contains(day)) {
            let warnings = others.iter().flat_map(|(dates, _)| dates.warnings.clone()).collect();
            let first = piece(When::Inherited, also.first);
            let others = others.into_iter().map(|(dates, told)| piece(When::Days(dates.days), told));
            return (std::iter::once(first).chain(others).collect(), warnings);
        }
    }
    let mut out: Vec<Piece> = Vec::new();
    let mut warnings = Vec::new();
    let mut current = When::Inherited;
    // The last day that was named itself, for `la veille`.
    let mut named = match (under, around.before) {
        (Some(days), _) => When::Days(days.to_vec()),
        (None, before) => before.cloned().unwrap_or(When::Inherited),
    };
    let mut label: Option<usize> = None;
    let mut before_semicolon: Option<(usize, usize)> = None;
    for (from, to) in sentences(&words) {
        let byte = |at: usize| words.tokens.get(at).map_or(text.len(), |token| token.start);
        if is_week_label(&words, from, to) {
            label = Some(label.unwrap_or(byte(from)));
            continue;
        }
        if role(&words, from, to) != Role::Tells && !around.of_a_card {
            push(&mut out, current.clone(), (byte(from), byte(to)), false);
            continue;
        }
        let mut found: Vec<Mention> = mentions(&words, (from, to), calendar, around, (&named, &current));
        if let Some(last) = found.iter().rfind(|mention| !mention.relative) {
            named = last.when.clone();
        }
        // Only the day it stands under: nothing new.
        let same =
            |mention: &Mention| matches!((&mention.when, under), (When::Days(days), Some(under)) if days == under);
        if found.is_empty() || (under.is_some() && found.iter().all(same)) {
            if under.is_some() && !found.is_empty() {
                current = When::Inherited;
            }
            push(&mut out, current.clone(), (byte(from), byte(to)), false);
            if let [only] = out.as_mut_slice()
                && under.is_none()
                && current == When::Inherited
            {
                only.leads = !says_time(&words.tokens[from..to]) && (only.leads || only.shown.0 == byte(from));
            }
            continue;
        }
        warnings.extend(found.iter().flat_map(|mention| mention.warnings.iter().cloned()));
        // `De 10 h à 18 h, marché des potiers, et dimanche de 10 h à 17 h`: the hours before the date are of the day it
        // stands under.
        let before_first = found.first().filter(|mention| {
            mention.from > from
                && says_time(&words.tokens[from..mention.from])
                && says_time(&words.tokens[mention.to..to])
                && words.is(mention.from - 1, &["et", ",", ";", "puis"])
        });
        // `Le marché ouvre vendredi à 17 h. Il vous attend ensuite samedi de 10 h à 21 h.`: the same thing on other days.
        if words.is(from, PRONOUNS)
            && !found.iter().any(|mention| mention.relative)
            && found.iter().all(|mention| hours::time(&words.tokens[..to], mention.to).is_some())
            && let Some((first, subject)) = subject_before(&words, from)
        {
            let ends = found.iter().skip(1).map(|mention| mention.from).chain([to]);
            for (mention, end) in found.iter().zip(ends) {
                let end = end - usize::from(words.is(end - 1, &["et", ",", "puis"]));
                let told = vec![(byte(first), byte(subject)), (byte(mention.from), byte(end))];
                let shown = (byte(first), byte(to));
                out.push(Piece { when: mention.when.clone(), shown, told, leads: false });
            }
            current = found.last().map_or(current, |mention| mention.when.clone());
            continue;
        }
        let weekday_alone =
            under.is_some_and(|days| days.len() == 1) && found.iter().all(|mention| is_weekday_alone(&words, mention));
        let relative = found.iter().all(|mention| mention.relative);
        if weekday_alone && !relative && !found.iter().any(same) && (found.len() > 1 || !out.is_empty()) {
            let whole = Piece::whole(When::TwoReadings, text.len());
            return (vec![whole], warnings);
        }
        if before_first.is_some() && !weekday_alone && (under.is_some() || current != When::Inherited) {
            found.insert(0, Mention::of(from, from, current.clone()));
        }
        // `Château de la Tour : jeudi 15 de 9 h à 20 h ; vendredi 16 de 14 h à 18 h`: the words before the first day are of
        // the second as well.
        let shared = before_semicolon.take().filter(|_| from > 0 && words.is(from - 1, &[";"]));
        if let ([mention], Some(lead)) = (found.as_slice(), shared)
            && under.is_none()
            && !own_words(&words, (from, to), &found)
        {
            current = mention.when.clone();
            let (shown, told) = ((lead.0, byte(to)), vec![lead, (byte(from), byte(to))]);
            out.push(Piece { when: current.clone(), shown, told, leads: false });
            before_semicolon = Some(lead);
            continue;
        }
        before_semicolon = (found[0].from > from).then(|| (byte(from), byte(found[0].from)));
        if let [mention] = found.as_slice() {
            let holds = matches!((&mention.when, under), (When::Days(days), Some([day])) if days.contains(day));
            let other_weekday =
                under.is_some_and(|days| days.len() == 1) && !holds && is_weekday_alone(&words, mention);
            let at_the_head = (out.is_empty() || mention.relative) && leads_to(&words, from, mention.from);
            if other_weekday && !at_the_head {
                let whole = Piece::whole(When::TwoReadings, text.len());
                return (vec![whole], warnings);
            }
            current = mention.when.clone();
            push(&mut out, current.clone(), (byte(from), byte(to)), true);
            continue;
        }
        // `Pêche à pied — Pavie, plage. Lundi 7 : 9 h / mardi 8 : 9 h 45.`: a title, then a sentence of its days and hours.
        let title = match out.as_mut_slice() {
            [only] if only.leads && only.when == When::Inherited && !own_words(&words, (from, to), &found) => {
                out.pop().map(|piece| piece.shown)
            }
            _ => None,
        };
        let first = out.len();
        cut(&words, (from, to), &found, &mut out);
        if let Some(title) = title {
            for piece in &mut out[first..] {
                piece.told.insert(0, title);
                piece.shown.0 = title.0;
            }
        }
        current = found.last().map_or(current, |mention| mention.when.clone());
    }
    // `Animations du 7 au 13 août.` names the week; it is shown with what follows, and read for nothing.
    if let (Some(label), Some(first)) = (label, out.first_mut())
        && label < first.shown.0
    {
        if first.told.is_empty() {
            first.told = vec![first.shown];
        }
        first.shown.0 = label;
    }
    (out, warnings)
}

/// The subject of the sentence before the one at `from`: its words up to its verb, if they name a thing one attends.
fn subject_before(words: &Words<'_>, from: usize) -> Option<(usize, usize)> {
    let (first, end) = sentences(words).into_iter().find(|(_, to)| *to == from)?;
    let verb = (first..end).find(|at| super::verbs::is_finite(words, *at))?;
    (first..verb).any(|at| is_event_noun(&words.tokens[at])).then_some((first, verb))
}

/// Whether any of the days of a sentence has words of its own beside hours and places, or stands behind some.
fn own_words(words: &Words<'_>, (from, to): (usize, usize), found: &[Mention]) -> bool {
    let ends = found.iter().skip(1).map(|mention| mention.from).chain([to]);
    has_words(words, from, found[0].from)
        || found.iter().zip(ends).any(|(mention, end)| has_words(words, mention.to, end))
}

/// `samedi`, without a number.
fn is_weekday_alone(words: &Words<'_>, mention: &Mention) -> bool {
    matches!(mention.when, When::Days(_)) && !(mention.from..mention.to).any(|at| words.tokens[at].kind == Kind::Number)
}

/// Whether only words like `et`, `puis`, `enfin` stand before the day.
fn leads_to(words: &Words<'_>, from: usize, at: usize) -> bool {
    (from..at).all(|i| {
        !matches!(words.tokens[i].kind, Kind::Word | Kind::Number)
            || is_function(&words.tokens[i])
            || words.is(i, &["toujours", "mais", "ce", "le"])
    })
}

/// `Animations du 7 au 13 août.`
fn is_week_label(words: &Words<'_>, from: usize, to: usize) -> bool {
    let tokens = &words.tokens[..to];
    let range = (from..to).find_map(|at| {
        days::date(tokens, at).filter(|date| matches!(date.what, Spec::Range(..))).map(|date| (at, date))
    });
    let Some((at, date)) = range else { return false };
    let long = match &date.what {
        Spec::Range(first, last) => {
            first.day.zip(last.day).is_some_and(|(first, last)| last >= first + 4 || last < first)
        }
        Spec::List(_) => false,
    };
    let label = (from..to).filter(|i| !(at..date.to).contains(i)).all(|i| {
        tokens[i].kind != Kind::Word
            || is_function(&tokens[i])
            || tokens[i].is_any(&[
                "animations",
                "programme",
                "semaine",
                "agenda",
                "rendez-vous",
                "sorties",
                "animation",
            ])
    });
    long && label && to < words.tokens.len()
}

fn push(out: &mut Vec<Piece>, when: When, shown: (usize, usize), said: bool) {
    // `On guinche. Vendredi soir, Nérac…`: a sentence without a day leads to the one that has it.
    if let [only] = out.as_mut_slice()
        && only.when == When::Inherited
        && only.leads
        && when != When::Inherited
    {
        (only.when, only.leads) = (when, false);
        only.shown.1 = shown.1;
        return;
    }
    // `Entrée 2 €.` behind a sentence of several days: of the last one.
    if let Some(last) = out.last_mut()
        && !last.told.is_empty()
        && last.when == when
        && !said
        && last.shown.1 == shown.0
    {
        last.told.push(shown);
        last.shown.1 = shown.1;
        return;
    }
    match out.last_mut() {
        Some(last) if last.when == when && last.told.is_empty() && last.shown.1 == shown.0 => {
            last.shown.1 = shown.1;
        }
        _ => out.push(Piece { when, shown, told: Vec::new(), leads: false }),
    }
}

/// A sentence with several days: each with its own words, or one title and its dates.
fn cut(words: &Words<'_>, (from, to): (usize, usize), found: &[Mention], out: &mut Vec<Piece>) {
    let byte = |at: usize| words.tokens.get(at).map_or(words.text.len(), |token| token.start);
    // A segment begins with its date, and with what only leads to it: `, et dimanche 13`.
    let begins: Vec<usize> = found
        .iter()
        .enumerate()
        .map(|(index, mention)| {
            let least = if index == 0 { from } else { found[index - 1].to };
            let mut at = mention.from;
            // `vide-greniers dimanche de 8 h à 17 h, et marché dimanche toute la journée`: its words stand before it.
            let clause = (least..at).rev().find(|i| words.is(*i, &[",", ";", ":"]));
            if let Some(clause) = clause.filter(|clause| {
                index > 0 && has_words(words, clause + 1, at) && !says_time(&words.tokens[clause + 1..at])
            }) {
                at = clause + 1;
            }
            while at > least && words.is(at - 1, &["et", "puis", ",", "ou", "enfin", "-", "(", "&", ":"]) {
                at -= 1;
            }
            at
        })
        .collect();
    let lead_is_title = has_words(words, from, begins[0]);
    let own = (0..found.len()).all(|index| {
        let end = begins.get(index + 1).copied().unwrap_or(to);
        has_words(words, found[index].to, end)
    });
    let shared_title = lead_is_title && !clause_before(words, from, begins[0]);
    if own && !shared_title {
        for (index, mention) in found.iter().enumerate() {
            let start = if index == 0 { from } else { begins[index] };
            let end = begins.get(index + 1).copied().unwrap_or(to);
            let (shown, told) = ((byte(from), byte(to)), vec![(byte(start), byte(end))]);
            out.push(Piece { when: mention.when.clone(), shown, told, leads: false });
        }
        return;
    }
    // The title may stand between: `jeudi à 18 h et samedi à 20 h, bal`.
    for (index, mention) in found.iter().enumerate() {
        let end = begins.get(index + 1).copied().unwrap_or(to);
        // `Marché nocturne : mardi, Pavie, 19 h ; mercredi, Jégun, 20 h`: the colon parts the title from where each is.
        let colon = (begins[0]..found[0].from).all(|at| words.is(at, &[":"]));
        let said = |at: usize| {
            let token = &words.tokens[at];
            let known = marks(words).iter().any(|mark| (mark.from..mark.to).contains(&at));
            token.kind == Kind::Word && !is_function(token) && !known
        };
        let named = (found[index].to..end).any(said);
        let lead_to = if colon && lead_is_title && index > 0 && named { found[0].from } else { begins[0] };
        let mut told = vec![(byte(from), byte(lead_to).max(byte(from)))];
        let last_own = has_words(words, found[found.len() - 1].to, to);
        let first_own = index > 0 && !lead_is_title && has_words(words, found[0].to, begins[1]);
        if first_own {
            told = vec![(byte(found[0].to), byte(begins[1]))];
        }
        told.push((byte(begins[index]), byte(end)));
        if last_own && index + 1 < found.len() && !lead_is_title && !first_own {
            // The words are for all days, the hour behind the last date is not for one that has its own.
            let last = found[found.len() - 1].to;
            let timed = says_time(&words.tokens[begins[index]..end]);
            let hour = marks(words)
                .iter()
                .find(|mark| {
                    let at_once = (last..mark.from).all(|at| words.tokens[at].kind == Kind::Sign);
                    mark.from >= last && at_once && matches!(mark.meaning, Meaning::Times(_))
                })
                .map(|mark| mark.to);
            told.push((byte(hour.filter(|_| timed).unwrap_or(last)), byte(to)));
        }
        told.retain(|(a, b)| a < b);
        out.push(Piece { when: mention.when.clone(), shown: (byte(from), byte(to)), told, leads: false });
    }
}

/// Whether the words before the first date are a clause of their own: `fête du village ; samedi…`.
fn clause_before(words: &Words<'_>, from: usize, to: usize) -> bool {
    (from..to).any(|at| words.is(at, &[",", ":"])) && says_time(&words.tokens[from..to])
}

/// Whether `from..to` holds words of its own beside hours, prices, places and dates.
fn has_words(words: &Words<'_>, from: usize, to: usize) -> bool {
    if from >= to {
        return false;
    }
    let marks = marks(words);
    let mut count = 0;
    let mut at = from;
    while at < to {
        if let Some(mark) = marks.iter().find(|mark| mark.from <= at && at < mark.to && mark.meaning != Meaning::Opaque)
        {
            at = mark.to;
            continue;
        }
        if quotation(&words.tokens, at).is_some() {
            return true;
        }
        let reader = places::Reader { words, end: to, titled: true, after_mark: true, in_commune: false };
        if let Some(place) = reader.place(at).filter(|place| place.to > at) {
            at = place.to;
            continue;
        }
        let token = &words.tokens[at];
        if is_event_noun(token) {
            return true;
        }
        count += usize::from(token.kind == Kind::Word && !is_function(token) && token.end - token.start > 2);
        at += 1;
    }
    count >= 2
}

/// The days of the sentence `from..to` that are days of what it tells.
fn mentions(
    words: &Words<'_>,
    (from, to): (usize, usize),
    calendar: &Calendar,
    around: Around<'_>,
    (named, before): (&When, &When),
) -> Vec<Mention> {
    let under = around.under;
    let tokens = &words.tokens[..to];
    let mut out: Vec<Mention> = Vec::new();
    let mut at = from;
    while at < to {
        if let Some(end) = quotation(tokens, at) {
            at = end;
            continue;
        }
        // `ce soir`, `cet après-midi` of an article without days: the day it was published.
        if under.is_none()
            && (words.is(at, &["ce"]) && words.is(at + 1, &["soir", "matin", "midi"])
                || words.is(at, &["cet"]) && words.is(at + 1, &["apres-midi"]))
        {
            out.push(Mention::of(at, at + 2, When::Days(vec![calendar.published])));
            at += 2;
            continue;
        }
        // `(dépôt le samedi de 14 h à 17 h)`: a day of a detail.
        if words.is(at, &["("]) && words.is(at + 1, PREPARES) {
            at = (at..to).find(|end| words.is(*end, &[")"])).unwrap_or(at) + 1;
            continue;
        }
        // The `30` of `20 h 30` is no day.
        if let Some(time) =
            hours::time(tokens, at).filter(|time| !time.what.slots.is_empty() || time.what.end.is_some())
        {
            at = time.to.max(at + 1);
            continue;
        }
        // Under a heading for two days `le tournoi de samedi` is of one of them.
        let of_these = under.is_some_and(|days| days.len() > 1)
            && words.is(at, &["de", "du", "d'"])
            && days::date(tokens, at + 1).is_some_and(|date| weekday_among(&date.what, under));
        if let Some(end) = named_day(words, from, at).filter(|_| !of_these) {
            at = end;
            continue;
        }
        if let Some((days, end)) = named_span(words, at, around.span) {
            out.push(Mention::of(at, end, When::Days(days)));
            at = end;
            continue;
        }
        if let Some(relation) = relation(words, from, at) {
            // `la veille, vendredi`: the day beside it says it again.
            if let Some(date) = apposed(words, relation.to, to).and_then(|day| days::date(tokens, day)) {
                let dates = calendar.dates(&date.what);
                let when = When::Days(dates.days);
                out.push(Mention { relative: true, warnings: dates.warnings, ..Mention::of(at, date.to, when) });
                at = date.to;
                continue;
            }
            let said = out.iter().rfind(|mention| !mention.relative).map(|mention| &mention.when);
            let last = out.last().map(|mention| &mention.when);
            if let Some(days) = relation.days(said.unwrap_or(named), last.unwrap_or(before)) {
                out.push(Mention { relative: true, ..Mention::of(at, relation.to, When::Days(days)) });
            }
            at = relation.to;
            continue;
        }
        if let Some(found) = until_inclusive(words, at, calendar, under) {
            at = found.to;
            out.push(found);
            continue;
        }
        if let Some(found) = days::recurrence(tokens, at)
            && let Recurrence::On(weekdays) = found.what
        {
            // `nuit de samedi à dimanche`: the night belongs to the day it begins.
            if at > 0 && words.is(at - 1, &["nuit", "nuits"]) {
                let first = days::date(tokens, at + 1).map(|date| calendar.dates(&date.what).days);
                if let Some(days) = first.filter(|days| !days.is_empty()) {
                    out.push(Mention::of(at, found.to, When::Days(vec![days[0]])));
                }
                at = found.to;
                continue;
            }
            out.push(Mention::of(at, found.to, When::Weekly(weekdays)));
            at = found.to;
            continue;
        }
        // `Toute la semaine, du lundi au vendredi, …` opens a sentence: it is not of the day of the heading alone.
        if at == from && words.is(at, &["toute"]) && words.is(at + 1, &["la"]) && words.is(at + 2, &["semaine"]) {
            let next = at + 3 + usize::from(words.is(at + 3, &[","]));
            let narrower = days::recurrence(tokens, next).map(|found| match found.what {
                Recurrence::On(days) => (days, found.to),
                Recurrence::Except(closed) => (Weekdays::ALL.without(closed), found.to),
            });
            let (weekdays, end) = narrower.unwrap_or((Weekdays::ALL, at + 3));
            out.push(Mention::of(at, end, When::Weekly(weekdays)));
            at = end;
            continue;
        }
        let Some(date) = days::date(tokens, at) else {
            at += 1;
            continue;
        };
        if counts(words, from, at, date.to, to, &date.what, under) {
            let dates = calendar.dates(&date.what);
            let night = night_of(words, at, &date.what);
            let days = if night { dates.days.into_iter().take(1).collect() } else { dates.days };
            // `visites lundi et jeudi à 10 h`, for a fortnight
            if let Some(weekdays) =
                weekdays_alone(&date.what).filter(|_| around.recurs && under.is_none() && !words.is(at, &["ce"]))
            {
                out.push(Mention::of(at, date.to, When::Weekly(weekdays)));
                at = date.to;
                continue;
            }
            if !days.is_empty() {
                out.push(Mention { warnings: dates.warnings, ..Mention::of(at, date.to, When::Days(days)) });
            }
        }
        at = date.to;
    }
    // `lundi de Pâques (14 avril)`: one day, said twice.
    if let [first, second, ..] = out.as_slice()
        && first.when == second.when
        && second.from - first.to <= 3
        && words.is(second.from - 1, &["(", ","])
        && !says_time(&words.tokens[first.to..second.from])
    {
        out.remove(0);
    }
    narrow_recurrence(words, &mut out);
    join_recurrence_and_span(words, to, &mut out);
    // `samedi 14 h au dimanche 14 h`: one thing that lasts; it is of its first day.
    if let [first, second] = out.as_slice()
        && words.is(second.from, &["au"])
        && second.from - first.to <= 4
        && says_time(&words.tokens[first.to..second.from])
    {
        out.pop();
    }
    out
}

/// `tous les matins à 8 h 30 du lundi au vendredi`: the narrower of two recurrences with nothing but an hour between.
fn narrow_recurrence(words: &Words<'_>, out: &mut Vec<Mention>) {
    let [first, second] = out.as_slice() else { return };
    let (When::Weekly(a), When::Weekly(b)) = (&first.when, &second.when) else { return };
    let apart = (first.to..second.from).any(|at| {
        let token = &words.tokens[at];
        token.kind == Kind::Word && !is_function(token) && !is_within_an_hour(words, at) || token.is_any(&[";", "."])
    });
    let days = match (*a, *b) {
        (Weekdays::ALL, days) | (days, Weekdays::ALL) if !apart => days,
        _ => return,
    };
    *out = vec![Mention::of(first.from, second.to, When::Weekly(days))];
}

/// `chaque soir à 18 h du 1er au 24 décembre`, `du 10 au 16, tous les jours sauf mardi`: the weekdays, among these days.
fn join_recurrence_and_span(words: &Words<'_>, end: usize, out: &mut Vec<Mention>) {
    let [first, second] = out.as_slice() else { return };
    let between = first.to..second.from;
    let apart = between.clone().any(|at| {
        let token = &words.tokens[at];
        token.kind == Kind::Word && !is_function(token) && !is_within_an_hour(words, at)
    });
    let (weekdays, days) = match (&first.when, &second.when) {
        (When::Weekly(weekdays), When::Days(days)) | (When::Days(days), When::Weekly(weekdays)) => (*weekdays, days),
        _ => return,
    };
    if apart || days.len() < 3 {
        return;
    }
    let except = (first.from..end).find_map(|at| match days::recurrence(&words.tokens[..end], at)?.what {
        Recurrence::Except(closed) => Some(closed),
        Recurrence::On(_) => None,
    });
    let weekdays = except.map_or(weekdays, |closed| weekdays.without(closed));
    let among: Vec<NaiveDate> = days.iter().copied().filter(|day| weekdays.has(day.weekday())).collect();
    if among.is_empty() {
        return;
    }
    let (from, to, warnings) = (first.from, second.to, second.warnings.clone());
    *out = vec![Mention { warnings, ..Mention::of(from, to, When::Days(among)) }];
}

/// Whether the token is a part of an hour: the `h` of `18 h`.
fn is_within_an_hour(words: &Words<'_>, at: usize) -> bool {
    (at.saturating_sub(3)..=at).any(|from| hours::time(&words.tokens, from).is_some_and(|time| time.to > at))
}

/// What one does before the thing takes place.
#[rustfmt::skip]
const PREPARES: &[&str] = &[
    "depot", "depots", "retrait", "inscription", "inscriptions", "reservation", "reservations", "installation", "montage", "vente",
    "billetterie", "prevente",
];

/// `du samedi`, `avant vendredi`, `reporté au jeudi 16`: where a day named after these words is only a name or a limit.
fn named_day(words: &Words<'_>, from: usize, at: usize) -> Option<usize> {
    let tokens = &words.tokens;
    let token = &tokens[at];
    const FAR: usize = 16;
    let date_at = |at: usize| days::date(tokens, at).map(|date| date.to);
    match token.fold.as_str() {
        "avant" | "depuis" | "sauf" | "hors" | "excepte" => {
            let next = at + 1 + usize::from(words.is(at + 1, &["le", "les"]));
            date_at(next).or_else(|| days::recurrence(tokens, at).map(|found| found.to))
        }
        "jusqu'" | "jusque" if words.is(at + 1, &["au", "a", "en"]) => {
            date_at(at + 2).or_else(|| date_at(at + 1)).filter(|to| !words.is(*to, &["inclus", "compris"]))
        }
        "reporte" | "reportee" | "reportes" | "reportees" | "report" | "decale" | "decalee" | "deplace"
        | "deplacee" | "repousse" | "repoussee" | "remis" | "remise" => {
            let next = at + 1 + usize::from(words.is(at + 1, &["au", "a", "pour"]));
            date_at(next)
        }
        // `marché du samedi`, `cérémonie du 11 novembre`; a range is one of days.
        "du" | "de" | "d'" if at > from => {
            let after_word = tokens[at - 1].kind == Kind::Word
                && !is_function(&tokens[at - 1])
                && !tokens[at - 1].is_any(&["ouvert", "ouverte", "nuit", "partir"]);
            let next = at + 1;
            let date = days::date(tokens, next);
            let numbered = date.as_ref().is_some_and(|date| super::lines::has_number(&date.what));
            // `le vide-grenier de dimanche 25 (8 h – 17 h)`: its hours stand beside the day.
            let timed = date.as_ref().filter(|_| numbered).is_some_and(|date| {
                let hour = date.to + usize::from(words.is(date.to, &["(", ","]));
                hours::time(tokens, hour).is_some_and(|time| !time.what.slots.is_empty())
            });
            // `le marché du vendredi se tiendra exceptionnellement jeudi 10`: the other day is the one.
            let another = !numbered
                && (next + 1..tokens.len().min(next + FAR))
                    .take_while(|at| !tokens[*at].is_sentence_end())
                    .any(|at| days::date(tokens, at).is_some_and(|date| super::lines::has_number(&date.what)));
            // `le marché du vendredi 17 se tiendra aux arènes`: the sentence says that it takes place.
            if !after_word
                || timed
                || takes_place(words, at) && !another
                || days::date(tokens, at).is_some()
                || days::recurrence(tokens, at).is_some()
            {
                return None;
            }
            let ordinal =
                tokens.get(next).is_some_and(|token| token.is_any(&["premier", "deuxieme", "dernier", "second"]));
            date_at(next + usize::from(ordinal))
        }
        "premier" | "premiers" | "dernier" | "derniers" | "deuxieme" | "troisieme" | "second" | "2e" | "3e" => {
            days::weekday(tokens.get(at + 1)?).map(|_| at + 2)
        }
        // `les mardis de la poésie`, `nos jeudis du rire`: the name of a series.
        "nos" | "ses" | "leurs" => days::weekday(tokens.get(at + 1)?).map(|_| at + 2),
        _ => None,
    }
}

/// `les deux jours`, `tout le week-end`
fn named_span(words: &Words<'_>, at: usize, span: Option<(NaiveDate, NaiveDate)>) -> Option<(Vec<NaiveDate>, usize)> {
    let sequence = |list: &[&str]| list.iter().enumerate().all(|(i, word)| words.is(at + i, &[word]));
    for (list, count) in [
        (&["les", "deux", "jours"][..], 2),
        (&["les", "2", "jours"], 2),
        (&["les", "trois", "jours"], 3),
        (&["tout", "le", "week-end"], 2),
        (&["tout", "le", "weekend"], 2),
    ] {
        if sequence(list) {
            let (first, last) = span?;
            let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).take(8).collect();
            return (days.len() == count || count == 2 && days.len() <= 3).then_some((days, at + list.len()));
        }
    }
    None
}

/// `jusqu'au mercredi inclus`: from the day it stands under to that day.
fn until_inclusive(words: &Words<'_>, at: usize, calendar: &Calendar, under: Option<&[NaiveDate]>) -> Option<Mention> {
    if !words.is(at, &["jusqu'"]) || !words.is(at + 1, &["au", "a"]) {
        return None;
    }
    let date = days::date(&words.tokens, at + 2)?;
    let first = *under?.first()?;
    if !words.is(date.to, &["inclus", "compris"]) {
        return None;
    }
    let after = Calendar { last: Some(first), ..*calendar };
    let last = *after.dates(&date.what).days.last()?;
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).take(8).collect();
    (days.len() > 1 && days.len() <= 7).then(|| Mention::of(at, date.to + 1, When::Days(days)))
}

/// `nuit de samedi à dimanche`: the night belongs to the day it begins.
fn night_of(words: &Words<'_>, at: usize, spec: &Spec) -> bool {
    at > 0 && words.is(at - 1, &["nuit", "nuits"]) && matches!(spec, Spec::Range(..))
}
