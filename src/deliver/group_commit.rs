//! Group commit: the markers (T5) and the results (T3, T4, T6-T8) of all connections, written together.
//!
//! Requests that arrive while a write runs form the next write, so a single connection never waits and thirty share a
//! disk flush. A small write waits briefly for connections that will soon ask ([`InFlight`]); if enough requests are
//! waiting already, the next write starts before the results of the last one are delivered. Nobody continues before their
//! own row is durable. Requests of one connection are written in order, so a result is never behind the marker of the
//! next message.

use crate::{
    clock::Clock,
    domain::delivery::{Claim, DeliveryId, Finished, Marked},
    store::{Settled, Store, StoreError},
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::timeout,
};

/// Maximum rows of one write.
const MOST: usize = 500;
/// A write with this many rows does not wait for more. (Measured: a write on Postgres costs as much as eight results with
/// their next markers.)
const ENOUGH: usize = 16;
/// A connection whose SMTP transaction takes at most as long as this many writes is waited for, for the duration of one write.
const NEAR: u32 = 2;
/// Upper limit of the wait: a write that was slow because of a lock must not delay the following ones.
const LONGEST_WAIT: Duration = Duration::from_millis(5);
/// Interval between tries to write results while the database fails.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The interface for connections.
#[derive(Clone)]
pub(super) struct GroupCommit(mpsc::Sender<Entry>);

/// The interface for the writer.
pub(super) struct Writer {
    entries: mpsc::Receiver<Entry>,
    in_flight: InFlight,
}

/// Which connections are likely to ask for a write soon. Each write has a fixed cost, and without waiting half of the
/// connections would ask for one while the other half is in an SMTP transaction.
#[derive(Default)]
struct InFlight {
    /// Connections in an SMTP transaction, between marker and result.
    running: HashMap<DeliveryId, Transaction>,
    /// Average duration of a transaction and of a write (moving averages).
    transaction: Duration,
    write: Duration,
}

struct Transaction {
    since: Instant,
    /// Was waited for once without success: not waited for again.
    late: bool,
}

/// A request to write, and who waits for it.
enum Entry {
    Mark(Claim, oneshot::Sender<Marked>),
    Finish(Finished, oneshot::Sender<bool>),
}

/// The content of one write and its waiters, in order. A waiter that asked for both a result and a marker is notified
/// once, and continues while the others are notified.
#[derive(Default)]
struct Batch {
    claims: Vec<Claim>,
    finished: Vec<Finished>,
    askers: Vec<Asker>,
}

enum Asker {
    Marker(oneshot::Sender<Marked>),
    End(oneshot::Sender<bool>),
}

/// The results of a batch, to be delivered to the waiters.
#[derive(Default)]
struct News {
    batch: Batch,
    settled: Settled,
}

pub(super) fn group_commit() -> (GroupCommit, Writer) {
    let (asked, entries) = mpsc::channel(MOST);
    (GroupCommit(asked), Writer { entries, in_flight: InFlight::default() })
}

impl GroupCommit {
    /// T5. `None`: the database did not answer; nothing may be sent.
    pub async fn mark(&self, claim: &Claim) -> Option<Marked> {
        let (answer, marked) = oneshot::channel();
        self.0.send(Entry::Mark(claim.clone(), answer)).await.ok()?;
        marked.await.ok()
    }

    /// Returns when it is durable: whether the row moved.
    pub async fn finish(&self, finished: Finished) -> bool {
        let (answer, moved) = oneshot::channel();
        self.0.send(Entry::Finish(finished, answer)).await.is_ok() && moved.await.unwrap_or(false)
    }
}

