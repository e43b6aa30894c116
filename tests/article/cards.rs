//! Cards, fields with names and paragraphs: which lines tell of one thing.

use super::kinds::told;
use super::*;
use semainier::domain::agenda::Status;

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

#[test]
fn a_card_says_its_state_its_date_and_its_place_in_any_order() {
    let articles = "<p>Du 12 au 18 juillet 2027</p>\
        <article><i>Complet</i><div>lundi 12 juillet @ 10 h 00 – 12 h 00</div><h3>Les mains dans la pâte</h3>\
        <div>Ferme du Tertre, Pavie</div><div>5 €</div></article>\
        <article><div>mardi 13 juillet @ 15 h 00</div><h3>Soirée contes</h3><div>Médiathèque, Jégun</div></article>\
        <article><i>ANNULÉ</i><div>samedi 17 juillet @ 21 h 00</div><h3>Les frères Brou</h3><div>Halle, Lectoure</div></article>";
    let want = [
        "07-12 10:00 Les mains dans la pâte @ Pavie, Ferme du Tertre",
        "07-13 15:00 soirée contes @ Jégun, Médiathèque",
        "07-17 21:00 Les frères Brou @ Lectoure, Halle",
    ];
    assert_eq!(told(articles), want);
    let states: Vec<Status> = agenda(articles).items().flat_map(|(_, item)| &item.events).map(|it| it.status).collect();
    assert_eq!(states, [Status::SoldOut, Status::Scheduled, Status::Cancelled]);
    // Without containers, the date and the hour in lines of their own.
    let stacked = "<p>Du 12 au 18 juillet 2027</p>\
        <div>12 juil. 2027</div><div>10:00 - 12:00</div><h4>Les mains dans la pâte</h4><div>Ferme du Tertre, Pavie</div>\
        <div>13 juil. 2027</div><div>15:00</div><h4>Soirée contes</h4><div>Médiathèque, Jégun</div>\
        <div>17 juil. 2027</div><div>21:00</div><h4>Les frères Brou</h4><div>Halle, Lectoure</div>";
    assert_eq!(told(stacked), want);
    let behind = "<p>Du 12 au 18 juillet 2027</p>\
        <h4>Les mains dans la pâte</h4><div>12 juil. 2027 • 10:00 - 12:00</div><div>Ferme du Tertre, Pavie</div>\
        <h4>Soirée contes</h4><div>13 juil. 2027 • 15:00</div><div>Médiathèque, Jégun</div>\
        <h4>Les frères Brou</h4><div>17 juil. 2027 • 21:00</div><div>Halle, Lectoure</div>";
    assert_eq!(told(behind), want);
}

#[test]
fn fields_end_with_a_colon_or_a_question_mark() {
    for sign in [" ?", " :"] {
        let html = format!(
            "<h2>Vendredi 16 juillet</h2><h3>En soirée</h3>\
             <p><b>Les petits papiers</b><br>Où{sign} Médiathèque, Jégun<br>Quand{sign} 18:30<br>Combien{sign} 2 €</p>\
             <p><b>Ronde des cloches</b><br>Où{sign} Église, Pavie<br>Quand{sign} 20:30, puis concert à 21:30 à la salle des fêtes</p>\
             <h2>Tout le week-end</h2>\
             <p><b>Salon du miel</b><br>Où{sign} Halle, Lectoure<br>Quand{sign} Samedi 10:00-19:00, dimanche 10:00-18:00</p>"
        );
        let want = [
            "07-16 18:30 petits papiers @ Jégun, Médiathèque",
            "07-16 20:30 ronde des cloches @ Pavie, Église",
            "07-16 21:30 concert @ Pavie, salle des fêtes",
            "07-17 10:00 salon du miel @ Lectoure, Halle",
            "07-18 10:00 salon du miel @ Lectoure, Halle",
        ];
        assert_eq!(told(&html), want, "{sign}");
        assert!(notes(&html).iter().all(|note| !note.contains("Combien")), "{:?}", notes(&html));
    }
}

