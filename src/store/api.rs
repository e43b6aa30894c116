//! Tokens of the API by their hash, answers to requests that may come twice, and when mailings were asked to be read again.

use super::Ledger;
use super::{
    Result, StoreError,
    audit::{self, AuditEntry},
    backend::{Backend, Row, Transaction, values},
    rows::Reader,
};
use crate::accounts::Scopes;
use crate::domain::{Timestamp, issue::IssueKey};
use async_trait::async_trait;
use chrono::TimeDelta;

/// A token. What authenticates is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// A UUID.
    pub id: String,
    pub name: String,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub created_by: String,
    pub expires_at: Timestamp,
    /// To the minute.
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// What became of a request with a key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first: do it, and keep the answer.
    New,
    /// It was answered so; without the answer if a person was erased since.
    Before { status: u16, answer: Option<String> },
    /// The same is being done.
    UnderWay,
    /// The key is of another request.
    Other,
}

/// Answers are kept for so long.
const REMEMBERED: TimeDelta = TimeDelta::days(1);
/// A request that has no answer after so long never gets one.
const ABANDONED: TimeDelta = TimeDelta::minutes(2);
/// The last use of a token is written down at most so often.
const TOUCH: TimeDelta = TimeDelta::minutes(1);
/// A mailing is read again on request at most so often.
pub const REREAD_EVERY: TimeDelta = TimeDelta::minutes(1);

#[async_trait]
pub trait ApiTokens: Send + Sync {
    /// The newest first.
    async fn tokens(&self) -> Result<Vec<Token>>;

    async fn add_token(&self, token: &Token, hash: &str, entry: &AuditEntry) -> Result<()>;

    /// `false`: there is no such token, or it was revoked before.
    async fn revoke_token(&self, id: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool>;

    /// Looked up by its hash, so that the time taken tells nothing about the token.
    async fn token(&self, hash: &str) -> Result<Option<Token>>;

    /// It was used; `first`: recorded if it never was before.
    async fn token_used(&self, token: &Token, first: &AuditEntry, now: Timestamp) -> Result<()>;

    /// `None`: noted, its sources are to be read again. Otherwise it was asked a moment ago, and this is when it can be asked next.
    async fn ask_reread(&self, mailing: &str, now: Timestamp) -> Result<Option<Timestamp>>;

    /// Whether the mailing of this issue was asked for since then, or else since the issue was composed: what is kept for its hour
    /// is made anew.
    async fn wants_reread(&self, issue: &IssueKey, since: Option<Timestamp>) -> Result<bool>;

    async fn begin_request(&self, token: &str, key: &str, fingerprint: &str, now: Timestamp) -> Result<Begun>;

    /// Forgets answers that are older than a day: they name persons.
    async fn expire_answers(&self, now: Timestamp) -> Result<()>;

    /// The answer to a request that was [`Begun::New`]; `None`: nothing was done, and it may come again.
    async fn end_request(&self, token: &str, key: &str, answer: Option<(u16, &str)>) -> Result<()>;
}

const TOKEN: &str = "SELECT id, name, scopes, created_at, created_by, expires_at, used_at, revoked_at FROM api_tokens";

#[async_trait]
impl<B: Backend> ApiTokens for Ledger<B> {
    async fn tokens(&self) -> Result<Vec<Token>> {
        let mut tx = Transaction::read(&self.0, "reading tokens").await?;
        let select = format!("{TOKEN} ORDER BY created_at DESC, id DESC");
        tx.rows(sqlx::AssertSqlSafe(select), values![]).await?.iter().map(token).collect()
    }

