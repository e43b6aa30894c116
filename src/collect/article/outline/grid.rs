//! Tables whose columns are days: each cell holds the hours of the row's event on that day, or the day's own events.

use chrono::NaiveDate;

use super::super::days::{self, Spec};
use super::super::html::Line;
use super::super::lines::timing;
use super::super::place_field::place_field;
use super::super::practical::is_detail;
use super::super::sentences::{Role, line_role, only_where_and_when};
use super::super::text::{Words, folded_words};
use super::items::links_within;
use super::{Builder, Entry, Under, tells_of_an_event};
use crate::domain::agenda::Unplaced;

/// Fewer dated cells in a row are an event with its dates, unless the row has no others.
const LEAST_DAYS: usize = 3;

/// A cell with words: the column it begins in, how many it takes, and its bytes.
struct Cell {
    column: usize,
    columns: usize,
    from: usize,
    to: usize,
}

/// The row of a table whose cells are days: three of them, or two and nothing else.
pub(super) fn is_grid_header(line: &Line) -> bool {
    let cells = cells(line);
    let dated = cells.iter().filter(|cell| day_of_cell(&line.text[cell.from..cell.to]).is_some()).count();
    dated >= LEAST_DAYS || dated == 2 && cells.len() == 2
}

/// The day that a cell names and nothing else: `lundi 5`, `Sam. 10 :`
fn day_of_cell(text: &str) -> Option<Spec> {
    let words = Words::of(text);
    days::date(&words.tokens, 0).filter(|date| date.to + 1 >= words.tokens.len()).map(|date| date.what)
}

fn cells(line: &Line) -> Vec<Cell> {
    let ends = line.cells.iter().skip(1).map(|cell| cell.from).chain([line.text.len()]);
    let cell = |(cell, to): (&super::super::html::Cell, usize)| Cell {
        column: cell.number,
        columns: cell.columns,
        from: cell.from,
        to: cell.from + line.text[cell.from..to].trim_end().len(),
    };
    line.cells.iter().zip(ends).map(cell).collect()
}

