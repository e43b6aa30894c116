//! Towns that stand around an item, what tells more of the thing before it, and hours beside the hour: each in its shortest
//! form, with its siblings.

use super::kinds::{printed, told};
use super::*;

const DAY: &str = "<h3>Lundi 12 juillet</h3>";

fn of_day(lines: &str, want: &[&str]) {
    assert_eq!(told(&format!("{DAY}{lines}")), want, "{lines}");
}

#[test]
fn a_town_for_all_is_that_of_what_names_none() {
    for sentence in [
        "Sauf mention contraire, tout se passe à Pavie.",
        "Une belle semaine ! Les rendez-vous ont lieu à Pavie, sauf indication contraire.",
    ] {
        let html =
            format!("<p>{sentence}</p>{DAY}<ul><li>10h, loto, salle des fêtes</li><li>21h, bal à Jégun</li></ul>");
        assert_eq!(told(&html), ["07-12 10:00 loto @ Pavie, salle des fêtes", "07-12 21:00 bal @ Jégun"], "{sentence}");
    }
    // Two towns, or no exception: none is said.
    for sentence in ["Sauf mention contraire, tout se passe à Pavie ou à Jégun.", "Bienvenue à Pavie !"] {
        let html = format!("<p>{sentence}</p>{DAY}<p>10h, loto, salle des fêtes</p>");
        assert_eq!(told(&html), ["07-12 10:00 loto @ salle des fêtes"], "{sentence}");
    }
}

#[test]
fn the_town_of_a_list_item_is_of_it_alone_and_may_be_an_ordinary_word() {
    let list =
        "<ul><li>Blaye : marché à 8h</li><li>Bourg : bal à 21h</li><li>Cars : loto à 20h</li><li>Marché : 9h</li></ul>";
    of_day(
        list,
        &["07-12 08:00 marché @ Blaye", "07-12 21:00 bal @ Bourg", "07-12 20:00 loto @ Cars", "07-12 09:00 marché"],
    );
    // Nothing around it says that it is a town.
    of_day("<p>Bourg : bal à 21h</p>", &["07-12 21:00 Bourg : bal"]);
}

#[test]
fn the_field_behind_a_venue_is_its_town() {
    of_day(
        "<p>18h : marché – rue Rouget de Lisle – Mont-Dauphin</p>",
        &["07-12 18:00 marché @ Mont-Dauphin, rue Rouget de Lisle"],
    );
    of_day(
        "<p>10h : balade « Les toits » – Départ parking des Claux – Vars – 12 €</p>",
        &["07-12 10:00 balade « Les toits » @ Vars, parking des Claux"],
    );
    of_day("<p>9h : messe – télésiège de Peynier – Vars</p>", &["07-12 09:00 messe @ Vars, télésiège de Peynier"]);
    of_day(
        "<p>« Loup », conte. À 15h, Saint-Jean (Pavie). 5 €</p>",
        &["07-12 15:00 « Loup », conte. @ Pavie, Saint-Jean"],
    );
    // Two sides are no places.
    of_day("<p>15h : RC Auch – Lombez au stade du Moulias</p>", &["07-12 15:00 RC Auch – Lombez @ stade du Moulias"]);
}

#[test]
fn below_another_town_a_line_with_its_own_date_is_not_of_the_day_above() {
    let html = "<h2>Semaine du 12 au 18 juillet</h2><h3>Pavie</h3><p><b>Dimanche 18 :</b> bal à 21h</p>\
                <h3>Jégun</h3><p>La soirée contes du vendredi 16 est annulée.</p>";
    assert_eq!(
        told(html),
        ["07-16 --:-- La soirée contes du vendredi 16 est annulée. @ Jégun", "07-18 21:00 bal @ Pavie"]
    );
}

#[test]
fn a_heading_outranks_the_days_of_a_table() {
    let html = "<p>Du 12 au 18 juillet</p><table><tr><th>Jour</th><th>Quoi</th><th>Heure</th></tr>\
                <tr><td>Lundi 12</td><td>Loto</td><td>14h</td></tr><tr><td>Dimanche 18</td><td>Bal</td><td>21h</td></tr></table>\
                <h2>Et toujours, vos marchés</h2><ul><li>Auch : samedi de 8h à 12h</li><li>Jégun : jeudi matin</li></ul>";
    let told = told(html);
    assert_eq!(
        told,
        ["07-12 14:00 loto", "07-15 --:-- marché @ Jégun", "07-17 08:00 marché @ Auch", "07-18 21:00 bal"]
    );
}

