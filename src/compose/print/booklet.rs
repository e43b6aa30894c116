//! The A5 booklet: cover, the days, practical information; and its imposition on folded A4 sheets.
//!
//! Its pages are a multiple of four, filled by a larger type rather than by blank pages.

use std::rc::Rc;

use crate::domain::french;

use super::{
    PrintError, Sheet,
    blocks::{self, Block, Setting, blocks, fitted},
    brush::{Align, Brush, Ink, qr_code},
    columns::{Column, Flow},
    sheet::{Area, Bookmark, ElementId, Laid, Outline, Page, Printing, Role},
    short_address,
    story::{Section, sections},
    theme::{A4, A5, Paper, Theme},
    type_case::{Shaped, TypeCase, Weight},
    typeset::{break_lines, largest_size},
    website_url,
};

const MARGIN: f32 = 34.0;
const WIDTH: f32 = A5.width - 2.0 * MARGIN;
/// Where the entries begin and end.
const TOP: f32 = 50.0;
const BOTTOM: f32 = A5.height - 46.0;
const LARGEST: f32 = 14.0;
/// Below this, four more pages are better.
const SMALLEST_TITLE: f32 = 8.8;
const STRETCH: f32 = 2.3;
const MOST_PAGES: usize = 400;

pub fn lay(sheet: &Sheet, case: &TypeCase, theme: &Theme) -> Result<Laid, PrintError> {
    let mut outline = Outline::new();
    let cover = Cover::new(sheet, case, &mut outline);
    let sections = sections(sheet, case, &mut outline, Outline::DOCUMENT);
    let nothing = sections.is_empty().then(|| {
        let element = outline.add(Outline::DOCUMENT, Role::Paragraph);
        (element, case.shape(Weight::Regular, "Aucun rendez-vous n’est annoncé cette semaine."))
    });
    let practical = Practical::new(sheet, case, &mut outline);
    let setter = Setter { theme, case, sections: &sections };

    let plan = setter.plan()?;
    let mut bookmarks = Vec::new();
    let mut pages = vec![cover.page(theme)?];
    for column in &plan.columns {
        let mut brush = Brush::default();
        setter.pour(&plan, column, pages.len(), &mut brush, &mut bookmarks);
        setter.furniture(&mut brush, &cover, pages.len() + 1);
        pages.push(Page { paper: A5, marks: brush.marks });
    }
    if let Some((element, text)) = nothing {
        let mut brush = Brush::default();
        let ink = Ink { size: 16.0, color: theme.ink };
        brush.set(Some(element), &text, MARGIN, A5.height * 0.4, WIDTH, ink, Align::Center);
        setter.furniture(&mut brush, &cover, pages.len() + 1);
        pages.push(Page { paper: A5, marks: brush.marks });
    }
    // Room for one more page inside: practical information goes there, and the back says where to find the agenda.
    let spare = pages.len() % 4 == 2;
    bookmarks.push(Bookmark { title: Practical::TITLE.to_owned(), page: pages.len(), y: TOP });
    let mut brush = Brush::default();
    practical.paint(&mut brush, theme, (!spare).then_some(&cover))?;
    if spare {
        setter.furniture(&mut brush, &cover, pages.len() + 1);
    }
    pages.push(Page { paper: A5, marks: brush.marks });
    if spare {
        pages.push(cover.back(theme)?);
    }
    Ok(Laid { pages, outline, bookmarks, printing: Printing::AsIs })
}

struct Plan {
    size: f32,
    columns: Vec<Column>,
    blocks: Vec<Block>,
}

struct Setter<'a> {
    theme: &'a Theme,
    case: &'a TypeCase,
    sections: &'a [Section],
}

