//! Signals. SIGTERM and SIGINT stop; SIGHUP reloads (in `semainier run`, where it means that the terminal was closed, it stops);
//! SIGUSR1 and SIGUSR2 are ignored and logged. SIGPIPE is ignored by Rust's runtime. All others, such as SIGQUIT, have their
//! default effect.

use chrono::TimeDelta;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Cancels `stop` at the first SIGTERM, SIGINT or SIGHUP, like [`Signals::handle_until_stopped`].
pub async fn cancel_on_signal(stop: CancellationToken, patience: TimeDelta) {
    match Signals::new() {
        Ok(signals) => signals.handle_until_stopped(stop, patience, None).await,
        Err(why) => error!(%why, "cannot install the signal handlers"),
    }
}

/// Handles the signals for as long as it exists: none is lost, and none ends the process by default.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user: [Signal; 2],
}

enum Asked {
    Stop,
    Reload,
}

impl Signals {
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    /// Cancels `stop` at the first SIGTERM or SIGINT. A second one, or `patience` running out, ends the process at once:
    /// deliveries that are then past their marker become `unknown` at the next start. SIGHUP notifies `reload`; without one
    /// it stops as well.
    pub async fn handle_until_stopped(
        mut self,
        stop: CancellationToken,
        patience: TimeDelta,
        reload: Option<Arc<Notify>>,
    ) {
        while let (Asked::Reload, Some(reload)) = (self.next().await, &reload) {
            reload.notify_one();
        }
        info!("stopping: nothing more is claimed, messages in flight are finished; repeat the signal to stop at once");
        stop.cancel();
        let again = async {
            // A service manager may send SIGHUP after SIGTERM (SendSIGHUP=): that does not count as a second request.
            while matches!(self.next().await, Asked::Reload) {}
        };
        let _ = tokio::time::timeout(patience.to_std().unwrap_or_default(), again).await;
        warn!("stopped with messages in flight; their outcome is unknown until a person settles it");
        std::process::exit(1);
    }

    async fn next(&mut self) -> Asked {
        let [user_1, user_2] = &mut self.user;
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => return Asked::Stop,
                _ = self.interrupt.recv() => return Asked::Stop,
                _ = self.hangup.recv() => return Asked::Reload,
                _ = user_1.recv() => "SIGUSR1",
                _ = user_2.recv() => "SIGUSR2",
            };
            info!("{name} ignored; SIGHUP reloads, SIGTERM stops");
        }
    }
}
