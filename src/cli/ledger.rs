//! `semainier issues`, `log`, `deliveries`: shows what happened, and records the decisions a person takes about it.

use super::{Context, Ended, actor, approval, exceptions, parse_instant, show, tables};
use crate::actions;
use crate::app::Engine;
use crate::domain::{
    delivery::{DeliveryId, Resolution, State},
    email::EmailAddress,
    issue::IssueKey,
};
use crate::store::{Access, LogFilter};
use crate::toml_reader::parse_duration;
use crate::views::{
    instant, issues,
    log::{self, DeliveryView},
    suppressions,
};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct IssuesArgs {
    /// Print a JSON array, newest first
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<IssueAct>,
}

#[derive(Debug, clap::Subcommand)]
enum IssueAct {
    /// Show the content of an issue, its approvals and its mail. Exit code 4 while it awaits approval
    Show {
        key: String,
        /// Write subject.txt, body.html, body.txt, message.eml, pictures and attachments into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Print one JSON object: the fields of `issues --json`, with approvals, files and the newsletter
        #[arg(long)]
        json: bool,
    },
    /// Approve the current content of an issue; any later change needs a new approval
    Approve {
        key: String,
        /// Who approves, for the ledger
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Approve only if the content is the one you reviewed: the first characters of its hash, at least 8
        #[arg(long, value_name = "HASH", value_parser = parse_hash)]
        hash: Option<String>,
    },
    /// Write the editorial of a newsletter, in Markdown; if the mailing needs an approval, staff are asked for a new one
    Edit(approval::EditArgs),
    /// Collect and compose an issue that needs an approval again, replacing the content that awaits it
    Recompose { key: String },
    /// Reject the content that awaits approval and notify staff of the reason; another person may still approve it
    Refuse {
        key: String,
        /// Who refuses, for the ledger
        #[arg(long, value_name = "NAME")]
        by: String,
        /// What is to be corrected
        #[arg(long, value_name = "TEXT")]
        why: String,
        /// Only if the content is what you saw: the first characters of its hash, at least 8
        #[arg(long, value_name = "HASH", value_parser = parse_hash)]
        hash: Option<String>,
    },
    /// Withdraw an approval, as long as sending has not started
    Withdraw {
        key: String,
        /// Who withdraws it, for the ledger
        #[arg(long, value_name = "NAME")]
        by: String,
        /// The reason, for the ledger
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Compose a coming issue now and mail it to staff; at its hour the sources are read again
    Rehearse { key: String },
    /// Send exactly the rehearsed content at the issue's hour, even if the sources change
    Freeze {
        key: String,
        /// Who decides, for the ledger
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Only if the stored content is the one you reviewed: the first characters of its hash, at least 8
        #[arg(long, value_name = "HASH", value_parser = parse_hash)]
        hash: Option<String>,
    },
    /// Mail the stored content of an issue to a member of staff as a test, marked as one in its subject; at most 10 a day
    Test {
        key: String,
        /// An address in `staff` of semainier.toml, or of an active account
        #[arg(long, value_name = "ADDRESS")]
        to: EmailAddress,
    },
    /// Do not send a coming issue; until its hour `unskip` undoes this
    Skip {
        key: String,
        /// The reason, for the ledger
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Send a skipped issue after all
    Unskip { key: String },
    /// Mail those whom an issue has reached what was wrong in it
    Erratum {
        key: String,
        /// What was wrong and what is right, in Markdown; `-` for standard input
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Send without asking
        #[arg(long)]
        yes: bool,
        /// Who sends it, for the ledger
        #[arg(long, env = "USER", default_value = "operator")]
        by: String,
    },
    /// Let a held issue leave against a rule of its mailing: this issue only, and only with what you saw. Never for another week
    Waive(exceptions::WaiveArgs),
    /// Read a held issue from another article of the site; one about another week holds it all the same
    Article(exceptions::ArticleArgs),
    /// Pause sending of an issue until it is resumed
    Pause { key: String },
    /// Resume a paused issue once the cause has been fixed
    Resume { key: String },
    /// Cancel an issue for good; sent deliveries stay sent, the others are cancelled. A coming issue is skipped
    Cancel { key: String },
}

#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// Filter by issue, such as agenda/2026-W28
    #[arg(long, value_name = "KEY")]
    issue: Option<String>,
    /// Filter by recipient
    #[arg(long, value_name = "ADDRESS")]
    address: Option<EmailAddress>,
    /// Filter by state: queued, claimed, in_data, sent, failed, unknown, suppressed, expired or cancelled
    #[arg(long)]
    state: Option<State>,
    /// Changed since a date, an instant, or a duration ago such as 7d
    #[arg(long, value_name = "D")]
    since: Option<String>,
    /// Print an array of
    /// {"issue","address","state","message_id","attempts":[{"n","at","phase","code","enhanced","text","outcome"}],
    /// "feedback":[{"at","kind","class","code","enhanced","text","proof","recorded_at"}]}
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV, one row per attempt and per message that came back
    #[arg(long)]
    csv: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum DeliveriesCommand {
    /// Settle an `unknown` delivery
    Resolve {
        /// The id, as shown by `semainier log --state unknown`
        id: String,
        /// sent: it arrived. failed: it did not arrive, do not send it again. resend: send the same message again
        #[arg(long = "as", value_name = "DECISION")]
        decision: Decision,
        /// Who decides, for the ledger
        #[arg(long, env = "USER", default_value = "operator")]
        by: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Decision {
    Sent,
    Resend,
    Failed,
}

pub(super) async fn issues(context: &Context, args: IssuesArgs) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    if let Some(act) = args.act {
        return act_on(context, &engine, act).await;
    }
    let issues = issues::read(&engine).await?;
    match args.json {
        true => show::json(&issues)?,
        false if issues.is_empty() => show::line("no issue yet"),
        false => show::line(tables::text(tables::issues_table(&issues))),
    }
    Ok(Ended::Done)
}

/// A shorter prefix could match several contents.
fn parse_hash(text: &str) -> Result<String, &'static str> {
    match text.len() >= 8 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        true => Ok(text.to_owned()),
        false => Err("expected at least 8 of the characters of a hash, 0 to 9 and a to f"),
    }
}

async fn act_on(context: &Context, engine: &Engine, act: IssueAct) -> anyhow::Result<Ended> {
    match act {
        IssueAct::Show { key, out, json } => approval::show(engine, &key, out.as_deref(), json).await,
        IssueAct::Approve { key, by, hash } => approval::approve(engine, &actor(&by)?, &key, hash.as_deref()).await,
        IssueAct::Edit(args) => approval::edit(engine, args).await,
        IssueAct::Erratum { key, file, yes, by } => approval::erratum(engine, &actor(&by)?, &key, &file, yes).await,
        IssueAct::Waive(args) => exceptions::waive(engine, &actor(&args.by)?, args).await,
        IssueAct::Article(args) => exceptions::article(engine, &actor(&args.by)?, args).await,
        IssueAct::Recompose { key } => approval::recompose(engine, &context.actor()?, &key).await,
        IssueAct::Rehearse { key } => approval::rehearse(engine, &context.actor()?, &key).await,
        IssueAct::Freeze { key, by, hash } => approval::approve(engine, &actor(&by)?, &key, hash.as_deref()).await,
        IssueAct::Refuse { key, by, why, hash } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::refuse(engine, &actor(&by)?, &key, hash.as_deref(), &why).await?;
            show::line(format!("the content of {key} is refused; staff will be notified of the reason"));
            Ok(Ended::Done)
        }
        IssueAct::Withdraw { key, by, why } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::withdraw(engine, &actor(&by)?, &key, None, &why).await?;
            show::line(format!("the approval of {key} is withdrawn"));
            Ok(Ended::Done)
        }
        IssueAct::Test { key, to } => approval::test(engine, &context.actor()?, &key, &to).await,
        IssueAct::Skip { key, why } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::skip(engine, &context.actor()?, &key, &why).await?;
            show::line(format!(
                "{key} will not leave; to take that back before its hour: semainier issues unskip {key}"
            ));
            Ok(Ended::Done)
        }
        IssueAct::Unskip { key } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::unskip(engine, &context.actor()?, &key).await?;
            show::line(format!("{key} leaves at its hour"));
            Ok(Ended::Done)
        }
        IssueAct::Pause { key } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::pause(engine, &context.actor()?, &key).await?;
            show::line(format!("{key} is paused; to continue: semainier issues resume {key}"));
            Ok(Ended::Done)
        }
        IssueAct::Resume { key } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::resume(engine, &context.actor()?, &key).await?;
            show::line(format!("{key} resumed; `semainier serve` or `semainier run` sends the rest"));
            Ok(Ended::Done)
        }
        IssueAct::Cancel { key } => {
            let key = IssueKey::parse(&key)?;
            actions::issues::cancel(engine, &context.actor()?, &key).await?;
            show::line(format!("{key} is cancelled; nothing more is sent"));
            Ok(Ended::Done)
        }
    }
}

