//! The outside of the booklet: cover, back, and how to reach the office.

use crate::domain::french;

use super::{
    PrintError, Sheet,
    booklet::{BOTTOM, MARGIN, TOP, WIDTH},
    masthead::logo_mark,
    page_writer::{Align, Ink, LogoMark, PageWriter, Words, qr_code, quiet_zone},
    shaper::{Shaped, Shaper, Weight},
    sheet::{Area, ElementId, Outline, Page, Role},
    short_address,
    theme::{A5, PAPER, SMALLEST, Theme},
    typeset::{break_lines, largest_size},
    website_url,
};

/// From the edge of the paper to the band of a cover.
const COVER_EDGE: f32 = 25.0;
/// Height of QR code and call at the foot of the back.
const INVITATION: f32 = 165.0;

/// The first page, and its elements that other pages repeat.
pub struct Cover {
    title: Words,
    office: Words,
    week: Words,
    logo: Option<LogoMark>,
    online: Option<Online>,
    /// At the top of every page.
    pub running: (Words, Words),
}

struct Online {
    call: Words,
    address: Words,
    qr: Option<ElementId>,
    url: String,
}

impl Cover {
    pub fn new(sheet: &Sheet, shaper: &Shaper, outline: &mut Outline) -> Self {
        let root = Outline::DOCUMENT;
        let words = french::capitalized(&french::week(sheet.week));
        let title = Words::new(outline.add(root, Role::Title), shaper.shape(Weight::Bold, sheet.title));
        let office = Words::new(outline.add(root, Role::Paragraph), shaper.shape(Weight::Bold, &sheet.office.name));
        let week = Words::new(outline.add(root, Role::Paragraph), shaper.shape(Weight::Regular, &words));
        let logo = logo_mark(sheet, outline);
        let online = sheet.online_url.map(|url| {
            let call = outline.add(root, Role::Paragraph);
            let paragraph = outline.add(root, Role::Paragraph);
            let link = outline.add(paragraph, Role::Link { url: url.to_owned() });
            let alt = format!("Code QR vers l’agenda en ligne : {url}");
            Online {
                call: Words::new(call, shaper.shape(Weight::Bold, "L’agenda en ligne, toujours à jour")),
                address: Words::new(link, shaper.shape(Weight::Regular, short_address(url))),
                qr: Some(outline.add(root, Role::Figure { alt })),
                url: url.to_owned(),
            }
        });
        let running = (Words::silent(&shaper.shape(Weight::Regular, sheet.title)), Words::silent(&week.text));
        Self { title, office, week, logo, online, running }
    }

    pub fn page(&self, theme: &Theme) -> Result<Page, PrintError> {
        let mut writer = PageWriter::default();
        let inset = COVER_EDGE;
        let height = if self.online.is_some() { 352.0 } else { A5.height - 2.0 * inset };
        let (band, words) = cover_band(theme, inset, height);
        writer.ground(band, theme.masthead, theme.on_masthead);
        let white = |size| Ink { size, color: theme.on_masthead };
        let (x, room) = (words.x, words.width);
        let mut top = band.y + 22.0;
        if let Some(logo) = &self.logo {
            let plate = Area { x, y: top, width: room * 0.7, height: 68.0 };
            writer.logo(logo, plate);
            top = plate.bottom() + 8.0;
        }
        writer.set(&self.office, (x, top + 16.0), room, white(12.5), Align::Left);
        let lines = if self.logo.is_some() { 3 } else { 4 };
        let size = title_size(&self.title.text, room, 46.0, lines);
        let lines = break_lines(&self.title.text, room / size).len() as f32;
        // Title and week stand together on the lower part of the band.
        let first = band.bottom() - 70.0 - (lines - 1.0) * size * 1.08;
        set_tight(&mut writer, &self.title, (x, first), room, white(size));
        writer.line(&self.week, (x, band.bottom() - 32.0), room, white(17.0));
        if let Some(online) = &self.online {
            Self::invite(&mut writer, theme, online, band.bottom() + 30.0)?;
        }
        Ok(Page { paper: A5, marks: writer.marks })
    }

