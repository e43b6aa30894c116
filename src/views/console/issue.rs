//! Issues by week, and one issue: its head, its sum, its content, its decisions.

use super::{Label, Reading, Sum, Tone, When, issue_href, label_of, week_of};
use crate::accounts::UserId;
use crate::actions::test_mail;
use crate::domain::{
    agenda::Agenda,
    exception,
    issue::{IssueKey, IssueState, IssueSummary, RefusalKind},
};
use crate::notices::{
    tonight::{exceptions, rule},
    wording::half_approved,
};
use crate::store::{ActorKind, AuditFilter, IssuesFilter, OccurrenceState, StoreError};
use crate::views::console::decide::RefusalLine;
use crate::views::console::tonight::Known;
use serde::Serialize;

/// Rows of one page.
const PAGE: u32 = 30;
/// Occurrences among which those of one issue are looked for.
const OCCURRENCES: u32 = 200;

/// A row of `/envois`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub key: IssueKey,
    pub href: String,
    /// The subject; the mailing's title before there is one.
    pub title: String,
    pub mailing: String,
    pub at: When,
    pub label: Label,
    /// In French; empty for none.
    pub reason: String,
    pub sum: Sum,
}

impl Row {
    pub fn new(it: &Reading<'_>, issue: &IssueSummary) -> Self {
        let title = issue.subject.clone().unwrap_or_else(|| it.title(&issue.mailing).to_owned());
        Self {
            key: issue.key.clone(),
            href: issue_href(&issue.key),
            title,
            mailing: it.title(&issue.mailing).to_owned(),
            at: When::new(issue.scheduled_for, it.now, it.zone_of(&issue.mailing)),
            label: label_of(issue),
            reason: match &issue.half_approved_by {
                Some(by) => half_approved(by),
                None => issue.reason().unwrap_or_default().to_owned(),
            },
            sum: Sum::new(&issue.key, &issue.counts),
        }
    }
}

/// The rows of one week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub week: String,
    pub rows: Vec<Row>,
}

/// A page of `/envois`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issues {
    pub groups: Vec<Group>,
    /// The value of `avant=` of the next page.
    pub older: Option<String>,
}

/// What `avant=` holds: milliseconds and key of the last row of the page before.
pub fn mark(text: &str) -> Option<(crate::domain::Timestamp, IssueKey)> {
    let (millis, key) = text.split_once('.')?;
    let at = crate::domain::Timestamp::from_timestamp_millis(millis.parse().ok()?)?;
    Some((at, IssueKey::parse(key).ok()?))
}

/// # Errors
/// When the ledger cannot be read.
pub async fn list(
    it: &Reading<'_>,
    mailing: Option<&str>,
    state: Option<IssueState>,
    before: Option<&str>,
) -> Result<Issues, StoreError> {
    let filter =
        IssuesFilter { mailing: mailing.map(str::to_owned), state, before: before.and_then(mark), limit: PAGE + 1 };
    let mut issues = it.store.issues_page(&filter).await?;
    let more = issues.len() > PAGE as usize;
    issues.truncate(PAGE as usize);
    let older = issues.last().filter(|_| more);
    let older = older.map(|last| format!("{}.{}", last.scheduled_for.timestamp_millis(), last.key));
    let mut groups: Vec<Group> = Vec::new();
    for issue in &issues {
        let week = week_of(issue.scheduled_for, it.config.zone);
        let row = Row::new(it, issue);
        match groups.last_mut().filter(|group| group.week == week) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { week, rows: vec![row] }),
        }
    }
    Ok(Issues { groups, older })
}

/// What every tab of an issue begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    pub row: Row,
    /// `agenda/2026-W28`, as in addresses.
    pub path: String,
    pub expires_at: When,
    pub frozen_at: Option<When>,
    pub closed_at: Option<When>,
    /// Everybody whose approval of this version counts.
    pub approved_by: Vec<String>,
    /// Corrections that were asked for on this version, while it can still change.
    pub asked: Vec<RefusalLine>,
    pub content_hash: Option<String>,
    /// With the empty parts.
    pub every: Sum,
    /// So many messages go first, and the rest waits for their answers.
    pub first: Option<u64>,
    /// Deliveries that came back after the relay took them.
    pub bounced: u64,
    /// Their list.
    pub bounced_href: String,
    /// Deliveries that a person has to decide.
    pub uncertain: u64,
    /// Something of it may still move by itself.
    pub live: bool,
    /// It has not left yet, and may.
    pub waits: bool,
    /// What a person can do now: keys of texts, none if nothing.
    pub help: Option<&'static str>,
    /// Its lines can be seen beside the article.
    pub is_agenda: bool,
    /// Where those whom it has reached can be told what was wrong.
    pub erratum: Option<String>,
}

