//! Who did what. Entries are never changed. An entry is written in the transaction of the change: for accounts and sessions by
//! the methods that take one, for decisions of people by [`AuditLog::recording`]. What takes several transactions, or is known
//! only from its outcome, is recorded right after it (`Actor::audit`).

use super::{Ledger, Store};
use super::{
    Result,
    backend::{Backend, NextEntry, Transaction, Value, values},
    rows::Reader,
};
use crate::domain::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;

/// Kinds of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// Somebody who is logged in; the actor is the id of the account.
    User,
    /// The operating system's user who ran a command.
    Cli,
    Token,
    Daemon,
}

impl ActorKind {
    pub const ALL: [ActorKind; 4] = [ActorKind::User, ActorKind::Cli, ActorKind::Token, ActorKind::Daemon];

    pub fn as_str(self) -> &'static str {
        match self {
            ActorKind::User => "user",
            ActorKind::Cli => "cli",
            ActorKind::Token => "token",
            ActorKind::Daemon => "daemon",
        }
    }
}

/// One entry. No field holds an address (I7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub kind: ActorKind,
    pub actor: String,
    /// `user.add`
    pub action: String,
    /// `user:ID`
    pub object: String,
    /// JSON
    pub detail: String,
    pub request_id: Option<String>,
    /// The network of the client: `192.0.2.0/24`.
    pub network: Option<String>,
}

/// The log of what people did.
#[async_trait]
pub trait AuditLog: Send + Sync {
    async fn record(&self, entry: &AuditEntry) -> Result<()>;

    /// The same ledger. The entry is written in the first transaction that is committed through it: both are kept, or neither. If none
    /// is committed, nothing is recorded.
    fn recording(&self, entry: &AuditEntry) -> Arc<dyn Store>;

    /// Records the entry if its actor has fewer than `most` entries of this action since then, itself not counted; of several
    /// at once by one account they are counted one after the other. `false`: nothing was recorded.
    async fn record_within(&self, entry: &AuditEntry, since: Timestamp, most: u32) -> Result<bool>;

    /// The newest first.
    async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>>;

    /// Everybody who is named in the audit, sorted.
    async fn audit_actors(&self) -> Result<Vec<(ActorKind, String)>>;
}

/// Which entries, and how many.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// As in [`AuditEntry`].
    pub actor: Option<(ActorKind, String)>,
    /// `issue:agenda/2026-W28`
    pub object: Option<String>,
    /// The last row of the page before: its instant, and its id.
    pub before: Option<(Timestamp, String)>,
    pub limit: u32,
}

/// An entry with its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub id: String,
    pub entry: AuditEntry,
}

#[async_trait]
impl<B: Backend> AuditLog for Ledger<B> {
    fn recording(&self, entry: &AuditEntry) -> Arc<dyn Store> {
        Arc::new(Ledger(self.0.with_entry(NextEntry::of(entry)), Arc::clone(&self.1)))
    }

    async fn record(&self, entry: &AuditEntry) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "recording who did what").await?;
        add(&mut tx, entry).await?;
        tx.commit().await
    }

    async fn record_within(&self, entry: &AuditEntry, since: Timestamp, most: u32) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "recording one of a limited number of actions").await?;
        // Locks the account: the second of two requests counts the first. Who uses the command line has no row here.
        tx.execute("UPDATE users SET name = name WHERE id = $1", values![entry.actor.as_str()]).await?;
        let count = "SELECT COUNT(*) AS n FROM audit WHERE actor = $1 AND kind = $2 AND action = $3 AND at >= $4";
        let values = values![entry.actor.as_str(), entry.kind.as_str(), entry.action.as_str(), since];
        let row = tx.row(count, values).await?;
        let n: u32 = row.map_or(Ok(0), |row| Reader::new(&row, "audit", "n").number("n"))?;
        if n >= most {
            return Ok(false);
        }
        add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        let mut tx = Transaction::read(&self.0, "reading who did what").await?;
        let read = |row| {
            let row = Reader::new(row, "audit", "id");
            let entry = AuditEntry {
                at: row.instant("at")?,
                kind: row.word("kind", &ActorKind::ALL, ActorKind::as_str)?,
                actor: row.text("actor")?,
                action: row.text("action")?,
                object: row.text("object")?,
                detail: row.text("detail")?,
                request_id: row.optional_text("request_id")?,
                network: row.optional_text("network")?,
            };
            Ok(AuditRow { id: row.text("id")?, entry })
        };
        // Each combination of filters is a range of one of the indexes, in the order of the page.
        let mut select = "SELECT id, at, actor, kind, action, object, detail, request_id, network FROM audit
            WHERE 1 = 1"
            .to_owned();
        let mut values = Vec::new();
        let mut bind = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        if let Some(object) = &filter.object {
            select += &format!(" AND object = {}", bind(object.as_str().into()));
        }
        if let Some((kind, actor)) = &filter.actor {
            select += &format!(" AND kind = {}", bind(kind.as_str().into()));
            select += &format!(" AND actor = {}", bind(actor.as_str().into()));
        }
        if let Some((at, id)) = &filter.before {
            select += &format!(" AND (at, id) < ({}", bind((*at).into()));
            select += &format!(", {})", bind(id.as_str().into()));
        }
        select += &format!(" ORDER BY at DESC, id DESC LIMIT {}", bind(filter.limit.into()));
        tx.rows(sqlx::AssertSqlSafe(select), values).await?.iter().map(read).collect()
    }

    async fn audit_actors(&self) -> Result<Vec<(ActorKind, String)>> {
        let mut tx = Transaction::read(&self.0, "reading who is in the audit").await?;
        // Goes from each actor to the next in the index; the number of entries does not matter.
        let select = "WITH RECURSIVE actors (actor) AS (
                SELECT min(actor) FROM audit WHERE kind = $1
                UNION ALL
                SELECT (SELECT min(a.actor) FROM audit a WHERE a.kind = $1 AND a.actor > actors.actor) FROM actors
                    WHERE actors.actor IS NOT NULL
            ) SELECT actor FROM actors WHERE actor IS NOT NULL ORDER BY actor";
        let mut kinds = ActorKind::ALL;
        kinds.sort_by_key(|kind| kind.as_str());
        let mut actors = Vec::new();
        for kind in kinds {
            for row in &tx.rows(select, values![kind.as_str()]).await? {
                actors.push((kind, Reader::new(row, "audit", "actor").text("actor")?));
            }
        }
        Ok(actors)
    }
}

pub(super) async fn add<B: Backend>(tx: &mut Transaction<B>, entry: &AuditEntry) -> Result<()> {
    let insert = "INSERT INTO audit (id, at, actor, kind, action, object, detail, request_id, network)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let AuditEntry { at, kind, actor, action, object, detail, request_id, network } = entry;
    let id = uuid::Uuid::now_v7().to_string();
    let values = values![
        id,
        *at,
        actor.as_str(),
        kind.as_str(),
        action.as_str(),
        object.as_str(),
        detail.as_str(),
        request_id.as_deref(),
        network.as_deref(),
    ];
    tx.execute(insert, values).await?;
    Ok(())
}
