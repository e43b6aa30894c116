//! Listings from each kind of source, with realistic and malformed responses.

use chrono::NaiveDate;
use chrono_tz::Europe::Paris;
use semainier::collect::fetch::FetchError;
use semainier::collect::source::{CollectError, Missed, Provides, Source};
use semainier::domain::{agenda::Status, listing::Listing};

use super::local_fetcher;
use super::web::{Reply, Web};

const TEC: &str = "/wp-json/tribe/events/v1/events";
const TEC_EVENTS: &str = include_str!("../samples/sources/tec_events.json");

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn listings(source: &Source) -> Result<Vec<Listing>, CollectError> {
    assert_eq!(source.provides(), Provides::Listings);
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    source.listings(local_fetcher(), date("2027-07-12")..=date("2027-07-18"), Paris, now).await.map(|found| found.items)
}

/// What is told of what was left out.
async fn told(source: &Source) -> Vec<String> {
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    let found = source.listings(local_fetcher(), date("2027-07-12")..=date("2027-07-18"), Paris, now).await.unwrap();
    found.remarks.in_french(&source.name())
}

fn titles(listings: &[Listing]) -> Vec<&str> {
    listings.iter().map(|listing| listing.title.as_str()).collect()
}

fn events_calendar(web: &Web) -> Source {
    Source::EventsCalendar { url: web.url("/") }
}

#[tokio::test]
async fn the_events_calendar_is_asked_for_the_week_page_by_page() {
    let web = Web::start();
    web.routes(TEC, [Reply::json(TEC_EVENTS), Reply::status(404)]);
    let found = listings(&events_calendar(&web)).await.unwrap();
    let [pots, concert] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(concert.title, "Concert à la halle – L’été en fête");
    assert_eq!(concert.description, "Chansons d’ici & d’ailleurs.");
    assert_eq!((concert.venue.as_deref(), concert.commune.as_deref()), (Some("Halle Verdier"), Some("Auch")));
    assert_eq!((concert.price.as_deref(), concert.phone.as_deref()), (Some("5 € – 8 €"), Some("0600000000")));
    assert_eq!(concert.url.as_deref(), Some("https://office.example/evenement/concert-a-la-halle/"));
    assert_eq!(concert.image.as_ref().unwrap().url, "https://office.example/wp-content/uploads/2027/06/halle.jpg");
    assert_eq!(concert.categories, ["Concert"]);
    assert_eq!(concert.sessions[0].start.unwrap().to_string(), "21:00:00");
    // No venue is an empty list, no image is `false`, and a site set to UTC+2 means the hour here.
    assert_eq!((&pots.venue, &pots.image, &pots.price), (&None, &None, &None));
    assert_eq!((pots.sessions[0].start, pots.sessions[0].last_day()), (None, date("2027-08-31")));
    let requests = web.requests();
    assert_eq!(requests.len(), 2, "a page past the end is a 404, and the end");
    let asked = |key| requests[0].query(key).unwrap().to_owned();
    assert_eq!((asked("start_date"), asked("end_date")), ("2027-07-12 00:00:00".into(), "2027-07-18 23:59:59".into()));
    assert_eq!(requests[1].query("page"), Some("2"));
}

#[tokio::test]
async fn e07_the_events_calendar_is_read_completely_or_not_at_all() {
    let web = Web::start();
    let broken = [
        (TEC_EVENTS[..TEC_EVENTS.len() / 2].to_owned(), "données incomplètes"),
        ("<!DOCTYPE html><title>x</title>".to_owned(), "une page HTML au lieu de données"),
        ("{}".to_owned(), "données inattendues"),
        (
            "{\"events\": [{\"title\": \"Bal\", \"start_date\": \"demain\"}]}".to_owned(),
            "«\u{a0}Bal\u{a0}» (date illisible)",
        ),
    ];
    for (body, said) in broken {
        web.route(TEC, Reply::json(body));
        let error = listings(&events_calendar(&web)).await.unwrap_err();
        assert!(error.in_french().contains(said), "{}", error.in_french());
    }
    web.route(TEC, Reply::status(404));
    assert!(matches!(listings(&events_calendar(&web)).await, Err(CollectError::NoEvents { .. })));
    web.route(TEC, Reply::status(503));
    assert!(matches!(
        listings(&events_calendar(&web)).await,
        Err(CollectError::Fetch { source: FetchError::Status { .. }, .. })
    ));
}

