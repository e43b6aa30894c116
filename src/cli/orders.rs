//! `semainier orders`: what partners ordered, grouped for the delivery round.

use super::{Context, Ended, show, tables};
use crate::actions;
use crate::domain::edition::OrderState;
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
    /// Mark orders as delivered: partners cannot change them any more
    Delivered {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    if let Some(Act::Delivered { ids }) = args.act {
        let ids: Vec<_> = ids.iter().map(|id| id.trim().to_ascii_lowercase()).collect();
        let before = actions::editions::hand_over(&engine, &context.actor()?, &ids).await?;
        for (id, before) in ids.iter().zip(before) {
            show::line(match before {
                OrderState::Open => format!("{id} is delivered"),
                OrderState::Delivered => format!("{id} was delivered before"),
                OrderState::Cancelled => format!("{id} was cancelled by the partner and stays cancelled"),
            });
        }
        return Ok(Ended::Done);
    }
    let Some(read) = orders::read(&engine, args.edition.as_deref(), args.all).await? else {
        let slug = args.edition.unwrap_or_default();
        bail!("there is no edition {slug:?}; `semainier editions` lists them");
    };
    if args.json {
        show::json(&read.orders)?;
    } else if args.csv {
        show::line(tables::orders_csv(&read.orders)?.trim_end());
    } else {
        show::line(tables::orders_table(&read.orders));
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
