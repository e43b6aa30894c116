//! Recognises the columns of a list by the words of their headers, in any spelling and order.

use super::said::{Said, said};
use super::sheet::LineMessage;
use crate::domain::{
    email::EmailAddress,
    french,
    partner::{self, Field},
};
use unicode_normalization::UnicodeNormalization;

/// A recognised column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    Email,
    /// Put before the name.
    FirstName,
    /// Together they are the position.
    Latitude,
    Longitude,
    Field(Field),
    /// A column for one label, with a cross for partners that have it.
    Label(&'static str),
}

/// The headers of each column; accents, case and punctuation are ignored. For the address see [`is_address`].
const HEADERS: [(Column, &[&str]); 18] = [
    (Column::Email, &["email", "e mail", "mail", "courriel", "adresse mail", "adresse electronique", "mel"]),
    (
        Column::Field(Field::Phone),
        &[
            "telephone",
            "tel",
            "phone",
            "numero de telephone",
            "n de telephone",
            "no de telephone",
            "tel fixe",
            "telephone fixe",
            "fixe",
            "tel pro",
            "portable",
            "tel portable",
            "telephone portable",
            "mobile",
            "tel mobile",
            "telephone 1",
            "tel 1",
            "telephone 2",
            "tel 2",
        ],
    ),
    (Column::Field(Field::Postcode), &["code postal", "cp", "c p", "postcode", "postal code", "codepostal"]),
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

/// Canonical spelling of known labels; any other text is accepted as a label too.
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

/// Longer cells indicate a broken file.
const LONGEST: usize = 200;

/// Columns of our own exports that the import ignores silently.
const OURS: [&str; 3] = ["abonnements", "desabonnements", "motif du refus"];

/// The meaning of each column of a header, and the names of ignored columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub columns: Vec<Option<Column>>,
    pub unread: Vec<String>,
}

/// Whether a row is a header with a column of addresses.
pub fn has_address(header: &[String]) -> bool {
    // A data row has an address where the header has a name for it.
    header.iter().any(|name| !name.contains('@') && is_address(&french::folded(name)))
}

/// `adresse mail 2`, `e mail de contact`, `courriel professionnel`: a word for electronic mail, without words that change
/// its meaning, such as a date.
fn is_address(folded: &str) -> bool {
    const MAIL: [&str; 8] = ["email", "emails", "mail", "mails", "courriel", "courriels", "mel", "messagerie"];
    const BESIDE: &str = "adresse adresses e de du des d la le l un contact contacts principal principale secondaire bis pro \
        professionnel professionnelle professionnels electronique electroniques internet web gerant gerante responsable \
        proprietaire reservation reservations facturation accueil etablissement structure partenaire adherent n no numero";
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let is_mail = words.iter().any(|word| MAIL.contains(word)) || folded.starts_with("adresse electronique");
    let is_beside = |word: &&str| {
        MAIL.contains(word)
            || BESIDE.split_whitespace().any(|it| it == *word)
            || (word.len() == 1 && word.parse::<u8>().is_ok())
    };
    is_mail && words.iter().all(is_beside)
}

/// # Errors
/// When there is no address column.
pub fn understand(line: u64, header: &[String]) -> Result<Header, LineMessage> {
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.len());
    let mut unread = Vec::new();
    for given in header {
        let name = french::folded(given);
        let known = HEADERS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| column.clone());
        let known = known.or_else(|| is_address(&name).then_some(Column::Email));
        let column = known.or_else(|| label(&name).map(Column::Label));
        // Of two columns with the same meaning the first counts; of addresses and telephones all are used.
        let is_new = |column: &Column| {
            matches!(column, Column::Email | Column::Field(Field::Phone)) || !columns.contains(&Some(column.clone()))
        };
        let column = column.filter(is_new);
        if column.is_none() && !name.is_empty() && !OURS.contains(&name.as_str()) {
            unread.push(given.trim().to_owned());
        }
        columns.push(column);
    }
    if columns.contains(&Some(Column::Email)) {
        return Ok(Header { columns, unread });
    }
    let given = header.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    Err(LineMessage::new(
        line,
        said!(
            "no column for the address in the first ten lines; expected a header such as email;nom;etablissement;commune \
             (also: Adresse mail, Courriel, Mail 1, Mail 2), found {given}",
            "aucune colonne d’adresses dans les dix premières lignes ; il faut un en-tête comme email;nom;etablissement;commune \
             (ou encore : Adresse mail, Courriel, Mail 1, Mail 2), et voici ce qui s’y trouve : {given}"
        ),
    ))
}