#[test]
fn a_heading_of_more_ends_the_days_above_lines_with_their_own() {
    for heading in ["À voir aussi", "Et aussi", "À découvrir également"] {
        let html = format!(
            "<p><strong>Lundi 12 juillet</strong></p><p>21h : bal à Pavie</p><p><strong>{heading}</strong><br>\
             Mercredi 14 juillet, loto à 15h à Jégun</p>"
        );
        assert_eq!(told(&html), ["07-12 21:00 bal @ Pavie", "07-14 15:00 loto @ Jégun"], "{heading}");
    }
}

#[test]
fn a_pronoun_goes_on_with_the_thing_of_the_sentence_before() {
    of_day(
        "<p>Le salon du livre commence lundi 12 à 17h à Pavie. Il vous attend ensuite mardi de 10h à 21h et mercredi de 10h à 18h.</p>",
        &[
            "07-12 17:00 Le salon du livre commence lundi 12 à 17h à Pavie. @ Pavie",
            "07-13 10:00 salon du livre",
            "07-14 10:00 salon du livre",
        ],
    );
}

#[test]
fn the_start_behind_a_booking_is_the_hour() {
    for line in [
        "Course de luges à Pavie. Inscriptions dès 13h30, départ à 14h30. Gratuit.",
        "Course de luges à Pavie. Retrait des dossards à 13h30 puis départ à 14h30.",
        "Concours de belote à Pavie. Inscriptions à 13h30, début des parties à 14h30.",
    ] {
        let told = told(&format!("{DAY}<p>{line}</p>"));
        assert!(told.len() == 1 && told[0].starts_with("07-12 14:30"), "{line}: {told:?}");
    }
    // Runs with starts of their own are as many.
    let told = told(&format!("{DAY}<p>Trail des Loups à Pavie. Départ du 22 km à 9h, départ du 11 km à 10h.</p>"));
    assert_eq!(told.iter().map(|event| &event[..11]).collect::<Vec<_>>(), ["07-12 09:00", "07-12 10:00"]);
}

#[test]
fn hours_beside_the_hour_are_no_events() {
    of_day("<p>9h15 (rdv 9h) : balade botanique à Pavie</p>", &["07-12 09:15 balade botanique @ Pavie"]);
    of_day("<p>Randonnée à 9h15 (rdv 9h, place de la mairie)</p>", &["07-12 09:15 randonnée @ place de la mairie"]);
    of_day("<p>Concert à 21h (première partie à 20h15) à Pavie</p>", &["07-12 21:00 concert @ Pavie"]);
    of_day("<p>Foire à Pavie, de 8h à 18h. Restauration sur place dès midi.</p>", &["07-12 08:00 foire @ Pavie"]);
    of_day("<p>Loto à 15h à Pavie. Buvette et petite restauration à partir de 17h.</p>", &["07-12 15:00 loto @ Pavie"]);
    // One attends these.
    of_day(
        "<p>Fête du pain à Pavie à 10h. Repas à 12h30.</p>",
        &["07-12 10:00 fête du pain @ Pavie", "07-12 12:30 repas"],
    );
}

#[test]
fn each_hour_is_of_the_event_before_it() {
    of_day(
        "<p>Messe à 11h avec apéritif à 12h et repas à 13h à Pavie.</p>",
        &["07-12 11:00 messe", "07-12 12:00 apéritif", "07-12 13:00 repas @ Pavie"],
    );
}

#[test]
fn cards_of_other_blocks_are_cards() {
    let html = format!(
        "{DAY}<p><strong>Belote</strong></p><p>14h · foyer de Jégun</p>\
         <p>Initiation à la poterie<br>Mercredi 14 · 14h-16h · salle des fêtes de Pavie</p>"
    );
    assert_eq!(
        told(&html),
        ["07-12 14:00 belote @ Jégun, foyer", "07-14 14:00 initiation à la poterie @ Pavie, salle des fêtes"]
    );
    let rows = "<p><strong>Belote</strong><br>14h, foyer de Jégun</p><p>BAL À LA GRANGE | 21h | Pavie</p>";
    of_day(rows, &["07-12 14:00 belote @ Jégun, foyer", "07-12 21:00 BAL À LA GRANGE @ Pavie"]);
    let card = "<div><h4>Le manège</h4><p>Tous les jours de 16h à 22h</p><p>Place du Marché, Pavie</p></div>";
    let all = printed(&format!(
        "<h2>Du 12 au 18 juillet</h2><div><h4>Loto</h4><p>Lundi 12 juillet, 14h</p><p>Salle des fêtes, Pavie</p></div>{card}"
    ));
    assert!(all.iter().any(|text| text.starts_with("Le manège")), "{all:?}");
}

