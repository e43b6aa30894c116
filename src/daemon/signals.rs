//! SIGTERM and SIGINT.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Cancels `stop` at the first SIGTERM or SIGINT. A second one, or `patience` at its end, ends the process at once: what is
/// then past its marker becomes `unknown` at the next start.
pub async fn cancel_on_signal(stop: CancellationToken, patience: TimeDelta) {
    let heard = |error: std::io::Result<()>| error.inspect_err(|why| error!(%why, "signals cannot be heard")).is_ok();
    if !heard(any_signal().await) {
        return;
    }
    info!("asked to stop: nothing more is claimed, what is in flight is finished; ask again to stop now");
    stop.cancel();
    tokio::select! {
        again = any_signal() => { heard(again); }
        () = tokio::time::sleep(patience.to_std().unwrap_or_default()) => {}
    }
    warn!("stopped with messages in flight; they are unknown until a person decides");
    std::process::exit(1);
}

async fn any_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
