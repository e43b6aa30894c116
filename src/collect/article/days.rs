//! Days as French articles write them, and the dates they mean.
//!
//! Grammar: `[le|les|ce] [weekday] day [month [year]]`, joined by `,` `et` `&` `/`, or a range `du A au B`; a weekday
//! alone; a recurrence (`tous les jours sauf le lundi`, `du mardi au samedi`, `chaque dimanche`).
//! A date without its year, its month or its number is found from the publication and the week of the title; what
//! does not agree becomes a warning, never a silent choice.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::text::{Kind, Token};
use crate::domain::agenda::Week;

/// A day as written: any of its parts can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mention {
    pub(super) weekday: Option<Weekday>,
    pub(super) day: Option<u32>,
    pub(super) month: Option<u32>,
    pub(super) year: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spec {
    List(Vec<Mention>),
    Range(Mention, Mention),
}

/// Something read from the token it was looked for at up to (not with) token `to`.
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

/// What an item says of the days it recurs on.
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

const WEEKDAYS: [(&str, Weekday); 7] = [
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
    if tokens[at].fold.len() > 2 {
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

/// One mention. `bare` allows a number alone: only inside a list or a range.
fn mention(tokens: &[Token], mut at: usize, bare: bool) -> Option<Found<Mention>> {
    let mut what = Mention { weekday: tokens.get(at).and_then(weekday), ..Mention::default() };
    at += usize::from(what.weekday.is_some());
    if let Some((day, month, year, to)) = numeric_date(tokens, at) {
        if what.weekday.is_some() || year.is_some() {
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
                if let Some(year) = tokens.get(at).and_then(Token::number).filter(|n| (2000..2100).contains(n)) {
                    what.year = Some(year.cast_signed());
                    at += 1;
                }
            }
        }
    }
    (what.weekday.is_some() || what.day.is_some()).then_some(Found { what, to: at })
}

/// `12/07`, `12/07/2027`, `12.07.2027`
fn numeric_date(tokens: &[Token], at: usize) -> Option<(u32, u32, Option<i32>, usize)> {
    let day = tokens.get(at)?.number().filter(|n| (1..=31).contains(n))?;
    let sign = tokens.get(at + 1).filter(|t| t.is_any(&["/", "."]) && glued(tokens, at + 1))?;
    let month = tokens.get(at + 2)?.number().filter(|n| (1..=12).contains(n) && glued(tokens, at + 2))?;
    if is(tokens, at + 3, &[sign.fold.as_str()]) && glued(tokens, at + 3) && glued(tokens, at + 4) {
        let year = tokens.get(at + 4)?.number().filter(|n| (2000..2100).contains(n))?;
        return Some((day, month, Some(year.cast_signed()), at + 5));
    }
    (sign.is("/") && tokens[at + 2].fold.len() == 2).then_some((day, month, None, at + 3))
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
    range_by_dash(tokens, first).or_else(|| list(tokens, first))
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
    if !is(tokens, first.to, &["-", "au"]) || first.what.day.is_none() {
        return None;
    }
    let last = mention(tokens, first.to + 1, true)?;
    let sound = last.what.day.is_some()
        && (last.what.month.is_some() || (first.what.weekday.is_some() && last.what.weekday.is_some()));
    sound.then_some(Found { what: Spec::Range(first.what, last.what), to: last.to })
}

fn list(tokens: &[Token], at: usize) -> Option<Found<Spec>> {
    const LONGEST: usize = 31;
    let first = mention(tokens, at, true)?;
    let mut mentions = vec![first.what];
    let mut to = first.to;
    // The longest prefix that makes sense: a bare number needs a month after it or a weekday before it.
    let mut sound = if first.what.weekday.is_some() || first.what.month.is_some() { Some((1, to)) } else { None };
    while mentions.len() < LONGEST && is(tokens, to, &[",", "et", "&", "/", "puis", "ou", "+"]) {
        let mut next = to + 1;
        next += usize::from(is(tokens, next, &["et"]));
        next += usize::from(is(tokens, next, &["le", "les"]));
        let Some(found) = mention(tokens, next, true) else { break };
        to = found.to;
        mentions.push(found.what);
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
    if is(tokens, at, &["sauf", "hors", "excepte"]) {
        return weekday_list(tokens, at + 1).map(|found| Found { what: Recurrence::Except(found.what), to: found.to });
    }
    let on = |days, to| {
        // `tous les jours sauf le jeudi` is one expression.
        let comma = usize::from(is(tokens, to, &[","]));
        match recurrence(tokens, to + comma) {
            Some(Found { what: Recurrence::Except(closed), to }) => {
                Found { what: Recurrence::On(Weekdays::without(days, closed)), to }
            }
            _ => Found { what: Recurrence::On(days), to },
        }
    };
    if is(tokens, at, &["tous", "toutes"]) && is(tokens, at + 1, &["les"]) {
        if is(tokens, at + 2, &["jours"]) {
            let mut to = at + 3;
            if is(tokens, to, &["de"]) && is(tokens, to + 1, &["la"]) && is(tokens, to + 2, &["semaine"]) {
                to += 3;
            }
            return Some(on(Weekdays::ALL, to));
        }
        return weekday_list(tokens, at + 2).map(|found| on(found.what, found.to));
    }
    if is(tokens, at, &["chaque"]) {
        if is(tokens, at + 1, &["jour"]) {
            return Some(on(Weekdays::ALL, at + 2));
        }
        return weekday_list(tokens, at + 1).map(|found| on(found.what, found.to));
    }
    if is(tokens, at, &["du", "de"]) && is(tokens, at + 2, &["au", "a"]) {
        let (first, last) = (weekday(tokens.get(at + 1)?)?, weekday(tokens.get(at + 3)?)?);
        let dated = tokens.get(at + 4).is_some_and(|t| t.kind == Kind::Number) && day_number(tokens, at + 4).is_some();
        return (!dated).then(|| on(Weekdays::between(first, last), at + 4));
    }
    // `les mardis et jeudis`: the plural is the recurrence.
    let plural = tokens.get(at + 1).is_some_and(|t| weekday(t).is_some() && t.fold.ends_with('s'));
    if is(tokens, at, &["les"]) && plural {
        return weekday_list(tokens, at + 1).map(|found| on(found.what, found.to));
    }
    None
}

fn weekday_list(tokens: &[Token], mut at: usize) -> Option<Found<Weekdays>> {
    let mut days = Weekdays::default();
    let mut to = None;
    loop {
        at += usize::from(is(tokens, at, &["le", "les", "ce"]));
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

/// What is known about when the article is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    pub(super) published: NaiveDate,
    /// The week named by the title, else the week expected.
    pub(super) week: Option<Week>,
    /// The last day that a heading named.
    pub(super) last: Option<NaiveDate>,
}

/// The dates of an expression, and what a person should look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) days: Vec<NaiveDate>,
    pub(super) warnings: Vec<String>,
}

impl Calendar {
    pub(super) fn dates(&self, spec: &Spec) -> Dates {
        let mut out = Dates::default();
        match spec {
            Spec::List(mentions) => {
                let mut mentions = mentions.clone();
                spread_months(&mut mentions);
                let mut calendar = *self;
                for mention in &mentions {
                    if let Some(day) = calendar.day(mention, &mut out.warnings) {
                        calendar.last = Some(day);
                        out.days.push(day);
                    }
                }
            }
            Spec::Range(first, last) => {
                let mut ends = [*first, *last];
                spread_months(&mut ends);
                let first = self.day(&ends[0], &mut out.warnings);
                // The end is looked for after the beginning: `du 30 décembre au 3 janvier`.
                let after = Calendar { published: first.unwrap_or(self.published), week: self.week, last: first };
                let last = after.day(&ends[1], &mut out.warnings);
                if let (Some(first), Some(last)) = (first, last) {
                    let last = if last < first { last.with_year(last.year() + 1).unwrap_or(last) } else { last };
                    out.days.extend(first.iter_days().take_while(|day| *day <= last).take(366));
                }
            }
        }
        out.days.sort_unstable();
        out.days.dedup();
        out
    }

    fn day(&self, mention: &Mention, warnings: &mut Vec<String>) -> Option<NaiveDate> {
        match (mention.day, mention.month) {
            (Some(day), Some(month)) => self.of_month(day, month, mention, warnings),
            (Some(day), None) => self.of_number(day, mention, warnings),
            (None, _) => mention.weekday.map(|weekday| self.of_weekday(weekday)),
        }
    }

    fn of_month(&self, day: u32, month: u32, mention: &Mention, warnings: &mut Vec<String>) -> Option<NaiveDate> {
        let around = self.published.year();
        let years = match mention.year {
            Some(year) => year..=year,
            None => around - 1..=around + 1,
        };
        let candidates: Vec<NaiveDate> = years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).collect();
        let Some(nearest) = self.nearest(&candidates) else {
            warnings.push(format!("Le {day} {} n’existe pas.", month_name(month)));
            return None;
        };
        let Some(weekday) = mention.weekday else { return Some(nearest) };
        let fitting: Vec<NaiveDate> = candidates.iter().copied().filter(|date| date.weekday() == weekday).collect();
        Some(self.nearest(&fitting).unwrap_or_else(|| {
            warnings.push(disagreement(weekday, nearest));
            nearest
        }))
    }

    fn of_number(&self, day: u32, mention: &Mention, warnings: &mut Vec<String>) -> Option<NaiveDate> {
        let fits =
            |date: &NaiveDate| date.day() == day && mention.weekday.is_none_or(|weekday| date.weekday() == weekday);
        if let Some(date) = self.week.and_then(|week| week.days().find(fits)) {
            return Some(date);
        }
        let from = self.last.unwrap_or(self.published);
        let forward = |fits: &dyn Fn(&NaiveDate) -> bool| from.iter_days().take(100).find(|date| fits(date));
        let back = || from.checked_sub_days(Days::new(10)).and_then(|start| start.iter_days().take(10).find(fits));
        // A weekday that fits ten days back beats one that fits months ahead: an article published on the Tuesday.
        match (forward(&fits), back()) {
            (Some(ahead), Some(behind)) if (ahead - from).num_days() > 31 => Some(behind),
            (Some(ahead), _) => Some(ahead),
            (None, Some(behind)) => Some(behind),
            (None, None) => {
                let in_week = self.week.and_then(|week| week.days().find(|date| date.day() == day));
                let date = in_week.or_else(|| forward(&|date: &NaiveDate| date.day() == day))?;
                warnings.extend(mention.weekday.map(|weekday| disagreement(weekday, date)));
                Some(date)
            }
        }
    }

    fn of_weekday(&self, weekday: Weekday) -> NaiveDate {
        let week = self.week.or(self.last.map(Week::of));
        let in_week = week.and_then(|week| week.days().find(|date| date.weekday() == weekday));
        in_week.unwrap_or_else(|| {
            let ahead = (7 + weekday.num_days_from_monday() - self.published.weekday().num_days_from_monday()) % 7;
            self.published.checked_add_days(Days::new(u64::from(ahead))).unwrap_or(self.published)
        })
    }

    fn nearest(&self, dates: &[NaiveDate]) -> Option<NaiveDate> {
        let near = self.week.map_or(self.published, Week::monday);
        dates.iter().copied().min_by_key(|date| (*date - near).num_days().abs())
    }
}

/// `1er, 2 et 3 décembre`: the month is said once. `29 au 4 août`: then the first is of July.
fn spread_months(mentions: &mut [Mention]) {
    for at in (1..mentions.len()).rev() {
        let next = mentions[at];
        let this = &mut mentions[at - 1];
        if let (Some(day), None, Some(next_day), Some(month)) = (this.day, this.month, next.day, next.month) {
            this.month = Some(if day <= next_day { month } else { (month + 10) % 12 + 1 });
            this.year = next.year.map(|year| if day > next_day && month == 1 { year - 1 } else { year });
        }
    }
    for at in 1..mentions.len() {
        let before = mentions[at - 1];
        let this = &mut mentions[at];
        if let (Some(day), None, Some(day_before), Some(month)) = (this.day, this.month, before.day, before.month) {
            this.month = Some(if day >= day_before { month } else { month % 12 + 1 });
            this.year = before.year.map(|year| if day < day_before && month == 12 { year + 1 } else { year });
        }
    }
}

fn disagreement(weekday: Weekday, date: NaiveDate) -> String {
    format!(
        "L’article écrit « {} {} », mais le {} est un {}\u{a0}: date à vérifier.",
        weekday_name(weekday),
        day_and_month(date),
        long_date(date),
        weekday_name(date.weekday()),
    )
}

pub(super) fn weekday_name(weekday: Weekday) -> &'static str {
    WEEKDAYS[weekday.num_days_from_monday() as usize].0
}

