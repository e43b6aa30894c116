//! Splits an item into the parts of its events.
//!
//! Hours are the anchors. Each further hour either begins an event of its own, repeats the previous one, or is a detail
//! of it (`départ à 8 h 30`); if that cannot be decided, the whole item is not understood.

use super::hours::{Slot, Times};
use super::marks::{Mark, Meaning, quotation};
use super::places::Reader;
use super::sentences::{Role, only_where_and_when, role, sentences};
use super::text::{Kind, Words};
use super::words::{AUXILIARY, GENRES, SERVICES, is_event_noun, is_function, is_joint};

/// A stretch of the item about one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Marks whose hours are the event's.
    pub(super) times: Vec<usize>,
    /// The mark with the hour it ends: `ne ferme qu'à 4 h`, `dernière boule à 18 h`.
    pub(super) ends: Option<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Words before the first event that apply to all: `Fête du village :`.
    pub(super) preamble: Option<(usize, usize)>,
    pub(super) parts: Vec<Part>,
    pub(super) unsure: bool,
}

/// An item's words, with its marks, and which tokens stand in brackets or quotes.
pub(super) struct Marked<'w, 'a> {
    pub(super) words: &'w Words<'a>,
    pub(super) marks: Vec<Mark>,
    /// Token is inside `(…)` or a quotation: it is not a boundary.
    pub(super) enclosed: Vec<bool>,
    /// Token belongs to a mark with a meaning.
    marked: Vec<bool>,
    /// The token is in a sentence about booking or the office: its hours, days and places are not the event's.
    pub(super) quiet: Vec<bool>,
    /// Its sentences, as token ranges.
    pub(super) sentences: Vec<(usize, usize)>,
}

impl<'w, 'a> Marked<'w, 'a> {
    pub(super) fn of(words: &'w Words<'a>, mut marks: Vec<Mark>) -> Self {
        let mut quiet = vec![false; words.tokens.len()];
        let all = sentences(words);
        for &(from, to) in &all {
            if role(words, from, to) != Role::Tells && all.len() > 1 && !is_line_of_a_card(words, from, to) {
                quiet[from..to].fill(true);
            }
        }
        for mark in &mut marks {
            let of_sellers =
                || all.iter().any(|(from, to)| (*from..*to).contains(&mark.from) && is_of_sellers(words, *from));
            if quiet[mark.from]
                && (!matches!(mark.meaning, Meaning::Price | Meaning::Phone(_))
                    || mark.meaning == Meaning::Price && of_sellers())
            {
                mark.meaning = Meaning::Opaque;
            }
        }
        let mut marked = vec![false; words.tokens.len()];
        for mark in marks.iter().filter(|mark| mark.meaning != Meaning::Opaque) {
            marked[mark.from..mark.to].fill(true);
        }
        Self { enclosed: enclosed(words), words, marks, marked, quiet, sentences: all }
    }

    /// An unclaimed word with content: not an article, not punctuation.
    pub(super) fn is_content(&self, at: usize) -> bool {
        let token = &self.words.tokens[at];
        !self.marked[at] && matches!(token.kind, Kind::Word | Kind::Number) && !is_function(token)
    }

    fn has_content(&self, from: usize, to: usize) -> bool {
        (from..to).any(|at| self.is_content(at))
    }

    /// A sign that ends a clause.
    pub(super) fn is_boundary(&self, at: usize) -> bool {
        let token = &self.words.tokens[at];
        !self.enclosed[at]
            && !self.marked[at]
            && (token.is_sentence_end() || token.is_any(&[",", ":", "|"]))
            && !self.is_abbreviation(at)
    }

    /// The dot of `St.`, `M.`, `Cie.` or between the letters of a name.
    fn is_abbreviation(&self, at: usize) -> bool {
        let tokens = &self.words.tokens;
        tokens[at].is(".")
            && at > 0
            && tokens[at - 1].capital
            && tokens[at - 1].fold.len() <= 3
            && tokens[at - 1].kind == Kind::Word
            && tokens
                .get(at + 1)
                .is_some_and(|next| next.capital && next.start > tokens[at].end || next.start == tokens[at].end)
            && (tokens[at - 1].is_any(&["st", "ste", "m", "mme", "mr", "dr", "cie"])
                || tokens[at - 1].end - tokens[at - 1].start == 1)
    }

