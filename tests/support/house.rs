//! The program as a user runs it: the real binary in a temporary folder with its own ledger, and helpers to run commands.
//!
//! Also the oracle of every sending test: the join of the relay's ledger and ours.

use super::{postgres, serve::Serve, web::Web};
use chrono::{Days, NaiveDate};
use semainier::domain::french;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

pub use super::{
    process::{Done, finish, signal, until},
    relay::Relay,
};

/// The Saturday at which everything here happens, and the Monday it announces.
pub const AT: &str = "2027-07-10T08:00";
pub const MONDAY: &str = "2027-07-12";
pub const ISSUE: &str = "agenda/2027-W28";
/// A week later.
pub const NEXT_AT: &str = "2027-07-17T08:00";
pub const NEXT_MONDAY: &str = "2027-07-19";

pub const STAFF: &str = "communication@ot.test";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

pub const BOTH: [On; 2] = [On::Sqlite, On::Postgres];

/// A folder with a `semainier.toml`, mailings, and a ledger.
pub struct House {
    folder: tempfile::TempDir,
    settings: BTreeMap<String, Value>,
    environment: BTreeMap<String, String>,
    on: On,
    database: Option<postgres::Database>,
}

/// How many deliveries are in each state.
pub type States = BTreeMap<String, usize>;

fn states_of(log: Vec<Delivery>) -> States {
    let mut states = States::new();
    for delivery in log {
        *states.entry(delivery.state).or_default() += 1;
    }
    states
}

/// A row of `log --json`. Nothing but what the contract names, and the id that `resolve` asks for.
#[derive(Debug, Clone, Deserialize)]
pub struct Delivery {
    pub issue: String,
    pub address: String,
    pub state: String,
    pub message_id: String,
    pub attempts: Vec<Attempt>,
    pub id: String,
    pub next_at: Option<String>,
    pub resends: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Attempt {
    pub n: u32,
    pub at: String,
    pub phase: String,
    pub code: Option<u16>,
    pub enhanced: Option<String>,
    pub text: Option<String>,
    pub outcome: String,
}

impl House {
    /// On SQLite, with the mailing as it is shipped but for what is printed and for the rehearsal: a message is small then,
    /// and made fast.
    pub fn new() -> Self {
        Self::on(On::Sqlite)
    }

    pub fn on(on: On) -> Self {
        Self::with_database((on == On::Postgres).then(|| block_on(postgres::Database::create())))
    }

    /// On this database of Postgres; on SQLite without one.
    pub fn with_database(database: Option<postgres::Database>) -> Self {
        let on = if database.is_some() { On::Postgres } else { On::Sqlite };
        let url = database.as_ref().map_or("sqlite://semainier.db", |database| &database.url);
        let settings = [
            ("database", json!(url)),
            ("jobs", json!("jobs")),
            ("public_url", json!("https://partenaires.ot.test")),
            ("staff", json!([STAFF])),
            ("office.name", json!("Office de tourisme")),
            ("sender.address", json!("partenaires@ot.test")),
            ("secret", json!("a secret for tests")),
        ];
        let house = Self {
            folder: folder(),
            settings: settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            environment: BTreeMap::new(),
            on,
            database,
        };
        let shipped = include_str!("../../jobs/agenda.toml");
        let light = shipped.lines().filter(|line| !line.starts_with("attach") && !line.starts_with("rehearse"));
        let light = light.collect::<Vec<_>>().join("\n");
        assert_ne!(light, shipped.trim_end(), "the mailing attaches what is printed");
        house.write("jobs/agenda.toml", light);
        house.configure();
        house
    }

    /// With the mailing exactly as it is shipped, poster and booklet included.
    pub fn with_the_shipped_mailing(mut self) -> Self {
        self.settings.remove("jobs");
        self.configure();
        self
    }

    pub fn relay(self, relay: &Relay) -> Self {
        let url = relay.url();
        self.set("relay", url)
    }

    /// The office's site is this one.
    pub fn site(self, web: &Web) -> Self {
        let (host, url) = (web.host(), web.url("/").to_string());
        self.set("office.website", url).set("fetch.allow", json!([host]))
    }

    /// `key` as in `delivery.connections`.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(key.to_owned(), value.into());
        self.configure();
        self
    }

    /// As if it had never been set.
    pub fn without(mut self, key: &str) -> Self {
        self.settings.remove(key);
        self.configure();
        self
    }

