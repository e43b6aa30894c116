//! A CSV of partners as offices export them: `;` or `,`, UTF-8 or Windows-1252, whatever the order of the columns.
//!
//! All or nothing: every line that is wrong is named with its number, and then none is taken.

use crate::domain::email::EmailAddress;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::collections::HashMap;
use std::fmt;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// One usable line of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// In the file, counted from 1, the header included.
    pub number: u64,
    pub address: EmailAddress,
    pub name: String,
    pub establishment: String,
    pub commune: String,
}

/// A file that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// `UTF-8` or `windows-1252`, `;` or `,`: what was recognised, for the person to check.
    pub charset: &'static str,
    pub delimiter: char,
    pub lines: Vec<Line>,
    /// Addresses that stand twice; the first line is kept.
    pub duplicates: Vec<Duplicate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    pub line: u64,
    pub first: u64,
}

/// One line that is wrong, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    pub line: u64,
    pub message: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// All that is wrong with a file. Nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing was imported:\n{}", self.0.iter().map(LineError::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ImportErrors(pub Vec<LineError>);

/// The columns we read, with the headers that mean them (accents, case and punctuation do not matter).
const COLUMNS: [(Column, &[&str]); 4] = [
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
        ],
    ),
    (Column::Name, &["nom", "contact", "nom du contact", "nom contact", "nom et prenom", "prenom nom", "responsable"]),
    (
        Column::Establishment,
        &[
            "etablissement",
            "structure",
            "raison sociale",
            "societe",
            "enseigne",
            "partenaire",
            "nom de l etablissement",
            "nom etablissement",
        ],
    ),
    (Column::Commune, &["commune", "ville", "localite"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    Email,
    Name,
    Establishment,
    Commune,
}

/// No name is longer; what is, is a broken file.
const LONGEST: usize = 200;

/// # Errors
/// Every line that is wrong, at most a hundred of them.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ImportErrors> {
    let (text, charset) = decode(bytes);
    let one = |line, message: &str| ImportErrors(vec![LineError { line, message: message.to_owned() }]);
    if let Some(at) = text.find('\0') {
        return Err(one(line_at(&text, at), "a NUL character: this is no text file; export the sheet as CSV"));
    }
    if let Some(line) = unclosed_quote(&text) {
        return Err(one(line, "a quotation mark (\") is opened and never closed"));
    }
    let delimiter = delimiter(text.lines().next().unwrap_or_default());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        _ => return Err(one(1, "the file is empty; expected a header line such as email;nom;etablissement;commune")),
    };
    let columns = columns(&header)?;
    let mut errors = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut duplicates = Vec::new();
    let mut first_of: HashMap<String, u64> = HashMap::new();
    for record in records {
        let parsed = match record {
            Err(why) => {
                Err(LineError { line: why.position().map_or(0, csv::Position::line), message: why.to_string() })
            }
            Ok(record) if record.iter().all(|cell| cell.trim().is_empty()) => continue,
            Ok(record) => read_line(&record, header.len(), &columns),
        };
        match parsed {
            Err(error) => errors.push(error),
            Ok(line) => match first_of.get(&line.address.key()) {
                Some(first) => duplicates.push(Duplicate { line: line.number, first: *first }),
                None => {
                    first_of.insert(line.address.key(), line.number);
                    lines.push(line);
                }
            },
        }
        if errors.len() >= 100 {
            break;
        }
    }
    if !errors.is_empty() {
        return Err(ImportErrors(errors));
    }
    if lines.is_empty() {
        return Err(one(2, "no contact below the header"));
    }
    Ok(Parsed { charset, delimiter: char::from(delimiter), lines, duplicates })
}

fn read_line(record: &csv::StringRecord, width: usize, columns: &HashMap<Column, usize>) -> Result<Line, LineError> {
    let number = record.position().map_or(0, csv::Position::line);
    let wrong = |message: String| LineError { line: number, message };
    // Spreadsheets leave empty cells at the end of a row; anything else beyond the header is a shifted row.
    if record.iter().skip(width).any(|cell| !cell.trim().is_empty()) || record.len() < width {
        return Err(wrong(format!("{} cells, the header has {width}: a separator too many or too few", record.len())));
    }
    let cell = |column| -> Result<String, LineError> {
        let text = columns.get(&column).and_then(|n| record.get(*n)).unwrap_or_default().trim();
        if text.contains(|c: char| c.is_control()) {
            return Err(wrong("a line break or another control character within a cell".to_owned()));
        }
        if text.chars().count() > LONGEST {
            return Err(wrong(format!("a cell of more than {LONGEST} characters")));
        }
        Ok(text.nfc().collect())
    };
    let email = cell(Column::Email)?;
    Ok(Line {
        number,
        address: EmailAddress::parse(&email).map_err(|why| wrong(format!("{email:?} is no e-mail address: {why}")))?,
        name: cell(Column::Name)?,
        establishment: cell(Column::Establishment)?,
        commune: cell(Column::Commune)?,
    })
}

