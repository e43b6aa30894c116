//! An agenda, from its article to its content: collect, parse, check the gates, merge listings, compose and print.

use super::content::{Composed, NotComposed, envelope, is_online, on_a_blocking_thread, render, warn_of_a_long_mail};
use super::{
    Due, corrections,
    progress::{Step, Watch},
};
use crate::apart::{Apart, PATIENCE, apart};
use crate::app::{App, Engine};
use crate::collect::article::{self, Reading};
use crate::collect::source::Provides;
use crate::compose::context::{AgendaMail, Links};
use crate::compose::print::{self, Format, Layout, Look, Picture, PrintError, Printed, Sheet};
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Week},
    article::Article,
    correction::{Corrected, KeptReading, Overlay, Standing},
    french,
    gates::{self, Gates},
    hold::Hold,
    issue::{Attachment, Basis, Content, Envelope},
    merge::{self, Merge},
    office::Office,
    venue::KnownVenues,
};
use crate::jobs::{self, Attach, Mailing};
use crate::notices::wording;
use crate::templates::Rendered;
use anyhow::Context;
use std::time::Duration;
use tracing::{info, warn};

/// The article of the week, parsed and corrected.
#[derive(Debug)]
pub struct Found {
    pub title: String,
    /// Of the article.
    pub url: Option<String>,
    pub agenda: Agenda,
    /// The requested week, which the article is about.
    pub week: Week,
    /// Optional sources that failed, each with the reason in French.
    pub missing: Vec<String>,
}

/// What was collected for an issue.
#[derive(Debug)]
pub struct Collected {
    /// Before any correction. `None`: nothing could be read, or it is about another week.
    pub read: Option<KeptReading>,
    pub outcome: Result<Found, Hold>,
}

/// What is known beside the sources.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// The communes of venues, see [`super::venues`].
    pub venues: KnownVenues,
    pub overlay: Overlay,
    /// Of the overlay.
    pub revision: u64,
}

/// `article`: used instead of those of the mailing's sources. What was read is kept, so that a person can correct it, even if a
/// gate holds the issue.
///
/// # Errors
/// A hold, or a template that does not render.
pub(super) async fn make(
    engine: &Engine,
    due: Due<'_>,
    publishes: &jobs::Agenda,
    article: Option<Article>,
    watch: Watch<'_>,
) -> Result<Composed, NotComposed> {
    let knowledge = corrections::knowledge(&*engine.store, &due.key()).await?;
    let Collected { read, outcome } = collect(&engine.app, due, publishes, article, &knowledge).await;
    if let Some(read) = &read {
        engine.store.keep_reading(read).await?;
    }
    let found = outcome?;
    watch(Step::Read { title: &found.title, agenda: &found.agenda });
    let content = compose(&engine.app, due, publishes, &found).await?;
    Ok(Composed { content, missing: found.missing, basis: Basis::Corrections(knowledge.revision) })
}

/// Collects and parses: takes the first article whose agenda passes the gates, merges the listings of structured sources, and
/// applies the corrections. `article`: used instead of those of the mailing's sources.
pub async fn collect(
    app: &App,
    due: Due<'_>,
    publishes: &jobs::Agenda,
    article: Option<Article>,
    knowledge: &Knowledge,
) -> Collected {
    let mut read = None;
    let outcome = match read_article(app, due, publishes, article, knowledge, &mut read).await {
        Ok(article) => {
            corrected(&article, publishes.week(due.mailing.day(due.at)), publishes.gates, &knowledge.overlay)
        }
        Err(hold) => Err(hold),
    };
    Collected { read, outcome }
}

