//! `semainier status`: daemons, upcoming runs, issues in flight and actions required.

use super::{Context, Ended, show, tables};
use crate::store::Access;
use crate::views::status::{self, Status};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 4 if action is required (a paused or held issue, one to be approved, an unknown delivery, a paused lane; no daemon, \
a relay that accepts no mail for 5 minutes, overdue mails to staff, a nearly full disk, an old backup), else 0.
With --json, one object; instants are RFC 3339, missing values are null:
  now           the instant it was read at
  daemons[]     host, pid, version, alive, started_at, seen_at,
                relay: null, or {trouble, since, left_alone_until} while the relay accepts no mail from this daemon
  next[]        mailing, issue, at, deadline
  issues[]      unfinished issues: key, state, reason, expires_at, recipients, first (so many messages are sent first, and
                the rest waits for their answers; null: none is waited for),
                counts: {queued, claimed, in_data, sent, failed, unknown, suppressed, expired, cancelled}
  lanes[]       lanes that are not open: name, state (slow, suspended, paused), why, since, until,
                only_issue (the issue it applies to, null: all), step (previous suspensions in a row), per_minute
  waiting[]     actions required: issue (empty for the daemon itself), kind, severity (warning, critical), since, why, help
  last[]        the last occurrences of each mailing: mailing, scheduled_for, state, reason, issue
  pending_notices  mails to staff that could not be sent yet")]
pub(super) struct Args {
    /// Print one JSON object with the keys below
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let status = status::read(&engine).await?;
    match args.json {
        true => show::json(&status)?,
        false => show::line(text(&status)),
    }
    Ok(if status.waiting.is_empty() { Ended::Done } else { Ended::WaitsForAPerson })
}

/// A heading and a table for each section that has rows.
fn text(status: &Status) -> String {
    let sections = [
        ("Action required", waiting(status)),
        ("Daemons", daemons(status)),
        ("Next", next(status)),
        ("In flight", issues(status)),
        ("Lanes", lanes(status)),
        ("Recent", last(status)),
    ];
    let shown = sections.into_iter().filter_map(|(title, rows)| Some(format!("{title}\n{}", rows?)));
    let mut text: Vec<_> = shown.collect();
    if status.pending_notices > 0 {
        text.push(format!("{} notices to staff could not be sent yet", status.pending_notices));
    }
    text.join("\n\n")
}

fn waiting(status: &Status) -> Option<String> {
    let rows = status.waiting.iter().map(|it| [it.issue.clone(), it.why.clone(), it.help.clone()]);
    rows_in(["issue", "why", "suggested command"], rows)
}

fn daemons(status: &Status) -> Option<String> {
    let rows = status.daemons.iter().map(|it| {
        let relay = it.relay.as_ref().filter(|_| it.alive);
        let relay =
            relay.map(|r| format!("no mail since {}, asked again at {}: {}", r.since, r.left_alone_until, r.trouble));
        let seen = match it.alive {
            true => "alive".to_owned(),
            false => format!("not seen since {}", it.seen_at),
        };
        [it.host.clone(), it.pid.to_string(), it.version.clone(), seen, relay.unwrap_or_else(|| "well".to_owned())]
    });
    rows_in(["host", "pid", "version", "state", "relay"], rows)
}

fn next(status: &Status) -> Option<String> {
    let rows = status.next.iter().map(|it| [it.issue.clone(), it.local.clone(), it.deadline.clone()]);
    rows_in(["issue", "leaves at", "deadline"], rows)
}

fn issues(status: &Status) -> Option<String> {
    let rows = status.issues.iter().map(|it| {
        let first = || it.first.map(|n| format!("the first {n} messages are answered before the rest leaves"));
        let reason = it.reason.clone().or_else(first).unwrap_or_default();
        [it.key.to_string(), it.state.as_str().to_owned(), it.counts.to_string(), reason]
    });
    rows_in(["issue", "state", "recipients", "why"], rows)
}

fn lanes(status: &Status) -> Option<String> {
    let rows = status.lanes.iter().map(|it| [it.name.clone(), it.state_in_words(), it.why.clone()]);
    rows_in(["lane", "state", "why"], rows)
}

fn last(status: &Status) -> Option<String> {
    let rows = status.last.iter().map(|it| {
        let issue = it.issue.as_ref().map(ToString::to_string).unwrap_or_default();
        [issue, it.scheduled_for.clone(), it.state.as_str().to_owned(), it.reason.clone().unwrap_or_default()]
    });
    rows_in(["issue", "due at", "state", "why"], rows)
}

fn rows_in<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Option<String> {
    // The first column of each is an issue's key or the name of a lane.
    let mut table = tables::table(header, &[0]);
    for row in rows {
        table.add_row(row);
    }
    (table.row_count() > 0).then(|| tables::text(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issue::{Counts, IssueKey, IssueState};
    use crate::views::status::{DaemonView, OpenIssueView, RelayView};

    #[test]
    fn the_text_and_the_json_show_the_same_data() {
        let until = "2026-07-04T08:10:00+02:00";
        let daemon = DaemonView {
            host: "bureau".to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            alive: true,
            started_at: until.to_owned(),
            seen_at: until.to_owned(),
            relay: Some(RelayView {
                trouble: "auth: 535 no".to_owned(),
                since: until.to_owned(),
                left_alone_until: until.to_owned(),
            }),
        };
        let issue = OpenIssueView {
            key: IssueKey::new("agenda", "2026-W28"),
            state: IssueState::Sending,
            reason: None,
            expires_at: until.to_owned(),
            counts: Counts { unknown: 1, sent: 3, ..Counts::default() },
            recipients: 4,
            first: Some(10),
        };
        let status = Status {
            now: until.to_owned(),
            daemons: vec![daemon],
            next: vec![],
            issues: vec![issue],
            lanes: vec![],
            waiting: vec![],
            last: vec![],
            pending_notices: 2,
        };
        let text = text(&status);
        for part in [
            "asked again at 2026-07-04T08:10:00+02:00",
            "4 = 3 sent + 1 unknown",
            "the first 10 messages",
            "2 notices to staff",
        ] {
            assert!(text.contains(part), "{part}\nnot in\n{text}");
        }
    }
}