pub(super) fn month_name(month: u32) -> &'static str {
    const NAMES: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    NAMES.get(month.wrapping_sub(1) as usize).copied().unwrap_or_default()
}

fn day_and_month(date: NaiveDate) -> String {
    let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{day} {}", month_name(date.month()))
}

/// `12 juillet 2027`
pub(super) fn long_date(date: NaiveDate) -> String {
    format!("{} {}", day_and_month(date), date.year())
}

/// `mardi 13`
pub(super) fn short_date(date: NaiveDate) -> String {
    let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{} {day}", weekday_name(date.weekday()))
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    fn calendar(published: &str) -> Calendar {
        Calendar { published: published.parse().unwrap(), week: None, last: None }
    }

    fn check(calendar: Calendar, text: &str, expected: &[&str]) {
        let found = date(&tokens(text), 0).unwrap_or_else(|| panic!("no date in {text:?}"));
        let dates: Vec<String> = calendar.dates(&found.what).days.iter().map(ToString::to_string).collect();
        assert_eq!(dates, expected, "{text}");
    }

    #[test]
    fn every_form_of_day_is_understood() {
        let summer = calendar("2027-07-09");
        for (text, expected) in [
            ("Lundi 12 juillet", &["2027-07-12"][..]),
            ("MARDI 13", &["2027-07-13"]),
            ("Vendredi 1er octobre", &["2027-10-01"]),
            ("14 JUILLET:", &["2027-07-14"]),
            ("Jeudi", &["2027-07-15"]),
            ("Samedi 17 et dimanche 18 juillet", &["2027-07-17", "2027-07-18"]),
            ("Les 1er, 2 et 3 décembre", &["2027-12-01", "2027-12-02", "2027-12-03"]),
            ("mercredis 14, 21 et 28 juillet", &["2027-07-14", "2027-07-21", "2027-07-28"]),
            ("Vendredi 30, samedi 31 et dimanche 1er août", &["2027-07-30", "2027-07-31", "2027-08-01"]),
            ("du vendredi 16 au dimanche 18 juillet", &["2027-07-16", "2027-07-17", "2027-07-18"]),
            ("Du 30 au 1er août", &["2027-07-30", "2027-07-31", "2027-08-01"]),
            ("16-17 juillet", &["2027-07-16", "2027-07-17"]),
            ("mardi 13/07 : visite", &["2027-07-13"]),
            ("13/07/2027", &["2027-07-13"]),
        ] {
            check(summer, text, expected);
        }
    }

    #[test]
    fn the_weekday_fixes_the_year() {
        check(calendar("2026-12-30"), "Vendredi 1er janvier", &["2027-01-01"]);
        check(calendar("2027-01-02"), "Jeudi 31 décembre", &["2026-12-31"]);
        check(
            calendar("2026-12-28"),
            "Du 30 décembre au 2 janvier",
            &["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"],
        );
        check(calendar("2027-07-09"), "Lundi 13 juillet", &["2026-07-13"]);
    }

    #[test]
    fn a_weekday_that_disagrees_is_told() {
        let found = date(&tokens("Lundi 15 juillet 2027"), 0).unwrap();
        let dates = calendar("2027-07-09").dates(&found.what);
        assert_eq!(
            dates.warnings,
            ["L’article écrit « lundi 15 juillet », mais le 15 juillet 2027 est un jeudi\u{a0}: date à vérifier."]
        );
    }

    #[test]
    fn numbers_that_are_no_days_are_left_alone() {
        for text in ["32 km du 32", "10 h 30", "10 et 5 €", "2020 Selecta", "7-77", "de 6 à 12 ans", "12 exposants"]
        {
            assert_eq!(date(&tokens(text), 0), None, "{text}");
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
