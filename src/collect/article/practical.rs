//! Lines with the time, place and price of the thing named above them.

use super::days;
use super::lines::{LONGEST_LINE, has_figures};
use super::marks::{Mark, Meaning, marks};
use super::money;
use super::text::{Kind, Words};
use super::words::{
    AUXILIARY, DETAILS, DISHES, MEALS, MENU_LABELS, PARTS_OF_DAY, is_event_noun, is_function, is_venue,
};

/// `Rendez-vous à 10 h à la Maison du Lin`, `À 14 h et 16 h, base de loisirs. 20 €`: when and where, nothing else.
pub(super) fn is_practical(text: &str) -> bool {
    if text.len() > LONGEST_LINE || !has_figures(text) {
        return false;
    }
    let words = Words::of(text);
    let tokens = &words.tokens;
    let Some(first) = tokens.iter().position(|token| token.kind != Kind::Sign) else { return false };
    let first = behind_label_and_date(&words, first);
    let known = marks(&words);
    let times = known.iter().find(|mark| matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty()));
    let Some(times) = times else { return false };
    #[rustfmt::skip]
    const STARTS: [&str; 14] = [
        "rendez-vous", "rdv", "rv", "depart", "departs", "visite", "visites", "ouverture", "seances", "horaires",
        "horaire", "concert", "accueil", "lieu",
    ];
    if words.is(first, &STARTS[..7]) && times.from <= first + 4
        || words.is(first, &STARTS[7..]) && times.from <= first + 3
    {
        return true;
    }
    if times.from > first + 2 {
        return false;
    }
    // After the hour only where, for whom and how much.
    let mut at = times.to;
    let end = super::sentences::sentences(&words).first().map_or(tokens.len(), |(_, to)| *to).max(at);
    while at < end {
        if let Some(mark) = known.iter().find(|mark| mark.from <= at && at < mark.to) {
            at = mark.to;
            continue;
        }
        let reader = super::places::Reader { words: &words, end, titled: true, after_mark: true, in_commune: false };
        if let Some(place) = reader.place(at).filter(|place| place.to > at) {
            at = place.to;
            continue;
        }
        let token = &tokens[at];
        if token.kind == Kind::Word && !is_function(token) && !token.is_any(AUXILIARY) && !token.is_any(DETAILS) {
            return false;
        }
        at += 1;
    }
    true
}

/// `18 h`, `Matin`, `Après-midi (14 h – 16 h)`: when, and nothing else.
pub(super) fn says_only_when(text: &str) -> bool {
    const LONGEST: usize = 60;
    if text.len() > LONGEST {
        return false;
    }
    let words = Words::of(text);
    let known = marks(&words);
    let says = |at: usize| {
        words.is(at, PARTS_OF_DAY)
            || known.iter().any(|mark| (mark.from..mark.to).contains(&at) && matches!(mark.meaning, Meaning::Times(_)))
    };
    let content = || (0..words.tokens.len()).filter(|at| matches!(words.tokens[*at].kind, Kind::Word | Kind::Number));
    content().any(says) && content().all(|at| says(at) || is_function(&words.tokens[at]))
}

/// Where the words begin behind `Infos pratiques :` and behind the dates a practical line begins with.
fn behind_label_and_date(words: &Words<'_>, first: usize) -> usize {
    const LABELS: [&[&str]; 8] = [
        &["infos", "pratiques"],
        &["informations", "pratiques"],
        &["quand"],
        &["date"],
        &["dates"],
        &["ou", "et", "quand"],
        &["infos"],
        &["pratique"],
    ];
    let tokens = &words.tokens;
    let mut at = first;
    if let Some(label) = LABELS.iter().find(|label| label.iter().enumerate().all(|(i, word)| words.is(at + i, &[word])))
        && words.is(at + label.len(), &[":", "?", "-"])
    {
        at += label.len() + 1;
    }
    loop {
        let date =
            days::date(tokens, at).map(|date| date.to).or_else(|| days::recurrence(tokens, at).map(|found| found.to));
        let Some(to) = date else { return at };
        at = to;
        while words.is(at, &[",", ":", "-", ">", "et", "|", "a", "."]) && !words.is(at, &["a"]) {
            at += 1;
        }
    }
}

