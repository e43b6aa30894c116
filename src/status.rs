//! What goes on, on one page: who works, what comes next, what is on its way, and what waits for a person.
//! Reads the ledger and the mailings; changes nothing.

use crate::app::Engine;
use crate::domain::{
    Timestamp,
    issue::{IssueState, IssueSummary},
    lane::{LaneTrouble, Pace},
    schedule::label,
};
use crate::report::{instant, table};
use crate::store::{Daemon, Occurrence, StoreError};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde_json::{Value, json};

/// A daemon says every minute that it lives; one that was silent for longer is not counted on.
const ALIVE: TimeDelta = TimeDelta::minutes(3);
/// Of each mailing.
const LAST_OCCURRENCES: u32 = 5;

/// Everything `status` shows.
#[derive(Debug)]
pub struct Status {
    pub now: Timestamp,
    pub zone: Tz,
    pub daemons: Vec<Daemon>,
    pub next: Vec<Next>,
    /// Held, sending, paused, or with something unknown.
    pub issues: Vec<IssueSummary>,
    /// Those that are not open.
    pub lanes: Vec<LaneTrouble>,
    pub last: Vec<Occurrence>,
    /// Words to staff that could not be sent yet.
    pub owed_notices: usize,
}

/// When a mailing goes next.
#[derive(Debug)]
pub struct Next {
    pub mailing: String,
    pub issue: String,
    pub at: Timestamp,
    pub deadline: Timestamp,
    pub zone: Tz,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn read(engine: &Engine) -> Result<Status, StoreError> {
    let (app, store, now) = (&engine.app, &engine.store, engine.app.clock.now());
    let next = app.mailings.iter().filter_map(|mailing| {
        let at = mailing.schedule.next_after(now)?;
        let (issue, deadline) = (mailing.issue_key(at).to_string(), mailing.schedule.deadline_of(at));
        Some(Next { mailing: mailing.id.clone(), issue, at, deadline, zone: mailing.schedule.zone })
    });
    let mut last = Vec::new();
    for mailing in &app.mailings {
        last.extend(store.occurrences(Some(&mailing.id), LAST_OCCURRENCES).await?);
    }
    Ok(Status {
        now,
        zone: app.config.zone,
        daemons: store.daemons().await?,
        next: next.collect(),
        issues: store.open_issues().await?,
        lanes: store.lanes().await?.into_iter().filter(|lane| lane.holds(now)).collect(),
        last,
        owed_notices: store.owed_notices().await?.len(),
    })
}

/// Something only a person can move on.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiting {
    /// An issue's key; empty for the daemon itself.
    pub what: String,
    pub why: String,
    /// The command that helps.
    pub help: String,
}

impl Status {
    fn is_alive(&self, daemon: &Daemon) -> bool {
        self.now - daemon.seen_at <= ALIVE
    }