impl Setter<'_> {
    /// The fewest sheets at a comfortable size, then the largest type that fills them.
    fn plan(&self) -> Result<Plan, PrintError> {
        if self.sections.is_empty() {
            return Ok(Plan { size: LARGEST, columns: Vec::new(), blocks: Vec::new() });
        }
        let counts = (4..=MOST_PAGES).step_by(4).map(|pages| pages - 2);
        counts.into_iter().find_map(|count| self.plan_for(count)).ok_or(PrintError::DoesNotFit)
    }

    fn plan_for(&self, count: usize) -> Option<Plan> {
        let room = vec![BOTTOM - TOP; count];
        let size = largest_size(SMALLEST_TITLE, LARGEST, |size| Flow::new(&self.blocks(size)).fits(&room))?;
        let sizes = [1.0, 0.97, 0.94, 0.91, 0.88, 0.85].map(|ratio| (size * ratio).max(SMALLEST_TITLE));
        let plans = sizes.into_iter().filter_map(|size| {
            let blocks = self.blocks(size);
            // One page fewer where there are too few entries to have something on each.
            let (columns, cost) = [count, count - 1].into_iter().find_map(|count| {
                let found = Flow::over_pages(&blocks).distribute(&room[..count])?;
                found.0.iter().all(|column| !column.blocks.is_empty()).then_some(found)
            })?;
            Some((cost + (1.0 - size / sizes[0]) * 2.0, Plan { size, columns, blocks }))
        });
        plans.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, plan)| plan)
    }

    fn blocks(&self, size: f32) -> Vec<Block> {
        blocks(self.sections, self.setting(size))
    }

    fn setting(&self, size: f32) -> Setting<'_> {
        Setting { theme: self.theme, size, width: WIDTH, tallest: (BOTTOM - TOP) * 0.45 }
    }

    fn pour(&self, plan: &Plan, column: &Column, page: usize, brush: &mut Brush, bookmarks: &mut Vec<Bookmark>) {
        let gaps = Flow::new(&plan.blocks).gaps(column).max(1.0);
        let stretch = (1.0 + (BOTTOM - TOP - column.height) / gaps).clamp(1.0, STRETCH);
        let first = plan.blocks.get(column.blocks.start).filter(|_| column.continued);
        let repeated = first.map(|block| blocks::continued(&self.sections[block.section], self.setting(plan.size)));
        let headings = brush.pour(&plan.blocks, column, repeated.as_ref(), (MARGIN, TOP), stretch);
        let bookmark = |(section, y): (usize, f32)| Bookmark { title: self.sections[section].title.clone(), page, y };
        bookmarks.extend(headings.into_iter().map(bookmark));
    }

    /// Running title and page number.
    fn furniture(&self, brush: &mut Brush, cover: &Cover, number: usize) {
        let ink = Ink { size: 8.5, color: self.theme.muted };
        brush.line(None, &cover.running, MARGIN, 33.0, WIDTH, ink);
        brush.band(Area { x: MARGIN, y: 38.5, width: WIDTH, height: 0.6 }, self.theme.rule);
        let number_text = self.case.shape(Weight::Bold, &number.to_string());
        let align = if number % 2 == 0 { Align::Left } else { Align::Right };
        let ink = Ink { size: 9.5, color: self.theme.accent };
        brush.set(None, &number_text, MARGIN, A5.height - 26.0, WIDTH, ink, align);
    }
}

/// First page, and what other pages take from it.
struct Cover {
    title: (ElementId, Rc<Shaped>),
    office: (ElementId, Rc<Shaped>),
    week: (ElementId, Rc<Shaped>),
    online: Option<Online>,
    running: Rc<Shaped>,
}

struct Online {
    call: (ElementId, Rc<Shaped>),
    address: (ElementId, Rc<Shaped>),
    qr: ElementId,
    url: String,
}

impl Cover {
    fn new(sheet: &Sheet, case: &TypeCase, outline: &mut Outline) -> Self {
        let root = Outline::DOCUMENT;
        let words = french::capitalized(&french::week(sheet.week));
        let title = (outline.add(root, Role::Title), case.shape(Weight::Bold, sheet.title));
        let office = (outline.add(root, Role::Paragraph), case.shape(Weight::Bold, &sheet.office.name));
        let week = (outline.add(root, Role::Paragraph), case.shape(Weight::Regular, &words));
        let online = sheet.online_url.map(|url| {
            let call = outline.add(root, Role::Paragraph);
            let paragraph = outline.add(root, Role::Paragraph);
            let link = outline.add(paragraph, Role::Link { url: url.to_owned() });
            let alt = format!("Code QR vers l’agenda en ligne : {url}");
            Online {
                call: (call, case.shape(Weight::Bold, "L’agenda en ligne, toujours à jour")),
                address: (link, case.shape(Weight::Regular, short_address(url))),
                qr: outline.add(root, Role::Figure { alt }),
                url: url.to_owned(),
            }
        });
        let running = case.shape(Weight::Regular, &format!("{} · {words}", sheet.title));
        Self { title, office, week, online, running }
    }

