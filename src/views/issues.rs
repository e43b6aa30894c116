//! Issues with their totals, and one issue in full detail.

use super::instant;
use crate::app::Engine;
use crate::domain::{
    exception::Rule,
    issue::{Content, Counts, IssueKey, IssueState, IssueSummary, RefusalKind},
    newsletter::Letter,
};
use crate::store::{Store, StoreError};
use chrono_tz::Tz;
use serde::Serialize;

/// An element of `issues --json`.
#[derive(Debug, Clone, Serialize)]
pub struct IssueView {
    pub key: IssueKey,
    pub mailing: String,
    pub state: IssueState,
    pub reason: Option<String>,
    pub scheduled_for: String,
    pub expires_at: String,
    pub frozen_at: Option<String>,
    pub closed_at: Option<String>,
    pub subject: Option<String>,
    pub content_hash: Option<String>,
    pub approved_by: Option<String>,
    /// Who approved the content, although a second person is required.
    pub half_approved_by: Option<String>,
    pub counts: Counts,
    pub recipients: u64,
    /// Deliveries that bounced later; in `counts` they are sent.
    pub bounced: u64,
    /// It awaits approval.
    #[serde(skip)]
    pub needs_approval: bool,
}

impl IssueView {
    pub fn new(it: &IssueSummary, zone: Tz) -> Self {
        Self {
            key: it.key.clone(),
            mailing: it.mailing.clone(),
            state: it.state(),
            reason: it.reason().map(str::to_owned),
            scheduled_for: instant(it.scheduled_for, zone),
            expires_at: instant(it.expires_at, zone),
            frozen_at: it.frozen_at().map(|at| instant(at, zone)),
            closed_at: it.closed_at().map(|at| instant(at, zone)),
            subject: it.subject.clone(),
            content_hash: it.content_hash().map(str::to_owned),
            approved_by: it.approved_by().map(str::to_owned),
            half_approved_by: it.half_approved_by.clone(),
            counts: it.counts,
            recipients: it.counts.total(),
            bounced: 0,
            needs_approval: it.needs_approval(),
        }
    }

    /// The totals in words, or who approved it if nothing is frozen yet.
    pub fn sum(&self) -> String {
        match (self.state, &self.approved_by) {
            (IssueState::Approved, Some(by)) => format!("by {by}"),
            _ if let Some(by) = &self.half_approved_by => format!("approved by {by}; a second person is required"),
            _ if self.needs_approval => "not approved yet".to_owned(),
            _ if self.bounced > 0 => format!("{}; {} bounced later", self.counts, self.bounced),
            _ => self.counts.to_string(),
        }
    }
}

/// These issues, with the number of deliveries that bounced.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn views(store: &dyn Store, issues: &[IssueSummary], zone: Tz) -> Result<Vec<IssueView>, StoreError> {
    let frozen: Vec<_> = issues.iter().filter_map(|it| Some((it.key.clone(), it.frozen_at()?))).collect();
    let bounced = store.bounced(&frozen).await?;
    let view = |it: &IssueSummary| IssueView {
        bounced: bounced.get(&it.key).copied().unwrap_or(0),
        ..IssueView::new(it, zone)
    };
    Ok(issues.iter().map(view).collect())
}

/// All issues, newest first.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read(engine: &Engine) -> Result<Vec<IssueView>, StoreError> {
    let zone = engine.app.config.zone;
    views(&*engine.store, &engine.store.issues().await?, zone).await
}

/// One issue: `issues show --json`.
#[derive(Debug, Clone, Serialize)]
pub struct IssueDetail {
    #[serde(flatten)]
    pub issue: IssueView,
    pub approvals: Vec<ApprovalView>,
    pub refusals: Vec<RefusalView>,
    pub exceptions: Vec<ExceptionView>,
    /// The letter of a newsletter.
    pub letter: Option<Letter>,
    #[serde(skip)]
    pub content: Option<Content>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ApprovalView {
    pub by: String,
    pub at: String,
    pub content_hash: String,
    /// It is for the current content, and was not taken back.
    pub counts: bool,
    /// When it was taken back.
    pub withdrawn_at: Option<String>,
}

/// Content that a person refused, or whose approval a person took back.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalView {
    pub by: String,
    pub at: String,
    pub kind: RefusalKind,
    pub why: String,
    pub content_hash: String,
}

/// What a person decided about this issue against the rules of its mailing.
#[derive(Debug, Clone, Serialize)]
pub struct ExceptionView {
    pub id: String,
    #[serde(flatten)]
    pub rule: Rule,
    pub why: String,
    pub by: String,
    pub at: String,
    pub withdrawn_by: Option<String>,
    pub withdrawn_at: Option<String>,
}

impl ExceptionView {
    /// For operators.
    pub fn rule_in_english(&self) -> String {
        match &self.rule {
            Rule::Source { source } => format!("without the source {source}"),
            Rule::TooFew { found, least } => format!("{found} events instead of {least}"),
            Rule::TooManyUnplaced { unplaced, items } => format!("{unplaced} lines of {items} without a day"),
            Rule::Article { url, title } => format!("the article « {title} », {url}"),
        }
    }
}

/// # Errors
/// When the ledger cannot be read.
pub async fn detail(engine: &Engine, key: &IssueKey) -> Result<Option<IssueDetail>, StoreError> {
    let Some(issue) = engine.store.issue(key).await? else { return Ok(None) };
    let zone = engine.app.zone_of(&issue.mailing);
    let approvals = engine.store.approvals(key).await?.into_iter().map(|it| ApprovalView {
        at: instant(it.at, zone),
        counts: it.counts_for(issue.content_hash()),
        withdrawn_at: it.withdrawn_at.map(|at| instant(at, zone)),
        by: it.by,
        content_hash: it.content_hash,
    });
    let refusals = engine.store.refusals(key).await?.into_iter().map(|it| RefusalView {
        at: instant(it.at, zone),
        by: it.by,
        kind: it.kind,
        why: it.why,
        content_hash: it.content_hash,
    });
    let exceptions = engine.store.exceptions(key).await?.into_iter().map(|it| ExceptionView {
        id: it.id,
        rule: it.rule,
        why: it.why,
        by: it.by,
        at: instant(it.at, zone),
        withdrawn_at: it.withdrawn.as_ref().map(|it| instant(it.at, zone)),
        withdrawn_by: it.withdrawn.map(|it| it.by),
    });
    let content = engine.store.content(key).await?;
    let view = views(&*engine.store, std::slice::from_ref(&issue), zone).await?.pop();
    Ok(Some(IssueDetail {
        refusals: refusals.collect(),
        exceptions: exceptions.collect(),
        issue: view.unwrap_or_else(|| IssueView::new(&issue, zone)),
        approvals: approvals.collect(),
        letter: content.as_ref().and_then(|content| content.letter().ok()),
        content,
    }))
}
