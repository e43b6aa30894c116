//! The tourism databases, with documented and malformed responses; and that their keys are never shown.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Europe::Paris;
use semainier::collect::fetch::Fetcher;
use semainier::collect::source::{CollectError, Source};
use semainier::collect::tourinsoft::Fields;
use semainier::domain::{agenda::Status, listing::Listing};
use serde_json::{Value, json};

use super::web::{Reply, Web};
use super::{fetcher_for, local_fetcher, short};

const OPENAGENDA: &str = include_str!("../samples/sources/openagenda_v2_events.json");
const DATATOURISME: &str = include_str!("../samples/sources/datatourisme_api_v1.json");
const FLUX: &str = include_str!("../samples/sources/datatourisme_flux_object.json");
const APIDAE: &str = include_str!("../samples/sources/apidae_list_objets.json");
const TOURINSOFT: &str = include_str!("../samples/sources/tourinsoft_v2_odata.json");
const TOURINSOFT_ATOM: &str = include_str!("../samples/sources/tourinsoft_v2_odata_atom.xml");
const TOURINSOFT_V3: &str = include_str!("../samples/sources/tourinsoft_v3.json");

const KEY: &str = "s3cr3t-0f-the-office";
const PATHS: [&str; 5] = [
    "/v2/agendas/111/events",
    "/v1/entertainmentAndEvent",
    "/api/v002/agenda/detaille/list-objets-touristiques",
    "/Syndication/3.0/cdt32/s3cr3t-0f-the-office/Objects",
    "/api/syndications/cdt32/s3cr3t-0f-the-office",
];
const SAMPLES: [&str; 5] = [OPENAGENDA, DATATOURISME, APIDAE, TOURINSOFT, TOURINSOFT_V3];

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// One source of each kind that asks this server, its key in a file.
fn sources(web: &Web, folder: &tempfile::TempDir) -> [Source; 5] {
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, format!("{KEY}\n")).unwrap();
    let url = web.url("/");
    [
        Source::Openagenda { url: url.clone(), agenda: 111, key_file: key_file.clone() },
        Source::Datatourisme { url: url.clone(), filters: "x.insee[eq]=32".into(), key_file: key_file.clone() },
        Source::Apidae { url: url.clone(), project: 7, selections: vec![8], key_file: key_file.clone() },
        Source::Tourinsoft { url: web.url("/Syndication/3.0/cdt32/{key}/Objects"), key_file: Some(key_file.clone()) },
        Source::TourinsoftV3 {
            url: web.url("/api/syndications/cdt32/{key}"),
            key_file: Some(key_file),
            fields: Box::new(Fields::default()),
        },
    ]
}

async fn ask(source: &Source, fetcher: &Fetcher) -> Result<Vec<Listing>, CollectError> {
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    source.listings(fetcher, date("2027-07-12")..=date("2027-07-18"), Paris, now).await.map(|found| found.items)
}

async fn read(kind: usize, body: &str) -> Vec<Listing> {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    web.route(PATHS[kind], Reply::json(body));
    ask(&sources(&web, &folder)[kind], local_fetcher()).await.unwrap()
}

