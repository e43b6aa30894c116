//! Connections: how many, how long they may take, and how they end. One slow or greedy client costs the others nothing.

use super::{
    Site,
    answer::{self, Answer},
    public::routes,
};
use crate::clock::Clock;
use axum::{
    Extension, Router,
    extract::{MatchedPath, Request},
    http::{HeaderName, Method, StatusCode},
    middleware::{self, Next},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};

/// Connections at once; the next wait in the system's queue.
const CONNECTIONS: usize = 512;
/// For the head of a request, and between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// For the rest: body read, database asked, answer made.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a stop waits for answers under way.
const PATIENCE: Duration = Duration::from_secs(5);

/// The peer of a connection.
#[derive(Debug, Clone, Copy)]
struct Peer(IpAddr);

/// Answers until `stop`, then finishes what is under way.
pub async fn serve(site: Arc<Site>, listener: TcpListener, stop: CancellationToken) {
    let trusted = Arc::new(site.config.web.trusted_proxies.clone());
    let app = routes(site).layer(middleware::from_fn(move |request, next| {
        let trusted = Arc::clone(&trusted);
        async move { heard(&trusted, request, next).await }
    }));
    if let Ok(address) = listener.local_addr() {
        info!(%address, "pages are served on http://{address}");
    }
    let (graceful, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    loop {
        let Some(Ok(place)) = stop.run_until_cancelled(Arc::clone(&room).acquire_owned()).await else { break };
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { break };
        let (stream, peer): (_, SocketAddr) = match accepted {
            Ok(accepted) => accepted,
            Err(why) => {
                // Out of file descriptors, as a rule: it passes when connections end.
                warn!(%why, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service: Router = app.clone().layer(Extension(Peer(peer.ip())));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(32 * 1024)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(PATIENCE, graceful.shutdown()).await;
}

/// Around every request: its name in the log, its time, and an answer in any case.
async fn heard(trusted: &[IpAddr], request: Request, next: Next) -> Answer {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let started = Clock::monotonic();
    let from_proxy = request.extensions().get::<Peer>().is_some_and(|Peer(peer)| trusted.contains(peer));
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let given = given.filter(|id| from_proxy && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic()));
    let id = given.map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), str::to_owned);
    // The route, never the path: that may hold a token.
    let route = request.extensions().get::<MatchedPath>().map_or("-", |path| path.as_str()).to_owned();
    let method = request.method().clone();

    let span = info_span!("request", id, %method, route);
    let mut answer = match tokio::time::timeout(WHOLE_TIMEOUT, next.run(request).instrument(span.clone())).await {
        Ok(answer) => answer,
        Err(_) => answer::text(StatusCode::REQUEST_TIMEOUT, "La demande a pris trop de temps.\n"),
    };
    let (status, ms) = (answer.status().as_u16(), started.elapsed().as_millis() as u64);
    let _in = span.enter();
    match () {
        () if status >= 500 => warn!(status, ms, "answered"),
        () if method == Method::POST => info!(status, ms, "answered"),
        () => debug!(status, ms, "answered"),
    }
    answer::set(&mut answer, REQUEST_ID, &id);
    answer
}
