//! Daemons, upcoming runs, issues in flight, and what needs a person.

use super::{editions, instant, lanes::LaneView};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    issue::{Counts, IssueKey, IssueState, IssueSummary},
    lane::{LaneTrouble, Pace},
    schedule::label,
};
use crate::store::{Daemon, Occurrence, OccurrenceState, StoreError};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde::Serialize;

/// Daemons write a heartbeat every minute; one that has been silent for longer is not counted as alive.
const ALIVE: TimeDelta = TimeDelta::minutes(3);
/// Of each mailing.
const LAST_OCCURRENCES: u32 = 5;

/// `status --json`.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub now: String,
    pub daemons: Vec<DaemonView>,
    pub next: Vec<NextView>,
    /// Those not over: held, awaiting approval, approved, sending, paused, or with an unknown delivery.
    pub issues: Vec<OpenIssueView>,
    /// Those that are not open.
    pub lanes: Vec<LaneView>,
    /// What needs a person, the most serious first.
    pub waiting: Vec<Waiting>,
    pub last: Vec<OccurrenceView>,
    /// Notices to staff that could not be sent yet.
    pub owed_notices: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct DaemonView {
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub alive: bool,
    pub started_at: String,
    pub seen_at: String,
    /// Set while it leaves the relay alone.
    pub relay: Option<RelayView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct RelayView {
    pub trouble: String,
    pub left_alone_until: String,
}

/// When a mailing leaves next.
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
}

/// Something only a person can resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// An issue's key; empty for the daemon itself.
    pub issue: String,
    pub why: String,
    /// The command that helps.
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
    let ledger = Ledger {
        now,
        zone: app.config.zone,
        daemons: store.daemons().await?,
        issues: store.open_issues().await?,
        lanes: store.lanes().await?.into_iter().filter(|lane| lane.holds(now)).collect(),
        last,
        owed_notices: store.owed_notices().await?.len(),
    };
    Ok(ledger.status(next))
}

/// What is read of the ledger.
struct Ledger {
    now: Timestamp,
    zone: Tz,
    daemons: Vec<Daemon>,
    issues: Vec<IssueSummary>,
    lanes: Vec<LaneTrouble>,
    last: Vec<Occurrence>,
    owed_notices: usize,
}

impl Ledger {
    fn status(self, next: Vec<NextView>) -> Status {
        let daemon = |it: &Daemon| DaemonView {
            host: it.host.clone(),
            pid: it.pid,
            version: it.version.clone(),
            alive: self.is_alive(it),
            started_at: self.local(it.started_at),
            seen_at: self.local(it.seen_at),
            relay: it
                .relay
                .as_ref()
                .map(|relay| RelayView { trouble: relay.trouble.clone(), left_alone_until: self.local(relay.until) }),
        };
        let issue = |it: &IssueSummary| OpenIssueView {
            key: it.key.clone(),
            state: it.state(),
            reason: it.reason().map(str::to_owned),
            expires_at: self.local(it.expires_at),
            counts: it.counts,
            recipients: it.counts.total(),
        };
        let last = |it: &Occurrence| OccurrenceView {
            mailing: it.mailing.clone(),
            scheduled_for: it.local.clone(),
            state: it.state,
            reason: it.reason.clone(),
            issue: it.issue.clone(),
        };
        Status {
            now: self.local(self.now),
            daemons: self.daemons.iter().map(daemon).collect(),
            next,
            issues: self.issues.iter().map(issue).collect(),
            lanes: self.lanes.iter().map(|lane| LaneView::new(lane, self.zone)).collect(),
            waiting: self.waiting(),
            last: self.last.iter().map(last).collect(),
            owed_notices: self.owed_notices,
        }
    }

    fn is_alive(&self, daemon: &Daemon) -> bool {
        self.now - daemon.seen_at <= ALIVE
    }

