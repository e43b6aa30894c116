//! Decides what is printed of an event: its title if it certainly names it, else the sentence as written.
//!
//! The confidence rule. A title must name something one attends (a noun for events, a quotation, a proper name that is
//! not a place) and must not be a fragment (no finite verb, no connector or preposition at its edges, not just a venue,
//! town, label or part of the day). The rest of its clause must be whole clauses or words without content; if fragments
//! would remain, the sentence is printed as it is.

use super::communes;
use super::days::weekday;
use super::draft::Draft;
use super::flaw::{Flaw, NEVER_FIRST, WEAK_NOUNS, flaw, is_adverb, is_pictogram};
use super::marks::{Meaning, quotation};
use super::sentences::{Role, role, sentences};
use super::text::{Kind, Token, Words, one_spaced, tidy, trimmed};
use super::titles;
use super::verbs::is_finite;
use super::words::{AUXILIARY, DETAILS, is_event_noun, is_function, is_venue};

impl Draft<'_, '_, '_> {
    /// Keeps the title if it is certain, finds a better one in the clause, or uses the sentence.
    pub(super) fn choose(&mut self) {
        if self.title.starts_with(super::names::OPEN)
            || self.takes_its_theme()
            || self.title.is_empty()
            || self.setting.titled && self.title_is_first_line()
        {
            return;
        }
        let flawed = flaw(&self.title);
        let certain = (flawed.is_none() || flawed == Some(Flaw::NothingToAttend) && self.is_all_of_its_clause())
            && !self.is_subject_only()
            && !self.is_pitch()
            && !self.another_event_is_nearer()
            && (self.towns.len() > 1 || !self.leaves_scraps());
        if certain {
            return;
        }
        if let Some(title) = self.title_of_the_chapter() {
            // What is not said by a field goes into the note, with all words of the sentence.
            (self.title, self.as_written) = (title, None);
            self.claimed.fill(true);
            return;
        }
        let (from, to) = self.sentence();
        self.stand_as_written(from, to);
    }

    /// `8. Un super loto à Corcieux` above the one sentence `Le comité vous attend samedi à 20 h…`: the heading says what.
    pub(super) fn title_of_the_chapter(&self) -> Option<String> {
        let theme = self.setting.theme.filter(|_| self.setting.chapter)?;
        let words = self.words();
        let alone = self.part.from == 0 && self.part.to >= words.tokens.len();
        // The number of the chapter
        let unnumbered = theme.trim_start_matches(|c: char| c.is_ascii_digit());
        let unnumbered =
            unnumbered.strip_prefix(['.', ')']).filter(|_| unnumbered.len() < theme.len()).unwrap_or(theme);
        let title = titles::shown(unnumbered).text;
        let heading = Words::of(&title);
        let names = heading.tokens.iter().take(4).any(|token| is_event_noun(token) && !is_venue(token));
        // A sentence that names another thing first is not told by the heading.
        let attended = |token: &&Token| is_event_noun(token) && !is_venue(token) && !token.is_any(AUXILIARY);
        let first = words.tokens[self.part.from..self.part.to].iter().find(attended);
        let other = first.is_some_and(|noun| !heading.tokens.iter().any(|said| said.fold == noun.fold));
        (alone && names && !other && flaw(&title).is_none()).then_some(title)
    }

    /// `Mercredi : Gimont, halle, de 8 h à 13 h` under « Les marchés »: where and when, and the heading says what.
    fn takes_its_theme(&mut self) -> bool {
        let Some(theme) = self.setting.theme else { return false };
        let words = self.words();
        if (self.part.from..self.part.to).any(|at| words.is(at, &["«", "\""])) {
            return false;
        }
        let mut at = self.part.from;
        while at < self.part.to {
            // `salle des fêtes (club de foot)`: who organises it.
            if self.marked.enclosed[at] {
                at += 1;
                continue;
            }
            if let Some(mark) = self.marked.marks.iter().find(|mark| mark.from <= at && at < mark.to) {
                at = mark.to;
                continue;
            }
            let reader =
                super::places::Reader { words, end: self.part.to, titled: true, after_mark: true, in_commune: true };
            if let Some(place) = reader.place(at).filter(|place| place.to > at) {
                at = place.to;
                continue;
            }
            if let Some((_, to)) = communes::known(&words.tokens, at) {
                at = to;
                continue;
            }
            let token = &words.tokens[at];
            let says = matches!(token.kind, Kind::Word)
                && !is_function(token)
                && weekday(token).is_none()
                && !token.is_any(&["nocturne", "matin", "soir"]);
            if says {
                return false;
            }
            at += 1;
        }
        let theme = Words::of(theme);
        let Some(noun) = theme.tokens.iter().position(is_event_noun) else { return false };
        // « Brocantes, marchés » is no title.
        if theme.is(noun + 1, &[",", "/"]) {
            return false;
        }
        let end = theme.tokens.iter().rposition(|token| token.kind == Kind::Word).map_or(noun + 1, |last| last + 1);
        self.title = titles::singular(&titles::shown(theme.slice(noun, end)).text);
        // `Dimanche : Eauze, 14 h 30, hall des expositions`: the town stands first.
        let head = (self.part.from..self.part.to).find(|at| {
            let marked = self.marked.marks.iter().any(|mark| (mark.from..mark.to).contains(at));
            words.tokens[*at].kind == Kind::Word && weekday(&words.tokens[*at]).is_none() && !marked
        });
        let head = head.and_then(|at| communes::written(words, at)).filter(|(_, to)| words.is(*to, &[",", "("]));
        if let (Some(place), Some((town, _))) = (&mut self.place, head) {
            place.commune = Some(town);
        }
        if self.place.is_none() {
            let town = (self.part.from..self.part.to).find_map(|at| communes::written(words, at));
            self.place =
                town.map(|(name, to)| super::places::Place { commune: Some(name), from: to, to, ..Default::default() });
        }
        self.as_written = None;
        self.claimed.fill(true);
        true
    }

    /// An item of several lines has its title above its text: that line is the title whatever its words.
    fn title_is_first_line(&self) -> bool {
        let text = self.words().text;
        let first = text.split('\n').next().unwrap_or_default();
        tidy(first).contains(self.title.trim())
            && !matches!(flaw(&self.title), Some(Flaw::Edge | Flaw::Empty | Flaw::Fragment))
    }

    /// `19 h 30 – 21 h Kazouets`, `18 h, remise des prix`: in a list by the hour, the words after the hour are the event,
    /// whatever they are.
    fn is_all_of_its_clause(&self) -> bool {
        let words = self.words();
        let (Some((from, to)), Some(mark)) =
            (self.titled, self.part.times.first().map(|mark| &self.marked.marks[*mark]))
        else {
            return false;
        };
        let led = mark.to <= from
            && (mark.to..from).all(|at| !self.marked.is_content(at))
            && (self.part.from..mark.from).all(|at| !self.is_content(at));
        let closed = to >= self.part.to
            || self.marked.is_boundary(to)
            || words.is(to, &["(", "-", "+", "&"])
            || !self.is_free(to);
        let content: Vec<&Token> =
            (from..to).filter(|at| self.marked.is_content(*at)).map(|at| &words.tokens[at]).collect();
        let first = content.first();
        let only_when_or_where = content.iter().all(|token| {
            token.kind == Kind::Number
                || weekday(token).is_some()
                || token.is_any(&["matin", "soir", "midi", "apres-midi", "journee", "nuit", "soiree", "matinee", "km"])
        }) || communes::known(&words.tokens, from).is_some_and(|(_, end)| end >= to);
        #[rustfmt::skip]
        const LABELS: [&str; 16] = [
            "depart", "departs", "inscription", "inscriptions", "rendez-vous", "rdv", "rv", "retour", "arrivee",
            "fermeture", "reservation", "reservations", "tarif", "tarifs", "fin", "billetterie",
        ];
        let label = first.is_some_and(|token| token.is_any(&LABELS) || is_adverb(token) || token.is_any(NEVER_FIRST));
        // If the sentence contains more than place and price, its first words are not a title but only its beginning.
        let sentence_end = self
            .marked
            .sentences
            .iter()
            .find(|(a, b)| (*a..*b).contains(&from))
            .map_or(self.part.to, |(_, b)| (*b).min(self.part.to));
        let more = (to..sentence_end).any(|at| {
            self.is_content(at) && !self.marked.enclosed[at] && !words.is(at, AUXILIARY) && !words.is(at, DETAILS)
        });
        let counted = first.is_some_and(|token| token.kind == Kind::Number || is_venue(token) && !is_event_noun(token));
        led && !more && !counted && closed && !content.is_empty() && content.len() <= 9 && !only_when_or_where && !label
    }

    /// `la compagnie Tourneboule | joue…`: the candidate is only the performer, since a verb follows.
    fn is_subject_only(&self) -> bool {
        let Some((_, to)) = self.titled else { return false };
        let words = self.words();
        let mut at = to;
        while at < self.part.to {
            let token = &words.tokens[at];
            let skipped = self.marked.marks.iter().find(|mark| mark.from <= at && at < mark.to);
            if let Some(mark) = skipped {
                at = mark.to;
                continue;
            }
            if token.kind == Kind::Sign && token.is_any(&[",", "«", "\""])
                || token.is_any(&["se", "s'", "vous", "nous", "y", "ne", "n'", "les", "en"])
            {
                if is_finite(words, at + 1) && words.tokens[at].kind == Kind::Word {
                    return true;
                }
                if token.kind == Kind::Word {
                    return false;
                }
                at += 1;
                continue;
            }
            return is_finite(words, at);
        }
        false
    }

    /// `cordes et pizzicati : le quatuor Calypso`: the words before the colon introduce those after it.
    fn is_pitch(&self) -> bool {
        let words = self.words();
        let Some((from, to)) = self.titled else { return false };
        let Some(sign) = (to..self.part.to.min(to + 3)).find(|at| words.is(*at, &[":", "!", "?", "…"])) else {
            return false;
        };
        let named = |from: usize, to: usize| {
            (from..to).any(|at| {
                let token = &words.tokens[at];
                is_event_noun(token) && !token.is_any(WEAK_NOUNS)
                    || quotation(&words.tokens, at).is_some()
                    || token.capital
                        && token.kind == Kind::Word
                        && at > self.part.from
                        && !self.marked.is_boundary(at - 1)
            })
        };
        let end = (sign + 1..self.part.to)
            .find(|at| self.marked.is_boundary(*at) && !words.is(*at, &[","]))
            .unwrap_or(self.part.to);
        // `« Les vendredis du rempart » : concert de jazz`: the series, then the event.
        let series = quotation(&words.tokens, from).is_some_and(|close| close >= to)
            && words.is(sign, &[":"])
            && (sign + 1..end).any(|at| is_event_noun(&words.tokens[at]));
        series || !named(from, to) && named(sign + 1, end)
    }

    /// `fête foraine, buvette, et vide-greniers samedi de 8 h à 18 h`: the hour belongs to the nearest event.
    fn another_event_is_nearer(&self) -> bool {
        let words = self.words();
        let (Some((title_from, title_to)), Some(hour)) =
            (self.titled, self.part.times.first().map(|mark| self.marked.marks[*mark].from))
        else {
            return false;
        };
        let mut clause_starts = true;
        (title_to..hour.max(title_to)).any(|at| {
            let token = &words.tokens[at];
            if self.marked.is_boundary(at) || token.is_any(&["et", "puis"]) {
                clause_starts = true;
                return false;
            }
            let starts = clause_starts && !is_function(token) && token.kind == Kind::Word;
            clause_starts &= !starts;
            starts
                && self.is_free(at)
                && !self.marked.enclosed[at]
                && is_event_noun(token)
                && !token.is_any(WEAK_NOUNS)
                && !(title_from..title_to).contains(&at)
        })
    }

    /// Whether words would remain that are neither a clause of their own nor without content.
    fn leaves_scraps(&self) -> bool {
        let Some((title_from, title_to)) = self.titled else { return false };
        let mut at = self.part.from;
        while at < self.part.to {
            if !self.is_free(at) {
                at += 1;
                continue;
            }
            let from = at;
            while at < self.part.to && self.is_free(at) {
                at += 1;
            }
            if self.is_scrap(from, at, title_from, title_to) {
                return true;
            }
        }
        false
    }

    /// A run of unclaimed words is a fragment if it has content and does not begin and end at clause boundaries.
    fn is_scrap(&self, from: usize, to: usize, title_from: usize, title_to: usize) -> bool {
        #[rustfmt::skip]
        const COMPLETES: &[&str] = &[
            "avec", "par", "pour", "anime", "animee", "animes", "animees", "organise", "organisee", "organises",
            "organisees", "propose", "proposee", "proposes", "presente", "presentee", "suivi", "suivie", "suivis",
            "suivies", "en", "sans", "sur", "autour", "au", "dans", "dirige", "dirigee", "interprete", "interpretee",
            "joue", "jouee", "compose", "composee", "mis", "mise", "entre", "de", "du", "des", "d'", "a", "ouvert",
            "ouverte", "reserve", "reservee", "offert", "offerte", "(", "«", "+", "&", "et", "ainsi", "puis", "dont",
            "comme", "salle", "place",
        ];
        #[rustfmt::skip]
        const FILLERS: &[&str] = &[
            "venez", "retrouvez", "decouvrez", "rendez-vous", "assistez", "participez", "profitez", "direction",
            "place", "c'", "est", "pas", "manquez", "ne", "n'", "oubliez", "vous", "l'", "les", "a", "pour", "ici",
            "voila", "voici", "toujours", "encore", "aussi", "egalement", "enfin", "puis", "et", "rdv", "rv", "la",
            "le", "une", "un", "des", "du", "de", "cap", "vers", "annee", "cette", "se", "s'", "tient", "tiendra",
            "lieu", "aura", "ont", "auront", "deroule", "deroulera", "prevu", "prevue", "seul", "h", "environ",
            "depart", "departs", "accueil", "toujours", "matin", "soir", "apres-midi", "uniquement", "seulement",
            "donne", "donnee", "fixe", "fixee", "prevue", "notez", "noter", "il", "y", "horaires", "horaire", "site",
            "web", "infos", "contact",
        ];
        let words = self.words();
        let duration = |at: usize| {
            self.marked.marks.iter().any(|mark| {
                matches!(mark.meaning, Meaning::Opaque | Meaning::Recurs(_)) && mark.from <= at && at < mark.to
            })
        };
        let content: Vec<usize> = (from..to).filter(|at| self.is_content(*at) && !duration(*at)).collect();
        if content.is_empty() {
            return false;
        }
        if content.iter().all(|at| words.is(*at, FILLERS)) {
            return false;
        }
        let boundary = |at: usize| {
            self.marked.is_boundary(at)
                || words.is(at, &["(", ")", "-", "|", "\n", "/", "+"])
                || words.tokens[at].kind == Kind::Sign && is_pictogram_sign(words, at)
        };
        // A run of unclaimed words is examined clause by clause.
        let mut start = from;
        for at in from..=to {
            let ends = at == to || boundary(at) && !self.marked.enclosed[at];
            if !ends {
                continue;
            }
            let clause: Vec<usize> = (start..at).filter(|i| self.is_content(*i) && !duration(*i)).collect();
            if let (Some(&first), Some(_)) = (clause.first(), clause.last()) {
                let opens = start == self.part.from
                    || start > 0 && (boundary(start - 1) || start > from)
                    || self.edge_of_mark(start);
                let before_place = self.place.as_ref().is_some_and(|place| place.from == at);
                let closes = before_place || at >= self.part.to || at < to || boundary(at) || self.edge_of_mark_end(at);
                let first_word = (start..at)
                    .find(|i| words.tokens[*i].kind == Kind::Word || words.is(*i, &["(", "«", "+", "&", "\""]))
                    .unwrap_or(first);
                let completes = words.is(first_word, COMPLETES) || quotation(&words.tokens, first_word).is_some();
                let fillers = clause.iter().all(|i| words.is(*i, FILLERS));
                let before_title = at <= title_from
                    && title_from - at <= 1
                    && start >= self.part.from
                    && !boundary(title_from.saturating_sub(1).max(start));
                let after_title = start >= title_to
                    && start - title_to <= 1
                    && !(start > 0 && boundary(start - 1) && start > title_to);
                let hangs = before_title || after_title && !completes;
                let whole = closes && (opens || completes) || completes && at >= self.part.to;
                let broken = !whole;
                if !fillers && (hangs || broken) {
                    return true;
                }
            }
            start = at + 1;
        }
        false
    }

    /// A clause may begin behind an hour or a price that opens the sentence.
    fn edge_of_mark(&self, at: usize) -> bool {
        self.marked.marks.iter().any(|mark| {
            mark.to == at
                && matches!(
                    mark.meaning,
                    Meaning::Times(_) | Meaning::Price | Meaning::Phone(_) | Meaning::Status(_) | Meaning::Dates(_)
                )
        }) || self.place.as_ref().is_some_and(|place| place.to == at)
    }

    fn edge_of_mark_end(&self, at: usize) -> bool {
        self.marked.marks.iter().any(|mark| {
            mark.from == at
                && matches!(mark.meaning, Meaning::Price | Meaning::Phone(_) | Meaning::Status(_) | Meaning::Until(_))
        })
    }

    /// The sentence of the part: the one with its hour, or the whole part if that one names nothing.
    fn sentence(&self) -> (usize, usize) {
        let words = self.words();
        let anchor = self.part.times.first().map_or(self.part.from, |mark| self.marked.marks[*mark].from);
        let mut found = None;
        for (from, to) in sentences(words) {
            if (from..to).contains(&anchor) {
                found = Some((from, to));
            }
        }
        let (mut from, mut to) = found.unwrap_or((self.part.from, self.part.to));
        if self.part.times.is_empty() {
            // Without an hour, the first sentence with content.
            let tells = sentences(words)
                .into_iter()
                .filter(|(a, b)| *a >= self.part.from && *b <= self.part.to && role(words, *a, *b) == Role::Tells);
            let tells: Vec<(usize, usize)> = tells.collect();
            // `Fête. La fête des vendanges est annulée.`: a word or two say what the next sentence is about.
            let full = |(a, b): &&(usize, usize)| (*a..*b).filter(|at| self.marked.is_content(*at)).count() > 2;
            (from, to) = tells.iter().find(full).or(tells.first()).copied().unwrap_or((from, to));
        }
        // `18 h, halle. Verre de bienvenue…`: time and place; the next sentence names the event.
        let practical = !self.part.times.is_empty()
            && (from..to).all(|at| {
                !self.marked.is_content(at)
                    || self.in_place(at)
                    || words.is(at, AUXILIARY)
                    || words.is(at, &["donne", "rendez-vous", "lieu"])
            });
        if practical {
            let tells = |(a, b): &(usize, usize)| {
                *a >= self.part.from
                    && *b <= self.part.to
                    && (*a, *b) != (from, to)
                    && role(words, *a, *b) == Role::Tells
                    && (*a..*b).any(|at| self.marked.is_content(at))
            };
            let all = sentences(words);
            let next =
                all.iter().copied().filter(tells).find(|(a, _)| *a >= to).or_else(|| all.iter().copied().find(tells));
            if let Some(next) = next {
                return next;
            }
        }
        // `c'est à 20 h 45 et c'est gratuit`, `celle de 16 h est maintenue`: the previous sentence names the event.
        let first = (from..to).find(|at| words.tokens[*at].kind == Kind::Word);
        let points_back = first.is_some_and(|at| {
            words.is(at, &["c'", "ce", "il", "elle", "ils", "elles", "celle", "celui", "celles", "ceux", "y", "on"])
        });
        let thing = (from..to).any(|at| {
            quotation(&words.tokens, at).is_some() || is_event_noun(&words.tokens[at]) && !words.is(at, WEAK_NOUNS)
        });
        if points_back && !thing && from > 0 {
            let before = self.marked.sentences.iter().find(|(_, end)| *end == from);
            if let Some((start, _)) = before {
                return (*start, to);
            }
        }
        let names = |from: usize, to: usize| {
            (from..to).any(|at| quotation(&words.tokens, at).is_some() || is_event_noun(&words.tokens[at]))
        };
        if !names(from, to) {
            // `Le dragon est de retour ! Venez fêter la Tarlanne…`: the sentences of one part are kept together.
            let around = sentences(words)
                .into_iter()
                .filter(|(a, b)| *a >= self.part.from && *b <= self.part.to && role(words, *a, *b) == Role::Tells);
            let around: Vec<(usize, usize)> = around.collect();
            // Two sentences are shown together only if the item has no others.
            let all = around.iter().map(|(a, b)| b - a).sum::<usize>() + 1 >= words.tokens.len();
            for (a, b) in around.into_iter().filter(|_| all) {
                if a == to && !names(from, to) {
                    to = b;
                } else if b == from && !names(from, to) {
                    from = a;
                }
            }
        }
        (from, to)
    }

    /// `Mer. 7, 14 h 30 : les enfants deviennent chevaliers !`: the day and the hour that lead the sentence stand in the
    /// margin. Only before a sign, and where a short whole clause is left: the words of a longer one stay together.
    fn behind_its_hour(&self, from: usize, to: usize) -> usize {
        let words = self.words();
        let (mut at, mut behind, mut dated) = (from, from, false);
        let leads = |mark: &super::marks::Mark| match &mark.meaning {
            Meaning::Times(times) => times.end.is_none() && !times.slots.is_empty(),
            Meaning::Dates(_) => self.setting.day.is_some(),
            _ => false,
        };
        while at < to {
            if let Some(mark) = self.marked.marks.iter().find(|mark| mark.from == at && leads(mark)) {
                dated |= matches!(mark.meaning, Meaning::Dates(_));
                at = mark.to;
                continue;
            }
            let token = &words.tokens[at];
            match token.kind {
                Kind::Sign if token.is(":") && at > from => (at, behind) = (at + 1, at + 1),
                Kind::Sign if token.is_any(&[",", "-", "."]) => at += 1,
                Kind::Sign if at == behind => at += 1,
                _ => break,
            }
        }
        const MOST_WORDS: usize = 9;
        let rest = words.slice(behind, to);
        let said = (behind..to).filter(|at| self.marked.is_content(*at)).count();
        let whole = matches!(flaw(rest), None | Some(Flaw::Sentence | Flaw::NothingToAttend));
        let short = said >= 2 && rest.split(' ').count() <= MOST_WORDS;
        let place = super::place_field::place_field(words, behind, to).is_some();
        if dated && short && whole && !place { behind } else { from }
    }

    fn in_place(&self, at: usize) -> bool {
        self.place.as_ref().is_some_and(|place| (place.said_from.min(place.from)..place.to).contains(&at))
    }

    fn stand_as_written(&mut self, from: usize, to: usize) {
        let words = self.words();
        let text = words.slice(self.behind_its_hour(from, to), to);
        let text = text.trim_start_matches(|c: char| {
            super::text::is_bullet(c) || super::text::is_space(c) || matches!(c, ',' | ';' | ':' | '.')
        });
        let text = text.trim_end_matches(|c: char| super::text::is_space(c) || matches!(c, ',' | ';'));
        self.title = one_spaced(self.setting.sentence.unwrap_or(text));
        self.as_written = Some((from, to));
        self.extra_note = None;
        // The other sentences of the part.
        let (first, last) = (self.part.from, self.part.to);
        let beside = self.marked.sentences.iter().flat_map(|(a, b)| {
            let clipped = ((*a).max(first), (*b).min(last));
            [(clipped.0, clipped.1.min(from)), (clipped.0.max(to), clipped.1)]
        });
        self.rest = beside
            .filter(|(a, b)| a < b)
            .map(|(a, b)| one_spaced(trimmed(words.slice(a, b))))
            .filter(|text| text.chars().any(char::is_alphanumeric))
            .collect();
    }
}

fn is_pictogram_sign(words: &Words<'_>, at: usize) -> bool {
    words.text[words.tokens[at].start..words.tokens[at].end].chars().any(is_pictogram)
}
