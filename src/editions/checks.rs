//! What an edition must be, value by value: the same rules for its file and for its form in the console. The wording is here
//! too, in English and in French.

use crate::compose::picture::{self, PictureError};
use crate::domain::{
    characters,
    edition::{LANGUAGES, LONGEST_SLUG, Online, Printed, REMINDER, slug_of},
    french::{self, NBSP},
    issue::ERRATUM,
};
use crate::jobs::web_address;
use chrono::NaiveDate;
use std::fmt;
use std::ops::RangeInclusive;

/// Maximum size of a PDF, in bytes: it is stored in the ledger, and served from memory.
pub const LARGEST_PDF: usize = 20 << 20;
/// Maximum size of a cover before it is scaled down, in bytes.
pub const LARGEST_COVER: usize = 8 << 20;
/// Characters of a title, a summary, a text to be shared, and a post on a social network.
pub const LONGEST_TITLE: usize = 200;
pub const LONGEST_SUMMARY: usize = 2_000;
pub const LONGEST_WORDS: usize = 10_000;
pub const LONGEST_POST: usize = 280;
pub const PAGES: RangeInclusive<i64> = 1..=2_000;
/// Copies of one edition, of a pack, and packs of an order; more is a typing error.
pub const COPIES: RangeInclusive<i64> = 1..=10_000_000;
pub const REMINDER_DAYS: RangeInclusive<i64> = 1..=365;
/// Parts of addresses in the console that are no edition.
const RESERVED: [&str; 1] = ["nouvelle"];

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    Empty,
    TooLong {
        most: usize,
        found: usize,
    },
    /// A character that shows something else than what is written, or that no header can have.
    Character(char),
    Number {
        least: i64,
        most: i64,
        found: String,
    },
    Slug(String),
    SlugTaken,
    /// A part of addresses in the console: an edition of this name had no page.
    SlugReserved,
    /// It is announced or ordered under another slug.
    SlugFixed,
    Language(String),
    NoLanguage,
    Kind,
    Day,
    Address,
    OnlineTwice,
    PackMissing,
    PrintedMissing,
    PackTooLarge {
        copies: u32,
        pack: u32,
    },
    /// Only for an edition that is printed.
    NotPrinted,
    FileTooLarge {
        most: usize,
    },
    Picture {
        english: String,
        french: &'static str,
    },
    NotAPdf,
    /// It was received with an earlier attempt, and is not kept any more.
    FileGone,
    /// It is announced, and cannot do without.
    NeededNow,
    /// As `Kept::Refused`.
    Ordered(u32),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Empty => f.write_str("expected some words"),
            Wrong::TooLong { most, found } => write!(f, "expected at most {most} characters, found {found}"),
            Wrong::Character(c) => write!(f, "found the character U+{:04X}", u32::from(*c)),
            Wrong::Number { least, most, found } => write!(f, "expected {least} to {most}, found {found}"),
            Wrong::Slug(found) => write!(
                f,
                "expected small letters, digits and -, at most {LONGEST_SLUG}, such as \"carte-2027\", not ending in \
                 {REMINDER}; found {found:?}"
            ),
            Wrong::SlugTaken => f.write_str("another edition has this name in addresses"),
            Wrong::SlugReserved => f.write_str("this name means something else in addresses"),
            Wrong::SlugFixed => f.write_str("it is announced or ordered: its name in addresses stays"),
            Wrong::Language(found) => {
                let all: Vec<_> = LANGUAGES.iter().map(|(code, _)| *code).collect();
                write!(f, "expected {}; found {found:?}", all.join(", "))
            }
            Wrong::NoLanguage => f.write_str("expected at least one language"),
            Wrong::Kind => f.write_str("expected one of the list"),
            Wrong::Day => f.write_str("expected a day such as \"2028-03-31\""),
            Wrong::Address => f.write_str("expected an address such as https://office.example"),
            Wrong::OnlineTwice => f.write_str("given beside online; write the one by which it is to be read"),
            Wrong::PackMissing => {
                f.write_str("missing beside printed; write the copies of a pack, for example pack = 50")
            }
            Wrong::PrintedMissing => f.write_str("missing beside pack; write for example printed = 20000"),
            Wrong::PackTooLarge { copies, pack } => {
                write!(f, "expected at most what is printed, {copies}; found {pack}")
            }
            Wrong::NotPrinted => f.write_str("only with printed: there is nothing to be ordered otherwise"),
            Wrong::FileTooLarge { most } => write!(f, "expected at most {} MB", most >> 20),
            Wrong::Picture { english, .. } => f.write_str(english),
            Wrong::NotAPdf => f.write_str("expected a PDF"),
            Wrong::FileGone => f.write_str("the file is not kept any more: choose it again"),
            Wrong::NeededNow => f.write_str("it is announced, and its mail needs this"),
            Wrong::Ordered(packs) => {
                write!(f, "{packs} packs are ordered: there cannot be fewer, nor packs of another size")
            }
        }
    }
}

