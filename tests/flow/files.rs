//! Errors in user files and failures of the machine: reported at once, with the position, without secrets.

use crate::support::{
    house::{AT, House, MONDAY, Relay, article, finish, until},
    smtp::Options,
};
use std::process::{Command, Stdio};

#[test]
fn all_errors_of_the_configuration_are_reported_at_once() {
    let house = House::new();
    house
        .write("semainier.toml", "databse = 'x'\nzone = 'Paris'\n[delivery]\nconnections = 0\n[fetch]\ntimeout = 12\n");
    let said = house.semainier(&["check"]).expect(1).stderr;
    for part in [
        "semainier.toml:1: databse: unknown key; did you mean database?",
        "semainier.toml:2: zone: expected",
        "semainier.toml:4: delivery.connections: expected 1 to 100, found 0",
        "semainier.toml:6: fetch.timeout: expected",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn invalid_toml_is_reported_with_file_and_line() {
    let house = House::new();
    house.write("semainier.toml", "zone = 'Europe/Paris'\nrelay = \n");
    house.semainier(&["check"]).expect(1).expect_said(&["semainier.toml:2: not TOML"]);
    house.semainier(&["check", "--config", "none.toml"]).expect(1).expect_said(&["none.toml", "cannot be read"]);
    std::fs::remove_file(house.path("semainier.toml")).unwrap();
    let house = house.env("SEMAINIER__ZONE", "Paris");
    house.semainier(&["check"]).expect(1).expect_said(&["environment: SEMAINIER__ZONE: expected"]);
}

#[test]
fn all_errors_of_all_mailings_are_reported_at_once() {
    let house = House::new();
    house.write("jobs/lettre.toml", "titel = 'x'\ntemplate = 'letter'\n[schedule]\ncron = '0 8 * 13 SAT'\n");
    house.write("jobs/autre.toml", "title = [\n");
    let said = house.semainier(&["check"]).expect(1).stderr;
    for part in ["lettre.toml:1: titel: unknown key", "lettre.toml:4: schedule.cron", "autre.toml:1: not TOML"] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert!(!said.contains("autre.toml: "), "what cannot be read is not said to be missing:\n{said}");
}

#[test]
fn an_unknown_template_variable_stops_the_start_with_file_and_line() {
    let house = House::new().set("templates", "templates");
    house.write("templates/mail/agenda/body.txt", "Bonjour\n{{ titel }}\n");
    house.semainier(&["check"]).expect(1).expect_said(&["mail/agenda/body.txt", "2", "titel"]);
    house.write("templates/mail/agenda/body.txt", "Bonjour\n{% if %}\n");
    house.semainier(&["run", "agenda", "--yes"]).expect(1).expect_said(&["mail/agenda/body.txt"]);
    house.write("templates/mail/agenda/body.txt", "Bonjour\n");
    house.write("templates/mail/agenda/body.mjml", "<mjml><mj-body><mj-nothing></mj-body></mjml>\n");
    house.semainier(&["check"]).expect(1).expect_said(&["body.mjml"]);
}

#[test]
fn an_unknown_mailing_is_answered_with_the_known_ones() {
    let house = House::new().set("relay", "capture:outbox");
    for args in [&["run", "lettre"][..], &["next", "lettre"], &["preview", "lettre", "--out", "look"]] {
        let said = house.semainier(args).expect(1).stderr;
        assert!(said.contains("there is no mailing \"lettre\"; expected one of agenda"), "{said}");
    }
}

#[test]
fn invalid_instants_and_files_are_answered_with_what_was_expected() {
    let house = House::new().set("relay", "capture:outbox");
    for at in ["samedi", "2027-13-01", "2027-07-10T25:00", ""] {
        house
            .semainier(&["run", "agenda", "--at", at, "--yes"])
            .expect(1)
            .expect_said(&["expected for example 2027-07-10T08:00"]);
    }
    let args = |file| ["run", "agenda", "--at", AT, "--article", file, "--yes"];
    house.semainier(&args("none.html")).expect(1).expect_said(&["none.html"]);
    house.semainier(&args("jobs")).expect(1).expect_said(&["jobs"]);
    house.write("binary.html", [0xff, 0xfe, 0x00, 0xd8, 0x81, 0x00]);
    let done = house.semainier(&args("binary.html"));
    assert!(matches!(done.code, Some(1 | 3)), "{}", done.said());
    house.semainier(&["next", "--count", "0"]).expect(2).expect_said(&["--count"]);
    assert!(house.issues().is_empty() || house.issue()["state"] == "held");
}

#[test]
fn without_a_relay_nothing_is_recorded_and_the_error_says_what_to_do() {
    let house = House::new();
    house.import(&["a@gite.example"]);
    house.run().expect(1).expect_said(&["no relay is configured", "relay = \"smtp://host:port\""]);
    assert!(house.issues().is_empty());
}

#[test]
fn postgres_without_a_secret_is_refused_with_advice() {
    let house = House::new().set("database", "postgres://semainier:hush-hush@127.0.0.1:1/semainier");
    let said = house.semainier(&["issues"]).expect(1).said();
    assert!(said.contains("127.0.0.1") || said.contains("database"), "{said}");
    assert!(!said.contains("hush-hush"), "{said}");
}

#[test]
fn a_second_sender_on_the_same_file_is_refused_while_reading_works() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["slow4000@gite.example"]);
    house.write("article.html", article(MONDAY));
    let args = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
    let first = house.start(&args);
    until("the relay is at it", || relay.numbers().data_commands > 0);
    let second = house.semainier(&args).expect(1).stderr;
    assert!(second.contains("another semainier already works on"), "{second}");
    assert_eq!(house.log().len(), 1);
    assert_eq!(house.issue()["state"], "sending");
    finish(first, &args).expect(0);
    house.judge_at_rest(&relay, 1);
    house.semainier(&args).expect(0).expect_said(&["nothing was sent twice"]);
}

