//! Lanes that are not open, and how often an issue's content was refused in each.

use super::{
    Result,
    backend::{Backend, Transaction, values},
    rows::Reader,
};
use crate::domain::{
    issue::IssueKey,
    lane::{LaneTrouble, Pace},
};

pub(super) async fn all<B: Backend>(db: &B) -> Result<Vec<LaneTrouble>> {
    let mut tx = Transaction::read(db, "reading lanes").await?;
    let read = |row| {
        let row = Reader::new(row, "lanes", "lane");
        Ok(LaneTrouble {
            lane: row.text("lane")?,
            pace: row.word("pace", &Pace::ALL, Pace::as_str)?,
            why: row.text("why")?,
            since: row.instant("since")?,
            until: row.optional_instant("until_at")?,
            issue: row.issue_key("issue")?,
        })
    };
    let select = "SELECT lane, pace, why, since, until_at, issue FROM lanes ORDER BY lane";
    tx.rows(select, values![]).await?.iter().map(read).collect()
}

pub(super) async fn note<B: Backend>(db: &B, it: &LaneTrouble) -> Result<bool> {
    let mut tx = Transaction::write(db, "noting a lane's trouble").await?;
    let upsert = "INSERT INTO lanes (lane, pace, why, since, until_at, issue) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (lane) DO UPDATE SET pace = excluded.pace, why = excluded.why, since = excluded.since,
            until_at = excluded.until_at, issue = excluded.issue
        WHERE lanes.until_at <= excluded.since OR excluded.until_at IS NULL AND lanes.until_at IS NOT NULL
            OR excluded.until_at > lanes.until_at";
    let (lane, pace, why) = (it.lane.as_str(), it.pace.as_str(), it.why.as_str());
    let noted = tx.execute(upsert, values![lane, pace, why, it.since, it.until, &it.issue]).await? == 1;
    tx.commit().await?;
    Ok(noted)
}

pub(super) async fn reopen<B: Backend>(db: &B, lane: &str) -> Result<bool> {
    let mut tx = Transaction::write(db, "reopening a lane").await?;
    let reopened = tx.execute("DELETE FROM lanes WHERE lane = $1", values![lane]).await? == 1;
    tx.execute("DELETE FROM content_refusals WHERE lane = $1", values![lane]).await?;
    tx.commit().await?;
    Ok(reopened)
}

pub(super) async fn refused<B: Backend>(db: &B, issue: &IssueKey, lane: &str) -> Result<u32> {
    let mut tx = Transaction::write(db, "counting a refusal of the content").await?;
    let count = "INSERT INTO content_refusals (issue, lane, refusals) VALUES ($1, $2, 1)
        ON CONFLICT (issue, lane) DO UPDATE SET refusals = content_refusals.refusals + 1 RETURNING issue, refusals";
    let row = tx.row(count, values![issue, lane]).await?;
    let refusals = row.map(|row| Reader::new(&row, "content_refusals", "issue").number("refusals")).transpose()?;
    tx.commit().await?;
    Ok(refusals.unwrap_or_default())
}
