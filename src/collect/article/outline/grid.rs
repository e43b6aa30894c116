//! Tables whose columns are days: a row is one event, each of its cells its hours on that day.

use chrono::NaiveDate;

use super::super::days::{self, Spec};
use super::super::html::Line;
use super::super::lines::timing;
use super::super::text::Words;
use super::{Builder, Entry, Under};

/// Fewer dated cells in a row are an event with its dates.
const LEAST_DAYS: usize = 3;

/// The row of a table whose cells are days.
pub(super) fn is_grid_header(line: &Line) -> bool {
    cells(line).iter().filter(|(_, text)| day_of_cell(text).is_some()).count() >= LEAST_DAYS
}

/// The day that a cell names and nothing else: `lundi 5`, `Sam. 10 :`
fn day_of_cell(text: &str) -> Option<Spec> {
    let words = Words::of(text);
    days::date(&words.tokens, 0).filter(|date| date.to + 1 >= words.tokens.len()).map(|date| date.what)
}

/// The cells of a row with their numbers.
fn cells(line: &Line) -> Vec<(usize, &str)> {
    let ends = line.cells.iter().skip(1).map(|(_, from)| *from).chain([line.text.len()]);
    line.cells.iter().zip(ends).map(|((number, from), to)| (*number, line.text[*from..to].trim_end())).collect()
}

impl Builder<'_> {
    /// Reads a row of such a table; `false` if the line is none.
    pub(super) fn grid(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        let cells = cells(line);
        let dated: Vec<(usize, Vec<NaiveDate>)> = cells
            .iter()
            .filter_map(|(number, text)| Some((*number, self.calendar.dates(&day_of_cell(text)?).days)))
            .filter(|(_, days)| days.len() == 1)
            .collect();
        if dated.len() >= LEAST_DAYS {
            self.flush();
            self.columns = dated;
            return true;
        }
        let first_column = self.columns.first().map(|(number, _)| *number);
        let Some(first_column) = first_column else { return false };
        let title: Vec<&str> =
            cells.iter().filter(|(number, _)| *number < first_column).map(|(_, text)| *text).collect();
        self.flush();
        for (number, days) in self.columns.clone() {
            let cell = cells.iter().find(|(found, text)| *found == number && timing(text).says);
            if let Some((_, text)) = cell.filter(|_| !title.is_empty()) {
                let told = Some(format!("{}\n{text}", title.join("\n")));
                let entry = Entry {
                    under: Under::Days(days),
                    told,
                    town: self.town.clone(),
                    placed_by_words: true,
                    titled: true,
                    ..Entry::of(&line.text, Vec::new())
                };
                self.out.entries.push(entry);
            }
        }
        true
    }
}
