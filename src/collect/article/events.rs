//! One item to its events: cut in parts, each part drafted, each draft completed by what stands around it.
//!
//! Every word of the item is *claimed* by a field or stays free, and free words with a content go into the note of
//! their event: understanding sorts words, it never drops one. Where the grammar is unsure it claims nothing and the
//! item is printed as written.

use chrono::{Days, NaiveDate, NaiveTime};

use super::calendar::Calendar;
use super::communes;
use super::days::Spec;
use super::draft::Draft;
use super::html::Link;
use super::marks::{Meaning, Said, marks};
use super::parts::{Marked, Part};
use super::places::Place;
use super::text::{Kind, Words, one_spaced, trimmed};
use super::titles;
use crate::domain::agenda::{Event, Status};

/// Where the item stands in the article.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) calendar: &'a Calendar,
    pub(super) home: &'a str,
    /// The day it stands under.
    pub(super) day: Option<NaiveDate>,
    /// The commune of the heading it stands under.
    pub(super) town: Option<&'a str>,
    /// Exhibitions are announced for the whole territory: no home is assumed.
    pub(super) exhibition: bool,
    /// Recurrences and dates in the item have been used to place it.
    pub(super) placed_by_words: bool,
}

/// What was understood of one item.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Understood {
    pub(super) events: Vec<Event>,
    /// For each event, the day it is postponed to.
    pub(super) moved_to: Vec<Option<Spec>>,
}

