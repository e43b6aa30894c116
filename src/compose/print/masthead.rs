//! The masthead and the foot of the poster: the office, the week, and where to find more.

use crate::domain::french;

use super::{
    PrintError, Sheet,
    page_writer::{Align, Ink, LogoMark, PageWriter, Words, qr_code},
    poster::{FOOT, MARGIN, TOP, WIDTH},
    shaper::{Shaper, Weight},
    sheet::{Area, ElementId, Outline, Role},
    short_address,
    theme::{PAPER, SMALLEST, Theme},
    typeset::{break_lines, largest_size},
    website_url,
};

/// Height of the panel with the large QR code.
pub const INVITATION: f32 = 190.0;

/// The widest logo in a band of the usual height.
const LOGO_WIDTH: f32 = 104.0;

/// The logo of the sheet as an element of its own, named after the office.
pub fn logo_mark(sheet: &Sheet, outline: &mut Outline) -> Option<LogoMark> {
    let logo = sheet.look.logo.as_ref()?;
    let alt = format!("Logo : {}", sheet.office.name);
    let element = outline.add(Outline::DOCUMENT, Role::Figure { alt });
    Some(LogoMark { element: Some(element), aspect: logo.aspect(), on: sheet.look.theme.masthead })
}

/// Office, title, week, address online, QR code.
pub struct Masthead {
    title: Words,
    office: Words,
    week: Words,
    online: Option<Words>,
    qr: Option<(ElementId, String)>,
    logo: Option<LogoMark>,
    /// Title and week as on the following pages.
    again: (Words, Words),
}

/// Sizes of the lines of a masthead, and the height they take together.
struct MastheadSizes {
    /// Office, address online.
    small: f32,
    title: f32,
    week: f32,
    height: f32,
}

impl Masthead {
    /// Heights of the band.
    pub const TINY: f32 = 84.0;
    pub const SMALL: f32 = 96.0;
    pub const LARGE: f32 = 120.0;
    const TITLE: f32 = 30.0;
    /// On the pages after the first.
    pub const AGAIN: f32 = 24.0;

    pub fn new(sheet: &Sheet, shaper: &Shaper, outline: &mut Outline) -> Self {
        let root = Outline::DOCUMENT;
        let words = french::capitalized(&french::week(sheet.week));
        let title = Words::new(outline.add(root, Role::Title), shaper.shape(Weight::Bold, sheet.title));
        let office = Words::new(outline.add(root, Role::Paragraph), shaper.shape(Weight::Bold, &sheet.office.name));
        let week = Words::new(outline.add(root, Role::Paragraph), shaper.shape(Weight::Regular, &words));
        let logo = logo_mark(sheet, outline);
        let online = sheet.online_url.map(|url| {
            let paragraph = outline.add(root, Role::Paragraph);
            let link = outline.add(paragraph, Role::Link { url: url.to_owned() });
            Words::new(link, shaper.shape(Weight::Regular, &format!("En ligne : {}", short_address(url))))
        });
        let qr = sheet.online_url.map(|url| {
            let alt = format!("Code QR vers l’agenda en ligne : {url}");
            (outline.add(root, Role::Figure { alt }), url.to_owned())
        });
        let again = (Words::silent(&title.text), Words::silent(&week.text));
        Self { title, office, week, online, qr, logo, again }
    }

