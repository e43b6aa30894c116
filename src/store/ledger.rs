//! The contract's table of contents: each intention, and the function that keeps it. Written once, over either
//! database; what differs between them is in `sqlite.rs`, `postgres.rs` and `sql.rs`.

use super::{
    Cursor, Daemon, Erased, Frozen, ImportReport, Kept, KeptPage, Lifted, LogFilter, LoggedDelivery, Miscounted, Moved,
    Notice, Occurrence, Ordered, Published, Recovered, Resolved, Result, Settled, Store, approvals, backend::Backend,
    choices, contacts, daemons, deliveries, editions, issues, lanes, last_word::LastWord, log, notices, orders,
    partners, schedule, settle, tallies,
};
use crate::domain::{
    Timestamp,
    delivery::{Claim, DeliveryId, Finished, Marked, Resolution},
    edition::{Announcement, Edition, EditionFile, Order, OrderState, Orderer, Stocked, Wish},
    email::EmailAddress,
    issue::{Approval, Content, IssueKey, IssueState, IssueSummary, NewIssue},
    lane::LaneTrouble,
    newsletter::Newcomer,
    partner::{Choices, Contact, Dossier, Import, SuppressionReason},
    segment::{Field, Segment},
};
use async_trait::async_trait;

pub(super) struct Ledger<B: Backend>(pub(super) B, pub(super) LastWord);

