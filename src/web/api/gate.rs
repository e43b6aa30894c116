//! Who gets in, and with what: each route names its scope, its parameters and its body; a request with anything else gets no further.
//! A cookie counts for nothing here.

use super::{
    Api,
    problem::{Code, Problem},
};
use crate::accounts::Scope;
use crate::actions::{
    Actor,
    tokens::{self, Entry},
};
use crate::store::api::Token;
use crate::web::answer::{self, Answer};
use crate::web::console::client;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    handler::Handler,
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::IntoResponse,
    routing::{MethodFilter, MethodRouter, on},
};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use tracing::info;

/// The longest text in the query, in characters.
pub(super) const LONGEST_TEXT: usize = 4000;

/// A parameter in the query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Param {
    pub name: &'static str,
    pub kind: Kind,
    pub about: &'static str,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// From 1 to this.
    Number(u32),
    /// `true` or `false`.
    Flag,
    Choice(&'static [&'static str]),
}

impl Kind {
    fn allows(self, text: &str) -> bool {
        match self {
            Kind::Text => text.chars().count() <= LONGEST_TEXT && !text.contains(char::is_control),
            Kind::Number(most) => {
                text.bytes().all(|b| b.is_ascii_digit()) && text.parse().is_ok_and(|n: u32| (1..=most).contains(&n))
            }
            Kind::Flag => matches!(text, "true" | "false"),
            Kind::Choice(words) => words.contains(&text),
        }
    }
}

/// The body that a route takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    pub media_types: &'static [&'static str],
    pub most_bytes: usize,
}

/// What the document says of a route, and the gate checks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doc {
    pub id: &'static str,
    pub about: &'static str,
    pub query: &'static [Param],
    pub takes: Option<Takes>,
    /// Whether it takes an `Idempotency-Key`.
    pub has_key: bool,
    pub status: u16,
    /// The schema of the answer.
    pub schema: &'static str,
    /// Codes of problems beside those that every route has.
    pub problems: &'static [Code],
}

/// An address with what it asks for.
pub(super) struct Route {
    pub post: bool,
    pub path: &'static str,
    pub scope: Scope,
    pub doc: Doc,
    handler: MethodRouter<Arc<Api>>,
}

pub(super) fn get<H, T>(path: &'static str, scope: Scope, doc: Doc, handler: H) -> Route
where
    H: Handler<T, Arc<Api>>,
    T: 'static,
{
    Route { post: false, path, scope, doc, handler: on(MethodFilter::GET, handler) }
}

pub(super) fn post<H, T>(path: &'static str, scope: Scope, doc: Doc, handler: H) -> Route
where
    H: Handler<T, Arc<Api>>,
    T: 'static,
{
    Route { post: true, path, scope, doc, handler: on(MethodFilter::POST, handler) }
}

/// The routes, each behind what it asks for.
pub(super) fn guarded(routes: Vec<Route>, api: &Arc<Api>) -> Router<Arc<Api>> {
    routes.into_iter().fold(Router::new(), |router, it| {
        let allowed = middleware::from_fn_with_state((Arc::clone(api), it.scope, it.doc), allowed);
        // A layer of the route alone: another method is no matter of its scope.
        router.route(it.path, it.handler.route_layer(allowed))
    })
}

/// The program that asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub token: Token,
    pub actor: Actor,
}

impl Caller {
    /// Whether persons are shown to it.
    pub(super) fn sees_persons(&self) -> bool {
        self.token.scopes.has(Scope::ReadPersons)
    }
}

/// The parameters, each as its route allows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Arc<HashMap<String, String>>);

impl Query {
    /// Empty values are as if they were not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    pub(super) fn number(&self, name: &str, otherwise: u32) -> u32 {
        self.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// The body, as large as its route allows at the most.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole(pub Bytes);

async fn allowed(State((api, scope, doc)): State<(Arc<Api>, Scope, Doc)>, request: Request, next: Next) -> Answer {
    match admitted(&api, scope, doc, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(api: &Api, scope: Scope, doc: Doc, mut request: Request) -> Result<Request, Problem> {
    let (client, now) = (client(&request), api.now());
    let missing = || {
        let detail = "Il faut un jeton dans l’en-tête Authorization.";
        Problem::new(Code::TokenMissing, detail).challenge("Bearer realm=\"semainier\"")
    };
    let given = bearer(request.headers()).ok_or_else(missing)?;
    let token = match tokens::enter(&*api.engine.store, given, &client, now).await? {
        Entry::In(token) => token,
        Entry::Wrong => {
            let detail = "Ce jeton n’existe pas, a expiré ou a été révoqué.";
            return Err(Problem::new(Code::TokenInvalid, detail)
                .challenge("Bearer realm=\"semainier\", error=\"invalid_token\""));
        }
        Entry::Later(at) => {
            let detail = "Trop de jetons faux sont venus de ce réseau. Réessayez plus tard.";
            return Err(Problem::new(Code::TooManyFailures, detail).retry(at, now));
        }
    };
    if !token.scopes.has(scope) {
        info!(event = "token.denied", token = token.id, scope = scope.as_str(), "a scope is missing");
        let detail = format!("Ce jeton n’a pas le droit {}.", scope.as_str());
        let words = format!("Bearer realm=\"semainier\", error=\"insufficient_scope\", scope=\"{}\"", scope.as_str());
        return Err(Problem::new(Code::ScopeMissing, detail).challenge(&words));
    }
    let Ok(path) = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8() else {
        let detail = "L’adresse contient des octets qui ne sont pas de l’UTF-8.";
        return Err(Problem::new(Code::ParameterInvalid, detail));
    };
    if path.contains(char::is_control) {
        return Err(super::problem::nowhere().await);
    }
    let query = asked(request.uri().query().unwrap_or_default(), doc.query)?;
    if let Some(takes) = doc.takes {
        let kind = answer::content_type(request.headers()).split(';').next().unwrap_or_default().trim();
        if !takes.media_types.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            let detail = format!("Cette adresse attend un contenu de type {}.", takes.media_types.join(" ou "));
            return Err(Problem::new(Code::MediaTypeUnsupported, detail));
        }
        let too_large = || {
            let detail = format!("Le contenu dépasse {}\u{a0}Ko.", takes.most_bytes / 1024);
            Problem::new(Code::BodyTooLarge, detail)
        };
        let body = std::mem::replace(request.body_mut(), Body::empty());
        let bytes = read(body, takes.most_bytes).await?.ok_or_else(too_large)?;
        request.extensions_mut().insert(Whole(bytes));
    }
    let actor = Actor::of_token(&token, client.request_id.clone(), &client.network);
    request.extensions_mut().insert(Caller { token, actor });
    request.extensions_mut().insert(query);
    Ok(request)
}

/// The body; `None`: it is larger. Then some more of it is read and left, so that the client gets to the answer.
async fn read(body: Body, most: usize) -> Result<Option<Bytes>, Problem> {
    const LEFT: usize = 8 << 20;
    let (mut bytes, mut length, mut body) = (Vec::new(), 0_usize, body.into_data_stream());
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::BodyInvalid, "Le contenu n’est pas arrivé en entier."))?;
        length = length.saturating_add(chunk.len());
        match length {
            n if n <= most => bytes.extend_from_slice(&chunk),
            n if n > most + LEFT => break,
            _ => bytes.clear(),
        }
    }
    Ok((length <= most).then(|| bytes.into()))
}

