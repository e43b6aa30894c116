//! An office with its articles and its daemon, in process, with a manual clock.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use semainier::store::testing::Shortcuts;
use semainier::{
    app::{App, Engine},
    clock::Clock,
    config::Config,
    daemon::Daemon,
    domain::{Timestamp, agenda::Week, email::EmailAddress, french, issue::IssueSummary, partner::NewContact},
    jobs,
    store::{Access, Occurrence, OccurrenceState},
    toml_reader::Overrides,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub const STAFF: &str = "equipe@office.example";

pub struct Town {
    pub dir: tempfile::TempDir,
    pub clock: Clock,
    pub daemon: Daemon,
    pub stop: CancellationToken,
}

/// An instant, as `2026-07-04T06:00:00Z`.
pub fn at(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().unwrap_or_else(|why| panic!("{text}: {why}"))
}

pub const NO_MAILS_BY_THE_CLOCK: &str = "[staff_mails]\neve = 'off'\nsummary = 'off'\n";

/// A mailing whose article is the file `<name>.html` of the folder; nothing to print, so that it is quick, and no mails to staff
/// but those about something that happened.
pub fn mailing(name: &str, schedule: &str) -> (String, String) {
    let text = format!(
        "title = 'Lettre {name}'\ntemplate = 'agenda'\ncovers = 'next week'\naudience = {{ subscribed = 'all' }}\n\
         source = [{{ kind = 'file', path = 'ARTICLES/{name}.html' }}]\n[schedule]\n{schedule}\n{NO_MAILS_BY_THE_CLOCK}"
    );
    (name.to_owned(), text)
}

/// What the office publishes about a week.
pub fn article(week: Week) -> String {
    let monday = week.monday();
    let published = monday - Days::new(3);
    let days = monday.iter_days().take(7).map(|day| {
        format!(
            "<h3>{}</h3><ul><li>à 10h, visite guidée d’Auch. 6 €</li><li>à 21h, concert à Pavie n° {}</li></ul>",
            french::capitalized(&french::day(day)),
            day.ordinal()
        )
    });
    let title = format!("Que faire à Auch cette semaine, semaine du {}", french::week(week));
    format!(
        "<!DOCTYPE html><html><head><title>{title}</title><meta property=\"article:published_time\" \
         content=\"{published}T16:00:00+02:00\"></head><body><article><h1>{title}</h1>{}</article></body></html>",
        days.collect::<String>()
    )
}

/// The folder of an office: `semainier.toml`, `jobs/`, `articles/`.
pub fn furnish(dir: &Path, mailings: &[(String, String)], database: Option<&str>, relay: &str, more: &str) -> PathBuf {
    for folder in ["jobs", "articles", "outbox"] {
        std::fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for (name, text) in mailings {
        let text = text.replace("ARTICLES", &dir.join("articles").display().to_string());
        std::fs::write(dir.join(format!("jobs/{name}.toml")), text).unwrap();
    }
    let path = dir.join("semainier.toml");
    let database = database.unwrap_or("sqlite://semainier.db");
    let text = format!(
        "database = '{database}'\nrelay = '{relay}'\njobs = 'jobs'\nstaff = ['{STAFF}']\nsecret = 'a secret of the tests'\n\
         public_url = 'https://partenaires.office.example'\n{more}\n[office]\nwebsite = 'https://office.example'\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

pub async fn engine(config: &Path, clock: Clock) -> Engine {
    let text = std::fs::read_to_string(config).unwrap();
    let config = Config::parse(Some(config), &text, &Overrides::default()).unwrap_or_else(|why| panic!("{why}"));
    App::new(config, clock).unwrap().open(Access::Exclusive).await.unwrap()
}

pub async fn subscribe(engine: &Engine, addresses: &[&str]) {
    let tokens = engine.tokens().await.unwrap();
    let contact = |text: &&str| {
        let address = EmailAddress::parse(text).unwrap();
        let hash = tokens.address_hash(&address);
        NewContact::new(address, hash, "", "Gîte", "Auch")
    };
    let contacts: Vec<_> = addresses.iter().map(contact).collect();
    let now = engine.app.clock.now();
    engine.store.import_contacts(&contacts, &["all".to_owned()], "test", false, now).await.unwrap();
}

impl Town {
    /// Its relay is the folder `outbox`, its partners are two.
    pub async fn at(hour: &str, mailings: &[(String, String)]) -> Self {
        Self::with_relay(hour, mailings, "capture:outbox", &["gite@pavie.example", "hotel@auch.example"]).await
    }

    pub async fn with_relay(hour: &str, mailings: &[(String, String)], relay: &str, partners: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(at(hour));
        let config = furnish(dir.path(), mailings, None, relay, "[delivery]\nconnections = 1\n");
        let engine = engine(&config, clock.clone()).await;
        subscribe(&engine, partners).await;
        let daemon = Daemon::new(engine).await.unwrap();
        let town = Self { dir, clock, daemon, stop: CancellationToken::new() };
        // The mailings are known from now on.
        town.daemon.pass(&town.stop).await;
        town
    }

    /// The daemon is gone, and another one is started in the same place: what it knows is in the ledger.
    pub async fn restarted(self) -> Self {
        let Self { dir, clock, daemon, stop } = self;
        drop(daemon);
        let engine = engine(&dir.path().join("semainier.toml"), clock.clone()).await;
        Self { dir, clock, daemon: Daemon::new(engine).await.unwrap(), stop }
    }

    pub fn engine(&self) -> Arc<Engine> {
        self.daemon.engine()
    }

    /// The files are read anew, with this change.
    pub async fn reload(&self, change: impl FnOnce(&mut App)) {
        let mut app = self.engine().app.clone();
        change(&mut app);
        self.daemon.adopt_app(app).await.unwrap();
    }

    /// The article of a mailing becomes this.
    pub fn publish(&self, mailing: &str, html: &str) {
        std::fs::write(self.dir.path().join(format!("articles/{mailing}.html")), html).unwrap();
    }

    /// The article of the coming week, on the page of a mailing.
    pub fn publish_for(&self, mailing: &str, occurrence: Timestamp) {
        let date = occurrence.with_timezone(&chrono_tz::Europe::Paris).date_naive();
        self.publish(mailing, &article(Week::after(date)));
    }

    pub fn nothing_published(&self, mailing: &str) {
        let _ = std::fs::remove_file(self.dir.path().join(format!("articles/{mailing}.html")));
    }

    /// The clock is set, back or forth, and the daemon looks once.
    pub async fn pass_at(&self, hour: Timestamp) {
        self.clock.advance(hour - self.clock.now());
        self.daemon.pass(&self.stop).await;
    }

    /// A pass every so often, to the end included: like the ticker.
    pub async fn live_until(&self, end: Timestamp, step: TimeDelta) {
        while self.clock.now() < end {
            self.pass_at((self.clock.now() + step).min(end)).await;
        }
    }

    /// The schedule of a mailing is edited, as in its file at a reload.
    pub async fn reschedule(&mut self, mailing: &str, schedule: &str) {
        let (_, text) = self::mailing(mailing, schedule);
        let text = text.replace("ARTICLES", &self.dir.path().join("articles").display().to_string());
        let change = |app: &mut App| {
            let new = jobs::parse(Path::new(&format!("{mailing}.toml")), &text, &app.config, app.clock.now()).unwrap();
            let old = app.mailings.iter_mut().find(|it| it.id == mailing).unwrap();
            *old = new;
        };
        self.reload(change).await;
    }

    /// The oldest first.
    pub async fn occurrences(&self, mailing: &str) -> Vec<Occurrence> {
        let mut all = self.engine().store.occurrences(Some(mailing), 10_000).await.unwrap();
        all.reverse();
        all
    }

    /// `2026-07-04T08:00 done`: the oldest first.
    pub async fn diary(&self, mailing: &str) -> Vec<String> {
        let line = |it: Occurrence| format!("{} {}", &it.local[..16], it.state.as_str());
        self.occurrences(mailing).await.into_iter().map(line).collect()
    }

    pub async fn last(&self, mailing: &str) -> (OccurrenceState, String) {
        let last = self.occurrences(mailing).await.pop().unwrap();
        (last.state, last.reason.unwrap_or_default())
    }

    pub async fn issue(&self, key: &str) -> Option<IssueSummary> {
        let key = semainier::domain::issue::IssueKey::parse(key).unwrap();
        self.engine().store.issue(&key).await.unwrap()
    }

    /// Names of captured mails to an address that hold these words.
    pub fn mails(&self, to: &str, words: &str) -> usize {
        let to: String = to.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let names = std::fs::read_dir(self.dir.path().join("outbox")).unwrap();
        let names = names.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(&format!("{to}_")) && name.contains(words)).count()
    }

    /// The text of the newest captured mail to an address whose name holds these words.
    pub fn text_of(&self, to: &str, words: &str) -> String {
        let to: String = to.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let files = std::fs::read_dir(self.dir.path().join("outbox")).unwrap().map(|it| it.unwrap());
        let is_meant = |name: String| name.starts_with(&format!("{to}_")) && name.contains(words);
        let files = files.filter(|it| is_meant(it.file_name().to_string_lossy().into_owned()));
        let newest = files.max_by_key(|it| it.metadata().unwrap().modified().unwrap()).expect("such a mail");
        let bytes = std::fs::read(newest.path()).unwrap();
        let message = mail_parser::MessageParser::new().parse(&bytes).unwrap();
        message.body_text(0).unwrap().replace("\r\n", "\n")
    }

    /// How often staff were told of an issue, such as `agenda-2026-w28-held`.
    pub fn told(&self, of: &str) -> usize {
        self.mails(STAFF, of)
    }
}

/// The Saturdays of a summer, at 8 in Paris.
pub fn summer_saturdays(year: i32) -> Vec<Timestamp> {
    let first = NaiveDate::from_ymd_opt(year, 7, 1).unwrap();
    let summer = first.iter_days().take_while(|day| day.month() < 9);
    let saturdays = summer.filter(|day| day.weekday() == chrono::Weekday::Sat);
    saturdays.map(|day| day.and_hms_opt(6, 0, 0).unwrap().and_utc()).collect()
}
