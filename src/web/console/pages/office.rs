//! Lanes, editions, orders, settings.

use super::Asked;
use crate::accounts::Viewer;
use crate::domain::edition::OrderState;
use crate::views::console::office;
use crate::web::{answer::Answer, console::Console};
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
struct Rows<T> {
    rows: Vec<T>,
}

pub(super) async fn lanes(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    match office::lanes(&console.reading()).await {
        Ok(rows) => console.page(&viewer, "/voies", "lanes", &Rows { rows }),
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn editions(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    match office::editions(&console.reading()).await {
        Ok(rows) => console.page(&viewer, "/editions", "editions", &Rows { rows }),
        Err(error) => console.broken(&viewer, &error),
    }
}

#[derive(Debug, Serialize)]
struct OrdersPage {
    orders: office::Orders,
    edition: String,
    state: &'static str,
    states: [&'static str; 3],
    more: Option<String>,
}

pub(super) async fn orders(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    let edition = asked.get("edition");
    let state = asked.get("etat").and_then(|text| OrderState::ALL.into_iter().find(|it| it.as_str() == text));
    let state = state.unwrap_or(OrderState::Open);
    match office::orders(&console.reading(), edition, state, asked.get("apres")).await {
        Ok(orders) => {
            let page = OrdersPage {
                more: orders.more.as_ref().map(|mark| asked.with("apres", mark)),
                orders,
                edition: edition.unwrap_or_default().to_owned(),
                state: state.as_str(),
                states: OrderState::ALL.map(OrderState::as_str),
            };
            console.page(&viewer, "/commandes", "orders", &page)
        }
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn settings(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    console.page(&viewer, "/reglages", "settings", &office::settings(&console.reading()))
}
