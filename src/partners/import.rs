//! Parses a list of partners: checks every line, and merges duplicates by rule.
//!
//! All or nothing: every invalid line is reported with its number, and then none is imported, unless the person asked to
//! import the valid ones and to get the others in a file. A line without an address and a total below the list are not
//! errors. Rules:
//!
//! - One mailbox is one contact: case is ignored, and at Gmail dots and `+…`. The first line counts; later ones fill its empty
//!   fields. If a later line names another establishment, the contact belongs to both.
//! - Two addresses in a cell are two contacts of the establishment; the name belongs to the first.
//! - All lines of one establishment (same name and commune, in any spelling) describe it together: the first value of each
//!   field counts.

use super::columns::{self, Column, Header};
use super::said::{Said, said};
pub use super::sheet::HiddenRows;
use super::sheet::{self, Format, LineMessage, Row};
use crate::domain::{
    email::EmailAddress,
    french,
    partner::{Field, Fields},
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

/// One usable line of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub number: u64,
    pub address: EmailAddress,
    pub fields: Fields,
    /// Its further establishments, if one mailbox serves several.
    pub also: Vec<Fields>,
}

impl Line {
    fn establishments(&self) -> impl Iterator<Item = &Fields> {
        std::iter::once(&self.fields).chain(&self.also)
    }
}

/// A line that was not imported, for the file of left-out lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftLine {
    pub cells: Vec<String>,
    pub why: Said,
}

/// Maximum lines in the file of left-out lines.
const MOST_LEFT: usize = 20_000;

/// A parsed file.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub format: Format,
    pub lines: Vec<Line>,
    /// What was merged; the first hundred, and their number.
    pub merged: CappedMessages,
    /// Invalid lines. If there are any, nothing may be imported unless they may be left out.
    pub refused: CappedMessages,
    /// Lines that are not contacts and do not prevent an import: without an address, a total, hidden.
    pub passed_over: CappedMessages,
    /// Names of ignored columns.
    pub unread: Vec<String>,
    pub header: Vec<String>,
    /// Lines that were refused or have no address, as written.
    pub left: Vec<LeftLine>,
}

/// The first hundred, and their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CappedMessages {
    pub first: Vec<LineMessage>,
    pub count: usize,
}

impl CappedMessages {
    fn push(&mut self, line: u64, message: Said) {
        self.count += 1;
        if self.first.len() < 100 {
            self.first.push(LineMessage::new(line, message));
        }
    }

    /// One line each, and one that says how many more there are.
    pub fn said(&self) -> Vec<String> {
        let mut said: Vec<_> = self.first.iter().map(LineMessage::to_string).collect();
        if self.count > self.first.len() {
            said.push(format!("… and {} more", self.count - self.first.len()));
        }
        said
    }
}

/// All problems of a file. Nothing of it was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing was imported:\n{}", self.0.said().join("\n"))]
pub struct ImportErrors(pub CappedMessages);

impl From<LineMessage> for ImportErrors {
    fn from(message: LineMessage) -> Self {
        Self(CappedMessages { first: vec![message], count: 1 })
    }
}

impl Parsed {
    /// # Errors
    /// If a line was refused: then nothing may be imported.
    pub fn sound(&self) -> Result<(), ImportErrors> {
        if self.refused.count == 0 { Ok(()) } else { Err(ImportErrors(self.refused.clone())) }
    }
}

/// # Errors
/// If the file as a whole cannot be used. Single invalid lines are in [`Parsed::refused`].
pub fn parse(bytes: &[u8]) -> Result<Parsed, ImportErrors> {
    parse_with(bytes, HiddenRows::LeftOut)
}

