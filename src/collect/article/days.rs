//! Parses days as French articles write them; `calendar` resolves them to dates.
//!
//! Grammar: `[le|les|ce] [weekday] day [month [year]]`, joined by `,` `et` `&` `/`, or a range `du A au B`; a weekday
//! alone; a recurrence (`tous les jours sauf le lundi`, `du mardi au samedi`, `chaque dimanche`).
//! A number is a day only if it cannot be an hour, a price, an age or a distance.

use chrono::{Datelike, NaiveDate, Weekday};

use super::text::{Kind, Token};
use crate::domain::agenda::Week;

/// A day as written: any of its parts may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mention {
    pub(super) weekday: Option<Weekday>,
    pub(super) day: Option<u32>,
    pub(super) month: Option<u32>,
    pub(super) year: Option<i32>,
    /// Days after the publication: `aujourd'hui` is 0, `demain` 1.
    pub(super) offset: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spec {
    List(Vec<Mention>),
    Range(Mention, Mention),
}

/// A parse result that ends before token `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<T> {
    pub(super) what: T,
    pub(super) to: usize,
}

/// Days of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weekdays(u8);

impl Weekdays {
    pub(super) const ALL: Self = Self(0b111_1111);

    pub(super) fn only(day: Weekday) -> Self {
        Self(1 << day.num_days_from_monday())
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn between(first: Weekday, last: Weekday) -> Self {
        let (first, last) = (first.num_days_from_monday(), last.num_days_from_monday());
        Self(
            (0..7)
                .filter(|day| if first <= last { (first..=last).contains(day) } else { *day >= first || *day <= last })
                .map(|day| 1 << day)
                .sum(),
        )
    }

    pub(super) fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_monday()) != 0
    }

    pub(super) fn in_week(self, week: Week) -> Vec<NaiveDate> {
        week.days().filter(|day| self.has(day.weekday())).collect()
    }
}

/// The recurrence of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recurrence {
    On(Weekdays),
    Except(Weekdays),
}

const MONTHS: [&[&str]; 12] = [
    &["janvier", "janv"],
    &["fevrier", "fev", "fevr"],
    &["mars"],
    &["avril", "avr"],
    &["mai"],
    &["juin"],
    &["juillet", "juil"],
    &["aout"],
    &["septembre", "sept"],
    &["octobre", "oct"],
    &["novembre", "nov"],
    &["decembre", "dec"],
];

/// In the order of [`WEEKDAYS`].
const SHORT_WEEKDAYS: [&str; 7] = ["lun", "mar", "mer", "jeu", "ven", "sam", "dim"];

pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("lundi", Weekday::Mon),
    ("mardi", Weekday::Tue),
    ("mercredi", Weekday::Wed),
    ("jeudi", Weekday::Thu),
    ("vendredi", Weekday::Fri),
    ("samedi", Weekday::Sat),
    ("dimanche", Weekday::Sun),
];

pub(super) fn weekday(token: &Token) -> Option<Weekday> {
    let name = token.fold.strip_suffix('s').unwrap_or(&token.fold);
    WEEKDAYS.iter().find(|(word, _)| *word == name).map(|(_, day)| *day)
}

pub(super) fn month(token: &Token) -> Option<u32> {
    if token.kind != Kind::Word {
        return None;
    }
    MONTHS.iter().zip(1..).find(|(names, _)| names.contains(&token.fold.as_str())).map(|(_, month)| month)
}

fn is(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.get(at).is_some_and(|token| token.is_any(words))
}

fn glued(tokens: &[Token], at: usize) -> bool {
    at > 0 && at < tokens.len() && tokens[at - 1].end == tokens[at].start
}

/// `12`, `1er`: a number that can be a day of the month, and is not an hour, a price or an age.
fn day_number(tokens: &[Token], at: usize) -> Option<(u32, usize)> {
    let number = tokens.get(at)?.number().filter(|n| (1..=31).contains(n))?;
    // `05 62 00 00 00` is a telephone.
    let phone = tokens[at].fold.starts_with('0') && tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Number);
    if tokens[at].fold.len() > 2 || phone {
        return None;
    }
    if is(tokens, at + 1, &["er", "ᵉʳ"]) {
        return (number == 1).then_some((1, at + 2));
    }
    const UNITS: [&str; 22] = [
        "h",
        "heures",
        "heure",
        "hrs",
        "€",
        "euros",
        "euro",
        "eur",
        "km",
        "kms",
        "kilometres",
        "ans",
        "m",
        "%",
        "min",
        "minutes",
        "mn",
        "places",
        "personnes",
        "exposants",
        "eme",
        "e",
    ];
    if is(tokens, at + 1, &UNITS)
        || (is(tokens, at + 1, &[":", ","])
            && glued(tokens, at + 1)
            && glued(tokens, at + 2)
            && tokens[at + 2].kind == Kind::Number)
    {
        return None;
    }
    Some((number, at + 1))
}

