//! Group commit: the markers (T5) and the results (T3, T4, T6-T8) of all connections, written together.
//!
//! No timer: whatever gathered while the last write ran is the next write, so one connection alone waits for nothing and
//! thirty share a disk flush. Nobody goes on before their own row is durable. What one connection asks is written in the
//! order asked, so a result is never behind the marker of the message after it.

use crate::{
    clock::Clock,
    domain::delivery::{Claim, Finished, Marked},
    store::{Store, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Rows of one write.
const MOST: usize = 500;
/// Between tries to write results that the database does not take.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The connections' end.
#[derive(Clone)]
pub(super) struct Ledger(mpsc::Sender<Entry>);

/// The writer's end.
pub(super) struct Writer(mpsc::Receiver<Entry>);

/// What is to be written, and who waits for it.
enum Entry {
    Mark(Claim, oneshot::Sender<Marked>),
    Finish(Finished, oneshot::Sender<bool>),
}

pub(super) fn ledger() -> (Ledger, Writer) {
    let (entries, entries_in) = mpsc::channel(MOST);
    (Ledger(entries), Writer(entries_in))
}

impl Ledger {
    /// T5. `None`: the database did not say; nothing may be sent.
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
    /// Writes until every [`Ledger`] is gone. `trouble` hears of each failed write; `written` of each result that landed.
    pub async fn write(
        mut self,
        store: Arc<dyn Store>,
        clock: Clock,
        trouble: impl Fn(StoreError) + Send + Sync,
        written: impl Fn(Finished, bool) + Send + Sync,
    ) {
        let mut gathered = Vec::new();
        while self.0.recv_many(&mut gathered, MOST).await > 0 {
            let (mut claims, mut markers) = (Vec::new(), Vec::new());
            let (mut finished, mut ends) = (Vec::new(), Vec::new());
            for entry in gathered.drain(..) {
                match entry {
                    Entry::Mark(claim, answer) => {
                        claims.push(claim);
                        markers.push(answer);
                    }
                    Entry::Finish(result, answer) => {
                        finished.push(result);
                        ends.push(answer);
                    }
                }
            }
            let moved = match store.settle(&finished, &claims, clock.now()).await {
                Ok(settled) => {
                    for (answer, marked) in markers.into_iter().zip(settled.marked) {
                        // A worker that is gone sends nothing; its row is recovered when its lease is over.
                        let _ = answer.send(marked);
                    }
                    settled.moved
                }
                Err(error) => {
                    trouble(error);
                    // Tells their workers (D01, D07).
                    drop(markers);
                    write_until_it_lands(&*store, &finished, &trouble).await
                }
            };
            for ((finished, moved), answer) in finished.into_iter().zip(moved).zip(ends) {
                written(finished, moved);
                let _ = answer.send(moved);
            }
        }
    }
}

/// K11: the relay's word is kept in memory until the database has it.
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
