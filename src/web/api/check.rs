//! An article is read without being kept: what the editor of the office's site shows beside the text.

use super::{
    Api, answered,
    gate::{Query, Whole, invalid},
    problem::{Code, Problem},
};
use crate::domain::{agenda::Week, article::Article, schedule::at_local};
use crate::issue::{agenda, venues};
use crate::web::answer::Answer;
use axum::{extract::State, http::StatusCode};
use chrono::{NaiveDate, NaiveTime};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// For the parser; a week is read in a second.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn article(State(api): State<Arc<Api>>, query: Query, Whole(bytes): Whole) -> Result<Answer, Problem> {
    let app = &api.engine.app;
    let asked = query.get("mailing");
    let found = app.mailings.iter().filter(|it| asked.is_none_or(|id| it.id == id));
    let found = found.filter_map(|it| Some((it, it.agenda()?))).next();
    let (mailing, publishes) =
        found.ok_or_else(|| Problem::new(Code::MailingUnknown, "Aucun agenda ne porte ce nom."))?;
    let html = std::str::from_utf8(&bytes)
        .map_err(|_| Problem::new(Code::BodyInvalid, "Le contenu n’est pas du texte en UTF-8."))?;
    let now = api.now();
    let next = mailing.schedule.next_after(now).unwrap_or(now);
    let week = match query.get("week") {
        Some(text) => text.parse::<Week>().map_err(|_| invalid("week"))?,
        None => publishes.week(mailing.day(next)),
    };
    let published = match query.get("published") {
        Some(text) => {
            let day = text.parse::<NaiveDate>().map_err(|_| invalid("published"))?;
            at_local(mailing.schedule.zone, day, NaiveTime::MIN)
        }
        None => now,
    };
    let url = query.get("url").map(|text| text.parse::<url::Url>().map_err(|_| invalid("url"))).transpose()?;
    let article = Article {
        title: query.get("title").unwrap_or_default().to_owned(),
        html: html.to_owned(),
        published,
        url: url.map(|url| url.to_string()),
        modified: None,
    };
    let place = api.parser()?;
    let known = venues::known(&*api.engine.store).await?;
    let settings = (mailing, publishes.gates);
    let checked = agenda::check(app, settings, week, &article, &known, (PATIENCE, place)).await.map_err(|why| {
        tracing::warn!(error = &why as &dyn std::error::Error, "an article could not be checked");
        Problem::new(Code::ArticleUnreadable, "Ce texte ne peut pas être lu comme un article.")
    })?;
    let body = json!({
        "mailing": mailing.id,
        "week": week,
        "events": checked.agenda.event_count(),
        "unplaced": checked.agenda.to_place().count(),
        "warnings": checked.agenda.warnings,
        "hold": checked.hold.map(|hold| hold.to_string()),
        "agenda": checked.agenda,
    });
    Ok(answered(StatusCode::OK, &body))
}
