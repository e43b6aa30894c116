//! The agenda for programs: iCalendar (RFC 5545) for personal calendars, JSON Feed 1.1 for partners' sites.

use crate::compose::rows::{Row, daily_rows_by_hour, rows_by_hour};
use crate::config::Config;
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Event, Status, Week},
    french,
};
use crate::store::Published;
use chrono::{Days, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Every event of these weeks. An event always has the same UID.
pub(super) fn icalendar(title: &str, host: &str, zone: Tz, weeks: &[(Week, Agenda)], now: Timestamp) -> String {
    let mut out = Lines::default();
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//semainier//agenda//FR");
    out.line("METHOD:PUBLISH");
    out.text("X-WR-CALNAME", title);
    for (week, agenda) in weeks {
        for day in &agenda.days {
            let mut events: Vec<_> = day.items.iter().flat_map(|item| &item.events).collect();
            events.sort_by_key(|event| event.minute_of_day());
            for event in events {
                out.event(event, day.date, zone, host, now);
            }
        }
        for daily in &agenda.daily {
            for day in &daily.days {
                for event in &daily.item.events {
                    out.event(event, *day, zone, host, now);
                }
            }
        }
        for event in agenda.exhibitions.iter().flat_map(|item| &item.events) {
            let last = event.until.map_or(week.sunday(), |until| until.min(week.sunday()));
            let whole = Event { start: None, end: None, end_day: Some(last), ..event.clone() };
            out.event(&whole, week.monday(), zone, host, now);
        }
    }
    out.line("END:VCALENDAR");
    out.0
}

/// Content lines: CRLF, folded at 75 octets.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: &str) {
        let mut width = 0;
        for c in line.chars() {
            if width + c.len_utf8() > 75 {
                self.0.push_str("\r\n ");
                width = 1;
            }
            self.0.push(c);
            width += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    /// A TEXT value, escaped (RFC 5545 3.3.11).
    fn text(&mut self, name: &str, value: &str) {
        let mut line = format!("{name}:");
        for c in value.chars() {
            match c {
                '\\' | ';' | ',' => line.extend(['\\', c]),
                '\n' => line.push_str("\\n"),
                c if c.is_control() => {}
                c => line.push(c),
            }
        }
        self.line(&line);
    }

    fn event(&mut self, event: &Event, day: NaiveDate, zone: Tz, host: &str, now: Timestamp) {
        let name = format!("{day}|{:?}|{}|{}", event.start, event.title, event.place.as_deref().unwrap_or_default());
        let uid: String = Sha256::digest(name).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{uid}@{host}"));
        self.line(&format!("DTSTAMP:{}", now.format("%Y%m%dT%H%M%SZ")));
        match event.start {
            Some(start) => {
                let begins = day.and_time(start);
                self.instant("DTSTART", begins, zone);
                if let Some(end) = event.end {
                    let last = event.end_day.unwrap_or(if end < start { day + Days::new(1) } else { day });
                    self.instant("DTEND", last.and_time(end), zone);
                }
            }
            None => {
                self.line(&format!("DTSTART;VALUE=DATE:{}", day.format("%Y%m%d")));
                let after = event.end_day.unwrap_or(day).max(day) + Days::new(1);
                self.line(&format!("DTEND;VALUE=DATE:{}", after.format("%Y%m%d")));
            }
        }
        self.text("SUMMARY", &french::capitalized(&event.title));
        if let Some(place) = &event.place {
            self.text("LOCATION", place);
        }
        let details = [&event.price, &event.phone, &event.note].into_iter().flatten().cloned().collect::<Vec<_>>();
        if !details.is_empty() {
            self.text("DESCRIPTION", &details.join("\n"));
        }
        if let Some(link) = event.link.as_deref().filter(|link| !link.contains(char::is_control)) {
            self.line(&format!("URL:{link}"));
        }
        match event.status {
            Status::Cancelled | Status::Postponed => self.line("STATUS:CANCELLED"),
            Status::Scheduled | Status::SoldOut => self.line("STATUS:CONFIRMED"),
        }
        self.line("END:VEVENT");
    }

    /// In UTC, so that no zone rules are needed. A local time skipped by the switch to summer time becomes the one after it.
    fn instant(&mut self, name: &str, local: NaiveDateTime, zone: Tz) {
        let found = zone.from_local_datetime(&local).earliest();
        let found = found.or_else(|| zone.from_local_datetime(&(local + chrono::TimeDelta::hours(1))).earliest());
        if let Some(at) = found {
            self.line(&format!("{name}:{}", at.to_utc().format("%Y%m%dT%H%M%SZ")));
        }
    }
}

/// One item per week, with its text and its documents.
pub(super) fn json_feed(mailing: &str, title: &str, config: &Config, weeks: &[(Week, Agenda, Published)]) -> Value {
    let base = config.public_url.as_str().trim_end_matches('/');
    let items: Vec<Value> = weeks
        .iter()
        .map(|(week, agenda, published)| {
            json!({
                "id": published.key.as_str(),
                "url": format!("{base}/{mailing}/{week}"),
                "title": format!("{title}, {}", french::week(*week)),
                "content_text": words(agenda),
                "date_published": published.frozen_at.to_rfc3339(),
                "language": "fr",
                "attachments": [{
                    "url": format!("{base}/{mailing}/{week}/agenda.ics"),
                    "mime_type": "text/calendar",
                }],
            })
        })
        .collect();
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": format!("{base}/{mailing}"),
        "feed_url": format!("{base}/{mailing}.json"),
        "language": "fr",
        "authors": [{ "name": config.office.name, "url": config.office.website }],
        "items": items,
    })
}

