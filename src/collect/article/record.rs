//! Items made of fields: a table row, a card, a title with its practical line, a line of pictograms.
//!
//! Each field has one meaning (hour, place, price, category, title), so fields are classified first and the event is put
//! together from them. An item whose fields describe several events is left to `parts`.

use super::dash::is_dash;
use super::draft::Draft;
use super::events::{Setting, Understood};
use super::flaw::{Flaw, flaw, is_pictogram};
use super::html::Link;
use super::marks::{Mark, Meaning};
use super::names::{begins_at, name_at};
use super::parts::{Marked, Part};
use super::place_field::{ends_with_town, is_thing_in_a_venue, names_a_venue, place_field};
use super::places::{Place, Reader};
use super::practical::{HOUR_LABELS, is_dated_practical, is_dishes, is_field, is_practical};
use super::record_hours::{Beside, times, title_to, told_beside};
use super::record_title::title;
use super::sentences::{Role, role};
use super::text::{Kind, Token, Words, one_spaced, tidy, trimmed};
use super::words::{AUXILIARY, DETAILS, DISHES, GENRES, PARTS_OF_DAY, THEMES, is_event_noun, is_function, is_venue};
use crate::domain::agenda::Event;

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Time,
    Place,
    Price,
    /// Booking, telephone, links.
    Contact,
    State,
    Category,
    /// When and where in one line: `Rendez-vous à 10 h devant la mairie. 5 €`
    Practical,
    Text,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sort: Sort,
}

/// A pictogram in front of a field says what it is.
fn hint(c: char) -> Option<Sort> {
    match c {
        '📍' | '📌' | '⌖' | '🗺' | '🏠' | '🏛' | '🚩' => Some(Sort::Place),
        '💶' | '💰' | '🎟' | '🎫' | '💵' | '💳' | '🪙' => Some(Sort::Price),
        '⏰' | '⏱' | '⏲' | '🕐'..='🕧' | '⌚' | '🕰' => Some(Sort::Practical),
        '☎' | '📞' | '📱' | '✉' | '📧' | '🌐' | '🔗' | '☏' | '✆' => Some(Sort::Contact),
        _ => None,
    }
}

/// `Concert @ La Petite Pierre, Jégun`: where, as on the nets.
fn is_at_sign(marked: &Marked<'_, '_>, at: usize) -> bool {
    let words = marked.words;
    let ends =
        |at: &usize| words.tokens[*at].kind == Kind::Break || words.is(*at, &["|"]) || is_pictogram_at(words, *at);
    let end = (at + 1..words.tokens.len()).find(ends).unwrap_or(words.tokens.len());
    // An hour behind it is a field of its own.
    let timed =
        || marked.marks.iter().any(|mark| (at..end).contains(&mark.from) && matches!(mark.meaning, Meaning::Times(_)));
    let apart = |a: usize, b: usize| words.tokens.get(a).zip(words.tokens.get(b)).is_some_and(|(a, b)| a.end < b.start);
    let within = || marked.marks.iter().any(|mark| mark.from < at && at < mark.to);
    at > 0 && words.is(at, &["@"]) && apart(at - 1, at) && apart(at, at + 1) && !timed() && !within()
}

/// Whether the line is one field with its pictogram: `📍 Fourcès, sous les arcades`, `⏰ 9h-18h`.
pub(super) fn is_labelled(text: &str) -> bool {
    text.chars().next().is_some_and(|c| hint(c).is_some())
}

/// Whether the line is a place behind its pictogram, and nothing else.
pub(super) fn is_pinned_place(text: &str) -> bool {
    if text.chars().next().and_then(hint) != Some(Sort::Place) || text.len() > super::lines::LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    place_field(&words, 0, words.tokens.len()).is_some()
}

