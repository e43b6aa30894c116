use super::*;

fn date(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 7, day).unwrap()
}

fn time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

fn event(title: &str, start: &str, place: &str) -> Event {
    let place = Some(place.to_owned()).filter(|place| !place.is_empty());
    Event { title: title.to_owned(), start: time(start), place, ..Event::default() }
}

/// An item of the article.
fn written(text: &str, events: Vec<Event>) -> Item {
    Item { text: text.to_owned(), events, ..Item::default() }
}

fn article(day: u32, items: Vec<Item>) -> Agenda {
    let days = vec![Day { date: date(day), items }];
    Agenda { week: Some(Week::of(date(12))), days, ..Agenda::default() }
}

fn concert() -> Item {
    written("à 21h, concert d'Ora Gascona à Pavie", vec![event("concert d'Ora Gascona", "21:00", "Pavie")])
}

fn at(day: u32, start: &str) -> Session {
    Session { day: date(day), start: time(start), end: None, end_day: None }
}

fn listing(title: &str, commune: &str, sessions: Vec<Session>) -> Listing {
    Listing {
        id: title.to_owned(),
        title: title.to_owned(),
        commune: Some(commune.to_owned()).filter(|commune| !commune.is_empty()),
        sessions,
        source: "Le calendrier".to_owned(),
        ..Listing::default()
    }
}

fn merged(agenda: &mut Agenda, listings: &[Listing]) -> (usize, usize, usize) {
    let Merge { added, known, left_out } = merge(agenda, listings, Week::of(date(12)), "Auch");
    (added, known, left_out)
}

fn texts(agenda: &Agenda) -> Vec<String> {
    agenda.items().map(|(_, item)| item.text.replace(NBSP, " ")).collect()
}

#[test]
fn an_event_of_the_article_is_kept_as_written_and_not_duplicated() {
    let mut agenda = article(13, vec![concert()]);
    let before = agenda.clone();
    assert_eq!(merged(&mut agenda, &[listing("ORA GASCONA", "Pavie", vec![at(13, "21:00")])]), (0, 1, 0));
    assert_eq!(agenda, before);
}

#[test]
fn an_added_event_is_sorted_into_its_day_with_its_provenance() {
    let mut agenda = article(13, vec![written("à 10h, visite", vec![event("visite", "10:00", "Auch")]), concert()]);
    let mut new = listing("Apéro-concert", "Auch", vec![at(13, "18:30"), at(12, "18:30")]);
    new.venue = Some("Halle Verdier".to_owned());
    new.price = Some("5\u{a0}€".to_owned());
    assert_eq!(merged(&mut agenda, &[new]), (2, 0, 0));
    let line = "18 h 30 : Apéro-concert, Auch, Halle Verdier, 5 €";
    assert_eq!(texts(&agenda), [line, "à 10h, visite", line, "à 21h, concert d'Ora Gascona à Pavie"]);
    assert_eq!(agenda.days[0].date, date(12));
    let provenance = Provenance { source: "Le calendrier".to_owned(), completes: false };
    assert_eq!(agenda.days[0].items[0].provenance, Some(provenance));
    assert_eq!(agenda.days[1].items[1].events[0].place.as_deref(), Some("Auch, Halle Verdier"));
}

#[test]
fn two_concerts_the_same_evening_in_the_same_village_stay_two() {
    let mut agenda = article(13, vec![concert()]);
    let listings = [
        listing("Concert du trio Manouche", "Pavie", vec![at(13, "21:00")]),
        listing("Concert d’Ora Gascona", "Auch", vec![at(13, "21:00")]),
        listing("Ora Gascona", "Pavie", vec![at(14, "21:00")]),
        listing("Ora Gascona", "Pavie", vec![at(13, "17:00")]),
    ];
    assert_eq!(merged(&mut agenda, &listings), (4, 0, 0));
}

#[test]
fn the_same_event_of_two_sources_is_printed_once() {
    let mut agenda = article(13, vec![]);
    let other = Listing { source: "Un autre".to_owned(), ..listing("Trio Manouche", "Pavie", vec![at(13, "21:00")]) };
    let listings = [listing("Concert du trio manouche", "Pavie", vec![at(13, "21:00")]), other];
    assert_eq!(merged(&mut agenda, &listings), (1, 1, 0));
    assert_eq!(agenda.days[0].items[0].provenance.as_ref().unwrap().source, "Le calendrier");
}

