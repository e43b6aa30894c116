//! Black-box tests of the article parser: HTML in, agenda out, compared with lists written by hand.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use semainier::collect::article::{Reading, read};
use semainier::domain::agenda::{Agenda, Event, Item, Unplaced, Week};
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
    (read(&html, &Reading { published, week: None, home: "Auch", venues: &[] }), expected)
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
fn a_week_with_nearly_every_difficulty_is_understood_exactly() {
    check("article_semaine");
    let (agenda, _) = agenda_of("article_semaine");
    assert_eq!(agenda.week, Some("2027-W28".parse::<Week>().expect("a week")));
    assert_eq!(flat(&agenda).len(), 31);
}
#[test]
fn run_in_prose() {
    check("run_in_prose");
}
#[test]
fn themes_dated_items() {
    check("themes_dated_items");
}
#[test]
fn table() {
    check("table");
}
#[test]
fn capitals_month_end() {
    check("capitals_month_end");
}
#[test]
fn word_processor() {
    check("word_processor");
}
#[test]
fn auch_column() {
    check("auch_column");
}
#[test]
fn towns_under_days() {
    check("towns_under_days");
}
#[test]
fn prose_semicolons() {
    check("prose_semicolons");
}
#[test]
fn full_page() {
    check("full_page");
}

fn summer(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] })
}

#[test]
fn the_offices_commune_is_shown_before_its_own_venues_only() {
    let html = "<h3>Mardi 13 juillet</h3><ul><li>à 21h, concert au Cri’Art</li><li>à 18h, bal à la salle des fêtes</li>\
                <li>à 20h, loto au Cri’Art de Pavie</li></ul>";
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let venues = ["Cri'Art".to_owned()];
    let agenda = read(html, &Reading { published, week: None, home: "Auch", venues: &venues });
    let places: Vec<_> = flat(&agenda).into_iter().map(|(_, _, event, _)| event.place.clone()).collect();
    assert_eq!(
        places,
        [Some("Auch, Cri'Art".to_owned()), Some("salle des fêtes".to_owned()), Some("Pavie, Cri'Art".to_owned())]
    );
}

#[test]
fn an_empty_heading_is_kept_with_a_warning() {
    let agenda = summer(
        "<h3>Lundi 12 juillet</h3><ul><li>à 10h, visite</li></ul><h3>Mardi 13</h3><h3>Mercredi 14</h3><p>à 9h, marché</p>",
    );
    let items: Vec<usize> = agenda.days.iter().map(|day| day.items.len()).collect();
    assert_eq!(items, [1, 0, 1]);
    assert_eq!(agenda.warnings, ["Mardi 13\u{a0}: le jour est annoncé, mais rien n’est écrit dessous."]);
}

#[test]
fn an_article_of_last_year_has_the_days_of_last_year() {
    let agenda =
        summer("<h3>Lundi 13 juillet</h3><p>à 10h, visite</p><h3>Mardi 14 juillet</h3><p>à 22h, feu d’artifice</p>");
    assert_eq!(agenda.week, Some("2026-W29".parse().expect("a week")));
}

#[test]
fn days_of_two_weeks_are_all_kept_with_a_warning() {
    let agenda = summer(
        "<h3>Samedi 17 juillet</h3><p>à 10h, visite</p><h3>Dimanche 18 juillet</h3><p>bal</p><h3>Lundi 19 juillet</h3><p>à 9h, marché</p>",
    );
    assert_eq!(agenda.week, Some("2027-W28".parse().expect("a week")));
    assert_eq!(agenda.days.len(), 3);
    assert_eq!(
        agenda.warnings,
        ["L’article a des jours hors de la semaine du 12 juillet 2027\u{a0}: lundi 19 (19 juillet 2027)."]
    );
}

#[test]
fn an_article_without_days_is_empty_with_a_warning() {
    let agenda = summer("<p>Samedi, la ville s’amuse.</p><p>Bientôt le programme !</p>");
    assert_eq!((agenda.event_count(), agenda.week), (0, None));
    assert_eq!(agenda.warnings, ["Aucun jour n’a été trouvé dans l’article."]);
}

#[test]
fn an_ambiguous_item_is_printed_as_written() {
    let agenda = summer("<h3>Mardi 13 juillet</h3><ul><li>à 10h visite du musée à 15h</li><li>à 18h</li></ul>");
    let items = &agenda.days[0].items;
    assert!(items.iter().all(|item| item.events.is_empty()), "{items:#?}");
    assert_eq!(
        items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>(),
        ["à 10h visite du musée à 15h", "à 18h"]
    );
    assert_eq!(
        agenda.warnings[0],
        "Mardi 13\u{a0}: «\u{a0}à 10h visite du musée à 15h\u{a0}» n’a pas été compris\u{202f}; imprimé tel quel."
    );
}