/// The addresses of a cell with their names, as people write them: several, `mailto:…`, `Marie <a@b.fr>`.
///
/// # Errors
/// Which part is not an address.
pub fn addresses(cell: &str) -> Result<Vec<(EmailAddress, String)>, Said> {
    let cell = cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '«' | '»' | '\'' | '.'));
    let parsed = |text: &str| {
        let text =
            text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ':' | '(' | ')' | '"' | '[' | ']'));
        let bare = match text.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].split('?').next().unwrap_or_default(),
            _ => text,
        };
        EmailAddress::parse(bare).map_err(|why| {
            let french = why.in_french();
            Said::new(
                format!("{text:?} is no e-mail address: {why}"),
                format!("« {text} » n’est pas une adresse électronique : {french}"),
            )
        })
    };
    let mut found: Vec<(EmailAddress, String)> = Vec::new();
    let mut add = |address: EmailAddress, name: String| {
        if !found.iter().any(|(known, _)| *known == address) {
            found.push((address, name));
        }
    };
    let is_parting = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '/' | '|' | '+' | '\u{b7}' | '•');
    if cell.contains('<') && cell.contains('>') {
        for piece in cell.split('>').filter(|piece| !piece.trim_matches(is_parting).is_empty()) {
            let Some((name, address)) = piece.split_once('<') else {
                let piece = piece.trim();
                return Err(said!(
                    "{piece:?} beside an address: expected only addresses, parted by ;",
                    "« {piece} » à côté d’une adresse : il ne faut que des adresses, séparées par ;"
                ));
            };
            let name = name.trim_matches(|c: char| is_parting(c) || matches!(c, '"' | '\''));
            add(parsed(address)?, name.to_owned());
        }
        return Ok(found);
    }
    // `+` and `/` can be part of an address, so split at blanks and other separators first.
    let words = cell.split(|c: char| is_parting(c) && !matches!(c, '+' | '/')).filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .flat_map(|word| match word.matches('@').count() {
            0 | 1 => vec![word.trim_matches(['/', '+'])],
            _ => word.split('/').collect(),
        })
        .filter(|word| !word.is_empty() && !matches!(*word, "et" | "ou" | "and" | "&" | "-" | "–"))
        .collect();
    if words.iter().filter(|word| word.contains('@')).count() < 2 && words.len() < 2 {
        if let Some(word) = words.first() {
            add(parsed(word)?, String::new());
        }
        return Ok(found);
    }
    if let Some(other) = words.iter().find(|word| !word.contains('@')) {
        return Err(said!(
            "{cell:?}: {other:?} is no e-mail address; expected one, or several parted by ; or /",
            "« {cell} » : « {other} » n’est pas une adresse électronique ; il en faut une, ou plusieurs séparées par ; ou /"
        ));
    }
    for word in words {
        add(parsed(word)?, String::new());
    }
    Ok(found)
}

fn label(text: &str) -> Option<&'static str> {
    let folded = french::folded(text);
    LABELS.into_iter().find(|label| french::folded(label) == folded)
}

/// Cleans the text of a cell: trims, composes accents, and removes bidirectional control characters.
///
/// # Errors
/// If it contains a line break or another control character, or is too long.
pub fn clean(column: &Column, text: &str) -> Result<String, Said> {
    // Postal addresses and lists of labels are often written on several lines.
    let lines = matches!(column, Column::Field(Field::Street | Field::Labels | Field::Phone) | Column::Email);
    // The apostrophe that an export put before a text that a spreadsheet would evaluate.
    let text = text.trim();
    let text = text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text);
    let text: String = text.nfc().filter(|c| !is_invisible(*c)).collect();
    let text = if lines {
        text.split(['\r', '\n']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(", ")
    } else {
        text
    };
    if text.contains(|c: char| c.is_control()) {
        return Err(said!(
            "a line break or another control character within a cell",
            "un retour à la ligne ou un autre caractère de commande dans une cellule"
        ));
    }
    if text.chars().count() > LONGEST {
        return Err(said!("a cell of more than {LONGEST} characters", "une cellule de plus de {LONGEST} caractères"));
    }
    Ok(text)
}

