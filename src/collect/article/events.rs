//! Turns one item into events: splits it into parts, drafts each part, and completes each draft from its context.
//!
//! Every word of the item is *claimed* by a field or stays unclaimed; unclaimed words with content go into the note of their
//! event, so that no word is dropped. If the grammar is unsure it claims nothing, and the item is printed as
//! written.

use std::collections::HashSet;

use chrono::{Days, NaiveDate, NaiveTime};

use super::calendar::Calendar;
use super::days::Spec;
use super::draft::Draft;
use super::hours::Slot;
use super::html::Link;
use super::marks::{Meaning, Said, marks};
use super::parts::{Marked, Part};
use super::place_field::named_after;
use super::places::Place;
use super::record::record;
use super::text::{Kind, Words, one_spaced, trimmed};
use super::titles;
use super::words::SAID_OTHERWISE;
use crate::domain::agenda::{Confidence, Event, Status, Trace};
use crate::domain::venue::KnownVenues;

/// The context of an item in the article.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) calendar: &'a Calendar,
    /// The day of its heading.
    pub(super) day: Option<NaiveDate>,
    /// The office's own commune, and its known venues.
    pub(super) home: &'a str,
    pub(super) venues: &'a [Vec<String>],
    /// The communes of venues that earlier articles, structured sources and persons gave.
    pub(super) known: &'a KnownVenues,
    /// The commune of the heading it stands under.
    pub(super) town: Option<&'a str>,
    /// The venue of the heading it stands under.
    pub(super) venue: Option<&'a str>,
    /// It is among the exhibitions: its last date is its end.
    pub(super) exhibition: bool,
    /// Recurrences and dates in the item have been used to place it.
    pub(super) placed_by_words: bool,
    /// The first line is the item's title.
    pub(super) titled: bool,
    /// The whole sentence, if only a part of it is read for this day.
    pub(super) sentence: Option<&'a str>,
    /// The heading of the theme it stands under: `Les marchés`.
    pub(super) theme: Option<&'a str>,
    /// That heading stands above it alone.
    pub(super) chapter: bool,
}

/// The result of parsing one item.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Understood {
    pub(super) events: Vec<Event>,
    /// For each event, the day it is postponed to.
    pub(super) moved_to: Vec<Option<Spec>>,
}

/// The events of an item; none if the grammar is unsure.
pub(super) fn understand(text: &str, links: &[Link], setting: &Setting<'_>) -> Understood {
    // Longer than any list item: prose that happens to be under a day.
    const LONGEST_ITEM: usize = 3000;
    if text.len() > LONGEST_ITEM {
        return Understood::default();
    }
    let words = Words::of(text);
    let marked = Marked::of(&words, marks(&words).to_vec());
    if marked.state_between_events() {
        return Understood::default();
    }
    if let Some(mut understood) = record(&marked, links, setting) {
        keep_every_word(&marked, &mut understood.events);
        return understood;
    }
    let cut = marked.cut();
    if cut.unsure || marked.state_below_several(&cut) {
        return Understood::default();
    }
    let mut out = Understood::default();
    let preamble = cut.preamble.map(|(from, to)| Preamble::of(&marked, from, to, links, setting));
    let mut before: Option<Known> = None;
    for part in &cut.parts {
        let mut draft = Draft::of(&marked, part, links, setting);
        draft.read();
        let Some(known) = draft.finish(preamble.as_ref(), before.as_ref(), &mut out) else {
            return Understood::default();
        };
        before = Some(known);
    }
    match preamble.filter(|preamble| preamble.shares).map(|preamble| preamble.place) {
        Some(None) => share_the_last_place(&mut out.events),
        Some(Some(place)) => note_unused(&place, &mut out.events),
        None => {}
    }
    keep_every_word(&marked, &mut out.events);
    out
}

