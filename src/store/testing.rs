//! What tests, benches and examples ask of a ledger, and the program never does.

use super::{Ledger, LogFilter, Miscounted, Result, Store, backend::Backend, log, tallies};
use crate::domain::{
    Timestamp,
    delivery::{Claim, Marked},
    partner::{Import, ImportSummary, NewContact},
};
use async_trait::async_trait;

#[async_trait]
pub trait Inspect: Send + Sync {
    /// How the database reads a page of [`DeliveryLog::log`](crate::store::DeliveryLog::log), in its own words: how it
    /// finds the issues, then how it reads the first of them. For tests and measurements.
    async fn explain_log(&self, filter: &LogFilter) -> Result<Vec<String>>;

    /// Issues whose kept sums (`counts` of an issue) are not those of their rows, with both: none, ever (I1).
    /// Counts every row of the ledger.
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

/// Simple cases of methods that can do more.
#[async_trait]
pub trait Shortcuts: Store {
    /// T5 alone.
    async fn mark_in_data(&self, claims: &[Claim], now: Timestamp) -> Result<Vec<Marked>> {
        Ok(self.settle(&[], claims, now).await?.marked)
    }

    /// The simple case: contacts are added, in the legitimate interest, and nobody watches.
    async fn import_contacts(
        &self,
        contacts: &[NewContact],
        mailings: &[String],
        source: &str,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<ImportSummary> {
        let basis = Default::default();
        let import = Import { contacts, mailings, source, basis, replace: false, dry_run };
        Ok(self.import(&import, &|_| {}, now).await?.summary)
    }
}

impl<S: Store + ?Sized> Shortcuts for S {}