    fn times(&self, mark: usize) -> Option<&Times> {
        match &self.marks[mark].meaning {
            Meaning::Times(times) => Some(times),
            _ => None,
        }
    }

    pub(super) fn cut(&self) -> Cut {
        let end = self.words.tokens.len();
        let mut anchors: Vec<usize> =
            (0..self.marks.len()).filter(|mark| self.times(*mark).is_some_and(|times| times.end.is_none())).collect();
        // `ferme à 22 h au lieu de 19 h : nocturne de 19 h à 22 h`: a closing hour or a replaced hour is not an event.
        let closes_first = |mark: usize| {
            self.clause_words(mark).iter().any(|at| {
                self.words.is(*at, &["ferme", "fermera", "ferment"])
                    && !(*at > 0 && self.words.is(at - 1, &["la", "une", "de"]))
            })
        };
        while anchors.len() > 1 && closes_first(anchors[0]) {
            anchors.remove(0);
        }
        anchors.retain(|mark| !self.replaced(*mark));
        // `Soirée crêpes (installation à 17 h) à 19 h`
        while anchors.len() > 1
            && self.is_bracketed_detail(anchors[0])
            && anchors[1..].iter().map(|mark| self.marks[*mark].from).any(|hour| {
                !self.enclosed[hour] && self.sentence_of(hour) == self.sentence_of(self.marks[anchors[0]].from)
            })
        {
            anchors.remove(0);
        }
        // `Cabaret – ouverture des portes à 19 h, spectacle à 20 h`
        let is_time = |mark: usize| self.times(mark).is_some_and(|times| !times.slots.is_empty());
        let told: Vec<usize> =
            anchors.iter().copied().filter(|mark| !is_time(*mark) || !self.clause_opens_the_doors(*mark)).collect();
        if told.iter().any(|mark| is_time(*mark)) {
            anchors = told;
        }
        // `Le soir ? Deux écoles.`: a part of the day alone is not an event.
        let timed = |mark: usize| self.times(mark).is_some_and(|times| !times.slots.is_empty());
        let mut start = 0;
        // `Après-midi : jeu de piste, 14 h 30`: the hour says when in it.
        if let [first, rest @ ..] = anchors.as_slice()
            && !timed(*first)
            && self.marks[*first].from == self.sentence_of(self.marks[*first].from).0
            && self.words.is(self.marks[*first].to, &[":", "-"])
            && rest
                .iter()
                .any(|mark| timed(*mark) && self.sentence_of(self.marks[*mark].from).0 == self.marks[*first].from)
        {
            start = self.marks[anchors.remove(0)].to + 1;
        }
        if anchors.iter().any(|mark| timed(*mark)) {
            anchors.retain(|mark| timed(*mark) || self.names_an_event(self.sentence_of(self.marks[*mark].from)));
        }
        let mut cut = Cut { parts: vec![Part { from: start, to: end, ..Part::default() }], ..Cut::default() };
        let mut before: Option<usize> = None;
        for anchor in anchors {
            let last = cut.parts.len() - 1;
            let decision = match before {
                None => Decision::Same,
                Some(before) => self.decide(&cut.parts[last], before, anchor),
            };
            match decision {
                Decision::Same => cut.parts[last].times.push(anchor),
                Decision::Detail => {}
                Decision::Ends => cut.parts[last].ends = Some(anchor),
                Decision::Begins(at) => {
                    cut.parts[last].to = at;
                    cut.parts.push(Part { from: at, to: end, times: vec![anchor], ends: None });
                }
                Decision::Unsure => cut.unsure = true,
            }
            before = Some(anchor);
        }
        self.lift_the_part_of_day(&mut cut);
        self.prefer_the_event_to_its_details(&mut cut);
        self.set_preamble(&mut cut);
        cut
    }