/// The event of an item made of fields; `None` for other items.
pub(super) fn record(marked: &Marked<'_, '_>, links: &[Link], setting: &Setting<'_>) -> Option<Understood> {
    let words = marked.words;
    let broken = words.tokens.iter().any(|token| token.kind == Kind::Break || token.is("|"));
    let pinned = words.text.chars().any(|c| hint(c).is_some());
    let named = words.text.contains(super::names::OPEN);
    if !broken && !pinned && !named {
        return None;
    }
    let mut fields = fields(marked, setting.titled);
    let name = fields.iter().find(|field| begins_at(words, field.from));
    let texts: Vec<&Field> = fields.iter().filter(|field| field.sort == Sort::Text).collect();
    let title_field =
        name.or(texts.first().copied()).or_else(|| fields.iter().find(|field| field.sort == Sort::Category))?;
    let mut title_field = *title_field;
    let times = times(marked, &fields, &title_field)?;
    if let Some(to) = title_to(marked, &title_field, &times)
        && let Some(at) = fields.iter().position(|field| field.from == title_field.from)
    {
        fields.insert(at + 1, Field { from: to + 1, ..title_field });
        title_field.to = to;
        fields[at] = title_field;
    }
    let title_field = &title_field;
    let part = Part { from: 0, to: words.tokens.len(), times, ends: None };
    let mut draft = Draft::of(marked, &part, links, setting);
    draft.claim_marks();
    let place = place(marked, &fields, title_field, setting);
    let prices: Vec<&Field> = fields.iter().filter(|field| field.sort == Sort::Price).collect();
    if let Some(field) = prices.first() {
        let first = marked
            .marks
            .iter()
            .find(|mark| mark.meaning == Meaning::Price && mark.from >= field.from && mark.to <= field.to);
        if let Some(mark) = first {
            draft.event.price = Some(draft.price(mark.from, mark.to));
        }
    }
    draft.place = place;
    let (title, left) = title(marked, title_field, &draft);
    draft.title = title;
    if draft.title.is_empty() {
        return None;
    }
    if !setting.titled && flaw(&draft.title).is_some() && title_field.sort == Sort::Text
        || matches!(flaw(&draft.title), Some(Flaw::Fragment))
    {
        draft.title = tidy(trimmed_field(words.slice(title_field.from, title_field.to)));
        draft.as_written = Some((title_field.from, title_field.to));
        if let Some(title) = draft.title_of_the_chapter() {
            (draft.title, draft.as_written) = (title, None);
        }
    }
    let mut notes: Vec<String> = left.into_iter().collect();
    for field in &fields {
        let is_title = field.from == title_field.from;
        let note = match field.sort {
            Sort::Text | Sort::Category if !is_title => Some(words.slice(field.from, field.to)),
            Sort::Contact => Some(words.slice(field.from, field.to)),
            Sort::Practical if !only_practical(marked, field, &draft) => Some(words.slice(field.from, field.to)),
            Sort::Place
                if draft.place.as_ref().is_none_or(|place| place.from < field.from || place.from >= field.to) =>
            {
                Some(words.slice(field.from, field.to))
            }
            _ => None,
        };
        let contact_said = field.sort == Sort::Contact && says_only_contact(marked, field);
        notes.extend(
            note.filter(|_| !contact_said)
                .map(|text| one_spaced(trimmed_field(text)))
                // `Quand ?` without what was read behind it
                .filter(|text| !(text.is_empty() || is_field(text) && text.ends_with('?'))),
        );
    }
    draft.event.note = (!notes.is_empty()).then(|| notes.join(" · "));
    let mut out = Understood::default();
    let used = &draft.part.times;
    let town = draft.place.as_ref().and_then(|place| place.commune.clone()).or(setting.town.map(str::to_owned));
    let beside: Vec<Beside> = fields
        .iter()
        .filter(|field| (field.sort == Sort::Text || says_when(words, field.from)) && field.from != title_field.from)
        .flat_map(|field| told_beside(marked, field, used))
        .collect();
    draft.finish_record(&mut out);
    if let Some(first) = out.events.first().cloned().filter(|first| first.start.is_some()) {
        for Beside { title, start, place } in beside {
            let place = place.map(|place| Place { commune: place.commune.clone().or_else(|| town.clone()), ..place });
            out.events.push(Event {
                title,
                start: Some(start),
                place: place.and_then(|place| place.shown()).or_else(|| first.place.clone()),
                status: first.status,
                ..Event::default()
            });
            out.moved_to.push(None);
        }
    }
    Some(out)
}

