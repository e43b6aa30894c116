//! The mail of the first working morning after an issue left: what was handed over, what was refused and whom to telephone,
//! what a person has to decide. One mail covers several issues.

use crate::app::Engine;
use crate::compose::staff::{Refused, SummaryIssue, SummaryMail};
use crate::domain::{
    Timestamp,
    delivery::State,
    edition::{Order, OrderState},
    french::{self, NBSP, date_and_hour, plural},
    issue::{Counts, IssueState, IssueSummary},
    notice::Notice,
};
use crate::store::{IssuesFilter, LogFilter, PendingNotice, StoreError};
use crate::views::console::{Reading, issue_href, journal::DeliveryView, journal_href};
use chrono::TimeDelta;
use std::collections::HashMap;

/// The latest issues that are looked at.
const LATEST: u32 = 30;
/// After this time a summary is not sent any more: it is no news.
const NEWS: TimeDelta = TimeDelta::days(7);
/// Refused persons in one mail, for each issue; the others are counted.
const MOST: u32 = 100;

/// Queues the mail for each finished issue whose morning has come.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(super) async fn queue(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    let latest = IssuesFilter { state: Some(IssueState::Done), limit: LATEST, ..IssuesFilter::default() };
    for issue in engine.store.issues_page(&latest).await? {
        let (Ok(mailing), Some(finished)) = (engine.app.mailing(&issue.mailing), issue.closed_at()) else { continue };
        let is_due = |due: &Timestamp| (*due..*due + NEWS).contains(&now);
        if mailing.summary_of(finished).filter(is_due).is_none() {
            continue;
        }
        if engine.store.notice_of(&issue.key, Notice::Summary.name()).await?.is_none() {
            engine.store.queue_notice(&issue.key, &Notice::Summary, now).await?;
        }
    }
    Ok(())
}

/// `None`: nothing of these issues is known any more.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn mail(
    engine: &Engine,
    pending: &[PendingNotice],
    now: Timestamp,
) -> Result<Option<SummaryMail>, StoreError> {
    let (mut issues, mut since) = (Vec::new(), None);
    for notice in pending {
        let Some(issue) = engine.store.issue(&notice.issue).await? else { continue };
        let Some(left_at) = issue.frozen_at() else { continue };
        since = Some(since.map_or(left_at, |since: Timestamp| since.min(left_at)));
        issues.push(of_issue(engine, &issue, left_at, now).await?);
    }
    let Some(since) = since else { return Ok(None) };
    let orders = engine.store.orders(None).await?;
    let since_then: Vec<_> = orders.iter().filter(|order| order.ordered_at >= since && !order.is_erased()).collect();
    let orders = orders_since(&since_then, &date_and_hour(since, engine.app.config.zone));
    Ok(Some(SummaryMail { issues, orders, orders_url: super::console_url(engine, "/commandes") }))
}

async fn of_issue(
    engine: &Engine,
    issue: &IssueSummary,
    left_at: Timestamp,
    now: Timestamp,
) -> Result<SummaryIssue, StoreError> {
    let (app, store, key) = (&engine.app, &*engine.store, &issue.key);
    let it = Reading { store, config: &app.config, mailings: &app.mailings, now, sizes: None };
    let failed =
        LogFilter { issue: Some(key.clone()), state: Some(State::Failed), limit: Some(MOST), ..LogFilter::default() };
    let failed = store.log(&failed).await?;
    let ids: Vec<_> = failed.iter().map(|it| it.contact_id.clone()).filter(|id| !id.is_empty()).collect();
    let contacts = store.contacts_by_id(&ids).await?;
    let phones: HashMap<_, _> = contacts.into_iter().map(|contact| (contact.id, contact.partner.phone)).collect();
    let refused = failed.iter().map(|delivery| {
        let view = DeliveryView::new(&it, delivery);
        Refused { who: view.who, phone: phones.get(&delivery.contact_id).cloned().unwrap_or_default(), why: view.note }
    });
    let mut refused: Vec<_> = refused.collect();
    refused.sort_by_key(|it| french::folded(&it.who));
    let counts = &issue.counts;
    Ok(SummaryIssue {
        title: it.title(&issue.mailing).to_owned(),
        key: key.to_string(),
        left_at: date_and_hour(left_at, app.zone_of(&issue.mailing)),
        sum: sum(counts),
        short: format!("{} remis", french::grouped(counts.sent)),
        refused_more: counts.failed.saturating_sub(refused.len() as u64),
        refused,
        uncertain: counts.unknown,
        refused_url: super::console_url(engine, &journal_href(key, Some(State::Failed))),
        uncertain_url: super::console_url(engine, &format!("{}/incertains", issue_href(key))),
    })
}

/// `214 destinataires : 205 remis au relais, 3 refusés, 6 non envoyés (désinscrits, ou adresses écartées)`
fn sum(counts: &Counts) -> String {
    let waiting = counts.queued + counts.claimed + counts.in_data;
    let parts = [
        (counts.sent, "remis au relais", false),
        (counts.failed, "refusé", true),
        (counts.unknown, "incertain", true),
        (counts.suppressed, "non envoyé", true),
        (counts.expired, "trop tard", false),
        (counts.cancelled, "arrêté", true),
        (waiting, "en attente", false),
    ];
    let part = |(n, word, inflected): (u64, &str, bool)| {
        format!("{} {word}{}", french::grouped(n), if inflected { plural(n) } else { "" })
    };
    let parts: Vec<_> = parts.into_iter().filter(|(n, ..)| *n > 0).map(part).collect();
    let total = counts.total();
    match parts.is_empty() {
        true => "aucun destinataire".to_owned(),
        false => format!("{} destinataire{}{NBSP}: {}", french::grouped(total), plural(total), parts.join(", ")),
    }
}

fn orders_since(orders: &[&Order], since: &str) -> Option<String> {
    let (n, open) = (orders.len() as u64, orders.iter().filter(|order| order.state == OrderState::Open).count());
    let left = match open {
        0 => "aucune n’est à préparer".to_owned(),
        1 => "une est à préparer".to_owned(),
        n => format!("{n} sont à préparer"),
    };
    (n > 0).then(|| format!("{} commande{} depuis le {since}\u{202f}; {left}.", french::grouped(n), plural(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_worded_and_adds_up() {
        let counts = Counts { sent: 1205, failed: 3, unknown: 1, suppressed: 2, ..Counts::default() };
        let expected =
            "1\u{202f}211 destinataires\u{a0}: 1\u{202f}205 remis au relais, 3 refusés, 1 incertain, 2 non envoyés";
        assert_eq!(sum(&counts), expected);
        assert_eq!(sum(&Counts { sent: 1, ..Counts::default() }), "1 destinataire\u{a0}: 1 remis au relais");
        assert_eq!(sum(&Counts::default()), "aucun destinataire");
    }
}
