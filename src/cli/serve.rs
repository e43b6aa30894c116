//! `semainier serve`: the daemon.

use super::{Context, Ended};
use crate::daemon::{self, Reload, Signals};
use crate::store::Access;
use anyhow::Context as _;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(super) async fn run(context: &Context) -> anyhow::Result<Ended> {
    // Before anything else, so that an early signal is handled too.
    let signals = Signals::new().context("cannot install the signal handlers")?;
    let app = context.app()?;
    for warning in app.config.warnings() {
        tracing::warn!("{warning}");
    }
    let (stop, asked, patience) = (CancellationToken::new(), Arc::new(Notify::new()), app.config.delivery.shutdown);
    let signals = tokio::spawn(signals.handle_until_stopped(stop.clone(), patience, Some(Arc::clone(&asked))));
    // When asked to stop, do not wait for an unavailable database.
    let Some(engine) = stop.run_until_cancelled(app.open(Access::Exclusive)).await else { return Ok(Ended::Done) };
    let context = context.clone();
    let reload = Reload { asked, read: Arc::new(move || context.read()) };
    let served = daemon::serve(engine?, reload, stop).await;
    signals.abort();
    served?;
    Ok(Ended::Done)
}
