//! `semainier webhooks`: receivers of events.

use super::{
    Context, Ended, show,
    tables::{self, table},
};
use crate::actions::webhooks;
use crate::domain::webhook::Events;
use crate::store::Access;
use crate::views::integrations::{self, AttemptView};

pub(super) const AFTER_HELP: &str = "\
Events, with commas between them, or `all`: issue.held, issue.awaiting_approval, issue.paused, issue.done, order.changed, \
contact.opted_out. The daemon delivers each at least once, and those of one issue in order.

  semainier webhooks add https://hooks.example/semainier --events issue.held,issue.done
  semainier webhooks list
  semainier webhooks log ID";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a receiver and print its secret, once
    Add {
        /// An https address; plain http and private addresses only for hosts in fetch.allow
        url: String,
        /// Events with commas between them, or all
        #[arg(long, default_value = "all", value_parser = Events::parse)]
        events: Events,
    },
    /// List receivers
    List {
        /// An array of {"id","url","events","state","why","since","pending","former_until","created_at","created_by"}
        #[arg(long)]
        json: bool,
    },
    /// Send a test event and print the answer
    Test { id: String },
    /// Show the last answers of a receiver
    Log {
        id: String,
        /// An array of {"id","event","subject","at","ms","status","said","delivered"}
        #[arg(long)]
        json: bool,
    },
    /// Send the event of an answer again, with the same id
    Resend {
        id: String,
        /// As in `log`
        attempt: String,
    },
    /// Make a new secret and print it, once; the old one stays valid for a day
    Rotate { id: String },
    /// Tell a receiver nothing until it is enabled
    Disable { id: String },
    /// Tell a receiver again, beginning with what is owed to it
    Enable { id: String },
    /// Remove a receiver with what is owed to it
    Remove { id: String },
}

pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let (zone, now) = (engine.app.config.zone, engine.app.clock.now());
    let actor = context.actor()?;
    let find = async |id: &str| webhooks::find(&engine, id).await;
    match command {
        Command::Add { url, events } => {
            let added = webhooks::add(&engine, &actor, &url, events).await?;
            show::line(&added.secret);
            show::aside(format!("shown once; webhook {} is told {events}", added.id));
        }
        Command::List { json } => {
            let all = integrations::webhooks(&*engine.store, zone, now).await?;
            if json {
                show::json(&all)?;
                return Ok(Ended::Done);
            }
            let mut rows = table(["webhook", "address", "events", "state", "since", "pending"], &[0]);
            for it in all {
                let (events, since) = (it.events.join(","), it.since.unwrap_or_default());
                rows.add_row([it.id, it.url, events, it.state.to_owned(), since, it.pending.to_string()]);
            }
            show::line(tables::text(rows));
        }
        Command::Test { id } => {
            let attempt = webhooks::test(&engine, &actor, &find(&id).await?).await?;
            let view = AttemptView::new(&attempt, zone);
            show::line(answer(&view));
            return Ok(if view.delivered { Ended::Done } else { Ended::Failed });
        }
        Command::Log { id, json } => {
            let all = integrations::attempts(&*engine.store, &find(&id).await?.id, zone).await?;
            if json {
                show::json(&all)?;
                return Ok(Ended::Done);
            }
            let mut rows = table(["attempt", "at", "event", "subject", "answer"], &[0]);
            for it in all {
                let said = answer(&it);
                rows.add_row([it.id, it.at, it.event, it.subject, said]);
            }
            show::line(tables::text(rows));
        }
        Command::Resend { id, attempt } => {
            webhooks::send_again(&engine, &actor, &find(&id).await?, &attempt).await?;
            show::line("the daemon sends it again");
        }
        Command::Rotate { id } => {
            show::line(webhooks::rotate(&engine, &actor, &find(&id).await?).await?);
            show::aside("shown once; the old secret stays valid for a day");
        }
        Command::Disable { id } => {
            webhooks::disable(&engine, &actor, &find(&id).await?).await?;
            show::line(format!("webhook {id} is disabled"));
        }
        Command::Enable { id } => {
            webhooks::enable(&engine, &actor, &find(&id).await?).await?;
            show::line(format!("webhook {id} is enabled"));
        }
        Command::Remove { id } => {
            webhooks::remove(&engine, &actor, &find(&id).await?).await?;
            show::line(format!("webhook {id} is removed"));
        }
    }
    Ok(Ended::Done)
}

fn answer(it: &AttemptView) -> String {
    match it.status {
        Some(status) => format!("{status} in {} ms {}", it.ms, it.said),
        None => format!("no answer: {}", it.said),
    }
}
