//! Reads tables as offices send them: CSV in any charset and separator, or XLSX. Row by row, in bounded memory.
//!
//! Files are untrusted: an archive that unpacks to too much, contains macros or paths outside of it is refused before
//! anything in it is parsed.

use super::{
    columns,
    said::{Said, said},
    workbook::xlsx,
};
use crate::collect::charset;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Maximum file size; 100,000 rows make 10 to 20 MB.
pub const LARGEST: usize = 64 << 20;

/// The header must be one of this many first non-empty lines; there may be a title above it.
pub const HEADER_WITHIN: usize = 10;

/// What was detected, for the person to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// `UTF-8` or `windows-1252`; `;`, `,` or tab.
    Csv { charset: &'static str, delimiter: char },
    /// The name of the sheet that was read: the first visible one with a column of addresses.
    Xlsx {
        sheet: String,
        /// Hidden sheets, which were not read.
        hidden: Vec<String>,
        /// Number of hidden rows of the sheet.
        hidden_rows: usize,
    },
}

/// Which rows of a workbook to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HiddenRows {
    /// Hidden rows are left out.
    #[default]
    LeftOut,
    Taken,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::Csv { charset, delimiter } => write!(f, "CSV, {charset}, separated by {delimiter:?}"),
            Format::Xlsx { sheet, .. } => write!(f, "XLSX, sheet {sheet:?}"),
        }
    }
}

/// A message about one line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMessage {
    /// Line number in the file, from 1, including the header.
    pub line: u64,
    pub message: Said,
}

impl LineMessage {
    pub fn new(line: u64, message: Said) -> Self {
        Self { line, message }
    }
}

impl fmt::Display for LineMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A row, or why it cannot be read. The header is one of the first.
pub struct Row {
    pub line: u64,
    pub cells: Result<Vec<String>, Said>,
    /// Cells that cannot be read, by column, with the reason: they only matter in columns that are used.
    pub faults: Vec<(usize, Said)>,
    /// A cell beyond the header is an extra separator in a CSV, and a note in the margin of a sheet.
    pub ragged: bool,
    /// The row is hidden.
    pub hidden: bool,
}

impl Row {
    pub(super) fn new(line: u64, ragged: bool) -> Self {
        Self { line, cells: Ok(Vec::new()), faults: Vec::new(), ragged, hidden: false }
    }
}

/// Calls `each` with each row that is not empty, until it returns `false`.
///
/// # Errors
/// If the file as a whole is not supported.
pub fn read(bytes: &[u8], each: &mut dyn FnMut(Row) -> bool) -> Result<Format, LineMessage> {
    if bytes.len() > LARGEST {
        let most = LARGEST >> 20;
        return Err(LineMessage::new(1, said!("the file is larger than {most} MB", "le fichier dépasse {most} Mo")));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        // If the reader panics, the file is malformed; nothing was imported.
        let read = catch_unwind(AssertUnwindSafe(|| xlsx(bytes, each)));
        let damaged =
            said!("this XLSX cannot be read: it is damaged", "ce fichier XLSX ne peut pas être lu : il est abîmé");
        let read = read.unwrap_or(Err(damaged));
        return read.map_err(|why| LineMessage::new(1, why));
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(LineMessage::new(
            1,
            said!(
                "an old Excel file (.xls) or one with a password; save it as .xlsx or CSV without a password",
                "un ancien fichier Excel (.xls) ou protégé par un mot de passe ; enregistrez-le en .xlsx ou en CSV, sans mot de passe"
            ),
        ));
    }
    csv(bytes, each)
}

