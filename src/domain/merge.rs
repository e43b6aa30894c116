//! Merges listings into the agenda of an article: the article wins, and nothing is printed twice.
//!
//! Events of the article stay as written; a listing for the same event may only add what the article lacks, and only if
//! that is certain. New events are written in the office's own style under their day, with their source. Never drops an
//! item, never changes the article's words. Pure.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, NaiveTime, Timelike};

use super::{
    agenda::{Agenda, DailyItem, Day, Event, Item, Provenance, Status, Week},
    event_match::{EventMatch, Fingerprint},
    french::{self, NBSP},
    listing::{Listing, Session},
};

/// The outcome, by session of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merge {
    pub added: usize,
    /// The article or an earlier source had them.
    pub known: usize,
    /// Cancelled or postponed, and not announced anywhere: not mentioned.
    pub left_out: usize,
}

/// From this number of days on, sessions at the same hours become one item with its days.
const DAILY: usize = 3;
/// From this number of days on, something without hours is not an event of each of its days.
const LASTING: i64 = 5;

/// Maximum comparisons per announcement, those of the same hour first. With more in one hour of one day an event may be
/// printed twice; none is lost.
const MOST_COMPARED: usize = 2_000;
/// Hours that differ by more mean different events; see [`super::event_match`].
const NEAR: u32 = 60;

/// `home`: the office's own commune, used if the article names none.
pub fn merge(agenda: &mut Agenda, listings: &[Listing], week: Week, home: &str) -> Merge {
    let mut on_day: HashMap<(&str, NaiveDate), usize> = HashMap::new();
    for listing in listings {
        for session in &listing.sessions {
            *on_day.entry((&listing.title, session.day)).or_default() += 1;
        }
    }
    let shelf = Shelf::of(agenda, home);
    let mut merger = Merger { week, home, on_day, agenda, shelf, merge: Merge::default() };
    for listing in listings {
        merger.listing(listing);
    }
    merger.merge
}

struct Merger<'a> {
    week: Week,
    home: &'a str,
    /// How often a title is announced on a day.
    on_day: HashMap<(&'a str, NaiveDate), usize>,
    agenda: &'a mut Agenda,
    shelf: Shelf,
    merge: Merge,
}

/// The features of the agenda's items, computed once, with indexes.
#[derive(Debug, Default)]
struct Shelf {
    cards: Vec<Card>,
    days: HashMap<NaiveDate, Drawer>,
    /// By position in the agenda.
    daily: Vec<usize>,
    exhibitions: Vec<usize>,
    unplaced: Vec<usize>,
}

/// The items of one day.
#[derive(Debug, Default)]
struct Drawer {
    /// By position in the agenda.
    cards: Vec<usize>,
    /// By the minute at which one of their events begins.
    by_minute: BTreeMap<u32, Vec<usize>>,
    /// Items without an hour.
    any_time: Vec<usize>,
}

#[derive(Debug)]
struct Card {
    fingerprints: Vec<Fingerprint>,
    of_article: bool,
}

impl Shelf {
    fn of(agenda: &Agenda, home: &str) -> Self {
        let mut shelf = Self::default();
        for day in &agenda.days {
            for (at, item) in day.items.iter().enumerate() {
                shelf.put_on_day(day.date, at, item, home);
            }
        }
        shelf.daily = agenda.daily.iter().map(|it| shelf.card(&it.item, home, true)).collect();
        shelf.exhibitions = agenda.exhibitions.iter().map(|item| shelf.card(item, home, false)).collect();
        shelf.unplaced = agenda.unplaced.iter().map(|item| shelf.card(item, home, false)).collect();
        shelf
    }

    /// The hours of an exhibition are opening hours, not the start.
    fn card(&mut self, item: &Item, home: &str, keeps_hours: bool) -> usize {
        let alone = item.events.len() < 2;
        let of_event = |event: &Event| {
            let words = [Some(event.title.as_str()), event.place.as_deref(), event.note.as_deref()];
            let words = words.into_iter().flatten().chain(alone.then_some(item.text.as_str()));
            let text = words.collect::<Vec<_>>().join(" ");
            let start = event.start.filter(|_| keeps_hours);
            Fingerprint::of_event(&event.title, start, event.place.as_deref(), home, &text)
        };
        let fingerprints = match item.events.as_slice() {
            // An item that was not understood is compared by its words.
            [] => vec![Fingerprint::of_event(&item.text, None, None, "", &item.text)],
            events => events.iter().map(of_event).collect(),
        };
        self.cards.push(Card { fingerprints, of_article: is_of_article(item) });
        self.cards.len() - 1
    }

