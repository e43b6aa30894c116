//! One item to its events: title, place, price and the rest of each.
//!
//! Every word of the item is *claimed* by a field or stays free, and free words with a content go into the note of
//! their event: understanding sorts words, it never drops one. Where the grammar is unsure it claims nothing and the
//! item is printed as written.

use chrono::{Days, NaiveDate};

use super::communes;
use super::days::{Calendar, Recurrence, Spec, Weekdays};
use super::hours::Times;
use super::html::Link;
use super::lines::has_number;
use super::marks::{Meaning, Said, Until, marks, quotation};
use super::money::bare_label;
use super::parts::{Marked, Part, all_slots};
use super::places::{Place, Reader, visited};
use super::text::{Kind, Words, tidy, trimmed};
use super::titles;
use super::words::{ADDRESSES, AUXILIARY, DETAILS, GENRES, JOINTS, is_function};
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
    let preamble = cut.preamble.map(|(from, to)| Preamble::of(&marked, from, to, setting));
    let mut before: Option<Known> = None;
    for part in &cut.parts {
        let mut draft = Draft::of(&marked, part, links, setting);
        draft.read();
        let Some(known) = draft.finish(preamble.as_ref(), before.as_ref(), &mut out) else {
            return Understood::default();
        };
        before = Some(known);
    }
    if preamble.is_some_and(|preamble| preamble.place.is_none()) {
        share_the_last_place(&mut out.events);
    }
    out
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
}

impl Preamble {
    fn of(marked: &Marked<'_, '_>, from: usize, to: usize, setting: &Setting<'_>) -> Self {
        let part = Part { from, to, times: Vec::new() };
        let mut draft = Draft::of(marked, &part, &[], setting);
        draft.claim_marks();
        let place = draft.claim_place();
        let note = draft.note().join(" · ");
        Self { words: note.split(' ').count(), title: titles::shown(&note).text, note, place }
    }
}

/// What a part hands on to the next of the same item.
#[derive(Clone)]
struct Known {
    title: String,
    place: Option<Place>,
    /// The part ended a sentence: a place said in it is not assumed for the next.
    full_stop: bool,
    start: Option<chrono::NaiveTime>,
}

/// One part while its words are being claimed.
struct Draft<'m, 'w, 'a> {
    marked: &'m Marked<'w, 'a>,
    part: &'m Part,
    links: &'m [Link],
    setting: &'m Setting<'m>,
    claimed: Vec<bool>,
    event: Event,
    slots: Vec<super::hours::Slot>,
    status: Option<Said>,
    /// Towns of `à Jégun et à Seissan`, each with the token where it begins.
    towns: Vec<Place>,
    place: Option<Place>,
    title: String,
    extra_note: Option<String>,
}

impl<'m, 'w, 'a> Draft<'m, 'w, 'a> {
    fn of(marked: &'m Marked<'w, 'a>, part: &'m Part, links: &'m [Link], setting: &'m Setting<'m>) -> Self {
        Self {
            marked,
            part,
            links,
            setting,
            claimed: vec![false; part.to - part.from],
            event: Event::default(),
            slots: Vec::new(),
            status: None,
            towns: Vec::new(),
            place: None,
            title: String::new(),
            extra_note: None,
        }
    }

    fn words(&self) -> &'w Words<'a> {
        self.marked.words
    }

    fn claim(&mut self, from: usize, to: usize) {
        let (from, to) = (from.max(self.part.from), to.min(self.part.to));
        if from < to {
            self.claimed[from - self.part.from..to - self.part.from].fill(true);
        }
    }

    fn is_free(&self, at: usize) -> bool {
        !self.claimed[at - self.part.from]
    }

    /// A free word that is not only grammar.
    fn is_content(&self, at: usize) -> bool {
        let token = &self.words().tokens[at];
        self.is_free(at) && matches!(token.kind, Kind::Word | Kind::Number) && !is_function(token)
    }

    fn read(&mut self) {
        self.claim_marks();
        self.place = self.claim_place();
        self.claim_title();
        if self.place.is_none() && self.towns.is_empty() {
            self.place = self.visited_place();
        }
    }