fn csv(bytes: &[u8], each: &mut dyn FnMut(Row) -> bool) -> Result<Format, LineMessage> {
    if let Some(at) =
        bytes.iter().position(|byte| *byte == 0).filter(|_| encoding_rs::Encoding::for_bom(bytes).is_none())
    {
        let why = said!(
            "a NUL character: this is no text file; export the sheet as CSV",
            "un caractère NUL : ce n’est pas un fichier de texte ; exportez la feuille en CSV"
        );
        return Err(LineMessage::new(line_at(bytes, at), why));
    }
    let (text, charset) = charset::decode_named(bytes, None).map_err(|why| LineMessage::new(1, charset_fault(why)))?;
    // `sep=;`, which Excel reads and does not show.
    let (text, skipped, given) = separator_line(&text);
    if let Some(line) = unclosed_quote(text) {
        let why = said!(
            "a quotation mark (\") is opened and never closed",
            "un guillemet (\") est ouvert et n’est jamais fermé"
        );
        return Err(LineMessage::new(line + skipped, why));
    }
    let delimiter = given.unwrap_or_else(|| delimiter(text));
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut lines = LineCounter { text: text.as_bytes(), at: 0, line: 1 + skipped };
    let mut line = |at: Option<&csv::Position>| at.map_or(0, |at| lines.line_of(at.byte()));
    loop {
        let row = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) if record.iter().all(|cell| cell.trim().is_empty()) => continue,
            Ok(true) => {
                Row { cells: Ok(record.iter().map(str::to_owned).collect()), ..Row::new(line(record.position()), true) }
            }
            Err(why) => {
                let cells = Err(said!("{why}", "la ligne ne peut pas être lue ({why})"));
                Row { cells, ..Row::new(line(why.position()), true) }
            }
        };
        if !each(row) {
            break;
        }
    }
    Ok(Format::Csv { charset, delimiter: char::from(delimiter) })
}

/// The spreadsheet's menu entry that writes an unambiguous file.
const AS_UTF_8: &str = "in Excel: Fichier, Enregistrer sous, « CSV UTF-8 (délimité par des virgules) »; in LibreOffice: Enregistrer sous, \
    Texte CSV, « Unicode (UTF-8) »";

const EN_UTF_8: &str = "dans Excel : Fichier, Enregistrer sous, « CSV UTF-8 (délimité par des virgules) » ; dans LibreOffice : \
    Enregistrer sous, Texte CSV, « Unicode (UTF-8) »";

fn charset_fault(why: charset::CharsetError) -> Said {
    let (what, what_in_french) = match why {
        charset::CharsetError::Mixed => (
            "two charsets are mixed in this file, so its accents cannot be decoded",
            "deux jeux de caractères sont mêlés dans ce fichier : ses accents ne peuvent pas être lus",
        ),
        charset::CharsetError::NotText | charset::CharsetError::Malformed(_) => (
            "the charset of this file cannot be determined for certain",
            "le jeu de caractères de ce fichier n’est pas certain",
        ),
    };
    Said::new(
        format!("{what}; save it again as UTF-8 ({AS_UTF_8})"),
        format!("{what_in_french} ; enregistrez-le de nouveau en UTF-8 ({EN_UTF_8})"),
    )
}

/// The text behind a first line `sep=;`, how many lines that is, and the separator it names.
fn separator_line(text: &str) -> (&str, u64, Option<u8>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let named = first.trim_end_matches('\r').trim().trim_matches('"');
    let named = named.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).and_then(|_| named.get(4..));
    match named {
        Some("\\t" | "\t" | "") => (rest, 1, Some(b'\t')),
        Some(sign) if sign.len() == 1 => (rest, 1, sign.bytes().next()),
        _ => (text, 0, None),
    }
}

/// The one of `;`, tab and `,` with which one of the first lines is a header with an address column; else the most frequent.
fn delimiter(text: &str) -> u8 {
    let first: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(HEADER_WITHIN).collect();
    let cells = |line: &str, delimiter: u8| -> Vec<String> {
        line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
    };
    let best = |line: &&str| {
        let headers = [b',', b'\t', b';'].into_iter().map(|it| (cells(line, it), it));
        let headers = headers.filter(|(cells, _)| cells.len() > 1 && columns::has_address(cells));
        headers.max_by_key(|(cells, _)| cells.len()).map(|(_, delimiter)| delimiter)
    };
    let count =
        |delimiter: u8| first.iter().map(|line| line.bytes().filter(|b| *b == delimiter).count()).sum::<usize>();
    let most = || [b',', b'\t', b';'].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b';');
    first.iter().find_map(best).unwrap_or_else(most)
}

/// The reader's own line count is one too low if a record follows CR LF or an empty line.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the record that begins at or after `start`; called in ascending order.
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

fn line_at(bytes: &[u8], offset: usize) -> u64 {
    bytes.iter().take(offset).filter(|b| **b == b'\n').count() as u64 + 1
}

