//! Detects that a backup was restored (D10): this machine remembers, outside of the ledger, the instant of the last
//! marker or result that it wrote. If the ledger has nothing that late, it was restored, and what it shows as waiting may
//! have been sent since.
//!
//! Stored beside the file on SQLite; for Postgres in the state directory that systemd names, otherwise only in memory.
//! Must never be part of a backup of the ledger. Decides nothing.

use super::Ledger;
use super::{Result, backend::Backend, backend::Transaction, backend::values, rows::Reader};
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

/// Detects a ledger that was restored from a backup (D10).
#[async_trait]
pub trait RollbackGuard: Send + Sync {
    /// The instant of the last marker or result written by this machine, if the ledger has nothing that late: it was
    /// restored.
    async fn forgotten_since(&self) -> Result<Option<Timestamp>>;

    /// Accepts the ledger as it is from now on. Also used after deliveries were removed on purpose.
    async fn trust_the_ledger(&self) -> Result<()>;
}

#[async_trait]
impl<B: Backend> RollbackGuard for Ledger<B> {
    async fn forgotten_since(&self) -> Result<Option<Timestamp>> {
        self.1.forgotten(&self.0).await
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

    /// The last remembered write, if it is later than anything in the ledger.
    pub(super) async fn forgotten<B: Backend>(&self, db: &B) -> Result<Option<Timestamp>> {
        let at = self.at.load(Ordering::SeqCst);
        let forgotten = at > 0 && at > newest(db).await?;
        Ok(DateTime::from_timestamp_millis(at).filter(|_| forgotten))
    }

    /// Accepts the ledger as it is from now on.
    pub(super) async fn trust<B: Backend>(&self, db: &B) -> Result<()> {
        self.note(newest(db).await?);
        Ok(())
    }
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

async fn newest<B: Backend>(db: &B) -> Result<i64> {
    let mut tx = Transaction::read(db, "reading the last change").await?;
    let row = tx.row(NEWEST, values![]).await?;
    let newest = row.map(|row| Reader::new(&row, "deliveries", "newest").optional_instant("newest")).transpose()?;
    Ok(newest.flatten().map(|at| at.timestamp_millis()).unwrap_or_default())
}
