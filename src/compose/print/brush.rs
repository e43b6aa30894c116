//! Placing single things on a page: a line of words, a wrapped paragraph, a band, a QR code.

use std::rc::Rc;

use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    PrintError,
    blocks::{Block, fitted},
    columns::Column,
    sheet::{Area, ElementId, Mark, Shape, TextRun},
    theme::{Rgb, SMALLEST},
    type_case::Shaped,
    typeset::break_lines,
};

/// A text, and the element it belongs to; `None` where it only decorates.
#[derive(Debug, Clone)]
pub struct Words {
    pub element: Option<ElementId>,
    pub text: Rc<Shaped>,
}

impl Words {
    pub fn new(element: ElementId, text: Rc<Shaped>) -> Self {
        Self { element: Some(element), text }
    }

    /// Seen, not heard: a number of page, a running title, what was said already.
    pub fn silent(text: &Rc<Shaped>) -> Self {
        Self { element: None, text: Rc::clone(text) }
    }
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

/// Writes on one page.
#[derive(Default)]
pub struct Brush {
    pub marks: Vec<Mark>,
}

impl Brush {
    pub fn band(&mut self, area: Area, color: Rgb) {
        self.marks.push(Mark { element: None, shape: Shape::Fill { areas: vec![area], color } });
    }

    /// One line on a baseline, made smaller (to the smallest type) if it is wider than `room`; then wrapped.
    pub fn line(&mut self, words: &Words, at: (f32, f32), room: f32, ink: Ink) {
        let ink = Ink { size: fitted(&words.text, ink.size, room), ..ink };
        self.set(words, at, room, ink, Align::Left);
    }

    /// Title at the left and week at the right of one line; the week alone where there is no room for both.
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

    /// A QR code with its quiet zone, on a square of `paper`.
    pub fn qr(&mut self, element: Option<ElementId>, code: &QrCode, square: Area, ink: Rgb, paper: Rgb) {
        self.band(square, paper);
        let modules = code.size();
        let unit = square.width / (modules + 8) as f32;
        let mut areas = Vec::new();
        for row in 0..modules {
            let mut column = 0;
            while column < modules {
                let run = (column..modules).take_while(|&x| code.get_module(x, row)).count() as i32;
                if run > 0 {
                    areas.push(Area {
                        x: square.x + (column + 4) as f32 * unit,
                        y: square.y + (row + 4) as f32 * unit,
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

/// The QR code of an address, sturdy enough for a creased poster.
pub fn qr_code(url: &str) -> Result<QrCode, PrintError> {
    QrCode::encode_text(url, QrCodeEcc::Medium).map_err(|_| PrintError::AddressTooLong)
}
