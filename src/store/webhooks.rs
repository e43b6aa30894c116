//! Receivers of events, what is owed to them, and their last answers.
//!
//! Triggers of the database queue an event in the transaction of what happened. Of one receiver and one subject only the oldest
//! event that is not delivered is handed out, and reserved while it is tried: they arrive in order, also from two daemons.

use super::Ledger;
use super::{
    Result, StoreError,
    audit::{self, AuditEntry},
    backend::{Backend, Row, Transaction, Value, values},
    rows::Reader,
};
use crate::domain::{Timestamp, webhook::Events};
use async_trait::async_trait;

/// Why a receiver is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledWhy {
    /// It took an event for three days at no attempt.
    Failing,
    /// It answered 410.
    Gone,
    Person,
}

impl DisabledWhy {
    pub const ALL: [DisabledWhy; 3] = [DisabledWhy::Failing, DisabledWhy::Gone, DisabledWhy::Person];

    pub fn as_str(self) -> &'static str {
        match self {
            DisabledWhy::Failing => "failing",
            DisabledWhy::Gone => "gone",
            DisabledWhy::Person => "person",
        }
    }
}

/// A receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A UUID.
    pub id: String,
    pub url: String,
    pub events: Events,
    /// `whsec_…`
    pub secret: String,
    /// Secrets before it, which are still signed with until `former_until`.
    pub former: Vec<String>,
    pub former_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub created_by: String,
    /// Of the first failure in a row.
    pub failing_since: Option<Timestamp>,
    pub disabled: Option<(Timestamp, DisabledWhy)>,
    /// Events that are not delivered yet.
    pub pending: u64,
}

impl Endpoint {
    /// It was disabled because it does not answer.
    pub fn is_given_up(&self) -> bool {
        matches!(self.disabled, Some((_, DisabledWhy::Failing | DisabledWhy::Gone)))
    }

    /// Since when it fails or is disabled.
    pub fn since(&self) -> Option<Timestamp> {
        self.disabled.map(|(at, _)| at).or(self.failing_since)
    }

    /// Until when secrets before this one are signed with, if they still are.
    pub fn former_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.former_until.filter(|until| *until > now)
    }

    /// The secrets to sign with.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let former = self.former_until(now).map(|_| &self.former).into_iter().flatten();
        std::iter::once(&self.secret).chain(former).map(String::as_str)
    }

    /// The host alone: the rest of its address may hold a key.
    pub fn host(&self) -> String {
        let parsed = url::Url::parse(&self.url).ok();
        parsed.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Without the secrets.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("id", &self.id).field("events", &self.events).finish_non_exhaustive()
    }
}

/// An event to be delivered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedEvent {
    /// The same at every attempt.
    pub id: String,
    pub endpoint: String,
    /// `issue.held`
    pub event: String,
    /// An issue's key, `order:ID` or `contact:ID`.
    pub subject: String,
    pub detail: Option<String>,
    /// As it was sent before.
    pub payload: Option<String>,
    /// The first attempt.
    pub first_at: Timestamp,
    /// Failures so far.
    pub tries: u32,
    /// It is reserved until then, for who claimed it with this instant.
    pub lease: Timestamp,
}

/// An answer of a receiver, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAttempt {
    pub id: String,
    /// `None`: a test.
    pub message: Option<String>,
    pub event: String,
    pub subject: String,
    pub at: Timestamp,
    pub ms: u32,
    /// HTTP.
    pub status: Option<u16>,
    pub said: String,
}

impl WebhookAttempt {
    pub fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// What an attempt led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    Delivered,
    /// Tried again then.
    Again(Timestamp),
    /// The receiver is told nothing more.
    Disabled(DisabledWhy),
}

/// Answers kept of each receiver.
pub const MOST_ATTEMPTS: u32 = 50;
/// Events handed out at once.
const AT_ONCE: u32 = 20;

#[async_trait]
pub trait Webhooks: Send + Sync {
    /// The oldest first.
    async fn endpoints(&self) -> Result<Vec<Endpoint>>;

    async fn add_endpoint(&self, endpoint: &Endpoint, entry: &AuditEntry) -> Result<()>;

    /// With what is owed to it. `false`: there is no such receiver.
    async fn remove_endpoint(&self, id: &str, entry: &AuditEntry) -> Result<bool>;

    /// The present secret, and those before it that still are, are signed with until then, beside the new one. `false`: there is no
    /// such receiver.
    async fn rotate_secret(
        &self,
        id: &str,
        secret: &str,
        (now, until): (Timestamp, Timestamp),
        entry: &AuditEntry,
    ) -> Result<bool>;

