//! A table as offices send it: CSV in whatever charset and separator, or XLSX. Read row by row, in bounded memory.
//!
//! A file is hostile until it is read: an archive that unpacks to too much, holds macros or names that climb out of it
//! is refused before anything in it is looked at.

use calamine::{DataRef, Reader as _, Xlsx};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::{fmt, io::Cursor, io::Read};

/// No list of partners is larger; 100,000 rows make 10 to 20 MB.
pub const LARGEST: usize = 64 << 20;
/// What an XLSX may unpack to, all its parts together.
const UNPACKED: u64 = 256 << 20;
const PARTS: usize = 2_000;
/// Columns read of a sheet; a cell beyond them is refused with its row.
const WIDEST: u32 = 200;

/// What was recognised, for the person to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// `UTF-8` or `windows-1252`; `;`, `,` or tab.
    Csv { charset: &'static str, delimiter: char },
    /// The name of the sheet that was read, the first of the file.
    Xlsx { sheet: String },
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::Csv { charset, delimiter } => write!(f, "CSV, {charset}, separated by {delimiter:?}"),
            Format::Xlsx { sheet } => write!(f, "XLSX, sheet {sheet:?}"),
        }
    }
}

/// Something about one line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMessage {
    /// In the file, counted from 1, the header included.
    pub line: u64,
    pub message: String,
}

impl LineMessage {
    pub fn new(line: u64, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

impl fmt::Display for LineMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A row, or why it cannot be read. The first one is the header.
pub struct Row {
    pub line: u64,
    pub cells: Result<Vec<String>, String>,
    /// A row of a CSV has as many cells as the header; one of a sheet may end where the rest is empty.
    pub ragged: bool,
}

/// Hands over each row that is not empty. `each` answers `false` to stop.
///
/// # Errors
/// When the file as a whole is none we read.
pub fn read(bytes: &[u8], each: &mut dyn FnMut(Row) -> bool) -> Result<Format, LineMessage> {
    if bytes.len() > LARGEST {
        return Err(LineMessage::new(1, format!("the file is larger than {} MB", LARGEST >> 20)));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return xlsx(bytes, each).map_err(|why| LineMessage::new(1, why));
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let why = "an old Excel file (.xls) or one with a password; save it as .xlsx or CSV without a password";
        return Err(LineMessage::new(1, why));
    }
    csv(bytes, each)
}

fn csv(bytes: &[u8], each: &mut dyn FnMut(Row) -> bool) -> Result<Format, LineMessage> {
    let (text, charset) = decode(bytes);
    if let Some(at) = text.find('\0') {
        let why = "a NUL character: this is no text file; export the sheet as CSV";
        return Err(LineMessage::new(line_at(&text, at), why));
    }
    if let Some(line) = unclosed_quote(&text) {
        return Err(LineMessage::new(line, "a quotation mark (\") is opened and never closed"));
    }
    let delimiter = delimiter(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut lines = LineCounter { text: text.as_bytes(), at: 0, line: 1 };
    let mut line = |at: Option<&csv::Position>| at.map_or(0, |at| lines.line_of(at.byte()));
    loop {
        let row = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) if record.iter().all(|cell| cell.trim().is_empty()) => continue,
            Ok(true) => Row {
                line: line(record.position()),
                cells: Ok(record.iter().map(str::to_owned).collect()),
                ragged: true,
            },
            Err(why) => Row { line: line(why.position()), cells: Err(why.to_string()), ragged: true },
        };
        if !each(row) {
            break;
        }
    }
    Ok(Format::Csv { charset, delimiter: char::from(delimiter) })
}

fn xlsx(bytes: &[u8], each: &mut dyn FnMut(Row) -> bool) -> Result<Format, String> {
    let unreadable = |why: &dyn fmt::Display| format!("this XLSX cannot be read: {why}");
    inspect(bytes, UNPACKED)?;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|why| unreadable(&why))?;
    let sheet = workbook.sheet_names().first().cloned().ok_or_else(|| unreadable(&"it has no sheet"))?;
    // Cell by cell: a range would be as large as the farthest cell says.
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(|why| unreadable(&why))?;
    let mut row = Row { line: 0, cells: Ok(Vec::new()), ragged: false };
    loop {
        let cell = cells.next_cell().map_err(|why| unreadable(&why))?;
        let at = cell.as_ref().map(|cell| cell.get_position());
        if at.is_none_or(|(line, _)| u64::from(line) + 1 != row.line) {
            let line = at.map_or(0, |(line, _)| u64::from(line) + 1);
            let full = std::mem::replace(&mut row, Row { line, cells: Ok(Vec::new()), ragged: false });
            let said = full.cells.as_ref().map_or(true, |cells| cells.iter().any(|cell| !cell.trim().is_empty()));
            if said && !each(full) {
                break;
            }
        }
        let (Some(cell), Some((_, column))) = (cell, at) else { break };
        match (text_of(cell.get_value()), &mut row.cells) {
            (Ok(text), _) if text.is_empty() => {}
            (Ok(_), cells) if column >= WIDEST => *cells = Err(format!("a cell beyond column {WIDEST}")),
            (Ok(text), Ok(cells)) => {
                let column = column as usize;
                cells.resize(cells.len().max(column + 1), String::new());
                cells[column] = text;
            }
            (Err(why), cells @ Ok(_)) => *cells = Err(why),
            (_, Err(_)) => {}
        }
    }
    Ok(Format::Xlsx { sheet })
}

