//! A list of partners, understood: every line is checked, and what stands twice is brought together by rule.
//!
//! All or nothing: every line that is wrong is named with its number, and then none is taken. The rules:
//!
//! - One mailbox, one contact: case does not matter, nor do dots and `+…` at Gmail, which does not mind them. The first
//!   line counts; later ones fill what it leaves empty.
//! - One establishment (same name and commune, however written) is described by all its lines together: of each field the
//!   first one that says something counts.

use super::columns::{self, Column};
use super::sheet::{self, Format, LineMessage, Row};
use crate::domain::{
    email::EmailAddress,
    french,
    partner::{Field, Fields},
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// One usable line of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub number: u64,
    pub address: EmailAddress,
    pub fields: Fields,
}

/// A file that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub format: Format,
    pub lines: Vec<Line>,
    /// What was brought together; the first hundred, and how many there are.
    pub merged: Some100,
    /// Lines that are wrong. While there are any, nothing may be imported.
    pub refused: Some100,
}

/// The first hundred, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Some100 {
    pub first: Vec<LineMessage>,
    pub count: usize,
}

impl Some100 {
    fn push(&mut self, line: u64, message: impl Into<String>) {
        self.count += 1;
        if self.first.len() < 100 {
            self.first.push(LineMessage::new(line, message));
        }
    }

    /// A line each, and one that says how many more there are.
    pub fn said(&self) -> Vec<String> {
        let mut said: Vec<_> = self.first.iter().map(LineMessage::to_string).collect();
        if self.count > self.first.len() {
            said.push(format!("… and {} more", self.count - self.first.len()));
        }
        said
    }
}

/// All that is wrong with a file. Nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing was imported:\n{}", self.0.said().join("\n"))]
pub struct ImportErrors(pub Some100);

impl From<LineMessage> for ImportErrors {
    fn from(message: LineMessage) -> Self {
        Self(Some100 { first: vec![message], count: 1 })
    }
}

impl Parsed {
    /// # Errors
    /// When a line was refused: then nothing may be taken.
    pub fn sound(&self) -> Result<(), ImportErrors> {
        if self.refused.count == 0 { Ok(()) } else { Err(ImportErrors(self.refused.clone())) }
    }
}

/// # Errors
/// When the file as a whole cannot be used. Single lines that are wrong are in [`Parsed::refused`].
pub fn parse(bytes: &[u8]) -> Result<Parsed, ImportErrors> {
    let mut header: Option<Result<Vec<Option<Column>>, LineMessage>> = None;
    let mut lines = Lines::default();
    let format = sheet::read(bytes, &mut |row| match &header {
        None => {
            let understood = row.cells.as_ref().map_err(|why| LineMessage::new(row.line, why.clone()));
            let understood = understood.and_then(|cells| columns::understand(row.line, cells));
            let go_on = understood.is_ok();
            header = Some(understood);
            go_on
        }
        Some(Ok(columns)) => {
            lines.take(row, columns);
            true
        }
        Some(Err(_)) => false,
    })?;
    let example = "the file is empty; expected a header line such as email;nom;etablissement;commune";
    header.unwrap_or_else(|| Err(LineMessage::new(1, example)))?;
    if lines.lines.is_empty() && lines.refused.count == 0 {
        return Err(LineMessage::new(2, "no contact below the header").into());
    }
    lines.describe_establishments();
    Ok(Parsed { format, lines: lines.lines, merged: lines.merged, refused: lines.refused })
}

#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    /// Where a mailbox stands in `lines`.
    mailboxes: HashMap<String, usize>,
    merged: Some100,
    refused: Some100,
}

impl Lines {
    fn take(&mut self, row: Row, columns: &[Option<Column>]) {
        let number = row.line;
        match read_line(row, columns) {
            Err(why) => self.refused.push(number, why),
            Ok(line) => match self.mailboxes.entry(mailbox(&line.address)) {
                Entry::Vacant(entry) => {
                    entry.insert(self.lines.len());
                    self.lines.push(line);
                }
                Entry::Occupied(entry) => {
                    let first = &mut self.lines[*entry.get()];
                    let filled = fill(&mut first.fields, &line.fields);
                    let filled = if filled.is_empty() {
                        String::new()
                    } else {
                        format!("; {} filled from here", filled.join(", "))
                    };
                    let message = format!("the address stands in line {} already; kept once{filled}", first.number);
                    self.merged.push(number, message);
                }
            },
        }
    }

