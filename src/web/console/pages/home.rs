//! « Ce soir », and what is to come.

use super::{Asked, issue};
use crate::accounts::Viewer;
use crate::views::console::{coming, month, tonight};
use crate::web::{answer::Answer, console::Console};
use axum::extract::State;
use chrono::TimeDelta;
use serde::Serialize;
use std::sync::Arc;

pub(super) async fn show(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    match tonight::read(&console.reading()).await {
        Ok(page) => console.page(&viewer, "/", "home", &page),
        Err(error) => console.broken(&viewer, &error),
    }
}

#[derive(Debug, Serialize)]
struct ComingPage {
    groups: Vec<coming::Group>,
    /// How many weeks are shown.
    weeks: i64,
    choices: [i64; 3],
    month: month::Grid,
    /// What was just decided.
    done: &'static str,
}

pub(super) async fn coming(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    const CHOICES: [i64; 3] = [4, 12, 52];
    let weeks = asked.get("semaines").and_then(|text| text.parse().ok()).filter(|weeks| CHOICES.contains(weeks));
    let weeks = weeks.unwrap_or(CHOICES[0]);
    let it = console.reading();
    let month = month::asked_for(asked.get("mois"), it.now, it.config.zone);
    match coming::with_month(&it, TimeDelta::weeks(2), TimeDelta::weeks(weeks), month).await {
        Ok((rows, month)) => {
            let page = ComingPage {
                groups: coming::by_week(rows, console.config().zone),
                weeks,
                choices: CHOICES,
                month,
                done: issue::done(&asked),
            };
            console.page(&viewer, "/a-venir", "coming", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}
