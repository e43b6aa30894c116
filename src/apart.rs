//! Runs work on untrusted text on a separate thread, with a stack of its own and a time limit.
//!
//! Parsing and composing may meet hostile or very large input. Whatever happens (a result, a panic, or no end at all),
//! the daemon's async workers continue: pages are served, mails sent, signals handled. A thread that does not return
//! cannot be stopped; their number is limited, and the limits of each parser make them return.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// Enough for any nesting: the parsers' own limits are reached long before.
const STACK: usize = 16 << 20;
/// Maximum concurrent threads: the sources of a mailing are read one after the other.
const THREADS: usize = 8;
/// Default time limit of one piece of work; a week is parsed in a second.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Apart {
    #[error("it panicked: {0}")]
    Panicked(String),
    #[error("it took longer than {} s", .0.as_secs())]
    TooLong(Duration),
    #[error("no thread for it")]
    NoThread(#[source] io::Error),
}

/// The result of `work`, if it returns within `patience`.
///
/// # Errors
/// If it does not, or `work` panicked.
pub async fn apart<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Apart> {
    static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(THREADS)));
    let everything = async {
        let closed = |_| Apart::NoThread(io::Error::other("closed"));
        let place = Arc::clone(&PLACES).acquire_owned().await.map_err(closed)?;
        let (answer, awaited) = oneshot::channel();
        let thread = std::thread::Builder::new().name("apart".to_owned()).stack_size(STACK).spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(place);
            // The waiter may be gone.
            let _ = answer.send(done);
        });
        thread.map_err(Apart::NoThread)?;
        match awaited.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(panic)) => Err(Apart::Panicked(words_of(&*panic))),
            Err(_) => Err(Apart::Panicked(String::new())),
        }
    };
    match tokio::time::timeout(patience, everything).await {
        Ok(done) => done,
        Err(_) => Err(Apart::TooLong(patience)),
    }
}

/// Like [`apart`], for work that also waits for the network.
///
/// # Errors
/// Like [`apart`].
pub async fn apart_async<T: Send + 'static, F: Future<Output = T>>(
    patience: Duration,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, Apart> {
    let runtime = Handle::current();
    apart(patience, move || runtime.block_on(work())).await
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(n: u32) -> u32 {
        let pad = std::hint::black_box([n; 64]);
        if n == 0 { pad[0] } else { deep(n - 1) + pad[63] - pad[0] }
    }

    #[tokio::test]
    async fn m3_a_panic_or_an_endless_job_does_not_affect_other_work() {
        assert_eq!(apart(PATIENCE, || 7).await.unwrap(), 7);
        assert!(matches!(apart(PATIENCE, || panic!("so")).await, Err::<(), _>(Apart::Panicked(why)) if why == "so"));
        let slow = apart(Duration::from_millis(20), || std::thread::sleep(Duration::from_millis(500))).await;
        assert!(matches!(slow, Err(Apart::TooLong(_))));
        let waited = apart_async(PATIENCE, || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            8
        });
        assert_eq!(waited.await.unwrap(), 8);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn h2_recursive_parsing_has_its_own_stack() {
        assert_eq!(apart(PATIENCE, || deep(10_000)).await.unwrap(), 0);
    }
}
