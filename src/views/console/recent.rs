//! Answers about the list of partners, kept for a few seconds.

use crate::clock::Clock;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Answers by what was asked: several persons look at the same page, or one at its next page, and an answer takes up to a sixth of a
/// second for 20,000 partners. What is decided is read again.
#[derive(Debug)]
pub struct Recent<T>(Mutex<Kept<T>>);

#[derive(Debug)]
struct Kept<T> {
    answers: HashMap<String, (Instant, T)>,
    /// How often they were forgotten: what was read before a change is not kept after it.
    forgotten: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept { answers: HashMap::new(), forgotten: 0 }))
    }
}

impl<T: Clone> Recent<T> {
    const FRESH: Duration = Duration::from_secs(5);
    /// Number of answers at most; the oldest goes first.
    const MOST: usize = 16;

    /// # Errors
    /// Those of `read`; an error is not kept.
    pub async fn get<E>(&self, asked: &str, read: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let (now, forgotten) = {
            let (kept, now) = (self.kept(), Clock::monotonic());
            if let Some((_, answer)) = kept.answers.get(asked).filter(|(at, _)| now - *at < Self::FRESH) {
                return Ok(answer.clone());
            }
            (now, kept.forgotten)
        };
        let answer = read.await?;
        let mut kept = self.kept();
        if kept.forgotten == forgotten {
            kept.answers.insert(asked.to_owned(), (now, answer.clone()));
            if kept.answers.len() > Self::MOST {
                let oldest = kept.answers.iter().min_by_key(|(_, (at, _))| *at).map(|(asked, _)| asked.clone());
                oldest.and_then(|asked| kept.answers.remove(&asked));
            }
        }
        Ok(answer)
    }

    /// The list was changed.
    pub fn forget(&self) {
        let mut kept = self.kept();
        kept.answers.clear();
        kept.forgotten += 1;
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn an_answer_is_kept_until_the_list_changes() {
        let (recent, read) = (Recent::<u64>::default(), AtomicU64::new(0));
        let ask = |asked| recent.get(asked, async { Ok::<_, ()>(read.fetch_add(1, Ordering::Relaxed)) });
        assert_eq!((ask("a").await, ask("a").await, ask("b").await), (Ok(0), Ok(0), Ok(1)));
        recent.forget();
        assert_eq!(ask("a").await, Ok(2));
        assert_eq!(recent.get("c", async { Err(()) }).await, Err(()));
        assert_eq!(recent.get("c", async { Ok::<_, ()>(7) }).await, Ok(7));
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let recent = Recent::<u64>::default();
        let changed = async {
            recent.forget();
            Ok::<_, ()>(1)
        };
        assert_eq!(recent.get("a", changed).await, Ok(1));
        assert_eq!(recent.get("a", async { Ok::<_, ()>(2) }).await, Ok(2));
    }

    #[tokio::test]
    async fn it_does_not_grow_with_what_people_type() {
        let recent = Recent::<usize>::default();
        for n in 0..100 {
            assert_eq!(recent.get(&n.to_string(), async { Ok::<_, ()>(n) }).await, Ok(n));
        }
        assert_eq!(recent.kept().answers.len(), Recent::<usize>::MOST);
    }
}
