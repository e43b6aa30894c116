//! The hours of an item made of fields: those of its event, and those of what its text tells beside it.

use chrono::NaiveTime;

use super::flaw::flaw;
use super::marks::Meaning;
use super::names::begins_at;
use super::parts::Marked;
use super::place_field::place_field;
use super::places::{Place, Reader};
use super::record::{Field, Sort, names_a_thing, says_when};
use super::text::Kind;
use super::titles;
use super::words::{AUXILIARY, is_event_noun, is_venue};

/// What the text of a card tells of beside its event.
pub(super) struct Beside {
    pub(super) title: String,
    pub(super) start: NaiveTime,
    pub(super) place: Option<Place>,
}

/// Where the title of `11 h-19 h | Marché de Noël, animations musicales à 14 h et 17 h` ends: what stands behind its comma has hours of
/// its own, and is not the event of the hours `used`.
pub(super) fn title_to(marked: &Marked<'_, '_>, title: &Field, used: &[usize]) -> Option<usize> {
    let words = marked.words;
    let of_field = |mark: &super::marks::Mark| title.from <= mark.from && mark.to <= title.to;
    if used.is_empty() || used.iter().any(|mark| of_field(&marked.marks[*mark])) {
        return None;
    }
    let timed = |mark: &&super::marks::Mark| {
        matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty() && times.slots.iter().all(|slot| slot.end.is_none()))
            && of_field(mark)
            && !marked.enclosed[mark.from]
    };
    let mark = marked.marks.iter().find(timed)?;
    let comma = (title.from + 1..mark.from).rev().find(|at| marked.is_boundary(*at))?;
    let what = (comma + 1..mark.from).find(|at| marked.is_content(*at))?;
    let named = is_event_noun(&words.tokens[what]) && !is_venue(&words.tokens[what]) && !words.is(what, AUXILIARY);
    (named && words.is(comma, &[","])).then_some(comma)
}

/// `Dégustation de la tarte à 16 h 30.`, `…, puis baleti à 17 h` in the text of a card that has its hours elsewhere: short
/// clauses that say what and when, and no more.
pub(super) fn told_beside(marked: &Marked<'_, '_>, field: &Field, used: &[usize]) -> Vec<Beside> {
    const MOST_WORDS: usize = 8;
    let words = marked.words;
    let mut out = Vec::new();
    for (index, mark) in marked.marks.iter().enumerate() {
        let Meaning::Times(times) = &mark.meaning else { continue };
        if times.slots.is_empty()
            || mark.from < field.from
            || mark.to > field.to
            || used.contains(&index)
            || marked.quiet[mark.from]
            || marked.enclosed[mark.from]
        {
            continue;
        }
        let begins = |at: &usize| marked.is_boundary(*at) || words.is(*at, &["puis", "\n"]);
        let before = (field.from..mark.from).rev().find(begins);
        let from = before.map_or(field.from, |at| at + 1);
        // `Repas du midi` is no hour.
        let figures = words.tokens[mark.from..mark.to].iter().any(|token| token.kind == Kind::Number);
        // `concert à 20 h en l'abbatiale`, `animations à 14 h et 17 h avec la fanfare`
        let reader = Reader { words, end: field.to, titled: true, after_mark: true, in_commune: false };
        let end = (mark.to..field.to).find(|at| marked.is_boundary(*at)).unwrap_or(field.to);
        let named = || place_field(words, mark.to, end).filter(|_| mark.to < end);
        let place = reader.place(mark.to).filter(|place| place.to > mark.to).or_else(named);
        let place = place.filter(|_| mark.to < field.to);
        let to = place.as_ref().map_or(mark.to, |place| place.to);
        let closed = figures && (to >= field.to || marked.is_boundary(to) || words.is(to, &["avec"]));
        let clause = from..mark.from;
        let marked_within = marked.marks.iter().any(|it| it.from >= from && it.to <= mark.from);
        let Some(first) = clause.clone().find(|at| marked.is_content(*at)) else { continue };
        let follows = before.is_some_and(|at| words.is(at, &["puis"]));
        let what =
            is_event_noun(&words.tokens[first]) && !words.is(first, AUXILIARY) && !is_venue(&words.tokens[first]);
        let title = titles::shown(words.slice(from, mark.from)).text;
        let sound = flaw(&title).is_none() || follows && !words.is(first, AUXILIARY) && clause.len() <= 2;
        if closed
            && !marked_within
            && (what || follows)
            && sound
            && clause.len() <= MOST_WORDS
            && times.slots.iter().all(|slot| slot.end.is_none())
        {
            out.extend(times.slots.iter().map(|slot| Beside {
                title: title.clone(),
                start: slot.start,
                place: place.clone(),
            }));
        }
    }
    out
}

