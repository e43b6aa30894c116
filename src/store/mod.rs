//! The ledger. All SQL is here: one method per use case, each write guarded by its start state, its changed rows checked.
//! Each group of tables has a trait beside its SQL; [`Store`] is all of them.
//!
//! Two databases, one contract: `tests/store/` runs the same suite on both. The transition table
//! [`crate::domain::delivery::TRANSITIONS`] is authoritative; a write that finds another state changes nothing and
//! reports it. The store never reads a clock: every instant is an argument.

use crate::domain::{
    Timestamp,
    delivery::{DeliveryId, Marked, Phase, State},
    edition::{Edition, EditionFile, Order, OrderState},
    feedback::Feedback,
    issue::{Counts, IssueKey, IssueState},
    notice::Notice,
    partner::{Contact, SubscriptionChange},
};
use std::{fmt, sync::Arc};

mod accounts;
mod alerts;
pub mod api;
mod approvals;
mod audit;
mod backend;
mod browse;
mod canary;
mod choices;
mod contacts;
mod corrections;
mod daemons;
mod deliveries;
mod editions;
mod edits;
mod exceptions;
mod feedback;
mod figures;
mod import;
mod issues;
pub mod keep;
mod lanes;
mod log;
mod mass_bounces;
mod migrations;
mod notices;
mod orders;
mod pages;
mod partners;
mod persons;
mod pooler;
mod postgres;
mod properties;
mod rollback_guard;
mod rows;
mod schedule;
mod segment;
mod sessions;
mod settle;
mod sql;
mod sqlite;
mod suppressions;
mod tallies;
pub mod testing;
mod uploaded_lists;
mod venues;
pub mod webhooks;

pub use accounts::{Accounts, Changed, Credentials, NewFactor, NewInvitation, NewUser, Purpose, User};
pub use alerts::{Alerts, Change, Channel, PendingAlert};
pub use approvals::Approvals;
pub use audit::{ActorKind, AuditEntry, AuditFilter, AuditLog, AuditRow};
pub use browse::Browse;
pub use canary::{Canaries, CanaryEnd, CanaryStep, Claimed, Wanted};
pub use choices::ContactChoices;
pub use contacts::Contacts;
pub use corrections::{Corrections, Saved};
pub use daemons::Daemons;
pub use deliveries::Deliveries;
pub use editions::{EditionForm, EditionSaved, Editions, FileChange, Upload};
pub use exceptions::{Allowed, Exceptions};
pub use feedback::{BounceOf, FeedbackLog, MailboxState, NewFeedback, RefusedUs, Taken, ToRepair};
pub use figures::{FigureSource, Figures};
pub use import::ImportReport;
pub use issues::Issues;
pub use lanes::Lanes;
pub use log::DeliveryLog;
pub use notices::{NoticeTimes, Notices};
pub use orders::{Cancelled, Orders, Reopened};
pub use pages::Pages;
pub use partners::Partners;
pub use persons::{ContactAdded, ContactEdit, LastSign, Persons, Reach, SegmentCount};
pub use properties::SecretCheck;
pub use rollback_guard::{Distrust, RollbackGuard};
pub use schedule::Schedule;
pub use sessions::{Counter, NewSession, Session, Sessions, Stage};
pub use suppressions::{Silent, Suppressed, Suppressions};
pub use uploaded_lists::{UploadState, UploadedList, UploadedLists};
pub use venues::Venues;

/// How long a claim is valid before the marker: enough for MAIL and RCPT on a slow relay.
pub const CLAIM_LEASE: chrono::TimeDelta = chrono::TimeDelta::seconds(60);
/// How long it is valid from the marker on: the ten minutes of RFC 5321 4.5.3.2.6 and a margin.
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

/// The message of the error and its causes. Not the fields: those of Postgres quote the row, and with it a person's
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

/// What the ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To deliver: on SQLite only one process may. Any number on Postgres, where row locks keep them apart.
    Exclusive,
    /// To read, or for writes that any command may do while the daemon runs.
    Shared,
}

/// Opens the ledger and brings its tables up to date: `sqlite://PATH`, `postgres://USER@HOST/DATABASE`.
///
/// # Errors
/// When it cannot be reached, written or migrated; when another process delivers from it; when it is newer than this
/// program.
pub async fn open(url: &str, access: Access) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        Some(("sqlite", _)) => {
            let db = sqlite::Sqlite::open(url, access).await?;
            let last_write = sqlite::last_write(url, access);
            Ok(Arc::new(Ledger(db, Arc::new(last_write))))
        }
        Some(("postgres" | "postgresql", _)) => {
            let db = postgres::Postgres::open(url).await?;
            Ok(Arc::new(Ledger(db, Arc::new(postgres::last_write(access)))))
        }
        // Not the whole text: it may hold a password.
        _ => Err(StoreError::Open {
            url: url.split(':').next().unwrap_or_default().to_owned(),
            why: "expected sqlite://PATH or postgres://USER@HOST/DATABASE".to_owned(),
        }),
    }
}

