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
    read(&page, &days, Tz::Europe__Paris).map(|found| found.items)
}

/// The remarks on a calendar with these events.
fn remarks(text: &str) -> Vec<String> {
    let page = Page {
        url: "https://office.example/agenda.ics".parse().unwrap(),
        text: text.to_owned(),
        content_type: None,
        validators: Default::default(),
    };
    read(&page, &july(), Tz::Europe__Paris).unwrap().remarks.in_french("office.example")
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
    // `TZID=+02:00` is not a zone: the hour is local time.
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
fn every_notation_of_the_end_of_a_rule_is_parsed() {
    for until in ["20270715", "20270715T100000", "20270715T080000Z"] {
        let lines = format!("DTSTART;TZID=Europe/Paris:20270713T100000\nRRULE:FREQ=DAILY;UNTIL={until}");
        assert_eq!(sessions(&lines), ["13 10:00-", "14 10:00-", "15 10:00-"], "{until}");
    }
}

#[test]
fn all_day_events_recur_and_are_excluded_by_date() {
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
fn an_event_that_began_before_the_period_is_listed() {
    let found = try_read(&event("DTSTART;VALUE=DATE:20270601\nDTEND;VALUE=DATE:20270901"), july()).unwrap();
    assert_eq!(found[0].sessions[0].last_day(), "2027-08-31".parse().unwrap());
    assert!(try_read(&event("DTSTART:20270630T210000\nDTEND:20270701T020000"), july()).unwrap().is_empty());
}

#[test]
fn zones_are_recognised_by_windows_names_and_with_prefixes() {
    for zone in ["Romance Standard Time", "\"Europe/Paris\"", "/example.org/Europe/Paris", "Nulle part"] {
        assert_eq!(sessions(&format!("DTSTART;TZID={zone}:20270713T100000")), ["13 10:00-"], "{zone}");
    }
    assert_eq!(sessions("DTSTART;TZID=Europe/London:20270713T100000"), ["13 11:00-"]);
}

#[test]
fn private_events_are_left_out() {
    for class in ["PRIVATE", "CONFIDENTIAL"] {
        assert!(sessions(&format!("DTSTART:20270713T100000\nCLASS:{class}")).is_empty());
    }
}

#[test]
fn a_rule_with_billions_of_dates_is_not_expanded() {
    for rule in
        ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=YEARLY;BYSECOND=0,1,2;BYMINUTE=0,1,2", "FREQ=TOUJOURS", "FREQ", ""]
    {
        assert_eq!(sessions(&format!("DTSTART:20270713T100000\nRRULE:{rule}")), ["13 10:00-"], "{rule}");
    }
    assert_eq!(sessions("DTSTART:00010101T100000\nRRULE:FREQ=DAILY").len(), 31);
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

/// Two events of one series: the second is an occurrence on its own.
fn series(first: &str, second: &str) -> Vec<String> {
    let text = event(first).replace(
        "END:VCALENDAR",
        &format!(
            "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:y\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR",
            second.replace('\n', "\r\n")
        ),
    );
    let mut found: Vec<_> = try_read(&text, july())
        .unwrap()
        .iter()
        .flat_map(|it| it.sessions.iter().map(shown).collect::<Vec<_>>())
        .collect();
    found.sort();
    found
}

#[test]
fn fr12_the_time_zone_follows_the_rules_in_the_file() {
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0100\r\n\
                TZOFFSETTO:+0000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\n\
                TZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT";
    let text = event("DTSTART;TZID=Customized Time Zone:20270713T200000\nRRULE:FREQ=DAILY;COUNT=2");
    let found = try_read(&text.replacen("BEGIN:VEVENT", zone, 1), july()).unwrap();
    assert_eq!(found[0].sessions.iter().map(shown).collect::<Vec<_>>(), ["13 21:00-", "14 21:00-"]);
    assert_eq!(sessions("DTSTART;TZID=GMT Standard Time:20270713T200000"), ["13 21:00-"]);
    assert_eq!(sessions("DTSTART;TZID=\"Eastern Standard Time\":20270713T140000"), ["13 20:00-"]);
    let unknown = remarks(&event("DTSTART;TZID=Nulle part:20270713T200000"));
    assert_eq!(
        unknown,
        ["office.example, à vérifier\u{a0}: «\u{a0}x\u{a0}» (fuseau horaire inconnu, heures gardées telles quelles)."]
    );
}

#[test]
fn fr14_every_notation_of_an_exclusion_applies_to_all_day_series() {
    for but in [
        "EXDATE;VALUE=DATE:20270714",
        "EXDATE:20270714",
        "EXDATE:20270713T220000Z",
        "EXDATE:20270714T000000",
        "EXDATE;TZID=Europe/Paris:20270714T000000",
        "EXDATE:2027-07-14",
        "EXDATE:20270712T999999,20270713T220000Z",
    ] {
        let lines = format!("DTSTART;VALUE=DATE:20270712\nDTEND;VALUE=DATE:20270713\nRRULE:FREQ=DAILY;COUNT=5\n{but}");
        assert_eq!(sessions(&lines), ["12 -", "13 -", "15 -", "16 -"], "{but}");
    }
}

#[test]
fn fr15_every_notation_of_an_exclusion_applies_to_timed_series() {
    for but in [
        "EXDATE;TZID=Europe/Paris:20270714T180000",
        "EXDATE:20270714T160000Z",
        "EXDATE;VALUE=DATE:20270714",
        "EXDATE;TZID=Europe/Paris:20270714T000000",
        "EXDATE:20270713T220000Z",
        "EXDATE:20270714T000000Z",
        "EXDATE:2027-07-14T18:00",
        "EXRULE:FREQ=WEEKLY;BYDAY=WE",
    ] {
        let lines = format!("DTSTART;TZID=Europe/Paris:20270712T180000\nRRULE:FREQ=DAILY;COUNT=4\n{but}");
        assert_eq!(sessions(&lines), ["12 18:00-", "13 18:00-", "15 18:00-"], "{but}");
    }
    // What begins at midnight is named by its midnight, and by nothing of another day.
    let night =
        "DTSTART;TZID=Europe/Paris:20270712T000000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20270713T000000";
    assert_eq!(sessions(night), ["12 00:00-01:00", "14 00:00-01:00"]);
}

#[test]
fn fr14_an_overridden_occurrence_is_recognised_in_every_notation() {
    for id in ["RECURRENCE-ID:20270714T100000", "RECURRENCE-ID;VALUE=DATE:20270714", "RECURRENCE-ID:20270714T080000Z"] {
        let found =
            series("DTSTART:20270713T100000\nRRULE:FREQ=DAILY;COUNT=3", &format!("{id}\nDTSTART:20270714T150000"));
        assert_eq!(found, ["13 10:00-", "14 15:00-", "15 10:00-"], "{id}");
    }
    let days = series("DTSTART:20270713\nRRULE:FREQ=DAILY;COUNT=2", "RECURRENCE-ID:20270713T220000Z\nDTSTART:20270716");
    assert_eq!(days, ["13 -", "16 -"]);
    let from_then_on = series(
        "DTSTART:20270713T100000\nRRULE:FREQ=DAILY;COUNT=4",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20270715T100000\nDTSTART:20270715T110000",
    );
    assert_eq!(from_then_on, ["13 10:00-", "14 10:00-", "15 11:00-", "16 11:00-"]);
    // Of two versions of an occurrence the newer one counts, wherever it is in the file.
    let text = event("DTSTART:20270713T100000\nSEQUENCE:2\nRECURRENCE-ID:20270713T090000").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:old\r\nSEQUENCE:1\r\nRECURRENCE-ID:20270713T090000\r\nDTSTART:20270713T120000\r\n\
         END:VEVENT\r\nEND:VCALENDAR",
    );
    assert_eq!(try_read(&text, july()).unwrap().len(), 1);
}

#[test]
fn fr17_nonstandard_dates_are_parsed() {
    for start in [
        "DTSTART;TZID=Europe/Paris:20270713T2000",
        "DTSTART:2027-07-13T20:00:00",
        "DTSTART:2027-07-13 20:00",
        "DTSTART;TZID=Europe/Paris:20270713T200000+0200",
        "DTSTART:2027-07-13T18:00:00Z",
        "DTSTART;TZID=+02:00:20270713T200000",
    ] {
        assert_eq!(sessions(start), ["13 20:00-"], "{start}");
    }
    assert_eq!(sessions("DTSTART;VALUE=DATE:2027-07-13"), ["13 -"]);
    assert_eq!(
        remarks(&event("DTSTART:bientôt")),
        ["office.example, laissé de côté\u{a0}: «\u{a0}x\u{a0}» (date illisible)."]
    );
    assert_eq!(
        remarks(&event("DTEND:20270713T200000")),
        ["office.example, laissé de côté\u{a0}: «\u{a0}x\u{a0}» (sans date)."]
    );
    assert!(remarks(&event("DTSTART:20270713T200000\nRRULE:FREQ=HOURLY"))[0].contains("répétition non comprise"));
}

#[test]
fn fr19_sixty_daily_visits_without_an_end_are_sixty_visits() {
    let visit = |n: u32| {
        format!(
            "BEGIN:VEVENT\r\nUID:u{n}\r\nSUMMARY:Visite {n}\r\nDTSTART;TZID=Europe/Paris:20170102T{:02}0000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n",
            n % 24
        )
    };
    let all: String = (0..60).map(visit).collect();
    let found =
        try_read(&format!("BEGIN:VCALENDAR\r\n{all}END:VCALENDAR\r\n"), days("2027-07-12", "2027-07-18")).unwrap();
    assert_eq!(found.len(), 60);
    assert!(found.iter().all(|visit| visit.sessions.len() == 7));
}

#[test]
fn m2_a_calendar_built_to_take_long_is_read_in_bounded_time() {
    let never: String = (0..20_000)
        .map(|n| format!("BEGIN:VEVENT\nUID:{n}\nSUMMARY:x\nDTSTART:20200101T100000\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9\nEND:VEVENT\n"))
        .collect();
    let dates = (0..100_000)
        .map(|n| format!("2027{:02}{:02}T{:06}", n % 12 + 1, n % 28 + 1, n % 60))
        .collect::<Vec<_>>()
        .join(",");
    let named =
        format!("BEGIN:VEVENT\nUID:a\nSUMMARY:x\nDTSTART:20270713T100000\nRDATE:{dates}\nEXDATE:{dates}\nEND:VEVENT\n");
    let same: String = (0..10_000)
        .map(|n| format!("BEGIN:VEVENT\nUID:s\nSUMMARY:x\nDTSTART:20270713T100000\nEND:VEVENT\nBEGIN:VEVENT\nUID:s\nSUMMARY:y\nRECURRENCE-ID:2027{:02}{:02}T0000{:02}\nDTSTART:20270714T100000\nEND:VEVENT\n", n % 12 + 1, n % 28 + 1, n % 60))
        .collect();
    for events in [never, named, same] {
        try_read(&format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"), july()).unwrap();
    }
}

#[test]
fn m3_a_duration_that_overflows_does_not_panic() {
    assert_eq!(sessions(&format!("DTSTART:20270713T100000\nDURATION:P{}", "999999W".repeat(20_000))), ["13 10:00-"]);
    assert_eq!(sessions("DTSTART;VALUE=DATE:20270713\nDURATION:P999999W"), ["13 -"]);
}
