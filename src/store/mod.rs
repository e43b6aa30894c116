//! The ledger. All SQL of the house is here, one method an intention, each write guarded by the state it starts from
//! and its rows counted.
//!
//! Two databases, one contract: `tests/store/` runs the same suite on both. What is law here is the transition table
//! of [`crate::domain::delivery::TRANSITIONS`]; a write that finds another state changes nothing and says so.
//! The store never reads a clock: every instant is an argument.

use crate::domain::{
    Timestamp,
    delivery::{Claim, DeliveryId, Finished, Marked, Phase, Resolution, State},
    edition::{Announcement, Edition, EditionFile, Order, OrderState, Orderer, Stocked, Wish},
    email::EmailAddress,
    issue::{Approval, Content, Counts, IssueKey, IssueState, IssueSummary, NewIssue},
    lane::LaneTrouble,
    newsletter::Newcomer,
    partner::{Choices, Contact, Difference, Dossier, Import, ImportSummary, NewContact, SuppressionReason},
    segment::{Field, Segment},
};
use async_trait::async_trait;
use std::{fmt, sync::Arc};

mod approvals;
mod backend;
mod choices;
mod contacts;
mod daemons;
mod deliveries;
mod editions;
mod issues;
mod lanes;
mod last_word;
mod ledger;
mod log;
mod migrations;
mod notices;
mod orders;
mod partners;
mod postgres;
mod rows;
mod schedule;
mod segment;
mod settle;
mod sql;
mod sqlite;
mod tallies;

/// How long a claim holds before the marker: time enough for MAIL and RCPT on a slow relay.
pub const CLAIM_LEASE: chrono::TimeDelta = chrono::TimeDelta::seconds(60);
/// How long it holds from the marker on: the ten minutes of RFC 5321 4.5.3.2.6 and a margin.
pub const DATA_LEASE: chrono::TimeDelta = chrono::TimeDelta::minutes(15);

#[derive(thiserror::Error)]
pub enum StoreError {
    #[error("database: {doing}")]
    Database {
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("cannot open the database {url}: {why}")]
    Open { url: String, why: String },
    #[error("another semainier already works on {path}; stop it first (one daemon per SQLite file)")]
    Locked { path: String },
    #[error("the database was made by a newer semainier (schema {found}, this one knows {known}): upgrade the program")]
    NewerSchema { found: i64, known: i64 },
    #[error("migration of the database")]
    Migration(#[source] sqlx::migrate::MigrateError),
    #[error("unreadable row in {table}.{column} of {row}: {why}")]
    Row { table: &'static str, column: &'static str, row: String, why: String },
    /// The disk is full, or the file may not be written: nothing was changed.
    #[error("the database cannot be written ({doing}): {why}")]
    Unwritable { doing: &'static str, why: String },
    #[error("the database is damaged ({doing}): {why}; nothing is sent from it: stop, and restore its last backup")]
    Damaged { doing: &'static str, why: String },
}

/// The words of the error and of its causes. Not the fields: those of Postgres quote the row, and with it a person's
/// address (I7).
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// What an opener is going to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It delivers: on SQLite there may be only one. Any number on Postgres, whose row locks keep them apart.
    Exclusive,
    /// It reads, or writes what any command may while the daemon works.
    Shared,
}

/// Opens the ledger and brings its tables up to date: `sqlite://PATH`, `postgres://USER@HOST/DATABASE`.
///
/// # Errors
/// When it cannot be reached, written or migrated; when another one delivers from it; when it is newer than we are.
pub async fn open(url: &str, access: Access) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        Some(("sqlite", _)) => {
            let db = sqlite::Sqlite::open(url, access).await?;
            let last_word = sqlite::last_word(url, access);
            Ok(Arc::new(ledger::Ledger(db, last_word)))
        }
        Some(("postgres" | "postgresql", _)) => {
            let db = postgres::Postgres::open(url).await?;
            Ok(Arc::new(ledger::Ledger(db, postgres::last_word(access))))
        }
        // Not the whole text: it may hold a password.
        _ => Err(StoreError::Open {
            url: url.split(':').next().unwrap_or_default().to_owned(),
            why: "expected sqlite://PATH or postgres://USER@HOST/DATABASE".to_owned(),
        }),
    }
}

