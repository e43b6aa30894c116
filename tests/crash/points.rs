//! One abort at each fail point, and the expected state of both ledgers afterwards (K0 to K9 of the design).

use crate::support::{
    house::{AT, BOTH, House, MONDAY, On, Relay, article, finish, until},
    smtp::{Chunking, Options},
    web::{Post, Web},
};
use semainier::{clock::Clock, domain::agenda::Week};
use std::collections::BTreeSet;

/// Everybody of a small issue.
const PEOPLE: usize = 5;
const SIGABRT: i32 = 6;
const RUN: [&str; 7] = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];

/// What becomes of the message that was in hand, when the program is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is sent, once, as if nothing had been.
    Sent,
    /// Two messages of a connection share a write: the one before may be in doubt, or the one after be marked already. Never
    /// both.
    SentOrOneUnknown,
    /// A person looks; the relay did not take it.
    UnknownAndNotThere,
    /// A person looks; the relay had it.
    UnknownAndThere,
    /// A person looks; nobody can say.
    Unknown,
}

/// The points of `run`, in the order they are passed, each at the visit named.
const POINTS: [(&str, Then); 16] = [
    ("before_freeze", Then::Sent),
    ("mid_freeze", Then::Sent),
    ("after_freeze", Then::Sent),
    ("before_claim", Then::Sent),
    ("after_claim", Then::Sent),
    ("before_canary", Then::Sent),
    ("after_canary", Then::Sent),
    ("after_rcpt", Then::Sent),
    ("after_rcpt:3", Then::SentOrOneUnknown),
    ("after_mark_in_data:2", Then::UnknownAndNotThere),
    ("mid_body:2", Then::UnknownAndNotThere),
    ("after_dot:2", Then::Unknown),
    ("after_reply:2", Then::UnknownAndThere),
    ("after_finish:2", Then::SentOrOneUnknown),
    ("before_canary_end", Then::Sent),
    ("after_canary_end", Then::Sent),
];

/// The point of `partners import`.
const POINT_OF_THE_IMPORT: &str = "mid_import";

/// The points of `serve` alone.
const POINTS_OF_THE_DAEMON: [&str; 2] = ["before_occurrences", "after_occurrences"];

/// The point of a webhook, which `console::telling` tests.
const POINT_OF_WEBHOOKS: &str = "webhook_answered";
/// Tested in `inbound::maildir` and `inbound::imap`.
const POINT_OF_THE_MAILBOX: &str = "after_feedback_recorded";

