//! Whether the service works and what requires action: one verdict for `status`, `/readyz`, alerts and metrics.
//!
//! [`Facts::read`] reads the ledger and the machine, [`Facts::readiness`] derives the findings from that without I/O. A finding is
//! data with wording in English for operators and in French for the office. None contains an address of a recipient.

mod disk;
mod finding;
mod wording;

pub use self::{
    disk::Disk,
    finding::{Finding, Severity},
};
use crate::config::Config;
use crate::domain::{
    Timestamp,
    issue::{IssueKey, IssueState, IssueSummary},
    lane::{LaneTrouble, Pace},
    mass_bounce::MassBounce,
    notice::Notice,
};
use crate::inbound::imap;
use crate::jobs::Mailing;
use crate::store::{
    Daemon, MailboxState, NoticeTimes, Occurrence, OccurrenceState, PendingNotice, RefusedUs, Store, StoreError,
    webhooks::Endpoint,
};
use chrono::{DateTime, TimeDelta};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Daemons write a heartbeat every minute; one that has been silent for longer is not counted as alive.
pub const ALIVE: TimeDelta = TimeDelta::minutes(3);
/// Grace period for a relay that accepts no mail and for pending notices: shorter outages resolve themselves.
pub const GRACE: TimeDelta = TimeDelta::minutes(5);
/// An issue without approval becomes urgent this long before its hour.
const SOON: TimeDelta = TimeDelta::hours(3);
/// A mailbox of bounces that cannot be read for longer is reported.
const UNREAD: TimeDelta = TimeDelta::days(1);
/// How long a missed occurrence, and a bounce about us, is reported.
const NEWS: TimeDelta = TimeDelta::days(3);
/// The latest occurrences, among which missed ones are looked for.
const OCCURRENCES: u32 = 50;
/// File in [`Config::state_directory`] with the instant of the last backup, RFC 3339.
pub const BACKUP_RECORD: &str = "backup.last";

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    pub at: Timestamp,
    /// The most serious first.
    pub findings: Vec<Finding>,
}

impl Readiness {
    /// Actions required, without what is only for information.
    pub fn waiting(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity() > Severity::Notice)
    }

    /// The kinds of findings that keep the daemon from working.
    pub fn blockers(&self) -> Vec<&'static str> {
        self.findings.iter().filter(|finding| finding.blocks()).map(Finding::kind).collect()
    }
}

/// Reads the facts and gives the verdict.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn readiness(
    store: &dyn Store,
    config: &Config,
    mailings: &[Mailing],
    now: Timestamp,
) -> Result<Readiness, StoreError> {
    Ok(Facts::read(store, config, mailings, now).await?.readiness())
}

/// A mail of the evening before that should be with the relay by now, and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    pub issue: IssueKey,
    pub due: Timestamp,
    pub leaves_at: Timestamp,
    /// Since when it is pending; `None`: it was never queued, although a daemon should have done so.
    pub pending_since: Option<Timestamp>,
}

/// Those that are read now; what was once one cannot be in trouble.
async fn mailboxes(store: &dyn Store, config: &Config) -> Result<Vec<MailboxState>, StoreError> {
    let names = config.inbound.names();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store.mailboxes().await?.into_iter().filter(|it| names.contains(&it.name.as_str())).collect())
}

/// Looked up by the schedule, not by what is pending: a daemon that does not get as far as queueing it is silent, too.
async fn silent(
    store: &dyn Store,
    config: &Config,
    mailings: &[Mailing],
    now: Timestamp,
) -> Result<Vec<Silent>, StoreError> {
    let mut found = Vec::new();
    for mailing in mailings.iter().filter(|_| !config.staff.is_empty()) {
        let Some(leaves_at) = mailing.schedule.next_after(now) else { continue };
        let Some(eve) = mailing.eve_of(leaves_at).filter(|eve| eve.silence <= now) else { continue };
        let issue = mailing.issue_key(leaves_at);
        let pending_since = match store.notice_of(&issue, Notice::Eve.name()).await? {
            Some(NoticeTimes { sent_at: Some(_), .. }) => continue,
            Some(times) => Some(times.created_at),
            // It left, or was given up, before anybody had to be notified.
            None if store.issue(&issue).await?.is_some_and(|it| it.is_over()) => continue,
            None => None,
        };
        found.push(Silent { issue, due: eve.due, leaves_at, pending_since });
    }
    Ok(found)
}

