//! What the columns of a list mean: by the words of their header, however they are written, and in any order.

use super::sheet::LineMessage;
use crate::domain::{
    french,
    partner::{self, Field},
};
use unicode_normalization::UnicodeNormalization;

/// A column we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    Email,
    /// Put before the name.
    FirstName,
    /// Together they are the position.
    Latitude,
    Longitude,
    Field(Field),
    /// A column for one label, with a cross for the partners that have it.
    Label(&'static str),
}

/// The headers that mean a column; accents, case and punctuation do not matter.
const HEADERS: [(Column, &[&str]); 16] = [
    (
        Column::Email,
        &[
            "email",
            "e mail",
            "mail",
            "courriel",
            "adresse email",
            "adresse e mail",
            "adresse mail",
            "adresse electronique",
            "email du contact",
            "mel",
        ],
    ),
    (
        Column::Field(Field::Name),
        &[
            "nom",
            "name",
            "contact",
            "nom du contact",
            "nom contact",
            "nom et prenom",
            "prenom et nom",
            "nom prenom",
            "prenom nom",
            "responsable",
            "interlocuteur",
        ],
    ),
    (Column::FirstName, &["prenom", "first name", "prenom du contact", "prenom contact"]),
    (Column::Field(Field::Function), &["fonction", "function", "poste", "qualite", "role", "titre"]),
    (Column::Field(Field::Language), &["langue", "language", "langue du contact"]),
    (
        Column::Field(Field::Establishment),
        &[
            "etablissement",
            "establishment",
            "structure",
            "raison sociale",
            "societe",
            "entreprise",
            "enseigne",
            "partenaire",
            "adherent",
            "nom commercial",
            "nom de l etablissement",
            "nom etablissement",
            "nom de la structure",
        ],
    ),
    (
        Column::Field(Field::Category),
        &["categorie", "category", "filiere", "activite", "type", "secteur", "type d etablissement", "type d activite"],
    ),
    (Column::Field(Field::Commune), &["commune", "ville", "localite", "municipalite"]),
    (Column::Field(Field::Insee), &["insee", "code insee", "code commune", "insee commune", "cog"]),
    (
        Column::Field(Field::Street),
        &["adresse", "street", "adresse postale", "rue", "voie", "adresse 1", "numero et voie"],
    ),
    (
        Column::Field(Field::Labels),
        &["labels", "label", "marques", "marque", "qualifications", "labels et marques", "label s"],
    ),
    (
        Column::Field(Field::Stars),
        &["etoiles", "stars", "classement", "nombre d etoiles", "nb etoiles", "classement etoiles", "etoile s"],
    ),
    (
        Column::Field(Field::Website),
        &["site", "website", "site web", "site internet", "url", "www", "adresse du site", "lien"],
    ),
    (Column::Latitude, &["latitude", "lat", "y"]),
    (Column::Longitude, &["longitude", "lon", "lng", "long", "x"]),
    (Column::Field(Field::Position), &["position", "coordonnees gps", "gps", "coordonnees"]),
];

/// Labels as their owners write them; any other word is a label too.
pub const LABELS: [&str; 12] = [
    "Accueil Paysan",
    "Accueil Vélo",
    "Bienvenue à la Ferme",
    "Clé Verte",
    "Clévacances",
    "Famille Plus",
    "Gîtes de France",
    "Maître Restaurateur",
    "Qualité Tourisme",
    "Terra Gers",
    "Tourisme et Handicap",
    "Vignobles & Découvertes",
];

/// No cell is longer; what is, is a broken file.
const LONGEST: usize = 200;

/// The meaning of each column of the header, `None` for those we do not read.
///
/// # Errors
/// When none of them is the address.
pub fn understand(line: u64, header: &[String]) -> Result<Vec<Option<Column>>, LineMessage> {
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.len());
    for name in header {
        let name = french::folded(name);
        let known = HEADERS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| column.clone());
        let column = known.or_else(|| label(&name).map(Column::Label));
        // Of two columns of one meaning the first counts.
        columns.push(column.filter(|column| !columns.contains(&Some(column.clone()))));
    }
    if columns.contains(&Some(Column::Email)) {
        return Ok(columns);
    }
    let given = header.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    let example = "no column for the address; expected a header such as email;nom;etablissement;commune";
    Err(LineMessage::new(line, format!("{example}, found {given}")))
}

fn label(text: &str) -> Option<&'static str> {
    let folded = french::folded(text);
    LABELS.into_iter().find(|label| french::folded(label) == folded)
}

/// The text of a cell, cleaned: no blanks around, composed accents, no marks that turn the direction of writing.
///
/// # Errors
/// When it holds a line break or another control character, or is too long.
pub fn clean(column: &Column, text: &str) -> Result<String, String> {
    // Postal addresses and lists of labels are often written on several lines.
    let lines = matches!(column, Column::Field(Field::Street | Field::Labels));
    // What an export put before a text that a spreadsheet would calculate.
    let text = text.trim();
    let text = text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text);
    let text: String = text.nfc().filter(|c| !is_invisible(*c)).collect();
    let text = if lines {
        text.split(['\r', '\n']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(", ")
    } else {
        text
    };
    if text.contains(|c: char| c.is_control()) {
        return Err("a line break or another control character within a cell".to_owned());
    }
    if text.chars().count() > LONGEST {
        return Err(format!("a cell of more than {LONGEST} characters"));
    }
    Ok(text)
}

