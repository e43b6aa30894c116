//! `semainier backup`, `restore`, `migrate`: keeping the ledger.

use super::{Context, Ended, show};
use crate::actions;
use crate::clock::Clock;
use crate::daemon;
use crate::domain::issue::IssueState;
use crate::secret::whole;
use crate::store::{Access, keep};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// A folder that is empty, or not there yet
    dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A folder that `semainier backup` wrote
    dir: PathBuf,
    /// Put it in the place of the ledger that is there, which is kept under another name
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct MigrateArgs {
    /// The ledger as it is: sqlite://PATH or postgres://USER@HOST/DATABASE (a password: PGPASSWORD, or ~/.pgpass)
    #[arg(long, value_name = "URL")]
    from: String,
    /// An empty database; its tables are made
    #[arg(long, value_name = "URL")]
    to: String,
}

pub(super) async fn backup(context: &Context, args: BackupArgs) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let manifest = actions::keep::backup(&engine, &context.actor()?, &args.dir).await?;
    for file in &manifest.files {
        show::line(format!("{:>14} bytes  {}", file.size, args.dir.join(&file.name).display()));
    }
    let rows = |table: &str| manifest.rows.get(table).copied().unwrap_or_default();
    show::line(format!(
        "{} contacts, {} suppressions, {} issues, {} deliveries are in {}",
        rows("contacts"),
        rows("suppressions"),
        rows("issues"),
        rows("deliveries"),
        args.dir.display()
    ));
    show::aside("The secret is in it too: keep it where nobody else reads.");
    Ok(Ended::Done)
}

pub(super) async fn restore(context: &Context, args: RestoreArgs) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let restored = actions::keep::restore(&app, &context.actor()?, &args.dir, args.replace).await?;
    for name in &restored.aside {
        show::line(format!("kept as it was: {name}"));
    }
    let engine = app.open(Access::Exclusive).await?;
    engine.tokens().await?;
    daemon::mind_a_restored_ledger(&engine).await?;
    show::line(format!("the ledger of {} is back, and its secret is the right one", restored.manifest.made_at));
    let mut waits = false;
    for issue in engine.store.open_issues().await? {
        let state = issue.state();
        if matches!(state, IssueState::Paused | IssueState::Held | IssueState::AwaitingApproval) {
            waits = true;
            show::line(format!("  {}: {}", issue.key, state.as_str()));
        }
    }
    if waits {
        show::line(
            "What left and who unsubscribed since then is not in it: look into the relay's log before `semainier issues \
             resume KEY`, `approve` or `cancel`.",
        );
    }
    Ok(if waits { Ended::WaitsForAPerson } else { Ended::Done })
}

pub(super) async fn migrate(context: &Context, args: MigrateArgs) -> anyhow::Result<Ended> {
    let config = context.load()?;
    let moved = keep::move_all(&args.from, &args.to, Clock::System.now()).await?;
    for table in &moved {
        show::line(format!("{:>10}  {}  {}", table.rows, table.checksum, table.name));
    }
    let rows: u64 = moved.iter().map(|table| table.rows).sum();
    show::line(format!("{rows} rows of {} tables were moved; both databases hold the same", moved.len()));
    show::line("Now write the new address as `database` in the configuration. The secret stays what it was:");
    match (args.from.strip_prefix("sqlite://"), args.to.strip_prefix("sqlite://"), &config.secret) {
        (_, _, Some(_)) => show::line("  it is configured; leave it so."),
        (Some(from), None, None) => {
            show::line(format!("  secret_file = \"{}\"", whole(&PathBuf::from(from).with_extension("secret"))))
        }
        (Some(from), Some(to), None) => show::line(format!(
            "  copy {} to {}",
            whole(&PathBuf::from(from).with_extension("secret")),
            whole(&PathBuf::from(to).with_extension("secret"))
        )),
        (None, _, None) => show::line("  leave secret_file as it is."),
    }
    show::line("A daemon that is started on the old one pauses everything.");
    Ok(Ended::Done)
}