/// Runs a script with the program in `$1` where a file system of our own can be mounted on `$2`: in a mount namespace,
/// as root or as root of a user namespace. `None` where the machine allows neither.
fn in_a_mount_namespace(house: &House, script: &str) -> Option<String> {
    let can = |flags: &[&str]| {
        let mount = ["sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"];
        let tried = Command::new("unshare").args(flags).args(mount).stderr(Stdio::null()).status();
        tried.is_ok_and(|it| it.success())
    };
    let flags = [&["-m"][..], &["-r", "-m"]].into_iter().find(|flags| can(flags))?;
    let mount = house.path("disk");
    std::fs::create_dir_all(&mount).unwrap();
    let mut command = Command::new("unshare");
    command.args(flags).args(["bash", "-c", script, "script", env!("CARGO_BIN_EXE_semainier")]).arg(&mount);
    command.current_dir(house.path("")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = finish(command.spawn().unwrap(), &["script"]).expect(0);
    Some(done.said())
}

#[test]
fn d01_on_a_full_disk_nothing_unrecorded_is_sent_and_sending_resumes() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("database", "sqlite://disk/semainier.db");
    house.write("article.html", article(MONDAY));
    let partners: String = (0..50).map(|n| format!("p{n}@gite.example;N;E;Auch\n")).collect();
    house.write("partners.csv", format!("email;nom;etablissement;commune\n{partners}"));
    let script = r#"
        set -eu
        mount -t tmpfs -o size=4m tmpfs "$2"
        "$1" partners import partners.csv
        dd if=/dev/zero of="$2/filler" bs=4k 2>/dev/null || true
        for filler in 1 2; do
            code=0; "$1" run agenda --at 2027-07-10T08:00 --yes --article article.html || code=$?
            echo "code $code"
            truncate -s 512k "$2/filler"
        done
        "$1" issues --json >issues.json
        "$1" log --json >log.json
    "#;
    let Some(said) = in_a_mount_namespace(&house, script) else {
        eprintln!("this machine mounts nothing for us: not tested");
        return;
    };
    assert!(said.contains("code 1"), "the first run met the full disk:\n{said}");
    assert!(said.contains("cannot be written") || said.contains("full"), "{said}");
    assert!(said.contains("code 0") && said.contains("50 = 50 sent"), "the second one had room:\n{said}");
    let log: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(house.path("log.json")).unwrap()).unwrap();
    assert_eq!(log.iter().filter(|it| it["state"] == "sent").count(), 50);
    assert_eq!(relay.to_partners(), 50, "everybody once");
}

#[test]
fn d04_a_read_only_ledger_is_reported_and_nothing_is_sent() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("database", "sqlite://disk/semainier.db");
    house.write("article.html", article(MONDAY));
    house.write("partners.csv", "email;nom\na@gite.example;x\n");
    let script = r#"
        set -eu
        mount -t tmpfs -o size=8m tmpfs "$2"
        "$1" partners import partners.csv
        mount -o remount,ro "$2"
        code=0; "$1" run agenda --at 2027-07-10T08:00 --yes --article article.html || code=$?
        echo "code $code"
    "#;
    let Some(said) = in_a_mount_namespace(&house, script) else {
        eprintln!("this machine mounts nothing for us: not tested");
        return;
    };
    assert!(said.contains("code 1"), "{said}");
    assert!(said.contains("cannot be written"), "{said}");
    assert_eq!(relay.seen().accepted.len(), 0);
}

