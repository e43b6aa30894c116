//! `semainier editions`, `announce`: manages the office's brochures and announces them to the partners.

use super::{Context, Ended, files, parse_instant, preview, run, show, tables};
use crate::actions::{
    self, Actor,
    announce::{self, Plan},
    editions::EditionAdded,
};
use crate::app::Engine;
use crate::domain::{
    Timestamp,
    edition::{EditionFile, Online},
    segment::Segment,
};
use crate::editions::{self, Added};
use crate::issue::edition;
use crate::store::{Access, StoreError};
use crate::views::{editions::EditionView, instant};
use std::path::{Path, PathBuf};

pub(super) const AFTER_HELP: &str = "\
  semainier editions add carte-2027.toml            add or update an edition
  semainier editions                                list editions and the packs left
  semainier announce carte-2027 --dry-run           who would receive it, and the mail as files
  semainier announce carte-2027                     announce it to the partners
  semainier orders --edition carte-2027             list the orders

Required in the file: title, kind, languages, summary, cover, online (or pdf), words. Optional: slug, pages, printed and pack, \
valid_until, post, reminder_after_days. See deploy/carte-2027.toml.";

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EditionsArgs {
    /// An array of {"slug","title","kind","printed","pack","packs","ordered","left","valid_until","announced_for"}
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<EditionsAct>,
}

#[derive(Debug, clap::Subcommand)]
enum EditionsAct {
    /// Add an edition from a file, or update the one with the same slug
    Add { file: PathBuf },
}

#[derive(Debug, clap::Args)]
pub(super) struct AnnounceArgs {
    slug: String,
    /// When to send it; `semainier serve` sends it then [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Only contacts of the audience that match: `category = "hébergement"` (see `semainier partners --help`)
    #[arg(long, value_name = "EXPR")]
    segment: Option<String>,
    /// Show who would receive it and write the mail as files, without sending or changing anything
    #[arg(long)]
    dry_run: bool,
    /// Folder for the files of --dry-run [default: announce-SLUG]
    #[arg(long, value_name = "DIR", requires = "dry_run")]
    out: Option<PathBuf>,
    /// Do not ask for confirmation, however many contacts it is sent to
    #[arg(long)]
    yes: bool,
    /// Cancel a scheduled announcement that is not being sent yet
    #[arg(long, conflicts_with_all = ["at", "segment", "dry_run"])]
    cancel: bool,
}

pub(super) async fn editions(context: &Context, args: EditionsArgs) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    if let Some(EditionsAct::Add { file }) = args.act {
        return add(&engine, &context.actor()?, &editions::read(&file)?).await;
    }
    let zone = engine.app.config.zone;
    let all: Vec<_> = engine.store.editions().await?.iter().map(|it| EditionView::new(it, zone)).collect();
    if args.json {
        show::json(&all)?;
    } else if all.is_empty() {
        show::line("no edition yet; add one: semainier editions add FILE");
    } else {
        show::line(tables::text(tables::editions_table(&all)));
    }
    Ok(Ended::Done)
}

pub(super) async fn add(engine: &Engine, actor: &Actor, added: &Added) -> anyhow::Result<Ended> {
    let (edition, slug) = (&added.edition, &added.edition.slug);
    match actions::editions::add(engine, actor, added).await? {
        EditionAdded::New => {
            show::line(format!("{slug} is added; look at it: semainier announce {slug} --dry-run"));
        }
        EditionAdded::Unchanged => {
            show::line(format!("{slug}: nothing changed"));
            return Ok(Ended::Done);
        }
        EditionAdded::Updated { changes, was_sent } => {
            show::line(format!("{slug} was updated:"));
            changes.iter().for_each(|change| show::line(format!("  {change}")));
            if was_sent {
                show::line(
                    "It was announced before: the mail that was sent stays as it is, the order page shows the new text.",
                );
            }
        }
    }
    if edition.online == Some(Online::Pdf) && engine.app.config.web.bind.is_none() {
        show::aside("warning: web.bind is not set, so its PDF cannot be read online; it cannot be announced like this");
    }
    let cover = added.files.iter().find(|(file, _)| *file == EditionFile::Cover).map_or(0, |(_, bytes)| bytes.len());
    show::aside(format!("cover: {} kB in the mail", cover.div_ceil(1000)));
    Ok(Ended::Done)
}