    /// The role of the hour of `anchor` relative to the previous hour `before`.
    fn decide(&self, part: &Part, before: usize, anchor: usize) -> Decision {
        let (after, here, behind) = (self.marks[before].to, self.marks[anchor].from, self.marks[anchor].to);
        let without_hour = part.times.iter().all(|mark| self.times(*mark).is_some_and(|times| times.slots.is_empty()));
        let one_sentence = !(after..here).any(|at| self.words.tokens[at].is_sentence_end() && self.is_boundary(at));
        let sentence_start = self.sentence_of(here).0;
        let follows = one_sentence
            || self.words.is(
                sentence_start,
                &["elle", "il", "elles", "ils", "fin", "cloture", "fermeture", "dernier", "derniere", "retour"],
            );
        if self.closes(anchor) && !without_hour && follows {
            return Decision::Ends;
        }
        let clause = (after..here).rev().find(|at| self.is_boundary(*at)).map(|at| at + 1);
        let said_before = self.first_content(clause.unwrap_or(after), here);
        let clause_end = self.clause_end(behind);
        let said_after = self.first_content(behind, clause_end);
        let is_auxiliary = |at: usize| self.words.is(at, AUXILIARY);
        let only_auxiliary = |from: usize, to: usize| (from..to).filter(|at| self.is_content(*at)).all(is_auxiliary);
        #[rustfmt::skip]
        const TELLS: [&str; 12] = [
            "debut", "depart", "departs", "ouverture", "inscription", "inscriptions", "rendez-vous", "rdv", "rv", "retour",
            "arrivee", "fin",
        ];
        // `L'après-midi, kermesse (rendez-vous à 15 h)`: the hour specifies the part of the day.
        let says_hour = self.times(anchor).is_some_and(|times| !times.slots.is_empty());
        if self.enclosed[here] && !self.enclosed[self.marks[before].from] {
            let open = (after..here).rev().find(|at| self.words.is(*at, &["("]));
            let names =
                open.is_some_and(|open| self.names_an_event((open, here)) || self.names_an_event((behind, clause_end)));
            // `marché toute la journée (alimentaire le matin)`
            if !says_hour && !names {
                return Decision::Detail;
            }
            let detail = open.is_some() && self.is_bracketed_detail(anchor);
            if detail {
                return if without_hour && says_hour { Decision::Same } else { Decision::Detail };
            }
        }
        let told_at = said_before.is_none_or(is_auxiliary)
            && (said_before.is_some() || said_after.is_none_or(is_auxiliary) || !self.has_content(part.from, here));
        let joined =
            (after..here).any(|at| is_joint(self.words, at) && !self.enclosed[at] && self.has_content(part.from, at));
        let opens = !self.has_content(part.from, self.marks[before].from);
        let clause_begins_an_event = said_before.is_some_and(|at| is_event_noun(&self.words.tokens[at]));
        if without_hour
            && says_hour
            && one_sentence
            && (told_at || said_before.is_some() && !joined && (opens || !clause_begins_an_event))
        {
            return Decision::Same;
        }
        // `Départ à 13 h 30 place du Foirail, 13 h 45 allées Montmorency`: a second meeting point.
        let meets = (part.from..self.marks[before].from)
            .rev()
            .take_while(|at| !self.is_boundary(*at))
            .any(|at| self.words.is(at, &["depart", "departs", "rendez-vous", "rdv", "rv"]));
        if meets
            && one_sentence
            && (said_before.is_none() || self.only_place(after, here))
            && self.only_place(behind, clause_end)
        {
            return Decision::Detail;
        }
        // `12 €, billetterie sur place dès 19 h 45`, `Navette à 18 h 15`
        if said_before.is_some_and(|at| self.words.is(at, SERVICES)) {
            return Decision::Detail;
        }
        if one_sentence && says_hour && self.leaves_with(before) && self.leaves_with(anchor) {
            return Decision::Same;
        }
        // A new sentence with its own content is a new event: `… . À Lavardens, le château reçoit à 18 h`.
        let sentence = self.sentence_of(here);
        if sentence.0 > after && (self.opens_the_doors(sentence) || self.caters(sentence)) {
            return Decision::Detail;
        }
        if sentence.0 > after && self.tells(sentence.0, sentence.1, anchor) {
            return Decision::Begins(sentence.0);
        }
        // In a list by the hour, `18 h, remise des prix` is an event.
        let led_by_hour = said_before.is_none() && !one_sentence && says_hour;
        #[rustfmt::skip]
        const DETAILS_ONLY: [&str; 14] = [
            "inscription", "inscriptions", "reservation", "reservations", "billetterie", "fermeture", "retour",
            "dossards", "rendez-vous", "rdv", "rv", "ouverture", "accueil", "buvette",
        ];
        if led_by_hour && said_after.is_some_and(|at| is_auxiliary(at) && !self.words.is(at, &DETAILS_ONLY)) {
            return Decision::Begins(here);
        }
        if let Some(at) = said_before.filter(|at| is_auxiliary(*at))
            && (self.words.is(at, &TELLS) || only_auxiliary(at, here))
        {
            return Decision::Detail;
        }
        if said_before.is_none()
            && said_after.is_some_and(|at| is_auxiliary(at) && at <= behind + 1 && only_auxiliary(at, clause_end))
        {
            return Decision::Detail;
        }
        if said_before.is_some() {
            if let Some(clause) = clause
                && self.has_content(part.from, clause)
            {
                return Decision::Begins(clause);
            }
            let joint = (after..here).rev().find(|at| {
                is_joint(self.words, *at)
                    && !self.enclosed[*at]
                    && self.has_content(part.from, *at)
                    && self.has_content(*at, here)
            });
            if let Some(joint) = joint {
                return Decision::Begins(joint);
            }
            // `messe à 11 h avec apéritif à 12 h et repas à 13 h`: each hour stands behind its event.
            if !opens && clause_begins_an_event {
                return Decision::Begins(after);
            }
            return if said_after.is_some() { Decision::Begins(here) } else { Decision::Unsure };
        }
        let only_details = (behind..clause_end).filter(|at| self.is_content(*at)).all(is_auxiliary);
        if said_after.is_none() || only_details {
            return Decision::Same;
        }
        // The hour specifies the part of the day just before: `en soirée, à 21 h, concert`.
        let refines = self.times(before).is_some_and(|times| times.slots.is_empty());
        let untitled = !self.has_content(part.from, here);
        if refines && untitled { Decision::Same } else { Decision::Begins(here) }
    }

