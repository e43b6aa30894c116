//! Headings of themes around days, and what a line says beside its event: each in its shortest form.

use super::kinds::told;
use super::*;
use semainier::domain::agenda::Status;

const HEAD: &str = "<h1>Du 12 au 18 juillet 2027</h1>";

fn agenda(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(
        &format!("{HEAD}{html}"),
        &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] },
    )
}

#[test]
fn lines_below_a_theme_say_their_own_days_before_and_behind_those_of_a_heading() {
    let html = "<h1>Du 12 au 18 juillet 2027</h1><p>Il y en a pour tous.</p><h3>Billard</h3>\
                <p>Jeudi, 20 h : tournoi des débutants à Pavie.</p><h3>Tir à l’arc</h3>\
                <p>Samedi 17. Concours du club : départ 9 h, à Jégun.</p><h3>Échecs</h3><p>Mardi, loto à 18 h, à Pavie.</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-13 18:00", "07-15 20:00", "07-17 09:00"], "{told:?}");
}

#[test]
fn a_heading_of_notes_is_no_event_and_ends_the_day() {
    let html = "<p><b>Samedi 17 juillet</b></p><p>21 h : bal à Pavie</p><h3>À noter</h3><p>Le concert de jeudi 15 à 20 h à Jégun est annulé.</p>";
    let told = told(html);
    assert!(
        told.len() == 2 && told[0].starts_with("07-15 20:00") && told[1].starts_with("07-17 21:00 bal"),
        "{told:?}"
    );
}

#[test]
fn a_state_without_a_new_day_or_before_other_words_is_one() {
    for (line, want) in [
        (
            "<h3>Mardi 13 juillet</h3><p>Le tournoi Pavie – Jégun est remis à une date ultérieure.</p>",
            Status::Postponed,
        ),
        (
            "<h3>Mardi 13 juillet</h3><p>19h00 | ⚠️ ANNULÉ (vent) ⚠️ Sortie en kayak, lac de Pavie</p>",
            Status::Cancelled,
        ),
        (
            "<h3>Mardi 13 juillet</h3><p><b>Le grand tour</b></p><p>20h30</p><p>COMPLET – liste d’attente sur place à partir de 19h30</p>",
            Status::SoldOut,
        ),
    ] {
        let agenda = agenda(line);
        let states: Vec<Status> = agenda.items().flat_map(|(_, item)| &item.events).map(|event| event.status).collect();
        assert_eq!(states, [want], "{agenda:#?}");
    }
}

#[test]
fn the_doors_and_the_length_are_not_the_hour() {
    for (lines, want) in [
        ("<p>21 h : concert de Lulu à Pavie. Attention, les portes n’ouvrent qu’à 20 h 30.</p>", "21:00"),
        ("<p>21 h : concert de Lulu à Pavie. Ouverture du site dès 20 h.</p>", "21:00"),
        (
            "<p><b>Le grand tour</b></p><p>20h30 (ouverture des portes 20h)</p><p>Compagnie du Merle – 1h20 – dès 13 ans</p>",
            "20:30",
        ),
    ] {
        let told = told(&format!("<h3>Lundi 12 juillet</h3>{lines}"));
        assert!(told.len() == 1 && told[0].starts_with(&format!("07-12 {want}")), "{told:?}");
    }
}

#[test]
fn two_recurrences_in_a_row_are_the_narrower_one() {
    let agenda = agenda(
        "<p>Tous les soirs à 19 h du lundi au jeudi : danse au bord du lac, Pavie.</p><p>Mardi 13 juillet, 9 h : bal à Jégun.</p>",
    );
    let days: Vec<usize> = agenda.daily.iter().map(|daily| daily.days.len()).collect();
    assert_eq!(days, [4], "{agenda:#?}");
}

#[test]
fn a_title_above_a_sentence_of_days_is_of_each() {
    let html = "<h1>Du 12 au 18 juillet 2027</h1><p>Lecture sous les tilleuls — Pavie, jardin. Mardi 13 à 11h et mercredi 14 à 12h30. Gratuit</p>";
    let told = told(html);
    assert!(
        told.len() == 2
            && told[0].starts_with("07-13 11:00 lecture sous les tilleuls")
            && told[1].starts_with("07-14 12:30 lecture sous les tilleuls"),
        "{told:?}"
    );
}