/// The fields of the item: between line breaks, bars and pictograms; a dash parts what are whole fields.
fn fields(marked: &Marked<'_, '_>, titled: bool) -> Vec<Field> {
    let words = marked.words;
    let tokens = &words.tokens;
    let mut out: Vec<Field> = Vec::new();
    let mut hinted = None;
    let mut from = 0;
    let mut depth = 0usize;
    let mut name_to = 0;
    for at in 0..=tokens.len() {
        if at >= name_to {
            let name = tokens.get(at).and_then(|_| name_at(tokens, at));
            if name.is_none() && at == name_to && at > 0 {
                // A name is a field of its own: `L'Eau qui dort (1 h 38)`.
                push_field(marked, from, at, None, &mut out);
                from = at;
            }
            name_to = name.unwrap_or(0);
        }
        if at < name_to {
            continue;
        }
        let end = at == tokens.len();
        let token = tokens.get(at);
        let picture = token.and_then(|token| words.text[token.start..].chars().next()).filter(|c| is_pictogram(*c));
        if let Some(token) = token {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") || token.kind == Kind::Break {
                depth = depth.saturating_sub(1);
            }
        }
        // The bar of `SAM 17 | DIM 18` is the date's.
        let in_a_mark = |at: usize| marked.marks.iter().any(|mark| mark.from < at && at < mark.to);
        let parts = end
            || token.is_some_and(|token| token.kind == Kind::Break || token.is("|") && !in_a_mark(at))
            || picture.is_some()
            || is_at_sign(marked, at)
            || depth == 0 && is_dash(words, at);
        if !parts {
            continue;
        }
        push_field(marked, from, at, hinted, &mut out);
        if token.is_some_and(|token| token.kind == Kind::Break || token.is("|")) {
            hinted = None;
        }
        if is_at_sign(marked, at) {
            hinted = Some(Sort::Place);
        } else if let Some(picture) = picture {
            hinted = hint(picture);
        } else if out.last().is_some_and(|last| last.to == at && hinted.is_some() && last.sort != Sort::Place) {
            hinted = None;
        }
        from = at + 1;
    }
    let mut out = merge_text(marked, out);
    name_the_title(marked, titled, &mut out);
    out
}