/// Of lines that no editor writes: each grammar meets its own word again and again.
#[test]
fn a_phrase_repeated_ten_thousand_times_is_parsed_on_a_small_stack() {
    #[rustfmt::skip]
    const PHRASES: &[&str] = &[
        "demain ", "aujourd'hui, ", "après-demain et ", "tous les jours ", "chaque lundi, ", "sauf le lundi, ",
        "du lundi au mardi ", "les mardis et ", "samedi ", "lundi 12 juillet ", "du 12 au ", "à 10 h ", "de 9 h à ",
        "dès ", "jusqu'au ", "« ", "( ", "à Auch, ", "5 € ", "05 62 00 00 00 ", "complet ", "bal ", "– ", ". ", "au ",
    ];
    let reading = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        for phrase in PHRASES {
            for lead in ["", "<h3>Lundi 12 juillet</h3><p>"] {
                let line = format!("{lead}{}", phrase.repeat(10_000));
                let published = NaiveDate::from_ymd_opt(2027, 7, 9).unwrap();
                read(&line, &Reading { published, week: None, home: "Auch", venues: &[] });
            }
        }
    });
    reading.unwrap().join().unwrap();
}

#[test]
fn plain_text_is_accepted_as_an_article() {
    let agenda = summer(
        "Du 12 au 18 juillet\n\nLundi 12\n- à 10h, visite d'Auch\n- 20h30 / 22h30 : cinéma\n\nVENDREDI :\n* marché à Seissan\n\nInfos pratiques\n- L'office ouvre à 9h",
    );
    let starts: Vec<_> = flat(&agenda)
        .into_iter()
        .map(|(_, _, event, _)| event.start.map(|time| time.format("%H:%M").to_string()))
        .collect();
    assert_eq!(starts, [Some("10:00".to_owned()), Some("20:30".to_owned()), Some("22:30".to_owned()), None]);
}

/// Folded words of three letters or more: what conservation is counted in.
fn words_of(text: &str) -> Vec<String> {
    use unicode_normalization::UnicodeNormalization;
    let plain: String = text
        .nfd()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .collect::<String>()
        .to_lowercase()
        .replace('œ', "oe");
    plain.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 2).map(str::to_owned).collect()
}

/// Words that a field says in another way: hours, days, the names of fields, and the joints of a sentence.
const SAID_OTHERWISE: &[&str] = &[
    "dans",
    "sur",
    "sous",
    "les",
    "des",
    "une",
    "par",
    "pour",
    "avec",
    "cet",
    "cette",
    "ces",
    "qui",
    "que",
    "est",
    "sont",
    "suivi",
    "suivie",
    "ensuite",
    "enfin",
    "egalement",
    "aussi",
    "puis",
    "chez",
    "devant",
    "jusqu",
    "vers",
    "autour",
    "entre",
    "heures",
    "heure",
    "midi",
    "minuit",
    "partir",
    "matin",
    "matinee",
    "apres",
    "soir",
    "soiree",
    "nuit",
    "tombee",
    "toute",
    "tout",
    "journee",
    "tel",
    "tarif",
    "tarifs",
    "prix",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "mardis",
    "tous",
    "jours",
    "sauf",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "fin",
    "annule",
    "reporte",
    "complet",
    "rendez",
    "vous",
    "aux",
    "part",
    "depart",
    "sera",
    "lieu",
    "reservation",
    "reservations",
];

/// Understanding sorts words, it never drops one: each is in a field of some event of its item.
fn assert_no_word_is_lost(item: &Item) {
    if item.events.is_empty() {
        return;
    }
    let mut said = Vec::new();
    for event in &item.events {
        let fields = [
            Some(&event.title),
            event.place.as_ref(),
            event.price.as_ref(),
            event.note.as_ref(),
            event.until_text.as_ref(),
        ];
        fields.into_iter().flatten().for_each(|field| said.extend(words_of(field)));
    }
    // `petits marchés` in two towns is one `petit marché` in each.
    let stem = |word: &str| word.trim_end_matches('s').to_owned();
    let said: Vec<String> = said.iter().map(|word| stem(word)).collect();
    // Of a text that tells of several days only what was read for this one.
    for word in words_of(item.read.as_ref().unwrap_or(&item.text)) {
        let kept = said.contains(&stem(&word)) || SAID_OTHERWISE.contains(&word.as_str());
        assert!(kept, "{word:?} of {:?} is in no field of {:#?}", item.text, item.events);
    }
}

#[test]
fn a_place_before_hours_that_name_their_own_is_kept() {
    let html =
        "<h3>Lundi 12 juillet</h3><ul><li>Ora Prunier ; au Cri’Art : à 21h à Pavie – à 22h30 sous la halle</li></ul>";
    let agenda = summer(html);
    let item = &agenda.days[0].items[0];
    assert_eq!(item.events.len(), 2);
    assert_no_word_is_lost(item);
}

#[test]
fn every_word_of_an_understood_item_is_in_one_of_its_fields() {
    let mut seen = 0;
    for entry in fs::read_dir(samples()).expect("samples") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|extension| extension == "html") {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            let (agenda, _) = agenda_of(&name);
            agenda.items().for_each(|(_, item)| assert_no_word_is_lost(item));
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} samples");
}

mod cards;
mod found;
mod kinds;
mod markup;
mod measure;

mod properties;
mod sections;
mod towns;
mod unseen;
mod wording;
