//! `semainier lanes`: the state of each family of recipient domains, and reopening one.

use super::{Context, Ended, show, tables};
use crate::actions;
use crate::store::Access;
use crate::views::{instant, lanes};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
A lane is the rate limit for one family of recipient domains (orange, gmail, …), or for one other domain. It is slowed down \
or suspended when the provider asks for it, and reopens automatically; a paused lane must be reopened by a person. Deliveries \
that wait for their lane stay queued and do not delay others. Limits: [[lane]] in semainier.toml.")]
pub(super) struct Args {
    /// An array of {"name","state","why","since","until","only_issue","step","per_minute"}:
    /// the lanes that are not open
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Reopen a lane once the reason for the refusals has been fixed
    Resume { name: String },
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let config = &engine.app.config;
    if let Some(Act::Resume { name }) = args.act {
        let reopened = actions::lanes::reopen(&engine, &context.actor()?, &name).await?;
        let when = match reopened.by {
            Some(until) => format!("by {} at the latest", instant(until, config.zone)),
            None => "within a quarter of an hour".to_owned(),
        };
        show::line(format!("lane {name} is open; its deferred deliveries are retried {when}"));
        return Ok(Ended::Done);
    }
    let troubles = lanes::read(&engine).await?;
    if args.json {
        show::json(&troubles)?;
        return Ok(Ended::Done);
    }
    let mut rows = tables::table(["lane", "connections", "messages each", "a minute", "state", "why"], &[0]);
    let others = config.lanes.others();
    let families = config.lanes.families().iter().map(|family| (family.name.as_str(), family.limits));
    for (name, limits) in families.chain([("any other domain", others)]) {
        let trouble = troubles.iter().find(|it| it.name == name && it.only_issue.is_none());
        rows.add_row([
            name.to_owned(),
            limits.connections.to_string(),
            limits.messages_per_connection.to_string(),
            limits.per_minute.map_or_else(|| "any".to_owned(), |n| n.to_string()),
            trouble.map_or_else(|| "open".to_owned(), |it| it.state_in_words()),
            trouble.map(|it| it.why.clone()).unwrap_or_default(),
        ]);
    }
    let known = |name: &str| config.lanes.families().iter().any(|family| family.name == name);
    for it in troubles.iter().filter(|it| it.only_issue.is_some() || !known(&it.name)) {
        let state = it.state_in_words();
        rows.add_row([it.name.clone(), String::new(), String::new(), String::new(), state, it.why.clone()]);
    }
    show::line(tables::text(rows));
    Ok(Ended::Done)
}