    /// QR code, call and address side by side; `y` is their upper edge.
    fn invite(writer: &mut PageWriter, theme: &Theme, online: &Online, y: f32) -> Result<(), PrintError> {
        let (side, code) = (150.0, qr_code(&online.url)?);
        // The visible code is aligned with the text, its quiet zone is in the margin.
        let square = Area { x: MARGIN - quiet_zone(&code, side), y, width: side, height: side };
        writer.qr(online.qr, &code, square, theme.accent);
        let x = square.right() + 16.0;
        let room = A5.width - MARGIN - x;
        let ink = Ink { size: 19.0, color: theme.accent };
        let below = writer.set(&online.call, (x, y + 58.0), room, ink, Align::Left);
        writer.line(&online.address, (x, below), room, Ink { size: 11.5, color: theme.detail });
        Ok(())
    }

    /// Repeats the invitation as decoration, outside the reading order.
    fn invite_again(&self, writer: &mut PageWriter, theme: &Theme, y: f32) -> Result<(), PrintError> {
        let Some(online) = &self.online else { return Ok(()) };
        let silent = Online {
            call: Words::silent(&online.call.text),
            address: Words::silent(&online.address.text),
            qr: None,
            url: online.url.clone(),
        };
        Self::invite(writer, theme, &silent, y)
    }

    /// The last page, if practical information is inside.
    pub fn back(&self, theme: &Theme) -> Result<Page, PrintError> {
        let mut writer = PageWriter::default();
        let inset = COVER_EDGE;
        let (band, words) = cover_band(theme, A5.height - inset - 120.0, 120.0);
        writer.ground(band, theme.masthead, theme.on_masthead);
        let (x, room) = (words.x, words.width);
        let white = |size| Ink { size, color: theme.on_masthead };
        writer.line(&Words::silent(&self.title.text), (x, band.y + 58.0), room, white(22.0));
        writer.line(&Words::silent(&self.office.text), (x, band.y + 82.0), room, white(11.5));
        self.invite_again(&mut writer, theme, 200.0)?;
        Ok(Page { paper: A5, marks: writer.marks })
    }
}

/// The band of a cover, and its text area: inset if the band is filled, otherwise aligned with the inner pages.
fn cover_band(theme: &Theme, y: f32, height: f32) -> (Area, Area) {
    let (edge, inset) = if theme.masthead == PAPER { (MARGIN, 0.0) } else { (COVER_EDGE, 24.0) };
    let band = Area { x: edge, y, width: A5.width - 2.0 * edge, height };
    (band, Area { x: band.x + inset, width: band.width - 2.0 * inset, ..band })
}

/// As large as the widest word allows, in no more than `lines` lines.
fn title_size(text: &Shaped, room: f32, largest: f32, lines: usize) -> f32 {
    let whole_words = |size: f32| text.chunks.iter().all(|chunk| text.width(&chunk.visible) * size <= room);
    let fits = |size: f32| whole_words(size) && break_lines(text, room / size).len() <= lines;
    largest_size(14.0, largest, fits).unwrap_or(14.0)
}

/// Lines closer together than running text.
fn set_tight(writer: &mut PageWriter, words: &Words, at: (f32, f32), room: f32, ink: Ink) {
    let start = writer.marks.len();
    writer.set(words, at, room, ink, Align::Left);
    for (n, mark) in writer.marks[start..].iter_mut().enumerate() {
        *mark = mark.moved(0.0, -(n as f32) * ink.size * 0.17);
    }
}

/// How to reach the office, and a disclaimer.
pub struct Practical {
    heading: Words,
    /// Label and text.
    lines: Vec<(Option<Words>, Words)>,
}

impl Practical {
    pub const TITLE: &str = "Informations pratiques";