#[tokio::test]
async fn fr54_an_invalid_event_is_reported_and_does_not_affect_others() {
    let web = Web::start();
    let one = TEC_EVENTS.replace("\"total_pages\": 2", "\"total_pages\": 1");
    for odd in [
        one.replace("2027-07-13 21:00:00", "demain"),
        one.replacen("\"id\": ", "\"id\": \"x\", \"autre\": ", 1).replace("2027-07-13 21:00:00", "demain"),
    ] {
        web.route(TEC, Reply::json(odd));
        assert_eq!(listings(&events_calendar(&web)).await.unwrap().len(), 1);
        let said = told(&events_calendar(&web)).await;
        assert!(said[0].contains("«\u{a0}Concert à la halle – L’été en fête\u{a0}» (date illisible)"), "{said:?}");
    }
}

#[tokio::test]
async fn fr30_the_events_calendar_is_also_found_by_query_parameter() {
    let web = Web::start();
    web.route(TEC, Reply::html("<!DOCTYPE html><title>404</title>"));
    web.route("/", Reply::json(TEC_EVENTS.replace("\"total_pages\": 2", "\"total_pages\": 1")));
    assert_eq!(listings(&events_calendar(&web)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn fr11_values_of_every_json_type_are_read() {
    let web = Web::start();
    let page = r#"<script type="application/ld+json">[
        {"@type":"Event","name":{"@language":"fr","@value":"Nom en objet"},"startDate":"2027-07-13T20:00:00+02:00"},
        {"@type":"Event","name":["Nom en liste"],"startDate":"2027-07-13T20:00+02:00"},
        {"@type":["Event"],"name":"Annulé en liste","startDate":"2027-07-13T20:00:00+02:00","eventStatus":["https://schema.org/EventCancelled"]},
        {"@type":"Event","name":"Annulé en objet","startDate":"2027-07-13T20:00:00+02","eventStatus":{"@id":"schema:EventCancelled"}},
        {"@type":"Event","name":"Date en liste","startDate":["2027-07-13T20:00:00+02:00"],"location":[{"@type":["Place"],"name":["Halle"],"address":[{"addressLocality":{"@value":"Auch"}}]}]},
        {"@type":"Event","name":"Date en objet","startDate":{"@type":"DateTime","@value":"2027-07-13T18:00:00Z"}},
        {"@type":"Event","name":"Sans date"}, {"@type":"Event","startDate":"2027-07-13"},
        {"@type":"Event","name":{"@value":"Summer","@language":"en"},"startDate":"hier"}
    ]</script>"#;
    web.route("/agenda/", Reply::html(page));
    let source = Source::JsonLd { url: web.url("/agenda/") };
    let found = listings(&source).await.unwrap();
    let shown: Vec<_> =
        found.iter().map(|it| (it.title.as_str(), it.status, it.sessions[0].start.unwrap().to_string())).collect();
    assert_eq!(shown.len(), 6, "{shown:?}");
    assert!(shown.iter().all(|(.., start)| start == "20:00:00"), "{shown:?}");
    assert_eq!(found.iter().filter(|it| it.status == Status::Cancelled).count(), 2);
    let listed = found.iter().find(|it| it.title == "Date en liste").unwrap();
    assert_eq!((listed.venue.as_deref(), listed.commune.as_deref()), (Some("Halle"), Some("Auch")));
    let said = told(&source).await.join(" ");
    for part in
        ["«\u{a0}Sans date\u{a0}» (sans date)", "une fiche (sans titre)", "«\u{a0}Summer\u{a0}» (date illisible)"]
    {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[tokio::test]
async fn a_venue_may_be_a_list_and_a_title_may_announce_a_cancellation() {
    let web = Web::start();
    let venue = r#""venue": [{ "venue": "Salle B", "city": "Pavie" }, { "venue": "Salle C", "city": "Auch" }]"#;
    let body = TEC_EVENTS
        .replacen("\"venue\": []", venue, 1)
        .replace("\"title\": \"Exposition", "\"title\": \"[ANNUL&Eacute;E] Exposition")
        .replace("\"total_pages\": 2", "\"total_pages\": 1");
    web.route(TEC, Reply::json(body));
    let found = listings(&events_calendar(&web)).await.unwrap();
    assert_eq!((found[0].venue.as_deref(), found[0].commune.as_deref()), (Some("Salle B"), Some("Pavie")));
    assert_eq!((found[0].title.as_str(), found[0].status), ("Exposition « Terres cuites »", Status::Cancelled));
}

#[tokio::test]
async fn a_calendar_and_a_page_are_fetched_and_read() {
    let web = Web::start();
    web.route("/agenda.ics", Reply::new(200, "text/calendar", include_str!("../samples/sources/standard_rrule.ics")));
    let found = listings(&Source::Ical { url: web.url("/agenda.ics") }).await.unwrap();
    assert_eq!(found.len(), 2, "the market of the 15th is an exception: {found:?}");
    web.route("/agenda/", Reply::html(include_str!("../samples/sources/jsonld_event.html")));
    let found = listings(&Source::JsonLd { url: web.url("/agenda/") }).await.unwrap();
    assert_eq!(titles(&found), ["Terres cuites", "Visite du mardi", "Concert à la halle – L’été", "Feu d'artifice"]);
}

#[tokio::test]
async fn a_page_without_event_data_is_an_error_and_not_an_empty_week() {
    let web = Web::start();
    web.route("/agenda/", Reply::html("<title>Agenda</title><p>Nouveau thème</p>"));
    let error = listings(&Source::JsonLd { url: web.url("/agenda/") }).await.unwrap_err();
    assert!(matches!(&error, CollectError::NoListing { .. }), "{error:?}");
    let other = r#"<script type="application/ld+json">{"@type":"Event","name":"x","startDate":"2027-09-01"}</script>"#;
    web.route("/agenda/", Reply::html(other));
    assert_eq!(listings(&Source::JsonLd { url: web.url("/agenda/") }).await.unwrap(), []);
}

#[tokio::test]
async fn e01_e07_a_calendar_that_is_too_large_truncated_or_html_is_rejected() {
    let web = Web::start();
    let source = Source::Ical { url: web.url("/agenda.ics") };
    web.route("/agenda.ics", Reply::endless("BEGIN:VCALENDAR\r\n"));
    assert!(matches!(listings(&source).await, Err(CollectError::Fetch { source: FetchError::TooLarge { .. }, .. })));
    web.route("/agenda.ics", Reply::html("<!DOCTYPE html>"));
    assert!(
        matches!(listings(&source).await, Err(CollectError::Unreadable { source, .. }) if matches!(*source, Missed::NotCalendar))
    );
    web.route("/agenda.ics", Reply::html("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n"));
    assert!(
        matches!(listings(&source).await, Err(CollectError::Unreadable { source, .. }) if matches!(*source, Missed::CutCalendar))
    );
}

#[tokio::test]
async fn a_source_kind_without_listings_gives_none() {
    let source = Source::File { path: "/nowhere".into(), published: None };
    let days = date("2027-07-12")..=date("2027-07-18");
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    assert_eq!(source.listings(local_fetcher(), days, Paris, now).await.unwrap().items, []);
    assert_eq!(source.news(local_fetcher(), now, now).await.unwrap().items, []);
}
