use super::*;
use chrono::NaiveTime;

fn page(text: &str) -> Page {
    Page {
        url: "https://office.example/agenda/".parse().unwrap(),
        text: text.to_owned(),
        content_type: None,
        validators: Default::default(),
    }
}

fn week() -> RangeInclusive<NaiveDate> {
    "2027-07-12".parse().unwrap()..="2027-07-18".parse().unwrap()
}

fn read_page(text: &str) -> Vec<Listing> {
    within(read(&page(text), &week(), Tz::Europe__Paris).items, &week(), &mut Default::default())
}

fn script(json: &str) -> String {
    format!("<script type=\"application/ld+json\">{json}</script>")
}

/// One event with these fields.
fn event(fields: &str) -> Listing {
    let json = format!(r#"{{"@type":"Event","name":"Bal","startDate":"2027-07-13T21:00",{fields}}}"#);
    let mut found = read_page(&script(&json));
    assert_eq!(found.len(), 1, "{json}");
    found.remove(0)
}

#[test]
fn a_page_with_every_shape_of_event_is_read() {
    let found = read_page(include_str!("../../tests/samples/sources/jsonld_event.html"));
    let titles: Vec<_> = found.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["Terres cuites", "Visite du mardi", "Concert à la halle – L’été", "Feu d'artifice"]);
    let [pots, visit, concert, fire] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(pots.sessions[0].last_day(), "2027-08-31".parse().unwrap());
    assert_eq!((pots.venue.as_deref(), pots.price.as_deref()), (Some("Village de Lavardens"), Some("gratuit")));
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
    let tuesday: NaiveDate = "2027-07-13".parse().unwrap();
    let session = Session { day: tuesday, start: time(10, 30), end: time(12, 0), end_day: None };
    assert_eq!(visit.sessions, [session]);
    assert_eq!(concert.sessions, [Session { start: time(21, 0), end: time(23, 30), ..session }]);
    assert_eq!((concert.venue.as_deref(), concert.commune.as_deref()), (Some("Halle Verdier"), Some("Auch")));
    assert_eq!(concert.price.as_deref(), Some("5\u{a0}€"));
    assert_eq!(concert.phone.as_deref(), Some("05 62 00 00 00"));
    assert_eq!(concert.url.as_deref(), Some("https://office.example/agenda/concert/"));
    assert_eq!(concert.image.as_ref().unwrap().url, "https://office.example/halle-1x1.jpg");
    assert_eq!((fire.commune.as_deref(), fire.price.as_deref()), (Some("Auch"), Some("jusqu’à 3\u{a0}€")));
    // It was put off to the date it has now.
    assert_eq!(fire.status, Status::Scheduled);
}

#[test]
fn nearly_valid_json_is_repaired_and_the_rest_left_out() {
    let mended = script("{\"@type\":\"Event\",\"name\":\"Bal\nmusette\",\"startDate\":\"2027-07-13\",}");
    let broken = script("{\"@type\":\"Event\",\"name\":");
    let right = script(r#"{"@type":"https://schema.org/Festival","name":"Fête","startDate":"2027-07-14"}"#);
    let titles: Vec<_> = read_page(&format!("{broken}{mended}{right}")).into_iter().map(|it| it.title).collect();
    assert_eq!(titles, ["Bal musette", "Fête"]);
    assert!(read_page(&script(&"[".repeat(5000))).is_empty());
}

#[test]
fn a_list_of_items_and_the_parts_of_a_festival_are_events() {
    let json = r#"{"@type":"ItemList","itemListElement":[{"@type":"ListItem","item":
        {"@type":"Festival","name":"Fête","startDate":"2027-07-13","subEvent":[
            {"@type":"Event","name":"Bal","startDate":"2027-07-13T21:00"},
            {"@type":"Event","name":"Repas","startDate":"2027-07-13T19:00"}]}}]}"#;
    let titles: Vec<_> = read_page(&script(json)).into_iter().map(|it| it.title).collect();
    assert_eq!(titles, ["Repas", "Bal"]);
}

#[test]
fn states_and_prices_are_taken_from_the_page() {
    assert_eq!(event(r#""eventStatus":"https://schema.org/EventCancelled""#).status, Status::Cancelled);
    assert_eq!(event(r#""eventStatus":"EventPostponed""#).status, Status::Postponed);
    let gone = r#""eventStatus":"EventScheduled","offers":{"availability":"http://schema.org/SoldOut"}"#;
    assert_eq!(event(gone).status, Status::SoldOut);
    let price = |offers: &str| event(&format!(r#""offers":{offers}"#)).price;
    assert_eq!(price(r#"[{"price":"5.50"},{"price":8}]"#).as_deref(), Some("de 5,50 à 8\u{a0}€"));
    assert_eq!(price(r#"{"price":"0","priceCurrency":"EUR"}"#).as_deref(), Some("gratuit"));
    assert_eq!(price(r#"{"price":"5","priceCurrency":"USD"}"#), None);
    assert_eq!(price(r#"{"price":"sur place"}"#), None);
}

#[test]
fn a_schedule_is_expanded_by_days_and_weeks_without_its_exceptions() {
    let days = |schedule: &str| -> Vec<u32> {
        let json = format!(r#"{{"@type":"Event","name":"Visite","eventSchedule":{{{schedule}}}}}"#);
        read_page(&script(&json)).iter().flat_map(|it| &it.sessions).map(|it| it.day.day()).collect()
    };
    assert_eq!(days(r#""repeatFrequency":"P1D","startDate":"2027-07-16""#), [16, 17, 18]);
    assert_eq!(days(r#""repeatFrequency":"P1W","byDay":["Monday","schema:Friday"],"exceptDate":["2027-07-16"]"#), [12]);
    assert_eq!(days(r#""repeatFrequency":"P2W","startDate":"2027-06-29""#), [13]);
    assert_eq!(days(r#""repeatFrequency":"P2W","startDate":"2027-07-06""#), [0; 0]);
    assert_eq!(days(r#""repeatFrequency":"P1M","startDate":"2027-07-12""#), [0; 0]);
}
