//! `Marché des créateurs, de 10 h à 18 h (également dimanche de 10 h à 17 h)`: the same thing on other days too, said in
//! brackets. Another day has all words of the line but its hours, where the brackets say others.

use super::days;
use super::hours;
use super::marks::{Meaning, marks};
use super::text::{Kind, Words};
use super::words::is_function;

/// Bytes of the line.
type Ranges = Vec<(usize, usize)>;

pub(super) struct Also {
    /// What tells of the day that the line stands under.
    pub(super) first: Ranges,
    /// The dates of the brackets, and what tells of each.
    pub(super) others: Vec<(days::Spec, Ranges)>,
}

/// The brackets of a line that say that it takes place on other days too, and nothing else.
pub(super) fn also(words: &Words<'_>) -> Option<Also> {
    const LONGEST: usize = 30;
    let tokens = &words.tokens;
    let said = |at: &usize| words.is(*at, &["egalement", "aussi"]) && words.is(at - 1, &["("]);
    let lead = (1..tokens.len()).find(said)?;
    let open = lead - 1;
    let close = (open..tokens.len().min(open + LONGEST)).find(|at| words.is(*at, &[")"]))?;
    let known = marks(words);
    let is_time = |at: usize| {
        known.iter().any(|mark| (mark.from..mark.to).contains(&at) && matches!(mark.meaning, Meaning::Times(_)))
    };
    // Each date, and the hours behind it.
    let mut found: Vec<(days::Spec, usize, usize)> = Vec::new();
    let mut at = lead + 1;
    while at < close {
        if let Some(date) = days::date(tokens, at).filter(|date| date.to <= close) {
            if let Some(last) = found.last_mut() {
                last.2 = at;
            }
            found.push((date.what, date.to, close));
            at = date.to;
            continue;
        }
        let other = matches!(tokens[at].kind, Kind::Word | Kind::Number)
            && !is_function(&tokens[at])
            && !is_time(at)
            && !words.is(at, &["memes", "meme", "horaires", "heure", "heures"]);
        if other || found.is_empty() && !is_function(&tokens[at]) {
            return None;
        }
        at += 1;
    }
    let byte = |at: usize| tokens.get(at).map_or(words.text.len(), |token| token.start);
    let sound = |ranges: Ranges| -> Ranges { ranges.into_iter().filter(|(a, b)| a < b).collect() };
    let outside = vec![(0, byte(open)), (byte(close + 1), words.text.len())];
    // The line without its hours.
    let times = || known.iter().filter(|mark| matches!(mark.meaning, Meaning::Times(_)));
    let untimed = |from: usize, to: usize| {
        let mut out = Vec::new();
        let mut start = byte(from);
        for mark in times().filter(|mark| from <= mark.from && mark.to <= to) {
            out.push((start, byte(mark.from)));
            start = tokens[mark.to - 1].end;
        }
        out.push((start, byte(to)));
        out
    };
    let others = found.into_iter().map(|(spec, from, to)| {
        let timed = (from..to).any(|at| hours::time(&tokens[..to], at).is_some());
        let own = [untimed(0, open), vec![(byte(from), byte(to))], untimed(close + 1, tokens.len())].concat();
        (spec, sound(if timed { own } else { outside.clone() }))
    });
    let others: Vec<_> = others.collect();
    (!others.is_empty()).then(|| Also { first: sound(outside.clone()), others })
}