impl Builder<'_> {
    /// Reads a row of such a table; `false` if the line is to be read like any other.
    pub(super) fn grid(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        if line.cells.is_empty() {
            return self.line_of_a_cell(at);
        }
        let cells = cells(line);
        if is_grid_header(line) {
            let of_day = |cell: &Cell| {
                let dates = self.calendar.dates(&day_of_cell(&line.text[cell.from..cell.to])?).days;
                (dates.len() == 1).then_some((cell.column, dates))
            };
            let dated: Vec<(usize, Vec<NaiveDate>)> = cells.iter().filter_map(of_day).collect();
            if dated.len() >= 2 {
                self.flush();
                self.columns = dated;
                return true;
            }
        }
        let Some((first, _)) = self.columns.first().cloned() else { return false };
        if cells.iter().all(|cell| cell.column < first) {
            // The name of the rows below, or a note across the table.
            return !timing(&line.text).says && cells.iter().all(|cell| cell.columns == 1);
        }
        self.flush();
        let label: Vec<&str> =
            cells.iter().filter(|cell| cell.column < first).map(|cell| &line.text[cell.from..cell.to]).collect();
        let label = label.join("\n");
        for cell in cells.iter().filter(|cell| cell.column >= first) {
            let under = self.under_of_cell(cell);
            for (from, to) in things(&line.text[cell.from..cell.to]) {
                self.thing(line, &label, (cell.from + from, cell.from + to), under.clone());
            }
        }
        true
    }

    /// A line of a cell that holds too much for one record: it stands under the day of its column.
    fn line_of_a_cell(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        if line.cell == 0 {
            self.columns.clear();
        }
        let column = self.columns.iter().find(|(column, _)| *column == line.cell).map(|(_, days)| days.clone());
        let Some(days) = column else { return false };
        if self.under != Under::Days(days.clone()) {
            self.enter(Under::Days(days));
        }
        false
    }

    /// The days of the columns that a cell takes.
    fn under_of_cell(&self, cell: &Cell) -> Under {
        let columns = cell.column..cell.column + cell.columns;
        let of_cell = self.columns.iter().filter(|(column, _)| columns.contains(column));
        let days: Vec<NaiveDate> = of_cell.flat_map(|(_, days)| days.iter().copied()).collect();
        match days.len() {
            0 => Under::Nowhere(Unplaced::NoDay),
            1..=2 => Under::Days(days),
            _ => Under::Listed(days),
        }
    }

    /// One thing of a cell, with the name of its row where it is the title, the place or the part of the day.
    fn thing(&mut self, line: &Line, label: &str, (from, to): (usize, usize), under: Under) {
        let text = &line.text[from..to];
        let timed = timing(text).says;
        let names = says_what(text);
        let bare = matches!(under, Under::Nowhere(_)) && !timed;
        if bare || !timed && (!names || line_role(&Words::of(text)) == Role::Aside || is_closed(text)) {
            return;
        }
        let labelled = label.chars().any(char::is_alphanumeric);
        let (told, titled) = match () {
            () if !labelled => (None, false),
            () if !names => (Some(format!("{label}\n{text}")), true),
            () if is_part_of_day(label) && timed => (None, false),
            () if is_part_of_day(label) || is_place(label) || tells_of_an_event(text) => {
                (Some(format!("{text}\n{label}")), false)
            }
            () => (Some(format!("{label}\n{text}")), true),
        };
        // Where the row's name is read as well, the whole row is the text of the item.
        let whole = told.is_some();
        let (shown, links) = if whole { (&*line.text, Vec::new()) } else { (text, links_within(line, from, to)) };
        let town = self.town.clone();
        let entry = Entry { under, told, town, placed_by_words: true, titled, ..Entry::of(shown, links) };
        self.out.entries.push(entry);
    }
}

/// The things of a cell, as bytes of it: each line with an hour begins one, and so does a line that names another after a
/// whole one.
fn things(cell: &str) -> Vec<(usize, usize)> {
    struct Thing {
        from: usize,
        to: usize,
        timed: bool,
        named: bool,
    }
    let mut out: Vec<Thing> = Vec::new();
    let mut from = 0;
    for text in cell.split('\n') {
        let to = from + text.len();
        let (timed, named) = (timing(text).says, says_what(text));
        let begins = out
            .last()
            .is_none_or(|last| last.timed && (timed || last.named && tells_of_an_event(text) && !is_detail(text)));
        match out.last_mut().filter(|_| !begins) {
            Some(last) => (last.to, last.timed, last.named) = (to, last.timed || timed, last.named || named),
            None => out.push(Thing { from, to, timed, named }),
        }
        from = to + 1;
    }
    out.into_iter().map(|thing| (thing.from, thing.to)).collect()
}

/// Whether a cell says what takes place, and not only when, where and in which language.
fn says_what(text: &str) -> bool {
    let words = Words::of(text);
    !only_where_and_when(&words, 0, words.tokens.len())
        && folded_words(text)
            .iter()
            .any(|word| word.len() > 2 && word != "vost" && word != "vostfr" && word.parse::<u32>().is_err())
}

fn is_closed(text: &str) -> bool {
    let words = folded_words(text);
    words.iter().any(|word| matches!(&**word, "ferme" | "fermee" | "relache" | "fermeture"))
}

fn is_part_of_day(label: &str) -> bool {
    const PARTS: [&str; 10] =
        ["matin", "matinee", "midi", "apres-midi", "soir", "soiree", "journee", "nuit", "apres", "am"];
    let words = folded_words(label);
    !words.is_empty() && words.iter().all(|word| PARTS.contains(&word.as_str()) || word == "le" || word == "l'")
}

fn is_place(label: &str) -> bool {
    let words = Words::of(label);
    place_field(&words, 0, words.tokens.len()).is_some()
}
