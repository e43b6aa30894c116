//! The order of the article: which lines are items, and the day and town of each.
//!
//! Every line between the introduction and the footer becomes an item or part of one. A line with an hour or a date but
//! no day is kept with the reason, also before the first day.

mod asides;
mod cards;
mod grid;
mod items;
mod line;
mod nested;
mod survey;
mod usual;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use self::asides::{heads_notes, heads_practical_lines, is_parting_word, names_a_period, names_more};
use self::cards::{Card, cards};
use self::grid::{Grid, is_grid_header};
use self::items::Pending;
use self::nested::Parent;
use self::survey::{
    bullets_are_titles, commune_looks, heads_dated_lines, is_dated_item, lone_towns, place_headings,
    sections_of_dated_lines, town_of_a_feast,
};
use self::usual::{is_saint_of, usual_town};
use super::calendar::Calendar;
use super::communes;
use super::days::{Spec, Weekdays};
use super::html::{Line, Link, Shape};
use super::lines::{
    DayLine, Footer, Form, LONGEST_LINE, Section, Timing, footer, is_label, is_lone_bullet, look, says_date, section,
    timing, without_bullet,
};
use super::marks::{Meaning, marks};
use super::places::Place;
use super::practical::{is_dated_practical, is_practical};
use super::record::{is_labelled, is_pinned_place};
use super::sentences::{Role, line_role};
use super::text::{Kind, Words};
use super::towns::{lone_name, long_name, town_run_in};
use super::week::{Lead, is_byline, is_week_title};
use super::when::{Around, Piece, When, pieces};
use super::words::{is_event_noun, is_function};
use crate::domain::agenda::{Unplaced, Week};

/// The position of an item.
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
    /// The venue of its heading: `Salle des fêtes de Nedde`.
    pub(super) venue: Option<String>,
    /// The heading of its theme: `Les marchés`.
    pub(super) theme: Option<String>,
    /// The heading of its theme stands above it alone: `8. Un super loto à Corcieux`.
    pub(super) chapter: bool,
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

/// What a line says by itself, found once: many lines look at their neighbours.
#[derive(Debug, Clone, Copy)]
struct Facts {
    timing: Timing,
    says_date: bool,
    practical: bool,
    dated_practical: bool,
    role: Role,
    /// `Annulé.`, `COMPLET`: nothing but a state.
    state_alone: bool,
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
            state_alone: is_state_alone(text),
        }
    }
}

struct Builder<'c> {
    calendar: Calendar,
    lead: Lead,
    out: Outline,
    under: Under,
    headed_article: bool,
    day_level: u8,
    town: Option<String>,
    /// The town that the article gives to what names none: `Sauf mention contraire, tout se passe à Gramat.`
    usual_town: Option<String>,
    /// The town in a cell of the row that is being read.
    row_town: Option<String>,
    /// The venue of the heading that gave the town.
    venue: Option<String>,
    /// Headings that name a venue, or a venue and its town.
    place_heads: HashMap<usize, Place>,
    /// How they look: another one that looks so ends their places.
    place_look: Option<Shape>,
    /// Towns are the outer order, days the inner one.
    towns_outside: bool,
    /// The line with the first day of a feast whose introduction is being read.
    first_day_of_feast: usize,
    /// The level of its heading: one of the same level ends it.
    feast_level: u8,
    town_looks: HashSet<(Shape, bool)>,
    /// Those of the headings that are communes for the most part, where towns are the outer order.
    commune_looks: HashSet<(Shape, bool)>,
    town_names: HashSet<usize>,
    theme: Option<String>,
    pending: Option<Pending>,
    /// The items whose lists are open, the innermost last.
    parents: Vec<Parent>,
    /// A heading's label, an item only if its day has no other.
    label: Option<(Vec<NaiveDate>, String)>,
    closed: bool,
    bullet_waits: bool,
    ignore_strong: bool,
    bullets_are_titles: bool,
    /// A state alone stands above the first item of some day: it may be that of the item below it.
    states_lead: bool,
    /// The day of the last words of the line before.
    last_when: Option<When>,
    category: Option<String>,
    /// The days that the lines below the introduction name.
    told: HashSet<NaiveDate>,
    /// The table that is being read, where its columns are days.
    grid: Option<Grid>,
    /// Headings of themes with lines below them that say their own days, and how those above the first day look.
    sections: HashSet<usize>,
    section_looks: HashSet<(Shape, bool)>,
    facts: Vec<Facts>,
    /// Cards, by their first line, and the line after the last one of the card that was read.
    cards: BTreeMap<usize, Card>,
    card_to: usize,
    lines: &'c [Line],
    read: &'c [Option<DayLine>],
}

