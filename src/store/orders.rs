//! Orders of editions, counted against the stock. The edition is locked first, so that of two who order the last pack
//! only one gets it. Each change by a person is one transaction and is idempotent.

use super::Ledger;
use super::{
    MOST_REVISIONS, Ordered, OrdersFilter, Result,
    backend::{Backend, Transaction, values},
    editions, rows,
};
use crate::domain::{
    Timestamp,
    edition::{EditionStock, Order, OrderState, Orderer, Wish},
};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// The result of [`Orders::reopen_orders`] for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reopened {
    Done,
    /// It was open.
    Before,
    /// The partner or the office cancelled it: its packs are in the stock again.
    Cancelled,
    /// The person was erased: there is nobody to deliver to.
    Erased,
    /// The contact ordered the edition again; only one order of an edition can be open. Its id.
    OtherIsOpen(String),
    NotKnown,
}

/// The result of [`Orders::cancel_order_by_id`]; anything but `Done` changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancelled {
    /// The order as it was.
    Done(Box<Order>),
    /// It has another revision than was shown.
    Stale,
    NotOpen(OrderState),
    NotKnown,
}

/// Orders of editions.
#[async_trait]
pub trait Orders: Send + Sync {
    /// The edition, the contact and its open order; `None` when there is no such edition. Changes nothing.
    async fn look_at_order(
        &self,
        edition: &str,
        contact: &str,
    ) -> Result<Option<(EditionStock, Option<Orderer>, Option<Order>)>>;

    /// Replaces the contact's open order of the edition. Counted against the stock in the same transaction: never oversold,
    /// and never more than [`EditionStock::max_packs`] in one order.
    async fn order(&self, edition: &str, contact: &str, wish: &Wish, now: Timestamp) -> Result<Ordered> {
        self.take_order(edition, contact, wish, None, now).await
    }

    /// [`Orders::order`], by telephone. `taken_by`: the member of staff who takes it.
    async fn take_order(
        &self,
        edition: &str,
        contact: &str,
        wish: &Wish,
        taken_by: Option<&str>,
        now: Timestamp,
    ) -> Result<Ordered>;

    async fn order_by_id(&self, id: &str) -> Result<Option<Order>>;

    /// Returns the ordered packs to the stock. `false` if there is no open order.
    async fn cancel_order(&self, edition: &str, contact: &str, now: Timestamp) -> Result<bool>;

    /// The same of the order with this id. `seen`: its revision as it was shown; `None`: whatever it is.
    async fn cancel_order_by_id(&self, id: &str, seen: Option<u32>, now: Timestamp) -> Result<Cancelled>;

    /// Whether anybody ordered the edition, in whatever state the order is.
    async fn is_ordered(&self, edition: &str) -> Result<bool>;

    /// Oldest first; of one edition, or of all.
    async fn orders(&self, edition: Option<&str>) -> Result<Vec<Order>>;

    /// Orders with a change that was not confirmed yet, oldest first.
    async fn unconfirmed_orders(&self) -> Result<Vec<Order>>;

    /// The confirmation of this revision is frozen.
    async fn order_confirmed(&self, order: &Order) -> Result<()>;

    /// Marks orders as delivered. Returns the previous state of each, in the given order; `None` for an unknown one, and
    /// then nothing is changed. Only open ones change.
    async fn close_orders(&self, ids: &[String], now: Timestamp) -> Result<Vec<Option<OrderState>>>;

    /// Marks delivered orders as open again. Returns the result of each, in the given order. All of them, or none: if one
    /// cannot be open, nothing is changed. The stock does not change, since delivered packs stay counted.
    async fn reopen_orders(&self, ids: &[String], now: Timestamp) -> Result<Vec<Reopened>>;
}

macro_rules! orders {
    ($where:literal) => {
        concat!(
            "SELECT id, edition, contact_id, address, name, establishment, commune, street, packs, handover, remark,
                state, revision, taken_by, ordered_at, changed_at
            FROM orders ",
            $where,
            " ORDER BY ordered_at, id"
        )
    };
}

