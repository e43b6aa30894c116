//! Queries of a ledger for tests, benches and examples only.

use super::{Ledger, LogFilter, Miscounted, Result, Store, backend::Backend, log, tallies};
use crate::domain::{
    Timestamp,
    delivery::{Claim, Marked},
    partner::{Import, ImportSummary, NewContact},
};
use async_trait::async_trait;

#[async_trait]
pub trait Inspect: Send + Sync {
    /// The query plans of a page of [`DeliveryLog::log`](crate::store::DeliveryLog::log): of the statement that finds the
    /// issues, then of those that read the first one.
    async fn explain_log(&self, filter: &LogFilter) -> Result<Vec<String>>;

    /// Issues whose maintained sums (`counts` of an issue) differ from their rows, with both; always empty (I1). Counts
    /// every row of the ledger.
    async fn miscounted(&self) -> Result<Vec<Miscounted>>;
}

#[async_trait]
impl<B: Backend> Inspect for Ledger<B> {
    async fn explain_log(&self, filter: &LogFilter) -> Result<Vec<String>> {
        log::plans(&self.0, filter).await
    }

    async fn miscounted(&self) -> Result<Vec<Miscounted>> {
        tallies::miscounted(&self.0).await
    }
}

/// Simple cases of more general methods.
#[async_trait]
pub trait Shortcuts: Store {
    /// Only T5.
    async fn mark_in_data(&self, claims: &[Claim], now: Timestamp) -> Result<Vec<Marked>> {
        Ok(self.settle(&[], claims, now).await?.marked)
    }

    /// Adds contacts with basis legitimate interest, without progress.
    async fn import_contacts(
        &self,
        contacts: &[NewContact],
        mailings: &[String],
        source: &str,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<ImportSummary> {
        let import = Import { dry_run, ..Import::new(&contacts, mailings, source) };
        Ok(self.import(&import, &|_| {}, now).await?.summary)
    }
}

impl<S: Store + ?Sized> Shortcuts for S {}
