//! The title of an event: the first words of its part that say what it is, and where they end.
//!
//! Only claims the words; `titles` decides how a title is shown.

use super::draft::Draft;
use super::marks::{Meaning, quotation};
use super::text::Kind;
use super::titles;
use super::words::{AUXILIARY, DETAILS, GENRES, JOINTS, is_event_noun, is_function};

/// Prepositions of place.
#[rustfmt::skip]
const OUTINGS: &[&str] = &[
    "montee", "visite", "visites", "descente", "excursion", "sortie", "balade", "randonnee", "promenade", "croisiere",
    "decouverte",
];
/// First words of a clause about time, audience or reason.
#[rustfmt::skip]
const CIRCUMSTANCES: &[&str] = &[
    "toujours", "encore", "egalement", "enfin", "apres", "pour", "si", "malgre", "depuis", "grace", "comme", "seul",
    "seule", "seuls", "envie", "afin", "ensuite", "ailleurs", "sinon", "plus",
];

impl Draft<'_, '_, '_> {
    /// The first clause that names the event.
    pub(super) fn claim_title(&mut self) {
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
        // `montée au donjon avec le guide`: the destination is part of the title.
        if pieces.len() > 1 && (self.words().is(from, OUTINGS) || self.words().is(from + 1, OUTINGS)) {
            pieces = vec![self.words().slice(from, to)];
        }
        let joined = pieces.into_iter().map(trimmed_end).collect::<Vec<_>>().join(" ");
        let shown = titles::shown(&joined);
        self.title = shown.text;
        self.extra_note = shown.replaced;
        self.titled = Some((from, to));
        self.claim(from, to);
    }

    pub(super) fn title_start(&self) -> Option<usize> {
        let words = self.words();
        let (from, to) = (self.part.from, self.part.to);
        // A clause of details (`Inscriptions à 8 h`, `Tarif réduit`) gives the title only if there is no other.
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
            let genre = words.is(first, GENRES) && words.is(first + 1, &["."]) && first + 2 < to
                || self.is_theme_sentence(at, first);
            let detail = genre
                || words.is(first, AUXILIARY) && self.clause_is_short(first)
                || words.is(first, DETAILS)
                || self.is_opaque(first)
                || self.is_label_of_days(first)
                || self.is_in_a_price_sentence(first);
            // `sous les cornières de Lavardens, petit marché`: where, then what.
            let locative = self.is_locative(first, at)
                && (first + 1..to).any(|i| self.marked.is_boundary(i) && (i + 1..to).any(|i| self.is_content(i)));
            let circumstance = self.is_circumstance(at.max(from), first);
            if !detail && !bracketed && !locative && !circumstance {
                // `la chorale`, `un bal`: the title includes the article before it; `titles` decides whether it is shown.
                let article = first > at
                    && self.is_free(first - 1)
                    && words.is(first - 1, &["le", "la", "les", "l'", "un", "une", "des", "du"]);
                // `sur les pas de d'Artagnan` is the name of a visit, not its place.
                let in_the_steps =
                    article && first > at + 1 && words.is(first, &["pas"]) && words.is(first - 2, &["sur"]);
                return Some(first - usize::from(article) - usize::from(in_the_steps));
            }
            if (detail || locative || circumstance) && !bracketed && !self.is_in_a_price_sentence(first) {
                fallback = fallback.or(Some(first));
            }
            at = (first..to)
                .find(|i| self.marked.is_boundary(*i) || !self.is_free(*i) || (bracketed && words.is(*i, &[")"])))
                .map_or(to, |i| i + 1);
        }
        fallback.filter(|at| !words.is(*at, DETAILS) && !self.is_opaque(*at))
    }

    /// `Nocturnes les mardis et vendredis : la bastide aux flambeaux`: when it is, and behind the colon what.
    fn is_label_of_days(&self, first: usize) -> bool {
        const LABELS: &[&str] = &["nocturne", "nocturnes", "seance", "seances", "ouverture", "ouvertures"];
        let words = self.words();
        let colon = (first + 1..self.part.to).find(|at| self.marked.is_boundary(*at) && self.is_free(*at));
        words.is(first, LABELS)
            && colon.is_some_and(|colon| {
                words.is(colon, &[":"])
                    && colon > first + 1
                    && (first + 1..colon).all(|at| !self.is_content(at))
                    && (colon + 1..self.part.to).any(|at| self.is_content(at))
            })
    }

    /// `3 € la demi-heure, patins compris.` behind a sentence with the hour: what it costs.
    fn is_in_a_price_sentence(&self, first: usize) -> bool {
        let sentence = self.marked.sentences.iter().find(|(from, to)| (*from..*to).contains(&first));
        sentence.is_some_and(|(from, _)| {
            *from > self.part.from
                && self.marked.marks.iter().any(|mark| mark.from == *from && mark.meaning == Meaning::Price)
        })
    }

    /// `De la marche. Dimanche, le club propose…`, `Des petits. …`: a few words that say what the sentences behind them are about.
    fn is_theme_sentence(&self, clause: usize, first: usize) -> bool {
        const LONGEST: usize = 5;
        let words = self.words();
        let (Some(lead), Some(end)) = (
            (clause..first).find(|at| words.tokens[*at].kind == Kind::Word),
            (first..self.part.to).find(|at| self.marked.is_boundary(*at)),
        ) else {
            return false;
        };
        lead == self.part.from
            && words.is(lead, &["de", "des", "du", "d'"])
            && words.is(end, &["."])
            && end - lead <= LONGEST
            && (end + 1..self.part.to).any(|at| self.is_content(at))
    }

    /// `Toujours mercredi, …`, `Et pour les noctambules, …`, `après une semaine de chaleur, …`, `Samedi matin, …`: a clause
    /// about time, audience or reason, followed by another.
    fn is_circumstance(&self, clause: usize, first: usize) -> bool {
        let words = self.words();
        let end = (first..self.part.to).find(|at| words.is(*at, &[","]) && self.marked.is_boundary(*at));
        let Some(end) = end.filter(|end| (end + 1..self.part.to).any(|at| self.is_content(at) && !self.is_opaque(at)))
        else {
            return false;
        };
        let lead = (clause..=first)
            .find(|at| words.tokens[*at].kind == Kind::Word && !words.is(*at, &["et", "mais", "puis", "ou"]));
        let says_why = lead.is_some_and(|at| {
            words.is(at, CIRCUMSTANCES)
                || words.is(at, &["dans"]) && words.is(at + 1, &["le"]) && words.is(at + 2, &["cadre"])
                || words.is(at, &["a"]) && words.is(at + 1, &["l'"]) && words.is(at + 2, &["occasion"])
        });
        let says_when = (first..end).filter(|at| self.is_content(*at)).all(|at| {
            super::days::weekday(&words.tokens[at]).is_some()
                || words.is(
                    at,
                    &["matin", "matinee", "soir", "soiree", "apres-midi", "midi", "nuit", "journee", "meme", "jour"],
                )
        });
        says_why || says_when
    }

    /// Whether the words at `first` stand behind a preposition of place.
    fn is_locative(&self, first: usize, from: usize) -> bool {
        let words = self.words();
        let article = first > from && words.is(first - 1, &["le", "la", "les", "l'", "un", "une"]);
        let before = if article { first.checked_sub(2) } else { first.checked_sub(1) };
        before.is_some_and(|at| {
            at >= from
                && words.is(at, &["sous", "dans", "sur", "devant", "derriere", "chez", "au", "aux", "a", "en"])
                && !words.is(first, &["pas", "avant"])
                && !is_event_noun(&words.tokens[first])
        })
    }

    /// Whether a duration begins at `at`.
    fn is_duration(&self, at: usize) -> bool {
        self.marked.marks.iter().any(|mark| {
            mark.from == at
                && mark.meaning == Meaning::Opaque
                && (mark.from..mark.to)
                    .any(|i| self.words().is(i, &["h", "heure", "heures", "min", "minutes", "mn", "duree"]))
        })
    }

    pub(super) fn is_opaque(&self, at: usize) -> bool {
        let tells_nothing =
            |meaning: &Meaning| matches!(meaning, Meaning::Opaque | Meaning::Dates(_) | Meaning::Recurs(_));
        self.marked.marks.iter().any(|mark| {
            tells_nothing(&mark.meaning)
                && (mark.from..mark.to).contains(&at)
                && !self.words().is(mark.from, &["d'", "d", "de", "en"])
        })
    }

    /// `départ à 8 h 30` but not `départ de la course des enfants`.
    pub(super) fn clause_is_short(&self, first: usize) -> bool {
        let end =
            (first..self.part.to).find(|i| self.marked.is_boundary(*i) || !self.is_free(*i)).unwrap_or(self.part.to);
        (first..end).filter(|i| self.is_content(*i)).count() <= 3
    }

    pub(super) fn title_end(&self, from: usize) -> usize {
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
            // `visite commentée d'une durée d'1 h 15`: the duration is not part of the title.
            if at > from && self.is_duration(at) {
                break;
            }
            // `Après-midi jeux organisé par l'association`: who is behind it is said in the note.
            if at > from
                && words.is(at, &["organise", "organisee", "organises", "organisees"])
                && words.is(at + 1, &["par"])
            {
                break;
            }
            if self.is_free(at) {
                if self.marked.is_boundary(at) || words.is(at, &["("]) && self.marked.enclosed[at] {
                    break;
                }
                at += 1;
                to = at;
                continue;
            }
            // A price within the clause is skipped; after a place or an hour the title continues only with « avec » or « par ».
            let next = (at..self.part.to).find(|i| self.is_free(*i)).unwrap_or(self.part.to);
            let price = self.marked.marks.iter().any(|mark| mark.meaning == Meaning::Price && mark.from == at);
            let goes_on = next < self.part.to
                && (price
                    && !self.marked.is_boundary(next)
                    && words.tokens[next].kind == Kind::Word
                    && !words.is(next, JOINTS)
                    || words.is(next, &["avec", "par"]));
            if !goes_on {
                break;
            }
            at = next;
        }
        if let Some(end) = self.name_behind_its_kind(from, to) {
            return end;
        }
        if at < self.part.to && words.is(at, &[","]) && at == to { self.enumeration(at) } else { to }
    }

    /// `20 h 30, conférence : « La Vienne à vélo »`, `ciné-club à 20 h 45 : « Les Oiseaux »`: the kind of thing alone, then its
    /// name behind a sign. Where the name ends.
    fn name_behind_its_kind(&self, from: usize, to: usize) -> Option<usize> {
        const MOST_WORDS: usize = 2;
        let words = self.words();
        let mut content = (from..to).filter(|at| self.is_content(*at));
        let kind = content.next().is_some_and(|at| is_event_noun(&words.tokens[at])) && content.count() < MOST_WORDS;
        let mut at = (to..self.part.to).find(|at| self.is_free(*at))?;
        let sign = words.is(at, &[":", ","]);
        at += 1;
        let end = Some(at)
            .filter(|at| *at < self.part.to)
            .and_then(|at| quotation(&words.tokens, at))
            .filter(|end| *end <= self.part.to)?;
        (kind && sign && words.is(at, &["«", "\""]) && !(from..to).any(|at| words.is(at, &["«", "\""]))).then_some(end)
    }

    /// `soirée jeux, crêpes et boissons`: a list belongs to its first word. Returns its end, or the comma itself.
    pub(super) fn enumeration(&self, comma: usize) -> usize {
        const MOST_CLAUSES: usize = 5;
        let words = self.words();
        let mut at = comma;
        for _ in 0..MOST_CLAUSES {
            let first = at + 1;
            let starts = words.tokens.get(first).filter(|_| first < self.part.to).is_some_and(|token| {
                token.kind == Kind::Word
                    && self.is_content(first)
                    && !token.is_any(AUXILIARY)
                    && !token.is_any(DETAILS)
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
}

fn trimmed_end(text: &str) -> &str {
    text.trim_end_matches([',', ' '])
}
