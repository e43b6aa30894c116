//! Who comes in: each route names the permission it asks for, and a request without a viewer who has it gets no further.

use super::Console;
use crate::accounts::{Permission, Viewer};
use crate::web::answer::Answer;
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    handler::Handler,
    http::{StatusCode, request::Parts},
    middleware::{self, Next},
    routing::{MethodFilter, MethodRouter, on},
};
use std::sync::Arc;

pub(super) const GET: MethodFilter = MethodFilter::GET;

/// A page or an action, with what it asks of the person: there is none without.
pub(super) struct Route {
    path: &'static str,
    permission: Permission,
    handler: MethodRouter<Arc<Console>>,
}

pub(super) fn route<H, T>(method: MethodFilter, path: &'static str, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<Console>>,
    T: 'static,
{
    Route { path, permission, handler: on(method, handler) }
}

/// The routes, each behind its permission.
pub(super) fn guarded(routes: Vec<Route>, console: &Arc<Console>) -> Router<Arc<Console>> {
    routes.into_iter().fold(Router::new(), |router, it| {
        let allowed = middleware::from_fn_with_state((Arc::clone(console), it.permission), allowed);
        router.route(it.path, it.handler.layer(allowed))
    })
}

/// Until somebody is known the console is closed; without the permission it says which is missing.
async fn allowed(State((console, asked)): State<(Arc<Console>, Permission)>, request: Request, next: Next) -> Answer {
    match request.extensions().get::<Viewer>() {
        Some(viewer) if viewer.roles.may(asked) => next.run(request).await,
        Some(viewer) => console.message(viewer, StatusCode::FORBIDDEN, "forbidden"),
        None => console.closed(),
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Viewer>().cloned().ok_or(StatusCode::UNAUTHORIZED)
    }
}
