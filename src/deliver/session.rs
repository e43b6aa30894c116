//! An open session to send messages: an SMTP connection, or the directory that replaces one.

use super::{
    OutgoingMessage, Timeouts,
    capture::Capture,
    probe::Probe,
    relay::Relay,
    reply::{Answer, no_reply},
    smtp::{ConnectError, Smtp, SmtpError},
};
use crate::domain::delivery::{Phase, Reply};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

pub(super) enum Session {
    Smtp(Box<Smtp>),
    Capture(Arc<Capture>),
}

impl Session {
    pub async fn open(relay: &Relay, tls: &TlsConnector, timeouts: &Timeouts) -> Result<Self, ConnectError> {
        match relay {
            Relay::Smtp(relay) => Ok(Self::Smtp(Box::new(Smtp::open(relay, tls, timeouts).await?))),
            Relay::Capture(directory) => match Capture::open(directory) {
                Ok(capture) => Ok(Self::Capture(Arc::new(capture))),
                Err(error) => {
                    let why = format!("{}: {error}", directory.display());
                    Err(ConnectError { phase: Phase::Connect, reply: no_reply(&why) })
                }
            },
        }
    }

    /// Number of messages sent on it.
    pub fn messages(&self) -> u32 {
        match self {
            Self::Smtp(smtp) => smtp.messages(),
            Self::Capture(_) => 0,
        }
    }

    /// Whether a message can be pipelined behind the previous one.
    pub fn announces_ahead(&self) -> bool {
        matches!(self, Self::Smtp(smtp) if smtp.announces_ahead())
    }

    /// Whether the envelope of this delivery was pipelined behind the previous message.
    pub fn has_announced(&self, id: &str) -> bool {
        matches!(self, Self::Smtp(smtp) if smtp.has_announced(id))
    }

    /// Sends the envelope; nothing of the message is sent when this returns.
    pub async fn envelope(&mut self, outgoing: &OutgoingMessage<'_>) -> Result<(), SmtpError> {
        match self {
            Self::Smtp(smtp) => smtp.envelope(outgoing).await,
            Self::Capture(_) => Ok(()),
        }
    }

    /// Sends the message. Only call it with the marker committed. The envelope of `next` may be pipelined behind it, to
    /// save a round trip; [`Self::envelope`] then reads the replies.
    pub async fn transfer(
        &mut self,
        outgoing: &OutgoingMessage<'_>,
        next: Option<&OutgoingMessage<'_>>,
    ) -> Result<Answer, SmtpError> {
        match self {
            Self::Smtp(smtp) => smtp.transfer(outgoing.message, next).await,
            Self::Capture(capture) => {
                let (capture, id) = (Arc::clone(capture), outgoing.id.to_owned());
                let (to, message) = (outgoing.to.clone(), outgoing.message.clone());
                let written = tokio::task::spawn_blocking(move || {
                    let outgoing = OutgoingMessage { id: &id, to: &to, message: &message };
                    capture.write(&outgoing)
                });
                // Renamed into place or not there at all, so a failure is certain.
                let lost = |why: String| SmtpError::Lost { phase: Phase::Body, why };
                let name = written.await.map_err(|e| lost(e.to_string()))?.map_err(|e| lost(e.to_string()))?;
                Ok(Answer { code: 250, lines: vec![format!("2.0.0 written to {name}")] })
            }
        }
    }

    /// Recovers after a refusal; `false`: this session is unusable.
    pub async fn reset(&mut self) -> bool {
        match self {
            Self::Smtp(smtp) => smtp.reset().await,
            Self::Capture(_) => true,
        }
    }

    /// What the relay offered; a directory offers nothing.
    pub fn probe(&self) -> Probe {
        match self {
            Self::Smtp(smtp) => smtp.probe(),
            Self::Capture(_) => {
                Probe { peer: None, encrypted: false, certificate_ends: None, size: None, auth: Vec::new() }
            }
        }
    }

    /// Sends NOOP.
    ///
    /// # Errors
    /// The relay's reply, or where the connection was lost.
    pub async fn noop(&mut self) -> Result<(), Reply> {
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
