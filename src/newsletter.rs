//! The newsletter's way from its sources to its content: news, editorial, newcomers and appointments gathered, arranged, and
//! composed with their pictures. Reads the ledger, writes nothing to it; holds instead of going half.

use crate::apart::on_a_large_stack;
use crate::app::App;
use crate::collect::{fetch::Fetcher, source::Source};
use crate::compose::newsletter::{NewsletterMail, ROOMS};
use crate::compose::picture;
use crate::domain::{
    Timestamp,
    french::NBSP,
    issue::{Content, Envelope, Inline, IssueKey},
    news::NewsItem,
    newsletter::{Appointment, Hold, Letter, Material, Month, Section},
};
use crate::jobs::{Newsletter, SourceRule};
use crate::keys::{File, Overrides, Problem, Problems, Section as Table};
use crate::pipeline::{self, Due};
use crate::store::Store;
use crate::templates::Rendered;
use anyhow::Context;
use chrono::{Months, NaiveDate, NaiveTime};
use std::io::ErrorKind;
use std::path::Path;
use tracing::warn;
use url::Url;

/// Pictures of one mail together, before they are encoded: with its texts it stays far below the 10 MB that relays take.
const ALL_PICTURES: usize = 5_000_000;
/// What an editorial may weigh.
const LONGEST_EDITORIAL: u64 = 64_000;

/// What an issue is made of, arranged, with its pictures.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub letter: Letter,
    pub pictures: Vec<Inline>,
    /// Sources the mailing goes without this time, each with the reason, in French. The letter tells of them too, and of
    /// pictures that are missing.
    pub without: Vec<String>,
}

/// Everything that is new since the last issue.
///
/// # Errors
/// The hold; or, of the outer result, a ledger that cannot be read.
pub async fn gather(
    app: &App,
    store: &dyn Store,
    due: Due<'_>,
    newsletter: &Newsletter,
) -> anyhow::Result<Result<Gathered, Hold>> {
    let (mailing, key, until) = (due.mailing, due.key(), app.clock.now());
    let before = store.last_composed(&mailing.id, &key).await?;
    // Who is new is known by comparison: before the first issue everybody would be.
    let newcomers = match before {
        Some(since) => store.newcomers(since).await?,
        None => Vec::new(),
    };
    let since = before.unwrap_or_else(|| until.checked_sub_months(Months::new(1)).unwrap_or(until));
    let written = store.editorial(&key).await?;
    let month = Month::of(mailing.day(due.at));
    let gathered = async {
        let (mut missing, mut left_out) = (Vec::new(), Vec::new());
        let news = news(app, &mailing.sources, (since, until), (&mut missing, &mut left_out)).await?;
        let editorial = match written {
            Some(text) => Some(text),
            None => editorial_file(&newsletter.sections, month)?,
        };
        let appointments = appointments(&newsletter.sections)?;
        let editorial = editorial.filter(|text| !text.trim().is_empty());
        let without = missing.clone();
        missing.extend(left_out);
        let material = Material { news, newcomers, appointments, editorial, missing };
        let today = mailing.day(due.at.max(until));
        let mut letter = Letter::arrange(month, (since, until), today, &newsletter.sections, material);
        crate::domain::newsletter::check(&letter, mailing.schedule.zone)?;
        let pictures = pictures(&app.fetcher, &mut letter, &key, app.config.sender.address.domain()).await;
        Ok(Gathered { letter, pictures, without })
    };
    Ok(gathered.await)
}

async fn news(
    app: &App,
    rules: &[SourceRule],
    (since, until): (Timestamp, Timestamp),
    (missing, left_out): (&mut Vec<String>, &mut Vec<String>),
) -> Result<Vec<NewsItem>, Hold> {
    // The weekly article has a mailing of its own (F21).
    let weekly: Vec<&Source> =
        app.mailings.iter().flat_map(|mailing| &mailing.sources).map(|rule| &rule.source).collect();
    let mut news = Vec::new();
    for rule in rules {
        match rule.source.news(&app.fetcher, since, until).await {
            Ok(found) => {
                let is_weekly = |item: &NewsItem| weekly.iter().any(|it| it.has_as_article(&rule.source, &item.title));
                let items = found.items.into_iter().filter(|item| !is_weekly(item));
                news.extend(items.map(|item| trusted(item, &rule.source)));
                left_out.extend(found.remarks.in_french(&rule.source.name()));
            }
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, required = rule.required, "a source gave no news");
                match rule.required {
                    true => return Err(Hold::Unreachable(error.in_french())),
                    false => missing.push(format!("une source manque{NBSP}: {}", error.in_french())),
                }
            }
        }
    }
    // What is announced for later is news of a later issue.
    news.retain(|item| item.published > since && item.published <= until);
    Ok(news)
}

/// A stranger's feed may not name a file of ours as its picture; the office's own folder may.
fn trusted(mut item: NewsItem, source: &Source) -> NewsItem {
    let ours = matches!(source, Source::Folder { .. });
    item.image = item.image.filter(|image| ours || !image.url.trim_start().to_ascii_lowercase().starts_with("file:"));
    item
}

