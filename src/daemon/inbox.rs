//! The loops that read the mailboxes in which bounces arrive, if some are configured.

use super::{Daemon, LONGEST_PAUSE, chain};
use crate::app::Engine;
use crate::domain::Timestamp;
use crate::inbound::{self, Drained, imap, maildir};
use chrono::TimeDelta;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How often the Maildir is read.
const EVERY: Duration = Duration::from_secs(60);
/// That a mailbox was read is recorded as often, unless something changes.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(10);
/// How long is waited after an IMAP server could not be read, at first and at the most.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(30);
/// And after it refused the login, since providers lock an account after some tries; until then somebody has written another password.
const WAIT_AFTER_REFUSAL: TimeDelta = TimeDelta::hours(6);

/// How long a stop waits for the server.
const WAIT_AT_THE_END: Duration = Duration::from_secs(5);

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
            if let Some(place) = &engine.app.config.inbound.maildir {
                let read = read(&engine, place, &stop).await;
                self.note(&engine, inbound::MAILDIR, &mut noted, &read).await;
            }
            // In two halves: no timer runs while the machine sleeps (S8).
            for _ in 0..2 {
                nap(&stop, EVERY / 2).await;
            }
        }
    }

    /// Runs until `stop`, with one connection as long as it lasts.
    pub(super) async fn keep_reading_imap(self: Arc<Self>, stop: CancellationToken) {
        let (mut noted, mut mailbox, mut wait) = (Noted::default(), None::<imap::Mailbox>, FIRST_WAIT);
        while !stop.is_cancelled() {
            let engine = self.engine();
            let wanted = engine.app.config.inbound.imap.as_ref();
            if let Some(other) = mailbox.take_if(|it| Some(it.settings()) != wanted).as_mut() {
                other.close().await;
                wait = FIRST_WAIT;
            }
            let Some(settings) = wanted else {
                nap(&stop, LONGEST_PAUSE).await;
                continue;
            };
            let mailbox = mailbox.get_or_insert_with(|| imap::Mailbox::new(settings.clone(), imap::Timing::default()));
            let read = match engine.inbox().await {
                Ok(inbox) => match or_stopped(&stop, mailbox.drain(inbox, &engine.app.clock, &stop)).await {
                    Some(drained) => drained.map_err(anyhow::Error::new),
                    // What was recorded and not moved yet is read again, and counts once.
                    None => return,
                },
                Err(failure) => Err(failure),
            };
            self.note(&engine, inbound::IMAP, &mut noted, &read).await;
            let failure = read.err().map(|it| it.downcast::<imap::ImapError>());
            let has_other_settings = || self.engine().app.config.inbound.imap.as_ref() != Some(settings);
            match failure {
                None | Some(Ok(imap::ImapError::Left { .. })) => {
                    let waiting = mailbox.wait(&engine.app.clock, &stop, has_other_settings);
                    let Some(waited) = or_stopped(&stop, waiting).await else { return };
                    wait = FIRST_WAIT;
                    if let Err(lost) = waited {
                        // Servers end connections; the next pass says if it lasts.
                        info!("the connection to the mailbox of bounces ended: {lost}");
                        self.rest(&engine, mailbox, wait, &stop).await;
                    }
                }
                Some(failure) => {
                    mailbox.close().await;
                    let is_lasting = failure.is_ok_and(|it| it.is_lasting());
                    self.rest(&engine, mailbox, if is_lasting { WAIT_AFTER_REFUSAL } else { wait }, &stop).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
        if let Some(mailbox) = &mut mailbox {
            mailbox.close().await;
        }
    }

    /// Waits, but not longer than until somebody has changed something: the files were read again, or there is another password.
    async fn rest(&self, engine: &Arc<Engine>, mailbox: &imap::Mailbox, wait: TimeDelta, stop: &CancellationToken) {
        let until = self.now() + wait;
        while !stop.is_cancelled()
            && self.now() < until
            && Arc::ptr_eq(engine, &self.engine())
            && !mailbox.has_new_password()
        {
            nap(stop, LONGEST_PAUSE).await;
        }
    }

    /// Logs and records what became of a pass.
    async fn note(&self, engine: &Engine, name: &str, noted: &mut Noted, read: &anyhow::Result<Drained>) {
        let trouble = match read {
            Ok(drained) => {
                if *drained != Drained::default() {
                    let Drained { recorded, before, ignored } = drained;
                    info!(mailbox = name, recorded, before, ignored, "mail that came back was read");
                }
                None
            }
            Err(failure) => Some(format!("{failure:#}")),
        };
        let now = self.now();
        // Another failure than before is recorded at once, too: a refused login is reported without delay.
        let changed = trouble != noted.trouble;
        if let Some(trouble) = trouble.as_ref().filter(|_| changed) {
            error!(mailbox = name, "the mailbox of bounces cannot be read: {trouble}");
        }
        if changed || noted.at.is_none_or(|at| now - at >= NOTED_EVERY) {
            match engine.store.mailbox_seen(name, trouble.as_deref(), now).await {
                Ok(()) => noted.at = Some(now),
                Err(failure) => {
                    error!(error = chain(&failure), "cannot record that the mailbox was read");
                    noted.at = None;
                }
            }
        }
        noted.trouble = trouble;
    }
}

/// `None`: the daemon stops, and the server does not answer.
async fn or_stopped<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(WAIT_AT_THE_END).await;
    };
    tokio::select! {
        done = work => Some(done),
        () = too_late => None,
    }
}

async fn nap(stop: &CancellationToken, at_most: Duration) {
    stop.run_until_cancelled(tokio::time::sleep(LONGEST_PAUSE.min(at_most))).await;
}

async fn read(engine: &Engine, place: &Path, stop: &CancellationToken) -> anyhow::Result<Drained> {
    Ok(maildir::drain(engine.inbox().await?, place, &engine.app.clock, stop).await?)
}