/// Invisible characters that change how a name is read; the joiner of emoji is kept.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Converts the value of a cell to the form in which it is stored.
///
/// # Errors
/// What was expected.
pub fn value(field: Field, text: &str) -> Result<String, Said> {
    let refused = |expected: &str, french: &str| {
        Err(Said::new(
            format!("{} {text:?}: expected {expected}", field.as_str()),
            format!("{} « {text} » : il faut {french}", in_french(field)),
        ))
    };
    match field {
        Field::Category => Ok(text.to_lowercase()),
        Field::Labels => Ok(partner::labels_text(&split_labels(text))),
        Field::Stars => stars(text).map_or_else(|| refused("1 to 5 stars", "de 1 à 5 étoiles"), |n| Ok(n.to_string())),
        Field::Language => match language(text) {
            Some(language) => Ok(language),
            None => refused("a language such as fr or français", "une langue comme fr ou français"),
        },
        Field::Phone => Ok(phone(text)),
        Field::Postcode => {
            // Spreadsheets drop the leading zero, and some convert it to a decimal number.
            let digits: String =
                text.split(['.', ',']).next().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            Ok(if is_number && digits.len() == 4 {
                format!("0{digits}")
            } else if is_number {
                digits
            } else {
                text.to_owned()
            })
        }
        Field::Insee => {
            // Spreadsheets drop the leading zero.
            let code = if text.len() == 4 { format!("0{text}") } else { text.to_uppercase() };
            let sound = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit() || b == b'A' || b == b'B');
            if sound || text.is_empty() {
                Ok(if text.is_empty() { String::new() } else { code })
            } else {
                refused("five digits such as 32013", "cinq chiffres comme 32013")
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
            if sound {
                Ok(whole)
            } else {
                refused("an address such as https://gite.example", "une adresse comme https://gite.example")
            }
        }
        Field::Position => match text.split_once([',', ';']) {
            None if text.is_empty() => Ok(String::new()),
            Some((latitude, longitude)) => position(latitude, longitude),
            None => refused("latitude,longitude in degrees", "latitude,longitude en degrés"),
        },
        _ => Ok(text.to_owned()),
    }
}

/// The name of a field in messages.
pub(super) fn in_french(field: Field) -> &'static str {
    match field {
        Field::Name => "nom",
        Field::Function => "fonction",
        Field::Language => "langue",
        Field::Establishment => "établissement",
        Field::Category => "catégorie",
        Field::Commune => "commune",
        Field::Insee => "code Insee",
        Field::Street => "adresse",
        Field::Labels => "labels",
        Field::Stars => "étoiles",
        Field::Website => "site",
        Field::Position => "position",
        Field::Phone => "téléphone",
        Field::Postcode => "code postal",
    }
}

/// # Errors
/// When they are not degrees.
pub fn position(latitude: &str, longitude: &str) -> Result<String, Said> {
    let degrees = |text: &str, most: f64| {
        let text = text.trim().replace(',', ".");
        text.parse::<f64>().ok().filter(|n| n.abs() <= most).map(|_| text)
    };
    match (latitude.trim(), longitude.trim()) {
        ("", "") => Ok(String::new()),
        (lat, lon) => match (degrees(lat, 90.0), degrees(lon, 180.0)) {
            (Some(lat), Some(lon)) => Ok(format!("{lat},{lon}")),
            _ => Err(said!(
                "position {lat:?} {lon:?}: expected degrees such as 43.6465 and 0.5855",
                "position « {lat} » « {lon} » : il faut des degrés comme 43.6465 et 0.5855"
            )),
        },
    }
}

/// `Accueil vélo, gîtes de france`: known labels in their canonical spelling.
pub fn split_labels(text: &str) -> Vec<String> {
    let words = text.split([',', ';', '|', '/']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| label(word).unwrap_or(word).to_owned()).collect()
}

