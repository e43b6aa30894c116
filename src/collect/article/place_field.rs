//! Places without a preposition: a field that is only a place, and the landmark of a visit.

use super::communes;
use super::places::{Place, Reader};
use super::text::{Kind, Words, tidy};
use super::words::{AFTER_VENUE, BEFORE_VENUE, GENRES, LANDMARKS, is_event_noun, is_function, is_venue};

/// A field that is nothing but a place: `Lac de Samatan`, `Halle, Lombez`, `Pavie, la Fenière`, `Départ mairie, Puylausic`.
pub(super) fn place_field(words: &Words<'_>, from: usize, to: usize) -> Option<Place> {
    const MOST_WORDS: usize = 16;
    let mut first = from;
    while first < to
        && (words.is(first, &["depart", "rdv", "rv", "rendez-vous", "lieu", ":", "-"])
            || words.tokens[first].kind == Kind::Sign)
    {
        first += 1;
    }
    // `Jardin des Oursons : luge et jeux de neige` is what.
    if first >= to || to - first > MOST_WORDS || (first..to).any(|at| words.is(at, &[":"])) {
        return None;
    }
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    let mut start = first;
    for at in first..=to {
        let ends = at == to || words.is(at, &[",", "(", ")", "-", "\n"]) && words.tokens[at].kind != Kind::Word;
        if ends {
            if start < at {
                pieces.push((start, at));
            }
            start = at + 1;
        }
    }
    let trimmed_end = |to: usize| if words.is(to - 1, &[".", ";"]) { to - 1 } else { to };
    if let Some(last) = pieces.last_mut() {
        last.1 = trimmed_end(last.1).max(last.0 + 1);
    }
    let commune_of = |(a, b): (usize, usize)| {
        let lead = a + usize::from(words.is(a, &["a"]));
        // `32700 Lectoure`
        let code = words.tokens.get(lead).is_some_and(|token| token.kind == Kind::Number && token.fold.len() == 5);
        let lead = lead + usize::from(code && lead + 1 < b);
        communes::written(words, lead).filter(|(_, end)| *end == b).map(|(name, _)| name)
    };
    let commune_at = pieces.iter().position(|piece| commune_of(*piece).is_some());
    let venue = |(a, b): (usize, usize)| {
        let lead = a + usize::from(words.is(a, &["a", "au", "aux", "dans", "sur", "devant", "sous", "en"]));
        let lead = lead + usize::from(words.is(lead, &["la", "le", "les", "l'"]) && lead > a);
        let noun = lead + usize::from(words.is(lead, BEFORE_VENUE) && lead + 1 < b);
        let article = usize::from(words.is(lead, &["la", "le", "les", "l'"]));
        (words.tokens.get(noun).filter(|_| noun < b).is_some_and(is_venue)
            || words.tokens.get(noun + article).filter(|_| noun + article < b).is_some_and(is_venue))
        .then_some((lead, b))
    };
    let plain = |(a, b): (usize, usize)| {
        (a..b).all(|at| super::clock::clock(&words.tokens, at).is_none() && !super::verbs::is_finite(words, at))
    };
    if !pieces.iter().all(|piece| plain(*piece)) {
        return None;
    }
    let rest: Vec<(usize, usize)> =
        pieces.iter().enumerate().filter(|(at, _)| Some(*at) != commune_at).map(|(_, piece)| *piece).collect();
    let named = rest.first().is_some_and(|piece| venue(*piece).is_some());
    let place = |commune: Option<String>, rest: &[(usize, usize)]| {
        let text = rest
            .iter()
            .map(|piece| venue(*piece).unwrap_or(*piece))
            .map(|(a, b)| tidy(words.slice(a, b)))
            .collect::<Vec<_>>()
            .join(", ");
        Place { commune, venue: (!text.is_empty()).then_some(text), from: first, to, ..Place::default() }
    };
    match commune_at {
        Some(at) => {
            let commune = commune_of(pieces[at])?;
            // `Visite, Auch` is no place: what stands beside a commune is a venue, or behind it.
            let sound = rest.is_empty()
                || named
                || at == 0
                    && rest.len() <= 2
                    && !rest
                        .iter()
                        .any(|(a, b)| (*a..*b).any(|i| is_event_noun(&words.tokens[i]) && !is_venue(&words.tokens[i])));
            sound.then(|| place(Some(commune), &rest))
        }
        None if named => {
            // `Lac de Brassol`, `Halle, Brassol`: a last name alone is the commune no list knows.
            let last_name = rest.len() == 2
                && (rest[1].0..rest[1].1).all(|at| words.tokens[at].kind == Kind::Word && words.tokens[at].capital)
                && rest[1].1 - rest[1].0 <= 3;
            if last_name {
                return Some(place(Some(tidy(words.slice(rest[1].0, rest[1].1))), &rest[..1]));
            }
            let (a, b) = rest[0];
            let reader = Reader { words, end: b, titled: true, after_mark: true, in_commune: false };
            let (_, commune) = reader.noun_phrase(a + usize::from(words.is(a, BEFORE_VENUE)));
            let mut found = place(None, &rest);
            found.commune = commune.map(|(name, _)| name);
            Some(found)
        }
        None => None,
    }
}

