//! The second channel: a webhook, a command, or both, for when mail cannot leave and for whatever waits for a person.
//!
//! What is wrong is the verdict of [`crate::views::readiness`]. A finding that appears, and the end of one that was told, are
//! owed to each channel in the ledger, as notices are by mail: sent at least once, repeated with the same id until the receiver
//! takes it, over restarts too. No alert holds an address of a partner.

mod command;
mod payload;
mod webhook;

use crate::app::App;
use crate::domain::Timestamp;
use crate::store::{Change, Channel, OwedAlert, Store, StoreError};
use crate::views::readiness::{Finding, readiness};
use crate::watch::Alert;
use chrono::TimeDelta;
use futures_util::future::join_all;
use payload::About;
use std::collections::BTreeSet;
use std::time::Duration;
use tracing::{info, warn};

/// After the first failure; each further one doubles it.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(30);
const LONGEST_RETRY: TimeDelta = TimeDelta::hours(1);
/// Older than this an alert is given up: whoever reads it now learns nothing.
const GIVEN_UP: TimeDelta = TimeDelta::days(3);
/// A ledger that does not answer for so long is told without it.
const OUTAGE: TimeDelta = TimeDelta::minutes(5);

/// Why an alert was not taken; for logs and the ledger, without the address it went to, which may hold a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotTaken(String);

/// The channels that are configured.
pub struct Alerter {
    webhook: Option<webhook::Webhook>,
    command: Option<command::Command>,
    /// Two tries of one alert never overlap.
    lease: TimeDelta,
}

impl Alerter {
    /// # Errors
    /// When the system's trusted certificates cannot be read.
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

    /// One alert to one channel. `id` is the same at every try.
    ///
    /// # Errors
    /// When it was not taken.
    async fn send(&self, channel: Channel, id: &str, payload: &str, now: Timestamp) -> Result<(), NotTaken> {
        let not_configured = || NotTaken(format!("no {} is configured any more", channel.as_str()));
        match channel {
            Channel::Webhook => self.webhook.as_ref().ok_or_else(not_configured)?.post(id, payload, now).await,
            Channel::Command => self.command.as_ref().ok_or_else(not_configured)?.run(payload).await,
        }
    }

    /// A trial alert to every channel, outside of the ledger.
    pub async fn test(&self, app: &App) -> Vec<(Channel, Result<(), NotTaken>)> {
        let now = app.clock.now();
        let (id, payload) = (new_id(), payload::test(&about(app), now));
        let tried = self.channels().into_iter().map(async |it| (it, self.send(it, &id, &payload, now).await));
        join_all(tried).await
    }

    /// Notices what is wrong and what is over, and sends what is due.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn pass(&self, app: &App, store: &dyn Store) -> Result<(), StoreError> {
        self.notice(app, store).await?;
        let now = app.clock.now();
        let owed = store.claim_alerts(now + self.lease, now).await?;
        let tried = join_all(owed.iter().map(|it| self.send(it.channel, &it.id, &it.payload, now))).await;
        for (alert, result) in owed.iter().zip(tried) {
            settle(store, alert, result, now).await?;
        }
        Ok(())
    }

    async fn notice(&self, app: &App, store: &dyn Store) -> Result<(), StoreError> {
        let (now, about) = (app.clock.now(), about(app));
        let verdict = readiness(store, &app.config, now).await?;
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
    alert: &OwedAlert,
    result: Result<(), NotTaken>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (channel, finding) = (alert.channel.as_str(), &alert.finding);
    match result {
        Ok(()) => {
            info!(channel, finding, "alert taken by the {channel}: {finding}");
            store.close_alert(alert, None, now).await
        }
        Err(why) if now - alert.created_at >= GIVEN_UP => {
            warn!(channel, finding, %why, "the {channel} took no alert for days; this one is given up: {finding}");
            store.close_alert(alert, Some(&why.0), now).await
        }
        Err(why) => {
            let next = now + wait(alert.tries);
            warn!(channel, finding, %why, "the {channel} did not take an alert ({why}); it is tried again at {next}");
            store.defer_alert(alert, &why.0, next).await
        }
    }
}

/// After so many failures before this one.
fn wait(tries: u32) -> TimeDelta {
    (FIRST_RETRY * 2_i32.pow(tries.min(10))).min(LONGEST_RETRY)
}

fn new_id() -> String {
    format!("msg_{}", uuid::Uuid::now_v7().simple())
}

fn about(app: &App) -> About<'_> {
    About { office: &app.config.office.name, zone: app.config.zone }
}

/// A ledger that does not answer: nothing can be owed in it, so it is told without, once to each channel.
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Timestamp>,
    id: String,
    told: Vec<Channel>,
}

impl Outage {
    /// The ledger answers.
    pub fn over(&mut self) {
        *self = Self::default();
    }

    /// It does not, with why.
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
            if self.told.contains(&channel) {
                continue;
            }
            match alerter.send(channel, &self.id, &payload, now).await {
                Ok(()) => self.told.push(channel),
                Err(why) => warn!(channel = channel.as_str(), %why, "the alert of an outage was not taken"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_half_a_minute_apart_then_twice_as_long_up_to_an_hour() {
        let minutes = [0, 1, 2, 3, 6, 7, 100].map(|tries| wait(tries).num_seconds());
        assert_eq!(minutes, [30, 60, 120, 240, 1920, 3600, 3600]);
    }
}
