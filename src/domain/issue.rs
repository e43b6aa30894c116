//! An issue: what one occurrence publishes.

use super::{Timestamp, agenda::Agenda, canary::Canary, french, newsletter::Letter};
use serde::Serialize;
use std::{collections::BTreeSet, fmt};

/// `agenda/2026-W28`, `newsletter/2026-07`, `editions/carte-2026`: the business key, which makes a second run idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct IssueKey(String);

/// What the key of an erratum ends with, after the key of the issue it corrects; a further one also has a number.
pub const ERRATUM: &str = "-rectificatif";

/// A text that is not an issue key.
#[derive(Debug, thiserror::Error)]
#[error("expected MAILING/PERIOD such as agenda/2026-W28, got {0:?}")]
pub struct InvalidKey(String);

impl IssueKey {
    /// The mailing's id and its period. Both are validated words (`a-z0-9-`, a week, a month, a slug).
    pub fn new(mailing: &str, period: impl fmt::Display) -> Self {
        Self(format!("{mailing}/{period}"))
    }

    /// # Errors
    /// If it is not two words of letters, digits, `-` and `_` with one slash between them.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        match text.split_once('/') {
            Some((mailing, period)) if word(mailing) && word(period) => Ok(Self(text.to_owned())),
            _ => Err(InvalidKey(text.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mailing's id: the part before the slash.
    pub fn mailing(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The part after the slash: `2026-W28`.
    pub fn period(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, period)| period)
    }

    /// The key of the erratum to this issue; `n` from 1.
    pub fn erratum(&self, n: u32) -> Self {
        match n {
            1 => Self(format!("{self}{ERRATUM}")),
            n => Self(format!("{self}{ERRATUM}-{n}")),
        }
    }

    /// The issue that this erratum corrects; `None`: it is no erratum.
    pub fn corrected(&self) -> Option<Self> {
        let (corrected, n) = self.0.rsplit_once(ERRATUM)?;
        let numbered = n.is_empty() || n.strip_prefix('-').is_some_and(|n| n.parse::<u32>().is_ok());
        numbered.then(|| Self(corrected.to_owned()))
    }

    /// `agenda-2026-w28`: for Message-IDs and file names.
    pub fn slug(&self) -> String {
        self.0.replace('/', "-").to_ascii_lowercase()
    }
}

impl fmt::Display for IssueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an issue's state, as it is stored and shown; [`Stage`] has its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// A gate failed, or it was not approved before its hour; retried until the deadline, and staff are notified.
    Held,
    /// Composed and stored until exactly this content is approved (I6).
    AwaitingApproval,
    /// Composed before its hour and shown to staff; it is read again at its hour and leaves unless somebody stops it.
    Rehearsed,
    /// The stored content is approved: sent at its hour.
    Approved,
    /// Frozen; its deliveries are being sent.
    Sending,
    /// Frozen, but sending was stopped by us or by a person, until a person resumes it.
    Paused,
    /// Every delivery is terminal or `unknown`.
    Done,
    /// The deadline passed while it was held.
    Expired,
    Cancelled,
}

impl IssueState {
    pub const ALL: [IssueState; 9] = [
        IssueState::Held,
        IssueState::AwaitingApproval,
        IssueState::Rehearsed,
        IssueState::Approved,
        IssueState::Sending,
        IssueState::Paused,
        IssueState::Done,
        IssueState::Expired,
        IssueState::Cancelled,
    ];

    /// Ended before all of it was sent: only `done` counts as published.
    pub fn is_given_up(self) -> bool {
        matches!(self, IssueState::Expired | IssueState::Cancelled)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            IssueState::Held => "held",
            IssueState::AwaitingApproval => "awaiting_approval",
            IssueState::Rehearsed => "rehearsed",
            IssueState::Approved => "approved",
            IssueState::Sending => "sending",
            IssueState::Paused => "paused",
            IssueState::Done => "done",
            IssueState::Expired => "expired",
            IssueState::Cancelled => "cancelled",
        }
    }
}

