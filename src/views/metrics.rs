//! Metrics in the Prometheus text format 0.0.4. Labels are mailings, states, lanes and kinds, never addresses.

use super::readiness::{Disk, Facts, Finding};
use crate::app::App;
use crate::config::Config;
use crate::domain::{Timestamp, delivery::State, issue::IssueState, lane::Lanes, lane::Pace};
use crate::jobs::Mailing;
use crate::store::{Figures, Store, StoreError};
use crate::telemetry;
use std::fmt::{Display, Write};
use std::sync::Arc;

/// The source of the metrics.
pub struct Metrics {
    store: Arc<dyn Store>,
    config: Config,
    mailings: Vec<Mailing>,
    started_at: Timestamp,
}

impl Metrics {
    pub fn new(app: &App, store: Arc<dyn Store>) -> Self {
        Self { store, config: app.config.clone(), mailings: app.mailings.clone(), started_at: app.clock.now() }
    }

    /// All metrics. If the ledger cannot be read: `semainier_ledger_up 0` and what does not depend on it.
    pub async fn text(&self, now: Timestamp) -> String {
        let mut text = Text::default();
        let (version, database) = (env!("CARGO_PKG_VERSION"), self.store.kind());
        text.family("build_info", "gauge", "Version and database of the daemon; always 1.");
        text.sample("build_info", &[("version", version), ("database", database)], 1);
        text.one("start_timestamp_seconds", "When the daemon was started.", seconds(self.started_at));
        text.family("errors_total", "counter", "Warnings and errors in the log, by module of the program.");
        for ((kind, level), n) in telemetry::errors() {
            text.sample("errors_total", &[("kind", &kind), ("level", level)], n);
        }
        self.schedules(now, &mut text);
        let read = self.read(now).await;
        text.one("ledger_up", "Whether the database is available.", u8::from(read.is_ok()));
        match read {
            Ok((facts, figures, alerts)) => {
                of_ledger(&figures, now, &mut text);
                of_service(&facts, alerts, &mut text);
                lanes(&facts, &self.config.lanes, &mut text);
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "metrics are incomplete: the database is not available"
                );
            }
        }
        if let Some(disk) = self.config.state_directory().as_deref().and_then(Disk::of) {
            text.one("disk_free_bytes", "Free space of the file system of the ledger.", disk.free);
            text.one("disk_size_bytes", "Size of that file system.", disk.size);
        }
        text.0
    }

    async fn read(&self, now: Timestamp) -> Result<(Facts, Figures, u64), StoreError> {
        let facts = Facts::read(&*self.store, &self.config, &self.mailings, now).await?;
        Ok((facts, self.store.figures().await?, self.store.pending_alerts().await?.0))
    }

    fn schedules(&self, now: Timestamp, text: &mut Text) {
        text.family("next_due_timestamp_seconds", "gauge", "When a mailing is due next.");
        for mailing in &self.mailings {
            if let Some(at) = mailing.schedule.next_after(now) {
                text.sample("next_due_timestamp_seconds", &[("mailing", &mailing.id)], seconds(at));
            }
        }
    }
}

fn of_ledger(figures: &Figures, now: Timestamp, text: &mut Text) {
    text.family("deliveries", "gauge", "Deliveries of a mailing, by state.");
    let mailings = |mut all: Vec<String>| {
        all.dedup();
        all
    };
    for mailing in mailings(figures.deliveries.iter().map(|it| it.0.clone()).collect()) {
        for state in State::ALL {
            let found = figures.deliveries.iter().find(|it| it.0 == mailing && it.1 == state);
            let labels = [("mailing", mailing.as_str()), ("state", state.as_str())];
            text.sample("deliveries", &labels, found.map_or(0, |it| it.2));
        }
    }
    text.family("issues", "gauge", "Issues of a mailing, by state.");
    for mailing in mailings(figures.issues.iter().map(|it| it.0.clone()).collect()) {
        for state in IssueState::ALL {
            let found = figures.issues.iter().find(|it| it.0 == mailing && it.1 == state);
            let labels = [("mailing", mailing.as_str()), ("state", state.as_str())];
            text.sample("issues", &labels, found.map_or(0, |it| it.2));
        }
    }
    text.family("last_success_timestamp_seconds", "gauge", "When the last issue with a sent delivery was finished.");
    for (mailing, at) in &figures.last_success {
        text.sample("last_success_timestamp_seconds", &[("mailing", mailing)], seconds(*at));
    }
    text.family("last_missed_timestamp_seconds", "gauge", "The hour of the last missed occurrence.");
    for (mailing, at) in &figures.last_missed {
        text.sample("last_missed_timestamp_seconds", &[("mailing", mailing)], seconds(*at));
    }
    let oldest = figures.oldest_queued.map_or(0, |at| (now - at).num_seconds().max(0));
    text.one("queue_oldest_seconds", "Age of the oldest issue with queued deliveries.", oldest);
}