    fn claim_marks(&mut self) {
        let marked = self.marked;
        let times: Vec<&Times> = self
            .part
            .times
            .iter()
            .filter_map(
                |mark| if let Meaning::Times(times) = &marked.marks[*mark].meaning { Some(times) } else { None },
            )
            .collect();
        self.slots = all_slots(&times);
        self.event.approx = times.iter().any(|times| times.approx);
        self.event.from = times.iter().any(|times| times.from);
        if self.slots.is_empty() {
            self.event.part_of_day = times.iter().find_map(|times| times.part);
            self.event.all_day = times.iter().any(|times| times.all_day);
        }
        let mut prices: Vec<String> = Vec::new();
        for (index, mark) in marked.marks.iter().enumerate() {
            if mark.from < self.part.from || mark.to > self.part.to {
                continue;
            }
            let claim = match &mark.meaning {
                Meaning::Times(times) if times.end.is_some() => self.claim_end(times),
                Meaning::Times(times) => self.part.times.contains(&index) && !times.vague,
                Meaning::Price => {
                    prices.push(self.price(mark.from, mark.to));
                    true
                }
                Meaning::Phone(number) => match &self.event.phone {
                    Some(_) => false,
                    None => {
                        self.event.phone = Some(number.clone());
                        true
                    }
                },
                Meaning::Status(said) => {
                    if self.status.is_none() {
                        self.status = Some(said.clone());
                    }
                    !said.kept
                }
                Meaning::Until(until) => self.claim_until(until, mark.from, mark.to),
                Meaning::Dates(spec) => self.stands_apart(mark.from, spec) && self.claim_dates(spec),
                Meaning::Recurs(recurs) => self.claim_recurrence(*recurs),
                Meaning::Opaque => false,
            };
            if claim {
                self.claim(mark.from, mark.to);
            }
        }
        if !prices.is_empty() {
            self.event.price = Some(prices.join(", "));
        }
    }

    /// `jusqu'à 23 h` ends the event that has begun.
    fn claim_end(&mut self, times: &Times) -> bool {
        match self.slots.as_mut_slice() {
            [] => {
                self.event.end = times.end;
                true
            }
            [slot] if slot.end.is_none() => {
                slot.end = times.end;
                true
            }
            _ => false,
        }
    }

    fn price(&self, from: usize, to: usize) -> String {
        let words = self.words();
        let text = words.slice(bare_label(&words.tokens, from), to).replace(['–', '—', '−'], "-");
        let text = tidy(trimmed(&text));
        // `Entrée libre` after a full stop is no name.
        if words.tokens[from].capital && !words.shouts(from) { lower_first(&text) } else { text }
    }

    fn claim_until(&mut self, until: &Until, from: usize, to: usize) -> bool {
        let calendar = self.setting.calendar;
        match until {
            Until::Day(spec) => {
                let after = Calendar { last: self.setting.day.or(calendar.last), ..*calendar };
                let dates = after.dates(spec);
                self.event.until = dates.days.last().copied();
                self.event.until.is_some() && dates.warnings.is_empty()
            }
            Until::EndOf(month) => {
                let first =
                    Spec::List(vec![super::days::Mention { day: Some(1), month: Some(*month), ..Default::default() }]);
                let first = calendar.dates(&first).days.first().copied();
                self.event.until =
                    first.and_then(|day| day.checked_add_months(chrono::Months::new(1))).and_then(|day| day.pred_opt());
                self.event.until_text = Some(until_words(self.words().slice(from, to)));
                true
            }
            Until::Vague => {
                self.event.until_text = Some(until_words(self.words().slice(from, to)));
                true
            }
        }
    }

    /// `brocante du premier dimanche`: a weekday inside a phrase is a word of it.
    fn stands_apart(&self, from: usize, spec: &Spec) -> bool {
        has_number(spec)
            || from == self.part.from
            || self.marked.is_boundary(from - 1)
            || self.words().tokens[from - 1].kind != Kind::Word
    }

