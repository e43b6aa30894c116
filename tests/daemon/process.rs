//! The whole program: signals, two daemons on one ledger, systemd, and its log.

use crate::support::{
    postgres,
    serve::{Serve, run},
    smtp::{Options, SmtpRelay},
    town::{self, article, furnish, mailing, subscribe},
};
use chrono::TimeDelta;
use semainier::{
    clock::Clock,
    domain::delivery::State,
    issue::{
        Due,
        publish::{self, Prepared},
    },
    store::{self, Access, LogFilter, LoggedDelivery},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::DirEntry,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    time::Duration,
};

const YEARLY: &str = "cron = '0 0 1 1 *'\ndeadline = '72h'";

/// An office whose letter is frozen, so that its daemon has something to send at once.
pub(super) struct Office {
    pub(super) dir: tempfile::TempDir,
    pub(super) config: PathBuf,
    url: String,
    _database: Option<postgres::Database>,
}

impl Office {
    pub(super) async fn with(relay: &SmtpRelay, partners: &[&str], more: &str) -> Self {
        Self::on(None, relay, partners, more).await
    }

    pub(super) async fn on(
        database: Option<postgres::Database>,
        relay: &SmtpRelay,
        partners: &[&str],
        more: &str,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = database.as_ref().map(|it| it.url.clone());
        let config = furnish(dir.path(), &[mailing("letter", YEARLY)], url.as_deref(), &relay.url(), more);
        let engine = town::engine(&config, Clock::System).await;
        subscribe(&engine, partners).await;
        let (mailing, now) = (engine.app.mailing("letter").unwrap(), engine.app.clock.now());
        std::fs::write(
            dir.path().join("articles/letter.html"),
            article(mailing.agenda().unwrap().week(mailing.day(now))),
        )
        .unwrap();
        let due = Due::scheduled(mailing, now, now + TimeDelta::hours(1));
        let prepared = publish::prepare(&engine, due, None, &|_| {}).await.unwrap();
        assert!(matches!(prepared, Prepared::Frozen { before: false }), "{prepared:?}");
        let url = url.unwrap_or_else(|| format!("sqlite://{}", dir.path().join("semainier.db").display()));
        Self { dir, config, url, _database: database }
    }

    pub(super) fn serve(&self) -> Serve {
        Serve::start(&self.config, &[])
    }

    async fn log(&self) -> Vec<LoggedDelivery> {
        let store = store::open(&self.url, Access::Shared).await.unwrap();
        store.log(&LogFilter::default()).await.unwrap()
    }

    pub(super) async fn count(&self, state: State) -> usize {
        self.log().await.iter().filter(|it| it.state == state).count()
    }
}

