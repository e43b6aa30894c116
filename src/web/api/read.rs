//! What is read.

use super::{
    Api, answered,
    gate::{Caller, Query, invalid},
    masked,
    problem::{Code, Problem},
};
use crate::domain::{
    Timestamp,
    delivery::State as DeliveryState,
    issue::{IssueKey, IssueState},
    segment::Segment,
};
use crate::partners::export;
use crate::store::{IssuesFilter, LogFilter, LogMark};
use crate::views::{
    self,
    console::{Reading, tonight},
    log,
};
use crate::web::answer::Answer;
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Result<T> = std::result::Result<T, Problem>;

/// Entries of a page unless asked otherwise.
const PAGE: u32 = 100;

fn value(it: &impl Serialize) -> Value {
    serde_json::to_value(it).unwrap_or_default()
}

pub(super) async fn status(State(api): State<Arc<Api>>) -> Result<Answer> {
    let engine = &api.engine;
    let app = &engine.app;
    let reading =
        Reading { store: &*engine.store, config: &app.config, mailings: &app.mailings, now: api.now(), sizes: None };
    let said = tonight::for_a_mail(&reading).await?;
    let mut body = value(&views::status::read(engine).await?);
    body["verdict"] = json!({
        "level": said.level,
        "answer": said.answer,
        "details": said.details,
        "departures": said.departures,
    });
    // Relays may quote addresses.
    masked(&mut body);
    Ok(answered(StatusCode::OK, &body))
}

pub(super) async fn issues(State(api): State<Arc<Api>>, query: Query) -> Result<Answer> {
    let state = query.get("state").and_then(|word| IssueState::ALL.into_iter().find(|it| it.as_str() == word));
    let before = query.get("after").map(|text| mark(text).ok_or_else(|| invalid("after"))).transpose()?;
    let limit = query.number("limit", PAGE);
    let mailing = query.get("mailing").map(str::to_owned);
    let page = api.engine.store.issues_page(&IssuesFilter { mailing, state, before, limit }).await?;
    let last = page.last().filter(|_| page.len() == limit as usize);
    let next = last.map(|it| format!("{}.{}", it.scheduled_for.timestamp_millis(), it.key));
    let zone = api.engine.app.config.zone;
    let mut issues = value(&views::issues::views(&*api.engine.store, &page, zone).await?);
    masked(&mut issues);
    Ok(answered(StatusCode::OK, &json!({ "issues": issues, "next": next })))
}

/// Where a page of issues ended: `MILLISECONDS.KEY`.
fn mark(text: &str) -> Option<(Timestamp, IssueKey)> {
    let (millis, key) = text.split_once('.')?;
    Some((Timestamp::from_timestamp_millis(millis.parse().ok()?)?, IssueKey::parse(key).ok()?))
}

type Named = Path<(String, String)>;

fn key((mailing, period): &(String, String)) -> Result<IssueKey> {
    IssueKey::parse(&format!("{mailing}/{period}")).map_err(|_| no_issue())
}

fn no_issue() -> Problem {
    Problem::new(Code::IssueUnknown, "Ce numéro n’existe pas.")
}

pub(super) async fn issue(State(api): State<Arc<Api>>, Path(named): Named) -> Result<Answer> {
    let found = views::issues::detail(&api.engine, &key(&named)?).await?.ok_or_else(no_issue)?;
    let mut body = value(&found);
    // The letter is content; its pages say it better.
    if let Some(all) = body.as_object_mut() {
        all.shift_remove("letter");
    }
    masked(&mut body);
    Ok(answered(StatusCode::OK, &body))
}

pub(super) async fn deliveries(
    State(api): State<Arc<Api>>,
    Path(named): Named,
    caller: Caller,
    query: Query,
) -> Result<Answer> {
    let key = key(&named)?;
    let after = query.get("after").map(|text| text.parse::<LogMark>().map_err(|_| invalid("after"))).transpose()?;
    if after.as_ref().is_some_and(|after| after.issue != key) {
        return Err(invalid("after"));
    }
    let store = &api.engine.store;
    let issue = store.issue(&key).await?.ok_or_else(no_issue)?;
    let limit = query.number("limit", PAGE);
    let state = query.get("state").and_then(|word| DeliveryState::ALL.into_iter().find(|it| it.as_str() == word));
    let filter = LogFilter { issue: Some(key), state, after, limit: Some(limit), ..LogFilter::default() };
    let page = store.log(&filter).await?;
    let next = page.last().filter(|_| page.len() == limit as usize).map(|it| it.mark().to_string());
    let mut shown = log::page(&page, api.engine.app.zone_of(&issue.mailing));
    let is_masked = !caller.sees_persons();
    if is_masked {
        for it in &mut shown {
            (it.name, it.establishment) = (String::new(), String::new());
        }
    }
    let mut shown = value(&shown);
    if is_masked {
        // The Message-ID has an `@` too, and is nobody's address.
        for it in shown.as_array_mut().into_iter().flatten() {
            let id = it["message_id"].take();
            masked(it);
            it["message_id"] = id;
        }
    }
    Ok(answered(StatusCode::OK, &json!({ "masked": is_masked, "deliveries": shown, "next": next })))
}

pub(super) async fn orders(State(api): State<Arc<Api>>, caller: Caller, query: Query) -> Result<Answer> {
    let found = views::orders::read(&api.engine, query.get("edition"), query.is_set("closed")).await?;
    let mut found = found.ok_or_else(|| Problem::new(Code::NotFound, "Cette édition n’existe pas."))?;
    let is_masked = !caller.sees_persons();
    if is_masked {
        for it in &mut found.orders {
            (it.name, it.remark) = (String::new(), String::new());
        }
    }
    let mut body = value(&found);
    if is_masked {
        masked(&mut body);
    }
    body["masked"] = is_masked.into();
    Ok(answered(StatusCode::OK, &body))
}

pub(super) async fn partners(State(api): State<Arc<Api>>, query: Query) -> Result<Answer> {
    let wrong = |why: crate::domain::segment::SegmentError| {
        invalid("where").with("column", why.column.into()).with("reason", why.message.into())
    };
    let segment = query.get("where").map(|text| Segment::parse(text).map_err(wrong)).transpose()?;
    let limit = query.number("limit", PAGE);
    let page = api.engine.store.contacts_page(segment.as_ref(), query.get("after"), limit).await?;
    let next = page.last().filter(|_| page.len() == limit as usize).map(|it| it.address.key());
    let shown: Vec<Value> = page
        .iter()
        .map(|contact| {
            let mut shown = json!({ "id": contact.id });
            if let (Some(all), Value::Object(listed)) = (shown.as_object_mut(), export::listed(contact)) {
                all.extend(listed);
            }
            shown
        })
        .collect();
    Ok(answered(StatusCode::OK, &json!({ "partners": shown, "next": next })))
}
