//! `semainier.toml`: where things are, and who the office is. Parsed once, every problem at once; see [`crate::toml_reader`].

use crate::deliver::Relay;
use crate::domain::{
    email::{EmailAddress, ReturnPath},
    lane::{Family, Lanes, Limits},
    office::Office,
};
use crate::inbound;
use crate::listen::ConsoleSettings;
use crate::look::Print;
use crate::secret::{Credential, SecretPlace};
use crate::signing::Keys;
use crate::toml_reader::{File, Overrides, Problem, Problems, Section};
use crate::trust::Authorities;
use crate::watch::{Alert, Metrics};
use chrono::TimeDelta;
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{HashMap, hash_map::Entry};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// The names a configuration is looked for under when none is given.
pub const PLACES: [&str; 2] = ["semainier.toml", "/etc/semainier/semainier.toml"];

/// Everything an operator sets. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; `None` for the built-in defaults.
    pub file: Option<PathBuf>,
    /// `sqlite://…` or `postgres://…`
    pub database: SecretString,
    /// `smtp://…`, `smtps://…` or `capture:DIR`; without one nothing can be sent.
    pub relay: Option<SecretString>,
    pub relay_password: Option<Credential>,
    /// Certificates that the relay may have beside those the system trusts.
    pub relay_ca: Authorities,
    /// Keys the unsubscribe links and the suppression list; made and kept beside an SQLite file when not given. Read where it is
    /// needed: see [`Self::secret_place`].
    pub secret: Option<Credential>,
    /// Keys of links; see [`crate::secret::read_link_keys`]. None: the secret makes them.
    pub link_keys_file: Option<PathBuf>,
    /// Directory of mailings; the built-in ones if it does not exist.
    pub jobs: Option<PathBuf>,
    /// Directory of templates; the built-in ones if it does not exist, and for each file it lacks.
    pub templates: Option<PathBuf>,
    pub zone: Tz,
    /// Where partners reach our pages: unsubscribe, online agenda. `https` but for loopback.
    pub public_url: Url,
    /// Addresses notified when a mailing is held.
    pub staff: Vec<EmailAddress>,
    pub office: Office,
    /// The office's own commune.
    pub commune: String,
    /// Venues of that commune, as articles call them: before these the commune is shown where an article names none.
    pub venues: Vec<String>,
    pub sender: Sender,
    /// The keys that sign messages; none: the relay signs.
    pub dkim: Keys,
    pub fetch: Fetch,
    pub delivery: Delivery,
    pub inbound: inbound::Settings,
    /// Families of recipient domains: the built-in ones, changed and added to.
    pub lanes: Lanes,
    pub print: Print,
    pub web: Web,
    pub console: ConsoleSettings,
    pub alert: Alert,
    pub metrics: Metrics,
    pub log: Log,
}

/// The pages partners reach. TLS is the work of a proxy before them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Web {
    /// Where `serve` listens; without it no page is served.
    pub bind: Option<SocketAddr>,
    /// Proxies whose `X-Request-Id` is taken over.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Who writes, where a mailing does not say otherwise.
#[derive(Debug, Clone)]
pub struct Sender {
    pub name: String,
    pub address: EmailAddress,
    pub reply_to: Option<EmailAddress>,
    /// `MAIL FROM`: where bounces go. Default: the sender's address.
    pub return_path: Option<ReturnPath>,
}

impl Sender {
    /// `MAIL FROM` of a mailing that `from` sends.
    pub fn return_path_of(&self, from: &EmailAddress) -> ReturnPath {
        self.return_path.clone().unwrap_or_else(|| from.clone().into())
    }
}

#[derive(Debug, Clone)]
pub struct Fetch {
    /// Hosts, or host:port, that may be fetched though their address is private or loopback.
    pub allow: Vec<String>,
    /// For one whole request.
    pub timeout: TimeDelta,
    /// After decompression.
    pub max_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// SMTP connections at once.
    pub connections: usize,
    /// What EHLO says we are; `None`: the name of this machine, or its address where that name has no dot.
    pub hello: Option<String>,
    pub messages_per_connection: u32,
    /// How many messages of an issue are answered before the rest leaves; 0: none.
    pub canary: u32,
    /// How long a stop waits for deliveries past their marker.
    pub shutdown: TimeDelta,
    /// How long the relay may take to answer the final dot. RFC 5321 4.5.3.2.6 asks for ten minutes; less makes doubts.
    pub dot_timeout: TimeDelta,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// A `tracing` filter: `info`, `semainier=debug`. `None`: `info` for the daemon, warnings for commands.
    pub level: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// The public address of a page; `path` has no leading slash.
    pub fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// The same; `None` where no pages are served.
    pub fn page(&self, path: &str) -> Option<String> {
        self.web.bind.map(|_| self.address(path))
    }

