//! Kinds of articles that were read wrong at first, each in its shortest form.

use super::*;

/// `07-12 10:00 bal @ Pavie` of each event under a day.
pub(super) fn told(html: &str) -> Vec<String> {
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

#[test]
fn a_day_may_be_named_by_another_day() {
    let html = "<p>Mercredi 14 juillet, bal à 21 h à Pavie. Le lendemain, à 15 h, loto à Jégun. Samedi 17, concert à 20 h à Pavie. \
                La veille, à 19 h, apéritif à Jégun. Le lendemain de 8 h à 12 h, marché à Pavie.</p><p>La veille de la fête, bal à 22 h à Auch.</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-14 21:00", "07-15 15:00", "07-16 19:00", "07-17 20:00", "07-18 08:00"], "{told:?}");
}

#[test]
fn a_day_that_is_named_twice_is_one() {
    let told = told("<p>Samedi 17 juillet, bal à 21 h à Pavie. La veille au soir, vendredi, loto à 20 h à Jégun.</p>");
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-16 20:00", "07-17 21:00"], "{told:?}");
}

#[test]
fn the_thing_of_a_day_takes_place_on_it() {
    let html = "<p>Le marché du vendredi 16 juillet se tiendra aux arènes de Pavie, de 8 h à 13 h.</p>\
                <p>Mardi 13 juillet, à 10 h, visite à Jégun : on y parle du marché du samedi 17 et de ses halles.</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-13 10:00", "07-16 08:00"], "{told:?}");
}

#[test]
fn a_table_of_two_days_has_a_day_in_each_column() {
    let row = "<tr><td>9 h : marché<br>21 h : bal</td><td><p>10 h – loto</p><p>11 h messe</p><p>12 h repas</p><p>15 h concert</p><p>17 h quiz</p></td></tr>";
    let few = row.replace("<p>15 h concert</p><p>17 h quiz</p>", "");
    for (row, more) in [(row, &["07-18 15:00 concert", "07-18 17:00 quiz"][..]), (&few, &[])] {
        let table = format!("<table><tr><td>Samedi 17 juillet</td><td>Dimanche 18 juillet</td></tr>{row}</table>");
        let mut want =
            vec!["07-17 09:00 marché", "07-17 21:00 bal", "07-18 10:00 loto", "07-18 11:00 messe", "07-18 12:00 repas"];
        want.extend(more);
        assert_eq!(told(&table), want);
    }
}

#[test]
fn a_cell_of_a_day_tells_each_of_its_things() {
    let html = "<table><tr><th></th><th>Lun 12</th><th>Mar 13</th><th>Mer 14</th></tr>\
                <tr><th>Matin</th><td>–</td><td colspan='2'>Stage de danse, 9h-12h, Pavie</td></tr>\
                <tr><th>Médiathèque de Jégun</th><td>10h : conte<br>15h : atelier BD<br>Exposition de timbres</td><td>fermé</td><td>14h loto</td></tr>\
                <tr><th>Visite de la tour</th><td>11h</td><td></td><td>16h</td></tr>\
                <tr><td colspan='4'>L’accueil est ouvert de 9h à 18h.</td></tr></table>";
    let want = [
        "07-12 10:00 conte @ Jégun, Médiathèque",
        "07-12 15:00 atelier BD @ Jégun, Médiathèque",
        "07-12 --:-- exposition de timbres @ Jégun, Médiathèque",
        "07-12 11:00 visite de la tour",
        "07-13 09:00 stage de danse @ Pavie",
        "07-14 09:00 stage de danse @ Pavie",
        "07-14 14:00 loto @ Jégun, Médiathèque",
        "07-14 16:00 visite de la tour",
    ];
    assert_eq!(told(html), want);
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(html, &Reading { published, week: None, home: "Auch", venues: &[] });
    let aside = agenda.unplaced.iter().find(|item| item.text.contains("9h à 18h"));
    assert_eq!(aside.and_then(|item| item.unplaced), Some(Unplaced::NotAnEvent), "{agenda:#?}");
}

