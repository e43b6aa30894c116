//! Issues: held, frozen, closed. Freezing is one transaction: content, recipients and state, or nothing (K2).

use super::Ledger;
use super::{
    ContentSummary, Document, Frozen, IssuesFilter, Published, Result, approvals,
    backend::{Backend, Transaction, Value, values},
    deliveries, editions, rows, segment,
    sql::{open_states, placeholders, suppressed},
    tallies,
};
use crate::domain::{
    Timestamp,
    delivery::State,
    issue::{Attachment, Content, Inline, IssueKey, IssueState, IssueSummary, NewIssue},
};
use crate::failpoint;
use async_trait::async_trait;

/// Issues: held, frozen, closed, read.
#[async_trait]
pub trait Issues: Send + Sync {
    /// Records that the issue is held, with the reason; a frozen issue is not changed (`false`).
    async fn hold_issue(
        &self,
        key: &IssueKey,
        mailing: &str,
        scheduled_for: Timestamp,
        expires_at: Timestamp,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool>;

    /// The content, the recipients (contacts subscribed to `issue.mailing`; the suppressed ones become deliveries in the
    /// state `suppressed`, so that the sum says why) and the state `sending`, in one transaction. A held or rehearsed
    /// issue of the same key is taken over. Message-IDs are `<slug>.<delivery id>@<domain>`.
    async fn freeze_issue(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen>;

    async fn issue(&self, key: &IssueKey) -> Result<Option<IssueSummary>>;

    /// The content, frozen or awaiting approval; `None` if there is none yet.
    async fn content(&self, key: &IssueKey) -> Result<Option<Content>>;

    /// Newest first, with their counts.
    async fn issues(&self) -> Result<Vec<IssueSummary>>;

    /// Unfinished issues: held, awaiting approval, sending, paused, or with an `unknown` delivery. Fast whatever the size
    /// of the ledger: for `status`.
    async fn open_issues(&self) -> Result<Vec<IssueSummary>>;

    /// Issues sent or being sent, for the public pages. Newest first, without counts.
    async fn published_issues(&self, limit: u32) -> Result<Vec<Published>>;

    /// Guarded: changes only an issue in one of `from`. The end of a pause also ends its notice; closing states also stamp
    /// `closed_at`; `Cancelled` cancels the deliveries that were not marked yet.
    async fn set_issue_state(
        &self,
        key: &IssueKey,
        from: &[IssueState],
        to: IssueState,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<bool>;

    /// The number of those an erratum to this issue goes to: [`RecipientScope::Reached`](crate::domain::issue::RecipientScope),
    /// without those who have unsubscribed.
    async fn reached(&self, issue: &IssueKey) -> Result<u64>;

    /// S9: another issue of the mailing than `besides` that is still being sent, if there is one.
    async fn other_sending_issue(&self, mailing: &str, besides: &IssueKey) -> Result<Option<IssueKey>>;

    /// Issues in `sending` without a delivery that can still move become `done`, except those with refusals that reached
    /// nobody, which the caller handles. Returns the keys of those that are done. Also repairs concurrent changes: a closed
    /// issue with queued deliveries sends again, a cancelled one cancels them.
    async fn close_finished_issues(&self, now: Timestamp) -> Result<Vec<IssueKey>>;
}

/// The newest first.
macro_rules! issues {
    ($($where:tt)+) => {
        concat!(
            "SELECT key, mailing, state, reason, scheduled_for, expires_at, frozen_at, closed_at, subject, content_hash,
                resumed_at, unknown_at_resume, canary_size, canary_over_at,
                (SELECT a.approved_by FROM approvals a
                    WHERE a.issue = issues.key AND a.content_hash = issues.content_hash AND a.withdrawn_at IS NULL
                    ORDER BY a.approved_at, a.approved_by LIMIT 1) AS approved_by
            FROM issues ",
            $($where)+,
            " ORDER BY scheduled_for DESC, key DESC"
        )
    };
}

/// Whether the issue has deliveries in this state. Always a single index lookup, which EXISTS might not be.
macro_rules! has_some {
    ($state:literal) => {
        concat!(
            "(SELECT min(d.changed_at) FROM deliveries d WHERE d.issue = issues.key AND d.state = '",
            $state,
            "') IS NOT NULL"
        )
    };
}

#[async_trait]
impl<B: Backend> Issues for Ledger<B> {
    async fn hold_issue(
        &self,
        key: &IssueKey,
        mailing: &str,
        scheduled_for: Timestamp,
        expires_at: Timestamp,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "holding an issue").await?;
        let hold = "INSERT INTO issues (key, mailing, state, reason, scheduled_for, expires_at, created_at)
            VALUES ($1, $2, 'held', $3, $4, $5, $6)
            ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = excluded.reason,
                scheduled_for = excluded.scheduled_for, expires_at = excluded.expires_at
            WHERE issues.state IN ('held', 'rehearsed', 'awaiting_approval')";
        let held = tx.execute(hold, values![key, mailing, reason, scheduled_for, expires_at, now]).await? == 1;
        tx.commit().await?;
        Ok(held)
    }

    async fn freeze_issue(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen> {
        let db = &self.0;
        let mut tx = Transaction::write(db, "freezing an issue").await?;
        tx.execute(B::SQL.at_length, values![]).await?;
        if !approvals::is_latest(&mut tx, issue).await? {
            return Ok(Frozen::Outdated);
        }
        keep_past(&mut tx, &issue.key, &issue.content_hash).await?;
        if !take_over(&mut tx, issue, now).await? {
            return Ok(Frozen::Before);
        }
        keep_content(&mut tx, &issue.key, &issue.content).await?;
        let recipients = copy_recipients(&mut tx, issue, now).await?;
        tx.commit().await?;
        mind_the_planner(db, recipients).await;
        Ok(Frozen::Now { recipients })
    }

    async fn issue(&self, key: &IssueKey) -> Result<Option<IssueSummary>> {
        let mut tx = Transaction::read(&self.0, "reading an issue").await?;
        let Some(row) = tx.row(issues!("WHERE key = $1"), values![key]).await? else { return Ok(None) };
        let issue = rows::issue(&row)?;
        Ok(Some(IssueSummary { counts: tallies::of(&mut tx, key).await?, ..issue }))
    }

    async fn content(&self, key: &IssueKey) -> Result<Option<Content>> {
        let mut tx = Transaction::read(&self.0, "reading the content of an issue").await?;
        let select = "SELECT c.issue, i.subject, c.html, c.text, c.data, c.envelope
            FROM issue_content c JOIN issues i ON i.key = c.issue WHERE c.issue = $1";
        let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
        let select = "SELECT issue, name, media_type, bytes FROM attachments WHERE issue = $1 ORDER BY n";
        let attachments =
            tx.rows(select, values![key]).await?.iter().map(rows::attachment).collect::<Result<Vec<Attachment>>>()?;
        let select = "SELECT issue, content_id, media_type, bytes FROM inline_parts WHERE issue = $1 ORDER BY n";
        let inline = tx.rows(select, values![key]).await?.iter().map(rows::inline).collect::<Result<Vec<Inline>>>()?;
        rows::content(&row, attachments, inline).map(Some)
    }

    async fn issues(&self) -> Result<Vec<IssueSummary>> {
        let mut tx = Transaction::read(&self.0, "reading the issues").await?;
        let issues = tx.rows(issues!(""), values![]).await?.iter().map(rows::issue).collect::<Result<Vec<_>>>()?;
        let mut counts = tallies::all(&mut tx).await?;
        let with_counts = |it: IssueSummary| IssueSummary { counts: counts.remove(&it.key).unwrap_or_default(), ..it };
        Ok(issues.into_iter().map(with_counts).collect())
    }

    async fn open_issues(&self) -> Result<Vec<IssueSummary>> {
        let mut tx = Transaction::read(&self.0, "reading the open issues").await?;
        // Both conditions repeat those of the indexes word for word, so that both databases use them; finished issues, among them a
        // confirmation for each order, are not read.
        let select = issues!(
            "WHERE key IN (SELECT o.key FROM issues o WHERE o.state IN ",
            open_states!(),
            " UNION SELECT d.issue FROM deliveries d WHERE d.state = 'unknown' AND d.state NOT IN ('queued', 'sent'))"
        );
        let mut issues: Vec<IssueSummary> =
            tx.rows(select, values![]).await?.iter().map(rows::issue).collect::<Result<_>>()?;
        add_counts(&mut tx, &mut issues).await?;
        Ok(issues)
    }

    async fn published_issues(&self, limit: u32) -> Result<Vec<Published>> {
        let mut tx = Transaction::read(&self.0, "reading what was published").await?;
        let published = "SELECT key, mailing, subject, scheduled_for, frozen_at FROM issues
            WHERE state IN ('sending', 'done') AND mailing <> 'orders' ORDER BY scheduled_for DESC, key DESC LIMIT $1";
        tx.rows(published, values![limit]).await?.iter().map(rows::published).collect()
    }

    async fn reached(&self, issue: &IssueKey) -> Result<u64> {
        let mut tx = Transaction::read(&self.0, "counting those an issue has reached").await?;
        let select = concat!(
            "SELECT COUNT(*) AS n FROM contacts c
             JOIN deliveries d ON d.contact_id = c.id AND d.issue = $1 AND d.state IN ('sent', 'unknown')
             WHERE NOT ",
            suppressed!("c.address_hash", "$2")
        );
        let row = tx.row(select, values![issue, issue.mailing()]).await?;
        row.map_or(Ok(0), |row| rows::Reader::new(&row, "deliveries", "n").number("n"))
    }

    async fn set_issue_state(
        &self,
        key: &IssueKey,
        from: &[IssueState],
        to: IssueState,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "changing the state of an issue").await?;
        // Read under the same guard as the update: the state read is the state replaced, or nothing changes.
        let Some(row) = tx.row(issues!("WHERE key = $1"), values![key]).await? else { return Ok(false) };
        let before = rows::issue(&row)?.state();
        if !from.contains(&before) {
            return Ok(false);
        }
        let closed_at = matches!(to, IssueState::Done | IssueState::Expired | IssueState::Cancelled).then_some(now);
        let update = "UPDATE issues SET state = $3, reason = $4, closed_at = $5 WHERE key = $1 AND state = $2";
        let values = values![key, before.as_str(), to.as_str(), reason, closed_at];
        if tx.execute(update, values).await? == 0 {
            return Ok(false);
        }
        if before == IssueState::Paused {
            // A person resumed it: earlier refusals no longer count, its notices are over, and the next pause is notified
            // again.
            tx.execute("DELETE FROM content_refusals WHERE issue = $1", values![key]).await?;
            tx.execute("DELETE FROM notices WHERE issue = $1 AND kind = 'paused'", values![key]).await?;
        }
        if (before, to) == (IssueState::Paused, IssueState::Sending) {
            let unknown = tallies::of(&mut tx, key).await?.unknown;
            let seen = "UPDATE issues SET resumed_at = $2, unknown_at_resume = $3 WHERE key = $1";
            tx.execute(seen, values![key, now, i64::try_from(unknown).unwrap_or(i64::MAX)]).await?;
        }
        if to == IssueState::Cancelled {
            cancel_deliveries(&mut tx, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn other_sending_issue(&self, mailing: &str, besides: &IssueKey) -> Result<Option<IssueKey>> {
        let mut tx = Transaction::read(&self.0, "looking for an issue that still goes out").await?;
        // The second condition is that of the index, for SQLite.
        let select = concat!(
            "SELECT key FROM issues WHERE mailing = $1 AND state = 'sending' AND key <> $2 AND state IN ",
            open_states!(),
            " ORDER BY scheduled_for, key LIMIT 1"
        );
        let row = tx.row(select, values![mailing, besides]).await?;
        row.map(|row| rows::Reader::new(&row, "issues", "key").issue_key("key")).transpose()
    }

    async fn close_finished_issues(&self, now: Timestamp) -> Result<Vec<IssueKey>> {
        let mut tx = Transaction::write(&self.0, "closing finished issues").await?;
        cancel_deliveries(&mut tx, now).await?;
        // One index lookup per issue and state. `done` follows from the deliveries: a late reply or a resend concurrent with the
        // closing reopens the issue here.
        let reopen = concat!(
            "UPDATE issues SET state = 'sending', closed_at = NULL WHERE state = 'done' AND ",
            has_some!("queued"),
        );
        tx.execute(reopen, values![]).await?;
        let close = concat!(
            "UPDATE issues SET state = 'done', closed_at = $1 WHERE state = 'sending' AND NOT (",
            has_some!("queued"),
            ") AND (mailing = 'orders' OR ",
            has_some!("sent"),
            " OR ",
            has_some!("unknown"),
            " OR NOT (",
            has_some!("failed"),
            " OR ",
            has_some!("expired"),
            ")) RETURNING key",
        );
        let rows = tx.rows(close, values![now]).await?;
        tx.commit().await?;
        rows.iter().map(|row| rows::Reader::new(row, "issues", "key").issue_key("key")).collect()
    }
}

/// From this number of recipients on, a freeze updates the planner's statistics.
const MANY: u64 = 10_000;

/// After many new rows. The issue is frozen by then: a failure to update the statistics is not an error of the freeze.
pub(super) async fn mind_the_planner<B: Backend>(db: &B, recipients: u64) {
    if recipients >= MANY {
        let _ = look_again(db).await;
    }
}

async fn look_again<B: Backend>(db: &B) -> Result<()> {
    let mut tx = Transaction::write(db, "analyzing the deliveries").await?;
    tx.execute(B::SQL.at_length, values![]).await?;
    tx.execute(B::SQL.after_many, values![]).await?;
    tx.commit().await
}

/// The key decides who freezes: a second daemon waits here for the first, and then finds the issue frozen.
async fn take_over<B: Backend>(tx: &mut Transaction<B>, issue: &NewIssue, now: Timestamp) -> Result<bool> {
    let insert = "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, frozen_at, subject,
            content_hash, composed_at, message_domain)
        VALUES ($1, $2, 'sending', $3, $4, $5, $5, $6, $7, $8, $9)
        ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = NULL,
            scheduled_for = excluded.scheduled_for, expires_at = excluded.expires_at, frozen_at = excluded.frozen_at,
            subject = excluded.subject, content_hash = excluded.content_hash, composed_at = excluded.composed_at,
            message_domain = excluded.message_domain
        WHERE issues.state IN ('held', 'rehearsed')";
    let values = values![
        &issue.key,
        issue.mailing.as_str(),
        issue.scheduled_for,
        issue.expires_at,
        now,
        issue.content.subject.as_str(),
        issue.content_hash.as_str(),
        issue.composed_at,
        issue.content.envelope.domain.as_str(),
    ];
    Ok(tx.execute(insert, values).await? == 1)
}

/// Before content is replaced by that with the hash `next`: if somebody approved or refused it, it stays readable.
pub(super) async fn keep_past<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey, next: &str) -> Result<()> {
    // Written first, to lock the row: an approval comes before, or finds other content.
    tx.execute("UPDATE issues SET state = state WHERE key = $1", values![key]).await?;
    let keep = "INSERT INTO past_content (issue, content_hash, subject, html, text, data, envelope)
        SELECT c.issue, i.content_hash, i.subject, c.html, c.text, c.data, c.envelope
            FROM issue_content c JOIN issues i ON i.key = c.issue
            WHERE c.issue = $1 AND i.content_hash <> $2 AND i.subject IS NOT NULL
                AND (EXISTS (SELECT 1 FROM approvals a WHERE a.issue = i.key AND a.content_hash = i.content_hash)
                    OR EXISTS (SELECT 1 FROM refusals r WHERE r.issue = i.key AND r.content_hash = i.content_hash))
        ON CONFLICT (issue, content_hash) DO NOTHING";
    if tx.execute(keep, values![key, next]).await? == 0 {
        return Ok(());
    }
    for keep in [
        "INSERT INTO past_files (issue, content_hash, kind, n, name, media_type, bytes)
            SELECT f.issue, i.content_hash, 'attachment', f.n, f.name, f.media_type, f.bytes
            FROM attachments f JOIN issues i ON i.key = f.issue WHERE f.issue = $1",
        "INSERT INTO past_files (issue, content_hash, kind, n, name, media_type, bytes)
            SELECT f.issue, i.content_hash, 'inline', f.n, f.content_id, f.media_type, f.bytes
            FROM inline_parts f JOIN issues i ON i.key = f.issue WHERE f.issue = $1",
    ] {
        tx.execute(keep, values![key]).await?;
    }
    Ok(())
}

/// Replaces content that was stored for approval.
pub(super) async fn keep_content<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey, content: &Content) -> Result<()> {
    delete_content(tx, key).await?;
    let envelope = serde_json::json!(content.envelope);
    let insert = "INSERT INTO issue_content (issue, html, text, data, envelope) VALUES ($1, $2, $3, $4, $5)";
    let values = values![key, content.html.as_str(), content.text.as_str(), content.data.as_str(), envelope];
    tx.execute(insert, values).await?;
    let insert = "INSERT INTO attachments (issue, n, name, media_type, bytes) VALUES ($1, $2, $3, $4, $5)";
    for (n, it) in (1_u32..).zip(&content.attachments) {
        tx.execute(insert, values![key, n, it.name.as_str(), it.media_type.as_str(), it.bytes.as_slice()]).await?;
    }
    let insert = "INSERT INTO inline_parts (issue, n, content_id, media_type, bytes) VALUES ($1, $2, $3, $4, $5)";
    for (n, it) in (1_u32..).zip(&content.inline) {
        tx.execute(insert, values![key, n, it.content_id.as_str(), it.media_type.as_str(), it.bytes.as_slice()])
            .await?;
    }
    Ok(())
}

async fn delete_content<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey) -> Result<()> {
    for delete in [
        "DELETE FROM issue_content WHERE issue = $1",
        "DELETE FROM attachments WHERE issue = $1",
        "DELETE FROM inline_parts WHERE issue = $1",
    ] {
        tx.execute(delete, values![key]).await?;
    }
    Ok(())
}

/// Content that was composed from what no longer counts is not kept: the issue is held until its sources are read again. What somebody
/// approved or refused stays readable. The issue is not frozen.
pub(super) async fn drop_content<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey, reason: &str) -> Result<()> {
    keep_past(tx, key, "").await?;
    delete_content(tx, key).await?;
    let drop = "UPDATE issues SET state = 'held', reason = COALESCE(reason, $2), subject = NULL, content_hash = NULL,
            composed_at = NULL
        WHERE key = $1 AND content_hash IS NOT NULL";
    tx.execute(drop, values![key, reason]).await?;
    Ok(())
}