#[test]
fn every_fail_point_of_the_source_is_tested() {
    fn sources(dir: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(path.to_str().unwrap(), found),
                false if path.extension().is_some_and(|it| it == "rs") => {
                    found.push(std::fs::read_to_string(path).unwrap());
                }
                false => {}
            }
        }
    }
    let mut texts = Vec::new();
    sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src"), &mut texts);
    let in_source: BTreeSet<_> = texts
        .iter()
        .flat_map(|text| text.split("failpoint::reach(\"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let here = POINTS.iter().map(|(point, _)| point.split(':').next().unwrap()).chain(POINTS_OF_THE_DAEMON);
    let here = here.chain([POINT_OF_THE_IMPORT, POINT_OF_WEBHOOKS, POINT_OF_THE_MAILBOX]);
    assert_eq!(in_source, here.collect());
}

#[test]
fn a_run_that_dies_at_any_point_is_finished_by_the_next_on_sqlite() {
    POINTS.iter().for_each(|(point, then)| die_and_go_on(On::Sqlite, Chunking::No, point, *then));
}

#[test]
fn a_run_that_dies_at_any_point_is_finished_by_the_next_on_postgres() {
    POINTS.iter().for_each(|(point, then)| die_and_go_on(On::Postgres, Chunking::No, point, *then));
}

/// Up to RCPT it is the same.
#[test]
fn a_run_that_dies_during_bdat_is_finished_by_the_next() {
    let differ = POINTS.iter().skip_while(|(point, _)| *point != "after_rcpt:3");
    differ.for_each(|(point, then)| BOTH.iter().for_each(|on| die_and_go_on(*on, Chunking::Yes, point, *then)));
}

/// Over one connection, so that what each point leaves is exactly known.
#[expect(clippy::print_stdout, reason = "shown when the test fails: at which point")]
fn die_and_go_on(on: On, chunking: Chunking, point: &str, then: Then) {
    println!("{on:?}, {chunking:?}, {point}");
    let relay = Relay::with(Options { chunking, ..Options::default() });
    let house = House::on(on).relay(&relay).set("delivery.connections", 1);
    // Only a message of several blocks has a middle.
    let house = if point.starts_with("mid_body") { house.with_the_shipped_mailing() } else { house };
    // The issue is small: it has first messages only where they are fewer.
    let house = if point.contains("canary") { house.set("delivery.canary", 2) } else { house };
    house.import_many(PEOPLE);
    die(&house, &relay, point);
    if ["before_freeze", "mid_freeze"].contains(&point) {
        assert!(house.issues().is_empty(), "nothing is half frozen");
    }
    house.leases_are_over();

    let again = finish(house.start(&RUN), &RUN);
    let states = house.judge_at_rest(&relay, PEOPLE);
    let unknown = match then {
        Then::Sent => 0,
        Then::SentOrOneUnknown => states.get("unknown").copied().unwrap_or_default().min(1),
        Then::UnknownAndNotThere | Then::UnknownAndThere | Then::Unknown => 1,
    };
    again.expect(if unknown == 0 { 0 } else { 4 });
    assert_eq!(states.get("sent"), Some(&(PEOPLE - unknown)), "{point}: {states:?}");
    assert_eq!(states.get("unknown").copied().unwrap_or_default(), unknown, "{point}: {states:?}");
    let there = relay.to_partners() + unknown - PEOPLE;
    match then {
        Then::Sent => assert_eq!(there, 0, "{point}: everybody once"),
        Then::UnknownAndNotThere => assert_eq!(there, 0, "{point}"),
        Then::UnknownAndThere => assert_eq!(there, 1, "{point}"),
        Then::Unknown | Then::SentOrOneUnknown => assert!(there <= unknown, "{point}"),
    }
    assert!(house.issue()["state"] == "done", "{point}: {}", house.issue());
}

#[test]
fn f07_a_kill_inside_the_freeze_freezes_nothing_and_the_next_run_everything() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import_many(PEOPLE);
        die(&house, &relay, "mid_freeze");
        let tables = ["issues", "issue_content", "deliveries"].map(|table| format!("(SELECT count(*) FROM {table})"));
        assert_eq!(house.number(&format!("SELECT {}", tables.join(" + "))), 0, "{on:?}");
        finish(house.start(&RUN), &RUN).expect(0);
        house.judge_at_rest(&relay, PEOPLE);
        house.assert_states(&[("sent", PEOPLE)]);
    }
}

#[test]
fn f08_a_kill_during_an_import_imports_nobody_and_the_next_one_everybody() {
    for on in BOTH {
        let house = House::on(on);
        house.import(&["avant@gite.example"]);
        house.write("more.csv", "email;nom\navant@gite.example;Autre nom\napres@gite.example;Ève\n");
        let import = ["partners", "import", "more.csv"];
        let command = house.command(&import).env("SEMAINIER_FAILPOINT", POINT_OF_THE_IMPORT).spawn().unwrap();
        assert_eq!(finish(command, &import).signal, Some(SIGABRT));
        let names = || {
            let contacts = house.semainier(&["partners", "list", "--json"]).expect(0).json();
            contacts.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(), ["Éloïse 0"], "{on:?}");
        house.semainier(&import).expect(0);
        assert_eq!(names(), ["Ève", "Autre nom"], "{on:?}");
    }
}

/// Our own code fails at one delivery. Before the marker it is made again; past it nobody knows; the others go on.
#[test]
fn f11_a_panic_before_the_marker_is_retried_and_one_after_it_is_unknown() {
    for (on, point, unknown) in [
        (On::Sqlite, "after_rcpt:2:panic", 0),
        (On::Postgres, "after_rcpt:2:panic", 0),
        (On::Sqlite, "after_mark_in_data:2:panic", 1),
        (On::Postgres, "after_reply:2:panic", 1),
    ] {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("delivery.connections", 1);
        house.import_many(PEOPLE);
        house.write("article.html", article(MONDAY));
        let run = house.command(&RUN).env("SEMAINIER_FAILPOINT", point).spawn().unwrap();
        let done = finish(run, &RUN);
        assert_eq!(done.code, Some(if unknown == 0 { 0 } else { 4 }), "{point}: {}", done.said());
        let states = house.judge_at_rest(&relay, PEOPLE);
        assert_eq!(states.get("sent"), Some(&(PEOPLE - unknown)), "{on:?}, {point}");
        assert_eq!(states.get("unknown").copied().unwrap_or_default(), unknown, "{on:?}, {point}");
        let attempts = house.log().into_iter().flat_map(|it| it.attempts);
        let ours = attempts.filter(|it| it.text.as_deref().is_some_and(|text| text.starts_with("internal: panic")));
        assert_eq!(ours.count(), 1, "{on:?}, {point}: the ledger says whose fault it was");
    }
}

