//! An announced edition, from the office's file to its content.

use super::{
    Due,
    content::{Composed, NotComposed, envelope, is_online, render},
};
use crate::app::{App, Engine};
use crate::compose::edition::{Cover, EditionMail, Ordering};
use crate::compose::picture;
use crate::domain::{
    edition::{Edition, EditionFile, Online, REMINDER},
    hold::Hold,
    issue::{Basis, Content, Inline, IssueKey},
    segment::Segment,
};
use crate::jobs::Mailing;
use crate::store::Store;
use anyhow::{Context, bail};
use std::borrow::Cow;

/// The mailing whose issues are editions.
///
/// # Errors
/// When there is no such mailing, or more than one.
pub fn mailing(app: &App) -> anyhow::Result<&Mailing> {
    let mut found = app.mailings.iter().filter(|mailing| mailing.is_of_editions());
    match (found.next(), found.next()) {
        (Some(mailing), None) => Ok(mailing),
        (None, _) => bail!("there is no mailing with template = \"edition\"; add jobs/editions.toml"),
        (Some(one), Some(other)) => {
            bail!("{} and {} both have template = \"edition\"; keep one of them", one.id, other.id)
        }
    }
}

/// The mailing, restricted to the contacts of its audience that match the segment.
pub fn narrowed<'a>(mailing: &'a Mailing, segment: Option<&Segment>) -> Cow<'a, Mailing> {
    let Some(narrower) = segment else { return Cow::Borrowed(mailing) };
    let segment = match &mailing.segment {
        Some(audience) => audience.clone().and(narrower.clone()),
        None => narrower.clone(),
    };
    Cow::Owned(Mailing { segment: Some(segment), ..mailing.clone() })
}

/// The mailing, restricted for one of its issues: an edition goes to those it was announced to. `None`: the announcement was
/// cancelled.
///
/// # Errors
/// When the ledger cannot be read, or stores an invalid segment.
pub async fn mailing_for<'a>(
    engine: &Engine,
    mailing: &'a Mailing,
    issue: Option<&IssueKey>,
) -> anyhow::Result<Option<Cow<'a, Mailing>>> {
    let announced = issue.filter(|issue| mailing.is_of_editions() && issue.corrected().is_none());
    let Some(issue) = announced else { return Ok(Some(Cow::Borrowed(mailing))) };
    let Some(announcement) = engine.store.announcement(issue).await? else { return Ok(None) };
    let segment = announcement.segment.map(|text| Segment::parse(&text)).transpose();
    Ok(Some(narrowed(mailing, segment.with_context(|| format!("the segment of {issue}"))?.as_ref())))
}

/// # Errors
/// A hold; or a ledger that cannot be read, or a template that does not render.
pub(super) async fn make(app: &App, store: &dyn Store, due: Due<'_>) -> Result<Composed, NotComposed> {
    let key = due.key();
    let slug = Edition::slug_of(&key);
    let Some(stocked) = store.edition(slug).await? else {
        return Err(Hold::NoSuchEdition { slug: slug.to_owned() }.into());
    };
    let has_cover = store.edition_file_sizes(slug).await?.iter().any(|(file, _)| *file == EditionFile::Cover);
    check(app, &stocked.edition, has_cover, due)?;
    let content = compose(app, store, due, &stocked.edition).await?;
    Ok(Composed { content, missing: Vec::new(), basis: Basis::Sources })
}

/// `has_cover`: whether the edition has a cover picture.
///
/// # Errors
/// Why it cannot be announced at that hour.
pub fn check(app: &App, edition: &Edition, has_cover: bool, due: Due<'_>) -> Result<(), Hold> {
    let title = || edition.title.clone();
    let missing = edition.missing(has_cover);
    if !missing.is_empty() {
        return Err(Hold::EditionIncomplete { title: title(), missing });
    }
    if !edition.is_current(due.mailing.day(due.at)) {
        return Err(Hold::EditionOutOfDate { title: title() });
    }
    match edition.online == Some(Online::Pdf) && app.config.web.bind.is_none() {
        true => Err(Hold::PdfNotServed { title: title() }),
        false => Ok(()),
    }
}

/// The mail. The same edition always gives the same content.
///
/// # Errors
/// When the ledger cannot be read, or a template does not render.
pub async fn compose(app: &App, store: &dyn Store, due: Due<'_>, edition: &Edition) -> anyhow::Result<Content> {
    let (key, config) = (due.key(), &app.config);
    let mut envelope = envelope(app, &due);
    let cover = store.edition_file(&edition.slug, EditionFile::Cover).await?.context("the edition has no cover")?;
    let online = online_url(app, edition).context("the edition cannot be read online")?;
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
    mail.view_url = is_online(app).then(|| mail.marks.view.clone());
    envelope.edition = Some(edition.slug.clone());
    envelope.marks = mail.marks.issue.clone();
    let rendered = render(app, mail).await?;
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

/// The page where the edition can be read online.
fn online_url(app: &App, edition: &Edition) -> Option<String> {
    match edition.online.as_ref()? {
        Online::At(url) => Some(url.clone()),
        Online::Pdf => Some(app.config.address(&format!("editions/{}.pdf", edition.slug))),
    }
}

/// The address at which partners reach the office.
pub(crate) fn reply_address(app: &App, from: &str) -> String {
    let reply_to = app.config.sender.reply_to.as_ref().map(ToString::to_string);
    app.config.office.email.clone().or(reply_to).unwrap_or_else(|| from.to_owned())
}
