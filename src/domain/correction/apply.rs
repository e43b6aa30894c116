//! Applies corrections to a reading.

use super::locate::{Found, Line, lines, locate};
use super::{Correction, Dismissal, Patch, Placement, Section};
use crate::domain::agenda::{Agenda, DailyItem, Day, Event, Item, LeftOut, Unplaced, Week};
use crate::domain::french::folded;
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The corrections of an issue, and the lines its mailing leaves out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overlay {
    pub corrections: Vec<Correction>,
    pub dismissals: Vec<Dismissal>,
}

/// What became of a correction at a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Applied,
    /// The article says so itself now.
    Absorbed,
    /// The line has changed since, into these words: the issue is held until a person decides.
    InConflict {
        now: String,
        section: Section,
    },
    /// The line is gone.
    Orphaned,
}

/// A corrected agenda, and where every correction stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    pub agenda: Agenda,
    /// In the order of [`Overlay::corrections`].
    pub standings: Vec<Standing>,
}

impl Overlay {
    pub fn is_empty(&self) -> bool {
        self.corrections.is_empty() && self.dismissals.is_empty()
    }

    /// Applies them to a reading.
    pub fn apply(&self, read: &Agenda) -> Corrected {
        let all = lines(read);
        let standings = self.located(&all, read.week);
        let mut here: HashMap<usize, Vec<&Correction>> = HashMap::new();
        for (it, (_, at)) in self.corrections.iter().zip(&standings) {
            if let Some(at) = at {
                here.entry(*at).or_default().push(it);
            }
        }
        let dismissed: HashMap<String, &Dismissal> = self.dismissals.iter().map(|it| (folded(&it.line), it)).collect();
        let mut made = Made::of(read);
        for (at, line) in all.iter().enumerate() {
            match (dismissed.get(&line.words), here.get(&at)) {
                (Some(it), _) => made.leave_out(line, line.item.events.len().max(1), &it.by, &it.why),
                (None, Some(corrections)) => made.correct(line, corrections),
                (None, None) => {
                    made.keep(line, line.item.clone());
                    continue;
                }
            }
            made.settled.push(line.item.text.clone());
        }
        let standings = standings.into_iter().map(|(standing, _)| standing).collect();
        made.into_corrected(standings)
    }

    /// Where each stands, and the line that it changes.
    fn located(&self, all: &[Line<'_>], week: Option<Week>) -> Vec<(Standing, Option<usize>)> {
        // A line is taken when each of its events has a correction, or when it is left out of every issue.
        let mut events: HashMap<(Section, String), usize> = HashMap::new();
        for it in &self.corrections {
            *events.entry((it.anchor.section, folded(&it.anchor.line))).or_default() += 1;
        }
        let dismissed: HashSet<String> = self.dismissals.iter().map(|it| folded(&it.line)).collect();
        let taken = |line: &Line<'_>| {
            let corrected = events.get(&(line.section, line.words.clone())).copied().unwrap_or_default();
            corrected >= line.item.events.len().max(1) || dismissed.contains(&line.words)
        };
        let conflict =
            |at: usize| (Standing::InConflict { now: all[at].item.text.clone(), section: all[at].section }, None);
        self.corrections
            .iter()
            .map(|it| match locate(all, it, taken) {
                Found::Here(at) if week.is_some_and(|week| it.patch.fits(week)) => (Standing::Applied, Some(at)),
                Found::Here(at) | Found::Changed(at) => conflict(at),
                Found::Absorbed => (Standing::Absorbed, None),
                Found::Gone => (Standing::Orphaned, None),
            })
            .collect()
    }
}

/// The corrected agenda under construction.
struct Made {
    days: BTreeMap<NaiveDate, Vec<Item>>,
    agenda: Agenda,
    /// Days from which an event was moved or left out.
    thinned: HashSet<NaiveDate>,
    /// Lines that a person has dealt with: what the reading remarked about them is settled.
    settled: Vec<String>,
}

impl Made {
    fn of(read: &Agenda) -> Self {
        let agenda = Agenda {
            week: read.week,
            warnings: read.warnings.clone(),
            exceptions: read.exceptions.clone(),
            ..Agenda::default()
        };
        // A day without items stays: a gate looks at it.
        let days = read.days.iter().map(|day| (day.date, Vec::new())).collect();
        Self { days, agenda, thinned: HashSet::new(), settled: Vec::new() }
    }

    fn keep(&mut self, line: &Line<'_>, item: Item) {
        match line.section {
            Section::Day(day) => self.days.entry(day).or_default().push(item),
            Section::Daily => self.agenda.daily.push(DailyItem { item, days: line.days.to_vec() }),
            Section::Exhibitions => self.agenda.exhibitions.push(item),
            Section::Unplaced => self.agenda.unplaced.push(item),
        }
    }