    /// The gravest first. Empty: everything goes by itself.
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        if !self.daemons.iter().any(|daemon| self.is_alive(daemon)) {
            waiting.push(Waiting {
                what: String::new(),
                why: "no daemon is running: nothing leaves by itself".to_owned(),
                help: "semainier serve".to_owned(),
            });
        }
        for issue in &self.issues {
            let (key, reason) = (issue.key.to_string(), issue.reason.clone().unwrap_or_default());
            let mut wait = |why, help| waiting.push(Waiting { what: key.clone(), why, help });
            match issue.state {
                IssueState::Held | IssueState::AwaitingApproval if issue.is_presented() && !issue.is_approved() => {
                    wait(
                        format!("awaits approval until {}", self.local(issue.expires_at)),
                        format!("semainier issues show {key}, then semainier issues approve {key} --by NAME"),
                    )
                }
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
            what: lane.issue.to_string(),
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

    /// One object; its shape is a contract, told in `status --help`.
    pub fn json(&self) -> Value {
        let daemon = |it: &Daemon| {
            json!({
                "host": it.host,
                "pid": it.pid,
                "version": it.version,
                "alive": self.is_alive(it),
                "started_at": self.local(it.started_at),
                "seen_at": self.local(it.seen_at),
                "relay": it.relay.as_ref().map(|relay| json!({
                    "trouble": relay.trouble,
                    "left_alone_until": self.local(relay.until),
                })),
            })
        };
        let next = |it: &Next| {
            json!({
                "mailing": it.mailing,
                "issue": it.issue,
                "at": instant(it.at, it.zone),
                "deadline": instant(it.deadline, it.zone),
            })
        };
        let issue = |it: &IssueSummary| {
            json!({
                "key": it.key,
                "state": it.state,
                "reason": it.reason,
                "expires_at": self.local(it.expires_at),
                "counts": it.counts,
                "recipients": it.counts.total(),
            })
        };
        let waiting = |it: &Waiting| json!({ "issue": it.what, "why": it.why, "help": it.help });
        let last = |it: &Occurrence| {
            json!({
                "mailing": it.mailing,
                "scheduled_for": it.local,
                "state": it.state,
                "reason": it.reason,
                "issue": it.issue,
            })
        };
        json!({
            "now": self.local(self.now),
            "daemons": self.daemons.iter().map(daemon).collect::<Vec<_>>(),
            "next": self.next.iter().map(next).collect::<Vec<_>>(),
            "issues": self.issues.iter().map(issue).collect::<Vec<_>>(),
            "lanes": self.lanes.iter().map(|lane| lane_json(lane, self.zone)).collect::<Vec<_>>(),
            "waiting": self.waiting().iter().map(waiting).collect::<Vec<_>>(),
            "last": self.last.iter().map(last).collect::<Vec<_>>(),
            "owed_notices": self.owed_notices,
        })
    }

    /// For people: a heading and a table each, and nothing where there is nothing.
    pub fn text(&self) -> String {
        let sections = [
            ("Waits for a person", self.waiting_table()),
            ("Daemons", self.daemons_table()),
            ("Next", self.next_table()),
            ("On the way", self.issues_table()),
            ("Lanes", self.lanes_table()),
            ("Lately", self.last_table()),
        ];
        let shown = sections.into_iter().filter_map(|(title, rows)| Some(format!("{title}\n{}", rows?)));
        let mut text: Vec<_> = shown.collect();
        if self.owed_notices > 0 {
            text.push(format!("{} notices to staff could not be sent yet", self.owed_notices));
        }
        text.join("\n\n")
    }

    fn waiting_table(&self) -> Option<String> {
        let rows = self.waiting().into_iter().map(|it| [it.what, it.why, it.help]);
        rows_in(["issue", "why", "what helps"], rows)
    }

    fn daemons_table(&self) -> Option<String> {
        let rows = self.daemons.iter().map(|it| {
            let relay = it.relay.as_ref().filter(|_| self.is_alive(it));
            let relay = relay.map(|r| format!("left alone until {}: {}", self.local(r.until), r.trouble));
            let seen = match self.is_alive(it) {
                true => "alive".to_owned(),
                false => format!("not seen since {}", self.local(it.seen_at)),
            };
            [it.host.clone(), it.pid.to_string(), it.version.clone(), seen, relay.unwrap_or_else(|| "well".to_owned())]
        });
        rows_in(["host", "pid", "version", "state", "relay"], rows)
    }

    fn next_table(&self) -> Option<String> {
        let rows = self.next.iter().map(|it| [it.issue.clone(), label(it.at, it.zone), instant(it.deadline, it.zone)]);
        rows_in(["issue", "leaves at", "of no use after"], rows)
    }

    fn issues_table(&self) -> Option<String> {
        let rows = self.issues.iter().map(|it| {
            let reason = it.reason.clone().unwrap_or_default();
            [it.key.to_string(), it.state.as_str().to_owned(), it.counts.to_string(), reason]
        });
        rows_in(["issue", "state", "recipients", "why"], rows)
    }

    fn lanes_table(&self) -> Option<String> {
        let rows = self.lanes.iter().map(|it| [it.lane.clone(), lane_state(Some(it), self.zone), it.why.clone()]);
        rows_in(["lane", "state", "why"], rows)
    }

    fn last_table(&self) -> Option<String> {
        let rows = self.last.iter().map(|it| {
            let issue = it.issue.as_ref().map(ToString::to_string).unwrap_or_default();
            [issue, it.local.clone(), it.state.as_str().to_owned(), it.reason.clone().unwrap_or_default()]
        });
        rows_in(["issue", "due at", "state", "why"], rows)
    }
}

/// `open`, `slow until 2026-07-04T09:00:00+02:00`, `paused`, `open, but not to agenda/2026-W28`.
pub fn lane_state(trouble: Option<&LaneTrouble>, zone: Tz) -> String {
    match trouble {
        None => "open".to_owned(),
        Some(LaneTrouble { pace, until: Some(until), .. }) => {
            format!("{} until {}", pace.as_str(), instant(*until, zone))
        }
        Some(LaneTrouble { only_issue: true, issue, .. }) => format!("open, but not to {issue}"),
        Some(LaneTrouble { pace, until: None, .. }) => pace.as_str().to_owned(),
    }
}

/// A lane that is not open, as `status` and `lanes` tell it.
pub fn lane_json(it: &LaneTrouble, zone: Tz) -> Value {
    json!({
        "name": it.lane,
        "state": it.pace,
        "why": it.why,
        "since": instant(it.since, zone),
        "until": it.until.map(|until| instant(until, zone)),
        "only_issue": it.only_issue.then_some(&it.issue),
        "step": it.step,
        "per_minute": it.per_minute,
    })
}

fn rows_in<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Option<String> {
    let mut table = table(header);
    for row in rows {
        table.add_row(row);
    }
    (table.row_count() > 0).then(|| table.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issue::{Counts, IssueKey};
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

    fn issue(state: IssueState, unknown: u64) -> IssueSummary {
        IssueSummary {
            key: IssueKey::new("agenda", "2026-W28"),
            mailing: "agenda".to_owned(),
            state,
            reason: Some("aucun article".to_owned()),
            scheduled_for: at("2026-07-04T06:00:00Z"),
            expires_at: at("2026-07-04T18:00:00Z"),
            frozen_at: None,
            closed_at: None,
            subject: None,
            content_hash: None,
            approved_by: None,
            counts: Counts { unknown, sent: 3, ..Counts::default() },
        }
    }

    fn status(daemons: Vec<Daemon>, issues: Vec<IssueSummary>) -> Status {
        let (now, zone) = (at("2026-07-04T06:05:00Z"), Tz::Europe__Paris);
        Status { now, zone, daemons, next: vec![], issues, lanes: vec![], last: vec![], owed_notices: 2 }
    }

    #[test]
    fn what_waits_for_a_person_is_said_with_what_helps() {
        let whys = |status: Status| status.waiting().into_iter().map(|w| (w.why, w.help)).collect::<Vec<_>>();
        let alive = || vec![daemon("2026-07-04T06:04:30Z")];
        assert_eq!(whys(status(alive(), vec![issue(IssueState::Sending, 0)])), []);
        let said = whys(status(vec![daemon("2026-07-04T06:01:00Z")], vec![issue(IssueState::Held, 0)]));
        assert_eq!(said[0].1, "semainier serve");
        assert_eq!(
            said[1],
            ("held: aucun article".to_owned(), "mend the article; until 2026-07-04T20:00:00+02:00".to_owned())
        );
        let asked = IssueSummary { content_hash: Some("c0ffee".to_owned()), ..issue(IssueState::AwaitingApproval, 0) };
        let approved = IssueSummary { approved_by: Some("Claire".to_owned()), ..asked.clone() };
        assert_eq!(whys(status(alive(), vec![approved])), []);
        let help =
            "semainier issues show agenda/2026-W28, then semainier issues approve agenda/2026-W28 --by NAME".to_owned();
        let why = "awaits approval until 2026-07-04T20:00:00+02:00".to_owned();
        for state in [IssueState::Held, IssueState::AwaitingApproval] {
            let waiting = IssueSummary { state, ..asked.clone() };
            assert_eq!(whys(status(alive(), vec![waiting])), [(why.clone(), help.clone())]);
        }
        let said = whys(status(alive(), vec![issue(IssueState::Paused, 2)]));
        assert_eq!(said[0].1, "semainier issues resume agenda/2026-W28");
        assert_eq!(said[1].0, "2 unknown: the relay may or may not have them");
    }

    #[test]
    fn a_lane_that_waits_for_a_person_is_among_what_waits() {
        let mut status = status(vec![daemon("2026-07-04T06:04:30Z")], vec![]);
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
        status.lanes = vec![trouble(Pace::Suspended, Some(at("2026-07-04T07:00:00Z")))];
        assert_eq!(status.waiting(), []);
        assert!(status.text().contains("suspended until 2026-07-04T09:00:00+02:00"), "{}", status.text());
        assert_eq!(status.json()["lanes"][0]["until"], "2026-07-04T09:00:00+02:00");
        status.lanes = vec![trouble(Pace::Paused, None)];
        assert_eq!(status.waiting()[0].help, "semainier lanes resume orange");
    }

    #[test]
    fn the_json_and_the_page_say_the_same() {
        let status = status(vec![daemon("2026-07-04T06:04:30Z")], vec![issue(IssueState::Sending, 1)]);
        let json = status.json();
        assert_eq!(json["daemons"][0]["relay"]["left_alone_until"], "2026-07-04T08:10:00+02:00");
        assert_eq!((&json["issues"][0]["recipients"], &json["owed_notices"]), (&json!(4), &json!(2)));
        let text = status.text();
        for part in ["left alone until 2026-07-04T08:10:00+02:00", "4 = 3 sent + 1 unknown", "2 notices to staff"] {
            assert!(text.contains(part), "{part}\nnot in\n{text}");
        }
    }
}
