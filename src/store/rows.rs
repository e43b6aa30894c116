//! Converts rows to domain types. An invalid value is an error with table, column and row: the database was edited by
//! hand, or two versions of the program disagree.

use super::PendingNotice;
use super::backend::Row;
use super::{
    Cursor, KeptPage, LoggedAttempt, LoggedDelivery, Notice, Occurrence, OccurrenceState, Published, Result, StoreError,
};
use crate::domain::{
    Timestamp,
    canary::Canary,
    classify::Class,
    delivery::{Claim, DeliveryId, Phase, Recipient, Reply, State},
    edition::{Announcement, Edition, EditionStock, Handover, Order, OrderState, Orderer, Wish},
    email::EmailAddress,
    feedback::{Feedback, FeedbackKind, Proof},
    issue::{
        Approval, Attachment, Content, ContentRefusal, Counts, Envelope, Frozen, GivenUp, Inline, IssueKey, IssueState,
        IssueSummary, RefusalKind, Resumed, Stage,
    },
    newsletter::Newcomer,
    partner::{Barred, Contact, Partner, SubscriptionChange, SuppressionReason},
};
use std::fmt::Display;

/// A row being read.
pub(super) struct Reader<'a> {
    row: &'a Row,
    table: &'static str,
    /// The column that names the row in errors; never one that contains an address.
    key: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(row: &'a Row, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    fn unreadable(&self, column: &'static str, why: impl Display) -> StoreError {
        let row = self.row.get::<String>(self.key).unwrap_or_else(|_| "?".to_owned());
        StoreError::Row { table: self.table, column, row, why: why.to_string() }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String> {
        self.row.get(column).map_err(|e| self.unreadable(column, e))
    }

    pub(super) fn optional_text(&self, column: &'static str) -> Result<Option<String>> {
        self.row.get(column).map_err(|e| self.unreadable(column, e))
    }

    /// A column that holds JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|why| self.unreadable(column, why))
    }

    pub(super) fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        self.row.get(column).map_err(|e| self.unreadable(column, e))
    }

    fn optional_int(&self, column: &'static str) -> Result<Option<i64>> {
        self.row.get(column).map_err(|e| self.unreadable(column, e))
    }

    pub(super) fn number<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<T> {
        let number: i64 = self.row.get(column).map_err(|e| self.unreadable(column, e))?;
        T::try_from(number).map_err(|e| self.unreadable(column, e))
    }

    pub(super) fn optional_number<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<Option<T>> {
        let number = self.optional_int(column)?;
        number.map(|n| T::try_from(n).map_err(|e| self.unreadable(column, e))).transpose()
    }

    pub(super) fn instant(&self, column: &'static str) -> Result<Timestamp> {
        let instant = self.optional_instant(column)?;
        instant.ok_or_else(|| self.unreadable(column, "expected an instant, got nothing"))
    }

    pub(super) fn optional_instant(&self, column: &'static str) -> Result<Option<Timestamp>> {
        let out_of_range = || self.unreadable(column, "out of the range of instants");
        let millis = self.optional_int(column)?;
        millis.map(|ms| Timestamp::from_timestamp_millis(ms).ok_or_else(out_of_range)).transpose()
    }

    pub(super) fn address(&self, column: &'static str) -> Result<EmailAddress> {
        EmailAddress::parse(&self.text(column)?).map_err(|e| self.unreadable(column, e))
    }

    pub(super) fn issue_key(&self, column: &'static str) -> Result<IssueKey> {
        IssueKey::parse(&self.text(column)?).map_err(|e| self.unreadable(column, e))
    }

    /// A word of a closed set.
    pub(super) fn word<T: Copy>(&self, column: &'static str, all: &[T], word: fn(T) -> &'static str) -> Result<T> {
        let text = self.text(column)?;
        let found = all.iter().copied().find(|it| word(*it) == text);
        found.ok_or_else(|| self.unreadable(column, format_args!("unknown word {text:?}")))
    }
}

