//! The article's order: which lines are items, under which day and in which town each stands.
//!
//! Every line between the introduction and the footer becomes an item or part of one. A line with an hour or a date
//! that no day can be given to is kept, with the reason; so is what stands before the first day.

use std::collections::HashSet;

use chrono::NaiveDate;

use super::calendar::Calendar;
use super::days::{Recurrence, Spec, Weekdays};
use super::html::{Line, Link, Shape};
use super::lines::{
    DayLine, Footer, Form, LONGEST_LINE, Section, Timing, footer, is_dated_practical, is_detail, is_exhibition,
    is_label, is_lone_bullet, is_practical, lone_name, look, says_date, section, timing, town_run_in, without_bullet,
};
use super::marks::{Meaning, marks};
use super::sentences::{Role, line_role};
use super::text::{Words, is_space};
use super::when::{Piece, When, pieces};
use super::words::is_event_noun;
use crate::domain::agenda::{Unplaced, Week};

/// Where an item stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Under {
    Days(Vec<NaiveDate>),
    /// Weekdays of the article's week.
    Weekly(Weekdays),
    /// Dates of something that lasts or recurs: `du 3 juillet au 31 août`, `les 12, 13 et 14`.
    Listed(Vec<NaiveDate>),
    Exhibitions,
    Nowhere(Unplaced),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) under: Under,
    /// As written, `\n` where a line or a cell ended.
    pub(super) text: String,
    /// What is read for this day, where the text tells of several: its title and this day's date and hours.
    pub(super) told: Option<String>,
    pub(super) links: Vec<Link>,
    pub(super) town: Option<String>,
    /// The heading of its theme: `Les marchés`.
    pub(super) theme: Option<String>,
    /// The words of the item placed it: its date is no news for the note.
    pub(super) placed_by_words: bool,
    /// A heading of unknown kind, kept as written.
    pub(super) heading: bool,
    /// Its first line is its title: it stands out, or text follows below it.
    pub(super) titled: bool,
}

#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) entries: Vec<Entry>,
    /// Days that have a heading, with or without items.
    pub(super) headed: Vec<NaiveDate>,
    pub(super) warnings: Vec<String>,
}

/// What the title and the introduction say of days.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lead {
    /// `pour ce lundi 2 août`: the one day of all that follows, where no heading names one.
    pub(super) day: Option<NaiveDate>,
    /// `les 15 et 16 septembre`: what « les deux jours » means.
    pub(super) span: Option<(NaiveDate, NaiveDate)>,
}

/// What a line says by itself, found once: many lines look at their neighbours.
#[derive(Debug, Clone, Copy)]
struct Facts {
    timing: Timing,
    says_date: bool,
    practical: bool,
    dated_practical: bool,
    role: Role,
}

impl Facts {
    fn of(line: &Line) -> Self {
        let text = line.text.as_str();
        Self {
            timing: timing(text),
            says_date: says_date(text),
            practical: is_practical(text),
            dated_practical: is_dated_practical(text),
            role: line_role(&Words::of(text)),
        }
    }
}

/// An entry that may still grow by the lines after it.
struct Pending {
    entry: Entry,
    block: usize,
    in_list: bool,
    bullet: bool,
    /// Its first line stands out as a title.
    strong: bool,
    timed: bool,
    only_time: bool,
    /// Line number up to which the lines were found to belong to it.
    holds_to: usize,
    /// Where its practical line puts it, with that day's words, where it names several days.
    dated: Vec<(Under, Option<String>)>,
}

struct Builder<'c> {
    calendar: Calendar,
    lead: Lead,
    out: Outline,
    under: Under,
    headed_article: bool,
    day_level: u8,
    town: Option<String>,
    /// Towns are the outer order, days the inner one.
    towns_outside: bool,
    town_looks: HashSet<(Shape, bool)>,
    town_names: HashSet<usize>,
    theme: Option<String>,
    pending: Option<Pending>,
    /// A heading's label, an item only if its day has no other.
    label: Option<(Vec<NaiveDate>, String)>,
    closed: bool,
    bullet_waits: bool,
    ignore_strong: bool,
    bullets_are_titles: bool,
    /// The day of the last words of the line before.
    last_when: Option<When>,
    category: Option<String>,
    /// The days of the columns of the table that is being read.
    columns: Vec<(usize, Vec<NaiveDate>)>,
    facts: Vec<Facts>,
    lines: &'c [Line],
    read: &'c [Option<DayLine>],
}

