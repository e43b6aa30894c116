//! Accounts of staff. Whatever takes a right away ends the sessions of the account in the same transaction, and is recorded
//! in the audit there.

use super::Ledger;
use super::{
    Result, StoreError,
    audit::{self, AuditEntry},
    backend::{Backend, Row, Transaction, values},
    rows::Reader,
};
use crate::accounts::{Language, Roles, UserId};
use crate::domain::{Timestamp, email::EmailAddress};
use async_trait::async_trait;

/// An account, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub address: EmailAddress,
    pub roles: Roles,
    pub language: Language,
    /// The invitation was accepted.
    pub has_password: bool,
    pub has_second_factor: bool,
    /// Recovery codes not used yet.
    pub recovery_codes: u32,
    /// Sessions open now.
    pub sessions: u32,
    pub created_at: Timestamp,
    pub created_by: String,
    pub seen_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

/// An account with what a login is checked against. `Debug` shows no secret.
#[derive(Clone)]
pub struct Credentials {
    pub user: User,
    /// PHC string.
    pub password: Option<String>,
    /// Base32.
    pub totp: Option<String>,
    pub totp_step: Option<i64>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: UserId,
    pub name: String,
    pub address: EmailAddress,
    pub roles: Roles,
    pub language: Language,
    pub created_by: String,
}

/// Why a link to set a password was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    New,
    Reset,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::New => "new",
            Purpose::Reset => "reset",
        }
    }
}

/// A link to set a password.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub token_hash: String,
    pub purpose: Purpose,
    pub expires_at: Timestamp,
}

/// The second factor as it is kept: the secret in Base32, and the step of the code that proved it.
#[derive(Debug, Clone)]
pub struct NewFactor {
    pub secret: String,
    pub step: i64,
    /// Hashes of recovery codes.
    pub codes: Vec<String>,
}

/// The result of a change to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// It was so before: nothing was changed.
    Same,
    NotKnown,
    /// Nobody could administer the accounts any more: nothing was changed.
    LastAdministrator,
    /// The account is disabled: nothing was changed.
    Disabled,
}

