//! Kinds of lines in the articles 170–181 that were read wrong at first, and their siblings, each in its shortest form.

use semainier::domain::agenda::Status;

use super::kinds::{printed, told};
use super::*;

fn agenda(html: &str) -> Agenda {
    let published = NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date");
    read(html, &Reading { published, week: Some(Week::after(published)), home: "Auch", venues: &[] })
}

/// Title and state of each event.
fn states(lines: &str) -> Vec<(String, Status)> {
    let agenda = agenda(&format!("<h3>Lundi 12 juillet</h3>{lines}"));
    let events = agenda.items().flat_map(|(_, item)| &item.events);
    events.map(|event| (event.title.clone(), event.status)).collect()
}

fn states_of(lines: &str, want: &[(&str, Status)]) {
    let want: Vec<(String, Status)> = want.iter().map(|(title, status)| ((*title).to_owned(), *status)).collect();
    assert_eq!(states(lines), want, "{lines}");
}

#[test]
fn a_part_of_the_day_may_be_a_term() {
    let html = "<h4>Lundi 12 juillet</h4><dl><dt>Matin</dt><dd>Atelier masques à Pavie</dd>\
                <dt>Après-midi (14h-16h)</dt><dd>Piscine de Jégun, prévoir un bonnet</dd><dt>Soir</dt><dd>Bal à Auch</dd></dl>";
    let told = told(html);
    assert_eq!(told.len(), 3, "{told:?}");
    for (event, want) in
        told.iter().zip(["07-12 --:-- atelier masques", "07-12 14:00 Piscine de Jégun", "07-12 --:-- bal"])
    {
        assert!(event.starts_with(want), "{told:?}");
    }
}

#[test]
fn what_an_office_says_of_itself_is_no_event() {
    let bal = "<h3>Lundi 12 juillet</h3><p>Bal à 21 h à Pavie</p>";
    for line in [
        "Associations, pour paraître dans le prochain agenda, écrivez avant jeudi à com@ternoux.example.",
        "Annonces : les faire parvenir avant le mardi 18 h au bureau.",
        "Un oubli ? Signalez-le-nous ! Prochain agenda le jeudi 22 juillet.",
        "Rendez-vous le 22 juillet pour la prochaine Feuille de chou. Joyeuses fêtes à tous !",
        "Bonnes vacances et à la semaine prochaine !",
        "Déchetterie : lundi et samedi de 9 h à 12 h.",
        "Office de tourisme, 3 avenue Jean-Moulin, 05 36 49 70 00, fermé le mardi 13 juillet.",
        "Parking gratuit derrière le cimetière.",
        "L’équipe de l’office",
    ] {
        let printed = printed(&format!("{bal}<p>{line}</p>"));
        assert_eq!(printed.len(), 1, "{line}: {printed:?}");
    }
    for line in [
        "Rendez-vous à 15 h pour la prochaine balade contée à Jégun.",
        "Bal de l’équipe de l’office à 23 h",
        "Atelier : écrivez une annonce en vers, à 15 h à Jégun",
        "Parking du lac : vide-grenier à 8 h",
        "Mairie : mariage en musique à 15 h",
    ] {
        let printed = printed(&format!("{bal}<p>{line}</p>"));
        assert!(printed.iter().any(|text| text.contains(line)), "{line}: {printed:?}");
    }
}

#[test]
fn a_heading_of_practical_lines_ends_the_days() {
    let days = "<h3>Lundi 12 juillet</h3><p>Bal à 21 h à Pavie</p>";
    for heading in ["Horaires utiles", "Tarifs", "Renseignements et inscriptions"] {
        let html = format!("{days}<h3>{heading}</h3><p>Maison du Parc : mardi et vendredi, 14h-17h30.</p>");
        assert_eq!(printed(&html).len(), 1, "{heading}");
        // Within a day it is a detail of its item.
        let html = format!("{days}<h4>{heading}</h4><p>5 €</p><h4>Loto à Jégun</h4><p>15 h</p>");
        assert!(told(&html).iter().any(|event| event.contains("loto")), "{heading}: {:?}", told(&html));
    }
}

