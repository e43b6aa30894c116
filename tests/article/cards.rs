//! Cards, fields with names and paragraphs: which lines tell of one thing.

use super::kinds::told;
use super::*;

fn agenda(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] })
}

fn notes(html: &str) -> Vec<String> {
    agenda(html).items().flat_map(|(_, item)| &item.events).filter_map(|event| event.note.clone()).collect()
}

#[test]
fn the_town_of_a_card_is_of_that_card() {
    let card = |kind: &str, title: &str, when: &str, town: &str, text: &str| {
        format!("<div>{kind}</div><h3><a href='/x'>{title}</a></h3><div>{when}</div><div>{town}</div><p>{text}</p>")
    };
    let html = [
        "<h1>Du 12 au 18 juillet 2027</h1>".to_owned(),
        card(
            "Visite",
            "Le four banal raconté par un boulanger",
            "Lundi 12 juillet - 14:30",
            "Jégun",
            "6 €, place du Four.",
        ),
        card(
            "Atelier",
            "Mes mains dans la terre",
            "Mardi 13 juillet, 10h et 15h",
            "Pavie",
            "Atelier poterie, 9 € (durée 1h30)",
        ),
        card(
            "Foire",
            "Foire aux ânes",
            "Vendredi 16 juillet, de 8h à 18h",
            "Lectoure",
            "Course de brouettes samedi 17 juillet à 17h.",
        ),
        card("Exposition", "Filets bleus", "Du 1er juin au 30 août", "Fleurance", "Halle, ouverte tous les jours."),
    ];
    let html = html.concat();
    let want = [
        "07-12 14:30 Le four banal raconté par un boulanger @ Jégun, place du Four",
        "07-13 10:00 Mes mains dans la terre @ Pavie",
        "07-13 15:00 Mes mains dans la terre @ Pavie",
        "07-16 08:00 foire aux ânes @ Lectoure",
        "07-17 17:00 course de brouettes @ Lectoure",
    ];
    assert_eq!(told(&html), want);
    let agenda = agenda(&html);
    let shown: Vec<&Event> = agenda.exhibitions.iter().flat_map(|item| &item.events).collect();
    assert_eq!(shown.len(), 1);
    assert!(
        shown[0].title == "Filets bleus" && shown[0].place.as_deref().is_some_and(|it| it.starts_with("Fleurance"))
    );
}

#[test]
fn a_card_may_say_when_above_its_title() {
    let card = |when: &str, title: &str, town: &str, text: &str| {
        format!("<div><span>{when}</span><h4>{title}</h4><p>{town}</p><p>{text}</p></div>")
    };
    let html = [
        card("Mardi 13 juillet – 18:00", "Les nuits du puits", "Pavie", "Salle des fêtes. 5 €"),
        card("Mercredi 14 juillet", "Vide-greniers des pompiers", "Jégun", "De 8h à 18h, place Gambetta."),
        card("Jeudi 15 juillet – 21:00", "Cirque Bouglon : ANNULÉ", "Lectoure", "Réservation : 05 36 49 00 01"),
    ];
    let want = [
        "07-13 18:00 Les nuits du puits @ Pavie, Salle des fêtes",
        "07-14 08:00 vide-greniers des pompiers @ Jégun, place Gambetta",
        "07-15 21:00 Cirque Bouglon @ Lectoure",
    ];
    assert_eq!(told(&html.concat()), want);
}