/// `sam`, `dim`: also words of their own.
pub(super) fn is_short_weekday(token: &Token) -> bool {
    token.is_any(&SHORT_WEEKDAYS)
}

/// `sam. 12`, `dim 13`: short forms count only before a number, since `mar` and `mer` are words.
pub(super) fn short_weekday(tokens: &[Token], at: usize) -> Option<(Weekday, usize)> {
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let dotted = is(tokens, at + 1, &["."]);
    let index = SHORT_WEEKDAYS
        .iter()
        .position(|short| token.is(short))
        .or_else(|| ["lu", "ma", "me", "je", "ve", "sa", "di"].iter().position(|short| dotted && token.is(short)))?;
    let next = at + 1 + usize::from(is(tokens, at + 1, &["."]));
    day_number(tokens, next).map(|_| (WEEKDAYS[index].1, next))
}

/// `VDI 19 OCT.`, `mdi 16 oct.`: letters of a weekday that end like it, before a day and its month. The weekday, where
/// there is only one with these letters, and where the number is.
fn contracted_weekday(tokens: &[Token], at: usize) -> Option<(Option<Weekday>, usize)> {
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word && (3..=5).contains(&token.fold.len()))?;
    if !["di", "dr", "che"].iter().any(|end| token.fold.ends_with(end)) {
        return None;
    }
    let contracts = |name: &str| {
        let mut letters = name.chars();
        name.starts_with(&token.fold[..1]) && token.fold.chars().all(|c| letters.any(|letter| letter == c))
    };
    let next = at + 1 + usize::from(is(tokens, at + 1, &["."]));
    let (_, behind) = day_number(tokens, next)?;
    tokens.get(behind).and_then(month)?;
    let mut named = WEEKDAYS.iter().filter(|(name, _)| contracts(name)).map(|(_, day)| *day);
    let first = named.next()?;
    Some((named.next().is_none().then_some(first), next))
}

/// `aujourd'hui`, `demain`, also with the weekday after it: `DEMAIN DIMANCHE`.
fn relative(tokens: &[Token], at: usize) -> Option<Found<Mention>> {
    let offset = match tokens.get(at)?.fold.as_str() {
        "aujourd'hui" => 0,
        "demain" => 1,
        "apres-demain" => 2,
        _ => return None,
    };
    let next = at + 1 + usize::from(is(tokens, at + 1, &[","]) && tokens.get(at + 2).and_then(weekday).is_some());
    // Iteratively: many « demain » in a row must not recurse.
    let repeated = is(tokens, next, &["aujourd'hui", "demain", "apres-demain"]);
    let named = if repeated { None } else { mention(tokens, next, false) };
    let named = named.filter(|found| found.what.weekday.is_some());
    let (what, to) = named.map_or((Mention::default(), at + 1), |found| (found.what, found.to));
    Some(Found { what: Mention { offset: Some(offset), ..what }, to })
}

/// `LUN · 3 JUIL`, `samedi | 12 mai`: the parts of a date with a sign between them.
pub(super) fn badge(tokens: &[Token], at: usize) -> Option<Found<Mention>> {
    const SIGNS: [&str; 3] = ["·", "•", "|"];
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let short = SHORT_WEEKDAYS.iter().position(|short| token.is(short));
    let named = weekday(token).or_else(|| short.map(|index| WEEKDAYS[index].1))?;
    let sign = at + 1 + usize::from(is(tokens, at + 1, &["."]));
    let (day, behind) = day_number(tokens, sign + 1).filter(|_| is(tokens, sign, &SIGNS))?;
    let month_at = behind + usize::from(is(tokens, behind, &SIGNS));
    let month = tokens.get(month_at).and_then(month)?;
    let to = month_at + 1;
    let what = Mention { weekday: Some(named), day: Some(day), month: Some(month), ..Mention::default() };
    Some(Found { what, to })
}

