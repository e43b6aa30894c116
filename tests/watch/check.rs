//! `check` looks: trial F6, "no problems found" where nothing could work.

use super::refusing_passwords;
use crate::support::{
    house::{BOTH, House, Relay},
    process::{Done, finish},
    web::{Post, Reply, Web},
};
use serde_json::json;
use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

/// With a site, a relay, a partner: nothing to mend but what `change` makes.
fn office(web: &Web, relay: &Relay) -> House {
    let house = House::new().site(web).relay(relay).set("delivery.hello", "lettre.ot.test");
    house.import(&["a@gite.test"]);
    house
}

fn site() -> Web {
    let web = Web::wordpress(vec![Post::new("Que faire à Auch cette semaine", "2027-07-09T15:12:08", "<p>…</p>")]);
    web.route("/", Reply::html("<h1>Office</h1>"));
    web
}

/// The lines that are findings.
fn findings(done: &Done) -> Vec<String> {
    let is_one = |line: &&str| line.starts_with("error: ") || line.starts_with("warning: ");
    done.stdout.lines().filter(is_one).map(str::to_owned).collect()
}

#[test]
fn without_problems_everything_was_checked_and_nothing_sent() {
    for on in BOTH {
        let (web, relay) = (site(), Relay::start());
        let house = House::on(on).site(&web).relay(&relay).set("delivery.hello", "lettre.ot.test");
        let house = house.set("web.bind", "127.0.0.1:0");
        house.import(&["a@gite.test"]);
        let everything = house.everything();
        let done = house.semainier(&["check"]).expect(0);
        assert_eq!(findings(&done), [""; 0]);
        let (site, relay_url) =
            (format!("site: {} is available", web.url("/")), format!("relay: smtp://{}", relay.address));
        let parts = [
            &site,
            &relay_url,
            "is available and up to date",
            "1 recipients of agenda",
            "source[0]",
            "1 articles",
            "no problems found",
        ];
        let done = done.expect_said(&parts);
        assert!(done.stdout.contains(&format!("relay: smtp://{} is available", relay.address)), "{}", done.stdout);
        assert_eq!((relay.numbers().connections, relay.numbers().mail_commands), (1, 0));
        assert_eq!(house.everything(), everything, "it only looks");
        let asked = web.requests().len();
        house.semainier(&["check", "--offline"]).expect(0).expect_said(&["no problems found"]);
        assert_eq!((relay.numbers().connections, web.requests().len()), (1, asked), "offline asks nobody");
    }
}

/// The file as it is shipped, unedited.
#[test]
fn trial_f06_the_unedited_shipped_configuration_has_findings() {
    let house = House::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/semainier.toml");
    house.write("semainier.toml", std::fs::read(shipped).unwrap());
    // Not this machine's own.
    let house = house.env("SEMAINIER__DATABASE", "sqlite:///nonexistent/office/semainier.db");
    let done = house.semainier(&["check", "--offline"]).expect(1);
    let found = findings(&done);
    for key in [
        "public_url",
        "staff",
        "office.email",
        "office.website",
        "sender.address",
        "sender.reply_to",
        "sender.return_path",
    ] {
        let said =
            found.iter().any(|line| line.contains(&format!("semainier.toml: {key}: still the value of the example")));
        assert!(said, "{key} is not in {found:#?}");
    }
    let folder = "semainier.toml: database: the folder /nonexistent/office does not exist";
    assert!(found.iter().any(|line| line.starts_with("error: ") && line.contains(folder)), "{found:#?}");
    assert!(!done.stdout.contains("no problems found"));
}

#[test]
fn trial_f06_a_relay_that_cannot_work_is_an_error_with_its_key() {
    let web = site();
    let house = office(&web, &Relay::start());
    let check = |relay: &str| {
        let mut command = house.command(&["check"]);
        let done = finish(command.env("SEMAINIER__RELAY", relay).spawn().unwrap(), &["check"]);
        let found = findings(&done.expect(1));
        assert_eq!(found.iter().filter(|it| it.starts_with("error: ")).count(), 1, "{found:#?}");
        found[0].clone()
    };
    let nowhere = check(&Relay::nowhere());
    assert!(nowhere.contains("semainier.toml: relay: connect: ") && nowhere.contains("refused"), "{nowhere}");
    let nobody = check("smtp://relay.nowhere.test:25?tls=none");
    assert!(nobody.contains("relay: connect: cannot find relay.nowhere.test"), "{nobody}");
    let no_tls = Relay::start();
    let no_tls = check(&format!("smtp://u:p@{}?tls=required", no_tls.address));
    assert!(no_tls.contains("relay: tls: the relay offers no STARTTLS"), "{no_tls}");
}

#[test]
fn trial_f06_a_wrong_password_is_found_before_the_first_mailing() {
    let (web, (options, certificate)) = (site(), refusing_passwords());
    let relay = Relay::with(options);
    let house = office(&web, &relay);
    let trusted = house.write("localhost.pem", certificate);
    let url = format!("smtp://facteur:correct-horse@localhost:{}?tls=required", relay.address.port());
    let house = house.set("relay", url).env("SSL_CERT_FILE", trusted.to_str().unwrap());
    let done = house.semainier(&["check"]).expect(1);
    let found = findings(&done);
    assert!(found[0].contains("semainier.toml: relay, relay_password_file: auth: 535"), "{found:#?}");
    assert!(!done.said().contains("correct-horse") && relay.numbers().auth_in_clear == 0);
}

