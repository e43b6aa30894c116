//! Waits for new messages.

use super::{ImapError, Mailbox, Result, Session, Timing, answer::Answer, connection::goodbye};
use crate::{clock::Clock, domain::Timestamp};
use chrono::TimeDelta;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether the waiting is over: a timer does not run while the machine sleeps (S8).
const TICK: Duration = Duration::from_secs(30);

impl Mailbox {
    /// Waits until there may be new messages, `stop`, or `is_over`, which is asked every half minute: by IDLE (RFC 2177), or for a while
    /// where the server knows none. Ends at once without a connection.
    ///
    /// # Errors
    /// When the connection is lost. It is over then; the next [`Self::drain`] opens another one.
    pub async fn wait(&mut self, clock: &Clock, stop: &CancellationToken, is_over: impl Fn() -> bool) -> Result<()> {
        let Some(session) = &mut self.session else { return Ok(()) };
        if session.connection.can("IDLE") {
            let waited = session.idle(&self.timing, clock, stop, &is_over).await;
            if waited.is_err() {
                self.session = None;
            }
            return waited;
        }
        let until = after(clock, self.timing.poll);
        while !stop.is_cancelled() && clock.now() < until && !is_over() {
            stop.run_until_cancelled(tokio::time::sleep(TICK.min(self.timing.poll))).await;
        }
        Ok(())
    }
}

fn after(clock: &Clock, wait: Duration) -> Timestamp {
    clock.now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1))
}

impl Session {
    async fn idle(
        &mut self,
        timing: &Timing,
        clock: &Clock,
        stop: &CancellationToken,
        is_over: &impl Fn() -> bool,
    ) -> Result<()> {
        const WHAT: &str = "waiting for messages";
        let connection = &mut self.connection;
        // Some may have come while the last ones were moved.
        if connection.exists > connection.seen {
            return Ok(());
        }
        let until = after(clock, timing.idle);
        let sent = connection.begin(WHAT, "IDLE").await?;
        loop {
            match connection.step(&sent).await? {
                Answer::Continue => break,
                Answer::Done { .. } => return Err(ImapError::Unreadable(WHAT)),
                _ => {}
            }
        }
        while !stop.is_cancelled() && clock.now() < until && !is_over() && connection.exists <= connection.seen {
            let tick = TICK.min(timing.idle);
            let answer = tokio::select! {
                answer = connection.read(WHAT) => answer?,
                () = tokio::time::sleep(tick) => continue,
                () = stop.cancelled() => break,
            };
            if let Answer::Bye(said) = answer {
                return Err(goodbye(WHAT, &said));
            }
        }
        connection.write("DONE").await?;
        while !matches!(connection.step(&sent).await?, Answer::Done { .. }) {}
        Ok(())
    }
}
