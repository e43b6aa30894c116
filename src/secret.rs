//! Where the secret and the keys of links are, as the configuration says. They are read when something needs them, so that a
//! command that only looks works without them.
//!
//! The secret must never become another one: suppressions are kept by its hashes, and nobody's objection would be known any
//! more. The ledger keeps a check value of it; [`crate::app::Engine::tokens`] compares.

use crate::private;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A secret value as configured: in place, or the file that it is in. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Credential {
    Given {
        value: SecretString,
        /// Where it is written: `/etc/semainier/semainier.toml:4`, or `environment`.
        place: String,
    },
    File {
        path: PathBuf,
        /// Where the path is written.
        place: String,
    },
}

/// Written alike: the same value, or the same file, wherever that is said. What is in the file is not compared.
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
    /// Without the end of its line.
    ///
    /// # Errors
    /// When the file cannot be read, or holds nothing; it is named.
    pub fn read(&self) -> io::Result<SecretString> {
        match self {
            Self::Given { value, .. } => Ok(value.clone()),
            Self::File { path, .. } => {
                read(path).map_err(|why| io::Error::new(why.kind(), format!("{} cannot be read: {why}", whole(path))))
            }
        }
    }
}

/// A file with one secret in it, without the end of its line.
///
/// # Errors
/// When it cannot be read, or holds nothing.
pub fn read(path: &Path) -> io::Result<SecretString> {
    let text = std::fs::read_to_string(path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(io::Error::other("it is empty")),
        secret => Ok(secret.to_owned().into()),
    }
}

/// Where the secret is.
#[derive(Debug, Clone)]
pub enum SecretPlace {
    Configured(Credential),
    /// Beside an SQLite file, made with it.
    Beside(PathBuf),
    /// Nothing is configured, and a server has no place beside it.
    Nowhere,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the secret in {path} cannot be read or made: {why}")]
    File { path: String, why: io::Error },
    #[error("set secret or secret_file in the configuration: with Postgres there is no file to keep one beside")]
    Nowhere,
    #[error(
        "the secret {path} is missing, and the ledger holds opt-outs that only this secret can recognise: put back {path} \
         from the backup. No other one was made. Nothing was imported, frozen or sent"
    )]
    Lost { path: String },
    #[error(
        "the secret of {place} is not the one that this ledger keeps its opt-outs by: put back {file}{hint}. Nothing was \
         imported, frozen or sent"
    )]
    NotTheOne {
        place: String,
        /// What is to be put back.
        file: String,
        /// Where the right one was found, and what to do with it.
        hint: String,
    },
    #[error("the keys of links in {path} cannot be read: {why}")]
    LinkKeys { path: String, why: io::Error },
}

impl SecretPlace {
    /// The secret, as it is there. `None`: there is no file, and none is made.
    ///
    /// # Errors
    /// When it cannot be read, or is configured and missing.
    pub fn read(&self) -> Result<Option<SecretString>, SecretError> {
        let cannot = |path: &Path, why| SecretError::File { path: whole(path), why };
        match self {
            Self::Nowhere => Err(SecretError::Nowhere),
            Self::Configured(Credential::Given { value, .. }) => Ok(Some(value.clone())),
            Self::Configured(Credential::File { path, .. }) | Self::Beside(path) => match read(path) {
                // Beside the database no blank counts, in a configured file all do: so it has always been.
                Ok(secret) if matches!(self, Self::Beside(_)) => {
                    Ok(Some(secret.expose_secret().trim().to_owned().into()))
                }
                Ok(secret) => Ok(Some(secret)),
                Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
                Err(why) => Err(cannot(path, why)),
            },
        }
    }

    /// Makes one where there is none, readable by its owner alone. Only beside an SQLite file; of two that make one at once the
    /// first wins.
    ///
    /// # Errors
    /// When it can be neither made nor read, or must be put where it is configured.
    pub fn make(&self) -> Result<SecretString, SecretError> {
        let failed = |path: &Path, why| SecretError::File { path: whole(path), why };
        match self {
            Self::Beside(path) => {
                let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
                put_once(path, secret.as_bytes()).map_err(|why| failed(path, why))?;
                read(path).map_err(|why| failed(path, why))
            }
            Self::Configured(Credential::File { path, .. }) => Err(failed(
                path,
                io::Error::new(
                    ErrorKind::NotFound,
                    "there is no such file; make one: (umask 077; openssl rand -base64 32 > FILE)",
                ),
            )),
            Self::Configured(Credential::Given { value, .. }) => Ok(value.clone()),
            Self::Nowhere => Err(SecretError::Nowhere),
        }
    }

