//! Views as tables and CSV.

use crate::domain::{
    delivery::State,
    partner::{Contact, SuppressionReason},
};
use crate::partners::export;
use crate::views::{
    editions::EditionView,
    issues::IssueView,
    log::{AttemptView, DeliveryView},
    orders::OrderView,
};
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use std::io::IsTerminal;

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

/// `log --csv`: one row per attempt, or one for a delivery without attempts; then one for each message that came back about it, with
/// `returned` as its phase. Safe to open in a spreadsheet. `header`:
/// with the column names, for the first page.
///
/// # Errors
/// When the buffer cannot be written, which does not happen.
pub(super) fn log_csv(log: &[DeliveryView], header: bool) -> Result<String, csv::Error> {
    let mut csv = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    if header {
        csv.write_record(LOG_COLUMNS)?;
    }
    for delivery in log {
        let attempts: Vec<Option<&AttemptView>> = match delivery.attempts.as_slice() {
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
                attempt.map(|a| a.at.clone()).unwrap_or_default(),
                attempt.map(|a| a.phase.to_owned()).unwrap_or_default(),
                number(attempt.and_then(|a| a.code).map(u32::from)),
                attempt.and_then(|a| a.enhanced.clone()).unwrap_or_default(),
                attempt.and_then(|a| a.text.clone()).unwrap_or_default(),
                attempt.map(|a| a.outcome.clone()).unwrap_or_default(),
                delivery.id.clone(),
            ];
            csv.write_record(cells.map(export::harmless))?;
        }
        for returned in &delivery.feedback {
            let cells = [
                delivery.issue.to_string(),
                delivery.address.clone(),
                delivery.name.clone(),
                delivery.establishment.clone(),
                delivery.state.to_string(),
                delivery.message_id.clone(),
                String::new(),
                returned.at.clone(),
                "returned".to_owned(),
                returned.code.map(|code| code.to_string()).unwrap_or_default(),
                returned.enhanced.clone().unwrap_or_default(),
                returned.text.clone(),
                returned.in_words(),
                delivery.id.clone(),
            ];
            csv.write_record(cells.map(export::harmless))?;
        }
    }
    let bytes = csv.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One row per delivery, with the relay's last reply, or what came back since.
/// A mailing, or all of them.
pub(super) fn scope(scope: &str) -> &str {
    if scope == "*" { "all mailings" } else { scope }
}

/// `opt out`, `bounce`
pub(super) fn reason(reason: SuppressionReason) -> String {
    reason.as_str().replace('_', " ")
}

pub(super) fn log_table(log: &[DeliveryView]) -> Table {
    let mut table = table(["issue", "address", "state", "tries", "last at", "phase", "reply"], &[0, 1]);
    for delivery in log {
        let last = delivery.attempts.last();
        let reply = last.map(|a| {
            let code = a.code.map(|c| format!("{c} ")).unwrap_or_default();
            let text: String = a.text.clone().unwrap_or_default().chars().take(80).collect();
            format!("{code}{text}")
        });
        let (at, phase, reply) = match delivery.feedback.last() {
            None => (
                last.map(|a| a.at.clone()).unwrap_or_default(),
                last.map(|a| a.phase.to_owned()).unwrap_or_default(),
                reply.unwrap_or_default(),
            ),
            Some(it) => {
                let said: String = it.text.chars().take(80).collect();
                let code = it.code.map(|code| format!("{code} ")).unwrap_or_default();
                let said = match format!("{code}{said}") {
                    none if none.is_empty() => it.in_words(),
                    said => format!("{}: {said}", it.in_words()),
                };
                (it.at.clone(), "returned".to_owned(), said)
            }
        };
        let waits = delivery.next_at.as_ref().filter(|_| delivery.state == State::Queued);
        table.add_row([
            delivery.issue.to_string(),
            delivery.address.clone(),
            match waits {
                Some(at) if !delivery.attempts.is_empty() => format!("queued until {at}"),
                _ => delivery.state.to_string(),
            },
            delivery.attempts.len().to_string(),
            at,
            phase,
            reply,
        ]);
    }
    table
}

