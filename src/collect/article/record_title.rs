//! The title of an item made of fields: the words of its field without hours, prices and states.

use super::draft::Draft;
use super::marks::Meaning;
use super::names::begins_at;
use super::parts::Marked;
use super::record::{Field, trimmed_field};
use super::text::{Kind, one_spaced, trimmed};
use super::titles;
use super::words::{AUXILIARY, DETAILS, SERVICES, is_function};

/// The title's words without its hours, prices and states; and what was left of its field.
pub(super) fn title(marked: &Marked<'_, '_>, field: &Field, draft: &Draft<'_, '_, '_>) -> (String, Option<String>) {
    let words = marked.words;
    let tokens = &words.tokens;
    let cut = |at: usize| {
        marked.marks.iter().any(|mark| {
            mark.from <= at
                && at < mark.to
                && matches!(mark.meaning, Meaning::Times(_) | Meaning::Price | Meaning::Phone(_) | Meaning::Status(_))
                && !matches!(&mark.meaning, Meaning::Times(times) if times.slots.is_empty() && times.end.is_none() && !draft.slots.is_empty())
        })
    };
    let timed =
        |at: usize| marked.marks.iter().any(|mark| mark.from == at && matches!(mark.meaning, Meaning::Times(_)));
    // `Bourse aux vélos (dépôt le samedi de 14 h à 17 h)`: a bracket that says when is a note.
    let bracket = (field.from + 1..field.to).find(|at| words.is(*at, &["("])).filter(|open| {
        !begins_at(words, field.from) && (*open..field.to).take_while(|at| !words.is(*at, &[")"])).any(timed)
    });
    // `Rando du Cap Blanc RDV au parking`: where one meets is no part of the name.
    let meets = (field.from + 1..field.to).find(|at| words.is(*at, &["rdv", "rv"]));
    let meets = meets.filter(|_| !begins_at(words, field.from));
    let bracketed = |at: usize| bracket.is_some_and(|open| at >= open) || meets.is_some_and(|meets| at >= meets);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut from = None;
    for at in field.from..=field.to {
        let ends = at == field.to || cut(at) || bracketed(at) && from.is_some_and(|first| !bracketed(first));
        match (ends, from) {
            (false, None) => from = Some(at),
            (true, Some(first)) => {
                if (first..at)
                    .any(|i| tokens[i].kind == Kind::Word && !is_function(&tokens[i]) && !tokens[i].is_any(DETAILS))
                {
                    runs.push((first, at));
                }
                from = None;
            }
            _ => {}
        }
    }
    let Some(&(first, to)) = runs.first() else { return (String::new(), None) };
    // `Bal à Jégun, navette à 17 h 30`: what leads to another hour is a note.
    let comma = (first + 1..to).rev().find(|at| words.is(*at, &[","])).filter(|comma| {
        let begins = (comma + 1..to).find(|at| tokens[*at].kind == Kind::Word && !is_function(&tokens[*at]));
        timed(to) && begins.is_some_and(|at| words.is(at, AUXILIARY) || words.is(at, SERVICES))
    });
    let behind = comma.map(|comma| {
        let used = |index: usize| draft.part.times.contains(&index);
        let mark = marked.marks.iter().enumerate().find(|(_, mark)| mark.from == to);
        let end = mark.filter(|(index, _)| !used(*index)).map_or(to, |(_, mark)| mark.to);
        one_spaced(trimmed(words.slice(comma + 1, end)))
    });
    let to = comma.unwrap_or(to);
    let left =
        runs.iter().skip(1).map(|(a, b)| one_spaced(trimmed(words.slice(*a, *b)))).filter(|text| !text.is_empty());
    let left: Vec<String> = behind.into_iter().chain(left).collect();
    let shown = titles::shown(trimmed_field(words.slice(first, to)));
    (shown.text, (!left.is_empty()).then(|| left.join(" · ")))
}