#[async_trait]
impl<B: Backend> Orders for Ledger<B> {
    async fn look_at_order(
        &self,
        edition: &str,
        contact: &str,
    ) -> Result<Option<(EditionStock, Option<Orderer>, Option<Order>)>> {
        let mut tx = Transaction::read(&self.0, "reading an order").await?;
        let Some(stocked) = editions::of(&mut tx, edition).await? else { return Ok(None) };
        let orderer = orderer(&mut tx, contact).await?;
        let open = open(&mut tx, edition, contact).await?;
        Ok(Some((stocked, orderer, open)))
    }

    async fn take_order(
        &self,
        edition: &str,
        contact: &str,
        wish: &Wish,
        taken_by: Option<&str>,
        now: Timestamp,
    ) -> Result<Ordered> {
        let mut tx = Transaction::write(&self.0, "taking an order").await?;
        let (Some(stocked), Some(by)) = (editions::hold(&mut tx, edition).await?, orderer(&mut tx, contact).await?)
        else {
            return Ok(Ordered::NotKnown);
        };
        let before = open(&mut tx, edition, contact).await?;
        if before.as_ref().is_some_and(|before| before.wish == *wish) {
            return Ok(Ordered::Before);
        }
        if said_so_far(&mut tx, edition, contact).await? >= MOST_REVISIONS {
            return Ok(Ordered::TooOften);
        }
        let had = before.as_ref().map_or(0, |before| before.wish.packs);
        let most = stocked.max_packs(had);
        if wish.packs > most && stocked.left() + had > most {
            return Ok(Ordered::OverLimit { most });
        }
        if !take(&mut tx, edition, i64::from(wish.packs) - i64::from(had)).await? {
            return Ok(Ordered::TooMany { left: stocked.left() + had });
        }
        let person = |id: &str, revision: u32| {
            values![
                id,
                edition,
                contact,
                by.address.key(),
                by.address.to_string(),
                by.name.as_str(),
                by.establishment.as_str(),
                by.commune.as_str(),
                by.street.as_str(),
                wish.packs,
                wish.handover.as_str(),
                wish.remark.as_str(),
                revision,
                now,
                taken_by.unwrap_or_default(),
            ]
        };
        match &before {
            Some(before) => {
                let update =
                    "UPDATE orders SET recipient_key = $4, address = $5, name = $6, establishment = $7, commune = $8,
                        street = $9, packs = $10, handover = $11, remark = $12, revision = $13, changed_at = $14,
                        taken_by = $15
                    WHERE id = $1 AND edition = $2 AND contact_id = $3 AND state = 'open'";
                tx.execute(update, person(&before.id, before.revision + 1)).await?;
            }
            None => {
                let insert =
                    "INSERT INTO orders (id, edition, contact_id, recipient_key, address, name, establishment, commune,
                        street, packs, handover, remark, state, revision, ordered_at, changed_at, taken_by)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13, $14, $14, $15)";
                tx.execute(insert, person(&new_id(), 1)).await?;
            }
        }
        tx.commit().await?;
        Ok(if before.is_some() { Ordered::Changed } else { Ordered::New })
    }

    async fn cancel_order(&self, edition: &str, contact: &str, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "cancelling an order").await?;
        editions::hold(&mut tx, edition).await?;
        let Some(order) = open(&mut tx, edition, contact).await? else { return Ok(false) };
        cancel(&mut tx, &order, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn cancel_order_by_id(&self, id: &str, seen: Option<u32>, now: Timestamp) -> Result<Cancelled> {
        let mut tx = Transaction::write(&self.0, "cancelling an order").await?;
        let Some(order) = by_id(&mut tx, id).await? else { return Ok(Cancelled::NotKnown) };
        editions::hold(&mut tx, &order.edition).await?;
        // Read again under the lock: the partner may have changed it meanwhile.
        let Some(order) = by_id(&mut tx, id).await? else { return Ok(Cancelled::NotKnown) };
        if order.state != OrderState::Open {
            return Ok(Cancelled::NotOpen(order.state));
        }
        if seen.is_some_and(|seen| seen != order.revision) {
            return Ok(Cancelled::Stale);
        }
        cancel(&mut tx, &order, now).await?;
        tx.commit().await?;
        Ok(Cancelled::Done(Box::new(order)))
    }

    async fn is_ordered(&self, edition: &str) -> Result<bool> {
        let mut tx = Transaction::read(&self.0, "looking for orders").await?;
        Ok(tx.row("SELECT id FROM orders WHERE edition = $1 LIMIT 1", values![edition]).await?.is_some())
    }

    async fn orders(&self, edition: Option<&str>) -> Result<Vec<Order>> {
        let mut tx = Transaction::read(&self.0, "reading the orders").await?;
        tx.rows(orders!("WHERE $1 IS NULL OR edition = $1"), values![edition]).await?.iter().map(rows::order).collect()
    }

    async fn order_by_id(&self, id: &str) -> Result<Option<Order>> {
        by_id(&mut Transaction::read(&self.0, "reading an order").await?, id).await
    }

    async fn unconfirmed_orders(&self) -> Result<Vec<Order>> {
        let mut tx = Transaction::read(&self.0, "looking for orders to confirm").await?;
        tx.rows(orders!("WHERE confirmed < revision"), values![]).await?.iter().map(rows::order).collect()
    }

    async fn order_confirmed(&self, order: &Order) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "recording a confirmation").await?;
        let update = "UPDATE orders SET confirmed = $2 WHERE id = $1 AND confirmed < $2";
        tx.execute(update, values![order.id.as_str(), order.revision]).await?;
        tx.commit().await
    }

    async fn close_orders(&self, ids: &[String], now: Timestamp) -> Result<Vec<Option<OrderState>>> {
        let mut tx = Transaction::write(&self.0, "closing orders").await?;
        let mut before = Vec::with_capacity(ids.len());
        for id in ids {
            let update = "UPDATE orders SET state = 'delivered', changed_at = $2 WHERE id = $1 AND state = 'open'";
            if tx.execute(update, values![id.as_str(), now]).await? == 1 {
                before.push(Some(OrderState::Open));
                continue;
            }
            before.push(by_id(&mut tx, id).await?.map(|order| order.state));
        }
        // All of them, or none. Where nothing was open there is nothing to write, nor to record.
        if before.iter().all(Option::is_some) && before.contains(&Some(OrderState::Open)) {
            tx.commit().await?;
        }
        Ok(before)
    }

    async fn reopen_orders(&self, ids: &[String], now: Timestamp) -> Result<Vec<Reopened>> {
        let mut tx = Transaction::write(&self.0, "reopening orders").await?;
        let mut orders = Vec::with_capacity(ids.len());
        for id in ids {
            orders.push(by_id(&mut tx, id).await?);
        }
        // In one order, so that two commands never wait for each other.
        let slugs: BTreeSet<_> = orders.iter().flatten().map(|order| order.edition.clone()).collect();
        for slug in &slugs {
            editions::hold(&mut tx, slug).await?;
        }
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            // Read again under the lock: the partner may have ordered meanwhile.
            let Some(order) = by_id(&mut tx, id).await? else {
                results.push(Reopened::NotKnown);
                continue;
            };
            results.push(match order.state {
                OrderState::Open => Reopened::Before,
                OrderState::Cancelled => Reopened::Cancelled,
                OrderState::Delivered if order.is_erased() => Reopened::Erased,
                OrderState::Delivered => match open(&mut tx, &order.edition, &order.by.contact_id).await? {
                    Some(other) => Reopened::OtherIsOpen(other.id),
                    None => {
                        let update =
                            "UPDATE orders SET state = 'open', changed_at = $2 WHERE id = $1 AND state = 'delivered'";
                        tx.execute(update, values![id.as_str(), now]).await?;
                        Reopened::Done
                    }
                },
            });
        }
        if results.iter().all(|it| matches!(it, Reopened::Done | Reopened::Before)) {
            tx.commit().await?;
        }
        Ok(results)
    }
}

