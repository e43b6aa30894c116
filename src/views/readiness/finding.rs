//! What is wrong, or soon will be.

use super::Disk;
use crate::domain::{Timestamp, issue::IssueKey};
use crate::store::webhooks::DisabledWhy;
use serde::Serialize;
use std::path::PathBuf;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information; no action required.
    Notice,
    /// Action required.
    Warning,
    /// Nothing can be sent, or soon nothing will be.
    Critical,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// A problem, or a decision that only a person can make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// No daemon wrote a heartbeat within [`super::ALIVE`].
    NoDaemon { last_seen: Option<Timestamp> },
    /// The relay has accepted no mail for longer than [`super::GRACE`].
    RelayTrouble { trouble: String, since: Timestamp },
    /// Mails to staff that could not be sent within [`super::GRACE`].
    NoticesPending { count: usize, since: Timestamp },
    /// The mail of the evening before, which says what leaves, is not with the relay although it was due then.
    Silence { issue: IssueKey, due: Timestamp, leaves_at: Timestamp },
    /// Less than `alert.disk_free_percent` is free where the ledger is.
    DiskNearlyFull { place: PathBuf, disk: Disk },
    /// The last backup is older than `alert.backup_max_age`.
    BackupOld { last: Timestamp },
    /// A gate held the issue; it is retried until `until`.
    Held { issue: IssueKey, reason: String, until: Timestamp },
    /// It is sent only if somebody approves it. `soon`: its hour is less than three hours away, or has passed.
    AwaitingApproval { issue: IssueKey, until: Timestamp, soon: bool },
    /// Sending was stopped, by a rule or a person.
    Paused { issue: IssueKey, reason: String },
    /// Deliveries whose outcome is unknown.
    Unknown { issue: IssueKey, count: u64 },
    /// A lane is paused until somebody reopens it. `issue` caused it; `only_issue`: it is paused for that issue alone.
    LanePaused { lane: String, issue: IssueKey, only_issue: bool, why: String },
    /// A webhook is switched off: its receiver accepted no event for days, or is gone.
    WebhookOff { id: String, host: String, since: Timestamp, why: DisabledWhy },
    /// Servers have returned deliveries because they refuse the sender, whoever the recipient is. `said`: what the latest one replied.
    RefusedUs { count: u64, since: Timestamp, said: String },
    /// Messages of an issue came back alike for so many recipients that the relay, or the provider of a family, is at fault: they
    /// suppress nobody.
    MassBounced { issue: IssueKey, family: Option<String>, count: u64, since: Timestamp, said: String },
    /// The mailbox in which bounces arrive has not been read for longer than [`super::UNREAD`], or refuses the login.
    MailboxUnread { since: Timestamp, trouble: String },
    /// An occurrence was not sent and will not be.
    Missed { mailing: String, occurrence: String, reason: String },
}

impl Finding {
    /// The kind, for labels of metrics and for JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Finding::NoDaemon { .. } => "no_daemon",
            Finding::RelayTrouble { .. } => "relay",
            Finding::NoticesPending { .. } => "notices_pending",
            Finding::Silence { .. } => "silence",
            Finding::DiskNearlyFull { .. } => "disk_nearly_full",
            Finding::BackupOld { .. } => "backup_old",
            Finding::Held { .. } => "held",
            Finding::AwaitingApproval { .. } => "awaiting_approval",
            Finding::Paused { .. } => "paused",
            Finding::Unknown { .. } => "unknown",
            Finding::LanePaused { .. } => "lane_paused",
            Finding::WebhookOff { .. } => "webhook_off",
            Finding::RefusedUs { .. } => "refused_us",
            Finding::MassBounced { .. } => "mass_bounced",
            Finding::MailboxUnread { .. } => "mailbox_unread",
            Finding::Missed { .. } => "missed",
        }
    }

    /// All values of [`Finding::kind`].
    pub const KINDS: [&str; 16] = [
        "no_daemon",
        "relay",
        "notices_pending",
        "silence",
        "disk_nearly_full",
        "backup_old",
        "held",
        "awaiting_approval",
        "paused",
        "unknown",
        "lane_paused",
        "webhook_off",
        "refused_us",
        "mass_bounced",
        "mailbox_unread",
        "missed",
    ];

    /// Identifies a finding for as long as it lasts.
    pub fn key(&self) -> String {
        let kind = self.kind();
        match self {
            Finding::LanePaused { lane, issue, only_issue: true, .. } => format!("{kind}:{lane}:{issue}"),
            Finding::LanePaused { lane, .. } => format!("{kind}:{lane}"),
            Finding::WebhookOff { id, .. } => format!("{kind}:{id}"),
            Finding::MassBounced { issue, family: Some(family), .. } => format!("{kind}:{issue}:{family}"),
            Finding::Missed { mailing, occurrence, .. } => format!("{kind}:{mailing}:{occurrence}"),
            other => other.issue().map_or_else(|| kind.to_owned(), |issue| format!("{kind}:{issue}")),
        }
    }

    pub fn severity(&self) -> Severity {
        match self {
            Finding::NoDaemon { .. } | Finding::RelayTrouble { .. } | Finding::Silence { .. } => Severity::Critical,
            Finding::AwaitingApproval { soon: true, .. } | Finding::DiskNearlyFull { .. } => Severity::Critical,
            Finding::Missed { .. } => Severity::Notice,
            _ => Severity::Warning,
        }
    }

    /// The issue concerned, if any.
    pub fn issue(&self) -> Option<&IssueKey> {
        match self {
            Finding::Held { issue, .. }
            | Finding::AwaitingApproval { issue, .. }
            | Finding::Paused { issue, .. }
            | Finding::Unknown { issue, .. }
            | Finding::Silence { issue, .. }
            | Finding::MassBounced { issue, .. }
            | Finding::LanePaused { issue, .. } => Some(issue),
            _ => None,
        }
    }

    /// Since when, if known.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Finding::NoDaemon { last_seen } => *last_seen,
            Finding::RelayTrouble { since, .. } | Finding::NoticesPending { since, .. } => Some(*since),
            Finding::Silence { due, .. } => Some(*due),
            Finding::BackupOld { last } => Some(*last),
            Finding::WebhookOff { since, .. }
            | Finding::RefusedUs { since, .. }
            | Finding::MassBounced { since, .. }
            | Finding::MailboxUnread { since, .. } => Some(*since),
            _ => None,
        }
    }

    /// Whether it is sent as an alert. An issue that can still be approved for days is not.
    pub fn alerts(&self) -> bool {
        !matches!(self, Finding::AwaitingApproval { soon: false, .. })
    }

    /// Whether the daemon cannot work meanwhile, so that `/readyz` answers 503.
    pub fn blocks(&self) -> bool {
        matches!(self, Finding::RelayTrouble { .. })
    }
}
