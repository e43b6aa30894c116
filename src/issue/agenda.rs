//! An agenda, from its article to its content: collect, parse, check the gates, merge listings, compose and print.

use super::content::{Composed, NotComposed, envelope, is_online, on_a_blocking_thread, render, warn_of_a_long_mail};
use super::{
    Due, corrections,
    progress::{Step, Watch},
};
use crate::apart::{Apart, PATIENCE, apart};
use crate::app::{App, Engine};
use crate::collect::article::{self, Reading};
use crate::collect::source::{self, CollectError, Provides, Source};
use crate::compose::context::{AgendaMail, Links};
use crate::compose::print::{self, Format, Layout, Look, Picture, PrintError, Printed, Sheet};
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Week},
    article::Article,
    correction::{Corrected, KeptReading, Overlay, Standing},
    exception::{Exception, Granted, InForce, SeenArticle, Sighting},
    french,
    gates::{self, Gates},
    hold::{Hold, Unread},
    issue::{Attachment, Basis, Content, Envelope, IssueKey},
    merge::{self, Merge},
    office::Office,
    venue::KnownVenues,
};
use crate::jobs::{self, Attach, Mailing, SourceRule};
use crate::notices::wording;
use crate::templates::Rendered;
use anyhow::Context;
use std::time::Duration;
use tracing::{info, warn};

/// Articles that are noted of a reading.
const MOST_SEEN: usize = 20;

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
    /// The articles that the sources had.
    pub seen: Vec<SeenArticle>,
    pub outcome: Result<Found, Hold>,
}

/// What is known beside the sources.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// The communes of venues, see [`super::venues`].
    pub venues: KnownVenues,
    pub overlay: Overlay,
    pub exceptions: InForce,
    /// Of the overlay and the exceptions.
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
    let Collected { read, seen, outcome } = collect(&engine.app, due, publishes, article, &knowledge).await;
    if let Some(read) = &read {
        engine.store.keep_reading(read).await?;
    }
    keep_sighting(engine, &due.key(), seen, &knowledge).await?;
    let found = outcome?;
    watch(Step::Read { title: &found.title, agenda: &found.agenda });
    let content = compose(&engine.app, due, publishes, &found).await?;
    Ok(Composed { content, missing: found.missing, basis: Basis::Corrections(knowledge.revision) })
}

/// Notes what the sources had. Where another article is read instead, those that they had before stay known.
async fn keep_sighting(
    engine: &Engine,
    key: &IssueKey,
    mut articles: Vec<SeenArticle>,
    knowledge: &Knowledge,
) -> anyhow::Result<()> {
    if knowledge.exceptions.article().is_some() {
        let before = engine.store.sighting(key).await?.map(|it| it.articles).unwrap_or_default();
        let is_new = |it: &SeenArticle| !articles.iter().any(|other| other.url == it.url);
        let others: Vec<_> = before.into_iter().filter(is_new).collect();
        articles.extend(others);
    }
    articles.truncate(MOST_SEEN);
    engine.store.keep_sighting(key, &Sighting { seen_at: engine.app.clock.now(), articles }).await?;
    Ok(())
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
    let (mut read, mut seen) = (None, Vec::new());
    let outcome = match read_article(app, due, publishes, article, knowledge, (&mut read, &mut seen)).await {
        Ok(article) => corrected(&article, publishes.week(due.mailing.day(due.at)), publishes.gates, knowledge),
        Err(hold) => Err(hold),
    };
    Collected { read, seen, outcome }
}