/// Day by day, one line per event.
fn words(agenda: &Agenda) -> String {
    let mut text = String::new();
    let mut block = |heading: &str, rows: Vec<Row>| {
        if rows.is_empty() {
            return;
        }
        let _ = writeln!(text, "{heading}");
        for row in rows {
            let parts =
                [Some(row.time).filter(|time| !time.is_empty()), Some(row.title), row.place, row.price, row.phone];
            let _ = writeln!(text, "- {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
        }
    };
    for day in &agenda.days {
        block(&french::capitalized(&french::day(day.date)), rows_by_hour(&day.items));
    }
    block("Toute la semaine", daily_rows_by_hour(&agenda.daily));
    block("Expositions", rows_by_hour(&agenda.exhibitions));
    block("À noter aussi", rows_by_hour(agenda.to_place()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::agenda::{Day, Item};
    use chrono::NaiveTime;

    #[test]
    fn an_event_is_in_utc_folded_and_escaped() {
        let date = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
        let time = |h, m| NaiveTime::from_hms_opt(h, m, 0);
        let event = Event {
            start: time(21, 30),
            end: time(1, 0),
            title: "concert, cour d’honneur ; ".repeat(6),
            status: Status::Cancelled,
            ..Event::default()
        };
        let items = vec![Item { text: String::new(), events: vec![event, Event::default()], ..Item::default() }];
        let agenda = Agenda { days: vec![Day { date, items }], ..Agenda::default() };
        let now = "2026-07-04T06:00:00Z".parse().unwrap();
        let text = icalendar("Agenda", "a.example", chrono_tz::Europe::Paris, &[(Week::of(date), agenda)], now);
        for line in ["DTSTART:20260706T193000Z\r\n", "DTEND:20260706T230000Z\r\n", "STATUS:CANCELLED\r\n"] {
            assert!(text.contains(line), "{line} not in\n{text}");
        }
        assert!(text.contains("DTSTART;VALUE=DATE:20260706\r\nDTEND;VALUE=DATE:20260707\r\n"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        assert!(text.replace("\r\n ", "").contains("SUMMARY:Concert\\, cour d’honneur \\; concert"), "{text}");
        assert!(!text.replace("\r\n", "").contains('\n'));
    }
}
