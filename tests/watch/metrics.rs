//! Metrics, as a real Prometheus takes them, and rules that would have fired.

use super::get;
use crate::support::{
    house::{BOTH, House, On, Relay, until},
    process::tool,
    serve::Serve,
};
use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Debian's package `prometheus` has both; `scripts/test` installs it.
fn prometheus(name: &str) -> PathBuf {
    tool(name).unwrap_or_else(|| panic!("{name} is needed: apt-get install prometheus (or scripts/test, as root)"))
}

/// The daemon, and where its metrics are.
fn watched(house: &House) -> (Serve, String) {
    let mut daemon = house.serve();
    let line = daemon.hear("metrics are served on http://");
    let host = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    (daemon, host)
}

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn metrics_match_the_ledger_and_contain_no_address() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("metrics.bind", "127.0.0.1:0").set("web.bind", "127.0.0.1:0");
        house.import(&["marie@gite.example", "f550@gite.example"]);
        house.run().expect(0);
        house.write("backup.last", "2027-07-01T00:00:00Z");
        let (mut daemon, host) = watched(&house);
        let (status, head, text) = get(&host, "/metrics");
        assert_eq!(status, 200);
        assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
        for (series, expected) in [
            ("semainier_deliveries{mailing=\"agenda\",state=\"sent\"}", 1.0),
            ("semainier_deliveries{mailing=\"agenda\",state=\"failed\"}", 1.0),
            ("semainier_deliveries{mailing=\"agenda\",state=\"queued\"}", 0.0),
            ("semainier_issues{mailing=\"agenda\",state=\"done\"}", 1.0),
            ("semainier_lane_state{lane=\"orange\",state=\"open\"}", 1.0),
            ("semainier_lane_state{lane=\"others\",state=\"paused\"}", 0.0),
            ("semainier_findings{kind=\"relay\"}", 0.0),
            ("semainier_queue_oldest_seconds", 0.0),
            ("semainier_ledger_up", 1.0),
            ("semainier_relay_up", 1.0),
            ("semainier_daemons", 1.0),
        ] {
            assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
        }
        for series in [
            "semainier_last_success_timestamp_seconds{mailing=\"agenda\"}",
            "semainier_next_due_timestamp_seconds{mailing=\"agenda\"}",
            "semainier_heartbeat_timestamp_seconds",
        ] {
            assert!(value(&text, series).is_some_and(|it| it > 1e6), "{series} in\n{text}");
        }
        for series in ["semainier_last_backup_timestamp_seconds", "semainier_disk_free_bytes"] {
            assert_eq!(
                value(&text, series).is_some(),
                on == On::Sqlite,
                "{series} where there is a folder of the service"
            );
        }
        assert!(!text.contains("gite") && !text.contains('@'), "{text}");
        // Not among the pages, and no page here.
        let line = daemon.log.iter().find(|line| line.contains("pages are served on")).cloned();
        let line = line.unwrap_or_else(|| daemon.hear("pages are served on"));
        let pages = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
        assert_eq!((get(pages, "/metrics").0, get(&host, "/agenda").0), (404, 404));
        assert_eq!(daemon.stop().code, Some(0));
    }
}

#[test]
fn an_unavailable_ledger_is_a_metric_and_not_a_failed_scrape() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("metrics.bind", "127.0.0.1:0");
        house.import(&["marie@gite.example"]);
        let (daemon, host) = watched(&house);
        house.sql("ALTER TABLE lanes RENAME TO lanes_elsewhere");
        until("it is seen", || value(&get(&host, "/metrics").2, "semainier_ledger_up") == Some(0.0));
        let text = get(&host, "/metrics").2;
        assert!(value(&text, "semainier_next_due_timestamp_seconds{mailing=\"agenda\"}").is_some());
        until("errors are counted", || {
            let text = get(&host, "/metrics").2;
            text.lines().any(|line| line.starts_with("semainier_errors_total{kind=\"views\",level=\"warn\"}"))
        });
        daemon.stop();
    }
}

#[test]
fn promtool_accepts_the_format_and_the_example_rules() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("metrics.bind", "127.0.0.1:0");
    house.import(&["marie@gite.example"]);
    house.run().expect(0);
    let (daemon, host) = watched(&house);
    let text = get(&host, "/metrics").2;
    daemon.stop();
    let mut lint = Command::new(prometheus("promtool"));
    let mut lint = lint
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    lint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = lint.wait_with_output().unwrap();
    assert!(said.status.success(), "{}\n{text}", String::from_utf8_lossy(&said.stderr));
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/alerts.yaml");
    let checked = Command::new(prometheus("promtool")).args(["check", "rules"]).arg(&rules).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // Every series that a rule names is one that the daemon can show.
    let rules = std::fs::read_to_string(rules).unwrap();
    let names = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|it| it.starts_with("semainier_"));
    let source = include_str!("../../src/views/metrics.rs");
    for name in names {
        assert!(source.contains(&format!("\"{}\"", name.trim_start_matches("semainier_"))), "{name}");
    }
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Trial F5, again: what nobody saw is a rule that fires.
#[test]
fn trial_f05_a_real_prometheus_scrapes_the_daemon_and_its_rules_fire() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("metrics.bind", "127.0.0.1:0");
    house.import(&["marie@gite.example"]);
    house.run().expect(0);
    house.sql("UPDATE issues SET state = 'paused'");
    let (daemon, host) = watched(&house);
    let rules = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/alerts.yaml")).unwrap();
    // Not for minutes in a test.
    let rules: Vec<_> = rules.lines().filter(|line| !line.trim_start().starts_with("for: ")).collect();
    let rules = house.write("prometheus/alerts.yaml", rules.join("\n"));
    let config = house.write(
        "prometheus/prometheus.yml",
        format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{:?}]\nscrape_configs:\n  \
             - job_name: semainier\n    static_configs: [{{ targets: [{host:?}] }}]\n",
            rules.display().to_string()
        ),
    );
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(prometheus("prometheus"));
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", house.path("prometheus/data").display()));
    command.arg(format!("--web.listen-address={port}")).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Ended(command.spawn().unwrap());
    let asked = |path: &str| {
        std::net::TcpStream::connect(port).ok()?;
        let (status, _, body) = get(&port.to_string(), path);
        let body = body.split_once('{').map(|(_, rest)| format!("{{{rest}"))?;
        let end = body.rfind('}')?;
        (status == 200).then(|| serde_json::from_str::<Value>(&body[..=end]).ok()).flatten()
    };
    until("it is scraped", || {
        let found = asked("/api/v1/query?query=semainier_deliveries%7Bstate=%22sent%22%7D");
        found.is_some_and(|it| it["data"]["result"][0]["value"][1] == "1")
    });
    let firing = || {
        let alerts = asked("/api/v1/alerts").unwrap_or_default();
        let alerts = alerts["data"]["alerts"].as_array().cloned().unwrap_or_default();
        alerts.iter().filter_map(|it| Some(it["labels"]["alertname"].as_str()?.to_owned())).collect::<Vec<_>>()
    };
    until("what waits for a person fires", || firing().iter().any(|it| it == "SemainierWaitsForAPerson"));
    assert!(!firing().iter().any(|it| it == "SemainierDown"), "{:?}", firing());
    daemon.stop();
    until("that it is gone fires", || firing().iter().any(|it| it == "SemainierDown"));
}