    /// `Concert à Auch. Reporté. Bal à 21 h.`: a state in a sentence of its own, behind a thing without an hour and before
    /// one that has its own, must not be printed over that one.
    pub(super) fn state_between_events(&self) -> bool {
        let within = |(from, to): (usize, usize), is: &dyn Fn(&Meaning) -> bool| {
            self.marks.iter().any(|mark| from <= mark.from && mark.to <= to && is(&mark.meaning))
        };
        let timed =
            |sentence| within(sentence, &|meaning| matches!(meaning, Meaning::Times(times) if !times.slots.is_empty()));
        let is_state = |sentence: (usize, usize)| {
            within(sentence, &|meaning| matches!(meaning, Meaning::Status(said) if said.at.is_none()))
                && !self.has_content(sentence.0, sentence.1)
        };
        let Some(state) = self.sentences.iter().position(|sentence| is_state(*sentence)) else { return false };
        let (before, after) = (&self.sentences[..state], &self.sentences[state + 1..]);
        before.iter().any(|sentence| self.has_content(sentence.0, sentence.1))
            && !before.iter().any(|sentence| timed(*sentence))
            && after.iter().any(|sentence| timed(*sentence) && self.names_an_event(*sentence))
    }

    /// `Bal à 21 h ; concert à 23 h`, and on a line of its own `Annulé.`: of which of them is not said.
    pub(super) fn state_below_several(&self, cut: &Cut) -> bool {
        let Some(&(from, to)) = self.sentences.last().filter(|_| cut.parts.len() > 1) else { return false };
        let states =
            |mark: &Mark| from <= mark.from && matches!(&mark.meaning, Meaning::Status(said) if said.at.is_none());
        from > 0
            && self.words.tokens[from - 1].kind == Kind::Break
            && !self.has_content(from, to)
            && self.marks.iter().any(states)
    }