/// # Errors
/// As [`parse`].
pub fn parse_with(bytes: &[u8], hidden: HiddenRows) -> Result<Parsed, ImportErrors> {
    let mut header: Option<(Header, Vec<String>)> = None;
    // Rows that might be the header, and why the widest of them is not.
    let (mut looked_at, mut none): (usize, Option<(usize, LineMessage)>) = (0, None);
    let mut lines = Lines::default();
    let format = sheet::read(bytes, &mut |row| match &header {
        None => {
            looked_at += 1;
            match &row.cells {
                Err(why) => none = Some((usize::MAX, LineMessage::new(row.line, why.clone()))),
                Ok(cells) => match columns::understand(row.line, cells) {
                    Ok(_) if !columns::has_address(cells) => {}
                    Ok(understood) => header = Some((understood, cells.clone())),
                    Err(why) => {
                        let said = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
                        if none.as_ref().is_none_or(|(most, _)| said > *most) {
                            none = Some((said, why));
                        }
                    }
                },
            }
            header.is_some() || looked_at < sheet::HEADER_WITHIN
        }
        Some((header, _)) => {
            match row.hidden && hidden == HiddenRows::LeftOut {
                true => {
                    lines.passed_over.push(
                        row.line,
                        said!("hidden in the sheet; not taken", "masquée dans la feuille ; laissée de côté"),
                    );
                }
                false => lines.take(row, &header.columns),
            }
            true
        }
    })?;
    let example = said!(
        "the file is empty; expected a header line such as email;nom;etablissement;commune",
        "le fichier est vide ; il faut une ligne d’en-tête comme email;nom;etablissement;commune"
    );
    let Some((Header { unread, .. }, header)) = header else {
        return Err(none.map_or_else(|| LineMessage::new(1, example), |(_, why)| why).into());
    };
    if lines.lines.is_empty() && lines.refused.count == 0 {
        return Err(LineMessage::new(2, said!("no contact below the header", "aucun contact sous l’en-tête")).into());
    }
    lines.describe_establishments();
    let Lines { lines, merged, refused, passed_over, left, .. } = lines;
    Ok(Parsed { format, lines, merged, refused, passed_over, unread, header, left })
}

impl Parsed {
    /// The left-out lines, each with its reason, as a file to correct and import.
    ///
    /// # Errors
    /// None in practice: the buffer is in memory.
    pub fn left_as_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer =
            csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer("\u{feff}".as_bytes().to_vec());
        let harmless = |text: &String| super::export::harmless(text.clone());
        let width = self.header.len();
        writer.write_record(self.header.iter().map(harmless).chain(["Motif du refus".to_owned()]))?;
        for line in &self.left {
            let cells = line.cells.iter().map(harmless).chain(std::iter::repeat(String::new()));
            writer.write_record(cells.take(width).chain([line.why.fr.clone()]))?;
        }
        writer.into_inner().map_err(|why| csv::Error::from(why.into_error()))
    }
}

#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    /// The position of a mailbox in `lines`.
    mailboxes: HashMap<String, usize>,
    merged: CappedMessages,
    refused: CappedMessages,
    passed_over: CappedMessages,
    left: Vec<LeftLine>,
}

/// Why a line gives no contact.
enum NoContact {
    Wrong(Said),
    /// It has no address.
    NoAddress,
    /// It is the total below the list.
    Sum,
}

impl Lines {
    fn take(&mut self, row: Row, columns: &[Option<Column>]) {
        let (number, cells) = (row.line, row.cells.clone().unwrap_or_default());
        match read_line(row, columns) {
            Err(NoContact::Sum) => {
                self.passed_over.push(number, said!("a sum, no contact", "un total, pas un contact"))
            }
            Err(NoContact::NoAddress) => {
                self.passed_over.push(number, said!("no address; not taken", "sans adresse ; laissée de côté"));
                self.leave(cells, &said!("no address", "adresse mail absente"));
            }
            Err(NoContact::Wrong(why)) => {
                self.leave(cells, &why);
                self.refused.push(number, why);
            }
            Ok(lines) => {
                if lines.len() > 1 {
                    let n = lines.len();
                    self.merged.push(
                        number,
                        said!(
                            "{n} addresses: {n} contacts of one establishment",
                            "{n} adresses : {n} contacts d’un même établissement"
                        ),
                    );
                }
                lines.into_iter().for_each(|line| self.put(line));
            }
        }
    }

