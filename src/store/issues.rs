//! Issues: held, frozen, closed. Freezing is one transaction: content, recipients and state, or nothing (K2).

use super::{
    Frozen, Result,
    backend::{Backend, Transaction, values},
    rows, segment,
};
use crate::domain::{
    Timestamp,
    issue::{Attachment, Content, IssueKey, IssueState, IssueSummary, NewIssue},
};
use std::collections::HashMap;

/// The newest first.
macro_rules! issues {
    ($where:literal) => {
        concat!(
            "SELECT key, mailing, state, reason, scheduled_for, expires_at, frozen_at, closed_at, subject, content_hash
            FROM issues ",
            $where,
            " ORDER BY scheduled_for DESC, key DESC"
        )
    };
}

/// Nine sums in one walk over an index: grouping by state would sort the whole of it first.
macro_rules! counts {
    ($where:literal) => {
        concat!(
            "SELECT issue,
                count(*) FILTER (WHERE state = 'queued') AS queued,
                count(*) FILTER (WHERE state = 'claimed') AS claimed,
                count(*) FILTER (WHERE state = 'in_data') AS in_data,
                count(*) FILTER (WHERE state = 'sent') AS sent,
                count(*) FILTER (WHERE state = 'failed') AS failed,
                count(*) FILTER (WHERE state = 'unknown') AS unknown,
                count(*) FILTER (WHERE state = 'suppressed') AS suppressed,
                count(*) FILTER (WHERE state = 'expired') AS expired,
                count(*) FILTER (WHERE state = 'cancelled') AS cancelled
            FROM deliveries ",
            $where,
            " GROUP BY issue"
        )
    };
}

pub(super) async fn hold<B: Backend>(
    db: &B,
    key: &IssueKey,
    mailing: &str,
    scheduled_for: Timestamp,
    expires_at: Timestamp,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    let mut tx = Transaction::write(db, "holding an issue").await?;
    let hold = "INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at)
        VALUES ($1, $2, 'held', $3, $4, $5, $6)
        ON CONFLICT (key) DO UPDATE SET reason = excluded.reason, scheduled_for = excluded.scheduled_for,
            expires_at = excluded.expires_at
        WHERE issues.state = 'held'";
    let held = tx.execute(hold, values![key, mailing, reason, scheduled_for, expires_at, now]).await? == 1;
    tx.commit().await?;
    Ok(held)
}

pub(super) async fn freeze<B: Backend>(db: &B, issue: &NewIssue, now: Timestamp) -> Result<Frozen> {
    let mut tx = Transaction::write(db, "freezing an issue").await?;
    tx.execute(B::SQL.at_length, values![]).await?;
    if !take_over(&mut tx, issue, now).await? {
        return Ok(Frozen::Before);
    }
    keep_content(&mut tx, &issue.key, &issue.content).await?;
    let recipients = copy_recipients(&mut tx, issue, now).await?;
    tx.commit().await?;
    Ok(Frozen::Now { recipients })
}

/// The key decides who freezes: a second daemon waits here for the first, and then finds it done.
async fn take_over<B: Backend>(tx: &mut Transaction<B>, issue: &NewIssue, now: Timestamp) -> Result<bool> {
    let insert = "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, frozen_at, subject,
            content_hash)
        VALUES ($1, $2, 'sending', $3, $4, $5, $5, $6, $7)
        ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = NULL,
            scheduled_for = excluded.scheduled_for, expires_at = excluded.expires_at, frozen_at = excluded.frozen_at,
            subject = excluded.subject, content_hash = excluded.content_hash
        WHERE issues.state = 'held'";
    let values = values![
        &issue.key,
        issue.mailing.as_str(),
        issue.scheduled_for,
        issue.expires_at,
        now,
        issue.content.subject.as_str(),
        issue.content_hash.as_str(),
    ];
    Ok(tx.execute(insert, values).await? == 1)
}

async fn keep_content<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey, content: &Content) -> Result<()> {
    let envelope = serde_json::json!(content.envelope);
    let insert = "INSERT INTO issue_content (issue, html, text, data, envelope) VALUES ($1, $2, $3, $4, $5)";
    let values = values![key, content.html.as_str(), content.text.as_str(), content.data.as_str(), envelope];
    tx.execute(insert, values).await?;
    let insert = "INSERT INTO attachments (issue, n, name, media_type, bytes) VALUES ($1, $2, $3, $4, $5)";
    for (n, it) in (1_u32..).zip(&content.attachments) {
        tx.execute(insert, values![key, n, it.name.as_str(), it.media_type.as_str(), it.bytes.as_slice()]).await?;
    }
    Ok(())
}

/// In the database itself: a million recipients never pass through this program.
async fn copy_recipients<B: Backend>(tx: &mut Transaction<B>, issue: &NewIssue, now: Timestamp) -> Result<u64> {
    let domain = issue.content.envelope.domain.as_str();
    let (mailing, audience) = (issue.mailing.as_str(), issue.audience.as_str());
    let mut values = values![&issue.key, now, mailing, issue.key.slug(), domain, audience];
    let Some(segment) = &issue.segment else { return tx.execute(B::SQL.freeze_recipients, values).await };
    let (condition, more) = segment::condition::<B>(segment, values.len() + 1);
    values.extend(more);
    let freeze = B::SQL.freeze_recipients.replace("/* segment */", &format!("AND {condition}"));
    tx.execute(sqlx::AssertSqlSafe(freeze), values).await
}

pub(super) async fn one<B: Backend>(db: &B, key: &IssueKey) -> Result<Option<IssueSummary>> {
    let mut tx = Transaction::read(db, "reading an issue").await?;
    let Some(row) = tx.row(issues!("WHERE key = $1"), values![key]).await? else { return Ok(None) };
    let mut issue = rows::issue(&row)?;
    if let Some(row) = tx.row(counts!("WHERE issue = $1"), values![key]).await? {
        (_, issue.counts) = rows::counts(&row)?;
    }
    Ok(Some(issue))
}