/// `read` receives the reading to keep, even if a gate holds it.
async fn read_article(
    app: &App,
    due: Due<'_>,
    publishes: &jobs::Agenda,
    article: Option<Article>,
    Knowledge { venues, overlay, .. }: &Knowledge,
    read: &mut Option<KeptReading>,
) -> Result<KeptReading, Hold> {
    let mailing = due.mailing;
    let week = publishes.week(mailing.day(due.at));
    let (articles, missing) = match article {
        Some(article) => (vec![article], Vec::new()),
        None => collect_articles(app, mailing).await?,
    };
    let mut refusal = None;
    for article in articles {
        let agenda = understood(app, mailing, week, &article, venues).await?;
        let mut reading = KeptReading {
            issue: due.key(),
            read_at: app.clock.now(),
            title: article.title,
            url: article.url,
            agenda,
            missing: missing.clone(),
        };
        match open(&reading, week, publishes.gates, overlay) {
            Ok(()) => {
                let agenda = &mut reading.agenda;
                agenda.warnings.extend(missing.iter().map(|why| wording::made_without(why)));
                reading.missing.extend(add_listings(app, mailing, week, agenda).await?);
                *read = Some(reading.clone());
                return Ok(reading);
            }
            // A hold about an article of the right week is more informative than one about a newer article of another week.
            Err(hold) => {
                let is_other_week = matches!(hold, Hold::WrongWeek { .. });
                if refusal.is_none() || !is_other_week {
                    *read = Some(reading).filter(|_| !is_other_week);
                    refusal = Some(hold);
                }
            }
        }
    }
    Err(refusal.unwrap_or(Hold::NoArticle { week }))
}

/// The gates: that of the week before any correction, the others after them.
fn open(read: &KeptReading, week: Week, gates: Gates, overlay: &Overlay) -> Result<(), Hold> {
    if overlay.is_empty() {
        return gates::check(&read.agenda, &read.title, week, gates);
    }
    gates::check_week(&read.agenda, &read.title, week)?;
    gates::check(&overlay.apply(&read.agenda).agenda, &read.title, week, gates)
}

/// The agenda as it is composed: what was read, with the corrections.
///
/// # Errors
/// The hold: a gate is closed, or a correction is in conflict.
pub fn corrected(read: &KeptReading, week: Week, gates: Gates, overlay: &Overlay) -> Result<Found, Hold> {
    gates::check_week(&read.agenda, &read.title, week)?;
    let Corrected { mut agenda, standings, .. } = overlay.apply(&read.agenda);
    gates::check(&agenda, &read.title, week, gates)?;
    let in_conflict = standings.iter().filter_map(|standing| match standing {
        Standing::InConflict { now, .. } => Some(now.clone()),
        _ => None,
    });
    let lines: Vec<String> = in_conflict.collect();
    if !lines.is_empty() {
        return Err(Hold::CorrectionsInConflict { lines });
    }
    for (it, standing) in overlay.corrections.iter().zip(&standings) {
        if *standing == Standing::Orphaned {
            agenda.warnings.push(wording::orphaned(&it.anchor.line, &it.by));
        }
    }
    let (title, url, missing) = (read.title.clone(), read.url.clone(), read.missing.clone());
    Ok(Found { title, url, agenda, week, missing })
}

/// The articles of all article sources, and the reasons why optional sources failed.
async fn collect_articles(app: &App, mailing: &Mailing) -> Result<(Vec<Article>, Vec<String>), Hold> {
    let (mut articles, mut missing) = (Vec::new(), Vec::new());
    for rule in mailing.sources.iter().filter(|rule| rule.source.provides() == Provides::Article) {
        match rule.source.articles(&app.fetcher, app.clock.now()).await {
            Ok(found) => articles.extend(found),
            Err(error) => {
                warn!(mailing = mailing.id, error = &error as &dyn std::error::Error, "the source returned no article");
                match rule.required {
                    true => return Err(Hold::ArticleUnreachable(error.in_french())),
                    false => missing.push(error.in_french()),
                }
            }
        }
    }
    // A single one may fail, but not all of them.
    if articles.is_empty() && !missing.is_empty() {
        return Err(Hold::ArticleUnreachable(missing.join("\u{a0}; ")));
    }
    Ok((articles, missing))
}

