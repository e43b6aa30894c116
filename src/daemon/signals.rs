//! SIGTERM and SIGINT.

use chrono::TimeDelta;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Cancels `stop` at the first SIGTERM or SIGINT. A second one, or the end of `patience`, exits at once: deliveries past
/// their marker then become `unknown` at the next start.
pub async fn cancel_on_signal(stop: CancellationToken, patience: TimeDelta) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(why) => return error!(%why, "cannot listen for signals"),
    };
    signals.next().await;
    info!("asked to stop: nothing more is claimed, messages in flight are finished; signal again to stop at once");
    stop.cancel();
    let _ = tokio::time::timeout(patience.to_std().unwrap_or_default(), signals.next()).await;
    warn!("stopped with messages in flight; their deliveries become unknown");
    std::process::exit(1);
}

/// Registered from start to end, so that a second signal right after the first is not missed.
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
