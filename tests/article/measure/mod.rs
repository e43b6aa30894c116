//! Accuracy of the article parser: each `NN-name.html` of the samples is compared with its `NN-name.gold.json`, a list of
//! its events written by hand. The program only sees the page and the office's own commune.
//!
//! What is *printed* is an event of the answer, or an item without events, which is printed as written. It is *wrong* if it
//! has a day, an hour, an end, a town, a price or a status that the article does not give, or is no event at all. It is
//! *embarrassing* if it is not wrong, but its title is a fragment of a sentence, a description, or another event's, or the
//! event is printed twice. It counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::NaiveDate;
use regex::Regex;
use semainier::collect::article::{Reading, read};
use serde::Deserialize;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The styles that the grammar was made with.
const FIRST: Bars =
    Bars { recall: 95.0, precision: 95.0, wrong: 1.0, embarrassing: 3.0, clean: 70.0, wrong_towns: 1.0, kept: 100.0 };
/// Others: not worse than they are.
const OTHERS: Bars =
    Bars { recall: 87.5, precision: 90.0, wrong: 7.7, embarrassing: 7.5, clean: 54.0, wrong_towns: 3.5, kept: 97.7 };

/// How well a set of articles has to be read, in per cent.
struct Bars {
    /// Of the expected events, those printed under the right day, with the right hour and the words that name them.
    recall: f64,
    /// Of what is printed, what is right in the same sense. An item as written that is none of the events says nothing.
    precision: f64,
    /// Wrong, of what is printed.
    wrong: f64,
    /// Embarrassing, of what is printed.
    embarrassing: f64,
    /// Of the found events, those whose title is a title: no debris, and no whole sentence.
    clean: f64,
    /// Of the found events whose town the article says, those printed in another one.
    wrong_towns: f64,
    /// Of the lines with an hour or a date, those that are still there: under their day, or in a list without days.
    kept: f64,
}

macro_rules! regex {
    ($pattern:literal) => {{
        static REGEX: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| Regex::new($pattern).unwrap());
        &*REGEX
    }};
}

