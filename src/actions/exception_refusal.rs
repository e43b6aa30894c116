//! Why an exception was not made or withdrawn.

use crate::domain::{
    exception::{Kind, Rule},
    french::NBSP,
    issue::IssueKey,
};

#[derive(Debug, Clone, PartialEq)]
pub enum ExceptionRefusal {
    /// Nothing holds it that a person could set aside or cure; the reason, in French, if it is held.
    NotHeldForThat {
        issue: IssueKey,
        reason: Option<String>,
    },
    /// It is held for another reason, or with other numbers, than the person read; `now`: the reason, in French.
    Moved {
        issue: IssueKey,
        now: String,
    },
    /// The number that was typed is not the one that was shown.
    OtherNumber {
        expected: usize,
    },
    NoSuchException(String),
    /// None of this kind is in force.
    NoneOfKind {
        issue: IssueKey,
        kind: Kind,
    },
    /// The mailing reads its articles from files.
    NoSite {
        mailing: String,
    },
    /// The article cannot be read: why, in French.
    NotRead(String),
    /// Not within the time a person waits.
    TooSlow,
}

impl ExceptionRefusal {
    pub fn in_english(&self) -> String {
        match self {
            Self::NotHeldForThat { issue, reason: Some(reason) } => {
                format!("{issue} is held for a reason that no exception changes: {reason}")
            }
            Self::NotHeldForThat { issue, reason: None } => {
                format!("{issue} is not held; see `semainier issues show {issue}`")
            }
            Self::Moved { issue, now } => {
                format!("{issue} is held otherwise than you saw, and nothing was done; it says now: {now}")
            }
            Self::OtherNumber { expected } => {
                format!("the number is {expected}; give it with --number to confirm that you have read it")
            }
            Self::NoSuchException(id) => format!("no exception {id} is in force"),
            Self::NoneOfKind { issue, kind } => {
                format!("no exception of the kind {} is in force for {issue}", kind.as_str().replace('_', "-"))
            }
            Self::NoSite { mailing } => format!("{mailing} has its articles from no web site"),
            Self::NotRead(why) => format!("the article was not chosen: {why}"),
            Self::TooSlow => "the site answers too slowly; nothing was chosen".to_owned(),
        }
    }

    pub fn in_french(&self) -> String {
        match self {
            Self::NotHeldForThat { reason: Some(reason), .. } => {
                format!("ce numéro est retenu pour une raison qu’aucune exception ne change{NBSP}: {reason}")
            }
            Self::NotHeldForThat { reason: None, .. } => "ce numéro n’est pas retenu".to_owned(),
            Self::Moved { now, .. } => {
                format!(
                    "la situation a changé, et rien n’a été fait{NBSP}; voici ce qui retient le numéro{NBSP}: {now}"
                )
            }
            Self::OtherNumber { expected } => {
                format!("le nombre est {expected}{NBSP}: tapez-le pour dire que vous l’avez lu")
            }
            Self::NoSuchException(_) | Self::NoneOfKind { .. } => "cette exception n’est plus en vigueur".to_owned(),
            Self::NoSite { mailing } => {
                format!("les articles de «{NBSP}{mailing}{NBSP}» ne viennent d’aucun site")
            }
            Self::NotRead(why) => format!("l’article n’a pas été retenu{NBSP}: {why}"),
            Self::TooSlow => "le site répond trop lentement, et rien n’a été changé".to_owned(),
        }
    }
}

impl From<ExceptionRefusal> for super::Refusal {
    fn from(refusal: ExceptionRefusal) -> Self {
        Self::Exception(refusal)
    }
}

impl From<ExceptionRefusal> for super::ActionError {
    fn from(refusal: ExceptionRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// For the audit: which rule, with its numbers.
pub(super) fn detail(rule: &Rule, why: &str) -> serde_json::Value {
    let mut detail = serde_json::json!(rule);
    detail["why"] = why.into();
    detail
}
