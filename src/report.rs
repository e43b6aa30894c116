//! The ledger in shapes people and programs read: tables, JSON, CSV. The JSON shapes are a contract.

use crate::domain::{
    Timestamp,
    delivery::State,
    edition::{Order, OrderState, Stocked},
    issue::{Counts, IssueSummary},
    partner::Contact,
};
use crate::store::LoggedDelivery;
use chrono_tz::Tz;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use serde_json::{Value, json};

/// `2026-07-04T08:00:00+02:00`
pub fn instant(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// What became of an issue that was given up, and what a person can still do.
pub fn given_up(issue: &IssueSummary, zone: Tz) -> String {
    let IssueSummary { key, mailing, state, counts, .. } = issue;
    let ended = format!("issue {key} is {}: nothing more of it leaves", state.as_str());
    let by_hand = format!(
        "`semainier preview {mailing} --at {} --out DIR` makes its mail and its pages, to be sent by hand",
        issue.scheduled_for.with_timezone(&zone).format("%Y-%m-%dT%H:%M")
    );
    match (&issue.reason, issue.frozen_at) {
        (Some(reason), None) => format!(
            "{ended}. It was held until {} ({reason}) and nobody was written to; {by_hand}",
            instant(issue.expires_at, zone)
        ),
        (None, None) => format!("{ended}. Nobody was written to; {by_hand}"),
        (_, Some(_)) => format!("{ended}. {} of {} recipients have it", counts.sent, counts.total()),
    }
}

/// `log --json`: one array.
pub fn log_json(log: &[LoggedDelivery], zone: Tz) -> Value {
    log.iter().map(|delivery| delivery_json(delivery, zone)).collect()
}

/// An element of `log --json`.
pub fn delivery_json(delivery: &LoggedDelivery, zone: Tz) -> Value {
    let attempt = |attempt: &crate::store::LoggedAttempt| {
        json!({
            "n": attempt.n,
            "at": instant(attempt.at, zone),
            "phase": attempt.phase.as_str(),
            "code": attempt.code,
            "enhanced": attempt.enhanced,
            "text": attempt.text,
            "outcome": attempt.outcome,
        })
    };
    json!({
        "issue": delivery.issue,
        "address": delivery.address,
        "state": delivery.state,
        "message_id": delivery.message_id,
        "attempts": delivery.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "id": delivery.id,
        "name": delivery.name,
        "establishment": delivery.establishment,
        "next_at": delivery.next_at.map(|at| instant(at, zone)),
        "changed_at": instant(delivery.changed_at, zone),
        "resends": delivery.resends,
    })
}

/// The header of `log --csv`.
const LOG_COLUMNS: [&str; 14] = [
    "issue",
    "address",
    "name",
    "establishment",
    "state",
    "message_id",
    "attempt",
    "at",
    "phase",
    "code",
    "enhanced",
    "text",
    "outcome",
    "id",
];

/// `log --csv`: a row an attempt, or one for a delivery without any. Safe to open in a spreadsheet. `header`: with the
/// names of the columns, as the first page has them.
///
/// # Errors
/// When the buffer cannot be written, which does not happen.
pub fn log_csv(log: &[LoggedDelivery], header: bool, zone: Tz) -> Result<String, csv::Error> {
    let mut csv = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    if header {
        csv.write_record(LOG_COLUMNS)?;
    }
    for delivery in log {
        let attempts: Vec<_> = match delivery.attempts.as_slice() {
            [] => vec![None],
            some => some.iter().map(Some).collect(),
        };
        for attempt in attempts {
            let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
            let cells = [
                delivery.issue.to_string(),
                delivery.address.clone(),
                delivery.name.clone(),
                delivery.establishment.clone(),
                delivery.state.to_string(),
                delivery.message_id.clone(),
                number(attempt.map(|a| a.n)),
                attempt.map(|a| instant(a.at, zone)).unwrap_or_default(),
                attempt.map(|a| a.phase.as_str().to_owned()).unwrap_or_default(),
                number(attempt.and_then(|a| a.code).map(u32::from)),
                attempt.and_then(|a| a.enhanced.clone()).unwrap_or_default(),
                attempt.and_then(|a| a.text.clone()).unwrap_or_default(),
                attempt.map(|a| a.outcome.clone()).unwrap_or_default(),
                delivery.id.to_string(),
            ];
            csv.write_record(cells.map(formula_safe))?;
        }
    }
    let bytes = csv.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP ASVS 1.2.10).
pub fn formula_safe(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\0']) { format!("'{cell}") } else { cell }
}

/// For people: one line a delivery, the last word of the relay.
pub fn log_table(log: &[LoggedDelivery], zone: Tz) -> Table {
    let mut table = table(["issue", "address", "state", "tries", "last at", "phase", "reply"]);
    for delivery in log {
        let last = delivery.attempts.last();
        let reply = last.map(|a| {
            let code = a.code.map(|c| format!("{c} ")).unwrap_or_default();
            let text: String = a.text.clone().unwrap_or_default().chars().take(80).collect();
            format!("{code}{text}")
        });
        let waits = delivery.next_at.filter(|_| delivery.state == State::Queued);
        table.add_row([
            delivery.issue.to_string(),
            delivery.address.clone(),
            match waits {
                Some(at) if !delivery.attempts.is_empty() => format!("queued until {}", instant(at, zone)),
                _ => delivery.state.to_string(),
            },
            delivery.attempts.len().to_string(),
            last.map(|a| instant(a.at, zone)).unwrap_or_default(),
            last.map(|a| a.phase.as_str().to_owned()).unwrap_or_default(),
            reply.unwrap_or_default(),
        ]);
    }
    table
}

#[derive(Serialize)]
struct IssueJson<'a> {
    key: &'a crate::domain::issue::IssueKey,
    mailing: &'a str,
    state: crate::domain::issue::IssueState,
    reason: Option<&'a str>,
    scheduled_for: String,
    expires_at: String,
    frozen_at: Option<String>,
    closed_at: Option<String>,
    subject: Option<&'a str>,
    content_hash: Option<&'a str>,
    approved_by: Option<&'a str>,
    counts: Counts,
    recipients: u64,
}