    fn claim_dates(&mut self, spec: &Spec) -> bool {
        let calendar = Calendar { last: self.setting.day.or(self.setting.calendar.last), ..*self.setting.calendar };
        let dates = calendar.dates(spec);
        if self.setting.exhibition && self.event.until.is_none() && matches!(spec, Spec::Range(..)) {
            self.event.until = dates.days.last().copied();
            return false; // the first day is in the note
        }
        let this_day = self.setting.day.is_some_and(|day| dates.days == [day]);
        dates.warnings.is_empty() && (this_day || (self.setting.placed_by_words && !dates.days.is_empty()))
    }

    fn claim_recurrence(&self, recurs: Recurrence) -> bool {
        self.setting.placed_by_words && recurs != Recurrence::On(Weekdays::default())
    }

    fn reader(&self, at: usize, titled: bool) -> Reader<'w, 'a> {
        let end = (at + 1..self.part.to).find(|i| !self.is_free(*i)).unwrap_or(self.part.to);
        let after_mark = at > self.part.from && !self.is_free(at - 1);
        Reader { words: self.words(), end, titled, after_mark, in_commune: false }
    }

    /// Finds the places of the part and claims the words of the one that is the event's.
    fn claim_place(&mut self) -> Option<Place> {
        let mut found: Vec<Place> = Vec::new();
        let mut titled = false;
        let mut at = self.part.from;
        while at < self.part.to {
            if let Some(to) = quotation(&self.words().tokens, at) {
                titled = true;
                at = to.min(self.part.to);
                continue;
            }
            let place =
                if self.is_free(at) && !self.leaves_from_there(at) { self.reader(at, titled).place(at) } else { None };
            match place {
                Some(place) if place.to > at => {
                    at = place.to;
                    found.push(place);
                }
                _ => {
                    titled |= self.is_content(at);
                    at += 1;
                }
            }
        }
        let towns = self.listed_towns(&found);
        if towns > 1 {
            found.truncate(towns);
            for town in &found {
                self.claim(town.from, town.to);
            }
            self.towns = found;
            return None;
        }
        // `RC Auch – Stade Foyen, au stade du Moulias`: what a preposition says goes before a bare name.
        let bare =
            |place: &Place| place.venue.is_some() && place.commune.is_none() && self.words().is(place.from, ADDRESSES);
        let told =
            |place: &Place| place.venue.is_some() && self.words().is(place.from, &["a", "au", "aux", "dans", "sur"]);
        if found.first().is_some_and(bare) && found.iter().any(told) {
            found.retain(|place| !bare(place));
        }
        let mut found = found.into_iter();
        let mut place = found.next()?;
        self.claim(place.from, place.to);
        if let Some(other) = found.next() {
            let complements = match (&place.commune, &place.venue, &other.commune, &other.venue) {
                (Some(_), None, None, Some(_)) | (None, Some(_), Some(_), None) => true,
                (Some(a), None, Some(b), Some(_)) => a == b,
                _ => false,
            };
            if complements && !self.words().is(other.from, &["rdv", "rv", "rendez-vous"]) {
                self.claim(other.from, other.to);
                place.commune = place.commune.or(other.commune);
                place.venue = place.venue.or(other.venue);
            }
        }
        Some(place)
    }

    /// `randonnée de Pavie à Auch` leaves one town for another: neither is a place to be at.
    fn leaves_from_there(&self, at: usize) -> bool {
        let words = self.words();
        let leaves = (self.part.from..at).rev().take(5).find(|i| words.is(*i, &["de", "d'"]));
        words.is(at, &["a"])
            && leaves.is_some_and(|i| communes::known(&words.tokens, i + 1).is_some_and(|(_, to)| to == at))
    }

