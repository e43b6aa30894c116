//! `semainier orders`: what partners ordered, grouped for the delivery round; and orders by telephone.

use super::{Context, Ended, show, tables};
use crate::actions::{self, editions::OrderPlaced};
use crate::app::Engine;
use crate::domain::{
    edition::{Handover, LONGEST_REMARK, Order, OrderState, Wish},
    email::EmailAddress,
};
use crate::store::Access;
use crate::views::orders;
use anyhow::bail;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// Orders of one edition
    #[arg(long, value_name = "SLUG")]
    edition: Option<String>,
    /// Include delivered and cancelled orders
    #[arg(long)]
    all: bool,
    /// An array of {"id","edition","commune","establishment","packs","copies","handover","remark","state",…}
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV, one row per order
    #[arg(long)]
    csv: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Order an edition for a partner who telephones; a second time replaces the open order. The daemon confirms it by mail
    Place {
        /// The edition's slug
        #[arg(value_name = "SLUG")]
        edition: String,
        /// The partner's e-mail address, as in the list
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        packs: u32,
        /// The partner fetches them at the office; otherwise they are delivered on the round
        #[arg(long)]
        pick_up: bool,
        /// What the partner says about it
        #[arg(long, value_name = "TEXT", default_value = "")]
        remark: String,
    },
    /// Cancel an open order: its packs return to the stock
    Cancel {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Mark orders as delivered: partners cannot change them any more. `orders reopen` undoes it
    Delivered {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Mark delivered orders as open again: those of the wrong round, for example. The partner gets no mail
    Reopen {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    if let Some(act) = args.act {
        return change(context, &engine, act).await;
    }
    let Some(read) = orders::read(&engine, args.edition.as_deref(), args.all).await? else {
        let slug = args.edition.unwrap_or_default();
        bail!("there is no edition {slug:?}; `semainier editions` lists them");
    };
    if args.json {
        show::json(&read.orders)?;
    } else if args.csv {
        show::line(orders::csv(&read.orders)?.trim_end());
    } else {
        show::line(tables::text(tables::orders_table(&read.orders)));
        for it in &read.totals {
            show::line(format!(
                "{}: {} open orders, {} packs ({} copies) to hand over; {} packs left",
                it.edition, it.open_orders, it.packs, it.copies, it.left
            ));
        }
        if read.orders.is_empty() {
            show::line("no order");
        }
    }
    Ok(Ended::Done)
}

async fn change(context: &Context, engine: &Engine, act: Act) -> anyhow::Result<Ended> {
    let actor = context.actor()?;
    match act {
        Act::Place { edition, address, packs, pick_up, remark } => {
            let address = EmailAddress::parse(&address)?;
            let remark: String = remark.trim().chars().filter(|c| *c == '\n' || !c.is_control()).collect();
            if remark.chars().count() > LONGEST_REMARK {
                bail!("--remark: expected at most {LONGEST_REMARK} characters");
            }
            let handover = if pick_up { Handover::PickUp } else { Handover::Delivery };
            let wish = Wish { packs, handover, remark };
            let said = |what: &str, order: &Order| format!("order {} of {edition} for {address} {what}", order.id);
            show::line(match actions::editions::order(engine, &actor, &edition, &address, &wish).await? {
                OrderPlaced::New(order) => said("is placed", &order),
                OrderPlaced::Changed(order) => said("is changed", &order),
                OrderPlaced::Unchanged(order) => said("was the same before", &order),
            });
        }
        Act::Cancel { id } => {
            let order = actions::editions::cancel_order(engine, &actor, &id.trim().to_ascii_lowercase(), None).await?;
            show::line(format!(
                "order {} of {} is cancelled; {} packs are free",
                order.id, order.edition, order.wish.packs
            ));
        }
        Act::Delivered { ids } => {
            let ids = typed(&ids);
            let before = actions::editions::hand_over(engine, &actor, &ids).await?;
            for (id, before) in ids.iter().zip(before) {
                show::line(match before {
                    OrderState::Open => format!("{id} is delivered"),
                    OrderState::Delivered => format!("{id} was delivered before"),
                    OrderState::Cancelled => format!("{id} was cancelled by the partner and stays cancelled"),
                });
            }
        }
        Act::Reopen { ids } => {
            let ids = typed(&ids);
            let changed = actions::editions::reopen_orders(engine, &actor, &ids).await?;
            for (id, changed) in ids.iter().zip(changed) {
                show::line(format!("{id} {} open", if changed { "is" } else { "was already" }));
            }
        }
    }
    Ok(Ended::Done)
}

/// Ids as they are stored, however they were typed.
fn typed(ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| id.trim().to_ascii_lowercase()).collect()
}