#[test]
fn what_stands_behind_a_comma_of_the_title_may_have_hours_of_its_own() {
    let html = "<h2>Vendredi 16 juillet</h2><p>11h-19h | Marché de potiers, démonstrations à 14h et 17h avec les tourneurs</p>\
        <table><tr><td>Pavie</td><td>Foire à la laine</td><td>De 9h à 12h<br>De 14h à 18h</td></tr></table>";
    let want = [
        "07-16 11:00 marché de potiers",
        "07-16 14:00 démonstrations",
        "07-16 17:00 démonstrations",
        "07-16 09:00 foire à la laine @ Pavie",
    ];
    assert_eq!(told(html), want);
    let ends: Vec<_> = agenda(html).items().flat_map(|(_, item)| &item.events).filter_map(|event| event.end).collect();
    assert_eq!(ends.iter().map(|end| end.format("%H:%M").to_string()).collect::<Vec<_>>(), ["19:00", "18:00"]);
}

#[test]
fn a_container_of_one_heading_is_a_card() {
    let states = |html: &str| -> Vec<String> {
        let tell = |event: &Event| format!("{} {:?}", event.title, event.status);
        agenda(html).items().flat_map(|(_, item)| &item.events).map(tell).collect()
    };
    let card = |above: &str, title: &str, when: &str, place: &str, below: &str| {
        (above.to_owned(), format!("<h3>{title}</h3>"), format!("<p>{when}</p><p>{place}</p>{below}"))
    };
    let cards = [
        card("", "Les mains dans la pâte", "Lundi 12 juillet, 10 h", "Ferme du Tertre, Pavie", ""),
        card("", "Rando des trois clochers", "Mardi 13 juillet, départs entre 9h et 11h", "Foyer communal, Jégun", ""),
        card("<span>Complet</span>", "Soirée contes", "Mardi 13 juillet, 15 h", "Médiathèque, Jégun", "<p>5 €</p>"),
        card("", "Bal trad’", "Ven. 16/07 · 21h (initiation à 20h15)", "Salle des fêtes de Pavie", "<p>8 €</p>"),
        card("<ul><li>Annulé</li></ul>", "Les frères Brou", "Samedi 17 juillet, 21 h", "Halle, Lectoure", ""),
        card("", "Poterie", "Dimanche 18 juillet, 14 h", "Halle, Jégun", "<span>Complet</span>"),
        card(
            "",
            "Exposition « Terres »",
            "Jusqu’au 21 août, du vendredi au dimanche, 14h-18h",
            "Musée d’art, Fleurance",
            "",
        ),
    ];
    let want = [
        "Les mains dans la pâte Scheduled",
        "soirée contes SoldOut",
        "rando des trois clochers Scheduled",
        "bal trad' Scheduled",
        "Les frères Brou Cancelled",
        "Poterie SoldOut",
        "Exposition « Terres » Scheduled",
    ];
    let join = |wrap: &dyn Fn(&str, &str, &str) -> String| {
        cards.iter().map(|(above, title, below)| wrap(above, title, below)).collect::<String>()
    };
    let end = "<p>Avec le concours de la communauté de communes.</p>";
    let plain = join(&|above, title, below| format!("<div>{above}{title}{below}</div>"));
    let nested =
        join(&|above, title, below| format!("<div><div>{above}</div><div><div>{title}{below}</div></div></div>"));
    let list = join(&|above, title, below| format!("<li>{above}<div>{title}{below}</div></li>"));
    let under = join(&|above, title, below| {
        format!("<section>{above}{title}{below}<h4>Infos</h4><p>Prévoir un chapeau.</p></section>")
    });
    let advertised = plain.replacen("</div><div>", "</div><p>Publicité</p><div>", 2);
    for html in [plain, advertised, nested, format!("<ul>{list}</ul>"), under] {
        let html = format!("<h1>Du 12 au 18 juillet 2027</h1><div>{html}</div>{end}");
        let mut found = states(&html);
        let mut want = want.map(str::to_owned).to_vec();
        found.sort();
        want.sort();
        assert_eq!(found, want, "{html}");
    }
}