pub(super) fn outline(lines: &[Line], read: &[Option<DayLine>], calendar: &Calendar, lead: Lead) -> Outline {
    // « 2 commentaires » as a heading ends the article wherever it stands; as a plain line above it, it is a link.
    let comments = lines.iter().position(|line| line.shape.heading > 0 && footer(line) == Some(Footer::End));
    let lines = &lines[..comments.unwrap_or(lines.len())];
    let facts: Vec<Facts> = lines.iter().map(Facts::of).collect();
    let is_head = |at: usize| {
        read[at].as_ref().is_some_and(|day| {
            let practical = day.form == Form::RunIn && facts[at].dated_practical;
            let names_a_day = day.form != Form::Inside && !practical;
            names_a_day && !is_week_title(day, calendar) && !is_byline(day, &lines[at], calendar)
        })
    };
    let heads: Vec<usize> = (0..lines.len()).filter(|at| is_head(*at)).collect();
    let item_dates = heads
        .iter()
        .filter(|at| {
            (lines[**at].bullet || without_bullet(&lines[**at].text).1)
                && !lines[**at].text.contains('\n')
                && read[**at].as_ref().is_some_and(|day| day.form == Form::RunIn)
        })
        .count();
    let headings = heads.iter().filter(|at| read[**at].as_ref().is_some_and(|day| day.form == Form::Heading)).count();
    let practical = (0..lines.len()).filter(|at| !lines[*at].text.contains('\n') && facts[*at].dated_practical).count();
    let headed_article = headings > 0 || heads.len() > item_dates + practical;
    let first_head = heads.iter().copied().find(|_| headed_article);
    let town_names = lone_towns(lines, read, &facts);
    let first_town = (0..lines.len()).find(|at| {
        town_names.contains(at)
            || matches!(section(&lines[*at]), Some(Section::Town(_)))
            || lines[*at].shape.heading == 0 && town_run_in(&lines[*at].text, false).is_some_and(|run_in| run_in.known)
    });
    let first_item = (0..lines.len()).find(|at| is_dated_item(&lines[*at], facts[*at]));
    let first_item = first_item.filter(|_| !headed_article);
    // A title stands above the line with its day.
    let first_item = first_item.map(|at| {
        let titles =
            |at: &usize| lines[*at].shape.heading > 1 || lines[*at].shape.strong && lines[*at].shape.heading == 0;
        (at.saturating_sub(4)..at).rev().take_while(|at| !facts[*at].timing.says).find(titles).unwrap_or(at)
    });
    let first_grid = (0..lines.len()).find(|at| is_grid_header(&lines[*at]));
    let start = [first_head, first_town, first_item, first_grid].into_iter().flatten().min();
    let Some(start) = start else {
        return without_days(lines, lead);
    };
    let town_looks = lines[start..].iter().filter(|line| matches!(section(line), Some(Section::Town(_)))).map(look);
    let town_looks = town_looks.filter(|(shape, shouts)| shape.stands_out() || *shouts).collect();
    let strong = lines[start..].iter().filter(|line| line.shape.strong).count();
    let mut builder = Builder {
        calendar: *calendar,
        lead,
        out: Outline::default(),
        under: match lead.day.filter(|_| !headed_article) {
            Some(day) => Under::Days(vec![day]),
            None => Under::Nowhere(Unplaced::NoDay),
        },
        headed_article,
        day_level: 0,
        town: None,
        towns_outside: first_town.is_some_and(|town| first_head.is_none_or(|head| town <= head)),
        town_looks,
        town_names,
        theme: None,
        pending: None,
        label: None,
        closed: false,
        bullet_waits: false,
        ignore_strong: strong * 10 > (lines.len() - start) * 6,
        bullets_are_titles: bullets_are_titles(&lines[start..], &read[start..]),
        last_when: None,
        category: None,
        columns: Vec::new(),
        facts,
        lines,
        read,
    };
    for at in 0..start {
        builder.introduction(at);
    }
    for at in start..lines.len() {
        if !builder.line(at) {
            break;
        }
    }
    builder.flush();
    builder.keep_label();
    builder.out
}

/// The row of a table whose cells are days.
fn is_grid_header(line: &Line) -> bool {
    let days = line.text.split('\n').filter(|cell| {
        let words = Words::of(cell);
        super::days::date(&words.tokens, 0).is_some_and(|date| date.to + 1 >= words.tokens.len())
    });
    line.cells.len() >= 3 && days.count() >= 3
}

/// No line names a day: whatever holds an hour or a date is kept for a person to place.
fn without_days(lines: &[Line], lead: Lead) -> Outline {
    let mut out = Outline::default();
    for line in lines {
        let facts = Facts::of(line);
        if !facts.timing.says && !facts.says_date {
            continue;
        }
        let aside = facts.role != Role::Tells;
        let under = match lead.day.filter(|_| !aside && facts.timing.says) {
            Some(day) => Under::Days(vec![day]),
            None => Under::Nowhere(if aside { Unplaced::NotAnEvent } else { Unplaced::NoDay }),
        };
        out.entries.push(Entry { under, ..Entry::of(&line.text, line.links.clone()) });
    }
    out
}

/// `Du 12 au 18 juillet` on its own line names the week, not a day.
pub(super) fn is_week_title(day: &DayLine, calendar: &Calendar) -> bool {
    matches!(day.spec, Spec::Range(..)) && calendar.dates(&day.spec).days.len() > 5
}

/// `Vendredi 9 juillet 2027` above the text says when it was published.
fn is_byline(day: &DayLine, line: &Line, calendar: &Calendar) -> bool {
    let Spec::List(mentions) = &day.spec else { return false };
    let [mention] = mentions.as_slice() else { return false };
    let dates = calendar.dates(&day.spec).days;
    let words = Words::of(&line.text);
    let signed = words
        .tokens
        .iter()
        .any(|token| token.is_any(&["vues", "publie", "redaction", "lecture", "auteur", "webmaster"]));
    let near = dates.iter().all(|date| (*date - calendar.published).num_days().abs() <= 1);
    let elsewhere = calendar.week.is_none_or(|week| dates.iter().all(|date| !week.contains(*date)));
    mention.year.is_some() && near && (elsewhere || signed) && line.shape.heading == 0
}

/// A line that dates itself and tells something.
fn is_dated_item(line: &Line, facts: Facts) -> bool {
    let times = facts.timing;
    line.shape.heading == 0
        && (line.bullet || line.in_list || without_bullet(&line.text).1 || times.says)
        && (facts.says_date || (days_of_the_week(&line.text) || says_today(&line.text)) && times.says)
        && facts.role == Role::Tells
}

