//! Parses places: a commune after « à », a venue after its preposition, an address between commas.
//!
//! A commune is recognised by the list or its capital; a venue by its noun (`salle`, `cathédrale`) or a capital
//! (`au Cri'Art`). Other nouns are not places: `marché à la ferme` is a kind of market.

use super::communes;
use super::days::{month, weekday};
use super::text::{Kind, Token, Words, tidy};
use super::words::{ADDRESSES, AFTER_VENUE, BEFORE_VENUE, MUNICIPAL, WHAT_AND_WHERE, is_function, is_venue};

/// Places that are named after a locality, which may be a commune's name and lie elsewhere.
#[rustfmt::skip]
const ESTATES: [&str; 14] = [
    "abbaye", "chai", "chateau", "domaine", "ferme", "lac", "manoir", "moulin", "prieure", "village", "hameau",
    "etang", "chapelle", "camping",
];

/// A place and the tokens that say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) commune: Option<String>,
    pub(super) venue: Option<String>,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where its words begin when the title keeps them too (`sous la halle`).
    pub(super) said_from: usize,
}

impl Place {
    /// Commune first, as a reader of a poster looks for it.
    pub(super) fn shown(&self) -> Option<String> {
        match (&self.commune, &self.venue) {
            (Some(commune), Some(venue)) => {
                // `Duran, salle des fêtes de Duran` says it twice.
                let of = |joint: &str| venue.strip_suffix(&format!("{joint}{commune}")).map(str::trim_end);
                let venue = of(" de ").or_else(|| of(" d'")).filter(|venue| !venue.is_empty()).unwrap_or(venue);
                Some(if venue == commune { commune.clone() } else { format!("{commune}, {venue}") })
            }
            (commune, venue) => commune.clone().or_else(|| venue.clone()),
        }
    }
}

/// Where a place may be read: the tokens `..end`, and whether a title stands before it.
#[derive(Clone, Copy)]
pub(super) struct Reader<'w, 'a> {
    pub(super) words: &'w Words<'a>,
    pub(super) end: usize,
    /// An address without a preposition counts only after a title: `cinéma plein air` is one itself.
    pub(super) titled: bool,
    /// A claimed hour or price stands right before.
    pub(super) after_mark: bool,
    /// A commune stands before: what follows it between signs is where in it.
    pub(super) in_commune: bool,
}

/// Names with a capital that are times of the year, not places.
#[rustfmt::skip]
const NO_PLACES: [&str; 12] = [
    "noel", "paques", "toussaint", "moyen", "moyen-age", "renaissance", "saint-jean", "halloween", "dieu",
    "paris-brest", "internet", "facebook",
];

impl Reader<'_, '_> {
    pub(super) fn token(&self, at: usize) -> Option<&Token> {
        if at < self.end { self.words.tokens.get(at) } else { None }
    }

    pub(super) fn is(&self, at: usize, words: &[&str]) -> bool {
        self.token(at).is_some_and(|token| token.is_any(words))
    }

    /// The place that begins at token `at`.
    pub(super) fn place(&self, at: usize) -> Option<Place> {
        // `(repli salle des fêtes)`: only if it rains.
        if (1..=2).any(|back| at >= back && self.words.is(at - back, &["repli"])) {
            return None;
        }
        if self.is(at, &["rdv", "rv", "rendez-vous"]) {
            return self.meeting_point(at);
        }
        self.told_place(at).filter(|place| !self.is_shelter(place.to))
    }

