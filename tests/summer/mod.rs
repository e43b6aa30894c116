//! The real program under libfaketime: both changes of hour, and the whole of July and August 2026.

mod hours;
mod july_and_august;

use crate::support::serve::PATIENCE;
use semainier::store::Store;
use std::{future::Future, sync::Arc, time::Duration};

/// Waits until the ledger says so.
async fn until<F: Future<Output = bool>>(what: &str, store: &Arc<dyn Store>, holds: impl Fn(Arc<dyn Store>) -> F) {
    let waited = async {
        while !holds(Arc::clone(store)).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waited).await.is_err() {
        let occurrences = store.occurrences(None, 100).await.unwrap();
        panic!("{what}: never\n{occurrences:#?}\n{:#?}", store.open_issues().await.unwrap());
    }
}