    fn page(&self, theme: &Theme) -> Result<Page, PrintError> {
        let mut brush = Brush::default();
        let inset = 25.0;
        let height = if self.online.is_some() { 352.0 } else { A5.height - 2.0 * inset };
        let band = Area { x: inset, y: inset, width: A5.width - 2.0 * inset, height };
        brush.band(band, theme.accent);
        let white = |size| Ink { size, color: theme.on_accent };
        let (x, room) = (band.x + 24.0, band.width - 48.0);
        let (element, text) = &self.office;
        brush.set(Some(*element), text, x, band.y + 38.0, room, white(12.5), Align::Left);
        let (element, text) = &self.title;
        let size = title_size(text, room, 46.0, 4);
        let lines = break_lines(text, room / size).len() as f32;
        // Title and week stand together on the lower part of the band.
        let first = band.bottom() - 70.0 - (lines - 1.0) * size * 1.08;
        set_tight(&mut brush, *element, text, (x, first), room, white(size));
        let (element, text) = &self.week;
        brush.line(Some(*element), text, x, band.bottom() - 32.0, room, white(17.0));
        if let Some(online) = &self.online {
            self.invite(&mut brush, theme, online, band.bottom() + 30.0, true)?;
        }
        Ok(Page { paper: A5, marks: brush.marks })
    }

    /// QR code, call and address side by side. Only the cover's is read aloud.
    fn invite(
        &self,
        brush: &mut Brush,
        theme: &Theme,
        online: &Online,
        y: f32,
        tagged: bool,
    ) -> Result<(), PrintError> {
        let side = 150.0;
        let square = Area { x: MARGIN - 9.0, y, width: side, height: side };
        let element = |element: ElementId| tagged.then_some(element);
        brush.qr(element(online.qr), &qr_code(&online.url)?, square, theme.accent, theme.paper);
        let x = square.right() + 16.0;
        let room = A5.width - MARGIN - x;
        let ink = Ink { size: 19.0, color: theme.accent };
        let below = brush.set(element(online.call.0), &online.call.1, x, y + 58.0, room, ink, Align::Left);
        let size = fitted(&online.address.1, 11.5, room);
        let ink = Ink { size, color: theme.muted };
        brush.set(element(online.address.0), &online.address.1, x, below, room, ink, Align::Left);
        Ok(())
    }

    /// Last page when practical information stands inside.
    fn back(&self, theme: &Theme) -> Result<Page, PrintError> {
        let mut brush = Brush::default();
        let inset = 25.0;
        let band = Area { x: inset, y: A5.height - inset - 120.0, width: A5.width - 2.0 * inset, height: 120.0 };
        brush.band(band, theme.accent);
        let (x, room) = (band.x + 24.0, band.width - 48.0);
        brush.line(None, &self.title.1, x, band.y + 58.0, room, Ink { size: 22.0, color: theme.on_accent });
        brush.line(None, &self.office.1, x, band.y + 82.0, room, Ink { size: 11.5, color: theme.on_accent });
        if let Some(online) = &self.online {
            self.invite(&mut brush, theme, online, 200.0, false)?;
        }
        Ok(Page { paper: A5, marks: brush.marks })
    }
}

/// As large as the widest word allows, in no more than `lines` lines.
fn title_size(text: &Shaped, room: f32, largest: f32, lines: usize) -> f32 {
    let whole_words = |size: f32| text.chunks.iter().all(|chunk| text.width(&chunk.visible) * size <= room);
    let fits = |size: f32| whole_words(size) && break_lines(text, room / size).len() <= lines;
    largest_size(14.0, largest, fits).unwrap_or(14.0)
}

fn set_tight(brush: &mut Brush, element: ElementId, text: &Rc<Shaped>, (x, first): (f32, f32), room: f32, ink: Ink) {
    let start = brush.marks.len();
    brush.set(Some(element), text, x, first, room, ink, Align::Left);
    for (n, mark) in brush.marks[start..].iter_mut().enumerate() {
        *mark = mark.moved(0.0, -(n as f32) * ink.size * 0.17);
    }
}

/// How to reach the office, and a word of caution.
struct Practical {
    heading: (ElementId, Rc<Shaped>),
    /// What it is, and what it says.
    lines: Vec<(Option<(ElementId, Rc<Shaped>)>, (ElementId, Rc<Shaped>))>,
}

impl Practical {
    const TITLE: &str = "Informations pratiques";

