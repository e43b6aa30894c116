//! The loop that delivers events to webhooks.

use super::{Daemon, chain};
use crate::webhooks;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// How often it looks for events: commands and other daemons queue them too, and no waker reaches from there.
const LOOK: Duration = Duration::from_secs(2);
/// How often it looks whether there is a receiver, so that an idle daemon sleeps.
const QUIET: Duration = Duration::from_secs(20);
/// After the ledger failed.
const LATER: Duration = Duration::from_secs(30);

impl Daemon {
    /// Runs until `stop`. What is interrupted by it is delivered again after its lease, with the same id.
    pub(super) async fn keep_telling(self: Arc<Self>, stop: CancellationToken) {
        let passes = async {
            loop {
                let pause = match webhooks::pass(&self.engine()).await {
                    Ok(false) => QUIET,
                    Ok(true) => LOOK,
                    Err(failure) => {
                        error!(error = chain(&failure), "cannot read or store events for webhooks");
                        LATER
                    }
                };
                tokio::time::sleep(pause).await;
            }
        };
        stop.run_until_cancelled(passes).await;
    }
}