#[test]
fn a_day_without_anything_is_printed_as_it_is() {
    let html = "<ul><li>Lundi 12 juillet : rien de prévu… reposez-vous !</li><li>Mardi 13 juillet : bal à 21 h à Pavie</li></ul>";
    assert_eq!(told(html), ["07-13 21:00 bal @ Pavie"]);
    assert!(printed(html).iter().any(|text| text.contains("rien de prévu")), "{:?}", printed(html));
}

#[test]
fn a_state_that_depends_on_the_weather_is_none() {
    for line in [
        "Bal à 21 h à Pavie. Reporté au 29 août en cas de pluie.",
        "Bal à 21 h à Pavie – s’il pleut, le bal est reporté au jeudi",
        "Bal à 21 h à Pavie (annulé si orage)",
        "Bal à 21 h à Pavie. Annulation possible en cas de vent.",
        "Bal à 21 h à Pavie (complet côté exposants)",
    ] {
        let found = states(&format!("<p>{line}</p>"));
        assert!(found.len() == 1 && found[0].1 == Status::Scheduled, "{line}: {found:?}");
    }
    for line in ["21 h, bal annulé à Pavie", "Bal à 21 h à Pavie (annulé), billets remboursés si vous en avez"] {
        let found = states(&format!("<p>{line}</p>"));
        assert!(found.len() == 1 && found[0].1 == Status::Cancelled, "{line}: {found:?}");
    }
}

#[test]
fn a_state_alone_is_that_of_the_item_above_or_of_none() {
    use Status::{Cancelled, Scheduled, SoldOut};
    let list = |items: &[&str]| items.iter().map(|item| format!("<li>{item}</li>")).collect::<String>();
    let (bal, loto) = ("Bal à 21 h à Pavie", "Loto à 15 h à Jégun");
    states_of(&format!("<ul>{}</ul>", list(&[bal, "Annulé.", loto])), &[("bal", Cancelled), ("loto", Scheduled)]);
    states_of(&format!("<p>{bal}</p><p>COMPLET</p><p>{loto}</p>"), &[("bal", SoldOut), ("loto", Scheduled)]);
    states_of(
        "<h4>Bal de l’été</h4><p>21 h, Pavie</p><p><b>Bal annulé</b></p><h4>Loto</h4><p>15 h, Jégun</p>",
        &[("bal de l'été", Cancelled), ("loto", Scheduled)],
    );
    // Nothing above it; then it may be above its item everywhere.
    states_of(
        &format!("<ul>{}</ul>", list(&["Annulé.", bal, "Annulé", loto])),
        &[("bal", Scheduled), ("loto", Scheduled)],
    );
    // Several above it.
    let html = format!("<ul>{}</ul>", list(&[&format!("{bal} ; concert à 23 h à Auch"), "Annulé.", loto]));
    states_of(&html, &[("loto", Scheduled)]);
    for html in [&html, &format!("<ul>{}</ul>", list(&["Annulé.", bal]))] {
        let printed = printed(&format!("<h3>Lundi 12 juillet</h3>{html}"));
        assert!(printed.iter().any(|text| text.contains("Annulé.")), "{html}: {printed:?}");
    }
}

#[test]
fn words_struck_through_hold_if_the_rest_says_what_became_of_them() {
    let html = "<h3>Lundi 12 juillet</h3><p>Loto à 15 h à Jégun</p><p>À 14 h : <s>concours de belote</s> annulé à Pavie, faute de participants.</p>";
    let agenda = agenda(html);
    let belote = agenda.items().map(|(_, item)| item).find(|item| item.text.contains("belote")).expect("its words");
    assert!(belote.events.iter().all(|event| event.status == Status::Cancelled), "{belote:?}");
}

