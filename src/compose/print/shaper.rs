//! Fonts and shaping: two faces, the shaping of words into glyphs, and the subsets that are embedded.
//!
//! All lengths are in em, so that a string is shaped once for all sizes.
//! Characters without a glyph never leave this module: see [`super::sanitize::sanitized`].

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    rc::Rc,
};

use rustybuzz::{BufferClusterLevel, Direction, Face, Language, ShapePlan, UnicodeBuffer, script};
use subsetter::GlyphRemapper;
use unicode_linebreak::{BreakOpportunity, linebreaks};

use super::{
    PrintError,
    fonts::{Font, Fonts},
    sanitize::sanitized,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    Regular,
    Bold,
}

impl Weight {
    pub const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    fn of(self, fonts: &Fonts) -> &Font {
        match self {
            Self::Regular => &fonts.regular,
            Self::Bold => &fonts.bold,
        }
    }
}

/// Height of a capital, in em, where a font does not say it.
const USUAL_CAP_HEIGHT: f32 = 0.66;

/// One glyph, in thousandths of an em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    pub id: u16,
    /// How far the pen moves, kerning included.
    pub advance: f32,
    /// How far the font's own table says it moves.
    pub nominal: f32,
    /// Where it is drawn, from the pen.
    pub shift: f32,
}

/// What stands between two places where a line may break.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// All its glyphs, the space at its end too.
    pub glyphs: Range<usize>,
    /// Up to what is drawn when the line ends here: neither the space nor a separator.
    pub visible: Range<usize>,
    /// Emergency exits, for a chunk wider than its line: after a hyphen, a slash.
    pub weak: Vec<usize>,
}

/// A text as glyphs, with the places where it may be broken.
#[derive(Debug)]
pub struct Shaped {
    pub weight: Weight,
    pub text: String,
    pub glyphs: Vec<Glyph>,
    pub chunks: Vec<Chunk>,
    /// Height of a capital, in em.
    pub cap_height: f32,
    /// `pens[n]`: where glyph `n` begins.
    pens: Vec<f32>,
}

impl Shaped {
    /// Where each glyph of a run is drawn, in thousandths of an em from its start.
    pub fn places(&self, glyphs: &Range<usize>) -> impl Iterator<Item = (u16, f32)> + '_ {
        let start = self.pens[glyphs.start];
        glyphs.clone().map(move |n| (self.glyphs[n].id, self.pens[n] - start + self.glyphs[n].shift))
    }

    /// Width of a run of glyphs, in em.
    pub fn width(&self, glyphs: &Range<usize>) -> f32 {
        (self.pens[glyphs.end] - self.pens[glyphs.start]) / 1000.0
    }

    /// Width of all of it on one line, in em.
    pub fn natural_width(&self) -> f32 {
        self.chunks.last().map_or(0.0, |last| self.pens[last.visible.end] / 1000.0)
    }

    pub fn is_blank(&self) -> bool {
        self.glyphs.is_empty()
    }
}

/// Two faces and every string already shaped.
pub struct Shaper<'a> {
    fonts: &'a Fonts,
    faces: Vec<(Face<'a>, ShapePlan)>,
    shaped: RefCell<HashMap<(Weight, String), Rc<Shaped>>>,
    /// What a glyph says when the text is copied or read aloud; one answer per glyph in the whole document.
    meaning: RefCell<BTreeMap<(Weight, u16), String>>,
    dropped: RefCell<BTreeSet<char>>,
}

impl<'a> Shaper<'a> {
    pub fn open(fonts: &'a Fonts) -> Result<Self, PrintError> {
        let open = |weight: Weight| {
            let font = weight.of(fonts);
            let face =
                Face::from_slice(&font.bytes, 0).ok_or_else(|| PrintError::Font(font.postscript_name.to_string()))?;
            let plan = ShapePlan::new(&face, Direction::LeftToRight, Some(script::LATIN), french().as_ref(), &[]);
            Ok((face, plan))
        };
        let faces = Weight::ALL.into_iter().map(open).collect::<Result<_, PrintError>>()?;
        Ok(Self { fonts, faces, shaped: RefCell::default(), meaning: RefCell::default(), dropped: RefCell::default() })
    }