/// Within the database: a million recipients never pass through this program.
pub(super) async fn copy_recipients<B: Backend>(
    tx: &mut Transaction<B>,
    issue: &NewIssue,
    now: Timestamp,
) -> Result<u64> {
    // 48 random bits at the end of the ids: two daemons may freeze two issues in the same millisecond.
    let chance = i64::try_from(rand::random::<u64>() >> 16).unwrap_or_default();
    let (among, meant) = editions::among(&issue.whom, &issue.audience);
    let mut values = values![&issue.key, now, issue.mailing.as_str(), chance, meant];
    let mut freeze = B::SQL.freeze_recipients.replace("/* among */", among);
    if let Some(segment) = &issue.segment {
        let segment = segment::resolved(tx, segment).await?;
        let (condition, more) = segment::condition::<B>(&segment, values.len() + 1);
        values.extend(more);
        freeze = freeze.replace("/* segment */", &format!("AND {condition}"));
    }
    let recipients = tx.execute(sqlx::AssertSqlSafe(freeze), values).await?;
    failpoint::reach("mid_freeze");
    tallies::keep(tx, &issue.key, now).await?;
    Ok(recipients)
}

/// The newest first, without confirmations of orders; with their counts.
pub(super) async fn page<B: Backend>(db: &B, filter: &IssuesFilter) -> Result<Vec<IssueSummary>> {
    let mut tx = Transaction::read(db, "reading a page of issues").await?;
    let select = concat!(
        issues!(
            "WHERE mailing <> 'orders' AND ($1 IS NULL OR mailing = $1) AND ($2 IS NULL OR state = $2)
                AND (scheduled_for, key) < ($3, $4)"
        ),
        " LIMIT $5"
    );
    let mailing = filter.mailing.as_deref();
    let state = filter.state.map(IssueState::as_str);
    let values = match &filter.before {
        Some((at, key)) => values![mailing, state, *at, key, filter.limit],
        None => values![mailing, state, i64::MAX, "", filter.limit],
    };
    let mut issues = tx.rows(select, values).await?.iter().map(rows::issue).collect::<Result<Vec<_>>>()?;
    add_counts(&mut tx, &mut issues).await?;
    Ok(issues)
}

