//! Whether two announcements are for the same event: same day, same commune, matching hours, matching titles.
//!
//! In doubt they are different: an event printed twice is a blemish, a lost one is an error (invariant I3). Compares words
//! only, regardless of the source.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use chrono::{NaiveTime, TimeDelta};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::characters::one_apostrophe;

/// The features of an announcement that are compared; the day is known to be the same. Computed once per announcement.
#[derive(Debug, Clone, Default)]
pub struct Fingerprint {
    pub start: Option<NaiveTime>,
    title: Words,
    /// Words of the title and of all other fields: a title may have been truncated.
    all: Words,
    /// In order; empty if unknown.
    commune: Vec<u64>,
    place: Words,
}

/// A sorted set of hashed words; the lowest bit marks words with little meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Words {
    hashes: Vec<u64>,
    /// Some of them name kinds of event that a village has only one of.
    alone: bool,
}

impl Words {
    fn of<'a>(words: impl Iterator<Item = &'a String>, says_little: impl Fn(&str) -> bool) -> Self {
        let mut set = Self::default();
        for word in words {
            set.alone |= is_alone_of_its_kind(word);
            set.hashes.push(hash(word) & !1 | u64::from(says_little(word)));
        }
        set.hashes.sort_unstable();
        set.hashes.dedup();
        set
    }

    fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The words with much meaning.
    fn names(&self) -> usize {
        self.hashes.iter().filter(|hash| *hash & 1 == 0).count()
    }

    /// The number of shared words, and of those with much meaning.
    fn shared(&self, other: &Self) -> (usize, usize) {
        let (mut a, mut b) = (self.hashes.iter().peekable(), other.hashes.iter().peekable());
        let (mut all, mut names) = (0, 0);
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            match x.cmp(y) {
                std::cmp::Ordering::Less => drop(a.next()),
                std::cmp::Ordering::Greater => drop(b.next()),
                std::cmp::Ordering::Equal => {
                    all += 1;
                    names += usize::from(**x & 1 == 0);
                    a.next();
                    b.next();
                }
            }
        }
        (all, names)
    }
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// How certain it is that two announcements are for the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventMatch {
    Other,
    /// Title and commune match, the hours almost: one of the two is wrong, or they are different.
    NearlySame,
    Same,
    /// Everything matches without assumptions: one may complete the other.
    Certain,
}

/// Hours closer than this may be a mistake, or the opening of the doors.
const NEAR: TimeDelta = TimeDelta::minutes(60);

impl Fingerprint {
    /// `place` begins with the commune if it is known (`Pavie, la Fenière`); without one, `home` is assumed.
    pub fn of_event(title: &str, start: Option<NaiveTime>, place: Option<&str>, home: &str, text: &str) -> Self {
        let commune = place.and_then(|place| place.split(',').next()).unwrap_or(home);
        Self::new(title, start, commune, place.unwrap_or_default(), text)
    }

    /// `commune`: if the source knows it.
    pub fn of_listing(title: &str, start: Option<NaiveTime>, commune: Option<&str>, venue: Option<&str>) -> Self {
        Self::new(title, start, commune.unwrap_or_default(), venue.unwrap_or_default(), title)
    }

    fn new(title: &str, start: Option<NaiveTime>, commune: &str, place: &str, text: &str) -> Self {
        let commune = words(commune);
        // « marché à Pavie » in Pavie equals « marché ».
        let without = |text: &str| {
            let content = content(text);
            Words::of(content.iter().filter(|word| !commune.contains(word)), is_kind)
        };
        Self {
            start,
            title: without(title),
            all: without(text),
            place: Words::of(content(place).iter(), is_common_place),
            commune: commune.iter().map(|word| hash(word) & !1).collect(),
        }
    }

    pub fn compare(&self, other: &Self) -> EventMatch {
        let titles = self.titles(other);
        let place = self.places(other);
        if titles == Titles::Differ || place == Places::Differ {
            return EventMatch::Other;
        }
        match (self.start, other.start) {
            (Some(a), Some(b)) if a == b => match (titles, place) {
                (Titles::Name, Places::Agree) => EventMatch::Certain,
                // « concert » is too generic: two in one village at the same hour may be different.
                (Titles::Kind, Places::Agree) | (Titles::Name, _) => EventMatch::Same,
                _ => EventMatch::Other,
            },
            (Some(a), Some(b)) if (a - b).abs() <= NEAR && titles == Titles::Name && place == Places::Agree => {
                EventMatch::NearlySame
            }
            (Some(_), Some(_)) => EventMatch::Other,
            _ if titles == Titles::Name || place == Places::Agree => EventMatch::Same,
            _ => EventMatch::Other,
        }
    }