/// `13 21:00-23:30; 14`
fn sessions(listing: &Listing) -> String {
    let shown = listing.sessions.iter().map(|session| {
        let time = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
        let hours = match (session.start, session.end) {
            (None, _) => String::new(),
            (Some(start), end) => format!(" {}-{}", time(start), end.map(time).unwrap_or_default()),
        };
        let last = session.end_day.map(|day| format!(" to {}", day.format("%m-%d"))).unwrap_or_default();
        format!("{}{hours}{last}", session.day.format("%d"))
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn edited(text: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    edit(&mut value);
    value.to_string()
}

#[tokio::test]
async fn openagenda_is_read_with_its_states_and_its_timings() {
    let found = read(0, OPENAGENDA).await;
    let [exhibition, concert] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((concert.title.as_str(), sessions(concert).as_str()), ("Concert à la halle", "13 21:00-23:30"));
    assert_eq!((concert.venue.as_deref(), concert.commune.as_deref()), (Some("Halle Verdier"), Some("Auch")));
    assert_eq!(concert.phone.as_deref(), Some("05 62 00 00 00"));
    assert_eq!(concert.price.as_deref(), Some("5 € / 8 €, gratuit moins de 12 ans"));
    assert_eq!(concert.url.as_deref(), Some("https://office.example/billets"));
    assert_eq!(concert.image.as_ref().unwrap().url, "https://cdn.openagenda.com/main/aaaa.full.image.jpg");
    assert_eq!(concert.categories, ["concert", "musique"]);
    assert_eq!(
        (exhibition.status, sessions(exhibition).as_str()),
        (Status::Cancelled, "13 14:00-18:00; 14 14:00-18:00")
    );
    let states = [Status::Scheduled, Status::Scheduled, Status::Scheduled, Status::Postponed, Status::SoldOut];
    for (n, expected) in (1..).zip(states) {
        let plain = edited(OPENAGENDA, |all| {
            let event = &mut all["events"][0];
            event["status"] = json!(n);
            event["title"] = json!("Concert");
            event["timings"] = json!([
                {"begin": "2027-07-11T21:00:00+0200", "end": "2027-07-11T23:00:00+0200"},
                {"begin": "2027-07-17T23:30:00+0200", "end": "2027-07-18T02:00:00+0200"},
            ]);
        });
        let found = read(0, &plain).await;
        let concert = found.iter().find(|listing| listing.title == "Concert").unwrap();
        assert_eq!((concert.status, sessions(concert).as_str()), (expected, "17 23:30-02:00 to 07-18"));
    }
    let draft = edited(OPENAGENDA, |all| all["events"][0]["state"] = json!(1));
    assert_eq!(read(0, &draft).await.len(), 1);
}

#[tokio::test]
async fn openagenda_is_paged_by_after_and_asked_for_the_week_with_its_key_in_a_header() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    let first = edited(OPENAGENDA, |all| all["after"] = json!([1_815_000_000_000_i64, "90000002"]));
    web.routes(PATHS[0], [Reply::json(first.clone()), Reply::json(OPENAGENDA)]);
    ask(&sources(&web, &folder)[0], local_fetcher()).await.unwrap();
    let requests = web.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].headers.get("key").map(String::as_str), Some(KEY));
    assert_eq!(requests[0].query("timings[gte]"), Some("2027-07-11T22:00:00Z"));
    assert_eq!(requests[0].query("timings[lte]"), Some("2027-07-18T21:59:59Z"));
    assert_eq!(requests[0].query("detailed"), Some("1"));
    let after: Vec<_> = requests[1].query.iter().filter(|(name, _)| name == "after[]").map(|(_, it)| it).collect();
    assert_eq!(after, ["1815000000000", "90000002"]);
    // Pages that repeat themselves would never end.
    web.route(PATHS[0], Reply::json(first));
    assert!(ask(&sources(&web, &folder)[0], local_fetcher()).await.unwrap_err().in_french().ends_with("sans fin"));
}

