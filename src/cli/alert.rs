//! `semainier alert`: tests the alert channels.

use super::{Context, Ended, show};
use crate::alerts::Alerter;
use anyhow::bail;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Send a test alert to the webhook and the command of `[alert]`; exit code 1 if one fails
    Test,
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let Command::Test = command;
    let app = context.app()?;
    if !app.config.alert.is_on() {
        bail!("no alert is configured; write [alert] webhook = \"https://…\" or command = [\"/…\"] in semainier.toml");
    }
    let mut ended = Ended::Done;
    for (channel, result) in Alerter::new(&app.config.alert)?.test(&app).await {
        match result {
            Ok(()) => show::line(format!("{}: delivered", channel.as_str())),
            Err(why) => {
                show::line(format!("error: alert.{}: {why}", channel.as_str()));
                ended = Ended::Failed;
            }
        }
    }
    Ok(ended)
}
