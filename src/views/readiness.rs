//! Whether the service works and what requires action: one verdict for `status`, `/readyz`, alerts and metrics.
//!
//! [`Facts::read`] reads the ledger and the machine, [`Facts::readiness`] derives the findings from that without I/O. A finding is
//! data with wording in English for operators and in French for the office. None contains an address of a recipient.

use crate::config::Config;
use crate::domain::{
    Timestamp,
    french::{NBSP, date_and_hour},
    issue::{IssueKey, IssueState, IssueSummary},
    issue_name::IssueName,
    lane::{LaneTrouble, Pace},
    mass_bounce::MassBounce,
    notice::Notice,
};
use crate::inbound::imap;
use crate::jobs::Mailing;
use crate::notices::wording::mass_bounced;
use crate::store::{
    Daemon, MailboxState, NoticeTimes, Occurrence, OccurrenceState, PendingNotice, RefusedUs, Store, StoreError,
    webhooks::{DisabledWhy, Endpoint},
};
use crate::views::instant;
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde::Serialize;
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
    /// No daemon wrote a heartbeat within [`ALIVE`].
    NoDaemon { last_seen: Option<Timestamp> },
    /// The relay has accepted no mail for longer than [`GRACE`].
    RelayTrouble { trouble: String, since: Timestamp },
    /// Mails to staff that could not be sent within [`GRACE`].
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
    /// A receiver of events took none for days, or is gone: it is told nothing more.
    WebhookOff { id: String, host: String, since: Timestamp, why: DisabledWhy },
    /// Servers returned so many deliveries since then because they refuse us, whoever the recipient. `said`: the latest words.
    RefusedUs { count: u64, since: Timestamp, said: String },
    /// Messages of an issue came back alike for so many recipients that the relay, or the provider of a family, is at fault: they
    /// suppress nobody.
    MassBounced { issue: IssueKey, family: Option<String>, count: u64, since: Timestamp, said: String },
    /// The mailbox in which bounces arrive has not been read for longer than [`UNREAD`], or refuses the login.
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

    /// A clause for operators.
    pub fn in_english(&self, zone: Tz) -> String {
        let at = |it: &Timestamp| instant(*it, zone);
        match self {
            Finding::NoDaemon { .. } => "no daemon is running: nothing is sent".to_owned(),
            Finding::RelayTrouble { trouble, since } => {
                format!("the relay has accepted no mail since {}: {trouble}", at(since))
            }
            Finding::NoticesPending { count, since } => {
                format!("{count} notices to staff could not be sent, the oldest is of {}", at(since))
            }
            Finding::Silence { issue, due, leaves_at } => format!(
                "the mail to staff about {issue}, which leaves at {}, was due at {} and could not be sent",
                at(leaves_at),
                at(due)
            ),
            Finding::DiskNearlyFull { place, disk } => {
                format!("{} is nearly full: {} left ({} %)", place.display(), disk.free_in_words(), disk.free_percent())
            }
            Finding::BackupOld { last } => format!("the last backup is of {}", at(last)),
            Finding::Held { reason, .. } => format!("held: {reason}"),
            Finding::AwaitingApproval { until, .. } => format!("awaits approval until {}", at(until)),
            Finding::Paused { reason, .. } => format!("paused: {reason}"),
            Finding::Unknown { count, .. } => format!("{count} unknown: the relay may or may not have them"),
            Finding::LanePaused { lane, only_issue: true, why, .. } => {
                format!("this issue is stopped in lane {lane}: {why}")
            }
            Finding::LanePaused { lane, why, .. } => format!("lane {lane} is paused: {why}"),
            Finding::WebhookOff { host, since, why: DisabledWhy::Gone, .. } => {
                format!("the webhook at {host} said that it is gone (410); it has been disabled since {}", at(since))
            }
            Finding::WebhookOff { host, since, .. } => {
                format!("the webhook at {host} takes no events; it has been disabled since {}", at(since))
            }
            Finding::RefusedUs { count, since, said } => {
                format!("{count} bounces since {} say that we are refused, not the recipients: {said}", at(since))
            }
            Finding::MassBounced { family, count, said, .. } => {
                let whose =
                    family.as_ref().map_or_else(|| "the relay".to_owned(), |family| format!("the servers of {family}"));
                format!(
                    "{count} messages came back in the same words: {whose} or we are at fault, and no address is suppressed: {said}"
                )
            }
            Finding::MailboxUnread { since, trouble } => {
                format!("the mailbox of bounces has not been read since {}: {trouble}", at(since))
            }
            Finding::Missed { mailing, occurrence, reason } => {
                format!("{mailing} of {occurrence} was not sent: {reason}")
            }
        }
    }

    /// A sentence for the office.
    pub fn in_french(&self, zone: Tz) -> String {
        let at = |it: &Timestamp| date_and_hour(*it, zone);
        let named = IssueName::new;
        match self {
            Finding::NoDaemon { .. } => format!("Le programme ne tourne pas{NBSP}: rien ne part tout seul."),
            Finding::RelayTrouble { trouble, since } => {
                format!("Le serveur d’envoi n’accepte aucun message depuis le {}{NBSP}: {trouble}.", at(since))
            }
            Finding::NoticesPending { count: 1, since } => {
                format!("Un message à l’équipe n’a pas pu être envoyé depuis le {}.", at(since))
            }
            Finding::NoticesPending { count, since } => {
                format!("{count} messages à l’équipe n’ont pas pu être envoyés, le premier depuis le {}.", at(since))
            }
            Finding::Silence { issue, due, leaves_at } => format!(
                "Le message de la veille sur {}, prévu le {}, n’a pas pu être envoyé à l’équipe{NBSP}: rien ne dit que \
                 le numéro partira le {}.",
                named(issue),
                at(due),
                at(leaves_at)
            ),
            Finding::DiskNearlyFull { disk, .. } => {
                format!("Le disque du serveur est presque plein{NBSP}: il reste {}{NBSP}%.", disk.free_percent())
            }
            Finding::BackupOld { last } => format!("La dernière sauvegarde date du {}.", at(last)),
            Finding::Held { issue, reason, until } => {
                let name = named(issue);
                format!("{} est {} jusqu’au {}{NBSP}: {reason}.", name.first(), name.agreed("retenu"), at(until))
            }
            Finding::AwaitingApproval { issue, until, .. } => {
                format!("{} attend votre accord, possible jusqu’au {}.", named(issue).first(), at(until))
            }
            Finding::Paused { issue, reason } if reason.is_empty() => {
                format!("L’envoi {} est en pause.", named(issue).of())
            }
            Finding::Paused { issue, reason } => {
                format!("L’envoi {} est en pause{NBSP}: {reason}.", named(issue).of())
            }
            Finding::Unknown { issue, count: 1 } => {
                let name = named(issue);
                format!("Pour {name}, on ignore si un message est arrivé{NBSP}: une personne doit trancher.")
            }
            Finding::Unknown { issue, count } => {
                let name = named(issue);
                format!("Pour {name}, on ignore si {count} messages sont arrivés{NBSP}: une personne doit trancher.")
            }
            Finding::LanePaused { lane, why, .. } => format!("L’envoi vers {lane} est arrêté{NBSP}: {why}."),
            Finding::WebhookOff { host, since, why: DisabledWhy::Gone, .. } => format!(
                "Le webhook de {host} a répondu qu’il n’existe plus (410){NBSP}: il est désactivé depuis le {} et ne reçoit \
                 plus rien.",
                at(since)
            ),
            Finding::WebhookOff { host, since, .. } => format!(
                "Le webhook de {host} ne répond plus{NBSP}: il est désactivé depuis le {} et ne reçoit plus rien.",
                at(since)
            ),
            Finding::RefusedUs { count: 1, since, said } => format!(
                "Un retour reçu le {} dit que nos messages sont refusés, quel que soit le destinataire{NBSP}: «{NBSP}{said}{NBSP}».",
                at(since)
            ),
            Finding::RefusedUs { count, since, said } => format!(
                "{count} retours depuis le {} disent que nos messages sont refusés, quels que soient les destinataires{NBSP}: \
                 «{NBSP}{said}{NBSP}».",
                at(since)
            ),
            Finding::MassBounced { issue, family, count, said, .. } => {
                format!("{}{NBSP}: {}.", named(issue).first(), mass_bounced(*count, said, family.as_deref()))
            }
            Finding::MailboxUnread { since, trouble } if imap::is_login_refused(trouble) => format!(
                "La boîte des retours refuse le mot de passe depuis le {}{NBSP}: les adresses mortes et les plaintes ne sont plus vues.",
                at(since)
            ),
            Finding::MailboxUnread { since, .. } => format!(
                "La boîte des retours n’a pas pu être lue depuis le {}{NBSP}: les adresses mortes et les plaintes ne sont plus vues.",
                at(since)
            ),
            Finding::Missed { mailing, occurrence, reason } => {
                format!("L’envoi {mailing} du {occurrence} n’est pas parti{NBSP}: {reason}.")
            }
        }
    }

    /// The suggested command, or what else to do.
    pub fn help(&self, zone: Tz) -> String {
        match self {
            Finding::NoDaemon { .. } => "semainier serve".to_owned(),
            Finding::RelayTrouble { .. } => {
                "semainier check; then relay, relay_password_file in semainier.toml, or the relay itself".to_owned()
            }
            Finding::NoticesPending { .. } | Finding::Silence { .. } => {
                "semainier check; then relay and staff in semainier.toml".to_owned()
            }
            Finding::DiskNearlyFull { place, .. } => format!("free space under {}", place.display()),
            Finding::BackupOld { .. } => "semainier backup DIR".to_owned(),
            Finding::Held { until, .. } => format!("correct the article before {}", instant(*until, zone)),
            Finding::AwaitingApproval { issue, .. } => {
                format!("semainier issues show {issue}, then semainier issues approve {issue} --by NAME")
            }
            Finding::Paused { issue, .. } => format!("semainier issues resume {issue}"),
            Finding::Unknown { issue, .. } => format!("semainier log --issue {issue} --state unknown"),
            Finding::LanePaused { lane, .. } => format!("semainier lanes resume {lane}"),
            Finding::WebhookOff { id, why: DisabledWhy::Gone, .. } => {
                format!("semainier webhooks remove {id}, or enable it if the receiver is back")
            }
            Finding::WebhookOff { id, .. } => {
                format!("semainier webhooks test {id}, then semainier webhooks enable {id}")
            }
            Finding::RefusedUs { .. } => {
                "semainier log --csv shows their words; then SPF, DKIM and DMARC of the sender's domain, with the provider".to_owned()
            }
            Finding::MassBounced { issue, .. } => format!(
                "semainier log --issue {issue} shows their words; ask the relay, or the provider, why it returns them before \
                 the next issue leaves"
            ),
            Finding::MailboxUnread { trouble, .. } if imap::is_login_refused(trouble) => {
                "write the right password into inbound.imap.password_file; it is tried at once".to_owned()
            }
            Finding::MailboxUnread { .. } => "semainier inbound drain; then [inbound] in semainier.toml".to_owned(),
            Finding::Missed { mailing, .. } => format!("semainier run {mailing}, if it is still useful"),
        }
    }
}

/// The space of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Bytes available to us.
    pub free: u64,
    pub size: u64,
}

impl Disk {
    /// The file system that contains `place`; `None` if it cannot be determined.
    pub fn of(place: &Path) -> Option<Self> {
        let it = rustix::fs::statvfs(place).ok()?;
        Some(Self { free: it.f_bavail.saturating_mul(it.f_frsize), size: it.f_blocks.saturating_mul(it.f_frsize) })
    }

    /// Rounded down; 100 if the file system reports no size.
    pub fn free_percent(&self) -> u64 {
        match self.size {
            0 => 100,
            size => u64::try_from(u128::from(self.free) * 100 / u128::from(size)).unwrap_or(100),
        }
    }

    fn free_in_words(&self) -> String {
        match self.free / 1_000_000 {
            0..1000 => format!("{} MB", self.free / 1_000_000),
            _ => format!("{} GB", self.free / 1_000_000_000),
        }
    }
}

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
#[path = "readiness_tests.rs"]
pub(in crate::views) mod fixtures;
