//! The A4 poster: masthead, days in even columns at the largest type that fits, the office at the foot.

use std::rc::Rc;

use crate::domain::french;

use super::{
    PrintError, Sheet,
    blocks::{self, Block, Setting, blocks},
    brush::{Align, Brush, Ink, qr_code},
    columns::{Column, Flow},
    sheet::{Area, Bookmark, Laid, Outline, Page, Printing, Role},
    short_address,
    story::{Section, sections},
    theme::{A4, SMALLEST, Theme},
    type_case::{Shaped, TypeCase, Weight},
    typeset::{break_lines, largest_size},
};

const MARGIN: f32 = 26.5;
const WIDTH: f32 = A4.width - 2.0 * MARGIN;
/// Between two columns.
const ALLEY: f32 = 15.0;
/// Under the masthead, above the foot.
const AIR: f32 = 14.0;
const FOOT: f32 = A4.height - 26.0;

/// Largest type for one, two and three columns: a line should hold neither too few words nor too many.
const LARGEST: [f32; 3] = [22.0, 14.5, 10.5];
/// What one, two, three columns are worth: fewer read better, even in a slightly smaller type.
const WORTH: [f32; 3] = [1.0, 0.86, 0.8];
/// Titles are never smaller.
const SMALLEST_TITLE: f32 = SMALLEST;
/// From here on, another page is better than a smaller type.
const COMFORT: f32 = 8.4;
/// Gaps may grow up to this much to fill the page.
const STRETCH: f32 = 2.1;
const MOST_PAGES: usize = 40;
/// Height of the panel with the large QR code.
const INVITATION: f32 = 190.0;

pub fn lay(sheet: &Sheet, case: &TypeCase, theme: &Theme) -> Result<Laid, PrintError> {
    let mut outline = Outline::new();
    let masthead = Masthead::new(sheet, case, &mut outline);
    let sections = sections(sheet, case, &mut outline, Outline::DOCUMENT);
    let foot = Foot::new(sheet, case, &mut outline);
    let frame = Frame { theme, sections: &sections, foot: foot.height(), online: sheet.online_url.is_some() };

    let plan = frame.plan()?;
    let mut bookmarks = Vec::new();
    let mut pages = Vec::new();
    for number in 0..plan.pages {
        let mut brush = Brush::default();
        let top = match number {
            0 => masthead.paint(&mut brush, theme, plan.masthead, !plan.invites)?,
            _ => masthead.paint_again(&mut brush, theme),
        };
        frame.pour(&plan, number, top + AIR, &mut brush, &mut bookmarks);
        if plan.invites {
            masthead.invite(&mut brush, theme, case, &frame)?;
        }
        foot.paint(&mut brush, theme, number, plan.pages, case);
        pages.push(Page { paper: A4, marks: brush.marks });
    }
    if sections.is_empty() {
        nothing_announced(&mut pages[0], &mut outline, case, theme, plan.masthead);
    }
    Ok(Laid { pages, outline, bookmarks, printing: Printing::AsIs })
}

/// How the sections are set: the choice of the largest type.
struct Plan {
    pages: usize,
    per_page: usize,
    size: f32,
    /// Height of the masthead.
    masthead: f32,
    columns: Vec<Column>,
    blocks: Vec<Block>,
    /// The week leaves half the page free: the QR code stands large at its foot.
    invites: bool,
}

struct Frame<'a> {
    theme: &'a Theme,
    sections: &'a [Section],
    foot: f32,
    online: bool,
}

