//! The loop that reads the mailbox in which bounces arrive, if one is configured.

use super::{Daemon, LONGEST_PAUSE, chain};
use crate::app::Engine;
use crate::domain::Timestamp;
use crate::inbound::maildir;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How often the mailbox is read.
const EVERY: Duration = Duration::from_secs(60);
/// That it was read is recorded as often, unless something changes.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(10);

/// What was last recorded of a mailbox.
#[derive(Default)]
struct Noted {
    at: Option<Timestamp>,
    trouble: Option<String>,
}

impl Daemon {
    /// Runs until `stop`. The settings are read before each pass, so that a reload is followed.
    pub(super) async fn keep_reading(self: Arc<Self>, stop: CancellationToken) {
        let mut noted = Noted::default();
        while !stop.is_cancelled() {
            let engine = self.engine();
            if engine.app.config.inbound.is_on() {
                self.reading_pass(&engine, &mut noted, &stop).await;
            }
            // In two halves: no timer runs while the machine sleeps (S8).
            for _ in 0..2 {
                stop.run_until_cancelled(tokio::time::sleep(LONGEST_PAUSE.min(EVERY / 2))).await;
            }
        }
    }

    async fn reading_pass(&self, engine: &Engine, noted: &mut Noted, stop: &CancellationToken) {
        let Some(place) = &engine.app.config.inbound.maildir else { return };
        let trouble = match read(engine, place, stop).await {
            Ok(drained) => {
                if drained != maildir::Drained::default() {
                    let maildir::Drained { recorded, before, ignored } = drained;
                    info!(recorded, before, ignored, "mail that came back was read");
                }
                None
            }
            Err(failure) => Some(format!("{failure:#}")),
        };
        let now = self.now();
        let changed = trouble.is_some() != noted.trouble.is_some();
        if let Some(trouble) = trouble.as_ref().filter(|it| noted.trouble.as_ref() != Some(it)) {
            error!("the mailbox of bounces cannot be read: {trouble}");
        }
        if changed || noted.at.is_none_or(|at| now - at >= NOTED_EVERY) {
            match engine.store.mailbox_seen("maildir", trouble.as_deref(), now).await {
                Ok(()) => noted.at = Some(now),
                Err(failure) => error!(error = chain(&failure), "cannot record that the mailbox was read"),
            }
        }
        noted.trouble = trouble;
    }
}

async fn read(engine: &Engine, place: &std::path::Path, stop: &CancellationToken) -> anyhow::Result<maildir::Drained> {
    Ok(maildir::drain(engine.inbox().await?, place, &engine.app.clock, stop).await?)
}
