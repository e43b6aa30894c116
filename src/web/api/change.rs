//! What is changed.

use super::{
    Api, answered,
    gate::{Caller, Query, Whole},
    masked,
    problem::{Code, Problem},
};
use crate::accounts::code;
use crate::actions::{self, ActionError, Actor, Refusal, partners::List};
use crate::apart::{Apart, apart};
use crate::app::Engine;
use crate::domain::{
    edition::OrderState,
    email::EmailAddress,
    partner::{Basis, Difference},
};
use crate::partners::import::{self, HiddenRows, Parsed};
use crate::store::api::Begun;
use crate::web::answer::{self, Answer};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

type Result<T> = std::result::Result<T, Problem>;

/// For the parser of a list.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn reread(State(api): State<Arc<Api>>, caller: Caller, Path(mailing): Path<String>) -> Result<Answer> {
    let done = actions::reread::reread(&api.engine, &caller.actor, &mailing).await;
    done.map_err(|failure| Problem::of(failure, api.now()))?;
    let asked_at = crate::views::instant(api.now(), api.engine.app.config.zone);
    Ok(answered(StatusCode::ACCEPTED, &json!({ "mailing": mailing, "asked_at": asked_at })))
}

pub(super) async fn delivered(State(api): State<Arc<Api>>, caller: Caller, Path(id): Path<String>) -> Result<Answer> {
    let now = api.now();
    let id = id.to_ascii_lowercase();
    let before = actions::editions::hand_over(&api.engine, &caller.actor, std::slice::from_ref(&id)).await;
    let before = before.map_err(|failure| Problem::of(failure, now))?.first().copied();
    if before == Some(OrderState::Cancelled) {
        let refusal = Refusal::OrderNotOpen { order: id, state: OrderState::Cancelled };
        return Err(Problem::of(refusal.into(), now));
    }
    Ok(answered(StatusCode::OK, &json!({ "order": id, "before": before, "state": OrderState::Delivered })))
}

pub(super) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
    uri: Uri,
    headers: HeaderMap,
    Whole(bytes): Whole,
) -> Result<Answer> {
    let now = api.now();
    let mailings: Vec<String> =
        query.get("mailings").unwrap_or_default().split(',').map(str::trim).map(str::to_owned).collect();
    let mailings: Vec<_> = mailings.into_iter().filter(|id| !id.is_empty()).collect();
    for id in &mailings {
        api.engine.app.mailing(id).map_err(|unknown| Problem::of(unknown.into(), now))?;
    }
    let wanted = Wanted {
        source: query.get("source").unwrap_or(&caller.token.name).to_owned(),
        mailings,
        dry_run: query.is_set("dry_run"),
        sees_persons: caller.sees_persons(),
    };
    let key = key_of(&headers)?;
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
    let place = api.parser()?;
    let list = move || {
        let _place = place;
        import::parse_with(&bytes, HiddenRows::LeftOut)
    };
    let parsed = apart(PATIENCE, list).await.map_err(|why| match why {
        Apart::TooLong(_) => unreadable("Ce fichier prend trop de temps à lire. Envoyez une liste plus courte."),
        Apart::Panicked(_) | Apart::NoThread(_) => unreadable("Ce fichier ne peut pas être lu."),
    })?;
    let parsed =
        parsed.map_err(|why| unreadable("Ce fichier n’est pas une liste.").with("lines", why.0.said().into()))?;
    if wanted.dry_run {
        return done(&api.engine, &caller.actor, &parsed, &wanted).await.map(|body| answered(StatusCode::OK, &body));
    }
    let missing = || {
        let detail =
            "Il faut un en-tête Idempotency-Key, propre à cette demande : la répéter n’importe rien deux fois.";
        Problem::new(Code::IdempotencyKeyMissing, detail.replace(" :", "\u{a0}:"))
    };
    let key = key.ok_or_else(missing)?;
    if parsed.refused.count > 0 {
        return Err(
            unreadable("Des lignes sont fausses. Rien n’a été importé.").with("lines", parsed.refused.said().into())
        );
    }
    let fingerprint = code::hash(&format!("{} {digest}", uri.query().unwrap_or_default()));
    let token = caller.token.id.clone();
    match api.engine.store.begin_request(&token, &key, &fingerprint, now).await? {
        Begun::New => {}
        Begun::Before { answer: None, .. } => {
            let detail = "Cette demande a été faite. Sa réponse a été effacée avec les données d’une personne.";
            return Err(Problem::new(Code::AnswerErased, detail));
        }
        Begun::Before { status, answer: Some(answer) } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let body: Value = serde_json::from_str(&answer).unwrap_or_default();
            let mut answer = answered(status, &body);
            answer::set(&mut answer, axum::http::HeaderName::from_static("idempotency-replayed"), "true");
            return Ok(answer);
        }
        Begun::UnderWay => {
            return Err(Problem::new(Code::IdempotencyKeyInUse, "La même demande est en cours. Réessayez plus tard.")
                .retry(now + chrono::TimeDelta::seconds(10), now));
        }
        Begun::Other => {
            let detail = "Cet Idempotency-Key a déjà servi à une autre demande.";
            return Err(Problem::new(Code::IdempotencyKeyReused, detail));
        }
    }
    // Finished and written down also if the program does not wait for it.
    let (engine, actor) = (api.engine.clone(), caller.actor.clone());
    let work = tokio::spawn(async move {
        let result = done(&engine, &actor, &parsed, &wanted).await;
        let answer = result.as_ref().ok().map(Value::to_string);
        let kept = answer.as_deref().map(|text| (200, text));
        // The import is done or refused by now, and the answer says which.
        if let Err(failure) = engine.store.end_request(&token, &key, kept).await {
            warn!(error = &failure as &dyn std::error::Error, token, "the answer to an import was not kept");
        }
        result
    });
    let broken = |_| Problem::new(Code::Unavailable, "L’import s’est interrompu. Répétez la même demande plus tard.");
    let body = work.await.map_err(broken)??;
    Ok(answered(StatusCode::OK, &body))
}

