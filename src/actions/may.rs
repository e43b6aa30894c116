//! What can be decided about an issue now: one function, for the sheets that the console offers and for the actions themselves.

use super::Refusal;
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    issue::{IssueKey, IssueState, IssueSummary},
};
use crate::jobs::{Approval, Mailing};
use crate::store::{Skip, StoreError};
use std::borrow::Cow;

/// A decision about one issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Approve,
    Refuse,
    Withdraw,
    Skip,
    Unskip,
    Rehearse,
    /// Collected and composed again, for an approval.
    Recompose,
    Pause,
    Resume,
    Stop,
}

impl Act {
    pub const ALL: [Act; 10] = [
        Act::Approve,
        Act::Refuse,
        Act::Withdraw,
        Act::Rehearse,
        Act::Recompose,
        Act::Skip,
        Act::Unskip,
        Act::Pause,
        Act::Resume,
        Act::Stop,
    ];

    /// As in keys of texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::Approve => "approve",
            Act::Refuse => "refuse",
            Act::Withdraw => "withdraw",
            Act::Skip => "skip",
            Act::Unskip => "unskip",
            Act::Rehearse => "rehearse",
            Act::Recompose => "recompose",
            Act::Pause => "pause",
            Act::Resume => "resume",
            Act::Stop => "stop",
        }
    }
}

/// What is known of an issue, or of one that is still to come, when something is decided about it.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    pub key: IssueKey,
    /// `None`: it is no longer configured, or its edition is no longer announced.
    pub mailing: Option<Cow<'a, Mailing>>,
    pub issue: Option<IssueSummary>,
    pub skip: Option<Skip>,
    /// The occurrence of the schedule that publishes it.
    pub occurrence: Option<Timestamp>,
    pub now: Timestamp,
}

impl<'a> Subject<'a> {
    /// As of now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn read(engine: &'a Engine, key: &IssueKey) -> Result<Self, StoreError> {
        let now = engine.app.clock.now();
        let mailing = engine.app.mailing(key.mailing()).ok();
        Ok(Self {
            issue: engine.store.issue(key).await?,
            skip: engine.store.skips().await?.into_iter().find(|skip| skip.issue == *key),
            occurrence: mailing.and_then(|mailing| mailing.occurrence_of(key, now)),
            mailing: mailing.map(Cow::Borrowed),
            key: key.clone(),
            now,
        })
    }

    /// The hour it leaves at, while that is known.
    pub fn at(&self) -> Option<Timestamp> {
        self.issue.as_ref().map(|issue| issue.scheduled_for).or(self.occurrence)
    }

    /// An erratum has neither sources nor an editorial.
    pub(super) fn no_erratum(&self) -> Result<(), Refusal> {
        match self.key.corrected() {
            Some(_) => Err(Refusal::IsErratum(self.key.clone())),
            None => Ok(()),
        }
    }

    fn asks_for_approval(&self) -> bool {
        self.mailing.as_ref().is_some_and(|it| it.approval == Approval::Required)
    }

    /// Composed, if it is composed.
    fn composed(&self) -> Result<&IssueSummary, Refusal> {
        self.issue.as_ref().ok_or_else(|| Refusal::NotComposedYet(self.key.clone()))
    }

    fn in_time(&self) -> Result<(), Refusal> {
        match self.issue.as_ref().is_none_or(|issue| self.now < issue.expires_at) {
            true => Ok(()),
            false => Err(Refusal::DeadlinePassed(self.key.clone())),
        }
    }

    /// Its content may still change.
    pub(super) fn changeable(&self) -> Result<(), Refusal> {
        match &self.issue {
            Some(issue) if issue.frozen().is_some() || issue.state().is_given_up() => {
                Err(Refusal::Unchangeable { issue: self.key.clone(), state: issue.state() })
            }
            _ => Ok(()),
        }
    }

    /// Its hour is still to come, and nothing of it is frozen.
    fn to_come(&self) -> Result<(), Refusal> {
        self.changeable()?;
        let at = self.at().filter(|_| self.mailing.is_some());
        match at.ok_or_else(|| Refusal::NoOccurrence { issue: self.key.clone() })? {
            at if at <= self.now => Err(Refusal::HourHasCome(self.key.clone())),
            _ => Ok(()),
        }
    }

    fn wrong_state(&self, issue: &IssueSummary) -> Refusal {
        Refusal::WrongState { issue: self.key.clone(), state: issue.state() }
    }

    /// In one of these states.
    fn in_state(&self, states: &[IssueState]) -> Result<(), Refusal> {
        match &self.issue {
            Some(issue) if states.contains(&issue.state()) => Ok(()),
            None => Err(Refusal::NoSuchIssue(self.key.clone())),
            Some(issue) if issue.state().is_given_up() => {
                let zone = self.mailing.as_ref().map_or(chrono_tz::UTC, |mailing| mailing.schedule.zone);
                Err(Refusal::GivenUp { issue: Box::new(issue.clone()), zone })
            }
            Some(issue) => Err(self.wrong_state(issue)),
        }
    }

    fn nothing_to_approve(&self, issue: &IssueSummary) -> Refusal {
        let (state, reason) = (issue.state(), issue.reason().map(str::to_owned));
        Refusal::NothingToApprove { issue: self.key.clone(), state, reason }
    }
}

