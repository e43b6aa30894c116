//! A newsletter, from its sources to its content: gathers news, editorial, newcomers and appointments, arranges them, and
//! composes the mail with its pictures. Only reads the ledger; an incomplete newsletter is held.

use super::content::{
    Composed, HTML_LIMIT, NotComposed, envelope, is_online, on_a_blocking_thread, render, warn_of_a_long_mail,
};
use super::{
    Due,
    progress::{Step, Watch},
};
use crate::app::App;
use crate::collect::{fetch::Fetcher, source::Source};
use crate::compose::newsletter::{NewsletterMail, ROOMS};
use crate::compose::picture;
use crate::domain::{
    Timestamp,
    exception::{Granted, InForce},
    hold::{FileTrouble, Hold, Unread},
    issue::{Basis, Content, Envelope, Inline, IssueKey},
    news::NewsItem,
    newsletter::{Appointment, Letter, Material, Month, Section},
};
use crate::jobs::{Mailing, Newsletter};
use crate::notices::wording;
use crate::store::Store;
use crate::templates::Rendered;
use crate::toml_reader::{File, Overrides, Problem, Problems, Section as Table};
use anyhow::Context;
use chrono::{Months, NaiveDate, NaiveTime};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use tracing::warn;
use url::Url;

/// Maximum total size of the pictures of a mail before encoding: with the texts, well below the 10 MB that relays accept.
const ALL_PICTURES: usize = 5_000_000;
/// Maximum size of an editorial file in bytes.
const LONGEST_EDITORIAL: u64 = 64_000;

/// The material of an issue, arranged, with its pictures.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub letter: Letter,
    pub pictures: Vec<Inline>,
    /// Optional sources that failed, each with the reason in French. The letter lists them too, with missing pictures.
    pub without: Vec<String>,
    /// What persons had decided when it was gathered.
    pub basis: Basis,
}

/// # Errors
/// A hold; or a ledger that cannot be read, or a template that does not render.
pub(super) async fn make(
    app: &App,
    store: &dyn Store,
    due: Due<'_>,
    newsletter: &Newsletter,
    watch: Watch<'_>,
) -> Result<Composed, NotComposed> {
    let Gathered { letter, pictures, without, basis } = gather(app, store, due, newsletter).await?;
    watch(Step::Gathered { letter: &letter });
    let content = compose(app, due, &letter, pictures).await?;
    Ok(Composed { content, missing: without, basis })
}

/// Everything that is new since the last issue.
///
/// # Errors
/// A hold; or a ledger that cannot be read.
pub async fn gather(
    app: &App,
    store: &dyn Store,
    due: Due<'_>,
    newsletter: &Newsletter,
) -> Result<Gathered, NotComposed> {
    let (mailing, key, until) = (due.mailing, due.key(), app.clock.now());
    let before = store.last_composed(&mailing.id, &key).await?;
    // Newcomers are found by comparing with the previous issue: before the first issue every partner would be one.
    let newcomers = match before {
        Some(since) => store.newcomers(since).await?,
        None => Vec::new(),
    };
    let since = before.unwrap_or_else(|| until.checked_sub_months(Months::new(1)).unwrap_or(until));
    let month = Month::of(mailing.day(due.at));
    let (mut missing, mut left_out) = (Vec::new(), Vec::new());
    let saved = store.editorial(&key).await?.map(|written| written.text);
    let exceptions = InForce::of(store.exceptions(&key).await?);
    let mut granted = Vec::new();
    let noted = (&mut missing, &mut left_out, &mut granted);
    let news = news(app, mailing, &exceptions, (since, until), noted).await?;
    let basis = Basis::Editorial { text: saved.clone(), exceptions: exceptions.changes };
    let editorial = match saved {
        Some(text) => Some(text),
        None => editorial_file(&newsletter.sections, month).await?,
    };
    let appointments = appointments(&newsletter.sections)?;
    let editorial = editorial.filter(|text| !text.trim().is_empty());
    let without = missing.clone();
    missing.extend(left_out);
    let material = Material { news, newcomers, appointments, editorial, missing };
    let today = mailing.day(due.at.max(until));
    let mut letter = Letter::arrange(month, (since, until), today, &newsletter.sections, material);
    crate::domain::newsletter::check(&letter, mailing.schedule.zone)?;
    letter.exceptions = granted;
    let pictures = pictures(&app.fetcher, &mut letter, &key, app.config.sender.address.domain()).await;
    Ok(Gathered { letter, pictures, without, basis })
}

