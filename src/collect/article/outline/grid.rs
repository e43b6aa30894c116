//! Tables whose columns are days: each cell holds the hours of the row's event on that day, or the day's own events.

use std::ops::Range;

use chrono::NaiveDate;

use super::super::days::{self, Spec};
use super::super::hours;
use super::super::html::{Line, Spot};
use super::super::lines::{says_date, timing};
use super::super::names::{is_name, named};
use super::super::place_field::place_field;
use super::super::practical::is_detail;
use super::super::sentences::{Role, line_role, only_where_and_when};
use super::super::text::{Words, folded_words};
use super::super::words::{THEMES, is_function};
use super::items::links_within;
use super::{Builder, Entry, Under, tells_of_an_event};
use crate::domain::agenda::Unplaced;

/// Fewer dated cells in a row are an event with its dates, unless the row has no others.
const LEAST_DAYS: usize = 3;

/// No calendar has more in a row; each cell looks for its column among them.
const MOST_DAYS: usize = 31;

/// A table whose columns are days, and how far it has been read.
pub(super) struct Grid {
    table: usize,
    columns: Vec<(Range<usize>, Vec<NaiveDate>)>,
    /// The row that was read last, and whether cell by cell and not like lines outside of tables.
    row: usize,
    by_cell: bool,
    /// What the lines before the table stand under, and those below it again.
    under: Under,
    /// Words beside the days that also stand for the rows below.
    tall: Vec<Beside>,
}

/// A cell that belongs to no day.
struct Beside {
    /// It names the row; else it says more of it, behind the days: « Lieu ».
    name: bool,
    text: String,
    /// For how many rows it stands.
    rows: usize,
}

impl Grid {
    /// The days of the columns that a cell takes.
    fn days(&self, spot: Spot) -> Vec<NaiveDate> {
        let end = spot.column + spot.columns.max(1);
        let under = self.columns.iter().filter(|(columns, _)| columns.start < end && spot.column < columns.end);
        under.flat_map(|(_, days)| days.iter().copied()).collect()
    }

    fn is_before_the_days(&self, spot: Spot) -> bool {
        self.columns.first().is_some_and(|(columns, _)| spot.column < columns.start)
    }
}

/// The row of a table whose cells are days: three of them, or two and nothing else.
pub(super) fn is_grid_header(line: &Line) -> bool {
    let dated = line.cells().filter(|(_, words)| day_of_cell(&line.text[words.clone()]).is_some()).count();
    // `Heure | Samedi 17 | Dimanche 18`
    const LABELS: [&str; 10] =
        ["heure", "heures", "horaire", "horaires", "lieu", "lieux", "salle", "film", "films", "creneau"];
    let labelled = || {
        let first = line.cells().next().map(|(_, words)| folded_words(&line.text[words]));
        matches!(first.as_deref(), Some([word]) if LABELS.contains(&word.as_str()))
    };
    dated >= LEAST_DAYS || dated == 2 && (line.cells.len() == 2 || line.cells.len() == 3 && labelled())
}

/// The day that a cell names and nothing else: `lundi 5`, `Sam. 10 :`
fn day_of_cell(text: &str) -> Option<Spec> {
    let words = Words::of(text);
    days::date(&words.tokens, 0).filter(|date| date.to + 1 >= words.tokens.len()).map(|date| date.what)
}