/// States of issues that can be stopped for good.
pub(super) const CANCELLABLE: [IssueState; 6] = [
    IssueState::Held,
    IssueState::AwaitingApproval,
    IssueState::Rehearsed,
    IssueState::Approved,
    IssueState::Sending,
    IssueState::Paused,
];

/// Whether this can be decided. What else is compared, such as the hash that a person has read, is not part of it.
///
/// # Errors
/// Why not.
pub fn may(act: Act, it: &Subject<'_>) -> Result<(), Refusal> {
    let leaving = |issue: &IssueSummary| Refusal::LeavingAlready { issue: it.key.clone(), state: issue.state() };
    match act {
        Act::Approve => {
            let issue = it.composed()?;
            if !issue.is_presented() {
                return Err(it.nothing_to_approve(issue));
            }
            it.in_time()?;
            if let Some(skip) = &it.skip {
                return Err(Refusal::Skipped { issue: it.key.clone(), by: skip.by.clone() });
            }
            match issue.approved_by().filter(|_| issue.is_approved()) {
                Some(by) => Err(Refusal::ApprovedAlready { issue: it.key.clone(), by: by.to_owned() }),
                None => Ok(()),
            }
        }
        Act::Refuse => {
            if !it.asks_for_approval() {
                return Err(Refusal::LeavesWithoutApproval { mailing: it.key.mailing().to_owned() });
            }
            let issue = it.composed()?;
            match issue {
                _ if issue.frozen().is_some() => Err(leaving(issue)),
                _ if !issue.is_presented() || issue.is_rehearsed() => Err(it.nothing_to_approve(issue)),
                _ => it.in_time(),
            }
        }
        Act::Withdraw => {
            let issue = it.composed()?;
            match issue {
                _ if issue.frozen().is_some() => Err(leaving(issue)),
                _ if issue.is_approved() || issue.half_approved_by.is_some() => Ok(()),
                _ => Err(it.wrong_state(issue)),
            }
        }
        Act::Skip => {
            it.to_come()?;
            match &it.skip {
                Some(skip) => Err(Refusal::Skipped { issue: it.key.clone(), by: skip.by.clone() }),
                None => Ok(()),
            }
        }
        Act::Unskip => {
            it.to_come()?;
            match &it.skip {
                Some(_) => Ok(()),
                None => Err(Refusal::NotSkipped(it.key.clone())),
            }
        }
        Act::Rehearse => {
            let automatic = |mailing: &Mailing| mailing.approval == Approval::Automatic && !mailing.is_of_editions();
            if !it.mailing.as_deref().is_some_and(automatic) {
                return Err(Refusal::NotRehearsed { mailing: it.key.mailing().to_owned() });
            }
            it.changeable()?;
            it.in_time()?;
            match &it.issue {
                Some(issue) if !matches!(issue.state(), IssueState::Held | IssueState::Rehearsed) => {
                    Err(it.wrong_state(issue))
                }
                _ if it.occurrence.is_none() => Err(Refusal::NoOccurrence { issue: it.key.clone() }),
                _ => Ok(()),
            }
        }
        Act::Recompose => {
            it.no_erratum()?;
            match it.mailing.as_deref() {
                Some(mailing) if mailing.is_of_editions() => {
                    return Err(Refusal::NotCollected { mailing: mailing.id.clone() });
                }
                _ if !it.asks_for_approval() => {
                    return Err(Refusal::LeavesWithoutApproval { mailing: it.key.mailing().to_owned() });
                }
                _ => {}
            }
            it.changeable()?;
            it.in_time()?;
            it.at().map(drop).ok_or_else(|| Refusal::NoOccurrence { issue: it.key.clone() })
        }
        Act::Pause => it.in_state(&[IssueState::Sending]),
        Act::Resume => {
            it.in_state(&[IssueState::Paused])?;
            it.in_time()
        }
        Act::Stop => it.in_state(&CANCELLABLE),
    }
}