impl Wrong {
    /// For the form.
    pub fn in_french(&self) -> String {
        match self {
            Wrong::Empty => "Écrivez quelques mots.".to_owned(),
            Wrong::TooLong { most, found } => {
                let [most, found] = [most, found].map(|n| french::grouped(*n as u64));
                format!("Écrivez {most}{NBSP}caractères au plus{NBSP}: il y en a {found}.")
            }
            Wrong::Character(c) => format!("Ce texte contient un caractère invisible, U+{:04X}.", u32::from(*c)),
            Wrong::Number { least, most, .. } => {
                format!("Écrivez un nombre entier, de {least} à {}.", french::grouped(most.unsigned_abs()))
            }
            Wrong::Slug(_) => format!(
                "Écrivez des lettres minuscules sans accent, des chiffres et des tirets, {LONGEST_SLUG} au plus, comme \
                 carte-2027."
            ),
            Wrong::SlugTaken => "Une autre édition porte déjà ce nom dans son adresse.".to_owned(),
            Wrong::SlugReserved => "Ce nom veut dire autre chose dans une adresse.".to_owned(),
            Wrong::SlugFixed => format!("Elle est annoncée ou commandée{NBSP}: ce nom ne change plus."),
            Wrong::Language(found) => format!("Cette langue n’est pas dans la liste{NBSP}: {found}."),
            Wrong::NoLanguage => "Cochez au moins une langue.".to_owned(),
            Wrong::Kind => "Choisissez un genre.".to_owned(),
            Wrong::Day => "Écrivez un jour, comme 2028-03-31.".to_owned(),
            Wrong::Address => "Écrivez une adresse complète, comme https://office.example.".to_owned(),
            Wrong::OnlineTwice => {
                format!("Il y a une adresse et un PDF{NBSP}: videz l’adresse, ou retirez le PDF.")
            }
            Wrong::PackMissing => "Écrivez combien d’exemplaires contient un paquet.".to_owned(),
            Wrong::PrintedMissing => "Écrivez combien d’exemplaires sont imprimés.".to_owned(),
            Wrong::PackTooLarge { copies, .. } => {
                format!("Un paquet ne peut pas contenir plus que le tirage, {}.", french::grouped((*copies).into()))
            }
            Wrong::NotPrinted => {
                format!("Seulement pour une édition imprimée{NBSP}: sans tirage, rien ne se commande.")
            }
            Wrong::FileTooLarge { most } => format!("Ce fichier est trop lourd{NBSP}: {}{NBSP}Mo au plus.", most >> 20),
            Wrong::Picture { french, .. } => format!("L’image n’a pas pu être lue{NBSP}: {french}."),
            Wrong::NotAPdf => "Ce fichier n’est pas un PDF.".to_owned(),
            Wrong::FileGone => format!("Ce fichier n’est plus gardé{NBSP}: choisissez-le de nouveau."),
            Wrong::NeededNow => format!("Elle est annoncée{NBSP}: son message ne peut pas s’en passer."),
            Wrong::Ordered(packs) => format!(
                "{packs}{NBSP}paquet{s} {are} commandé{s}{NBSP}: il ne peut pas y en avoir moins, ni d’une autre taille.",
                s = french::plural((*packs).into()),
                are = if *packs < 2 { "est" } else { "sont" }
            ),
        }
    }
}

impl From<PictureError> for Wrong {
    fn from(why: PictureError) -> Self {
        Wrong::Picture { english: why.to_string(), french: why.in_french() }
    }
}

type Checked<T> = Result<T, Wrong>;

fn bounded(text: &str, most: usize, single_line: bool) -> Checked<String> {
    let text = text.trim();
    let found = text.chars().count();
    match characters::unfit(text, single_line) {
        Some(c) => Err(Wrong::Character(c)),
        None if found > most => Err(Wrong::TooLong { most, found }),
        None => Ok(text.to_owned()),
    }
}

fn written(text: String) -> Checked<String> {
    if text.is_empty() { Err(Wrong::Empty) } else { Ok(text) }
}

pub fn title(text: &str) -> Checked<String> {
    written(bounded(text, LONGEST_TITLE, true)?)
}

/// May be empty in a form.
pub fn summary(text: &str) -> Checked<String> {
    bounded(text, LONGEST_SUMMARY, false)
}

/// May be empty in a form.
pub fn words(text: &str) -> Checked<String> {
    bounded(text, LONGEST_WORDS, false)
}

/// May be empty in a form.
pub fn post(text: &str) -> Checked<String> {
    bounded(text, LONGEST_POST, false)
}

/// The same, not empty.
pub fn required(check: fn(&str) -> Checked<String>, text: &str) -> Checked<String> {
    written(check(text)?)
}

pub fn slug(slug: &str) -> Checked<String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let sound = (1..=LONGEST_SLUG).contains(&slug.len()) && slug.chars().all(letter) && !slug.starts_with('-');
    match sound && !slug.ends_with(REMINDER) && !slug.contains(ERRATUM) {
        true if RESERVED.contains(&slug) => Err(Wrong::SlugReserved),
        true => Ok(slug.to_owned()),
        false => Err(Wrong::Slug(slug.to_owned())),
    }
}