    /// `Les portes n'ouvrent qu'à 20 h 30.`, `Ouverture du site dès 20 h.`: when one may come in, of what was told before.
    fn opens_the_doors(&self, (from, to): (usize, usize)) -> bool {
        const DOORS: [&str; 8] =
            ["portes", "site", "caisse", "caisses", "guichet", "guichets", "grilles", "billetterie"];
        const OPENS: [&str; 7] = ["ouverture", "ouvrent", "ouvre", "ouvriront", "ouvrira", "ouvertes", "ouvert"];
        let holds = |list: &[&str]| (from..to).any(|at| self.words.is(at, list));
        let attended = (from..to).any(|at| {
            is_event_noun(&self.words.tokens[at]) && !self.words.is(at, &["portes", "ouverture", "ouvertes"])
        });
        let open_day = (from..to).any(|at| self.words.is(at, &["portes"]) && self.words.is(at + 1, &["ouvertes"]));
        !open_day
            && holds(&DOORS)
            && holds(&OPENS)
            && !attended
            && !(from..to).any(|at| quotation(&self.words.tokens, at).is_some())
    }

    /// `ouverture des portes à 19 h`: the words before the hour in its clause.
    fn clause_opens_the_doors(&self, mark: usize) -> bool {
        let begins = self.times(mark).is_some_and(|times| matches!(times.slots.as_slice(), [Slot { end: None, .. }]));
        let clause = self.clause_words(mark);
        let clause: Vec<usize> = clause.into_iter().take_while(|at| !self.words.is(*at, &["-", "("])).collect();
        begins
            && clause
                .iter()
                .max()
                .zip(clause.iter().min())
                .is_some_and(|(last, first)| self.opens_the_doors((*first, last + 1)))
    }

    /// `Restauration sur place dès midi.`, `Buvette et petite restauration à partir de 18 h.`: beside what was told before.
    fn caters(&self, (from, to): (usize, usize)) -> bool {
        const CATERING: [&str; 7] =
            ["restauration", "buvette", "buvettes", "snack", "food-truck", "food-trucks", "foodtruck"];
        #[rustfmt::skip]
        const BESIDE: [&str; 12] = [
            "petite", "place", "rapide", "legere", "locale", "assuree", "possible", "proposee", "disponible", "prevue", "ouverte", "bar",
        ];
        let mut content = (from..to).filter(|at| self.is_content(*at));
        content.clone().any(|at| self.words.is(at, &CATERING))
            && content.all(|at| self.words.is(at, &CATERING) || self.words.is(at, &BESIDE))
    }

    /// `Départ du 22 km à 9 h, départ du 11 km à 10 h`, `départ enfants 10 h`: the start of one of several runs.
    fn leaves_with(&self, mark: usize) -> bool {
        const RUNNERS: [&str; 10] = [
            "km",
            "kilometres",
            "enfants",
            "adultes",
            "marcheurs",
            "coureurs",
            "vetetistes",
            "femmes",
            "hommes",
            "jeunes",
        ];
        let clause = self.clause_words(mark);
        clause.iter().any(|at| self.words.is(*at, &["depart", "departs"]))
            && clause.iter().any(|at| self.words.is(*at, &RUNNERS))
    }

    fn names_an_event(&self, (from, to): (usize, usize)) -> bool {
        (from..to).any(|at| is_event_noun(&self.words.tokens[at]) || quotation(&self.words.tokens, at).is_some())
    }

    fn sentence_of(&self, at: usize) -> (usize, usize) {
        let found = self.sentences.iter().copied().find(|(from, to)| (*from..*to).contains(&at));
        found.unwrap_or((0, self.words.tokens.len()))
    }

    /// Whether a sentence has content beside its hour, its place and words like `départ`.
    fn tells(&self, from: usize, to: usize, anchor: usize) -> bool {
        let hour = &self.marks[anchor];
        // Another hour in the sentence ends the words of this one.
        let next = self
            .marks
            .iter()
            .find(|mark| mark.from >= hour.to && matches!(&mark.meaning, Meaning::Times(times) if times.end.is_none()));
        let to = next.map_or(to, |next| next.from.min(to));
        let mut at = from;
        while at < to {
            let reader = Reader { words: self.words, end: to, titled: true, after_mark: true, in_commune: false };
            if let Some(place) = reader.place(at).filter(|place| place.to > at) {
                at = place.to;
                continue;
            }
            if self.is_content(at) && !self.words.is(at, AUXILIARY) && !self.words.is(at, &["donne", "fixe", "lieu"]) {
                return true;
            }
            at += 1;
        }
        false
    }

