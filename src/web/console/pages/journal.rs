//! Persons and deliveries: `/journal?q=&etat=&envoi=&depuis=`.

use super::Asked;
use crate::accounts::Viewer;
use crate::domain::{
    delivery::{DeliveryId, State as Delivery},
    email::EmailAddress,
    issue::IssueKey,
    schedule::at_local,
};
use crate::store::{IssuesFilter, LogFilter, LogMark, StoreError};
use crate::views::console::{journal, people};
use crate::web::{answer::Answer, console::Console};
use axum::extract::State;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::Serialize;
use std::sync::Arc;

/// Persons that a search shows; the list of partners has all.
const PERSONS: usize = 10;
/// Issues in the filter.
const ISSUES: u32 = 60;
/// Without any filter the journal goes back so far.
const RECENT: TimeDelta = TimeDelta::days(30);

#[derive(Debug, Serialize)]
struct JournalPage {
    q: String,
    state: String,
    states: Vec<&'static str>,
    issue: String,
    issues: Vec<(String, String)>,
    since: String,
    /// Keys of texts: what could not be understood of the filters.
    problems: Vec<&'static str>,
    persons: Vec<people::PersonRow>,
    /// All that were found.
    found: usize,
    all_href: String,
    /// Deliveries are shown: not where only persons were looked for.
    log: Option<journal::Journal>,
    more: Option<String>,
    filtered: bool,
}

pub(super) async fn show(State(console): State<Arc<Console>>, viewer: Viewer, asked: Asked) -> Answer {
    match read(&console, &asked).await {
        Ok(page) => console.page(&viewer, "/journal", "journal", &page),
        Err(error) => console.broken(&viewer, &error),
    }
}

async fn read(console: &Arc<Console>, asked: &Asked) -> Result<JournalPage, StoreError> {
    let it = console.reading();
    let mut problems = Vec::new();
    let mut understood = |name: &str, problem, is: bool| {
        if asked.get(name).is_some() && !is {
            problems.push(problem);
        }
    };
    let state = asked.get("etat").and_then(|text| text.parse::<Delivery>().ok());
    understood("etat", "problem_state", state.is_some());
    let issue = asked.get("envoi").and_then(|text| IssueKey::parse(text).ok());
    understood("envoi", "problem_issue", issue.is_some());
    let since = asked.get("depuis").and_then(|text| text.parse::<NaiveDate>().ok());
    understood("depuis", "problem_since", since.is_some());
    let q = asked.get("q").unwrap_or_default();

    let (mut persons, mut found, mut one) = (Vec::new(), 0, None);
    let mut filter = LogFilter {
        issue: issue.clone(),
        state,
        since: since.map(|day| at_local(console.config().zone, day, NaiveTime::MIN)),
        after: asked.get("apres").and_then(|text| text.parse::<LogMark>().ok()),
        ..LogFilter::default()
    };
    if !q.is_empty() {
        one = match message_id(q) {
            Some(id) => it.store.delivery(&id).await?,
            None => None,
        };
        let names = console.names().await?;
        let (ids, n) = names.find(q, None, None, PERSONS);
        (persons, found) = (people::rows(&it, &ids).await?, n);
        // Who is gone from the list is found by the exact address only.
        filter.address_key = EmailAddress::parse(q).ok().map(|address| address.key());
    }
    let narrowed = issue.is_some() || state.is_some() || since.is_some();
    let log = match one {
        Some(delivery) => Some(journal::Journal {
            rows: vec![journal::DeliveryView::new(&it, &delivery)],
            legend: vec![],
            more: None,
        }),
        None if q.is_empty() || filter.address_key.is_some() => {
            if !narrowed && filter.address_key.is_none() {
                filter.since = Some(it.now - RECENT);
            }
            Some(journal::page(&it, filter).await?)
        }
        // Words find persons, and each of them has a page with all deliveries.
        None => None,
    };
    let issues = it.store.issues_page(&IssuesFilter { limit: ISSUES, ..IssuesFilter::default() }).await?;
    let title = |issue: &crate::domain::issue::IssueSummary| {
        let title = issue.subject.clone().unwrap_or_else(|| it.title(&issue.mailing).to_owned());
        (issue.key.to_string(), format!("{title} ({})", issue.key))
    };
    let mut issues: Vec<_> = issues.iter().filter(|issue| issue.frozen_at().is_some()).map(title).collect();
    let chosen = issue.as_ref().map(ToString::to_string).unwrap_or_default();
    if !chosen.is_empty() && !issues.iter().any(|(key, _)| *key == chosen) {
        issues.push((chosen.clone(), chosen.clone()));
    }
    Ok(JournalPage {
        q: q.to_owned(),
        state: state.map(Delivery::as_str).unwrap_or_default().to_owned(),
        states: Delivery::ALL.map(Delivery::as_str).to_vec(),
        issue: chosen,
        issues,
        since: since.map(|day| day.to_string()).unwrap_or_default(),
        problems,
        persons,
        found,
        all_href: format!("/partenaires{}", Asked::default().with("q", q)),
        more: log.as_ref().and_then(|log| log.more.as_ref()).map(|mark| asked.with("apres", mark)),
        log,
        filtered: narrowed || !q.is_empty(),
    })
}

/// The delivery of `<agenda-2026-w28.0197…@office.example>`.
fn message_id(text: &str) -> Option<DeliveryId> {
    let (left, _) = text.trim_matches(['<', '>']).rsplit_once('@')?;
    let (_, id) = left.rsplit_once('.')?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| DeliveryId(id.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_names_its_delivery_and_an_address_does_not() {
        let id = "0197d0e1c00a0000000112345678abcd";
        let text = format!("<agenda-2026-w28.{id}@office.example>");
        assert_eq!(message_id(&text), Some(DeliveryId(id.to_owned())));
        for other in ["marie@gite.example", "m.arie@gite.example", "", "@", ".@"] {
            assert_eq!(message_id(other), None, "{other}");
        }
    }
}
