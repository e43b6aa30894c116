//! Who comes in: each route names what it asks for, and a request that does not have it gets no further.
//!
//! A request that may change something must come from a page of the console (`Sec-Fetch-Site`, else `Origin`; without either it
//! is refused), and its form must carry the token of its session.

use super::{
    Console,
    again::{Keeps, ShowAgain, Typed},
    cookies,
    upload::{self, FileField, NotRead, Upload},
};
use crate::accounts::{Permission, Viewer, code, session};
use crate::actions::accounts::login::Client;
use crate::domain::Timestamp;
use crate::store::{Session, Stage};
use crate::web::answer::{self, Answer};
use crate::web::server::{ClientAddress, RequestId};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request, State},
    handler::Handler,
    http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    routing::{MethodFilter, MethodRouter, on},
};
use chrono::TimeDelta;
use futures_util::StreamExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{info, warn};

pub(super) const GET: MethodFilter = MethodFilter::GET;
pub(super) const POST: MethodFilter = MethodFilter::POST;

/// The largest form, in bytes.
const LARGEST_FORM: usize = 128 * 1024;
/// Fields of a form: a page of orders has a box for each.
const MOST_FIELDS: usize = 400;
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
    /// What is shown again if the session is over.
    pub(super) keeps: Keeps,
    /// The password is asked for again if that was a while ago, and then one comes to this page ([`super::me`]).
    proven: Option<&'static str>,
    /// The fields of its form that take a file.
    files: &'static [FileField],
    handler: MethodRouter<Arc<Console>>,
}

/// What a route asks for and takes.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    asks: Asks,
    keeps: Keeps,
    proven: Option<&'static str>,
    files: &'static [FileField],
}

impl Route {
    /// Requires a recent login. Otherwise the password is asked for first, the fields that are kept are not lost, and the user
    /// returns to `page`.
    pub(super) fn proven(self, page: &'static str) -> Self {
        Self { proven: Some(page), ..self }
    }

    /// These fields are not lost if the session is over: a GET of the same address shows them ([`Typed`]).
    pub(super) fn keeps(self, keeps: Keeps) -> Self {
        Self { keeps, ..self }
    }

    /// Its form may be `multipart/form-data`, with files in these fields.
    pub(super) fn takes(self, files: &'static [FileField]) -> Self {
        Self { files, ..self }
    }

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
    Route { method, path, asks, keeps: Keeps::NOTHING, proven: None, files: &[], handler: on(method, handler) }
}