/// `issues --json`: one array.
pub fn issues_json(issues: &[IssueSummary], zone: Tz) -> Value {
    let one = |issue: &IssueSummary| {
        let issue = IssueJson {
            key: &issue.key,
            mailing: &issue.mailing,
            state: issue.state,
            reason: issue.reason.as_deref(),
            scheduled_for: instant(issue.scheduled_for, zone),
            expires_at: instant(issue.expires_at, zone),
            frozen_at: issue.frozen_at.map(|at| instant(at, zone)),
            closed_at: issue.closed_at.map(|at| instant(at, zone)),
            subject: issue.subject.as_deref(),
            content_hash: issue.content_hash.as_deref(),
            approved_by: issue.approved_by.as_deref(),
            counts: issue.counts,
            recipients: issue.counts.total(),
        };
        serde_json::to_value(issue).unwrap_or_default()
    };
    issues.iter().map(one).collect()
}

pub fn issues_table(issues: &[IssueSummary], zone: Tz) -> Table {
    let mut table = table(["issue", "state", "for", "recipients", "what happened", "why"]);
    for issue in issues {
        table.add_row([
            issue.key.to_string(),
            issue.state.as_str().to_owned(),
            instant(issue.scheduled_for, zone),
            issue.counts.total().to_string(),
            sum(&issue.counts),
            issue.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// `12 = 10 sent + 1 failed + 1 unknown`: the sum of invariant I1, said aloud.
pub fn sum(counts: &Counts) -> String {
    let mut counts = *counts;
    let total = counts.total();
    let parts: Vec<_> = State::ALL
        .into_iter()
        .map(|state| (*counts.of(state), state))
        .filter(|(n, _)| *n > 0)
        .map(|(n, state)| format!("{n} {state}"))
        .collect();
    if parts.is_empty() { "nobody".to_owned() } else { format!("{total} = {}", parts.join(" + ")) }
}

pub fn contacts_table(contacts: &[Contact]) -> Table {
    let mut table =
        table(["address", "name", "function", "establishment", "category", "commune", "labels", "receives"]);
    for contact in contacts {
        table.add_row([
            contact.address.to_string(),
            contact.name.clone(),
            contact.function.clone(),
            std::iter::once(&contact.partner)
                .chain(&contact.others)
                .map(|it| it.name.as_str())
                .collect::<Vec<_>>()
                .join(" + "),
            contact.partner.category.clone(),
            contact.partner.commune.clone(),
            contact.partner.labels.join(", "),
            receives(contact),
        ]);
    }
    table
}

/// What a contact receives, and what stands against the rest: `agenda; not newsletter (opt_out, 2027-07-03)`.
fn receives(contact: &Contact) -> String {
    let against = contact.barred.iter().map(|it| {
        let what = if it.scope == "*" { "anything" } else { &it.scope };
        format!("not {what} ({}, {})", it.reason.as_str(), it.since.format("%Y-%m-%d"))
    });
    let all = [contact.subscriptions.join(", ")].into_iter().filter(|text| !text.is_empty()).chain(against);
    all.collect::<Vec<_>>().join("; ")
}

/// For people: what is printed, ordered and left.
pub fn editions_table(all: &[Stocked], zone: Tz) -> Table {
    let mut table = table(["slug", "title", "packs", "ordered", "left", "valid until", "announced for"]);
    for it in all {
        let number = |n: u32| if it.edition.printed.is_some() { n.to_string() } else { "-".to_owned() };
        table.add_row([
            it.edition.slug.clone(),
            it.edition.title.clone(),
            number(it.packs()),
            number(it.ordered),
            number(it.left()),
            it.edition.valid_until.map(|day| day.to_string()).unwrap_or_default(),
            it.announced_for.map(|at| instant(at, zone)).unwrap_or_default(),
        ]);
    }
    table
}

fn pack_of(order: &Order, editions: &[Stocked]) -> u32 {
    let edition = editions.iter().find(|it| it.edition.slug == order.edition);
    edition.and_then(|it| it.edition.printed).map_or(1, |printed| printed.pack)
}

/// For people, in the order given.
pub fn orders_table(orders: &[Order], editions: &[Stocked]) -> Table {
    let mut table = table([
        "commune",
        "establishment",
        "address",
        "edition",
        "packs",
        "copies",
        "handover",
        "remark",
        "state",
        "id",
    ]);
    for order in orders {
        table.add_row([
            order.by.commune.clone(),
            order.by.establishment.clone(),
            order.by.street.clone(),
            order.edition.clone(),
            order.wish.packs.to_string(),
            order.wish.packs.saturating_mul(pack_of(order, editions)).to_string(),
            order.wish.handover.as_str().to_owned(),
            order.wish.remark.clone(),
            order.state.as_str().to_owned(),
            order.id.clone(),
        ]);
    }
    table
}

/// `orders --json`: one array, in the order given.
pub fn orders_json(orders: &[Order], editions: &[Stocked], zone: Tz) -> Value {
    let order = |order: &Order| {
        json!({
            "id": order.id,
            "edition": order.edition,
            "commune": order.by.commune,
            "establishment": order.by.establishment,
            "street": order.by.street,
            "name": order.by.name,
            "email": order.by.address.to_string(),
            "packs": order.wish.packs,
            "copies": order.wish.packs.saturating_mul(pack_of(order, editions)),
            "handover": order.wish.handover,
            "remark": order.wish.remark,
            "state": order.state,
            "ordered_at": instant(order.ordered_at, zone),
            "changed_at": instant(order.changed_at, zone),
        })
    };
    orders.iter().map(order).collect()
}

/// `orders --csv`, in the order given: French headers, `;` and a BOM, as French Excel opens it. Safe to open there.
///
/// # Errors
/// When the buffer cannot be written, which does not happen.
pub fn orders_csv(orders: &[Order], editions: &[Stocked], zone: Tz) -> Result<String, csv::Error> {
    let mut csv = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{feff}".as_bytes().to_vec());
    csv.write_record([
        "Commune",
        "Établissement",
        "Adresse",
        "Nom",
        "Email",
        "Édition",
        "Paquets",
        "Exemplaires",
        "Remise",
        "Remarque",
        "État",
        "Commandé le",
        "Référence",
    ])?;
    for order in orders {
        let state = match order.state {
            OrderState::Open => "en cours",
            OrderState::Delivered => "remise",
            OrderState::Cancelled => "annulée",
        };
        let cells = [
            order.by.commune.clone(),
            order.by.establishment.clone(),
            order.by.street.clone(),
            order.by.name.clone(),
            order.by.address.to_string(),
            order.edition.clone(),
            order.wish.packs.to_string(),
            order.wish.packs.saturating_mul(pack_of(order, editions)).to_string(),
            order.wish.handover.in_french().to_owned(),
            order.wish.remark.clone(),
            state.to_owned(),
            order.ordered_at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
            order.id.clone(),
        ];
        csv.write_record(cells.map(formula_safe))?;
    }
    let bytes = csv.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// An empty table in the house's style.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}