    /// `bal (dernière danse à 1 h)`, `9 h 15 (rdv 9 h)`, `concert (première partie à 19 h 45)`: an hour in brackets of nothing that
    /// one attends for itself.
    fn is_bracketed_detail(&self, mark: usize) -> bool {
        #[rustfmt::skip]
        const BEFORE: [&str; 10] = [
            "dernier", "derniere", "derniers", "depot", "depots", "installation", "montage", "repetition", "rdv", "rv",
        ];
        let here = self.marks[mark].from;
        if !self.enclosed[here] {
            return false;
        }
        let open = (0..here).rev().take_while(|at| self.enclosed[*at]).find(|at| self.words.is(*at, &["("]));
        let close = (here..self.words.tokens.len()).find(|at| self.words.is(*at, &[")"]));
        let Some((open, close)) = open.zip(close) else { return false };
        let first = self.first_content(open + 1, here);
        let bound = |at: usize| self.words.is(at, AUXILIARY) || self.words.is(at, &BEFORE);
        bound(open + 1) || first.is_some_and(bound) || first.is_some() && !self.names_an_event((open, close))
    }

    /// The words of the clause before the hour of a mark.
    fn clause_words(&self, mark: usize) -> Vec<usize> {
        const FAR: usize = 8;
        let here = self.marks[mark].from;
        (here.saturating_sub(FAR)..here).rev().take_while(|at| !self.is_boundary(*at) && !self.marked[*at]).collect()
    }

    /// Whether the hour is when something ends: `ne ferme qu'à 4 h`, `se termine à minuit`, `dernière boule à 18 h`.
    fn closes(&self, mark: usize) -> bool {
        #[rustfmt::skip]
        const CLOSINGS: [&str; 27] = [
            "ferme", "fermera", "ferment", "finit", "finira", "finissent", "termine", "terminera", "terminent",
            "acheve", "achevera", "cloture", "fermeture", "dernier", "derniere", "fin", "remballe", "remballent",
            "referme", "referment", "plie", "conclut", "conclura", "s'achevera", "prendra-fin", "terminus", "jusque",
        ];
        let words = self.clause_words(mark);
        // `ne les referme qu'à 20 h`
        let here = self.marks[mark].from;
        if here > 0 && self.words.is(here - 1, &["qu'"]) && words.iter().any(|at| self.words.is(*at, &["ne", "n'"])) {
            return true;
        }
        let one_hour = self.times(mark).is_some_and(|times| times.slots.len() == 1 && times.slots[0].end.is_none());
        // `dernier bal et soupe à l'oignon à 21 h` is an event, and so is one that ends with another event.
        let attended = words.iter().any(|at| is_event_noun(&self.words.tokens[*at]));
        // `à la ferme à 12 h 30` is not a closing hour (« ferme » is a farm).
        let noun = |at: usize| at > 0 && self.words.is(at - 1, &["la", "une", "de"]);
        // Only near the hour: in `les séances de fin d'année commencent à 18 h` it is not a closing hour.
        let near = |at: usize| self.marks[mark].from - at <= 5;
        let words: Vec<usize> = words
            .into_iter()
            .filter(|at| near(*at))
            .filter(|at| !noun(*at) || self.words.is(*at, &["fin", "fermeture", "derniere"]))
            .collect();
        let verb = words.iter().any(|at| self.words.is(*at, &CLOSINGS[..12]));
        one_hour
            && (verb || !attended)
            && words.iter().any(|at| self.words.is(*at, &CLOSINGS))
            && !self.words.is(self.marks[mark].to, &["par", "avec", ","])
    }

    /// `au lieu de 19 h`, `et non 18 h`: an hour that no longer applies.
    fn replaced(&self, mark: usize) -> bool {
        let mut here = self.marks[mark].from;
        while here > 2 && self.words.is(here - 1, &["plus", "pas", "plutot", "a"]) {
            here -= 1;
        }
        here >= 2
            && (self.words.is(here - 1, &["lieu"]) && self.words.is(here - 2, &["au"])
                || here >= 3 && self.words.is(here - 1, &["de"]) && self.words.is(here - 2, &["lieu"])
                || self.words.is(here - 1, &["non"]) && self.words.is(here - 2, &["et"]))
    }

    /// Whether `from..to` is only a place.
    fn only_place(&self, from: usize, to: usize) -> bool {
        let mut at = from;
        while at < to {
            let reader = Reader { words: self.words, end: to, titled: true, after_mark: true, in_commune: false };
            if let Some(place) = reader.place(at).filter(|place| place.to > at) {
                at = place.to;
                continue;
            }
            if self.is_content(at) {
                return false;
            }
            at += 1;
        }
        true
    }

