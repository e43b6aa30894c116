//! Keyed hashes: what suppressions are kept by, and what makes an unsubscribe link hard to forge.
//!
//! One secret, two purposes, kept apart by the words that are hashed with it.

use crate::domain::email::EmailAddress;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::io::Write;
use std::path::Path;
use url::Url;

/// Makes and checks tokens. `Debug` shows nothing of the key.
#[derive(Debug, Clone)]
pub struct Tokens(SecretString);

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the secret {path} cannot be read or made: {why}; or set secret (or secret_file) in the configuration")]
    File { path: String, why: std::io::Error },
    #[error("set secret or secret_file in the configuration: with Postgres there is no file to keep one beside")]
    Missing,
}

impl Tokens {
    pub fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// The secret kept beside an SQLite file; made at the first use, readable by its owner alone.
    ///
    /// # Errors
    /// When it can be neither read nor made.
    pub fn beside(database: &Path) -> Result<Self, SecretError> {
        let path = database.with_extension("secret");
        let failed = |why| SecretError::File { path: path.display().to_string(), why };
        match std::fs::read_to_string(&path) {
            Ok(secret) if !secret.trim().is_empty() => Ok(Self(secret.trim().to_owned().into())),
            Ok(_) => Err(failed(std::io::Error::other("it is empty"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
                make_private(&path, &secret).map_err(failed)?;
                // Another process may have been first: what lies on the disk is the secret.
                let secret = std::fs::read_to_string(&path).map_err(failed)?;
                Ok(Self(secret.trim().to_owned().into()))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// What an address is known by once the contact itself is deleted.
    pub fn address_hash(&self, address: &EmailAddress) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&["address", &address.key()]))
    }

    /// The link by which a contact leaves a mailing: under `public_url`, without the address in it.
    pub fn unsubscribe_url(&self, public_url: &Url, contact: &str, mailing: &str) -> String {
        let mac = URL_SAFE_NO_PAD.encode(&self.mac(&["unsubscribe", contact, mailing])[..16]);
        format!("{}/u/{contact}.{mailing}.{mac}", public_url.as_str().trim_end_matches('/'))
    }

    /// Whether a token of [`Self::unsubscribe_url`] is ours: the contact and the mailing it names.
    pub fn check_unsubscribe<'t>(&self, token: &'t str) -> Option<(&'t str, &'t str)> {
        let mut parts = token.split('.');
        let (contact, mailing, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let given = URL_SAFE_NO_PAD.decode(mac).ok().filter(|mac| mac.len() == 16 && parts.next().is_none())?;
        let mut hmac = self.hmac();
        feed(&mut hmac, &["unsubscribe", contact, mailing]);
        hmac.verify_truncated_left(&given).ok()?;
        Some((contact, mailing))
    }

    fn mac(&self, words: &[&str]) -> [u8; 32] {
        let mut hmac = self.hmac();
        feed(&mut hmac, words);
        hmac.finalize().into_bytes().into()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
    fn hmac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(self.0.expose_secret().as_bytes()).expect("any length will do")
    }
}

/// Each word behind its length, so that no two lists of words look alike.
fn feed(hmac: &mut Hmac<Sha256>, words: &[&str]) {
    for word in words {
        hmac.update(&(word.len() as u64).to_be_bytes());
        hmac.update(word.as_bytes());
    }
}

/// Written whole under another name, then linked to its own: two processes at once end with one secret.
fn make_private(path: &Path, secret: &str) -> std::io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let temporary = path.with_extension(format!("secret.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    linked.or_else(|error| if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(secret.to_owned().into())
    }

    #[test]
    fn a_link_names_its_contact_and_mailing_and_nothing_else_passes() {
        let ours = tokens("secret");
        let url = ours.unsubscribe_url(&Url::parse("https://a.example").unwrap(), "c1", "agenda");
        let token = url.strip_prefix("https://a.example/u/").unwrap();
        assert_eq!(ours.check_unsubscribe(token), Some(("c1", "agenda")));
        assert_eq!(tokens("other").check_unsubscribe(token), None);
        for forged in
            [token.replace("c1", "c2"), token.replace("agenda", "newsletter"), token[..token.len() - 1].to_owned()]
        {
            assert_eq!(ours.check_unsubscribe(&forged), None, "{forged}");
        }
    }

    #[test]
    fn an_address_has_one_hash_however_it_is_written() {
        let hash = |text: &str| tokens("secret").address_hash(&EmailAddress::parse(text).unwrap());
        assert_eq!(hash("Hotel@France.example"), hash("hotel@france.example"));
        assert_ne!(hash("hotel@france.example"), hash("gite@france.example"));
    }

    #[test]
    fn the_secret_beside_a_database_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("semainier.db");
        let (first, second) = (Tokens::beside(&database).unwrap(), Tokens::beside(&database).unwrap());
        assert_eq!(first.mac(&["x"]), second.mac(&["x"]));
        assert!(!format!("{first:?}").contains(first.0.expose_secret()));
    }
}
