//! Who comes in: each route names what it asks for, and a request that does not have it gets no further.
//!
//! A request that may change something must come from a page of the console (`Sec-Fetch-Site`, else `Origin`; without either it
//! is refused), and its form must carry the token of its session.

use super::{Console, cookies};
use crate::accounts::{Permission, Viewer, code, session};
use crate::actions::accounts::login::Client;
use crate::store::{Session, Stage};
use crate::web::answer::{self, Answer};
use crate::web::server::{ClientAddress, RequestId};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request, State},
    handler::Handler,
    http::{HeaderMap, HeaderName, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    routing::{MethodFilter, MethodRouter, on},
};
use chrono::TimeDelta;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

pub(super) const GET: MethodFilter = MethodFilter::GET;
pub(super) const POST: MethodFilter = MethodFilter::POST;

/// The largest form, in bytes.
const LARGEST_FORM: usize = 128 * 1024;
/// How often a stream looks whether its session is still open.
const LOOK: Duration = Duration::from_millis(500);
/// A session in use is written down at most so often.
const TOUCH: TimeDelta = TimeDelta::minutes(1);

/// What a route requires of the sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing: login and invitation.
    Nothing,
    /// That the password was right, and the second factor is still missing: nothing else is reached by it.
    HalfALogin,
    /// A complete login, and this permission.
    May(Permission),
}

/// A page or an action, with what it requires of the person; every route has one.
pub(super) struct Route {
    method: MethodFilter,
    pub(super) path: &'static str,
    pub(super) asks: Asks,
    handler: MethodRouter<Arc<Console>>,
}

impl Route {
    pub(super) fn changes(&self) -> bool {
        self.method == POST
    }
}

pub(super) fn route<H, T>(method: MethodFilter, path: &'static str, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<Console>>,
    T: 'static,
{
    open(method, path, Asks::May(permission), handler)
}

/// A route that asks for less than a complete login.
pub(super) fn open<H, T>(method: MethodFilter, path: &'static str, asks: Asks, handler: H) -> Route
where
    H: Handler<T, Arc<Console>>,
    T: 'static,
{
    Route { method, path, asks, handler: on(method, handler) }
}

/// The routes, each behind what it asks for.
pub(super) fn guarded(routes: Vec<Route>, console: &Arc<Console>) -> Router<Arc<Console>> {
    routes.into_iter().fold(Router::new(), |router, it| {
        let allowed = middleware::from_fn_with_state((Arc::clone(console), it.asks), allowed);
        router.route(it.path, it.handler.layer(allowed))
    })
}

/// Somebody who is logged in completely.
#[derive(Debug, Clone)]
pub(super) struct LoggedIn {
    pub session: Session,
    pub token_hash: String,
}

impl LoggedIn {
    /// Whether the person proved a moment ago who they are.
    pub(super) fn is_proven(&self, console: &Console) -> bool {
        console.now() - self.session.proved_at < session::PROOF
    }
}

/// Somebody whose password was right, and whose second factor is still missing.
#[derive(Debug, Clone)]
pub(super) struct HalfLoggedIn {
    pub session: Session,
    pub token_hash: String,
    pub form_token: String,
}

/// The fields of a form that was let in. Of a name that is given twice the first counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Arc<HashMap<String, String>>);

impl Form {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Around every request: where it comes from, and whose session it belongs to.
pub(super) async fn enter(State(console): State<Arc<Console>>, mut request: Request, next: Next) -> Answer {
    if !console.is_addressed(request.headers()) {
        let text = format!("La console répond à l’adresse {}.\n", console.origin.as_deref().unwrap_or_default());
        return answer::text(StatusCode::MISDIRECTED_REQUEST, text);
    }
    let client = client(&request);
    if !request.method().is_safe() && !is_same_origin(request.headers(), console.origin.as_deref()) {
        warn!(event = "request.foreign", network = client.network, "a request from elsewhere was refused");
        return console.tell(None, StatusCode::FORBIDDEN, "foreign");
    }
    let mut watched = None;
    // Tests of the pages come as somebody already.
    if request.extensions().get::<Viewer>().is_none()
        && let Some(token) = cookies::read(request.headers(), console.session_cookie())
    {
        let (token_hash, now) = (code::hash(token), console.now());
        let form_token = code::form_token(token);
        match console.store().session(&token_hash, now).await {
            Err(error) => return console.unavailable(None, &error),
            Ok(None) => {}
            Ok(Some(session)) if session.stage == Stage::Half => {
                request.extensions_mut().insert(HalfLoggedIn { session, token_hash, form_token });
            }
            Ok(Some(session)) => {
                if now - session.seen_at > TOUCH {
                    let (_, idle_until) = session::ends(session.kept, session.created_at, now);
                    if let Err(error) = console.store().touch_session(&token_hash, idle_until, now).await {
                        warn!(error = &error as &dyn std::error::Error, "a session in use was not written down");
                    }
                }
                request.extensions_mut().insert(Viewer {
                    user: session.user.clone(),
                    name: session.name.clone(),
                    roles: session.roles,
                    language: session.language,
                    form_token,
                });
                watched = Some(token_hash.clone());
                request.extensions_mut().insert(LoggedIn { session, token_hash });
            }
        }
    }
    request.extensions_mut().insert(client);
    let answer = next.run(request).await;
    match watched {
        Some(token_hash) if is_stream(&answer) => while_open(&console, token_hash, answer),
        _ => answer,
    }
}

/// Nobody gets further than the route allows, and no form without the token of its session.
async fn allowed(State((console, asks)): State<(Arc<Console>, Asks)>, mut request: Request, next: Next) -> Answer {
    let viewer = request.extensions().get::<Viewer>().cloned();
    let expected = match asks {
        Asks::Nothing => None,
        Asks::HalfALogin => match request.extensions().get::<HalfLoggedIn>() {
            Some(half) => Some(half.form_token.clone()),
            None => return console.unknown(request.method(), request.uri().path()).await,
        },
        Asks::May(permission) => match &viewer {
            Some(viewer) if viewer.roles.may(permission) => Some(viewer.form_token.clone()),
            Some(viewer) => {
                info!(event = "request.denied", user = viewer.user.as_str(), ?permission, "a permission is missing");
                return console.tell(Some(viewer), StatusCode::FORBIDDEN, "forbidden");
            }
            None => return console.unknown(request.method(), request.uri().path()).await,
        },
    };
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let is_form = answer::content_type(request.headers()).starts_with("application/x-www-form-urlencoded");
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let Ok(bytes) = to_bytes(body, LARGEST_FORM).await else {
        return console.tell(viewer.as_ref(), StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    };
    let mut fields = HashMap::new();
    if is_form {
        for (name, value) in url::form_urlencoded::parse(&bytes).take(100) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
    }
    let given = fields.get("jeton").map_or("", String::as_str);
    if expected.is_some_and(|token| token.is_empty() || !code::is_same(&token, given)) {
        return console.tell(viewer.as_ref(), StatusCode::FORBIDDEN, "foreign");
    }
    request.extensions_mut().insert(Form(Arc::new(fields)));
    next.run(request).await
}

/// By `Sec-Fetch-Site` where the browser sends it (https and loopback), else by `Origin`. A request with neither comes from no
/// page.
fn is_same_origin(headers: &HeaderMap, origin: Option<&str>) -> bool {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let one = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
            (Some(_), Some(_)) => Err(()),
        }
    };
    match (one(SITE), one(header::ORIGIN)) {
        (Ok(Some(site)), Ok(_)) => site == "same-origin",
        (Ok(None), Ok(Some(given))) => origin == Some(given),
        _ => false,
    }
}

fn is_stream(answer: &Answer) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A stream that ends with its session, whichever process ends the session.
fn while_open(console: &Arc<Console>, token_hash: String, answer: Answer) -> Answer {
    let console = Arc::clone(console);
    let over = async move {
        loop {
            tokio::time::sleep(LOOK).await;
            if !matches!(console.store().session(&token_hash, console.now()).await, Ok(Some(_))) {
                return;
            }
        }
    };
    let (head, body) = answer.into_parts();
    Answer::from_parts(head, Body::from_stream(body.into_data_stream().take_until(Box::pin(over))))
}

fn client(request: &Request) -> Client {
    let extensions = request.extensions();
    let agent = request.headers().get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    Client {
        network: extensions.get::<ClientAddress>().map(|it| network(it.0)).unwrap_or_default(),
        label: browser(agent),
        request_id: extensions.get::<RequestId>().map(|it| it.0.clone()),
        device: None,
    }
}

/// What one person or one office has: /24, or /56 of IPv6.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, _] = it.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            format!("{}/56", std::net::Ipv6Addr::new(a, b, c, d & 0xff00, 0, 0, 0, 0))
        }
    }
}