pub(super) async fn announce(context: &Context, args: AnnounceArgs) -> anyhow::Result<Ended> {
    let now_or_later = args.at.is_none() && !args.dry_run && !args.cancel;
    let engine = engine(context, now_or_later).await?;
    let (engine, alone) = (&engine.0, engine.1);
    if args.cancel {
        actions::announce::take_back(engine, &context.actor()?, &args.slug).await?;
        show::line(format!("the announcement of {} is cancelled", args.slug));
        return Ok(Ended::Done);
    }
    let segment = super::partners::parse_segment(args.segment.as_deref(), "--segment")?;
    let zone = edition::mailing(&engine.app)?.schedule.zone;
    let at = args.at.as_deref().map(|text| parse_instant(text, zone)).transpose()?;
    if args.dry_run {
        let out = args.out.unwrap_or_else(|| PathBuf::from(format!("announce-{}", args.slug)));
        return rehearse(engine, &args.slug, segment.as_ref(), at, &out).await;
    }
    let plan = announce::plan(engine, &args.slug, segment.as_ref(), at).await?;
    if !args.yes {
        confirm_audience(engine, &plan).await?;
    }
    let leaves_at = announce::announce(engine, &context.actor()?, &plan).await?;
    let (key, when) = (&plan.key, instant(leaves_at, zone));
    if at.is_some() {
        show::line(format!("{key} leaves at {when}, by `semainier serve`"));
        show::line(format!("  to cancel it: semainier announce {} --cancel", args.slug));
        return Ok(Ended::Done);
    }
    if !alone {
        show::line(format!("{key} is sent by the running daemon within a minute"));
        return Ok(Ended::Done);
    }
    send_now(engine, &plan).await
}

/// Announcements to at most this many contacts need no confirmation: a first test with colleagues.
const FEW: u64 = 20;

/// Asks for confirmation before a mail to many contacts.
///
/// # Errors
/// When it was not confirmed.
async fn confirm_audience(engine: &Engine, plan: &Plan<'_>) -> anyhow::Result<()> {
    let mailing = &plan.mailing;
    let size = engine.store.audience_size(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await?;
    if size <= FEW {
        return Ok(());
    }
    let (key, when) = (&plan.key, instant(plan.at, mailing.schedule.zone));
    let question = match plan.at > engine.app.clock.now() {
        true => format!("{key} will be sent to {size} contacts at {when}"),
        false => format!("{key} will be sent to {size} contacts now"),
    };
    if show::confirmed(&question)? {
        return Ok(());
    }
    let slug = key.period();
    anyhow::bail!(
        "{question}; nothing was sent or scheduled. Review it with `semainier announce {slug} --dry-run`, narrow it with \
         --segment, or add --yes"
    )
}

/// Sends it from this command and settles the occurrence as the daemon would.
pub(super) async fn send_now(engine: &Engine, plan: &Plan<'_>) -> anyhow::Result<Ended> {
    let ended = run::send(engine, plan.due(), None).await?;
    announce::settle(engine, plan).await?;
    Ok(ended)
}

/// Opens the ledger exclusively to deliver. `false`: a daemon holds it and will deliver.
async fn engine(context: &Context, deliver: bool) -> anyhow::Result<(Engine, bool)> {
    if !deliver {
        return Ok((context.engine(Access::Shared).await?, false));
    }
    match context.engine(Access::Exclusive).await {
        Ok(engine) => Ok((engine, true)),
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::Locked { .. })) => {
            Ok((context.engine(Access::Shared).await?, false))
        }
        Err(error) => Err(error),
    }
}

/// The dry run: who would receive the announcement, and the mail.
async fn rehearse(
    engine: &Engine,
    slug: &str,
    segment: Option<&Segment>,
    at: Option<Timestamp>,
    out: &Path,
) -> anyhow::Result<Ended> {
    let plan = announce::plan(engine, slug, segment, at).await?;
    let (store, mailing) = (&engine.store, &plan.mailing);
    let content = edition::compose(&engine.app, &**store, plan.due(), &plan.stocked.edition).await?;
    let audience = store.audience(&mailing.id, &mailing.audience, mailing.segment.as_ref()).await?;
    show::line(format!(
        "{} would go to {} contacts at {}; nothing was sent or recorded",
        plan.key,
        audience.len(),
        instant(plan.at, mailing.schedule.zone)
    ));
    if let Some(segment) = &mailing.segment {
        show::line(format!("  those of {}: {segment}", mailing.audience));
    }
    for (lane, n) in announce::by_lane(&engine.app, &audience) {
        show::line(format!("  {n:>6}  {lane}"));
    }
    let subscribed = match (&mailing.segment, audience.is_empty()) {
        (Some(_), true) => store.audience_size(&mailing.id, &mailing.audience, None).await?,
        (_, _) => audience.len() as u64,
    };
    if let Some(segment) = mailing.segment.as_ref().filter(|_| audience.is_empty() && subscribed > 0) {
        super::partners::show_known_values(engine, segment).await?;
    } else if audience.is_empty() {
        show::line(format!(
            "  nobody is subscribed to {}: import the list again with `semainier partners import FILE --mailing {}`",
            mailing.audience, mailing.audience
        ));
    }
    show::line(format!("subject: {}", content.subject));
    for path in files::write(&engine.app, &plan.key, &content, out)? {
        show::line(path);
    }
    preview::show_faults(&plan.key, &content)?;
    Ok(Ended::Done)
}