    /// How many of the first places are `à Jégun (…) et à Seissan (…)`: towns in a list.
    fn listed_towns(&self, found: &[Place]) -> usize {
        let words = self.words();
        let is_town = |place: &Place| place.commune.is_some() && place.venue.is_none() && words.is(place.from, &["a"]);
        let titled = found.first().is_some_and(|first| (self.part.from..first.from).any(|at| self.is_content(at)));
        if !titled || !found.first().is_some_and(is_town) {
            return 0;
        }
        let mut count = 1;
        for pair in found.windows(2) {
            let between = pair[0].to..pair[1].from;
            let joined = between
                .clone()
                .all(|at| self.marked.enclosed[at] || words.is(at, &[",", "et", "ainsi", "qu'", "puis", "&"]))
                && between.clone().any(|at| words.is(at, &["et", ",", "&"]));
            if !(joined && is_town(&pair[1])) {
                break;
            }
            count += 1;
        }
        count
    }

    fn visited_place(&self) -> Option<Place> {
        let from = (self.part.from..self.part.to).find(|at| self.marked.is_content(*at))?;
        let to = (from..self.part.to).find(|at| self.marked.is_boundary(*at)).unwrap_or(self.part.to);
        visited(self.words(), from, to)
    }

    /// The first clause that tells what it is.
    fn claim_title(&mut self) {
        let Some(from) = self.title_start() else { return };
        let to = self.title_end(from);
        let mut pieces: Vec<&str> = Vec::new();
        let mut start = None;
        for at in from..=to {
            let free = at < to && self.is_free(at);
            match (free, start) {
                (true, None) => start = Some(at),
                (false, Some(first)) => {
                    pieces.push(self.words().slice(first, at));
                    start = None;
                }
                _ => {}
            }
        }
        let joined = pieces.into_iter().map(trimmed_end).collect::<Vec<_>>().join(" ");
        let shown = titles::shown(&joined);
        self.title = shown.text;
        self.extra_note = shown.replaced;
        self.claim(from, to);
    }

    fn title_start(&self) -> Option<usize> {
        let words = self.words();
        let (from, to) = (self.part.from, self.part.to);
        // A clause of details (`Inscriptions à 8 h`, `Tarif réduit`) gives the title only where there is no other.
        let mut fallback = None;
        let mut at = from;
        while at < to {
            let Some(first) = (at..to).find(|i| {
                self.is_content(*i)
                    || words.is(*i, &["«", "\""]) && quotation(&words.tokens, *i).is_some() && self.is_free(*i)
            }) else {
                break;
            };
            let bracketed = self.marked.enclosed[first]
                && !words.is(first, &["«", "\""])
                && quotation(&words.tokens, first).is_none()
                && self.in_brackets(first);
            let genre = words.is(first, GENRES) && words.is(first + 1, &["."]) && first + 2 < to;
            let detail = genre
                || words.is(first, &AUXILIARY) && self.clause_is_short(first)
                || words.is(first, &DETAILS)
                || self.is_opaque(first);
            if !detail && !bracketed {
                // `la chorale`, `un bal`: the article before it is the title's to keep or drop.
                let article = first > at
                    && self.is_free(first - 1)
                    && words.is(first - 1, &["le", "la", "les", "l'", "un", "une", "des", "du"]);
                return Some(first - usize::from(article));
            }
            if detail && !bracketed {
                fallback = fallback.or(Some(first));
            }
            at = (first..to)
                .find(|i| self.marked.is_boundary(*i) || !self.is_free(*i) || (bracketed && words.is(*i, &[")"])))
                .map_or(to, |i| i + 1);
        }
        fallback.filter(|at| !words.is(*at, &DETAILS) && !self.is_opaque(*at))
    }

    fn in_brackets(&self, at: usize) -> bool {
        let words = self.words();
        (self.part.from..at).rev().take(60).take_while(|i| !words.is(*i, &[")"])).any(|i| words.is(i, &["("]))
    }

    fn is_opaque(&self, at: usize) -> bool {
        let tells_nothing =
            |meaning: &Meaning| matches!(meaning, Meaning::Opaque | Meaning::Dates(_) | Meaning::Recurs(_));
        self.marked.marks.iter().any(|mark| {
            tells_nothing(&mark.meaning)
                && (mark.from..mark.to).contains(&at)
                && !self.words().is(mark.from, &["d'", "d", "de", "en"])
        })
    }

