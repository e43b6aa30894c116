//! Days named by another day: `le lendemain`, `la veille`, `le surlendemain`, `le même jour`.
//!
//! They count from the last day that was named itself, and only at the head of a clause or beside an hour: `réserver la
//! veille` is about booking, `la veille de la fête` about another event.

use chrono::{Days, NaiveDate};

use super::days;
use super::hours;
use super::text::{Kind, Words};
use super::when::When;

/// A relation at some token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relation {
    /// Days from the day it counts from.
    pub(super) offset: i64,
    pub(super) to: usize,
}

/// The relation that begins at `at`, in the sentence that begins at `from`.
pub(super) fn relation(words: &Words<'_>, from: usize, at: usize) -> Option<Relation> {
    const FORMS: [(&[&str], i64); 7] = [
        (&["le", "meme", "jour"], 0),
        (&["ce", "meme", "jour"], 0),
        (&["les", "memes", "jours"], 0),
        (&["le", "lendemain"], 1),
        (&["le", "surlendemain"], 2),
        (&["la", "veille"], -1),
        (&["l'", "avant-veille"], -2),
    ];
    // Most words begin no relation.
    if !words.is(at, &["le", "la", "l'", "ce", "les"]) {
        return None;
    }
    let (form, offset) =
        FORMS.iter().find(|(form, _)| form.iter().enumerate().all(|(i, word)| words.is(at + i, &[word])))?;
    let to = at + form.len();
    // `le même jour que la foire`
    if *offset == 0 && words.is(to, &["que", "qu'"]) {
        return None;
    }
    // `le lendemain de la fête`, but `le lendemain de 8 h à 17 h`
    if words.is(to, &["de", "du", "des", "d'", "ou"]) && hours::time(&words.tokens, to).is_none() {
        return None;
    }
    let heads_clause = at == from
        || words.tokens[at - 1].kind != Kind::Word && !words.is(at - 1, &["("])
        || words.is(at - 1, &["et", "puis", "mais", "des", "enfin"]);
    let hour_near = (to..words.tokens.len().min(to + 4)).any(|i| hours::time(&words.tokens, i).is_some());
    let books = words.tokens[from..at].iter().any(|token| {
        ["reserv", "inscri", "command", "billet", "retir"].iter().any(|stem| token.fold.starts_with(stem))
    });
    // `celui de Kaysersberg les mêmes jours de 10 h à 20 h`: of this one, beside the one named before.
    let beside_hour = hour_near && *offset != 0;
    ((heads_clause || beside_hour) && !books).then_some(Relation { offset: *offset, to })
}

impl Relation {
    /// The days it means. `named`: the last days named themselves; `before`: those of the sentence before. A second `le
    /// lendemain` in a row counts from the first, but behind `la veille` it is the day after the one named.
    pub(super) fn days(&self, named: &When, before: &When) -> Option<Vec<NaiveDate>> {
        let of = |when: &When| match when {
            When::Days(days) if !days.is_empty() => Some(days.clone()),
            _ => None,
        };
        let from = match self.offset {
            // All of them: `les mêmes jours`.
            0 => return of(before).or_else(|| of(named)),
            1 => of(before).into_iter().chain(of(named)).max_by_key(|days| days.last().copied())?,
            _ => of(named).or_else(|| of(before))?,
        };
        let (first, last) = (*from.first()?, *from.last()?);
        let day = match self.offset {
            ahead @ 0.. => last.checked_add_days(Days::new(ahead.unsigned_abs())),
            back => first.checked_sub_days(Days::new(back.unsigned_abs())),
        };
        day.map(|day| vec![day])
    }
}

/// `la veille au soir, vendredi,`: where a day stands beside the relation and says it again.
pub(super) fn apposed(words: &Words<'_>, to: usize, end: usize) -> Option<usize> {
    const FAR: usize = 5;
    let mut at = to;
    while at < end.min(to + FAR) {
        let tokens = &words.tokens[..end];
        if days::weekday(&tokens[at]).is_some() || words.is(at, &["le"]) && days::date(tokens, at).is_some() {
            return Some(at);
        }
        let between = words.tokens[at].kind == Kind::Sign
            || words.is(at, &["au", "soir", "matin", "apres-midi", "soit", "donc", "le", "c'", "est-a-dire"]);
        if !between {
            return None;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> Option<i64> {
        let words = Words::of(text);
        (0..words.tokens.len()).find_map(|at| relation(&words, 0, at)).map(|relation| relation.offset)
    }

    #[test]
    fn a_relation_is_a_day_at_the_head_of_a_clause_or_beside_an_hour() {
        for (text, expected) in [
            ("Le lendemain, bal", Some(1)),
            ("Le surlendemain : loto à 15 h", Some(2)),
            ("La veille au soir, cinéma", Some(-1)),
            ("L’avant-veille, répétition", Some(-2)),
            ("redit le lendemain à 10 h", Some(1)),
            ("Le lendemain de 8 h à 17 h, brocante", Some(1)),
            ("repas à réserver la veille avant midi", None),
            ("la veille de la fête, bal", None),
            ("Le même jour, bal", Some(0)),
            ("Les mêmes jours : loto à 15 h", Some(0)),
            ("le même jour que la foire", None),
            ("celui de Pavie les mêmes jours de 10 h à 20 h", None),
            ("le même public, jour et nuit", None),
            ("on s’en souvient le lendemain", None),
            ("repas (la veille au plus tard)", None),
        ] {
            assert_eq!(offset(text), expected, "{text}");
        }
    }
}