/// The first field that is no hour is the title, whatever it looks like: `Atelier vélo`, `Lectoure, sur les pas des
/// bleus`. A category above it is not: `Conférence`, then `Jardiner avec la lune`.
fn name_the_title(marked: &Marked<'_, '_>, titled: bool, fields: &mut [Field]) {
    let words = marked.words;
    if fields.iter().any(|field| begins_at(words, field.from)) {
        return;
    }
    let Some(first) = fields.iter().position(|field| !matches!(field.sort, Sort::Time | Sort::State)) else { return };
    let event = |field: &Field| {
        // `Salle des fêtes` is where.
        !names_a_venue(words, field.from, field.to)
            && !is_town_and_venue(words, field.from, field.to)
            && (field.from..field.to).any(|at| {
                is_event_noun(&words.tokens[at])
                    && (!is_venue(&words.tokens[at])
                        || at == field.from
                            && words.is(at, &["atelier", "ateliers", "theatre", "cinema", "cine"])
                            && !names_a_venue(words, field.from, field.to))
            })
    };
    let Some(field) = fields.get(first).copied() else { return };
    if field.sort == Sort::Text && !(titled && field.from == 0) && is_nameless_venue(words, fields, first) {
        fields[first].sort = Sort::Place;
        return;
    }
    let titles_later = fields[first + 1..].iter().any(|field| field.sort == Sort::Text);
    // `Mimizan, Le Parnasse : concert`
    if field.sort == Sort::Place && titles_later && words.is(field.to, &[":"]) {
        return;
    }
    match field.sort {
        Sort::Category => {
            let next = fields.get(first + 1);
            let named = next.is_some_and(|next| {
                next.sort == Sort::Text
                    && (words.tokens[next.from].capital || words.is(next.from, &["«", "\""]))
                    && !words.slice(next.from, next.to).ends_with('.')
            });
            if !named {
                fields[first].sort = Sort::Text;
            }
        }
        // A place first: `Foirail : bal` has its title behind it, `Atelier vélo` is one.
        Sort::Place
            if !titles_later
                || event(&field)
                || (field.from..field.to).any(|at| words.is(at, &[","]))
                    && !pinned(words, field.from)
                    && !is_town_and_venue(words, field.from, field.to)
                    && ends_with_town(words, field.from, field.to).is_none() =>
        {
            fields[first].sort = Sort::Text;
        }
        // `Bord de scène` in bold above the lines of its card: a name that is neither venue nor town is the title.
        Sort::Place
            if titled
                && field.from == 0
                && !pinned(words, field.from)
                && !names_a_venue(words, field.from, field.to)
                && ends_with_town(words, field.from, field.to).is_none()
                && place_field(words, field.from, field.to).is_none_or(|place| place.commune.is_none()) =>
        {
            fields[first].sort = Sort::Text;
        }
        Sort::Practical if !titles_later => fields[first].sort = Sort::Text,
        _ => {}
    }
}

/// `18 h | La Minoterie | Vernissage de « Lignes de pins »`: a short name that tells nothing before a title that does, in
/// an item without any other place.
fn is_nameless_venue(words: &Words<'_>, fields: &[Field], first: usize) -> bool {
    const MOST_WORDS: usize = 4;
    let name = &words.tokens[fields[first].from..fields[first].to];
    let named = name.len() <= MOST_WORDS
        && name[0].capital
        && name
            .iter()
            .all(|token| token.kind == Kind::Word && (token.capital || is_function(token)) && !is_event_noun(token))
        && !words.shouts(fields[first].from);
    let titled = fields.get(first + 1).is_some_and(|next| {
        let noun = &words.tokens[next.from];
        next.sort == Sort::Text && next.to - next.from > 1 && is_event_noun(noun) && !is_venue(noun)
    });
    named && titled && fields.iter().all(|field| field.sort != Sort::Place)
}

/// `Nérac, salle des fêtes`
fn is_town_and_venue(words: &Words<'_>, from: usize, to: usize) -> bool {
    super::communes::written(words, from)
        .is_some_and(|(_, comma)| words.is(comma, &[","]) && names_a_venue(words, comma + 1, to))
}

fn pinned(words: &Words<'_>, from: usize) -> bool {
    from > 0 && is_pictogram_at(words, from - 1)
}

fn is_pictogram_at(words: &Words<'_>, at: usize) -> bool {
    words.text[words.tokens[at].start..].chars().next().is_some_and(is_pictogram)
}

/// The names of the field of the place.
const PLACE_LABELS: [&str; 3] = ["lieu", "ou", "adresse"];

