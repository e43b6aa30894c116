//! Addresses to repair.

use crate::accounts::Viewer;
use crate::views::console::repair;
use crate::web::{answer::Answer, console::Console};
use axum::extract::State;
use std::sync::Arc;

pub(super) async fn show(State(console): State<Arc<Console>>, viewer: Viewer) -> Answer {
    match repair::repairs(&console.reading()).await {
        Ok(repairs) => console.page(&viewer, "/partenaires", "repair", &repairs),
        Err(error) => console.broken(&viewer, &error),
    }
}
