//! What became of every delivery, page by page.

use super::{
    LogFilter, LoggedDelivery, Result,
    backend::{Backend, Transaction, Value, values},
    rows,
};
use crate::domain::delivery::State;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// Deliveries whose attempts are read in one statement.
const CHUNK: usize = 1_000;

pub(super) async fn page<B: Backend>(db: &B, filter: &LogFilter) -> Result<Vec<LoggedDelivery>> {
    let mut tx = Transaction::read(db, "reading the log").await?;
    let (conditions, mut values) = conditions(filter);
    values.push(Value::from(filter.limit.map_or(i64::MAX, i64::from)));
    // Ids begin with the instant of freezing, so this is oldest first, and an id is the mark of a page.
    let select = format!(
        "SELECT id, issue, address, name, establishment, state, message_id, next_at, changed_at, resends
        FROM deliveries WHERE {conditions} ORDER BY id LIMIT ${}",
        values.len()
    );
    let rows = tx.rows(AssertSqlSafe(select), values).await?;
    let mut page = rows.iter().map(rows::logged_delivery).collect::<Result<Vec<_>>>()?;
    for chunk in page.chunks_mut(CHUNK) {
        let batch: Vec<_> = chunk.iter().map(|delivery| json!({ "id": delivery.id })).collect();
        let mut attempts: HashMap<String, Vec<_>> = HashMap::new();
        for row in tx.rows(B::SQL.attempts_of, values![json!(batch)]).await? {
            let (delivery, attempt) = rows::attempt(&row)?;
            attempts.entry(delivery).or_default().push(attempt);
        }
        for delivery in chunk {
            delivery.attempts = attempts.remove(&delivery.id.0).unwrap_or_default();
        }
    }
    Ok(page)
}

/// Only the conditions that are asked for, so that each database sees which index serves. The text is ours alone:
/// what a person gave is bound.
fn conditions(filter: &LogFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["true".to_owned()];
    let mut values = Vec::new();
    let mut bind = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(format!("{condition} ${}", values.len()));
    };
    if let Some(issue) = &filter.issue {
        bind("issue =", issue.into());
    }
    if let Some(key) = &filter.address_key {
        bind("recipient_key =", key.as_str().into());
    }
    if let Some(state) = filter.state {
        bind("state =", state.as_str().into());
    }
    if let Some(since) = filter.since {
        bind("changed_at >=", since.into());
    }
    if let Some(after) = &filter.after {
        bind("id >", after.into());
    }
    if filter.state.is_some_and(|state| !matches!(state, State::Queued | State::Sent)) {
        // What the index of the rare states says of itself.
        conditions.push("state NOT IN ('queued', 'sent')".to_owned());
    }
    (conditions.join(" AND "), values)
}
