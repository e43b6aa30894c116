//! Letting people in: password, then the second factor. Tries are counted in the ledger before they are looked at, for the
//! account and for the network they come from; a browser on which the person logged in before is counted by itself, so that a
//! stranger's failures delay nobody else.

use super::entry;
use crate::accounts::{
    UserId, code,
    password::{HashError, Passwords, Verified},
    session,
    throttle::{FREE_FOR_ACCOUNT, FREE_FOR_NETWORK},
    totp::Secret,
};
use crate::actions::Actor;
use crate::domain::{Timestamp, email::EmailAddress};
use crate::store::{Counter, Credentials, NewSession, Session, Stage, Store, StoreError};
use secrecy::SecretString;
use serde_json::json;
use tracing::{info, warn};

/// Longer than any address (RFC 5321 4.5.3.1).
const LONGEST_NAME: usize = 320;

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// `192.0.2.0/24`, `2001:db8::/56`
    pub network: String,
    /// `Firefox, Linux`
    pub label: String,
    pub request_id: Option<String>,
    /// The token by which the browser is known.
    pub device: Option<String>,
}

/// What the steps of a login need.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    pub store: &'a dyn Store,
    pub passwords: &'a Passwords,
    pub client: &'a Client,
    pub now: Timestamp,
}

/// A session was opened: what the browser gets.
#[derive(Debug)]
pub struct Opened {
    pub user: UserId,
    pub token: String,
    /// By which the browser is known from now on.
    pub device: Option<String>,
    pub kept: bool,
}

/// The result of a step.
#[derive(Debug)]
pub enum Step {
    In(Opened),
    /// The password was right; the second factor is next.
    Half(Opened),
    /// No word about what was wrong.
    Wrong,
    /// Not looked at; the next try is, then.
    Later(Timestamp),
    /// The password was right, but the roles need a second factor, and the account has none.
    NoSecondFactor,
}

/// A step failed: nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hash(#[from] HashError),
}

type Result<T> = std::result::Result<T, LoginError>;

