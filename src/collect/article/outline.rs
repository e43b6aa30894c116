//! The article's order: which lines are items, and under which day each stands.
//!
//! Nothing before the first day and nothing of the footer is an item; everything between is one, under a day or
//! unplaced. Two kinds of article are told apart first: those that head their days, and those that date each item.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};

use super::days::{Calendar, Recurrence, Spec, Weekdays};
use super::html::{Line, Link, Shape};
use super::lines::{
    DayLine, Footer, Form, Section, day_line, footer, has_number, inner_days, is_detail, is_lone_bullet, lone_name,
    look, section, timing, without_bullet,
};
use super::marks::{Meaning, marks};
use super::text::Words;
use crate::domain::agenda::Week;

/// Where an item stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Under {
    Days(Vec<NaiveDate>),
    Daily(Weekdays),
    /// A span of dates longer than a heading's: `du 3 juillet au 31 août`.
    Span(NaiveDate, NaiveDate),
    Exhibitions,
    Nowhere,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) under: Under,
    /// As written, `\n` where a line or a cell ended.
    pub(super) text: String,
    pub(super) links: Vec<Link>,
    pub(super) town: Option<String>,
    /// The words of the item placed it: its date is no news for the note.
    pub(super) placed_by_words: bool,
    /// A heading of unknown kind, kept as written.
    pub(super) heading: bool,
}

#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) entries: Vec<Entry>,
    /// Days that have a heading, with or without items.
    pub(super) headed: Vec<NaiveDate>,
    pub(super) warnings: Vec<String>,
}

/// An entry that may still grow by the lines after it.
struct Pending {
    entry: Entry,
    block: usize,
    in_list: bool,
    strong: bool,
    timed: bool,
    only_time: bool,
}

struct Builder<'c> {
    calendar: Calendar,
    out: Outline,
    under: Under,
    /// The current day comes from an item's own date, not from a heading.
    soft: bool,
    headed_article: bool,
    day_level: u8,
    town: Option<String>,
    town_looks: HashSet<(Shape, bool)>,
    pending: Option<Pending>,
    /// A heading's label, an item only if its day has no other.
    label: Option<(Vec<NaiveDate>, String)>,
    closed: bool,
    bullet_waits: bool,
    ignore_strong: bool,
    lines: &'c [Line],
}

pub(super) fn outline(lines: &[Line], calendar: &Calendar) -> Outline {
    let read: Vec<Option<DayLine>> = lines.iter().map(day_line).collect();
    let is_head = |at: usize| {
        read[at].as_ref().is_some_and(|day| {
            day.form != Form::Inside && !is_week_title(day, calendar) && !is_byline(day, &lines[at], calendar)
        })
    };
    let first_head = (0..lines.len()).find(|at| is_head(*at));
    let start = first_head.or_else(|| (0..lines.len()).find(|at| is_dated_item(&lines[*at])));
    let Some(start) = start else { return Outline::default() };
    let town_looks = lines[start..].iter().filter(|line| matches!(section(line), Some(Section::Town(_)))).map(look);
    let town_looks = town_looks.filter(|(shape, shouts)| shape.stands_out() || *shouts).collect();
    let strong = lines[start..].iter().filter(|line| line.shape.strong).count();
    let mut builder = Builder {
        calendar: *calendar,
        out: Outline::default(),
        under: Under::Nowhere,
        soft: true,
        headed_article: first_head.is_some(),
        day_level: 0,
        town: None,
        town_looks,
        pending: None,
        label: None,
        closed: false,
        bullet_waits: false,
        ignore_strong: strong * 10 > (lines.len() - start) * 6,
        lines,
    };
    for (at, day) in read.into_iter().enumerate().skip(start) {
        if !builder.line(at, day) {
            break;
        }
    }
    builder.flush();
    builder.keep_label();
    builder.out
}

/// `Du 12 au 18 juillet` on its own line names the week, not a day.
fn is_week_title(day: &DayLine, calendar: &Calendar) -> bool {
    matches!(day.spec, Spec::Range(..)) && calendar.dates(&day.spec).days.len() > 5
}

/// `Vendredi 9 juillet 2027` above the text says when it was published.
fn is_byline(day: &DayLine, line: &Line, calendar: &Calendar) -> bool {
    let Spec::List(mentions) = &day.spec else { return false };
    let [mention] = mentions.as_slice() else { return false };
    let dates = calendar.dates(&day.spec).days;
    let near = dates.iter().all(|date| (*date - calendar.published).num_days().abs() <= 1);
    let elsewhere = calendar.week.is_none_or(|week| dates.iter().all(|date| !week.contains(*date)));
    mention.year.is_some() && near && elsewhere && line.shape.heading == 0
}

