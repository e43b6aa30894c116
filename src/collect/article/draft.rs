//! A part of an item while the fields of its event claim its words.
//!
//! Decides which word belongs to which field, except for the title (`headline`). Each word is claimed at most once;
//! unclaimed words become the note, as written.

use super::calendar::Calendar;
use super::communes;
use super::days::{Recurrence, Spec, Weekdays};
use super::events::Setting;
use super::hours::{Slot, Times};
use super::html::Link;
use super::lines::has_number;
use super::marks::{Meaning, Said, Until, quotation};
use super::money::bare_label;
use super::parts::{Marked, Part, all_slots};
use super::place_field::{names_a_venue, place_field, visited};
use super::places::{Place, Reader};
use super::text::{Kind, Words, one_spaced, tidy, trimmed};
use super::titles::lower_first;
use super::words::{ADDRESSES, JOINTS, SERVICES, WHAT_AND_WHERE, is_event_noun, is_function};
use crate::domain::agenda::Event;

/// One part of an item while its words are being claimed.
pub(super) struct Draft<'m, 'w, 'a> {
    pub(super) marked: &'m Marked<'w, 'a>,
    pub(super) part: &'m Part,
    pub(super) links: &'m [Link],
    pub(super) setting: &'m Setting<'m>,
    pub(super) claimed: Vec<bool>,
    pub(super) event: Event,
    pub(super) slots: Vec<Slot>,
    pub(super) status: Option<Said>,
    /// Towns of `à Jégun et à Seissan`, each with the token where it begins.
    pub(super) towns: Vec<Place>,
    pub(super) place: Option<Place>,
    pub(super) title: String,
    pub(super) extra_note: Option<String>,
    /// Tokens of the title.
    pub(super) titled: Option<(usize, usize)>,
    /// The sentence used as the title: tokens.
    pub(super) as_written: Option<(usize, usize)>,
    /// The sentences beside it.
    pub(super) rest: Vec<String>,
}

