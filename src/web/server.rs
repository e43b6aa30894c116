//! Connections: how many, how long they may take, and how they end. One slow or greedy client costs the others nothing.

use super::{
    Site,
    answer::{self, Answer},
    api,
    connections::{Crowd, Unstalled},
    console::{self, Console},
    public::routes,
};
use crate::clock::Clock;
use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, Method, StatusCode, Version, header, uri::Authority},
    middleware::{self, Next},
};
use hyper::server::conn::http1;
use hyper::{body::Incoming, service::Service, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, debug, info, info_span, warn};

/// What connections may take. Tests have smaller ones.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At once; the next wait in the system's queue.
    pub connections: usize,
    /// At once from one address (IPv6: one /64); the next are closed unanswered. Not for loopback and `web.trusted_proxies`: all
    /// that a proxy takes in comes from one address.
    pub per_address: usize,
    /// The rule of `per_address` counts for loopback too.
    pub loopback_counts: bool,
    /// For the head of a request, and between two requests.
    pub head: Duration,
    /// For the rest: body read, database asked, answer made.
    pub whole: Duration,
    /// The same for a form with files in the console: 28 MB on a slow line.
    pub upload: Duration,
    /// A client that takes nothing of its answer for so long is left.
    pub stalled: Duration,
    /// Then a connection answers its last request, ...
    pub connection: Duration,
    /// ... and so much later it is closed, whatever it does.
    pub last_answer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            per_address: 64,
            loopback_counts: false,
            head: Duration::from_secs(15),
            whole: Duration::from_secs(15),
            upload: Duration::from_mins(2),
            stalled: Duration::from_secs(30),
            connection: Duration::from_mins(5),
            // A brochure of 20 MB over a telephone.
            last_answer: Duration::from_mins(10),
        }
    }
}

/// How long a stop waits for answers under way.
const PATIENCE: Duration = Duration::from_secs(5);

/// The peer of a connection.
#[derive(Debug, Clone, Copy)]
struct Peer(IpAddr);

/// The client of the request: the peer, or, behind a trusted proxy, the last address in `X-Forwarded-For` that is not one.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// As in the log.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// The site that is served; another one may take its place at any time, and the next request meets it.
#[derive(Debug)]
pub struct Pages {
    served: watch::Sender<Served>,
    /// For the log.
    what: &'static str,
}

#[derive(Debug, Clone)]
struct Served {
    app: Router,
    proxies: Arc<[IpAddr]>,
}

impl Pages {
    pub fn new(site: Site, limits: Limits) -> Self {
        Self { served: watch::Sender::new(Served::site(site, limits)), what: "pages are" }
    }

    /// The console instead, for a listener of its own.
    pub fn of_console(console: Arc<Console>, limits: Limits) -> Self {
        Self { served: watch::Sender::new(Served::console(console, limits)), what: "the console is" }
    }

    /// From the next request on.
    pub fn show(&self, site: Site, limits: Limits) {
        self.served.send_replace(Served::site(site, limits));
    }

    /// From the next request on.
    pub fn show_console(&self, console: Arc<Console>, limits: Limits) {
        self.served.send_replace(Served::console(console, limits));
    }

    fn proxies(&self) -> Arc<[IpAddr]> {
        Arc::clone(&self.served.borrow().proxies)
    }
}

impl Served {
    fn site(site: Site, limits: Limits) -> Self {
        let proxies = site.config.web.trusted_proxies.clone();
        Self::new(routes(Arc::new(site)), proxies, [limits.whole; 2])
    }

    fn console(console: Arc<Console>, limits: Limits) -> Self {
        let proxies = console.trusted_proxies();
        Self::new(console::routes(console), proxies, [limits.whole, limits.upload])
    }

    /// `at_most`: for a request, and for one with files.
    fn new(routes: Router, proxies: Vec<IpAddr>, at_most: [Duration; 2]) -> Self {
        let proxies: Arc<[IpAddr]> = proxies.into();
        let trusted = Arc::clone(&proxies);
        let app = routes.layer(middleware::from_fn(move |request: Request, next| {
            let trusted = Arc::clone(&trusted);
            let has_files = answer::content_type(request.headers()).starts_with("multipart/form-data");
            async move { heard(&trusted, at_most[usize::from(has_files)], request, next).await }
        }));
        Self { app, proxies }
    }
}

