use super::*;
use chrono::NaiveTime;

const STANDARD: &str = include_str!("../../tests/samples/sources/standard_rrule.ics");
const TEC: &str = include_str!("../../tests/samples/sources/tec_export.ics");

fn days(from: &str, to: &str) -> RangeInclusive<NaiveDate> {
    from.parse().unwrap()..=to.parse().unwrap()
}

fn july() -> RangeInclusive<NaiveDate> {
    days("2027-07-01", "2027-07-31")
}

fn try_read(text: &str, days: RangeInclusive<NaiveDate>) -> Result<Vec<Listing>, Missed> {
    let page = Page {
        url: "https://office.example/agenda.ics".parse().unwrap(),
        text: text.to_owned(),
        content_type: None,
        validators: Default::default(),
    };
    read(&page, &days, Tz::Europe__Paris)
}

/// A calendar of one event with these lines.
fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nSUMMARY:x\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.replace('\n', "\r\n")
    )
}

fn shown(session: &Session) -> String {
    let time = |time: Option<NaiveTime>| time.map(|it| it.format("%H:%M").to_string()).unwrap_or_default();
    let last = session.end_day.map(|day| day.format("/%d").to_string()).unwrap_or_default();
    format!("{}{last} {}-{}", session.day.format("%d"), time(session.start), time(session.end))
}

/// The sessions of July of an event with these lines: `13 21:00-23:30`.
fn sessions(lines: &str) -> Vec<String> {
    let found = try_read(&event(lines), july()).unwrap();
    found.iter().flat_map(|listing| &listing.sessions).map(shown).collect()
}

#[test]
fn a_calendar_with_every_kind_of_hour_is_read() {
    let found = try_read(STANDARD, july()).unwrap();
    let all: Vec<_> = found
        .iter()
        .map(|it| (it.title.as_str(), it.status, it.sessions.iter().map(shown).collect::<Vec<_>>().join(", ")))
        .collect();
    assert_eq!(
        all,
        [
            // Not the 15th (EXDATE), not the 22nd (cancelled on its own).
            ("Marché du jeudi", Status::Scheduled, "01 08:00-13:00, 08 08:00-13:00, 29 08:00-13:00".to_owned()),
            ("Heure flottante : 19 h 30 à Paris (X-WR-TIMEZONE)", Status::Scheduled, "16 19:30-".to_owned()),
            ("Heure UTC sans fin : 21 h 30 à Paris", Status::Scheduled, "16 21:30-".to_owned()),
            ("Marché du jeudi (annulé)", Status::Cancelled, "22 09:00-12:00".to_owned()),
        ]
    );
    assert_eq!(found[3].id, "marche-jeudi@demo.example#20270722T080000");
}

#[test]
fn an_export_of_the_events_calendar_is_read() {
    let found = try_read(TEC, days("2027-07-12", "2027-07-18")).unwrap();
    let [concert, apero, jumble] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(concert.title, "Concert à la halle – L’été en fête; entrée libre");
    assert!(concert.description.starts_with("Chansons d’ici & d’ailleurs, sous la halle ; buvette"));
    assert!(concert.description.ends_with("extension. Venez nombreux !"), "{}", concert.description);
    assert_eq!((concert.venue.as_deref(), concert.commune.as_deref()), (Some("Halle Verdier"), Some("Auch")));
    assert_eq!(concert.categories, ["Concert", "Gratuit"]);
    assert_eq!(concert.image.as_ref().unwrap().url, "https://office.example/wp-content/uploads/2027/06/halle.jpg");
    assert_eq!(concert.source, "Office de démonstration");
    assert_eq!(concert.sessions.iter().map(shown).collect::<Vec<_>>(), ["13 21:00-23:30"]);
    // `TZID=+02:00` is no zone: the hour is the one on the wall.
    assert_eq!((apero.title.as_str(), apero.status), ("Apéro-concert", Status::Cancelled));
    assert_eq!(apero.sessions.iter().map(shown).collect::<Vec<_>>(), ["14 18:00-"]);
    // The end of whole days is the day after.
    assert_eq!(jumble.sessions.iter().map(shown).collect::<Vec<_>>(), ["17/18 -"]);
}

