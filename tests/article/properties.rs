//! Properties of the grammar, over generated articles.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const DAYS: [&str; 7] = [
    "Lundi 12 juillet",
    "Mardi 13",
    "MERCREDI 14 JUILLET",
    "Jeudi 15 juillet :",
    "Vendredi 16",
    "Samedi 17 juillet 2027",
    "Dimanche",
];

fn reading() -> Reading<'static> {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] }
}

/// Words and signs of items, hours and decoys among them. No day and no label at the start: they would move the item.
fn item() -> impl Strategy<Value = String> {
    let first = select(vec![
        "grimoire",
        "zinnia",
        "«Taupe»",
        "à 10h bourrache",
        "dès 9 h 30, tilleul",
        "de 6 à 12 h, cumin",
        "12 km de lierre",
        "Ora Prunier",
        "ANNULÉ – houx",
        "2020 Selecta sureau",
    ]);
    let next = select(vec![
        "romarin",
        "et",
        "à Pavie",
        "au Cri’Art",
        "à 21h",
        "de 14h à 18h",
        "5 €",
        "gratuit",
        "05 62 00 00 00",
        ",",
        ";",
        ".",
        "!",
        "(",
        ")",
        "«",
        "»",
        "durant 1h15",
        "dès 8 ans",
        "COMPLET",
        "jusqu’à 23h",
        "sous la halle",
        "place de la mairie",
        "été",
        "œillet",
        "suivi d’un",
        "l’âne",
        "–",
        ":",
        "à 15h,",
        "toute la matinée",
        "samedi",
        "sauf le lundi",
        "& basilic",
        "…",
        "32",
        "à la",
        "de",
    ]);
    (first, vec(next, 0..12)).prop_map(|(first, rest)| format!("{first} {} verveine", rest.join(" ")))
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str, twice: bool) -> String {
    let text = text.replace('&', "&amp;").replace('é', "&eacute;").replace(" €", "&nbsp;€").replace('’', "&#8217;");
    if twice { text.replace('&', "&amp;") } else { text }
}

/// One day of the article in one of the shapes that editors use.
fn day_html(day: &str, items: &[String], shape: u8, twice: bool) -> String {
    let item = |text: &String| encoded(text, twice);
    let lines: Vec<String> = items.iter().map(item).collect();
    match shape {
        0 => format!(
            "<h3>{day}</h3><ul>{}</ul>",
            lines.iter().map(|line| format!("<li>{line}</li>")).collect::<String>()
        ),
        1 => format!("<p><strong>{day}</strong></p><p>- {}</p>", lines.join("<br />\n- ")),
        2 => format!(
            "<h2><span>{day}</span></h2>{}",
            lines.iter().map(|line| format!("<div><p><em>{line}</em></p></div>")).collect::<String>()
        ),
        3 => format!(
            "<p>{day}<br>{}</p>",
            lines.iter().map(|line| format!("• <b>{}</b>{}", &line[..0], line)).collect::<Vec<_>>().join("<br>")
        ),
        _ => format!(
            "<div><b>{day}</b></div>{}",
            lines.iter().map(|line| format!("<p>-</p><p>{line}</p>")).collect::<String>()
        ),
    }
}

/// The number of inputs: `PROPTEST_CASES` for a search (`scripts/properties`), else few enough for every run.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(800);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_item_is_under_its_day_or_unplaced(
        days in vec((any::<bool>(), vec(item(), 1..5), 0u8..5), 7),
        twice in any::<bool>(),
    ) {
        let mut html = String::from("<p>Samedi, place au belladone ! Et dimanche, à 10h, belladone.</p><p>Mercredi, belladone.</p>");
        let mut expected: Vec<(NaiveDate, String)> = Vec::new();
        for (index, (present, items, shape)) in days.iter().enumerate() {
            if !present { continue }
            html += &day_html(DAYS[index], items, *shape, twice);
            let date = NaiveDate::from_ymd_opt(2027, 7, 12 + u32::try_from(index).expect("small")).expect("a date");
            expected.extend(items.iter().map(|item| (date, folded(item))));
        }
        html += "<p>Retrouvez tout l’agenda <a href='/'>ici</a>.</p><p>- à 21h, belladone</p><h3>2 commentaires</h3><p>Mardi 13 : belladone</p>";
        let agenda = read(&html, &reading());
        for (date, text) in &expected {
            let under = agenda.days.iter().find(|day| day.date == *date);
            let found = under.is_some_and(|day| day.items.iter().any(|item| item.text.contains(text.as_str())));
            let unplaced = agenda.unplaced.iter().any(|item| item.text.contains(text.as_str()));
            prop_assert!(found || (unplaced && !agenda.warnings.is_empty()), "lost on {date}: {text}\n{html}\n{agenda:#?}");
        }
        // What stands around the days is no item; a line of it with an hour is kept aside for a person to see.
        let headed = days.iter().any(|(present, ..)| *present);
        for (_, item) in agenda.items() {
            let aside = item.unplaced.is_some();
            prop_assert!(!headed || aside || !item.text.contains("belladone"), "not an item: {}\n{html}", item.text);
            assert_no_word_is_lost(item);
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in any::<String>()) {
        read(&text, &reading());
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        read(&String::from_utf8_lossy(&bytes), &reading());
    }

    #[test]
    fn no_mix_of_tags_and_words_causes_a_panic(parts in vec(select(SOUP.to_vec()), 0..80), glue in select(vec!["", " ", "\n"])) {
        let agenda = read(&parts.join(glue), &reading());
        prop_assert!(agenda.items().all(|(_, item)| !item.text.is_empty()));
        for (_, item) in agenda.items() {
            prop_assert!(item.events.iter().all(|event| !event.title.trim().is_empty()), "no title: {item:#?}");
        }
    }
}

const SOUP: [&str; 89] = [
    "<dl>",
    "</dl>",
    "<dt>18 h",
    "</dt>",
    "<dd>",
    "</dd>",
    "<del>",
    "</del>",
    "[vc_row]",
    "DÉFILÉ. — Vendredi : Pavie, 21 h",
    "LUN<br>12<br>JUIL",
    "<h3>",
    "</h3>",
    "<p>",
    "</p>",
    "<li>",
    "</li>",
    "<ul>",
    "</ul>",
    "<br>",
    "<td>",
    "</td>",
    "<tr>",
    "</tr>",
    "<table>",
    "</table>",
    "<a href='/x'>",
    "</a>",
    "<b>",
    "</b>",
    "<article>",
    "</article>",
    "<div style='display:none'>",
    "</div>",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<",
    ">",
    "&",
    "&amp;eacute;",
    "&nbsp;",
    "lundi",
    "Mardi",
    "12",
    "1er",
    "32",
    "29",
    "février",
    "juillet",
    "août",
    "2027",
    "du",
    "au",
    "et",
    "à",
    "de",
    "le",
    "les",
    "Lundi 12 juillet",
    "Samedi 17 et dimanche 18",
    "jusqu’au",
    "jusqu'à",
    "fin",
    "tous les jours",
    "sauf",
    "chaque",
    "10h",
    "24 h",
    "99",
    ":",
    "-",
    "–",
    "«",
    "»",
    "(",
    ")",
    ".",
    ",",
    ";",
    "€",
    "gratuit",
    "05 62 00 00 00",
    "Pavie",
    "la Fenière",
    "ANNULÉ",
    "reporté au",
    "COMPLET à",
];