#[test]
fn no_secret_is_ever_shown() {
    const PASSWORD: &str = "correct-horse-battery";
    const KEY: &str = "staple-of-the-ledger";
    let relay = Relay::with(Options { auth: Some(false), starttls_broken: true, ..Options::default() });
    let url = format!("smtp://facteur:{PASSWORD}@{}?tls=required", relay.address);
    let house = House::new().set("relay", url.as_str()).set("secret", KEY).set("log.level", "trace");
    house.import(&["a@gite.example"]);
    let mut said = String::new();
    for args in [
        &["check"][..],
        &["next"],
        &["issues"],
        &["issues", "--json"],
        &["log", "--json"],
        &["log", "--csv"],
        &["partners", "list"],
        &["serve", "--help"],
    ] {
        said.push_str(&house.semainier(args).said());
    }
    said.push_str(&house.run().expect(1).said());
    assert!(
        said.contains(&relay.address.port().to_string()) || said.contains("facteur"),
        "the relay is named:\n{said}"
    );
    for (key, value) in [("relay", url.as_str()), ("database", "postgres://me:correct-horse-battery@127.0.0.1:1/x")] {
        let house = House::new().set(key, value).set("secret", KEY).set("zone", "Paris");
        said.push_str(&house.semainier(&["check"]).expect(1).said());
        let house = house.set("zone", "Europe/Paris");
        for args in [&["check"][..], &["issues"], &["run", "agenda", "--yes"]] {
            said.push_str(&house.semainier(args).said());
        }
        let wrong = value.replace("127.0.0.1", "not a host");
        said.push_str(&house.set(key, wrong).semainier(&["check"]).said());
    }
    let house = House::new().set("relay_password_file", "password").set("secret_file", "key");
    let house = house.set("zone", "Paris");
    house.write("password", PASSWORD);
    house.write("key", KEY);
    said.push_str(&house.semainier(&["check"]).expect(1).said());
    let house = house.set("zone", "Europe/Paris").env("SEMAINIER__RELAY_PASSWORD", PASSWORD);
    said.push_str(&house.semainier(&["check"]).said());
    for secret in [PASSWORD, KEY] {
        let shown = said.lines().find(|line| line.contains(secret));
        assert!(shown.is_none(), "{shown:?}");
    }
}

#[test]
fn no_partners_address_is_in_the_log_of_the_program() {
    let relay = Relay::start();
    let house = House::new().relay(&relay).set("log.level", "trace");
    house.import(&["secrete@gite.example", "f550@gite.example", "f450@gite.example", "dropafter@gite.example"]);
    let said = house.run().expect(4).stderr;
    for address in ["secrete@", "f450@gite", "dropafter@gite", "f550@gite"] {
        let line = said.lines().find(|line| line.contains(address));
        assert!(line.is_none(), "{line:?}");
    }
}

#[test]
fn f11_an_issue_far_from_its_date_needs_confirmation() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["a@gite.example"]);
    house.write("article.html", article(MONDAY));
    let run = ["run", "agenda", "--at", AT, "--article", "article.html"];
    let done = house.semainier(&run).expect(1);
    for words in ["agenda/2027-W28 is the issue of Saturday 10 July 2027, 08:00, ", " days from now", "add --yes"] {
        assert!(done.stderr.contains(words), "{words} is not in {}", done.stderr);
    }
    // Nor does the next one of the schedule, wherever in the year we are; nothing is kept of either.
    let season = house.semainier(&["next", "agenda", "--count", "1", "--json"]).json();
    let at = season[0]["utc"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    if at - semainier::clock::Clock::System.now() > chrono::TimeDelta::days(8) {
        house.semainier(&["run", "agenda"]).expect(1).expect_said(&["days from now", "nothing was sent"]);
    }
    assert_eq!(house.semainier(&["issues", "--json"]).json().as_array().unwrap().len(), 0);
    house.semainier(&[&run[..], &["--yes"]].concat()).expect(0);
    // What is frozen goes on without being asked about.
    house.semainier(&run).expect(0).expect_said(&["nothing was sent twice"]);
    assert_eq!(relay.seen().accepted.len(), 1);
}