#[test]
fn a_recurrence_keeps_its_hour_when_the_clocks_change() {
    let text = event("DTSTART;TZID=Europe/Paris:20271024T100000\nRRULE:FREQ=WEEKLY;COUNT=3");
    let found = try_read(&text, days("2027-10-01", "2027-11-30")).unwrap();
    assert_eq!(found[0].sessions.iter().map(shown).collect::<Vec<_>>(), ["24 10:00-", "31 10:00-", "07 10:00-"]);
}

#[test]
fn the_end_of_a_rule_is_understood_however_it_is_written() {
    for until in ["20270715", "20270715T100000", "20270715T080000Z"] {
        let lines = format!("DTSTART;TZID=Europe/Paris:20270713T100000\nRRULE:FREQ=DAILY;UNTIL={until}");
        assert_eq!(sessions(&lines), ["13 10:00-", "14 10:00-", "15 10:00-"], "{until}");
    }
}

#[test]
fn days_recur_too_and_may_be_left_out_by_day() {
    let lines = "DTSTART;VALUE=DATE:20270629\nDTEND;VALUE=DATE:20270701\nRRULE:FREQ=WEEKLY\nEXDATE;VALUE=DATE:20270713";
    assert_eq!(sessions(lines), ["06/07 -", "20/21 -", "27/28 -"]);
    let dates = "DTSTART:20270713T100000\nRDATE:20270715T100000,20270717T100000\nDURATION:PT1H30M";
    assert_eq!(sessions(dates), ["13 10:00-11:30", "15 10:00-11:30", "17 10:00-11:30"]);
}

#[test]
fn an_occurrence_that_moved_takes_place_once() {
    let text = event("DTSTART:20270713T100000\nRRULE:FREQ=DAILY;COUNT=2").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:y\r\nRECURRENCE-ID:20270714T100000\r\nDTSTART:20270714T150000\r\nEND:VEVENT\r\nEND:VCALENDAR",
    );
    let found = try_read(&text, july()).unwrap();
    let all: Vec<_> = found.iter().flat_map(|it| it.sessions.iter().map(shown)).collect();
    assert_eq!(all, ["13 10:00-", "14 15:00-"]);
}

#[test]
fn what_lasts_since_before_our_days_is_listed() {
    let found = try_read(&event("DTSTART;VALUE=DATE:20270601\nDTEND;VALUE=DATE:20270901"), july()).unwrap();
    assert_eq!(found[0].sessions[0].last_day(), "2027-08-31".parse().unwrap());
    assert!(try_read(&event("DTSTART:20270630T210000\nDTEND:20270701T020000"), july()).unwrap().is_empty());
}

#[test]
fn zones_are_known_by_their_windows_names_and_behind_prefixes() {
    for zone in ["Romance Standard Time", "\"Europe/Paris\"", "/example.org/Europe/Paris", "Nulle part"] {
        assert_eq!(sessions(&format!("DTSTART;TZID={zone}:20270713T100000")), ["13 10:00-"], "{zone}");
    }
    assert_eq!(sessions("DTSTART;TZID=Europe/London:20270713T100000"), ["13 11:00-"]);
}

#[test]
fn private_events_stay_private() {
    for class in ["PRIVATE", "CONFIDENTIAL"] {
        assert!(sessions(&format!("DTSTART:20270713T100000\nCLASS:{class}")).is_empty());
    }
}

#[test]
fn a_rule_that_means_billions_of_dates_is_not_unrolled() {
    for rule in
        ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=YEARLY;BYSECOND=0,1,2;BYMINUTE=0,1,2", "FREQ=TOUJOURS", "FREQ", ""]
    {
        assert_eq!(sessions(&format!("DTSTART:20270713T100000\nRRULE:{rule}")), ["13 10:00-"], "{rule}");
    }
    let far = event("DTSTART:00010101T100000\nRRULE:FREQ=DAILY");
    assert!(matches!(try_read(&far, july()), Err(Missed::HeavyCalendar)));
}

#[test]
fn durations_are_read() {
    let check =
        |text: &str, minutes: Option<i64>| assert_eq!(duration(text).map(|it| it.num_minutes()), minutes, "{text}");
    check("PT3H", Some(180));
    check("P1DT2H30M", Some(1590));
    check("P2W", Some(20160));
    for bad in ["", "P", "3H", "PT3", "PTH", "P99999999999999999999D"] {
        assert!(duration(bad).is_none_or(|it| it.is_zero()), "{bad}");
    }
}
