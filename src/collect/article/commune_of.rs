//! The commune that the words of an event give: of its venue, of an event or venue that names it, or none where several are
//! named.

use super::communes;
use super::draft::Draft;
use super::places::Place;
use super::text::{Kind, folded_words};
use super::venue_name::venue_key;

impl Draft<'_, '_, '_> {
    /// The office's commune, where its configuration says that this venue is there; else the commune that is known of it.
    pub(super) fn commune_of_the_venue(&self, place: &Place) -> Option<String> {
        let name = place.venue.as_ref()?;
        let words = folded_words(name);
        let at_home =
            self.setting.venues.iter().any(|venue| words.windows(venue.len()).any(|run| run == venue.as_slice()));
        if at_home && !self.setting.home.is_empty() {
            return Some(self.setting.home.to_owned());
        }
        self.setting.known.get(&venue_key(name)?).cloned()
    }

    /// `marché de Lectoure`, `kermesse de l'école de Preignan`: the commune of an event or a venue. The home of a group
    /// (`la chorale de Pavie`) and a street name (`rue de Pavie`) are not places.
    pub(super) fn commune_of_the_words(&self) -> Option<String> {
        #[rustfmt::skip]
        const GROUPS: [&str; 36] = [
            "harmonie", "orchestre", "chorale", "choeur", "ensemble", "groupe", "troupe", "compagnie", "fanfare",
            "banda", "bandas", "club", "equipe", "association", "comite", "amicale", "maitrise", "duo", "trio",
            "quatuor", "lyre", "echo", "route", "rue", "avenue", "chemin", "boulevard", "quai", "allees", "place",
            "km", "kilometres", "sud", "nord", "est", "ouest",
        ];
        let words = self.words();
        let mut found: Option<String> = None;
        let mut at = self.part.from;
        while at + 1 < self.part.to {
            if self.marked.quiet[at] || self.is_quoted(at) || !words.is(at, &["de", "d'", "du"]) {
                at += 1;
                continue;
            }
            let known = match words.is(at, &["du"]) {
                true => communes::contracted(&words.tokens, at + 1).map(|(name, to)| (name.to_owned(), to)),
                false => communes::written(words, at + 1).or_else(|| self.unlisted_town(at)),
            };
            // `photographies de Luce Darroux`: a person, not a place.
            let person = |to: usize| {
                words.tokens.get(to).is_some_and(|next| next.kind == Kind::Word && next.capital && !words.shouts(to))
            };
            let Some((name, to)) = known.filter(|(_, to)| *to <= self.part.to && !person(*to)) else {
                at += 1;
                continue;
            };
            // `grès de Puisaye` under the heading of another town: a region as well as `La Puisaye`.
            let shortened = words.slice(at + 1, to).chars().count() < name.chars().count();
            if shortened && self.setting.town.is_some() {
                at = to;
                continue;
            }
            // The words before it, back to the beginning of the phrase.
            let phrase: Vec<usize> = (self.part.from..at)
                .rev()
                .take(8)
                .take_while(|i| {
                    words.tokens[*i].kind == Kind::Word
                        && !self.marked.is_boundary(*i)
                        && !super::verbs::is_finite(words, *i)
                        && !words.is(*i, &["avec", "par", "et", "contre", "a"])
                })
                .collect();
            let group = phrase.iter().any(|i| words.is(*i, &GROUPS));
            let place_noun = phrase
                .iter()
                .any(|i| super::words::is_venue(&words.tokens[*i]) || super::words::is_event_noun(&words.tokens[*i]));
            if !group && place_noun {
                match &found {
                    Some(before) if *before != name => return None,
                    _ => found = Some(name),
                }
            }
            at = to;
        }
        found
    }

    /// `vide-grenier de Brassol`, `l'église de Ternoux`: an event or venue that every commune has names its commune, listed
    /// or not.
    fn unlisted_town(&self, of: usize) -> Option<(String, usize)> {
        #[rustfmt::skip]
        const TOWN_EVENTS: [&str; 14] = [
            "vide-grenier", "vide-greniers", "marche", "marches", "foire", "fete", "fetes", "loto", "pompiers",
            "kermesse", "brocante", "blanche", "palet", "carnaval",
        ];
        let words = self.words();
        let name = words
            .tokens
            .get(of + 1)
            .filter(|token| token.kind == Kind::Word && token.capital && token.fold.len() > 3)?;
        let next = words.tokens.get(of + 2);
        let single = next.is_none_or(|next| !(next.kind == Kind::Word && next.capital));
        let noun = of > self.part.from && (words.is(of - 1, &TOWN_EVENTS) || words.is(of - 1, super::words::MUNICIPAL));
        let date = name.is_any(&["noel", "paques", "toussaint", "pentecote", "carnaval", "halloween", "rameaux"])
            || super::days::month(name).is_some();
        (words.is(of, &["de", "d'"])
            && single
            && noun
            && !date
            // `MARCHÉ DE PRODUCTEURS`
            && !words.shouts(of + 1)
            && !super::words::is_venue(name)
            && !super::words::is_event_noun(name))
        .then(|| (words.slice(of + 1, of + 2).to_owned(), of + 2))
    }

    /// `les chasseurs de Duran vous attendent`: another commune is named, so the previous place is not inherited.
    pub(super) fn names_a_commune_but(&self, commune: Option<&str>) -> bool {
        (self.part.from..self.part.to).any(|at| {
            !self.is_quoted(at)
                && communes::known(&self.words().tokens, at).is_some_and(|(name, _)| {
                    Some(name) != commune && at > 0 && self.words().is(at - 1, &["a", "de", "d'", "du", "au", "sur"])
                })
        })
    }

    pub(super) fn names_another_commune(&self) -> bool {
        (self.part.from..self.part.to).any(|at| {
            !self.is_quoted(at)
                && at > 0
                && self.words().is(at - 1, &["a", "de", "d'", "sur"])
                && !self.place.as_ref().is_some_and(|place| (place.from..place.to).contains(&at))
                && communes::known(&self.words().tokens, at).is_some_and(|(name, _)| Some(name) != self.setting.town)
        })
    }

    pub(super) fn is_quoted(&self, at: usize) -> bool {
        self.marked.enclosed[at] && !self.in_brackets(at) && !self.is_in_a_telling_name(at)
    }

    /// `<dt>Marché de Noël de Ternoux</dt>`: a name that the markup sets apart and that begins with what takes place, where
    /// no heading says the town.
    fn is_in_a_telling_name(&self, at: usize) -> bool {
        let tokens = &self.words().tokens;
        let name = (self.part.from..=at)
            .rev()
            .take(40)
            .find_map(|from| super::names::name_at(tokens, from).map(|to| (from, to)));
        self.setting.town.is_none()
            && name.is_some_and(|(from, to)| at < to && super::words::is_event_noun(&tokens[from + 1]))
    }

    /// `Auch, ville basse, 7h30-12h30 ; Eauze, place d'Armagnac`, printed as written: one town is as good as the other.
    pub(super) fn is_written_with_several_towns(&self) -> bool {
        let Some((from, to)) = self.as_written else { return false };
        let words = self.words();
        let mut clauses: Vec<String> = Vec::new();
        let mut begins = true;
        for at in from..to.min(words.tokens.len()) {
            if begins && let Some((name, _)) = communes::written(words, at).filter(|_| !self.is_quoted(at)) {
                clauses.push(name);
            }
            let dash = at > 0 && words.is(at, &["-"]) && words.tokens[at].start > words.tokens[at - 1].end;
            begins = words.is(at, &[";", ":"]) || dash;
        }
        clauses.dedup();
        clauses.len() > 1
    }
}
