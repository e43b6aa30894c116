//! 2026 and 2027 with a daemon that is off at random: 18 agendas and 24 newsletters, each exactly one issue, or one
//! `missed` row with its reason, and staff told. The seed is printed; `SEMAINIER_TEST_SEED` repeats a run.

use crate::support::town::{Town, at, mailing, summer_saturdays};
use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use semainier::{domain::Timestamp, store::OccurrenceState};

const AGENDA: &str = "cron = '0 8 * 7,8 SAT'\ncatch_up = '12h'\ndeadline = 'Sat 20:00'";
const NEWSLETTER: &str = "cron = '0 9 * * TUE#1'\ncatch_up = '7d'\ndeadline = '10d'";

/// When the two years are over; the next letter would be due on 4 January.
const END: &str = "2027-12-31T23:00:00Z";

fn seed() -> u64 {
    match std::env::var("SEMAINIER_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => rand::random(),
    }
}

/// When the daemon is off: some 60 times, for an hour to ten days, and oftener over a due instant.
fn downtimes(chance: &mut StdRng, due: &[Timestamp]) -> Vec<(Timestamp, Timestamp)> {
    let begin = at("2026-01-01T00:00:00Z");
    let over_a_due_instant = due.iter().filter_map(|at| {
        let before = TimeDelta::minutes(chance.random_range(1..3000));
        chance.random_bool(0.4).then(|| *at - before)
    });
    let mut begins: Vec<_> = over_a_due_instant.collect();
    begins.extend((0..20).map(|_| begin + TimeDelta::minutes(chance.random_range(0..730 * 1440))));
    let lasting = |begin: Timestamp| {
        let minutes = match chance.random_range(0..3) {
            0 => chance.random_range(60..12 * 60),
            1 => chance.random_range(12 * 60..36 * 60),
            _ => chance.random_range(36 * 60..14 * 1440),
        };
        (begin, (begin + TimeDelta::minutes(minutes)).min(at(END)))
    };
    begins.into_iter().map(lasting).collect()
}

/// The passes of two years that can change anything: around each due instant, when the daemon comes back, and at times
/// when nothing is due.
fn passes(chance: &mut StdRng, due: &[Timestamp], off: &[(Timestamp, Timestamp)]) -> Vec<Timestamp> {
    let mut passes: Vec<Timestamp> = off.iter().map(|it| it.1).collect();
    for at in due {
        passes.extend([-30, 0, 20, 90].map(|minutes| *at + TimeDelta::minutes(minutes)));
    }
    let begin = at("2026-01-01T00:00:00Z");
    passes.extend((0..100).map(|_| begin + TimeDelta::minutes(chance.random_range(0..730 * 1440))));
    passes.push(at(END));
    passes.retain(|at| !off.iter().any(|(from, to)| from <= at && at < to));
    passes.sort();
    passes.dedup();
    passes
}

/// First Tuesdays at nine, said without cron.
fn first_tuesdays() -> Vec<Timestamp> {
    use chrono::Datelike;
    let days = at("2026-01-01T00:00:00Z").date_naive().iter_days().take(730);
    let tuesdays = days.filter(|day| day.weekday() == chrono::Weekday::Tue && day.day() <= 7);
    let nine = |day: chrono::NaiveDate| {
        let local = day.and_hms_opt(9, 0, 0).unwrap().and_local_timezone(chrono_tz::Europe::Paris);
        local.unwrap().to_utc()
    };
    tuesdays.map(nine).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_two_years_with_random_downtimes_lose_and_repeat_nothing() {
    let seed = seed();
    println!("SEMAINIER_TEST_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let saturdays: Vec<_> = [2026, 2027].into_iter().flat_map(summer_saturdays).collect();
    let tuesdays = first_tuesdays();
    assert_eq!((saturdays.len(), tuesdays.len()), (18, 24));
    let due: Vec<_> = saturdays.iter().chain(&tuesdays).copied().collect();
    let off = downtimes(&mut chance, &due);
    let passes = passes(&mut chance, &due, &off);

    let mailings = [mailing("agenda", AGENDA), mailing("newsletter", NEWSLETTER)];
    let town = Town::at("2026-01-01T00:00:00Z", &mailings).await;
    for now in &passes {
        // The office publishes for each occurrence in time.
        for (name, due) in [("agenda", &saturdays), ("newsletter", &tuesdays)] {
            if let Some(last) = due.iter().rfind(|at| *at <= now) {
                town.publish_for(name, *last);
            }
        }
        town.pass_at(*now).await;
    }

    let first_look = |due: Timestamp| *passes.iter().find(|now| **now >= due).unwrap();
    let mut sent = 0;
    for (name, due, useful) in
        [("agenda", &saturdays, TimeDelta::hours(12)), ("newsletter", &tuesdays, TimeDelta::days(7))]
    {
        let occurrences = town.occurrences(name).await;
        let instants: Vec<DateTime<Utc>> = occurrences.iter().map(|it| it.scheduled_for).collect();
        assert_eq!(&instants, due, "every instant has its row, and no other (seed {seed})");
        for it in &occurrences {
            let late = first_look(it.scheduled_for) - it.scheduled_for;
            // At twelve hours sharp the agenda's deadline has come too.
            let leaves = if name == "agenda" { late < useful } else { late <= useful };
            let key = it.issue.as_ref().unwrap();
            let issue = town.engine().store.issue(key).await.unwrap();
            let said = format!("{} looked at {late} late (seed {seed}): {it:?} {issue:?}", it.local);
            if leaves {
                sent += 2;
                assert_eq!(it.state, OccurrenceState::Done, "{said}");
                assert_eq!(issue.map(|it| (it.counts.sent, it.counts.total())), Some((2, 2)), "{said}");
            } else {
                assert_eq!(it.state, OccurrenceState::Missed, "{said}");
                assert!(it.reason.is_some() && issue.is_none_or(|it| it.frozen_at().is_none()), "{said}");
                assert_eq!(town.told(&key.slug()), 1, "{said}");
            }
        }
    }
    let mails: usize = ["hotel@auch.example", "gite@pavie.example"].iter().map(|to| town.mails(to, "")).sum();
    assert_eq!(mails, sent, "seed {seed}");
    assert_eq!(
        town.engine().store.issues().await.unwrap().iter().filter(|it| it.frozen_at().is_some()).count() * 2,
        sent
    );
    assert!((20..84).contains(&sent), "a run that proves something has both: {sent} mails (seed {seed})");
    assert!(town.engine().store.pending_notices().await.unwrap().is_empty());
}