#[async_trait]
impl<B: Backend> Store for Ledger<B> {
    fn kind(&self) -> &'static str {
        B::KIND
    }

    async fn forgotten_since(&self) -> Result<Option<Timestamp>> {
        self.1.forgotten(&self.0).await
    }

    async fn trust_the_ledger(&self) -> Result<()> {
        self.1.trust(&self.0).await
    }

    async fn import(
        &self,
        import: &Import<'_>,
        progress: &(dyn Fn(usize) + Send + Sync),
        now: Timestamp,
    ) -> Result<ImportReport> {
        partners::import(&self.0, import, progress, now).await
    }

    async fn contacts_of(&self, segment: Option<&Segment>) -> Result<Vec<Contact>> {
        partners::contacts(&self.0, segment).await
    }

    async fn dossier(&self, key: &str, hash: &str) -> Result<Dossier> {
        partners::dossier(&self.0, key, hash).await
    }

    async fn erase(&self, key: &str, hash: &str, now: Timestamp) -> Result<Erased> {
        partners::erase(&self.0, key, hash, now).await
    }

    async fn newcomers(&self, since: Timestamp) -> Result<Vec<Newcomer>> {
        partners::newcomers(&self.0, since).await
    }

    async fn suppress(
        &self,
        address_hash: &str,
        mailing: Option<&str>,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<()> {
        partners::suppress(&self.0, address_hash, mailing, reason, now).await
    }

    async fn lift(&self, address_hash: &str, mailing: Option<&str>, why: &str, now: Timestamp) -> Result<Lifted> {
        contacts::lift(&self.0, address_hash, mailing, why, now).await
    }

    async fn move_contact(
        &self,
        from: (&str, &str),
        to: &EmailAddress,
        to_hash: &str,
        now: Timestamp,
    ) -> Result<Moved> {
        contacts::move_to(&self.0, from, to, to_hash, now).await
    }

    async fn values_of(&self, field: Field) -> Result<Vec<(String, u64)>> {
        contacts::values_of(&self.0, field).await
    }

    async fn choices(&self, contact: &str) -> Result<Option<Choices>> {
        choices::of(&self.0, contact).await
    }

    async fn opt_out(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool> {
        choices::opt_out(&self.0, contact, mailing, now).await
    }

    async fn opt_in(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool> {
        choices::opt_in(&self.0, contact, mailing, now).await
    }

    async fn keep_edition(&self, edition: &Edition, files: &[(EditionFile, Vec<u8>)], now: Timestamp) -> Result<Kept> {
        editions::keep(&self.0, edition, files, now).await
    }

    async fn editions(&self) -> Result<Vec<Stocked>> {
        editions::all(&self.0).await
    }

    async fn edition(&self, slug: &str) -> Result<Option<Stocked>> {
        editions::one(&self.0, slug).await
    }

    async fn edition_file(&self, slug: &str, file: EditionFile) -> Result<Option<Vec<u8>>> {
        editions::file(&self.0, slug, file).await
    }

    async fn announce(
        &self,
        announcement: &Announcement,
        first_try: Timestamp,
        zone: chrono_tz::Tz,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        editions::announce(&self.0, announcement, first_try, zone, now).await
    }

    async fn announcement(&self, issue: &IssueKey) -> Result<Option<Announcement>> {
        editions::announcement(&self.0, issue).await
    }

    async fn take_back(&self, issue: &IssueKey, reason: &str) -> Result<bool> {
        editions::take_back(&self.0, issue, reason).await
    }

    async fn announced(&self) -> Result<Vec<(Stocked, Announcement, Timestamp)>> {
        editions::announced(&self.0).await
    }

    async fn audience(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<Vec<EmailAddress>> {
        editions::audience(&self.0, mailing, audience, segment).await
    }

    async fn look_at_order(
        &self,
        edition: &str,
        contact: &str,
    ) -> Result<Option<(Stocked, Option<Orderer>, Option<Order>)>> {
        orders::look(&self.0, edition, contact).await
    }

    async fn order(&self, edition: &str, contact: &str, wish: &Wish, now: Timestamp) -> Result<Ordered> {
        orders::place(&self.0, edition, contact, wish, now).await
    }

    async fn cancel_order(&self, edition: &str, contact: &str, now: Timestamp) -> Result<bool> {
        orders::cancel(&self.0, edition, contact, now).await
    }

    async fn orders(&self, edition: Option<&str>) -> Result<Vec<Order>> {
        orders::all(&self.0, edition).await
    }

    async fn unconfirmed_orders(&self) -> Result<Vec<Order>> {
        orders::unconfirmed(&self.0).await
    }

    async fn order_confirmed(&self, order: &Order) -> Result<()> {
        orders::confirmed(&self.0, order).await
    }

    async fn close_orders(&self, ids: &[String], now: Timestamp) -> Result<Vec<Option<OrderState>>> {
        orders::close(&self.0, ids, now).await
    }

    async fn published_issues(&self, limit: u32) -> Result<Vec<Published>> {
        issues::published(&self.0, limit).await
    }

    async fn cursor(&self, mailing: &str, schedule: &str, now: Timestamp) -> Result<Cursor> {
        schedule::cursor(&self.0, mailing, schedule, now).await
    }

    async fn record_occurrences(&self, mailing: &str, occurrences: &[Occurrence], cursor: Timestamp) -> Result<()> {
        schedule::record(&self.0, mailing, occurrences, cursor).await
    }

    async fn due_occurrences(&self, now: Timestamp) -> Result<Vec<Occurrence>> {
        schedule::due(&self.0, now).await
    }

    async fn settle_occurrence(&self, occurrence: &Occurrence) -> Result<bool> {
        schedule::settle(&self.0, occurrence).await
    }

    async fn occurrences(&self, mailing: Option<&str>, limit: u32) -> Result<Vec<Occurrence>> {
        schedule::newest(&self.0, mailing, limit).await
    }

    async fn other_sending_issue(&self, mailing: &str, besides: &IssueKey) -> Result<Option<IssueKey>> {
        issues::other_sending(&self.0, mailing, besides).await
    }

    async fn beat(&self, daemon: &Daemon, forget: Timestamp) -> Result<()> {
        daemons::beat(&self.0, daemon, forget).await
    }

    async fn leave(&self, owner: &str) -> Result<()> {
        daemons::leave(&self.0, owner).await
    }

    async fn daemons(&self) -> Result<Vec<Daemon>> {
        daemons::all(&self.0).await
    }

    async fn lanes(&self) -> Result<Vec<LaneTrouble>> {
        lanes::all(&self.0).await
    }

    async fn note_lane(&self, trouble: &LaneTrouble) -> Result<bool> {
        lanes::note(&self.0, trouble).await
    }

    async fn forget_past_trouble(&self, lane: &str, now: Timestamp) -> Result<bool> {
        lanes::forget_past(&self.0, lane, now).await
    }

    async fn reopen_lane(&self, lane: &str) -> Result<bool> {
        lanes::reopen(&self.0, lane).await
    }

    async fn content_refused(&self, issue: &IssueKey, lane: &str) -> Result<u32> {
        lanes::refused(&self.0, issue, lane).await
    }

    async fn hold_issue(
        &self,
        key: &IssueKey,
        mailing: &str,
        scheduled_for: Timestamp,
        expires_at: Timestamp,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool> {
        issues::hold(&self.0, key, mailing, scheduled_for, expires_at, reason, now).await
    }

    async fn freeze_issue(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen> {
        issues::freeze(&self.0, issue, now).await
    }

    async fn present_issue(&self, issue: &NewIssue, replacing: Option<&str>, now: Timestamp) -> Result<bool> {
        approvals::present(&self.0, issue, replacing, now).await
    }

    async fn approve_issue(&self, key: &IssueKey, content_hash: &str, by: &str, now: Timestamp) -> Result<bool> {
        approvals::approve(&self.0, key, content_hash, by, now).await
    }

    async fn approvals(&self, key: &IssueKey) -> Result<Vec<Approval>> {
        approvals::of(&self.0, key).await
    }

    async fn freeze_approved(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen> {
        approvals::freeze(&self.0, issue, now).await
    }

    async fn audience_size(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<u64> {
        approvals::audience_size(&self.0, mailing, audience, segment).await
    }

    async fn last_composed(&self, mailing: &str, besides: &IssueKey) -> Result<Option<Timestamp>> {
        approvals::last_composed(&self.0, mailing, besides).await
    }

    async fn editorial(&self, key: &IssueKey) -> Result<Option<String>> {
        approvals::editorial(&self.0, key).await
    }

    async fn write_editorial(&self, key: &IssueKey, text: &str, by: &str, now: Timestamp) -> Result<()> {
        approvals::write_editorial(&self.0, key, text, by, now).await
    }

    async fn issue(&self, key: &IssueKey) -> Result<Option<IssueSummary>> {
        issues::one(&self.0, key).await
    }

    async fn content(&self, key: &IssueKey) -> Result<Option<Content>> {
        issues::content(&self.0, key).await
    }

    async fn issues(&self) -> Result<Vec<IssueSummary>> {
        issues::all(&self.0).await
    }

    async fn open_issues(&self) -> Result<Vec<IssueSummary>> {
        issues::open(&self.0).await
    }

    async fn set_issue_state(
        &self,
        key: &IssueKey,
        from: &[IssueState],
        to: IssueState,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        issues::set_state(&self.0, key, from, to, reason, now).await
    }

    async fn recover(&self, exclusive: bool, now: Timestamp) -> Result<Recovered> {
        deliveries::recover(&self.0, exclusive, now).await
    }

    async fn claim_deliveries(
        &self,
        issue: Option<&IssueKey>,
        owner: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Claim>> {
        deliveries::claim(&self.0, issue, owner, limit, now).await
    }

    async fn release(&self, claims: &[Claim], now: Timestamp) -> Result<u64> {
        deliveries::release(&self.0, claims, now).await
    }

    async fn postpone(&self, claims: &[(Claim, Timestamp)], now: Timestamp) -> Result<u64> {
        deliveries::postpone(&self.0, claims, now).await
    }

    async fn settle(&self, finished: &[Finished], claims: &[Claim], now: Timestamp) -> Result<Settled> {
        let settled = settle::settle(&self.0, finished, claims, now).await?;
        let moved = finished.iter().zip(&settled.moved).filter(|(_, moved)| **moved).map(|(it, _)| it.at);
        let marked = settled.marked.contains(&Marked::InData).then_some(now);
        if let Some(last) = moved.chain(marked).max() {
            self.1.note(last.timestamp_millis());
        }
        Ok(settled)
    }

    async fn expire_deliveries(&self, now: Timestamp) -> Result<u64> {
        deliveries::expire(&self.0, now).await
    }

    async fn next_due(&self, issue: Option<&IssueKey>) -> Result<Option<Timestamp>> {
        deliveries::next_due(&self.0, issue).await
    }

    async fn close_finished_issues(&self, now: Timestamp) -> Result<Vec<IssueKey>> {
        issues::close_finished(&self.0, now).await
    }

    async fn resolve_unknown(
        &self,
        id: &DeliveryId,
        resolution: Resolution,
        by: &str,
        now: Timestamp,
    ) -> Result<Resolved> {
        deliveries::resolve_unknown(&self.0, id, resolution, by, now).await
    }

    async fn log(&self, filter: &LogFilter) -> Result<Vec<LoggedDelivery>> {
        log::page(&self.0, filter).await
    }

    async fn explain_log(&self, filter: &LogFilter) -> Result<Vec<String>> {
        log::plans(&self.0, filter).await
    }

    async fn miscounted(&self) -> Result<Vec<Miscounted>> {
        tallies::miscounted(&self.0).await
    }

    async fn owe_notice(&self, issue: &IssueKey, kind: &str, text: &str, now: Timestamp) -> Result<bool> {
        notices::owe(&self.0, issue, kind, text, now).await
    }

    async fn owe_notices_of_paused(&self, now: Timestamp) -> Result<u64> {
        notices::owe_of_paused(&self.0, now).await
    }

    async fn owed_notices(&self) -> Result<Vec<Notice>> {
        notices::owed(&self.0).await
    }

    async fn notice_sent(&self, id: &str, now: Timestamp) -> Result<()> {
        notices::sent(&self.0, id, now).await
    }

    async fn kept_page(&self, url: &str) -> Result<Option<KeptPage>> {
        notices::kept_page(&self.0, url).await
    }

    async fn keep_page(&self, url: &str, page: &KeptPage, now: Timestamp) -> Result<()> {
        notices::keep_page(&self.0, url, page, now).await
    }
}
