//! `semainier preview`: what a mailing would send, as files.

use super::{Context, Ended, files, run, show};
use crate::app::App;
use crate::compose::print::PrintError;
use crate::domain::{
    Timestamp,
    article::Article,
    hold::Hold,
    issue::{Content, IssueKey},
    lint::Severity,
    newsletter::Letter,
};
use crate::issue::{
    Due,
    agenda::{self, Found, Papers},
    content::NotComposed,
    corrections, lint, newsletter,
};
use crate::jobs::{Agenda, Attach, Kind, Mailing, Newsletter};
use crate::store::Access;
use anyhow::bail;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    mailing: String,
    /// The occurrence to preview [default: the one that is due, or else the next one]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Use this file instead of fetching the article
    #[arg(long, value_name = "FILE")]
    article: Option<PathBuf>,
    /// Folder for subject.txt, body.html, body.txt and message.eml; for an agenda also poster.pdf, booklet.pdf and
    /// agenda.json, for a newsletter its pictures and newsletter.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let made = match made(&app, &args.mailing, args.at.as_deref(), args.article).await? {
        Ok(made) => made,
        Err(hold) => {
            show::line(format!("held: {hold}"));
            return Ok(Ended::Held);
        }
    };
    let due = Due::scheduled(made.mailing, made.at, made.mailing.schedule.deadline_of(made.at));
    let (papers, json, asides) = match &made.data {
        Data::Agenda(found) => {
            let json = serde_json::to_string_pretty(&found.agenda)?;
            let warnings = found.agenda.warnings.iter().map(|warning| format!("to check: {warning}")).collect();
            (papers(&app, due, found)?, ("agenda.json", json), warnings)
        }
        Data::Newsletter(letter) => {
            let missing = letter.missing.iter().map(|line| format!("missing: {line}")).collect::<Vec<_>>();
            (Vec::new(), ("newsletter.json", serde_json::to_string_pretty(letter)?), missing)
        }
    };
    write(&app, due, &made.content, papers, json, &args.out)?;
    asides.into_iter().for_each(show::aside);
    show_faults(&due.key(), &made.content)?;
    Ok(Ended::Done)
}

/// What would hold the issue.
pub(super) fn show_faults(key: &IssueKey, content: &Content) -> anyhow::Result<()> {
    let findings = lint::findings(key, content)?;
    let faults = findings.iter().filter(|it| it.severity == Severity::Error);
    faults.for_each(|fault| show::aside(format!("the issue would be held: {fault}")));
    Ok(())
}

/// What a mailing would send.
pub(super) struct Made<'a> {
    pub mailing: &'a Mailing,
    pub at: Timestamp,
    pub content: Content,
    data: Data,
}

/// What it was composed of.
enum Data {
    Agenda(Box<Found>),
    Newsletter(Box<Letter>),
}

impl Made<'_> {
    pub fn key(&self) -> IssueKey {
        self.mailing.issue_key(self.at)
    }
}

/// Collects and composes, without writing. `at`, `article`: as of [`Args`].
pub(super) async fn made<'a>(
    app: &'a App,
    id: &str,
    at: Option<&str>,
    article: Option<PathBuf>,
) -> anyhow::Result<Result<Made<'a>, Hold>> {
    let mailing = app.mailing(id)?;
    if let Kind::Edition = mailing.kind {
        bail!("{} is shown by `semainier announce SLUG --dry-run`", mailing.id);
    }
    let at = run::occurrence(app, mailing, at)?;
    let due = Due::scheduled(mailing, at, mailing.schedule.deadline_of(at));
    let composed = match &mailing.kind {
        Kind::Agenda(agenda) => agenda_content(app, due, agenda, run::article(app, article, at).await?).await,
        Kind::Newsletter(_) if article.is_some() => {
            bail!("--article is for an agenda; {} has its own sources", mailing.id)
        }
        Kind::Newsletter(newsletter) => newsletter_content(app, due, newsletter).await,
        Kind::Edition => bail!("{} has no occurrences", mailing.id),
    };
    match composed {
        Ok((content, data)) => Ok(Ok(Made { mailing, at, content, data })),
        Err(NotComposed::Held(hold)) => Ok(Err(hold)),
        Err(NotComposed::Failed(error)) => Err(error),
    }
}

async fn agenda_content(
    app: &App,
    due: Due<'_>,
    publishes: &Agenda,
    article: Option<Article>,
) -> Result<(Content, Data), NotComposed> {
    let knowledge = corrections::knowledge_without_writing(app, &due.key()).await;
    let found = agenda::collect(app, due, publishes, article, &knowledge).await.outcome?;
    Ok((agenda::compose(app, due, publishes, &found).await?, Data::Agenda(Box::new(found))))
}

/// The ledger knows which news were sent before.
async fn newsletter_content(app: &App, due: Due<'_>, publishes: &Newsletter) -> Result<(Content, Data), NotComposed> {
    let engine = app.clone().open(Access::Shared).await?;
    let gathered = newsletter::gather(app, &*engine.store, due, publishes).await?;
    let content = newsletter::compose(app, due, &gathered.letter, gathered.pictures).await?;
    Ok((content, Data::Newsletter(Box::new(gathered.letter))))
}

/// Poster and booklet, under names of their own, whether they go with the mail or not.
fn papers(app: &App, due: Due<'_>, found: &Found) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let (sheet, mut papers) = (Papers::new(app, due, found), Vec::new());
    for (attach, name) in [(Attach::Poster, "poster.pdf"), (Attach::Booklet, "booklet.pdf")] {
        match agenda::handout(attach, &sheet.sheet()) {
            Ok(printed) => papers.push((name, printed.pdf)),
            Err(error @ PrintError::DoesNotFit) => show::aside(format!("no {name}: {error}")),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(papers)
}

fn write(
    app: &App,
    due: Due<'_>,
    content: &Content,
    papers: Vec<(&str, Vec<u8>)>,
    (json_name, json): (&str, String),
    out: &Path,
) -> anyhow::Result<()> {
    let mail = files::write(app, &due.key(), content, out)?;
    for path in mail {
        show::line(path);
    }
    for (name, bytes) in papers {
        show::line(files::one(out, name, &bytes)?);
    }
    show::line(files::one(out, json_name, format!("{json}\n").as_bytes())?);
    Ok(())
}