impl<'m, 'w, 'a> Draft<'m, 'w, 'a> {
    pub(super) fn of(marked: &'m Marked<'w, 'a>, part: &'m Part, links: &'m [Link], setting: &'m Setting<'m>) -> Self {
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
            titled: None,
            as_written: None,
            rest: Vec::new(),
        }
    }

    pub(super) fn words(&self) -> &'w Words<'a> {
        self.marked.words
    }

    pub(super) fn claim(&mut self, from: usize, to: usize) {
        let (from, to) = (from.max(self.part.from), to.min(self.part.to));
        if from < to {
            self.claimed[from - self.part.from..to - self.part.from].fill(true);
        }
    }

    pub(super) fn is_free(&self, at: usize) -> bool {
        at.checked_sub(self.part.from).and_then(|at| self.claimed.get(at)).is_none_or(|claimed| !claimed)
    }

    /// A free word that is not only grammar.
    pub(super) fn is_content(&self, at: usize) -> bool {
        let token = &self.words().tokens[at];
        self.is_free(at) && matches!(token.kind, Kind::Word | Kind::Number) && !is_function(token)
    }

    pub(super) fn read(&mut self) {
        self.claim_marks();
        self.place = self.claim_place();
        self.claim_title();
        if self.place.is_none() && self.towns.is_empty() {
            self.place = self.visited_place();
        }
        self.choose();
    }

    pub(super) fn claim_marks(&mut self) {
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
        if let Some(Meaning::Times(ends)) = self.part.ends.map(|mark| &marked.marks[mark].meaning) {
            let end = ends.slots.first().map(|slot| slot.start);
            if let Some(slot) = self.slots.last_mut().filter(|slot| slot.end.is_none()) {
                slot.end = end;
            }
        }
        let mut prices: Vec<String> = Vec::new();
        for (index, mark) in marked.marks.iter().enumerate() {
            if mark.from < self.part.from || mark.to > self.part.to {
                continue;
            }
            let claim = match &mark.meaning {
                Meaning::Times(times) if times.end.is_some() => {
                    self.in_its_sentence(mark.from) && !self.ends_another(mark.from) && self.claim_end(times)
                }
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
                Meaning::Status(_) if !self.state_is_of_this(mark.from) => false,
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

    /// Whether a mark stands in the sentence with the hour of the part, or in one that follows from it.
    fn in_its_sentence(&self, at: usize) -> bool {
        let marked = self.marked;
        let hour = self
            .part
            .times
            .iter()
            .map(|mark| &marked.marks[*mark])
            .find(|mark| matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty()));
        hour.is_none_or(|hour| {
            marked.sentences.iter().any(|(from, to)| (*from..*to).contains(&hour.from) && (*from..*to).contains(&at))
                || (hour.to..at).all(|i| !marked.is_content(i))
        })
    }

    /// `la séance de 21 h est complète` does not apply to the one at 18 h: a state belongs to the hour in its own sentence.
    fn state_is_of_this(&self, at: usize) -> bool {
        let marked = self.marked;
        let Some((from, to)) =
            super::sentences::sentences(marked.words).into_iter().find(|(from, to)| (*from..*to).contains(&at))
        else {
            return true;
        };
        let in_sentence = |mark: &super::marks::Mark| {
            mark.from >= from
                && mark.to <= to
                && matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty())
        };
        let own = self.part.times.iter().any(|mark| in_sentence(&marked.marks[*mark]));
        // `COMPLET – liste d'attente à partir de 19 h 30`: the state opens the line, and the hour is of what follows the dash.
        let opens = at == from
            && marked.marks.iter().find(|mark| mark.from == at).is_some_and(|state| {
                let hour = marked.marks.iter().find(|mark| in_sentence(mark)).map_or(to, |mark| mark.from);
                super::dash::is_dash(marked.words, state.to) && (state.to..hour).any(|at| marked.is_content(at))
            });
        own || opens || !marked.marks.iter().any(in_sentence)
    }

    /// `la fanfare à 20 h 30 et DJ Bruyère jusqu'à 2 h`: behind a joint and a thing of its own, the end is of that thing.
    fn ends_another(&self, end: usize) -> bool {
        let marked = self.marked;
        let started = self.part.times.iter().map(|mark| marked.marks[*mark].to).filter(|to| *to <= end).max();
        let Some(started) = started else { return false };
        let Some(joint) = (started..end).rev().find(|at| marked.words.is(*at, &["et", "puis"])) else { return false };
        (joint + 1..end).any(|at| {
            let token = &marked.words.tokens[at];
            marked.is_content(at)
                && (token.capital
                    || is_event_noun(token)
                    || token.is_any(SERVICES)
                    || token.is_any(&["buvette", "restauration", "bar"]))
        })
    }

    /// `jusqu'à 23 h` ends the event that has begun.
    pub(super) fn claim_end(&mut self, times: &Times) -> bool {
        let sound = |start: chrono::NaiveTime| {
            use chrono::Timelike;
            times.end.is_none_or(|end| end > start || start.hour() >= 17 && end.hour() < 8)
        };
        match self.slots.as_mut_slice() {
            [slot] if !sound(slot.start) => false,
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

    pub(super) fn price(&self, from: usize, to: usize) -> String {
        let words = self.words();
        let text = words.slice(bare_label(&words.tokens, from), to).replace(['–', '—', '−'], "-");
        let text = tidy(trimmed(&text));
        // `Entrée libre` after a full stop is no name.
        if words.tokens[from].capital && !words.shouts(from) { lower_first(&text) } else { text }
    }

    pub(super) fn claim_until(&mut self, until: &Until, from: usize, to: usize) -> bool {
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
    pub(super) fn stands_apart(&self, from: usize, spec: &Spec) -> bool {
        let named = from > 0 && self.words().is(from - 1, &["du", "des", "de", "le", "les", "premier", "dernier"]);
        has_number(spec)
            || self.setting.placed_by_words && !named
            || self.words().is(from, &["ce", "le", "les"])
            || from == self.part.from
            || self.marked.is_boundary(from - 1)
            || self.words().tokens[from - 1].kind != Kind::Word
    }

    pub(super) fn claim_dates(&mut self, spec: &Spec) -> bool {
        let calendar = Calendar { last: self.setting.day.or(self.setting.calendar.last), ..*self.setting.calendar };
        let dates = calendar.dates(spec);
        if self.setting.exhibition && self.event.until.is_none() && matches!(spec, Spec::Range(..)) {
            self.event.until = dates.days.last().copied();
            return false; // the first day is in the note
        }
        let this_day = self.setting.day.is_some_and(|day| dates.days == [day]);
        dates.warnings.is_empty() && (this_day || (self.setting.placed_by_words && !dates.days.is_empty()))
    }

    pub(super) fn claim_recurrence(&self, recurs: Recurrence) -> bool {
        self.setting.placed_by_words && recurs != Recurrence::On(Weekdays::default())
    }

    pub(super) fn reader(&self, at: usize, end: usize, titled: bool) -> Reader<'w, 'a> {
        let after_mark = at > self.part.from && !self.is_free(at - 1);
        Reader { words: self.words(), end, titled, after_mark, in_commune: false }
    }

    /// Finds the places of the part and claims the words of the event's place.
    pub(super) fn claim_place(&mut self) -> Option<Place> {
        let mut found: Vec<Place> = Vec::new();
        let mut titled = false;
        let mut at = self.part.from;
        // The place, a dash or a colon, then what.
        if let Some(place) =
            self.place_before_colon().or_else(|| self.place_before_sign()).or_else(|| self.place_after_hour())
        {
            at = place.to;
            titled = true;
            self.claim(place.from, place.to);
            found.push(place);
        }
        // A place never extends over a claimed word: its position is found once, not from every token.
        let mut end = at;
        while at < self.part.to {
            if end <= at {
                end = (at + 1..self.part.to).find(|i| !self.is_free(*i)).unwrap_or(self.part.to);
            }
            if self.marked.quiet[at] {
                at += 1;
                continue;
            }
            if let Some(to) = quotation(&self.words().tokens, at) {
                titled = true;
                at = to.min(self.part.to);
                continue;
            }
            if let Some(place) = self.subject_commune(at) {
                found.push(place);
            }
            let place = if self.is_free(at) && !self.leaves_from_there(at) {
                self.reader(at, end, titled).place(at)
            } else {
                None
            };
            match place {
                Some(place) if place.to > at => {
                    let said_from = at;
                    at = place.to;
                    found.push(Place { said_from, ..place });
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
        // `excursion au village de Terraube. Départ place du Foirail`: the place is where it starts.
        let meets = |place: &Place| {
            let before =
                (self.part.from..place.from).rev().take_while(|at| !self.words().tokens[*at].is_sentence_end());
            before.into_iter().any(|at| self.words().is(at, &["depart", "rendez-vous", "rdv", "rv"]))
                || self.words().is(place.from, &["rendez-vous", "rdv", "rv"])
        };
        if let Some(at) = found.iter().position(meets).filter(|at| *at > 0) {
            // `promenade à Montréal (rendez-vous place de la Mairie)`: the town of the one, the spot of the other.
            let before: Vec<Place> = found.drain(..at).collect();
            let town = before.into_iter().find(|place| place.commune.is_some() && place.venue.is_none());
            if let Some((town, meeting)) = town.zip(found.first_mut()).filter(|(_, meeting)| meeting.commune.is_none())
            {
                self.claim(town.from, town.to);
                meeting.commune = town.commune;
            }
        }
        let mut found = found.into_iter();
        let mut place = found.next()?;
        self.claim(place.from, place.to);
        if let Some(other) = found.next() {
            let complements = match (&place.commune, &place.venue, &other.commune, &other.venue) {
                (Some(_), None, None, Some(_)) | (None, Some(_), Some(_), None) => true,
                (Some(a), None, Some(b), Some(_)) => a == b,
                // `au Centre social, de 14 h à 16 h, place Cardan à Ternoux`
                (None, Some(_), Some(_), Some(_)) => true,
                _ => false,
            };
            if complements && !self.words().is(other.from, &["rdv", "rv", "rendez-vous"]) {
                self.claim(other.said_from.min(other.from), other.to);
                place.commune = place.commune.or(other.commune);
                place.venue = match (place.venue.take(), other.venue) {
                    (Some(venue), Some(more)) if venue != more => Some(format!("{venue}, {more}")),
                    (venue, more) => venue.or(more),
                };
            }
        }
        Some(place)
    }

    /// `15 h, cinéma Le Pari. Le Siffleur…`: hour and place are a sentence, what it is the next one.
    fn place_after_hour(&self) -> Option<Place> {
        let mark = self.part.times.first().map(|mark| &self.marked.marks[*mark])?;
        let (from, to) = self.marked.sentences.iter().copied().find(|(from, to)| (*from..*to).contains(&mark.from))?;
        if (from..mark.from).any(|at| self.is_content(at))
            || !(to..self.part.to).any(|at| self.is_content(at) && !self.marked.quiet[at])
            // `20 h 30 : théâtre « Le Grand Ménage », espace Groult. 12 €` tells what.
            || (mark.to..to).any(|at| quotation(&self.words().tokens, at).is_some())
        {
            return None;
        }
        let place = place_field(self.words(), mark.to, to)?;
        Some(Place { from: mark.to, to: to.min(self.part.to), said_from: mark.to, ..place })
    }

    /// `Église Saint-Sigismond – concert de vielle`, `Salle des fêtes : loto, 14 h`
    fn place_before_sign(&self) -> Option<Place> {
        const FAR: usize = 10;
        let words = self.words();
        let from = (self.part.from..self.part.to).find(|at| words.tokens[*at].kind == Kind::Word)?;
        let sign = (from + 1..self.part.to.min(from + FAR)).find(|at| {
            let dash = words.is(*at, &["-"]) && words.tokens[*at].start > words.tokens[at - 1].end && *at > from + 1;
            (dash || words.is(*at, &[":"])) && self.is_free(*at)
        })?;
        if words.is(sign, &[":"]) {
            // `Pradines : messe, 18 h 30` behind another sentence with its own place
            let town = communes::written(words, from).filter(|(_, to)| *to == sign && self.part.from > 0);
            if let Some((town, _)) = town.filter(|_| (sign + 1..self.part.to).any(|at| self.is_content(at))) {
                let to = sign + 1;
                return Some(Place { commune: Some(town), from, to, said_from: from, ..Place::default() });
            }
            if !names_a_venue(words, from, sign) {
                return None;
            }
        } else if words.is(from, WHAT_AND_WHERE) && !names_a_venue(words, from, sign) {
            // `Atelier d'écriture – 14 h à 16 h, avec Ana Lopez`
            return None;
        }
        let place = place_field(words, from, sign)?;
        (place.venue.is_some() && (sign + 1..self.part.to).any(|at| self.is_content(at))).then_some(Place {
            from,
            to: sign + 1,
            said_from: from,
            ..place
        })
    }

    /// `Gérardmer, salle des Armes, 14 h : conférence`, `18 h - Murat, halle : veillée`: where and when, and behind the colon
    /// what.
    fn place_before_colon(&self) -> Option<Place> {
        const FAR: usize = 26;
        let words = self.words();
        let (from, to) = (self.part.from, self.part.to);
        let colon = (from..to.min(from + FAR)).find(|at| words.is(*at, &[":"]) && self.marked.is_boundary(*at))?;
        let mark_at = |at: usize| self.marked.marks.iter().find(|mark| mark.from <= at && at < mark.to);
        let (mut runs, mut timed, mut at) = (Vec::new(), false, from);
        while at < colon {
            if let Some(mark) = mark_at(at) {
                timed |= matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty());
                if !matches!(mark.meaning, Meaning::Times(_) | Meaning::Dates(_) | Meaning::Recurs(_)) {
                    return None;
                }
                at = mark.to;
                continue;
            }
            let start = at;
            while at < colon && mark_at(at).is_none() {
                at += 1;
            }
            let says =
                |at: &usize| matches!(words.tokens[*at].kind, Kind::Word | Kind::Number) || words.is(*at, &["(", ")"]);
            if let (Some(first), Some(last)) = ((start..at).find(says), (start..at).rfind(says)) {
                runs.push((first, last + 1));
            }
        }
        let [(first, last)] = runs.as_slice() else { return None };
        // `dim. 27/10 - 7h-18h - Neussargues en Pinatelle : vide-greniers`: a name no list knows
        let plain = |at: usize| {
            let token = &words.tokens[at];
            token.kind == Kind::Word && (token.capital || is_function(token)) && !is_event_noun(token)
        };
        let unlisted = || {
            let short = *last - *first <= 5 && words.tokens[*first].capital && (*first..*last).all(plain);
            let behind_hour =
                self.marked.marks.iter().any(|mark| mark.to <= *first && matches!(mark.meaning, Meaning::Times(_)));
            (short && behind_hour && !words.shouts(*first))
                .then(|| Place { venue: Some(tidy(words.slice(*first, *last))), ..Place::default() })
        };
        let known = place_field(words, *first, *last);
        let named = known.is_none();
        let place = known.or_else(unlisted)?;
        let sure = timed && (named || place.commune.is_some() || names_a_venue(words, *first, *last));
        let told = (colon + 1..to).any(|at| self.marked.is_content(at));
        (sure && told).then_some(Place { from: *first, to: *last, said_from: *first, ..place })
    }

    /// `Barran sort les tables`, `Pavie accueille le cirque`: the commune as subject is the place. Its words stay in the text.
    fn subject_commune(&self, at: usize) -> Option<Place> {
        let words = self.words();
        let opens = at == self.part.from || self.marked.is_boundary(at - 1) || !self.is_free(at - 1);
        if !opens || !self.is_free(at) {
            return None;
        }
        let (name, to) = communes::written(words, at)?;
        let verb = to + usize::from(words.is(to, &["se", "s'", "vous", "y"]));
        super::verbs::is_finite(words, verb).then(|| Place {
            commune: Some(name),
            from: at,
            to: at,
            said_from: at,
            ..Place::default()
        })
    }

    /// `randonnée de Pavie à Auch` goes from one town to another: neither is the place.
    pub(super) fn leaves_from_there(&self, at: usize) -> bool {
        let words = self.words();
        let leaves = (self.part.from..at).rev().take(5).find(|i| words.is(*i, &["de", "d'"]));
        words.is(at, &["a"])
            && leaves.is_some_and(|i| communes::known(&words.tokens, i + 1).is_some_and(|(_, to)| to == at))
    }

    /// How many of the first places are `à Jégun (…) et à Seissan (…)`: towns in a list.
    pub(super) fn listed_towns(&self, found: &[Place]) -> usize {
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

    pub(super) fn visited_place(&self) -> Option<Place> {
        let from = (self.part.from..self.part.to).find(|at| self.marked.is_content(*at))?;
        let to = (from..self.part.to).find(|at| self.marked.is_boundary(*at)).unwrap_or(self.part.to);
        visited(self.words(), from, to)
    }

    pub(super) fn in_brackets(&self, at: usize) -> bool {
        let words = self.words();
        (self.part.from..at).rev().take(60).take_while(|i| !words.is(*i, &[")"])).any(|i| words.is(i, &["("]))
    }

    /// The runs of unclaimed words, as written.
    pub(super) fn note(&self) -> Vec<String> {
        self.segments(self.part.from, self.part.to)
    }

    pub(super) fn segments(&self, from: usize, to: usize) -> Vec<String> {
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

    pub(super) fn note_segment(&self, mut from: usize, mut to: usize) -> Option<String> {
        let words = self.words();
        let dangling = |at: usize| {
            let token = &words.tokens[at];
            (token.kind == Kind::Word
                && (token.is_any(JOINTS)
                    || token
                        .is_any(&["de", "du", "d'", "a", "au", "le", "la", "l'", "les", "en", "est", "par", "pour"])))
                || (matches!(token.kind, Kind::Sign | Kind::Break)
                    && !token.is_any(&["«", "»", "\"", "(", ")", "[", "]"]))
        };
        // Words left dangling at the end by a claimed word; at the beginning only punctuation and conjunctions.
        while to > from && dangling(to - 1) {
            to -= 1;
        }
        while from < to
            && (words.is(from, &["et", "puis", "ou", "ensuite"])
                || matches!(words.tokens[from].kind, Kind::Sign | Kind::Break) && dangling(from))
        {
            from += 1;
        }
        if !(from..to).any(|at| self.is_content(at)) {
            return None;
        }
        let text = one_spaced(trimmed(words.slice(from, to)));
        let inner =
            text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).filter(|inner| !inner.contains(['(', ')']));
        let text = inner.map_or(text.clone(), str::to_owned);
        (!text.is_empty()).then_some(text)
    }

    /// The first link over the tokens `from..to`.
    pub(super) fn link(&self, from: usize, to: usize) -> Option<String> {
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