async fn news(
    app: &App,
    mailing: &Mailing,
    exceptions: &InForce,
    (since, until): (Timestamp, Timestamp),
    (missing, left_out, granted): (&mut Vec<String>, &mut Vec<String>, &mut Vec<Granted>),
) -> Result<Vec<NewsItem>, Hold> {
    // The weekly article is sent by a mailing of its own (F21).
    let weekly: Vec<&Source> =
        app.mailings.iter().flat_map(|mailing| &mailing.sources).map(|rule| &rule.source).collect();
    let mut news = Vec::new();
    for (name, rule) in mailing.named_sources() {
        match rule.source.news(&app.fetcher, since, until).await {
            Ok(found) => {
                let is_weekly = |item: &NewsItem| weekly.iter().any(|it| it.has_as_article(&rule.source, &item.title));
                let items = found.items.into_iter().filter(|item| !is_weekly(item));
                news.extend(items.map(|item| trusted(item, &rule.source)));
                left_out.extend(found.remarks.in_french(&rule.source.name()));
            }
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, required = rule.required, "a source returned no news");
                let why = error.in_french();
                match exceptions.excuse(&name) {
                    Some(it) if rule.required => {
                        missing.push(wording::went_without(&why, &it.by));
                        granted.push(Granted::from(it));
                    }
                    None if rule.required => {
                        return Err(Hold::NewsUnreachable(Unread { source: Some(name), why }));
                    }
                    _ => missing.push(wording::source_missing(&why)),
                }
            }
        }
    }
    // News dated after this issue belong to a later one.
    news.retain(|item| item.published > since && item.published <= until);
    Ok(news)
}

/// An external feed may not name a local file as its picture; the office's own folder may.
fn trusted(mut item: NewsItem, source: &Source) -> NewsItem {
    let ours = matches!(source, Source::Folder { .. });
    item.image = item.image.filter(|image| ours || !image.url.trim_start().to_ascii_lowercase().starts_with("file:"));
    item
}

/// The month's editorial from the office's folder, if there is one.
pub(crate) async fn editorial_file(sections: &[Section], month: Month) -> Result<Option<String>, Hold> {
    let file = sections.iter().find_map(|section| match section {
        Section::Editorial { file } => file.as_deref(),
        _ => None,
    });
    let Some(name) = file.map(|name| name.replace("{period}", &month.to_string())) else { return Ok(None) };
    let unreadable = |why| Hold::EditorialUnreadable { file: name.clone(), why };
    let failed = |why: std::io::Error| unreadable(FileTrouble::Unreadable(why.to_string()));
    match tokio::fs::metadata(&name).await {
        Ok(file) if file.len() > LONGEST_EDITORIAL => return Err(unreadable(FileTrouble::TooLong)),
        Ok(_) => {}
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(failed(why)),
    }
    tokio::fs::read_to_string(&name).await.map(Some).map_err(failed)
}

fn appointments(sections: &[Section]) -> Result<Vec<Appointment>, Hold> {
    let mut all = Vec::new();
    for section in sections {
        let Section::Appointments { file: Some(name), .. } = section else { continue };
        let read = read_appointments(Path::new(name));
        all.extend(read.map_err(|why| Hold::AppointmentsUnreadable(why.to_string()))?);
    }
    Ok(all)
}

/// The appointment files with their number of appointments, for `check`.
///
/// # Errors
/// All problems of the first file that cannot be read.
pub fn check_lists(sections: &[Section]) -> Result<Vec<(&str, usize)>, Problems> {
    let files = sections.iter().filter_map(|section| match section {
        Section::Appointments { file, .. } => file.as_deref(),
        _ => None,
    });
    files.map(|file| Ok((file, read_appointments(Path::new(file))?.len()))).collect()
}

/// Reads a file of `[[appointment]]`: `date`, `title`; optionally `time`, `place`, `text`, `url`.
///
/// # Errors
/// All problems in it.
pub fn read_appointments(path: &Path) -> Result<Vec<Appointment>, Problems> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|why| {
        Problems(vec![Problem { place: place.clone(), key: String::new(), message: format!("cannot be read: {why}") }])
    })?;
    let overrides = Overrides::default();
    let file = File::parse(place, &text, &overrides);
    let root = file.root();
    let read = root.sections("appointment").into_iter().filter_map(appointment).collect();
    root.finish();
    match file.problems() {
        problems if problems.is_empty() => Ok(read),
        problems => Err(Problems(problems)),
    }
}

