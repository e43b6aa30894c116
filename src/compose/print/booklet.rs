//! The A5 booklet: cover, the days, practical information.
//!
//! It has a multiple of four pages, filled by larger type rather than blank pages.

use super::{
    PrintError, Sheet,
    blocks::{self, Block, Hours, Setting, blocks},
    columns::{Column, Flow},
    cover::{Cover, Practical},
    page_writer::{Align, Ink, PageWriter, Words},
    shaper::{Shaper, Weight},
    sheet::{Area, Bookmark, Laid, Outline, Page, Printing, Role},
    story::{NOTHING_ANNOUNCED, Section, sections},
    theme::{A5, Theme},
    typeset::largest_size,
};

pub const MARGIN: f32 = 34.0;
pub const WIDTH: f32 = A5.width - 2.0 * MARGIN;
/// Where the entries begin and end.
pub const TOP: f32 = 50.0;
pub const BOTTOM: f32 = A5.height - 46.0;
const LARGEST: f32 = 14.0;
/// Below this size, four more pages are used.
const SMALLEST_TITLE: f32 = 8.8;
const STRETCH: f32 = 2.3;
const MOST_PAGES: usize = 400;

pub fn lay(sheet: &Sheet, shaper: &Shaper) -> Result<Laid, PrintError> {
    let theme = &sheet.look.theme;
    let mut outline = Outline::new();
    let cover = Cover::new(sheet, shaper, &mut outline);
    let sections = sections(sheet, shaper, &mut outline, Outline::DOCUMENT);
    let nothing = sections.is_empty().then(|| {
        let element = outline.add(Outline::DOCUMENT, Role::Paragraph);
        Words::new(element, shaper.shape(Weight::Regular, NOTHING_ANNOUNCED))
    });
    let practical = Practical::new(sheet, shaper, &mut outline);
    let setter = Setter { theme, shaper, sections: &sections };

    let plan = setter.plan()?;
    let mut bookmarks = Vec::new();
    let mut pages = vec![cover.page(theme)?];
    for column in &plan.columns {
        let mut writer = PageWriter::default();
        setter.pour(&plan, column, pages.len(), &mut writer, &mut bookmarks);
        setter.furniture(&mut writer, &cover, pages.len() + 1);
        pages.push(Page { paper: A5, marks: writer.marks });
    }
    if let Some(nothing) = nothing {
        let mut writer = PageWriter::default();
        let ink = Ink { size: 16.0, color: theme.text };
        writer.set(&nothing, (MARGIN, A5.height * 0.4), WIDTH, ink, Align::Center);
        setter.furniture(&mut writer, &cover, pages.len() + 1);
        pages.push(Page { paper: A5, marks: writer.marks });
    }
    // Room for one more page inside: practical information goes there, and the back says where to find the agenda.
    let spare = pages.len() % 4 == 2;
    bookmarks.push(Bookmark { title: Practical::TITLE.to_owned(), page: pages.len(), y: TOP });
    let mut writer = PageWriter::default();
    practical.paint(&mut writer, theme, (!spare).then_some(&cover))?;
    if spare {
        setter.furniture(&mut writer, &cover, pages.len() + 1);
    }
    pages.push(Page { paper: A5, marks: writer.marks });
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
    shaper: &'a Shaper<'a>,
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
            // One page less if there are too few entries to have something on each.
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
        Setting { theme: self.theme, size, width: WIDTH, tallest: (BOTTOM - TOP) * 0.45, hours: Hours::Whole }
    }

    fn pour(&self, plan: &Plan, column: &Column, page: usize, writer: &mut PageWriter, bookmarks: &mut Vec<Bookmark>) {
        let gaps = Flow::new(&plan.blocks).gaps(column).max(1.0);
        let stretch = (1.0 + (BOTTOM - TOP - column.height) / gaps).clamp(1.0, STRETCH);
        let first = plan.blocks.get(column.blocks.start).filter(|_| column.continued);
        let repeated = first.map(|block| blocks::continued(&self.sections[block.section], self.setting(plan.size)));
        let headings = writer.pour(&plan.blocks, column, repeated.as_ref(), (MARGIN, TOP), stretch);
        let bookmark = |(section, y): (usize, f32)| Bookmark { title: self.sections[section].title.clone(), page, y };
        bookmarks.extend(headings.into_iter().map(bookmark));
    }

    /// Running title and page number.
    fn furniture(&self, writer: &mut PageWriter, cover: &Cover, number: usize) {
        let ink = Ink { size: 8.5, color: self.theme.detail };
        writer.running_head(&cover.running, (MARGIN, 33.0), WIDTH, ink);
        writer.band(Area { x: MARGIN, y: 38.5, width: WIDTH, height: 0.6 }, self.theme.rule);
        let folio = Words::silent(&self.shaper.shape(Weight::Bold, &number.to_string()));
        let align = if number.is_multiple_of(2) { Align::Left } else { Align::Right };
        let ink = Ink { size: 9.5, color: self.theme.accent };
        writer.set(&folio, (MARGIN, A5.height - 26.0), WIDTH, ink, align);
    }
}
