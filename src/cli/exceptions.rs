//! `semainier issues waive|article`: exceptions of one issue from the rules of its mailing.

use super::{Ended, show};
use crate::actions::{self, Actor, ExceptionRefusal, Refusal};
use crate::app::Engine;
use crate::domain::{
    exception::{Kind, Rule},
    issue::IssueKey,
};
use crate::issue::{approval::short, corrections::Recomposed};

#[derive(Debug, clap::Args)]
pub(super) struct WaiveArgs {
    key: String,
    /// source: leave without the required source that failed. too-few: leave with so few events. too-many-unplaced: leave
    /// although that many lines have no day
    #[arg(long, value_name = "GATE")]
    gate: Gate,
    /// The number of events, or of lines without a day, as `issues show` says it: the issue leaves with no fewer and no more
    #[arg(long, value_name = "N")]
    number: Option<usize>,
    /// The source, if not the one that holds the issue is meant (with --undo)
    #[arg(long, value_name = "NAME", requires = "undo")]
    source: Option<String>,
    /// The reason, which is stored and shown; required without --undo
    #[arg(long, value_name = "TEXT", required_unless_present = "undo")]
    why: Option<String>,
    /// Take the exception back
    #[arg(long, conflicts_with_all = ["number", "why"])]
    undo: bool,
    /// Who decides, for the ledger
    #[arg(long, env = "USER", default_value = "operator")]
    pub(super) by: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct ArticleArgs {
    key: String,
    /// Its address, on the site that the mailing has its articles from
    #[arg(value_name = "URL", required_unless_present = "undo")]
    url: Option<String>,
    /// The reason, which is stored and shown
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    /// Read again what the sources find
    #[arg(long, conflicts_with_all = ["url", "why"])]
    undo: bool,
    /// Who decides, for the ledger
    #[arg(long, env = "USER", default_value = "operator")]
    pub(super) by: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Gate {
    Source,
    TooFew,
    TooManyUnplaced,
}

impl Gate {
    fn kind(self) -> Kind {
        match self {
            Gate::Source => Kind::Source,
            Gate::TooFew => Kind::TooFew,
            Gate::TooManyUnplaced => Kind::TooManyUnplaced,
        }
    }
}

pub(super) async fn waive(engine: &Engine, actor: &Actor, args: WaiveArgs) -> anyhow::Result<Ended> {
    let (key, kind) = (IssueKey::parse(&args.key)?, args.gate.kind());
    if args.undo {
        return undo(engine, actor, &key, (kind, args.source.as_deref())).await;
    }
    let (rule, held) = actions::exceptions::waivable(engine, &key).await?;
    if rule.kind() != kind {
        return Err(Refusal::from(ExceptionRefusal::Moved { issue: key, now: held.reason }).into());
    }
    let why = args.why.as_deref().unwrap_or_default();
    let done = actions::exceptions::waive(engine, actor, &key, (&rule, args.number), why).await?;
    said(&key, &done, "the exception is made")
}

pub(super) async fn article(engine: &Engine, actor: &Actor, args: ArticleArgs) -> anyhow::Result<Ended> {
    let key = IssueKey::parse(&args.key)?;
    let Some(url) = args.url.filter(|_| !args.undo) else {
        return undo(engine, actor, &key, (Kind::Article, None)).await;
    };
    let chosen = actions::exceptions::choose_article(engine, actor, &key, &url, (None, &args.why)).await?;
    show::line(format!("{key}: « {} » is read from now on instead of what the sources find", chosen.title));
    Ok(match chosen.hold {
        Some(hold) => {
            show::line(format!("  it stays held: {hold}"));
            Ended::Held
        }
        None => {
            show::line("  `semainier serve` reads it within a minute");
            Ended::Done
        }
    })
}

async fn undo(
    engine: &Engine,
    actor: &Actor,
    key: &IssueKey,
    (kind, source): (Kind, Option<&str>),
) -> anyhow::Result<Ended> {
    let is_meant = |rule: &Rule| rule.kind() == kind && source.is_none_or(|source| rule.target() == source);
    let it = actions::exceptions::in_force(engine, key, is_meant, kind).await?;
    let done = actions::exceptions::withdraw(engine, actor, key, &it.id).await?;
    said(key, &done, "the exception is withdrawn")
}

fn said(key: &IssueKey, done: &Recomposed, what: &str) -> anyhow::Result<Ended> {
    Ok(match done {
        Recomposed::Kept { hash } => {
            show::line(format!("{key}: {what}; composed again, {}", short(hash)));
            Ended::Done
        }
        Recomposed::NothingRead => {
            show::line(format!("{key}: {what}; `semainier serve` reads the sources again within a minute"));
            Ended::Done
        }
        Recomposed::Held => {
            show::line(format!("{key}: {what}; the issue is held, see semainier issues show {key}"));
            Ended::Held
        }
    })
}