/// The line on which a quotation mark opens a cell that is never closed.
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
    use crate::partners::workbook::{PARTS, inspect};
    use std::io::Write;
    use std::io::{Cursor, Read as _};
    use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes, &mut |_| true).unwrap_err().message.en
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
    fn i06_malformed_archives_are_refused() {
        let workbook: (&str, &[u8]) = ("xl/workbook.xml", b"<workbook/>");
        for (bytes, part) in [
            (archive(&[("word/document.xml", b"<document/>")]), "no XLSX"),
            (archive(&[workbook, ("xl/vbaProject.bin", b"x")]), "holds macros"),
            (archive(&[workbook, ("xl/macrosheets/sheet1.xml", b"x")]), "holds macros"),
            (archive(&[workbook, ("../../etc/cron.d/x", b"x")]), "leads out of it"),
            (archive(&[workbook, ("/etc/passwd", b"x")]), "leads out of it"),
            (archive(&[workbook, ("xl\\..\\x", b"x")]), "leads out of it"),
            (archive(&[("xl\\workbook.xml", b"<workbook/>")]), "cannot be read"),
            (
                archive(&[
                    workbook,
                    ("xl/sharedStrings.xml", br#"<sst count="1" uniqueCount="18446744073709551615">"#),
                ]),
                "more texts than a list can",
            ),
            (archive(&[workbook]), "cannot be read"),
            (archive(&[workbook])[..40].to_vec(), "cannot be read"),
            (vec![0xd0, 0xcf, 0x11, 0xe0, 0, 0], "an old Excel file"),
        ] {
            let said = refused(&bytes);
            assert!(said.contains(part), "{part} not in {said}: {}", String::from_utf8_lossy(&bytes));
        }
    }

    /// Whatever a table of texts declares, no memory is taken for it: refused, or read as it is.
    #[test]
    fn l2_a_declared_number_of_texts_allocates_nothing() {
        let with = |head: &str| {
            let texts = format!("<?xml version=\"1.0\"?>{head}<si><t>email</t></si></sst>");
            archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", texts.as_bytes())])
        };
        let padding = " ".repeat(4_000);
        for count in [
            "18446744073709551615",
            "9223372036854775807",
            "5000001",
            " 18446744073709551615",
            "00000000000099999999999",
        ] {
            for head in [
                format!("<sst count=\"1\" uniqueCount=\"{count}\">"),
                format!("<sst uniqueCount='{count}'>"),
                format!("<sst count=\"{count}\">"),
                format!("<!-- {padding} --><sst uniqueCount=\"{count}\">"),
                format!("<sst a=\"{padding}\" uniqueCount=\"{count}\">"),
                format!("<x:sst xmlns:x=\"u\" uniqueCount=\"{count}\">"),
            ] {
                let said = refused(&with(&head));
                assert!(
                    said.contains("more texts than a list can") || said.contains("cannot be read"),
                    "{head}: {said}"
                );
            }
        }
        // 64 MB at most are unpacked.
        let texts = format!("<sst>{}</sst>", "<si><t/></si>".repeat(6 << 20));
        let huge = archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", texts.as_bytes())]);
        assert!(huge.len() < 1 << 20 && refused(&huge).contains("unpacks to more than 64 MB"));
    }

    #[test]
    fn i06_an_archive_that_unpacks_to_too_much_is_refused_whatever_it_declares() {
        let nothing = vec![0; 600 << 10];
        let bomb = archive(&[("xl/workbook.xml", b"x"), ("xl/media/1.bin", &nothing), ("xl/media/2.bin", &nothing)]);
        assert!(bomb.len() < 10 << 10, "small as it comes");
        assert!(inspect(&bomb, 1 << 20).unwrap_err().en.contains("unpacks to more than 1 MB"));
        assert!(inspect(&bomb, 2 << 20).is_ok());
        // The sizes that the archive declares, here zero, are not trusted.
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
    fn a_distant_cell_does_not_allocate_a_large_table() {
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
        assert_eq!(seen, [(1, row(&["email"])), (3, row(&["a@b.fr", "32013", "oui"])), (1_048_576, row(&[]))]);
    }

    #[test]
    fn a_csv_is_recognised_by_its_bytes() {
        let expected =
            [(1, vec!["email".to_owned(), "nom".to_owned()]), (3, vec!["a@b.fr".to_owned(), "é".to_owned()])];
        for text in ["email;nom\r\n\r\na@b.fr;é\r\n", "email,nom\n\na@b.fr,é", "email\tnom\n\na@b.fr\té\n"] {
            assert_eq!(rows(text.as_bytes()), expected);
            assert_eq!(rows(format!("\u{feff}{text}").as_bytes()), expected);
            assert_eq!(rows(&encoding_rs::WINDOWS_1252.encode(text).0), expected);
        }
    }

    #[test]
    fn fr34_the_separator_line_of_excel_is_not_a_row() {
        let expected =
            [(2, vec!["email".to_owned(), "nom".to_owned()]), (3, vec!["a@b.fr".to_owned(), "x,y".to_owned()])];
        for text in [
            "sep=;\r\nemail;nom\r\na@b.fr;x,y\r\n",
            "\u{feff}SEP=;\nemail;nom\na@b.fr;x,y\n",
            "\"sep=;\"\nemail;nom\na@b.fr;x,y\n",
        ] {
            assert_eq!(rows(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn trial_f09_the_separator_is_that_of_the_header_whatever_its_title_holds() {
        let text = "Liste, mise à jour, du 3 juillet, pour 2027\n\nNom;Adresse mail\nx;a@b.fr\n";
        assert_eq!(rows(text.as_bytes())[1].1, ["Nom", "Adresse mail"]);
    }

    #[test]
    fn fr36_an_undetectable_charset_is_refused_with_advice() {
        for bytes in
            [&b"email;nom\na@b.fr;\x8et\x8e \x88 la plage\n"[..], b"email;nom\na@b.fr;\xc3\xa9t\xc3\xa9 et \xe9t\xe9\n"]
        {
            assert!(refused(bytes).contains("« CSV UTF-8 (délimité par des virgules) »"), "{}", refused(bytes));
        }
    }

    fn workbook(edit: impl FnOnce(&mut rust_xlsxwriter::Workbook)) -> Vec<u8> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        edit(&mut workbook);
        workbook.save_to_buffer().unwrap()
    }

    fn seen(bytes: &[u8]) -> (Format, Vec<(u64, bool, Vec<String>)>) {
        let mut rows = Vec::new();
        let format = read(bytes, &mut |row| {
            rows.push((row.line, row.hidden, row.cells.unwrap()));
            true
        });
        (format.unwrap(), rows)
    }

    #[test]
    fn fr37_hidden_sheets_and_rows_are_not_imported_silently() {
        let bytes = workbook(|workbook| {
            let old = workbook.add_worksheet();
            old.set_name("2026").unwrap().set_hidden(true).write_string(0, 0, "email").unwrap();
            old.write_string(1, 0, "old@b.fr").unwrap();
            let notes = workbook.add_worksheet();
            notes.set_name("Notes").unwrap().set_active(true).write_string(0, 0, "À faire").unwrap();
            let list = workbook.add_worksheet();
            list.set_name("Liste & co").unwrap().write_string(0, 0, "email").unwrap();
            list.write_string(1, 0, "a@b.fr").unwrap().write_string(2, 0, "c@b.fr").unwrap();
            list.set_row_hidden(1).unwrap();
        });
        let (format, rows) = seen(&bytes);
        let expected = Format::Xlsx { sheet: "Liste & co".to_owned(), hidden: vec!["2026".to_owned()], hidden_rows: 1 };
        assert_eq!(format, expected);
        assert_eq!(
            rows.iter().map(|(line, hidden, _)| (*line, *hidden)).collect::<Vec<_>>(),
            [(1, false), (2, true), (3, false)]
        );
    }

    #[test]
    fn fr38_an_unusual_workbook_is_read() {
        let bytes = workbook(|workbook| {
            let list = workbook.add_worksheet();
            list.write_string(0, 0, "email").unwrap().write_string(1, 0, "a@b.fr").unwrap();
        });
        let rewritten = |rename: &dyn Fn(&str) -> String, edit: &dyn Fn(&str) -> String| {
            let mut from = ZipArchive::new(Cursor::new(&bytes)).unwrap();
            let mut to = ZipWriter::new(Cursor::new(Vec::new()));
            for n in 0..from.len() {
                let mut part = from.by_index(n).unwrap();
                let name = part.name().unwrap().to_string();
                let mut text = String::new();
                part.read_to_string(&mut text).unwrap();
                to.start_file(rename(&name), SimpleFileOptions::default()).unwrap();
                to.write_all(edit(&text).as_bytes()).unwrap();
            }
            to.finish().unwrap().into_inner()
        };
        let same = |text: &str| text.to_owned();
        let backslashes = rewritten(&|name| name.replace('/', "\\"), &same);
        let second = |text: &str| {
            text.replace("xl/workbook.xml", "xl/workbook2.xml").replace("workbook.xml.rels", "workbook2.xml.rels")
        };
        let elsewhere = rewritten(&second, &second);
        for bytes in [backslashes, elsewhere] {
            assert_eq!(seen(&bytes).1.len(), 2);
        }
    }
}