pub(super) fn cursor(row: &Row) -> Result<Cursor> {
    let row = Reader::new(row, "mailings", "mailing");
    Ok(Cursor { mailing: row.text("mailing")?, schedule: row.text("schedule")?, cursor: row.instant("cursor")? })
}

pub(super) fn occurrence(row: &Row) -> Result<Occurrence> {
    let row = Reader::new(row, "occurrences", "local");
    Ok(Occurrence {
        mailing: row.text("mailing")?,
        scheduled_for: row.instant("scheduled_for")?,
        local: row.text("local")?,
        state: row.word("state", &OccurrenceState::ALL, OccurrenceState::as_str)?,
        reason: row.optional_text("reason")?,
        issue: row.optional_text("issue")?.is_some().then(|| row.issue_key("issue")).transpose()?,
        next_try: row.instant("next_try")?,
    })
}

pub(super) fn published(row: &Row) -> Result<Published> {
    let row = Reader::new(row, "issues", "key");
    Ok(Published {
        key: row.issue_key("key")?,
        mailing: row.text("mailing")?,
        subject: row.text("subject")?,
        scheduled_for: row.instant("scheduled_for")?,
        frozen_at: row.instant("frozen_at")?,
    })
}

/// Without subscriptions, which are separate rows.
pub(super) fn contact(row: &Row) -> Result<Contact> {
    let row = Reader::new(row, "contacts", "id");
    Ok(Contact {
        id: row.text("id")?,
        address: row.address("address")?,
        name: row.text("name")?,
        function: row.text("function")?,
        language: row.text("language")?,
        partner: partner_of(&row)?,
        others: Vec::new(),
        subscriptions: Vec::new(),
        barred: Vec::new(),
        since: row.instant("since")?,
    })
}

/// The contact, and one of its further establishments.
pub(super) fn affiliation(row: &Row) -> Result<(String, Partner)> {
    let row = Reader::new(row, "affiliations", "contact");
    Ok((row.text("contact")?, partner_of(&row)?))
}

fn partner_of(row: &Reader) -> Result<Partner> {
    Ok(Partner {
        name: row.text("establishment")?,
        category: row.text("category")?,
        commune: row.text("commune")?,
        insee: row.text("insee")?,
        street: row.text("street")?,
        labels: row.json("labels")?,
        stars: row.number("stars")?,
        website: row.text("website")?,
        phone: row.text("phone")?,
        postcode: row.text("postcode")?,
        position: row.text("position")?,
    })
}

/// The contact, and a suppression of it.
pub(super) fn barred(row: &Row) -> Result<(String, Barred)> {
    let row = Reader::new(row, "suppressions", "contact");
    let reason = row.word("reason", &SuppressionReason::ALL, SuppressionReason::as_str)?;
    let (scope, since, why) = (row.text("scope")?, row.instant("since")?, row.text("why")?);
    Ok((row.text("contact")?, Barred { scope, reason, since, why }))
}

pub(super) fn stocked(row: &Row) -> Result<EditionStock> {
    let row = Reader::new(row, "editions", "slug");
    let edition: Edition = row.json("definition")?;
    Ok(EditionStock {
        edition,
        ordered: row.number("ordered")?,
        revision: row.number("revision")?,
        changed_at: row.instant("changed_at")?,
        announced_for: row.optional_instant("leaves_at")?,
    })
}

/// The bytes of an edition's file.
pub(super) fn file(row: &Row) -> Result<Vec<u8>> {
    Reader::new(row, "edition_files", "edition").bytes("bytes")
}

pub(super) fn announcement(row: &Row) -> Result<Announcement> {
    let row = Reader::new(row, "announcements", "issue");
    Ok(Announcement {
        issue: row.issue_key("issue")?,
        edition: row.text("edition")?,
        segment: Some(row.text("segment")?).filter(|text| !text.is_empty()),
        leaves_at: row.instant("leaves_at")?,
        by: row.optional_text("announced_by")?.unwrap_or_default(),
    })
}

