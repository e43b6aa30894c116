//! Line breaking, and finding the largest size at which something fits.
//!
//! A paragraph always takes the fewest possible lines; among those solutions, the one with the most even lines and no
//! orphan on the last. Pure arithmetic on shaped text.

use std::{borrow::Cow, ops::Range};

use super::shaper::{Chunk, Shaped};

/// One line: the glyphs drawn (with the space that keeps words apart when copied), and its width without that space.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub glyphs: Range<usize>,
    /// In em.
    pub width: f32,
}

/// A last line shorter than this share of the measure looks lost.
const ORPHAN: f32 = 0.33;

/// A column as wide as its widest word must hold it, whatever the last bits of the arithmetic say.
const TOLERANCE: f32 = 1e-3;

/// Lines no wider than `measure` (in em), the fewest possible.
pub fn break_lines(text: &Shaped, measure: f32) -> Vec<Line> {
    let measure = measure + TOLERANCE;
    let pieces = pieces(text, measure);
    if pieces.is_empty() {
        return Vec::new();
    }
    if text.natural_width() <= measure {
        return vec![line(text, &pieces, 0..pieces.len())];
    }
    best_breaks(text, &pieces, measure).into_iter().map(|range| line(text, &pieces, range)).collect()
}

fn line(text: &Shaped, pieces: &[Chunk], range: Range<usize>) -> Line {
    let (first, last) = (&pieces[range.start], &pieces[range.end - 1]);
    let drawn = (last.visible.end + 1).min(last.glyphs.end);
    Line { glyphs: first.glyphs.start..drawn, width: text.width(&(first.glyphs.start..last.visible.end)) }
}

/// For each start, the fewest lines to the end and, among those, the least ragged.
fn best_breaks(text: &Shaped, pieces: &[Chunk], measure: f32) -> Vec<Range<usize>> {
    #[derive(Clone, Copy)]
    struct Way {
        lines: usize,
        ragged: f32,
        next: usize,
    }
    let end = pieces.len();
    let mut ways = vec![Way { lines: 0, ragged: 0.0, next: end }; end + 1];
    for start in (0..end).rev() {
        let mut best: Option<Way> = None;
        for next in start + 1..=end {
            let width = text.width(&(pieces[start].glyphs.start..pieces[next - 1].visible.end));
            if width > measure && next > start + 1 {
                break;
            }
            let slack = (measure - width).max(0.0) / measure;
            let cost = match next == end {
                true => (slack - (1.0 - ORPHAN)).max(0.0).powi(2) * 40.0,
                false => slack * slack,
            };
            let way = Way { lines: ways[next].lines + 1, ragged: ways[next].ragged + cost, next };
            let better = |than: &Way| (way.lines, way.ragged) < (than.lines, than.ragged);
            if best.as_ref().is_none_or(better) {
                best = Some(way);
            }
        }
        if let Some(way) = best {
            ways[start] = way;
        }
    }
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < end {
        ranges.push(start..ways[start].next);
        start = ways[start].next;
    }
    ranges
}

/// The chunks of the text, those wider than the measure cut: after a hyphen or a slash if that is enough, else
/// between two glyphs.
fn pieces(text: &Shaped, measure: f32) -> Cow<'_, [Chunk]> {
    if text.chunks.iter().all(|chunk| text.width(&chunk.visible) <= measure) {
        return Cow::Borrowed(&text.chunks);
    }
    let mut pieces = Vec::with_capacity(text.chunks.len());
    for chunk in &text.chunks {
        if text.width(&chunk.visible) <= measure {
            pieces.push(chunk.clone());
            continue;
        }
        let mut from = chunk.glyphs.start;
        while text.width(&(from..chunk.visible.end)) > measure {
            let fits = |to: usize| text.width(&(from..to)) <= measure;
            let weak = chunk.weak.iter().copied().rfind(|&to| to > from && fits(to));
            let anywhere = || (from + 2..chunk.visible.end).take_while(|&to| fits(to)).last();
            let to = weak.or_else(anywhere).unwrap_or(from + 1).min(chunk.visible.end);
            pieces.push(Chunk { glyphs: from..to, visible: from..to, weak: Vec::new() });
            from = to;
            if from == chunk.visible.end {
                break;
            }
        }
        if from < chunk.glyphs.end {
            let visible = from..chunk.visible.end.max(from);
            pieces.push(Chunk { glyphs: from..chunk.glyphs.end, visible, weak: Vec::new() });
        }
    }
    Cow::Owned(pieces)
}

/// The largest size between `smallest` and `largest` for which `fits`, to a twentieth of a point; `None` if none does.
/// What fits at a size is taken to fit at any smaller one.
pub fn largest_size(smallest: f32, largest: f32, fits: impl Fn(f32) -> bool) -> Option<f32> {
    const STEP: f32 = 0.05;
    if fits(largest) {
        return Some(largest);
    }
    if !fits(smallest) {
        return None;
    }
    let (mut good, mut bad) = (0_u32, ((largest - smallest) / STEP).ceil() as u32);
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if fits(smallest + middle as f32 * STEP) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(smallest + good as f32 * STEP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::print::{
        fonts::Fonts,
        shaper::{Shaper, Weight},
    };
    use proptest::prelude::*;

    fn set(text: &str, measure: f32) -> Vec<String> {
        let shaped = Shaper::open(&Fonts::default()).unwrap().shape(Weight::Regular, text);
        let letters: Vec<char> = shaped.text.chars().collect();
        break_lines(&shaped, measure).iter().map(|line| letters[line.glyphs.clone()].iter().collect()).collect()
    }

    #[test]
    fn a_price_is_never_left_alone_on_the_last_line() {
        let lines = set("Pavie, salle de la Fenière · 9 €", 11.5);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].chars().count() > 4, "{lines:?}");
    }

    #[test]
    fn a_word_wider_than_the_line_is_cut_and_nothing_is_lost() {
        let word = "https://agenda.example/que-faire/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
        let lines = set(word, 9.0);
        assert!(lines.len() > 2);
        assert_eq!(lines.concat(), word);
        assert!(lines[0].ends_with(['/', '-']), "{lines:?}");
    }

    #[test]
    fn the_largest_size_is_found_within_a_twentieth_of_a_point() {
        assert_eq!(largest_size(7.0, 12.0, |_| true), Some(12.0));
        assert_eq!(largest_size(7.0, 12.0, |_| false), None);
        let found = largest_size(7.0, 12.0, |size| size <= 9.33).unwrap();
        assert!((9.28..=9.33).contains(&found), "{found}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_measure_and_all_glyphs_are_set(
            text in "([a-zéœ]{1,14}[ -]){0,12}[A-Z]{1,40}( · [0-9]{1,3} €)?",
            measure in 4.0_f32..30.0,
        ) {
            let shaped = Shaper::open(&Fonts::default()).unwrap().shape(Weight::Bold, &text);
            let lines = break_lines(&shaped, measure);
            let mut at = 0;
            for line in &lines {
                prop_assert!(line.width <= measure + 2.0 * TOLERANCE, "{} > {measure}", line.width);
                let skipped = &shaped.glyphs[at..line.glyphs.start];
                prop_assert!(skipped.len() <= 2, "only a separator and its space may be left out");
                at = line.glyphs.end;
            }
            prop_assert_eq!(at, shaped.glyphs.len());
        }
    }
}
