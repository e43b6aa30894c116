//! Lanes: the throttling of each family of recipient domains.

use super::instant;
use crate::app::Engine;
use crate::domain::{
    issue::IssueKey,
    lane::{LaneTrouble, Pace},
};
use crate::store::StoreError;
use chrono_tz::Tz;
use serde::Serialize;

/// A lane that is not open; an element of `lanes --json`.
#[derive(Debug, Clone, Serialize)]
pub struct LaneView {
    pub name: String,
    pub state: Pace,
    pub why: String,
    pub since: String,
    pub until: Option<String>,
    /// The only issue it applies to; `None`: all.
    pub only_issue: Option<IssueKey>,
    /// Previous suspensions in a row.
    pub step: u32,
    pub per_minute: Option<u32>,
}

impl LaneView {
    pub fn new(it: &LaneTrouble, zone: Tz) -> Self {
        Self {
            name: it.lane.clone(),
            state: it.pace,
            why: it.why.clone(),
            since: instant(it.since, zone),
            until: it.until.map(|until| instant(until, zone)),
            only_issue: it.only_issue.then(|| it.issue.clone()),
            step: it.step,
            per_minute: it.per_minute,
        }
    }

    /// `slow until 2026-07-04T09:00:00+02:00`, `paused`, `open, but not to agenda/2026-W28`.
    pub fn state_in_words(&self) -> String {
        match (&self.until, &self.only_issue) {
            (Some(until), _) => format!("{} until {until}", self.state.as_str()),
            (None, Some(issue)) => format!("open, but not to {issue}"),
            (None, None) => self.state.as_str().to_owned(),
        }
    }
}

/// The lanes that are not open now.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read(engine: &Engine) -> Result<Vec<LaneView>, StoreError> {
    let (zone, now) = (engine.app.config.zone, engine.app.clock.now());
    let lanes = engine.store.lanes().await?;
    Ok(lanes.iter().filter(|lane| lane.holds(now)).map(|lane| LaneView::new(lane, zone)).collect())
}