#[test]
fn what_is_shut_when_one_asks_and_when_booking_opens_is_no_event() {
    for line in [
        "Attention : le parking du port est fermé mardi à partir de 17 h.",
        "Bureaux d’information : Pavie, 9h-19h sans interruption ; Jégun 9h30-12h30 / 15h-18h.",
        "Musée des Barques – 7, quai du Port. Ouvert du mardi au dimanche, 10h-12h et 14h-18h.",
        "Le funiculaire ne circule pas jeudi, révision oblige.",
    ] {
        let agenda = agenda(&format!("<h3>Lundi 12 juillet</h3><p>9 h : bal à Jégun</p><p>{line}</p>"));
        let events = agenda.items().flat_map(|(_, item)| &item.events).count();
        assert_eq!(events, 1, "{line}: {agenda:#?}");
    }
}

#[test]
fn a_category_below_a_bold_title_is_no_town() {
    let card = |title: &str, kind: &str, when: &str| {
        format!("<div><p><b>{title}</b></p><p>{kind}</p><p>{when}</p><p>8 €</p></div>")
    };
    let html = [
        card("Match des voisins", "Burlesque", "Mardi 13 juillet · 21h"),
        card("Contes du lavoir", "Partage", "Mercredi 14 juillet · 21h"),
    ];
    let told = told(&html.concat());
    assert!(told.iter().all(|event| !event.contains("Burlesque") && !event.contains("Partage")), "{told:?}");
    assert!(told.len() == 2 && told[0].starts_with("07-13 21:00 match des voisins"), "{told:?}");
}

#[test]
fn a_chapter_whose_name_is_on_no_list_does_not_end_the_towns_of_the_others() {
    let line = |n: u32| format!("<p>Jeudi {n} à 20 h : loto, salle des fêtes</p>");
    for (unlisted, town) in [
        ("Seissan-sur-Gers", "Seissan-sur-Gers, "),
        ("Seissan de Gascogne", "Seissan de Gascogne, "),
        ("Dans tout le canton", ""),
    ] {
        let html = format!(
            "<h2>Commune par commune</h2><h3>Pavie</h3>{}<h3>{unlisted}</h3>{}<h3>Jégun</h3>{}<h3>Mirande</h3>\
             <p>Vendredi 16, 21 h : bal</p><p>Samedi 17, 15 h : belote</p>",
            line(15),
            line(15),
            line(15)
        );
        let want = [
            "07-15 20:00 loto @ Pavie, salle des fêtes".to_owned(),
            format!("07-15 20:00 loto @ {town}salle des fêtes"),
            "07-15 20:00 loto @ Jégun, salle des fêtes".to_owned(),
            "07-16 21:00 bal @ Mirande".to_owned(),
            "07-17 15:00 belote @ Mirande".to_owned(),
        ];
        assert_eq!(told(&html), want, "{unlisted}");
    }
}

#[test]
fn a_line_below_another_commune_is_not_of_the_day_of_the_one_before() {
    let html = |line: &str| {
        format!(
            "<h3>Pavie</h3><p>Jeudi 15 : loto à 20 h</p><h3>Jégun</h3><p>{line}</p><h3>Mirande</h3><p>Vendredi 16, 21 h : bal</p>"
        )
    };
    for (line, want) in [
        (
            "Tour de l’Horloge : montée libre samedi et dimanche de 10 h à 12 h et de 14 h à 18 h",
            &["07-17", "07-18"][..],
        ),
        ("Moulin à vent : visite libre mercredi et samedi de 14 h à 18 h", &["07-14", "07-17"]),
        ("Loto à 15 h", &[]),
    ] {
        let agenda = agenda(&html(line));
        let word = line.split(' ').next().unwrap_or_default();
        let days: Vec<String> = agenda
            .days
            .iter()
            .filter(|day| day.items.iter().any(|item| item.text.contains(word) && !item.text.contains("20 h")))
            .map(|day| day.date.format("%m-%d").to_string())
            .collect();
        assert_eq!(days, want, "{line}");
    }
}

#[test]
fn a_cave_is_where_one_goes_down() {
    for (line, want) in [
        (
            "Grotte de la Combe-Noire (Pavie) : spéléo famille, 35 €, 9 h",
            "07-15 09:00 spéléo famille @ Pavie, Grotte de la Combe-Noire",
        ),
        ("Gouffre des Eaux (Pavie) : canyoning, 35 €, 9 h", "07-15 09:00 canyoning @ Pavie, Gouffre des Eaux"),
    ] {
        let told = told(&format!("<h3>Jeudi 15 juillet</h3><p>{line}</p>"));
        assert_eq!(told, [want], "{line}");
    }
}