pub(super) fn issues_table(issues: &[IssueView]) -> Table {
    let mut table = table(["issue", "state", "for", "recipients", "what happened", "why"], &[0, 1]);
    for issue in issues {
        table.add_row([
            issue.key.to_string(),
            issue.state.as_str().to_owned(),
            issue.scheduled_for.clone(),
            issue.recipients.to_string(),
            issue.sum(),
            issue.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn contacts_table(contacts: &[Contact]) -> Table {
    let mut table =
        table(["address", "name", "function", "establishment", "category", "commune", "labels", "receives"], &[0]);
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

/// What a contact receives, and its suppressions: `agenda; not newsletter (opt_out, 2027-07-03)`.
fn receives(contact: &Contact) -> String {
    let against = contact.barred.iter().map(|it| {
        let what = if it.scope == "*" { "anything" } else { &it.scope };
        format!("not {what} ({}, {})", it.reason.as_str(), it.since.format("%Y-%m-%d"))
    });
    let all = [contact.subscriptions.join(", ")].into_iter().filter(|text| !text.is_empty()).chain(against);
    all.collect::<Vec<_>>().join("; ")
}

/// Editions with their stock.
pub(super) fn editions_table(all: &[EditionView]) -> Table {
    let mut table = table(["slug", "title", "packs", "ordered", "left", "valid until", "announced for"], &[0]);
    for it in all {
        let number = |n: u32| if it.printed.is_some() { n.to_string() } else { "-".to_owned() };
        table.add_row([
            it.slug.clone(),
            it.title.clone(),
            number(it.packs),
            number(it.ordered),
            number(it.left),
            it.valid_until.map(|day| day.to_string()).unwrap_or_default(),
            it.announced_for.clone().unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn orders_table(orders: &[OrderView]) -> Table {
    let mut table = table(
        ["commune", "establishment", "address", "edition", "packs", "copies", "handover", "remark", "state", "id"],
        &[9],
    );
    for order in orders {
        table.add_row([
            order.commune.clone(),
            order.establishment.clone(),
            order.street.clone(),
            order.edition.clone(),
            order.packs.to_string(),
            order.copies.to_string(),
            order.handover.as_str().to_owned(),
            order.remark.clone(),
            order.state.as_str().to_owned(),
            order.id.clone(),
        ]);
    }
    table
}

/// An empty table in the common style. The columns whose number is in `whole` hold what a person copies: they are never
/// broken over lines.
pub(super) fn table<const N: usize>(header: [&str; N], whole: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for column in whole {
        if let Some(column) = table.column_mut(*column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// As it is printed: on a terminal as wide as that; elsewhere, for example in a pipe, without borders, a line per row, and no
/// longer than what the row says.
pub(super) fn text(mut table: Table) -> String {
    if std::io::stdout().is_terminal() {
        return table.to_string();
    }
    bare(&mut table)
}

fn bare(table: &mut Table) -> String {
    table.load_style(comfy_table::presets::NOTHING);
    table.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest reason in the last column, beside short ones.
    fn issues(width: Option<u16>) -> Table {
        let mut table = table(["issue", "state", "why"], &[0]);
        table.add_row(["newsletter/2027-08", "held", &"l’article ne dit pas le jour de la fête ".repeat(8)]);
        table.add_row(["agenda/2027-W32-avec-un-nom-tres-long", "awaiting_approval", ""]);
        if let Some(width) = width {
            table.set_width(width);
        }
        table
    }

    #[test]
    fn trial_f24_what_one_copies_is_never_broken_on_a_terminal() {
        for width in [100, 80, 60] {
            let text = issues(Some(width)).to_string();
            assert!(
                text.contains("newsletter/2027-08 ") && text.contains("agenda/2027-W32-avec-un-nom-tres-long "),
                "{text}"
            );
        }
    }

    #[test]
    fn trial_f24_a_row_in_a_pipe_is_one_line_no_longer_than_what_it_says() {
        let text = bare(&mut issues(None));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("issue") && lines[0].ends_with("why") && lines[0].len() < 70, "{text}");
        assert!(
            lines[2].starts_with("agenda/2027-W32-avec-un-nom-tres-long") && lines[2].ends_with("awaiting_approval")
        );
    }
}
