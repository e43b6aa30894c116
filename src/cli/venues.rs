//! `semainier venues`: which venue is in which commune.

use super::{Context, Ended, show, tables};
use crate::actions;
use crate::store::Access;
use crate::views::venues;

pub(super) const AFTER_HELP: &str = "\
What a sent agenda says of a venue in full (« à la Fenière, à Pavie ») is remembered, and its commune is used when a later \
article names the venue alone. The article's own words come first, then [office] venues in semainier.toml, then what is \
listed here. A venue with two communes is not used until a person says which one is right.";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List what is known, and whether it is used
    List {
        /// An array of {"venue","name","commune","origin","said_in","said_at","used"}
        #[arg(long)]
        json: bool,
    },
    /// Say in which commune a venue is
    Set { venue: String, commune: String },
    /// Remove everything that is known of a venue; an article may teach it again
    Forget { venue: String },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    match command {
        Command::List { json: true } => show::json(&venues::read(&engine).await?)?,
        Command::List { json: false } => {
            let mut rows = tables::table(["venue", "commune", "said by", "on", "used"], &[]);
            for it in venues::read(&engine).await? {
                let by = if it.said_in.is_empty() { it.origin.as_str().to_owned() } else { it.said_in };
                let used = if it.used { "yes" } else { "no" };
                rows.add_row([it.name, it.commune, by, it.said_at, used.to_owned()]);
            }
            show::line(tables::text(rows));
        }
        Command::Set { venue, commune } => {
            let said = actions::venues::set(&engine, &context.actor()?, &venue, &commune).await?;
            show::line(format!("{} is in {}", said.name, said.commune));
        }
        Command::Forget { venue } => {
            let gone = actions::venues::forget(&engine, &context.actor()?, &venue).await?;
            show::line(format!("{venue}: {gone} statement(s) forgotten"));
        }
    }
    Ok(Ended::Done)
}