/// The frozen content: enough to build every message of the issue again, byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    pub subject: String,
    /// HTML and text, with placeholders for personal values; see `compose::context`.
    pub html: String,
    pub text: String,
    pub attachments: Vec<Attachment>,
    /// Pictures that the HTML refers to by Content-ID: nothing is fetched when the mail is opened.
    pub inline: Vec<Inline>,
    /// The agenda or the letter as JSON, for display and for the pages.
    pub data: String,
    /// RFC 5322 `From` and the fixed header values all messages share.
    pub envelope: Envelope,
}

impl Content {
    /// The newsletter, from [`Self::data`].
    ///
    /// # Errors
    /// If the data are those of another kind of mailing.
    pub fn letter(&self) -> serde_json::Result<Letter> {
        serde_json::from_str(&self.data)
    }

    /// The agenda, from [`Self::data`].
    ///
    /// # Errors
    /// If the data are those of another kind of mailing.
    pub fn agenda(&self) -> serde_json::Result<Agenda> {
        serde_json::from_str(&self.data)
    }
}

/// The header values that all messages of an issue share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Envelope {
    pub from_name: String,
    pub from_address: String,
    pub reply_to: Option<String>,
    /// `MAIL FROM`.
    pub return_path: String,
    /// Domain of Message-IDs and List-Id.
    pub domain: String,
    /// Empty: a mail to one person, not of a list.
    pub list_id: String,
    pub list_name: String,
    pub feedback_id: String,
    /// The `Date` of every message, epoch milliseconds: fixed, so that a resend has the same bytes.
    pub date_ms: i64,
    /// The base URL of unsubscribe links: `https://partenaires.office.example/`.
    pub public_url: String,
    /// The slug of the edition that personal links order, if the texts have such links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// The address of the article, as the documents print it (agendas).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article_url: Option<String>,
    /// Random part of the placeholders ([`crate::compose::context::Marks`]); empty in issues frozen before placeholders had
    /// one.
    #[serde(default)]
    pub marks: String,
    /// The keys that sign every message; empty: the relay signs. Stored with the issue, so that a resend has the same signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim: Vec<SigningKeyName>,
}

/// A DKIM key, by the name under which receivers look up its public part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
pub struct SigningKeyName {
    /// `d=`, in lower case: the sender's domain or a parent of it.
    pub domain: String,
    /// `s=`
    pub selector: String,
}

impl SigningKeyName {
    /// Where its TXT record is (RFC 6376 3.6.2.1): `s2026._domainkey.office.example`.
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}

impl Envelope {
    /// Whether it goes to a list from which one can unsubscribe.
    pub fn is_of_a_list(&self) -> bool {
        !self.list_id.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// As shown to partners, with accents: `Agenda du 6 au 12 juillet 2026.pdf`.
    pub name: String,
    /// `application/pdf`
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// A picture embedded in the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// Without angle brackets: `image-1.newsletter-2026-07@office.example`.
    pub content_id: String,
    /// `image/jpeg`
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// A person's approval of exactly this content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    pub content_hash: String,
    /// As the person named themselves.
    pub by: String,
    pub at: Timestamp,
    /// When it was taken back: it counts no more.
    pub withdrawn_at: Option<Timestamp>,
}

impl Approval {
    /// Whether it approves the content with this hash.
    pub fn counts_for(&self, hash: Option<&str>) -> bool {
        self.withdrawn_at.is_none() && hash == Some(self.content_hash.as_str())
    }
}

/// Why content that a person saw does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// A correction is wanted.
    Refused,
    /// An approval was taken back.
    Withdrawn,
}

impl RefusalKind {
    pub const ALL: [RefusalKind; 2] = [RefusalKind::Refused, RefusalKind::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            RefusalKind::Refused => "refused",
            RefusalKind::Withdrawn => "withdrawn",
        }
    }
}

/// A person's decision that exactly this content does not leave. Another person may still approve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentRefusal {
    pub content_hash: String,
    pub kind: RefusalKind,
    /// As the person named themselves.
    pub by: String,
    pub at: Timestamp,
    /// In the person's words; may be empty for a withdrawn approval.
    pub why: String,
}