/// Merges the listings of the mailing's structured sources into the agenda. Returns the reasons why optional sources are
/// missing; older content of a source is never used instead.
///
/// # Errors
/// When a required source fails.
pub async fn add_listings(app: &App, mailing: &Mailing, week: Week, agenda: &mut Agenda) -> Result<Vec<String>, Hold> {
    let mut missing = Vec::new();
    let days = week.monday()..=week.sunday();
    for rule in mailing.sources.iter().filter(|rule| rule.source.provides() == Provides::Listings) {
        let zone = mailing.schedule.zone;
        match rule.source.listings(&app.fetcher, days.clone(), zone, app.clock.now()).await {
            Ok(found) => {
                let listings = found.items;
                agenda.warnings.extend(found.remarks.in_french(&rule.source.name()));
                // On a separate thread and on a copy: if it panics or times out, only this source is lost.
                let (mut joined, home) = (agenda.clone(), app.config.commune.clone());
                let work = move || {
                    let merge = merge::merge(&mut joined, &listings, week, &home);
                    (joined, merge)
                };
                let Merge { added, known, left_out } = match apart(PATIENCE, work).await {
                    Ok((joined, merge)) => {
                        *agenda = joined;
                        merge
                    }
                    Err(why) => {
                        let error = &why as &dyn std::error::Error;
                        warn!(mailing = mailing.id, error, "the listings could not be merged");
                        let why = wording::of_source(&rule.source.name(), &why.in_french());
                        if rule.required {
                            return Err(Hold::ListingsUnreachable(why));
                        }
                        agenda.warnings.push(wording::made_without(&why));
                        missing.push(why);
                        continue;
                    }
                };
                info!(mailing = mailing.id, added, known, left_out, "listings merged into the agenda");
            }
            Err(error) => {
                warn!(
                    mailing = mailing.id,
                    error = &error as &dyn std::error::Error,
                    "the source returned no listings"
                );
                if rule.required {
                    return Err(Hold::ListingsUnreachable(error.in_french()));
                }
                agenda.warnings.push(wording::made_without(&error.in_french()));
                missing.push(error.in_french());
            }
        }
    }
    Ok(missing)
}

/// How an article is read, and what would hold it. Nothing is kept, fetched or sent.
#[derive(Debug)]
pub struct Checked {
    pub agenda: Agenda,
    pub hold: Option<Hold>,
}

/// Reads an article as that of this week, without the other sources of the mailing. `patience`: for the parser; `held`: kept until
/// it returns, also when nobody waits for it any more.
///
/// # Errors
/// If parsing panicked or took too long.
pub async fn check<H: Send + 'static>(
    app: &App,
    (mailing, gates): (&Mailing, Gates),
    week: Week,
    article: &Article,
    known: &KnownVenues,
    (patience, held): (Duration, H),
) -> Result<Checked, Apart> {
    let agenda = parsed(app, mailing, week, article, known, (patience, held)).await?;
    let hold = gates::check(&agenda, &article.title, week, gates).err();
    Ok(Checked { agenda, hold })
}

/// Parses an article on a separate thread.
///
/// # Errors
/// A hold, if parsing panicked or timed out.
async fn understood(
    app: &App,
    mailing: &Mailing,
    week: Week,
    article: &Article,
    known: &KnownVenues,
) -> Result<Agenda, Hold> {
    parsed(app, mailing, week, article, known, (PATIENCE, ())).await.map_err(|why| {
        warn!(mailing = mailing.id, error = &why as &dyn std::error::Error, "the article could not be parsed");
        Hold::ArticleUnreachable(why.in_french())
    })
}