#[test]
fn a_badge_may_be_of_two_days() {
    let both = |badge: &str| {
        let html = format!(
            "<table><tr><td>{badge}</td><td>Salon des potiers<br>10h | Place Gambetta, Pavie</td></tr></table>"
        );
        assert_eq!(
            told(&html),
            ["07-17", "07-18"].map(|day| format!("{day} 10:00 salon des potiers @ Pavie, Place Gambetta")),
            "{badge}"
        );
    };
    both("SAM<br>DIM<br>17<br>18<br>JUIL");
    both("SAM → DIM<br>17-18<br>JUIL.");
    both("SAM 17 – DIM 18 JUIL");
    both("SAM. 17 → DIM. 18 JUIL.");
}

#[test]
fn an_hour_said_again_with_its_state_is_no_other() {
    let html = "<h3>Vendredi 16 juillet</h3><ul><li>Balade en barque à Pavie, 18h30 et 20h – 20h complet</li><li>Bal à Jégun, 21h complet</li></ul>";
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] });
    let hours = agenda.items().flat_map(|(_, item)| &item.events);
    let hours: Vec<_> =
        hours.map(|event| (event.start.map(|at| at.format("%H:%M").to_string()), event.status)).collect();
    let [free, full] = [semainier::domain::agenda::Status::Scheduled, semainier::domain::agenda::Status::SoldOut];
    let at = |hour: &str, status| (Some(hour.to_owned()), status);
    assert_eq!(hours, [at("18:30", free), at("20:00", full), at("21:00", full)], "{agenda:#?}");
}

#[test]
fn a_venue_before_a_colon_is_where() {
    let html = "<h3>Lundi 12 juillet</h3><ul><li>Salle des fêtes : loto, 14 h</li><li>Halle de Jégun : marché, 18 h</li>\
                <li>Théâtre : « Le Malade », 20 h</li><li>Club de lecture : rencontre à 17 h</li></ul>";
    let told = told(html);
    assert_eq!(told[..2], ["07-12 14:00 loto @ Salle des fêtes", "07-12 18:00 marché @ Jégun, Halle"], "{told:?}");
    assert!(told[2].starts_with("07-12 20:00") && told[2].contains("Malade"), "{told:?}");
    assert!(told[3].starts_with("07-12 17:00") && told[3].contains("Club de lecture"), "{told:?}");
}

#[test]
fn the_bounds_of_an_evening_are_lines_and_no_events() {
    let html = "<h3>Lundi 12 juillet</h3><table><tr><td>18 h</td><td>Ouverture des portes</td></tr><tr><td>19 h</td><td>Concert</td></tr>\
                <tr><td>1 h</td><td>Fermeture du site</td></tr></table><p>Mardi 13 juillet : randonnée à Pavie, départ à 9 h, retour prévu vers midi</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-12 19:00", "07-13 09:00"], "{told:?}");
    let said = words(html);
    assert!(said.contains("Fermeture du site") && said.contains("Ouverture des portes"), "{said}");
}

#[test]
fn a_menu_is_part_of_its_meal() {
    let html = "<h3>Samedi 17 juillet</h3><p>19H30 : REPAS SOUS LA HALLE<br>MENU : MELON, DAUBE<br>TARTE AUX POMMES, CAFE<br>ADULTES : 14 EUROS<br>22H : BAL</p>";
    assert_eq!(told(html), ["07-17 19:30 REPAS SOUS LA HALLE @ HALLE", "07-17 22:00 BAL"]);
}

