//! Words to staff: one mail when an issue is held, one when that ends. At least once, unlike what partners get.

use crate::app::Engine;
use crate::compose::context::NoticeMail;
use crate::compose::mime;
use crate::daemon::in_words;
use crate::deliver::{Deliverer, Letter};
use crate::domain::email::EmailAddress;
use crate::store::Notice;
use tracing::{info, warn};

/// Sends what is owed; what cannot be sent now stays owed.
pub async fn send(engine: &Engine, deliverer: &Deliverer) {
    if engine.app.config.staff.is_empty() {
        return;
    }
    let owed = match engine.store.owed_notices().await {
        Ok(owed) => owed,
        Err(error) => return warn!(error = &error as &dyn std::error::Error, "notices to staff cannot be read"),
    };
    for notice in owed {
        match send_one(engine, deliverer, &notice).await {
            Ok(()) => {
                info!(issue = %notice.issue, kind = notice.kind, "staff were told that {} is {}", notice.issue, notice.kind)
            }
            Err(error) => {
                warn!(issue = %notice.issue, kind = notice.kind, error = format!("{error:#}"), "staff could not be told")
            }
        }
    }
}

async fn send_one(engine: &Engine, deliverer: &Deliverer, notice: &Notice) -> anyhow::Result<()> {
    let (app, now) = (&engine.app, engine.app.clock.now());
    let mailing = app.mailing(notice.issue.mailing()).ok();
    let issue = engine.store.issue(&notice.issue).await?;
    let zone = mailing.map_or(app.config.zone, |m| m.schedule.zone);
    let mail = app.templates.mail(&NoticeMail {
        kind: notice.kind.clone(),
        title: mailing.map_or_else(|| notice.issue.mailing().to_owned(), |m| m.title.clone()),
        issue: notice.issue.to_string(),
        reason: notice.text.clone(),
        deadline: issue.map(|i| in_words(i.expires_at, zone)),
        retry: mailing.map(|m| format!("toutes les {} minutes", m.retry.num_minutes())),
    })?;
    let sender = app.config.sender.address.clone();
    for person in &app.config.staff {
        let message = mime::plain(&mime::Plain {
            from_name: "semainier",
            from: &sender,
            to: person,
            message_id: &message_id(notice, person, &sender),
            date: now,
            subject: &mail.subject,
            text: &mail.text,
        })?;
        let id = format!("{}-{}", notice.issue.slug(), notice.kind);
        deliverer.hand_over(&Letter { id: &id, to: person, message: &message }).await?;
    }
    engine.store.notice_sent(&notice.id, now).await?;
    Ok(())
}

/// The same at every try, so that a mail program shows a repeated notice once.
fn message_id(notice: &Notice, person: &EmailAddress, sender: &EmailAddress) -> String {
    let staff: String = person.key().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}.{}.{staff}@{}", notice.issue.slug(), notice.kind, sender.domain())
}
