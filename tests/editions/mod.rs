//! An edition as an office lives with it: kept, announced, ordered by its partners over the page, confirmed, handed over.

mod announcing;
mod files;
mod later;
mod ordering;

use crate::support::{
    house::{Done, House, On, Relay},
    serve::Serve,
};
use mail_parser::{Message, MessageParser};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

pub const MARIE: &str = "marie@gite.example";
pub const PAUL: &str = "paul@hotel.example";
pub const ANNE: &str = "anne@musee.example";

/// Three partners in two communes, none in the order of the round.
const PARTNERS: &str = "email;nom;etablissement;commune;catégorie;adresse\n\
    marie@gite.example;Marie;Gîte du Pré;Pavie;hébergement;2, chemin du Pré\n\
    paul@hotel.example;Paul;Hôtel de France;Auch;hébergement;1, place de la Libération\n\
    anne@musee.example;Anne;=Étoile;Auch;musée;\n";

const SITE: &str = "https://partenaires.ot.test";

/// The file of an edition, beside a cover.
pub fn edition(house: &House, printed: u32, more: &str) {
    house.write("cover.png", picture());
    let text = format!(
        "title = \"Carte touristique 2027\"\nkind = \"map\"\nlanguages = [\"fr\", \"en\"]\n\
         summary = \"Les villages & les musées.\"\ncover = \"cover.png\"\nonline = \"https://ot.test/carte-2027\"\nprinted = {printed}\npack = 50\n\
         words = \"La carte est arrivée.\"\n{more}"
    );
    house.write("carte-2027.toml", text);
}

/// Forty by sixty pixels of the office's blue.
pub fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 60);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0, 69, 115].repeat(40 * 60)).unwrap();
    writer.finish().unwrap();
    bytes
}

/// An office with its partners, whose editions are a mailing, and whose pages can be served.
pub fn office(on: On, relay: &Relay) -> House {
    let house = House::on(on).relay(relay).set("office.email", "bonjour@ot.test").set("web.bind", "127.0.0.1:0");
    house.write("jobs/editions.toml", include_str!("../../jobs/editions.toml"));
    house.write("partners.csv", PARTNERS);
    house.semainier(&["partners", "import", "partners.csv"]).expect(0);
    house
}

pub fn add(house: &House, printed: u32, more: &str) -> Done {
    edition(house, printed, more);
    house.semainier(&["editions", "add", "carte-2027.toml"])
}

/// The mails to a person, one after the other.
pub fn mails(relay: &Relay, address: &str) -> Vec<Message<'static>> {
    let seen = relay.seen();
    let mails = seen.accepted.iter().filter(|it| it.recipient == address);
    mails.map(|it| MessageParser::default().parse(&it.bytes).unwrap().into_owned()).collect()
}

/// Paths of all links of ours in a mail, in its HTML, its text and its headers.
pub fn links(mail: &Message) -> Vec<String> {
    let header = mail.header_raw("List-Unsubscribe").unwrap_or_default().to_owned();
    let all =
        [mail.body_html(0).unwrap().replace("&#x2f;", "/"), mail.body_text(0).unwrap().into_owned(), header].join(" ");
    let ends = |c: char| c.is_whitespace() || "\"<>()".contains(c);
    let mut links: Vec<_> =
        all.match_indices(SITE).map(|(at, _)| all[at + SITE.len()..].split(ends).next().unwrap().to_owned()).collect();
    links.sort();
    links.dedup();
    links
}

/// Path of the link by which the person orders, from the last mail as it was received.
pub fn way_to_order(relay: &Relay, address: &str) -> String {
    let mail = mails(relay, address).pop().unwrap();
    links(&mail).into_iter().find(|it| it.starts_with("/o/")).unwrap_or_else(|| panic!("no link: {mail:?}"))
}

/// The daemon with its pages.
pub struct Open {
    pub serve: Serve,
    host: String,
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    body: Vec<u8>,
}

impl Open {
    pub fn at(house: &House) -> Self {
        let mut serve = house.serve();
        let line = serve.hear("pages are served on http://");
        let host = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self { serve, host }
    }

    pub fn get(&self, path: &str) -> Reply {
        ask(&self.host, "GET", path, "")
    }

    pub fn head(&self, path: &str) -> Reply {
        ask(&self.host, "HEAD", path, "")
    }

    pub fn post(&self, path: &str, body: &str) -> Reply {
        ask(&self.host, "POST", path, body)
    }

    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).replace("&#x2f;", "/")
    }

    /// What a reader sees, with one kind of blank.
    pub fn words(&self) -> String {
        let text = mail_parser::decoders::html::html_to_text(&self.text());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub fn expect(self, status: u16, words: &str) -> Self {
        assert!(
            self.status == status && self.words().contains(words),
            "{} not {status} with {words:?}:\n{}",
            self.status,
            self.words()
        );
        self
    }
}

pub fn ask(host: &str, method: &str, path: &str, body: &str) -> Reply {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_lowercase(), body: all[end + 4..].to_vec() }
}
