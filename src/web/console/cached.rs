//! What is read of the whole list of partners, kept in memory for a while: the index of the search, the values that filters offer, and
//! the sizes of audiences and segments.
//!
//! Somebody who changes the list in this console sees the change at once. What another process changes is seen after
//! [`Cached::FRESH`], as soon as it was read again; nobody waits for that unless the list is older than [`Cached::STALE`].

use super::Console;
use crate::clock::Clock;
use crate::domain::segment::{Field, Segment};
use crate::store::{SegmentCount, StoreError};
use crate::views::console::{
    people::Index,
    recent::Recent,
    segment::{self, Offered},
};
use std::collections::HashSet;
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

/// What is kept, and how it is read.
trait Cached: Sized + Send + Sync + 'static {
    /// Maximum age of what is not read again.
    const FRESH: Duration;
    /// Maximum age of what is shown while it is read again.
    const STALE: Duration;

    fn place(caches: &Caches) -> &Place<Self>;

    fn read(console: &Console) -> impl Future<Output = Result<Self, StoreError>> + Send;
}

/// Where one thing is kept.
struct Place<T> {
    kept: RwLock<Option<(Instant, Arc<T>)>>,
    /// How often it was forgotten: what was read before a change is not kept after it.
    forgotten: AtomicU64,
    /// One request reads, the others wait or take what there is.
    reading: tokio::sync::Mutex<()>,
}

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self { kept: RwLock::default(), forgotten: AtomicU64::default(), reading: tokio::sync::Mutex::default() }
    }
}

impl<T> Place<T> {
    fn younger_than(&self, age: Duration) -> Option<Arc<T>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = kept.as_ref()?;
        (Clock::monotonic() - *at < age).then(|| Arc::clone(value))
    }

    fn forget(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        *kept = None;
    }

    /// Unless it was forgotten since then.
    fn keep(&self, at: Instant, forgotten: u64, value: &Arc<T>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if self.forgotten.load(Ordering::Relaxed) == forgotten {
            *kept = Some((at, Arc::clone(value)));
        }
    }
}

/// Everything that is kept.
#[derive(Default)]
pub(super) struct Caches {
    names: Place<Index>,
    values: Place<Values>,
    /// By mailing.
    sizes: Recent<u64>,
    /// By the text of a segment: who matches it, and how many.
    matching: Recent<Arc<HashSet<String>>>,
    counts: Recent<SegmentCount>,
}

impl Caches {
    pub fn sizes(&self) -> &Recent<u64> {
        &self.sizes
    }
}

impl Cached for Index {
    const FRESH: Duration = Duration::from_secs(5);
    const STALE: Duration = Duration::from_secs(60);

    fn place(caches: &Caches) -> &Place<Self> {
        &caches.names
    }

    async fn read(console: &Console) -> Result<Self, StoreError> {
        let names = console.store().contact_names().await?;
        // Folding a long list takes the processor for a while.
        Ok(tokio::task::spawn_blocking(move || Index::new(names)).await.unwrap_or_default())
    }
}

/// The values of each field that filters and rows offer.
pub(super) struct Values(Vec<(Field, Vec<Offered>)>);

impl Values {
    /// Most frequent first.
    pub fn of(&self, field: Field) -> &[Offered] {
        self.0.iter().find(|(it, _)| *it == field).map_or(&[], |(_, values)| values)
    }
}

impl Cached for Values {
    /// Counting them takes longer than reading the names, and their numbers are a hint only.
    const FRESH: Duration = Duration::from_secs(60);
    const STALE: Duration = Duration::from_secs(600);

    fn place(caches: &Caches) -> &Place<Self> {
        &caches.values
    }

    async fn read(console: &Console) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        for field in segment::OFFERED {
            all.push((field, segment::offered(&console.reading(), field).await?));
        }
        Ok(Self(all))
    }
}

impl Console {
    /// The list by what is searched.
    pub(super) async fn names(self: &Arc<Self>) -> Result<Arc<Index>, StoreError> {
        self.cached().await
    }

    /// What filters offer.
    pub(super) async fn values(self: &Arc<Self>) -> Result<Arc<Values>, StoreError> {
        self.cached().await
    }

    /// Ids of the contacts that match.
    pub(super) async fn ids_of(&self, segment: &Segment) -> Result<Arc<HashSet<String>>, StoreError> {
        let read = async { Ok(Arc::new(self.store().ids_of(segment).await?.into_iter().collect())) };
        self.caches.matching.get(&segment.to_string(), read).await
    }

    pub(super) async fn count_of(&self, segment: &Segment) -> Result<SegmentCount, StoreError> {
        self.caches.counts.get(&segment.to_string(), self.store().count_of(segment)).await
    }

    /// The list was changed: it is read again before it is shown.
    pub fn forget_list(&self) {
        self.caches.names.forget();
        self.caches.values.forget();
        self.caches.sizes.forget();
        self.caches.matching.forget();
        self.caches.counts.forget();
    }

    async fn cached<T: Cached>(self: &Arc<Self>) -> Result<Arc<T>, StoreError> {
        let place = T::place(&self.caches);
        if let Some(value) = place.younger_than(T::FRESH) {
            return Ok(value);
        }
        if let Some(value) = place.younger_than(T::STALE) {
            let console = Arc::clone(self);
            tokio::spawn(async move {
                let Ok(_reading) = T::place(&console.caches).reading.try_lock() else { return };
                if let Err(error) = console.read_anew::<T>().await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the list of partners cannot be read");
                }
            });
            return Ok(value);
        }
        let _reading = place.reading.lock().await;
        match place.younger_than(T::FRESH) {
            Some(value) => Ok(value),
            None => self.read_anew().await,
        }
    }

    async fn read_anew<T: Cached>(&self) -> Result<Arc<T>, StoreError> {
        let place = T::place(&self.caches);
        let (at, forgotten) = (Clock::monotonic(), place.forgotten.load(Ordering::Relaxed));
        let value = Arc::new(T::read(self).await?);
        place.keep(at, forgotten, &value);
        Ok(value)
    }
}
