//! Lines that were broken because a page was full, as in text copied from a PDF: one line again.
//!
//! A line of such a text could not have held the first word of the next one, and does not end with a sentence.

use super::days;
use super::html::{Line, Page};
use super::text::Words;
use super::words::is_function;

/// Fewer broken lines may be chance.
const LEAST: usize = 3;

pub(super) fn join(page: &mut Page) {
    let lines = page.lines();
    let beside = |pair: &[Line]| {
        let plain = |line: &Line| line.shape.heading == 0 && !line.bullet && line.cells.is_empty();
        plain(&pair[0]) && plain(&pair[1]) && pair[0].block == pair[1].block
    };
    let width = lines.windows(2).filter(|pair| beside(pair)).map(|pair| characters(&pair[0].text)).max().unwrap_or(0);
    let goes_on: Vec<bool> =
        lines.windows(2).map(|pair| beside(pair) && breaks(&pair[0].text, &pair[1].text, width)).collect();
    if goes_on.iter().filter(|on| **on).count() < LEAST {
        return;
    }
    for (line, on) in page.lines_mut().iter_mut().skip(1).zip(goes_on) {
        line.goes_on = on;
    }
    page.join(" ", |_, next| next.goes_on);
    page.lines_mut().iter_mut().for_each(|line| line.goes_on = false);
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Whether the second text goes on where the first had no more room.
fn breaks(text: &str, next: &str, width: usize) -> bool {
    /// Narrower columns are lists, wider ones no page.
    const WIDTHS: std::ops::RangeInclusive<usize> = 50..=130;
    /// Letters are not equally wide.
    const SLACK: usize = 6;
    const LONGEST: usize = 1000;
    let word = next.split(' ').next().map_or(0, characters);
    if text.len() > LONGEST || !WIDTHS.contains(&width) || characters(text) + 1 + word + SLACK <= width {
        return false;
    }
    let words = Words::of(text);
    let Some(last) = words.tokens.last() else { return false };
    let first = next.chars().next().unwrap_or(' ');
    let hangs = is_function(last) || last.is_any(&[",", "(", "-", "«", "les", "des", "du", "de", "ses", "son", "sa"]);
    let ended = last.is_any(&[".", "!", "?", "…", ";"]) && !opens(text);
    let begins_a_day = days::date(&Words::of(next).tokens, 0).is_some() && first.is_uppercase();
    !begins_a_day && (hangs || !ended && (first.is_lowercase() || opens(text)))
}

/// Whether a bracket or a quotation is open at its end.
fn opens(text: &str) -> bool {
    let more = |open: char, close: char| text.matches(open).count() > text.matches(close).count();
    more('(', ')') || more('«', '»')
}