impl Writer {
    /// Writes until every [`GroupCommit`] is dropped. `trouble` is called with each failed write; `written` with the results
    /// of each successful one, and whether they moved.
    pub async fn write(
        mut self,
        store: Arc<dyn Store>,
        clock: Clock,
        trouble: impl Fn(StoreError) + Send + Sync,
        written: impl Fn(Vec<(Finished, bool)>) + Send + Sync,
    ) {
        let mut news = News::default();
        loop {
            // If enough requests wait already, write first and notify the previous waiters meanwhile.
            if self.entries.len() < ENOUGH {
                std::mem::take(&mut news).notify(&written);
            }
            let Some(mut batch) = self.gather().await else { break };
            let begun = Clock::monotonic();
            let settling = store.settle(&batch.finished, &batch.claims, clock.now());
            let telling = async { std::mem::take(&mut news).notify(&written) };
            let (settled, ()) = tokio::join!(biased; settling, telling);
            let written_at = Clock::monotonic();
            self.in_flight.write = averaged(self.in_flight.write, written_at - begun);
            let settled = match settled {
                Ok(settled) => settled,
                Err(error) => {
                    trouble(error);
                    // Notifies the workers of the failure (D01, D07).
                    batch.askers.retain(|asker| matches!(asker, Asker::End(_)));
                    let moved = write_until_it_lands(&*store, &batch.finished, &trouble).await;
                    Settled { moved, marked: Vec::new() }
                }
            };
            self.in_flight.began(&batch.claims, &settled.marked, written_at);
            news = News { batch, settled };
        }
    }

    /// Waits for requests and collects them. `None`: every [`GroupCommit`] was dropped.
    async fn gather(&mut self) -> Option<Batch> {
        let mut gathered = Vec::new();
        if self.entries.recv_many(&mut gathered, MOST).await == 0 {
            return None;
        }
        let begun = Clock::monotonic();
        let mut heard = 0;
        loop {
            self.in_flight.ended(&gathered[heard..]);
            heard = gathered.len();
            let Some(most) = self.in_flight.worth_waiting(heard) else { break };
            let left = most.saturating_sub(Clock::monotonic() - begun);
            if !matches!(timeout(left, self.entries.recv_many(&mut gathered, MOST)).await, Ok(1..)) {
                self.in_flight.running.values_mut().for_each(|transaction| transaction.late = true);
                break;
            }
        }
        if heard < ENOUGH {
            // The marker of the next message is requested right after a result.
            yield_now().await;
        }
        while gathered.len() < MOST
            && let Ok(entry) = self.entries.try_recv()
        {
            self.in_flight.ended(std::slice::from_ref(&entry));
            gathered.push(entry);
        }
        Some(Batch::of(gathered))
    }
}

impl Batch {
    fn of(entries: Vec<Entry>) -> Self {
        let mut batch = Self { askers: Vec::with_capacity(entries.len()), ..Self::default() };
        for entry in entries {
            match entry {
                Entry::Mark(claim, answer) => {
                    batch.claims.push(claim);
                    batch.askers.push(Asker::Marker(answer));
                }
                Entry::Finish(finished, answer) => {
                    batch.finished.push(finished);
                    batch.askers.push(Asker::End(answer));
                }
            }
        }
        batch
    }
}

impl News {
    /// A worker that is gone is ignored; its row is recovered when its lease expires.
    fn notify(self, written: impl Fn(Vec<(Finished, bool)>)) {
        let Settled { moved, marked } = self.settled;
        let (mut ends, mut markers) = (moved.iter(), marked.iter());
        for asker in self.batch.askers {
            match asker {
                Asker::End(answer) => drop(ends.next().map(|moved| answer.send(*moved))),
                Asker::Marker(answer) => drop(markers.next().map(|marked| answer.send(*marked))),
            }
        }
        if !moved.is_empty() {
            // All at once, since the waiters may be on another thread, which is then woken once.
            written(self.batch.finished.into_iter().zip(moved).collect());
        }
    }
}

impl InFlight {
    /// Registers a connection that begins its SMTP transaction.
    fn began(&mut self, claims: &[Claim], marked: &[Marked], since: Instant) {
        for (claim, _) in claims.iter().zip(marked).filter(|(_, marked)| **marked == Marked::InData) {
            self.running.insert(claim.id.clone(), Transaction { since, late: false });
        }
    }

    /// Registers a connection that is back.
    fn ended(&mut self, entries: &[Entry]) {
        for entry in entries {
            if let Entry::Finish(finished, _) = entry
                && let Some(transaction) = self.running.remove(&finished.claim.id)
            {
                self.transaction = averaged(self.transaction, Clock::monotonic() - transaction.since);
            }
        }
    }