struct Wanted {
    source: String,
    mailings: Vec<String>,
    dry_run: bool,
    sees_persons: bool,
}

fn unreadable(detail: &str) -> Problem {
    Problem::new(Code::ListInvalid, detail)
}

/// The header `Idempotency-Key`: up to 100 printable characters.
fn key_of(headers: &HeaderMap) -> Result<Option<String>> {
    let mut all = headers.get_all("idempotency-key").iter();
    let (first, more) = (all.next(), all.next());
    let Some(value) = first else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim).filter(|text| (1..=100).contains(&text.len()) && more.is_none());
    text.map(|text| Some(text.to_owned())).ok_or_else(|| super::gate::invalid("Idempotency-Key"))
}

async fn done(engine: &Engine, actor: &Actor, parsed: &Parsed, wanted: &Wanted) -> Result<Value> {
    let list = List {
        parsed,
        source: &wanted.source,
        mailings: &wanted.mailings,
        basis: Basis::default(),
        replace: false,
        skip_invalid: false,
        dry_run: wanted.dry_run,
        remove_many: false,
        overwrite_edits: false,
    };
    let imported = actions::partners::import(engine, actor, list, &|_| {}).await;
    let imported = imported.map_err(|failure: ActionError| Problem::of(failure, engine.app.clock.now()))?;
    let (summary, report) = (&imported.report.summary, &imported.report);
    let differences: Vec<Value> = report.differences.iter().map(|it| difference(it, wanted.sees_persons)).collect();
    let mut body = json!({
        "dry_run": wanted.dry_run,
        "contacts": imported.contacts,
        "added": summary.added,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "stay_opted_out": summary.suppressed,
        "kept_edits": summary.protected,
        "differences": differences,
        "invalid_lines": imported.problems.map(|problems| problems.0.said()).unwrap_or_default(),
        "ignored_columns": parsed.unread,
        "masked": !wanted.sees_persons,
    });
    if !wanted.sees_persons {
        masked(&mut body);
    }
    Ok(body)
}

/// `values`: what the fields hold is shown, which may be names and telephone numbers.
fn difference(it: &Difference, values: bool) -> Value {
    let change = |change: &str, address: &EmailAddress, fields: Vec<Value>| {
        let address = address.to_string();
        json!({ "change": change, "address": address, "fields": fields })
    };
    let field = |name: &str, shown: Value| {
        let mut shown = if values { shown } else { json!({}) };
        shown["field"] = name.into();
        shown
    };
    match it {
        Difference::Added(address) => change("added", address, Vec::new()),
        Difference::Gone(address) => change("removed", address, Vec::new()),
        Difference::Changed(address, fields) => {
            let shown =
                fields.iter().map(|(name, before, after)| field(name, json!({ "before": before, "after": after })));
            change("changed", address, shown.collect())
        }
        Difference::Protected(address, fields) => {
            let shown = fields
                .iter()
                .map(|it| field(it.field, json!({ "before": it.value, "after": it.value, "listed": it.listed })));
            change("kept", address, shown.collect())
        }
    }
}