    pub(super) fn told_place(&self, at: usize) -> Option<Place> {
        let token = self.token(at)?;
        match token.fold.as_str() {
            // `balade jusqu'à Cadéac` begins elsewhere.
            "a" if at > 0 && self.words.is(at - 1, &["jusqu'"]) => None,
            // `La Bande à Lulu`: part of a name.
            "a" if self.is_in_a_name(at) => None,
            // `à La Maison du Lin`: the article is the name's.
            "a" if self.is(at + 1, &["la", "le", "les"])
                && self.token(at + 1).is_some_and(|token| token.capital && !self.words.shouts(at + 1))
                && self.token(at + 2).is_some_and(|token| token.kind == Kind::Word && token.capital)
                && communes::written(self.words, at + 1).is_none() =>
            {
                let (to, _) = self.noun_phrase(at + 2);
                Some(self.with_commune(Place { venue: Some(self.slice(at + 1, to)), from: at, to, ..Place::default() }))
            }
            "a" => {
                if let Some((commune, to)) = self.commune(at + 1) {
                    return Some(self.with_venue(Place {
                        commune: Some(commune),
                        venue: None,
                        from: at,
                        to,
                        ..Place::default()
                    }));
                }
                if self.is(at + 1, &["la", "l'"]) { self.venue(at, at + 1, true) } else { None }
            }
            "au" => {
                let contracted =
                    communes::known(&self.words.tokens, at + 1).filter(|(name, _)| name.starts_with("Le "));
                match contracted {
                    Some((name, to)) if to <= self.end => Some(self.with_venue(Place {
                        commune: Some(name.to_owned()),
                        venue: None,
                        from: at,
                        to,
                        ..Place::default()
                    })),
                    _ => self.at_the_foot_of(at).or_else(|| self.venue(at, at, true)),
                }
            }
            // `Grange aux Loups`
            "aux"
                if at > 0 && self.token(at + 1).is_some_and(|next| next.capital) && {
                    let before = &self.words.tokens[at - 1];
                    before.capital && is_venue(before)
                } =>
            {
                None
            }
            "aux" => self.venue(at, at, true),
            "chez" => {
                let (to, _) = self.noun_phrase(at + 1);
                let named = self.token(at + 1).is_some_and(|t| t.capital);
                named.then(|| {
                    self.with_commune(Place {
                        commune: None,
                        venue: Some(self.slice(at, to)),
                        from: at,
                        to,
                        ..Place::default()
                    })
                })
            }
            "devant" | "dans" | "sur" | "derriere" | "depuis" if self.is(at + 1, &["le", "la", "l'", "les", "son"]) => {
                self.venue(at, at + 1, false)
            }
            // What one sits under is part of the scene (`repas sous les platanes`): it stays in the title too.
            "sous" if self.is(at + 1, &["le", "la", "l'", "les"]) => {
                let place = self.venue(at, at + 1, false)?;
                let commune_from = (at..place.to)
                    .find(|i| self.is(*i, &["de", "d'"]) && communes::known(&self.words.tokens, i + 1).is_some());
                let from = if place.commune.is_some() { commune_from.unwrap_or(place.to) } else { place.to };
                Some(Place { from, ..place })
            }
            "en" => {
                let to = match () {
                    () if self.is(at + 1, &["basse", "haute", "vieille", "centre"]) && self.is(at + 2, &["ville"]) => {
                        at + 3
                    }
                    () if self.is(at + 1, &["centre-ville", "ville"]) => at + 2,
                    () => return None,
                };
                Some(self.with_commune(Place {
                    commune: None,
                    venue: Some(self.slice(at + 1, to)),
                    from: at,
                    to,
                    ..Place::default()
                }))
            }
            "sur" if communes::known(&self.words.tokens, at + 1).is_some() => {
                let (commune, to) = self.commune(at + 1)?;
                Some(self.with_venue(Place { commune: Some(commune), venue: None, from: at, to, ..Place::default() }))
            }
            // `qui part du stade`
            "du" | "de" if at > 0 && self.words.is(at - 1, &["part", "partent", "partira", "depart"]) => {
                let article = if self.is(at + 1, &["la", "l'"]) { at + 1 } else { at };
                let from = if at > 1 && self.words.is(at - 2, &["qui"]) { at - 2 } else { at };
                self.venue(from, article, false)
            }
            "face" | "pres" | "autour" | "au-dessus" | "aux-abords" => self.at_the_foot_of(at),
            "(" => self.in_brackets(at),
            _ => self.address(at),
        }
    }

