//! `semainier serve` and signals: it runs unattended, and stops when asked.

use crate::support::{
    house::{AT, BOTH, House, MONDAY, Relay, article, finish, signal, until},
    smtp::Options,
    web::{Post, Web},
};
use semainier::{clock::Clock, domain::agenda::Week};
use std::time::Duration;

#[test]
fn a_stopped_run_finishes_messages_in_flight_and_the_next_one_continues() {
    for on in BOTH {
        let relay = Relay::with(Options { round_trip: Duration::from_millis(8), ..Options::default() });
        let house = House::on(on).relay(&relay);
        house.import_many(150);
        house.write("article.html", article(MONDAY));
        let args = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
        let run = house.start(&args);
        until("some are sent", || relay.to_partners() > 10);
        signal(run.id(), "TERM");
        finish(run, &args).expect(0);
        let states = house.judge_at_rest(&relay, 150);
        assert_eq!(states.get("sent"), Some(&relay.to_partners()), "{on:?}: {states:?}");
        assert!(states.get("queued") > Some(&0), "{on:?}: it stopped in between: {states:?}");
        finish(house.start(&args), &args).expect(0);
        house.judge_at_rest(&relay, 150);
        house.assert_states(&[("sent", 150)]);
    }
}

/// F09: a relay that does not answer keeps nobody waiting for ever.
#[test]
fn a_stop_waits_for_messages_in_flight_up_to_the_limit_and_a_second_one_not_at_all() {
    for (patience, signals) in [("1s", 1), ("60s", 2)] {
        let relay = Relay::start();
        let house = House::new().relay(&relay).set("delivery.shutdown", patience).set("delivery.connections", 1);
        house.import(&["hang@gite.example"]);
        house.write("article.html", article(MONDAY));
        let args = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];
        let mut run = house.start(&args);
        until("the relay is at it", || relay.numbers().data_commands > 0);
        while signals == 2 && run.try_wait().unwrap().is_none() {
            signal(run.id(), "TERM");
            std::thread::sleep(Duration::from_millis(100));
        }
        if signals == 1 {
            signal(run.id(), "TERM");
        }
        finish(run, &args).expect(1).expect_said(&["stopped with messages in flight"]);
        house.assert_states(&[("in_data", 1)]);
        finish(house.start(&args), &args).expect(4);
        house.assert_states(&[("unknown", 1)]);
        house.judge_at_rest(&relay, 1);
    }
}

#[test]
fn the_daemon_catches_up_what_became_due_while_it_was_down() {
    for on in BOTH {
        let relay = Relay::start();
        let now = Clock::System.now();
        let week = Week::after(now.with_timezone(&chrono_tz::Europe::Paris).date_naive());
        let monday = week.monday().to_string();
        let published = now.format("%Y-%m-%dT%H:%M:%S").to_string();
        let web = Web::wordpress(vec![Post::new("Que faire à Auch cette semaine ?", &published, &article(&monday))]);
        let house = House::on(on).site(&web).relay(&relay);
        let job = std::fs::read_to_string(house.path("jobs/agenda.toml")).unwrap();
        // Due each minute, so that the one before this minute is the one that was missed.
        let job = job.replace("0 8 * 7,8 SAT", "* * * * *").replace("\"Sat 20:00\"", "\"72h\"");
        house.write("jobs/agenda.toml", job);
        house.import_many(4);
        // A first start meets the mailing; nothing before that is owed.
        house.semainier(&["issues"]).expect(0);
        house.serve_until("the mailing is known", || house.number("SELECT count(*) FROM mailings") == 1);
        house.sql("UPDATE mailings SET cursor = cursor - 180000");
        house.serve_until("everybody is written to", || relay.to_partners() == 4);
        house.judge_at_rest(&relay, 4);
        house.assert_states(&[("sent", 4)]);
        assert_eq!(house.issues().len(), 1, "one issue for the week, whatever the number of occurrences");
    }
}