/// Sentences that no field contains go into the note of the last event, so that no word is dropped.
fn keep_every_word(marked: &Marked<'_, '_>, events: &mut [Event]) {
    let stem = |word: &str| word.trim_end_matches('s').to_owned();
    let words_of = |text: &str| -> Vec<String> {
        let plain = super::text::folded(text);
        plain.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).map(str::to_owned).collect()
    };
    let mut said: HashSet<String> = HashSet::new();
    for event in events.iter() {
        let fields = [
            Some(&event.title),
            event.place.as_ref(),
            event.price.as_ref(),
            event.note.as_ref(),
            event.until_text.as_ref(),
        ];
        said.extend(fields.into_iter().flatten().flat_map(|field| words_of(field)).map(|word| stem(&word)));
    }
    let Some(last) = events.last_mut() else { return };
    for &(from, to) in &marked.sentences {
        let sentence = marked.words.slice(from, to);
        let lost = words_of(sentence)
            .iter()
            .any(|word| !SAID_OTHERWISE.contains(&word.as_str()) && !said.contains(&stem(word)));
        let text = one_spaced(trimmed(sentence));
        if lost && !text.is_empty() {
            said.extend(words_of(&text).iter().map(|word| stem(word)));
            last.note = Some(last.note.take().map_or_else(|| text.clone(), |note| format!("{note} · {text}")));
        }
    }
}

/// `Ora Prunier, au Cri'Art : à 21 h à Pavie`: if each event has its own place, the words before them are a note.
fn note_unused(place: &Place, events: &mut [Event]) {
    let shown = |name: &&String| events.iter().filter_map(|event| event.place.as_ref()).any(|it| it.contains(*name));
    let unused: Vec<_> =
        [&place.venue, &place.commune].into_iter().flatten().filter(|name| !shown(name)).cloned().collect();
    if let Some(first) = events.first_mut().filter(|_| !unused.is_empty()) {
        let note = first.note.take().into_iter().chain(unused);
        first.note = Some(note.collect::<Vec<_>>().join(" · "));
    }
}

/// `Fête de l'ail : messe à 10 h 30, repas et concert, à Mauvezin`: the place at the end applies to the whole festival.
fn share_the_last_place(events: &mut [Event]) {
    let Some((last, others)) = events.split_last_mut() else { return };
    if others.iter().all(|event| event.place.is_none()) {
        for event in others {
            event.place.clone_from(&last.place);
        }
    }
}

/// The words before several events that apply to all of them.
struct Preamble {
    /// Its first token.
    from: usize,
    note: String,
    title: String,
    place: Option<Place>,
    words: usize,
    /// Its price, telephone, link and status apply to each event without its own.
    event: Event,
    status: Option<Said>,
    /// It ends with a colon or is a few words: its place applies to all.
    shares: bool,
}

impl Preamble {
    fn of(marked: &Marked<'_, '_>, from: usize, to: usize, links: &[Link], setting: &Setting<'_>) -> Self {
        let part = Part { from, to, ..Part::default() };
        let mut draft = Draft::of(marked, &part, links, setting);
        draft.claim_marks();
        let shares =
            marked.words.is(to, &[":"]) || marked.words.is(to.saturating_sub(1), &[":", "avec"]) || to - from <= 8;
        // The place in a separate sentence stays in its text.
        let place = if shares { draft.claim_place() } else { None };
        // `la médiathèque de Ternoux fête ses dix ans :`
        let of_town = || draft.commune_of_the_words().map(|town| Place { commune: Some(town), ..Place::default() });
        // `Fêtes de Pavie : 11 h, messe ; 13 h, repas`
        let one_sentence = marked
            .sentences
            .iter()
            .all(|(_, end)| *end >= marked.words.tokens.len() || marked.words.is(end - 1, &[";"]));
        let place = place.or_else(|| if shares && one_sentence { of_town() } else { None });
        let note = draft.note().join(" · ");
        let event = Event { link: draft.link(from, to), ..draft.event.clone() };
        Self {
            from,
            words: note.split(' ').count(),
            title: titles::shown(&note).text,
            note,
            place,
            event,
            status: draft.status,
            shares,
        }
    }
}

/// `de 14 h à 15 h 30 puis de 16 h à 17 h 30`: as long as each other with a short break between them, they are the thing
/// twice, and no opening hours.
fn are_sessions(slots: &[Slot]) -> bool {
    const LONGEST_BREAK: i64 = 45;
    const LONGEST_SESSION: i64 = 120;
    let length = |slot: &Slot| slot.end.map_or(0, |end| (end - slot.start).num_minutes());
    let first = slots.first().map_or(0, length);
    let breaks = slots
        .windows(2)
        .all(|pair| pair[0].end.is_some_and(|end| (0..=LONGEST_BREAK).contains(&(pair[1].start - end).num_minutes())));
    breaks && (1..=LONGEST_SESSION).contains(&first) && slots.iter().all(|slot| length(slot) == first)
}