    async fn add_token(&self, it: &Token, hash: &str, entry: &AuditEntry) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "adding a token").await?;
        let insert = "INSERT INTO api_tokens (id, name, token_hash, scopes, created_at, created_by, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = values![
            it.id.as_str(),
            it.name.as_str(),
            hash,
            it.scopes.to_string(),
            it.created_at,
            it.created_by.as_str(),
            it.expires_at,
        ];
        tx.execute(insert, values).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await
    }

    async fn revoke_token(&self, id: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "revoking a token").await?;
        let revoke = "UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        if tx.execute(revoke, values![id, now]).await? == 0 {
            return Ok(false);
        }
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn token(&self, hash: &str) -> Result<Option<Token>> {
        let mut tx = Transaction::read(&self.0, "looking for a token").await?;
        let select = format!("{TOKEN} WHERE token_hash = $1");
        tx.row(sqlx::AssertSqlSafe(select), values![hash]).await?.as_ref().map(token).transpose()
    }

    async fn token_used(&self, token: &Token, first: &AuditEntry, now: Timestamp) -> Result<()> {
        if token.used_at.is_some_and(|at| now - at < TOUCH) {
            return Ok(());
        }
        let mut tx = Transaction::write(&self.0, "noting the use of a token").await?;
        let note = "UPDATE api_tokens SET used_at = $2 WHERE id = $1 AND used_at IS NULL";
        if tx.execute(note, values![token.id.as_str(), now]).await? == 1 {
            audit::add(&mut tx, first).await?;
        } else {
            tx.execute("UPDATE api_tokens SET used_at = $2 WHERE id = $1", values![token.id.as_str(), now]).await?;
        }
        tx.commit().await
    }

    async fn ask_reread(&self, mailing: &str, now: Timestamp) -> Result<Option<Timestamp>> {
        let mut tx = Transaction::write(&self.0, "noting a request to read again").await?;
        let ask = "INSERT INTO rereads (mailing, asked_at) VALUES ($1, $2)
            ON CONFLICT (mailing) DO UPDATE SET asked_at = excluded.asked_at WHERE rereads.asked_at <= $3";
        if tx.execute(ask, values![mailing, now, now - REREAD_EVERY]).await? == 1 {
            // What waits for its next attempt does not wait any longer.
            let wake = "UPDATE occurrences SET next_try = $2
                WHERE mailing = $1 AND state = 'pending' AND next_try > $2";
            tx.execute(wake, values![mailing, now]).await?;
            tx.commit().await?;
            return Ok(None);
        }
        let row = tx.row("SELECT mailing, asked_at FROM rereads WHERE mailing = $1", values![mailing]).await?;
        let asked_at = row.map(|row| Reader::new(&row, "rereads", "mailing").instant("asked_at")).transpose()?;
        Ok(Some(asked_at.unwrap_or(now) + REREAD_EVERY))
    }

    async fn wants_reread(&self, issue: &IssueKey, since: Option<Timestamp>) -> Result<bool> {
        let mut tx = Transaction::read(&self.0, "looking for a request to read again").await?;
        let select = "SELECT r.mailing FROM rereads r JOIN issues i ON i.mailing = r.mailing
            WHERE i.key = $1 AND r.asked_at > COALESCE($2, i.composed_at)";
        Ok(tx.row(select, values![issue, since]).await?.is_some())
    }

    async fn begin_request(&self, token: &str, key: &str, fingerprint: &str, now: Timestamp) -> Result<Begun> {
        let mut tx = Transaction::write(&self.0, "beginning a request").await?;
        expire(&mut tx, now).await?;
        let insert = "INSERT INTO api_requests (token, key, fingerprint, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (token, key) DO NOTHING";
        if tx.execute(insert, values![token, key, fingerprint, now]).await? == 1 {
            tx.commit().await?;
            return Ok(Begun::New);
        }
        let select = "SELECT key, fingerprint, status, answer FROM api_requests WHERE token = $1 AND key = $2";
        let Some(row) = tx.row(select, values![token, key]).await? else { return Ok(Begun::UnderWay) };
        let row = Reader::new(&row, "api_requests", "key");
        Ok(match (row.text("fingerprint")? == fingerprint, row.optional_number::<u16>("status")?) {
            (false, _) => Begun::Other,
            (true, None) => Begun::UnderWay,
            (true, Some(status)) => Begun::Before { status, answer: row.optional_text("answer")? },
        })
    }

    async fn expire_answers(&self, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "forgetting answers").await?;
        expire(&mut tx, now).await?;
        tx.commit().await
    }

    async fn end_request(&self, token: &str, key: &str, answer: Option<(u16, &str)>) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping an answer").await?;
        match answer {
            Some((status, text)) => {
                let keep = "UPDATE api_requests SET status = $3, answer = $4 WHERE token = $1 AND key = $2";
                tx.execute(keep, values![token, key, u32::from(status), text]).await?;
            }
            None => {
                tx.execute("DELETE FROM api_requests WHERE token = $1 AND key = $2", values![token, key]).await?;
            }
        }
        tx.commit().await
    }
}

async fn expire<B: Backend>(tx: &mut Transaction<B>, now: Timestamp) -> Result<()> {
    let forget = "DELETE FROM api_requests WHERE at < $1 OR status IS NULL AND at < $2";
    tx.execute(forget, values![now - REMEMBERED, now - ABANDONED]).await?;
    Ok(())
}

/// Answers may name the person who is erased: none of them is kept. The requests stay known, so that they are not done again.
pub(super) async fn erase<B: Backend>(tx: &mut Transaction<B>) -> Result<()> {
    tx.execute("UPDATE api_requests SET answer = NULL WHERE answer IS NOT NULL", values![]).await?;
    Ok(())
}

fn token(row: &Row) -> Result<Token> {
    let row = Reader::new(row, "api_tokens", "id");
    let (id, scopes) = (row.text("id")?, row.text("scopes")?);
    let unreadable = |why| StoreError::Row { table: "api_tokens", column: "scopes", row: id.clone(), why };
    Ok(Token {
        scopes: Scopes::parse(&scopes).map_err(unreadable)?,
        name: row.text("name")?,
        created_at: row.instant("created_at")?,
        created_by: row.text("created_by")?,
        expires_at: row.instant("expires_at")?,
        used_at: row.optional_instant("used_at")?,
        revoked_at: row.optional_instant("revoked_at")?,
        id,
    })
}
