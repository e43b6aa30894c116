//! Daemons, upcoming runs, issues in flight, and actions required.

use super::{
    editions, instant,
    lanes::LaneView,
    readiness::{Facts, Finding, Severity},
};
use crate::app::Engine;
use crate::domain::{
    issue::{Counts, IssueKey, IssueState, IssueSummary},
    schedule::label,
};
use crate::store::{Daemon, Occurrence, OccurrenceState, StoreError};
use chrono_tz::Tz;
use serde::Serialize;

/// Of each mailing.
const LAST_OCCURRENCES: u32 = 5;

/// `status --json`.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub now: String,
    pub daemons: Vec<DaemonView>,
    pub next: Vec<NextView>,
    /// Unfinished issues: held, awaiting approval, approved, sending, paused, or with an unknown delivery.
    pub issues: Vec<OpenIssueView>,
    /// Lanes that are not open.
    pub lanes: Vec<LaneView>,
    /// Actions required, the most serious first.
    pub waiting: Vec<Waiting>,
    pub last: Vec<OccurrenceView>,
    /// Notices to staff that could not be sent yet.
    pub pending_notices: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct DaemonView {
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub alive: bool,
    pub started_at: String,
    pub seen_at: String,
    /// Set while the relay accepts no mail.
    pub relay: Option<RelayView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct RelayView {
    pub trouble: String,
    pub since: String,
    /// When it is asked again.
    pub left_alone_until: String,
}

/// The next occurrence of a mailing.
#[derive(Debug, Clone, Serialize)]
pub struct NextView {
    pub mailing: String,
    pub issue: String,
    pub at: String,
    pub deadline: String,
    /// `2026-07-04T08:00+02:00[Europe/Paris]`
    #[serde(skip)]
    pub local: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct OpenIssueView {
    pub key: IssueKey,
    pub state: IssueState,
    pub reason: Option<String>,
    pub expires_at: String,
    pub counts: Counts,
    pub recipients: u64,
    /// So many messages are sent first, and the rest waits for their answers.
    pub first: Option<u64>,
}

/// Something only a person can resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// An issue's key; empty for the daemon itself.
    pub issue: String,
    /// See [`Finding::KINDS`].
    pub kind: &'static str,
    pub severity: Severity,
    pub since: Option<String>,
    pub why: String,
    /// The suggested command.
    pub help: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct OccurrenceView {
    pub mailing: String,
    /// `2026-07-04T08:00+02:00[Europe/Paris]`
    pub scheduled_for: String,
    pub state: OccurrenceState,
    pub reason: Option<String>,
    pub issue: Option<IssueKey>,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn read(engine: &Engine) -> Result<Status, StoreError> {
    let (app, store, now) = (&engine.app, &engine.store, engine.app.clock.now());
    let next = app.mailings.iter().filter_map(|mailing| {
        let (at, zone) = (mailing.schedule.next_after(now)?, mailing.schedule.zone);
        Some(NextView {
            mailing: mailing.id.clone(),
            issue: mailing.issue_key(at).to_string(),
            at: instant(at, zone),
            deadline: instant(mailing.schedule.deadline_of(at), zone),
            local: label(at, zone),
        })
    });
    let mut next: Vec<_> = next.collect();
    for (mailing, key, at) in editions::announced(engine).await? {
        let (zone, deadline) = (mailing.schedule.zone, mailing.schedule.deadline_of(at));
        next.push(NextView {
            mailing: mailing.id.clone(),
            issue: key.to_string(),
            at: instant(at, zone),
            deadline: instant(deadline, zone),
            local: label(at, zone),
        });
    }
    let mut last = Vec::new();
    for mailing in &app.mailings {
        last.extend(store.occurrences(Some(&mailing.id), LAST_OCCURRENCES).await?);
    }
    let facts = Facts::read(&**store, &app.config, &app.mailings, now).await?;
    Ok(status(&facts, app.config.zone, next, &last))
}

fn status(facts: &Facts, zone: Tz, next: Vec<NextView>, last: &[Occurrence]) -> Status {
    let local = |at| instant(at, zone);
    let daemon = |it: &Daemon| DaemonView {
        host: it.host.clone(),
        pid: it.pid,
        version: it.version.clone(),
        alive: facts.is_alive(it),
        started_at: local(it.started_at),
        seen_at: local(it.seen_at),
        relay: it.relay.as_ref().map(|relay| RelayView {
            trouble: relay.trouble.clone(),
            since: local(relay.since),
            left_alone_until: local(relay.until),
        }),
    };
    let issue = |it: &IssueSummary| OpenIssueView {
        key: it.key.clone(),
        state: it.state(),
        reason: it.reason().map(str::to_owned),
        expires_at: local(it.expires_at),
        counts: it.counts,
        recipients: it.counts.total(),
        first: it.awaits_first(),
    };
    let last_of = |it: &Occurrence| OccurrenceView {
        mailing: it.mailing.clone(),
        scheduled_for: it.local.clone(),
        state: it.state,
        reason: it.reason.clone(),
        issue: it.issue.clone(),
    };
    let waiting = |finding: &Finding| Waiting {
        issue: finding.issue().map(ToString::to_string).unwrap_or_default(),
        kind: finding.kind(),
        severity: finding.severity(),
        since: finding.since().map(local),
        why: finding.in_english(zone),
        help: finding.help(zone),
    };
    Status {
        now: local(facts.now),
        daemons: facts.daemons.iter().map(daemon).collect(),
        next,
        issues: facts.issues.iter().map(issue).collect(),
        lanes: facts.lanes.iter().map(|lane| LaneView::new(lane, zone)).collect(),
        waiting: facts.readiness().waiting().map(waiting).collect(),
        last: last.iter().map(last_of).collect(),
        pending_notices: facts.pending_notices.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::readiness::fixtures::{daemon, facts, issue, sending};
    use super::*;

    #[test]
    fn the_json_has_instants_in_the_zone_of_the_office_and_sums() {
        let facts = Facts { issues: vec![issue(sending(), 1)], ..facts(vec![daemon("2026-07-04T06:04:30Z")]) };
        let json = serde_json::to_value(status(&facts, Tz::Europe__Paris, vec![], &[])).unwrap();
        assert_eq!(json["daemons"][0]["relay"]["left_alone_until"], "2026-07-04T08:10:00+02:00");
        assert_eq!((&json["issues"][0]["recipients"], &json["pending_notices"]), (&4.into(), &0.into()));
        let waiting = &json["waiting"];
        assert_eq!(waiting[0]["kind"], "relay", "the most serious first: {waiting}");
        assert_eq!(
            (&waiting[0]["severity"], &waiting[0]["since"]),
            (&"critical".into(), &"2026-07-04T07:55:00+02:00".into())
        );
        assert_eq!((&waiting[1]["kind"], &waiting[1]["issue"]), (&"unknown".into(), &"agenda/2026-W28".into()));
    }
}
