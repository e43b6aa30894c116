//! Reads the rows of a workbook (XLSX), after checking the archive: sizes, paths, macros.

use super::columns;
use super::said::{Said, said};
use super::sheet::{Format, HEADER_WITHIN, Row};
use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx};
use std::collections::BTreeSet;
use std::io::{Cursor, Read, Write};
use std::{borrow::Cow, fmt};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Maximum total size of an unpacked XLSX.
const UNPACKED: u64 = 64 << 20;
/// Maximum number of files in the archive.
pub(super) const PARTS: usize = 2_000;
/// Maximum columns of a sheet; a row with a cell beyond them is refused.
const WIDEST: u32 = 200;
/// Maximum shared strings of a workbook; an honest one has a few per row.
const MOST_TEXTS: u64 = 5_000_000;

/// Why nothing of it can be read.
fn unreadable(why: &dyn fmt::Display) -> Said {
    said!("this XLSX cannot be read: {why}", "ce fichier XLSX ne peut pas être lu : {why}")
}

pub(super) fn xlsx(bytes: &[u8], each: &mut dyn FnMut(Row) -> bool) -> Result<Format, Said> {
    let bytes = inspect(bytes, UNPACKED)?;
    let hidden_rows_of = |path: &str| hidden_rows(&bytes, path);
    let mut workbook = Xlsx::new(Cursor::new(&*bytes)).map_err(|why| unreadable(&why))?;
    let is_sheet = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet;
    let all = workbook.sheets_metadata().to_vec();
    let seen: Vec<String> = all
        .iter()
        .filter(is_sheet)
        .filter(|it| it.visible == SheetVisible::Visible)
        .map(|it| it.name.clone())
        .collect();
    let hidden = all
        .iter()
        .filter(is_sheet)
        .filter(|it| it.visible != SheetVisible::Visible)
        .map(|it| it.name.clone())
        .collect();
    // The first sheet with a column of addresses; else the first, to report what it has instead.
    let mut sheet = None;
    for name in &seen {
        let mut rows = 0;
        let mut found = false;
        read_sheet(&mut workbook, name, &BTreeSet::new(), &mut |row| {
            rows += 1;
            found |= row.cells.is_ok_and(|cells| columns::has_address(&cells));
            !found && rows < HEADER_WITHIN
        })?;
        if found {
            sheet = Some(name.clone());
            break;
        }
    }
    let sheet = sheet.or_else(|| seen.first().cloned()).ok_or_else(|| match all.is_empty() {
        true => said!("this XLSX cannot be read: it has no sheet", "ce fichier XLSX n’a aucune feuille"),
        false => said!(
            "every sheet of this file is hidden or a chart; show the one with the list, and save",
            "toutes les feuilles de ce fichier sont masquées ou des graphiques ; affichez celle de la liste, puis enregistrez"
        ),
    })?;
    let hidden_rows = sheet_path(&bytes, &sheet).map(|path| hidden_rows_of(&path)).unwrap_or_default();
    read_sheet(&mut workbook, &sheet, &hidden_rows, each)?;
    Ok(Format::Xlsx { sheet, hidden, hidden_rows: hidden_rows.len() })
}

fn read_sheet(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    hidden: &BTreeSet<u64>,
    each: &mut dyn FnMut(Row) -> bool,
) -> Result<(), Said> {
    // Cell by cell: a range would be as large as the farthest cell claims.
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(|why| unreadable(&why))?;
    let mut row = Row::new(0, false);
    loop {
        let cell = cells.next_cell().map_err(|why| unreadable(&why))?;
        let at = cell.as_ref().map(|cell| cell.get_position());
        if at.is_none_or(|(line, _)| u64::from(line) + 1 != row.line) {
            let line = at.map_or(0, |(line, _)| u64::from(line) + 1);
            let next = Row { hidden: hidden.contains(&line), ..Row::new(line, false) };
            let full = std::mem::replace(&mut row, next);
            let said = full.cells.as_ref().is_ok_and(|cells| cells.iter().any(|cell| !cell.trim().is_empty()));
            if (said || !full.faults.is_empty()) && !each(full) {
                break;
            }
        }
        let (Some(cell), Some((_, column))) = (cell, at) else { break };
        let place = column as usize;
        match text_of(cell.get_value()) {
            Ok(text) if text.is_empty() => {}
            Ok(_) if column >= WIDEST => row
                .faults
                .push((place, said!("a cell beyond column {WIDEST}", "une cellule au-delà de la colonne {WIDEST}"))),
            Ok(text) => {
                if let Ok(cells) = &mut row.cells {
                    cells.resize(cells.len().max(place + 1), String::new());
                    cells[place] = text;
                }
            }
            Err(why) => row.faults.push((place, why)),
        }
    }
    Ok(())
}

