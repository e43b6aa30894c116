//! Mail owed to staff, and the pages of sources as last fetched.

use super::{
    KeptPage, Notice, Result,
    backend::{Backend, Transaction, values},
    rows,
};
use crate::domain::{Timestamp, issue::IssueKey};

pub(super) async fn owe<B: Backend>(db: &B, issue: &IssueKey, kind: &str, text: &str, now: Timestamp) -> Result<bool> {
    let mut tx = Transaction::write(db, "owing a notice").await?;
    let insert = "INSERT INTO notices (id, issue, kind, text, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING";
    let owed = tx.execute(insert, values![format!("{kind}:{issue}"), issue, kind, text, now]).await? == 1;
    tx.commit().await?;
    Ok(owed)
}

pub(super) async fn owe_of_paused<B: Backend>(db: &B, now: Timestamp) -> Result<u64> {
    let mut tx = Transaction::write(db, "owing notices of paused issues").await?;
    // `WHERE` before `ON`: without it SQLite would take the conflict clause for a join.
    let insert = "INSERT INTO notices (id, issue, kind, text, created_at)
        SELECT 'paused:' || key, key, 'paused', COALESCE(reason, ''), $1 FROM issues WHERE state = 'paused'
        ON CONFLICT DO NOTHING";
    let owed = tx.execute(insert, values![now]).await?;
    tx.commit().await?;
    Ok(owed)
}

pub(super) async fn owed<B: Backend>(db: &B) -> Result<Vec<Notice>> {
    let mut tx = Transaction::read(db, "reading owed notices").await?;
    let select = "SELECT id, issue, kind, text, created_at FROM notices WHERE sent_at IS NULL ORDER BY created_at, id";
    tx.rows(select, values![]).await?.iter().map(rows::notice).collect()
}

pub(super) async fn sent<B: Backend>(db: &B, id: &str, now: Timestamp) -> Result<()> {
    let mut tx = Transaction::write(db, "recording a sent notice").await?;
    tx.execute("UPDATE notices SET sent_at = $2 WHERE id = $1 AND sent_at IS NULL", values![id, now]).await?;
    tx.commit().await
}

pub(super) async fn kept_page<B: Backend>(db: &B, url: &str) -> Result<Option<KeptPage>> {
    let mut tx = Transaction::read(db, "reading a kept page").await?;
    let select = "SELECT url, etag, last_modified, content_type, text FROM pages WHERE url = $1";
    tx.row(select, values![url]).await?.as_ref().map(rows::page).transpose()
}

pub(super) async fn keep_page<B: Backend>(db: &B, url: &str, page: &KeptPage, now: Timestamp) -> Result<()> {
    let mut tx = Transaction::write(db, "keeping a page").await?;
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
