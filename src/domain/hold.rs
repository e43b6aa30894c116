//! Why an issue is held instead of frozen. Worded in French in [`crate::notices::wording`].

use super::{agenda::Week, edition::Missing, lint::Finding};
use chrono::NaiveDate;

/// Why an issue is held: nothing of it is sent until the cause is fixed, or a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// No article could be fetched; the text is the reason.
    ArticleUnreachable(String),
    /// A required source of listings failed; the text is the reason.
    ListingsUnreachable(String),
    /// The sources answered, but have no matching article.
    NoArticle {
        week: Week,
    },
    /// There are articles, but none for this week; the newest is for `found`.
    WrongWeek {
        wanted: Week,
        found: Option<Week>,
        title: String,
    },
    /// Days of other weeks among those of the wanted one.
    StrayDays {
        wanted: Week,
        days: Vec<NaiveDate>,
    },
    /// Days whose heading has no items.
    EmptyDays(Vec<NaiveDate>),
    TooFewEvents {
        found: usize,
        least: usize,
    },
    TooManyUnplaced {
        unplaced: usize,
        items: usize,
    },
    /// Lines that changed after a person corrected them, in their present words: only a person knows what is right now.
    CorrectionsInConflict {
        lines: Vec<String>,
    },
    /// Neither news nor an editorial since the last newsletter.
    NothingNew {
        since: NaiveDate,
    },
    /// A required source of news failed; the text is the reason.
    NewsUnreachable(String),
    EditorialUnreadable {
        file: String,
        why: FileTrouble,
    },
    AppointmentsUnreadable(String),
    NoSuchEdition {
        slug: String,
    },
    EditionOutOfDate {
        title: String,
    },
    /// The edition lacks what its mail needs.
    EditionIncomplete {
        title: String,
        missing: Vec<Missing>,
    },
    /// The edition is to be read as a PDF on our pages, which are not served.
    PdfNotServed {
        title: String,
    },
    /// More events than a poster or a booklet has room for, however small.
    DoesNotFit,
    /// The message that recipients would get breaks rules that receivers enforce; never empty.
    MessageFaulty {
        faults: Vec<Finding>,
    },
    /// Not approved before its scheduled time.
    Unapproved,
    /// An unexpected failure of composing.
    Broken(String),
}

/// Why a file of the office cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTrouble {
    TooLong,
    Unreadable(String),
}