    fn first_content(&self, from: usize, to: usize) -> Option<usize> {
        (from..to).find(|at| self.is_content(*at))
    }

    /// End of the clause after an hour: `à 10 h, visite` has its clause behind the comma.
    fn clause_end(&self, behind: usize) -> usize {
        let tokens = &self.words.tokens;
        let mut from = behind;
        while from < tokens.len() && (tokens[from].is_any(&[",", ":", "-", "\n", "|"]) || self.closes_nothing(from)) {
            from += 1;
        }
        (from..tokens.len()).find(|at| self.is_boundary(*at) || self.starts_time(*at)).unwrap_or(tokens.len())
    }

    fn closes_nothing(&self, at: usize) -> bool {
        self.words.is(at, &[")"])
    }

    fn starts_time(&self, at: usize) -> bool {
        self.marked[at]
            && self.marks.binary_search_by_key(&at, |mark| mark.from).is_ok_and(|mark| self.times(mark).is_some())
    }

    /// `Inscriptions à 8 h, départ à 9 h`: if all hours of a part are details, the departure is the hour of the event.
    fn prefer_the_event_to_its_details(&self, cut: &mut Cut) {
        for part in &mut cut.parts {
            let Some(&first) = part.times.first() else { continue };
            let rank = |mark: usize| {
                let from = (part.from..self.marks[mark].from)
                    .rev()
                    .find(|at| self.is_boundary(*at) || self.marked[*at])
                    .map_or(part.from, |at| at + 1);
                let word = self.first_content(from, self.marks[mark].from);
                // `rdv` is no word of its own elsewhere.
                let meets = (from..self.marks[mark].from).any(|at| self.words.is(at, &["rdv", "rv"]));
                match word {
                    None if meets => 2,
                    Some(at) if self.words.is(at, &["depart", "departs", "top", "debut"]) => 1,
                    Some(at) if self.words.is(at, &["rendez-vous", "rdv", "rv"]) => 2,
                    Some(at) if self.words.is(at, AUXILIARY) => 3,
                    _ => 0,
                }
            };
            let within = (0..self.marks.len()).filter(|mark| {
                (part.from..part.to).contains(&self.marks[*mark].from)
                    && self.times(*mark).is_some_and(|times| !times.slots.is_empty())
            });
            if rank(first) >= 2
                && let Some(better) =
                    within.min_by_key(|mark| (rank(*mark), *mark)).filter(|mark| rank(*mark) < rank(first))
            {
                part.times = vec![better];
            }
        }
    }

    /// `2 rendez-vous le matin : à 9 h le yoga, et à 10 h 30…`: the part of the day is an introduction, not an event.
    fn lift_the_part_of_day(&self, cut: &mut Cut) {
        let [first, second, ..] = cut.parts.as_slice() else { return };
        let Some(mark) =
            first.times.first().filter(|mark| self.times(**mark).is_some_and(|times| times.slots.is_empty()))
        else {
            return;
        };
        let colon = self.marks[*mark].to;
        if first.times.len() == 1 && self.words.is(colon, &[":"]) && second.from == colon + 1 {
            cut.preamble = Some((first.from, colon));
            cut.parts.remove(0);
        }
    }

