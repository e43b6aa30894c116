//! `semainier backup`, `restore`, `migrate`: copies and moves the ledger.

use super::{Context, Ended, show};
use crate::actions;
use crate::clock::Clock;
use crate::daemon;
use crate::domain::issue::IssueState;
use crate::secret::absolute;
use crate::store::{Access, keep};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// An empty folder; created if it does not exist
    dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A folder that `semainier backup` wrote
    dir: PathBuf,
    /// Replace the existing ledger, which is kept under another name
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct MigrateArgs {
    /// The current ledger: sqlite://PATH or postgres://USER@HOST/DATABASE (password: PGPASSWORD or ~/.pgpass)
    #[arg(long, value_name = "URL")]
    from: String,
    /// An empty database; its tables are created
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
    show::aside("It contains the secret: store it where nobody else can read it.");
    Ok(Ended::Done)
}

pub(super) async fn restore(context: &Context, args: RestoreArgs) -> anyhow::Result<Ended> {
    let app = context.app()?;
    let restored = actions::keep::restore(&app, &context.actor()?, &args.dir, args.replace).await?;
    for name in &restored.aside {
        show::line(format!("previous version kept as {name}"));
    }
    let engine = app.open(Access::Exclusive).await?;
    engine.tokens().await?;
    daemon::pause_after_restore(&engine).await?;
    show::line(format!("restored the ledger of {}; its secret matches", restored.manifest.made_at));
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
            "It does not contain what was sent and who unsubscribed since then: check the relay's log before `semainier issues \
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
    show::line(format!("copied {rows} rows of {} tables; both databases are identical", moved.len()));
    show::line("Now set `database` to the new URL in the configuration. The secret stays the same:");
    match (args.from.strip_prefix("sqlite://"), args.to.strip_prefix("sqlite://"), &config.secret) {
        (_, _, Some(_)) => show::line("  it is configured; leave it as it is."),
        (Some(from), None, None) => {
            show::line(format!("  secret_file = \"{}\"", absolute(&PathBuf::from(from).with_extension("secret"))))
        }
        (Some(from), Some(to), None) => show::line(format!(
            "  copy {} to {}",
            absolute(&PathBuf::from(from).with_extension("secret")),
            absolute(&PathBuf::from(to).with_extension("secret"))
        )),
        (None, _, None) => show::line("  leave secret_file as it is."),
    }
    show::line("A daemon started on the old database pauses everything.");
    Ok(Ended::Done)
}
