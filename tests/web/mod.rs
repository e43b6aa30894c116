//! The public pages over HTTP, served by the running daemon.

use crate::support::{
    house::{House, On, Relay},
    serve::Serve,
};
use mail_parser::MessageParser;
use std::{
    collections::HashMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

mod browsing;
mod connections;
mod leaving;
mod pressing;
mod reading;

/// An office that sent one agenda to these addresses, and whose pages are open.
struct Open {
    house: House,
    relay: Relay,
    host: String,
    serve: Serve,
}

struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        // The templates write a slash so; a browser reads it as one.
        String::from_utf8_lossy(&self.body).replace("&#x2f;", "/")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// What a reader sees, with one kind of blank.
    fn words(&self) -> String {
        let text = mail_parser::decoders::html::html_to_text(&self.text());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Open {
    fn with(on: On, addresses: &[&str], shipped: bool) -> Self {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("office.email", "bonjour@ot.test").set("web.bind", "127.0.0.1:0");
        let house = if shipped { house.with_the_shipped_mailing() } else { house };
        house.import(addresses);
        house.run().expect(0);
        Self::house(house, relay)
    }

    fn house(house: House, relay: Relay) -> Self {
        let mut serve = Serve::start(&house.path("semainier.toml"), &[]);
        let line = serve.hear("pages are served on http://");
        let host = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self { house, relay, host, serve }
    }

    /// The daemon ends; the house and its relay stay.
    fn close(self) -> (House, Relay) {
        self.serve.stop();
        (self.house, self.relay)
    }

    /// Path of the link by which this person leaves, from the mail as it was received.
    fn way_out(&self, address: &str) -> String {
        let seen = self.relay.seen();
        let mail = seen.accepted.iter().rfind(|it| it.recipient == address).unwrap();
        let mail = MessageParser::default().parse(&mail.bytes).unwrap();
        let header = mail.header_raw("List-Unsubscribe").unwrap();
        let url = header.split(['<', '>']).find(|it| it.starts_with("https://")).unwrap();
        url.strip_prefix("https://partenaires.ot.test").unwrap().to_owned()
    }

    fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"")
    }

    fn post(&self, path: &str, content_type: &str, body: &str) -> Reply {
        self.ask("POST", path, &[("Content-Type", content_type)], body.as_bytes())
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        ask(&self.host, method, path, headers, body)
    }
}

fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream
}

fn ask(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut stream = connect(host);
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    read(&all)
}

fn read(all: &[u8]) -> Reply {
    let end = all.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {all:?}"));
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Reply { status, headers: headers.collect(), body: all[end + 4..].to_vec() }
}
