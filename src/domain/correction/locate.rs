//! Finds the line that a correction is about in a new reading.

use super::{Anchor, Correction, Placement, Section};
use crate::domain::agenda::{Agenda, Event, Item};
use crate::domain::french::folded;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

/// A line of a reading.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    pub section: Section,
    pub item: &'a Item,
    /// Of [`Section::Daily`]: on which days.
    pub days: &'a [NaiveDate],
    /// [`folded`] words.
    pub(super) words: String,
}

/// Every line of a reading, in its order: days, several days, exhibitions, what has no day.
pub fn lines(agenda: &Agenda) -> Vec<Line<'_>> {
    fn line<'a>(section: Section, item: &'a Item, days: &'a [NaiveDate]) -> Line<'a> {
        Line { section, item, days, words: folded(&item.text) }
    }
    let days = agenda.days.iter().flat_map(|day| day.items.iter().map(|item| line(Section::Day(day.date), item, &[])));
    let daily = agenda.daily.iter().map(|daily| line(Section::Daily, &daily.item, &daily.days));
    let lasting = agenda.exhibitions.iter().map(|item| line(Section::Exhibitions, item, &[]));
    let unplaced = agenda.unplaced.iter().map(|item| line(Section::Unplaced, item, &[]));
    days.chain(daily).chain(lasting).chain(unplaced).collect()
}

/// The anchor of an event of a line. `at`: its index in `lines`; `event`: 0 for a line that was not understood.
pub fn anchor_of(lines: &[Line<'_>], at: usize, event: usize) -> Anchor {
    let it = &lines[at];
    let equal = |line: &Line<'_>| line.words == it.words;
    let here: Vec<usize> = (0..lines.len()).filter(|&n| lines[n].section == it.section && equal(&lines[n])).collect();
    let similar: HashSet<&str> =
        lines.iter().filter(|line| !equal(line) && alike(&line.words, &it.words)).map(|line| &*line.words).collect();
    let mut similar: Vec<String> = similar.into_iter().map(str::to_owned).collect();
    similar.sort();
    Anchor {
        section: it.section,
        line: it.item.text.clone(),
        nth: here.iter().position(|&n| n == at).unwrap_or_default(),
        of: here.len(),
        elsewhere: lines.iter().filter(|line| equal(line)).count() - here.len(),
        similar,
        event,
        events: it.item.events.len(),
    }
}

/// The [`Anchor::name`] of an event of a line. `at`: its index in `lines`.
pub fn name_at(lines: &[Line<'_>], at: usize, event: usize) -> String {
    let it = &lines[at];
    let nth = lines[..at].iter().filter(|line| line.section == it.section && line.words == it.words).count();
    name_of(it.section, &it.words, nth, event)
}

/// The line and the event that have this [`Anchor::name`]; the event is 0 for a line that was not understood.
pub fn named(lines: &[Line<'_>], name: &str) -> Option<(usize, usize)> {
    let mut equals: HashMap<(Section, &str), usize> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let nth = equals.entry((line.section, &line.words)).or_default();
        for event in 0..line.item.events.len().max(1) {
            if name_of(line.section, &line.words, *nth, event) == name {
                return Some((at, event));
            }
        }
        *nth += 1;
    }
    None
}

/// `words`: folded.
pub(super) fn name_of(section: Section, words: &str, nth: usize, event: usize) -> String {
    // FNV-1a: the same in every version of the program.
    let hash = words.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{section}.{hash:08x}.{nth}.{event}")
}

/// What became of the line of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Unchanged, at this index.
    Here(usize),
    /// The article itself says now what the correction says, or the line disappeared as was wanted.
    Absorbed,
    /// It changed into the line at this index, and does not say what the correction says.
    Changed(usize),
    Gone,
}

/// `taken`: whether a line is another correction's.
pub(super) fn locate(lines: &[Line<'_>], it: &Correction, taken: impl Fn(&Line<'_>) -> bool) -> Found {
    let (anchor, words) = (&it.anchor, folded(&it.anchor.line));
    let said = |n: usize| {
        let empty = [Event::default()];
        let events = if lines[n].item.events.is_empty() { &empty[..] } else { &lines[n].item.events };
        // Of several events the one in its place.
        match events {
            [only] => it.patch.is_said_by(lines[n].section, only),
            several => several.get(anchor.event).is_some_and(|event| it.patch.is_said_by(lines[n].section, event)),
        }
    };
    let equal = |section: bool| {
        let all = (0..lines.len()).filter(|&n| lines[n].words == words);
        all.filter(|&n| (lines[n].section == anchor.section) == section).collect::<Vec<_>>()
    };
    let here = equal(true);
    if here.len() == anchor.of && anchor.nth < here.len() {
        let at = here[anchor.nth];
        // Another number of events: which of them is meant is not known.
        return if lines[at].item.events.len() == anchor.events {
            match lines[at].item.events.get(anchor.event) {
                Some(event) if it.patch.is_said_by(anchor.section, event) => Found::Absorbed,
                _ => Found::Here(at),
            }
        } else {
            judged(at, said)
        };
    }
    if let Some(&at) = here.first() {
        return Found::Changed(at);
    }
    let elsewhere = equal(false);
    if elsewhere.len() > anchor.elsewhere {
        // Several in the same words are one announcement for a reader.
        let nearest = elsewhere.iter().copied().find(|&n| said(n)).unwrap_or(elsewhere[0]);
        return judged(nearest, said);
    }
    let known: HashSet<&str> = anchor.similar.iter().map(String::as_str).collect();
    let mut candidates: Vec<usize> = (0..lines.len())
        .filter(|&n| {
            let line = &lines[n];
            line.words != words && alike(&line.words, &words) && !known.contains(&*line.words) && !taken(line)
        })
        .collect();
    // The nearest first; of equals the one of the same section.
    candidates.sort_by_key(|&n| {
        let line = &lines[n];
        (std::cmp::Reverse(likeness(&line.words, &words)), line.section != anchor.section, n)
    });
    match candidates.first() {
        Some(&nearest) => judged(nearest, said),
        None if it.patch.placement == Some(Placement::Hidden) => Found::Absorbed,
        None => Found::Gone,
    }
}

/// Only the nearest line counts: another one that happens to say the same is another announcement.
fn judged(nearest: usize, said: impl Fn(usize) -> bool) -> Found {
    if said(nearest) { Found::Absorbed } else { Found::Changed(nearest) }
}

/// Shared words of two folded texts, in thousandths of all (Dice).
fn likeness(a: &str, b: &str) -> usize {
    let mut of_b: Vec<&str> = b.split(' ').collect();
    let total = a.split(' ').count() + of_b.len();
    let shared = a
        .split(' ')
        .filter(|word| of_b.iter().position(|it| it == word).map(|n| of_b.swap_remove(n)).is_some())
        .count();
    2000 * shared / total
}

/// Two wordings of one announcement, as far as words can tell: half of them are the same.
fn alike(a: &str, b: &str) -> bool {
    likeness(a, b) >= 500
}
