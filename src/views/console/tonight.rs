//! « Ce soir »: whether one can sleep, in one sentence with numbers, and what it rests on.
//!
//! [`Before::verdict`] is pure: from what was read to the answer. What is wrong with the service comes from
//! [`crate::views::readiness`]; here is added what is known of the issues that leave next.

use super::{Reading, When, coming, issue_href, journal_href};
use crate::domain::{
    Timestamp,
    agenda::{Agenda, Corrections},
    delivery::State,
    exception::Granted,
    issue::{IssueKey, IssueState, IssueSummary},
    newsletter::Letter,
    tonight::{Check, Departure, Level},
};
use crate::jobs::{Approval, Mailing};
use crate::notices::tonight as wording;
use crate::store::{ContentSummary, IssuesFilter, Skip, StoreError};
use crate::views::readiness::{Facts, Finding};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde::Serialize;

/// What leaves within this time is what the verdict is about: tonight, and tomorrow.
const SOON: TimeDelta = TimeDelta::hours(36);
/// How far the list below the verdict looks.
const LISTED: TimeDelta = TimeDelta::days(14);
/// At most so many occurrences of a mailing are passed over because their issues are over.
const MOST_OVER: usize = 60;
/// Gmail cuts a mail whose HTML is longer.
const TOO_LONG: u64 = 100_000;

/// What is read before the verdict.
pub struct Before {
    pub now: Timestamp,
    pub zone: Tz,
    pub facts: Facts,
    /// Whether a relay is configured.
    pub relay: bool,
    pub staff: usize,
    /// The ledger was restored or moved, and nobody has looked.
    pub doubtful: bool,
    /// By hour.
    pub next: Vec<Next>,
}

/// An issue that leaves next, as far as it is known.
#[derive(Debug, Clone)]
pub struct Next {
    pub key: IssueKey,
    pub title: String,
    pub at: Timestamp,
    /// When it is composed and shown to staff, if that is still to come.
    pub rehearsal: Option<Timestamp>,
    pub issue: Option<IssueSummary>,
    pub content: Option<Known>,
    /// Who asked for a correction of this content last, and which.
    pub asked: Option<(String, String)>,
    pub skip: Option<Skip>,
    /// Recipients as of now.
    pub audience: u64,
    /// Recipients of the last issue of the mailing that left.
    pub before: Option<u64>,
    /// Another issue of the mailing that is still being sent (S9).
    pub sending: Option<IssueKey>,
}

impl Next {
    /// A person does not want it to leave.
    fn is_stopped(&self) -> bool {
        self.skip.is_some() || self.issue.as_ref().is_some_and(|it| it.state() == IssueState::Cancelled)
    }
}

/// What is known of composed content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Of an agenda.
    pub events: Option<usize>,
    pub unplaced: usize,
    pub warnings: usize,
    /// Of an agenda: what persons changed in it.
    pub corrections: Corrections,
    /// By whose exceptions it is as it is.
    pub exceptions: Vec<Granted>,
    pub documents: usize,
    pub html_bytes: u64,
}

impl Known {
    pub fn of(content: &ContentSummary) -> Self {
        let agenda = serde_json::from_str::<Agenda>(&content.data).ok();
        let letter = serde_json::from_str::<Letter>(&content.data).ok();
        // An empty object is an agenda without anything; only one with days is one.
        let agenda = agenda.filter(|agenda| agenda.week.is_some());
        Self {
            events: agenda.as_ref().map(Agenda::event_count),
            unplaced: agenda.as_ref().map_or(0, |agenda| agenda.to_place().count()),
            corrections: agenda.as_ref().map(|agenda| agenda.corrections.clone()).unwrap_or_default(),
            exceptions: match (&agenda, &letter) {
                (Some(agenda), _) => agenda.exceptions.clone(),
                (None, Some(letter)) => letter.exceptions.clone(),
                (None, None) => Vec::new(),
            },
            warnings: agenda.map_or_else(|| letter.map_or(0, |it| it.missing.len()), |it| it.warnings.len()),
            documents: content.attachments.len(),
            html_bytes: content.html_bytes,
        }
    }
}

/// A check, or a finding about the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Finding(Finding, Level),
    Check(Check),
}

impl Item {
    pub fn level(&self) -> Level {
        match self {
            Item::Finding(_, level) => *level,
            Item::Check(check) => check.level(),
        }
    }

    pub fn sentence(&self, now: Timestamp, zone: Tz) -> String {
        match self {
            Item::Finding(finding, _) => finding.in_french(zone),
            Item::Check(check) => wording::sentence(check, now, zone),
        }
    }

    fn waits_for_a_person(&self) -> bool {
        match self {
            Item::Finding(Finding::Missed { .. }, _) => false,
            Item::Finding(..) => true,
            Item::Check(check) => check.waits_for_a_person(),
        }
    }