/// A line that says on which day, when and where, of the thing named above it: `Samedi 29 janvier, 13 h 30, salle
/// Ouessant`.
pub(super) fn is_dated_practical(text: &str) -> bool {
    if text.len() > LONGEST_LINE || !has_figures(text) {
        return false;
    }
    let last = text.split('\n').next_back().unwrap_or(text);
    let words = Words::of(last);
    let Some(first) = words.tokens.iter().position(|token| token.kind != Kind::Sign) else { return false };
    let behind = behind_label_and_date(&words, first);
    let known = marks(&words);
    let hour_at_once = known.iter().any(|mark| {
        matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty())
            && mark.from <= behind + 5
            && mark.from >= behind
    });
    let tells = words.tokens.iter().enumerate().any(|(at, token)| {
        is_event_noun(token)
            && !is_venue(token)
            && !token.is_any(&["fetes", "fete", "seance", "seances", "sport", "sports", "jeunesse", "spectacles"])
            || token.is_any(&["«", "\""])
            || super::verbs::is_finite(&words, at)
    });
    let loose = hour_at_once && !tells && words.tokens.len() - behind <= 40 && place_follows(&words, &known, behind);
    behind > first
        && (days::date(&words.tokens, first).is_some()
            || days::recurrence(&words.tokens, first).is_some()
            || has_label(&words, first))
        && (loose || hour_at_once && has_label(&words, first) || is_practical(last))
}

/// Whether what stands behind the hours is where, or nothing: `salle Ouessant`, `Figeac, coin presse`, `(7 €)`.
fn place_follows(words: &Words<'_>, known: &[Mark], behind: usize) -> bool {
    let tokens = &words.tokens;
    let mut at = behind;
    loop {
        if let Some(mark) = known.iter().find(|mark| mark.from <= at && at < mark.to) {
            at = mark.to;
            continue;
        }
        match tokens.get(at) {
            Some(token) if token.kind == Kind::Sign || token.kind == Kind::Break || token.is_any(&["et", "puis"]) => {
                at += 1
            }
            None => return true,
            Some(token) => {
                // `promenade du Bastion` is where, `promenade à poney` is what.
                let venue = is_venue(token) && (!is_event_noun(token) || words.is(at + 1, &["de", "du", "des", "d'"]));
                return venue
                    || token.capital && !is_event_noun(token)
                    || token.kind == Kind::Number
                    || token.is_any(&["a", "au", "aux", "chez", "dans", "sur", "devant", "sous", "en", "face"]);
            }
        }
    }
}

fn has_label(words: &Words<'_>, first: usize) -> bool {
    words.is(first, &["infos", "informations", "quand", "date", "dates"])
}

/// The names of the field that says when.
pub(super) const HOUR_LABELS: &[&str] = &["heure", "heures", "horaire", "horaires"];

/// A field, with its name, of the thing named above it: `Quand : mardi à 10 h`, `Où : place du Puits`, `Durée : 1 h`.
pub(super) fn is_field(text: &str) -> bool {
    #[rustfmt::skip]
    const NAMES: [&str; 30] = [
        "quand", "ou", "combien", "duree", "date", "dates", "jour", "jours", "heure", "heures", "horaire", "horaires", "lieu", "adresse",
        "tarif", "tarifs", "prix", "public", "reserver", "prevoir", "reservation", "organisateur", "organisateurs", "organisation",
        "association", "entree", "participation", "contact", "inscription", "niveau",
    ];
    const LONGEST_NAME: usize = 20;
    let Some((name, _)) = text.split_once([':', '?']).filter(|(name, _)| name.len() <= LONGEST_NAME) else {
        return false;
    };
    let words = super::text::folded_words(name);
    let name = words.strip_prefix(&["a".to_owned()]).unwrap_or(&words);
    matches!(name, [name] if NAMES.contains(&name.as_str()))
}