pub(super) fn orderer(row: &Row) -> Result<Orderer> {
    let row = Reader::new(row, "orders", "contact_id");
    Ok(Orderer {
        contact_id: row.text("contact_id")?,
        address: row.address("address")?,
        name: row.text("name")?,
        establishment: row.text("establishment")?,
        commune: row.text("commune")?,
        street: row.text("street")?,
    })
}

pub(super) fn order(row: &Row) -> Result<Order> {
    let by = orderer(row)?;
    let row = Reader::new(row, "orders", "id");
    Ok(Order {
        id: row.text("id")?,
        edition: row.text("edition")?,
        by,
        wish: Wish {
            packs: row.number("packs")?,
            handover: row.word("handover", &Handover::ALL, Handover::as_str)?,
            remark: row.text("remark")?,
        },
        state: row.word("state", &OrderState::ALL, OrderState::as_str)?,
        revision: row.number("revision")?,
        taken_by: Some(row.text("taken_by")?).filter(|name| !name.is_empty()),
        ordered_at: row.instant("ordered_at")?,
        changed_at: row.instant("changed_at")?,
    })
}

pub(super) fn subscription_change(row: &Row) -> Result<SubscriptionChange> {
    let row = Reader::new(row, "subscription_changes", "mailing");
    Ok(SubscriptionChange {
        mailing: row.text("mailing")?,
        at: row.instant("at")?,
        change: row.text("change")?,
        basis: row.text("basis")?,
        source: row.text("source")?,
    })
}

/// Without counts, which are summed over other rows.
pub(super) fn issue(row: &Row) -> Result<IssueSummary> {
    let row = Reader::new(row, "issues", "key");
    let stage = stage(&row)?;
    Ok(IssueSummary {
        key: row.issue_key("key")?,
        mailing: row.text("mailing")?,
        half_approved_by: match stage {
            Stage::AwaitingApproval { .. } | Stage::Held { .. } => row.optional_text("approved_by")?,
            _ => None,
        },
        stage,
        scheduled_for: row.instant("scheduled_for")?,
        expires_at: row.instant("expires_at")?,
        subject: row.optional_text("subject")?,
        counts: Counts::default(),
        resumed: match row.optional_instant("resumed_at")? {
            Some(at) => Some(Resumed { at, unknown: row.number("unknown_at_resume")? }),
            None => None,
        },
        canary: match row.optional_number("canary_size")? {
            Some(size) => Some(Canary { size, over_at: row.optional_instant("canary_over_at")? }),
            None => None,
        },
    })
}

fn stage(row: &Reader) -> Result<Stage> {
    let (reason, closed_at) = (row.optional_text("reason")?, row.optional_instant("closed_at")?);
    let (content_hash, approved_by) = (row.optional_text("content_hash")?, row.optional_text("approved_by")?);
    let frozen = row.optional_instant("frozen_at")?.map(|at| Frozen {
        at,
        content_hash: content_hash.clone(),
        approved_by: approved_by.clone(),
    });
    let given_up = |frozen| GivenUp {
        frozen,
        reason: reason.clone(),
        content_hash: content_hash.clone(),
        approved_by: approved_by.clone(),
        closed_at,
    };
    // The error names the column that is empty.
    let needed = |frozen: Option<Frozen>| match frozen {
        Some(frozen) => Ok(frozen),
        None => row.instant("frozen_at").map(|at| Frozen { at, content_hash: None, approved_by: None }),
    };
    let state = row.word("state", &IssueState::ALL, IssueState::as_str)?;
    Ok(match (state, frozen) {
        (IssueState::Held, _) => Stage::Held { reason: reason.unwrap_or_default(), content_hash },
        (IssueState::AwaitingApproval, _) => Stage::AwaitingApproval { content_hash: row.text("content_hash")? },
        (IssueState::Rehearsed, _) => Stage::Rehearsed { content_hash: row.text("content_hash")? },
        (IssueState::Approved, _) => {
            Stage::Approved { content_hash: row.text("content_hash")?, by: row.text("approved_by")?, held_for: reason }
        }
        (IssueState::Expired, frozen) => Stage::Expired(given_up(frozen)),
        (IssueState::Cancelled, frozen) => Stage::Cancelled(given_up(frozen)),
        (IssueState::Sending, frozen) => Stage::Sending(needed(frozen)?),
        (IssueState::Paused, frozen) => Stage::Paused { frozen: needed(frozen)?, reason },
        (IssueState::Done, frozen) => Stage::Done { frozen: needed(frozen)?, closed_at },
    })
}

