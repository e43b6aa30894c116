//! `semainier check`: finds problems of the configuration before they matter.

use super::{Context, Ended, next, show};
use crate::compose::{context, page};
use crate::issue::newsletter;
use crate::jobs::Kind;
use crate::views::check::{self, Level};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
One line per finding, with the file and the key. Exit code 1 if there is an error, 0 if there are only warnings.
Nothing is changed or sent: the database is opened, the relay is logged in to, the site and the sources are read.")]
pub(super) struct Args {
    /// Skip the relay, the site and the sources
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(ctx: &Context, args: &Args) -> anyhow::Result<Ended> {
    let app = ctx.app()?;
    let file = app.config.file.as_ref().map_or("built-in defaults".to_owned(), |f| f.display().to_string());
    show::line(format!("configuration: {file}"));
    if let Ok(relay) = app.relay() {
        show::line(format!("relay: {relay}"));
    }
    for (name, samples) in context::check_all(&app.templates)? {
        show::line(format!("template {name}: {samples} samples rendered"));
    }
    for (name, samples) in page::check_all(&app.templates)? {
        show::line(format!("page {name}: {samples} samples rendered"));
    }
    show::line(format!("mailings: {}", app.mailings.len()));
    for mailing in &app.mailings {
        next::show_next(&app, mailing, app.clock.now(), 3);
        if let Kind::Newsletter(publishes) = &mailing.kind {
            let lists = newsletter::check_lists(&publishes.sections)?;
            lists.iter().for_each(|(file, n)| show::line(format!("  {n} appointments in {file}")));
        }
    }
    let report = check::check(&app, args.offline).await;
    report.well.iter().chain(&report.findings.iter().map(ToString::to_string).collect::<Vec<_>>()).for_each(show::line);
    let (errors, warnings) = (report.count(Level::Error), report.count(Level::Warning));
    match (errors, warnings) {
        (0, 0) => show::line("no problems found"),
        _ => show::line(format!("{errors} errors, {warnings} warnings")),
    }
    Ok(if errors > 0 { Ended::Failed } else { Ended::Done })
}