/// Accounts, their secrets and invitations.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// By name.
    async fn users(&self, now: Timestamp) -> Result<Vec<User>>;

    async fn credentials(&self, id: &UserId, now: Timestamp) -> Result<Option<Credentials>>;

    /// `key`: [`EmailAddress::key`].
    async fn credentials_by_address(&self, key: &str, now: Timestamp) -> Result<Option<Credentials>>;

    /// Whether anybody can log in.
    async fn has_active_user(&self) -> Result<bool>;

    /// `false`: the address has an account.
    async fn add_user(
        &self,
        user: &NewUser,
        invitation: &NewInvitation,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool>;

    /// Removes password, second factor and recovery codes, ends all sessions and replaces an earlier link.
    async fn reset_user(
        &self,
        id: &UserId,
        invitation: &NewInvitation,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<Changed>;

    /// Whose link it is, as long as it is open and the account not disabled.
    async fn invited(&self, token_hash: &str, now: Timestamp) -> Result<Option<Credentials>>;

    /// Uses the link: sets password and second factor, ends all sessions. `false`: the link is not open any more.
    async fn accept_invitation(
        &self,
        token_hash: &str,
        password: &str,
        factor: Option<&NewFactor>,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool>;

    /// Ends all sessions.
    async fn set_roles(&self, id: &UserId, roles: Roles, entry: &AuditEntry) -> Result<Changed>;

    /// Ends all sessions and open links.
    async fn disable_user(&self, id: &UserId, entry: &AuditEntry, now: Timestamp) -> Result<Changed>;

    async fn enable_user(&self, id: &UserId, entry: &AuditEntry) -> Result<Changed>;

    /// Ends all sessions. `false`: the password is not `old` any more.
    async fn set_password(&self, id: &UserId, old: &str, new: &str, entry: &AuditEntry) -> Result<bool>;

    /// The same password with other parameters: no session ends.
    async fn rehash_password(&self, id: &UserId, old: &str, new: &str) -> Result<()>;

    /// `None` removes it. Ends all sessions, and replaces the recovery codes.
    async fn set_second_factor(&self, id: &UserId, factor: Option<&NewFactor>, entry: &AuditEntry) -> Result<()>;

    async fn set_recovery_codes(&self, id: &UserId, hashes: &[String], entry: &AuditEntry) -> Result<()>;

    async fn set_language(&self, id: &UserId, language: Language) -> Result<()>;

    /// `false`: a code of this step or of a later one was used before.
    async fn use_totp_step(&self, id: &UserId, step: i64) -> Result<bool>;

    /// `false`: there is no such code, or it was used before.
    async fn use_recovery_code(&self, id: &UserId, hash: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool>;
}

/// Columns of [`credentials`]; `$1` is now.
macro_rules! select_users {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.name, u.address, u.roles, u.language, u.password, u.totp, u.totp_step, u.created_at,
                u.created_by, u.seen_at, u.disabled_at,
                (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL) AS codes,
                (SELECT count(*) FROM sessions s WHERE s.user_id = u.id AND s.stage = 'full' AND s.expires_at > $1
                    AND s.idle_until > $1) AS open_sessions
            FROM users u ",
            $rest
        )
    };
}

#[async_trait]
impl<B: Backend> Accounts for Ledger<B> {
    async fn users(&self, now: Timestamp) -> Result<Vec<User>> {
        let mut tx = Transaction::read(&self.0, "reading accounts").await?;
        let rows = tx.rows(select_users!("ORDER BY u.name, u.id"), values![now]).await?;
        rows.iter().map(|row| Ok(credentials(row)?.user)).collect()
    }

    async fn credentials(&self, id: &UserId, now: Timestamp) -> Result<Option<Credentials>> {
        let mut tx = Transaction::read(&self.0, "reading an account").await?;
        let row = tx.row(select_users!("WHERE u.id = $2"), values![now, id.as_str()]).await?;
        row.as_ref().map(credentials).transpose()
    }

    async fn credentials_by_address(&self, key: &str, now: Timestamp) -> Result<Option<Credentials>> {
        let mut tx = Transaction::read(&self.0, "looking for an account").await?;
        let row = tx.row(select_users!("WHERE u.address_key = $2"), values![now, key]).await?;
        row.as_ref().map(credentials).transpose()
    }

    async fn has_active_user(&self) -> Result<bool> {
        let mut tx = Transaction::read(&self.0, "looking for accounts").await?;
        let any = "SELECT id FROM users WHERE disabled_at IS NULL AND password IS NOT NULL LIMIT 1";
        Ok(tx.row(any, values![]).await?.is_some())
    }

    async fn add_user(
        &self,
        user: &NewUser,
        invitation: &NewInvitation,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "adding an account").await?;
        let insert = "INSERT INTO users (id, name, address, address_key, roles, language, created_at, created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (address_key) DO NOTHING";
        let values = values![
            user.id.as_str(),
            user.name.as_str(),
            user.address.to_string(),
            user.address.key(),
            user.roles.to_string(),
            user.language.as_str(),
            now,
            user.created_by.as_str(),
        ];
        if tx.execute(insert, values).await? == 0 {
            return Ok(false);
        }
        invite(&mut tx, &user.id, invitation, now).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn reset_user(
        &self,
        id: &UserId,
        invitation: &NewInvitation,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<Changed> {
        let mut tx = Transaction::write(&self.0, "resetting an account").await?;
        let Some(user) = locked(&mut tx, id).await? else { return Ok(Changed::NotKnown) };
        if user.is_disabled {
            return Ok(Changed::Disabled);
        }
        let clear = "UPDATE users SET password = NULL, totp = NULL, totp_step = NULL WHERE id = $1";
        tx.execute(clear, values![id.as_str()]).await?;
        replace_codes(&mut tx, id, &[]).await?;
        end_sessions(&mut tx, id).await?;
        invite(&mut tx, id, invitation, now).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    }

    async fn invited(&self, token_hash: &str, now: Timestamp) -> Result<Option<Credentials>> {
        let mut tx = Transaction::read(&self.0, "reading an invitation").await?;
        let select = select_users!(
            "JOIN invitations i ON i.user_id = u.id
            WHERE i.token_hash = $2 AND i.used_at IS NULL AND i.expires_at > $1 AND u.disabled_at IS NULL"
        );
        tx.row(select, values![now, token_hash]).await?.as_ref().map(credentials).transpose()
    }

    async fn accept_invitation(
        &self,
        token_hash: &str,
        password: &str,
        factor: Option<&NewFactor>,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "accepting an invitation").await?;
        let take = "UPDATE invitations SET used_at = $2
            WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING user_id";
        let Some(row) = tx.row(take, values![token_hash, now]).await? else { return Ok(false) };
        let id = UserId(Reader::new(&row, "invitations", "user_id").text("user_id")?);
        let set = "UPDATE users SET password = $2 WHERE id = $1 AND disabled_at IS NULL";
        if tx.execute(set, values![id.as_str(), password]).await? == 0 {
            return Ok(false);
        }
        set_factor(&mut tx, &id, factor).await?;
        end_sessions(&mut tx, &id).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn set_roles(&self, id: &UserId, roles: Roles, entry: &AuditEntry) -> Result<Changed> {
        let mut tx = Transaction::write(&self.0, "changing roles").await?;
        let Some(user) = locked(&mut tx, id).await? else { return Ok(Changed::NotKnown) };
        if user.roles == roles {
            return Ok(Changed::Same);
        }
        if user.is_last_administrator && !roles.may(crate::accounts::Permission::Administer) {
            return Ok(Changed::LastAdministrator);
        }
        let set = "UPDATE users SET roles = $2 WHERE id = $1";
        tx.execute(set, values![id.as_str(), roles.to_string()]).await?;
        end_sessions(&mut tx, id).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    }

    async fn disable_user(&self, id: &UserId, entry: &AuditEntry, now: Timestamp) -> Result<Changed> {
        let mut tx = Transaction::write(&self.0, "disabling an account").await?;
        let Some(user) = locked(&mut tx, id).await? else { return Ok(Changed::NotKnown) };
        if user.is_disabled {
            return Ok(Changed::Same);
        }
        if user.is_last_administrator {
            return Ok(Changed::LastAdministrator);
        }
        tx.execute("UPDATE users SET disabled_at = $2 WHERE id = $1", values![id.as_str(), now]).await?;
        tx.execute("DELETE FROM invitations WHERE user_id = $1 AND used_at IS NULL", values![id.as_str()]).await?;
        end_sessions(&mut tx, id).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    }

    async fn enable_user(&self, id: &UserId, entry: &AuditEntry) -> Result<Changed> {
        let mut tx = Transaction::write(&self.0, "enabling an account").await?;
        let Some(user) = locked(&mut tx, id).await? else { return Ok(Changed::NotKnown) };
        if !user.is_disabled {
            return Ok(Changed::Same);
        }
        tx.execute("UPDATE users SET disabled_at = NULL WHERE id = $1", values![id.as_str()]).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    }

    async fn set_password(&self, id: &UserId, old: &str, new: &str, entry: &AuditEntry) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "changing a password").await?;
        let set = "UPDATE users SET password = $3 WHERE id = $1 AND password = $2 AND disabled_at IS NULL";
        if tx.execute(set, values![id.as_str(), old, new]).await? == 0 {
            return Ok(false);
        }
        end_sessions(&mut tx, id).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn rehash_password(&self, id: &UserId, old: &str, new: &str) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "hashing a password anew").await?;
        let set = "UPDATE users SET password = $3 WHERE id = $1 AND password = $2";
        tx.execute(set, values![id.as_str(), old, new]).await?;
        tx.commit().await
    }

    async fn set_second_factor(&self, id: &UserId, factor: Option<&NewFactor>, entry: &AuditEntry) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "changing a second factor").await?;
        set_factor(&mut tx, id, factor).await?;
        end_sessions(&mut tx, id).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await
    }

    async fn set_recovery_codes(&self, id: &UserId, hashes: &[String], entry: &AuditEntry) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "replacing recovery codes").await?;
        replace_codes(&mut tx, id, hashes).await?;
        audit::add(&mut tx, entry).await?;
        tx.commit().await
    }

    async fn set_language(&self, id: &UserId, language: Language) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "changing a language").await?;
        tx.execute("UPDATE users SET language = $2 WHERE id = $1", values![id.as_str(), language.as_str()]).await?;
        tx.commit().await
    }

    async fn use_totp_step(&self, id: &UserId, step: i64) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "using a code").await?;
        let set = "UPDATE users SET totp_step = $2
            WHERE id = $1 AND disabled_at IS NULL AND (totp_step IS NULL OR totp_step < $2)";
        let used = tx.execute(set, values![id.as_str(), step]).await? == 1;
        tx.commit().await?;
        Ok(used)
    }

    async fn use_recovery_code(&self, id: &UserId, hash: &str, entry: &AuditEntry, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "using a recovery code").await?;
        let set = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL";
        if tx.execute(set, values![id.as_str(), hash, now]).await? == 0 {
            return Ok(false);
        }
        audit::add(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(true)
    }
}

