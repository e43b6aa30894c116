//! Words that were read wrong at first in whole articles, and their siblings, each in its shortest form: hours that are none,
//! days that recur, states, what an article says of itself.

use super::kinds::{printed, told};
use super::*;
use semainier::domain::agenda::Status;

const MONDAY: &str = "<h3>Lundi 12 juillet</h3>";

fn agenda(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] })
}

/// The hours of the events of one line.
fn hours(line: &str) -> Vec<String> {
    told(&format!("{MONDAY}<p>{line}</p>")).iter().map(|event| event[6..11].to_owned()).collect()
}

#[test]
fn an_hour_of_the_sea_a_limit_or_a_length_is_no_beginning() {
    for (line, want) in [
        ("10 h : sortie pêche à pied (basse mer 12 h 42), coef. 95", &["10:00"][..]),
        ("Sortie en mer à 9 h, pleine mer à 11 h 10, Pavie", &["09:00"]),
        ("Balade au phare à 20 h, coucher du soleil à 21 h 30", &["20:00"]),
        ("10 h : marche des moulins, 6 km, 2 h 30, départ du lavoir", &["10:00"]),
        ("15 h - Pavie : la ville racontée par Simone, 5 € (gratuit moins de 12 ans), 1h30", &["15:00"]),
        ("Repas dansant à 19 h, réservation avant le 10 juillet midi", &["19:00"]),
        ("Séances à 14 h, 21 h, 23 h : concert", &["14:00", "21:00", "23:00"]),
    ] {
        let hours = hours(line);
        assert_eq!(hours, want, "{line}: {hours:?}");
    }
}

#[test]
fn the_first_of_a_month_in_figures_is_its_first_day() {
    let html = "<p>* sam. 31/07 - 18h - Pavie : bal<br>* dim. 1er/08 - 11h - Jégun : messe</p>";
    let days: Vec<String> = told(html).iter().map(|event| event[..11].to_owned()).collect();
    assert_eq!(days, ["07-31 18:00", "08-01 11:00"]);
}

#[test]
fn what_recurs_in_a_long_period_recurs_in_all_of_it() {
    let html = "<h1>Vacances : on fait quoi du 12 au 23 juillet ?</h1><ul><li>Jardin des neiges du lundi au mercredi à 9 h, Pavie</li>\
                <li>Visite du fort lundi et jeudi à 10 h, Jégun</li><li>Mardi 20 juillet : bal à 21 h</li></ul>";
    let agenda = agenda(html);
    let days: Vec<usize> = agenda.daily.iter().map(|daily| daily.days.len()).collect();
    assert_eq!(days, [6, 4], "{agenda:#?}");
}

#[test]
fn a_recurrence_and_its_span_are_one() {
    let html = "<h1>Du 12 au 18 juillet</h1><p>Chaque soir à 18 h du mercredi 14 juillet au samedi 31 juillet, conte à Pavie.</p>\
                <p>Tous les jours du 12 au 18, sauf mardi, de 14 h à 17 h, atelier de tissage à Jégun.</p>";
    let days: Vec<usize> = agenda(html).daily.iter().map(|daily| daily.days.len()).collect();
    assert_eq!(days, [5, 6]);
}

#[test]
fn sessions_are_apart_and_opening_hours_are_not() {
    assert_eq!(hours("Atelier bougies de 14 h à 15 h 30 puis de 16 h à 17 h 30, Pavie"), ["14:00", "16:00"]);
    assert_eq!(hours("Marché des potiers de 9 h à 12 h et de 14 h à 18 h, Pavie"), ["09:00"]);
}

#[test]
fn a_state_with_its_reason_is_one_and_that_of_a_part_is_none() {
    let status = |line: &str| {
        let agenda = agenda(&format!("{MONDAY}<p>{line}</p>"));
        agenda.items().flat_map(|(_, item)| &item.events).map(|event| event.status).next()
    };
    for (line, want) in [
        ("Vide-greniers à 8 h. Annulé en raison de la crue.", Status::Cancelled),
        ("Régate à 17 h : annulée, faute de bateaux", Status::Cancelled),
        ("Messe à 15 h 30 suivie d’un goûter. COMPLET pour le goûter.", Status::Scheduled),
        ("Concert à 21 h. COMPLET.", Status::SoldOut),
        ("Concert à 21 h, annulé en cas de pluie", Status::Scheduled),
    ] {
        assert_eq!(status(line), Some(want), "{line}");
    }
}