#[test]
fn the_same_hour_is_the_one_said_before() {
    let day = "<h3>Lundi 12 juillet</h3>";
    let bal = "07-12 21:00 bal @ Pavie";
    for lines in [
        "<p>21 h, bal à Pavie</p><p>À la même heure, loto à Jégun</p>",
        "<p>Bal à 21 h à Pavie ; à la même heure, loto à Jégun.</p>",
    ] {
        assert_eq!(told(&format!("{day}{lines}")), [bal, "07-12 21:00 loto @ Jégun"], "{lines}");
    }
    let html = format!(
        "{day}<p>Braderie de 9 h à 18 h à Pavie</p><h3>Mardi 13 juillet</h3><p>Foire aux mêmes horaires à Jégun</p>"
    );
    let found = agenda(&html);
    let ends: Vec<_> = found.items().flat_map(|(_, item)| &item.events).map(|event| (event.start, event.end)).collect();
    assert!(ends.len() == 2 && ends[0] == ends[1] && ends[0].1.is_some(), "{ends:?}");
    // Of two hours it is not known which.
    let html = format!("{day}<p>Visite à 10 h et 15 h à Pavie</p><p>À la même heure, loto à Jégun</p>");
    assert_eq!(told(&html)[2], "07-12 --:-- loto @ Jégun");
    let html = format!("{day}<p>21 h, bal à Pavie</p><p>Concert à la même heure que le feu à Jégun</p>");
    assert!(told(&html)[1].starts_with("07-12 --:--"), "{:?}", told(&html));
}

#[test]
fn what_comes_after_the_week_is_no_event_of_it() {
    let days = "<h3>Samedi 17 juillet</h3><p>Bal à 21 h à Pavie</p>";
    for line in [
        "La semaine prochaine : festival des contes du 22 au 25 juillet à Jégun",
        "À noter dès maintenant : la fête de la vannerie aura lieu le dimanche 8 août à Jégun.",
        "Et en août ? Notez déjà le 16, date de la nuit des feux à Jégun : lundi 16 août.",
    ] {
        let agenda = agenda(&format!("{days}<p>{line}</p>"));
        let why: Vec<_> = agenda.unplaced.iter().map(|item| item.unplaced).collect();
        assert_eq!(why, [Some(Unplaced::OtherWeek)], "{line}: {agenda:#?}");
    }
    let here = format!("{days}<p>À noter : dimanche 18 juillet à 15 h, loto à Jégun</p>");
    assert!(told(&here).contains(&"07-18 15:00 loto @ Jégun".to_owned()), "{:?}", told(&here));
}

#[test]
fn a_feast_with_an_introduction_gives_its_town() {
    let html = "<h2>Fêtes de Pavie</h2><p>Trois jours au cœur du village, les 16, 17 et 18 juillet. Entrée gratuite.</p>\
                <h4>Vendredi 16 juillet</h4><p>19 h : apéro-tapas</p><h4>Samedi 17 juillet</h4><p>21 h : bal</p>\
                <h2>Et à côté</h2><p>Dimanche 18 juillet à 15 h : loto</p>";
    assert_eq!(told(html), ["07-16 19:00 apéro-tapas @ Pavie", "07-17 21:00 bal @ Pavie", "07-18 15:00 loto"]);
}

#[test]
fn a_bracket_with_a_town_is_the_whole_place() {
    let of = |line: &str| told(&format!("<h3>Lundi 12 juillet</h3><p>{line}</p>"));
    assert_eq!(
        of("17 h Bal (Pavie, Maison du Val d’Arros) – offert"),
        ["07-12 17:00 bal @ Pavie, Maison du Val d'Arros"]
    );
    assert_eq!(of("17 h Loto (Jégun, La Terrasse)"), ["07-12 17:00 loto @ Jégun, La Terrasse"]);
    let dry = of("17 h Bal, place des Tilleuls à Pavie (dans la halle s’il pleut)");
    assert!(dry[0].ends_with("@ Pavie, place des Tilleuls"), "{dry:?}");
}

#[test]
fn the_day_in_a_name_gives_way_to_the_day_it_takes_place() {
    let html = "<h1>Du 12 au 18 juillet 2027</h1><p>Le marché du vendredi se tiendra exceptionnellement jeudi 15 juillet, de 8 h à 12 h, à Pavie.</p>\
                <p>Loto mardi 13 juillet à 15 h à Jégun. À Auch, le vide-grenier de dimanche 18 (8h-17h) attend les chineurs.</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-13 15:00", "07-15 08:00", "07-18 08:00"], "{told:?}");
}