#[test]
fn what_a_town_hall_says_of_roads_and_opening_hours_is_no_event() {
    let lines = [
        "Ouverture de l’office samedi 17 juillet de 9h à 12h.",
        "La rue Raynal sera fermée à la circulation mardi 13 juillet de 8 h à 17 h.",
        "La piscine ferme ses portes vendredi 16 juillet à 19 h ; réouverture à 14 h le 20 juillet.",
        "Permanence au presbytère : du mardi au vendredi, de 10 h à 12 h.",
    ];
    let html = format!("<h3>Lundi 12 juillet</h3><p>Bal à 21 h à Pavie</p><p>{}</p>", lines.join("</p><p>"));
    assert_eq!(told(&html), ["07-12 21:00 bal @ Pavie"]);
}

#[test]
fn a_day_and_month_in_figures_are_one_day_whatever_their_zeros() {
    let html = "<p>Mercredi 14/7 – Piscine : aquagym, 18h15<br>Vendredi 16/7 – Halle : bal, 20h</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-14 18:15", "07-16 20:00"], "{told:?}");
}

#[test]
fn each_sentence_with_its_own_place_is_there_alone() {
    let html = "<p><b>Samedi 17 juillet</b> — Pavie : messe anticipée, 18 h 30. Chapelle du Carmel : concert de harpe, 21 h.</p>\
                <p><b>Dimanche 18 juillet</b> — Jégun : messe, 11 h.</p>";
    let told = told(html);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[1].starts_with("07-17 21:00 concert de harpe") && !told[1].contains("Pavie"), "{told:?}");
    assert_eq!(told[2], "07-18 11:00 messe @ Jégun");
}

#[test]
fn the_hour_of_a_heading_is_that_of_the_thing_below() {
    let html = "<h4>Mercredi 14 juillet à 10 h 30</h4><p><b>Bébés lecteurs</b></p><h4>Vendredi 16 juillet à 18 h</h4><p>Concert de harpe</p>";
    assert_eq!(told(html), ["07-14 10:30 Bébés lecteurs", "07-16 18:00 concert de harpe"]);
}

#[test]
fn what_is_postponed_before_the_first_heading_is_not_lost() {
    let html = "<p>Le vide-greniers du jeudi 15 juillet est reporté au 30 juillet.</p><h3>Vendredi 16 juillet</h3><p>Bal à 21 h</p>";
    assert!(words(html).contains("reporté au 30 juillet"), "{}", words(html));
}

#[test]
fn a_bracket_may_bound_an_event() {
    let html = "<p>Samedi 17 juillet, fête du quartier à Pavie : à 10 h, course en sac ; à 21 h, bal (dernière danse à 1 h).</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-17 10:00", "07-17 21:00"], "{told:?}");
}

/// What each event and each item printed as written begins with, of those that stand under a day or are printed all the same.
pub(super) fn printed(html: &str) -> Vec<String> {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] });
    let told = agenda.items().filter(|(_, item)| item.unplaced != Some(Unplaced::NotAnEvent));
    told.map(|(_, item)| item.text.clone()).collect()
}

#[test]
fn words_of_roads_refuse_and_opening_hours_hide_no_event() {
    let lines = [
        "Marché gourmand à 19 h, rue de l’Église interdite à la circulation",
        "Route barrée de 9 h à 18 h : braderie",
        "Atelier compost et déchets verts à 14 h, Pavie",
        "Collecte des déchets au bord du Gers, 10 h",
        "Numéro vert, comédie à 21 h",
        "Pharmacie de garde, pièce de boulevard à 21 h",
        "Réouverture du musée : visite à 11 h",
        "Ouvert à tous, concert à 21 h",
        "Le site de Séviac ouvrira ses portes de 10 h à 18 h",
        "Ouverture du château de Terraube de 10 h à 18 h",
        "PERMANENCES. — Mission locale : de 9 h à 12 h. Concert de clôture à 21 h.",
        "Concert à 21 h, programme susceptible d’être modifié",
    ];
    let html = format!("<h3>Lundi 12 juillet</h3><p>{}</p>", lines.join("</p><p>"));
    assert_eq!(printed(&html), lines);
    let asides = [
        "La promenade Claude-Desbons sera interdite à la circulation mardi 13 juillet de 8 h à 17 h.",
        "En raison de la course cycliste, rue barrée de 8 h à 17 h place du Marché.",
        "Collecte des déchets verts mardi à 8 h.",
        "PERMANENCES. — Mission locale : jeudi de 9 h à 12 h. Impôts : salle des fêtes, vendredi de 9 h à 12 h.",
    ];
    let html = format!("<h3>Lundi 12 juillet</h3><p>Bal à 21 h</p><p>{}</p>", asides.join("</p><p>"));
    assert_eq!(printed(&html), ["Bal à 21 h"]);
}