#[test]
fn an_event_takes_what_it_lacks_only_where_it_is_certain() {
    let full = |title: &str, start: &str| Listing {
        url: Some("https://office.example/ora".to_owned()),
        phone: Some("05 62 00 00 00".to_owned()),
        price: Some("5\u{a0}€".to_owned()),
        ..listing(title, "Pavie", vec![at(13, start)])
    };
    let mut agenda = article(13, vec![concert()]);
    agenda.days[0].items[0].events[0].price = Some("8 €".to_owned());
    merged(&mut agenda, &[full("Ora Gascona", "21:00")]);
    let item = &agenda.days[0].items[0];
    assert_eq!(item.events[0].link.as_deref(), Some("https://office.example/ora"));
    assert_eq!(item.events[0].phone.as_deref(), Some("05 62 00 00 00"));
    assert_eq!(item.events[0].price.as_deref(), Some("8 €"), "the article wins");
    assert_eq!(item.text, concert().text);
    assert_eq!(item.provenance, Some(Provenance { source: "Le calendrier".to_owned(), completes: true }));

    let mut agenda = article(13, vec![concert()]);
    assert_eq!(merged(&mut agenda, &[full("Ora Gascona", "20:30")]), (0, 1, 0));
    assert_eq!(agenda.days[0].items, [concert()]);
    assert_eq!(
        agenda.warnings,
        [
            "Mardi 13 juillet, «\u{a0}Ora Gascona\u{a0}»\u{a0}: Le calendrier annonce 20\u{a0}h\u{a0}30\u{202f}; l’article est gardé, à vérifier."
        ]
    );
}

#[test]
fn a_cancelled_event_is_a_doubt_if_the_article_announces_it_and_otherwise_ignored() {
    let mut agenda = article(13, vec![concert()]);
    let off = |title: &str| Listing { status: Status::Cancelled, ..listing(title, "Pavie", vec![at(13, "21:00")]) };
    assert_eq!(merged(&mut agenda, &[off("Ora Gascona"), off("Trio Manouche")]), (0, 1, 1));
    assert_eq!(agenda.days[0].items, [concert()]);
    assert!(agenda.warnings[0].contains("Le calendrier le dit annulé"), "{:?}", agenda.warnings);
}

#[test]
fn items_not_understood_are_compared_by_their_words() {
    let mut agenda = article(13, vec![written("grand loto de l'Amicale laïque, salle des fêtes de Jégun", vec![])]);
    assert_eq!(merged(&mut agenda, &[listing("Loto de l’Amicale laïque", "Jégun", vec![at(13, "20:30")])]), (0, 1, 0));
    let mut agenda = Agenda { unplaced: agenda.days.remove(0).items, ..Agenda::default() };
    assert_eq!(merged(&mut agenda, &[listing("Loto de l’Amicale laïque", "Jégun", vec![at(13, "20:30")])]), (0, 1, 0));
}

#[test]
fn one_item_with_several_events_is_compared_event_by_event() {
    let events = vec![event("marché", "", "Seissan"), event("Ora Gascona", "11:00", "Seissan")];
    let mut agenda = article(13, vec![written("marché de Seissan toute la matinée. à 11h Ora Gascona", events)]);
    let listings = [
        listing("Ora Gascona", "Seissan", vec![at(13, "11:00")]),
        listing("Marché hebdomadaire", "Seissan", vec![at(13, "08:00")]),
        listing("Ora Gascona", "Seissan", vec![at(13, "21:00")]),
    ];
    assert_eq!(merged(&mut agenda, &listings), (1, 2, 0));
}

#[test]
fn a_title_that_the_grammar_cut_short_is_completed_by_the_words_around_it() {
    let item = written("à 21h à Pavie, concert : le trio Manouche", vec![event("concert", "21:00", "Pavie")]);
    let mut agenda = article(13, vec![item]);
    assert_eq!(merged(&mut agenda, &[listing("Trio Manouche", "Pavie", vec![at(13, "21:00")])]), (0, 1, 0));
    assert_eq!(merged(&mut agenda, &[listing("Trio Ravel", "Pavie", vec![at(13, "21:00")])]), (1, 0, 0));
}

#[test]
fn two_visits_of_one_day_stay_two_though_their_hours_are_near() {
    let mut agenda = article(13, vec![]);
    let visit = |start: &str| listing("Visite de la tour d’Armagnac", "Auch", vec![at(13, start)]);
    assert_eq!(merged(&mut agenda, &[visit("10:00"), visit("10:30")]), (2, 0, 0));
    // Also where the article has one of the two.
    let visit_of_article = event("visite de la tour d'Armagnac", "10:00", "Auch");
    let mut agenda = article(13, vec![written("à 10h, visite de la tour d'Armagnac", vec![visit_of_article])]);
    assert_eq!(merged(&mut agenda, &[visit("10:00"), visit("10:30")]), (1, 1, 0));
}

#[test]
fn an_event_on_several_days_is_listed_once() {
    let mut agenda = article(13, vec![]);
    let visit = listing("Visite du trésor", "Auch", (13..=16).map(|day| at(day, "15:00")).collect());
    assert_eq!(merged(&mut agenda, std::slice::from_ref(&visit)), (1, 0, 0));
    assert_eq!(agenda.daily[0].days, (13..=16).map(date).collect::<Vec<_>>());
    assert_eq!(agenda.daily[0].item.text.replace(NBSP, " "), "15 h : Visite du trésor, Auch");
    // The same again is known now.
    assert_eq!(merged(&mut agenda, &[visit]), (0, 1, 0));
}