    fn describe_establishments(&mut self) {
        let mut known: HashMap<String, (u64, Fields)> = HashMap::new();
        let key = |line: &Line| {
            let text = |field| french::folded(line.fields.get(field).unwrap_or_default());
            let name = text(Field::Establishment);
            (!name.is_empty()).then(|| format!("{name}|{}", text(Field::Commune)))
        };
        for line in &self.lines {
            let Some(key) = key(line) else { continue };
            let (first, described) = known.entry(key).or_insert_with(|| (line.number, Fields::default()));
            for field in Field::ALL.into_iter().filter(|field| field.is_of_partner()) {
                let Some(text) = line.fields.get(field) else { continue };
                match described.get(field) {
                    Some(before) if !is_empty(field, before) => {
                        let names = matches!(field, Field::Establishment | Field::Commune);
                        if before != text && !is_empty(field, text) && !names {
                            let message = format!(
                                "{} {text:?} differs from {before:?} of the same establishment (line {first}); the first counts",
                                field.as_str()
                            );
                            self.merged.push(line.number, message);
                        }
                    }
                    _ => described.set(field, text),
                }
            }
        }
        for line in &mut self.lines {
            if let Some((_, described)) = key(line).and_then(|key| known.get(&key)) {
                for field in Field::ALL {
                    if let Some(text) = described.get(field) {
                        line.fields.set(field, text);
                    }
                }
            }
        }
    }
}

/// Fields that say nothing, as they are kept.
fn is_empty(field: Field, text: &str) -> bool {
    match field {
        Field::Labels => text == "[]",
        Field::Stars => text == "0",
        _ => text.is_empty(),
    }
}

/// What `into` leaves empty and `from` says; the names of those fields.
fn fill(into: &mut Fields, from: &Fields) -> Vec<&'static str> {
    let mut filled = Vec::new();
    for field in Field::ALL {
        let Some(text) = from.get(field).filter(|text| !is_empty(field, text)) else { continue };
        if into.get(field).is_none_or(|before| is_empty(field, before)) {
            into.set(field, text);
            filled.push(field.as_str());
        }
    }
    filled
}

/// Gmail delivers `a.b+c@gmail.com` to `ab`; elsewhere a dot or a plus makes another address.
fn mailbox(address: &EmailAddress) -> String {
    let key = address.key();
    match key.split_once('@') {
        Some((local, "gmail.com" | "googlemail.com")) => {
            format!("{}@gmail.com", local.split('+').next().unwrap_or_default().replace('.', ""))
        }
        _ => key,
    }
}