    /// `Fête du village. 8 heures, randonnée ; midi, apéritif.`: a sentence before the one with the first hour, which
    /// tells its own event.
    fn lift_the_first_sentences(&self, cut: &mut Cut) {
        let part = &mut cut.parts[0];
        let Some(first) = part
            .times
            .iter()
            .map(|mark| &self.marks[*mark])
            .find(|mark| matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty()))
        else {
            return;
        };
        let Some((from, to)) = sentences(self.words).into_iter().find(|(from, to)| (*from..*to).contains(&first.from))
        else {
            return;
        };
        // `« Le Roi », théâtre d'objets. Mercredi 26 à 15 h, Scène nationale (Aubusson).`: only where.
        let place = first.to + usize::from(self.words.is(first.to, &[","]));
        let practical = super::practical::is_practical(self.words.slice(from, to))
            || self.names_an_event((part.from, from))
                && super::place_field::ends_with_town(self.words, place, to).is_some();
        let own = self.has_content(from, to.min(part.to)) && !practical;
        let leads = (from..first.from).all(|at| !self.is_content(at));
        if from > part.from && own && leads && self.has_content(part.from, from) && cut.preamble.is_none() {
            cut.preamble = Some((part.from, from));
            part.from = from;
        }
    }

    fn set_preamble(&self, cut: &mut Cut) {
        self.lift_the_first_sentences(cut);
        if cut.parts.len() < 2 || cut.preamble.is_some() {
            return;
        }
        let part = &mut cut.parts[0];
        let Some(first) = part.times.first().map(|mark| &self.marks[*mark]) else { return };
        // `Fête de l'ail : messe à 10 h 30, repas à 12 h 30`: the festival, then its parts.
        let last_colon = (part.from..first.from)
            .rev()
            .find(|at| self.words.is(*at, &[":"]) && !self.enclosed[*at] && !self.marked[*at]);
        if let Some(colon) = last_colon
            && self.has_content(colon + 1, first.from)
        {
            let mut content = (part.from..colon).filter(|at| self.is_content(*at));
            let genre = content.next().is_some_and(|at| self.words.is(at, GENRES)) && content.next().is_none();
            if !genre && self.has_content(part.from, colon) {
                cut.preamble = Some((part.from, colon));
                part.from = colon + 1;
            }
            return;
        }
        // `2 rendez-vous : dès 20 h la chorale, et à 21 h 30…`, `fête du village avec, à 19 h, apéritif`
        let mut end = first.from;
        while end > part.from && self.words.is(end - 1, &[",", "\n"]) {
            end -= 1;
        }
        if !(end > part.from && self.words.is(end - 1, &[":", "avec"])) {
            return;
        }
        let events_follow = self.has_content(first.to, self.clause_end(first.to));
        if events_follow && self.has_content(part.from, end) {
            cut.preamble = Some((part.from, end));
            part.from = end;
        }
    }
}

#[derive(Debug)]
enum Decision {
    Same,
    Detail,
    Ends,
    Begins(usize),
    Unsure,
}

/// `Tous les jours de 15 h à 23 h | Domme` below a title: when and where, as the opening hours of a place are said.
fn is_line_of_a_card(words: &Words<'_>, from: usize, to: usize) -> bool {
    let below = from > 0 && words.tokens[from - 1].kind == Kind::Break;
    let dated =
        super::days::recurrence(&words.tokens, from).is_some() || super::days::date(&words.tokens, from).is_some();
    // `Horaires : 8 h à 18 h`; `Horaires : du lundi au vendredi…` may be of an office.
    let weekly = (from..to).any(|at| super::days::recurrence(&words.tokens, at).is_some());
    let labelled = words.is(from, super::practical::HOUR_LABELS) && words.is(from + 1, &[":"]) && !weekly;
    let hour = labelled && super::hours::time(&words.tokens, from + 2).is_some();
    below && (hour || (dated || labelled) && only_where_and_when(words, from, to))
}

/// `Exposants : 2 € le mètre`: what they pay is no price of the event.
fn is_of_sellers(words: &Words<'_>, from: usize) -> bool {
    let first = (from..words.tokens.len()).find(|at| words.tokens[*at].kind == Kind::Word);
    first.is_some_and(|at| words.is(at, &["exposants", "exposant"]))
}

fn enclosed(words: &Words<'_>) -> Vec<bool> {
    const LONGEST_BRACKET: usize = 60;
    let tokens = &words.tokens;
    let mut out = vec![false; tokens.len()];
    let mut at = 0;
    while at < tokens.len() {
        let close = if tokens[at].is("(") {
            (at + 1..tokens.len().min(at + LONGEST_BRACKET)).find(|i| tokens[*i].is(")")).map(|i| i + 1)
        } else {
            quotation(tokens, at)
        };
        match close {
            Some(to) => {
                out[at..to].fill(true);
                at = to;
            }
            None => at += 1,
        }
    }
    out
}

/// The slots of several marks of one part, in the order they are written.
pub(super) fn all_slots(times: &[&Times]) -> Vec<Slot> {
    times.iter().flat_map(|times| times.slots.iter().copied()).collect()
}