    fn leave(&mut self, cells: Vec<String>, why: &Said) {
        if self.left.len() < MOST_LEFT {
            self.left.push(LeftLine { cells, why: why.clone() });
        }
    }

    fn put(&mut self, line: Line) {
        let number = line.number;
        match self.mailboxes.entry(mailbox(&line.address)) {
            Entry::Vacant(entry) => {
                entry.insert(self.lines.len());
                self.lines.push(line);
            }
            Entry::Occupied(entry) => {
                let first = &mut self.lines[*entry.get()];
                let key = establishment_key(&line.fields);
                let same = |fields: &Fields| establishment_key(fields) == key;
                let at = first.number;
                let message = if key.is_none() || establishment_key(&first.fields).is_none() || same(&first.fields) {
                    let filled = fill(&mut first.fields, &line.fields);
                    let names = |name: fn(Field) -> &'static str| {
                        filled.iter().map(|field| name(*field)).collect::<Vec<_>>().join(", ")
                    };
                    let (en, fr) = (names(Field::as_str), names(columns::in_french));
                    match filled.is_empty() {
                        true => said!(
                            "the address stands in line {at} already; kept once",
                            "l’adresse est déjà à la ligne {at} ; prise une fois"
                        ),
                        false => Said::new(
                            format!("the address stands in line {at} already; kept once; {en} filled from here"),
                            format!("l’adresse est déjà à la ligne {at} ; prise une fois ; repris d’ici : {fr}"),
                        ),
                    }
                } else if let Some(other) = first.also.iter_mut().find(|fields| same(fields)) {
                    fill(other, &line.fields);
                    said!(
                        "the address stands in line {at} already, with this establishment too; kept once",
                        "l’adresse est déjà à la ligne {at}, avec cet établissement aussi ; prise une fois"
                    )
                } else {
                    first.also.push(line.fields);
                    said!(
                        "the address stands in line {at} already: one contact of two establishments",
                        "l’adresse est déjà à la ligne {at} : un contact de deux établissements"
                    )
                };
                self.merged.push(number, message);
            }
        }
    }

    fn describe_establishments(&mut self) {
        // A list may be long, and most establishments have one line: only those with several are gathered.
        let mut seen: HashMap<u64, bool> = HashMap::new();
        let hasher = RandomState::new();
        for key in self.lines.iter().flat_map(Line::establishments).filter_map(establishment_key) {
            seen.entry(hasher.hash_one(key)).and_modify(|is_several| *is_several = true).or_insert(false);
        }
        let has_several = |key: &String| seen.get(&hasher.hash_one(key)).copied().unwrap_or_default();
        let mut known: HashMap<String, (u64, Fields)> = HashMap::new();
        for (line, fields) in self.lines.iter().flat_map(|line| line.establishments().map(move |fields| (line, fields)))
        {
            let Some(key) = establishment_key(fields).filter(has_several) else { continue };
            let (first, described) = known.entry(key).or_insert_with(|| (line.number, Fields::default()));
            for field in Field::ALL.into_iter().filter(|field| field.is_of_partner()) {
                let Some(text) = fields.get(field) else { continue };
                match described.get(field) {
                    Some(before) if !field.is_unknown(before) => {
                        let names = field.names_an_establishment();
                        if before != text && !field.is_unknown(text) && !names {
                            let message = Said::new(
                                format!(
                                    "{} {text:?} differs from {before:?} of the same establishment (line {first}); the first counts",
                                    field.as_str()
                                ),
                                format!(
                                    "{} « {text} », mais « {before} » pour le même établissement (ligne {first}) : la première compte",
                                    columns::in_french(field)
                                ),
                            );
                            self.merged.push(line.number, message);
                        }
                    }
                    _ => described.set(field, text),
                }
            }
        }
        for fields in self.lines.iter_mut().flat_map(|line| std::iter::once(&mut line.fields).chain(&mut line.also)) {
            if let Some((_, described)) = establishment_key(fields).and_then(|key| known.get(&key)) {
                for field in Field::ALL {
                    if let Some(text) = described.get(field) {
                        fields.set(field, text);
                    }
                }
            }
        }
    }
}