/// How a database compares with this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// None of our tables exist yet.
    Empty,
    /// This many migrations are pending.
    Behind(usize),
    Current,
}

/// Inspects a database without changing it: no table is created, no migration runs. An SQLite file must exist.
///
/// # Errors
/// If it cannot be reached, read or written, is damaged, or is newer than this program.
pub async fn probe(url: &str) -> Result<Probed> {
    match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::probe(url).await,
        _ => postgres::probe(url).await,
    }
}

/// The store's record of a mailing: up to when its schedule was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub mailing: String,
    /// The schedule as last seen, to notice an edit (S6).
    pub schedule: String,
    /// Everything up to here was decided.
    pub cursor: Timestamp,
}

/// The decision about one due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// To be run; retried until its deadline while its issue is held.
    Pending,
    Done,
    /// Too late when it was noticed (S2), or its deadline passed while held.
    Missed,
    /// Replaced by a newer one of the same pass (S3).
    Coalesced,
    /// A person did not want it to leave.
    Skipped,
}

impl OccurrenceState {
    pub const ALL: [OccurrenceState; 5] = [
        OccurrenceState::Pending,
        OccurrenceState::Done,
        OccurrenceState::Missed,
        OccurrenceState::Coalesced,
        OccurrenceState::Skipped,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            OccurrenceState::Pending => "pending",
            OccurrenceState::Done => "done",
            OccurrenceState::Missed => "missed",
            OccurrenceState::Coalesced => "coalesced",
            OccurrenceState::Skipped => "skipped",
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
    /// When a pending one is tried next.
    pub next_try: Timestamp,
}

/// A coming issue that a person does not want to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    pub issue: IssueKey,
    pub why: String,
    pub by: String,
    pub at: Timestamp,
}

/// The result of [`Issues::freeze_issue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frozen {
    /// Frozen now, for this number of recipients. May be 0: the caller closes it.
    Now { recipients: u64 },
    /// It was frozen before, by an earlier run or another daemon; its content is the frozen one, not the new one.
    /// Or it was ended while held (expired, cancelled): then it has no content and must not be sent.
    Before,
    /// A person corrected it while it was being composed: it has to be composed again.
    Outdated,
}

/// A mail to staff that is not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingNotice {
    pub id: String,
    pub issue: IssueKey,
    pub notice: Notice,
    pub created_at: Timestamp,
}

/// A daemon as of its last heartbeat: for display, never for decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// New at every start; the same as in its claims.
    pub owner: String,
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// Set while the relay accepts no mail.
    pub relay: Option<RelayLeftAlone>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLeftAlone {
    /// The relay's reply, or our own words if there was none.
    pub trouble: String,
    /// Of the first failure in a row.
    pub since: Timestamp,
    /// When it is asked again.
    pub until: Timestamp,
}

/// Which deliveries `log` shows. All given conditions must match.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    pub issue: Option<IssueKey>,
    /// Compared by [`crate::domain::email::EmailAddress::key`].
    pub address_key: Option<String>,
    pub state: Option<State>,
    /// Changed at or after.
    pub since: Option<Timestamp>,
    /// Maximum number of rows; `None` for all.
    pub limit: Option<u32>,
    /// [`LoggedDelivery::mark`] of the last row of the previous page, which was read with the same filter.
    pub after: Option<LogMark>,
    /// The issue frozen last comes first, and in it what changed last.
    pub newest_first: bool,
    /// Only deliveries that bounced later, newest first and whatever their state; with an issue.
    pub bounced: bool,
}

/// Which issues a page of the list shows.
#[derive(Debug, Clone, Default)]
pub struct IssuesFilter {
    /// A mailing's id.
    pub mailing: Option<String>,
    pub state: Option<IssueState>,
    /// The last row of the previous page: when it was scheduled for, and its key.
    pub before: Option<(Timestamp, IssueKey)>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Which orders a page of the list shows.
#[derive(Debug, Clone)]
pub struct OrdersFilter {
    /// An edition's slug.
    pub edition: Option<String>,
    pub state: OrderState,
    /// The last row of the previous page: when it was ordered, and its id.
    pub after: Option<(Timestamp, String)>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// What is known of the content of an issue without reading its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentSummary {
    /// The agenda or the letter as JSON.
    pub data: String,
    pub text: String,
    /// Bytes of the HTML, without pictures.
    pub html_bytes: u64,
    pub pictures: u64,
    pub attachments: Vec<Document>,
}

/// A document attached to an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    /// `application/pdf`
    pub media_type: String,
    pub bytes: u64,
}

/// What a contact is looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactName {
    pub id: String,
    /// [`crate::domain::email::EmailAddress::key`]
    pub address_key: String,
    pub name: String,
    pub establishment: String,
    pub commune: String,
    pub phone: String,
    /// Further establishments and their communes.
    pub others: String,
}