/// `aujourd'hui`, `demain`, `ce soir`
pub(super) fn speaks_of_today(text: &str) -> bool {
    says_today(text) || Words::of(text).tokens.iter().any(|token| token.is_any(&["aujourd'hui", "demain"]))
}

/// `ce soir`, `cet après-midi`
fn says_today(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    (0..words.tokens.len()).any(|at| {
        words.is(at, &["ce"]) && words.is(at + 1, &["soir", "matin", "midi"])
            || words.is(at, &["cet"]) && words.is(at + 1, &["apres-midi"])
    })
}

/// `L'après-midi, …`, `Le soir, …`, `À midi, …`: a line that goes on with the day of the one before.
fn goes_on(text: &str) -> bool {
    let words = Words::of(text);
    let starts = |list: &[&str]| list.iter().enumerate().all(|(at, word)| words.is(at, &[word]));
    [
        &["l'", "apres-midi"][..],
        &["le", "soir"],
        &["le", "matin"],
        &["a", "midi"],
        &["a", "minuit"],
        &["en", "soiree"],
        &["en", "fin"],
        &["dans", "l'", "apres-midi"],
        &["dans", "la", "soiree"],
        &["en", "matinee"],
        &["le", "meme"],
        &["et", "l'", "apres-midi"],
        &["et", "le", "soir"],
    ]
    .iter()
    .any(|list| starts(list))
}

fn days_of_the_week(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Dates(_) | Meaning::Recurs(_)))
}

/// Names alone on a line that order the article by town: each has a line with an hour or a bullet below it, and there
/// are several, or the name is that of a commune.
fn lone_towns(lines: &[Line], read: &[Option<DayLine>], facts: &[Facts]) -> HashSet<usize> {
    let found: Vec<usize> = (0..lines.len().saturating_sub(1))
        .filter(|at| {
            let (line, next) = (&lines[*at], &lines[at + 1]);
            !line.bullet
                && read[*at].is_none()
                && lone_name(line).is_some()
                && read[at + 1].as_ref().is_none_or(|day| day.form != Form::Heading)
                && (facts[at + 1].timing.says || next.bullet || without_bullet(&next.text).1)
        })
        .collect();
    let known = |at: &usize| matches!(section(&lines[*at]), Some(Section::Town(_)));
    let several = found.len() >= 2 && found.iter().all(|at| look(&lines[*at]).0 == look(&lines[found[0]]).0);
    found.into_iter().filter(|at| several || known(at)).collect()
}

/// Whether the lines with a bullet are titles, and what stands between them is text: `► Bal | 21 h`, then a sentence.
fn bullets_are_titles(lines: &[Line], read: &[Option<DayLine>]) -> bool {
    let signed = |line: &Line| line.bullet || without_bullet(&line.text).1;
    let titles = (0..lines.len()).filter(|at| signed(&lines[*at]) && !is_lone_bullet(&lines[*at].text)).count();
    let followed = lines
        .windows(2)
        .zip(read.windows(2))
        .filter(|(pair, days)| {
            signed(&pair[0])
                && !is_lone_bullet(&pair[0].text)
                && !signed(&pair[1])
                && days[1].is_none()
                && pair[1].shape.heading == 0
                && !pair[1].in_list
                && footer(&pair[1]).is_none()
        })
        .count();
    titles >= 1 && followed * 5 >= titles * 2
}

impl Entry {
    fn of(text: &str, links: Vec<Link>) -> Self {
        Self {
            under: Under::Nowhere(Unplaced::NoDay),
            text: text.to_owned(),
            told: None,
            links,
            town: None,
            theme: None,
            placed_by_words: false,
            heading: false,
            titled: false,
        }
    }
}

