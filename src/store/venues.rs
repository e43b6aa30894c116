//! In which commune a venue is, as articles, structured sources and persons said it.

use super::Ledger;
use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::venue::{Origin, VenueStatement};
use async_trait::async_trait;

/// Which venue is in which commune.
#[async_trait]
pub trait Venues: Send + Sync {
    /// Everything that was said, by the key of the venue, then by commune.
    async fn venues(&self) -> Result<Vec<VenueStatement>>;

    /// Adds what a frozen issue says. What is known already keeps its first instant.
    async fn learn_venues(&self, statements: &[VenueStatement]) -> Result<()>;

    /// The word of a person, in place of what a person said before of this venue.
    async fn set_venue(&self, statement: &VenueStatement) -> Result<()>;

    /// Removes all that was said of the venue with this key. Returns how many statements there were.
    async fn forget_venue(&self, venue: &str) -> Result<u64>;
}

#[async_trait]
impl<B: Backend> Venues for Ledger<B> {
    async fn venues(&self) -> Result<Vec<VenueStatement>> {
        let mut tx = Transaction::read(&self.0, "reading the venues").await?;
        let select =
            "SELECT venue, name, commune, origin, said_in, said_at FROM venues ORDER BY venue, commune, origin";
        let read = |row| {
            let row = Reader::new(row, "venues", "venue");
            Ok(VenueStatement {
                venue: row.text("venue")?,
                name: row.text("name")?,
                commune: row.text("commune")?,
                origin: row.word("origin", &Origin::ALL, Origin::as_str)?,
                said_in: row.text("said_in")?,
                said_at: row.instant("said_at")?,
            })
        };
        tx.rows(select, values![]).await?.iter().map(read).collect()
    }

    async fn learn_venues(&self, statements: &[VenueStatement]) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "learning venues").await?;
        for it in statements {
            insert(&mut tx, it).await?;
        }
        tx.commit().await
    }

    async fn set_venue(&self, statement: &VenueStatement) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "setting a venue").await?;
        let before = "DELETE FROM venues WHERE venue = $1 AND origin = 'person'";
        tx.execute(before, values![statement.venue.as_str()]).await?;
        insert(&mut tx, statement).await?;
        tx.commit().await
    }

    async fn forget_venue(&self, venue: &str) -> Result<u64> {
        let mut tx = Transaction::write(&self.0, "forgetting a venue").await?;
        let gone = tx.execute("DELETE FROM venues WHERE venue = $1", values![venue]).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

async fn insert<B: Backend>(tx: &mut Transaction<B>, it: &VenueStatement) -> Result<()> {
    let insert = "INSERT INTO venues (venue, name, commune, origin, said_in, said_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (venue, commune, origin) DO NOTHING";
    let values = values![
        it.venue.as_str(),
        it.name.as_str(),
        it.commune.as_str(),
        it.origin.as_str(),
        it.said_in.as_str(),
        it.said_at
    ];
    tx.execute(insert, values).await?;
    Ok(())
}
