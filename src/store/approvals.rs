//! Issues that need approval: their content is stored, an approval names its hash, and only approved content is frozen (I6).
//! The store does not look at the content; the caller computes the hash.

use super::Ledger;
use super::{
    Frozen, Result,
    backend::{Backend, Row, Transaction, Value, values},
    corrections, editions, issues,
    rows::{self, Reader},
    sql::{changes, unapproved},
};
use crate::domain::{
    Timestamp,
    issue::{
        Approval, Attachment, Basis, Content, ContentRefusal, Inline, IssueKey, IssueState, NewIssue, RefusalKind,
        is_enough,
    },
    newsletter::Editorial,
    segment::Segment,
};
use async_trait::async_trait;
use serde_json::json;

/// Issues that wait for approval (I6), and their editorials.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// Stores the content and waits for approval, in one transaction; earlier approvals are for other content.
    /// `replacing`: the hash of the content stored now, `None` if there is none. `false`, without any change, if the
    /// stored content is another one, or the issue is frozen or finished.
    async fn present_issue(&self, issue: &NewIssue, replacing: Option<&str>, now: Timestamp) -> Result<bool>;

    /// `by` approves exactly this content. If that is enough ([`is_enough`]) it is approved, and a waiting occurrence becomes
    /// due now. `false` if the issue has other content by now, or is frozen or finished. Idempotent: the first approval is
    /// kept, unless it was withdrawn.
    async fn approve_issue(
        &self,
        key: &IssueKey,
        content_hash: &str,
        by: &str,
        second_person: bool,
        now: Timestamp,
    ) -> Result<bool>;

    /// Keeps content that leaves without an approval, in the place of what was held or rehearsed before. `false`: the issue is
    /// approved, frozen or given up.
    async fn rehearse_issue(&self, issue: &NewIssue, now: Timestamp) -> Result<bool>;

    /// All approvals of any content of the issue, oldest first, with those that were withdrawn.
    async fn approvals(&self, key: &IssueKey) -> Result<Vec<Approval>>;

    /// A person refuses exactly this content, or takes its approval back: its approvals no longer count, and the issue is
    /// held or awaits approval again; one that leaves without (`automatic`) is as it was rehearsed. `false`, without any
    /// change, if the issue has other content by now, is frozen or finished, or is not approved (for a withdrawal).
    async fn refuse_issue(&self, key: &IssueKey, refusal: &ContentRefusal, automatic: bool) -> Result<bool>;

    /// Content with this hash that was approved or refused, and replaced since.
    async fn past_content(&self, key: &IssueKey, content_hash: &str) -> Result<Option<Content>>;

    /// All refusals of any content of the issue, oldest first.
    async fn refusals(&self, key: &IssueKey) -> Result<Vec<ContentRefusal>>;

    /// Like [`Issues::freeze_issue`](crate::store::Issues::freeze_issue), but for the stored content, and only if it has
    /// this hash and is approved. Of `issue.content` only the envelope is written, with the time of sending.
    async fn freeze_approved(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen>;

    /// The number of current recipients of an issue of the mailing.
    async fn audience_size(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<u64>;

    /// When the last sent issue of the mailing, other than this one, was collected.
    async fn last_composed(&self, mailing: &str, besides: &IssueKey) -> Result<Option<Timestamp>>;

    /// The editorial saved with [`Approvals::write_editorial`].
    async fn editorial(&self, key: &IssueKey) -> Result<Option<Editorial>>;

    /// Replaces `before`, the text that was saved last; `None`: there is none. The issue need not exist yet. `false`: somebody else
    /// saved another one meanwhile, which stays.
    async fn write_editorial(&self, key: &IssueKey, before: Option<&str>, after: &Editorial) -> Result<bool>;
}

/// Stores composed content with this state, an SQL expression, replacing what was stored. $1 to $8 are the values of [`kept`].
macro_rules! keep {
    ($state:literal, $where:literal) => {
        concat!(
            "INSERT INTO issues (key, mailing, state, scheduled_for, expires_at, created_at, composed_at, subject,
                content_hash)
            VALUES ($1, $2, ",
            $state,
            ", $3, $4, $5, $6, $7, $8)
            ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = NULL, scheduled_for = excluded.scheduled_for,
                expires_at = excluded.expires_at, composed_at = excluded.composed_at, subject = excluded.subject,
                content_hash = excluded.content_hash
            WHERE ",
            $where
        )
    };
}

fn kept(issue: &NewIssue, now: Timestamp) -> Vec<Value> {
    values![
        &issue.key,
        issue.mailing.as_str(),
        issue.scheduled_for,
        issue.expires_at,
        now,
        issue.composed_at,
        issue.content.subject.as_str(),
        issue.content_hash.as_str(),
    ]
}

#[async_trait]
impl<B: Backend> Approvals for Ledger<B> {
    async fn present_issue(&self, issue: &NewIssue, replacing: Option<&str>, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "keeping an issue to be approved").await?;
        if !is_latest(&mut tx, issue).await? {
            return Ok(false);
        }
        issues::keep_past(&mut tx, &issue.key, &issue.content_hash).await?;
        // The same content again has the same authors.
        let author = issue.author.as_deref().filter(|_| replacing != Some(&issue.content_hash));
        // In one step: what is approved already never awaits approval.
        let is_enough = enough(&mut tx, (&issue.key, &issue.content_hash), author, issue.second_person).await?;
        let state = if is_enough { IssueState::Approved } else { IssueState::AwaitingApproval };
        // Guarded by the hash that is replaced: of two concurrent changes of the same content, the second is refused.
        let upsert = keep!(
            "$10",
            "issues.state IN ('held', 'awaiting_approval', 'rehearsed', 'approved') AND issues.content_hash IS NOT DISTINCT FROM $9"
        );
        let values = [kept(issue, now), values![replacing, state.as_str()]].concat();
        if tx.execute(upsert, values).await? == 0 {
            return Ok(false);
        }
        end_hold(&mut tx, &issue.key).await?;
        issues::keep_content(&mut tx, &issue.key, &issue.content).await?;
        keep_author(&mut tx, issue, author).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn approve_issue(
        &self,
        key: &IssueKey,
        content_hash: &str,
        by: &str,
        second_person: bool,
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "recording an approval").await?;
        // Written first, to lock the row: the content cannot change between reading it and approving it, and of two persons who
        // approve it at the same time the second one sees the first.
        let guard = "UPDATE issues SET state = state
            WHERE key = $1 AND content_hash = $2 AND frozen_at IS NULL
                AND state IN ('held', 'awaiting_approval', 'rehearsed', 'approved')";
        if tx.execute(guard, values![key, content_hash]).await? == 0 {
            return Ok(false);
        }
        // What a person corrected since is not in it.
        let outdated = "SELECT issue FROM readings WHERE issue = $1 AND composed <> revision";
        if tx.row(outdated, values![key]).await?.is_some() {
            return Ok(false);
        }
        let insert = "INSERT INTO approvals (issue, content_hash, approved_by, approved_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (issue, content_hash, approved_by) DO UPDATE SET approved_at = excluded.approved_at, withdrawn_at = NULL
            WHERE approvals.withdrawn_at IS NOT NULL";
        tx.execute(insert, values![key, content_hash, by, now]).await?;
        if !enough(&mut tx, (key, content_hash), None, second_person).await? {
            tx.commit().await?;
            return Ok(true);
        }
        tx.execute("UPDATE issues SET state = 'approved' WHERE key = $1", values![key]).await?;
        try_now(&mut tx, key, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn rehearse_issue(&self, issue: &NewIssue, now: Timestamp) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "keeping a rehearsed issue").await?;
        if !is_latest(&mut tx, issue).await? {
            return Ok(false);
        }
        issues::keep_past(&mut tx, &issue.key, &issue.content_hash).await?;
        let upsert = keep!("'rehearsed'", "issues.state IN ('held', 'rehearsed')");
        if tx.execute(upsert, kept(issue, now)).await? == 0 {
            return Ok(false);
        }
        end_hold(&mut tx, &issue.key).await?;
        issues::keep_content(&mut tx, &issue.key, &issue.content).await?;
        keep_author(&mut tx, issue, issue.author.as_deref()).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn approvals(&self, key: &IssueKey) -> Result<Vec<Approval>> {
        let mut tx = Transaction::read(&self.0, "reading approvals").await?;
        let select =
            "SELECT issue, content_hash, approved_by, approved_at, withdrawn_at FROM approvals WHERE issue = $1
            ORDER BY approved_at, approved_by";
        tx.rows(select, values![key]).await?.iter().map(rows::approval).collect()
    }

    async fn refuse_issue(&self, key: &IssueKey, refusal: &ContentRefusal, automatic: bool) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "recording a refusal").await?;
        // Written first, to lock the row: the freeze comes before or after, never between.
        let guard = concat!(
            "UPDATE issues SET state = CASE WHEN state <> 'approved' THEN state ",
            unapproved!("$3"),
            " WHERE key = $1 AND content_hash = $2 AND frozen_at IS NULL
                AND (state = 'approved' OR (state IN ('held', 'awaiting_approval') AND ($4 <> 0 OR EXISTS (
                    SELECT 1 FROM approvals a WHERE a.issue = issues.key AND a.content_hash = issues.content_hash
                        AND a.withdrawn_at IS NULL))))"
        );
        let may_be_open = i64::from(refusal.kind == RefusalKind::Refused);
        let values = values![key, refusal.content_hash.as_str(), i64::from(automatic), may_be_open];
        if tx.execute(guard, values).await? == 0 {
            return Ok(false);
        }
        let withdraw = "UPDATE approvals SET withdrawn_at = $3
            WHERE issue = $1 AND content_hash = $2 AND withdrawn_at IS NULL";
        tx.execute(withdraw, values![key, refusal.content_hash.as_str(), refusal.at]).await?;
        let insert = "INSERT INTO refusals (issue, content_hash, kind, refused_by, refused_at, why)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let (kind, by, why) = (refusal.kind.as_str(), refusal.by.as_str(), refusal.why.as_str());
        tx.execute(insert, values![key, refusal.content_hash.as_str(), kind, by, refusal.at, why]).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn past_content(&self, key: &IssueKey, content_hash: &str) -> Result<Option<Content>> {
        let mut tx = Transaction::read(&self.0, "reading replaced content").await?;
        let select = "SELECT issue, subject, html, text, data, envelope FROM past_content
            WHERE issue = $1 AND content_hash = $2";
        let Some(row) = tx.row(select, values![key, content_hash]).await? else { return Ok(None) };
        let select = "SELECT issue, name, media_type, bytes FROM past_files
            WHERE issue = $1 AND content_hash = $2 AND kind = 'attachment' ORDER BY n";
        let attachments = tx.rows(select, values![key, content_hash]).await?;
        let attachments = attachments.iter().map(rows::attachment).collect::<Result<Vec<Attachment>>>()?;
        let select = "SELECT issue, name AS content_id, media_type, bytes FROM past_files
            WHERE issue = $1 AND content_hash = $2 AND kind = 'inline' ORDER BY n";
        let inline = tx.rows(select, values![key, content_hash]).await?;
        let inline = inline.iter().map(rows::inline).collect::<Result<Vec<Inline>>>()?;
        rows::content(&row, attachments, inline).map(Some)
    }

    async fn refusals(&self, key: &IssueKey) -> Result<Vec<ContentRefusal>> {
        let mut tx = Transaction::read(&self.0, "reading refusals").await?;
        let select = "SELECT issue, content_hash, kind, refused_by, refused_at, why FROM refusals WHERE issue = $1
            ORDER BY refused_at, refused_by";
        tx.rows(select, values![key]).await?.iter().map(rows::content_refusal).collect()
    }

    async fn freeze_approved(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen> {
        let mut tx = Transaction::write(&self.0, "freezing an approved issue").await?;
        tx.execute(B::SQL.at_length, values![]).await?;
        // Written first, to lock the row, as where it is approved.
        let guard = "UPDATE issues SET state = state WHERE key = $1 AND content_hash = $2 AND frozen_at IS NULL
            AND state = 'approved'";
        if tx.execute(guard, values![&issue.key, issue.content_hash.as_str()]).await? == 0 {
            return Ok(Frozen::Before);
        }
        if !enough(&mut tx, (&issue.key, &issue.content_hash), None, issue.second_person).await? {
            // The mailing has required a second person only since the approval.
            let again =
                "UPDATE issues SET state = CASE WHEN reason IS NOT NULL THEN 'held' ELSE 'awaiting_approval' END
                WHERE key = $1";
            tx.execute(again, values![&issue.key]).await?;
            tx.commit().await?;
            return Ok(Frozen::Before);
        }
        let freeze =
            "UPDATE issues SET state = 'sending', reason = NULL, frozen_at = $2, expires_at = $3, message_domain = $5
            WHERE key = $1 AND content_hash = $4 AND frozen_at IS NULL AND state = 'approved'
                AND EXISTS (SELECT 1 FROM approvals a WHERE a.issue = issues.key AND a.content_hash = issues.content_hash
                    AND a.withdrawn_at IS NULL)";
        let domain = issue.content.envelope.domain.as_str();
        let values = values![&issue.key, now, issue.expires_at, issue.content_hash.as_str(), domain];
        if tx.execute(freeze, values).await? == 0 {
            return Ok(Frozen::Before);
        }
        let stamp = "UPDATE issue_content SET envelope = $2 WHERE issue = $1";
        tx.execute(stamp, values![&issue.key, json!(issue.content.envelope)]).await?;
        let recipients = issues::copy_recipients(&mut tx, issue, now).await?;
        tx.commit().await?;
        issues::mind_the_planner(&self.0, recipients).await;
        Ok(Frozen::Now { recipients })
    }

    async fn audience_size(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<u64> {
        editions::audience_size(&self.0, mailing, audience, segment).await
    }

    async fn last_composed(&self, mailing: &str, besides: &IssueKey) -> Result<Option<Timestamp>> {
        let mut tx = Transaction::read(&self.0, "looking for the issue before").await?;
        // An erratum has no news.
        let select = "SELECT MAX(COALESCE(composed_at, frozen_at)) AS composed_at FROM issues
            WHERE mailing = $1 AND frozen_at IS NOT NULL AND key <> $2 AND key NOT LIKE '%-rectificatif%'";
        let row = tx.row(select, values![mailing, besides]).await?;
        row.map(|row| Reader::new(&row, "issues", "composed_at").optional_instant("composed_at"))
            .transpose()
            .map(Option::flatten)
    }

    async fn editorial(&self, key: &IssueKey) -> Result<Option<Editorial>> {
        let mut tx = Transaction::read(&self.0, "reading an editorial").await?;
        let select = "SELECT issue, text, written_by, written_at FROM editorials WHERE issue = $1";
        let Some(row) = tx.row(select, values![key]).await? else { return Ok(None) };
        let row = Reader::new(&row, "editorials", "issue");
        Ok(Some(Editorial { text: row.text("text")?, by: row.text("written_by")?, at: row.instant("written_at")? }))
    }

    async fn write_editorial(&self, key: &IssueKey, before: Option<&str>, after: &Editorial) -> Result<bool> {
        let mut tx = Transaction::write(&self.0, "keeping an editorial").await?;
        let upsert = "INSERT INTO editorials (issue, text, written_by, written_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (issue) DO UPDATE SET text = excluded.text, written_by = excluded.written_by,
                written_at = excluded.written_at
            WHERE editorials.text = $5";
        let Editorial { text, by, at } = after;
        if tx.execute(upsert, values![key, text.as_str(), by.as_str(), *at, before]).await? == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// A held issue is tried now instead of at its next try.
pub(super) async fn try_now<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey, now: Timestamp) -> Result<()> {
    let wake = "UPDATE occurrences SET next_try = $2 WHERE issue = $1 AND state = 'pending' AND next_try > $2";
    tx.execute(wake, values![key, now]).await?;
    Ok(())
}

/// Whether content is based on what persons have written by now. Comes before anything that locks the issue.
pub(super) async fn is_latest<B: Backend>(tx: &mut Transaction<B>, issue: &NewIssue) -> Result<bool> {
    match &issue.basis {
        Basis::Sources => Ok(true),
        Basis::Corrections(revision) => corrections::is_latest(tx, &issue.key, *revision).await,
        Basis::Editorial { text, exceptions } => {
            // There may be no row to lock.
            tx.execute(B::SQL.lock_editorials, values![]).await?;
            tx.execute(B::SQL.lock_exceptions, values![]).await?;
            let changes = concat!("SELECT ", changes!("$1"), " AS n");
            let row = tx.row(changes, values![&issue.key]).await?;
            if row.map_or(Ok(0), |row| Reader::new(&row, "exceptions", "n").number::<u64>("n"))? != *exceptions {
                return Ok(false);
            }
            let select = "SELECT issue, text FROM editorials WHERE issue = $1";
            let saved = tx.row(select, values![&issue.key]).await?;
            let saved = saved.map(|row| Reader::new(&row, "editorials", "issue").text("text")).transpose()?;
            Ok(saved == *text)
        }
    }
}

/// The hold is over: if the issue is held again, staff get a new mail.
async fn end_hold<B: Backend>(tx: &mut Transaction<B>, key: &IssueKey) -> Result<()> {
    tx.execute("DELETE FROM notices WHERE issue = $1 AND kind = 'held'", values![key]).await?;
    Ok(())
}

async fn keep_author<B: Backend>(tx: &mut Transaction<B>, issue: &NewIssue, author: Option<&str>) -> Result<()> {
    if let Some(author) = author {
        let insert =
            "INSERT INTO content_authors (issue, content_hash, author) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        tx.execute(insert, values![&issue.key, issue.content_hash.as_str(), author]).await?;
    }
    Ok(())
}

/// Whether the content with this hash may leave by its approvals. `author`: one more than is written down.
async fn enough<B: Backend>(
    tx: &mut Transaction<B>,
    (key, content_hash): (&IssueKey, &str),
    author: Option<&str>,
    second_person: bool,
) -> Result<bool> {
    let approvers = "SELECT issue, approved_by AS name FROM approvals
        WHERE issue = $1 AND content_hash = $2 AND withdrawn_at IS NULL";
    let approvers = names(tx.rows(approvers, values![key, content_hash]).await?)?;
    if approvers.is_empty() || !second_person {
        return Ok(is_enough(&approvers, &[], second_person));
    }
    let authors = "SELECT issue, author AS name FROM content_authors WHERE issue = $1 AND content_hash = $2
        UNION SELECT issue, written_by FROM editorials WHERE issue = $1
        UNION SELECT issue, made_by FROM corrections WHERE issue = $1 AND withdrawn_at IS NULL
        UNION SELECT issue, made_by FROM exceptions WHERE issue = $1 AND withdrawn_at IS NULL
        UNION SELECT issue, announced_by FROM announcements WHERE issue = $1 AND announced_by IS NOT NULL";
    let mut authors = names(tx.rows(authors, values![key, content_hash]).await?)?;
    authors.extend(author.map(str::to_owned));
    Ok(is_enough(&approvers, &authors, second_person))
}

fn names(rows: Vec<Row>) -> Result<Vec<String>> {
    rows.iter().map(|row| Reader::new(row, "approvals", "issue").text("name")).collect()
}