    /// The ledger's file; `None` on Postgres.
    pub fn database_file(&self) -> Option<&Path> {
        self.database.expose_secret().strip_prefix("sqlite://").map(Path::new)
    }

    /// Where the secret is.
    pub fn secret_place(&self) -> SecretPlace {
        match (&self.secret, self.database_file()) {
            (Some(credential), _) => SecretPlace::Configured(credential.clone()),
            (None, Some(database)) => SecretPlace::Beside(database.with_extension("secret")),
            (None, None) => SecretPlace::Nowhere,
        }
    }

    /// The configured one, if there is one.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn read_relay_password(&self) -> io::Result<Option<SecretString>> {
        self.relay_password.as_ref().map(Credential::read).transpose()
    }

    /// Reads `path`, or the first of [`PLACES`] that exists, or takes the defaults.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Self, Problems> {
        let path = path.map(Path::to_owned).or_else(|| PLACES.iter().map(PathBuf::from).find(|place| place.exists()));
        let text = match &path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|why| {
                let message = format!("cannot be read: {why}");
                Problems(vec![Problem { place: path.display().to_string(), key: String::new(), message }])
            })?,
        };
        Self::parse(path.as_deref(), &text, overrides)
    }

    /// Folder of the files kept beside the ledger: the folder of the SQLite file; with Postgres the directory of the service,
    /// where systemd names one.
    pub fn state_directory(&self) -> Option<PathBuf> {
        match self.database.expose_secret().strip_prefix("sqlite://") {
            Some(path) => {
                let folder = Path::new(path.split('?').next().unwrap_or(path)).parent()?;
                Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
            }
            None => std::env::var("STATE_DIRECTORY").ok()?.split(':').next().map(PathBuf::from),
        }
    }

    /// The office's site, where its articles are.
    pub fn website(&self) -> Url {
        let site = self.office.website.as_deref().unwrap_or(EXAMPLE_SITE);
        site.parse().unwrap_or_else(|_| example(EXAMPLE_SITE))
    }

    /// What runs, but not as a real office would want it: defaults that only an example can have.
    pub fn warnings(&self) -> Vec<String> {
        let example = self.has_default_public_url();
        [
            (
                self.relay.is_none(),
                "relay is not set: nothing can be sent; write relay = \"smtp://…\" or \"capture:DIR\"",
            ),
            (
                self.web.bind.is_none() && !example,
                "web.bind is not set: the pages under public_url, unsubscribe links among them, are not served by us",
            ),
            (example, "public_url is not set: unsubscribe links lead nowhere; write public_url = \"https://…\""),
            (self.has_default_sender(), "sender.address is not set: mails come from an example address"),
            (self.office.website.is_none(), "office.website is not set: the article is looked for on an example site"),
            (
                self.console.is_behind_a_proxy() && self.web.trusted_proxies.is_empty(),
                "web.trusted_proxies is empty: failed logins to the console count as if all came from one network",
            ),
            (self.staff.is_empty(), "staff is empty: nobody is notified when a mailing is held"),
        ]
        .into_iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, text)| text.to_owned())
        .collect()
    }

    /// Nobody wrote another.
    pub fn has_default_public_url(&self) -> bool {
        self.public_url == example(EXAMPLE_PUBLIC_URL)
    }

    /// Nobody wrote another.
    pub fn has_default_sender(&self) -> bool {
        default_sender().is_ok_and(|default| default == self.sender.address)
    }

    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(path: Option<&Path>, text: &str, overrides: &Overrides) -> Result<Self, Problems> {
        let name = path.map_or_else(|| "built-in configuration".to_owned(), |p| p.display().to_string());
        let file = File::parse(name, text, overrides);
        let config = read(&file, path);
        match (config, file.problems()) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(Problems(problems)),
        }
    }
}