/// `SAM DIM 26 27 AOÛT`, `MER → VEN 23-25 AOÛT`: a badge of two days, both weekdays before both numbers.
fn double_badge(tokens: &[Token], at: usize) -> Option<Found<Spec>> {
    const JOINTS: [&str; 10] = ["→", ">", "-", "/", "&", "et", "au", "·", "|", "+"];
    const FROM_TO: [&str; 4] = ["→", ">", "-", "au"];
    let named = |at: usize| {
        // Most words begin like no weekday.
        let begins = |token: &&Token| matches!(token.fold.as_bytes(), [b'd' | b'j' | b'l' | b'm' | b's' | b'v', ..]);
        let token = tokens.get(at).filter(|token| token.kind == Kind::Word).filter(begins)?;
        let short = SHORT_WEEKDAYS.iter().position(|short| token.is(short)).map(|index| WEEKDAYS[index].1);
        let to = at + 1 + usize::from(is(tokens, at + 1, &["."]));
        weekday(token).or(short).map(|day| (day, to))
    };
    let (first, sign) = named(at)?;
    let (last, number) = named(sign + usize::from(is(tokens, sign, &JOINTS)))?;
    let (a, second) = day_number(tokens, number)?;
    let (b, month_at) = day_number(tokens, second + usize::from(is(tokens, second, &JOINTS)))?;
    let month = tokens.get(month_at).and_then(month)?;
    let dot = usize::from(is(tokens, month_at + 1, &["."]) && glued(tokens, month_at + 1));
    let day = |weekday, day, month| Mention { weekday: Some(weekday), day: Some(day), month, ..Mention::default() };
    let (a, b) = (day(first, a, None), day(last, b, Some(month)));
    let ranges = is(tokens, sign, &FROM_TO) || is(tokens, second, &FROM_TO);
    let what = if ranges { Spec::Range(a, b) } else { Spec::List(vec![a, b]) };
    Some(Found { what, to: month_at + 1 + dot })
}

/// One mention. `bare` allows a number alone: only inside a list or a range.
fn mention(tokens: &[Token], mut at: usize, bare: bool) -> Option<Found<Mention>> {
    if let Some(found) = relative(tokens, at).or_else(|| badge(tokens, at)) {
        return Some(found);
    }
    let mut what = Mention { weekday: tokens.get(at).and_then(weekday), ..Mention::default() };
    at += usize::from(what.weekday.is_some());
    if what.weekday.is_none()
        && let Some((day, next)) = short_weekday(tokens, at)
    {
        (what.weekday, at) = (Some(day), next);
    } else if what.weekday.is_none()
        && let Some((day, next)) = contracted_weekday(tokens, at)
    {
        (what.weekday, at) = (day, next);
    }
    if let Some((day, month, year, to)) = numeric_date(tokens, at) {
        if what.weekday.is_some() || year.is_some() || is_plain_figures(tokens, at, to) {
            return Some(Found { what: Mention { day: Some(day), month: Some(month), year, ..what }, to });
        }
    } else if let Some((day, next)) = day_number(tokens, at) {
        let month = tokens.get(next).and_then(month);
        if month.is_some() || what.weekday.is_some() || bare {
            (what.day, at) = (Some(day), next);
            if month.is_some() {
                what.month = month;
                at += 1;
                // The dot of `juil.`, not the end of a sentence.
                if tokens[at - 1].fold.len() <= 4
                    && is(tokens, at, &["."])
                    && glued(tokens, at)
                    && !tokens[at - 1].is_any(&["mars", "mai", "juin", "aout"])
                {
                    at += 1;
                }
                let year = tokens.get(at).and_then(Token::number);
                // `le 8 mai 1945` is no day of an agenda.
                if year.is_some_and(|year| (1000..1990).contains(&year)) {
                    return None;
                }
                if let Some(year) = year.filter(|n| (2000..2100).contains(n)) {
                    what.year = Some(year.cast_signed());
                    at += 1;
                }
            }
        }
    }
    // `ce dimanche matin`: the part of the day is the hour's.
    (what.weekday.is_some() || what.day.is_some()).then_some(Found { what, to: at })
}