fn push_field(marked: &Marked<'_, '_>, from: usize, to: usize, hinted: Option<Sort>, out: &mut Vec<Field>) {
    let words = marked.words;
    let tokens = &words.tokens;
    let (mut from, mut to) = (from, to);
    while from < to
        && tokens[from].kind == Kind::Sign
        && tokens[from].is_any(&[",", ":", "-", ".", ";", "•", "*", "►", "▶"])
    {
        from += 1;
    }
    while to > from && tokens[to - 1].kind == Kind::Sign && tokens[to - 1].is_any(&[",", ":", "-", ";"]) {
        to -= 1;
    }
    if from >= to || !tokens[from..to].iter().any(|token| matches!(token.kind, Kind::Word | Kind::Number)) {
        return;
    }
    // `Mimizan, Le Parnasse : concert`: where, then what.
    if hinted.is_none()
        && let Some(colon) = where_before_colon(marked.words, from, to)
    {
        out.push(Field { from, to: colon, sort: Sort::Place });
        let thing = out.len();
        push_field(marked, colon + 1, to, None, out);
        if let Some(thing) = out.get_mut(thing).filter(|field| field.sort == Sort::Category) {
            thing.sort = Sort::Text;
        }
        return;
    }
    // `médiathèque. 8 €, places limitées`: where, and what is said behind it.
    let first = marked.sentences.iter().map(|(_, end)| *end).find(|end| from + 1 < *end && *end < to);
    if let Some(end) = first.filter(|end| {
        hinted.is_none()
            && !out.is_empty()
            && tokens[end - 1].is(".")
            && sort(marked, from, *end) == Sort::Place
            && (names_a_venue(words, from, end - 1)
                || place_field(words, from, *end).is_some_and(|it| it.commune.is_some()))
    }) {
        push_field(marked, from, end - 1, None, out);
        push_field(marked, end, to, None, out);
        return;
    }
    // `Épinal, bar Le Grand Large, sam. 14, 20 h. Au chapeau` behind a name: where, when, and what is said behind it.
    let behind_name = out.last().is_some_and(|last| begins_at(words, last.from) && out.len() == 1);
    if hinted.is_none()
        && behind_name
        && let Some((place, when)) = where_and_when(marked, from, to)
    {
        out.push(Field { from, to: place, sort: Sort::Place });
        push_field(marked, place, when, None, out);
        push_field(marked, when, to, None, out);
        return;
    }
    let sort = hinted.unwrap_or_else(|| sort(marked, from, to));
    let sort = match sort {
        // `💶 gratuit` and `📍 …` keep their hint; `☎ 05…` too.
        Sort::Price if !has_mark(marked, from, to, |meaning| *meaning == Meaning::Price) => Sort::Text,
        other => other,
    };
    out.push(Field { from, to, sort });
}

/// Where a town with its venue ends before a comma and a date or an hour, and where the sentence of these ends.
fn where_and_when(marked: &Marked<'_, '_>, from: usize, to: usize) -> Option<(usize, usize)> {
    let words = marked.words;
    let when = |mark: &&Mark| {
        (from + 1..to).contains(&mark.from) && matches!(mark.meaning, Meaning::Times(_) | Meaning::Dates(_))
    };
    let mark = marked.marks.iter().find(when)?;
    let place = mark.from.checked_sub(1).filter(|at| *at > from && words.is(*at, &[",", "(", "-"]))?;
    super::communes::written(words, from).filter(|(_, end)| *end == place || words.is(*end, &[","]))?;
    place_field(words, from, place)?;
    let end = marked.sentences.iter().map(|(_, end)| *end).find(|end| *end >= mark.to).unwrap_or(to).min(to);
    Some((place, end))
}

/// Where a town, or a town and what stands in it, ends before a colon and a thing one attends.
fn where_before_colon(words: &Words<'_>, from: usize, to: usize) -> Option<usize> {
    const LONGEST_VENUE: usize = 6;
    let (_, end) = super::communes::written(words, from)?;
    if end == from + 1 && super::towns::is_listed_word(&words.tokens[from]) {
        return None;
    }
    let colon = (end..to.min(end + LONGEST_VENUE)).find(|at| words.is(*at, &[":"]))?;
    let named = |token: &Token| token.kind == Kind::Word && (token.capital || is_function(token));
    let venue = words.is(end, &[","])
        && (names_a_venue(words, end + 1, colon) || words.tokens[end + 1..colon].iter().all(named));
    let tells = (colon + 1..to).any(|at| is_event_noun(&words.tokens[at]) || words.is(at, &["«"]));
    (tells && (colon == end || venue)).then_some(colon)
}

