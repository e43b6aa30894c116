//! Names of venues as keys: what is remembered of a venue from one article to the next.

use super::communes;
use super::text::{Kind, Words};
use super::words::{AFTER_VENUE, BEFORE_VENUE, is_event_noun, is_function, is_venue};

/// Streets and squares: every town has its `place Gambetta`.
#[rustfmt::skip]
const STREETS: &[&str] = &[
    "place", "placette", "rue", "rues", "avenue", "boulevard", "allee", "allees", "esplanade", "parking", "quai", "square",
    "chemin", "route", "rond-point", "impasse", "cours", "promenade", "quartier", "pont", "porte", "carrefour", "hameau",
    "lieu-dit", "berges", "bords", "bord", "rives", "parvis",
];

/// Of whom and what many a town has a hall, a school or a church.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "republique", "liberation", "gambetta", "jaures", "jean-jaures", "pasteur", "ferry", "jules-ferry", "moulin",
    "jean-moulin", "gaulle", "verdun", "victoire", "marianne", "notre-dame", "hugo", "victor-hugo", "curie", "zola",
    "emile-zola", "prevert", "jacques-prevert", "leclerc", "foch", "mendes-france", "mitterrand", "mai", "novembre",
    "marie", "jean", "pierre", "paul", "jacques", "louis", "victor", "jules", "joseph", "emile", "francois", "fetes",
    "aines", "jeunes", "associations", "sports", "loisirs", "anciens", "combattants", "congres", "arts", "culture",
    "tourisme", "commerce", "remparts", "cornieres", "conseil", "temps", "libre", "sapeurs", "pompiers", "nord", "sud",
    "est", "ouest", "centre", "port", "paris", "france", "europe", "peuple", "paix",
];

/// After these a name is that of a person or of the house, also if a town has it, too: `salle Bouzigues`, `château Pavie`.
#[rustfmt::skip]
const NAMED: &[&str] = &[
    "salle", "espace", "stade", "gymnase", "domaine", "maison", "theatre", "cinema", "complexe", "pavillon", "villa", "chateau",
    "auditorium", "amphitheatre", "studio", "galerie", "atelier", "ferme", "moulin",
];

/// The key of the name of a venue, equal for all its spellings: `salle du Mouzon`, `SALLE DU MOUZON`. `None` where the name is
/// not the venue's own, but one that another town may have as well: `salle des fêtes`, `place Gambetta`, `église Saint-Jean`.
pub fn venue_key(name: &str) -> Option<String> {
    const LONGEST: usize = 80;
    if name.len() > LONGEST || name.contains([',', ';', '(', '\n']) {
        return None;
    }
    let words = Words::of(name);
    let said: Vec<usize> =
        (0..words.tokens.len()).filter(|at| matches!(words.tokens[*at].kind, Kind::Word | Kind::Number)).collect();
    let article = said.first().is_some_and(|at| words.is(*at, &["le", "la", "l'", "les", "au", "aux"]));
    let said = &said[usize::from(article)..];
    if said.iter().any(|at| words.is(*at, STREETS)) {
        return None;
    }
    // `Église Saint-Luperc`: patrons are shared.
    let is_patron =
        |fold: &str| ["saint", "st-", "ste-"].iter().any(|it| fold.starts_with(it)) || ["st", "ste"].contains(&fold);
    if said.iter().any(|at| is_patron(&words.tokens[*at].fold)) {
        return None;
    }
    let own = said.iter().any(|at| {
        let token = &words.tokens[*at];
        token.kind == Kind::Word
            && token.capital
            && token.fold.chars().count() >= 4
            && !token.is_any(COMMON)
            && !token.is_any(AFTER_VENUE)
            && !token.is_any(BEFORE_VENUE)
            && !is_function(token)
            && !is_venue(token)
            && !is_event_noun(token)
            && !is_commune(&words, *at)
    });
    own.then(|| said.iter().map(|at| words.tokens[*at].fold.as_str()).collect::<Vec<_>>().join(" "))
}

/// `musée de Lectoure` is that of a town, `salle du Mouzon` is no hall of Mouzon: « du » goes with names that have an article.
fn is_commune(words: &Words<'_>, at: usize) -> bool {
    if at > 0 && words.is(at - 1, NAMED) {
        return false;
    }
    match at > 0 && words.is(at - 1, &["du", "des"]) {
        true => communes::contracted(&words.tokens, at).is_some(),
        false => communes::written(words, at).is_some(),
    }
}

/// The commune that a text names and nothing else, as the official list writes it: `Pavie`, `L'ISLE-JOURDAIN`.
pub fn listed_commune(text: &str) -> Option<String> {
    let words = Words::of(text);
    communes::known(&words.tokens, 0).filter(|(_, to)| *to == words.tokens.len()).map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_another_town_may_have_is_no_key() {
        for name in [
            "salle des fêtes",
            "Salle Polyvalente",
            "place Gambetta",
            "église Saint-Jean",
            "mairie",
            "Médiathèque",
            "halle",
            "la Halle",
            "Espace Jean-Jaurès",
            "foyer des aînés",
            "musée de Lectoure",
            "mairie Pavie",
            "salle de Bouzigues",
            "Le Stade",
            "Place de la Mairie",
            "Salle Saint-Roch",
            "Marché",
            "",
            "salle du Mouzon, Auch",
            "Centre Culturel",
        ] {
            assert_eq!(venue_key(name), None, "{name}");
        }
    }

    #[test]
    fn spellings_of_a_name_have_one_key() {
        for (one, other) in [
            ("salle du Mouzon", "SALLE DU MOUZON"),
            ("Cri’Art", "le Cri'Art"),
            ("la Fenière", "La Feniere"),
            ("salle des Cordeliers", "Salle  des Cordeliers"),
            ("salle Bouzigues", "Salle BOUZIGUES"),
            ("Château Pavie", "le château Pavie"),
        ] {
            assert!(venue_key(one).is_some(), "{one}");
            assert_eq!(venue_key(one), venue_key(other), "{one}");
        }
    }

    #[test]
    fn a_commune_is_written_as_in_the_list() {
        assert_eq!(listed_commune("PAVIE").as_deref(), Some("Pavie"));
        assert_eq!(listed_commune("L’Isle-Jourdain").as_deref(), Some("L'Isle-Jourdain"));
        assert_eq!(listed_commune("Pavie, la Fenière"), None);
        assert_eq!(listed_commune("la Fenière"), None);
    }
}
