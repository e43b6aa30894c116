//! Distributes blocks over columns: a heading stays with its first entry, sections are broken only if necessary, and columns
//! become even.
//!
//! Pure arithmetic on heights.

use std::ops::Range;

use super::blocks::Block;

/// One column: its blocks, and whether the heading of the section is repeated at its top.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub blocks: Range<usize>,
    pub continued: bool,
    /// With unstretched gaps, including the repeated heading.
    pub height: f32,
}

/// The blocks to distribute and what a repeated heading costs.
pub struct Flow<'a> {
    blocks: &'a [Block],
    /// `tops[n]`: height of blocks `0..n` with their gaps.
    tops: Vec<f32>,
    /// Height of a repeated heading, with the space below it.
    repeated: f32,
    /// The space below every heading.
    below_heading: f32,
    /// The cost of a break inside a section, added to the squared unevenness of the columns.
    broken_section: f32,
}

/// On a poster, where the next column is beside it.
const BROKEN_SECTION: f32 = 0.02;
/// In a booklet, where a page must be turned.
const BROKEN_OVER_PAGES: f32 = 0.4;
/// Additional cost if a single entry is separated from the others.
const LONE_ENTRY: f32 = 0.015;

impl<'a> Flow<'a> {
    pub fn new(blocks: &'a [Block]) -> Self {
        let mut tops = vec![0.0];
        for block in blocks {
            tops.push(tops[tops.len() - 1] + block.gap + block.height);
        }
        let heading = blocks.windows(2).find(|pair| pair[0].is_heading && !pair[1].is_heading);
        let (height, below_heading) = heading.map_or((0.0, 0.0), |pair| (pair[0].height, pair[1].gap));
        Self { blocks, tops, repeated: height + below_heading, below_heading, broken_section: BROKEN_SECTION }
    }

    /// For columns that are booklet pages: sections are kept whole at the price of uneven pages.
    pub fn over_pages(blocks: &'a [Block]) -> Self {
        Self { broken_section: BROKEN_OVER_PAGES, ..Self::new(blocks) }
    }

    /// Height of all blocks one under the other.
    pub fn total(&self) -> f32 {
        self.tops[self.blocks.len()]
    }

    /// Height of a column that holds these blocks.
    pub fn height(&self, range: &Range<usize>) -> f32 {
        let sum = self.tops[range.end] - self.tops[range.start];
        match self.blocks.get(range.start) {
            None => 0.0,
            Some(_) if range.is_empty() => 0.0,
            Some(first) if first.is_heading => sum - first.gap,
            Some(first) => sum - first.gap + self.repeated,
        }
    }

    /// Whether a column may end before block `at`.
    fn may_break(&self, at: usize) -> bool {
        at == self.blocks.len() || at == 0 || !self.blocks[at - 1].is_heading
    }

    /// Whether all blocks fit in columns of these heights, filled one after the other.
    pub fn fits(&self, room: &[f32]) -> bool {
        let mut start = 0;
        for &room in room {
            if start == self.blocks.len() {
                return true;
            }
            start = self.furthest(start, room);
        }
        start == self.blocks.len()
    }

    /// The last allowed break for a column that starts at `start`.
    fn furthest(&self, start: usize, room: f32) -> usize {
        let mut furthest = start;
        for end in start + 1..=self.blocks.len() {
            if self.height(&(start..end)) > room + 1e-3 {
                break;
            }
            if self.may_break(end) {
                furthest = end;
            }
        }
        furthest
    }

