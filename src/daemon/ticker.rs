//! The ticker: `tokio-cron-scheduler`, which fires every minute and does nothing else (docs/adr/0002).
//!
//! Its loop asks its store twice a second whether a job is due. Our store delays the answer until one soon is, so that an
//! idle daemon wakes a few times a minute instead of twice a second.

use super::LONGEST_PAUSE;
use crate::{clock::Clock, domain::Timestamp, failpoint};
use chrono::{DateTime, Utc};
use std::{future::Future, pin::Pin, time::Duration};
use tokio_cron_scheduler::{
    Job, JobScheduler, JobSchedulerError, MetaDataStorage, SimpleJobCode, SimpleMetadataStore, SimpleNotificationCode,
    SimpleNotificationStore,
    job::job_data::{JobAndNextTick, JobStoredData},
    store::{DataStore, InitStore},
};
use uuid::Uuid;

/// UTC, with seconds.
const EVERY_MINUTE: &str = "0 * * * * *";
/// How long the scheduler sleeps between two queries (0.15.1; not configurable).
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(500);
/// Capacity of the scheduler's event channels: one job produces four events a minute.
const EVENTS: usize = 200;

/// Calls `fire` at each full minute until it is shut down.
///
/// # Errors
/// When the scheduler does not start.
pub(super) async fn every_minute(fire: impl Fn() + Send + Sync + 'static) -> Result<JobScheduler, JobSchedulerError> {
    fire_at(EVERY_MINUTE, fire).await
}

async fn fire_at(schedule: &str, fire: impl Fn() + Send + Sync + 'static) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new_with_storage_and_code(
        Box::new(Unhurried(SimpleMetadataStore::default())),
        Box::new(SimpleNotificationStore::default()),
        Box::new(SimpleJobCode::default()),
        Box::new(SimpleNotificationCode::default()),
        EVENTS,
    )
    .await?;
    let job = Job::new_async(schedule, move |_, _| {
        fire();
        Box::pin(std::future::ready(()))
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// The scheduler's in-memory store with delayed answers. There is no other reader: the only job is added before the
/// first query, and moved on to its next minute between two.
struct Unhurried(SimpleMetadataStore);

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

impl MetaDataStorage for Unhurried {
    fn list_next_ticks(&mut self) -> Answer<Vec<JobAndNextTick>> {
        let ticks = self.0.list_next_ticks();
        Box::pin(async move {
            let ticks = ticks.await?;
            if !failpoint::is_clock_moved() {
                tokio::time::sleep(nap(&ticks, Clock::System.now())).await;
            }
            Ok(ticks)
        })
    }

    fn set_next_and_last_tick(
        &mut self,
        job: Uuid,
        next: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
    ) -> Answer<()> {
        self.0.set_next_and_last_tick(job, next, last)
    }

    fn time_till_next_job(&mut self) -> Answer<Option<Duration>> {
        self.0.time_till_next_job()
    }
}

impl DataStore<JobStoredData> for Unhurried {
    fn get(&mut self, job: Uuid) -> Answer<Option<JobStoredData>> {
        self.0.get(job)
    }

    fn add_or_update(&mut self, job: JobStoredData) -> Answer<()> {
        self.0.add_or_update(job)
    }

    fn delete(&mut self, job: Uuid) -> Answer<()> {
        self.0.delete(job)
    }
}

impl InitStore for Unhurried {
    fn init(&mut self) -> Answer<()> {
        self.0.init()
    }

    fn inited(&mut self) -> Answer<bool> {
        self.0.inited()
    }
}

/// How long nothing is due, so that the next query comes in time. Never long, since the clock may be set meanwhile.
fn nap(ticks: &[JobAndNextTick], now: Timestamp) -> Duration {
    let due = ticks.iter().map(|it| JobAndNextTick::utc(it.next_tick)).min();
    let left = due.and_then(|due| (due - now).to_std().ok()).unwrap_or_default();
    left.saturating_sub(BETWEEN_QUESTIONS).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn nap_until(due: &str, now: &str) -> Duration {
        let next_tick = at(due).timestamp().unsigned_abs();
        nap(&[JobAndNextTick { id: None, job_type: 0, next_tick, last_tick: None }], at(now))
    }

    #[test]
    fn the_ticker_sleeps_until_just_before_its_minute() {
        let nap_from = |now| nap_until("2026-07-04T18:00:00Z", now).as_millis();
        assert_eq!(nap_from("2026-07-04T17:59:40Z"), 19_500);
        assert_eq!(nap_from("2026-07-04T17:59:59.700Z"), 0, "the next question comes after the minute");
        assert_eq!(nap_from("2026-07-04T18:00:00.001Z"), 0, "due");
        assert_eq!(nap_from("2026-07-04T19:00:00Z"), 0, "the clock was put forward");
        assert_eq!(nap_from("2026-07-04T16:00:00Z"), 30_000, "the clock was put back");
        assert_eq!(nap(&[], at("2026-07-04T16:00:00Z")), Duration::ZERO);
    }

    #[tokio::test]
    async fn the_ticker_fires_when_it_is_due_and_again() {
        let (rang, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let every_three_seconds = "*/3 * * * * *";
        let mut ticker =
            fire_at(every_three_seconds, move || rang.send(Clock::System.now()).unwrap_or_default()).await.unwrap();
        let mut next = async || tokio::time::timeout(Duration::from_secs(30), heard.recv()).await.unwrap().unwrap();
        let (first, second) = (next().await, next().await);
        ticker.shutdown().await.unwrap();
        let slots = [first, second].map(|it| it.timestamp() / 3);
        assert!(slots[1] > slots[0], "{first} {second}");
    }
}