    /// `RV devant l'office`: a meeting point is said in full, the preposition too.
    fn meeting_point(&self, at: usize) -> Option<Place> {
        let first = at + 1 + usize::from(self.is(at + 1, &[":"]));
        if self.is(first, &["devant"]) {
            let (to, commune) =
                self.noun_phrase(first + 1 + usize::from(self.is(first + 1, &["le", "la", "l'", "les"])));
            let place = Place { venue: Some(self.slice(first, to)), from: at, to, ..Place::default() };
            return Some(match commune {
                Some((commune, to)) => Place { commune: Some(commune), to, ..place },
                None => self.with_commune(place),
            });
        }
        let after = Reader { titled: true, after_mark: true, ..*self };
        after.told_place(first).map(|place| Place { from: at, ..place })
    }

    /// `au pied de la tour`, `face à la mairie`: said in full as well.
    fn at_the_foot_of(&self, at: usize) -> Option<Place> {
        const FORMS: [&[&str]; 12] = [
            &["au", "pied", "de"],
            &["au", "pied", "du"],
            &["face", "a"],
            &["face", "au"],
            &["pres", "de"],
            &["pres", "du"],
            &["autour", "de"],
            &["autour", "du"],
            &["au", "bord", "de"],
            &["au", "bord", "du"],
            &["au", "coeur", "de"],
            &["au", "coeur", "du"],
        ];
        let form = FORMS.iter().find(|form| form.iter().enumerate().all(|(i, word)| self.is(at + i, &[word])))?;
        let head = at + form.len();
        let head = head + usize::from(self.is(head, &["la", "l'", "les"]));
        let named = self.token(head).is_some_and(|token| is_venue(token) || (token.capital && !self.is_no_place(head)));
        if !named {
            return None;
        }
        let (to, commune) = self.noun_phrase(head);
        let place = Place { venue: Some(self.slice(at, to)), from: at, to, ..Place::default() };
        Some(match commune {
            Some((commune, to)) => Place { commune: Some(commune), to, ..place },
            None => self.with_commune(place),
        })
    }

    /// A venue whose article is at `article` (or glued in `au`). `proper`: a capital is enough.
    pub(super) fn venue(&self, from: usize, article: usize, proper: bool) -> Option<Place> {
        let head = article + 1;
        let token = self.token(head)?;
        let adjective = token.is_any(BEFORE_VENUE) && self.token(head + 1).is_some_and(is_venue);
        let noun = if adjective { head + 1 } else { head };
        let coeur = self.is(noun, &["coeur"])
            && !(self.is(noun + 1, &["de", "du"]) && self.is(noun + 2, &["ville", "village", "bourg"]));
        let quoted = token.is_any(&["«", "\""]);
        let known = self.token(noun).is_some_and(is_venue) && !coeur;
        let named = proper && (quoted || (token.kind == Kind::Word && token.capital)) && !self.is_no_place(head);
        // `à la ferme de X` is a place, `marché à la ferme` a kind of market.
        let farm = self.is(head, &["ferme"]) && self.is(head + 1, &["de", "du", "des", "d'"]);
        if !(known || named || farm) {
            return None;
        }
        let (to, commune) = if quoted { (self.closing_quote(head)?, None) } else { self.noun_phrase(noun) };
        let name = self.slice(head, to);
        let name = match self.token(article) {
            Some(article) if !known && !farm && article.is_any(&["la", "l'"]) => {
                let article = if article.is("la") { "la " } else { "l'" };
                format!("{article}{name}")
            }
            _ => name,
        };
        let place = Place { commune: None, venue: Some(name), from, to, ..Place::default() };
        Some(match commune {
            Some((commune, to)) => Place { commune: Some(commune), to, ..place },
            None => self.with_commune(place),
        })
    }

