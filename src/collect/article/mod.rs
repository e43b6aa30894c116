//! Parses the weekly article: HTML in, [`Agenda`] out.
//!
//! ```text
//! html       tags and entities to lines (`page_builder`; `boxes`: containers that are cards); words are never joined
//! wrapped    lines that only a page broke are one (text copied from a PDF)
//! names      names that the markup sets apart; `columns`: which of a table are about sellers
//! lines      classifies a line: heading of a day, section, town, footer, words
//! sentences  classifies a sentence: about an event, booking, or the article itself
//! outline    which lines are items, and their days (`cards`: a heading, when, a town, a text)
//! when       which words of a line belong to which day (`also`: another day in brackets)
//! marks      hours, prices, telephone numbers, states and dates in an item
//! record     an item made of fields: a card, a table row (`record_hours`: its hours; `record_title`)
//! parts      splits one item into several events at its hours
//! draft      which field claims which word; unclaimed words are the note
//! events     title, place and note of each; no word is dropped (`commune_of`: the town of its place)
//! choose     the title if it is certain (`flaw` checks it), else the sentence as written
//! evidence   where in the item the words of each field are
//! ```
//! Below them: `dash`, `days`, `calendar`, `clock`, `hours`, `money`, `places`, `place_field`, `headline`, `titles`, `verbs`,
//! `relative`, `weekdays`, `towns`, `venue_name`, `practical`, `week` (the grammar) and `words`,
//! `communes`, `tags` (its data). `docs/reading.md` has the rule of confidence and the data format.
//!
//! Must never drop an item (invariant I3), guess silently, panic, or take more than linear time. What is not
//! understood is kept as written, with a warning in French for staff.

mod also;
mod boxes;
mod calendar;
mod choose;
mod clock;
mod columns;
mod commune_of;
mod communes;
mod dash;
mod days;
mod draft;
mod events;
mod evidence;
mod flaw;
mod headline;
mod hours;
mod html;
mod lines;
mod marks;
mod money;
mod names;
mod outline;
mod page_builder;
mod parts;
mod place_field;
mod places;
mod practical;
mod record;
mod record_hours;
mod record_title;
mod relative;
mod sentences;
mod tags;
mod text;
mod titles;
mod towns;
mod venue_name;
mod verbs;
mod week;
mod weekdays;
mod when;
mod wrapped;
// Keep word lists packed.
#[rustfmt::skip]
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use self::calendar::{Calendar, short_date};
use self::days::Spec;
use self::events::{Setting, understand};
use self::html::{Link, Page};
use self::lines::{DayLine, Form, completes_a_date, day_line, themed_day, unstack};
use self::marks::same_hour;
use self::names::plain;
use self::outline::{Entry, Outline, Under, outline, speaks_of_today};
use self::practical::is_bound;
use self::sentences::tells_of_nothing;
use self::text::{TokenCache, Words, folded_words, one_spaced};
use self::towns::notices;
use self::week::{Lead, agreed_week, dated_week, lead, named_week, week_of};
use crate::domain::agenda::{Agenda, DailyItem, Day, Event, Item, Status, Unplaced, Week};
use crate::domain::venue::KnownVenues;
use crate::domain::{french, link};
use url::Url;

pub use self::venue_name::{listed_commune, venue_key};

/// The context that the grammar needs and the article does not contain.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The publication date, which determines missing years and months.
    pub published: NaiveDate,
    /// The expected week, if known. The title of the article has priority.
    pub week: Option<Week>,
    /// The office's own commune: `Auch`.
    pub home: &'a str,
    /// Venues in that commune, as people call them: `Cri'Art`, `salle du Mouzon`. The commune is added to these only, if the
    /// article does not name one.
    pub venues: &'a [String],
}

/// Makes links whole that are written relative to the article; those that lead to no page then are dropped.
pub fn complete_links(agenda: &mut Agenda, article: Option<&str>) {
    let base = article.and_then(|url| url.parse::<Url>().ok());
    for link in agenda.events_mut().map(|event| &mut event.link) {
        if let Some(text) = link.as_deref().filter(|text| !link::is_web(text)) {
            let whole = base.as_ref().and_then(|base| base.join(text).ok());
            *link = whole.map(String::from).filter(|url| link::is_web(url));
        }
    }
}

/// Reads a page, a fragment of HTML or plain text.
pub fn read(html: &str, reading: &Reading<'_>) -> Agenda {
    read_knowing(html, reading, &KnownVenues::new())
}

