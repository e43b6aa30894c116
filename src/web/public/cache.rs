//! Cached public pages: an issue that was sent never changes, so its pages are kept as bytes in memory.

use crate::clock::Clock;
use crate::domain::{agenda::Week, issue::IssueKey};
use crate::store::{Published, StoreError};
use crate::web::{Site, answer::Kept};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Maximum age of the list of issues.
const FRESH: Duration = Duration::from_secs(5);
/// Maximum issues in the list: several years of weeks.
const LISTED: u32 = 400;
/// Maximum number and bytes of cached pages and documents; the oldest are evicted.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// The published issues, with a version that counts their changes since the start.
#[derive(Debug, Default, Clone)]
pub(super) struct Listed {
    pub issues: Arc<Vec<Published>>,
    pub version: u64,
}

impl Listed {
    /// The mailing's issue of a week, if there is one.
    pub fn of_week(&self, mailing: &str, week: Week) -> Option<&IssueKey> {
        self.weeks(mailing).find(|(of, _)| *of == week).map(|(_, key)| key)
    }

    /// Every week that the mailing published, latest first.
    pub fn weeks(&self, mailing: &str) -> impl Iterator<Item = (Week, &IssueKey)> {
        let issues = self.issues.iter().filter(move |issue| issue.key.mailing() == mailing);
        issues.filter_map(|issue| Some((issue.key.period().parse().ok()?, &issue.key)))
    }
}

#[derive(Debug, Default)]
pub(in crate::web) struct PageCache {
    listed: RwLock<Option<(Instant, Listed)>>,
    /// One request asks the database, the others wait for its result.
    asking: tokio::sync::Mutex<()>,
    /// One request renders, the others wait for its result: a popular page is rendered once.
    making: tokio::sync::Mutex<()>,
    kept: Mutex<VecDeque<(String, Arc<Kept>)>>,
}

impl Site {
    /// At most a few seconds old.
    pub(super) async fn listed(&self) -> Result<Listed, StoreError> {
        if let Some(listed) = self.cache.fresh() {
            return Ok(listed);
        }
        let _asking = self.cache.asking.lock().await;
        if let Some(listed) = self.cache.fresh() {
            return Ok(listed);
        }
        let issues = self.store.published_issues(LISTED).await?;
        let mut listed = self.cache.listed.write().unwrap_or_else(PoisonError::into_inner);
        let before = listed.take().map(|(_, listed)| listed).unwrap_or_default();
        let now = match *before.issues == issues {
            true => before,
            false => Listed { issues: Arc::new(issues), version: before.version + 1 },
        };
        *listed = Some((Clock::monotonic(), now.clone()));
        Ok(now)
    }

    /// The cached response of this name, or renders it. `Ok(None)`: not found.
    pub(super) async fn kept<F>(&self, name: String, make: F) -> anyhow::Result<Option<Arc<Kept>>>
    where
        F: AsyncFnOnce(&Self) -> anyhow::Result<Option<Kept>>,
    {
        if let Some(kept) = self.cache.find(&name) {
            return Ok(Some(kept));
        }
        let _making = self.cache.making.lock().await;
        if let Some(kept) = self.cache.find(&name) {
            return Ok(Some(kept));
        }
        let Some(made) = make(self).await?.map(Arc::new) else { return Ok(None) };
        self.cache.put(name, Arc::clone(&made));
        Ok(Some(made))
    }
}

impl PageCache {
    fn fresh(&self) -> Option<Listed> {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        let (at, listed) = listed.as_ref()?;
        (Clock::monotonic() - *at < FRESH).then(|| listed.clone())
    }

    fn find(&self, name: &str) -> Option<Arc<Kept>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == name).map(|(_, kept)| Arc::clone(kept))
    }

    fn put(&self, name: String, made: Arc<Kept>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((name, made));
        let bytes = |kept: &VecDeque<(String, Arc<Kept>)>| kept.iter().map(|(_, it)| it.size()).sum::<usize>();
        while kept.len() > KEPT || bytes(&kept) > KEPT_BYTES {
            kept.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_in_number_and_in_bytes() {
        let cache = PageCache::default();
        let put = |n: usize, bytes: usize| {
            let made = Kept::new("application/pdf", vec![0; bytes]);
            cache.put(n.to_string(), Arc::new(made));
        };
        (0..KEPT + 1).for_each(|n| put(n, 10));
        assert!(cache.find("0").is_none() && cache.find("1").is_some());
        put(100, KEPT_BYTES - 15);
        assert!(cache.find(&KEPT.to_string()).is_some() && cache.find(&(KEPT - 1).to_string()).is_none());
        put(101, KEPT_BYTES + 1);
        assert!(["100", "101"].iter().all(|name| cache.find(name).is_none()), "it is answered and not kept");
    }
}
