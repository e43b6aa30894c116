//! The A4 poster: days in even columns at the largest type that fits, between masthead and foot.

use super::{
    PrintError, Sheet,
    blocks::{self, Block, Hours, Setting, blocks},
    columns::{Column, Flow},
    masthead::{Foot, INVITATION, Masthead},
    page_writer::{Align, Ink, PageWriter, Words},
    shaper::{Shaper, Weight},
    sheet::{Bookmark, Laid, Outline, Page, Printing, Role},
    story::{NOTHING_ANNOUNCED, Section, sections},
    theme::{A4, SMALLEST, Theme},
    typeset::largest_size,
};

pub const MARGIN: f32 = 26.5;
pub const WIDTH: f32 = A4.width - 2.0 * MARGIN;
/// Upper edge of the masthead.
pub const TOP: f32 = 28.0;
/// Between two columns.
const ALLEY: f32 = 15.0;
/// Under the masthead, above the foot.
const AIR: f32 = 14.0;
/// Lower edge of the foot.
pub const FOOT: f32 = A4.height - 26.0;

/// Largest type for one, two and three columns: a line should hold neither too few words nor too many.
const LARGEST: [f32; 3] = [22.0, 14.5, 10.5];
/// Weights of one, two and three columns: fewer are preferred, even in a slightly smaller type.
const WORTH: [f32; 3] = [1.0, 0.86, 0.8];
/// This much of the size is given up to keep hours on one line in the margin.
const WHOLE_HOURS: f32 = 0.96;
/// And this many more lines are accepted, because the titles have less room.
const MORE_LINES: f32 = 1.03;
/// Titles are never smaller.
const SMALLEST_TITLE: f32 = SMALLEST;
/// Below this size, another page is added instead.
const COMFORT: f32 = 8.4;
/// Gaps may grow up to this much to fill the page.
const STRETCH: f32 = 2.1;
const MOST_PAGES: usize = 40;

pub fn lay(sheet: &Sheet, shaper: &Shaper) -> Result<Laid, PrintError> {
    let theme = &sheet.look.theme;
    let mut outline = Outline::new();
    let masthead = Masthead::new(sheet, shaper, &mut outline);
    let sections = sections(sheet, shaper, &mut outline, Outline::DOCUMENT);
    let nothing = sections.is_empty().then(|| {
        let element = outline.add(Outline::DOCUMENT, Role::Paragraph);
        Words::new(element, shaper.shape(Weight::Regular, NOTHING_ANNOUNCED))
    });
    let foot = Foot::new(sheet, shaper, &mut outline);
    let frame = Frame { theme, sections: &sections, foot: foot.height(), online: sheet.online_url.is_some() };

    let plan = frame.plan()?;
    let mut bookmarks = Vec::new();
    let mut pages = Vec::new();
    for number in 0..plan.pages {
        let mut writer = PageWriter::default();
        let top = match number {
            0 => masthead.paint(&mut writer, theme, plan.masthead, !plan.invites)?,
            _ => masthead.paint_again(&mut writer, theme),
        };
        frame.pour(&plan, number, top + AIR, &mut writer, &mut bookmarks);
        if plan.invites {
            masthead.invite(&mut writer, theme, shaper, frame.bottom())?;
        }
        if let Some(nothing) = &nothing {
            let ink = Ink { size: 20.0, color: theme.text };
            writer.set(nothing, (MARGIN, top + 90.0), WIDTH, ink, Align::Center);
        }
        foot.paint(&mut writer, theme, shaper, (number, plan.pages));
        pages.push(Page { paper: A4, marks: writer.marks });
    }
    Ok(Laid { pages, outline, bookmarks, printing: Printing::AsIs })
}

/// How the sections are set: the choice of the largest type.
struct Plan {
    pages: usize,
    columns: Columns,
    /// Height of the masthead.
    masthead: f32,
    poured: Vec<Column>,
    blocks: Vec<Block>,
    /// Half of the page is free: the QR code is printed large at its foot.
    invites: bool,
}

