//! Surveys the form of the whole article before its lines are read: which lines have dates, which are towns.

use std::collections::HashSet;

use super::super::communes;
use super::super::days::Spec;
use super::super::html::Line;
use super::super::lines::{
    DayLine, Form, LONGEST_LINE, Section, footer, has_number, is_lone_bullet, look, section, without_bullet,
};
use super::super::marks::{Meaning, marks};
use super::super::sentences::Role;
use super::super::text::{Kind, Words};
use super::super::towns::lone_name;
use super::{Facts, says_today};

/// A line that dates itself and tells something.
pub(super) fn is_dated_item(line: &Line, facts: Facts) -> bool {
    let times = facts.timing;
    line.shape.heading == 0
        && (line.bullet || line.in_list || without_bullet(&line.text).1 || times.says)
        && (facts.says_date || (days_of_the_week(&line.text) || says_today(&line.text)) && times.says)
        && facts.role == Role::Tells
}

/// Names alone on a line that order the article by town: each has a line with an hour or a bullet below it, and there
/// are several, or the name is that of a commune.
pub(super) fn lone_towns(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> HashSet<usize> {
    let found: Vec<usize> = (0..lines.len().saturating_sub(1))
        .filter(|at| {
            let (line, next) = (&lines[*at], &lines[at + 1]);
            !line.bullet
                && read[*at].is_none()
                && lone_name(line).is_some()
                && read[at + 1].as_ref().is_none_or(|day| day.form != Form::Heading)
                && (facts[at + 1].timing.says || next.bullet || without_bullet(&next.text).1)
        })
        .collect();
    let known = |at: &usize| matches!(section(&lines[*at]), Some(Section::Town(_)));
    let several = found.len() >= 2 && found.iter().all(|at| look(&lines[*at]).0 == look(&lines[found[0]]).0);
    found.into_iter().filter(|at| several || known(at)).collect()
}

/// Whether the lines with a bullet are titles, and what stands between them is text: `► Bal | 21 h`, then a sentence.
pub(super) fn bullets_are_titles(lines: &[Line], read: &[Option<DayLine>]) -> bool {
    let signed = |line: &Line| line.bullet || without_bullet(&line.text).1;
    let titles = (0..lines.len()).filter(|at| signed(&lines[*at]) && !is_lone_bullet(&lines[*at].text)).count();
    let followed = lines
        .windows(2)
        .zip(read.windows(2))
        .filter(|(pair, days)| {
            signed(&pair[0])
                && !is_lone_bullet(&pair[0].text)
                && !signed(&pair[1])
                && days[1].is_none()
                && pair[1].shape.heading == 0
                && !pair[1].in_list
                && footer(&pair[1]).is_none()
        })
        .count();
    titles >= 1 && followed * 5 >= titles * 2
}

/// `FÊTE VOTIVE DE PRAYSSAC` above its days: the town of all that follows.
/// And the number of the line with its first day.
pub(super) fn town_of_a_feast(
    lines: &[Line],
    read: &[Option<DayLine>],
    facts: &[Facts],
    at: usize,
) -> Option<(String, usize)> {
    const LONGEST: usize = 60;
    /// Lines between a heading and the first day that may introduce the feast.
    const MOST_BETWEEN: usize = 3;
    const FEASTS: [&str; 10] =
        ["fete", "fetes", "frairie", "foire", "festival", "ducasse", "kermesse", "vogue", "carnaval", "medievales"];
    let line = &lines[at];
    let is_day = |at: &usize| read[*at].as_ref().is_some_and(|day| day.form != Form::Inside);
    let introduces =
        |at: &usize| line.shape.heading > 0 && lines[*at].shape.heading == 0 && !facts[*at].timing.says && !is_day(at);
    let stands_out = look(line).1 || line.shape.stands_out();
    if !stands_out || line.text.len() > LONGEST || line.bullet {
        return None;
    }
    let below = at + 1..lines.len().min(at + 2 + MOST_BETWEEN);
    let first_day = below.clone().find(|at| !introduces(at)).filter(is_day)?;
    let words = Words::of(&line.text);
    let feast = words.tokens.iter().position(|token| token.is_any(&FEASTS))?;
    let of = (feast + 1..words.tokens.len()).find(|at| words.is(*at, &["de", "d'", "a"]))?;
    let (town, to) = communes::written(&words, of + 1)?;
    words.tokens[to..].iter().all(|token| token.kind == Kind::Sign).then_some((town, first_day))
}

/// `GRAND AIR` above `Mer. 22/09, 14 h…`: a heading that ends the exhibitions.
pub(super) fn heads_dated_lines(lines: &[Line], read: &[Option<DayLine>], at: usize) -> bool {
    let numbered = |day: &DayLine| has_number(&day.spec) && matches!(day.spec, Spec::List(_));
    let dated = read.get(at + 1).is_some_and(|day| day.as_ref().is_some_and(numbered));
    lines[at].shape.heading > 0 && dated && section(&lines[at]).is_none()
}

pub(super) fn days_of_the_week(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Dates(_) | Meaning::Recurs(_)))
}