    fn leave_out(&mut self, line: &Line<'_>, events: usize, by: &str, why: &str) {
        // What is no event is in no sum.
        if line.item.unplaced != Some(Unplaced::NotAnEvent) {
            let it = LeftOut { line: line.item.text.clone(), by: by.to_owned(), why: why.to_owned() };
            self.agenda.corrections.left_out.extend(std::iter::repeat_n(it, events));
        }
    }

    fn thin(&mut self, line: &Line<'_>) {
        if let Section::Day(day) = line.section {
            self.thinned.insert(day);
        }
    }

    fn correct(&mut self, line: &Line<'_>, corrections: &[&Correction]) {
        let patches: Vec<(usize, &Patch)> = corrections.iter().map(|it| (it.anchor.event, &it.patch)).collect();
        let patched = patched(line.item, &patches);
        let (mut stay, mut moved) = (Vec::new(), Vec::new());
        for (n, event) in patched.events.iter().cloned().enumerate() {
            let Some(it) = corrections.iter().find(|it| it.anchor.event == n) else {
                stay.push(event);
                continue;
            };
            if it.patch.placement == Some(Placement::Hidden) {
                self.leave_out(line, 1, &it.by, &it.why);
                self.thin(line);
                continue;
            }
            let to = it.patch.placement.filter(|to| to.section() != Some(line.section));
            // What is no event is printed only once it has a place.
            if to.is_some() || line.item.unplaced != Some(Unplaced::NotAnEvent) {
                self.note(&it.by);
            }
            match to {
                Some(to) => moved.push((to, Event { end_day: None, ..event })),
                None => stay.push(event),
            }
        }
        let item = |events: Vec<Event>| Item { events, ..patched.clone() };
        if !stay.is_empty() {
            self.keep(line, item(stay));
        }
        for (to, event) in moved {
            self.thin(line);
            self.place(to, Item { unplaced: None, ..item(vec![event]) });
        }
    }

    /// An event was changed by this person.
    fn note(&mut self, by: &str) {
        let corrections = &mut self.agenda.corrections;
        corrections.changed += 1;
        if !corrections.by.iter().any(|name| name == by) {
            corrections.by.push(by.to_owned());
        }
    }

    fn place(&mut self, to: Placement, item: Item) {
        match to {
            Placement::Day(day) => self.days.entry(day).or_default().push(item),
            Placement::EveryDay => {
                let days = self.agenda.week.map(|week| week.days().collect()).unwrap_or_default();
                self.agenda.daily.push(DailyItem { item, days });
            }
            Placement::Exhibition => self.agenda.exhibitions.push(item),
            Placement::Hidden => {}
        }
    }

    fn into_corrected(self, standings: Vec<Standing>) -> Corrected {
        let Self { days, mut agenda, thinned, settled, .. } = self;
        agenda.warnings.retain(|warning| !settled.iter().any(|line| is_about(warning, line)));
        // A person emptied these days, not the article.
        let days = days.into_iter().filter(|(date, items)| !items.is_empty() || !thinned.contains(date));
        agenda.days = days.map(|(date, items)| Day { date, items }).collect();
        Corrected { agenda, standings }
    }
}

/// The line with some of its events changed; where they go is not applied. No word of the line is lost: those that no field holds
/// stay with the last event that is not left out.
pub fn patched(item: &Item, patches: &[(usize, &Patch)]) -> Item {
    let mut item = Item { corrected: true, ..item.clone() };
    if item.events.is_empty() {
        item.events.push(Event::default());
    }
    for (n, patch) in patches {
        if let Some(event) = item.events.get_mut(*n) {
            patch.change(event);
        }
    }
    let last = item.events.len() - 1;
    let of = |n: usize| patches.iter().find(|(at, _)| *at == n).map(|(_, patch)| *patch);
    let hidden = |n: usize| of(n).is_some_and(|patch| patch.placement == Some(Placement::Hidden));
    let target = (0..=last).rev().find(|n| !hidden(*n));
    let remainder = patches.iter().find_map(|(_, patch)| patch.remainder.as_deref());
    // A note that a person wrote, or emptied, replaces what was read.
    let is_written = |n: usize| n == last && of(n).is_some_and(|patch| patch.note.is_some());
    if let (Some(target), Some(words)) = (target.filter(|n| !is_written(*n)), remainder) {
        let note = &mut item.events[target].note;
        *note = Some(match note.take() {
            Some(own) if target != last => format!("{own} · {words}"),
            _ => words.to_owned(),
        });
    }
    item
}

/// Whether a remark of the reading quotes this line, whole or shortened (« Feu d’artifice au bord… »).
fn is_about(warning: &str, line: &str) -> bool {
    let quoted = warning.split_once('«').and_then(|(_, rest)| rest.rsplit_once('»'));
    let quoted = quoted.map(|(quoted, _)| quoted.trim().trim_end_matches('…').trim_end());
    quoted.is_some_and(|quoted| !quoted.is_empty() && line.trim_start().starts_with(quoted))
}