impl Builder<'_> {
    /// A line before the first day: an introduction, unless it holds an hour.
    fn introduction(&mut self, at: usize) {
        let line = &self.lines[at];
        let facts = self.facts[at];
        let aside = facts.role != Role::Tells;
        if line.shape.heading > 0 || footer(line).is_some() || !facts.timing.says {
            return;
        }
        let (found, _) = pieces(&line.text, &self.calendar, None, self.lead.span);
        // A line that dates itself and tells of something to attend is an item wherever it stands.
        if let [Piece { when: When::Days(_), .. }] = found.as_slice()
            && facts.says_date
            && !aside
            && tells_of_an_event(&line.text)
        {
            self.words(at, 0, 0);
            self.flush();
            return;
        }
        let teaser = found.len() > 1 || line.text.ends_with(['…', ':']) || line.text.contains('!');
        let why = if aside || teaser { Unplaced::NotAnEvent } else { Unplaced::BeforeTheDays };
        self.out.entries.push(Entry { under: Under::Nowhere(why), ..Entry::of(&line.text, line.links.clone()) });
    }

    /// Reads one line; `false` when nothing after it counts.
    fn line(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        let day = self.read[at].as_ref();
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
        if line.cells.is_empty() {
            self.columns.clear();
        } else if self.grid(at) {
            return true;
        }
        if line.header_row {
            self.flush();
            return true;
        }
        if self.closed && !self.reopens(day, line) {
            self.aside(line);
            return true;
        }
        let within = self.pending.as_ref().is_some_and(|pending| {
            pending.holds_to > at || pending.strong && pending.dated.is_empty() && self.facts[at].dated_practical
        });
        if !within {
            if let Some(day) = day
                && self.day(at, day, line)
            {
                return true;
            }
            if self.facts[at].role == Role::Aside {
                self.flush();
                self.aside(line);
                return true;
            }
            // `Nature` above the heading of a card: its category.
            if self.is_category(at) {
                self.flush();
                self.category = Some(line.text.clone());
                return true;
            }
            match self.section_of(at, line) {
                Some(Section::Exhibitions) => {
                    self.enter(Under::Exhibitions);
                    return true;
                }
                Some(Section::Daily(days)) => {
                    self.enter(Under::Weekly(days));
                    return true;
                }
                Some(Section::Town(town)) => {
                    self.flush();
                    self.town = Some(town);
                    return true;
                }
                Some(Section::Theme) => {
                    self.flush();
                    self.theme = Some(line.text.clone());
                    if !self.headed_article {
                        self.under = self.ground();
                    }
                    return true;
                }
                None => {}
            }
        }
        self.words(at, 0, 0);
        true
    }

    /// A word or two above a heading inside a day: the category of the card that begins there.
    fn is_category(&self, at: usize) -> bool {
        let line = &self.lines[at];
        let heads_a_card = self.lines.get(at + 1).is_some_and(|next| {
            next.shape.heading > 1 && self.read[at + 1].is_none() && next.shape.heading > self.day_level
        });
        heads_a_card
            && self.day_level > 0
            && line.shape.heading == 0
            && !line.bullet
            && line.text.split(' ').count() <= 3
            && !self.facts[at].timing.says
            && !line.text.ends_with(['.', '!', '?', ':'])
    }

    /// A table whose columns are days: a row is one thing, each of its cells its hours on that day.
    fn grid(&mut self, at: usize) -> bool {
        const LEAST_DAYS: usize = 3;
        let line = &self.lines[at];
        let ends = line.cells.iter().skip(1).map(|(_, from)| from - 1).chain([line.text.len()]);
        let cells: Vec<(usize, &str)> =
            line.cells.iter().zip(ends).map(|((number, from), to)| (*number, &line.text[*from..to])).collect();
        let dated: Vec<(usize, Vec<NaiveDate>)> = cells
            .iter()
            .filter_map(|(number, text)| {
                let words = Words::of(text);
                let date = super::days::date(&words.tokens, 0).filter(|date| date.to + 1 >= words.tokens.len())?;
                Some((*number, self.calendar.dates(&date.what).days)).filter(|(_, days)| days.len() == 1)
            })
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

    /// What no heading has placed stands under: the day of the lead, or none.
    fn ground(&self) -> Under {
        match self.lead.day.filter(|_| !self.headed_article) {
            Some(day) => Under::Days(vec![day]),
            None => Under::Nowhere(Unplaced::NoDay),
        }
    }

    /// A line that is not about an event. With an hour or a date it is kept for a person to see.
    fn aside(&mut self, line: &Line) {
        if timing(&line.text).says || says_date(&line.text) {
            let under = Under::Nowhere(Unplaced::NotAnEvent);
            self.out.entries.push(Entry { under, ..Entry::of(&line.text, line.links.clone()) });
        }
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
        self.theme = None;
        if !self.towns_outside {
            self.town = None;
        }
    }

    fn section_of(&self, at: usize, line: &Line) -> Option<Section> {
        let found = section(line);
        match found {
            Some(Section::Exhibitions | Section::Theme) if line.bullet && !line.shape.stands_out() => None,
            // Deeper than the days: a theme within the day.
            Some(Section::Exhibitions) if self.day_level > 0 && line.shape.heading > self.day_level => {
                Some(Section::Theme)
            }
            None if self.town_names.contains(&at)
                || !line.text.contains('\n') && self.town_looks.contains(&look(line)) =>
            {
                lone_name(line).map(Section::Town)
            }
            found => found,
        }
    }

    /// A line that begins with a day. `false`: its words are to be read like any other's.
    fn day(&mut self, at: usize, day: &DayLine, line: &Line) -> bool {
        let dates = self.calendar.dates(&day.spec);
        let span = matches!(day.spec, Spec::Range(..));
        if dates.days.is_empty() || (span && dates.days.len() > 7) || day.form == Form::Inside {
            return false;
        }
        let in_section = matches!(self.under, Under::Exhibitions | Under::Weekly(_));
        // `Du 10 au 16 juillet : « Terres cuites »` is an exhibition, not a heading of days.
        if in_section && (span || (day.form != Form::Heading && !line.shape.stands_out())) && day.rest < line.text.len()
        {
            return false;
        }
        if is_week_title(day, &self.calendar) {
            if day.form == Form::Heading && self.headed_article && !self.out.headed.is_empty() {
                self.enter(Under::Weekly(Weekdays::ALL));
                return true;
            }
            return day.form == Form::Heading;
        }
        // In a list the date is the item's own.
        if day.form == Form::RunIn
            && (line.bullet || without_bullet(&line.text).1)
            && !self.headed_article
            && !line.text.contains('\n')
        {
            return false;
        }
        self.out.warnings.extend(dates.warnings);
        self.head(dates.days, line.shape.heading);
        if day.form == Form::Heading {
            let label = line.text[day.rest..]
                .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '«' | '»' | '(' | ')'));
            // `Jeudi 21 août – Campan`: the town of the day.
            let town = lone_name(&Line { text: label.to_owned(), ..Line::default() })
                .filter(|name| !super::communes::departments(name).is_empty());
            if town.is_some() {
                self.town = town;
            } else if !label.is_empty() && !is_label(label) {
                self.label = Some((self.headed_days(), label.to_owned()));
            }
        } else {
            self.words(at, 0, day.rest);
        }
        true
    }

    fn head(&mut self, days: Vec<NaiveDate>, level: u8) {
        self.enter(Under::Days(days.clone()));
        self.keep_label();
        if level > 0 {
            self.day_level = level;
        }
        self.calendar.last = days.last().copied().or(self.calendar.last);
        self.out.headed.extend(days);
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
            && !self
                .out
                .entries
                .iter()
                .rev()
                .take(LATELY)
                .any(|entry| matches!(&entry.under, Under::Days(under) if under.iter().any(|day| days.contains(day))))
        {
            self.out.entries.push(Entry { under: Under::Days(days), ..Entry::of(&text, Vec::new()) });
        }
    }

    /// The words of a line: a new item, more of the last one, or several days' items. Shown from byte `shown` on, read
    /// from byte `from` on.
    fn words(&mut self, at: usize, shown: usize, from: usize) {
        let line = &self.lines[at];
        // `3. Une rando aux lampions` as a heading
        let numbered = line.text[from..].trim_start_matches(|c: char| c.is_ascii_digit());
        let number = line.text.len() - from - numbered.len();
        if line.shape.heading > 0 && (1..=2).contains(&number) && numbered.starts_with(['.', ')']) {
            let at_words = from + number + 1;
            self.words_from(at, shown.max(at_words), at_words);
            return;
        }
        self.words_from(at, shown, from);
    }

    fn words_from(&mut self, at: usize, shown: usize, from: usize) {
        let line = &self.lines[at];
        let skip = |from: usize| {
            line.text[from..].len()
                - line.text[from..].trim_start_matches([':', '.', ',', '|', ' ', '\n', '\u{a0}']).len()
        };
        let mut from = from + skip(from);
        let heading_before = from > 0;
        let mut shown = if heading_before { from } else { shown };
        let (cut, mut signed) = without_bullet(&line.text[from..]);
        from += cut;
        shown = shown.max(from);
        signed |= line.bullet && !heading_before;
        if self.under == Under::Exhibitions {
            // `Vernissage mardi 5 à 18 h 30.`: a thing to attend beside the exhibition.
            let (found, _) = pieces(&line.text[from..], &self.calendar, None, self.lead.span);
            let attended = found.iter().find(|piece| {
                let text = &line.text[from + piece.shown.0..from + piece.shown.1];
                let starts = marks(&Words::of(text)).iter().any(|mark| matches!(&mark.meaning, Meaning::Times(times) if times.slots.iter().any(|slot| slot.end.is_none())));
                matches!(&piece.when, When::Days(days) if days.len() == 1) && piece.told.is_empty() && starts && tells_of_an_event(text)
            });
            if let Some(Piece { when: When::Days(days), shown: (start, end), .. }) = attended {
                let (days, start, end) = (days.clone(), from + start, from + end);
                self.piece(at, (shown, start), None, Under::Exhibitions, signed, false);
                self.flush();
                self.piece(at, (start, end), None, Under::Days(days), true, true);
                self.flush();
                self.piece(at, (end, line.text.len()), None, Under::Exhibitions, true, false);
                return;
            }
            self.piece(at, (shown, line.text.len()), None, Under::Exhibitions, signed, false);
            return;
        }
        let titles = line.shape.heading > 0;
        if let Some(run_in) = town_run_in(&line.text[from..], self.pending.is_none() || !signed).filter(|_| !titles) {
            self.flush();
            self.town = Some(run_in.town);
            from += run_in.rest;
            from += skip(from);
            // `Ternoux. Animations du 16 au 22. Lundi 16…`: the days stand within the town.
            let rest = Words::of(&line.text[from..]);
            let dated = (0..rest.tokens.len().min(6))
                .any(|at| super::days::date(&rest.tokens, at).is_some_and(|date| super::lines::has_number(&date.what)));
            self.towns_outside |= dated && self.out.headed.is_empty();
        }
        if is_exhibition(&line.text[from..]) {
            self.piece(at, (shown, line.text.len()), None, Under::Exhibitions, signed, true);
            return;
        }
        let under = match &self.under {
            Under::Days(days) => Some(days.clone()),
            _ => None,
        };
        let before_line = self
            .last_when
            .take()
            .filter(|_| !self.headed_article && self.lead.day.is_none() && goes_on(&line.text[from..]));
        let below_title = self.pending.as_ref().is_some_and(|pending| pending.strong || pending.holds_to > at);
        if below_title && !signed && is_dated_practical(&line.text[from..]) {
            let under = self.under.clone();
            self.piece(at, (shown, line.text.len()), None, under, false, false);
            return;
        }
        // A line that only continues the item above is not cut by the day it mentions.
        let (found, warnings) = pieces(&line.text[from..], &self.calendar, under.as_deref(), self.lead.span);
        self.out.warnings.extend(warnings);
        let mut found = found;
        if let Some(when) = before_line {
            // The line goes on with the day of the one above it.
            for piece in found.iter_mut().take_while(|piece| piece.when == When::Inherited) {
                piece.when = when.clone();
            }
        }
        let last = found.last().map(|piece| piece.when.clone());
        self.last_when = last.clone().filter(|when| matches!(when, When::Days(_)));
        let whole = found.len() == 1;
        for (index, piece) in found.iter().enumerate() {
            let range =
                if index == 0 { (shown, from + piece.shown.1) } else { (from + piece.shown.0, from + piece.shown.1) };
            let range = if piece.told.is_empty() || index > 0 && found[index - 1].shown != piece.shown {
                range
            } else {
                (if piece.shown.0 == 0 { shown } else { from + piece.shown.0 }, from + piece.shown.1)
            };
            let told = self.told(line, from, piece, index == 0 && range.0 < from);
            let (place, by_words) = self.under_of(piece, &line.text[from..]);
            self.piece(at, range, told, place, signed && index == 0, by_words);
            if !whole {
                self.flush();
            }
        }
        // `Lundi 16 juillet. 9 heures, marché…` in a paragraph heads the lines below it too.
        if let Some(When::Days(days)) = last
            && !self.headed_article
            && self.lead.day.is_none()
            && !line.bullet
            && found
                .last()
                .is_some_and(|piece| begins_with_date_alone(&line.text[from + piece.shown.0..from + piece.shown.1]))
        {
            self.under = Under::Days(days);
        }
    }

    /// What is read of a piece, where that is not what is shown.
    fn told(&self, line: &Line, from: usize, piece: &Piece, behind_town: bool) -> Option<String> {
        if piece.told.is_empty() {
            return behind_town.then(|| line.text[from + piece.shown.0..from + piece.shown.1].to_owned());
        }
        let parts: Vec<&str> =
            piece.told.iter().map(|(a, b)| line.text[from + a..from + b].trim_matches(is_space)).collect();
        Some(parts.join(" "))
    }

    /// The place of a piece, and whether its own words gave it.
    fn under_of(&self, piece: &Piece, text: &str) -> (Under, bool) {
        match (&piece.when, &self.under) {
            (When::Inherited, under) => {
                // `fermé le lundi` within « tous les jours ».
                let days = match under {
                    Under::Weekly(section) => Under::Weekly(self.weekly(text, *section)),
                    other => other.clone(),
                };
                (days, matches!(under, Under::Weekly(_)))
            }
            (When::TwoReadings, _) => (Under::Nowhere(Unplaced::TwoReadings), false),
            (When::Weekly(days), _) => (Under::Weekly(self.weekly(text, *days)), true),
            (When::Days(days), _) if days.len() >= 3 => (Under::Listed(days.clone()), true),
            (When::Days(days), _) => (Under::Days(days.clone()), true),
        }
    }

    /// `sauf le lundi`, `du mardi au samedi`: what an item says within its section.
    fn weekly(&self, text: &str, section: Weekdays) -> Weekdays {
        let mut days = section;
        for mark in marks(&Words::of(text)) {
            if let Meaning::Recurs(Recurrence::Except(closed)) = mark.meaning {
                days = days.without(closed);
            }
        }
        days
    }

    /// A stretch of a line: a new item, or more of the one before it.
    fn piece(
        &mut self,
        at: usize,
        (start, to): (usize, usize),
        told: Option<String>,
        under: Under,
        signed: bool,
        by_words: bool,
    ) {
        let line = &self.lines[at];
        let raw = &line.text[start..to];
        let lead = raw.len() - raw.trim_start_matches(|c: char| is_space(c) || matches!(c, ',' | ';' | '.')).len();
        let start = start + lead;
        let text = line.text[start..to].trim_end();
        if !text.chars().any(char::is_alphanumeric) {
            return;
        }
        let links = links_within(line, start, start + text.len());
        let bullet = std::mem::take(&mut self.bullet_waits) || signed;
        let time = timing(text);
        let strong = line.shape.strong && !self.ignore_strong;
        if !bullet && told.is_none() && self.joins(at, text, time, strong, &under) {
            self.join(line, text, links, time, strong);
            return;
        }
        self.flush();
        // A bold sentence is an introduction, not a title.
        let sentence = text.ends_with(['.', '!']) && text.split(' ').count() > 8;
        let title = !bullet && !time.says && (line.shape.heading > 0 || strong && !sentence) && start == 0;
        let under = if title && self.leaves_the_days(line) {
            self.under = Under::Nowhere(Unplaced::NoDay);
            self.under.clone()
        } else {
            under
        };
        let holds_to = if told.is_none() && start + text.len() >= line.text.trim_end().len() {
            self.title_holds_to(at, text, bullet, time)
        } else {
            at
        };
        let mut entry = Entry {
            under,
            told,
            town: self.town.clone(),
            theme: self.theme.clone(),
            placed_by_words: by_words,
            heading: title && line.shape.heading > 0,
            titled: title || holds_to > at,
            ..Entry::of(text, links)
        };
        if let Some(category) = self.category.take() {
            entry.text.push('\n');
            entry.text += &category;
        }
        self.pending = Some(Pending {
            entry,
            block: line.block,
            in_list: line.in_list,
            bullet,
            strong: title,
            timed: time.says,
            only_time: time.only,
            holds_to,
            dated: Vec::new(),
        });
    }

    /// The line after the last one of a title with its text below: `Ternoux, sur les pas des tisserands`, a sentence,
    /// `Rendez-vous à 10 h à la Maison du Lin`. `at` where the line is no such title.
    fn title_holds_to(&self, at: usize, text: &str, bullet: bool, time: Timing) -> usize {
        const MOST_LINES: usize = 5;
        let plain = |line: &Line| {
            !line.bullet && !without_bullet(&line.text).1 && line.shape.heading == 0 && !line.text.contains('\n')
        };
        if bullet
            || time.says
            || !plain(&self.lines[at]) && self.lines[at].shape.heading == 0
            || text.split(' ').count() > 14
        {
            return at;
        }
        for next in at + 1..self.lines.len().min(at + MOST_LINES) {
            let line = &self.lines[next];
            let practical = self.facts[next].dated_practical;
            let day = !practical && self.read[next].as_ref().is_some_and(|day| day.form != Form::Inside);
            let strong = line.shape.strong && !self.ignore_strong;
            if day || !plain(line) || strong || footer(line).is_some() || self.section_of(next, line).is_some() {
                return at;
            }
            let facts = self.facts[next];
            if facts.timing.says
                && !practical
                && self.lines[at].shape.heading > 0
                && !facts.says_date
                && !facts.practical
            {
                // The text of an article's chapter may tell of hours; its practical line says the day.
                continue;
            }
            if facts.timing.says {
                return if practical || facts.practical { next + 1 } else { at };
            }
            if facts.says_date && !practical {
                return at;
            }
        }
        at
    }

    /// Where a practical line below a title puts it.
    fn dated(&mut self, text: &str) -> Vec<(Under, Option<String>)> {
        if !is_dated_practical(text) {
            return Vec::new();
        }
        let text = text.split('\n').next_back().unwrap_or(text);
        let text = text
            .split_once(':')
            .filter(|(label, _)| label.split(' ').count() <= 3 && !label.chars().any(|c| c.is_ascii_digit()))
            .map_or(text, |(_, rest)| rest);
        let (found, warnings) = pieces(text, &self.calendar, None, self.lead.span);
        self.out.warnings.extend(warnings);
        let dated: Vec<Piece> = found.into_iter().filter(|piece| piece.when != When::Inherited).collect();
        let several = dated.len() > 1;
        let told = |piece: &Piece| {
            let ranges = if piece.told.is_empty() { vec![piece.shown] } else { piece.told.clone() };
            ranges.iter().map(|(a, b)| text[*a..*b].trim()).collect::<Vec<_>>().join(" ")
        };
        dated.iter().map(|piece| (self.under_of(piece, text).0, several.then(|| told(piece)))).collect()
    }

    fn join(&mut self, line: &Line, text: &str, links: Vec<Link>, time: Timing, strong: bool) {
        let dated = self.dated(text);
        let Some(pending) = &mut self.pending else { return };
        if pending.dated.is_empty() && !pending.entry.placed_by_words {
            pending.dated = dated;
        }
        pending.entry.text.push('\n');
        let offset = pending.entry.text.len();
        pending.entry.text += text;
        if let Some(told) = &mut pending.entry.told {
            told.push('\n');
            told.push_str(text);
        }
        let moved = links.into_iter().map(|link| Link { start: link.start + offset, end: link.end + offset, ..link });
        pending.entry.links.extend(moved);
        pending.entry.heading = false;
        pending.entry.titled |= pending.strong || pending.bullet && self.bullets_are_titles;
        pending.timed |= time.says;
        pending.only_time &= time.only;
        pending.block = line.block;
        pending.strong &= strong || pending.strong;
    }

    /// A heading of the days' own rank that names no day ends them: « Bon à savoir ».
    fn leaves_the_days(&self, line: &Line) -> bool {
        self.day_level > 0 && line.shape.heading > 0 && line.shape.heading <= self.day_level
    }

    /// Whether a line without a bullet is more of the item before it.
    fn joins(&self, at: usize, text: &str, time: Timing, strong: bool, under: &Under) -> bool {
        let line = &self.lines[at];
        let Some(pending) = &self.pending else { return false };
        if pending.holds_to > at {
            return true;
        }
        if pending.strong && pending.dated.is_empty() && is_dated_practical(text) && line.shape.heading == 0 {
            return true;
        }
        if pending.entry.under != *under && !pending.entry.placed_by_words {
            return false;
        }
        if line.shape.heading > 0 {
            return false;
        }
        if pending.in_list && line.in_list {
            return !(time.starts && pending.timed) || pending.only_time;
        }
        if pending.in_list != line.in_list {
            return false;
        }
        if pending.strong {
            // A title line with its text below it.
            let another_title = strong || (time.starts && pending.timed && !is_practical(text));
            return !another_title;
        }
        if pending.bullet && self.bullets_are_titles {
            return !strong;
        }
        if is_detail(text) {
            return true;
        }
        // A sentence without an hour and without anything to attend tells more of the line above it.
        let sentence = text.ends_with(['.', '!', '…', '?']) && !time.says && !says_date(text);
        if super::lines::is_exhibition(text) || pending.entry.under == Under::Exhibitions && says_until(text) {
            return false;
        }
        if sentence && pending.timed && !line.shape.stands_out() && !tells_of_an_event(text) && !self.ends_the_day(at) {
            return true;
        }
        line.block == pending.block && pending.only_time
    }

    /// Whether no other item of the day follows: then a sentence may as well be the article's farewell.
    fn ends_the_day(&self, at: usize) -> bool {
        const FAR: usize = 12;
        (at + 1..self.lines.len().min(at + FAR)).all(|next| !self.facts[next].timing.says)
    }

    fn flush(&mut self) {
        let Some(Pending { mut entry, timed, dated, .. }) = self.pending.take() else { return };
        if let Some((under, told)) = dated.first() {
            // One title, several days with hours of their own: an entry a day.
            for (under, told) in dated.iter().skip(1) {
                let title = entry.text.split('\n').next().unwrap_or_default();
                let told = told.as_ref().map(|told| format!("{title}\n{told}"));
                self.out.entries.push(Entry { under: under.clone(), told, placed_by_words: true, ..entry.clone() });
            }
            let title = entry.text.split('\n').next().unwrap_or_default().to_owned();
            entry.told = told.as_ref().map(|told| format!("{title}\n{told}"));
            entry.under = under.clone();
            entry.placed_by_words = true;
            self.out.entries.push(entry);
            return;
        }
        if matches!(entry.under, Under::Nowhere(_)) && entry.heading {
            // A heading that only looked like an item sorts the items below it.
            self.theme = Some(entry.text);
            return;
        }
        let nowhere = entry.under == Under::Nowhere(Unplaced::NoDay);
        if nowhere && !timed && !says_date(&entry.text) && !self.headed_article {
            return;
        }
        if line_role(&Words::of(&entry.text)) == Role::Booking && !matches!(entry.under, Under::Exhibitions) {
            entry.under = Under::Nowhere(Unplaced::NotAnEvent);
        }
        // `Chaque vendredi, Sophie et Mathias vous disent où sortir`: nothing to attend, and no hour.
        if matches!(entry.under, Under::Weekly(_))
            && entry.placed_by_words
            && !timed
            && !tells_of_an_event(&entry.text)
            && self.under != Under::Weekly(Weekdays::ALL)
        {
            entry.under = Under::Nowhere(Unplaced::NoDay);
        }
        // `Bien sûr, la buvette est ouverte. Bonne semaine à tous !`: the farewell below the last day.
        if matches!(entry.under, Under::Days(_)) && !timed && !says_date(&entry.text) && is_farewell(&entry.text) {
            entry.under = Under::Nowhere(Unplaced::NotAnEvent);
        }
        self.out.entries.push(entry);
    }
}