impl Frame<'_> {
    fn plan(&self) -> Result<Plan, PrintError> {
        (1..=MOST_PAGES).find_map(|pages| self.plan_for(pages)).ok_or(PrintError::DoesNotFit)
    }

    /// The largest type over one, two or three columns.
    fn plan_for(&self, pages: usize) -> Option<Plan> {
        let smallest = if pages <= 2 { SMALLEST_TITLE } else { COMFORT };
        let candidates = (1..=3).filter_map(|per_page| {
            // On several pages the text is long: three columns, or two where the words are.
            let largest = if pages > 1 { LARGEST[2] } else { LARGEST[per_page - 1] };
            let size = largest_size(smallest, largest, |size| self.fits(pages, per_page, size, Masthead::TINY))?;
            Some((per_page, size))
        });
        let merit = |&(per_page, size): &(usize, f32)| size * WORTH[per_page - 1];
        let (per_page, size) = candidates.max_by(|a, b| merit(a).total_cmp(&merit(b)))?;
        let mastheads = [Masthead::LARGE, Masthead::SMALL].into_iter();
        let mut mastheads =
            mastheads.filter(|&masthead| size > masthead / 11.0 && self.fits(pages, per_page, size * 0.96, masthead));
        let masthead = mastheads.next().unwrap_or(Masthead::TINY);
        // A little smaller is worth it where it keeps days whole.
        let choices = [1.0, 0.985, 0.97, 0.955].map(|ratio| (size * ratio).max(smallest));
        let plans = choices.into_iter().filter_map(|size| {
            let blocks = blocks(self.sections, self.setting(per_page, size));
            let (columns, cost) = Flow::new(&blocks).distribute(&self.room(pages, per_page, masthead))?;
            let cost = cost + (1.0 - size / choices[0]) * 0.6;
            let tallest = columns.iter().map(|column| column.height).fold(0.0, f32::max);
            let invites = self.online && pages == 1 && tallest + INVITATION + 60.0 < self.bottom() - masthead;
            Some((cost, Plan { pages, per_page, size, masthead, columns, blocks, invites }))
        });
        plans.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, plan)| plan)
    }

    fn setting(&self, per_page: usize, size: f32) -> Setting<'_> {
        let tallest = (FOOT - Masthead::LARGE) * 0.45;
        Setting { theme: self.theme, size, width: column_width(per_page), tallest }
    }

    fn fits(&self, pages: usize, per_page: usize, size: f32, masthead: f32) -> bool {
        let blocks = blocks(self.sections, self.setting(per_page, size));
        Flow::new(&blocks).fits(&self.room(pages, per_page, masthead))
    }

    /// The heights of all columns, page after page.
    fn room(&self, pages: usize, per_page: usize, masthead: f32) -> Vec<f32> {
        let page = |number| {
            let top = if number == 0 { Masthead::TOP + masthead } else { Masthead::TOP + Masthead::AGAIN };
            self.bottom() - top - AIR
        };
        (0..pages).flat_map(|number| std::iter::repeat_n(page(number), per_page)).collect()
    }

    fn bottom(&self) -> f32 {
        FOOT - self.foot - AIR
    }

    fn pour(&self, plan: &Plan, page: usize, top: f32, brush: &mut Brush, bookmarks: &mut Vec<Bookmark>) {
        let flow = Flow::new(&plan.blocks);
        let columns = &plan.columns[page * plan.per_page..][..plan.per_page];
        let room = self.bottom() - top - if plan.invites { INVITATION + AIR } else { 0.0 };
        let stretches: Vec<f32> =
            columns.iter().map(|column| 1.0 + (room - column.height) / flow.gaps(column).max(1.0)).collect();
        let common = stretches.iter().copied().fold(STRETCH, f32::min);
        for (n, column) in columns.iter().enumerate() {
            let x = MARGIN + n as f32 * (column_width(plan.per_page) + ALLEY);
            let setting = self.setting(plan.per_page, plan.size);
            let first = plan.blocks.get(column.blocks.start);
            let repeated = first
                .filter(|_| column.continued)
                .map(|block| blocks::continued(&self.sections[block.section], setting));
            // Nearly full columns end on the same line; a short one keeps the rhythm of its neighbours.
            let stretch = if stretches[n] < common * 1.25 { stretches[n] } else { common };
            let headings = brush.pour(&plan.blocks, column, repeated.as_ref(), (x, top), stretch.min(STRETCH));
            bookmarks.extend(headings.into_iter().map(|(section, y)| Bookmark {
                title: self.sections[section].title.clone(),
                page,
                y,
            }));
        }
    }
}

