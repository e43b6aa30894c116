//! The API for programs: `/api/v1` on the console's listener, with tokens that have scopes. Thin: each route asks a view or an
//! action that the command line has too. `docs/api.md` describes it, and `openapi.json` for programs.
//!
//! No route approves, sends, replaces a list or erases. A cookie counts for nothing here, and a token for nothing elsewhere.

mod change;
mod check;
mod gate;
mod openapi;
mod problem;
mod read;

use self::gate::{Doc, Kind, Param, Route, Takes, get, post};
use self::problem::{Code, Problem};
use crate::accounts::Scope;
use crate::app::Engine;
use crate::domain::{Timestamp, email::mask_addresses};
use crate::web::answer::{self, Answer};
use axum::{Router, http::StatusCode, response::IntoResponse, routing};
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The state shared by all handlers.
struct Api {
    engine: Engine,
    /// Articles and lists that are parsed at once.
    parsers: Arc<Semaphore>,
}

/// Articles and lists that are parsed at once: of the threads for parsing most stay with the mailings.
const MOST_PARSERS: usize = 2;

impl Api {
    fn now(&self) -> Timestamp {
        self.engine.app.clock.now()
    }

    /// A permit to parse a body, held until parsing ends; a problem if too many bodies are being parsed.
    fn parser(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.parsers).try_acquire_owned().map_err(|_| {
            let (now, detail) =
                (self.now(), "D’autres contenus sont en cours de lecture. Réessayez dans quelques secondes.");
            Problem::new(Code::Busy, detail).retry(now + TimeDelta::seconds(5), now)
        })
    }
}

/// Path below `/api/v1`, whether it is a POST, and its scope: of every route.
pub fn declared() -> Vec<(&'static str, bool, Scope)> {
    all_routes().iter().map(|it| (it.path, it.post, it.scope)).collect()
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>(engine: &Engine) -> Router<S> {
    let api = Arc::new(Api { engine: engine.clone(), parsers: Arc::new(Semaphore::new(MOST_PARSERS)) });
    let document = openapi::document();
    gate::guarded(all_routes(), &api)
        .route("/openapi.json", routing::get(async move || answered(StatusCode::OK, &document)))
        .fallback(problem::nowhere)
        .method_not_allowed_fallback(problem::other_method)
        .with_state(api)
}

/// The answer to a request that took too long.
pub(super) fn too_late() -> Answer {
    problem::too_late().into_response()
}

/// Below `/api`, and not in it.
pub(super) async fn nowhere() -> Answer {
    problem::nowhere().await.into_response()
}

fn answered(status: StatusCode, body: &impl Serialize) -> Answer {
    answer::json(status, "application/json", body)
}

/// Every text in it, with addresses masked.
fn masked(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('@') => *text = mask_addresses(text).to_string(),
        Value::Array(all) => all.iter_mut().for_each(masked),
        Value::Object(all) => all.values_mut().for_each(masked),
        _ => {}
    }
}

const LIMIT: Param = Param { name: "limit", kind: Kind::Number(500), about: "Entries on a page, 100 unless given." };
const AFTER: Param =
    Param { name: "after", kind: Kind::Text, about: "`next` of the page before; without it, the first page." };
const MAILING: Param = Param { name: "mailing", kind: Kind::Text, about: "The id of a mailing, such as `agenda`." };
const STATES: [&str; 9] =
    ["held", "awaiting_approval", "rehearsed", "approved", "sending", "paused", "done", "expired", "cancelled"];
const DELIVERY_STATES: [&str; 9] =
    ["queued", "claimed", "in_data", "sent", "failed", "unknown", "suppressed", "expired", "cancelled"];

/// What a route says unless it says otherwise.
const PLAIN: Doc =
    Doc { id: "", about: "", query: &[], takes: None, has_key: false, status: 200, schema: "", problems: &[] };

