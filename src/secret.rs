//! The secret and the link keys, at the place the configuration names. They are read on demand, so that read-only commands work
//! without them.
//!
//! The secret must never change: suppressions are stored as hashes keyed with it, and would no longer be recognised. The ledger
//! stores a check value of it, which [`crate::app::Engine::tokens`] compares.

use crate::private;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A secret as configured: the value itself, or a file that contains it. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Credential {
    Given {
        value: SecretString,
        /// Where it is configured: `/etc/semainier/semainier.toml:4`, or `environment`.
        place: String,
    },
    File {
        path: PathBuf,
        /// Where the path is configured.
        place: String,
    },
}

/// Configured identically: the same value or the same path, wherever it is configured. The contents of the file are not compared.
impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given { value: a, .. }, Self::Given { value: b, .. }) => a.expose_secret() == b.expose_secret(),
            (Self::File { path: a, .. }, Self::File { path: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl Credential {
    /// Reads the secret, without a line end.
    ///
    /// # Errors
    /// When the file cannot be read or is empty; the error names it.
    pub fn read(&self) -> io::Result<SecretString> {
        match self {
            Self::Given { value, .. } => Ok(value.clone()),
            Self::File { path, .. } => read(path)
                .map_err(|why| io::Error::new(why.kind(), format!("{} cannot be read: {why}", absolute(path)))),
        }
    }
}

/// Reads a file that contains one secret, without a line end.
///
/// # Errors
/// When it cannot be read or is empty.
pub fn read(path: &Path) -> io::Result<SecretString> {
    let text = std::fs::read_to_string(path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(io::Error::other("it is empty")),
        secret => Ok(secret.to_owned().into()),
    }
}

/// Where the secret is stored.
#[derive(Debug, Clone)]
pub enum SecretPlace {
    Configured(Credential),
    /// Beside an SQLite file, and created with it.
    Beside(PathBuf),
    /// Not configured, and the database is a server, so there is no default location.
    Nowhere,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot read or create the secret in {path}: {why}")]
    File { path: String, why: io::Error },
    #[error("set secret or secret_file in the configuration: with Postgres there is no default location for it")]
    Nowhere,
    #[error(
        "the secret {path} is missing, and the ledger contains opt-outs that only this secret can recognise: restore {path} \
         from the backup. No new secret was created. Nothing was imported, frozen or sent"
    )]
    Lost { path: String },
    #[error(
        "the secret of {place} does not match this ledger's opt-outs: restore {file}{hint}. Nothing was \
         imported, frozen or sent"
    )]
    NotTheOne {
        place: String,
        /// What to restore.
        file: String,
        /// Where the matching secret was found, and what to do with it.
        hint: String,
    },
    #[error("cannot read the link keys in {path}: {why}")]
    LinkKeys { path: String, why: io::Error },
}

impl SecretPlace {
    /// Reads the secret. `None`: there is no file; none is created.
    ///
    /// # Errors
    /// When it cannot be read, or is configured and missing.
    pub fn read(&self) -> Result<Option<SecretString>, SecretError> {
        let cannot = |path: &Path, why| SecretError::File { path: absolute(path), why };
        match self {
            Self::Nowhere => Err(SecretError::Nowhere),
            Self::Configured(Credential::Given { value, .. }) => Ok(Some(value.clone())),
            Self::Configured(Credential::File { path, .. }) | Self::Beside(path) => match read(path) {
                // For compatibility: surrounding spaces are trimmed beside the database, but count in a configured file.
                Ok(secret) if matches!(self, Self::Beside(_)) => {
                    Ok(Some(secret.expose_secret().trim().to_owned().into()))
                }
                Ok(secret) => Ok(Some(secret)),
                Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
                Err(why) => Err(cannot(path, why)),
            },
        }
    }

