//! Properties of the ledger itself: the check value of its secret, and whether it was restored from a backup or moved.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::{Timestamp, email::EmailAddress};
use async_trait::async_trait;

/// The secret of this ledger's hashes, identified by a check value (F1).
#[async_trait]
pub trait SecretCheck: Send + Sync {
    /// [`crate::tokens::Tokens::check_value`]; `None`: none has been stored yet.
    async fn secret_check(&self) -> Result<Option<String>>;

    /// Stores it if there is none, and returns the stored one: of two concurrent processes the first wins.
    async fn keep_secret_check(&self, value: &str) -> Result<String>;

    /// Whether the ledger contains hashes of addresses, which would not match under another secret.
    async fn holds_hashes(&self) -> Result<bool>;

    /// Addresses of contacts with their hashes, the newest first, at most `most`.
    async fn hashed_addresses(&self, most: u32) -> Result<Vec<(EmailAddress, String)>>;
}

#[async_trait]
impl<B: Backend> SecretCheck for Ledger<B> {
    async fn secret_check(&self) -> Result<Option<String>> {
        let mut tx = Transaction::read(&self.0, "reading the check value of the secret").await?;
        get(&mut tx, SECRET).await
    }

    async fn keep_secret_check(&self, value: &str) -> Result<String> {
        let mut tx = Transaction::write(&self.0, "keeping the check value of the secret").await?;
        let keep = "INSERT INTO properties (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        tx.execute(keep, values![SECRET, value]).await?;
        let kept = get(&mut tx, SECRET).await?.unwrap_or_default();
        tx.commit().await?;
        Ok(kept)
    }

    async fn holds_hashes(&self) -> Result<bool> {
        let mut tx = Transaction::read(&self.0, "looking for what is kept by hash").await?;
        let any = "SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM contacts) OR EXISTS (SELECT 1 FROM suppressions)
            OR EXISTS (SELECT 1 FROM subscription_changes) OR EXISTS (SELECT 1 FROM deliveries)";
        Ok(tx.row(any, values![]).await?.is_some())
    }

    async fn hashed_addresses(&self, most: u32) -> Result<Vec<(EmailAddress, String)>> {
        let mut tx = Transaction::read(&self.0, "reading hashes of contacts").await?;
        let select = "SELECT id, address, address_hash FROM contacts ORDER BY id DESC LIMIT $1";
        let read = |row| {
            let row = Reader::new(row, "contacts", "id");
            Ok((row.address("address")?, row.text("address_hash")?))
        };
        tx.rows(select, values![most]).await?.iter().map(read).collect()
    }
}

/// Names of properties, see [`get`].
pub(super) const SECRET: &str = "secret";
pub(super) const RESTORED: &str = "restored";
pub(super) const MOVED: &str = "moved";
/// Used on Postgres only; never copied to another database.
pub(super) const PLACE: &str = "place";

pub(super) async fn get<B: Backend>(tx: &mut Transaction<B>, name: &str) -> Result<Option<String>> {
    let row = tx.row("SELECT name, value FROM properties WHERE name = $1", values![name]).await?;
    row.map(|row| Reader::new(&row, "properties", "name").text("value")).transpose()
}

pub(super) async fn set<B: Backend>(tx: &mut Transaction<B>, name: &str, value: &str) -> Result<()> {
    let set = "INSERT INTO properties (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(set, values![name, value]).await?;
    Ok(())
}

pub(super) async fn remove<B: Backend>(tx: &mut Transaction<B>, name: &str) -> Result<()> {
    tx.execute("DELETE FROM properties WHERE name = $1", values![name]).await?;
    Ok(())
}

/// The stored form of a mark with its instant.
pub(super) fn mark(at: Timestamp) -> String {
    at.timestamp_millis().to_string()
}

/// The instant of a mark; an unreadable value still counts as a mark.
pub(super) fn marked_at(value: &str) -> Timestamp {
    value.parse().ok().and_then(Timestamp::from_timestamp_millis).unwrap_or_default()
}