#[test]
fn trial_f06_an_unreachable_site_or_source_is_an_error_with_its_file() {
    let (web, relay) = (Web::start(), Relay::start());
    let house = office(&web, &relay);
    let found = findings(&house.semainier(&["check"]).expect(1));
    assert!(found.iter().any(|it| it.contains("semainier.toml: office.website: ") && it.contains("404")), "{found:#?}");
    assert!(
        found.iter().any(|it| it.starts_with("error: ") && it.contains("jobs/agenda.toml: source[0]: ")),
        "{found:#?}"
    );
}

#[test]
fn trial_f06_a_missing_newer_or_foreign_database_is_an_error() {
    let (web, relay) = (site(), Relay::start());
    let house = office(&web, &relay);
    let check = |house: &House| findings(&house.semainier(&["check"]).expect(1));
    house.sql("INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1");
    let found = check(&house);
    assert!(found[0].contains("database: ") && found[0].contains("newer semainier (schema 9999"), "{found:#?}");
    house.write("semainier.db", "no database at all, but a text that is long enough to be looked at");
    let found = check(&house);
    assert!(found[0].contains("semainier.toml: database: "), "{found:#?}");
    let house = house.set("database", "postgres://nobody@127.0.0.1:1/none");
    let found = check(&house);
    assert!(found[0].contains("semainier.toml: database: ") && found[0].contains("refused"), "{found:#?}");
}

#[test]
fn an_older_database_is_checked_without_migrating_it() {
    for on in BOTH {
        let (web, relay) = (site(), Relay::start());
        let house = House::on(on).site(&web).relay(&relay);
        house.import(&["a@gite.test"]);
        house.sql("DELETE FROM _sqlx_migrations WHERE version = 23");
        house.semainier(&["check"]).expect(0).expect_said(&["1 migrations will run at the next start"]);
        assert_eq!(house.number("SELECT count(*) FROM _sqlx_migrations WHERE version = 23"), 0);
    }
}

#[test]
fn unusable_addresses_and_commands_are_reported_with_their_key() {
    let (web, relay) = (site(), Relay::start());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let house = office(&web, &relay).set("web.bind", taken.local_addr().unwrap().to_string());
    let program = house.write("page", "#!/bin/sh\n");
    let house = house.set("alert.command", json!([program]));
    let found = findings(&house.semainier(&["check", "--offline"]).expect(1));
    assert!(found.iter().any(|it| it.contains("semainier.toml: web.bind: ") && it.contains("in use")), "{found:#?}");
    assert!(
        found.iter().any(|it| it.contains("alert.command: ") && it.contains("is not an executable file")),
        "{found:#?}"
    );
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(taken);
    let house = house.set("web.bind", "127.0.0.1:81");
    let done = house.semainier(&["check", "--offline"]);
    assert!(done.stdout.contains("alert command: "), "{}", done.stdout);
    assert!(done.stdout.contains("web.bind: 127.0.0.1:81: "), "{}", done.stdout);
}

/// A daemon that serves its pages is no reason to complain.
#[test]
fn an_address_in_use_by_the_daemon_is_no_finding() {
    let (web, relay) = (site(), Relay::start());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house = office(&web, &relay).set("web.bind", port.to_string());
    let mut daemon = house.serve();
    daemon.hear("pages are served on");
    house.semainier(&["check"]).expect(0).expect_said(&["is in use, and a daemon is running", "no problems found"]);
    daemon.stop();
}

/// Field report 49: written for the first Tuesday.
#[test]
fn fr49_a_schedule_with_both_day_fields_is_a_warning() {
    let (web, relay) = (site(), Relay::start());
    let house = office(&web, &relay);
    let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
    house.write("jobs/agenda.toml", job.replace("0 8 * 7,8 SAT", "0 9 1-7 * TUE").replace("Sat 20:00", "12h"));
    let found = findings(&house.semainier(&["check", "--offline"]).expect(0));
    let said = found.iter().find(|it| it.contains("schedule.cron")).unwrap();
    assert!(said.contains("jobs/agenda.toml: schedule.cron: ") && said.contains("on every TUE"), "{said}");
}

/// What EHLO sends is configured, or a name with a dot, or an address: never a bare name.
#[test]
fn trial_f06_the_ehlo_name_is_the_configured_one() {
    let (web, relay) = (site(), Relay::start());
    let house = office(&web, &relay);
    assert!(!house.semainier(&["check", "--offline"]).expect(0).stdout.contains("delivery.hello"));
    let bare = house.without("delivery.hello");
    let named = Command::new("hostname").output().unwrap().stdout;
    let done = bare.semainier(&["check", "--offline"]).expect(0);
    match String::from_utf8_lossy(&named).contains('.') {
        true => assert!(done.stdout.contains("EHLO sends ")),
        false => assert!(
            done.stdout.contains("warning: ") && done.stdout.contains("delivery.hello: the host name has no dot")
        ),
    }
    let bad = bare.set("delivery.hello", "bureau");
    bad.semainier(&["check"]).expect(1).expect_said(&["delivery.hello: expected the full name of this machine"]);
}
