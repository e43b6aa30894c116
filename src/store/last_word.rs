//! Detects that a backup was restored (D10): this machine remembers, outside of the ledger, the instant of the last
//! marker or result that it wrote. If the ledger has nothing that late, it was restored, and what it shows as waiting may
//! have been sent since.
//!
//! Stored beside the file on SQLite; for Postgres in the state directory that systemd names, otherwise only in memory.
//! Must never be part of a backup of the ledger. Decides nothing. What is known of a restored ledger by itself is in its
//! properties.

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

/// Why a ledger is not to be believed before a person has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// It knows of nothing so late as the last marker or result that this machine wrote, then: it is not the one that was left.
    Behind { last: Timestamp },
    /// It was put back from a backup, by `semainier restore` (then) or by the database's own tools.
    Restored { at: Option<Timestamp> },
    /// It was copied to another database then, which took its place.
    Moved { at: Timestamp },
}

/// Detects a ledger that was restored from a backup (D10).
#[async_trait]
pub trait RollbackGuard: Send + Sync {
    /// Whether this is not the ledger that was left.
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
pub(super) struct LastWord {
    file: Option<File>,
    /// Epoch milliseconds; 0: unknown.
    at: AtomicI64,
}

impl LastWord {
    /// If the file cannot be written, the instant is remembered only until the process ends.
    pub(super) fn kept_in(path: &Path) -> Self {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut text = String::new();
        match options.and_then(|mut file| file.read_to_string(&mut text).map(|_| file)) {
            Ok(file) => Self { file: Some(file), at: AtomicI64::new(text.trim().parse().unwrap_or_default()) },
            Err(why) => {
                warn!(%why, "{} cannot be kept: a restored backup would not be noticed after a restart", path.display());
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
            warn!(%why, "the instant of the last post cannot be kept beside the ledger");
        }
    }

    /// The marks in the ledger first, which hold on any machine; then whether it had its last word later than anything in it.
    pub(super) async fn distrust<B: Backend>(&self, db: &B) -> Result<Option<Distrust>> {
        // Before the snapshot: what another loop commits and notes while this one reads is not in it.
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
        let behind = at > 0 && at > newest(&mut tx).await?;
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

/// What changes when the database's own tools put a dump back; `None` where there is nothing of the kind.
async fn place<B: Backend>(tx: &mut Transaction<B>) -> Result<Option<String>> {
    let row = tx.row(B::SQL.place, values![]).await?;
    row.map(|row| Reader::new(&row, "properties", "place").optional_text("place")).transpose().map(Option::flatten)
}

/// One index lookup per issue and state, because the daemon asks in every pass and there may be millions of rows. The claims
/// are few.
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

async fn newest<B: Backend>(tx: &mut Transaction<B>) -> Result<i64> {
    let row = tx.row(NEWEST, values![]).await?;
    let newest = row.map(|row| Reader::new(&row, "deliveries", "newest").optional_instant("newest")).transpose()?;
    Ok(newest.flatten().map(|at| at.timestamp_millis()).unwrap_or_default())
}