/// The issue, and how many of its deliveries are in each state: one column per state.
pub(super) fn counts(row: &Row) -> Result<(IssueKey, Counts)> {
    let row = Reader::new(row, "tallies", "issue");
    let mut counts = Counts::default();
    for state in State::ALL {
        *counts.of(state) = row.number(state.as_str())?;
    }
    // Claimed deliveries are stored as queued and counted as claims.
    counts.queued = counts.queued.saturating_sub(counts.claimed);
    counts.claimed = counts.claimed.saturating_sub(counts.in_data);
    Ok((row.issue_key("issue")?, counts))
}

pub(super) fn content(row: &Row, attachments: Vec<Attachment>, inline: Vec<Inline>) -> Result<Content> {
    let row = Reader::new(row, "issue_content", "issue");
    let envelope: Envelope = row.json("envelope")?;
    Ok(Content {
        subject: row.text("subject")?,
        html: row.text("html")?,
        text: row.text("text")?,
        attachments,
        inline,
        data: row.text("data")?,
        envelope,
    })
}

pub(super) fn attachment(row: &Row) -> Result<Attachment> {
    let row = Reader::new(row, "attachments", "issue");
    Ok(Attachment { name: row.text("name")?, media_type: row.text("media_type")?, bytes: row.bytes("bytes")? })
}

pub(super) fn inline(row: &Row) -> Result<Inline> {
    let row = Reader::new(row, "inline_parts", "issue");
    Ok(Inline { content_id: row.text("content_id")?, media_type: row.text("media_type")?, bytes: row.bytes("bytes")? })
}

pub(super) fn approval(row: &Row) -> Result<Approval> {
    let row = Reader::new(row, "approvals", "issue");
    let (content_hash, by) = (row.text("content_hash")?, row.text("approved_by")?);
    let (at, withdrawn_at) = (row.instant("approved_at")?, row.optional_instant("withdrawn_at")?);
    Ok(Approval { content_hash, by, at, withdrawn_at })
}

pub(super) fn content_refusal(row: &Row) -> Result<ContentRefusal> {
    let row = Reader::new(row, "refusals", "issue");
    Ok(ContentRefusal {
        content_hash: row.text("content_hash")?,
        kind: row.word("kind", &RefusalKind::ALL, RefusalKind::as_str)?,
        by: row.text("refused_by")?,
        at: row.instant("refused_at")?,
        why: row.text("why")?,
    })
}

pub(super) fn newcomer(row: &Row) -> Result<Newcomer> {
    let row = Reader::new(row, "contacts", "establishment");
    Ok(Newcomer { establishment: row.text("establishment")?, commune: row.text("commune")? })
}

/// A picked delivery. `domain`: of the Message-IDs of its issue.
pub(super) fn claim(row: &Row, domain: &str, owner: &str, lease_until: Timestamp) -> Result<Claim> {
    let row = Reader::new(row, "deliveries", "id");
    let (id, issue) = (DeliveryId(row.text("id")?), row.issue_key("issue")?);
    Ok(Claim {
        message_id: id.message_id(&issue, domain),
        id,
        issue,
        attempt: row.number("attempt")?,
        owner: owner.to_owned(),
        lease_until,
        recipient: Recipient {
            address: row.address("address")?,
            name: row.text("name")?,
            establishment: row.text("establishment")?,
            commune: row.text("commune")?,
            contact_id: row.text("contact_id")?,
        },
        deferrals: row.number("deferrals")?,
    })
}