/// Details of the item before it: `Tarif : 5 €`, `Réservation au 05…`, a price alone.
pub(super) fn is_detail(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    let Some(first) = words.tokens.iter().position(|token| token.kind != Kind::Sign) else { return true };
    if words.is(first, &["rdv", "rv", "rendez-vous"]) {
        return words.is(first + 1, &["a", "au", "aux", "devant", ":", "sur", "place", "salle", "dans"]);
    }
    if words.is(first, DETAILS) {
        // `Info jeunes : forum` would be an event; a detail has its sign, figure or preposition at once.
        return words.tokens.get(first + 1).is_none_or(|next| {
            next.kind != Kind::Word
                || is_function(next)
                || next.is_any(&[
                    "libre",
                    "gratuite",
                    "gratuit",
                    "obligatoire",
                    "conseillee",
                    "unique",
                    "reduit",
                    "souhaitee",
                ])
        }) || money::price(&words.tokens, first).is_some();
    }
    if is_menu_line(&words, first) {
        return true;
    }
    if words.is(first, &["libre"]) && words.is(first + 1, &["participation"]) && !super::lines::says_time(&words.tokens)
    {
        return true;
    }
    if words.is(first, &["sur"]) && words.is(first + 1, &["reservation", "inscription", "rendez-vous", "inscr", "resa"])
    {
        return true;
    }
    let marks = marks(&words);
    let told = |at: usize| {
        marks.iter().any(|mark| {
            (mark.from..mark.to).contains(&at)
                && matches!(mark.meaning, Meaning::Price | Meaning::Phone(_) | Meaning::Opaque)
        }) || of_age(&words, at)
    };
    (0..words.tokens.len())
        .all(|at| words.tokens[at].kind != Kind::Word && words.tokens[at].kind != Kind::Number || told(at))
}

/// `Menu : melon, daube`, `Plat : truffade`, `Adultes : 14 €`: a line of what a meal holds or costs.
fn is_menu_line(words: &Words<'_>, first: usize) -> bool {
    let label = words.is(first, MENU_LABELS) && words.is(first + 1, &[":"]);
    let priced = words.is(first, DISHES) && marks(words).iter().any(|mark| mark.meaning == Meaning::Price);
    (label || priced) && !super::lines::says_time(&words.tokens)
}

/// `CABÉCOU, TARTE, CAFÉ` below the line of a meal: its dishes.
pub(super) fn is_dishes(text: &str, meal: &str) -> bool {
    const MOST_WORDS: usize = 12;
    if text.len().max(meal.len()) > LONGEST_LINE || text.split(' ').count() > MOST_WORDS {
        return false;
    }
    let words = Words::of(text);
    let said = |at: &usize| words.tokens[*at].kind == Kind::Word && !is_function(&words.tokens[*at]);
    let begins = (0..words.tokens.len()).find(said).is_some_and(|at| words.is(at, DISHES));
    let plain = (0..words.tokens.len()).all(|at| !super::verbs::is_finite(&words, at)) && !has_figures(text);
    begins && plain && Words::of(meal).tokens.iter().any(|token| token.is_any(MEALS))
}

/// `Fermeture des portes : 20 h`, `Fin de la soirée`, `Retour prévu vers midi`, alone: the hour of an event told elsewhere.
pub(super) fn is_bound(text: &str) -> bool {
    #[rustfmt::skip]
    const BOUNDS: [&str; 10] = [
        "fin", "fermeture", "retour", "reouverture", "cloture", "pause", "ouverture", "accueil", "entracte", "arrivee",
    ];
    #[rustfmt::skip]
    const OF: &[&str] = &[
        "portes", "site", "guichets", "guichet", "caisses", "billetterie", "festival", "festivites", "soiree", "fete", "fetes", "journee", "concert",
        "concerts", "spectacle", "manifestation", "stands", "stand", "marche", "bal", "public", "cuisine", "cuisines", "buvette", "bar",
        "animations", "prevu", "prevue", "estime", "estimee", "environ", "vers", "dejeuner", "repas", "meridienne", "midi", "visiteurs",
        "exposants", "participants", "epreuves", "salon", "foire", "programme", "inscriptions",
    ];
    if text.len() > LONGEST_LINE || !has_figures(text) {
        return false;
    }
    let words = Words::of(text);
    if !words.tokens.iter().any(|token| token.is_any(&BOUNDS)) {
        return false;
    }
    let known = marks(&words);
    // The `fin de soirée` of « minuit, fin de soirée » is a part of the day.
    let hours = known.iter().filter(|mark| is_hour(mark)).count();
    let marked = |at: &usize| known.iter().any(|mark| (mark.from..mark.to).contains(at) && is_hour(mark));
    let mut content = (0..words.tokens.len()).filter(|at| {
        matches!(words.tokens[*at].kind, Kind::Word | Kind::Number) && !is_function(&words.tokens[*at]) && !marked(at)
    });
    let Some(first) = content.next().filter(|at| words.is(*at, &BOUNDS) && hours == 1) else { return false };
    let rest: Vec<usize> = content.collect();
    // `Ouverture du salon` begins it; the doors, the ticket office and the guests come before something else.
    let comes_first = words.is(first, &["ouverture", "accueil"]);
    let of = rest.iter().all(|at| words.is(*at, OF));
    let doors = rest.iter().any(|at| {
        words.is(
            *at,
            &["portes", "site", "guichets", "guichet", "caisses", "billetterie", "public", "exposants", "inscriptions"],
        )
    });
    of && (!comes_first || doors)
}