/// The recipients of an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RecipientScope {
    /// All who are subscribed to its audience.
    #[default]
    Audience,
    /// One contact, by id, whatever its subscriptions: a reply to something this person did.
    Contact(String),
    /// Recipients of this announcement of an edition who did not order.
    NotOrdered(IssueKey),
    /// Those whom this issue has reached, or may have reached, and whom the office still knows.
    Reached(IssueKey),
}

/// An issue ready to be frozen.
#[derive(Debug, Clone)]
pub struct NewIssue {
    pub key: IssueKey,
    pub mailing: String,
    /// Contacts subscribed to this receive it: the mailing itself, except for mailings that share an audience.
    pub audience: String,
    /// And of these only those that match; `None` for all.
    pub segment: Option<super::segment::Segment>,
    pub whom: RecipientScope,
    pub scheduled_for: Timestamp,
    /// Nothing is sent after it.
    pub expires_at: Timestamp,
    pub content: Content,
    /// SHA-256 of the content, hexadecimal: what an approval refers to (I6).
    pub content_hash: String,
    /// When its content was collected: later news belong to the next issue.
    pub composed_at: Timestamp,
    /// The author of the content cannot be its only approver.
    pub second_person: bool,
    /// The person who changed the content, besides the author of its editorial.
    pub author: Option<String>,
    pub basis: Basis,
}

/// What persons had written when content was composed. If that has changed since, the content is outdated: it is not stored, and is
/// composed again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Basis {
    /// Nothing that persons change while it is composed.
    #[default]
    Sources,
    /// The revision of the corrections and exceptions of an agenda.
    Corrections(u64),
    /// Of a newsletter.
    Editorial {
        /// The editorial that was saved; `None`: none was.
        text: Option<String>,
        /// [`InForce::changes`](super::exception::InForce::changes)
        exceptions: u64,
    },
}

/// Whether content may leave by these approvals, which were not taken back (I6). With `second_person`, at least one approver must not be
/// an author, and authors and approvers together must be at least two persons. Names are compared without regard to capitals and
/// accents: the ledger knows persons by name.
pub fn is_enough(approvers: &[String], authors: &[String], second_person: bool) -> bool {
    if !second_person {
        return !approvers.is_empty();
    }
    let folded = |names: &[String]| names.iter().map(|name| french::folded(name.trim())).collect::<BTreeSet<_>>();
    let (approvers, authors) = (folded(approvers), folded(authors));
    approvers.difference(&authors).next().is_some() && approvers.union(&authors).count() >= 2
}

/// The deliveries of an issue by state. The sum is always the number of frozen recipients (I1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub queued: u64,
    pub claimed: u64,
    pub in_data: u64,
    pub sent: u64,
    pub failed: u64,
    pub unknown: u64,
    pub suppressed: u64,
    pub expired: u64,
    pub cancelled: u64,
}

impl Counts {
    pub fn total(&self) -> u64 {
        self.queued + self.claimed + self.in_data + self.ended()
    }

    /// Deliveries that no longer move by themselves.
    pub fn ended(&self) -> u64 {
        self.sent + self.failed + self.unknown + self.suppressed + self.expired + self.cancelled
    }

    /// Nothing of it moves by itself any more, and no recipient has it or may have it.
    pub fn reached_nobody(&self) -> bool {
        self.total() == self.ended() && self.sent == 0 && self.unknown == 0
    }

    pub fn of(&mut self, state: super::delivery::State) -> &mut u64 {
        use super::delivery::State::*;
        match state {
            Queued => &mut self.queued,
            Claimed => &mut self.claimed,
            InData => &mut self.in_data,
            Sent => &mut self.sent,
            Failed => &mut self.failed,
            Unknown => &mut self.unknown,
            Suppressed => &mut self.suppressed,
            Expired => &mut self.expired,
            Cancelled => &mut self.cancelled,
        }
    }
}

