//! The editorial of a newsletter: the text as it is now, who wrote it, and what saving another one means.

use super::{Reading, When, issue_href};
use crate::actions::{issues, may::Subject};
use crate::app::Engine;
use crate::domain::issue::IssueKey;
use crate::jobs::Approval;
use serde::Serialize;
use sha2::{Digest, Sha256};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditorialForm {
    pub key: IssueKey,
    /// Markdown.
    pub text: String,
    /// Of [`EditorialForm::text`].
    pub version: String,
    /// Who wrote it and when; `None`: nobody has written it in semainier.
    pub written: Option<(String, When)>,
    /// It is composed: saving makes a new version.
    pub composed: bool,
    /// The new version has to be approved.
    pub asks_for_approval: bool,
    /// Whose approval the new version does not have.
    pub approved_by: Option<String>,
    pub action: String,
    /// The page of the issue; « À venir » before there is one.
    pub back: String,
}

impl EditorialForm {
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn read(engine: &Engine, it: &Reading<'_>, subject: &Subject<'_>) -> anyhow::Result<Self> {
        let (key, issue) = (&subject.key, subject.issue.as_ref());
        let text = issues::editorial(engine, key).await?;
        let written = it.store.editorial(key).await?.filter(|written| written.text == text);
        let when = |at| When::new(at, it.now, it.zone_of(key.mailing()));
        Ok(Self {
            version: version_of(&text),
            written: written.map(|written| (written.by, when(written.at))),
            asks_for_approval: subject.mailing.as_ref().is_some_and(|it| it.approval == Approval::Required),
            composed: issue.is_some_and(|issue| issue.is_presented()),
            approved_by: issue.and_then(|issue| issue.approved_by()).map(str::to_owned),
            action: href(key),
            back: if issue.is_some() { issue_href(key) } else { "/a-venir".to_owned() },
            key: key.clone(),
            text,
        })
    }
}

/// Its page.
pub fn href(key: &IssueKey) -> String {
    format!("{}/edito", issue_href(key))
}

/// Sixteen digits that tell one text from another.
pub fn version_of(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