/// `None` only where there is a problem as well.
fn read(file: &File, path: Option<&Path>) -> Option<Config> {
    // Paths are relative to the file's folder, so that a service finds them whatever its working directory.
    let base = path.and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
    let root = file.root();
    let office = root.section("office");
    let sender = root.section("sender");
    let fetch = root.section("fetch");
    let delivery = root.section("delivery");
    let inbound = root.section("inbound");
    let print = root.section("print");
    let web = root.section("web");
    let console = root.section("console");
    let alert = root.section("alert");
    let metrics = root.section("metrics");
    let log = root.section("log");

    let directory = |key| {
        root.parsed(key, |text| {
            let dir = base.join(text);
            if dir.is_dir() { Ok(dir) } else { Err(format!("expected a directory, {} is not one", dir.display())) }
        })
    };
    let relay_password = credential(&root, "relay_password", &base);
    let bind = web
        .parsed("bind", |text| text.parse().map_err(|_| "expected an address and a port such as \"127.0.0.1:8080\""));
    // Read now: every command that opens the database needs it, reading ones too.
    let database_password = credential(&root, "database_password", &base)
        .and_then(|password| password.read().map_err(|why| root.problem("database_password", format!("{why:#}"))).ok());
    if database_password.is_some() && !root.has("database") {
        root.problem("database_password", "only for Postgres; write database = \"postgres://USER@HOST/DATABASE\"");
    }
    let public_url = root.parsed("public_url", public_url).unwrap_or_else(|| example(EXAMPLE_PUBLIC_URL));
    let metrics_settings = Metrics::read(&metrics, bind);
    let office_name = office.line("name");
    let config = Config {
        file: path.map(Path::to_owned),
        database: root
            .parsed("database", |text| database_url(text, database_password.as_ref(), &base))
            .unwrap_or_else(|| format!("sqlite://{}", base.join("semainier.db").display()).into()),
        relay: root.parsed("relay", |text| relay_url(text, relay_password.as_ref(), &base)),
        relay_password,
        relay_ca: root.parsed("relay_ca_file", |text| Authorities::read(&base.join(text))).unwrap_or_default(),
        secret: credential(&root, "secret", &base),
        link_keys_file: root.text("link_keys_file").map(|text| base.join(text)),
        jobs: directory("jobs"),
        templates: directory("templates"),
        zone: root.parsed("zone", parse_zone).unwrap_or(Tz::Europe__Paris),
        console: ConsoleSettings::read(&console, &[bind, metrics_settings.bind], &public_url),
        public_url,
        staff: root.value("staff", |raw| addresses(&raw.texts()?)).unwrap_or_default(),
        commune: office.line("commune").unwrap_or_else(|| "Auch".to_owned()),
        venues: office.lines("venues").unwrap_or_default(),
        office: Office {
            name: office_name.clone().unwrap_or_else(|| "Office de tourisme".to_owned()),
            address: office.line("address"),
            phone: office.line("phone"),
            email: office.line("email"),
            website: office.parsed("website", website),
            opening_hours: office.line("opening_hours"),
        },
        sender: Sender {
            name: sender.line("name").or(office_name).unwrap_or_else(|| "Office de tourisme".to_owned()),
            address: sender.parsed("address", EmailAddress::parse).or_else(|| default_sender().ok())?,
            reply_to: sender.parsed("reply_to", EmailAddress::parse),
            return_path: sender.parsed("return_path", ReturnPath::parse),
        },
        dkim: Keys::read(root.sections("dkim"), &base),
        fetch: Fetch {
            allow: fetch.texts("allow").unwrap_or_default(),
            timeout: fetch.duration("timeout").unwrap_or(TimeDelta::seconds(60)),
            max_bytes: number(&fetch, "max_bytes", 1024..=1 << 30, 10 << 20),
        },
        delivery: Delivery {
            connections: number(&delivery, "connections", 1..=100, 4),
            hello: delivery.parsed("hello", host_name),
            messages_per_connection: number(&delivery, "messages_per_connection", 1..=10_000, 100),
            canary: number(&delivery, "canary", 0..=1000, 10),
            shutdown: delivery.duration("shutdown").unwrap_or(TimeDelta::seconds(60)),
            dot_timeout: delivery.duration("dot_timeout").unwrap_or(TimeDelta::seconds(600)),
        },
        inbound: inbound::Settings::read(&inbound, &base),
        lanes: lanes(&root),
        print: Print::read(&print, &base),
        web: Web {
            bind,
            trusted_proxies: web.value("trusted_proxies", |raw| ip_addresses(&raw.texts()?)).unwrap_or_default(),
        },
        alert: Alert::read(&alert, credential(&alert, "webhook_secret", &base)),
        metrics: metrics_settings,
        log: Log { format: log.parsed("format", log_format).unwrap_or(LogFormat::Text), level: log.text("level") },
    };
    for section in [office, sender, fetch, delivery, inbound, print, web, console, alert, metrics, log, root] {
        section.finish();
    }
    Some(config)
}

