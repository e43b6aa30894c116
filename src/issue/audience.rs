//! How many an issue would go to now.

use crate::domain::issue::IssueKey;
use crate::jobs::Mailing;
use crate::store::{Store, StoreError};

/// The number of recipients of this issue of the mailing, were it frozen now: its audience, or for an erratum those whom the wrong
/// issue has reached. `mailing`: restricted for the issue ([`super::edition::mailing_for`]).
///
/// # Errors
/// When the ledger cannot be read.
pub async fn size(store: &dyn Store, mailing: &Mailing, issue: &IssueKey) -> Result<u64, StoreError> {
    match issue.corrected() {
        Some(wrong) => store.reached(&wrong).await,
        None => store.audience_size(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await,
    }
}
