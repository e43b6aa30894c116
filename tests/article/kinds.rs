//! Kinds of articles that were read wrong at first, each in its shortest form.

use super::*;

/// `07-12 10:00 bal @ Pavie` of each event under a day.
fn told(html: &str) -> Vec<String> {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] });
    let line = |day: &NaiveDate, event: &Event| {
        let hour = event.start.map_or("--:--".to_owned(), |at| at.format("%H:%M").to_string());
        let place = event.place.as_deref().map(|place| format!(" @ {place}")).unwrap_or_default();
        format!("{} {hour} {}{place}", day.format("%m-%d"), event.title)
    };
    let of_day = |day: &semainier::domain::agenda::Day| {
        let events = day.items.iter().flat_map(|item| &item.events);
        events.map(|event| line(&day.date, event)).collect::<Vec<_>>()
    };
    agenda.days.iter().flat_map(of_day).collect()
}

#[test]
fn a_date_on_a_badge_is_a_day() {
    let lines = "<h3>LUN · 12 JUIL</h3><p>14h : bal à Pavie</p><h3>MAR · 13 JUIL</h3><p>15h : loto à Jégun</p>";
    assert_eq!(told(lines), ["07-12 14:00 bal @ Pavie", "07-13 15:00 loto @ Jégun"]);
    let badge = |day: &str, number: &str, what: &str| {
        format!(
            "<table><tr><td>{day}<br>{number}<br>JUIL.</td><td>{what}<br>18h | Place Gambetta, Pavie</td></tr></table>"
        )
    };
    let cards = [badge("LUN", "12", "Marché nocturne"), badge("MAR", "13", "Bal musette")].concat();
    let place = "@ Pavie, Place Gambetta";
    assert_eq!(
        told(&cards),
        [format!("07-12 18:00 marché nocturne {place}"), format!("07-13 18:00 bal musette {place}")]
    );
}

#[test]
fn the_counted_days_of_a_festival_are_days() {
    let html = "<h4>1er jour – vendredi 16 juillet</h4><dl><dt>18 h</dt><dd>Bal à Pavie</dd><dt>20 h</dt><dd>Loto à Jégun</dd><dd>Concert à Auch</dd></dl>\
                <h4>2e et dernier jour – samedi 17 juillet</h4><dl><dt>Minuit</dt><dd>Feu d’artifice à Pavie</dd></dl>";
    let want = [
        "07-16 18:00 bal à Pavie @ Pavie",
        "07-16 20:00 loto à Jégun @ Jégun",
        "07-16 20:00 concert à Auch @ Auch",
        "07-17 00:00 feu d'artifice à Pavie @ Pavie",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn an_hour_without_a_definition_is_kept() {
    let html = "<h4>Lundi 12 juillet</h4><dl><dt>18 h</dt></dl><p>Bal à Pavie</p>";
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(html, &Reading { published, week: None, home: "Auch", venues: &[] });
    let text: Vec<&str> = agenda.items().map(|(_, item)| item.text.as_str()).collect();
    assert!(text.join(" ").contains("18 h"), "{agenda:#?}");
}

#[test]
fn a_picture_parts_a_day_from_its_motto() {
    let html = "<p><b>LUNDI 12 JUILLET</b> ☀️ <i>On bouge !</i><br>• 10h bal à Pavie</p><p><b>MARDI 13 JUILLET</b> ⛅<br>• 15h loto à Jégun</p>";
    assert_eq!(told(html), ["07-12 10:00 bal @ Pavie", "07-13 15:00 loto @ Jégun"]);
}

#[test]
fn fields_with_names_belong_to_the_title_above_them() {
    let card = |title: &str, when: &str| {
        format!(
            "<h3>{title}</h3><p>Deux mille pas.</p><ul><li><b>Quand :</b> {when}</li><li><b>Où :</b> place du Puits, Pavie</li><li><b>Combien :</b> 7 €</li></ul>"
        )
    };
    let html = [
        "<h1>Du 12 au 18 juillet 2027</h1>".to_owned(),
        card("La nuit des ponts", "mardi et jeudi à 17h"),
        card("Contes au lavoir", "vendredi 16 juillet, 21h"),
    ];
    let want = ["07-13 17:00 nuit des ponts", "07-15 17:00 nuit des ponts", "07-16 21:00 contes au lavoir"];
    let want = want.map(|event| format!("{event} @ Pavie, place du Puits"));
    assert_eq!(told(&html.concat()), want);
}

#[test]
fn an_abbreviated_weekday_is_no_town() {
    let line = |day: &str, rest: &str| format!("<p>{day} // 18h // {rest} // Gratuit</p>");
    let html = [
        "<h1>Du 12 au 18 juillet 2027</h1>".to_owned(),
        line("Lun. 12/07", "Le Caveau, Pavie // Bal musette"),
        line("Mer. 14/07", "Le Caveau, Jégun // Soirée loto"),
    ];
    assert_eq!(
        told(&html.concat()),
        ["07-12 18:00 bal musette @ Pavie, Le Caveau", "07-14 18:00 soirée loto @ Jégun, Le Caveau"]
    );
}

#[test]
fn struck_words_beside_others_do_not_hold() {
    let html = "<h3>Lundi 12 juillet</h3><p>Visite de la tour à <del>15h</del> 9h30, à Pavie</p><p><s>Concert à 20h à Jégun</s> annulé</p>";
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let told = told(html);
    assert!(told.iter().any(|event| event.starts_with("07-12 09:30 ")), "{told:?}");
    assert!(!told.iter().any(|event| event.contains("15:00")), "{told:?}");
    assert!(told.iter().any(|event| event.starts_with("07-12 20:00 concert")), "{told:?}");
    let agenda = read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] });
    let concert = agenda.items().flat_map(|(_, item)| &item.events).find(|event| event.title.starts_with("concert"));
    assert_eq!(
        concert.map(|event| event.status),
        Some(semainier::domain::agenda::Status::Cancelled),
        "all of it is struck"
    );
}

