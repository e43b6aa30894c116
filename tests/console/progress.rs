//! Live progress: events from the ledger's tallies, whoever moves them.

use super::{Desk, MARIE};
use crate::support::house::{BOTH, ISSUE};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

/// The stream of an issue, event by event.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(desk: &Desk, issue: &str) -> Self {
        let mut stream = TcpStream::connect(&desk.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET /envois/{issue}/suivi/flux HTTP/1.1\r\nHost: {}\r\n\r\n", desk.host).unwrap();
        let mut it = Self(BufReader::new(stream));
        let head = it.until("");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        assert!(head.iter().any(|line| line.starts_with("cache-control: no-store")), "{head:?}");
        it
    }

    /// Lines up to this one, trimmed.
    fn until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended after {lines:?}");
            let line = line.trim().to_owned();
            if line == last {
                return lines;
            }
            lines.push(line);
        }
    }

    /// The name of the next event, and its data.
    fn next(&mut self) -> (String, serde_json::Value) {
        let (mut name, mut data) = (String::new(), None);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            match line.trim() {
                text if text.starts_with("event: ") => name = text[7..].to_owned(),
                text if text.starts_with("data: ") => data = Some(serde_json::from_str(&text[6..]).unwrap()),
                "" if data.is_some() => return (name, data.unwrap()),
                // Lengths of chunks, comments, ids.
                _ => {}
            }
        }
    }
}

#[test]
fn an_issue_is_followed_until_it_is_over_and_the_page_needs_no_script() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let page = desk.get("/envois/agenda/2027-W26/suivi").expect(200, &["Rien n’est parti"]);
        assert!(!page.text().contains("data-stream"));
        desk.house.sql(&format!("UPDATE issues SET state = 'sending', closed_at = NULL WHERE key = '{ISSUE}'"));
        let page = desk.get(&format!("/envois/{ISSUE}/suivi")).expect(200, &["Actualiser", "Remis au relais", "4 / 4"]);
        assert!(page.text().contains("data-stream="), "{}", page.text());

        let (mut one, mut other) = (Events::of(&desk, ISSUE), Events::of(&desk, ISSUE));
        for events in [&mut one, &mut other] {
            let (name, data) = events.next();
            assert_eq!(
                (name.as_str(), &data["sent"], &data["failed"], &data["total"]),
                ("counts", &1.into(), &1.into(), &4.into())
            );
        }
        // Another process moves a delivery; the triggers keep the tallies.
        desk.house.sql(&format!(
            "UPDATE deliveries SET state = 'failed' WHERE issue = '{ISSUE}' AND recipient_key = '{MARIE}'"
        ));
        for events in [&mut one, &mut other] {
            let (name, data) = events.next();
            assert_eq!((name.as_str(), &data["sent"], &data["failed"]), ("counts", &0.into(), &2.into()));
        }
        desk.house.sql(&format!("UPDATE issues SET state = 'done', closed_at = 1 WHERE key = '{ISSUE}'"));
        for events in [&mut one, &mut other] {
            let (name, data) = events.next();
            assert_eq!((name.as_str(), &data["over"], &data["state"]), ("counts", &true.into(), &"done".into()));
            assert_eq!(events.next().0, "end");
        }
    }
}

/// Somebody opens the page before the hour, and sees it begin.
#[test]
fn issue19_who_waits_for_an_issue_sees_it_leave() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let waiting = "agenda/2027-W30";
        let page = desk.get(&format!("/envois/{waiting}/suivi")).expect(200, &["Rien n’est parti encore"]);
        assert!(page.text().contains(r#"data-reload="total""#), "{}", page.text());
        let mut events = Events::of(&desk, waiting);
        let (name, data) = events.next();
        assert_eq!((name.as_str(), &data["over"], &data["total"]), ("counts", &false.into(), &0.into()));
        desk.house.sql(&format!(
            "UPDATE issues SET state = 'sending', frozen_at = 1 WHERE key = '{waiting}';
            INSERT INTO tallies (issue, keeper, state, n) VALUES ('{waiting}', 0, 'queued', 3)"
        ));
        let (name, data) = events.next();
        assert_eq!((name.as_str(), &data["over"], &data["total"]), ("counts", &false.into(), &3.into()));
    }
}

#[test]
fn a_stop_ends_the_streams() {
    let desk = Desk::busy(crate::support::house::On::Sqlite);
    desk.house.sql(&format!("UPDATE issues SET state = 'sending', closed_at = NULL WHERE key = '{ISSUE}'"));
    let mut events = Events::of(&desk, ISSUE);
    assert_eq!(events.next().0, "counts");
    desk.stop.cancel();
    assert_eq!(events.next().0, "end");
}
