//! A ledger in memory, for what a real database does not do on demand: fail here, answer late. It keeps the rules of the
//! contract that sending relies on (guards by state, owner, attempt, lease, issue), and panics at the first broken one.

use async_trait::async_trait;
use semainier::{
    domain::{
        Timestamp,
        delivery::{Claim, DeliveryId, Finished, Marked, Outcome, Recipient, Resolution, State, TRANSITIONS},
        email::EmailAddress,
        issue::{Content, Counts, IssueKey, IssueState, IssueSummary, NewIssue},
        partner::{Contact, ImportSummary, NewContact, SuppressionReason},
    },
    store::{self, CLAIM_LEASE, DATA_LEASE, Store, StoreError},
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard},
};

#[derive(Clone)]
pub struct Row {
    pub claim: Claim,
    pub state: State,
    pub next_at: Timestamp,
    pub attempts: Vec<Finished>,
}

#[derive(Default)]
pub struct Rows {
    pub rows: Vec<Row>,
    pub issues: BTreeMap<String, (IssueState, Option<String>)>,
    pub suppressed: HashSet<String>,
    /// The next so many calls of each fail, without effect.
    pub fail_claims: u32,
    pub fail_marks: u32,
    pub fail_finishes: u32,
    /// Addresses suppressed, or issues paused, between the claim and the marker.
    pub opt_out_at_marker: HashSet<String>,
    /// Rows taken by another daemon between the claim and the marker.
    pub stolen_at_marker: HashSet<String>,
    pub claims: usize,
    pub mark_calls: usize,
    pub finish_calls: usize,
}

#[derive(Default)]
pub struct MemoryLedger(Mutex<Rows>);

impl MemoryLedger {
    pub fn new(issue: &IssueKey, addresses: &[&str], now: Timestamp) -> Self {
        let ledger = Self::default();
        ledger.add_issue(issue, addresses, now);
        ledger
    }

    pub fn add_issue(&self, issue: &IssueKey, addresses: &[&str], now: Timestamp) {
        let mut rows = self.rows();
        rows.issues.insert(issue.to_string(), (IssueState::Sending, None));
        for address in addresses {
            let n = rows.rows.len() + 1;
            let address = EmailAddress::parse(address).unwrap();
            let recipient = Recipient {
                address,
                name: String::new(),
                establishment: String::new(),
                commune: String::new(),
                contact_id: format!("contact-{n}"),
            };
            let id = DeliveryId(format!("0190c2a4-0000-7000-8000-{n:012}"));
            let message_id = format!("{}.{id}@office.example", issue.slug());
            let claim = Claim {
                id,
                issue: issue.clone(),
                attempt: 0,
                owner: String::new(),
                lease_until: now,
                recipient,
                message_id,
                deferrals: 0,
            };
            rows.rows.push(Row { claim, state: State::Queued, next_at: now, attempts: Vec::new() });
        }
    }

    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap()
    }

    pub fn row(&self, address: &str) -> Row {
        let rows = self.rows();
        rows.rows.iter().find(|row| row.claim.recipient.address.to_string() == address).unwrap().clone()
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.rows().rows.iter().for_each(|row| *counts.of(row.state) += 1);
        counts
    }

    pub fn issue_state(&self, issue: &IssueKey) -> (IssueState, Option<String>) {
        self.rows().issues[issue.as_str()].clone()
    }
}

/// Moves a row, by the table only.
fn transition(row: &mut Row, to: State) {
    let allowed = TRANSITIONS.iter().any(|(_, from, into)| *from == row.state && *into == to);
    assert!(allowed, "{} -> {to} of {:?}", row.state, row.claim.recipient.address);
    row.state = to;
}

fn down(doing: &'static str) -> StoreError {
    StoreError::Unwritable { doing, why: "asked to fail".into() }
}

fn fails(left: &mut u32) -> bool {
    let fail = *left > 0;
    *left = left.saturating_sub(1);
    fail
}