    /// Empty: everything goes by itself.
    fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        if !self.daemons.iter().any(|daemon| self.is_alive(daemon)) {
            waiting.push(Waiting {
                issue: String::new(),
                why: "no daemon is running: nothing leaves by itself".to_owned(),
                help: "semainier serve".to_owned(),
            });
        }
        for issue in &self.issues {
            let (key, reason) = (issue.key.to_string(), issue.reason().unwrap_or_default());
            let mut wait = |why, help| waiting.push(Waiting { issue: key.clone(), why, help });
            match issue.state() {
                _ if issue.needs_approval() => wait(
                    format!("awaits approval until {}", self.local(issue.expires_at)),
                    format!("semainier issues show {key}, then semainier issues approve {key} --by NAME"),
                ),
                IssueState::Held => {
                    wait(format!("held: {reason}"), format!("mend the article; until {}", self.local(issue.expires_at)))
                }
                IssueState::Paused => wait(format!("paused: {reason}"), format!("semainier issues resume {key}")),
                _ => {}
            }
            if issue.counts.unknown > 0 {
                let why = format!("{} unknown: the relay may or may not have them", issue.counts.unknown);
                wait(why, format!("semainier log --issue {key} --state unknown"));
            }
        }
        waiting.extend(self.paused_lanes());
        waiting
    }

    fn paused_lanes(&self) -> impl Iterator<Item = Waiting> {
        self.lanes.iter().filter(|lane| lane.pace == Pace::Paused).map(|lane| Waiting {
            issue: lane.issue.to_string(),
            why: match lane.only_issue {
                true => format!("this issue is stopped in lane {}: {}", lane.lane, lane.why),
                false => format!("lane {} is paused: {}", lane.lane, lane.why),
            },
            help: format!("semainier lanes resume {}", lane.lane),
        })
    }

    fn local(&self, at: Timestamp) -> String {
        instant(at, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issue::{Frozen, Stage};
    use crate::store::RelayLeftAlone;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daemon(seen_at: &str) -> Daemon {
        Daemon {
            owner: "a".to_owned(),
            host: "bureau".to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            started_at: at("2026-07-03T10:00:00Z"),
            seen_at: at(seen_at),
            relay: Some(RelayLeftAlone { trouble: "auth: 535 no".to_owned(), until: at("2026-07-04T06:10:00Z") }),
        }
    }

    fn issue(stage: Stage, unknown: u64) -> IssueSummary {
        IssueSummary {
            key: IssueKey::new("agenda", "2026-W28"),
            mailing: "agenda".to_owned(),
            stage,
            scheduled_for: at("2026-07-04T06:00:00Z"),
            expires_at: at("2026-07-04T18:00:00Z"),
            subject: None,
            counts: Counts { unknown, sent: 3, ..Counts::default() },
        }
    }

    fn frozen() -> Frozen {
        Frozen { at: at("2026-07-04T06:00:00Z"), content_hash: None, approved_by: None }
    }

    fn held(content_hash: Option<String>) -> Stage {
        Stage::Held { reason: "aucun article".to_owned(), content_hash }
    }

    fn ledger(daemons: Vec<Daemon>, issues: Vec<IssueSummary>) -> Ledger {
        let (now, zone) = (at("2026-07-04T06:05:00Z"), Tz::Europe__Paris);
        Ledger { now, zone, daemons, issues, lanes: vec![], last: vec![], owed_notices: 2 }
    }

    #[test]
    fn what_needs_a_person_is_listed_with_the_command_that_helps() {
        let whys = |ledger: Ledger| ledger.waiting().into_iter().map(|w| (w.why, w.help)).collect::<Vec<_>>();
        let alive = || vec![daemon("2026-07-04T06:04:30Z")];
        assert_eq!(whys(ledger(alive(), vec![issue(Stage::Sending(frozen()), 0)])), []);
        let said = whys(ledger(vec![daemon("2026-07-04T06:01:00Z")], vec![issue(held(None), 0)]));
        assert_eq!(said[0].1, "semainier serve");
        assert_eq!(
            said[1],
            ("held: aucun article".to_owned(), "mend the article; until 2026-07-04T20:00:00+02:00".to_owned())
        );
        let hash = || "c0ffee".to_owned();
        let approved = Stage::Approved { content_hash: hash(), by: "Claire".to_owned(), held_for: None };
        assert_eq!(whys(ledger(alive(), vec![issue(approved, 0)])), []);
        let help =
            "semainier issues show agenda/2026-W28, then semainier issues approve agenda/2026-W28 --by NAME".to_owned();
        let why = "awaits approval until 2026-07-04T20:00:00+02:00".to_owned();
        for stage in [Stage::AwaitingApproval { content_hash: hash() }, held(Some(hash()))] {
            assert_eq!(whys(ledger(alive(), vec![issue(stage, 0)])), [(why.clone(), help.clone())]);
        }
        let said = whys(ledger(alive(), vec![issue(Stage::Paused { frozen: frozen(), reason: None }, 2)]));
        assert_eq!(said[0].1, "semainier issues resume agenda/2026-W28");
        assert_eq!(said[1].0, "2 unknown: the relay may or may not have them");
    }

    #[test]
    fn a_paused_lane_needs_a_person_and_a_suspended_one_does_not() {
        let mut ledger = ledger(vec![daemon("2026-07-04T06:04:30Z")], vec![]);
        let trouble = |pace, until| LaneTrouble {
            lane: "orange".to_owned(),
            pace,
            why: "liste de blocage".to_owned(),
            since: at("2026-07-04T06:00:00Z"),
            until,
            issue: IssueKey::new("agenda", "2026-W28"),
            only_issue: false,
            step: 0,
            per_minute: None,
        };
        ledger.lanes = vec![trouble(Pace::Suspended, Some(at("2026-07-04T07:00:00Z")))];
        assert_eq!(ledger.waiting(), []);
        ledger.lanes = vec![trouble(Pace::Paused, None)];
        assert_eq!(ledger.waiting()[0].help, "semainier lanes resume orange");
    }

    #[test]
    fn the_json_has_instants_in_the_zone_of_the_office_and_sums() {
        let status =
            ledger(vec![daemon("2026-07-04T06:04:30Z")], vec![issue(Stage::Sending(frozen()), 1)]).status(vec![]);
        let json = serde_json::to_value(status).unwrap();
        assert_eq!(json["daemons"][0]["relay"]["left_alone_until"], "2026-07-04T08:10:00+02:00");
        assert_eq!((&json["issues"][0]["recipients"], &json["owed_notices"]), (&4.into(), &2.into()));
    }
}
