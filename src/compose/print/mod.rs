//! The printed page: a poster for the reception desk, a booklet, and the booklet ready to fold.
//!
//! Pure: the same sheet gives the same bytes, whenever and wherever. It reads no file and no clock, and sends nothing.
//! Every row of the agenda is on the page (invariant I3); what no font can show is told as a warning.
//!
//! The way of a page: `story` (what there is to read) → `blocks` (set at a size) → `columns` (distributed) → `sheet`
//! (laid) → `draw` (printpdf) → `tags` (PDF/UA-1).

use chrono::{DateTime, Utc};

use crate::domain::{
    agenda::{Agenda, Week},
    office::Office,
};

mod blocks;
mod booklet;
mod brush;
mod columns;
mod cover;
mod draw;
mod fold;
#[cfg(test)]
mod layout_tests;
mod legible;
mod masthead;
mod poster;
mod sheet;
mod story;
mod tags;
mod theme;
mod type_case;
mod typeset;

use theme::Theme;
use type_case::TypeCase;

/// What is printed.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    pub agenda: &'a Agenda,
    pub week: Week,
    pub office: &'a Office,
    /// `Que faire à Auch cette semaine`
    pub title: &'a str,
    /// Where the agenda is online: a QR code and a short address.
    pub online_url: Option<&'a str>,
    /// Written in the file's metadata.
    pub created: DateTime<Utc>,
}

/// A finished PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    pub pdf: Vec<u8>,
    pub pages: usize,
    /// For a person, in French.
    pub warnings: Vec<String>,
}

/// Why a page could not be printed. None depends on the words of the agenda, save the length of an address.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("the font {0} cannot be read")]
    Font(&'static str),
    #[error("a font could not be subset")]
    Subset(#[source] subsetter::Error),
    #[error("the online address is too long for a QR code")]
    AddressTooLong,
    #[error("the content does not fit on any number of pages")]
    DoesNotFit,
    #[error("the tags of the PDF could not be written")]
    Tags(#[source] lopdf::Error),
    #[error("the PDF could not be written")]
    Write(#[source] std::io::Error),
}

/// One A4 page, two beyond about seventy events, at the largest type that fits.
pub fn poster(sheet: &Sheet) -> Result<Printed, PrintError> {
    let case = TypeCase::open()?;
    let laid = poster::lay(sheet, &case, &Theme::OFFICE)?;
    print(sheet, &case, &laid, "affiche")
}

/// A5 pages in reading order, a multiple of four.
pub fn booklet(sheet: &Sheet) -> Result<Printed, PrintError> {
    let case = TypeCase::open()?;
    let laid = booklet::lay(sheet, &case, &Theme::OFFICE)?;
    print(sheet, &case, &laid, "livret")
}

/// The booklet two-up on A4 landscape: print both sides, turned on the short edge, fold.
pub fn imposed(sheet: &Sheet) -> Result<Printed, PrintError> {
    let case = TypeCase::open()?;
    let laid = fold::impose(booklet::lay(sheet, &case, &Theme::OFFICE)?);
    print(sheet, &case, &laid, "livret à plier")
}

fn print(sheet: &Sheet, case: &TypeCase, laid: &sheet::Laid, form: &str) -> Result<Printed, PrintError> {
    let drawn = draw::draw(laid, case)?;
    let pdf = tags::finish(drawn, laid, sheet, form)?;
    let warnings = case.dropped().into_iter().map(|c| {
        format!("Caractère absent de la police d’impression, retiré de la page : {c} (U+{:04X}).", u32::from(c))
    });
    Ok(Printed { pdf, pages: laid.pages.len(), warnings: warnings.collect() })
}

/// An address short enough to be typed: no scheme, no `www.`, no slash at the end.
fn short_address(url: &str) -> &str {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.trim_start_matches("www.").trim_end_matches('/')
}

/// Where an address of the office leads when it is clicked.
fn website_url(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("https://{address}") }
}