/// `05 62 00 00 00` from `562000000`, `05.62.00.00.00`, `+33 5 62 00 00 00`; other texts are kept as written.
fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_bare =
        text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | '-' | '+' | '(' | ')' | '/'));
    let national = match (digits.len(), text.trim_start().starts_with('+')) {
        (10, false) if digits.starts_with('0') => digits,
        // A spreadsheet converted it to a number.
        (9, false) if !digits.starts_with('0') => format!("0{digits}"),
        (11, true) if digits.starts_with("33") => format!("0{}", &digits[2..]),
        (12, true) if digits.starts_with("330") => digits[2..].to_owned(),
        (13, false) if digits.starts_with("0033") => format!("0{}", &digits[4..]),
        _ => return text.to_owned(),
    };
    match is_bare && national.len() == 10 {
        true => (0..5).map(|pair| &national[2 * pair..2 * pair + 2]).collect::<Vec<_>>().join(" "),
        false => text.to_owned(),
    }
}

/// A cross, or a word that means yes.
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
    fn star_ratings_are_parsed_in_common_notations() {
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
            (Field::Postcode, "1000", "01000"),
            (Field::Postcode, "32 000", "32000"),
            (Field::Postcode, "32000 Cedex", "32000 Cedex"),
            (Field::Phone, "562000000", "05 62 00 00 00"),
            (Field::Phone, "+33 (0)5.62.00.00.00", "05 62 00 00 00"),
            (Field::Phone, "05 62 00 00 00 / 06 00 00 00 00", "05 62 00 00 00 / 06 00 00 00 00"),
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
            assert!(value(field, text).unwrap_err().en.contains("expected"), "{text}");
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

    #[test]
    fn trial_f09_a_column_of_addresses_is_recognised_by_its_header() {
        for name in [
            "E-mail",
            "Adresse mail 1",
            "Adresse mail 2",
            "MAIL PRO",
            "Courriel du gérant",
            "Adresse e-mail (contact)",
            "Mél.",
            "Email de réservation",
            "Adresse électronique",
        ] {
            assert!(has_address(&[name.to_owned()]), "{name}");
        }
        for name in ["Mail envoyé le", "Adresse", "Adresse 1", "Contact", "NPAI mail", "a@b.fr mail", "Mailing", ""] {
            assert!(!has_address(&[name.to_owned()]), "{name}");
        }
    }

    #[test]
    fn trial_f09_a_cell_with_several_addresses_is_parsed() {
        let found = |cell: &str| {
            addresses(cell).map(|all| all.iter().map(|(address, name)| format!("{name}|{address}")).collect::<Vec<_>>())
        };
        for (cell, expected) in [
            ("a@b.fr", vec!["|a@b.fr"]),
            (" A@b.fr ; c@d.fr", vec!["|A@b.fr", "|c@d.fr"]),
            ("a@b.fr / c@d.fr", vec!["|a@b.fr", "|c@d.fr"]),
            ("a@b.fr/c@d.fr", vec!["|a@b.fr", "|c@d.fr"]),
            ("a@b.fr, c@d.fr", vec!["|a@b.fr", "|c@d.fr"]),
            ("a@b.fr et c@d.fr", vec!["|a@b.fr", "|c@d.fr"]),
            ("a@b.fr c@d.fr", vec!["|a@b.fr", "|c@d.fr"]),
            ("a@b.fr;A@B.FR", vec!["|a@b.fr"]),
            ("mailto:a@b.fr?subject=x", vec!["|a@b.fr"]),
            ("Marie Dupont <a@b.fr>", vec!["Marie Dupont|a@b.fr"]),
            ("Marie <a@b.fr>; \"Jean\" <mailto:c@d.fr>", vec!["Marie|a@b.fr", "Jean|c@d.fr"]),
            ("<a@b.fr>", vec!["|a@b.fr"]),
            ("« a@b.fr ».", vec!["|a@b.fr"]),
            ("a+b@c.fr", vec!["|a+b@c.fr"]),
            ("", vec![]),
        ] {
            assert_eq!(
                found(cell).as_deref(),
                Ok(&expected.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..]),
                "{cell}"
            );
        }
        for (cell, part) in [
            ("gite dupre@b.fr", "\"gite\" is no e-mail address"),
            ("hôtel@b.fr", "unaccented"),
            ("a@b.fr, voir accueil", "\"voir\" is no e-mail address"),
            ("non", "expected one @"),
        ] {
            assert!(found(cell).unwrap_err().en.contains(part), "{cell}: {:?}", found(cell));
        }
    }
}