#[test]
fn the_field_of_the_hours_says_when() {
    let html = "<h3>Lundi 12 juillet</h3>\
        <div><b>Foire aux ânes</b><br>Horaires : de 8h à 18h (animaux à partir de 9h)<br>Lieu : foirail, Jégun</div>\
        <div><b>Commémoration du 8 mai 1945</b><br>Heure : 11h (rassemblement à 10h45 place du Puits)<br>Lieu : monument aux morts</div>\
        <div><b>Régates</b><br>Horaires : toute la journée<br>Lieu : Auch, port<br><i>Embarquements à 10h30 et 15h, 12 €</i></div>\
        <div>Heure du conte<br>Horaires : 10h et 15h<br>Lieu : médiathèque de Pavie</div>";
    let want = [
        "07-12 08:00 foire aux ânes @ Jégun, foirail",
        "07-12 11:00 commémoration du 8 mai 1945 @ monument aux morts",
        "07-12 --:-- Régates @ Auch, port",
        "07-12 10:00 Heure du conte @ Pavie, médiathèque",
        "07-12 15:00 Heure du conte @ Pavie, médiathèque",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn hours_in_bold_before_a_bar_are_no_name() {
    let html = "<h3>Samedi 17 juillet</h3><p><b>10h</b> | Visite du bourg à Pavie – durée : 1h15</p>\
                <p><b>De 18h à 19h</b> | Bal à Jégun, navette à 17h30</p>";
    assert_eq!(told(html), ["07-17 10:00 visite du bourg à Pavie @ Pavie", "07-17 18:00 bal à Jégun @ Jégun"]);
}

#[test]
fn a_paragraph_that_begins_with_its_hour_tells_of_one_thing() {
    let html = "<h3>Lundi 12 juillet</h3><p>10h | Visite du moulin à Pavie</p>\
                <p>15h | Pot d’accueil<br>Vin chaud, chocolat et présentation des sorties.<br>2 € petit déjeuner compris</p>\
                <p>18h | Bal à Jégun</p>";
    let told = told(html);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[1].starts_with("07-12 15:00 pot d'accueil"), "{told:?}");
    let html =
        "<h3>Lundi 12 juillet</h3><p>10h : marché à Pavie<br>Concert de la chorale à Auch<br>15h : loto à Jégun</p>";
    assert_eq!(super::kinds::told(html).len(), 3);
}

#[test]
fn brackets_may_say_that_it_is_on_another_day_too() {
    let html = "<h3>Samedi 17 juillet</h3><ul><li>Salon du jouet à la halle de Pavie, 9 h-18 h, 3 € (aussi dimanche, 9 h-17 h)</li>\
                <li>Marché des potiers de 10h à 19h à Jégun (également dimanche, mêmes horaires)</li>\
                <li>Atelier photo à 14h à Auch (également sur inscription le dimanche)</li></ul>\
                <h3>Dimanche 18 juillet</h3><p>11h, loto à Auch</p>";
    let want = [
        "07-17 09:00 salon du jouet @ Pavie, halle",
        "07-17 10:00 marché des potiers @ Jégun",
        "07-17 14:00 atelier photo @ Auch",
        "07-18 09:00 salon du jouet @ Pavie, halle",
        "07-18 10:00 marché des potiers @ Jégun",
        "07-18 11:00 loto @ Auch",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn a_chapter_is_titled_by_its_heading_where_its_sentence_does_not_name_it() {
    let html = "<h1>Que faire du 12 au 18 juillet ?</h1>\
        <h2>1. Un grand loto à Pavie</h2><p>Le comité vous attend samedi 17 juillet à 20 h à la salle polyvalente.</p>\
        <h2>2. La fête bat son plein</h2><p>Une trentaine d’artisans s’installent sous la halle. Ouvert vendredi de 16 h à 20 h et samedi de 10 h à 19 h.</p>\
        <h2>3. Chiner à Jégun</h2><p>La brocante se tient dimanche de 9 h à 17 h à Jégun.</p>";
    let told = told(html);
    assert!(told.iter().any(|event| event.starts_with("07-17 20:00 ") && event.contains("loto à Pavie")), "{told:?}");
    assert!(notes(html).iter().any(|note| note.contains("Le comité vous attend")), "no word is lost");
    let agenda = agenda(html);
    assert!(agenda.items().any(|(_, item)| item.text.contains("trentaine d’artisans")), "{agenda:#?}");
}

#[test]
fn shuttles_and_ticket_offices_are_no_events() {
    let html = "<h3>Lundi 12 juillet</h3><ul><li>20h30 : Théâtre « Le Grand Ménage », salle Gambetta. 12 € / 8 €, billetterie sur place dès 19h45</li>\
                <li>19h : fondue géante, place du Puits. Navette à 18h15 (retour 22h)</li></ul>";
    let told = told(html);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("07-12 20:30 théâtre « Le Grand Ménage »"), "{told:?}");
    assert!(told[1].starts_with("07-12 19:00 fondue géante"), "{told:?}");
}

#[test]
fn what_is_struck_through_has_the_state_behind_it() {
    let html = "<h3>Vendredi 16 juillet</h3><p>20h30 | <s>Loto</s> Reporté au samedi 24 juillet à cause du vent</p>";
    let agenda = agenda(html);
    let events: Vec<&Event> = agenda.items().flat_map(|(_, item)| &item.events).collect();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].title.as_str(), events[0].status), ("loto", semainier::domain::agenda::Status::Postponed));
}

#[test]
fn what_a_section_of_the_week_end_shows_is_an_exhibition() {
    let html = "<h3>Samedi 17 juillet</h3><p>- Pavie : bal à 21h</p><p><b>TOUT LE WEEK-END</b><br>- Jégun : stage de clown, 10h-17h<br>\
                - Auch : expo « Filets bleus » à la Maison du parc, entrée libre</p>";
    let agenda = agenda(html);
    assert_eq!(agenda.exhibitions.len(), 1, "{agenda:#?}");
    assert_eq!(agenda.daily.iter().map(|daily| daily.days.len()).collect::<Vec<_>>(), [2]);
}