/// The marks with the hours of the event; `None` where several events have hours of their own.
pub(super) fn times(marked: &Marked<'_, '_>, fields: &[Field], title: &Field) -> Option<Vec<usize>> {
    let of = |field: &Field| -> Vec<usize> {
        (0..marked.marks.len())
            .filter(|mark| {
                let mark = &marked.marks[*mark];
                mark.from >= field.from
                    && mark.to <= field.to
                    && !marked.quiet[mark.from]
                    && matches!(&mark.meaning, Meaning::Times(times) if times.end.is_none())
            })
            .collect()
    };
    let timed = |mark: &usize| matches!(&marked.marks[*mark].meaning, Meaning::Times(times) if !times.slots.is_empty());
    // `Vide-greniers 7 h-17 h | Bal à 21 h`: each field tells its own event.
    let tells = |field: &Field| {
        let noun = &marked.words.tokens[field.from];
        matches!(field.sort, Sort::Text | Sort::Practical)
            && field.from != title.from
            && names_a_thing(noun)
            && of(field).iter().any(timed)
    };
    if of(title).iter().any(timed) && fields.iter().any(tells) {
        return None;
    }
    // `Heure : 11 h (rassemblement à 10 h 45)`, `Horaires : toute la journée`: the field with that name says when.
    let labelled = |field: &&Field| says_when(marked.words, field.from);
    if let Some(field) = fields.iter().find(labelled) {
        let found: Vec<usize> =
            of(field).into_iter().filter(|mark| !marked.enclosed[marked.marks[*mark].from]).collect();
        // `Heure : 10 h départ du 10 km, 11 h 15 course des enfants`: an hour with its own event.
        let tells = |mark: &usize| {
            let behind = marked.marks[*mark].to..field.to;
            let clause = behind.take_while(|at| !marked.is_boundary(*at));
            clause.into_iter().any(|at| is_event_noun(&marked.words.tokens[at]) && !marked.words.is(at, &["fetes"]))
        };
        if found.iter().skip(1).any(tells) {
            return None;
        }
        if !found.is_empty() && one_list(marked, &found) {
            return Some(found);
        }
    }
    let ranges = |found: &[usize]| {
        let range = |mark: &usize| matches!(&marked.marks[*mark].meaning, Meaning::Times(times) if !times.slots.is_empty() && times.slots.iter().all(|slot| slot.end.is_some()));
        !found.is_empty() && found.iter().all(range)
    };
    for sort in [Sort::Time, Sort::Practical] {
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| field.sort == sort) {
            let mut found = of(field);
            // `De 10 h à 12 h` above `De 14 h à 17 h`
            let next = fields.get(index + 1).filter(|next| next.sort == Sort::Time && sort == Sort::Time).map(of);
            if let Some(next) = next.filter(|next| ranges(&found) && ranges(next)) {
                found.extend(next);
                return Some(found);
            }
            if found.iter().any(timed) {
                return Some(best(marked, field, found));
            }
        }
    }
    let own = of(title);
    if own.iter().any(timed) {
        return (own.iter().filter(|mark| timed(mark)).count() == 1 || fields.len() > 1 && one_list(marked, &own))
            .then_some(own);
    }
    let later: Vec<(usize, Vec<usize>)> = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.sort == Sort::Text && field.from != title.from)
        .map(|(index, field)| (index, of(field)))
        .filter(|(_, found)| found.iter().any(timed))
        .collect();
    match later.as_slice() {
        [] => Some(
            fields.iter().filter(|field| matches!(field.sort, Sort::Time | Sort::Text)).flat_map(of).take(1).collect(),
        ),
        [(_, found)] if found.iter().filter(|mark| timed(mark)).count() == 1 => Some(found.clone()),
        [(field, found)] if begins_at(marked.words, title.from) => {
            // `de 13 h 30 à 17 h (dernière entrée 16 h 15)`: one list of hours, and details of it.
            let main: Vec<usize> = found
                .iter()
                .copied()
                .filter(|mark| timed(mark) && !is_of_a_detail(marked, &fields[*field], *mark))
                .collect();
            (!main.is_empty() && one_list(marked, &main)).then_some(main)
        }
        _ => None,
    }
}

/// Whether the words before an hour, back to a sign, say that it is no beginning: `dernière entrée 16 h 15`, `portes à 19 h`.
fn is_of_a_detail(marked: &Marked<'_, '_>, field: &Field, mark: usize) -> bool {
    #[rustfmt::skip]
    const DETAILS: [&str; 12] = [
        "derniere", "dernier", "portes", "ouverture", "fermeture", "accueil", "retrait", "inscription", "inscriptions", "retour",
        "arrivee", "dossards",
    ];
    let words = marked.words;
    let before = (field.from..marked.marks[mark].from).rev();
    before.take_while(|at| !words.is(*at, &[",", "(", ";", ".", ":", "-"])).any(|at| words.is(at, &DETAILS))
}

/// Hours that follow each other with nothing between: `15 h et 20 h 30`, `8 h 30 (15 km) et 9 h 30 (8 km)`.
fn one_list(marked: &Marked<'_, '_>, marks: &[usize]) -> bool {
    let detail = |at: usize| marked.enclosed[at] && !is_event_noun(&marked.words.tokens[at]);
    let apart = |mark: usize| marked.enclosed[marked.marks[mark].from];
    marks.windows(2).all(|pair| {
        let detail = |at: usize| !apart(pair[0]) && !apart(pair[1]) && detail(at);
        let mut between = marked.marks[pair[0]].to..marked.marks[pair[1]].from;
        !between.any(|at| marked.is_content(at) && !detail(at))
    })
}

/// Of `Ouverture des portes à 20 h 30, concert à 21 h` the hour of the concert.
fn best(marked: &Marked<'_, '_>, field: &Field, found: Vec<usize>) -> Vec<usize> {
    if found.len() < 2 || one_list(marked, &found) {
        return found;
    }
    let words = marked.words;
    let leads = |mark: usize| {
        let before = (field.from..marked.marks[mark].from).rev().take_while(|at| !marked.is_boundary(*at));
        before.into_iter().filter(|at| marked.is_content(*at)).last()
    };
    let rank = |mark: usize| match leads(mark) {
        Some(at)
            if words.is(at, &["ouverture", "accueil", "inscription", "inscriptions", "portes", "buvette", "repas"]) =>
        {
            2
        }
        Some(at) if words.is(at, AUXILIARY) => 1,
        _ => 0,
    };
    let timed = found
        .iter()
        .copied()
        .filter(|mark| matches!(&marked.marks[*mark].meaning, Meaning::Times(times) if !times.slots.is_empty()));
    timed.min_by_key(|mark| (rank(*mark), *mark)).into_iter().collect()
}
