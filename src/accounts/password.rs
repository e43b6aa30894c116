//! Passwords: which are accepted, and how they are hashed (argon2id, 19 MiB, two passes, one lane).

use super::refused;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Semaphore;

/// The fewest and the most characters of a password. No rule about which characters: length is what counts (ASVS 6.2).
pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 128;
/// Hashes computed at once: each takes 19 MiB and a processor.
const AT_ONCE: usize = 2;
/// The hash of no password anybody has: names without an account are checked against it, which takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$5kGcBCkRVV4ZBBQgI0wHCPT0XTr7sBVSDqaVMqXFz9E";

/// Why a password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    TooShort,
    TooLong,
    /// One of the first that are tried: in the list, or a pattern on the keyboard.
    Common,
    /// Name or address of the person, or of the office.
    Personal,
}

/// Checks a new password. `words`: names and addresses that it may not consist of.
///
/// # Errors
/// Why it is not accepted.
pub fn check(password: &str, words: &[&str]) -> Result<(), Unfit> {
    match password.chars().count() {
        0..SHORTEST => return Err(Unfit::TooShort),
        SHORTEST..=LONGEST => {}
        _ => return Err(Unfit::TooLong),
    }
    if refused::is_common(password) {
        return Err(Unfit::Common);
    }
    if refused::is_made_of(password, words) {
        return Err(Unfit::Personal);
    }
    Ok(())
}

/// What a password turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    Wrong,
    Right,
    /// Right, and hashed with other parameters than today's: the hash to keep instead.
    Rehashed(String),
}

/// A hash could not be computed or read.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("password hash: {0}")]
    Hash(password_hash::Error),
    #[error("hashing was interrupted")]
    Interrupted,
}

/// Computes hashes, two at a time, on threads that may block.
#[derive(Debug, Clone)]
pub struct Passwords {
    room: Arc<Semaphore>,
    runs: Arc<AtomicU64>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), runs: Arc::default() }
    }
}

impl Passwords {
    /// A PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…`
    ///
    /// # Errors
    /// When there is not enough memory.
    pub async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        self.run(move || hashed(&password)).await
    }

    /// Checks a password. `known`: the hash of the account, `None` if there is no account or no password yet; that takes
    /// as long, and is never right. Always one run of argon2, and a second one only for a right password of old parameters.
    ///
    /// # Errors
    /// When `known` is not a PHC string, or there is not enough memory.
    pub async fn verify(&self, password: SecretString, known: Option<String>) -> Result<Verified, HashError> {
        let (hash, is_known) = (known.clone().unwrap_or_else(|| NOBODY.to_owned()), known.is_some());
        let (right, old, password) = self
            .run(move || {
                let parsed =
                    PasswordHash::new(&hash).map_err(|_| HashError::Hash(password_hash::Error::EncodingInvalid))?;
                let right = match argon2()?.verify_password(password.expose_secret().as_bytes(), &parsed) {
                    Ok(()) => true,
                    Err(password_hash::Error::PasswordInvalid) => false,
                    Err(why) => return Err(HashError::Hash(why)),
                };
                let old = Params::try_from(&parsed).map_or(true, |it| {
                    (it.m_cost(), it.t_cost(), it.p_cost())
                        != (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST)
                });
                Ok((right && is_known, old, password))
            })
            .await?;
        match (right, old) {
            (false, _) => Ok(Verified::Wrong),
            (true, false) => Ok(Verified::Right),
            (true, true) => Ok(Verified::Rehashed(self.hash(password).await?)),
        }
    }

    /// How many times argon2 ran.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.room).acquire_owned().await.map_err(|_| HashError::Interrupted)?;
        self.runs.fetch_add(1, Ordering::SeqCst);
        let done = tokio::task::spawn_blocking(move || {
            // Until the work is done, even if the caller has been cancelled.
            let _place = place;
            work()
        });
        done.await.map_err(|_| HashError::Interrupted)?
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST, None);
    let params = params.map_err(|_| HashError::Hash(password_hash::Error::ParamsInvalid))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hashed(password: &SecretString) -> Result<String, HashError> {
    let salt: [u8; 16] = rand::random();
    let hash: PasswordHash =
        argon2()?.hash_password_with_salt(password.expose_secret().as_bytes(), &salt).map_err(HashError::Hash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        text.to_owned().into()
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_another_one_is_not() {
        let passwords = Passwords::default();
        let hash = passwords.hash(secret("quatre chevaux blancs")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(secret("quatre chevaux blancs")).await.unwrap(), "each has its salt");
        let verify = async |text: &str| passwords.verify(secret(text), Some(hash.clone())).await.unwrap();
        assert_eq!(verify("quatre chevaux blancs").await, Verified::Right);
        assert_eq!(verify("quatre chevaux noirs").await, Verified::Wrong);
        assert!(passwords.verify(secret("x"), Some("no hash".to_owned())).await.is_err());
    }

    /// Nobody can tell by the time whether there is an account.
    #[tokio::test]
    async fn a_name_without_account_costs_one_run_like_a_wrong_password() {
        let passwords = Passwords::default();
        let hash = passwords.hash(secret("quatre chevaux blancs")).await.unwrap();
        let runs = async |known: Option<String>| {
            let before = passwords.runs();
            assert_eq!(passwords.verify(secret("a wrong password"), known).await.unwrap(), Verified::Wrong);
            passwords.runs() - before
        };
        assert_eq!((runs(Some(hash)).await, runs(None).await), (1, 1));
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (19 * 1024, 2, 1), "the same work");
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), 32);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_replaced_when_the_password_is_right() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
        let old: PasswordHash = weak.hash_password_with_salt(b"quatre chevaux blancs", b"0123456789abcdef").unwrap();
        let passwords = Passwords::default();
        let verify = |text: &str| passwords.verify(secret(text), Some(old.to_string()));
        assert_eq!(verify("quatre chevaux noirs").await.unwrap(), Verified::Wrong);
        let Verified::Rehashed(new) = verify("quatre chevaux blancs").await.unwrap() else { panic!("kept as it was") };
        assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
        assert_eq!(passwords.verify(secret("quatre chevaux blancs"), Some(new)).await.unwrap(), Verified::Right);
    }

    #[test]
    fn length_counts_and_what_is_tried_first_is_refused() {
        let words = ["Claire Dupont", "claire.dupont@office.example", "Office de tourisme d’Auch"];
        let said = |text: &str| check(text, &words);
        assert_eq!(said("elevensigns"), Err(Unfit::TooShort));
        assert_eq!(said(&"é".repeat(11)), Err(Unfit::TooShort));
        assert_eq!(said(&"un mot ".repeat(19)), Err(Unfit::TooLong));
        for common in
            ["motdepasse123", "Azertyuiop123", "123456789012", "aaaaaaaaaaaa", "password1234!", "abcabcabcabcabc"]
        {
            assert_eq!(said(common), Err(Unfit::Common), "{common}");
        }
        for personal in
            ["Claire Dupont 32", "clairedupont2026", "claire.dupont@office.example", "officedetourismedauch"]
        {
            assert_eq!(said(personal), Err(Unfit::Personal), "{personal}");
        }
        for good in ["quatre chevaux blancs", "Claire aime les abricots", "日本語のパスワードを使う"] {
            assert_eq!(said(good), Ok(()), "{good}");
        }
    }
}
