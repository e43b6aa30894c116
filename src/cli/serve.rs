//! `semainier serve`: the daemon.

use super::{Context, Ended};
use crate::daemon;
use crate::store::Access;
use tokio_util::sync::CancellationToken;

pub(super) async fn run(context: &Context) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Exclusive).await?;
    for warning in engine.app.config.warnings() {
        tracing::warn!("{warning}");
    }
    let stop = CancellationToken::new();
    let signals = tokio::spawn(daemon::cancel_on_signal(stop.clone(), engine.app.config.delivery.shutdown));
    let served = daemon::serve(engine, stop).await;
    signals.abort();
    served?;
    Ok(Ended::Done)
}