    /// Events that happen meanwhile are not told; what is owed waits. `false`: it is disabled, or does not exist.
    async fn disable_endpoint(&self, id: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool>;

    /// What is owed is tried at once. `false`: it is not disabled, or does not exist.
    async fn enable_endpoint(&self, id: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool>;

    /// Due events, of each subject of each receiver the first, reserved for the caller until `lease`.
    async fn claim_events(&self, lease: Timestamp, now: Timestamp) -> Result<Vec<OwedEvent>>;

    /// Whether there is a receiver that is not disabled.
    async fn tells_somebody(&self) -> Result<bool>;

    /// The bytes of an event, before it is first sent.
    async fn keep_payload(&self, id: &str, payload: &str) -> Result<()>;

    /// The result of an attempt. `false`: the lease was over, and another one has the event or settled it.
    async fn settle_event(
        &self,
        event: &OwedEvent,
        attempt: &WebhookAttempt,
        result: AttemptResult,
        now: Timestamp,
    ) -> Result<bool>;

    /// The answer to a test.
    async fn record_test(&self, endpoint: &str, attempt: &WebhookAttempt) -> Result<()>;

    /// The last ones, the newest first.
    async fn webhook_attempts(&self, endpoint: &str) -> Result<Vec<WebhookAttempt>>;

    /// The event of an attempt is sent again, with the same id. `false`: it is not known, or still owed.
    async fn send_again(&self, endpoint: &str, attempt: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool>;
}

/// What can be claimed at $1.
macro_rules! due {
    () => {
        "SELECT m.id FROM webhook_messages m JOIN webhook_endpoints e ON e.id = m.endpoint
        WHERE m.closed_at IS NULL AND e.disabled_at IS NULL AND (m.next_at IS NULL OR m.next_at <= $1)
            AND (m.leased_until IS NULL OR m.leased_until <= $1)
            AND NOT EXISTS (SELECT 1 FROM webhook_messages b WHERE b.endpoint = m.endpoint
                AND b.subject = m.subject AND b.closed_at IS NULL AND b.n < m.n)"
    };
}

#[async_trait]
impl<B: Backend> Webhooks for Ledger<B> {
    async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        let mut tx = Transaction::read(&self.0, "reading receivers of events").await?;
        let select =
            "SELECT id, url, events, secret, former_secret, former_until, created_at, created_by, failing_since,
                disabled_at, disabled_why,
                (SELECT count(*) FROM webhook_messages m WHERE m.endpoint = e.id AND m.closed_at IS NULL) AS pending
            FROM webhook_endpoints e ORDER BY created_at, id";
        tx.rows(select, values![]).await?.iter().map(endpoint).collect()
    }

    async fn add_endpoint(&self, it: &Endpoint, entry: &AuditEntry) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "adding a receiver of events").await?;
        let insert = "INSERT INTO webhook_endpoints (id, url, events, secret, created_at, created_by)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let (events, by) = (it.events.to_string(), it.created_by.as_str());
        let values = values![it.id.as_str(), it.url.as_str(), events, it.secret.as_str(), it.created_at, by];
        tx.execute(insert, values).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await
    }

    async fn remove_endpoint(&self, id: &str, entry: &AuditEntry) -> Result<bool> {
        changed(self, "DELETE FROM webhook_endpoints WHERE id = $1", values![id], entry).await
    }

    async fn rotate_secret(
        &self,
        id: &str,
        secret: &str,
        (now, until): (Timestamp, Timestamp),
        entry: &AuditEntry,
    ) -> Result<bool> {
        // With blanks between them.
        let rotate = "UPDATE webhook_endpoints SET former_secret = CASE WHEN former_until > $4
                THEN secret || ' ' || former_secret ELSE secret END, former_until = $3, secret = $2 WHERE id = $1";
        changed(self, rotate, values![id, secret, until, now], entry).await
    }

