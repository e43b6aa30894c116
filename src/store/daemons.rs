//! The daemons that use this ledger, by their heartbeats: for display only, never for decisions.

use super::Ledger;
use super::{
    Daemon, RelayLeftAlone, Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::Timestamp;
use async_trait::async_trait;

/// Heartbeats of the daemons.
#[async_trait]
pub trait Daemons: Send + Sync {
    /// Records that this daemon is alive. Removes others not seen since `forget`.
    async fn beat(&self, daemon: &Daemon, forget: Timestamp) -> Result<()>;

    /// Removes this daemon, which stops with nothing in flight.
    async fn leave(&self, owner: &str) -> Result<()>;

    /// Most recently seen first.
    async fn daemons(&self) -> Result<Vec<Daemon>>;
}

#[async_trait]
impl<B: Backend> Daemons for Ledger<B> {
    async fn beat(&self, daemon: &Daemon, forget: Timestamp) -> Result<()> {
        beat(&self.0, daemon, forget).await
    }

    async fn leave(&self, owner: &str) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "saying that this daemon stops").await?;
        tx.execute("DELETE FROM daemons WHERE owner = $1", values![owner]).await?;
        tx.commit().await
    }

    async fn daemons(&self) -> Result<Vec<Daemon>> {
        let mut tx = Transaction::read(&self.0, "reading who works here").await?;
        let select = "SELECT owner, host, pid, version, started_at, seen_at, relay_trouble, relay_until, relay_since
            FROM daemons ORDER BY seen_at DESC, owner";
        let read = |row| {
            let row = Reader::new(row, "daemons", "owner");
            let relay = match (row.optional_text("relay_trouble")?, row.optional_instant("relay_until")?) {
                (Some(trouble), Some(until)) => {
                    // Of a daemon older than schema 23.
                    let since = row.optional_instant("relay_since")?.unwrap_or(until);
                    Some(RelayLeftAlone { trouble, since, until })
                }
                _ => None,
            };
            Ok(Daemon {
                owner: row.text("owner")?,
                host: row.text("host")?,
                pid: row.number("pid")?,
                version: row.text("version")?,
                started_at: row.instant("started_at")?,
                seen_at: row.instant("seen_at")?,
                relay,
            })
        };
        tx.rows(select, values![]).await?.iter().map(read).collect()
    }
}

pub(super) async fn beat<B: Backend>(db: &B, it: &Daemon, forget: Timestamp) -> Result<()> {
    let mut tx = Transaction::write(db, "saying that this daemon is alive").await?;
    let upsert =
        "INSERT INTO daemons (owner, host, pid, version, started_at, seen_at, relay_trouble, relay_until, relay_since)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at, relay_trouble = excluded.relay_trouble,
            relay_until = excluded.relay_until, relay_since = excluded.relay_since";
    let trouble = it.relay.as_ref().map(|relay| relay.trouble.as_str());
    let until = it.relay.as_ref().map(|relay| relay.until);
    let since = it.relay.as_ref().map(|relay| relay.since);
    let values = values![
        it.owner.as_str(),
        it.host.as_str(),
        it.pid,
        it.version.as_str(),
        it.started_at,
        it.seen_at,
        trouble,
        until,
        since
    ];
    tx.execute(upsert, values).await?;
    let forgotten = "DELETE FROM daemons WHERE seen_at < $1 AND owner <> $2";
    tx.execute(forgotten, values![forget, it.owner.as_str()]).await?;
    tx.commit().await
}
