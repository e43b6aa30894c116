//! Why an issue is held instead of frozen. Worded in French in [`crate::notices::wording`].

use super::agenda::Week;
use chrono::NaiveDate;

/// Why an issue is held: nothing of it leaves until the cause is mended, or a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// No article could be fetched; the sentence says why.
    ArticleUnreachable(String),
    /// A required source of listings failed; the sentence says why.
    ListingsUnreachable(String),
    /// The sources answered, and none has an article that fits.
    NoArticle {
        week: Week,
    },
    /// There are articles, but none of this week; the newest is of `found`.
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
    /// Days whose heading has nothing under it.
    EmptyDays(Vec<NaiveDate>),
    TooFewEvents {
        found: usize,
        least: usize,
    },
    TooManyUnplaced {
        unplaced: usize,
        items: usize,
    },
    /// Neither news nor an editorial since the last newsletter.
    NothingNew {
        since: NaiveDate,
    },
    /// A required source of news failed; the sentence says why.
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
    /// The edition is read as a PDF on our pages, and no pages are served.
    PdfNotServed {
        title: String,
    },
    /// More events than a poster or a booklet has room for, however small.
    DoesNotFit,
    /// Its hour came and nobody had approved it.
    Unapproved,
    /// Neither the content nor a person is at fault: composing failed.
    Broken(String),
}

/// Why a file of the office cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTrouble {
    TooLong,
    Unreadable(String),
}