    /// Returns its lower edge.
    pub fn paint(&self, writer: &mut PageWriter, theme: &Theme, height: f32, with_qr: bool) -> Result<f32, PrintError> {
        let band = Area { x: MARGIN, y: TOP, width: WIDTH, height };
        writer.ground(band, theme.masthead, theme.on_masthead);
        // Without a filled band the text is aligned with the columns.
        let inset = if theme.masthead == PAPER { 0.0 } else { 16.0 };
        let (mut left, mut room) = (band.x + inset, band.width - 2.0 * inset);
        if let Some(logo) = &self.logo {
            let edge = if theme.masthead == PAPER { 0.0 } else { 8.0 };
            let widest = LOGO_WIDTH * height / Self::SMALL;
            let area = Area { x: band.x + edge, y: band.y + 8.0, width: widest, height: height - 16.0 };
            let right = writer.logo(logo, area) + 14.0;
            room -= right - left;
            left = right;
        }
        if let Some((element, url)) = self.qr.as_ref().filter(|_| with_qr) {
            let side = height - 16.0;
            let square = Area { x: band.right() - side - 8.0, y: band.y + 8.0, width: side, height: side };
            writer.qr(Some(*element), &qr_code(url)?, square, theme.accent);
            room -= side + 8.0 + (16.0 - inset);
        }
        let set = self.fit(room, height);
        let mut y = band.y + (height - set.height) / 2.0;
        let ink = |size: f32| Ink { size, color: theme.on_masthead };
        writer.line(&self.office, (left, y + set.small * 0.7), room, ink(set.small));
        y += set.small * 0.7 + set.title * 1.0;
        y = writer.set(&self.title, (left, y), room, ink(set.title), Align::Left) - set.title * 1.25;
        y += set.week * 1.3;
        writer.line(&self.week, (left, y), room, ink(set.week));
        if let Some(online) = &self.online {
            writer.line(online, (left, y + set.small * 1.65), room, ink(set.small));
        }
        Ok(band.bottom())
    }

    /// The largest sizes at which the title stands on one line, or on two if one would make it small.
    fn fit(&self, room: f32, height: f32) -> MastheadSizes {
        let scale = height / Self::SMALL;
        let sizes = |lines: f32, title: f32| {
            let (small, week) = (9.5 * scale, 15.0 * scale.min(title / 18.0));
            let online = if self.online.is_some() { small * 1.65 } else { 0.0 };
            let height = small * 0.7 + title * (1.0 + 1.25 * (lines - 1.0)) + week * 1.3 + online + small * 0.2;
            MastheadSizes { small, title, week, height }
        };
        let one = (room / self.title.text.natural_width().max(1.0)).min(Self::TITLE * scale);
        if one > 16.0 * scale {
            return sizes(1.0, one);
        }
        let fits = |size: f32| {
            let lines = break_lines(&self.title.text, room / size).len();
            lines <= 2 && sizes(2.0, size).height <= height - 20.0
        };
        match largest_size(one.min(SMALLEST), 20.0 * scale, fits) {
            Some(two) if two > one => sizes(break_lines(&self.title.text, room / two).len() as f32, two),
            _ => sizes(1.0, one),
        }
    }

    /// A panel at the foot of a nearly empty page.
    pub fn invite(
        &self,
        writer: &mut PageWriter,
        theme: &Theme,
        shaper: &Shaper,
        bottom: f32,
    ) -> Result<(), PrintError> {
        let Some((element, url)) = &self.qr else { return Ok(()) };
        let panel = Area { x: MARGIN, y: bottom - INVITATION, width: WIDTH, height: INVITATION };
        writer.ground(panel, theme.heading, theme.rule);
        let side = INVITATION - 40.0;
        let square = Area { x: panel.x + 20.0, y: panel.y + 20.0, width: side, height: side };
        writer.qr(Some(*element), &qr_code(url)?, square, theme.accent);
        let x = square.right() + 24.0;
        let room = panel.right() - x - 20.0;
        // The alternative text of the figure says the same to screen readers.
        let call = Words::silent(&shaper.shape(Weight::Bold, "Toute la semaine, à jour, sur votre téléphone"));
        let address = Words::silent(&shaper.shape(Weight::Regular, short_address(url)));
        let ink = Ink { size: 22.0, color: theme.accent };
        let lines = break_lines(&call.text, room / ink.size).len() as f32;
        let first = panel.y + (INVITATION - lines * 27.5 - 20.0) / 2.0 + 17.0;
        let below = writer.set(&call, (x, first), room, ink, Align::Left);
        writer.line(&address, (x, below), room, Ink { size: 13.0, color: theme.detail });
        Ok(())
    }

