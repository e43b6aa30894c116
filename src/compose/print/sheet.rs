//! The laid-out page: what is drawn where, and its element in the reading order.
//!
//! Points from the top left corner, y downwards. Independent of the PDF library.

use std::{ops::Range, rc::Rc};

use super::{
    shaper::Shaped,
    theme::{A3, A4, Paper, Rgb},
};

/// An element of the reading order, by its place in the [`Outline`].
pub type ElementId = usize;

/// What an element is, as PDF/UA names it.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    Document,
    Section,
    Title,
    Heading,
    List,
    ListItem,
    Label,
    ListBody,
    Paragraph,
    Link { url: String },
    Figure { alt: String },
}

#[derive(Debug)]
pub struct Element {
    pub role: Role,
    pub children: Vec<ElementId>,
}

/// The tree a screen reader walks. Element 0 is the document.
#[derive(Debug)]
pub struct Outline {
    pub elements: Vec<Element>,
}

impl Outline {
    pub const DOCUMENT: ElementId = 0;

    pub fn new() -> Self {
        Self { elements: vec![Element { role: Role::Document, children: Vec::new() }] }
    }

    /// Adds an element as the last child of `parent`.
    pub fn add(&mut self, parent: ElementId, role: Role) -> ElementId {
        let id = self.elements.len();
        self.elements.push(Element { role, children: Vec::new() });
        self.elements[parent].children.push(id);
        id
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The area reduced by `by` on every side.
    pub fn inset(&self, by: f32) -> Self {
        Self { x: self.x + by, y: self.y + by, width: self.width - 2.0 * by, height: self.height - 2.0 * by }
    }

    fn moved(&self, dx: f32, dy: f32) -> Self {
        Self { x: self.x + dx, y: self.y + dy, ..*self }
    }

    fn scaled(&self, by: f32) -> Self {
        Self { x: self.x * by, y: self.y * by, width: self.width * by, height: self.height * by }
    }
}

/// Something drawn. `None` as element: decoration, which a screen reader passes over.
#[derive(Debug, Clone)]
pub struct Mark {
    pub element: Option<ElementId>,
    pub shape: Shape,
}

#[derive(Debug, Clone)]
pub enum Shape {
    Text(TextRun),
    /// Areas of one colour, painted at once.
    Fill {
        areas: Vec<Area>,
        color: Rgb,
    },
    /// The logo of the office, over all of this area.
    Logo(Area),
}

/// A line of text, `x` and `y` at the start of its baseline.
#[derive(Debug, Clone)]
pub struct TextRun {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub color: Rgb,
    pub text: Rc<Shaped>,
    pub glyphs: Range<usize>,
    /// Without the space at its end.
    pub width: f32,
}

impl TextRun {
    /// From the ascenders to the descenders.
    pub fn area(&self) -> Area {
        Area { x: self.x, y: self.y - self.size * 0.75, width: self.width, height: self.size * 0.98 }
    }
}

impl Mark {
    /// Its first glyph; 0 where it is no text.
    pub fn part(&self) -> usize {
        match &self.shape {
            Shape::Text(run) => run.glyphs.start,
            Shape::Fill { .. } | Shape::Logo(_) => 0,
        }
    }

    pub fn moved(&self, dx: f32, dy: f32) -> Self {
        let mut mark = self.clone();
        match &mut mark.shape {
            Shape::Text(run) => {
                run.x += dx;
                run.y += dy;
            }
            Shape::Fill { areas, .. } => areas.iter_mut().for_each(|area| *area = area.moved(dx, dy)),
            Shape::Logo(area) => *area = area.moved(dx, dy),
        }
        mark
    }

    fn scaled(&mut self, by: f32) {
        match &mut self.shape {
            Shape::Text(run) => {
                for length in [&mut run.x, &mut run.y, &mut run.size, &mut run.width] {
                    *length *= by;
                }
            }
            Shape::Fill { areas, .. } => areas.iter_mut().for_each(|area| *area = area.scaled(by)),
            Shape::Logo(area) => *area = area.scaled(by),
        }
    }
}

#[derive(Debug)]
pub struct Page {
    pub paper: Paper,
    pub marks: Vec<Mark>,
}

impl Page {
    /// Decoration first, under everything; then the elements in the order they are read.
    pub fn in_drawing_order(&self) -> Vec<&Mark> {
        let mut marks: Vec<&Mark> = self.marks.iter().collect();
        marks.sort_by_key(|mark| mark.element.map(|element| (element, mark.part())));
        marks
    }
}

/// Where a reader may jump to.
#[derive(Debug, Clone)]
pub struct Bookmark {
    pub title: String,
    pub page: usize,
    pub y: f32,
}

/// How the sheets are meant to be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Printing {
    #[default]
    AsIs,
    /// Both sides, turned on the short edge, at full size: to be folded.
    Folded,
}

/// A whole document, ready to be drawn.
#[derive(Debug)]
pub struct Laid {
    pub pages: Vec<Page>,
    pub outline: Outline,
    pub bookmarks: Vec<Bookmark>,
    pub printing: Printing,
}

impl Laid {
    /// The same on the next larger paper size, scaled by the square root of two.
    pub fn enlarged(mut self) -> Self {
        for page in &mut self.pages {
            let from = page.paper;
            let by = A3.width / A4.width;
            let larger = Paper { width: from.width * by, height: from.height * by };
            // The sizes of the standard are rounded to the millimetre: what a factor gives is a hair off.
            let near =
                |paper: &Paper| (paper.width - larger.width).abs() < 1.0 && (paper.height - larger.height).abs() < 1.0;
            page.paper = [A4, A3, A4.landscape(), A3.landscape()].into_iter().find(near).unwrap_or(larger);
            let by = (page.paper.width / from.width).min(page.paper.height / from.height);
            page.marks.iter_mut().for_each(|mark| mark.scaled(by));
        }
        let by = A3.width / A4.width;
        self.bookmarks.iter_mut().for_each(|bookmark| bookmark.y *= by);
        self
    }
}