/// The events of an item; none where the grammar is unsure.
pub(super) fn understand(text: &str, links: &[Link], setting: &Setting<'_>) -> Understood {
    // Longer than any bullet: prose that happened to stand under a day.
    const LONGEST_ITEM: usize = 3000;
    if text.len() > LONGEST_ITEM {
        return Understood::default();
    }
    let words = Words::of(text);
    let marked = Marked::of(&words, marks(&words));
    let cut = marked.cut();
    if cut.unsure {
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
    match preamble.map(|preamble| preamble.place) {
        Some(None) => share_the_last_place(&mut out.events),
        Some(Some(place)) => note_unused(&place, &mut out.events),
        None => {}
    }
    out
}

/// `Ora Prunier, au Cri'Art : à 21 h à Pavie`: where each event says its own place, the words before them are a note.
fn note_unused(place: &Place, events: &mut [Event]) {
    let shown = |name: &&String| events.iter().filter_map(|event| event.place.as_ref()).any(|it| it.contains(*name));
    let unused: Vec<_> =
        [&place.venue, &place.commune].into_iter().flatten().filter(|name| !shown(name)).cloned().collect();
    if let Some(first) = events.first_mut().filter(|_| !unused.is_empty()) {
        let note = first.note.take().into_iter().chain(unused);
        first.note = Some(note.collect::<Vec<_>>().join(" · "));
    }
}

/// `Fête de l'ail : messe à 10 h 30, repas et concert, à Mauvezin`: one feast is in one place, said at its end.
fn share_the_last_place(events: &mut [Event]) {
    let Some((last, others)) = events.split_last_mut() else { return };
    if others.iter().all(|event| event.place.is_none()) {
        for event in others {
            event.place.clone_from(&last.place);
        }
    }
}

/// What the words before several events say for all of them.
struct Preamble {
    note: String,
    title: String,
    place: Option<Place>,
    words: usize,
    /// Its price, telephone and link are of each event that has none of its own; so is its status.
    event: Event,
    status: Option<Said>,
}

impl Preamble {
    fn of(marked: &Marked<'_, '_>, from: usize, to: usize, links: &[Link], setting: &Setting<'_>) -> Self {
        let part = Part { from, to, times: Vec::new() };
        let mut draft = Draft::of(marked, &part, links, setting);
        draft.claim_marks();
        let place = draft.claim_place();
        let note = draft.note().join(" · ");
        let event = Event { link: draft.link(from, to), ..draft.event.clone() };
        Self {
            words: note.split(' ').count(),
            title: titles::shown(&note).text,
            note,
            place,
            event,
            status: draft.status,
        }
    }
}

/// What a part hands on to the next of the same item.
#[derive(Clone)]
struct Known {
    title: String,
    place: Option<Place>,
    /// The place was said before the hour: `au château, à 10 h, atelier ; à 15 h, tournoi`.
    place_leads: bool,
    start: Option<NaiveTime>,
}

impl Draft<'_, '_, '_> {
    /// Completes the part with what stands around it and adds its events. `None`: not understood.
    fn finish(mut self, preamble: Option<&Preamble>, before: Option<&Known>, out: &mut Understood) -> Option<Known> {
        const LONGEST_TITLE: usize = 220;
        let mut note = self.note();
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
            if few_words && !preamble.note.is_empty() {
                note.insert(0, preamble.note.clone());
            }
        }
        if self.title.len() > LONGEST_TITLE {
            return None;
        }
        note.extend(self.extra_note.take());
        self.event.note = if note.is_empty() { None } else { Some(note.join(" · ")) };
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

    fn join_meeting_point(self, before: Option<&Known>, out: &mut Understood) -> Option<Known> {
        let words = one_spaced(trimmed(self.words().slice(self.part.from, self.part.to)));
        let event = out.events.last_mut()?;
        event.note = Some(match event.note.take() {
            Some(note) => format!("{note} · {words}"),
            None => words,
        });
        before.cloned()
    }

    /// Said before the hours of the item, a place holds for all of them; so it does for what follows from it.
    fn place_leads(&self, before: Option<&Known>) -> bool {
        let hour = self.part.times.first().map(|mark| self.marked.marks[*mark].from);
        match &self.place {
            Some(place) => hour.is_some_and(|hour| {
                place.to > 0 && place.to <= hour && !(self.part.from..place.from).any(|at| self.marked.is_content(at))
            }),
            None => before.is_some_and(|known| known.place_leads),
        }
    }

    /// `feu d'artifice sur les berges, suivi d'un bal`: one goes on where the other ends.
    fn follows_at_once(&self) -> bool {
        let first = (self.part.from..self.part.to).find(|at| self.words().tokens[*at].kind == Kind::Word);
        first.is_some_and(|at| self.words().is(at, &["suivi", "suivie", "suivis", "suivies", "puis", "ensuite"]))
    }

    /// The place with the commune that its surroundings give it.
    fn completed_place(&self, preamble: Option<&Preamble>, before: Option<&Known>) -> Option<Place> {
        let around = preamble.and_then(|preamble| preamble.place.clone()).or_else(|| {
            before.filter(|known| known.place_leads || self.follows_at_once()).and_then(|known| known.place.clone())
        });
        let other_commune = before
            .and_then(|known| known.place.as_ref()?.commune.clone())
            .is_some_and(|commune| commune != self.setting.home);
        let town = self.setting.town.map(str::to_owned);
        let mut place = match (self.place.clone(), around) {
            (Some(mut place), around) => {
                if place.commune.is_none() {
                    place.commune = around.and_then(|around| around.commune);
                }
                place
            }
            (None, Some(around)) => around,
            (None, None) => town.as_ref().map(|town| Place { commune: Some(town.clone()), ..Place::default() })?,
        };
        if place.commune.is_none() && place.venue.is_some() {
            let elsewhere =
                self.setting.exhibition || place.names_a_locality() || self.names_another_commune() || other_commune;
            let home = if elsewhere { None } else { Some(self.setting.home.to_owned()) };
            place.commune = town.or(home).filter(|home| !home.is_empty());
        }
        Some(place)
    }

    /// `les 10 km de Pavie`, at a stadium: then the stadium is not assumed to be at home.
    fn names_another_commune(&self) -> bool {
        (self.part.from..self.part.to).any(|at| {
            !self.is_quoted(at)
                && communes::known(&self.words().tokens, at).is_some_and(|(name, _)| name != self.setting.home)
        })
    }

    fn is_quoted(&self, at: usize) -> bool {
        self.marked.enclosed[at] && !self.in_brackets(at)
    }

    fn push_events(self, place: Option<Place>, out: &mut Understood) {
        let slots = self.slots.clone();
        let opening_hours = slots.len() > 1 && slots.iter().all(|slot| slot.end.is_some());
        let mut base = self.event.clone();
        base.title.clone_from(&self.title);
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
        // `COMPLET à 15 h` and no event at that hour: the words must not vanish.
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

    /// The words in brackets after a town are that town's; the others are of all.
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