fn text_of(value: &DataRef<'_>) -> Result<String, String> {
    Ok(match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(n) => n.to_string(),
        // Whole numbers of a sheet are floats: 32013, not 32013.0.
        DataRef::Float(n) => n.to_string(),
        DataRef::Bool(yes) => if *yes { "oui" } else { "non" }.to_owned(),
        DataRef::DateTime(date) => date.to_string(),
        DataRef::Error(error) => return Err(format!("a cell shows the error {error}")),
        DataRef::Empty => String::new(),
    })
}

/// Looks at the archive before any of it is believed. The sizes it declares are not: everything is unpacked and counted.
fn inspect(bytes: &[u8], most: u64) -> Result<(), String> {
    let unreadable = |why: &dyn fmt::Display| format!("this XLSX cannot be read: {why}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|why| unreadable(&why))?;
    if archive.len() > PARTS {
        return Err(format!("refused: an XLSX of {} parts", archive.len()));
    }
    let (mut total, mut is_workbook) = (0, false);
    let mut sink = vec![0; 64 << 10];
    for n in 0..archive.len() {
        let mut part = archive.by_index(n).map_err(|why| unreadable(&why))?;
        let name = part.name().map_err(|why| unreadable(&why))?.to_ascii_lowercase();
        let leads_out = name.starts_with('/') || name.contains("..") || name.contains(['\\', ':']);
        if leads_out || part.enclosed_name().is_none() || part.is_symlink() {
            return Err("refused: this XLSX holds a name that leads out of it".to_owned());
        }
        if name.contains("vbaproject") || name.contains("macrosheets/") {
            return Err("refused: this file holds macros; save it as .xlsx without them".to_owned());
        }
        is_workbook |= name == "xl/workbook.xml";
        loop {
            match part.read(&mut sink).map_err(|why| unreadable(&why))? {
                0 => break,
                n => total += n as u64,
            }
            if total > most {
                return Err(format!("refused: this XLSX unpacks to more than {} MB", most >> 20));
            }
        }
    }
    if is_workbook { Ok(()) } else { Err("an archive that is no XLSX; save the sheet as .xlsx or CSV".to_owned()) }
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

/// The reader's own count is one short where a record follows CR LF or an empty line.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the record that begins at or after `start`; asked in rising order.
    fn line_of(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(byte) = self.text.get(self.at).filter(|byte| self.at < start || matches!(**byte, b'\r' | b'\n'))
        {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn line_at(text: &str, offset: usize) -> u64 {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() as u64 + 1
}

/// The line on which a quotation mark opens a cell that the file never closes.
fn unclosed_quote(text: &str) -> Option<u64> {
    let (mut line, mut opened) = (1, None);
    for byte in text.bytes() {
        match (byte, opened) {
            (b'\n', _) => line += 1,
            (b'"', None) => opened = Some(line),
            (b'"', Some(_)) => opened = None,
            _ => {}
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes, &mut |_| true).unwrap_err().message
    }

    fn rows(bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
        let mut rows = Vec::new();
        read(bytes, &mut |row| {
            rows.push((row.line, row.cells.unwrap()));
            true
        })
        .unwrap();
        rows
    }

    #[test]
    fn i06_archives_that_are_no_honest_sheet_are_refused() {
        let workbook: (&str, &[u8]) = ("xl/workbook.xml", b"<workbook/>");
        for (bytes, part) in [
            (archive(&[("word/document.xml", b"<document/>")]), "no XLSX"),
            (archive(&[workbook, ("xl/vbaProject.bin", b"x")]), "holds macros"),
            (archive(&[workbook, ("xl/macrosheets/sheet1.xml", b"x")]), "holds macros"),
            (archive(&[workbook, ("../../etc/cron.d/x", b"x")]), "leads out of it"),
            (archive(&[workbook, ("/etc/passwd", b"x")]), "leads out of it"),
            (archive(&[workbook, ("xl\\..\\x", b"x")]), "leads out of it"),
            (archive(&[workbook]), "cannot be read"),
            (archive(&[workbook])[..40].to_vec(), "cannot be read"),
            (vec![0xd0, 0xcf, 0x11, 0xe0, 0, 0], "an old Excel file"),
        ] {
            let said = refused(&bytes);
            assert!(said.contains(part), "{part} not in {said}: {}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn i06_an_archive_that_unpacks_to_too_much_is_refused_whatever_it_declares() {
        let nothing = vec![0; 600 << 10];
        let bomb = archive(&[("xl/workbook.xml", b"x"), ("xl/media/1.bin", &nothing), ("xl/media/2.bin", &nothing)]);
        assert!(bomb.len() < 10 << 10, "small as it comes");
        assert!(inspect(&bomb, 1 << 20).unwrap_err().contains("unpacks to more than 1 MB"));
        assert_eq!(inspect(&bomb, 2 << 20), Ok(()));
        // What an archive says of its sizes, here that there is nothing, is not believed.
        let mut liar = bomb;
        let sizes: Vec<usize> =
            liar.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x01\x02").map(|(at, _)| at).collect();
        sizes.iter().for_each(|at| liar[at + 24..at + 28].fill(0));
        assert!(inspect(&liar, 1 << 20).is_err());
        let crowd: Vec<String> = (0..=PARTS).map(|n| n.to_string()).collect();
        let parts: Vec<(&str, &[u8])> = crowd.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(refused(&archive(&parts)).contains("2001 parts"));
    }

    #[test]
    fn a_cell_far_away_does_not_make_a_large_table() {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write_string(0, 0, "email").unwrap().write_string(2, 0, "a@b.fr").unwrap();
        sheet.write_number(2, 1, 32013.0).unwrap().write_boolean(2, 2, true).unwrap();
        sheet.write_string(1_048_575, 16_383, "x").unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        let mut seen = Vec::new();
        read(&bytes, &mut |row| {
            seen.push((row.line, row.cells));
            true
        })
        .unwrap();
        let row = |cells: &[&str]| Ok(cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
        let beyond = Err("a cell beyond column 200".to_owned());
        assert_eq!(seen, [(1, row(&["email"])), (3, row(&["a@b.fr", "32013", "oui"])), (1_048_576, beyond)]);
    }

    #[test]
    fn a_csv_is_recognised_by_its_bytes() {
        let expected =
            [(1, vec!["email".to_owned(), "nom".to_owned()]), (3, vec!["a@b.fr".to_owned(), "é".to_owned()])];
        for text in ["email;nom\r\n\r\na@b.fr;é\r\n", "email,nom\n\na@b.fr,é", "email\tnom\n\na@b.fr\té\n"] {
            assert_eq!(rows(text.as_bytes()), expected);
            assert_eq!(rows(format!("\u{feff}{text}").as_bytes()), expected);
            assert_eq!(rows(&WINDOWS_1252.encode(text).0), expected);
        }
    }
}