/// A `[[lane]]` of a known name changes that lane; another one is new and needs domains; `others` is any other domain.
/// A domain listed here leaves its built-in lane; listed twice it is ambiguous, and refused.
fn lanes(root: &Section) -> Lanes {
    let known = Lanes::default();
    let (mut families, mut others) = (known.families().to_vec(), known.others());
    let mut written = Written::default();
    for lane in root.sections("lane") {
        let name = lane.required("name", "\"orange\"", |raw| raw.text()).unwrap_or_default();
        written.once(&lane, "name", &name, &name);
        let place = families.iter().position(|family| family.name == name);
        let before = match place {
            Some(n) => families[n].limits,
            None => others,
        };
        let limits = Limits {
            connections: number(&lane, "connections", 1..=100, before.connections),
            messages_per_connection: number(
                &lane,
                "messages_per_connection",
                1..=10_000,
                before.messages_per_connection,
            ),
            per_minute: lane
                .whole("per_minute", 1..=1_000_000)
                .and_then(|n| u32::try_from(n).ok())
                .or(before.per_minute),
        };
        let domains = lane.texts("domains").map(|it| it.iter().map(|domain| domain.to_lowercase()).collect::<Vec<_>>());
        for domain in domains.iter().flatten() {
            written.once(&lane, "domains", domain, &name);
            families.iter_mut().for_each(|family| family.domains.retain(|it| it != domain));
        }
        match (place, domains) {
            _ if name == "others" => others = limits,
            (Some(n), None) => families[n].limits = limits,
            (Some(n), Some(domains)) => families[n] = Family { name, domains, limits },
            (None, Some(domains)) if !domains.is_empty() => families.push(Family { name, domains, limits }),
            (None, _) => {
                lane.problem("domains", "missing; write for example domains = [\"orange.fr\", \"wanadoo.fr\"]")
            }
        }
        lane.finish();
    }
    Lanes::new(families, others)
}

/// The names and domains of the lanes read so far, each with its lane and where it is written.
#[derive(Default)]
struct Written(HashMap<(&'static str, String), (String, String)>);

impl Written {
    /// Records a problem that names both places when it is not the first.
    fn once(&mut self, lane: &Section, key: &'static str, what: &str, name: &str) {
        match self.0.entry((key, what.to_owned())) {
            Entry::Vacant(entry) => {
                entry.insert((name.to_owned(), lane.place(key)));
            }
            Entry::Occupied(entry) => {
                let (other, place) = entry.get();
                let twice = match key {
                    "name" => format!("the lane {what:?} is written twice: also at {place}; keep one"),
                    _ => format!("{what} is written twice: also in lane {other:?} at {place}; keep it in one"),
                };
                lane.problem(key, twice);
            }
        }
    }
}

fn number<T: TryFrom<i64>>(section: &Section, key: &str, bounds: std::ops::RangeInclusive<i64>, default: T) -> T {
    section.whole(key, bounds).and_then(|n| T::try_from(n).ok()).unwrap_or(default)
}

/// A secret in place, or in the file that `KEY_file` names, which is read where it is needed.
fn credential(section: &Section, key: &str, base: &Path) -> Option<Credential> {
    let file_key = format!("{key}_file");
    let place = |key: &str| section.place(key);
    let in_file =
        section.text(&file_key).map(|text| Credential::File { path: base.join(text), place: place(&file_key) });
    let in_place = section.text(key).map(|text| Credential::Given { value: text.into(), place: place(key) });
    if in_place.is_some() && in_file.is_some() {
        section.problem(key, format!("given twice; write either {key} or {file_key}"));
    }
    in_place.or(in_file)
}

fn ip_addresses(texts: &[String]) -> Result<Vec<IpAddr>, String> {
    texts.iter().map(|t| t.parse().map_err(|_| format!("expected an address such as 127.0.0.1, found {t:?}"))).collect()
}

pub(crate) fn parse_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("expected the name of a time zone such as Europe/Paris, found {text:?}"))
}

