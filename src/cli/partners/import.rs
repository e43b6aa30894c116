//! `semainier partners import`: shows what a file would change, then imports it.

use super::super::{Context, Ended, show};
use crate::actions::{
    self, ActionError, Actor, Refusal,
    partners::{Imported, List},
};
use crate::app::{App, Engine};
use crate::domain::partner::{Basis, Difference, ImportSummary, ProtectedField};
use crate::partners::{
    import::{self, HiddenRows, Parsed},
    sheet::{self, Format},
};
use crate::private;
use crate::store::{Access, ImportReport};
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// CSV or XLSX. An empty cell deletes what was known; a missing column changes nothing
    file: PathBuf,
    /// Show what would change, line by line, without changing anything
    #[arg(long)]
    dry_run: bool,
    /// Subscribe the contacts only to these mailings [default: all of them]
    #[arg(long, value_name = "MAILING", value_delimiter = ',')]
    mailing: Vec<String>,
    /// Where the addresses come from, kept with each subscription (GDPR art. 14) [default: the file's name]
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Legal basis for writing to them
    #[arg(long, value_enum, default_value = "legitimate-interest")]
    basis: BasisArg,
    /// Replace the whole list: contacts that are not in the file are removed
    #[arg(long)]
    replace: bool,
    /// Import the valid lines and write the others, each with its reason, to a file that can be corrected and imported
    /// [default: beside the list, `liste-reste.csv`]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    skip_invalid: Option<PathBuf>,
    /// Also change the fields that staff changed by hand (partners edit), which a list does not undo otherwise
    #[arg(long)]
    overwrite_edits: bool,
    /// Include the hidden rows of a workbook
    #[arg(long)]
    hidden_rows: bool,
    /// Do not ask before removing more than a fifth of the contacts
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum BasisArg {
    /// A professional address, used for the profession
    LegitimateInterest,
    Consent,
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let (app, actor) = (context.app()?, context.actor()?);
    for id in &args.mailing {
        app.mailing(id)?;
    }
    let file = args.file.clone();
    imported(app, &actor, args).await.with_context(|| file.display().to_string())
}

async fn imported(app: App, actor: &Actor, args: Args) -> anyhow::Result<Ended> {
    let file = &args.file;
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let hidden = if args.hidden_rows { HiddenRows::Taken } else { HiddenRows::LeftOut };
    let parsed = understood(&read(file)?, hidden)?;
    let list = List {
        parsed: &parsed,
        source: args.source.as_deref().unwrap_or(&name),
        mailings: &args.mailing,
        basis: match args.basis {
            BasisArg::LegitimateInterest => Basis::LegitimateInterest,
            BasisArg::Consent => Basis::Consent,
        },
        replace: args.replace,
        skip_invalid: args.skip_invalid.is_some(),
        dry_run: args.dry_run,
        remove_many: args.yes,
        overwrite_edits: args.overwrite_edits,
    };
    if let Some(rest) = &args.skip_invalid {
        write_rejected(&parsed, file, rest, args.dry_run)?;
    }
    show_defaults(&app, &list);
    // A dry run writes nothing and does not create a database.
    if list.dry_run && !app.has_ledger() {
        return all_are_new(&list);
    }
    let engine = app.open(Access::Shared).await?;
    let ended = match import_list(&engine, actor, list).await {
        Err(ActionError::Refused(refusal @ Refusal::RemovesMany { .. })) => {
            confirm(&refusal.in_english())?;
            import_list(&engine, actor, List { remove_many: true, ..list }).await
        }
        ended => ended,
    };
    Ok(ended?)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    let size = std::fs::metadata(file).with_context(cannot)?.len();
    if size > sheet::LARGEST as u64 {
        bail!("{} is larger than {} MB", file.display(), sheet::LARGEST >> 20);
    }
    std::fs::read(file).with_context(cannot)
}

/// Parses the file and prints what to know before anything is written.
fn understood(bytes: &[u8], hidden: HiddenRows) -> anyhow::Result<Parsed> {
    let parsed = import::parse_with(bytes, hidden)?;
    if let Format::Xlsx { sheet, hidden, .. } = &parsed.format
        && !hidden.is_empty()
    {
        show::aside(format!("reading sheet {sheet:?}; hidden and ignored: {}", hidden.join(", ")));
    }
    if !parsed.unread.is_empty() {
        show::aside(format!("ignored columns: {}", parsed.unread.join(", ")));
    }
    for message in parsed.merged.said().into_iter().chain(parsed.passed_over.said()) {
        show::aside(message);
    }
    Ok(parsed)
}

/// Lists the refused lines and writes them to a file to be corrected: the one named, or (`-`) one beside the list.
fn write_rejected(parsed: &Parsed, file: &Path, rest: &Path, dry_run: bool) -> anyhow::Result<()> {
    parsed.refused.said().into_iter().for_each(show::aside);
    if parsed.left.is_empty() || dry_run {
        return Ok(());
    }
    let rest = match rest == Path::new("-") {
        true => file.with_file_name(format!("{}-reste.csv", file.file_stem().unwrap_or_default().to_string_lossy())),
        false => rest.to_owned(),
    };
    private::write(&rest, &parsed.left_as_csv()?).with_context(|| format!("cannot write {}", rest.display()))?;
    show::aside(format!(
        "{} lines are in {}, each with the reason: correct them, and import that file",
        parsed.left.len(),
        rest.display()
    ));
    Ok(())
}

