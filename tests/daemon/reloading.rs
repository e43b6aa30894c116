//! SIGHUP: all or nothing, and never the end of the process.

use super::process::{Office, until};
use crate::support::{
    postgres,
    process::until as wait_until,
    serve::{PATIENCE, Serve, run},
    smtp::{Options, SmtpRelay},
    town::{Town, at, furnish, mailing},
};
use chrono::TimeDelta;
use semainier::{clock::Clock, domain::delivery::State};
use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    time::Duration,
};

/// Reloads, one hard on the other, while 400 messages go out.
async fn reloads_under_load(database: Option<postgres::Database>) {
    let relay = SmtpRelay::start(Options { round_trip: Duration::from_millis(5), ..Options::default() }).await;
    let partners: Vec<_> = (0..400).map(|n| format!("p{n}@gite.example")).collect();
    let partners: Vec<_> = partners.iter().map(String::as_str).collect();
    let office = Office::on(database, &relay, &partners, "").await;
    let mut daemon = office.serve();
    until(&relay, |relay| relay.numbers().data_commands > 0).await;
    let mut reloads = 0;
    let patience = Clock::monotonic() + PATIENCE;
    while partners.iter().any(|it| relay.accepted(it) == 0) {
        daemon.signal("HUP");
        daemon.hear("and templates reloaded: 1 mailings, next: letter/");
        reloads += 1;
        assert!(Clock::monotonic() < patience, "it does not send:\n{}", daemon.log.join("\n"));
    }
    assert!(reloads > 2, "only {reloads} while it was sending");
    let ended = daemon.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(partners.iter().all(|it| relay.accepted(it) == 1));
    assert_eq!(office.count(State::Sent).await, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_reloads_under_load_lose_and_repeat_nothing_on_sqlite() {
    reloads_under_load(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_reloads_under_load_lose_and_repeat_nothing_on_postgres() {
    reloads_under_load(Some(postgres::Database::create().await)).await;
}

/// An office that sends nothing these days, with its pages open; and the address of the pages.
fn quiet(more: &str) -> (tempfile::TempDir, Serve, String) {
    let dir = tempfile::tempdir().unwrap();
    let yearly = mailing("letter", "cron = '0 8 1 1 *'");
    let config =
        furnish(dir.path(), &[yearly], None, "capture:outbox", &format!("[web]\nbind = '127.0.0.1:0'\n{more}"));
    let mut daemon = Serve::start(&config, &[("NOTIFY_SOCKET", dir.path().join("notify").to_str().unwrap())]);
    let line = daemon.hear("pages are served on http://");
    let host = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    (dir, daemon, host)
}

fn page(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

fn change(dir: &tempfile::TempDir, file: &str, from: &str, to: &str) {
    let path = dir.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn f4_schedule_title_office_and_template_change_without_a_restart() {
    let (dir, mut daemon, host) = quiet("");
    assert!(page(&host, "/letter.json").contains("Lettre letter"));
    change(&dir, "jobs/letter.toml", "cron = '0 8 1 1 *'", "cron = '30 9 * 8 SAT'");
    change(&dir, "jobs/letter.toml", "Lettre letter", "Le programme");
    change(&dir, "semainier.toml", "[office]\n", "[office]\nname = 'Office de Gimont'\n");
    change(&dir, "semainier.toml", "jobs = ", "templates = 'own'\njobs = ");
    std::fs::create_dir_all(dir.path().join("own/web")).unwrap();
    std::fs::write(dir.path().join("own/web/accessibility.html"), "Notre propre page.").unwrap();
    daemon.signal("HUP");
    let line = daemon.hear("and templates reloaded");
    assert!(line.contains("next: letter/") && line.contains("-08-") && line.contains("T09:30"), "{line}");
    assert!(page(&host, "/letter.json").contains("Le programme"));
    assert!(page(&host, "/archives").contains("Office de Gimont"));
    assert!(page(&host, "/accessibilite").ends_with("Notre propre page."));
    assert_eq!(daemon.stop().code, Some(0));
}

#[test]
fn f4_an_invalid_file_changes_nothing_and_is_reported_with_its_line() {
    let (dir, mut daemon, host) = quiet("");
    change(&dir, "semainier.toml", "[office]\n", "[office]\nname = 'Office de Gimont'\nnom = 'x'\n");
    change(&dir, "jobs/letter.toml", "Lettre letter", "Le programme");
    daemon.signal("HUP");
    let line = daemon.hear("reload rejected: ");
    assert!(line.contains("semainier.toml:12: office.nom: unknown key"), "{line}");
    daemon.hear("reload rejected with 1 problems");
    let is_old =
        || page(&host, "/letter.json").contains("Lettre letter") && !page(&host, "/archives").contains("Gimont");
    assert!(is_old());

    // Every file is whole or none is: here a mailing is not, then a template.
    change(&dir, "semainier.toml", "nom = 'x'\n", "");
    change(&dir, "jobs/letter.toml", "cron = '0 8 1 1 *'", "cron = '0 8 41 1 *'\nfoo = 1");
    daemon.signal("HUP");
    let lines = [daemon.hear("reload rejected: "), daemon.hear("reload rejected: ")].concat();
    assert!(lines.contains("letter.toml:7: schedule.cron") && lines.contains("letter.toml:8: schedule.foo"), "{lines}");
    daemon.hear("reload rejected with 2 problems");
    change(&dir, "jobs/letter.toml", "cron = '0 8 41 1 *'\nfoo = 1", "cron = '0 8 1 1 *'");
    change(&dir, "semainier.toml", "jobs = ", "templates = 'own'\njobs = ");
    std::fs::create_dir_all(dir.path().join("own/web")).unwrap();
    std::fs::write(dir.path().join("own/web/accessibility.html"), "{{ nowhere }}").unwrap();
    daemon.signal("HUP");
    assert!(daemon.hear("reload rejected: ").contains("template web/accessibility.html:1"), "{:?}", daemon.log);
    assert!(is_old());

    std::fs::write(dir.path().join("own/web/accessibility.html"), "bien").unwrap();
    daemon.signal("HUP");
    daemon.hear("and templates reloaded");
    assert!(page(&host, "/letter.json").contains("Le programme"));
    assert!(page(&host, "/archives").contains("Office de Gimont"));
    assert_eq!(daemon.stop().code, Some(0));
}

#[test]
fn f4_keys_that_need_a_restart_keep_their_value_and_are_logged() {
    let (dir, mut daemon, host) = quiet("");
    change(&dir, "semainier.toml", "127.0.0.1:0", "127.0.0.1:1");
    change(&dir, "semainier.toml", "sqlite://semainier.db", "sqlite://other.db");
    change(&dir, "semainier.toml", "a secret of the tests", "another secret of the tests");
    change(&dir, "semainier.toml", "[office]\n", "[delivery]\nconnections = 2\n[office]\nname = 'Office de Gimont'\n");
    daemon.signal("HUP");
    for key in ["database", "secret", "delivery", "web.bind"] {
        daemon.hear(&format!("needs a restart: {key};"));
    }
    assert!(page(&host, "/archives").contains("Office de Gimont"));
    assert_eq!(daemon.stop().code, Some(0));
    assert!(!dir.path().join("other.db").exists());
}

#[test]
fn f4_ignored_signals_are_logged_and_end_nothing() {
    let (_dir, mut daemon, host) = quiet("");
    for (name, words) in [("USR1", "SIGUSR1 ignored"), ("USR2", "SIGUSR2 ignored")] {
        daemon.signal(name);
        daemon.hear(words);
    }
    daemon.signal("PIPE");
    assert!(page(&host, "/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(daemon.stop().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_systemd_is_notified_of_a_reload_and_its_result() {
    let relay = SmtpRelay::start(Options::default()).await;
    let office = Office::with(&relay, &["a@gite.example"], "").await;
    let path = office.dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = |words: &str| {
        let mut buffer = [0; 1024];
        loop {
            let length = socket.recv(&mut buffer).unwrap_or_else(|why| panic!("{words}: {why}"));
            let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if said.contains(words) {
                return said;
            }
        }
    };
    let daemon = Serve::start(&office.config, &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    hear("READY=1");
    daemon.signal("HUP");
    let said = hear("RELOADING=1");
    let at = said.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!(at.parse::<u64>().unwrap() > 0);
    assert!(hear("READY=1").contains("STATUS=reloaded"));
    change(&office.dir, "semainier.toml", "[office]\n", "[office]\nnom = 'x'\n");
    daemon.signal("HUP");
    hear("RELOADING=1");
    let said = hear("READY=1");
    assert!(
        said.contains("STATUS=reload rejected, 1 problems, previous files in use: ") && said.contains("office.nom"),
        "{said}"
    );
    assert_eq!(daemon.stop().code, Some(0));
}

#[tokio::test]
async fn f4_an_occurrence_due_before_the_reload_follows_the_old_schedule() {
    let mut town = Town::at("2026-07-04T05:00:00Z", &[mailing("agenda", "cron = '0 8 * 7,8 SAT'")]).await;
    town.publish_for("agenda", at("2026-07-04T06:00:00Z"));
    // It strikes eight; before the daemon looks, its files are read anew.
    town.clock.advance(TimeDelta::minutes(61));
    town.reschedule("agenda", "cron = '0 9 * 7,8 SAT'").await;
    town.pass_at(at("2026-07-04T06:02:00Z")).await;
    assert_eq!(town.diary("agenda").await, ["2026-07-04T08:00 done"]);
    assert_eq!(town.mails("hotel@auch.example", ""), 1);
    // And from then on by the new one.
    town.publish_for("agenda", at("2026-07-11T07:00:00Z"));
    town.live_until(at("2026-07-11T07:30:00Z"), TimeDelta::minutes(30)).await;
    assert_eq!(town.diary("agenda").await.last().unwrap(), "2026-07-11T09:00 done");
}

#[test]
fn f4_a_command_whose_terminal_closes_ends_like_an_interrupted_one() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let relay = rt.block_on(SmtpRelay::start(Options::default()));
    let partners: Vec<_> = (0..6).map(|n| format!("slow1500+{n}@gite.example")).collect();
    let partners: Vec<_> = partners.iter().map(String::as_str).collect();
    let office = rt.block_on(Office::with(&relay, &partners, "[delivery]\nconnections = 2\n"));
    let mut command = crate::support::serve::semainier(&office.config);
    let now = Clock::System.now().to_rfc3339();
    command.args(["run", "letter", "--at", &now]);
    let ran = Serve::spawn(command);
    wait_until("the first is on its way", || relay.numbers().data_commands > 0);
    ran.signal("HUP");
    assert!(ran.end().code.is_some(), "it was killed");
    let sent = rt.block_on(office.count(State::Sent));
    assert!((1..6).contains(&sent), "{sent}");
    assert_eq!(rt.block_on(office.count(State::InData)), 0);
    let said = run(&office.config, &["log", "--state", "unknown"]).stdout;
    assert!(!String::from_utf8_lossy(&said).contains("gite.example"));
}
