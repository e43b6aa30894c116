//! Deliveries whose outcome is unknown: what that means, and the three decisions, for one person or for all of an issue.

use super::super::gate::Form;
use super::Asked;
use crate::accounts::Viewer;
use crate::actions::{self, accounts::login::Client};
use crate::domain::{
    delivery::{DeliveryId, Resolution, State as Delivery},
    issue::IssueKey,
};
use crate::store::{LogFilter, LoggedDelivery, StoreError};
use crate::views::console::{issue_href, journal::DeliveryView};
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

/// As many as are decided at once.
const MOST: u32 = 1000;
/// The decisions, as in addresses.
const DECISIONS: [(&str, Resolution); 3] =
    [("remis", Resolution::Sent), ("renvoyer", Resolution::Resend), ("abandonner", Resolution::Failed)];

#[derive(Debug, Serialize)]
struct UncertainPage {
    key: IssueKey,
    back: String,
    rows: Vec<Row>,
    /// There are more than are shown.
    more: bool,
    /// The decision whose sheet this is; empty for the list.
    decision: &'static str,
    /// The delivery it is about; empty for all.
    id: String,
    /// What the form carries: the number that was read.
    seen: usize,
    /// The number has changed since the sheet was read.
    moved: bool,
    /// Decisions that came too late, in French.
    refused: Vec<String>,
    /// How many were just decided.
    done: Option<usize>,
    decisions: [&'static str; 3],
}

#[derive(Debug, Serialize)]
struct Row {
    id: DeliveryId,
    delivery: DeliveryView,
}

type Named = Path<(String, String)>;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    asked: Asked,
) -> Answer {
    let decision = asked.get("que").and_then(decision);
    let id = asked.get("id").filter(|_| decision.is_some()).unwrap_or_default().to_owned();
    let done = asked.get("fait").and_then(|n| n.parse().ok());
    match console.uncertain(&named, decision.map_or("", |it| it.0), id).await {
        Ok(Some(page)) => console.page(&viewer, "/envois", "uncertain", &UncertainPage { done, ..page }),
        Ok(None) => console.nowhere(&viewer),
        Err(error) => console.broken(&viewer, &error),
    }
}

pub(super) async fn act(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(named): Named,
    client: Client,
    form: Form,
) -> Answer {
    let Some((word, resolution)) = decision(form.get("que")) else { return console.nowhere(&viewer) };
    let mut page = match console.uncertain(&named, word, form.get("id").to_owned()).await {
        Ok(Some(page)) => page,
        Ok(None) => return console.nowhere(&viewer),
        Err(error) => return console.broken(&viewer, &error),
    };
    if form.get("vu_alors") != page.seen.to_string() {
        page.moved = true;
        return console.shown(StatusCode::CONFLICT, Some(&viewer), "/envois", "uncertain", &page);
    }
    let actor = console.actor(&viewer, &client);
    let ids: Vec<_> = page.rows.iter().map(|row| row.id.clone()).collect();
    let settled = match actions::deliveries::resolve_all(&console.engine, &actor, &ids, resolution).await {
        Ok(settled) => settled,
        Err(error) => return console.not_done(&viewer, error),
    };
    console.wake.notify_one();
    if settled.refused.is_empty() {
        return answer::see_other(&format!("{}/incertains?fait={}", issue_href(&page.key), settled.decided));
    }
    page.refused = settled.refused.iter().map(|refusal| refusal.in_french()).collect();
    page.done = Some(settled.decided);
    console.shown(StatusCode::CONFLICT, Some(&viewer), "/envois", "uncertain", &page)
}

fn decision(word: &str) -> Option<(&'static str, Resolution)> {
    DECISIONS.into_iter().find(|(known, _)| *known == word)
}

impl Console {
    /// The uncertain deliveries of an issue, or the one with this id. `None`: there is no such issue.
    async fn uncertain(
        &self,
        (mailing, period): &(String, String),
        decision: &'static str,
        id: String,
    ) -> Result<Option<UncertainPage>, StoreError> {
        let Ok(key) = IssueKey::parse(&format!("{mailing}/{period}")) else { return Ok(None) };
        if self.store().issue(&key).await?.is_none() {
            return Ok(None);
        }
        let filter = LogFilter {
            issue: Some(key.clone()),
            state: Some(Delivery::Unknown),
            limit: Some(MOST + 1),
            ..LogFilter::default()
        };
        let mut log = self.store().log(&filter).await?;
        let more = log.len() > MOST as usize;
        log.truncate(MOST as usize);
        log.retain(|it| id.is_empty() || it.id.0 == id);
        let it = self.reading();
        let row =
            |delivery: &LoggedDelivery| Row { id: delivery.id.clone(), delivery: DeliveryView::new(&it, delivery) };
        Ok(Some(UncertainPage {
            back: issue_href(&key),
            key,
            rows: log.iter().map(row).collect(),
            more,
            decision,
            id,
            seen: log.len(),
            moved: false,
            refused: Vec::new(),
            done: None,
            decisions: DECISIONS.map(|(word, _)| word),
        }))
    }
}
