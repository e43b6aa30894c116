//! Signals. SIGTERM and SIGINT stop; SIGHUP reloads (in `semainier run`, whose terminal went away, it stops); SIGUSR1 and SIGUSR2
//! mean nothing here and are named in the log. SIGPIPE is ignored by the runtime of the language. What is left, SIGQUIT among
//! them, does what it does to every program.

use chrono::TimeDelta;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Cancels `stop` at the first SIGTERM, SIGINT or SIGHUP; as [`Signals::obey`] does.
pub async fn cancel_on_signal(stop: CancellationToken, patience: TimeDelta) {
    match Signals::new() {
        Ok(signals) => signals.obey(stop, patience, None).await,
        Err(why) => error!(%why, "signals cannot be heard"),
    }
}

/// Listens from its making to its end: none is lost, and none ends the process by itself.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    user: [Signal; 2],
}

enum Asked {
    Stop,
    Reload,
}

impl Signals {
    /// # Errors
    /// When the system lets us hear none.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    /// Cancels `stop` at the first SIGTERM or SIGINT. A second one, or `patience` at its end, ends the process at once: what is
    /// then past its marker becomes `unknown` at the next start. SIGHUP rings `reload`; without one it stops as well.
    pub async fn obey(mut self, stop: CancellationToken, patience: TimeDelta, reload: Option<Arc<Notify>>) {
        while let (Asked::Reload, Some(reload)) = (self.next().await, &reload) {
            reload.notify_one();
        }
        info!("asked to stop: nothing more is claimed, what is in flight is finished; ask again to stop now");
        stop.cancel();
        let again = async {
            // A service manager may send SIGHUP behind SIGTERM (SendSIGHUP=): that is no second word.
            while matches!(self.next().await, Asked::Reload) {}
        };
        let _ = tokio::time::timeout(patience.to_std().unwrap_or_default(), again).await;
        warn!("stopped with messages in flight; they are unknown until a person decides");
        std::process::exit(1);
    }

    async fn next(&mut self) -> Asked {
        let [user_1, user_2] = &mut self.user;
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => return Asked::Stop,
                _ = self.interrupt.recv() => return Asked::Stop,
                _ = self.hang_up.recv() => return Asked::Reload,
                _ = user_1.recv() => "SIGUSR1",
                _ = user_2.recv() => "SIGUSR2",
            };
            info!("{name} means nothing to semainier, and nothing was done; SIGHUP reloads, SIGTERM stops");
        }
    }
}
