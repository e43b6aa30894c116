//! Minimal inputs of faults of the grammar, found by `scripts/properties` or in articles.

use super::*;

fn read_on_9_july(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] })
}

#[test]
fn one_weekday_with_hours_three_times_is_no_opening_of_a_week() {
    let line = "grimoire samedi de 14h à 18h samedi de 14h à 18h de 14h à 18h samedi verveine";
    let agenda = read_on_9_july(&format!("<h3>Dimanche</h3><ul><li>{line}</li><li>grimoire verveine</li></ul>"));
    assert!(agenda.unplaced.is_empty(), "{agenda:#?}");
    let [day] = agenda.days.as_slice() else { panic!("{agenda:#?}") };
    let texts: Vec<&str> = day.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(texts, [line, "grimoire verveine"]);
}

#[test]
fn a_week_of_hours_behind_a_name_is_printed_and_those_of_libraries_are_not() {
    let week = "mardi de 14h à 18h, mercredi de 10h à 18h, samedi de 10h à 17h";
    let agenda = read_on_9_july(&format!(
        "<h3>Lundi 12</h3><p>10h, bal</p><p>Grimoire : {week}</p><p>Bibliothèque : {week}</p><p>Horaires des médiathèques : {week}</p>"
    ));
    let aside: Vec<&str> = agenda
        .unplaced
        .iter()
        .filter(|item| item.unplaced == Some(Unplaced::NotAnEvent))
        .map(|item| item.text.as_str())
        .collect();
    assert_eq!(aside, [format!("Bibliothèque : {week}"), format!("Horaires des médiathèques : {week}")], "{agenda:#?}");
}

#[test]
fn a_dash_may_be_the_first_word_that_is_printed_as_written() {
    let agenda = read_on_9_july("Pavie<h3>;-saufLundi 12 juillet");
    assert!(agenda.items().all(|(_, item)| !item.text.is_empty()), "{agenda:#?}");
}

#[test]
fn the_hour_of_the_last_day_is_not_that_of_the_first_ones() {
    let line = "Vendredi 16 à 21 h et dimanche 18 à 15 h, la troupe des Baladins joue « Le Malade » à Gimont.";
    let agenda = read_on_9_july(&format!("<p>{line}</p><p>Samedi 17 juillet à 10 h, marché à Pavie.</p>"));
    let hours = agenda.days.iter().flat_map(|day| &day.items).flat_map(|item| &item.events);
    let hours: Vec<_> = hours.map(|event| (event.start.map(|at| at.format("%H:%M").to_string()), event.end)).collect();
    let at = |hour: &str| (Some(hour.to_owned()), None);
    assert_eq!(hours, [at("21:00"), at("10:00"), at("15:00")], "{agenda:#?}");
}

#[test]
fn a_day_without_anything_and_a_closed_office_are_no_events() {
    let lines = [
        "<h3>Lundi 12</h3><p>RAS</p>",
        "<h3>Mardi 13</h3><p>Pas d’activité</p>",
        "<h3>Mercredi 14</h3><p>Bal à 21 h</p>",
        "<p>Fermeture exceptionnelle de l’office</p>",
    ];
    let agenda = read_on_9_july(&lines.concat());
    let titles: Vec<&str> =
        agenda.items().flat_map(|(_, item)| &item.events).map(|event| event.title.as_str()).collect();
    assert_eq!(titles, ["bal"], "{agenda:#?}");
}

#[test]
fn the_hall_for_rain_is_not_the_place() {
    let agenda =
        read_on_9_july("<h3>Lundi 12 juillet</h3><p>21h, bal au lac de Pavie (repli salle des fêtes si pluie)</p>");
    let place = agenda.days[0].items[0].events[0].place.as_deref();
    assert!(place.is_some_and(|place| !place.contains("salle")), "{agenda:#?}");
}
