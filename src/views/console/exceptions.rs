//! The exceptions of an issue that are in force, and the pages on which one is made.

use super::{Reading, When, issue_href};
use crate::accounts::Permission;
use crate::domain::{
    exception::{Exception, HeldFor, InForce, Kind, Rule},
    french,
    issue::{IssueKey, IssueSummary},
};
use crate::notices::tonight::rule;
use crate::store::StoreError;
use serde::Serialize;

/// `/envois/agenda/2027-W28/exception`
pub fn href(key: &IssueKey) -> String {
    format!("{}/exception", issue_href(key))
}

/// `/envois/agenda/2027-W28/article`
pub fn article_href(key: &IssueKey) -> String {
    format!("{}/article", issue_href(key))
}

/// An exception in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The rule with its numbers, in French.
    pub rule: String,
    pub by: String,
    pub at: When,
    pub why: String,
    /// Where it is taken back, by whoever may: a role's word.
    pub withdraw: String,
    pub permission: &'static str,
}

impl Row {
    fn new(it: &Reading<'_>, exception: &Exception) -> Self {
        let key = &exception.issue;
        let (withdraw, permission) = match exception.rule.kind() {
            Kind::Article => (format!("{}/retirer", article_href(key)), Permission::Write),
            Kind::Source | Kind::TooFew | Kind::TooManyUnplaced => {
                (format!("{}s/{}/retirer", href(key), exception.id), Permission::Approve)
            }
        };
        Self {
            rule: french::capitalized(&rule(&exception.rule)),
            by: exception.by.clone(),
            at: When::new(exception.at, it.now, it.zone_of(key.mailing())),
            why: exception.why.clone(),
            withdraw,
            permission: permission.as_str(),
        }
    }
}

/// Those in force, oldest first; none of an issue that can no longer change.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn in_force(it: &Reading<'_>, issue: &IssueSummary) -> Result<Vec<Row>, StoreError> {
    if issue.frozen().is_some() || issue.state().is_given_up() {
        return Ok(Vec::new());
    }
    let all = InForce::of(it.store.exceptions(&issue.key).await?);
    Ok(all.iter().map(|exception| Row::new(it, exception)).collect())
}

/// What is read before a rule is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    pub path: String,
    pub title: String,
    pub back: String,
    pub action: String,
    /// [`Kind::as_str`]
    pub kind: &'static str,
    /// Why it is held, in French.
    pub reason: String,
    pub source: String,
    /// What is to be typed, and what the mailing asks for or what it is of.
    pub number: Option<usize>,
    pub other: Option<usize>,
    /// The rule as the form carries it.
    pub seen: String,
    /// Who approved content that is kept: an exception takes that back.
    pub approved_by: Option<String>,
}

impl Sheet {
    pub fn new(it: &Reading<'_>, issue: &IssueSummary, held: &HeldFor, rule: &Rule) -> Self {
        let key = &issue.key;
        let other = match rule {
            Rule::TooFew { least, .. } => Some(*least),
            Rule::TooManyUnplaced { items, .. } => Some(*items),
            Rule::Source { .. } | Rule::Article { .. } => None,
        };
        Self {
            path: key.to_string(),
            title: it.title(key.mailing()).to_owned(),
            back: issue_href(key),
            action: href(key),
            kind: rule.kind().as_str(),
            reason: held.reason.clone(),
            source: rule.target().to_owned(),
            number: rule.number(),
            other,
            seen: serde_json::json!(rule).to_string(),
            approved_by: issue.approved_by().or(issue.half_approved_by.as_deref()).map(str::to_owned),
        }
    }
}

/// An article that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub title: String,
    pub url: String,
    pub published: When,
    /// Why it was not taken, in French.
    pub why: String,
}

/// The page on which another article is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArticleSheet {
    pub path: String,
    pub title: String,
    pub back: String,
    pub action: String,
    /// Why it is held, in French.
    pub reason: String,
    /// The week that it must be about, in French.
    pub week: String,
    pub candidates: Vec<Candidate>,
    /// The sites that an address may be of.
    pub sites: Vec<String>,
}

impl ArticleSheet {
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn read(it: &Reading<'_>, issue: &IssueSummary, held: &HeldFor) -> Result<Self, StoreError> {
        let key = &issue.key;
        let zone = it.zone_of(key.mailing());
        let seen = it.store.sighting(key).await?;
        let candidate = |article: &crate::domain::exception::SeenArticle| {
            Some(Candidate {
                title: article.title.clone(),
                url: article.url.clone()?,
                published: When::new(article.published, it.now, zone),
                why: article.hold.as_ref().map(ToString::to_string).unwrap_or_default(),
            })
        };
        let mailing = it.mailings.iter().find(|mailing| mailing.id == key.mailing());
        let week = mailing.and_then(|mailing| Some(mailing.agenda()?.week(mailing.day(issue.scheduled_for))));
        let sites = mailing.iter().flat_map(|mailing| &mailing.sources).filter_map(|rule| rule.source.site());
        let mut sites: Vec<_> = sites.filter_map(|url| url.host_str().map(str::to_owned)).collect();
        sites.dedup();
        Ok(Self {
            path: key.to_string(),
            title: it.title(key.mailing()).to_owned(),
            back: issue_href(key),
            action: article_href(key),
            reason: held.reason.clone(),
            week: week.map(french::week).unwrap_or_default(),
            candidates: seen.iter().flat_map(|seen| &seen.articles).filter_map(candidate).collect(),
            sites,
        })
    }
}