#[async_trait]
impl Store for MemoryLedger {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn claim_deliveries(
        &self,
        issue: Option<&IssueKey>,
        owner: &str,
        limit: u32,
        now: Timestamp,
    ) -> store::Result<Vec<Claim>> {
        let mut rows = self.rows();
        rows.claims += 1;
        if fails(&mut rows.fail_claims) {
            return Err(down("claim"));
        }
        let Rows { rows, issues, suppressed, .. } = &mut *rows;
        let due = rows.iter_mut().filter(|row| {
            row.state == State::Queued
                && row.next_at <= now
                && issue.is_none_or(|issue| *issue == row.claim.issue)
                && issues[row.claim.issue.as_str()].0 == IssueState::Sending
                && !suppressed.contains(&row.claim.recipient.address.key())
        });
        Ok(due
            .take(limit as usize)
            .map(|row| {
                transition(row, State::Claimed);
                row.claim.attempt += 1;
                row.claim.owner = owner.to_owned();
                row.claim.lease_until = now + CLAIM_LEASE;
                row.claim.clone()
            })
            .collect())
    }

    async fn release(&self, claims: &[Claim], now: Timestamp) -> store::Result<u64> {
        let mut rows = self.rows();
        let mut released = 0;
        for claim in claims {
            let row = find(&mut rows.rows, claim);
            if row.state == State::Claimed && row.claim.owner == claim.owner && row.claim.attempt == claim.attempt {
                transition(row, State::Queued);
                row.next_at = now;
                released += 1;
            }
        }
        Ok(released)
    }

    async fn mark_in_data(&self, claims: &[Claim], now: Timestamp) -> store::Result<Vec<Marked>> {
        let mut rows = self.rows();
        rows.mark_calls += 1;
        if fails(&mut rows.fail_marks) {
            return Err(down("marker"));
        }
        let Rows { rows, issues, suppressed, opt_out_at_marker, stolen_at_marker, .. } = &mut *rows;
        let mut marked = Vec::new();
        for claim in claims {
            let row = find(rows, claim);
            let address = claim.recipient.address.to_string();
            if stolen_at_marker.remove(&address) {
                row.claim.owner = "another daemon".into();
                row.claim.attempt += 1;
            }
            if opt_out_at_marker.contains(&address) {
                suppressed.insert(address);
            }
            let mine = row.state == State::Claimed
                && row.claim.owner == claim.owner
                && row.claim.attempt == claim.attempt
                && row.claim.lease_until > now
                && issues[claim.issue.as_str()].0 == IssueState::Sending;
            marked.push(if !mine {
                Marked::Lost
            } else if suppressed.contains(&claim.recipient.address.key()) {
                transition(row, State::Suppressed);
                Marked::Suppressed
            } else {
                transition(row, State::InData);
                row.claim.lease_until = now + DATA_LEASE;
                Marked::InData
            });
        }
        Ok(marked)
    }

    async fn finish_attempts(&self, finished: &[Finished]) -> store::Result<Vec<bool>> {
        let mut rows = self.rows();
        rows.finish_calls += 1;
        if fails(&mut rows.fail_finishes) {
            return Err(down("result"));
        }
        let Rows { rows, suppressed, .. } = &mut *rows;
        let mut moved = Vec::new();
        for one in finished {
            let row = find(rows, &one.claim);
            let mine = row.claim.attempt == one.claim.attempt
                && (matches!(row.state, State::InData | State::Unknown)
                    || row.state == State::Claimed && row.claim.owner == one.claim.owner);
            moved.push(mine);
            if !mine {
                continue;
            }
            if row.state != one.outcome.state() {
                transition(row, one.outcome.state());
            }
            match &one.outcome {
                Outcome::Deferred { next_at } => {
                    row.next_at = *next_at;
                    row.claim.deferrals += 1;
                }
                Outcome::Ours { next_at } => row.next_at = *next_at,
                Outcome::Refused { suppress: true } => {
                    suppressed.insert(one.claim.recipient.address.key());
                }
                _ => {}
            }
            row.attempts.push(one.clone());
        }
        Ok(moved)
    }

    async fn issue(&self, key: &IssueKey) -> store::Result<Option<IssueSummary>> {
        let rows = self.rows();
        let Some((state, reason)) = rows.issues.get(key.as_str()).cloned() else { return Ok(None) };
        let mut counts = Counts::default();
        rows.rows.iter().filter(|row| row.claim.issue == *key).for_each(|row| *counts.of(row.state) += 1);
        Ok(Some(IssueSummary {
            key: key.clone(),
            mailing: "agenda".into(),
            state,
            reason,
            scheduled_for: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            frozen_at: None,
            closed_at: None,
            subject: None,
            content_hash: None,
            counts,
        }))
    }

