//! Words to staff: one mail when an issue is held, one when that ends. At least once, unlike what partners get.

use crate::app::Engine;
use crate::compose::context::NoticeMail;
use crate::compose::mime;
use crate::daemon::in_words;
use crate::deliver::{Deliverer, Letter, NotHandedOver};
use crate::domain::{delivery::Phase, email::EmailAddress};
use crate::store::Notice;
use tracing::{info, warn};

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing is owed any more, or there is nobody to tell.
    All,
    /// Something stays owed: try again, but not at once.
    NotYet,
}

/// Sends what is owed, the news of a paused issue included; what cannot be sent now stays owed.
pub async fn send(engine: &Engine, deliverer: &Deliverer) -> Told {
    if engine.app.config.staff.is_empty() {
        return Told::All;
    }
    let owed = async {
        engine.store.owe_notices_of_paused(engine.app.clock.now()).await?;
        engine.store.owed_notices().await
    };
    let owed = match owed.await {
        Ok(owed) => owed,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "notices to staff cannot be read");
            return Told::NotYet;
        }
    };
    let mut told = Told::All;
    for notice in owed {
        match send_one(engine, deliverer, &notice).await {
            Ok(()) => {
                info!(issue = %notice.issue, kind = notice.kind, "staff were told that {} is {}", notice.issue, notice.kind)
            }
            Err(error) => {
                told = Told::NotYet;
                warn!(issue = %notice.issue, kind = notice.kind, error = format!("{error:#}"), "staff could not be told");
                if error.downcast_ref::<NotHandedOver>().is_some_and(|it| it.phase < Phase::Mail) {
                    // No way to the relay: the other notices would only knock at the same door.
                    break;
                }
            }
        }
    }
    told
}

async fn send_one(engine: &Engine, deliverer: &Deliverer, notice: &Notice) -> anyhow::Result<()> {
    let (app, now) = (&engine.app, engine.app.clock.now());
    let mailing = app.mailing(notice.issue.mailing()).ok();
    let issue = engine.store.issue(&notice.issue).await?;
    let mail = app.templates.mail(&NoticeMail {
        kind: notice.kind.clone(),
        title: mailing.map_or_else(|| notice.issue.mailing().to_owned(), |m| m.title.clone()),
        issue: notice.issue.to_string(),
        // The template ends the sentence.
        reason: notice.text.trim_end_matches('.').to_owned(),
        deadline: issue.map(|i| in_words(i.expires_at, app.zone_of(notice.issue.mailing()))),
        retry: mailing.map(|m| format!("toutes les {} minutes", m.retry.num_minutes())),
    })?;
    let sender = app.config.sender.address.clone();
    let (mut told, mut refused) = (0, None);
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
        match deliverer.hand_over(&Letter { id: &id, to: person, message: &message }).await {
            Ok(()) => told += 1,
            // One address that is dead keeps nobody else from being told, nor is it tried for ever.
            Err(no) if no.code.is_some_and(|code| code >= 500) && no.phase >= Phase::Mail => {
                warn!(kind = notice.kind, error = %no, "{} was not told", person.masked());
                refused = Some(no);
            }
            Err(later) => return Err(later.into()),
        }
    }
    if let (0, Some(refused)) = (told, refused) {
        return Err(refused.into());
    }
    engine.store.notice_sent(&notice.id, now).await?;
    Ok(())
}

/// The same at every try, so that a mail program shows a repeated notice once.
fn message_id(notice: &Notice, person: &EmailAddress, sender: &EmailAddress) -> String {
    let staff: String = person.key().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}.{}.{staff}@{}", notice.issue.slug(), notice.kind, sender.domain())
}