fn has_mark(marked: &Marked<'_, '_>, from: usize, to: usize, is: impl Fn(&Meaning) -> bool) -> bool {
    marked.marks.iter().any(|mark| mark.from >= from && mark.to <= to && is(&mark.meaning))
}

/// What a field without a pictogram is, by its own words.
fn sort(marked: &Marked<'_, '_>, from: usize, to: usize) -> Sort {
    let words = marked.words;
    let tokens = &words.tokens;
    if begins_at(words, from) {
        return Sort::Text;
    }
    let within = |is: &dyn Fn(&Mark) -> bool, also: &[&str]| {
        (from..to).all(|at| {
            !matches!(tokens[at].kind, Kind::Word | Kind::Number)
                || is_function(&tokens[at])
                || tokens[at].is_any(also)
                || marked.marks.iter().any(|mark| mark.from <= at && at < mark.to && is(mark))
        })
    };
    let has =
        |is: &dyn Fn(&Mark) -> bool| marked.marks.iter().any(|mark| mark.from >= from && mark.to <= to && is(mark));
    let time = |mark: &Mark| {
        matches!(mark.meaning, Meaning::Times(_) | Meaning::Dates(_) | Meaning::Until(_) | Meaning::Recurs(_))
    };
    let state = |mark: &Mark| matches!(mark.meaning, Meaning::Status(_));
    let price = |mark: &Mark| mark.meaning == Meaning::Price;
    let contact = |mark: &Mark| matches!(mark.meaning, Meaning::Phone(_) | Meaning::Opaque);
    if has(&time)
        && within(&time, &["depart", "heure", "horaire", "horaires", "rdv", "debut", "quand", "date", "dates", "jour"])
        || is_bare_part_of_day(words, from, to)
        // `Après-midi (14 h – 16 h)`
        || has(&time) && within(&time, PARTS_OF_DAY)
    {
        return Sort::Time;
    }
    if has(&state) && within(&|mark| state(mark) || price(mark), &[]) && !has(&price)
        || is_state_with_reason(marked, from, to)
    {
        return Sort::State;
    }
    if has(&price)
        && within(
            &|mark| price(mark) || state(mark),
            &["tarif", "tarifs", "entree", "prix", "repas", "compris", "inclus", "comprise", "parents"],
        )
    {
        return Sort::Price;
    }
    if says_when(words, from) && has(&time) {
        return Sort::Practical;
    }
    if tokens[from].is_any(&PLACE_LABELS) && words.is(from + 1, &[":", "?"]) {
        return Sort::Place;
    }
    if tokens[from].is_any(&["combien", "tarif", "tarifs", "prix"]) && words.is(from + 1, &[":", "?"]) && has(&price) {
        return Sort::Price;
    }
    if role(words, from, to) == Role::Booking
        || has(&contact)
            && within(&|mark| contact(mark) || price(mark), &["savoir", "infos", "site", "en", "plus", "mail", "web"])
    {
        return Sort::Contact;
    }
    if is_thing_in_a_venue(words, from, to) {
        return Sort::Text;
    }
    if place_field(words, from, to).is_some() || ends_with_town(words, from, to).is_some() {
        return Sort::Place;
    }
    // The dishes of a meal tell no place: `melon au vin de Cahors`.
    if words.is(from, DISHES) && is_dishes(words.slice(from, to), words.text) {
        return Sort::Contact;
    }
    // `Brunch de 10 h 30 à 14 h` is what; `Visite à 10 h` may be the practical line of the title above.
    let noun = (from..to).find(|at| tokens[*at].kind == Kind::Word && !is_function(&tokens[*at])).map(|at| &tokens[at]);
    let thing = noun.is_some_and(names_a_thing);
    if !thing && is_practical(words.slice(from, to)) || is_dated_practical(words.slice(from, to)) {
        return Sort::Practical;
    }
    let content: Vec<usize> =
        (from..to).filter(|at| tokens[*at].kind == Kind::Word && !is_function(&tokens[*at])).collect();
    let category = content.len() <= 2
        && content.iter().all(|at| {
            tokens[*at].is_any(THEMES)
                || tokens[*at].is_any(GENRES)
                || tokens[*at].is_any(&["terroir", "jeune", "public", "famille", "humour", "divers", "stage"])
                || is_event_noun(&tokens[*at]) && content.len() == 1
        });
    if category { Sort::Category } else { Sort::Text }
}