/// Letters and digits that cannot be confused with each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Oldest first.
pub(super) async fn page<B: Backend>(db: &B, filter: &OrdersFilter) -> Result<Vec<Order>> {
    let mut tx = Transaction::read(db, "reading a page of orders").await?;
    let select = concat!(
        orders!("WHERE ($1 IS NULL OR edition = $1) AND state = $2 AND (ordered_at, id) > ($3, $4)"),
        " LIMIT $5"
    );
    let (after, id) = filter.after.as_ref().map_or((i64::MIN, ""), |(at, id)| (at.timestamp_millis(), id.as_str()));
    let values = values![filter.edition.as_deref(), filter.state.as_str(), after, id, filter.limit];
    tx.rows(select, values).await?.iter().map(rows::order).collect()
}

/// An open order; the edition is held.
async fn cancel<B: Backend>(tx: &mut Transaction<B>, order: &Order, now: Timestamp) -> Result<()> {
    take(tx, &order.edition, -i64::from(order.wish.packs)).await?;
    let update = "UPDATE orders SET state = 'cancelled', revision = revision + 1, changed_at = $2
        WHERE id = $1 AND state = 'open'";
    tx.execute(update, values![order.id.as_str(), now]).await?;
    Ok(())
}

/// `false`: not enough packs are left. Guarded at the time of writing, whatever was read before.
async fn take<B: Backend>(tx: &mut Transaction<B>, edition: &str, packs: i64) -> Result<bool> {
    let update = "UPDATE editions SET ordered = ordered + $2
        WHERE slug = $1 AND ordered + $2 <= packs AND ordered + $2 >= 0";
    Ok(tx.execute(update, values![edition, packs]).await? == 1)
}

