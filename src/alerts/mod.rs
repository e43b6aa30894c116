//! Alerts by webhook or command: the second channel, for when mail cannot be sent and for whatever requires action.
//!
//! The findings are those of [`crate::views::readiness`]. When one appears, and when one that was reported ends, an alert is
//! stored in the ledger for each channel and retried with the same id until it is delivered, also after a restart. No alert
//! contains an address of a partner.

mod command;
mod payload;
mod webhook;

use crate::app::App;
use crate::domain::Timestamp;
use crate::store::{Change, Channel, PendingAlert, Store, StoreError};
use crate::views::readiness::{Finding, readiness};
use crate::watch::Alert;
use chrono::TimeDelta;
use futures_util::future::join_all;
use payload::About;
use std::collections::BTreeSet;
use std::time::Duration;
use tracing::{info, warn};

/// The wait after the first failure; doubled after each further one.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);
const LONGEST_RETRY: TimeDelta = TimeDelta::hours(1);
/// An alert older than this is given up.
const GIVEN_UP: TimeDelta = TimeDelta::days(3);
/// If the ledger cannot be read for this long, an alert is sent without storing it.
const OUTAGE: TimeDelta = TimeDelta::minutes(5);

/// Why an alert was not delivered, for logs and the ledger. Without the URL, which may contain a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotDelivered(String);

/// Sends to the configured channels.
pub struct Alerter {
    webhook: Option<webhook::Webhook>,
    command: Option<command::Command>,
    /// How long a claimed alert is reserved for one attempt.
    lease: TimeDelta,
}

impl Alerter {
    /// # Errors
    /// If the system's trusted certificates or the secret of the webhook cannot be read.
    pub fn new(settings: &Alert) -> anyhow::Result<Self> {
        let timeout = settings.timeout.to_std().unwrap_or(Duration::from_secs(30));
        let webhook = settings.webhook.as_ref().map(|it| webhook::Webhook::new(it, timeout)).transpose()?;
        let command = command::Command::new(&settings.command, timeout);
        Ok(Self { webhook, command, lease: settings.timeout * 2 + FIRST_RETRY })
    }

    pub fn channels(&self) -> Vec<Channel> {
        let webhook = self.webhook.is_some().then_some(Channel::Webhook);
        webhook.into_iter().chain(self.command.is_some().then_some(Channel::Command)).collect()
    }

    /// Sends one alert to one channel. `id` is the same at every attempt.
    async fn send(&self, channel: Channel, id: &str, payload: &str, now: Timestamp) -> Result<(), NotDelivered> {
        let not_configured = || NotDelivered(format!("{} is no longer configured", channel.as_str()));
        match channel {
            Channel::Webhook => self.webhook.as_ref().ok_or_else(not_configured)?.post(id, payload, now).await,
            Channel::Command => self.command.as_ref().ok_or_else(not_configured)?.run(payload).await,
        }
    }

    /// Sends a test alert to every channel, without the ledger.
    pub async fn test(&self, app: &App) -> Vec<(Channel, Result<(), NotDelivered>)> {
        let now = app.clock.now();
        let (id, payload) = (new_id(), payload::test(&about(app), now));
        let tried = self.channels().into_iter().map(async |it| (it, self.send(it, &id, &payload, now).await));
        join_all(tried).await
    }

    /// Stores alerts for findings that appeared or ended, and sends what is due.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub async fn pass(&self, app: &App, store: &dyn Store) -> Result<(), StoreError> {
        self.notice(app, store).await?;
        let now = app.clock.now();
        let pending = store.claim_alerts(now + self.lease, now).await?;
        let tried = join_all(pending.iter().map(|it| self.send(it.channel, &it.id, &it.payload, now))).await;
        for (alert, result) in pending.iter().zip(tried) {
            settle(store, alert, result, now).await?;
        }
        Ok(())
    }

    async fn notice(&self, app: &App, store: &dyn Store) -> Result<(), StoreError> {
        let (now, about) = (app.clock.now(), about(app));
        let verdict = readiness(store, &app.config, &app.mailings, now).await?;
        let known: BTreeSet<String> = store.known_findings().await?.into_iter().collect();
        let here: Vec<&Finding> = verdict.findings.iter().filter(|finding| finding.alerts()).collect();
        let keys: BTreeSet<String> = here.iter().map(|finding| finding.key()).collect();
        let change = |finding: String, payload| Change { finding, payload };
        let appeared: Vec<_> = here
            .into_iter()
            .filter(|finding| !known.contains(&finding.key()))
            .map(|finding| change(finding.key(), payload::raised(&about, finding, now)))
            .collect();
        let over: Vec<_> =
            known.difference(&keys).map(|key| change(key.clone(), payload::ended(&about, key, now))).collect();
        if appeared.is_empty() && over.is_empty() {
            return Ok(());
        }
        store.record_findings(&appeared, &over, &self.channels(), now).await
    }
}

async fn settle(
    store: &dyn Store,
    alert: &PendingAlert,
    result: Result<(), NotDelivered>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (channel, finding) = (alert.channel.as_str(), &alert.finding);
    match result {
        Ok(()) => {
            info!(channel, finding, "alert delivered by {channel}: {finding}");
            store.close_alert(alert, None, now).await
        }
        Err(why) if now - alert.created_at >= GIVEN_UP => {
            warn!(channel, finding, %why, "alert given up after days of failures by {channel}: {finding}");
            store.close_alert(alert, Some(&why.0), now).await
        }
        Err(why) => {
            let next = now + wait(alert.tries);
            warn!(channel, finding, %why, "alert not delivered by {channel} ({why}); next attempt at {next}");
            store.defer_alert(alert, &why.0, next).await
        }
    }
}

/// `tries`: failures before this one.
fn wait(tries: u32) -> TimeDelta {
    (FIRST_RETRY * 2_i32.pow(tries.min(10))).min(LONGEST_RETRY)
}

fn new_id() -> String {
    format!("msg_{}", uuid::Uuid::now_v7().simple())
}

fn about(app: &App) -> About<'_> {
    About { office: &app.config.office.name, zone: app.config.zone }
}

/// An outage of the ledger. No alert can be stored, so it is reported directly, once to each channel.
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Timestamp>,
    id: String,
    delivered: Vec<Channel>,
}

impl Outage {
    /// The ledger can be read again.
    pub fn over(&mut self) {
        *self = Self::default();
    }

    /// The ledger cannot be read; reports it once it has lasted [`OUTAGE`].
    pub async fn goes_on(&mut self, alerter: &Alerter, app: &App, why: &StoreError) {
        let now = app.clock.now();
        let since = *self.since.get_or_insert(now);
        if now - since < OUTAGE {
            return;
        }
        if self.id.is_empty() {
            self.id = new_id();
        }
        let payload = payload::ledger(&about(app), &why.to_string(), since, now);
        for channel in alerter.channels() {
            if self.delivered.contains(&channel) {
                continue;
            }
            match alerter.send(channel, &self.id, &payload, now).await {
                Ok(()) => self.delivered.push(channel),
                Err(why) => warn!(channel = channel.as_str(), %why, "alert of the database outage not delivered"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_half_a_minute_apart_then_doubled_up_to_an_hour() {
        let minutes = [0, 1, 2, 3, 6, 7, 100].map(|tries| wait(tries).num_seconds());
        assert_eq!(minutes, [30, 60, 120, 240, 1920, 3600, 3600]);
    }
}