struct Locked {
    roles: Roles,
    is_disabled: bool,
    is_last_administrator: bool,
}

/// The account, with all accounts locked until the end of the transaction: of two who take the last administrators' rights at
/// once, the second sees what the first did.
async fn locked<B: Backend>(tx: &mut Transaction<B>, id: &UserId) -> Result<Option<Locked>> {
    tx.execute("UPDATE users SET name = name", values![]).await?;
    let (mut found, mut administrators) = (None, Vec::new());
    for row in tx.rows("SELECT id, roles, password, disabled_at FROM users ORDER BY id", values![]).await? {
        let row = Reader::new(&row, "users", "id");
        let (user, roles) = (row.text("id")?, roles(&row)?);
        let is_disabled = row.optional_instant("disabled_at")?.is_some();
        if roles.may(crate::accounts::Permission::Administer)
            && !is_disabled
            && row.optional_text("password")?.is_some()
        {
            administrators.push(user.clone());
        }
        if user == id.as_str() {
            found = Some((roles, is_disabled));
        }
    }
    let is_last_administrator = administrators == [id.as_str()];
    Ok(found.map(|(roles, is_disabled)| Locked { roles, is_disabled, is_last_administrator }))
}

async fn invite<B: Backend>(
    tx: &mut Transaction<B>,
    id: &UserId,
    invitation: &NewInvitation,
    now: Timestamp,
) -> Result<()> {
    tx.execute("DELETE FROM invitations WHERE user_id = $1 AND used_at IS NULL", values![id.as_str()]).await?;
    let insert = "INSERT INTO invitations (token_hash, user_id, purpose, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)";
    let NewInvitation { token_hash, purpose, expires_at } = invitation;
    tx.execute(insert, values![token_hash.as_str(), id.as_str(), purpose.as_str(), now, *expires_at]).await?;
    Ok(())
}