/// Like [`read`]. `known`: the communes of venues that the article may name without one. Its own words and
/// [`Reading::venues`] have priority.
pub fn read_knowing(html: &str, reading: &Reading<'_>, known: &KnownVenues) -> Agenda {
    let _cache = TokenCache::enable();
    let mut page = Page::read(html);
    page.lines_mut().iter_mut().for_each(unstack);
    page.join(" ", completes_a_date);
    wrapped::join(&mut page);
    page.split(notices);
    names::set_apart(&mut page);
    columns::label_sellers(page.lines_mut());
    page.number_frames();
    let lines = page.lines();
    let day = |at: usize| day_line(&lines[at]).or_else(|| themed_day(&lines[at], &lines[at + 1..]));
    let days: Vec<Option<DayLine>> = (0..lines.len()).map(day).collect();
    let is_head = |at: usize| days[at].as_ref().is_some_and(|day| day.form != Form::Inside);
    let article = page.article(is_head, |at| days[at].is_some());
    let (lines, days) = (&page.lines()[article.clone()], &days[article]);
    let is_heading = |day: &Option<DayLine>| {
        day.as_ref().is_some_and(|day| day.form == Form::Heading && !matches!(day.spec, Spec::Range(..)))
    };
    let introduction = &lines[..days.iter().position(is_heading).unwrap_or(lines.len().min(LONGEST_LEAD))];
    let texts = || page.titles.iter().chain(introduction.iter().map(|line| &line.text)).map(String::as_str);
    let named = named_week(texts(), reading.published);
    let dated = named.or_else(|| dated_week(lines, reading.published));
    let mut calendar = Calendar {
        published: reading.published,
        week: dated.or(reading.week),
        last: None,
        agreed: None,
        speaks_of_today: false,
    };
    calendar.agreed = agreed_week(days, &calendar);
    calendar.speaks_of_today = lines.iter().any(|line| speaks_of_today(&line.text));
    let body = lines.iter().skip(introduction.len()).map(|line| line.text.as_str());
    let lead = lead(texts(), body, &calendar);
    let lead = Lead { period: lead.period.filter(|_| named.is_none()), ..lead };
    let outline = outline(lines, days, &calendar, lead);
    let mut reader = Reader {
        headed: false,
        calendar,
        home: reading.home,
        venues: reading.venues.iter().map(|venue| folded_words(venue)).filter(|words| !words.is_empty()).collect(),
        known,
        days: BTreeMap::new(),
        agenda: Agenda::default(),
        moved: Vec::new(),
        hour_before: None,
        period: lead.period,
    };
    reader.gather(outline, named);
    reader.agenda
}

/// Words at the head of an item among which « à la même heure » says its hour.
const FIRST_WORDS: usize = 60;

/// Lines that may introduce an article without headings of days.
const LONGEST_LEAD: usize = 3;

struct Reader<'a> {
    /// The article has headings of days.
    headed: bool,
    calendar: Calendar,
    home: &'a str,
    venues: Vec<Vec<String>>,
    known: &'a KnownVenues,
    days: BTreeMap<NaiveDate, Vec<Item>>,
    agenda: Agenda,
    /// Events that say they moved: day and number of the item, number of the event, and where to.
    moved: Vec<Moved>,
    /// The last event before the item, if its item has one hour: « à la même heure » means that.
    hour_before: Option<Event>,
    /// The first and the last day of an article about more than a week.
    period: Option<(NaiveDate, NaiveDate)>,
}

struct Moved {
    day: NaiveDate,
    item: usize,
    event: usize,
    to: Spec,
}