    fn new(sheet: &Sheet, case: &TypeCase, outline: &mut Outline) -> Self {
        let office = sheet.office;
        let section = outline.add(Outline::DOCUMENT, Role::Section);
        let heading = (outline.add(section, Role::Heading), case.shape(Weight::Bold, Self::TITLE));
        let name = (outline.add(section, Role::Paragraph), case.shape(Weight::Bold, &office.name));
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
            let label = (label_element, case.shape(Weight::Bold, label));
            lines.push((Some(label), (element, case.shape(Weight::Regular, short_address(text)))));
        }
        let caution = "Un programme peut changer : renseignez-vous avant de prendre la route.";
        let caution = (outline.add(section, Role::Paragraph), case.shape(Weight::Regular, caution));
        lines.push((None, caution));
        Self { heading, lines }
    }

    /// With the call to the online agenda below, where it is the back of the booklet.
    fn paint(&self, brush: &mut Brush, theme: &Theme, invite: Option<&Cover>) -> Result<(), PrintError> {
        let (element, text) = &self.heading;
        let band = Area { x: MARGIN, y: TOP, width: WIDTH, height: 27.0 };
        brush.band(band, theme.accent);
        let ink = Ink { size: 15.0, color: theme.on_accent };
        brush.line(Some(*element), text, band.x + 8.0, band.y + 18.5, WIDTH - 16.0, ink);
        let mut y = band.bottom() + 26.0;
        for (label, (element, text)) in &self.lines {
            let indent = if label.is_some() { 78.0 } else { 0.0 };
            if let Some((element, label)) = label {
                let ink = Ink { size: 11.0, color: theme.accent };
                brush.set(Some(*element), label, MARGIN, y, indent, ink, Align::Left);
            }
            let ink = Ink { size: 11.0, color: theme.ink };
            y = brush.set(Some(*element), text, MARGIN + indent, y, WIDTH - indent, ink, Align::Left) + 7.0;
        }
        match invite.and_then(|cover| Some((cover, cover.online.as_ref()?))) {
            Some((cover, online)) => cover.invite(brush, theme, online, (y + 20.0).max(A5.height - 250.0), false),
            None => Ok(()),
        }
    }
}

/// The pages two by two on A4 landscape, in the order in which a folded stack of sheets shows them.
pub fn impose(booklet: Laid) -> Laid {
    let landscape = Paper { width: A4.height, height: A4.width };
    let half = landscape.width / 2.0;
    let sides = fold_order(booklet.pages.len());
    let mut pages = Vec::with_capacity(sides.len());
    for side in &sides {
        let mut marks = Vec::new();
        for (n, page) in side.iter().enumerate() {
            let Some(page) = page.map(|page| &booklet.pages[page]) else { continue };
            let dx = n as f32 * half + (half - page.paper.width) / 2.0;
            let dy = (landscape.height - page.paper.height) / 2.0;
            marks.extend(page.marks.iter().map(|mark| mark.moved(dx, dy)));
        }
        pages.push(Page { paper: landscape, marks });
    }
    let side_of = |page: usize| sides.iter().position(|side| side.contains(&Some(page))).unwrap_or_default();
    let bookmarks = booklet.bookmarks.into_iter().map(|bookmark| Bookmark { page: side_of(bookmark.page), ..bookmark });
    Laid { pages, outline: booklet.outline, bookmarks: bookmarks.collect(), printing: Printing::Folded }
}

/// Which page is left and which right on each side of each sheet, front then back; counted from 0. Blanks, if the
/// count is no multiple of four, come before the back cover.
fn fold_order(count: usize) -> Vec<[Option<usize>; 2]> {
    let padded = count.next_multiple_of(4);
    let page = |number: usize| match number {
        last if last == padded => count.checked_sub(1),
        number if number < count => Some(number - 1),
        _ => None,
    };
    (0..padded / 4)
        .flat_map(|sheet| {
            let (front, back) = (padded - 2 * sheet, 2 * sheet + 1);
            [[page(front), page(back)], [page(back + 1), page(front - 1)]]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(count: usize) -> Vec<[usize; 2]> {
        fold_order(count).into_iter().map(|side| side.map(|page| page.map_or(0, |page| page + 1))).collect()
    }

    #[test]
    fn folded_sheets_show_the_pages_in_order() {
        assert_eq!(order(4), [[4, 1], [2, 3]]);
        assert_eq!(order(8), [[8, 1], [2, 7], [6, 3], [4, 5]]);
        assert_eq!(order(12), [[12, 1], [2, 11], [10, 3], [4, 9], [8, 5], [6, 7]]);
    }

    #[test]
    fn blanks_come_before_the_back_cover() {
        assert_eq!(order(6), [[6, 1], [2, 0], [0, 3], [4, 5]]);
        assert_eq!(order(1), [[1, 0], [0, 0]]);
        assert_eq!(order(0), Vec::<[usize; 2]>::new());
    }

    #[test]
    fn every_page_is_printed_once() {
        for count in 2..60 {
            let mut pages: Vec<usize> = order(count).into_iter().flatten().filter(|&page| page > 0).collect();
            pages.sort_unstable();
            assert_eq!(pages, (1..=count).collect::<Vec<_>>());
        }
    }
}