/// Without configured staff none is sent; and some are collected for a while.
fn overdue(config: &Config, pending: Vec<PendingNotice>, now: Timestamp) -> Vec<PendingNotice> {
    let is_overdue = |it: &PendingNotice| !config.staff.is_empty() && now - it.created_at >= it.notice.may_wait();
    pending.into_iter().filter(is_overdue).collect()
}

/// The data a verdict is derived from.
#[derive(Debug, Clone)]
pub struct Facts {
    pub now: Timestamp,
    pub daemons: Vec<Daemon>,
    /// Unfinished issues.
    pub issues: Vec<IssueSummary>,
    /// Lanes that are not open.
    pub lanes: Vec<LaneTrouble>,
    /// The latest of all mailings.
    pub occurrences: Vec<Occurrence>,
    /// Mails to staff that should have left.
    pub pending_notices: Vec<PendingNotice>,
    /// Mails of the evening before that are missing.
    pub silent: Vec<Silent>,
    /// Receivers of events that were disabled because they do not answer.
    pub webhooks: Vec<Endpoint>,
    /// Bounces of the last days that are about us.
    pub refused_us: Option<RefusedUs>,
    /// Bounces of the last days that came back alike for very many.
    pub mass_bounces: Vec<MassBounce>,
    /// The mailboxes of bounces that are configured.
    pub mailboxes: Vec<MailboxState>,
    /// The directory of the ledger, with the space of its file system.
    pub disk: Option<(PathBuf, Disk)>,
    pub last_backup: Option<Timestamp>,
    /// `alert.disk_free_percent`
    pub disk_free_percent: u8,
    /// `alert.backup_max_age`
    pub backup_max_age: TimeDelta,
}

impl Facts {
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn read(
        store: &dyn Store,
        config: &Config,
        mailings: &[Mailing],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let place = config.state_directory();
        Ok(Self {
            now,
            daemons: store.daemons().await?,
            issues: store.open_issues().await?,
            lanes: store.lanes().await?.into_iter().filter(|lane| lane.holds(now)).collect(),
            occurrences: store.occurrences(None, OCCURRENCES).await?,
            pending_notices: overdue(config, store.pending_notices().await?, now),
            silent: silent(store, config, mailings, now).await?,
            webhooks: store.endpoints().await?.into_iter().filter(Endpoint::is_given_up).collect(),
            refused_us: store.refused_us(now - NEWS).await?,
            mass_bounces: store.mass_bounces(now - NEWS).await?,
            mailboxes: mailboxes(store, config).await?,
            last_backup: place.as_deref().and_then(last_backup),
            disk: place.and_then(|place| Disk::of(&place).map(|disk| (place, disk))),
            disk_free_percent: config.alert.disk_free_percent,
            backup_max_age: config.alert.backup_max_age,
        })
    }

    pub fn readiness(&self) -> Readiness {
        let mut findings = self.findings();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        Readiness { at: self.now, findings }
    }

    pub fn is_alive(&self, daemon: &Daemon) -> bool {
        self.now - daemon.seen_at <= ALIVE
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = self.of_the_service();
        self.issues.iter().for_each(|issue| findings.extend(self.of_issue(issue)));
        let paused = self.lanes.iter().filter(|lane| lane.pace == Pace::Paused);
        findings.extend(paused.map(|lane| Finding::LanePaused {
            lane: lane.lane.clone(),
            issue: lane.issue.clone(),
            only_issue: lane.only_issue,
            why: lane.why.clone(),
        }));
        let missed = |it: &&Occurrence| it.state == OccurrenceState::Missed && self.now - it.scheduled_for <= NEWS;
        findings.extend(self.occurrences.iter().filter(missed).map(|it| Finding::Missed {
            mailing: it.mailing.clone(),
            occurrence: it.local.clone(),
            reason: it.reason.clone().unwrap_or_default(),
        }));
        findings
    }