/// The path of a sheet's XML, from the workbook's relationships.
fn sheet_path(bytes: &[u8], sheet: &str) -> Option<String> {
    let workbook = part(bytes, "xl/workbook.xml")?;
    let id = elements(&workbook, "sheet").find(|it| attribute(it, "name").as_deref() == Some(sheet))?;
    let id = attribute(id, "id")?;
    let relations = part(bytes, "xl/_rels/workbook.xml.rels")?;
    let target = elements(&relations, "Relationship").find(|it| attribute(it, "Id").as_deref() == Some(id.as_str()))?;
    let target = attribute(target, "Target")?;
    Some(match target.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("xl/{target}"),
    })
}

fn part(bytes: &[u8], name: &str) -> Option<String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut text = Vec::new();
    archive.by_name(name).ok()?.take(UNPACKED).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The hidden rows of a sheet.
fn hidden_rows(bytes: &[u8], path: &str) -> BTreeSet<u64> {
    let Some(sheet) = part(bytes, path) else { return BTreeSet::new() };
    let is_on = |it: &str, name: &str| attribute(it, name).is_some_and(|value| matches!(value.as_str(), "1" | "true"));
    let mut line = 0;
    let mut hidden = BTreeSet::new();
    for row in elements(&sheet, "row") {
        line = attribute(row, "r").and_then(|r| r.parse().ok()).unwrap_or(line + 1);
        if is_on(row, "hidden") || attribute(row, "ht").is_some_and(|height| height.parse() == Ok(0.0)) {
            hidden.insert(line);
        }
    }
    hidden
}

/// The start tags of the elements of this name, with any prefix.
fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    xml.split('<').skip(1).filter_map(move |piece| {
        let head = piece.split('>').next()?;
        let tag = head.split(|c: char| c.is_whitespace() || c == '/').next()?;
        (tag.rsplit(':').next() == Some(name)).then_some(head)
    })
}

/// The value of an attribute, with any prefix.
fn attribute(head: &str, name: &str) -> Option<String> {
    let mut rest = head;
    while let Some(at) = rest.find('=') {
        let key = rest[..at].trim_end().rsplit(|c: char| c.is_whitespace()).next()?;
        let value = rest[at + 1..].trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = value[1..].split_once(quote)?;
        if key.rsplit(':').next() == Some(name) {
            let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
            return Some(plain.replace("&amp;", "&"));
        }
        rest = after;
    }
    None
}

fn text_of(value: &DataRef<'_>) -> Result<String, Said> {
    Ok(match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(n) => n.to_string(),
        // Integers in a sheet are floats: 32013, not 32013.0.
        DataRef::Float(n) => n.to_string(),
        DataRef::Bool(yes) => if *yes { "oui" } else { "non" }.to_owned(),
        DataRef::DateTime(date) => date.to_string(),
        DataRef::Error(error) => {
            return Err(said!("a cell shows the error {error}", "une cellule montre l’erreur {error}"));
        }
        DataRef::Empty => String::new(),
    })
}

