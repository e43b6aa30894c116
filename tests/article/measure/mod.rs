//! Accuracy of the article parser: each `NN-name.html` of the samples is compared with its `NN-name.gold.json`, a list of
//! its events written by hand. The program only sees the page and the office's own commune.
//!
//! What is *printed* is an event of the answer, or an item without events, which is printed as written. It is *wrong* if it
//! has a day, an hour, an end, a town, a price or a status that the article does not give, or is no event at all. It is
//! *embarrassing* if it is not wrong, but its title is a fragment of a sentence, a description, or another event's, or the
//! event is printed twice. It counts once.

#[macro_use]
mod words;
mod comparison;

use comparison::{Comparison, Fault, Pair, Town, is_held, lost};
use words::{Words, debris, has_run, has_word, is_sentence, money, without_hours, words};

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::NaiveDate;
use semainier::collect::article::{Reading, read};
use serde::Deserialize;
use serde_json::{Value, json};

/// The styles that the grammar was made with.
const FIRST: Set = Set {
    articles: 1..=24,
    number: 24,
    recall: 95.0,
    precision: 95.0,
    wrong: 1.0,
    embarrassing: 3.0,
    clean: 70.0,
    wrong_towns: 1.0,
    kept: 100.0,
};
/// Others: not worse than they are.
const OTHERS: Set = Set {
    articles: 51..=84,
    number: 28,
    recall: 89.5,
    precision: 92.0,
    wrong: 5.5,
    embarrassing: 6.2,
    clean: 55.5,
    wrong_towns: 3.5,
    kept: 99.5,
};

/// Bulletins, programmes, lists of markets and fixtures, messages with pictograms.
const FURTHER: Set = Set {
    articles: 85..=99,
    number: 15,
    recall: 98.0,
    precision: 96.0,
    wrong: 1.0,
    embarrassing: 3.0,
    clean: 68.0,
    wrong_towns: 1.0,
    kept: 100.0,
};

/// Badges, definitions, fields with names, themes, changes struck through: not worse than they are.
const LATEST: Set = Set {
    articles: 100..=113,
    number: 14,
    recall: 93.5,
    precision: 94.0,
    wrong: 4.5,
    embarrassing: 5.0,
    clean: 76.5,
    wrong_towns: 2.5,
    kept: 95.5,
};

/// Days named by other days, cells with several things, badges of two days, menus, bounds of an evening: short articles.
const SHORT: Set = Set {
    articles: 120..=165,
    number: 28,
    recall: 98.0,
    precision: 97.0,
    wrong: 2.0,
    embarrassing: 2.5,
    clean: 80.0,
    wrong_towns: 1.0,
    kept: 99.5,
};

/// Cards with short dates, tables of a town hall, titles above their dates, terms, feasts: whole articles of twelve offices.
const TWELVE: Set = Set {
    articles: 170..=181,
    number: 12,
    recall: 97.0,
    precision: 98.0,
    wrong: 1.0,
    embarrassing: 1.0,
    clean: 84.0,
    wrong_towns: 0.8,
    kept: 100.0,
};

/// Names in lists of definitions and bold words, headings of venues, grids of a cinema, tables of sellers, pages copied from a PDF,
/// notebooks of a newspaper: whole articles of sixteen places.
const SIXTEEN: Set = Set {
    articles: 190..=205,
    number: 16,
    recall: 96.0,
    precision: 98.5,
    wrong: 0.8,
    embarrassing: 0.8,
    clean: 82.0,
    wrong_towns: 0.3,
    kept: 100.0,
};

/// Cards of a site, fields with names, hours before bars, chapters of a newspaper, a radio's week-end: eight places.
const EIGHT_OF_SITES: Set = Set {
    articles: 210..=217,
    number: 8,
    recall: 99.0,
    precision: 99.5,
    wrong: 0.3,
    embarrassing: 0.3,
    clean: 82.0,
    wrong_towns: 0.3,
    kept: 100.0,
};

/// Towns as the outer order, days in running text, themes with dated lines, a table with its markets, cards of a page builder:
/// whole articles of eight offices.
const EIGHT: Set = Set {
    articles: 218..=225,
    number: 8,
    recall: 99.5,
    precision: 99.5,
    wrong: 0.5,
    embarrassing: 0.5,
    clean: 85.0,
    wrong_towns: 0.5,
    kept: 100.0,
};

/// Cards of an events plugin, fields « Où ? / Quand ? », bold names before towns, a radio's bridge, a table, a town before a dash:
/// whole articles of eleven offices and newspapers.
const ELEVEN: Set = Set {
    articles: 226..=236,
    number: 11,
    recall: 99.0,
    precision: 99.5,
    wrong: 0.3,
    embarrassing: 0.5,
    clean: 80.0,
    wrong_towns: 0.3,
    kept: 100.0,
};

/// Articles by their numbers, and how well they have to be read, in per cent.
struct Set {
    articles: RangeInclusive<u32>,
    /// How many they are.
    number: usize,
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
fn scores(numbers: &RangeInclusive<u32>) -> Vec<Score> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/reading");
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.filter_map(|file| file.strip_suffix(".gold.json").map(str::to_owned)).collect();
    let number = |name: &str| name.split('-').next().unwrap().parse().unwrap();
    names.retain(|name| numbers.contains(&number(name)));
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

impl Set {
    /// Fails with all that there is to mend, by article.
    fn holds(&self) {
        let scores = scores(&self.articles);
        assert_eq!(scores.len(), self.number, "{:?}", self.articles);
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
fn the_thresholds_hold_on_the_first_24_articles() {
    FIRST.holds();
}

#[test]
fn articles_of_other_styles_are_still_understood() {
    OTHERS.holds();
}

#[test]
fn fifteen_further_styles_are_understood() {
    FURTHER.holds();
}

#[test]
fn fourteen_latest_styles_are_still_understood() {
    LATEST.holds();
}

#[test]
fn twenty_eight_short_articles_of_many_styles_are_understood() {
    SHORT.holds();
}

#[test]
fn twelve_whole_articles_of_offices_and_town_halls_are_understood() {
    TWELVE.holds();
}

#[test]
fn sixteen_whole_articles_of_many_places_are_understood() {
    SIXTEEN.holds();
}

#[test]
fn eight_whole_articles_of_sites_and_newspapers_are_understood() {
    EIGHT_OF_SITES.holds();
}

#[test]
fn eight_whole_articles_of_offices_are_understood() {
    EIGHT.holds();
}

#[test]
fn eleven_whole_articles_of_cards_fields_and_names_are_understood() {
    ELEVEN.holds();
}

#[test]
fn each_article_of_the_samples_is_in_a_set() {
    let sets = [FIRST, OTHERS, FURTHER, LATEST, SHORT, TWELVE, SIXTEEN, EIGHT_OF_SITES, EIGHT, ELEVEN];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/reading");
    let all = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let measured = |name: &String| {
        let number = name.split('-').next().unwrap().parse().unwrap();
        sets.iter().any(|set| set.articles.contains(&number))
    };
    assert_eq!(all.filter(|name| !measured(name)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_measure_detects_a_wrong_answer() {
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
