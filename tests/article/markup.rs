//! What the markup of an article says, each kind in its shortest form: names set apart, headings that are places, lists in
//! lists, tables, lines that a page broke.

use super::kinds::{printed, told};
use super::*;
use semainier::domain::agenda::Status;

const MONDAY: &str = "<h3>Lundi 12 juillet</h3>";

fn agenda(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] })
}

#[test]
fn a_term_is_the_name_of_what_its_definition_dates() {
    let html = "<h2>Les rendez-vous</h2><dl><dt>Un dimanche à la ferme</dt><dd>Mardi 13 juillet à 21 h, halle de Pavie. Buvette.</dd>\
                <dt>Le dimanche de Zoé</dt><dd>Mercredi 14 juillet, 18 h<br>Annulé</dd>\
                <dt>Fabriquer son cerf-volant</dt><dd>Jeudi 15 juillet, 10 h</dd><dd>Samedi 17 juillet, 15 h</dd></dl>";
    let told = told(html);
    let want = [
        "07-13 21:00 Un dimanche à la ferme @ Pavie, halle",
        "07-14 18:00 Le dimanche de Zoé",
        "07-15 10:00 Fabriquer son cerf-volant",
        "07-17 15:00 Fabriquer son cerf-volant",
    ];
    assert_eq!(told, want);
    let items = agenda(html);
    assert!(
        items.items().all(|(_, item)| !item.text.contains(['\u{e000}', '\u{e001}'])),
        "the signs are for reading only"
    );
    let states: Vec<bool> =
        items.items().flat_map(|(_, item)| &item.events).map(|event| event.status == Status::Cancelled).collect();
    assert_eq!(states, [false, true, false, false]);
}

#[test]
fn a_term_that_is_a_town_a_day_a_place_or_an_hour_is_no_name() {
    for (term, want) in [
        ("Pavie", "07-12 21:00 bal @ Pavie"),
        ("Salle des fêtes", "07-12 21:00 bal"),
        ("De 21 h à 23 h", "07-12 21:00 bal"),
    ] {
        let hour = if term.contains("21 h") { "" } else { "à 21 h, " };
        let told = told(&format!("{MONDAY}<dl><dt>{term}</dt><dd>{hour}bal</dd></dl>"));
        assert!(told.len() == 1 && told[0].starts_with(want), "{term}: {told:?}");
    }
}

