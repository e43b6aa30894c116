//! Communes of the Gers, as data: a help, not a condition. A capitalised word after « à » is a commune too.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::text::{Kind, Token, folded};

const NAMES: &[&str] = &[
    "Auch",
    "L'Isle-Jourdain",
    "Condom",
    "Fleurance",
    "Eauze",
    "Lectoure",
    "Mirande",
    "Vic-Fezensac",
    "Gimont",
    "Pavie",
    "Nogaro",
    "Lombez",
    "Samatan",
    "Masseube",
    "Marciac",
    "Plaisance",
    "Riscle",
    "Cazaubon",
    "Barbotan-les-Thermes",
    "Mauvezin",
    "Saint-Clar",
    "Seissan",
    "Preignan",
    "Duran",
    "Montaut-les-Créneaux",
    "Castéra-Verduzan",
    "Jégun",
    "Lavardens",
    "Montégut",
    "Puycasquier",
    "Roquelaure",
    "Sainte-Christie",
    "Mirepoix",
    "Castelnau-Barbarens",
    "Auterive",
    "Augnax",
    "Biran",
    "Barran",
    "Ordan-Larroque",
    "Castin",
    "Leboulin",
    "Lahitte",
    "Nougaroulet",
    "Crastes",
    "Tourrenquets",
    "Sainte-Christie-d'Armagnac",
    "Pessan",
    "Boucagnères",
    "Orbessan",
    "Haulies",
    "Ornézan",
    "Lasséran",
    "Lasseube-Propre",
    "Labéjan",
    "Durban",
    "Traversères",
    "Saint-Jean-le-Comtal",
    "Antras",
    "Peyrusse-Massas",
    "Mérens",
    "Aubiet",
    "Marsan",
    "Lussan",
    "L'Isle-Arné",
    "Juilles",
    "Montiron",
    "Saramon",
    "Simorre",
    "Villefranche",
    "Castelnau-d'Auzan",
    "Montréal",
    "Fourcès",
    "Larressingle",
    "La Romieu",
    "Valence-sur-Baïse",
    "Caussens",
    "Mouchan",
    "Gondrin",
    "Cassaigne",
    "Beaucaire",
    "Ligardes",
    "Blaziert",
    "Saint-Puy",
    "Saint-Paul-de-Baïse",
    "Bonas",
    "Ayguetinte",
    "Rozès",
    "Larroque-Saint-Sernin",
    "Terraube",
    "Castelnau-d'Arbieu",
    "Miradoux",
    "Flamarens",
    "Plieux",
    "Lachapelle",
    "Tournecoupe",
    "Solomiac",
    "Monfort",
    "Homps",
    "Sarrant",
    "Cologne",
    "Touget",
    "Escornebœuf",
    "Sirac",
    "Montferran-Savès",
    "Ségoufielle",
    "Fontenilles",
    "Pujaudran",
    "Lias",
    "Monferran",
    "Frégouville",
    "Gaujac",
    "Polastron",
    "Cazaux-Savès",
    "Sabaillan",
    "Villecomtal-sur-Arros",
    "Miélan",
    "Tillac",
    "Bassoues",
    "Montesquiou",
    "Lupiac",
    "Aignan",
    "Termes-d'Armagnac",
    "Saint-Mont",
    "Viella",
    "Madiran",
    "Aurensan",
    "Barcelonne-du-Gers",
    "Le Houga",
    "Panjas",
    "Manciet",
    "Bretagne-d'Armagnac",
    "Estang",
    "Monguilhem",
    "Castex-d'Armagnac",
    "Beaumarchés",
    "Tasque",
    "Jû-Belloc",
    "Montestruc-sur-Gers",
    "Gavarret-sur-Aulouste",
    "Puységur",
    "Céran",
    "La Sauvetat",
    "Réjaumont",
    "Pauilhac",
    "Lamothe-Goas",
    "Urdens",
    "Brugnens",
    "Cadeilhan",
    "Gaudonville",
    "Avezan",
    "Estramiac",
    "Bajonnette",
    "Sainte-Gemme",
    "Bézéril",
    "Espaon",
    "Montpézat",
    "Puylausic",
    "Sauveterre",
    "Pompiac",
    "Seysses-Savès",
    "Labrihe",
    "Mansempuy",
    "Mauroux",
    "Pis",
    "Taybosc",
    "Saint-Antoine",
    "Saint-Créac",
    "Saint-Mézard",
    "Berrac",
    "Lagarde",
    "Sempesserre",
    "Marsolan",
    "Sainte-Mère",
    "Pouy-Roquelaure",
    "Castillon-Massas",
    "Idrac-Respaillès",
    "Saint-Christaud",
];

type Entry = (Vec<String>, &'static str);

/// By first word, longest name first. `Le Houga` is also under `houga`: one goes « au Houga ».
static BY_FIRST_WORD: LazyLock<HashMap<String, Vec<Entry>>> = LazyLock::new(|| {
    let mut map: HashMap<String, Vec<Entry>> = HashMap::new();
    for name in NAMES {
        let words = parts(&folded(name));
        if words.len() > 1 && ["le", "la", "l"].contains(&words[0].as_str()) {
            map.entry(words[1].clone()).or_default().push((words[1..].to_vec(), name));
        }
        map.entry(words[0].clone()).or_default().push((words, name));
    }
    for names in map.values_mut() {
        names.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
    }
    map
});

fn parts(fold: &str) -> Vec<String> {
    fold.split(['-', '\'', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The known commune written from token `at` on, and where it ends. Hyphens and spaces are alike.
pub(super) fn known(tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
    const LONGEST_NAME: usize = 6;
    let first = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    // `L'` of `à l'Isle-Jourdain` can be small, a name cannot.
    let name = if first.is_any(&["l'", "la", "le"]) { tokens.get(at + 1)? } else { first };
    if !name.capital {
        return None;
    }
    let mut written: Vec<String> = Vec::new();
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for (index, token) in tokens.iter().enumerate().skip(at).take(LONGEST_NAME) {
        if token.kind != Kind::Word {
            break;
        }
        written.extend(parts(&token.fold));
        ends.push((written.len(), index + 1));
    }
    let names = BY_FIRST_WORD.get(written.first()?)?;
    names.iter().find_map(|(words, name)| {
        let to = ends.iter().find(|(count, _)| *count == words.len())?.1;
        written.starts_with(words).then_some((*name, to))
    })
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    #[test]
    fn a_commune_is_known_however_it_is_written() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(known(&tokens(text), 0).map(|(name, _)| name), expected, "{text}");
        };
        check("Castera Verduzan", Some("Castéra-Verduzan"));
        check("CASTÉRA-VERDUZAN.", Some("Castéra-Verduzan"));
        check("l’Isle-Jourdain", Some("L'Isle-Jourdain"));
        check("Houga", Some("Le Houga"));
        check("Sainte Christie d'Armagnac", Some("Sainte-Christie-d'Armagnac"));
        check("condom", None);
        check("Paris", None);
    }
}