/// Answers until `stop`, then finishes what is under way.
pub async fn serve(pages: Arc<Pages>, listener: TcpListener, limits: Limits, stop: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "{} served on http://{address}", pages.what);
    }
    let (tasks, room, crowd) =
        (TaskTracker::new(), Arc::new(Semaphore::new(limits.connections)), Arc::new(Crowd::new(limits.per_address)));
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
        let address = peer.ip().to_canonical();
        let spared = address.is_loopback() && !limits.loopback_counts || pages.proxies().contains(&address);
        let Some(seat) = crowd.admit((!spared).then_some(address)) else {
            debug!("one address has too many connections; its next one is closed");
            continue;
        };
        let (pages, stop) = (Arc::clone(&pages), stop.clone());
        tasks.spawn(async move {
            connection(&pages, stream, address, limits, &stop).await;
            drop((place, seat));
        });
    }
    drop(listener);
    tasks.close();
    let _ = tokio::time::timeout(PATIENCE, tasks.wait()).await;
}

/// One connection, to its end.
async fn connection(pages: &Pages, stream: TcpStream, peer: IpAddr, limits: Limits, stop: &CancellationToken) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let app = pages.served.borrow().app.clone();
        TowerToHyperService::new(app).call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(Unstalled::new(stream, limits.stalled)), answer);
    let mut connection = pin!(connection);
    // A client that breaks off is its own affair, here and below.
    tokio::select! {
        _ = &mut connection => return,
        () = stop.cancelled() => {}
        () = tokio::time::sleep(limits.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.last_answer, connection).await;
}

/// RFC 9112 3.2: a request of HTTP/1.1 names its host once, and what it names is one.
fn names_its_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => host.is_empty() || Authority::try_from(host.as_bytes()).is_ok(),
        (Some(_), Some(_)) => false,
    }
}

/// The last one that is not a trusted proxy; entries before it can be forged.
fn forwarded_for(headers: &HeaderMap, trusted: &[IpAddr]) -> Option<IpAddr> {
    const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
    let values = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
    let mut all: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    while let Some(last) = all.pop() {
        let address = last.parse::<IpAddr>().ok()?.to_canonical();
        if !trusted.contains(&address) {
            return Some(address);
        }
    }
    None
}

/// Around every request: its name in the log, its time, and an answer in any case.
async fn heard(trusted: &[IpAddr], at_most: Duration, mut request: Request, next: Next) -> Answer {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let started = Clock::monotonic();
    let from_proxy = request.extensions().get::<Peer>().is_some_and(|Peer(peer)| trusted.contains(peer));
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let given = given.filter(|id| from_proxy && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic()));
    let id = given.map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), str::to_owned);
    if let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() {
        let client = if from_proxy { forwarded_for(request.headers(), trusted).unwrap_or(peer) } else { peer };
        request.extensions_mut().insert(ClientAddress(client));
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    // The route, never the path: that may hold a token.
    let route = request.extensions().get::<MatchedPath>().map_or("-", |path| path.as_str()).to_owned();
    let method = request.method().clone();
    let is_of_api = request.uri().path().starts_with("/api/");

    let span = info_span!("request", id, %method, route);
    let mut answer = if names_its_host(&request) {
        match tokio::time::timeout(at_most, next.run(request).instrument(span.clone())).await {
            Ok(answer) => answer,
            Err(_) if is_of_api => api::too_late(),
            Err(_) => answer::text(StatusCode::REQUEST_TIMEOUT, "La demande a pris trop de temps.\n"),
        }
    } else {
        answer::text(StatusCode::BAD_REQUEST, "La demande doit nommer son hôte, une fois.\n")
    };
    answer::dress_undressed(&mut answer);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_whom_our_own_proxy_names_and_nobody_before_it() {
        let trusted = ["127.0.0.1".parse().unwrap()];
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-for"), text.parse().unwrap())]);
            forwarded_for(&headers, &trusted).map(|it| it.to_string())
        };
        assert_eq!(of("198.51.100.9, 192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(of("192.0.2.7, 127.0.0.1").as_deref(), Some("192.0.2.7"));
        assert_eq!((of("nonsense"), of("127.0.0.1"), of("192.0.2.7, nonsense")), (None, None, None));
    }
}