fn column_width(per_page: usize) -> f32 {
    (WIDTH - ALLEY * (per_page - 1) as f32) / per_page as f32
}

/// Office, title, week, address online, QR code.
struct Masthead {
    title: (usize, Rc<Shaped>),
    office: (usize, Rc<Shaped>),
    week: (usize, Rc<Shaped>),
    online: Option<(usize, Rc<Shaped>)>,
    qr: Option<(usize, String)>,
    again: Rc<Shaped>,
}

impl Masthead {
    const TOP: f32 = 28.0;
    const TINY: f32 = 84.0;
    const SMALL: f32 = 96.0;
    const LARGE: f32 = 120.0;
    const TITLE: f32 = 30.0;
    /// On the pages after the first.
    const AGAIN: f32 = 24.0;

    fn new(sheet: &Sheet, case: &TypeCase, outline: &mut Outline) -> Self {
        let root = Outline::DOCUMENT;
        let words = french::capitalized(&french::week(sheet.week));
        let title = (outline.add(root, Role::Title), case.shape(Weight::Bold, sheet.title));
        let office = (outline.add(root, Role::Paragraph), case.shape(Weight::Bold, &sheet.office.name));
        let week = (outline.add(root, Role::Paragraph), case.shape(Weight::Regular, &words));
        let online = sheet.online_url.map(|url| {
            let paragraph = outline.add(root, Role::Paragraph);
            let link = outline.add(paragraph, Role::Link { url: url.to_owned() });
            (link, case.shape(Weight::Regular, &format!("En ligne : {}", short_address(url))))
        });
        let qr = sheet.online_url.map(|url| {
            let alt = format!("Code QR vers l’agenda en ligne : {url}");
            (outline.add(root, Role::Figure { alt }), url.to_owned())
        });
        let again = case.shape(Weight::Bold, &format!("{} · {words}", sheet.title));
        Self { title, office, week, online, qr, again }
    }

    /// Returns its lower edge.
    fn paint(&self, brush: &mut Brush, theme: &Theme, height: f32, with_qr: bool) -> Result<f32, PrintError> {
        let band = Area { x: MARGIN, y: Self::TOP, width: WIDTH, height };
        brush.band(band, theme.accent);
        let left = band.x + 16.0;
        let mut room = band.width - 32.0;
        if let Some((element, url)) = self.qr.as_ref().filter(|_| with_qr) {
            let side = height - 16.0;
            let square = Area { x: band.right() - side - 8.0, y: band.y + 8.0, width: side, height: side };
            brush.qr(Some(*element), &qr_code(url)?, square, theme.accent, theme.paper);
            room -= side + 8.0;
        }
        // All lines shrink together, so that the title stays the title.
        let scale = (height / Self::SMALL).min(room / (Self::TITLE * self.title.1.natural_width()).max(1.0)).max(0.8);
        let lowest = if self.online.is_some() { 72.0 } else { 57.0 };
        let top = band.y + (height - lowest * scale) / 2.0;
        let mut line = |(element, text): &(usize, Rc<Shaped>), y, size| {
            let ink = Ink { size: size * scale, color: theme.on_accent };
            brush.line(Some(*element), text, left, top + y * scale, room, ink);
        };
        line(&self.office, 6.5, 9.5);
        line(&self.title, 36.0, Self::TITLE);
        line(&self.week, 55.5, 15.0);
        if let Some(online) = &self.online {
            line(online, 71.0, 9.5);
        }
        Ok(band.bottom())
    }