/// `None`: there is no such issue.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn head(it: &Reading<'_>, key: &IssueKey) -> Result<Option<Head>, StoreError> {
    let Some(issue) = it.store.issue(key).await? else { return Ok(None) };
    let bounced = match issue.frozen_at() {
        Some(at) => it.store.bounced(&[(key.clone(), at)]).await?.remove(key).unwrap_or_default(),
        None => 0,
    };
    let approved = it.store.approvals(key).await?.into_iter();
    let approved = approved.filter(|it| it.counts_for(issue.content_hash()));
    let when = |at| When::new(at, it.now, it.zone_of(&issue.mailing));
    let help = match issue.state() {
        _ if issue.half_approved_by.is_some() => Some("help_second_person"),
        _ if issue.needs_approval() => Some("help_approve"),
        IssueState::Held => Some("help_held"),
        IssueState::Rehearsed => Some("help_rehearsed"),
        IssueState::Approved => Some("help_approved"),
        IssueState::Paused => Some("help_paused"),
        _ if issue.counts.unknown > 0 => Some("help_unknown"),
        _ => None,
    };
    Ok(Some(Head {
        row: Row::new(it, &issue),
        path: issue.key.to_string(),
        expires_at: when(issue.expires_at),
        frozen_at: issue.frozen_at().map(when),
        closed_at: issue.closed_at().map(when),
        approved_by: approved.map(|it| it.by).collect(),
        asked: asked(it, &issue).await?,
        content_hash: issue.content_hash().map(str::to_owned),
        every: Sum::every(&issue.key, &issue.counts),
        first: issue.awaits_first(),
        bounced,
        bounced_href: format!("{}/destinataires?retour=oui", issue_href(&issue.key)),
        uncertain: issue.counts.unknown,
        live: matches!(issue.state(), IssueState::Sending | IssueState::Paused),
        waits: issue.may_still_leave(),
        help,
        is_agenda: issue.key.corrected().is_none()
            && it.mailings.iter().any(|mailing| mailing.id == issue.mailing && mailing.agenda().is_some()),
        erratum: (issue.counts.sent + issue.counts.unknown > 0)
            .then(|| it.mailings.iter().find(|mailing| mailing.id == issue.mailing))
            .flatten()
            .map(|_| format!("{}/rectificatif", issue_href(&issue.key))),
    }))
}

/// Corrections that were asked for on the version that is kept now; none once it was frozen or given up. Oldest first.
pub(super) async fn asked(it: &Reading<'_>, issue: &IssueSummary) -> Result<Vec<RefusalLine>, StoreError> {
    let Some(hash) = issue.content_hash().filter(|_| issue.may_still_leave()) else {
        return Ok(Vec::new());
    };
    let refusals = it.store.refusals(&issue.key).await?.into_iter();
    let of_this = refusals.filter(|said| said.kind == RefusalKind::Refused && said.content_hash == *hash);
    Ok(of_this.map(|said| RefusalLine::new(it, &issue.mailing, said)).collect())
}

/// The last test that the viewer had sent today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastTest {
    pub at: When,
    pub outcome: TestOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum TestOutcome {
    /// The relay has not answered yet.
    Waiting,
    Accepted,
    /// Why, in French, with the code of the relay's reply.
    Refused {
        words: String,
    },
}

/// `None`: no test of this issue today.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn last_test(it: &Reading<'_>, key: &IssueKey, user: &UserId) -> Result<Option<LastTest>, StoreError> {
    /// Entries of one issue among which the last test is looked for.
    const ENTRIES: u32 = 50;
    let zone = it.zone_of(key.mailing());
    let day = |at: crate::domain::Timestamp| at.with_timezone(&zone).date_naive();
    let filter = AuditFilter {
        actor: Some((ActorKind::User, user.as_str().to_owned())),
        object: Some(format!("issue:{key}")),
        limit: ENTRIES,
        ..AuditFilter::default()
    };
    let mut entries = it.store.audit(&filter).await?.into_iter().map(|row| row.entry);
    let mine = entries.find(|entry| entry.action.starts_with(test_mail::ASKED));
    Ok(mine.filter(|entry| day(entry.at) == day(it.now)).map(|entry| {
        let outcome = match entry.action.as_str() {
            test_mail::ASKED => TestOutcome::Waiting,
            test_mail::ACCEPTED => TestOutcome::Accepted,
            _ => TestOutcome::Refused { words: refusal(&entry.detail) },
        };
        LastTest { at: When::new(entry.at, it.now, zone), outcome }
    }))
}

/// `réponse inhabituelle (554)`, from the detail of the audit.
fn refusal(detail: &str) -> String {
    let detail: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let code = detail["code"].as_u64().map(|code| format!(" ({code})")).unwrap_or_default();
    detail["words"].as_str().map(|words| format!("{words}{code}")).unwrap_or_default()
}

/// The tab Contenu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentView {
    pub text: String,
    pub events: Option<usize>,
    pub unplaced: Vec<String>,
    pub warnings: Vec<String>,
    /// By whose exceptions it is as it is, in French; empty for none.
    pub exceptions: String,
    pub html_kilobytes: u64,
    pub pictures: u64,
    pub documents: Vec<DocumentView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentView {
    pub name: String,
    pub kilobytes: u64,
    /// The last part of its address in the preview: `document-1`.
    pub file: String,
}