fn of_service(facts: &Facts, alerts: u64, text: &mut Text) {
    let alive: Vec<_> = facts.daemons.iter().filter(|it| facts.is_alive(it)).collect();
    text.one("daemons", "Daemons that are alive.", alive.len());
    if let Some(seen) = facts.daemons.iter().map(|it| it.seen_at).max() {
        text.one("heartbeat_timestamp_seconds", "The last heartbeat of a daemon.", seconds(seen));
    }
    let troubles: Vec<_> = alive.iter().filter_map(|it| it.relay.as_ref()).collect();
    text.one(
        "relay_up",
        "0 while the relay accepts no mail from any daemon.",
        u8::from(troubles.is_empty() || troubles.len() < alive.len()),
    );
    text.one("notices_pending", "Mails to staff that are not sent yet.", facts.pending_notices.len());
    if let Some(since) = facts.pending_notices.iter().map(|it| it.created_at).min() {
        text.one("notices_oldest_seconds", "Age of the oldest of them.", (facts.now - since).num_seconds());
    }
    text.one("alerts_pending", "Alerts that are not delivered yet.", alerts);
    if let Some(at) = facts.last_backup {
        text.one("last_backup_timestamp_seconds", "When the last backup was made.", seconds(at));
    }
    let found = facts.readiness().findings;
    text.family("findings", "gauge", "Problems and actions required, by kind; `semainier status` has the details.");
    for kind in Finding::KINDS {
        text.sample("findings", &[("kind", kind)], found.iter().filter(|it| it.kind() == kind).count());
    }
    let soon = found.iter().filter(|it| matches!(it, Finding::AwaitingApproval { soon: true, .. })).count();
    text.one("approvals_urgent", "Issues without approval whose hour is near or has passed.", soon);
}

fn lanes(facts: &Facts, lanes: &Lanes, text: &mut Text) {
    text.family("lane_state", "gauge", "1 for the current state of each lane.");
    let names = lanes.families().iter().map(|it| it.name.as_str());
    for lane in names.chain(["others"]) {
        let trouble = facts.lanes.iter().filter(|it| it.lane == lane && !it.only_issue).map(|it| it.pace).next();
        let here = trouble.map_or("open", Pace::as_str);
        for state in std::iter::once("open").chain(Pace::ALL.map(Pace::as_str)) {
            text.sample("lane_state", &[("lane", lane), ("state", state)], u8::from(state == here));
        }
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.timestamp()
}

/// Writes the text format; prefixes each name with `semainier_`.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP semainier_{name} {help}\n# TYPE semainier_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = match labels.is_empty() {
            true => writeln!(self.0, "semainier_{name} {value}"),
            false => writeln!(self.0, "semainier_{name}{{{}}} {value}", labels.join(",")),
        };
    }

    /// A gauge without labels.
    fn one(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_the_prometheus_text_format() {
        let mut text = Text::default();
        text.one("daemons", "Alive.", 1);
        text.sample("lane_state", &[("lane", "a\"b\\c\nd"), ("state", "open")], 0);
        let expected = "# HELP semainier_daemons Alive.\n# TYPE semainier_daemons gauge\nsemainier_daemons 1\n\
                        semainier_lane_state{lane=\"a\\\"b\\\\c\\nd\",state=\"open\"} 0\n";
        assert_eq!(text.0, expected);
    }
}
