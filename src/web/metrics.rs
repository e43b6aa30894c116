//! `/metrics`, on a listener of its own: for operators, not for partners.

use crate::clock::Clock;
use crate::views::metrics::Metrics;
use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How long a text is served again, which bounds the load on the database.
const KEPT: Duration = Duration::from_secs(5);
/// How long a stop waits for an answer in progress.
const PATIENCE: Duration = Duration::from_secs(2);
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

struct Kept {
    metrics: Metrics,
    clock: Clock,
    text: Mutex<Option<(Instant, Arc<str>)>>,
}

/// Serves until `stop`.
pub async fn serve_metrics(metrics: Metrics, clock: Clock, listener: TcpListener, stop: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "metrics are served on http://{address}/metrics");
    }
    let kept = Arc::new(Kept { metrics, clock, text: Mutex::default() });
    let router = Router::new().route("/metrics", get(answer)).with_state(kept);
    let (asked, stopped) = (stop.clone(), stop.clone());
    let served = axum::serve(listener, router).with_graceful_shutdown(async move { asked.cancelled().await });
    let patience = async {
        stopped.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = served => {
            if let Err(why) = ended {
                error!(%why, "the metrics listener failed");
            }
        }
        () = patience => {}
    }
}

async fn answer(State(kept): State<Arc<Kept>>) -> impl IntoResponse {
    let mut text = kept.text.lock().await;
    let fresh = text.as_ref().filter(|(made, _)| Clock::monotonic() - *made < KEPT).map(|(_, text)| Arc::clone(text));
    let shown = match fresh {
        Some(fresh) => fresh,
        None => {
            let made: Arc<str> = kept.metrics.text(kept.clock.now()).await.into();
            *text = Some((Clock::monotonic(), Arc::clone(&made)));
            made
        }
    };
    ([(CONTENT_TYPE, FORMAT)], shown.to_string())
}