    /// What is wrong with it as far as it can be told without a ledger; `None`: it is there, or is made with the ledger.
    pub fn problem(&self) -> Option<String> {
        match self.read() {
            Ok(Some(_)) => None,
            Ok(None) if matches!(self, Self::Beside(_)) => None,
            Ok(None) => Some(format!("the secret {} is missing", self.file())),
            Err(why) => Some(why.to_string()),
        }
    }

    /// The file or the key that a person looks for: `/etc/semainier/secret`, `secret (environment)`.
    pub fn file(&self) -> String {
        match self {
            Self::Configured(Credential::Given { place, .. }) => format!("the value of `secret` ({place})"),
            Self::Configured(Credential::File { path, .. }) | Self::Beside(path) => whole(path),
            Self::Nowhere => "secret_file".to_owned(),
        }
    }

    /// As [`Self::file`], with where that is configured.
    pub fn place(&self) -> String {
        match self {
            Self::Configured(Credential::Given { place, .. }) => format!("`secret` ({place})"),
            Self::Configured(Credential::File { path, place }) => format!("{} (secret_file, {place})", whole(path)),
            Self::Beside(path) => whole(path),
            Self::Nowhere => "nowhere".to_owned(),
        }
    }
}

/// With the folder in which it is, wherever one stands.
pub fn whole(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Keys of links, one a line, the newest first; see [`crate::tokens::Tokens::with_link_keys`].
///
/// # Errors
/// When the file cannot be read, holds nothing, or a key that is too short to be one.
pub fn read_link_keys(path: &Path) -> Result<Vec<SecretString>, SecretError> {
    let failed = |why| SecretError::LinkKeys { path: whole(path), why };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let keys: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match keys.iter().find(|key| key.len() < 16 && **key != "secret") {
        _ if keys.is_empty() => Err(failed(io::Error::other("it is empty"))),
        Some(_) => Err(failed(io::Error::other("expected keys of 16 characters or more, one a line"))),
        None => Ok(keys.into_iter().map(|key| SecretString::from(key.to_owned())).collect()),
    }
}

/// Whether two secrets are one.
pub fn is_same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

/// Written whole under another name, then linked to its own: two processes at once end with one file. One that is there stays.
fn put_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        private::create_folder(folder)?;
    }
    let unfinished = private::beside(path, &format!(".{}", std::process::id()));
    private::write_whole(&unfinished, bytes)?;
    let linked = std::fs::hard_link(&unfinished, path);
    std::fs::remove_file(&unfinished)?;
    linked.or_else(|error| if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })?;
    private::sync_folder_of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_beside_a_database_is_made_once_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = SecretPlace::Beside(folder.path().join("semainier.secret"));
        assert!(place.read().unwrap().is_none(), "reading makes none");
        let (first, second) = (place.make().unwrap(), place.make().unwrap());
        assert!(is_same(&first, &second) && is_same(&first, &place.read().unwrap().unwrap()));
        assert!(!format!("{place:?} {first:?}").contains(first.expose_secret()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_configured_file_is_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let place = SecretPlace::Configured(Credential::File { path: path.clone(), place: "environment".to_owned() });
        assert!(place.read().unwrap().is_none());
        assert!(place.make().unwrap_err().to_string().contains("there is no such file"));
        std::fs::write(&path, "\n").unwrap();
        assert!(place.read().unwrap_err().to_string().contains("it is empty"));
    }

    #[test]
    fn keys_of_links_are_one_a_line_and_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        for (text, keys) in [("0123456789abcdef\n\nsecret\n", Some(2)), ("short\n", None), ("\n", None)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read_link_keys(&path).ok().map(|it| it.len()), keys, "{text:?}");
        }
    }
}