    /// Where it is seen to; `None` where no page helps.
    fn href(&self) -> Option<String> {
        match self {
            Item::Finding(Finding::Unknown { issue, .. }, _) => Some(journal_href(issue, Some(State::Unknown))),
            Item::Finding(Finding::LanePaused { .. }, _) | Item::Check(Check::LanesOpen) => Some("/voies".to_owned()),
            // Of an issue that may not be composed yet there is no page.
            Item::Finding(Finding::Missed { .. } | Finding::Silence { .. }, _) => Some("/a-venir".to_owned()),
            Item::Finding(finding, _) => match finding.issue() {
                Some(issue) => Some(issue_href(issue)),
                None => Some("/reglages".to_owned()),
            },
            Item::Check(Check::Skipped { .. } | Check::Cancelled { .. } | Check::NotComposed { .. }) => {
                Some("/a-venir".to_owned())
            }
            Item::Check(Check::Audience { .. } | Check::AudienceMoved { .. } | Check::Nobody { .. }) => {
                Some("/partenaires".to_owned())
            }
            Item::Check(Check::WaitsFor { before, .. }) => Some(issue_href(before)),
            Item::Check(Check::Unplaced { issue, .. } | Check::Corrected { issue, .. }) => {
                Some(super::correct::href(issue))
            }
            Item::Check(check) => check.issue().map(issue_href).or(Some("/reglages".to_owned())),
        }
    }
}

/// The answer, and everything it rests on, the worst first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub level: Level,
    pub departure: Option<Departure>,
    pub items: Vec<Item>,
}

impl Before {
    /// The worst check decides.
    pub fn verdict(&self) -> Verdict {
        let mut items = self.service();
        let soon = || self.next.iter().filter(|next| self.is_soon(next));
        soon().for_each(|next| items.extend(of_issue(next).into_iter().map(Item::Check)));
        items.sort_by_key(|item| std::cmp::Reverse(item.level()));
        let level = items.iter().map(Item::level).max().unwrap_or(Level::Good);
        let leaving = |next: &&Next| !next.is_stopped();
        let departure = soon().find(leaving).or_else(|| soon().next()).or_else(|| self.next.first());
        let departure = departure.map(|next| self.departure(next));
        Verdict { level, departure, items }
    }

    fn is_soon(&self, next: &Next) -> bool {
        next.at - self.now <= SOON
    }

    fn departure(&self, next: &Next) -> Departure {
        Departure {
            issue: next.key.clone(),
            title: next.title.clone(),
            at: next.at,
            recipients: next.audience,
            events: next.content.as_ref().and_then(|known| known.events),
            documents: next.content.as_ref().map_or(0, |known| known.documents),
            soon: self.is_soon(next),
        }
    }

    /// Of the service, whatever leaves next.
    fn service(&self) -> Vec<Item> {
        let findings = self.facts.readiness().findings;
        let has = |kind: &[&str]| findings.iter().any(|finding| kind.contains(&finding.kind()));
        let mut fine = vec![];
        if !has(&["no_daemon"]) {
            fine.push(Check::DaemonRuns);
        }
        match self.relay {
            false => fine.push(Check::NoRelay),
            true if !has(&["relay", "no_daemon"]) => fine.push(Check::RelayFine),
            true => {}
        }
        if self.doubtful {
            fine.push(Check::LedgerDoubtful);
        }
        match self.staff {
            0 => fine.push(Check::NoStaff),
            count if !has(&["notices_pending"]) => fine.push(Check::StaffTold { count }),
            _ => {}
        }
        if !has(&["lane_paused"]) {
            fine.push(Check::LanesOpen);
        }
        let sending = self.facts.issues.iter().filter(|issue| issue.state() == IssueState::Sending);
        fine.extend(sending.map(|it| Check::UnderWay {
            issue: it.key.clone(),
            ended: it.counts.ended(),
            total: it.counts.total(),
        }));
        let findings = findings.into_iter().map(|finding| {
            let level = self.level_of(&finding);
            Item::Finding(finding, level)
        });
        findings.chain(fine.into_iter().map(Item::Check)).collect()
    }

    /// An issue that is held or not approved stops tonight only if it is for tonight.
    fn level_of(&self, finding: &Finding) -> Level {
        let tonight = |issue: &IssueKey| {
            let issue = self.facts.issues.iter().find(|it| it.key == *issue);
            issue.is_none_or(|issue| issue.scheduled_for - self.now <= SOON)
        };
        match finding {
            Finding::NoDaemon { .. } => Level::WillNotGo,
            Finding::RelayTrouble { .. } => Level::NotKnown,
            Finding::Held { issue, .. } | Finding::AwaitingApproval { issue, .. } if tonight(issue) => Level::WillNotGo,
            _ => Level::Look,
        }
    }
}