async fn parsed<H: Send + 'static>(
    app: &App,
    mailing: &Mailing,
    week: Week,
    article: &Article,
    known: &KnownVenues,
    (patience, held): (Duration, H),
) -> Result<Agenda, Apart> {
    let published = article.published.with_timezone(&mailing.schedule.zone).date_naive();
    let (html, home, venues) = (article.html.clone(), app.config.commune.clone(), app.config.venues.clone());
    let known = known.clone();
    let reading = move || {
        let _held = held;
        let reading = Reading { published, week: Some(week), home: &home, venues: &venues };
        article::read_knowing(&html, &reading, &known)
    };
    let mut agenda = apart(patience, reading).await?;
    article::complete_links(&mut agenda, article.url.as_deref());
    Ok(agenda)
}

/// The mail with its documents. The same article and settings always give the same content (I6).
///
/// # Errors
/// A template that does not render, or a page that cannot be printed; the hold, when no paper has room for it all.
pub async fn compose(app: &App, due: Due<'_>, publishes: &jobs::Agenda, found: &Found) -> Result<Content, NotComposed> {
    let Found { url, agenda, week, .. } = found;
    let attached = |attach| publishes.attach.contains(&attach);
    let page = |name: &str| app.config.page(&format!("{}/{week}{name}", due.mailing.id));
    let links = Links {
        article: url.clone(),
        page: page(""),
        poster: page("/affiche.pdf").filter(|_| attached(Attach::Poster)),
        booklet: page("/livret.pdf").filter(|_| attached(Attach::Booklet)),
        online: is_online(app),
    };
    let (title, agenda_of_mail, week_of_mail) = (due.mailing.title.clone(), agenda.clone(), *week);
    let office = app.config.office.clone();
    let make = move || AgendaMail::new(&title, &agenda_of_mail, week_of_mail, &office, links);
    let mail = on_a_blocking_thread(make).await?;
    let marks = mail.marks.issue.clone();
    let Rendered { subject, html, text } = render(app, mail).await?;
    let html = html.context("templates/mail/agenda/body.mjml is missing")?;
    warn_of_a_long_mail(&due, &html);
    let (papers, attach) = (Papers::new(app, due, found), publishes.attach.clone());
    let print = move || attach.iter().map(|attach| attachment(*attach, &papers.sheet())).collect::<Result<_, _>>();
    let attachments = on_a_blocking_thread(print).await?.map_err(not_printed)?;
    Ok(Content {
        subject,
        html,
        text,
        attachments,
        inline: vec![],
        data: serde_json::to_string(agenda).context("the agenda cannot be kept")?,
        envelope: Envelope { marks, article_url: url.clone(), ..envelope(app, &due) },
    })
}

/// More events than paper has room for are a matter of the article, which a person mends; anything else is ours.
fn not_printed(error: PrintError) -> NotComposed {
    match error {
        PrintError::DoesNotFit => Hold::DoesNotFit.into(),
        error => anyhow::Error::from(error).into(),
    }
}

/// What printing needs, owned so that it can move to another thread.
#[derive(Debug, Clone)]
pub struct Papers {
    agenda: Agenda,
    week: Week,
    office: Office,
    title: String,
    online_url: Option<String>,
    created: Timestamp,
    look: Look,
    format: Format,
}

impl Papers {
    pub fn new(app: &App, due: Due<'_>, found: &Found) -> Self {
        let office = &app.config.office;
        Self {
            agenda: found.agenda.clone(),
            week: found.week,
            online_url: found.url.clone().or_else(|| office.website.clone()),
            office: office.clone(),
            title: due.mailing.title.clone(),
            // Not the current time: printing the same agenda again must give the same bytes.
            created: due.at,
            look: app.config.print.look.clone(),
            format: app.config.print.format,
        }
    }

    /// As they printed the documents of kept content, where the settings are still the same.
    ///
    /// # Errors
    /// When the kept agenda cannot be read.
    fn of_kept(app: &App, mailing: &Mailing, week: Week, at: Timestamp, content: &Content) -> anyhow::Result<Self> {
        let office = &app.config.office;
        Ok(Self {
            agenda: content.agenda().context("the kept agenda cannot be read")?,
            week,
            online_url: content.envelope.article_url.clone().or_else(|| office.website.clone()),
            office: office.clone(),
            title: mailing.title.clone(),
            created: at,
            look: app.config.print.look.clone(),
            format: app.config.print.format,
        })
    }

