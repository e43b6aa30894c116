//! `semainier preview`: what a mailing would send, as files.

use super::{Context, Ended, files, run, show};
use crate::app::App;
use crate::compose::print::PrintError;
use crate::domain::{Timestamp, issue::Content};
use crate::issue::{
    Due,
    agenda::{self, Papers},
    content::NotComposed,
    corrections, newsletter,
};
use crate::jobs::{Agenda, Attach, Kind, Newsletter};
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
    let mailing = app.mailing(&args.mailing)?;
    if let Kind::Edition = mailing.kind {
        bail!("{} is shown by `semainier announce SLUG --dry-run`", mailing.id);
    }
    let at = run::occurrence(&app, mailing, args.at.as_deref())?;
    match mailing.kind.clone() {
        Kind::Agenda(agenda) => preview_agenda(&app, &args.mailing, &agenda, at, args.article, &args.out).await,
        Kind::Newsletter(_) if args.article.is_some() => {
            bail!("--article is for an agenda; {} has its own sources", args.mailing)
        }
        Kind::Edition => Ok(Ended::Done),
        // The ledger knows which news were sent before.
        Kind::Newsletter(newsletter) => preview_newsletter(app, &args.mailing, &newsletter, at, &args.out).await,
    }
}

async fn preview_agenda(
    app: &App,
    mailing: &str,
    publishes: &Agenda,
    at: Timestamp,
    article: Option<PathBuf>,
    out: &Path,
) -> anyhow::Result<Ended> {
    let mailing = app.mailing(mailing)?;
    let due = Due::scheduled(mailing, at, mailing.schedule.deadline_of(at));
    let article = run::article(app, article, at).await?;
    let knowledge = corrections::knowledge_without_writing(app, &due.key()).await;
    let found = match agenda::collect(app, due, publishes, article, &knowledge).await.outcome {
        Ok(found) => found,
        Err(hold) => {
            show::line(format!("held: {hold}"));
            return Ok(Ended::Held);
        }
    };
    let content = match agenda::compose(app, due, publishes, &found).await {
        Ok(content) => content,
        Err(NotComposed::Held(hold)) => {
            show::line(format!("held: {hold}"));
            return Ok(Ended::Held);
        }
        Err(NotComposed::Failed(error)) => return Err(error),
    };
    let (sheet, mut papers) = (Papers::new(app, due, &found), Vec::new());
    // The papers have names of their own here, whether they go with the mail or not.
    for (attach, name) in [(Attach::Poster, "poster.pdf"), (Attach::Booklet, "booklet.pdf")] {
        match agenda::handout(attach, &sheet.sheet()) {
            Ok(printed) => papers.push((name, printed.pdf)),
            Err(error @ PrintError::DoesNotFit) => show::aside(format!("no {name}: {error}")),
            Err(error) => return Err(error.into()),
        }
    }
    let json = serde_json::to_string_pretty(&found.agenda)?;
    write(app, due, &content, papers, ("agenda.json", json), out)?;
    for warning in &found.agenda.warnings {
        show::aside(format!("to check: {warning}"));
    }
    Ok(Ended::Done)
}

async fn preview_newsletter(
    app: App,
    mailing: &str,
    publishes: &Newsletter,
    at: Timestamp,
    out: &Path,
) -> anyhow::Result<Ended> {
    let engine = app.open(Access::Shared).await?;
    let mailing = engine.app.mailing(mailing)?;
    let due = Due::scheduled(mailing, at, mailing.schedule.deadline_of(at));
    let gathered = match newsletter::gather(&engine.app, &*engine.store, due, publishes).await {
        Ok(gathered) => gathered,
        Err(NotComposed::Held(hold)) => {
            show::line(format!("held: {hold}"));
            return Ok(Ended::Held);
        }
        Err(NotComposed::Failed(error)) => return Err(error),
    };
    let content = newsletter::compose(&engine.app, due, &gathered.letter, gathered.pictures).await?;
    let json = serde_json::to_string_pretty(&gathered.letter)?;
    write(&engine.app, due, &content, vec![], ("newsletter.json", json), out)?;
    gathered.letter.missing.iter().for_each(|line| show::aside(format!("missing: {line}")));
    Ok(Ended::Done)
}

fn write(
    app: &App,
    due: Due<'_>,
    content: &Content,
    papers: Vec<(&str, Vec<u8>)>,
    (json_name, json): (&str, String),
    out: &Path,
) -> anyhow::Result<()> {
    let mail = files::write(app, &due.mailing.id, &due.key(), content, out)?;
    for path in mail {
        show::line(path);
    }
    for (name, bytes) in papers {
        show::line(files::one(out, name, &bytes)?);
    }
    show::line(files::one(out, json_name, format!("{json}\n").as_bytes())?);
    Ok(())
}