    fn titles(&self, other: &Self) -> Titles {
        let (a, b) = (&self.title, &other.title);
        let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let (shared, names) = short.shared(long);
        // All words of one are in the other, or in the words around it if the title was truncated.
        let named_in = |words: &Words, said: &Words| words.names() > 0 && words.shared(said).0 == words.len();
        if (short.names() > 0 && shared == short.len()) || named_in(a, &other.all) || named_in(b, &self.all) {
            return Titles::Name;
        }
        if names >= 2 && shared * 3 >= short.len() * 2 {
            return Titles::Name;
        }
        // A village has one market a day, one firework.
        let is_kind = a.hashes == b.hashes || short.alone && shared == short.len();
        if a.len() > 0 && is_kind { Titles::Kind } else { Titles::Differ }
    }

    fn places(&self, other: &Self) -> Places {
        if self.commune.is_empty() || other.commune.is_empty() {
            return Places::Unsaid;
        }
        let named_in = |commune: &[u64], words: &[u64]| words.windows(commune.len()).any(|run| run == commune);
        if named_in(&self.commune, &other.commune) || named_in(&other.commune, &self.commune) {
            return Places::Agree;
        }
        // If the commune is unknown, the words of the place may match instead.
        let (_, names) = self.place.shared(&other.place);
        if names > 0 { Places::Unsaid } else { Places::Differ }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Titles {
    Differ,
    /// They name the same kind of thing: « visite guidée ».
    Kind,
    /// They share a proper name: « Ora Gascona ».
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    Differ,
    /// One of the two does not say where.
    Unsaid,
    Agree,
}

/// Folds accents, case, ligatures and the plural s.
fn words(text: &str) -> Vec<String> {
    let bare: String = text
        .chars()
        .map(one_apostrophe)
        .nfkd()
        .filter(|&c| !is_combining_mark(c))
        .flat_map(char::to_lowercase)
        .collect();
    let bare = bare.replace('œ', "oe").replace('æ', "ae");
    let words = bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| match word.strip_suffix(['s', 'x']) {
            Some(stem) if stem.len() > 2 => stem.to_owned(),
            _ => word.to_owned(),
        })
        .collect()
}

/// The words that carry meaning: no articles, prepositions or hours.
fn content(text: &str) -> Vec<String> {
    static EMPTY: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        "a au aux le la l les un une des de d du et ou en dans sur sous par pour avec chez ce cet cette ces \
         son sa ses qu que qui st n no h heure min annule reporte complet gratuit entree libre tarif euro"
            .split_whitespace()
            .collect()
    });
    // `21h`, `20h30`; a lone number is part of a name: « 1000 voix », « acte 2 ».
    let is_hour = |word: &String| word.contains('h') && word.chars().all(|c| c.is_ascii_digit() || c == 'h');
    let mut words = words(text);
    // `8 h 30`: neither number is a name.
    let is_number = |word: &String| word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
    for at in 1..words.len() {
        if words[at] == "h" && is_number(&words[at - 1]) {
            words[at - 1].clear();
            if let Some(minutes) = words.get_mut(at + 1).filter(|word| word.len() == 2 && is_number(word)) {
                minutes.clear();
            }
        }
    }
    words.retain(|word| !word.is_empty() && !EMPTY.contains(word.as_str()) && !is_hour(word));
    words
}

/// Words for kinds of event, which many events share.
fn is_kind(word: &str) -> bool {
    static KINDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        "concert musique musical spectacle visite guide guidee commentee libre marche exposition expo atelier \
         stage soiree matinee journee apero bal repas dejeuner diner fete festival conference rencontre projection film cinema \
         theatre danse chant chorale vernissage balade randonnee sortie decouverte animation jeu loto brocante vide grenier feu \
         artifice producteur ferme nocturne plein vent petit grand ville village eglise enfant famille public ouvert \
         degustation vin conte lecture club tournoi course foire salon portes ouverte estival ete local gourmand"
            .split_whitespace()
            .collect()
    });
    KINDS.contains(word)
}

fn is_alone_of_its_kind(word: &str) -> bool {
    matches!(word, "marche" | "grenier" | "brocante" | "artifice" | "foire")
}