/// In an article without headings of days: a line that dates itself and tells something.
fn is_dated_item(line: &Line) -> bool {
    if line.shape.heading > 0 {
        return false;
    }
    let listed = line.bullet || line.in_list || without_bullet(&line.text).1;
    (listed || timing(&line.text).says) && own_date(&line.text).is_some()
}

/// The first date or recurrence an item says of itself.
enum OwnDate {
    Dates(Spec),
    Recurs,
}

fn own_date(text: &str) -> Option<OwnDate> {
    marks(&Words::of(text)).into_iter().find_map(|mark| match mark.meaning {
        Meaning::Dates(spec) if has_number(&spec) => Some(OwnDate::Dates(spec)),
        Meaning::Recurs(Recurrence::On(_)) => Some(OwnDate::Recurs),
        _ => None,
    })
}

impl Builder<'_> {
    /// Reads one line; `false` when nothing after it counts.
    fn line(&mut self, at: usize, day: Option<DayLine>) -> bool {
        let line = &self.lines[at];
        match footer(line) {
            Some(Footer::End) => {
                self.flush();
                return false;
            }
            Some(Footer::Stray) => return true,
            Some(Footer::Close) => {
                self.flush();
                self.closed = true;
                return true;
            }
            None => {}
        }
        if is_lone_bullet(&line.text) {
            self.flush();
            self.bullet_waits = true;
            return true;
        }
        if line.header_row {
            self.flush();
            return true;
        }
        if self.closed && !self.reopens(day.as_ref(), line) {
            return true;
        }
        if let Some(day) = day
            && self.day(&day, line)
        {
            return true;
        }
        match self.section_of(line) {
            Some(Section::Exhibitions) => self.enter(Under::Exhibitions),
            Some(Section::Daily(days)) => self.enter(Under::Daily(days)),
            Some(Section::Town(town)) => {
                self.flush();
                self.town = Some(town);
            }
            Some(Section::Theme) => {
                self.flush();
                if self.soft && !self.headed_article {
                    self.under = Under::Nowhere;
                }
            }
            None => self.words(line, 0),
        }
        true
    }

    /// After the footer only a later day of the same week is still agenda.
    fn reopens(&mut self, day: Option<&DayLine>, line: &Line) -> bool {
        let dates = day
            .filter(|day| day.form == Form::Heading && line.shape.stands_out())
            .map(|day| self.calendar.dates(&day.spec).days);
        let last = self.out.headed.last().copied();
        let later = dates.is_some_and(|dates| {
            dates.first().zip(last).is_some_and(|(date, last)| *date > last && Week::of(*date) == Week::of(last))
        });
        self.closed = !later;
        later
    }

    fn enter(&mut self, under: Under) {
        self.flush();
        self.under = under;
        self.soft = false;
        self.town = None;
    }

    fn section_of(&self, line: &Line) -> Option<Section> {
        let found = section(line);
        match found {
            Some(Section::Exhibitions | Section::Theme) if line.bullet && !line.shape.stands_out() => None,
            // Deeper than the days: a theme within the day.
            Some(Section::Exhibitions) if self.day_level > 0 && line.shape.heading > self.day_level => {
                Some(Section::Theme)
            }
            None if !line.text.contains('\n') && self.town_looks.contains(&look(line)) => {
                lone_name(line).map(Section::Town)
            }
            found => found,
        }
    }

    /// A line that begins with a day. `false`: its words are to be read like any other's.
    fn day(&mut self, day: &DayLine, line: &Line) -> bool {
        let dates = self.calendar.dates(&day.spec);
        let span = matches!(day.spec, Spec::Range(..));
        if dates.days.is_empty() || (span && dates.days.len() > 7) {
            return false;
        }
        let in_section = matches!(self.under, Under::Exhibitions | Under::Daily(_));
        // `Du 10 au 16 juillet : « Terres cuites »` is an exhibition, not a heading of days.
        if in_section && (span || (day.form != Form::Heading && !line.shape.stands_out())) && day.rest < line.text.len()
        {
            return false;
        }
        if day.form == Form::Inside
            && self.headed_article
            && matches!(&self.under, Under::Days(now) if *now == dates.days)
        {
            return false;
        }
        if is_week_title(day, &self.calendar) {
            if day.form == Form::Heading && self.headed_article && !self.out.headed.is_empty() {
                self.enter(Under::Daily(Weekdays::ALL));
                return true;
            }
            return day.form == Form::Heading;
        }
        self.out.warnings.extend(dates.warnings);
        match day.form {
            Form::Heading => {
                self.head(dates.days, line.shape.heading, true);
                let label = line.text[day.rest..]
                    .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '«' | '»' | '(' | ')'));
                if !label.is_empty() {
                    self.label = Some((self.headed_days(), label.to_owned()));
                }
            }
            Form::RunIn => {
                self.head(dates.days, line.shape.heading, true);
                self.words(line, day.rest);
            }
            Form::Inside => {
                let item = Under::Days(dates.days);
                if self.headed_article || line.bullet {
                    self.flush();
                    let around = std::mem::replace(&mut self.under, item);
                    self.words(line, 0);
                    if let Some(pending) = &mut self.pending {
                        pending.entry.placed_by_words = true;
                    }
                    self.under = if self.headed_article { around } else { Under::Nowhere };
                } else {
                    self.enter(item);
                    self.soft = true;
                    self.words(line, 0);
                    if let Some(pending) = &mut self.pending {
                        pending.entry.placed_by_words = true;
                    }
                }
            }
        }
        true
    }

    fn head(&mut self, days: Vec<NaiveDate>, level: u8, heading: bool) {
        self.enter(Under::Days(days.clone()));
        self.keep_label();
        if heading {
            if level > 0 {
                self.day_level = level;
            }
            self.calendar.last = days.last().copied().or(self.calendar.last);
            self.out.headed.extend(days);
        }
    }

    fn headed_days(&self) -> Vec<NaiveDate> {
        match &self.under {
            Under::Days(days) => days.clone(),
            _ => Vec::new(),
        }
    }

    /// `Samedi 17 juillet : fête du village` with nothing under it: the label is the item.
    fn keep_label(&mut self) {
        if let Some((days, text)) = self.label.take()
            && !days.is_empty()
            && !self.out.entries.iter().rev().any(|entry| matches!(&entry.under, Under::Days(under) if *under == days))
        {
            let entry = Entry {
                under: Under::Days(days),
                text,
                links: Vec::new(),
                town: None,
                placed_by_words: false,
                heading: false,
            };
            self.out.entries.push(entry);
        }
    }

    /// The words of a line from byte `from` on: a new item, more of the last one, or several days' items.
    fn words(&mut self, line: &Line, from: usize) {
        let skipped =
            line.text[from..].len() - line.text[from..].trim_start_matches([':', '.', ',', '|', ' ', '\n']).len();
        let from = from + skipped;
        let inner = inner_days(&line.text[from..]);
        let mut start = from;
        let mut dated = from > 0 || self.pending.as_ref().is_some_and(|pending| pending.entry.placed_by_words);
        for day in inner {
            let dates = self.calendar.dates(&day.spec);
            let splits = if self.headed_article {
                matches!(self.under, Under::Days(_)) && self.under != Under::Days(dates.days.clone())
            } else {
                dated
            };
            if dates.days.is_empty() || !splits || !(day.firm || dated || self.headed_article) {
                dated = true;
                continue;
            }
            self.piece(line, start, from + day.at);
            self.out.warnings.extend(dates.warnings);
            self.head(dates.days, 0, self.headed_article);
            self.soft = !self.headed_article;
            let rest = &line.text[from + day.rest..];
            start = from + day.rest + (rest.len() - rest.trim_start_matches([':', '.', ',', ' ', '\n']).len());
            dated = true;
        }
        self.piece(line, start, line.text.len());
    }

    fn piece(&mut self, line: &Line, from: usize, to: usize) {
        let (cut, signed) = without_bullet(&line.text[from..to]);
        let start = from + cut;
        let raw = &line.text[start..to];
        let text = raw.trim_end();
        if !text.chars().any(char::is_alphanumeric) {
            return;
        }
        let links: Vec<Link> = line
            .links
            .iter()
            .filter(|link| link.end > start && link.start < start + text.len())
            .map(|link| Link {
                start: link.start.max(start) - start,
                end: link.end.min(start + text.len()) - start,
                href: link.href.clone(),
            })
            .collect();
        let bullet = std::mem::take(&mut self.bullet_waits) || signed || (line.bullet && from == 0);
        let time = timing(text);
        let strong = line.shape.strong && !self.ignore_strong;
        if !bullet && from == 0 && self.joins(line, text, strong) {
            if let Some(pending) = &mut self.pending {
                pending.entry.text.push('\n');
                let offset = pending.entry.text.len();
                pending.entry.text += text;
                pending.entry.links.extend(links.into_iter().map(|link| Link {
                    start: link.start + offset,
                    end: link.end + offset,
                    ..link
                }));
                pending.entry.heading = false;
                pending.timed |= time.says;
                pending.only_time &= time.only;
                pending.block = line.block;
                pending.strong &= strong;
            }
            return;
        }
        self.flush();
        let title = !bullet && !time.says && (line.shape.heading > 0 || strong) && from == 0;
        if title && self.leaves_the_days(line) {
            self.under = Under::Nowhere;
        }
        let entry = Entry {
            under: self.under.clone(),
            text: text.to_owned(),
            links,
            town: self.town.clone(),
            placed_by_words: false,
            heading: title && line.shape.heading > 0,
        };
        self.pending = Some(Pending {
            entry,
            block: line.block,
            in_list: line.in_list,
            strong: title,
            timed: time.says,
            only_time: time.only,
        });
    }

    /// A heading of the days' own rank that names no day ends them: « Bon à savoir ».
    fn leaves_the_days(&self, line: &Line) -> bool {
        self.day_level > 0 && line.shape.heading > 0 && line.shape.heading <= self.day_level
    }

    /// Whether a line without a bullet is more of the item before it.
    fn joins(&self, line: &Line, text: &str, strong: bool) -> bool {
        let Some(pending) = &self.pending else { return false };
        if pending.entry.under != self.under && !pending.entry.placed_by_words {
            return false;
        }
        if line.shape.heading > 0 {
            return false;
        }
        let time = timing(text);
        if pending.in_list && line.in_list {
            return !(time.starts && pending.timed) || pending.only_time;
        }
        if pending.in_list != line.in_list {
            return false;
        }
        if pending.strong {
            // A title line with its text below it.
            return !strong && !(time.starts && pending.timed);
        }
        if is_detail(text) {
            return true;
        }
        line.block == pending.block && pending.only_time
    }

    fn flush(&mut self) {
        let Some(Pending { mut entry, .. }) = self.pending.take() else { return };
        if entry.under == Under::Nowhere || (!self.headed_article && self.soft && !entry.placed_by_words) {
            self.place_by_own_words(&mut entry);
        } else if let Under::Daily(days) = entry.under {
            entry.under = Under::Daily(self.daily_days(&entry.text, days));
            entry.placed_by_words = true;
        }
        self.out.entries.push(entry);
    }

    fn place_by_own_words(&mut self, entry: &mut Entry) {
        match own_date(&entry.text) {
            Some(OwnDate::Dates(spec)) => {
                let dates = self.calendar.dates(&spec);
                self.out.warnings.extend(dates.warnings);
                if let (Some(first), Some(last)) = (dates.days.first(), dates.days.last()) {
                    entry.under = if dates.days.len() > 2 && matches!(spec, Spec::Range(..)) {
                        Under::Span(*first, *last)
                    } else {
                        Under::Days(dates.days)
                    };
                    entry.placed_by_words = true;
                }
            }
            Some(OwnDate::Recurs) => {
                entry.under = Under::Daily(self.daily_days(&entry.text, Weekdays::ALL));
                entry.placed_by_words = true;
            }
            None => {}
        }
        // A heading that only looked like an item sorts the items below it.
        if entry.under == Under::Nowhere && entry.heading {
            entry.text.clear();
        }
    }

    /// `sauf le lundi`, `du mardi au samedi`: what an item says within its section.
    fn daily_days(&self, text: &str, section: Weekdays) -> Weekdays {
        let mut days = section;
        for mark in marks(&Words::of(text)) {
            match mark.meaning {
                Meaning::Recurs(Recurrence::On(on)) => days = on,
                Meaning::Recurs(Recurrence::Except(closed)) => days = days.without(closed),
                _ => {}
            }
        }
        days
    }
}

/// The week that the title or the introduction names: `Du 12 au 18 juillet`, `semaine du 12 juillet`.
pub(super) fn named_week<'t>(texts: impl Iterator<Item = &'t str>, published: NaiveDate) -> Option<Week> {
    let calendar = Calendar { published, week: None, last: None };
    for text in texts {
        let words = Words::of(text);
        for at in 0..words.tokens.len() {
            let start = if words.is(at, &["semaine"]) && words.is(at + 1, &["du"]) { at + 2 } else { at };
            let Some(found) = super::days::date(&words.tokens, start) else { continue };
            let days = calendar.dates(&found.what).days;
            let ranged = matches!(found.what, Spec::Range(..)) && (2..=9).contains(&days.len());
            if (ranged || start > at)
                && has_number(&found.what)
                && let Some(first) = days.first()
            {
                // `Du samedi 10 au dimanche 18`: the week with the most of it.
                let middle = first.checked_add_days(Days::new(days.len() as u64 / 2)).unwrap_or(*first);
                return Some(Week::of(middle));
            }
        }
    }
    None
}