#[test]
fn a_daily_event_that_the_article_has_on_one_day_is_kept_for_the_others() {
    let visit_of_article = event("visite du trésor", "15:00", "Auch");
    let mut agenda = article(13, vec![written("à 15h, visite du trésor", vec![visit_of_article])]);
    let visit = listing("Visite du trésor", "Auch", (13..=16).map(|day| at(day, "15:00")).collect());
    assert_eq!(merged(&mut agenda, &[visit]), (1, 0, 0));
}

#[test]
fn a_long_event_is_an_exhibition_or_listed_for_the_week() {
    let lasting = |title: &str| {
        let session = Session { day: date(1), start: None, end: None, end_day: NaiveDate::from_ymd_opt(2027, 8, 31) };
        listing(title, "Lavardens", vec![session])
    };
    let mut agenda = article(13, vec![]);
    let known = written(
        "« Terres cuites », jusqu'au 31 août au village de Lavardens.",
        vec![event("Terres cuites", "", "Lavardens")],
    );
    agenda.exhibitions.push(known);
    let listings =
        [lasting("Exposition « Terres cuites »"), lasting("Exposition d’aquarelles"), lasting("Labyrinthe de maïs")];
    assert_eq!(merged(&mut agenda, &listings), (2, 1, 0));
    assert_eq!(agenda.exhibitions[1].text, "Exposition d’aquarelles, Lavardens, jusqu’au 31 août");
    assert_eq!(agenda.exhibitions[1].events[0].until, NaiveDate::from_ymd_opt(2027, 8, 31));
    assert_eq!(agenda.daily[0].days.len(), 7);
}

#[test]
fn a_weekend_is_two_days_and_an_event_begun_before_the_week_is_listed() {
    let span = |from, to| Session { day: date(from), start: None, end: None, end_day: Some(date(to)) };
    let mut agenda = article(13, vec![]);
    assert_eq!(merged(&mut agenda, &[listing("Vide-greniers", "Pavie", vec![span(17, 18)])]), (2, 0, 0));
    assert_eq!(merged(&mut agenda, &[listing("Festival de bandas", "Condom", vec![span(10, 12)])]), (1, 0, 0));
    let camp = Session { end: time("23:00"), end_day: Some(date(18)), ..at(16, "18:00") };
    assert_eq!(merged(&mut agenda, &[listing("Fête locale", "Jégun", vec![camp])]), (1, 0, 0));
    let days: Vec<_> = agenda.days.iter().map(|day| (day.date, day.items.len())).collect();
    assert_eq!(days, [(date(12), 1), (date(13), 0), (date(16), 1), (date(17), 1), (date(18), 1)]);
    assert_eq!(agenda.days[2].items[0].events[0].end_day, Some(date(18)));
}

#[test]
fn days_of_another_week_are_ignored() {
    let mut agenda = article(13, vec![]);
    assert_eq!(merged(&mut agenda, &[listing("Bal", "Auch", vec![at(11, "21:00"), at(19, "21:00")])]), (0, 0, 0));
}

#[test]
fn h3_an_hour_in_the_text_is_not_part_of_a_name() {
    let mut agenda = article(13, vec![]);
    let all = [
        listing("Fête numéro 0 du village", "Auch", vec![at(13, "08:00")]),
        listing("Fête numéro 8 du village", "Auch", vec![at(13, "08:00")]),
    ];
    assert_eq!(merged(&mut agenda, &all), (2, 0, 0));
}

#[test]
fn h3_many_events_at_one_hour_are_merged_without_loss() {
    // All alike but for their commune.
    let flood: Vec<_> = (0..2_000).map(|n| listing("Marché", &format!("Village{n}"), vec![at(13, "08:00")])).collect();
    let mut agenda = article(13, vec![concert()]);
    assert_eq!(merged(&mut agenda, &flood), (2_000, 0, 0));
}

#[test]
fn fr57_what_is_open_each_day_of_a_long_season_has_its_hours() {
    let mut agenda = article(13, vec![concert()]);
    let season = Session {
        day: date(1),
        start: time("10:00"),
        end: time("18:00"),
        end_day: NaiveDate::from_ymd_opt(2027, 9, 30),
    };
    merged(&mut agenda, &[listing("Visite du château", "Lavardens", vec![season])]);
    let daily = &agenda.daily[0];
    assert_eq!(
        (daily.item.events[0].start, daily.item.events[0].end, daily.days.len()),
        (time("10:00"), time("18:00"), 7)
    );
    let text = daily.item.text.replace(NBSP, " ");
    assert_eq!(text, "de 10 h à 18 h : Visite du château, Lavardens, jusqu’au 30 septembre");
}