#[tokio::test]
async fn datatourisme_api_and_flux_give_the_same_events() {
    let found = read(1, DATATOURISME).await;
    let [concert] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((concert.title.as_str(), sessions(concert).as_str()), ("Concert à la halle", "13 21:00-23:30"));
    assert_eq!((concert.venue.as_deref(), concert.commune.as_deref()), (Some("Halle Verdier"), Some("Auch")));
    assert_eq!(concert.price.as_deref(), Some("Plein tarif : de 5 à 8 €"));
    assert_eq!((concert.phone.as_deref(), concert.categories.len()), (Some("05 62 00 00 00"), 1));

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("objects")).unwrap();
    std::fs::write(folder.path().join("objects/1.json"), FLUX).unwrap();
    std::fs::write(folder.path().join("index.json"), r#"[{"label": "x", "file": "objects/1.json"}]"#).unwrap();
    let source = Source::DatatourismeFlux { path: folder.path().to_owned() };
    let found = ask(&source, local_fetcher()).await.unwrap();
    let [same] = found.as_slice() else { panic!("{found:?}") };
    // Unsorted, once with a placeholder for an end, once without hours.
    assert_eq!(sessions(same), "13 21:00-; 15");
    assert_eq!(same.price.as_deref(), Some("de 5 à 8\u{a0}€"));
    assert_eq!(
        (&same.id, &same.title, &same.venue, &same.image),
        (&concert.id, &concert.title, &concert.venue, &concert.image)
    );
    // The same as it is handed out, and one that swells.
    let archive = |object: &[u8]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in [("index.json", &b"[]"[..]), ("objects/1.json", object), ("readme.txt", b"x")] {
            zip.start_file(name, options).unwrap();
            std::io::Write::write_all(&mut zip, bytes).unwrap();
        }
        let path = folder.path().join("flux.zip");
        std::fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
        Source::DatatourismeFlux { path }
    };
    assert_eq!(ask(&archive(FLUX.as_bytes()), local_fetcher()).await.unwrap(), found);
    let bomb = [b"[".to_vec(), vec![b' '; 64 << 20], b"]".to_vec()].concat();
    assert!(matches!(ask(&archive(&bomb), local_fetcher()).await, Err(CollectError::FileTooLarge { .. })));
    std::fs::write(folder.path().join("objects/1.json"), &FLUX.as_bytes()[..FLUX.len() / 2]).unwrap();
    assert!(matches!(ask(&source, local_fetcher()).await, Err(CollectError::Unreadable { .. })), "half a flux is none");
}

#[tokio::test]
async fn datatourisme_drops_obsolete_and_duplicate_events_and_merges_daily_exhibitions() {
    let gone = edited(DATATOURISME, |all| all["objects"][0]["isObsolete"] = json!(true));
    assert_eq!(read(1, &gone).await, []);
    let twice = edited(DATATOURISME, |all| {
        let mut copy = all["objects"][0].clone();
        copy["identifier"] = json!("FMAOTHER");
        copy["label"] = json!({"@fr": "CONCERT À LA HALLE"});
        all["objects"].as_array_mut().unwrap().push(copy);
    });
    assert_eq!(read(1, &twice).await.len(), 1);
    let long = edited(DATATOURISME, |all| {
        let days = date("2027-03-05").iter_days().take(200);
        let mut periods: Vec<_> = days
            .map(|day| json!({"startDate": day, "endDate": day, "startTime": "14:00", "endTime": "18:00"}))
            .collect();
        periods.reverse();
        all["objects"][0]["takesPlaceAt"] = json!(periods);
    });
    assert_eq!(sessions(&read(1, &long).await[0]), "05 14:00-18:00 to 09-20");
}

#[tokio::test]
async fn datatourisme_follows_the_next_page_without_the_key_it_carries() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    let page = |next: String| Reply::json(edited(DATATOURISME, |all| all["meta"]["next"] = json!(next)));
    let next = format!("{}?page=2&api_key={KEY}", web.url(PATHS[1]));
    web.routes(PATHS[1], [page(next), Reply::json(DATATOURISME)]);
    ask(&sources(&web, &folder)[1], local_fetcher()).await.unwrap();
    let requests = web.requests();
    assert_eq!((requests[1].query("page"), requests[1].query("api_key")), (Some("2"), None));
    assert_eq!(requests[1].headers.get("x-api-key").map(String::as_str), Some(KEY));
    assert!(
        requests[0].query("filters").unwrap().ends_with("takesPlaceAt.startDate[lte]=2027-07-18 and x.insee[eq]=32")
    );
    // Another site would be given the key.
    web.route(PATHS[1], page("https://elsewhere.example/v1/catalog?page=2".to_owned()));
    assert!(ask(&sources(&web, &folder)[1], local_fetcher()).await.is_err());
}