impl Builder<'_> {
    /// Reads a row of such a table; `false` if the line is to be read like any other.
    pub(super) fn grid(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        if let Some(grid) = self.grid_below(line) {
            self.flush();
            self.grid = Some(grid);
            return true;
        }
        if line.spot.row == 0
            && let Some(grid) = self.grid.take()
        {
            self.leave_row(grid.under);
        }
        let Some(mut grid) = self.grid.take_if(|grid| grid.table == line.spot.table) else { return false };
        // The lines of a row are read together.
        if grid.row != line.spot.row {
            self.leave_row(grid.under.clone());
            grid.row = line.spot.row;
            grid.by_cell = self.row(at, &mut grid);
        }
        let read = grid.by_cell;
        self.grid = Some(grid);
        read
    }

    /// The table below a row of days.
    fn grid_below(&self, line: &Line) -> Option<Grid> {
        if !is_grid_header(line) {
            return None;
        }
        let of_day = |(spot, words): (Spot, Range<usize>)| {
            let dates = self.calendar.dates(&day_of_cell(&line.text[words])?).days;
            (dates.len() == 1).then_some((spot.column..spot.column + spot.columns.max(1), dates))
        };
        let columns: Vec<_> = line.cells().filter_map(of_day).take(MOST_DAYS).collect();
        let Spot { table, row, .. } = line.spot;
        let under = self.under.clone();
        (columns.len() >= 2).then_some(Grid { table, columns, row, by_cell: true, under, tall: Vec::new() })
    }

    /// A note in the table may have named a day of its own.
    fn leave_row(&mut self, under: Under) {
        if self.under != under {
            self.enter(under);
        }
    }

    fn row(&mut self, at: usize, grid: &mut Grid) -> bool {
        let (row, bullets) = whole_row(self.lines, at);
        let cells: Vec<(Spot, Range<usize>)> = row.cells().collect();
        let mut beside = std::mem::take(&mut grid.tall);
        let mut of_days = Vec::new();
        for (spot, words) in cells {
            let under = grid.days(spot);
            let (text, name) = (&row.text[words.clone()], grid.is_before_the_days(spot));
            match () {
                // A note across the table, with a day of its own or about the office.
                () if name && !under.is_empty() && (says_date(text) || line_role(&Words::of(text)) != Role::Tells) => {
                    return false;
                }
                () if !under.is_empty() => of_days.push((words, under_of(under))),
                () if !name && timing(text).says && says_what(text) => {
                    of_days.push((words, Under::Nowhere(Unplaced::NoDay)));
                }
                () => beside.push(Beside { name, text: text.to_owned(), rows: spot.rows.max(1) }),
            }
        }
        if of_days.is_empty() && (timing(&row.text).says || says_date(&row.text)) {
            return false;
        }
        self.flush();
        if of_days.is_empty() && is_announced(&row.text) {
            let entry =
                Entry { town: self.town.clone(), venue: self.venue.clone(), ..Entry::of(&row.text, row.links.clone()) };
            self.out.entries.push(entry);
        }
        let joined = |name: bool| {
            let texts: Vec<&str> = beside.iter().filter(|it| it.name == name).map(|it| it.text.as_str()).collect();
            texts.join("\n")
        };
        let (mut label, mut more) = (joined(true), joined(false));
        for text in [&mut label, &mut more].into_iter().filter(|text| text.len() > LONGEST_ROW) {
            // No name of a row, and too much to be said again with each of its things.
            self.out.entries.push(Entry::of(&std::mem::take(text), Vec::new()));
        }
        for (words, under) in of_days {
            let first = words.start;
            let of_cell = bullets.partition_point(|at| *at < first)..bullets.partition_point(|at| *at < words.end);
            for (from, to) in things(&row.text[words], first, &bullets[of_cell]) {
                self.thing(&row, (&label, &more), (first + from, first + to), under.clone());
            }
        }
        beside.iter_mut().for_each(|it| it.rows -= 1);
        beside.retain(|it| it.rows > 0);
        grid.tall = beside;
        true
    }

    /// One thing of a cell, with the name of its row where it is the title, the place or the part of the day, and with
    /// what is said behind the days.
    fn thing(&mut self, row: &Line, (label, more): (&str, &str), (from, to): (usize, usize), under: Under) {
        let text = &row.text[from..to];
        let timed = timing(text).says;
        let names = says_what(text);
        let titles = says_what(label) && !is_part_of_day(label);
        let ticked = is_tick(text) && titles;
        let told = timed || ticked || names || titles && is_place(text);
        let closed = !timed && (is_closed(text) || line_role(&Words::of(text)) == Role::Aside);
        if !closed && !names && !titles && self.place_under_theme(row, (from, to), &under) {
            return;
        }
        if !told || closed {
            return;
        }
        let labelled = label.chars().any(char::is_alphanumeric);
        let (told, titled) = match () {
            () if !labelled => (None, false),
            () if ticked => (Some(label.to_owned()), true),
            () if !names => (Some(format!("{}\n{text}", row_name(label, titles))), true),
            () if is_part_of_day(label) && timed => (None, false),
            () if is_part_of_day(label) || is_place(label) || tells_of_an_event(text) => {
                (Some(format!("{text}\n{label}")), false)
            }
            () => (Some(format!("{label}\n{text}")), true),
        };
        let told = if more.is_empty() { told } else { Some(format!("{}\n{more}", told.as_deref().unwrap_or(text))) };
        // Where more than the cell is read, the whole row is the text of the item.
        let whole = told.is_some() && row.text.len() <= LONGEST_ROW;
        let (shown, links) = if whole { (&*row.text, Vec::new()) } else { (text, links_within(row, from, to)) };
        let (town, venue) = (self.town.clone(), self.venue.clone());
        let entry = Entry { under, told, town, venue, placed_by_words: true, titled, ..Entry::of(shown, links) };
        self.out.entries.push(entry);
    }
}