fn read_line(row: Row, columns: &[Option<Column>]) -> Result<Line, String> {
    let cells = row.cells?;
    // Spreadsheets leave empty cells at the end of a row; anything else beyond the header is a shifted row.
    if cells.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty())
        || (row.ragged && cells.len() < columns.len())
    {
        let (is, expected) = (cells.len(), columns.len());
        return Err(format!("{is} cells, the header has {expected}: a separator too many or too few"));
    }
    let mut fields = Fields::default();
    let (mut email, mut first_name, mut labels) = (String::new(), String::new(), Vec::new());
    let (mut latitude, mut longitude) = (None, None);
    let mut has_labels = false;
    for (n, column) in columns.iter().enumerate() {
        let Some(column) = column else { continue };
        let text = columns::clean(column, cells.get(n).map(String::as_str).unwrap_or_default())?;
        match column {
            Column::Email => email = text,
            Column::FirstName => first_name = text,
            Column::Latitude => latitude = Some(text),
            Column::Longitude => longitude = Some(text),
            Column::Label(label) => {
                has_labels = true;
                labels.extend(columns::is_ticked(&text).then(|| (*label).to_owned()));
            }
            Column::Field(Field::Labels) => {
                has_labels = true;
                labels.extend(columns::split_labels(&text));
            }
            Column::Field(field) => fields.set(*field, columns::value(*field, &text)?),
        }
    }
    if has_labels {
        fields.set(Field::Labels, crate::domain::partner::labels_text(&labels));
    }
    if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
        fields.set(Field::Position, columns::position(&latitude, &longitude)?);
    }
    if !first_name.is_empty() {
        let name = format!("{first_name} {}", fields.get(Field::Name).unwrap_or_default());
        fields.set(Field::Name, name.trim());
    }
    let address = EmailAddress::parse(&email).map_err(|why| format!("{email:?} is no e-mail address: {why}"))?;
    Ok(Line { number: row.line, address, fields })
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1252;

    fn errors(text: &str) -> String {
        let parsed = parse(text.as_bytes()).and_then(|parsed| parsed.sound().map(|()| parsed));
        parsed.map_or_else(|errors| errors.to_string(), |parsed| format!("{parsed:?}"))
    }

    #[test]
    fn excel_in_french_and_utf_8_with_a_bom_give_the_same_contacts() {
        let text = "Email;Nom;Établissement;Commune\r\ncontact@hotel.example;Éloïse Cœur;« Hôtel » de France;Auch\r\n";
        let (windows, _, _) = WINDOWS_1252.encode(text);
        let utf8 = format!("\u{feff}{text}");
        let (a, b) = (parse(&windows).unwrap(), parse(utf8.as_bytes()).unwrap());
        let csv = |charset| Format::Csv { charset, delimiter: ';' };
        assert_eq!((a.format, b.format), (csv("windows-1252"), csv("UTF-8")));
        assert_eq!(a.lines, b.lines);
        assert_eq!(a.lines[0].fields.get(Field::Name), Some("Éloïse Cœur"));
        assert_eq!(a.lines[0].fields.get(Field::Establishment), Some("« Hôtel » de France"));
    }

    #[test]
    fn headers_are_mapped_in_any_order_and_with_commas() {
        let parsed =
            parse("Ville,Raison sociale,Adresse e-mail,Téléphone\nAuch,\"Gîte, la Ferme\",a@b.fr,05\n".as_bytes())
                .unwrap();
        assert_eq!(parsed.lines[0].fields.get(Field::Establishment), Some("Gîte, la Ferme"));
        assert_eq!(parsed.lines[0].fields.get(Field::Commune), Some("Auch"));
        assert_eq!(parsed.lines[0].fields.get(Field::Name), None);
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
        let parsed =
            parse("email;nom;fonction\na@b.fr;x;\nA@B.FR;y;Accueil\na.b@gmail.com;;\nab+c@gmail.com;;\n".as_bytes())
                .unwrap();
        assert_eq!(parsed.lines.len(), 2);
        assert_eq!(parsed.lines[0].fields.get(Field::Name), Some("x"), "the first counts");
        let said = parsed.merged.said();
        let expected = [
            "line 3: the address stands in line 2 already; kept once; function filled from here",
            "line 5: the address stands in line 4 already; kept once",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn the_lines_of_one_establishment_describe_it_together() {
        let text = "email;etablissement;ville;filière;accueil vélo;labels\n\
                    a@b.fr;Gîte du Pré;Auch;;x;Bio\n\
                    c@b.fr;GITE DU PRE;auch;Hébergement;;\n\
                    d@b.fr;Gîte du Pré;Auch;Restauration;;\n";
        let parsed = parse(text.as_bytes()).unwrap();
        for line in &parsed.lines {
            let fields = [Field::Establishment, Field::Category, Field::Labels].map(|f| line.fields.get(f).unwrap());
            assert_eq!(fields, ["Gîte du Pré", "hébergement", "[\"Accueil Vélo\",\"Bio\"]"]);
        }
        assert_eq!(parsed.merged.count, 1, "{:?}", parsed.merged);
        assert!(parsed.merged.first[0].message.starts_with("category \"restauration\" differs"), "{:?}", parsed.merged);
    }
}