fn of_issue(next: &Next) -> Vec<Check> {
    let issue = || next.key.clone();
    if let Some(skip) = &next.skip {
        return vec![Check::Skipped { issue: issue(), by: skip.by.clone(), why: skip.why.clone() }];
    }
    let mut checks = Vec::new();
    if next.issue.as_ref().is_some_and(|it| it.state() == IssueState::Cancelled) {
        return vec![Check::Cancelled { issue: issue() }];
    }
    match next.issue.as_ref() {
        None => checks.push(Check::NotComposed { issue: issue(), rehearsal: next.rehearsal }),
        Some(it) if it.state() == IssueState::Rehearsed => checks.push(Check::Rehearsed { issue: issue() }),
        Some(it) => {
            let by = it.approved_by().filter(|_| it.is_approved()).map(str::to_owned);
            checks.extend(by.map(|by| Check::Approved { issue: issue(), by }));
        }
    }
    checks.extend(next.asked.clone().map(|(by, why)| Check::CorrectionAsked { issue: issue(), by, why }));
    if let Some(known) = &next.content {
        checks.push(Check::Content { issue: issue(), events: known.events, documents: known.documents });
        if !known.corrections.is_empty() {
            checks.push(Check::Corrected { issue: issue(), corrections: known.corrections.clone() });
        }
        if !known.exceptions.is_empty() {
            checks.push(Check::Exceptions { issue: issue(), granted: known.exceptions.clone() });
        }
        if known.unplaced > 0 {
            checks.push(Check::Unplaced { issue: issue(), count: known.unplaced });
        }
        // Each line without a day has a warning of its own.
        let warnings = known.warnings.saturating_sub(known.unplaced);
        if warnings > 0 {
            checks.push(Check::Warnings { issue: issue(), count: warnings });
        }
        if known.html_bytes > TOO_LONG {
            checks.push(Check::TooLong { issue: issue(), bytes: known.html_bytes });
        }
    }
    checks.push(match (next.audience, next.before) {
        (0, _) => Check::Nobody { issue: issue() },
        (now, Some(before)) if now.abs_diff(before) * 10 > before => {
            Check::AudienceMoved { issue: issue(), now, before }
        }
        (now, _) => Check::Audience { issue: issue(), now },
    });
    checks.extend(next.sending.clone().map(|before| Check::WaitsFor { issue: issue(), before }));
    checks
}

/// The next occurrence that is still to leave: an issue may have been sent before its hour, or be given up.
async fn leaves_next(
    it: &Reading<'_>,
    mailing: &Mailing,
    open: &[IssueSummary],
) -> Result<Option<(Timestamp, IssueKey, Option<IssueSummary>)>, StoreError> {
    for at in mailing.schedule.after(it.now).take(MOST_OVER) {
        let key = mailing.issue_key(at);
        let issue = it.issue(open, &key).await?;
        if issue.as_ref().is_none_or(|issue| issue.frozen().is_none() && issue.state() != IssueState::Expired) {
            return Ok(Some((at, key, issue)));
        }
    }
    Ok(None)
}