    fn put_on_day(&mut self, day: NaiveDate, at: usize, item: &Item, home: &str) {
        let card = self.card(item, home, true);
        let drawer = self.days.entry(day).or_default();
        drawer.cards.insert(at.min(drawer.cards.len()), card);
        for fingerprint in &self.cards[card].fingerprints {
            match fingerprint.start {
                Some(start) => drawer.by_minute.entry(minute(start)).or_default().push(card),
                None => drawer.any_time.push(card),
            }
        }
    }

    /// The items of a day that may match something beginning then, likelier ones first.
    fn on_day(&self, day: NaiveDate, start: Option<NaiveTime>) -> Vec<usize> {
        let Some(drawer) = self.days.get(&day) else { return Vec::new() };
        let Some(start) = start.map(minute) else { return drawer.cards.clone() };
        let exactly = drawer.by_minute.get(&start).into_iter().flatten();
        let around = drawer.by_minute.range(start.saturating_sub(NEAR)..=start + NEAR);
        let around = around.filter(|(at, _)| **at != start).flat_map(|(_, cards)| cards);
        let mut cards: Vec<usize> =
            exactly.chain(&drawer.any_time).chain(around).copied().take(MOST_COMPARED).collect();
        cards.sort_unstable();
        cards.dedup();
        cards
    }
}

fn minute(time: NaiveTime) -> u32 {
    time.num_seconds_from_midnight() / 60
}

/// How sessions of a listing are presented.
enum Shape {
    /// One item on one day.
    Once(NaiveDate, Session),
    /// At the same hours on these days.
    Daily(Vec<NaiveDate>, Session),
    /// Ongoing until a later day.
    Lasting(Session),
}