pub(super) async fn log(context: &Context, args: LogArgs) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let zone = engine.app.config.zone;
    let since = args.since.as_deref().map(|text| match parse_duration(text) {
        Ok(ago) => Ok(engine.app.clock.now() - ago),
        Err(_) => parse_instant(text, zone),
    });
    let mut filter = LogFilter {
        limit: Some(PAGE),
        issue: args.issue.as_deref().map(IssueKey::parse).transpose()?,
        address_key: args.address.as_ref().map(EmailAddress::key),
        state: args.state,
        since: since.transpose()?,
        ..LogFilter::default()
    };
    let mut shown = Shown::as_asked(&args);
    loop {
        let page = engine.store.log(&filter).await?;
        shown.page(&log::page(&page, zone))?;
        match page.last() {
            Some(last) if page.len() >= PAGE as usize => filter.after = Some(last.mark()),
            _ => break,
        }
    }
    let is_table = matches!(shown.shape, Shape::Table);
    shown.end();
    if let Some(address) = args.address.as_ref().filter(|_| is_table) {
        for it in suppressions::of(&engine, address).await? {
            let (scope, reason) = (tables::scope(&it.scope), tables::reason(it.reason));
            let why = if it.why.is_empty() { String::new() } else { format!(" ({})", it.why) };
            show::line(format!("{address} gets nothing of {scope} since {}: {reason}{why}", instant(it.since, zone)));
        }
    }
    Ok(Ended::Done)
}