#[test]
fn the_address_of_an_office_with_its_hours_is_no_event() {
    let html = "<h3>Lundi 12 juillet</h3><p>10h : marché à Pavie</p><h3>Expositions</h3><p>« Filets bleus », halle de Jégun, jusqu’au 4 août</p>\
                <p><a href='/a.pdf'>Télécharger l’agenda (PDF - 1,2 Mo)</a></p>\
                <p>Communauté de communes, 6 rue des Tanneurs - 32000 Auch. Accueil : 8h30-12h / 13h30-17h, fermé le vendredi.</p>";
    assert_eq!(agenda(html).exhibitions.len(), 1);
}

#[test]
fn brackets_may_name_several_other_days() {
    let html = "<h1>Du 12 au 18 juillet</h1><h3>Vendredi 16 juillet</h3>\
                <p>20h30 : cinéma « La Vallée », halle de Pavie (aussi samedi 17 à 18h et dimanche 18 à 16h)</p>\
                <p>10h-18h : marché de la laine à Jégun (également samedi et dimanche)</p>";
    let starts: Vec<String> = told(html).iter().map(|event| event.chars().take(16).collect()).collect();
    let want = [
        "07-16 20:30 ciné",
        "07-16 10:00 marc",
        "07-17 18:00 ciné",
        "07-17 10:00 marc",
        "07-18 16:00 ciné",
        "07-18 10:00 marc",
    ];
    assert_eq!(starts, want);
}

#[test]
fn the_heading_of_a_chapter_gives_its_town() {
    let html = "<h1>Que faire du 12 au 18 juillet ?</h1><h3>Marciac : avant-goût de jazz</h3>\
                <p>Vendredi à 19 h, apéro-swing sous les arcades. Samedi à 11 h, fanfare sur la place.</p>\
                <h3>Patiner à Lombez</h3><p>La patinoire rouvre samedi 17 juillet à 14 h. Parking gratuit.</p>";
    assert!(
        told(html).iter().all(|event| event.contains("@ Marciac") || event.contains("@ Lombez")),
        "{:?}",
        told(html)
    );
    assert!(agenda(html).items().flat_map(|(_, item)| &item.events).all(|event| event.price.is_none()));
}

#[test]
fn a_chapter_says_when_in_its_practical_line() {
    let html = "<h1>Trois idées de sorties du 12 au 18 juillet</h1>\
        <h2>1. Une fête médiévale à Larressingle</h2><p>Les chevaliers sont de retour depuis 10h du matin. Un bal clôturera la journée à 21h.</p>\
        <p>Pratique : samedi 17 juillet, de 10h à 20h, dans la cité. 8 €.</p>\
        <h2>2. Le retour des Zicos</h2><p>Le groupe revient après dix ans.</p>\
        <p>Infos pratiques : vendredi 16 juillet à 21h et samedi 17 juillet à 18h, salle Bernadac, Auch. 15 €.</p>\
        <h2>Et aussi</h2><ul><li>Samedi, 11 h : loto à Pavie</li></ul>";
    let want = [
        "07-16 21:00 Le retour des Zicos @ Auch, salle Bernadac",
        "07-17 10:00 fête médiévale à Larressingle @ Larressingle",
        "07-17 21:00 Un bal clôturera la journée à 21h. @ Larressingle",
        "07-17 18:00 Le retour des Zicos @ Auch, salle Bernadac",
        "07-17 11:00 loto @ Pavie",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn what_stands_behind_the_last_day_of_a_practical_line_is_of_each() {
    let html = "<h1>Votre week-end du 16 au 18 juillet</h1><h2>Pavie</h2><p><b>Les Cousins de Lulu</b></p>\
        <p>Théâtre. La troupe joue sa nouvelle comédie. Autres dates les 24 et 25 juillet.<br>\
        Vendredi 16, samedi 17 juillet, 20 h 30, dimanche 18 juillet, 14 h 30, salle du Temple. Tarif : 7 €.</p>\
        <p><b>Bal country</b></p><p>Boissons et pâtisseries.<br>Dimanche 18 juillet, de 14 h à 18 h, salle des fêtes.</p>";
    let want = [
        "07-16 20:30 Les Cousins de Lulu @ Pavie, salle du Temple",
        "07-17 20:30 Les Cousins de Lulu @ Pavie, salle du Temple",
        "07-18 14:30 Les Cousins de Lulu @ Pavie, salle du Temple",
        "07-18 14:00 bal country @ Pavie, salle des fêtes",
    ];
    assert_eq!(told(html), want);
}