impl Merger<'_> {
    fn listing(&mut self, listing: &Listing) {
        for shape in self.shapes(listing) {
            let known = match &shape {
                Shape::Once(day, session) => self.find(listing, session, &[*day]),
                Shape::Daily(days, session) => self.find(listing, session, days),
                Shape::Lasting(session) => self.find(listing, session, &[]),
            };
            match (known, listing.status) {
                (Some((place, matched)), _) => self.complete(place, listing, &shape, matched),
                (None, Status::Cancelled | Status::Postponed) => self.merge.left_out += 1,
                (None, _) => self.add(listing, shape),
            }
        }
    }

    /// The sessions of the week, with recurring ones combined.
    fn shapes(&self, listing: &Listing) -> Vec<Shape> {
        let mut shapes = Vec::new();
        let mut single: Vec<(NaiveDate, Session)> = Vec::new();
        for session in &listing.sessions {
            let days: Vec<NaiveDate> =
                self.week.days().filter(|day| (session.day..=session.last_day()).contains(day)).collect();
            let length = (session.last_day() - session.day).num_days() + 1;
            match days.as_slice() {
                [] => {}
                _ if length >= LASTING => shapes.push(Shape::Lasting(*session)),
                // Something that begins at an hour and ends on another day begins once.
                [first, ..] if session.start.is_some() && length > 1 && *first == session.day => {
                    shapes.push(Shape::Once(*first, *session));
                }
                days => {
                    let plain = Session { end_day: None, ..*session };
                    let plain = if length > 1 { Session { start: None, end: None, ..plain } } else { plain };
                    single.extend(days.iter().map(|day| (*day, Session { day: *day, ..plain })));
                }
            }
        }
        let mut hours: Vec<(Option<NaiveTime>, Option<NaiveTime>)> =
            single.iter().map(|(_, session)| (session.start, session.end)).collect();
        hours.sort_unstable();
        hours.dedup();
        for (start, end) in hours {
            let alike = || single.iter().filter(|(_, session)| (session.start, session.end) == (start, end));
            let mut days: Vec<NaiveDate> = alike().map(|(day, _)| *day).collect();
            days.sort_unstable();
            days.dedup();
            match days.as_slice() {
                [first, ..] if days.len() >= DAILY => {
                    let session = Session { day: *first, start, end, end_day: None };
                    shapes.push(Shape::Daily(days, session));
                }
                days => {
                    let session = |day: &NaiveDate| Session { day: *day, start, end, end_day: None };
                    shapes.extend(days.iter().map(|day| Shape::Once(*day, session(day))));
                }
            }
        }
        shapes
    }

    /// The matching item of the agenda, and how certain it is. `days`: of the sessions; empty for something ongoing.
    fn find(&self, listing: &Listing, session: &Session, days: &[NaiveDate]) -> Option<(Place, EventMatch)> {
        let fingerprint = Fingerprint::of_listing(
            &listing.title,
            session.start,
            listing.commune.as_deref(),
            listing.venue.as_deref(),
        );
        let (agenda, shelf) = (&self.agenda, &self.shelf);
        let dated = agenda.days.iter().enumerate().filter(|(_, day)| match days {
            [] => true,
            [only] => day.date == *only,
            // An item for several days must match on each of them.
            _ => false,
        });
        let dated = dated.flat_map(|(d, day)| {
            let in_day = shelf.on_day(day.date, session.start);
            in_day.into_iter().map(move |card| (Slot::Day(d, day.date), card))
        });
        let covers = |daily: &DailyItem| days.is_empty() || days.iter().all(|day| daily.days.contains(day));
        let daily = agenda.daily.iter().zip(&shelf.daily).enumerate().filter(|(_, (daily, _))| covers(daily));
        let daily = daily.map(|(i, (_, card))| (Slot::At(Place::Daily(i)), *card));
        let lasting = shelf.exhibitions.iter().enumerate().map(|(i, card)| (Slot::At(Place::Exhibition(i)), *card));
        let unplaced = shelf.unplaced.iter().enumerate().map(|(i, card)| (Slot::At(Place::Unplaced(i)), *card));
        let all = dated
            .chain(daily.take(MOST_COMPARED))
            .chain(lasting.take(MOST_COMPARED))
            .chain(unplaced.take(MOST_COMPARED));
        let found = all.filter_map(|(slot, card)| {
            let card_of = &shelf.cards[card];
            let matched = card_of.fingerprints.iter().map(|it| it.compare(&fingerprint)).max()?;
            let is_near_enough = matched >= EventMatch::Same
                || matched == EventMatch::NearlySame && card_of.of_article && self.is_only(listing, session);
            is_near_enough.then_some((matched, slot, card))
        });
        // Of several equal matches the last one in the agenda wins.
        let place = |slot: Slot, card: usize| match slot {
            Slot::At(place) => Some(place),
            Slot::Day(d, date) => {
                let at = shelf.days.get(&date)?.cards.iter().position(|it| *it == card)?;
                Some(Place::Day(d, at))
            }
        };
        let best = found.filter_map(|(matched, slot, card)| Some((matched, place(slot, card)?)));
        best.max_by_key(|(matched, place)| (*matched, *place)).map(|(matched, place)| (place, matched))
    }

    /// Whether no other session of this title is announced that day: then a slightly different hour is not a second one.
    fn is_only(&self, listing: &Listing, session: &Session) -> bool {
        self.on_day.get(&(listing.title.as_str(), session.day)) == Some(&1)
    }

    /// Adds what the article's event lacks, if it is certain that they are the same.
    fn complete(&mut self, place: Place, listing: &Listing, shape: &Shape, matched: EventMatch) {
        self.merge.known += 1;
        let Some(item) = place.item_mut(self.agenda) else { return };
        let mut warning = None;
        if is_of_article(item) {
            if matches!(listing.status, Status::Cancelled | Status::Postponed)
                && item.events.iter().all(|event| event.status == Status::Scheduled)
            {
                let state = if listing.status == Status::Cancelled { "annulé" } else { "reporté" };
                warning = Some(format!("{} le dit {state}", listing.source));
            } else if let (EventMatch::NearlySame, Shape::Once(_, Session { start: Some(start), .. })) =
                (matched, shape)
            {
                warning = Some(format!("{} annonce {}", listing.source, french::hour(*start)));
            }
        }
        if matched == EventMatch::Certain && listing.status == Status::Scheduled {
            complete_item(item, listing);
        }
        if let Some(warning) = warning {
            self.agenda.warnings.push(format!(
                "{}«{NBSP}{}{NBSP}»{NBSP}: {warning}\u{202f}; l’article est gardé, à vérifier.",
                match shape {
                    Shape::Once(day, _) => format!("{}, ", french::capitalized(&french::day(*day))),
                    _ => String::new(),
                },
                listing.title
            ));
        }
    }

    fn add(&mut self, listing: &Listing, shape: Shape) {
        self.merge.added += 1;
        match shape {
            Shape::Once(day, session) => {
                let item = item(listing, &session, None);
                let at = self.agenda.days.partition_point(|it| it.date < day);
                if self.agenda.days.get(at).is_none_or(|it| it.date != day) {
                    self.agenda.days.insert(at, Day { date: day, items: Vec::new() });
                }
                let items = &mut self.agenda.days[at].items;
                let place = place_in(items, session.start);
                self.shelf.put_on_day(day, place, &item, self.home);
                items.insert(place, item);
            }
            Shape::Daily(days, session) => {
                self.add_daily(item(listing, &session, None), days);
            }
            Shape::Lasting(session) => {
                let until = Some(session.last_day());
                let item = item(listing, &session, until);
                match is_exhibition(listing) {
                    true => {
                        let card = self.shelf.card(&item, self.home, false);
                        self.shelf.exhibitions.push(card);
                        self.agenda.exhibitions.push(item);
                    }
                    false => {
                        let days = self.week.days().filter(|day| (session.day..=session.last_day()).contains(day));
                        self.add_daily(item, days.collect());
                    }
                }
            }
        }
    }

    fn add_daily(&mut self, item: Item, days: Vec<NaiveDate>) {
        let card = self.shelf.card(&item, self.home, true);
        self.shelf.daily.push(card);
        self.agenda.daily.push(DailyItem { item, days });
    }
}

