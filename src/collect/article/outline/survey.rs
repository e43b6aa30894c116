//! Surveys the form of the whole article before its lines are read: which lines have dates, which are towns.

use std::collections::HashSet;

use super::super::days;
use super::super::html::Line;
use super::super::lines::{
    DayLine, Form, LONGEST_LINE, Section, footer, is_lone_bullet, look, section, without_bullet,
};
use super::super::marks::{Meaning, marks};
use super::super::sentences::Role;
use super::super::text::Words;
use super::super::towns::lone_name;
use super::{Facts, says_today};

/// The row of a table whose cells are days.
pub(super) fn is_grid_header(line: &Line) -> bool {
    let days = line.text.split('\n').filter(|cell| {
        let words = Words::of(cell);
        days::date(&words.tokens, 0).is_some_and(|date| date.to + 1 >= words.tokens.len())
    });
    line.cells.len() >= 3 && days.count() >= 3
}

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

pub(super) fn days_of_the_week(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Dates(_) | Meaning::Recurs(_)))
}