impl Builder<'_> {
    /// `Bédoin`, `Cairanne (17h-20h)` under « Marchés (de 8 h à 13 h) »: the heading says what, and when where the cell does not.
    fn place_under_theme(&mut self, row: &Line, (from, to): (usize, usize), under: &Under) -> bool {
        let text = &row.text[from..to];
        let Some(theme) = self
            .theme
            .clone()
            .filter(|theme| tells_of_an_event(theme) && is_place(text.split('(').next().unwrap_or(text)))
        else {
            return false;
        };
        let (what, hours) = theme.split_once('(').map_or((theme.as_str(), ""), |(what, hours)| (what, hours));
        // `de 8h à 13h sauf mention contraire`
        let words = Words::of(hours);
        let hour =
            (0..words.tokens.len()).find_map(|at| hours::time(&words.tokens, at).map(|time| words.slice(at, time.to)));
        let told = if timing(text).says { text.to_owned() } else { format!("{text}, {}", hour.unwrap_or_default()) };
        let entry = Entry {
            under: under.clone(),
            told: Some(told),
            theme: Some(what.trim().to_owned()),
            placed_by_words: true,
            ..Entry::of(text, links_within(row, from, to))
        };
        self.out.entries.push(entry);
        true
    }
}

/// The name of a row above cells that only say hours: its first line, whatever its words, and of the others those
/// without a figure (`1 h 47 – comédie` is how long the film lasts).
fn row_name(label: &str, titles: bool) -> String {
    let mut lines = label.split('\n');
    let first = lines.next().unwrap_or_default();
    if !titles || is_place(first) || is_part_of_day(first) || !is_name(first) {
        return label.to_owned();
    }
    let others = lines.filter(|line| !line.chars().any(|c| c.is_ascii_digit()));
    std::iter::once(named(first)).chain(others.map(str::to_owned)).collect::<Vec<_>>().join("\n")
}

/// Longer rows are not shown with each of their things.
const LONGEST_ROW: usize = 600;

fn under_of(days: Vec<NaiveDate>) -> Under {
    if days.len() > 2 { Under::Listed(days) } else { Under::Days(days) }
}

/// The row that line `at` begins, as one line, and where in it there are bullets.
fn whole_row(lines: &[Line], at: usize) -> (Line, Vec<usize>) {
    let Spot { table, row, .. } = lines[at].spot;
    let of_row = lines[at..].iter().take_while(|line| line.spot.table == table && line.spot.row == row);
    let of_row: Vec<&Line> = of_row.collect();
    if let [line] = of_row.as_slice()
        && line.cells.first().is_some_and(|cell| cell.spot == line.spot)
    {
        return ((*line).clone(), Vec::new());
    }
    let (mut bullets, mut from) = (Vec::new(), 0);
    for line in &of_row {
        bullets.extend(line.bullet.then_some(from));
        from += line.text.len() + 1;
    }
    let whole = Line::of_row(of_row.into_iter().map(|line| Line { cells: Vec::new(), ..line.clone() }));
    (whole.unwrap_or_default(), bullets)
}

/// The things of a cell, as bytes of it: each bullet begins one, each line with an hour, and a line that names another
/// after a whole one. The cell begins at byte `start` of its row, where the `bullets` are.
fn things(cell: &str, start: usize, bullets: &[usize]) -> Vec<(usize, usize)> {
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
        let begins = bullets.binary_search(&(start + from)).is_ok()
            || out
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

/// Whether a row without a word below its days announces something all the same, and is not the heading of the rows
/// below.
fn is_announced(text: &str) -> bool {
    let words = Words::of(text);
    let heads = words.tokens.iter().all(|token| token.is_any(THEMES) || is_function(token));
    tells_of_an_event(text) && !heads && line_role(&words) == Role::Tells
}

/// `fermé`, `Relâche`, `FERMÉE le matin`; but `Visite de la ferme` and `Fermeture de la saison : bal` are things to
/// attend.
fn is_closed(text: &str) -> bool {
    let words = Words::of(text);
    let closed = words.tokens.iter().enumerate().any(|(at, token)| {
        let accented = || words.text[token.start..token.end].chars().any(|c| matches!(c, 'é' | 'É'));
        match token.fold.as_str() {
            "relache" | "fermeture" | "fermee" | "fermees" => true,
            "ferme" | "fermes" => accented() || words.tokens.len() == 1 && words.shouts(at),
            _ => false,
        }
    });
    closed && !tells_of_an_event(text)
}

/// The cross of a row's thing below one of its days.
fn is_tick(text: &str) -> bool {
    const TICKS: [&str; 12] = ["x", "X", "×", "✕", "✖", "✓", "✔", "✅", "☑", "●", "•", "oui"];
    TICKS.contains(&text.trim_end_matches('\u{fe0f}'))
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