    pub fn paint_again(&self, writer: &mut PageWriter, theme: &Theme) -> f32 {
        let band = Area { x: MARGIN, y: TOP, width: WIDTH, height: Self::AGAIN };
        writer.ground(band, theme.masthead, theme.on_masthead);
        let inset = if theme.masthead == PAPER { 0.0 } else { 10.0 };
        let ink = Ink { size: 11.0, color: theme.on_masthead };
        writer.running_head(&self.again, (band.x + inset, band.y + 15.8), WIDTH - 2.0 * inset, ink);
        band.bottom()
    }
}

/// How to reach the office, and the number of the page.
pub struct Foot {
    /// Name, address and phone; then what can be clicked.
    words: Words,
    contacts: Vec<Words>,
}

impl Foot {
    const SIZE: f32 = 8.6;
    const LEADING: f32 = Self::SIZE * 1.25;
    /// The page number is beside it.
    const ROOM: f32 = WIDTH - 40.0;

    pub fn new(sheet: &Sheet, shaper: &Shaper, outline: &mut Outline) -> Self {
        let office = sheet.office;
        let parts = [Some(office.name.as_str()), office.address.as_deref(), office.phone.as_deref()];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let words = Words::new(outline.add(Outline::DOCUMENT, Role::Paragraph), shaper.shape(Weight::Regular, &text));
        let email = office.email.as_deref().map(|email| (email, format!("mailto:{email}")));
        let website = office.website.as_deref().map(|website| (short_address(website), website_url(website)));
        let contact = |(text, url): (&str, String)| {
            let paragraph = outline.add(Outline::DOCUMENT, Role::Paragraph);
            let link = outline.add(paragraph, Role::Link { url });
            Words::new(link, shaper.shape(Weight::Regular, text))
        };
        let contacts = email.into_iter().chain(website).map(contact).collect();
        Self { words, contacts }
    }

    pub fn height(&self) -> f32 {
        let lines = |words: &Words| break_lines(&words.text, Self::ROOM / Self::SIZE).len() as f32;
        let contacts: f32 = if self.on_one_line() { 1.0 } else { self.contacts.iter().map(lines).sum() };
        (lines(&self.words) + contacts) * Self::LEADING + 4.0
    }

    /// Whether the contacts fit side by side.
    fn on_one_line(&self) -> bool {
        let widths = self.contacts.iter().map(|contact| contact.text.natural_width() * Self::SIZE + 12.0);
        !self.contacts.is_empty() && widths.sum::<f32>() < Self::ROOM
    }

    /// In the reading order on the first page only.
    pub fn paint(&self, writer: &mut PageWriter, theme: &Theme, shaper: &Shaper, (number, pages): (usize, usize)) {
        let top = FOOT - self.height();
        writer.band(Area { x: MARGIN, y: top, width: WIDTH, height: 0.8 }, theme.accent);
        let ink = Ink { size: Self::SIZE, color: theme.detail };
        let (mut x, first) = (MARGIN, top + 13.0);
        let once = |words: &Words| if number == 0 { words.clone() } else { Words::silent(&words.text) };
        let mut y = writer.set(&once(&self.words), (x, first), Self::ROOM, ink, Align::Left);
        for (n, contact) in self.contacts.iter().enumerate() {
            if n > 0 && self.on_one_line() {
                let dot = Words::silent(&shaper.shape(Weight::Regular, "·"));
                writer.set(&dot, (x + 3.0, y), Self::ROOM, ink, Align::Left);
                x += 8.0;
            }
            let below = writer.set(&once(contact), (x, y), Self::ROOM, ink, Align::Left);
            match self.on_one_line() {
                true => x += contact.text.natural_width() * Self::SIZE,
                false => y = below,
            }
        }
        if pages > 1 {
            let folio = Words::silent(&shaper.shape(Weight::Bold, &format!("{}/{pages}", number + 1)));
            let ink = Ink { size: 9.0, color: theme.accent };
            writer.set(&folio, (MARGIN, first), WIDTH, ink, Align::Right);
        }
    }
}