#[test]
fn how_long_it_lasts_is_no_hour_it_begins_at() {
    for (line, hours) in [
        ("2 heures et demie à Pavie, départ 9 h", &[][..]),
        ("Randonnée de 2 heures et quart, départ 9 h", &["09:00"]),
        ("Environ 2 heures et demie de marche, départ 9 h", &["09:00"]),
        ("Balade de 2 h à Pavie, départ 9 h", &["09:00"]),
        ("Balade de 2 h à 9 h 30 à Jégun", &["09:30"]),
        ("Visite de 2 h et demie à 9 h", &["09:00"]),
        ("Bal à 10 heures et demie du soir", &["22:30"]),
        ("Vide-greniers de 5 h à 18 h à Pavie", &["05:00"]),
    ] {
        let told = told(&format!("<h3>Lundi 12 juillet</h3><p>{line}</p>"));
        let found: Vec<&str> = told.iter().map(|event| &event[6..11]).collect();
        assert_eq!(found, hours, "{line}: {told:?}");
    }
}

#[test]
fn a_last_line_with_an_exclamation_mark_is_kept_unless_it_only_calls_its_readers() {
    let html = |last: &str| {
        format!("<h3>Lundi 12 juillet</h3><p>Bal à 21 h</p><h3>Mardi 13 juillet</h3><p>Loto à 10 h</p><p>{last}</p>")
    };
    for last in ["Les Zicos sous les arcades !", "Les Zicos vous attendent à Pavie !", "Les Zicos…"] {
        assert!(printed(&html(last)).join(" ").contains(last), "{last}");
    }
    for last in ["Double tap si tu viens !", "Bonne fin de semaine à tous !"] {
        assert!(!printed(&html(last)).join(" ").contains(last), "{last}");
    }
}

#[test]
fn a_month_below_its_day_is_part_of_the_date() {
    let html = "<h1>Agenda</h1><div>SAM. 2</div><div>OCTOBRE</div><p>Bal à 21 h</p><div>DIM.</div><div>3</div><div>OCTOBRE</div><p>Loto à 15 h</p>";
    assert_eq!(told(html), ["10-02 21:00 bal", "10-03 15:00 loto"]);
    let html = "<p><b>Samedi 7</b></p><p><b>août</b></p><p>Bal à 21 h</p>";
    assert_eq!(told(html), ["08-07 21:00 bal"]);
    let html =
        "<h2>JUILLET</h2><h3>Samedi 17</h3><p>Bal à 21 h</p><h2>AOÛT</h2><h3>Dimanche 1er</h3><p>Loto à 15 h</p>";
    assert!(told(html)[0].starts_with("07-17 21:00"), "{:?}", told(html));
}

#[test]
fn a_badge_of_two_days_may_have_bars() {
    let html = "<p>SAM | DIM 17 | 18 JUILLET</p><p>Bal à 21 h</p>";
    assert_eq!(told(html), ["07-17 21:00 bal", "07-18 21:00 bal"]);
}

/// A table of three days, with a column before them.
fn days_of_a_table(more: &str, rows: &[&str]) -> String {
    let rows: String = rows.iter().map(|row| format!("<tr>{row}</tr>")).collect();
    format!(
        "<p>La semaine</p><table><tr><th></th><th>Lun 12</th><th>Mar 13</th><th>Mer 14</th>{more}</tr>{rows}</table>"
    )
}

