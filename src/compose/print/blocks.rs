//! Sets a story at one size and width: a list of blocks, each a heading or an entry, ready to be placed in columns.
//!
//! Marks are relative to the top left corner of their block; [`super::columns`] places the blocks.

use std::rc::Rc;

use super::{
    page_writer::{Rules, ground},
    shaper::Shaped,
    sheet::{Area, Mark, Shape, TextRun},
    story::{Entry, Paragraph, Section},
    theme::{PAPER, Rgb, SMALLEST, Style, Theme},
    typeset::break_lines,
};

#[derive(Debug, Clone)]
pub struct Block {
    /// Space above it, omitted at the top of a column.
    pub gap: f32,
    pub height: f32,
    pub marks: Vec<Mark>,
    /// Which section it belongs to.
    pub section: usize,
    pub is_heading: bool,
}

/// How a story is set.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub theme: &'a Theme,
    /// Of the titles.
    pub size: f32,
    /// Of the column.
    pub width: f32,
    /// An entry higher than this may be broken across columns.
    pub tallest: f32,
    pub hours: Hours,
}

/// How `9 h 30 – 18 h` is set in the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hours {
    /// On one line: the margin is as wide as that takes.
    Whole,
    /// Start above end: the margin is narrow and leaves more room for the titles.
    Stacked,
}

/// Space above, in em, for the smallest type and from [`ROOMY`] on: a full page is set a little tighter.
const SECTION_GAP: (f32, f32) = (0.7, 1.05);
const FIRST_ENTRY_GAP: (f32, f32) = (0.32, 0.42);
const ENTRY_GAP: (f32, f32) = (0.26, 0.5);
const ROOMY: f32 = 9.5;
/// Between the hour and the title.
const GUTTER: f32 = 0.75;
/// Between the title and an hour that is wider than the usual margin, which few are.
const LEAST_GUTTER: f32 = 0.5;
const WIDE_HOURS: f32 = 4.0;
/// The margin of the hours is as wide as the widest of them, within these limits, in em.
const NARROWEST_HOURS: f32 = 2.4;
const WIDEST_HOURS: f32 = 6.6;
const WIDEST_STACKED_HOURS: f32 = 4.8;

fn gap((packed, roomy): (f32, f32), size: f32) -> f32 {
    let share = ((size - SMALLEST) / (ROOMY - SMALLEST)).clamp(0.0, 1.0);
    size * (packed + (roomy - packed) * share)
}

/// All the sections as blocks.
pub fn blocks(sections: &[Section], setting: Setting) -> Vec<Block> {
    let margin = hour_margin(sections, setting.hours);
    let mut blocks = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        let mut heading = heading(section, &section.heading.text, Some(section.heading.element), setting);
        heading.section = at;
        blocks.push(heading);
        let has_hours = section.entries.iter().any(|entry| entry.hour.is_some());
        let margin = if has_hours { margin * setting.size } else { 0.0 };
        for (n, entry) in section.entries.iter().enumerate() {
            let first = blocks.len();
            entry_blocks(entry, margin, setting, &mut blocks);
            if let Some(block) = blocks.get_mut(first) {
                block.gap = gap(if n == 0 { FIRST_ENTRY_GAP } else { ENTRY_GAP }, setting.size);
            }
            blocks[first..].iter_mut().for_each(|block| block.section = at);
        }
    }
    blocks
}

/// The repeated heading of a section that continues in the next column; decorative, since a screen reader does not need it.
/// Always first in its column, so its space is below.
pub fn continued(section: &Section, setting: Setting) -> Block {
    Block { gap: gap(FIRST_ENTRY_GAP, setting.size), ..heading(section, &section.continued, None, setting) }
}

fn heading(section: &Section, text: &Rc<Shaped>, element: Option<usize>, setting: Setting) -> Block {
    let theme = setting.theme;
    let (fill, color) = match section.dated {
        true => (theme.heading, theme.on_heading),
        false => (theme.group, theme.on_group),
    };
    // Without a band the text is aligned with what is below it.
    let inset = if fill == PAPER { 0.0 } else { setting.size * 0.45 };
    let room = setting.width - 2.0 * inset;
    let size = fitted(text, Style::Heading.size(setting.size), room);
    let height = Style::Heading.size(setting.size) * 1.62;
    let band = Area { x: 0.0, y: 0.0, width: setting.width, height };
    let rules = Rules { color, weight: setting.size * 0.1, above: !section.dated };
    let mut marks = vec![ground(band, fill, rules)];
    let baseline = (height + size * text.cap_height) / 2.0;
    // A heading that is too long even at the smallest type stays on one line; headings are short in practice.
    for line in break_lines(text, f32::INFINITY) {
        let run = TextRun {
            x: inset,
            y: baseline,
            size,
            color,
            text: Rc::clone(text),
            width: line.width * size,
            glyphs: line.glyphs,
        };
        marks.push(Mark { element, shape: Shape::Text(run) });
    }
    Block { gap: gap(SECTION_GAP, setting.size), height, marks, section: 0, is_heading: true }
}

