//! The pages of sources as last fetched.

use super::Ledger;
use super::{
    KeptPage, Result,
    backend::{Backend, Transaction, values},
    rows,
};
use crate::domain::Timestamp;
use async_trait::async_trait;

/// Pages of sources as last fetched, for conditional requests.
#[async_trait]
pub trait Pages: Send + Sync {
    /// The last fetched version, to be used after a `304 Not Modified`.
    async fn kept_page(&self, url: &str) -> Result<Option<KeptPage>>;

    async fn keep_page(&self, url: &str, page: &KeptPage, now: Timestamp) -> Result<()>;
}

#[async_trait]
impl<B: Backend> Pages for Ledger<B> {
    async fn kept_page(&self, url: &str) -> Result<Option<KeptPage>> {
        let mut tx = Transaction::read(&self.0, "reading a kept page").await?;
        let select = "SELECT url, etag, last_modified, content_type, text FROM pages WHERE url = $1";
        tx.row(select, values![url]).await?.as_ref().map(rows::page).transpose()
    }

    async fn keep_page(&self, url: &str, page: &KeptPage, now: Timestamp) -> Result<()> {
        let mut tx = Transaction::write(&self.0, "keeping a page").await?;
        let upsert = "INSERT INTO pages (url, etag, last_modified, content_type, text, fetched_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (url) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified,
                content_type = excluded.content_type, text = excluded.text, fetched_at = excluded.fetched_at";
        let values = values![
            url,
            page.etag.as_deref(),
            page.last_modified.as_deref(),
            page.content_type.as_str(),
            page.text.as_str(),
            now
        ];
        tx.execute(upsert, values).await?;
        tx.commit().await
    }
}