    /// Whether others are worth waiting for, and the maximum wait.
    fn worth_waiting(&self, rows: usize) -> Option<Duration> {
        let most = self.write.min(LONGEST_WAIT);
        let near = self.transaction <= most * NEAR;
        (rows < ENOUGH && near && self.running.values().any(|transaction| !transaction.late)).then_some(most)
    }
}

/// An exponential moving average.
fn averaged(average: Duration, last: Duration) -> Duration {
    (average * 7 + last) / 8
}

/// K11: the relay's reply is kept in memory until it is written to the database.
async fn write_until_it_lands(
    store: &dyn Store,
    finished: &[Finished],
    trouble: &(impl Fn(StoreError) + Send + Sync),
) -> Vec<bool> {
    let (mut wait, longest) = RETRY;
    loop {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
        match store.finish_attempts(finished).await {
            Ok(moved) => return moved,
            Err(error) => trouble(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        delivery::{Outcome, Phase, Recipient, Reply},
        email::EmailAddress,
        issue::IssueKey,
    };

    fn in_flight(running: usize, transaction: u64, write: u64) -> InFlight {
        let transaction_of =
            |n: usize| (DeliveryId(n.to_string()), Transaction { since: Clock::monotonic(), late: false });
        let running = (0..running).map(transaction_of).collect();
        InFlight { running, transaction: Duration::from_micros(transaction), write: Duration::from_micros(write) }
    }

    #[test]
    fn a_small_write_waits_for_transactions_about_to_end() {
        assert_eq!(in_flight(4, 300, 500).worth_waiting(8), Some(Duration::from_micros(500)));
        assert_eq!(in_flight(4, 300, 500).worth_waiting(ENOUGH), None, "enough share it");
        assert_eq!(in_flight(0, 300, 500).worth_waiting(1), None, "one connection alone waits for nothing");
        assert_eq!(in_flight(4, 1_500, 500).worth_waiting(2), None, "the relay is far away");
        assert_eq!(
            in_flight(4, 1_000_000, 10_000_000).worth_waiting(2),
            None,
            "and no write is so slow that it were near"
        );
        assert_eq!(in_flight(4, 300, 10_000_000).worth_waiting(2), Some(LONGEST_WAIT));
        let mut late = in_flight(4, 300, 500);
        late.running.values_mut().for_each(|transaction| transaction.late = true);
        assert_eq!(late.worth_waiting(2), None, "nobody is waited for twice");
    }

    fn result_of(id: &str) -> Entry {
        let at = chrono::DateTime::UNIX_EPOCH;
        let recipient = Recipient {
            address: EmailAddress::parse("a@gite.example").unwrap(),
            name: String::new(),
            establishment: String::new(),
            commune: String::new(),
            contact_id: String::new(),
        };
        let claim = Claim {
            id: DeliveryId(id.to_owned()),
            message_id: String::new(),
            issue: IssueKey::new("agenda", "2026-W28"),
            attempt: 1,
            owner: String::new(),
            lease_until: at,
            recipient,
            deferrals: 0,
        };
        let (phase, reply, outcome) = (Phase::Dot, Reply::default(), Outcome::Accepted);
        Entry::Finish(Finished { claim, phase, reply, outcome, at }, oneshot::channel().0)
    }

    /// Otherwise only short transactions would be measured, and a distant relay would look like a near one.
    #[test]
    fn a_transaction_that_was_waited_for_without_success_is_measured_when_it_ends() {
        let mut in_flight = in_flight(8, 300, 500);
        let before = Clock::monotonic() - Duration::from_millis(100);
        in_flight.running.values_mut().for_each(|transaction| *transaction = Transaction { since: before, late: true });
        let results: Vec<_> = (0..8).map(|n| result_of(&n.to_string())).collect();
        in_flight.ended(&results);
        assert!(
            in_flight.transaction > Duration::from_millis(50) && in_flight.running.is_empty(),
            "{:?}",
            in_flight.transaction
        );
    }

    #[test]
    fn a_moving_average_converges_in_a_few_steps() {
        let far = (0..20).fold(Duration::ZERO, |average, _| averaged(average, Duration::from_millis(10)));
        assert!(far > Duration::from_millis(9) && far <= Duration::from_millis(10), "{far:?}");
    }
}
