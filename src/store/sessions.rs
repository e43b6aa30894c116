//! Sessions of the console, the browsers it knows, and failed logins. Tokens are kept by their hash.

use super::Ledger;
use super::{
    Result,
    audit::{self, AuditEntry},
    backend::{Backend, Row, Transaction, values},
    rows::Reader,
};
use crate::accounts::{Language, Roles, UserId, throttle};
use crate::domain::Timestamp;
use async_trait::async_trait;

/// How far a login got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; the second factor is asked for.
    Half,
    Full,
}

impl Stage {
    const ALL: [Stage; 2] = [Stage::Half, Stage::Full];

    fn as_str(self) -> &'static str {
        match self {
            Stage::Half => "half",
            Stage::Full => "full",
        }
    }
}

/// A session with the account it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// For lists: not what the cookie holds.
    pub id: String,
    pub user: UserId,
    pub name: String,
    pub roles: Roles,
    pub language: Language,
    pub stage: Stage,
    /// The person asked to stay logged in on this device.
    pub kept: bool,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    /// When the person last proved who they are.
    pub proved_at: Timestamp,
    /// The browser in words: `Firefox, Linux`.
    pub label: String,
    pub network: String,
}

#[derive(Debug, Clone)]
pub struct NewSession {
    pub token_hash: String,
    pub user: UserId,
    pub stage: Stage,
    pub kept: bool,
    /// When the person logged in: a session that goes on under a new token keeps it.
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    pub idle_until: Timestamp,
    pub proved_at: Timestamp,
    pub label: String,
    pub network: String,
}

/// What a try to log in counts for, and how many failures of it cost nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// A hash.
    pub key: String,
    pub free: u32,
}

/// Sessions, known browsers, failed logins.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// `replaced`: hash of the session that ends with it. Removes what has expired. `false`: the account is disabled or has
    /// no password, so that no session was opened.
    async fn open_session(
        &self,
        session: &NewSession,
        replaced: Option<&str>,
        entry: Option<&AuditEntry>,
        now: Timestamp,
    ) -> Result<bool>;

    /// As long as it is open, and the account not disabled.
    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<Session>>;

    /// It is in use.
    async fn touch_session(&self, token_hash: &str, idle_until: Timestamp, now: Timestamp) -> Result<()>;

    /// Complete and open ones of an account, the one used last first.
    async fn sessions_of(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>>;

    /// By the hash of its token. `false`: there is none.
    async fn end_session(&self, token_hash: &str, entry: &AuditEntry) -> Result<bool>;

    /// Of an account, by [`Session::id`]; `None`: all. Returns how many ended.
    async fn end_sessions(&self, user: &UserId, id: Option<&str>, entry: &AuditEntry) -> Result<u64>;

    /// Counts a try as a failure until [`Self::try_succeeded`], so that tries at once are not looked at together. `Some`:
    /// not looked at before that instant, and nothing was counted.
    async fn count_try(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Timestamp>>;

    /// `cleared` are forgotten; one try of each of `eased` is taken back.
    async fn try_succeeded(&self, cleared: &[Counter], eased: &[Counter], now: Timestamp) -> Result<()>;

    async fn know_device(&self, token_hash: &str, user: &UserId, now: Timestamp) -> Result<()>;

    async fn is_known_device(&self, token_hash: &str, user: &UserId) -> Result<bool>;
}

/// Columns of [`session`]; `$1` is now.
macro_rules! select_sessions {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.user_id, u.name, u.roles, u.language, s.stage, s.kept, s.created_at, s.seen_at, s.expires_at,
                s.proved_at, s.label, s.network
            FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE s.expires_at > $1 AND s.idle_until > $1 AND u.disabled_at IS NULL AND ",
            $rest
        )
    };
}