#[test]
fn where_and_when_before_a_colon_are_no_title() {
    for (line, want) in [
        ("Lombez, salle des Armes, 14 h : concert de harpe", "07-12 14:00 concert de harpe @ Lombez, salle des Armes"),
        ("18h - Lombez, halle : veillée contée", "07-12 18:00 veillée contée @ Lombez, halle"),
        ("De 9 h à midi, médiathèque de Pavie : repair café", "07-12 09:00 repair café @ Pavie, médiathèque"),
    ] {
        assert_eq!(told(&format!("{MONDAY}<p>{line}</p>")), [want]);
    }
}

#[test]
fn the_town_of_a_line_among_others_is_not_that_of_the_lines_below() {
    let html = format!("{MONDAY}<p>Pavie : messe, 9 h.<br>Jégun : loto, 15 h.</p><p>Bal à 21 h.</p>");
    assert_eq!(told(&html), ["07-12 09:00 messe @ Pavie", "07-12 15:00 loto @ Jégun", "07-12 21:00 bal"]);
    let html = format!("{MONDAY}<p>Fêtes de Pavie : 11 h messe ; 13 h repas ; 23 h bal</p>");
    assert!(told(&html).iter().all(|event| event.ends_with("@ Pavie")), "{:?}", told(&html));
}

#[test]
fn what_an_article_says_of_itself_is_no_event_whatever_its_hours() {
    let bal = format!("{MONDAY}<p>Bal à 21 h à Pavie</p>");
    for line in [
        "Soumis par office le jeu 08/07/2027 - 17:05",
        "P.-S. Une erreur, un oubli ? Écrivez-nous avant le mercredi midi.",
        "Bureau de Pavie : lundi-samedi 9h-12h30 / 14h-18h, 05 36 49 00 30.",
        "Bureaux d’Auch : du lundi au samedi 9h-12h et 14h-18h. De Pavie : mardi et samedi matin.",
        "Office de tourisme du Gers, 3 rue Neuve – 05 36 49 00 60 – ouvert 9h30-13h et 14h-18h",
        "Page 2/2 — Ne pas jeter — Accueil : lundi au vendredi, 8 h 30 - 12 h",
        "Bus gratuits tout le week-end, dernier départ à 2h. Celui qui conduit, c’est celui qui ne boit pas !",
        "La collecte des ordures du mardi 13 est avancée au lundi 12 à partir de 5 h.",
        "Les caisses ouvrent 20 minutes avant la séance. Imprimé le 1er juillet.",
        "Pour ne plus recevoir ce message, répondez STOP.",
        "Imprimé par nos soins. Ne pas jeter sur la voie publique.",
        "Programme du 12 juillet sous réserve de modifications.",
        "1,2 K204 commentaires · 89 partages",
    ] {
        let printed = printed(&format!("{bal}<p>{line}</p>"));
        assert_eq!(printed.len(), 1, "{line}: {printed:?}");
    }
    for line in [
        "Page blanche, atelier d’écriture à 15 h",
        "Bus-concert à 18 h, navette gratuite",
        "Exposants et artisans, marché à 9 h",
        "Bureau des légendes, balade contée à 20 h",
        "J’aime lire : rencontre avec Léa Morel à 18 h, médiathèque",
        "Repas préparé par nos soins à 12 h 30, halle de Jégun",
        "Visite de la tour, sous réserve de places, à 10 h",
        "Vide-greniers sur la voie publique de 8 h à 18 h",
        "Point d’information sur la fibre à 19 h, mairie de Pavie",
    ] {
        let printed = printed(&format!("{bal}<p>{line}</p>"));
        assert_eq!(printed.len(), 2, "{line}: {printed:?}");
    }
}

#[test]
fn a_heading_l_agenda_does_not_end_it() {
    assert_eq!(told(&format!("<h2>L’agenda</h2>{MONDAY}<p>Bal à 21 h</p>")), ["07-12 21:00 bal"]);
}

