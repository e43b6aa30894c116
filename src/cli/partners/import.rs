//! `semainier partners import`: what a file would change, for a person to read, and then the change.

use super::super::{Ended, show};
use crate::actions::{
    self, ActionError, Actor, Refusal,
    partners::{Imported, List},
};
use crate::app::Engine;
use crate::domain::partner::{Basis, Difference, ImportSummary};
use crate::partners::{
    import::{self, Parsed},
    sheet,
};
use crate::store::ImportReport;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    file: PathBuf,
    /// Say what would change, line by line, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Subscribe them to these mailings only [default: all of them]
    #[arg(long, value_name = "MAILING", value_delimiter = ',')]
    mailing: Vec<String>,
    /// Where the addresses come from, kept with each subscription (GDPR art. 14) [default: the file's name]
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// What allows us to write to them
    #[arg(long, value_enum, default_value = "legitimate-interest")]
    basis: BasisArg,
    /// The file is the whole list: contacts that are not in it are removed
    #[arg(long)]
    replace: bool,
    /// Do not ask before removing more than a fifth of the contacts
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum BasisArg {
    /// A professional's address, in connection with the profession
    LegitimateInterest,
    Consent,
}

pub(super) async fn run(engine: &Engine, actor: &Actor, args: Args) -> anyhow::Result<Ended> {
    let file = &args.file;
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let parsed = parse(&read(file)?).with_context(|| file.display().to_string())?;
    let list = List {
        parsed: &parsed,
        source: args.source.as_deref().unwrap_or(&name),
        mailings: &args.mailing,
        basis: match args.basis {
            BasisArg::LegitimateInterest => Basis::LegitimateInterest,
            BasisArg::Consent => Basis::Consent,
        },
        replace: args.replace,
        dry_run: args.dry_run,
        remove_many: args.yes,
    };
    let ended = match import_list(engine, actor, list).await {
        Err(ActionError::Refused(refusal @ Refusal::RemovesMany { .. })) => {
            confirm(&refusal.in_english())?;
            import_list(engine, actor, List { remove_many: true, ..list }).await
        }
        ended => ended,
    };
    ended.map_err(anyhow::Error::from).with_context(|| file.display().to_string())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    let size = std::fs::metadata(file).with_context(cannot)?.len();
    if size > sheet::LARGEST as u64 {
        bail!("{} is larger than {} MB", file.display(), sheet::LARGEST >> 20);
    }
    std::fs::read(file).with_context(cannot)
}

/// Says which lines were merged into others.
fn parse(bytes: &[u8]) -> anyhow::Result<Parsed> {
    let parsed = import::parse(bytes)?;
    parsed.merged.said().iter().for_each(show::aside);
    Ok(parsed)
}

/// Imports a list that is already in memory, for all mailings.
pub(in crate::cli) async fn import_bytes(engine: &Engine, bytes: &[u8], source: &str) -> anyhow::Result<Ended> {
    let parsed = parse(bytes)?;
    let list = List {
        parsed: &parsed,
        source,
        mailings: &[],
        basis: Basis::default(),
        replace: false,
        dry_run: false,
        remove_many: false,
    };
    Ok(import_list(engine, &crate::cli::actor(source)?, list).await?)
}

/// With a bar on a terminal, where it takes long enough to be seen.
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
        show_differences(&report);
    }
    show::line(sum(contacts, &list.parsed.format, &report.summary, list.dry_run));
    match problems {
        Some(problems) => Err(anyhow::Error::from(problems).into()),
        None => Ok(Ended::Done),
    }
}

/// A person decides whether many contacts are removed (I08).
fn confirm(question: &str) -> anyhow::Result<()> {
    if std::io::stdin().is_terminal() {
        let _ = write!(std::io::stderr(), "{question}. Go on? [y/N] ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "yes" | "o" | "oui") {
            return Ok(());
        }
    }
    bail!("{question}; nothing was changed. See them with --dry-run, or say --yes")
}

fn show_differences(report: &ImportReport) {
    for difference in &report.differences {
        match difference {
            Difference::Added(address) => show::line(format!("+ {address}")),
            Difference::Gone(address) => show::line(format!("- {address}")),
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
    if all > report.differences.len() {
        show::line(format!("… and {} more", all - report.differences.len()));
    }
}

fn sum(contacts: usize, format: &sheet::Format, summary: &ImportSummary, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let gone = if summary.gone > 0 { format!(", {} {would}removed", summary.gone) } else { String::new() };
    format!(
        "{contacts} contacts ({format}): {} {would}added, {} {would}changed, {} unchanged{gone}, {} opted out and stay so",
        summary.added, summary.changed, summary.unchanged, summary.suppressed
    )
}