#[test]
fn bold_words_before_a_bar_are_a_name() {
    let html = "<p><b>Danser pour ne pas tomber</b> · mar. 13 juillet · 18h–20h · prix libre</p>\
                <p><b>Et si on faisait la sieste ?</b> · <span>mer. 14 juillet · 14 h · gratuit</span></p>\
                <p><b>Le Retour du lundi</b> (1h38) · jeu. 15 juillet à 21 h</p>\
                <p><b>Samedi 17 juillet</b> · bal · 21 h</p>";
    let want = [
        "07-13 18:00 Danser pour ne pas tomber",
        "07-14 14:00 Et si on faisait la sieste ?",
        "07-15 21:00 Le Retour du lundi",
        "07-17 21:00 bal",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn a_film_whose_name_is_an_hour_or_a_day_is_a_film() {
    let table = "<table><tr><th>Film</th><th>Lun 12</th><th>Mar 13</th><th>Mer 14</th></tr>\
                 <tr><td><b>Onze heures trente</b><br>1h52 – comédie</td><td>20h30</td><td></td><td>18h<br>21h</td></tr>\
                 <tr><td><b>Un samedi à Lisbonne</b><br>0h50 – dès 4 ans</td><td></td><td>14h30</td><td>-</td></tr></table>";
    let want = [
        "07-12 20:30 Onze heures trente",
        "07-13 14:30 Un samedi à Lisbonne",
        "07-14 18:00 Onze heures trente",
        "07-14 21:00 Onze heures trente",
    ];
    assert_eq!(told(&format!("<h1>Du 12 au 18 juillet</h1>{table}")), want);
}

#[test]
fn headings_that_are_places_give_venue_and_town() {
    let html = "<h1>Du 12 au 18 juillet</h1><h2>Lombez – cinéma Le Palace</h2><p>Projection de courts métrages, mardi 13 juillet à 21 h</p>\
                <h2>Salle des fêtes de Pavie</h2><p>Loto, mercredi 14 juillet à 15 h</p><p>Bal, jeudi 15 juillet à 21 h, place de la Mairie</p>\
                <h2>Et ailleurs</h2><p>Concert, samedi 17 juillet à 21 h</p>";
    let want = [
        "07-13 21:00 projection de courts métrages @ Lombez, cinéma Le Palace",
        "07-14 15:00 loto @ Pavie, Salle des fêtes",
        "07-15 21:00 bal @ Pavie, place de la Mairie",
        "07-17 21:00 concert",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn a_list_within_an_item_is_of_its_day_and_town() {
    let html = "<h2>L’agenda</h2><ul><li>Samedi 17 juillet : <b>fête de la moisson</b> à Jégun<ul><li>10 h : messe</li><li>12 h : repas</li></ul></li>\
                <li>Dimanche 18 juillet : loto à Pavie, 15 h</li></ul>";
    let told = told(html);
    assert!(told.contains(&"07-17 10:00 messe @ Jégun".to_owned()), "{told:?}");
    assert!(told.contains(&"07-17 12:00 repas @ Jégun".to_owned()), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("07-18 15:00 loto @ Pavie"));
}

#[test]
fn a_cell_that_is_a_town_is_that_of_its_row_only() {
    let html = "<table><tr><th>Date</th><th>Commune</th><th>Quoi</th><th>Heures</th><th>Exposants</th></tr>\
                <tr><td>Sam. 17 juillet (foire)</td><td>Jégun</td><td>Brocante, place du Foirail</td><td>8 h - minuit</td><td>3 € le mètre, dès 6 h</td></tr>\
                <tr><td></td><td>Pavie</td><td>Vide-greniers</td><td>9h-17h</td><td>complet</td></tr>\
                <tr><td>Dim. 18 juillet</td><td>Auch</td><td>Bourse aux vélos (dépôt samedi de 14 h à 17 h)</td><td>9h-12h</td><td></td></tr></table>";
    let items = agenda(html);
    let shown: Vec<String> = items
        .items()
        .flat_map(|(_, item)| &item.events)
        .map(|event| format!("{} {:?} {:?}", event.title, event.status, event.price))
        .collect();
    let want = [
        "brocante, place du Foirail Scheduled None",
        "vide-greniers Scheduled None",
        "bourse aux vélos Scheduled None",
    ];
    assert_eq!(shown, want);
    let told = told(html);
    assert!(told[0].starts_with("07-17 08:00") && told[0].contains("@ Jégun"), "{told:?}");
    assert_eq!(told[1..], ["07-17 09:00 vide-greniers @ Pavie", "07-18 09:00 bourse aux vélos @ Auch"]);
}

#[test]
fn places_below_the_days_of_a_table_are_of_its_heading() {
    let html = "<h3>Marchés (de 8h à 12h sauf mention contraire)</h3><table><tr><td>Lundi 12</td><td>Mardi 13</td><td>Samedi 17</td></tr>\
                <tr><td>Mirande</td><td>Pavie (17h-20h)</td><td>fermé</td></tr></table>";
    assert_eq!(told(html), ["07-12 08:00 marché @ Mirande", "07-13 17:00 marché @ Pavie"]);
}

#[test]
fn lines_that_a_page_broke_are_one() {
    let html = "<p>LUNDI 12 JUILLET<br>\nAuch, salle du Mouzon, 14 h : « Bien dormir la nuit », conférence du<br>\ndocteur Lafitte. Entrée libre pour tous les adhérents du club.<br>\n\
                Pavie, halle, de 15 h à 18 h : thé dansant avec l’orchestre de Jeannot et ses<br>\nmusiciens. Boissons comprises.<br>\n\
                Jégun, médiathèque, dix heures : atelier de reliure pour les petits et les<br>\ngrands.</p>\
                <p>MARDI 13 JUILLET<br>\nAuch, cinéma, 20 h 30 : « Les Vieux Chemins », suivi d’un débat avec son<br>\nréalisateur.</p>";
    let told = told(html);
    let want = [
        "07-12 14:00 « Bien dormir la nuit » @ Auch, salle du Mouzon",
        "07-12 15:00 thé dansant avec l'orchestre de Jeannot et ses musiciens @ Pavie, halle",
        "07-12 10:00 atelier de reliure @ Jégun, médiathèque",
        "07-13 20:30 « Les Vieux Chemins » @ Auch, cinéma",
    ];
    let starts =
        |told: &String, want: &str| told.starts_with(&want[..11]) && told.ends_with(&want[want.find('@').unwrap()..]);
    assert_eq!(told.len(), want.len(), "{told:?}");
    assert!(told.iter().zip(want).all(|(told, want)| starts(told, want)), "{told:#?}");
    // Lines that an author broke are not.
    let html = format!("{MONDAY}<p>9 h marché à Pavie<br>10 h loto<br>11 h messe à Jégun<br>21 h bal</p>");
    assert_eq!(super::kinds::told(&html).len(), 4);
}

#[test]
fn a_rubric_in_bold_names_what_its_notice_dates() {
    let html = "<p><b>JÉGUN</b></p><p><b>Thé dansant.</b> — Dimanche 18 juillet, de 14 h 30 à 19 heures, salle des fêtes. 10 €. \
                ■ <b>Don du sang.</b> — Lundi 12 juillet, de 15 heures à 19 heures.</p>\
                <p><b>PAVIE</b></p><p><b>Cinéma.</b> — « Les Ronces », mercredi 14 juillet à 15 heures.</p>";
    let told = told(html);
    assert!(told.iter().any(|it| it.starts_with("07-18 14:30 thé dansant @ J")), "{told:?}");
    assert!(told.iter().any(|it| it.starts_with("07-12 15:00 don du sang @ J")), "{told:?}");
    assert!(
        told.iter().any(|it| it.starts_with("07-14 15:00") && it.contains("Les Ronces") && it.contains("@ Pavie")),
        "{told:?}"
    );
}

#[test]
fn a_heading_may_end_with_its_day() {
    let html = "<p><b>Les cérémonies du mercredi 14 juillet</b></p><p>Pavie : 11 h, monument aux morts.<br>Jégun : 10 h 30, devant la mairie.</p>\
                <p><b>Et aussi cette semaine</b></p><p>Samedi 17 juillet : bal à 21 h à Auch</p>";
    let told = told(html);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("07-14 11:00") && told[0].contains("Pavie"), "{told:?}");
    assert!(told[1].starts_with("07-14 10:30") && told[1].contains("Jégun"), "{told:?}");
    assert_eq!(told[2], "07-17 21:00 bal @ Auch");
}

#[test]
fn a_card_may_tell_of_its_parts_beside_its_own_hours() {
    let card = |text: &str, when: &str| {
        format!(
            "<table><tr><td>SAM<br>17<br>JUIL</td><td><h3>Fête de la prune</h3><p>{text}</p><p>{when}</p></td></tr></table>"
        )
    };
    let html = card("Tarte géante et fanfares. Dégustation de la tarte à 16h30.", "10h – 18h | Halle, Pavie | Gratuit");
    let want = ["07-17 10:00 fête de la prune @ Pavie, Halle", "07-17 16:30 dégustation de la tarte @ Pavie, Halle"];
    assert_eq!(told(&html), want);
    let html = card("Repas du midi : grillades. Ouverture des portes à 9h.", "10h – 18h | Halle, Pavie");
    assert_eq!(told(&html), want[..1]);
}

#[test]
fn several_exhibitions_in_a_line_are_several() {
    let html = format!(
        "{MONDAY}<p>Bal à 21 h</p><p>Expos à voir : « Toiles bleues » au musée de Mirande ; « Bois » à la mairie de Pavie, jusqu’au 30 juillet.</p>"
    );
    let titles: Vec<String> =
        agenda(&html).exhibitions.iter().flat_map(|item| &item.events).map(|event| event.title.clone()).collect();
    assert_eq!(titles, ["« Toiles bleues »", "« Bois »"]);
}

#[test]
fn what_lasts_the_week_above_the_first_day_is_kept() {
    let html = "<p><b>TOUTE LA SEMAINE – SETMANA</b></p><ul><li>Du lundi au mercredi de 10h à 12h : visite du moulin de Pavie</li>\
                <li>Exposition « Bertsu », mairie de Jégun, jusqu’au 31 août</li></ul><p><b>LUNDI 12 JUILLET</b></p><ul><li>21h : bal</li></ul>";
    assert_eq!(printed(html).len(), 3, "{:?}", printed(html));
    assert_eq!(agenda(html).daily.iter().map(|daily| daily.days.len()).collect::<Vec<_>>(), [3]);
}

#[test]
fn the_rows_of_a_table_of_two_days_are_hours() {
    let html = "<table><tr><td><b>Heure</b></td><td><b>Samedi 17</b></td><td><b>Dimanche 18</b></td></tr>\
                <tr><td>15 h</td><td>Atelier cannage</td><td>Loto</td></tr><tr><td>21 h</td><td>Bal folk</td><td>–</td></tr></table>";
    assert_eq!(told(html), ["07-17 15:00 atelier cannage", "07-17 21:00 bal folk", "07-18 15:00 loto"]);
}

#[test]
fn a_day_in_figures_alone_is_the_day_of_its_card() {
    let html = "<div><span>17.07</span><h4>La Grande Lessive</h4><p>20h30 – Halle, Pavie – 12 €</p></div>\
                <div><span>18.07</span><h4>Qui a peur du loup ?</h4><p>15h et 17h – Médiathèque, Pavie</p></div>";
    let want = [
        "07-17 20:30 La Grande Lessive @ Pavie, Halle",
        "07-18 15:00 Qui a peur du loup ? @ Pavie, Médiathèque",
        "07-18 17:00 Qui a peur du loup ? @ Pavie, Médiathèque",
    ];
    assert_eq!(told(html), want);
}

#[test]
fn notices_of_several_towns_in_a_line_are_each_of_their_own() {
    let html = format!("{MONDAY}<p>PAVIE. 20 h 30 : loto, salle des fêtes. – MIRANDE. 18 h : concert d’orgue.</p>");
    assert_eq!(told(&html), ["07-12 20:30 loto @ Pavie, salle des fêtes", "07-12 18:00 concert d'orgue @ Mirande"]);
}

#[test]
fn fields_may_be_questions() {
    let html = "<h1>Du 12 au 18 juillet</h1><div><h3>Et si on sortait les poubelles ?</h3><ul><li>Quand ? samedi 17 juillet, 15h</li>\
                <li>Où ? salle des fêtes, Pavie</li><li>Combien ? 5 €</li></ul></div>";
    assert_eq!(told(html), ["07-17 15:00 Et si on sortait les poubelles ? @ Pavie, salle des fêtes"]);
}
