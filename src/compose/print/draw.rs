//! Converts the laid-out page for printpdf: glyph runs, filled areas, embedded font subsets, marked content.
//!
//! The only module that uses printpdf. It takes no layout decisions.

use std::collections::{BTreeMap, BTreeSet};

use printpdf::{
    Codepoint, Color, DictItem, ExternalStream, ExternalXObject, FontId, LinePoint, Op, PaintMode, ParsedFont,
    PdfDocument, PdfFont, PdfFontHandle, PdfPage, PdfSaveOptions, Point, Polygon, PolygonRing, Pt, Rect, TextItem,
    TextMatrix, WindingOrder, XObject, XObjectId, XObjectTransform,
};

use super::{
    PrintError,
    logo::{Logo, Pixels},
    shaper::{Shaper, Weight},
    sheet::{Area, ElementId, Laid, Mark, Page, Shape, TextRun},
    theme::Rgb,
};

/// The PDF objects, and the meaning of their marked content.
pub struct Drawn {
    pub document: lopdf::Document,
    /// For each page, the content of each marked-content id.
    pub marked: Vec<Vec<Marked>>,
}

/// A marked sequence: the element it belongs to, and which part of it. On imposed sheets the parts of a paragraph are
/// not drawn in the order they are read.
#[derive(Debug, Clone, Copy)]
pub struct Marked {
    pub element: ElementId,
    /// Its first glyph.
    pub part: usize,
}

pub fn draw(laid: &Laid, shaper: &Shaper, logo: Option<&Logo>) -> Result<Drawn, PrintError> {
    let fonts = Fonts::subset(laid, shaper)?;
    let mut document = PdfDocument::new("");
    if let Some(logo) = logo {
        document.resources.xobjects.map.insert(logo_id(), XObject::External(picture(logo)));
    }
    for (weight, font) in &fonts.0 {
        document.resources.fonts.map.insert(font_id(*weight), PdfFont::new(font.program.clone()));
    }
    let mut marked = Vec::new();
    for page in &laid.pages {
        let (ops, elements) = page_ops(page, &fonts, shaper);
        let paper = Rect {
            x: Pt(0.0),
            y: Pt(0.0),
            width: Pt(page.paper.width),
            height: Pt(page.paper.height),
            mode: None,
            winding_order: None,
        };
        document.pages.push(PdfPage { media_box: paper.clone(), trim_box: paper.clone(), crop_box: paper, ops });
        marked.push(elements);
    }
    // Its warnings are about text outside a text section or unknown images, which cannot occur here.
    let document = document.to_lopdf_document(&PdfSaveOptions::default(), &mut Vec::new());
    Ok(Drawn { document, marked })
}

fn font_id(weight: Weight) -> FontId {
    FontId(match weight {
        Weight::Regular => "R".to_owned(),
        Weight::Bold => "B".to_owned(),
    })
}

struct Font {
    program: ParsedFont,
    /// From the glyph of the whole font to that of the subset.
    glyphs: BTreeMap<u16, u16>,
}

struct Fonts(BTreeMap<Weight, Font>);

impl Fonts {
    /// The subsets with the glyphs of this document.
    fn subset(laid: &Laid, shaper: &Shaper) -> Result<Self, PrintError> {
        let mut used: BTreeMap<Weight, BTreeSet<u16>> = BTreeMap::new();
        for run in laid.pages.iter().flat_map(|page| &page.marks).filter_map(text_run) {
            let glyphs = run.text.glyphs[run.glyphs.clone()].iter().map(|glyph| glyph.id);
            used.entry(run.text.weight).or_default().extend(glyphs);
        }
        let mut fonts = BTreeMap::new();
        for (weight, used) in used {
            let (bytes, remapper) = shaper.subset(weight, &used)?;
            let name = shaper.postscript_name(weight);
            let mut program =
                ParsedFont::from_bytes(&bytes, 0, &mut Vec::new()).ok_or_else(|| PrintError::Font(name.to_owned()))?;
            program.font_name = Some(format!("{}+{name}", subset_tag(&used)));
            let glyphs = used.iter().filter_map(|&glyph| Some((glyph, remapper.get(glyph)?))).collect();
            fonts.insert(weight, Font { program, glyphs });
        }
        Ok(Self(fonts))
    }
}

/// Six letters that identify this set of glyphs.
fn subset_tag(used: &BTreeSet<u16>) -> String {
    let hash = used
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &glyph| (hash ^ u64::from(glyph)).wrapping_mul(0x0100_0000_01b3));
    (0..6).map(|n| char::from(b'A' + (hash >> (n * 8)) as u8 % 26)).collect()
}

fn text_run(mark: &Mark) -> Option<&TextRun> {
    match &mark.shape {
        Shape::Text(run) => Some(run),
        Shape::Fill { .. } | Shape::Logo(_) => None,
    }
}

