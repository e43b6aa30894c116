//! Listings into an agenda that was read from the article: the article wins, and nothing is printed twice.
//!
//! What the article announces stays as it was written; a listing that is the same event may only give what the article
//! does not say, and only where that is certain. What is new is written in the office's own style under its day, and
//! says where it came from. Never drops an item, never changes the article's words. Pure.

use chrono::{NaiveDate, NaiveTime};

use super::{
    agenda::{Agenda, DailyItem, Day, Event, Item, Provenance, Status, Week},
    french::{self, NBSP},
    likeness::{Likeness, Sketch},
    listing::{Listing, Session},
};

/// What became of the listings, session by session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merge {
    pub added: usize,
    /// The article, or a source before, had them.
    pub known: usize,
    /// Cancelled or put off, and nowhere announced: nobody need be told.
    pub left_out: usize,
}

/// From so many days on, something at the same hours is told once, with its days.
const DAILY: usize = 3;
/// From so many days on, something without hours is not an event of each of its days.
const LASTING: i64 = 5;

/// `home`: the office's own commune, where the article says none.
pub fn merge(agenda: &mut Agenda, listings: &[Listing], week: Week, home: &str) -> Merge {
    let mut merger = Merger { week, home, listings, agenda, merge: Merge::default() };
    for listing in listings {
        merger.listing(listing);
    }
    merger.merge
}

struct Merger<'a> {
    week: Week,
    home: &'a str,
    listings: &'a [Listing],
    agenda: &'a mut Agenda,
    merge: Merge,
}

/// What one or more sessions of a listing are to a reader.
enum Shape {
    /// One thing on one day.
    Once(NaiveDate, Session),
    /// At the same hours on these days.
    Daily(Vec<NaiveDate>, Session),
    /// There until a day beyond.
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
                (Some((place, likeness)), _) => self.complete(place, listing, &shape, likeness),
                (None, Status::Cancelled | Status::Postponed) => self.merge.left_out += 1,
                (None, _) => self.add(listing, shape),
            }
        }
    }

    /// The sessions of the week, those that are told as one put together.
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
                // What begins at an hour and ends on another day begins once.
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

    /// Where the agenda has this already, and how surely. `days`: those it takes place on; none of what lasts.
    fn find(&self, listing: &Listing, session: &Session, days: &[NaiveDate]) -> Option<(Place, Likeness)> {
        let sketch =
            Sketch::of_listing(&listing.title, session.start, listing.commune.as_deref(), listing.venue.as_deref());
        let agenda = &self.agenda;
        let dated = agenda.days.iter().enumerate().filter(|(_, day)| days.is_empty() || days.contains(&day.date));
        let dated = dated.flat_map(|(d, day)| (0..day.items.len()).map(move |i| Place::Day(d, i)));
        let covers = |daily: &DailyItem| days.is_empty() || days.iter().all(|day| daily.days.contains(day));
        let daily = agenda.daily.iter().enumerate().filter(|(_, daily)| covers(daily)).map(|(i, _)| Place::Daily(i));
        let lasting = (0..agenda.exhibitions.len()).map(Place::Exhibition);
        let unplaced = (0..agenda.unplaced.len()).map(Place::Unplaced);
        let places = dated.chain(daily).chain(lasting).chain(unplaced);
        let found = places.filter_map(|place| {
            let item = place.item(self.agenda)?;
            // What is told once for several days must be there on each of them, not on one.
            if days.len() > 1 && matches!(place, Place::Day(..)) {
                return None;
            }
            let likeness = self.likeness(item, &sketch, place.keeps_hours());
            let is_near_enough = likeness >= Likeness::Same
                || likeness == Likeness::NearlySame && is_of_article(item) && self.is_only(listing, session);
            is_near_enough.then_some((place, likeness))
        });
        found.max_by_key(|(_, likeness)| *likeness)
    }

    fn likeness(&self, item: &Item, sketch: &Sketch, keeps_hours: bool) -> Likeness {
        let alone = item.events.len() < 2;
        let of_event = |event: &Event| {
            let words = [Some(event.title.as_str()), event.place.as_deref(), event.note.as_deref()];
            let words = words.into_iter().flatten().chain(alone.then_some(item.text.as_str()));
            let text = words.collect::<Vec<_>>().join(" ");
            let start = event.start.filter(|_| keeps_hours);
            Sketch::of_event(&event.title, start, event.place.as_deref(), self.home, &text).likeness(sketch)
        };
        // What was not understood has its words.
        let as_written = || Sketch::of_event(&item.text, None, None, "", &item.text).likeness(sketch);
        item.events.iter().map(of_event).max().unwrap_or_else(as_written)
    }

    /// Whether no other session of this title is announced that day: then an hour that differs a little is no second one.
    fn is_only(&self, listing: &Listing, session: &Session) -> bool {
        let same_title = self.listings.iter().filter(|other| other.title == listing.title);
        same_title.flat_map(|other| &other.sessions).filter(|other| other.day == session.day).count() == 1
    }

    /// The article's event takes what it lacks, where it is certain that they are one.
    fn complete(&mut self, place: Place, listing: &Listing, shape: &Shape, likeness: Likeness) {
        self.merge.known += 1;
        let Some(item) = place.item_mut(self.agenda) else { return };
        let mut warning = None;
        if is_of_article(item) {
            if matches!(listing.status, Status::Cancelled | Status::Postponed)
                && item.events.iter().all(|event| event.status == Status::Scheduled)
            {
                let state = if listing.status == Status::Cancelled { "annulé" } else { "reporté" };
                warning = Some(format!("{} le dit {state}", listing.source));
            } else if let (Likeness::NearlySame, Shape::Once(_, Session { start: Some(start), .. })) = (likeness, shape)
            {
                warning = Some(format!("{} annonce {}", listing.source, french::hour(*start)));
            }
        }
        if likeness == Likeness::Certain && listing.status == Status::Scheduled {
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
                items.insert(place_in(items, session.start), item);
            }
            Shape::Daily(days, session) => {
                let item = item(listing, &session, None);
                self.agenda.daily.push(DailyItem { item, days });
            }
            Shape::Lasting(session) => {
                let until = Some(session.last_day());
                let item = item(listing, &session, until);
                match is_exhibition(listing) {
                    true => self.agenda.exhibitions.push(item),
                    false => {
                        let days = self.week.days().filter(|day| (session.day..=session.last_day()).contains(day));
                        self.agenda.daily.push(DailyItem { item, days: days.collect() });
                    }
                }
            }
        }
    }
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Day(usize, usize),
    Daily(usize),
    Exhibition(usize),
    Unplaced(usize),
}