/// `largest`, or less so that the text fits on one line of `room`.
pub fn fitted(text: &Shaped, largest: f32, room: f32) -> f32 {
    let natural = text.natural_width().max(1e-3);
    (room / natural).min(largest).max(SMALLEST.min(largest))
}

fn hour_margin(sections: &[Section], hours: Hours) -> f32 {
    let limit = match hours {
        Hours::Whole => WIDEST_HOURS,
        Hours::Stacked => WIDEST_STACKED_HOURS,
    };
    let entries = sections.iter().flat_map(|section| &section.entries);
    let asides = entries.flat_map(|entry| entry.hour.iter().chain(&entry.status));
    let widths = asides.map(|aside| match aside.text.natural_width() {
        whole if hours == Hours::Whole && whole <= limit => whole,
        _ => widest_chunk(&aside.text),
    });
    let widest = widths.filter(|&width| width <= limit).fold(0.0, f32::max);
    let gutter = if widest > WIDE_HOURS { LEAST_GUTTER } else { GUTTER };
    widest.max(NARROWEST_HOURS) + gutter
}

fn widest_chunk(text: &Shaped) -> f32 {
    text.chunks.iter().map(|chunk| text.width(&chunk.visible)).fold(0.0, f32::max)
}

/// The hour in the margin, with the status of a cancelled event below it; the rest beside it. An hour too long for the margin
/// is set on its own line above.
fn entry_blocks(entry: &Entry, margin: f32, setting: Setting, blocks: &mut Vec<Block>) {
    let mut setter = Setter { setting, top: 0.0, marks: Vec::new(), done: Vec::new() };
    let room = margin - LEAST_GUTTER * setting.size;
    let (mut aside, mut above) = (Vec::new(), Vec::new());
    for paragraph in entry.hour.iter().chain(&entry.status) {
        let fits = widest_chunk(&paragraph.text) * setting.size <= room + 0.01
            && break_lines(&paragraph.text, room / setting.size).len() <= 2;
        if fits { aside.push(paragraph) } else { above.push(paragraph) }
    }
    for paragraph in above {
        let x = if paragraph.style == Style::Hour { 0.0 } else { margin };
        setter.set(paragraph, x, setting.width - x);
    }
    let top = setter.top;
    for paragraph in aside {
        setter.set(paragraph, 0.0, room);
    }
    let bottom = std::mem::replace(&mut setter.top, top);
    for paragraph in &entry.body {
        setter.set(paragraph, margin, setting.width - margin);
    }
    setter.top = setter.top.max(if setter.done.is_empty() { bottom } else { 0.0 });
    blocks.extend(setter.finish());
}

struct Setter<'a> {
    setting: Setting<'a>,
    top: f32,
    marks: Vec<Mark>,
    done: Vec<Block>,
}

impl Setter<'_> {
    fn set(&mut self, paragraph: &Paragraph, x: f32, width: f32) {
        let style = paragraph.style;
        let size = style.size(self.setting.size);
        let color = style.color(self.setting.theme);
        for line in break_lines(&paragraph.text, width / size) {
            if self.top > 0.0 && self.top + style.leading() * size > self.setting.tallest {
                self.cut();
            }
            let y = self.top + baseline(style, size);
            let run = TextRun {
                x,
                y,
                size,
                color,
                text: Rc::clone(&paragraph.text),
                width: line.width * size,
                glyphs: line.glyphs,
            };
            if style == Style::Cancelled {
                self.marks.push(strike(&run, color));
            }
            self.marks.push(Mark { element: Some(paragraph.element), shape: Shape::Text(run) });
            self.top += style.leading() * size;
        }
    }

    /// Ends the block here, between two lines.
    fn cut(&mut self) {
        let marks = std::mem::take(&mut self.marks);
        self.done.push(Block { gap: 0.0, height: self.top, marks, section: 0, is_heading: false });
        self.top = 0.0;
    }

    fn finish(mut self) -> Vec<Block> {
        if !self.marks.is_empty() {
            self.cut();
        }
        self.done
    }
}

/// From the top of a line to its baseline.
pub fn baseline(style: Style, size: f32) -> f32 {
    size * (0.75 + (style.leading() - 0.98) / 2.0)
}

fn strike(run: &TextRun, color: Rgb) -> Mark {
    let y = run.y - run.size * 0.27;
    let area = Area { x: run.x, y, width: run.width, height: run.size * 0.06 };
    Mark { element: None, shape: Shape::Fill { areas: vec![area], color } }
}