/// Identifies an establishment; `None` without a name.
fn establishment_key(fields: &Fields) -> Option<String> {
    let text = |field| french::folded(fields.get(field).unwrap_or_default());
    let name = text(Field::Establishment);
    (!name.is_empty()).then(|| format!("{name}|{}", text(Field::Commune)))
}

/// The fields that are empty in `into` and set in `from`; returns their names.
fn fill(into: &mut Fields, from: &Fields) -> Vec<Field> {
    let mut filled = Vec::new();
    for field in Field::ALL {
        let Some(text) = from.get(field).filter(|text| !field.is_unknown(text)) else { continue };
        if into.get(field).is_none_or(|before| field.is_unknown(before)) {
            into.set(field, text);
            filled.push(field);
        }
    }
    filled
}

/// Gmail delivers `a.b+c@gmail.com` to `ab`; elsewhere dots and `+` are significant.
fn mailbox(address: &EmailAddress) -> String {
    let key = address.key();
    match key.split_once('@') {
        Some((local, "gmail.com" | "googlemail.com")) => {
            format!("{}@gmail.com", local.split('+').next().unwrap_or_default().replace('.', ""))
        }
        _ => key,
    }
}

/// The contacts of a line: one per address.
fn read_line(row: Row, columns: &[Option<Column>]) -> Result<Vec<Line>, NoContact> {
    let wrong = NoContact::Wrong;
    let cells = row.cells.map_err(wrong)?;
    // Spreadsheets leave out empty cells at the end of a line; in a CSV, cells beyond the header mean a shifted line. In
    // a sheet they are notes in the margin.
    if row.ragged && cells.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
        let (is, expected) = (cells.len(), columns.len());
        return Err(wrong(said!(
            "{is} cells, the header has {expected}: a separator too many",
            "{is} cellules, l’en-tête en a {expected} : un séparateur de trop"
        )));
    }
    let is_read = |column: usize| columns.get(column).is_some_and(Option::is_some);
    if let Some((_, why)) = row.faults.into_iter().find(|(column, _)| is_read(*column)) {
        return Err(wrong(why));
    }
    let mut fields = Fields::default();
    let (mut emails, mut first_name, mut labels) = (Vec::new(), String::new(), Vec::new());
    let (mut latitude, mut longitude) = (None, None);
    let mut has_labels = false;
    for (n, column) in columns.iter().enumerate() {
        let Some(column) = column else { continue };
        let text = columns::clean(column, cells.get(n).map(String::as_str).unwrap_or_default()).map_err(wrong)?;
        match column {
            Column::Email => emails.push(text),
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
            // The first valid one of several telephones.
            Column::Field(Field::Phone) if fields.get(Field::Phone).is_some_and(|known| !known.is_empty()) => {}
            Column::Field(field) => {
                let value = columns::value(*field, &text);
                // A missing address is reported before other problems of the line.
                if value.is_err() && emails.iter().all(String::is_empty) && !has_any_address(&cells) {
                    return Err(NoContact::NoAddress);
                }
                fields.set(*field, value.map_err(wrong)?);
            }
        }
    }
    if emails.iter().all(String::is_empty) {
        return Err(if is_sum(&cells) { NoContact::Sum } else { NoContact::NoAddress });
    }
    if has_labels {
        fields.set(Field::Labels, crate::domain::partner::labels_text(&labels));
    }
    if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
        fields.set(Field::Position, columns::position(&latitude, &longitude).map_err(wrong)?);
    }
    if !first_name.is_empty() {
        let name = format!("{first_name} {}", fields.get(Field::Name).unwrap_or_default());
        fields.set(Field::Name, name.trim());
    }
    let mut lines: Vec<Line> = Vec::new();
    for cell in emails.iter().filter(|cell| !cell.is_empty()) {
        // « TOTAL : 60 adresses », « néant »
        let found = columns::addresses(cell).map_err(|why| match is_sum(&cells) {
            true => NoContact::Sum,
            false if is_nothing(cell) => NoContact::NoAddress,
            false => wrong(why),
        })?;
        for (address, name) in found {
            if lines.iter().any(|line| line.address == address) {
                continue;
            }
            let mut fields = fields.clone();
            if !lines.is_empty() {
                fields.unset(Field::Name);
                fields.unset(Field::Function);
            }
            if !name.is_empty() && fields.get(Field::Name).is_none_or(str::is_empty) {
                fields.set(Field::Name, name);
            }
            lines.push(Line { number: row.line, address, fields, also: Vec::new() });
        }
    }
    if lines.is_empty() { Err(NoContact::NoAddress) } else { Ok(lines) }
}