/// `read` receives the reading to keep, even if a gate holds it; `seen`: every article that was looked at.
async fn read_article(
    app: &App,
    due: Due<'_>,
    publishes: &jobs::Agenda,
    article: Option<Article>,
    knowledge: &Knowledge,
    (read, seen): (&mut Option<KeptReading>, &mut Vec<SeenArticle>),
) -> Result<KeptReading, Hold> {
    let Knowledge { venues, exceptions, .. } = knowledge;
    let mailing = due.mailing;
    let week = publishes.week(mailing.day(due.at));
    let Articles { articles, missing, excused, granted } = match (article, exceptions.article()) {
        (Some(article), _) => Articles { articles: vec![article], ..Articles::default() },
        (None, Some((chosen, url))) => chosen_article(app, mailing, chosen, url).await?,
        (None, None) => collect_articles(app, mailing, exceptions).await?,
    };
    let mut refusal = None;
    for article in articles {
        let mut agenda = understood(app, mailing, week, &article, venues).await?;
        agenda.exceptions.clone_from(&granted);
        let glimpse = |agenda: &Agenda, hold: Option<&Hold>| SeenArticle {
            title: article.title.clone(),
            url: article.url.clone(),
            published: article.published,
            days: agenda.days.iter().map(|day| (day.date, day.items.len())).collect(),
            hold: hold.cloned(),
        };
        let mut reading = KeptReading {
            issue: due.key(),
            read_at: app.clock.now(),
            title: article.title.clone(),
            url: article.url.clone(),
            agenda,
            missing: missing.iter().chain(&excused).map(|(why, _)| why.clone()).collect(),
            exceptions: exceptions.of_reading,
        };
        let opened = open(&reading, week, publishes.gates, knowledge);
        seen.push(glimpse(&reading.agenda, opened.as_ref().err()));
        match opened {
            Ok(()) => {
                let agenda = &mut reading.agenda;
                agenda.warnings.extend(missing.iter().chain(&excused).map(|(_, warning)| warning.clone()));
                reading.missing.extend(add_listings(app, mailing, week, agenda, exceptions).await?);
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
fn open(read: &KeptReading, week: Week, gates: Gates, knowledge: &Knowledge) -> Result<(), Hold> {
    let (overlay, gates) = (&knowledge.overlay, knowledge.exceptions.gates(gates));
    if overlay.is_empty() {
        return gates::check(&read.agenda, &read.title, week, gates);
    }
    gates::check_week(&read.agenda, &read.title, week)?;
    gates::check(&overlay.apply(&read.agenda).agenda, &read.title, week, gates)
}

/// The agenda as it is composed: what was read, with the corrections, through the gates as persons have set them for the issue.
///
/// # Errors
/// The hold: a gate is closed, or a correction is in conflict.
pub fn corrected(read: &KeptReading, week: Week, gates: Gates, knowledge: &Knowledge) -> Result<Found, Hold> {
    let Knowledge { overlay, exceptions, .. } = knowledge;
    gates::check_week(&read.agenda, &read.title, week)?;
    let Corrected { mut agenda, standings, .. } = overlay.apply(&read.agenda);
    gates::check(&agenda, &read.title, week, exceptions.gates(gates))?;
    agenda.exceptions.extend(exceptions.used(&agenda, gates));
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

/// The articles to choose from.
#[derive(Debug, Default)]
struct Articles {
    articles: Vec<Article>,
    /// Optional sources that failed: the reason, and the warning about it.
    missing: Vec<(String, String)>,
    /// The same of required ones, by exceptions.
    excused: Vec<(String, String)>,
    /// The exceptions by which these articles are what is read.
    granted: Vec<Granted>,
}

/// The articles of all article sources.
async fn collect_articles(app: &App, mailing: &Mailing, exceptions: &InForce) -> Result<Articles, Hold> {
    let mut found = Articles::default();
    for (name, rule) in mailing.named_sources().filter(|(_, rule)| rule.source.provides() == Provides::Article) {
        match rule.source.articles(&app.fetcher, app.clock.now()).await {
            Ok(articles) => found.articles.extend(articles),
            Err(error) => {
                warn!(mailing = mailing.id, error = &error as &dyn std::error::Error, "the source returned no article");
                let why = error.in_french();
                match exceptions.excuse(&name) {
                    Some(it) if rule.required => {
                        let warning = wording::went_without(&why, &it.by);
                        found.excused.push((why, warning));
                        found.granted.push(Granted::from(it));
                    }
                    None if rule.required => {
                        return Err(Hold::ArticleUnreachable(Unread { source: Some(name), why }));
                    }
                    _ => found.missing.push((why.clone(), wording::made_without(&why))),
                }
            }
        }
    }
    // A single one may fail, but not all of them.
    let failed: Vec<_> = found.missing.iter().chain(&found.excused).map(|(why, _)| why.as_str()).collect();
    if found.articles.is_empty() && !failed.is_empty() {
        return Err(Hold::ArticleUnreachable(Unread { source: None, why: failed.join("\u{a0}; ") }));
    }
    Ok(found)
}

/// The article that a person chose, as it is now.
async fn chosen_article(app: &App, mailing: &Mailing, chosen: &Exception, url: &str) -> Result<Articles, Hold> {
    let read = read_at(app, mailing, url).await;
    let article = read.map_err(|error| {
        warn!(mailing = mailing.id, error = &error as &dyn std::error::Error, "the chosen article could not be read");
        Hold::ArticleUnreachable(Unread { source: None, why: error.in_french() })
    })?;
    Ok(Articles { articles: vec![article], granted: vec![Granted::from(chosen)], ..Articles::default() })
}

/// The article at this address of a site that the mailing has its articles from.
///
/// # Errors
/// If it is elsewhere, or cannot be read.
pub async fn read_at(app: &App, mailing: &Mailing, url: &str) -> Result<Article, CollectError> {
    let sources: Vec<Source> = mailing.sources.iter().map(|rule| rule.source.clone()).collect();
    source::article_at(&sources, url, &app.fetcher, app.clock.now()).await
}

/// Merges the listings of the mailing's structured sources into the agenda. Returns the reasons why optional sources are
/// missing; older content of a source is never used instead.
///
/// # Errors
/// When a required source fails.
pub async fn add_listings(
    app: &App,
    mailing: &Mailing,
    week: Week,
    agenda: &mut Agenda,
    exceptions: &InForce,
) -> Result<Vec<String>, Hold> {
    let mut missing = Vec::new();
    let days = week.monday()..=week.sunday();
    for (name, rule) in mailing.named_sources().filter(|(_, rule)| rule.source.provides() == Provides::Listings) {
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
                        missing.push(missed((&name, rule), why, agenda, exceptions)?);
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
                missing.push(missed((&name, rule), error.in_french(), agenda, exceptions)?);
            }
        }
    }
    Ok(missing)
}

/// A source of listings that failed: the agenda says so, and goes without. Returns the reason.
///
/// # Errors
/// If it is required, and nobody has made an exception.
fn missed(
    (name, rule): (&str, &SourceRule),
    why: String,
    agenda: &mut Agenda,
    exceptions: &InForce,
) -> Result<String, Hold> {
    match exceptions.excuse(name) {
        Some(it) if rule.required => {
            agenda.warnings.push(wording::went_without(&why, &it.by));
            agenda.exceptions.push(Granted::from(it));
        }
        None if rule.required => {
            return Err(Hold::ListingsUnreachable(Unread { source: Some(name.to_owned()), why }));
        }
        _ => agenda.warnings.push(wording::made_without(&why)),
    }
    Ok(why)
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
        Hold::ArticleUnreachable(Unread { source: None, why: why.in_french() })
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