async fn said_so_far<B: Backend>(tx: &mut Transaction<B>, edition: &str, contact: &str) -> Result<u32> {
    let select =
        "SELECT CAST(COALESCE(SUM(revision), 0) AS BIGINT) AS n FROM orders WHERE edition = $1 AND contact_id = $2";
    let row = tx.row(select, values![edition, contact]).await?;
    row.map_or(Ok(0), |row| rows::Reader::new(&row, "orders", "n").number("n"))
}

fn new_id() -> String {
    let chance = rand::random::<u64>();
    (0..8).map(|n| char::from(LETTERS[usize::try_from((chance >> (5 * n)) & 31).unwrap_or_default()])).collect()
}

async fn orderer<B: Backend>(tx: &mut Transaction<B>, contact: &str) -> Result<Option<Orderer>> {
    let select = "SELECT c.id AS contact_id, c.address, c.name, p.name AS establishment, p.commune, p.street
        FROM contacts c JOIN partners p ON p.id = c.partner WHERE c.id = $1";
    tx.row(select, values![contact]).await?.map(|row| rows::orderer(&row)).transpose()
}

async fn open<B: Backend>(tx: &mut Transaction<B>, edition: &str, contact: &str) -> Result<Option<Order>> {
    let select = orders!("WHERE edition = $1 AND contact_id = $2 AND state = 'open'");
    tx.row(select, values![edition, contact]).await?.map(|row| rows::order(&row)).transpose()
}

async fn by_id<B: Backend>(tx: &mut Transaction<B>, id: &str) -> Result<Option<Order>> {
    tx.row(orders!("WHERE id = $1"), values![id]).await?.map(|row| rows::order(&row)).transpose()
}

pub(super) async fn of_person<B: Backend>(tx: &mut Transaction<B>, key: &str) -> Result<Vec<Order>> {
    tx.rows(orders!("WHERE recipient_key = $1"), values![key]).await?.iter().map(rows::order).collect()
}

/// Delivered copies stay in the totals without the person; open orders return to the stock. Confirmations contain what the
/// person wrote: their texts are removed too.
pub(super) async fn erase<B: Backend>(tx: &mut Transaction<B>, key: &str, now: Timestamp) -> Result<()> {
    for order in of_person(tx, key).await? {
        if order.state == OrderState::Open {
            editions::hold(tx, &order.edition).await?;
            take(tx, &order.edition, -i64::from(order.wish.packs)).await?;
        }
        let update = "UPDATE orders SET state = CASE WHEN state = 'open' THEN 'cancelled' ELSE state END,
                contact_id = 'erased:' || id, recipient_key = 'erased:' || id, address = 'erased@erased.invalid', name = '',
                establishment = '', commune = '', street = '', remark = '', confirmed = revision, changed_at = $2
            WHERE id = $1";
        tx.execute(update, values![order.id.as_str(), now]).await?;
        let words = "UPDATE issue_content SET html = '', text = '', data = '' WHERE issue LIKE 'orders/' || $1 || '-%'";
        tx.execute(words, values![order.id.as_str()]).await?;
    }
    Ok(())
}