    /// A panel at the foot of a nearly empty page.
    fn invite(&self, brush: &mut Brush, theme: &Theme, case: &TypeCase, frame: &Frame) -> Result<(), PrintError> {
        let Some((element, url)) = &self.qr else { return Ok(()) };
        let panel = Area { x: MARGIN, y: frame.bottom() - INVITATION, width: WIDTH, height: INVITATION };
        brush.band(panel, theme.pale);
        let side = INVITATION - 40.0;
        let square = Area { x: panel.x + 20.0, y: panel.y + 20.0, width: side, height: side };
        brush.qr(Some(*element), &qr_code(url)?, square, theme.accent, theme.paper);
        let x = square.right() + 24.0;
        let room = panel.right() - x - 20.0;
        // The figure's own text says the same to those who do not see it.
        let call = case.shape(Weight::Bold, "Toute la semaine, à jour, sur votre téléphone");
        let address = case.shape(Weight::Regular, short_address(url));
        let ink = Ink { size: 22.0, color: theme.accent };
        let lines = break_lines(&call, room / ink.size).len() as f32;
        let first = panel.y + (INVITATION - lines * 27.5 - 20.0) / 2.0 + 17.0;
        let below = brush.set(None, &call, x, first, room, ink, Align::Left);
        brush.line(None, &address, x, below, room, Ink { size: 13.0, color: theme.muted });
        Ok(())
    }

    fn paint_again(&self, brush: &mut Brush, theme: &Theme) -> f32 {
        let band = Area { x: MARGIN, y: Self::TOP, width: WIDTH, height: Self::AGAIN };
        brush.band(band, theme.accent);
        let ink = Ink { size: 11.0, color: theme.on_accent };
        brush.line(None, &self.again, band.x + 10.0, band.y + 15.8, WIDTH - 20.0, ink);
        band.bottom()
    }
}

/// How to reach the office.
struct Foot {
    element: usize,
    text: Rc<Shaped>,
}

impl Foot {
    const INK: f32 = 8.6;

    fn new(sheet: &Sheet, case: &TypeCase, outline: &mut Outline) -> Self {
        let office = sheet.office;
        let website = office.website.as_deref().map(short_address);
        let parts = [
            Some(office.name.as_str()),
            office.address.as_deref(),
            office.phone.as_deref(),
            office.email.as_deref(),
            website,
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let text = case.shape(Weight::Regular, &parts.join(" · "));
        Self { element: outline.add(Outline::DOCUMENT, Role::Paragraph), text }
    }

    const ROOM: f32 = WIDTH - 40.0;

    fn height(&self) -> f32 {
        let lines = (self.text.natural_width() * Self::INK / Self::ROOM).ceil().clamp(1.0, 6.0);
        lines * Self::INK * 1.25 + 4.0
    }

    fn paint(&self, brush: &mut Brush, theme: &Theme, number: usize, pages: usize, case: &TypeCase) {
        let top = FOOT - self.height();
        brush.band(Area { x: MARGIN, y: top, width: WIDTH, height: 0.8 }, theme.accent);
        let ink = Ink { size: Self::INK, color: theme.muted };
        let element = (number == 0).then_some(self.element);
        let first = top + 13.0;
        brush.set(element, &self.text, MARGIN, first, Self::ROOM, ink, Align::Left);
        if pages > 1 {
            let folio = case.shape(Weight::Bold, &format!("{}/{pages}", number + 1));
            let ink = Ink { size: 9.0, color: theme.accent };
            brush.set(None, &folio, MARGIN, first, WIDTH, ink, Align::Right);
        }
    }
}

/// A week without anything: said, so that nobody thinks the page failed.
fn nothing_announced(page: &mut Page, outline: &mut Outline, case: &TypeCase, theme: &Theme, masthead: f32) {
    let element = outline.add(Outline::DOCUMENT, Role::Paragraph);
    let text = case.shape(Weight::Regular, "Aucun rendez-vous n’est annoncé cette semaine.");
    let mut brush = Brush::default();
    let ink = Ink { size: 20.0, color: theme.ink };
    brush.set(Some(element), &text, MARGIN, Masthead::TOP + masthead + 90.0, WIDTH, ink, Align::Center);
    page.marks.append(&mut brush.marks);
}