/// The routes, each behind what it asks for.
pub(super) fn guarded(routes: Vec<Route>, console: &Arc<Console>) -> Router<Arc<Console>> {
    routes.into_iter().fold(Router::new(), |router, it| {
        let rules = Rules { asks: it.asks, keeps: it.keeps, proven: it.proven, files: it.files };
        let allowed = middleware::from_fn_with_state((Arc::clone(console), rules), allowed);
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
pub(super) struct Form {
    fields: Arc<HashMap<String, String>>,
    files: Arc<Vec<Upload>>,
    /// Held as long as the files are in memory.
    _turn: Option<Arc<OwnedSemaphorePermit>>,
}

impl Form {
    #[cfg(test)]
    pub(super) fn of(fields: HashMap<String, String>) -> Self {
        Self::with_files(fields, Vec::new())
    }

    pub(super) fn with_files(fields: HashMap<String, String>, files: Vec<Upload>) -> Self {
        Self { fields: Arc::new(fields), files: Arc::new(files), _turn: None }
    }

    fn in_turn(self, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self { _turn: turn.map(Arc::new), ..self }
    }

    pub(super) fn files(&self) -> &[Upload] {
        &self.files
    }

    /// The rest of the names that begin with this, of fields that are given.
    pub(super) fn ticked(&self, prefix: &str) -> Vec<&str> {
        let mut names: Vec<_> = self.fields.keys().filter_map(|name| name.strip_prefix(prefix)).collect();
        names.sort_unstable();
        names
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
}

/// Around every request: where it comes from, and whose session it belongs to.
pub(super) async fn enter(
    State((console, pages)): State<(Arc<Console>, Router)>,
    mut request: Request,
    next: Next,
) -> Answer {
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
        match console.store().session(&token_hash, now).await {
            Err(error) => return console.unavailable(None, &error),
            Ok(None) => {}
            Ok(Some(session)) if session.stage == Stage::Half => {
                let form_token = code::form_token(token, &session.user);
                request.extensions_mut().insert(HalfLoggedIn { session, token_hash, form_token });
            }
            Ok(Some(session)) => {
                let mut seen = session.seen_at;
                if now - seen > TOUCH {
                    seen = now;
                    let (_, idle_until) = session::ends(session.kept, session.created_at, now);
                    if let Err(error) = console.store().touch_session(&token_hash, idle_until, now).await {
                        warn!(error = &error as &dyn std::error::Error, "a session in use was not written down");
                    }
                }
                let viewer = viewer(&session, token, seen);
                watched = Some(token_hash.clone());
                request.extensions_mut().insert(viewer);
                request.extensions_mut().insert(LoggedIn { session, token_hash });
            }
        }
    }
    let person = Person::of(request.extensions());
    request.extensions_mut().insert(client.clone());
    let mut answer = next.run(request).await;
    if let Some(wanted) = answer.extensions_mut().remove::<ShowAgain>() {
        return console.show_again(wanted, person, client, answer, pages).await;
    }
    match watched {
        Some(token_hash) if is_stream(&answer) => while_open(&console, token_hash, answer),
        _ => answer,
    }
}

/// Nobody gets further than the route allows, and no form without the token of its session.
async fn allowed(State((console, rules)): State<(Arc<Console>, Rules)>, mut request: Request, next: Next) -> Answer {
    let keeps = rules.keeps;
    let path = request.uri().path().to_owned();
    let viewer = request.extensions().get::<Viewer>().cloned();
    let expected = match rules.asks {
        Asks::Nothing => None,
        Asks::HalfALogin => match request.extensions().get::<HalfLoggedIn>() {
            Some(half) => Some(half.form_token.clone()),
            None => return console.session_over(request, rules).await,
        },
        Asks::May(permission) => match &viewer {
            Some(viewer) if viewer.roles.may(permission) => Some(viewer.form_token.clone()),
            Some(viewer) => {
                info!(event = "request.denied", user = viewer.user.as_str(), ?permission, "a permission is missing");
                return console.tell(Some(viewer), StatusCode::FORBIDDEN, "forbidden");
            }
            None => return console.session_over(request, rules).await,
        },
    };
    let is_proven = request.extensions().get::<LoggedIn>().is_some_and(|it| it.is_proven(&console));
    let unproven = rules.proven.filter(|_| !is_proven).zip(viewer.clone());
    if request.method().is_safe() {
        return match unproven {
            Some((page, viewer)) => console.confirm_first(&viewer, page, None),
            None => next.run(request).await,
        };
    }
    let form = match console.form_of(&mut request, rules.files, true).await {
        Ok(form) => form,
        Err(why) => return console.tell(viewer.as_ref(), why.status(), why.key()),
    };
    if expected.is_some_and(|token| token.is_empty() || !code::is_same(&token, form.get("jeton"))) {
        let mut answer = console.tell(viewer.as_ref(), StatusCode::FORBIDDEN, "foreign");
        // A form of an earlier session of the same person, left open in another window.
        let earlier = viewer.and_then(|it| Typed::in_form(&path, keeps, &form).filter(|typed| typed.is_of(&it.user)));
        if let Some(typed) = earlier {
            answer.extensions_mut().insert(ShowAgain { typed, session: None });
        }
        return answer;
    }
    if let Some((page, viewer)) = unproven {
        return console.confirm_first(&viewer, page, Typed::in_form(&path, keeps, &form));
    }
    request.extensions_mut().insert(form);
    next.run(request).await
}

/// The person of a complete session. `token`: what the cookie holds; `seen`: its last use that is written down.
fn viewer(session: &Session, token: &str, seen: Timestamp) -> Viewer {
    Viewer {
        ends: Some(session::ends(session.kept, session.created_at, seen).1),
        user: session.user.clone(),
        name: session.name.clone(),
        roles: session.roles,
        language: session.language,
        form_token: code::form_token(token, &session.user),
    }
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

pub(in crate::web) fn client(request: &Request) -> Client {
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
    /// nothing was done; what was typed into a form stays in the page, and the login carries it on.
    pub(super) async fn unknown(&self, method: &Method, path: &str, typed: Option<Typed>) -> Answer {
        match self.store().has_active_user().await {
            Err(error) => self.unavailable(None, &error),
            Ok(false) => self.closed(),
            Ok(true) if method.is_safe() => match super::page_of(path) {
                Some(page) if page > 0 => answer::see_other(&format!("/connexion?vers={page}")),
                _ => answer::see_other("/connexion"),
            },
            Ok(true) => match typed {
                Some(typed) => self.login_after(typed),
                None => self.tell(None, StatusCode::UNAUTHORIZED, "session_over"),
            },
        }
    }

    /// The fields of the body; none if it is no form. `keep_files`: somebody is logged in; else files are only read past.
    async fn form_of(
        &self,
        request: &mut Request,
        files: &'static [FileField],
        keep_files: bool,
    ) -> Result<Form, NotRead> {
        let content_type = answer::content_type(request.headers()).to_owned();
        let body = std::mem::replace(request.body_mut(), Body::empty());
        if !files.is_empty() && content_type.starts_with("multipart/form-data") {
            // Few at a time, until they are answered: each may hold its files in memory. Nothing is held for who is not logged in.
            let turn = if keep_files { Arc::clone(&self.uploads).acquire_owned().await.ok() } else { None };
            return Ok(upload::read(&content_type, body, files, keep_files).await?.in_turn(turn));
        }
        let bytes = to_bytes(body, LARGEST_FORM).await.map_err(|_| NotRead::TooLarge)?;
        let mut fields = HashMap::new();
        if content_type.starts_with("application/x-www-form-urlencoded") {
            for (name, value) in url::form_urlencoded::parse(&bytes).take(MOST_FIELDS) {
                fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
            }
        }
        Ok(Form::with_files(fields, Vec::new()))
    }

    /// The same for a request to a route with these rules.
    async fn session_over(&self, mut request: Request, rules: Rules) -> Answer {
        let (path, keeps) = (request.uri().path().to_owned(), rules.keeps);
        let form = match request.method().is_safe() {
            true => None,
            false => self.form_of(&mut request, rules.files, false).await.ok(),
        };
        let typed =
            form.and_then(|form| Typed::in_form(&path, keeps, &form).or_else(|| Typed::carried(&self.kept, &form)));
        self.unknown(request.method(), &path, typed).await
    }

    /// The form, filled in, instead of `answer`, whose cookies are kept: asked for as a GET, which changes nothing.
    async fn show_again(
        &self,
        wanted: ShowAgain,
        person: Option<Person>,
        client: Client,
        answer: Answer,
        pages: Router,
    ) -> Answer {
        let ShowAgain { typed, session: opened } = wanted;
        let status = if opened.is_some() { StatusCode::OK } else { StatusCode::CONFLICT };
        let person = match opened {
            None => person,
            Some(token) => {
                let token_hash = code::hash(&token);
                let session = self.store().session(&token_hash, self.now()).await.unwrap_or_default();
                session.map(|session| Person {
                    viewer: viewer(&session, &token, session.seen_at),
                    logged_in: LoggedIn { session, token_hash },
                })
            }
        };
        let Some(Person { viewer, logged_in }) = person else { return answer };
        if !typed.is_of(&viewer.user) {
            return with_cookies_of(self.tell(Some(&viewer), StatusCode::OK, "typed_by_another"), &answer);
        }
        let Ok(mut request) = Request::builder().uri(&typed.path).body(Body::empty()) else { return answer };
        let extensions = request.extensions_mut();
        extensions.insert(viewer);
        extensions.insert(logged_in);
        extensions.insert(client);
        extensions.insert(typed);
        let Ok(mut shown) = TowerToHyperService::new(pages).call(request).await;
        if shown.status() == StatusCode::OK {
            *shown.status_mut() = status;
        }
        with_cookies_of(shown, &answer)
    }
}

/// Whose request it is.
struct Person {
    viewer: Viewer,
    logged_in: LoggedIn,
}

impl Person {
    fn of(extensions: &Extensions) -> Option<Self> {
        let (viewer, logged_in) = (extensions.get::<Viewer>()?, extensions.get::<LoggedIn>()?);
        Some(Self { viewer: viewer.clone(), logged_in: logged_in.clone() })
    }
}

fn with_cookies_of(mut shown: Answer, answer: &Answer) -> Answer {
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        shown.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    shown
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