impl Place {
    fn item(self, agenda: &Agenda) -> Option<&Item> {
        match self {
            Self::Day(day, item) => agenda.days.get(day)?.items.get(item),
            Self::Daily(item) => agenda.daily.get(item).map(|daily| &daily.item),
            Self::Exhibition(item) => agenda.exhibitions.get(item),
            Self::Unplaced(item) => agenda.unplaced.get(item),
        }
    }

    fn item_mut(self, agenda: &mut Agenda) -> Option<&mut Item> {
        match self {
            Self::Day(day, item) => agenda.days.get_mut(day)?.items.get_mut(item),
            Self::Daily(item) => agenda.daily.get_mut(item).map(|daily| &mut daily.item),
            Self::Exhibition(item) => agenda.exhibitions.get_mut(item),
            Self::Unplaced(item) => agenda.unplaced.get_mut(item),
        }
    }

    /// Of an exhibition the hours are when it opens, not when it begins.
    fn keeps_hours(self) -> bool {
        matches!(self, Self::Day(..) | Self::Daily(_))
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

/// After what begins no later, so that the order of the article is kept.
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
    let text = match (session.start.filter(|_| until.is_none()), session.end) {
        (Some(start), Some(end)) => format!("de {} à {}{NBSP}: {words}", french::hour(start), french::hour(end)),
        (Some(start), None) => format!("{}{NBSP}: {words}", french::hour(start)),
        (None, _) => words,
    };
    let event = Event {
        start: session.start.filter(|_| until.is_none()),
        end: session.end.filter(|_| until.is_none()),
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