    /// `départ à 8 h 30` but not `départ de la course des enfants`.
    fn clause_is_short(&self, first: usize) -> bool {
        let end =
            (first..self.part.to).find(|i| self.marked.is_boundary(*i) || !self.is_free(*i)).unwrap_or(self.part.to);
        (first..end).filter(|i| self.is_content(*i)).count() <= 3
    }

    fn title_end(&self, from: usize) -> usize {
        let words = self.words();
        let main_hour = self.part.times.first().map_or(self.part.to, |mark| self.marked.marks[*mark].from);
        // `les 32 km du 32, randonnée : départ à 8 h 30`: before the colon and the hour, all is title.
        let colon =
            (from..self.part.to).find(|at| self.marked.is_boundary(*at) && words.is(*at, &[":", ".", ";", "\n", "!"]));
        let mut at = from;
        let mut to = from;
        if let Some(colon) = colon.filter(|at| words.is(*at, &[":"]) && *at < main_hour && at - from <= 14)
            && (from..colon).all(|at| self.is_free(at))
        {
            // `Théâtre : « Le Malade »`: the kind, then the thing. `Randonnée : départ…` is the thing, then a detail.
            let next = colon + 1;
            let content = (from..colon).filter(|at| self.is_content(*at)).count();
            let thing = next < self.part.to
                && self.is_free(next)
                && !words.is(next, AUXILIARY)
                && !words.is(next, DETAILS)
                && !is_function(&words.tokens[next]);
            if content > 2 || !thing {
                return colon;
            }
            at = next;
        }
        while at < self.part.to {
            if let Some(end) = quotation(&words.tokens, at).filter(|end| *end <= self.part.to) {
                (at, to) = (end, end);
                continue;
            }
            if self.is_free(at) {
                if self.marked.is_boundary(at) || words.is(at, &["("]) && self.marked.enclosed[at] {
                    break;
                }
                at += 1;
                to = at;
                continue;
            }
            // A price within the clause is lifted out of it; after a place or an hour only its company continues it.
            let next = (at..self.part.to).find(|i| self.is_free(*i)).unwrap_or(self.part.to);
            let price = self.marked.marks.iter().any(|mark| mark.meaning == Meaning::Price && mark.from == at);
            let goes_on = next < self.part.to
                && (price
                    && !self.marked.is_boundary(next)
                    && words.tokens[next].kind == Kind::Word
                    && !words.is(next, &JOINTS)
                    || words.is(next, &["avec", "par"]));
            if !goes_on {
                break;
            }
            at = next;
        }
        if at < self.part.to && words.is(at, &[","]) && at == to { self.enumeration(at) } else { to }
    }

    /// `soirée jeux, crêpes et boissons`: a list belongs to its first word. Returns its end, or the comma itself.
    fn enumeration(&self, comma: usize) -> usize {
        const MOST_CLAUSES: usize = 5;
        let words = self.words();
        let mut at = comma;
        for _ in 0..MOST_CLAUSES {
            let first = at + 1;
            let starts = words.tokens.get(first).filter(|_| first < self.part.to).is_some_and(|token| {
                token.kind == Kind::Word
                    && self.is_content(first)
                    && !token.is_any(&AUXILIARY)
                    && !token.is_any(&DETAILS)
                    && !token.fold.ends_with("ee")
            });
            let end = (first..self.part.to)
                .find(|i| self.marked.is_boundary(*i) || !self.is_free(*i) || words.is(*i, &["("]))
                .unwrap_or(self.part.to);
            if !starts || end - first > 7 {
                return comma;
            }
            if (first..end).any(|i| words.is(i, &["et", "&"])) {
                let end = if words.tokens[end - 1].kind == Kind::Word && is_function(&words.tokens[end - 1]) {
                    end - 1
                } else {
                    end
                };
                return end;
            }
            if !words.is(end, &[","]) || end >= self.part.to {
                return comma;
            }
            at = end;
        }
        comma
    }