/// The token, if there is exactly one (RFC 6750 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Parameters that the route does not know are refused: a filter that is misspelt must not be none.
fn asked(query: &str, known: &[Param]) -> Result<Query, Problem> {
    let mut asked = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some(param) = known.iter().find(|it| it.name == name) else {
            let name: String = name.chars().filter(|c| !c.is_control()).take(50).collect();
            let detail = format!("Le paramètre «\u{a0}{name}\u{a0}» n’existe pas ici.");
            return Err(Problem::new(Code::ParameterUnknown, detail));
        };
        let wrong = || invalid(param.name);
        if !param.kind.allows(&value) || asked.insert(param.name.to_owned(), value.into_owned()).is_some() {
            return Err(wrong());
        }
    }
    Ok(Query(Arc::new(asked)))
}

/// The parameter has a value that means nothing.
pub(super) fn invalid(name: &str) -> Problem {
    Problem::new(Code::ParameterInvalid, format!("La valeur du paramètre «\u{a0}{name}\u{a0}» n’est pas comprise."))
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
extension!(Caller, Query, Whole);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_what_the_route_allows_or_refused() {
        let known = [
            Param { name: "limit", kind: Kind::Number(500), about: "" },
            Param { name: "where", kind: Kind::Text, about: "" },
            Param { name: "dry_run", kind: Kind::Flag, about: "" },
        ];
        let query = asked("limit=20&where=commune+%3D+%22Auch%22&dry_run=true", &known).unwrap();
        assert_eq!((query.number("limit", 7), query.get("where")), (20, Some("commune = \"Auch\"")));
        assert!(query.is_set("dry_run") && !asked("dry_run=false", &known).unwrap().is_set("dry_run"));
        for wrong in [
            "limit=0",
            "limit=501",
            "limit=+5",
            "limit=%C2%B2",
            "limit=",
            "dry_run=yes",
            "where=%00",
            "where=a&where=b",
            "x=1",
        ] {
            assert!(asked(wrong, &known).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_one_bearer_token_is_taken() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|it| {
                headers.append(header::AUTHORIZATION, it.parse().unwrap());
            });
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["Bearer sem_x"]).as_deref(), Some("sem_x"));
        assert_eq!(of(&["bearer  sem_x "]).as_deref(), Some("sem_x"));
        for wrong in [&[][..], &["Basic sem_x"], &["sem_x"], &["Bearer a", "Bearer b"]] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }
}
