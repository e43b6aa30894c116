//! Partners: the folded search, and a person's page.

use super::Asked;
use crate::accounts::Viewer;
use crate::clock::Clock;
use crate::store::StoreError;
use crate::views::console::people::{self, Index, PAGE};
use crate::web::{answer::Answer, console::Console};
use axum::extract::{Path, State};
use serde::Serialize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Maximum age of the list that the search uses.
const FRESH: Duration = Duration::from_secs(5);
const STALE: Duration = Duration::from_secs(60);

/// The index of the search, in memory.
#[derive(Default)]
pub(in crate::web::console) struct Names {
    kept: RwLock<Option<(Instant, Arc<Index>)>>,
    /// One request reads the list, the others wait or take what there is.
    reading: tokio::sync::Mutex<()>,
}

impl Names {
    fn younger_than(&self, age: Duration) -> Option<Arc<Index>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let (at, index) = kept.as_ref()?;
        (Clock::monotonic() - *at < age).then(|| Arc::clone(index))
    }
}

impl Console {
    /// The list by what is searched: a few seconds old; a search never waits for a list that is a little older to be read again.
    pub(super) async fn names(self: &Arc<Self>) -> Result<Arc<Index>, StoreError> {
        if let Some(index) = self.names.younger_than(FRESH) {
            return Ok(index);
        }
        if let Some(index) = self.names.younger_than(STALE) {
            let console = Arc::clone(self);
            tokio::spawn(async move {
                let Ok(_reading) = console.names.reading.try_lock() else { return };
                if let Err(error) = console.read_names().await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the list for the search cannot be read");
                }
            });
            return Ok(index);
        }
        let _reading = self.names.reading.lock().await;
        if let Some(index) = self.names.younger_than(FRESH) {
            return Ok(index);
        }
        self.read_names().await
    }

    async fn read_names(&self) -> Result<Arc<Index>, StoreError> {
        let at = Clock::monotonic();
        let names = self.store().contact_names().await?;
        // Folding a long list takes the processor for a while.
        let index = tokio::task::spawn_blocking(move || Index::new(names)).await.unwrap_or_default();
        let index = Arc::new(index);
        let mut kept = self.names.kept.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((at, Arc::clone(&index)));
        Ok(index)
    }
}

#[derive(Debug, Serialize)]
struct PartnersPage {
    q: String,
    rows: Vec<people::PersonRow>,
    found: usize,
    all: usize,
    more: Option<String>,
}

pub(super) async fn list(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let read = async {
        let names = console.names().await?;
        let q = asked.get("q").unwrap_or_default();
        let (mut ids, found) = names.find(q, asked.get("apres"), PAGE + 1);
        let more = ids.len() > PAGE;
        ids.truncate(PAGE);
        Ok(PartnersPage {
            q: q.to_owned(),
            more: ids.last().filter(|_| more).map(|id| asked.with("apres", id)),
            rows: people::rows(&console.reading(), &ids).await?,
            found,
            all: names.len(),
        })
    };
    match read.await {
        Ok(page) => console.page(&viewer, "/partenaires", "partners", &page),
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn one(State(console): State<Arc<Console>>, viewer: Viewer, Path(id): Path<String>) -> Answer {
    match people::person(&console.reading(), &id).await {
        Ok(Some(page)) => console.page(&viewer, "/partenaires", "person", &page),
        Ok(None) => console.message(&viewer, axum::http::StatusCode::NOT_FOUND, "no_person"),
        Err(error) => console.broken(&viewer, &error),
    }
}