/// # Errors
/// When the ledger cannot be read.
pub async fn before(it: &Reading<'_>) -> Result<Before, StoreError> {
    let facts = Facts::read(it.store, it.config, it.mailings, it.now).await?;
    let skips = it.store.skips().await?;
    let mut next = Vec::new();
    for mailing in it.mailings {
        let Some((at, key, issue)) = leaves_next(it, mailing, &facts.issues).await? else { continue };
        let last = IssuesFilter {
            mailing: Some(mailing.id.clone()),
            state: Some(IssueState::Done),
            limit: 1,
            ..IssuesFilter::default()
        };
        let content = match &issue {
            Some(issue) => it.store.content_summary(&issue.key).await?,
            None => None,
        };
        let asked = match &issue {
            Some(issue) => super::issue::asked(it, issue).await?.pop(),
            None => None,
        };
        let rehearsal = match (mailing.rehearse, mailing.approval) {
            (Some(rehearse), _) => Some(mailing.schedule.rehearsal_of(at, rehearse)),
            (None, Approval::Required) => Some(at - mailing.compose_before),
            (None, Approval::Automatic) => None,
        };
        next.push(Next {
            title: mailing.title.clone(),
            at,
            rehearsal: rehearsal.filter(|at| *at > it.now),
            skip: skips.iter().find(|skip| skip.issue == key).cloned(),
            audience: it.audience_size(mailing).await?,
            before: it.store.issues_page(&last).await?.first().map(|issue| issue.counts.total()),
            sending: it.store.other_sending_issue(&mailing.id, &key).await?,
            content: content.as_ref().map(Known::of),
            asked: asked.map(|it| (it.by, it.why)),
            issue,
            key,
        });
    }
    next.sort_by_key(|next| next.at);
    Ok(Before {
        now: it.now,
        zone: it.config.zone,
        facts,
        relay: it.config.relay.is_some(),
        staff: it.config.staff.len(),
        doubtful: it.store.distrust().await?.is_some(),
        next,
    })
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Tonight {
    pub level: Level,
    /// « Vous pouvez dormir. »
    pub answer: String,
    /// The numbers, or the reason.
    pub details: String,
    pub href: Option<String>,
    pub checks: Vec<CheckView>,
    pub waiting: Vec<CheckView>,
    pub coming: Vec<coming::Coming>,
    /// Nobody is known and nothing was ever sent: a fresh install.
    pub fresh: bool,
    pub at: When,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckView {
    pub level: Level,
    pub sentence: String,
    pub href: Option<String>,
}

/// The verdict in words: of the page, and of the mails to staff.
#[derive(Debug, Clone)]
pub struct Said {
    pub level: Level,
    /// « Vous pouvez dormir. »
    pub answer: String,
    /// The numbers, or the reason.
    pub details: String,
    /// Of the details, the reason alone: the worst check, or why nothing leaves although nothing is wrong.
    pub reason: Option<CheckView>,
    /// A sentence for each issue that leaves within the time the verdict is about, by hour.
    pub departures: Vec<String>,
    /// The worst first.
    pub checks: Vec<CheckView>,
    href: Option<String>,
    waiting: Vec<CheckView>,
}

impl Before {
    pub fn said(&self) -> Said {
        let (now, zone, verdict) = (self.now, self.zone, self.verdict());
        let view =
            |item: &Item| CheckView { level: item.level(), sentence: item.sentence(now, zone), href: item.href() };
        let worst = verdict.items.first().filter(|_| verdict.level > Level::Good).map(&view);
        let is_skipped = |item: &&Item| {
            matches!(item, Item::Check(Check::Skipped { issue, .. } | Check::Cancelled { issue })
            if verdict.departure.as_ref().is_some_and(|it| it.issue == *issue))
        };
        let skipped = verdict.items.iter().find(is_skipped).map(&view);
        let is_under_way = |item: &&Item| matches!(item, Item::Check(Check::UnderWay { .. }));
        let under_way = verdict.items.iter().find(is_under_way).filter(|_| verdict.level == Level::Good).map(&view);
        let (mut answer, mut details) = wording::verdict(
            verdict.level,
            verdict.departure.as_ref(),
            worst.as_ref().map_or("", |it| &it.sentence),
            skipped.as_ref().map(|it| it.sentence.as_str()),
            now,
            zone,
        );
        if let Some(it) = &under_way {
            (answer, details) = (wording::UNDER_WAY.to_owned(), it.sentence.clone());
        }
        let known = |departure: &&Departure| self.facts.issues.iter().any(|issue| issue.key == departure.issue);
        let issue = verdict.departure.as_ref().filter(known).map(|it| issue_href(&it.issue));
        let reason = worst.or(under_way);
        let leaving = self.next.iter().filter(|next| self.is_soon(next) && !next.is_stopped());
        Said {
            level: verdict.level,
            answer,
            details,
            href: reason.as_ref().and_then(|it| it.href.clone()).or(issue),
            reason: reason.or(skipped),
            departures: leaving
                .map(|next| match verdict.level {
                    Level::WillNotGo => wording::planned(&self.departure(next), now, zone),
                    _ => wording::departure(&self.departure(next), now, zone),
                })
                .collect(),
            checks: verdict.items.iter().map(&view).collect(),
            waiting: verdict.items.iter().filter(|item| item.waits_for_a_person()).map(&view).collect(),
        }
    }
}

/// What a mail to staff says, which is being sent at this moment: nothing about mails to staff that are late.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn for_a_mail(it: &Reading<'_>) -> Result<Said, StoreError> {
    let mut before = before(it).await?;
    before.facts.pending_notices.clear();
    before.facts.silent.clear();
    Ok(before.said())
}

/// # Errors
/// When the ledger cannot be read.
pub async fn read(it: &Reading<'_>) -> Result<Tonight, StoreError> {
    let before = before(it).await?;
    let said = before.said();
    let nothing_sent = it.store.issues_page(&IssuesFilter { limit: 1, ..IssuesFilter::default() }).await?.is_empty();
    Ok(Tonight {
        level: said.level,
        answer: said.answer,
        details: said.details,
        href: said.href,
        checks: said.checks,
        waiting: said.waiting,
        coming: coming::read(it, TimeDelta::zero(), LISTED).await?,
        fresh: nothing_sent && before.next.iter().all(|next| next.audience == 0),
        at: it.when(before.now),
    })
}

#[cfg(test)]
#[path = "tonight_tests.rs"]
mod tests;
