//! The week of an article and the days in its title, which apply to all its lines.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::calendar::Calendar;
use super::days::Spec;
use super::html::Line;
use super::lines::{DayLine, Form, LONGEST_LINE, has_number};
use super::marks::{Mark, Meaning, marks};
use super::text::Words;
use crate::domain::agenda::Week;

/// What the title and the introduction say of days.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lead {
    /// `pour ce lundi 2 août`: the one day of all that follows, where no heading names one.
    pub(super) day: Option<NaiveDate>,
    /// `les 15 et 16 septembre`: what « les deux jours » means.
    pub(super) span: Option<(NaiveDate, NaiveDate)>,
    /// `du 11 au 20 février`: more than a week, in which things recur.
    pub(super) period: Option<(NaiveDate, NaiveDate)>,
}

/// `Du 12 au 18 juillet` on its own line names the week, not a day.
pub(super) fn is_week_title(day: &DayLine, calendar: &Calendar) -> bool {
    matches!(day.spec, Spec::Range(..)) && calendar.dates(&day.spec).days.len() > 5
}

/// `Vendredi 9 juillet 2027` above the text says when it was published.
pub(super) fn is_byline(day: &DayLine, line: &Line, calendar: &Calendar) -> bool {
    let Spec::List(mentions) = &day.spec else { return false };
    let [mention] = mentions.as_slice() else { return false };
    let dates = calendar.dates(&day.spec).days;
    let words = Words::of(&line.text);
    let signed = words
        .tokens
        .iter()
        .any(|token| token.is_any(&["vues", "publie", "redaction", "lecture", "auteur", "webmaster"]));
    let near = dates.iter().all(|date| (*date - calendar.published).num_days().abs() <= 1);
    let elsewhere = calendar.week.is_none_or(|week| dates.iter().all(|date| !week.contains(*date)));
    mention.year.is_some() && near && (elsewhere || signed) && line.shape.heading == 0
}

/// The week that the title or the introduction names: `Du 12 au 18 juillet`, `semaine du 12 juillet`.
pub(super) fn named_week<'t>(texts: impl Iterator<Item = &'t str>, published: NaiveDate) -> Option<Week> {
    let calendar = Calendar { published, week: None, last: None, agreed: None, speaks_of_today: false };
    for text in texts.filter(|text| text.len() <= LONGEST_LINE) {
        let words = Words::of(text);
        for at in 0..words.tokens.len() {
            let start = if words.is(at, &["semaine"]) && words.is(at + 1, &["du"]) { at + 2 } else { at };
            let Some(found) = super::days::date(&words.tokens, start) else { continue };
            let days = calendar.dates(&found.what).days;
            let ranged = matches!(found.what, Spec::Range(..)) && (2..=9).contains(&days.len());
            if (ranged || start > at)
                && has_number(&found.what)
                && let Some(first) = days.first()
            {
                // `Du samedi 10 au dimanche 18`: the week with the most of it.
                let middle = first.checked_add_days(chrono::Days::new(days.len() as u64 / 2)).unwrap_or(*first);
                return Some(Week::of(middle));
            }
        }
    }
    None
}

/// The one day, or the few days in a row, that the title and the introduction are about.
pub(super) fn lead<'t>(
    texts: impl Iterator<Item = &'t str>,
    rest: impl Iterator<Item = &'t str>,
    calendar: &Calendar,
) -> Lead {
    /// Days of a period that an article tells of day by day.
    const PERIOD: std::ops::RangeInclusive<usize> = 8..=24;
    let mut days: Vec<NaiveDate> = Vec::new();
    let mut period = None;
    for text in texts.filter(|text| text.len() <= LONGEST_LINE) {
        let found = marks(&Words::of(text));
        // `Chaque soir à 18 h du 14 au 31 juillet` is about a thing, not about the article.
        let tells = found.iter().any(|mark| matches!(mark.meaning, Meaning::Times(_) | Meaning::Recurs(_)));
        for mark in found.iter() {
            if let Meaning::Dates(spec) = &mark.meaning
                && has_number(spec)
            {
                let dates = calendar.dates(spec).days;
                let ranges = !tells && matches!(spec, Spec::Range(..)) && PERIOD.contains(&dates.len());
                period = period.or(dates.first().copied().zip(dates.last().copied()).filter(|_| ranges));
                days.extend(dates);
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    // A chronicle with « demain » or another weekday is not about one day, whatever stands in its byline.
    let mut rest = rest.filter(|text| text.len() <= LONGEST_LINE);
    let is_other = |mark: &Mark| match &mark.meaning {
        Meaning::Dates(spec) => calendar.dates(spec).days.iter().any(|day| !days.contains(day)),
        _ => false,
    };
    let others = rest.any(|text| marks(&Words::of(text)).iter().any(is_other));
    let first_last = days.first().copied().zip(days.last().copied());
    let span = first_last.filter(|(first, last)| (1..=3).contains(&(*last - *first).num_days()));
    Lead { day: (days.len() == 1 && !others).then(|| days[0]), span, period }
}

/// The week of most of the dates with a number that the lines name, where no title names it.
pub(super) fn dated_week(lines: &[Line], published: NaiveDate) -> Option<Week> {
    let calendar = Calendar { published, week: None, last: None, agreed: None, speaks_of_today: false };
    let mut counts: BTreeMap<Week, usize> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.text.len() <= LONGEST_LINE) {
        for mark in marks(&Words::of(&line.text)).iter() {
            if let Meaning::Dates(spec) = &mark.meaning
                && has_number(spec)
                && matches!(spec, Spec::List(_))
            {
                for day in calendar.dates(spec).days {
                    *counts.entry(Week::of(day)).or_default() += 1;
                }
            }
        }
    }
    let all: usize = counts.values().sum();
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .filter(|(_, count)| *count >= 2 && count * 2 > all)
        .map(|(week, _)| week)
}

/// The week in which most headings agree with themselves, weekday and date.
pub(super) fn agreed_week(days: &[Option<DayLine>], calendar: &Calendar) -> Option<Week> {
    let mut agree: BTreeMap<Week, usize> = BTreeMap::new();
    let mut all = 0;
    for day in days.iter().flatten().filter(|day| day.form != Form::Inside) {
        let Spec::List(mentions) = &day.spec else { continue };
        if !mentions.iter().all(|mention| mention.weekday.is_some() && mention.day.is_some()) {
            continue;
        }
        let dates = calendar.dates(&day.spec);
        if let (true, Some(first)) = (dates.warnings.is_empty(), dates.days.first()) {
            all += 1;
            *agree.entry(Week::of(*first)).or_default() += 1;
        }
    }
    agree.into_iter().max_by_key(|(_, count)| *count).filter(|(_, count)| count * 2 >= all).map(|(week, _)| week)
}

/// The week that has the most of the days; of two alike, the one expected, else the earlier.
pub(super) fn week_of(days: impl Iterator<Item = NaiveDate>, expected: Option<Week>) -> Option<Week> {
    let mut counts: BTreeMap<Week, std::collections::BTreeSet<NaiveDate>> = BTreeMap::new();
    for day in days {
        counts.entry(Week::of(day)).or_default().insert(day);
    }
    counts
        .into_iter()
        .max_by_key(|(week, days)| (days.len(), Some(*week) == expected, std::cmp::Reverse(*week)))
        .map(|(week, _)| week)
}
