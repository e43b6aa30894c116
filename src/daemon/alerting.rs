//! The loop that sends alerts, if a channel is configured.

use super::{Daemon, LONGEST_PAUSE, chain};
use crate::alerts::{Alerter, Outage};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing::error;

impl Daemon {
    /// Runs until `stop`. An alert interrupted by it is sent again after the next start, with the same id.
    pub(super) async fn keep_alerting(self: Arc<Self>, alerter: Alerter, stop: CancellationToken) {
        let mut outage = Outage::default();
        let passes = async {
            loop {
                self.alert_pass(&alerter, &mut outage).await;
                tokio::time::sleep(LONGEST_PAUSE).await;
            }
        };
        stop.run_until_cancelled(passes).await;
    }

    async fn alert_pass(&self, alerter: &Alerter, outage: &mut Outage) {
        let engine = self.engine();
        match alerter.pass(&engine.app, &*engine.store).await {
            Ok(()) => outage.over(),
            Err(failure) => {
                error!(error = chain(&failure), "cannot read or store alerts");
                outage.goes_on(alerter, &engine.app, &failure).await;
            }
        }
    }
}