pub(super) async fn by_key<B: Backend>(db: &B, keys: &[IssueKey]) -> Result<Vec<IssueSummary>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = Transaction::read(db, "reading some issues").await?;
    let select = issues!("WHERE key IN (/* these */)").replace("/* these */", &placeholders(keys.len()));
    let rows = tx.rows(sqlx::AssertSqlSafe(select), keys.iter().map(Value::from).collect()).await?;
    let mut issues = rows.iter().map(rows::issue).collect::<Result<Vec<_>>>()?;
    add_counts(&mut tx, &mut issues).await?;
    Ok(issues)
}

async fn add_counts<B: Backend>(tx: &mut Transaction<B>, issues: &mut [IssueSummary]) -> Result<()> {
    let mut counts = tallies::of_these(tx, issues.iter().map(|issue| &issue.key)).await?;
    for issue in issues {
        issue.counts = counts.remove(&issue.key).unwrap_or_default();
    }
    Ok(())
}

/// Reads no document, only how large each is.
pub(super) async fn content_summary<B: Backend>(db: &B, key: &IssueKey) -> Result<Option<ContentSummary>> {
    let mut tx = Transaction::read(db, "reading what an issue consists of").await?;
    let select = "SELECT issue, text, data, CAST(octet_length(html) AS BIGINT) AS html_bytes,
            (SELECT COUNT(*) FROM inline_parts p WHERE p.issue = c.issue) AS pictures
        FROM issue_content c WHERE issue = $1";
    let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
    let select = "SELECT issue, name, media_type, CAST(octet_length(bytes) AS BIGINT) AS size FROM attachments
        WHERE issue = $1 ORDER BY n";
    let document = |row| {
        let row = rows::Reader::new(row, "attachments", "issue");
        Ok(Document { name: row.text("name")?, media_type: row.text("media_type")?, bytes: row.number("size")? })
    };
    let attachments = tx.rows(select, values![key]).await?.iter().map(document).collect::<Result<_>>()?;
    let row = rows::Reader::new(&row, "issue_content", "issue");
    let (text, data, html_bytes) = (row.text("text")?, row.text("data")?, row.number("html_bytes")?);
    Ok(Some(ContentSummary { data, text, html_bytes, pictures: row.number("pictures")?, attachments }))
}

/// Cancels whatever is queued in a cancelled issue, including deliveries queued again after the decision.
async fn cancel_deliveries<B: Backend>(tx: &mut Transaction<B>, now: Timestamp) -> Result<u64> {
    deliveries::stop_waiting(tx, ("i.state = 'cancelled'", values![]), State::Cancelled, now).await
}