pub(super) fn outline(lines: &[Line], read: &[Option<DayLine>], calendar: &Calendar, lead: Lead) -> Outline {
    // « 2 commentaires » as a heading ends the article wherever it stands; as a plain line above it, it is a link.
    let comments = lines.iter().position(|line| line.shape.heading > 0 && footer(line) == Some(Footer::End));
    let lines = &lines[..comments.unwrap_or(lines.len())];
    let facts: Vec<Facts> = lines.iter().map(Facts::of).collect();
    let cards = cards(lines, read, &facts);
    // The day of a card heads nothing but the card.
    let within_cards = cards::within(&cards);
    let days = read.iter().enumerate().map(|(at, day)| day.clone().filter(|_| !within_cards.contains(&at)));
    let read: &[Option<DayLine>] = &days.collect::<Vec<_>>();
    let is_head = |at: usize| {
        read[at].as_ref().is_some_and(|day| {
            let practical = day.form == Form::RunIn && facts[at].dated_practical && lines[at].shape.heading == 0;
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
    let is_practical =
        |at: &usize| facts[*at].dated_practical && !lines[*at].text.contains('\n') && lines[*at].shape.heading == 0;
    let practical = (0..lines.len()).filter(is_practical).count();
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
    let place_heads = place_headings(lines, read, &facts);
    // « Toute la semaine » above the first day
    let first_section = (0..lines.len().saturating_sub(1)).find(|at| {
        let (line, next) = (&lines[*at], &lines[at + 1]);
        let listed = next.bullet || without_bullet(&next.text).1 || facts[at + 1].timing.says;
        line.shape.stands_out() && listed && matches!(section(line), Some(Section::Daily(_)))
    });
    let sections = sections_of_dated_lines(lines, read, &facts);
    let first_section = first_section.into_iter().chain(sections.first().copied()).min();
    let first_place = place_heads.keys().min().copied();
    let first_grid = (0..lines.len()).find(|at| is_grid_header(&lines[*at]));
    // Its heading may say what stands in it.
    let first_grid =
        first_grid.map(|at| at - usize::from(at > 0 && lines[at - 1].shape.stands_out() && read[at - 1].is_none()));
    let first_card = cards.keys().next().copied();
    let firsts = [first_head, first_town, first_item, first_section, first_place, first_grid, first_card];
    let start = firsts.into_iter().flatten().min();
    let Some(start) = start else {
        return without_days(lines, lead);
    };
    let town_looks = lines[start..].iter().filter(|line| matches!(section(line), Some(Section::Town(_)))).map(look);
    let town_looks: HashSet<_> = town_looks.filter(|(shape, shouts)| shape.stands_out() || *shouts).collect();
    let towns_outside = [first_town, first_place]
        .into_iter()
        .flatten()
        .min()
        .is_some_and(|town| first_head.is_none_or(|head| town <= head));
    let commune_looks = if towns_outside { commune_looks(&lines[start..], &read[start..]) } else { HashSet::new() };
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
        usual_town: usual_town(lines),
        row_town: None,
        venue: None,
        place_look: first_place.map(|at| lines[at].shape),
        place_heads,
        towns_outside,
        first_day_of_feast: 0,
        feast_level: 0,
        town_looks,
        commune_looks,
        town_names,
        theme: None,
        pending: None,
        parents: Vec::new(),
        label: None,
        closed: false,
        bullet_waits: false,
        ignore_strong: strong * 10 > (lines.len() - start) * 6,
        bullets_are_titles: bullets_are_titles(&lines[start..], &read[start..]),
        states_lead: (start + 1..lines.len()).any(|at| {
            let below_a_day = read[at - 1].as_ref().is_some_and(|day| day.form == Form::Heading);
            facts[at].state_alone && below_a_day
        }),
        last_when: None,
        category: None,
        told: if start > 0 { days_named(&lines[start..], &read[start..], calendar) } else { HashSet::new() },
        grid: None,
        section_looks: sections
            .iter()
            .copied()
            .chain((0..lines.len()).filter(|at| lines[*at].shape.heading > 1 && read[*at].is_none()))
            .filter(|at| first_head.is_none_or(|head| *at < head))
            .map(|at| look(&lines[at]))
            .collect(),
        sections: sections.into_iter().collect(),
        facts,
        cards,
        card_to: 0,
        lines,
        read,
    };
    for at in 0..start {
        if let Some((town, _)) = town_of_a_feast(lines, read, &builder.facts, at) {
            (builder.town, builder.towns_outside, builder.feast_level) = (Some(town), true, lines[at].shape.heading);
        }
        builder.introduction(at);
    }
    for at in start..lines.len() {
        if !builder.line(at) {
            break;
        }
    }
    builder.flush();
    builder.keep_label();
    if let Some(last) = builder.out.entries.last_mut().filter(|last| is_parting_word(last)) {
        last.under = Under::Nowhere(Unplaced::NotAnEvent);
    }
    builder.out
}

/// The days of the headings, and those named in the lines.
fn days_named(lines: &[Line], read: &[Option<DayLine>], calendar: &Calendar) -> HashSet<NaiveDate> {
    let heads = read.iter().flatten().map(|day| day.spec.clone());
    let within = lines.iter().filter(|line| says_date(&line.text)).flat_map(|line| {
        let found = marks(&Words::of(&line.text));
        found
            .iter()
            .filter_map(|mark| if let Meaning::Dates(spec) = &mark.meaning { Some(spec.clone()) } else { None })
            .collect::<Vec<_>>()
    });
    heads.chain(within).flat_map(|spec| calendar.dates(&spec).days).collect()
}

/// If no line names a day, every line with an hour or a date is kept for review.
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

impl Entry {
    fn of(text: &str, links: Vec<Link>) -> Self {
        Self {
            under: Under::Nowhere(Unplaced::NoDay),
            text: text.to_owned(),
            told: None,
            links,
            town: None,
            venue: None,
            theme: None,
            chapter: false,
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
        // `Le vide-greniers du dimanche 19 est reporté` has a day and no hour.
        let changed = || facts.says_date && tells_of_an_event(&line.text) && says_status(&line.text);
        if line.shape.heading > 0 || footer(line).is_some() || !facts.timing.says && !changed() {
            return;
        }
        let around = self.around();
        let (found, _) = pieces(&line.text, &self.calendar, around);
        // A line that dates itself and tells of something to attend is an item wherever it stands, and one of several
        // days where it is no summary of those below.
        let dated = |piece: &Piece| matches!(&piece.when, When::Days(_));
        let below =
            |piece: &Piece| matches!(&piece.when, When::Days(days) if days.iter().any(|day| self.told.contains(day)));
        let several = found.len() > 1 && found.iter().any(dated) && !found.iter().any(below);
        // A paragraph of several sentences may tell of days that have no heading, between what it says of others.
        let tells = |piece: &Piece| {
            let text = &line.text[piece.shown.0..piece.shown.1];
            let names = Words::of(text).tokens.iter().any(is_event_noun);
            dated(piece) && !below(piece) && timing(text).says && names
        };
        let own: Vec<&Piece> = found.iter().filter(|piece| tells(piece)).collect();
        if several && !aside && !own.is_empty() {
            self.words(at, 0, 0);
            self.flush();
            return;
        }
        if found.len() > 1 && !aside {
            for piece in own {
                let (under, _) = self.under_of(piece, &line.text);
                let told = self.told(line, 0, piece, false);
                self.piece(at, piece.shown, told, under, true, true);
                self.flush();
            }
        }
        if (matches!(found.as_slice(), [only] if dated(only)) || several)
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
        if let Some(card) = self.cards.get(&at).copied() {
            self.card(at, card);
            self.card_to = card.to;
        }
        if at < self.card_to {
            return true;
        }
        let line = &self.lines[at];
        let day = self.read[at].as_ref();
        match footer(line) {
            Some(Footer::End) => {
                self.flush();
                return false;
            }
            Some(Footer::Stray) => return true,
            // « L’agenda » above all that follows
            Some(Footer::Close)
                if self.out.headed.is_empty() && self.out.entries.is_empty() && self.pending.is_none() =>
            {
                return true;
            }
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
        if self.grid(at) {
            return true;
        }
        if line.header_row {
            self.flush();
            return true;
        }
        // « Marchés (de 8 h à 13 h) » above a table of days
        let heads_grid = line.shape.stands_out() && self.lines.get(at + 1).is_some_and(is_grid_header);
        if heads_grid && day.is_none() && !self.place_heads.contains_key(&at) && tells_of_an_event(&line.text) {
            self.flush();
            self.theme = Some(line.text.clone());
            return true;
        }
        // « Et aussi cette semaine » after a day: what follows is of none for certain
        let below = at + 1;
        let more = || names_more(&line.text) && self.facts.get(below).is_some_and(|facts| facts.says_date);
        if self.headed_article && line.shape.stands_out() && day.is_none() && (names_a_period(&line.text) || more()) {
            self.enter(Under::Nowhere(Unplaced::NoDay));
            return true;
        }
        // « FOOTBALL », « Les caves ouvertes » below a line that headed a day: its lines say their own days
        if self.ends_the_days_above(at) {
            self.enter(Under::Nowhere(Unplaced::NoDay));
            (self.town, self.venue) = (None, None);
            // One theme among the headings of communes is not the end of these.
            self.towns_outside &= self.commune_looks.contains(&look(line));
            self.closed = !self.out.entries.is_empty() && heads_practical_lines(&line.text);
            self.theme = Some(line.text.clone()).filter(|_| !heads_notes(&line.text));
            return true;
        }
        // « Horaires utiles », « Tarifs » after the days
        if self.leaves_the_days(line) && heads_practical_lines(&line.text) {
            self.flush();
            self.closed = true;
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
            if at < self.first_day_of_feast {
                self.introduction(at);
                return true;
            }
            if self.feast_level > 0 && (1..=self.feast_level).contains(&line.shape.heading) {
                (self.town, self.towns_outside, self.feast_level) = (None, false, 0);
            }
            if let Some((town, first_day)) = town_of_a_feast(self.lines, self.read, &self.facts, at) {
                self.flush();
                self.town = Some(town);
                self.towns_outside = true;
                (self.first_day_of_feast, self.feast_level) = (first_day, line.shape.heading);
                return true;
            }
            if self.under == Under::Exhibitions
                && heads_dated_lines(self.lines, self.read, at)
                && self.facts[at + 1].timing.says
            {
                self.enter(self.ground());
                self.theme = Some(line.text.clone());
                return true;
            }
            if let Some(place) = self.place_heads.get(&at).cloned() {
                self.flush();
                (self.town, self.venue) = (place.commune, place.venue);
                return true;
            }
            let like_towns = day.is_none() && self.town_looks.contains(&look(line));
            if (self.place_look == Some(line.shape) || like_towns) && line.shape.heading > 0 {
                self.flush();
                (self.town, self.venue) = (None, None);
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
                    // Below the name of another town a line with a date of its own is not of the last day above it, nor is
                    // any line of another commune's chapter where days are no headings.
                    let dated = |next: &usize| self.facts.get(*next).is_some_and(|facts| facts.says_date);
                    let chapter = self.commune_looks.contains(&look(line)) && self.day_level == 0;
                    let of_a_day = matches!(self.under, Under::Days(_) | Under::Weekly(_));
                    if self.towns_outside && of_a_day && (chapter || dated(&(at + 1))) {
                        self.under = self.ground();
                    }
                    (self.town, self.venue) = (Some(town), None);
                    return true;
                }
                // « En soirée » sorts the items of a day.
                Some(Section::PartOfDay) => {
                    self.flush();
                    self.theme = None;
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
        self.words_of_list(at);
        true
    }

    /// `📍 Larressingle` between the other fields of an item; above words that tell of something it is a heading.
    fn is_place_of_an_item(&self, at: usize) -> bool {
        let line = &self.lines[at];
        let beside = |at: Option<usize>| at.and_then(|at| self.lines.get(at)).filter(|it| it.block == line.block);
        is_pinned_place(&line.text)
            && beside(at.checked_sub(1)).is_some()
            && beside(Some(at + 1)).is_none_or(|next| is_labelled(&next.text) || self.facts[at + 1].timing.only)
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
            // `Annulé` is of the card above it.
            && !says_status(&line.text)
            && !line.text.ends_with(['.', '!', '?', ':'])
    }

    /// Whether the line is a heading of the rank of those above the first day, with dated lines or days below it, or one
    /// that only announces notes: « À noter ».
    fn ends_the_days_above(&self, at: usize) -> bool {
        let line = &self.lines[at];
        // A heading ends the days that no heading began: rows of a table, paragraphs.
        let outranks = line.shape.heading > 0 && self.day_level == 0 && !self.out.headed.is_empty();
        let ranked = self.sections.contains(&at) && (outranks || self.section_looks.contains(&look(line)));
        let notes = self.headed_article && heads_notes(&line.text) && self.read[at].is_none();
        (ranked || notes)
            && !self.place_heads.contains_key(&at)
            && self.chapter_name(line).is_none()
            && section(line).is_none_or(|section| section == Section::Theme)
    }

    /// The town of a heading that looks like those of communes: `Saint-Savinien-sur-Charente`, which is on no list.
    fn chapter_name(&self, line: &Line) -> Option<String> {
        let is_chapter = self.commune_looks.contains(&look(line)) && section(line).is_none();
        long_name(&line.text).filter(|_| is_chapter)
    }

    /// What the whole article says of days.
    fn around(&self) -> Around<'static> {
        Around { span: self.lead.span, recurs: self.lead.period.is_some(), ..Around::default() }
    }

    /// The place of items without a heading: the day of the lead, or none.
    fn ground(&self) -> Under {
        match self.lead.day.filter(|_| !self.headed_article) {
            Some(day) => Under::Days(vec![day]),
            None => Under::Nowhere(Unplaced::NoDay),
        }
    }

    /// A line that is not about an event. With an hour or a date it is kept for review.
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
            (self.town, self.venue) = (None, None);
        }
    }

    fn section_of(&self, at: usize, line: &Line) -> Option<Section> {
        let found = section(line);
        match found {
            _ if self.is_place_of_an_item(at) => None,
            Some(Section::Exhibitions | Section::Theme) if line.bullet && !line.shape.stands_out() => None,
            // Deeper than the days: a theme within the day.
            Some(Section::Exhibitions) if self.day_level > 0 && line.shape.heading > self.day_level => {
                Some(Section::Theme)
            }
            None if self.town_names.contains(&at)
                || !line.text.contains('\n') && self.town_looks.contains(&look(line)) =>
            {
                lone_name(line).or_else(|| self.chapter_name(line)).map(Section::Town)
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
        if day.theme > 0 {
            self.theme = Some(line.text[..day.theme].to_owned());
        }
        if day.form == Form::Heading {
            let label = line.text[day.rest..]
                .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '«' | '»' | '(' | ')'));
            // `Jeudi 21 août – Campan`: the town of the day.
            let town = lone_name(&Line { text: label.to_owned(), ..Line::default() })
                .filter(|name| !communes::departments(name).is_empty() && !is_saint_of(name, &self.headed_days()));
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
}

/// How far back a heading's own items are looked for.
const LATELY: usize = 300;

/// `Annulé.`, `COMPLET`, `Reporté au 29 août`: nothing but a state.
fn is_state_alone(text: &str) -> bool {
    const LONGEST: usize = 60;
    if text.len() > LONGEST {
        return false;
    }
    let words = Words::of(text);
    let found = marks(&words);
    let state = |at: usize| {
        found.iter().any(|mark| (mark.from..mark.to).contains(&at) && matches!(mark.meaning, Meaning::Status(_)))
    };
    let mut content = (0..words.tokens.len())
        .filter(|at| matches!(words.tokens[*at].kind, Kind::Word | Kind::Number) && !is_function(&words.tokens[*at]))
        .peekable();
    content.peek().is_some() && content.all(state)
}

/// Whether it says that something is cancelled, postponed or full.
fn says_status(text: &str) -> bool {
    marks(&Words::of(text)).iter().any(|mark| matches!(mark.meaning, Meaning::Status(_)))
}

fn tells_of_an_event(text: &str) -> bool {
    let words = Words::of(text);
    words.tokens.iter().take(8).any(|token| is_event_noun(token) || token.is_any(&["«", "\""]))
}

#[cfg(test)]
mod tests {
    use super::asides::is_call;

    #[test]
    fn a_call_to_the_readers_tells_of_nothing() {
        for text in ["Double tap si tu viens !", "Et vous, vous faites quoi…", "Bonne fin de semaine à tous !"] {
            assert!(is_call(text), "{text}");
        }
        for text in [
            "Les Zicos sous les arcades !",
            "Les Zicos vous attendent !",
            "Bonne ambiance avec Les Zicos !",
            "On vous attend à la halle !",
            "Un bal pour vous !",
            "Rendez-vous à 15 h, et bonne marche !",
            "Tu viens.",
        ] {
            assert!(!is_call(text), "{text}");
        }
    }
}
