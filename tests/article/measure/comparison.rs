//! Compares the answer for one article with what is expected.

use super::words::{Words, commune, has_run, has_word, is_in, is_number, words};
use super::{Entry, Expected, Gold, Held, Line, Under, list, printed, text_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Town {
    Right,
    /// Only in the title.
    InTitle,
    Missing,
    /// Another one than the article says.
    Wrong,
    /// One, where the article says none.
    Guess,
    /// None is said and none is printed.
    Unsaid,
}

pub(super) enum Fault {
    Wrong(&'static str),
    Embarrassing(String),
}

/// An expected event and a printed entry that is it.
pub(super) struct Pair {
    /// The event, and which of its days.
    pub(super) want: (usize, usize),
    /// The entry, and which of its days: `None` where it holds several things of that day as written.
    pub(super) got: (usize, Option<usize>),
}

pub(super) struct Comparison<'a> {
    gold: &'a Gold,
    known: Vec<Words>,
    pub(super) printed: Vec<Entry<'a>>,
    pub(super) pairs: Vec<Pair>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(gold: &'a Gold, answer: &'a Value) -> Self {
        let towns = gold.events.iter().flat_map(Expected::towns).flatten().filter(|town| *town != "home");
        let names = gold.communes.iter().map(String::as_str).chain([gold.home.as_str(), "Auch"]).chain(towns);
        let known = names.map(commune).collect();
        let mut this = Self { gold, known, printed: printed(answer), pairs: Vec::new() };
        this.pair();
        this
    }

    /// Best first; each event has an entry of its own.
    fn pair(&mut self) {
        let mut candidates = Vec::new();
        let events = || self.gold.events.iter().enumerate();
        let wants =
            || events().flat_map(|(at, event)| event.units().into_iter().enumerate().map(move |u| (at, event, u)));
        for (event, expected, (unit, want)) in wants() {
            for (entry, printed) in self.printed.iter().enumerate() {
                for (day, got) in printed.days.iter().enumerate() {
                    if expected.fits(want, printed, *got) {
                        let likeness = self.likeness(expected, printed) + f64::from(want == *got);
                        candidates.push((likeness, Pair { want: (event, unit), got: (entry, Some(day)) }));
                    }
                }
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut pairs: Vec<Pair> = Vec::new();
        for (_, new) in candidates {
            if !pairs.iter().any(|old| old.want == new.want || old.got == new.got) {
                pairs.push(new);
            }
        }
        for (event, expected, (unit, want)) in wants().filter(|(_, expected, _)| expected.start.is_none()) {
            let fits = |entry: &Entry<'_>| entry.days.iter().any(|got| expected.fits(want, entry, *got));
            let holds = |entry: &Entry<'_>| entry.verbatim && entry.start.is_none() && fits(entry);
            let found = pairs.iter().any(|pair| pair.want == (event, unit));
            if let Some(entry) = self.printed.iter().position(holds).filter(|_| !found) {
                pairs.push(Pair { want: (event, unit), got: (entry, None) });
            }
        }
        self.pairs = pairs;
    }

    fn likeness(&self, expected: &Expected, entry: &Entry<'_>) -> f64 {
        let town = match self.town(expected, entry) {
            Town::Right => 3.0,
            Town::InTitle => 2.0,
            Town::Unsaid => 1.0,
            Town::Missing => 0.0,
            Town::Wrong | Town::Guess => -3.0,
        };
        let named = |must: &Vec<String>| must.iter().filter(|word| has_word(&entry.title_words, word)).count();
        let named = expected.must.iter().map(named).max().unwrap_or_default() as f64;
        town + 0.5 * f64::from(!entry.as_item)
            + f64::from(expected.end.as_deref() == entry.end)
            + 0.5 * f64::from(expected.status == entry.status)
            + (4.0 * named / entry.title_words.len().max(1) as f64).min(1.0)
    }

    /// What is said of the town. Strict: another commune is wrong.
    pub(super) fn town(&self, expected: &Expected, entry: &Entry<'_>) -> Town {
        let towns = expected.towns();
        let name = |town: &str| commune(if town == "home" { &self.gold.home } else { town });
        let right: Vec<Words> = towns.iter().flatten().map(|town| name(town)).collect();
        let said = towns.iter().all(|town| town.is_some_and(|town| town != "home"));
        // The commune stands first or last.
        let parts = regex!(r"[,(–]|\s-\s").split(entry.place).filter(|part| !part.trim().is_empty());
        let parts: Vec<Words> = parts.map(commune).collect();
        let mut ends = parts.first().into_iter().chain(parts.last());
        let shown = ends.find(|part| !part.is_empty() && self.known.contains(part));
        let place = words(entry.place);
        if right.iter().any(|town| has_run(&place, town)) && shown.is_none_or(|shown| right.contains(shown)) {
            return Town::Right;
        }
        if shown.is_some() {
            return if said { Town::Wrong } else { Town::Guess };
        }
        if !said {
            return Town::Unsaid;
        }
        // « Lulu, halle »: what stands where the commune belongs is none.
        let parts: Vec<&str> = entry.place.split(',').filter(|part| !part.trim().is_empty()).collect();
        let mut venue = expected.venue.iter().flat_map(|word| word.split('|'));
        if parts.len() > 1 && !expected.venue.is_empty() && !venue.any(|word| has_word(&words(parts[0]), word)) {
            return Town::Wrong;
        }
        match right.iter().any(|town| has_run(&entry.title_words, town)) {
            true if entry.verbatim => Town::Right,
            true => Town::InTitle,
            false => Town::Missing,
        }
    }

    pub(super) fn is_found(&self, event: usize) -> bool {
        self.pairs.iter().any(|pair| pair.want.0 == event)
    }

    /// How much of an entry is right, and what is the matter with it; nothing where it makes no claim.
    pub(super) fn judge(&self, at: usize) -> Option<(f64, Option<Fault>)> {
        let entry = &self.printed[at];
        let mut hits: Vec<&Pair> = self.pairs.iter().filter(|pair| pair.got.0 == at).collect();
        let several = entry.verbatim && entry.start.is_none() && hits.iter().all(|pair| pair.got.1.is_none());
        if !several {
            hits.retain(|pair| pair.got.1.is_some());
        }
        if let Some(hit) = hits.first() {
            let expected = &self.gold.events[hit.want.0];
            if !several && hits.len() < entry.days.len() && !expected.exhibition() {
                return Some((hits.len() as f64 / entry.days.len() as f64, Some(Fault::Wrong("day"))));
            }
            let fault = self.false_field(expected, entry).or_else(|| Self::title_fault(expected, entry));
            return Some((1.0, fault));
        }
        if self.gold.tolerated.iter().any(|expected| expected.fits_any_day(entry)) {
            return Some((1.0, None));
        }
        if entry.is_of(&self.gold.not_events) {
            return Some((0.0, Some(Fault::Wrong("not an event"))));
        }
        (!entry.as_item).then(|| (0.0, Some(self.unfound(entry))))
    }

    /// A field of a found event that the article does not say.
    fn false_field(&self, expected: &Expected, entry: &Entry<'_>) -> Option<Fault> {
        let end = entry.end.is_some() && !expected.exhibition() && !expected.is_end(entry.end);
        let town = matches!(self.town(expected, entry), Town::Wrong | Town::Guess);
        let status =
            !entry.as_item && entry.status != expected.status && !(entry.verbatim && entry.status == "scheduled");
        let price = expected.is_wrong_price(entry.price);
        let found = [(end, "end"), (town, "town"), (price, "price"), (status, "status")];
        found.into_iter().find_map(|(is, what)| is.then_some(Fault::Wrong(what)))
    }

    fn title_fault(expected: &Expected, entry: &Entry<'_>) -> Option<Fault> {
        let asked = || (entry.verbatim && expected.verbatim_ok == Some(false)).then(|| "a sentence".to_owned());
        if entry.sentence { asked() } else { expected.bad_title(entry) }.map(Fault::Embarrassing)
    }

    /// What is the matter with an event that is none of the expected ones.
    fn unfound(&self, entry: &Entry<'_>) -> Fault {
        let timed = entry.start.is_some();
        let embarrassing = |why: &str| Fault::Embarrassing(why.to_owned());
        if entry.is_of(&self.gold.notes) {
            return if timed { Fault::Wrong("hour") } else { embarrassing("a description as an event") };
        }
        let all = || self.gold.events.iter().chain(&self.gold.tolerated).enumerate();
        let exhibition = entry.under == Under::Exhibitions;
        let then = |e: &Expected| !exhibition && !e.exhibition() && e.has_day_of(entry) && e.is_start(entry.start);
        let same: Vec<(usize, &Expected)> = all().filter(|(_, e)| then(e)).collect();
        let named = all().take(self.gold.events.len()).filter(|(_, e)| e.is_named_in(&entry.title_words));
        let named: Vec<(usize, &Expected)> = named.collect();
        let found = |(at, _): &(usize, &Expected)| self.is_found(*at);
        if let Some((_, twin)) = same.iter().find(|(_, e)| e.is_named_in(&entry.title_words)) {
            return self.false_field(twin, entry).unwrap_or_else(|| embarrassing("printed twice"));
        }
        let mut expected = same.iter().filter(|(at, _)| *at < self.gold.events.len());
        if !same.is_empty() && timed && (named.is_empty() || !expected.all(found)) {
            return embarrassing("title without what one attends");
        }
        let Some((_, first)) = named.first() else {
            return if timed { Fault::Wrong("hour") } else { embarrassing("no event at all") };
        };
        if timed || exhibition || !named.iter().any(|(_, e)| e.has_day_of(entry)) {
            let day = exhibition || first.exhibition() || named.iter().any(|(_, e)| e.is_start(entry.start));
            return Fault::Wrong(if day { "day" } else { "hour" });
        }
        if named.iter().all(found) { embarrassing("printed twice") } else { Fault::Wrong("hour lost") }
    }
}

/// The words of a line that are in none of the texts, in runs of two at least; dates and small words are left out.
pub(super) fn missing(line: &[String], texts: &[&String]) -> Words {
    const DATES: &str = "lundi mardi mercredi jeudi vendredi samedi dimanche lundis mardis mercredis jeudis vendredis \
        samedis dimanches janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre er";
    const SMALL: &str = "le la les du des de d a au ce cet l en est il elle y on c s";
    let mut out = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let held = |run: &usize| {
            let run = format!(" {} ", line[at..at + run].join(" "));
            texts.iter().any(|text| text.contains(&run))
        };
        let run = (1..=line.len() - at).take_while(held).last().unwrap_or_default();
        if run >= line.len().min(2) {
            at += run;
            continue;
        }
        let near = &line[at.saturating_sub(2)..line.len().min(at + 3)];
        let date = is_number(&line[at]) && near.iter().any(|word| is_in(DATES, word));
        if !date && !is_in(DATES, &line[at]) && !is_in(SMALL, &line[at]) {
            out.push(line[at].clone());
        }
        at += 1;
    }
    out
}

/// Each lost line of the article, with the words that are missing.
pub(super) fn lost(gold: &Gold, answer: &Value) -> Vec<String> {
    let fold = |item: &Value| format!(" {} ", words(text_of(item)).join(" "));
    let mut by_day: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for day in list(answer, "days") {
        by_day.entry(day["date"].as_str().unwrap_or_default()).or_default().extend(list(day, "items").map(fold));
    }
    let others = ["daily", "exhibitions", "unplaced", "warnings"];
    let others: Vec<String> = others.into_iter().flat_map(|key| list(answer, key)).map(fold).collect();
    let lost = |line: &Line| {
        let under = line.days.iter().filter_map(|day| by_day.get(day.as_str())).flatten();
        let texts: Vec<&String> = under.chain(&others).collect();
        let parts = if line.parts.is_empty() { std::slice::from_ref(&line.text) } else { &line.parts };
        let gone: Words = parts.iter().flat_map(|part| missing(&words(part), &texts)).collect();
        (!gone.is_empty()).then(|| format!("{} (missing: {})", line.text, gone.join(" ")))
    };
    gold.lines.iter().filter_map(lost).collect()
}

/// Whether the gates can hold the article, by what was read on each day that it might be published.
pub(super) fn is_held(held: &Held, answer: &Value) -> bool {
    let entries = printed(answer);
    let dated = || entries.iter().filter(|entry| entry.under != Under::Exhibitions);
    let days = || dated().flat_map(|entry| entry.days.iter().flatten().map(move |day| (entry.under, *day)));
    let told = list(answer, "warnings").next().is_some();
    match held {
        Held::WrongWeek { coming_week, .. } => {
            let coming = coming_week[0].as_str()..=coming_week[1].as_str();
            answer["week"] != json!(coming_week) && !days().any(|(_, day)| coming.contains(&day))
        }
        Held::EmptyDay { empty_days } => {
            let shown = |empty: &String| list(answer, "days").any(|day| day["date"] == **empty);
            let slid = |(under, day)| under == Under::Day && empty_days.iter().any(|empty| empty == day);
            (told || empty_days.iter().all(shown)) && !days().any(slid)
        }
        Held::NoDates => told && days().next().is_none(),
    }
}
