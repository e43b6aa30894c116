//! From site and article to mails and ledger, on both databases.

use crate::support::{
    house::{AT, BOTH, House, ISSUE, MONDAY, NEXT_AT, NEXT_MONDAY, Relay, article, finish},
    process::tool,
    web::{Post, Web},
};
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde_json::Value;
use std::collections::BTreeSet;
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Command, Stdio},
};

const ARTICLE: &str = include_str!("../../src/cli/demo/article.html");

fn site(article: &str) -> Web {
    let title = "Que faire à Auch cette semaine&nbsp;? Du 12 au 18&nbsp;juillet";
    Web::wordpress(vec![Post::new(title, "2027-07-09T15:12:08", article)])
}

/// All that separates words as one blank, small letters, one kind of apostrophe.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('’', "'").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text below each day's heading, whatever comes first on the page. A day may be continued elsewhere.
fn under_day(text: &str, day: &str, days: &[String]) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(day) {
        rest = &rest[at + day.len()..];
        let end = days.iter().filter_map(|other| rest.find(other.as_str())).min().unwrap_or(rest.len());
        found.push_str(&rest[..end]);
        found.push(' ');
    }
    found
}

/// The text in the order a screen reader says it.
fn spoken(pdf: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, pdf).unwrap();
    let text = run("pdfinfo", &["-struct-text", file.path().to_str().unwrap()]);
    text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"')).collect::<Vec<_>>().join(" ")
}

fn copied(pdf: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, pdf).unwrap();
    run("pdftotext", &[file.path().to_str().unwrap(), "-"])
}

fn run(name: &str, args: &[&str]) -> String {
    let tool = tool(name).expect("apt-get install poppler-utils");
    let output = Command::new(tool).args(args).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text_of_html(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

fn attachment<'m>(mail: &'m Message, kind: &str) -> &'m [u8] {
    let mut named = mail.attachments().filter(|it| it.attachment_name().is_some_and(|name| name.contains(kind)));
    named.next().unwrap_or_else(|| panic!("no {kind}")).contents()
}

/// Every event of `agenda` stands under its day in `text`, and what has no day stands somewhere.
fn assert_conserved(agenda: &Value, text: &str, what: &str) {
    let text = plain(text);
    let date = |day: &Value| -> String {
        let date = day["date"].as_str().unwrap().parse().unwrap();
        plain(&semainier::domain::french::day(date))
    };
    let days: Vec<_> = agenda["days"].as_array().unwrap().iter().map(date).collect();
    assert_eq!(days.len(), 7);
    let titles = |items: &Value| -> Vec<String> {
        let events = items.as_array().unwrap().iter().flat_map(|item| item["events"].as_array().unwrap());
        events.map(|event| plain(event["title"].as_str().unwrap())).collect()
    };
    let mut seen = 0;
    for (day, heading) in agenda["days"].as_array().unwrap().iter().zip(&days) {
        let under = under_day(&text, heading, &days);
        for title in titles(&day["items"]) {
            assert!(under.contains(&title), "{what}: {title:?} is not under {heading:?}:\n{under}\n\nin all:\n{text}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{what}: {seen} events only");
    for group in ["daily", "exhibitions", "unplaced"] {
        for title in titles(&agenda[group]) {
            assert!(text.contains(&title), "{what}: {title:?} of {group} is nowhere in\n{text}");
        }
    }
}

#[test]
fn an_article_is_sent_once_to_everybody_on_both_databases() {
    for on in BOTH {
        let (web, relay) = (site(ARTICLE), Relay::start());
        let house = House::on(on).with_the_shipped_mailing().site(&web).relay(&relay);
        house.import_many(12);
        house.run_from_site().expect(0).expect_said(&["agenda/2027-W28: done (12 = 12 sent)"]);
        house.judge_at_rest(&relay, 12);
        assert_eq!(relay.to_partners(), 12, "{on:?}");
        assert_eq!(relay.told_staff(), [""; 0], "nothing was wrong");
        let issue = house.issue();
        assert_eq!(issue["key"], ISSUE);
        assert_eq!(issue["state"], "done");
        assert_eq!(issue["counts"]["sent"], 12);
        for delivery in house.log() {
            let [attempt] = delivery.attempts.as_slice() else { panic!("{delivery:#?}") };
            assert_eq!((delivery.state.as_str(), attempt.outcome.as_str()), ("sent", "accepted"));
            assert_eq!((attempt.n, attempt.code, attempt.phase.as_str()), (1, Some(250), "dot"));
            assert_eq!(attempt.enhanced.as_deref(), Some("2.0.0"));
        }
        let again = house.run_from_site().expect(0);
        assert!(again.stdout.contains("agenda/2027-W28 was sent already; nothing was sent twice"), "{}", again.said());
        house.judge_at_rest(&relay, 12);
        assert_eq!(relay.to_partners(), 12, "{on:?}");
    }
}

#[test]
fn every_event_is_under_its_day_in_text_html_poster_and_booklet() {
    let (web, relay) = (site(ARTICLE), Relay::start());
    let house = House::new().with_the_shipped_mailing().site(&web).relay(&relay);
    house.import(&["accueil@gite.example"]);
    house.run_from_site().expect(0);
    house.write("article.html", ARTICLE);
    let extracted = house.semainier(&["extract", "article.html", "--published", "2027-07-09", "--json"]).expect(0);
    let agenda = extracted.json();

    let bytes = relay.seen().accepted[0].bytes.clone();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_conserved(&agenda, &mail.body_text(0).unwrap(), "text");
    let html = mail.body_html(0).unwrap();
    assert!(html.len() < 100_000, "{} bytes of HTML", html.len());
    assert_conserved(&agenda, &text_of_html(&html), "html");
    for kind in ["affiche", "livret"] {
        let pdf = attachment(&mail, kind);
        assert_conserved(&agenda, &spoken(pdf), kind);
        let copied: BTreeSet<_> = plain(&copied(pdf)).split(' ').map(str::to_owned).collect();
        for word in ["cathédrale", "d'artifice", "préservation", "créneaux"].map(str::to_owned) {
            let in_agenda = plain(&agenda.to_string()).contains(&word);
            assert!(!in_agenda || copied.iter().any(|it| it.contains(&word)), "{kind}: {word:?} cannot be copied");
        }
    }
}

#[test]
fn an_article_of_a_file_and_one_of_the_site_give_the_same_mail_but_for_the_link() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["accueil@gite.example"]);
    house.run_at(AT, ARTICLE).expect(0);
    let bytes = relay.seen().accepted[0].bytes.clone();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.subject(), Some("Que faire à Auch cette semaine : du 12 au 18 juillet"));
    let text = mail.body_text(0).unwrap();
    assert!(text.contains("https://partenaires.ot.test/u/"), "no way to leave in\n{text}");
    for header in ["List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "Auto-Submitted", "Feedback-ID", "Date"] {
        assert!(mail.header_raw(header).is_some(), "no {header}");
    }
}