    /// The most even distribution over all these columns, with its cost; `None` where they cannot hold the blocks.
    pub fn distribute(&self, room: &[f32]) -> Option<(Vec<Column>, f32)> {
        let count = self.blocks.len();
        let total: f32 = room.iter().sum();
        let share = self.total() / total.max(1.0);
        // costs[k][n]: the best way to put the blocks from n in the columns from k, and where column k ends.
        let mut costs = vec![vec![None::<(f32, usize)>; count + 1]; room.len() + 1];
        costs[room.len()][count] = Some((0.0, count));
        for (k, &room) in room.iter().enumerate().rev() {
            for start in 0..=count {
                let mut best: Option<(f32, usize)> = None;
                for (end, rest) in costs[k + 1].iter().enumerate().skip(start) {
                    let height = self.height(&(start..end));
                    if height > room + 1e-3 {
                        break;
                    }
                    let Some((rest, _)) = rest.filter(|_| self.may_break(end)) else { continue };
                    let uneven = height / room - share;
                    let cost = rest + uneven * uneven + self.cost_of_break(end);
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, end));
                    }
                }
                costs[k][start] = best;
            }
        }
        let (cost, _) = costs[0][0]?;
        let mut columns = Vec::with_capacity(room.len());
        let mut start = 0;
        for costs in costs.iter().take(room.len()) {
            let (_, end) = costs[start]?;
            let continued = start < end && !self.blocks[start].is_heading;
            columns.push(Column { blocks: start..end, continued, height: self.height(&(start..end)) });
            start = end;
        }
        Some((columns, cost))
    }

    fn cost_of_break(&self, at: usize) -> f32 {
        let inside = at > 0 && self.blocks.get(at).is_some_and(|next| !next.is_heading);
        if !inside {
            return 0.0;
        }
        let alone_before = at >= 2 && self.blocks[at - 2].is_heading;
        let alone_after = self.blocks.get(at + 1).is_none_or(|next| next.is_heading);
        self.broken_section + if alone_before || alone_after { LONE_ENTRY } else { 0.0 }
    }

    /// Sum of the gaps inside a column: what can be stretched to fill it.
    pub fn gaps(&self, column: &Column) -> f32 {
        let below = if column.continued { self.below_heading } else { 0.0 };
        below + self.blocks[column.blocks.clone()].iter().skip(1).map(|block| block.gap).sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(section: usize, is_heading: bool, height: f32) -> Block {
        Block { gap: 2.0, height, marks: Vec::new(), section, is_heading }
    }

    fn agenda(sections: &[Vec<f32>]) -> Vec<Block> {
        let mut blocks = Vec::new();
        for (at, entries) in sections.iter().enumerate() {
            blocks.push(block(at, true, 10.0));
            blocks.extend(entries.iter().map(|&height| block(at, false, height)));
        }
        blocks
    }

    #[test]
    fn a_section_is_kept_whole_where_columns_stay_even_enough() {
        let blocks = agenda(&[vec![20.0; 3], vec![20.0; 3], vec![20.0; 3]]);
        let (columns, _) = Flow::new(&blocks).distribute(&[100.0; 3]).unwrap();
        assert!(columns.iter().all(|column| column.blocks.len() == 4 && !column.continued));
    }

    #[test]
    fn a_long_section_goes_on_in_the_next_column_under_its_heading() {
        let blocks = agenda(&[vec![20.0; 6]]);
        let (columns, _) = Flow::new(&blocks).distribute(&[90.0; 2]).unwrap();
        assert_eq!((columns[0].blocks.clone(), columns[1].blocks.clone()), (0..4, 4..7));
        assert!(columns[1].continued);
        assert!((columns[1].height - (10.0 + 3.0 * 22.0)).abs() < 1e-3);
    }

    proptest! {
        #[test]
        fn every_block_is_placed_once_and_no_heading_ends_a_column(
            sections in prop::collection::vec(prop::collection::vec(5.0_f32..40.0, 1..12), 1..8),
            columns in 1..7_usize,
        ) {
            let blocks = agenda(&sections);
            let flow = Flow::new(&blocks);
            let room = vec![150.0; columns];
            let distributed = flow.distribute(&room);
            prop_assert_eq!(flow.fits(&room), distributed.is_some());
            if let Some((columns, _)) = distributed {
                let mut at = 0;
                for column in &columns {
                    prop_assert_eq!(column.blocks.start, at);
                    at = column.blocks.end;
                    prop_assert!(column.height <= 150.01);
                    prop_assert!(column.blocks.is_empty() || !blocks[at - 1].is_heading);
                }
                prop_assert_eq!(at, blocks.len());
            }
        }
    }
}