#[test]
fn a_farm_is_not_closed() {
    let html =
        days_of_a_table("", &["<th>Après-midi</th><td>Visite de la ferme</td><td>Ferme ouverte</td><td>fermé</td>"]);
    assert_eq!(told(&html), ["07-12 --:-- visite de la ferme", "07-13 --:-- Ferme ouverte"]);
    let html = days_of_a_table("", &["<th>Piscine</th><td>10h</td><td>FERMÉ</td><td>Fermeture exceptionnelle</td>"]);
    assert_eq!(told(&html).len(), 1, "{:?}", told(&html));
}

#[test]
fn words_beside_the_days_of_a_table_are_not_lost() {
    let html = days_of_a_table(
        "",
        &[
            "<th>Stage de cirque à Pavie</th><td></td><td></td><td></td>",
            "<th>Spectacles</th>",
            "<th>Marché</th><td>9h</td>",
        ],
    );
    assert_eq!(told(&html), ["07-12 09:00 marché"]);
    assert_eq!(
        printed(&html)[1..],
        ["Stage de cirque à Pavie"],
        "with a warning, and the heading of the rows below is none"
    );
    let html = days_of_a_table(
        "<th>Lieu</th><th>Week-end</th>",
        &["<th>Matin</th><td>Yoga 10h</td><td>Loto 11h</td><td></td><td>Pavie</td><td>Bal à 21 h à Jégun</td>"],
    );
    assert_eq!(told(&html), ["07-12 10:00 yoga @ Pavie", "07-13 11:00 loto @ Pavie"]);
    assert!(printed(&html).iter().any(|text| text.contains("Bal à 21 h")), "{:?}", printed(&html));
    let html = days_of_a_table("", &["<th>Marché de Pavie</th><td>x</td><td>–</td><td>✔</td>"]);
    let told = told(&html);
    assert_eq!(told.iter().map(|event| &event[..5]).collect::<Vec<_>>(), ["07-12", "07-14"], "{told:?}");
}

