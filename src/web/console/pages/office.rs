//! Lanes and settings.

use super::Asked;
use crate::accounts::Viewer;
use crate::actions::{self, ActionError, accounts::login::Client};
use crate::views::console::office;
use crate::web::{
    answer::{self, Answer},
    console::Console,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
struct LanesPage {
    rows: Vec<office::LaneRow>,
    /// A lane was just reopened.
    done: bool,
}

pub(super) async fn lanes(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    match office::lanes(&console.reading()).await {
        Ok(rows) => console.page(&viewer, "/voies", "lanes", &LanesPage { rows, done: asked.get("fait").is_some() }),
        Err(error) => console.broken(&viewer, &error),
    }
}

#[derive(Debug, Serialize)]
struct ReopenPage {
    lane: office::LaneRow,
    path: String,
    /// Why it was not done, in French.
    refused: Option<String>,
}

pub(super) async fn show_reopen(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Answer {
    console.reopening(&viewer, &name, StatusCode::OK, None).await
}

pub(super) async fn reopen(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(name): Path<String>,
    client: Client,
) -> Answer {
    match actions::lanes::reopen(&console.engine, &console.actor(&viewer, &client), &name).await {
        Ok(_) => {
            console.wake.notify_one();
            answer::see_other("/voies?fait=reopen")
        }
        Err(ActionError::Refused(refusal)) => {
            console.reopening(&viewer, &name, StatusCode::CONFLICT, Some(refusal.in_french())).await
        }
        Err(error) => console.not_done(&viewer, error),
    }
}

impl Console {
    async fn reopening(&self, viewer: &Viewer, name: &str, status: StatusCode, refused: Option<String>) -> Answer {
        match office::lanes(&self.reading()).await {
            Ok(rows) => match rows.into_iter().find(|row| row.name == name) {
                Some(lane) => {
                    let page = ReopenPage { path: lane.path.clone(), lane, refused };
                    self.shown(status, Some(viewer), "/voies", "lane_reopen", &page)
                }
                None => self.nowhere(viewer),
            },
            Err(error) => self.broken(viewer, &error),
        }
    }
}

pub(super) async fn settings(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    console.page(&viewer, "/reglages", "settings", &office::settings(&console.reading()))
}