/// Until the relay has seen so much.
pub(super) async fn until(relay: &SmtpRelay, seen: impl Fn(&SmtpRelay) -> bool) {
    let waited = async {
        while !seen(relay) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::support::serve::PATIENCE, waited).await.expect("the relay sees it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_sigterm_finishes_marked_deliveries_and_releases_the_rest() {
    let relay = SmtpRelay::start(Options::default()).await;
    let partners: Vec<_> = (0..6).map(|n| format!("slow1500+{n}@gite.example")).collect();
    let partners: Vec<_> = partners.iter().map(String::as_str).collect();
    let office = Office::with(&relay, &partners, "[delivery]\nconnections = 2\n").await;
    let mut daemon = office.serve();
    daemon.hear("semainier started: 1 mailings, next: letter/");
    until(&relay, |relay| relay.numbers().data_commands > 0).await;
    let ended = daemon.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (sent, queued) = (office.count(State::Sent).await, office.count(State::Queued).await);
    let accepted: usize = partners.iter().map(|it| relay.accepted(it)).sum();
    assert_eq!((sent, sent + queued), (accepted, 6));
    assert!((1..6).contains(&sent), "{sent}");
    assert!(ended.said("stopping: nothing more is claimed"), "{ended:?}");
    assert!(ended.said(&format!("nothing in flight, {queued} deliveries queued")), "{ended:?}");
    // It took its leave of the ledger, too.
    let status: Value = serde_json::from_slice(&run(&office.config, &["status", "--json"]).stdout).unwrap();
    assert_eq!(status["daemons"], Value::Array(vec![]));

    // The next one goes on.
    let daemon = office.serve();
    until(&relay, |relay| partners.iter().all(|it| relay.accepted(it) == 1)).await;
    assert_eq!(daemon.stop().code, Some(0));
    assert_eq!(office.count(State::Sent).await, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_a_second_sigterm_ends_at_once_and_deliveries_in_flight_are_unknown() {
    let relay = SmtpRelay::start(Options::default()).await;
    let office = Office::with(&relay, &["hang@gite.example"], "").await;
    let mut daemon = office.serve();
    until(&relay, |relay| relay.numbers().data_commands > 0).await;
    daemon.signal("TERM");
    daemon.hear("stopping: nothing more is claimed");
    let ended = daemon.stop();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(office.count(State::InData).await, 1);

    let mut daemon = office.serve();
    let line = daemon.hear("semainier started");
    assert!(line.contains("0 deliveries queued again, 1 newly unknown"), "{line}");
    assert_eq!(daemon.stop().code, Some(0));
    assert_eq!(office.count(State::Unknown).await, 1);

    let status = run(&office.config, &["status"]);
    let page = String::from_utf8_lossy(&status.stdout).into_owned();
    assert_eq!(status.status.code(), Some(4), "{page}");
    for words in ["no daemon is running", "1 unknown: the relay may or may not have them", "1 = 1 unknown", "letter/"] {
        assert!(page.contains(words), "{words}\nnot in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_at_most_the_configured_time() {
    let relay = SmtpRelay::start(Options::default()).await;
    let office = Office::with(&relay, &["hang@gite.example"], "[delivery]\nshutdown = '1s'\n").await;
    let daemon = office.serve();
    until(&relay, |relay| relay.numbers().data_commands > 0).await;
    let ended = daemon.stop();
    assert_eq!(ended.code, Some(1));
    assert!(ended.said("stopped with messages in flight"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_a_second_daemon_on_one_sqlite_file_is_refused_with_a_clear_message() {
    let relay = SmtpRelay::start(Options::default()).await;
    let office = Office::with(&relay, &["a@gite.example"], "").await;
    let mut first = office.serve();
    first.hear("semainier started");
    let second = office.serve().end();
    assert_eq!(second.code, Some(1));
    assert!(second.said("error: another semainier already works on"), "{second:?}");
    assert_eq!(first.stop().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_two_daemons_on_one_postgres_share_the_work_without_duplicates() {
    let relay = SmtpRelay::start(Options { round_trip: Duration::from_millis(2), ..Options::default() }).await;
    let partners: Vec<_> = (0..120).map(|n| format!("p{n}@gite.example")).collect();
    let partners: Vec<_> = partners.iter().map(String::as_str).collect();
    let database = postgres::Database::create().await;
    let office = Office::on(Some(database), &relay, &partners, "").await;
    let (mut one, mut two) = (office.serve(), office.serve());
    one.hear("semainier started");
    two.hear("semainier started");
    until(&relay, |relay| partners.iter().all(|it| relay.accepted(it) > 0)).await;
    let alive = async || {
        let status = run(&office.config, &["status", "--json"]);
        serde_json::from_slice::<Value>(&status.stdout).unwrap()["daemons"].as_array().unwrap().len()
    };
    assert_eq!(alive().await, 2);
    assert_eq!((one.stop().code, two.stop().code), (Some(0), Some(0)));
    assert!(partners.iter().all(|it| relay.accepted(it) == 1));
    assert_eq!((office.count(State::Sent).await, alive().await), (120, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o11_the_log_shows_no_address_and_no_token_even_at_trace_level() {
    let relay = SmtpRelay::start(Options::default()).await;
    let partners =
        ["hotel.merlin@auch.example", "f550@gite-viviane.example", "grey1@ferme-lancelot.example", "d452@x.example"];
    let office = Office::with(&relay, &partners, "").await;
    let environment = [("SEMAINIER__LOG__LEVEL", "trace"), ("SEMAINIER__LOG__FORMAT", "json")];
    let mut daemon = Serve::start(&office.config, &environment);
    daemon.hear("delivery pass:");
    let ended = daemon.stop();
    assert_eq!(ended.code, Some(0));
    let mut spans = Vec::new();
    for line in &ended.log {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert!(entry["timestamp"].is_string() && entry["level"].is_string() && entry["message"].is_string(), "{line}");
        spans.extend(entry["spans"].as_array().into_iter().flatten().map(|it| it["name"].to_string()));
    }
    assert!(spans.iter().any(|it| it.contains("send")), "{spans:?}");
    let all = ended.log.join("\n");
    assert!(all.contains("relay accepted letter/"), "it does say much:\n{all}");
    let contacts = store::open(&office.url, Access::Shared).await.unwrap().contacts().await.unwrap();
    let tokens = contacts.iter().map(|it| format!("/u/{}", it.id));
    let names = ["merlin", "viviane", "lancelot", "a secret of the tests"].map(str::to_owned);
    for secret in partners.map(str::to_owned).into_iter().chain(names).chain(tokens) {
        assert!(!all.contains(&secret), "{secret} in\n{all}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_is_notified_of_ready_watchdog_and_stopping() {
    let relay = SmtpRelay::start(Options::default()).await;
    let office = Office::with(&relay, &["a@gite.example"], "").await;
    let path = office.dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::support::serve::PATIENCE)).unwrap();
    let hear = |words: &str| {
        let mut buffer = [0; 256];
        loop {
            let length = socket.recv(&mut buffer).unwrap_or_else(|why| panic!("{words}: {why}"));
            if String::from_utf8_lossy(&buffer[..length]).contains(words) {
                return;
            }
        }
    };
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let daemon = Serve::start(&office.config, &environment);
    hear("READY=1");
    for _ in 0..3 {
        hear("WATCHDOG=1");
    }
    daemon.signal("TERM");
    hear("STOPPING=1");
    assert_eq!(daemon.end().code, Some(0));
    assert!(Path::new(&path).exists());
}

/// How often each of the process's threads went to sleep since it began: each time something had woken it.
fn sleeps(daemon: &Serve) -> BTreeMap<PathBuf, u64> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
    let of_one = |thread: std::io::Result<DirEntry>| {
        let thread = thread.unwrap().path();
        // A thread may end while it is looked at.
        let status = std::fs::read_to_string(thread.join("status")).unwrap_or_default();
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        (thread, count.map_or(0, |count| count.trim().parse().unwrap()))
    };
    threads.map(of_one).collect()
}

async fn sleeps_until_there_is_something_to_do(database: Option<postgres::Database>) {
    let dir = tempfile::tempdir().unwrap();
    let url = database.as_ref().map(|it| it.url.as_str());
    let config =
        furnish(dir.path(), &[mailing("letter", YEARLY)], url, "capture:outbox", "[web]\nbind = '127.0.0.1:0'");
    let mut daemon = Serve::start(&config, &[]);
    daemon.hear("semainier started");
    // One that looks twice a second whether a minute is over would never pass; the minute itself may fall into one or two.
    let mut windows = Vec::new();
    while windows.len() < 8 && windows.last() != Some(&0) {
        let before = sleeps(&daemon);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let since = |(thread, count): (PathBuf, u64)| count.saturating_sub(before.get(&thread).copied().unwrap_or(0));
        windows.push(sleeps(&daemon).into_iter().map(since).sum::<u64>());
    }
    assert_eq!(windows.last(), Some(&0), "it wakes all the time: {windows:?}");
    assert_eq!(daemon.stop().code, Some(0));
}

#[tokio::test]
async fn an_idle_daemon_sleeps_on_sqlite() {
    sleeps_until_there_is_something_to_do(None).await;
}

#[tokio::test]
async fn an_idle_daemon_sleeps_on_postgres() {
    sleeps_until_there_is_something_to_do(Some(postgres::Database::create().await)).await;
}