    fn of_the_service(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let alive: Vec<_> = self.daemons.iter().filter(|daemon| self.is_alive(daemon)).collect();
        if alive.is_empty() {
            findings.push(Finding::NoDaemon { last_seen: self.daemons.iter().map(|it| it.seen_at).max() });
        }
        // One daemon that reaches the relay is enough: they share the queue.
        let troubles: Vec<_> = alive.iter().filter_map(|daemon| daemon.relay.as_ref()).collect();
        if let Some(relay) = troubles.iter().min_by_key(|relay| relay.since)
            && troubles.len() == alive.len()
            && self.now - relay.since >= GRACE
        {
            findings.push(Finding::RelayTrouble { trouble: relay.trouble.clone(), since: relay.since });
        }
        // Of the mail of the evening before there is a finding of its own.
        let is_late =
            |it: &&PendingNotice| it.notice != Notice::Eve && self.now - it.created_at >= it.notice.may_wait() + GRACE;
        let late: Vec<_> = self.pending_notices.iter().filter(is_late).collect();
        if let Some(since) = late.iter().map(|it| it.created_at).min() {
            findings.push(Finding::NoticesPending { count: late.len(), since });
        }
        // A daemon that has just started queues it within a minute, and sends it.
        let has_run = || alive.iter().any(|daemon| self.now - daemon.started_at >= GRACE);
        let silent = self.silent.iter().filter(|it| match it.pending_since {
            Some(since) => self.now - since >= GRACE,
            None => has_run(),
        });
        findings.extend(silent.map(|it| Finding::Silence {
            issue: it.issue.clone(),
            due: it.due,
            leaves_at: it.leaves_at,
        }));
        if let Some((place, disk)) = &self.disk
            && disk.free_percent() < u64::from(self.disk_free_percent)
        {
            findings.push(Finding::DiskNearlyFull { place: place.clone(), disk: *disk });
        }
        if let Some(last) = self.last_backup.filter(|last| self.now - *last > self.backup_max_age) {
            findings.push(Finding::BackupOld { last });
        }
        findings.extend(self.webhooks.iter().filter_map(|it| {
            let (since, why) = it.disabled?;
            Some(Finding::WebhookOff { id: it.id.clone(), host: it.host(), since, why })
        }));
        if let Some(RefusedUs { count, since, said }) = &self.refused_us {
            findings.push(Finding::RefusedUs { count: *count, since: *since, said: said.clone() });
        }
        let mut told = HashSet::new();
        let each = self.mass_bounces.iter().filter(|it| told.insert((&it.issue, &it.family)));
        findings.extend(each.map(|it| Finding::MassBounced {
            issue: it.issue.clone(),
            family: it.family.clone(),
            count: it.recipients,
            since: it.found_at,
            said: it.said.clone(),
        }));
        let unread = self.mailboxes.iter().filter_map(|it| it.failing.as_ref());
        // A refused login does not end by itself.
        let unread = unread.filter(|(since, trouble)| self.now - *since >= UNREAD || imap::is_login_refused(trouble));
        findings
            .extend(unread.map(|(since, trouble)| Finding::MailboxUnread { since: *since, trouble: trouble.clone() }));
        findings
    }

    fn of_issue(&self, it: &IssueSummary) -> Vec<Finding> {
        let (issue, reason) = (it.key.clone(), it.reason().unwrap_or_default().to_owned());
        let mut findings = Vec::new();
        match it.state() {
            _ if it.needs_approval() => findings.push(Finding::AwaitingApproval {
                issue,
                until: it.expires_at,
                soon: it.scheduled_for - self.now <= SOON,
            }),
            IssueState::Held => findings.push(Finding::Held { issue, reason, until: it.expires_at }),
            IssueState::Paused => findings.push(Finding::Paused { issue, reason }),
            _ => {}
        }
        if it.counts.unknown > 0 {
            findings.push(Finding::Unknown { issue: it.key.clone(), count: it.counts.unknown });
        }
        findings
    }
}

/// `None` if there was no backup, or the record cannot be read.
fn last_backup(place: &Path) -> Option<Timestamp> {
    let text = std::fs::read_to_string(place.join(BACKUP_RECORD)).ok()?;
    DateTime::parse_from_rfc3339(text.lines().next()?.trim()).ok().map(|at| at.to_utc())
}

#[cfg(test)]
#[path = "tests.rs"]
pub(in crate::views) mod fixtures;
