//! A daemon that lives through a change of hour, on a machine whose own zone is another one.

use super::until;
use crate::support::{
    sky::Sky,
    town::{article, at, furnish, mailing},
};
use chrono::TimeDelta;
use semainier::{
    domain::agenda::Week,
    store::{self, Access},
};

/// The occurrences that a daily mailing has while the daemon lives from one of these instants to the next.
async fn lives_through(cron: &str, instants: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let schedule = format!("cron = '{cron}'\ncatch_up = '2h'\ndeadline = '3h'");
    let config = furnish(dir.path(), &[mailing("daily", &schedule)], None, "capture:outbox", "");
    let begin = at(instants[0]);
    let sky = Sky::at(dir.path(), begin);
    let mut daemon = sky.serve(&config);
    daemon.hear("semainier started");
    let database = dir.path().join("semainier.db");
    let store = store::open(&format!("sqlite://{}", database.display()), Access::Shared).await.unwrap();
    for (n, instant) in instants.iter().enumerate().skip(1) {
        let week = Week::after(at(instant).date_naive());
        std::fs::write(dir.path().join("articles/daily.html"), article(week)).unwrap();
        sky.set(at(instant) + TimeDelta::seconds(5));
        until(instant, &store, async |store| {
            let occurrences = store.occurrences(Some("daily"), 10).await.unwrap();
            occurrences.len() == n && store.due_occurrences(at(instant)).await.unwrap().is_empty()
        })
        .await;
    }
    assert_eq!(daemon.stop().code, Some(0));
    let mut occurrences = store.occurrences(None, 10).await.unwrap();
    occurrences.reverse();
    assert!(occurrences.iter().all(|it| it.state == store::OccurrenceState::Done), "{occurrences:#?}");
    occurrences.into_iter().map(|it| it.local[..22].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c03_in_spring_a_nonexistent_hour_fires_once_at_the_end_of_the_gap() {
    let instants = ["2026-03-27T12:00:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
    let due = lives_through("30 2 * * *", &instants).await;
    assert_eq!(due, ["2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c04_in_autumn_a_repeated_hour_fires_once() {
    // After the second 02:30 of the 25th, the next look is the day after: there is no fourth occurrence.
    let instants = ["2026-10-23T12:00:00Z", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    let due = lives_through("30 2 * * *", &instants).await;
    assert_eq!(due, ["2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_in_the_morning_is_local_time_all_year() {
    let spring = ["2026-03-27T12:00:00Z", "2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z"];
    assert_eq!(lives_through("0 8 * * *", &spring).await, ["2026-03-28T08:00+01:00", "2026-03-29T08:00+02:00"]);
    let autumn = ["2026-10-23T12:00:00Z", "2026-10-24T06:00:00Z", "2026-10-25T07:00:00Z"];
    assert_eq!(lives_through("0 8 * * *", &autumn).await, ["2026-10-24T08:00+02:00", "2026-10-25T08:00+01:00"]);
}