impl Known {
    /// `marché de nuit à Brassol ; à partir de 21 h, concert`: the town applies to the next event, a venue may not.
    fn town_only(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.commune.is_some() && place.venue.is_none())
    }
}

/// What the next part of the same item inherits.
#[derive(Clone)]
struct Known {
    title: String,
    place: Option<Place>,
    /// The place was said before the hour: `au château, à 10 h, atelier ; à 15 h, tournoi`.
    place_leads: bool,
    start: Option<NaiveTime>,
}

impl Draft<'_, '_, '_> {
    /// Completes the part from its context and adds its events. `None`: not understood.
    fn finish(mut self, preamble: Option<&Preamble>, before: Option<&Known>, out: &mut Understood) -> Option<Known> {
        const LONGEST_TITLE: usize = 220;
        let mut note = if self.as_written.is_some() { std::mem::take(&mut self.rest) } else { self.note() };
        let own_title = !self.title.is_empty();
        if !own_title {
            // `…, et à 15 h à la cathédrale`: the same thing again, elsewhere.
            let title =
                before.map(|known| known.title.clone()).or_else(|| preamble.map(|preamble| preamble.title.clone()));
            self.title = title.filter(|title| !title.is_empty())?;
            let minutes =
                before.and_then(|known| known.start).zip(self.slots.first()).map(|(a, b)| (b.start - a).num_minutes());
            if before.is_some() && minutes.is_some_and(|minutes| (0..60).contains(&minutes)) {
                // A second meeting point of the same outing, a quarter of an hour later.
                return self.join_meeting_point(before, out);
            }
        } else if let Some(preamble) = preamble {
            let few_words = preamble.words <= 6 || out.events.is_empty();
            let shown = self.as_written.is_some_and(|(from, _)| from <= preamble.from);
            if few_words && !preamble.note.is_empty() && !shown {
                note.insert(0, preamble.note.clone());
            }
        }
        if self.title.len() > LONGEST_TITLE && self.as_written.is_none() {
            return None;
        }
        note.extend(self.extra_note.take());
        self.event.note = if note.is_empty() { None } else { Some(note.join(" · ")) };
        self.read_address();
        let place = self.completed_place(preamble, before);
        let known = Known {
            title: self.title.clone(),
            place: place.clone(),
            place_leads: self.place_leads(before),
            start: self.slots.first().map(|slot| slot.start),
        };
        if let Some(preamble) = preamble {
            self.event.price = self.event.price.take().or_else(|| preamble.event.price.clone());
            self.event.phone = self.event.phone.take().or_else(|| preamble.event.phone.clone());
            self.event.link.clone_from(&preamble.event.link);
            self.event.until = self.event.until.or(preamble.event.until);
            self.event.until_text = self.event.until_text.take().or_else(|| preamble.event.until_text.clone());
            self.status = self.status.take().or_else(|| preamble.status.clone());
        }
        self.push_events(place, out);
        Some(known)
    }

    /// Adds the events of an item of fields, which has its title, place and note already.
    pub(super) fn finish_record(self, out: &mut Understood) {
        let place = self.completed_place(None, None);
        self.push_events(place, out);
    }

    /// `15 h, cinéma Le Pari. Le Siffleur…`: a sentence of hour and place gives the place.
    fn read_address(&mut self) {
        let Some(mark) = self.part.times.first().map(|mark| &self.marked.marks[*mark]) else { return };
        let Some((_, to)) = self.marked.sentences.iter().copied().find(|(from, to)| (*from..*to).contains(&mark.from))
        else {
            return;
        };
        let from = mark.to + usize::from(self.words().is(mark.to, &[",", ":", "-"]));
        if self.place.is_none() && from < to && to < self.part.to {
            self.place = super::place_field::place_field(self.words(), from, to);
        }
        // `À 15 h, Scène nationale (Aubusson).`: the name before the town that was found.
        let named = super::place_field::ends_with_town(self.words(), from, to).filter(|_| self.part.from < mark.from);
        if let (Some(place), Some(named)) = (&mut self.place, named)
            && place.venue.is_none()
            && place.commune == named.commune
            && !self.titled.is_some_and(|(title, _)| (from..to).contains(&title))
        {
            place.venue = named.venue;
        }
    }

    fn join_meeting_point(self, before: Option<&Known>, out: &mut Understood) -> Option<Known> {
        let words = one_spaced(trimmed(self.words().slice(self.part.from, self.part.to)));
        let event = out.events.last_mut()?;
        event.note = Some(match event.note.take() {
            Some(note) => format!("{note} · {words}"),
            None => words,
        });
        before.cloned()
    }

    /// A place before the hours of the item applies to all of them, and to what follows from it.
    fn place_leads(&self, before: Option<&Known>) -> bool {
        let hour = self.part.times.first().map(|mark| self.marked.marks[*mark].from);
        match &self.place {
            Some(place) => hour.is_some_and(|hour| {
                place.to > 0 && place.to <= hour && !(self.part.from..place.from).any(|at| self.marked.is_content(at))
            }),
            None => before.is_some_and(|known| known.place_leads),
        }
    }

    /// Whether the part is in the same sentence as the previous part; a semicolon does not end a sentence here.
    fn goes_on_in_its_sentence(&self) -> bool {
        let words = self.words();
        let hour = self.part.times.first().map_or(self.part.to, |mark| self.marked.marks[*mark].from);
        let ends = |at: usize| words.is(at, &[".", "!", "?", "…", "\n"]) && self.marked.is_boundary(at);
        let begins_one = self.part.from > 0 && ends(self.part.from - 1);
        !begins_one && !(self.part.from..hour).any(ends)
    }

    /// `feu d'artifice sur les berges, suivi d'un bal`: the second event continues at the place of the first.
    fn follows_at_once(&self) -> bool {
        let first = (self.part.from..self.part.to).find(|at| self.words().tokens[*at].kind == Kind::Word);
        first.is_some_and(|at| self.words().is(at, &["suivi", "suivie", "suivis", "suivies", "puis", "ensuite"]))
    }

    /// The place with the commune that its surroundings give it.
    fn completed_place(&self, preamble: Option<&Preamble>, before: Option<&Known>) -> Option<Place> {
        let around =
            preamble.filter(|preamble| preamble.shares).and_then(|preamble| preamble.place.clone()).or_else(|| {
                let same = before.filter(|_| self.goes_on_in_its_sentence());
                // `… à Roquelaure ; les chasseurs de Duran vous attendent`: another commune is named, so the place is not
                // certain.
                let same = same.filter(|known| {
                    known.place.as_ref().is_none_or(|place| !self.names_a_commune_but(place.commune.as_deref()))
                });
                same.filter(|known| known.place_leads || self.follows_at_once() || known.town_only())
                    .and_then(|known| known.place.clone())
            });
        let town = self.setting.town.map(str::to_owned);
        let named = self
            .place
            .as_ref()
            .is_none_or(|place| place.commune.is_none())
            .then(|| self.commune_of_the_words())
            .flatten();
        let own = match (self.place.clone(), named) {
            (Some(mut place), Some(commune)) => {
                place.commune = Some(commune);
                Some(place)
            }
            (None, Some(commune)) => Some(Place { commune: Some(commune), ..Place::default() }),
            (place, None) => place,
        };
        let mut place = match (own, around) {
            (Some(mut place), around) => {
                if place.commune.is_none() {
                    place.commune = around.and_then(|around| around.commune);
                }
                place
            }
            (None, Some(around)) => around,
            (None, None) if town.is_none() && self.setting.venue.is_none() => return None,
            (None, None) => {
                Place { commune: town.clone(), venue: self.setting.venue.map(str::to_owned), ..Place::default() }
            }
        };
        if let Some(town) = town.as_deref().filter(|town| !town.is_empty()) {
            place = named_after(self.words(), place, town);
        }
        if place.commune.is_none() && place.venue.is_some() && !self.names_another_commune() {
            place.commune = town.filter(|town| !town.is_empty()).or_else(|| self.commune_of_the_venue(&place));
        }
        Some(place)
    }

    fn push_events(self, place: Option<Place>, out: &mut Understood) {
        let mut slots = self.slots.clone();
        // `8h-12h – Lectoure, 8h-13h` are no opening hours: they overlap, and which end is whose is not known.
        let in_turn = slots.windows(2).all(|pair| pair[0].end.is_none_or(|end| end <= pair[1].start));
        if !in_turn {
            slots.dedup_by(|next, kept| {
                let same = next.start == kept.start;
                kept.end = kept.end.filter(|end| !same || next.end == Some(*end));
                same
            });
        }
        let opening_hours =
            slots.len() > 1 && slots.iter().all(|slot| slot.end.is_some()) && in_turn && !are_sessions(&slots);
        let place = place.filter(|_| !self.is_written_with_several_towns());
        let mut base = self.event.clone();
        base.title.clone_from(&self.title);
        if self.as_written.is_some() {
            base.evidence.title = Some(Trace { confidence: Confidence::AsWritten, span: None });
        }
        base.link = self.link(self.part.from, self.part.to).or(base.link);
        let mut timed: Vec<Event> = Vec::new();
        if opening_hours {
            base.start = slots.first().map(|slot| slot.start);
            base.end = slots.last().and_then(|slot| slot.end);
            base.slots = slots.iter().filter_map(|slot| slot.end.map(|end| (slot.start, end))).collect();
            timed.push(base);
        } else if slots.is_empty() {
            timed.push(base);
        } else {
            timed.extend(slots.iter().map(|slot| Event {
                start: Some(slot.start),
                end: slot.end.or(base.end),
                ..base.clone()
            }));
        }
        for mut event in timed {
            let after_midnight = match event.slots.last() {
                Some((start, end)) => end <= start,
                None => event.start.zip(event.end).is_some_and(|(start, end)| end <= start),
            };
            if after_midnight {
                event.end_day = self.setting.day.and_then(|day| day.checked_add_days(Days::new(1)));
            }
            let mut moved_to = None;
            if let Some(said) = &self.status
                && said.at.is_none_or(|at| event.start == Some(at))
            {
                event.status = said.status;
                moved_to.clone_from(&said.to_day);
            }
            if self.towns.is_empty() {
                event.place = place.as_ref().and_then(Place::shown);
                out.events.push(event);
                out.moved_to.push(moved_to);
                continue;
            }
            for (index, town) in self.towns.iter().enumerate() {
                let next = self.towns.get(index + 1).map_or(self.part.to, |next| next.from);
                let link = self.link(town.from, next).or_else(|| self.link(self.part.from, self.towns[0].from));
                let note = self.town_note(index);
                out.events.push(Event {
                    title: titles::singular(&event.title),
                    place: town.shown(),
                    link: link.or_else(|| event.link.clone()),
                    note,
                    ..event.clone()
                });
                out.moved_to.push(moved_to.clone());
            }
        }
        let Some(said) = &self.status else { return };
        // `COMPLET à 15 h` without an event at that hour: the words must not be lost.
        if said.at.is_some()
            && !out.events.iter().any(|event| event.status == said.status)
            && let Some(event) = out.events.last_mut()
        {
            event.status = Status::Scheduled;
            let words: Vec<&str> = self
                .marked
                .marks
                .iter()
                .filter(|mark| matches!(mark.meaning, Meaning::Status(_)))
                .map(|mark| self.words().slice(mark.from, mark.to))
                .collect();
            event.note = Some(
                event
                    .note
                    .take()
                    .into_iter()
                    .chain(words.into_iter().map(str::to_owned))
                    .collect::<Vec<_>>()
                    .join(" · "),
            );
        }
    }

    /// The words in brackets after a town apply to that town; the others to all.
    fn town_note(&self, index: usize) -> Option<String> {
        let own_from = self.towns[index].to;
        let own_to = self.towns.get(index + 1).map_or(own_from, |next| next.from);
        let last = index + 1 == self.towns.len();
        let own_to = if last {
            (own_from..self.part.to).find(|at| !self.marked.enclosed[*at]).unwrap_or(self.part.to)
        } else {
            own_to
        };
        let after = (self.towns[self.towns.len() - 1].to..self.part.to)
            .find(|at| !self.marked.enclosed[*at])
            .unwrap_or(self.part.to);
        let mut out: Vec<String> = self.segments(self.part.from, self.towns[0].from);
        out.extend(self.segments(own_from, own_to));
        out.extend(self.segments(after, self.part.to));
        out.extend(self.extra_note.clone());
        (!out.is_empty()).then(|| out.join(" · "))
    }
}
