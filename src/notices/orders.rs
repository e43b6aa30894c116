//! Tells staff of orders: together, so that an announcement does not fill their mailbox. The first is told at once, those
//! that follow within an hour in one mail.

use crate::app::Engine;
use crate::compose::orders::OrdersMail;
use crate::domain::{
    Timestamp,
    edition::{ORDERS, Order},
    notice::{Notice, ORDERS_EVERY},
};
use crate::store::{PendingNotice, StoreError};

/// Whether the last mail of this kind is recent, so that another one waits.
pub(super) async fn are_collected(engine: &Engine, now: Timestamp) -> Result<bool, StoreError> {
    let last = engine.store.last_notice_sent(&Notice::Ordered.kind()).await?;
    // A clock that was set back does not keep them for longer.
    Ok(last.is_some_and(|last| (last..last + ORDERS_EVERY).contains(&now)))
}

/// What to say about the orders of these notices; `None` if all of them are gone, for example of persons who were erased.
pub(super) async fn mail(engine: &Engine, pending: &[PendingNotice]) -> Result<Option<OrdersMail>, StoreError> {
    let (orders, editions) = (engine.store.orders(None).await?, engine.store.editions().await?);
    let told = orders.into_iter().filter(|order| !order.is_erased());
    let told: Vec<_> = told.filter_map(|order| first_revision(pending, &order).map(|first| (order, first))).collect();
    Ok(OrdersMail::new(&told, &editions))
}

/// The first change of the order that these notices are about; `None` if they are not about it.
fn first_revision(pending: &[PendingNotice], order: &Order) -> Option<u32> {
    let of_order = |it: &PendingNotice| {
        let (id, revision) = it.issue.period().rsplit_once('-').filter(|_| it.issue.mailing() == ORDERS)?;
        revision.parse().ok().filter(|_| id == order.id)
    };
    pending.iter().filter_map(of_order).min()
}