#[test]
fn two_weeks_are_two_issues_and_both_are_in_the_log() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import_many(3);
    house.run_at(AT, &article(MONDAY)).expect(0);
    house.run_at(NEXT_AT, &article(NEXT_MONDAY)).expect(0);
    house.judge_at_rest(&relay, 3);
    let issues = house.issues();
    let keys: Vec<_> = issues.iter().map(|issue| issue["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["agenda/2027-W29", ISSUE], "the newest first");
    assert_eq!(house.log_where(&["--issue", ISSUE]).len(), 3);
    assert_eq!(house.log_where(&["--address", "PARTENAIRE2@gite.example"]).len(), 2);
    assert_eq!(house.log_where(&["--state", "failed"]).len(), 0);
    assert_eq!(house.log_where(&["--since", "1h"]).len(), 6);
    assert_eq!(house.log_where(&["--since", "2030-01-01"]).len(), 0);
}

#[test]
fn without_partners_an_issue_is_done_with_no_recipients() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.run().expect(0).expect_said(&["agenda/2027-W28: done (nobody)"]);
}

#[test]
fn two_hundred_mails_go_through_the_sink_of_postfix() {
    let sink = tool("smtp-sink").expect("smtp-sink: apt-get install postfix");
    let folder = tempfile::tempdir().unwrap();
    let port = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    };
    let place = format!("127.0.0.1:{port}");
    let mut command = Command::new(sink);
    if std::fs::metadata(folder.path()).unwrap().uid() == 0 {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        command.args(["-u", "nobody"]);
    }
    command.args(["-D", &format!("{}/mail.", folder.path().display()), &place, "100"]);
    let mut sink = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    crate::support::house::until("smtp-sink listens", || std::net::TcpStream::connect(&place).is_ok());

    let house = House::new().set("relay", format!("smtp://{place}?tls=none"));
    house.import_many(200);
    let run = house.run();
    sink.kill().unwrap();
    sink.wait().unwrap();
    run.expect(0).expect_said(&["200 = 200 sent"]);
    house.assert_states(&[("sent", 200)]);
    let files = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path());
    let taken: String = files.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect();
    let ids: BTreeSet<_> = taken.lines().filter_map(|line| line.strip_prefix("Message-ID: ")).collect();
    let ours: BTreeSet<_> = house.log().iter().map(|it| format!("<{}>", it.message_id)).collect();
    assert_eq!(ids.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), ours, "both ledgers name the same mails");
}

#[test]
fn two_concurrent_runs_on_postgres_send_to_everybody_once() {
    let relay = Relay::start();
    let house = House::on(crate::support::house::On::Postgres).relay(&relay);
    house.import_many(60);
    house.write("article.html", article(MONDAY));
    let args = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
    let both = [house.start(&args), house.start(&args)];
    for run in both {
        finish(run, &args).expect(0);
    }
    house.judge_at_rest(&relay, 60);
    house.assert_states(&[("sent", 60)]);
    assert_eq!(relay.to_partners(), 60);
}