/// The store's own record of a mailing: how far its schedule was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub mailing: String,
    /// The schedule as last seen, so that an edit is noticed (S6).
    pub schedule: String,
    /// Everything up to here was decided.
    pub cursor: Timestamp,
}

/// What was decided of one due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// To be run; tried again until its deadline while its issue is held.
    Pending,
    Done,
    /// Too late when it was noticed (S2), or its deadline passed while held.
    Missed,
    /// A newer one of the same pass took its place (S3).
    Coalesced,
}

impl OccurrenceState {
    pub const ALL: [OccurrenceState; 4] =
        [OccurrenceState::Pending, OccurrenceState::Done, OccurrenceState::Missed, OccurrenceState::Coalesced];

    pub fn as_str(self) -> &'static str {
        match self {
            OccurrenceState::Pending => "pending",
            OccurrenceState::Done => "done",
            OccurrenceState::Missed => "missed",
            OccurrenceState::Coalesced => "coalesced",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub mailing: String,
    pub scheduled_for: Timestamp,
    /// `2026-07-04T08:00+02:00[Europe/Paris]`
    pub local: String,
    pub state: OccurrenceState,
    pub reason: Option<String>,
    pub issue: Option<IssueKey>,
    /// When a pending one is to be tried (again).
    pub next_try: Timestamp,
}

/// What [`Store::freeze_issue`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frozen {
    /// Frozen now, for so many recipients. May be 0: the caller closes it.
    Now { recipients: u64 },
    /// It was frozen before, by an earlier run or another daemon; its content is the frozen one, not the new one.
    /// Or it was stopped while held (expired, cancelled): then it has no content, and is not to be sent.
    Before,
}

/// A mail to staff that is owed: one when an issue is held, one when that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: String,
    pub issue: IssueKey,
    /// `held`, `resolved`, `expired`, `paused`, `relay`, `lane-PACE-NAME`, `missed`, `approval-HASH`: one of a kind
    /// per issue, but for one at each pause.
    pub kind: String,
    pub text: String,
    pub created_at: Timestamp,
}

/// A daemon as it last said it was: for people who look, never for decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// New at every start; the same as in its claims.
    pub owner: String,
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// Set while it leaves the relay alone.
    pub relay: Option<RelayLeftAlone>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLeftAlone {
    /// The relay's words, or ours where it said none.
    pub trouble: String,
    pub until: Timestamp,
}

/// Which deliveries `log` shows. All conditions given must hold.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    pub issue: Option<IssueKey>,
    /// Compared by [`crate::domain::email::EmailAddress::key`].
    pub address_key: Option<String>,
    pub state: Option<State>,
    /// Changed at or after.
    pub since: Option<Timestamp>,
    /// Rows at the most; `None` for all.
    pub limit: Option<u32>,
    /// [`LoggedDelivery::mark`] of the last row of the page before, which was asked for with the same conditions.
    pub after: Option<LogMark>,
}

/// Where a page of the log ended. As text: `ID.MILLISECONDS.ISSUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMark {
    pub issue: IssueKey,
    pub changed_at: Timestamp,
    pub id: DeliveryId,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LoggedDelivery {
    pub id: DeliveryId,
    pub issue: IssueKey,
    pub address: String,
    pub name: String,
    pub establishment: String,
    pub state: State,
    pub message_id: String,
    pub next_at: Option<Timestamp>,
    pub changed_at: Timestamp,
    pub resends: u32,
    pub attempts: Vec<LoggedAttempt>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LoggedAttempt {
    pub n: u32,
    pub at: Timestamp,
    pub phase: Phase,
    pub code: Option<u16>,
    pub enhanced: Option<String>,
    pub text: Option<String>,
    /// [`crate::domain::delivery::Outcome::as_str`], or `in_flight` while there is none,
    /// or `resolved` for a person's decision.
    pub outcome: String,
}

/// A fetched page with its validators (RFC 9110 8.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPage {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub content_type: String,
    pub text: String,
}