/// All of them, and no browser is known any more.
async fn end_sessions<B: Backend>(tx: &mut Transaction<B>, id: &UserId) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1", values![id.as_str()]).await?;
    tx.execute("DELETE FROM known_devices WHERE user_id = $1", values![id.as_str()]).await?;
    Ok(())
}

async fn set_factor<B: Backend>(tx: &mut Transaction<B>, id: &UserId, factor: Option<&NewFactor>) -> Result<()> {
    let (secret, step) = (factor.map(|it| it.secret.as_str()), factor.map(|it| it.step));
    let set = "UPDATE users SET totp = $2, totp_step = $3 WHERE id = $1";
    tx.execute(set, values![id.as_str(), secret, super::backend::Value::Int(step)]).await?;
    replace_codes(tx, id, factor.map_or(&[], |it| &it.codes)).await
}

async fn replace_codes<B: Backend>(tx: &mut Transaction<B>, id: &UserId, hashes: &[String]) -> Result<()> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", values![id.as_str()]).await?;
    for hash in hashes {
        let insert = "INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)";
        tx.execute(insert, values![id.as_str(), hash.as_str()]).await?;
    }
    Ok(())
}

fn roles(row: &Reader) -> Result<Roles> {
    let text = row.text("roles")?;
    Roles::parse(&text).map_err(|why| StoreError::Row { table: "users", column: "roles", row: String::new(), why })
}

pub(super) fn credentials(row: &Row) -> Result<Credentials> {
    let row = Reader::new(row, "users", "id");
    let (password, totp) = (row.optional_text("password")?, row.optional_text("totp")?);
    let user = User {
        id: UserId(row.text("id")?),
        name: row.text("name")?,
        address: row.address("address")?,
        roles: roles(&row)?,
        language: row.word("language", &Language::ALL, Language::as_str)?,
        has_password: password.is_some(),
        has_second_factor: totp.is_some(),
        recovery_codes: row.number("codes")?,
        sessions: row.number("open_sessions")?,
        created_at: row.instant("created_at")?,
        created_by: row.text("created_by")?,
        seen_at: row.optional_instant("seen_at")?,
        disabled_at: row.optional_instant("disabled_at")?,
    };
    Ok(Credentials { user, password, totp, totp_step: row.optional_number("totp_step")? })
}
