//! `semainier lanes`: the families of recipient domains, how each goes, and a person's word that one may go again.

use super::{Context, Ended, show};
use crate::report::{instant, table};
use crate::status::{lane_json, lane_state};
use crate::store::Access;
use anyhow::bail;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
A lane is the pace for one family of recipient domains (orange, gmail, …), or for one other domain. It goes slowly or not at
all when the provider says so, and opens again by itself; one that is paused waits for a person. Deliveries that wait for
their lane are queued, and nobody else waits for them. Limits: [[lane]] in semainier.toml.")]
pub(super) struct Args {
    /// An array of {\"name\",\"state\",\"why\",\"since\",\"until\",\"only_issue\",\"step\",\"per_minute\"}:
    /// the lanes that are not open
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Open a lane again, once what the provider refused is mended
    Resume { name: String },
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let (config, now) = (&engine.app.config, engine.app.clock.now());
    if let Some(Act::Resume { name }) = args.act {
        let known = engine.store.lanes().await?.into_iter().find(|it| it.lane == name && it.holds(now));
        if !engine.store.reopen_lane(&name).await? {
            bail!("lane {name:?} is open; `semainier lanes` shows those that are not");
        }
        let when = match known.and_then(|it| it.until) {
            Some(until) => format!("by {} at the latest", instant(until, config.zone)),
            None => "within a quarter of an hour".to_owned(),
        };
        show::line(format!("lane {name} is open; what was put off for it goes {when}"));
        return Ok(Ended::Done);
    }
    let troubles: Vec<_> = engine.store.lanes().await?.into_iter().filter(|it| it.holds(now)).collect();
    if args.json {
        show::json(&serde_json::Value::Array(troubles.iter().map(|it| lane_json(it, config.zone)).collect()))?;
        return Ok(Ended::Done);
    }
    let mut rows = table(["lane", "connections", "messages each", "a minute", "state", "why"]);
    let others = config.lanes.others();
    let families = config.lanes.families().iter().map(|family| (family.name.as_str(), family.limits));
    for (name, limits) in families.chain([("any other domain", others)]) {
        let trouble = troubles.iter().find(|it| it.lane == name && !it.only_issue);
        rows.add_row([
            name.to_owned(),
            limits.connections.to_string(),
            limits.messages_per_connection.to_string(),
            limits.per_minute.map_or_else(|| "any".to_owned(), |n| n.to_string()),
            lane_state(trouble, config.zone),
            trouble.map(|it| it.why.clone()).unwrap_or_default(),
        ]);
    }
    let known = |name: &str| config.lanes.families().iter().any(|family| family.name == name);
    for it in troubles.iter().filter(|it| it.only_issue || !known(&it.lane)) {
        let state = lane_state(Some(it), config.zone);
        rows.add_row([it.lane.clone(), String::new(), String::new(), String::new(), state, it.why.clone()]);
    }
    show::line(rows.to_string());
    Ok(Ended::Done)
}