#[test]
fn a_bold_name_with_a_stop_stands_before_its_town() {
    let html = "<h1>Du 16 au 18 juillet</h1><h3>BROCANTES, MARCHÉS</h3>\
        <p><b>Impro.</b> Pavie, bar du Lac, ven. 16, 20 h. Au chapeau.</p>\
        <p><b>Puces.</b> Sam. 17 : Jégun, halle, 8 h-18 h. Dim. 18 : Lectoure, foirail, dès 6 h ; Fleurance, stade, 7 h-17 h.</p>\
        <p><b>Les quatre vents</b>. Jégun (église), ven. 16 et sam. 17 juillet, 21 h.</p>\
        <p><b>Annulé.</b> Le loto (Pavie, salle des fêtes, sam. 17, 14 h) est annulé.</p>";
    let mut found = told(html);
    found.sort();
    let want = [
        "07-16 20:00 Impro @ Pavie, bar du Lac",
        "07-16 21:00 Les quatre vents @ Jégun, église",
        "07-17 08:00 puces @ Jégun, halle",
        "07-17 14:00 loto @ Pavie, salle des fêtes",
        "07-17 21:00 Les quatre vents @ Jégun, église",
        "07-18 06:00 puces @ Lectoure, foirail",
        "07-18 07:00 puces @ Fleurance, stade",
    ];
    assert_eq!(found, want);
    let by_hour =
        format!("{MONDAY}<p>• <b>Feux de joie.</b> 22 h à Pavie (stade), 22 h 30 à Jégun, place du Foirail.</p>");
    let want = ["07-12 22:00 feux de joie @ Pavie, stade", "07-12 22:30 feux de joie @ Jégun, place du Foirail"];
    assert_eq!(told(&by_hour), want);
}

#[test]
fn a_noun_at_the_head_of_its_sentence_has_the_state_behind_it() {
    for (line, want) in [
        ("Balade en canoë à 16 h. Sortie reportée au 24 juillet en raison de la crue.", Status::Postponed),
        ("Loto à 14 h. Soirée annulée faute de lots.", Status::Cancelled),
        ("Balade en canoë à 16 h. Sortie reportée au lendemain en cas de pluie.", Status::Scheduled),
    ] {
        let agenda = agenda(&format!("{MONDAY}<p>{line}</p>"));
        let states: Vec<Status> = agenda.items().flat_map(|(_, item)| &item.events).map(|it| it.status).collect();
        assert_eq!(states, [want], "{line}");
    }
}

#[test]
fn a_state_in_brackets_is_of_the_hour_before_it() {
    let agenda = agenda(&format!("{MONDAY}<p>Escape game « Le Beffroi » : 14h, 16h (complet) et 18h, Pavie</p>"));
    let states: Vec<Status> = agenda.items().flat_map(|(_, item)| &item.events).map(|it| it.status).collect();
    assert_eq!(states, [Status::Scheduled, Status::SoldOut, Status::Scheduled]);
}

#[test]
fn a_line_that_begins_with_two_towns_is_not_of_the_one_above() {
    let html = format!(
        "{MONDAY}<p><b>FLEURANCE</b> – Bal, 21 h.</p><p><b>PAVIE et LECTOURE</b> – Parade des géants, de 14 h à 17 h.</p>"
    );
    let places: Vec<Option<String>> =
        agenda(&html).items().flat_map(|(_, item)| &item.events).map(|event| event.place.clone()).collect();
    assert_eq!(places, [Some("Fleurance".to_owned()), None]);
}

#[test]
fn helpers_partners_and_the_hours_of_the_office_are_no_events() {
    for line in [
        "Avec le concours de la communauté de communes et de la Caisse locale du Bon-Secours.",
        "Avec l’aide du Département et de la Région.",
        "Cet agenda vous est proposé par l’office de tourisme et ses partenaires : Crédit Rural, Garage Roby, Radio Arros.",
        "Office de tourisme, 1 place de la République. Vacances scolaires : tous les jours sauf dimanche, 10h-12h30 / 14h-17h30.",
        "Office de tourisme, 12 rue du Foirail. Hors vacances : du mardi au samedi, 9h30-12h30.",
        "Accueil à Pavie du mardi au samedi, 9h30-12h30 et 14h-18h.",
    ] {
        let html = format!("{MONDAY}<p>Bal à 21 h, Pavie</p><p>{line}</p>");
        assert_eq!(told(&html), ["07-12 21:00 bal @ Pavie"], "{line}");
    }
    for (line, want) in [
        ("Concert à 18 h, église de Jégun, avec le concours de la chorale de Pavie.", "07-12 18:00 concert"),
        ("Avec le concours de la chorale, concert à 18 h, Jégun.", "07-12 18:00"),
        ("Concours de pétanque, 18 h, boulodrome, Jégun.", "07-12 18:00 concours de pétanque"),
        ("Concert proposé par l’office de tourisme à 18 h, place du Foirail, Jégun.", "07-12 18:00 concert"),
    ] {
        let found = told(&format!("{MONDAY}<p>{line}</p><p>Bal à 21 h, Pavie</p>"));
        assert!(found.len() == 2 && found[0].starts_with(want), "{line}: {found:?}");
    }
}