fn has_any_address(cells: &[String]) -> bool {
    cells.iter().any(|cell| cell.contains('@'))
}

/// The line below a list: « TOTAL », « Total : 60 partenaires », « Nombre d’adhérents », a lone number.
fn is_sum(cells: &[String]) -> bool {
    let said: Vec<String> = cells.iter().map(|cell| french::folded(cell)).filter(|cell| !cell.is_empty()).collect();
    let is_word = |cell: &String| {
        ["total", "sous total", "totaux", "nombre", "nb", "somme"].iter().any(|word| {
            cell.strip_prefix(word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || rest.starts_with('s'))
        })
    };
    let is_number = |cell: &String| cell.chars().all(|c| c.is_ascii_digit() || c == ' ');
    !has_any_address(cells)
        && (said.first().is_some_and(is_word) || (!said.is_empty() && said.len() <= 2 && said.iter().all(is_number)))
}

/// What people write instead of a missing address.
fn is_nothing(cell: &str) -> bool {
    matches!(
        french::folded(cell).as_str(),
        "" | "non"
            | "neant"
            | "aucun"
            | "aucune"
            | "aucun mail"
            | "pas de mail"
            | "pas d adresse"
            | "pas d email"
            | "pas d adresse mail"
            | "sans"
            | "inconnu"
            | "inconnue"
            | "nc"
            | "n c"
            | "na"
            | "n a"
            | "npai"
            | "x"
            | "nr"
            | "rien"
            | "a demander"
            | "pas de courriel"
    )
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
    fn every_invalid_line_is_reported_and_none_is_imported() {
        let said = errors("email;nom;etablissement;commune\na@b.fr;x;y;z\nnobody;x;y;z\nc@d.fr;x;y;z;w\n;x;y;z\n");
        for part in [
            "nothing was imported",
            "line 3: \"nobody\" is no e-mail address: expected one @",
            "line 4: 5 cells, the header has 4",
        ] {
            assert!(said.contains(part), "{part} not in {said}");
        }
        assert!(!said.contains("line 5"), "what has no address is passed over: {said}");
    }

    #[test]
    fn fr36_separators_that_excel_leaves_out_at_the_end_are_empty_cells() {
        let text = "Raison sociale;Ville;Adresse e-mail;Labels\nA;Auch;a@b.fr;Bio\nB;Auch;b@b.fr\n";
        let parsed = parse(text.as_bytes()).unwrap();
        parsed.sound().unwrap();
        assert_eq!(parsed.lines.len(), 2);
        assert_eq!(parsed.lines[1].fields.get(Field::Labels), Some("[]"));
    }

    #[test]
    fn trial_f09_a_title_above_the_header_and_rows_that_are_no_contacts_are_no_errors() {
        let text = "Liste 2027\n\nMis à jour le 3 juillet;;\nNom;Courriel;Tél. 1;Tél. 2;Tri\nA;a@b.fr;;0562000000;1\nB;;1;;\nTotal : 2;;;;\n";
        let parsed = parse(text.as_bytes()).unwrap();
        parsed.sound().unwrap();
        assert_eq!(parsed.lines[0].fields.get(Field::Phone), Some("05 62 00 00 00"));
        assert_eq!((parsed.unread, parsed.passed_over.count, parsed.left.len()), (vec!["Tri".to_owned()], 2, 1));
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
    fn a_duplicate_address_is_imported_once_and_reported() {
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
        assert!(
            parsed.merged.first[0].message.en.starts_with("category \"restauration\" differs"),
            "{:?}",
            parsed.merged
        );
    }
}