/// The program aborts at the point, and the relay has seen it go.
fn die(house: &House, relay: &Relay, point: &str) {
    house.write("article.html", article(MONDAY));
    let run = house.command(&RUN).env("SEMAINIER_FAILPOINT", point).spawn().unwrap();
    let died = finish(run, &RUN);
    assert_eq!(died.signal, Some(SIGABRT), "{point} was not reached: {}", died.said());
    until("the relay noticed", || relay.numbers().live == 0);
}

/// Several connections, each with a message in hand: never more in doubt than connections were open (O7).
#[test]
fn unknown_deliveries_after_a_crash_are_at_most_the_open_connections() {
    for (on, point) in [(On::Sqlite, "after_reply:9"), (On::Postgres, "after_mark_in_data:9")] {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay).set("delivery.connections", 3);
        house.import_many(30);
        die(&house, &relay, point);
        house.judge(&relay, 30);
        house.leases_are_over();
        finish(house.start(&RUN), &RUN).expect(4);
        let unknown = house.judge_at_rest(&relay, 30)["unknown"];
        assert!((1..=3).contains(&unknown), "{unknown} in doubt");
        // A person decides, and the issue is complete.
        for delivery in house.log_where(&["--state", "unknown"]) {
            let there = relay.accepted(&delivery.address) > 0;
            let decision = if there { "sent" } else { "resend" };
            house.semainier(&["deliveries", "resolve", &delivery.id, "--as", decision]).expect(0);
        }
        finish(house.start(&RUN), &RUN).expect(0);
        house.judge_at_rest(&relay, 30);
        house.assert_states(&[("sent", 30)]);
        assert_eq!(relay.to_partners(), 30);
    }
}

/// On Postgres the claims of a dead daemon are respected until their lease is over; nobody else is held up by them.
#[test]
fn claims_of_a_dead_daemon_are_taken_over_only_after_their_lease() {
    let relay = Relay::start();
    let house = House::on(On::Postgres).relay(&relay).set("delivery.connections", 1);
    house.import_many(PEOPLE);
    die(&house, &relay, "after_claim");
    let claimed = house.states()["claimed"];
    assert!(claimed > 0);
    finish(house.start(&RUN), &RUN).expect(0).expect_said(&["are claimed by another semainier"]);
    house.judge(&relay, PEOPLE);
    assert_eq!(house.states().get("claimed"), Some(&claimed), "their lease is not over");
    assert_eq!(relay.to_partners(), PEOPLE - claimed);
    house.leases_are_over();
    finish(house.start(&RUN), &RUN).expect(0);
    house.judge_at_rest(&relay, PEOPLE);
    house.assert_states(&[("sent", PEOPLE)]);
}

#[test]
fn a_daemon_killed_while_recording_due_occurrences_loses_and_repeats_none() {
    for (on, point) in [On::Sqlite, On::Postgres].into_iter().flat_map(|on| POINTS_OF_THE_DAEMON.map(|p| (on, p))) {
        let relay = Relay::start();
        let now = Clock::System.now();
        let monday = Week::after(now.with_timezone(&chrono_tz::Europe::Paris).date_naive()).monday().to_string();
        let published = now.format("%Y-%m-%dT%H:%M:%S").to_string();
        let web = Web::wordpress(vec![Post::new("Que faire à Auch cette semaine ?", &published, &article(&monday))]);
        let house = House::on(on).site(&web).relay(&relay);
        let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
        // Due each minute, so that the last one is never far.
        house.write("jobs/agenda.toml", job.replace("0 8 * 7,8 SAT", "* * * * *").replace("\"Sat 20:00\"", "\"72h\""));
        house.import_many(2);
        house.serve_until("the mailing is known", || house.number("SELECT count(*) FROM mailings") == 1);
        house.sql("UPDATE mailings SET cursor = cursor - 180000");
        let serve = house.command(&["serve"]).env("SEMAINIER_FAILPOINT", point).spawn().unwrap();
        assert_eq!(finish(serve, &["serve"]).signal, Some(SIGABRT), "{on:?}, {point}");
        house.serve_until("everybody is written to", || relay.to_partners() == 2);
        house.judge_at_rest(&relay, 2);
        house.assert_states(&[("sent", 2)]);
        let due = house.number("SELECT count(*) FROM occurrences");
        let instants = house.number("SELECT count(DISTINCT scheduled_for) FROM occurrences");
        assert!(due >= 3 && due == instants, "{on:?}, {point}: {due} rows for {instants} instants");
    }
}