/// `None`: nothing is composed yet.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn content(it: &Reading<'_>, key: &IssueKey) -> Result<Option<ContentView>, StoreError> {
    let Some(content) = it.store.content_summary(key).await? else { return Ok(None) };
    let known = Known::of(&content);
    let agenda = serde_json::from_str::<Agenda>(&content.data).ok();
    let kilobytes = |bytes: u64| bytes.div_ceil(1000);
    let documents = (1..).zip(&content.attachments).map(|(n, it)| DocumentView {
        name: it.name.clone(),
        kilobytes: kilobytes(it.bytes),
        file: format!("document-{n}"),
    });
    Ok(Some(ContentView {
        events: known.events,
        exceptions: exceptions(&known.exceptions),
        unplaced: agenda.iter().flat_map(Agenda::to_place).map(|item| item.text.clone()).collect(),
        warnings: agenda.map(|agenda| agenda.warnings).unwrap_or_default(),
        html_kilobytes: kilobytes(content.html_bytes),
        pictures: content.pictures,
        documents: documents.collect(),
        text: content.text,
    }))
}

/// The tab Histoire: what was decided and what happened, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub at: When,
    #[serde(skip)]
    instant: crate::domain::Timestamp,
    /// Key of its text.
    pub what: &'static str,
    /// Who, or why; empty for nothing. In French, or a name.
    pub detail: String,
    /// The preview of the content it is about.
    pub href: Option<String>,
    pub tone: Tone,
}

/// # Errors
/// When the ledger cannot be read.
pub async fn history(it: &Reading<'_>, key: &IssueKey) -> Result<Vec<Event>, StoreError> {
    let Some(issue) = it.store.issue(key).await? else { return Ok(Vec::new()) };
    let event = |at, what, detail: String, tone| Event {
        at: When::new(at, it.now, it.zone_of(&issue.mailing)),
        instant: at,
        what,
        detail,
        href: None,
        tone,
    };
    let seen = |hash: &str| Some(format!("{}/apercu/{hash}", issue_href(key)));
    let mut events: Vec<Event> = Vec::new();
    for approval in it.store.approvals(key).await? {
        let now = approval.counts_for(issue.content_hash());
        let what = if now { "event_approved" } else { "event_approved_other" };
        let short: String = approval.content_hash.chars().take(12).collect();
        let approved = event(approval.at, what, format!("{} ({short})", approval.by), Tone::Good);
        events.push(Event { href: seen(&approval.content_hash), ..approved });
    }
    for refusal in it.store.refusals(key).await? {
        let what = match refusal.kind {
            RefusalKind::Refused => "event_refused",
            RefusalKind::Withdrawn => "event_withdrawn",
        };
        let reason = if refusal.why.is_empty() { String::new() } else { format!(", {}", refusal.why) };
        let refused = event(refusal.at, what, format!("{}{reason}", refusal.by), Tone::Look);
        events.push(Event { href: seen(&refusal.content_hash), ..refused });
    }
    for exception in it.store.exceptions(key).await? {
        let said = rule(&exception.rule);
        let why = if exception.why.is_empty() { String::new() } else { format!(" ({})", exception.why) };
        let what = match exception.rule.kind() {
            exception::Kind::Article => "event_article",
            _ => "event_exception",
        };
        events.push(event(exception.at, what, format!("{}, {said}{why}", exception.by), Tone::Look));
        if let Some(withdrawn) = exception.withdrawn {
            let detail = format!("{}, {said}", withdrawn.by);
            events.push(event(withdrawn.at, "event_exception_withdrawn", detail, Tone::Look));
        }
    }
    for past in it.store.occurrences(Some(&issue.mailing), OCCURRENCES).await? {
        if past.issue.as_ref() == Some(key) {
            let (what, tone) = match past.state {
                OccurrenceState::Pending => ("event_pending", Tone::Look),
                OccurrenceState::Done => ("event_due", Tone::Good),
                OccurrenceState::Missed => ("event_missed", Tone::Bad),
                OccurrenceState::Coalesced => ("event_coalesced", Tone::Past),
                OccurrenceState::Skipped => ("event_skipped", Tone::Past),
            };
            events.push(event(past.scheduled_for, what, past.reason.unwrap_or_default(), tone));
        }
    }
    events.extend(issue.frozen().map(|it| {
        let by = it.approved_by.clone().unwrap_or_default();
        event(it.at, "event_frozen", by, Tone::Calm)
    }));
    events.extend(issue.resumed.map(|it| event(it.at, "event_resumed", String::new(), Tone::Calm)));
    events.extend(issue.closed_at().map(|at| {
        let reason = issue.reason().unwrap_or_default().to_owned();
        match issue.state() {
            IssueState::Expired => event(at, "event_expired", reason, Tone::Bad),
            IssueState::Cancelled => event(at, "event_cancelled", reason, Tone::Past),
            _ => event(at, "event_done", reason, Tone::Good),
        }
    }));
    events.sort_by_key(|event| event.instant);
    Ok(events)
}