pub(super) async fn all<B: Backend>(db: &B) -> Result<Vec<IssueSummary>> {
    let mut tx = Transaction::read(db, "reading the issues").await?;
    let mut issues: Vec<IssueSummary> =
        tx.rows(issues!(""), values![]).await?.iter().map(rows::issue).collect::<Result<_>>()?;
    let mut counts: HashMap<_, _> =
        tx.rows(counts!(""), values![]).await?.iter().map(rows::counts).collect::<Result<_>>()?;
    for issue in &mut issues {
        issue.counts = counts.remove(&issue.key).unwrap_or_default();
    }
    Ok(issues)
}

pub(super) async fn open<B: Backend>(db: &B) -> Result<Vec<IssueSummary>> {
    let mut tx = Transaction::read(db, "reading the open issues").await?;
    let select = issues!(
        "WHERE state IN ('held', 'sending', 'paused')
            OR key IN (SELECT d.issue FROM deliveries d WHERE d.state = 'unknown')"
    );
    let mut issues: Vec<IssueSummary> =
        tx.rows(select, values![]).await?.iter().map(rows::issue).collect::<Result<_>>()?;
    for issue in &mut issues {
        if let Some(row) = tx.row(counts!("WHERE issue = $1"), values![&issue.key]).await? {
            (_, issue.counts) = rows::counts(&row)?;
        }
    }
    Ok(issues)
}

pub(super) async fn other_sending<B: Backend>(db: &B, mailing: &str, besides: &IssueKey) -> Result<Option<IssueKey>> {
    let mut tx = Transaction::read(db, "looking for an issue that still goes out").await?;
    let select = "SELECT key FROM issues WHERE mailing = $1 AND state = 'sending' AND key <> $2
        ORDER BY scheduled_for, key LIMIT 1";
    let row = tx.row(select, values![mailing, besides]).await?;
    row.map(|row| rows::Reader::new(&row, "issues", "key").issue_key("key")).transpose()
}

pub(super) async fn content<B: Backend>(db: &B, key: &IssueKey) -> Result<Option<Content>> {
    let mut tx = Transaction::read(db, "reading the content of an issue").await?;
    let select = "SELECT c.issue, i.subject, c.html, c.text, c.data, c.envelope
        FROM issue_content c JOIN issues i ON i.key = c.issue WHERE c.issue = $1";
    let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
    let select = "SELECT issue, name, media_type, bytes FROM attachments WHERE issue = $1 ORDER BY n";
    let attachments =
        tx.rows(select, values![key]).await?.iter().map(rows::attachment).collect::<Result<Vec<Attachment>>>()?;
    rows::content(&row, attachments).map(Some)
}

pub(super) async fn set_state<B: Backend>(
    db: &B,
    key: &IssueKey,
    from: &[IssueState],
    to: IssueState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let mut tx = Transaction::write(db, "changing the state of an issue").await?;
    // Looked at under the same guard that changes it: the state read is the state replaced, or nothing is.
    let Some(row) = tx.row(issues!("WHERE key = $1"), values![key]).await? else { return Ok(false) };
    let before = rows::issue(&row)?.state;
    if !from.contains(&before) {
        return Ok(false);
    }
    let closed_at = matches!(to, IssueState::Done | IssueState::Expired | IssueState::Cancelled).then_some(now);
    let update = "UPDATE issues SET state = $3, reason = $4, closed_at = $5 WHERE key = $1 AND state = $2";
    let values = values![key, before.as_str(), to.as_str(), reason, closed_at];
    if tx.execute(update, values).await? == 0 {
        return Ok(false);
    }
    if before == IssueState::Paused && to == IssueState::Sending {
        // A person looked at it: what was refused before counts no more.
        tx.execute("DELETE FROM content_refusals WHERE issue = $1", values![key]).await?;
    }
    if to == IssueState::Cancelled {
        cancel_deliveries(&mut tx, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Whatever waits in a cancelled issue is cancelled, also what came back to the queue after the decision.
async fn cancel_deliveries<B: Backend>(tx: &mut Transaction<B>, now: Timestamp) -> Result<u64> {
    tx.execute(B::SQL.at_length, values![]).await?;
    Ok(tx.execute(B::SQL.cancel_queued, values![now]).await? + tx.execute(B::SQL.cancel_claimed, values![now]).await?)
}

pub(super) async fn close_finished<B: Backend>(db: &B, now: Timestamp) -> Result<Vec<IssueKey>> {
    let mut tx = Transaction::write(db, "closing finished issues").await?;
    cancel_deliveries(&mut tx, now).await?;
    // The conditions that are always true (`> 0`) lead SQLite to the small partial indexes.
    // `done` follows from the deliveries: a late answer or a resend that crossed the closing opens it again here.
    let reopen = "UPDATE issues SET state = 'sending', closed_at = NULL WHERE state = 'done'
        AND EXISTS (SELECT 1 FROM deliveries d WHERE d.issue = issues.key AND d.state = 'queued' AND d.next_at > 0)";
    tx.execute(reopen, values![]).await?;
    let close = "UPDATE issues SET state = 'done', closed_at = $1 WHERE state = 'sending'
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.issue = issues.key AND d.state = 'queued' AND d.next_at > 0)
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.state IN ('claimed', 'in_data') AND d.lease_until > 0
            AND d.issue = issues.key)
        RETURNING key";
    let rows = tx.rows(close, values![now]).await?;
    tx.commit().await?;
    rows.iter().map(|row| rows::Reader::new(row, "issues", "key").issue_key("key")).collect()
}
