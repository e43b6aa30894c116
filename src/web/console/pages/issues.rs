//! All issues, by week.

use super::Asked;
use crate::accounts::Viewer;
use crate::domain::issue::IssueState;
use crate::views::console::issue;
use crate::web::{answer::Answer, console::Console};
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
struct IssuesPage {
    issues: issue::Issues,
    /// Id and title of each mailing, for the filter.
    mailings: Vec<(String, String)>,
    mailing: String,
    states: Vec<&'static str>,
    state: String,
    filtered: bool,
    older: Option<String>,
}

pub(super) async fn list(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let mailing = asked.get("liste");
    let state = asked.get("etat").and_then(|text| IssueState::ALL.into_iter().find(|it| it.as_str() == text));
    let it = console.reading();
    match issue::list(&it, mailing, state, asked.get("avant")).await {
        Ok(issues) => {
            let page = IssuesPage {
                mailings: console.mailings().iter().map(|it| (it.id.clone(), it.title.clone())).collect(),
                mailing: mailing.unwrap_or_default().to_owned(),
                states: IssueState::ALL.map(IssueState::as_str).to_vec(),
                state: state.map(IssueState::as_str).unwrap_or_default().to_owned(),
                filtered: mailing.is_some() || state.is_some() || asked.get("avant").is_some(),
                older: issues.older.as_ref().map(|mark| asked.with("avant", mark)),
                issues,
            };
            console.page(&viewer, "/envois", "issues", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}