fn is_hour(mark: &Mark) -> bool {
    matches!(&mark.meaning, Meaning::Times(times) if !times.slots.is_empty() || times.end.is_some())
}

/// A word of `à partir de 8 ans`, `de 6 à 12 ans`, `dès 3 ans`, `tout public`.
fn of_age(words: &Words<'_>, at: usize) -> bool {
    const AROUND: usize = 6;
    let age = |at: usize| {
        words.is(at, &["a", "partir", "de", "des", "d'", "ans", "moins", "plus", "tout", "public", "pour", "les"])
            || words.tokens.get(at).is_some_and(|token| token.kind == Kind::Number)
    };
    let public = words.is(at, &["tout"]) && words.is(at + 1, &["public"])
        || at > 0 && words.is(at, &["public"]) && words.is(at - 1, &["tout"]);
    public || age(at) && (at..at + AROUND).take_while(|at| age(*at)).any(|at| words.is(at, &["ans"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_belong_to_the_item_before() {
        for text in [
            "Tarif : 5 €",
            "Réservation au 05 62 00 00 00",
            "RDV devant la mairie",
            "5 € / 3 €",
            "Entrée libre.",
            "À partir de 8 ans, 12 €",
            "Sur réservation au 05 62 00 00 00",
            "Libre participation aux frais",
            "MENU : MELON, DAUBE ET PÂTES",
            "Plat : truffade – Dessert : flan",
            "Boissons chaudes 2 €, jus de fruits 3 €",
            "Adultes : 14 euros, enfants : 8 euros",
        ] {
            assert!(is_detail(text), "{text}");
        }
        for text in [
            "Enfants : atelier à 14h",
            "Rendez-vous littéraire à 18h",
            "concert à Pavie",
            "à 10h, visite",
            "bal pour les 8 ans de la halle",
        ] {
            assert!(!is_detail(text), "{text}");
        }
    }

    #[test]
    fn dishes_belong_to_the_meal_above_them() {
        let meal = "19H30 : REPAS SOUS CHAPITEAU - 17 EUROS";
        for text in ["MELON AU VIN DE CAHORS", "MECHOUI ET HARICOTS", "CABECOU, TARTE, CAFE"] {
            assert!(is_dishes(text, meal), "{text}");
            assert!(!is_dishes(text, "21 h : concert"), "{text}");
        }
        for text in ["Méchoui à 20 h", "Fête foraine", "Soupe à l’oignon offerte à 2 h"] {
            assert!(!is_dishes(text, meal), "{text}");
        }
    }

    #[test]
    fn the_bounds_of_an_event_are_none() {
        for text in [
            "18 h\nOuverture des portes",
            "1 h – Fermeture du site",
            "Fin de la soirée à 1 h",
            "Retour prévu vers midi",
            "Réouverture à 14 h",
            "00h00 – Fin de la soirée",
            "12h00 – Pause déjeuner",
        ] {
            assert!(is_bound(text), "{text}");
        }
        for text in [
            "9 h – Ouverture du salon",
            "17 h : clôture du festival Voix de pierre",
            "Ouverture de la chasse au trésor à 10 h",
            "18 h, remise des prix",
            "Fin de chantier, pot à 18 h",
            "Retour aux sources, balade à 9 h",
            "Ouverture des portes à 20 h, concert à 21 h",
        ] {
            assert!(!is_bound(text), "{text}");
        }
    }
}