#[derive(Deserialize)]
struct Gold {
    published: NaiveDate,
    /// The office's own commune.
    home: String,
    /// Those the article names anywhere.
    communes: Vec<String>,
    events: Vec<Expected>,
    /// Neither missed when absent nor wrong when printed.
    tolerated: Vec<Expected>,
    lines: Vec<Line>,
    /// Introduction, footer, office hours, a caption: must not be printed at all.
    not_events: Vec<String>,
    /// Descriptions and practical lines of the event above: must not become an event.
    notes: Vec<String>,
    held: Option<Held>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Expected {
    kind: String,
    /// Several for what recurs, which is still one event; none for an exhibition.
    days: Vec<String>,
    start: Option<String>,
    end: Option<String>,
    /// Other right readings: `{"day": …}`, `{"start": …}`, `{"end": …}`.
    or: Vec<Value>,
    /// Alternatives: all words of one of them must stand in the title.
    must: Vec<Vec<String>>,
    /// Words that show debris of the sentence.
    must_not: Vec<String>,
    /// Null where none is said, `"home"` where it is left to the reader, a list where each of several is right.
    town: Value,
    /// Words of the venue; `a|b` is either.
    venue: Vec<String>,
    price: Option<String>,
    /// Do not look at the price.
    price_any: bool,
    status: String,
    /// False where the sentence as written will not do for a title.
    verbatim_ok: Option<bool>,
}

/// A line that holds an hour or a date, and the days it may stand under.
#[derive(Deserialize)]
struct Line {
    text: String,
    /// For a row of a table, in place of the text.
    #[serde(default)]
    parts: Vec<String>,
    days: Vec<String>,
}

/// Why the gates must hold the article.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
enum Held {
    WrongWeek { coming_week: [String; 2], also_published: Vec<NaiveDate> },
    EmptyDay { empty_days: Vec<String> },
    NoDates,
}

/// Folded words: case, accents and typography do not count, and `18h30` is `18 h 30`.
type Words = Vec<String>;

fn words(text: &str) -> Words {
    let mut words: Words = vec![String::new()];
    let mut last = ' ';
    for c in text.nfkd().filter(|c| canonical_combining_class(*c) == 0).flat_map(char::to_lowercase) {
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0f}' => continue,
            _ if !c.is_alphanumeric() || c.is_numeric() != last.is_numeric() => words.push(String::new()),
            _ => {}
        }
        match c {
            'œ' => words.last_mut().unwrap().push_str("oe"),
            'æ' => words.last_mut().unwrap().push_str("ae"),
            _ if c.is_alphanumeric() => words.last_mut().unwrap().push(c),
            _ => {}
        }
        last = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn stem(word: &str) -> &str {
    if word.len() > 3 { word.strip_suffix(['s', 'x']).unwrap_or(word) } else { word }
}

/// Longer forms of long words count; numbers are exact.
fn has_word(words: &[String], word: &str) -> bool {
    let word = stem(word);
    words.iter().any(|other| stem(other) == word || (word.len() >= 5 && other.starts_with(word)))
}

fn has_run(words: &[String], run: &[String]) -> bool {
    !run.is_empty() && words.windows(run.len()).any(|window| window == run)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

/// Without clock times and the small words that lead to them: `à partir de 21 h 30`.
fn without_hours(words: &[String]) -> Words {
    let mut out: Words = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let unit = words.get(at + 1).is_some_and(|unit| is_in("h heure heures", unit));
        if !(unit && is_number(&words[at])) {
            out.push(words[at].clone());
            at += 1;
            continue;
        }
        while out.last().is_some_and(|last| is_in("a de des et vers partir jusqu", last)) {
            out.pop();
        }
        at += 2;
        at += usize::from(words.get(at).is_some_and(|minutes| minutes.len() == 2 && is_number(minutes)));
    }
    out
}

/// Whether the title is the item or one of its sentences, as written, with or without the hours.
fn is_sentence(title: &str, text: &str) -> bool {
    let title = without_hours(&words(title));
    let mut from = 0;
    let mut sentences = vec![text];
    for end in regex!(r"[.!?…;]\s+").find_iter(text).map(|end| end.end()) {
        sentences.push(&text[from..end]);
        from = end;
    }
    sentences.push(&text[from..]);
    let mut sentences = sentences.into_iter().map(|sentence| without_hours(&words(sentence)));
    sentences.any(|sentence| 10 * title.len() >= 9 * sentence.len() && has_run(&sentence, &title))
}

/// What shows that a title is a piece of a sentence. The words that the event must be named by are none.
fn debris(title: &str, must: &[Vec<String>]) -> Option<String> {
    const BEGINS: &str = "et puis ensuite egalement aussi enfin toujours avec suivi suivie suivis suivies en dans sur \
        sous chez par pour jusqu jusque inclus seul seule comme mais ou que qui dont ne se s y autour vers apres avant \
        entre depuis lors ainsi donc car si plus au aux a de du d ce cet cette meme memes rdv rv bien sans durant \
        pendant afin voici";
    const NEVER: &str = "vous venez accueille accueillent recoit recoivent propose proposent promet promettent attend \
        attendent invite invitent organise organisent reservez apportez inscription inscriptions reservation \
        reservations tarif tarifs";
    const ENDS: &str =
        "de du des le la les un une et a au aux en avec par pour sur sous dans qu que qui d l chez ou ne se";
    let expected = |word: &str| must.iter().flatten().any(|other| stem(other) == stem(word));
    let all = words(title);
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Some("empty".to_owned()) };
    let quoted = title.trim_start().starts_with(['«', '“', '"']);
    let a_name = regex!(
        r"(?i)^\s*(de l[’']|en (?:avant|attendant|passant)|sur les pas|de la |apr[èe]s[- ]midi|bien[- ][êe]tre)"
    );
    let a_start = regex!(r"(?i)^\s*(dès\b|rendez-vous (?:à|au|aux|dès|devant|sur|pour)\b|à partir\b)");
    let early: String = title.to_lowercase().chars().take(5).collect();
    if !quoted
        && !expected(first)
        && ((is_in(BEGINS, first) && !a_name.is_match(title))
            || a_start.is_match(title)
            || (first == "des" && early.contains("dès")))
    {
        return Some(format!("begins with « {first} »"));
    }
    if !quoted && is_in(ENDS, last) && !expected(last) {
        return Some(format!("ends with « {last} »"));
    }
    if let Some(word) = all.iter().find(|word| is_in(NEVER, word) && !expected(word)) {
        return Some(format!("holds « {word} »"));
    }
    let hour = regex!(r"\b\d{1,2}\s?[hH]\s?(\d\d)?\b|\b\d{1,2}:\d\d\b").is_match(title);
    let count = |sign: char| title.matches(sign).count();
    let (opened, closed) = (count('«'), count('»'));
    [
        (regex!(r"[\[\]=©]|</?\w").is_match(title), "code"),
        (regex!("[📍📌📅🕐🕑⏰⌚☎📞💶💰🎟]").is_match(title), "pictogram"),
        (regex!(r"€|\beuros?\b").is_match(title), "holds a price"),
        (hour && !all.iter().any(|word| is_number(word) && expected(word)), "holds an hour"),
        (regex!(r"(?:\d\d[ .]){4}\d\d").is_match(title), "holds a telephone"),
        (count('(') != count(')'), "open bracket"),
        (opened + closed == 1 && !title.contains('“'), "open quote"),
        (all.iter().all(|word| is_in("matin matinee midi apres journee soir soiree nuit", word)), "part of the day"),
    ]
    .into_iter()
    .find_map(|(found, why)| found.then(|| why.to_owned()))
}