    /// `, place de la mairie` and `, Pavie`: a clause that is nothing but an address.
    fn address(&self, at: usize) -> Option<Place> {
        let token = self.token(at)?;
        let clause_start = self.after_mark
            || at == 0
            || self.words.tokens[at - 1].is_sentence_end()
            || self.words.is(at - 1, &[",", "(", ":", "|"])
            || self.words.is(at - 1, &["-"]) && !self.is_fixture(at);
        // `braderie rue Dessoles`: a street needs no comma before it.
        let street = self.is(
            at,
            &["place", "rue", "avenue", "boulevard", "allees", "esplanade", "parking", "salle", "quai", "square"],
        ) && at > 0
            && self.words.tokens[at - 1].kind == Kind::Word
            && !is_function(&self.words.tokens[at - 1])
            // `La Grande Salle en émoi`
            && !self.words.is(at - 1, BEFORE_VENUE)
            && self.token(at + 1).is_some_and(|next| {
                next.capital || next.is_any(&["de", "du", "des", "d'"]) || next.is_any(AFTER_VENUE)
            });
        if !self.titled || !(clause_start || street) {
            return None;
        }
        // `Saint-Jean (Lavelanet)`: a place in the commune in brackets, though another is called so.
        if let Some((_, to)) = communes::written(self.words, at).filter(|(_, to)| self.is(*to, &["("]))
            && let Some((commune, close)) =
                communes::written(self.words, to + 1).filter(|(_, close)| self.is(*close, &[")"]))
        {
            let venue = Some(self.slice(at, to));
            return Some(Place { commune: Some(commune), venue, from: at, to: close + 1, ..Place::default() });
        }
        if let Some((name, to)) = communes::written(self.words, at).filter(|(_, to)| self.clause_ends(*to)) {
            return Some(self.with_venue(Place { commune: Some(name), venue: None, from: at, to, ..Place::default() }));
        }
        // `20 h 30 : Théâtre « Le Grand Ménage »` is what; behind a comma it may be where.
        let work = token.is_any(WHAT_AND_WHERE) && self.is(at + 1, &["«", "\""]);
        if work && !(at > 0 && self.words.is(at - 1, &[","])) {
            return None;
        }
        let noun = if token.is_any(BEFORE_VENUE) { at + 1 } else { at };
        let place_noun = self.is(noun, ADDRESSES) || (self.in_commune && self.token(noun).is_some_and(is_venue));
        if !place_noun {
            return None;
        }
        let (to, commune) = self.noun_phrase(noun);
        // `, théâtre, …` is a genre; `, église, …` can only be a place.
        #[rustfmt::skip]
        const ALONE: [&str; 16] = [
            "mairie", "eglise", "cathedrale", "chapelle", "halle", "halles", "stade", "gymnase", "mediatheque",
            "bibliotheque", "boulodrome", "foyer", "camping", "chateau", "piscine", "centre-ville",
        ];
        if to - at == 1 && commune.is_none() && !self.in_commune && !self.is(noun, &ALONE) {
            return None;
        }
        let place = Place { commune: None, venue: Some(self.slice(at, to)), from: at, to, ..Place::default() };
        let place = match commune {
            Some((commune, to)) => Place { commune: Some(commune), to, ..place },
            None => self.with_commune(place),
        };
        (self.clause_ends(place.to) || street).then_some(place)
    }

    fn is_in_a_name(&self, at: usize) -> bool {
        let (Some(before), Some(next)) = (at.checked_sub(1).map(|at| &self.words.tokens[at]), self.token(at + 1))
        else {
            return false;
        };
        before.kind == Kind::Word
            && before.capital
            && next.capital
            && !self.words.shouts(at - 1)
            && at >= 2
            && self.words.tokens[at - 2].kind == Kind::Word
            && self.words.tokens[at - 2].capital
            && communes::written(self.words, at + 1).is_none()
    }