/// `Firefox, Linux`: enough to recognise one's own.
fn browser(agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|it| it.1);
    let program = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    [program, system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl Console {
    /// The answer without a session: a redirect to the login, or the closed page until there is an account. For a POST it says that
    /// nothing was done.
    pub(super) async fn unknown(&self, method: &Method, path: &str) -> Answer {
        match self.store().has_active_user().await {
            Err(error) => self.unavailable(None, &error),
            Ok(false) => self.closed(),
            Ok(true) if method.is_safe() => match super::page_of(path) {
                Some(page) if page > 0 => answer::see_other(&format!("/connexion?vers={page}")),
                _ => answer::see_other("/connexion"),
            },
            Ok(true) => self.tell(None, StatusCode::UNAUTHORIZED, "session_over"),
        }
    }
}

macro_rules! extension {
    ($($kind:ty),*) => {$(
        impl<S: Sync> FromRequestParts<S> for $kind {
            type Rejection = StatusCode;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
                parts.extensions.get::<$kind>().cloned().ok_or(StatusCode::UNAUTHORIZED)
            }
        }
    )*};
}
extension!(Viewer, LoggedIn, HalfLoggedIn, Form, Client);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_from_a_page_of_ours_or_is_refused() {
        let origin = Some("https://console.office.example");
        let same = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(HeaderName::from_static(name), value.parse().unwrap());
            }
            is_same_origin(&headers, origin)
        };
        let (site, from) = ("sec-fetch-site", "origin");
        assert!(same(&[(site, "same-origin")]));
        assert!(same(&[(site, "same-origin"), (from, "null")]), "a page without referrer sends null");
        assert!(same(&[(from, "https://console.office.example")]));
        for foreign in [
            &[][..],
            &[(site, "cross-site")],
            &[(site, "same-site"), (from, "https://console.office.example")],
            &[(site, "none")],
            &[(site, "")],
            &[(site, "same-origin"), (site, "cross-site")],
            &[(from, "null")],
            &[(from, "https://evil.example")],
            &[(from, "https://console.office.example.evil.example")],
            &[(from, "http://console.office.example")],
            &[(from, "https://console.office.example"), (from, "https://evil.example")],
        ] {
            assert!(!same(foreign), "{foreign:?}");
        }
    }

    #[test]
    fn networks_and_browsers_are_named_as_people_know_them() {
        assert_eq!(network("192.0.2.77".parse().unwrap()), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:23ff::1".parse().unwrap()), "2001:db8:1:2300::/56");
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        assert_eq!((browser(firefox), browser("curl/8")), ("Firefox, Linux".to_owned(), String::new()));
    }
}