#[test]
fn a_cell_of_a_table_stands_under_all_its_days_and_nothing_below_the_table_does() {
    let many = "<p>9h marché à Pavie</p><p>10h loto</p><p>11h messe</p><p>12h repas</p><p>15h concert</p>";
    let html = days_of_a_table(
        "",
        &[
            "<td colspan=4>Stage de danse, 19h-21h</td>",
            &format!("<th>Matin</th><td colspan=2>{many}</td><td>Bal 21 h</td>"),
        ],
    ) + "<p>Jeux d’eau à 17 h</p>";
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    let agenda = read(&html, &Reading { published, week: None, home: "Auch", venues: &[] });
    let of_day = |day: u32| {
        let date = NaiveDate::from_ymd_opt(2027, 7, day);
        let items = agenda.days.iter().filter(|it| Some(it.date) == date).flat_map(|it| &it.items);
        items.flat_map(|item| &item.events).map(|event| event.title.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of_day(12), ["marché", "loto", "messe", "repas", "concert"], "{agenda:#?}");
    assert_eq!(of_day(13), of_day(12));
    assert_eq!(of_day(14), ["bal"], "{agenda:#?}");
    assert_eq!((agenda.daily.len(), agenda.daily[0].days.len()), (1, 3), "{agenda:#?}");
    let below = agenda.unplaced.iter().find(|item| item.text.contains("Jeux d’eau"));
    assert_eq!(below.and_then(|item| item.unplaced), Some(Unplaced::NoDay), "{agenda:#?}");
}

#[test]
fn a_cell_over_several_rows_of_a_table_moves_none_to_another_day() {
    let html = days_of_a_table(
        "",
        &[
            "<th rowspan=2>Salle des fêtes de Pavie</th><td rowspan=2>Yoga 10h</td><td>Loto 11h</td><td>Quiz 12h</td>",
            "<td>Bal 21h</td><td>Jazz 20h</td>",
        ],
    );
    let hours: Vec<String> = told(&html).iter().map(|event| event[..11].to_owned()).collect();
    assert_eq!(hours, ["07-12 10:00", "07-13 11:00", "07-13 21:00", "07-14 12:00", "07-14 20:00"]);
    assert!(told(&html).iter().all(|event| event.ends_with("@ Pavie, Salle des fêtes")), "{:?}", told(&html));
}

#[test]
fn the_columns_of_a_table_are_not_those_of_the_next_one() {
    let html = days_of_a_table("", &["<th>Loto</th><td>9h</td>"])
        + "<table><tr><td>Foire</td><td>10h</td><td>Jégun</td></tr></table>";
    assert_eq!(told(&html), ["07-12 09:00 loto"]);
    assert!(printed(&html).iter().any(|text| text.contains("Foire")), "{:?}", printed(&html));
}

#[test]
fn a_state_in_a_sentence_of_its_own_is_not_printed_over_another_event() {
    use semainier::domain::agenda::Status;
    let states = |lines: &str| -> Vec<(String, Status)> {
        let html = format!("<h3>Lundi 12 juillet</h3>{lines}<h3>Mardi 13 juillet</h3><p>Cirque à 17 h</p>");
        let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
        let agenda = read(&html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] });
        let events = agenda.items().flat_map(|(_, item)| &item.events);
        events.filter(|event| event.title != "cirque").map(|event| (event.title.clone(), event.status)).collect()
    };
    for lines in [
        "<p>Concert à Auch. Reporté. Bal à 21 h.</p>",
        "<p>Le marché gourmand de Pavie est prévu. Annulé. Loto à 15 h à Jégun.</p>",
        "<p>Marché gourmand.<br>Annulé.<br>Bal à 21 h à Pavie.</p>",
        "<p><b>Soirée foot</b></p><p>Annulé.</p><p>Bal à 21 h à Pavie.</p>",
    ] {
        let found = states(lines);
        assert!(found.iter().all(|(_, status)| *status == Status::Scheduled), "{lines}: {found:?}");
    }
    let event = |title: &str, status| (title.to_owned(), status);
    let found = states("<p>Bal à 21 h à Pavie. Reporté. Loto à 15 h à Jégun.</p>");
    assert_eq!(found, [event("bal", Status::Postponed), event("loto", Status::Scheduled)]);
    assert_eq!(states("<p><b>Bal musette</b><br>ANNULÉ<br>21 h, Pavie</p>"), [event("bal musette", Status::Cancelled)]);
}

#[test]
fn the_same_days_are_those_named_before() {
    let html = "<h1>Du 12 au 18 juillet 2027</h1><p>Mardi et jeudi, marché à 9 h à Pavie.</p><p>Les mêmes jours, loto à 15 h à Jégun.</p>\
                <p>Samedi 17, foire à 10 h à Auch. Le même jour, bal à 21 h à Pavie.</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    let want = ["07-13 09:00", "07-13 15:00", "07-15 09:00", "07-15 15:00", "07-17 10:00", "07-17 21:00"];
    assert_eq!(days, want, "{told:?}");
}

#[test]
fn an_introduction_that_tells_of_other_days_than_those_below_is_no_summary() {
    let days = "<h3>Lundi 12 juillet</h3><p>Cirque à 17 h</p><h3>Mardi 13 juillet</h3><p>Bal à 21 h</p>";
    let intro = "<p>Samedi 17 juillet à 21 h, bal à Pavie. Dimanche 18 à 15 h, loto à Jégun.</p>";
    let told = told(&format!("{intro}{days}"));
    let days_told: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days_told, ["07-12 17:00", "07-13 21:00", "07-17 21:00", "07-18 15:00"], "{told:?}");
    let summary = "<p>Lundi 12 juillet à 17 h, cirque. Mardi 13 à 21 h, bal.</p>";
    assert_eq!(printed(&format!("{summary}{days}")).len(), 2);
}
