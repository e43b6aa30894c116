//! An edition's way from the office's file to the partners, and what comes back from them: added, announced, ordered,
//! confirmed, and those who did not order reminded once. Everything that leaves goes through [`crate::pipeline`].
//!
//! Who opened the page of an order is not kept: a GET changes nothing, and following a person asks for consent (CNIL). A
//! reminder is by what is known without that, the order itself.

mod announce;
mod confirm;
mod file;
mod remind;

pub use announce::{Plan, announce, by_lane, plan, settle};
pub use confirm::confirm_orders;
pub use file::{Added, parse, read};
pub use remind::announce_reminders;

use crate::app::{App, Engine};
use crate::compose::edition::{Cover, EditionMail, Ordering};
use crate::compose::picture;
use crate::domain::{
    edition::{Edition, EditionFile, Online, REMINDER},
    french::NBSP,
    issue::{Content, Inline, IssueKey},
    segment::Segment,
};
use crate::jobs::Mailing;
use crate::pipeline::{self, Due, Made};
use crate::store::Store;
use anyhow::{Context, bail};
use std::borrow::Cow;

/// The mailing that editions are issues of.
///
/// # Errors
/// When there is none, or more than one.
pub fn mailing(app: &App) -> anyhow::Result<&Mailing> {
    let mut found = app.mailings.iter().filter(|mailing| mailing.is_of_editions());
    match (found.next(), found.next()) {
        (Some(mailing), None) => Ok(mailing),
        (None, _) => bail!("there is no mailing with template = \"edition\"; add jobs/editions.toml"),
        (Some(one), Some(other)) => {
            bail!("{} and {} have both template = \"edition\"; keep one of them", one.id, other.id)
        }
    }
}

/// The mailing for those of its audience who are meant.
pub fn narrowed<'a>(mailing: &'a Mailing, segment: Option<&Segment>) -> Cow<'a, Mailing> {
    let Some(meant) = segment else { return Cow::Borrowed(mailing) };
    let segment = match &mailing.segment {
        Some(audience) => audience.clone().and(meant.clone()),
        None => meant.clone(),
    };
    Cow::Owned(Mailing { segment: Some(segment), ..mailing.clone() })
}

/// The mailing as it is meant for one of its issues: of an edition, for those it was announced to. `None`: the announcement
/// was taken back.
///
/// # Errors
/// When the ledger cannot be read, or holds a segment that is none.
pub async fn mailing_for<'a>(
    engine: &Engine,
    mailing: &'a Mailing,
    issue: Option<&IssueKey>,
) -> anyhow::Result<Option<Cow<'a, Mailing>>> {
    let Some(issue) = issue.filter(|_| mailing.is_of_editions()) else { return Ok(Some(Cow::Borrowed(mailing))) };
    let Some(announcement) = engine.store.announcement(issue).await? else { return Ok(None) };
    let segment = announcement.segment.map(|text| Segment::parse(&text)).transpose();
    Ok(Some(narrowed(mailing, segment.with_context(|| format!("the segment of {issue}"))?.as_ref())))
}

/// What people get of an announced edition, as it is now. The inner error: why it is held.
///
/// # Errors
/// When the ledger cannot be read, or a template does not render.
pub(crate) async fn make(engine: &Engine, due: Due<'_>) -> anyhow::Result<Result<Made, String>> {
    let (app, key) = (&engine.app, due.key());
    let slug = Edition::slug_of(&key);
    let Some(stocked) = engine.store.edition(slug).await? else {
        return Ok(Err(format!("l’édition «{NBSP}{slug}{NBSP}» n’existe pas")));
    };
    let edition = stocked.edition;
    if let Some(why) = obstacle(app, &edition, due) {
        return Ok(Err(why));
    }
    let content = compose(app, &*engine.store, due, &edition).await?;
    Ok(Ok((content, Vec::new())))
}

/// Why it cannot be announced at that hour, in French.
pub fn obstacle(app: &App, edition: &Edition, due: Due<'_>) -> Option<String> {
    let title = &edition.title;
    if !edition.is_current(due.mailing.day(due.at)) {
        return Some(format!("«{NBSP}{title}{NBSP}» n’est plus valable ce jour-là"));
    }
    (edition.online == Online::Pdf && app.config.web.bind.is_none()).then(|| {
        format!("le PDF de «{NBSP}{title}{NBSP}» ne peut pas être lu en ligne{NBSP}: web.bind n’est pas réglé")
    })
}

/// What everyone gets. The same edition gives the same content.
///
/// # Errors
/// When the ledger cannot be read, or a template does not render.
pub async fn compose(app: &App, store: &dyn Store, due: Due<'_>, edition: &Edition) -> anyhow::Result<Content> {
    let (mailing, key, config) = (due.mailing, due.key(), &app.config);
    let mut envelope = pipeline::envelope(app, mailing, &key, due.at);
    let cover = store.edition_file(&edition.slug, EditionFile::Cover).await?.context("the edition has no cover")?;
    let online = online_url(app, edition);
    let id = |what: &str| format!("{what}.{}@{}", key.slug(), envelope.domain);
    let inline = |content_id: &str, media_type: &str, bytes: Vec<u8>| Inline {
        content_id: content_id.to_owned(),
        media_type: media_type.to_owned(),
        bytes,
    };
    let (cover_id, qr_id) = (id("couverture"), id("code-qr"));
    let (width, height) = picture::size(&cover)?;
    let inlines =
        vec![inline(&qr_id, "image/png", picture::qr(&online)?), inline(&cover_id, "image/jpeg", cover.clone())];
    let served = config.web.bind.is_some();
    let ordering = edition.printed.map(|printed| match served {
        true => Ordering::online(printed.pack),
        false => Ordering::by_mail(printed.pack, &reply_address(app, &envelope.from_address), &edition.title),
    });
    let mut mail = EditionMail::new(
        edition,
        &config.office,
        Cover::new(cover_id, width, height),
        qr_id,
        online,
        config.page(&format!("editions/{}.jpg", edition.slug)),
        ordering,
        key.period().ends_with(REMINDER),
    );
    mail.view_url = pipeline::is_online(app).then(|| mail.marks.view.clone());
    let rendered = app.templates.mail(&mail)?;
    envelope.edition = Some(edition.slug.clone());
    envelope.marks = mail.marks.issue;
    Ok(Content {
        subject: rendered.subject,
        html: rendered.html.context("templates/mail/edition/body.mjml is missing")?,
        text: rendered.text,
        attachments: Vec::new(),
        inline: inlines,
        data: serde_json::to_string(edition)?,
        envelope,
    })
}

/// Where the edition is read on a screen.
fn online_url(app: &App, edition: &Edition) -> String {
    match &edition.online {
        Online::At(url) => url.clone(),
        Online::Pdf => app.config.address(&format!("editions/{}.pdf", edition.slug)),
    }
}

/// Where a partner writes to the office.
fn reply_address(app: &App, from: &str) -> String {
    let reply_to = app.config.sender.reply_to.as_ref().map(ToString::to_string);
    app.config.office.email.clone().or(reply_to).unwrap_or_else(|| from.to_owned())
}