#[test]
fn what_an_office_or_an_article_says_of_itself_has_no_hour() {
    for line in [
        "Office de tourisme de Gascogne – bureau d’Auch : tous les jours de 9h à 12h30 et de 13h30 à 19h pendant les vacances.",
        "Bon week-end à tous ! L’équipe de l’office de tourisme vous renseigne lundi et mardi de 9h à 12h au 53 rue Victor-Hugo.",
        "Horaires d’ouverture de l’office : tous les jours 9h-12h30. Place Salva – 05600 Guillestre. Facebook : Tourisme",
        "Ce programme est donné à titre indicatif, l’office de tourisme ne saurait être tenu responsable des modifications.",
        "<strong>Office de Tourisme Auch-Gascogne</strong><br>Auch : du lundi au samedi 10h-12h30 – Pavie : mardi et vendredi 9h30-12h30",
    ] {
        assert_eq!(told(&format!("{DAY}<p>Bal à 21h à Pavie</p><p>{line}</p>")), ["07-12 21:00 bal @ Pavie"], "{line}");
    }
    of_day("<p>Office de tourisme d’Auch : atelier à 15h</p>", &["07-12 15:00 atelier @ Auch, Office de tourisme"]);
}

#[test]
fn titles_keep_their_words() {
    of_day(
        "<p>LA GRANDE SALLE EN ÉMOI, théâtre, 21h, Jégun</p>",
        &["07-12 21:00 LA GRANDE SALLE EN ÉMOI, théâtre, 21h, Jégun @ Jégun"],
    );
    of_day("<p>Crêpes de MARDI GRAS, 15h, à Pavie</p>", &["07-12 15:00 crêpes de MARDI GRAS @ Pavie"]);
    of_day(
        "<p>14h : Après-midi jeux organisé par l’association Dés à la salle des fêtes de Pavie</p>",
        &["07-12 14:00 Après-midi jeux @ Pavie, salle des fêtes"],
    );
}

#[test]
fn hours_of_doors_and_of_what_comes_before_are_not_the_hour() {
    for (line, want) in [
        ("Soirée cabaret à Pavie – ouverture des portes à 19h, spectacle à 20h – 15 €", "07-12 20:00"),
        (
            "De 9h à 12h, salle des fêtes de Pavie : bourse aux vêtements (dépôt dimanche 11 de 14h à 18h)",
            "07-12 09:00",
        ),
        ("Soirée crêpes (installation à 17h) à 19h à Pavie", "07-12 19:00"),
        ("Les Fils de Joie en concert au Café du Midi à 21h", "07-12 21:00"),
    ] {
        let told = told(&format!("{DAY}<p>{line}</p>"));
        assert!(told.len() == 1 && told[0].starts_with(want), "{line}: {told:?}");
    }
    // The doors of another thing, and a lunch at noon
    of_day("<p>Repas du midi à Pavie</p>", &["07-12 12:00 repas @ Pavie"]);
    let told = told(&format!("{DAY}<p>[ANNULÉ] Marche à Jégun (départ 8h). À la place, loto de 9h à 11h.</p>"));
    assert!(told.len() == 2 && told[0].starts_with("07-12 08:00") && told[1].starts_with("07-12 09:00"), "{told:?}");
}

#[test]
fn a_part_of_the_day_at_the_head_of_a_line_is_when() {
    of_day("<p>Matin – petit marché, Pavie</p>", &["07-12 --:-- petit marché @ Pavie"]);
    of_day("<p>APRÈS-MIDI : LOTO À PAVIE</p>", &["07-12 --:-- LOTO @ Pavie"]);
    of_day("<p>Après-midi : jeu de piste à Pavie, 14h30</p>", &["07-12 14:30 jeu de piste @ Pavie"]);
    of_day("<p>Après-midi jeux de société à 14h à Pavie</p>", &["07-12 14:00 Après-midi jeux de société @ Pavie"]);
}