impl Door<'_> {
    /// The first step. `kept`: the person wants to stay logged in on this device. `replaced`: hash of the session that the
    /// browser had.
    ///
    /// # Errors
    /// A database that cannot be read or written, or not enough memory.
    pub async fn password(
        &self,
        address: &str,
        password: SecretString,
        kept: bool,
        replaced: Option<&str>,
    ) -> Result<Step> {
        let name: String = address.trim().chars().take(LONGEST_NAME).collect();
        let key = EmailAddress::parse(&name).map_or_else(|_| name.to_lowercase(), |address| address.key());
        let known = self.store.credentials_by_address(&key, self.now).await?;
        // The same reads for a name without account.
        let nobody = UserId(String::new());
        let user = known.as_ref().map_or(&nobody, |it| &it.user.id);
        let counters = self.counters(user, &format!("account {key}")).await?;
        if let Some(later) = self.store.count_try(&counters, self.now).await? {
            self.refused(known.as_ref(), "throttled");
            return Ok(Step::Later(later));
        }
        let hash = known.as_ref().filter(|it| it.user.disabled_at.is_none()).and_then(|it| it.password.clone());
        let verified = self.passwords.verify(password, hash.clone()).await?;
        let Some(known) = known.filter(|_| verified != Verified::Wrong) else {
            warn!(event = "login.failed", network = self.client.network, "a login failed");
            return Ok(Step::Wrong);
        };
        self.succeeded(counters).await?;
        if let (Verified::Rehashed(new), Some(old)) = (&verified, &hash) {
            self.store.rehash_password(&known.user.id, old, new).await?;
        }
        match (known.totp.is_some(), known.user.roles.need_second_factor()) {
            (true, _) => {
                let half = self.open(&known.user.id, Stage::Half, kept, replaced, None, "").await?;
                Ok(half.map_or(Step::Wrong, Step::Half))
            }
            (false, true) => {
                self.refused(Some(&known), "no second factor");
                Ok(Step::NoSecondFactor)
            }
            (false, false) => self.let_in(&known.user.id, kept, replaced).await,
        }
    }

    /// The second step: a code of the application, or a recovery code. `half`: the session of the first step, and the hash of
    /// its token.
    ///
    /// # Errors
    /// A database that cannot be read or written.
    pub async fn second_factor(&self, half: &Session, token_hash: &str, given: &str) -> Result<Step> {
        let counters = self.counters(&half.user, &format!("code {}", half.user.as_str())).await?;
        if let Some(later) = self.store.count_try(&counters, self.now).await? {
            warn!(event = "login.throttled", user = half.user.as_str(), "a second factor was not looked at");
            return Ok(Step::Later(later));
        }
        let known = self.store.credentials(&half.user, self.now).await?;
        let Some(known) = known.filter(|it| it.user.disabled_at.is_none()) else { return Ok(Step::Wrong) };
        if !self.is_right_code(&known, given).await? {
            warn!(event = "login.failed", user = half.user.as_str(), "a second factor was wrong");
            return Ok(Step::Wrong);
        }
        self.succeeded(counters).await?;
        self.let_in(&known.user.id, half.kept, Some(token_hash)).await
    }

    async fn is_right_code(&self, known: &Credentials, given: &str) -> Result<bool> {
        let (user, given) = (&known.user.id, given.trim());
        let secret = known.totp.as_deref().and_then(Secret::parse);
        if let Some(step) = secret.and_then(|secret| secret.check(given, self.now, known.totp_step)) {
            return Ok(self.store.use_totp_step(user, step).await?);
        }
        let actor = self.actor(user, &known.user.name);
        let entry = entry(&actor, "login.recovery_code", user, &json!({}), self.now);
        Ok(self.store.use_recovery_code(user, &code::recovery_hash(given), &entry, self.now).await?)
    }

    /// Re-authenticates the logged-in user by the password. The session gets a new token.
    ///
    /// # Errors
    /// A database that cannot be read or written, or not enough memory.
    pub async fn prove(&self, session: &Session, token_hash: &str, password: SecretString) -> Result<Step> {
        let Some(known) = self.store.credentials(&session.user, self.now).await? else { return Ok(Step::Wrong) };
        if let Some(step) = self.check_password(&known, password).await? {
            return Ok(step);
        }
        let again = Again { opened_at: session.created_at, proved_at: self.now };
        let user = &session.user;
        let opened = self.open(user, Stage::Full, session.kept, Some(token_hash), Some(again), "session.prove").await?;
        Ok(opened.map_or(Step::Wrong, Step::In))
    }

    /// `None`: it is right.
    pub(super) async fn check_password(&self, known: &Credentials, password: SecretString) -> Result<Option<Step>> {
        let counters = vec![counter(&format!("prove {}", known.user.id.as_str()), FREE_FOR_ACCOUNT)];
        if let Some(later) = self.store.count_try(&counters, self.now).await? {
            return Ok(Some(Step::Later(later)));
        }
        if self.passwords.verify(password, known.password.clone()).await? == Verified::Wrong {
            warn!(event = "proof.failed", user = known.user.id.as_str(), "a password was wrong");
            return Ok(Some(Step::Wrong));
        }
        self.store.try_succeeded(&counters, &[], self.now).await?;
        Ok(None)
    }

    /// A complete session, in a browser that is known from now on.
    async fn let_in(&self, user: &UserId, kept: bool, replaced: Option<&str>) -> Result<Step> {
        let Some(mut opened) = self.open(user, Stage::Full, kept, replaced, None, "login").await? else {
            return Ok(Step::Wrong);
        };
        let device = self.client.device.clone().unwrap_or_else(code::token);
        self.store.know_device(&code::hash(&device), user, self.now).await?;
        opened.device = Some(device);
        info!(event = "login", user = user.as_str(), network = self.client.network, "somebody logged in");
        Ok(Step::In(opened))
    }

    /// A session with a new token. `None`: the account was disabled or reset meanwhile.
    pub(super) async fn open(
        &self,
        user: &UserId,
        stage: Stage,
        kept: bool,
        replaced: Option<&str>,
        again: Option<Again>,
        action: &str,
    ) -> Result<Option<Opened>> {
        let token = code::token();
        let again = again.unwrap_or(Again { opened_at: self.now, proved_at: self.now });
        let (expires_at, idle_until) = match stage {
            Stage::Half => (self.now + session::HALF, self.now + session::HALF),
            Stage::Full => session::ends(kept, again.opened_at, self.now),
        };
        let new = NewSession {
            token_hash: code::hash(&token),
            user: user.clone(),
            stage,
            kept,
            opened_at: again.opened_at,
            expires_at,
            idle_until,
            proved_at: again.proved_at,
            label: self.client.label.clone(),
            network: self.client.network.clone(),
        };
        let actor = self.actor(user, "");
        let entry = (!action.is_empty()).then(|| entry(&actor, action, user, &json!({}), self.now));
        let opened = self.store.open_session(&new, replaced, entry.as_ref(), self.now).await?;
        Ok(opened.then(|| Opened { user: user.clone(), token, device: None, kept }))
    }

    pub(super) fn actor(&self, user: &UserId, name: &str) -> Actor {
        Actor::of_user(user, name, self.client.request_id.clone(), &self.client.network)
    }

    /// What the try counts for: the browser, if the person logged in with it before; otherwise account and network.
    async fn counters(&self, user: &UserId, account: &str) -> Result<Vec<Counter>> {
        if let Some(device) = &self.client.device {
            let hash = code::hash(device);
            if self.store.is_known_device(&hash, user).await? {
                return Ok(vec![counter(&format!("device {hash} {}", user.as_str()), FREE_FOR_ACCOUNT)]);
            }
        }
        let network = counter(&format!("network {}", self.client.network), FREE_FOR_NETWORK);
        Ok(vec![counter(account, FREE_FOR_ACCOUNT), network])
    }

    /// The network keeps the failures of others.
    async fn succeeded(&self, counters: Vec<Counter>) -> Result<()> {
        let (eased, cleared): (Vec<_>, Vec<_>) = counters.into_iter().partition(|it| it.free == FREE_FOR_NETWORK);
        Ok(self.store.try_succeeded(&cleared, &eased, self.now).await?)
    }

    fn refused(&self, known: Option<&Credentials>, why: &str) {
        let user = known.map_or("", |it| it.user.id.as_str());
        warn!(event = "login.refused", user, network = self.client.network, why, "a login was refused");
    }
}

/// Of a session that goes on under a new token.
#[derive(Clone, Copy)]
pub(super) struct Again {
    pub opened_at: Timestamp,
    pub proved_at: Timestamp,
}

/// The ledger keeps a hash: what somebody typed as their name may be a password.
fn counter(of: &str, free: u32) -> Counter {
    Counter { key: code::hash(&format!("login {of}")), free }
}