/// Where an item is: at a position, or on a day, where positions shift with insertions.
#[derive(Debug, Clone, Copy)]
enum Slot {
    At(Place),
    Day(usize, NaiveDate),
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Day(usize, usize),
    Daily(usize),
    Exhibition(usize),
    Unplaced(usize),
}

impl Place {
    fn item_mut(self, agenda: &mut Agenda) -> Option<&mut Item> {
        match self {
            Self::Day(day, item) => agenda.days.get_mut(day)?.items.get_mut(item),
            Self::Daily(item) => agenda.daily.get_mut(item).map(|daily| &mut daily.item),
            Self::Exhibition(item) => agenda.exhibitions.get_mut(item),
            Self::Unplaced(item) => agenda.unplaced.get_mut(item),
        }
    }
}

fn is_of_article(item: &Item) -> bool {
    item.provenance.as_ref().is_none_or(|provenance| provenance.completes)
}

fn complete_item(item: &mut Item, listing: &Listing) {
    let [event] = item.events.as_mut_slice() else { return };
    let mut took = false;
    let wanted =
        [(&mut event.link, &listing.url), (&mut event.phone, &listing.phone), (&mut event.price, &listing.price)];
    for (has, given) in wanted {
        if has.is_none() && given.is_some() {
            has.clone_from(given);
            took = true;
        }
    }
    if took && item.provenance.is_none() {
        item.provenance = Some(Provenance { source: listing.source.clone(), completes: true });
    }
}

/// After items that begin no later, so that the order of the article is kept.
fn place_in(items: &[Item], start: Option<NaiveTime>) -> usize {
    let begins = |item: &Item| item.events.iter().filter_map(|event| event.start).min();
    let later = |item: &Item| start.is_some_and(|start| begins(item).is_some_and(|other| other > start));
    items.iter().position(later).unwrap_or(items.len())
}

fn is_exhibition(listing: &Listing) -> bool {
    let texts = listing.categories.iter().chain([&listing.title]);
    texts.map(|text| text.to_lowercase()).any(|text| text.contains("expo") || text.contains("exhibition"))
}

/// A listing in the office's own style: « 18 h 30 : titre, commune, lieu, prix ».
fn item(listing: &Listing, session: &Session, until: Option<NaiveDate>) -> Item {
    // For something ongoing, an hour only applies to each day if it opens and closes on it, and is not an exhibition,
    // which can be visited at any time.
    let is_open_daily = matches!((session.start, session.end), (Some(start), Some(end)) if start < end);
    let hours = until.is_none() || (is_open_daily && !is_exhibition(listing));
    let same = |a: &String, b: &String| a.to_lowercase() == b.to_lowercase();
    let place = match (&listing.commune, &listing.venue) {
        (Some(commune), Some(venue)) if !same(commune, venue) => Some(format!("{commune}, {venue}")),
        (commune, venue) => commune.clone().or_else(|| venue.clone()),
    };
    let end_day = session.end_day.filter(|_| until.is_none());
    let last = until.or(end_day.filter(|last| *last == session.last_day())).map(|last| match until {
        Some(_) => format!("jusqu’au {}", french::day_and_month(last)),
        None => format!("jusqu’au {}", french::day(last)),
    });
    let words = [Some(listing.title.clone()), place.clone(), listing.price.clone(), last];
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let text = match (session.start.filter(|_| hours), session.end) {
        (Some(start), Some(end)) => format!("de {} à {}{NBSP}: {words}", french::hour(start), french::hour(end)),
        (Some(start), None) => format!("{}{NBSP}: {words}", french::hour(start)),
        (None, _) => words,
    };
    let event = Event {
        start: session.start.filter(|_| hours),
        end: session.end.filter(|_| hours),
        title: listing.title.clone(),
        place,
        price: listing.price.clone(),
        phone: listing.phone.clone(),
        link: listing.url.clone(),
        status: listing.status,
        end_day,
        until,
        ..Event::default()
    };
    Item {
        text,
        events: vec![event],
        provenance: Some(Provenance { source: listing.source.clone(), completes: false }),
        ..Item::default()
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