/// `ANNULÉ (redoux)`: a state, and in brackets why.
fn is_state_with_reason(marked: &Marked<'_, '_>, from: usize, to: usize) -> bool {
    let state = marked.marks.iter().find(|mark| mark.from == from && matches!(mark.meaning, Meaning::Status(_)));
    state.is_some_and(|mark| marked.words.is(mark.to, &["("]) && marked.words.is(to - 1, &[")"]))
}

/// Whether a field says by its name that it is when: `Horaire : 10 h`, `Quand ? 18 h 30, puis concert à 20 h`.
pub(super) fn says_when(words: &Words<'_>, from: usize) -> bool {
    words.is(from, HOUR_LABELS) && words.is(from + 1, &[":"])
        || words.is(from, &["quand"]) && words.is(from + 1, &[":", "?"])
}

/// Whether a field that begins with this noun tells what takes place. `Visite à 10 h` may tell when the thing named above
/// does.
pub(super) fn names_a_thing(noun: &Token) -> bool {
    is_event_noun(noun) && !is_venue(noun) && !noun.is_any(&["visite", "visites", "concert", "seance", "seances"])
}

/// `Matin`, `Soirée`, `Journée`, alone in their cell.
fn is_bare_part_of_day(words: &Words<'_>, from: usize, to: usize) -> bool {
    to - from == 1 && words.is(from, PARTS_OF_DAY)
}

/// Text parted by a dash only is one text: `Nogaro – Riscle`, `La Maison du Lin – Les Terrasses`.
fn merge_text(marked: &Marked<'_, '_>, fields: Vec<Field>) -> Vec<Field> {
    let words = marked.words;
    let mut out: Vec<Field> = Vec::new();
    for field in fields {
        let dashed = out
            .last()
            .is_some_and(|last| last.to < field.from && (last.to..field.from).all(|at| words.is(at, &["-", ","])));
        match out.last_mut() {
            Some(last) if begins_at(words, last.from) => out.push(field),
            Some(last) if dashed && last.sort == field.sort && matches!(field.sort, Sort::Text | Sort::Place) => {
                last.to = field.to
            }
            Some(last) if dashed && matches!((last.sort, field.sort), (Sort::Category, Sort::Text)) => {
                (last.to, last.sort) = (field.to, Sort::Text);
            }
            _ => out.push(field),
        }
    }
    out
}

