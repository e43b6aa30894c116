//! An occurrence to be published.

use crate::domain::{
    Timestamp, edition,
    issue::{IssueKey, RecipientScope},
};
use crate::jobs::Mailing;

#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    pub mailing: &'a Mailing,
    pub at: Timestamp,
    /// Nothing of the issue is sent after this instant.
    pub expires_at: Timestamp,
    /// The part of the key after the slash if the schedule does not determine it: the slug of an announced edition.
    pub period: Option<&'a str>,
}

impl<'a> Due<'a> {
    /// An occurrence of the mailing's own schedule.
    pub fn scheduled(mailing: &'a Mailing, at: Timestamp, expires_at: Timestamp) -> Self {
        Self { mailing, at, expires_at, period: None }
    }

    pub fn key(&self) -> IssueKey {
        match self.period {
            Some(period) => IssueKey::new(&self.mailing.id, period),
            None => self.mailing.issue_key(self.at),
        }
    }

    /// The recipients: within the mailing's audience, or of the issue that an erratum corrects.
    pub(crate) fn whom(&self) -> RecipientScope {
        if let Some(wrong) = self.key().corrected() {
            return RecipientScope::Reached(wrong);
        }
        let announced = self.period.and_then(|period| period.strip_suffix(edition::REMINDER));
        announced
            .map_or(RecipientScope::Audience, |slug| RecipientScope::NotOrdered(IssueKey::new(&self.mailing.id, slug)))
    }
}