/// One of those who receive a mailing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceMember {
    pub id: String,
    /// May be empty, as may the name.
    pub establishment: String,
    pub name: String,
    pub address: String,
}

/// Everything to show about a contact, without its deliveries.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub contact: Contact,
    /// [`crate::domain::email::EmailAddress::key`]
    pub address_key: String,
    /// The keyed hash of the address: what the audit names the person by.
    pub address_hash: String,
    /// Keys of the addresses the contact had before.
    pub former: Vec<String>,
    /// Oldest first.
    pub history: Vec<SubscriptionChange>,
    /// Oldest first.
    pub orders: Vec<Order>,
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
    /// Empty if the person was erased; the contact may be gone from the list.
    pub contact_id: String,
    pub address: String,
    pub name: String,
    pub establishment: String,
    pub state: State,
    pub message_id: String,
    pub next_at: Option<Timestamp>,
    pub changed_at: Timestamp,
    pub resends: u32,
    pub attempts: Vec<LoggedAttempt>,
    /// What came back about it, oldest first.
    pub feedback: Vec<Feedback>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LoggedAttempt {
    pub n: u32,
    pub at: Timestamp,
    pub phase: Phase,
    pub code: Option<u16>,
    pub enhanced: Option<String>,
    pub text: Option<String>,
    /// [`crate::domain::delivery::Outcome::as_str`], or `in_flight` if there is none yet,
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

/// An issue whose totals are wrong.
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

/// The results of a batch of results and markers, each in the given order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Whether the row moved.
    pub moved: Vec<bool>,
    pub marked: Vec<Marked>,
}

/// What recovery changed at start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// claimed -> queued (T2)
    pub released: u64,
    /// in_data -> unknown (T8)
    pub unknown: u64,
}

/// What [`Partners::erase`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// The number of rows of the ledger from which the person was removed.
    Done { deliveries: u64 },
    /// Nothing was known; the address is suppressed nevertheless.
    NotKnown,
    /// A message to the address is being sent: nothing was done; it is possible a moment later.
    UnderWay,
}

/// The result of [`Contacts::lift`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifted {
    /// The scopes that were lifted, and the number of suppressions by the person that stay.
    Done {
        scopes: Vec<String>,
        kept: usize,
    },
    Nothing,
    /// Only the person can take them back.
    PersonsOwn,
}

/// The result of [`Contacts::move_contact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    Done,
    NotKnown,
    /// Another contact has this address.
    Taken,
    /// A message is being sent to the old one: nothing was done; it is possible a moment later.
    UnderWay,
}

/// The result of [`Editions::keep_edition`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Added,
    /// The previous edition, and which of its files were changed or removed.
    Before {
        edition: Box<Edition>,
        changed_files: Vec<EditionFile>,
    },
    /// The number of ordered packs: there cannot be fewer, nor packs of another size. Nothing was changed.
    Refused {
        ordered: u32,
    },
}

/// Maximum number of times a contact may order an edition or change the order.
pub const MOST_REVISIONS: u32 = 40;

/// The result of [`Orders::order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordered {
    New,
    /// Replaced the person's earlier order.
    Changed,
    /// The same order existed: a second click.
    Before,
    /// The number of packs available to this person: nothing was changed.
    TooMany {
        left: u32,
    },
    /// The number of packs in one order at the most: nothing was changed.
    OverLimit {
        most: u32,
    },
    /// Each change is confirmed by a mail; the limit prevents abuse of a leaked link.
    TooOften,
    /// There is no such edition or contact.
    NotKnown,
}

/// The result of [`Deliveries::resolve_unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    Done,
    /// There is no such delivery.
    NoSuchDelivery,
    /// It is in this state; only `unknown` deliveries can be settled.
    NotUnknown(State),
}

/// The whole interface of either database. A caller that needs less takes the trait of one group of tables, which is
/// beside its SQL.
pub trait Store:
    RollbackGuard
    + SecretCheck
    + Partners
    + ContactChoices
    + Contacts
    + Persons
    + Editions
    + Orders
    + Schedule
    + Daemons
    + Lanes
    + Issues
    + Approvals
    + Deliveries
    + Canaries
    + DeliveryLog
    + FeedbackLog
    + Notices
    + Alerts
    + FigureSource
    + Pages
    + Browse
    + Accounts
    + Sessions
    + AuditLog
    + Venues
    + Corrections
    + Suppressions
    + Exceptions
    + UploadedLists
    + api::ApiTokens
    + webhooks::Webhooks
    + testing::Inspect
{
    /// `sqlite` or `postgres`.
    fn kind(&self) -> &'static str;
}

/// The only implementation, generic over the database.
struct Ledger<B: backend::Backend>(B, Arc<rollback_guard::LastWrite>);

impl<B: backend::Backend> Store for Ledger<B> {
    fn kind(&self) -> &'static str {
        B::KIND
    }
}
