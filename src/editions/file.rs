//! Reads the file of an edition, and reports all problems at once, with file, line and key.

use crate::compose::picture;
use crate::domain::edition::{Edition, EditionFile, EditionKind, LANGUAGES, Online, Printed, REMINDER};
use crate::jobs::{web_address, word};
use crate::toml_reader::{File, Overrides, Problem, Problems, Section};
use chrono::NaiveDate;
use std::path::Path;

/// Maximum size of a PDF: it is stored in the ledger, and served from memory.
const LARGEST_PDF: u64 = 20 << 20;
/// Maximum size of a picture before it is scaled down.
const LARGEST_COVER: u64 = 30 << 20;
/// A post on a social network.
const LONGEST_POST: usize = 280;
/// Maximum copies of one edition; more is a typing error.
const MOST_COPIES: i64 = 10_000_000;

/// An edition and its files, ready to be stored.
#[derive(Debug, Clone)]
pub struct Added {
    pub edition: Edition,
    pub files: Vec<(EditionFile, Vec<u8>)>,
}

/// # Errors
/// All problems in the file, or with the files it names.
pub fn read(path: &Path) -> Result<Added, Problems> {
    let text = std::fs::read_to_string(path).map_err(|why| {
        let message = format!("cannot be read: {why}");
        Problems(vec![Problem { place: path.display().to_string(), key: String::new(), message }])
    })?;
    parse(path, &text)
}

/// `path`: its name is the default slug, and other files are relative to it.
///
/// # Errors
/// All problems in the text, or with the files it names.
pub fn parse(path: &Path, text: &str) -> Result<Added, Problems> {
    let overrides = Overrides::default();
    let file = File::parse(path.display().to_string(), text, &overrides);
    let added = edition(file.root(), path);
    match (added, file.problems()) {
        (Some(added), problems) if problems.is_empty() => Ok(added),
        (_, problems) => Err(Problems(problems)),
    }
}

/// `None` only if a problem was reported.
fn edition(root: Section, path: &Path) -> Option<Added> {
    let base = path.parent().unwrap_or(Path::new(""));
    let slug = slug(&root, path);
    let text = |key: &str, example: &str| root.required(key, example, |raw| written(&raw.prose()?));
    let title = root.required("title", "\"Carte touristique 2027\"", |raw| written(&raw.line()?));
    let summary = text("summary", "\"La carte du territoire : villages, musées, balades.\"");
    let words = text("words", "\"La nouvelle carte touristique est arrivée : …\"");
    let kind = root.required("kind", "\"map\"", |raw| word(&raw.text()?, &EditionKind::ALL));
    let languages = root.required("languages", "[\"fr\", \"en\"]", |raw| languages(raw.texts()?));
    let pages = root.whole("pages", 1..=2_000).and_then(|n| u32::try_from(n).ok());
    let post = root.value("post", |raw| match raw.prose()? {
        text if text.chars().count() <= LONGEST_POST => written(&text),
        text => Err(format!("expected at most {LONGEST_POST} characters, found {}", text.chars().count())),
    });
    let valid_until = root.parsed("valid_until", |text| {
        text.parse::<NaiveDate>().map_err(|_| "expected a day such as \"2028-03-31\"".to_owned())
    });
    let reminder_after_days = root.whole("reminder_after_days", 1..=365).and_then(|n| u16::try_from(n).ok());
    let cover = root.required("cover", "\"carte-2027.jpg\"", |raw| cover(&base.join(raw.text()?)));
    let online = root.parsed("online", |text| web_address(text).map(|url| Online::At(url.to_string())));
    let pdf = root.parsed("pdf", |text| pdf(&base.join(text)));
    let online = match (root.has("online"), root.has("pdf")) {
        (true, true) => {
            root.problem("pdf", "given beside online; write the one by which it is to be read");
            online
        }
        (false, true) => Some(Online::Pdf),
        (true, false) => online,
        (false, false) => {
            root.problem("online", "missing; write for example online = \"https://…\", or pdf = \"carte-2027.pdf\"");
            None
        }
    };
    let printed = printed(&root);
    if reminder_after_days.is_some() && printed.is_none() && !root.has("printed") {
        root.problem("reminder_after_days", "only with printed: there is nothing to be ordered otherwise");
    }
    root.finish();
    let edition = Edition {
        slug: slug?,
        title: title?,
        kind: kind?,
        languages: languages?,
        pages,
        summary: summary?,
        online: online?,
        printed,
        valid_until,
        words: words?,
        post,
        reminder_after_days,
    };
    let mut files = vec![(EditionFile::Cover, cover?)];
    files.extend(pdf.map(|bytes| (EditionFile::Pdf, bytes)));
    Some(Added { edition, files })
}

fn slug(root: &Section, path: &Path) -> Option<String> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if !root.has("slug") && stem == "edition" {
        root.problem("slug", "missing, and the file's name says nothing; write for example slug = \"carte-2027\"");
        return None;
    }
    let given = root.text("slug");
    let slug = if root.has("slug") { given? } else { stem };
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let sound = (1..=60).contains(&slug.len()) && slug.chars().all(letter) && !slug.starts_with('-');
    if !sound || slug.ends_with(REMINDER) {
        let what = "small letters, digits and -, at most 60, such as \"carte-2027\"";
        root.problem("slug", format!("expected {what}, not ending in {REMINDER}; found {slug:?}"));
        return None;
    }
    Some(slug)
}

fn written(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected some words".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn languages(codes: Vec<String>) -> Result<Vec<String>, String> {
    let known = |code: &&String| !LANGUAGES.iter().any(|(known, _)| known == code);
    match codes.iter().find(known) {
        Some(code) => {
            let all: Vec<_> = LANGUAGES.iter().map(|(code, _)| *code).collect();
            Err(format!("expected {}; found {code:?}", all.join(", ")))
        }
        None if codes.is_empty() => Err("expected one language at the least".to_owned()),
        None => Ok(codes),
    }
}

/// Both or none; at least one pack. `max_packs` only beside them.
fn printed(root: &Section) -> Option<Printed> {
    let number = |key: &str| root.whole(key, 1..=MOST_COPIES).and_then(|n| u32::try_from(n).ok());
    let (copies, pack, max_packs) = (number("printed"), number("pack"), number("max_packs"));
    if root.has("max_packs") && !root.has("printed") {
        root.problem("max_packs", "only with printed: there is nothing to be ordered otherwise");
    }
    match (root.has("printed"), root.has("pack")) {
        (true, false) => {
            root.problem("pack", "missing beside printed; write the copies of a pack, for example pack = 50")
        }
        (false, true) => root.problem("printed", "missing beside pack; write for example printed = 20000"),
        _ => {}
    }
    let printed = Printed { copies: copies?, pack: pack?, max_packs };
    if printed.packs() == 0 {
        root.problem("pack", format!("expected at most what is printed, {}; found {}", printed.copies, printed.pack));
    }
    Some(printed)
}

fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |why: std::io::Error| format!("{} cannot be read: {why}", path.display());
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > most {
        return Err(format!(
            "{}: expected at most {} MB, found {}",
            path.display(),
            most >> 20,
            size.div_ceil(1 << 20)
        ));
    }
    std::fs::read(path).map_err(unreadable)
}

fn cover(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = bounded(path, LARGEST_COVER)?;
    Ok(picture::whole(&bytes).map_err(|why| format!("{}: {why}", path.display()))?.jpeg)
}

fn pdf(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = bounded(path, LARGEST_PDF)?;
    match bytes.starts_with(b"%PDF-") {
        true => Ok(bytes),
        false => Err(format!("{}: expected a PDF", path.display())),
    }
}