/// The month's words in the office's folder, if somebody put them there.
fn editorial_file(sections: &[Section], month: Month) -> Result<Option<String>, Hold> {
    let file = sections.iter().find_map(|section| match section {
        Section::Editorial { file } => file.as_deref(),
        _ => None,
    });
    let Some(name) = file.map(|name| name.replace("{period}", &month.to_string())) else { return Ok(None) };
    let unreadable =
        |why: &dyn std::fmt::Display| Hold::Unreadable(format!("l’éditorial {name} n’est pas lisible{NBSP}: {why}"));
    match std::fs::metadata(&name) {
        Ok(file) if file.len() > LONGEST_EDITORIAL => return Err(unreadable(&"il est trop long")),
        Ok(_) => {}
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(unreadable(&why)),
    }
    std::fs::read_to_string(&name).map(Some).map_err(|why| unreadable(&why))
}

fn appointments(sections: &[Section]) -> Result<Vec<Appointment>, Hold> {
    let mut all = Vec::new();
    for section in sections {
        let Section::Appointments { file: Some(name), .. } = section else { continue };
        let read = read_appointments(Path::new(name));
        all.extend(
            read.map_err(|why| Hold::Unreadable(format!("la liste des rendez-vous n’est pas lisible{NBSP}: {why}")))?,
        );
    }
    Ok(all)
}

/// The files of appointments, each with how many are in it: for `check`.
///
/// # Errors
/// All that is wrong in the first that cannot be read.
pub fn check_lists(sections: &[Section]) -> Result<Vec<(&str, usize)>, Problems> {
    let files = sections.iter().filter_map(|section| match section {
        Section::Appointments { file, .. } => file.as_deref(),
        _ => None,
    });
    files.map(|file| Ok((file, read_appointments(Path::new(file))?.len()))).collect()
}

/// A file of `[[appointment]]`: `date`, `title`; and `time`, `place`, `text`, `url` where there are some.
///
/// # Errors
/// All that is wrong in it.
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

/// The pictures of what is told, small; one that cannot be had is missing, and its story goes without.
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
            Ok(_) => missing.push((story.item.title.clone(), "le message serait trop lourd".to_owned())),
            Err(why) => missing.push((story.item.title.clone(), why)),
        }
    }
    let sentence = |(title, why)| format!("l’image de «{NBSP}{title}{NBSP}» manque{NBSP}: {why}");
    letter.missing.extend(missing.into_iter().map(sentence));
    pictures
}

/// # Errors
/// Why there is none, in French.
async fn picture(fetcher: &Fetcher, url: &str) -> Result<Vec<u8>, String> {
    let url: Url = url.parse().map_err(|_| "son adresse n’en est pas une".to_owned())?;
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
        Err(_) => Err("elle n’a pas pu être lue".to_owned()),
    }
}

/// A picture beside a text in the office's folder.
async fn own_picture(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let unreadable = |why: std::io::Error| format!("le fichier {} n’est pas lisible{NBSP}: {why}", path.display());
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    match about.is_file() && about.len() <= limit as u64 {
        true => tokio::fs::read(path).await.map_err(unreadable),
        false => Err(format!("le fichier {} est trop gros", path.display())),
    }
}

/// What everyone gets. The same letter and pictures give the same content.
///
/// # Errors
/// A template that does not render.
pub fn compose(app: &App, due: Due<'_>, letter: &Letter, pictures: Vec<Inline>) -> anyhow::Result<Content> {
    on_a_large_stack(|| composed(app, due, letter, pictures))
}

fn composed(app: &App, due: Due<'_>, letter: &Letter, pictures: Vec<Inline>) -> anyhow::Result<Content> {
    let (mailing, office) = (due.mailing, &app.config.office);
    let mut fitting = None;
    for room in ROOMS {
        let mail = NewsletterMail::new(&mailing.title, letter, office, room).online(pipeline::is_online(app));
        let rendered = app.templates.mail(&mail)?;
        let fits = rendered.html.as_ref().is_none_or(|html| html.len() <= pipeline::HTML_LIMIT);
        fitting = Some((rendered, mail.marks.issue));
        if fits {
            break;
        }
    }
    let (Rendered { subject, html, text }, marks) = fitting.context("no room to write in")?;
    let html = html.context("templates/mail/newsletter/body.mjml is missing")?;
    if html.len() > pipeline::HTML_LIMIT {
        warn!(issue = %due.key(), bytes = html.len(), "a long mail: Gmail will show the beginning and a link to the rest");
    }
    Ok(Content {
        subject,
        html,
        text,
        attachments: vec![],
        inline: pictures,
        data: serde_json::to_string(letter)?,
        // The hour it is meant for; the hour it leaves at is written when it does.
        envelope: Envelope { marks, ..pipeline::envelope(app, mailing, &due.key(), due.at) },
    })
}