    async fn set_issue_state(
        &self,
        key: &IssueKey,
        from: &[IssueState],
        to: IssueState,
        reason: Option<&str>,
        _now: Timestamp,
    ) -> store::Result<bool> {
        let mut rows = self.rows();
        let issue = rows.issues.get_mut(key.as_str()).unwrap();
        let fits = from.contains(&issue.0);
        if fits {
            *issue = (to, reason.map(String::from));
        }
        Ok(fits)
    }

    // --- no part in sending ---

    async fn import_contacts(
        &self,
        _: &[NewContact],
        _: &[String],
        _: &str,
        _: bool,
        _: Timestamp,
    ) -> store::Result<ImportSummary> {
        unimplemented!()
    }
    async fn contacts(&self) -> store::Result<Vec<Contact>> {
        unimplemented!()
    }
    async fn suppress(&self, _: &str, _: Option<&str>, _: SuppressionReason, _: Timestamp) -> store::Result<()> {
        unimplemented!()
    }
    async fn cursor(&self, _: &str, _: &str, _: Timestamp) -> store::Result<store::Cursor> {
        unimplemented!()
    }
    async fn record_occurrences(&self, _: &str, _: &[store::Occurrence], _: Timestamp) -> store::Result<()> {
        unimplemented!()
    }
    async fn due_occurrences(&self, _: Timestamp) -> store::Result<Vec<store::Occurrence>> {
        unimplemented!()
    }
    async fn settle_occurrence(&self, _: &store::Occurrence) -> store::Result<bool> {
        unimplemented!()
    }
    async fn occurrences(&self, _: Option<&str>, _: u32) -> store::Result<Vec<store::Occurrence>> {
        unimplemented!()
    }
    async fn hold_issue(
        &self,
        _: &IssueKey,
        _: &str,
        _: Timestamp,
        _: Timestamp,
        _: &str,
        _: Timestamp,
    ) -> store::Result<bool> {
        unimplemented!()
    }
    async fn freeze_issue(&self, _: &NewIssue, _: Timestamp) -> store::Result<store::Frozen> {
        unimplemented!()
    }
    async fn content(&self, _: &IssueKey) -> store::Result<Option<Content>> {
        unimplemented!()
    }
    async fn issues(&self) -> store::Result<Vec<IssueSummary>> {
        unimplemented!()
    }
    async fn recover(&self, _: bool, _: Timestamp) -> store::Result<store::Recovered> {
        unimplemented!()
    }
    async fn expire_deliveries(&self, _: Timestamp) -> store::Result<u64> {
        unimplemented!()
    }
    async fn next_due(&self, _: Option<&IssueKey>) -> store::Result<Option<Timestamp>> {
        unimplemented!()
    }
    async fn close_finished_issues(&self, _: Timestamp) -> store::Result<Vec<IssueKey>> {
        unimplemented!()
    }
    async fn resolve_unknown(
        &self,
        _: &DeliveryId,
        _: Resolution,
        _: &str,
        _: Timestamp,
    ) -> store::Result<store::Resolved> {
        unimplemented!()
    }
    async fn log(&self, _: &store::LogFilter) -> store::Result<Vec<store::LoggedDelivery>> {
        unimplemented!()
    }
    async fn owe_notice(&self, _: &IssueKey, _: &str, _: &str, _: Timestamp) -> store::Result<bool> {
        unimplemented!()
    }
    async fn owed_notices(&self) -> store::Result<Vec<store::Notice>> {
        unimplemented!()
    }
    async fn notice_sent(&self, _: &str, _: Timestamp) -> store::Result<()> {
        unimplemented!()
    }
    async fn kept_page(&self, _: &str) -> store::Result<Option<store::KeptPage>> {
        unimplemented!()
    }
    async fn keep_page(&self, _: &str, _: &store::KeptPage, _: Timestamp) -> store::Result<()> {
        unimplemented!()
    }
}

/// The row a claim speaks of.
fn find<'a>(rows: &'a mut [Row], claim: &Claim) -> &'a mut Row {
    rows.iter_mut().find(|row| row.claim.id == claim.id).unwrap()
}
