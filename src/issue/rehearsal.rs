//! The rehearsal of an issue that needs no approval: some time before its hour it is composed completely, the relay is greeted,
//! and staff receive what would be sent. At its hour the sources are read again, unless somebody approved the rehearsed content:
//! then exactly that is sent.

use super::approval::short;
use crate::app::Engine;
use crate::compose::context::Marks;
use crate::domain::{
    issue::{Content, NewIssue},
    notice::Notice,
};
use std::collections::HashMap;
use tracing::{info, warn};

/// Maximum number of changed lines that are listed; a rewritten article has more.
const MOST_LINES: usize = 20;

/// Stores the composed content and queues a notice with it for staff. Sends nothing to partners. `missing`: optional sources that
/// failed, each with the reason in French. `false`: it is outdated, or the issue moved on, and nothing was stored.
///
/// # Errors
/// When the database cannot be written.
pub(super) async fn keep(engine: &Engine, issue: &NewIssue, missing: Vec<String>) -> anyhow::Result<bool> {
    let (key, hash, composed_at) = (&issue.key, short(&issue.content_hash), issue.composed_at);
    if !engine.store.rehearse_issue(issue, composed_at).await? {
        return Ok(false);
    }
    let relay = match engine.deliverer().await?.greet().await {
        Ok(()) => None,
        Err(trouble) => {
            warn!(issue = %key, %trouble, "relay check of the rehearsal failed: the relay accepts no mail");
            Some(trouble.to_string())
        }
    };
    info!(mailing = issue.mailing, issue = %key, hash, "issue {key} rehearsed");
    let notice = Notice::Rehearsed { short_hash: hash.to_owned(), missing, relay };
    engine.store.queue_notice(key, &notice, composed_at).await?;
    Ok(true)
}

/// The lines by which the two texts differ, as reported to staff after the rehearsal. Empty: no visible difference.
pub(crate) fn changes(before: &Content, after: &Content) -> Vec<String> {
    let mut lines = Vec::new();
    if before.subject != after.subject {
        lines.push(format!("− {}", before.subject));
        lines.push(format!("+ {}", after.subject));
    }
    lines.extend(differences(&without_marks(before), &without_marks(after)));
    if lines.is_empty() && before.attachments != after.attachments {
        lines.push("les documents joints".to_owned());
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("et {more} autres lignes"));
    }
    lines
}

/// The text without personal placeholders.
fn without_marks(content: &Content) -> String {
    let Marks { unsubscribe, order, view, establishment, .. } = Marks::named(&content.envelope.marks);
    [unsubscribe, order, view, establishment].iter().fold(content.text.clone(), |text, mark| text.replace(mark, ""))
}

fn differences(before: &str, after: &str) -> Vec<String> {
    let gone = only_in(before, after).map(|line| format!("− {line}"));
    gone.chain(only_in(after, before).map(|line| format!("+ {line}"))).collect()
}

/// Lines of `text` that `other` lacks, or has less often.
fn only_in<'a>(text: &'a str, other: &str) -> impl Iterator<Item = &'a str> {
    let mut there: HashMap<&str, usize> = HashMap::new();
    for line in other.lines() {
        *there.entry(line.trim().trim_start_matches("- ")).or_default() += 1;
    }
    let only: Vec<_> = text
        .lines()
        .map(|line| line.trim().trim_start_matches("- "))
        .filter(|line| !line.is_empty())
        .filter(|line| match there.get_mut(line) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        })
        .collect();
    only.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_listed_line_by_line() {
        let (friday, saturday) = ("Lundi\n  Bal à 21 h\n  Bal à 21 h\n\nMardi", "Lundi\n  Bal à 22 h\nMardi");
        assert_eq!(differences(friday, saturday), ["− Bal à 21 h", "− Bal à 21 h", "+ Bal à 22 h"]);
        assert!(differences(friday, friday).is_empty());
    }
}
