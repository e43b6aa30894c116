//! Places single elements on a page: a line of words, a wrapped paragraph, a band, a QR code.

use std::rc::Rc;

use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    PrintError,
    blocks::{Block, fitted},
    columns::Column,
    shaper::Shaped,
    sheet::{Area, ElementId, Mark, Shape, TextRun},
    theme::{PAPER, Rgb, SMALLEST},
    typeset::break_lines,
};

/// A text and its element in the reading order; `None` if it is decorative.
#[derive(Debug, Clone)]
pub struct Words {
    pub element: Option<ElementId>,
    pub text: Rc<Shaped>,
}

impl Words {
    pub fn new(element: ElementId, text: Rc<Shaped>) -> Self {
        Self { element: Some(element), text }
    }

    /// Visible, but not in the reading order: a page number, a running title, a repetition.
    pub fn silent(text: &Rc<Shaped>) -> Self {
        Self { element: None, text: Rc::clone(text) }
    }
}

/// The logo of the office, as one place shows it.
#[derive(Debug, Clone, Copy)]
pub struct LogoMark {
    pub element: Option<ElementId>,
    /// Width over height.
    pub aspect: f32,
    /// The background behind it.
    pub on: Rgb,
}

/// How a text is set: size in points, and colour.
#[derive(Debug, Clone, Copy)]
pub struct Ink {
    pub size: f32,
    pub color: Rgb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Center,
    Right,
}

/// The rules that replace an unfilled background: one below, optionally one above.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub color: Rgb,
    pub weight: f32,
    pub above: bool,
}

/// A background. In the colour of the paper it is not filled; rules replace it, which saves ink.
pub fn ground(area: Area, fill: Rgb, rules: Rules) -> Mark {
    if fill != PAPER {
        return Mark { element: None, shape: Shape::Fill { areas: vec![area], color: fill } };
    }
    let below = Area { y: area.bottom() - rules.weight, height: rules.weight, ..area };
    let above = rules.above.then_some(Area { height: rules.weight, ..area });
    let areas = [below].into_iter().chain(above).collect();
    Mark { element: None, shape: Shape::Fill { areas, color: rules.color } }
}

/// Writes on one page.
#[derive(Default)]
pub struct PageWriter {
    pub marks: Vec<Mark>,
}

impl PageWriter {
    pub fn band(&mut self, area: Area, color: Rgb) {
        self.marks.push(Mark { element: None, shape: Shape::Fill { areas: vec![area], color } });
    }

    /// A background for text of that colour, between two rules if it is not filled.
    pub fn ground(&mut self, area: Area, fill: Rgb, words: Rgb) {
        self.marks.push(ground(area, fill, Rules { color: words, weight: 1.5, above: true }));
    }

    /// The logo of the office at the left of an area, on white; returns where its plate ends.
    pub fn logo(&mut self, logo: &LogoMark, area: Area) -> f32 {
        // On the colour of the paper the plate is invisible and needs no border.
        let border = if logo.on == PAPER { 0.0 } else { area.height * 0.07 };
        let inner = area.inset(border);
        let width = (inner.height * logo.aspect).min(inner.width);
        let height = width / logo.aspect;
        let plate = Area { width: width + 2.0 * border, ..area };
        if logo.on != PAPER {
            self.band(plate, PAPER);
        }
        let picture = Area { x: inner.x, y: inner.y + (inner.height - height) / 2.0, width, height };
        self.marks.push(Mark { element: logo.element, shape: Shape::Logo(picture) });
        plate.right()
    }

    /// One line on a baseline, made smaller (to the smallest type) if it is wider than `room`; then wrapped.
    pub fn line(&mut self, words: &Words, at: (f32, f32), room: f32, ink: Ink) {
        let ink = Ink { size: fitted(&words.text, ink.size, room), ..ink };
        self.set(words, at, room, ink, Align::Left);
    }

    /// Title at the left and week at the right of one line; only the week if there is no room for both.
    pub fn running_head(&mut self, (title, week): &(Words, Words), at: (f32, f32), width: f32, ink: Ink) {
        let room = width - week.text.natural_width() * ink.size - 2.0 * ink.size;
        if title.text.natural_width() * SMALLEST <= room {
            self.line(title, at, room, ink);
        }
        self.set(week, at, width, ink, Align::Right);
    }

    /// Lines from a first baseline down; returns the baseline after the last.
    pub fn set(&mut self, words: &Words, (x, baseline): (f32, f32), room: f32, ink: Ink, align: Align) -> f32 {
        let text = &words.text;
        let mut y = baseline;
        for line in break_lines(text, room / ink.size) {
            let width = line.width * ink.size;
            let indent = match align {
                Align::Left => 0.0,
                Align::Center => (room - width) / 2.0,
                Align::Right => room - width,
            };
            let run = TextRun {
                x: x + indent,
                y,
                size: ink.size,
                color: ink.color,
                text: Rc::clone(text),
                glyphs: line.glyphs,
                width,
            };
            self.marks.push(Mark { element: words.element, shape: Shape::Text(run) });
            y += ink.size * 1.25;
        }
        y
    }

    /// Blocks of a column one under the other, their gaps stretched. Returns the sections that begin here, and where.
    pub fn pour(
        &mut self,
        blocks: &[Block],
        column: &Column,
        repeated: Option<&Block>,
        (x, top): (f32, f32),
        stretch: f32,
    ) -> Vec<(usize, f32)> {
        let mut headings = Vec::new();
        let mut y = top;
        if let Some(heading) = repeated {
            self.place(heading, x, y);
            y += heading.height + heading.gap * stretch;
        }
        for (n, block) in blocks[column.blocks.clone()].iter().enumerate() {
            if n > 0 {
                y += block.gap * stretch;
            }
            if block.is_heading {
                headings.push((block.section, y));
            }
            self.place(block, x, y);
            y += block.height;
        }
        headings
    }

    fn place(&mut self, block: &Block, x: f32, y: f32) {
        self.marks.extend(block.marks.iter().map(|mark| mark.moved(x, y)));
    }

    /// A QR code with its quiet zone, on a white square.
    pub fn qr(&mut self, element: Option<ElementId>, code: &QrCode, square: Area, ink: Rgb) {
        self.band(square, PAPER);
        let modules = code.size();
        let unit = module_width(code, square.width);
        let mut areas = Vec::new();
        for row in 0..modules {
            let mut column = 0;
            while column < modules {
                let run = (column..modules).take_while(|&x| code.get_module(x, row)).count() as i32;
                if run > 0 {
                    areas.push(Area {
                        x: square.x + (column + QUIET) as f32 * unit,
                        y: square.y + (row + QUIET) as f32 * unit,
                        width: run as f32 * unit,
                        height: unit,
                    });
                }
                column += run.max(1);
            }
        }
        self.marks.push(Mark { element, shape: Shape::Fill { areas, color: ink } });
    }
}

/// White modules on each side (ISO/IEC 18004).
const QUIET: i32 = 4;

/// The width of a module of a code that is `side` wide including its quiet zone.
fn module_width(code: &QrCode, side: f32) -> f32 {
    side / (code.size() + 2 * QUIET) as f32
}

/// The width of the quiet zone within `side`.
pub fn quiet_zone(code: &QrCode, side: f32) -> f32 {
    QUIET as f32 * module_width(code, side)
}

/// The QR code of an address, sturdy enough for a creased poster.
pub fn qr_code(url: &str) -> Result<QrCode, PrintError> {
    QrCode::encode_text(url, QrCodeEcc::Medium).map_err(|_| PrintError::AddressTooLong)
}