/// Marks that change how a name is read without being seen; the joiner of emoji stays.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A cell of a field in the form it is kept in.
///
/// # Errors
/// What was expected.
pub fn value(field: Field, text: &str) -> Result<String, String> {
    let refused = |expected: &str| Err(format!("{} {text:?}: expected {expected}", field.as_str()));
    match field {
        Field::Category => Ok(text.to_lowercase()),
        Field::Labels => Ok(partner::labels_text(&split_labels(text))),
        Field::Stars => stars(text).map_or_else(|| refused("1 to 5 stars"), |n| Ok(n.to_string())),
        Field::Language => match language(text) {
            Some(language) => Ok(language),
            None => refused("a language such as fr or français"),
        },
        Field::Insee => {
            // Spreadsheets lose the zero in front.
            let code = if text.len() == 4 { format!("0{text}") } else { text.to_uppercase() };
            let sound = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit() || b == b'A' || b == b'B');
            if sound || text.is_empty() {
                Ok(if text.is_empty() { String::new() } else { code })
            } else {
                refused("five digits such as 32013")
            }
        }
        Field::Website => {
            let whole = match text {
                "" => return Ok(String::new()),
                text if text.contains("://") => text.to_owned(),
                text => format!("https://{text}"),
            };
            let url = url::Url::parse(&whole).ok();
            let sound = url.is_some_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| host.contains('.'))
            });
            if sound { Ok(whole) } else { refused("an address such as https://gite.example") }
        }
        Field::Position => match text.split_once([',', ';']) {
            None if text.is_empty() => Ok(String::new()),
            Some((latitude, longitude)) => position(latitude, longitude),
            None => refused("latitude,longitude in degrees"),
        },
        _ => Ok(text.to_owned()),
    }
}

/// # Errors
/// When they are no degrees.
pub fn position(latitude: &str, longitude: &str) -> Result<String, String> {
    let degrees = |text: &str, most: f64| {
        let text = text.trim().replace(',', ".");
        text.parse::<f64>().ok().filter(|n| n.abs() <= most).map(|_| text)
    };
    match (latitude.trim(), longitude.trim()) {
        ("", "") => Ok(String::new()),
        (lat, lon) => match (degrees(lat, 90.0), degrees(lon, 180.0)) {
            (Some(lat), Some(lon)) => Ok(format!("{lat},{lon}")),
            _ => Err(format!("position {lat:?} {lon:?}: expected degrees such as 43.6465 and 0.5855")),
        },
    }
}

/// `Accueil vélo, gîtes de france`: the known ones as their owners write them.
pub fn split_labels(text: &str) -> Vec<String> {
    let words = text.split([',', ';', '|', '/']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| label(word).unwrap_or(word).to_owned()).collect()
}

/// A cross, or one of the words people tick a box with.
pub fn is_ticked(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "x" | "oui" | "o" | "1" | "vrai" | "true" | "yes" | "✓" | "✔")
}

/// `3`, `3 étoiles`, `***`, `non classé`.
fn stars(text: &str) -> Option<u8> {
    let folded = french::folded(text);
    if text.is_empty() || matches!(folded.as_str(), "non classe" | "nc" | "non" | "sans" | "en cours") {
        return Some(0);
    }
    let drawn = text.chars().filter(|c| matches!(c, '*' | '★')).count();
    if drawn == text.chars().count() {
        return u8::try_from(drawn).ok().filter(|n| *n <= 5);
    }
    let mut words = folded.split(' ');
    let number = words.next()?.parse().ok().filter(|n| *n <= 5);
    number.filter(|_| words.all(|word| matches!(word, "etoile" | "etoiles" | "epi" | "epis" | "cle" | "cles")))
}

fn language(text: &str) -> Option<String> {
    let folded = french::folded(text);
    let known = [
        ("francais", "fr"),
        ("anglais", "en"),
        ("espagnol", "es"),
        ("allemand", "de"),
        ("neerlandais", "nl"),
        ("occitan", "oc"),
        ("", "fr"),
    ];
    let code = known.iter().find(|(name, _)| *name == folded).map(|(_, code)| (*code).to_owned());
    code.or_else(|| (folded.len() == 2 && folded.bytes().all(|b| b.is_ascii_lowercase())).then_some(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_read_as_people_write_them() {
        for (text, n) in [("3", 3), ("3 étoiles", 3), ("***", 3), ("4*", 4), ("", 0), ("Non classé", 0), ("2 épis", 2)]
        {
            assert_eq!(stars(text), Some(n), "{text}");
        }
        for text in ["6", "trois", "******", "3 murs"] {
            assert_eq!(stars(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_has_one_form_or_is_refused_with_what_was_expected() {
        for (field, text, kept) in [
            (Field::Category, "Hébergement", "hébergement"),
            (Field::Labels, "terra gers; ACCUEIL VELO, Bio", r#"["Accueil Vélo","Bio","Terra Gers"]"#),
            (Field::Insee, "1004", "01004"),
            (Field::Insee, "2a004", "2A004"),
            (Field::Language, "Français", "fr"),
            (Field::Website, "www.gite.example", "https://www.gite.example"),
            (Field::Position, "43.6, 0.58", "43.6,0.58"),
        ] {
            assert_eq!(value(field, text).as_deref(), Ok(kept));
        }
        for (field, text) in [
            (Field::Insee, "Auch"),
            (Field::Language, "klingon"),
            (Field::Website, "javascript://x"),
            (Field::Website, "non"),
            (Field::Position, "95,0"),
        ] {
            assert!(value(field, text).unwrap_err().contains("expected"), "{text}");
        }
    }

    #[test]
    fn every_header_means_one_column() {
        let mut seen = std::collections::HashSet::new();
        for name in HEADERS.iter().flat_map(|(_, names)| names.iter()) {
            assert!(seen.insert(name), "{name} stands twice");
            assert_eq!(french::folded(name), *name, "headers are compared folded");
        }
    }
}
