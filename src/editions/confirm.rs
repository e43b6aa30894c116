//! Confirms orders by mail, and tells staff of them: each confirmation is an issue with one recipient, so that it is recorded like every other
//! mail. The order is stored first; after a crash in between, the next pass confirms it.

use crate::app::Engine;
use crate::compose::edition::OrderMail;
use crate::domain::{
    edition::{ORDERS, Order},
    issue::{Basis, Content, Envelope, NewIssue, RecipientScope},
    notice::Notice,
};
use crate::issue::{
    content::{NotComposed, content_hash},
    edition::{mailing, reply_address},
    lint,
};
use anyhow::{Context, bail};
use chrono::TimeDelta;
use tracing::{info, warn};

/// A later confirmation would only confuse.
const USEFUL: TimeDelta = TimeDelta::days(4);

/// Freezes a confirmation for every order that changed since the last one; returns how many. A confirmation that fails is
/// retried at the next pass, and does not stop the others.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn confirm_orders(engine: &Engine) -> anyhow::Result<usize> {
    let mut confirmed = 0;
    for order in engine.store.unconfirmed_orders().await? {
        match confirm(engine, &order).await {
            Ok(()) => confirmed += 1,
            Err(failure) => {
                warn!(order = order.id, error = format!("{failure:#}"), "an order cannot be confirmed yet");
            }
        }
    }
    Ok(confirmed)
}

async fn confirm(engine: &Engine, order: &Order) -> anyhow::Result<()> {
    let (store, now) = (&engine.store, engine.app.clock.now());
    let key = order.confirmation();
    let content = match lint::pass(&key, compose(engine, order).await?).await {
        Ok(content) => content,
        Err(NotComposed::Held(hold)) => bail!("{hold}"),
        Err(NotComposed::Failed(error)) => return Err(error),
    };
    let issue = NewIssue {
        key,
        mailing: ORDERS.to_owned(),
        audience: ORDERS.to_owned(),
        segment: None,
        whom: RecipientScope::Contact(order.by.contact_id.clone()),
        scheduled_for: now,
        expires_at: now + USEFUL,
        content_hash: content_hash(&content),
        content,
        composed_at: now,
        second_person: false,
        author: None,
        basis: Basis::Sources,
    };
    // Frozen before, by another daemon or by this one before a crash, is fine.
    store.freeze_issue(&issue, now).await?;
    // Before it is recorded as confirmed, so that a crash in between loses neither.
    if !engine.app.config.staff.is_empty() {
        store.queue_notice(&issue.key, &Notice::Ordered, now).await?;
    }
    store.order_confirmed(order).await?;
    info!(issue = %issue.key, edition = order.edition, state = order.state.as_str(), "{} is confirmed", issue.key);
    Ok(())
}

async fn compose(engine: &Engine, order: &Order) -> anyhow::Result<Content> {
    let (app, sender) = (&engine.app, &engine.app.config.sender);
    let stocked = engine.store.edition(&order.edition).await?.context("its edition is gone")?;
    let pack = stocked.edition.pack();
    let mailing = mailing(app).ok();
    let from = mailing.and_then(|m| m.sender_address.as_ref()).unwrap_or(&sender.address);
    let reply_to = reply_address(app, &from.to_string());
    let served = app.config.web.bind.is_some();
    let mail = OrderMail::new(order, &stocked.edition.title, pack, &app.config.office, served);
    let rendered = app.templates.mail(&mail)?;
    Ok(Content {
        subject: rendered.subject,
        html: rendered.html.context("templates/mail/order/body.mjml is missing")?,
        text: rendered.text,
        attachments: Vec::new(),
        inline: Vec::new(),
        data: String::new(),
        envelope: Envelope {
            from_name: mailing.and_then(|m| m.sender_name.clone()).unwrap_or_else(|| sender.name.clone()),
            from_address: from.to_string(),
            reply_to: Some(reply_to),
            return_path: sender.return_path_of(from).to_string(),
            domain: from.domain().to_owned(),
            // A personal mail, not of a list: there is no unsubscribe link.
            list_id: String::new(),
            list_name: String::new(),
            feedback_id: String::new(),
            date_ms: engine.app.clock.now().timestamp_millis(),
            public_url: app.config.public_url.to_string(),
            edition: Some(order.edition.clone()),
            article_url: None,
            marks: mail.marks.issue,
            dkim: app.config.dkim.for_sender(from.domain()),
        },
    })
}