    pub fn new(sheet: &Sheet, shaper: &Shaper, outline: &mut Outline) -> Self {
        let office = sheet.office;
        let section = outline.add(Outline::DOCUMENT, Role::Section);
        let heading = Words::new(outline.add(section, Role::Heading), shaper.shape(Weight::Bold, Self::TITLE));
        let name = Words::new(outline.add(section, Role::Paragraph), shaper.shape(Weight::Bold, &office.name));
        let mut lines = vec![(None, name)];
        let told = [
            ("Adresse", &office.address, None),
            ("Horaires", &office.opening_hours, None),
            ("Téléphone", &office.phone, None),
            ("Courriel", &office.email, office.email.as_ref().map(|email| format!("mailto:{email}"))),
            ("Site", &office.website, office.website.as_deref().map(website_url)),
        ];
        for (label, text, url) in told {
            let Some(text) = text else { continue };
            let label_element = outline.add(section, Role::Paragraph);
            let mut element = outline.add(section, Role::Paragraph);
            if let Some(url) = url {
                element = outline.add(element, Role::Link { url });
            }
            let label = Words::new(label_element, shaper.shape(Weight::Bold, label));
            lines.push((Some(label), Words::new(element, shaper.shape(Weight::Regular, short_address(text)))));
        }
        for text in &sheet.look.information {
            let (label, text) = labelled(text);
            let label =
                label.map(|label| Words::new(outline.add(section, Role::Paragraph), shaper.shape(Weight::Bold, label)));
            let text = Words::new(outline.add(section, Role::Paragraph), shaper.shape(Weight::Regular, text));
            lines.push((label, text));
        }
        let caution = "Un programme peut changer : renseignez-vous avant de prendre la route.";
        let caution = Words::new(outline.add(section, Role::Paragraph), shaper.shape(Weight::Regular, caution));
        lines.push((None, caution));
        Self { heading, lines }
    }

    /// With the invitation to the online agenda below, if it is the back of the booklet and there is room.
    pub fn paint(&self, writer: &mut PageWriter, theme: &Theme, invite: Option<&Cover>) -> Result<(), PrintError> {
        let band = Area { x: MARGIN, y: TOP, width: WIDTH, height: 27.0 };
        writer.ground(band, theme.group, theme.on_group);
        let inset = if theme.group == PAPER { 0.0 } else { 8.0 };
        let ink = Ink { size: 15.0, color: theme.on_group };
        writer.line(&self.heading, (band.x + inset, band.y + 18.5), WIDTH - 2.0 * inset, ink);
        let (top, largest) = (band.bottom() + 28.0, 12.0);
        let invite = invite.filter(|_| top + self.height(Self::SMALLEST_WITH_INVITATION) < BOTTOM - INVITATION);
        let bottom = if invite.is_some() { BOTTOM - INVITATION } else { BOTTOM };
        let size = largest_size(SMALLEST, largest, |size| top + self.height(size) <= bottom).unwrap_or(SMALLEST);
        let below = self.set(writer, theme, top, size);
        match invite {
            Some(cover) => cover.invite_again(writer, theme, (below + 20.0).clamp(A5.height - 250.0, BOTTOM - 150.0)),
            None => Ok(()),
        }
    }

    const SMALLEST_WITH_INVITATION: f32 = 9.5;

    fn height(&self, size: f32) -> f32 {
        self.set(&mut PageWriter::default(), &Theme::OFFICE, 0.0, size)
    }

    /// Labels at the left, their text beside them; returns the position of the next line.
    fn set(&self, writer: &mut PageWriter, theme: &Theme, top: f32, size: f32) -> f32 {
        let ink = |color| Ink { size, color };
        let labels = self.lines.iter().filter_map(|(label, _)| label.as_ref());
        let widest = labels.map(|label| label.text.natural_width() * size).fold(0.0, f32::max);
        let column = (widest + size).min(WIDTH * 0.38);
        let mut y = top;
        for (label, words) in &self.lines {
            let indent = if label.is_some() { column } else { 0.0 };
            let beside = match label {
                Some(label) => writer.set(label, (MARGIN, y), column - size * 0.6, ink(theme.accent), Align::Left),
                None => y,
            };
            y = writer.set(words, (MARGIN + indent, y), WIDTH - indent, ink(theme.text), Align::Left).max(beside);
            y += size * 0.64;
        }
        y
    }
}

/// `Taxi : 05 62 …` has a label; a sentence has none.
fn labelled(text: &str) -> (Option<&str>, &str) {
    const LONGEST: usize = 24;
    match text.split_once(':') {
        Some((label, rest)) if label.ends_with([' ', '\u{a0}']) && label.trim().chars().count() <= LONGEST => {
            (Some(label.trim()), rest.trim())
        }
        _ => (None, text),
    }
}
