//! Whether one can sleep: what was looked at before the next issue leaves, as data. Worded in [`crate::notices::tonight`].

use super::{Timestamp, agenda::Corrections, exception::Granted, issue::IssueKey};
use serde::Serialize;

/// How much a check matters. The worst of them is the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// It leaves all the same; somebody should look at it.
    Look,
    /// Nobody can promise that it leaves.
    NotKnown,
    /// It does not leave unless somebody does something.
    WillNotGo,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Look => "look",
            Level::NotKnown => "not_known",
            Level::WillNotGo => "will_not_go",
        }
    }
}

/// One thing that was looked at and is no trouble of the service: those are findings of [`crate::views::readiness`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    DaemonRuns,
    NoRelay,
    /// No daemon complains about it.
    RelayFine,
    /// The ledger is not the one that was left: it was restored or moved, and nobody has looked yet.
    LedgerDoubtful,
    NoStaff,
    StaffTold {
        count: usize,
    },
    LanesOpen,

    /// An issue is leaving at this moment.
    UnderWay {
        issue: IssueKey,
        ended: u64,
        total: u64,
    },

    // Of one issue that leaves next.
    /// Nothing is composed yet: at its hour, or at its rehearsal, the sources are read.
    NotComposed {
        issue: IssueKey,
        rehearsal: Option<Timestamp>,
    },
    Approved {
        issue: IssueKey,
        by: String,
    },
    /// A person who looked at what would leave asked for a correction.
    CorrectionAsked {
        issue: IssueKey,
        by: String,
        why: String,
    },
    /// Composed and shown to staff; it is read again at its hour.
    Rehearsed {
        issue: IssueKey,
    },
    /// A person does not want it to leave.
    Skipped {
        issue: IssueKey,
        by: String,
        why: String,
    },
    /// A person cancelled it for good.
    Cancelled {
        issue: IssueKey,
    },
    /// Lines that announce something and were given no day.
    Unplaced {
        issue: IssueKey,
        count: usize,
    },
    Warnings {
        issue: IssueKey,
        count: usize,
    },
    Content {
        issue: IssueKey,
        events: Option<usize>,
        documents: usize,
    },
    /// What persons changed in the agenda.
    Corrected {
        issue: IssueKey,
        corrections: Corrections,
    },
    /// By whose exceptions it is as it is.
    Exceptions {
        issue: IssueKey,
        granted: Vec<Granted>,
    },
    /// Mail programs cut what is longer.
    TooLong {
        issue: IssueKey,
        bytes: u64,
    },
    Nobody {
        issue: IssueKey,
    },
    /// More than a tenth more or fewer recipients than the issue before.
    AudienceMoved {
        issue: IssueKey,
        now: u64,
        before: u64,
    },
    Audience {
        issue: IssueKey,
        now: u64,
    },
    /// The issue before is not finished, and this one waits for it (S9).
    WaitsFor {
        issue: IssueKey,
        before: IssueKey,
    },
}

impl Check {
    pub fn level(&self) -> Level {
        match self {
            Check::DaemonRuns
            | Check::RelayFine
            | Check::StaffTold { .. }
            | Check::LanesOpen
            | Check::UnderWay { .. }
            | Check::Approved { .. }
            | Check::Rehearsed { .. }
            | Check::Skipped { .. }
            | Check::Cancelled { .. }
            | Check::Content { .. }
            | Check::Corrected { .. }
            | Check::Exceptions { .. }
            | Check::Audience { .. } => Level::Good,
            Check::NoStaff
            | Check::CorrectionAsked { .. }
            | Check::Unplaced { .. }
            | Check::Warnings { .. }
            | Check::TooLong { .. }
            | Check::AudienceMoved { .. } => Level::Look,
            Check::NotComposed { .. } | Check::WaitsFor { .. } => Level::NotKnown,
            Check::NoRelay | Check::LedgerDoubtful | Check::Nobody { .. } => Level::WillNotGo,
        }
    }

    /// The issue it is about, if it is about one.
    pub fn issue(&self) -> Option<&IssueKey> {
        match self {
            Check::UnderWay { issue, .. }
            | Check::NotComposed { issue, .. }
            | Check::Approved { issue, .. }
            | Check::CorrectionAsked { issue, .. }
            | Check::Rehearsed { issue }
            | Check::Skipped { issue, .. }
            | Check::Cancelled { issue }
            | Check::Unplaced { issue, .. }
            | Check::Warnings { issue, .. }
            | Check::Content { issue, .. }
            | Check::Corrected { issue, .. }
            | Check::Exceptions { issue, .. }
            | Check::TooLong { issue, .. }
            | Check::Nobody { issue }
            | Check::AudienceMoved { issue, .. }
            | Check::Audience { issue, .. }
            | Check::WaitsFor { issue, .. } => Some(issue),
            _ => None,
        }
    }

    /// Only a person can end it, or should look at it before the issue leaves.
    pub fn waits_for_a_person(&self) -> bool {
        matches!(
            self,
            Check::NoRelay
                | Check::LedgerDoubtful
                | Check::CorrectionAsked { .. }
                | Check::Unplaced { .. }
                | Check::Nobody { .. }
                | Check::NoStaff
        )
    }
}

/// What leaves next, in numbers, for the sentence of the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    pub issue: IssueKey,
    /// The mailing's title.
    pub title: String,
    pub at: Timestamp,
    pub recipients: u64,
    pub events: Option<usize>,
    pub documents: usize,
    /// Within the time that the verdict is about.
    pub soon: bool,
}