/// An issue whose sums are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miscounted {
    pub issue: IssueKey,
    pub kept: Counts,
    pub counted: Counts,
}

/// An issue that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub key: IssueKey,
    pub mailing: String,
    pub subject: String,
    pub scheduled_for: Timestamp,
    pub frozen_at: Timestamp,
}

/// What became of a batch of results and of markers, each in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Whether the row moved.
    pub moved: Vec<bool>,
    pub marked: Vec<Marked>,
}

/// What recovery put right at start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// claimed -> queued (T2)
    pub released: u64,
    /// in_data -> unknown (T8)
    pub unknown: u64,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub summary: ImportSummary,
    /// Contacts known before; counted only where the file is the whole list.
    pub known: usize,
    /// The first thousand of them, those that go first.
    pub differences: Vec<Difference>,
}

/// What [`Store::erase`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// So many rows of the ledger lost their person.
    Done { deliveries: u64 },
    /// Nothing was known; the address is suppressed all the same.
    NotKnown,
    /// A message to the address is being sent: nothing was done, a moment later it can be.
    UnderWay,
}

/// What [`Store::lift`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifted {
    /// These scopes are open again; so many words of the person stay.
    Done {
        scopes: Vec<String>,
        kept: usize,
    },
    Nothing,
    /// Only the person can take them back.
    PersonsOwn,
}

/// What [`Store::move_contact`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    Done,
    NotKnown,
    /// Another contact has this address.
    Taken,
    /// A message is being sent to the old one: nothing was done, a moment later it can be.
    UnderWay,
}

/// What [`Store::keep_edition`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Added,
    /// It was there, so; these of its files are others now, or gone.
    Before {
        edition: Box<Edition>,
        changed_files: Vec<EditionFile>,
    },
    /// So many packs are ordered: there cannot be fewer, nor packs of another size. Nothing was changed.
    Refused {
        ordered: u32,
    },
}

/// So often a contact may order an edition, and change the order.
pub const MOST_REVISIONS: u32 = 40;

/// What [`Store::order`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordered {
    New,
    /// In the place of what the person had ordered.
    Changed,
    /// Exactly this was ordered: a second click.
    Before,
    /// So many packs there are for this person: nothing was changed.
    TooMany {
        left: u32,
    },
    /// Each word of the person is a mail to them; a link in strange hands must not make it a flood.
    TooOften,
    /// There is no such edition, or no such contact (any more).
    NotKnown,
}

/// What [`Store::resolve_unknown`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    Done,
    /// There is no such delivery.
    NoSuchDelivery,
    /// It is in this state; only `unknown` waits for a decision.
    NotUnknown(State),
}

#[async_trait]
pub trait Store: Send + Sync {
    /// `sqlite` or `postgres`.
    fn kind(&self) -> &'static str;

    // --- a restored backup (D10) ---

    /// The instant of the last marker or result that this machine wrote, when the ledger knows of nothing so late: it is not
    /// the one that was left.
    async fn forgotten_since(&self) -> Result<Option<Timestamp>>;

    /// Somebody knows: from now on the ledger is taken as it is. Also for whoever removes deliveries on purpose.
    async fn trust_the_ledger(&self) -> Result<()>;

    // --- partners ---

    /// All or nothing. A known address (by [`crate::domain::email::EmailAddress::key`]) is brought up to date in the fields
    /// that are said; its subscriptions are only added to, never brought back once ended. Of two lines with the same
    /// address the last counts. Added, changed and unchanged add up; `suppressed` says how many of them are not written
    /// to all the same. `progress` hears how many lines were done; `dry_run` rolls back at the end.
    async fn import(
        &self,
        import: &Import<'_>,
        progress: &(dyn Fn(usize) + Send + Sync),
        now: Timestamp,
    ) -> Result<ImportReport>;