#[tokio::test]
async fn apidae_periods_are_expanded_without_closures() {
    let found = read(2, APIDAE).await;
    let [exhibition, visit] = found.as_slice() else { panic!("{found:?}") };
    // Tuesdays and Thursdays, the 14th beside, the 15th (a Thursday) closed.
    assert_eq!(sessions(visit), "13 21:30-23:00; 14 21:30-23:00");
    assert_eq!((visit.venue.as_deref(), visit.commune.as_deref()), (Some("Parvis de la cathédrale"), Some("Auch")));
    assert_eq!(visit.price.as_deref(), Some("Adulte : 6 € Enfant (6-18 ans) : 3 €."));
    assert_eq!(
        (visit.phone.as_deref(), visit.url.as_deref()),
        (Some("05 62 00 00 00"), Some("https://office.example/"))
    );
    assert_eq!(visit.image.as_ref().unwrap().alt, "Flambeaux");
    // Closed on Mondays; the first Sunday of a month is not in this week.
    assert_eq!(sessions(exhibition), "13 to 07-18");
    let period = |period: Value| {
        edited(APIDAE, |all| {
            all["objetsTouristiques"][0]["ouverture"] = json!({"periodesOuvertures": [period]});
            all["objetsTouristiques"].as_array_mut().unwrap().truncate(1);
            all["numFound"] = json!(1);
        })
    };
    let (from, to) = ("2019-07-01", "2019-08-31");
    let cases = [
        (
            json!({"type": "OUVERTURE_SEMAINE", "ouverturesJournalieres": [{"jour": "TOUS"}], "dateDebut": "2027-07-17", "dateFin": "2027-07-18"}),
            "17; 18",
        ),
        (
            json!({"type": "OUVERTURE_MOIS", "ouverturesJourDuMois": [{"jour": "MARDI", "jourDuMois": "D_2EME"}], "dateDebut": from, "dateFin": to, "tousLesAns": true}),
            "13",
        ),
        (
            json!({"type": "OUVERTURE_MOIS", "ouverturesJourDuMois": [{"jour": "MARDI", "jourDuMois": "D_DERNIER"}], "dateDebut": from, "dateFin": to, "tousLesAns": true}),
            "",
        ),
        (
            json!({"type": "OUVERTURE_TOUS_LES_JOURS", "dateDebut": "2027-07-13", "dateFin": "2027-07-13", "horaireOuverture": "22:00:00", "horaireFermeture": "02:00:00"}),
            "13 22:00-02:00 to 07-14",
        ),
    ];
    for (given, expected) in cases {
        let found = read(2, &period(given.clone())).await;
        assert_eq!(found.first().map(sessions).unwrap_or_default(), expected, "{given}");
    }
    assert_eq!(read(2, r#"{"numFound": 0}"#).await, [], "the list is absent when there is none");
}

#[tokio::test]
async fn tourinsoft_is_read_from_json_from_atom_and_from_version_3() {
    let found = read(3, TOURINSOFT).await;
    let [market] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((market.title.as_str(), sessions(market).as_str()), ("Marché gourmand", "13 19:00-23:00"));
    assert_eq!((market.commune.as_deref(), market.phone.as_deref()), (Some("Preignan"), Some("05 62 00 00 00")));
    assert_eq!(market.url.as_deref(), Some("https://office.example/#section"));
    assert_eq!(market.price.as_deref(), Some("Gratuit, Tarif enfant (6/12 ans)\u{a0}: de 3 à 5\u{a0}€"));
    assert_eq!(market.image.as_ref().unwrap().alt, "Marché");
    let twice = TOURINSOFT.replace("19:00|23:00||||#", "10:00|12:00|14:00|18:00|Mardi$Jeudi|#");
    assert_eq!(sessions(&read(3, &twice).await[0]), "13 10:00-12:00; 13 14:00-18:00");

    let atom = read(3, TOURINSOFT_ATOM).await;
    assert_eq!((atom[0].title.as_str(), sessions(&atom[0]).as_str()), ("Marché gourmand", "13 19:00-23:00"));
    assert_eq!(atom[0].id, market.id);

    let found = read(4, TOURINSOFT_V3).await;
    let [same] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((sessions(same), same.commune.as_deref()), (sessions(market), Some("Preignan")));
    assert_eq!((same.phone.as_deref(), same.url.as_deref()), (Some("05 62 00 00 00"), Some("https://office.example/")));
    assert_eq!(
        (same.categories.as_slice(), same.description.as_str()),
        (&["Marché".to_owned()][..], "Dix producteurs, tables sur place.")
    );
}

#[tokio::test]
async fn the_fields_of_tourinsoft_version_3_are_those_of_the_configuration() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    let record = json!({"value": [{
        "SyndicObjectID": "FMA1", "Nom": "Musée", "DETAILSITEWEB": "<p>Des <b>terres</b> cuites.</p>",
        "LISTINGPHOTO": "<img src='https://office.example/musee.jpg' alt='Le musée'>",
        "PeriodeOuvertures": [{"Datedebut": "2027-07-01T00:00:00", "Fin": "2027-07-31T00:00:00",
            "mardiheuredebut1": "10:00:00", "mardiheurefin1": "12:00:00", "jeudiheuredebut1": "22:00:00", "jeudiheurefin1": "01:00:00"}],
    }]});
    web.route(PATHS[4], Reply::json(record.to_string()));
    let text = |text: &str| text.to_owned();
    let fields = Fields {
        title: text("Nom"),
        description: text("DETAILSITEWEB"),
        image: text("LISTINGPHOTO"),
        dates: text("PeriodeOuvertures"),
        start: text("Datedebut"),
        end: text("Fin"),
        opens: vec![text("{day}heuredebut1")],
        closes: vec![text("{day}heurefin1")],
        ..Fields::default()
    };
    let mut source = sources(&web, &folder)[4].clone();
    if let Source::TourinsoftV3 { fields: given, .. } = &mut source {
        **given = fields;
    }
    let found = ask(&source, local_fetcher()).await.unwrap();
    assert_eq!(sessions(&found[0]), "13 10:00-12:00; 15 22:00-01:00 to 07-16");
    assert_eq!(
        (found[0].description.as_str(), found[0].image.as_ref().unwrap().alt.as_str()),
        ("Des terres cuites.", "Le musée")
    );
}

#[tokio::test]
async fn fr54_a_flux_zipped_on_a_mac_is_read_and_invalid_records_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let good: Value = serde_json::from_str(FLUX).unwrap();
    let english = edited(FLUX, |object| object["rdfs:label"] = json!({"en": ["Only English title"]}));
    let undated = edited(FLUX, |object| object["takesPlaceAt"] = json!([{"@type": ["Period"]}]));
    let saturdays = edited(FLUX, |object| {
        object["@id"] = json!("x:9");
        object["dc:identifier"] = json!("X9");
        object["rdfs:label"] = json!({"fr": ["Marché du samedi"]});
        object["takesPlaceAt"] = json!([{"startDate": "2027-01-01", "endDate": "2027-12-31", "startTime": "08:00:00",
            "endTime": "12:00:00", "appliesOnDay": [{"@id": "kb:Saturday"}]}]);
    });
    let files: [(&str, Vec<u8>); 8] = [
        ("index.json", b"[]".to_vec()),
        ("a.json", good.to_string().into_bytes()),
        ("__MACOSX/._a.json", b"\0\x05\x16\x07\0\x02".to_vec()),
        ("b.json", br#"{"@id": "x", "#.to_vec()),
        ("c.json", Vec::new()),
        ("d.json", english.into_bytes()),
        ("e.json", undated.into_bytes()),
        ("f.json", [b"\xef\xbb\xbf", saturdays.as_bytes()].concat()),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in &files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    let path = folder.path().join("flux.zip");
    std::fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    let source = Source::DatatourismeFlux { path };
    let found = ask(&source, local_fetcher()).await.unwrap();
    assert_eq!(found.iter().map(sessions).collect::<Vec<_>>(), ["13 21:00-; 15", "17 08:00-12:00"], "{found:?}");
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    let days = date("2027-07-12")..=date("2027-07-18");
    let told = source.listings(local_fetcher(), days, Paris, now).await.unwrap().remarks.in_french(&source.name());
    let said = told.join(" ");
    for part in [
        "b.json\u{a0}» (fiche illisible)",
        "c.json",
        "Only English title\u{a0}» (sans titre en français)",
        "(date illisible)",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[tokio::test]
async fn an_invalid_event_does_not_affect_others_and_only_invalid_ones_are_an_error() {
    let bad = edited(OPENAGENDA, |all| all["events"][1]["timings"] = json!([{"begin": "demain"}]));
    assert_eq!(read(0, &bad).await.len(), 1);
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    web.route(PATHS[0], Reply::json(OPENAGENDA.replace("begin", "debut")));
    let error = ask(&sources(&web, &folder)[0], local_fetcher()).await.unwrap_err();
    assert!(
        error
            .in_french()
            .contains("aucune fiche n’y est lisible\u{a0}: «\u{a0}Concert à la halle\u{a0}» (date illisible)"),
        "{}",
        error.in_french()
    );
}

#[tokio::test]
async fn e07_each_database_is_read_completely_or_not_at_all() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    for ((source, path), sample) in sources(&web, &folder).iter().zip(PATHS).zip(SAMPLES) {
        let broken = [
            sample.as_bytes()[..sample.len() / 2].to_vec(),
            b"<!DOCTYPE html><title>x</title>".to_vec(),
            b"{}".to_vec(),
        ];
        for body in broken {
            web.route(path, Reply::json(body));
            assert!(ask(source, local_fetcher()).await.is_err(), "{path}");
        }
        web.route(path, Reply::json(sample).cut_off());
        assert!(ask(source, local_fetcher()).await.is_err(), "{path}");
    }
    // Fewer than were announced, and nothing more to come.
    web.routes(
        PATHS[2],
        [Reply::json(APIDAE.replace("\"numFound\": 2", "\"numFound\": 3")), Reply::json(r#"{"numFound": 3}"#)],
    );
    assert!(ask(&sources(&web, &folder)[2], local_fetcher()).await.is_err());
    web.route(PATHS[3], Reply::new(200, "application/atom+xml", &TOURINSOFT_ATOM[..TOURINSOFT_ATOM.len() - 9]));
    assert!(
        ask(&sources(&web, &folder)[3], local_fetcher()).await.unwrap_err().in_french().ends_with("flux incomplet")
    );
}

#[tokio::test]
async fn e01_e02_e06_each_database_is_queried_with_timeouts_and_limits() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    for (source, path) in sources(&web, &folder).iter().zip(PATHS) {
        web.route(path, Reply::status(429).header("Retry-After", "90"));
        let error = ask(source, local_fetcher()).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
        for reply in [
            Reply::silence(),
            Reply::endless("[".repeat(4096)),
            Reply::json("[1,2,3]".repeat(40)).drip(Duration::from_millis(40)),
        ] {
            web.route(path, reply);
            assert!(
                matches!(ask(source, &fetcher_for(&web, short())).await, Err(CollectError::Fetch { .. })),
                "{path}"
            );
        }
    }
}

/// What was logged, whatever its level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_key_is_in_no_log_no_error_and_no_debug() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut said = String::new();
    for ((source, path), sample) in sources(&web, &folder).iter().zip(PATHS).zip(SAMPLES) {
        web.route(path, Reply::json(sample));
        assert!(!ask(source, local_fetcher()).await.unwrap().is_empty());
        let echo = format!(r#"{{"numFound": "{KEY}", "events": "{KEY}", "objects": "{KEY}", "value": "{KEY}"}}"#);
        for reply in
            [Reply::status(403), Reply::redirect("http://10.0.0.1/"), Reply::json(&sample[..90]), Reply::json(echo)]
        {
            web.route(path, reply);
            let error = ask(source, local_fetcher()).await.unwrap_err();
            tracing::error!(error = &error as &dyn std::error::Error, "the source failed");
            said += &format!("{source:?} {error:?} {error} {}\n", error.in_french());
        }
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the source failed"), "{log}");
    assert!(!said.contains(KEY), "{said}");
    assert!(!log.contains(KEY), "{log}");
}

#[tokio::test]
async fn a_missing_key_is_reported_before_any_request() {
    let (web, folder) = (Web::start(), tempfile::tempdir().unwrap());
    let missing: PathBuf = folder.path().join("nowhere");
    let source = |key_file: PathBuf| Source::Openagenda { url: web.url("/"), agenda: 111, key_file };
    let error = ask(&source(missing), local_fetcher()).await.unwrap_err().in_french();
    assert!(error.contains("la clé de la source manque") && error.ends_with("il ne peut pas être lu"), "{error}");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    assert!(ask(&source(empty), local_fetcher()).await.unwrap_err().in_french().ends_with("il est vide"));
    assert_eq!(web.requests(), []);
}
