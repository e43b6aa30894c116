//! Repeated kill -9 and terminated database sessions: two daemons on one Postgres, then the queue is drained.
//!
//! A dozen seconds by default; a minute with ten thousand recipients if `SEMAINIER_LONG` is set. `SEMAINIER_SEED` repeats
//! the random choices of an earlier run, but not their timing.

use crate::support::{
    house::{House, On, Relay},
    process::{Random, signal},
    smtp::Options,
};
use semainier::clock::Clock;
use std::{
    fs::File,
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
    time::Duration,
};

const CONNECTIONS: usize = 4;
/// A drain that gets nowhere for so long has lost somebody.
const PATIENCE: Duration = Duration::from_secs(60);

struct Storm {
    people: usize,
    lasts: Duration,
}

impl Storm {
    fn of_today() -> Self {
        match std::env::var_os("SEMAINIER_LONG") {
            Some(_) => Self { people: 10_000, lasts: Duration::from_secs(60) },
            None => Self { people: 600, lasts: Duration::from_secs(8) },
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    sessions_ended: i64,
    resumed_by_a_person: usize,
    /// Daemons that ended by themselves because their start met a database that hung up.
    gave_up: usize,
}

/// How Postgres ends the session of a daemon that starts, as its error says.
const HUNG_UP: &str = "terminating connection due to administrator command";

/// One of the two daemons, always there again.
struct Place<'a> {
    house: &'a House,
    log: String,
    daemon: Child,
}

impl<'a> Place<'a> {
    fn take(house: &'a House, n: usize) -> Self {
        let log = format!("daemon-{n}.log");
        Self { house, daemon: Self::serve(house, &log), log }
    }

    fn serve(house: &House, log: &str) -> Child {
        let log = File::options().create(true).append(true).open(house.path(log)).unwrap();
        house.command(&["serve"]).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// How many deliveries it had past the marker. Its leases are over at once: a minute here is an hour of theirs.
    fn kill(&mut self) -> usize {
        let pid = self.daemon.id();
        signal(pid, "KILL");
        self.daemon.wait().unwrap();
        let its_own = format!("owner IN (SELECT owner FROM daemons WHERE pid = {pid})");
        let in_data =
            self.house.number(&format!("SELECT count(*) FROM claims WHERE marked_at IS NOT NULL AND {its_own}"));
        self.house.sql(&format!("UPDATE claims SET lease_until = 0 WHERE {its_own}"));
        in_data.try_into().unwrap()
    }

    fn replace(&mut self) {
        self.daemon = Self::serve(self.house, &self.log);
    }

    fn stop(&mut self) {
        signal(self.daemon.id(), "TERM");
        let ended = self.daemon.wait().unwrap();
        // By the signal itself, when it came before it was listened for; or by itself before that, as within the storm.
        let gave_up =
            ended.code() == Some(1) && self.said().lines().next_back().is_some_and(|line| line.contains(HUNG_UP));
        assert!(ended.success() || ended.signal() == Some(15) || gave_up, "{ended}:\n{}", self.said());
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.house.path(&self.log)).unwrap()
    }
}

#[test]
fn f10_two_daemons_killed_repeatedly_lose_and_repeat_nothing() {
    let Storm { people, lasts } = Storm::of_today();
    let given = std::env::var("SEMAINIER_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| Clock::System.now().timestamp_micros().unsigned_abs());
    println!("SEMAINIER_SEED={seed}");
    let mut random = Random(seed);

    let relay = Relay::with(Options {
        // So far away that the storm is over before the post is, and most kills land within a conversation.
        round_trip: Duration::from_millis(6),
        digest_only: true,
        ..Options::default()
    });
    let house = House::on(On::Postgres).set("relay", Relay::nowhere()).set("delivery.connections", CONNECTIONS);
    house.import_many(people);
    house.run().expect(1).expect_said(&["the relay accepted no mail"]);
    let house = house.relay(&relay);

    let mut tally = Tally::default();
    let mut places = [Place::take(&house, 1), Place::take(&house, 2)];
    let end = Clock::monotonic() + lasts;
    while Clock::monotonic() < end {
        std::thread::sleep(Duration::from_millis(100 + random.below(400) as u64));
        resume(&house, &mut tally);
        if random.below(4) == 0 {
            tally.sessions_ended += house.number(
                "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2) AS victims",
            );
        } else {
            let place = &mut places[random.below(2)];
            if let Some(ended) = place.daemon.try_wait().unwrap() {
                assert_eq!(ended.code(), Some(1), "{}", place.said());
                tally.gave_up += 1;
            } else {
                let in_data = place.kill();
                assert!(in_data <= CONNECTIONS, "O7: {in_data} past the marker over {CONNECTIONS} connections");
                tally.kills += 1;
            }
            place.replace();
        }
    }
    places.iter_mut().for_each(Place::stop);
    let midway = house.judge(&relay, people);
    println!("{tally:?}\nafter the storm: {midway:?}");

    house.leases_are_over();
    let mut last = Place::take(&house, 3);
    drain(&house, &mut last, &mut tally);
    last.stop();
    let states = house.judge_at_rest(&relay, people);
    println!("at rest: {states:?}, {} accepted", relay.to_partners());
    let unknown = states.get("unknown").copied().unwrap_or_default();
    assert!(unknown <= tally.kills * CONNECTIONS, "O7: {unknown} in doubt after {tally:?}");
    assert_eq!(states.get("sent").copied().unwrap_or_default() + unknown, people, "{states:?}");
    assert_eq!(house.issue()["state"], "done", "O5: one issue, and it is over");
    assert!(tally.kills > 5, "a storm: {tally:?}");
    for place in places.iter().chain([&last]) {
        let said = place.said();
        assert!(!said.contains("@gite.example") && !said.contains("panicked"), "O11: {said}");
    }
}

/// A person goes on with an issue that has too many in doubt, each time.
fn resume(house: &House, tally: &mut Tally) -> bool {
    let paused = house.number("SELECT count(*) FROM issues WHERE state = 'paused'") == 1;
    if paused {
        house.sql("UPDATE issues SET state = 'sending', reason = NULL WHERE state = 'paused'");
        tally.resumed_by_a_person += 1;
    }
    paused
}

/// Until nothing moves by itself any more.
fn drain(house: &House, last: &mut Place, tally: &mut Tally) {
    let left = || house.number("SELECT count(*) FROM deliveries WHERE state = 'queued'");
    let (mut before, mut moved) = (left(), Clock::monotonic());
    while before > 0 {
        std::thread::sleep(Duration::from_millis(50));
        if resume(house, tally) {
            // It would look within half a minute; a new one looks at once.
            last.stop();
            last.replace();
        }
        let now = left();
        if now < before {
            (before, moved) = (now, Clock::monotonic());
        }
        assert!(Clock::monotonic() - moved < PATIENCE, "{before} wait, and nothing moves");
    }
}
