//! The article's understanding, black box: HTML in, the agenda out, against lists written from reading.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use semainier::collect::article::{Reading, read};
use semainier::domain::agenda::{Agenda, Event, Item, Week};
use serde_json::{Map, Value, json};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/articles")
}

fn sample(name: &str) -> (String, Value) {
    let html = fs::read_to_string(samples().join(format!("{name}.html"))).expect("sample");
    let expected = fs::read_to_string(samples().join(format!("{name}.expected.json"))).expect("expected");
    (html, serde_json::from_str(&expected).expect("valid JSON"))
}

fn agenda_of(name: &str) -> (Agenda, Value) {
    let (html, expected) = sample(name);
    let published: NaiveDate = expected["published"].as_str().expect("published").parse().expect("a date");
    (read(&html, &Reading { published, week: None, home: "Auch" }), expected)
}

/// Days, then what recurs (on each of its days), then exhibitions: the order of the expected lists.
fn flat(agenda: &Agenda) -> Vec<(Option<NaiveDate>, &Item, &Event, &'static str)> {
    let mut out = Vec::new();
    for day in &agenda.days {
        for item in &day.items {
            out.extend(item.events.iter().map(|event| (Some(day.date), item, event, "dated")));
        }
    }
    for daily in &agenda.daily {
        for day in &daily.days {
            out.extend(daily.item.events.iter().map(|event| (Some(*day), &daily.item, event, "daily")));
        }
    }
    for item in &agenda.exhibitions {
        out.extend(item.events.iter().map(|event| (None, item, event, "exhibition")));
    }
    out
}

/// The event in the words of the expected files.
fn shown(day: Option<NaiveDate>, event: &Event) -> Map<String, Value> {
    let Value::Object(mut shown) = serde_json::to_value(event).expect("an event is JSON") else { unreachable!() };
    shown.insert("day".to_owned(), json!(day));
    let status = match shown.get("status").and_then(Value::as_str) {
        Some("cancelled") => json!("annulé"),
        Some("sold_out") => json!("complet"),
        Some("postponed") => json!("reporté"),
        _ => Value::Null,
    };
    shown.insert("status".to_owned(), status);
    shown
}

/// What is wrong with one event, key by key.
fn differences(expected: &Map<String, Value>, got: &Map<String, Value>) -> Vec<String> {
    const ABOUT_THE_FILE: [&str; 4] = ["trap", "kind", "recurring", "why"];
    const NULL_WHEN_ABSENT: [&str; 16] = [
        "place",
        "price",
        "phone",
        "link",
        "start",
        "end",
        "slots",
        "all_day",
        "approx",
        "from",
        "part_of_day",
        "end_day",
        "until",
        "until_text",
        "status",
        "title",
    ];
    let mut out = Vec::new();
    for (key, value) in expected.iter().filter(|(key, _)| !ABOUT_THE_FILE.contains(&key.as_str())) {
        let found = got.get(key).unwrap_or(&Value::Null);
        if found != value {
            out.push(format!("{key}: expected {value}, got {found}"));
        }
    }
    // `from` was added to the type after the first sample was written: there it may be either.
    for key in NULL_WHEN_ABSENT.iter().filter(|key| !expected.contains_key(**key) && **key != "from") {
        let found = got.get(*key).unwrap_or(&Value::Null);
        if !found.is_null() {
            out.push(format!("{key}: expected nothing, got {found}"));
        }
    }
    out
}

fn check(name: &str) {
    let (agenda, expected) = agenda_of(name);
    let events = expected["events"].as_array().expect("events");
    let got = flat(&agenda);
    let mut wrong = Vec::new();
    for index in 0..events.len().max(got.len()) {
        match (events.get(index), got.get(index)) {
            (Some(Value::Object(event)), Some((day, item, found, _))) => {
                let differences = differences(event, &shown(*day, found));
                if !differences.is_empty() {
                    wrong.push(format!("{index}. {}\n     {}", item.text, differences.join("\n     ")));
                }
            }
            (Some(event), _) => wrong.push(format!("{index}. missing: {event}")),
            (None, Some((day, item, event, _))) => {
                wrong.push(format!("{index}. too many: {day:?} {:?} of {:?}", event.title, item.text))
            }
            (None, None) => {}
        }
    }
    if let Some(total) = expected["total"].as_u64()
        && total != got.len() as u64
    {
        wrong.push(format!("expected {total} events, got {}", got.len()));
    }
    let week = serde_json::to_value(agenda.week).expect("JSON");
    if week != expected["week"] {
        wrong.push(format!("week: expected {}, got {week}", expected["week"]));
    }
    for (key, got) in [
        ("unplaced", &agenda.unplaced.iter().map(|item| item.text.clone()).collect::<Vec<_>>()),
        ("warnings", &agenda.warnings),
    ] {
        if let Some(expected) = expected.get(key)
            && *expected != json!(got)
        {
            wrong.push(format!("{key}: expected {expected}, got {got:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of {} wrong\n{}", wrong.len(), events.len(), wrong.join("\n"));
}

#[test]
fn one_week_with_nearly_every_trap_is_understood_exactly() {
    check("article_semaine");
    let (agenda, _) = agenda_of("article_semaine");
    assert_eq!(agenda.week, Some("2027-W28".parse::<Week>().expect("a week")));
    assert_eq!(flat(&agenda).len(), 31);
}
