//! Columns of a table that are not about what a visitor attends: what sellers pay and when they set up.

use super::html::Line;
use super::text::folded_words;

/// Puts the name of such a column before each of its cells: `Exposants : 2 € le mètre`.
pub(super) fn label_sellers(lines: &mut [Line]) {
    const SELLERS: [&str; 8] =
        ["exposants", "exposant", "emplacement", "emplacements", "stands", "vendeurs", "deballage", "placement"];
    let mut columns: Vec<usize> = Vec::new();
    let mut table = 0;
    for line in lines {
        if line.spot.table != table {
            (table, columns) = (line.spot.table, Vec::new());
        }
        if line.header_row {
            let of_sellers =
                |text: &str| folded_words(text).first().is_some_and(|word| SELLERS.contains(&word.as_str()));
            columns = line
                .cells()
                .filter(|(_, words)| of_sellers(&line.text[words.clone()]))
                .map(|(spot, _)| spot.column)
                .collect();
            continue;
        }
        for index in (0..line.cells.len()).rev().filter(|_| !columns.is_empty()) {
            let cell = line.cells[index];
            if columns.contains(&cell.spot.column) {
                line.insert(cell.from, "Exposants\u{a0}: ");
                line.cells[index].from = cell.from;
            }
        }
    }
}