/// A dry run without a ledger: every contact would be added.
fn all_are_new(list: &List<'_>) -> anyhow::Result<Ended> {
    let parsed = list.parsed;
    for line in parsed.lines.iter().take(1_000) {
        show::line(format!("+ {}", line.address));
    }
    let summary = ImportSummary { added: parsed.lines.len(), ..ImportSummary::default() };
    show::line(sum(parsed.lines.len(), &parsed.format, &summary, true));
    if !list.skip_invalid {
        parsed.sound()?;
    }
    Ok(Ended::Done)
}

/// Prints mailings and legal basis before anything is written, since the defaults may be unexpected.
fn show_defaults(app: &App, list: &List<'_>) {
    if list.mailings.is_empty() {
        let all: Vec<&str> = app.mailings.iter().map(|mailing| mailing.audience.as_str()).collect();
        show::aside(format!(
            "each is subscribed to {} ({}); change that with --mailing and --basis",
            all.join(", "),
            list.basis.as_str().replace('_', " ")
        ));
    }
}

/// Imports a list that is already in memory, for all mailings.
pub(in crate::cli) async fn import_bytes(engine: &Engine, bytes: &[u8], source: &str) -> anyhow::Result<Ended> {
    let parsed = understood(bytes, HiddenRows::LeftOut)?;
    let list = List {
        parsed: &parsed,
        source,
        mailings: &[],
        basis: Basis::default(),
        replace: false,
        skip_invalid: false,
        dry_run: false,
        remove_many: false,
        overwrite_edits: false,
    };
    show_defaults(&engine.app, &list);
    Ok(import_list(engine, &crate::cli::actor(source)?, list).await?)
}

/// Shows a bar on a terminal, if the import takes long enough.
async fn import_list(engine: &Engine, actor: &Actor, list: List<'_>) -> Result<Ended, ActionError> {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(None, target);
    let imported = actions::partners::import(engine, actor, list, &|lines| bar.inc(lines as u64)).await;
    bar.finish_and_clear();
    let Imported { contacts, report, problems } = imported?;
    if list.dry_run {
        show_differences(engine, &report);
    } else {
        show_protected(engine, &report, list.overwrite_edits);
    }
    show::line(sum(contacts, &list.parsed.format, &report.summary, list.dry_run));
    match problems {
        Some(problems) => Err(anyhow::Error::from(problems).into()),
        None => Ok(Ended::Done),
    }
}

/// Asks before many contacts are removed (I08).
fn confirm(question: &str) -> anyhow::Result<()> {
    if show::confirmed(question)? {
        return Ok(());
    }
    bail!("{question}; nothing was changed. List them with --dry-run, or add --yes")
}

/// What was changed by hand, and stays: an import says so.
fn show_protected(engine: &Engine, report: &ImportReport, overwrite_edits: bool) {
    for difference in &report.differences {
        if let Difference::Protected(address, fields) = difference {
            show::aside(format!("= {address}"));
            protected_fields(engine, fields).into_iter().for_each(show::aside);
        }
    }
    if report.summary.protected > 0 && !overwrite_edits {
        show::aside("what was changed by hand stays; --overwrite-edits takes the list's values instead");
    }
}

fn protected_fields(engine: &Engine, fields: &[ProtectedField]) -> Vec<String> {
    let zone = engine.app.config.zone;
    let said = |it: &ProtectedField| {
        let day = it.at.with_timezone(&zone).format("%Y-%m-%d");
        format!("    {}: {:?} stays, changed by {} on {day}; the list has {:?}", it.field, it.value, it.by, it.listed)
    };
    fields.iter().map(said).collect()
}

fn show_differences(engine: &Engine, report: &ImportReport) {
    for difference in &report.differences {
        match difference {
            Difference::Added(address) => show::line(format!("+ {address}")),
            Difference::Gone(address) => show::line(format!("- {address}")),
            Difference::Protected(address, fields) => {
                show::line(format!("= {address}"));
                protected_fields(engine, fields).into_iter().for_each(show::line);
            }
            Difference::Changed(address, changes) => {
                show::line(format!("~ {address}"));
                for (field, was, is) in changes {
                    show::line(format!("    {field}: {was:?} becomes {is:?}"));
                }
            }
        }
    }
    let summary = &report.summary;
    let all = summary.added + summary.changed + summary.gone;
    let shown = report.differences.iter().filter(|it| !matches!(it, Difference::Protected(..))).count();
    if all > shown {
        show::line(format!("… and {} more", all - shown));
    }
}

fn sum(contacts: usize, format: &Format, summary: &ImportSummary, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let gone = if summary.gone > 0 { format!(", {} {would}removed", summary.gone) } else { String::new() };
    let kept = match summary.protected {
        0 => String::new(),
        1 => ", 1 change by hand kept".to_owned(),
        n => format!(", {n} changes by hand kept"),
    };
    format!(
        "{contacts} contacts ({format}): {} {would}added, {} {would}changed, {} unchanged{gone}, {} stay opted out{kept}",
        summary.added, summary.changed, summary.unchanged, summary.suppressed
    )
}
