//! The console over HTTP, as staff see it: every page, on both databases, with what comes from outside at its worst.

mod again;
mod announcing;
mod api;
mod calendar;
mod correcting;
mod deciding;
mod documented;
mod editing;
mod ending;
mod entering;
mod erratum;
mod importing;
mod lasting;
mod managing;
mod matrix;
mod naming;
mod ordering;
mod pages;
mod possible;
mod previewing;
mod progress;
mod recording;
mod repairing;
mod searching;
mod serving;
mod telling;
mod testing;
mod tracing;
mod trying;
mod waiving;
mod week;
mod writing;

use crate::editions::add;
use crate::support::house::{AT, House, ISSUE, On, Relay};
use semainier::{
    accounts::{Language, Permission, Roles, UserId, Viewer},
    app::App,
    clock::Clock,
    config::Config,
    domain::Timestamp,
    store::Access,
    toml_reader::Overrides,
    web::console::{Console, serve_as},
};
use std::{
    collections::HashMap,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// What somebody may write into a spreadsheet, an article, an order, or a relay into its reply.
const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}&lt;b&gt;";
/// Ten minutes after the agenda left.
const NOW: &str = "2027-07-10T06:10:00Z";

const MARIE: &str = "marie@gite.example";
const PAUL: &str = "paul@hotel.example";
const ANNE: &str = "anne@musee.example";
const ZOE: &str = "zoe@wanadoo.fr";

/// A console that is served to one viewer, on a ledger of either database.
struct Desk {
    house: House,
    host: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    _relay: Relay,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// What a reader sees, with one kind of blank.
    fn words(&self) -> String {
        let document = scraper::Html::parse_document(&self.text());
        let main = scraper::Selector::parse("main").unwrap();
        let text: String = document.select(&main).flat_map(|main| main.text()).collect::<Vec<_>>().join(" ");
        text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['\u{a0}', '\u{202f}'], " ")
    }

    fn expect(self, status: u16, words: &[&str]) -> Self {
        let said = self.words();
        assert_eq!(self.status, status, "{said}");
        for it in words {
            assert!(said.contains(it), "{it} is not in\n{said}");
        }
        self
    }
}

fn viewer(language: Language) -> Viewer {
    Viewer {
        user: UserId("u".to_owned()),
        name: format!("Claire {EVIL}"),
        roles: Roles::of([Permission::See]),
        language,
        form_token: String::new(),
        ends: None,
    }
}

impl Desk {
    /// An office with everything in it.
    fn busy(on: On) -> Self {
        let (house, relay) = busy(on);
        Self::open(house, relay, Some(viewer(Language::French)), NOW)
    }

    fn open(house: House, relay: Relay, viewer: Option<Viewer>, now: &str) -> Self {
        let (host, stop, thread) = serve(house.path("semainier.toml"), viewer, now);
        Self { house, host, stop, thread: Some(thread), _relay: relay }
    }

    /// The same office, whose console was started again with the configuration as it is now.
    fn again(mut self, viewer: Viewer, now: &str) -> Self {
        self.stop.cancel();
        self.thread.take().unwrap().join().unwrap();
        let (host, stop, thread) = serve(self.house.path("semainier.toml"), Some(viewer), now);
        (self.host, self.stop, self.thread) = (host, stop, Some(thread));
        self
    }

    fn get(&self, path: &str) -> Reply {
        ask(&self.host, "GET", path)
    }
}

/// A console of its own for this configuration: its host, what stops it, and its thread.
fn serve(path: std::path::PathBuf, viewer: Option<Viewer>, now: &str) -> (String, CancellationToken, JoinHandle<()>) {
    let (stop, (tell, told)) = (CancellationToken::new(), std::sync::mpsc::channel());
    let stopped = stop.clone();
    let now: Timestamp = now.parse().unwrap();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let text = std::fs::read_to_string(&path).unwrap();
            let config = Config::parse(Some(&path), &text, &Overrides::default()).unwrap();
            let engine = App::new(config, Clock::starting_at(now)).unwrap().open(Access::Shared).await.unwrap();
            let console = Arc::new(Console::new(&engine, Default::default(), stopped).unwrap());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().to_string()).unwrap();
            serve_as(console, viewer, listener).await.unwrap();
        });
    });
    let host = told.recv_timeout(Duration::from_secs(60)).unwrap();
    (host, stop, thread)
}

fn ask(host: &str, method: &str, path: &str) -> Reply {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    parsed(&all)
}

fn parsed(all: &[u8]) -> Reply {
    let end = all.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {all:?}"));
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Reply { status, headers: headers.collect(), body: all[end + 4..].to_vec() }
}

/// In SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn millis(at: &str) -> i64 {
    at.parse::<Timestamp>().unwrap().timestamp_millis()
}

