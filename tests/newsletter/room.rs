//! An office with a site that publishes news, a relay, and a daemon under a sky whose hour a test sets.

use crate::support::{
    house::{House, On, Relay, STAFF, finish, signal},
    sky::Sky,
    web::{Reply, Web},
};
use mail_parser::{Message, MessageParser};
use semainier::domain::Timestamp;
use serde_json::Value;
use std::process::{Child, Stdio};

pub const ISSUE: &str = "newsletter/2026-07";

/// The mailing as it is shipped, but for its source.
pub fn job(source: &str) -> String {
    let shipped = include_str!("../../jobs/newsletter.toml");
    let (head, rest) = shipped.split_once("[[source]]").unwrap();
    let (_, parts) = rest.split_once("# The parts,").unwrap();
    format!("{head}{source}\n# The parts,{parts}")
}

/// A feed of the site: `(slug, title, published)`, each with a picture.
pub fn feed(web: &Web, items: &[(&str, &str, &str)]) {
    let entries: String = items
        .iter()
        .map(|(slug, title, published)| {
            let published: Timestamp = published.parse().unwrap();
            let (page, picture) = (web.url(&format!("/{slug}/")), web.url(&format!("/{slug}.png")));
            format!(
                "<item><guid>{slug}</guid><title>{title}</title><link>{page}</link><pubDate>{}</pubDate>\
                 <description>Ce qu’il faut savoir de {slug}.</description><category>Actualités</category>\
                 <media:content url=\"{picture}\" type=\"image/png\" medium=\"image\"/></item>",
                published.to_rfc2822()
            )
        })
        .collect();
    web.route(
        "/feed/",
        Reply::rss(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" xmlns:media=\"http://search.yahoo.com/mrss/\">\
             <channel><title>Office</title><link>{}</link>{entries}</channel></rss>",
            web.url("/")
        )),
    );
    for (slug, ..) in items {
        web.route(&format!("/{slug}.png"), Reply::new(200, "image/png", picture()));
    }
}

/// Sixty by forty-five pixels of the office's blue.
pub fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 60, 45);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0, 69, 115].repeat(60 * 45)).unwrap();
    writer.finish().unwrap();
    bytes
}

pub struct Room {
    pub house: House,
    pub web: Web,
    pub relay: Relay,
    pub sky: Sky,
    daemon: Option<Child>,
}

impl Room {
    /// On Friday 3 July 2026, with five partners, three pieces of news, and the newsletter alone.
    pub fn on(on: On) -> Self {
        let (web, relay) = (Web::start(), Relay::start());
        feed(
            &web,
            &[
                ("nocturnes", "Les visites nocturnes d’Auch reprennent", "2026-06-30T08:00:00Z"),
                ("tournesols", "Les tournesols ont leur sentier", "2026-06-20T08:00:00Z"),
                ("ancien", "Une vieille nouvelle", "2026-05-20T08:00:00Z"),
            ],
        );
        let house = House::on(on).site(&web).relay(&relay);
        std::fs::remove_file(house.path("jobs/agenda.toml")).unwrap();
        house.write("jobs/newsletter.toml", job(&source(&web)));
        let sky = Sky::at(&house.path(""), at("2026-07-03T10:00:00Z"));
        let house = sky.environment().into_iter().fold(house, |house, (name, value)| house.env(name, value));
        house.import_many(5);
        Self { house, web, relay, sky, daemon: None }
    }

    pub fn serve(&mut self) {
        self.daemon = Some(self.house.start(&["serve"]));
    }

    /// The daemon is asked to stop, and stops in peace.
    pub fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            signal(daemon.id(), "TERM");
            finish(daemon, &["serve"]).expect(0);
        }
    }

    /// The state of the only issue, and why.
    pub fn state(&self) -> (String, String) {
        let issues = self.house.issues();
        let text =
            |key: &str| issues.first().map(|it| it[key].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
        (text("state"), text("reason"))
    }

    pub fn show(&self) -> Value {
        let done = self.house.semainier(&["issues", "show", ISSUE, "--json"]);
        assert_eq!(done.code, Some(0), "{}", done.said());
        done.json()
    }

    /// With this on standard input.
    pub fn edit(&self, text: &str) -> crate::support::process::Done {
        let args = ["issues", "edit", ISSUE, "--editorial", "-"];
        let mut command = self.house.command(&args);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        finish(child, &args)
    }

    /// What staff got, one after the other.
    pub fn to_staff(&self) -> Vec<Message<'static>> {
        self.mails(|to| to == STAFF)
    }

    pub fn to_partners(&self) -> Vec<Message<'static>> {
        self.mails(|to| to != STAFF)
    }

    fn mails(&self, to: impl Fn(&str) -> bool) -> Vec<Message<'static>> {
        let seen = self.relay.seen();
        let mails = seen.accepted.iter().filter(|it| to(&it.recipient));
        mails.map(|it| MessageParser::default().parse(&it.bytes).unwrap().into_owned()).collect()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

pub fn source(web: &Web) -> String {
    format!("[[source]]\nkind = \"feed\"\nurl = \"{}\"", web.url("/feed/"))
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