fn database_url(text: &str, password: Option<&SecretString>, base: &Path) -> Result<SecretString, &'static str> {
    match text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
        Some("") => Err("expected a path after sqlite://"),
        Some(_) if password.is_some() => Err("database_password is only for Postgres"),
        Some(path) => Ok(format!("sqlite://{}", base.join(path).display()).into()),
        None if text.starts_with("postgres://") || text.starts_with("postgresql://") => postgres_url(text, password),
        None => Err("expected sqlite://PATH or postgres://USER@HOST/DATABASE"),
    }
}

/// As libpq reads it: `postgres://USER@/DATABASE?host=/var/run/postgresql` names no host before the slash, which no URL may.
fn postgres_url(text: &str, password: Option<&SecretString>) -> Result<SecretString, &'static str> {
    let mut url: Url = text.replacen("@/", "@localhost/", 1).parse().map_err(|_| {
        "expected postgres://USER@HOST/DATABASE, or with a socket postgres://USER@/DATABASE?host=/var/run/postgresql"
    })?;
    if let Some(password) = password {
        if url.password().is_some() {
            return Err("the password is given twice; leave it out here, or leave out database_password");
        }
        url.set_password(Some(password.expose_secret())).map_err(|()| "a password needs a host before it")?;
    }
    Ok(String::from(url).into())
}

fn relay_url(text: &str, password: Option<&Credential>, base: &Path) -> Result<SecretString, String> {
    let resolved = match text.strip_prefix("capture:") {
        Some(dir) if !dir.is_empty() => format!("capture:{}", base.join(dir).display()),
        _ => text.to_owned(),
    };
    // Parsed again where it is used: there it becomes a type of the delivery stage. Here only its errors matter.
    // The password may be in a file that this command cannot read, and does not need.
    let password = password.map(|_| SecretString::from("a password".to_owned()));
    Relay::parse(&resolved, password.as_ref()).map_err(|why| why.to_string())?;
    Ok(resolved.into())
}

fn public_url(text: &str) -> Result<Url, String> {
    let bad = |why: &str| format!("expected an address such as https://partenaires.office.example, {why}");
    let url: Url = text.parse().map_err(|_| bad("this is not one"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    match url.scheme() {
        "https" => Ok(url),
        "http" if matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") => Ok(url),
        "http" => Err(bad("unsubscribe links must be https (RFC 8058)")),
        _ => Err(bad("this is not one")),
    }
}

/// A name other mail servers can look up (RFC 5321 4.1.1.1).
fn host_name(text: &str) -> Result<String, &'static str> {
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) if name.contains('.') && name == text => Ok(name),
        _ => Err("expected the full name of this machine in small letters, such as \"lettre.office.example\""),
    }
}

fn website(text: &str) -> Result<String, &'static str> {
    let web = |url: &Url| matches!(url.scheme(), "https" | "http");
    let found = text.parse::<Url>().ok().filter(web);
    found.map(|_| text.to_owned()).ok_or("expected an address such as https://office.example")
}

/// Default values; `.example` is a reserved domain (RFC 2606).
const EXAMPLE_SITE: &str = "https://office.example";
const EXAMPLE_PUBLIC_URL: &str = "https://partenaires.office.example";

#[expect(clippy::expect_used, reason = "literals of this file")]
fn example(literal: &str) -> Url {
    literal.parse().expect("a literal")
}

fn default_sender() -> Result<EmailAddress, crate::domain::email::InvalidAddress> {
    EmailAddress::parse("partenaires@office.example")
}

fn addresses(texts: &[String]) -> Result<Vec<EmailAddress>, String> {
    texts.iter().map(|t| EmailAddress::parse(t).map_err(|why| format!("{t:?}: {why}"))).collect()
}

fn log_format(text: &str) -> Result<LogFormat, &'static str> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected \"text\" or \"json\""),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