/// Whether the words before a colon are where, as in `Salle des fêtes : loto`, and not what: `Théâtre : « Le Malade »`,
/// `Club de lecture : rencontre`.
pub(super) fn names_a_venue(words: &Words<'_>, from: usize, to: usize) -> bool {
    const AMBIGUOUS: [&str; 8] = ["club", "bord", "bords", "coeur", "promenade", "camp", "village", "cours"];
    let Some(noun) = (from..to).find(|at| is_venue(&words.tokens[*at])) else { return false };
    let article = words.is(from, &["la", "le", "les", "l'", "a", "au", "aux"]);
    if noun > from + usize::from(article || words.is(from, BEFORE_VENUE)) || words.is(noun, &AMBIGUOUS) {
        return false;
    }
    let named = words.tokens.get(noun + 1).filter(|_| noun + 1 < to);
    match named {
        // `Atelier : …`, `Théâtre de rue : …` and `Place aux jeunes : …` are what.
        Some(next) => {
            !words.is(noun + 1, &["a", "au", "aux"])
                && (!is_event_noun(&words.tokens[noun]) || next.capital || next.is_any(AFTER_VENUE))
        }
        None => !is_event_noun(&words.tokens[noun]) && !words.is(noun, GENRES),
    }
}

/// `Atelier taille de silex`: a noun that is a place as well, before another that is no name.
pub(super) fn is_thing_in_a_venue(words: &Words<'_>, from: usize, to: usize) -> bool {
    let tokens = &words.tokens;
    let named =
        (from..to.min(from + 5)).skip(1).find(|at| !is_function(&tokens[*at])).is_some_and(|at| tokens[at].capital);
    words.is(from, &["atelier", "ateliers"]) && to > from + 1 && !named && !names_a_venue(words, from, to)
}

/// `Le Pôle, Saint-Pierre-du-Mont`: a name nobody knows, and its town behind a comma.
pub(super) fn ends_with_town(words: &Words<'_>, from: usize, to: usize) -> Option<Place> {
    const MOST_WORDS: usize = 8;
    let comma = (from + 1..to).rev().find(|at| words.is(*at, &[",", "("]))?;
    let end = to - usize::from(words.is(to - 1, &["."]));
    let closed = end - usize::from(words.is(end - 1, &[")"]));
    let (town, _) = communes::written(words, comma + 1).filter(|(_, end)| *end == closed)?;
    let name = &words.tokens[from..comma];
    let names = name.len() <= MOST_WORDS
        && name.first().is_some_and(|first| first.capital)
        && name.iter().all(|token| token.kind == Kind::Word && (!is_event_noun(token) || is_venue(token)));
    let venue = names.then(|| tidy(words.slice(from, comma)))?;
    Some(Place { commune: Some(town), venue: Some(venue), from, to, ..Place::default() })
}

/// `Musée d'Artagnan` under the heading of another town: a person's name, which a commune has as well. What every town may
/// have one of is named after its own commune more often than after a person (`église de Lupiac`), and stays.
pub(super) fn named_after(words: &Words<'_>, place: Place, town: &str) -> Place {
    #[rustfmt::skip]
    const AFTER_PERSONS: [&str; 16] = [
        "musee", "lycee", "college", "espace", "stade", "cinema", "theatre", "cafe", "restaurant", "bar", "centre",
        "maison", "gymnase", "circuit", "residence", "galerie",
    ];
    let Some(commune) = place.commune.as_deref().filter(|commune| *commune != town) else { return place };
    let named = (place.from..place.to.min(words.tokens.len())).find_map(|at| {
        let (name, to) = communes::written(words, at + 1)?;
        let after = words.is(at, &["de", "d'"]) && at > 0 && words.is(at - 1, &AFTER_PERSONS);
        (after && name == commune).then(|| (at - 1, to))
    });
    match named {
        Some((from, to)) => Place { commune: Some(town.to_owned()), venue: Some(tidy(words.slice(from, to))), ..place },
        None => place,
    }
}

/// The landmark that a visit is to: `visite du trésor de la cathédrale`.
pub(super) fn visited(words: &Words<'_>, from: usize, to: usize) -> Option<Place> {
    if !words.is(from, &["visite", "visites", "decouverte", "visitez"]) {
        return None;
    }
    let reader = Reader { words, end: to, titled: true, after_mark: false, in_commune: false };
    let head = (from..to).find(|at| {
        let led =
            *at >= 2 && (words.is(at - 1, &["la", "l'"]) && words.is(at - 2, &["de"]) || words.is(at - 1, &["du"]));
        led && words.is(*at, LANDMARKS)
    })?;
    let (end, commune) = reader.noun_phrase(head);
    let venue = Some(reader.slice(head, end));
    Some(Place { commune: commune.map(|(name, _)| name), venue, from: to, to, ..Place::default() })
}