/// `12/07`, `12/7`, `1er/7`, `12/07/2027`, `12.07.2027`
pub(super) fn numeric_date(tokens: &[Token], at: usize) -> Option<(u32, u32, Option<i32>, usize)> {
    let day = tokens.get(at)?.number().filter(|n| (1..=31).contains(n))?;
    // `1er/11`
    let at = at + usize::from(day == 1 && is(tokens, at + 1, &["er", "ᵉʳ"]) && is(tokens, at + 2, &["/"]));
    let sign = tokens.get(at + 1).filter(|t| t.is_any(&["/", "."]) && glued(tokens, at + 1))?;
    let month = tokens.get(at + 2)?.number().filter(|n| (1..=12).contains(n) && glued(tokens, at + 2))?;
    if is(tokens, at + 3, &[sign.fold.as_str()]) && glued(tokens, at + 3) && glued(tokens, at + 4) {
        let year = tokens.get(at + 4)?.number().filter(|n| (2000..2100).contains(n))?;
        return Some((day, month, Some(year.cast_signed()), at + 5));
    }
    // `samedi 4/5 juillet` are two days.
    let two_days = tokens.get(at + 3).and_then(self::month).is_some();
    (sign.is("/") && !two_days).then_some((day, month, None, at + 3))
}

/// `le 17/07`, `17/07 – 20 h 30`: figures alone are a date where the month has its zero and no unit follows.
fn is_plain_figures(tokens: &[Token], at: usize, to: usize) -> bool {
    const LEADS: [&str; 12] = ["le", "du", "au", "les", "et", "-", ",", ":", "(", "•", "·", "|"];
    let padded = tokens[to - 1].fold.len() == 2 && tokens[at].fold.len() == 2 && is(tokens, at + 1, &["/"]);
    let led = at == 0 || tokens[at - 1].kind == Kind::Break || is(tokens, at - 1, &LEADS);
    let next = tokens.get(to);
    let measured = next.is_some_and(|next| {
        next.is_any(&["€", "euros", "euro", "ans", "h", "%", "/", "personnes", "places", "enfants", "mois", "km"])
            || next.kind == Kind::Number && glued(tokens, to)
    });
    // `18/09 > 14/11` says how long something lasts.
    let ranges = is(tokens, to, &[">", "→", "-"]) && tokens.get(to + 1).is_some_and(|next| next.kind == Kind::Number);
    padded && led && !measured && !ranges
}

/// The date expression that begins at token `at`.
pub(super) fn date(tokens: &[Token], at: usize) -> Option<Found<Spec>> {
    if is(tokens, at, &["du", "de", "d'"]) {
        return range(tokens, at + 1);
    }
    let mut first = at;
    while is(tokens, first, &["le", "les", "ce", "ces", "pour", "au"]) && first < at + 2 {
        first += 1;
    }
    let badge = || double_badge(tokens, first);
    range_by_dash(tokens, first).or_else(badge).or_else(|| list(tokens, first))
}

/// What follows `du`: `lundi 12 au dimanche 18 juillet`.
fn range(tokens: &[Token], at: usize) -> Option<Found<Spec>> {
    let first = mention(tokens, at, true)?;
    let mut next = first.to;
    next += usize::from(is(tokens, next, &[","]));
    let next = match tokens.get(next)? {
        joint if joint.is_any(&["au", "a", "-"]) => next + 1,
        joint if joint.is("jusqu'") && is(tokens, next + 1, &["au"]) => next + 2,
        _ => return None,
    };
    let next = next + usize::from(is(tokens, next, &["le"]));
    let last = mention(tokens, next, true)?;
    let (a, b) = (first.what, last.what);
    let sound = a.day.is_some() && b.day.is_some() && (a.weekday.is_some() || b.weekday.is_some() || b.month.is_some());
    sound.then_some(Found { what: Spec::Range(a, b), to: last.to })
}

/// `16-18 juillet`, `vendredi 16 – dimanche 18 juillet`
fn range_by_dash(tokens: &[Token], at: usize) -> Option<Found<Spec>> {
    let first = mention(tokens, at, true)?;
    if !is(tokens, first.to, &["-", "au", "→", ">"]) || first.what.day.is_none() {
        return None;
    }
    let last = mention(tokens, first.to + 1, true)?;
    let sound = last.what.day.is_some()
        && (last.what.month.is_some() || (first.what.weekday.is_some() && last.what.weekday.is_some()));
    sound.then_some(Found { what: Spec::Range(first.what, last.what), to: last.to })
}