#[test]
fn dates_and_hours_behind_an_at_sign_are_read() {
    let cards = "<h2>Du 12 au 18 juillet</h2>\
                 <h3>Atelier cuisine</h3><p>12 juillet @ 18 h 30 min - 20 h 30 min</p><p>Salle Pasteur, Pavie</p>\
                 <h3>Marché de potiers</h3><p>17 juillet @ 9 h 00 min - 18 juillet @ 18 h 00 min</p><p>Salle Pasteur, Jégun</p>\
                 <h3>Loto</h3><p>lundi 12 juillet @ 20h00 - 22h00</p><p>Foyer, Auch</p>";
    assert_eq!(
        told(cards),
        [
            "07-12 18:30 atelier cuisine @ Pavie, Salle Pasteur",
            "07-12 20:00 loto @ Auch, Foyer",
            "07-17 09:00 marché de potiers @ Jégun, Salle Pasteur"
        ]
    );
}

#[test]
fn nouns_in_capitals_are_no_towns() {
    for (line, want) in [
        ("14H00 LUDOTHÈQUE HORS LES MURS, PARVIS DE L’HÔTEL DE VILLE", "Ville"),
        ("MATIN : MARCHÉ DE PRODUCTEURS, PLACE CARNOT", "PRODUCTEURS,"),
        ("15H00 BASKET : USB – TARBES, GYMNASE DU PARC", "Le Parc"),
    ] {
        let told = told(&format!("{DAY}<p>{line}</p>"));
        assert!(told.len() == 1 && !told[0].split('@').nth(1).unwrap_or_default().contains(want), "{line}: {told:?}");
    }
    of_day("<p>20H30 LOTO À LA SALLE DES FÊTES DE PAVIE</p>", &["07-12 20:30 LOTO @ Pavie, SALLE DES FÊTES DE PAVIE"]);
}

#[test]
fn the_kind_of_a_thing_has_its_name_behind_it() {
    of_day(
        "<p>20h30, conférence : « La Vienne à vélo » par Jean-Luc Poursac, à Pavie</p>",
        &["07-12 20:30 conférence : « La Vienne à vélo » @ Pavie"],
    );
    of_day("<p>Ciné-club à 20h45 : « Les Oiseaux », à Pavie</p>", &["07-12 20:45 ciné-club : « Les Oiseaux » @ Pavie"]);
}

#[test]
fn the_saint_of_a_day_is_no_town() {
    assert_eq!(
        told("<h3>Samedi 24 juillet (Saint-Jean)</h3><p>Bal à 21h, salle des fêtes</p>"),
        ["07-24 21:00 bal @ Saint-Jean, salle des fêtes"]
    );
    let html = "<h3>Lundi 14 février (Saint-Valentin)</h3><p>Bal à 21h, salle des fêtes</p>";
    let published = NaiveDate::from_ymd_opt(2028, 2, 11).expect("a date");
    let agenda = read(html, &Reading { published, week: None, home: "Auch", venues: &[] });
    let places: Vec<_> = flat(&agenda).iter().map(|(_, _, event, _)| event.place.clone()).collect();
    assert_eq!(places, [Some("salle des fêtes".to_owned())]);
}

#[test]
fn a_town_before_a_colon_in_a_cell_is_where() {
    let row = |what: &str| format!("<table><tr><td>Lundi 12 juillet</td><td>19h</td><td>{what}</td></tr></table>");
    for (cell, want) in [
        ("Pavie : loto du foot", "07-12 19:00 loto du foot @ Pavie"),
        ("Pavie, Le Parnasse : concert « Harpe diem »", "07-12 19:00 concert « Harpe diem » @ Pavie, Le Parnasse"),
        (
            "Pavie, salle des fêtes : salon des antiquaires",
            "07-12 19:00 salon des antiquaires @ Pavie, salle des fêtes",
        ),
    ] {
        assert_eq!(told(&row(cell)), [want], "{cell}");
    }
}

#[test]
fn one_meets_before_one_leaves() {
    let told =
        told(&format!("{DAY}<p>Visite aux flambeaux du château : rdv 17h45 devant l’office, départ 18h. 8 €</p>"));
    assert!(told.len() == 1 && told[0].starts_with("07-12 18:00"), "{told:?}");
}

#[test]
fn the_middle_of_a_village_is_no_commune() {
    let html = "<h3>Pavie</h3><p>Jeudi 15, 20 h : loto, café du Bourg</p><h3>Jégun</h3><p>Jeudi 15, 21 h : bal, cinéma Le Rex du Bourg</p>";
    let told = told(html);
    assert!(told.len() == 2 && told[0].contains("@ Pavie") && told[1].contains("@ Jégun"), "{told:?}");
}