    async fn disable_endpoint(&self, id: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool> {
        let disable = "UPDATE webhook_endpoints SET disabled_at = $2, disabled_why = 'person'
            WHERE id = $1 AND disabled_at IS NULL";
        changed(self, disable, values![id, now], entry).await
    }

    async fn enable_endpoint(&self, id: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "enabling a receiver of events").await?;
        let enable = "UPDATE webhook_endpoints SET disabled_at = NULL, disabled_why = NULL, failing_since = NULL
            WHERE id = $1 AND disabled_at IS NOT NULL";
        if tx.execute(enable, values![id]).await? == 0 {
            return Ok(false);
        }
        let anew = "UPDATE webhook_messages SET tries = 0, next_at = NULL, first_at = $2
            WHERE endpoint = $1 AND closed_at IS NULL";
        tx.execute(anew, values![id, now]).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn claim_events(&self, lease: Timestamp, now: Timestamp) -> Result<Vec<OwedEvent>> {
        // Looked for before anything is locked: as a rule nothing is due.
        if !is_due(&self.0, now).await? {
            return Ok(Vec::new());
        }
        let mut tx = Transaction::write(&self.0, "taking up events").await?;
        // The outer conditions are those of the rows as another daemon may have left them meanwhile.
        let claim = concat!(
            "UPDATE webhook_messages SET leased_until = $2, first_at = coalesce(first_at, $1)
            WHERE closed_at IS NULL AND (leased_until IS NULL OR leased_until <= $1)
                AND (next_at IS NULL OR next_at <= $1) AND id IN (",
            due!(),
            " ORDER BY coalesce(m.next_at, 0), m.id LIMIT $3)
            RETURNING id, endpoint, event, subject, detail, payload, first_at, tries, leased_until"
        );
        let owed = tx.rows(claim, values![now, lease, AT_ONCE]).await?.iter().map(owed).collect::<Result<Vec<_>>>()?;
        tx.commit().await?;
        Ok(owed)
    }

    async fn tells_somebody(&self) -> Result<bool> {
        let mut tx = Transaction::read(&self.0, "looking for receivers of events").await?;
        let select = "SELECT id FROM webhook_endpoints WHERE disabled_at IS NULL LIMIT 1";
        Ok(tx.row(select, values![]).await?.is_some())
    }

    async fn keep_payload(&self, id: &str, payload: &str) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping an event").await?;
        let keep = "UPDATE webhook_messages SET payload = $2 WHERE id = $1 AND payload IS NULL";
        tx.execute(keep, values![id, payload]).await?;
        tx.commit().await
    }

    async fn settle_event(
        &self,
        event: &OwedEvent,
        attempt: &WebhookAttempt,
        result: AttemptResult,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "recording the answer of a receiver").await?;
        let endpoint = event.endpoint.as_str();
        let (next, closed) = match result {
            AttemptResult::Delivered => (None, Some(now)),
            AttemptResult::Again(at) => (Some(at), None),
            AttemptResult::Disabled(_) => (None, None),
        };
        let settle = "UPDATE webhook_messages SET next_at = $3, closed_at = $4, leased_until = NULL, tries = tries + 1
            WHERE id = $1 AND endpoint = $2 AND closed_at IS NULL AND leased_until = $5";
        let moved = tx.execute(settle, values![event.id.as_str(), endpoint, next, closed, event.lease]).await? == 1;
        if moved {
            match result {
                AttemptResult::Delivered => {
                    let well = "UPDATE webhook_endpoints SET failing_since = NULL
                        WHERE id = $1 AND failing_since IS NOT NULL";
                    tx.execute(well, values![endpoint]).await?;
                }
                AttemptResult::Again(_) => failing(&mut tx, endpoint, now).await?,
                AttemptResult::Disabled(why) => {
                    failing(&mut tx, endpoint, now).await?;
                    let disable = "UPDATE webhook_endpoints SET disabled_at = $2, disabled_why = $3
                        WHERE id = $1 AND disabled_at IS NULL";
                    tx.execute(disable, values![endpoint, now, why.as_str()]).await?;
                }
            }
        }
        keep(&mut tx, endpoint, attempt).await?;
        tx.commit().await?;
        Ok(moved)
    }

    async fn record_test(&self, endpoint: &str, attempt: &WebhookAttempt) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "recording a test").await?;
        keep(&mut tx, endpoint, attempt).await?;
        tx.commit().await
    }

    async fn webhook_attempts(&self, endpoint: &str) -> Result<Vec<WebhookAttempt>> {
        let mut tx = Transaction::read(&self.0, "reading the answers of a receiver").await?;
        let select = "SELECT id, message, event, subject, at, ms, status, said FROM webhook_attempts
            WHERE endpoint = $1 ORDER BY at DESC, id DESC";
        tx.rows(select, values![endpoint]).await?.iter().map(attempt).collect()
    }

    async fn send_again(&self, endpoint: &str, attempt: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool> {
        let again = "UPDATE webhook_messages SET closed_at = NULL, next_at = NULL, tries = 0, first_at = $3
            WHERE endpoint = $1 AND closed_at IS NOT NULL
                AND id = (SELECT message FROM webhook_attempts WHERE endpoint = $1 AND id = $2)";
        changed(self, again, values![endpoint, attempt, now], entry).await
    }
}