fn is_farewell(text: &str) -> bool {
    if text.len() > LONGEST_LINE {
        return false;
    }
    let words = Words::of(text);
    let aside = super::sentences::sentences(&words)
        .into_iter()
        .any(|(from, to)| super::sentences::role(&words, from, to) == Role::Aside);
    aside && !words.tokens.iter().any(|token| is_event_noun(token) || token.is_any(&["«", "\""]))
}

/// How far back a heading's own items are looked for.
const LATELY: usize = 300;

/// `Lundi 16 juillet. 9 heures, marché`: the date is a sentence, or ends with a colon.
fn begins_with_date_alone(text: &str) -> bool {
    let words = Words::of(text.trim_start());
    super::days::date(&words.tokens, 0).is_some_and(|date| words.is(date.to, &[".", ":", "-"]))
}

fn says_until(text: &str) -> bool {
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Until(_)))
}

fn tells_of_an_event(text: &str) -> bool {
    let words = Words::of(text);
    words.tokens.iter().take(8).any(|token| is_event_noun(token) || token.is_any(&["«", "\""]))
}

fn links_within(line: &Line, from: usize, to: usize) -> Vec<Link> {
    let within = line.links.iter().filter(|link| link.end > from && link.start < to);
    within
        .map(|link| Link { start: link.start.max(from) - from, end: link.end.min(to) - from, href: link.href.clone() })
        .collect()
}