    /// The runs of words that no field has, as written.
    fn note(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut start: Option<usize> = None;
        for at in self.part.from..=self.part.to {
            let ends = at == self.part.to || !self.is_free(at);
            match (ends, start) {
                (false, None) => start = Some(at),
                (true, Some(first)) => {
                    out.extend(self.note_segment(first, at));
                    start = None;
                }
                _ => {}
            }
        }
        out
    }

    fn note_segment(&self, mut from: usize, mut to: usize) -> Option<String> {
        let words = self.words();
        let dangling = |at: usize| {
            let token = &words.tokens[at];
            (token.kind == Kind::Word
                && (token.is_any(&JOINTS)
                    || token
                        .is_any(&["de", "du", "d'", "a", "au", "le", "la", "l'", "les", "en", "est", "par", "pour"])))
                || (matches!(token.kind, Kind::Sign | Kind::Break)
                    && !token.is_any(&["«", "»", "\"", "(", ")", "[", "]"]))
        };
        // What a claimed word has left dangling at the end; at the beginning only signs and joints.
        while to > from && dangling(to - 1) {
            to -= 1;
        }
        while from < to
            && (words.tokens[from].is_any(&JOINTS)
                || matches!(words.tokens[from].kind, Kind::Sign | Kind::Break) && dangling(from))
        {
            from += 1;
        }
        if !(from..to).any(|at| self.is_content(at)) {
            return None;
        }
        let text = super::text::one_spaced(trimmed(words.slice(from, to)));
        (!text.is_empty()).then_some(text)
    }

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
            full_stop: self.ends_sentence(),
            start: self.slots.first().map(|slot| slot.start),
        };
        self.push_events(place, out);
        Some(known)
    }

    fn join_meeting_point(self, before: Option<&Known>, out: &mut Understood) -> Option<Known> {
        let words = super::text::one_spaced(trimmed(self.words().slice(self.part.from, self.part.to)));
        let event = out.events.last_mut()?;
        event.note = Some(match event.note.take() {
            Some(note) => format!("{note} · {words}"),
            None => words,
        });
        before.cloned()
    }

    fn ends_sentence(&self) -> bool {
        (self.part.from..self.part.to)
            .rev()
            .find(|at| self.is_free(*at))
            .is_some_and(|at| self.words().tokens[at].is_any(&[".", "!", "?", "\n"]))
    }

    /// The place with the commune that its surroundings give it.
    fn completed_place(&self, preamble: Option<&Preamble>, before: Option<&Known>) -> Option<Place> {
        let around = preamble
            .and_then(|preamble| preamble.place.clone())
            .or_else(|| before.filter(|known| !known.full_stop).and_then(|known| known.place.clone()));
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
            let elsewhere = self.setting.exhibition || place.names_a_locality() || self.names_another_commune();
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
        base.link = self.link(self.part.from, self.part.to);
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

    fn segments(&self, from: usize, to: usize) -> Vec<String> {
        let mut out = Vec::new();
        let mut start = None;
        for at in from..=to {
            let ends = at == to || !self.is_free(at);
            match (ends, start) {
                (false, None) => start = Some(at),
                (true, Some(first)) => {
                    out.extend(self.note_segment(first, at));
                    start = None;
                }
                _ => {}
            }
        }
        out
    }

    /// The first link over the tokens `from..to`.
    fn link(&self, from: usize, to: usize) -> Option<String> {
        let tokens = &self.words().tokens;
        let (start, end) = (tokens.get(from)?.start, tokens.get(to.checked_sub(1)?)?.end);
        self.links.iter().find(|link| link.start < end && link.end > start).map(|link| link.href.clone())
    }
}

fn until_words(text: &str) -> String {
    let text = tidy(text);
    let after = ["jusqu'à la ", "jusqu'à ", "jusqu'au ", "Jusqu'à ", "Jusqu'au "]
        .iter()
        .find_map(|lead| text.strip_prefix(lead));
    after.map_or(text.clone(), str::to_owned)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

fn trimmed_end(text: &str) -> &str {
    text.trim_end_matches([',', ' '])
}