    /// For every command from now on.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// JSON's texts, numbers and lists are TOML's too.
    fn configure(&self) {
        let lines = self.settings.iter().fold(String::new(), |mut text, (key, value)| {
            let _ = writeln!(text, "{key} = {value}");
            text
        });
        self.write("semainier.toml", lines);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    // --- what a user does ---

    /// Not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_semainier"));
        command.args(args).current_dir(self.folder.path()).env_clear().env("USER", "nadine");
        command.envs(std::env::vars().filter(|(name, _)| matches!(name.as_str(), "PATH" | "HOME" | "TMPDIR")));
        command.envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The daemon, whose log is listened to.
    pub fn serve(&self) -> Serve {
        Serve::spawn(self.command(&["serve"]))
    }

    pub fn semainier(&self, args: &[&str]) -> Done {
        finish(self.command(args).spawn().unwrap(), args)
    }

    /// Runs it in the background, to be ended by [`finish`].
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    pub fn import(&self, addresses: &[impl AsRef<str>]) {
        let mut csv = "email;nom;etablissement;commune\n".to_owned();
        for (n, address) in addresses.iter().enumerate() {
            let _ = writeln!(csv, "{};Éloïse {n};Gîte n° {n};Auch", address.as_ref());
        }
        self.write("partners.csv", csv);
        self.semainier(&["partners", "import", "partners.csv"]).expect(0);
    }

    /// `partenaire1@gite.example` and so on.
    pub fn import_many(&self, n: usize) {
        self.import(&(1..=n).map(|n| format!("partenaire{n}@gite.example")).collect::<Vec<_>>());
    }

    /// The agenda of [`AT`] with an article of the right week.
    pub fn run(&self) -> Done {
        self.run_at(AT, &article(MONDAY))
    }

    pub fn run_at(&self, at: &str, article: &str) -> Done {
        self.write("article.html", article);
        self.semainier(&["run", "agenda", "--at", at, "--article", "article.html", "--yes"])
    }

    /// With the article of the site.
    pub fn run_from_site(&self) -> Done {
        self.semainier(&["run", "agenda", "--at", AT, "--yes"])
    }

    /// The daemon works until it is so, then is asked to stop, and stops in peace.
    pub fn serve_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let daemon = self.start(&["serve"]);
        until(what, is_so);
        signal(daemon.id(), "TERM");
        finish(daemon, &["serve"]).expect(0).expect_said(&["nothing in flight"]);
    }

    // --- what the ledger says ---

    pub fn log(&self) -> Vec<Delivery> {
        self.log_where(&[])
    }

    pub fn log_where(&self, filters: &[&str]) -> Vec<Delivery> {
        let done = self.semainier(&[&["log", "--json"], filters].concat()).expect(0);
        serde_json::from_str(&done.stdout).unwrap_or_else(|why| panic!("{why}: {}", done.stdout))
    }

    pub fn delivery(&self, address: &str) -> Delivery {
        let mut found = self.log_where(&["--address", address]);
        assert_eq!(found.len(), 1, "{address}: {found:?}");
        found.remove(0)
    }

    /// How many deliveries are in each state.
    pub fn states(&self) -> States {
        states_of(self.log())
    }

    pub fn assert_states(&self, expected: &[(&str, usize)]) {
        let expected: BTreeMap<_, _> = expected.iter().map(|(state, n)| ((*state).to_owned(), *n)).collect();
        assert_eq!(self.states(), expected, "{:#?}", self.log());
    }

    pub fn issues(&self) -> Vec<Value> {
        serde_json::from_str(&self.semainier(&["issues", "--json"]).expect(0).stdout).unwrap()
    }

    /// The only issue there is.
    pub fn issue(&self) -> Value {
        let mut issues = self.issues();
        assert_eq!(issues.len(), 1, "{issues:?}");
        issues.remove(0)
    }

    pub fn database_url(&self) -> String {
        match &self.database {
            Some(database) => database.url.clone(),
            None => format!("sqlite://{}", self.path("semainier.db").display()),
        }
    }

    /// Behind the program's back: to make a lease old, or a cursor.
    pub fn sql(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        block_on(async {
            match &self.database {
                Some(database) => {
                    let mut connection = PgConnection::connect(&database.url).await.unwrap();
                    sql.execute(&mut connection).await.unwrap();
                    connection.close().await.unwrap();
                }
                None => {
                    let options = SqliteConnectOptions::new().filename(self.path("semainier.db"));
                    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                    sql.execute(&mut connection).await.unwrap();
                    connection.close().await.unwrap();
                }
            }
        });
    }