/// The week that the title or the introduction names: `Du 12 au 18 juillet`, `semaine du 12 juillet`.
pub(super) fn named_week<'t>(texts: impl Iterator<Item = &'t str>, published: NaiveDate) -> Option<Week> {
    let calendar = Calendar { published, week: None, last: None, agreed: None, speaks_of_today: false };
    for text in texts {
        let words = Words::of(text);
        for at in 0..words.tokens.len() {
            let start = if words.is(at, &["semaine"]) && words.is(at + 1, &["du"]) { at + 2 } else { at };
            let Some(found) = super::days::date(&words.tokens, start) else { continue };
            let days = calendar.dates(&found.what).days;
            let ranged = matches!(found.what, Spec::Range(..)) && (2..=9).contains(&days.len());
            if (ranged || start > at)
                && super::lines::has_number(&found.what)
                && let Some(first) = days.first()
            {
                // `Du samedi 10 au dimanche 18`: the week with the most of it.
                let middle = first.checked_add_days(chrono::Days::new(days.len() as u64 / 2)).unwrap_or(*first);
                return Some(Week::of(middle));
            }
        }
    }
    None
}

/// The one day, or the few days in a row, that the title and the introduction are about.
pub(super) fn lead<'t>(
    texts: impl Iterator<Item = &'t str>,
    rest: impl Iterator<Item = &'t str>,
    calendar: &Calendar,
) -> Lead {
    let mut days: Vec<NaiveDate> = Vec::new();
    for text in texts {
        for mark in marks(&Words::of(text)) {
            if let Meaning::Dates(spec) = mark.meaning
                && super::lines::has_number(&spec)
            {
                days.extend(calendar.dates(&spec).days);
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    // A chronicle with « demain » or another weekday is not about one day, whatever stands in its byline.
    let others = rest.flat_map(|text| marks(&Words::of(text))).any(|mark| match mark.meaning {
        Meaning::Dates(spec) => calendar.dates(&spec).days.iter().any(|day| !days.contains(day)),
        Meaning::Recurs(_) => false,
        _ => false,
    });
    let first_last = days.first().copied().zip(days.last().copied());
    let span = first_last.filter(|(first, last)| (1..=3).contains(&(*last - *first).num_days()));
    Lead { day: (days.len() == 1 && !others).then(|| days[0]), span }
}