    /// Creates a secret if there is none, readable by its owner only. Only beside an SQLite file; if two processes create one at
    /// once, the first wins.
    ///
    /// # Errors
    /// When it can be neither created nor read, or is configured elsewhere and missing.
    pub fn make(&self) -> Result<SecretString, SecretError> {
        let failed = |path: &Path, why| SecretError::File { path: absolute(path), why };
        match self {
            Self::Beside(path) => {
                let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
                create_once(path, secret.as_bytes()).map_err(|why| failed(path, why))?;
                read(path).map_err(|why| failed(path, why))
            }
            Self::Configured(Credential::File { path, .. }) => Err(failed(
                path,
                io::Error::new(
                    ErrorKind::NotFound,
                    "there is no such file; create it: (umask 077; openssl rand -base64 32 > FILE)",
                ),
            )),
            Self::Configured(Credential::Given { value, .. }) => Ok(value.clone()),
            Self::Nowhere => Err(SecretError::Nowhere),
        }
    }

    /// The problem with the secret, as far as it can be known without the ledger; `None`: it exists, or is created with the
    /// ledger.
    pub fn problem(&self) -> Option<String> {
        match self.read() {
            Ok(Some(_)) => None,
            Ok(None) if matches!(self, Self::Beside(_)) => None,
            Ok(None) => Some(format!("the secret {} is missing", self.file())),
            Err(why) => Some(why.to_string()),
        }
    }

    /// The file or the configuration key: `/etc/semainier/secret`, ``the value of `secret` (environment)``.
    pub fn file(&self) -> String {
        match self {
            Self::Configured(Credential::Given { place, .. }) => format!("the value of `secret` ({place})"),
            Self::Configured(Credential::File { path, .. }) | Self::Beside(path) => absolute(path),
            Self::Nowhere => "secret_file".to_owned(),
        }
    }

    /// Like [`Self::file`], with where it is configured.
    pub fn place(&self) -> String {
        match self {
            Self::Configured(Credential::Given { place, .. }) => format!("`secret` ({place})"),
            Self::Configured(Credential::File { path, place }) => format!("{} (secret_file, {place})", absolute(path)),
            Self::Beside(path) => absolute(path),
            Self::Nowhere => "nowhere".to_owned(),
        }
    }
}

/// The absolute path, for messages.
pub fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Reads link keys, one per line, the newest first; see [`crate::tokens::Tokens::with_link_keys`].
///
/// # Errors
/// When the file cannot be read, is empty, or contains a key of fewer than 16 characters.
pub fn read_link_keys(path: &Path) -> Result<Vec<SecretString>, SecretError> {
    let failed = |why| SecretError::LinkKeys { path: absolute(path), why };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let keys: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match keys.iter().find(|key| key.len() < 16 && **key != "secret") {
        _ if keys.is_empty() => Err(failed(io::Error::other("it is empty"))),
        Some(_) => Err(failed(io::Error::other("expected keys of 16 characters or more, one per line"))),
        None => Ok(keys.into_iter().map(|key| SecretString::from(key.to_owned())).collect()),
    }
}

/// Whether two secrets are equal.
pub fn is_equal(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

/// Writes a temporary file and links it to the final name: of two concurrent processes one wins, and an existing file is kept.
fn create_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        private::create_folder(folder)?;
    }
    let unfinished = private::beside(path, &format!(".{}", std::process::id()));
    private::write_atomically(&unfinished, bytes)?;
    let linked = std::fs::hard_link(&unfinished, path);
    std::fs::remove_file(&unfinished)?;
    linked.or_else(|error| if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })?;
    private::sync_folder_of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_beside_a_database_is_created_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let place = SecretPlace::Beside(folder.path().join("semainier.secret"));
        assert!(place.read().unwrap().is_none(), "reading makes none");
        let (first, second) = (place.make().unwrap(), place.make().unwrap());
        assert!(is_equal(&first, &second) && is_equal(&first, &place.read().unwrap().unwrap()));
        assert!(!format!("{place:?} {first:?}").contains(first.expose_secret()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_configured_secret_file_is_never_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let place = SecretPlace::Configured(Credential::File { path: path.clone(), place: "environment".to_owned() });
        assert!(place.read().unwrap().is_none());
        assert!(place.make().unwrap_err().to_string().contains("there is no such file"));
        std::fs::write(&path, "\n").unwrap();
        assert!(place.read().unwrap_err().to_string().contains("it is empty"));
    }

    #[test]
    fn link_keys_are_one_per_line_and_have_a_minimum_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        for (text, keys) in [("0123456789abcdef\n\nsecret\n", Some(2)), ("short\n", None), ("\n", None)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read_link_keys(&path).ok().map(|it| it.len()), keys, "{text:?}");
        }
    }
}