#[test]
fn a_theme_in_capitals_names_what_stands_only_with_town_and_hour() {
    let html = "<h1>Du 12 au 18 juillet 2027</h1><p>LOTOS. — Vendredi : Pavie, 21 heures, salle des fêtes (club de foot). Samedi : Jégun, 15 heures.</p>\
                <p>CONCERTS. — Mardi : récital de harpe, 20 h 30, église de Pavie.</p>";
    let told = told(html);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("07-13 20:30 récital de harpe"), "{told:?}");
    assert!(
        told[1].starts_with("07-16 21:00 LOTOS @ Pavie") && told[2].starts_with("07-17 15:00 LOTOS @ Jégun"),
        "{told:?}"
    );
}

#[test]
fn the_name_of_a_feast_gives_its_town() {
    let html = "<p><b>LE JEUDI 15 JUILLET :</b><br>JEGUN : LOTO A 15H</p><p><b>FETE VOTIVE DE PAVIE</b></p><p><b>LE VENDREDI 16 JUILLET A PARTIR DE 19 HEURES :</b><br>MARCHE GOURMAND<br>A 23H : BAL MUSETTE</p>\
                <p><b>LE SAMEDI 17 JUILLET :</b><br>15H : CONCOURS DE PETANQUE</p>";
    let told = told(html);
    assert!(told[0].starts_with("07-15 15:00 LOTO"), "{told:?}");
    let told = &told[1..];
    let starts = ["07-16 19:00 MARCHE", "07-16 23:00 BAL", "07-17 15:00 CONCOURS"];
    assert!(told.len() == 3 && told.iter().zip(starts).all(|(event, start)| event.starts_with(start)), "{told:?}");
    assert!(told.iter().all(|event| event.ends_with(" @ Pavie")), "{told:?}");
}

/// What was read, wherever it stands.
fn words(html: &str) -> String {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(html, &Reading { published, week: None, home: "Auch", venues: &[] });
    agenda.items().map(|(_, item)| item.text.clone()).collect::<Vec<_>>().join(" / ")
}

#[test]
fn an_hour_as_a_term_within_a_cell_is_read_with_the_row() {
    let html =
        "<h3>Lundi 12 juillet</h3><table><tr><td><dl><dt>18 h</dt><dd>Bal</dd></dl></td><td>Pavie</td></tr></table>";
    let said = words(html);
    assert!(said.contains("18 h") && said.contains("Bal") && said.contains("Pavie"), "{said}");
}

#[test]
fn a_theme_behind_a_removed_shortcode_keeps_its_letters() {
    let said = words("<p>[vc_row] DÉFILÉ. — Vendredi 16 juillet : Pavie, 21 heures</p>");
    assert!(said.contains("DÉFILÉ") && said.contains("21 heures"), "{said}");
}

#[test]
fn a_first_cell_that_is_cut_within_a_letter_stops_nothing() {
    for html in [
        "<table><tr><td>É[a=1</td><td>b]</td></tr></table>",
        "<table><tr><td>LUN<br>É[a=1</td><td>b]é 18 h</td></tr></table>",
    ] {
        words(&format!("<h3>Lundi 12 juillet</h3>{html}<p>à 10h, bal à Pavie</p>"));
    }
}

#[test]
fn an_hour_as_a_term_without_a_list_is_kept() {
    let said = words("<h4>Lundi 12 juillet</h4><dt>18 h</dt><p>Bal à Pavie</p>");
    assert!(said.contains("18 h"), "{said}");
}
