//! kill -9 at random moments.

use crate::support::{
    house::{AT, House, ISSUE, MONDAY, On, Relay, article, finish, signal, until},
    process::Random,
    smtp::Options,
};
use std::time::Duration;

const PEOPLE: usize = 300;
const CONNECTIONS: usize = 4;
const RUN: [&str; 7] = ["run", "agenda", "--at", AT, "--article", "article.html", "--yes"];

#[test]
fn three_hundred_mails_are_sent_once_despite_repeated_kills_on_sqlite() {
    kill_again_and_again(On::Sqlite, 20_270_710);
}

#[test]
fn three_hundred_mails_are_sent_once_despite_repeated_kills_on_postgres() {
    kill_again_and_again(On::Postgres, 20_260_704);
}

#[expect(clippy::print_stdout, reason = "shown when the test fails: the seed is what repeats it")]
fn kill_again_and_again(on: On, seed: u64) {
    println!("seed {seed}");
    let mut random = Random(seed);
    // A relay a few milliseconds away: most kills land within a conversation.
    let relay = Relay::with(Options { round_trip: Duration::from_millis(2), ..Options::default() });
    let house = House::on(on).relay(&relay).set("delivery.connections", CONNECTIONS);
    house.import_many(PEOPLE);
    house.write("article.html", article(MONDAY));
    let mut kills = 0;
    loop {
        let before = relay.to_partners();
        let mut run = house.start(&RUN);
        let more = random.below(90);
        let over = || relay.to_partners() > before + more;
        let mut ended = false;
        while !ended && !over() {
            std::thread::sleep(Duration::from_millis(1));
            ended = run.try_wait().unwrap().is_some();
        }
        if ended {
            let done = finish(run, &RUN);
            assert!(matches!(done.code, Some(0 | 4)), "{}", done.said());
            if house.issue()["state"] != "paused" {
                break;
            }
            // Too many in doubt: a person looked, and goes on.
            house.semainier(&["issues", "resume", ISSUE]).expect(0);
            continue;
        }
        signal(run.id(), "KILL");
        assert_eq!(finish(run, &RUN).signal, Some(9));
        kills += 1;
        until("the relay noticed", || relay.numbers().live == 0);
        house.judge(&relay, PEOPLE);
        house.leases_are_over();
        assert!(kills < 40, "it gets nowhere");
    }
    assert!(kills >= 2, "it was killed {kills} times only");
    let states = house.judge_at_rest(&relay, PEOPLE);
    let unknown = states.get("unknown").copied().unwrap_or_default();
    assert!(unknown <= kills * CONNECTIONS, "{unknown} in doubt after {kills} kills");
    assert_eq!(states.get("sent").copied().unwrap_or_default() + unknown, PEOPLE, "{states:?}");
}
