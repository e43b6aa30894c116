//! Large and hostile responses: the time they take, and that they delay nothing else. The ids are those of the
//! security review.

use super::web::{Reply, Web};
use chrono::NaiveDate;
use chrono_tz::Europe::Paris;
use semainier::clock::Clock;
use semainier::collect::source::Source;
use semainier::domain::agenda::{Agenda, Week};
use semainier::domain::merge;
use std::time::Duration;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

fn event(uid: usize, title: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:{title}\r\nLOCATION:Auch\r\n{lines}\r\nEND:VEVENT\r\n")
}

/// So many events of one week.
fn week_of(count: usize) -> String {
    let one = |n: usize| {
        let start = format!("DTSTART:202707{:02}T{:02}{:02}00", 12 + n % 6, 8 + n % 12, n % 60);
        event(n, &format!("Fête numéro {n} du village"), &start)
    };
    calendar(&(0..count).map(one).collect::<String>())
}

/// Read and joined to an empty week: how many there are then, and how long the joining took.
async fn joined(text: String) -> (usize, Duration) {
    let web = Web::start();
    web.route("/agenda.ics", Reply::new(200, "text/calendar", text));
    let fetcher = super::fetcher_for(&web, super::FetchLimits { max_bytes: 16 << 20, ..super::patient() });
    let days = date("2027-07-12")..=date("2027-07-18");
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    let source = Source::Ical { url: web.url("/agenda.ics") };
    let found = source.listings(&fetcher, days, Paris, now).await.unwrap();
    let week = Week::of(date("2027-07-12"));
    let mut agenda = Agenda { week: Some(week), ..Agenda::default() };
    let begun = Clock::monotonic();
    let merged = merge::merge(&mut agenda, &found.items, week, "Auch");
    (merged.added, begun.elapsed())
}

#[tokio::test]
async fn h3_merging_four_thousand_events_takes_linear_time() {
    let (added, took) = joined(week_of(4_000)).await;
    assert_eq!(added, 4_000);
    // A second where it is optimised; when every event was compared with every other it took half a minute there, and many
    // minutes here. A test's machine is busy.
    assert!(took < Duration::from_secs(90), "{took:?}");
}

#[tokio::test]
async fn h3_an_excessive_number_of_events_is_truncated_and_reported() {
    let web = Web::start();
    web.route("/agenda.ics", Reply::new(200, "text/calendar", week_of(10_005)));
    let fetcher = super::fetcher_for(&web, super::FetchLimits { max_bytes: 16 << 20, ..super::patient() });
    let now = "2027-07-10T06:00:00Z".parse().unwrap();
    let source = Source::Ical { url: web.url("/agenda.ics") };
    let found = source.listings(&fetcher, date("2027-07-12")..=date("2027-07-18"), Paris, now).await.unwrap();
    assert_eq!((found.items.len(), found.remarks.gone()), (10_000, 5));
    assert!(found.remarks.in_french("x")[0].contains("au-delà de ce qu’une semaine peut contenir"));
}

#[tokio::test]
async fn m2_m3_hostile_calendars_do_not_block_other_work() {
    let never: String = (0..5_000)
        .map(|n| event(n, "x", "DTSTART:20260201T100000\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"))
        .collect();
    let dates = ["20270714"; 50_000].join(",");
    let named =
        event(1, "x", &format!("DTSTART;VALUE=DATE:20270713\r\nRDATE;VALUE=DATE:{dates}\r\nEXDATE;VALUE=DATE:{dates}"));
    let endless = event(1, "x", &format!("DTSTART:20270713T100000\r\nDURATION:P{}", "999999W".repeat(20_000)));
    for (events, expected) in [(never, 0), (named, 1), (endless, 1)] {
        let begun = Clock::monotonic();
        // On the one thread of this runtime: who waits here is served meanwhile.
        let (reading, beats) = tokio::join!(joined(calendar(&events)), async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            begun.elapsed()
        });
        assert_eq!(reading.0, expected);
        assert!(beats < Duration::from_secs(5), "nobody else was served for {beats:?}");
    }
}
