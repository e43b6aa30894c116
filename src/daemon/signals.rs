//! SIGTERM and SIGINT.

use chrono::TimeDelta;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Cancels `stop` at the first SIGTERM or SIGINT. A second one, or `patience` at its end, ends the process at once: what is
/// then past its marker becomes `unknown` at the next start.
pub async fn cancel_on_signal(stop: CancellationToken, patience: TimeDelta) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(why) => return error!(%why, "signals cannot be heard"),
    };
    signals.next().await;
    info!("asked to stop: nothing more is claimed, what is in flight is finished; ask again to stop now");
    stop.cancel();
    let _ = tokio::time::timeout(patience.to_std().unwrap_or_default(), signals.next()).await;
    warn!("stopped with messages in flight; they are unknown until a person decides");
    std::process::exit(1);
}

/// Listens from the beginning to the end: a second signal hard on the first is not lost.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