/// The slug of a title that nobody gave one: `nouvelle-2` for « Nouvelle », which is reserved.
pub fn slug_for(title: &str) -> String {
    let slug = slug_of(title);
    if RESERVED.contains(&slug.as_str()) { format!("{slug}-2") } else { slug }
}

pub fn languages(codes: Vec<String>) -> Checked<Vec<String>> {
    match codes.iter().find(|code| !LANGUAGES.iter().any(|(known, _)| known == code)) {
        Some(code) => Err(Wrong::Language(code.clone())),
        None if codes.is_empty() => Err(Wrong::NoLanguage),
        None => Ok(codes),
    }
}

/// A whole number as somebody types it: blanks between its digits do not matter.
pub fn whole(text: &str, bounds: &RangeInclusive<i64>) -> Checked<u32> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let number = digits.parse::<i64>().ok().filter(|n| bounds.contains(n)).and_then(|n| u32::try_from(n).ok());
    let (least, most) = (*bounds.start(), *bounds.end());
    number.ok_or_else(|| Wrong::Number { least, most, found: text.trim().to_owned() })
}

pub fn day(text: &str) -> Checked<NaiveDate> {
    text.trim().parse().map_err(|_| Wrong::Day)
}

pub fn online(text: &str) -> Checked<Online> {
    web_address(text.trim()).map(|url| Online::At(url.to_string())).map_err(|_| Wrong::Address)
}

/// `has`: whether `printed`, `pack` and `max_packs` are given at all; the numbers: as far as they are sound. What is wrong is
/// named by its key.
pub fn printed(
    has: [bool; 3],
    copies: Option<u32>,
    pack: Option<u32>,
    max_packs: Option<u32>,
    mut wrong: impl FnMut(&'static str, Wrong),
) -> Option<Printed> {
    let [has_printed, has_pack, has_max] = has;
    if has_max && !has_printed {
        wrong("max_packs", Wrong::NotPrinted);
    }
    match (has_printed, has_pack) {
        (true, false) => wrong("pack", Wrong::PackMissing),
        (false, true) => wrong("printed", Wrong::PrintedMissing),
        _ => {}
    }
    let printed = Printed { copies: copies?, pack: pack?, max_packs };
    if printed.packs() == 0 {
        wrong("pack", Wrong::PackTooLarge { copies: printed.copies, pack: printed.pack });
        return None;
    }
    Some(printed)
}

/// The cover as it is stored: scaled down, as JPEG. Takes the processor for a while.
pub fn cover(bytes: &[u8]) -> Checked<Vec<u8>> {
    if bytes.len() > LARGEST_COVER {
        return Err(Wrong::FileTooLarge { most: LARGEST_COVER });
    }
    Ok(picture::whole(bytes)?.jpeg)
}

/// Looked at by its first bytes only: it is never parsed.
pub fn pdf(bytes: &[u8]) -> Checked<()> {
    match bytes {
        _ if bytes.len() > LARGEST_PDF => Err(Wrong::FileTooLarge { most: LARGEST_PDF }),
        _ if bytes.starts_with(b"%PDF-") => Ok(()),
        _ => Err(Wrong::NotAPdf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_worded_in_both_languages() {
        for wrong in [
            title("").unwrap_err(),
            title(&"é".repeat(LONGEST_TITLE + 1)).unwrap_err(),
            title("a\u{202e}b").unwrap_err(),
            slug("nouvelle").unwrap_err(),
            slug("Carte").unwrap_err(),
            slug("carte-rappel").unwrap_err(),
            languages(vec![]).unwrap_err(),
            languages(vec!["xx".to_owned()]).unwrap_err(),
            whole("0", &PAGES).unwrap_err(),
            whole("12 pages", &PAGES).unwrap_err(),
            day("demain").unwrap_err(),
            online("ftp://x").unwrap_err(),
            cover(b"GIF89a").unwrap_err(),
            cover(&vec![0; LARGEST_COVER + 1]).unwrap_err(),
            pdf(b"PK").unwrap_err(),
            pdf(&vec![0; LARGEST_PDF + 1]).unwrap_err(),
            Wrong::Ordered(1),
            Wrong::FileGone,
            Wrong::OnlineTwice,
        ] {
            assert!(wrong.in_french().ends_with('.') && !wrong.to_string().is_empty(), "{wrong:?}");
            assert!(!wrong.to_string().contains('’'), "{wrong}");
        }
        assert_eq!((slug("nouvelle"), slug_for("Nouvelle !")), (Err(Wrong::SlugReserved), "nouvelle-2".to_owned()));
        assert_eq!(whole(" 20\u{202f}000 ", &COPIES), Ok(20_000));
        assert_eq!(Wrong::Ordered(3).in_french().matches("commandés").count(), 1);
    }
}
