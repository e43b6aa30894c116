//! Where one item tells several events: the cut between them.
//!
//! Hours are the anchors. Each further hour either begins an event of its own, repeats the one before, or tells a
//! detail of it (`départ à 8 h 30`); what cannot be decided makes the whole item not understood.

use super::hours::{Slot, Times};
use super::marks::{Mark, Meaning, quotation};
use super::text::{Kind, Words};
use super::words::{AUXILIARY, GENRES, JOINTS, is_function};

/// A stretch of the item about one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Marks whose hours are the event's.
    pub(super) times: Vec<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// What stands before the first event and concerns all: `Fête du village :`.
    pub(super) preamble: Option<(usize, usize)>,
    pub(super) parts: Vec<Part>,
    pub(super) unsure: bool,
}

/// An item's words, with its marks, and which tokens stand in brackets or quotes.
pub(super) struct Marked<'w, 'a> {
    pub(super) words: &'w Words<'a>,
    pub(super) marks: Vec<Mark>,
    /// Token is inside `(…)` or a quotation: it bounds nothing.
    pub(super) enclosed: Vec<bool>,
    /// Token belongs to a mark that says something.
    marked: Vec<bool>,
}

impl<'w, 'a> Marked<'w, 'a> {
    pub(super) fn of(words: &'w Words<'a>, marks: Vec<Mark>) -> Self {
        let mut marked = vec![false; words.tokens.len()];
        for mark in marks.iter().filter(|mark| mark.meaning != Meaning::Opaque) {
            marked[mark.from..mark.to].fill(true);
        }
        Self { enclosed: enclosed(words), words, marks, marked }
    }

    /// A free word that means something: not an article, not a sign.
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
            && tokens[at - 1].is_any(&["st", "ste", "m", "mme", "mr", "dr", "cie"])
    }

    fn times(&self, mark: usize) -> Option<&Times> {
        match &self.marks[mark].meaning {
            Meaning::Times(times) => Some(times),
            _ => None,
        }
    }

    pub(super) fn cut(&self) -> Cut {
        let end = self.words.tokens.len();
        let anchors: Vec<usize> =
            (0..self.marks.len()).filter(|mark| self.times(*mark).is_some_and(|times| times.end.is_none())).collect();
        let mut cut = Cut { parts: vec![Part { from: 0, to: end, times: Vec::new() }], ..Cut::default() };
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
                Decision::Begins(at) => {
                    cut.parts[last].to = at;
                    cut.parts.push(Part { from: at, to: end, times: vec![anchor] });
                }
                Decision::Unsure => cut.unsure = true,
            }
            before = Some(anchor);
        }
        self.prefer_the_event_to_its_details(&mut cut);
        self.set_preamble(&mut cut);
        cut
    }

    /// What the hour of `anchor` is to the part that was read up to the hour `before`.
    fn decide(&self, part: &Part, before: usize, anchor: usize) -> Decision {
        let (after, here, behind) = (self.marks[before].to, self.marks[anchor].from, self.marks[anchor].to);
        let clause = (after..here).rev().find(|at| self.is_boundary(*at)).map(|at| at + 1);
        let said_before = self.first_content(clause.unwrap_or(after), here);
        let clause_end = self.clause_end(behind);
        let said_after = self.first_content(behind, clause_end);
        let is_auxiliary = |at: usize| self.words.is(at, &AUXILIARY);
        let only_auxiliary = |from: usize, to: usize| (from..to).filter(|at| self.is_content(*at)).all(is_auxiliary);
        const TELLS: [&str; 11] = [
            "depart",
            "departs",
            "ouverture",
            "inscription",
            "inscriptions",
            "rendez-vous",
            "rdv",
            "rv",
            "retour",
            "arrivee",
            "fin",
        ];
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
                self.words.is(*at, &JOINTS)
                    && !self.enclosed[*at]
                    && self.has_content(part.from, *at)
                    && self.has_content(*at, here)
            });
            if let Some(joint) = joint {
                return Decision::Begins(joint);
            }
            return if said_after.is_some() { Decision::Begins(here) } else { Decision::Unsure };
        }
        let only_details = (behind..clause_end).filter(|at| self.is_content(*at)).all(is_auxiliary);
        if said_after.is_none() || only_details {
            return Decision::Same;
        }
        // The hour of a part of the day that has just been said: `en soirée, à 21 h, concert`.
        let refines = self.times(before).is_some_and(|times| times.slots.is_empty());
        let untitled = !self.has_content(part.from, here);
        if refines && untitled { Decision::Same } else { Decision::Begins(here) }
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

    /// `Inscriptions à 8 h, départ à 9 h`: where all the hours of a part are details, a departure is the event's.
    fn prefer_the_event_to_its_details(&self, cut: &mut Cut) {
        for part in &mut cut.parts {
            let Some(&first) = part.times.first() else { continue };
            let rank = |mark: usize| {
                let from = (part.from..self.marks[mark].from)
                    .rev()
                    .find(|at| self.is_boundary(*at) || self.marked[*at])
                    .map_or(part.from, |at| at + 1);
                let word = self.first_content(from, self.marks[mark].from);
                match word {
                    Some(at) if self.words.is(at, &["depart", "departs", "top"]) => 1,
                    Some(at) if self.words.is(at, &["rendez-vous", "rdv", "rv"]) => 2,
                    Some(at) if self.words.is(at, &AUXILIARY) => 3,
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

    fn set_preamble(&self, cut: &mut Cut) {
        if cut.parts.len() < 2 {
            return;
        }
        let part = &mut cut.parts[0];
        let Some(first) = part.times.first().map(|mark| &self.marks[*mark]) else { return };
        // `Fête de l'ail : messe à 10 h 30, repas à 12 h 30`: the feast, then what it is made of.
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

enum Decision {
    Same,
    Detail,
    Begins(usize),
    Unsure,
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