    /// The text as glyphs, made sanitized first.
    pub fn shape(&self, weight: Weight, raw: &str) -> Rc<Shaped> {
        let key = (weight, raw.to_owned());
        if let Some(known) = self.shaped.borrow().get(&key) {
            return Rc::clone(known);
        }
        let shaped = Rc::new(self.shape_anew(weight, raw));
        self.shaped.borrow_mut().insert(key, Rc::clone(&shaped));
        shaped
    }

    /// Characters that could not be printed, since the shaper was opened.
    pub fn dropped(&self) -> Vec<char> {
        self.dropped.borrow().iter().copied().collect()
    }

    /// The text a glyph stands for.
    pub fn meaning(&self, weight: Weight, glyph: u16) -> String {
        self.meaning.borrow().get(&(weight, glyph)).cloned().unwrap_or_default()
    }

    fn shape_anew(&self, weight: Weight, raw: &str) -> Shaped {
        let (face, plan) = &self.faces[weight as usize];
        let sanitized = sanitized(raw, |c| face.glyph_index(c).is_some_and(|glyph| glyph.0 != 0));
        self.dropped.borrow_mut().extend(sanitized.dropped);
        let text = sanitized.text;

        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.set_direction(Direction::LeftToRight);
        buffer.set_script(script::LATIN);
        if let Some(language) = french() {
            buffer.set_language(language);
        }
        buffer.set_cluster_level(BufferClusterLevel::MonotoneCharacters);
        let output = rustybuzz::shape_with_plan(face, plan, buffer);

        let mut glyphs = Vec::with_capacity(output.len());
        let mut starts = Vec::with_capacity(output.len());
        for (info, position) in output.glyph_infos().iter().zip(output.glyph_positions()) {
            let id = info.glyph_id as u16;
            let em = |units: i32| units as f32 * 1000.0 / face.units_per_em() as f32;
            let nominal = face.glyph_hor_advance(rustybuzz::ttf_parser::GlyphId(id)).unwrap_or_default();
            glyphs.push(Glyph {
                id,
                advance: em(position.x_advance),
                nominal: em(i32::from(nominal)),
                shift: em(position.x_offset),
            });
            starts.push(info.cluster as usize);
        }
        self.remember_meanings(weight, &text, &glyphs, &starts);

        let mut pens = vec![0.0];
        for glyph in &glyphs {
            pens.push(pens[pens.len() - 1] + glyph.advance);
        }
        let chunks = chunks(&text, &starts);
        let cap_height =
            face.capital_height().map_or(USUAL_CAP_HEIGHT, |height| f32::from(height) / face.units_per_em() as f32);
        Shaped { weight, text, glyphs, chunks, cap_height, pens }
    }

    fn remember_meanings(&self, weight: Weight, text: &str, glyphs: &[Glyph], starts: &[usize]) {
        let mut meaning = self.meaning.borrow_mut();
        for (at, glyph) in glyphs.iter().enumerate() {
            let end = starts[at..].iter().copied().find(|&start| start > starts[at]).unwrap_or(text.len());
            let said = &text[starts[at]..end];
            // Every kind of space is read as a space, since several share one glyph.
            let said = said.replace(|c: char| c.is_whitespace(), " ");
            meaning.entry((weight, glyph.id)).or_insert(said);
        }
    }

    /// Draws the outline of a glyph, y upwards, and returns the units of an em; `None` if it has none, like a space.
    pub fn outline(
        &self,
        weight: Weight,
        glyph: u16,
        pen: &mut dyn rustybuzz::ttf_parser::OutlineBuilder,
    ) -> Option<f32> {
        let (face, _) = &self.faces[weight as usize];
        face.outline_glyph(rustybuzz::ttf_parser::GlyphId(glyph), pen)?;
        Some(face.units_per_em() as f32)
    }