/// The place: of its own field, of the practical line, else of the title's words.
fn place(marked: &Marked<'_, '_>, fields: &[Field], title: &Field, setting: &Setting<'_>) -> Option<Place> {
    let words = marked.words;
    for field in fields.iter().filter(|field| field.sort == Sort::Place) {
        let named = words.is(field.from, &PLACE_LABELS) && words.is(field.from + 1, &[":", "?"]);
        let label = if named { field.from + 2 } else { field.from };
        // `Où : départ devant la mairie`
        let label = label + usize::from(named && words.is(label, &["depart", "rendez-vous", "rdv", "accueil"]));
        let led = named && words.is(label, &["de", "du"]);
        let label = label + usize::from(led) + usize::from(led && words.is(label + 1, &["la", "l'"]));
        // `📍 Auch, maison des artistes – jusqu'au 16 juillet – entrée libre`
        let says_else = |mark: &&super::marks::Mark| {
            (label + 1..field.to).contains(&mark.from)
                && mark.meaning != Meaning::Opaque
                && words.is(mark.from - 1, &[",", "-", "(", ":", "·", "/"])
        };
        let end = marked.marks.iter().find(says_else).map_or(field.to, |mark| mark.from - 1);
        let named = || ends_with_town(words, label, end);
        // `Où : citadelle, Berck`: what the label calls a place is one, whatever its noun.
        let labelled = || {
            let comma = (label + 1..end).rev().find(|at| words.is(*at, &[","])).filter(|_| label > field.from)?;
            let (town, _) = super::communes::written(words, comma + 1).filter(|(_, to)| *to == end)?;
            let venue = Some(tidy(words.slice(label, comma)));
            Some(Place { commune: Some(town), venue, from: label, to: end, ..Place::default() })
        };
        let found = place_field(words, label, end).or_else(named).or_else(labelled).or_else(|| {
            // Whatever stands behind a pin is a place.
            let text = tidy(trimmed(words.slice(label, end)));
            (!text.is_empty()).then(|| Place { venue: Some(text), from: label, to: end, ..Place::default() })
        });
        if found.is_some() {
            return found;
        }
    }
    let read = |field: &Field| {
        // `Atelier poterie à la Maison des associations`
        let mut at = field.from + usize::from(is_thing_in_a_venue(words, field.from, field.to));
        while at < field.to {
            if marked.quiet[at] {
                at += 1;
                continue;
            }
            let after_mark = marked.marks.iter().any(|mark| mark.to == at);
            let reader = Reader { words, end: field.to, titled: true, after_mark, in_commune: false };
            match reader.place(at) {
                Some(place) if place.to > at => return Some(place),
                _ => at += 1,
            }
        }
        None
    };
    fields
        .iter()
        .filter(|field| field.sort == Sort::Practical)
        .find_map(read)
        .or_else(|| fields.iter().filter(|field| field.sort == Sort::Text && field.from != title.from).find_map(read))
        .or_else(|| {
            // What a name names is a place only where it is a town and no heading says another.
            let listed = |name: &String| !super::communes::departments(name).is_empty();
            let certain = |place: &Place| place.commune.as_ref().is_some_and(listed) && setting.town.is_none();
            read(title).filter(|place| !begins_at(words, title.from) || certain(place))
        })
}

pub(super) fn trimmed_field(text: &str) -> &str {
    trimmed(text.trim_matches(|c: char| is_pictogram(c) || super::text::is_space(c)))
}

/// Whether hour, place and price say all of a practical line.
fn only_practical(marked: &Marked<'_, '_>, field: &Field, draft: &Draft<'_, '_, '_>) -> bool {
    let words = marked.words;
    let place = draft.place.as_ref().map_or(0..0, |place| place.from..place.to);
    (field.from..field.to).all(|at| {
        !marked.is_content(at)
            || place.contains(&at)
            || words.is(at, HOUR_LABELS)
            || words.is(at, AUXILIARY)
            || words.is(at, DETAILS)
    })
}

/// Whether a contact field holds nothing but a telephone or a link that its own field shows.
fn says_only_contact(marked: &Marked<'_, '_>, field: &Field) -> bool {
    let words = marked.words;
    (field.from..field.to).all(|at| {
        let token = &words.tokens[at];
        token.kind != Kind::Word
            || is_function(token)
            || token.is_any(&[
                "reservation",
                "reservations",
                "tel",
                "telephone",
                "infos",
                "info",
                "contact",
                "rens",
                "renseignements",
                "savoir",
                "en",
                "billetterie",
            ])
            || marked
                .marks
                .iter()
                .any(|mark| mark.from <= at && at < mark.to && matches!(mark.meaning, Meaning::Phone(_)))
    })
}