fn appointment(table: Table) -> Option<Appointment> {
    let day = table.required("date", "\"2026-07-14\"", |raw| {
        raw.text()?.parse::<NaiveDate>().map_err(|_| "expected a date such as \"2026-07-14\"".to_owned())
    });
    let title = table.required("title", "\"Éductour en Lomagne\"", |raw| raw.text());
    let time = table.parsed("time", |text| {
        NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "expected an hour such as \"14:30\"")
    });
    let (place, text, url) = (table.text("place"), table.text("text"), table.text("url"));
    table.finish();
    Some(Appointment { day: day?, time, title: title?, place, text, url })
}

/// The pictures of the stories, scaled down. A story whose picture fails is sent without it, and the picture is listed as
/// missing.
async fn pictures(fetcher: &Fetcher, letter: &mut Letter, key: &IssueKey, domain: &str) -> Vec<Inline> {
    let (mut pictures, mut missing, mut weight) = (Vec::<Inline>::new(), Vec::new(), 0);
    for story in letter.stories_mut() {
        let Some(image) = &story.item.image else { continue };
        match picture(fetcher, &image.url).await {
            Ok(bytes) if weight + bytes.len() <= ALL_PICTURES => {
                weight += bytes.len();
                let content_id = format!("image-{}.{}@{domain}", pictures.len() + 1, key.slug());
                story.picture = Some(content_id.clone());
                pictures.push(Inline { content_id, media_type: "image/jpeg".to_owned(), bytes });
            }
            Ok(_) => missing.push((story.item.title.clone(), wording::PICTURES_TOO_HEAVY.to_owned())),
            Err(why) => missing.push((story.item.title.clone(), why)),
        }
    }
    letter.missing.extend(missing.iter().map(|(title, why)| wording::picture_missing(title, why)));
    pictures
}

/// # Errors
/// The reason, in French.
async fn picture(fetcher: &Fetcher, url: &str) -> Result<Vec<u8>, String> {
    let url: Url = url.parse().map_err(|_| wording::PICTURE_ADDRESS.to_owned())?;
    let bytes = match url.to_file_path() {
        Ok(path) if url.scheme() == "file" => own_picture(&path, fetcher.limits().max_bytes).await?,
        _ => {
            let file = fetcher.file(&url).await.map_err(|why| {
                warn!(error = &why as &dyn std::error::Error, "a picture could not be fetched");
                why.in_french()
            })?;
            file.bytes
        }
    };
    let small = tokio::task::spawn_blocking(move || picture::small(&bytes)).await;
    match small {
        Ok(Ok(small)) => Ok(small.jpeg),
        Ok(Err(why)) => {
            warn!(error = &why as &dyn std::error::Error, "a picture could not be read");
            Err(why.in_french().to_owned())
        }
        Err(_) => Err(wording::PICTURE_NOT_READ.to_owned()),
    }
}

/// Reads a picture beside a text in the office's folder.
async fn own_picture(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let unreadable = |why| wording::picture_unreadable(path, &why);
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    match about.is_file() && about.len() <= limit as u64 {
        true => tokio::fs::read(path).await.map_err(unreadable),
        false => Err(wording::picture_too_big(path)),
    }
}

/// The mail. The same letter and pictures always give the same content.
///
/// # Errors
/// A template that does not render.
pub async fn compose(app: &App, due: Due<'_>, letter: &Letter, pictures: Vec<Inline>) -> anyhow::Result<Content> {
    let online = is_online(app);
    let parts = Arc::new((due.mailing.title.clone(), letter.clone(), app.config.office.clone()));
    let mut fitting = None;
    for room in ROOMS {
        // The office's Markdown may be deeply nested.
        let parts = Arc::clone(&parts);
        let make = move || NewsletterMail::new(&parts.0, &parts.1, &parts.2, room).online(online);
        let mail = on_a_blocking_thread(make).await?;
        let marks = mail.marks.issue.clone();
        let rendered = render(app, mail).await?;
        let fits = rendered.html.as_ref().is_none_or(|html| html.len() <= HTML_LIMIT);
        fitting = Some((rendered, marks));
        if fits {
            break;
        }
    }
    let (Rendered { subject, html, text }, marks) = fitting.context("the mail has no size limit to try")?;
    let html = html.context("templates/mail/newsletter/body.mjml is missing")?;
    warn_of_a_long_mail(&due, &html);
    Ok(Content {
        subject,
        html,
        text,
        attachments: vec![],
        inline: pictures,
        data: serde_json::to_string(letter)?,
        envelope: Envelope { marks, ..envelope(app, &due) },
    })
}