    /// A number of the database, such as a count.
    pub fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        block_on(async {
            match &self.database {
                Some(database) => {
                    let sql = sqlx::query_scalar(sql);
                    sql.fetch_one(&mut PgConnection::connect(&database.url).await.unwrap()).await.unwrap()
                }
                None => {
                    let options = SqliteConnectOptions::new().filename(self.path("semainier.db"));
                    let sql = sqlx::query_scalar(sql);
                    sql.fetch_one(&mut SqliteConnection::connect_with(&options).await.unwrap()).await.unwrap()
                }
            }
        })
    }

    /// A text of the database.
    pub fn text(&self, sql: &str) -> String {
        let sql = AssertSqlSafe(sql.to_owned());
        block_on(async {
            match &self.database {
                Some(database) => {
                    let sql = sqlx::query_scalar(sql);
                    sql.fetch_one(&mut PgConnection::connect(&database.url).await.unwrap()).await.unwrap()
                }
                None => {
                    let options = SqliteConnectOptions::new().filename(self.path("semainier.db"));
                    let sql = sqlx::query_scalar(sql);
                    sql.fetch_one(&mut SqliteConnection::connect_with(&options).await.unwrap()).await.unwrap()
                }
            }
        })
    }

    /// Every row of every table, but of the two that a daemon writes by the clock, whatever happens: how far it looked at
    /// the schedules, and that it lives.
    pub fn everything(&self) -> BTreeMap<String, String> {
        let (names, rows): (_, fn(&Self, &str) -> String) = match self.on {
            On::Sqlite => (
                "SELECT group_concat(name) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
                |house, table| {
                    let columns = format!(
                        "SELECT group_concat('quote(' || name || ')', '||'',''||') FROM pragma_table_info('{table}')"
                    );
                    let row = house.text(&columns);
                    format!(
                        "SELECT coalesce(group_concat(row, char(10)), '') FROM (SELECT {row} AS row FROM {table} ORDER BY 1)"
                    )
                },
            ),
            On::Postgres => (
                "SELECT string_agg(table_name, ',') FROM information_schema.tables WHERE table_schema = current_schema()",
                |_, table| {
                    format!("SELECT coalesce(string_agg(it::text, E'\\n' ORDER BY it::text), '') FROM {table} it")
                },
            ),
        };
        let names = self.text(names);
        let names = names.split(',').filter(|name| !matches!(*name, "daemons" | "mailings"));
        names.map(|name| (name.to_owned(), self.text(&rows(self, name)))).collect()
    }

    /// Where several daemons may share the database, the claims of one that died are free when their lease is over.
    pub fn leases_are_over(&self) {
        if self.on == On::Postgres {
            self.sql("UPDATE claims SET lease_until = 0");
        }
    }

    /// The join of the two ledgers, for so many recipients of each issue: nobody lost, nobody twice, and every state says
    /// what the relay saw. At any moment at which no process works.
    pub fn judge(&self, relay: &Relay, recipients: usize) -> States {
        let log = self.log();
        let accepted = relay.seen().accepted.clone();
        for issue in self.issues().iter().filter(|issue| !issue["frozen_at"].is_null()) {
            let counts = issue["counts"].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
            assert_eq!(issue["recipients"], json!(counts), "the sum does not add up: {issue:#}");
            let rows = log.iter().filter(|it| it.issue == issue["key"]).count();
            assert_eq!((counts, rows), (recipients as u64, recipients), "somebody is lost or twice: {issue:#}");
        }
        let mut taken: HashMap<&str, Vec<_>> = HashMap::new();
        for message in accepted.iter().filter(|it| it.recipient != STAFF) {
            taken.entry(message.message_id.trim_matches(['<', '>'])).or_default().push(message);
        }
        for delivery in &log {
            let taken = taken.remove(delivery.message_id.trim_matches(['<', '>'])).unwrap_or_default();
            let least = usize::from(delivery.state == "sent");
            let most = match delivery.state.as_str() {
                "sent" | "unknown" | "in_data" => 1 + delivery.resends,
                // A person who resends, or who says it did not arrive, decided it of a message that may have.
                _ if delivery.attempts.iter().any(|it| it.outcome == "resolved") => 1 + delivery.resends,
                _ => 0,
            };
            assert!((least..=most).contains(&taken.len()), "accepted {} times: {delivery:#?}", taken.len());
            for message in &taken {
                assert_eq!(message.recipient, delivery.address);
                assert_eq!(message.sha256, taken[0].sha256, "two versions for {}", delivery.address);
            }
        }
        assert!(taken.is_empty(), "the relay took what the ledger does not know: {:?}", taken.keys());
        states_of(log)
    }

    /// As [`Self::judge`], and nothing is in the hands of a process that is no more.
    pub fn judge_at_rest(&self, relay: &Relay, recipients: usize) -> States {
        let states = self.judge(relay, recipients);
        assert!(!states.contains_key("claimed") && !states.contains_key("in_data"), "{states:?}");
        states
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Seven days from this Monday, two things on each.
pub fn article(monday: &str) -> String {
    article_of_days(monday, |n| {
        format!("<ul><li>à 10h{n}0, visite guidée n° {n} à Auch</li><li>à 21h, concert n° {n} à Pavie</li></ul>")
    })
}

/// Seven days from this Monday, with what `under` writes below the heading of the `n`th.
pub fn article_of_days(monday: &str, under: impl Fn(u64) -> String) -> String {
    let monday: NaiveDate = monday.parse().unwrap();
    (0..7).fold(String::new(), |mut html, n| {
        let heading = french::capitalized(&french::day(monday + Days::new(n)));
        let _ = write!(html, "<h3>{heading}</h3>{}", under(n));
        html
    })
}

/// In memory where there is such a place: what these tests kill is the program, not the machine.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
