//! `semainier orders`: what partners ordered, as the person reads it who loads the van.

use super::{Context, Ended, show};
use crate::domain::{
    edition::{Order, OrderState, Stocked},
    french,
};
use crate::report;
use crate::store::Access;
use anyhow::bail;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// Of one edition
    #[arg(long, value_name = "SLUG")]
    edition: Option<String>,
    /// Also those that were delivered or cancelled
    #[arg(long)]
    all: bool,
    /// An array of {"id","edition","commune","establishment","packs","copies","handover","remark","state",…}
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// One line an order, for a spreadsheet
    #[arg(long)]
    csv: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// They were handed over: partners cannot change them any more
    Delivered {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

pub(super) async fn run(context: &Context, args: Args) -> anyhow::Result<Ended> {
    let engine = context.engine(Access::Shared).await?;
    let (store, zone) = (&engine.store, engine.app.config.zone);
    if let Some(Act::Delivered { ids }) = args.act {
        let ids: Vec<_> = ids.iter().map(|id| id.trim().to_ascii_lowercase()).collect();
        let before = store.close_orders(&ids, engine.app.clock.now()).await?;
        return closed(&ids, &before);
    }
    let editions = store.editions().await?;
    if let Some(slug) = args.edition.as_deref().filter(|slug| !editions.iter().any(|it| it.edition.slug == *slug)) {
        bail!("there is no edition {slug:?}; `semainier editions` shows those there are");
    }
    let mut orders = store.orders(args.edition.as_deref()).await?;
    orders.retain(|order| args.all || order.state == OrderState::Open);
    orders.sort_by_cached_key(of_the_round);
    if args.json {
        show::json(&report::orders_json(&orders, &editions, zone))?;
    } else if args.csv {
        show::line(report::orders_csv(&orders, &editions, zone)?.trim_end());
    } else {
        show::line(report::orders_table(&orders, &editions));
        totals(&orders, &editions);
    }
    Ok(Ended::Done)
}

/// Village by village, then door by door, however names are accented.
fn of_the_round(order: &Order) -> [String; 4] {
    let folded = |text: &str| french::folded(text);
    [folded(&order.by.commune), folded(&order.by.establishment), order.edition.clone(), order.id.clone()]
}

/// Of what is shown, what is still to be handed over.
fn totals(orders: &[Order], editions: &[Stocked]) {
    for it in editions {
        let slug = &it.edition.slug;
        let open = orders.iter().filter(|order| order.edition == *slug && order.state == OrderState::Open);
        let (n, packs) = open.fold((0, 0), |(n, packs), order| (n + 1, packs + order.wish.packs));
        if n > 0 || orders.iter().any(|order| order.edition == *slug) {
            let copies = packs * it.edition.printed.map_or(1, |printed| printed.pack);
            let left = it.left();
            show::line(format!(
                "{slug}: {n} open orders, {packs} packs ({copies} copies) to hand over; {left} packs left"
            ));
        }
    }
    if orders.is_empty() {
        show::line("no order");
    }
}

fn closed(ids: &[String], before: &[Option<OrderState>]) -> anyhow::Result<Ended> {
    let unknown: Vec<_> = ids.iter().zip(before).filter(|(_, it)| it.is_none()).map(|(id, _)| id.as_str()).collect();
    if !unknown.is_empty() {
        bail!("there is no order {}; nothing was changed. Ids are shown by `semainier orders`", unknown.join(", "));
    }
    for (id, before) in ids.iter().zip(before) {
        show::line(match before {
            Some(OrderState::Open) => format!("{id} is delivered"),
            Some(OrderState::Delivered) => format!("{id} was delivered before"),
            _ => format!("{id} is cancelled by the partner; it stays so"),
        });
    }
    Ok(Ended::Done)
}