/// How many columns stand side by side, in which type.
#[derive(Debug, Clone, Copy)]
struct Columns {
    per_page: usize,
    size: f32,
    hours: Hours,
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
            // On several pages the text is long: three columns, or two if the words are long.
            let largest = if pages > 1 { LARGEST[2] } else { LARGEST[per_page - 1] };
            let fits = |size| self.fits(pages, Columns { per_page, size, hours: Hours::Stacked }, Masthead::TINY);
            Some(Columns { per_page, size: largest_size(smallest, largest, fits)?, hours: Hours::Stacked })
        });
        let merit = |columns: &Columns| columns.size * WORTH[columns.per_page - 1];
        let stacked = candidates.max_by(|a, b| merit(a).total_cmp(&merit(b)))?;
        let whole = Columns { hours: Hours::Whole, ..stacked };
        let least = (stacked.size * WHOLE_HOURS).max(smallest);
        let whole_size =
            largest_size(least, stacked.size, |size| self.fits(pages, Columns { size, ..whole }, Masthead::TINY));
        let total = |columns: Columns| Flow::new(&blocks(self.sections, self.setting(columns))).total();
        let cheap = |size: &f32| {
            total(Columns { size: *size, ..whole }) <= total(Columns { size: *size, ..stacked }) * MORE_LINES
        };
        let columns = whole_size.filter(cheap).map_or(stacked, |size| Columns { size, ..whole });
        let size = columns.size;
        let mastheads = [Masthead::LARGE, Masthead::SMALL].into_iter();
        let mut mastheads = mastheads.filter(|&masthead| {
            size > masthead / 11.0 && self.fits(pages, Columns { size: size * 0.96, ..columns }, masthead)
        });
        let masthead = mastheads.next().unwrap_or(Masthead::TINY);
        // A slightly smaller type is preferred if it keeps days whole.
        let choices = [1.0, 0.985, 0.97, 0.955].map(|ratio| (size * ratio).max(smallest));
        let plans = choices.into_iter().filter_map(|size| {
            let columns = Columns { size, ..columns };
            let blocks = blocks(self.sections, self.setting(columns));
            let (poured, cost) = Flow::new(&blocks).distribute(&self.room(pages, columns.per_page, masthead))?;
            let cost = cost + (1.0 - size / choices[0]) * 0.6;
            let tallest = poured.iter().map(|column| column.height).fold(0.0, f32::max);
            let invites = self.online && pages == 1 && tallest + INVITATION + 60.0 < self.bottom() - masthead;
            Some((cost, Plan { pages, columns, masthead, poured, blocks, invites }))
        });
        plans.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, plan)| plan)
    }

    fn setting(&self, columns: Columns) -> Setting<'_> {
        let Columns { per_page, size, hours } = columns;
        let tallest = (FOOT - Masthead::LARGE) * 0.45;
        Setting { theme: self.theme, size, width: column_width(per_page), tallest, hours }
    }

    fn fits(&self, pages: usize, columns: Columns, masthead: f32) -> bool {
        let blocks = blocks(self.sections, self.setting(columns));
        Flow::new(&blocks).fits(&self.room(pages, columns.per_page, masthead))
    }

    /// The heights of all columns, page after page.
    fn room(&self, pages: usize, per_page: usize, masthead: f32) -> Vec<f32> {
        let page = |number| {
            let top = if number == 0 { TOP + masthead } else { TOP + Masthead::AGAIN };
            self.bottom() - top - AIR
        };
        (0..pages).flat_map(|number| std::iter::repeat_n(page(number), per_page)).collect()
    }

    fn bottom(&self) -> f32 {
        FOOT - self.foot - AIR
    }

    fn pour(&self, plan: &Plan, page: usize, top: f32, writer: &mut PageWriter, bookmarks: &mut Vec<Bookmark>) {
        let flow = Flow::new(&plan.blocks);
        let per_page = plan.columns.per_page;
        let columns = &plan.poured[page * per_page..][..per_page];
        let room = self.bottom() - top - if plan.invites { INVITATION + AIR } else { 0.0 };
        let stretches: Vec<f32> =
            columns.iter().map(|column| 1.0 + (room - column.height) / flow.gaps(column).max(1.0)).collect();
        let common = stretches.iter().copied().fold(STRETCH, f32::min);
        for (n, column) in columns.iter().enumerate() {
            let x = MARGIN + n as f32 * (column_width(per_page) + ALLEY);
            let setting = self.setting(plan.columns);
            let first = plan.blocks.get(column.blocks.start);
            let repeated = first
                .filter(|_| column.continued)
                .map(|block| blocks::continued(&self.sections[block.section], setting));
            // Nearly full columns end on the same line; a short one has the same gaps as its neighbours.
            let stretch = if stretches[n] < common * 1.25 { stretches[n] } else { common };
            let headings = writer.pour(&plan.blocks, column, repeated.as_ref(), (x, top), stretch.min(STRETCH));
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
