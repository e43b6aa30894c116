//! « Décisions »: `/trace?qui=&envoi=&avant=`.

use super::Asked;
use crate::accounts::Viewer;
use crate::domain::issue::IssueKey;
use crate::views::console::trace;
use crate::web::{answer::Answer, console::Console};
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
struct TracePage {
    trace: trace::Trace,
    person: String,
    issue: String,
    /// Keys of texts: what could not be understood of the filters.
    problems: Vec<&'static str>,
    /// Address of the next page.
    older: Option<String>,
    filtered: bool,
}

pub(super) async fn show(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let (person, issue) = (asked.get("qui"), asked.get("envoi"));
    let key = issue.and_then(|text| IssueKey::parse(text).ok());
    let mut problems = Vec::new();
    if issue.is_some() && key.is_none() {
        problems.push("problem_issue");
    }
    let looked_for = trace::Asked { person, issue: key.as_ref(), before: asked.get("avant") };
    match trace::page(&console.reading(), &viewer, &looked_for).await {
        Ok(trace) => {
            let page = TracePage {
                person: person.unwrap_or_default().to_owned(),
                issue: issue.unwrap_or_default().to_owned(),
                problems,
                older: trace.older.as_ref().map(|mark| asked.with("avant", mark)),
                filtered: person.is_some() && trace.all || issue.is_some(),
                trace,
            };
            console.page(&viewer, "/trace", "trace", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}