/// `12 = 10 sent + 1 failed + 1 unknown`: the sum of invariant I1.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = *self;
        let parts = super::delivery::State::ALL.into_iter().map(|state| (*counts.of(state), state));
        let parts: Vec<_> = parts.filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
        match parts.is_empty() {
            true => f.write_str("nobody"),
            false => write!(f, "{} = {}", self.total(), parts.join(" + ")),
        }
    }
}

/// The state of an issue, with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Held {
        /// For staff, in French.
        reason: String,
        /// Of stored content that was not approved before its hour.
        content_hash: Option<String>,
    },
    AwaitingApproval {
        content_hash: String,
    },
    /// What was composed at the rehearsal.
    Rehearsed {
        content_hash: String,
    },
    Approved {
        content_hash: String,
        /// Who first approved exactly this content.
        by: String,
        /// Why it was held before.
        held_for: Option<String>,
    },
    Sending(Frozen),
    Paused {
        frozen: Frozen,
        reason: Option<String>,
    },
    Done {
        frozen: Frozen,
        closed_at: Option<Timestamp>,
    },
    /// The deadline passed before it was frozen.
    Expired(GivenUp),
    Cancelled(GivenUp),
}

/// The content sent to the recipients, as frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub at: Timestamp,
    pub content_hash: Option<String>,
    pub approved_by: Option<String>,
}

/// An issue of which nothing more is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// `None`: nothing of it was sent.
    pub frozen: Option<Frozen>,
    pub reason: Option<String>,
    /// Of content that was stored and never frozen.
    pub content_hash: Option<String>,
    pub approved_by: Option<String>,
    pub closed_at: Option<Timestamp>,
}

/// An issue as stored in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueSummary {
    pub key: IssueKey,
    pub mailing: String,
    pub stage: Stage,
    pub scheduled_for: Timestamp,
    pub expires_at: Timestamp,
    pub subject: Option<String>,
    pub counts: Counts,
    pub resumed: Option<Resumed>,
    /// Its first messages, once they were chosen.
    pub canary: Option<Canary>,
    /// Who approved the stored content, although that is not enough: a second person is required.
    pub half_approved_by: Option<String>,
}

/// A person continued the issue after a pause: what they could see then does not pause it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    pub at: Timestamp,
    /// Deliveries that were unknown then.
    pub unknown: u64,
}

impl IssueSummary {
    /// More than five deliveries, and more than one in a hundred, have become unknown since a person last resumed it: a person
    /// decides before more of it leaves.
    pub fn too_many_unknown(&self) -> bool {
        self.too_many_in_doubt(0)
    }

    /// As [`Self::too_many_unknown`], with `more` deliveries whose sender died before it recorded an answer.
    pub fn too_many_in_doubt(&self, more: u64) -> bool {
        let seen = self.resumed.map_or(0, |resumed| resumed.unknown);
        (self.counts.unknown + more).saturating_sub(seen) > (self.counts.total() / 100).max(5)
    }

    /// How many messages are sent first, while the rest waits for their answers.
    pub fn awaits_first(&self) -> Option<u64> {
        let open = matches!(self.stage, Stage::Sending(_) | Stage::Paused { .. });
        self.canary.filter(|it| open && it.over_at.is_none()).map(|it| it.size)
    }

    /// It has not left yet, and may.
    pub fn may_still_leave(&self) -> bool {
        self.frozen().is_none() && !self.state().is_given_up()
    }

    pub fn state(&self) -> IssueState {
        match self.stage {
            Stage::Held { .. } => IssueState::Held,
            Stage::AwaitingApproval { .. } => IssueState::AwaitingApproval,
            Stage::Rehearsed { .. } => IssueState::Rehearsed,
            Stage::Approved { .. } => IssueState::Approved,
            Stage::Sending(_) => IssueState::Sending,
            Stage::Paused { .. } => IssueState::Paused,
            Stage::Done { .. } => IssueState::Done,
            Stage::Expired(_) => IssueState::Expired,
            Stage::Cancelled(_) => IssueState::Cancelled,
        }
    }