/// The sums of a price in cents, without ages and hours, and whether it is free.
fn money(price: &str) -> (BTreeSet<u64>, bool) {
    let price: String =
        price.nfd().filter(|c| canonical_combining_class(*c) == 0).flat_map(char::to_lowercase).collect();
    let price = regex!(r"\b\d{1,2}\s*h\s*(\d\d)?\b").replace_all(&price, " ");
    let ages = regex!(r"(-|moins de|de \d+ a|plus de|des)?\s*\d+\s*(ans?\b|personnes?\b|pers\b|places?\b)");
    let price = ages.replace_all(&price, " ");
    let price = regex!(r"(\d)\s*(?:€|euros?)\s*(\d\d)\b").replace_all(&price, "$1.$2");
    let sums = regex!(r"[0-9]+(?:[.,][0-9]{1,2})?").find_iter(&price);
    let cents = |sum: &str| (sum.replace(',', ".").parse::<f64>().unwrap() * 100.0).round() as u64;
    let free = ["gratuit", "libre", "chapeau", "offert", "free"].iter().any(|word| price.contains(word));
    (sums.map(|sum| cents(sum.as_str())).collect(), free)
}

fn commune(name: &str) -> Words {
    let name = words(name);
    let article = name.len() > 1 && is_in("le la les l", &name[0]);
    name[usize::from(article)..].to_vec()
}

#[derive(Clone, Copy, PartialEq)]
enum Under {
    Day,
    Daily,
    Exhibitions,
}

/// One printed thing.
struct Entry<'a> {
    under: Under,
    /// At least one, which is `None` for an exhibition.
    days: Vec<Option<&'a str>>,
    start: Option<&'a str>,
    end: Option<&'a str>,
    place: &'a str,
    price: &'a str,
    status: &'a str,
    title: &'a str,
    title_words: Words,
    text_words: Words,
    /// It is an item without events.
    as_item: bool,
    /// The title is a sentence of the item.
    sentence: bool,
    /// A sentence where a title should be: long, or with what belongs elsewhere.
    verbatim: bool,
}

fn list<'a>(value: &'a Value, key: &'static str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// The words of an item, or of a warning.
fn text_of(item: &Value) -> &str {
    item.as_str().or_else(|| item["text"].as_str()).unwrap_or_default()
}

fn printed(answer: &Value) -> Vec<Entry<'_>> {
    let mut out = Vec::new();
    for day in list(answer, "days") {
        let of = [day["date"].as_str()];
        out.extend(list(day, "items").flat_map(|item| Entry::of_item(Under::Day, &of, item)));
    }
    for item in list(answer, "daily") {
        let mut days: Vec<_> = list(item, "days").map(Value::as_str).collect();
        days.resize(days.len().max(1), None);
        out.extend(Entry::of_item(Under::Daily, &days, item));
    }
    out.extend(list(answer, "exhibitions").flat_map(|item| Entry::of_item(Under::Exhibitions, &[None], item)));
    out
}

