//! Findings and the alerts queued for them. Alerts are stored in the transaction that records the finding, so that a restart loses
//! none and two daemons store one.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeSet;

/// How an alert is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Webhook,
    Command,
}

impl Channel {
    pub const ALL: [Channel; 2] = [Channel::Webhook, Channel::Command];

    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Webhook => "webhook",
            Channel::Command => "command",
        }
    }
}

/// A finding that appeared or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its key, such as `paused:agenda/2026-W28`.
    pub finding: String,
    /// JSON, the same for every channel.
    pub payload: String,
}

/// An alert that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAlert {
    pub id: String,
    pub channel: Channel,
    pub finding: String,
    pub payload: String,
    pub created_at: Timestamp,
    /// Failures so far.
    pub tries: u32,
}

/// Findings and alerts.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// The keys of the findings recorded so far.
    async fn known_findings(&self) -> Result<Vec<String>>;

    /// `appeared`: an alert is queued for each of `channels`, once, even if another daemon records the finding too. `over`: alerts
    /// not delivered yet are dropped; channels that delivered one get another, that it ended.
    async fn record_findings(
        &self,
        appeared: &[Change],
        over: &[Change],
        channels: &[Channel],
        now: Timestamp,
    ) -> Result<()>;

    /// Due alerts, oldest first, reserved for the caller until `lease`.
    async fn claim_alerts(&self, lease: Timestamp, now: Timestamp) -> Result<Vec<PendingAlert>>;

    /// Delivered, or given up with `error`.
    async fn close_alert(&self, alert: &PendingAlert, error: Option<&str>, now: Timestamp) -> Result<()>;

    /// Not delivered: retry at `next_at`.
    async fn defer_alert(&self, alert: &PendingAlert, error: &str, next_at: Timestamp) -> Result<()>;

    /// How many are pending, and the instant of the oldest.
    async fn pending_alerts(&self) -> Result<(u64, Option<Timestamp>)>;
}

#[async_trait]
impl<B: Backend> Alerts for Ledger<B> {
    async fn known_findings(&self) -> Result<Vec<String>> {
        let mut tx = Transaction::read(&self.0, "reading what is wrong").await?;
        let rows = tx.rows("SELECT key FROM findings ORDER BY key", values![]).await?;
        rows.iter().map(|row| Reader::new(row, "findings", "key").text("key")).collect()
    }

    async fn record_findings(
        &self,
        appeared: &[Change],
        over: &[Change],
        channels: &[Channel],
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "queueing alerts").await?;
        for change in appeared {
            let insert = "INSERT INTO findings (key, since) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            if tx.execute(insert, values![change.finding.as_str(), now]).await? == 1 {
                queue(&mut tx, change, channels.iter().copied(), now).await?;
            }
        }
        for change in over {
            if tx.execute("DELETE FROM findings WHERE key = $1", values![change.finding.as_str()]).await? == 0 {
                continue;
            }
            let delivered =
                "SELECT id, channel FROM alerts WHERE finding = $1 AND closed_at IS NOT NULL AND error IS NULL";
            let rows = tx.rows(delivered, values![change.finding.as_str()]).await?;
            let channel = |row| Reader::new(row, "alerts", "id").word("channel", &Channel::ALL, Channel::as_str);
            let delivered = rows.iter().map(channel).collect::<Result<Vec<_>>>()?;
            tx.execute("DELETE FROM alerts WHERE finding = $1", values![change.finding.as_str()]).await?;
            let delivered: BTreeSet<_> = delivered.into_iter().map(Channel::as_str).collect();
            queue(&mut tx, change, channels.iter().copied().filter(|it| delivered.contains(it.as_str())), now).await?;
        }
        // The alert of an end is deleted once it was delivered.
        let done = "DELETE FROM alerts WHERE closed_at IS NOT NULL AND finding NOT IN (SELECT key FROM findings)";
        tx.execute(done, values![]).await?;
        tx.commit().await
    }

    async fn claim_alerts(&self, lease: Timestamp, now: Timestamp) -> Result<Vec<PendingAlert>> {
        let mut tx = Transaction::write(&self.0, "taking up alerts").await?;
        let claim = "UPDATE alerts SET next_at = $1 WHERE closed_at IS NULL AND next_at <= $2
            RETURNING id, channel, finding, payload, created_at, tries";
        let read = |row| {
            let row = Reader::new(row, "alerts", "id");
            Ok(PendingAlert {
                id: row.text("id")?,
                channel: row.word("channel", &Channel::ALL, Channel::as_str)?,
                finding: row.text("finding")?,
                payload: row.text("payload")?,
                created_at: row.instant("created_at")?,
                tries: row.number("tries")?,
            })
        };
        let mut pending = tx.rows(claim, values![lease, now]).await?.iter().map(read).collect::<Result<Vec<_>>>()?;
        tx.commit().await?;
        pending.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(pending)
    }

    async fn close_alert(&self, alert: &PendingAlert, error: Option<&str>, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "recording an alert").await?;
        let close = "UPDATE alerts SET closed_at = $3, error = $4, tries = tries + 1
            WHERE id = $1 AND channel = $2 AND closed_at IS NULL";
        tx.execute(close, values![alert.id.as_str(), alert.channel.as_str(), now, error]).await?;
        tx.commit().await
    }

    async fn defer_alert(&self, alert: &PendingAlert, error: &str, next_at: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "deferring an alert").await?;
        let defer = "UPDATE alerts SET next_at = $3, error = $4, tries = tries + 1
            WHERE id = $1 AND channel = $2 AND closed_at IS NULL";
        tx.execute(defer, values![alert.id.as_str(), alert.channel.as_str(), next_at, error]).await?;
        tx.commit().await
    }

    async fn pending_alerts(&self) -> Result<(u64, Option<Timestamp>)> {
        let mut tx = Transaction::read(&self.0, "counting pending alerts").await?;
        let select = "SELECT count(*) AS n, min(created_at) AS oldest FROM alerts WHERE closed_at IS NULL";
        let Some(row) = tx.row(select, values![]).await? else { return Ok((0, None)) };
        let row = Reader::new(&row, "alerts", "n");
        Ok((row.number("n")?, row.optional_instant("oldest")?))
    }
}

async fn queue<B: Backend>(
    tx: &mut Transaction<B>,
    change: &Change,
    channels: impl Iterator<Item = Channel>,
    now: Timestamp,
) -> Result<()> {
    let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
    for channel in channels {
        let insert =
            "INSERT INTO alerts (id, channel, finding, payload, created_at, next_at) VALUES ($1, $2, $3, $4, $5, $5)";
        let values = values![id.as_str(), channel.as_str(), change.finding.as_str(), change.payload.as_str(), now];
        tx.execute(insert, values).await?;
    }
    Ok(())
}
