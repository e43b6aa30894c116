//! Reads the file of an edition, and reports all problems at once, with file, line and key.

use super::checks;
use crate::domain::edition::{Edition, EditionFile, EditionKind, Online, Printed};
use crate::jobs::word;
use crate::toml_reader::{File, Overrides, Problem, Problems, Section};
use std::path::Path;

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
    let text = |key: &str, example: &str, check: fn(&str) -> Result<String, checks::Wrong>| {
        root.required(key, example, |raw| checks::required(check, &raw.prose()?).map_err(said))
    };
    let title = root.required("title", "\"Carte touristique 2027\"", |raw| checks::title(&raw.line()?).map_err(said));
    let summary = text("summary", "\"La carte du territoire : villages, musées, balades.\"", checks::summary);
    let words = text("words", "\"La nouvelle carte touristique est arrivée : …\"", checks::words);
    let kind = root.required("kind", "\"map\"", |raw| word(&raw.text()?, &EditionKind::ALL));
    let languages = root.required("languages", "[\"fr\", \"en\"]", |raw| checks::languages(raw.texts()?).map_err(said));
    let pages = root.whole("pages", checks::PAGES).and_then(|n| u32::try_from(n).ok());
    let post = root.value("post", |raw| checks::required(checks::post, &raw.prose()?).map_err(said));
    let valid_until = root.parsed("valid_until", checks::day);
    let reminder_after_days = root.whole("reminder_after_days", checks::REMINDER_DAYS);
    let reminder_after_days = reminder_after_days.and_then(|n| u16::try_from(n).ok());
    let cover = root.required("cover", "\"carte-2027.jpg\"", |raw| cover(&base.join(raw.text()?)));
    let online = root.parsed("online", checks::online);
    let pdf = root.parsed("pdf", |text| pdf(&base.join(text)));
    let online = match (root.has("online"), root.has("pdf")) {
        (true, true) => {
            root.problem("pdf", said(checks::Wrong::OnlineTwice));
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
        root.problem("reminder_after_days", said(checks::Wrong::NotPrinted));
    }
    root.finish();
    let edition = Edition {
        slug: slug?,
        title: title?,
        kind: kind?,
        languages: languages?,
        pages,
        summary: summary?,
        online: Some(online?),
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
    checks::slug(&slug).map_err(|wrong| root.problem("slug", said(wrong))).ok()
}

fn said(wrong: checks::Wrong) -> String {
    wrong.to_string()
}

/// Both or none; at least one pack. `max_packs` only beside them.
fn printed(root: &Section) -> Option<Printed> {
    let number = |key: &str| root.whole(key, checks::COPIES).and_then(|n| u32::try_from(n).ok());
    let (copies, pack, max_packs) = (number("printed"), number("pack"), number("max_packs"));
    let has = ["printed", "pack", "max_packs"].map(|key| root.has(key));
    checks::printed(has, copies, pack, max_packs, |key, wrong| root.problem(key, said(wrong)))
}

/// Not read beyond its bound.
fn bounded(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let unreadable = |why: std::io::Error| format!("{} cannot be read: {why}", path.display());
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > most as u64 {
        let wrong = checks::Wrong::FileTooLarge { most };
        return Err(format!("{}: {wrong}, found {}", path.display(), size.div_ceil(1 << 20)));
    }
    std::fs::read(path).map_err(unreadable)
}

fn cover(path: &Path) -> Result<Vec<u8>, String> {
    checks::cover(&bounded(path, checks::LARGEST_COVER)?).map_err(|wrong| format!("{}: {wrong}", path.display()))
}

fn pdf(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = bounded(path, checks::LARGEST_PDF)?;
    checks::pdf(&bytes).map_err(|wrong| format!("{}: {wrong}", path.display()))?;
    Ok(bytes)
}