impl<'a> Entry<'a> {
    fn of_item(under: Under, days: &[Option<&'a str>], item: &'a Value) -> Vec<Self> {
        let mut events: Vec<Option<&Value>> = list(item, "events").map(Some).collect();
        if events.is_empty() && !text_of(item).trim().is_empty() {
            events.push(None);
        }
        events.into_iter().map(|event| Self::new(under, days, text_of(item), event)).collect()
    }

    fn new(under: Under, days: &[Option<&'a str>], text: &'a str, event: Option<&'a Value>) -> Self {
        let field = |key: &str| event.and_then(|event| event[key].as_str());
        let title = if event.is_some() { field("title").unwrap_or_default() } else { text };
        let sentence = is_sentence(title, text);
        let long = without_hours(&words(title)).len() >= 8;
        Self {
            under,
            days: days.to_vec(),
            start: field("start"),
            end: field("end"),
            place: field("place").unwrap_or_default(),
            price: field("price").unwrap_or_default(),
            status: field("status").unwrap_or("scheduled"),
            title,
            title_words: words(title),
            text_words: words(text),
            as_item: event.is_none(),
            sentence,
            verbatim: event.is_none() || (sentence && (long || debris(title, &[]).is_some())),
        }
    }

    /// Whether it is made of one of these texts.
    fn is_of(&self, texts: &[String]) -> bool {
        let (item, title) = (&self.text_words, &self.title_words);
        texts.iter().map(|text| words(text)).any(|text| {
            let held = item.iter().filter(|word| text.contains(word)).count();
            let of_text = has_run(&text, title);
            (item.len() >= text.len().min(3) && has_run(&text, item))
                || match text.len() >= 3 && has_run(item, &text) {
                    true => of_text,
                    false => title.len() >= 3 && of_text && !self.as_item && 10 * held >= 8 * item.len(),
                }
        })
    }
}

impl std::fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days: Vec<&str> = self.days.iter().map(|day| day.unwrap_or("exhibition")).collect();
        write!(f, "{} {}", days.join(","), self.start.unwrap_or("--:--"))?;
        write!(f, "{}", self.end.map(|end| format!("–{end}")).unwrap_or_default())?;
        let title: String = self.title.chars().take(90).collect();
        write!(f, " «{title}» @ {} [{}] {}", self.place, self.price, self.status)
    }
}

impl Expected {
    fn exhibition(&self) -> bool {
        self.kind == "exhibition"
    }

    /// What must be found: each of its days, or the exhibition.
    fn units(&self) -> Vec<Option<&str>> {
        if self.exhibition() { vec![None] } else { self.days.iter().map(|day| Some(day.as_str())).collect() }
    }

    fn other(&self, key: &'static str) -> impl Iterator<Item = Option<&str>> {
        self.or.iter().filter_map(move |other| other.get(key)).map(Value::as_str)
    }

    fn is_start(&self, start: Option<&str>) -> bool {
        self.start.as_deref() == start || self.other("start").any(|other| other == start)
    }

    fn is_day(&self, want: Option<&str>, got: Option<&str>) -> bool {
        want == got || self.other("day").any(|other| other == got)
    }

    fn is_end(&self, end: Option<&str>) -> bool {
        self.end.as_deref() == end || self.other("end").any(|other| other == end)
    }

    fn is_named_in(&self, title: &[String]) -> bool {
        self.must.iter().any(|words| words.iter().all(|word| has_word(title, word)))
    }

    /// Whether `entry` on the day `got` is this event on the day `want`.
    fn fits(&self, want: Option<&str>, entry: &Entry<'_>, got: Option<&str>) -> bool {
        let there = match self.exhibition() {
            true => entry.under != Under::Day,
            false => entry.under != Under::Exhibitions && self.is_day(want, got) && self.is_start(entry.start),
        };
        there && self.is_named_in(&entry.title_words)
    }