    /// The simple case: contacts are added, in the legitimate interest, and nobody watches.
    async fn import_contacts(
        &self,
        contacts: &[NewContact],
        mailings: &[String],
        source: &str,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<ImportSummary> {
        let basis = Default::default();
        let import = Import { contacts, mailings, source, basis, replace: false, dry_run };
        Ok(self.import(&import, &|_| {}, now).await?.summary)
    }

    /// By address; those of the segment, or all.
    async fn contacts_of(&self, segment: Option<&Segment>) -> Result<Vec<Contact>>;

    /// All of them, by address.
    async fn contacts(&self) -> Result<Vec<Contact>> {
        self.contacts_of(None).await
    }

    /// What is kept of the address with this key and this hash, but for its deliveries (see [`Store::log`]).
    async fn dossier(&self, key: &str, hash: &str) -> Result<Dossier>;

    /// Removes the person: contact, subscriptions, history, and the name and address on every delivery and order, whose
    /// rows stay (the sums of I1, and of what was handed out); open orders are cancelled. The hash is suppressed, so that
    /// no import brings the person back.
    async fn erase(&self, key: &str, hash: &str, now: Timestamp) -> Result<Erased>;

    /// Establishments that were not known at `since`, by name.
    async fn newcomers(&self, since: Timestamp) -> Result<Vec<Newcomer>>;

    /// Nothing is accepted for this address after this has committed (I5). `mailing`: `None` for all of them.
    /// Deliveries that are still `queued` become `suppressed` in the same transaction. Idempotent: the first reason stays.
    async fn suppress(
        &self,
        address_hash: &str,
        mailing: Option<&str>,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<()>;

    /// Takes back what the office, or a refusing relay, put against this address: for a mailing (or `*`), or for all there is.
    /// What the person said stays.
    async fn lift(&self, address_hash: &str, mailing: Option<&str>, why: &str, now: Timestamp) -> Result<Lifted>;

    /// Another address for a known contact: subscriptions, history and the person's own word go with it, what waits too; and
    /// nothing new stands against the old one. `from`: its key and its hash.
    async fn move_contact(&self, from: (&str, &str), to: &EmailAddress, to_hash: &str, now: Timestamp)
    -> Result<Moved>;

    /// What a field holds, and of how many; the most frequent first.
    async fn values_of(&self, field: Field) -> Result<Vec<(String, u64)>>;

    /// What a contact receives; `None` when there is no such contact (any more).
    async fn choices(&self, contact: &str) -> Result<Option<Choices>>;

    /// The person objects to a mailing: as [`Store::suppress`] (I5). `false` when there is no such contact.
    async fn opt_out(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool>;

    /// The person wants it again: lifts what the person had said against this mailing, and nothing else. Returns whether
    /// there was something to lift.
    async fn opt_in(&self, contact: &str, mailing: &str, now: Timestamp) -> Result<bool>;

    // --- editions and their orders ---

    /// Adds the edition, or puts it in the place of the one with its slug, with exactly these files. What is ordered stays
    /// ordered.
    async fn keep_edition(&self, edition: &Edition, files: &[(EditionFile, Vec<u8>)], now: Timestamp) -> Result<Kept>;

    /// The newest first.
    async fn editions(&self) -> Result<Vec<Stocked>>;

    async fn edition(&self, slug: &str) -> Result<Option<Stocked>>;

    async fn edition_file(&self, slug: &str, file: EditionFile) -> Result<Option<Vec<u8>>>;

    /// Keeps the wish, and its occurrence for whoever takes up what is due, from `first_try` on; the instant it leaves at,
    /// which is a second later where another edition leaves at this one. `None` when it was announced before. The mailing's
    /// cursor is there.
    async fn announce(
        &self,
        announcement: &Announcement,
        first_try: Timestamp,
        zone: chrono_tz::Tz,
        now: Timestamp,
    ) -> Result<Option<Timestamp>>;

    async fn announcement(&self, issue: &IssueKey) -> Result<Option<Announcement>>;

    /// As if it had never been announced. `false` when it was not, or when something was made of it already.
    async fn take_back(&self, issue: &IssueKey, reason: &str) -> Result<bool>;

    /// What left, with the instant it was frozen at, the first one first.
    async fn announced(&self) -> Result<Vec<(Stocked, Announcement, Timestamp)>>;

    /// The addresses an issue of the mailing would go to now.
    async fn audience(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<Vec<EmailAddress>>;

    /// The edition, the contact and its open order; `None` when there is no such edition. Changes nothing.
    async fn look_at_order(
        &self,
        edition: &str,
        contact: &str,
    ) -> Result<Option<(Stocked, Option<Orderer>, Option<Order>)>>;

    /// The contact's only open order of the edition becomes this. Counted against what is left in the same transaction:
    /// never more is sold than there is.
    async fn order(&self, edition: &str, contact: &str, wish: &Wish, now: Timestamp) -> Result<Ordered>;

    /// What was ordered can be ordered by others. `false` when nothing is open.
    async fn cancel_order(&self, edition: &str, contact: &str, now: Timestamp) -> Result<bool>;

    /// As they came; of one edition, or of all.
    async fn orders(&self, edition: Option<&str>) -> Result<Vec<Order>>;

    /// Orders in which the person said something that was not confirmed yet, the first one first.
    async fn unconfirmed_orders(&self) -> Result<Vec<Order>>;

    /// The confirmation of this revision is frozen.
    async fn order_confirmed(&self, order: &Order) -> Result<()>;

    /// They were handed over. In the order given the state each was in before; `None` for one that is not known, and then
    /// nothing was done. Only open ones change.
    async fn close_orders(&self, ids: &[String], now: Timestamp) -> Result<Vec<Option<OrderState>>>;

    // --- schedule (S1 to S10) ---

    /// The mailing's cursor; made at `now` when it is new. A changed schedule is stored and moves the cursor to `now`
    /// (S6: an edit never back-fires).
    async fn cursor(&self, mailing: &str, schedule: &str, now: Timestamp) -> Result<Cursor>;

    /// S4: inserts the rows that are not there yet and moves the cursor forward, in one transaction. S5: never back.
    async fn record_occurrences(&self, mailing: &str, occurrences: &[Occurrence], cursor: Timestamp) -> Result<()>;

    /// Pending occurrences whose `next_try` has come, oldest first.
    async fn due_occurrences(&self, now: Timestamp) -> Result<Vec<Occurrence>>;

    /// Sets what became of it; only a `pending` one changes. `next_try` matters for `Pending`.
    async fn settle_occurrence(&self, occurrence: &Occurrence) -> Result<bool>;

    /// The newest first.
    async fn occurrences(&self, mailing: Option<&str>, limit: u32) -> Result<Vec<Occurrence>>;

    /// S9: another issue of the mailing than `besides` that still goes out, if there is one.
    async fn other_sending_issue(&self, mailing: &str, besides: &IssueKey) -> Result<Option<IssueKey>>;

    // --- daemons ---

    /// This daemon is alive. Others that were not seen since `forget` are forgotten.
    async fn beat(&self, daemon: &Daemon, forget: Timestamp) -> Result<()>;

    /// This daemon stops, with nothing in flight.
    async fn leave(&self, owner: &str) -> Result<()>;

    /// The one seen last first.
    async fn daemons(&self) -> Result<Vec<Daemon>>;

    // --- lanes ---

    /// Lanes that are not open; those whose time is over included, until something is accepted in them.
    async fn lanes(&self) -> Result<Vec<LaneTrouble>>;

    /// Keeps it, unless a graver one is known and holds (a harder pace, a longer time): then `false`.
    async fn note_lane(&self, trouble: &LaneTrouble) -> Result<bool>;

    /// Something was accepted in a lane whose time was over: it begins anew. `false` when its time is not over, or it is
    /// forgotten already.
    async fn forget_past_trouble(&self, lane: &str, now: Timestamp) -> Result<bool>;

    /// Open again, and what was refused in it is forgotten. `false` when it was not closed.
    async fn reopen_lane(&self, lane: &str) -> Result<bool>;

    /// The issue's content was refused once more in this lane (`""`: in a domain of no family): how often by now. Forgotten
    /// when the issue is resumed.
    async fn content_refused(&self, issue: &IssueKey, lane: &str) -> Result<u32>;

    // --- issues ---

    /// Records that the issue is held, with the reason; a frozen issue is left alone (`false`).
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
    /// state `suppressed`, so that the sum says why) and the state `sending`, in one transaction. A held issue of the
    /// same key is taken over. Message-IDs are `<slug>.<delivery id>@<domain>`.
    async fn freeze_issue(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen>;

    // --- issues that somebody approves (I6) ---

    /// Keeps the content and waits for a word on it, in one transaction; whatever was approved before is another content.
    /// `replacing`: the hash of the content that is there now, `None` where there is none. `false`, and nothing done, when
    /// there is another, or when the issue is frozen or over.
    async fn present_issue(&self, issue: &NewIssue, replacing: Option<&str>, now: Timestamp) -> Result<bool>;

    /// `by` says yes to exactly this content, and a waiting occurrence is looked at now. `false` when the issue has
    /// another content by now, or is frozen or over. Idempotent: the first time stays.
    async fn approve_issue(&self, key: &IssueKey, content_hash: &str, by: &str, now: Timestamp) -> Result<bool>;

    /// All there were, of any content of the issue, the oldest first.
    async fn approvals(&self, key: &IssueKey) -> Result<Vec<Approval>>;

    /// As [`Store::freeze_issue`], of the content that is kept: only if it has this hash and somebody approved it. Of
    /// `issue.content` only the envelope is written, for the hour it leaves at.
    async fn freeze_approved(&self, issue: &NewIssue, now: Timestamp) -> Result<Frozen>;

    /// How many would receive an issue of the mailing now.
    async fn audience_size(&self, mailing: &str, audience: &str, segment: Option<&Segment>) -> Result<u64>;

    /// When the last issue of the mailing that left was collected, besides this one.
    async fn last_composed(&self, mailing: &str, besides: &IssueKey) -> Result<Option<Timestamp>>;

    /// What somebody wrote for this issue with [`Store::write_editorial`].
    async fn editorial(&self, key: &IssueKey) -> Result<Option<String>>;

    /// Instead of what was written before. There need not be an issue yet.
    async fn write_editorial(&self, key: &IssueKey, text: &str, by: &str, now: Timestamp) -> Result<()>;

    // --- all issues ---

    async fn issue(&self, key: &IssueKey) -> Result<Option<IssueSummary>>;

    /// The content, frozen or kept to be approved; `None` while there is none.
    async fn content(&self, key: &IssueKey) -> Result<Option<Content>>;

    /// The newest first, with their counts.
    async fn issues(&self) -> Result<Vec<IssueSummary>>;

    /// Those that are not over: held, awaiting approval, sending, paused, or with a delivery that is `unknown`. Quick, whatever the
    /// ledger's size: for `status`.
    async fn open_issues(&self) -> Result<Vec<IssueSummary>>;

    /// What left, or is leaving: for the pages everyone may read. The newest first, without counts.
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

    // --- deliveries (T1 to T10) ---

    /// At start on a database that only this daemon uses: every `claimed` is released, every `in_data` is unknown.
    /// Where several daemons share it: only those whose lease is over. `exclusive` says which.
    async fn recover(&self, exclusive: bool, now: Timestamp) -> Result<Recovered>;

    /// T1. Up to `limit` deliveries of issues that are `sending` and not past their deadline, the longest waiting first.
    /// Opted-out ones that are met on the way become `suppressed`.
    /// `issue`: only that one's.
    async fn claim_deliveries(
        &self,
        issue: Option<&IssueKey>,
        owner: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Claim>>;

    /// T2, by their owner: back to `queued`, due now, not counted as a failure.
    async fn release(&self, claims: &[Claim], now: Timestamp) -> Result<u64>;

    /// T2 as well, but each due at an instant of its own: its lane has no time before.
    async fn postpone(&self, claims: &[(Claim, Timestamp)], now: Timestamp) -> Result<u64>;

    /// T3, T4, T6, T7, T8 for what is `finished`, and T5 for the `claims`, in one commit: durable when it returns, answers in
    /// the order given.
    ///
    /// T5: the WHERE reads owner, attempt, lease, the issue's state and deadline, and suppressions. A row that is `InData` shows
    /// an attempt with phase `data`.
    ///
    /// The others: `true` where the row moved. A late answer lands on `unknown` too; one that comes after a person's decision
    /// moves nothing, but its words are kept with the attempt. A refusal with `suppress` suppresses the address for all
    /// mailings, in the same transaction.
    async fn settle(&self, finished: &[Finished], claims: &[Claim], now: Timestamp) -> Result<Settled>;

    /// T5 alone.
    async fn mark_in_data(&self, claims: &[Claim], now: Timestamp) -> Result<Vec<Marked>> {
        Ok(self.settle(&[], claims, now).await?.marked)
    }

    /// Results alone.
    async fn finish_attempts(&self, finished: &[Finished]) -> Result<Vec<bool>> {
        let Some(last) = finished.iter().map(|it| it.at).max() else { return Ok(Vec::new()) };
        Ok(self.settle(finished, &[], last).await?.moved)
    }

    /// Deliveries of issues past their deadline that were never marked: `expired`. Returns how many.
    async fn expire_deliveries(&self, now: Timestamp) -> Result<u64>;

    /// When the next queued delivery of a sending issue is due.
    async fn next_due(&self, issue: Option<&IssueKey>) -> Result<Option<Timestamp>>;

    /// Issues in `sending` without a delivery that can still move by itself become `done`. Returns their keys.
    /// Also puts right what crossed: a closed issue with something queued sends again, a cancelled one cancels it.
    async fn close_finished_issues(&self, now: Timestamp) -> Result<Vec<IssueKey>>;

    /// T9, T10: a person's decision, written as an attempt of its own with outcome `resolved`.
    /// A resend reopens the issue (`done` -> `sending`), extends nothing else: same Message-ID, same bytes.
    async fn resolve_unknown(
        &self,
        id: &DeliveryId,
        resolution: Resolution,
        by: &str,
        now: Timestamp,
    ) -> Result<Resolved>;

    /// By issue, the first frozen first. Within an issue as they were frozen, which is by address; where the filter has a
    /// state or an instant, in the order in which they came to be as they are. A page costs its rows, whatever the
    /// ledger's size.
    async fn log(&self, filter: &LogFilter) -> Result<Vec<LoggedDelivery>>;

    /// How the database reads a page of [`Store::log`], in its own words: how it finds the issues, then how it reads the
    /// first of them. For tests and measurements.
    async fn explain_log(&self, filter: &LogFilter) -> Result<Vec<String>>;

    /// Issues whose kept sums ([`IssueSummary::counts`]) are not those of their rows, with both: none, ever (I1).
    /// Counts every row of the ledger.
    async fn miscounted(&self) -> Result<Vec<Miscounted>>;

    // --- notices to staff ---

    /// `false` when this issue already has one of this kind.
    async fn owe_notice(&self, issue: &IssueKey, kind: &str, text: &str, now: Timestamp) -> Result<bool>;

    /// One for each issue that is paused, however it came to be, and for each pause. Returns how many are new.
    async fn owe_notices_of_paused(&self, now: Timestamp) -> Result<u64>;

    async fn owed_notices(&self) -> Result<Vec<Notice>>;

    async fn notice_sent(&self, id: &str, now: Timestamp) -> Result<()>;

    // --- pages of sources, for conditional requests ---

    /// The page as last fetched, so that a `304 Not Modified` can be answered from it.
    async fn kept_page(&self, url: &str) -> Result<Option<KeptPage>>;

    async fn keep_page(&self, url: &str, page: &KeptPage, now: Timestamp) -> Result<()>;
}