pub(super) fn delivery_state(row: &Row) -> Result<State> {
    Reader::new(row, "deliveries", "id").word("state", &State::ALL, State::as_str)
}

/// Without finished attempts, which are separate rows. `domain`: of the Message-IDs of its issue.
pub(super) fn logged_delivery(row: &Row, domain: &str) -> Result<LoggedDelivery> {
    let state = delivery_state(row)?;
    let row = Reader::new(row, "deliveries", "id");
    let (id, issue) = (DeliveryId(row.text("id")?), row.issue_key("issue")?);
    let attempt = row.number("attempt")?;
    let under_way = |marked_at| LoggedAttempt {
        n: attempt,
        at: marked_at,
        phase: Phase::Data,
        code: None,
        enhanced: None,
        text: None,
        outcome: "in_flight".to_owned(),
    };
    Ok(LoggedDelivery {
        message_id: id.message_id(&issue, domain),
        id,
        issue,
        contact_id: row.text("contact_id")?,
        address: row.text("address")?,
        name: row.text("name")?,
        establishment: row.text("establishment")?,
        state,
        next_at: row.optional_instant("next_at")?,
        changed_at: row.instant("changed_at")?,
        resends: row.number("resends")?,
        attempts: row.optional_instant("marked_at")?.map(under_way).into_iter().collect(),
        feedback: Vec::new(),
    })
}

/// The delivery, and the attempt.
pub(super) fn attempt(row: &Row) -> Result<(String, LoggedAttempt)> {
    let row = Reader::new(row, "attempts", "delivery");
    let attempt = LoggedAttempt {
        n: row.number("n")?,
        at: row.instant("at")?,
        phase: row.word("phase", &Phase::ALL, Phase::as_str)?,
        code: row.optional_number("code")?,
        enhanced: row.optional_text("enhanced")?,
        text: row.optional_text("text")?,
        outcome: row.text("outcome")?,
    };
    Ok((row.text("delivery")?, attempt))
}

/// The delivery, and what came back about it.
pub(super) fn feedback(row: &Row) -> Result<(String, Feedback)> {
    let row = Reader::new(row, "feedback", "delivery");
    let class = row.optional_text("class")?.map(|_| row.word("class", &Class::ALL, Class::as_str)).transpose()?;
    let said =
        Reply { code: row.optional_number("code")?, enhanced: row.optional_text("enhanced")?, text: row.text("text")? };
    let feedback = Feedback {
        kind: row.word("kind", &FeedbackKind::ALL, FeedbackKind::as_str)?,
        class,
        said,
        proof: row.word("proof", &Proof::ALL, Proof::as_str)?,
        received_at: row.instant("received_at")?,
        recorded_at: row.instant("recorded_at")?,
    };
    Ok((row.text("delivery")?, feedback))
}

pub(super) fn notice(row: &Row) -> Result<PendingNotice> {
    let row = Reader::new(row, "notices", "id");
    let kind = row.text("kind")?;
    let notice = Notice::parse(&kind, row.text("text")?).ok_or_else(|| row.unreadable("kind", "no such notice"))?;
    Ok(PendingNotice {
        id: row.text("id")?,
        issue: row.issue_key("issue")?,
        notice,
        created_at: row.instant("created_at")?,
    })
}

pub(super) fn page(row: &Row) -> Result<KeptPage> {
    let row = Reader::new(row, "pages", "url");
    Ok(KeptPage {
        etag: row.optional_text("etag")?,
        last_modified: row.optional_text("last_modified")?,
        content_type: row.text("content_type")?,
        text: row.text("text")?,
    })
}