    pub fn sheet(&self) -> Sheet<'_> {
        let Self { agenda, week, office, title, online_url, created, look, format } = self;
        let (week, online_url, created, format) = (*week, online_url.as_deref(), *created, *format);
        Sheet { agenda, week, office, title, online_url, created, look, format }
    }
}

/// A document for partners to print.
///
/// # Errors
/// As [`print::print`].
pub fn handout(attach: Attach, sheet: &Sheet) -> Result<Printed, PrintError> {
    let (layout, sheet) = handed_out(attach, *sheet);
    print::print(layout, &sheet)
}

fn handed_out(attach: Attach, sheet: Sheet<'_>) -> (Layout, Sheet<'_>) {
    match attach {
        Attach::Poster => (Layout::Poster, sheet),
        // Whatever the format of the poster, a booklet is folded from A4, which every printer has.
        Attach::Booklet => (Layout::Imposed, Sheet { format: Format::A4, ..sheet }),
    }
}

/// At the end of the document's name.
fn form(attach: Attach) -> &'static str {
    match attach {
        Attach::Poster => "affiche",
        Attach::Booklet => "livret",
    }
}

/// Which of the printed documents an attachment is, by its name.
pub fn printed_as(name: &str) -> Option<Attach> {
    [Attach::Poster, Attach::Booklet].into_iter().find(|attach| name.ends_with(&format!("{}.pdf", form(*attach))))
}

/// The pages of a kept document as pictures. It is printed again from the kept agenda, and shown only if that gives exactly the
/// kept bytes: what is seen is what was approved. `None`: it is not a printed agenda, or today's settings print it differently.
/// `scheduled_for`: of its issue.
///
/// # Errors
/// When the kept agenda cannot be read, or printing fails.
pub async fn pictures(
    app: &App,
    mailing: &Mailing,
    scheduled_for: Timestamp,
    content: &Content,
    document: &Attachment,
) -> anyhow::Result<Option<Vec<Picture>>> {
    let (Some(publishes), Some(attach)) = (mailing.agenda(), printed_as(&document.name)) else { return Ok(None) };
    let week = publishes.week(mailing.day(scheduled_for));
    let papers = Papers::of_kept(app, mailing, week, scheduled_for, content)?;
    let kept = document.bytes.clone();
    let print = move || {
        let (layout, sheet) = handed_out(attach, papers.sheet());
        let (printed, pictures) = print::print_with_pictures(layout, &sheet)?;
        Ok::<_, PrintError>((printed.pdf == kept).then_some(pictures))
    };
    match on_a_blocking_thread(print).await? {
        Err(PrintError::DoesNotFit) => Ok(None),
        printed => Ok(printed?),
    }
}

fn attachment(attach: Attach, sheet: &Sheet) -> Result<Attachment, PrintError> {
    let printed = handout(attach, sheet)?;
    let kind = form(attach);
    for warning in &printed.warnings {
        warn!(week = %sheet.week, "{kind}: {warning}");
    }
    let week = french::week(sheet.week);
    Ok(Attachment {
        name: format!("Agenda {week} – {kind}.pdf"),
        media_type: "application/pdf".to_owned(),
        bytes: printed.pdf,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l11_an_agenda_too_long_to_print_is_held_with_a_reason_in_french() {
        let NotComposed::Held(hold) = not_printed(PrintError::DoesNotFit) else { panic!("no hold") };
        let said = hold.to_string();
        assert!(said.starts_with("il y a trop d’événements pour l’affiche ou le livret\u{a0}: "), "{said}");
        assert!(matches!(not_printed(PrintError::AddressTooLong), NotComposed::Failed(_)));
    }
}