#[async_trait]
impl<B: Backend> Sessions for Ledger<B> {
    async fn open_session(
        &self,
        session: &NewSession,
        replaced: Option<&str>,
        entry: Option<&AuditEntry>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "opening a session").await?;
        let NewSession { token_hash, user, stage, kept, opened_at, .. } = session;
        let NewSession { expires_at, idle_until, proved_at, label, network, .. } = session;
        // Also locks the account: a session is not opened beside a change that ends all of them.
        let seen = "UPDATE users SET seen_at = $2 WHERE id = $1 AND disabled_at IS NULL AND password IS NOT NULL";
        if tx.execute(seen, values![user.as_str(), now]).await? == 0 {
            return Ok(false);
        }
        let insert = "INSERT INTO sessions (token_hash, id, user_id, stage, kept, created_at, seen_at, expires_at,
                idle_until, proved_at, label, network)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = values![
            token_hash.as_str(),
            uuid::Uuid::now_v7().to_string(),
            user.as_str(),
            stage.as_str(),
            i64::from(*kept),
            *opened_at,
            now,
            *expires_at,
            *idle_until,
            *proved_at,
            label.as_str(),
            network.as_str(),
        ];
        tx.execute(insert, values).await?;
        let old = "DELETE FROM sessions WHERE token_hash = $1 OR expires_at <= $2 OR idle_until <= $2";
        tx.execute(old, values![replaced, now]).await?;
        let forgotten = now - throttle::FORGOTTEN_AFTER;
        tx.execute("DELETE FROM login_failures WHERE at < $1", values![forgotten]).await?;
        let year = now - chrono::TimeDelta::days(365);
        tx.execute("DELETE FROM known_devices WHERE seen_at < $1", values![year]).await?;
        tx.execute("DELETE FROM invitations WHERE expires_at < $1", values![now - chrono::TimeDelta::days(30)]).await?;
        if let Some(entry) = entry {
            audit::add(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<Session>> {
        let mut tx = Transaction::read(&self.0, "reading a session").await?;
        let row = tx.row(select_sessions!("s.token_hash = $2"), values![now, token_hash]).await?;
        row.as_ref().map(session).transpose()
    }

    async fn touch_session(&self, token_hash: &str, idle_until: Timestamp, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping a session").await?;
        let seen = "UPDATE sessions SET seen_at = $2, idle_until = $3 WHERE token_hash = $1";
        tx.execute(seen, values![token_hash, now, idle_until]).await?;
        let seen = "UPDATE users SET seen_at = $2 WHERE id = (SELECT user_id FROM sessions WHERE token_hash = $1)";
        tx.execute(seen, values![token_hash, now]).await?;
        tx.commit().await
    }

    async fn sessions_of(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>> {
        let mut tx = Transaction::read(&self.0, "reading sessions").await?;
        let select = select_sessions!("s.user_id = $2 AND s.stage = 'full' ORDER BY s.seen_at DESC, s.id");
        tx.rows(select, values![now, user.as_str()]).await?.iter().map(session).collect()
    }

    async fn end_session(&self, token_hash: &str, entry: &AuditEntry) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "ending a session").await?;
        if tx.execute("DELETE FROM sessions WHERE token_hash = $1", values![token_hash]).await? == 0 {
            return Ok(false);
        }
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn end_sessions(&self, user: &UserId, id: Option<&str>, entry: &AuditEntry) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "ending sessions").await?;
        let ended = match id {
            Some(id) => {
                let end = "DELETE FROM sessions WHERE user_id = $1 AND id = $2";
                tx.execute(end, values![user.as_str(), id]).await?
            }
            None => tx.execute("DELETE FROM sessions WHERE user_id = $1", values![user.as_str()]).await?,
        };
        if ended > 0 {
            audit::add(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }

    async fn count_try(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Timestamp>> {
        let mut tx = Transaction::write(&self.0, "counting a login").await?;
        // Always in the same order: two tries at once wait for each other, and not both.
        let mut counters: Vec<_> = counters.iter().collect();
        counters.sort_by(|a, b| a.key.cmp(&b.key));
        let mut later = None;
        let mut counts = Vec::new();
        for counter in counters {
            // Locks the row, and forgets what is long ago.
            let lock = "INSERT INTO login_failures (key, n, at, next_at) VALUES ($1, 0, $2, $2)
                ON CONFLICT (key) DO UPDATE
                    SET n = CASE WHEN login_failures.at < $3 THEN 0 ELSE login_failures.n END
                RETURNING key, n, next_at";
            let forgotten = now - throttle::FORGOTTEN_AFTER;
            let row = tx.row(lock, values![counter.key.as_str(), now, forgotten]).await?;
            let Some(row) = row else { continue };
            let row = Reader::new(&row, "login_failures", "key");
            let next_at = row.instant("next_at")?;
            if next_at > now {
                later = later.max(Some(next_at));
            }
            counts.push((counter, row.number::<u32>("n")?.saturating_add(1)));
        }
        if later.is_some() {
            return Ok(later);
        }
        for (counter, n) in counts {
            let next_at = now + throttle::delay(n, counter.free);
            let count = "UPDATE login_failures SET n = $2, at = $3, next_at = $4 WHERE key = $1";
            tx.execute(count, values![counter.key.as_str(), n, now, next_at]).await?;
        }
        tx.commit().await?;
        Ok(None)
    }

    async fn try_succeeded(&self, cleared: &[Counter], eased: &[Counter], now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "forgetting failed logins").await?;
        let mut all: Vec<_> = cleared.iter().map(|it| (it, true)).chain(eased.iter().map(|it| (it, false))).collect();
        all.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        for (counter, cleared) in all {
            let key = counter.key.as_str();
            if cleared {
                tx.execute("DELETE FROM login_failures WHERE key = $1", values![key]).await?;
            } else {
                let ease = "UPDATE login_failures SET n = n - 1, next_at = $2 WHERE key = $1 AND n > 0";
                tx.execute(ease, values![key, now]).await?;
            }
        }
        tx.commit().await
    }

    async fn know_device(&self, token_hash: &str, user: &UserId, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "remembering a browser").await?;
        let insert = "INSERT INTO known_devices (token_hash, user_id, seen_at) VALUES ($1, $2, $3)
            ON CONFLICT (token_hash, user_id) DO UPDATE SET seen_at = excluded.seen_at";
        tx.execute(insert, values![token_hash, user.as_str(), now]).await?;
        tx.commit().await
    }

    async fn is_known_device(&self, token_hash: &str, user: &UserId) -> Result<bool> {
        let mut tx = Transaction::read(&self.0, "recognising a browser").await?;
        let select = "SELECT user_id FROM known_devices WHERE token_hash = $1 AND user_id = $2";
        Ok(tx.row(select, values![token_hash, user.as_str()]).await?.is_some())
    }
}

fn session(row: &Row) -> Result<Session> {
    let row = Reader::new(row, "sessions", "id");
    let roles = row.text("roles")?;
    let unreadable = |why| super::StoreError::Row { table: "users", column: "roles", row: String::new(), why };
    Ok(Session {
        id: row.text("id")?,
        user: UserId(row.text("user_id")?),
        name: row.text("name")?,
        roles: Roles::parse(&roles).map_err(unreadable)?,
        language: row.word("language", &Language::ALL, Language::as_str)?,
        stage: row.word("stage", &Stage::ALL, Stage::as_str)?,
        kept: row.number::<i64>("kept")? != 0,
        created_at: row.instant("created_at")?,
        seen_at: row.instant("seen_at")?,
        expires_at: row.instant("expires_at")?,
        proved_at: row.instant("proved_at")?,
        label: row.text("label")?,
        network: row.text("network")?,
    })
}
