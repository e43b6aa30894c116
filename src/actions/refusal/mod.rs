//! Why an action was refused, as data, with texts for both interfaces: English with a suggested command for the command
//! line, French without commands for the console.

mod english;
mod french;

use super::api_refusal::ApiRefusal;
use super::exception_refusal::ExceptionRefusal;
use crate::app::NoSuchMailing;
use crate::domain::{
    Timestamp,
    delivery::State,
    edition::OrderState,
    email::EmailAddress,
    hold::Hold,
    issue::{Counts, IssueKey, IssueState, IssueSummary},
};
use crate::partners::said::Said;
use chrono_tz::Tz;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The ledger stores who acted.
    NoName,
    NoSuchIssue(IssueKey),
    /// It will be composed before its hour.
    NotComposedYet(IssueKey),
    NothingToApprove {
        issue: IssueKey,
        state: IssueState,
        reason: Option<String>,
    },
    DeadlinePassed(IssueKey),
    /// Its content is not the reviewed one; `now` is the beginning of its hash.
    HasChanged {
        issue: IssueKey,
        seen: String,
        now: String,
    },
    /// Another actor changed it concurrently.
    ChangedMeanwhile(IssueKey),
    /// Frozen or finished.
    Unchangeable {
        issue: IssueKey,
        state: IssueState,
    },
    /// Not possible in its state.
    WrongState {
        issue: IssueKey,
        state: IssueState,
    },
    /// No more of its deliveries are sent.
    GivenUp {
        issue: Box<IssueSummary>,
        zone: Tz,
    },
    /// Its content comes from no source.
    NotCollected {
        mailing: String,
    },
    NotANewsletter {
        mailing: String,
    },
    NoEditorialSection {
        mailing: String,
    },
    LeavesWithoutApproval {
        mailing: String,
    },
    NoOccurrence {
        issue: IssueKey,
    },
    /// Its issues wait for an approval, or no schedule says when they leave.
    NotRehearsed {
        mailing: String,
    },
    /// A test goes to staff only; this address is neither of an account nor in `staff`.
    NotStaff(EmailAddress),
    /// More tests in a day would be mail.
    TestedTooOften {
        most: u32,
    },
    /// A mail to one person, such as the confirmation of an order.
    NotOfAList(IssueKey),
    NoRelay,
    /// Somebody does not want it to leave.
    Skipped {
        issue: IssueKey,
        by: String,
    },
    NotSkipped(IssueKey),
    /// Exactly this content is approved.
    ApprovedAlready {
        issue: IssueKey,
        by: String,
    },
    /// Too late to skip it, or to take that back.
    HourHasCome(IssueKey),
    NoSuchDelivery(String),
    NotUnknown {
        delivery: String,
        state: State,
    },
    LaneIsOpen(String),
    NoEditionMailing(String),
    NoSuchEdition {
        slug: String,
        known: Vec<String>,
    },
    HourIsOver,
    AnnouncedBefore {
        slug: String,
        issue: IssueKey,
        state: IssueState,
        counts: Box<Counts>,
    },
    AnnouncedFor {
        slug: String,
        at: Timestamp,
        zone: Tz,
    },
    /// An erratum needs somebody to read it.
    ReachedNobody(IssueKey),
    NoWords,
    TooManyWords {
        most: usize,
    },
    TooManyErrata {
        issue: IssueKey,
        most: u32,
    },
    /// It has no sources and no editorial: other words are written anew.
    IsErratum(IssueKey),
    /// With this change it could not leave.
    WouldBeHeld {
        issue: IssueKey,
        why: Box<Hold>,
    },
    CannotBeAnnounced {
        slug: String,
        why: Box<Hold>,
    },
    AnnouncedMeanwhile(IssueKey),
    NotAnnounced(String),
    /// The announcement can no longer be cancelled.
    LeavingAlready {
        issue: IssueKey,
        state: IssueState,
    },
    PacksAreOrdered {
        slug: String,
        ordered: u32,
    },
    NoSuchOrders(Vec<String>),
    /// It is not printed, or no longer valid.
    NotOrderable(String),
    /// Fewer packs are left.
    TooFewPacks {
        slug: String,
        left: u32,
    },
    /// More than one order may have (`max_packs` in the edition's file).
    OverOrderLimit {
        slug: String,
        most: u32,
    },
    /// Each change is confirmed by a mail.
    OrderedTooOften(EmailAddress),
    OrderNotOpen {
        order: String,
        state: OrderState,
    },
    /// The partner changed it since it was shown.
    OrderChanged(String),
    /// The person who ordered was erased.
    OrderOfNobody(String),
    /// The contact ordered the edition again.
    OtherOrderOpen {
        order: String,
        other: String,
    },
    /// A message to the address is being sent at this moment.
    BeingSent(EmailAddress),
    /// The reason is stored with the action, and none was given.
    NoReason,
    ContactKnown(EmailAddress),
    ContactNotKnown(EmailAddress),
    /// Another contact has this address.
    AddressTaken(EmailAddress),
    /// No field to change was given.
    NothingSaid,
    /// The address is not suppressed.
    NotSuppressed(EmailAddress),
    /// Only the person can lift their own opt-out.
    PersonsOwnWord(EmailAddress),
    /// Where the addresses of a list come from is stored with them.
    NoSource,
    /// The file as a whole cannot be used: at which line, and why.
    UnusableList((u64, Said)),
    /// Lists of one account that wait to be imported.
    TooManyUploads {
        most: u32,
    },
    /// It was imported, given up, or has expired.
    NoSuchUpload,
    /// The list would remove more than a fifth of the contacts.
    RemovesMany {
        gone: usize,
        known: usize,
    },
    /// A backup is written into an empty folder.
    FolderNotEmpty(PathBuf),
    /// There is a ledger with data at the place to restore to.
    LedgerInTheWay,
    /// Another secret or other link keys are at the place to restore those of the backup to.
    FileInTheWay(String),
    /// The configuration contains the secret itself, at this place, and it is not the backup's.
    SecretNotOfBackup(String),
    /// The backup contains link keys, and the configuration names no file for them.
    LinkKeysNotConfigured,
    /// An account has at least one role.
    NoRole,
    NoAddress,
    /// There is an account with this address.
    AccountKnown(EmailAddress),
    /// What was given: an address or an id.
    NoSuchAccount(String),
    AccountDisabled(String),
    /// Nobody could administer the accounts any more.
    LastAdministrator,
    /// Other towns may have a venue of this name.
    NotAVenueOfItsOwn(String),
    /// It is not in the list of communes.
    NotACommune(String),
    /// Nothing is known of it.
    NoSuchVenue(String),
    /// Only the lines of an agenda are corrected.
    NotAnAgenda {
        mailing: String,
    },
    /// Nothing was read for the issue yet.
    NothingRead(IssueKey),
    /// What was last read has no such line.
    NoSuchLine(String),
    /// Somebody else corrected it since it was shown.
    CorrectedMeanwhile {
        by: String,
    },
    /// The correction is not in force.
    NoSuchCorrection(String),
    /// A correction places a line on a day of the issue's week only.
    OutsideTheWeek,
    NotAWebAddress(String),
    /// The line is left out of every issue already.
    DismissedAlready,
    NotDismissed(String),
    /// Of tokens, webhooks and the API.
    Api(ApiRefusal),
    Exception(ExceptionRefusal),
    NoSuchMailing(NoSuchMailing),
}
