//! Detects that a backup was restored (D10): this machine stores, outside of the ledger, the instant of the last
//! marker or result that it wrote. If the ledger has nothing that late, it was restored, and deliveries it shows as queued may
//! have been sent since.
//!
//! Stored beside the file on SQLite; for Postgres in the state directory that systemd names, otherwise only in memory.
//! Must never be part of a backup of the ledger. Only reports; the daemon decides. `semainier restore` and `migrate` mark the
//! ledger itself, in its properties.

use super::Ledger;
use super::{Result, backend::Backend, backend::Transaction, backend::values, properties, rows::Reader};
use crate::domain::Timestamp;
use async_trait::async_trait;
use chrono::DateTime;
use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};
use tracing::warn;

/// Why a ledger is not trusted until a person has checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// It contains nothing as late as the last marker or result that this machine wrote, at `last`: it is not the same ledger.
    Behind { last: Timestamp },
    /// It was restored from a backup: by `semainier restore` (`at`) or by the database's own tools.
    Restored { at: Option<Timestamp> },
    /// It was copied at `at` to another database, which replaces it.
    Moved { at: Timestamp },
}

/// Detects a ledger that was restored from a backup (D10).
#[async_trait]
pub trait RollbackGuard: Send + Sync {
    /// Whether, and why, this is not the ledger that this machine last wrote to.
    async fn distrust(&self) -> Result<Option<Distrust>>;

    /// Accepts the ledger as it is from now on.
    async fn trust_the_ledger(&self) -> Result<()>;
}

#[async_trait]
impl<B: Backend> RollbackGuard for Ledger<B> {
    async fn distrust(&self) -> Result<Option<Distrust>> {
        self.1.distrust(&self.0).await
    }

    async fn trust_the_ledger(&self) -> Result<()> {
        self.1.trust(&self.0).await
    }
}

#[derive(Default)]
pub(super) struct LastWrite {
    file: Option<File>,
    /// Epoch milliseconds; 0: unknown.
    at: AtomicI64,
}

impl LastWrite {
    /// If the file cannot be written, the instant is remembered only until the process ends.
    pub(super) fn kept_in(path: &Path) -> Self {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut text = String::new();
        match options.and_then(|mut file| file.read_to_string(&mut text).map(|_| file)) {
            Ok(file) => Self { file: Some(file), at: AtomicI64::new(text.trim().parse().unwrap_or_default()) },
            Err(why) => {
                warn!(%why, "cannot write {}: a restored backup would not be detected after a restart", path.display());
                Self::default()
            }
        }
    }

    /// Not flushed: it must survive this process, not a power failure.
    pub(super) fn note(&self, at: i64) {
        self.at.store(at, Ordering::SeqCst);
        if let Some(file) = &self.file
            && let Err(why) = file.write_all_at(format!("{at:020}\n").as_bytes(), 0)
        {
            warn!(%why, "cannot store the instant of the last write beside the ledger");
        }
    }

    /// Checks the marks in the ledger first, which are valid on any machine; then whether this machine wrote later than the newest
    /// row.
    pub(super) async fn distrust<B: Backend>(&self, db: &B) -> Result<Option<Distrust>> {
        // Read before the snapshot, which lacks what another loop commits meanwhile.
        let at = self.at.load(Ordering::SeqCst);
        let mut tx = Transaction::read(db, "reading whether the ledger is the one that was left").await?;
        if let Some(mark) = properties::get(&mut tx, properties::RESTORED).await? {
            return Ok(Some(Distrust::Restored { at: Some(properties::marked_at(&mark)) }));
        }
        if let Some(mark) = properties::get(&mut tx, properties::MOVED).await? {
            return Ok(Some(Distrust::Moved { at: properties::marked_at(&mark) }));
        }
        if properties::get(&mut tx, properties::PLACE).await? != place(&mut tx).await? {
            return Ok(Some(Distrust::Restored { at: None }));
        }
        let behind = at > 0 && !reaches(&mut tx, at).await?;
        Ok(DateTime::from_timestamp_millis(at).filter(|_| behind).map(|last| Distrust::Behind { last }))
    }

    /// Accepts the ledger as it is from now on.
    pub(super) async fn trust<B: Backend>(&self, db: &B) -> Result<()> {
        let mut tx = Transaction::write(db, "taking the ledger as it is").await?;
        properties::remove(&mut tx, properties::RESTORED).await?;
        properties::remove(&mut tx, properties::MOVED).await?;
        if let Some(place) = place(&mut tx).await? {
            properties::set(&mut tx, properties::PLACE, &place).await?;
        }
        let newest = newest(&mut tx).await?;
        tx.commit().await?;
        self.note(newest);
        Ok(())
    }
}

/// A value that changes when the database's own tools restore a dump; `None` if the database has no such value.
async fn place<B: Backend>(tx: &mut Transaction<B>) -> Result<Option<String>> {
    let row = tx.row(B::SQL.place, values![]).await?;
    row.map(|row| Reader::new(&row, "properties", "place").optional_text("place")).transpose().map(Option::flatten)
}

/// The instant of the newest change, read when the ledger is accepted: one index lookup per frozen issue and state. The claims are
/// few.
pub(super) const NEWEST: &str = "SELECT max(newest) AS newest FROM (
        SELECT (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = s.state) AS newest
        FROM issues i CROSS JOIN (
            SELECT 'queued' AS state UNION ALL SELECT 'sent' UNION ALL SELECT 'failed'
            UNION ALL SELECT 'unknown' UNION ALL SELECT 'suppressed' UNION ALL SELECT 'expired'
            UNION ALL SELECT 'cancelled'
        ) AS s
        WHERE i.frozen_at IS NOT NULL
        UNION ALL
        SELECT max(c.since) FROM claims c
        UNION ALL
        SELECT max(c.marked_at) FROM claims c
    ) AS each_state";

/// Whether something changed at $1 or later. The daemon asks in every pass. The issue frozen last comes first: it is usually the one that
/// changed, so one lookup is enough.
pub(super) const REACHES: &str = "SELECT i.key FROM issues i WHERE i.frozen_at IS NOT NULL AND (
        (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'sent') >= $1
        OR (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'queued') >= $1
        OR (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'failed') >= $1
        OR (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'unknown') >= $1
        OR (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'suppressed') >= $1
        OR (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'expired') >= $1
        OR (SELECT max(d.changed_at) FROM deliveries d WHERE d.issue = i.key AND d.state = 'cancelled') >= $1
    ) ORDER BY i.frozen_at DESC, i.key DESC LIMIT 1";

/// Whether [`NEWEST`] is this instant or later.
async fn reaches<B: Backend>(tx: &mut Transaction<B>, at: i64) -> Result<bool> {
    let claimed = "SELECT delivery FROM claims WHERE since >= $1 OR marked_at >= $1 LIMIT 1";
    Ok(tx.row(claimed, values![at]).await?.is_some() || tx.row(REACHES, values![at]).await?.is_some())
}

async fn newest<B: Backend>(tx: &mut Transaction<B>) -> Result<i64> {
    let row = tx.row(NEWEST, values![]).await?;
    let newest = row.map(|row| Reader::new(&row, "deliveries", "newest").optional_instant("newest")).transpose()?;
    Ok(newest.flatten().map(|at| at.timestamp_millis()).unwrap_or_default())
}
