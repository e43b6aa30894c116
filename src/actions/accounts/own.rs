//! What each person changes of their own account: password, second factor, recovery codes; and the invitation.

use super::entry;
use super::login::{Again, Door, LoginError, Opened, Step};
use crate::accounts::{
    code,
    password::{self, Unfit},
    totp::Secret,
};
use crate::store::{Credentials, NewFactor, Session, Stage};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tracing::info;

type Result<T> = std::result::Result<T, LoginError>;

/// Why a change was not made, by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    Password(Unfit),
    /// The two are not the same.
    Repeat,
    /// The code does not belong to the secret that was shown.
    Code,
}

/// The second factor as a form brings it back: the secret that was shown, and a code of it.
#[derive(Debug)]
pub struct Proposed {
    pub secret: Secret,
    pub code: String,
}

/// A password, twice.
#[derive(Debug)]
pub struct NewPassword {
    pub first: SecretString,
    pub again: SecretString,
}

/// An invitation was accepted.
#[derive(Debug)]
pub enum Accepted {
    /// Recovery codes, shown once; empty without a second factor.
    Done(Vec<String>),
    Problems(Vec<Problem>),
    /// It was used before, it has expired, or the account was disabled.
    NotOpen,
}

/// The result of a change.
#[derive(Debug)]
pub enum Own {
    /// All sessions ended; this one takes the place of the person's own.
    Done(Opened),
    Problems(Vec<Problem>),
    /// The present password is wrong, or too many tries.
    Refused(Step),
}

impl Door<'_> {
    /// Sets password and second factor by a link. `office`: a password may not be its name. `factor` may be missing where no
    /// role needs one.
    ///
    /// # Errors
    /// A database that cannot be read or written, or not enough memory.
    pub async fn accept(
        &self,
        token: &str,
        password: NewPassword,
        factor: Option<Proposed>,
        office: &str,
    ) -> Result<Accepted> {
        let hash = code::hash(token);
        let Some(invited) = self.store.invited(&hash, self.now).await? else { return Ok(Accepted::NotOpen) };
        let mut problems = check(&password, &invited, office);
        let factor = match factor {
            Some(proposed) => self.proven(&proposed).map(Some).ok_or(Problem::Code),
            None if invited.user.roles.need_second_factor() => Err(Problem::Code),
            None => Ok(None),
        };
        problems.extend(factor.as_ref().err());
        if !problems.is_empty() {
            return Ok(Accepted::Problems(problems));
        }
        let (factor, codes) = factor.ok().flatten().unzip();
        let kept = self.passwords.hash(password.first).await?;
        let user = &invited.user.id;
        let entry = entry(&self.actor(user, ""), "user.accept", user, &json!({}), self.now);
        match self.store.accept_invitation(&hash, &kept, factor.as_ref(), &entry, self.now).await? {
            true => {
                info!(event = "invitation.accepted", user = user.as_str(), "an invitation was accepted");
                Ok(Accepted::Done(codes.unwrap_or_default()))
            }
            false => Ok(Accepted::NotOpen),
        }
    }

    /// Changes the password of the logged-in user.
    ///
    /// # Errors
    /// A database that cannot be read or written, or not enough memory.
    pub async fn change_password(
        &self,
        session: &Session,
        present: SecretString,
        password: NewPassword,
        office: &str,
    ) -> Result<Own> {
        let Some(known) = self.store.credentials(&session.user, self.now).await? else {
            return Ok(Own::Refused(Step::Wrong));
        };
        if let Some(step) = self.check_password(&known, present).await? {
            return Ok(Own::Refused(step));
        }
        let problems = check(&password, &known, office);
        if !problems.is_empty() {
            return Ok(Own::Problems(problems));
        }
        let (user, old) = (&session.user, known.password.as_deref().unwrap_or_default());
        let new = self.passwords.hash(password.first).await?;
        let entry = entry(&self.actor(user, ""), "user.password", user, &json!({}), self.now);
        if !self.store.set_password(user, old, &new, &entry).await? {
            return Ok(Own::Refused(Step::Wrong));
        }
        info!(event = "password.changed", user = user.as_str(), "a password was changed; the sessions ended");
        self.again(session, self.now).await
    }

    /// Sets another second factor, with new recovery codes; `None` where the code is not of that secret.
    ///
    /// # Errors
    /// A database that cannot be read or written.
    pub async fn change_factor(&self, session: &Session, proposed: &Proposed) -> Result<Option<(Own, Vec<String>)>> {
        let Some((factor, codes)) = self.proven(proposed) else { return Ok(None) };
        let user = &session.user;
        let entry = entry(&self.actor(user, ""), "user.second_factor", user, &json!({}), self.now);
        self.store.set_second_factor(user, Some(&factor), &entry).await?;
        info!(event = "factor.changed", user = user.as_str(), "a second factor was set; the sessions ended");
        Ok(Some((self.again(session, session.proved_at).await?, codes)))
    }

    /// New recovery codes in place of all earlier ones.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub async fn new_codes(&self, session: &Session) -> Result<Vec<String>> {
        let codes = code::recovery_codes();
        let hashes: Vec<_> = codes.iter().map(|it| code::recovery_hash(it)).collect();
        let entry = entry(&self.actor(&session.user, ""), "user.recovery_codes", &session.user, &json!({}), self.now);
        self.store.set_recovery_codes(&session.user, &hashes, &entry).await?;
        Ok(codes)
    }

    /// All sessions ended: the person goes on in a new one.
    async fn again(&self, session: &Session, proved_at: crate::domain::Timestamp) -> Result<Own> {
        let again = Again { opened_at: session.created_at, proved_at };
        let opened = self.open(&session.user, Stage::Full, session.kept, None, Some(again), "").await?;
        let Some(mut opened) = opened else { return Ok(Own::Refused(Step::Wrong)) };
        let device = code::token();
        self.store.know_device(&code::hash(&device), &session.user, self.now).await?;
        opened.device = Some(device);
        Ok(Own::Done(opened))
    }

    /// With new recovery codes; `None`: the code is not of that secret.
    fn proven(&self, proposed: &Proposed) -> Option<(NewFactor, Vec<String>)> {
        let step = proposed.secret.check(&proposed.code, self.now, None)?;
        let codes = code::recovery_codes();
        let hashes = codes.iter().map(|it| code::recovery_hash(it)).collect();
        Some((NewFactor { secret: proposed.secret.base32(), step, codes: hashes }, codes))
    }
}

fn check(password: &NewPassword, known: &Credentials, office: &str) -> Vec<Problem> {
    let first = password.first.expose_secret();
    let address = known.user.address.to_string();
    let words = [known.user.name.as_str(), address.as_str(), office];
    let mut problems = Vec::new();
    problems.extend(password::check(first, &words).err().map(Problem::Password));
    if !code::is_same(first, password.again.expose_secret()) {
        problems.push(Problem::Repeat);
    }
    problems
}
