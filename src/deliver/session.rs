//! An open way to hand messages over: an SMTP connection, or the directory that stands for one.

use super::{
    Letter, Timeouts,
    capture::Capture,
    relay::Relay,
    reply::{Answer, no_reply},
    smtp::{Closed, Interrupted, Smtp},
};
use crate::domain::delivery::{Phase, Reply};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

pub(super) enum Session {
    Smtp(Box<Smtp>),
    Capture(Arc<Capture>),
}

impl Session {
    pub async fn open(relay: &Relay, tls: &TlsConnector, timeouts: &Timeouts) -> Result<Self, Closed> {
        match relay {
            Relay::Smtp(relay) => Ok(Self::Smtp(Box::new(Smtp::open(relay, tls, timeouts).await?))),
            Relay::Capture(directory) => match Capture::open(directory) {
                Ok(capture) => Ok(Self::Capture(Arc::new(capture))),
                Err(error) => {
                    let why = format!("{}: {error}", directory.display());
                    Err(Closed { phase: Phase::Connect, reply: no_reply(&why) })
                }
            },
        }
    }

    /// How many messages it has seen.
    pub fn messages(&self) -> u32 {
        match self {
            Self::Smtp(smtp) => smtp.messages(),
            Self::Capture(_) => 0,
        }
    }

    /// Whether a message can be announced with the end of the one before it.
    pub fn announces_ahead(&self) -> bool {
        matches!(self, Self::Smtp(smtp) if smtp.announces_ahead())
    }

    /// Whether this delivery was announced already, with the end of the message before it.
    pub fn has_announced(&self, id: &str) -> bool {
        matches!(self, Self::Smtp(smtp) if smtp.has_announced(id))
    }

    /// Announces the message; nothing of it has left when this returns.
    pub async fn envelope(&mut self, letter: &Letter<'_>) -> Result<(), Interrupted> {
        match self {
            Self::Smtp(smtp) => smtp.envelope(letter).await,
            Self::Capture(_) => Ok(()),
        }
    }

    /// Hands it over. Only with the marker committed. `next` may be announced with its end, to save a way to the relay and
    /// back; [`Self::envelope`] then brings the answers.
    pub async fn transfer(&mut self, letter: &Letter<'_>, next: Option<&Letter<'_>>) -> Result<Answer, Interrupted> {
        match self {
            Self::Smtp(smtp) => smtp.transfer(letter.message, next).await,
            Self::Capture(capture) => {
                let (capture, id) = (Arc::clone(capture), letter.id.to_owned());
                let (to, message) = (letter.to.clone(), letter.message.clone());
                let written = tokio::task::spawn_blocking(move || {
                    let letter = Letter { id: &id, to: &to, message: &message };
                    capture.write(&letter)
                });
                // Renamed into place or not there: never half, so a failure is certain.
                let lost = |why: String| Interrupted::Lost { phase: Phase::Body, why };
                let name = written.await.map_err(|e| lost(e.to_string()))?.map_err(|e| lost(e.to_string()))?;
                Ok(Answer { code: 250, lines: vec![format!("2.0.0 written to {name}")] })
            }
        }
    }

    /// After a refusal; `false`: this session is of no more use.
    pub async fn reset(&mut self) -> bool {
        match self {
            Self::Smtp(smtp) => smtp.reset().await,
            Self::Capture(_) => true,
        }
    }

    /// Whether it answers what has no effect (NOOP).
    ///
    /// # Errors
    /// The relay's words, or ours where it said none.
    pub async fn is_well(&mut self) -> Result<(), Reply> {
        match self {
            Self::Smtp(smtp) => smtp.noop().await,
            Self::Capture(_) => Ok(()),
        }
    }

    pub async fn quit(&mut self) {
        if let Self::Smtp(smtp) = self {
            smtp.quit().await;
        }
    }
}