fn list(tokens: &[Token], at: usize) -> Option<Found<Spec>> {
    const LONGEST: usize = 12;
    let first = mention(tokens, at, true)?;
    let mut mentions = vec![first.what];
    let mut to = first.to;
    // The longest prefix that makes sense: a bare number needs a month after it or a weekday before it.
    let named = first.what.weekday.is_some() || first.what.month.is_some() || first.what.offset.is_some();
    let mut sound = if named { Some((1, to)) } else { None };
    while mentions.len() < LONGEST && is(tokens, to, &[",", "et", "&", "/", "puis", "ou", "+", "|"]) {
        let bar = to;
        let mut next = to + 1;
        next += usize::from(is(tokens, next, &["et"]));
        next += usize::from(is(tokens, next, &["le", "les"]));
        let Some(found) = mention(tokens, next, true) else { break };
        to = found.to;
        mentions.push(found.what);
        // `SAM 17 | DIM 18`, but `SAM 17 | samedi des lecteurs`
        let whole = |mention: &Mention| mention.weekday.is_some() && mention.day.is_some();
        if is(tokens, bar, &["|"]) && !(mentions.iter().all(whole)) {
            break;
        }
        let dated = found.what.month.is_some() || found.what.weekday.is_some();
        let after_weekday = first.what.weekday.is_some() && first.what.day.is_some() && found.what.day.is_some();
        // `Samedi 17, 20 personnes` is no list; `samedis 17, 24 et 31` is one.
        if dated
            || (after_weekday && tokens[at].fold.ends_with("is"))
            || (after_weekday && is(tokens, next - 1, &["et", "&", "/"]))
        {
            sound = Some((mentions.len(), to));
        }
    }
    let (count, to) = sound?;
    mentions.truncate(count);
    // `samedi, dimanche` are days in a row; `samedi, place au marché` is prose, which the caller judges.
    Some(Found { what: Spec::List(mentions), to })
}

/// The recurrence that begins at token `at`.
pub(super) fn recurrence(tokens: &[Token], at: usize) -> Option<Found<Recurrence>> {
    if let Some(closed) = exception(tokens, at) {
        return Some(Found { what: Recurrence::Except(closed.what), to: closed.to });
    }
    let on = |days, to| {
        // `tous les jours sauf le jeudi` is one expression.
        let comma = usize::from(is(tokens, to, &[","]));
        match exception(tokens, to + comma) {
            Some(closed) => Found { what: Recurrence::On(Weekdays::without(days, closed.what)), to: closed.to },
            None => Found { what: Recurrence::On(days), to },
        }
    };
    if is(tokens, at, &["tous", "toutes"]) && is(tokens, at + 1, &["les"]) {
        if is(tokens, at + 2, &["jours", "matins", "soirs", "apres-midi", "midis", "nuits"]) {
            let mut to = at + 3;
            if is(tokens, to, &["de"]) && is(tokens, to + 1, &["la"]) && is(tokens, to + 2, &["semaine"]) {
                to += 3;
            }
            // `tous les matins du lundi au vendredi`
            if is(tokens, to, &["du"])
                && let Some(Found { what: Recurrence::On(days), to }) = recurrence(tokens, to)
            {
                return Some(on(days, to));
            }
            return Some(on(Weekdays::ALL, to));
        }
        return weekday_list(tokens, at + 2).map(|found| on(found.what, found.to));
    }
    if is(tokens, at, &["chaque"]) {
        if is(tokens, at + 1, &["jour", "matin", "soir", "apres-midi", "midi", "nuit"]) {
            return Some(on(Weekdays::ALL, at + 2));
        }
        return weekday_list(tokens, at + 1).map(|found| on(found.what, found.to));
    }
    if is(tokens, at, &["du", "de"]) && is(tokens, at + 2, &["au", "a"]) {
        let (first, last) = (weekday(tokens.get(at + 1)?)?, weekday(tokens.get(at + 3)?)?);
        let dated = tokens.get(at + 4).is_some_and(|t| t.kind == Kind::Number) && day_number(tokens, at + 4).is_some();
        return (!dated).then(|| on(Weekdays::between(first, last), at + 4));
    }
    // `lundi à jeudi 14 h – 19 h`
    if is(tokens, at + 1, &["a", "au"])
        && let Some((first, last)) = tokens.get(at).and_then(weekday).zip(tokens.get(at + 2).and_then(weekday))
        && !tokens.get(at + 3).is_some_and(|t| t.kind == Kind::Number && day_number(tokens, at + 3).is_some())
    {
        return Some(on(Weekdays::between(first, last), at + 3));
    }
    // `les mardis et jeudis`: the plural is the recurrence.
    let plural = tokens.get(at + 1).is_some_and(|t| weekday(t).is_some() && t.fold.ends_with('s'));
    if is(tokens, at, &["les"]) && plural {
        return weekday_list(tokens, at + 1).map(|found| on(found.what, found.to));
    }
    None
}

