//! Orders of editions, grouped for the delivery round.

use super::instant;
use crate::app::Engine;
use crate::domain::{
    edition::{EditionStock, Handover, Order, OrderState},
    french,
};
use crate::partners::export;
use crate::store::StoreError;
use chrono_tz::Tz;
use serde::Serialize;

/// An element of `orders --json`.
#[derive(Debug, Clone, Serialize)]
pub struct OrderView {
    pub id: String,
    pub edition: String,
    pub commune: String,
    pub establishment: String,
    pub street: String,
    pub name: String,
    pub email: String,
    pub packs: u32,
    pub copies: u32,
    pub handover: Handover,
    pub remark: String,
    pub state: OrderState,
    pub ordered_at: String,
    pub changed_at: String,
}

impl OrderView {
    pub fn new(order: &Order, editions: &[EditionStock], zone: Tz) -> Self {
        let edition = editions.iter().find(|it| it.edition.slug == order.edition);
        let pack = edition.map_or(1, |it| it.edition.pack());
        Self {
            id: order.id.clone(),
            edition: order.edition.clone(),
            commune: order.by.commune.clone(),
            establishment: order.by.establishment.clone(),
            street: order.by.street.clone(),
            name: order.by.name.clone(),
            email: order.by.address.to_string(),
            packs: order.wish.packs,
            copies: order.wish.packs.saturating_mul(pack),
            handover: order.wish.handover,
            remark: order.wish.remark.clone(),
            state: order.state,
            ordered_at: instant(order.ordered_at, zone),
            changed_at: instant(order.changed_at, zone),
        }
    }
}

/// What is still to be delivered of one edition.
#[derive(Debug, Clone, Serialize)]
pub struct EditionTotal {
    pub edition: String,
    pub open_orders: u32,
    pub packs: u32,
    pub copies: u32,
    /// Packs that can still be ordered.
    pub left: u32,
}

/// Sorted by commune, establishment and address.
#[derive(Debug, Clone, Serialize)]
pub struct Orders {
    pub orders: Vec<OrderView>,
    pub totals: Vec<EditionTotal>,
}

/// Orders of one edition or of all. `closed`: include delivered and cancelled ones. `None`: there is no such edition.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn read(engine: &Engine, edition: Option<&str>, closed: bool) -> Result<Option<Orders>, StoreError> {
    let states: &[_] = if closed { &OrderState::ALL } else { &[OrderState::Open] };
    in_states(engine, edition, states).await
}

/// The same, of orders in these states.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn in_states(
    engine: &Engine,
    edition: Option<&str>,
    states: &[OrderState],
) -> Result<Option<Orders>, StoreError> {
    let (store, zone) = (&engine.store, engine.app.config.zone);
    let editions = store.editions().await?;
    if edition.is_some_and(|slug| !editions.iter().any(|it| it.edition.slug == slug)) {
        return Ok(None);
    }
    let mut orders = store.orders(edition).await?;
    orders.retain(|order| states.contains(&order.state));
    orders.sort_by_cached_key(delivery_round);
    let totals = editions.iter().filter_map(|edition| total(edition, &orders)).collect();
    let orders = orders.iter().map(|order| OrderView::new(order, &editions, zone)).collect();
    Ok(Some(Orders { orders, totals }))
}

/// `orders --csv`: French headers, `;` and a BOM for French Excel. Safe to open there.
///
/// # Errors
/// When the buffer cannot be written, which does not happen.
pub fn csv(orders: &[OrderView]) -> Result<String, csv::Error> {
    let mut csv = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{feff}".as_bytes().to_vec());
    csv.write_record([
        "Commune",
        "Établissement",
        "Adresse",
        "Nom",
        "Email",
        "Édition",
        "Paquets",
        "Exemplaires",
        "Remise",
        "Remarque",
        "État",
        "Commandé le",
        "Référence",
    ])?;
    for order in orders {
        let state = match order.state {
            OrderState::Open => "en cours",
            OrderState::Delivered => "remise",
            OrderState::Cancelled => "annulée",
        };
        let cells = [
            order.commune.clone(),
            order.establishment.clone(),
            order.street.clone(),
            order.name.clone(),
            order.email.clone(),
            order.edition.clone(),
            order.packs.to_string(),
            order.copies.to_string(),
            order.handover.in_french().to_owned(),
            order.remark.clone(),
            state.to_owned(),
            order.ordered_at.get(..16).unwrap_or_default().replace('T', " "),
            order.id.clone(),
        ];
        csv.write_record(cells.map(export::harmless))?;
    }
    let bytes = csv.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Sort key that ignores accents.
fn delivery_round(order: &Order) -> [String; 4] {
    let folded = |text: &str| french::folded(text);
    [folded(&order.by.commune), folded(&order.by.establishment), order.edition.clone(), order.id.clone()]
}

/// `None` if the edition has no orders.
fn total(it: &EditionStock, orders: &[Order]) -> Option<EditionTotal> {
    let slug = &it.edition.slug;
    let of_edition: Vec<_> = orders.iter().filter(|order| order.edition == *slug).collect();
    let open = of_edition.iter().filter(|order| order.state == OrderState::Open);
    let (open_orders, packs) = open.fold((0, 0), |(n, packs), order| (n + 1, packs + order.wish.packs));
    let copies = packs * it.edition.pack();
    let total = EditionTotal { edition: slug.clone(), open_orders, packs, copies, left: it.left() };
    (!of_edition.is_empty()).then_some(total)
}
