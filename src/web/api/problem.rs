//! Errors as RFC 9457 has them: `code` for programs, `detail` for people, in French.

use crate::actions::{ActionError, ApiRefusal, Refusal};
use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::web::answer::{self, Answer};
use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};
use tracing::error;

macro_rules! codes {
    ($($code:ident, $word:literal, $status:literal, $title:literal;)*) => {
        /// What a problem is, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Code {
            $($code),*
        }

        impl Code {
            pub(super) fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $word),*
                }
            }

            pub(super) fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status),*
                }
            }

            fn title(self) -> &'static str {
                match self {
                    $(Self::$code => $title),*
                }
            }
        }
    };
}

codes! {
    TokenMissing, "token_missing", 401, "A token is required";
    TokenInvalid, "token_invalid", 401, "The token is not valid";
    ScopeMissing, "scope_missing", 403, "The token lacks a scope";
    TooManyFailures, "too_many_failures", 429, "Too many invalid tokens";
    NotFound, "not_found", 404, "Not found";
    IssueUnknown, "issue_unknown", 404, "No such issue";
    MailingUnknown, "mailing_unknown", 404, "No such mailing";
    OrderUnknown, "order_unknown", 404, "No such order";
    MailingNotCollected, "mailing_not_collected", 409, "The mailing has no sources";
    MethodNotAllowed, "method_not_allowed", 405, "Method not allowed";
    RequestTimeout, "request_timeout", 408, "The request took too long";
    ParameterUnknown, "parameter_unknown", 400, "Unknown parameter";
    ParameterInvalid, "parameter_invalid", 400, "Invalid parameter";
    BodyInvalid, "body_invalid", 400, "The body cannot be read";
    BodyTooLarge, "body_too_large", 413, "The body is too large";
    MediaTypeUnsupported, "media_type_unsupported", 415, "Unsupported media type";
    ArticleUnreadable, "article_unreadable", 422, "The article cannot be parsed";
    Busy, "busy", 503, "Busy";
    RereadTooOften, "reread_too_often", 429, "Asked a moment ago";
    OrderNotOpen, "order_not_open", 409, "The order is not open";
    IdempotencyKeyMissing, "idempotency_key_missing", 400, "An Idempotency-Key is required";
    IdempotencyKeyReused, "idempotency_key_reused", 422, "The Idempotency-Key is of another request";
    IdempotencyKeyInUse, "idempotency_key_in_use", 409, "The same request is being processed";
    AnswerErased, "answer_erased", 410, "The answer was erased";
    ListInvalid, "list_invalid", 422, "The list has invalid lines";
    Refused, "refused", 409, "Refused";
    Unavailable, "unavailable", 503, "The database does not answer";
}

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Problem {
    code: Code,
    /// In French.
    detail: String,
    /// Seconds.
    retry_after: Option<i64>,
    challenge: Option<String>,
    more: Vec<(&'static str, Value)>,
}

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self { code, detail: sentence(&detail), retry_after: None, challenge: None, more: Vec::new() }
    }

    /// With the header `Retry-After`.
    pub(super) fn retry(self, at: Timestamp, now: Timestamp) -> Self {
        Self { retry_after: Some((at - now).num_seconds().max(1)), ..self }
    }

    /// With the header `WWW-Authenticate` (RFC 6750).
    pub(super) fn challenge(self, words: &str) -> Self {
        Self { challenge: Some(words.to_owned()), ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more.push((name, value));
        self
    }

    /// What an action did not do.
    pub(super) fn of(failure: ActionError, now: Timestamp) -> Self {
        match failure {
            ActionError::Refused(Refusal::Api(ApiRefusal::RereadTooOften { next })) => {
                let detail = Refusal::Api(ApiRefusal::RereadTooOften { next }).in_french();
                Self::new(Code::RereadTooOften, detail).retry(next, now)
            }
            ActionError::Refused(refusal) => {
                let code = match &refusal {
                    Refusal::NoSuchMailing(_) => Code::MailingUnknown,
                    Refusal::Api(ApiRefusal::NotCollected(_)) => Code::MailingNotCollected,
                    Refusal::NoSuchOrders(_) => Code::OrderUnknown,
                    Refusal::OrderNotOpen { .. } => Code::OrderNotOpen,
                    _ => Code::Refused,
                };
                Self::new(code, refusal.in_french())
            }
            ActionError::Failed(failure) => {
                error!(error = format!("{failure:#}"), "a request to the API failed");
                Self::unavailable()
            }
        }
    }

    fn unavailable() -> Self {
        Self::new(Code::Unavailable, "La base de données ne répond pas. Réessayez plus tard.")
    }
}

impl From<StoreError> for Problem {
    fn from(failure: StoreError) -> Self {
        error!(error = &failure as &dyn std::error::Error, "a request to the API cannot be answered");
        Self::unavailable()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Answer {
        let (status, title, code) = (self.code.status(), self.code.title(), self.code.as_str());
        let mut body = json!({
            "type": "about:blank", "title": title, "status": status, "code": code, "detail": self.detail
        });
        for (name, value) in self.more {
            body[name] = value;
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = answer::json(status, "application/problem+json", &body);
        if let Some(seconds) = self.retry_after {
            answer::set(&mut answer, header::RETRY_AFTER, &seconds.to_string());
        }
        if let Some(challenge) = &self.challenge {
            answer::set(&mut answer, header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

/// With a capital and a full stop: refusals are clauses.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if clause.ends_with(['.', '…']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// Nothing has this address.
pub(super) async fn nowhere() -> Problem {
    Problem::new(Code::NotFound, "Rien ne se trouve à cette adresse de l’API.")
}

/// The answer did not come in time. What was begun is finished all the same.
pub(super) fn too_late() -> Problem {
    let detail =
        "La demande a pris trop de temps. Ce qui est commencé se termine\u{a0}: répétez la même demande plus tard.";
    Problem::new(Code::RequestTimeout, detail)
}

/// The address exists, with another method.
pub(super) async fn other_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "Cette adresse ne connaît pas cette méthode.")
}