impl Reader<'_> {
    fn gather(&mut self, outline: Outline, named: Option<Week>) {
        self.agenda.warnings = outline.warnings;
        self.headed = !outline.headed.is_empty();
        for day in &outline.headed {
            self.days.entry(*day).or_default();
        }
        let dated = outline.entries.iter().filter_map(|entry| match &entry.under {
            // What lasts for weeks says nothing of the week of the article.
            Under::Listed(days) if days.len() > 7 => None,
            Under::Days(days) | Under::Listed(days) => Some(days.as_slice()),
            _ => None,
        });
        let week = week_of(outline.headed.iter().chain(dated.flatten()).copied(), self.calendar.week).or(named);
        for entry in outline.entries {
            self.place(entry, week.or(self.calendar.week));
        }
        self.settle_moved();
        self.agenda.week = week;
        self.warn_about_weeks(week, named);
        let days = std::mem::take(&mut self.days);
        self.agenda.days = days.into_iter().map(|(date, items)| Day { date, items }).collect();
        for day in self.agenda.days.iter().filter(|day| day.items.is_empty()) {
            self.agenda.warnings.push(format!(
                "{}\u{a0}: le jour est annoncé, mais rien n’est écrit dessous.",
                capital(&short_date(day.date))
            ));
        }
        if self.agenda.days.is_empty() && self.agenda.daily.is_empty() {
            self.agenda.warnings.push("Aucun jour n’a été trouvé dans l’article.".to_owned());
        }
    }

    fn place(&mut self, entry: Entry, week: Option<Week>) {
        let text = plain(&one_spaced(&entry.text));
        if text.is_empty() {
            return;
        }
        match &entry.under {
            // An item whose own date is in another week has no day in this one.
            Under::Days(days)
                if entry.placed_by_words && self.headed && !days.iter().any(|day| self.covers(week, *day)) =>
            {
                self.put_nowhere(&entry, text, Unplaced::OtherWeek);
            }
            Under::Days(days) => {
                for day in days {
                    self.put_under(*day, &entry, &text);
                }
            }
            Under::Weekly(weekdays) => {
                let days = match self.period {
                    Some((first, last)) => first
                        .iter_days()
                        .take_while(|day| *day <= last)
                        .filter(|day| weekdays.has(day.weekday()))
                        .collect(),
                    None => week.map(|week| weekdays.in_week(week)).unwrap_or_default(),
                };
                self.put_daily(days, &entry, text, Unplaced::NoDay);
            }
            Under::Listed(listed) => {
                let days: Vec<NaiveDate> = listed.iter().copied().filter(|day| self.covers(week, *day)).collect();
                self.put_daily(days, &entry, text, Unplaced::OtherWeek);
            }
            Under::Exhibitions => {
                let item = self.item(&entry, &text, None, true).0;
                self.agenda.exhibitions.push(item);
            }
            Under::Nowhere(why) => self.put_nowhere(&entry, text, *why),
        }
    }

    /// Whether the article is about the day: it is of its week, or of its longer period.
    fn covers(&self, week: Option<Week>, day: NaiveDate) -> bool {
        let within = |(first, last): (NaiveDate, NaiveDate)| (first..=last).contains(&day);
        self.period.is_some_and(within) || week.is_none_or(|week| week.contains(day))
    }

    fn put_under(&mut self, day: NaiveDate, entry: &Entry, text: &str) {
        let (item, moved_to) = self.item(entry, text, Some(day), false);
        let number = self.days.get(&day).map_or(0, Vec::len);
        for (event, to) in moved_to.into_iter().enumerate() {
            self.moved.extend(to.map(|to| Moved { day, item: number, event, to }));
        }
        self.days.entry(day).or_default().push(item);
    }

    fn put_daily(&mut self, days: Vec<NaiveDate>, entry: &Entry, text: String, why: Unplaced) {
        if days.is_empty() {
            self.put_nowhere(entry, text, why);
            return;
        }
        let item = self.item(entry, &text, None, false).0;
        self.agenda.daily.push(DailyItem { item, days });
    }

    fn put_nowhere(&mut self, entry: &Entry, text: String, why: Unplaced) {
        if why != Unplaced::NotAnEvent {
            self.agenda.warnings.push(format!(
                "«\u{a0}{}\u{a0}» ne se trouve sous aucun jour\u{a0}: à placer à la main.",
                shortened(&text)
            ));
        }
        let mut item = self.item(entry, &text, None, false).0;
        item.events.clear();
        item.unplaced = Some(why);
        self.agenda.unplaced.push(item);
    }

    /// The parsed item, and the days its events moved to.
    fn item(
        &mut self,
        entry: &Entry,
        text: &str,
        day: Option<NaiveDate>,
        exhibition: bool,
    ) -> (Item, Vec<Option<Spec>>) {
        let setting = Setting {
            calendar: &self.calendar,
            day,
            town: entry.town.as_deref(),
            venue: entry.venue.as_deref(),
            exhibition,
            placed_by_words: entry.placed_by_words,
            titled: entry.titled,
            home: self.home,
            venues: &self.venues,
            known: self.known,
            sentence: entry.told.as_ref().map(|_| text),
            theme: entry.theme.as_deref(),
            chapter: entry.chapter,
        };
        let told = entry.told.as_deref().unwrap_or(&entry.text);
        let bound = is_bound(told) || tells_of_nothing(told);
        let understood = if bound || entry.heading || matches!(entry.under, Under::Nowhere(_)) {
            events::Understood::default()
        } else {
            understand(told, &links_of(entry), &setting)
        };
        if understood.events.is_empty() && !bound && !matches!(entry.under, Under::Nowhere(_)) {
            let place = day.map_or("Hors des jours".to_owned(), |day| capital(&short_date(day)));
            self.agenda.warnings.push(format!(
                "{place}\u{a0}: «\u{a0}{}\u{a0}» n’a pas été compris\u{202f}; imprimé tel quel.",
                shortened(text)
            ));
        }
        let read = entry.told.as_ref().map(|told| plain(&one_spaced(told)));
        let mut events = understood.events;
        events.iter_mut().for_each(without_name_signs);
        self.tell_same_hour(told, &mut events);
        evidence::trace(text, &mut events);
        let item = Item { text: text.to_owned(), events, read, ..Item::default() };
        (item, understood.moved_to)
    }

    /// `À la même heure, loto` at the head of an item: the hour of the item before it, if that has only one.
    fn tell_same_hour(&mut self, told: &str, events: &mut [Event]) {
        let words = Words::of(told);
        let same = (0..words.tokens.len().min(FIRST_WORDS)).find_map(|at| same_hour(&words, at));
        if let (Some((_, hours)), Some(before), [event]) = (same, &self.hour_before, &mut *events)
            && event.start.is_none()
            && !event.all_day
        {
            event.start = before.start;
            event.part_of_day = None;
            if hours {
                event.end = before.end;
                event.slots.clone_from(&before.slots);
            }
        }
        let one = |events: &[Event]| events.windows(2).all(|pair| pair[0].start == pair[1].start);
        if !events.is_empty() {
            self.hour_before = events.last().filter(|event| event.start.is_some() && one(events)).cloned();
        }
    }

    /// What moved to a day where it stands again is told there: here only its words stay.
    fn settle_moved(&mut self) {
        for moved in std::mem::take(&mut self.moved).into_iter().rev() {
            let calendar = Calendar { last: Some(moved.day), ..self.calendar };
            let Some(to) = calendar.dates(&moved.to).days.first().copied().filter(|to| *to != moved.day) else {
                continue;
            };
            let Some(title) = self
                .days
                .get(&moved.day)
                .and_then(|items| items.get(moved.item)?.events.get(moved.event))
                .map(|event| event.title.clone())
            else {
                continue;
            };
            let stands_there = self.days.get(&to).is_some_and(|items| {
                items
                    .iter()
                    .flat_map(|item| &item.events)
                    .any(|event| event.status != Status::Postponed && same_thing(&event.title, &title))
            });
            if stands_there
                && let Some(item) = self.days.get_mut(&moved.day).and_then(|items| items.get_mut(moved.item))
            {
                item.events.remove(moved.event);
            }
        }
    }

    fn warn_about_weeks(&mut self, week: Option<Week>, named: Option<Week>) {
        let Some(week) = week else { return };
        let outside: Vec<String> = self
            .days
            .keys()
            .filter(|day| !week.contains(**day))
            .map(|day| format!("{} ({})", short_date(*day), french::date(*day)))
            .collect();
        if !outside.is_empty() {
            self.agenda.warnings.push(format!(
                "L’article a des jours hors de la semaine du {}\u{a0}: {}.",
                french::date(week.monday()),
                outside.join(", ")
            ));
        }
        if let Some(named) = named.filter(|named| *named != week) {
            self.agenda.warnings.push(format!(
                "Le titre annonce la semaine du {}, mais les jours sont de celle du {}.",
                french::date(named.monday()),
                french::date(week.monday())
            ));
        }
    }
}