/// Deliveries read and printed at once, so that a log of ten million is never in memory.
const PAGE: u32 = 1_000;

enum Shape {
    Json,
    Csv,
    Table,
}

/// Progress of printing the log page by page. Each page is read separately: rows that change meanwhile may be shown in their
/// old or their new state.
struct Shown {
    shape: Shape,
    deliveries: usize,
    list: show::JsonList,
    /// Deliveries that need a decision, by address and id.
    unknown: Vec<(String, String)>,
}

impl Shown {
    fn as_asked(args: &LogArgs) -> Self {
        let shape = match (args.json, args.csv) {
            (true, _) => Shape::Json,
            (_, true) => Shape::Csv,
            _ => Shape::Table,
        };
        Self { shape, deliveries: 0, list: show::JsonList::default(), unknown: Vec::new() }
    }

    fn page(&mut self, page: &[DeliveryView]) -> anyhow::Result<()> {
        let is_first = self.deliveries == 0;
        self.deliveries += page.len();
        match self.shape {
            Shape::Json => {
                page.iter().try_for_each(|delivery| self.list.add(delivery))?;
            }
            Shape::Csv if is_first || !page.is_empty() => {
                show::line(tables::log_csv(page, is_first)?.trim_end());
            }
            // One table per page: column widths are computed from its rows.
            Shape::Table if is_first || !page.is_empty() => show::line(tables::text(tables::log_table(page))),
            Shape::Csv | Shape::Table => {}
        }
        if matches!(self.shape, Shape::Table) {
            let unknown = page.iter().filter(|it| it.state == State::Unknown);
            self.unknown.extend(unknown.map(|it| (it.address.clone(), it.id.clone())));
        }
        Ok(())
    }

    fn end(self) {
        match self.shape {
            Shape::Json => self.list.end(),
            Shape::Csv => {}
            Shape::Table => {
                show::line(format!("{} deliveries", self.deliveries));
                for (address, id) in self.unknown {
                    show::line(format!(
                        "{address} may or may not have it; decide: semainier deliveries resolve {id} --as sent|resend|failed"
                    ));
                }
            }
        }
    }
}

pub(super) async fn deliveries(context: &Context, command: DeliveriesCommand) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let DeliveriesCommand::Resolve { id, decision, by } = command;
    let resolution = match decision {
        Decision::Sent => Resolution::Sent,
        Decision::Resend => Resolution::Resend,
        Decision::Failed => Resolution::Failed,
    };
    actions::deliveries::resolve(&engine, &actor(&by)?, &DeliveryId(id.clone()), resolution).await?;
    show::line(match decision {
        Decision::Sent => format!("{id} counts as sent"),
        Decision::Failed => format!("{id} counts as failed"),
        Decision::Resend => {
            format!("{id} is queued: `semainier serve` or `semainier run` sends the same message again")
        }
    });
    Ok(Ended::Done)
}