/// Whether an event can be claimed.
async fn is_due<B: Backend>(db: &B, now: Timestamp) -> Result<bool> {
    let mut tx = Transaction::read(db, "looking for events").await?;
    Ok(tx.row(concat!(due!(), " LIMIT 1"), values![now]).await?.is_some())
}

/// One change with its entry; nothing if no row changes.
async fn changed<B: Backend>(
    ledger: &Ledger<B>,
    sql: &'static str,
    values: Vec<Value>,
    entry: &AuditEntry,
) -> Result<bool> {
    let mut tx = Transaction::write(&ledger.0, "changing a receiver of events").await?;
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    audit::add(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(true)
}

async fn failing<B: Backend>(tx: &mut Transaction<B>, endpoint: &str, now: Timestamp) -> Result<()> {
    let since = "UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL";
    tx.execute(since, values![endpoint, now]).await?;
    Ok(())
}

/// The attempt, in place of the oldest; delivered events without an attempt are forgotten.
async fn keep<B: Backend>(tx: &mut Transaction<B>, endpoint: &str, it: &WebhookAttempt) -> Result<()> {
    let insert = "INSERT INTO webhook_attempts (id, endpoint, message, event, subject, at, ms, status, said)
        SELECT $1, e.id, $3, $4, $5, $6, $7, $8, $9 FROM webhook_endpoints e WHERE e.id = $2";
    let status = it.status.map(u32::from);
    let values = values![
        it.id.as_str(),
        endpoint,
        it.message.as_deref(),
        it.event.as_str(),
        it.subject.as_str(),
        it.at,
        it.ms,
        status,
        it.said.as_str(),
    ];
    tx.execute(insert, values).await?;
    let old = "DELETE FROM webhook_attempts WHERE endpoint = $1 AND id NOT IN (
        SELECT id FROM webhook_attempts WHERE endpoint = $1 ORDER BY at DESC, id DESC LIMIT $2)";
    tx.execute(old, values![endpoint, MOST_ATTEMPTS]).await?;
    let done = "DELETE FROM webhook_messages WHERE endpoint = $1 AND closed_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM webhook_attempts a WHERE a.endpoint = $1 AND a.message = webhook_messages.id)";
    tx.execute(done, values![endpoint]).await?;
    Ok(())
}

fn endpoint(row: &Row) -> Result<Endpoint> {
    let row = Reader::new(row, "webhook_endpoints", "id");
    let (id, events) = (row.text("id")?, row.text("events")?);
    let unreadable = |why| StoreError::Row { table: "webhook_endpoints", column: "events", row: id.clone(), why };
    let disabled = match row.optional_instant("disabled_at")? {
        Some(at) => Some((at, row.word("disabled_why", &DisabledWhy::ALL, DisabledWhy::as_str)?)),
        None => None,
    };
    Ok(Endpoint {
        events: Events::parse(&events).map_err(unreadable)?,
        url: row.text("url")?,
        secret: row.text("secret")?,
        former: row.optional_text("former_secret")?.iter().flat_map(|it| it.split(' ')).map(str::to_owned).collect(),
        former_until: row.optional_instant("former_until")?,
        created_at: row.instant("created_at")?,
        created_by: row.text("created_by")?,
        failing_since: row.optional_instant("failing_since")?,
        disabled,
        pending: row.number("pending")?,
        id,
    })
}

fn owed(row: &Row) -> Result<OwedEvent> {
    let row = Reader::new(row, "webhook_messages", "id");
    Ok(OwedEvent {
        id: row.text("id")?,
        endpoint: row.text("endpoint")?,
        event: row.text("event")?,
        subject: row.text("subject")?,
        detail: row.optional_text("detail")?,
        payload: row.optional_text("payload")?,
        first_at: row.instant("first_at")?,
        tries: row.number("tries")?,
        lease: row.instant("leased_until")?,
    })
}

fn attempt(row: &Row) -> Result<WebhookAttempt> {
    let row = Reader::new(row, "webhook_attempts", "id");
    Ok(WebhookAttempt {
        id: row.text("id")?,
        message: row.optional_text("message")?,
        event: row.text("event")?,
        subject: row.text("subject")?,
        at: row.instant("at")?,
        ms: row.number("ms")?,
        status: row.optional_number("status")?,
        said: row.text("said")?,
    })
}