    /// `Nogaro – Riscle`, `RC Auch – Lombez-Samatan`: two sides, no place.
    fn is_fixture(&self, at: usize) -> bool {
        at >= 2
            && !self.place_before_dash(at - 1)
            && self.words.tokens[at - 2].capital
            && self.token(at).is_some_and(|token| token.capital)
            && !self.token(at).is_some_and(is_venue)
    }

    /// `RDV Pavillon de l'Horloge – `, `place Albert – `: what stands before the dash is where.
    fn place_before_dash(&self, dash: usize) -> bool {
        const FAR: usize = 10;
        let ends = |at: &usize| {
            let token = &self.words.tokens[*at];
            token.kind == Kind::Break || token.is_sentence_end() || token.is_any(&["-", ",", ":", "(", "|"])
        };
        let first = (dash.saturating_sub(FAR)..dash).rev().find(ends).map_or(dash.saturating_sub(FAR), |at| at + 1);
        let noun = first + usize::from(self.words.is(first, BEFORE_VENUE));
        self.words.is(first, &["rdv", "rv", "rendez-vous", "depart"])
            || self.words.tokens.get(noun).is_some_and(|token| is_venue(token) && !token.capital)
    }

    pub(super) fn in_brackets(&self, at: usize) -> Option<Place> {
        let inside = Reader { titled: true, ..*self };
        let place = inside.told_place(at + 1);
        if let Some(place) = place.filter(|place| self.is(place.to, &[")"])) {
            return Some(Place { from: at, to: place.to + 1, ..place });
        }
        // `(Bun, l'Abbadiale)`: behind the commune stands where in it, whatever it is called.
        const LONGEST: usize = 9;
        let (commune, to) = communes::written(self.words, at + 1).filter(|(_, to)| self.is(*to, &[","]))?;
        let close = (to + 1..self.end.min(to + LONGEST)).find(|at| self.is(*at, &[")"]))?;
        let name = to + 1 + usize::from(self.is(to + 1, &["depart", "rdv", "rv", "rendez-vous"]));
        let plain = (name..close).all(|at| {
            let token = &self.words.tokens[at];
            token.kind == Kind::Word || token.kind == Kind::Number && at > name
        });
        (plain && name < close && self.words.tokens[name..close].iter().any(|token| token.capital)).then(|| Place {
            commune: Some(commune),
            venue: Some(self.slice(name, close)),
            from: at,
            to: close + 1,
            ..Place::default()
        })
    }

    /// `(dans la halle s'il pleut)`, `à la salle en cas de pluie`: only if it rains.
    fn is_shelter(&self, to: usize) -> bool {
        let at = to + usize::from(self.is(to, &[","]));
        self.is(at, &["si"])
            || self.is(at, &["s'"]) && self.is(at + 1, &["il"])
            || self.is(at, &["en"]) && self.is(at + 1, &["cas"])
    }

    fn clause_ends(&self, at: usize) -> bool {
        self.token(at)
            .is_none_or(|token| token.is_sentence_end() || token.is_any(&[",", ")", "(", "-", ":", "et", "|"]))
    }

    /// The commune whose name begins at token `at`: from the list, or because of its capital.
    pub(super) fn commune(&self, at: usize) -> Option<(String, usize)> {
        if let Some((name, to)) = communes::written(self.words, at).filter(|(_, to)| *to <= self.end) {
            return Some((name, to));
        }
        let named = |at: usize| {
            // `de A à Z` is no place.
            let letter = |token: &Token| token.fold.chars().count() == 1;
            self.token(at)
                .is_some_and(|token| token.kind == Kind::Word && token.capital && !is_venue(token) && !letter(token))
                && !self.is_no_place(at)
        };
        // `À LA SALLE DES FÊTES`
        let shouted =
            self.words.shouts(at) && self.is(at, &["la", "le", "les"]) && self.token(at + 1).is_some_and(is_venue);
        if !named(at) || shouted || self.is(at, &["l'"]) && !named(at + 1) {
            return None;
        }
        // `À NOTER`, `À SUIVRE`
        let infinitive = self.words.shouts(at)
            && self.token(at).is_some_and(|token| {
                token.fold.ends_with("er") || token.fold.ends_with("oir") || token.fold.ends_with("re")
            });
        if infinitive {
            return None;
        }
        let mut to = at + 1;
        while named(to) {
            to += 1;
        }
        // `à Ciné 32`: a name with a number is no commune.
        let numbered = self.token(to).is_some_and(|t| t.kind == Kind::Number)
            && super::clock::clock(&self.words.tokens, to).is_none();
        (!numbered).then(|| (self.slice(at, to), to))
    }

