//! Group commit: the markers (T5) and the results (T3, T4, T6-T8) of all connections, each kind written together.
//!
//! No timer: whatever gathered while the last write ran is the next write, so one connection alone waits for nothing and
//! thirty share a disk flush. Nobody goes on before their own row is durable.

use crate::{
    clock::Clock,
    domain::delivery::{Claim, Finished, Marked},
    store::{Store, StoreError},
};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Rows of one write.
const MOST: usize = 500;
/// Between tries to write results that the database does not take.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The connections' end.
#[derive(Clone)]
pub(super) struct Ledger {
    marks: mpsc::Sender<(Claim, oneshot::Sender<Marked>)>,
    results: mpsc::Sender<(Finished, oneshot::Sender<bool>)>,
}

/// The writers' end.
pub(super) struct Writers {
    marks: mpsc::Receiver<(Claim, oneshot::Sender<Marked>)>,
    results: mpsc::Receiver<(Finished, oneshot::Sender<bool>)>,
}

pub(super) fn ledger() -> (Ledger, Writers) {
    let (marks, marks_in) = mpsc::channel(MOST);
    let (results, results_in) = mpsc::channel(MOST);
    (Ledger { marks, results }, Writers { marks: marks_in, results: results_in })
}

impl Ledger {
    /// T5. `None`: the database did not say; nothing may be sent.
    pub async fn mark(&self, claim: &Claim) -> Option<Marked> {
        let (answer, marked) = oneshot::channel();
        self.marks.send((claim.clone(), answer)).await.ok()?;
        marked.await.ok()
    }

    /// Returns when it is durable: whether the row moved.
    pub async fn finish(&self, finished: Finished) -> bool {
        let (answer, moved) = oneshot::channel();
        self.results.send((finished, answer)).await.is_ok() && moved.await.unwrap_or(false)
    }
}

impl Writers {
    /// Writes until every [`Ledger`] is gone. `trouble` hears of each failed write; `written` of each result that landed.
    pub async fn write(
        self,
        store: &dyn Store,
        clock: &Clock,
        trouble: &(dyn Fn(StoreError) + Send + Sync),
        written: &(dyn Fn(&Finished, bool) + Send + Sync),
    ) {
        let Self { marks, results } = self;
        tokio::join!(write_marks(marks, store, clock, trouble), write_results(results, store, trouble, written));
    }
}

async fn write_marks(
    mut marks: mpsc::Receiver<(Claim, oneshot::Sender<Marked>)>,
    store: &dyn Store,
    clock: &Clock,
    trouble: &(dyn Fn(StoreError) + Send + Sync),
) {
    let mut gathered = Vec::new();
    while marks.recv_many(&mut gathered, MOST).await > 0 {
        let (claims, answers): (Vec<_>, Vec<_>) = gathered.drain(..).unzip();
        match store.mark_in_data(&claims, clock.now()).await {
            Ok(marked) => answers.into_iter().zip(marked).for_each(|(answer, marked)| {
                // A worker that is gone sends nothing; its row is recovered when its lease is over.
                let _ = answer.send(marked);
            }),
            // Dropping the answers tells their workers (D01, D07).
            Err(error) => trouble(error),
        }
    }
}

async fn write_results(
    mut results: mpsc::Receiver<(Finished, oneshot::Sender<bool>)>,
    store: &dyn Store,
    trouble: &(dyn Fn(StoreError) + Send + Sync),
    written: &(dyn Fn(&Finished, bool) + Send + Sync),
) {
    let mut gathered = Vec::new();
    while results.recv_many(&mut gathered, MOST).await > 0 {
        let (finished, answers): (Vec<_>, Vec<_>) = gathered.drain(..).unzip();
        let moved = write_until_it_lands(store, &finished, trouble).await;
        for ((finished, moved), answer) in finished.iter().zip(moved).zip(answers) {
            written(finished, moved);
            let _ = answer.send(moved);
        }
    }
}

/// K11: the relay's word is kept in memory until the database has it.
async fn write_until_it_lands(
    store: &dyn Store,
    finished: &[Finished],
    trouble: &(dyn Fn(StoreError) + Send + Sync),
) -> Vec<bool> {
    let (mut wait, longest) = RETRY;
    loop {
        match store.finish_attempts(finished).await {
            Ok(moved) => return moved,
            Err(error) => trouble(error),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
    }
}
