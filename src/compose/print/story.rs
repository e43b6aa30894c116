//! The content to print: the agenda as sections of entries, each paragraph shaped and placed in the reading order.
//!
//! Poster and booklet use the same story; it is independent of paper and size.

use std::rc::Rc;

use crate::{
    compose::rows::{Row, daily_rows_by_hour, rows_by_hour, status_word},
    domain::{agenda::Status, french},
};

use super::{
    Sheet,
    shaper::{Shaped, Shaper, Weight},
    sheet::{ElementId, Outline, Role},
    theme::Style,
};

/// A paragraph of one style.
#[derive(Debug, Clone)]
pub struct Paragraph {
    pub element: ElementId,
    pub style: Style,
    pub text: Rc<Shaped>,
}

/// A row of the agenda: the hour in the margin, the rest beside it.
#[derive(Debug)]
pub struct Entry {
    pub hour: Option<Paragraph>,
    /// `Annulé`, `Reporté`, `Complet`
    pub status: Option<Paragraph>,
    pub body: Vec<Paragraph>,
}

/// A day, or a group of things that have no day.
#[derive(Debug)]
pub struct Section {
    pub heading: Paragraph,
    /// The heading when the section goes on in the next column.
    pub continued: Rc<Shaped>,
    pub title: String,
    pub dated: bool,
    pub entries: Vec<Entry>,
}

/// The text for a week without events.
pub const NOTHING_ANNOUNCED: &str = "Aucun rendez-vous n’est annoncé cette semaine.";

/// Every section of the sheet, in reading order, under `parent`.
pub fn sections(sheet: &Sheet, shaper: &Shaper, outline: &mut Outline, parent: ElementId) -> Vec<Section> {
    let mut writer = Writer { shaper, outline, parent };
    let mut sections = Vec::new();
    let mut days: Vec<_> = sheet.agenda.days.iter().filter(|day| !day.items.is_empty()).collect();
    days.sort_by_key(|day| day.date);
    for day in days {
        let title = french::capitalized(&french::day(day.date));
        sections.push(writer.section(&title, true, &rows_by_hour(&day.items)));
    }
    let daily = &sheet.agenda.daily;
    let every_day = daily.iter().all(|daily| daily.days.is_empty() || daily.days.len() == 7);
    let groups = [
        (if every_day { "Tous les jours" } else { "Plusieurs jours cette semaine" }, daily_rows_by_hour(daily)),
        ("Expositions", rows_by_hour(&sheet.agenda.exhibitions)),
        ("À noter aussi", rows_by_hour(sheet.agenda.to_place())),
    ];
    for (title, rows) in groups {
        if !rows.is_empty() {
            sections.push(writer.section(title, false, &rows));
        }
    }
    sections
}

struct Writer<'a> {
    shaper: &'a Shaper<'a>,
    outline: &'a mut Outline,
    parent: ElementId,
}

impl Writer<'_> {
    fn section(&mut self, title: &str, dated: bool, rows: &[Row]) -> Section {
        let element = self.outline.add(self.parent, Role::Section);
        let heading = self.outline.add(element, Role::Heading);
        let list = self.outline.add(element, Role::List);
        let heading = self.paragraph(heading, Style::Heading, title);
        let entries = rows.iter().map(|row| self.entry(list, row)).collect();
        let continued = self.shaper.shape(Weight::Bold, &format!("{title} (suite)"));
        Section { heading, continued, title: title.to_owned(), dated, entries }
    }

    fn entry(&mut self, list: ElementId, row: &Row) -> Entry {
        let element = self.outline.add(list, Role::ListItem);
        let hour = (!row.time.is_empty()).then(|| {
            let label = self.outline.add(element, Role::Label);
            self.paragraph(label, Style::Hour, &held_to_its_hour(&row.time))
        });
        let body_element = self.outline.add(element, Role::ListBody);
        let mut element = self.outline.add(body_element, Role::Paragraph);
        if let Some(url) = &row.link {
            element = self.outline.add(element, Role::Link { url: url.clone() });
        }
        let mut body = vec![self.paragraph(element, title_style(row), &row.title)];
        let status = status_word(row.status).map(|word| {
            let element = self.outline.add(body_element, Role::Paragraph);
            self.paragraph(element, Style::Status, word)
        });
        let details = [&row.days, &row.until, &row.place, &row.price, &row.phone];
        let details: Vec<_> = details.into_iter().flatten().map(String::as_str).collect();
        let details = Some(details.join(" · ")).filter(|details| !details.is_empty());
        for text in details.iter().chain(&row.note) {
            let element = self.outline.add(body_element, Role::Paragraph);
            body.push(self.paragraph(element, Style::Detail, &french::capitalized(text)));
        }
        body.retain(|paragraph| !paragraph.text.is_blank());
        Entry { hour, status, body }
    }

    fn paragraph(&self, element: ElementId, style: Style, text: &str) -> Paragraph {
        let weight = if style.bold() { Weight::Bold } else { Weight::Regular };
        Paragraph { element, style, text: self.shaper.shape(weight, text) }
    }
}

/// Keeps `dès 18 h 30` on one line.
fn held_to_its_hour(time: &str) -> String {
    let word = ["dès", "vers"].into_iter().find(|&word| time.starts_with(word) && time[word.len()..].starts_with(' '));
    match word {
        Some(word) => format!("{word}{}{}", french::NBSP, &time[word.len() + 1..]),
        None => time.to_owned(),
    }
}

/// Texts longer than this are not set in bold.
const LONGEST_IN_BOLD: usize = 110;

fn title_style(row: &Row) -> Style {
    match row.status {
        Status::Cancelled => Style::Cancelled,
        _ if row.as_written && row.title.chars().count() > LONGEST_IN_BOLD => Style::Prose,
        _ => Style::Title,
    }
}