/// Every route with its scope: without one it does not compile.
fn all_routes() -> Vec<Route> {
    vec![
        get(
            "/status",
            Scope::ReadStatus,
            Doc {
                id: "status",
                about: "Daemons, what leaves next, unfinished issues and what waits for a person, with the verdict of « Ce soir ».",
                schema: "Status",
                ..PLAIN
            },
            read::status,
        ),
        get(
            "/issues",
            Scope::ReadIssues,
            Doc {
                id: "issues",
                about: "Issues with their totals, the last one first.",
                query: &[
                    MAILING,
                    Param { name: "state", kind: Kind::Choice(&STATES), about: "Issues in this state only." },
                    AFTER,
                    LIMIT,
                ],
                schema: "Issues",
                ..PLAIN
            },
            read::issues,
        ),
        get(
            "/issues/{mailing}/{period}",
            Scope::ReadIssues,
            Doc {
                id: "issue",
                about: "One issue with its approvals and refusals.",
                schema: "IssueDetail",
                problems: &[Code::IssueUnknown],
                ..PLAIN
            },
            read::issue,
        ),
        get(
            "/issues/{mailing}/{period}/deliveries",
            Scope::ReadLog,
            Doc {
                id: "deliveries",
                about: "The deliveries of an issue with their attempts. Persons are masked without the scope read:persons.",
                query: &[
                    Param {
                        name: "state",
                        kind: Kind::Choice(&DELIVERY_STATES),
                        about: "Deliveries in this state only.",
                    },
                    AFTER,
                    LIMIT,
                ],
                schema: "Deliveries",
                problems: &[Code::IssueUnknown],
                ..PLAIN
            },
            read::deliveries,
        ),
        post(
            "/articles/check",
            Scope::CheckArticle,
            Doc {
                id: "check_article",
                about: "How an article would be read: its agenda, what is unclear, and what would hold it. Sends and stores nothing.",
                query: &[
                    Param {
                        name: "mailing",
                        kind: Kind::Text,
                        about: "The mailing it is for; the first one with an agenda unless given.",
                    },
                    Param {
                        name: "week",
                        kind: Kind::Text,
                        about: "An ISO week such as `2027-W28`; that of the next issue unless given.",
                    },
                    Param {
                        name: "published",
                        kind: Kind::Text,
                        about: "The day of publication, `2027-07-09`; today unless given.",
                    },
                    Param {
                        name: "title",
                        kind: Kind::Text,
                        about: "The title of the article, for the words of a hold.",
                    },
                    Param {
                        name: "url",
                        kind: Kind::Text,
                        about: "Where the article is or will be: relative links begin there.",
                    },
                ],
                takes: Some(Takes { media_types: &["text/html"], most_bytes: 2 << 20 }),
                schema: "Check",
                problems: &[Code::MailingUnknown, Code::ArticleUnreadable, Code::Busy],
                ..PLAIN
            },
            check::article,
        ),
        post(
            "/mailings/{id}/reread",
            Scope::TriggerReread,
            Doc {
                id: "reread",
                about: "The article is out: an issue that is held or rehearsed is read again within half a minute. Once a minute at most.",
                status: 202,
                schema: "Reread",
                problems: &[Code::MailingUnknown, Code::MailingNotCollected, Code::RereadTooOften],
                ..PLAIN
            },
            change::reread,
        ),
        get(
            "/orders",
            Scope::Orders,
            Doc {
                id: "orders",
                about: "Orders of editions by commune and establishment, with totals. Without the scope read:persons addresses are masked, names and remarks are empty.",
                query: &[
                    Param { name: "edition", kind: Kind::Text, about: "The slug of an edition." },
                    Param {
                        name: "closed",
                        kind: Kind::Flag,
                        about: "Whether delivered and cancelled ones are included.",
                    },
                ],
                schema: "Orders",
                problems: &[Code::NotFound],
                ..PLAIN
            },
            read::orders,
        ),
        post(
            "/orders/{id}/delivered",
            Scope::Orders,
            Doc {
                id: "order_delivered",
                about: "Marks an order as delivered. A second time it changes nothing.",
                schema: "Delivered",
                problems: &[Code::OrderUnknown, Code::OrderNotOpen],
                ..PLAIN
            },
            change::delivered,
        ),
        post(
            "/partners/imports",
            Scope::WritePartners,
            Doc {
                id: "import_partners",
                about: "Adds and updates the partners of a list, and returns the differences, without values and with addresses masked unless read:persons is held. All or nothing; never removes anybody, nor undoes what staff changed by hand.",
                query: &[
                    Param { name: "dry_run", kind: Kind::Flag, about: "Only says what would change." },
                    Param {
                        name: "source",
                        kind: Kind::Text,
                        about: "Where the addresses come from; the name of the token unless given.",
                    },
                    Param {
                        name: "mailings",
                        kind: Kind::Text,
                        about: "Ids of mailings with commas between them; all unless given.",
                    },
                ],
                takes: Some(Takes {
                    media_types: &["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
                    most_bytes: 2 << 20,
                }),
                has_key: true,
                schema: "Import",
                problems: &[
                    Code::MailingUnknown,
                    Code::IdempotencyKeyMissing,
                    Code::IdempotencyKeyReused,
                    Code::IdempotencyKeyInUse,
                    Code::AnswerErased,
                    Code::Busy,
                    Code::ListInvalid,
                    Code::Refused,
                ],
                ..PLAIN
            },
            change::import,
        ),
        get(
            "/partners",
            Scope::ReadPersons,
            Doc {
                id: "partners",
                about: "Contacts, by address; with `where` those of a segment.",
                query: &[
                    Param {
                        name: "where",
                        kind: Kind::Text,
                        about: "A segment, as in `partners list --where`: `category = \"hébergement\"`.",
                    },
                    AFTER,
                    LIMIT,
                ],
                schema: "Partners",
                ..PLAIN
            },
            read::partners,
        ),
    ]
}
