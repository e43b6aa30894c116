//! Converts the laid-out page to SVG: the picture of exactly what is printed, for people who look at it on a screen.
//!
//! Letters are outlines from the fonts that the PDF embeds, so the picture needs no font. It has no script, no style sheet and
//! loads nothing; the logo is in it.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustybuzz::ttf_parser::OutlineBuilder;

use super::{
    logo::Logo,
    shaper::{Shaper, Weight},
    sheet::{Area, Laid, Page, Shape, TextRun},
    theme::{PAPER, Rgb},
};

/// A page as a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// An SVG document; a user unit is a point.
    pub svg: String,
    /// In points, rounded.
    pub width: u32,
    pub height: u32,
    /// What begins on this page: `Lundi 12 juillet`, in the order of the page.
    pub headings: Vec<String>,
}

pub fn pictures(laid: &Laid, shaper: &Shaper, logo: Option<&Logo>) -> Vec<Picture> {
    let page = |(n, page): (usize, &Page)| {
        let headings = laid.bookmarks.iter().filter(|it| it.page == n).map(|it| it.title.clone()).collect();
        let (width, height) = (page.paper.width.round() as u32, page.paper.height.round() as u32);
        Picture { svg: Drawing { page, shaper, logo }.to_string(), width, height, headings }
    };
    laid.pages.iter().enumerate().map(page).collect()
}

struct Drawing<'a> {
    page: &'a Page,
    shaper: &'a Shaper<'a>,
    logo: Option<&'a Logo>,
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = (Short(self.page.paper.width), Short(self.page.paper.height));
        write!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\">"
        )?;
        let drawn = self.letters(f)?;
        write!(f, "<path fill=\"{}\" d=\"M0 0h{width}v{height}H0z\"/>", Color(PAPER))?;
        for mark in self.page.in_drawing_order() {
            match &mark.shape {
                Shape::Text(run) => self.text(run, &drawn, f)?,
                Shape::Fill { areas, color } => {
                    write!(f, "<path fill=\"{}\" d=\"", Color(*color))?;
                    for Area { x, y, width, height } in areas {
                        write!(
                            f,
                            "M{} {}h{}v{}h{}z",
                            Short(*x),
                            Short(*y),
                            Short(*width),
                            Short(*height),
                            Short(-width)
                        )?;
                    }
                    f.write_str("\"/>")?;
                }
                Shape::Logo(area) => self.logo(area, f)?,
            }
        }
        f.write_str("</svg>")
    }
}

impl Drawing<'_> {
    fn runs(&self) -> impl Iterator<Item = &TextRun> {
        self.page.marks.iter().filter_map(|mark| match &mark.shape {
            Shape::Text(run) => Some(run),
            Shape::Fill { .. } | Shape::Logo(_) => None,
        })
    }

    /// Defines each letter of the page once, a thousand units to the em. Returns those that have an outline.
    fn letters(&self, f: &mut fmt::Formatter<'_>) -> Result<BTreeSet<(Weight, u16)>, fmt::Error> {
        let used: BTreeSet<(Weight, u16)> = self
            .runs()
            .flat_map(|run| run.text.glyphs[run.glyphs.clone()].iter().map(|glyph| (run.text.weight, glyph.id)))
            .collect();
        let mut drawn = BTreeSet::new();
        f.write_str("<defs>")?;
        for (weight, glyph) in used {
            let mut pen = Pen::default();
            if let Some(em) = self.shaper.outline(weight, glyph, &mut pen) {
                write!(f, "<path id=\"{}\" d=\"{}\"", Letter(weight, glyph), pen.path)?;
                if em != 1000.0 {
                    write!(f, " transform=\"scale({})\"", 1000.0 / em)?;
                }
                f.write_str("/>")?;
                drawn.insert((weight, glyph));
            }
        }
        f.write_str("</defs>")?;
        Ok(drawn)
    }

    fn text(&self, run: &TextRun, drawn: &BTreeSet<(Weight, u16)>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = run.size / 1000.0;
        write!(
            f,
            "<g fill=\"{}\" transform=\"matrix({scale} 0 0 {} {} {})\">",
            Color(run.color),
            -scale,
            Short(run.x),
            Short(run.y)
        )?;
        for (glyph, x) in run.text.places(&run.glyphs) {
            if drawn.contains(&(run.text.weight, glyph)) {
                write!(f, "<use href=\"#{}\" x=\"{}\"/>", Letter(run.text.weight, glyph), Short(x))?;
            }
        }
        f.write_str("</g>")
    }

    fn logo(&self, area: &Area, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((media_type, file)) = self.logo.and_then(Logo::file) else { return Ok(()) };
        let Area { x, y, width, height } = area;
        write!(
            f,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"data:{media_type};base64,{}\"/>",
            Short(*x),
            Short(*y),
            Short(*width),
            Short(*height),
            STANDARD.encode(file)
        )
    }
}

/// Id of a letter in the picture.
struct Letter(Weight, u16);

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.0 {
            Weight::Regular => 'r',
            Weight::Bold => 'b',
        };
        write!(f, "{weight}{}", self.1)
    }
}

struct Color(Rgb);

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rgb(red, green, blue) = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// To a thousandth of a point, as in the PDF.
struct Short(f32);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the minus of nothing.
        write!(f, "{}", (self.0 * 1000.0).round() / 1000.0 + 0.0)
    }
}

/// Writes an outline as the data of a path.
#[derive(Default)]
struct Pen {
    path: String,
}

impl Pen {
    fn add(&mut self, command: char, numbers: &[f32]) {
        self.path.push(command);
        for (n, number) in numbers.iter().enumerate() {
            let blank = if n == 0 { "" } else { " " };
            // A string takes whatever is written.
            let _ = write!(self.path, "{blank}{}", Short(*number));
        }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.add('M', &[x, y]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.add('L', &[x, y]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.add('Q', &[x1, y1, x, y]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.add('C', &[x1, y1, x2, y2, x, y]);
    }

    fn close(&mut self) {
        self.add('z', &[]);
    }
}