    fn is_no_place(&self, at: usize) -> bool {
        self.token(at)
            .is_some_and(|token| token.is_any(&NO_PLACES) || weekday(token).is_some() || month(token).is_some())
    }

    /// Where the noun phrase with its head at `head` ends, and the commune it ends with (`la halle de Pavie`).
    pub(super) fn noun_phrase(&self, head: usize) -> (usize, Option<(String, usize)>) {
        const LONGEST: usize = 12;
        let street = self.is(head, &["rue", "avenue", "route", "boulevard", "chemin", "allee", "allees", "porte"]);
        let municipal = self.is(head, MUNICIPAL);
        let mut at = head + 1;
        while at < (head + LONGEST).min(self.end) {
            let Some(token) = self.token(at) else { break };
            let adjective = is_adjective(token) && at == head + 1
                || token.is_any(AFTER_VENUE) && (!token.is("ville") || self.is(at - 1, &["basse", "haute", "centre"]));
            let name = token.kind == Kind::Word && token.capital && !token.is("l'") && !self.is_no_place(at);
            let cinema = token.kind == Kind::Number && self.is(at - 1, &["cine", "cinema"]);
            if adjective || name || cinema {
                at += 1;
            } else if token.is_any(&["«", "\""]) {
                match self.closing_quote(at) {
                    Some(to) => at = to,
                    None => break,
                }
            } else if token.is_any(&["de", "du", "des", "d'"]) {
                let of = at + 1 + usize::from(self.is(at + 1, &["la", "l'", "les"]));
                // `salle du Mouzon` is no hall of Mouzon: « du » goes with names that have an article.
                // `place du Tilleul`, `salle du Temple`: named after a thing, though `Le Tilleul` and `Le Temple` are communes.
                #[rustfmt::skip]
                const NAMED_AFTER_THINGS: [&str; 12] = [
                    "place", "salle", "square", "parking", "quai", "esplanade", "impasse", "bar", "cafe", "restaurant", "hotel",
                    "espace",
                ];
                let after_thing = at == head + 1 && self.is(head, &NAMED_AFTER_THINGS);
                let known = match token.fold.as_str() {
                    "du" | "des" if after_thing => None,
                    "du" | "des" => {
                        communes::contracted(&self.words.tokens, at + 1).map(|(name, to)| (name.to_owned(), to))
                    }
                    _ => communes::written(self.words, of).or_else(|| communes::written(self.words, at + 1)),
                };
                // `château de Mons, à Caussens`: an estate's name is only perhaps its commune's.
                let estate = self.is(head, &ESTATES);
                let told_after = |to: usize| {
                    let next = to + usize::from(self.is(to, &[",", "("]));
                    next > to && (self.is(next, &["a", "au"]) || communes::written(self.words, next).is_some())
                        || self.is(to, &["a"]) && self.commune(to + 1).is_some()
                };
                // `télésiège de Peynier – Vars`: the field behind it is the commune.
                let other_field = |name: &str, to: usize| {
                    let field = self.is(to, &["-", ","]).then(|| communes::written(self.words, to + 1)).flatten();
                    field.is_some_and(|(other, end)| other != name && end <= self.end && self.clause_ends(end))
                };
                let elsewhere = |name: &str, to: usize| estate && told_after(to) || !municipal && other_field(name, to);
                if let Some((name, to)) = known.filter(|(name, to)| *to <= self.end && !street && !elsewhere(name, *to))
                {
                    return (at, Some((name, to)));
                }
                let Some(word) = self.token(of) else { break };
                if municipal
                    && word.capital
                    && of == at + 1
                    && token.is_any(&["de", "d'"])
                    && let Some(commune) = self.commune(of)
                {
                    return (at, Some(commune));
                }
                match word.kind {
                    Kind::Word if !super::clock::UNITS_OF_TIME.contains(&word.fold.as_str()) => {
                        at = of + 1;
                        // `parc du conseil départemental`
                        at += usize::from(self.token(at).is_some_and(is_adjective));
                    }
                    // `place du 8 mai 1945`
                    Kind::Number if self.token(of + 1).and_then(month).is_some() => {
                        at = of + 2;
                        at += usize::from(self.token(at).is_some_and(|t| t.number().is_some_and(|n| n > 1700)));
                    }
                    _ => break,
                }
            } else if token.is("aux")
                && self.is(head, &["halle", "halles", "place", "monument", "marche"])
                && self.token(at + 1).is_some_and(|t| t.kind == Kind::Word)
            {
                at += 2;
            } else {
                break;
            }
        }
        (at.min(self.end).max(head), None)
    }