#[test]
fn every_day_under_a_range_is_one_of_its_days() {
    let html = "<h3>Du lundi 12 au vendredi 16 juillet</h3><p>Tous les après-midi de 14 h à 18 h, atelier cirque à Pavie.</p>\
                <h3>Samedi 17 juillet</h3><p>Bal à 21 h à Pavie</p>";
    let days: Vec<usize> = agenda(html).daily.iter().map(|daily| daily.days.len()).collect();
    assert_eq!(days, [5]);
}

#[test]
fn days_with_a_bar_between_them_are_two() {
    let html = "<p>SAM 17 | DIM 18</p><p>10 h : foire aux fleurs à Pavie</p>";
    assert_eq!(told(html), ["07-17 10:00 foire aux fleurs @ Pavie", "07-18 10:00 foire aux fleurs @ Pavie"]);
    let html =
        "<ul><li>SAM 17 | DIM 18 – 10 h à 18 h : foire aux fleurs, Pavie</li><li>VEN 16 – 21 h : bal à Jégun</li></ul>";
    let want = [("07-16 21:00", "bal"), ("07-17 10:00", "foire aux fleurs"), ("07-18 10:00", "foire aux fleurs")];
    let told = told(html);
    let is = |event: &String, (start, what): (&str, &str)| event.starts_with(start) && event.contains(what);
    assert!(told.len() == 3 && told.iter().zip(want).all(|(event, want)| is(event, want)), "{told:?}");
}

#[test]
fn hours_of_each_day_before_the_title_are_of_that_day() {
    let html = "<p>Samedi 17 juillet, de 10 h à 19 h, et dimanche 18, de 10 h à 17 h : foire aux fleurs, sous la halle de Pavie.</p>";
    let agenda = agenda(html);
    let ends: Vec<String> = agenda
        .items()
        .flat_map(|(_, item)| &item.events)
        .filter_map(|event| event.end)
        .map(|end| end.format("%H:%M").to_string())
        .collect();
    assert_eq!(ends, ["19:00", "17:00"]);
}

#[test]
fn an_introduction_that_holds_events_of_other_days_keeps_them() {
    let days = "<h3>Mardi 13 juillet</h3><p>10 h, marché à Jégun</p>";
    let intro = "<p>Le comité vous propose un programme chargé. Samedi 17 juillet à 20 h, repas sous la halle de Pavie. Dimanche 18 à 15 h, concours de pétanque. Bonne fête !</p>";
    let hours: Vec<String> = told(&format!("{intro}{days}")).iter().map(|event| event[..11].to_owned()).collect();
    assert_eq!(hours, ["07-13 10:00", "07-17 20:00", "07-18 15:00"]);
}

#[test]
fn the_doors_and_the_beginning_are_one_event() {
    let html = "<h3>Lundi 12 juillet</h3><p>Loto du rugby, salle polyvalente de Pavie, ouverture des portes à 20 h, début des parties à 21 h</p>";
    assert_eq!(told(html).len(), 1, "{:?}", told(html));
    assert!(told(html)[0].starts_with("07-12 21:00"), "{:?}", told(html));
}

#[test]
fn the_table_in_the_cell_of_a_day_has_its_things() {
    let inner = |rows: &[&str]| {
        format!("<table>{}</table>", rows.iter().map(|row| format!("<tr>{row}</tr>")).collect::<String>())
    };
    let monday =
        inner(&["<td>10 h</td><td>Marché</td><td>Halle, Pavie</td>", "<td>21 h</td><td>Bal</td><td>Place, Jégun</td>"]);
    let tuesday = inner(&["<td>15 h</td><td>Loto</td><td>Foyer, Jégun</td>"]);
    let html = format!(
        "<table><tr><td>Lundi 12 juillet</td><td>{monday}</td></tr><tr><td>Mardi 13 juillet</td><td>{tuesday}</td></tr></table>"
    );
    let hours: Vec<String> = told(&html).iter().map(|event| event.chars().take(16).collect()).collect();
    assert_eq!(hours, ["07-12 10:00 marc", "07-12 21:00 bal ", "07-13 15:00 loto"]);
}