/// Four partners, an agenda in every state of a delivery, issues in every state, an edition with orders, lanes in trouble.
fn busy(on: On) -> (House, Relay) {
    let relay = Relay::start();
    let house = House::on(on).relay(&relay).set("office.email", "bonjour@ot.test").set("office.name", EVIL);
    house.write("jobs/editions.toml", include_str!("../../jobs/editions.toml"));
    let field = format!("\"{}\"", EVIL.replace('"', "\"\""));
    let mut csv = "email;nom;etablissement;commune;catégorie;adresse;téléphone\n".to_owned();
    csv += &format!("{MARIE};Éloïse;Gîte du Pré {};Pavie;hébergement;2, chemin du Pré;05 62 00 00 01\n", "é".repeat(3));
    csv += &format!("{PAUL};{field};{field};{field};{field};{field};{field}\n");
    csv += &format!("{ANNE};Anne;;Auch;musée;;\n{ZOE};Zoé;Chez Zoé;L’Isle-Jourdain;restauration;;\n");
    house.write("partners.csv", csv);
    house.semainier(&["partners", "import", "partners.csv"]).expect(0);
    house.run().expect(0);
    add(&house, 1000, "").expect(0);
    let evil = quoted(EVIL);
    let at = millis("2027-07-10T06:00:00Z");
    let delivery = |address: &str, state: &str| {
        format!(
            "UPDATE deliveries SET state = '{state}', next_at = NULL WHERE recipient_key = '{address}' AND issue = '{ISSUE}';"
        )
    };
    let said = |address: &str, outcome: &str, phase: &str, code: &str, words: &str| {
        format!(
            "UPDATE attempts SET outcome = '{outcome}', phase = '{phase}', code = {code}, enhanced = NULL, text = {words}
                WHERE delivery IN (SELECT id FROM deliveries WHERE recipient_key = '{address}' AND issue = '{ISSUE}');"
        )
    };
    house.sql(
        &[
            delivery(PAUL, "failed"),
            said(PAUL, "refused", "rcpt", "550", &quoted(&format!("5.1.1 OFR_416 no such user {EVIL}"))),
            delivery(ANNE, "unknown"),
            said(ANNE, "unknown", "dot", "NULL", &evil),
            delivery(ZOE, "suppressed"),
            format!(
                "UPDATE deliveries SET changed_at = {at} WHERE issue = '{ISSUE}'; UPDATE attempts SET at = {at};
                UPDATE issues SET closed_at = {at} WHERE key = '{ISSUE}' AND closed_at IS NOT NULL;"
            ),
            format!("UPDATE issues SET subject = {evil} WHERE key = '{ISSUE}';"),
        ]
        .concat(),
    );
    // An issue in each other state, some of them with content.
    let issue = |key: &str, state: &str, frozen: bool, hash: bool, hours: i64| {
        format!(
            "INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at, frozen_at, closed_at,
                subject, content_hash)
            VALUES ('{key}', 'agenda', '{state}', {evil}, {}, {}, {at}, {}, {}, {evil}, {});",
            at + hours * 3_600_000,
            at + (hours + 12) * 3_600_000,
            if frozen { at.to_string() } else { "NULL".to_owned() },
            if matches!(state, "expired" | "cancelled") { at.to_string() } else { "NULL".to_owned() },
            if hash { "'c0ffee'" } else { "NULL" },
        )
    };
    house.sql(&[
        issue("agenda/2027-W29", "held", false, false, 24 * 7),
        issue("agenda/2027-W30", "awaiting_approval", false, true, 24 * 14),
        issue("agenda/2027-W31", "rehearsed", false, true, 24 * 21),
        issue("agenda/2027-W32", "approved", false, true, 24 * 28),
        issue("agenda/2027-W25", "paused", true, true, -24 * 21),
        issue("agenda/2027-W24", "expired", false, false, -24 * 28),
        issue("agenda/2027-W23", "cancelled", true, true, -24 * 35),
        issue("agenda/2027-W26", "sending", true, true, -24 * 14),
        format!("INSERT INTO approvals VALUES ('agenda/2027-W32', 'c0ffee', {evil}, {at}, NULL);
            INSERT INTO refusals VALUES ('agenda/2027-W30', 'c0ffee', 'refused', {evil}, {at}, {evil});"),
        format!("INSERT INTO skips VALUES ('agenda/2027-W33', {evil}, {evil}, {at});"),
        format!("DELETE FROM occurrences; INSERT INTO mailings VALUES ('agenda', '0 8 * * SAT', {at}) ON CONFLICT DO NOTHING;"),
        ["missed", "coalesced", "skipped", "pending"].iter().zip(1..).map(|(state, n)| format!(
            "INSERT INTO occurrences VALUES ('agenda', {}, '2027-07-0{n}T08:00+02:00[Europe/Paris]', '{state}', {evil}, NULL, {at});",
            at - n * 24 * 3_600_000
        )).collect(),
        format!("INSERT INTO lanes VALUES ('orange', '', 'paused', {evil}, {at}, NULL, '{ISSUE}', 0, NULL);"),
        format!("INSERT INTO lanes VALUES ('gmail', '{ISSUE}', 'slow', {evil}, {at}, {}, '{ISSUE}', 0, 6);", at + 7_200_000),
        format!("INSERT INTO daemons (owner, host, pid, version, started_at, seen_at)
            VALUES ('d', {evil}, 7, '1', {at}, {});", millis(NOW)),
        ["open", "delivered", "cancelled"].iter().map(|state| format!(
            "INSERT INTO orders (id, edition, contact_id, recipient_key, address, name, establishment, commune, street, packs,
                handover, remark, state, revision, confirmed, ordered_at, changed_at)
            SELECT '{state}', 'carte-2027', c.id, c.email_key, c.address, {evil}, {evil}, {evil}, {evil}, 2, 'delivery', {evil},
                '{state}', 1, 1, {at}, {at} FROM contacts c WHERE c.email_key = '{PAUL}';"
        )).collect(),
        "UPDATE editions SET ordered = 4;".to_owned(),
    ]
    .concat());
    house.semainier(&["partners", "suppress", ZOE]).expect(0);
    assert_eq!(AT, "2027-07-10T08:00");
    (house, relay)
}