fn columns(header: &csv::StringRecord) -> Result<HashMap<Column, usize>, ImportErrors> {
    let mut found = HashMap::new();
    for (n, name) in header.iter().enumerate() {
        let name = folded(name);
        if let Some((column, _)) = COLUMNS.iter().find(|(_, names)| names.contains(&name.as_str())) {
            found.entry(*column).or_insert(n);
        }
    }
    if !found.contains_key(&Column::Email) {
        let given = header.iter().collect::<Vec<_>>().join(", ");
        let message = format!(
            "no column for the address; expected a header such as email;nom;etablissement;commune, found {given}"
        );
        return Err(ImportErrors(vec![LineError { line: 1, message }]));
    }
    Ok(found)
}

/// Small letters without accents, one blank for anything else.
fn folded(text: &str) -> String {
    let letters: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A BOM decides; then UTF-8 if it is valid; else what French Excel writes.
fn decode(bytes: &[u8]) -> (String, &'static str) {
    let encoding = Encoding::for_bom(bytes).map_or_else(
        || if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 },
        |(encoding, _)| encoding,
    );
    let (text, encoding, _) = encoding.decode(bytes);
    (text.into_owned(), encoding.name())
}

/// Whichever of `;`, tab and `,` the header has most of.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: u8| header.bytes().filter(|b| *b == delimiter).count();
    [b',', b'\t', b';'].into_iter().max_by_key(|d| count(*d)).unwrap_or(b';')
}

fn line_at(text: &str, offset: usize) -> u64 {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() as u64 + 1
}

/// The line on which a quotation mark opens a cell that the file never closes.
fn unclosed_quote(text: &str) -> Option<u64> {
    let (mut line, mut opened) = (1, None);
    for c in text.chars() {
        match (c, opened) {
            ('\n', _) => line += 1,
            ('"', None) => opened = Some(line),
            ('"', Some(_)) => opened = None,
            _ => {}
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        parse(text.as_bytes()).map_or_else(|errors| errors.to_string(), |parsed| format!("{parsed:?}"))
    }

    #[test]
    fn excel_in_french_and_utf_8_with_a_bom_give_the_same_contacts() {
        let text = "Email;Nom;Établissement;Commune\r\ncontact@hotel.example;Éloïse Cœur;« Hôtel » de France;Auch\r\n";
        let (windows, _, _) = WINDOWS_1252.encode(text);
        let utf8 = format!("\u{feff}{text}");
        let (a, b) = (parse(&windows).unwrap(), parse(utf8.as_bytes()).unwrap());
        assert_eq!((a.charset, b.charset), ("windows-1252", "UTF-8"));
        assert_eq!(a.lines, b.lines);
        assert_eq!(a.lines[0].name, "Éloïse Cœur");
        assert_eq!(a.lines[0].establishment, "« Hôtel » de France");
    }

    #[test]
    fn headers_are_mapped_in_any_order_and_with_commas() {
        let parsed =
            parse("Ville,Raison sociale,Adresse e-mail,Téléphone\nAuch,\"Gîte, la Ferme\",a@b.fr,05\n".as_bytes())
                .unwrap();
        assert_eq!(parsed.lines[0].establishment, "Gîte, la Ferme");
        assert_eq!(parsed.lines[0].commune, "Auch");
        assert_eq!(parsed.lines[0].name, "");
    }

    #[test]
    fn every_wrong_line_is_named_and_none_is_taken() {
        let said = errors("email;nom;etablissement;commune\na@b.fr;x;y;z\nnobody;x;y;z\nc@d.fr;x\n;x;y;z\n");
        for part in [
            "nothing was imported",
            "line 3: \"nobody\" is no e-mail address: expected one @",
            "line 4: 2 cells, the header has 4",
            "line 5: \"\" is no e-mail address: no address",
        ] {
            assert!(said.contains(part), "{part} not in {said}");
        }
    }

    #[test]
    fn broken_files_are_refused_with_the_line() {
        for (text, expected) in [
            ("", "line 1: the file is empty"),
            ("email;nom\n", "line 2: no contact below the header"),
            ("nom;ville\nx;y\n", "line 1: no column for the address"),
            ("email;nom\na@b.fr;\"x\nc@d.fr;y\n", "line 2: a quotation mark (\") is opened and never closed"),
            ("email;nom\na@b.fr;x\0\n", "line 2: a NUL character"),
            ("email;nom\na@b.fr;\"x\r\nBcc: y\"\n", "line 2: a line break or another control character"),
        ] {
            let said = errors(text);
            assert!(said.contains(expected), "{expected} not in {said}");
        }
    }

    #[test]
    fn an_address_that_stands_twice_is_taken_once_and_told() {
        let parsed = parse("email;nom\na@b.fr;x\nA@B.FR;y\n".as_bytes()).unwrap();
        assert_eq!(parsed.lines.len(), 1);
        assert_eq!(parsed.duplicates, [Duplicate { line: 3, first: 2 }]);
    }
}