/// Words for places that every village has.
fn is_common_place(word: &str) -> bool {
    static PLACES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        "salle place eglise mairie halle centre bourg village stade ecole foyer rue avenue boulevard devant \
         parc jardin polyvalente cour chateau musee theatre office tourisme"
            .split_whitespace()
            .collect()
    });
    PLACES.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `21:00 concert d’Ora Gascona @ Pavie, halle`
    fn parts(text: &str) -> (Option<NaiveTime>, &str, Option<&str>) {
        let (rest, place) = text.split_once(" @ ").map_or((text, None), |(rest, place)| (rest, Some(place)));
        let (time, title) = rest.split_once(' ').unwrap_or(("", rest));
        match NaiveTime::parse_from_str(time, "%H:%M") {
            Ok(time) => (Some(time), title, place),
            Err(_) => (None, rest, place),
        }
    }

    fn check(article: &str, listing: &str, expected: EventMatch) {
        let (start, title, place) = parts(article);
        let of_article = Fingerprint::of_event(title, start, place, "Auch", title);
        let (start, title, place) = parts(listing);
        let (commune, venue) = place.map_or((None, None), |place| match place.split_once(", ") {
            Some((commune, venue)) => (Some(commune), Some(venue)),
            None => (Some(place), None),
        });
        let of_listing = Fingerprint::of_listing(title, start, commune, venue);
        assert_eq!(of_article.compare(&of_listing), expected, "{article} | {listing}");
        assert_eq!(of_listing.compare(&of_article), expected, "{listing} | {article}");
    }

    #[test]
    fn the_same_event_in_two_wordings_is_merged() {
        use EventMatch::*;
        check("21:00 concert d'Ora Gascona @ Pavie, halle", "21:00 Ora Gascona en concert @ Pavie", Certain);
        check("21:00 ORA GASCONA @ PAVIE", "21:00 Concert d’Ora Gascona @ Pavie, Halle", Certain);
        check(
            "20:30 concert de l'Ensemble Œdipe @ Castéra-Verduzan",
            "20:30 Ensemble OEdipe @ Castera Verduzan",
            Certain,
        );
        check("10:30 visite guidée « Auch, cœur de ville »", "10:30 Visite guidée Auch, cœur de ville @ Auch", Certain);
        check("10:30 visite guidée", "10:30 Visites guidées @ Auch, Office de tourisme", Same);
        check("08:00 marché @ Seissan", "08:00 Marché de plein vent @ Seissan", Same);
        check("marché nocturne de Barran @ Barran", "18:30 Marché nocturne @ Barran", Same);
        check("22:30 feu d'artifice", "22:30 Feu d’artifice du 14 juillet @ Auch, stade", Same);
        check("Éclats de Voix : Monteverdi", "21:00 Éclats de voix - Monteverdi @ Auch", Same);
    }

    #[test]
    fn two_concerts_the_same_evening_in_the_same_village_stay_two() {
        use EventMatch::Other;
        check("21:00 concert d'Ora Gascona @ Pavie", "21:00 Concert du trio Manouche @ Pavie", Other);
        check("21:00 concert @ Pavie", "21:00 Concert du trio Manouche @ Pavie", Other);
        check("18:00 concert d'Ora Gascona @ Pavie", "21:00 Concert d’Ora Gascona @ Pavie", Other);
        check("21:00 concert de musique de chambre", "21:00 Concert de musique sacrée @ Auch", Other);
        check("21:00 quatuor Debussy", "21:00 quatuor Ravel @ Auch", Other);
        check("concert de jazz @ Pavie", "21:00 Concert de gospel @ Pavie", Other);
    }

    #[test]
    fn the_same_title_in_two_communes_is_two_events() {
        use EventMatch::Other;
        check("08:00 marché @ Pavie", "08:00 Marché @ Seissan", Other);
        check("21:00 Ora Gascona @ Pavie, halle", "21:00 Ora Gascona @ Auch, Halle Verdier", Other);
        check("10:30 visite guidée @ Lavardens", "10:30 visite guidée @ Auch", Other);
        check("08:00 marché @ Saint-Puy", "08:00 marché @ Saint-Clar", Other);
    }

    #[test]
    fn a_slightly_different_hour_is_a_doubt_only_if_everything_else_agrees() {
        use EventMatch::*;
        check("20:30 Ora Gascona @ Pavie", "21:00 Ora Gascona @ Pavie", NearlySame);
        check("10:00 visite guidée", "10:30 visite guidée @ Auch", Other);
    }

    #[test]
    fn empty_events_are_not_alike() {
        check("", "", EventMatch::Other);
        check("21:00 ", "21:00 ", EventMatch::Other);
        check("21:00 de la", "21:00 de la @ Auch", EventMatch::Other);
    }
}