    pub fn postscript_name(&self, weight: Weight) -> &str {
        &weight.of(self.fonts).postscript_name
    }

    /// A font program with only these glyphs, and where each of them went.
    pub fn subset(&self, weight: Weight, used: &BTreeSet<u16>) -> Result<(Vec<u8>, GlyphRemapper), PrintError> {
        let mut remapper = GlyphRemapper::new();
        used.iter().for_each(|&glyph| {
            remapper.remap(glyph);
        });
        let program = subsetter::subset(&weight.of(self.fonts).bytes, 0, &remapper).map_err(PrintError::Subset)?;
        Ok((program, remapper))
    }
}

fn french() -> Option<Language> {
    "fr".parse().ok()
}

/// Lines break at spaces. The other opportunities Unicode gives (after a hyphen, a slash) are kept as weak: a name
/// cut at its hyphen reads badly, and is glued back without it when copied.
fn chunks(text: &str, starts: &[usize]) -> Vec<Chunk> {
    let glyph_at = |byte: usize| starts.partition_point(|&start| start < byte);
    let mut chunks = Vec::new();
    let (mut from, mut weak) = (0, Vec::new());
    for (byte, opportunity) in linebreaks(text) {
        let at_space = text[..byte].ends_with(' ');
        if byte < text.len() && !at_space && opportunity == BreakOpportunity::Allowed {
            weak.push(glyph_at(byte));
        } else if at_space || byte == text.len() {
            let to = glyph_at(byte);
            let visible_text = text[..byte].trim_end_matches(['\u{a0}', ' ', '·']);
            let visible = from..glyph_at(visible_text.len()).clamp(from, to);
            // The last chunk is drawn whole; one made only of a separator too.
            let visible = if byte == text.len() || visible.is_empty() { from..to } else { visible };
            chunks.push(Chunk { glyphs: from..to, visible, weak: std::mem::take(&mut weak) });
            from = to;
        }
    }
    chunks.retain(|chunk| !chunk.glyphs.is_empty());
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        let fonts = Fonts::default();
        let shaped = Shaper::open(&fonts).unwrap().shape(Weight::Regular, text);
        // One glyph per letter in these texts, so glyph indices are letter indices.
        let letters: Vec<char> = shaped.text.chars().collect();
        shaped.chunks.iter().map(|chunk| letters[chunk.visible.clone()].iter().collect()).collect()
    }

    #[test]
    fn lines_break_at_spaces_only_and_never_inside_french_pairs() {
        assert_eq!(pieces("Bal « musette » à 9 €"), ["Bal", "«\u{a0}musette\u{a0}»", "à", "9\u{a0}€"]);
        assert_eq!(pieces("an-dro à Saint-Clar"), ["an-dro", "à", "Saint-Clar"]);
    }

    #[test]
    fn a_separator_at_the_end_of_a_line_is_not_drawn() {
        assert_eq!(pieces("Pavie · 5 €"), ["Pavie", "5\u{a0}€"]);
    }

    #[test]
    fn no_glyph_is_missing_and_every_glyph_maps_to_unicode() {
        let fonts = Fonts::default();
        let shaper = Shaper::open(&fonts).unwrap();
        for weight in Weight::ALL {
            let shaped = shaper.shape(weight, "Œuvres d’août : « l’affinité » – ďábel, ñandú, 5 € ; non ? 🎉 日本 ﷺ x̌");
            assert!(shaped.glyphs.iter().all(|glyph| glyph.id != 0));
            assert!(shaped.glyphs.iter().all(|glyph| !shaper.meaning(weight, glyph.id).is_empty()));
        }
        assert_eq!(shaper.dropped(), ['日', '本', 'ﷺ', '🎉']);
    }

    #[test]
    fn the_same_text_is_shaped_once() {
        let fonts = Fonts::default();
        let shaper = Shaper::open(&fonts).unwrap();
        assert!(Rc::ptr_eq(&shaper.shape(Weight::Bold, "bal"), &shaper.shape(Weight::Bold, "bal")));
    }
}