/// In [drawing order](Page::in_drawing_order), each element in one marked sequence.
fn page_ops(page: &Page, fonts: &Fonts, shaper: &Shaper) -> (Vec<Op>, Vec<Marked>) {
    let marks = page.in_drawing_order();
    let mut ops = Vec::new();
    let mut elements = Vec::new();
    let alike = |a: &&Mark, b: &&Mark| {
        a.element == b.element && (a.element.is_some() || text_run(a).is_some() == text_run(b).is_some())
    };
    for group in marks.chunk_by(alike) {
        ops.push(match group[0].element {
            Some(element) => {
                elements.push(Marked { element, part: group[0].part() });
                begin("Span", "MCID", DictItem::Int(elements.len() as i64 - 1))
            }
            // Decorative text: running titles, page numbers, repeated headings.
            None if text_run(group[0]).is_some() => begin("Artifact", "Type", DictItem::Name(b"Pagination".to_vec())),
            None => begin("Artifact", "Type", DictItem::Name(b"Layout".to_vec())),
        });
        for mark in group {
            match &mark.shape {
                Shape::Text(run) => text_ops(run, page.paper.height, fonts, shaper, &mut ops),
                Shape::Fill { areas, color } => {
                    ops.push(Op::SetFillColor { col: rgb(*color) });
                    ops.push(Op::DrawPolygon { polygon: polygon(areas, page.paper.height) });
                }
                Shape::Logo(area) => {
                    ops.push(Op::UseXobject { id: logo_id(), transform: over(area, page.paper.height) })
                }
            }
        }
        ops.push(Op::EndMarkedContent);
    }
    (ops, elements)
}

fn begin(tag: &str, key: &str, value: DictItem) -> Op {
    let properties = DictItem::Dict { map: BTreeMap::from([(key.to_owned(), value)]) };
    Op::BeginMarkedContentWithProperties { tag: tag.to_owned(), properties }
}

fn text_ops(run: &TextRun, height: f32, fonts: &Fonts, shaper: &Shaper, ops: &mut Vec<Op>) {
    let weight = run.text.weight;
    let Some(font) = fonts.0.get(&weight) else { return };
    let glyphs = &run.text.glyphs[run.glyphs.clone()];
    let mut codepoints: Vec<Codepoint> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let gid = font.glyphs.get(&glyph.id).copied().unwrap_or_default();
        // TJ numbers move the pen left after a glyph: by what kerning takes off, and by where the next one is shifted.
        if let Some(before) = codepoints.last_mut() {
            before.offset -= glyph.shift;
        }
        let offset = glyph.nominal.trunc() - glyph.advance + glyph.shift;
        codepoints.push(Codepoint { gid, offset, cid: Some(shaper.meaning(weight, glyph.id)) });
    }
    ops.push(Op::StartTextSection);
    ops.push(Op::SetFillColor { col: rgb(run.color) });
    ops.push(Op::SetFont { font: PdfFontHandle::External(font_id(weight)), size: Pt(round(run.size)) });
    ops.push(Op::SetTextMatrix { matrix: TextMatrix::Translate(Pt(round(run.x)), Pt(round(height - run.y))) });
    ops.push(Op::ShowText { items: vec![TextItem::GlyphIds(codepoints)] });
    ops.push(Op::EndTextSection);
}

fn logo_id() -> XObjectId {
    XObjectId("L".to_owned())
}

/// A picture fills the unit square; this stretches the square over the area.
fn over(area: &Area, height: f32) -> XObjectTransform {
    XObjectTransform {
        translate_x: Some(Pt(round(area.x))),
        translate_y: Some(Pt(round(height - area.bottom()))),
        scale_x: Some(round(area.width)),
        scale_y: Some(round(area.height)),
        no_auto_scale: true,
        ..XObjectTransform::default()
    }
}

/// A JPEG keeps its bytes; what was a PNG becomes samples, with its transparency as a mask beside them.
fn picture(logo: &Logo) -> ExternalXObject {
    let stream = |channels: u8, content: &[u8], more: Option<(&str, DictItem)>| {
        let name = |name: &str| DictItem::Name(name.as_bytes().to_vec());
        let colours = if channels == 1 { "DeviceGray" } else { "DeviceRGB" };
        let mut dict: BTreeMap<String, DictItem> = [
            ("Type", name("XObject")),
            ("Subtype", name("Image")),
            ("Width", DictItem::Int(logo.width.into())),
            ("Height", DictItem::Int(logo.height.into())),
            ("BitsPerComponent", DictItem::Int(8)),
            ("ColorSpace", name(colours)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        dict.extend(more.map(|(key, value)| (key.to_owned(), value)));
        let compress = !dict.contains_key("Filter");
        ExternalStream { dict, content: content.to_vec(), compress }
    };
    let stream = match &logo.pixels {
        Pixels::Jpeg(bytes) => stream(logo.channels, bytes, Some(("Filter", DictItem::Name(b"DCTDecode".to_vec())))),
        Pixels::Plain { samples, alpha } => {
            let mask = alpha.as_ref().map(|alpha| DictItem::Stream { stream: stream(1, alpha, None) });
            stream(logo.channels, samples, mask.map(|mask| ("SMask", mask)))
        }
    };
    ExternalXObject { stream, width: None, height: None, dpi: None }
}

fn polygon(areas: &[Area], height: f32) -> Polygon {
    let ring = |area: &Area| {
        let (left, right) = (round(area.x), round(area.right()));
        let (top, bottom) = (round(height - area.y), round(height - area.bottom()));
        let corners = [(left, bottom), (right, bottom), (right, top), (left, top)];
        let point = |(x, y)| LinePoint { p: Point { x: Pt(x), y: Pt(y) }, bezier: false };
        PolygonRing { points: corners.map(point).to_vec() }
    };
    Polygon { rings: areas.iter().map(ring).collect(), mode: PaintMode::Fill, winding_order: WindingOrder::NonZero }
}

/// To a thousandth of a point: finer than any printer, and short to write.
fn round(points: f32) -> f32 {
    (points * 1000.0).round() / 1000.0
}

fn rgb(Rgb(r, g, b): Rgb) -> Color {
    let part = |byte: u8| (f32::from(byte) / 255.0 * 1000.0).round() / 1000.0;
    Color::Rgb(printpdf::Rgb { r: part(r), g: part(g), b: part(b), icc_profile: None })
}
