//! The log of deliveries, page by page.
//!
//! An issue is one range of ids and a few ranges of the index by state, plus its few claims. So a page is read issue by
//! issue, in the order of freezing, and only issues with matching rows are read. Whatever the filter, the database never
//! scans rows that it does not return, except claims.

use super::Ledger;
use super::{
    LogFilter, LogMark, LoggedDelivery, Result,
    backend::{Backend, Transaction, Value, values},
    rows::{self, Reader},
    sql::{open_states, state, unclaimed},
};
use crate::domain::{
    Timestamp,
    classify::{Class, classify},
    delivery::{DeliveryId, Phase, Reply, State},
    issue::IssueKey,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// The log of deliveries and attempts.
#[async_trait]
pub trait DeliveryLog: Send + Sync {
    /// By issue, in the order of freezing. Within an issue by address, which is the order of freezing; with a filter by
    /// state or instant, by the time of the last change. With `newest_first` all of it backwards, by the time of the last
    /// change. The cost of a page depends on its rows, not on the size of the ledger.
    async fn log(&self, filter: &LogFilter) -> Result<Vec<LoggedDelivery>>;

    /// One delivery with its attempts; `None` if there is none with this id.
    async fn delivery(&self, id: &DeliveryId) -> Result<Option<LoggedDelivery>>;
}

macro_rules! deliveries {
    ($from:literal) => {
        deliveries!("", $from)
    };
    ($more:literal, $from:literal) => {
        concat!(
            "SELECT d.id, d.issue, d.contact_id, d.address, d.name, d.establishment, ",
            state!(),
            " AS state, CASE WHEN c.delivery IS NULL THEN d.next_at END AS next_at,
            coalesce(c.since, d.changed_at) AS changed_at, d.resends, coalesce(c.attempt, d.attempt) AS attempt, c.marked_at",
            $more,
            " FROM ",
            $from
        )
    };
}

#[async_trait]
impl<B: Backend> DeliveryLog for Ledger<B> {
    async fn log(&self, filter: &LogFilter) -> Result<Vec<LoggedDelivery>> {
        let mut tx = Transaction::read(&self.0, "reading the log").await?;
        let limit = filter.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut page = match &filter.address_key {
            Some(address_key) => of_person(&mut tx, filter, address_key).await?,
            None => of_all(&mut tx, filter, limit).await?,
        };
        page.truncate(limit);
        for chunk in page.chunks_mut(CHUNK) {
            add_attempts(&mut tx, chunk).await?;
        }
        Ok(page)
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<LoggedDelivery>> {
        let mut tx = Transaction::read(&self.0, "reading a delivery").await?;
        let select = deliveries!("deliveries d LEFT JOIN claims c ON c.delivery = d.id WHERE d.id = $1");
        let Some(row) = tx.row(select, values![id]).await? else { return Ok(None) };
        let issue = Reader::new(&row, "deliveries", "id").issue_key("issue")?;
        let domain = tx.row("SELECT key, message_domain FROM issues WHERE key = $1", values![&issue]).await?;
        let domain =
            domain.map(|row| Reader::new(&row, "issues", "key").optional_text("message_domain")).transpose()?;
        let mut found = [rows::logged_delivery(&row, &domain.flatten().unwrap_or_default())?];
        add_attempts(&mut tx, &mut found).await?;
        let [found] = found;
        Ok(Some(found))
    }
}

/// Deliveries whose attempts are read in one statement.
const CHUNK: usize = 1_000;

/// A statement and its bound values. The text is constant; user input is always bound.
type Statement = (String, Vec<Value>);

/// An issue that may have matching rows.
struct Source {
    key: IssueKey,
    frozen_at: Timestamp,
    /// Domain of its Message-IDs.
    domain: String,
}

/// The query plans of a page: of the statement that finds the issues, then of what reads the first one, in pieces and as a whole.
pub(super) async fn plans<B: Backend>(db: &B, filter: &LogFilter) -> Result<Vec<String>> {
    let mut tx = Transaction::read(db, "explaining the log").await?;
    let mut statements = vec![sources(filter, None, FIRST)];
    match &filter.address_key {
        Some(address_key) => statements.push(person(address_key, filter.issue.as_ref())),
        None => {
            let first = some_sources(&mut tx, filter, None, FIRST).await?.into_iter().next();
            let limit = filter.limit.map_or(i64::MAX, i64::from);
            if let Some(source) = first {
                let Pieces { each, values } = pieces(filter, &source, limit);
                statements.extend(each.iter().map(|select| (select.clone(), values.clone())));
                statements.push(Pieces { each, values }.together());
            }
        }
    }
    let mut plans = Vec::new();
    for (select, values) in statements {
        let mut plan = String::new();
        for row in tx.rows(AssertSqlSafe(format!("{}{select}", B::EXPLAIN)), values).await? {
            plan += &row.get::<String>(B::EXPLAINED).unwrap_or_default();
            plan.push('\n');
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn source(row: &super::backend::Row) -> Result<Source> {
    let row = Reader::new(row, "issues", "key");
    let domain = row.optional_text("message_domain")?.unwrap_or_default();
    Ok(Source { key: row.issue_key("key")?, frozen_at: row.instant("frozen_at")?, domain })
}

/// Whether the order within an issue is by the time of change: with a filter by state or time, the reader wants to follow
/// changes. Otherwise it is by address, as frozen.
fn by_change(filter: &LogFilter) -> bool {
    filter.state.is_some() || filter.since.is_some() || filter.newest_first
}

/// Where matching deliveries are stored.
#[derive(Clone, Copy)]
enum Place {
    /// In this state as it is stored, and not claimed.
    State(&'static str),
    /// Among the claims, with a further condition.
    Claims(&'static str),
}

fn places(filter: &LogFilter) -> Vec<Place> {
    match filter.state {
        None => {
            let stored = State::ALL.into_iter().filter(|it| !matches!(it, State::Claimed | State::InData));
            stored.map(|it| Place::State(it.as_str())).chain([Place::Claims("")]).collect()
        }
        Some(State::Claimed) => vec![Place::Claims(" AND c.marked_at IS NULL")],
        Some(State::InData) => vec![Place::Claims(" AND c.marked_at IS NOT NULL")],
        Some(state) => vec![Place::State(state.as_str())],
    }
}

/// The start of the requested changes.
fn since(filter: &LogFilter) -> i64 {
    filter.since.map_or(i64::MIN, |since| since.timestamp_millis())
}

/// How many issues the first statement finds, and the most that a later one finds: each finds four times as many as the one before.
const FIRST: u32 = 16;
const MOST: u32 = 1_024;

/// The frozen issues in the order of freezing, at most `limit`, starting at the mark or behind `last`; ordered by change, only
/// those in which something in these states changed since: one lookup at the end of an index range per state.
fn sources(filter: &LogFilter, last: Option<&Source>, limit: u32) -> Statement {
    let mut select =
        "SELECT i.key, i.frozen_at, i.message_domain FROM issues i WHERE i.frozen_at IS NOT NULL".to_owned();
    let mut values = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    if let Some(issue) = &filter.issue {
        select += &format!(" AND i.key = {}", bind(issue.into()));
    }
    if let Some(last) = last {
        let (at, key) = (bind(last.frozen_at.into()), bind((&last.key).into()));
        let beyond = if filter.newest_first { "<" } else { ">" };
        select += &format!(" AND (i.frozen_at, i.key) {beyond} ({at}, {key})");
    } else if let Some(mark) = &filter.after {
        let (key, from) = (bind((&mark.issue).into()), if filter.newest_first { "<=" } else { ">=" });
        select += &format!(
            " AND (i.frozen_at, i.key) {from} ((SELECT f.frozen_at FROM issues f WHERE f.key = {key}), {key})"
        );
    }
    if by_change(filter) {
        let closed = bind(since(filter).saturating_sub(SKEW.num_milliseconds()).into());
        let since = bind(since(filter).into());
        let latest: Vec<_> = places(filter)
            .into_iter()
            .map(|place| match place {
                Place::State(state) => {
                    let latest = format!(
                        "(SELECT max(d.changed_at) FROM deliveries d
                            WHERE d.issue = i.key AND d.state = '{state}') >= {since}"
                    );
                    rare(state).map_or_else(|| latest.clone(), |of| format!("(i.key IN ({of}) AND {latest})"))
                }
                Place::Claims(more) => {
                    format!("i.key IN (SELECT c.issue FROM claims c WHERE c.since >= {since}{more})")
                }
            })
            .collect();
        // An issue that was done before is passed over without a look at its deliveries, unless one of them changed late.
        select += &format!(
            " AND (i.state <> 'done' OR i.closed_at IS NULL OR i.closed_at >= {closed} OR i.late_at >= {since})
            AND ({})",
            latest.join(" OR ")
        );
    }
    let direction = if filter.newest_first { "DESC" } else { "ASC" };
    select += &format!(" ORDER BY i.frozen_at {direction}, i.key {direction} LIMIT {}", bind(limit.into()));
    (select, values)
}

/// By how much the clock of the daemon that closed an issue may be behind the clock of one that sent it.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// The issues with deliveries in this state, if they are few: from one issue to the next in an index that holds no others.
fn rare(state: &str) -> Option<String> {
    // Word for word the conditions of the indexes, so that both databases see that they may be used.
    let index = match state {
        "sent" => return None,
        // `close_finished_issues` handles what is queued in an issue that is over.
        "queued" => return Some(concat!("SELECT o.key FROM issues o WHERE o.state IN ", open_states!()).to_owned()),
        _ => format!("d.state = '{state}' AND d.state NOT IN ('queued', 'sent')"),
    };
    Some(format!(
        "WITH RECURSIVE those (issue) AS (
            SELECT min(d.issue) FROM deliveries d WHERE {index}
            UNION ALL
            SELECT (SELECT min(d.issue) FROM deliveries d WHERE {index} AND d.issue > those.issue) FROM those
                WHERE those.issue IS NOT NULL
        ) SELECT those.issue FROM those WHERE those.issue IS NOT NULL"
    ))
}

async fn some_sources<B: Backend>(
    tx: &mut Transaction<B>,
    filter: &LogFilter,
    last: Option<&Source>,
    limit: u32,
) -> Result<Vec<Source>> {
    let (select, values) = sources(filter, last, limit);
    tx.rows(AssertSqlSafe(select), values).await?.iter().map(source).collect()
}

async fn of_all<B: Backend>(tx: &mut Transaction<B>, filter: &LogFilter, limit: usize) -> Result<Vec<LoggedDelivery>> {
    let (mut page, mut chunk) = (Vec::new(), FIRST);
    let mut sources = some_sources(tx, filter, None, chunk).await?;
    loop {
        for source in &sources {
            page.extend(of_issue(tx, filter, source, limit.saturating_sub(page.len())).await?);
            if page.len() >= limit {
                return Ok(page);
            }
        }
        let Some(last) = sources.last().filter(|_| sources.len() >= chunk as usize) else { return Ok(page) };
        chunk = (chunk * 4).min(MOST);
        sources = some_sources(tx, filter, Some(last), chunk).await?;
    }
}

/// What together makes the page of one issue: statements with the same bound values.
struct Pieces {
    each: Vec<String>,
    values: Vec<Value>,
}

impl Pieces {
    /// All of them at once; of several, in no order.
    fn together(self) -> Statement {
        if let [select] = &self.each[..] {
            return (select.clone(), self.values);
        }
        let select: Vec<_> = self.each.iter().map(|select| format!("SELECT * FROM ({select}) AS piece")).collect();
        (select.join(" UNION ALL "), self.values)
    }
}

/// What is read of one issue, behind the mark.
fn pieces(filter: &LogFilter, source: &Source, limit: i64) -> Pieces {
    let mark = filter.after.as_ref().filter(|mark| mark.issue == source.key);
    if filter.bounced {
        return bounced_pieces(source, mark, limit);
    }
    if filter.newest_first {
        return newest_pieces(filter, source, mark, limit);
    }
    if by_change(filter) {
        let (changed_at, id) = match mark {
            Some(mark) if mark.changed_at.timestamp_millis() >= since(filter) => {
                (mark.changed_at.timestamp_millis(), mark.id.0.as_str())
            }
            _ => (since(filter), ""),
        };
        let piece = |place| match place {
            Place::State(state) => {
                let select = deliveries!("deliveries d LEFT JOIN claims c ON false");
                let unclaimed = unclaimed!();
                format!(
                    "{select} WHERE d.issue = $1 AND d.state = '{state}' AND (d.changed_at, d.id) > ($2, $3) AND {unclaimed}
                    ORDER BY d.changed_at, d.id LIMIT $4"
                )
            }
            Place::Claims(more) => {
                let select = deliveries!(
                    "claims c CROSS JOIN deliveries d
                    WHERE d.id = c.delivery AND c.issue = $1 AND (c.since, c.delivery) > ($2, $3)"
                );
                format!("{select}{more} ORDER BY c.since, c.delivery LIMIT $4")
            }
        };
        let each = places(filter).into_iter().map(piece).collect();
        return Pieces { each, values: values![&source.key, changed_at, id, limit] };
    }
    // Access by id: the index by state has the issue too, but not in this order. The issue is still compared, since two
    // may have been frozen in the same millisecond.
    let select = deliveries!(
        "deliveries d LEFT JOIN claims c ON c.delivery = d.id
            WHERE d.id > $1 AND d.id < $2 AND (d.issue || '') = $3 ORDER BY d.id LIMIT $4"
    );
    let frozen_at = source.frozen_at.timestamp_millis();
    let from = mark.map_or_else(|| format!("{frozen_at:012x}"), |mark| mark.id.0.clone());
    let values = values![from, format!("{:012x}", frozen_at + 1), &source.key, limit];
    Pieces { each: vec![select.to_owned()], values }
}

/// Those that bounced: from the bounces of the issue, which are few, whose deliveries' ids are one range.
fn bounced_pieces(source: &Source, mark: Option<&LogMark>, limit: i64) -> Pieces {
    let (changed_at, id) =
        mark.map_or((i64::MAX, "~"), |mark| (mark.changed_at.timestamp_millis(), mark.id.0.as_str()));
    let select = deliveries!(
        "deliveries d LEFT JOIN claims c ON c.delivery = d.id
            WHERE d.id IN (SELECT f.delivery FROM feedback f
                WHERE f.delivery > $1 AND f.delivery < $2 AND f.kind = 'bounce')
            AND (d.issue || '') = $3 AND (d.changed_at, d.id) < ($4, $5)
            ORDER BY d.changed_at DESC, d.id DESC LIMIT $6"
    );
    let frozen_at = source.frozen_at.timestamp_millis();
    let range = (format!("{frozen_at:012x}"), format!("{:012x}", frozen_at + 1));
    Pieces { each: vec![select.to_owned()], values: values![range.0, range.1, &source.key, changed_at, id, limit] }
}

/// The same, the latest change first: from the mark down to the start of the requested changes.
fn newest_pieces(filter: &LogFilter, source: &Source, mark: Option<&LogMark>, limit: i64) -> Pieces {
    // Behind every id, which are hexadecimal.
    let (changed_at, id) =
        mark.map_or((i64::MAX, "~"), |mark| (mark.changed_at.timestamp_millis(), mark.id.0.as_str()));
    let piece = |place| match place {
        Place::State(state) => {
            let select = deliveries!("deliveries d LEFT JOIN claims c ON false");
            let unclaimed = unclaimed!();
            format!(
                "{select} WHERE d.issue = $1 AND d.state = '{state}' AND (d.changed_at, d.id) < ($2, $3)
                    AND d.changed_at >= $4 AND {unclaimed} ORDER BY d.changed_at DESC, d.id DESC LIMIT $5"
            )
        }
        Place::Claims(more) => {
            let select = deliveries!(
                "claims c CROSS JOIN deliveries d
                WHERE d.id = c.delivery AND c.issue = $1 AND (c.since, c.delivery) < ($2, $3) AND c.since >= $4"
            );
            format!("{select}{more} ORDER BY c.since DESC, c.delivery DESC LIMIT $5")
        }
    };
    let each = places(filter).into_iter().map(piece).collect();
    Pieces { each, values: values![&source.key, changed_at, id, since(filter), limit] }
}

async fn of_issue<B: Backend>(
    tx: &mut Transaction<B>,
    filter: &LogFilter,
    source: &Source,
    limit: usize,
) -> Result<Vec<LoggedDelivery>> {
    let mut found = Vec::new();
    let (select, values) = pieces(filter, source, i64::try_from(limit).unwrap_or(i64::MAX)).together();
    for row in tx.rows(AssertSqlSafe(select), values).await? {
        found.push(rows::logged_delivery(&row, &source.domain)?);
    }
    if by_change(filter) {
        found.sort_by(|a, b| (a.changed_at, &a.id.0).cmp(&(b.changed_at, &b.id.0)));
        if filter.newest_first {
            found.reverse();
        }
        found.truncate(limit);
    }
    Ok(found)
}

/// One index lookup per issue, except for confirmations of orders, which have an index of their own.
fn person(address_key: &str, issue: Option<&IssueKey>) -> Statement {
    let mut values = values![address_key];
    let mut and_issue = String::new();
    if let Some(issue) = issue {
        values.push(issue.into());
        and_issue = " AND i.key = $2".to_owned();
    }
    let (all, orders) = (
        deliveries!(
            ", i.frozen_at, i.message_domain",
            "issues i CROSS JOIN deliveries d LEFT JOIN claims c ON c.delivery = d.id
            WHERE d.issue = i.key AND d.recipient_key = $1 AND i.frozen_at IS NOT NULL AND i.mailing <> 'orders'"
        ),
        deliveries!(
            ", i.frozen_at, i.message_domain",
            "deliveries d JOIN issues i ON i.key = d.issue LEFT JOIN claims c ON c.delivery = d.id
            WHERE d.recipient_key = $1 AND d.issue >= 'orders/' AND d.issue < 'orders0' AND i.frozen_at IS NOT NULL"
        ),
    );
    (format!("{all}{and_issue} UNION ALL {orders}{and_issue}"), values)
}

/// At most one delivery per issue: all are read, and filtered here.
async fn of_person<B: Backend>(
    tx: &mut Transaction<B>,
    filter: &LogFilter,
    address_key: &str,
) -> Result<Vec<LoggedDelivery>> {
    let (select, values) = person(address_key, filter.issue.as_ref());
    let mut found = Vec::new();
    for row in tx.rows(AssertSqlSafe(select), values).await? {
        let issue = Reader::new(&row, "issues", "issue");
        let (frozen_at, domain) = (issue.instant("frozen_at")?, issue.optional_text("message_domain")?);
        let delivery = rows::logged_delivery(&row, &domain.unwrap_or_default())?;
        let asked_for = filter.state.is_none_or(|state| delivery.state == state)
            && filter.since.is_none_or(|since| delivery.changed_at >= since);
        if asked_for {
            found.push((frozen_at, delivery));
        }
    }
    found.sort_by(|(a, one), (b, other)| (a, &one.issue).cmp(&(b, &other.issue)));
    if filter.newest_first {
        found.reverse();
    }
    let first = match &filter.after {
        Some(mark) => found.iter().position(|(_, it)| it.issue == mark.issue).map_or(0, |place| place + 1),
        None => 0,
    };
    Ok(found.into_iter().skip(first).map(|(_, delivery)| delivery).collect())
}

async fn add_attempts<B: Backend>(tx: &mut Transaction<B>, deliveries: &mut [LoggedDelivery]) -> Result<()> {
    let batch: Vec<_> = deliveries.iter().map(|delivery| json!({ "id": delivery.id })).collect();
    let mut attempts: HashMap<String, Vec<_>> = HashMap::new();
    for row in tx.rows(B::SQL.attempts_of, values![json!(batch)]).await? {
        let (delivery, attempt) = rows::attempt(&row)?;
        attempts.entry(delivery).or_default().push(attempt);
    }
    let mut feedback: HashMap<String, Vec<_>> = HashMap::new();
    for row in tx.rows(B::SQL.feedback_of, values![json!(batch)]).await? {
        let (delivery, it) = rows::feedback(&row)?;
        feedback.entry(delivery).or_default().push(it);
    }
    for delivery in deliveries {
        delivery.feedback = feedback.remove(&delivery.id.0).unwrap_or_default();
        // The attempt in flight has no row yet; it is shown after those that have.
        let before = attempts.remove(&delivery.id.0).unwrap_or_default();
        delivery.attempts.splice(0..0, before);
    }
    Ok(())
}

impl LoggedDelivery {
    /// Whether the mailbox did not take it this time, full or not to be reached: refused at once, or bounced later.
    pub fn was_softly_refused(&self) -> bool {
        match self.state {
            State::Failed => {
                self.last_refusal().is_some_and(|(phase, reply)| classify(phase, &reply).class == Class::Soft)
            }
            State::Sent | State::Unknown => self.feedback.iter().any(|it| it.class == Some(Class::Soft)),
            _ => false,
        }
    }

    /// The relay's last refusal.
    pub fn last_refusal(&self) -> Option<(Phase, Reply)> {
        let last = self.attempts.last().filter(|last| last.outcome == "refused")?;
        let text = last.text.clone().unwrap_or_default();
        Some((last.phase, Reply { code: last.code, enhanced: last.enhanced.clone(), text }))
    }

    /// The mark of a page that ends with this row.
    pub fn mark(&self) -> LogMark {
        LogMark { issue: self.issue.clone(), changed_at: self.changed_at, id: self.id.clone() }
    }
}

impl std::fmt::Display for LogMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.id, self.changed_at.timestamp_millis(), self.issue)
    }
}

impl std::str::FromStr for LogMark {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or("expected ID.MILLISECONDS.ISSUE");
        let id = DeliveryId(part()?.to_owned());
        let millis = part()?.parse().ok();
        let changed_at = millis.and_then(Timestamp::from_timestamp_millis).ok_or("expected milliseconds")?;
        let issue = IssueKey::parse(part()?).map_err(|_| "expected the key of an issue")?;
        Ok(Self { issue, changed_at, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_survives_serialisation() {
        let mark = LogMark {
            issue: IssueKey::new("agenda", "2026-W28"),
            changed_at: Timestamp::from_timestamp_millis(1_783_144_800_123).unwrap(),
            id: DeliveryId("019f".to_owned()),
        };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for text in ["", "019f", "019f.x.agenda/2026-W28", "019f.1.rien"] {
            assert!(text.parse::<LogMark>().is_err(), "{text}");
        }
    }
}
