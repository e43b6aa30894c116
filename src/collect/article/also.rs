//! `Marché des créateurs, de 10 h à 18 h (également dimanche de 10 h à 17 h)`: the same thing on another day too, said in
//! brackets. The other day has all words of the line but its hours, where the brackets say others.

use super::days;
use super::hours;
use super::marks::{Meaning, marks};
use super::text::{Kind, Words};
use super::words::is_function;

/// The date of the brackets, and the bytes that tell of each of the two days.
pub(super) struct Also {
    pub(super) spec: days::Spec,
    pub(super) first: Vec<(usize, usize)>,
    pub(super) other: Vec<(usize, usize)>,
}

/// The brackets of a line that say that it takes place on another day too.
pub(super) fn also(words: &Words<'_>) -> Option<Also> {
    const LONGEST: usize = 14;
    let tokens = &words.tokens;
    let said = |at: usize| words.is(at, &["egalement", "aussi"]) && at > 0 && words.is(at - 1, &["("]);
    let lead = (1..tokens.len()).find(|at| said(*at))?;
    let open = lead - 1;
    let close = (open..tokens.len().min(open + LONGEST)).find(|at| words.is(*at, &[")"]))?;
    let date = days::date(tokens, lead + 1).filter(|date| date.to <= close)?;
    let hour = (date.to..close).find(|at| hours::time(tokens, *at).is_some());
    // Only hours stand behind the day.
    let within = |at: &usize| {
        marks(words).iter().any(|mark| (mark.from..mark.to).contains(at) && matches!(mark.meaning, Meaning::Times(_)))
    };
    let bare = (date.to..close).all(|at| {
        !matches!(tokens[at].kind, Kind::Word | Kind::Number)
            || is_function(&tokens[at])
            || within(&at)
            || words.is(at, &["memes", "meme", "horaires", "heure", "heures"])
    });
    if !bare {
        return None;
    }
    let byte = |at: usize| tokens.get(at).map_or(words.text.len(), |token| token.start);
    let outside = [(0, byte(open)), (byte(close + 1), words.text.len())];
    let mut other = Vec::new();
    let mut from = 0;
    let times = marks(words);
    let times = times.iter().filter(|mark| hour.is_some() && matches!(mark.meaning, Meaning::Times(_)));
    for (start, end) in times.filter(|mark| mark.to <= open || mark.from > close).map(|it| (it.from, it.to)) {
        let before =
            if start < open { (from, byte(start).min(byte(open))) } else { (from.max(byte(close + 1)), byte(start)) };
        other.push(before);
        from = tokens[end - 1].end;
    }
    other.push((from, byte(open).max(from)));
    if hour.is_some() {
        other.push((byte(date.to), byte(close)));
    }
    other.push((byte(close + 1).max(from), words.text.len()));
    let sound = |ranges: Vec<(usize, usize)>| ranges.into_iter().filter(|(a, b)| a < b).collect();
    Some(Also { spec: date.what, first: sound(outside.to_vec()), other: sound(other) })
}