    fn fits_any_day(&self, entry: &Entry<'_>) -> bool {
        self.units().iter().any(|want| entry.days.iter().any(|got| self.fits(*want, entry, *got)))
    }

    fn has_day_of(&self, entry: &Entry<'_>) -> bool {
        self.units().iter().any(|want| entry.days.iter().any(|got| self.is_day(*want, *got)))
    }

    /// The towns that are right; `None` among them where none need be printed.
    fn towns(&self) -> Vec<Option<&str>> {
        self.town.as_array().map_or_else(|| vec![self.town.as_str()], |all| all.iter().map(Value::as_str).collect())
    }

    fn bad_title(&self, entry: &Entry<'_>) -> Option<String> {
        let held = || self.must_not.iter().find(|debris| has_run(&entry.title_words, &words(debris)));
        debris(entry.title, &self.must).or_else(|| held().map(|word| format!("holds « {word} »")))
    }

    fn is_wrong_price(&self, price: &str) -> bool {
        let said = self.price.as_deref().unwrap_or_default();
        let ((want, want_free), (got, free)) = (money(said), money(price));
        let other = !got.is_subset(&want) || (free && !want_free && got.is_empty());
        !self.price_any && !price.is_empty() && (said.is_empty() || other)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Town {
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

enum Fault {
    Wrong(&'static str),
    Embarrassing(String),
}

/// An expected event and a printed entry that is it.
struct Pair {
    /// The event, and which of its days.
    want: (usize, usize),
    /// The entry, and which of its days: `None` where it holds several things of that day as written.
    got: (usize, Option<usize>),
}

struct Comparison<'a> {
    gold: &'a Gold,
    known: Vec<Words>,
    printed: Vec<Entry<'a>>,
    pairs: Vec<Pair>,
}

impl<'a> Comparison<'a> {
    fn new(gold: &'a Gold, answer: &'a Value) -> Self {
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
    fn town(&self, expected: &Expected, entry: &Entry<'_>) -> Town {
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

    fn is_found(&self, event: usize) -> bool {
        self.pairs.iter().any(|pair| pair.want.0 == event)
    }

    /// How much of an entry is right, and what is the matter with it; nothing where it makes no claim.
    fn judge(&self, at: usize) -> Option<(f64, Option<Fault>)> {
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
fn missing(line: &[String], texts: &[&String]) -> Words {
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
fn lost(gold: &Gold, answer: &Value) -> Vec<String> {
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
fn is_held(held: &Held, answer: &Value) -> bool {
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

/// So much of so many.
#[derive(Clone, Copy, Default)]
struct Share(f64, f64);

impl Share {
    fn count(&mut self, part: f64) {
        self.0 += part;
        self.1 += 1.0;
    }
}

/// What was counted in an article; see [`Bars`].
#[derive(Default)]
struct Score {
    name: String,
    recall: Share,
    precision: Share,
    wrong: Share,
    embarrassing: Share,
    clean: Share,
    right_towns: Share,
    wrong_towns: Share,
    kept: Share,
    /// Once for each day that an article to be held might be published on.
    held: Share,
    /// What to mend, a line each.
    remarks: Vec<String>,
}

fn score(gold: &Gold, answer: &Value) -> Score {
    let comparison = Comparison::new(gold, answer);
    let mut score = Score::default();
    for (at, expected) in gold.events.iter().enumerate() {
        let found: Vec<&Pair> = comparison.pairs.iter().filter(|pair| pair.want.0 == at).collect();
        let share = found.len() as f64 / expected.units().len().max(1) as f64;
        score.recall.count(share);
        if share < 1.0 {
            let (start, days) = (expected.start.as_deref().unwrap_or("--:--"), expected.days.join(","));
            score.remarks.push(format!("missed        {days} {start} {:?} @ {}", expected.must, expected.town));
        }
        let Some(best) = found.first().map(|pair| &comparison.printed[pair.got.0]) else { continue };
        score.clean.count(f64::from(!best.verbatim && (best.sentence || expected.bad_title(best).is_none())));
        let town = comparison.town(expected, best);
        if !expected.town.is_null() && expected.town != "home" && town != Town::Unsaid {
            score.right_towns.count(f64::from(town == Town::Right));
            score.wrong_towns.count(f64::from(matches!(town, Town::Wrong | Town::Guess)));
        }
    }
    for (at, entry) in comparison.printed.iter().enumerate() {
        let judged = comparison.judge(at);
        if let Some((right, _)) = judged {
            score.precision.count(right);
        }
        let fault = judged.and_then(|(_, fault)| fault);
        score.wrong.count(f64::from(matches!(fault, Some(Fault::Wrong(_)))));
        score.embarrassing.count(f64::from(matches!(fault, Some(Fault::Embarrassing(_)))));
        score.remarks.extend(fault.map(|fault| match fault {
            Fault::Wrong(why) => format!("wrong         {why}: {entry}"),
            Fault::Embarrassing(why) => format!("embarrassing  {why}: {entry}"),
        }));
    }
    let lost = lost(gold, answer);
    score.kept = Share((gold.lines.len() - lost.len()) as f64, gold.lines.len() as f64);
    score.remarks.extend(lost.iter().map(|line| format!("lost          {line}")));
    score
}

/// Reads and counts the articles of these numbers.
fn scores(numbers: RangeInclusive<u32>) -> Vec<Score> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/reading");
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.filter_map(|file| file.strip_suffix(".gold.json").map(str::to_owned)).collect();
    names.retain(|name| numbers.contains(&name[..2].parse().unwrap()));
    names.sort();
    let score_of = |name: String| {
        let gold: Gold = serde_json::from_slice(&fs::read(folder.join(format!("{name}.gold.json"))).unwrap()).unwrap();
        let html = fs::read_to_string(folder.join(format!("{name}.html"))).unwrap();
        let answer = |published| {
            serde_json::to_value(read(&html, &Reading { published, week: None, home: &gold.home, venues: &[] }))
                .unwrap()
        };
        let mut score = score(&gold, &answer(gold.published));
        if let Some(held) = &gold.held {
            let also = if let Held::WrongWeek { also_published, .. } = held { &also_published[..] } else { &[] };
            for day in [gold.published].iter().chain(also) {
                let holds = is_held(held, &answer(*day));
                score.held.count(f64::from(holds));
                score.remarks.extend((!holds).then(|| format!("not held      when published on {day}")));
            }
        }
        Score { name, ..score }
    };
    names.into_iter().map(score_of).collect()
}

/// Its name, where it is counted, and between what it must be.
type Figure = (&'static str, fn(&Score) -> Share, RangeInclusive<f64>);

impl Bars {
    /// Fails with all that there is to mend, by article.
    fn hold(&self, scores: &[Score]) {
        let figures: [Figure; 9] = [
            ("recall", |s| s.recall, self.recall..=f64::MAX),
            ("precision", |s| s.precision, self.precision..=f64::MAX),
            ("wrong", |s| s.wrong, 0.0..=self.wrong),
            ("embarrassing", |s| s.embarrassing, 0.0..=self.embarrassing),
            ("clean titles", |s| s.clean, self.clean..=f64::MAX),
            ("right towns", |s| s.right_towns, 0.0..=f64::MAX),
            ("wrong towns", |s| s.wrong_towns, 0.0..=self.wrong_towns),
            ("lines kept", |s| s.kept, self.kept..=f64::MAX),
            ("held", |s| s.held, 100.0..=f64::MAX),
        ];
        let (mut hold, mut report) = (true, String::new());
        for (what, figure, bar) in figures {
            let sum = scores.iter().map(figure).fold(Share::default(), |a, b| Share(a.0 + b.0, a.1 + b.1));
            if sum.1 == 0.0 {
                continue;
            }
            let got = 100.0 * sum.0 / sum.1;
            let holds = bar.contains(&got);
            hold &= holds;
            report += &format!("{what:<13} {got:6.2} %{}\n", if holds { "" } else { ", which misses its bar" });
        }
        for score in scores.iter().filter(|score| !score.remarks.is_empty()) {
            report += &format!("\n{}\n    {}\n", score.name, score.remarks.join("\n    "));
        }
        assert!(hold, "{report}");
    }
}

#[test]
fn the_bars_hold_on_the_first_24() {
    let scores = scores(1..=24);
    assert_eq!(scores.len(), 24);
    FIRST.hold(&scores);
}

#[test]
fn articles_of_other_styles_stay_read() {
    let scores = scores(51..=84);
    assert_eq!(scores.len(), 28);
    OTHERS.hold(&scores);
}

#[test]
fn the_measure_catches_a_wrong_answer() {
    let day = "2029-07-16";
    let [tour, ball] = ["à 10h, visite de la tour de Pavie, 6 € / 3 €", "bal à 21h sous la halle de Jégun"];
    let (note, hours) = ("Prévoir de bonnes chaussures.", "Le bureau est ouvert de 9h30 à 18h.");
    let gold = json!({
        "published": "2029-07-14", "home": "Auch", "communes": ["Auch", "Pavie", "Jégun"], "held": null,
        "events": [
            {"days": [day], "start": "10:00", "must": [["visite", "tour"]], "town": "Pavie", "venue": ["tour"],
             "price": "6 € 3 €", "status": "scheduled"},
            {"days": [day], "start": "21:00", "must": [["bal"]], "town": "Jégun", "status": "scheduled"},
        ],
        "lines": [{"text": tour, "days": [day]}, {"text": ball, "days": [day]}],
        "tolerated": [], "notes": [note], "not_events": [hours],
    });
    let gold: Gold = serde_json::from_value(gold).unwrap();
    let right = json!({"days": [{"date": day, "items": [
        {"text": tour, "events": [{"start": "10:00", "end": null, "title": "visite de la tour", "place": "Pavie, tour",
            "price": "6 € / 3 €"}]},
        {"text": ball, "events": [{"start": "21:00", "title": "bal", "place": "Jégun, halle"}]},
        {"text": note, "events": []},
    ]}]});
    // What is changed, where, to what; then what is found, right, wrong, embarrassing, clean, in a wrong town, kept.
    let cases = [
        ("the line of a note", "/2/text", json!(note), [2, 2, 0, 0, 2, 0, 2]),
        ("the hour", "/0/events/0/start", json!("11:00"), [1, 1, 1, 0, 1, 0, 2]),
        ("the end", "/0/events/0/end", json!("11:15"), [2, 2, 1, 0, 2, 0, 2]),
        ("the town", "/0/events/0/place", json!("Auch, tour"), [2, 2, 1, 0, 2, 1, 2]),
        ("the price", "/0/events/0/price", json!("6 €, 15 €"), [2, 2, 1, 0, 2, 0, 2]),
        ("the title", "/0/events/0/title", json!("puis visite de la tour"), [2, 2, 0, 1, 1, 0, 2]),
        ("a note, to an event", "/2/events", json!([{"title": note}]), [2, 2, 0, 1, 2, 0, 2]),
        ("a note, to opening hours", "/2", json!({"text": hours}), [2, 2, 1, 0, 2, 0, 2]),
        ("the words", "/0/text", json!("à 10h, visite"), [2, 2, 0, 0, 2, 0, 1]),
        ("an item, to nothing", "/1", json!(null), [1, 1, 0, 0, 1, 0, 1]),
    ];
    for (what, at, to, want) in cases {
        let mut answer = right.clone();
        *answer.pointer_mut(&format!("/days/0/items{at}")).unwrap() = to;
        let s = score(&gold, &answer);
        let got = [s.recall, s.precision, s.wrong, s.embarrassing, s.clean, s.wrong_towns, s.kept];
        assert_eq!(got.map(|share| share.0), want.map(f64::from), "{what} changed: {:?}", s.remarks);
    }
    let week = |week: [&str; 2]| Held::WrongWeek { coming_week: week.map(str::to_owned), also_published: vec![] };
    assert!(is_held(&week(["2029-07-23", "2029-07-29"]), &right));
    assert!(!is_held(&week(["2029-07-16", "2029-07-22"]), &right));
    assert!(!is_held(&Held::EmptyDay { empty_days: vec![day.to_owned()] }, &right));
    assert!(!is_held(&Held::NoDates, &right));
    assert!(is_held(&Held::NoDates, &json!({"warnings": ["aucun jour"]})));
}