    fn closing_quote(&self, at: usize) -> Option<usize> {
        const LONGEST_NAME: usize = 10;
        let close = if self.is(at, &["«"]) { "»" } else { "\"" };
        (at + 1..(at + LONGEST_NAME).min(self.end)).find(|i| self.is(*i, &[close])).map(|i| i + 1)
    }

    /// The commune right after a venue: `, à Pavie`, `à Pavie`, `, Pavie`, `(Pavie)`.
    pub(super) fn with_commune(&self, place: Place) -> Place {
        let mut at = place.to;
        let bracket = self.is(at, &["("]);
        let named = self.words.tokens.get(place.from).is_some_and(is_venue);
        let fixture = self.is(at, &["-"]) && !named && self.is_fixture(at + 1);
        at += usize::from(self.is(at, &[",", "-", "(", "\n"]) && !fixture);
        let found = if self.is(at, &["a"]) {
            self.commune(at + 1)
        } else if self.is(at, &["au"]) {
            communes::known(&self.words.tokens, at + 1)
                .filter(|(name, to)| name.starts_with("Le ") && *to <= self.end)
                .map(|(name, to)| (name.to_owned(), to))
        } else if at > place.to && self.postal_code(at) {
            self.commune(at + 1)
        } else if bracket && communes::written(self.words, at).is_none() {
            // `grange Mabille (Ternoux)`
            self.commune(at).filter(|(_, to)| self.is(*to, &[")"]) && *to <= at + 3)
        } else if at > place.to {
            communes::written(self.words, at).filter(|(_, to)| *to <= self.end && self.clause_ends(*to))
        } else {
            None
        };
        match found {
            Some((_, to)) if bracket && !self.is(to, &[")"]) => place,
            Some((commune, to)) => Place { commune: Some(commune), to: to + usize::from(bracket), ..place },
            None => place,
        }
    }

    /// The venue right after a commune: `, place de la mairie`, `, au lac`, `(salle des fêtes)`.
    fn with_venue(&self, place: Place) -> Place {
        let after = Reader { titled: true, in_commune: true, ..*self };
        let comma = usize::from(self.is(place.to, &[",", "-", "\n"]));
        let next = if self.is(place.to, &["("]) {
            self.in_brackets(place.to)
        } else if comma == 1 || self.is(place.to, &["a", "au", "dans", "devant", "sur", "en", "place", "salle"]) {
            let reader = Reader { after_mark: comma == 0, ..after };
            reader.told_place(place.to + comma).filter(|next| next.from == place.to + comma)
        } else {
            None
        };
        match next {
            Some(Place { commune: None, venue: Some(venue), to, .. }) => Place { venue: Some(venue), to, ..place },
            _ => place,
        }
    }

