//! Orders, in the order of the delivery round; and the form of an order by telephone.

use super::{Label, Reading, When, people::order_label, person_href};
use crate::domain::{
    Timestamp,
    edition::{EditionStock, Handover, Order, OrderState, packs_in_french},
    french,
};
use crate::store::{OrdersFilter, StoreError};
use serde::Serialize;

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    pub id: String,
    pub edition: String,
    pub who: String,
    pub name: String,
    pub street: String,
    pub href: Option<String>,
    pub quantity: String,
    pub handover: &'static str,
    pub remark: String,
    pub label: Label,
    pub ordered_at: When,
    pub open: bool,
    /// It can be marked as open again.
    pub reopens: bool,
    /// Rises with each change by a person.
    pub revision: u32,
    /// Who took it by telephone.
    pub taken_by: Option<String>,
}

/// The orders of one commune: a stop of the round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stop {
    pub commune: String,
    pub rows: Vec<OrderRow>,
}

/// A page of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orders {
    pub stops: Vec<Stop>,
    /// Slug and title of every edition, for the filter.
    pub editions: Vec<(String, String)>,
    pub more: Option<String>,
}

/// Orders of one page: those of a round, as a rule.
const ORDERS: u32 = 300;

/// What `apres=` holds.
fn order_mark(text: &str) -> Option<(Timestamp, String)> {
    let (millis, id) = text.split_once('.')?;
    Some((Timestamp::from_timestamp_millis(millis.parse().ok()?)?, id.to_owned()))
}

/// # Errors
/// When the ledger cannot be read.
pub async fn page(
    it: &Reading<'_>,
    edition: Option<&str>,
    state: OrderState,
    after: Option<&str>,
) -> Result<Orders, StoreError> {
    let editions = it.store.editions().await?;
    let filter = OrdersFilter {
        edition: edition.map(str::to_owned),
        state,
        after: after.and_then(order_mark),
        limit: ORDERS + 1,
    };
    let mut orders = it.store.orders_page(&filter).await?;
    let more = orders.len() > ORDERS as usize;
    orders.truncate(ORDERS as usize);
    let more = orders.last().filter(|_| more).map(|it| format!("{}.{}", it.ordered_at.timestamp_millis(), it.id));
    sort(&mut orders);
    let stops = stops(it, &orders, &editions);
    let editions = editions.into_iter().map(|it| (it.edition.slug, it.edition.title)).collect();
    Ok(Orders { stops, editions, more })
}

/// By commune, establishment and edition, without regard to accents.
pub(super) fn sort(orders: &mut [Order]) {
    orders.sort_by_cached_key(|order| {
        [&order.by.commune, &order.by.establishment, &order.edition, &order.id].map(|text| french::folded(text))
    });
}

/// Sorted orders by commune.
pub(super) fn stops(it: &Reading<'_>, orders: &[Order], editions: &[EditionStock]) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    for order in orders {
        let of = editions.iter().find(|it| it.edition.slug == order.edition);
        let pack = of.map_or(1, |it| it.edition.pack());
        let address = order.by.address.to_string();
        let who = [&order.by.establishment, &order.by.name, &address].into_iter().find(|text| !text.is_empty());
        let row = OrderRow {
            id: order.id.clone(),
            edition: of.map_or(&order.edition, |it| &it.edition.title).clone(),
            who: who.cloned().unwrap_or_default(),
            name: order.by.name.clone(),
            street: order.by.street.clone(),
            href: person_href(&order.by.contact_id),
            quantity: packs_in_french(order.wish.packs, pack),
            handover: order.wish.handover.in_french(),
            remark: order.wish.remark.clone(),
            label: order_label(order.state),
            ordered_at: it.when(order.ordered_at),
            open: order.state == OrderState::Open,
            reopens: order.state == OrderState::Delivered && !order.is_erased(),
            revision: order.revision,
            taken_by: order.taken_by.clone(),
        };
        let same = |stop: &&mut Stop| french::folded(&stop.commune) == french::folded(&order.by.commune);
        match stops.last_mut().filter(same) {
            Some(stop) => stop.rows.push(row),
            None => stops.push(Stop { commune: order.by.commune.clone(), rows: vec![row] }),
        }
    }
    stops
}

/// An order, to be cancelled. `None`: there is no such order.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn one(it: &Reading<'_>, id: &str) -> Result<Option<OrderRow>, StoreError> {
    let Some(order) = it.store.order_by_id(id).await? else { return Ok(None) };
    let edition: Vec<_> = it.store.edition(&order.edition).await?.into_iter().collect();
    Ok(stops(it, &[order], &edition).into_iter().flat_map(|stop| stop.rows).next())
}

/// The round: every open order, and what has to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Round {
    pub stops: Vec<Stop>,
    /// Orders of it.
    pub n: usize,
    /// Title, and `12 paquets (600 exemplaires)`, of each edition; what is fetched at the office is not loaded.
    pub load: Vec<(String, String)>,
    /// `samedi 10 juillet 2027`
    pub day: String,
}

/// Of one edition, or of all.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn round(it: &Reading<'_>, edition: Option<&str>) -> Result<Round, StoreError> {
    let editions = it.store.editions().await?;
    let mut orders = it.store.orders(edition).await?;
    orders.retain(|order| order.state == OrderState::Open);
    sort(&mut orders);
    let load = editions.iter().filter_map(|edition| {
        let loaded = orders.iter().filter(|order| order.edition == edition.edition.slug);
        let loaded = loaded.filter(|order| order.wish.handover == Handover::Delivery);
        let packs: u32 = loaded.map(|order| order.wish.packs).sum();
        let pack = edition.edition.pack();
        (packs > 0).then(|| (edition.edition.title.clone(), packs_in_french(packs, pack)))
    });
    Ok(Round {
        load: load.collect(),
        n: orders.len(),
        day: french::full_day(it.now.with_timezone(&it.config.zone).date_naive()),
        stops: stops(it, &orders, &editions),
    })
}

/// An edition that can be ordered today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orderable {
    pub slug: String,
    pub title: String,
    /// `12 paquets (600 exemplaires)`
    pub left: String,
    pub is_left: bool,
}

/// Newest first, also those of which nothing is left: an order that was placed can still be changed.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn orderable(it: &Reading<'_>) -> Result<Vec<Orderable>, StoreError> {
    let today = it.now.with_timezone(&it.config.zone).date_naive();
    let editions = it.store.editions().await?.into_iter();
    let some = editions.filter(|it| it.edition.is_orderable(today));
    let view = |it: EditionStock| {
        let pack = it.edition.pack();
        Orderable {
            is_left: it.left() > 0,
            left: packs_in_french(it.left(), pack),
            slug: it.edition.slug,
            title: it.edition.title,
        }
    };
    Ok(some.map(view).collect())
}