/// `sauf le jeudi`, `hors lundi et mardi`
fn exception(tokens: &[Token], at: usize) -> Option<Found<Weekdays>> {
    is(tokens, at, &["sauf", "hors", "excepte"]).then(|| weekday_list(tokens, at + 1))?
}

fn weekday_list(tokens: &[Token], mut at: usize) -> Option<Found<Weekdays>> {
    let mut days = Weekdays::default();
    let mut to = None;
    loop {
        at += usize::from(is(tokens, at, &["le", "les", "ce", "chaque"]));
        let Some(day) = tokens.get(at).and_then(weekday) else { break };
        if tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Number) && day_number(tokens, at + 1).is_some() {
            break; // `sauf le jeudi 15` is a date
        }
        days = days.with(Weekdays::only(day));
        at += 1;
        to = Some(at);
        if !is(tokens, at, &[",", "et", "&", "ou"]) {
            break;
        }
        at += 1;
    }
    to.map(|to| Found { what: days, to })
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    #[test]
    fn numbers_that_are_not_days_are_ignored() {
        for text in ["32 km du 32", "10 h 30", "10 et 5 €", "2020 Selecta", "7-77", "de 6 à 12 ans", "12 exposants"]
        {
            assert_eq!(date(&tokens(text), 0), None, "{text}");
        }
    }

    #[test]
    fn contracted_weekdays_count_before_a_day_and_its_month() {
        for (text, weekday) in
            [("VDI 19 OCT.", Some(Weekday::Fri)), ("ldi. 15 oct.", Some(Weekday::Mon)), ("mdi 16 oct", None)]
        {
            let found = date(&tokens(text), 0).map(|found| found.what);
            let day = Mention {
                weekday,
                day: text.split(' ').nth(1).and_then(|n| n.parse().ok()),
                month: Some(10),
                ..Mention::default()
            };
            assert_eq!(found, Some(Spec::List(vec![day])), "{text}");
        }
        assert_eq!(date(&tokens("vdi 19 exposants"), 0), None);
        assert_eq!(date(&tokens("midi 19 oct"), 0), None);
    }

    #[test]
    fn a_badge_of_two_days_names_both_weekdays_first() {
        let day = |weekday, day, month| Mention { weekday: Some(weekday), day: Some(day), month, ..Mention::default() };
        let both = [day(Weekday::Sat, 17, None), day(Weekday::Sun, 18, Some(7))];
        for text in ["SAM DIM 17 18 JUIL.", "SAM | DIM 17 | 18 JUILLET", "samedi & dimanche 17 & 18 juillet"] {
            assert_eq!(date(&tokens(text), 0).map(|found| found.what), Some(Spec::List(both.to_vec())), "{text}");
        }
        let range = Some(Spec::Range(both[0], both[1]));
        assert_eq!(date(&tokens("SAM → DIM 17-18 JUIL"), 0).map(|found| found.what), range);
        for text in ["SAM DIM 17 JUIL.", "SAM | 17 | BAL", "sam et dim, 17 places", "mar mer 17 18 h"] {
            let found = date(&tokens(text), 0).map(|found| found.what);
            assert!(!matches!(&found, Some(Spec::List(days)) if days.len() == 2), "{text}: {found:?}");
        }
    }

    #[test]
    fn recurrences_are_days_of_the_week() {
        let check = |text: &str, expected: Option<Recurrence>| {
            assert_eq!(recurrence(&tokens(text), 0).map(|found| found.what), expected, "{text}");
        };
        let all = Weekdays::ALL;
        let only = Weekdays::only;
        check("tous les jours, sauf le jeudi", Some(Recurrence::On(all.without(only(Weekday::Thu)))));
        check("Chaque dimanche à 17h", Some(Recurrence::On(only(Weekday::Sun))));
        check("du lundi au vendredi", Some(Recurrence::On(Weekdays::between(Weekday::Mon, Weekday::Fri))));
        check("tous les lundis et mardis", Some(Recurrence::On(only(Weekday::Mon).with(only(Weekday::Tue)))));
        check("sauf le lundi", Some(Recurrence::Except(only(Weekday::Mon))));
        check("du lundi 2 au dimanche 8 août", None);
    }
}
