//! The printed page: a poster for the reception desk, a booklet, and the booklet ready to fold.
//!
//! Pure: the same sheet always gives the same bytes. It reads no file and no clock, and sends nothing.
//! Every row of the agenda is printed (invariant I3); characters without a glyph are reported as warnings.
//!
//! The stages: `story` (the content) → `blocks` (set at a size) → `columns` (distributed) → `sheet` (laid out) → `draw`
//! (printpdf) → `tags` (PDF/UA-1). `svg` draws the laid-out pages as pictures instead.

use chrono::{DateTime, Utc};

use crate::domain::{
    agenda::{Agenda, Week},
    office::Office,
};

mod blocks;
mod booklet;
mod columns;
mod cover;
mod draw;
mod fonts;
mod imposition;
#[cfg(test)]
mod layout_tests;
mod logo;
mod masthead;
mod page_writer;
mod poster;
mod sanitize;
mod shaper;
mod sheet;
mod story;
mod svg;
mod tags;
mod theme;
mod typeset;

pub use fonts::{Font, FontError, Fonts};
pub use logo::{Logo, LogoError};
use shaper::Shaper;
use sheet::Laid;
pub use svg::Picture;
pub use theme::Theme;

/// The look of a printed page, independent of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub theme: Theme,
    pub fonts: Fonts,
    pub logo: Option<Logo>,
    /// Practical information for the booklet, `Taxi : 05 62 …` or a sentence each.
    pub information: Vec<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: Theme::OFFICE, fonts: Fonts::default(), logo: None, information: Vec::new() }
    }
}

/// The paper of a poster. A booklet is made of half sheets of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    A4,
    A3,
}

/// What to print from a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One page, two beyond about seventy events, at the largest type that fits.
    Poster,
    /// Half pages in reading order, a multiple of four.
    Booklet,
    /// The booklet two-up on landscape sheets: print both sides, turned on the short edge, fold.
    Imposed,
}

/// The content to print.
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
    pub look: &'a Look,
    pub format: Format,
}

/// A finished PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    pub pdf: Vec<u8>,
    pub pages: usize,
    /// For staff, in French.
    pub warnings: Vec<String>,
}

/// Why a page could not be printed. Independent of the content of the agenda, except for the length of an address.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("the font {0} cannot be read")]
    Font(String),
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

/// The sheet as a PDF.
///
/// # Errors
/// When a font cannot be used or the online address is too long; never because of the agenda's content.
pub fn print(layout: Layout, sheet: &Sheet) -> Result<Printed, PrintError> {
    let shaper = Shaper::open(&sheet.look.fonts)?;
    let laid = lay(layout, sheet, &shaper)?;
    finished(layout, &laid, sheet, &shaper)
}

/// The sheet as a PDF, and each of its pages as a picture of the same layout.
///
/// # Errors
/// As [`fn@print`].
pub fn print_with_pictures(layout: Layout, sheet: &Sheet) -> Result<(Printed, Vec<Picture>), PrintError> {
    let shaper = Shaper::open(&sheet.look.fonts)?;
    let laid = lay(layout, sheet, &shaper)?;
    let printed = finished(layout, &laid, sheet, &shaper)?;
    Ok((printed, svg::pictures(&laid, &shaper, sheet.look.logo.as_ref())))
}

fn lay(layout: Layout, sheet: &Sheet, shaper: &Shaper) -> Result<Laid, PrintError> {
    let laid = match layout {
        Layout::Poster => poster::lay(sheet, shaper)?,
        Layout::Booklet => booklet::lay(sheet, shaper)?,
        Layout::Imposed => imposition::impose(booklet::lay(sheet, shaper)?),
    };
    Ok(match sheet.format {
        Format::A4 => laid,
        Format::A3 => laid.enlarged(),
    })
}

fn finished(layout: Layout, laid: &Laid, sheet: &Sheet, shaper: &Shaper) -> Result<Printed, PrintError> {
    let form = match layout {
        Layout::Poster => "affiche",
        Layout::Booklet => "livret",
        Layout::Imposed => "livret à plier",
    };
    let drawn = draw::draw(laid, shaper, sheet.look.logo.as_ref())?;
    let pdf = tags::finish(drawn, laid, sheet, form)?;
    let warnings = shaper.dropped().into_iter().map(|c| {
        format!("Caractère absent de la police d’impression, retiré de la page : {c} (U+{:04X}).", u32::from(c))
    });
    Ok(Printed { pdf, pages: laid.pages.len(), warnings: warnings.collect() })
}

/// A short form of an address for typing: no scheme, no `www.`, no slash at the end.
fn short_address(url: &str) -> &str {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.trim_start_matches("www.").trim_end_matches('/')
}

/// The link target of an address of the office.
fn website_url(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("https://{address}") }
}
