//! Commands that only show something: their output format is a contract.

use crate::support::{
    house::{AT, House, MONDAY, NEXT_MONDAY, article},
    web::{Post, Web},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ARTICLE: &str = include_str!("../../src/cli/demo/article.html");

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_nine_saturdays_of_2026_are_at_eight_in_summer_time() {
    let house = House::new();
    let args = ["next", "agenda", "--json", "--count", "9", "--from", "2026-01-01"];
    let next = house.semainier(&args).expect(0).json();
    let local: Vec<_> = next.as_array().unwrap().iter().map(|it| it["local"].as_str().unwrap()).collect();
    let expected = ["07-04", "07-11", "07-18", "07-25", "08-01", "08-08", "08-15", "08-22", "08-29"];
    assert_eq!(local, expected.map(|day| format!("2026-{day}T08:00:00+02:00")));
    assert_eq!(next[0]["utc"], "2026-07-04T06:00:00Z");
    assert_eq!(next[0]["zone"], "Europe/Paris");
    assert_eq!(next[0]["issue"], "agenda/2026-W28");
    let shown = house.semainier(&["next", "--from", "2026-07-01", "--count", "1"]).expect(0);
    shown.expect_said(&["2026-07-04T08:00", "[Europe/Paris]", "2026-07-04T06:00:00Z"]);
}

#[test]
fn extract_has_exactly_the_documented_keys() {
    let house = House::new();
    house.write("article.html", ARTICLE);
    let args = ["extract", "article.html", "--published", "2027-07-09", "--week", "2027-W28", "--json"];
    let agenda = house.semainier(&args).expect(0).json();
    assert_eq!(keys(&agenda), BTreeSet::from(["week", "days", "daily", "exhibitions", "unplaced", "warnings"]));
    assert_eq!(agenda["week"], json!(["2027-07-12", "2027-07-18"]));
    let days = agenda["days"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    assert_eq!(keys(&days[0]), BTreeSet::from(["date", "items"]));
    let daily = &agenda["daily"].as_array().unwrap();
    assert!(daily.iter().all(|it| keys(it) == BTreeSet::from(["text", "events", "days"])), "{daily:?}");
    let of_days = days.iter().flat_map(|day| day["items"].as_array().unwrap());
    let others = ["exhibitions", "unplaced"].into_iter().flat_map(|group| agenda[group].as_array().unwrap());
    for item in of_days.chain(others) {
        let sometimes = BTreeSet::from(["read", "unplaced"]);
        assert_eq!(keys(item).difference(&sometimes).copied().collect::<BTreeSet<_>>(), ["text", "events"].into());
        for event in item["events"].as_array().unwrap() {
            let always = ["start", "end", "part_of_day", "title", "place", "price", "phone", "link", "status"].into();
            let sometimes =
                ["note", "slots", "all_day", "approx", "from", "end_day", "until", "until_text", "evidence"].into();
            assert_eq!(keys(event).difference(&sometimes).copied().collect::<BTreeSet<_>>(), always, "{event}");
            let status = event["status"].as_str().unwrap();
            assert!(["scheduled", "cancelled", "postponed", "sold_out"].contains(&status), "{event}");
            let title = &event["evidence"]["title"];
            let sure = title["confidence"].as_str().unwrap();
            assert!(["certain", "inherited", "as_written"].contains(&sure), "{event}");
            if sure == "certain" {
                let [from, to] = [0, 1].map(|at| usize::try_from(title["span"][at].as_u64().unwrap()).unwrap());
                let text: Vec<char> = item["text"].as_str().unwrap().chars().collect();
                let read: String = text[from..to].iter().collect();
                let plain = |text: &str| text.to_lowercase().replace('’', "'");
                assert_eq!(plain(&read), plain(event["title"].as_str().unwrap()), "{event}");
            }
        }
    }
    let cancelled = agenda.to_string().matches("\"cancelled\"").count();
    assert_eq!(cancelled, 1, "the canoe trip");
}

#[test]
fn extract_reads_a_page_and_shows_it_to_people() {
    let web = Web::wordpress(vec![Post::new("Que faire cette semaine", "2027-07-09T15:12:08", ARTICLE)]);
    let house = House::new().site(&web);
    let url = web.url("/blog/que-faire-cette-semaine/").to_string();
    let shown = house.semainier(&["extract", &url]).expect(0);
    shown.expect_said(&["lundi 12 juillet", "10 h 30", "18 h", "[Annulé]", "events"]);
}

#[test]
fn extract_says_when_nothing_is_understood() {
    let house = House::new();
    house.write("note.txt", "Bonjour à tous");
    let agenda = house.semainier(&["extract", "note.txt", "--published", "2027-07-09", "--json"]).expect(0).json();
    assert_eq!((&agenda["week"], &agenda["days"]), (&Value::Null, &json!([])));
    house.semainier(&["extract", "none.html", "--published", "2027-07-09"]).expect(1).expect_said(&["none.html"]);
    house.semainier(&["extract", "note.txt", "--published", "demain"]).expect(2).expect_said(&["--published"]);
    house.semainier(&["extract", "note.txt", "--week", "28"]).expect(2).expect_said(&["--week"]);
}

#[test]
fn a_preview_writes_seven_files_and_records_nothing() {
    let house = House::new();
    house.write("article.html", ARTICLE);
    house.semainier(&["preview", "agenda", "--at", AT, "--article", "article.html", "--out", "look"]).expect(0);
    let names: BTreeSet<_> = std::fs::read_dir(house.path("look"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["subject.txt", "body.html", "body.txt", "message.eml", "poster.pdf", "booklet.pdf", "agenda.json"];
    assert_eq!(names, expected.map(str::to_owned).into());
    let read = |name: &str| std::fs::read_to_string(house.path("look").join(name)).unwrap();
    assert_eq!(read("subject.txt").trim(), "Que faire à Auch cette semaine : du 12 au 18 juillet");
    assert!(read("body.html").contains("lang=\"fr\""));
    let agenda: Value = serde_json::from_str(&read("agenda.json")).unwrap();
    assert_eq!(agenda["days"].as_array().unwrap().len(), 7);
    let bytes = std::fs::read(house.path("look/message.eml")).unwrap();
    assert!(mail_parser::MessageParser::default().parse(&bytes).is_some());
    assert!(!house.path("semainier.db").exists(), "a preview opens no ledger");
}

#[test]
fn a_preview_of_the_wrong_week_is_held() {
    let house = House::new();
    house.write("article.html", article(NEXT_MONDAY));
    let args = ["preview", "agenda", "--at", AT, "--article", "article.html", "--out", "look"];
    house.semainier(&args).expect(3).expect_said(&["held: ", "19 au dimanche 25 juillet"]);
    assert!(!house.path("look").exists());
    house.write("file", "");
    house.write("article.html", article(MONDAY));
    let args = ["preview", "agenda", "--at", AT, "--article", "article.html", "--out", "file/look"];
    house.semainier(&args).expect(1).expect_said(&["cannot make file/look"]);
}

#[test]
fn check_shows_what_is_configured_and_the_next_occurrences() {
    let house = House::new().set("relay", "smtp://localhost:25?tls=none");
    let checked = house.semainier(&["check", "--offline"]).expect(0);
    checked.expect_said(&[
        "semainier.toml",
        "smtp://localhost:25",
        "template agenda",
        "agenda (Que faire",
        "0 errors, ",
    ]);
    std::fs::remove_file(house.path("semainier.toml")).unwrap();
    house.semainier(&["check"]).expect(0).expect_said(&["warning: relay is not set"]);
}

#[test]
fn completions_are_those_of_the_shell() {
    let house = House::new();
    house.semainier(&["completions", "bash"]).expect(0).expect_said(&["_semainier()", "--article"]);
    house.semainier(&["completions", "cmd"]).expect(2).expect_said(&["bash"]);
}

#[test]
fn every_command_explains_its_options() {
    let house = House::new();
    for (command, options) in [
        (&["demo"][..], &["--dir"][..]),
        (&["check"], &["--config", "--offline"]),
        (&["next"], &["--count", "--from", "--json", "MAILING"]),
        (&["extract"], &["--published", "--week", "--json", "FILE|URL"]),
        (&["preview"], &["--at", "--article", "--out"]),
        (&["run"], &["--at", "--article", "MAILING"]),
        (&["serve"], &["--log-format"]),
        (&["partners", "import"], &["--dry-run", "--mailing"]),
        (&["partners", "list"], &["--json"]),
        (&["partners", "suppress"], &["--mailing"]),
        (&["issues"], &["--json", "resume", "cancel"]),
        (&["log"], &["--issue", "--address", "--state", "--since", "--json", "--csv"]),
        (&["deliveries", "resolve"], &["--as", "sent", "resend", "failed"]),
        (&["completions"], &["bash", "zsh", "fish"]),
    ] {
        let help = house.semainier(&[command, &["--help"]].concat()).expect(0).stdout;
        for option in options {
            assert!(help.contains(option), "{option} is not in the help of {command:?}:\n{help}");
        }
    }
    let help = house.semainier(&["--help"]).expect(0);
    help.expect_said(&["Exit codes", "semainier demo", "SEMAINIER__SECTION__KEY"]);
    house.semainier(&["sned"]).expect(2).expect_said(&["semainier"]);
}

#[test]
fn an_empty_ledger_is_listed_as_empty_json() {
    let house = House::new();
    assert_eq!(house.semainier(&["issues", "--json"]).expect(0).json(), json!([]));
    assert_eq!(house.semainier(&["log", "--json"]).expect(0).json(), json!([]));
    house.semainier(&["log", "--csv"]).expect(0).expect_said(&["issue;address;"]);
    house.semainier(&["log", "--state", "lost"]).expect(2).expect_said(&["--state"]);
    house.semainier(&["log", "--address", "nobody"]).expect(2).expect_said(&["--address"]);
    house.semainier(&["log", "--since", "hier"]).expect(1).expect_said(&["hier"]);
}

#[test]
fn a_closed_output_pipe_is_not_an_error() {
    let house = House::new();
    let program = env!("CARGO_BIN_EXE_semainier");
    let shell = format!("'{program}' next --count 1000 --json | head -n 1; exit ${{PIPESTATUS[0]}}");
    let status = std::process::Command::new("bash").args(["-c", &shell]).current_dir(house.path("")).output().unwrap();
    assert!(status.status.success(), "{status:?}");
    assert!(status.stderr.is_empty(), "{status:?}");
}

#[test]
fn trial_f15_the_journal_gets_priorities_and_no_second_time() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    // A filter that is none is a warning of every command.
    std::fs::write(folder.path().join("semainier.toml"), "[log]\nlevel = \"=,=\"\n").unwrap();
    let said = |stream: &dyn Fn(&std::fs::Metadata) -> String| {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let stream = stream(&log.metadata().unwrap());
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_semainier"));
        command.args(["next", "agenda"]).current_dir(folder.path()).env("JOURNAL_STREAM", stream).stderr(log);
        command.output().unwrap();
        let text = std::fs::read_to_string(folder.path().join("log")).unwrap();
        text.lines().find(|line| line.contains("is no filter")).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let line = said(&|log| format!("{}:{}", log.dev(), log.ino()));
    assert!(line.starts_with("<4>log.level is no filter"), "{line}");
    // A service's variable that is inherited by a command in a terminal means nothing there.
    let line = said(&|log| format!("{}:{}", log.dev(), log.ino() + 1));
    assert!(line.contains(" WARN log.level is no filter") && line.starts_with("20"), "{line}");
}