/// Checks the archive before it is parsed, and normalises variants of other programs: names with `\\`, a workbook under
/// another name. Declared sizes are not trusted: everything is unpacked and counted.
pub(super) fn inspect(bytes: &[u8], most: u64) -> Result<Cow<'_, [u8]>, Said> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|why| unreadable(&why))?;
    if archive.len() > PARTS {
        let parts = archive.len();
        return Err(said!("refused: an XLSX of {parts} parts", "refusé : un XLSX de {parts} morceaux"));
    }
    let (mut total, mut names) = (0, Vec::new());
    let mut sink = vec![0; 64 << 10];
    for n in 0..archive.len() {
        let mut part = archive.by_index(n).map_err(|why| unreadable(&why))?;
        let written = part.name().map_err(|why| unreadable(&why))?.to_string();
        let name = written.replace('\\', "/");
        let lower = name.to_ascii_lowercase();
        let leads_out = lower.starts_with('/') || lower.split('/').any(|step| step == "..") || lower.contains(':');
        if leads_out || part.is_symlink() {
            return Err(said!(
                "refused: this XLSX holds a name that leads out of it",
                "refusé : ce fichier XLSX contient un nom qui mène hors de lui"
            ));
        }
        if lower.contains("vbaproject") || lower.contains("macrosheets/") {
            return Err(said!(
                "refused: this file holds macros; save it as .xlsx without them",
                "refusé : ce fichier contient des macros ; enregistrez-le en .xlsx sans elles"
            ));
        }
        let mut first = true;
        loop {
            match part.read(&mut sink).map_err(|why| unreadable(&why))? {
                0 => break,
                n => {
                    total += n as u64;
                    if std::mem::take(&mut first) && lower.ends_with("sharedstrings.xml") {
                        believable_texts(&sink[..n])?;
                    }
                }
            }
            if total > most {
                let most = most >> 20;
                return Err(said!(
                    "refused: this XLSX unpacks to more than {most} MB",
                    "refusé : décompressé, ce fichier XLSX dépasse {most} Mo"
                ));
            }
        }
        names.push((written, name));
    }
    let workbook = workbook_name(&mut archive, &names);
    let Some(workbook) = workbook else {
        return Err(said!(
            "an archive that is no XLSX; save the sheet as .xlsx or CSV",
            "une archive qui n’est pas un XLSX ; enregistrez la feuille en .xlsx ou en CSV"
        ));
    };
    let is_plain = names.iter().all(|(written, name)| written == name) && workbook == "xl/workbook.xml";
    if is_plain {
        Ok(Cow::Borrowed(bytes))
    } else {
        in_order(&mut archive, &names, &workbook).map(Cow::Owned).map_err(|why| unreadable(&why))
    }
}

/// A table of shared strings that claims an impossible count would make the reader allocate too much.
fn believable_texts(beginning: &[u8]) -> Result<(), Said> {
    let head = String::from_utf8_lossy(&beginning[..beginning.len().min(2_048)]).into_owned();
    let counts = elements(&head, "sst").flat_map(|sst| ["count", "uniqueCount"].map(|name| attribute(sst, name)));
    match counts
        .flatten()
        .any(|count| count.trim().parse::<u64>().is_ok_and(|n| n > MOST_TEXTS) || count.trim().len() > 12)
    {
        true => Err(said!(
            "refused: this XLSX says that it holds more texts than a list can",
            "refusé : ce fichier XLSX annonce plus de textes qu’une liste ne peut en avoir"
        )),
        false => Ok(()),
    }
}

/// The workbook part, from the archive's relationships, else the usual path.
fn workbook_name(archive: &mut ZipArchive<Cursor<&[u8]>>, names: &[(String, String)]) -> Option<String> {
    let is_there = |name: &str| names.iter().any(|(_, it)| it.eq_ignore_ascii_case(name));
    let relations = names.iter().find(|(_, name)| name == "_rels/.rels").map(|(written, _)| written.clone());
    let relations = relations.and_then(|name| {
        let mut text = String::new();
        archive.by_name(&name).ok()?.take(1 << 20).read_to_string(&mut text).ok()?;
        Some(text)
    });
    let of_list = relations.as_deref().and_then(|relations| {
        let is_document = |it: &&str| attribute(it, "Type").is_some_and(|kind| kind.ends_with("/officeDocument"));
        let target = attribute(elements(relations, "Relationship").find(is_document)?, "Target")?;
        Some(target.trim_start_matches('/').to_owned())
    });
    let of_list = of_list.filter(|name| is_there(name) && name.starts_with("xl/"));
    of_list.or_else(|| is_there("xl/workbook.xml").then(|| "xl/workbook.xml".to_owned()))
}

/// The same parts under the names that the XLSX reader expects. At most the number of bytes that was counted.
fn in_order(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    names: &[(String, String)],
    workbook: &str,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let relations_of = |name: &str| {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        format!("{folder}/_rels/{file}.rels")
    };
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (n, (_, name)) in names.iter().enumerate() {
        let renamed = match name {
            name if name == workbook => "xl/workbook.xml".to_owned(),
            name if *name == relations_of(workbook) => "xl/_rels/workbook.xml.rels".to_owned(),
            name => name.clone(),
        };
        let part = archive.by_index(n)?;
        if part.is_dir() {
            continue;
        }
        let mut bytes = Vec::new();
        part.take(UNPACKED).read_to_end(&mut bytes)?;
        if renamed == "_rels/.rels" || renamed == "[Content_Types].xml" {
            bytes = String::from_utf8_lossy(&bytes).replace(workbook, "xl/workbook.xml").into_bytes();
        }
        out.start_file(renamed, options)?;
        out.write_all(&bytes)?;
    }
    Ok(out.finish()?.into_inner())
}