    /// Why it is held, paused or given up, for staff.
    pub fn reason(&self) -> Option<&str> {
        match &self.stage {
            Stage::Held { reason, .. } => Some(reason),
            Stage::Approved { held_for: reason, .. } | Stage::Paused { reason, .. } => reason.as_deref(),
            Stage::Expired(it) | Stage::Cancelled(it) => it.reason.as_deref(),
            Stage::AwaitingApproval { .. } | Stage::Rehearsed { .. } | Stage::Sending(_) | Stage::Done { .. } => None,
        }
    }

    pub fn frozen(&self) -> Option<&Frozen> {
        match &self.stage {
            Stage::Sending(frozen) | Stage::Paused { frozen, .. } | Stage::Done { frozen, .. } => Some(frozen),
            Stage::Expired(it) | Stage::Cancelled(it) => it.frozen.as_ref(),
            Stage::Held { .. } | Stage::AwaitingApproval { .. } | Stage::Rehearsed { .. } | Stage::Approved { .. } => {
                None
            }
        }
    }

    /// It left, or will not: nothing of it is to be announced any more.
    pub fn is_over(&self) -> bool {
        self.frozen().is_some() || self.state() == IssueState::Expired
    }

    pub fn frozen_at(&self) -> Option<Timestamp> {
        self.frozen().map(|frozen| frozen.at)
    }

    pub fn closed_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Done { closed_at, .. } => *closed_at,
            Stage::Expired(it) | Stage::Cancelled(it) => it.closed_at,
            _ => None,
        }
    }

    /// Set as soon as there is content, awaiting approval or frozen.
    pub fn content_hash(&self) -> Option<&str> {
        match &self.stage {
            Stage::Held { content_hash, .. } => content_hash.as_deref(),
            Stage::AwaitingApproval { content_hash }
            | Stage::Rehearsed { content_hash }
            | Stage::Approved { content_hash, .. } => Some(content_hash),
            Stage::Expired(GivenUp { frozen: None, content_hash, .. })
            | Stage::Cancelled(GivenUp { frozen: None, content_hash, .. }) => content_hash.as_deref(),
            _ => self.frozen().and_then(|frozen| frozen.content_hash.as_deref()),
        }
    }

    /// Who first approved exactly this content.
    pub fn approved_by(&self) -> Option<&str> {
        match &self.stage {
            Stage::Approved { by, .. } => Some(by),
            Stage::Expired(GivenUp { frozen: None, approved_by, .. })
            | Stage::Cancelled(GivenUp { frozen: None, approved_by, .. }) => approved_by.as_deref(),
            _ => self.frozen().and_then(|frozen| frozen.approved_by.as_deref()),
        }
    }

    /// Content is stored and can be approved, also after its hour.
    pub fn needs_approval(&self) -> bool {
        matches!(self.stage, Stage::AwaitingApproval { .. } | Stage::Held { content_hash: Some(_), .. })
    }

    /// Composed, kept and not frozen: rehearsed, approved, or to be approved.
    pub fn is_presented(&self) -> bool {
        self.is_approved() || self.is_rehearsed() || self.needs_approval()
    }

    pub fn is_rehearsed(&self) -> bool {
        matches!(self.stage, Stage::Rehearsed { .. })
    }

    /// Approved and not frozen yet.
    pub fn is_approved(&self) -> bool {
        matches!(self.stage, Stage::Approved { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_persons_stand_for_content_where_a_second_one_is_required() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let enough = |approvers, authors| is_enough(&names(approvers), &names(authors), true);
        for (approvers, authors, expected) in [
            ("", "", false),
            ("", "Marc", false),
            ("Claire", "", false),
            ("Claire claire", "", false),
            ("Claire Marc", "", true),
            ("Claire", "Claire", false),
            ("CLAIRE Zoe", "claire zoé", false),
            ("Claire", "Claire Marc", false),
            ("Claire", "Marc", true),
            ("Claire Marc", "Claire", true),
        ] {
            assert_eq!(enough(approvers, authors), expected, "{approvers} of {authors}");
        }
        assert!(is_enough(&names("Claire"), &names("Claire"), false) && !is_enough(&[], &[], false));
    }
}