/// The links of an item, over the words that are read of it.
fn links_of(entry: &Entry) -> Cow<'_, [Link]> {
    let Some(told) = entry.told.as_deref() else { return Cow::Borrowed(&entry.links) };
    let within = |link: &Link| {
        let words = entry.text.get(link.start..link.end).filter(|words| !words.is_empty())?;
        let start = told.find(words)?;
        Some(Link { start, end: start + words.len(), href: link.href.clone() })
    };
    entry.links.iter().filter_map(within).collect()
}

/// The signs of a name that the markup sets apart are only for reading.
fn without_name_signs(event: &mut Event) {
    if event.title.contains([names::OPEN, names::CLOSE]) {
        event.title = titles::calm(&plain(&event.title));
    }
    let fields = [&mut event.place, &mut event.price, &mut event.note, &mut event.until_text];
    for field in fields.into_iter().flatten().filter(|field| field.contains([names::OPEN, names::CLOSE])) {
        *field = plain(field);
    }
}

/// Whether two titles name one thing: most of the shorter one's words are in the other.
fn same_thing(a: &str, b: &str) -> bool {
    let content = |title: &str| -> Vec<String> {
        folded_words(title).into_iter().filter(|word| !words::FUNCTION.contains(&word.as_str())).collect()
    };
    let (a, b) = (content(a), content(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let shared = short.iter().filter(|word| long.contains(word)).count();
    !short.is_empty() && shared * 3 >= short.len() * 2
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 90;
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() { format!("{}…", start.trim_end()) } else { start }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