    pub(super) fn postal_code(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| token.kind == Kind::Number && token.fold.len() == 5)
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> String {
        tidy(self.words.slice(from, to))
    }
}

/// A small word with the ending of an adjective: `multisports`, `départemental`, `botanique`.
fn is_adjective(token: &Token) -> bool {
    #[rustfmt::skip]
    const ENDS: [&str; 22] = [
        "al", "ale", "aux", "ales", "el", "elle", "if", "ive", "ique", "ain", "aine", "ieux", "ois", "oise", "ien",
        "ienne", "aire", "sports", "ante", "able", "iere", "euse",
    ];
    const NOT: [&str; 10] =
        ["festival", "carnaval", "animal", "journal", "cheval", "musique", "pique-nique", "aperitif", "noel", "rituel"];
    token.kind == Kind::Word
        && !token.capital
        && token.fold.len() > 4
        && ENDS.iter().any(|end| token.fold.ends_with(end))
        && !token.is_any(&NOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_place(text: &str) -> Option<String> {
        let words = Words::of(text);
        let end = words.tokens.len();
        let reader = Reader { words: &words, end, titled: true, after_mark: false, in_commune: false };
        (0..end).find_map(|at| reader.place(at)).and_then(|place| place.shown())
    }

    #[test]
    fn places_are_found_commune_first() {
        for (text, expected) in [
            ("marché à la ferme à Pavie", Some("Pavie")),
            ("concert sous la halle de Pavie", Some("Pavie, halle")),
            ("cérémonie au monument aux morts de Pavie", Some("Pavie, monument aux morts")),
            ("chorale à la cathédrale, et", Some("cathédrale")),
            ("2020 Selecta au Cri’Art", Some("Cri'Art")),
            ("quiz à la Fenière, à Pavie", Some("Pavie, la Fenière")),
            ("salon à Castéra-Verduzan, place de la mairie", Some("Castéra-Verduzan, place de la mairie")),
            ("départ devant la mairie de Montaut-les-Créneaux", Some("Montaut-les-Créneaux, mairie")),
            ("RV devant l’office. 6 €", Some("devant l'office")),
            ("feu sur les berges du Gers, suivi", Some("berges du Gers")),
            ("marché en basse ville, à Auch", Some("Auch, basse ville")),
            ("expo au château de Lavardens", Some("Lavardens, château")),
            ("Rendez-vous à la Fenière", Some("la Fenière")),
            ("rendez-vous : dès 20h", None),
            ("repas sous les platanes", None),
            ("marche au profit du Téléthon", None),
            ("bal à Villeneuve-sur-Truc", Some("Villeneuve-sur-Truc")),
            ("fête au Houga", Some("Le Houga")),
            ("bal à L’Isle-Jourdain (salle polyvalente)", Some("L'Isle-Jourdain, salle polyvalente")),
            ("match au stade Jacques Fouroux à 9h30", Some("stade Jacques Fouroux")),
            ("place du 8 mai 1945, Condom", Some("Condom, place du 8 mai 1945")),
            ("avenue de Pavie, Auch", Some("Auch, avenue de Pavie")),
            ("film au Ciné 32 à Auch", Some("Auch, Ciné 32")),
            ("loto à la salle des fêtes de Marsac", Some("Marsac, salle des fêtes")),
            ("à la tombée de la nuit", None),
            ("à l’occasion de la fête", None),
            ("au pied de la tour d’Armagnac", Some("au pied de la tour d'Armagnac")),
            ("vide-grenier (Seissan)", Some("Seissan")),
        ] {
            assert_eq!(first_place(text).as_deref(), expected, "{text}");
        }
    }
}
